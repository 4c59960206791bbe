"""A network in five lines, for a table at hand: `NeuralNetworkExperiment`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from lib.errors import InputError
from lib.neural.estimators import NetworkClassifier, NetworkRegressor

Array = npt.NDArray[Any]
HIDDEN_DIMS = (128, 64)


class NeuralNetworkExperiment:
    """A plain perceptron with ReLU and dropout, its scaler and its history in one object.

    The short form of `NetworkClassifier` and `NetworkRegressor`, which analysis 12 uses and which
    have embeddings, an ensemble and checkpoints.

    Parameters
    ----------
    input_dim : int
        Columns of the table: a table of another width is refused.
    hidden_dims : sequence of int
        Units of each hidden layer.
    output_dim : int
        1 for a number or a yes-or-no target; else the number of classes.
    dropout : float
        Share of hidden units silenced in each training step.
    random_state : int
        Seed of everything random.

    Attributes
    ----------
    model : NetworkClassifier or NetworkRegressor
        Once trained.
    history : DataFrame
        epoch, training_loss, validation_loss: standardised squared error, or log loss. A fifth of
        the rows is for validation; the weights of its best epoch are kept.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> experiment = NeuralNetworkExperiment(input_dim=30).train(X[:400], y[:400], epochs=20)
    >>> experiment.history.columns.tolist()
    ['epoch', 'training_loss', 'validation_loss']
    >>> bool(experiment.evaluate(X[400:], y[400:]) > 0.9)  # accuracy
    True
    """

    def __init__(
        self,
        input_dim: int,
        hidden_dims: Sequence[int] = HIDDEN_DIMS,
        output_dim: int = 1,
        *,
        dropout: float = 0.3,
        random_state: int = 0,
    ) -> None:
        if input_dim < 1 or output_dim < 1:
            msg = f"input_dim and output_dim count columns: got {input_dim} and {output_dim}."
            raise InputError(msg)
        self.input_dim = input_dim
        self.hidden_dims = tuple(hidden_dims)
        self.output_dim = output_dim
        self.dropout = dropout
        self.random_state = random_state
        self.model: NetworkClassifier | NetworkRegressor | None = None

    def train(
        self,
        X: Any,
        y: Any,
        epochs: int = 100,
        *,
        batch_size: int | None = None,
        learning_rate: float = 0.005,
        patience: int = 20,
    ) -> Self:
        """Train from the first weights on, and stop early when validation says so.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, input_dim)
            Scaled inside, from the training part alone.
        y : array-like of shape (n_rows,)
            Two values, or numbers, for one output; as many classes as outputs otherwise.
        epochs : int
            Passes over the rows at most.
        batch_size : int, optional
            Rows a step; chosen by the number of rows otherwise.
        learning_rate : float
            Highest rate of AdamW.
        patience : int
            Passes without a lower validation loss before it ends.

        Returns
        -------
        NeuralNetworkExperiment
            Itself.

        Raises
        ------
        InputError
            When the table or the target does not fit the dimensions.
        """
        X, y = self._check(X), np.asarray(y).reshape(-1)
        settings: dict[str, Any] = {
            "hidden_dims": self.hidden_dims,
            "n_members": 1,
            "embedding": "none",
            "dropout": self.dropout,
            "random_state": self.random_state,
            "max_epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "patience": patience,
        }
        n_values = len(np.unique(y))
        is_numeric = np.issubdtype(y.dtype, np.number) and self.output_dim == 1 and n_values > 2
        if is_numeric or type_of_target(y).startswith("continuous"):
            self.model = NetworkRegressor(**settings).fit(X, y)
            return self
        if n_values > max(self.output_dim, 2):
            msg = (
                f"y has {n_values} classes and output_dim is {self.output_dim}: "
                f"give output_dim={n_values}."
            )
            raise InputError(msg)
        self.model = NetworkClassifier(**settings).fit(X, y)
        return self

    @property
    def history(self) -> pd.DataFrame:
        """Loss by epoch of the rows trained on and of those kept aside."""
        wide = self._trained().history_.pivot_table(
            index="epoch", columns="part", values="loss", dropna=False
        )
        wide = wide.reindex(columns=["train", "validation"])
        wide.columns = pd.Index(["training_loss", "validation_loss"])
        return wide.reset_index()

    def predict(self, X: Any) -> Array:
        """Return the label or number of each row."""
        return self._trained().predict(self._check(X))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, in the order of `model.classes_`."""
        model = self._trained()
        if not isinstance(model, NetworkClassifier):
            msg = "The target was a number: there are no probabilities; use predict."
            raise InputError(msg)
        return model.predict_proba(self._check(X))

    def evaluate(self, X: Any, y: Any) -> float:
        """Return accuracy, or R² of numbers, on other rows."""
        return float(self._trained().score(self._check(X), y))

    def _trained(self) -> NetworkClassifier | NetworkRegressor:
        if self.model is None:
            msg = "The network is not trained yet: call train(X, y) first."
            raise InputError(msg)
        return self.model

    def _check(self, X: Any) -> Any:
        X = X if isinstance(X, pd.DataFrame) else np.asarray(X)
        width = X.shape[1] if X.ndim == 2 else None
        if width != self.input_dim:
            msg = f"X must have input_dim={self.input_dim} columns; its shape is {X.shape}."
            raise InputError(msg)
        return X
