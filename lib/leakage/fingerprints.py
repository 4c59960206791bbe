"""Columns that tell entities apart without naming them: a search after Fellegi and Sunter."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.leakage.duplicates import count_repeats
from lib.leakage.table import Codes, Floats, hash_levels

MIN_GROUPS = 20
MIN_LEVELS = 10  # of a column whose equal values make two rows worth a comparison
MAX_BLOCK = 200  # rows that share a value; in larger blocks the same entity is rarely met
MAX_PAIRS = 20_000
MAX_BLOCKED = 40  # columns that pairs are drawn by
RARELY = 0.03  # share of pairs that must be of one entity, or agree on a column, to tell anything
ALWAYS = 0.9  # two rows of one entity agree so often on what does not change
TELLING = 0.21  # chance that two rows agree on a column, up to which agreement means something
BOUND = 0.2  # by how much more they agree when they agree on all the others (kappa)
RUNS = 0.2  # as many runs of equal values as rows in random order would have, times this
LONELY = 0.05  # an unchanging column separates so few rows from their kin, against a random one
SMALL = 30  # rows of a group on average up to which a lonely row tells something
LARGEST = 1 / 20  # of the rows: what a row's group may hold on average


@dataclass(frozen=True)
class Candidate:
    """A way to tell which rows belong together.

    Attributes
    ----------
    columns : tuple of int
        Positions of columns whose equal values mark a group.
    labels : ndarray of int, shape (n_rows,)
        The group of each row.
    kind : {"fingerprint", "runs", "column"}
        Several columns that agree as one; values that stay equal along the rows; one column.
    is_sure : bool
        Whether at least two telling columns, neither a function of the other, are bound to each
        other far beyond chance: then the same entity comes again, whatever a model makes of it.
    """

    columns: tuple[int, ...]
    labels: Codes
    kind: str
    is_sure: bool = False

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.labels.max()) + 1


def find_candidates(codes: Codes, *, random_state: int = 0) -> list[Candidate]:
    """Return sets of columns whose equal values may mark one person or thing, the best first.

    Pairs of rows that share a value of one fine-grained column are either of one entity, which
    agrees in everything that does not change, or coincidences. A mixture of the two, fitted by
    expectation maximisation as in record linkage [1]_, finds the columns that do not change.
    Rows of a table that is sorted by entity also show long runs of equal values.

    Parameters
    ----------
    codes : array of int, shape (n_rows, n_columns)
        Level of every cell.
    random_state : int
        Seed of the pairs drawn.

    Returns
    -------
    list of Candidate
        Distinct ones, each with at least twenty groups.

    References
    ----------
    .. [1] I. Fellegi, A. Sunter (1969). A theory for record linkage. JASA 64:1183.
    """
    rng = np.random.default_rng(random_state)
    found: dict[tuple[int, ...], Candidate] = {}
    proposals = [(columns, "fingerprint") for columns in _fingerprints(codes, rng)]
    runs = _long_runs(codes)
    if runs:
        proposals.append((runs, "runs"))
    for columns, kind in proposals:
        candidate = make_candidate(codes, columns, kind)
        if candidate is not None:
            if np.bincount(candidate.labels)[candidate.labels].mean() <= SMALL:
                candidate = _extended(codes, candidate, rng)
            sure = candidate.kind == "fingerprint" and _is_bound(codes, candidate.columns)
            found.setdefault(candidate.columns, replace(candidate, is_sure=sure))
    return sorted(
        found.values(),
        key=lambda c: (not c.is_sure, c.kind == "runs", -len(c.columns), c.columns),
    )


def _is_bound(codes: Codes, columns: tuple[int, ...]) -> bool:
    """Whether two telling columns are agreed on together, and neither determines the other."""
    hashes = hash_levels(codes[:, list(columns)])
    whole = hashes.sum(axis=1, dtype=np.uint64)
    telling = []
    for j, own in zip(columns, hashes.T, strict=True):
        collision = _collision(codes[:, j])
        if collision <= TELLING and _bond(whole - own, codes[:, j], collision) >= BOUND:
            telling.append(j)
    n_levels = {j: len(np.unique(codes[:, j])) for j in telling}
    for first, second in itertools.combinations(telling, 2):
        both = codes[:, first] * (int(codes[:, second].max()) + 1) + codes[:, second]
        if len(np.unique(both)) > 1.1 * max(n_levels[first], n_levels[second]):
            return True
    return False


def _bond(key: npt.NDArray[np.uint64], column: Codes, collision: float) -> float:
    """Return how far rows that agree on all other columns agree on this one, beyond chance."""
    order = np.argsort(key, kind="stable")
    first, second = order[:-1], order[1:]
    same = key[first] == key[second]
    if not same.any():
        return 0.0
    agree = float((column[first] == column[second])[same].mean())
    return (agree - collision) / (1 - collision)


def _extended(codes: Codes, candidate: Candidate, rng: np.random.Generator) -> Candidate:
    """Return the groups told apart by every further column that does not change within them.

    Such a column leaves hardly a row alone; a column in random order would leave many.
    """
    rest = sorted(set(range(codes.shape[1])) - set(candidate.columns))
    order = sorted(rest, key=lambda j: (_collision(codes[:, j]), j))
    for position in order:
        column = codes[:, position]
        if _collision(column) > 0.98:
            continue
        random = _count_lonely(candidate.labels, rng.permutation(column))
        if random < max(20, 0.005 * len(codes)):
            continue
        if _count_lonely(candidate.labels, column) <= LONELY * random:
            columns = tuple(sorted([*candidate.columns, position]))
            candidate = make_candidate(codes, columns, candidate.kind) or candidate
    return candidate


def _count_lonely(labels: Codes, column: Codes) -> int:
    """Return how many rows in company lose all of it when groups are split by a column."""
    finer = pd.factorize(labels * (int(column.max()) + 1) + column)[0]
    alone = np.bincount(finer)[finer] == 1
    return int((alone & (np.bincount(labels)[labels] > 1)).sum())


def make_candidate(codes: Codes, columns: tuple[int, ...], kind: str) -> Candidate | None:
    """Return the groups that some columns make, or None when they are too few or too scattered.

    Where nearly each combination of values stands in one block of rows, two blocks with the same
    values are two entities.

    Parameters
    ----------
    codes : array of int, shape (n_rows, n_columns)
        Level of every cell.
    columns : tuple of int
        Positions.
    kind : str
        Where they come from.

    Returns
    -------
    Candidate or None
    """
    part = codes[:, list(columns)]
    hashes = hash_levels(part)
    keys = hashes.sum(axis=1, dtype=np.uint64)
    labels = pd.factorize(keys)[0].astype(np.int64)
    starts = np.r_[True, keys[1:] != keys[:-1]]
    n_groups, n_runs = int(labels.max()) + 1, int(starts.sum())
    n_rows = len(keys)
    by_chance = n_rows * (1 - float(((np.bincount(labels) / n_rows) ** 2).sum()))
    if n_runs < 0.5 * by_chance:
        labels, n_groups = np.cumsum(starts) - 1, n_runs
    company = np.bincount(labels)[labels]
    if n_groups < MIN_GROUPS or (company > 1).mean() < 0.2 or company.mean() > LARGEST * n_rows:
        return None
    if kind == "fingerprint" and not _is_redundant(hashes, n_rows):
        return None
    return Candidate(columns, labels, kind)


def _is_redundant(hashes: npt.NDArray[np.uint64], n_rows: int) -> bool:
    """Whether leaving out a column hardly merges groups: they agree on all of them, or none."""
    repeats = count_repeats(hashes)
    return repeats.redundant > 0.1 * n_rows and repeats.beyond_chance


def _long_runs(codes: Codes) -> tuple[int, ...]:
    """Return columns that stay equal along the rows far longer than in random order."""
    chosen = []
    for position, column in enumerate(codes.T):
        shares = np.bincount(column) / len(column)
        expected = len(column) * (1 - float((shares**2).sum()))
        n_runs = int((column[1:] != column[:-1]).sum()) + 1
        if expected > MIN_GROUPS and n_runs < RUNS * expected:
            chosen.append(position)
    return tuple(chosen)


def _fingerprints(codes: Codes, rng: np.random.Generator) -> list[tuple[int, ...]]:
    collision = np.array([_collision(column) for column in codes.T])
    n_rows = len(codes)
    blocking = []
    for position, column in enumerate(codes.T):
        n_levels = len(np.unique(column))
        if MIN_LEVELS <= n_levels <= n_rows / 1.3:
            blocking.append((collision[position], position))
    sets = []
    for _, position in sorted(blocking)[:MAX_BLOCKED]:
        first, second = _pairs(codes[:, position], rng)
        if len(first) < 50:
            continue
        agree = codes[first] == codes[second]
        fixed = _unchanging(agree, collision, position)
        if len(fixed) >= 2:
            sets.append(fixed)
        lift = (agree.mean(axis=0) - collision) / (1 - np.minimum(collision, 0.99))
        lift[(collision > TELLING) | (np.arange(len(lift)) == position)] = 0
        if lift.max(initial=0) >= RARELY:
            sets.append(tuple(sorted((position, int(lift.argmax())))))
    return list(dict.fromkeys(sets))


def _collision(column: Codes) -> float:
    shares = np.bincount(column) / len(column)
    return float((shares**2).sum())


def _pairs(column: Codes, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Return pairs of rows that share a rare value: neighbours in the table, and random ones."""
    by_row = np.argsort(column, kind="stable")
    at_random = np.lexsort((rng.random(len(column)), column))
    first = np.r_[by_row[:-1], at_random[:-1]]
    second = np.r_[by_row[1:], at_random[1:]]
    counts = np.bincount(column)
    use = (column[first] == column[second]) & (counts[column[first]] <= MAX_BLOCK)
    first, second = first[use], second[use]
    if len(first) > MAX_PAIRS:
        kept = np.sort(rng.permutation(len(first))[:MAX_PAIRS])
        first, second = first[kept], second[kept]
    return first.astype(np.int64), second.astype(np.int64)


