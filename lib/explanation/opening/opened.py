"""What an opened model is: columns in, a matrix of numbers, and what the model makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.explanation.coding import Floats

Ints = npt.NDArray[np.intp]
Shapley = tuple[Floats, Floats]
LOG_ODDS, PROBABILITY, TARGET = "log-odds", "probability", "unit of the target"


@dataclass(frozen=True, eq=False)
class OpenModel:
    """A fitted model, opened.

    Attributes
    ----------
    columns : tuple of str
        The p columns of the table, by name.
    outputs : tuple of str
        Names of the K outputs of a multiclass model; () for one output.
    owners : array of int, shape (q,)
        For each prepared column, the position of the column it came from.
    prepare : callable
        Takes a table (n, p), returns numbers (n, q).
    raw : callable
        Takes (n, q), returns what contributions add up to: (n,) or (n, K).
    predict : callable
        Takes (n, q), returns what metrics take: probabilities (n, n_classes), or values (n,).
    shapley : callable
        Takes (n, q), returns contributions (n, p) or (n, p, K) and the base (n,) or (n, K).
    unit : str
        Of `raw`.
    route : str
        How contributions are computed, in words.
    builtin : mapping of str to array of shape (p,)
        The model's own importances.
    is_exact : bool
        Whether contributions are computed and not sampled.
    """

    columns: tuple[str, ...]
    outputs: tuple[str, ...]
    owners: Ints
    prepare: Callable[[pd.DataFrame], Floats]
    raw: Callable[[Floats], Floats]
    predict: Callable[[Floats], Floats]
    shapley: Callable[[Floats], Shapley]
    unit: str
    route: str
    builtin: Mapping[str, Floats] = field(default_factory=dict)
    is_exact: bool = True

    def cells_of(self, positions: Sequence[int]) -> Ints:
        """Return the prepared columns that belong to columns."""
        return np.flatnonzero(np.isin(self.owners, list(positions)))


def gather(values: Floats, owners: Ints, n_columns: int) -> Floats:
    """Return contributions (n, q, ...) of prepared columns added up by their owners."""
    summed = np.zeros((values.shape[0], n_columns, *values.shape[2:]))
    for cell, owner in enumerate(owners):
        summed[:, owner] += values[:, cell]
    return summed


def sum_by(owners: Ints, values: Floats, n_columns: int) -> Floats:
    """Return values (q,) of prepared columns added up by their owners."""
    return np.bincount(owners, weights=values, minlength=n_columns).astype(float)
