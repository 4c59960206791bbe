"""A target over time: how many rows, which level, trend, seasons, memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_datetime64_dtype, is_timedelta64_dtype
from scipy import stats

from lib.estimates import Estimate, wilson
from lib.statistics.columns import bins_of, moments_of, numbers_of

Floats = npt.NDArray[np.float64]
MAX_PERIODS = 60
FREQUENCIES = {  # name -> pandas period alias, fine to coarse
    "hour": "h",
    "day": "D",
    "week": "W",
    "month": "M",
    "quarter": "Q",
    "year": "Y",
}
CYCLES = (  # name, base frequency, length in it, what to call a position
    ("hour of the day", "h", 24),
    ("day of the week", "D", 7),
    ("month of the year", "M", 12),
)
MIN_REMEMBERED = 8  # periods, below which autocorrelation is all chance
MIN_CYCLES = 2  # repetitions of a cycle to describe it; a test needs more to find anything
N_SHIFTS = 499  # draws of the test of a season


@dataclass(frozen=True)
class TimeProfile:
    """What a target does over time.

    Attributes
    ----------
    unit : str
        What one period is: "day", "month", or the name of the time column.
    periods : DataFrame with columns period, rows, mean, low, high
        In order of time; the interval is that of the mean, or of a share
        (Wilson), if rows were independent; a single row has none.
    trend : Estimate
        Kendall's τ between time and the periods' means, from -1 to 1.
    trend_p : float
        Its p-value, corrected for memory between periods; NaN for fewer than four.
    seasons : DataFrame with columns cycle, strength, cycles, peak, p
        One row a cycle that the data are long enough for: the share of the detrended spread that
        the position in the cycle explains, beyond chance when `p` is small.
    memory : DataFrame with columns lag, autocorrelation, bound
        Of the periods' means; beyond ± `bound` it is more than chance.
    persistence : Estimate or None
        Rank correlation of a group's target with its own at its next time; None without groups.
    """

    unit: str
    periods: pd.DataFrame
    trend: Estimate
    trend_p: float
    seasons: pd.DataFrame
    memory: pd.DataFrame
    persistence: Estimate | None


def compute_time_profile(
    time: pd.Series,
    target: pd.Series,
    *,
    groups: pd.Series | None = None,
    confidence: float = 0.95,
) -> TimeProfile:
    """Return what a target does over time.

    Dates are gathered by the finest calendar unit that gives at most 60 periods; other values by
    themselves or, when there are more than 60, in as many bins. When the same groups come again
    in each period (a panel), means are over all of them.

    The trend's p-value takes memory as that of a first-order autoregression around a line, its
    coefficient corrected for the bias of short series [2]_, and widens Kendall's test by it [1]_.
    A season's p-value compares it with what is left when each repetition of the cycle is turned
    by a random number of positions: that keeps memory and breaks what returns at its time.

    Parameters
    ----------
    time : Series of shape (n,)
        Dates, or numbers that order rows.
    target : Series of shape (n,)
        Numbers, or 0/1 for one class.
    groups : Series of shape (n,), optional
        What rows repeat.
    confidence : float
        Level of the intervals.

    Returns
    -------
    TimeProfile

    References
    ----------
    .. [1] K. Hamed, A. Rao (1998). A modified Mann-Kendall trend test for autocorrelated data.
       J. Hydrology 204:182.
    .. [2] F. Marriott, J. Pope (1954). Bias in the estimation of autocorrelations. Biometrika
       41:390.
    .. [3] X. Wang, K. Smith, R. Hyndman (2006). Characteristic-based clustering for time series
       data. Data Mining and Knowledge Discovery 13:335 (strength of a season).

    Examples
    --------
    >>> days = pd.Series(pd.date_range("2024-01-01", periods=60))
    >>> profile = compute_time_profile(days, pd.Series(np.arange(60) % 7.0))
    >>> profile.unit, profile.seasons["cycle"].tolist()
    ('day', ['day of the week'])
    """
    known = time.notna().to_numpy() & target.notna().to_numpy()
    time, target = time[known].reset_index(drop=True), target[known].reset_index(drop=True)
    stamps, numbers = moments_of(time), numbers_of(time)
    unit, labels, order = _periods(stamps, numbers)
    periods = _summarise(labels, order, target.astype(float), confidence)
    means = periods["mean"].to_numpy(dtype=float)
    tau, p_value = _trend(means)
    return TimeProfile(
        unit=unit,
        periods=periods,
        trend=Estimate(tau, method="Kendall's τ", n=len(means)),
        trend_p=p_value,
        seasons=_seasons(stamps, target.astype(float)),
        memory=_memory(means, confidence),
        persistence=_persistence(
            order.astype(float) if np.isnan(numbers).any() else numbers,
            target,
            groups,
            known,
            confidence,
        ),
    )


def _periods(stamps: pd.Series, numbers: Floats) -> tuple[str, list[str], npt.NDArray[np.int64]]:
    """Return the unit, the periods' names, and each row's position among them."""
    if is_datetime64_dtype(stamps.dtype):
        for unit, alias in FREQUENCIES.items():
            if unit == "hour" and not _has_clock(stamps):
                continue
            period = stamps.dt.to_period(alias)
            if period.nunique() <= MAX_PERIODS or unit == "year":
                codes, names = pd.factorize(period, sort=True)
                return unit, [str(name).split("/")[0] for name in names], codes.astype(np.int64)
    if np.isnan(numbers).any():  # names of periods, such as "2024-Q1"
        codes, names = pd.factorize(stamps.map(str), sort=True)
        return str(stamps.name), [str(name) for name in names], codes.astype(np.int64)
    is_duration = is_timedelta64_dtype(stamps.dtype)
    name = f"{stamps.name} (seconds)" if is_duration else str(stamps.name)
    bins, labels = bins_of(numbers, MAX_PERIODS)
    n_values = len(np.unique(numbers))
    return name if n_values <= MAX_PERIODS else f"{name}, in bins", labels, bins


def _has_clock(stamps: pd.Series) -> bool:
    return bool((stamps != stamps.dt.normalize()).any())


def _summarise(
    names: list[str], codes: npt.NDArray[np.int64], target: pd.Series, confidence: float
) -> pd.DataFrame:
    grouped = target.groupby(codes)
    table = pd.DataFrame({"rows": grouped.size(), "mean": grouped.mean()})
    error = grouped.std(ddof=1) / np.sqrt(table["rows"])
    arm = stats.norm.ppf((1 + confidence) / 2) * error
    table = table.assign(low=table["mean"] - arm, high=table["mean"] + arm)
    if target.isin([0, 1]).all():
        pairs = zip(grouped.sum().astype(int), table["rows"], strict=True)
        shares = [wilson(k, n, level=confidence) for k, n in pairs]
        table = table.assign(low=[e.low for e in shares], high=[e.high for e in shares])
    table.insert(0, "period", [names[int(code)] for code in table.index])
    return table.reset_index(drop=True)


def _trend(means: Floats) -> tuple[float, float]:
    """Return Kendall's τ with time, and its p-value widened for memory."""
    n = len(means)
    if n < 4 or np.ptp(means) == 0:
        return float("nan"), float("nan")
    kendall = stats.kendalltau(np.arange(n), means)  # exact for few periods
    ranks = stats.rankdata(means - np.arange(n) * float(stats.theilslopes(means)[0]))
    first = 2 * np.sin(np.pi / 6 * float(_autocorrelations(ranks, 1)[0]))  # of normal values
    first = min(max(first + (2 + 4 * first) / n, 0.0), 0.99)  # a fitted line takes memory away
    lags = np.arange(1, n - 2)
    memory = 6 / np.pi * np.arcsin(first**lags / 2)
    weights = (n - lags) * (n - lags - 1) * (n - lags - 2)
    inflation = 1 + 2 / (n * (n - 1) * (n - 2)) * float((weights * memory).sum())
    spread = np.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1)) * inflation)
    p_value = float(2 * stats.norm.sf(abs(kendall.statistic) / spread))
    return float(kendall.statistic), max(p_value, float(kendall.pvalue))


