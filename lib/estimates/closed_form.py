"""Intervals and tests with a formula: areas under the ROC curve and proportions."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from lib.errors import InputError
from lib.estimates.estimate import Estimate, Floats, Numbers, PairedTest, ratio


def delong(y_true: Numbers, y_score: Numbers, *, level: float = 0.95) -> Estimate:
    """Return the area under the ROC curve with DeLong's interval [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        1 for positives, 0 for negatives.
    y_score : array-like of shape (n_rows,)
        Higher means more likely positive. Ties count one half.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        The interval is normal, cut at 0 and 1. Rows are taken as independent: with groups use
        `bootstrap(..., groups=...)`.

    Raises
    ------
    InputError
        When a class has fewer than two rows.

    References
    ----------
    .. [1] E. DeLong, D. DeLong, D. Clarke-Pearson (1988). Comparing the areas under two or
       more correlated receiver operating characteristic curves. Biometrics 44:837.

    Examples
    --------
    >>> print(delong([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6]))
    0.889 [0.581, 1.000]
    """
    (auc,), covariance = _auc_covariance(y_true, [y_score])
    arm = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(float(covariance[0, 0]))
    auc = float(auc)
    low, high = max(auc - arm, 0.0), min(auc + arm, 1.0)
    return Estimate(auc, low, high, level, "DeLong", len(np.asarray(y_true)))


def delong_test(
    y_true: Numbers, first: Numbers, second: Numbers, *, level: float = 0.95
) -> PairedTest:
    """Return the difference of two areas under the ROC curve on the same rows, with its test.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        1 for positives, 0 for negatives.
    first, second : array-like of shape (n_rows,)
        Scores of the two models.
    level : float
        Coverage of the interval of the difference.

    Returns
    -------
    PairedTest
        The statistic is standard normal when the areas are equal.

    Raises
    ------
    InputError
        When a class has fewer than two rows.

    Examples
    --------
    >>> y = [0, 0, 0, 1, 1, 1]
    >>> delong_test(y, [1, 2, 4, 3, 5, 6], [1, 2, 3, 4, 5, 6]).difference.value
    -0.111...
    """
    aucs, covariance = _auc_covariance(y_true, [first, second])
    difference = float(aucs[0] - aucs[1])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = math.sqrt(max(float(variance), 0.0))
    arm = float(stats.norm.ppf((1 + level) / 2)) * error
    n = len(np.asarray(y_true))
    estimate = Estimate(difference, difference - arm, difference + arm, level, "DeLong", n)
    statistic = ratio(difference, error)
    return PairedTest(estimate, statistic, float(2 * stats.norm.sf(abs(statistic))))


def wilson(k: int, n: int, *, level: float = 0.95) -> Estimate:
    """Return a proportion with Wilson's score interval, good for small counts too [1]_.

    Parameters
    ----------
    k : int
        Cases with the property.
    n : int
        All cases.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        Inside [0, 1].

    Raises
    ------
    InputError
        Unless 0 <= k <= n and n > 0.

    References
    ----------
    .. [1] E. Wilson (1927). Probable inference. JASA 22:209.

    Examples
    --------
    >>> print(wilson(1, 10))
    0.100 [0.018, 0.404]
    """
    if not 0 <= k <= n or n == 0:
        msg = f"A proportion needs 0 <= k <= n and n > 0; got k={k}, n={n}."
        raise InputError(msg)
    interval = stats.binomtest(int(k), int(n)).proportion_ci(level, method="wilson")
    return Estimate(k / n, float(interval.low), float(interval.high), level, "Wilson", int(n))


def clopper_pearson(k: int, n: int, *, level: float = 0.95) -> Estimate:
    """Return a proportion with the exact interval, which never covers too rarely [1]_.

    Wider than Wilson's: for a proportion near 0 or 1 that a promise is held against, where Wilson's
    interval of a few cases shuts out the truth more often than it says.

    Parameters
    ----------
    k : int
        Cases with the property.
    n : int
        All cases.
    level : float
        Least coverage.

    Returns
    -------
    Estimate
        Inside [0, 1].

    Raises
    ------
    InputError
        Unless 0 <= k <= n and n > 0.

    References
    ----------
    .. [1] C. Clopper, E. Pearson (1934). The use of confidence or fiducial limits. Biometrika
       26:404.

    Examples
    --------
    >>> print(clopper_pearson(1, 10))
    0.100 [0.003, 0.445]
    """
    if not 0 <= k <= n or n == 0:
        msg = f"A proportion needs 0 <= k <= n and n > 0; got k={k}, n={n}."
        raise InputError(msg)
    interval = stats.binomtest(int(k), int(n)).proportion_ci(level, method="exact")
    return Estimate(k / n, float(interval.low), float(interval.high), level, "exact", int(n))


def _auc_covariance(y_true: Numbers, scores: list[Numbers]) -> tuple[Floats, Floats]:
    """Return the areas and their covariance by placements from midranks (Sun and Xu 2014)."""
    positive = np.asarray(y_true) == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if min(n_positive, n_negative) < 2:
        msg = (
            "An interval for the AUC needs two rows of each class; got "
            f"{n_positive} positive and {n_negative} negative."
        )
        raise InputError(msg)
    of_positives, of_negatives = [], []
    for score in scores:
        values = np.asarray(score, dtype=float)
        ranks = stats.rankdata(values)
        won = (ranks[positive] - stats.rankdata(values[positive])) / n_negative
        lost = (ranks[~positive] - stats.rankdata(values[~positive])) / n_positive
        of_positives.append(won)
        of_negatives.append(1 - lost)
    aucs = np.mean(of_positives, axis=1)
    covariance = (
        np.atleast_2d(np.cov(of_positives)) / n_positive
        + np.atleast_2d(np.cov(of_negatives)) / n_negative
    )
    return aucs, covariance
