"""A model that fits in a millisecond: nearest neighbours, to study strategies a thousand times.

It remembers every row that it was shown, which is what makes a wrong splitter visible.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from lib.data import Dataset

Floats = npt.NDArray[np.float64]
MAX_LEVELS = 20  # of a category that get a column each; the others share none
FARTHEST = 3.0  # standard deviations: one odd number does not make a row unlike all others
PER_UNIT = 1e6  # steps that squared distances are counted in
PRIOR_ROWS = 1.0  # rates are drawn towards the overall ones by so many rows


def make_plain(dataset: Dataset) -> Dataset:
    """Return the dataset with features as plain numbers: nothing is learned from its rows.

    Categories become a column for each of their first twenty levels, moments become seconds, free
    text its number of characters, gaps stay.

    Parameters
    ----------
    dataset : Dataset
        Any.

    Returns
    -------
    Dataset
        `X` holds float64 only.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> make_plain(make_planted(50, n_informative=1, n_noise=0, n_categories=3)).X.shape
    (50, 4)
    """
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in dataset.X:
        column = dataset.X[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            for level in range(min(len(column.cat.categories), MAX_LEVELS)):
                columns[f"{name}={level}"] = (codes == level).astype(float)
        elif pd.api.types.is_datetime64_any_dtype(column.dtype):
            moments = column.astype("datetime64[s]")
            seconds = moments.to_numpy().astype("int64").astype(float)
            columns[str(name)] = np.where(column.isna(), np.nan, seconds)
        elif pd.api.types.is_numeric_dtype(column.dtype):
            columns[str(name)] = column.to_numpy(dtype=float)
        else:
            columns[str(name)] = column.str.len().to_numpy(dtype=float, na_value=np.nan)
    return replace(dataset, X=pd.DataFrame(columns, index=dataset.X.index))


class Neighbours(BaseEstimator):  # type: ignore[misc]
    """The mean target of the nearest rows, drawn a little towards the overall mean.

    Parameters
    ----------
    n_neighbors : int
        How many rows; all when there are fewer.
    n_classes : int
        Classes of the target; 0 for numbers.

    Attributes
    ----------
    classes_ : ndarray of int
        Codes of the classes.

    Examples
    --------
    >>> X, y = np.arange(6.0)[:, np.newaxis], np.array([0, 0, 0, 1, 1, 1])
    >>> Neighbours(2, n_classes=2).fit(X, y).predict_proba(X[[0]]).round(3).tolist()
    [[0.833, 0.167]]
    """

    def __init__(self, n_neighbors: int = 5, *, n_classes: int = 0) -> None:
        self.n_neighbors = n_neighbors
        self.n_classes = n_classes

    def fit(self, X: Any, y: Any) -> Self:
        """Remember the rows, and the means and spreads that bring columns to one scale."""
        values, labels = np.asarray(X, dtype=float), np.asarray(y)
        known = np.isfinite(values)
        count = np.maximum(known.sum(axis=0), 1)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows counts for nothing
            self.mean_ = np.where(known, values, 0.0).sum(axis=0) / count
            off = np.where(known, values - self.mean_, 0.0)
            spread = np.sqrt((off**2).sum(axis=0) / count)
        is_usable = (spread > 0) & np.isfinite(spread)
        self.mean_ = np.where(is_usable, self.mean_, 0.0)
        self.scale_ = np.where(is_usable, spread, np.inf)
        self.rows_ = self._scaled(values)
        self.squares_ = (self.rows_**2).sum(axis=1)
        if self.n_classes:
            self.classes_ = np.arange(self.n_classes)
            self.outcomes_ = np.eye(self.n_classes)[labels]
        else:
            self.outcomes_ = labels.astype(float)[:, np.newaxis]
        self.prior_ = self.outcomes_.mean(axis=0)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities of `classes_`."""
        return self._average(X)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest class, or the mean."""
        means = self._average(X)
        return means.argmax(axis=1) if self.n_classes else means[:, 0]

    def _average(self, X: Any) -> Floats:
        rows = self._scaled(np.asarray(X, dtype=float))
        far = self.squares_ - 2 * rows @ self.rows_.T  # the row's own square orders nothing
        n = len(self.rows_)
        k = min(self.n_neighbors, n)
        # Whole numbers: equal rows tie whatever the order of the sums, and the first ones win.
        keys = np.rint(far * PER_UNIT).astype(np.int64) * n + np.arange(n)
        nearest = np.partition(keys, k - 1, axis=1)[:, :k] % n
        sums = self.outcomes_[nearest].sum(axis=1)
        return np.asarray((sums + PRIOR_ROWS * self.prior_) / (k + PRIOR_ROWS))

    def _scaled(self, values: Floats) -> Floats:
        scaled = (np.where(np.isfinite(values), values, self.mean_) - self.mean_) / self.scale_
        return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST))


def make_neighbours(dataset: Dataset) -> dict[str, Neighbours]:
    """Return candidates that differ in how many rows they ask: five first, then one, 15 and 40.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> list(make_neighbours(make_planted(50)))
    ['5 neighbours', '1 neighbour', '15 neighbours', '40 neighbours']
    """
    n_classes = 0 if dataset.task == "regression" else len(dataset.classes)
    return {
        f"{k} neighbour{'s' if k > 1 else ''}": Neighbours(k, n_classes=n_classes)
        for k in (5, 1, 15, 40)
    }
