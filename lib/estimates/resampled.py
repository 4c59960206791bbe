"""Bootstrap intervals of any statistic, of rows or of whole groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from lib.errors import InputError
from lib.estimates.estimate import Estimate, Floats, Numbers
from lib.estimates.units import Units, draw_units, make_units

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
    (estimate,) = bootstrap_many(
        lambda *drawn: [statistic(*drawn)],
        *arrays,
        n_resamples=n_resamples,
        random_state=random_state,
        groups=groups,
        method=method,
        level=level,
    )
    if not estimate.has_interval:
        msg = (
            f"The statistic must be defined on most resamples; it was on {estimate.n} of "
            f"{n_resamples}. Use more rows or another statistic."
        )
        raise InputError(msg)
    return estimate


def bootstrap_many(
    statistics: Callable[..., Numbers],
    *arrays: Numbers,
    n_resamples: int,
    random_state: int,
    groups: Numbers | None = None,
    method: Literal["bca", "percentile"] = "bca",
    level: float = 0.95,
) -> list[Estimate]:
    """Return several statistics with their intervals, all from the same resamples.

    Parameters
    ----------
    statistics : callable
        Takes the arrays, resampled together, and returns numbers, always as many.
    *arrays, n_resamples, random_state, groups, method, level
        As for `bootstrap`.

    Returns
    -------
    list of Estimate
        In the order of the numbers; one that is NaN on more than half of the resamples, or on the
        rows themselves, has no interval.

    Raises
    ------
    InputError
        When lengths differ or fewer than two units exist.

    Examples
    --------
    >>> means = bootstrap_many(
    ...     lambda x: [x.mean(), x.max()], np.arange(101.0), n_resamples=200, random_state=0
    ... )
    >>> [estimate.value for estimate in means]
    [50.0, 100.0]
    """
    columns = [np.asarray(array) for array in arrays]
    units = _units(columns, groups)

    def evaluate(rows: npt.NDArray[np.intp]) -> Floats:
        return np.asarray(statistics(*(column[rows] for column in columns)), dtype=float)

    draws = draw_units(len(units), n_resamples, random_state=random_state)
    resampled = np.array([evaluate(units.rows_of(draw)) for draw in draws])
    jackknife = _jackknife(evaluate, units) if method == "bca" else np.empty((0, 0))
    plain = np.array([(1 - level) / 2, (1 + level) / 2])
    drawn = "bootstrap of groups" if groups is not None else "bootstrap"
    name = f"{ {'bca': 'BCa', 'percentile': 'percentile'}[method] } {drawn}"
    made = []
    for i, value in enumerate(np.asarray(statistics(*columns), dtype=float).tolist()):
        own = resampled[~np.isnan(resampled[:, i]), i]
        if len(own) < n_resamples / 2 or np.isnan(value):
            made.append(Estimate(value, level=level, method=name, n=len(own)))
            continue
        quantiles = plain
        if method == "bca":
            without = jackknife[~np.isnan(jackknife[:, i]), i]
            quantiles = _bca_quantiles(own, value, without, plain)
        low, high = np.quantile(own, quantiles)
        made.append(Estimate(value, float(low), float(high), level, name, len(own)))
    return made


def _units(columns: list[npt.NDArray[Any]], groups: Numbers | None) -> Units:
    lengths = {len(column) for column in columns}
    if groups is not None:
        lengths.add(len(np.asarray(groups)))
    if len(lengths) != 1:
        msg = f"Arrays to resample must have one length; got {sorted(lengths)}."
        raise InputError(msg)
    units = make_units(np.arange(lengths.pop()) if groups is None else groups)
    if len(units) < 2:
        msg = f"A bootstrap needs at least two units to draw; got {len(units)}."
        raise InputError(msg)
    return units


def _jackknife(evaluate: Callable[[npt.NDArray[np.intp]], Floats], units: Units) -> Floats:
    """Return the statistics without each unit, or without each block of units if many."""
    everything = np.arange(len(units))
    blocks = np.array_split(everything, min(len(units), MAX_JACKKNIFE))
    kept = (np.concatenate([everything[: b[0]], everything[b[-1] + 1 :]]) for b in blocks)
    return np.array([evaluate(units.rows_of(k)) for k in kept])


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
