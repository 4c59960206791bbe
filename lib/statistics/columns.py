"""What a column holds: its kind, its numbers, its levels; tables of types and missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types as dtypes

from lib.errors import InputError
from lib.estimates import Estimate, format_digits, wilson

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
KINDS = ("numeric", "categorical", "datetime", "text", "constant", "empty")
MAX_LEVELS = 50  # a column of text with more distinct values than this is free text
MIN_ROWS_OF_BIN = 10
NUMBERS_IN_OBJECTS = {"integer", "floating", "decimal", "mixed-integer-float", "boolean"}
DATES_IN_OBJECTS = {"datetime", "date", "datetime64", "timedelta", "timedelta64"}


def as_frame(data: Any) -> pd.DataFrame:
    """Return `data` as a pandas frame whose column names are distinct strings.

    Parameters
    ----------
    data : DataFrame of pandas or polars, LazyFrame, Series, mapping or array of shape (n, p)
        Any table; it is not changed.

    Returns
    -------
    DataFrame
        With a fresh index; repeated names are numbered.

    Raises
    ------
    InputError
        When `data` is no table.

    Examples
    --------
    >>> list(as_frame(pd.DataFrame([[1, 2]], columns=["a", "a"])))
    ['a', 'a (2)']
    """
    if type(data).__module__.startswith("polars"):
        data = data.collect() if hasattr(data, "collect") else data
        data = data.to_frame() if hasattr(data, "to_frame") else data
        data = data.to_pandas()
    try:
        # pandas would make an empty table of nothing
        frame = pd.DataFrame(0 if data is None else data).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        msg = (
            f"Expected a table (pandas or polars frame, or a 2-d array), got {type(data).__name__}."
        )
        raise InputError(msg + " Load it with load_data, or give a data frame.") from error
    is_sparse = any(isinstance(dtype, pd.SparseDtype) for dtype in frame.dtypes)
    return _densified(frame) if is_sparse else frame.set_axis(_distinct(frame.columns), axis=1)


def _distinct(names: pd.Index) -> list[str]:
    own = [" / ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in names]
    taken: dict[str, None] = {}
    for name in own:
        numbered, number = name, 1
        while numbered in taken or (number > 1 and numbered in own):
            number += 1
            numbered = f"{name} ({number})"
        taken[numbered] = None
    return list(taken)


def _densified(frame: pd.DataFrame) -> pd.DataFrame:
    columns = [
        column.sparse.to_dense() if isinstance(column.dtype, pd.SparseDtype) else column
        for _, column in frame.items()
    ]
    return pd.concat(columns, axis=1).set_axis(_distinct(frame.columns), axis=1)


def sample_rows(frame: pd.DataFrame, max_rows: int, random_state: int = 0) -> pd.DataFrame:
    """Return at most `max_rows` rows of `frame`, drawn at random, in their own order.

    Parameters
    ----------
    frame : DataFrame
        Any table.
    max_rows : int
        Rows to keep.
    random_state : int
        Seed of the draw.

    Returns
    -------
    DataFrame
        `frame` itself when it is short enough.

    Examples
    --------
    >>> len(sample_rows(pd.DataFrame({"a": range(100)}), 10))
    10
    """
    if len(frame) <= max_rows:
        return frame
    rng = np.random.default_rng(random_state)
    return frame.iloc[np.sort(rng.choice(len(frame), max_rows, replace=False))]


def column_kinds(frame: pd.DataFrame) -> pd.Series:
    """Return the kind of every column, one of `KINDS`.

    Booleans are numeric; a column of text is categorical up to 50 distinct values, and free text
    beyond; one value in all rows is constant.

    Parameters
    ----------
    frame : DataFrame
        With distinct column names.

    Returns
    -------
    Series of str
        Indexed by column name.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [1.5, None], "plan": ["a", "b"], "year": [1, 1]})
    >>> column_kinds(table).to_dict()
    {'age': 'numeric', 'plan': 'categorical', 'year': 'constant'}
    """
    return pd.Series({name: _kind(frame[name]) for name in frame.columns}, dtype=object)


def numbers_of(column: pd.Series) -> Floats:
    """Return a column as floats: true is 1, a time is seconds since 1970, missing is NaN.

    Examples
    --------
    >>> numbers_of(pd.Series([True, False, None], dtype="boolean")).tolist()
    [1.0, 0.0, nan]
    """
    column = moments_of(column)
    if dtypes.is_timedelta64_dtype(column.dtype):
        return np.asarray(column.dt.total_seconds(), dtype=float)
    if dtypes.is_datetime64_dtype(column.dtype):
        seconds = column.to_numpy(dtype="datetime64[ms]").astype("int64") / 1000
        return np.where(column.isna(), np.nan, seconds)
    if dtypes.is_complex_dtype(column.dtype):
        return np.full(len(column), np.nan)  # no order
    if not (dtypes.is_numeric_dtype(column.dtype) or dtypes.is_bool_dtype(column.dtype)):
        column = pd.to_numeric(column.astype(object), errors="coerce")
    return np.asarray(column.to_numpy(dtype=float, na_value=np.nan))


def moments_of(column: pd.Series) -> pd.Series:
    """Return a column of times as plain ones, without zone; any other column as it is.

    Dates in objects or in Arrow's types become `datetime64`, durations `timedelta64`. The clock
    reads as it does in the zone of the column.

    Examples
    --------
    >>> import datetime
    >>> moments_of(pd.Series([datetime.date(2024, 2, 29), None], dtype=object)).dt.day.tolist()
    [29.0, nan]
    """
    dtype = column.dtype
    inferred = _inferred(column) if dtypes.is_object_dtype(dtype) else ""
    if inferred.startswith("timedelta") or _is_duration(dtype):
        return pd.to_timedelta(
            column.astype(object) if isinstance(dtype, pd.ArrowDtype) else column
        )
    if inferred in DATES_IN_OBJECTS:
        return pd.to_datetime(column, errors="coerce", utc=True).dt.tz_localize(None)
    if not dtypes.is_datetime64_any_dtype(dtype):
        return column
    if isinstance(dtype, pd.ArrowDtype):
        column = pd.Series(pd.to_datetime(column.astype(object)), index=column.index)
    return column.dt.tz_localize(None) if column.dt.tz is not None else column


def levels_of(column: pd.Series) -> tuple[Codes, list[str]]:
    """Return the code of each row's level (-1: missing) and the levels' names.

    A categorical column keeps its order of levels, others are sorted by name.

    Examples
    --------
    >>> codes, names = levels_of(pd.Series(["b", None, "a"]))
    >>> codes.tolist(), names
    ([1, -1, 0], ['a', 'b'])
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories()
        return column.cat.codes.to_numpy(dtype=np.int64), [str(c) for c in column.cat.categories]
    known = column.notna().to_numpy()
    codes = np.full(len(column), -1, dtype=np.int64)
    inverse, names = pd.factorize(column[known].map(str).to_numpy(dtype=object), sort=True)
    codes[known] = inverse
    return codes, [str(name) for name in names]


