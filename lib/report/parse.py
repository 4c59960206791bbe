"""Reading committed findings back from their Markdown."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from lib.report.text import unescape_markdown

_ORIGIN = re.compile(
    r"^Dataset (?P<dataset>.+?)(?: \(data (?P<data>\w+)\))?, (?P<effort>\w+) effort, "
    r"seed (?P<seed>\d+)\.$"
)
_CELL_BORDER = re.compile(r"(?<!\\)\|")
WARNING = "**Warning:** "


@dataclass(frozen=True)
class ShownValue:
    """A row of the table of values, as text."""

    value: str
    low: str
    high: str
    kind: str

    @property
    def interval(self) -> str:
        """The interval as text, "" without one."""
        return f"[{self.low}, {self.high}]" if self.low and self.high else ""

    def covers(self, other: ShownValue) -> bool:
        """Return whether another's value lies in this interval."""
        low, middle, high = (parse_number(t) for t in (self.low, other.value, self.high))
        return low <= middle <= high


@dataclass
class ShownTable:
    """A recorded table, as text."""

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class Findings:
    """What a findings file says."""

    title: str = ""
    origin: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tables: dict[str, ShownTable] = field(default_factory=dict)
    values: dict[str, ShownValue] = field(default_factory=dict)


def parse_findings(markdown: str) -> Findings:
    r"""Return what a findings file says; sentences lose their Markdown escapes.

    Parameters
    ----------
    markdown : str
        As `Record.to_markdown` writes it.

    Returns
    -------
    Findings
        Empty for an empty text.

    Examples
    --------
    >>> parse_findings("# 11\n\n- Ridge leads.\n- **Warning:** Few rows.\n").warnings
    ['Few rows.']
    """
    found = Findings()
    body, _, values = markdown.rpartition("\n## Values\n")
    table_title = ""
    for line in (body or values).splitlines():
        origin = _ORIGIN.match(line)
        if line.startswith("# ") and not found.title:
            found.title = line[2:]
        elif origin and not found.origin:
            found.origin = {k: unescape_markdown(v or "") for k, v in origin.groupdict().items()}
        elif line.startswith("- " + WARNING):
            found.warnings.append(unescape_markdown(line[2 + len(WARNING) :]))
        elif line.startswith("- "):
            found.findings.append(unescape_markdown(line[2:]))
        elif line.startswith("**") and line.endswith("**"):
            table_title = _unused_title(unescape_markdown(line[2:-2]), found.tables)
            found.tables[table_title] = ShownTable()
        elif line.startswith("|") and table_title:
            _add_row(found.tables[table_title], line)
    for line in values.splitlines() if body else ():
        cells = _cells(line)
        if len(cells) == 5 and not _is_rule(cells) and cells[0] != "name":
            found.values[cells[0]] = ShownValue(*cells[1:])
    return found


def _unused_title(title: str, taken: dict[str, ShownTable]) -> str:
    number = sum(1 for known in taken if known.partition(" #")[0] == title)
    return f"{title} #{number + 1}" if number else title


def _add_row(table: ShownTable, line: str) -> None:
    cells = _cells(line)
    if not table.header:
        table.header = cells
    elif not _is_rule(cells):
        table.rows.append(cells)


def _is_rule(cells: list[str]) -> bool:
    return all(re.fullmatch(r":?-+:?", cell) for cell in cells)


def _cells(line: str) -> list[str]:
    return [unescape_markdown(cell.strip()) for cell in _CELL_BORDER.split(line)[1:-1]]


def parse_number(shown: str) -> float:
    """Return the number that a text shows; nan for anything else.

    Examples
    --------
    >>> parse_number("14,266"), parse_number("9.1%"), parse_number("-∞"), parse_number("dummy")
    (14266.0, 0.091, -inf, nan)
    """
    plain = shown.replace(",", "").replace("∞", "inf").strip()
    try:
        if plain.endswith("%"):
            return round(float(plain[:-1]) / 100, 12)
        return float(plain)
    except ValueError:
        return math.nan


def last_place(shown: str) -> float:
    """Return what one unit in the last shown digit is worth.

    Examples
    --------
    >>> last_place("0.772"), last_place("14,266"), last_place("9.1%"), last_place("1.5e-06")
    (0.001, 1.0, 0.001, 1e-07)
    """
    digits, _, exponent = shown.rstrip("%").partition("e")
    decimals = len(digits.partition(".")[2]) + (2 if shown.endswith("%") else 0)
    try:
        return float(f"1e{int(exponent or 0) - decimals}")
    except ValueError:
        return math.nan
