"""Dates and times: from text in many orders, from numbers such as 20240131, from typed columns."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from lib.data.tables import MARKS_AMONG_NUMBERS, Repair, listing

_SAMPLE = 500
_MOSTLY = 0.95
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f")
_ISO = (
    *(f"%Y{mark}%m{mark}%d{clock}" for mark in "-/." for clock in _CLOCKS),
    *(f"%Y-%m-%dT{clock.strip()}" for clock in _CLOCKS[1:]),
)
_ZONED = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%.f%z")
_NAMED = ("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%y")
_ORDERS = {
    order: tuple(
        f"{first}{mark}{second}{mark}{year}{clock}"
        for mark in "/.-"
        for year in ("%Y", "%y")
        for clock in _CLOCKS[:3]
    )
    for order, first, second in (("day", "%d", "%m"), ("month", "%m", "%d"))
}

_ABOVE_12 = {"day": r"^(1[3-9]|2\d|3[01])\D", "month": r"^\d+\D(1[3-9]|2\d|3[01])\D"}


class _Hints(Protocol):
    @property
    def day_first(self) -> bool | None: ...


def from_text(text: pl.Series, hints: _Hints) -> tuple[pl.Series, list[Repair]] | None:
    """Return a text column as moments when nearly all of it is, else None.

    Parameters
    ----------
    text : polars Series of str
        Without spaces around.
    hints : Hints
        `day_first` decides what the column itself leaves open.

    Returns
    -------
    (Series, list of Repair) or None
        Moments without time zone; which order of day and month was taken and why.

    Examples
    --------
    >>> from lib.data.cells import Hints
    >>> values, repairs = from_text(pl.Series("day", ["01/12/2017", "13/12/2017"]), Hints())
    >>> str(values[0].date()), repairs[0].detail
    ('2017-12-01', 'read as day/month/year: 1 value has a day above 12')
    """
    is_mark = text.str.to_lowercase().is_in(list(MARKS_AMONG_NUMBERS)).fill_null(value=False)
    marked = text.filter(is_mark)
    if len(marked):
        found = _read(text.set(is_mark, None), hints)
        detail = f"{listing(marked.unique().sort().to_list())} among dates made missing"
        row = Repair(text.name, "missing marks", len(marked), detail)
        return None if found is None else (found[0], [*found[1], row])
    return _read(text, hints)


def _read(text: pl.Series, hints: _Hints) -> tuple[pl.Series, list[Repair]] | None:
    sample = text.drop_nulls().unique(maintain_order=True).head(_SAMPLE)
    shaped = sample.str.contains(r"[-/.:,\s].*[-/.:\s]") & sample.str.contains(r"\d")
    if sample.is_empty() or int(shaped.sum()) < _MOSTLY * len(sample):
        return None
    best = _best(sample, (*_ISO, *_NAMED))
    if best is not None:
        return _parsed(text, best, [])
    zoned = _best(sample, _ZONED)
    if zoned is not None:
        row = Repair(text.name, "time zones", text.count(), "moments brought to UTC")
        return _parsed(text, zoned, [row])
    return _by_order(text, sample, day_first=hints.day_first)


def from_integers(series: pl.Series, repairs: list[Repair]) -> pl.Series:
    """Return numbers such as 20240131 as moments, where the name says date; else unchanged.

    Parameters
    ----------
    series : polars Series of int
        Any.
    repairs : list of Repair
        Gets a row when the column was changed.

    Returns
    -------
    Series
        Of type Datetime, or as given.

    Examples
    --------
    >>> from_integers(pl.Series("date", [20240131]), [])[0].month
    1
    """
    name = series.name.lower()
    low, high = series.min(), series.max()
    if not ("date" in name or name in {"day", "dt"}) or not isinstance(low, int):
        return series
    if low < 19000101 or not isinstance(high, int) or high > 21001231:
        return series
    values = series.cast(pl.String).str.to_datetime("%Y%m%d", strict=False, time_unit="us")
    if values.null_count() > series.null_count():
        return series
    repairs.append(Repair(series.name, "dates as numbers", values.count(), "read as YYYYMMDD"))
    return values


def from_temporal(series: pl.Series, repairs: list[Repair]) -> pl.Series:
    """Return a typed column of dates, moments, times or durations in a type the study takes.

    Parameters
    ----------
    series : polars Series
        Of a temporal type.
    repairs : list of Repair
        Gets a row when the meaning was touched.

    Returns
    -------
    Series
        Datetime without zone; times of day and durations as seconds.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from_temporal(pl.Series("wait", [timedelta(minutes=1)]), []).to_list()
    [60.0]
    """
    name, count = series.name, series.count()
    if series.dtype == pl.Date:
        return series.cast(pl.Datetime("us"))
    if isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone:
            repairs.append(Repair(name, "time zones", count, "moments brought to UTC"))
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return series.cast(pl.Datetime("us"))
    what = "duration" if series.dtype == pl.Duration else "time of day"
    repairs.append(Repair(name, "times as seconds", count, f"{what} in seconds"))
    if series.dtype == pl.Time:
        return series.cast(pl.Int64).cast(pl.Float64) / 1e9  # nanoseconds since midnight
    return series.dt.total_microseconds().cast(pl.Float64) / 1e6


def _by_order(
    text: pl.Series, sample: pl.Series, *, day_first: bool | None
) -> tuple[pl.Series, list[Repair]] | None:
    """Return moments from 01/02/2024: by hint, by values above 12, or day first, said so."""
    best = {order: _best(sample, formats) for order, formats in _ORDERS.items()}
    given = {True: "day", False: "month", None: None}[day_first]
    if given and best[given]:
        form = best[given]
        why = "as the catalogue says"
    else:
        fits = {order: _parse(text, form).count() if form else 0 for order, form in best.items()}
        given = "month" if fits["month"] > fits["day"] else "day"
        form = best[given]
        n_decisive = int(text.str.contains(_ABOVE_12[given]).sum())
        values = "1 value has" if n_decisive == 1 else f"{n_decisive:,} values have"
        why = f"{values} a day above 12"
        if n_decisive == 0:
            why = "no value tells day from month; set day_first in the catalogue"
    words = "day/month/year" if given == "day" else "month/day/year"
    row = Repair(text.name, "order of dates", text.count(), f"read as {words}: {why}")
    return _parsed(text, form, [row]) if form else None


def _best(sample: pl.Series, formats: tuple[str, ...]) -> str | None:
    """Return the format that reads most of the sample, when that is nearly all."""
    counts = {form: _parse(sample, form).count() for form in formats}
    best = max(counts, key=lambda form: counts[form])
    return best if counts[best] >= _MOSTLY * len(sample) else None


def _parse(text: pl.Series, form: str) -> pl.Series:
    if "%Y" in form:  # chrono reads the year 17 from "17" otherwise
        text = text.set(~text.str.contains(r"\d{4}").fill_null(value=False), None)
    values = text.str.to_datetime(form, strict=False, time_unit="us")
    return values.dt.replace_time_zone(None) if "%z" in form else values


def _parsed(text: pl.Series, form: str, rows: list[Repair]) -> tuple[pl.Series, list[Repair]]:
    values = _parse(text, form)
    bad = text.filter(values.is_null() & text.is_not_null())
    if len(bad):
        detail = f"{listing(bad.unique().sort().to_list())} among dates made missing"
        rows = [*rows, Repair(text.name, "unreadable dates", len(bad), detail)]
    return values, rows
