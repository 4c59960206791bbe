"""Every model fitted once a fold, every metric from that one fit."""

from __future__ import annotations

import pickle
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation.fitting import columns_for_fit, fit_options, predict_whole
from lib.evaluation.metrics import Array, Metric, check_scoring, scorers
from lib.resampling import Folds, Positions

MAX_MESSAGE = 200  # characters of a warning or an error that a table shows


@dataclass(frozen=True)
class Scores:
    """What a cross-validation found.

    Attributes
    ----------
    frame : DataFrame with columns model, fold, metric, score
        One row a model, fold (from 1) and metric; higher is better. What failed is not in it.
    times : DataFrame with columns model, fold, fit_seconds, predict_seconds, kilobytes
        A preprocessing that models share is counted in full for each of them; the size is that
        of the fitted model without it.
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
    parts : dict of str to ndarray
        Predictions of the test rows of every fold, one fold after another: as `predictions`, but
        apart for each repeat. NaN for a fold on which the model failed.
    estimators : dict of str to scikit-learn estimator
        As they were given, unfitted; without those that differ from fold to fold.
    """

    frame: pd.DataFrame
    times: pd.DataFrame
    predictions: dict[str, Array]
    failures: pd.DataFrame
    warnings: pd.DataFrame
    folds: Folds
    task: str
    scoring: str
    parts: dict[str, Array] = field(default_factory=dict, repr=False)
    estimators: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def models(self) -> list[str]:
        """The models that have at least one score, in the order they were given."""
        return list(dict.fromkeys(self.frame["model"]))

    def by_fold(self, metric: str | None = None) -> pd.DataFrame:
        """Return a table of one metric: one row a fold, one column a model."""
        chosen = self.frame[self.frame["metric"] == (metric or self.scoring)]
        return chosen.pivot_table(index="fold", columns="model", values="score", sort=False)

    def only(self, *models: str) -> Scores:
        """Return the scores of some of the models, with all that belongs to them."""

        def own(table: pd.DataFrame) -> pd.DataFrame:
            return table[table["model"].isin(models)].reset_index(drop=True)

        return replace(
            self,
            frame=own(self.frame),
            times=own(self.times),
            failures=own(self.failures),
            warnings=own(self.warnings),
            predictions={k: v for k, v in self.predictions.items() if k in models},
            parts={k: v for k, v in self.parts.items() if k in models},
            estimators={k: v for k, v in self.estimators.items() if k in models},
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
    estimators : mapping of str to scikit-learn estimator, or to a list of them
        By the name that tables show; a list holds one for each fold, as nested tuning makes.
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
    for name, given in estimators.items():
        if isinstance(given, list) and len(given) != len(folds):
            msg = f"'{name}' has {len(given)} estimators for {len(folds)} folds: give one for each."
            raise InputError(msg)
    record = _Record(dataset)
    with threadpool_limits(n_threads):  # one: sums in one order, seconds of one core
        for number, (train, test) in enumerate(folds, start=1):
            fold = PreparedFold(dataset, train, test)
            for name, estimator in estimators.items():
                per_fold = estimator[number - 1] if isinstance(estimator, list) else estimator
                record.add(name, number, fold, per_fold)
    return Scores(
        frame=pd.DataFrame(record.scores, columns=["model", "fold", "metric", "score"]),
        times=pd.DataFrame(
            record.times,
            columns=["model", "fold", "fit_seconds", "predict_seconds", "kilobytes"],
        ),
        predictions=record.predictions(),
        failures=pd.DataFrame(record.failures, columns=["model", "fold", "reason"]),
        warnings=record.warnings(),
        folds=folds,
        task=dataset.task,
        scoring=scoring,
        parts=record.parts(folds),
        estimators={k: given for k, given in estimators.items() if not isinstance(given, list)},
    )


def score_predictions(
    parts: Mapping[str, Array], dataset: Dataset, folds: Folds, *, scoring: str | None = None
) -> Scores:
    """Return the scores of predictions that are there already, as `cross_validate` would.

    Parameters
    ----------
    parts : mapping of str to ndarray
        By model, as `Scores.parts`; folds with NaN are failures.
    dataset : Dataset
        The training rows.
    folds : Folds
        Those of the predictions.
    scoring : str, optional
        The metric that ranks models; the task's default one otherwise.

    Returns
    -------
    Scores
        Without times and warnings.

    Raises
    ------
    InputError
        When predictions and folds differ in length.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(200)
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=4))
    >>> scores = cross_validate({"dummy": DummyClassifier()}, dataset, folds)
    >>> again = score_predictions(scores.parts, dataset, folds)
    >>> again.frame.equals(scores.frame)
    True
    """
    scoring = check_scoring(dataset.task, scoring)
    record = _Record(dataset)
    n_tested = sum(len(test) for _, test in folds)
    for name, given in parts.items():
        if len(given) != n_tested:
            msg = f"'{name}' has {len(given)} predictions; the folds test {n_tested} rows."
            raise InputError(msg)
    ends = np.cumsum([len(test) for _, test in folds])
    for number, ((train, test), end) in enumerate(zip(folds, ends, strict=True), start=1):
        fold = PreparedFold(dataset, train, test)
        for name, given in parts.items():
            own = given[end - len(test) : end]
            if np.isfinite(own).all():
                record.keep(name, number, fold, own)
            else:
                record.failures.append((name, number, "it has no prediction for these rows."))
    return Scores(
        frame=pd.DataFrame(record.scores, columns=["model", "fold", "metric", "score"]),
        times=pd.DataFrame(columns=["model", "fold", "fit_seconds", "predict_seconds"]),
        predictions=record.predictions(),
        failures=pd.DataFrame(record.failures, columns=["model", "fold", "reason"]),
        warnings=record.warnings(),
        folds=folds,
        task=dataset.task,
        scoring=scoring,
        parts=dict(parts),
    )


@dataclass
class _Outcome:
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

    def evaluate(self, estimator: Any) -> _Outcome:
        """Fit a clone of the estimator on the training part and predict the test part."""
        X_train, X_test, fit_seconds, predict_seconds = self._prepare(estimator)
        model = clone(estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator)
        options = fit_options(model, self.options)
        start = time.perf_counter()
        model.fit(X_train, self.y_train, **options)
        fitted = time.perf_counter()
        prediction = predict_whole(model, X_test, n_classes=self.n_classes)
        done = time.perf_counter()
        return _Outcome(
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


@dataclass
class _Record:
    """What the folds bring in, as rows of the tables of `Scores`."""

    dataset: Dataset
    scores: list[tuple[str, int, str, float]] = field(default_factory=list)
    times: list[tuple[str, int, float, float, float]] = field(default_factory=list)
    failures: list[tuple[str, int, str]] = field(default_factory=list)
    _caught: Counter[tuple[str, str]] = field(default_factory=Counter)
    _parts: dict[str, dict[int, tuple[Positions, Array]]] = field(default_factory=dict)

    def add(self, name: str, number: int, fold: PreparedFold, estimator: Any) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                outcome = fold.evaluate(estimator)
            except Exception as error:  # noqa: BLE001 - any failure of a model is a row of a table
                self.failures.append((name, number, _sentence(error)))
                return
            finally:
                self._caught.update((name, _first_line(w.message)) for w in caught)
        seconds = (outcome.fit_seconds, outcome.predict_seconds)
        self.times.append((name, number, *seconds, outcome.kilobytes))
        self.keep(name, number, fold, outcome.prediction)

    def keep(self, name: str, number: int, fold: PreparedFold, prediction: Array) -> None:
        self._parts.setdefault(name, {})[number] = (fold.test, prediction)
        for metric in scorers(self.dataset.task).values():
            score = metric.compute(fold.y_test, prediction, fold.weight_test)
            if np.isfinite(score):
                self.scores.append((name, number, metric.name, score))
            else:
                reason = f"{metric.label} has no value: the test rows hold too few classes."
                self.failures.append((name, number, reason))

    def predictions(self) -> dict[str, Array]:
        means = {}
        for name, parts in self._parts.items():
            _, first = next(iter(parts.values()))
            sums = np.zeros((len(self.dataset.y), *first.shape[1:]))
            counts = np.zeros(len(self.dataset.y))
            for test, prediction in parts.values():
                sums[test] += prediction
                counts[test] += 1
            counts[counts == 0] = np.nan
            means[name] = sums / counts.reshape(-1, *[1] * (sums.ndim - 1))
        return means

    def parts(self, folds: Folds) -> dict[str, Array]:
        made = {}
        for name, parts in self._parts.items():
            _, first = next(iter(parts.values()))
            each = [
                parts[number][1]
                if number in parts
                else np.full((len(test), *first.shape[1:]), np.nan)
                for number, (_, test) in enumerate(folds, start=1)
            ]
            made[name] = np.concatenate(each)
        return made

    def warnings(self) -> pd.DataFrame:
        rows = [(name, text, count) for (name, text), count in self._caught.items()]
        return pd.DataFrame(rows, columns=["model", "warning", "count"])


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


def _first_line(message: object) -> str:
    lines = str(message).strip().splitlines()
    line = lines[0].strip() if lines else ""
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"


def _sentence(error: Exception) -> str:
    if isinstance(error, InputError):
        return _first_line(error)
    return f"{type(error).__name__}: {_first_line(error)}"
