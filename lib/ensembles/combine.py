"""Ensembles of tracked candidates, from out-of-fold predictions: nothing is fitted again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.ensembles.methods import METHODS, Combiner, Floats, Score, Stacking, make_combiner
from lib.errors import InputError
from lib.estimates import corrected_t_test, holm
from lib.evaluation.metrics import check_scoring, scorers
from lib.evaluation.quick_metrics import make_quick
from lib.resampling import Folds

MIN_ROWS = 20  # to learn weights from; below, members count alike
WEIGHTING = ("weighted", "greedy")
BLEND_SHARE = 0.3  # of the rows that a blend learns its weights from


@dataclass(frozen=True)
class Members:
    """Candidates whose out-of-fold predictions are known on every fold.

    Attributes
    ----------
    names : tuple of str
        Of the candidates.
    parts : ndarray of shape (n_members, n_tested, n_classes) or (n_members, n_tested)
        Their predictions, one fold after another.
    dataset : Dataset
        The training rows.
    folds : Folds
        Of the predictions.
    """

    names: tuple[str, ...]
    parts: Floats
    dataset: Dataset
    folds: Folds

    def take(self, names: Sequence[str]) -> Members:
        """Return some of the members."""
        chosen = [self.names.index(name) for name in names]
        return Members(tuple(names), self.parts[chosen], self.dataset, self.folds)

    @property
    def y(self) -> Floats:
        """Labels of the tested rows, one fold after another."""
        tested = np.concatenate([test for _, test in self.folds])
        return np.asarray(self.dataset.y.to_numpy(dtype=float)[tested])


def gather_members(
    predictions: Mapping[str, Floats],
    dataset: Dataset,
    folds: Folds,
    *,
    leave_out: Iterable[str] = ("dummy",),
) -> Members:
    """Return the candidates that can be combined: those with a prediction on every fold.

    Parameters
    ----------
    predictions : mapping of str to ndarray
        By candidate, as `Scores.parts`.
    dataset : Dataset
        The training rows.
    folds : Folds
        Of the predictions.
    leave_out : iterable of str
        Candidates that are no members.

    Returns
    -------
    Members
        In the order given.

    Raises
    ------
    InputError
        When fewer than two candidates can be combined.
    """
    n_tested = sum(len(test) for _, test in folds)
    names = [
        name
        for name, parts in predictions.items()
        if name not in set(leave_out) and len(parts) == n_tested and np.isfinite(parts).all()
    ]
    if len(names) < 2:
        raise InputError(
            f"An ensemble needs two candidates with predictions on every fold; there "
            f"{'is one' if names else 'is none'}: {', '.join(predictions) or 'nothing tracked'}. "
            "Run more models: nox -s run_analyses -- 11 12"
        )
    parts = np.stack([np.asarray(predictions[name], dtype=float) for name in names])
    return Members(tuple(names), parts, dataset, folds)


def combine(
    members: Members,
    methods: Sequence[str] = METHODS,
    *,
    scoring: str | None = None,
    random_state: int = 0,
) -> tuple[dict[str, Floats], pd.DataFrame]:
    """Return the out-of-fold predictions of ensembles, and the weights that they used.

    What an ensemble learns for one fold, it learns from the out-of-fold predictions of rows in
    that fold's training part: the rows that it is scored on take no part. (The members predicted
    those rows with models that had seen the fold; that echo is small against what it saves, as
    the planted tests show.) Folds in time learn from earlier folds alone, and the first votes.

    Parameters
    ----------
    members : Members
        From `gather_members`.
    methods : sequence of {"voting", "weighted", "stacking", "greedy", "blending"}
        Which ensembles; "blending" is stacking that learns from a third of the rows, as it would
        with a single hold-out.
    scoring : str, optional
        What greedy selection maximises; the task's default metric otherwise.
    random_state : int
        Seed of bags and of the blend's rows.

    Returns
    -------
    dict of str to ndarray
        By method, as `Scores.parts`.
    DataFrame
        method, fold, member, weight; methods that have no weights are not in it. Where a fold
        leaves too few rows to learn from, members count alike.

    Raises
    ------
    InputError
        When a method or the metric is unknown.
    """
    score = make_score(members, scoring)
    y, rows = members.y, []
    combined = {method: np.empty(members.parts.shape[1:]) for method in methods}
    for number, (own, learn) in enumerate(_plan(members.folds), start=1):
        for method in methods:
            combiner = fit_combiner(method, members.parts[:, learn], y[learn], score, random_state)
            combined[method][own] = within(combiner.predict(members.parts[:, own]))
            weights = getattr(combiner, "weights", ())
            if method in WEIGHTING and not len(weights):  # too few rows: the members vote
                weights = np.full(len(members.names), 1 / len(members.names))
            rows += [
                (method, number, name, float(weight))
                for name, weight in zip(members.names, weights, strict=False)
            ]
    return combined, pd.DataFrame(rows, columns=["method", "fold", "member", "weight"])


def has_rows_to_learn(members: Members) -> bool:
    """Say whether some fold leaves enough rows to learn weights from; else all methods vote.

    Parameters
    ----------
    members : Members
        From `gather_members`.

    Returns
    -------
    bool
        False on the smallest tables, where every ensemble is the plain mean.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> tables = [make_planted(n) for n in (20, 400)]
    >>> folds = [make_folds(table, make_cv(table)) for table in tables]
    >>> [has_rows_to_learn(SimpleNamespace(folds=each)) for each in folds]
    [False, True]
    """
    return any(len(learn) >= MIN_ROWS for _, learn in _plan(members.folds))


def fit_combiner(
    method: str, parts: Floats, y: Floats, score: Score, random_state: int
) -> Combiner:
    """Fit a way to combine, or let members vote where there is too little to learn from."""
    stacked = method in {"stacking", "blending"}
    if method == "blending":
        rng = np.random.default_rng(random_state)
        kept = np.sort(rng.permutation(len(y))[: max(round(BLEND_SHARE * len(y)), 0)])
        parts, y = parts[:, kept], y[kept]
    needs_classes = stacked and parts.ndim == 3
    if len(y) < MIN_ROWS or (needs_classes and len(np.unique(y)) < parts.shape[2]):
        return make_combiner("voting", score=score)
    with threadpool_limits(1):  # sums in one order: the same figures on every machine
        if method == "blending":
            return Stacking().fit(parts, y)
        return make_combiner(method, score=score, random_state=random_state).fit(parts, y)


def _plan(folds: Folds) -> list[tuple[slice, npt.NDArray[np.intp]]]:
    """Return for each fold its place among the tested rows, and the places to learn from.

    Those are the tested rows of the same repeat that lie in the fold's training part.
    """
    tested = [test for _, test in folds]
    starts = np.concatenate([[0], np.cumsum([len(test) for test in tested])])
    repeats = _repeats(tested)
    plan = []
    for number, (train, test) in enumerate(folds):
        own = slice(int(starts[number]), int(starts[number]) + len(test))
        in_train = np.zeros(int(max(map(np.max, (train, *tested)))) + 1, dtype=bool)
        in_train[train] = True
        learn = [
            np.arange(starts[other], starts[other + 1])[in_train[tested[other]]]
            for other in range(len(tested))
            if other != number and repeats[other] == repeats[number]
        ]
        plan.append((own, np.concatenate([np.empty(0, dtype=np.intp), *learn]).astype(np.intp)))
    return plan


def _repeats(tested: Sequence[npt.NDArray[np.intp]]) -> list[int]:
    """Return which repeat of the cross-validation each fold belongs to."""
    numbers, seen, repeat = [], set[int](), 0
    for test in tested:
        if not seen.isdisjoint(test.tolist()):
            repeat, seen = repeat + 1, set()
        seen.update(test.tolist())
        numbers.append(repeat)
    return numbers


def within(prediction: Floats) -> Floats:
    """Return probabilities that add up to one exactly; values as they are."""
    if prediction.ndim == 1:
        return prediction
    clipped = np.clip(prediction, 0.0, 1.0)
    return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def make_score(members: Members, scoring: str | None) -> Score:
    """Return the metric of the members' task as a function of labels and predictions."""
    task = members.dataset.task
    metric = make_quick(scorers(task)[check_scoring(task, scoring)])  # asked thousands of times

    def score(y: Floats, prediction: Floats) -> float:
        labels = y if task == "regression" else y.astype(int)
        return metric.compute(labels, prediction, None)

    return score


