"""Groups torn apart, splitters that do not fit the data, and the study's own pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.checks import Check, Severity
from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import format_p
from lib.leakage.flattery import Flattery, measure_by_groups
from lib.leakage.groups import MAX_SEARCHED, MIN_SPLITS, FoundGroups, find_groups
from lib.leakage.null import null_run, share_preparation
from lib.leakage.over_time import measure_by_time
from lib.leakage.table import Table, list_rows, said_of_rows, shares
from lib.leakage.timing import Clock
from lib.resampling import sample_rows

GROUPS, SPLITTER = "groups shared between folds", "a splitter that does not fit the data"
NULL = "selection or scaling before the split"
NULL_ALPHA = 0.001  # the study's own pipeline is honest until shown otherwise beyond doubt
RARE = 5  # test rows of a class below which its score is luck
MIN_ROWS = 100


def check_groups(table: Table, *, has_copies: bool = False) -> list[Check]:
    """Look for groups on both sides of the split: given ones, else found ones.

    Parameters
    ----------
    table : Table
        The whole table.
    has_copies : bool
        Whether copied rows were found: then one of each is searched.

    Returns
    -------
    list of Check
        L06.
    """
    if table.dataset.groups is not None:
        return given_groups_checks(table)
    if len(table.test) and table.dataset.split.rule.startswith("the last"):
        reason = "folds and test set go forward in time"
        return [Check("L06", GROUPS, "not applicable", evidence=reason)]
    if len(table.train) < MIN_ROWS:
        reason = f"needs {MIN_ROWS} training rows"
        return [Check("L06", GROUPS, "not applicable", evidence=reason)]
    train = table.train
    if has_copies:
        repeated = train.X.assign(target=train.y).duplicated().to_numpy()
        train = train.take(np.flatnonzero(~repeated))
    found = search_groups(train, table.config)
    if found is None:
        n_used = min(len(train), most_rows(table.config))
        of_rows = said_of_rows(n_used, len(train))
        words = f"No column and no set of columns marks rows that a model recognises{of_rows}."
        return [Check("L06", GROUPS, "clean", evidence=words)]
    return [found_groups_check(table, found)]


def search_groups(train: Dataset, config: Config) -> FoundGroups | None:
    """Return the groups that the audit finds in training rows, by its budget."""
    return find_groups(
        train.X,
        train.y,
        task=train.task,
        n_splits=max(config.budget.n_splits, MIN_SPLITS),
        max_rows=most_rows(config),
        level=config.confidence,
        random_state=config.seed,
    )


def most_rows(config: Config) -> int:
    """Return how many rows a flattery is measured on at most."""
    return min(config.budget.max_rows, MAX_SEARCHED)


def given_groups_checks(table: Table) -> list[Check]:
    """Return L06 for groups that the dataset names."""
    groups = table.dataset.groups
    assert groups is not None
    codes = pd.factorize(groups)[0]
    torn = np.isin(codes[table.test], codes[table.rows])
    if not torn.any():
        words = f"Every group ({groups.name}) lies on one side of the split and of every fold."
        return [Check("L06", GROUPS, "clean", evidence=words)]
    evidence = (
        f"{shares(int(torn.sum()), len(torn))} test rows have kin ({groups.name}) among the "
        "training rows"
    )
    measured: Flattery | None = None
    severity: Severity = "warning"
    if table.train.groups is not None and table.train.groups.nunique() >= 10:
        measured = _measure(table, table.train.groups)
        evidence += f"; {measured.in_words()}"
        severity = "error" if measured.is_real(0.05) else "warning"
    check = Check(
        "L06",
        GROUPS,
        "found",
        severity,
        str(groups.name),
        evidence + ".",
        'Set split = { rule = "groups" } in the catalogue.',
        None if measured is None else measured.difference,
    )
    return [check]


def _measure(table: Table, labels: pd.Series) -> Flattery:
    config = table.config
    return measure_by_groups(
        table.train,
        labels,
        n_splits=max(config.budget.n_splits, MIN_SPLITS),
        max_rows=most_rows(config),
        level=config.confidence,
        random_state=config.seed,
    )


def found_groups_check(table: Table, found: FoundGroups) -> Check:
    """Return L06 for groups that nobody named."""
    names = " + ".join(table.name(column) for column in found.columns)
    sizes = np.bincount(found.labels)
    order = ", told apart by row order too" if found.in_order else ""
    evidence = (
        f"equal values mark {found.n_groups:,} groups of {np.mean(sizes):,.3g} rows on average"
        f"{order}; "
        f"{found.scoring} {found.promised:.3f} on random folds, {found.kept:.3f} with groups kept "
        f"together: a difference of {found.flattery:.3f} (p {format_p(found.p_value)})"
        f"{found.of_rows}."
    )
    advice = (
        "Ask what the rows of a group have in common (a person, a device, a day); name its "
        "column as groups in the catalogue, or keep these groups together."
    )
    severity: Severity = "error" if found.is_real else "warning"
    rows = list_rows(np.flatnonzero(found.labels == int(np.argmax(sizes))))
    return Check("L06", GROUPS, "found", severity, names, evidence, advice, found.flattery, rows)


def check_splitter(table: Table, clock: Clock | None) -> list[Check]:
    """Look for a split that does not fit the data: random over time, or with classes too rare.

    Parameters
    ----------
    table : Table
        The whole table.
    clock : Clock or None
        Time of the rows.

    Returns
    -------
    list of Check
        L08; groups torn apart are L06.
    """
    if not len(table.test):
        reason = "the dataset has no split of its own"
        return [Check("L08", SPLITTER, "not applicable", evidence=reason)]
    found = _random_over_time(table, clock) + rare_class_checks(table)
    words = f"The split fits what is known of the rows: {table.dataset.split.rule}."
    return found or [Check("L08", SPLITTER, "clean", evidence=words)]


def _random_over_time(table: Table, clock: Clock | None) -> list[Check]:
    in_time = table.dataset.split.rule.startswith("the last")
    if clock is None or in_time or table.dataset.groups is not None:
        return []
    config = table.config
    moments = clock.moments.iloc[table.rows]
    try:
        measured = measure_by_time(
            table.train,
            moments,
            n_splits=max(config.budget.n_splits, MIN_SPLITS),
            max_rows=most_rows(config),
            level=config.confidence,
            seed=config.seed,
        )
    except InputError:  # too few moments
        return []
    return time_checks(table, clock, measured)


def time_checks(table: Table, clock: Clock | None, measured: Flattery | None) -> list[Check]:
    """Return L08 for a random split of rows that have a time, when it flatters."""
    in_time = len(table.test) and table.dataset.split.rule.startswith("the last")
    if clock is None or in_time or measured is None or not measured.is_real(0.01):
        return []
    evidence = f"rows have a time ({clock.name}) but the split is random; {measured.in_words()}."
    advice = 'Name the column as time and set split = { rule = "time" } in the catalogue.'
    name, value = clock.name, measured.difference
    return [Check("L08", SPLITTER, "found", "error", name, evidence, advice, value)]


def rare_class_checks(table: Table) -> list[Check]:
    """Return L08 for a class too rare for the test set."""
    train = table.train
    if train.task != "binary" or not len(table.test):
        return []
    fraction = len(table.test) / len(table.rows)
    counts = np.bincount(train.y, minlength=2)
    rare = int(counts.argmin())
    expected = counts[rare] * fraction
    if expected >= RARE:
        return []
    evidence = (
        f"the training rows hold {counts[rare]:,} of '{train.classes[rare]}'; the test rows "
        f"will hold about {expected:.0f}, too few to judge by."
    )
    advice = "Collect more of that class, or judge by repeated cross-validation instead."
    return [Check("L08", SPLITTER, "found", "warning", train.target, evidence, advice)]


def check_null(table: Table) -> list[Check]:
    """Run the study's own preprocessing and folds on permuted labels.

    Parameters
    ----------
    table : Table
        Training rows.

    Returns
    -------
    list of Check
        L07. It vouches for the default pipeline only: give yours to `null_run`.
    """
    config = table.config
    quick = config.effort == "quick"
    part = sample_rows(table.train, 400 if quick else 1_000, random_state=config.seed)
    try:
        run = null_run(
            share_preparation(part, n_splits=2 if quick else 3),
            part,
            4 if quick else 6,
            level=config.confidence,
            random_state=config.seed,
        )
    except InputError as error:
        return [Check("L07", NULL, "not applicable", evidence=str(error))]
    evidence = (
        f"on permuted labels the study's own pipeline scores {run.mean:.3f}, chance is "
        f"{run.chance:g} ({len(run.scores)} permutations, {run.scheme}; {len(part):,} rows)."
    )
    if not run.is_alarm(NULL_ALPHA):
        return [Check("L07", NULL, "clean", evidence=evidence, value=run.mean)]
    advice = "Something sees the rows it is scored on: move it into the pipeline."
    return [Check("L07", NULL, "found", "error", "", evidence, advice, run.mean)]
