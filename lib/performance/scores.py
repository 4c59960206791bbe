"""Scores on the test set with intervals, beside what cross-validation promised."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate, bootstrap_many, corrected_mean, delong
from lib.evaluation.metrics import Metric, scorers
from lib.evaluation.quick_metrics import make_quick
from lib.performance.held_out import Floats, HeldOut
from lib.resampling import Folds

CONSISTENT = "consistent with cross-validation"
LOWER = "lower than cross-validation promised"
HIGHER = "higher than cross-validation promised"
UNKNOWN = "the test score has no interval to compare by"


def score_held_out(
    held: HeldOut, *, n_resamples: int, random_state: int, level: float = 0.95
) -> dict[str, Estimate]:
    """Return every metric of the task with its interval.

    Parameters
    ----------
    held : HeldOut
        Predictions of rows not learned from.
    n_resamples : int
        Of the bootstrap.
    random_state : int
        Seed of the draws.
    level : float
        Coverage aimed at.

    Returns
    -------
    dict of str to Estimate
        By metric, the default one first. DeLong for the AUC of single rows without weights; BCa
        bootstrap otherwise, of whole groups where rows belong together. A metric without value, or
        with one on less than half of the resamples, or with the same one on all (a perfect score),
        has no interval.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(300)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> scores = score_held_out(held, n_resamples=100, random_state=0)
    >>> scores["roc_auc"].method, scores["f1"].method
    ('DeLong', 'BCa bootstrap')
    """
    metrics = list(scorers(held.task).values())
    made = dict(
        zip(
            (m.name for m in metrics),
            _resampled(held, metrics, n_resamples, random_state, level),
            strict=True,
        )
    )
    if "roc_auc" in made and held.weight is None and not held.is_grouped:
        counts = np.bincount(held.y, minlength=2)
        if counts.min() >= 2:
            made["roc_auc"] = delong(held.y, held.positive, level=level)
    return {name: _open_where_constant(estimate) for name, estimate in made.items()}


def _open_where_constant(estimate: Estimate) -> Estimate:
    """Return a score without its interval where no resample differs: it would claim certainty."""
    if estimate.low < estimate.high:
        return estimate
    return Estimate(estimate.value, level=estimate.level, n=estimate.n)


def _resampled(
    held: HeldOut, metrics: Sequence[Metric], n_resamples: int, random_state: int, level: float
) -> list[Estimate]:
    weight = held.weight
    quick = [make_quick(metric) for metric in metrics]
    arrays = [held.y, held.prediction, *([] if weight is None else [weight])]

    def compute(y: Floats, prediction: Floats, *rest: Floats) -> list[float]:
        given = rest[0] if rest else None
        return [metric.compute(y, prediction, given) for metric in quick]

    if np.max(held.owner, initial=0) < 1:  # one row, or one group: nothing to draw
        return [Estimate(value, level=level) for value in compute(*arrays)]
    return bootstrap_many(
        compute,
        *arrays,
        n_resamples=n_resamples,
        random_state=random_state,
        groups=held.groups,
        level=level,
    )


def score_folds(
    parts: Floats, dataset: Dataset, folds: Folds, *, level: float = 0.95
) -> dict[str, Estimate]:
    """Return every metric over the folds of a cross-validation, with the corrected interval.

    Parameters
    ----------
    parts : ndarray
        Predictions of the test rows of every fold, one fold after another.
    dataset : Dataset
        The rows that the folds divide.
    folds : Folds
        Likewise.
    level : float
        Coverage aimed at.

    Returns
    -------
    dict of str to Estimate
        By metric; NaN where no fold has a value.
    """
    held = HeldOut(dataset, parts)
    y, weight, start = held.y, held.weight, 0
    values: dict[str, list[float]] = {name: [] for name in scorers(held.task)}
    for _, test in folds:
        predicted = parts[start : start + len(test)]
        start += len(test)
        if not np.isfinite(predicted).all():
            continue
        for name, metric in scorers(held.task).items():
            value = metric.compute(y[test], predicted, None if weight is None else weight[test])
            values[name] += [value] if math.isfinite(value) else []
    bounds = {name: metric.bounds for name, metric in scorers(held.task).items()}
    return {
        name: corrected_mean(found, folds.test_fraction, level=level, bounds=bounds[name])
        if found
        else Estimate(math.nan, level=level)
        for name, found in values.items()
    }


def subtract(first: Estimate, second: Estimate) -> Estimate:
    """Return the difference of two independent estimates, its interval from theirs [1]_.

    Parameters
    ----------
    first, second : Estimate
        From rows that have nothing to do with each other, at the same level.

    Returns
    -------
    Estimate
        First minus second; no interval where one of them has none.

    References
    ----------
    .. [1] G. Zou, A. Donner (2008). Construction of confidence limits about effect measures.
       Statistics in Medicine 27:1693 ("MOVER").

    Examples
    --------
    >>> print(subtract(Estimate(0.8, 0.77, 0.83), Estimate(0.7, 0.66, 0.74)))
    0.100 [0.050, 0.150]
    """
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - below, value + above, first.level, "MOVER")


def judge_promise(test: Estimate, promised: Estimate) -> str:
    """Return in words what the test set says of the cross-validated score.

    Examples
    --------
    >>> judge_promise(Estimate(0.70, 0.68, 0.72), Estimate(0.78, 0.76, 0.80))
    'lower than cross-validation promised'
    """
    difference = subtract(test, promised)
    if not difference.has_interval:
        return UNKNOWN
    if difference.high < 0:
        return LOWER
    return HIGHER if difference.low > 0 else CONSISTENT


def tabulate_test_scores(
    test: dict[str, Estimate], promised: dict[str, Estimate], *, task: str
) -> pd.DataFrame:
    """Return the scores on the test set beside the cross-validated ones.

    Parameters
    ----------
    test, promised : dict of str to Estimate
        From `score_held_out` and `score_folds`.
    task : str
        Kind of target.

    Returns
    -------
    DataFrame
        metric (label), test, cross_validated, difference (Estimates), interval (how that of the
        test score was made); the deciding metric first.

    Raises
    ------
    InputError
        When the metrics are not those of the task.
    """
    known = scorers(task)
    if set(test) != set(known):
        raise InputError(f"Scores of a {task} task are {', '.join(known)}; got {', '.join(test)}.")
    rows = [
        (
            metric.label,
            test[name],
            promised[name],
            subtract(test[name], promised[name]),
            test[name].method if test[name].has_interval else "none: resamples do not vary",
        )
        for name, metric in known.items()
    ]
    columns = ["metric", "test", "cross_validated", "difference", "interval"]
    return pd.DataFrame(rows, columns=columns)
