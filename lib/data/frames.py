"""Between the frames: pandas to a raw table, polars to the pandas that models take."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

from lib.data.tables import RawTable, Repair, unique_headers

MAX_EXACT = 2**53  # integers beyond it change when a missing value makes them floats


def from_pandas(frame: pd.DataFrame) -> RawTable:
    """Return a pandas frame as a raw table.

    Parameters
    ----------
    frame : DataFrame
        Any index (a named one becomes a column), any dtypes, duplicate names.

    Returns
    -------
    RawTable
        Mixed columns as text, and said so.

    Examples
    --------
    >>> from_pandas(pd.DataFrame({"a": [1, "x"]})).repairs[0].repair
    'mixed types'
    """
    if frame.index.names != [None]:
        frame = frame.reset_index()
    headers = [" ".join(map(str, c)) if isinstance(c, tuple) else c for c in frame.columns]
    names, repairs = unique_headers(headers)
    levels: dict[str, tuple[str, ...]] = {}
    columns = []
    for position, name in enumerate(names):
        values = frame.iloc[:, position]
        if isinstance(values.dtype, pd.CategoricalDtype):
            levels[name] = tuple(map(str, values.cat.categories))
            values = values.astype(object).map(str, na_action="ignore")
        columns.append(_to_polars(name, values, repairs))
    return RawTable(pl.DataFrame(columns), repairs, levels)


def _to_polars(name: str, values: pd.Series, repairs: list[Repair]) -> pl.Series:
    if values.dtype == object:
        present = values.dropna()
        kinds = sorted({type(value).__name__ for value in present})
        if len(kinds) > 1 and set(kinds) - {"int", "float", "bool"}:
            detail = f"held {', '.join(kinds[:4])}; read as text"
            repairs.append(Repair(name, "mixed types", len(present), detail))
            values = values.map(str, na_action="ignore")
        values = values.where(values.notna(), None)
        return pl.Series(name, values.to_list(), strict=False)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        repairs.append(Repair(name, "time zones", len(values), "moments brought to UTC"))
    elif isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
        repairs.append(Repair(name, "periods", len(values), "taken at their beginning"))
    elif isinstance(values.dtype, pd.IntervalDtype) or values.dtype.kind == "c":
        values = values.map(str, na_action="ignore").astype("str")
    return pl.Series(name, pl.from_pandas(values, nan_to_null=True))


def to_pandas(series: pl.Series, kind: str, levels: tuple[str, ...] | None = None) -> pd.Series:
    """Return a clean column in the dtype that models take.

    Parameters
    ----------
    series : polars Series
        Numbers, moments or text.
    kind : {"number", "category", "text", "date"}
        What it is.
    levels : tuple of str, optional
        Categories in their order; sorted ones by default.

    Returns
    -------
    Series
        int64 or float64, category, datetime64 or str.

    Examples
    --------
    >>> to_pandas(pl.Series("a", ["x", None, "b"]), "category").cat.categories.tolist()
    ['b', 'x']
    """
    if kind == "number":
        return pd.Series(_numbers(series), name=series.name)
    if kind == "category":
        text = series.cast(pl.String)
        found = series.unique().drop_nulls().sort().cast(pl.String).to_list()  # 2 before 10
        order = list(levels) if levels and set(found) <= set(levels) else found
        codes = text.cast(pl.Enum(order)).to_physical().cast(pl.Int64).fill_null(-1)
        values = pd.Categorical.from_codes(codes.to_numpy(), categories=order)
        return pd.Series(values, name=series.name)
    if kind == "date":
        return pd.Series(series.cast(pl.Datetime("us")).to_numpy(), name=series.name)
    return series.cast(pl.String).to_pandas().astype("str")


def _numbers(series: pl.Series) -> np.ndarray:
    if series.dtype.is_integer() or series.dtype == pl.Boolean:
        whole = series.cast(pl.Int64)
        if whole.null_count() == 0:
            return whole.to_numpy().copy()
    values = series.cast(pl.Float64).fill_nan(None)
    return np.array(values.to_numpy(), dtype=float)  # missing becomes NaN; writable
