"""A raw table and its catalogue entry become a Dataset: cleaned, with roles, target and rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import polars as pl

from lib.config import Config
from lib.data import roles, targets
from lib.data.catalog import Entry
from lib.data.cells import Hints, clean_column
from lib.data.dataset import REPAIR_COLUMNS, ROLE_COLUMNS, Dataset, Task, choose_rule, make_rule
from lib.data.frames import to_pandas
from lib.data.names import safe_names
from lib.data.roles import Assignment, Role
from lib.data.stakes import apply_policy, fit_stakes
from lib.data.tables import WHOLE, RawTable, Repair, listing
from lib.errors import InputError


def build_dataset(
    name: str, raw: RawTable, entry: Entry, config: Config, *, target: str | None = None
) -> Dataset:
    """Return the dataset that a raw table and its catalogue entry make.

    Parameters
    ----------
    name : str
        Safe as a folder name.
    raw : RawTable
        As read.
    entry : Entry
        What is given.
    config : Config
        Reports folder and currency.
    target : str, optional
        Wins over the entry's.

    Returns
    -------
    Dataset
        Cleaned, with roles and repairs.

    Raises
    ------
    InputError
        When the table cannot be studied.

    Examples
    --------
    >>> from lib.config import load_config
    >>> frame = pl.DataFrame({"size": [1, 2, 3] * 9, "y": ["a", "b", "b"] * 9})
    >>> build_dataset("toy", RawTable(frame), Entry(path="toy"), load_config()).classes
    ('b', 'a')
    """
    where = f"'{name}'"
    if raw.frame.height == 0:
        raise InputError(f"{where} has columns but no rows: expected at least one row of data.")
    entry, raw = _renamed(entry, raw, where)
    column, target_role = targets.find_target(raw, entry, target, where)
    if target is not None and entry.target not in {None, column}:
        entry = entry.without_target()
    dropped = _dropped(entry, raw, column, where)
    frame, repairs = _clean(raw, entry, [role.column for role in dropped])
    frame, gone = _with_target(frame, column, where)
    _check_varies(frame[column], where)
    task, task_role = targets.choose_task(frame[column], entry)
    classes, positive_role = targets.order_classes(frame[column], task, entry)
    plan = roles.assign_roles(frame, entry, column, raw.levels, where)
    frame, filled = roles.settle_missing_keys(frame, plan)
    singles = _single_members(frame[column], task)
    plan.rows = [target_role, task_role, *positive_role, *plan.rows, *dropped]
    everything = [*raw.repairs, *repairs, *gone, *filled, *singles]
    # reading leaves the words about the table in `raw`; everything else is now in the plan
    dataset = _assembled(name, replace(raw, frame=frame, repairs=everything), plan, entry)
    posed = _pose(dataset, frame[column], task, classes)
    posed = _with_stakes(posed, frame, entry)
    posed = replace(posed, currency=entry.currency or config.currency, reports=config.reports)
    return with_rule(posed, entry)


def _renamed(entry: Entry, raw: RawTable, where: str) -> tuple[Entry, RawTable]:
    """Apply the catalogue's new names, to the table and to every mention of a column."""
    columns = raw.frame.columns
    for own in entry.columns:
        roles.require_column(own, columns, where, "[columns] names column")
    new = {own: said.name for own in entry.columns if (said := entry.column(own)).name}
    clashes = [name for name in new.values() if name in set(columns) - set(new)]
    if clashes or len(set(new.values())) < len(new):
        raise InputError(
            f"[columns] of {where} gives the name '{[*clashes, *new.values()][0]}' twice."
        )
    if not new:
        return entry, raw

    def follow(name: str | None) -> str | None:
        return new.get(name, name) if name else name

    keys = ("target", "groups", "time", "weights", "amounts")
    update: dict[str, Any] = {key: follow(getattr(entry, key)) for key in keys}
    update["sensitive"] = [follow(column) for column in entry.sensitive]
    update["columns"] = {follow(own): entry.column(own) for own in entry.columns}
    update["trial"] = entry.trial and entry.trial.renamed(new)
    if entry.policy is not None:
        column = follow(entry.policy.column)
        update["policy"] = entry.policy.model_copy(update={"column": column})
    drop = entry.drop
    update["drop"] = (
        {follow(column): reason for column, reason in drop.items()}
        if isinstance(drop, dict)
        else [follow(column) for column in drop]
    )
    table = replace(
        raw,
        frame=raw.frame.rename(new),
        repairs=[repair._replace(column=follow(repair.column) or "") for repair in raw.repairs],
        levels={follow(own) or own: levels for own, levels in raw.levels.items()},
        roles={role: follow(own) or own for role, own in raw.roles.items()},
        descriptions={follow(own) or own: words for own, words in raw.descriptions.items()},
    )
    return entry.model_copy(update=update), table


