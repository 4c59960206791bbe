"""Scores side by side: intervals that know folds overlap, paired tests, a verdict in words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from lib.errors import InputError, suggest
from lib.estimates import Estimate, PairedTest, corrected_mean, corrected_t_test, holm
from lib.evaluation.metrics import check_scoring, scorers
from lib.evaluation.scores import Scores

BETTER, SAME, WORSE = "better", "not distinguishable", "worse"
REFERENCE, BEST, UNTESTED = "reference", "best", "not tested"
SAME_DIGITS = 1e-12  # two scores that differ by less, relative to their size, are one


def compare(
    scores: Scores,
    *,
    reference: str = "dummy",
    scoring: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return each model's score with its interval, tested against a reference and the best.

    Differences are taken fold by fold; tests are Nadeau and Bengio's corrected t, adjusted by Holm
    over the models. Being the best of many is partly luck, which the tests against the best do
    not correct for: a small gap to it means little.

    Parameters
    ----------
    scores : Scores
        From `cross_validate`.
    reference : str
        The model to beat.
    scoring : str, optional
        Another metric than the one fixed beforehand.
    level : float
        Coverage of the intervals; one minus it is the level of the tests.

    Returns
    -------
    DataFrame
        Best first. model; score (Estimate over folds); difference (Estimate, against the
        reference, positive when better), p_value, verdict ("better", "not distinguishable",
        "worse", "reference", "not tested"); the same against the best: vs_best, p_best,
        against_best.

    Raises
    ------
    InputError
        When `reference` has no score, or `scoring` is not a metric of the task.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(400, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> estimators = {"dummy": DummyClassifier(), "linear": LogisticRegression()}
    >>> compare(cross_validate(estimators, dataset, folds))[["model", "verdict"]].values.tolist()
    [['linear', 'better'], ['dummy', 'reference']]
    """
    scoring = check_scoring(scores.task, scoring or scores.scoring)
    by_fold = scores.by_fold(scoring)
    if reference not in by_fold:
        msg = f"The reference '{reference}' has no score; models with scores: {list(by_fold)}."
        raise InputError(msg + suggest(reference, map(str, by_fold)))
    fraction = scores.folds.test_fraction
    means = by_fold.mean().sort_values(ascending=False, kind="stable")
    ranked = [str(name) for name in means.index]
    table = pd.DataFrame({"model": ranked})
    by_fold = scores.by_fold(scoring)
    table["score"] = [_mean(scores, scoring, model, level, by_fold) for model in ranked]
    for columns, rival, own in (
        (("difference", "p_value", "verdict"), reference, REFERENCE),
        (("vs_best", "p_best", "against_best"), ranked[0], BEST),
    ):
        tests = [_paired(by_fold, model, rival, fraction, level) for model in ranked]
        p_values = holm([test.p_value for test in tests])
        verdicts = [
            own if model == rival else verdict(test, p_value=p, level=level)
            for model, test, p in zip(ranked, tests, p_values, strict=True)
        ]
        made = ([test.difference for test in tests], p_values, verdicts)
        table = table.assign(**dict(zip(columns, made, strict=True)))
    return table


def compare_pair(
    scores: Scores, first: str, second: str, *, scoring: str | None = None, level: float = 0.95
) -> PairedTest:
    """Return the corrected paired test of two models named before the scores were seen.

    Parameters
    ----------
    scores : Scores
        From `cross_validate`.
    first, second : str
        Models; the difference is first minus second, positive when the first is better.
    scoring : str, optional
        Another metric than the one fixed beforehand.
    level : float
        Coverage of the interval.

    Returns
    -------
    PairedTest
        Not adjusted: one planned question. `verdict` turns it into a word. NaN when one of the
        two failed on every fold.

    Raises
    ------
    InputError
        When a model was not tried, or `scoring` is not a metric of the task.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(400, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> estimators = {"dummy": DummyClassifier(), "linear": LogisticRegression()}
    >>> scores = cross_validate(estimators, dataset, folds)
    >>> verdict(compare_pair(scores, "linear", "dummy"))
    'better'
    """
    by_fold = scores.by_fold(check_scoring(scores.task, scoring or scores.scoring))
    known = [*scores.models, *scores.failures["model"]]
    for name in (first, second):
        if name not in known:
            msg = f"There is no model '{name}'; there are {', '.join(dict.fromkeys(known))}."
            raise InputError(msg + suggest(name, known))
    if first not in by_fold or second not in by_fold:
        return PairedTest(Estimate(math.nan), math.nan, math.nan)
    return _paired(by_fold, first, second, scores.folds.test_fraction, level)


