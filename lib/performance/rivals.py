"""Two models on the same test rows: score, decisions, and a verdict in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lib.estimates import Estimate, bootstrap_many, delong_test, format_p
from lib.evaluation.comparison import BETTER, SAME, WORSE
from lib.evaluation.metrics import scorers
from lib.evaluation.quick_metrics import make_quick
from lib.explanation.subgroups import auc_of, estimate_of, mean_of, paired_of
from lib.performance.decisions import decide
from lib.performance.held_out import Bools, HeldOut


@dataclass(frozen=True)
class McNemar:
    """Rows that one model has right and the other wrong [1]_.

    Attributes
    ----------
    only_first, only_second : int
        Rows that only this one has right.
    exact : float
        Two-sided p of the binomial test.
    mid_p : float
        The same with half the weight of the observed table: less cautious, recommended by [2]_.

    References
    ----------
    .. [1] Q. McNemar (1947). Note on the sampling error of the difference between correlated
       proportions or percentages. Psychometrika 12:153.
    .. [2] M. Fagerland, S. Lydersen, P. Laake (2013). The McNemar test for binary matched-pairs
       data. BMC Medical Research Methodology 13:91.
    """

    only_first: int
    only_second: int
    exact: float
    mid_p: float


def mcnemar(first_right: Bools, second_right: Bools) -> McNemar:
    """Return McNemar's test of two models' decisions on the same independent rows.

    Parameters
    ----------
    first_right, second_right : array of bool, shape (n,)
        Whether each model was right.

    Returns
    -------
    McNemar

    Examples
    --------
    >>> first, second = np.arange(10) < 8, np.arange(10) >= 7
    >>> mcnemar(first, second).only_first, round(mcnemar(first, second).exact, 3)
    (7, 0.18)
    """
    b = int((first_right & ~second_right).sum())
    c = int((~first_right & second_right).sum())
    n, least = b + c, min(b, c)
    if n == 0:
        return McNemar(b, c, 1.0, 1.0)
    exact = min(2 * float(stats.binom.cdf(least, n, 0.5)), 1.0)
    mid = 2 * float(stats.binom.cdf(least, n, 0.5)) - float(stats.binom.pmf(least, n, 0.5))
    return McNemar(b, c, exact, 1.0 if b == c else min(mid, 1.0))


@dataclass(frozen=True)
class Rivalry:
    """The champion against another model on the test set.

    Attributes
    ----------
    difference : Estimate
        Of the deciding metric, champion minus rival.
    p_value : float
        Two-sided; NaN where only the interval decides.
    verdict : str
        "better", "not distinguishable" or "worse".
    decisions : McNemar or None
        Of classes: of single rows only.
    right : Estimate or None
        Of classes: share of rows right, champion minus rival.
    """

    difference: Estimate
    p_value: float
    verdict: str
    decisions: McNemar | None = None
    right: Estimate | None = None


def compare_rivals(
    champion: HeldOut,
    rival: HeldOut,
    *,
    scoring: str,
    threshold: float | None = None,
    rival_threshold: float | None = None,
    n_resamples: int,
    random_state: int,
    level: float = 0.95,
) -> Rivalry:
    """Return whether the champion is better than another model, on the same test rows.

    Parameters
    ----------
    champion, rival : HeldOut
        Predictions of the same rows.
    scoring : str
        Metric of the task.
    threshold, rival_threshold : float, optional
        From which each flags a row of two classes, chosen elsewhere; the likeliest class otherwise.
    n_resamples : int
        Of the paired bootstrap.
    random_state : int
        Seed of the draws.
    level : float
        Coverage of the intervals; one minus it is the level of the verdict.

    Returns
    -------
    Rivalry
        DeLong's paired test for the AUC of rows without weights, its placements summed over the
        rows that belong together [1]_; else a paired bootstrap (BCa, of whole groups likewise),
        whose interval decides.

    References
    ----------
    .. [1] N. Obuchowski (1997). Nonparametric analysis of clustered ROC curve data. Biometrics
       53:567.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(500)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> chance = HeldOut(dataset, np.random.default_rng(0).dirichlet([1, 1], 500))
    >>> compare_rivals(held, chance, scoring="roc_auc", n_resamples=50, random_state=0).verdict
    'better'
    """
    y, is_single = champion.y, champion.weight is None and not champion.is_grouped
    p_value = math.nan
    has_areas = scoring == "roc_auc" and np.bincount(y, minlength=2).min() >= 2
    if has_areas and is_single:
        test = delong_test(y, champion.positive, rival.positive, level=level)
        difference, p_value = test.difference, test.p_value
    elif has_areas and champion.weight is None and champion.n_units >= 2:
        own, theirs = auc_of(y, champion.positive), auc_of(y, rival.positive)
        difference, p_value = paired_of(own, theirs, champion.owner, level)
    else:
        difference = _paired(champion, rival, scoring, n_resamples, random_state, level)
    verdict = SAME
    if difference.has_interval:
        is_beyond = not difference.covers(0) if math.isnan(p_value) else p_value < 1 - level
        if is_beyond:
            verdict = BETTER if difference.value > 0 else WORSE
    if champion.task == "regression":
        return Rivalry(difference, p_value, verdict)
    one = decide(champion, threshold) == y
    other = decide(rival, rival_threshold) == y
    gain = mean_of(one.astype(float) - other.astype(float), champion.weight)
    right = estimate_of(gain, champion.owner, level)
    return Rivalry(difference, p_value, verdict, mcnemar(one, other) if is_single else None, right)


def describe_test(rivalry: Rivalry) -> str:
    """Return the p-value as a sentence needs it; "" where only the interval decides.

    Examples
    --------
    >>> describe_test(Rivalry(Estimate(0.1), 0.04, BETTER))
    ', p 0.040'
    """
    return "" if math.isnan(rivalry.p_value) else f", p {format_p(rivalry.p_value)}"


def describe_decisions(rivalry: Rivalry) -> str:
    """Return in words how decisions of the two differ; "" for a regression.

    Examples
    --------
    >>> made = Rivalry(Estimate(0.1), 0.5, SAME, mcnemar(np.array([True]), np.array([False])))
    >>> describe_decisions(made)
    '; decisions: 1 rows right by the first only, 0 by the second only (McNemar, mid-p 0.500)'
    """
    if rivalry.decisions is not None:
        test = rivalry.decisions
        return (
            f"; decisions: {test.only_first:,} rows right by the first only, "
            f"{test.only_second:,} by the second only (McNemar, mid-p {format_p(test.mid_p)})"
        )
    if rivalry.right is None:
        return ""
    return f"; share of decisions that are right: {rivalry.right} more (groups taken together)"


def _paired(  # noqa: PLR0917 (one caller, all needed)
    champion: HeldOut,
    rival: HeldOut,
    scoring: str,
    n_resamples: int,
    random_state: int,
    level: float,
) -> Estimate:
    metric = make_quick(scorers(champion.task)[scoring])
    weight = [] if champion.weight is None else [champion.weight]

    def compute(
        y: np.ndarray, first: np.ndarray, second: np.ndarray, *w: np.ndarray
    ) -> list[float]:
        given = w[0] if w else None
        return [metric.compute(y, first, given) - metric.compute(y, second, given)]

    arrays = [champion.y, champion.prediction, rival.prediction, *weight]
    if np.max(champion.owner, initial=0) < 1:
        return Estimate(compute(*arrays)[0], level=level)
    (difference,) = bootstrap_many(
        compute,
        *arrays,
        n_resamples=n_resamples,
        random_state=random_state,
        groups=champion.groups,
        level=level,
    )
    return difference
