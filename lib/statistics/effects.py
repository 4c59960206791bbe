"""How large a difference is, with an interval that holds for unequal spreads and for groups."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from lib.errors import InputError
from lib.estimates import Estimate, wilson
from lib.statistics.associations import largest_phi2
from lib.statistics.clustered import Codes, Floats, count_units, influence_error, quantile_of_t
from lib.statistics.screening import noncentral_interval

# Cohen (1988), and Romano et al. (2006) for Cliff's delta: where small, medium, large begin.
CONVENTIONS = {
    "Hedges' g": (0.2, 0.5, 0.8),
    "Cliff's delta": (0.147, 0.33, 0.474),
    "omega²": (0.01, 0.06, 0.14),
    "epsilon²": (0.01, 0.06, 0.14),
    "Cramér's V": (0.1, 0.3, 0.5),
    "odds ratio": (1.68, 3.47, 6.71),
    "Pearson r": (0.1, 0.3, 0.5),
    "Spearman rho": (0.1, 0.3, 0.5),
}


def magnitude(effect: str, value: float) -> str:
    """Return the word that convention has for an effect of this size.

    Parameters
    ----------
    effect : str
        A key of `CONVENTIONS`.
    value : float
        The effect; its sign (for odds ratios its direction) does not matter.

    Returns
    -------
    {"negligible", "small", "medium", "large"}

    Examples
    --------
    >>> magnitude("Hedges' g", -0.6), magnitude("odds ratio", 0.25)
    ('medium', 'medium')
    """
    if effect == "odds ratio":
        size = max(value, 1 / value) if value > 0 else math.inf
    else:
        size = abs(value)
    reached = sum(size >= bound for bound in CONVENTIONS[effect])
    return ("negligible", "small", "medium", "large")[reached]


def hedges_g(
    values: npt.ArrayLike,
    in_second: npt.ArrayLike,
    *,
    owner: Codes | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the difference of two means in pooled standard deviations, second less first [1]_.

    The interval comes from what each row adds to the estimate: it asks neither for equal spreads
    nor for normal values, and counts groups when given.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Without gaps.
    in_second : array-like of bool, shape (n,)
        Which rows are in the second group.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        Corrected for small samples. NaN when the values do not vary within the groups.

    Raises
    ------
    InputError
        When a group has fewer than two rows.

    References
    ----------
    .. [1] L. Hedges (1981). Distribution theory for Glass's estimator of effect size. J. Educ.
       Statistics 6:107.

    Examples
    --------
    >>> print(hedges_g([1, 2, 3, 4, 3, 4, 5, 6], [0, 0, 0, 0, 1, 1, 1, 1]))
    1.347 [-0.311, 3.006]
    """
    x, second = np.asarray(values, dtype=float), np.asarray(in_second, dtype=bool)
    n, n_second = len(x), int(second.sum())
    n_first = n - n_second
    if min(n_first, n_second) < 2:
        msg = f"Two groups of at least two rows are needed; got {n_first} and {n_second}."
        raise InputError(msg)
    means = np.where(second, x[second].mean(), x[~second].mean())
    spread = math.sqrt(float(((x - means) ** 2).sum()) / (n - 2))
    if spread <= 1e-12 * max(float(np.abs(x).max()), 1e-300):
        return Estimate(math.nan, level=level, n=n)
    z = (x - means) / spread
    d = float(x[second].mean() - x[~second].mean()) / spread
    correction = 1 - 3 / (4 * (n - 2) - 1)
    # Rows of small groups are noisier than their residuals show: as in HC2.
    sides = np.where(second, n / n_second, -n / n_first)
    inflation = np.sqrt(np.where(second, n_second / (n_second - 1), n_first / (n_first - 1)))
    influence = sides * z * inflation - d / 2 * (z**2 - 1)
    arm = quantile_of_t(level, _welch_degrees(x, second, owner)) * influence_error(influence, owner)
    g = correction * d
    return Estimate(g, g - correction * arm, g + correction * arm, level, "delta method", n)


