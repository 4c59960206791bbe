"""Sets and intervals that hold the truth as often as promised, and whether they did [1]_.

References
----------
.. [1] V. Vovk, A. Gammerman, G. Shafer (2005). Algorithmic Learning in a Random World. R. Barber,
   E. Candès, A. Ramdas, R. Tibshirani (2021). Predictive inference with the jackknife+. Annals of
   Statistics 49:486.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.estimates import Estimate, clopper_pearson
from lib.performance.decisions import share_in_groups
from lib.performance.held_out import Bools, Floats, HeldOut, Ints

ALIKE = "one limit for all rows"
BY_CLASS = "a limit for each class"
BY_SIZE = "a limit for each size of the prediction"
HOLDS, SHORT, GENEROUS = (
    "no sign against the promise",
    "short of what was promised",
    "more than promised",
)
MIN_PART = 50  # out-of-fold rows behind a limit of its own
N_PARTS = 5


@dataclass(frozen=True, eq=False)
class Conformal:
    """Sets of classes, or intervals of values, for rows of the test set.

    Attributes
    ----------
    method : str
        Which limits: one of the constants of this module.
    covered : array of bool, shape (n,)
        Whether the truth lies inside.
    size : array of float, shape (n,)
        Classes in the set, or width of the interval in the unit of the target.
    members : array of bool, shape (n, n_classes), or None
        The sets.
    low, high : array of float, shape (n,), or None
        The intervals.
    """

    method: str
    covered: Bools
    size: Floats
    members: Bools | None = None
    low: Floats | None = None
    high: Floats | None = None


def conformal_quantile(scores: Floats, level: float, weight: Floats | None = None) -> float:
    """Return the limit that a new score stays within with at least this probability.

    Parameters
    ----------
    scores : array of shape (n,)
        How strange each known row is.
    level : float
        Coverage aimed at.
    weight : array of shape (n,), optional
        Of the rows; the new row counts as much as the mean.

    Returns
    -------
    float
        The ceil((n + 1) level)-th smallest score; infinite where n is too small for the level.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 20), 0.95), conformal_quantile(np.arange(5.0), 0.95)
    (19.0, inf)
    """
    n = len(scores)
    if n == 0:
        return math.inf
    order = np.argsort(scores, kind="stable")
    weight = np.ones(n) if weight is None else weight
    reached = np.cumsum(weight[order]) / (weight.sum() + weight.mean())
    place = int(np.searchsorted(reached, level - 1e-12))
    return float(scores[order[place]]) if place < n else math.inf


def make_conformal(out_of_fold: HeldOut, test: HeldOut, *, level: float = 0.95) -> list[Conformal]:
    """Return sets or intervals for the test rows, with limits from out-of-fold predictions.

    A class is in the set when its probability is not lower than nearly all probabilities that
    out-of-fold rows had for their own class (least ambiguous sets; one is empty where no class is
    as likely as that, which counts as a miss). An interval reaches as far as nearly all out-of-fold
    residuals. The second way has limits of its own for each class, or for each fifth of the
    predictions, so that coverage holds there as well.

    Parameters
    ----------
    out_of_fold, test : HeldOut
        Of the same task.
    level : float
        Coverage aimed at. It holds on average over rows that could change places with those that
        the limits come from, up to the difference between models of folds and the whole one.

    Returns
    -------
    list of Conformal
        Two ways; limits of their own need 50 rows, and are the common limit otherwise.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(2_000)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> half = np.arange(1_000)
    >>> alike, by_class = make_conformal(held.take(half), held.take(half + 1_000))
    >>> bool(0.92 < alike.covered.mean() < 0.98)
    True
    """
    if test.task == "regression":
        return _intervals(out_of_fold, test, level)
    return _sets(out_of_fold, test, level)


def _sets(out_of_fold: HeldOut, test: HeldOut, level: float) -> list[Conformal]:
    n_classes = test.prediction.shape[1]
    scores = 1 - out_of_fold.prediction[np.arange(len(out_of_fold)), out_of_fold.y]
    common = conformal_quantile(scores, level, out_of_fold.weight)
    limits = {ALIKE: np.full(n_classes, common), BY_CLASS: np.full(n_classes, common)}
    for code in range(n_classes):
        own = out_of_fold.y == code
        if own.sum() >= MIN_PART:
            weight = None if out_of_fold.weight is None else out_of_fold.weight[own]
            limits[BY_CLASS][code] = conformal_quantile(scores[own], level, weight)
    made = []
    for method, limit in limits.items():
        members = 1 - test.prediction <= limit + 1e-12
        covered = members[np.arange(len(test)), test.y]
        made.append(Conformal(method, covered, members.sum(axis=1).astype(float), members=members))
    return made


def _intervals(out_of_fold: HeldOut, test: HeldOut, level: float) -> list[Conformal]:
    scores = np.abs(out_of_fold.y - out_of_fold.prediction)
    common = conformal_quantile(scores, level, out_of_fold.weight)
    edges = np.unique(np.quantile(out_of_fold.prediction, np.linspace(0, 1, N_PARTS + 1)[1:-1]))
    parts, of_test = (np.searchsorted(edges, held.prediction) for held in (out_of_fold, test))
    own = np.full(len(edges) + 1, common)
    for code in range(len(own)):
        here = parts == code
        if here.sum() >= MIN_PART:
            weight = None if out_of_fold.weight is None else out_of_fold.weight[here]
            own[code] = conformal_quantile(scores[here], level, weight)
    made = []
    for method, arm in ((ALIKE, np.full(len(test), common)), (BY_SIZE, own[of_test])):
        low, high = test.prediction - arm, test.prediction + arm
        covered = np.abs(test.y - test.prediction) <= arm + 1e-12 * np.abs(test.y)
        made.append(Conformal(method, covered, high - low, low=low, high=high))
    return made


def tabulate_coverage(sets: list[Conformal], test: HeldOut, *, level: float = 0.95) -> pd.DataFrame:
    """Return how often the truth was inside, on all test rows and by part.

    Parameters
    ----------
    sets : list of Conformal
        From `make_conformal`.
    test : HeldOut
        The rows they are for.
    level : float
        Coverage that was promised, and of the intervals.

    Returns
    -------
    DataFrame
        method, part ("all rows", a class, or a third of the predictions), rows, coverage
        (Estimate), size (mean number of classes, or mean width), verdict.
    """
    parts = _parts(test)
    rows = []
    for one in sets:
        for name, here in parts:
            n = int(here.sum())
            coverage = measure_coverage(one, test, here, level=level)
            size = float(np.average(one.size[here], weights=_weight_of(test, here)))
            rows.append((one.method, name, n, coverage, size, judge_coverage(coverage, level)))
    columns = ["method", "part", "rows", "coverage", "size", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def measure_coverage(
    one: Conformal, test: HeldOut, here: Bools | None = None, *, level: float = 0.95
) -> Estimate:
    """Return the share of rows whose truth was inside, with its interval."""
    here = np.ones(len(test), dtype=bool) if here is None else here
    if test.weight is None and not test.is_grouped:
        return clopper_pearson(int(one.covered[here].sum()), int(here.sum()), level=level)
    return share_in_groups(one.covered[here].astype(float), test, here, level=level)


def judge_coverage(coverage: Estimate, level: float) -> str:
    """Return in words whether a coverage is what was promised.

    Examples
    --------
    >>> judge_coverage(Estimate(0.90, 0.88, 0.92), 0.95)
    'short of what was promised'
    """
    if coverage.high < level:
        return SHORT
    return GENEROUS if coverage.low > level else HOLDS


def least_covered(table: pd.DataFrame) -> str:
    """Return in words the part of the rows that is covered least.

    Examples
    --------
    >>> row = {"method": ALIKE, "part": "y = 1", "coverage": Estimate(0.4, 0.3, 0.5)}
    >>> least_covered(pd.DataFrame([row]))
    'y = 1, by one limit for all rows: 0.400 [0.300, 0.500]'
    """
    row = table.iloc[int(np.argmin([one.value for one in table["coverage"]]))]
    return f"{row['part']}, by {row['method']}: {row['coverage']}"


def list_caveats(test: HeldOut) -> list[str]:
    """Return why coverage may differ from what was promised, one sentence each.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(40, n_groups=10)
    >>> list_caveats(HeldOut(dataset, dataset.truth["probabilities"]))
    ['Rows of one group (group) are alike: coverage is that of rows of new groups, on average.']
    """
    dataset, made = test.dataset, []
    if dataset.groups is not None:
        made.append(
            f"Rows of one group ({dataset.groups.name}) are alike: coverage is that of rows of "
            "new groups, on average."
        )
    if dataset.time is not None and not test.is_grouped:
        made.append(
            f"Rows that follow one another ({dataset.time.name}) may be alike: intervals take "
            "them as independent, and may be too short."
        )
    if dataset.time is not None:
        made.append(
            f"Test rows need not change places with earlier ones ({dataset.time.name}): coverage "
            "may fall as time goes on."
        )
    return made


def _parts(test: HeldOut) -> list[tuple[str, Bools]]:
    everyone = np.ones(len(test), dtype=bool)
    if test.task != "regression":
        named = enumerate(test.dataset.classes)
        own = [(f"{test.dataset.target} = {name}", test.y == code) for code, name in named]
        return [("all rows", everyone), *((name, here) for name, here in own if here.any())][:16]
    if len(test) < 3 * MIN_PART // 2:
        return [("all rows", everyone)]
    ranks: Ints = np.argsort(np.argsort(test.prediction, kind="stable"), kind="stable")
    thirds = ranks * 3 // len(test)
    names = ("lowest third of predictions", "middle third", "highest third")
    return [("all rows", everyone), *((name, thirds == i) for i, name in enumerate(names))]


def _weight_of(test: HeldOut, here: Bools) -> Floats | None:
    return None if test.weight is None else test.weight[here]
