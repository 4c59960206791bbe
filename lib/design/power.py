"""How small a gain can be shown: by the study's folds, and by a held-out test set."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate, draw_units, make_units
from lib.evaluation import Scores, scorers
from lib.statistics.clustered import influence_error, owner_codes

Array = npt.NDArray[np.float64]
GOOD_POWER = 0.8


def power_over_folds(
    effect: float, spread: float, n_folds: int, test_fraction: float, *, level: float = 0.95
) -> float:
    """Return the power of the corrected t-test over folds to show a true difference [1]_.

    Differences over folds are taken as normal and equally correlated, by as much as the
    Nadeau-Bengio correction assumes: then the statistic follows a noncentral t exactly.

    Parameters
    ----------
    effect : float
        The true difference of two models.
    spread : float
        Standard deviation of the paired differences over folds, as it is seen.
    n_folds : int
        Folds, over all repeats.
    test_fraction : float
        Share of rows that a fold tests on.
    level : float
        One minus it is the level of the two-sided test.

    Returns
    -------
    float
        NaN for a single fold.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio (2003). Inference for the generalization error. Machine
       Learning 52:239.

    Examples
    --------
    >>> [round(power_over_folds(x, 0.01, 5, 0.2), 3) for x in (0.0, 0.02, 0.05)]
    [0.05, 0.614, 1.0]
    """
    if n_folds < 2:
        return math.nan
    error = spread * _correction(n_folds, test_fraction)
    if error == 0:
        return 1.0 if effect else 1 - level
    bound = float(stats.t.ppf((1 + level) / 2, n_folds - 1))
    shift = abs(effect) / error
    if shift > 10 * bound:  # certain; and noncentral t has no digits left out there
        return 1.0
    below = float(stats.nct.cdf(bound, n_folds - 1, shift))
    above = float(stats.nct.cdf(-bound, n_folds - 1, shift)) if shift < 5 else 0.0
    return 1 - below + above


def detectable_over_folds(
    spread: float,
    n_folds: int,
    test_fraction: float,
    *,
    level: float = 0.95,
    power: float = GOOD_POWER,
) -> Estimate:
    """Return the smallest true difference that the corrected t-test over folds mostly shows.

    Parameters
    ----------
    spread : float
        Standard deviation of the paired differences over folds.
    n_folds, test_fraction, level
        As in `power_over_folds`.
    power : float
        How often it is to be shown.

    Returns
    -------
    Estimate
        The interval is that of the spread, which few folds know roughly (chi-squared).

    Examples
    --------
    >>> print(detectable_over_folds(0.01, 5, 0.2))
    0.025 [0.015, 0.072]
    """
    if n_folds < 2 or math.isnan(spread):
        return Estimate(math.nan)
    if spread == 0:
        return Estimate(0.0, 0.0, 0.0, level, "noncentral t", n_folds)

    def missing(effect: float) -> float:
        return power_over_folds(effect, 1.0, n_folds, test_fraction, level=level) - power

    unit = float(optimize.brentq(missing, 0.0, 1e3, xtol=1e-6))
    degrees = n_folds - 1
    tails = stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], degrees)
    low, high = spread * np.sqrt(degrees / tails)
    value, ends = unit * spread, (unit * float(low), unit * float(high))
    return Estimate(value, *ends, level, "noncentral t", n_folds)


def tabulate_repeats(
    differences: npt.ArrayLike,
    test_fraction: float,
    *,
    n_repeats: int = 1,
    level: float = 0.95,
    power: float = GOOD_POWER,
) -> pd.DataFrame:
    """Return how small a difference more repeats of the same folds would show.

    Parameters
    ----------
    differences : array-like of shape (n_folds,)
        Candidate minus reference, fold by fold, over all repeats made.
    test_fraction : float
        Share of rows that a fold tests on.
    n_repeats : int
        Repeats made.
    level, power : float
        As in `detectable_over_folds`.

    Returns
    -------
    DataFrame with columns repeats, folds, detectable
        `detectable` is an `Estimate`. It does not fall to zero: folds share their rows.

    Examples
    --------
    >>> tabulate_repeats([0.02, 0.03, 0.01, 0.02, 0.02], 0.2)["folds"].tolist()
    [5, 15, 50]
    """
    given = np.asarray(differences, dtype=float)
    spread = float(given.std(ddof=1)) if len(given) > 1 else math.nan
    n_splits = len(given) // n_repeats
    rows = []
    for repeats in sorted({n_repeats, 3, 10}):
        n_folds = n_splits * repeats
        one = detectable_over_folds(spread, n_folds, test_fraction, level=level, power=power)
        # how well the spread is known stays a matter of the folds made
        known = detectable_over_folds(spread, len(given), test_fraction, level=level, power=power)
        scale = one.value / known.value if known.value else 1.0
        ends = (known.low * scale, known.high * scale)
        rows.append((repeats, n_folds, Estimate(one.value, *ends, level, one.method, len(given))))
    return pd.DataFrame(rows, columns=["repeats", "folds", "detectable"])


@dataclass(frozen=True)
class RowSpread:
    """How much one row more moves the difference of two models' scores.

    Attributes
    ----------
    spread : float
        Standard deviation for one row: a set of n rows knows the difference to `spread` / √n.
    method : str
        How it was found.
    n : int
        Rows behind it.
    """

    spread: float
    method: str
    n: int

    def rows_to_show(
        self, effect: float, *, level: float = 0.95, power: float = GOOD_POWER
    ) -> float:
        """Return the rows of a test set that mostly shows a true difference of `effect`.

        Examples
        --------
        >>> round(RowSpread(1.0, "given", 100).rows_to_show(0.1))
        785
        """
        return float((_reach(level, power) * self.spread / effect) ** 2)

    def detectable(self, n_rows: int, *, level: float = 0.95, power: float = GOOD_POWER) -> float:
        """Return the smallest true difference that a test set of `n_rows` mostly shows.

        Examples
        --------
        >>> round(RowSpread(1.0, "given", 100).detectable(785), 3)
        0.1
        """
        return float(_reach(level, power) * self.spread / math.sqrt(n_rows))


def spread_per_row(
    scores: Scores,
    first: str,
    second: str,
    dataset: Dataset,
    *,
    n_resamples: int = 200,
    random_state: int = 0,
) -> RowSpread:
    """Return how far a test set of n rows can know the difference of two models.

    Out-of-fold predictions stand for those of a test set. Areas under the ROC curve use DeLong's
    placements [1]_, summed over groups where rows repeat [2]_; R² and means of losses normal
    theory; other metrics a bootstrap of rows or groups.

    Parameters
    ----------
    scores : Scores
        Of both models.
    first, second : str
        The models.
    dataset : Dataset
        The rows that were scored; its groups are kept together.
    n_resamples : int
        Of the bootstrap.
    random_state : int
        Of the bootstrap.

    Returns
    -------
    RowSpread
        NaN when a model failed.

    References
    ----------
    .. [1] E. DeLong, D. DeLong, D. Clarke-Pearson (1988). Biometrics 44:837.
    .. [2] N. Obuchowski (1997). Nonparametric analysis of clustered ROC curve data. Biometrics
       53:567.

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
    >>> spread = spread_per_row(scores, "linear", "dummy", dataset)
    >>> spread.method, spread.rows_to_show(0.1) < spread.rows_to_show(0.05)
    ("DeLong's placements", True)
    """
    metric = scores.scoring
    rows, a, b = _first_pass(scores, first, second)
    if not len(rows):
        return RowSpread(math.nan, "nothing was scored", 0)
    y = dataset.y.to_numpy()[rows]
    owner = None if dataset.groups is None else owner_codes(dataset.groups.iloc[rows])
    if metric == "roc_auc":
        influence, start = np.zeros(len(rows)), 0
        for _, test in scores.folds:
            part = slice(start, start + len(test))
            if start >= len(rows):
                break
            influence[part] = auc_influence(y[part], a[part, 1]) - auc_influence(
                y[part], b[part, 1]
            )
            start += len(test)
        method = "DeLong's placements"
    else:
        found = _loss_influence(metric, y, a, b)
        if found is None:
            return _bootstrapped(metric, dataset.task, y, a, b, owner, n_resamples, random_state)
        influence, method = found, "normal theory of mean losses"
    if owner is not None:
        method += ", summed over groups"
    spread = influence_error(influence - influence.mean(), owner) * math.sqrt(len(rows))
    return RowSpread(spread, method, len(rows))


def auc_influence(y: npt.NDArray[np.int_], score: Array) -> Array:
    """Return by how much each row moves the area under the ROC curve.

    Parameters
    ----------
    y : array of int, shape (n,)
        1 for positives.
    score : array of float, shape (n,)
        Higher means more likely positive.

    Returns
    -------
    array of float, shape (n,)
        Sums to zero; its mean square over n is DeLong's variance for large n. Zeros when a class
        is absent.

    Examples
    --------
    >>> auc_influence(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.3, 0.9])).tolist()
    [0.5, -0.5, -0.5, 0.5]
    """
    positive = y == 1
    n_positive, n = int(positive.sum()), len(y)
    if n_positive in {0, n}:
        return np.zeros(n)
    ranks = stats.rankdata(score)
    placement = np.empty(n)
    placement[positive] = (ranks[positive] - stats.rankdata(score[positive])) / (n - n_positive)
    placement[~positive] = 1 - (ranks[~positive] - stats.rankdata(score[~positive])) / n_positive
    area = placement[positive].mean()
    weight = np.where(positive, n / n_positive, n / (n - n_positive))
    moved: Array = (placement - area) * weight
    return moved


def _first_pass(
    scores: Scores, first: str, second: str
) -> tuple[npt.NDArray[np.intp], Array, Array]:
    """Return rows tested once, in the order of the folds, with both models' predictions."""
    if first not in scores.parts or second not in scores.parts:
        return np.array([], dtype=np.intp), np.empty(0), np.empty(0)
    taken: list[npt.NDArray[np.intp]] = []
    seen: set[int] = set()
    for _, test in scores.folds:
        if not seen.isdisjoint(test.tolist()):  # the next repeat begins
            break
        seen.update(test.tolist())
        taken.append(test)
    rows = np.concatenate(taken)
    a, b = (np.asarray(scores.parts[name][: len(rows)]) for name in (first, second))
    if np.isnan(a).any() or np.isnan(b).any():
        return np.array([], dtype=np.intp), np.empty(0), np.empty(0)
    return rows, a, b


