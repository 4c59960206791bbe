"""Whether the selected set is the same on other rows, and what each feature is made from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate
from lib.features.families import Feature
from lib.features.preprocessing import make_steps
from lib.features.recipes import SELECTIONS, Recipe, parse_recipe
from lib.features.screening import Codes
from lib.features.steps import AddFeatures, RankFeatures, raw_features

MAX_ROWS = 4_000
POOR, EXCELLENT = 0.4, 0.75


def stability(chosen: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return how alike selected sets are, chance taken out: Nogueira's measure [1]_.

    1 for equal sets, about 0 for sets drawn at random, whatever their sizes; for sets of one size
    it is Kuncheva's index [2]_ averaged over pairs of sets.

    Parameters
    ----------
    chosen : array-like of bool, shape (n_sets, n_features)
        Which features each set holds.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        With the paper's normal interval, which takes sets as independent, cut at 1. NaN when
        every set holds all features, or none: then there was nothing to choose.

    Raises
    ------
    InputError
        When there are fewer than two sets.

    References
    ----------
    .. [1] S. Nogueira, K. Sechidis, G. Brown (2018). On the stability of feature selection
       algorithms. JMLR 18(174).
    .. [2] L. Kuncheva (2007). A stability index for feature selection. AIA.

    Examples
    --------
    >>> print(stability([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]))
    0.333 [-0.022, 0.689]
    """
    Z = np.asarray(chosen, dtype=float)
    if Z.ndim != 2 or len(Z) < 2:
        msg = f"Stability compares two or more sets of features; got an array of shape {Z.shape}."
        raise InputError(msg)
    n_sets, n_features = Z.shape
    frequency = Z.mean(axis=0)
    share = float(frequency.mean()) if n_features else 0.0  # of the features in a set, on average
    by_chance = share * (1 - share)
    if by_chance <= 0:
        return Estimate(math.nan, method="Nogueira", n=n_sets)
    observed = n_sets / (n_sets - 1) * float((frequency * (1 - frequency)).mean())
    value = 1 - observed / by_chance
    shares = Z.mean(axis=1)
    # what each set contributes, as the paper's theorem on the variance has it
    agreement = (Z * frequency).mean(axis=1) - shares * share
    correction = value / 2 * (2 * shares * share - shares - share + 1)
    parts = (agreement + correction) / by_chance
    error = 2 / n_sets * math.sqrt(float(((parts - parts.mean()) ** 2).sum()))
    arm = float(stats.norm.ppf((1 + level) / 2)) * error
    return Estimate(value, value - arm, min(value + arm, 1.0), level, "Nogueira", n_sets)


@dataclass(frozen=True)
class Selections:
    """What methods of selection chose on many parts of the rows.

    Attributes
    ----------
    frame : DataFrame with columns method, fold, draw, feature, selected
        One row a feature that was made there; fold and draw count from 1.
    features : mapping of str to Feature
        Every feature that was made anywhere, by name.
    n_rows : int
        Rows of the largest part.
    """

    frame: pd.DataFrame
    features: Mapping[str, Feature]
    n_rows: int

    def sets(self, method: str) -> pd.DataFrame:
        """Return which features a method chose: one row a part, one column a feature."""
        own = self.frame[self.frame["method"] == method]
        table = own.pivot_table(
            index=["fold", "draw"], columns="feature", values="selected", sort=False
        )
        return table.reindex(columns=list(self.features)).fillna(0).astype(bool)


def select_repeatedly(
    dataset: Dataset,
    folds: Iterable[tuple[Any, Any]],
    *,
    families: Sequence[str],
    n_kept: int,
    methods: Sequence[str] = tuple(SELECTIONS),
    n_draws: int = 2,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
) -> Selections:
    """Return what each method selects on random halves of the training part of every fold.

    Features are made anew on each half, so also the search for pairs and cuts is repeated. Whole
    groups are drawn.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    folds : iterable of (ndarray, ndarray)
        Training and test positions; only the training part is used.
    families : sequence of str
        Families added before selection.
    n_kept : int
        At most so many features are kept.
    methods : sequence of str
        Keys of `SELECTIONS`.
    n_draws : int
        Halves of each fold, of different seeds.
    max_rows : int
        Rows of a half at most.
    random_state : int
        Seed of draws and of the methods.

    Returns
    -------
    Selections

    Examples
    --------
    >>> from lib.data import make_planted
    >>> planted = make_planted(600, task="regression", n_noise=5)
    >>> parts = [(np.arange(400), None), (np.arange(200, 600), None)]
    >>> found = select_repeatedly(planted, parts, families=[], n_kept=4, methods=["L1"])
    >>> sets = found.sets("L1")
    >>> sets.shape, bool(sets["signal_1"].all()), bool(sets["noise_1"].any())
    ((4, 11), True, False)
    """
    features = {feature.name: feature for feature in raw_features(list(dataset.X))}
    rows, largest = [], 0
    for fold, (train, _) in enumerate(folds, start=1):
        for number in range(1, n_draws + 1):
            seed = random_state + 1_000 * fold + number
            part = _draw_half(dataset, np.asarray(train), max_rows, seed)
            largest = max(largest, len(part))
            made, orders = _rank(dataset, part, families, methods, seed)
            chosen = {method: set(order[:n_kept]) for method, order in orders.items()}
            features.update({feature.name: feature for feature in made})
            names = [*dataset.X, *(feature.name for feature in made)]
            rows += [
                (method, fold, number, name, name in kept)
                for method, kept in chosen.items()
                for name in names
            ]
    columns = ["method", "fold", "draw", "feature", "selected"]
    return Selections(pd.DataFrame(rows, columns=columns), features, largest)


