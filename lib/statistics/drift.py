"""Two samples side by side, column by column, with tests that one population drew both."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.errors import InputError
from lib.estimates import benjamini_hochberg
from lib.statistics.columns import bins_of, column_kinds, levels_of, merge_rare, numbers_of

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
N_BINS = 10
MAX_DRIFT_LEVELS = 30
NOTABLE_PSI = 0.1  # the credit industry's rule of thumb; 0.25 is its alarm
COLUMNS = ["column", "kind", "measure", "distance", "psi", "missing_first", "missing_second", "p"]


def compare_samples(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    groups: pd.Series | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Return how far each column is distributed differently in two samples.

    Numbers and dates: the Kolmogorov-Smirnov distance, and a χ² test of the missing share, the
    smaller of the two p-values doubled. Categories: Cramér's V and the χ² test, missing being a
    level. All: the population stability index over ten bins of the first sample [1]_, missing
    being a bin, and values outside the range of a first sample of at most ten distinct ones
    another. Where rows repeat (`groups`), tests are divided by the design effect [2]_.

    Parameters
    ----------
    first, second : DataFrame
        With the same columns, such as training and test rows.
    groups : Series of shape (len(first),), optional
        What rows of `first` repeat; `second` is taken to repeat likewise.
    alpha : float
        Share of false alarms to accept among the alarms (Benjamini and Hochberg).

    Returns
    -------
    DataFrame with columns column, kind, measure, distance, psi, missing_first, missing_second, p,
    q, verdict
        Most different first; an empty sample has NaN. The verdict reads "same", "differs"
        (significant) or "shifted" (significant, and the index is at least 0.1).

    Raises
    ------
    InputError
        When `second` lacks a column of `first`.

    References
    ----------
    .. [1] N. Siddiqi (2006). Credit Risk Scorecards. Wiley.
    .. [2] J. Rao, A. Scott (1984). Annals of Statistics 12:46.

    Examples
    --------
    >>> first = pd.DataFrame({"x": np.arange(200.0), "c": ["a", "b"] * 100})
    >>> second = pd.DataFrame({"x": np.arange(200.0) + 150, "c": ["a", "b"] * 100})
    >>> compare_samples(first, second)[["column", "verdict"]].to_numpy().tolist()
    [['x', 'shifted'], ['c', 'same']]
    """
    lacking = [str(name) for name in first.columns if name not in second.columns]
    if lacking:
        msg = f"Expected the same columns in both samples, got none named {', '.join(lacking[:5])}"
        raise InputError(msg + " in the second. Compare only what both have.")
    both = pd.concat([first, second[list(first.columns)]], ignore_index=True)
    kinds = column_kinds(both)
    owner = None if groups is None else pd.factorize(groups)[0].astype(np.int64)
    rows = [_compare(both[name], str(kinds[name]), len(first), owner) for name in both.columns]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["q"] = benjamini_hochberg(table["p"])
    is_different = table["q"] < alpha
    table["verdict"] = np.select(
        [is_different & (table["psi"] >= NOTABLE_PSI), is_different], ["shifted", "differs"], "same"
    )
    rank = table["verdict"].map({"shifted": 0, "differs": 1, "same": 2})
    distance = table["p"].fillna(1.0).where(table["verdict"] == "same", -table["psi"]).round(9)
    order = np.lexsort((np.arange(len(table)), distance, rank))
    return table.iloc[order].reset_index(drop=True)


