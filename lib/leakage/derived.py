"""Features that are made from the target: copies, functions, sums, traces of the outcome."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy import stats

from lib.checks import Check, Severity
from lib.data import Dataset
from lib.estimates import Estimate
from lib.leakage.identities import find_identity, share_copied
from lib.leakage.scores import explain_together, ranks_of, score_features
from lib.leakage.table import Floats, Table, list_rows
from lib.statistics import numbers_of

TITLE = "features made from the target"
GIVEN_AWAY = 0.98  # explained share from which a feature is the target in other words
STRONG = 0.6  # explained share from which a feature alone is worth a question
LEFT_OPEN = (0.5, 0.8)  # of what all other features leave open: warning, note
COPIED = 0.2  # share of rows in which a fine-grained target is repeated exactly
COPIED_COARSE = 0.9  # the same for a target of few values, which coincide by chance
SAME = 0.8  # Cohen's kappa from which a column's levels are the classes
FEW_VALUES = 50
MIN_TRACE = 20  # rows that a one-sided gap or zero must have
ADVICE = "Ask when its value becomes known; drop it unless that is before the prediction is made."


def check_derived(table: Table, *, skip: Collection[str] = ()) -> list[Check]:
    """Look for features that are made from the target.

    Parameters
    ----------
    table : Table
        Training rows.
    skip : collection of str
        Columns that another check has explained already.

    Returns
    -------
    list of Check
        L01; one a finding, or a single clean one.
    """
    part = table.sample
    kept = [str(column) for column in part.X if column not in skip]
    found = _check_copies(table, part, kept)
    copied = {check.column for check in found}
    found += _check_strong(table, part, [c for c in kept if table.name(c) not in copied])
    copied |= {check.column for check in found if check.severity == "error"}
    rest = [c for c in kept if table.name(c) not in copied]
    found += _check_identity(table, part, rest)
    found += _check_traces(table, part, [c for c in rest if table.name(c) not in copied])
    if found:
        return found
    words = f"No feature, sum, product or gap gives the target away{table.of_rows}."
    return [Check("L01", TITLE, "clean", evidence=words)]


def _check_copies(table: Table, part: Dataset, columns: list[str]) -> list[Check]:
    """Find columns that repeat the target, up to names, scale and shift, in many rows exactly."""
    if part.task != "regression":
        return _check_same_classes(table, part, columns)
    y = part.y.to_numpy(dtype=float)
    threshold = COPIED if part.y.nunique() > FEW_VALUES else COPIED_COARSE
    found = []
    for column in columns:
        if column not in part.numeric or part.X[column].nunique() <= 2:
            continue
        share, rows, words = share_copied(numbers_of(part.X[column]), y)
        if share >= threshold:
            evidence = f"equals {words} in {100 * share:.3g} % of the rows{table.of_rows}."
            found.append(_found(table, "error", column, evidence, rows=list_rows(rows)))
    return found


def _check_same_classes(table: Table, part: Dataset, columns: list[str]) -> list[Check]:
    """Find columns whose levels are the classes under other names, but for a few rows."""
    y, n_classes = part.y.to_numpy(), len(part.classes)
    by_chance = float(((np.bincount(y) / len(y)) ** 2).sum())
    found = []
    for column in columns:
        levels = pd.factorize(part.X[column])[0]
        if int(levels.max()) + 1 != n_classes or (levels < 0).any():
            continue
        together = np.bincount(levels * n_classes + y, minlength=n_classes**2)
        together = together.reshape(n_classes, n_classes)
        named = together.argmax(axis=1)
        if len(set(named.tolist())) < n_classes:
            continue
        equal = together.max(axis=1).sum() / len(y)
        if (equal - by_chance) / (1 - by_chance) < SAME:
            continue
        severity: Severity = "error" if equal > 0.99 else "warning"
        evidence = f"is the class under another name in {100 * equal:.3g} % of the rows"
        rows = list_rows(np.flatnonzero(named[levels] == y))
        words = f"{evidence}{table.of_rows}."
        found.append(_found(table, severity, column, words, rows=rows))
    return found


def _check_strong(table: Table, part: Dataset, columns: list[str]) -> list[Check]:
    """Find features that alone explain nearly everything, or far more than all the others."""
    level, seed, folds = table.config.confidence, table.config.seed, table.folds
    scored = score_features(part, folds, level=level)
    found: list[Check] = []
    taken: list[str] = []  # by their strength: the next is judged without those before it
    for column in sorted(columns, key=lambda name: -np.nan_to_num(scored[name].value, nan=-1)):
        score = scored[column]
        if not score.value >= STRONG or not score.low > 0:
            continue
        says = f"alone explains {score:.3f} of the target ({_measure(part)}){table.of_rows}"
        if score.value >= GIVEN_AWAY:
            found.append(_found(table, "error", column, says + ".", value=score))
            continue
        others = [name for name in map(str, part.X) if name != column and name not in taken]
        enough = 1 - (1 - score.value) / LEFT_OPEN[1]
        rest = 0.0
        if others:
            rest = explain_together(part, others, folds, enough=enough, random_state=seed)
        open_share = (1 - score.value) / max(1 - rest, 1e-9)
        if open_share > LEFT_OPEN[1]:
            continue
        without = " without " + " and ".join(f"'{table.name(name)}'" for name in taken)
        taken.append(column)
        severity: Severity = "warning" if open_share <= LEFT_OPEN[0] else "note"
        says += f"; all the other features together{without if taken[1:] else ''} {rest:.3f}."
        found.append(_found(table, severity, column, says, value=score))
    return found


def _measure(part: Dataset) -> str:
    if part.task == "regression":
        return "R² of ranks, out of fold"
    return "share of the log loss, out of fold"


def _check_identity(table: Table, part: Dataset, columns: list[str]) -> list[Check]:
    numbers = [c for c in columns if c in part.numeric and part.X[c].nunique() > 2]
    if len(numbers) < 2:
        return []
    values = np.column_stack([numbers_of(part.X[column]) for column in numbers])
    y = part.y.to_numpy(dtype=float)
    few = part.y.nunique() <= FEW_VALUES
    identity = find_identity(values, y, is_numeric=part.task == "regression", few=few)
    if identity is None:
        return []
    names = [table.name(numbers[j]) for j in identity.columns]
    formula = identity.formula(part.target, names)
    evidence = f"{formula} in {100 * identity.share:.3g} % of the rows{table.of_rows}."
    advice = "Drop all columns of the identity but those known before the prediction is made."
    column = " + ".join(names)
    value = Estimate(identity.share)
    return [
        Check(
            "L01",
            TITLE,
            "found",
            "error",
            column,
            evidence,
            advice,
            value,
            list_rows(identity.rows),
        )
    ]


def _check_traces(table: Table, part: Dataset, columns: list[str]) -> list[Check]:
    """Find columns that are filled, or not zero, in rows of one class only."""
    y, classes = part.y.to_numpy(), list(part.classes)
    if part.task == "regression":
        y = np.minimum((5 * ranks_of(part.y)).astype(np.int64), 4)
        classes = [
            f"the {which} fifth" for which in ("lowest", "second", "third", "fourth", "highest")
        ]
    rates = np.bincount(y) / len(y)
    n_tests = max(2 * len(columns) * len(rates), 1)
    found = []
    for column in columns:
        for words, marked in _marks(part.X[column], part):
            if marked.sum() < MIN_TRACE:
                continue
            counts = np.bincount(y[marked], minlength=len(rates))
            top = int(counts.argmax())
            if counts[top] < 0.99 * marked.sum():
                continue
            p_value = float(stats.binom.sf(counts[top] - 1, marked.sum(), rates[top])) * n_tests
            of_class = counts[top] / max((y == top).sum(), 1)
            if p_value > 1e-6 or of_class < 0.05:
                continue
            evidence = (
                f"{words} in {int(marked.sum()):,} rows, of which {int(counts[top]):,} are "
                f"'{classes[top]}', as {100 * rates[top]:.2g} % of all rows are: the mark of an "
                f"outcome{table.of_rows}."
            )
            rows = list_rows(np.flatnonzero(marked))
            found.append(_found(table, "warning", column, evidence, rows=rows))
            break
    return found


def _marks(column: pd.Series, part: Dataset) -> list[tuple[str, np.ndarray]]:
    gap = column.isna().to_numpy()
    marks = []
    if gap.any():
        marks += [("is filled", ~gap), ("is missing", gap)]
    if column.name in part.numeric and column.nunique() > 2:
        numbers: Floats = numbers_of(column)
        zero = (numbers == 0) & ~gap
        if 0 < zero.sum() < len(zero):
            marks += [("is not zero", ~zero & ~gap), ("is zero", zero)]
    return marks


def _found(
    table: Table,
    severity: Severity,
    column: str,
    evidence: str,
    *,
    value: Estimate | None = None,
    rows: tuple[int, ...] = (),
) -> Check:
    name = table.name(column)
    return Check("L01", TITLE, "found", severity, name, evidence, ADVICE, value, rows)
