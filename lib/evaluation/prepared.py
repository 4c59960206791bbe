"""One fold: preprocessing that models share is fitted once, each model is fitted and timed."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation.fitting import columns_for_fit, fit_options, predict_whole
from lib.evaluation.metrics import Array, Metric
from lib.resampling import Positions


@dataclass
class Outcome:
    """A prediction of the test rows, the seconds to fit and to predict, the size of the model."""

    prediction: Array
    fit_seconds: float
    predict_seconds: float
    kilobytes: float


class PreparedFold:
    """One fold's rows, and the preprocessing steps already fitted on its training part.

    Parameters
    ----------
    dataset : Dataset
        The training rows of the study.
    train, test : ndarray of int
        Positions of the fold's training and test part.
    """

    def __init__(self, dataset: Dataset, train: Positions, test: Positions) -> None:
        self.test = test
        self.X_train, self.X_test = dataset.X.iloc[train], dataset.X.iloc[test]
        self.y_train, self.y_test = (dataset.y.to_numpy()[part] for part in (train, test))
        self.options = {k: values[train] for k, values in columns_for_fit(dataset).items()}
        weight = dataset.sample_weight
        self.weight_test = None if weight is None else weight.to_numpy()[test]
        self.n_classes = len(dataset.classes) if dataset.task != "regression" else 0
        self._prepared: dict[tuple[int, ...], tuple[Any, Any, float, float]] = {}

    def score(self, estimator: Any, metric: Metric) -> float:
        """Return the score on the test part of a clone fitted on the training part."""
        with threadpool_limits(1):
            prediction = self.evaluate(estimator).prediction
        return metric.compute(self.y_test, prediction, self.weight_test)

    def evaluate(self, estimator: Any) -> Outcome:
        """Fit a clone of the estimator on the training part and predict the test part."""
        X_train, X_test, fit_seconds, predict_seconds = self._prepare(estimator)
        model = clone(estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator)
        options = fit_options(model, self.options)
        start = time.perf_counter()
        try:
            model.fit(X_train, self.y_train, **options)
            fitted = time.perf_counter()
            prediction = predict_whole(model, X_test, n_classes=self.n_classes)
        except Exception as error:
            if self.n_classes and len(np.unique(self.y_train)) == 1:
                msg = "the training rows hold one class only, from which it cannot learn."
                raise InputError(msg) from error
            raise
        done = time.perf_counter()
        return Outcome(
            prediction,
            fit_seconds + fitted - start,
            predict_seconds + done - fitted,
            _size_of(model),
        )

    def _prepare(self, estimator: Any) -> tuple[Any, Any, float, float]:
        """Return training and test rows after all steps but the last, and the seconds they took."""
        state = (self.X_train, self.X_test, 0.0, 0.0)
        if not isinstance(estimator, Pipeline):
            return state
        key: tuple[int, ...] = ()
        for _, step in estimator.steps[:-1]:
            key = (*key, id(step))
            if key not in self._prepared:
                self._prepared[key] = self._apply(step, *state)
            state = self._prepared[key]
        return state

    def _apply(
        self, step: Any, X_train: Any, X_test: Any, fit_seconds: float, predict_seconds: float
    ) -> tuple[Any, Any, float, float]:
        if step is None or step == "passthrough":
            return X_train, X_test, fit_seconds, predict_seconds
        start = time.perf_counter()
        transformer = clone(step)
        train = transformer.fit_transform(X_train, self.y_train)
        fitted = time.perf_counter()
        test = transformer.transform(X_test)
        done = time.perf_counter()
        return train, test, fit_seconds + fitted - start, predict_seconds + done - fitted


def _size_of(model: Any) -> float:
    """Return kilobytes of a fitted model in its serialised form, which nobody keeps."""
    counter = _Counter()
    try:
        pickle.Pickler(counter, protocol=pickle.HIGHEST_PROTOCOL).dump(model)
    except (AttributeError, TypeError, pickle.PicklingError):  # a model made of closures, say
        return float("nan")
    return counter.n_bytes / 1_000


class _Counter:
    """A file that counts what is written to it, and keeps nothing."""

    n_bytes = 0

    def write(self, content: Any) -> int:
        size = len(memoryview(content).cast("B")) if len(content) else 0
        self.n_bytes += size
        return size
