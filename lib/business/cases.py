"""Rows to be decided on: what was predicted, what was true, what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from lib.business.gains import Array, Floats
from lib.data import Dataset


@dataclass(frozen=True, eq=False)
class Cases:
    """Rows with a prediction.

    Attributes
    ----------
    y : ndarray of shape (n_rows,)
        Codes of classes, or numbers.
    prediction : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Probability of the positive class; probabilities of several; or forecasts.
    amounts : ndarray of shape (n_rows,), optional
        Money of each row; a missing one counts as 0.
    weight : ndarray of shape (n_rows,)
        Of each row.
    units : ndarray of shape (n_rows,)
        What is drawn together by a bootstrap: rows of one group, neighbours in time, repeats of
        one row.
    today : ndarray of shape (n_rows,), optional
        What today's policy does with each row.
    """

    y: Array
    prediction: Array
    amounts: Floats | None = field(repr=False)
    weight: Floats = field(repr=False)
    units: Array = field(repr=False)
    today: Array | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_units(self) -> int:
        """Number of independent units."""
        return len(np.unique(self.units))

    def predicted_by(self, prediction: Array) -> Cases:
        """Return the same rows with another model's predictions."""
        return replace(self, prediction=_positive(prediction, self.prediction.ndim))

    def take(self, rows: Array) -> Cases:
        """Return some of the rows, by position or by truth value."""

        def pick(values: Array | None) -> Array | None:
            return None if values is None else values[rows]

        return Cases(
            y=self.y[rows],
            prediction=self.prediction[rows],
            amounts=pick(self.amounts),
            weight=self.weight[rows],
            units=self.units[rows],
            today=pick(self.today),
        )

    def mean(self, values: Array) -> Any:
        """Return the weighted mean over rows."""
        return np.average(values, axis=0, weights=self.weight)


def gather_cases(dataset: Dataset, prediction: Array) -> Cases:
    """Return the rows of a dataset with a model's predictions.

    Parameters
    ----------
    dataset : Dataset
        Such as the test rows.
    prediction : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities, or forecasts.

    Returns
    -------
    Cases
        With the units of the table: groups, neighbours in time, or single rows.
    """
    rows = np.arange(len(dataset))
    return _cases(dataset, rows, prediction)


def gather_fold_cases(parts: Array, dataset: Dataset, folds: Any) -> Cases:
    """Return the rows that folds test, with predictions of models that had not seen them.

    Repeats of a row stay apart, each a case to be decided on; `performance.gather_out_of_fold`
    takes the mean of them.

    Parameters
    ----------
    parts : ndarray
        Predictions of the test rows of every fold, one fold after another.
    dataset : Dataset
        Training rows.
    folds : Folds
        Of those rows.

    Returns
    -------
    Cases
        Without rows of folds on which the model failed; a row that repeats is one unit.
    """
    rows = np.concatenate([test for _, test in folds])
    is_known = np.isfinite(parts).all(axis=1) if parts.ndim == 2 else np.isfinite(parts)
    return _cases(dataset, rows[is_known], parts[is_known])


def _cases(dataset: Dataset, rows: Array, prediction: Array) -> Cases:
    def pick(values: pd.Series | None) -> Array | None:
        return None if values is None else values.to_numpy()[rows]

    amounts = pick(dataset.amounts)
    weight = pick(dataset.sample_weight)
    return Cases(
        y=dataset.y.to_numpy()[rows],
        prediction=_positive(prediction, 2 if dataset.task == "multiclass" else 1),
        amounts=None if amounts is None else np.nan_to_num(amounts.astype(float)),
        weight=np.ones(len(rows)) if weight is None else weight.astype(float),
        units=dataset.units[rows],
        today=pick(dataset.today),
    )


def _positive(prediction: Array, n_dimensions: int) -> Array:
    """Return the column of the positive class where only that is needed."""
    return prediction[:, 1] if prediction.ndim == 2 and n_dimensions == 1 else prediction
