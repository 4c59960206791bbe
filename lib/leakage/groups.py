"""Groups that nobody named: which rows belong together, and by how much that flatters a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate
from lib.estimates.estimate import ratio
from lib.leakage.fingerprints import (
    MIN_GROUPS,
    Candidate,
    find_candidates,
    make_candidate,
)
from lib.leakage.flattery import Flattery, measure_by_groups, score_freely
from lib.leakage.scores import bin_column, explain_alone, ranks_of
from lib.leakage.table import (
    Codes,
    Floats,
    encode_levels,
    said_of_rows,
    shuffled_folds,
    ungrouped,
)
from lib.statistics import numbers_of

MIN_SPLITS = 5  # with fewer folds a paired test sees nothing
MAX_SEARCHED = 20_000  # rows that the search looks at; the groups are then made of all rows
MAX_MEASURED = 3  # candidates whose flattery is measured
MAY_SHARE = 0.1  # p-value of no likeness within groups, up to which their flattery is measured
ERRATIC = 0.3  # share of a number's effect that its neighbouring values do not foretell


@dataclass(frozen=True)
class FoundGroups:
    """Rows that belong together, found by what they share.

    Attributes
    ----------
    columns : tuple of str
        Columns whose equal values mark a group.
    labels : Series of int, shape (n_rows,)
        The group of each row, named "found group".
    flattery : Estimate
        Score on random folds minus score on folds that keep the groups together, with an interval
        from leaving blocks of whole groups out in turn.
    promised, kept : Estimate
        The two scores.
    p_value : float
        Of no flattery.
    scoring : str
        The metric in words.
    in_order : bool
        Whether the order of the rows also told groups apart.
    is_real : bool
        Whether random folds flatter beyond chance; else the groups are sure and do no harm yet.
    chance : float
        Score of ignoring the features.
    of_rows : str
        What was sampled, as the tail of a sentence; nothing when all rows were used.
    """

    columns: tuple[str, ...]
    labels: pd.Series = field(repr=False)
    flattery: Estimate
    promised: Estimate
    kept: Estimate
    p_value: float
    scoring: str
    in_order: bool = False
    is_real: bool = True
    chance: float = 0.0
    of_rows: str = ""

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.labels.max()) + 1


def find_groups(
    X: pd.DataFrame,
    y: pd.Series,
    *,
    task: Any = None,
    n_splits: int = MIN_SPLITS,
    max_rows: int = MAX_SEARCHED,
    level: float = 0.95,
    random_state: int = 0,
) -> FoundGroups | None:
    """Return groups of rows that a model recognises, or None when no set of columns shows any.

    Three kinds of marks are tried: several columns that together fingerprint a person or thing
    (`fingerprints.find_candidates`), values that stay equal along the rows of a sorted table, and
    single columns whose levels shift the target erratically. A mark counts when keeping its groups
    together costs boosted trees a share of what they seemed to know, beyond chance, or when
    columns agree so often together that only the same thing, seen again, explains it.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        Features, in the order of the table.
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}, optional
        What `y` holds; by default whole numbers of at most twenty values are classes.
    n_splits : int
        Folds of either kind.
    max_rows : int
        More rows are sampled for search and measurement, in blocks of neighbouring rows.
    level : float
        Coverage of the intervals.
    random_state : int
        Seed.

    Returns
    -------
    FoundGroups or None

    Raises
    ------
    InputError
        When lengths differ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> person = np.repeat(np.arange(100), 4)
    >>> X = pd.DataFrame({"born": rng.integers(1930, 1990, 100)[person]})
    >>> X["height"] = rng.integers(150, 200, 100)[person]
    >>> X["eyes"] = pd.Categorical(rng.choice(["blue", "brown", "green"], 100)[person])
    >>> X["noise"] = rng.normal(size=400)
    >>> y = pd.Series(rng.normal(size=100)[person] + 0.3 * rng.normal(size=400))
    >>> found = find_groups(X, y)
    >>> found.columns, found.n_groups
    (('born', 'height', 'eyes'), 100)
    """
    if len(X) != len(y):
        raise InputError(f"X and y must have the same length; got {len(X):,} and {len(y):,} rows.")
    dataset = _as_dataset(X, y, task)
    blocks = _sample_blocks(len(X), max_rows, random_state)
    part = dataset.take(blocks)
    codes = encode_levels(part.X)
    options: dict[str, Any] = {"n_splits": n_splits, "level": level, "random_state": random_state}
    candidates = find_candidates(codes, random_state=random_state)[:MAX_MEASURED]
    best = _most_flattered(part, candidates, options)
    if best is None:
        best = _most_flattered(part, _columns_alone(part, codes, random_state), options)
    return None if best is None else _described(dataset.X, *best)


def _most_flattered(
    part: Dataset, candidates: list[Candidate], options: dict[str, Any]
) -> tuple[Candidate, Flattery] | None:
    """Return the groups by which random folds flatter most; else the first sure ones; else None."""
    worth_it = [c for c in candidates if c.is_sure or _is_shared(c.labels, part)]
    if not worth_it:
        return None
    free = {key: options[key] for key in ("n_splits", "random_state")}
    options = {**options, "promised": score_freely(part, **free)}
    measured = [
        (candidate, measure_by_groups(part, pd.Series(candidate.labels), **options))
        for candidate in worth_it
    ]
    real = [
        pair
        for pair in measured
        if pair[1].is_real(0.05 if pair[0].kind == "fingerprint" else 0.01)
    ]
    sure = [pair for pair in measured if pair[0].is_sure]
    if real:
        return max(real, key=lambda pair: pair[1].difference.value)
    return sure[0] if sure else None


def _is_shared(labels: Codes, part: Dataset) -> bool:
    """Whether rows of a group may share their target at all: else no model gains by knowing it.

    An analysis of variance, of ranks or of each class, that errs on the side of yes.
    """
    n = np.bincount(labels).astype(float)
    within = len(labels) - len(n)
    if within <= 0 or len(n) < 2:
        return True
    p_values = []
    for values in _outcomes(part):
        means = np.bincount(labels, weights=values) / n
        noise = float(((values - means[labels]) ** 2).sum()) / within
        between = float((n * (means - values.mean()) ** 2).sum()) / (len(n) - 1)
        p_values.append(float(stats.f.sf(ratio(between, noise), len(n) - 1, within)))
    return min(p_values) * len(p_values) < MAY_SHARE


def _outcomes(part: Dataset) -> list[Floats]:
    """Return ranks of numbers, or an indicator of each class."""
    if part.task == "regression":
        return [ranks_of(part.y)]
    return list(np.eye(len(part.classes))[:, part.y.to_numpy()])


def _as_dataset(X: pd.DataFrame, y: pd.Series, task: Any) -> Dataset:
    X, values = X.reset_index(drop=True), y.reset_index(drop=True).rename("target")
    if task is None:
        whole = pd.api.types.is_integer_dtype(values) and values.nunique() <= 20
        task = ("binary" if values.nunique() == 2 else "multiclass") if whole else "regression"
    if task == "regression":
        return Dataset("table", X, values.astype(float), task=task)
    codes, labels = pd.factorize(values, sort=True)
    classes = tuple(str(label) for label in labels)
    return Dataset("table", X, pd.Series(codes, name="target"), task=task, classes=classes)


def _sample_blocks(n_rows: int, max_rows: int, random_state: int) -> Codes:
    """Return all positions, or random blocks of neighbouring rows: kin often stand together."""
    if n_rows <= max_rows:
        return np.arange(n_rows, dtype=np.int64)
    n_blocks, size = 100, max_rows // 100
    starts = np.sort(np.random.default_rng(random_state).permutation(n_rows // size)[:n_blocks])
    return (starts[:, None] * size + np.arange(size)).ravel().astype(np.int64)


def _described(X: pd.DataFrame, candidate: Candidate, measured: Flattery) -> FoundGroups:
    whole = candidate
    if len(X) != len(candidate.labels):
        made = make_candidate(encode_levels(X), candidate.columns, "column")
        whole = made or candidate
    keys = X.iloc[:, list(candidate.columns)].drop_duplicates()
    labels = pd.Series(pd.factorize(whole.labels)[0], name="found group")
    return FoundGroups(
        tuple(str(X.columns[j]) for j in candidate.columns),
        labels,
        measured.difference,
        measured.promised,
        measured.kept,
        measured.p_value,
        measured.scoring,
        in_order=whole.n_groups != len(keys),
        is_real=measured.is_real(0.05),
        chance=measured.chance,
        of_rows=said_of_rows(len(candidate.labels), len(X)),
    )


def _columns_alone(part: Dataset, codes: Codes, random_state: int) -> list[Candidate]:
    """Return single columns whose levels shift the target erratically, the strongest first."""
    ranked = []
    folds = shuffled_folds(ungrouped(part), random_state=random_state)
    for position, name in enumerate(part.X.columns):
        n_levels = len(np.unique(codes[:, position]))
        if n_levels < MIN_GROUPS or n_levels > len(codes) / 2:
            continue
        candidate = make_candidate(codes, (position,), "column")
        if candidate is None:
            continue
        column = part.X[name]
        explained = float(explain_alone(codes[:, position], part.y, part.task, folds).mean())
        smooth = float(explain_alone(bin_column(column, 10), part.y, part.task, folds).mean())
        ordered = name in part.numeric or name in part.datetimes
        if explained < 0.01 or (ordered and not _is_erratic(column, part)):
            continue
        ranked.append((-(explained - (smooth if ordered else 0.0)), position, candidate))
    return [candidate for _, _, candidate in sorted(ranked, key=lambda r: r[:2])[:2]]


def _is_erratic(column: pd.Series, part: Dataset) -> bool:
    """Whether a number's neighbouring values say little about the target at a value.

    Means of the target over the values of an honest quantity follow a curve; means over the
    numbers of persons jump. Both sums of squares are freed from sampling noise.
    """
    levels, cells = np.unique(numbers_of(column), return_inverse=True)
    n = np.bincount(cells).astype(float)
    between, jumps = 0.0, 0.0
    for values in _outcomes(part):
        totals = _sums_of_squares(values, cells, n)
        between, jumps = between + totals[0], jumps + totals[1]
    return len(levels) > 2 and between > 0 and jumps > ERRATIC * between


def _sums_of_squares(values: Floats, cells: npt.NDArray[np.intp], n: Floats) -> tuple[float, float]:
    means = np.bincount(cells, weights=values) / n
    noise = float(((values - means[cells]) ** 2).sum()) / max(len(values) - len(n), 1)
    between = float((n * (means - values.mean()) ** 2).sum()) - noise * (len(n) - 1)
    inner, left, right = slice(1, -1), slice(None, -2), slice(2, None)
    off = means[inner] - (means[left] + means[right]) / 2
    sampling = noise * (1 / n[inner] + (1 / n[left] + 1 / n[right]) / 4)
    return between, float((n[inner] * (off**2 - sampling)).sum()) / 1.5
