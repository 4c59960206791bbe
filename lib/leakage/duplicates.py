"""The same row on both sides of the split: exact copies, and copies with a little noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from lib.checks import Check, Severity
from lib.leakage.table import Codes, Floats, Hashes, Table, list_rows, shares
from lib.statistics import numbers_of

EXACT, NEAR = "the same row on both sides of the split", "nearly the same row on both sides"
COPIES_AGREE = 0.8  # from here on, equal features with equal targets are copies, not repeats
MANY = 0.01  # share of rows from which copies are an error
MAX_NEAR_ROWS = 10_000
MIN_FINE = 3  # fine-grained columns that near copies are looked for in
CLOSER = 0.1  # near copies are so much closer than the next row
N_NEIGHBOURS = 9  # copies of one row that are recognised, and one


@dataclass(frozen=True)
class Repeats:
    """How often rows repeat each other in a set of columns.

    Attributes
    ----------
    redundant : int
        Rows less distinct rows.
    merged : int
        How many distinct rows merge when a column is left out, summed over the columns; not
        counted where no row repeats another.
    """

    redundant: int
    merged: int

    @property
    def beyond_chance(self) -> bool:
        """Whether rows repeat each other in everything rather than by coincidence.

        Rows that coincide by chance have many near misses, which differ in one column alone;
        copies have none.
        """
        return self.redundant > self.merged


def count_repeats(hashes: Hashes) -> Repeats:
    """Return how often rows repeat each other, and how often they nearly do.

    Parameters
    ----------
    hashes : array of uint64, shape (n_rows, n_columns)
        From `table.hash_levels`.

    Returns
    -------
    Repeats

    Examples
    --------
    >>> keys = np.array([[1, 10, 100], [1, 10, 100], [2, 20, 300]], dtype=np.uint64)
    >>> count_repeats(keys)
    Repeats(redundant=1, merged=0)
    """
    total = hashes.sum(axis=1, dtype=np.uint64)
    n_distinct = _count_distinct(total)
    if n_distinct == len(total):
        return Repeats(0, 0)  # no need to know how nearly
    merged = sum(n_distinct - _count_distinct(total - column) for column in hashes.T)
    return Repeats(len(total) - n_distinct, merged)


def _count_distinct(keys: Hashes) -> int:
    ordered = np.sort(keys)
    return int((ordered[1:] != ordered[:-1]).sum()) + 1 if len(keys) else 0


def check_exact(table: Table) -> Check:
    """Look for rows that equal another row in every feature, beyond coincidence.

    Parameters
    ----------
    table : Table
        Training and test rows.

    Returns
    -------
    Check
        L02. Equal features with different targets are repeats of a person or a thing: L06.
    """
    keys = table.hashes.sum(axis=1, dtype=np.uint64)
    repeats = count_repeats(table.hashes)
    if repeats.redundant == 0:
        return Check("L02", EXACT, "clean", evidence="No two rows are equal in all features.")
    of_train, of_test = keys[table.rows], keys[table.test]
    twins = np.isin(of_test, of_train)
    said = f"{repeats.redundant:,} rows equal an earlier row in all {table.codes.shape[1]} features"
    if not repeats.beyond_chance:
        reason = f"{said}, no more than coarse columns make by chance."
        return Check("L02", EXACT, "clean", evidence=reason)
    agreement = _agreement(of_train, table.train.y)
    if agreement < COPIES_AGREE:
        reason = f"{said}, but their targets differ: repeats of a person or thing, see L06."
        return Check("L02", EXACT, "clean", evidence=reason)
    share = max(repeats.redundant / len(keys), twins.mean() if len(twins) else 0.0)
    severity: Severity = "error" if share >= MANY else "warning"
    evidence = f"{said}, with the same target where it is known"
    if len(of_test):
        evidence += f"; {shares(int(twins.sum()), len(of_test))} test rows equal a training row"
    return Check(
        "L02",
        EXACT,
        "found",
        severity,
        evidence=evidence + ".",
        advice="Drop repeated rows before the split, or keep equal rows together as a group.",
        rows=list_rows(np.flatnonzero(pd.Series(of_train).duplicated(keep=False))),
    )


def _agreement(keys: npt.NDArray[np.uint64], y: pd.Series) -> float:
    """Return how far targets of equal rows agree: 1 always, 0 as any two rows do (Cohen's kappa).

    1, and so no objection, when no two training rows are equal.
    """
    order = np.argsort(keys, kind="stable")
    first, second = order[:-1], order[1:]
    same_row = keys[first] == keys[second]
    if not same_row.any():
        return 1.0
    values = y.to_numpy()
    equal = float((values[first] == values[second])[same_row].mean())
    frequencies = y.value_counts(normalize=True).to_numpy()
    by_chance = float((frequencies**2).sum())
    return (equal - by_chance) / max(1 - by_chance, 1e-12)


def check_near(table: Table) -> Check:
    """Look for rows far closer to another row than rows lie by chance.

    Where rows lie by chance in k dimensions, the ratio of the distances to the nearest and the
    second-nearest row is below r with probability r^k, whatever their density [1]_. Near copies
    have ratios near 0.

    Parameters
    ----------
    table : Table
        Training and test rows.

    Returns
    -------
    Check
        L03.

    References
    ----------
    .. [1] E. Facco et al. (2017). Estimating the intrinsic dimension of datasets by a minimal
       neighborhood information. Scientific Reports 7:12140.
    """
    rows = _rows_to_compare(table)
    points, coarse = _fine_columns(table, rows)
    if points.shape[1] < MIN_FINE or len(points) < 50:
        reason = f"needs {MIN_FINE} columns of fine-grained numbers and 50 rows"
        return Check("L03", NEAR, "not applicable", evidence=reason)
    near, expected, partner = _find_near(points, coarse, table, rows)
    n_near = int(near.sum())
    p_value = float(stats.binom.sf(n_near - 1, len(near), min(expected, 1.0)))
    sampled = "" if len(rows) == len(table.codes) else f" of {len(rows):,} compared"
    said = f"{n_near:,} rows{sampled} lie ten times closer to one row than to any other"
    if n_near < 3 or p_value > 1e-6:
        words = f"{said}; chance makes about {expected * len(near):.1f}."
        return Check("L03", NEAR, "clean", evidence=words)
    whole = rows[near]
    in_test = np.isin(whole, table.test)
    crossing = int((in_test & ~np.isin(rows[partner[near]], table.test)).sum())
    severity: Severity = "error" if n_near >= MANY * len(rows) else "warning"
    by_chance = expected * len(near)
    words = f"about {by_chance:.1f}" if by_chance >= 0.1 else "none"
    evidence = f"{said}, by chance {words} would"
    if len(table.test):
        evidence += f"; {crossing:,} of them are test rows close to a training row"
    positions = np.searchsorted(table.rows, whole[~in_test])
    return Check(
        "L03",
        NEAR,
        "found",
        severity,
        evidence=evidence + ".",
        advice="Find out why they exist (augmentation, repeated measurement); keep them together.",
        rows=list_rows(positions),
    )


def _rows_to_compare(table: Table) -> Codes:
    """Return the first of equal rows, at most `MAX_NEAR_ROWS` at random, in order."""
    keys = table.hashes.sum(axis=1, dtype=np.uint64)
    _, rows = np.unique(keys, return_index=True)
    limit = min(MAX_NEAR_ROWS, 2 * table.config.budget.max_rows_slow)
    if len(rows) > limit:
        rows = np.random.default_rng(table.config.seed).permutation(np.sort(rows))[:limit]
    return np.sort(rows).astype(np.int64)


def _fine_columns(table: Table, rows: Codes) -> tuple[Floats, Codes]:
    """Return scaled fine-grained numbers, and the levels of all other columns."""
    X = table.dataset.X
    fine, others = [], []
    for position, name in enumerate(X.columns):
        numbers = numbers_of(X[name])[rows] if name in table.dataset.numeric else None
        if numbers is None or len(np.unique(numbers)) < max(20, 0.02 * len(rows)):
            others.append(position)
            continue
        spread = np.nanstd(numbers)
        filled = np.where(np.isnan(numbers), np.nanmedian(numbers), numbers)
        fine.append((filled - filled.mean()) / (spread or 1.0))
    points = np.column_stack(fine) if fine else np.zeros((len(rows), 0))
    return points, table.codes[rows][:, others]


def _find_near(
    points: Floats, coarse: Codes, table: Table, rows: Codes
) -> tuple[npt.NDArray[np.bool_], float, Codes]:
    """Return which rows have a near copy, the share expected by chance, and the nearest rows."""
    n_neighbours = min(N_NEIGHBOURS, len(points) - 1)
    search = NearestNeighbors(n_neighbors=n_neighbours, algorithm="brute", n_jobs=1)
    distances, indices = search.fit(points).kneighbors()
    ratios = distances[:, :-1] / np.maximum(distances[:, 1:], 1e-300)
    typical = np.clip(np.median(ratios[:, -1]), 1e-6, 1 - 1e-6)
    dimension = max(np.log(0.5) / ((n_neighbours - 1) * np.log(typical)), 0.5)
    partner = indices[:, 0]
    near = (ratios < CLOSER).any(axis=1) & (distances[:, 0] > 0)
    near &= (coarse == coarse[partner]).all(axis=1)
    if table.dataset.groups is not None:
        owner = pd.factorize(table.dataset.groups)[0][rows]
        near &= owner != owner[partner]
    return near, float(CLOSER**dimension), partner
