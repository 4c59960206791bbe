"""A fitted network in a folder: settings and encodings as JSON, weights as tensors. No pickle."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lib.errors import InputError
from lib.neural.encoding import TableEncoder
from lib.neural.estimators import NetworkClassifier, NetworkRegressor

KINDS: dict[str, type[Any]] = {
    "NetworkClassifier": NetworkClassifier,
    "NetworkRegressor": NetworkRegressor,
}
DESCRIPTION, WEIGHTS = "network.json", "weights.pt"
COUNTS = (
    "n_features_in_",
    "n_iter_",
    "best_epoch_",
    "n_parameters_",
    "n_rows_train_",
    "n_rows_validation_",
    "has_all_rows_",
)
TARGET = ("target_mean_", "target_scale_")


def save_network(model: NetworkClassifier | NetworkRegressor, folder: str | Path) -> Path:
    """Write a fitted network into a folder.

    Parameters
    ----------
    model : NetworkClassifier or NetworkRegressor
        Fitted.
    folder : str or Path
        Made if need be; files of an earlier network in it are replaced.

    Returns
    -------
    Path
        The folder, with `network.json` and `weights.pt`.

    Raises
    ------
    InputError
        When labels are neither text, numbers nor truth values.

    Examples
    --------
    >>> import tempfile
    >>> X, y = np.arange(40.0).reshape(-1, 1), np.repeat(["no", "yes"], 20)
    >>> model = NetworkClassifier(max_epochs=2, n_members=2).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_network(save_network(model, folder))
    >>> bool((again.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    import torch  # noqa: PLC0415 - takes seconds to import

    check_is_fitted(model, "module_")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = model.get_params()
    settings["checkpoint"] = None  # a file of the training, not of the model
    if not isinstance(settings["random_state"], int | None):
        settings["random_state"] = None
    description = {
        "kind": type(model).__name__,
        "settings": {name: _plain(value) for name, value in settings.items()},
        "architecture": model.module_.architecture.as_dict(),
        "encoder": asdict(model.encoder_),
        "counts": {name: int(getattr(model, name)) for name in COUNTS},
        "names": [str(name) for name in getattr(model, "feature_names_in_", ())],
        "history": json.loads(model.history_.to_json(orient="split", double_precision=15)),
    }
    if isinstance(model, NetworkClassifier):
        description["classes"] = _labels(model.classes_)
        description["classes_type"] = model.classes_.dtype.str
    else:
        description["target"] = {name: getattr(model, name) for name in TARGET}
        description["range"] = list(model.target_range_)
    _replace(folder / WEIGHTS, lambda path: torch.save(model.module_.state_dict(), path))
    text = json.dumps(description, indent=1, allow_nan=False)
    _replace(folder / DESCRIPTION, lambda path: path.write_text(text, encoding="utf-8"))
    return folder


def load_network(folder: str | Path) -> NetworkClassifier | NetworkRegressor:
    """Return the network that `save_network` wrote: it predicts the same numbers.

    Only tensors and plain values are read; nothing in the files can run.

    Parameters
    ----------
    folder : str or Path
        Holds `network.json` and `weights.pt`.

    Returns
    -------
    NetworkClassifier or NetworkRegressor
        Fitted.

    Raises
    ------
    InputError
        When the folder holds no network, or its files do not fit together.
    """
    import pandas as pd  # noqa: PLC0415 - with torch below
    import torch  # noqa: PLC0415 - takes seconds to import

    from lib.neural.modules import rebuild  # noqa: PLC0415 - imports torch

    folder = Path(folder)
    try:
        told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        settings = dict(told["settings"], hidden_dims=tuple(told["settings"]["hidden_dims"]))
        model = KINDS[told["kind"]](**settings)
        state = torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True)
        model.module_ = rebuild(told["architecture"], state)
        model.encoder_ = TableEncoder(**told["encoder"])
        for name, count in told["counts"].items():
            setattr(model, name, count)
        if told["names"]:
            model.feature_names_in_ = np.array(told["names"], dtype=object)
        model.history_ = pd.DataFrame(told["history"]["data"], columns=told["history"]["columns"])
        if "classes" in told:
            model.classes_ = np.array(told["classes"], dtype=np.dtype(told["classes_type"]))
        else:
            model.target_mean_, model.target_scale_ = (told["target"][name] for name in TARGET)
            model.target_range_ = tuple(told["range"])
    except FileNotFoundError as error:
        msg = f"'{folder}' holds no network: it needs {DESCRIPTION} and {WEIGHTS}."
        raise InputError(msg) from error
    except Exception as error:
        msg = f"The network in '{folder}' cannot be read ({type(error).__name__}: {error})."
        raise InputError(msg.splitlines()[0]) from error
    return model  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """Return a setting as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value


def _labels(classes: Any) -> list[Any]:
    labels: list[Any] = classes.tolist()
    if not all(isinstance(label, str | int | float | bool) for label in labels):
        msg = f"Only labels of text, numbers or truth values can be saved; got {labels[:3]}."
        raise InputError(msg)
    return labels


def _replace(path: Path, write: Any) -> None:
    """Write a file beside its place and move it there: it is complete or absent."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    write(beside)
    beside.replace(path)
