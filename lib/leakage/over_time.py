"""By how much random folds flatter a model that has to predict later rows."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate
from lib.evaluation import cross_validate
from lib.leakage.flattery import Flattery
from lib.leakage.scores import make_booster, ranks_of
from lib.leakage.table import Floats, as_numbers, said_of_rows
from lib.resampling import Folds, make_cv, make_folds, sample_rows
from lib.statistics import numbers_of

N_PERIODS = 20


def measure_by_time(
    dataset: Dataset, moments: pd.Series, *, n_splits: int, max_rows: int, level: float, seed: int
) -> Flattery:
    """Return by how much random folds flatter a model that has to predict later rows.

    Forward folds train on earlier rows and test on the next ones. For the same test rows a
    random counterpart trains on as many rows of any time, half of the tested time included. Their
    losses are compared row by row, and averaged over twenty periods, which are nearly independent.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    moments : Series of shape (n_rows,)
        Their time.
    n_splits : int
        Forward folds.
    max_rows : int
        More rows are sampled.
    level : float
        Coverage of the intervals.
    seed : int
        Of model and draws.

    Returns
    -------
    Flattery
        In shares of the squared error of always predicting the mean (of classes: the Brier
        score, of numbers: the squared error of ranks).
    """
    time = pd.Series(numbers_of(moments.reset_index(drop=True)), name="time")
    timed = sample_rows(replace(dataset, groups=None, time=time), max_rows, random_state=seed)
    timed = replace(timed, X=as_numbers(timed.X))
    if timed.task == "regression":
        timed = replace(timed, y=pd.Series(ranks_of(timed.y), name="target"))
    forward = make_folds(timed, make_cv(timed, n_splits=n_splits, random_state=seed))
    random = _random_counterpart(forward, len(timed), seed)
    losses = [_losses(timed, folds, seed) for folds in (random, forward)]
    tested = np.flatnonzero(np.isfinite(losses[0]) & np.isfinite(losses[1]))
    assert timed.time is not None
    tested = tested[np.argsort(timed.time.to_numpy()[tested], kind="stable")]
    periods = [rows for rows in np.array_split(tested, N_PERIODS) if len(rows)]
    base = _base_loss(timed)
    promised, kept = (
        1 - np.array([loss[rows].mean() for rows in periods]) / base for loss in losses
    )
    measured = _by_period(promised, kept, level)
    return replace(measured, of_rows=said_of_rows(len(timed), len(dataset)))


def _random_counterpart(forward: Folds, n_rows: int, seed: int) -> Folds:
    rng = np.random.default_rng(seed)
    parts = []
    for train, test in forward:
        halves = np.array_split(rng.permutation(test), 2)
        pool = np.setdiff1d(np.arange(n_rows), test)
        for tested, seen in (halves, halves[::-1]):
            more = rng.permutation(pool)[: max(len(train) - len(seen), 1)]
            parts.append((np.sort(np.r_[seen, more]), np.sort(tested)))
    return Folds(tuple(parts), forward.fingerprint, "random counterpart")


def _losses(dataset: Dataset, folds: Folds, seed: int) -> Floats:
    model = {"boosting": make_booster(dataset, random_state=seed)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = cross_validate(model, dataset, folds)
    if "boosting" not in scores.predictions:
        why = scores.failures["reason"].iloc[0] if len(scores.failures) else "no reason was kept"
        raise InputError(
            f"Boosted trees could be fitted on none of {len(folds)} folds in time of "
            f"'{dataset.name}': {why}."
        )
    predicted = scores.predictions["boosting"]
    y = dataset.y.to_numpy()
    if dataset.task == "regression":
        return np.asarray((predicted - y) ** 2)
    return np.asarray(((predicted - np.eye(predicted.shape[1])[y]) ** 2).sum(axis=1))


def _base_loss(dataset: Dataset) -> float:
    if dataset.task == "regression":
        return float(dataset.y.var(ddof=0))
    frequencies = np.bincount(dataset.y) / len(dataset)
    return float(1 - (frequencies**2).sum())


def _by_period(promised: Floats, kept: Floats, level: float) -> Flattery:
    difference = promised - kept
    return Flattery(
        promised=_student(promised, level),
        kept=_student(kept, level),
        difference=_student(difference, level),
        p_value=float(stats.ttest_1samp(difference, 0).pvalue),
        chance=0.0,
        scoring="share of squared error explained",
    )


def _student(values: Floats, level: float) -> Estimate:
    mean, n = float(values.mean()), len(values)
    arm = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - arm, mean + arm, level, "Student over periods", n)
