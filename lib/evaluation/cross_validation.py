"""Every model fitted once a fold, every metric from that one fit."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation.metrics import Array, check_scoring, scorers
from lib.resampling import Folds, Positions

MAX_MESSAGE = 200  # characters of a warning or an error that a table shows


@dataclass(frozen=True)
class Scores:
    """What a cross-validation found.

    Attributes
    ----------
    frame : DataFrame with columns model, fold, metric, score
        One row a model, fold (from 1) and metric; higher is better. What failed is not in it.
    times : DataFrame with columns model, fold, fit_seconds, predict_seconds
        A preprocessing that models share is counted in full for each of them.
    predictions : dict of str to ndarray
        Out-of-fold predictions by model: probabilities of shape (n_rows, n_classes), or values of
        shape (n_rows,); means over repeats; NaN for rows that no fold tests.
    failures : DataFrame with columns model, fold, reason
        A fold on which a model raised, or a metric had no value; one sentence each.
    warnings : DataFrame with columns model, warning, count
        What libraries warned about, counted over the folds.
    folds : Folds
        On which all models were compared.
    task : str
        Kind of target.
    scoring : str
        The metric that ranks models, fixed beforehand.
    """

    frame: pd.DataFrame
    times: pd.DataFrame
    predictions: dict[str, Array]
    failures: pd.DataFrame
    warnings: pd.DataFrame
    folds: Folds
    task: str
    scoring: str

    @property
    def models(self) -> list[str]:
        """The models that have at least one score, in the order they were given."""
        return list(dict.fromkeys(self.frame["model"]))

    def by_fold(self, metric: str | None = None) -> pd.DataFrame:
        """Return a table of one metric: one row a fold, one column a model."""
        chosen = self.frame[self.frame["metric"] == (metric or self.scoring)]
        return chosen.pivot_table(index="fold", columns="model", values="score", sort=False)

    def without(self, *models: str) -> Scores:
        """Return the scores of the other models."""

        def rest(table: pd.DataFrame) -> pd.DataFrame:
            return table[~table["model"].isin(models)].reset_index(drop=True)

        return replace(
            self,
            frame=rest(self.frame),
            times=rest(self.times),
            failures=rest(self.failures),
            warnings=rest(self.warnings),
            predictions={k: v for k, v in self.predictions.items() if k not in models},
        )


def cross_validate(
    estimators: Mapping[str, Any],
    dataset: Dataset,
    folds: Folds,
    *,
    scoring: str | None = None,
    n_threads: int = 1,
) -> Scores:
    """Return the scores of several models on the same folds.

    Each model is cloned and fitted once a fold; all metrics come from one prediction. Leading
    steps that pipelines share (the same object, as in `models.baselines`) are fitted once a fold
    for all of them. A model that fails costs its row, never the run.

    Parameters
    ----------
    estimators : mapping of str to scikit-learn estimator
        By the name that tables show.
    dataset : Dataset
        The training rows; sample weights, when it has them, enter fit and metrics. Groups and time
        are handed to a `fit` that names them.
    folds : Folds
        From `resampling.make_folds` on the same rows.
    scoring : str, optional
        The metric that ranks models; the task's default one otherwise.
    n_threads : int
        Of linear algebra and OpenMP. With one, results do not depend on the machine's cores, and
        analyses that run side by side do not slow each other.

    Returns
    -------
    Scores
        Per fold, with out-of-fold predictions.

    Raises
    ------
    InputError
        When there is no model, or `scoring` is not a metric of the task.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(200)
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=4))
    >>> scores = cross_validate({"dummy": DummyClassifier()}, dataset, folds)
    >>> scores.by_fold()["dummy"].tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    scoring = check_scoring(dataset.task, scoring)
    if not estimators:
        msg = "Cross-validation needs at least one model; got none."
        raise InputError(msg)
    record = _Record(dataset)
    with threadpool_limits(n_threads):  # one: sums in one order, seconds of one core
        for number, (train, test) in enumerate(folds, start=1):
            fold = _Fold(dataset, train, test)
            for name, estimator in estimators.items():
                record.add(name, number, fold, estimator)
    return Scores(
        frame=pd.DataFrame(record.scores, columns=["model", "fold", "metric", "score"]),
        times=pd.DataFrame(
            record.times, columns=["model", "fold", "fit_seconds", "predict_seconds"]
        ),
        predictions=record.predictions(),
        failures=pd.DataFrame(record.failures, columns=["model", "fold", "reason"]),
        warnings=record.warnings(),
        folds=folds,
        task=dataset.task,
        scoring=scoring,
    )


@dataclass
class _Outcome:
    """A prediction of the test rows, and the seconds to fit and to predict."""

    prediction: Array
    fit_seconds: float
    predict_seconds: float