def cliffs_delta(
    values: npt.ArrayLike,
    in_second: npt.ArrayLike,
    *,
    owner: Codes | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return how often a row of the second group is above one of the first, less how often below.

    Also called rank-biserial correlation; it is twice the area under the ROC curve less one. The
    error is DeLong's from placements, summed over groups when given [1]_, on the scale of
    Fisher's z, so that the interval stays inside -1 and 1.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Without gaps.
    in_second : array-like of bool, shape (n,)
        Which rows are in the second group.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate

    Raises
    ------
    InputError
        When a group has fewer than two rows.

    References
    ----------
    .. [1] N. Obuchowski (1997). Nonparametric analysis of clustered ROC curve data. Biometrics
       53:567.

    Examples
    --------
    >>> print(cliffs_delta([1, 2, 3, 4, 3, 4, 5, 6], [0, 0, 0, 0, 1, 1, 1, 1]))
    0.750 [-0.479, 0.986]
    """
    delta, influence, second = _delta_influence(values, in_second)
    n, n_second = len(second), int(second.sum())
    if abs(delta) == 1.0:  # nothing overlaps: no error to estimate, so bound the shared area
        least = min(n_second, n - n_second)
        units = least if owner is None else min(least, count_units(n, owner))
        bound = 2 * wilson(units, units, level=level).low - 1
        low, high = sorted([delta, math.copysign(bound, delta)])
        return Estimate(delta, low, high, level, "Wilson, nothing overlaps", n)
    error = influence_error(influence, owner) / (1 - delta**2)
    x = np.asarray(values, dtype=float)
    arm = quantile_of_t(level, _welch_degrees(x, second, owner)) * error
    z = math.atanh(delta)
    return Estimate(delta, math.tanh(z - arm), math.tanh(z + arm), level, "DeLong", n)


def _delta_influence(
    values: npt.ArrayLike, in_second: npt.ArrayLike
) -> tuple[float, Floats, npt.NDArray[np.bool_]]:
    x, second = np.asarray(values, dtype=float), np.asarray(in_second, dtype=bool)
    n, n_second = len(x), int(second.sum())
    n_first = n - n_second
    if min(n_first, n_second) < 2:
        msg = f"Two groups of at least two rows are needed; got {n_first} and {n_second}."
        raise InputError(msg)
    ranks = stats.rankdata(x)
    placed = np.empty(n)  # of the other group: the share below less the share above
    placed[second] = 2 * (ranks[second] - stats.rankdata(x[second])) / n_first - 1
    placed[~second] = 1 - 2 * (ranks[~second] - stats.rankdata(x[~second])) / n_second
    delta = float(placed[second].mean())
    sides = np.where(second, n / n_second, n / n_first)
    inflation = np.sqrt(np.where(second, n_second / (n_second - 1), n_first / (n_first - 1)))
    return delta, np.asarray(sides * (placed - delta) * inflation), second


def _welch_degrees(x: Floats, second: npt.NDArray[np.bool_], owner: Codes | None) -> float:
    if owner is not None:
        return count_units(len(x), owner) - 1
    parts = [float(x[side].var(ddof=1)) / int(side.sum()) for side in (second, ~second)]
    spares = [int(side.sum()) - 1 for side in (second, ~second)]
    below = sum(part**2 / spare for part, spare in zip(parts, spares, strict=True))
    return sum(parts) ** 2 / below if below > 0 else len(x) - 2


def cramers_v_interval(
    first: Codes,
    second: Codes,
    *,
    owner: Codes | None = None,
    design_effect: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return bias-corrected Cramér's V with its interval [1]_ [2]_.

    Far from zero the interval comes from what each row (or cluster) adds to the mean square
    contingency; close to zero, where no estimate is normal, it inverts the noncentral χ².

    Parameters
    ----------
    first, second : array of int, shape (n,)
        Codes of levels from 0, none without rows.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    design_effect : float
        By which repeated rows inflate χ², for effects close to zero.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        NaN when a side has fewer than two levels.

    References
    ----------
    .. [1] W. Bergsma (2013). A bias-correction for Cramér's V and Tschuprow's T. J. Korean Stat.
       Soc. 42:323.
    .. [2] M. Smithson (2003). Confidence Intervals. Sage.

    Examples
    --------
    >>> first = np.repeat([0, 0, 1, 1], [30, 20, 20, 30])
    >>> second = np.repeat([0, 1, 0, 1], [30, 20, 20, 30])
    >>> print(cramers_v_interval(first, second))
    0.174 [0.000, 0.398]
    """
    r, k, n = int(first.max()) + 1, int(second.max()) + 1, len(first)
    if min(r, k) < 2:
        return Estimate(math.nan, level=level, n=n)
    counts = np.bincount(first * k + second, minlength=r * k).reshape(r, k).astype(float)
    degrees, room = (r - 1) * (k - 1), largest_phi2(r, k, n)
    if room <= 0:
        return Estimate(math.nan, level=level, n=n)
    squared = chi_squared(counts)
    scale = design_effect / n / room
    gained = max(squared / design_effect - degrees, 0.0)
    value = math.sqrt(min(gained * scale, 1.0))
    influence = _contingency_influence(counts)[first, second]
    error = influence_error(influence - influence.mean(), owner) / room  # of V²
    if value**2 >= 3 * error and error > 0:
        arm = quantile_of_t(level, count_units(n, owner) - 1) * error / (2 * value)
        low, high = max(value - arm, 0.0), min(value + arm, 1.0)
        return Estimate(value, low, high, level, "delta method", n)
    ends = noncentral_interval(squared / design_effect, degrees, level)
    low, high = (math.sqrt(min(max(end * scale, 0.0), 1.0)) for end in ends)
    return Estimate(value, min(low, value), max(high, value), level, "noncentral χ²", n)


def _contingency_influence(counts: Floats) -> Floats:
    """Return what a row of each cell adds to the mean square contingency."""
    shares = counts / counts.sum()
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    lift = shares / np.outer(rows, columns)
    by_row = (shares * lift).sum(axis=1) / rows
    by_column = (shares * lift).sum(axis=0) / columns
    return np.asarray(2 * lift - by_row[:, None] - by_column)


def chi_squared(counts: Floats) -> float:
    """Return Pearson's χ² of a table without empty rows or columns.

    Examples
    --------
    >>> chi_squared(np.array([[30.0, 20.0], [20.0, 30.0]]))
    4.0
    """
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(((counts - expected) ** 2 / expected).sum())


def odds_ratio(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    owner: Codes | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return by what factor one yes/no column multiplies the odds of another [1]_.

    Parameters
    ----------
    first, second : array-like of bool, shape (n,)
        The two columns.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    level : float
        Coverage aimed at.

    Returns
    -------
    Estimate
        Half a row is added to every cell when one is empty (Haldane). The interval is Woolf's,
        or the sandwich's over groups.

    References
    ----------
    .. [1] B. Woolf (1955). On estimating the relation between blood group and disease. Annals of
       Human Genetics 19:251.

    Examples
    --------
    >>> first, second = [0] * 50 + [1] * 50, [0] * 30 + [1] * 20 + [0] * 20 + [1] * 30
    >>> print(odds_ratio(first, second))
    2.250 [1.011, 5.008]
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    n = len(a)
    counts = np.bincount(2 * a + b, minlength=4).astype(float)
    is_empty = bool((counts == 0).any())
    counts = counts + 0.5 if is_empty else counts
    log_odds = float(np.log(counts[0] * counts[3] / (counts[1] * counts[2])))
    error = math.sqrt(float((1 / counts).sum()))
    if owner is not None:
        signs = np.array([1.0, -1.0, -1.0, 1.0])
        influence = (signs * n / counts)[2 * a + b]
        error = max(influence_error(influence - influence.mean(), owner), error * is_empty)
    degrees = 1e9 if owner is None else count_units(n, owner) - 1
    arm = quantile_of_t(level, degrees) * error
    method = "Woolf" if owner is None else "sandwich over groups"
    ends = math.exp(log_odds - arm), math.exp(min(log_odds + arm, 700.0))
    return Estimate(math.exp(log_odds), *ends, level, method, n)
