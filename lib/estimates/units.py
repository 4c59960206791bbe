"""What a bootstrap draws: single rows, or units of rows that belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.estimates.estimate import Floats, Numbers

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Units:
    """Rows of each unit, side by side in one order.

    Attributes
    ----------
    order : ndarray of shape (n_rows,)
        Rows, unit after unit.
    starts, sizes : ndarray of shape (n_units,)
        Where each unit begins in `order`, and how many rows it has.
    """

    order: Ints = field(repr=False)
    starts: Ints = field(repr=False)
    sizes: Ints = field(repr=False)

    def __len__(self) -> int:
        return len(self.sizes)

    def rows_of(self, drawn: Ints) -> Ints:
        """Return the rows of the units drawn, one unit after another."""
        if len(self.order) == len(self.sizes):
            return self.order[drawn]
        sizes = self.sizes[drawn]
        before = np.cumsum(sizes) - sizes
        places = np.repeat(self.starts[drawn] - before, sizes) + np.arange(sizes.sum())
        rows: Ints = self.order[places]
        return rows

    def sum(self, columns: npt.NDArray[Any]) -> Floats:
        """Return the sum of each column over the rows of each unit."""
        return np.asarray(np.add.reduceat(columns[self.order], self.starts, axis=0))


def make_units(codes: Numbers) -> Units:
    """Return the units of rows.

    Parameters
    ----------
    codes : array-like of shape (n_rows,)
        Names the unit of each row.

    Returns
    -------
    Units
        In the order of their names.

    Examples
    --------
    >>> units = make_units(["b", "a", "b"])
    >>> len(units), units.rows_of(np.array([1, 0])).tolist()
    (2, [0, 2, 1])
    >>> units.sum(np.array([[1.0], [2.0], [4.0]])).tolist()
    [[2.0], [5.0]]
    """
    numbers = np.unique(np.asarray(codes), return_inverse=True)[1]
    sizes = np.bincount(numbers) if len(numbers) else np.zeros(0, dtype=np.intp)
    return Units(np.argsort(numbers, kind="stable"), np.cumsum(sizes) - sizes, sizes)


def draw_units(n_units: int, n_resamples: int, *, random_state: int) -> Iterator[Ints]:
    """Yield the units of one resample after another: as many as there are, with replacement.

    All bootstraps of the project draw here, so the same rows, seed and number of resamples are the
    same resamples wherever they are looked at.

    Parameters
    ----------
    n_units, n_resamples : int
        How many there are, and how often they are drawn.
    random_state : int
        Seed.

    Yields
    ------
    ndarray of shape (n_units,)
        Numbers of units.

    Examples
    --------
    >>> [drawn.tolist() for drawn in draw_units(3, 2, random_state=0)]
    [[2, 1, 1], [0, 0, 0]]
    """
    rng = np.random.default_rng(random_state)
    for _ in range(n_resamples):
        yield rng.integers(n_units, size=n_units)


def count_draws(
    n_units: int, n_resamples: int, *, random_state: int, at_a_time: int
) -> Iterator[Floats]:
    """Yield how often each unit is drawn, for some resamples at a time.

    Parameters
    ----------
    n_units, n_resamples, random_state
        As for `draw_units`, of which these are the counts.
    at_a_time : int
        Resamples in one array, which bounds memory.

    Yields
    ------
    ndarray of shape (at most at_a_time, n_units)

    Examples
    --------
    >>> [counts.tolist() for counts in count_draws(3, 3, random_state=0, at_a_time=2)]
    [[[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]], [[3.0, 0.0, 0.0]]]
    """
    draws = draw_units(n_units, n_resamples, random_state=random_state)
    for start in range(0, n_resamples, at_a_time):
        n_now = min(at_a_time, n_resamples - start)
        counts = [np.bincount(next(draws), minlength=n_units) for _ in range(n_now)]
        yield np.stack(counts).astype(float)
