"""Folds in time for labels that take time: overlapping training rows are purged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.errors import InputError
from lib.resampling.splitters import Positions, Splitter


@dataclass(frozen=True)
class PurgedKFold:
    """Blocks of time as test parts, without the training rows that look into them [1]_.

    A row's label is known only at the end of its period, as the spending of the coming year. A
    training row whose period overlaps the test block shares outcomes with it: it is purged. Rows
    that begin soon after the block still carry its echo: they are put under embargo. All other
    rows train, later ones too, so that every row is tested once.

    Attributes
    ----------
    start, end : array-like of shape (n_rows,)
        Period of each row's label, ends included: numbers or moments.
    n_splits : int
        Blocks; fewer are made where rows of one start would have to be cut apart.
    embargo : number or timedelta
        How long after a block's last end no training row begins, in units of `start`.

    References
    ----------
    .. [1] M. López de Prado (2018). Advances in Financial Machine Learning, chapter 7. Wiley.

    Examples
    --------
    Labels that look one day ahead; the third day is under embargo after the first block:

    >>> day = np.arange(6)
    >>> cv = PurgedKFold(day, day + 1, n_splits=3, embargo=1)
    >>> [(train.tolist(), test.tolist()) for train, test in cv.split(day)]
    [([4, 5], [0, 1]), ([0], [2, 3]), ([0, 1, 2], [4, 5])]
    """

    start: Any
    end: Any
    n_splits: int = 5
    embargo: Any = 0

    def __post_init__(self) -> None:
        start, end = np.asarray(self.start), np.asarray(self.end)
        if len(start) != len(end) or not len(start):
            lengths = f"{len(start)} and {len(end)}"
            msg = f"start and end must have the same rows, at least one; got {lengths}."
            raise InputError(msg)
        if bool((end < start).any()):
            row = int(np.flatnonzero(end < start)[0])
            msg = f"A label's period must not end before it starts; row {row} does."
            raise InputError(msg)
        if len(self._starts()) < 2:
            msg = "Purged folds need at least two blocks: too many rows share one starting time."
            raise InputError(msg)

    def _starts(self) -> Positions:
        """Return where in time order each block begins: a moment is never cut."""
        ordered = np.sort(np.asarray(self.start))
        wished = np.arange(self.n_splits) * len(ordered) // self.n_splits
        return np.unique(np.searchsorted(ordered, ordered[wished]))

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yield training and test positions, the earliest block first."""
        del X, y, groups
        start, end = np.asarray(self.start), np.asarray(self.end)
        order = np.argsort(start, kind="stable")
        cuts = self._starts()
        for first, beyond in zip(cuts, [*cuts[1:], len(order)], strict=True):
            test = np.sort(order[first:beyond])
            opens, closes = start[test].min(), end[test].max()
            apart = (end < opens) | (start > closes + self.embargo)
            apart[test] = False
            yield np.flatnonzero(apart), test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of blocks."""
        del X, y, groups
        return len(self._starts())


def make_purged(
    time: pd.Series, *, n_splits: int = 5, horizon: int = 1, embargo: float = 0.01
) -> Splitter:
    """Return purged folds of a table that has one time a row, counted in its own moments.

    Parameters
    ----------
    time : Series of shape (n_rows,)
        Numbers or moments.
    n_splits : int
        Blocks of time.
    horizon : int
        After how many distinct moments a row's label is known; 0 for at once.
    embargo : float
        Share of all moments after a block that train nothing, rounded down; the book's is 0.01.

    Returns
    -------
    Splitter

    Raises
    ------
    InputError
        When there are fewer than two moments, or purging leaves a block without training rows.

    Examples
    --------
    >>> cv = make_purged(pd.Series(range(100), name="day"), n_splits=5, horizon=2)
    >>> [len(train) for train, _ in cv.split(None)]
    [77, 75, 75, 75, 78]
    """
    if horizon < 0 or not 0 <= embargo < 1:
        msg = f"horizon must not be negative and embargo a share; got {horizon} and {embargo}."
        raise InputError(msg)
    moments: npt.NDArray[np.intp] = np.unique(time.to_numpy(), return_inverse=True)[1]
    skipped = int(embargo * (int(moments.max(initial=0)) + 1))
    splitter = PurgedKFold(moments, moments + horizon, n_splits, skipped)
    made = splitter.get_n_splits()
    if any(not len(train) for train, _ in splitter.split(None)):
        msg = (
            f"Purging leaves a block of '{time.name}' without training rows: "
            f"{int(moments.max()) + 1} moments are too few for {made} blocks and a horizon of "
            f"{horizon}. Ask for more blocks or a shorter horizon."
        )
        raise InputError(msg)
    fewer = f"{made} folds, not {n_splits}: too many rows share a time."
    words = (
        f"{made} blocks of time ({time.name}), purged of labels known up to {horizon} moments "
        f"later, embargo {skipped} moments"
    )
    return Splitter((splitter,), words, (fewer,) if made < n_splits else ())
