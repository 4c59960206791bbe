"""The network behind scikit-learn's interface: a classifier and a regressor."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from lib.errors import InputError
from lib.neural.base import Array, NetworkEstimator


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A neural network for classes: embeddings and an ensemble of perceptrons in one [1]_.

    Parameters
    ----------
    hidden_dims : tuple of int
        Units of each hidden layer; () is a linear model of the embeddings.
    n_members : int
        Members that share their weights but for a few scales; 1 is a plain perceptron.
    embedding : {"piecewise", "periodic", "none"}
        How a number enters: as piecewise-linear functions, as waves, or as it is.
    embedding_dim : int
        Dimensions of an embedded number or category.
    n_bins : int
        Pieces, or frequencies, of a number.
    dropout : float
        Share of hidden units silenced in each training step.
    learning_rate, weight_decay : float
        Of AdamW. The rate rises over the first `warmup` share of steps, then falls by a cosine.
    batch_size : int, optional
        Rows a step; by default about a thirtieth of the rows, 32 to 512.
    max_epochs : int
        Passes over the rows at most.
    patience : int, optional
        Training ends after so many passes without a lower loss on the validation rows; by default
        a sixth of `max_epochs`, 6 at least.
    warmup : float
        See `learning_rate`.
    max_gradient_norm : float
        Longer gradients are shortened to it.
    validation_fraction : float
        Share of the rows kept aside to stop by (none when they would be under ten).
    device : {"auto", "cpu", "cuda"}
        "auto" takes a GPU where there is one; there, most is computed in half precision, and
        results repeat only roughly.
    checkpoint : str or Path, optional
        File of the training state, written after each epoch. A fit that finds it goes on from
        it, to the same weights; each fit needs its own.
    random_state : int, RandomState or None
        Seed of everything random.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    history_ : DataFrame
        epoch, part ("train", "validation"), loss (log loss), metric (accuracy), learning_rate.
        Training figures are taken on the way, with dropout.
    module_ : torch.nn.Module
    n_parameters_, n_iter_, best_epoch_, n_rows_train_, n_rows_validation_ : int
        Numbers learned, epochs trained, the epoch kept, rows learned from and stopped by.
    has_all_rows_ : bool
        Whether the weights kept were learned from all rows: of rows in time, or without any to
        stop by.

    References
    ----------
    .. [1] Y. Gorishniy, A. Kotelnikov, A. Babenko (2024). TabM: advancing tabular deep learning
       with parameter-efficient ensembling. arXiv 2410.24210.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> planted = make_planted(400, n_noise=0)
    >>> model = NetworkClassifier(max_epochs=20, n_members=4).fit(planted.X, planted.y)
    >>> model.predict_proba(planted.X).shape, bool(model.score(planted.X, planted.y) > 0.7)
    ((400, 2), True)
    """

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of `classes_`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            The mean of the members' probabilities.
        """
        return self._outputs(X)

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each row."""
        proba = self.predict_proba(X)
        chosen: Array = self.classes_[proba.argmax(axis=1)]
        return chosen

    def _learn_target(self, y: Any) -> tuple[Array, int]:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        return codes.astype(np.int64), len(self.classes_)

    def _loss(self) -> str:
        return "classes"


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A neural network for numbers; the target is standardised inside.

    Parameters
    ----------
    loss : {"squared", "huber"}
        "huber" counts large errors by their size, not its square: for targets with wild values.
    hidden_dims, n_members, embedding, embedding_dim, n_bins, dropout, learning_rate, \
weight_decay, batch_size, max_epochs, patience, warmup, max_gradient_norm, validation_fraction, \
device, checkpoint, random_state
        As of `NetworkClassifier`.

    Attributes
    ----------
    history_ : DataFrame
        epoch, part ("train", "validation"), loss (of the standardised target), metric (R²),
        learning_rate.
    target_range_ : tuple of float
        Lowest and highest target seen: predictions stay inside.
    module_, n_parameters_, n_iter_, best_epoch_, n_rows_train_, n_rows_validation_, has_all_rows_
        As of `NetworkClassifier`.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> planted = make_planted(400, task="regression", n_noise=0)
    >>> model = NetworkRegressor(max_epochs=20, n_members=4).fit(planted.X, planted.y)
    >>> bool(model.score(planted.X, planted.y) > 0.5)
    True
    """

    def __init__(
        self,
        *,
        loss: str = "squared",
        hidden_dims: tuple[int, ...] = (64, 64),
        n_members: int = 8,
        embedding: str = "piecewise",
        embedding_dim: int = 4,
        n_bins: int = 12,
        dropout: float = 0.2,
        learning_rate: float = 0.005,
        weight_decay: float = 0.1,
        batch_size: int | None = None,
        max_epochs: int = 40,
        patience: int | None = None,
        warmup: float = 0.1,
        max_gradient_norm: float = 1.0,
        validation_fraction: float = 0.2,
        device: str = "auto",
        checkpoint: str | Path | None = None,
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            hidden_dims=hidden_dims,
            n_members=n_members,
            embedding=embedding,
            embedding_dim=embedding_dim,
            n_bins=n_bins,
            dropout=dropout,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            batch_size=batch_size,
            max_epochs=max_epochs,
            patience=patience,
            warmup=warmup,
            max_gradient_norm=max_gradient_norm,
            validation_fraction=validation_fraction,
            device=device,
            checkpoint=checkpoint,
            random_state=random_state,
        )
        self.loss = loss

    def predict(self, X: Any) -> Array:
        """Return a number for each row, inside the range that training saw.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_rows,)
            In the unit of the target.
        """
        values = self._outputs(X) * self.target_scale_ + self.target_mean_
        return np.clip(values, *self.target_range_)

    def _learn_target(self, y: Any) -> tuple[Array, int]:
        if self.loss not in ("squared", "huber"):
            msg = f"loss is 'squared' or 'huber'; got '{self.loss}'."
            raise InputError(msg)
        y = np.asarray(column_or_1d(y, warn=True), dtype=np.float64)
        if not np.isfinite(y).all():
            msg = "The target holds NaN or infinity: leave these rows out, or repair them."
            raise InputError(msg)
        self.target_mean_ = float(y.mean())
        scale = float(y.std())
        if not math.isfinite(scale) or not math.isfinite(self.target_mean_):
            msg = "The target is too large to be standardised: divide it by a power of ten."
            raise InputError(msg)
        self.target_scale_ = scale or 1.0
        self.target_range_ = (float(y.min()), float(y.max()))
        return (y - self.target_mean_) / self.target_scale_, 1

    def _loss(self) -> str:
        return self.loss