def merge_rare(codes: Codes, names: list[str], max_levels: int) -> tuple[Codes, list[str]]:
    """Keep the `max_levels` - 1 most frequent levels; the others become "(other)".

    Examples
    --------
    >>> merge_rare(np.array([0, 0, 1, 2, -1]), ["a", "b", "c"], 2)[1]
    ['a', '(other)']
    """
    if len(names) <= max_levels:
        return codes, names
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[: max_levels - 1])
    lookup = np.full(len(names) + 1, max_levels - 1)
    lookup[kept] = np.arange(max_levels - 1)
    lookup[-1] = -1
    return lookup[codes], [*(names[i] for i in kept), "(other)"]


def bins_of(numbers: Floats, n_bins: int = 10) -> tuple[Codes, list[str]]:
    """Return the bin of every number (-1: missing) and the bins' names, bins holding equal counts.

    With at most `n_bins` distinct values each value is its own bin. A value that alone fills a bin
    (the zeros of a cost) gets its own, and the rest is cut into equal counts of at least ten;
    fewer than twenty rows are cut in two.

    Parameters
    ----------
    numbers : array of float, shape (n,)
        NaN is missing; infinities fall into the outer bins.
    n_bins : int
        Bins to aim at.

    Returns
    -------
    codes : array of int, shape (n,)
    names : list of str

    Examples
    --------
    >>> bins_of(np.arange(100.0), 4)[1]
    ['≤ 24', '24 to 49', '49 to 74', '> 74']
    >>> bins_of(np.r_[np.zeros(50), 1:51], 4)[1]
    ['0', '0 to 17', '17 to 34', '> 34']
    """
    known = ~np.isnan(numbers)
    values, counts = np.unique(numbers[known], return_counts=True)
    codes = np.full(len(numbers), -1, dtype=np.int64)
    if len(values) <= n_bins:
        codes[known] = np.searchsorted(values, numbers[known])
        return codes, [f"{value:.6g}" for value in values]
    edges = _bin_edges(values, counts, n_bins)
    of_value = np.searchsorted(edges, values, side="left")
    codes[known] = of_value[np.searchsorted(values, numbers[known])]
    return codes, _bin_names(values, of_value)


