"""How far numbers are from a normal distribution: a test, and the size of the departure."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from lib.estimates import Estimate, benjamini_hochberg
from lib.statistics.clustered import (
    Codes,
    Floats,
    count_units,
    influence_error,
    owner_codes,
    quantile_of_t,
)
from lib.statistics.columns import column_kinds, numbers_of

SHAPIRO_ROWS = 5_000  # beyond, its p-value is not defined well
LEAST_ROWS = 8  # below, no test of normality can tell anything
MILD_SKEWNESS, MILD_KURTOSIS = 0.5, 1.0
COLUMNS = ["column", "n", "test", "statistic", "p", "q", "skewness", "excess_kurtosis", "verdict"]


def test_of_normality(values: Floats) -> tuple[str, float, float]:
    """Return name, statistic and p-value of the test of normality that fits the number of rows.

    Shapiro and Wilk's up to 5,000 rows. Beyond, the sharper of D'Agostino's K² (skewness and
    tails) and Anderson and Darling's A² (everywhere), its p-value doubled for having had two.

    Parameters
    ----------
    values : array of float, shape (n,)
        Finite, not all equal.

    Returns
    -------
    test : str
    statistic, p : float
        NaN for fewer than 8 rows.

    Examples
    --------
    >>> test_of_normality(np.random.default_rng(0).normal(size=200))[0]
    'Shapiro-Wilk'
    """
    n = len(values)
    if n < LEAST_ROWS:
        return "too few rows", math.nan, math.nan
    values = (values - values.mean()) / values.std()
    if n <= SHAPIRO_ROWS:
        shapiro = stats.shapiro(values)
        return "Shapiro-Wilk", float(shapiro.statistic), float(shapiro.pvalue)
    from statsmodels.stats.diagnostic import normal_ad  # noqa: PLC0415 (heavy)

    k2, p_k2 = (float(x) for x in stats.normaltest(values))
    a2, p_a2 = (float(x) for x in normal_ad(values))
    if p_k2 <= p_a2:
        return "D'Agostino", k2, min(2 * p_k2, 1.0)
    return "Anderson-Darling", a2, min(2 * p_a2, 1.0)


test_of_normality.__test__ = False  # type: ignore[attr-defined]  # pytest: it is none of yours


def estimate_skewness(
    values: Floats, *, owner: Codes | None = None, level: float = 0.95
) -> Estimate:
    """Return the skewness with an interval that holds for values of any shape.

    Parameters
    ----------
    values : array of float, shape (n,)
        Finite, not all equal.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    level : float
        Coverage aimed at; heavy tails need many rows to reach it.

    Returns
    -------
    Estimate
        Corrected for small samples (G1).

    Examples
    --------
    >>> round(estimate_skewness(np.arange(20.0) ** 2).value, 2)
    0.72
    """
    n = len(values)
    z = (values - values.mean()) / values.std()
    raw = float((z**3).mean())
    influence = z**3 - raw - 3 * z - 1.5 * raw * (z**2 - 1)
    correction = math.sqrt(n * (n - 1)) / (n - 2) if n > 2 else 1.0
    arm = quantile_of_t(level, count_units(n, owner) - 1) * influence_error(influence, owner)
    value = raw * correction
    arm *= correction
    return Estimate(value, value - arm, value + arm, level, "delta method", n)


def estimate_excess_kurtosis(
    values: Floats, *, owner: Codes | None = None, level: float = 0.95
) -> Estimate:
    """Return how much heavier the tails are than a normal distribution's, 0 if they are not.

    The interval is made on the log scale of the kurtosis, where it is less lopsided.

    Parameters
    ----------
    values : array of float, shape (n,)
        Finite, not all equal.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    level : float
        Coverage aimed at; heavy tails need many rows to reach it.

    Returns
    -------
    Estimate
        Corrected for small samples (G2).

    Examples
    --------
    >>> round(estimate_excess_kurtosis(np.arange(20.0)).value, 2)
    -1.2
    """
    n = len(values)
    z = (values - values.mean()) / values.std()
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean())
    influence = z**4 - kurtosis - 4 * skewness * z - 2 * kurtosis * (z**2 - 1)
    error = influence_error(influence, owner) / kurtosis
    arm = quantile_of_t(level, count_units(n, owner) - 1) * error
    value = _corrected(kurtosis, n)
    low, high = (_corrected(kurtosis * math.exp(side), n) for side in (-arm, min(arm, 50.0)))
    return Estimate(value, low, high, level, "delta method on logs", n)


def _corrected(kurtosis: float, n: int) -> float:
    if n < 4:
        return kurtosis - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * kurtosis - 3 * (n - 1))


def compute_normality(
    frame: pd.DataFrame, *, groups: pd.Series | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Return for each column of numbers how far it is from a normal distribution.

    With many rows every test says no: read the sizes. Skewness and excess kurtosis of a normal
    distribution are 0. The tests take rows as independent; the intervals count groups.

    Parameters
    ----------
    frame : DataFrame
        With distinct column names; columns of at most two values are left out.
    groups : Series of shape (n,), optional
        What rows repeat.
    level : float
        Of the intervals; a q-value below 1 - level counts.

    Returns
    -------
    DataFrame with columns column, n, test, statistic, p, q, skewness, excess_kurtosis, verdict
        `skewness` and `excess_kurtosis` are an `Estimate`; `q` is p after Benjamini and Hochberg;
        the verdict is in words.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=500)
    >>> table = compute_normality(pd.DataFrame({"x": x, "cost": np.exp(2 * x)}))
    >>> table["verdict"].tolist()
    ['no sign against', 'skewed right, heavy tails']
    """
    owner = owner_codes(groups)
    kinds = column_kinds(frame)
    rows = []
    for name in frame.columns:
        values = numbers_of(frame[name])
        seen = np.isfinite(values)
        if kinds[name] != "numeric" or len(np.unique(values[seen])) < 3:
            continue
        owned = None if owner is None else owner[seen]
        rows.append(_describe(name, values[seen], owned, level))
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if c not in {"q", "verdict"}])
    table["q"] = benjamini_hochberg(table["p"].to_numpy(dtype=float))
    verdicts = [
        _verdict(row.q, row.skewness.value, row.excess_kurtosis.value, 1 - level)
        for row in table.itertuples()
    ]
    table["verdict"] = pd.Series(verdicts, dtype=object)
    return table[COLUMNS]


