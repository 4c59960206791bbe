"""Which groups differ, once a test over all of them has said that some do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import optimize, stats

from lib.data.dataset import Task
from lib.estimates import Estimate, holm
from lib.statistics.clustered import Floats, owner_codes, score_test
from lib.statistics.columns import column_kinds
from lib.statistics.effects import cliffs_delta, hedges_g
from lib.statistics.samples import Sample, lay_out

PAIRS = ["first", "second", "difference", "p"]
METHODS = {
    "ANOVA": "Tukey",
    "Welch's ANOVA": "Games-Howell",
    "Kruskal-Wallis": "Dunn with Holm",
    "Kruskal-Wallis by shuffling": "Dunn with Holm",
    "means, clustered": "pairs by cluster with Holm",
    "ranks, clustered": "pairs by cluster with Holm",
}
MOST_GROUPS = 8
MOST_PAIRS = 20  # from which no further feature is added


def tukey(parts: Sequence[Floats], names: Sequence[str], *, level: float = 0.95) -> pd.DataFrame:
    """Return the differences of all pairs of means, equal spreads assumed [1]_.

    Parameters
    ----------
    parts : sequence of array of float
        The numbers of each group.
    names : sequence of str
        Of the groups.
    level : float
        Coverage of all intervals together.

    Returns
    -------
    DataFrame with columns first, second, difference, p
        `difference` is an `Estimate`, first less second, in the unit of the numbers; p is adjusted
        for all pairs.

    References
    ----------
    .. [1] C. Kramer (1956). Extension of multiple range tests to group means with unequal numbers
       of replications. Biometrics 12:307.

    Examples
    --------
    >>> tukey([np.arange(9.0), np.arange(9.0) + 5], ["a", "b"])["p"].round(3).tolist()
    [0.001]
    """
    sizes = np.array([len(part) for part in parts])
    spare = int(sizes.sum()) - len(parts)
    within = float(sum(((part - part.mean()) ** 2).sum() for part in parts)) / spare
    rows = []
    for i, j in combinations(range(len(parts)), 2):
        error = math.sqrt(within / 2 * (1 / sizes[i] + 1 / sizes[j]))
        rows.append(_range_row(parts, names, (i, j), error=error, spare=spare, level=level))
    return pd.DataFrame(rows, columns=PAIRS)


def games_howell(
    parts: Sequence[Floats], names: Sequence[str], *, level: float = 0.95
) -> pd.DataFrame:
    """Return the differences of all pairs of means, each pair with its own spreads [1]_.

    Parameters
    ----------
    parts : sequence of array of float
        The numbers of each group.
    names : sequence of str
        Of the groups.
    level : float
        Coverage of all intervals together.

    Returns
    -------
    DataFrame with columns first, second, difference, p
        As for `tukey`.

    References
    ----------
    .. [1] P. Games, J. Howell (1976). Pairwise multiple comparison procedures with unequal n's
       and/or variances. J. Educ. Statistics 1:113.

    Examples
    --------
    >>> games_howell([np.arange(9.0), np.arange(9.0) * 9], ["a", "b"])["p"].round(3).tolist()
    [0.005]
    """
    rows = []
    for i, j in combinations(range(len(parts)), 2):
        own = [parts[k].var(ddof=1) / len(parts[k]) for k in (i, j)]
        below = sum(v**2 / (len(parts[k]) - 1) for v, k in zip(own, (i, j), strict=True))
        spare = float(sum(own) ** 2 / below) if below > 0 else 1.0
        error = math.sqrt(sum(own) / 2)
        rows.append(_range_row(parts, names, (i, j), error=error, spare=spare, level=level))
    return pd.DataFrame(rows, columns=PAIRS)


def _range_row(
    parts: Sequence[Floats],
    names: Sequence[str],
    pair: tuple[int, int],
    *,
    error: float,
    spare: float,
    level: float,
) -> tuple[str, str, Estimate, float]:
    """Return a pair's difference by the studentised range distribution."""
    i, j = pair
    difference = float(parts[i].mean() - parts[j].mean())
    k = len(parts)
    if error == 0:
        p_value = 1.0 if difference == 0 else 0.0
        return names[i], names[j], Estimate(difference, difference, difference, level), p_value
    p_value = float(stats.studentized_range.sf(abs(difference) / error, k, spare))
    arm = _critical(level, k, spare) * error
    made = Estimate(difference, difference - arm, difference + arm, level, "studentised range")
    return names[i], names[j], made, min(max(p_value, 0.0), 1.0)


