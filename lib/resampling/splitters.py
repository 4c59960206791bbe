"""Splitters: what makes the folds, row by row."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.errors import InputError

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Splitter:
    """A cross-validation splitter with its reason in words; scikit-learn takes it as `cv`.

    Attributes
    ----------
    repeats : tuple of scikit-learn splitters
        One for each repeat, differing in their seed.
    description : str
        What it does, in words.
    notes : tuple of str
        What was asked and could not be had, one sentence each.
    """

    repeats: tuple[Any, ...]
    description: str
    notes: tuple[str, ...] = ()

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yield training and test positions, fold after fold, repeat after repeat."""
        for splitter in self.repeats:
            with warnings.catch_warnings():  # `notes` says it in our words
                warnings.filterwarnings("ignore", "The least populated class", UserWarning)
                warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
                yield from splitter.split(X, y, groups)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds over all repeats."""
        return sum(int(splitter.get_n_splits(X, y, groups)) for splitter in self.repeats)

    def __repr__(self) -> str:
        return f"Splitter({self.description})"


@dataclass(frozen=True)
class ForwardInTime:
    """A splitter whose folds train on what came before and test on what came next.

    Like scikit-learn's `TimeSeriesSplit`, but rows may lie in any order and rows of one moment
    are never on both sides.

    Attributes
    ----------
    order : ndarray of shape (n_rows,)
        Positions of the rows in time order.
    starts : tuple of int
        Where in that order the test part of each fold begins.

    Examples
    --------
    >>> cv = ForwardInTime(order=np.array([2, 0, 1, 3]), starts=(1, 3))
    >>> [(train.tolist(), test.tolist()) for train, test in cv.split(None)]
    [([2], [0, 1]), ([0, 1, 2], [3])]
    """

    order: Positions
    starts: tuple[int, ...]

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yield training and test positions, earliest fold first."""
        del X, y, groups  # as every splitter; the order says it all
        for start, end in zip(self.starts, [*self.starts[1:], len(self.order)], strict=True):
            yield np.sort(self.order[:start]), np.sort(self.order[start:end])

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        del X, y, groups
        return len(self.starts)


@dataclass(frozen=True)
class HoldOut:
    """One fold of another splitter: a single split into training and test rows.

    Attributes
    ----------
    cv : splitter
        What makes the folds.
    which : int
        Which of its folds is used; -1 for the last one, as the latest of folds in time.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> [(train.tolist(), test.tolist()) for train, test in HoldOut(KFold(2)).split(range(4))]
    [([2, 3], [0, 1])]
    """

    cv: Any
    which: int = 0

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yield training and test positions, once."""
        yield list(self.cv.split(X, y, groups))[self.which]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return one."""
        del X, y, groups
        return 1


@dataclass(frozen=True)
class Bootstrap:
    """Rows, or whole groups, drawn with replacement; those never drawn are the test rows [1]_.

    Training positions repeat. A row has the chance 0.632 to be in the training part.

    Attributes
    ----------
    n_resamples : int
        How many samples are drawn.
    random_state : int
        Seed of the draws.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani (1997). Improvements on cross-validation: the .632+ bootstrap
       method. JASA 92:548.

    Examples
    --------
    >>> train, test = next(Bootstrap(1, random_state=1).split(np.zeros(6)))
    >>> train.tolist(), test.tolist()
    ([0, 0, 2, 3, 4, 5], [1])
    """

    n_resamples: int
    random_state: int = 0

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yield training and test positions; a draw that leaves no test row is made again."""
        del y
        codes = np.arange(len(X)) if groups is None else np.unique(groups, return_inverse=True)[1]
        n_units = int(codes.max()) + 1
        if n_units < 2:
            msg = "A bootstrap needs at least two rows or groups to draw from."
            raise InputError(msg)
        rng = np.random.default_rng(self.random_state)
        rows = np.arange(len(codes))
        for _ in range(self.n_resamples):
            times = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
            while times.all():
                times = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
            yield np.repeat(rows, times[codes]), np.flatnonzero(times[codes] == 0)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of samples."""
        del X, y, groups
        return self.n_resamples
