"""Values that cannot be: by what a column's name says, dates out of place, units that clash."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib.checks import Check
from lib.quality.answers import found, naming, settle, share
from lib.quality.table import Floats, Table

# What a name promises: pattern of the name, smallest and largest possible value.
LIMITS = (
    (r"(^|_)age(_(years?|yrs?))?$|^alter$", 0, 125),
    (r"(^|_)lat(itude)?$", -90, 90),
    (r"(^|_)(lon|lng|long|longitude)$", -180, 180),
    (r"(^|_)(percent|percentage|pct)(_|$)|%|humidity", 0, 100),
    (r"(^|_)(hour|hr)(_of_day)?$", 0, 24),
    (r"(^|_)(month|mnth)(_of_year)?$", 0, 12),
    (r"(^|_)weekday$|(^|_)day_of_week$", 0, 7),
    (r"(^|_)day_of_month$", 1, 31),
    (r"(^|_)(probability|proba)$", 0, 1),
    (
        r"(^|_)(weight|height|length|width|distance|duration|area|volume|mass|price|speed)(_|$)",
        0,
        float("inf"),
    ),
    (r"(^|_)(income|salary|cost|count|quantity)(_|$)", 0, float("inf")),
)  # fmt: skip
MIN_ROWS = 50
MAX_BREAKING = 0.05  # more rows beyond it, and the name means something else
PLACEHOLDERS = ("1900-01-01", "1899-12-30", "1899-12-31", "1970-01-01", "9999-12-31", "2099-12-31")
FACTORS = {
    "inch and cm": 2.54, "lb and kg": 2.2046, "foot and m": 3.2808, "mile and km": 1.6093,
    "10": 10.0, "100 (such as m and cm, or percent and share)": 100.0, "dozens": 12.0,
    "1,000 (such as g and kg)": 1_000.0, "60 (such as minutes and hours)": 60.0,
    "3,600 (seconds and hours)": 3_600.0, "oz and g": 28.35, "1,000,000": 1e6,
    "mg/dl and mmol/l of glucose": 18.016,
}  # fmt: skip
UNITS = {
    "length": ("nm", "mm", "cm", "m", "10m", "km", "in", "inch", "ft", "feet", "mi", "miles"),
    "weight": ("mg", "g", "kg", "t", "lb", "lbs", "oz"),
    "temperature": ("°c", "°f", "ºc", "c", "f", "k", "celsius", "fahrenheit", "?c"),
    "time": ("ms", "s", "sec", "seconds", "min", "minutes", "h", "hours", "days"),
    "speed": ("m/s", "km/h", "mph", "kmh", "knots"),
    "pressure": ("hpa", "kpa", "pa", "mbar", "bar", "mmhg", "psi"),
    "volume": ("ml", "cl", "l", "gal"),
    "energy": ("j", "kj", "mj", "kcal", "kwh", "wh"),
}  # fmt: skip
_UNIT_IN_NAME = re.compile(r"[(\[]\s*([^()\[\]]{1,8}?)\s*[)\]]\s*$")


def check_impossible(table: Table) -> list[Check]:
    """Q17: values beyond what the column's name allows, and dates far from all others."""
    answers = []
    for name in table.numeric:
        limits = limits_of(name)
        if limits is None:
            continue
        x = table.numbers(name)
        low, high = limits
        beyond = (x < low) | (x > high)
        count = int(beyond.sum())
        if not 0 < count <= max(MAX_BREAKING * len(x), 1):
            continue
        words = f"from {low:g} to {high:g}" if np.isfinite(high) else f"at least {low:g}"
        reach = f"{np.min(x[beyond]):.6g} to {np.max(x[beyond]):.6g}"
        evidence = f"{share(count, len(x))} values lie at {reach}; by its name it is {words}"
        advice = "make them missing, or give the column the name of what it holds"
        rows = np.flatnonzero(beyond)[:20]
        answers.append(found("Q17", "warning", name, evidence, advice, rows=rows))
    for name in table.moments:
        answers += _check_dates(table, name)
    return settle("Q17", answers)


def limits_of(name: str) -> tuple[float, float] | None:
    """Return the smallest and largest value that a column of this name can have.

    Examples
    --------
    >>> limits_of("Age"), limits_of("Humidity(%)"), limits_of("signal_1")
    ((0, 125), (0, 100), None)
    """
    plain = re.sub(r"[^a-z0-9%]+", "_", name.lower()).strip("_")
    for pattern, low, high in LIMITS:
        if re.search(pattern, plain):
            return low, high
    return None


def _check_dates(table: Table, name: str) -> list[Check]:
    series = table.frame[name]
    days = series.dt.date()
    answers = []
    held = days.is_in([dt.date.fromisoformat(day) for day in PLACEHOLDERS]).fill_null(value=False)
    others = days.filter(~held)
    placed = np.flatnonzero(held.to_numpy())
    is_edge = len(placed) > 0 and bool(
        (others.min() or dt.date.max) > days.filter(held).max()  # type: ignore[operator]
        or (others.max() or dt.date.min) < days.filter(held).min()  # type: ignore[operator]
    )
    if is_edge:
        seen = naming(days.filter(held).unique().sort().to_list())
        evidence = f"{share(len(placed), len(days))} rows hold {seen}, a date that fills gaps"
        advice = "make it missing: missing_values in the catalogue"
        answers.append(found("Q17", "warning", name, evidence, advice, rows=placed[:20]))
    seconds = table.numbers(name)
    if is_edge:
        seconds = np.where(held.to_numpy(), np.nan, seconds)
    for sign, side in ((1, "after"), (-1, "before")):
        isolated = _isolated_dates(sign * seconds)
        if isolated is not None:
            first = str(days[int(isolated[np.argmin(sign * seconds[isolated])])])
            evidence = f"{share(len(isolated), len(days))} dates lie far {side} all others: {first}"
            advice = "check the order of day and month, and the century"
            answers.append(found("Q17", "warning", name, evidence, advice, rows=isolated[:20]))
    return answers


