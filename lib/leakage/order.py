"""Identifiers and the order of rows: numbers that name a row and yet predict it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lib.checks import Check
from lib.estimates import corrected_mean
from lib.leakage.scores import bin_column, explain_alone
from lib.leakage.table import Table
from lib.statistics import numbers_of

TITLE = "identifiers and row order that predict"
UNIQUE = 0.98
MIN_EXPLAINED = 0.02
IN_ORDER = 0.95  # rank correlation with the row number
MAX_RANKED = 10_000  # rows, evenly spread, from which a rank correlation is taken
STANDS_SORTED = 0.5  # explained share from which the rows stand in the order of the target


def check_order(table: Table) -> list[Check]:
    """Look for columns that name or count rows and predict the target.

    An honest identifier predicts nothing. One that does was given out after the outcome, or in
    batches that share it. A column that only counts the moments of a given time column tells no
    more than time does.

    Parameters
    ----------
    table : Table
        Training rows with target; uniqueness is judged over the whole table.

    Returns
    -------
    list of Check
        L04; one a finding, or a single clean one. Rows that merely stand in the order of the
        target are no leak, as folds are shuffled; the evidence says so.
    """
    if len(table.train) < 50:
        return [Check("L04", TITLE, "not applicable", evidence="needs 50 training rows")]
    part = table.sample
    folds = table.folds
    found = []
    for column in map(str, part.X):
        why = _names_rows(table, column)
        if why is None:
            continue
        codes = bin_column(part.X[column], 20)
        by_fold = explain_alone(codes, part.y, part.task, folds)
        score = corrected_mean(by_fold, folds.test_fraction, level=table.config.confidence)
        if not (score.low > 0 and score.value >= MIN_EXPLAINED) or _is_time(table, column):
            continue
        evidence = f"{why}, and explains {score:.3f} of the target alone{table.of_rows}."
        advice = "Drop it; find out in which order it was given, and whether batches share targets."
        found.append(
            Check("L04", TITLE, "found", "error", table.name(column), evidence, advice, score)
        )
    return found or [Check("L04", TITLE, "clean", evidence=_words_on_order(table))]


def _names_rows(table: Table, column: str) -> str | None:
    """Return why a column names or counts rows, or None."""
    values = table.dataset.X[column]
    n_rows = len(values)
    if table.n_levels[column] < UNIQUE * n_rows or values.isna().any():
        return None
    if column in table.dataset.text:
        spaced = values.str.contains(r"\s").mean()
        return "a different text in nearly every row" if spaced < 0.5 else None
    if column not in table.dataset.numeric:
        return None
    numbers = numbers_of(values)
    some = numbers[:: max(n_rows // MAX_RANKED, 1)]
    if abs(float(stats.spearmanr(some, np.arange(len(some))).statistic)) > IN_ORDER:
        return "numbers in the order of the rows"
    whole = bool((numbers % 1 == 0).all())
    span = float(np.ptp(numbers)) + 1
    if whole and span <= 3 * n_rows:
        return "whole numbers, one a row, with few gaps"
    even = stats.kstest((numbers - numbers.min()) / span, "uniform").pvalue > 0.05
    if whole and even and n_rows >= 200 and table.n_levels[column] == n_rows:
        return "whole numbers, one a row, spread evenly"
    return None


def _is_time(table: Table, column: str) -> bool:
    time = table.dataset.time
    if time is None:
        return False
    moments = numbers_of(pd.Series(time))
    relation = stats.spearmanr(moments, numbers_of(table.dataset.X[column])).statistic
    return abs(float(relation)) > IN_ORDER


def _words_on_order(table: Table) -> str:
    part = table.sample
    position = pd.Series(np.arange(len(part)))
    folds = table.folds
    explained = float(explain_alone(bin_column(position, 20), part.y, part.task, folds).mean())
    words = "No column that names or counts rows predicts the target."
    if explained >= STANDS_SORTED:
        words += " The rows stand sorted by it, which shuffled folds undo."
    return words
