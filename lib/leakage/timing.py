"""Time: test rows older than training rows, columns from the future, neighbours' targets."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.checks import Check, Severity
from lib.leakage.table import Floats, Table, list_rows, shares
from lib.statistics import numbers_of

OVERLAP, NEIGHBOURS = "training and test rows overlap in time", "targets of neighbouring rows"
CLOCK = ("year", "yr", "quarter", "month", "mnth", "mon", "week", "day", "date", "hour", "hr")
_CLOCK_NAME = re.compile(rf"(^|_)({'|'.join(CLOCK)})(_|\d*$)")
MIN_MOMENTS = 10
LATER = 0.5  # share of rows in which a date lies after the row's own time
LAGS = 12
EXPLAINED = 0.999


@dataclass(frozen=True)
class Clock:
    """The time of each row.

    Attributes
    ----------
    name : str
        Of the column or columns, own names.
    moments : Series of shape (n_rows,)
        Rising with time.
    given : bool
        Whether the dataset names it; else it was found.
    """

    name: str
    moments: pd.Series
    given: bool


def find_clock(table: Table) -> Clock | None:
    """Return the time of the rows: given, a column of dates, or calendar columns in row order.

    Parameters
    ----------
    table : Table
        The whole table.

    Returns
    -------
    Clock or None
    """
    dataset = table.dataset
    if dataset.time is not None:
        return Clock(str(dataset.time.name), dataset.time, given=True)
    dates = [c for c in dataset.datetimes if dataset.X[c].nunique() >= MIN_MOMENTS]
    if dates:
        seconds = {c: numbers_of(dataset.X[c]) for c in dates}
        earliest = min(dates, key=lambda c: (float(np.nanmean(seconds[c])), c))
        filled = pd.Series(seconds[earliest]).fillna(-np.inf)
        return Clock(table.name(earliest), filled, given=False)
    return _calendar(table)


def _calendar(table: Table) -> Clock | None:
    """Return year, month … where the rows stand in their order."""
    dataset = table.dataset
    ranked = []
    for column in dataset.numeric:
        match = _CLOCK_NAME.search(column)
        if match and not dataset.X[column].isna().any():
            ranked.append((CLOCK.index(match.group(2)), column))
    chosen = [column for _, column in sorted(ranked)]
    while chosen:
        ranks = dataset.X[chosen].apply(pd.Series.rank, method="dense").astype(np.int64)
        key = np.zeros(len(ranks))
        for column in chosen:
            key = key * (int(ranks[column].max()) + 1) + ranks[column].to_numpy()
        if (np.diff(key) >= 0).all() and len(np.unique(key)) >= MIN_MOMENTS:
            name = " + ".join(table.name(column) for column in chosen)
            return Clock(name, pd.Series(key), given=False)
        chosen.pop()
    return None


def check_overlap(table: Table, clock: Clock | None) -> list[Check]:
    """Look for test rows from before the end of the training rows, and for later dates.

    Parameters
    ----------
    table : Table
        The whole table.
    clock : Clock or None
        Time of the rows.

    Returns
    -------
    list of Check
        L05. Where groups are kept together, time within them is not at stake.
    """
    if clock is None:
        reason = "no column of time is given, and none was found"
        return [Check("L05", OVERLAP, "not applicable", evidence=reason)]
    found = _later_dates(table, clock)
    if len(table.test) and table.dataset.groups is None:
        found += _overlap(table, clock)
    words = f"The test rows come after the training rows by {clock.name}."
    if table.dataset.groups is not None:
        words = "Groups are kept together; their rows may be of the same time."
    return found or [Check("L05", OVERLAP, "clean", evidence=words)]


def _overlap(table: Table, clock: Clock) -> list[Check]:
    moments = clock.moments.to_numpy()
    early = moments[table.test] < moments[table.rows].max()
    if early.mean() < 0.01:
        return []
    severity: Severity = "warning" if clock.given or table.dataset.datetimes else "note"
    how = "is given" if clock.given else "was found"
    evidence = (
        f"{clock.name} {how} as time, and {shares(int(early.sum()), len(early))} test rows are "
        "older than the newest training row."
    )
    advice = (
        'If rows to come will be predicted, set split = { rule = "time" } and name the column '
        "as time in the catalogue."
    )
    return [Check("L05", OVERLAP, "found", severity, clock.name, evidence, advice)]


def _later_dates(table: Table, clock: Clock) -> list[Check]:
    """Find dates after the row's own time: they were not known then."""
    X = table.train.X
    if not pd.api.types.is_datetime64_any_dtype(clock.moments) and not table.dataset.datetimes:
        return []
    own = numbers_of(clock.moments)[table.rows]
    found = []
    for column in table.train.datetimes:
        if table.name(column) == clock.name:
            continue
        moments = numbers_of(X[column])
        known = ~np.isnan(moments) & np.isfinite(own)
        later = known & (moments > own)
        if known.sum() < 20 or later.sum() < LATER * known.sum() or np.nanmedian(own) < 1e6:
            continue
        evidence = (
            f"lies after {clock.name} in {shares(int(later.sum()), int(known.sum()))} rows: it "
            "was not known then."
        )
        advice = "Drop it and what is computed from it, unless it was planned beforehand."
        rows = list_rows(np.flatnonzero(later))
        name = table.name(column)
        found.append(Check("L05", OVERLAP, "found", "warning", name, evidence, advice, None, rows))
    return found


