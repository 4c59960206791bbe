"""Every feature against the target: the test that its assumptions allow, and the size found."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lib.data.dataset import Task
from lib.errors import InputError
from lib.estimates import Estimate, benjamini_hochberg, format_p, holm
from lib.statistics.clustered import Floats, indicators, owner_codes, score_test
from lib.statistics.columns import column_kinds
from lib.statistics.correlations import Method, correlate
from lib.statistics.effects import (
    chi_squared,
    cliffs_delta,
    cramers_v_interval,
    hedges_g,
    magnitude,
    odds_ratio,
)
from lib.statistics.routes import Route, choose_route, cross_table
from lib.statistics.samples import Sample, lay_out
from lib.statistics.shares import explained_share

COLUMNS = ["feature", "kind", "compared", "checked", "then", "test", "n", "statistic", "p", "q"]
COLUMNS += ["holm", "effect", "size", "magnitude", "direction", "claim", "words"]
LEAST_SHUFFLES = 999


@dataclass(frozen=True)
class Answer:
    """What a test says.

    Attributes
    ----------
    statistic : float
        As the test has it: t, F, U, H, χ², an odds ratio or a correlation.
    p_value : float
        NaN when the test could not be made.
    size : Estimate
        The effect.
    """

    statistic: float
    p_value: float
    size: Estimate


def compare_each_feature(
    X: pd.DataFrame,
    y: pd.Series,
    *,
    task: Task,
    classes: Sequence[str] = (),
    target: str = "the target",
    groups: pd.Series | None = None,
    level: float = 0.95,
    n_shuffles: int = LEAST_SHUFFLES,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return a test of each feature against the target, chosen from checked assumptions.

    The rules are those of `lib.statistics.routes`; what was checked and found stands in `compared`,
    `checked` and `then`.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        Features, with distinct names.
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        What `y` holds.
    classes : sequence of str
        Own names of the classes, by code.
    target : str
        The target's name, for the sentences.
    groups : Series of shape (n,), optional
        What rows repeat: every test and interval then counts groups.
    level : float
        Of the intervals; a q-value below 1 - level counts.
    n_shuffles : int
        Tables to draw where χ² has too few expected counts.
    random_state : int
        Seed of that draw.

    Returns
    -------
    DataFrame with the columns of `COLUMNS`
        In the order of `X`. `size` is an `Estimate`; `q` is p after Benjamini and Hochberg, `holm`
        after Holm; `magnitude` is Cohen's word, `direction` says what was found, `claim`
        of what, and `words` is the whole sentence. Features without a test have NaN and the reason in `compared`.

    Raises
    ------
    InputError
        When lengths differ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = pd.Series(np.repeat([0, 1], 100))
    >>> X = pd.DataFrame({"height": rng.normal(size=200) + y})
    >>> table = compare_each_feature(X, y, task="binary", classes=["no", "yes"], target="tall")
    >>> table["words"].iloc[0]
    "height is higher where tall = yes: Hedges' g 0.898 [0.597, 1.199], large (q < 0.001)"
    """
    if len(y) != len(X) or (groups is not None and len(groups) != len(X)):
        msg = f"Expected one target (and group) a row, got {len(X):,} rows and {len(y):,} targets."
        raise InputError(msg + " Take all of them from one table.")
    kinds, owner = column_kinds(X), owner_codes(groups)
    samples = [
        lay_out(X[name], str(kinds[name]), y, task=task, classes=classes, owner=owner)
        for name in X.columns
    ]
    routes = [choose_route(sample) for sample in samples]
    answers = [
        ask(sample, route, level=level, n_shuffles=n_shuffles, random_state=random_state)
        for sample, route in zip(samples, routes, strict=True)
    ]
    p_values = np.array([answer.p_value for answer in answers], dtype=float)
    table = pd.DataFrame(
        {
            "feature": list(X.columns),
            "kind": [kinds[name] for name in X.columns],
            "compared": [route.compared for route in routes],
            "checked": [route.checked for route in routes],
            "then": [route.then for route in routes],
            "test": [route.test for route in routes],
            "n": [len(sample) for sample in samples],
            "statistic": [answer.statistic for answer in answers],
            "p": p_values,
            "q": benjamini_hochberg(p_values),
            "holm": holm(p_values),
            "effect": [route.effect for route in routes],
            "size": pd.Series([answer.size for answer in answers], dtype=object),
        }
    )
    found = [
        _put_in_words(sample, route, answer, q, target=target, alpha=1 - level)
        for sample, route, answer, q in zip(samples, routes, answers, table["q"], strict=True)
    ]
    words = ["magnitude", "direction", "claim", "words"]
    table[words] = pd.DataFrame(found, columns=words)
    return table[COLUMNS]


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
    >>> sample = lay_out(pd.Series(range(40)), "numeric", pd.Series([0, 1] * 20), task="binary")
    >>> answer = ask(sample, choose_route(sample), level=0.95, n_shuffles=99, random_state=0)
    >>> round(answer.p_value, 2)
    0.79
    """
    if not route.test:
        return Answer(math.nan, math.nan, Estimate(math.nan))
    if route.test.endswith("clustered"):
        return _ask_clustered(sample, route, level)
    if route.test in {"Pearson r", "Spearman rho"}:
        size, p_value = _correlate(sample, route, level)
        return Answer(size.value, p_value, size)
    if sample.form == "table":
        return _ask_table(sample, route, level, n_shuffles, random_state)
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
        size = cramers_v_interval(counts, level=level)
    if route.test == "χ²":
        return Answer(statistic, float(stats.chi2.sf(statistic, degrees)), size)
    if route.test == "Fisher's exact":
        return Answer(size.value, float(stats.fisher_exact(counts).pvalue), size)
    drawn = stats.random_table(counts.sum(axis=1), counts.sum(axis=0))
    tables = drawn.rvs(max(n_shuffles, LEAST_SHUFFLES), random_state=random_state)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    by_chance = ((tables - expected) ** 2 / expected).sum(axis=(1, 2))
    reached = int((by_chance >= statistic * (1 - 1e-12)).sum())
    return Answer(statistic, (1 + reached) / (1 + len(tables)), size)


def _ask_clustered(sample: Sample, route: Route, level: float) -> Answer:
    if sample.form == "numbers":
        size, p_value = _correlate(sample, route, level)
        return Answer(size.value, p_value, size)
    of_groups = indicators(sample.codes, len(sample.names))
    if sample.form == "table":
        others = indicators(sample.others.astype(np.int64), len(sample.other_names))
        test = score_test(of_groups, others, sample.owner)
        if route.effect == "odds ratio":
            size = odds_ratio(sample.codes, sample.others, owner=sample.owner, level=level)
        else:
            counts = cross_table(sample)
            size = cramers_v_interval(counts, design_effect=test.design_effect, level=level)
        return Answer(test.statistic, test.p_value, size)
    is_ranks = route.test == "ranks, clustered"
    values = stats.rankdata(sample.numbers) if is_ranks else sample.numbers
    standard = (values - values.mean()) / (float(values.std()) or 1.0)
    test = score_test(of_groups, standard[:, None], sample.owner)
    size = _size_of_groups(sample, route, level, test.design_effect)
    return Answer(test.statistic, test.p_value, size)


def _put_in_words(
    sample: Sample, route: Route, answer: Answer, q: float, *, target: str, alpha: float
) -> tuple[str, str, str, str]:
    """Return magnitude, direction, claim and the whole sentence."""
    feature = sample.feature
    if not route.test:
        words = f"{feature} was not tested"
        return "", "not tested", words, f"{words}: {sample.left_out}"
    if math.isnan(answer.p_value):
        words = f"{feature} could not be tested"
        return "", "too few clusters", words, f"{words}: too few clusters for so many levels"
    found, p_words = f"{route.effect} {answer.size}", f"q {format_p(q)}"
    if q >= alpha:
        claim = f"no sign of a relation of {feature} with {target}"
        return "", "no sign", claim, f"{claim}: {found} ({p_words})"
    word = magnitude(route.effect, answer.size.value)
    direction = _direction(sample, route, answer, target)
    who = target if sample.form == "groups" and not sample.by_target else feature
    who = target if sample.form in {"numbers", "table"} else who
    if sample.form == "table" and route.effect != "odds ratio":
        who = feature
    claim = f"{who} {direction}"
    return word, direction, claim, f"{claim}: {found}, {word} ({p_words})"


def _direction(sample: Sample, route: Route, answer: Answer, target: str) -> str:
    feature, size = sample.feature, answer.size.value
    if sample.form == "numbers":
        return f"{'rises' if size > 0 else 'falls'} with {feature}"
    if sample.form == "table":
        if route.effect != "odds ratio":
            return f"differs with {target}"
        more = "more" if size > 1 else "less"
        wanted = sample.other_names[1]
        return f"= {wanted} is {more} likely where {feature} = {sample.names[1]}"
    by = target if sample.by_target else feature
    if len(sample.names) == 2:
        return f"is {'higher' if size > 0 else 'lower'} where {by} = {sample.names[1]}"
    is_ranks = route.effect == "epsilon²"
    values = stats.rankdata(sample.numbers) if is_ranks else sample.numbers
    means = [float(values[sample.codes == code].mean()) for code in range(len(sample.names))]
    top, bottom = sample.names[int(np.argmax(means))], sample.names[int(np.argmin(means))]
    return f"is highest where {by} = {top}, lowest where {by} = {bottom}"
