"""How small an effect this many rows can find: power, and the least detectable effect."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import optimize, stats

from lib.data.dataset import Task

GOOD_POWER = 0.8
MANY = 1e5  # degrees of freedom from which t is normal to all digits shown
COLUMNS = ["effect", "power", "curve"]


def power_of_means(
    d: float, n_first: float, n_second: float | None = None, *, alpha: float = 0.05
) -> float:
    """Return the power of a two-sided t-test for a difference of `d` standard deviations.

    Parameters
    ----------
    d : float
        Cohen's d.
    n_first : float
        Rows of the first group, or of the only one.
    n_second : float, optional
        Rows of the second group; without it one sample is compared with a constant.
    alpha : float
        Level of the test.

    Returns
    -------
    float

    Examples
    --------
    >>> round(power_of_means(0.5, 30, 30), 7)  # R's pwr: 0.4778965
    0.4778965
    """
    from statsmodels.stats.power import TTestIndPower, TTestPower  # noqa: PLC0415 (heavy)

    n_total = n_first + (n_second or 0)
    rows = n_first if n_second is None else n_first * n_second / n_total
    by_normal = _normal_power(abs(d) * math.sqrt(rows), alpha)
    if n_total > MANY:
        return by_normal
    if n_second is None:
        power = float(TTestPower().power(abs(d), n_first, alpha))
    else:
        power = float(TTestIndPower().power(abs(d), n_first, alpha, ratio=n_second / n_first))
    return by_normal if math.isnan(power) else power  # far out, noncentral t has no digits left


def power_of_proportions(
    first: float, second: float, n_first: float, n_second: float, *, alpha: float = 0.05
) -> float:
    """Return the power of a two-sided test of two proportions, on Cohen's arcsine scale.

    Parameters
    ----------
    first, second : float
        The proportions.
    n_first, n_second : float
        Rows of the groups.
    alpha : float
        Level of the test.

    Returns
    -------
    float

    Examples
    --------
    >>> round(power_of_proportions(0.10, 0.05, 424, 424), 3)
    0.8
    """
    h = 2 * math.asin(math.sqrt(first)) - 2 * math.asin(math.sqrt(second))
    return power_of_h(h, n_first, n_second, alpha=alpha)


def power_of_h(
    h: float, n_first: float, n_second: float | None = None, *, alpha: float = 0.05
) -> float:
    """Return the power of a two-sided test of proportions for Cohen's `h`.

    Parameters
    ----------
    h : float
        Difference of the arcsine-transformed proportions.
    n_first : float
        Rows of the first group, or of the only one.
    n_second : float, optional
        Rows of the second group; without it one proportion is compared with a constant.
    alpha : float
        Level of the test.

    Returns
    -------
    float

    Examples
    --------
    >>> round(power_of_h(0.2, 543, 675), 7)  # R's pwr: 0.9344102
    0.9344102
    """
    rows = n_first if n_second is None else n_first * n_second / (n_first + n_second)
    return _normal_power(abs(h) * math.sqrt(rows), alpha)


def power_of_correlation(r: float, n: float, *, alpha: float = 0.05) -> float:
    """Return the power of a two-sided test of no correlation, by Fisher's z [1]_.

    Parameters
    ----------
    r : float
        The correlation.
    n : float
        Rows, at least 4.
    alpha : float
        Level of the test.

    Returns
    -------
    float

    References
    ----------
    .. [1] J. Cohen (1988). Statistical Power Analysis for the Behavioral Sciences, section 12.7.

    Examples
    --------
    >>> round(power_of_correlation(0.3, 84.07364), 5)
    0.8
    """
    t = float(stats.t.isf(alpha / 2, n - 2))
    bound = math.atanh(t / math.sqrt(t**2 + n - 2))
    z = math.atanh(min(abs(r), 1 - 1e-12)) + abs(r) / (2 * (n - 1))
    reach = math.sqrt(n - 3)
    return float(stats.norm.cdf((z - bound) * reach) + stats.norm.cdf((-z - bound) * reach))


def power_of_variance(f: float, n: float, n_groups: int, *, alpha: float = 0.05) -> float:
    """Return the power of an analysis of variance for Cohen's `f`.

    Parameters
    ----------
    f : float
        Standard deviation of the groups' means (a row each) in units of that inside the groups.
    n : float
        Rows of all groups together.
    n_groups : int
        Groups.
    alpha : float
        Level of the test.

    Returns
    -------
    float

    Examples
    --------
    >>> two = power_of_variance(0.25, 60, 2)  # of two groups: half of d
    >>> round(two, 6) == round(power_of_means(0.5, 30, 30), 6)
    True
    """
    degrees, spare = n_groups - 1, n - n_groups
    bound = float(stats.f.isf(alpha, degrees, spare))
    if spare > MANY:
        return float(stats.ncx2.sf(bound * degrees, degrees, max(n * f**2, 1e-12)))
    return float(stats.ncf.sf(bound, degrees, spare, max(n * f**2, 1e-12)))


def power_of_table(w: float, n: float, degrees: int, *, alpha: float = 0.05) -> float:
    """Return the power of a χ² test for Cohen's `w`.

    Parameters
    ----------
    w : float
        Root of the mean square contingency.
    n : float
        Rows.
    degrees : int
        Degrees of freedom.
    alpha : float
        Level of the test.

    Returns
    -------
    float

    Examples
    --------
    >>> round(power_of_table(0.2886751, 100, 3), 6)  # R's pwr: 0.6739834
    0.673983
    """
    bound = float(stats.chi2.isf(alpha, degrees))
    return float(stats.ncx2.sf(bound, degrees, n * w**2))


def solve_power(
    power_at: Callable[[float], float], low: float, high: float, *, power: float = GOOD_POWER
) -> float:
    """Return where a power that rises reaches what is wanted: a number of rows or an effect.

    Parameters
    ----------
    power_at : callable
        Takes the number sought, returns power.
    low, high : float
        Where to look.
    power : float
        What is wanted.

    Returns
    -------
    float
        NaN when `high` does not reach it, `low` when that already does.

    Examples
    --------
    >>> round(solve_power(lambda n: power_of_means(0.5, n, n), 2, 1_000), 4)  # R's pwr: 63.76561
    63.7656
    """
    if power_at(low) >= power:
        return low
    if not power_at(high) >= power:
        return math.nan
    return float(optimize.brentq(lambda x: power_at(x) - power, low, high, xtol=1e-9))


def compute_power(
    y: pd.Series,
    *,
    task: Task,
    n_tests: int,
    design_effect: float = 1.0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Return the least effect of a feature that this table would find four times in five.

    Parameters
    ----------
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        Two classes: a difference of means in standard deviations, and a share of rows against
        another where half of the rows have a property; several: Cohen's f; a number: a correlation.
    n_tests : int
        How many features are tested: beside one test stands one at alpha / n_tests (Bonferroni).
    design_effect : float
        How many rows that repeat each other are worth one; 1 for independent rows.
    alpha : float
        Level of one test.

    Returns
    -------
    DataFrame with columns question, measure, rows, one_test, all_tests
        `rows` is how many independent rows these are worth; no line when those are fewer than six.

    Examples
    --------
    >>> y = pd.Series([0, 1] * 64)
    >>> table = compute_power(y, task="binary", n_tests=10)
    >>> table[["measure", "one_test"]].round(2).to_numpy().tolist()[0]
    ["Cohen's d", 0.5]
    """
    n, rows = len(y) / design_effect, []
    for question, measure, power_at, most in _questions(y, task, design_effect) if n >= 6 else ():
        least = [
            solve_power(lambda x, a=level, f=power_at: f(x, a), 1e-6, most)  # type: ignore[misc]
            for level in (alpha, alpha / max(n_tests, 1))
        ]
        rows.append((question, measure, n, *least))
    return pd.DataFrame(rows, columns=["question", "measure", "rows", "one_test", "all_tests"])


