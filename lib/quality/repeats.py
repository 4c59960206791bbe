"""Rows that repeat each other, told from rows of coarse columns that coincide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lib.checks import Check, Severity
from lib.quality.answers import clean, found, not_applicable, settle, share
from lib.quality.table import Codes, Floats, Hashes, Table

MAX_COINCIDENCE = 0.7  # full matches over matches in all columns but one; copies come near 1
MIN_DISTINCT = 0.5  # below it rows repeat as a matter of course
MANY = 0.05  # repeated rows beyond this share make scores on random folds wrong


@dataclass(frozen=True)
class Repeats:
    """Rows whose key another row has.

    Attributes
    ----------
    later : ndarray of int
        Rows that repeat an earlier one.
    n_sets, largest : int
        Sets of equal rows, and rows of the largest.
    are_copies : bool
        Whether coincidence can be ruled out.
    """

    later: Codes
    n_sets: int
    largest: int
    are_copies: bool


def hash_column(series: pl.Series) -> Hashes:
    """Return a 64-bit key of every cell; a gap has one too, -0.0 equals 0.0."""
    if series.dtype.is_float():
        series = series + 0.0
    if isinstance(series.dtype, pl.Enum):
        series = series.to_physical()
    seed = sum(map(ord, series.name)) + 1  # equal values in other columns get other keys
    return np.asarray(series.hash(seed).to_numpy())


def find_repeats(frame: pl.DataFrame) -> Repeats:
    """Return rows that equal an earlier one, and whether they must be copies.

    Copies agree in all columns; rows of coarse columns that coincide agree just as often in all
    columns but one. So matches in full are held against matches that leave one column out, for
    the column that tells most. Where fewer than half of the rows are distinct, copies and
    coincidence cannot be told apart.

    Parameters
    ----------
    frame : polars DataFrame
        Columns to compare.

    Returns
    -------
    Repeats

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> measured = pl.DataFrame(rng.normal(size=(100, 3)))
    >>> find_repeats(pl.concat([measured, measured[:10]])).are_copies
    True
    >>> coarse = pl.DataFrame(rng.integers(4, size=(100, 4)))
    >>> find_repeats(coarse).are_copies
    False
    """
    total = np.zeros(frame.height, dtype=np.uint64)
    for series in frame.iter_columns():
        total += hash_column(series)
    _, first, which, counts = np.unique(
        total, return_index=True, return_inverse=True, return_counts=True
    )
    later = np.flatnonzero(first[which] != np.arange(frame.height))
    if not len(later):
        return Repeats(later, 0, 0, are_copies=False)
    n_pairs = _pairs(counts)
    coincident = max(
        _pairs(np.unique(total - hash_column(series), return_counts=True)[1])
        for series in frame.iter_columns()
    )
    is_rare = n_pairs / coincident > MAX_COINCIDENCE and frame.width > 1
    are_copies = is_rare and len(first) >= MIN_DISTINCT * frame.height
    return Repeats(later, int((counts > 1).sum()), int(counts.max()), bool(are_copies))


def check_repeats(table: Table) -> list[Check]:
    """Q04: rows that equal an earlier row in every column, target included."""
    if not table.frame.width:
        return [not_applicable("Q04", "there is no feature")]
    train = table.train
    frame = _whole_rows(table)
    repeats = find_repeats(frame)
    n_rows = frame.height
    if not len(repeats.later):
        return [clean("Q04")]
    seen = (
        f"{share(len(repeats.later), n_rows)} rows repeat an earlier one in every column, target "
        f"included ({repeats.n_sets:,} sets, the largest of {repeats.largest:,} rows)"
    )
    if not repeats.are_copies:
        return [
            found(
                "Q04", "note", "", f"{seen}; rows that differ in one column alone are as frequent, "
                "so coincidence may explain them",
                "ask the source whether a row is a case; nothing to do when it is",
                rows=repeats.later[:20],
            )
        ]  # fmt: skip
    n_all = _count_feature_repeats(table)
    if train.part == "train":
        seen += f"; {n_all:,} rows of the whole table repeat the features of an earlier one"
    severity: Severity = "error" if len(repeats.later) >= MANY * n_rows else "warning"
    advice = (
        "drop repeats before splitting, or name a groups column that keeps them together: random "
        "folds would train on rows they are tested on"
    )
    return [found("Q04", severity, "", seen, advice, rows=repeats.later[:20])]


def check_contradictions(table: Table) -> list[Check]:
    """Q06: rows that agree in every feature and differ in the target."""
    frame, train = table.frame, table.train
    if not frame.width:
        return [not_applicable("Q06", "there is no feature")]
    if train.groups is not None or train.time is not None:
        by = "groups" if train.groups is not None else "time"
        return [
            not_applicable(
                "Q06", f"rows are told apart by {by}: equal features at two times may differ"
            )
        ]
    repeats = find_repeats(frame)
    total = np.zeros(frame.height, dtype=np.uint64)
    for series in frame.iter_columns():
        total += hash_column(series)
    keyed = pl.DataFrame({"key": total, "y": train.y.to_numpy()})
    sets = keyed.with_columns(n=pl.len().over("key"), kinds=pl.col("y").n_unique().over("key"))
    rows = np.flatnonzero((sets["kinds"] > 1).to_numpy())
    if not len(rows):
        return [clean("Q06")]
    n_sets = int(sets.filter(pl.col("kinds") > 1)["key"].n_unique())
    seen = (
        f"{share(len(rows), frame.height)} rows have the features of another row and a different "
        f"target ({n_sets:,} sets)"
    )
    advice = "ask which one is right, or which feature that tells them apart is not in the table"
    severity: Severity = "warning" if repeats.are_copies else "note"
    if not repeats.are_copies:
        seen += "; features are so coarse that coincidence may explain them"
    return [found("Q06", severity, "", seen, advice, rows=rows[:20])]


def check_near_repeats(table: Table) -> list[Check]:
    """Q05: rows that differ from another row only by less than a hundredth of a spread."""
    continuous = [name for name in table.numeric if table.n_distinct[name] > 20]
    if not continuous:
        return [not_applicable("Q05", "no feature has more than 20 different numbers")]
    near = _NearRows(table)
    near.search()
    n_near, n_almost = len(near.close), len(near.almost)
    if n_near < 2 or n_near < MAX_COINCIDENCE * (n_near + n_almost):
        return [clean("Q05")]
    rows = sorted({later for _, later in near.close})
    evidence = (
        f"{share(len(rows), len(table))} rows equal an earlier one up to a hundredth of each "
        "column's spread, without being equal"
    )
    advice = "find out whether these are copies with noise or rounding; keep them in one fold"
    return settle("Q05", [found("Q05", "warning", "", evidence, advice, rows=rows[:20])])


class _NearRows:
    """Pairs of rows that nearly agree, found by several coarse grids over a few columns each."""

    n_grids, n_columns, width, tolerance, max_bucket = 6, 6, 0.1, 0.01, 40
    max_pairs = 200_000

    def __init__(self, table: Table) -> None:
        self.rng = np.random.default_rng(table.config.seed)
        self.owner = table.owner
        columns: list[Floats] = [table.numbers(name) for name in table.numeric]
        many = [table.n_distinct[name] > 20 for name in table.numeric]
        self.selective = np.flatnonzero(many)  # the columns that make grids
        spreads = [_spread(values) for values in columns]
        scaled = [np.nan_to_num(v / s, nan=-1e6) for v, s in zip(columns, spreads, strict=True)]
        self.scaled: Floats = np.column_stack(scaled)
        self.exact = np.zeros(len(table), dtype=np.uint64)
        for series in table.frame.iter_columns():
            if series.name not in table.numeric:
                self.exact += hash_column(_folded(series))
        self.close: set[tuple[int, int]] = set()
        self.almost: set[tuple[int, int]] = set()  # far apart in exactly one column

    def search(self) -> None:
        for _ in range(self.n_grids):
            if len(self.close) + len(self.almost) > self.max_pairs:
                return  # columns so coarse that neighbours are everywhere
            chosen = self.rng.permutation(self.selective)[: self.n_columns]
            key = self.exact.copy()
            for j in chosen:
                cells = np.floor(self.scaled[:, j] / self.width + self.rng.random())
                series = pl.Series(str(j), cells.astype(np.int64))
                key += hash_column(series)
            self._compare(key)

    def _compare(self, key: Hashes) -> None:
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
        sizes = np.diff(np.r_[starts, len(key)])
        for size in range(2, self.max_bucket + 1):
            heads = starts[sizes == size]
            for a in range(size - 1) if len(heads) else ():
                for b in range(a + 1, size):
                    self._judge(order[heads + a], order[heads + b])

    def _judge(self, one: Codes, other: Codes) -> None:
        apart = (np.abs(self.scaled[one] - self.scaled[other]) > self.tolerance).sum(axis=1)
        differ = (self.scaled[one] != self.scaled[other]).any(axis=1)
        if self.owner is not None:  # rows of one person may well resemble each other
            differ &= self.owner[one] != self.owner[other]
        low, high = np.minimum(one, other), np.maximum(one, other)
        for pairs, mask in ((self.close, apart == 0), (self.almost, apart == 1)):
            where = np.flatnonzero(mask & differ)
            pairs.update(zip(low[where].tolist(), high[where].tolist(), strict=True))


def _folded(series: pl.Series) -> pl.Series:
    if series.dtype == pl.String or isinstance(series.dtype, pl.Enum):
        return series.cast(pl.String).str.to_lowercase().str.replace_all(r"\s+", " ")
    return series


def _spread(values: Floats) -> float:
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [0.25, 0.75]) if len(known) else (0.0, 0.0)
    return float((high - low) / 1.349 or (known.std() if len(known) else 1.0) or 1.0)


def _whole_rows(table: Table) -> pl.DataFrame:
    """Return the features with everything else that is known of a training row."""
    train = table.train
    sides = {
        f"{role} of the row": values
        for role, values in {
            "target": train.y, "group": train.groups, "time": train.time, "amount": train.amounts
        }.items()
        if values is not None
    }  # fmt: skip
    return table.frame.with_columns(
        [pl.Series(name, values.to_numpy(), strict=False) for name, values in sides.items()]
    )


def _count_feature_repeats(table: Table) -> int:
    X = table.dataset.X
    return int(X.duplicated().sum()) if len(X) <= 2_000_000 else 0


def _pairs(counts: Codes) -> int:
    return int((counts.astype(np.int64) * (counts - 1) // 2).sum())
