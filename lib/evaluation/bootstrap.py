"""Efron and Tibshirani's .632 and .632+: training and out-of-bag errors weighed together.

A bootstrap sample holds 0.632 of the rows, so the error on the others is too high; the error on
the training rows is too low. The .632 rule weighs them; .632+ moves the weight towards the
out-of-bag error the more a model overfits, measured against the error it would have if features
and target had nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib.errors import InputError
from lib.evaluation.metrics import Array, Metric

Floats = npt.NDArray[np.float64]
IN_SAMPLE = 1 - np.exp(-1)  # 0.632: the chance of a row to be drawn
TINY = np.finfo(np.float64).eps  # as scikit-learn's log loss, so that a certain miss is finite


@dataclass(frozen=True)
class BootstrapErrors:
    """What a bootstrap saw, as errors: lower is better.

    Attributes
    ----------
    training : float
        Of the model on the rows that it was fitted on.
    out_of_bag : float
        Of models of bootstrap samples on the rows not drawn.
    no_information : float
        Expected if target and features were independent; NaN where the metric defines none.
    """

    training: float
    out_of_bag: float
    no_information: float

    @property
    def overfitting(self) -> float:
        """The relative overfitting rate: 0 for none, 1 for a model that learned nothing else."""
        raised = min(self.out_of_bag, self.no_information)
        room = self.no_information - self.training
        return (raised - self.training) / room if raised > self.training and room > 0 else 0.0

    @property
    def rule_632(self) -> float:
        """The .632 estimate."""
        return float((1 - IN_SAMPLE) * self.training + IN_SAMPLE * self.out_of_bag)

    @property
    def rule_632_plus(self) -> float:
        """The .632+ estimate [1]_; NaN without a no-information error.

        References
        ----------
        .. [1] B. Efron, R. Tibshirani (1997). Improvements on cross-validation: the .632+
           bootstrap method. JASA 92:548, formulas 29 to 32.
        """
        if np.isnan(self.no_information):
            return float("nan")
        raised = min(self.out_of_bag, self.no_information)
        rate = self.overfitting
        pull = (1 - IN_SAMPLE) * IN_SAMPLE * rate / (1 - (1 - IN_SAMPLE) * rate)
        own = (1 - IN_SAMPLE) * self.training + IN_SAMPLE * raised
        return float(own + (raised - self.training) * pull)


def measure_bootstrap(
    metric: Metric,
    y: Array,
    fitted: Array,
    out_of_bag: Iterable[tuple[Array, Array]],
    *,
    weight: Array | None = None,
) -> BootstrapErrors:
    """Return the errors of a metric from predictions of training rows and of rows not drawn.

    Metrics that are means of losses of rows (accuracy, log loss, Brier, absolute and squared
    errors, and R² through the latter) average a row's loss over the samples without it, and their
    no-information error is the mean loss over all pairs of a target and a prediction: exact. The
    AUC and balanced accuracy are no means of rows: they average over samples, and score 1/2, or
    one over the classes, without information [1]_. Other metrics (F1, average precision, median
    error) define none, as it depends on how a model would guess.

    Parameters
    ----------
    metric : Metric
        Of the task.
    y : ndarray of shape (n,)
        Targets.
    fitted : ndarray of shape (n,) or (n, n_classes)
        Predictions of the model that was fitted on all rows.
    out_of_bag : iterable of (ndarray, ndarray)
        For each sample the positions not drawn and their predictions.
    weight : ndarray of shape (n,), optional
        Of rows.

    Returns
    -------
    BootstrapErrors
        `score_of` turns them into scores.

    Raises
    ------
    InputError
        When no sample has a value.

    References
    ----------
    .. [1] B. Sahiner, H. Chan, L. Hadjiiski (2008). Classifier performance prediction for
       computer-aided diagnosis using a limited dataset. Medical Physics 35:1559.

    Examples
    --------
    A model that knows its rows by heart and nothing else, on balanced classes:

    >>> from lib.evaluation import scorers
    >>> y, accuracy = np.array([0, 1, 0, 1]), scorers("multiclass")["accuracy"]
    >>> missed = [(np.arange(4), np.eye(2)[[0, 0, 1, 1]])]
    >>> errors = measure_bootstrap(accuracy, y, np.eye(2)[y], missed)
    >>> errors.training, errors.out_of_bag, errors.no_information, errors.rule_632_plus
    (0.0, 0.5, 0.5, 0.5)
    """
    parts = list(out_of_bag)
    if metric.name in LOSSES:
        loss = LOSSES[metric.name]
        total, count = np.zeros(len(y)), np.zeros(len(y))
        for rows, prediction in parts:
            total[rows] += loss(y[rows], prediction)
            count[rows] += 1
        seen = count > 0
        if not seen.any():
            raise InputError("A bootstrap needs rows that were not drawn; got none.")
        weights = None if weight is None else weight[seen]
        left_out = float(np.average(total[seen] / count[seen], weights=weights))
        training = float(np.average(loss(y, fitted), weights=weight))
        return BootstrapErrors(training, left_out, no_information(metric, y, fitted, weight))
    scores = [
        metric.compute(y[rows], prediction, None if weight is None else weight[rows])
        for rows, prediction in parts
    ]
    finite = np.array([score for score in scores if np.isfinite(score)])
    if not len(finite):
        raise InputError(f"{metric.label} has no value on any of {len(parts)} bootstrap samples.")
    training = 1 - metric.compute(y, fitted, weight)
    unknown = no_information(metric, y, fitted, weight)
    return BootstrapErrors(training, 1 - float(finite.mean()), unknown)


def no_information(
    metric: Metric, y: Array, prediction: Array, weight: Array | None = None
) -> float:
    """Return the error that a metric expects when predictions meet targets at random.

    Parameters
    ----------
    metric : Metric
        Of the task.
    y : ndarray of shape (n,)
        Targets.
    prediction : ndarray of shape (n,) or (n, n_classes)
        Probabilities, or values.
    weight : ndarray of shape (n,), optional
        Of rows.

    Returns
    -------
    float
        The mean loss over all n² pairs, without making them; NaN where none is defined.

    Examples
    --------
    >>> from lib.evaluation import scorers
    >>> y, predicted = np.array([0.0, 2.0]), np.array([1.0, 1.0])
    >>> no_information(scorers("regression")["neg_mean_absolute_error"], y, predicted)
    1.0
    """
    w = np.full(len(y), 1 / len(y)) if weight is None else weight / weight.sum()
    if metric.name in {"roc_auc", "roc_auc_ovr_weighted"}:
        return 0.5
    if metric.name == "balanced_accuracy":
        return 1 - 1 / len(np.unique(y))
    if metric.name == "neg_mean_absolute_error":
        return _mean_absolute_of_pairs(y.astype(float), prediction.astype(float), w)
    if metric.name in {"r2", "neg_root_mean_squared_error"}:
        return float(w @ y**2 - 2 * (w @ y) * (w @ prediction) + w @ prediction**2)
    if metric.name in LOSSES:  # of classes: each class in its share against all predictions
        loss = LOSSES[metric.name]
        share = np.bincount(y, weights=w)
        return float(
            sum(
                share[k] * (w @ loss(np.full(len(y), k), prediction)) for k in np.flatnonzero(share)
            )
        )
    return float("nan")


def score_of(metric: Metric, error: float, y: Array, weight: Array | None = None) -> float:
    """Return the score that an error of `measure_bootstrap` stands for.

    Examples
    --------
    >>> from lib.evaluation import scorers
    >>> score_of(scorers("regression")["r2"], 0.25, np.array([0.0, 2.0]))
    0.75
    """
    if metric.name == "r2":
        mean = np.average(y, weights=weight)
        spread = float(np.average((y - mean) ** 2, weights=weight))
        return 1 - error / spread if spread > 0 else float("nan")
    if metric.name == "neg_root_mean_squared_error":
        return -float(np.sqrt(error))
    return -error if metric.name.startswith("neg_") else 1 - error


def _zero_one(y: Array, proba: Array) -> Floats:
    return np.asarray(proba.argmax(axis=1) != y, dtype=float)


def _log_loss(y: Array, proba: Array) -> Floats:
    return np.asarray(-np.log(np.clip(proba[np.arange(len(y)), y], TINY, 1.0)), dtype=float)


def _brier(y: Array, proba: Array) -> Floats:
    return np.asarray((proba[:, 1] - y) ** 2, dtype=float)


def _squared(y: Array, predicted: Array) -> Floats:
    return np.asarray((predicted - y) ** 2, dtype=float)


def _absolute(y: Array, predicted: Array) -> Floats:
    return np.asarray(np.abs(predicted - y), dtype=float)


LOSSES: dict[str, Callable[[Array, Array], Floats]] = {
    "accuracy": _zero_one,
    "neg_log_loss": _log_loss,
    "neg_brier_score": _brier,
    "r2": _squared,
    "neg_root_mean_squared_error": _squared,
    "neg_mean_absolute_error": _absolute,
}


def _mean_absolute_of_pairs(y: Floats, predicted: Floats, w: Floats) -> float:
    """Return the mean of |y_i - p_j| over all pairs from running sums of the sorted targets."""
    order = np.argsort(y, kind="stable")
    ordered, share = y[order], w[order]
    below = np.r_[0.0, np.cumsum(share)]
    sums = np.r_[0.0, np.cumsum(share * ordered)]
    place = np.searchsorted(ordered, predicted)
    total = predicted * (2 * below[place] - below[-1]) - 2 * sums[place] + sums[-1]
    return float(w @ total)