def _unchanging(
    agree: npt.NDArray[np.bool_], collision: Floats, blocked: int, n_steps: int = 60
) -> tuple[int, ...]:
    """Return the columns on which pairs of one entity always agree, by a mixture of two classes."""
    a = agree.astype(float)
    met = a.mean(axis=0)
    others = [
        j for j in range(a.shape[1]) if j != blocked and met[j] >= RARELY and collision[j] < 0.98
    ]
    a = a[:, others]
    apart = np.clip(np.maximum(collision[others], 0.001), 0.001, 0.97)
    same, share = np.full(len(others), 0.9), 0.3
    for _ in range(n_steps):
        same, apart = np.clip(same, 0.001, 0.999), np.clip(apart, 0.001, 0.999)
        log_odds = np.log(share / (1 - share)) + (
            a @ np.log(same / apart) + (1 - a) @ np.log((1 - same) / (1 - apart))
        )
        weight = 1 / (1 + np.exp(-np.clip(log_odds, -50, 50)))
        share = float(np.clip(weight.mean(), 0.001, 0.999))
        same = (weight @ a + 0.5) / (weight.sum() + 1)
        apart = ((1 - weight) @ a + 0.5) / ((1 - weight).sum() + 1)
    if share < RARELY:
        return ()
    fixed = [j for j, m in zip(others, same, strict=True) if m >= ALWAYS]
    return tuple(sorted([blocked, *fixed]))
