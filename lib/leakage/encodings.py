"""Columns that know rows which they should not: targets averaged in, test rows averaged in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lib.checks import Check
from lib.leakage.table import Codes, Floats, Table, list_rows
from lib.statistics import numbers_of

TITLE = "columns computed from rows that should be unseen"
SMOOTHING = (0.0, 1.0, 5.0, 10.0, 20.0, 50.0)
MIN_LEVELS = 5
MAX_LEVELS = 5_000
MAX_P = 1e-6
MAX_P_BY_LEVEL = 1e-4  # few honest columns are functions of another at all
EXACT = 1e-6


def check_encodings(table: Table) -> list[Check]:
    """Look for averages of the target, and for averages over training and test rows together.

    A column that holds the mean target of each level agrees with the means of the training rows
    far better than any honest quantity could: their sampling noise is part of it. A column that
    holds the mean of another column by level gives away whether test rows were counted.

    Parameters
    ----------
    table : Table
        Training rows with target, test rows without.

    Returns
    -------
    list of Check
        L09. Scaling by the mean of the whole table is not looked for: it hardly moves a score.
    """
    found = _find_target_means(table)
    known = {check.column for check in found}
    if len(table.test):
        found += [check for check in _find_wide_means(table) if check.column not in known]
    words = "No column averages targets, nor features over training and test rows together."
    return found or [Check("L09", TITLE, "clean", evidence=words)]


def _find_target_means(table: Table) -> list[Check]:
    train, outcomes = table.train, _outcomes(table)
    keys = {
        name: codes
        for name in train.categorical
        if (codes := pd.factorize(train.X[name])[0]).min() >= 0
    }
    found = []
    for position, column in enumerate(map(str, train.X)):
        if column not in train.numeric or table.n_levels[column] < MIN_LEVELS:
            continue
        numbers = numbers_of(train.X[column])
        if np.isnan(numbers).any():
            continue
        codes, levels = pd.factorize(table.codes[table.rows, position])
        if len(levels) < MIN_LEVELS:
            continue
        how = _averages(table, numbers, codes, outcomes, keys)
        if not how:
            continue
        evidence = (
            f"holds the mean of '{table.dataset.target}' {how}: it agrees with the training rows "
            "closer than sampling allows."
        )
        advice = "Encode inside the folds, from training rows alone (out of fold)."
        name, rows = table.name(column), list_rows(range(3))
        found.append(Check("L09", TITLE, "found", "error", name, evidence, advice, None, rows))
    return found


def _averages(
    table: Table, numbers: Floats, codes: Codes, outcomes: list[Floats], keys: dict[str, Codes]
) -> str:
    """Return by what a column averages the target, or nothing; `codes` numbers its levels."""
    levels = np.zeros(int(codes.max()) + 1)
    levels[codes] = numbers
    if len(levels) <= min(MAX_LEVELS, len(numbers) / 2):
        if min(_too_good(levels, codes, y) for y in outcomes) < MAX_P:
            return f"over the rows of each of {len(levels):,} values"
        for name, key in keys.items():
            by_level = np.zeros(int(key.max()) + 1)
            by_level[key] = numbers
            if len(by_level) < MIN_LEVELS or not (by_level[key] == numbers).all():
                continue
            if min(_too_good(by_level, key, y) for y in outcomes) < MAX_P_BY_LEVEL:
                return f"by {table.name(name)}"
    source = _left_out(table, numbers, outcomes, keys)
    return f"of the other rows by {source}" if source else ""


def _outcomes(table: Table) -> list[Floats]:
    y = table.train.y.to_numpy(dtype=float)
    if table.train.task == "multiclass":
        classes = np.argsort(-np.bincount(table.train.y))[:5]
        return [(y == k).astype(float) for k in classes] + [y]
    return [y]


def _too_good(levels: Floats, codes: Codes, y: Floats) -> float:
    """Return the probability that an honest quantity lies so close to the means of the target.

    Of the levels' deviations from the best line through them, weighed by their sampling error,
    the sum of squares is at least about χ² with one degree a level; a mean over these very rows
    has nearly none. Means drawn towards the overall mean are tried too.
    """
    n = np.bincount(codes).astype(float)
    mean = float(y.mean())
    own = np.bincount(codes, weights=y) / n
    within = float(((y - own[codes]) ** 2).sum()) / max(len(y) - len(n), 1)
    if within <= 1e-12 * max(float(y.var()), 1e-300):
        return 1.0
    several = n > 1
    if several.sum() < MIN_LEVELS or np.ptp(own[several]) == 0:
        return 1.0
    best = np.inf
    for rows in SMOOTHING:
        drawn = (n * own + rows * mean) / (n + rows)
        error = within / n * (n / (n + rows)) ** 2
        best = min(best, _off_line(levels[several], drawn[several], 1 / error[several]))
    degrees = int(several.sum()) - 2 - len(SMOOTHING) // 4
    return float(stats.chi2.cdf(best, max(degrees, 1)))


def _off_line(x: Floats, y: Floats, weight: Floats) -> float:
    x, y = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
    slope = float((weight * x * y).sum()) / max(float((weight * x * x).sum()), 1e-300)
    if slope <= 0:
        return np.inf
    return float((weight * (y - slope * x) ** 2).sum())


def _left_out(table: Table, numbers: Floats, outcomes: list[Floats], keys: dict[str, Codes]) -> str:
    """Return the column by whose levels this one holds the mean target of the other rows."""
    for name, codes in keys.items():
        n = np.bincount(codes)
        rows = np.flatnonzero(n[codes] > 2)
        if len(rows) < 50:
            continue
        for y in outcomes:
            sums, close = np.bincount(codes, weights=y), EXACT * (float(y.std()) or 1.0)
            for some in (rows[:100], rows):  # most columns fail on the first few
                level = codes[some]
                expected = (sums[level] - y[some]) / (n[level] - 1)
                if not np.allclose(numbers[some], expected, rtol=0, atol=close):
                    break
            else:
                return table.name(name)
    return ""


def _find_wide_means(table: Table) -> list[Check]:
    X = table.dataset.X
    numeric = table.dataset.numeric
    in_train = np.zeros(len(X), dtype=bool)
    in_train[table.rows] = True
    keys = {*table.dataset.categorical, *(c for c in numeric if _is_coarse(table, c))}
    by_levels = {
        str(key): table.codes[:, position] for position, key in enumerate(X) if key in keys
    }
    if table.dataset.groups is not None:
        by_levels["groups"] = pd.factorize(table.dataset.groups)[0] + 1
    found = []
    for column in numeric:
        values = numbers_of(X[column])
        if not np.isfinite(values).all() or table.n_levels[column] < MIN_LEVELS:
            continue
        for key, codes in by_levels.items():
            if key == column or not _is_function(values, codes):
                continue
            source = _mean_of(table, column, codes, in_train)
            if source is not None:
                name = table.name(column)
                evidence = (
                    f"holds the mean of {table.name(source)} by {table.name(key)} over training "
                    "and test rows together."
                )
                advice = "Average over training rows alone, inside the folds."
                found.append(Check("L09", TITLE, "found", "warning", name, evidence, advice))
                break
    return found


def _is_coarse(table: Table, name: str) -> bool:
    column = table.dataset.X[name]
    few = min(len(column) / 4, 1_000)
    return 2 < table.n_levels[name] <= few and not column.isna().any()


def _is_function(values: Floats, codes: Codes) -> bool:
    """Whether each level has one value, and at least five levels share theirs with another row."""
    n_levels = int(codes.max())
    if not MIN_LEVELS <= n_levels <= len(codes) / 2:
        return False
    first = np.zeros(n_levels + 1)
    for some in (slice(10 * n_levels), slice(None)):  # most columns fail on the first rows
        first[codes[some]] = values[some]
        if not (first[codes[some]] == values[some]).all():
            return False
    return True


def _mean_of(table: Table, column: str, codes: Codes, in_train: np.ndarray) -> str | None:
    """Return the column whose mean by level over all rows, not the training rows, this one is."""
    X = table.dataset.X
    values = numbers_of(X[column])
    for source in table.dataset.numeric:
        other = numbers_of(X[source])
        if source == column or not np.isfinite(other).all() or np.ptp(other) == 0:
            continue
        wide = _means(codes, other)
        close = EXACT * float(other.std())
        if not np.allclose(values, wide[codes], rtol=0, atol=close):
            continue
        if np.allclose(values, other, rtol=0, atol=close):
            continue  # it is that column
        narrow = _means(codes[in_train], other[in_train], len(wide))
        if not np.allclose(wide[codes], narrow[codes], rtol=0, atol=close, equal_nan=True):
            return str(source)
    return None


def _means(codes: Codes, values: Floats, n_levels: int | None = None) -> Floats:
    n_levels = n_levels or int(codes.max()) + 1
    n = np.bincount(codes, minlength=n_levels).astype(float)
    n[n == 0] = np.nan
    return np.asarray(np.bincount(codes, weights=values, minlength=n_levels) / n)
