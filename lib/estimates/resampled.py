"""Bootstrap intervals of any statistic, of rows or of whole groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from lib.errors import InputError
from lib.estimates.estimate import Estimate, Floats, Numbers

MAX_JACKKNIFE = 500  # blocks of the jackknife behind BCa: it costs one evaluation a block


def bootstrap(
    statistic: Callable[..., float],
    *arrays: Numbers,
    n_resamples: int,
    random_state: int,
    groups: Numbers | None = None,
    method: Literal["bca", "percentile"] = "bca",
    level: float = 0.95,
) -> Estimate:
    """Return a statistic with its bootstrap interval; whole groups are drawn when given [1]_.

    Parameters
    ----------
    statistic : callable
        Takes the arrays, resampled together, and returns one number. A resample on which it
        is NaN (an AUC without positives) does not count.
    *arrays : array-like of shape (n_rows, ...)
        What is resampled, row by row in step.
    n_resamples : int
        How many resamples are drawn.
    random_state : int
        Seed of the draws.
    groups : array-like of shape (n_rows,), optional
        Rows of one group are drawn together (cluster bootstrap): use it whenever rows repeat
        persons, or intervals come out too short.
    method : {"bca", "percentile"}
        BCa corrects bias and skewness. Its jackknife leaves out at most 500 blocks of units,
        which bounds its cost on large tables.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        `n` is the number of resamples that counted.

    Raises
    ------
    InputError
        When lengths differ, fewer than two units exist, or most resamples are undefined.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani (1993). An Introduction to the Bootstrap, chapter 14.

    Examples
    --------
    >>> estimate = bootstrap(np.mean, np.arange(101), n_resamples=500, random_state=0)
    >>> estimate.value, estimate.covers(50.0)
    (50.0, True)
    """
    columns = [np.asarray(array) for array in arrays]
    units = _units(columns, groups)
    rng = np.random.default_rng(random_state)

    def evaluate(rows: npt.NDArray[np.intp]) -> float:
        return float(statistic(*(column[rows] for column in columns)))

    n_units = len(units)
    draws = (rng.integers(n_units, size=n_units) for _ in range(n_resamples))
    resampled = np.array([evaluate(_rows_of(units, draw)) for draw in draws])
    resampled = resampled[~np.isnan(resampled)]
    if len(resampled) < n_resamples / 2:
        msg = (
            f"The statistic must be defined on most resamples; it was on {len(resampled)} of "
            f"{n_resamples}. Use more rows or another statistic."
        )
        raise InputError(msg)
    value = float(statistic(*columns))
    quantiles = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        quantiles = _bca_quantiles(resampled, value, _jackknife(evaluate, units), quantiles)
    low, high = np.quantile(resampled, quantiles)
    drawn = "bootstrap of groups" if groups is not None else "bootstrap"
    name = {"bca": "BCa", "percentile": "percentile"}[method]
    return Estimate(value, float(low), float(high), level, f"{name} {drawn}", len(resampled))


def _units(columns: list[npt.NDArray[Any]], groups: Numbers | None) -> list[npt.NDArray[np.intp]]:
    lengths = {len(column) for column in columns}
    if groups is not None:
        lengths.add(len(np.asarray(groups)))
    if len(lengths) != 1:
        msg = f"Arrays to resample must have one length; got {sorted(lengths)}."
        raise InputError(msg)
    rows = np.arange(lengths.pop())
    if groups is None:
        units = list(rows[:, np.newaxis])
    else:
        _, codes = np.unique(np.asarray(groups), return_inverse=True)
        ends = np.cumsum(np.bincount(codes))[:-1]
        units = np.split(np.argsort(codes, kind="stable"), ends)
    if len(units) < 2:
        msg = f"A bootstrap needs at least two units to draw; got {len(units)}."
        raise InputError(msg)
    return units


def _rows_of(
    units: list[npt.NDArray[np.intp]], drawn: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    rows: npt.NDArray[np.intp] = np.concatenate([units[i] for i in drawn])
    return rows


def _jackknife(
    evaluate: Callable[[npt.NDArray[np.intp]], float], units: list[npt.NDArray[np.intp]]
) -> Floats:
    """Return the statistic without each unit, or without each block of units if many."""
    everything = np.arange(len(units))
    blocks = np.array_split(everything, min(len(units), MAX_JACKKNIFE))
    kept = (np.concatenate([everything[: b[0]], everything[b[-1] + 1 :]]) for b in blocks)
    values = np.array([evaluate(_rows_of(units, k)) for k in kept])
    kept_values: Floats = values[~np.isnan(values)]
    return kept_values


def _bca_quantiles(resampled: Floats, value: float, jackknife: Floats, plain: Floats) -> Floats:
    """Return where BCa reads the bootstrap distribution instead of at the plain quantiles."""
    below = (np.mean(resampled < value) + np.mean(resampled <= value)) / 2
    if below in {0.0, 1.0}:  # all resamples on one side: no correction is defined
        return plain
    bias = stats.norm.ppf(below)
    pull = jackknife.mean() - jackknife
    spread = float(np.sum(pull**2))
    acceleration = float(np.sum(pull**3)) / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + stats.norm.ppf(plain)
    return np.asarray(stats.norm.cdf(bias + shifted / (1 - acceleration * shifted)))
