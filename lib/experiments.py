"""`run_experiment`: one fit on one split, kept as one tracked run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.config import Config, load_config
from lib.errors import InputError
from lib.evaluation import scorers
from lib.plots import plot_model_performance
from lib.plots.style import save_figure
from lib.tracking.experiments import log_experiment

Values = npt.NDArray[Any]
NEEDS_PROBABILITY = ("roc", "average_precision", "log_loss", "brier")


class Experiment(NamedTuple):
    """What an experiment gave: unpacks as `model, metrics`."""

    model: Any
    metrics: dict[str, float]


def run_experiment(  # noqa: PLR0917 (the order of a train-test split, as users write it)
    model: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    params: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    dataset: str | None = None,
    config: Config | None = None,
) -> Experiment:
    """Fit a model, score it on training and test rows, and keep everything as one MLflow run.

    The run holds parameters, scores, the fitted model (skops, or LightGBM's own text: no pickle),
    the data's digests, and a figure: a confusion matrix with curves, or residuals. The difference
    of training and test score shows how far the model fits its own rows only. Choose nothing by
    these test rows, or keep others for the end.

    Parameters
    ----------
    model : scikit-learn estimator
        A clone is fitted; LightGBM and pipelines too.
    X_train, X_test : DataFrame or array of shape (n_rows, n_features)
        Same columns.
    y_train, y_test : array-like of shape (n_rows,)
        Labels or numbers.
    params : mapping, optional
        What else describes the run, such as a version of the features. The model's own parameters
        are kept anyway; to name one with another value than it has is an error.
    name : str, optional
        Of the run; the model's class otherwise.
    dataset : str, optional
        Name of the table; that of the study otherwise.
    config : Config, optional
        Says where the store is; `load_config()` by default.

    Returns
    -------
    Experiment
        The fitted model, and its metrics by name: train_… and test_… of every metric of the task
        (`evaluation.scorers`), higher is better.

    Raises
    ------
    InputError
        When rows or columns do not fit together, a target misses values, `params` contradicts the
        model, or the model cannot be kept without pickle.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study = load_config(root=Path(folder))
    ...     tree = DecisionTreeClassifier(max_depth=2)
    ...     model, metrics = run_experiment(tree, X[::2], y[::2], X[1::2], y[1::2], config=study)
    >>> model.get_depth(), round(metrics["test_accuracy"], 2)
    (2, 0.95)
    """
    X_train, y_train = _checked(X_train, y_train, "train")
    X_test, y_test = _checked(X_test, y_test, "test")
    if X_train.shape[1] != X_test.shape[1]:
        msg = f"X_train and X_test must have the same columns; got {X_train.shape[1]}"
        raise InputError(f"{msg} and {X_test.shape[1]}.")
    own = _parameters(model)
    for key, value in (params or {}).items():
        if key in own and str(own[key]) != str(value):
            msg = f"params says {key} = {value!r}, but the model has {own[key]!r}"
            raise InputError(f"{msg}: set it on the model, or leave it out of params.")
    fitted = _fit(model, X_train, y_train)
    judged = _Judged(fitted, y_train, y_test)
    metrics = judged.score("train", X_train, y_train) | judged.score("test", X_test, y_test)

    def draw(folder: Path) -> None:
        save_figure(judged.draw(X_test, y_test), folder / f"{judged.figure_name}.png")

    log_experiment(
        config or load_config(),
        name or type(model).__name__,
        model=fitted,
        params={**own, **(params or {})},
        metrics=metrics,
        datasets={"training": _facts(X_train, y_train), "testing": _facts(X_test, y_test)},
        save_figure=draw,
        dataset=dataset,
    )
    return Experiment(fitted, metrics)


def _checked(X: Any, y: Any, part: str) -> tuple[Any, Values]:
    table = X if hasattr(X, "iloc") else np.asarray(X)
    if table.ndim != 2:
        msg = f"X_{part} must be a table of rows and columns; got {table.ndim} dimension(s)."
        raise InputError(msg)
    target = np.asarray(y).reshape(-1) if np.ndim(y) < 2 or np.shape(y)[1] == 1 else None
    if target is None:
        raise InputError(f"y_{part} must have one column; got {np.shape(y)[1]}.")
    if len(table) != len(target) or not len(target):
        msg = f"X_{part} and y_{part} must have the same rows, at least one;"
        raise InputError(f"{msg} got {len(table)} and {len(target)}.")
    n_missing = int(pd.isna(target).sum())
    if n_missing:
        msg = f"y_{part} must have a value in every row; {n_missing} of {len(target)} have none"
        raise InputError(f"{msg}: leave these rows out.")
    return table, target


def _fit(model: Any, X: Any, y: Values) -> Any:
    from sklearn.base import clone  # noqa: PLC0415 - a second to import

    fitted = clone(model) if hasattr(model, "get_params") else model
    return fitted.fit(X, y)


def _parameters(model: Any) -> dict[str, Any]:
    if not hasattr(model, "get_params"):
        return {}
    plain = (str, int, float, bool, type(None), tuple, list)
    return {k: v for k, v in model.get_params().items() if isinstance(v, plain)}


def _facts(X: Any, y: Values) -> dict[str, Any]:
    """Return size and digest of rows: the same rows have the same digest."""
    table = pd.DataFrame(X).reset_index(drop=True)
    table.columns = pd.Index([str(column) for column in table.columns])
    hashes = pd.util.hash_pandas_object(table.assign(**{"(target)": y}), index=False)
    digest = hashlib.sha256(hashes.to_numpy().astype("<u8").tobytes()).hexdigest()[:16]
    return {"digest": digest, "rows": len(table), "columns": table.shape[1]}


class _Judged:
    """A fitted model with the classes of its task."""

    def __init__(self, model: Any, y_train: Values, y_test: Values) -> None:
        from sklearn.base import is_regressor  # noqa: PLC0415 - a second to import

        self.model = model
        self.classes: list[Any] = []
        self.task = "regression"
        if not is_regressor(model):
            self.classes = sorted({*y_train.tolist(), *y_test.tolist()}, key=_by_kind)
            self.task = "binary" if len(self.classes) == 2 else "multiclass"
        self.has_proba = bool(self.classes) and hasattr(model, "predict_proba")

    @property
    def figure_name(self) -> str:
        return "confusion_matrix" if self.classes else "residuals"

    def predict(self, X: Any) -> Values:
        """Return values, or probabilities of `classes` (of 0 and 1 where there are only labels)."""
        if not self.classes:
            return np.asarray(self.model.predict(X), dtype=float).reshape(-1)
        place = {label: code for code, label in enumerate(self.classes)}
        proba = np.zeros((len(X), len(self.classes)))
        if self.has_proba:
            known = [place[label] for label in np.asarray(self.model.classes_).tolist()]
            proba[:, known] = self.model.predict_proba(X)
        else:
            labels = np.asarray(self.model.predict(X)).reshape(-1).tolist()
            proba[np.arange(len(X)), [place[label] for label in labels]] = 1.0
        return proba

    def score(self, part: str, X: Any, y: Values) -> dict[str, float]:
        truth = self._codes(y)
        predicted = self.predict(X)
        chosen = [
            metric
            for metric in scorers(self.task).values()
            if self.has_proba or not any(word in metric.name for word in NEEDS_PROBABILITY)
        ]
        found = {f"{part}_{m.name}": m.compute(truth, predicted, None) for m in chosen}
        return {key: float(value) for key, value in found.items() if np.isfinite(value)}

    def draw(self, X: Any, y: Values) -> Any:
        predicted = self.predict(X)
        if not self.classes:
            return plot_model_performance(y.astype(float), predicted, task="regression")
        labels = np.array(self.classes)
        proba = predicted if self.has_proba else None
        task: Any = self.task
        guess = labels[predicted.argmax(axis=1)]
        return plot_model_performance(y, guess, proba, task=task, classes=self.classes)

    def _codes(self, y: Values) -> Values:
        if not self.classes:
            return y.astype(float)
        place = {label: code for code, label in enumerate(self.classes)}
        return np.array([place[label] for label in y.tolist()])


def _by_kind(label: Any) -> tuple[str, Any]:
    return ("text" if isinstance(label, str) else "number", label)
