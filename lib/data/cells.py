"""From cells as written to numbers, moments and text; every change is said.

Pandas' own reading is not used: it takes the country code "NA" for missing, drops the leading
zeros of codes, and leaves a column of numbers as text because of eleven blanks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.data import moments
from lib.data.names import names_a_code
from lib.data.tables import MARKS, MARKS_AMONG_NUMBERS, Repair, listing

CODES = (-999999, -99999, -9999, -999, -99, -9, -1, 99, 999, 9999, 99999, 999999)
LARGEST = 3.4028234663852886e38  # of single precision, in which models count
MOSTLY = 0.95  # this share must read as numbers (or dates) before the rest is called a mistake
ENOUGH = 20  # … among at least so many cells

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?$"
_THOUSANDS = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$"
_EXACT_THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+$"
_UNIT = r"^([$€£¥]|[A-Z]{3})?\s*([+-]?[\d.,]*\d[\d.,]*)\s*([A-Za-z%‰°$€£¥/²³]{1,12})?$"


@dataclass(frozen=True)
class Hints:
    """What is known before a cell is read.

    Attributes
    ----------
    decimal : str or None
        Decimal mark of the source.
    day_first : bool or None
        Order of day and month in dates such as 01/02/2024.
    missing : tuple
        Values that stand for nothing, as the catalogue says.
    plain_text : bool
        Whether every cell came as text.
    """

    decimal: str | None = None
    day_first: bool | None = None
    missing: tuple[Any, ...] = ()
    plain_text: bool = False


def clean_column(series: pl.Series, hints: Hints) -> tuple[pl.Series, list[Repair]]:
    """Return a column as integers, floats, moments or text, and what that took.

    Parameters
    ----------
    series : polars Series
        As read.
    hints : Hints
        What is known of the source.

    Returns
    -------
    series : polars Series
        Of type Int64, Float64, Datetime, String, or Null when nothing is left.
    repairs : list of Repair
        Also for what was only noticed.

    Examples
    --------
    >>> column, repairs = clean_column(pl.Series("total", ["29.85", " ", "108.15"]), Hints())
    >>> column.to_list()
    [29.85, None, 108.15]
    >>> repairs[0].detail
    'stored as text; 1 cell holds only spaces, made missing'
    """
    name = series.name
    repairs: list[Repair] = []
    series = _without_named_missing(_simple_type(series, repairs), hints, repairs)
    if series.dtype == pl.String:
        series = _read_text(series, hints, repairs)
        if series.dtype.is_numeric():  # the text "-9.0" is the -9 of the catalogue too
            series = _without_named_missing(series, hints, repairs)
    if series.dtype.is_integer():
        series = moments.from_integers(series, repairs)
    if series.dtype.is_numeric():
        series = _finite(series, repairs)
        _notice_codes(series, repairs)
    return series.alias(name), repairs


def _simple_type(series: pl.Series, repairs: list[Repair]) -> pl.Series:
    """Return the column in one of few types; nested and binary ones become Null."""
    dtype = series.dtype
    if dtype in (pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    if dtype == pl.Boolean or dtype.is_integer():
        return series.cast(pl.Int64, strict=False)
    if dtype.is_decimal() or dtype.is_float():
        return series.cast(pl.Float64).fill_nan(None)
    if dtype.is_temporal():
        return moments.from_temporal(series, repairs)
    if dtype in (pl.String, pl.Null):
        return series
    detail = f"holds {dtype}: not a table cell; left out"
    repairs.append(Repair(series.name, "nested values", series.len(), detail))
    return pl.Series(series.name, [None] * series.len(), dtype=pl.Null)


def _without_named_missing(series: pl.Series, hints: Hints, repairs: list[Repair]) -> pl.Series:
    """Return the column without the values that the catalogue calls missing."""
    if not hints.missing or series.dtype == pl.Null or series.dtype.is_temporal():
        return series
    if series.dtype == pl.String:
        gone = series.str.strip_chars().is_in([str(value) for value in hints.missing])
    else:
        numbers = [float(value) for value in hints.missing if _is_number(value)]
        gone = series.cast(pl.Float64).is_in(numbers)
    count = int(gone.fill_null(value=False).sum())
    if count:
        detail = f"{listing(hints.missing)} made missing, as the catalogue says"
        repairs.append(Repair(series.name, "missing codes", count, detail))
        series = series.set(gone.fill_null(value=False), None)
    return series


def _read_text(series: pl.Series, hints: Hints, repairs: list[Repair]) -> pl.Series:
    name = series.name
    text = series.str.strip_chars()
    n_blank = int(((text == "") & (series != "")).sum())
    n_padded = int(((text != "") & (text != series)).sum())
    text = text.set(text == "", None)
    for read in (_as_numbers, moments.from_text, _as_booleans):
        found = read(text, hints)
        if found is not None:
            values, rows = found
            repairs.extend(_with_blanks(name, values, rows, n_blank))
            return values
    if n_blank:
        repairs.append(Repair(name, "blanks", n_blank, _blanks(n_blank)))
    if n_padded:
        detail = "spaces before or after the text removed"
        repairs.append(Repair(name, "stray spaces", n_padded, detail))
    return _without_marks(text, repairs)


def _as_numbers(text: pl.Series, hints: Hints) -> tuple[pl.Series, list[Repair]] | None:
    """Return the column as numbers when nearly all of it is, else None."""
    n_present = text.len() - text.null_count()
    if n_present == 0:
        return None
    direct = _direct(text, hints)
    rest = text.filter(direct.is_null() & text.is_not_null())
    lowered = rest.str.to_lowercase()
    is_mark = lowered.is_in(list(MARKS_AMONG_NUMBERS))
    marks, words = rest.filter(is_mark), rest.filter(~is_mark)
    if n_present == len(marks):
        return None
    values, how = direct, ""
    if len(words):
        values, how = _otherwise(text, direct, hints)
        words = text.filter(values.is_null() & text.is_not_null())
        words = words.filter(~words.str.to_lowercase().is_in(list(MARKS_AMONG_NUMBERS)))
    n_numbers = n_present - len(marks) - len(words)
    too_few = n_numbers < ENOUGH or n_numbers < MOSTLY * (n_numbers + len(words))
    if len(words) and (too_few or names_a_code(text.name)):
        return None
    if n_numbers == 0 or _is_code(text):
        return None
    return _whole_where_possible(text, values, how), _number_repairs(
        text.name, n_numbers, how, marks=marks, words=words, hints=hints
    )


def _direct(text: pl.Series, hints: Hints) -> pl.Series:
    """Return what reads as a number with a decimal point; null elsewhere."""
    if hints.decimal == "," and text.drop_nulls().str.contains(_EXACT_THOUSANDS).any():
        # 1.234 in a file of decimal commas is one thousand; let the comma reading decide
        return pl.Series(text.name, [None] * text.len(), dtype=pl.Float64)
    values = text.cast(pl.Float64, strict=False)
    return values.fill_nan(None)


def _otherwise(text: pl.Series, direct: pl.Series, hints: Hints) -> tuple[pl.Series, str]:
    """Return the reading that makes most cells numbers, and its name."""
    parts = text.str.extract_groups(_UNIT).struct.unnest()
    prefix, body, suffix = (parts.to_series(i) for i in range(3))
    units = (prefix.fill_null("") + suffix.fill_null("")).filter(body.is_not_null())
    unit = units.mode().sort()[0] if len(units) else ""
    same = (prefix.fill_null("") + suffix.fill_null("")) == unit
    if unit and _is_code(body):  # PAL0708 is a code, EUR 708 is an amount
        unit = ""
    bodies = body.set(~same, None) if unit else text
    unit = f"unit '{unit}' removed" if unit else ""
    comma = _matching(bodies, _COMMA).str.replace_all(".", "", literal=True)
    comma = comma.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    thousands = _matching(bodies, _THOUSANDS).str.replace_all(",", "", literal=True)
    thousands = thousands.cast(pl.Float64, strict=False)
    plain = direct if bodies is text else bodies.cast(pl.Float64, strict=False)
    readings = [(plain, ""), (thousands, "thousands separated by commas")]
    # a tie goes to the first: "1,234" is a thousand unless the source writes decimal commas
    readings.insert(1 if hints.decimal == "," else 2, (comma, "decimal comma"))
    if hints.decimal == ",":
        readings.insert(0, readings.pop(1))
    values, how = max(readings, key=lambda reading: reading[0].count())
    return values.alias(text.name), "; ".join(part for part in (how, unit) if part)


def _matching(text: pl.Series, pattern: str) -> pl.Series:
    return text.set(~text.str.contains(pattern).fill_null(value=False), None)


def _is_code(text: pl.Series) -> bool:
    """Whether digits are a code: leading zeros, or more digits than a number can keep."""
    present = text.drop_nulls()
    return bool(present.str.contains(r"^(0\d|\d{17,}$)").any())


def _whole_where_possible(text: pl.Series, values: pl.Series, how: str) -> pl.Series:
    if how or text.drop_nulls().str.contains(r"[.eE]|[iI]nf").any():
        return values
    whole = text.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == values.null_count() else values


def _number_repairs(
    name: str, n_numbers: int, how: str, *, marks: pl.Series, words: pl.Series, hints: Hints
) -> list[Repair]:
    rows = []
    if how or not hints.plain_text:
        detail = "; ".join(part for part in ("stored as text", how) if part)
        rows.append(Repair(name, "numbers as text", n_numbers, detail))
    if len(marks):
        detail = f"{listing(marks.unique().sort().to_list())} among numbers made missing"
        rows.append(Repair(name, "missing marks", len(marks), detail))
    if len(words):
        detail = f"{listing(words.unique().sort().to_list())} among numbers made missing"
        rows.append(Repair(name, "unreadable numbers", len(words), detail))
    return rows


def _as_booleans(text: pl.Series, hints: Hints) -> tuple[pl.Series, list[Repair]] | None:
    del hints
    lowered = text.str.to_lowercase()
    if set(lowered.drop_nulls().unique()) != {"true", "false"}:
        return None
    return (lowered == "true").cast(pl.Int64), []


def _without_marks(text: pl.Series, repairs: list[Repair]) -> pl.Series:
    """Return text without marks that never are a value; notice those that may be one."""
    name = text.name
    found = text.unique().drop_nulls()
    lowered = found.str.to_lowercase()
    marks = found.filter(lowered.is_in(list(MARKS)))
    others = found.filter(~lowered.is_in([*MARKS, "na"]))
    if "na" in lowered:
        # Namibia among countries, North America among regions; otherwise "not available"
        if len(others) > 1 and others.str.contains(r"^[A-Z]{2,3}$").all():
            count = int((text == "NA").sum())
            detail = "'NA' kept as a value: it stands among codes of two or three letters"
            repairs.append(Repair(name, "noticed", count, detail))
        else:
            marks = pl.concat([marks, found.filter(lowered == "na")])
    if len(marks):
        gone = text.is_in(marks.to_list()).fill_null(value=False)
        detail = f"{listing(marks.sort().to_list())} made missing"
        repairs.append(Repair(name, "missing marks", int(gone.sum()), detail))
        text = text.set(gone, None)
    doubtful = others.filter(others.str.to_lowercase().is_in(list(MARKS_AMONG_NUMBERS)))
    if len(doubtful):
        count = int(text.is_in(doubtful.to_list()).sum())
        detail = f"{listing(doubtful.sort().to_list())} may stand for nothing; kept as a value"
        repairs.append(Repair(name, "noticed", count, detail))
    if text.null_count() < text.len() and _is_digits(text):
        detail = "leading zeros or very long numbers: codes, kept as text"
        repairs.append(Repair(name, "noticed", text.len() - text.null_count(), detail))
    return text


def _is_digits(text: pl.Series) -> bool:
    return bool(text.drop_nulls().str.contains(r"^\d+$").all())


def _finite(series: pl.Series, repairs: list[Repair]) -> pl.Series:
    if not series.dtype.is_float():
        return series
    infinite = (~series.is_nan() & (series.abs() > LARGEST)).fill_null(value=False)
    count = int(infinite.sum())
    if count:
        detail = "infinite, or too large (beyond 3.4e38 models fail); made missing"
        repairs.append(Repair(series.name, "infinite values", count, detail))
        series = series.set(infinite, None)
    return series


def _notice_codes(series: pl.Series, repairs: list[Repair]) -> None:
    """Notice a repeated extreme value far from all others that looks like a code."""
    present = series.drop_nulls().cast(pl.Float64)
    if len(present) < ENOUGH:
        return
    extremes: list[Any] = [present.min(), present.max()]
    for code in (code for code in CODES if code in extremes):
        others = present.filter(present != code)
        count = len(present) - len(others)
        low, high = _range(others)
        if count < 2 or low is None or high is None:
            continue
        is_far = code < low - 2 * (high - low) or code > high + 2 * (high - low)
        if (is_far and abs(code) > 1) or (code == -1 and low >= 0 and high > 1):
            detail = f"{code:g} may stand for missing; kept. missing_values = [{code:g}] removes it"
            repairs.append(Repair(series.name, "noticed", count, detail))


def _range(series: pl.Series) -> tuple[float | None, float | None]:
    low, high = series.min(), series.max()
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return None, None
    return low, high


def _with_blanks(name: str, values: pl.Series, rows: list[Repair], n_blank: int) -> list[Repair]:
    """Return the repairs with those cells that held only spaces."""
    if not n_blank:
        return rows
    if not values.dtype.is_numeric():
        return [Repair(name, "blanks", n_blank, _blanks(n_blank)), *rows]
    first = next((row for row in rows if row.repair == "numbers as text"), None)
    others = [row for row in rows if row is not first]
    first = first or Repair(name, "numbers as text", n_blank, "stored as text")
    return [first._replace(detail=f"{first.detail}; {_blanks(n_blank)}"), *others]


def _blanks(count: int) -> str:
    return f"{count:,} cell{'s hold' if count > 1 else ' holds'} only spaces, made missing"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
