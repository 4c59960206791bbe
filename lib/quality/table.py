"""The table under assessment: the training rows as polars columns under their own names."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from lib.config import Config
from lib.data import Dataset

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
MAX_STUDIED = 20_000  # rows of the checks that fit or compare in pairs


@dataclass(frozen=True, eq=False)
class Table:
    """What the checks look at.

    Attributes
    ----------
    dataset : Dataset
        As given; the target of its test rows is never read.
    train : Dataset
        The training rows.
    config : Config
        Effort, seed and level.
    frame : polars DataFrame
        Features of the training rows: numbers, categories (Enum), text, moments.
    """

    dataset: Dataset
    train: Dataset
    config: Config
    frame: pl.DataFrame = field(repr=False)

    def __len__(self) -> int:
        return self.frame.height

    @cached_property
    def numeric(self) -> list[str]:
        """Columns of numbers."""
        return [name for name, dtype in self.frame.schema.items() if dtype.is_numeric()]

    @cached_property
    def textual(self) -> list[str]:
        """Columns of categories and of text."""
        return [
            name
            for name, dtype in self.frame.schema.items()
            if dtype == pl.String or isinstance(dtype, pl.Enum)
        ]

    @cached_property
    def moments(self) -> list[str]:
        """Columns of dates and times."""
        return [name for name, dtype in self.frame.schema.items() if dtype.is_temporal()]

    @cached_property
    def described(self) -> pl.DataFrame:
        """The features with what else can be misspelt: group names, and class labels as target."""
        more = []
        if self.train.groups is not None:
            more.append(pl.Series(str(self.train.groups.name), self.train.groups.astype(str)))
        if self.train.task != "regression":
            labels = pl.Series(self.train.target, list(self.train.classes), dtype=pl.String)
            more.append(labels.gather(pl.Series(self.train.y.to_numpy().astype(np.int64))))
        return self.frame.with_columns(s for s in more if s.name not in self.frame.columns)

    @cached_property
    def with_gaps(self) -> list[str]:
        """Columns that lack a value somewhere."""
        return [series.name for series in self.frame.iter_columns() if series.null_count()]

    @cached_property
    def n_distinct(self) -> dict[str, int]:
        """Number of different known values of each column."""
        return {
            series.name: series.n_unique() - bool(series.null_count())
            for series in self.frame.iter_columns()
        }

    @cached_property
    def owner(self) -> Codes | None:
        """The group of every row as a number, where rows belong together."""
        if self.train.groups is None:
            return None
        return np.asarray(pd.factorize(self.train.groups)[0], dtype=np.int64)

    @cached_property
    def sample(self) -> Codes:
        """Positions of the rows that costly checks study: all, or some drawn at random."""
        n_rows = min(len(self), self.config.budget.max_rows, MAX_STUDIED)
        if n_rows == len(self):
            return np.arange(n_rows)
        rng = np.random.default_rng(self.config.seed)
        return np.sort(rng.choice(len(self), n_rows, replace=False))

    @property
    def of_rows(self) -> str:
        """Say what was sampled, as the tail of a sentence; nothing when all rows were studied."""
        n_rows = len(self.sample)
        return "" if n_rows == len(self) else f" (studied on {n_rows:,} rows drawn at random)"

    def numbers(self, name: str) -> Floats:
        """Return a column as floats; a gap is NaN, a moment counts seconds."""
        series = self.frame[name]
        if series.dtype.is_temporal():
            series = series.dt.epoch("ms") / 1000
        return np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())


def open_table(dataset: Dataset, config: Config) -> Table:
    """Return the table of a dataset: its training rows, or all rows of a part.

    Parameters
    ----------
    dataset : Dataset
        Whole, or a part such as its training rows.
    config : Config
        Effort, seed and level.

    Returns
    -------
    Table
        The target of test rows stays locked.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import load_data
    >>> dataset = load_data("wine")
    >>> table = open_table(dataset, load_config())
    >>> len(table.train) == len(dataset.train) < len(dataset)
    True
    """
    train = dataset.train if dataset.part == "all" else dataset
    return Table(dataset, train, config, as_polars(train.X, dataset))


def as_polars(X: pd.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """Return features as polars columns under their own names, gaps as null.

    Parameters
    ----------
    X : DataFrame
        Features under safe names.
    dataset : Dataset
        Knows the labels.

    Returns
    -------
    polars DataFrame
        Float64, Int64, Enum, String and Datetime columns.

    Examples
    --------
    >>> from lib.data import load_data
    >>> frame = pd.DataFrame({"dose (mg)": [1.5, None] * 30, "y": [0, 1] * 30})
    >>> dataset = load_data(frame, target="y")
    >>> as_polars(dataset.X, dataset).head(2).to_dict(as_series=False)
    {'dose (mg)': [1.5, None]}
    """
    return pl.DataFrame(
        [_series(str(dataset.labels.get(str(name), name)), X[name]) for name in X.columns]
    )


def _series(name: str, column: pd.Series) -> pl.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = [str(level) for level in column.cat.categories]
        codes = pl.Series(column.cat.codes.to_numpy().astype(np.int64))
        values = pl.Series(name, levels, dtype=pl.Enum(levels))
        return values.gather(codes.set(codes < 0, None))
    if column.dtype in ("str", object):
        return pl.Series(name, pl.from_pandas(column.astype("str")), dtype=pl.String)
    values = pl.Series(name, column.to_numpy())
    return values.fill_nan(None) if values.dtype.is_float() else values