@lru_cache(maxsize=256)
def _critical(level: float, k: int, spare: float) -> float:
    """Return a quantile of the studentised range; scipy's own `ppf` takes three times as long."""
    from statsmodels.stats.libqsturng import qsturng  # noqa: PLC0415 (heavy)

    near = float(qsturng(level, k, spare))

    def excess(q: float) -> float:
        return float(stats.studentized_range.sf(q, k, spare)) - (1 - level)

    return float(optimize.newton(excess, near, x1=near * 1.001, tol=1e-9))


def dunn(parts: Sequence[Floats], names: Sequence[str], *, level: float = 0.95) -> pd.DataFrame:
    """Return the differences of all pairs of mean ranks over all groups [1]_.

    Parameters
    ----------
    parts : sequence of array of float
        The numbers of each group.
    names : sequence of str
        Of the groups.
    level : float
        Coverage of each interval.

    Returns
    -------
    DataFrame with columns first, second, difference, p
        `difference` is Cliff's delta of the pair, an `Estimate`; p is adjusted by Holm.

    References
    ----------
    .. [1] O. Dunn (1964). Multiple comparisons using rank sums. Technometrics 6:241.

    Examples
    --------
    >>> dunn([np.arange(9.0), np.arange(9.0) + 5], ["a", "b"])["p"].round(3).tolist()
    [0.004]
    """
    joined = np.concatenate(parts)
    ranks = np.split(stats.rankdata(joined), np.cumsum([len(part) for part in parts])[:-1])
    n = len(joined)
    variance = float(np.concatenate(ranks).var()) * n / (n - 1)  # corrected for ties
    rows = []
    for i, j in combinations(range(len(parts)), 2):
        error = math.sqrt(variance * (1 / len(parts[i]) + 1 / len(parts[j])))
        z = float(ranks[i].mean() - ranks[j].mean()) / error
        in_second = np.repeat([True, False], [len(parts[i]), len(parts[j])])
        delta = cliffs_delta(np.r_[parts[i], parts[j]], in_second, level=level)
        rows.append((names[i], names[j], delta, 2 * float(stats.norm.sf(abs(z)))))
    table = pd.DataFrame(rows, columns=PAIRS)
    return table.assign(p=holm(table["p"].to_numpy(dtype=float)))


def pairs_by_cluster(sample: Sample, *, ranks: bool, level: float = 0.95) -> pd.DataFrame:
    """Return the differences of all pairs of groups when rows repeat, e.g. persons.

    Parameters
    ----------
    sample : Sample
        With `owner`.
    ranks : bool
        Cliff's delta instead of Hedges' g.
    level : float
        Coverage of each interval.

    Returns
    -------
    DataFrame with columns first, second, difference, p
        `difference` is an `Estimate`; p is adjusted by Holm, NaN with too few groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> person = np.repeat(np.arange(60), 2)
    >>> level = pd.Series(np.repeat(["a", "b", "c"], 40))
    >>> y = pd.Series(rng.normal(size=60)[person] + (level == "c") * 3.0)
    >>> sample = lay_out(level, "categorical", y, task="regression", owner=person)
    >>> (pairs_by_cluster(sample, ranks=False)["p"] < 0.05).tolist()
    [False, True, True]
    """
    measure = cliffs_delta if ranks else hedges_g
    rows = []
    for i, j in combinations(range(len(sample.names)), 2):
        inside = np.isin(sample.codes, (i, j))
        values, is_first = sample.numbers[inside], sample.codes[inside] == i
        owner = None if sample.owner is None else sample.owner[inside]
        compared = stats.rankdata(values) if ranks else values
        test = score_test(is_first[:, None].astype(float), compared[:, None], owner)
        size = measure(values, is_first, owner=owner, level=level)
        rows.append((sample.names[i], sample.names[j], size, test.p_value))
    table = pd.DataFrame(rows, columns=PAIRS)
    return table.assign(p=holm(table["p"].to_numpy(dtype=float)))


