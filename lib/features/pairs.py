"""Families of features that read two columns: ratios, differences, products, combinations."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.features.families import TARGET, Family
from lib.features.operations import OPERATIONS, name_pairs, product
from lib.features.recipes import AT_MOST
from lib.features.screening import (
    MAX_ROWS,
    N_BINS,
    Codes,
    Floats,
    additive_residuals,
    code_column,
    code_numbers,
    compact,
    draw,
    evidence,
    exceeds_chance,
    quantile_edges,
    standardise,
    target_matrix,
)

MAX_MAIN = AT_MOST["interactions"]  # columns that the additive fit looks at
MAX_PAIRED = AT_MOST["ratios"]  # columns that enter pairs
MAX_PAIRS = 8  # pairs that become features
MAX_CELLS = 60  # of a combination of categories
MIN_CELL = 10  # rows: smaller cells are pooled
N_CUTS = 4  # bins of a number that is combined with a category
MIN_RATIO_VALUES = 10


class _Pairs(Family):
    """Looks through pairs of columns for what the two say beyond each of them."""

    min_values: ClassVar[int] = 2

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Find the pairs whose evidence beats the luckiest of all pairs that were looked at."""
        del owners
        rows = draw(len(X), MAX_ROWS, self.random_state)
        looked, target = X.iloc[rows], target_matrix(y, self.task)[rows]
        target = target - target.mean(axis=0)
        found = self.look(looked, target)
        tested = len(found)
        found.sort(key=lambda pair: -pair[0])
        kept = [pair for pair in found if exceeds_chance(pair[0], pair[1], tested)]
        for _, _, first, second in kept[:MAX_PAIRS]:
            self.add_pair(X, first, second)

    def look(self, X: pd.DataFrame, target: Floats) -> list[tuple[float, int, str, str]]:
        """Return evidence, degrees of freedom and the two columns of every pair."""
        raise NotImplementedError

    def add_pair(self, X: pd.DataFrame, first: str, second: str) -> None:
        """Add the feature of a pair."""
        raise NotImplementedError


class Ratios(_Pairs):
    """One number over another, where it tells the target better than both do alone."""

    name = "ratios"
    min_values = MIN_RATIO_VALUES
    operation, word, how = "ratio", "over", "{0} / {1}"

    def look(self, X: pd.DataFrame, target: Floats) -> list[tuple[float, int, str, str]]:
        """Compare what a pair tells with what the better of the two tells."""
        numbers = _paired_numbers(X, target, self.min_values)
        alone = {column: _evidence_of(X[column], target)[0] for column in numbers}
        distance = {column: _distance_from_zero(X[column]) for column in numbers}
        found = []
        for pair in combinations(numbers, 2):
            first, second = self.order(*pair, distance)
            made = OPERATIONS[self.operation](X, first, second)
            together, freedom = evidence(code_numbers(made), target)
            found.append((together - max(alone[first], alone[second]), freedom, first, second))
        return found

    def add_pair(self, X: pd.DataFrame, first: str, second: str) -> None:
        """Add the ratio or difference of two columns."""
        del X
        name = f"{first}_{self.word}_{second}"
        operation = (self.operation, first, second)
        self.add(name, (first, second), self.how, TARGET, {name: operation})

    def order(self, first: str, second: str, distance: Mapping[str, float]) -> tuple[str, str]:
        """Put below the line what stays farther from zero."""
        return (second, first) if distance[first] > distance[second] else (first, second)


class Differences(Ratios):
    """One number minus another, where it tells the target better than both do alone."""

    name = "differences"
    operation, word, how = "difference", "minus", "{0} - {1}"

    def order(self, first: str, second: str, distance: Mapping[str, float]) -> tuple[str, str]:
        """Keep the order of the table."""
        del distance
        return first, second


