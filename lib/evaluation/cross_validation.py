"""Every model fitted once a fold, every metric from that one fit."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation.metrics import Array, check_scoring, scorers
from lib.evaluation.prepared import PreparedFold
from lib.evaluation.scores import Scores
from lib.resampling import Folds, Positions

MAX_MESSAGE = 200  # characters of a warning or an error that a table shows


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
                held = "too few classes" if fold.n_classes else "one row, or one value"
                reason = f"{metric.label} has no value: the test rows hold {held}."
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


def _first_line(message: object) -> str:
    lines = str(message).strip().splitlines()
    line = lines[0].strip() if lines else ""
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"


def _sentence(error: Exception) -> str:
    if isinstance(error, InputError):
        return _first_line(error)
    return f"{type(error).__name__}: {_first_line(error)}"