def _describe(name: str, values: Floats, owner: Codes | None, level: float) -> dict[str, object]:
    largest = float(np.abs(values).max())
    values = values / largest if largest > 1e100 else values  # powers stay finite
    test, statistic, p_value = test_of_normality(values)
    return {
        "column": name,
        "n": len(values),
        "test": test,
        "statistic": statistic,
        "p": p_value,
        "skewness": estimate_skewness(values, owner=owner, level=level),
        "excess_kurtosis": estimate_excess_kurtosis(values, owner=owner, level=level),
    }


def _verdict(q: float, skewness: float, kurtosis: float, alpha: float) -> str:
    if math.isnan(q):
        return "too few rows to tell"
    if q >= alpha:
        return "no sign against"
    words = []
    if abs(skewness) >= MILD_SKEWNESS:
        words.append("skewed right" if skewness > 0 else "skewed left")
    if kurtosis >= MILD_KURTOSIS:
        words.append("heavy tails")
    if kurtosis <= -MILD_KURTOSIS:
        words.append("light tails")
    return ", ".join(words) or "departs mildly"


def normal_quantiles(values: Floats, *, max_points: int = 400) -> pd.DataFrame:
    """Return a sample's quantiles beside those of a normal distribution, for a QQ plot.

    Parameters
    ----------
    values : array of float, shape (n,)
        NaN and infinities are left out.
    max_points : int
        More are thinned out in the middle, where points cover each other; both ends stay.

    Returns
    -------
    DataFrame with columns expected, observed
        In standard deviations from the mean; Blom's plotting positions.

    Examples
    --------
    >>> normal_quantiles(np.array([1.0, 2.0, 3.0]))["observed"].round(2).tolist()
    [-1.22, 0.0, 1.22]
    """
    known = np.sort(values[np.isfinite(values)])
    spread = float(known.std()) if len(known) else 0.0
    if spread == 0:
        return pd.DataFrame({"expected": [], "observed": []}, dtype=float)
    n = len(known)
    expected = stats.norm.ppf((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    observed = (known - known.mean()) / spread
    if n > max_points:
        ends = max_points // 4
        middle = np.linspace(ends, n - ends - 1, max_points - 2 * ends).astype(int)
        kept = np.unique(np.r_[np.arange(ends), middle, np.arange(n - ends, n)])
        expected, observed = expected[kept], observed[kept]
    return pd.DataFrame({"expected": expected, "observed": observed})
