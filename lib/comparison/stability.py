"""How the ranking would fall on other rows, and how much luck there is in being the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate, count_draws
from lib.estimates.estimate import Floats
from lib.evaluation import Metric, Scores, scorers

Array = npt.NDArray[Any]
Weighted = Callable[[Array], Array]
CHUNK = 8_000_000  # weights held at a time
MAX_WORK = 150_000_000  # resamples × rows × candidates; fewer resamples beyond
MAX_SLOW = 100  # resamples for a metric that has to be computed one by one
MIN_RESAMPLES = 50


@dataclass(frozen=True)
class Resampled:
    """Scores of candidates on rows drawn again, and on the rows that a draw left out.

    Attributes
    ----------
    models : tuple of str
        In the order of the columns below.
    observed : ndarray of shape (n_models,)
        Mean scores over the folds.
    inside, outside : ndarray of shape (n_resamples, n_models)
        Mean scores over the folds, of the drawn rows and of those left out (about 37 %); NaN
        where the metric has no value.
    unit : {"rows", "groups", "neighbours in time"}
        What was drawn.
    """

    models: tuple[str, ...]
    observed: Floats
    inside: Floats
    outside: Floats
    unit: str


def resample_scores(
    scores: Scores, dataset: Dataset, *, n_resamples: int, random_state: int
) -> Resampled:
    """Score all candidates again on bootstrap draws of the tested rows.

    The fitted models stay as they are: this shows what other test rows would say, not what other
    training rows would.

    Parameters
    ----------
    scores : Scores
        With `parts`, of candidates that have a prediction on every fold.
    dataset : Dataset
        The training rows; its units are drawn (groups, neighbours in time, or single rows), and
        weights count.
    n_resamples : int
        Draws; fewer on very large tables, and for metrics that have no quick form.
    random_state : int
        Seed of the draws.

    Returns
    -------
    Resampled
        Only candidates without a failed fold.

    Raises
    ------
    InputError
        When no candidate has predictions on every fold.
    """
    models = [m for m in scores.models if np.isfinite(scores.parts[m]).all()]
    if not models:
        raise InputError(
            "Ranks need a candidate with predictions on every fold; got "
            f"{', '.join(scores.models) or 'none'}, each without some. Run analysis 11 again."
        )
    metric = scorers(scores.task)[scores.scoring]
    y = dataset.y.to_numpy()
    weight = None if dataset.sample_weight is None else dataset.sample_weight.to_numpy(dtype=float)
    tests = [test for _, test in scores.folds]
    starts = np.cumsum([0, *(len(test) for test in tests)])
    made = [
        [
            make_weighted(metric, y[test], scores.parts[model][starts[i] : starts[i + 1]])
            for i, test in enumerate(tests)
        ]
        for model in models
    ]
    n_work = min(n_resamples, MAX_WORK // max(int(starts[-1]) * len(models), 1))
    n_made = max(min(n_work, n_resamples if _is_quick(metric) else MAX_SLOW), MIN_RESAMPLES)
    inside: list[Floats] = []
    outside: list[Floats] = []
    for counts in _draw(dataset, n_made, random_state):
        for kept, found in ((counts, inside), (counts == 0, outside)):
            weights = kept.astype(float) if weight is None else kept * weight
            found.append(_score(made, tests, weights))
    observed = scores.by_fold()[models].mean().to_numpy(dtype=float)
    drawn = (np.concatenate(inside), np.concatenate(outside))
    return Resampled(tuple(models), observed, *drawn, _name_unit(dataset))


def tabulate_ranks(resampled: Resampled, *, level: float = 0.95) -> pd.DataFrame:
    """Return how sure each rank is.

    Parameters
    ----------
    resampled : Resampled
        From `resample_scores`.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Best first. model; rank (Estimate: the observed one, 1 is the best, and percentiles over
        resamples); first, top_three (shares of the resamples; candidates that tie share it).
    """
    made = resampled.inside[np.isfinite(resampled.inside).all(axis=1)]
    if not len(made):
        raise InputError(
            f"The metric has no value on any of {len(resampled.inside)} draws of {resampled.unit}: "
            "use more rows or another metric."
        )
    ranks = stats.rankdata(-made, axis=1)
    observed = stats.rankdata(-resampled.observed)
    is_best = made == made.max(axis=1, keepdims=True)
    first = (is_best / is_best.sum(axis=1, keepdims=True)).mean(axis=0)
    low, high = np.quantile(ranks, [(1 - level) / 2, (1 + level) / 2], axis=0)
    method = f"percentile bootstrap of {resampled.unit}"
    rows = [
        (
            model,
            Estimate(float(observed[i]), float(low[i]), float(high[i]), level, method, len(made)),
            float(first[i]),
            float((ranks[:, i] <= 3).mean()),
        )
        for i, model in enumerate(resampled.models)
    ]
    table = pd.DataFrame(rows, columns=["model", "rank", "first", "top_three"])
    order = np.argsort(-resampled.observed, kind="stable")
    return table.iloc[order].reset_index(drop=True)


@dataclass(frozen=True)
class Correction:
    """The best score, with and without the luck of having been chosen.

    Attributes
    ----------
    naive : float
        The highest mean score.
    corrected : Estimate
        What the chosen candidate is expected to score on rows that did not choose it.
    optimism : float
        The difference.
    """

    naive: float
    corrected: Estimate
    optimism: float


def correct_optimism(resampled: Resampled, *, level: float = 0.95) -> Correction:
    """Return the score of the best of many, freed from the winner's curse [1]_.

    The maximum of noisy scores is too high. Each draw of rows chooses its own winner, which is
    scored on the rows that the draw left out; the mean over draws has no part in the choice, and
    needs no fit.

    Parameters
    ----------
    resampled : Resampled
        From `resample_scores`.
    level : float
        Coverage of the interval (percentiles of the draws).

    Returns
    -------
    Correction
        Each draw's choice is by score alone. Some metrics, such as R², are lower on few rows for
        everybody: what candidates lose in the middle, unchosen, is given back. As a draw holds
        fewer distinct rows, it chooses a little worse than all rows do: the correction errs on the
        side of caution.

    Raises
    ------
    InputError
        When the metric has no value on the rows that draws left out.

    References
    ----------
    .. [1] I. Tsamardinos, E. Greasidou, G. Borboudakis (2018). Bootstrapping the out-of-sample
       predictions for efficient and accurate cross-validation. Machine Learning 107:1895.
    """
    is_known = np.isfinite(resampled.inside).all(axis=1) & np.isfinite(resampled.outside).all(
        axis=1
    )
    inside, outside = resampled.inside[is_known], resampled.outside[is_known]
    if not len(inside):
        raise InputError(
            f"The metric has no value on the rows that {len(resampled.outside)} draws of "
            f"{resampled.unit} left out: use more rows or another metric."
        )
    winners = inside.argmax(axis=1)
    of_few_rows = float(np.median(outside.mean(axis=0) - resampled.observed))
    won = outside[np.arange(len(outside)), winners] - of_few_rows
    low, high = np.quantile(won, [(1 - level) / 2, (1 + level) / 2])
    naive, mean = float(resampled.observed.max()), float(won.mean())
    method = f"bias-corrected bootstrap of {resampled.unit}"
    estimate = Estimate(mean, float(low), float(high), level, method, len(won))
    return Correction(naive, estimate, naive - mean)


def make_weighted(metric: Metric, y: Array, predicted: Array) -> Weighted:
    """Return a function from many sets of row weights to the metric under each.

    Sorting and losses are done once; thousands of resamples then cost a sum each.

    Parameters
    ----------
    metric : Metric
        Of `evaluation.scorers`.
    y : ndarray of shape (n_rows,)
        Codes or values.
    predicted : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Of the same rows.

    Returns
    -------
    callable
        Takes weights of shape (n_sets, n_rows), returns (n_sets,); NaN where it has no value.

    Examples
    --------
    >>> area = make_weighted(scorers("binary")["roc_auc"], np.array([0, 1, 1]),
    ...                      np.array([[0.9, 0.1], [0.8, 0.2], [0.95, 0.05]]))
    >>> area(np.array([[1.0, 1, 1], [1, 1, 0], [0, 1, 1]])).tolist()
    [0.5, 1.0, nan]
    """
    known = {"r2": _weighted_r2, "roc_auc_ovr_weighted": _weighted_ovr}
    if metric.name in known:
        return known[metric.name](y, predicted)
    if metric.name == "roc_auc":
        return _weighted_area(y == 1, predicted[:, 1])
    losses = _losses(metric.name, y, predicted)
    if losses is not None:
        is_root = metric.name == "neg_root_mean_squared_error"

        def mean(weights: Array) -> Array:
            with np.errstate(invalid="ignore", divide="ignore"):
                value = weights @ losses / weights.sum(axis=1)
            signed: Array = -np.sqrt(value) if is_root else value
            return signed

        return mean

    def slowly(weights: Array) -> Array:
        return np.array([_compute(metric, y, predicted, row) for row in weights])

    return slowly


def _is_quick(metric: Metric) -> bool:
    slow = {"average_precision", "balanced_accuracy", "f1", "f1_macro", "neg_median_absolute_error"}
    return metric.name not in slow


def _compute(metric: Metric, y: Array, predicted: Array, weights: Array) -> float:
    kept = weights > 0
    return metric.compute(y[kept], predicted[kept], weights[kept]) if kept.any() else math.nan


def _losses(name: str, y: Array, predicted: Array) -> Array | None:
    """Return what the metric is the weighted mean of, with its sign; None when it is no mean."""
    if name == "neg_log_loss":
        tiny = np.finfo(predicted.dtype).eps
        own = predicted[np.arange(len(y)), y.astype(int)]
        return np.asarray(np.log(np.clip(own, tiny, 1 - tiny)))
    if name == "neg_brier_score":
        return np.asarray(-((predicted[:, 1] - y) ** 2))
    if name == "accuracy":
        return np.asarray(predicted.argmax(axis=1) == y, dtype=float)
    if name == "neg_mean_absolute_error":
        return np.asarray(-np.abs(y - predicted))
    if name == "neg_root_mean_squared_error":
        return np.asarray((y - predicted) ** 2)
    return None


def _weighted_area(is_positive: npt.NDArray[np.bool_], score: Array) -> Weighted:
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    positive = is_positive[order].astype(float)

    def area(weights: Array) -> Array:
        ordered = weights[:, order]
        won = np.add.reduceat(ordered * positive, starts, axis=1)
        lost = np.add.reduceat(ordered * (1 - positive), starts, axis=1)
        below = np.cumsum(lost, axis=1) - lost / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            value: Array = (won * below).sum(axis=1) / (won.sum(axis=1) * lost.sum(axis=1))
        return value

    return area


def _weighted_ovr(y: Array, predicted: Array) -> Weighted:
    areas = [_weighted_area(y == k, predicted[:, k]) for k in range(predicted.shape[1])]
    belongs = np.stack([y == k for k in range(predicted.shape[1])], axis=1)

    def mean(weights: Array) -> Array:
        values = np.stack([area(weights) for area in areas], axis=1)
        shares = (weights > 0).astype(float) @ belongs * np.isfinite(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            value: Array = np.nansum(values * shares, axis=1) / shares.sum(axis=1)
        return value

    return mean


def _weighted_r2(y: Array, predicted: Array) -> Weighted:
    values = np.asarray(y, dtype=float)
    centred = values - values.mean()  # sums of squares keep their digits
    errors = (values - predicted) ** 2

    def r2(weights: Array) -> Array:
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = weights @ centred**2 - (weights @ centred) ** 2 / total
            value = 1 - weights @ errors / spread
        return np.where(spread > 1e-12 * max(float((centred**2).sum()), 1e-300), value, np.nan)

    return r2


def _name_unit(dataset: Dataset) -> str:
    if dataset.groups is not None:
        return "groups"
    return "rows" if int(dataset.units.max()) + 1 == len(dataset) else "neighbours in time"


def _draw(dataset: Dataset, n_resamples: int, random_state: int) -> Iterator[Array]:
    """Yield how often each row is drawn, for some resamples at a time."""
    codes = dataset.units
    at_a_time = max(1, CHUNK // len(dataset))
    n_units = int(codes.max()) + 1
    for counts in count_draws(n_units, n_resamples, random_state=random_state, at_a_time=at_a_time):
        yield counts[:, codes]


def _score(made: list[list[Weighted]], tests: list[npt.NDArray[np.intp]], weights: Array) -> Floats:
    """Return the mean over folds of each model under each set of weights."""
    by_fold = np.full((len(tests), len(weights), len(made)), np.nan)
    for number, test in enumerate(tests):
        own = np.ascontiguousarray(weights[:, test])
        for column, functions in enumerate(made):
            by_fold[number, :, column] = functions[number](own)
    known = np.isfinite(by_fold)
    sums = np.where(known, by_fold, 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known.any(axis=0), sums / known.sum(axis=0), np.nan)