def _autocorrelations(values: Floats, n_lags: int) -> Floats:
    if n_lags < 1 or np.ptp(values) == 0:
        return np.zeros(max(n_lags, 0))
    centred = values - values.mean()
    total = float((centred**2).sum())
    return np.array(
        [float((centred[lag:] * centred[:-lag]).sum()) / total for lag in range(1, n_lags + 1)]
    )


def _memory(means: Floats, confidence: float) -> pd.DataFrame:
    n_lags = min(len(means) // 2, 24) if len(means) >= MIN_REMEMBERED else 0
    lags = np.arange(1, n_lags + 1)
    bound = stats.norm.ppf((1 + confidence) / 2) / np.sqrt(max(len(means), 1))
    values = _autocorrelations(means, n_lags)
    return pd.DataFrame({"lag": lags, "autocorrelation": values, "bound": bound})


def _seasons(stamps: pd.Series, target: pd.Series) -> pd.DataFrame:
    rows = []
    if len(stamps) and is_datetime64_dtype(stamps.dtype):
        for cycle, alias, length in CYCLES:
            series = _regular(stamps, target, alias)
            if series.notna().sum() < MIN_CYCLES * length:
                continue
            strength, peak, p_value = _season(series.to_numpy(dtype=float), length)
            where = series.index[:length][peak].strftime(
                {"h": "%H:00", "D": "%A", "M": "%B"}[alias]
            )
            rows.append((cycle, strength, len(series) / length, where, p_value))
    return pd.DataFrame(rows, columns=["cycle", "strength", "cycles", "peak", "p"])


def _regular(stamps: pd.Series, target: pd.Series, alias: str) -> pd.Series:
    """Return the mean of each period, empty ones missing; nothing for hours without a clock."""
    if alias == "h" and not _has_clock(stamps):
        return pd.Series(dtype=float)
    means = target.groupby(stamps.dt.to_period(alias)).mean()
    span = pd.period_range(means.index.min(), means.index.max(), freq=alias)
    if len(span) > 4 * len(means) + 100:  # a few rows over decades: no series to speak of
        return pd.Series(dtype=float)
    return means.reindex(span)


def _season(values: Floats, length: int) -> tuple[float, int, float]:
    """Return a cycle's strength, the position of its peak and its p, less slow change."""
    window = length + (length % 2 == 0)
    slow = pd.Series(values).rolling(window, center=True, min_periods=max(length // 2, 1)).mean()
    rest = values - slow.to_numpy()
    position = np.arange(len(values)) % length
    known = ~np.isnan(rest)
    means = pd.Series(rest[known]).groupby(position[known]).mean().reindex(range(length))
    remainder = rest[known] - means.to_numpy()[position[known]]
    n, spread = int(known.sum()), float(np.var(rest[known]))
    if spread <= 1e-12 * max(float(np.nanvar(values)), 1e-300) or n <= length:
        return 0.0, 0, 1.0
    explained = 1 - float(np.var(remainder)) / spread * (n - 1) / (n - length)
    peak = int(means.fillna(-np.inf).to_numpy().argmax())
    return max(explained, 0.0), peak, _season_p(np.where(known, rest, 0.0), length)


def _season_p(rest: Floats, length: int) -> float:
    """Return how often turning each repetition by itself leaves as clear a cycle."""
    blocks = rest[: len(rest) // length * length].reshape(-1, length)
    turns = (np.arange(length)[:, None] + np.arange(length)) % length  # a row for each start
    starts = np.random.default_rng(0).integers(length, size=(len(blocks), N_SHIFTS))
    sums = np.zeros((N_SHIFTS, length))
    for block, start in zip(blocks, starts, strict=True):
        sums += block[turns][start]
    n_as_clear = int((sums.var(axis=1) >= blocks.sum(axis=0).var() * (1 - 1e-9)).sum())
    return (1 + n_as_clear) / (1 + N_SHIFTS)


def _persistence(
    time: Floats,
    target: pd.Series,
    groups: pd.Series | None,
    known: npt.NDArray[np.bool_],
    confidence: float,
) -> Estimate | None:
    """Return the rank correlation of a group's target with its next; Fisher's z over groups."""
    if groups is None:
        return None
    owner = pd.factorize(groups.to_numpy()[known])[0]
    rows = pd.DataFrame({"owner": owner, "time": time, "target": target.to_numpy(dtype=float)})
    # Rows of one group at one time have no order: their mean counts.
    means = rows[rows["owner"] >= 0].groupby(["owner", "time"], as_index=False)["target"].mean()
    owners, values = means["owner"].to_numpy(), means["target"].to_numpy()
    follows = owners[1:] == owners[:-1]
    before, after = values[:-1][follows], values[1:][follows]
    n_groups = len(np.unique(owners[1:][follows]))
    if n_groups < 5 or np.ptp(before) == 0 or np.ptp(after) == 0:
        return None
    r = float(stats.spearmanr(before, after).statistic)
    arm = stats.norm.ppf((1 + confidence) / 2) / np.sqrt(n_groups - 3)
    low, high = np.tanh(np.arctanh(np.clip(r, -0.999999, 0.999999)) + np.array([-arm, arm]))
    return Estimate(r, float(low), float(high), confidence, "Fisher's z over groups", n_groups)
