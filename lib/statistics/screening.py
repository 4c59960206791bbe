"""Every feature alone against the target, on one scale, corrected for how many were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_datetime64_dtype
from scipy import optimize, special, stats

from lib.errors import InputError
from lib.estimates import Estimate, benjamini_hochberg
from lib.statistics.associations import independence_p, largest_phi2
from lib.statistics.columns import (
    bins_of,
    column_kinds,
    levels_of,
    merge_rare,
    moments_of,
    numbers_of,
)

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MAX_SCREENED_LEVELS = 30
N_BINS = 10
STRAIGHT = 0.7  # share of the explained spread that a straight line over the levels takes
COLUMNS = ["feature", "kind", "strength", "shape", "correlation", "levels", "p", "q"]


@dataclass(frozen=True)
class _Answer:
    """A χ²-like statistic of one feature against the target, before correction for groups."""

    statistic: float  # n times explained over unexplained spread
    n: int
    degrees: int
    spare: float  # degrees of freedom of the unexplained spread; infinite for classes
    room: float  # the largest mean statistic, to which strength is relative
    design_effect: float
    p_value: float


def compare_with_target(
    X: pd.DataFrame,
    y: pd.Series,
    *,
    task: Literal["binary", "multiclass", "regression"],
    groups: pd.Series | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return how strongly each feature alone goes with the target.

    All features are put on one scale: numbers in up to ten bins of equal counts, categories as
    they are (the 29 most frequent and the others), text by its length, and missing values as a
    level of their own. So a bent relation counts as much as a straight one, and so does a gap
    that tells something. Strength is bias-corrected Cramér's V with the classes [1]_, or the
    bias-corrected correlation ratio of the target's ranks [2]_: 0 is none, 1 gives it away.

    Intervals invert the noncentral χ² distribution, or the noncentral F of a regression [3]_. Rows
    of one group (a person seen five times) repeat each other, therefore test and interval are
    divided by the design effect of Rao and Scott [4]_, estimated for each feature, and the test is
    an F test with one degree less than there are groups [5]_.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        Features, with distinct names.
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        What `y` holds.
    groups : Series of shape (n,), optional
        What rows repeat.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame with columns feature, kind, strength, shape, correlation, levels, p, q
        Strongest first. `strength` is an `Estimate`; `shape` reads rises, falls, bent, differs or
        "no sign" (q of at least 5 %); `correlation` is Spearman's, NaN where an order is missing;
        `q` is p after Benjamini and Hochberg. Where the feature or the target does not vary,
        numbers are NaN and the shape reads "does not vary".

    Raises
    ------
    InputError
        When lengths differ or targets are missing.

    References
    ----------
    .. [1] W. Bergsma (2013). A bias-correction for Cramér's V and Tschuprow's T.
    .. [2] T. Kelley (1935). An unbiased correlation ratio measure.
    .. [3] M. Smithson (2003). Confidence Intervals. Sage.
    .. [4] J. Rao, A. Scott (1984). On chi-squared tests for multiway contingency tables with cell
       proportions estimated from survey data. Annals of Statistics 12:46.
    .. [5] D. Thomas, J. Rao (1987). Small-sample comparisons of level and power for simple
       goodness-of-fit statistics under cluster sampling. JASA 82:630.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"noise": rng.normal(size=500), "signal": rng.normal(size=500)})
    >>> table = compare_with_target(X, X["signal"] ** 2, task="regression")
    >>> table[["feature", "shape"]].to_numpy().tolist()
    [['signal', 'bent'], ['noise', 'no sign']]
    """
    _check(X, y, groups)
    kinds = column_kinds(X)
    target = _indicators(y, task)
    owner = None if groups is None else pd.factorize(groups)[0].astype(np.int64)
    rows = [
        _screen(name, kinds[name], X[name], target, task=task, owner=owner, level=confidence)
        for name in X.columns
    ]
    table = pd.DataFrame(rows, columns=COLUMNS[:-1])
    table["q"] = benjamini_hochberg(table["p"])
    table["shape"] = table["shape"].where(table["q"] < 1 - confidence, "no sign")
    table.loc[table["p"].isna(), "shape"] = "does not vary"
    strengths = pd.Series([e.value for e in table["strength"]], dtype=float)
    order = np.lexsort((np.arange(len(table)), -strengths.fillna(-1).round(9)))
    return table.iloc[order].reset_index(drop=True)


