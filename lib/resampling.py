"""Splitters chosen from what the data is, and the folds that they make.

Whatever repeats persons keeps them together, whatever has a time is tested on what comes later,
classes keep their shares: chosen from the dataset's facts, said in words, the same for all models.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from lib.data import Dataset
from lib.errors import InputError

Positions = npt.NDArray[np.intp]
MIN_FOLDS_FOR_RARE_CLASSES = 3  # below it, the rest of the table would pay for one rare class


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
class Folds:
    """The folds of one dataset: positions of training and test rows, the same for all models.

    Attributes
    ----------
    parts : tuple of (ndarray, ndarray)
        Training and test positions of each fold; iterate over `Folds` itself to get them.
    fingerprint : str
        16 hex digits of the positions and of the data: candidates with the same one compare.
    description : str
        How the folds were made, in words.
    notes : tuple of str
        What was asked and could not be had, one sentence each.

    Examples
    --------
    >>> halves = (np.array([0, 1]), np.array([2, 3])), (np.array([2, 3]), np.array([0, 1]))
    >>> folds = Folds(halves, "0123456789abcdef", "two halves")
    >>> len(folds), folds.test_fraction
    (2, 0.5)
    >>> folds.sizes()["n_train"].tolist()
    [2, 2]
    """

    parts: tuple[tuple[Positions, Positions], ...]
    fingerprint: str
    description: str
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[Positions, Positions]]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def test_fraction(self) -> float:
        """Share of a fold's rows that it tests on, by its mean ratio of test to training."""
        ratio = float(np.mean([len(test) / len(train) for train, test in self.parts]))
        return ratio / (1 + ratio)

    def sizes(self) -> pd.DataFrame:
        """Return a table of fold, n_train, n_test."""
        rows = [(i, len(train), len(test)) for i, (train, test) in enumerate(self.parts, 1)]
        return pd.DataFrame(rows, columns=["fold", "n_train", "n_test"])


def make_cv(
    dataset: Dataset, *, n_splits: int = 5, n_repeats: int = 1, random_state: int = 0
) -> Splitter:
    """Return the splitter that fits the dataset.

    Groups are kept together (with classes spread evenly); else a time column is respected; else
    classes keep their shares; else rows are shuffled. Fewer folds are made when a class or the
    groups are too few for `n_splits`, and a note says so.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    n_splits : int
        Folds asked for.
    n_repeats : int
        Repeats asked for; folds in time are not repeated.
    random_state : int
        Seed of the shuffles.

    Returns
    -------
    Splitter
        Also usable as `cv` of any scikit-learn function.

    Raises
    ------
    InputError
        When the rows, the groups or a class are too few for two folds.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> cv = make_cv(make_planted(200, n_groups=40), n_splits=5)
    >>> type(cv.repeats[0]).__name__, cv.get_n_splits()
    ('StratifiedGroupKFold', 5)
    """
    if dataset.groups is None and dataset.time is not None:
        return _forward_in_time(dataset.time, n_splits, n_repeats)
    n_splits, notes = _affordable(dataset, n_splits)
    stratified = dataset.task != "regression"
    if dataset.groups is not None:
        kind = StratifiedGroupKFold if stratified else GroupKFold
        together = f", rows of one group ({dataset.groups.name}) together"
    else:
        kind, together = (StratifiedKFold if stratified else KFold), ""
    repeats = tuple(
        kind(n_splits, shuffle=True, random_state=random_state + i) for i in range(n_repeats)
    )
    shares = ", classes in equal shares" if stratified else ""
    times = f" {n_repeats} times" if n_repeats > 1 else ""
    words = f"{n_splits} shuffled folds{times}{together}{shares}, seed {random_state}"
    return Splitter(repeats, words, notes)


