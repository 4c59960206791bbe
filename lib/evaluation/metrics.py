"""What a score is: the metrics of each task, all signed so that higher is better."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import metrics

from lib.errors import InputError, suggest

Array = npt.NDArray[Any]
Compute = Callable[[Array, Array, Array | None], float]
NEGATED = (-math.inf, 0.0)  # bounds of an error with its sign turned


@dataclass(frozen=True)
class Metric:
    """A metric: its scikit-learn scorer name, its words, and how it is computed.

    Attributes
    ----------
    name : str
        As in `sklearn.metrics.get_scorer`; "neg_" marks an error turned round.
    label : str
        For tables, with the unit.
    rewards : str
        What a model must do to score high.
    compute : callable
        Takes y_true, the prediction (probabilities of shape (n_rows, n_classes), or values of
        shape (n_rows,)) and sample weights or None; NaN where it is undefined.
    bounds : tuple of float
        Lowest and highest possible score.
    """

    name: str
    label: str
    rewards: str
    compute: Compute
    bounds: tuple[float, float] = (0.0, 1.0)


def default_scoring(task: str) -> str:
    """Return the metric that ranks models of a task unless a study says otherwise.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.

    Returns
    -------
    str
        Area under the ROC curve, negated log loss, or R²: each rewards good probabilities or
        small errors, none needs a threshold.

    Examples
    --------
    >>> default_scoring("binary")
    'roc_auc'
    """
    return next(iter(scorers(task)))


def scorers(task: str) -> dict[str, Metric]:
    """Return the metrics of a task by name, the default one first.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.

    Returns
    -------
    dict of str to Metric
        Higher is better for each.

    Raises
    ------
    InputError
        When the task is unknown.

    Examples
    --------
    >>> list(scorers("regression"))[:2]
    ['r2', 'neg_root_mean_squared_error']
    """
    if task not in METRICS:
        msg = f"A task is one of {', '.join(METRICS)}; got '{task}'.{suggest(task, METRICS)}"
        raise InputError(msg)
    return {metric.name: metric for metric in METRICS[task]}


def check_scoring(task: str, scoring: str | None) -> str:
    """Return the name of a metric of the task; the default one for None.

    Raises
    ------
    InputError
        When the task has no such metric.

    Examples
    --------
    >>> check_scoring("binary", None)
    'roc_auc'
    """
    known = scorers(task)
    if scoring is None:
        return default_scoring(task)
    if scoring not in known:
        msg = f"A {task} task is scored by {', '.join(known)}; got '{scoring}'."
        raise InputError(msg + suggest(scoring, known))
    return scoring


def describe_metrics(task: str) -> pd.DataFrame:
    """Return a table of the metrics of a task: metric, label, rewards.

    Examples
    --------
    >>> describe_metrics("binary").columns.tolist()
    ['metric', 'label', 'rewards']
    """
    rows = [(metric.name, metric.label, metric.rewards) for metric in scorers(task).values()]
    return pd.DataFrame(rows, columns=["metric", "label", "rewards"])


def _roc_auc(y: Array, proba: Array, weight: Array | None) -> float:
    if len(np.unique(y)) < 2:
        return float("nan")
    return float(metrics.roc_auc_score(y, proba[:, 1], sample_weight=weight))


def _roc_auc_ovr_weighted(y: Array, proba: Array, weight: Array | None) -> float:
    """Average over the classes that the rows hold, so that a rare class absent does not void it."""
    present, counts = np.unique(y, return_counts=True)
    if len(present) < 2:
        return float("nan")
    areas = [metrics.roc_auc_score(y == k, proba[:, k], sample_weight=weight) for k in present]
    return float(np.average(areas, weights=counts))


def _average_precision(y: Array, proba: Array, weight: Array | None) -> float:
    if not np.any(y == 1):
        return float("nan")
    return float(metrics.average_precision_score(y, proba[:, 1], sample_weight=weight))


def _neg_log_loss(y: Array, proba: Array, weight: Array | None) -> float:
    if not (np.isfinite(proba).all() and proba.min() >= 0 and proba.max() <= 1):
        labels = np.arange(proba.shape[1])
        return -float(metrics.log_loss(y, proba, labels=labels, sample_weight=weight))  # says what
    least = np.finfo(proba.dtype).eps  # as in scikit-learn, which takes ten times longer
    given = np.clip(proba[np.arange(len(y)), np.asarray(y, dtype=np.intp)], least, 1 - least)
    return -float(np.average(-np.log(given), weights=weight))


def _neg_brier_score(y: Array, proba: Array, weight: Array | None) -> float:
    return -float(np.average((proba[:, 1] - y) ** 2, weights=weight))


def _balanced_accuracy(y: Array, proba: Array, weight: Array | None) -> float:
    chosen = proba.argmax(axis=1)
    present = np.unique(y)
    recalls = metrics.recall_score(
        y, chosen, labels=present, average=None, sample_weight=weight, zero_division=0
    )
    return float(np.mean(recalls))


def _accuracy(y: Array, proba: Array, weight: Array | None) -> float:
    return float(metrics.accuracy_score(y, proba.argmax(axis=1), sample_weight=weight))


def _f1(y: Array, proba: Array, weight: Array | None) -> float:
    chosen = proba.argmax(axis=1)
    return float(metrics.f1_score(y, chosen, sample_weight=weight, zero_division=0))


def _f1_macro(y: Array, proba: Array, weight: Array | None) -> float:
    chosen = proba.argmax(axis=1)
    return float(
        metrics.f1_score(y, chosen, average="macro", sample_weight=weight, zero_division=0)
    )


def _r2(y: Array, predicted: Array, weight: Array | None) -> float:
    if len(y) < 2 or np.ptp(y) == 0:
        return float("nan")
    return float(metrics.r2_score(y, predicted, sample_weight=weight))


def _negated(error: Callable[..., float]) -> Compute:
    def compute(y: Array, predicted: Array, weight: Array | None) -> float:
        return -float(error(y, predicted, sample_weight=weight))

    return compute


_LOG_LOSS = Metric(
    "neg_log_loss", "negated log loss in nats", "honest probabilities", _neg_log_loss, NEGATED
)
_BALANCED = Metric(
    "balanced_accuracy",
    "balanced accuracy",
    "the most likely class right, every class counting alike",
    _balanced_accuracy,
)

METRICS: dict[str, tuple[Metric, ...]] = {
    "binary": (
        Metric("roc_auc", "ROC AUC", "positives ranked above negatives", _roc_auc),
        Metric(
            "average_precision",
            "average precision",
            "positives at the top of the ranking",
            _average_precision,
        ),
        _LOG_LOSS,
        Metric(
            "neg_brier_score",
            "negated Brier score",
            "honest probabilities",
            _neg_brier_score,
            (-1.0, 0.0),
        ),
        _BALANCED,
        Metric("f1", "F1", "positives found and few false alarms, at one half", _f1),
    ),
    "multiclass": (
        _LOG_LOSS,
        Metric(
            "roc_auc_ovr_weighted",
            "ROC AUC, one class against the rest",
            "each class ranked above the others",
            _roc_auc_ovr_weighted,
        ),
        _BALANCED,
        Metric("accuracy", "accuracy", "the most likely class right", _accuracy),
        Metric("f1_macro", "F1, mean of the classes", "each class found cleanly", _f1_macro),
    ),
    "regression": (
        Metric(
            "r2", "R²", "small squared errors, against predicting the mean", _r2, (-math.inf, 1.0)
        ),
        Metric(
            "neg_root_mean_squared_error",
            "negated root mean squared error in units of the target",
            "no large errors",
            _negated(metrics.root_mean_squared_error),
            NEGATED,
        ),
        Metric(
            "neg_mean_absolute_error",
            "negated mean absolute error in units of the target",
            "small errors, each by its size",
            _negated(metrics.mean_absolute_error),
            NEGATED,
        ),
        Metric(
            "neg_median_absolute_error",
            "negated median absolute error in units of the target",
            "small errors on the typical row",
            _negated(metrics.median_absolute_error),
            NEGATED,
        ),
    ),
}