class _Fold:
    """One fold's rows, and the preprocessing steps already fitted on its training part."""

    def __init__(self, dataset: Dataset, train: Positions, test: Positions) -> None:
        self.test = test
        self.X_train, self.X_test = dataset.X.iloc[train], dataset.X.iloc[test]
        self.y_train, self.y_test = (dataset.y.to_numpy()[part] for part in (train, test))
        weight = None if dataset.sample_weight is None else dataset.sample_weight.to_numpy()
        # What a model may ask for: a network stops by whole groups, or by the last rows in time.
        self.options = {
            "sample_weight": None if weight is None else weight[train],
            "groups": None if dataset.groups is None else dataset.groups.to_numpy()[train],
            "time": None if dataset.time is None else dataset.time.to_numpy()[train],
        }
        self.weight_test = None if weight is None else weight[test]
        self.n_classes = len(dataset.classes) if dataset.task != "regression" else 0
        self._prepared: dict[tuple[int, ...], tuple[Any, Any, float, float]] = {}

    def evaluate(self, estimator: Any) -> _Outcome:
        """Fit the estimator on the training part and predict the test part."""
        X_train, X_test, fit_seconds, predict_seconds = self._prepare(estimator)
        model = clone(estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator)
        options = {
            name: values
            for name, values in self.options.items()
            if values is not None and has_fit_parameter(model, name)
        }
        start = time.perf_counter()
        model.fit(X_train, self.y_train, **options)
        fitted = time.perf_counter()
        prediction = self._predict(model, X_test)
        done = time.perf_counter()
        return _Outcome(prediction, fit_seconds + fitted - start, predict_seconds + done - fitted)

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

    def _predict(self, model: Any, X_test: Any) -> Array:
        if not self.n_classes:
            predicted: Array = np.asarray(model.predict(X_test), dtype=float).reshape(-1)
            return _check_finite(predicted)
        if not hasattr(model, "predict_proba"):
            msg = "it gives no probabilities: wrap it in CalibratedClassifierCV."
            raise InputError(msg)
        known = np.asarray(model.classes_).astype(int)
        proba: Array = np.zeros((len(self.test), self.n_classes))
        proba[:, known] = model.predict_proba(X_test)  # a class absent from training gets 0
        sums = _check_finite(proba).sum(axis=1, keepdims=True)
        if not np.allclose(sums, 1, atol=1e-3):
            msg = "its probabilities of the classes do not sum to one."
            raise InputError(msg)
        proba /= sums  # models that count in single precision miss one by a hair
        return proba


@dataclass
class _Record:
    """What the folds bring in, as rows of the tables of `Scores`."""

    dataset: Dataset
    scores: list[tuple[str, int, str, float]] = field(default_factory=list)
    times: list[tuple[str, int, float, float]] = field(default_factory=list)
    failures: list[tuple[str, int, str]] = field(default_factory=list)
    _caught: Counter[tuple[str, str]] = field(default_factory=Counter)
    _sums: dict[str, Array] = field(default_factory=dict)
    _counts: dict[str, npt.NDArray[np.intp]] = field(default_factory=dict)

    def add(self, name: str, number: int, fold: _Fold, estimator: Any) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                outcome = fold.evaluate(estimator)
            except Exception as error:  # noqa: BLE001 - any failure of a model is a row of a table
                self.failures.append((name, number, _sentence(error)))
                return
            finally:
                self._caught.update((name, _first_line(w.message)) for w in caught)
        self.times.append((name, number, outcome.fit_seconds, outcome.predict_seconds))
        self._keep(name, fold.test, outcome.prediction)
        for metric in scorers(self.dataset.task).values():
            score = metric.compute(fold.y_test, outcome.prediction, fold.weight_test)
            if np.isfinite(score):
                self.scores.append((name, number, metric.name, score))
            else:
                reason = f"{metric.label} has no value: the test rows hold too few classes."
                self.failures.append((name, number, reason))

    def _keep(self, name: str, test: Positions, prediction: Array) -> None:
        if name not in self._sums:
            self._sums[name] = np.zeros((len(self.dataset.y), *prediction.shape[1:]))
            self._counts[name] = np.zeros(len(self.dataset.y), dtype=np.intp)
        self._sums[name][test] += prediction
        self._counts[name][test] += 1

    def predictions(self) -> dict[str, Array]:
        means = {}
        for name, sums in self._sums.items():
            counts = self._counts[name].astype(float)
            counts[counts == 0] = np.nan
            means[name] = sums / counts.reshape(-1, *[1] * (sums.ndim - 1))
        return means

    def warnings(self) -> pd.DataFrame:
        rows = [(name, text, count) for (name, text), count in self._caught.items()]
        return pd.DataFrame(rows, columns=["model", "warning", "count"])


def _check_finite(prediction: Array) -> Array:
    wrong = int((~np.isfinite(prediction)).reshape(len(prediction), -1).any(axis=1).sum())
    if wrong:
        msg = f"it predicts NaN or infinity on {wrong} of {len(prediction)} test rows."
        raise InputError(msg)
    return prediction


def _first_line(message: object) -> str:
    lines = str(message).strip().splitlines()
    line = lines[0].strip() if lines else ""
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"


def _sentence(error: Exception) -> str:
    if isinstance(error, InputError):
        return _first_line(error)
    return f"{type(error).__name__}: {_first_line(error)}"