def make_folds(dataset: Dataset, cv: Any) -> Folds:
    """Return the folds that a splitter makes of a dataset, with their fingerprint.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    cv : Splitter or scikit-learn splitter
        What makes the folds.

    Returns
    -------
    Folds
        Positions count the rows of `dataset`.

    Raises
    ------
    InputError
        When a fold has no training rows.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(100)
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=4))
    >>> len(folds), sum(len(test) for _, test in folds)
    (4, 100)
    """
    parts = tuple(
        (np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp))
        for train, test in cv.split(dataset.X, dataset.y, dataset.groups)
    )
    digest = hashlib.sha256(dataset.fingerprint.encode())
    for number, (train, test) in enumerate(parts, start=1):
        if len(train) == 0 or len(test) == 0:
            msg = (
                f"Fold {number} has {len(train)} training and {len(test)} test rows: ask for fewer."
            )
            raise InputError(msg)
        for positions in (train, test):
            digest.update(positions.astype("<i8").tobytes() + b"|")
    description = getattr(cv, "description", repr(cv))
    return Folds(parts, digest.hexdigest()[:16], description, getattr(cv, "notes", ()))


def sample_rows(dataset: Dataset, n_rows: int, *, random_state: int = 0) -> Dataset:
    """Return the dataset, or a random part of it in the same order when it has more rows.

    Classes keep their shares as far as chance allows; whole groups are drawn when there are any.

    Parameters
    ----------
    dataset : Dataset
        Any rows.
    n_rows : int
        At most so many rows come back.
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


def _forward_in_time(time: pd.Series, n_splits: int, n_repeats: int) -> Splitter:
    order = np.argsort(time.to_numpy(), kind="stable")
    ordered = time.to_numpy()[order]
    wished = np.arange(1, n_splits + 1) * len(ordered) // (n_splits + 1)
    starts = np.unique(np.searchsorted(ordered, ordered[wished]))  # a moment is never cut
    starts = starts[starts > 0]
    if len(starts) < 2:
        msg = f"Folds in time need at least 3 different times; '{time.name}' allows too few cuts."
        raise InputError(msg)
    notes = []
    if len(starts) < n_splits:
        notes.append(f"{len(starts)} folds, not {n_splits}: too many rows share a time.")
    if n_repeats > 1:
        notes.append("Folds in time are not repeated: there is one order of time.")
    words = f"{len(starts)} folds forward in time ({time.name}): each tests on what comes next"
    splitter = ForwardInTime(order, tuple(int(start) for start in starts))
    return Splitter((splitter,), words, tuple(notes))


def _affordable(dataset: Dataset, n_splits: int) -> tuple[int, tuple[str, ...]]:
    """Return how many folds the rows, groups and classes allow, and what to say about it."""
    groups = dataset.groups
    of = np.arange(len(dataset.X)) if groups is None else pd.factorize(groups)[0]
    unit = "rows" if groups is None else f"groups ({groups.name})"
    units = pd.Series(of)
    possible, notes = min(n_splits, units.nunique()), []
    if possible < n_splits:
        notes.append(f"{possible} folds, not {n_splits}: there are only {possible} {unit}.")
    if dataset.task != "regression":
        held_by = units.groupby(dataset.y.to_numpy()).nunique()
        rarest, name = int(held_by.min()), dataset.classes[int(held_by.idxmin())]
        least = 2 if dataset.task == "binary" else MIN_FOLDS_FOR_RARE_CLASSES
        fewer = min(possible, max(rarest, least))
        if fewer < possible:
            notes.append(f"{fewer} folds, not {n_splits}: class '{name}' has {rarest} {unit}.")
        elif rarest < possible:
            notes.append(f"Class '{name}' has {rarest} {unit}: some folds do not test it.")
        possible = 0 if dataset.task == "binary" and rarest < 2 else fewer
    if possible < 2:
        msg = f"Cross-validation needs two folds that hold every class. {' '.join(notes)}"
        raise InputError(msg.strip())
    return possible, tuple(notes)