def _loss_influence(metric: str, y: Array, a: Array, b: Array) -> Array | None:
    """Return each row's pull on (score of a) - (score of b), where a formula is known."""
    if metric == "r2":
        gained = (b - y) ** 2 - (a - y) ** 2
        centred = (y - y.mean()) ** 2
        return np.asarray((gained - gained.mean() / centred.mean() * centred) / centred.mean())
    if metric == "neg_log_loss":
        columns = np.arange(len(y)), y.astype(int)
        tiny = np.finfo(float).eps
        p, q = (np.clip(proba[columns], tiny, 1.0) for proba in (a, b))
        return np.asarray(np.log(p) - np.log(q))
    if metric == "neg_brier_score":
        return np.asarray((b[:, 1] - y) ** 2 - (a[:, 1] - y) ** 2)
    if metric == "accuracy":
        right = [(proba.argmax(axis=1) == y).astype(float) for proba in (a, b)]
        return np.asarray(right[0] - right[1])
    if metric == "neg_mean_absolute_error":
        return np.asarray(np.abs(b - y) - np.abs(a - y))
    if metric == "neg_root_mean_squared_error":
        roots = [math.sqrt(float(((x - y) ** 2).mean())) for x in (a, b)]
        if min(roots) > 0:
            return np.asarray((b - y) ** 2 / (2 * roots[1]) - (a - y) ** 2 / (2 * roots[0]))
    return None