def verdict(test: PairedTest, *, p_value: float | None = None, level: float = 0.95) -> str:
    """Return "better", "not distinguishable", "worse" or "not tested" for a paired test.

    Parameters
    ----------
    test : PairedTest
        Of two models.
    p_value : float, optional
        The test's own otherwise; give the adjusted one where there are several tests.
    level : float
        One minus it is the level of the test.

    Returns
    -------
    str
        What the first model is, compared with the second.

    Examples
    --------
    >>> verdict(corrected_t_test([0.02, 0.03, 0.01, 0.02, 0.02], test_fraction=0.2))
    'better'
    """
    p_value = test.p_value if p_value is None else p_value
    if math.isnan(p_value):
        return UNTESTED
    if p_value >= 1 - level:
        return SAME
    return BETTER if test.difference.value > 0 else WORSE


def subtract_scores(by_fold: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Return first minus second on the folds that both have, 0 where only rounding parts them.

    A score that is summed in another order may differ in its last digit, which is no difference
    between models.

    Parameters
    ----------
    by_fold : DataFrame
        From `Scores.by_fold`.
    first, second : str
        Columns of it.

    Returns
    -------
    Series
        One value a fold.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [0.1 + 0.2, 0.5], "b": [0.3, 0.25]})
    >>> subtract_scores(scores, "a", "b").tolist()
    [0.0, 0.25]
    """
    both = by_fold[[first, second]].dropna() if first != second else by_fold[[first]].dropna()
    differences = both[first] - both[second]
    largest = both.abs().max(axis=1)
    return differences.where(differences.abs() > SAME_DIGITS * largest, 0.0)


def tabulate_problems(scores: Scores) -> pd.DataFrame:
    """Return what went wrong: one row a model and a failure or warning, with its count.

    Parameters
    ----------
    scores : Scores
        From `cross_validate`.

    Returns
    -------
    DataFrame
        model, kind ("failure" or "warning"), what, count; empty when all went well.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> failed = pd.DataFrame({"model": ["SVM"] * 2, "fold": [1, 2], "reason": "no memory"})
    >>> warned = pd.DataFrame({"model": ["linear"], "warning": "did not converge", "count": 3})
    >>> tabulate_problems(SimpleNamespace(failures=failed, warnings=warned)).values.tolist()
    [['SVM', 'failure', 'no memory', 2], ['linear', 'warning', 'did not converge', 3]]
    """
    failures = scores.failures.groupby(["model", "reason"], sort=False).size()
    rows = [(model, "failure", reason, count) for (model, reason), count in failures.items()]
    caught = scores.warnings.itertuples(index=False, name=None)
    rows += [(model, "warning", text, count) for model, text, count in caught]
    return pd.DataFrame(rows, columns=["model", "kind", "what", "count"])


def tabulate_metrics(scores: Scores, *, level: float = 0.95) -> pd.DataFrame:
    """Return every metric of every model: one row a model, one column a metric, of Estimates.

    Parameters
    ----------
    scores : Scores
        From `cross_validate`.
    level : float
        Coverage of the Nadeau-Bengio intervals.

    Returns
    -------
    DataFrame
        In the order of `compare`; the metric that was fixed beforehand comes first.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(400, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> estimators = {"dummy": DummyClassifier(), "linear": LogisticRegression()}
    >>> scores = cross_validate(estimators, dataset, folds)
    >>> table = tabulate_metrics(scores)
    >>> print(table.set_index("model").loc["dummy", "roc_auc"])
    0.500 [0.500, 0.500]
    """
    order = _ranked(scores)
    table = pd.DataFrame({"model": order})
    names = [scores.scoring, *(name for name in scorers(scores.task) if name != scores.scoring)]
    for metric in names:
        by_fold = scores.by_fold(metric)  # once a metric: of many models each look costs
        table[metric] = [_mean(scores, metric, model, level, by_fold) for model in order]
    return table


def tabulate_spread(scores: Scores) -> pd.DataFrame:
    """Return how much each model's score varies from fold to fold.

    Parameters
    ----------
    scores : Scores
        From `cross_validate`.

    Returns
    -------
    DataFrame
        model, mean, std (over folds), worst, best, folds, firsts (folds on which the model was
        the best of all), in the order of `compare`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(400, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> estimators = {"dummy": DummyClassifier(), "linear": LogisticRegression()}
    >>> scores = cross_validate(estimators, dataset, folds)
    >>> tabulate_spread(scores)[["model", "folds", "firsts"]].values.tolist()
    [['linear', 5, 5], ['dummy', 5, 0]]
    """
    by_fold = scores.by_fold()[_ranked(scores)]
    firsts = by_fold.idxmax(axis=1).value_counts()
    table = pd.DataFrame(
        {
            "mean": by_fold.mean(),
            "std": by_fold.std(ddof=1),
            "worst": by_fold.min(),
            "best": by_fold.max(),
            "folds": by_fold.notna().sum(),
            "firsts": firsts.reindex(by_fold.columns, fill_value=0),
        }
    )
    return table.rename_axis("model").reset_index()


def tabulate_times(scores: Scores) -> pd.DataFrame:
    """Return seconds to fit and to predict a fold, on average: never part of findings.

    Parameters
    ----------
    scores : Scores
        From `cross_validate`.

    Returns
    -------
    DataFrame
        model, fit_seconds, predict_seconds, rows_per_second (predicted), in the order of
        `compare`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(400, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> estimators = {"dummy": DummyClassifier(), "linear": LogisticRegression()}
    >>> scores = cross_validate(estimators, dataset, folds)
    >>> list(tabulate_times(scores).columns)
    ['model', 'fit_seconds', 'predict_seconds', 'rows_per_second']
    """
    means = scores.times.groupby("model")[["fit_seconds", "predict_seconds"]].mean()
    n_test = float(np.mean([len(test) for _, test in scores.folds]))
    means["rows_per_second"] = n_test / means["predict_seconds"].clip(lower=1e-9)
    return means.loc[_ranked(scores)].reset_index()


def _ranked(scores: Scores) -> list[str]:
    means = scores.by_fold().mean().sort_values(ascending=False, kind="stable")
    return [str(name) for name in means.index]


def _mean(scores: Scores, metric: str, model: str, level: float, by_fold: pd.DataFrame) -> Estimate:
    if model not in by_fold:
        return Estimate(math.nan)
    bounds = scorers(scores.task)[metric].bounds
    fraction = scores.folds.test_fraction
    return corrected_mean(by_fold[model].dropna(), fraction, level=level, bounds=bounds)


def _paired(
    by_fold: pd.DataFrame, model: str, rival: str, fraction: float, level: float
) -> PairedTest:
    """Test two models on the folds that both have; a model against itself is not tested."""
    differences = subtract_scores(by_fold, model, rival)
    if model == rival or differences.empty:
        return PairedTest(Estimate(math.nan), math.nan, math.nan)
    return corrected_t_test(differences, fraction, level=level)
