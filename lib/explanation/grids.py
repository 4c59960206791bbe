"""Points that a column is moved over: steps of equal counts, or levels in an order of likeness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModels
from lib.explanation.opening import Ints
from lib.statistics import column_kinds, numbers_of

MIN_ROWS_OF_STEP = 5  # of one fold
MAX_LEVELS = 20  # of a category; rarer ones are left out
N_CUTS = 50  # quantiles at which distributions of two levels are compared


@dataclass(frozen=True, eq=False)
class Steps:
    """Points of a column of numbers or dates: ends of intervals of equal counts."""

    points: Floats  # (k + 1,)
    values: pd.Series  # the same, in the column's own type
    is_ordered: bool = True

    @property
    def x(self) -> Floats:
        """Where the points lie on an axis."""
        return self.points

    @property
    def level_names(self) -> list[str]:
        """A word for each point: none, as they are numbers."""
        return [""] * len(self.points)

    def places(self, column: pd.Series) -> Ints:
        """Return for each row the interval that it lies in, from 0; -1 where missing."""
        numbers = numbers_of(column)
        inside = np.clip(np.searchsorted(self.points, numbers, side="left") - 1, 0, None)
        inside = np.minimum(inside, len(self.points) - 2)
        return np.where(np.isnan(numbers), -1, inside).astype(np.intp)

    def shares(self, column: pd.Series) -> Floats:
        """Return the weight of each point: a row counts for the two that it lies between."""
        places, numbers = self.places(column), numbers_of(column)
        seen = places >= 0
        left, numbers = places[seen], np.clip(numbers[seen], self.points[0], self.points[-1])
        gap = self.points[left + 1] - self.points[left]
        part = np.clip((numbers - self.points[left]) / gap, 0, 1)
        n = len(self.points)
        weights = np.bincount(left, 1 - part, n) + np.bincount(left + 1, part, n)
        shares: Floats = weights / max(weights.sum(), 1)
        return shares


@dataclass(frozen=True, eq=False)
class Levels:
    """Levels of a category, in an order."""

    names: list[object]
    values: pd.Series
    is_ordered: bool = False

    @property
    def x(self) -> Floats:
        """Places on an axis, in the order of the levels."""
        return np.arange(len(self.names), dtype=float)

    @property
    def level_names(self) -> list[str]:
        """A word for each point."""
        return [str(name) for name in self.names]

    def places(self, column: pd.Series) -> Ints:
        """Return for each row its level, from 0; -1 where missing or rare."""
        codes = {name: i for i, name in enumerate(self.names)}
        return np.array([codes.get(value, -1) for value in column], dtype=np.intp)

    def shares(self, column: pd.Series) -> Floats:
        """Return the share of the rows at each level."""
        places = self.places(column)
        counts = np.bincount(places[places >= 0], minlength=len(self.names))
        shares: Floats = counts / max(counts.sum(), 1)
        return shares

    def ordered(self, X: pd.DataFrame, position: int) -> Levels:
        """Return the levels by likeness of their rows, unless they have an order of their own."""
        column = X.iloc[:, position]
        has_order = isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered
        if has_order or len(self.names) < 3:
            return self
        order = order_levels(X.drop(columns=X.columns[position]), self.places(column))
        return Levels([self.names[i] for i in order], self.values.iloc[order])


def make_grid(
    column: pd.Series, kind: str, models: FoldModels, n_steps: int
) -> Steps | Levels | None:
    """Return the points of a column that all folds share; None where it has no axis."""
    if kind in {"numeric", "datetime"}:
        numbers = numbers_of(column)
        known = numbers[np.isfinite(numbers)]
        smallest = min(len(one.test) for one in models)
        n_steps = int(np.clip(smallest // MIN_ROWS_OF_STEP, 2, n_steps))
        shares = np.linspace(0, 1, n_steps + 1)
        points = np.unique(np.quantile(known, shares, method="inverted_cdf"))
        if len(points) < 2:
            points = np.unique(known)
        return None if len(points) < 2 else Steps(points, _as_column(points, column, kind))
    if kind != "categorical":
        return None
    counts = column.value_counts()
    counts = counts[counts > 0]
    frequent = list(counts.index[:MAX_LEVELS])
    if isinstance(column.dtype, pd.CategoricalDtype):
        frequent = [level for level in column.cat.categories if level in set(frequent)]
    if len(frequent) < 2:
        return None
    return Levels(frequent, pd.Series(frequent).astype(column.dtype))


def _as_column(points: Floats, column: pd.Series, kind: str) -> pd.Series:
    if kind == "datetime":
        moments = pd.Series((points * 1e6).round().astype("int64").astype("datetime64[us]"))
        return moments.astype(column.dtype)
    is_whole = dtypes.is_integer_dtype(column.dtype) or dtypes.is_bool_dtype(column.dtype)
    values = pd.Series(points)
    return values.astype(column.dtype) if is_whole else values


def order_levels(others: pd.DataFrame, places: Ints) -> Ints:
    """Return levels of a category in an order in which neighbours have like rows [1]_.

    Two levels are apart by the sum, over all other columns, of the mean difference of their
    cumulative shares at quantiles of the column (numbers) or half the sum of differences of their
    shares (categories); the order is that of the first axis of classical scaling. The mean is the
    Wasserstein distance of the levels' ranks. The paper takes the largest difference, which is 1
    between any two levels without overlap, so that the next and the furthest look alike.

    Parameters
    ----------
    others : DataFrame
        All other columns.
    places : array of int, shape (n,)
        Level of each row, from 0; negative where there is none.

    Returns
    -------
    array of int
        A permutation of the levels; of an order and its reverse, that which starts with the
        lower code.

    References
    ----------
    .. [1] D. Apley, J. Zhu (2020). JRSS B 82:1059, appendix.

    Examples
    --------
    >>> x = np.repeat([5.0, 1.0, 3.0], 20) + np.tile(np.arange(20), 3) / 9
    >>> order_levels(pd.DataFrame({"x": x}), np.repeat([0, 1, 2], 20)).tolist()
    [0, 2, 1]
    """
    n_levels = int(places.max(initial=-1)) + 1
    distance = np.zeros((n_levels, n_levels))
    kinds = list(column_kinds(others.set_axis(range(others.shape[1]), axis=1)))
    for i, kind in enumerate(kinds):
        if kind in {"text", "constant", "empty"}:
            continue
        shares = _level_shares(others.iloc[:, i], str(kind), places, n_levels)
        gaps = np.abs(shares[:, np.newaxis] - shares[np.newaxis])
        is_number = kind in {"numeric", "datetime"}
        distance += gaps.mean(axis=2) if is_number else gaps.sum(axis=2) / 2
    squares = distance**2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1, keepdims=True) + squares.mean()
    _, vectors = np.linalg.eigh(-centred / 2)
    axis = np.round(vectors[:, -1], 9)
    order = np.argsort(axis, kind="stable")
    return order if order[0] < order[-1] else order[::-1]


def _level_shares(column: pd.Series, kind: str, places: Ints, n_levels: int) -> Floats:
    """Return for each level the shares of the column's values, cumulated for numbers."""
    is_number = kind in {"numeric", "datetime"}
    cuts: Floats = np.zeros(1)
    if is_number:
        numbers = numbers_of(column)
        seen = np.isfinite(numbers) & (places >= 0)
        if seen.any():
            cuts = np.quantile(numbers[seen], np.linspace(0, 1, N_CUTS + 1))
        codes = np.searchsorted(cuts, numbers[seen])
    else:
        factorised = pd.factorize(column)[0]
        seen = (factorised >= 0) & (places >= 0)
        codes = factorised[seen]
    n_codes = len(cuts) if is_number else int(codes.max(initial=0)) + 1
    counts = np.bincount(places[seen] * n_codes + codes, minlength=n_levels * n_codes)
    shares = counts.reshape(n_levels, n_codes).astype(float)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    return shares.cumsum(axis=1) if is_number else shares
