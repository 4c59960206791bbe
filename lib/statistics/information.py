"""Mutual information with the target, judged by shuffling: any relation, of whatever shape."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from lib.data.dataset import Task
from lib.errors import InputError
from lib.estimates import benjamini_hochberg
from lib.statistics.clustered import Codes, Floats, draw_rows, owner_codes, shuffles
from lib.statistics.columns import bins_of, column_kinds
from lib.statistics.screening import feature_levels

COLUMNS = ["feature", "bits", "by_chance", "share", "p", "q"]


def mutual_information(first: Codes, second: Codes) -> float:
    """Return in bits what one column of levels tells about another [1]_.

    Parameters
    ----------
    first, second : array of int, shape (n,)
        Codes from 0.

    Returns
    -------
    float
        At least 0; chance alone makes it positive, the more so the more levels there are.

    References
    ----------
    .. [1] C. Shannon (1948). A mathematical theory of communication.

    Examples
    --------
    >>> mutual_information(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))
    1.0
    """
    measure = _Measure([first], n_classes=int(second.max(initial=0)) + 1)
    return float(measure(second)[0])


def compute_mutual_information(
    X: pd.DataFrame,
    y: pd.Series,
    *,
    task: Task,
    n_permutations: int,
    random_state: int,
    groups: pd.Series | None = None,
    max_rows: int = 20_000,
) -> pd.DataFrame:
    """Return the mutual information of each feature with the target and its permutation null.

    Numbers are cut into up to ten bins of equal counts, missing values are a level. What chance
    gives is measured: the target is shuffled, and the information computed again. With groups,
    whole groups change places (a group takes another one's targets in their order from a random
    start, repeated or cut to fit), which keeps the likeness of a group's rows in the null.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        Features, with distinct names.
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        What `y` holds.
    n_permutations : int
        Shuffles; p is at least 1 / (n_permutations + 1).
    random_state : int
        Seed of the shuffles.
    groups : Series of shape (n,), optional
        What rows repeat.
    max_rows : int
        More rows are sampled, whole groups at a time.

    Returns
    -------
    DataFrame with columns feature, bits, by_chance, share, p, q
        Most informative first. `by_chance` is the mean over the shuffles, `share` what exceeds it
        as a share of the target's entropy, `q` is p after Benjamini and Hochberg.
        `attrs["n_rows"]` says how many rows were used.

    Raises
    ------
    InputError
        When lengths differ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"noise": rng.normal(size=400), "signal": rng.normal(size=400)})
    >>> y = (X["signal"] ** 2 > 1).astype(int)
    >>> table = compute_mutual_information(
    ...     X, y, task="binary", n_permutations=99, random_state=0
    ... )
    >>> table["feature"].tolist(), table["p"].tolist()[0]
    (['signal', 'noise'], 0.01)
    """
    if len(y) != len(X) or (groups is not None and len(groups) != len(X)):
        msg = f"Expected one target (and group) a row, got {len(X):,} rows and {len(y):,} targets."
        raise InputError(msg + " Take all of them from one table.")
    rng = np.random.default_rng(random_state)
    owner = owner_codes(groups)
    kept = draw_rows(len(X), owner, max_rows, random_state)
    owner = None if owner is None else owner[kept]
    target = _target_codes(y.iloc[kept], task)
    kinds = column_kinds(X)
    levels = [feature_levels(X[name].iloc[kept], str(kinds[name]))[0] for name in X.columns]
    measure = _Measure(levels, n_classes=int(target.max(initial=0)) + 1)
    observed = measure(target)
    null = np.zeros((n_permutations, len(levels)))
    for i, shuffled in enumerate(shuffles(target, owner, n_permutations, rng)):
        null[i] = measure(shuffled)
    entropy = _entropy(np.bincount(target).astype(float))
    by_chance = null.mean(axis=0)
    # A shuffle that ties with what was seen counts, also when rounding hides the tie.
    p_values = (1 + (null >= observed - 1e-12).sum(axis=0)) / (n_permutations + 1)
    varies = np.array([codes.max() > 0 for codes in levels], dtype=bool) & (entropy > 0)
    p_values = np.where(varies, p_values, np.nan)
    share = (observed - by_chance) / entropy if entropy > 0 else np.full(len(levels), np.nan)
    table = pd.DataFrame(
        {
            "feature": list(X.columns),
            "bits": observed,
            "by_chance": by_chance,
            "share": np.maximum(share, 0.0),
            "p": p_values,
            "q": benjamini_hochberg(p_values),
        },
        columns=COLUMNS,
    )
    order = np.lexsort((np.arange(len(table)), -table["share"].fillna(-1).round(9)))
    table = table.iloc[order].reset_index(drop=True)
    table.attrs["n_rows"] = len(kept)
    return table


class _Measure:
    """The information of many features about a target, counted in one pass a target."""

    def __init__(self, levels: list[Codes], *, n_classes: int) -> None:
        n_levels = np.array([int(codes.max(initial=0)) + 1 for codes in levels], dtype=np.int64)
        ends = np.cumsum(n_levels) * n_classes
        self.starts = ends - n_levels * n_classes
        self.n_cells = int(ends[-1]) if len(levels) else 0
        cells = [
            codes * n_classes + start for codes, start in zip(levels, self.starts, strict=True)
        ]
        self.cells = np.array(cells, dtype=np.int32)
        self.entropies = np.array([_entropy(np.bincount(codes).astype(float)) for codes in levels])
        counts = np.arange(len(levels[0]) + 1 if levels else 1, dtype=float)
        self.logs = counts * np.log2(np.maximum(counts, 1.0))  # n log n, looked up

    def __call__(self, target: Codes) -> Floats:
        """Return the bits of each feature."""
        if not len(self.cells):
            return np.empty(0)
        counts = np.bincount((self.cells + target.astype(np.int32)).ravel(), minlength=self.n_cells)
        n = self.cells.shape[1]
        joint = np.log2(n) - np.add.reduceat(self.logs[counts], self.starts) / n
        of_target = _entropy(np.bincount(target).astype(float))
        return np.asarray(np.maximum(self.entropies + of_target - joint, 0.0))


def _entropy(counts: Floats) -> float:
    seen = counts[counts > 0]
    n = float(seen.sum())
    return math.log2(n) - float((seen * np.log2(seen)).sum()) / n if n else 0.0


def _target_codes(y: pd.Series, task: Task) -> Codes:
    if task != "regression":
        return np.asarray(pd.factorize(y, sort=True)[0], dtype=np.int64)
    ranks = stats.rankdata(y.to_numpy(dtype=float))  # infinite targets are the highest
    codes = bins_of(np.asarray(ranks, dtype=float), 10)[0]
    return np.asarray(np.searchsorted(np.unique(codes), codes), dtype=np.int64)
