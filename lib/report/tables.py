"""Tables for people: HTML on a page, fixed width on a terminal, Markdown in the record."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lib.report import text

MAX_ROWS = 40
MOST_DECIMALS = 6  # a column of smaller numbers is written with powers of ten
LINE_WIDTH = 100  # of plain text; wider tables continue below, first column repeated
WIDEST_PADDED = 40  # of Markdown columns; a longer cell makes its own line longer, not the table
CELL_WIDTHS = {"text": 300, "markdown": 300, "html": 300}
WIDEST_FIRST, WIDEST_WRAPPED = 38, 60  # of text columns; a longer cell goes on in the next line


@dataclass(frozen=True)
class Table:
    """A titled table of cells that are already text.

    Attributes
    ----------
    title : str
        What it shows.
    header : list of str
        Column names, as the data have them (not escaped).
    rows : list of list of str
        Cells, likewise.
    numeric : list of bool
        Which columns are aligned right.
    n_hidden : int
        Rows that were left out at the end.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    n_hidden: int = 0

    @classmethod
    def of(cls, frame: Any, *, title: str, digits: int = 3, max_rows: int = MAX_ROWS) -> Table:
        """Return the table of a pandas or polars frame; an index that says something is shown."""
        columns = [(text.clean(str(name)), values) for name, values in _columns(frame)]
        n_rows = len(columns[0][1]) if columns else 0
        shown = [values[:max_rows] for _, values in columns]
        cells = [_format_column(values, digits) for values in shown]
        return cls(
            title=text.clean(title),
            header=[name for name, _ in columns],
            rows=[list(row) for row in zip(*cells, strict=True)],
            numeric=[_is_numeric(values) for values in shown],
            n_hidden=max(n_rows - max_rows, 0),
        )

    @property
    def footer(self) -> str:
        """What is said about the rows that are not shown; "" when all are."""
        if not self.n_hidden:
            return "" if self.rows else "No rows."
        return f"… and {self.n_hidden:,} more row{'s' if self.n_hidden > 1 else ''}"

    def to_text(self) -> str:
        """Return fixed-width text.

        A wide table continues below with its first column repeated; a long cell goes on in the
        next lines.
        """
        cells = [self.header, *self.rows]
        cut = [[text.truncate(c, CELL_WIDTHS["text"]) for c in row] for row in cells]
        limits = [WIDEST_FIRST, *[WIDEST_WRAPPED] * len(self.header)]
        wrapped = [[text.wrap(c, w) for c, w in zip(row, limits, strict=False)] for row in cut]
        widths = [
            max(text.display_width(line) for cell in column for line in cell)
            for column in zip(*wrapped, strict=True)
        ]
        blocks = [
            "\n".join(_text_row(row, block, widths, self.numeric) for row in wrapped)
            for block in _column_blocks(widths)
        ]
        body = "\n\n".join(blocks)
        title = f"{self.title}\n{'─' * text.display_width(self.title)}" if self.title else ""
        return "\n".join(part for part in (title, body, self.footer) if part)

    def to_markdown(self) -> str:
        """Return Markdown under a bold title; cells are escaped and cut to one line."""
        rows = [[text.truncate(cell, CELL_WIDTHS["markdown"]) for cell in row] for row in self.rows]
        header = [text.truncate(name, CELL_WIDTHS["markdown"]) for name in self.header]
        body = markdown_table(header, rows, self.numeric) if header else ""
        title = f"**{text.escape_markdown(self.title)}**"
        return "\n\n".join(part for part in (title, body, self.footer) if part)

    def to_html(self) -> str:
        """Return an HTML table; every name and cell is escaped."""
        styles = ["text-align:right" if n else "text-align:left" for n in self.numeric]
        head = _html_row("th", self.header, styles)
        body = "\n".join(_html_row("td", row, styles) for row in self.rows)
        note = f'<p class="table-note">{html.escape(self.footer)}</p>' if self.footer else ""
        return (
            f'<table class="study-table">\n<caption>{html.escape(self.title)}</caption>\n'
            f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>{note}"
        )


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Any) -> str:
    """Return a Markdown table that also reads well unrendered.

    Columns are padded to a multiple of four, so that a slightly longer cell changes one line of
    a diff and not the whole table.

    Parameters
    ----------
    header : sequence of str
        Column names; escaped here.
    rows : sequence of sequence of str
        Cells; escaped here.
    numeric : sequence of bool
        Which columns are aligned right.

    Returns
    -------
    str
        Lines joined by LF.

    Examples
    --------
    >>> print(markdown_table(["model", "auc"], [["lightgbm", "0.772"]], [False, True]))
    | model    |      auc |
    | :------- | -------: |
    | lightgbm |    0.772 |
    """
    cells = [[text.escape_markdown(cell) for cell in row] for row in (header, *rows)]
    widths = [
        max(4 * math.ceil(min(max(map(text.display_width, column)), WIDEST_PADDED) / 4), 4)
        for column in zip(*cells, strict=True)
    ]
    rule = [
        "-" * (width - 1) + ":" if right else ":" + "-" * (width - 1)
        for width, right in zip(widths, numeric, strict=True)
    ]
    lines = [
        [text.pad(c, w, right=r) for c, w, r in zip(row, widths, numeric, strict=True)]
        for row in cells
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])