def compute_diversity(members: Members) -> pd.DataFrame:
    """Return how alike the errors of each pair of members are.

    Parameters
    ----------
    members : Members
        From `gather_members`.

    Returns
    -------
    DataFrame of shape (n_members, n_members)
        Pearson's correlation of errors: of what a member left of the right class's probability,
        or of residuals. 1 for members that err alike, which gain nothing from one another.
    """
    y = members.y
    if members.parts.ndim == 3:
        errors = 1 - members.parts[:, np.arange(len(y)), y.astype(int)]
    else:
        errors = members.parts - y
    spread = errors.std(axis=1)
    matrix = np.eye(len(errors))
    varied = np.flatnonzero(spread > 0)
    if len(varied) > 1:
        matrix[np.ix_(varied, varied)] = np.corrcoef(errors[varied])
    names = list(members.names)
    return pd.DataFrame(matrix, index=names, columns=names)


def compute_contributions(
    members: Members,
    method: str,
    *,
    scoring: str | None = None,
    level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return what an ensemble loses when one member is left out.

    Parameters
    ----------
    members : Members
        At least three: without one, two must remain.
    method : str
        Of the ensemble, as in `combine`.
    scoring : str, optional
        The metric; the task's default one otherwise.
    level : float
        Coverage of the intervals.
    random_state : int
        Seed of the ensemble.

    Returns
    -------
    DataFrame
        member, contribution (Estimate: score with it minus score without it, over folds,
        corrected for overlap), p_value (Holm over the members); the largest first. Empty for two
        members.
    """
    names = list(members.names)
    if len(names) < 3:
        return pd.DataFrame(columns=["member", "contribution", "p_value"])
    options: dict[str, Any] = {"scoring": scoring, "random_state": random_state}
    score = make_score(members, scoring)
    full = _by_fold(members, combine(members, [method], **options)[0][method], score)
    tests = []
    for name in names:
        rest = members.take([other for other in names if other != name])
        without = _by_fold(rest, combine(rest, [method], **options)[0][method], score)
        known = np.isfinite(full) & np.isfinite(without)
        gains = (full - without)[known]
        tests.append(corrected_t_test(gains, members.folds.test_fraction, level=level))
    table = pd.DataFrame({"member": names})
    table["contribution"] = [test.difference for test in tests]
    table["p_value"] = holm([test.p_value for test in tests])
    order = np.argsort([-test.difference.value for test in tests], kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _by_fold(members: Members, combined: Floats, score: Score) -> Floats:
    y = members.y
    values = []
    for own, _ in _plan(members.folds):
        values.append(score(y[own], combined[own]))
    return np.array(values)
