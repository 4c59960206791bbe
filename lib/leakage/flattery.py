"""By how much a splitter flatters: the same model, the same rows, two kinds of folds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.data import Dataset
from lib.estimates import Estimate
from lib.estimates.estimate import ratio
from lib.evaluation import cross_validate, default_scoring, scorers
from lib.leakage.scores import make_booster
from lib.leakage.table import Codes, as_numbers, said_of_rows, shuffled_folds, ungrouped
from lib.resampling import Folds, sample_rows

SHARED_TRAINING = 1.5  # (1/5 + 1/4) / (1/5), rooted: Nadeau and Bengio's correction of five folds
N_BLOCKS = 20  # of whole groups, which are left out in turn to see how far a score varies
MATERIAL = 0.05  # share of what a model knows that must vanish before it counts


@dataclass(frozen=True)
class Flattery:
    """What one kind of folds promises and another keeps.

    Attributes
    ----------
    promised, kept : Estimate
        Score on random folds, and on folds that fit the data. Intervals are as wide as scores
        vary between independent parts of the data: whole groups, or periods.
    difference : Estimate
        Promised minus kept.
    p_value : float
        Of no difference.
    chance : float
        Score of ignoring the features.
    scoring : str
        Label of the metric.
    of_rows : str
        What was sampled, as the tail of a sentence; nothing when all rows were used.
    """

    promised: Estimate
    kept: Estimate
    difference: Estimate
    p_value: float
    chance: float
    scoring: str
    of_rows: str = ""

    def is_real(self, alpha: float = 0.01) -> bool:
        """Whether random folds promise more, beyond chance and by an amount that matters."""
        known = max(self.promised.value - self.chance, 1e-12)
        enough = self.difference.value >= MATERIAL * known
        return bool(self.p_value < alpha and enough and self.promised.value > self.chance)

    def in_words(self) -> str:
        """Return the figures as part of a sentence."""
        return (
            f"{self.scoring} {self.promised:.3f} on random folds, {self.kept:.3f} kept apart: "
            f"random folds flatter by {self.difference:.3f}{self.of_rows}"
        )


def measure_by_groups(
    dataset: Dataset,
    labels: pd.Series,
    *,
    n_splits: int = 5,
    max_rows: int = 20_000,
    level: float = 0.95,
    random_state: int = 0,
    promised: Scored | None = None,
) -> Flattery:
    """Return by how much random folds flatter a model when rows of a group resemble each other.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    labels : Series of shape (n_rows,)
        Which rows belong together.
    n_splits : int
        Folds of either kind.
    max_rows : int
        More rows are sampled, whole groups at a time.
    level : float
        Coverage of the intervals.
    random_state : int
        Seed of folds and model.
    promised : Scored, optional
        From `score_freely` with the same rows and options, when several groupings share it.

    Returns
    -------
    Flattery
        Of small boosted trees, by the task's default metric.
    """
    named = pd.Series(labels.to_numpy(), name="found")
    grouped = replace(ungrouped(dataset), groups=named)
    grouped = sample_rows(grouped, max_rows, random_state=random_state)
    if promised is None:
        promised = score_freely(grouped, n_splits=n_splits, random_state=random_state)
    folds = shuffled_folds(grouped, n_splits=n_splits, random_state=random_state)
    kept = Scored.fit(promised.dataset, folds)
    assert grouped.groups is not None
    blocks = _blocks_of_groups(grouped.groups, random_state)
    measured = _compare(promised, kept, blocks, level=level)
    return replace(measured, of_rows=said_of_rows(len(grouped), len(dataset)))


def score_freely(dataset: Dataset, *, n_splits: int, random_state: int) -> Scored:
    """Return what boosted trees say of every row out of random folds, groups and time ignored.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    n_splits : int
        Folds.
    random_state : int
        Seed of the folds.

    Returns
    -------
    Scored
    """
    free = replace(ungrouped(dataset), X=as_numbers(dataset.X))
    return Scored.fit(free, shuffled_folds(free, n_splits=n_splits, random_state=random_state))


@dataclass(frozen=True)
class Scored:
    """Out-of-fold predictions, and the score of any part of them."""

    dataset: Dataset
    fold_of: Codes
    predicted: npt.NDArray[Any]

    @classmethod
    def fit(cls, dataset: Dataset, folds: Folds) -> Scored:
        """Predict every row by boosted trees that have not seen its fold."""
        model = {"boosting": make_booster(dataset)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = cross_validate(model, dataset, folds)
        fold_of = np.zeros(len(dataset), dtype=np.int64)
        for number, (_, test) in enumerate(folds):
            fold_of[test] = number
        if dataset.task == "regression":  # folds of few groups differ too much in their variance
            fold_of[:] = 0
        return cls(dataset, fold_of, scores.predictions["boosting"])

    def score(self, use: npt.NDArray[np.bool_]) -> float:
        """Return the default metric of some rows: mean over folds, or of numbers all in one."""
        metric = scorers(self.dataset.task)[default_scoring(self.dataset.task)]
        y, weight = self.dataset.y.to_numpy(), self.dataset.sample_weight
        by_fold = []
        for number in range(int(self.fold_of.max()) + 1):
            rows = np.flatnonzero(use & (self.fold_of == number))
            known = None if weight is None else weight.to_numpy()[rows]
            by_fold.append(metric.compute(y[rows], self.predicted[rows], known))
        return float(np.nanmean(by_fold))


def _blocks_of_groups(groups: pd.Series, random_state: int) -> Codes:
    """Return for each row one of twenty blocks of whole groups, about equal in rows."""
    codes = pd.factorize(groups)[0]
    shuffled = np.random.default_rng(random_state).permutation(int(codes.max()) + 1)
    sizes = np.bincount(codes)[shuffled]
    block_of = np.empty(len(sizes), dtype=np.int64)
    block_of[shuffled] = (np.cumsum(sizes) - sizes) * N_BLOCKS // len(codes)
    return np.asarray(pd.factorize(block_of[codes])[0], dtype=np.int64)


def _compare(promised: Scored, kept: Scored, blocks: Codes, *, level: float) -> Flattery:
    """Return both scores and their difference, with errors by leaving out a block at a time."""
    every = np.ones(len(blocks), dtype=bool)
    whole = np.array([promised.score(every), kept.score(every)])
    n = int(blocks.max()) + 1
    without = np.array(
        [[scored.score(blocks != b) for scored in (promised, kept)] for b in range(n)]
    )
    values = np.r_[whole, whole[0] - whole[1]]
    left_out = np.column_stack([without, without[:, 0] - without[:, 1]])
    errors = np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    errors *= SHARED_TRAINING
    arms = float(stats.t.ppf((1 + level) / 2, n - 1)) * errors
    task = promised.dataset.task
    metric = scorers(task)[default_scoring(task)]
    estimates = [
        Estimate(value, value - arm, value + arm, level, "jackknife over groups", n)
        for value, arm in zip(values.tolist(), arms.tolist(), strict=True)
    ]
    lowest, highest = metric.bounds
    estimates[:2] = [
        replace(e, low=max(e.low, lowest), high=min(e.high, highest)) for e in estimates[:2]
    ]
    p_value = float(2 * stats.t.sf(abs(ratio(values[2], errors[2])), n - 1))
    chance = chance_of(promised.dataset)
    return Flattery(estimates[0], estimates[1], estimates[2], p_value, chance, metric.label)


def chance_of(dataset: Dataset) -> float:
    """Return what ignoring the features scores by the task's default metric.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> chance_of(make_planted(100))
    0.5
    """
    if dataset.task == "binary":
        return 0.5
    if dataset.task == "regression":
        return 0.0
    frequencies = np.bincount(dataset.y) / len(dataset)
    present = frequencies[frequencies > 0]
    return float((present * np.log(present)).sum())
