"""Whether a model is as good, as honest and as strict for one part of the rows as for others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.data import Dataset
from lib.estimates import Estimate, holm
from lib.explanation.coding import Floats
from lib.explanation.fitted import own_names
from lib.explanation.opening import Ints
from lib.explanation.shapley import Explanation
from lib.statistics import column_kinds, feature_levels, numbers_of
from lib.statistics.columns import bins_of

Bools = npt.NDArray[np.bool_]
MAX_COLUMNS = 3  # when no column is named as sensitive
MAX_LEVELS = 6
N_BINS = 5
RATE = (0.0, 1.0)
MIN_ROWS = 20  # of a level: below it nothing is said
SAME, BEYOND = "no sign of a difference", "differs"
MEASURES = {
    "binary": ("ROC AUC", "predicted minus actual", "flagged", "found", "false alarms"),
    "multiclass": ("negated log loss", "right", "mean top probability minus right"),
    "regression": ("negated absolute error", "predicted minus actual"),
}
COLUMNS = [
    "column", "level", "rows", "measure", "value", "others", "difference", "p", "p_holm", "verdict"
]  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """A value, and how each row moves it: its variance is that of sums of influences."""

    value: float
    influence: Floats  # (n_rows of the subgroup,)
    bounds: tuple[float, float] = (-math.inf, math.inf)


def choose_subgroups(dataset: Dataset) -> list[int]:
    """Return the columns by which rows are compared: the sensitive ones, else large categories.

    Parameters
    ----------
    dataset : Dataset
        Its `sensitive` columns, or up to three columns of two to six levels, the most balanced
        first.

    Returns
    -------
    list of int
        Positions of columns of `X`.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> choose_subgroups(make_planted(200, n_informative=2, n_noise=1))
    [3]
    """
    X = dataset.X
    names = [str(name) for name in X.columns]
    if dataset.sensitive:
        return [names.index(name) for name in dataset.sensitive if name in names]
    kinds = list(column_kinds(X.set_axis(names, axis=1)))
    balance = []
    for i, kind in enumerate(kinds):
        shares = X.iloc[:, i].value_counts(normalize=True)
        shares = shares[shares > 0]
        is_category = kind == "categorical" or (kind == "numeric" and len(shares) == 2)
        if is_category and 2 <= len(shares) <= MAX_LEVELS:
            balance.append((-round(1 - float((shares**2).sum()), 9), i))
    return [i for _, i in sorted(balance)[:MAX_COLUMNS]]


def compare_subgroups(
    dataset: Dataset, predictions: Floats, positions: Sequence[int], *, level: float = 0.95
) -> pd.DataFrame:
    """Return measures of the model for each level of some columns, against all other rows.

    Binary: ROC AUC; mean prediction minus share of positives (calibration); share of rows
    flagged, positives found, false alarms, where as many rows are flagged as there are positives.
    Multiclass: log loss, share right, confidence minus share right. Regression: absolute error
    and bias. Intervals are normal, by each row's influence on the measure, summed within groups
    where rows repeat persons; they are about these predictions, not about other training sets.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    predictions : array of shape (n, n_classes) or (n,)
        Out of fold; rows with NaN are left out.
    positions : sequence of int
        From `choose_subgroups`.
    level : float
        Coverage of the intervals; one minus it is the level of the tests.

    Returns
    -------
    DataFrame
        column, level, rows, measure, value (Estimate), others (float), difference (Estimate:
        value minus others), p (two-sided), p_holm (Holm over the whole table), verdict ("differs",
        "no sign of a difference", "" where a part has no such value). Levels under 20 rows are not
        judged, nor are rates of under 20 rows of their kind; of a column with two levels the
        smaller one is given, as the other is its mirror.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(400, n_informative=1, n_noise=0, n_categories=2)
    >>> table = compare_subgroups(dataset, dataset.truth["probabilities"], [1])
    >>> table["measure"].unique().tolist()
    ['ROC AUC', 'predicted minus actual', 'flagged', 'found', 'false alarms']
    >>> "differs" in set(table.loc[table["measure"] == "predicted minus actual", "verdict"])
    False
    """
    y = dataset.y.to_numpy()
    known = ~np.isnan(predictions).reshape(len(y), -1).any(axis=1)
    weight = np.ones(len(y))
    if dataset.sample_weight is not None:
        weight = dataset.sample_weight.to_numpy(dtype=float)
    owner = owners_of(dataset, np.arange(len(y)))
    names = own_names(dataset)
    judged = _Judged(dataset.task, y[known].astype(float), predictions[known], weight[known])
    rows: list[tuple[object, ...]] = []
    for position in positions:
        codes, words = subgroup_levels(dataset, position)
        codes = codes[known]
        counts = np.bincount(codes, minlength=len(words))
        order = np.argsort(-counts, kind="stable").tolist()
        for code in order[1:2] if (counts > 0).sum() == 2 else order:
            inside = codes == code
            if min(inside.sum(), (~inside).sum()) < MIN_ROWS:
                continue
            compared = _compare(judged, inside, owner[known], level)
            for measure, value, others, difference, p in compared:
                at = (names[position], words[code], int(inside.sum()), measure)
                rows.append((*at, value, others, difference, p, math.nan, ""))
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    alpha = 1 - level
    table["verdict"] = [
        "" if math.isnan(p) else BEYOND if p < alpha else SAME for p in table["p_holm"]
    ]
    return table


def subgroup_levels(dataset: Dataset, position: int) -> tuple[Ints, list[str]]:
    """Return the level of each row and the names of the levels; numbers in bins, rare ones merged.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    position : int
        A column of `X`.

    Returns
    -------
    codes : array of int, shape (n,)
    names : list of str
    """
    column = dataset.X.iloc[:, position]
    kind = str(column_kinds(column.to_frame("x"))["x"])
    if kind == "numeric":
        codes, names = bins_of(numbers_of(column), N_BINS)
        if (codes < 0).any():
            codes, names = np.where(codes < 0, len(names), codes), [*names, "(missing)"]
        return codes.astype(np.intp), names
    codes, names = feature_levels(column, kind, n_bins=N_BINS)
    counts = np.bincount(codes, minlength=len(names))
    if len(names) <= MAX_LEVELS:
        return codes.astype(np.intp), names
    kept = np.sort(np.argsort(-counts, kind="stable")[: MAX_LEVELS - 1])
    lookup = np.full(len(names), len(kept))
    lookup[kept] = np.arange(len(kept))
    others = f"({len(names) - len(kept)} others)"
    return np.asarray(lookup[codes], dtype=np.intp), [*(names[i] for i in kept), others]


def describe_differing(table: pd.DataFrame) -> str:
    """Return in words in which measures parts differ beyond chance, and by which columns.

    Parameters
    ----------
    table : DataFrame
        As `compare_subgroups` makes it.

    Returns
    -------
    str
        "none" where no part differs.

    Examples
    --------
    >>> rows = {"column": ["sex", "age"], "measure": ["flagged"] * 2, "verdict": [BEYOND] * 2}
    >>> describe_differing(pd.DataFrame(rows))
    'flagged (sex, age)'
    """
    differing = table[table["verdict"] == BEYOND]
    by_measure = differing.groupby("measure", sort=False)["column"]
    said = [f"{name} ({', '.join(map(str, columns.unique()))})" for name, columns in by_measure]
    return "; ".join(said) or "none"


def compare_contributions(
    explanation: Explanation, dataset: Dataset, positions: Sequence[int], *, level: float = 0.95
) -> pd.DataFrame:
    """Return what the model makes of belonging to a level: the column's own contribution there.

    Parameters
    ----------
    explanation : Explanation
        Out of fold.
    dataset : Dataset
        Whose rows were explained.
    positions : sequence of int
        From `choose_subgroups`.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        column, level, rows, output (class, or ""), own (Estimate: mean contribution of the column
        itself), pushed_by (other column whose mean contribution differs most from that on the
        other rows), push (Estimate of that difference). A model that leaves a column out may still
        know it from others: then `own` is 0 and `push` is not.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.explanation import explain_out_of_fold, fit_folds, make_rounds
    >>> X = pd.DataFrame({"smoker": [0, 1] * 50, "age": [30.0, 40, 50, 60, 70] * 20})
    >>> dataset = Dataset("toy", X, 10 * X["smoker"] + X["age"], task="regression")
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> table = compare_contributions(explain_out_of_fold(fitted), dataset, [0])
    >>> [(row.level, round(row.own.value, 1)) for row in table.itertuples()]
    [('0', -5.0), ('1', 5.0)]
    """
    owner = owners_of(dataset, explanation.rows)
    outputs = list(explanation.outputs) or [""]
    rows = []
    for position in positions:
        codes, words = subgroup_levels(dataset, position)
        codes = codes[explanation.rows]
        for code in range(len(words)):
            inside = codes == code
            if min(inside.sum(), (~inside).sum()) < MIN_ROWS:
                continue
            for k, output in enumerate(outputs):
                values = explanation.of(k).contributions
                own = mean_of(values[inside, position])
                others = np.delete(np.arange(values.shape[1]), position)
                if not len(others):
                    continue
                gaps = values[inside].mean(axis=0) - values[~inside].mean(axis=0)
                strongest = int(others[np.argmax(np.abs(gaps[others]).round(9))])
                rows.append(
                    (
                        explanation.names[position],
                        words[code],
                        int(inside.sum()),
                        output,
                        estimate_of(own, owner[inside], level),
                        explanation.names[strongest],
                        difference_of(
                            mean_of(values[inside, strongest]),
                            mean_of(values[~inside, strongest]),
                            inside,
                            owner,
                            level,
                        )[0],
                    )
                )
    columns = ["column", "level", "rows", "output", "own", "pushed_by", "push"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class _Judged:
    """Rows with what happened and what was predicted, and the measures of any part of them."""

    task: str
    y: Floats
    prediction: Floats
    weight: Floats

    def measures(self, rows: Bools) -> list[Measured]:
        """Return the measures of the task in the order of `MEASURES`."""
        y, guess, weight = self.y[rows], self.prediction[rows], self.weight[rows]
        if self.task == "regression":
            off = guess - y
            return [mean_of(-np.abs(off), weight), mean_of(off, weight)]
        if self.task == "multiclass":
            codes = y.astype(int)
            true = guess[np.arange(len(y)), codes]
            right = (guess.argmax(axis=1) == codes).astype(float)
            loss = -np.log(np.clip(true, np.finfo(float).eps, 1))
            return [
                mean_of(-loss, weight),
                mean_of(right, weight, RATE),
                mean_of(guess.max(axis=1) - right, weight),
            ]
        score = guess[:, 1]
        flagged = (score >= self.threshold).astype(float)
        return [
            auc_of(y, score),
            mean_of(score - y, weight),
            mean_of(flagged, weight, RATE),
            _rate_of(flagged, weight, y == 1),
            _rate_of(flagged, weight, y == 0),
        ]

    @property
    def threshold(self) -> float:
        """The score from which on as many rows lie as there are positives."""
        n_positive = max(int(self.y.sum()), 1)
        return float(np.sort(self.prediction[:, 1])[::-1][n_positive - 1])


def _compare(
    judged: _Judged, inside: Bools, owner: Ints, level: float
) -> list[tuple[str, Estimate, float, Estimate, float]]:
    within, outside = judged.measures(inside), judged.measures(~inside)
    made = []
    for measure, one, other in zip(MEASURES[judged.task], within, outside, strict=True):
        difference, p = difference_of(one, other, inside, owner, level)
        made.append((measure, estimate_of(one, owner[inside], level), other.value, difference, p))
    return made


def owners_of(dataset: Dataset, rows: Ints) -> Ints:
    """Return the unit of each of these rows: its group, its neighbours in time, or itself."""
    return dataset.units[rows]


def mean_of(
    values: Floats,
    weight: Floats | None = None,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Measured:
    """Return a weighted mean, with each row's influence on it."""
    weight = np.ones(len(values)) if weight is None else weight
    total = float(weight.sum())
    if total <= 0:
        return Measured(math.nan, np.zeros(len(values)))
    value = float(weight @ values) / total
    influence = weight * (values - value) / total
    if bounds == RATE and value in RATE and len(values):
        # None of n is no proof of never: the error is that of one more hit and one more miss.
        n = int((weight > 0).sum())
        shrunk = (value * n + 1) / (n + 2)
        influence = np.where(weight > 0, math.sqrt(shrunk * (1 - shrunk) / (n + 2) / n), 0.0)
    return Measured(value, influence, bounds)


