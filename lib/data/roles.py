"""What every column is for: given by the catalogue, or inferred with a reason; never silently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from lib.data.catalog import Entry
from lib.data.dataset import Task
from lib.data.names import names_a_code, snake_case
from lib.data.tables import RawTable, Repair, listing
from lib.errors import InputError, suggest

GIVEN, INFERRED = "given", "inferred"
TARGET_NAMES = (
    *("target", "label", "labels", "y", "class", "outcome", "response", "churn", "churned"),
    *("survived", "default", "diagnosis", "is_fraud", "fraud", "converted", "species"),
)
POSITIVE_LABELS = frozenset(
    (
        *("1", "1.0", "yes", "y", "true", "t", "positive", "pos", "bad", "churned", "churn"),
        *("malignant", "default", "fraud", "died", "dead", "case", "sick", "failed", "fail"),
    )
)
MAX_INTEGER_CLASSES = 10
MAX_CLASSES = 100
_ID_NAME = re.compile(
    r"(^|_)(id|ids|uuid|guid|key|identifier)($|_number$)|^(row|rows|rownames|"
    r"row_?number|unnamed_\d+|instant|index_?|no|nr|number|record)$"
)
_PERSON_NAME = re.compile(
    r"^(subject|patient|person|participant|respondent|customer|client|user|member|household|"
    r"family|account|provider|employee|driver|animal|individual)"
    r"(_(id|no|nr|number|key|code))?$"
)
_TIME_NAME = re.compile(r"(^|_)(date|datetime|time|timestamp|day|dteday|week|month|period|ts)(_|$)")


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


def find_target(table: RawTable, entry: Entry, target: str | None, where: str) -> tuple[str, Role]:
    """Return the target column and why it is taken.

    Parameters
    ----------
    table : RawTable
        Its columns.
    entry : Entry
        May name the target.
    target : str or None
        Asked for by the caller; wins.
    where : str
        The table's name, for messages.

    Returns
    -------
    column : str
        Own name.
    role : Role
        Given, known from the source, by a customary name, or the last column.

    Raises
    ------
    InputError
        When the named column does not exist, or the table has one column only.
    """
    columns = table.frame.columns
    if len(columns) < 2:
        raise InputError(
            f"{where} has the one column '{columns[0]}': expected a target and at least one "
            "feature. If columns run together, give the separator in the catalogue."
        )
    named = target or entry.target
    if named is not None:
        column = require_column(named, columns, where, "Target column")
        reason = "named by the caller" if target else "named in the catalogue"
        return column, Role(column, "target", "", GIVEN, reason)
    known = table.roles.get("target")
    if known in columns:
        return known, Role(known, "target", "", INFERRED, "the source calls it the target")
    by_safe = {snake_case(column): column for column in reversed(columns)}
    for name in TARGET_NAMES:
        if name in by_safe or f"{name}_" in by_safe:
            column = by_safe.get(name) or by_safe[f"{name}_"]
            return column, Role(column, "target", "", INFERRED, "a customary name of a target")
    column = columns[-1]
    reason = 'the last column, as none has a customary name; name another with target = "…"'
    return column, Role(column, "target", "", INFERRED, reason)


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
    raise InputError(
        f"{what} '{name}' is not in {where}. Columns: {found}.{suggest(name, columns)}"
    )


def choose_task(target: pl.Series, entry: Entry) -> tuple[Task, Role]:
    """Return the task that a target poses, and why.

    Parameters
    ----------
    target : polars Series
        Cleaned, without missing values.
    entry : Entry
        May name the task.

    Returns
    -------
    task : {"binary", "multiclass", "regression"}
    role : Role

    Raises
    ------
    InputError
        When the target does not allow the task named, or any.
    """
    name, n_values = target.name, target.n_unique()
    is_number = target.dtype.is_numeric()
    if entry.task is not None:
        _check_task(target, entry.task)
        return entry.task, Role(name, "task", entry.task, GIVEN, "named in the catalogue")
    if target.dtype.is_temporal():
        raise InputError(
            f"Target '{name}' holds dates; expected classes or numbers: "
            'name another column with target = "…".'
        )
    if n_values == 2:
        return "binary", Role(name, "task", "binary", INFERRED, "the target has two values")
    if not is_number:
        _check_task(target, "multiclass")
        reason = f"the target is text with {n_values} values"
        return "multiclass", Role(name, "task", "multiclass", INFERRED, reason)
    whole = bool((target.cast(pl.Float64) % 1 == 0).all())
    if whole and n_values <= min(MAX_INTEGER_CLASSES, len(target) / 10):
        reason = f'whole numbers with {n_values} values; task = "regression" keeps their distances'
        return "multiclass", Role(name, "task", "multiclass", INFERRED, reason)
    reason = f"numbers with {n_values:,} values"
    return "regression", Role(name, "task", "regression", INFERRED, reason)


def _check_task(target: pl.Series, task: Task) -> None:
    name, n_values = target.name, target.n_unique()
    if task == "regression" and not target.dtype.is_numeric():
        raise InputError(
            f"Target '{name}' is text such as {listing(target.unique().sort().to_list(), 3)}; "
            'regression needs numbers: use task = "multiclass", or name another target.'
        )
    if task == "binary" and n_values != 2:
        raise InputError(
            f"Target '{name}' has {n_values:,} values; a binary task needs two: "
            'use task = "multiclass", or name another target.'
        )
    if task == "multiclass" and (n_values > MAX_CLASSES or n_values > len(target) / 2):
        raise InputError(
            f"Target '{name}' has {n_values:,} different values in {len(target):,} rows; expected "
            f"a number, or at most {MAX_CLASSES} classes that repeat: name another target."
        )


def order_classes(
    target: pl.Series, task: Task, entry: Entry
) -> tuple[tuple[str, ...], list[Role]]:
    """Return the labels by code, and how the positive class was chosen.

    Parameters
    ----------
    target : polars Series
        Cleaned, without missing values.
    task : str
        As chosen.
    entry : Entry
        May name the positive class.

    Returns
    -------
    classes : tuple of str
        Empty for regression; the positive class is the last of two.
    roles : list of Role
        One row for a binary task.

    Raises
    ------
    InputError
        When the named positive class is not among the labels.
    """
    if task == "regression":
        return (), []
    labels = [label_of(value) for value in target.unique().sort().to_list()]
    if entry.positive is not None and task != "binary":
        raise InputError(
            f"positive needs a binary target; '{target.name}' has {len(labels)} classes."
        )
    if task == "multiclass":
        return tuple(labels), []
    counts = dict(target.value_counts().iter_rows())
    counts = {label_of(value): count for value, count in counts.items()}
    if entry.positive is not None:
        positive, origin, reason = label_of(entry.positive), GIVEN, "named in the catalogue"
        if positive not in labels:
            raise InputError(
                f"The positive class '{positive}' is not a value of target '{target.name}', which "
                f"has {listing(labels)}.{suggest(positive, labels)}"
            )
    else:
        origin = INFERRED
        known = [label for label in labels if label.lower() in POSITIVE_LABELS]
        positive = known[0] if len(known) == 1 else min(labels, key=lambda label: counts[label])
        reason = "a customary label" if len(known) == 1 else "the rarer of the two"
    negative = next(label for label in labels if label != positive)
    reason = f"{reason}; {counts[positive]:,} of {len(target):,} rows"
    return (negative, positive), [Role(target.name, "positive class", positive, origin, reason)]


def label_of(value: object) -> str:
    """Return a class as text: 1.0 and True as "1".

    Parameters
    ----------
    value : object
        A value of the target.

    Returns
    -------
    str
        Its label.

    Examples
    --------
    >>> label_of(1.0), label_of("Yes")
    ('1', 'Yes')
    """
    if isinstance(value, bool | float) and float(value).is_integer():
        return str(int(value))
    return str(value)


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
        if series.dtype.is_float() or series.dtype.is_temporal() or not repeats:
            continue
        if _PERSON_NAME.match(snake_case(series.name).removesuffix("_number")):
            plan.groups = series.name
            reason = (
                f"named like one who can have several rows: {n_values:,} in {len(series):,} rows; "
                "kept together on one side of every split"
            )
            plan.rows.append(Role(series.name, "groups", "", INFERRED, reason))
            return


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
        if len(steps) and bool((steps == 1).all()):
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
    ordered = [name for name in dates if frame[name].null_count() == 0 and frame[name].is_sorted()]
    if len(ordered) == 1:
        plan.time = ordered[0]
        reason = "dates in the order of the rows; also a feature. The last rows become the test set"
        plan.rows.append(Role(plan.time, "time", "", INFERRED, reason))
        return
    for name in dates:
        if len(dates) == 1 and _TIME_NAME.search(snake_case(name)):
            plan.time = name
            reason = (
                'the one column of dates; also a feature. split = { rule = "random" } ignores it'
            )
            plan.rows.append(Role(name, "time", "", INFERRED, reason))


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
