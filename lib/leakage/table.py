"""The table under audit: training rows with target, test rows by their features alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold

from lib.config import Config
from lib.data import Dataset
from lib.resampling import Folds, Splitter, make_cv, make_folds, sample_rows
from lib.statistics import numbers_of

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
N_SPLITS = 5
MANY_GROUPS = 200  # beyond, folds need no care for the classes, which takes long
MAX_SCORED = 20_000  # rows that a score is computed from; more hardly narrow an interval


@dataclass(frozen=True, eq=False)
class Table:
    """What the checks look at.

    Attributes
    ----------
    dataset : Dataset
        As given; the target of its test rows is never read.
    train : Dataset
        The training rows.
    rows, test : ndarray of int
        Positions of training and test rows in `dataset`; without a split all rows are training.
    config : Config
        Effort, seed and level.
    """

    dataset: Dataset
    train: Dataset
    rows: Codes = field(repr=False)
    test: Codes = field(repr=False)
    config: Config

    @cached_property
    def codes(self) -> Codes:
        """Level of every cell of the whole table, (n_rows, n_columns); a gap is a level."""
        return encode_levels(self.dataset.X)

    @cached_property
    def hashes(self) -> Hashes:
        """A 64-bit key of every cell; the keys of a row add up to the key of the row."""
        return hash_levels(self.codes)

    @cached_property
    def sample(self) -> Dataset:
        """Training rows that scores are computed from: all, or whole groups drawn at random."""
        n_rows = min(self.config.budget.max_rows, MAX_SCORED)
        return sample_rows(self.train, n_rows, random_state=self.config.seed)

    @cached_property
    def folds(self) -> Folds:
        """Shuffled folds of `sample` that keep groups together."""
        return shuffled_folds(self.sample, random_state=self.config.seed)

    @cached_property
    def n_levels(self) -> dict[str, int]:
        """Number of different values of each feature in the whole table, gaps aside."""
        return dict(zip(map(str, self.dataset.X), self.codes.max(axis=0).tolist(), strict=True))

    @property
    def of_rows(self) -> str:
        """Say what was sampled, as the tail of a sentence; nothing when all rows were used."""
        return said_of_rows(len(self.sample), len(self.train))

    def name(self, column: Any) -> str:
        """Return the column's own name."""
        return str(self.dataset.labels.get(str(column), column))


def open_table(dataset: Dataset, config: Config) -> Table:
    """Return the table of a dataset: split where it has a split, else all of it as training rows.

    Parameters
    ----------
    dataset : Dataset
        Whole, or a part.
    config : Config
        Effort, seed and level.

    Returns
    -------
    Table
        The target of test rows stays locked.
    """
    if dataset.part != "all":
        every = np.arange(len(dataset), dtype=np.int64)
        return Table(dataset, dataset, every, every[:0], config)
    split = dataset.split
    return Table(dataset, dataset.train, split.train, split.test, config)


def encode_levels(X: pd.DataFrame) -> Codes:
    """Return the number of each cell's level in its column; a gap is level 0.

    Examples
    --------
    >>> encode_levels(pd.DataFrame({"a": ["x", None, "x"], "b": [0.5, 0.5, 2]})).tolist()
    [[1, 1], [0, 1], [1, 2]]
    """
    columns = [pd.factorize(X[column])[0] + 1 for column in X]
    return np.array(columns, dtype=np.int64).reshape(-1, len(X)).T  # a column lies in one piece


def hash_levels(codes: Codes) -> Hashes:
    """Return pseudo-random 64-bit keys of levels (splitmix64), a stream of its own per column."""
    with np.errstate(over="ignore"):
        streams = np.arange(1, codes.shape[1] + 1, dtype=np.uint64) << np.uint64(40)
        z = (codes.astype(np.uint64) + streams) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def as_numbers(X: pd.DataFrame) -> pd.DataFrame:
    """Return features as plain numbers for trees: codes of levels, seconds of moments, NaN gaps.

    Nothing is learned from a target, so this may happen before folds are made.

    Examples
    --------
    >>> table = pd.DataFrame({"a": pd.Categorical(["x", None]), "b": [1, 2]})
    >>> as_numbers(table).to_numpy().tolist()
    [[0.0, 1.0], [nan, 2.0]]
    """
    columns = {}
    for name in X:
        column = X[name]
        if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype == "str":
            codes = pd.factorize(column, sort=True)[0].astype(float)
            columns[name] = np.where(codes < 0, np.nan, codes)
        else:
            columns[name] = numbers_of(column)
    return pd.DataFrame(columns, index=X.index)


def said_of_rows(n_used: int, n_rows: int) -> str:
    """Return " (on 200 of 5,000 training rows)", or nothing when all were used.

    Examples
    --------
    >>> said_of_rows(200, 5_000), said_of_rows(200, 200)
    (' (on 200 of 5,000 training rows)', '')
    """
    return "" if n_used == n_rows else f" (on {n_used:,} of {n_rows:,} training rows)"


def list_rows(rows: Any, limit: int = 5) -> tuple[int, ...]:
    """Return the first few positions as plain integers."""
    return tuple(int(row) for row in list(rows)[:limit])


def shares(part: int, whole: int) -> str:
    """Return "12 of 340 (3.5 %)".

    Examples
    --------
    >>> shares(12, 340), shares(340, 340)
    ('12 of 340 (3.5 %)', '340 of 340 (100 %)')
    """
    percent = 100 * part / max(whole, 1)
    shown = f"{percent:.2g}" if percent < 99.5 else "100" if part == whole else "> 99"
    return f"{part:,} of {whole:,} ({shown} %)"


def shuffled_folds(
    dataset: Dataset, *, n_splits: int = N_SPLITS, n_repeats: int = 1, random_state: int = 0
) -> Folds:
    """Return shuffled folds that keep groups together and ignore time.

    Whether a feature gives the target away is no question of forecasting.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    n_splits : int
        Folds asked for.
    n_repeats : int
        Repeats, each with other folds.
    random_state : int
        Seed of the shuffle.

    Returns
    -------
    Folds
    """
    timeless = replace(dataset, time=None)
    groups = dataset.groups
    if groups is not None and groups.nunique() >= MANY_GROUPS:
        repeats = tuple(
            GroupKFold(n_splits, shuffle=True, random_state=random_state + i)
            for i in range(n_repeats)
        )
        cv = Splitter(repeats, f"{n_splits} shuffled folds of whole groups")
    else:
        cv = make_cv(timeless, n_splits=n_splits, n_repeats=n_repeats, random_state=random_state)
    return make_folds(timeless, cv)


def ungrouped(dataset: Dataset) -> Dataset:
    """Return the dataset as if nobody had said what its rows repeat, nor when they are from."""
    return replace(dataset, groups=None, time=None)
