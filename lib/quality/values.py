"""Cells that are not what their column is: other types, odd characters, codes for missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lib.checks import Check, Severity
from lib.quality.answers import found, naming, not_applicable, settle, share
from lib.quality.table import Table

MENDED: dict[str, Severity] = {  # what loading repaired, and how much that leaves to do
    "numbers as text": "note",
    "decimal comma": "note",
    "dates as numbers": "note",
    "times as seconds": "note",
    "unreadable numbers": "warning",
    "unreadable dates": "warning",
    "mixed types": "warning",
    "nested values": "warning",
    "infinite values": "warning",
    "missing marks": "note",
    "blanks": "note",
}
TEXTUAL: dict[str, Severity] = {"encoding": "note", "stray spaces": "note", "quotes": "note"}
CODES = (*(s * c for c in (9, 99, 999, 9999, 99999, 999999) for s in (1, -1)), -1)
MIN_MIXED, MAX_MIXED = 0.5, 0.999  # share of numbers in a column of text that mixes the two
MIN_NUMBERS = 10  # different ones; "2, 4, more" are categories
MAX_ZEROS = 0.15  # more zeros are a part of the population, not gaps
NUMBER = r"^\s*[+-]?(\d+([.,]\d+)?|\.\d+)([eE][+-]?\d+)?\s*$"
ODD = {
    "letters garbled by a wrong encoding": (
        r"Ã[\u0080-\u00BF\u2018-\u203A\u20AC\u0152-\u0192]|Â[\u00A0-\u00BF]|â\u20AC|ï»¿|Ð[\u0080-\u00BF]"
    ),
    "characters lost on reading": "\ufffd",
    "invisible characters": (
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]"
    ),
    "no-break spaces": "\u00a0",
    "letters of two alphabets in one word": (
        r"[a-zA-Z][\u0400-\u04FF\u0370-\u03FF]|[\u0400-\u04FF\u0370-\u03FF][a-zA-Z]"
    ),
    "marks of HTML": r"&(amp|lt|gt|quot|nbsp|#\d+);|<br ?/?>",
}


def check_types(table: Table) -> list[Check]:
    """Q09: columns of text that are mostly numbers, and what loading had to make of cells."""
    answers = [
        found(
            "Q09",
            MENDED[row.repair],
            str(row.column),
            f"{row.count_:,} cells: {row.detail}",
            advice,
        )
        for row in _repairs(table, MENDED)
        for advice in ["mend it at the source" if MENDED[row.repair] == "warning" else _READ]
    ]
    for name in table.textual:
        text = table.frame[name].cast(pl.String)
        is_number = text.str.contains(NUMBER)
        n_known, n_numbers = text.count(), int(is_number.sum() or 0)
        if not MIN_MIXED * n_known <= n_numbers < n_known or n_numbers > MAX_MIXED * n_known:
            continue
        words = text.filter(~is_number).unique().sort().to_list()
        if _are_codes(text, words) or text.filter(is_number).n_unique() < MIN_NUMBERS:
            continue
        rows = np.flatnonzero((~is_number).fill_null(value=False).to_numpy())
        evidence = (
            f"{share(n_numbers, n_known)} cells are numbers, the others read {naming(words, 4)}; "
            "models see categories"
        )
        advice = (
            "say in the catalogue which of these words are missing, so that it reads as numbers"
        )
        answers.append(found("Q09", "warning", name, evidence, advice, rows=rows[:20]))
    return settle("Q09", answers)


_READ = "nothing, when this reading is right; else name decimal or missing_values in the catalogue"


def _are_codes(text: pl.Series, words: list[str]) -> bool:
    """Whether the other cells look like the numbers: 12 and 12A, 0123 and X123; or open bins."""
    shapes = [word for word in words if any(letter.isdigit() for letter in word)]
    leading = bool(text.str.contains(r"^0\d").any())
    return leading or len(shapes) > len(words) / 2


def check_characters(table: Table) -> list[Check]:
    """Q11: text that went through a wrong encoding, and characters that nobody sees."""
    answers = [
        found("Q11", TEXTUAL[row.repair], _own(row.column), _counted(row), _CHARACTERS)
        for row in _repairs(table, TEXTUAL)
    ]
    names = pl.Series([*table.frame.columns, table.train.target])
    for what, pattern in ODD.items():
        named = names.filter(names.str.contains(pattern)).to_list()
        if named:
            evidence = f"{what} in the names of {naming(named)}"
            answers.append(found("Q11", "warning", "", evidence, _CHARACTERS))
    for name in table.textual:
        text = table.frame[name]
        values = text.unique().drop_nulls().cast(pl.String)
        for what, pattern in ODD.items():
            odd = values.filter(values.str.contains(pattern))
            if odd.is_empty():
                continue
            rows = np.flatnonzero(text.cast(pl.String).is_in(odd.to_list()).fill_null(value=False))
            severity: Severity = "note" if what.startswith(("no-break", "marks")) else "warning"
            evidence = f"{share(len(rows), len(text))} cells hold {what}, such as {_seen(odd)}"
            answers.append(found("Q11", severity, name, evidence, _CHARACTERS, rows=rows[:20]))
    return settle("Q11", answers)


def _counted(row: Any) -> str:
    if row.repair == "encoding":
        return f"the file is {row.detail}"
    return f"{row.count_:,} cell{'s' if row.count_ > 1 else ''}: {row.detail}"


_CHARACTERS = "save the source as UTF-8 or name its encoding; clean these cells before grouping"


def _seen(values: pl.Series) -> str:
    return ascii(str(values.sort()[0])[:30])


def find_missing_codes(table: Table) -> dict[str, tuple[float, npt.NDArray[np.bool_]]]:
    """Return for each column the number that seems to stand for missing, and where it stands.

    A code such as -1, 99 or -999 counts when it is the smallest or largest number, comes at least
    three times, and lies apart from all others; a 0 when all other numbers are well above it and
    vary, as no one weighs 0 kg.

    Parameters
    ----------
    table : Table
        To search.

    Returns
    -------
    dict of str to (float, ndarray of bool)
    """
    codes = {}
    for name in table.numeric:
        x = table.numbers(name)
        ends = (np.fmin.reduce(x), np.fmax.reduce(x))
        for code in (*CODES, 0.0):
            if code not in ends:
                continue
            at = x == code
            if at.sum() >= 3 and _stands_apart(x[~at & ~np.isnan(x)], code, int(at.sum())):
                codes[name] = (code, at)
                break
    return codes


def _stands_apart(others: npt.NDArray[np.float64], code: float, count: int) -> bool:
    if len(others) < 20 or count > len(others):
        return False
    low, high = float(others.min()), float(others.max())
    q1, q3 = np.quantile(others, [0.25, 0.75])
    n_distinct = len(np.unique(others[:5_000]))
    if code == 0:
        few = count <= MAX_ZEROS * len(others)
        return (
            few
            and low > 0
            and n_distinct > 30
            and low > 0.5 * float(q3 - q1)
            and low > 0.15 * float(q1)
        )
    if code == -1:
        return low >= 0 and high > 1 and n_distinct > 2
    gap = (low - code) if code < low else (code - high)
    if gap <= 0 or (abs(code) < 99 and n_distinct < 3):
        return False
    room = max(float(q3 - q1), (high - low) / 4)
    return gap > 2 * room or (gap > 0.5 * (high - low) and count >= 0.005 * len(others))


def check_missing_codes(table: Table) -> list[Check]:
    """Q12: numbers such as -1 or 999 that stand for missing."""
    if not table.numeric:
        return [not_applicable("Q12", "no feature holds numbers")]
    answers = []
    for name, (code, at) in find_missing_codes(table).items():
        evidence = f"{share(int(at.sum()), len(at))} rows read {code:g}, apart from all others"
        advice = f'if it stands for missing: missing_values = {{ "{name}" = [{code:g}] }}'
        rows = np.flatnonzero(at)[:20]
        answers.append(found("Q12", "warning", name, evidence, advice, rows=rows))
    return settle("Q12", answers)


def _own(column: object) -> str:
    return "" if str(column) == "(table)" else str(column)


def _repairs(table: Table, kinds: dict[str, Severity]) -> list[Any]:
    repairs = table.train.repairs.rename(columns={"count": "count_"})
    return [row for row in repairs.itertuples() if row.repair in kinds]
