"""Scores by every strategy from the same rows, and nested choice among candidates."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate, corrected_mean
from lib.evaluation.bootstrap import BootstrapErrors, measure_bootstrap, score_of
from lib.evaluation.metrics import Array, Metric, check_scoring, scorers
from lib.evaluation.prepared import PreparedFold
from lib.evaluation.quick_metrics import make_quick
from lib.resampling import (
    ForwardInTime,
    HoldOut,
    Positions,
    PurgedKFold,
    Splitter,
    Strategy,
    list_strategies,
)

Part = tuple[Positions, Positions]
N_INNER = 3  # folds that choose a candidate inside an outer fold


def estimate_scores(
    candidates: Mapping[str, Any],
    dataset: Dataset,
    strategies: Iterable[Strategy] | None = None,
    *,
    fixed: str | None = None,
    scoring: str | None = None,
    level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return what each strategy says about a model, from the same rows.

    Plain strategies judge one fixed candidate. "inner optimum" reports the best mean of all
    candidates on the folds that chose it; "nested" repeats that choice inside each outer fold and
    scores the chosen one on rows that had no part in it: the difference is optimism.

    Parameters
    ----------
    candidates : mapping of str to scikit-learn estimator
        Settings of one model, or models.
    dataset : Dataset
        Training rows; its weights enter the metric.
    strategies : iterable of Strategy, optional
        From `resampling.list_strategies`; all that apply otherwise.
    fixed : str, optional
        The candidate that plain strategies judge; the first one otherwise.
    scoring : str, optional
        A metric of the task; the default one otherwise.
    level : float
        Coverage of the intervals.
    random_state : int
        Seed of the folds.

    Returns
    -------
    DataFrame with columns strategy, judges, chosen, score, naive, n_fits, reason
        One row a strategy that applies. `score` is an Estimate with the Nadeau-Bengio interval,
        `naive` one whose interval takes folds as independent; neither has an interval without at
        least two folds. `chosen` is the candidate. A strategy that failed has NaN and a reason.

    Raises
    ------
    InputError
        When there is no candidate, `fixed` is none of them, or `scoring` is no metric of the task.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.evaluation.neighbours import Neighbours, make_plain
    >>> plain = make_plain(make_planted(200))
    >>> grid = {f"{k} neighbours": Neighbours(k, n_classes=2) for k in (1, 10)}
    >>> cost = estimate_scores(grid, plain).set_index("strategy")["n_fits"]
    >>> cost[["hold-out", "repeated k-fold", "nested"]].tolist()
    [1, 25, 35]
    """
    if not candidates:
        raise InputError("A strategy needs at least one candidate; got none.")
    fixed = next(iter(candidates)) if fixed is None else fixed
    if fixed not in candidates:
        raise InputError(f"There is no candidate '{fixed}'; there are {', '.join(candidates)}.")
    metric = scorers(dataset.task)[check_scoring(dataset.task, scoring)]
    chosen = list_strategies(dataset) if strategies is None else strategies
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about folds without a class: scores say it
        study = _Study(
            candidates, dataset, metric, fixed=fixed, level=level, random_state=random_state
        )
        rows = [study.apply(strategy) for strategy in chosen if strategy.make is not None]
    columns = ["strategy", "judges", "chosen", "score", "naive", "n_fits", "reason"]
    return pd.DataFrame(rows, columns=columns)


