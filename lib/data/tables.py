"""What readers hand over: a raw table, and what they mended while reading it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

WHOLE = "(table)"  # in place of a column name, for repairs of the whole table

# Never a value anywhere; the second set only stands for nothing among numbers and dates, since
# "none" and "unknown" can be answers.
MARKS = frozenset(
    ("?", "n/a", "#n/a", "nan", "<na>", "nat", "null", "(null)", "#value!", "#div/0!", "#ref!")
)
MARKS_AMONG_NUMBERS = MARKS | frozenset(
    ("na", "n.a.", "none", "nil", "-", "--", "—", ".", "..", "missing", "unknown", "empty", "*")
)


class Repair(NamedTuple):
    """One thing that was mended, or only noticed (`detail` says so)."""

    column: str
    repair: str
    number: int
    detail: str


@dataclass(frozen=True)
class RawTable:
    """A table as read.

    Attributes
    ----------
    frame : polars DataFrame
        Unique column names.
    repairs : list of Repair
        What reading it took.
    levels : dict of str to tuple of str
        Columns that came as categories, with their order.
    decimal : str or None
        The decimal mark where the source leaves no doubt.
    plain_text : bool
        Whether every cell came as text (CSV), so that numbers as text are no defect.
    roles : dict of str to str
        Roles that the source itself knows, such as {"target": "mdvis"}.
    about : dict of str to str
        Description, licence and source, where the source itself has them.
    descriptions : dict of str to str
        Column to words.
    """

    frame: pl.DataFrame
    repairs: list[Repair] = field(default_factory=list)
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decimal: str | None = None
    plain_text: bool = False
    roles: dict[str, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)


def unique_headers(headers: Iterable[object]) -> tuple[list[str], list[Repair]]:
    """Return headers without blanks and duplicates, and the repairs that took.

    Headers that differ in their white space alone, such as a line break for a blank, are
    duplicates too: nobody could tell them apart in a table or a figure.

    Parameters
    ----------
    headers : iterable of object
        As read.

    Returns
    -------
    names : list of str
        Unique and not blank.
    repairs : list of Repair
        One for every changed header.

    Examples
    --------
    >>> names, repairs = unique_headers(["a", " b ", "a", ""])
    >>> names
    ['a', 'b', 'a_2', 'column_4']
    >>> [repair.repair for repair in repairs]
    ['duplicate name', 'blank name']
    """
    names: list[str] = []
    repairs = []
    texts = ["" if header is None else str(header).strip() for header in headers]
    taken = {_as_seen(text) for text in texts}
    given: set[str] = set()
    for position, text in enumerate(texts, start=1):
        name = text or _free(f"column_{position}", taken)
        if not text:
            repairs.append(Repair(name, "blank name", 1, f"column {position} had no name"))
        elif _as_seen(text) in given:
            name = _free(text, taken)
            detail = f"column {position} is a second '{shorten(_as_seen(text))}'"
            repairs.append(Repair(name, "duplicate name", 1, detail))
        taken.add(_as_seen(name))
        given.add(_as_seen(name))
        names.append(name)
    return names, repairs


def shorten(text: object, length: int = 40) -> str:
    """Return a text that fits into a sentence.

    Parameters
    ----------
    text : object
        Anything with a `str`.
    length : int, default=40
        Most characters.

    Returns
    -------
    str
        On one line, with "…" where it was cut.

    Examples
    --------
    >>> shorten("x" * 50, 5)
    'xxxx…'
    """
    words = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * length])
    return words if len(words) <= length else words[: length - 1] + "…"


def listing(values: Sequence[object], most: int = 5) -> str:
    """Return a few values in quotes, for a sentence.

    Parameters
    ----------
    values : sequence of object
        What to name.
    most : int, default=5
        How many.

    Returns
    -------
    str
        Such as "'a', 'b' and 3 more".

    Examples
    --------
    >>> listing(["a", "b", "c"], 2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(f"'{shorten(value, 25)}'" for value in values[:most])
    more = len(values) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def _as_seen(text: str) -> str:
    return " ".join(text.split())


def _free(base: str, taken: set[str]) -> str:
    n = 2
    name = base
    while _as_seen(name) in taken:
        name = f"{base}_{n}"
        n += 1
    return name
