"""Little's test that values are missing completely at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from lib.errors import InputError

Floats = npt.NDArray[np.float64]
MAX_ITERATIONS = 500
TOLERANCE = 1e-6
RIDGE = 1e-8  # of a standardised column: keeps nearly dependent columns solvable


@dataclass(frozen=True)
class Little:
    """The answer of Little's test.

    Attributes
    ----------
    statistic : float
        d², about χ² when values are missing completely at random.
    degrees : int
    p_value : float
    n_patterns : int
        Combinations of missing columns, the complete one included.
    """

    statistic: float
    degrees: int
    p_value: float
    n_patterns: int


def little_mcar(X: npt.ArrayLike) -> Little:
    """Test that gaps fall independently of all values, observed or not [1]_.

    Compares the means of the observed values of every pattern of gaps with the means that one
    normal distribution, estimated from all rows by expectation maximisation, gives all patterns.
    Robust to moderate departures from normality when patterns are not tiny; give ranks as normal
    scores when tails are heavy.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_columns)
        Numbers; NaN is missing. Rows without any value say nothing and are left out.

    Returns
    -------
    Little
        p is NaN when there is only one pattern.

    Raises
    ------
    InputError
        When `X` is no table of numbers.

    References
    ----------
    .. [1] R. Little (1988). A Test of Missing Completely at Random for Multivariate Data with
       Missing Values. JASA 83:1198.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> random = np.where(rng.random((400, 1)) < [0, 0.3], np.nan, X)
    >>> little_mcar(random).p_value > 0.05
    True
    >>> dependent = np.where((X[:, [0]] > 0.5) & [False, True], np.nan, X)
    >>> little_mcar(dependent).p_value < 1e-6
    True
    """
    values = np.asarray(X, dtype=float)
    if values.ndim != 2:
        msg = f"Expected a table of numbers, got {values.ndim} dimensions: pass rows × columns."
        raise InputError(msg)
    known = ~np.isnan(values)
    keep = known.any(axis=1)
    values, known = values[keep], known[keep]
    usable = known.sum(axis=0) > 1
    spread = np.nanstd(values[:, usable], axis=0)
    values, known = values[:, usable][:, spread > 0], known[:, usable][:, spread > 0]
    values = (values - np.nanmean(values, axis=0)) / spread[spread > 0]
    patterns = _patterns(values, known)
    mean, covariance = _maximum_likelihood(patterns, values.shape[1], len(values))
    statistic, degrees = 0.0, -values.shape[1]
    for pattern in patterns:
        o = pattern.observed
        gap = pattern.values.mean(axis=0) - mean[o]
        solved = np.linalg.solve(covariance[np.ix_(o, o)], gap)
        statistic += len(pattern.values) * float(gap @ solved)
        degrees += len(o)
    p_value = float(stats.chi2.sf(statistic, degrees)) if degrees > 0 else float("nan")
    return Little(statistic, degrees, p_value, len(patterns))


@dataclass(frozen=True)
class _Pattern:
    """Rows that lack the same columns: which they have, and the values they have."""

    observed: npt.NDArray[np.int64]
    missing: npt.NDArray[np.int64]
    values: Floats
    products: Floats  # sum of outer products of the observed values


def _patterns(values: Floats, known: npt.NDArray[np.bool_]) -> list[_Pattern]:
    kinds, which = np.unique(known, axis=0, return_inverse=True)
    which = which.ravel()
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(kinds)))
    patterns = []
    for kind, rows in zip(kinds, np.split(order, ends[:-1]), strict=True):
        observed, missing = np.flatnonzero(kind), np.flatnonzero(~kind)
        seen = values[np.ix_(rows, observed)]
        if len(observed):
            patterns.append(_Pattern(observed, missing, seen, seen.T @ seen))
    return patterns


def _maximum_likelihood(
    patterns: list[_Pattern], n_columns: int, n_rows: int
) -> tuple[Floats, Floats]:
    """Return mean and covariance of a normal distribution, by expectation maximisation."""
    mean, covariance = np.zeros(n_columns), np.eye(n_columns)
    for _ in range(MAX_ITERATIONS):
        sums, products = np.zeros(n_columns), np.zeros((n_columns, n_columns))
        for pattern in patterns:
            _expect(pattern, mean, covariance, sums, products)
        new_mean = sums / n_rows
        new_covariance = products / n_rows - np.outer(new_mean, new_mean)
        new_covariance += RIDGE * np.eye(n_columns)
        change = max(np.abs(new_mean - mean).max(), np.abs(new_covariance - covariance).max())
        mean, covariance = new_mean, new_covariance
        if change < TOLERANCE:
            break
    return mean, covariance


def _expect(
    pattern: _Pattern, mean: Floats, covariance: Floats, sums: Floats, products: Floats
) -> None:
    """Add the expected sums and products of the rows of one pattern, in place."""
    o, m, n = pattern.observed, pattern.missing, len(pattern.values)
    total = pattern.values.sum(axis=0)
    sums[o] += total
    products[np.ix_(o, o)] += pattern.products
    if not len(m):
        return
    slope = np.linalg.solve(covariance[np.ix_(o, o)], covariance[np.ix_(o, m)])  # (o, m)
    start = mean[m] - mean[o] @ slope
    rest = covariance[np.ix_(m, m)] - covariance[np.ix_(m, o)] @ slope
    sums[m] += n * start + total @ slope
    cross = pattern.products @ slope + np.outer(total, start)
    products[np.ix_(o, m)] += cross
    products[np.ix_(m, o)] += cross.T
    fitted = total @ slope
    products[np.ix_(m, m)] += (
        slope.T @ pattern.products @ slope
        + np.outer(fitted, start)
        + np.outer(start, fitted)
        + n * np.outer(start, start)
        + n * rest
    )
