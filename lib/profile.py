"""A profile of any table: a page to click through, and a text to review and diff."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_timedelta64_dtype

from lib.statistics import as_frame, column_kinds, moments_of, numbers_of, sample_rows

MAX_PAGE_ROWS = 20_000
MAX_PAGE_COLUMNS = 100
MAX_SHOWN_LEVELS = 3
MAX_CELL = 24  # characters of one value in the text
# What would start something else than text; underscores inside a word do not.
MARKDOWN = re.compile(r"[\\|`*<\[$~&]|(?<![^\W_])_|_(?![^\W_])")
JOINERS = "\u200c\u200d"  # invisible, and part of words in some scripts
COLUMNS = ["column", "kind", "missing", "distinct", "typical", "range"]


def profile_page(
    table: Any,
    *,
    title: str,
    max_rows: int = MAX_PAGE_ROWS,
    random_state: int = 0,
) -> str:
    """Return a profile of `table` as one self-contained HTML page, by skrub's `TableReport`.

    It shows sample rows, and a card for each column with its distribution, and associations. Two
    calls give the same content in different bytes: to compare profiles, use `profile_text`.

    Parameters
    ----------
    table : DataFrame of pandas or polars
        Any table.
    title : str
        Heading of the page.
    max_rows : int
        More rows are sampled, and the title says so.
    random_state : int
        Seed of that sample.

    Returns
    -------
    str
        HTML that runs its own script: open it by itself or in a sandboxed frame.

    Examples
    --------
    >>> page = profile_page({"age": [31, 45], "plan": ["a", "b"]}, title="Two persons")
    >>> "Two persons" in page
    True
    """
    from skrub import TableReport  # noqa: PLC0415 (five seconds to import)

    frame = as_frame(table)
    n_rows, n_columns = frame.shape
    if n_rows > max_rows:
        title += f" ({max_rows:,} of {n_rows:,} rows, sampled)"
    if n_columns > MAX_PAGE_COLUMNS:
        title += f" (first {MAX_PAGE_COLUMNS} of {n_columns:,} columns)"
    shown = _reportable(sample_rows(frame.iloc[:, :MAX_PAGE_COLUMNS], max_rows, random_state))
    with warnings.catch_warnings():
        # An all-missing column, or infinities, are what a profile is there to show.
        warnings.simplefilter("ignore", RuntimeWarning)
        report = TableReport(
            shown,
            title=title,
            verbose=0,
            open_tab="stats",
            plot_distributions=True,
            compute_associations=False,
        )
        return str(report.html())


def profile_table(table: Any) -> pd.DataFrame:
    """Return one row of words a column: what a reviewer wants to see change.

    Parameters
    ----------
    table : DataFrame of pandas or polars
        Any table; all rows count.

    Returns
    -------
    DataFrame with columns column, kind, missing, distinct, typical, range
        In the table's order. `typical` is the median and the middle half of numbers and dates,
        the most frequent values with their shares otherwise; `range` the lowest and highest, or
        for text the shortest and longest length.

    Examples
    --------
    >>> profile_table({"age": [31, 45, 62], "plan": ["a", "b", "a"]})[["column", "typical"]]
      column         typical
    0    age    45 (31 … 62)
    1   plan  a 67 %, b 33 %
    """
    frame = as_frame(table)
    kinds = column_kinds(frame)
    rows = [_describe(frame[name], str(kinds[name])) for name in frame.columns]
    return pd.DataFrame(rows, columns=COLUMNS)


def profile_text(table: Any, *, title: str) -> str:
    """Return the profile of `table` as Markdown; equal tables give equal bytes.

    Parameters
    ----------
    table : DataFrame of pandas or polars
        Any table.
    title : str
        Heading.

    Returns
    -------
    str
        A heading, a sentence on the size, and one table row a column.

    Examples
    --------
    >>> print(profile_text({"plan": ["a", "b", "a"]}, title="Plans"))
    # Plans
    <BLANKLINE>
    Rows: 3; columns: 1; missing cells: 0 of 3; repeated rows: 1.
    <BLANKLINE>
    | column | kind | missing | distinct | typical | range |
    |---|---|---|---|---|---|
    | plan | categorical | 0 % | 2 | a 67 %, b 33 % |  |
    <BLANKLINE>
    """
    frame = as_frame(table)
    n_missing, n_repeated = int(frame.isna().sum().sum()), count_repeated_rows(frame)
    size = (
        f"Rows: {frame.shape[0]:,}; columns: {frame.shape[1]:,}; missing cells: {n_missing:,} of "
        f"{frame.size:,}; repeated rows: {n_repeated:,}."
    )
    head = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    body = [
        "| " + " | ".join(_cell(value) for value in row) + " |"
        for row in profile_table(frame).astype(str).itertuples(index=False)
    ]
    return "\n".join([f"# {_cell(title)}", "", size, "", *head, *body, ""])


def count_repeated_rows(table: Any) -> int:
    """Return how many rows equal an earlier row in every cell.

    Examples
    --------
    >>> count_repeated_rows({"a": [1, 1, 2], "b": [[0], [0], [0]]})
    1
    """
    frame = as_frame(table)
    try:
        return int(frame.duplicated().sum())
    except TypeError:  # lists and dictionaries in cells
        return int(frame.map(str).duplicated().sum())


def _describe(column: pd.Series, kind: str) -> dict[str, object]:
    share = float(column.isna().mean()) if len(column) else 0.0
    row: dict[str, object] = {
        "column": column.name,
        "kind": kind,
        "missing": _percent(share),
        "distinct": _text_of(column).nunique(),
        "typical": "",
        "range": "",
    }
    if kind == "empty":
        return row
    if kind in {"numeric", "datetime"}:
        return {**row, **_describe_numbers(column, kind)}
    if kind == "text":
        lengths = _text_of(column).str.len()
        span = f"{lengths.min():,} … {lengths.max():,} characters"
        return {**row, "typical": f"{lengths.median():,.0f} characters", "range": span}
    return {**row, "typical": _frequent(column)}


def _describe_numbers(column: pd.Series, kind: str) -> dict[str, str]:
    numbers = numbers_of(column)
    numbers = numbers[~np.isnan(numbers)]
    # Quantiles that occur in the data: between two infinities lies no number.
    low, quarter, middle, three_quarters, high = (
        float(x) for x in np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1], method="inverted_cdf")
    )
    is_duration = is_timedelta64_dtype(moments_of(column).dtype)
    write = _seconds if is_duration else {"numeric": _number, "datetime": _date}[kind]
    typical = f"{write(middle)} ({write(quarter)} … {write(three_quarters)})"
    return {"typical": typical, "range": f"{write(low)} … {write(high)}"}


def _frequent(column: pd.Series) -> str:
    counts = _text_of(column).value_counts()
    counts = counts.iloc[np.lexsort((counts.index.to_numpy(dtype=str), -counts.to_numpy()))]
    shares = counts / counts.sum()
    parts = [f"{_short(name)} {_percent(share)}" for name, share in shares.items()]
    rest = len(parts) - MAX_SHOWN_LEVELS
    shown = ", ".join(parts[:MAX_SHOWN_LEVELS])
    return f"{shown}, {rest:,} more" if rest > 0 else shown


def _text_of(column: pd.Series) -> pd.Series:
    return column.dropna().map(str).astype(object)


def _percent(share: float) -> str:
    """Return a share that reads 0 % or 100 % only when it is."""
    if 0 < share < 0.005:
        return "< 0.5 %"
    if 0.995 <= share < 1:
        return "> 99.5 %"
    return f"{share:.0%}".replace("%", " %")


def _number(value: float) -> str:
    return f"{value:,.0f}" if 9_999.5 <= abs(value) < 1e15 else f"{value:,.4g}"


def _seconds(value: float) -> str:
    return f"{_number(value)} s"


def _date(seconds: float) -> str:
    return str(np.datetime64(round(seconds), "s")).removesuffix("T00:00:00").replace("T", " ")


def _short(value: object) -> str:
    text = _line(value) or "(blank)"
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _cell(value: object) -> str:
    """Return a value on one line that cannot leave its cell in a Markdown table."""
    text = _line(value)
    text = text if len(text) <= 120 else text[:80] + "…" + text[-39:]
    return MARKDOWN.sub(lambda mark: "\\" + mark.group(), text)


def _line(value: object) -> str:
    """Return a value on one line; what hides or reorders text is made visible."""
    text = " ".join(str(value).split())
    return "".join(mark if mark.isprintable() or mark in JOINERS else "�" for mark in text)


def _reportable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with every cell in a type that the page can draw."""
    drawn = {name: _reportable_column(column) for name, column in frame.items()}
    return pd.DataFrame(drawn, index=frame.index).reset_index(drop=True)


def _reportable_column(column: pd.Series) -> pd.Series:
    dtype = column.dtype
    if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_complex_dtype(dtype):
        return column.map(str, na_action="ignore").astype("str")
    if pd.api.types.is_numeric_dtype(dtype):
        return column.replace([np.inf, -np.inf], np.nan)
    return column