def feature_levels(
    column: pd.Series, kind: str, *, n_bins: int = N_BINS
) -> tuple[Codes, list[str]]:
    """Return the levels that screening compares: bins, categories, and "(missing)" if any.

    Parameters
    ----------
    column : Series
        A feature.
    kind : str
        As `column_kinds` says.
    n_bins : int, default=10
        Of numbers, dates and lengths of texts, with about as many rows each.

    Returns
    -------
    codes : array of int, shape (n,)
        All at least 0.
    names : list of str
        One a code.

    Examples
    --------
    >>> feature_levels(pd.Series(["a", None]), "categorical")[1]
    ['a', '(missing)']
    """
    if kind == "text":
        codes, names = bins_of(np.asarray(column.map(str).str.len(), dtype=float), n_bins)
        codes[column.isna().to_numpy()] = -1
    elif kind in {"numeric", "datetime"}:
        codes, names = bins_of(numbers_of(column), n_bins)
        moments = moments_of(column)
        if is_datetime64_dtype(moments.dtype):
            names = _date_names(moments, codes, len(names))
    else:
        codes, names = merge_rare(*levels_of(column), MAX_SCREENED_LEVELS)
    if (codes < 0).any():
        codes, names = np.where(codes < 0, len(names), codes), [*names, "(missing)"]
    used, codes = np.unique(codes, return_inverse=True)
    return codes, [names[i] for i in used]


def _check(X: pd.DataFrame, y: pd.Series, groups: pd.Series | None) -> None:
    if len(y) != len(X) or (groups is not None and len(groups) != len(X)):
        n_groups = "" if groups is None else f" and {len(groups):,} groups"
        msg = f"Expected one target a row, got {len(X):,} rows, {len(y):,} targets{n_groups}."
        raise InputError(msg + " Take all of them from one table.")
    if y.isna().any():
        msg = f"Expected a target in every row, got {int(y.isna().sum()):,} missing ones."
        raise InputError(msg + " Leave those rows out: y.notna().")


def _date_names(column: pd.Series, codes: Codes, n_levels: int) -> list[str]:
    days = [column[codes == code].dt.strftime("%Y-%m-%d") for code in range(n_levels)]
    ends = [(day.min(), day.max()) for day in days]
    return ["" if pd.isna(a) else a if a == b else f"{a} to {b}" for a, b in ends]


def _indicators(y: pd.Series, task: str) -> Floats:
    """Return the target as centred columns of variance p(1-p) a class, or as ranks."""
    if task == "regression":
        columns = stats.rankdata(y.to_numpy(dtype=float))[:, None]
    else:
        codes, classes = pd.factorize(y, sort=True)
        columns = np.eye(len(classes))[codes]
    return np.asarray(columns - columns.mean(axis=0)) if len(columns) else columns


def _screen(
    name: str,
    kind: str,
    column: pd.Series,
    target: Floats,
    *,
    task: str,
    owner: Codes | None,
    level: float,
) -> dict[str, object]:
    codes, names = feature_levels(column, kind)
    row: dict[str, object] = {"feature": name, "kind": kind, "levels": len(names)}
    if len(names) < 2 or np.ptp(target) == 0:
        return {
            **row,
            "strength": Estimate(np.nan),
            "shape": "",
            "correlation": np.nan,
            "p": np.nan,
        }
    answer = _ask(codes, target, owner, task)
    is_ordered = kind in {"numeric", "datetime", "text"}
    means = _means(codes, target[:, -1])
    shape = _shape(codes, means, names, is_ordered=is_ordered and task != "multiclass")
    correlation = np.nan
    if is_ordered and kind != "text" and task != "multiclass":
        correlation = _spearman(numbers_of(column), target[:, -1])
    strength = _strength(answer, level)
    return {
        **row,
        "strength": strength,
        "shape": shape,
        "correlation": correlation,
        "p": answer.p_value,
    }


