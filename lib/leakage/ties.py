"""What ties rows together: groups and time, given or found, and what ignoring them promises."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lib.checks import Check
from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError
from lib.leakage.duplicates import check_exact
from lib.leakage.flattery import Flattery, measure_by_groups
from lib.leakage.groups import MIN_SPLITS, FoundGroups
from lib.leakage.over_time import measure_by_time
from lib.leakage.splitting import (
    MIN_ROWS,
    found_groups_check,
    given_groups_checks,
    most_rows,
    rare_class_checks,
    search_groups,
    time_checks,
)
from lib.leakage.table import Table, open_table, ungrouped
from lib.leakage.timing import Clock, find_clock


@dataclass(frozen=True)
class Ties:
    """What a splitter has to respect.

    Attributes
    ----------
    dataset : Dataset
        The training rows, with the groups and the time that count: given ones, else found ones
        that flatter beyond chance.
    checks : tuple of Check
        L06 and L08, as the audit raises them.
    groups, time : str
        Name of what counts; "" for nothing.
    by_groups, by_time : Flattery or None
        What random folds promise and what folds keep that respect the groups, the time; None
        where there is none or it could not be measured.
    found : FoundGroups or None
        Groups that nobody named.
    """

    dataset: Dataset = field(repr=False)
    checks: tuple[Check, ...]
    groups: str = ""
    time: str = ""
    by_groups: Flattery | None = None
    by_time: Flattery | None = None
    found: FoundGroups | None = None

    @property
    def must_keep(self) -> str:
        """What folds have to respect first: "groups", "time" or "" for nothing."""
        return "groups" if self.groups else "time" if self.time else ""

    @property
    def measured(self) -> Flattery | None:
        """What random folds promise and fitting folds keep: of the groups, else of the time."""
        return self.by_groups or self.by_time

    @property
    def fitting_folds(self) -> str:
        """The folds that `measured` compares with random ones, in words."""
        return "folds of whole groups" if self.by_groups else "folds forward in time"

    @property
    def warnings(self) -> list[str]:
        """What the checks found, one or two sentences each."""
        return [
            f"{check.code} {check.title}: {check.evidence} {check.advice}"
            for check in self.checks
            if check.is_found
        ]

    def in_words(self) -> str:
        """Return what ties rows together, as a sentence without its stop."""
        origin = "found" if self.found is not None and self.found.is_real else "named"
        parts = [f"rows of one group belong together ({self.groups}, {origin})"] * bool(self.groups)
        parts += [f"rows have a time ({self.time})"] * bool(self.time)
        words = " and ".join(parts) or "nothing is known to tie rows together"
        return words[:1].upper() + words[1:]


def find_ties(dataset: Dataset, *, config: Config) -> Ties:
    """Return the groups and the time that folds have to respect, with what ignoring them promises.

    Given groups and times count as they are. Where none is named the audit's search looks for
    groups, and for a column that tells the time; they count when random folds flatter a model
    beyond chance.

    Parameters
    ----------
    dataset : Dataset
        The whole one, as `load_data` returns it.
    config : Config
        Effort, seed and level.

    Returns
    -------
    Ties

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> config = load_config(effort="quick")
    >>> ties = find_ties(make_planted(600, n_groups=60, group_effect=3.0), config=config)
    >>> ties.groups, ties.by_groups.is_real()
    ('group', False)
    """
    with threadpool_limits(1):
        table = open_table(dataset, config)
        train = table.train
        if train.groups is not None:
            return _given_groups(table)
        clock = find_clock(table)
        by_time = _measure_time(table, clock)
        checks = [*time_checks(table, clock, by_time), *rare_class_checks(table)]
        if train.time is not None:
            words = str(train.time.name)
            return Ties(train, tuple(checks), time=words, by_time=by_time)
        found = _search(table)
        if found is not None:
            checks.insert(0, found_groups_check(table, found))
        if found is not None and found.is_real:
            tied = replace(train, groups=_labels_of_all(train, found))
            names = " + ".join(table.name(column) for column in found.columns)
            return Ties(
                tied, tuple(checks), groups=names, by_groups=_as_flattery(found), found=found
            )
        if clock is not None and by_time is not None and by_time.is_real(0.01):
            moments = pd.Series(clock.moments.iloc[table.rows].to_numpy(), name=clock.name)
            tied = replace(train, time=moments)
            return Ties(tied, tuple(checks), time=clock.name, by_time=by_time, found=found)
        return Ties(train, tuple(checks), by_time=by_time, found=found)


def _given_groups(table: Table) -> Ties:
    train, config = table.train, table.config
    assert train.groups is not None
    checks = [*given_groups_checks(table), *rare_class_checks(table)]
    measured = None
    if train.groups.nunique() >= 10:
        measured = measure_by_groups(
            train,
            train.groups,
            n_splits=max(config.budget.n_splits, MIN_SPLITS),
            max_rows=most_rows(config),
            level=config.confidence,
            random_state=config.seed,
        )
    time = "" if train.time is None else str(train.time.name)
    return Ties(train, tuple(checks), str(train.groups.name), time, by_groups=measured)


def _measure_time(table: Table, clock: Clock | None) -> Flattery | None:
    if clock is None:
        return None
    config = table.config
    try:
        return measure_by_time(
            table.train,
            clock.moments.iloc[table.rows],
            n_splits=max(config.budget.n_splits, MIN_SPLITS),
            max_rows=most_rows(config),
            level=config.confidence,
            seed=config.seed,
        )
    except InputError:  # too few moments
        return None


def _search(table: Table) -> FoundGroups | None:
    """Return groups of the training rows; copied rows are searched once."""
    train = table.train
    if len(train) < MIN_ROWS:
        return None
    if check_exact(table).is_found:
        repeated = train.X.assign(target=train.y).duplicated().to_numpy()
        train = train.take(np.flatnonzero(~repeated))
    return search_groups(ungrouped(train), table.config)


def _labels_of_all(train: Dataset, found: FoundGroups) -> pd.Series:
    """Return the group of every training row, copies that the search left out included."""
    if len(found.labels) == len(train):
        return found.labels
    keys = train.X[list(found.columns)].astype("object")
    labels = keys.groupby(list(found.columns), dropna=False, observed=True, sort=False).ngroup()
    return labels.rename(found.labels.name)


def _as_flattery(found: FoundGroups) -> Flattery:
    return Flattery(
        found.promised,
        found.kept,
        found.flattery,
        found.p_value,
        found.chance,
        found.scoring,
        found.of_rows,
    )