def _dropped(entry: Entry, raw: RawTable, target: str, where: str) -> list[Role]:
    reasons = entry.drop if isinstance(entry.drop, dict) else dict.fromkeys(entry.drop, "")
    columns = raw.frame.columns
    if target in reasons:
        raise InputError(f"'{target}' of {where} is both the target and dropped: choose one.")
    return [
        Role(
            roles.require_column(column, columns, where, "drop names column"),
            "dropped",
            "",
            roles.GIVEN,
            reason or "named in the catalogue",
        )
        for column, reason in reasons.items()
    ]


def _clean(raw: RawTable, entry: Entry, dropped: list[str]) -> tuple[pl.DataFrame, list[Repair]]:
    """Return the table with every column cleaned, in order, and the repairs."""
    columns, repairs = [], []
    for series in raw.frame.drop(dropped).iter_columns():
        hints = Hints(
            decimal=entry.decimal or raw.decimal,
            day_first=entry.day_first,
            missing=_missing_values(entry, series.name),
            plain_text=raw.plain_text,
        )
        kind = entry.column(series.name).kind
        if kind in {"text", "category"} and series.dtype == pl.String:
            columns.append(series.set(series.is_in(["", *map(str, hints.missing)]), None))
            continue
        cleaned, rows = clean_column(series, hints)
        columns.append(cleaned)
        repairs += rows
    return pl.DataFrame(columns), repairs


def _missing_values(entry: Entry, column: str) -> tuple[Any, ...]:
    given = entry.missing_values
    return tuple(given.get(column, ()) if isinstance(given, dict) else given)


def _with_target(frame: pl.DataFrame, target: str, where: str) -> tuple[pl.DataFrame, list[Repair]]:
    """Return the rows that have a target."""
    missing = frame[target].null_count()
    if missing == frame.height:
        raise InputError(
            f"Target '{target}' of {where} has no value in any of {frame.height:,} rows: "
            "name another column."
        )
    if not missing:
        return frame, []
    detail = f"of {frame.height:,} rows, without a value of the target '{target}'"
    return frame.drop_nulls(target), [Repair(WHOLE, "dropped rows", missing, detail)]


def _check_varies(target: pl.Series, where: str) -> None:
    if target.n_unique() < 2:
        raise InputError(
            f"Target '{target.name}' of {where} is '{target[0]}' in all {len(target):,} rows: "
            "expected at least two different values; name another target, or add other rows."
        )


def _single_members(target: pl.Series, task: str) -> list[Repair]:
    """Notice classes of one row: they can be learned or tested, not both."""
    if task == "regression":
        return []
    counts = target.value_counts()
    single = counts.filter(pl.col("count") == 1)[target.name].sort().to_list()
    if not single:
        return []
    detail = f"{listing(single)}: classes of a single row; kept, on the training side"
    return [Repair(target.name, "noticed", len(single), detail)]


