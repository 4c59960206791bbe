"""Tables as matrices of numbers and back, so that one column of any kind can be exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types as dtypes

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Coding:
    """How each column of a table becomes a number: itself, microseconds, or a code of its values.

    Attributes
    ----------
    template : DataFrame
        No rows; its names and types are given back.
    values : tuple of list or None
        The values behind the codes, a list a column; None for columns of numbers and dates.

    Examples
    --------
    >>> table = pd.DataFrame({"size": [1, 2], "colour": ["red", None]})
    >>> coding = learn_coding(table)
    >>> coding.encode(table).tolist()
    [[1.0, 0.0], [2.0, nan]]
    >>> coding.decode(np.array([[2.0, 0.0]])).values.tolist()
    [[2, 'red']]
    """

    template: pd.DataFrame
    values: tuple[list[Any] | None, ...]

    def encode(self, table: pd.DataFrame) -> Floats:
        """Return the numbers of a table; a value that was not learned is missing."""
        matrix = np.empty((len(table), len(self.values)))
        for i, known in enumerate(self.values):
            column = table.iloc[:, i]
            if known is not None:
                matrix[:, i] = column.map(dict(zip(known, range(len(known)), strict=True)))
            elif dtypes.is_datetime64_any_dtype(column.dtype):
                matrix[:, i] = _microseconds(column)
            else:
                matrix[:, i] = column.to_numpy(dtype=float, na_value=np.nan)
        return matrix

    def decode(self, matrix: Floats) -> pd.DataFrame:
        """Return the table of a matrix."""
        columns = []
        for i, known in enumerate(self.values):
            dtype, numbers = self.template.dtypes.iloc[i], matrix[:, i]
            if known is not None:
                codes = np.where(np.isnan(numbers), -1, numbers).astype(int)
                taken = np.array([*known, None], dtype=object)[codes]
                columns.append(pd.Series(taken).astype(dtype))
            elif dtypes.is_datetime64_any_dtype(dtype):
                moments = pd.Series(pd.NaT, index=range(len(numbers)), dtype="datetime64[us]")
                seen = ~np.isnan(numbers)
                moments[seen] = numbers[seen].astype("int64").astype("datetime64[us]")
                zone = getattr(dtype, "tz", None)
                moments = moments if zone is None else moments.dt.tz_localize("UTC")
                columns.append(moments.astype(dtype))
            else:
                is_whole = dtypes.is_integer_dtype(dtype) or dtypes.is_bool_dtype(dtype)
                keeps = not is_whole or np.array_equal(numbers, np.round(numbers))
                columns.append(pd.Series(numbers).astype(dtype if keeps else float))
        made = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(len(matrix)))
        made.columns = self.template.columns
        return made


def learn_coding(*tables: pd.DataFrame) -> Coding:
    """Return the coding of tables with the same columns.

    Parameters
    ----------
    *tables : DataFrame
        All values that will be met; names may repeat.

    Returns
    -------
    Coding
        Categories keep their order, other words are coded as they come.
    """
    first = tables[0]
    values: list[list[Any] | None] = []
    for i, dtype in enumerate(first.dtypes):
        if dtypes.is_numeric_dtype(dtype) or dtypes.is_datetime64_any_dtype(dtype):
            values.append(None)
        elif isinstance(dtype, pd.CategoricalDtype):
            values.append(list(dtype.categories))
        else:
            seen = pd.concat([table.iloc[:, i] for table in tables]).dropna()
            values.append(list(dict.fromkeys(seen.tolist())))
    return Coding(first.iloc[:0], tuple(values))


def _microseconds(column: pd.Series) -> Floats:
    zone = getattr(column.dtype, "tz", None)
    moments = column if zone is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    numbers = moments.to_numpy().astype("datetime64[us]").astype("int64").astype(float)
    return np.where(column.isna().to_numpy(), np.nan, numbers)
