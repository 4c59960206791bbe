"""Several planned differences between models on the same folds, as one family of tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from scipy import stats

from lib.estimates import PairedTest, holm
from lib.evaluation.comparison import compare_pair, verdict
from lib.evaluation.scores import Scores

EQUAL = "no difference"


def compare_pairs(
    scores: Scores,
    pairs: Sequence[tuple[str, str]],
    *,
    scoring: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the differences of planned pairs of models, tested as one family.

    Parameters
    ----------
    scores : Scores
        From `cross_validate`.
    pairs : sequence of (str, str)
        Model and what it is compared with.
    scoring : str, optional
        Another metric than the one fixed beforehand.
    level : float
        Coverage of each interval; one minus it is the level of the whole family of tests.

    Returns
    -------
    DataFrame
        In the order given. model, against, gain (Estimate of the difference, by itself), p
        (Nadeau and Bengio's corrected t, adjusted by Holm over all pairs), verdict ("better",
        "not distinguishable", "worse", "no difference" where both score the same on every fold,
        "not tested"), visible (about the smallest gain that would have counted, were this the
        strongest of the tests; NaN where there was no difference to see).

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(400, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> models = {"dummy": DummyClassifier(), "stump": DecisionTreeClassifier(max_depth=2)}
    >>> scores = cross_validate(models, dataset, folds)
    >>> compare_pairs(scores, [("stump", "dummy")])["verdict"].tolist()
    ['better']
    """
    tests = [
        compare_pair(scores, first, second, scoring=scoring, level=level) for first, second in pairs
    ]
    p_values = holm([test.p_value for test in tests])
    alpha = (1 - level) / max(len(tests), 1)
    return pd.DataFrame(
        {
            "model": [first for first, _ in pairs],
            "against": [second for _, second in pairs],
            "gain": [test.difference for test in tests],
            "p": p_values,
            "verdict": [
                EQUAL if _is_equal(test) else verdict(test, p_value=p, level=level)
                for test, p in zip(tests, p_values, strict=True)
            ],
            "visible": [_smallest_visible(test, alpha) for test in tests],
        }
    )


def _is_equal(test: PairedTest) -> bool:
    """Whether the two scored the same on every fold."""
    return test.statistic == 0 and test.difference.low == 0 == test.difference.high


def _smallest_visible(test: PairedTest, alpha: float) -> float:
    """Return the difference at which a test of the same spread ends at `alpha`."""
    estimate = test.difference
    if math.isnan(test.statistic) or not estimate.n or _is_equal(test):
        return math.nan
    freedom = estimate.n - 1
    error = (estimate.high - estimate.low) / 2 / stats.t.isf((1 - estimate.level) / 2, freedom)
    return float(error * stats.t.isf(alpha / 2, freedom))
