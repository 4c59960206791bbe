"""By how much a splitter flatters: the same model, the same rows, two kinds of folds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.estimates import Estimate, corrected_mean, corrected_t_test
from lib.evaluation import cross_validate, default_scoring, scorers
from lib.leakage.scores import make_booster
from lib.leakage.table import as_numbers, shuffled_folds, ungrouped
from lib.resampling import Folds, sample_rows

SMALL = 4_000  # rows up to which folds are repeated for a surer difference
MATERIAL = 0.05  # share of what a model knows that must vanish before it counts


@dataclass(frozen=True)
class Flattery:
    """What one kind of folds promises and another keeps.

    Attributes
    ----------
    promised, kept : Estimate
        Score on random folds, and on folds that fit the data.
    difference : Estimate
        Promised minus kept, paired by fold, corrected interval.
    p_value : float
        Of no difference.
    chance : float
        Score of ignoring the features.
    scoring : str
        Label of the metric.
    """

    promised: Estimate
    kept: Estimate
    difference: Estimate
    p_value: float
    chance: float
    scoring: str

    def is_real(self, alpha: float = 0.01) -> bool:
        """Whether random folds promise more, beyond chance and by an amount that matters."""
        known = max(self.promised.value - self.chance, 1e-12)
        enough = self.difference.value >= MATERIAL * known
        return bool(self.p_value < alpha and enough and self.promised.value > self.chance)

    def in_words(self) -> str:
        """Return the figures as part of a sentence."""
        return (
            f"{self.scoring} {self.promised:.3f} on random folds, {self.kept:.3f} kept apart: "
            f"random folds flatter by {self.difference:.3f}"
        )


def measure_by_groups(
    dataset: Dataset,
    labels: pd.Series,
    *,
    n_splits: int = 5,
    max_rows: int = 20_000,
    level: float = 0.95,
    random_state: int = 0,
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

    Returns
    -------
    Flattery
        Of small boosted trees, by the task's default metric.
    """
    numbers = replace(ungrouped(dataset), X=as_numbers(dataset.X))
    grouped = replace(numbers, groups=pd.Series(labels.to_numpy(), name="found"))
    grouped = sample_rows(grouped, max_rows, random_state=random_state)
    free = ungrouped(grouped)
    n_repeats = 2 if len(free) <= SMALL else 1
    folds = [
        shuffled_folds(part, n_splits=n_splits, n_repeats=n_repeats, random_state=random_state)
        for part in (free, grouped)
    ]
    return _compare(free, *folds, level=level, random_state=random_state)


def _compare(
    dataset: Dataset, random: Folds, apart: Folds, *, level: float, random_state: int
) -> Flattery:
    model = {"boosting": make_booster(dataset, random_state=random_state)}
    metric = default_scoring(dataset.task)
    by_fold = []
    for folds in (random, apart):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = cross_validate(model, dataset, folds, scoring=metric)
        by_fold.append(scores.by_fold(metric)["boosting"].to_numpy())
    n_folds = min(len(scores) for scores in by_fold)
    promised, kept = (scores[:n_folds] for scores in by_fold)
    test = corrected_t_test(promised - kept, apart.test_fraction, level=level)
    bounds, label = scorers(dataset.task)[metric].bounds, scorers(dataset.task)[metric].label
    means = [
        corrected_mean(scores, apart.test_fraction, level=level, bounds=bounds)
        for scores in (promised, kept)
    ]
    chance = chance_of(dataset)
    return Flattery(means[0], means[1], test.difference, test.p_value, chance, label)


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