def _bootstrapped(  # noqa: PLR0917 (one caller, all needed)
    metric: str,
    task: str,
    y: Array,
    a: Array,
    b: Array,
    owner: npt.NDArray[np.int64] | None,
    n_resamples: int,
    random_state: int,
) -> RowSpread:
    compute = scorers(task)[metric].compute
    units = make_units(np.arange(len(y)) if owner is None else owner)
    drawn = []
    for some in draw_units(len(units), n_resamples, random_state=random_state):
        rows = units.rows_of(some)
        drawn.append(compute(y[rows], a[rows], None) - compute(y[rows], b[rows], None))
    known = np.array([value for value in drawn if math.isfinite(value)])
    if len(known) < n_resamples / 2:
        return RowSpread(math.nan, "bootstrap, undefined on most resamples", len(y))
    what = "rows" if owner is None else "groups"
    return RowSpread(float(known.std(ddof=1)) * math.sqrt(len(y)), f"bootstrap of {what}", len(y))


def _correction(n_folds: int, test_fraction: float) -> float:
    if not 0 < test_fraction < 1:
        msg = f"test_fraction must lie between 0 and 1; got {test_fraction}."
        raise InputError(msg)
    return math.sqrt(1 / n_folds + test_fraction / (1 - test_fraction))


def _reach(level: float, power: float) -> float:
    return float(stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power))
