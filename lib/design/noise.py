"""How much of a score is luck of the seed or of the fold, and whether a test cries wolf."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.design.parts import order_rows, take_first
from lib.errors import InputError
from lib.estimates import Estimate, corrected_t_test, wilson
from lib.evaluation import PreparedFold, scorers
from lib.resampling import Folds

SHARE = 0.8  # of a fold's training rows that each twin learns from


def reseed(estimator: Any, seeds: Sequence[int]) -> dict[str, Any]:
    """Return the estimator once for each seed; steps before the model are shared.

    Parameters
    ----------
    estimator : scikit-learn estimator
        A pipeline ends with the model.
    seeds : sequence of int
        Of the model.

    Returns
    -------
    dict of str to scikit-learn estimator
        "seed 0", "seed 1", …; empty for a model that draws nothing.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> list(reseed(DecisionTreeClassifier(), [0, 1]))
    ['seed 0', 'seed 1']
    """
    steps = list(estimator.steps) if isinstance(estimator, Pipeline) else [("model", estimator)]
    (name, model), before = steps[-1], steps[:-1]
    if "random_state" not in model.get_params(deep=False):
        return {}
    made = {f"seed {seed}": clone(model).set_params(random_state=seed) for seed in seeds}
    return {key: Pipeline([*before, (name, m)]) if before else m for key, m in made.items()}


@dataclass(frozen=True)
class Noise:
    """Spread of one model's score from its seed and from the fold.

    Attributes
    ----------
    by_seed : float
        Standard deviation over seeds on one and the same fold.
    by_fold : float
        Standard deviation over folds, the seed's part taken out.
    floor : Estimate
        Two runs that differ by the seed alone differ in their mean over folds by less than this
        in 95 of 100 cases (or at the level given).
    n_seeds, n_folds : int
    """

    by_seed: float
    by_fold: float
    floor: Estimate
    n_seeds: int
    n_folds: int


def compute_noise(by_fold: pd.DataFrame, *, level: float = 0.95) -> Noise:
    """Return how far seeds and folds move a score.

    Parameters
    ----------
    by_fold : DataFrame of shape (n_folds, n_seeds)
        Scores, as `Scores.by_fold` returns them for the models of `reseed`.
    level : float
        Of the noise floor, and of its interval.

    Returns
    -------
    Noise

    Raises
    ------
    InputError
        When there are fewer than two seeds or folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> fold, seed = rng.normal(0, 0.02, (500, 1)), rng.normal(0, 0.01, (500, 8))
    >>> noise = compute_noise(pd.DataFrame(0.8 + fold + seed))
    >>> round(noise.by_seed, 3), round(noise.by_fold, 2)
    (0.01, 0.02)
    """
    values = by_fold.dropna().to_numpy(dtype=float)
    n_folds, n_seeds = values.shape
    if n_folds < 2 or n_seeds < 2:
        msg = f"Noise needs two folds and two seeds; got {n_folds} and {n_seeds}."
        raise InputError(f"{msg} Use a model that draws numbers, and more folds.")
    within = float(values.var(axis=1, ddof=1).mean())
    between = float(values.mean(axis=1).var(ddof=1)) - within / n_seeds
    degrees = n_folds * (n_seeds - 1)
    reach = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(2 * within / n_folds)
    tails = stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], degrees)
    low, high = reach * np.sqrt(degrees / tails)
    floor = Estimate(reach, float(low), float(high), level, "chi-squared", degrees)
    return Noise(math.sqrt(within), math.sqrt(max(between, 0.0)), floor, n_seeds, n_folds)


def compare_twins(
    estimator: Any,
    dataset: Dataset,
    folds: Folds,
    *,
    scoring: str,
    n_pairs: int,
    level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return the study's paired test of pipelines that are the same but for luck (A/A).

    Both twins of a pair are the same estimator, and each learns from its own random four fifths of
    every fold's training rows (whole groups): what differs between them is luck alone.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Cheap; steps before a pipeline's model are fitted once a fold, for all twins.
    dataset : Dataset
        Rows, a few thousand are enough.
    folds : Folds
        Of these rows.
    scoring : str
        What counts.
    n_pairs : int
        Pairs of twins.
    level : float
        One minus it is the level of the test.
    random_state : int
        Of the draws.

    Returns
    -------
    DataFrame with columns pair, difference, p, is_raised
        `is_raised` says whether the test claims a difference where none is.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(300, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> twins = compare_twins(LogisticRegression(), dataset, folds, scoring="roc_auc", n_pairs=20)
    >>> len(twins), int(twins["is_raised"].sum()) <= 4
    (20, True)
    """
    metric = scorers(dataset.task)[scoring]
    steps = list(estimator.steps) if isinstance(estimator, Pipeline) else [("model", estimator)]
    differences = np.full((n_pairs, len(folds)), np.nan)
    with threadpool_limits(1):
        for number, (train, test) in enumerate(folds):
            rows = np.concatenate([train, test])
            table = dataset.X.iloc[rows].reset_index(drop=True)
            if len(steps) > 1:
                before = Pipeline([(name, clone(step)) for name, step in steps[:-1]])
                learned = before.fit(table.iloc[: len(train)], dataset.y.to_numpy()[train])
                table = learned.transform(table)
            ready = _Ready(dataset.take(rows), table)
            inside, outside = np.arange(len(train)), np.arange(len(train), len(rows))
            for pair in range(n_pairs):
                scores = []
                for twin in (0, 1):
                    seed = np.random.SeedSequence([random_state, number, pair, twin])
                    state = int(seed.generate_state(1)[0])
                    pieces = order_rows(ready.dataset, inside, random_state=state)
                    part = take_first(pieces, round(SHARE * len(inside)))
                    fold = PreparedFold(ready.as_dataset(), part, outside)
                    predicted = fold.evaluate(steps[-1][1]).prediction
                    scores.append(metric.compute(fold.y_test, predicted, fold.weight_test))
                differences[pair, number] = scores[0] - scores[1]
    tests = [corrected_t_test(d, folds.test_fraction, level=level) for d in differences]
    found = [(i, t.difference, t.p_value) for i, t in enumerate(tests, 1)]
    table = pd.DataFrame(found, columns=["pair", "difference", "p"])
    return table.assign(is_raised=table["p"] < 1 - level)


@dataclass(frozen=True)
class _Ready:
    """Rows of one fold, training part first, with features as the model takes them."""

    dataset: Dataset
    features: Any

    def as_dataset(self) -> Dataset:
        features = self.features
        if not isinstance(features, pd.DataFrame):
            features = pd.DataFrame(features)
        return replace(self.dataset, X=features)


def false_alarm_rate(twins: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """Return the share of A/A pairs for which the test claims a difference.

    Parameters
    ----------
    twins : DataFrame with column is_raised
        As `compare_twins` makes it.
    level : float
        Of Wilson's interval.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> print(false_alarm_rate(pd.DataFrame({"is_raised": [True] + [False] * 39})))
    0.025 [0.004, 0.129]
    """
    return wilson(int(twins["is_raised"].sum()), len(twins), level=level)
