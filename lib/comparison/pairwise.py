"""Candidates against one of them and in pairs: two tests, a posterior, words."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
from scipy import stats

from lib.comparison.posterior import Posterior, correlated_t
from lib.errors import InputError, suggest
from lib.estimates import Estimate, PairedTest, corrected_mean, corrected_t_test, holm
from lib.estimates.estimate import Numbers
from lib.evaluation import EQUAL, Scores, scorers, subtract_scores, verdict

REFERENCE = "reference"


def compare_with(
    scores: Scores, reference: str, *, smallest_effect: float, level: float = 0.95
) -> pd.DataFrame:
    """Return every candidate against one of them.

    Parameters
    ----------
    scores : Scores
        Of all candidates on the same folds.
    reference : str
        The one to compare with, such as the best.
    smallest_effect : float
        Differences up to this, either way, do not matter; in the metric's unit.
    level : float
        Coverage of the intervals; one minus it is the level of each family of tests.

    Returns
    -------
    DataFrame
        Best first. model; score (Estimate); gap (Estimate of the candidate minus the reference),
        in_effects (the gap in smallest effects); p_t (corrected resampled t) and p_wilcoxon
        (signed ranks over folds), each adjusted by Holm over all candidates; worse, equivalent,
        better (probabilities of the Bayesian correlated t); verdict ("better", "not
        distinguishable", "worse", "no difference", "reference", "not tested", of the corrected t);
        in_practice ("practically equivalent", "better/worse by enough to matter", "open").

    Raises
    ------
    InputError
        When the reference has no score.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(400, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> models = {"dummy": DummyClassifier(), "linear": LogisticRegression()}
    >>> table = compare_with(cross_validate(models, dataset, folds), "linear", smallest_effect=0.01)
    >>> table[["model", "verdict", "in_practice"]].values.tolist()
    [['linear', 'reference', '–'], ['dummy', 'worse', 'worse by enough to matter']]
    """
    by_fold = scores.by_fold()
    if reference not in by_fold:
        msg = f"'{reference}' has no score; candidates with scores: {', '.join(map(str, by_fold))}."
        raise InputError(msg + suggest(reference, map(str, by_fold)))
    fraction, bounds = scores.folds.test_fraction, scorers(scores.task)[scores.scoring].bounds
    means = by_fold.mean().sort_values(ascending=False, kind="stable")
    ranked = [str(name) for name in means.index]
    rivals = [name for name in ranked if name != reference]
    pairs = _test_pairs(by_fold, [(name, reference) for name in rivals], fraction, level)
    posteriors = [_posterior(by_fold, n, reference, fraction, smallest_effect) for n in rivals]
    table = pairs.drop(columns="against").assign(
        worse=[p.worse for p in posteriors],
        equivalent=[p.equivalent for p in posteriors],
        better=[p.better for p in posteriors],
        in_practice=[p.in_words() for p in posteriors],
    )
    own = {"model": reference, "verdict": REFERENCE, "in_practice": "–"}
    table = pd.concat([table, pd.DataFrame([own])]).set_index("model").loc[ranked].reset_index()
    scored = [
        corrected_mean(by_fold[name].dropna(), fraction, level=level, bounds=bounds)
        for name in ranked
    ]
    table.insert(1, "score", scored)
    gaps = [
        gap.value / smallest_effect if isinstance(gap, Estimate) else math.nan
        for gap in table["gap"]
    ]
    table.insert(3, "in_effects", gaps)
    order = ["worse", "equivalent", "better", "verdict", "in_practice"]
    return table[["model", "score", "gap", "in_effects", "p_t", "p_wilcoxon", *order]]


def compare_each_pair(
    scores: Scores, *, smallest_effect: float, level: float = 0.95
) -> pd.DataFrame:
    """Return every pair of candidates, tested as one family.

    Parameters
    ----------
    scores : Scores
        Of all candidates on the same folds.
    smallest_effect : float
        Differences up to this, either way, do not matter; in the metric's unit.
    level : float
        Coverage of the intervals; one minus it is the level of each family of tests.

    Returns
    -------
    DataFrame
        The better one of a pair stands first. model, against, gap (Estimate), p_t, p_wilcoxon
        (each adjusted by Holm over all pairs), worse, equivalent, better, verdict, in_practice.
    """
    by_fold = scores.by_fold()
    ranked = by_fold.mean().sort_values(ascending=False, kind="stable").index
    pairs = list(itertools.combinations(map(str, ranked), 2))
    fraction = scores.folds.test_fraction
    table = _test_pairs(by_fold, pairs, fraction, level)
    posteriors = [_posterior(by_fold, a, b, fraction, smallest_effect) for a, b in pairs]
    return table.assign(
        worse=[p.worse for p in posteriors],
        equivalent=[p.equivalent for p in posteriors],
        better=[p.better for p in posteriors],
        in_practice=[p.in_words() for p in posteriors],
    )


def adjust_chosen(against: pd.DataFrame, pairs: pd.DataFrame, first: str, second: str) -> float:
    """Return the adjusted p-value of a pair that was picked after a look at the scores.

    Such a pair is no planned comparison: its test is one of the family that it was picked from.
    So the same two candidates are never told apart in one sentence and level in another.

    Parameters
    ----------
    against : DataFrame
        From `compare_with`: the family of a pair that holds its reference.
    pairs : DataFrame
        From `compare_each_pair`: the family of any other.
    first, second : str
        In either order.

    Returns
    -------
    float
        Of the corrected t, after Holm.

    Examples
    --------
    >>> best = pd.DataFrame({"model": ["a", "b"], "verdict": [REFERENCE, "–"], "p_t": [None, 0.2]})
    >>> each = pd.DataFrame({"model": ["b"], "against": ["c"], "p_t": [0.6]})
    >>> adjust_chosen(best, each, "b", "a"), adjust_chosen(best, each, "c", "b")
    (0.2, 0.6)
    """
    reference = str(against.loc[against["verdict"] == REFERENCE, "model"].iloc[0])
    if reference in {first, second}:
        other = second if first == reference else first
        return float(against.set_index("model")["p_t"][other])
    is_theirs = pairs[["model", "against"]].isin([first, second]).all(axis=1)
    return float(pairs.loc[is_theirs, "p_t"].iloc[0])


def smallest_wilcoxon_p(n_folds: int) -> float:
    """Return the smallest p-value that Wilcoxon's test can give: all folds on one side.

    Parameters
    ----------
    n_folds : int
        Differences, none of them zero.

    Returns
    -------
    float
        Two-sided.

    Examples
    --------
    >>> smallest_wilcoxon_p(5)
    0.0625
    """
    return float(2.0 ** (1 - n_folds))


def _test_pairs(
    by_fold: pd.DataFrame, pairs: list[tuple[str, str]], fraction: float, level: float
) -> pd.DataFrame:
    """Return gap, both adjusted p-values and the verdict of the corrected t, for each pair."""
    shared = [subtract_scores(by_fold, first, second) for first, second in pairs]
    tests = [_paired(differences, fraction, level) for differences in shared]
    p_values = holm([test.p_value for test in tests])
    return pd.DataFrame(
        {
            "model": [first for first, _ in pairs],
            "against": [second for _, second in pairs],
            "gap": [test.difference for test in tests],
            "p_t": p_values,
            "p_wilcoxon": holm([_wilcoxon(differences) for differences in shared]),
            "verdict": [
                EQUAL if len(d) and not d.any() else verdict(test, p_value=p, level=level)
                for d, test, p in zip(shared, tests, p_values, strict=True)
            ],
        }
    )


def _paired(differences: pd.Series, fraction: float, level: float) -> PairedTest:
    if differences.empty:
        return PairedTest(Estimate(math.nan), math.nan, math.nan)
    return corrected_t_test(differences, fraction, level=level)


def _wilcoxon(differences: Numbers) -> float:
    values = np.asarray(differences, dtype=float)
    if len(values) < 2:
        return math.nan
    return float(stats.wilcoxon(values).pvalue) if values.any() else 1.0


def _posterior(
    by_fold: pd.DataFrame, first: str, second: str, fraction: float, rope: float
) -> Posterior:
    differences = subtract_scores(by_fold, first, second)
    if differences.empty:
        return Posterior(math.nan, math.nan, math.nan)
    return correlated_t(differences, fraction, rope=rope)