def _ask(codes: Codes, target: Floats, owner: Codes | None, task: str) -> _Answer:
    n, n_levels = len(codes), int(codes.max()) + 1
    counts = np.bincount(codes, minlength=n_levels).astype(float)
    sums = _sums(codes, target, n_levels)
    # A class weighs 1/p, as in Pearson's χ²; the variance of one indicator is p (1 - p).
    shares = -target.min(axis=0)  # of the classes: a centred indicator is -p or 1 - p
    weight = 1 / ((target**2).mean(axis=0) if task == "regression" else shares)
    explained = float(((sums**2 / counts[:, None]).sum(axis=0) * weight).sum())
    n_outcomes = 2 if task == "regression" else target.shape[1]
    degrees = (n_levels - 1) * (n_outcomes - 1)
    design_effect = 1.0
    if owner is not None:
        design_effect = max(_design_effect(codes, target, owner, weight) / degrees, 1.0)
    if task == "regression":
        eta2 = min(explained / n, 1 - 1e-12)
        statistic = max(n - n_levels, 1) * eta2 / (1 - eta2)
        f = statistic / degrees / design_effect
        p_value, room = float(stats.f.sf(f, degrees, max(n - n_levels, 1))), np.nan
    else:
        statistic, room = explained, largest_phi2(n_levels, n_outcomes, n)
        p_value = independence_p(statistic / design_effect, counts, shares * n)
    spare = float(max(n - n_levels, 1)) if task == "regression" else np.inf
    if owner is not None:  # few groups leave the design effect itself uncertain
        f = statistic / degrees / design_effect
        p_value = max(p_value, float(stats.f.sf(f, degrees, max(int(owner.max()), 1))))
    return _Answer(statistic, n, degrees, spare, room, design_effect, p_value)


def _sums(codes: Codes, target: Floats, n_levels: int) -> Floats:
    columns = [np.bincount(codes, weights=column, minlength=n_levels) for column in target.T]
    return np.stack(columns, axis=1)


def _design_effect(codes: Codes, target: Floats, owner: Codes, weight: Floats) -> float:
    """Return the statistic to expect without a relation, when rows of a group repeat.

    It is the sum over groups of squared sums, a level each, less their common part; where no
    row repeats, it equals the degrees of freedom.
    """
    counts = np.bincount(codes).astype(float)
    cells, cell = np.unique(owner * len(counts) + codes, return_inverse=True)
    in_cells = _sums(cell, target, len(cells))
    in_groups = _sums(owner, target, int(owner.max()) + 1)
    own = (in_cells**2 / counts[cells % len(counts)][:, None]).sum(axis=0)
    common = (in_groups**2).sum(axis=0) / len(codes)
    return float(((own - common) * weight).sum())


def _strength(answer: _Answer, level: float) -> Estimate:
    scale = answer.design_effect / answer.n
    statistic = answer.statistic / answer.design_effect
    centre = max(statistic - answer.degrees, 0.0)
    fair = statistic / answer.degrees
    low, high = noncentral_f_interval(fair, answer.degrees, answer.spare, level)
    phi2 = np.array([centre, low, high]) * scale
    if np.isnan(answer.room):
        squared = phi2 / (1 + phi2)
    else:
        squared = phi2 / answer.room if answer.room > 0 else np.full(3, np.nan)
    value, low, high = (float(x) for x in np.sqrt(np.clip(squared, 0, 1)))
    method = "noncentral F" if np.isnan(answer.room) else "noncentral χ²"
    return Estimate(value, min(low, value), max(high, value), level, method, answer.n)


def noncentral_interval(statistic: float, degrees: int, level: float) -> tuple[float, float]:
    """Return the interval of a noncentral χ² distribution's noncentrality given one draw.

    A draw below the middle of what chance gives would narrow the interval down to nothing, as if
    the rows could rule out any relation: its upper end is that of the middle draw [1]_.

    Parameters
    ----------
    statistic : float
        The draw.
    degrees : int
        Degrees of freedom.
    level : float
        Coverage.

    Returns
    -------
    low, high : float
        At least 0.

    References
    ----------
    .. [1] G. Cowan, K. Cranmer, E. Gross, O. Vitells (2011). Power-constrained limits.
       arXiv:1105.3166.

    Examples
    --------
    >>> [round(end, 2) for end in noncentral_interval(20.0, 3, 0.95)]
    [4.82, 38.97]
    """
    tail = (1 - level) / 2
    low = _noncentrality(statistic, degrees, tail=1 - tail)
    middle = float(special.chdtri(degrees, 0.5))
    return low, _noncentrality(max(statistic, middle), degrees, tail=tail)