class Interactions(_Pairs):
    """Products of numbers and combinations of categories that explain what a sum leaves.

    The target is first explained by a sum of lines and levels of single columns; a pair counts by
    what it explains of the rest.
    """

    name = "interactions"

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Learn where numbers have their middle, then find pairs."""
        numbers = {
            str(column): X[column].to_numpy(dtype=float) for column in X.select_dtypes("number")
        }
        self._middle = {
            column: float(values[np.isfinite(values)].mean())
            for column, values in numbers.items()
            if np.isfinite(values).any()
        }
        super().fit(X, y, owners)

    def look(self, X: pd.DataFrame, target: Floats) -> list[tuple[float, int, str, str]]:
        """Return what each pair explains of the residuals of a sum."""
        numbers, categories = _main_columns(X, target)
        left = additive_residuals([X[c] for c in (*numbers, *categories)], target)
        found = []
        paired = _paired_by_products(X, numbers, left, target)
        for first, second in combinations(paired, 2):
            codes = code_numbers(self._product(X, first, second))
            found.append((*evidence(codes, left), first, second))
        crossed = [*paired[: MAX_PAIRED // 2], *categories[:MAX_PAIRED]]
        levels = {column: code_column(X[column], N_CUTS) for column in crossed}
        for first, second in combinations(crossed, 2):
            if second in categories:
                joint = _joint_codes(levels[first], levels[second])
                if int(joint.max(initial=0)) < len(X) // MIN_CELL:
                    found.append((*evidence(joint, left), first, second))
        return found

    def add_pair(self, X: pd.DataFrame, first: str, second: str) -> None:
        """Add a product where both are numbers, else a combination."""
        operation: tuple[Any, ...]
        if first in self._middle and second in self._middle:
            name = f"{first}_times_{second}"
            how = "product of {0} and {1}, each counted from its mean"
            operation = ("product", first, second, self._middle[first], self._middle[second])
        else:
            name, how = f"{first}_with_{second}", "combination of {0} and {1}"
            edges = [_edges(X[column]) for column in (first, second)]
            counts = name_pairs(X, first, second, edges).value_counts().sort_index()
            counts = counts[counts >= MIN_CELL].sort_values(ascending=False, kind="stable")
            levels = sorted(counts.index[:MAX_CELLS])
            operation = ("combination", first, second, edges, levels)
        self.add(name, (first, second), how, TARGET, {name: operation})

    def _product(self, X: pd.DataFrame, first: str, second: str) -> Floats:
        return product(X, first, second, self._middle[first], self._middle[second])


def _edges(column: pd.Series) -> list[float] | None:
    """Return where a number is cut before it is combined; None for a category."""
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return None
    return [float(x) for x in quantile_edges(column.to_numpy(dtype=float), N_CUTS)]


def _main_columns(X: pd.DataFrame, target: Floats) -> tuple[list[str], list[str]]:
    """Return the numbers and the categories of few levels that say most alone."""
    numbers = [str(c) for c in X.select_dtypes("number") if X[c].nunique() >= 2]
    categories = [str(c) for c in X.select_dtypes("category") if 1 < X[c].nunique() <= MAX_CELLS]
    strength = {c: _evidence_of(X[c], target)[0] for c in (*numbers, *categories)}
    by_strength = sorted((*numbers, *categories), key=lambda column: -strength[column])
    kept = by_strength[:MAX_MAIN]
    return [c for c in kept if c in numbers], [c for c in kept if c in categories]


def _paired_by_products(
    X: pd.DataFrame, numbers: list[str], left: Floats, target: Floats
) -> list[str]:
    """Return the numbers that enter pairs: half for what they say alone, half in products."""
    if len(numbers) <= MAX_PAIRED:
        return numbers
    del target  # `numbers` come strongest first
    Z = standardise(X[numbers].to_numpy(dtype=float))
    links = np.max([np.abs(Z.T @ (column[:, np.newaxis] * Z)) for column in left.T], axis=0)
    np.fill_diagonal(links, 0)
    by_product = np.argsort(-links.max(axis=0), kind="stable")
    chosen = numbers[: MAX_PAIRED // 2]
    chosen += [numbers[i] for i in by_product if numbers[i] not in chosen]
    return chosen[:MAX_PAIRED]


def _paired_numbers(X: pd.DataFrame, target: Floats, min_values: int) -> list[str]:
    """Return the numbers of enough values that say most alone, in the order of the table."""
    numbers = [str(c) for c in X.select_dtypes("number") if X[c].nunique() > min_values]
    strength = [-_evidence_of(X[c], target)[0] for c in numbers]
    kept = set(np.argsort(strength, kind="stable")[:MAX_PAIRED].tolist())
    return [column for i, column in enumerate(numbers) if i in kept]


def _evidence_of(column: pd.Series, target: Floats) -> tuple[float, int]:
    return evidence(code_column(column, N_BINS), target)


def _joint_codes(first: Codes, second: Codes) -> Codes:
    return compact(first * (int(second.max(initial=0)) + 1) + second)


def _distance_from_zero(column: pd.Series) -> float:
    """Return how many standard deviations the values nearest to zero are away from it."""
    values = column.to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    deviation = float(values.std()) if len(values) else 0.0
    near = float(np.quantile(np.abs(values), 0.01)) if len(values) else 0.0
    return near / deviation if deviation > 0 else 0.0
