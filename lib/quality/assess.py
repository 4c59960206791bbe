"""All checks of a table's quality, in the order of their codes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lib.checks import Check
from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError
from lib.quality import (
    columns,
    dependencies,
    drift,
    enforcement,
    labels,
    missing,
    outliers,
    ranges,
    relations,
    repeats,
    spelling,
    values,
)
from lib.quality.table import Table, open_table

CHECKS = (
    missing.check_gaps,
    missing.check_randomness,
    missing.check_gaps_against_target,
    repeats.check_repeats,
    repeats.check_near_repeats,
    repeats.check_contradictions,
    outliers.check_rows,
    values.check_types,
    spelling.check_spelling,
    values.check_characters,
    values.check_missing_codes,
    columns.check_variation,
    columns.check_identifiers,
    relations.check_relations,
    ranges.check_units,
    ranges.check_impossible,
    dependencies.check_rules,
    drift.check_parts_together,
    drift.check_parts_apart,
    labels.check_labels,
)


def assess(dataset: Dataset, *, config: Config) -> list[Check]:
    """Return the answer of every quality check.

    Looks at the training rows, and at the features of the test rows for drift and schema; the
    target of the test rows stays locked. Checks that fit or compare in pairs study at most
    20,000 rows and say so; all others see every training row.

    Parameters
    ----------
    dataset : Dataset
        As `load_data` returned it, or a part without test rows.
    config : Config
        Effort, seed, level, and where reviewed schemas lie.

    Returns
    -------
    list of Check
        At least one of each code, by code: found, clean, or not applicable with its reason.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import load_data
    >>> checks = assess(load_data("wine"), config=load_config(effort="quick"))
    >>> [check.evidence for check in checks if check.is_found]
    []
    """
    table = open_table(dataset, config)
    answers: list[Check] = []
    with threadpool_limits(1):  # sums in one order: the same figures on every machine
        for check in CHECKS:
            answers += check(table)
        answers += outliers.check_values(table, known=_explained(table))
    answers += enforcement.check_schema(dataset, config)
    return sorted(answers, key=lambda check: check.code)


def _explained(table: Table) -> dict[str, npt.NDArray[np.bool_]]:
    """Return values that another check already explains, so that none is reported twice."""
    masks = {name: ranges.explained_rows(table, name) for name in table.numeric}
    for name, (_, at) in values.find_missing_codes(table).items():
        masks[name] = masks[name] | at
    return masks


def check_no_errors(checks: Iterable[Check]) -> None:
    """Raise one sentence when a check found an error, for runs that must not go on.

    Parameters
    ----------
    checks : iterable of Check
        Of any package.

    Raises
    ------
    InputError
        Naming the codes and columns.

    Examples
    --------
    >>> bad = Check("Q22", "rules of the schema", "found", "error", "age", "12 rows below 0")
    >>> check_no_errors([bad])
    Traceback (most recent call last):
    lib.errors.InputError: --strict: 1 error found, Q22 in 'age' (rules of the schema: 12 rows
        below 0); mend the data or its catalogue entry, or run without --strict.
    """
    errors = [check for check in checks if check.is_found and check.severity == "error"]
    if not errors:
        return
    first = errors[0]
    where = f" in '{first.column}'" if first.column else ""
    codes = sorted({check.code for check in errors[1:]})
    more = f", and {', '.join(codes)}" if codes else ""
    raise InputError(
        f"--strict: {len(errors)} error{'s' if len(errors) > 1 else ''} found, {first.code}{where} "
        f"({first.title}: {first.evidence}){more}; mend the data or its catalogue entry, or run "
        "without --strict."
    )