def _noncentrality(statistic: float, degrees: int, *, tail: float) -> float:
    """Return the noncentrality under which the share `tail` of draws is below `statistic`."""
    if statistic > 1e4:  # normal limit; the exact series is slow and loses digits there
        z = float(special.ndtri(tail))
        middle = statistic - degrees
        return float(max(middle - z * np.sqrt(2 * degrees + 4 * max(middle, 0)), 0.0))

    def excess(noncentrality: float) -> float:
        return float(special.chndtr(statistic, degrees, noncentrality)) - tail

    if excess(0.0) <= 0:
        return 0.0
    upper = statistic + 10 * np.sqrt(2 * degrees + 4 * statistic) + 50
    return float(optimize.brentq(excess, 0.0, upper, xtol=1e-8))


def _means(codes: Codes, values: Floats) -> Floats:
    return np.asarray(np.bincount(codes, weights=values) / np.bincount(codes))


def _shape(codes: Codes, means: Floats, names: Sequence[str], *, is_ordered: bool) -> str:
    n_ordered = len(names) - (names[-1] == "(missing)")
    if not is_ordered or n_ordered < 2:
        return "differs"
    counts = np.bincount(codes)[:n_ordered].astype(float)
    x, y = np.arange(n_ordered, dtype=float), means[:n_ordered]
    x, y = x - np.average(x, weights=counts), y - np.average(y, weights=counts)
    slope = float((counts * x * y).sum())
    straight = slope**2 / max(float((counts * x * x).sum() * (counts * y * y).sum()), 1e-300)
    if straight < STRAIGHT:
        return "bent"
    return "rises" if slope > 0 else "falls"


def _spearman(numbers: Floats, target: Floats) -> float:
    seen = ~np.isnan(numbers)
    if seen.sum() < 3 or np.ptp(target[seen]) == 0 or len(np.unique(numbers[seen])) < 2:
        return float("nan")
    return float(np.corrcoef(stats.rankdata(numbers[seen]), stats.rankdata(target[seen]))[0, 1])


def noncentral_f_interval(
    statistic: float, degrees: float, spare: float, level: float
) -> tuple[float, float]:
    """Return the interval of a noncentral F distribution's noncentrality given one draw.

    Its upper end is at least that of the middle draw without a relation, as with χ².

    Parameters
    ----------
    statistic : float
        The draw.
    degrees, spare : float
        Degrees of freedom of numerator and denominator; with more than 2,000 of the latter, F is χ²
        over its degrees.
    level : float
        Coverage.

    Returns
    -------
    low, high : float
        At least 0.

    Examples
    --------
    >>> [round(end, 1) for end in noncentral_f_interval(30.0, 4, 12, 0.95)]
    [35.2, 242.3]
    """
    if spare > 2_000 or statistic > 1e6:  # beyond that, there are no digits left
        return noncentral_interval(degrees * statistic, round(degrees), level)

    def excess(noncentrality: float, draw: float, tail: float) -> float:
        return float(stats.ncf.cdf(draw, degrees, spare, noncentrality)) - tail

    ends = []
    middle = float(special.fdtri(degrees, spare, 0.5))
    for draw, tail in ((statistic, (1 + level) / 2), (max(statistic, middle), (1 - level) / 2)):
        if float(stats.f.cdf(draw, degrees, spare)) <= tail:
            ends.append(0.0)
            continue
        upper = degrees * draw + 50.0
        while excess(upper, draw, tail) > 0:
            upper *= 2
        ends.append(float(optimize.brentq(excess, 1e-12, upper, args=(draw, tail), xtol=1e-8)))
    return ends[0], ends[1]