def _columns(frame: Any) -> list[tuple[str, list[Any]]]:
    """Return names and values by position, since names may repeat."""
    if hasattr(frame, "to_frame") and not hasattr(frame, "columns"):  # a Series
        frame = frame.to_frame()
    if hasattr(frame, "iter_columns"):  # polars
        return [(series.name, series.to_list()) for series in frame.iter_columns()]
    if not hasattr(frame, "iloc"):
        msg = f"report.table takes a pandas or polars frame, got {type(frame).__name__}."
        raise TypeError(msg)
    columns = [(_label(n), frame.iloc[:, i].tolist()) for i, n in enumerate(frame.columns)]
    if type(frame.index).__name__ == "RangeIndex" and frame.index.name is None:
        return columns
    levels = range(frame.index.nlevels)
    return [
        (_label(frame.index.names[i] or ""), frame.index.get_level_values(i).tolist())
        for i in levels
    ] + columns


def _label(name: Any) -> str:
    return " · ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and math.isnan(value)


def _is_numeric(values: Sequence[Any]) -> bool:
    present = [v for v in values if not _is_missing(v)]
    numbers = (
        text.is_estimate(v) or (isinstance(v, (int, float)) and not isinstance(v, bool))
        for v in present
    )
    return bool(present) and all(numbers)


def _format_column(values: Sequence[Any], digits: int) -> list[str]:
    finite = [v for v in values if isinstance(v, float) and math.isfinite(v)]
    decimals = _decimals(finite, digits)
    formatters: dict[type, Callable[[Any], str]] = {
        bool: lambda v: "yes" if v else "no",
        int: lambda v: f"{v:,}" if abs(v) >= 10_000 else str(v),  # 1987 may be a year
        float: lambda v: _format_float(v, decimals, digits),
        str: text.clean,
        datetime: _format_time,
        date: lambda v: v.isoformat(),
    }

    def format_cell(value: Any) -> str:
        if _is_missing(value):
            return text.MISSING
        if text.is_estimate(value):
            return format(value, f".{digits}f")
        for kind, formatter in formatters.items():
            if isinstance(value, kind):
                return formatter(value)
        return text.clean(str(value))

    return [format_cell(value) for value in values]


def _decimals(finite: Sequence[float], digits: int) -> int:
    """Return decimals for a whole column: none for whole numbers, fewer for large ones.

    A column of small numbers has as many as its largest needs for three digits that count.
    """
    if all(v.is_integer() for v in finite):
        return 0
    sizes = [abs(v) for v in finite if v]
    largest = max(sizes)
    if min(sizes) < 10**-digits and largest < 1:
        return max(digits, min(2 - math.floor(math.log10(largest)), MOST_DECIMALS))
    return digits if largest < 1_000 else min(digits, 1) if largest < 100_000 else 0


def _format_float(value: float, decimals: int, digits: int) -> str:
    if math.isinf(value):
        return text.format_number(value)
    if value != 0 and decimals >= digits and abs(value) < 0.5 * 10**-decimals:
        return f"{value:.{max(digits - 1, 1)}g}"
    shown = f"{value:,.{decimals}f}"
    return shown.lstrip("-") if float(shown.replace(",", "")) == 0 else shown


def _format_time(value: datetime) -> str:
    midnight = value.hour == value.minute == value.second == value.microsecond == 0
    return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")


def _column_blocks(widths: Sequence[int]) -> list[list[int]]:
    """Return lists of column numbers that fit on a line; the first column leads each."""
    blocks: list[list[int]] = [[0]] if widths else []
    used = widths[0] if widths else 0
    for column in range(1, len(widths)):
        if used + 2 + widths[column] > LINE_WIDTH and len(blocks[-1]) > 1:
            blocks.append([0])
            used = widths[0]
        blocks[-1].append(column)
        used += 2 + widths[column]
    return blocks


def _text_row(
    row: Sequence[list[str]], block: Sequence[int], widths: Sequence[int], numeric: Sequence[bool]
) -> str:
    n_lines = max(len(row[i]) for i in block)
    lines = [[cell[n] if n < len(cell) else "" for cell in row] for n in range(n_lines)]
    return "\n".join(
        "  ".join(text.pad(line[i], widths[i], right=numeric[i]) for i in block).rstrip()
        for line in lines
    )


def _html_row(tag: str, cells: Sequence[str], styles: Sequence[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    cut = [text.truncate(cell, CELL_WIDTHS["html"]) for cell in cells]
    parts = (
        f'<{tag}{scope} style="{style}">{html.escape(cell)}</{tag}>'
        for cell, style in zip(cut, styles, strict=True)
    )
    return f"<tr>{''.join(parts)}</tr>"