def compare_pairs(
    X: pd.DataFrame,
    y: pd.Series,
    tests: pd.DataFrame,
    *,
    task: Task,
    classes: Sequence[str] = (),
    groups: pd.Series | None = None,
    level: float = 0.95,
    max_features: int = 3,
) -> pd.DataFrame:
    """Return which groups differ, for the features whose test over several groups said so.

    Parameters
    ----------
    X, y, task, classes, groups
        As for `compare_each_feature`.
    tests : DataFrame
        What `compare_each_feature` returned.
    level : float
        Of the intervals; features with q of at least 1 - level are left alone.
    max_features : int
        Features to look at, the largest effects first; those of more than eight groups are left
        out.

    Returns
    -------
    DataFrame with columns feature, method, first, second, measure, difference, p
        `difference` is an `Estimate`: in the target's or feature's unit after ANOVA and Welch's,
        Cliff's delta after Kruskal and Wallis's test; `p` is adjusted for the pairs of a feature.

    Examples
    --------
    >>> from lib.statistics.comparisons import compare_each_feature
    >>> rng = np.random.default_rng(0)
    >>> y = pd.Series(np.repeat([0, 1, 2], 60))
    >>> X = pd.DataFrame({"x": rng.normal(size=180) + (y == 2) * 2})
    >>> tests = compare_each_feature(X, y, task="multiclass")
    >>> pairs = compare_pairs(X, y, tests, task="multiclass")
    >>> pairs["method"].iloc[0], (pairs["p"] < 0.05).tolist()
    ('Tukey', [False, True, True])
    """
    kinds, owner = column_kinds(X), owner_codes(groups)
    chosen = tests[tests["test"].isin(METHODS) & tests["effect"].isin(["omega²", "epsilon²"])]
    chosen = chosen[chosen["q"] < 1 - level]
    sizes = np.array([size.value for size in chosen["size"]], dtype=float)
    chosen = chosen.iloc[np.lexsort((np.arange(len(chosen)), -sizes.round(9)))]
    tables = []
    for row in chosen.itertuples():
        sample = lay_out(
            X[row.feature], str(kinds[row.feature]), y, task=task, classes=classes, owner=owner
        )
        if len(sample.names) > MOST_GROUPS:
            continue
        pairs = _pairs(sample, str(row.test), level)
        unit = "Cliff's delta" if row.effect == "epsilon²" else "difference of means"
        if row.test == "means, clustered":
            unit = "Hedges' g"
        first = {"feature": row.feature, "method": METHODS[str(row.test)]}
        tables.append(pairs.assign(**first, measure=unit))
        if len(tables) == max_features or sum(map(len, tables)) >= MOST_PAIRS:
            break
    columns = ["feature", "method", "first", "second", "measure", "difference", "p"]
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True)[columns]


def _pairs(sample: Sample, test: str, level: float) -> pd.DataFrame:
    if test.endswith("clustered"):
        return pairs_by_cluster(sample, ranks=test.startswith("ranks"), level=level)
    method = {"ANOVA": tukey, "Welch's ANOVA": games_howell, "Kruskal-Wallis": dunn}[
        test.removesuffix(" by shuffling")
    ]
    return method(sample.parts, sample.names, level=level)
