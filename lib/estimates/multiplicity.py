"""Corrections of p-values for making many tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from lib.estimates.estimate import Floats, Numbers


def holm(p_values: Numbers) -> Floats:
    """Return p-values adjusted by Holm: they bound the chance of any false claim [1]_.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        NaN marks a test that was not made: it stays NaN and does not count.

    Returns
    -------
    ndarray of shape (n_tests,)
        In the order given, at most 1.

    References
    ----------
    .. [1] S. Holm (1979). A simple sequentially rejective multiple test procedure.
       Scandinavian Journal of Statistics 6:65.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """

    def adjust(made: Floats) -> Floats:
        order = np.argsort(made, kind="stable")
        stepped = np.maximum.accumulate(made[order] * (len(made) - np.arange(len(made))))
        adjusted = np.empty_like(made)
        adjusted[order] = np.minimum(stepped, 1)
        return adjusted

    return _adjust_made(p_values, adjust)


def benjamini_hochberg(p_values: Numbers) -> Floats:
    """Return p-values adjusted by Benjamini-Hochberg: they bound the share of false claims [1]_.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        NaN marks a test that was not made: it stays NaN and does not count.

    Returns
    -------
    ndarray of shape (n_tests,)
        In the order given, at most 1.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg (1995). Controlling the false discovery rate. JRSS B 57:289.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    return _adjust_made(p_values, stats.false_discovery_control)


def _adjust_made(p_values: Numbers, adjust: Callable[[Floats], Floats]) -> Floats:
    adjusted = np.array(p_values, dtype=float)
    made = ~np.isnan(adjusted)
    if made.any():
        adjusted[made] = adjust(adjusted[made])
    return adjusted