def naive_mean(
    scores_per_fold: Sequence[float] | Array,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """Return the mean over folds with the interval that takes folds as independent: too short.

    Parameters
    ----------
    scores_per_fold : array-like of shape (n_folds,)
        At least one, all finite.
    level : float
        Coverage aimed at, and missed.
    bounds : tuple of float
        Lowest and highest possible score.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> print(naive_mean([0.80, 0.82, 0.78, 0.81, 0.79]))
    0.800 [0.780, 0.820]
    """
    scores = np.asarray(scores_per_fold, dtype=float)
    mean = float(scores.mean())
    if len(scores) < 2:
        return Estimate(mean, level=level, method="folds as independent", n=len(scores))
    arm = float(stats.t.ppf((1 + level) / 2, len(scores) - 1))
    arm *= float(scores.std(ddof=1)) / math.sqrt(len(scores))
    low, high = max(mean - arm, bounds[0]), min(mean + arm, bounds[1])
    return Estimate(mean, low, high, level, "folds as independent", len(scores))


class _Study:
    """The fits that strategies share: each model is fitted once on the same rows."""

    def __init__(
        self,
        candidates: Mapping[str, Any],
        dataset: Dataset,
        metric: Metric,
        *,
        fixed: str,
        level: float,
        random_state: int,
    ) -> None:
        self.candidates, self.dataset, self.metric = candidates, dataset, make_quick(metric)
        self.fixed, self.level, self.random_state = fixed, level, random_state
        self.y = dataset.y.to_numpy()
        weight = dataset.sample_weight
        self.weight = None if weight is None else weight.to_numpy()
        self._predicted: dict[tuple[str, bytes, bytes], Array] = {}
        self._parts: dict[str, list[Part]] = {}
        self._errors: BootstrapErrors | None = None

    def apply(self, strategy: Strategy) -> tuple[Any, ...]:
        """Return the row of a strategy; what fails is a row with its reason."""
        name, judges = strategy.name, strategy.judges
        try:
            chosen, score, naive, n_fits = self._apply(strategy)
        except (InputError, ValueError) as error:
            reason, unknown = str(error).splitlines()[0], Estimate(math.nan)
            return name, judges, "", unknown, unknown, 0, reason
        return name, judges, chosen, score, naive, n_fits, ""

    def _apply(self, strategy: Strategy) -> tuple[str, Estimate, Estimate, int]:
        parts = self._split(strategy)
        if strategy.how == "mean":
            scores = [self.score(self.fixed, part) for part in parts]
            return (self.fixed, *self._over_folds(scores, parts), len(parts))
        if strategy.how == "inner":
            best, scores = self._choose(parts)
            return (best, *self._over_folds(scores, parts), len(parts) * len(self.candidates) + 1)
        if strategy.how == "nested":
            return self._nest(strategy, parts)
        return self._bootstrap(strategy, parts)

    def _split(self, strategy: Strategy) -> list[Part]:
        assert strategy.make is not None
        return self._parts_of(strategy.make(self.dataset, self.random_state))

    def _parts_of(self, cv: Any) -> list[Part]:
        """Return the parts of a splitter; what strategies have in common is split once."""
        if isinstance(cv, Splitter):
            return [part for repeat in cv.repeats for part in self._parts_of(repeat)]
        if isinstance(cv, HoldOut):
            return [self._parts_of(cv.cv)[cv.which]]
        groups = None if self.dataset.groups is None else self.dataset.groups.to_numpy()
        if isinstance(cv, (ForwardInTime, PurgedKFold)):  # their words do not tell all
            return list(cv.split(self.dataset.X, self.y, groups))
        if repr(cv) not in self._parts:
            self._parts[repr(cv)] = list(cv.split(self.dataset.X, self.y, groups))
        return self._parts[repr(cv)]

    def predict(self, name: str, part: Part) -> Array:
        """Return predictions of the test rows by a candidate fitted on the training rows."""
        train, test = part
        key = (name, train.tobytes(), test.tobytes())
        if key not in self._predicted:
            fold = PreparedFold(self.dataset, train, test)
            self._predicted[key] = fold.evaluate(self.candidates[name]).prediction
        return self._predicted[key]

    def score(self, name: str, part: Part) -> float:
        """Return a candidate's score on the test rows of a part; NaN where it is undefined."""
        test, prediction = part[1], self.predict(name, part)
        weight = None if self.weight is None else self.weight[test]
        return self.metric.compute(self.y[test], prediction, weight)

    def _choose(self, parts: list[Part]) -> tuple[str, list[float]]:
        """Return the candidate with the best mean, the first of equals, and its scores."""
        table = {name: [self.score(name, part) for part in parts] for name in self.candidates}
        means = {name: _mean(scores) for name, scores in table.items()}
        best = max(means, key=lambda name: (not math.isnan(means[name]), means[name]))
        return best, table[best]

    def _nest(self, strategy: Strategy, parts: list[Part]) -> tuple[str, Estimate, Estimate, int]:
        assert strategy.make is not None
        scores, picks, used, n_fits = [], [], [], 0
        for train, test in parts:
            try:
                inner = self._inner_parts(strategy, train)
            except InputError:  # the first fold forward in time may be too short to be cut again
                continue
            best, _ = self._choose(inner)
            picks.append(best)
            used.append((train, test))
            scores.append(self.score(best, (train, test)))
            n_fits += len(inner) * len(self.candidates) + 1
        if len(used) < 2:
            msg = "Choosing a model inside folds needs two with enough rows to be cut again; got "
            raise InputError(f"{msg}{len(used)} of {len(parts)}: use more rows.")
        most = max(dict.fromkeys(picks), key=picks.count)
        return (most, *self._over_folds(scores, used), n_fits)

    def _inner_parts(self, strategy: Strategy, train: Positions) -> list[Part]:
        """Return folds of the training rows of an outer fold, in positions of the dataset."""
        assert strategy.make is not None
        part = self.dataset.take(train)
        groups = None if part.groups is None else part.groups.to_numpy()
        fewer = [s for s in list_strategies(part, n_splits=N_INNER) if s.name == strategy.name]
        make = fewer[0].make if fewer and fewer[0].make is not None else strategy.make
        cv = make(part, self.random_state)
        pairs = cv.split(part.X, part.y.to_numpy(), groups)
        return [(train[inner], train[held]) for inner, held in pairs]

    def _bootstrap(
        self, strategy: Strategy, parts: list[Part]
    ) -> tuple[str, Estimate, Estimate, int]:
        if self._errors is None:  # three rules read the same fits
            everything = np.arange(len(self.y))
            fitted = self.predict(self.fixed, (everything, everything))
            out = [(part[1], self.predict(self.fixed, part)) for part in parts]
            self._errors = measure_bootstrap(self.metric, self.y, fitted, out, weight=self.weight)
        errors = self._errors
        error = {
            "out of bag": errors.out_of_bag,
            ".632": errors.rule_632,
            ".632+": errors.rule_632_plus,
        }[strategy.how]
        if math.isnan(error):
            reason = f"{self.metric.label} has no known value without information"
            raise InputError(f"{reason}, which {strategy.name} needs.")
        value = score_of(self.metric, error, self.y, self.weight)
        estimate = Estimate(value, level=self.level, method=strategy.name, n=len(parts))
        n_fits = len(parts) + (strategy.how != "out of bag")
        return self.fixed, estimate, estimate, n_fits

    def _over_folds(self, scores: list[float], parts: list[Part]) -> tuple[Estimate, Estimate]:
        """Return the mean over folds that have a score, with both intervals."""
        finite = [score for score in scores if math.isfinite(score)]
        if 2 * len(finite) <= len(scores):
            lacking = f"{len(scores) - len(finite)} of {len(scores)} folds"
            raise InputError(f"{self.metric.label} has no value on {lacking}.")
        ratio = float(np.mean([len(test) / len(train) for train, test in parts]))
        corrected = corrected_mean(
            finite, ratio / (1 + ratio), level=self.level, bounds=self.metric.bounds
        )
        return corrected, naive_mean(finite, level=self.level, bounds=self.metric.bounds)


def _mean(scores: list[float]) -> float:
    finite = [score for score in scores if math.isfinite(score)]
    return float(np.mean(finite)) if finite else math.nan