def check_neighbours(table: Table, clock: Clock | None) -> list[Check]:
    """Look for columns made of the targets of rows before, at and after the row.

    Parameters
    ----------
    table : Table
        Training rows with target.
    clock : Clock or None
        Time of the rows.

    Returns
    -------
    list of Check
        L10. A column of earlier targets alone is a note where the split is in time: there they
        are known.
    """
    if clock is None:
        reason = "no column of time is given, and none was found"
        return [Check("L10", NEIGHBOURS, "not applicable", evidence=reason)]
    windows, lags = _windows(table, clock)
    usable = np.isfinite(windows).all(axis=1)
    if usable.sum() < 4 * len(lags):
        reason = "too few rows have neighbours in time"
        return [Check("L10", NEIGHBOURS, "not applicable", evidence=reason)]
    found = []
    for column in table.train.numeric:
        numbers = numbers_of(table.train.X[column])
        use = usable & np.isfinite(numbers)
        if use.sum() < 4 * len(lags) or len(np.unique(numbers[use])) < 2:
            continue
        used = _made_of(numbers[use], windows[use], lags)
        if used:
            found.append(_neighbour(table, column, used))
    words = f"No column is made of the targets up to {LAGS} rows away."
    return found or [Check("L10", NEIGHBOURS, "clean", evidence=words)]


def _windows(table: Table, clock: Clock) -> tuple[Floats, list[int]]:
    """Return the targets from LAGS rows before to LAGS rows after each training row, with its own.

    Neighbours are next in time within the group, among all rows; test targets are left open.
    """
    n_rows = len(table.dataset)
    y = np.full(n_rows, np.nan)
    y[table.rows] = table.train.y.to_numpy(dtype=float)
    groups = table.dataset.groups
    owner = np.zeros(n_rows, dtype=np.int64) if groups is None else pd.factorize(groups)[0]
    order = np.lexsort((np.arange(n_rows), numbers_of(clock.moments), owner))
    longest = int(np.bincount(owner).max())
    reach = min(LAGS, max(longest // 3, 1))
    lags = list(range(-reach, reach + 1))
    values, owners = y[order], owner[order]
    columns = []
    for lag in lags:
        moved = np.full(n_rows, np.nan)
        here = np.arange(max(0, -lag), min(n_rows, n_rows - lag))
        same = owners[here] == owners[here + lag]
        moved[here[same]] = values[here + lag][same]
        back = np.empty(n_rows)
        back[order] = moved
        columns.append(back[table.rows])
    return np.column_stack(columns), lags


def _made_of(numbers: Floats, windows: Floats, lags: list[int]) -> list[int]:
    """Return the lags whose targets give a column exactly, or nothing."""
    for position, lag in enumerate(lags):
        if _explained(numbers, windows[:, [position]]) > EXPLAINED:
            return [lag] if lag else []  # the row's own target is another check's
    if _explained(numbers, windows) < EXPLAINED:
        return []
    used = list(range(len(lags)))
    for position in range(len(lags)):
        fewer = [j for j in used if j != position]
        if fewer and _explained(numbers, windows[:, fewer]) > EXPLAINED:
            used = fewer
    return [lags[j] for j in used]


def _explained(numbers: Floats, predictors: Floats) -> float:
    centred = numbers - numbers.mean()
    P = predictors - predictors.mean(axis=0)
    beta = np.linalg.lstsq(P, centred, rcond=None)[0]
    total = float((centred**2).sum())
    return 1 - float(((centred - P @ beta) ** 2).sum()) / total if total > 0 else 0.0


def _neighbour(table: Table, column: str, used: list[int]) -> Check:
    later = max(used) >= 0
    in_time = table.dataset.split.rule.startswith("the last") if len(table.test) else False
    severity: Severity = "error" if later else "note" if in_time else "warning"
    which = f"{abs(used[0])} row{'s' if abs(used[0]) > 1 else ''} " + (
        "later" if used[0] > 0 else "earlier"
    )
    if len(used) > 1:
        which = f"of the rows {min(used):+d} to {max(used):+d} away"
    evidence = f"is made of the target {which}."
    advice = (
        "Drop it: that target is not known yet."
        if later
        else "Keep it only when that target is known at prediction, and split in time."
    )
    return Check("L10", NEIGHBOURS, "found", severity, table.name(column), evidence, advice)
