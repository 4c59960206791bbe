"""Intervals and tests of scores over the folds of a cross-validation."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from lib.errors import InputError
from lib.estimates.estimate import Estimate, Floats, Numbers, PairedTest, ratio


def corrected_mean(
    scores_per_fold: Numbers,
    test_fraction: float,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """Return the mean score over folds with the Nadeau-Bengio interval [1]_.

    Folds share training rows, so their scores are correlated and the plain standard error is
    too small. The correction adds the ratio of test to training rows to one over the folds.

    Parameters
    ----------
    scores_per_fold : array-like of shape (n_folds,)
        One score a fold; repeats of a cross-validation simply follow one another.
    test_fraction : float
        Share of the rows that a fold tests on, between 0 and 1 (0.2 for five folds).
    level : float
        Coverage aimed at.
    bounds : tuple of float
        Lowest and highest possible score: the interval ends there.

    Returns
    -------
    Estimate
        Without interval for a single fold.

    Raises
    ------
    InputError
        When there is no score, one is not finite, or `test_fraction` is not inside (0, 1).

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio (2003). Inference for the generalization error. Machine
       Learning 52:239.

    Examples
    --------
    >>> print(corrected_mean([0.80, 0.82, 0.78, 0.81, 0.79], test_fraction=0.2))
    0.800 [0.771, 0.829]
    """
    scores, error = _corrected_error(scores_per_fold, test_fraction)
    mean = float(scores.mean())
    arm = float(stats.t.ppf((1 + level) / 2, max(len(scores) - 1, 1))) * error
    low, high = mean - arm, mean + arm
    if not math.isnan(arm):
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(mean, low, high, level, "Nadeau-Bengio", len(scores))


def corrected_t_test(
    differences: Numbers, test_fraction: float, *, level: float = 0.95
) -> PairedTest:
    """Return the corrected resampled t-test of paired differences over folds [1]_.

    Parameters
    ----------
    differences : array-like of shape (n_folds,)
        Score of one model minus score of another, on the same folds.
    test_fraction : float
        Share of the rows that a fold tests on, between 0 and 1.
    level : float
        Coverage of the interval of the mean difference.

    Returns
    -------
    PairedTest
        Two-sided. Without test (NaN) for a single fold.

    Raises
    ------
    InputError
        When there is no score, one is not finite, or `test_fraction` is not inside (0, 1).

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio (2003). Inference for the generalization error. Machine
       Learning 52:239.

    Examples
    --------
    >>> test = corrected_t_test([0.02, 0.03, 0.01, 0.02, 0.02], test_fraction=0.2)
    >>> round(test.statistic, 2), round(test.p_value, 3)
    (4.22, 0.014)
    """
    scores, error = _corrected_error(differences, test_fraction)
    difference = corrected_mean(scores, test_fraction, level=level)
    if math.isnan(error):
        return PairedTest(difference, math.nan, math.nan)
    statistic = ratio(difference.value, error)
    p_value = float(2 * stats.t.sf(abs(statistic), len(scores) - 1))
    return PairedTest(difference, statistic, p_value)


def corrected_error(scores_per_fold: Numbers, test_fraction: float) -> float:
    """Return the standard error of a mean over folds, corrected for the rows that they share.

    Parameters
    ----------
    scores_per_fold : array-like of shape (n_folds,)
        One score, or one paired difference, a fold.
    test_fraction : float
        Share of the rows that a fold tests on, between 0 and 1.

    Returns
    -------
    float
        That of Nadeau and Bengio, as in `corrected_mean`; NaN for a single fold.

    Raises
    ------
    InputError
        When there is no score, one is not finite, or `test_fraction` is not inside (0, 1).

    Examples
    --------
    >>> round(corrected_error([0.80, 0.82, 0.78, 0.81, 0.79], test_fraction=0.2), 4)
    0.0106
    """
    return _corrected_error(scores_per_fold, test_fraction)[1]


def _corrected_error(scores: Numbers, test_fraction: float) -> tuple[Floats, float]:
    values = np.asarray(scores, dtype=float)
    if not 0 < test_fraction < 1:
        msg = f"test_fraction must lie between 0 and 1; got {test_fraction}."
        raise InputError(msg)
    if len(values) == 0 or not np.isfinite(values).all():
        msg = f"Scores must be finite, at least one; got {values.tolist()}."
        raise InputError(msg)
    if len(values) == 1:
        return values, math.nan
    test_to_train = test_fraction / (1 - test_fraction)
    return values, math.sqrt((1 / len(values) + test_to_train) * float(values.var(ddof=1)))