def _isolated_dates(seconds: Floats) -> np.ndarray | None:
    """Return dates further beyond the middle nine tenths than those are wide, a few at most."""
    known = seconds[~np.isnan(seconds)]
    if len(known) < 50:
        return None
    low, high = np.quantile(known, [0.05, 0.95])
    beyond = np.flatnonzero(seconds > high + max(high - low, 86_400.0 * 30))
    return beyond if 0 < len(beyond) <= MAX_BREAKING * len(known) else None


def check_units(table: Table) -> list[Check]:
    """Q16: a column written in two units, and names whose units differ for one quantity."""
    answers = []
    for name in table.numeric:
        answers += _check_factor(table, name)
    answers += [
        found("Q16", "warning", str(row.column), f"{row.detail}", "bring all cells to one unit")
        for row in table.train.repairs.itertuples()
        if row.repair == "unreadable numbers" and "unit" in str(row.detail)
    ]
    answers += _check_names([*table.frame.columns, table.train.target])
    return settle("Q16", answers)


def _check_names(names: list[str]) -> list[Check]:
    by_quantity: dict[str, dict[str, list[str]]] = {}
    for name in names:
        match = _UNIT_IN_NAME.search(name)
        for quantity, units in UNITS.items():
            if match and match[1].lower() in units:
                by_quantity.setdefault(quantity, {}).setdefault(match[1], []).append(name)
    answers = []
    for quantity, by_unit in by_quantity.items():
        if len(by_unit) > 1:
            listed = "; ".join(f"{unit}: {naming(held)}" for unit, held in sorted(by_unit.items()))
            evidence = f"{quantity} comes in {len(by_unit)} units by the names of columns: {listed}"
            advice = "mind it when columns are added or compared; trees and scaled models do not"
            answers.append(found("Q16", "note", "", evidence, advice))
    return answers


@dataclass(frozen=True)
class OtherUnit:
    """Rows that lie at a known factor from the others."""

    rows: npt.NDArray[np.int64]
    times: float
    side: str
    factor: str


def find_other_unit(x: Floats) -> OtherUnit | None:
    """Return a cluster at a known factor from the other values and as wide as they are.

    Examples
    --------
    >>> cm = np.random.default_rng(0).normal(172, 9, 200)
    >>> mixed = np.where(np.arange(200) < 20, cm / 2.54, cm)
    >>> other = find_other_unit(mixed)
    >>> len(other.rows), other.side, other.factor
    (20, 'below', 'inch and cm')
    """
    known = np.flatnonzero(x > 0)
    if len(known) < MIN_ROWS or len(known) < 0.99 * (~np.isnan(x)).sum():
        return None
    logs = np.log(x[known])
    ordered = np.sort(logs)
    gaps = np.diff(ordered)
    cut = int(np.argmax(gaps)) + 1
    low, high = ordered[:cut], ordered[cut:]
    few, most = (low, high) if len(low) < len(high) else (high, low)
    if len(few) < 3 or gaps[cut - 1] <= 3 * np.delete(gaps, cut - 1).max():
        return None
    spread = float(most.std())
    if spread == 0:
        return None
    step = abs(float(np.median(few) - np.median(most)))
    is_alike = 0.4 < few.std() / spread < 2.0
    is_apart = gaps[cut - 1] > 0.25 * spread
    factor = min(FACTORS, key=lambda words: abs(step - np.log(FACTORS[words])))
    is_near = abs(step - np.log(FACTORS[factor])) < max(0.02, 4.5 * spread / np.sqrt(len(few)))
    if not (is_alike and is_apart and is_near):
        return None
    rows = known[(logs < high[0]) == (few is low)]
    return OtherUnit(rows, float(np.exp(step)), "below" if few is low else "above", factor)


def _check_factor(table: Table, name: str) -> list[Check]:
    x = table.numbers(name)
    other = find_other_unit(x)
    if other is None:
        return []
    evidence = (
        f"{share(len(other.rows), len(x))} values form a second cluster, {other.times:.3g} times "
        f"{other.side} the others and as wide: close to the factor of {other.factor}"
    )
    advice = "convert these rows to the unit of the others"
    return [found("Q16", "warning", name, evidence, advice, rows=other.rows[:20])]


def explained_rows(table: Table, name: str) -> np.ndarray:
    """Return which values of a column other checks explain: impossible, or another unit."""
    x = table.numbers(name)
    mask = np.zeros(len(x), dtype=bool)
    limits = limits_of(name)
    if limits is not None:
        beyond = (x < limits[0]) | (x > limits[1])
        if beyond.sum() <= max(MAX_BREAKING * len(x), 1):
            mask |= beyond
    other = find_other_unit(x)
    if other is not None:
        mask[other.rows] = True
    return mask
