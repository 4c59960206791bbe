"""How much of a number's spread groups explain: omega² of values, epsilon² of ranks."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from lib.estimates import Estimate
from lib.statistics.clustered import (
    Codes,
    Floats,
    count_units,
    influence_error,
    mean_above,
    quantile_of_t,
)
from lib.statistics.screening import noncentral_f_interval

FAR_FROM_ZERO = 3.0  # standard errors, from which an estimate is nearly normal


def explained_share(
    values: Floats,
    codes: Codes,
    *,
    kind: str = "omega²",
    owner: Codes | None = None,
    design_effect: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return the share of spread that groups explain, corrected for what chance explains [1]_ [2]_.

    Far from zero the interval comes from what each row (or cluster) adds to the estimate, on the
    scale of Fisher's z of its root, which asks for nothing about the values; close to zero, where
    no estimate is normal, it inverts the noncentral F distribution.

    Parameters
    ----------
    values : array of float, shape (n,)
        Numbers.
    codes : array of int, shape (n,)
        Groups from 0, each with at least two rows.
    kind : {"omega²", "epsilon²"}
        Hays' omega² of the values, or Kelley's epsilon² of their ranks.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    design_effect : float
        By which repeated rows inflate F, for effects close to zero.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        At least 0.

    References
    ----------
    .. [1] W. Hays (1963). Statistics for Psychologists.
    .. [2] T. Kelley (1935). An unbiased correlation ratio measure. PNAS 21:554.

    Examples
    --------
    >>> values = np.r_[np.arange(20.0), np.arange(20.0) + 9, np.arange(20.0) + 3]
    >>> print(explained_share(values, np.repeat([0, 1, 2], 20)))
    0.268 [0.106, 0.448]
    """
    x = stats.rankdata(values) if kind == "epsilon²" else values
    sizes = np.bincount(codes).astype(float)
    n, k = len(x), len(sizes)
    means = np.bincount(codes, weights=x) / sizes
    total = float(((x - x.mean()) ** 2).sum())
    between = float((sizes * (means - x.mean()) ** 2).sum())
    eta2 = min(between / total, 1.0)
    if eta2 > 1 - 1e-12:
        return Estimate(1.0, math.nan, math.nan, level, "exact", n)
    f = eta2 / (1 - eta2) * (n - k) / (k - 1)
    near = share_by_noncentral_f(
        f, k - 1, n - k, n, kind=kind, design_effect=design_effect, level=level
    )
    influence = _influence(x, codes, means, eta2, is_ranks=kind == "epsilon²")
    error = influence_error(influence, owner)
    if near.value == 0:
        return near
    if near.value < FAR_FROM_ZERO * error:
        return _stretched(near, error, design_effect)
    root = math.sqrt(near.value)
    degrees = (n if owner is None else count_units(n, owner)) - k
    arm = quantile_of_t(level, degrees) * error / (2 * root * (1 - near.value))
    z = math.atanh(root)
    low, high = math.tanh(max(z - arm, 0.0)) ** 2, math.tanh(z + arm) ** 2
    return Estimate(near.value, low, high, level, "delta method", n)


def _stretched(near: Estimate, error: float, design_effect: float) -> Estimate:
    """Return an interval by noncentral F, wider where the error is larger than normal values have.

    Near zero the distribution of F hardly depends on the shape of the values; further away it does.
    The error is itself uncertain, so half of its excess beyond 15 % counts, on the log scale.
    """
    share, n = near.value, near.n or 1
    ratio = share / (1 - share)
    normal = (1 - share) ** 2 * math.sqrt((4 * ratio + 2 * ratio**2) * design_effect / n)
    wider = math.sqrt(max(error / normal / 1.15, 1.0))
    middle, low, high = (math.atanh(math.sqrt(x)) for x in (share, near.low, min(near.high, 0.999)))
    low, high = middle - wider * (middle - low), middle + wider * (high - middle)
    ends = math.tanh(max(low, 0.0)) ** 2, math.tanh(high) ** 2
    return Estimate(share, *ends, near.level, near.method, near.n)


def _influence(x: Floats, codes: Codes, means: Floats, eta2: float, *, is_ranks: bool) -> Floats:
    """Return what each row adds to the explained share; ranks are moved by rows below, too."""
    spread = float(x.std())
    u = (x - x.mean()) / spread
    of_group = ((means - x.mean()) / spread)[codes]
    explained = of_group**2 + 2 * of_group * (u - of_group)
    everything = u**2
    if is_ranks:
        step = len(x) * float(np.ptp(u) / np.ptp(x))  # what one more row below adds to u
        explained = explained + 2 * step * mean_above(x, of_group)
        everything = everything + 2 * step * mean_above(x, u)
    influence = explained - eta2 * everything
    return np.asarray(influence - influence.mean())


def share_by_noncentral_f(
    statistic: float,
    degrees: float,
    spare: float,
    n: int,
    *,
    kind: str = "omega²",
    design_effect: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return omega² or epsilon² of an F statistic, its interval by the noncentral F [1]_.

    Parameters
    ----------
    statistic : float
        F of the comparison of groups (on ranks for epsilon²), as if rows were independent.
    degrees, spare : float
        Its degrees of freedom.
    n : int
        Rows.
    kind : {"omega²", "epsilon²"}
        Hays' omega² or Kelley's epsilon²: both correct for what chance explains.
    design_effect : float
        By which repeated rows inflate the statistic.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        At least 0.

    References
    ----------
    .. [1] M. Smithson (2003). Confidence Intervals. Sage.

    Examples
    --------
    >>> print(share_by_noncentral_f(6.0, 2, 57, 60))
    0.143 [0.021, 0.327]
    """
    fair = statistic / design_effect
    gained = degrees * (fair - 1)
    room = gained + n / design_effect if kind == "omega²" else degrees * fair + spare
    value = max(gained / room, 0.0) if math.isfinite(fair) else 1.0
    if not math.isfinite(fair):
        return Estimate(1.0, math.nan, math.nan, level, "noncentral F", n)
    ends = noncentral_f_interval(fair, degrees, spare, level)
    low, high = (end / (end + n / design_effect) for end in ends)
    return Estimate(value, min(low, value), max(high, value), level, "noncentral F", n)
