"""Correlations with p-values, intervals and corrections; whole groups as units when given."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lib.errors import InputError
from lib.estimates import Estimate, benjamini_hochberg, holm
from lib.statistics.clustered import (
    Codes,
    Floats,
    count_units,
    draw_rows,
    influence_error,
    mean_above,
    owner_codes,
    quantile_of_t,
)
from lib.statistics.columns import column_kinds, numbers_of

Method = Literal["pearson", "spearman"]
LEAST_ROWS = 5
COLUMNS = ["first", "second", "n", "correlation", "p", "q", "holm"]


def correlate(
    x: Floats,
    y: Floats,
    *,
    method: Method = "spearman",
    owner: Codes | None = None,
    level: float = 0.95,
) -> tuple[Estimate, float]:
    """Return a correlation with its interval, and the p-value of none.

    The interval comes from what each row, or each group, adds to the estimate, on the scale of
    Fisher's z: it holds for ties and for values of any shape. Pearson's is never narrower than
    Fisher's own, which normal values would have [1]_. The test is the usual t of independence, over
    groups the estimate in errors.

    Parameters
    ----------
    x, y : array of float, shape (n,)
        Without gaps.
    method : {"pearson", "spearman"}
        Of values or of ranks.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.
    level : float
        Coverage aimed at.

    Returns
    -------
    correlation : Estimate
    p : float
        NaN, like the correlation, when a side does not vary or fewer than 5 rows are left.

    References
    ----------
    .. [1] R. Fisher (1921). On the probable error of a coefficient of correlation deduced from a
       small sample. Metron 1:3.

    Examples
    --------
    >>> x = np.arange(20.0)
    >>> correlation, p = correlate(x, (x - 4) ** 2)
    >>> print(correlation, p < 0.001)
    0.911 [0.508, 0.987] True
    """
    n = len(x)
    if n < LEAST_ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Estimate(math.nan, level=level, n=n), math.nan
    if method == "spearman":
        x, y = stats.rankdata(x), stats.rankdata(y)
    x, y = _standard(x), _standard(y)
    r = float(np.clip((x * y).mean(), -1, 1))
    if abs(r) > 1 - 1e-12:
        return Estimate(math.copysign(1, r), math.nan, math.nan, level, "exact", n), 0.0
    influence = _rank_influence(x, y, r) if method == "spearman" else _influence(x, y, r)
    error = influence_error(influence, owner) / (1 - r**2)
    spare = count_units(n, owner) - (2 if owner is None else 1)
    arm = quantile_of_t(level, spare) * error
    t, words = math.atanh(r) / error if error > 0 else math.nan, "Fisher z over groups"
    if owner is None:
        t, words = r * math.sqrt((n - 2) / (1 - r**2)), "Fisher z"
        if method == "pearson":
            arm = max(arm, float(stats.norm.ppf((1 + level) / 2)) / math.sqrt(n - 3))
    p_value = 2 * float(stats.t.sf(abs(t), spare))
    z = math.atanh(r)
    return Estimate(r, math.tanh(z - arm), math.tanh(z + arm), level, words, n), p_value


def compute_correlations(
    frame: pd.DataFrame,
    *,
    method: Method = "spearman",
    groups: pd.Series | None = None,
    level: float = 0.95,
    max_columns: int = 40,
    max_rows: int = 20_000,
) -> pd.DataFrame:
    """Return the correlation of every two columns of numbers, tested and corrected.

    Parameters
    ----------
    frame : DataFrame
        With distinct column names; dates count as numbers, other kinds are left out. Rows that
        lack either value are left out pair by pair.
    method : {"pearson", "spearman"}
        Ranks find any steady rise or fall; Pearson's are for straight relations.
    groups : Series of shape (n,), optional
        What rows repeat.
    level : float
        Of the intervals.
    max_columns : int
        The first columns of numbers to compare: pairs grow with their square.
    max_rows : int
        More rows are sampled, whole groups at a time; `attrs["n_rows"]` says how many were used.

    Returns
    -------
    DataFrame with columns first, second, n, correlation, p, q, holm
        Strongest first. `correlation` is an `Estimate`; `q` is p after Benjamini and Hochberg
        (share of false claims), `holm` after Holm (chance of any).

    Raises
    ------
    InputError
        When `groups` has another length.

    Examples
    --------
    >>> x = np.arange(30.0)
    >>> table = compute_correlations(pd.DataFrame({"x": x, "y": x**2, "z": np.sin(9 * x)}))
    >>> table[["first", "second"]].head(1).to_numpy().tolist()
    [['x', 'y']]
    """
    if groups is not None and len(groups) != len(frame):
        msg = f"Expected a group for each of {len(frame):,} rows, got {len(groups):,}."
        raise InputError(msg + " Take both from one table.")
    owner, kinds = owner_codes(groups), column_kinds(frame)
    kept = draw_rows(len(frame), owner, max_rows, 0)
    frame, owner = frame.iloc[kept], None if owner is None else owner[kept]
    names = [n for n in frame.columns if kinds[n] in {"numeric", "datetime"}][:max_columns]
    columns = {name: numbers_of(frame[name]) for name in names}
    rows = []
    for first, second in combinations(names, 2):
        x, y = columns[first], columns[second]
        seen = np.isfinite(x) & np.isfinite(y)
        owned = None if owner is None else owner[seen]
        made, p_value = correlate(x[seen], y[seen], method=method, owner=owned, level=level)
        rows.append((first, second, int(seen.sum()), made, p_value))
    table = pd.DataFrame(rows, columns=COLUMNS[:-2])
    p_values = table["p"].to_numpy(dtype=float)
    table["q"], table["holm"] = benjamini_hochberg(p_values), holm(p_values)
    strength = np.array([abs(e.value) for e in table["correlation"]], dtype=float)
    order = np.lexsort((np.arange(len(table)), -np.nan_to_num(strength, nan=-1.0).round(9)))
    table = table.iloc[order].reset_index(drop=True)
    table.attrs["n_rows"] = len(kept)
    return table


def _standard(values: Floats) -> Floats:
    values = values / max(float(np.abs(values).max()), np.finfo(float).tiny)
    centred = values - values.mean()
    return np.asarray(centred / centred.std())


def _influence(x: Floats, y: Floats, r: float) -> Floats:
    """Return what each row adds to Pearson's r of standardised columns."""
    return np.asarray(x * y - r * (x**2 + y**2) / 2)


def _rank_influence(x: Floats, y: Floats, r: float) -> Floats:
    """Return what each row adds to Spearman's r, ranks being estimated as well.

    A row adds its own product, and moves the ranks of all rows above it. Standardised midranks
    come in; ties count half.
    """
    step_x, step_y = _step(x), _step(y)  # how far one more row below moves a standardised rank
    cross = x * y + step_x * mean_above(x, y) + step_y * mean_above(y, x)
    own = x**2 + y**2 + 2 * step_x * mean_above(x, x) + 2 * step_y * mean_above(y, y)
    influence = cross - r / 2 * own
    return np.asarray(influence - influence.mean())


def _step(standard_ranks: Floats) -> float:
    ranks = stats.rankdata(standard_ranks)
    return len(ranks) * float(np.ptp(standard_ranks) / np.ptp(ranks))