def compute_power_curves(
    y: pd.Series,
    *,
    task: Task,
    n_tests: int,
    design_effect: float = 1.0,
    alpha: float = 0.05,
    n_points: int = 60,
) -> pd.DataFrame:
    """Return power over the size of an effect, for one test, for all, and with fewer rows.

    Parameters
    ----------
    y, task, n_tests, design_effect, alpha
        As for `compute_power`.
    n_points : int
        Of each curve.

    Returns
    -------
    DataFrame with columns effect, power, curve
        `attrs["measure"]` names the effect.

    Examples
    --------
    >>> curves = compute_power_curves(pd.Series([0, 1] * 64), task="binary", n_tests=10)
    >>> list(dict.fromkeys(curves["curve"]))
    ['one test', 'each of 10 tests', 'one test, a tenth of the rows']
    """
    question, measure, power_at, most = _questions(y, task, design_effect)[0]
    _, _, with_tenth, _ = _questions(y, task, design_effect * 10)[0]
    many = max(n_tests, 1)
    widest = solve_power(lambda x: with_tenth(x, alpha), 1e-6, most, power=0.95)
    effects = np.linspace(1e-6, widest if math.isfinite(widest) else most, n_points)
    curves = {"one test": (power_at, alpha)}
    if many > 1:
        curves[f"each of {many} tests"] = (power_at, alpha / many)
    curves["one test, a tenth of the rows"] = (with_tenth, alpha)
    tables = [
        pd.DataFrame({"effect": effects, "power": [f(e, a) for e in effects], "curve": name})
        for name, (f, a) in curves.items()
    ]
    made = pd.concat(tables, ignore_index=True)[COLUMNS]
    made.attrs.update(measure=measure, question=question)
    return made


def _questions(
    y: pd.Series, task: Task, design_effect: float
) -> Sequence[tuple[str, str, Callable[[float, float], float], float]]:
    """Return question, measure, power by effect and level, and the largest effect to look at."""
    n = max(len(y) / design_effect, 4.5)
    if task == "regression":
        return [
            (
                "a correlation with the target",
                "r",
                lambda r, a: power_of_correlation(r, n, alpha=a),
                0.999,
            )
        ]
    sizes = y.value_counts().sort_index().to_numpy() / design_effect
    if task == "multiclass":
        k = len(sizes)
        room = max(n, k + 2.0)
        return [
            (
                f"means of a feature over {k} classes",
                "Cohen's f",
                lambda f, a: power_of_variance(f, room, k, alpha=a),
                10.0,
            )
        ]
    first, second = (max(float(size), 2.0) for size in sizes)
    share = second / (first + second)
    half = (first + second) / 2
    return [
        (
            "means of a feature between the classes",
            "Cohen's d",
            lambda d, a: power_of_means(d, first, second, alpha=a),
            20.0,
        ),
        (
            "share of rarer class by a yes/no feature",
            "percentage points",
            lambda x, a: power_of_proportions(
                max(min(share, 1 - share) - x / 200, 0.0),
                min(min(share, 1 - share) + x / 200, 1.0),
                half,
                half,
                alpha=a,
            ),
            100.0,
        ),
    ]


def _normal_power(shift: float, alpha: float) -> float:
    bound = float(stats.norm.isf(alpha / 2))
    return float(stats.norm.sf(bound - shift) + stats.norm.cdf(-bound - shift))
