"""A model fitted on all rows of a dataset, and its predictions in the shape of the study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation.metrics import Array


def fit_whole(estimator: Any, dataset: Dataset) -> Any:
    """Return a clone fitted on all rows, as cross-validation fits it on those of a fold.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Unfitted. Sample weights, groups and time are handed to a `fit` that names them.
    dataset : Dataset
        The rows to learn from.

    Returns
    -------
    scikit-learn estimator
        Fitted, on one thread: the same bits on any number of cores.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> dataset = make_planted(100, n_categories=0, missing=0)
    >>> predict_whole(fit_whole(LogisticRegression(), dataset), dataset.X, n_classes=2).shape
    (100, 2)
    """
    model = clone(estimator)
    options = fit_options(model, columns_for_fit(dataset))
    with threadpool_limits(1):
        return model.fit(dataset.X, dataset.y.to_numpy(), **options)


def columns_for_fit(dataset: Dataset) -> dict[str, Array]:
    """Return what a model may ask for: a network stops by whole groups, or by the last in time.

    Parameters
    ----------
    dataset : Dataset
        The rows.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        Of "sample_weight", "groups" and "time" those that the rows have.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> list(columns_for_fit(make_planted(100, n_groups=9)))
    ['groups']
    """
    columns = {
        "sample_weight": dataset.sample_weight,
        "groups": dataset.groups,
        "time": dataset.time,
    }
    return {name: values.to_numpy() for name, values in columns.items() if values is not None}


def fit_options(model: Any, columns: Mapping[str, Array]) -> dict[str, Array]:
    """Return the columns that a model's `fit` takes, by the name under which it takes them.

    Parameters
    ----------
    model : scikit-learn estimator
        Of a pipeline, the last step is asked.
    columns : mapping of str to ndarray
        From `columns_for_fit`.

    Returns
    -------
    dict of str to ndarray

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> columns = {"sample_weight": np.ones(3), "groups": np.arange(3)}
    >>> list(fit_options(make_pipeline(LogisticRegression()), columns))
    ['logisticregression__sample_weight']
    """
    last, prefix = model, ""
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        prefix = f"{name}__"
    return {
        f"{prefix}{name}": values
        for name, values in columns.items()
        if has_fit_parameter(last, name)
    }


def predict_whole(model: Any, X: Any, *, n_classes: int) -> Array:
    """Return probabilities of all classes of the study, or values.

    Parameters
    ----------
    model : fitted scikit-learn estimator
        Of a classifier, `classes_` are codes of the study's classes.
    X : DataFrame of shape (n_rows, n_features)
        As the model learned from.
    n_classes : int
        Classes of the study; 0 for a regression.

    Returns
    -------
    ndarray of shape (n_rows, n_classes) or (n_rows,)
        A class that was absent from the rows learned from has probability 0.

    Raises
    ------
    InputError
        When the model gives no probabilities, or some that are not finite or do not sum to one.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.array([[0.0], [1], [2], [3]])
    >>> model = LogisticRegression().fit(X, [0, 0, 2, 2])  # class 1 of three was not there
    >>> predict_whole(model, X, n_classes=3)[:, 1].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    if not n_classes:
        predicted: Array = np.asarray(model.predict(X), dtype=float).reshape(-1)
        return _check_finite(predicted)
    if not hasattr(model, "predict_proba"):
        msg = "it gives no probabilities: wrap it in CalibratedClassifierCV."
        raise InputError(msg)
    known = np.asarray(model.classes_).astype(int)
    proba: Array = np.zeros((len(X), n_classes))
    proba[:, known] = model.predict_proba(X)
    sums = _check_finite(proba).sum(axis=1, keepdims=True)
    if not np.allclose(sums, 1, atol=1e-3):
        msg = "its probabilities of the classes do not sum to one."
        raise InputError(msg)
    proba /= sums  # models that count in single precision miss one by a hair
    return proba


def _check_finite(prediction: Array) -> Array:
    wrong = int((~np.isfinite(prediction)).reshape(len(prediction), -1).any(axis=1).sum())
    if wrong:
        msg = f"it predicts NaN or infinity on {wrong} of {len(prediction)} test rows."
        raise InputError(msg)
    return prediction
