"""What every column is for: given by the catalogue, or inferred with a reason; never silently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from lib.data.catalog import Entry
from lib.data.names import names_a_code, snake_case
from lib.data.tables import Repair, listing, shorten
from lib.errors import InputError, suggest

GIVEN, INFERRED = "given", "inferred"
_ID_NAME = re.compile(
    r"(^|_)(id|ids|uuid|guid|key|identifier)($|_number$)|^(row|rows|rownames|"
    r"row_?number|unnamed_\d+|instant|index_?|no|nr|number|record)$"
)
_PERSON_NAME = re.compile(
    r"^(subject|patient|person|participant|respondent|customer|client|user|member|household|"
    r"family|account|provider|employee|driver|animal|individual)"
    r"(_(id|no|nr|number|key|code))?$"
)
_TIME_NAME = re.compile(
    r"(^|_)(date|datetime|time|timestamp|year|day|dteday|week|month|period|ts)(_|$)"
)


class Role(NamedTuple):
    """A row of `Dataset.roles`."""

    column: str
    role: str
    kind: str
    origin: str
    reason: str


@dataclass
class Assignment:
    """The columns of a table, sorted by what they are for; names are own names.

    Attributes
    ----------
    target : str
    features : dict of str to str
        Column to kind: "number", "category", "text" or "date".
    groups, time, weights, amounts : str or None
    rows : list of Role
    """

    target: str
    features: dict[str, str] = field(default_factory=dict)
    groups: str | None = None
    time: str | None = None
    weights: str | None = None
    amounts: str | None = None
    rows: list[Role] = field(default_factory=list)


def require_column(name: str, columns: list[str], where: str, what: str) -> str:
    """Return `name` when it is a column, else say which there are.

    Parameters
    ----------
    name : str
        As the user wrote it.
    columns : list of str
        Those of the table.
    where : str
        The table's name.
    what : str
        What the column was wanted for.

    Returns
    -------
    str
        `name`.

    Raises
    ------
    InputError
        With the closest name.

    Examples
    --------
    >>> require_column("churn", ["Churn"], "my.csv", "Target column")
    Traceback (most recent call last):
    lib.errors.InputError: Target column 'churn' is not in my.csv. Columns: 'Churn'.
        Did you mean 'Churn'?
    """
    if name in columns:
        return name
    found = listing(columns, 12)
    shown, hint = shorten(name, 80), suggest(name, columns)
    raise InputError(f"{what} '{shown}' is not in {where}. Columns: {found}.{hint}")


def assign_roles(
    frame: pl.DataFrame, entry: Entry, target: str, levels: dict[str, tuple[str, ...]], where: str
) -> Assignment:
    """Return what every column but the target is for.

    Parameters
    ----------
    frame : polars DataFrame
        Cleaned columns.
    entry : Entry
        What is given.
    target : str
        Own name of the target.
    levels : dict of str to tuple of str
        Columns that came as categories.
    where : str
        The table's name, for messages.

    Returns
    -------
    Assignment
        With a row per column.

    Raises
    ------
    InputError
        When a named column does not exist, or no feature is left.
    """
    plan = Assignment(target)
    for role in ("groups", "time", "weights", "amounts"):
        named = getattr(entry, role)
        if named is not None:
            require_column(named, frame.columns, where, f"{role} column")
            setattr(plan, role, named)
            if role != "time":
                plan.rows.append(Role(named, role, "", GIVEN, "named in the catalogue"))
    taken = {target, plan.groups, plan.weights, plan.amounts}
    rest = [frame[column] for column in frame.columns if column not in taken]
    if plan.groups is None:
        _infer_groups(rest, plan)
    for series in rest:
        if series.name != plan.groups:
            _place(series, entry, levels, plan)
    _settle_time(frame, plan)
    if not plan.features:
        raise InputError(
            f"{where} has no feature beside the target '{target}': all other columns are empty, "
            "constant or identifiers (see data/README.md for how to keep one with kind)."
        )
    return plan


def _infer_groups(columns: list[pl.Series], plan: Assignment) -> None:
    """Take the first column that is named like a person and whose values repeat."""
    for series in columns:
        n_values = series.drop_nulls().n_unique()
        repeats = 10 <= n_values <= len(series) / 1.2
        if series.dtype.is_temporal() or not repeats or _is_fractional(series):
            continue
        if _PERSON_NAME.match(snake_case(series.name).removesuffix("_number")):
            plan.groups = series.name
            reason = (
                f"named like one who can have several rows: {n_values:,} in {len(series):,} rows; "
                "kept together on one side of every split"
            )
            plan.rows.append(Role(series.name, "groups", "", INFERRED, reason))
            return


def _is_fractional(series: pl.Series) -> bool:
    """Whether any number has a fraction; whole numbers beside a gap came as floats."""
    return series.dtype.is_float() and not bool((series.drop_nulls() % 1 == 0).all())


def _place(
    series: pl.Series, entry: Entry, levels: dict[str, tuple[str, ...]], plan: Assignment
) -> None:
    """Make a column a feature of some kind, or leave it out; say why."""
    name, forced = series.name, entry.column(series.name).kind
    present = series.drop_nulls()
    if present.is_empty():
        plan.rows.append(Role(name, "empty", "", INFERRED, "no value in any row; left out"))
        return
    n_values = 0 if series.dtype.is_float() else present.n_unique()  # floats are never codes
    if forced is not None:
        inferred, origin, reason = "", GIVEN, "named in the catalogue"
    elif not series.null_count() and present.min() == present.max():
        reason = f"always '{str(present[0])[:40]}'; left out"
        plan.rows.append(Role(name, "constant", "", INFERRED, reason))
        return
    elif (why := _identifies(series, n_values)) is not None:
        plan.rows.append(Role(name, "identifier", "", INFERRED, f"{why}; left out"))
        return
    else:
        origin = INFERRED
        inferred, reason = _kind(series, n_values, is_level=name in levels)
    kind = forced or inferred
    plan.features[name] = kind
    plan.rows.append(Role(name, "feature", kind, origin, reason))


def _identifies(series: pl.Series, n_values: int) -> str | None:
    """Return why a column only names its row, or None."""
    if series.null_count() or series.dtype.is_float() or series.dtype.is_temporal():
        return None
    if n_values < len(series) or len(series) < 10:
        return None
    named = bool(_ID_NAME.search(snake_case(series.name)))
    if series.dtype.is_integer():
        steps = series.diff().drop_nulls()
        if series[0] in {0, 1} and bool((steps == 1).all()):
            return "counts the rows"
        return "unique whole numbers, named like an identifier" if named else None
    has_spaces = int(series.str.contains(r"\s").sum()) > len(series) / 2
    if named or not has_spaces:
        return "a different text in every row" + (", named like an identifier" if named else "")
    return None


def _kind(series: pl.Series, n_values: int, *, is_level: bool) -> tuple[str, str]:
    """Return the kind of a feature and why."""
    if is_level:
        return "category", "a category in the source"
    if series.dtype.is_temporal():
        return "date", "dates"
    if series.dtype.is_integer() and names_a_code(series.name):
        return "category", "whole numbers named like a code, not a quantity"
    if series.dtype.is_numeric():
        return "number", "numbers"
    n_present = len(series) - series.null_count()
    if n_values <= max(20, n_present / 10):
        return "category", f"text with {n_values:,} values"
    return "text", f"text with {n_values:,} values in {n_present:,} cells"


def _settle_time(frame: pl.DataFrame, plan: Assignment) -> None:
    """Settle the column of time: given, or the one column of dates that orders the rows."""
    if plan.time is not None:
        reason = "named in the catalogue; also a feature where it is one"
        plan.rows.append(Role(plan.time, "time", "", GIVEN, reason))
        return
    dates = [name for name, kind in plan.features.items() if kind == "date"]
    ordered = [name for name in dates if _is_ordered(frame[name])]
    if not dates:  # years and the like come as numbers
        named = [name for name in plan.features if _TIME_NAME.search(snake_case(name))]
        ordered = [name for name in named if _is_ordered(frame[name])]
    if len(ordered) == 1:
        plan.time = ordered[0]
        reason = "in the order of the rows; also a feature. The last rows become the test set"
        plan.rows.append(Role(plan.time, "time", "", INFERRED, reason))
        return
    for name in dates:
        if len(dates) == 1 and _TIME_NAME.search(snake_case(name)):
            plan.time = name
            reason = (
                'the one column of dates; also a feature. split = { rule = "random" } ignores it'
            )
            plan.rows.append(Role(name, "time", "", INFERRED, reason))


def _is_ordered(series: pl.Series) -> bool:
    """Whether the rows stand in the order of a column of at least ten moments or numbers."""
    is_clock = series.dtype.is_temporal() or series.dtype.is_numeric()
    ordered = is_clock and series.null_count() == 0 and series.is_sorted()
    return ordered and series.n_unique() >= 10


def settle_missing_keys(frame: pl.DataFrame, plan: Assignment) -> tuple[pl.DataFrame, list[Repair]]:
    """Return the table with no gap in groups, time and weights.

    Parameters
    ----------
    frame : polars DataFrame
        Cleaned columns.
    plan : Assignment
        Which columns they are.

    Returns
    -------
    frame : polars DataFrame
        A row without a group is a group of its own; one without a time comes first.
    repairs : list of Repair

    Raises
    ------
    InputError
        When a weight is missing or negative.
    """
    repairs = []
    if plan.weights is not None:
        weights = frame[plan.weights]
        if not weights.dtype.is_numeric() or weights.null_count() or not (weights >= 0).all():
            raise InputError(
                f"Weights '{plan.weights}' must be numbers of at least 0 in every row: "
                "mend the column, or leave weights out."
            )
    if plan.amounts is not None and not frame[plan.amounts].dtype.is_numeric():
        raise InputError(f"Amounts '{plan.amounts}' must be numbers: mend the column.")
    if plan.groups is not None and (count := frame[plan.groups].null_count()):
        own = pl.format("row {}", pl.int_range(pl.len()))
        filled = pl.col(plan.groups).cast(pl.String).fill_null(own)
        frame = frame.with_columns(filled.alias(plan.groups))
        repairs.append(Repair(plan.groups, "missing group", count, "each a group of its own"))
    return frame, repairs
