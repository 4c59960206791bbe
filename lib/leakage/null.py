"""The null run: the whole modelling logic on permuted labels, where nothing can be learned."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate
from lib.estimates.estimate import ratio
from lib.features import make_preprocessor
from lib.resampling import make_cv, make_folds
from lib.resampling.splitters import Positions

BuildAndScore = Callable[[Dataset], float]
CHANCE = {"binary": 0.5, "multiclass": 0.5, "regression": 0.0}


@dataclass(frozen=True)
class NullRun:
    """What a modelling logic scores where nothing can be learned.

    Attributes
    ----------
    mean : Estimate
        Mean score over the permutations with Student's interval.
    chance : float
        What an honest logic scores on average.
    p_value : float
        Of a mean as high when the truth is chance, one-sided.
    scores : tuple of float
        One a permutation.
    scheme : str
        How labels were permuted, in words.
    """

    mean: Estimate
    chance: float
    p_value: float
    scores: tuple[float, ...]
    scheme: str

    def is_alarm(self, alpha: float = 0.05) -> bool:
        """Whether the logic knows labels that it could not have learned."""
        return self.p_value < alpha


def null_run(
    build_and_score: BuildAndScore,
    dataset: Dataset,
    n_permutations: int = 20,
    *,
    chance: float | None = None,
    level: float = 0.95,
    random_state: int = 0,
) -> NullRun:
    """Return what the whole modelling logic scores on permuted labels.

    Selection, encoding, resampling or tuning that sees the rows it is later scored on finds
    something even there. An honest logic scores at chance or below, whatever the features, so a
    mean above chance is an alarm (after [1]_, [2]_). With groups, whole groups exchange their
    labels, so that a splitter that tears groups apart is caught too. Otherwise, and also where
    rows have a time, single labels are exchanged: a label that kept its season would be
    predicted honestly.

    Parameters
    ----------
    build_and_score : callable
        Takes a dataset and returns a score, higher is better: everything from the first look at
        the target to the final number. A measure of ranking (area under the ROC curve, a
        correlation) shows small leaks best.
    dataset : Dataset
        Training rows; its labels are permuted.
    n_permutations : int
        At least 3.
    chance : float, optional
        What guessing scores; by default 0.5 for classes (area under the ROC curve) and 0 for
        numbers (R², a correlation). Give it for any other score.
    level : float
        Coverage of the interval.
    random_state : int
        Seed of the permutations.

    Returns
    -------
    NullRun

    Raises
    ------
    InputError
        When a score is not finite, or permutations are too few.

    References
    ----------
    .. [1] M. Ojala, G. Garriga (2010). Permutation tests for studying classifier performance.
       JMLR 11:1833.
    .. [2] C. Ambroise, G. McLachlan (2002). Selection bias in gene extraction on the basis of
       microarray gene-expression data. PNAS 99:6562.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> run = null_run(score_linear, make_planted(150), 5)
    >>> run.is_alarm(0.01)
    False
    """
    if n_permutations < 3:
        raise InputError(f"A null run needs at least 3 permutations, got {n_permutations}.")
    chance = CHANCE[dataset.task] if chance is None else chance
    rng = np.random.default_rng(random_state)
    scores = []
    for number in range(n_permutations):
        permuted = replace(dataset, y=permute_labels(dataset, rng))
        score = float(build_and_score(permuted))
        if not math.isfinite(score):
            raise InputError(f"Permutation {number + 1} scored {score}: expected a finite number.")
        scores.append(score)
    scheme = "single labels exchanged"
    if dataset.groups is not None:
        scheme = f"labels exchanged between groups ({dataset.groups.name})"
    return _summarise(scores, chance, level, scheme)


def _summarise(scores: list[float], chance: float, level: float, scheme: str) -> NullRun:
    mean, n = float(np.mean(scores)), len(scores)
    error = float(np.std(scores, ddof=1)) / math.sqrt(n)
    arm = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    p_value = float(stats.t.sf(ratio(mean - chance, error), n - 1))
    estimate = Estimate(mean, mean - arm, mean + arm, level, "Student", n)
    return NullRun(estimate, chance, p_value, tuple(scores), scheme)


def permute_labels(dataset: Dataset, rng: np.random.Generator) -> pd.Series:
    """Return the target in another order: by rows, or between whole groups where there are any.

    Labels are laid out group after group, the groups in random order, over the rows laid out
    group after group in another random order. So a group's labels mostly stay together; within a
    group their order is random, or what differs between its rows would still be learned.

    Parameters
    ----------
    dataset : Dataset
        Target and groups.
    rng : numpy Generator
        Source of the order.

    Returns
    -------
    Series
        The same values.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> planted = make_planted(100)
    >>> permuted = permute_labels(planted, np.random.default_rng(0))
    >>> bool((permuted == planted.y).all()), int(permuted.sum()) == int(planted.y.sum())
    (False, True)
    """
    values = dataset.y.to_numpy()
    if dataset.groups is None:
        return pd.Series(rng.permutation(values), name=dataset.y.name)
    codes = pd.factorize(dataset.groups)[0]
    n_groups = int(codes.max()) + 1
    source, target = (
        np.lexsort((rng.random(len(codes)), rng.permutation(n_groups)[codes])) for _ in "ab"
    )
    permuted = np.empty_like(values)
    permuted[target] = values[source]
    return pd.Series(permuted, name=dataset.y.name)


def score_linear(dataset: Dataset, *, n_splits: int = 3, random_state: int = 0) -> float:
    """Return how well the study's preprocessing and a linear model rank rows, over its own folds.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    n_splits : int
        Folds.
    random_state : int
        Seed of the folds.

    Returns
    -------
    float
        Mean over folds of the area under the ROC curve (of several classes: each against the
        rest), or of the correlation with numbers.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> score_linear(make_planted(300)) > 0.6
    True
    """
    folds = make_folds(dataset, make_cv(dataset, n_splits=n_splits, random_state=random_state))
    prepared = make_preprocessor(dataset, kind="linear", random_state=random_state)
    parts = (_prepare(prepared, dataset, train, test) for train, test in folds)
    return _score_parts(parts, dataset)


@dataclass(frozen=True)
class _Part:
    """A fold: positions and prepared features of its two sides."""

    train: Positions
    test: Positions
    X_train: Any
    X_test: Any


def _prepare(prepared: Any, dataset: Dataset, train: Positions, test: Positions) -> _Part:
    X, y = dataset.X, dataset.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X_train = prepared.fit_transform(X.iloc[train], y.iloc[train])
        return _Part(train, test, X_train, prepared.transform(X.iloc[test]))


def _score_parts(parts: Iterable[_Part], dataset: Dataset) -> float:
    y = dataset.y
    scores = []
    for part in parts:
        if y.iloc[part.train].nunique() < 2:  # a class so rare that a fold missed it
            continue
        model = Ridge() if dataset.task == "regression" else LogisticRegression(max_iter=100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(part.X_train, y.iloc[part.train])
            score = _rank(model, part.X_test, y.iloc[part.test], dataset.task)
        if math.isfinite(score):
            scores.append(score)
    return float(np.mean(scores)) if scores else CHANCE[dataset.task]


def share_preparation(
    dataset: Dataset, *, n_splits: int = 3, random_state: int = 0, preprocessor: Any = None
) -> BuildAndScore:
    """Return `score_linear` on the folds of one table, for many orders of its labels.

    Preprocessing is most of the work. Where it does not look at labels, which is tried out on the
    first fold, it is fitted once a fold; else once a fold and order, as in `score_linear`.

    Parameters
    ----------
    dataset : Dataset
        Training rows; what comes later differs in its labels alone.
    n_splits : int
        Folds.
    random_state : int
        Seed of the folds.
    preprocessor : scikit-learn transformer, optional
        By default the study's own.

    Returns
    -------
    callable
        For `null_run`.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> planted = make_planted(150)
    >>> null_run(share_preparation(planted), planted, 5).is_alarm(0.01)
    False
    """
    folds = make_folds(dataset, make_cv(dataset, n_splits=n_splits, random_state=random_state))
    if preprocessor is None:
        preprocessor = make_preprocessor(dataset, kind="linear", random_state=random_state)
    first = _prepare(preprocessor, dataset, *folds.parts[0])
    other = replace(dataset, y=permute_labels(dataset, np.random.default_rng(random_state)))
    again = _prepare(preprocessor, other, *folds.parts[0])
    if not _are_equal(first, again):
        return lambda permuted: _score_parts(
            (_prepare(preprocessor, permuted, train, test) for train, test in folds), permuted
        )
    parts = [first, *(_prepare(preprocessor, dataset, *fold) for fold in folds.parts[1:])]
    return partial(_score_parts, parts)


def _are_equal(one: _Part, other: _Part) -> bool:
    pairs = ((one.X_train, other.X_train), (one.X_test, other.X_test))
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _rank(model: Any, X: pd.DataFrame, y: pd.Series, task: str) -> float:
    if task == "regression":
        predicted = model.predict(X)
        if np.ptp(predicted) == 0 or y.nunique() < 2:
            return 0.0
        return float(np.corrcoef(predicted, y)[0, 1])
    proba = model.predict_proba(X)
    known = [k for k, label in enumerate(model.classes_) if 0 < (y == label).sum() < len(y)]
    areas = [roc_auc_score(y == model.classes_[k], proba[:, k]) for k in known]
    weights = [float((y == model.classes_[k]).sum()) for k in known]
    return float(np.average(areas, weights=weights)) if areas else math.nan
