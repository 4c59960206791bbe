"""Rows drawn at random: a part of a table, or many small samples with the rest beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.errors import InputError
from lib.resampling.splitters import Positions

MIN_SAMPLE = 100  # rows, below which five folds say next to nothing
MIN_DRAWS = 12  # samples, below which a bias is guesswork
MIN_GROUPS = 10  # of a sample, so that five folds of groups can be made


def sample_rows(
    dataset: Dataset, n_rows: int, *, per_class: int = 0, random_state: int = 0
) -> Dataset:
    """Return the dataset, or a random part of it in the same order when it has more rows.

    Classes keep their shares as far as chance allows; whole groups are drawn when there are any.

    Parameters
    ----------
    dataset : Dataset
        Any rows.
    n_rows : int
        At most so many rows come back.
    per_class : int
        Of a binary target: more rows come back, up to all, where fewer would leave a class with
        less than this number on average.
    random_state : int
        Seed of the draw.

    Returns
    -------
    Dataset
        The same object when nothing had to be left out.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> len(sample_rows(make_planted(300), 100))
    100
    """
    if dataset.task == "binary":
        rarest = dataset.y.value_counts(normalize=True).min()
        n_rows = max(n_rows, math.ceil(per_class / rarest))
    if len(dataset) <= n_rows:
        return dataset
    rng = np.random.default_rng(random_state)
    if dataset.groups is None:
        kept = rng.permutation(len(dataset))[:n_rows]
    else:
        codes, groups = pd.factorize(dataset.groups)
        rank = rng.permutation(len(groups))[codes]
        by_group = np.argsort(rank, kind="stable")
        whole = np.searchsorted(np.cumsum(np.bincount(rank)), n_rows, side="right")
        kept = by_group[rank[by_group] < max(whole, 1)]
    return dataset.take(np.sort(kept))


@dataclass(frozen=True)
class SmallSamples:
    """Many small samples of a table, each beside the large rest that tells the truth about it.

    Attributes
    ----------
    parts : tuple of (ndarray, ndarray)
        Positions of the sample and of the rest; iterate to get them.
    description : str
        How they were drawn, in words.
    """

    parts: tuple[tuple[Positions, Positions], ...]
    description: str

    def __iter__(self) -> Iterator[tuple[Positions, Positions]]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)


def draw_small_samples(
    dataset: Dataset,
    *,
    n_rows: int = 300,
    n_draws: int = 100,
    max_rest: int = 2_000,
    random_state: int = 0,
) -> SmallSamples:
    """Return small samples and, for each, rows that it has never met.

    A table with groups gives whole groups, at least ten. One with a time (and no groups) gives
    stretches of neighbouring rows that do not overlap, and the rest is what follows, twice as
    long. Otherwise rows are drawn at random.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    n_rows : int
        Rows of a sample, at most a fifth of the table; more where ten groups have more.
    n_draws : int
        Samples; fewer when stretches of time would overlap, or when samples have to be larger than
        asked for (so that the work stays the same, down to two in five).
    max_rest : int
        Rows of the rest that are used, at random.
    random_state : int
        Seed.

    Returns
    -------
    SmallSamples

    Raises
    ------
    InputError
        When the table is too small: a sample needs 100 rows, the rest four times as many (twice,
        with groups or time).

    Examples
    --------
    >>> from lib.data import make_planted
    >>> samples = draw_small_samples(make_planted(2_000), n_rows=200, n_draws=3)
    >>> [(len(sample), len(rest)) for sample, rest in samples]
    [(200, 1800), (200, 1800), (200, 1800)]
    """
    rng = np.random.default_rng(random_state)
    if dataset.groups is not None:
        return _draw_groups(dataset.groups, n_rows, n_draws, max_rest, rng)
    n_rows = min(n_rows, len(dataset) // (5 if dataset.time is None else 6))
    if n_rows < MIN_SAMPLE:
        _refuse(f"{len(dataset):,} rows")
    if dataset.time is not None:
        return _draw_stretches(dataset.time, n_rows, n_draws, max_rest, rng)
    parts = []
    for _ in range(n_draws):
        order = rng.permutation(len(dataset))
        parts.append((np.sort(order[:n_rows]), np.sort(order[n_rows:][:max_rest])))
    words = f"{n_draws:,} samples of {n_rows:,} rows drawn at random"
    return SmallSamples(tuple(parts), words)


def _draw_groups(
    groups: pd.Series, n_rows: int, n_draws: int, max_rest: int, rng: np.random.Generator
) -> SmallSamples:
    codes = pd.factorize(groups)[0]
    sizes = np.bincount(codes)
    wished = n_rows
    n_rows = max(min(n_rows, len(codes) // 5), int(MIN_GROUPS * sizes.mean()))
    n_draws = min(n_draws, max(n_draws * wished // n_rows, 2 * n_draws // 5, MIN_DRAWS))
    if n_rows < MIN_SAMPLE or 3 * n_rows > len(codes):
        _refuse(f"{len(codes):,} rows in {len(sizes):,} groups")
    parts = []
    for _ in range(n_draws):
        rank = rng.permutation(len(sizes))
        order = np.argsort(rank)
        whole = max(int(np.searchsorted(np.cumsum(sizes[order]), n_rows, side="right")), 2)
        inside = rank[codes] < whole
        rest = np.flatnonzero(~inside)
        rest = rest if len(rest) <= max_rest else np.sort(rng.permutation(rest)[:max_rest])
        parts.append((np.flatnonzero(inside), rest))
    words = f"{n_draws:,} samples of about {n_rows:,} rows, whole groups ({groups.name}) at random"
    return SmallSamples(tuple(parts), words)


def _draw_stretches(
    time: pd.Series, n_rows: int, n_draws: int, max_rest: int, rng: np.random.Generator
) -> SmallSamples:
    order = np.argsort(time.to_numpy(), kind="stable")
    n_draws = min(n_draws, len(order) // n_rows - 2)
    parts = []
    for start in np.linspace(0, len(order) - 3 * n_rows, n_draws).astype(int):
        rest = order[start + n_rows : start + 3 * n_rows]
        rest = rest if len(rest) <= max_rest else rng.permutation(rest)[:max_rest]
        parts.append((np.sort(order[start : start + n_rows]), np.sort(rest)))
    words = (
        f"{n_draws:,} stretches of {n_rows:,} rows that follow one another in time ({time.name}), "
        "judged by what comes next"
    )
    return SmallSamples(tuple(parts), words)


def _refuse(what: str) -> NoReturn:
    msg = (
        f"{what} are too few to draw small samples and keep a rest that tells the truth: "
        f"use a larger table, or a generator as `make_planted`."
    )
    raise InputError(msg)
