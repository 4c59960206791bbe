"""What the test of one sample says: statistic, p-value, and the size found."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from lib.estimates import Estimate
from lib.statistics.clustered import Floats, count_units, indicators, score_test, shuffles
from lib.statistics.correlations import Method, correlate
from lib.statistics.effects import (
    chi_squared,
    cliffs_delta,
    cramers_v_interval,
    hedges_g,
    odds_ratio,
)
from lib.statistics.routes import Route, cross_table
from lib.statistics.samples import Sample
from lib.statistics.shares import explained_share
from lib.statistics.wording import Answer

LEAST_SHUFFLES = 999


def ask(
    sample: Sample, route: Route, *, level: float, n_shuffles: int, random_state: int
) -> Answer:
    """Return what the test of a route says about a sample.

    Parameters
    ----------
    sample : Sample
        As `lay_out` returns it.
    route : Route
        As `choose_route` returns it.
    level : float
        Of the interval.
    n_shuffles, random_state : int
        For χ² by shuffling.

    Returns
    -------
    Answer

    Examples
    --------
    >>> import pandas as pd
    >>> from lib.statistics.routes import choose_route
    >>> from lib.statistics.samples import lay_out
    >>> sample = lay_out(pd.Series(range(40)), "numeric", pd.Series([0, 1] * 20), task="binary")
    >>> answer = ask(sample, choose_route(sample), level=0.95, n_shuffles=99, random_state=0)
    >>> round(answer.p_value, 2)
    0.79
    """
    if not route.test:
        return Answer(math.nan, math.nan, Estimate(math.nan))
    if route.test.endswith("clustered"):
        return _ask_clustered(sample, route, level, n_shuffles, random_state)
    if route.test in {"Pearson r", "Spearman rho"}:
        size, p_value = _correlate(sample, route, level)
        return Answer(size.value, p_value, size)
    if sample.form == "table":
        return _ask_table(sample, route, level, n_shuffles, random_state)
    if route.test == "Kruskal-Wallis by shuffling":
        statistic, p_value = _shuffle_ranks(sample, n_shuffles, random_state)
        return Answer(statistic, p_value, _size_of_groups(sample, route, level))
    asking: dict[str, Callable[[list[Floats]], tuple[float, float]]] = {
        "Student's t": lambda parts: _pair(stats.ttest_ind(parts[1], parts[0])),
        "Welch's t": lambda parts: _pair(stats.ttest_ind(parts[1], parts[0], equal_var=False)),
        "Mann-Whitney": lambda parts: _pair(stats.mannwhitneyu(parts[1], parts[0])),
        "ANOVA": lambda parts: _pair(stats.f_oneway(*parts)),
        "Welch's ANOVA": lambda parts: welch_anova(parts)[::3],
        "Kruskal-Wallis": lambda parts: _pair(stats.kruskal(*parts)),
    }
    statistic, p_value = asking[route.test](sample.parts)
    return Answer(statistic, p_value, _size_of_groups(sample, route, level))


def welch_anova(parts: Sequence[Floats]) -> tuple[float, float, float, float]:
    """Return Welch's F of equal means under unequal spreads [1]_: F, its degrees, p.

    Parameters
    ----------
    parts : sequence of array of float
        The numbers of each group, at least two a group.

    Returns
    -------
    statistic, degrees, spare, p : float

    References
    ----------
    .. [1] B. Welch (1951). On the comparison of several mean values. Biometrika 38:330.

    Examples
    --------
    >>> parts = [np.array([4.0, 7, 8, 6, 3, 2]), np.array([6.0, 8, 7, 10, 11, 9])]
    >>> f, _, spare, p = welch_anova(parts)
    >>> round(f**0.5, 5), round(spare, 4), round(p, 5)  # the square root is Welch's t
    (2.84199, 9.4944, 0.01837)
    """
    sizes = np.array([len(part) for part in parts], dtype=float)
    means = np.array([part.mean() for part in parts])
    variances = np.array([part.var(ddof=1) for part in parts])
    # A group without spread would take all the weight: give it a millionth of the others'.
    variances = np.maximum(variances, 1e-12 * max(float(variances.max()), 1e-300))
    weights = sizes / variances
    share = weights / weights.sum()
    k = len(parts)
    between = float((weights * (means - float((share * means).sum())) ** 2).sum()) / (k - 1)
    unsure = float(((1 - share) ** 2 / (sizes - 1)).sum())
    statistic = between / (1 + 2 * (k - 2) / (k**2 - 1) * unsure)
    spare = (k**2 - 1) / (3 * unsure)
    return statistic, float(k - 1), spare, float(stats.f.sf(statistic, k - 1, spare))


def fisher_mid_p(counts: Floats) -> float:
    """Return Fisher's exact p-value of a table of 2 × 2, tables as likely as it counting half [1]_.

    Fisher's own p-value counts them in full and is far too careful with few rows: where nothing is
    it rejects 1.5 times in a hundred instead of 5.

    Parameters
    ----------
    counts : array of float, shape (2, 2)
        Rows in each cell.

    Returns
    -------
    float
        Two-sided.

    References
    ----------
    .. [1] H. Lancaster (1961). Significance tests in discrete distributions. JASA 56:223.

    Examples
    --------
    >>> round(fisher_mid_p(np.array([[3.0, 1.0], [1.0, 3.0]])), 4)  # Fisher's tea: 0.4857 in full
    0.2571
    """
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    first = np.arange(max(0, rows[0] - columns[1]), min(rows[0], columns[0]) + 1)
    chances = stats.hypergeom.pmf(first, counts.sum(), columns[0], rows[0])
    own = float(chances[int(counts[0, 0] - first[0])])
    below, tied = chances < own * (1 - 1e-7), np.abs(chances - own) <= own * 1e-7
    return float(chances[below].sum() + chances[tied].sum() / 2)


def _pair(result: object) -> tuple[float, float]:
    return float(result.statistic), float(result.pvalue)  # type: ignore[attr-defined]


def _correlate(sample: Sample, route: Route, level: float) -> tuple[Estimate, float]:
    method: Method = "pearson" if route.effect == "Pearson r" else "spearman"
    return correlate(sample.numbers, sample.others, method=method, owner=sample.owner, level=level)


def _size_of_groups(
    sample: Sample, route: Route, level: float, design_effect: float = 1.0
) -> Estimate:
    if route.effect in {"Hedges' g", "Cliff's delta"}:
        measure = hedges_g if route.effect == "Hedges' g" else cliffs_delta
        return measure(sample.numbers, sample.codes == 1, owner=sample.owner, level=level)
    return explained_share(
        sample.numbers,
        sample.codes,
        kind=route.effect,
        owner=sample.owner,
        design_effect=design_effect,
        level=level,
    )


def _ask_table(
    sample: Sample, route: Route, level: float, n_shuffles: int, random_state: int
) -> Answer:
    counts = cross_table(sample)
    statistic = chi_squared(counts)
    degrees = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if route.effect == "odds ratio":
        size = odds_ratio(sample.codes, sample.others, level=level)
    else:
        size = cramers_v_interval(sample.codes, sample.others.astype(np.int64), level=level)
    if route.test == "χ²":
        return Answer(statistic, float(stats.chi2.sf(statistic, degrees)), size)
    if route.test == "Fisher's exact (mid-p)":
        return Answer(size.value, fisher_mid_p(counts), size)
    drawn = stats.random_table(counts.sum(axis=1), counts.sum(axis=0))
    tables = drawn.rvs(max(n_shuffles, LEAST_SHUFFLES), random_state=random_state)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    by_chance = ((tables - expected) ** 2 / expected).sum(axis=(1, 2))
    reached = int((by_chance >= statistic * (1 - 1e-12)).sum())
    return Answer(statistic, (1 + reached) / (1 + len(tables)), size)


def _shuffle_ranks(sample: Sample, n_shuffles: int, random_state: int) -> tuple[float, float]:
    """Return Kruskal and Wallis's H, and how often shuffled ranks reach it."""
    ranks, sizes = stats.rankdata(sample.numbers), sample.group_sizes.astype(float)
    rng = np.random.default_rng(random_state)
    n, n_shuffles = len(ranks), max(n_shuffles, LEAST_SHUFFLES)
    of_groups = np.eye(len(sizes))[sample.codes]

    def explained(rows: Floats) -> Floats:
        found = ((rows @ of_groups) ** 2 / sizes).sum(axis=-1) - n * (n + 1) ** 2 / 4
        return np.asarray(found / float(ranks.var(ddof=1)))

    seen = float(explained(ranks))
    drawn = [explained(rng.permutation(ranks)) for _ in range(n_shuffles)]
    reached = int((np.array(drawn) >= seen * (1 - 1e-12)).sum())
    return seen, (1 + reached) / (1 + n_shuffles)