def _rate_of(flagged: Floats, weight: Floats, of: Bools) -> Measured:
    """Return the share flagged of one kind of rows; of a few it would say nothing."""
    if of.sum() < MIN_ROWS:
        return Measured(math.nan, np.zeros(len(flagged)))
    return mean_of(flagged, weight * of, RATE)


def auc_of(y: Floats, score: Floats) -> Measured:
    """Return the area under the ROC curve with each row's influence (its placement)."""
    positive = y == 1
    m, n = int(positive.sum()), int((~positive).sum())
    if min(m, n) < 2:
        return Measured(math.nan, np.zeros(len(y)))
    ranks = stats.rankdata(score)
    influence = np.empty(len(y))
    won = (ranks[positive] - stats.rankdata(score[positive])) / n
    lost = 1 - (ranks[~positive] - stats.rankdata(score[~positive])) / m
    auc = float(won.mean())
    influence[positive], influence[~positive] = (won - auc) / m, (lost - auc) / n
    return Measured(auc, influence, RATE)


def _error(influence: Floats, owner: Ints) -> float:
    """Return the standard error: the root of the summed squares of the groups' influences."""
    sums = np.bincount(owner, influence)
    n = int((np.bincount(owner) > 0).sum())
    return math.sqrt(float((sums**2).sum()) * n / max(n - 1, 1))


