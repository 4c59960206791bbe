"""How strongly columns go together, whatever they hold."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats

from lib.statistics.columns import (
    MAX_LEVELS,
    column_kinds,
    levels_of,
    merge_rare,
    numbers_of,
    sample_rows,
)

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
COLUMNS = ["first", "second", "measure", "value", "n"]
ORDERED = ("numeric", "datetime")


def cramers_v(table: npt.ArrayLike, *, corrected: bool = True) -> float:
    """Return Cramér's V of a contingency table, by default with Bergsma's bias correction [1]_.

    Parameters
    ----------
    table : array-like of shape (n_rows, n_columns)
        Counts; empty rows and columns are left out.
    corrected : bool
        Without it, V of two independent columns grows with their numbers of levels.

    Returns
    -------
    float
        From 0, independent, to 1; NaN when a column has fewer than two levels.

    References
    ----------
    .. [1] W. Bergsma (2013). A bias-correction for Cramér's V and Tschuprow's T. J. Korean
       Stat. Soc. 42:323.

    Examples
    --------
    >>> cramers_v([[50, 0], [0, 50]])
    1.0
    >>> round(cramers_v([[100, 150], [203, 322], [420, 700], [320, 210]], corrected=False), 4)
    0.1862
    """
    counts = np.asarray(table, dtype=float)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    n, (r, k) = counts.sum(), counts.shape
    if min(r, k) < 2 or n < 2:
        return float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi2 = float(((counts - expected) ** 2 / expected).sum() / n)
    if not corrected:
        return float(np.sqrt(phi2 / (min(r, k) - 1)))
    phi2 = max(0.0, phi2 - (r - 1) * (k - 1) / (n - 1))
    room = largest_phi2(r, k, n)
    return float(min(np.sqrt(phi2 / room), 1.0)) if room > 0 else float("nan")


def largest_phi2(n_rows: int, n_columns: int, n: float) -> float:
    """Return the bias-corrected largest mean square contingency, min(r, k) - 1 for large n."""
    r = n_rows - (n_rows - 1) ** 2 / (n - 1)
    k = n_columns - (n_columns - 1) ** 2 / (n - 1)
    return float(min(r, k) - 1)


def independence_p(statistic: float, rows: npt.ArrayLike, columns: npt.ArrayLike) -> float:
    """Return the p-value of Pearson's χ² for tables with rare levels too.

    The gamma distribution with the exact mean and variance of the statistic over all tables with
    these margins [1]_; for many rows in every level it is the χ² distribution. Rare levels make
    the statistic more variable than χ², and the usual p-value too small.

    Parameters
    ----------
    statistic : float
        Pearson's, or one divided by a design effect.
    rows, columns : array-like of shape (n_rows,), (n_columns,)
        Totals of the table, all above 0.

    Returns
    -------
    float
        NaN when a margin has fewer than two levels.

    References
    ----------
    .. [1] R. Dawson (1954). A simplified expression for the variance of the χ²-function on a
       contingency table. Biometrika 41:280.

    Examples
    --------
    >>> round(independence_p(9.0, [5, 95], [8, 92]), 4), round(float(stats.chi2.sf(9.0, 1)), 4)
    (0.0087, 0.0027)
    """
    margins = [np.asarray(margin, dtype=float) for margin in (rows, columns)]
    n, (r, k) = float(margins[0].sum()), [len(margin) for margin in margins]
    if min(r, k) < 2:
        return float("nan")
    if n <= 3:
        return 1.0
    mean = n * (r - 1) * (k - 1) / (n - 1)
    even = [(levels - 1) * (n - levels) / (n - 1) for levels in (r, k)]
    uneven = [((n / margin).sum() - len(margin) ** 2) / (n - 2) for margin in margins]
    variance = 2 * n / (n - 3) * (even[0] - uneven[0]) * (even[1] - uneven[1])
    variance += n**2 / (n - 1) * uneven[0] * uneven[1]
    if variance <= 1e-9 * mean**2:  # one table has these margins
        return 1.0
    return float(stats.gamma.sf(statistic, mean**2 / variance, scale=variance / mean))


def correlation_ratio(
    categories: npt.ArrayLike, numbers: npt.ArrayLike, *, corrected: bool = False
) -> float:
    """Return the correlation ratio η: how far categories tell numbers apart [1]_.

    Parameters
    ----------
    categories : array-like of shape (n,)
        Any values.
    numbers : array-like of shape (n,)
        Floats. Rows where either is missing, or the number infinite, are left out.
    corrected : bool
        Take off what chance alone gives (Kelley's ε [2]_, the root of the adjusted R²).

    Returns
    -------
    float
        From 0, equal means, to 1, no spread inside the categories; NaN when the numbers do not
        vary.

    References
    ----------
    .. [1] R. Fisher (1926). Statistical Methods for Research Workers, section 45.
    .. [2] T. Kelley (1935). An unbiased correlation ratio measure. PNAS 21:554.

    Examples
    --------
    >>> round(correlation_ratio(["a", "a", "b", "b"], [1.0, 2.0, 3.0, 4.0]), 3)
    0.894
    """
    codes, names = levels_of(pd.Series(np.asarray(categories, dtype=object)))
    counted = pd.Series(np.asarray(numbers, dtype=float)).where(codes >= 0)
    values, known = _standardised(counted.to_frame(), ranks=False)
    one_hot = _one_hot(codes, len(names))
    if corrected:
        return float(_ratios(one_hot, values, known)[0][0])
    return float(np.sqrt(_explained(one_hot, values, known)[0][0]))


def compute_associations(
    frame: pd.DataFrame,
    *,
    method: Literal["spearman", "pearson"] = "spearman",
    max_rows: int = 50_000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return the association of every two columns, by a measure that fits their kinds.

    Two ordered columns (numbers, booleans, dates): Spearman's or Pearson's correlation. Two
    categorical ones: bias-corrected Cramér's V. One of each: the bias-corrected correlation ratio,
    of ranks when `method` is "spearman". Rows that lack either value are left out pair by pair;
    ranks are taken once a column. Time grows with the square of the number of columns.

    Parameters
    ----------
    frame : DataFrame
        With distinct names; constant, empty and free-text columns are left out.
    method : {"spearman", "pearson"}
        Ranks are robust to outliers and infinities, which Pearson takes for missing.
    max_rows : int
        More rows are sampled.
    random_state : int
        Seed of that sample.

    Returns
    -------
    DataFrame with columns first, second, measure, value, n
        One row a pair, strongest first; `value` is signed for correlations and NaN when a column
        does not vary among the shared rows; `n` counts those.

    Examples
    --------
    >>> table = pd.DataFrame({"x": [1, 2, 3, 4], "y": [1, 4, 9, 16], "z": list("abab")})
    >>> compute_associations(table)[["first", "second", "measure", "value"]].head(1)
      first second   measure  value
    0     x      y  Spearman    1.0
    """
    kinds = column_kinds(frame)
    frame = sample_rows(frame, max_rows, random_state)
    ordered = [name for name in frame.columns if kinds[name] in ORDERED]
    nominal = [name for name in frame.columns if kinds[name] == "categorical"]
    values, known = _standardised(frame[ordered], ranks=method == "spearman")
    tables = _one_hots(frame[nominal])
    rows = [
        *_ordered_pairs(ordered, values, known, method.capitalize()),
        *_mixed_pairs(nominal, ordered, tables, values, known),
        *_nominal_pairs(nominal, tables),
    ]
    pairs = pd.DataFrame(rows, columns=COLUMNS)
    # Ties keep the table's order: rounding makes the order independent of the last bit.
    by_strength = (-pairs["value"].abs().round(9)).argsort(kind="stable")
    missing_last = pairs.iloc[by_strength].sort_values(
        "value", key=lambda value: value.isna(), kind="stable"
    )
    return missing_last.reset_index(drop=True)


def as_matrix(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of `compute_associations` as a square table, ones on the diagonal.

    Columns that go together stand side by side (average linkage, optimal leaf order).

    Parameters
    ----------
    pairs : DataFrame with columns first, second, value
        One row a pair.

    Returns
    -------
    DataFrame of shape (n_columns, n_columns)
        Symmetric.

    Examples
    --------
    >>> pairs = pd.DataFrame({"first": ["a"], "second": ["b"], "value": [0.5]})
    >>> as_matrix(pairs).to_numpy().tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    names = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    position = {name: i for i, name in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    rows, columns = pairs["first"].map(position), pairs["second"].map(position)
    matrix[rows, columns] = matrix[columns, rows] = pairs["value"]
    order = _similar_order(matrix)
    return pd.DataFrame(matrix, index=names, columns=names).iloc[order, order]


def _similar_order(matrix: Floats) -> list[int]:
    if len(matrix) < 3:
        return list(range(len(matrix)))
    from scipy.cluster import hierarchy  # noqa: PLC0415 (half a second, used only here)
    from scipy.spatial.distance import squareform  # noqa: PLC0415

    distance = 1 - np.nan_to_num(np.abs(matrix)).round(6)
    np.fill_diagonal(distance, 0)
    tree = hierarchy.linkage(squareform(distance), "average", optimal_ordering=len(matrix) <= 150)
    return [int(i) for i in hierarchy.leaves_list(tree)]


def _standardised(frame: pd.DataFrame, *, ranks: bool) -> tuple[Floats, Floats]:
    """Return values (n, p) of mean 0 and spread 1, zero where missing, and a 0/1 mask of known."""
    values = np.zeros(frame.shape)
    known = np.zeros(frame.shape)
    for i, name in enumerate(frame.columns):
        numbers = numbers_of(frame[name])
        if not ranks:
            numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        seen = ~np.isnan(numbers)
        if not seen.any():
            continue
        shown = stats.rankdata(numbers[seen]) if ranks else numbers[seen]
        shown = shown / max(np.abs(shown).max(), np.finfo(float).tiny)  # squares stay finite
        centred = shown - shown.mean()
        values[seen, i] = centred / (centred.std() or 1.0)
        known[seen, i] = 1.0
    return values, known


def _one_hots(frame: pd.DataFrame) -> list[Any]:
    tables = []
    for name in frame.columns:
        codes, levels = merge_rare(*levels_of(frame[name]), MAX_LEVELS)
        tables.append(_one_hot(codes, len(levels)))
    return tables


def _one_hot(codes: Codes, n_levels: int) -> Any:
    """Return a sparse 0/1 matrix (n, n_levels); rows without a level are empty."""
    rows = np.flatnonzero(codes >= 0)
    cells = (np.ones(len(rows)), (rows, codes[rows]))
    return sparse.csr_array(cells, shape=(len(codes), n_levels))


def _ordered_pairs(names: list[str], values: Floats, known: Floats, measure: str) -> list[Any]:
    """Pearson's r of every two columns over their shared rows, by five matrix products."""
    n = known.T @ known
    sums = values.T @ known  # [i, j]: sum of i where j is known
    squares = (values**2).T @ known
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = values.T @ values - sums * sums.T / n
        variance = squares - sums**2 / n
        variance[variance < 1e-9 * n] = np.nan  # constant among the shared rows
        r = np.clip(covariance / np.sqrt(variance * variance.T), -1, 1)
    return [
        (names[i], names[j], measure, float(r[i, j]), int(n[i, j]))
        for i, j in combinations(range(len(names)), 2)
    ]


def _nominal_pairs(names: list[str], tables: list[Any]) -> list[Any]:
    rows = []
    for i, j in combinations(range(len(names)), 2):
        counts = (tables[i].T @ tables[j]).toarray()
        rows.append((names[i], names[j], "Cramér's V", cramers_v(counts), int(counts.sum())))
    return rows


def _mixed_pairs(
    nominal: list[str], ordered: list[str], tables: list[Any], values: Floats, known: Floats
) -> list[Any]:
    rows = []
    for name, one_hot in zip(nominal, tables, strict=True):
        strengths, counts = _ratios(one_hot, values, known)
        rows += [
            (name, other, "correlation ratio", float(strength), int(n))
            for other, strength, n in zip(ordered, strengths, counts, strict=True)
        ]
    return rows


def _ratios(one_hot: Any, values: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Return the corrected correlation ratio of each column of `values`, and its rows."""
    eta2, n, n_levels = _explained(one_hot, values, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        epsilon2 = 1 - (1 - eta2) * (n - 1) / (n - n_levels)
    epsilon2[(n_levels < 2) | (n <= n_levels)] = np.nan
    return np.sqrt(np.clip(epsilon2, 0, 1)), n


def _explained(one_hot: Any, values: Floats, known: Floats) -> tuple[Floats, Floats, Floats]:
    """Return η², the rows and the levels behind it, for each column of `values`."""
    sums, counts = one_hot.T @ values, one_hot.T @ known
    has_level = np.asarray(one_hot.sum(axis=1)).reshape(-1, 1)
    n = counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = sums.sum(axis=0) ** 2 / n
        between = np.where(counts > 0, sums**2 / counts, 0).sum(axis=0) - middle
        total = (values**2 * has_level).sum(axis=0) - middle
        total[total <= 1e-9 * n] = np.nan
        eta2 = np.clip(between / total, 0, 1)
    return eta2, n, (counts > 0).sum(axis=0)
