"""A model fitted on all rows of a dataset, and its predictions in the shape of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    (fitted,) = fit_each([estimator], dataset)
    return fitted


def fit_each(estimators: Sequence[Any], dataset: Dataset) -> list[Any]:
    """Return clones of several estimators fitted on all rows; what is equal is fitted once.

    Parameters
    ----------
    estimators : sequence of scikit-learn estimator
        As of `fit_whole`. Those whose `fit` takes `once`, as ensembles do, share parts with the
        others.
    dataset : Dataset
        The rows to learn from.

    Returns
    -------
    list of scikit-learn estimator
        The same bits as if each was fitted alone; equal parts are one object.

    Examples
    --------
    >>> from sklearn.linear_model import Lasso, Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from lib.data import make_planted
    >>> dataset = make_planted(100, task="regression", n_categories=0)
    >>> pipelines = [make_pipeline(StandardScaler(), model) for model in (Ridge(), Lasso())]
    >>> first, second = fit_each(pipelines, dataset)
    >>> first[0] is second[0], first[1] is second[1]  # the scaler was fitted once
    (True, False)
    """
    once = FitOnce(dataset.X, dataset.y.to_numpy(), columns_for_fit(dataset))
    with threadpool_limits(1):
        return [once.fit(estimator) for estimator in estimators]


class FitOnce:
    """Fits estimators on the same rows; what several of them have in common is fitted once.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Raw columns.
    y : array-like of shape (n_rows,)
        Codes of classes, or values.
    columns : mapping of str to ndarray
        From `columns_for_fit`.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression, Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> once = FitOnce(np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0, 4.0]), {})
    >>> lasts = LinearRegression(), Ridge()
    >>> pipelines = [make_pipeline(StandardScaler(), last) for last in lasts]
    >>> plain, ridge = map(once.fit, pipelines)
    >>> plain[0] is ridge[0], plain[1] is ridge[1]
    (True, False)
    """

    def __init__(self, X: Any, y: Any, columns: Mapping[str, Array]) -> None:
        self._y, self._columns = y, columns
        self._start = _Prepared(X)

    def fit(self, estimator: Any) -> Any:
        """Return a clone that is fitted; its parts may be those of one fitted before.

        Parameters
        ----------
        estimator : scikit-learn estimator
            Unfitted. Of a pipeline, leading steps with the same settings are shared.

        Returns
        -------
        scikit-learn estimator
        """
        if not isinstance(estimator, Pipeline):
            return self._fit_last(self._start, estimator)
        *before, (name, last) = estimator.steps
        place, steps = self._start, []
        for label, step in before:
            place = self._prepare(place, step)
            steps.append((label, place.step))
        return Pipeline([*steps, (name, self._fit_last(place, last))])

    def _prepare(self, place: _Prepared, step: Any) -> _Prepared:
        for known in place.following:
            if have_equal_settings(known.step, step):
                return known
        if step is None or step == "passthrough":
            made = _Prepared(place.X, step)
        else:
            transformer = clone(step)
            made = _Prepared(transformer.fit_transform(place.X, self._y), transformer)
        place.following.append(made)
        return made

    def _fit_last(self, place: _Prepared, estimator: Any) -> Any:
        for known in place.fitted:
            if have_equal_settings(known, estimator):
                return known
        model = clone(estimator)
        options: dict[str, Any] = fit_options(model, self._columns)
        if place is self._start and has_fit_parameter(model, "once"):
            options["once"] = self
        place.fitted.append(model.fit(place.X, self._y, **options))
        return place.fitted[-1]


class _Prepared:
    """Rows after some steps, the step that made them, and what was fitted on them."""

    def __init__(self, X: Any, step: Any = None) -> None:
        self.X, self.step = X, step
        self.following: list[_Prepared] = []
        self.fitted: list[Any] = []


def have_equal_settings(one: Any, other: Any) -> bool:
    """Return whether two estimators, or parameters of them, are set the same.

    Parameters
    ----------
    one, other : object
        Estimators are compared by class and parameters, fitted or not; where equality cannot be
        told they count as different.

    Returns
    -------
    bool

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> have_equal_settings(Ridge(alpha=2), Ridge(alpha=2)), have_equal_settings(Ridge(), Ridge(2))
    (True, False)
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if hasattr(one, "get_params"):
        given, asked = ((e.get_params(deep=False), _output(e)) for e in (one, other))
        return have_equal_settings(given, asked)
    if isinstance(one, dict):
        return list(one) == list(other) and all(have_equal_settings(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(have_equal_settings, one, other))
    if hasattr(one, "equals"):  # of pandas
        return bool(one.equals(other))
    if type(one).__module__.startswith(("lib.", "sklearn.", "skrub.")):  # such as a selector
        return bool(vars(one)) and have_equal_settings(vars(one), vars(other))
    if isinstance(one, float) and np.isnan(one) and np.isnan(other):
        return True
    return np.shape(one) == np.shape(other) and bool(np.all(one == other))


def _output(estimator: Any) -> Any:
    """Return what `set_output` asked for: it is no parameter, but changes what comes out."""
    return getattr(estimator, "_sklearn_output_config", None)


def predict_each(models: Sequence[Any], X: Any, *, n_classes: int) -> list[Array]:
    """Return what each of several models predicts; steps that they share are run once.

    Parameters
    ----------
    models : sequence of fitted scikit-learn estimators
        Pipelines share a step when it is the same object, as `FitOnce` makes them.
    X : DataFrame of shape (n_rows, n_features)
        As the models learned from.
    n_classes : int
        Classes of the study; 0 for a regression.

    Returns
    -------
    list of ndarray
        As of `predict_whole`, which also says what is refused.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> predict_each([DummyRegressor().fit([[0], [1]], [1, 3])], [[5]], n_classes=0)
    [array([2.])]
    """
    prepared: dict[tuple[int, ...], Any] = {(): X}
    made = []
    for model in models:
        path: tuple[int, ...] = ()
        *before, (_, last) = model.steps if isinstance(model, Pipeline) else [("", model)]
        for _, step in before:
            rows, path = prepared[path], (*path, id(step))
            if path not in prepared:
                prepared[path] = rows if step in (None, "passthrough") else step.transform(rows)
        made.append(predict_whole(last, prepared[path], n_classes=n_classes))
    return made


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
