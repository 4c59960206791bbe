"""Quick looks at the target, inside the fold: how much of it a column's levels explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
MAX_CLASSES = 10  # of a target: the most frequent ones
MAX_ROWS = 4_000  # looked at: what shows on no more than these is not worth a feature
N_BINS = 8
N_MAIN_BINS = 5
RIDGE = 1e-3  # of the additive fit, as a share of the rows


def target_matrix(y: Any, task: str) -> Floats:
    """Return the target as columns that can be averaged.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        What `y` holds.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        One indicator a class (binary: one; of many classes the ten most frequent), or the
        normal scores of the numbers' ranks, which no outlier can steer.

    Examples
    --------
    >>> target_matrix([0, 1, 1], "binary").ravel().tolist()
    [0.0, 1.0, 1.0]
    >>> target_matrix([1.0, 2.0, 900.0], "regression").round(2).ravel().tolist()
    [-0.67, 0.0, 0.67]
    """
    values = np.asarray(y)
    if task == "regression":
        ranks = stats.rankdata(values.astype(float))
        return np.asarray(stats.norm.ppf(ranks / (len(values) + 1)), dtype=float)[:, np.newaxis]
    classes, counts = np.unique(values, return_counts=True)
    if task == "binary":
        return np.asarray(values == classes[-1], dtype=float)[:, np.newaxis]
    frequent = classes[np.argsort(-counts, kind="stable")[:MAX_CLASSES]]
    return np.asarray(values[:, np.newaxis] == frequent, dtype=float)


def draw(n_rows: int, max_rows: int, random_state: int) -> Codes:
    """Return at most `max_rows` random positions, in order."""
    if n_rows <= max_rows:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(random_state).permutation(n_rows)[:max_rows])


def quantile_edges(values: Floats, n_bins: int) -> Floats:
    """Return the inner edges of bins of equal counts; fewer where values repeat.

    Examples
    --------
    >>> quantile_edges(np.array([1.0, 2, 3, 4, np.nan]), 2).tolist()
    [3.0]
    """
    known = np.sort(values[np.isfinite(values)])
    if len(known) == 0:
        return np.empty(0)
    at = np.arange(1, n_bins) * len(known) // n_bins
    edges = np.unique(known[at])
    return np.asarray(edges[edges > known[0]], dtype=float)


def code_by_edges(values: Floats, edges: Floats) -> Codes:
    """Return the bin of each value, from 0; missing values have the last code, one beyond.

    Examples
    --------
    >>> code_by_edges(np.array([1.0, 3, np.nan]), np.array([2.0])).tolist()
    [0, 1, 2]
    """
    codes = np.searchsorted(edges, values, side="right")
    codes[np.isnan(values)] = len(edges) + 1
    return codes


def code_column(column: pd.Series, n_bins: int = N_BINS) -> Codes:
    """Return codes from 0 of a column: levels of categories, bins of numbers, a code for gaps."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return code_numbers(column.to_numpy(dtype=float), n_bins)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return compact(column.cat.codes.to_numpy().astype(np.intp) + 1)
    return compact(np.asarray(pd.factorize(column)[0], dtype=np.intp) + 1)


def code_numbers(values: Floats, n_bins: int = N_BINS) -> Codes:
    """Return the bins of numbers, as `code_column` does."""
    return compact(code_by_edges(values, quantile_edges(values, n_bins)))


def compact(codes: Codes) -> Codes:
    """Return codes from 0 without holes.

    Examples
    --------
    >>> compact(np.array([5, 2, 5])).tolist()
    [1, 0, 1]
    """
    present = np.bincount(codes) > 0
    return np.asarray((np.cumsum(present) - 1)[codes], dtype=np.intp)


def evidence(codes: Codes, target: Floats) -> tuple[float, int]:
    """Return what levels explain of centred targets: a chi-square and its degrees of freedom.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Levels from 0.
    target : ndarray of shape (n_rows, n_columns)
        Columns of mean 0.

    Returns
    -------
    tuple of (float, int)
        Rows times explained share, summed over columns: about chi-square with the degrees of
        freedom when levels mean nothing and rows are independent.

    Examples
    --------
    >>> evidence(np.array([0, 0, 1, 1]), np.array([[-1.0], [-1], [1], [1]]))
    (4.0, 1)
    """
    counts = np.bincount(codes).astype(float)
    present = counts > 0
    chi_square = 0.0
    for column in target.T:
        total = float(column @ column)
        if total > 0:
            sums = np.bincount(codes, column, minlength=len(counts))[present]
            chi_square += len(codes) * float((sums**2 / counts[present]).sum()) / total
    return chi_square, (int(present.sum()) - 1) * target.shape[1]


def additive_residuals(columns: Sequence[pd.Series], target: Floats) -> Floats:
    """Return what an additive fit leaves of the target: each column's line and its own levels.

    Parameters
    ----------
    columns : sequence of Series of shape (n_rows,)
        Numbers or categories.
    target : ndarray of shape (n_rows, n_columns)
        What to explain.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Of mean 0. A pattern that remains needs columns together.
    """
    blocks = [np.ones((len(target), 1))]
    for column in columns:
        codes = code_column(column, N_MAIN_BINS)
        blocks.append(np.eye(int(codes.max(initial=0)) + 1)[codes])
        if pd.api.types.is_numeric_dtype(column.dtype):
            blocks.append(standardise(column.to_numpy(dtype=float)[:, np.newaxis]))
    design = np.hstack(blocks)
    gram = design.T @ design
    gram[np.diag_indices_from(gram)] += RIDGE * len(target)
    fitted = design @ np.linalg.solve(gram, design.T @ target)
    left = target - fitted
    return np.asarray(left - left.mean(axis=0))


def standardise(values: Floats) -> Floats:
    """Return columns of mean 0 and variance 1; gaps become the mean, outliers end at five."""
    finite = np.where(np.isfinite(values), values, np.nan)
    middle = np.array([np.median(c[~np.isnan(c)]) if (~np.isnan(c)).any() else 0 for c in finite.T])
    filled = np.where(np.isnan(finite), middle, finite)
    for _ in range(2):  # once to find what lies far out, once after cutting it
        deviation = filled.std(axis=0)
        filled = (filled - filled.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
        filled = np.clip(filled, -5, 5)
    return filled


def exceeds_chance(chi_square: float, freedom: int, n_tests: int, alpha: float = 0.05) -> bool:
    """Whether evidence is beyond what the luckiest of so many tests would show.

    Examples
    --------
    >>> exceeds_chance(30.0, 7, 100), exceeds_chance(12.0, 7, 100)
    (True, False)
    """
    return freedom > 0 and float(stats.chi2.sf(chi_square, freedom)) * max(n_tests, 1) < alpha
