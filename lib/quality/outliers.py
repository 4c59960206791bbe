"""Values and rows that stand apart from all others by a gap, not only far out in a tail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats
from scipy.special import ndtri

from lib.checks import Check
from lib.quality.answers import found, not_applicable, settle, share
from lib.quality.table import Floats, Table

MAX_SHARE = 0.05  # more than this is a second population, not outliers
MIN_ROWS = 50
SCALES = ("as it is", "log", "arcsinh")
FAR_FROM_FIT = 4.0  # standard deviations of a column: from one end to the other, about
FURTHER = 2.5  # … or so many, and so many times further than the next
MAX_QUANTILES = 50_000  # values from which the middle and the spread of a column are taken
MIN_GAP = 0.4  # of the distance from the middle to the last value before the gap


@dataclass(frozen=True)
class Isolated:
    """Values beyond a gap at the upper end of a column.

    Attributes
    ----------
    rows : ndarray of int
    nearest : float
        The last value before the gap.
    first : float
        The first value beyond it.
    """

    rows: npt.NDArray[np.int64]
    nearest: float
    first: float


def find_isolated(values: npt.ArrayLike, *, scales: Sequence[str] = SCALES) -> Isolated | None:
    """Return the values beyond a gap in the upper tail; None when the tail ends without one.

    The column is first brought to the scale (as it is, its logarithm, or the inverse hyperbolic
    sine) on which its 75th and 90th percentiles lie as a normal distribution has them, so that a
    skewed or heavy tail is no alarm. A value is isolated when it lies further out than the
    largest of so many normal values plausibly would, and behind a gap of at least four tenths of
    the distance between the middle and the last value before the gap.

    Parameters
    ----------
    values : array-like of shape (n,)
        NaN is ignored.
    scales : sequence of {"as it is", "log", "arcsinh"}
        Those to choose from.

    Returns
    -------
    Isolated or None

    Examples
    --------
    >>> column = np.random.default_rng(0).lognormal(size=500)
    >>> find_isolated(column) is None
    True
    >>> find_isolated(np.r_[column, 900.0]).rows
    array([500])
    """
    x = np.asarray(values, dtype=float)
    known = np.flatnonzero(~np.isnan(x))
    if len(known) < MIN_ROWS:
        return None
    scaled = _as_normal(x[known], scales)
    if scaled is None:
        return None
    n = len(scaled)
    limit = 1.4 * float(stats.norm.isf(1 / (20 * n))) + 0.6
    if scaled.max() <= limit:
        return None
    start = max(int(n * (1 - MAX_SHARE)), n // 2) - 1  # only the upper tail need be in order
    tail = np.argpartition(scaled, start)[start:]
    tail = tail[np.lexsort((tail, scaled[tail]))]
    z = scaled[tail]
    is_break = (z[1:] > limit) & (np.diff(z) > np.maximum(MIN_GAP * z[:-1], 1.5))
    if not is_break.any():
        return None
    cut = int(np.argmax(is_break)) + 1
    beyond = known[tail[cut:]]
    return Isolated(np.sort(beyond), float(x[known[tail[cut - 1]]]), float(x[known[tail[cut]]]))


def _as_normal(x: Floats, scales: Sequence[str]) -> Floats | None:
    """Return distances from the median in upper spreads, on the scale that looks most normal."""
    some = x[:: max(len(x) // MAX_QUANTILES, 1)]  # enough for quantiles
    median, upper = np.median(some), np.quantile(some, 0.9)
    if upper <= median:
        return None
    tried: list[Callable[[Floats], Floats]] = [lambda v: v] if "as it is" in scales else []
    if x.min() > 0 and "log" in scales:
        tried.append(np.log)
    if "arcsinh" in scales:
        tried.append(lambda v: np.arcsinh(2 * (v - median) / (upper - median)))
    best: tuple[float, Callable[[Floats], Floats], float, float] | None = None
    for scale in tried:
        middle, high, higher = np.quantile(scale(some), [0.5, 0.75, 0.9])
        if higher <= middle:
            continue
        misfit = abs((high - middle) / (higher - middle) - 0.6745 / 1.2816)
        spread = max((higher - middle) / 1.2816, (high - middle) / 0.6745)
        if best is None or misfit < best[0] - 0.02:  # in doubt the simpler scale
            best = misfit, scale, float(middle), float(spread)
    return None if best is None else (best[1](x) - best[2]) / best[3]


def check_values(
    table: Table, *, known: dict[str, npt.NDArray[np.bool_]] | None = None
) -> list[Check]:
    """Q07: single values behind a gap; those that other checks explain are left out (`known`)."""
    columns = [name for name in table.numeric if table.n_distinct[name] > 10]
    if not columns or len(table) < MIN_ROWS:
        reason = f"needs {MIN_ROWS} rows and a feature with more than 10 different numbers"
        return [not_applicable("Q07", reason)]
    answers = []
    for name in columns:
        x = table.numbers(name)
        if known and name in known:
            x = np.where(known[name], np.nan, x)
        for sign in (1, -1):
            isolated = find_isolated(sign * x)
            if isolated is None:
                continue
            count = len(isolated.rows)
            edge, inside = sign * isolated.first, sign * isolated.nearest
            plural = "s lie" if count > 1 else " lies"
            ends = x[isolated.rows[np.argmax(sign * x[isolated.rows])]]
            reach = f"{edge:.6g}" if count == 1 else f"{edge:.6g} to {ends:.6g}"
            side = "above" if sign > 0 else "below"
            evidence = (
                f"{share(count, len(x))} value{plural} {side} a gap: {reach}; "
                f"the next is {inside:.6g}"
            )
            answers.append(
                found("Q07", "warning", name, evidence, _ADVICE, rows=isolated.rows[:20])
            )
    return settle("Q07", answers)


_ADVICE = "look at these rows: a slip of the keyboard, another unit, or a rare truth"


def check_rows(table: Table) -> list[Check]:
    """Q08: rows whose values are each common but never occur together."""
    columns = [name for name in table.numeric if _is_spread(table, name)]
    n_fit = len(table.sample)
    if len(columns) < 2 or n_fit < max(MIN_ROWS, 5 * len(columns)):
        reason = "needs two features whose numbers vary in most rows, and five rows for each"
        return [not_applicable("Q08", reason)]
    scores = np.column_stack([_normal_scores(table.numbers(name)) for name in columns])
    fit = _fit_bulk(scores, table.sample)
    answers = []
    unlike = (scores - fit.centre) @ fit.precision / np.diag(fit.precision)
    unlike[table.frame.select(pl.any_horizontal(pl.col(columns).is_null())).to_series()] = np.nan
    for j, name in enumerate(columns):
        for sign in (1, -1):
            isolated = find_isolated(sign * unlike[:, j])
            if isolated is not None and _is_far(abs(isolated.first), abs(isolated.nearest)):
                many = len(isolated.rows) > 1
                evidence = (
                    f"{share(len(isolated.rows), len(scores))} value{'s do' if many else ' does'} "
                    f"not fit the other {len(columns) - 1:,} numbers of the row: "
                    f"{abs(isolated.first):.2g} standard deviations{' or more' if many else ''} "
                    f"from what they say, the next row {abs(isolated.nearest):.2g}{table.of_rows}"
                )
                rows = isolated.rows[:20]
                answers.append(found("Q08", "warning", name, evidence, _SWAPPED, rows=rows))
    isolated = None if answers else find_isolated(np.log(fit.distances), scales=("as it is",))
    if isolated is not None:
        evidence = (
            f"{share(len(isolated.rows), len(scores))} rows break the relations between "
            f"{len(columns)} numbers: squared distance {np.exp(isolated.first):.4g} and more, the "
            f"next has {np.exp(isolated.nearest):.4g}{table.of_rows}"
        )
        worst = isolated.rows[np.argsort(-fit.distances[isolated.rows], kind="stable")]
        answers.append(found("Q08", "warning", "", evidence, _SWAPPED, rows=worst[:20]))
    return settle("Q08", answers)


_SWAPPED = "look whether two columns or two rows were swapped"


def _is_far(first: float, nearest: float) -> bool:
    return first >= FAR_FROM_FIT or (first >= FURTHER and first >= FURTHER * nearest)


def _is_spread(table: Table, name: str) -> bool:
    """Whether a column has more than 10 different numbers, none of them in half of the rows."""
    if table.n_distinct[name] <= 10:
        return False
    x = table.numbers(name)
    known = x[~np.isnan(x)]
    middle = [(len(known) - 1) // 2, len(known) // 2]  # what half of the rows hold stands there
    held = [(known == value).sum() for value in np.partition(known, middle)[middle]]
    return bool(max(held) < len(known) / 2)


def _normal_scores(x: Floats) -> Floats:
    """Return ranks as normal scores: how far a value is out says nothing here; a gap is 0."""
    known = ~np.isnan(x)
    scores = np.zeros(len(x))
    scores[known] = ndtri((stats.rankdata(x[known]) - 0.5) / max(known.sum(), 1))
    return scores


@dataclass(frozen=True)
class _Bulk:
    """Where most rows lie: centre, inverse covariance, and squared distances of all rows."""

    centre: Floats
    precision: Floats
    distances: Floats


def _fit_bulk(scores: Floats, sample: npt.NDArray[np.int64]) -> _Bulk:
    """Return mean and inverse covariance of the sampled rows, refitted without the furthest."""
    kept = scores[sample]
    for _ in range(3):
        centre = kept.mean(axis=0)
        covariance = np.cov(kept, rowvar=False) + 1e-3 * np.eye(scores.shape[1])
        precision = np.linalg.inv(covariance)
        apart = scores - centre
        distances = np.einsum("ij,ij->i", apart @ precision, apart)
        inside = distances[sample] <= np.quantile(distances[sample], 0.95)
        kept = scores[sample][inside]
    return _Bulk(centre, np.asarray(precision, float), np.maximum(distances, 1e-9))