def _ask_clustered(
    sample: Sample, route: Route, level: float, n_shuffles: int, random_state: int
) -> Answer:
    if sample.form == "numbers":
        size, p_value = _correlate(sample, route, level)
        return Answer(size.value, p_value, size)
    of_groups = indicators(sample.codes, len(sample.names))
    if sample.form == "table":
        others = indicators(sample.others.astype(np.int64), len(sample.other_names))
    else:
        is_ranks = route.test.startswith("ranks")
        values = stats.rankdata(sample.numbers) if is_ranks else sample.numbers
        others = ((values - values.mean()) / (float(values.std()) or 1.0))[:, None]
    test = score_test(of_groups, others, sample.owner)
    if sample.form == "groups":
        size = _size_of_groups(sample, route, level, test.design_effect)
    elif route.effect == "odds ratio":
        size = odds_ratio(sample.codes, sample.others, owner=sample.owner, level=level)
    else:
        size = cramers_v_interval(
            sample.codes,
            sample.others.astype(np.int64),
            owner=sample.owner,
            design_effect=test.design_effect,
            level=level,
        )
    if not math.isnan(test.p_value):
        return Answer(test.statistic, test.p_value, size, test.design_effect)
    p_value = _shuffle_clusters(sample, others, n_shuffles, random_state)
    return Answer(math.nan, p_value, size, test.design_effect)


def _shuffle_clusters(sample: Sample, others: Floats, n_shuffles: int, random_state: int) -> float:
    """Return the p-value of what levels explain, when clusters are too few for a covariance.

    Clusters change places as in `compute_mutual_information`.
    """
    if sample.owner is None or count_units(len(sample), sample.owner) < 6:
        return math.nan
    sizes = sample.group_sizes.astype(float)
    others = others - others.mean(axis=0)
    weights = 1 / np.maximum((others**2).mean(axis=0), 1e-300)

    def explained(columns: Floats) -> float:
        sums = [np.bincount(sample.codes, weights=column, minlength=len(sizes))
                for column in columns.T]  # fmt: skip
        return float(sum((s**2 / sizes).sum() * w for s, w in zip(sums, weights, strict=True)))

    rng = np.random.default_rng(random_state)
    rows, seen, reached = np.arange(len(sample)), explained(others), 0
    n_shuffles = max(n_shuffles, LEAST_SHUFFLES)
    for shuffled in shuffles(rows, sample.owner, n_shuffles, rng):
        columns = others[shuffled]
        reached += explained(columns - columns.mean(axis=0)) >= seen * (1 - 1e-12)
    return (1 + reached) / (1 + n_shuffles)
