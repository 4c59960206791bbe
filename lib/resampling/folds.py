"""The folds that a splitter makes of a dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.errors import InputError
from lib.resampling.splitters import Positions


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
    >>> from lib.resampling import make_cv
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
