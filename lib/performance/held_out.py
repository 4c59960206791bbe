"""Predictions of rows that a model has not learned from: of test rows, or out of fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation import predict_whole
from lib.resampling import Folds

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
FEW = 200  # independent rows: below it only large faults show


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows, and what a model that has not seen them predicted.

    Attributes
    ----------
    dataset : Dataset
        The rows, with the truth.
    prediction : array of shape (n, n_classes) or (n,)
        Probabilities of all classes, or values; finite.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(50)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> len(held), held.is_grouped
    (50, False)
    """

    dataset: Dataset
    prediction: Floats

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def task(self) -> str:
        """Kind of target."""
        return self.dataset.task

    @property
    def y(self) -> npt.NDArray[Any]:
        """Codes of classes, or numbers."""
        y = self.dataset.y.to_numpy()
        return np.asarray(y if self.task == "regression" else y.astype(np.intp))

    @property
    def weight(self) -> Floats | None:
        """Weights of the rows, if they have any."""
        given = self.dataset.sample_weight
        return None if given is None else given.to_numpy(dtype=float)

    @property
    def owner(self) -> Ints:
        """The unit of each row: its group, its neighbours in time, or the row alone."""
        return self.dataset.units

    @property
    def groups(self) -> Ints | None:
        """The unit of each row, if rows belong together."""
        return self.owner if self.is_grouped else None

    @property
    def is_grouped(self) -> bool:
        """Whether rows belong together: in groups, or as neighbours in time."""
        return self.n_units < len(self)

    @property
    def n_units(self) -> int:
        """Units that are taken as independent: what an interval rests on."""
        return len(np.unique(self.owner))

    @property
    def positive(self) -> Floats:
        """Probability of the positive class of a binary task."""
        return np.asarray(self.prediction[:, 1])

    def take(self, rows: Ints | Bools) -> HeldOut:
        """Return some of the rows."""
        return HeldOut(self.dataset.take(rows), self.prediction[rows])


def predict_held_out(estimator: Any, dataset: Dataset, *, X: pd.DataFrame | None = None) -> HeldOut:
    """Return what a fitted model predicts for rows that it has not seen.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        With `predict_proba`, or `predict` for regression.
    dataset : Dataset
        The rows with their truth.
    X : DataFrame, optional
        What the model is shown instead of `dataset.X`.

    Returns
    -------
    HeldOut
        A class that the model has not met has probability 0.

    Raises
    ------
    InputError
        When the model gives no probabilities, or predicts NaN or infinity.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from lib.data import make_planted
    >>> dataset = make_planted(100)
    >>> model = DummyClassifier().fit(dataset.X, dataset.y)
    >>> predict_held_out(model, dataset).prediction.shape
    (100, 2)
    """
    n_classes = len(dataset.classes) if dataset.task != "regression" else 0
    with threadpool_limits(1):
        made = predict_whole(estimator, dataset.X if X is None else X, n_classes=n_classes)
    return HeldOut(dataset, made)


def gather_out_of_fold(parts: npt.NDArray[Any], dataset: Dataset, folds: Folds) -> HeldOut:
    """Return out-of-fold predictions in the order of the rows.

    Parameters
    ----------
    parts : ndarray
        Predictions of the test rows of every fold, one fold after another (`Scores.parts`,
        `tracking.Predicted.parts`).
    dataset : Dataset
        The rows that the folds divide.
    folds : Folds
        Likewise.

    Returns
    -------
    HeldOut
        Means over repeats; rows that no fold tested (the first ones, forward in time) are left out.

    Raises
    ------
    InputError
        When the predictions are not of these folds, or no row has one.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(60, task="regression")
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    >>> parts = np.concatenate([dataset.y.to_numpy()[test] for _, test in folds])
    >>> bool((gather_out_of_fold(parts, dataset, folds).prediction == dataset.y).all())
    True
    """
    tested = np.concatenate([test for _, test in folds])
    if len(parts) != len(tested):
        msg = f"Predictions of {len(parts):,} rows do not fit folds that test {len(tested):,}."
        raise InputError(f"{msg} Run the analysis that tracked them again.")
    sums = np.zeros((len(dataset), *np.shape(parts)[1:]))
    counts = np.zeros(len(dataset))
    finite = np.isfinite(parts).reshape(len(parts), -1).all(axis=1)
    np.add.at(sums, tested[finite], np.asarray(parts, dtype=float)[finite])
    np.add.at(counts, tested[finite], 1)
    known = np.flatnonzero(counts)
    if not len(known):
        raise InputError("No row has an out-of-fold prediction: the model failed on every fold.")
    means = sums[known] / counts[known].reshape(-1, *[1] * (sums.ndim - 1))
    rows = dataset if len(known) == len(dataset) else dataset.take(known)
    return HeldOut(rows, means)
