"""The same test rows, and what is kept apart from them: kin, later rows, both, nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.data import Dataset
from lib.resampling.choice import make_forward
from lib.resampling.folds import Folds, make_folds
from lib.resampling.splitters import Positions

MIN_TRAIN, MIN_TEST = 50, 20  # rows of a fold below which it is left out
Mask = npt.NDArray[np.bool_]
TOGETHER, GROUPS, TIME, BOTH = "nothing apart", "groups apart", "later rows apart", "both apart"


def make_apart(
    dataset: Dataset, *, n_splits: int = 5, n_periods: int = 3, random_state: int = 0
) -> dict[str, Folds]:
    """Return folds that test the same rows and differ only in what may train for them.

    Folds by person and folds by year test different rows and train on fewer of them, so their
    scores differ for many reasons. Here every test part, half the rows of some groups in some
    period, is predicted from equally many training rows, drawn from all other rows, from other
    groups, from earlier rows, and from earlier rows of other groups: what changes is only what was
    kept apart.

    Parameters
    ----------
    dataset : Dataset
        Training rows with groups, time or both.
    n_splits : int
        Parts that groups (or, without groups, periods) are cut into.
    n_periods : int
        Periods that are predicted when there are groups too.
    random_state : int
        Seed of groups and draws.

    Returns
    -------
    dict of str to Folds
        "nothing apart", then what applies of "groups apart", "later rows apart", "both apart". Fold
        numbers agree, so scores can be compared in pairs. Empty when the dataset has neither groups
        nor time, or too few rows for two folds.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> folds = make_apart(make_planted(400, n_groups=40), n_splits=4)
    >>> list(folds), {len(part) for part in folds.values()}
    (['nothing apart', 'groups apart'], {4})
    >>> kept_apart, mixed = folds["groups apart"].parts[0], folds["nothing apart"].parts[0]
    >>> len(kept_apart[0]) == len(mixed[0]), bool((kept_apart[1] == mixed[1]).all())
    (True, True)
    """
    if dataset.groups is None and dataset.time is None:
        return {}
    rng = np.random.default_rng(random_state)
    every = np.ones(len(dataset), dtype=bool)
    blocks = _blocks(dataset, n_splits, rng)
    periods = _periods(dataset, n_splits if dataset.groups is None else n_periods)
    parts: dict[str, list[tuple[Positions, Positions]]] = {}
    for block in blocks:
        for period, before in periods:
            whole = np.flatnonzero(block & period)
            test = np.zeros(len(dataset), dtype=bool)
            test[rng.permutation(whole)[: (len(whole) + 1) // 2]] = True
            allowed = {TOGETHER: every & ~test}
            if dataset.groups is not None:
                allowed[GROUPS] = ~block
            if dataset.time is not None:
                allowed[TIME] = before
            if dataset.groups is not None and dataset.time is not None:
                allowed[BOTH] = ~block & before
            n_train = min(int(rows.sum()) for rows in allowed.values())
            if n_train < MIN_TRAIN or test.sum() < MIN_TEST:
                continue
            for name, rows in allowed.items():
                drawn = np.sort(rng.permutation(np.flatnonzero(rows))[:n_train])
                parts.setdefault(name, []).append((drawn, np.flatnonzero(test)))
    if len(next(iter(parts.values()), [])) < 2:
        return {}
    return {name: make_folds(dataset, _Given(tuple(made), name)) for name, made in parts.items()}


@dataclass(frozen=True)
class _Given:
    """A splitter of given parts."""

    parts: tuple[tuple[Positions, Positions], ...]
    description: str

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Positions, Positions]]:
        del X, y, groups
        yield from self.parts


def _blocks(dataset: Dataset, n_splits: int, rng: np.random.Generator) -> list[Mask]:
    """Return the rows of each part of the groups, about equal in rows; all rows without groups."""
    if dataset.groups is None:
        return [np.ones(len(dataset), dtype=bool)]
    codes = pd.factorize(dataset.groups)[0]
    shuffled = rng.permutation(int(codes.max()) + 1)
    sizes = np.bincount(codes)[shuffled]
    block = np.empty(len(sizes), dtype=np.int64)
    block[shuffled] = (np.cumsum(sizes) - sizes) * n_splits // len(codes)
    return [block[codes] == number for number in range(n_splits)]


def _periods(dataset: Dataset, n_periods: int) -> list[tuple[Mask, Mask]]:
    """Return for each period its rows and the earlier rows; one of all rows without a time."""
    every = np.ones(len(dataset), dtype=bool)
    if dataset.time is None:
        return [(every, every)]
    periods = []
    moments = np.unique(dataset.time.to_numpy(), return_inverse=True)[1]
    n_moments = int(moments.max()) + 1
    if n_moments <= 2 * n_periods:  # years, not cuts at equal numbers of rows
        return [(moments == m, moments < m) for m in range(1, n_moments)][-n_periods:]
    for before, during in make_forward(dataset.time, n_periods).split(dataset.X):
        masks = np.zeros((2, len(dataset)), dtype=bool)
        masks[0, during], masks[1, before] = True, True
        periods.append((masks[0], masks[1]))
    return periods