def tabulate_stability(selections: Selections, *, level: float = 0.95) -> pd.DataFrame:
    """Return how stable each method's choice is.

    Parameters
    ----------
    selections : Selections
        From `select_repeatedly`.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        method, stability (Estimate), reading ("excellent" from 0.75, "poor" below 0.4 [1]_), kept
        (features, on average), always and ever (features chosen in all, in any part), of
        (features that were made somewhere), parts.

    References
    ----------
    .. [1] J. Fleiss, B. Levin, M. Paik (2003). Statistical methods for rates and proportions, for
       kappa, which the measure equals.
    """
    rows = []
    for method in dict.fromkeys(selections.frame["method"]):
        sets = selections.sets(method).to_numpy()
        measured = stability(sets, level=level)
        rows.append(
            {
                "method": method,
                "stability": measured,
                "reading": _read(measured.value),
                "kept": float(sets.sum(axis=1).mean()),
                "always": int(sets.all(axis=0).sum()),
                "ever": int(sets.any(axis=0).sum()),
                "of": sets.shape[1],
                "parts": len(sets),
            }
        )
    return pd.DataFrame(rows)


def tabulate_lineage(selections: Selections, dataset: Dataset) -> pd.DataFrame:
    """Return what each feature is made from, how, and how often it was chosen.

    Parameters
    ----------
    selections : Selections
        From `select_repeatedly`.
    dataset : Dataset
        Its own names of columns.

    Returns
    -------
    DataFrame
        The most chosen first. feature (in words), family, sources (own names), learned_from
        ("nothing", "rows", "rows and target"), made (share of the parts
        in which it came about), chosen (share of parts and methods), and for each method its
        share of the parts.
    """
    frame = selections.frame
    methods = list(dict.fromkeys(frame["method"]))
    n_parts = len(frame[["fold", "draw"]].drop_duplicates())
    counts = frame.pivot_table(
        index="feature", columns="method", values="selected", aggfunc="sum", sort=False
    )
    shares = (counts / max(n_parts, 1)).reindex(index=list(selections.features), columns=methods)
    made = frame.drop_duplicates(["fold", "draw", "feature"]).groupby("feature").size()
    rows = []
    for name, feature in selections.features.items():
        own = [str(dataset.labels.get(source, source)) for source in feature.sources]
        rows.append(
            {
                "feature": describe(feature, dataset),
                "family": feature.family,
                "sources": "; ".join(own),
                "learned_from": feature.learned,
                "made": float(made.get(name, 0)) / max(n_parts, 1),
                "chosen": float(shares.loc[name].mean()),
                **shares.loc[name].to_dict(),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values("chosen", ascending=False, kind="stable", ignore_index=True)


def tabulate_kept(scores: Mapping[str, Estimate]) -> pd.DataFrame:
    """Return scores of recipes that select, by method and by how many features stay.

    Parameters
    ----------
    scores : mapping of str to Estimate
        Score of each recipe; recipes without a selection are left out.

    Returns
    -------
    DataFrame
        method, kept (at most so many), score (Estimate), in rising order of `kept`.

    Examples
    --------
    >>> scores = {"raw | L1 20": Estimate(0.8), "raw | L1 5": Estimate(0.7), "raw": Estimate(0.9)}
    >>> tabulate_kept(scores)["kept"].tolist()
    [5, 20]
    """
    recipes = [(parse_recipe(text), score) for text, score in scores.items()]
    rows = [
        (recipe.selection, recipe.n_kept, score) for recipe, score in recipes if recipe.selection
    ]
    table = pd.DataFrame(rows, columns=["method", "kept", "score"])
    order = {method: number for number, method in enumerate(SELECTIONS)}
    return table.sort_values(
        ["method", "kept"],
        key=lambda values: values.map(order) if values.name == "method" else values,
        kind="stable",
        ignore_index=True,
    )


def describe(feature: Feature, dataset: Dataset) -> str:
    """Return a feature in words, with the columns' own names."""
    own = [str(dataset.labels.get(source, source)) for source in feature.sources]
    return feature.how.format(*own)


def _rank(
    dataset: Dataset, part: Codes, families: Sequence[str], methods: Sequence[str], seed: int
) -> tuple[list[Feature], dict[str, tuple[str, ...]]]:
    """Return the features made of some rows, and how each method orders them."""
    steps = make_steps(dataset, [Recipe(tuple(families))], kinds=["tree"], random_state=seed)[0]
    X, y = dataset.X.iloc[part], dataset.y.to_numpy()[part]
    add: AddFeatures = steps[1][1]
    rows = add.fit_transform(steps[0][1].fit_transform(X, y), y)
    orders = {
        method: RankFeatures(method, dataset.task, seed).fit(rows, y).order_ for method in methods
    }
    return add.features_, orders


def _draw_half(dataset: Dataset, train: Codes, max_rows: int, seed: int) -> Codes:
    """Return a random half of some positions: of groups where there are any, else of classes."""
    rng = np.random.default_rng(seed)
    if dataset.groups is not None:
        codes = pd.factorize(dataset.groups.iloc[train])[0]
        rank = rng.permutation(int(codes.max()) + 1)[codes]
        order = np.argsort(rank, kind="stable")
        wished = min(max(len(train) // 2, 1), max_rows)
        return np.sort(train[order[:wished]])
    mixed = rng.random(len(train))
    y = dataset.y.to_numpy()[train]
    order = np.argsort(mixed) if dataset.task == "regression" else np.lexsort((mixed, y))
    half = order[int(rng.integers(2)) :: 2]
    if len(half) > max_rows:
        half = half[rng.permutation(len(half))[:max_rows]]
    return np.sort(train[half])


def _read(value: float) -> str:
    if math.isnan(value):
        return "no choice to compare"
    if value >= EXCELLENT:
        return "excellent"
    return "poor" if value < POOR else "fair to good"