def _assembled(name: str, raw: RawTable, plan: Assignment, entry: Entry) -> Dataset:
    """Return the dataset without its target."""
    frame, own = raw.frame, list(plan.features)
    for column in entry.trial.columns if entry.trial else ():
        roles.require_column(column, frame.columns, f"'{name}'", "[trial] names column")
    safe = dict(zip(own, safe_names(own), strict=True))
    X = {
        safe[column]: to_pandas(frame[column], kind, raw.levels.get(column))
        for column, kind in plan.features.items()
    }
    described = {c: entry.column(c).description or raw.descriptions.get(c, "") for c in own}
    return Dataset(
        name=name,
        X=pd.DataFrame(X, copy=False),
        y=pd.Series(dtype=float),
        task="regression",
        target=plan.target,
        groups=_side_column(frame, plan.groups),
        time=_side_column(frame, plan.time),
        sample_weight=_side_column(frame, plan.weights),
        amounts=_side_column(frame, plan.amounts),
        design=entry.design,
        trial=entry.trial,
        sensitive=_sensitive(entry, frame.columns, safe, f"'{name}'"),
        labels={safe[column]: column for column in own},
        descriptions={safe[c]: words for c, words in described.items() if words},
        description=entry.description or raw.about.get("description", ""),
        licence=entry.licence or raw.about.get("licence", ""),
        source=entry.source or raw.about.get("source", ""),
        repairs=pd.DataFrame(raw.repairs, columns=list(REPAIR_COLUMNS)),
        roles=pd.DataFrame(plan.rows, columns=list(ROLE_COLUMNS)),
    )


def _pose(dataset: Dataset, target: pl.Series, task: Task, classes: tuple[str, ...]) -> Dataset:
    """Return the dataset with its target."""
    return replace(dataset, y=_target_values(target, classes), task=task, classes=classes)


def _with_stakes(dataset: Dataset, frame: pl.DataFrame, entry: Entry) -> Dataset:
    """Return the dataset with what the catalogue says about money, where it fits the task."""
    where, task = f"'{dataset.name}'", dataset.task
    gains, costs = fit_stakes(entry, task=task, classes=dataset.classes, where=where)
    share = entry.capacity
    if share is not None and share > 1:
        share = min(share / frame.height, 1.0)  # of as many rows as the table has
    today = None
    if entry.policy is not None:
        roles.require_column(entry.policy.column, frame.columns, where, "policy names column")
        if entry.policy.column == dataset.target:
            raise InputError(f"policy of {where} must not look at the target '{dataset.target}'.")
        today = apply_policy(entry.policy, frame, task=task, where=where).to_pandas()
    stakes = replace(dataset, gains=gains, costs=costs, capacity=share)
    return replace(stakes, policy=entry.policy, today=today)


def with_rule(dataset: Dataset, entry: Entry) -> Dataset:
    """Return the dataset with its rule for the test set: given, or as suits it."""
    share, seed = entry.split.test_fraction, entry.split.seed
    if entry.split.rule is None:
        rule = choose_rule(dataset, test_fraction=share, seed=seed)
    else:
        rule = make_rule(dataset, entry.split.rule, test_fraction=share, seed=seed)
    return replace(dataset, rule=rule)


def _target_values(target: pl.Series, classes: tuple[str, ...]) -> pd.Series:
    if not classes:
        return pd.Series(target.cast(pl.Float64).to_numpy().copy(), name="target")
    found = target.unique().to_list()
    codes = [classes.index(targets.label_of(value)) for value in found]
    values = target.replace_strict(found, codes, return_dtype=pl.Int64)
    return pd.Series(values.to_numpy().copy(), name="target")


def _side_column(frame: pl.DataFrame, column: str | None) -> pd.Series | None:
    """Return a column that is no feature: groups, time, weights, amounts."""
    if column is None:
        return None
    series = frame[column]
    if series.dtype.is_temporal() and series.null_count():
        series = series.fill_null(series.min())
    kind = "number" if series.dtype.is_numeric() else "text"
    return to_pandas(series, "date" if series.dtype.is_temporal() else kind)


def _sensitive(
    entry: Entry, columns: list[str], safe: dict[str, str], where: str
) -> tuple[str, ...]:
    names = []
    for column in entry.sensitive:
        roles.require_column(column, columns, where, "sensitive names column")
        if column not in safe:
            raise InputError(
                f"'{column}' of {where} is named sensitive but is no feature: "
                "take it out of drop, or out of sensitive."
            )
        names.append(safe[column])
    return tuple(names)
