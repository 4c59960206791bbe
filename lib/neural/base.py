"""What the classifier and the regressor share: settings, checks, training, prediction."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from lib.errors import InputError, suggest
from lib.neural.encoding import TableEncoder, find_bins
from lib.neural.validation import hold_out

if TYPE_CHECKING:
    from lib.neural.devices import Rows
    from lib.neural.modules import Network
    from lib.neural.training import Progress

Array = npt.NDArray[Any]
EMBEDDINGS = ("piecewise", "periodic", "none")
HISTORY = ("epoch", "part", "loss", "metric", "learning_rate")


class NetworkEstimator(BaseEstimator):
    """What classifier and regressor share: everything but the target."""

    def __init__(
        self,
        *,
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
        self.hidden_dims = hidden_dims
        self.n_members = n_members
        self.embedding = embedding
        self.embedding_dim = embedding_dim
        self.n_bins = n_bins
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.warmup = warmup
        self.max_gradient_norm = max_gradient_norm
        self.validation_fraction = validation_fraction
        self.device = device
        self.checkpoint = checkpoint
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> Self:
        """Train on most rows, and stop by the others; of rows in time, then train on all.

        What comes next is most like the last rows: they are too good to be only stopped by. So a
        second training has all rows, and ends with the epoch that was best in the first.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Numbers with gaps; of a frame also categories, text (as categories), truth values.
        y : array-like of shape (n_rows,)
            Labels, or numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of loss and stopping.
        groups : array-like of shape (n_rows,), optional
            Rows of one group are all trained on or all stopped by.
        time : array-like of shape (n_rows,), optional
            Without groups: the last rows are those to stop by.

        Returns
        -------
        self

        Raises
        ------
        InputError
            When a setting, the table or the target does not fit.
        """
        self._check_settings()
        table = self._read(X, reset=True)
        target, n_outputs = self._learn_target(y)
        check_consistent_length(table, target)
        weight = _check_sample_weight(
            sample_weight, table, dtype=np.float64, allow_all_zero_weights=True
        )
        _check_weight(weight)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        labels = target if n_outputs > 1 else None
        train, aside = hold_out(
            len(target), self.validation_fraction, rng, labels=labels, groups=groups, time=time
        )
        if not weight[train].any() or (len(aside) and not weight[aside].any()):
            train, aside = np.arange(len(target)), np.empty(0, dtype=np.intp)
        self.n_rows_train_, self.n_rows_validation_ = len(train), len(aside)
        how = {"n_outputs": n_outputs, "seed": int(rng.integers(2**31))}
        how["batch_size"] = self.batch_size or choose_batch_size(len(train))
        progress = self._train(table, target, weight, parts=(train, aside), **how)
        self.history_ = pd.DataFrame(progress.history, columns=list(HISTORY))
        self.n_iter_, self.best_epoch_ = progress.epoch, progress.best_epoch
        self.has_all_rows_ = not len(aside)
        if len(aside) and time is not None and groups is None:
            parts = (np.arange(len(target)), aside[:0])
            self._train(table, target, weight, parts=parts, last=self.best_epoch_, **how)
            self.has_all_rows_ = True
        return self

    def _train(
        self,
        table: Any,
        target: Array,
        weight: Array,
        *,
        parts: tuple[Array, Array],
        n_outputs: int,
        seed: int,
        batch_size: int,
        last: int | None = None,
    ) -> Progress:
        """Make encoder and network, and train it; a second training ends with epoch `last`."""
        import torch  # noqa: PLC0415 - takes seconds to import

        from lib.neural import devices, training  # noqa: PLC0415 - imports torch
        from lib.neural.modules import Architecture, Network  # noqa: PLC0415 - imports torch

        device = devices.choose_device(self.device)
        self.encoder_ = TableEncoder().fit(_take(table, parts[0]))
        encoded = self.encoder_.transform(table)
        bins = find_bins(encoded.numbers[parts[0]], self.n_bins)
        architecture = Architecture(
            n_numbers=encoded.numbers.shape[1],
            n_gaps=encoded.gaps.shape[1],
            n_levels=tuple(self.encoder_.n_levels),
            n_outputs=n_outputs,
            hidden_dims=tuple(int(units) for units in self.hidden_dims),
            n_members=self.n_members,
            embedding=self.embedding,
            embedding_dim=self.embedding_dim,
            n_bins=self.n_bins,
            dropout=float(self.dropout),
        )
        generator = torch.Generator().manual_seed(seed)
        starts_widths = [devices.as_tensor(part, torch.device("cpu")) for part in bins]
        network = Network(architecture, (starts_widths[0], starts_widths[1]), generator=generator)
        network.to(device)

        def rows(positions: Array) -> Rows:
            arrays = {
                "numbers": encoded.numbers,
                "gaps": encoded.gaps,
                "codes": encoded.codes,
                "target": target,
                "weight": weight / (weight[positions].mean() or 1.0),
            }
            return devices.Rows(
                **{
                    name: devices.as_tensor(array[positions], device)
                    for name, array in arrays.items()
                }
            )

        checkpoint = None if self.checkpoint is None else Path(self.checkpoint)
        if checkpoint is not None and last is not None:
            checkpoint = checkpoint.with_name(f"{checkpoint.name}.all")
        progress = training.train(
            network,
            rows(parts[0]),
            rows(parts[1]) if len(parts[1]) else None,
            training.Settings(
                learning_rate=float(self.learning_rate),
                weight_decay=float(self.weight_decay),
                batch_size=batch_size,
                max_epochs=self.max_epochs,
                patience=self.patience or max(6, self.max_epochs // 6),
                warmup=float(self.warmup),
                max_gradient_norm=float(self.max_gradient_norm),
                loss=self._loss(),
                last_epoch=last,
            ),
            seed=seed,
            checkpoint=checkpoint,
        )
        if progress.ended == "not finite":
            warnings.warn(
                f"The loss was not finite in epoch {progress.epoch}: the weights of epoch "
                f"{progress.best_epoch} are kept. A lower learning_rate avoids it.",
                ConvergenceWarning,
                stacklevel=3,
            )
        self.module_: Network = network.cpu()
        self.n_parameters_ = network.count_parameters()
        return progress

    def _outputs(self, X: Any) -> Array:
        """Return mean probabilities (n_rows, n_outputs) or standardised values (n_rows,).

        In double precision: a row's prediction does not depend on the rows beside it.
        """
        import copy  # noqa: PLC0415 - with torch below

        import torch  # noqa: PLC0415 - takes seconds to import

        from lib.neural import devices, losses  # noqa: PLC0415 - import torch

        check_is_fitted(self, "module_")
        encoded = self.encoder_.transform(self._read(X, reset=False))
        device = devices.choose_device(self.device)
        network = copy.deepcopy(self.module_).double().to(device)
        numbers, gaps = (
            torch.tensor(part, dtype=torch.float64, device=device)
            for part in (encoded.numbers, encoded.gaps)
        )
        codes = devices.as_tensor(encoded.codes, device)
        with devices.one_thread():
            outputs = losses.predict(network, numbers, gaps, codes, self._loss())
        result: Array = outputs.cpu().numpy()
        return result

    def _read(self, X: Any, *, reset: bool) -> Any:
        """Return a frame as it is, or an array of numbers; both checked against `fit`'s."""
        if isinstance(X, pd.DataFrame):
            if X.shape[1] == 0:
                msg = "X has no column; a network needs at least one. (0 feature(s))"
                raise InputError(msg)
            if not X.columns.is_unique:
                name = X.columns[X.columns.duplicated()][0]
                msg = f"Two columns are called '{name}': give each its own name."
                raise InputError(msg)
            if reset and len(X) < 2:
                msg = f"A network learns from 2 rows or more; got {len(X)} (n_samples={len(X)})."
                raise InputError(msg)
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        least = 2 if reset else 1
        return validate_data(
            self,
            X,
            reset=reset,
            dtype=np.float64,
            ensure_all_finite=False,
            ensure_min_samples=least,
        )

    def _check_settings(self) -> None:
        if self.embedding not in EMBEDDINGS:
            msg = f"embedding is one of {', '.join(EMBEDDINGS)}; got '{self.embedding}'."
            raise InputError(msg + suggest(str(self.embedding), EMBEDDINGS))
        optional = [name for name in ("batch_size", "patience") if getattr(self, name) is not None]
        for name in ("n_members", "embedding_dim", "n_bins", "max_epochs", *optional):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                msg = f"{name} must be a whole number from 1; got {value!r}."
                raise InputError(msg)
        for name in ("dropout", "validation_fraction", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                msg = f"{name} must be a share from 0 to below 1; got {getattr(self, name)!r}."
                raise InputError(msg)
        for name in ("learning_rate", "max_gradient_norm"):
            if not 0 < getattr(self, name) < math.inf:
                msg = f"{name} must be above 0; got {getattr(self, name)!r}."
                raise InputError(msg)
        if any(units < 1 for units in self.hidden_dims):
            msg = f"hidden_dims are units of each layer, 1 or more; got {self.hidden_dims!r}."
            raise InputError(msg)

    def __getstate__(self) -> dict[str, Any]:
        """Return settings and what was learned; the network as plain arrays, fit for any file."""
        state: dict[str, Any] = dict(super().__getstate__())
        if "module_" in state:
            state["module_"] = {
                "architecture": self.module_.architecture.as_dict(),
                "weights": {k: v.numpy(force=True) for k, v in self.module_.state_dict().items()},
            }
            state["history_"] = self.history_.to_dict(orient="list")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take settings and what was learned, and build the network again."""
        state = dict(state)
        told = state.pop("module_", None)
        super().__setstate__(state)
        if told is not None:
            from lib.neural.modules import rebuild  # noqa: PLC0415 - imports torch

            self.module_ = rebuild(told["architecture"], told["weights"])
            self.history_ = pd.DataFrame(state["history_"], columns=list(HISTORY))

    def _learn_target(self, y: Any) -> tuple[Array, int]:
        raise NotImplementedError

    def _loss(self) -> str:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        """Say that gaps and categories are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


def choose_batch_size(n_rows: int) -> int:
    """Return a power of two near a thirtieth of the rows, 32 to 512.

    Small tables need steps more than smooth gradients, large ones the speed of large batches.

    Parameters
    ----------
    n_rows : int
        Rows learned from.

    Returns
    -------
    int
        Rows a step.

    Examples
    --------
    >>> [choose_batch_size(n) for n in (10, 1_000, 7_500, 100_000)]
    [32, 32, 256, 512]
    """
    return int(2 ** np.clip(round(math.log2(max(n_rows, 1) / 30)), 5, 9))


def _check_weight(weight: Array) -> None:
    if (weight < 0).any():
        msg = f"Sample weights must not be negative; the lowest is {weight.min():g}."
        raise InputError(msg)
    if not weight.any():
        msg = "Sample weights must contain at least one non-zero number."
        raise InputError(msg)


def _take(table: Any, positions: Array) -> Any:
    return table.iloc[positions] if isinstance(table, pd.DataFrame) else table[positions]
