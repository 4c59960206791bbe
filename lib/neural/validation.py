"""Which training rows a network keeps aside, to know when to stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Positions = npt.NDArray[np.intp]
MIN_ROWS = 10  # a validation part below it says nothing


def hold_out(
    n_rows: int,
    fraction: float,
    rng: np.random.Generator,
    *,
    labels: Any = None,
    groups: Any = None,
    time: Any = None,
) -> tuple[Positions, Positions]:
    """Return positions of the rows to learn from, and of those to stop by.

    Whole groups are kept aside where there are groups; else the last rows in time; else each
    class in its share; else any rows.

    Parameters
    ----------
    n_rows : int
        Rows of the table.
    fraction : float
        Share to keep aside.
    rng : numpy Generator
        Of the draw.
    labels, groups, time : array-like of shape (n_rows,), optional
        Classes, what belongs together, the order.

    Returns
    -------
    train, validation : ndarray of int
        Sorted. The second is empty when it would have under 10 rows, or the first under 10.

    Examples
    --------
    >>> train, validation = hold_out(
    ...     40, 0.25, np.random.default_rng(0), time=np.arange(40)[::-1]
    ... )
    >>> validation.tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    if groups is not None:
        codes, found = pd.factorize(pd.Series(np.asarray(groups)), use_na_sentinel=False)
        ranks = rng.permutation(len(found))[codes]
        order = np.argsort(ranks, kind="stable")  # group after group, in random order
        edges = np.searchsorted(ranks[order], np.arange(len(found) + 1))
        aside = order[: _nearest(edges, fraction * n_rows)]
    elif time is not None:
        moments = np.asarray(time)
        order = np.argsort(moments, kind="stable")[::-1]  # the last first
        edges = np.flatnonzero(np.diff(pd.factorize(moments[order])[0])) + 1
        aside = order[: _nearest(np.r_[0, edges, n_rows], fraction * n_rows)]
    elif labels is not None:
        shuffled = rng.permutation(n_rows)
        of = pd.Series(np.asarray(labels)[shuffled])
        within = of.groupby(of).cumcount().to_numpy()
        wanted = np.floor(of.groupby(of).transform("size").to_numpy() * fraction + 0.5)
        aside = shuffled[within < wanted]
    else:
        aside = rng.permutation(n_rows)[: round(fraction * n_rows)]
    if len(aside) < MIN_ROWS or n_rows - len(aside) < MIN_ROWS:
        aside = np.empty(0, dtype=np.intp)
    train = np.setdiff1d(np.arange(n_rows), aside)
    return train, np.sort(aside)


def _nearest(edges: Positions, wished: float) -> int:
    """Return the edge that is nearest to the wished one and leaves half of the rows, or 0."""
    possible = edges[(edges > 0) & (edges <= edges[-1] / 2)]
    return int(possible[np.argmin(np.abs(possible - wished))]) if len(possible) else 0