def _bin_edges(values: Floats, counts: Codes, n_bins: int) -> Floats:
    """Return the upper ends of all bins but the last."""
    is_heavy = counts > counts.sum() / n_bins
    n_light = int(counts[~is_heavy].sum())
    n_least = 1 if is_heavy.any() else min(n_bins, 2)
    n_cut = max(min(n_bins - int(is_heavy.sum()), n_light // MIN_ROWS_OF_BIN), n_least)
    below = np.cumsum(np.where(is_heavy, 0, counts))
    tops = np.searchsorted(below, n_light * np.arange(1, n_cut) / n_cut, side="left")
    heavy = np.flatnonzero(is_heavy)
    under = heavy[heavy > 0] - 1  # cut below a heavy value only where a bin's worth lies
    under = under[below[under] - np.r_[0, below][_previous(tops, heavy, under)] >= MIN_ROWS_OF_BIN]
    ends = np.unique(np.concatenate([tops, heavy, under]))
    return np.asarray(values[ends[ends < len(values) - 1].astype(np.int64)])


def _previous(tops: Codes, heavy: Codes, under: Codes) -> Codes:
    """Return for each cut its predecessor's position plus one, 0 for none."""
    ends = np.unique(np.r_[tops, heavy])
    place = np.searchsorted(ends, under, side="left")
    return np.asarray(np.r_[0, ends + 1][place])


def _bin_names(values: Floats, of_value: Codes) -> list[str]:
    firsts = np.flatnonzero(np.r_[True, np.diff(of_value) > 0])
    lasts = np.r_[firsts[1:], len(values)] - 1
    names = []
    for i, (first, last) in enumerate(zip(firsts.tolist(), lasts.tolist(), strict=True)):
        low, high = (format_digits(values[at], 4) for at in (max(first - 1, 0), last))
        if first == last:
            names.append(high)
        elif first == 0 and last == len(values) - 1:
            names.append(f"{format_digits(values[0], 4)} to {high}")
        elif i == len(firsts) - 1:
            names.append(f"> {low}")
        else:
            names.append(f"{low} to {high}" if i else f"≤ {high}")
    return names


def compute_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what each column holds.

    Parameters
    ----------
    frame : DataFrame
        With distinct column names.

    Returns
    -------
    DataFrame with columns column, kind, dtype, distinct, missing
        One row a column, in the table's order; `distinct` counts known values.

    Examples
    --------
    >>> compute_types(pd.DataFrame({"plan": ["a", "b", None]}))[["kind", "distinct", "missing"]]
              kind  distinct  missing
    0  categorical         2        1
    """
    kinds = column_kinds(frame)
    rows = [
        {
            "column": name,
            "kind": kinds[name],
            "dtype": str(frame[name].dtype),
            "distinct": _count_distinct(frame[name]),
            "missing": int(frame[name].isna().sum()),
        }
        for name in frame.columns
    ]
    return pd.DataFrame(rows, columns=["column", "kind", "dtype", "distinct", "missing"])


def compute_missing(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the share of missing values of each column that has any, with Wilson intervals.

    Parameters
    ----------
    frame : DataFrame
        With distinct column names.

    Returns
    -------
    DataFrame with columns column, missing, share
        Most missing first; `share` is an `Estimate`.

    Examples
    --------
    >>> compute_missing(pd.DataFrame({"a": [1, None, None, 4]}))["share"].iloc[0].value
    0.5
    """
    counts = frame.isna().sum()
    counts = counts[counts > 0].sort_values(ascending=False, kind="stable")
    shares: list[Estimate] = [wilson(int(count), len(frame)) for count in counts]
    table = pd.DataFrame({"column": list(counts.index), "missing": counts.to_numpy(dtype=int)})
    return table.assign(share=pd.Series(shares, dtype=object))


def _kind(column: pd.Series) -> str:
    n_distinct = _count_distinct(column)
    if not n_distinct:
        return "empty"
    if n_distinct == 1 and not column.isna().any():
        return "constant"
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical"
    if dtypes.is_datetime64_any_dtype(dtype) or _is_duration(dtype):
        return "datetime"
    if dtypes.is_bool_dtype(dtype):
        return "numeric"
    if dtypes.is_numeric_dtype(dtype) and not dtypes.is_complex_dtype(dtype):
        return "numeric"
    if dtypes.is_object_dtype(dtype):
        inferred = _inferred(column)
        if inferred in NUMBERS_IN_OBJECTS:
            return "numeric"
        if inferred in DATES_IN_OBJECTS:
            return "datetime"
    return "categorical" if n_distinct <= MAX_LEVELS else "text"


def _is_duration(dtype: Any) -> bool:
    return bool(dtypes.is_timedelta64_dtype(dtype) or str(dtype).startswith("duration["))


def _inferred(column: pd.Series) -> str:
    return str(dtypes.infer_dtype(column, skipna=True))


def _count_distinct(column: pd.Series) -> int:
    try:
        return int(column.nunique())
    except TypeError:  # lists and dictionaries in cells
        return int(column.dropna().map(str).nunique())
