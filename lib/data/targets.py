"""The question a table poses: its target, the task, the classes; given, or inferred and said."""

from __future__ import annotations

import polars as pl

from lib.data.catalog import Entry
from lib.data.dataset import Task
from lib.data.names import snake_case
from lib.data.roles import GIVEN, INFERRED, Role, require_column
from lib.data.tables import RawTable, listing
from lib.errors import InputError, suggest

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