def stability_index(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return the population stability index of two lists of counts over the same bins.

    Half a case is added to every bin that either uses, so that an empty one does not make it
    infinite.

    Parameters
    ----------
    first, second : array-like of shape (n_bins,)
        Counts.

    Returns
    -------
    float
        0 for equal shares; from 0.1 notable, from 0.25 large; NaN when a sample is empty.

    Examples
    --------
    >>> round(stability_index([500, 500], [250, 750]), 3)
    0.274
    """
    counts = np.stack([np.asarray(first, dtype=float), np.asarray(second, dtype=float)])
    if not counts.sum(axis=1).all():
        return float("nan")
    smoothed = counts[:, counts.sum(axis=0) > 0] + 0.5
    a, b = smoothed / smoothed.sum(axis=1, keepdims=True)
    return float(((b - a) * np.log(b / a)).sum())


def _compare(column: pd.Series, kind: str, n_first: int, owner: Codes | None) -> dict[str, object]:
    missing = column.isna().to_numpy()
    row: dict[str, object] = {
        "column": column.name,
        "kind": kind,
        "missing_first": float(missing[:n_first].mean()) if n_first else np.nan,
        "missing_second": float(missing[n_first:].mean()) if n_first < len(column) else np.nan,
    }
    codes, n_levels = _codes(column, kind, n_first)
    counts = np.stack(
        [np.bincount(part, minlength=n_levels) for part in (codes[:n_first], codes[n_first:])]
    )
    row["psi"] = stability_index(*counts)
    if kind in {"numeric", "datetime"}:
        distance, p_value = _kolmogorov(numbers_of(column), n_first, owner)
        lacking = np.stack(
            [np.bincount(part, minlength=2) for part in (missing[:n_first], missing[n_first:])]
        )
        _, p_missing = _chi2(lacking, _design_effect(missing[:n_first].astype(np.int64), owner))
        if not np.isnan(p_missing):
            p_value = min(1.0, 2 * float(np.nanmin([p_value, p_missing])))
        return {**row, "measure": "Kolmogorov-Smirnov", "distance": distance, "p": p_value}
    distance, p_value = _chi2(counts, _design_effect(codes[:n_first], owner))
    return {**row, "measure": "Cramér's V", "distance": distance, "p": p_value}


def _codes(column: pd.Series, kind: str, n_first: int) -> tuple[Codes, int]:
    """Return the bin of each row, cut on the first sample; missing is the last bin."""
    if kind in {"numeric", "datetime", "text"}:
        numbers = numbers_of(column) if kind != "text" else _lengths(column)
        codes, n_levels = _same_bins(numbers, n_first)
    else:
        codes, levels = merge_rare(*levels_of(column), MAX_DRIFT_LEVELS)
        n_levels = len(levels)
    return np.where(codes < 0, n_levels, codes), n_levels + 1


def _same_bins(numbers: Floats, n_first: int) -> tuple[Codes, int]:
    """Return the bin of every number, cut on the first sample, and how many bins there are.

    Where the first sample has few distinct values, all numbers outside its range are one more bin:
    else a column that begins to vary would look the same.
    """
    own, names = bins_of(numbers[:n_first], N_BINS)
    first = numbers[:n_first]
    tops = np.array([first[own == code].max() for code in range(len(names))])
    codes = np.searchsorted(tops[:-1], numbers, side="left")
    if len(np.unique(first[own >= 0])) <= N_BINS:
        seen = first[own >= 0]
        low, high = (seen.min(), seen.max()) if len(seen) else (np.inf, -np.inf)
        codes = np.where((numbers < low) | (numbers > high), len(tops), codes)
    return np.where(np.isnan(numbers), -1, codes).astype(np.int64), len(tops) + 1


def _lengths(column: pd.Series) -> Floats:
    return np.where(column.isna(), np.nan, column.map(str).str.len().to_numpy(dtype=float))


def _kolmogorov(numbers: Floats, n_first: int, owner: Codes | None) -> tuple[float, float]:
    known = ~np.isnan(numbers)
    a, b = numbers[:n_first][known[:n_first]], numbers[n_first:][known[n_first:]]
    if not len(a) or not len(b):
        return float("nan"), float("nan")
    points = np.unique(np.concatenate([a, b]))
    below = [np.searchsorted(np.sort(part), points, side="right") / len(part) for part in (a, b)]
    distance = float(np.abs(below[0] - below[1]).max())
    ranks = np.searchsorted(points, a)
    effect = 1.0
    if owner is not None:
        effect = _repetition(stats.rankdata(ranks)[:, None], owner[known[:n_first]])
    n = len(a) * len(b) / (len(a) + len(b)) / effect
    return distance, float(stats.kstwobign.sf(distance * np.sqrt(n)))


def _chi2(counts: npt.NDArray[np.int64], design_effect: float) -> tuple[float, float]:
    """Return Cramér's V and the p-value of two rows of counts."""
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2 or not counts.sum(axis=1).all():
        return float("nan"), float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    p_value = float(stats.chi2.sf(statistic / design_effect, counts.shape[1] - 1))
    return float(np.sqrt(statistic / counts.sum())), p_value


def _design_effect(codes: Codes, owner: Codes | None) -> float:
    if owner is None:
        return 1.0
    used, codes = np.unique(codes, return_inverse=True)
    return _repetition(np.eye(len(used))[codes] / np.sqrt(np.bincount(codes) / len(codes)), owner)


def _repetition(values: Floats, owner: Codes) -> float:
    """Return how many times the variance of a mean grows because rows of a group are alike."""
    if not len(values):
        return 1.0
    centred = values - values.mean(axis=0)
    alone = float((centred**2).sum())
    if alone == 0:
        return 1.0
    n_groups = int(owner.max()) + 1
    sums = [np.bincount(owner, weights=column, minlength=n_groups) for column in centred.T]
    return max(float((np.stack(sums) ** 2).sum()) / alone, 1.0)
