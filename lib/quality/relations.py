"""Numbers that follow from other numbers: copies, multiples, sums, products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from lib.checks import Check
from lib.quality.answers import found, not_applicable, settle, share
from lib.quality.table import Floats, Table

MIN_HOLDS = 0.9  # a relation that fewer rows keep is none
MIN_ROWS = 30  # rows in which no part is 0
MIN_DISTINCT = 10
N_PROBED = 200  # rows on which relations are looked for, before all rows confirm them
MAX_COLUMNS = 60


@dataclass(frozen=True)
class Relation:
    """An identity between columns.

    Attributes
    ----------
    words : str
        Such as "total = a + b".
    columns : tuple of str
        The one that follows first.
    broken : ndarray of int
        Rows that do not keep it.
    n_rows : int
        Rows that have all parts, none of them 0.
    """

    words: str
    columns: tuple[str, ...]
    broken: npt.NDArray[np.int64]
    n_rows: int


def find_relations(table: Table) -> list[Relation]:
    """Return identities of two and three columns of numbers, simplest first.

    Looks for a = b, a = k · b, a = b + c, a = b · c and a = b / c up to the rounding of the
    cells, on rows where no part is 0, so that empty sums prove nothing. A column that a simpler
    relation explains is not explained again.

    Parameters
    ----------
    table : Table
        To search; at most 60 columns, the first.

    Returns
    -------
    list of Relation
    """
    search = _Search(table)
    taken: set[str] = set()
    relations = []
    for relation in [*search.multiples(), *search.triples()]:
        if relation.columns[0] not in taken and not set(relation.columns[1:]) <= taken:
            relations.append(relation)
            taken.add(relation.columns[0])
    return relations


def check_relations(table: Table) -> list[Check]:
    """Q15: columns that follow from others, and rows that break such an identity."""
    if len(table.numeric) < 2:
        return [not_applicable("Q15", "fewer than two features hold numbers")]
    answers = []
    for relation in find_relations(table):
        name = " + ".join(relation.columns)
        if len(relation.broken):
            broken = share(len(relation.broken), relation.n_rows)
            evidence = f"{relation.words} but for {broken} rows"
            advice = "one of the cells in these rows is wrong: mend it, or make it missing"
            answers.append(
                found("Q15", "warning", name, evidence, advice, rows=relation.broken[:20])
            )
        else:
            evidence = f"{relation.words} in all {relation.n_rows:,} rows that have it"
            advice = "keep one side: coefficients and importances of both mean nothing"
            answers.append(found("Q15", "note", name, evidence, advice))
    return settle("Q15", answers)


class _Search:
    """Finds identities on a few rows and confirms them on all."""

    def __init__(self, table: Table) -> None:
        names = [n for n in table.numeric if table.n_distinct[n] >= MIN_DISTINCT]
        self.names = names[:MAX_COLUMNS]
        self.values = {name: table.numbers(name) for name in self.names}
        self.error = {name: _rounding(values) for name, values in self.values.items()}
        rng = np.random.default_rng(table.config.seed)
        n_rows = len(table)
        self.probe = np.sort(rng.choice(n_rows, min(N_PROBED, n_rows), replace=False))

    def multiples(self) -> Iterator[Relation]:
        """Yield a = b and a = k · b."""
        for earlier, later in combinations(self.names, 2):
            a, b = self.values[later], self.values[earlier]
            factor = self._factor(a[self.probe], b[self.probe])
            if factor is None:
                continue
            words = f"'{earlier}'" if factor == 1 else f"{factor:.6g} · '{earlier}'"
            tolerance = self.error[later] + abs(factor) * self.error[earlier]
            relation = self._confirm(
                f"'{later}' = {words}", (later, earlier), factor * b, tolerance
            )
            if relation is not None:
                yield relation

    def triples(self) -> Iterator[Relation]:
        """Yield a = b + c, a = b · c and a = b / c."""
        if len(self.names) < 3:
            return
        probes = np.stack([self.values[name][self.probe] for name in self.names])  # (p, probed)
        is_used = np.isfinite(probes) & (probes != 0)
        for i, j in combinations(range(len(self.names)), 2):
            b, c = self.names[i], self.names[j]
            for words, made in _combined(b, c, probes[i], probes[j]).items():
                tolerance = self._tolerance(words, b, c, probes[i], probes[j])
                used = is_used & is_used[i] & is_used[j]
                off = np.abs(probes - made) - np.array([[self.error[n]] for n in self.names])
                close = (off <= np.maximum(tolerance, 1e-9 * np.abs(made))) & used
                n_used, n_close = used.sum(axis=1), close.sum(axis=1)
                for k in np.flatnonzero((n_used >= MIN_ROWS / 2) & (n_close >= 0.85 * n_used)):
                    relation = None if k in {i, j} else self._triple(words, self.names[k], b, c)
                    if relation is not None:
                        yield relation

    def _tolerance(self, words: str, b: str, c: str, x: Floats, y: Floats) -> Floats | float:
        """Return how far rounding of the cells of b and c can take the right side."""
        eb, ec = self.error[b], self.error[c]
        if " + " in words:
            return eb + ec
        with np.errstate(divide="ignore", invalid="ignore"):
            if " · " in words:
                return np.abs(x) * ec + np.abs(y) * eb
            if words.startswith(f"'{b}' /"):
                return eb / np.abs(y) + np.abs(x) * ec / y**2
            return ec / np.abs(x) + np.abs(y) * eb / x**2

    def _triple(self, words: str, a: str, b: str, c: str) -> Relation | None:
        x, y = self.values[b], self.values[c]
        tolerance = self.error[a] + self._tolerance(words, b, c, x, y)
        if not _narrow(tolerance, self.values[a]):
            return None
        return self._confirm(f"'{a}' = {words}", (a, b, c), _combined(b, c, x, y)[words], tolerance)

    def _factor(self, a: Floats, b: Floats) -> float | None:
        used = _none_is_zero(a, b)
        if used.sum() < MIN_ROWS / 2:
            return None
        ratios = a[used] / b[used]
        middle = float(np.median(ratios))
        close = np.abs(ratios / middle - 1) < 0.02 if middle else np.zeros(1, dtype=bool)
        if close.mean() < 0.85:
            return None
        return _round_factor(float(np.median(ratios[close])))

    def _confirm(
        self, words: str, columns: tuple[str, ...], made: Floats, tolerance: Floats | float
    ) -> Relation | None:
        parts = [self.values[name] for name in columns]
        used = _none_is_zero(*parts)
        close = np.abs(parts[0] - made) <= np.maximum(tolerance, 1e-9 * np.abs(parts[0]))
        n_used, n_kept = int(used.sum()), int((close & used).sum())
        kept = parts[0][close & used]
        if n_used < MIN_ROWS or n_kept < MIN_HOLDS * n_used:
            return None
        if len(np.unique(kept)) < MIN_DISTINCT or not _narrow(tolerance, kept):
            return None
        return Relation(words, columns, np.flatnonzero(used & ~close), n_used)


def _combined(b: str, c: str, x: Floats, y: Floats) -> dict[str, Floats]:
    """Return what can be made of two columns, under its words."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            f"'{b}' + '{c}'": x + y,
            f"'{b}' · '{c}'": x * y,
            f"'{b}' / '{c}'": x / y,
            f"'{c}' / '{b}'": y / x,
        }


def _round_factor(ratio: float) -> float:
    """Return the ratio as people would write it, where that is the same to one in a thousand."""
    for digits in range(1, 5):
        rounded = float(f"{ratio:.{digits}g}")
        if abs(rounded / ratio - 1) < 1e-3:
            return rounded
    return ratio


def _rounding(values: Floats) -> float:
    """Return half of the last decimal in which cells are written."""
    known = values[np.isfinite(values)][:2_000]
    for decimals in range(10):
        if np.allclose(known, np.round(known, decimals), rtol=0, atol=1e-11):
            return 0.5001 * 10.0**-decimals if decimals else 1e-9
    return 1e-9 * float(np.abs(known).max(initial=1.0))


def _narrow(tolerance: Floats | float, values: Floats) -> bool:
    """Whether rounding leaves room for a coincidence: it must be small beside the spread."""
    spread = float(np.nanstd(values))
    return bool(np.nanmedian(np.asarray(tolerance, dtype=float)) < 0.02 * spread)


def _none_is_zero(*parts: Floats) -> npt.NDArray[np.bool_]:
    used = np.ones(len(parts[0]), dtype=bool)
    for part in parts:
        used &= np.isfinite(part) & (part != 0)
    return used