def estimate_of(measured: Measured, owner: Ints, level: float) -> Estimate:
    """Return a measure with its normal interval; rows of one owner are taken together."""
    arm = float(stats.norm.ppf((1 + level) / 2)) * _error(measured.influence, owner)
    value = measured.value
    if math.isnan(value):
        return Estimate(math.nan)
    n = int((np.bincount(owner) > 0).sum())
    low, high = max(value - arm, measured.bounds[0]), min(value + arm, measured.bounds[1])
    return Estimate(value, low, high, level, "influence of rows", n)


def difference_of(
    one: Measured, other: Measured, inside: Bools, owner: Ints, level: float
) -> tuple[Estimate, float]:
    """Return the difference of two parts with its test; a group may have rows in both."""
    if math.isnan(one.value) or math.isnan(other.value):
        return Estimate(math.nan), math.nan
    influence = np.empty(len(inside))
    influence[inside], influence[~inside] = one.influence, -other.influence
    error, value = _error(influence, owner), one.value - other.value
    arm = float(stats.norm.ppf((1 + level) / 2)) * error
    estimate = Estimate(value, value - arm, value + arm, level, "influence of rows")
    if error == 0:
        return estimate, 1.0 if value == 0 else 0.0
    return estimate, float(2 * stats.norm.sf(abs(value) / error))


def paired_of(one: Measured, other: Measured, owner: Ints, level: float) -> tuple[Estimate, float]:
    """Return the difference of two measures of the same rows, with its test."""
    difference = Measured(one.value - other.value, one.influence - other.influence)
    estimate = estimate_of(difference, owner, level)
    error = _error(difference.influence, owner)
    if error == 0:
        return estimate, 1.0 if difference.value == 0 else 0.0
    return estimate, float(2 * stats.norm.sf(abs(difference.value) / error))
