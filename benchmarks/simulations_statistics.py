"""Planted truths for intervals, tests and power: what `bench_statistics.py` and the tests simulate.

Every simulation draws a small table from a population whose truth is known, asks our own functions
(the routed test, never a formula of its own), and says whether the interval held the truth, or
whether the test rejected. Clustered ones plant persons whose rows repeat each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from lib import estimates, statistics
from lib.estimates import Estimate
from lib.statistics import counts, effects, post_hoc, power, shares
from lib.statistics.asking import ask
from lib.statistics.correlations import correlate
from lib.statistics.diagnostics import breusch_pagan, compute_residual_checks, white_test
from lib.statistics.normality import estimate_excess_kurtosis, estimate_skewness
from lib.statistics.normality import test_of_normality as normality_of
from lib.statistics.routes import choose_route
from lib.statistics.samples import lay_out

ALLOWED = {"interval": 0.02, "test": 0.01, "power": 0.02}  # around the nominal figure
Draw = Callable[[np.random.Generator], bool]


@dataclass(frozen=True)
class Simulation:
    """A quantity with its nominal figure, and one draw of whether it came true.

    Attributes
    ----------
    name : str
        What is simulated.
    kind : {"interval", "test", "power"}
        Nominal 95 %, 5 %, or what was computed.
    draw : callable
        Takes a generator, returns whether the interval held the truth, or the test rejected.
    nominal : float
        The figure aimed at.
    share : float
        Of the simulations asked for: slow ones make do with fewer.
    at_most : bool
        Whether less than nominal is right, as for a test that is exact on few values.
    """

    name: str
    kind: str
    draw: Draw
    nominal: float
    share: float = 1.0
    at_most: bool = False

    def run(self, n: int, seed: int = 0) -> tuple[float, int]:
        """Return the share of draws that came true, and how many there were."""
        n = max(int(n * self.share), 1)
        rng = np.random.default_rng([seed, len(self.name), *self.name.encode()])
        return float(np.mean([self.draw(rng) for _ in range(n)])), n

    def bounds(self, n: int, error: float = 0.001) -> tuple[float, float]:
        """Return between which shares of `n` draws a true figure stays, but for luck of `error`."""
        off = ALLOWED[self.kind]
        low = stats.binom.ppf(error / 2, n, max(self.nominal - off, 0.0)) / n
        high = stats.binom.ppf(1 - error / 2, n, min(self.nominal + off, 1.0)) / n
        return (0.0 if self.at_most else float(low)), float(high)


# ── Populations ─────────────────────────────────────────────────────────────────────────────


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=n)


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.exponential(size=n)


def very_skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.exp(1.5 * rng.normal(size=n))


def tied(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.poisson(1.0, size=n).astype(float)


def heavy(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_t(3, size=n)


def clusters(rng: np.random.Generator, n_clusters: int, size: int, *, uneven: bool = False):
    """Return the owner of each row; uneven clusters have from one to twice `size` rows."""
    sizes = rng.integers(1, 2 * size, n_clusters) if uneven else np.full(n_clusters, size)
    return np.repeat(np.arange(n_clusters), sizes)


def repeated(rng: np.random.Generator, owner: np.ndarray, likeness: float = 0.5) -> np.ndarray:
    """Return numbers of variance 1 that are alike within clusters."""
    own = rng.normal(size=owner.max() + 1)[owner] * math.sqrt(likeness)
    return own + rng.normal(size=len(owner)) * math.sqrt(1 - likeness)


# ── Intervals ───────────────────────────────────────────────────────────────────────────────


def covers(make: Callable[[np.random.Generator], Estimate], truth: float) -> Draw:
    return lambda rng: make(rng).covers(truth)


def two_groups(
    rng: np.random.Generator, sizes: tuple[int, int], spreads: tuple[float, float],
    shift: float, population: Callable = normal,
):  # fmt: skip
    second = np.repeat([False, True], sizes)
    x = population(rng, sum(sizes)) * np.where(second, spreads[1], spreads[0])
    return x + second * shift, second


def clustered_groups(rng: np.random.Generator, n_clusters: int, shift: float, *, uneven=False):
    owner = clusters(rng, n_clusters, 4, uneven=uneven)
    second = owner % 2 == 1
    return repeated(rng, owner) + second * shift, second, owner


def interval_of_g(rng, *, sizes, spreads, population=normal):
    x, second = two_groups(rng, sizes, spreads, 0.8, population)
    return effects.hedges_g(x, second)


def pooled_d(sizes, spreads, shift=0.8):
    (n1, n2), (s1, s2) = sizes, spreads
    return shift / math.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))


def interval_of_share(rng, *, kind, means, population=normal, clustered=False):
    owner = clusters(rng, 90, 3) if clustered else None
    codes = owner % 3 if owner is not None else np.repeat([0, 1, 2], 40)
    noise = repeated(rng, owner) if owner is not None else population(rng, len(codes))
    x = noise + np.asarray(means)[codes]
    effect = 1.0 if owner is None else 1 + 0.5 * 2
    return shares.explained_share(x, codes, kind=kind, owner=owner, design_effect=effect)


def true_share(means, *, kind="omega²", population=normal, n=400_000):
    """Return the share of a population's spread that three groups of equal size explain."""
    rng = np.random.default_rng(1)
    codes = np.repeat([0, 1, 2], n)
    x = population(rng, 3 * n) + np.asarray(means)[codes]
    x = stats.rankdata(x) if kind == "epsilon²" else x
    middle = np.array([x[codes == code].mean() for code in range(3)])
    return float(middle.var() / x.var())


def interval_of_v(rng, *, table, n, clustered=False):
    shares_ = np.asarray(table) / np.sum(table)
    if not clustered:
        cells = rng.choice(shares_.size, size=n, p=shares_.ravel())
        first, second = np.divmod(cells, shares_.shape[1])
        return effects.cramers_v_interval(*packed(first, second))
    owner = clusters(rng, n // 3, 3)
    own = rng.choice(shares_.size, size=n // 3, p=shares_.ravel())[owner]
    fresh = rng.choice(shares_.size, size=n, p=shares_.ravel())
    cells = np.where(rng.random(n) < 0.5, own, fresh)
    first, second = np.divmod(cells, shares_.shape[1])
    return effects.cramers_v_interval(*packed(first, second), owner=owner, design_effect=1.5)


def packed(first, second):
    return np.unique(first, return_inverse=True)[1], np.unique(second, return_inverse=True)[1]


def true_v(table):
    shares_ = np.asarray(table) / np.sum(table)
    expected = np.outer(shares_.sum(axis=1), shares_.sum(axis=0))
    phi2 = float(((shares_ - expected) ** 2 / expected).sum())
    return math.sqrt(phi2 / (min(shares_.shape) - 1))


def interval_of_odds(rng, *, n, clustered=False):
    owner = clusters(rng, n // 4, 4) if clustered else None
    first = (owner % 2 == 1) if owner is not None else rng.random(n) < 0.4
    latent = repeated(rng, owner) if owner is not None else rng.normal(size=n)
    second = stats.norm.cdf(latent) < np.where(first, 0.4, 0.2)
    return effects.odds_ratio(first, second, owner=owner)


TRUE_ODDS = (0.4 / 0.6) / (0.2 / 0.8)


def interval_of_r(rng, *, n, rho, method, clustered=False, shape=None):
    owner = clusters(rng, n // 4, 4) if clustered else None
    make = partial(repeated, rng, owner) if owner is not None else partial(rng.normal, size=n)
    x, other = make(), make()
    y = rho * x + math.sqrt(1 - rho**2) * other
    if shape is not None:
        x, y = shape(x), shape(y)
    return correlate(x, y, method=method, owner=owner)[0]


def rounded(values):
    return np.round(values)


def true_rho(rho, shape=None, method="spearman"):
    if shape is None:
        return rho if method == "pearson" else 6 / math.pi * math.asin(rho / 2)
    rng = np.random.default_rng(2)
    x, other = rng.normal(size=(2, 2_000_000))
    y = shape(rho * x + math.sqrt(1 - rho**2) * other)
    return float(np.corrcoef(stats.rankdata(shape(x)), stats.rankdata(y))[0, 1])


def slope_of(rng, family, *, n=80, n_clusters=0):
    """Return the interval of a slope of 0.5: uneven spread, an odd mean, repeated rows."""
    owner = clusters(rng, n_clusters, 5) if n_clusters else None
    n = n if owner is None else len(owner)
    x = rng.normal(size=n) if owner is None else rng.normal(size=n_clusters)[owner]
    z = rng.normal(size=n)
    noise = rng.normal(size=n) if owner is None else repeated(rng, owner)
    if family == "OLS":
        y = 1 + 0.5 * x + 0.3 * z + noise * (0.5 + np.abs(x))
    elif family == "logistic":
        p = 1 / (1 + np.exp(-(0.5 * x + 0.3 * z)))
        y = (stats.norm.cdf(noise) < p).astype(float)
    else:
        mean = np.exp(0.5 + 0.5 * x + 0.3 * z)
        if owner is not None:  # gamma spread of mean 1, alike within clusters
            mean = mean * stats.gamma.ppf(stats.norm.cdf(noise), 2, scale=0.5)
        else:
            mean = mean * rng.gamma(2, 0.5, size=n)
        y = rng.poisson(mean).astype(float)
    design = statistics.make_design(pd.DataFrame({"x": x, "z": z}))
    groups = None if owner is None else pd.Series(owner)
    fit = statistics.fit_regression(design, pd.Series(y), family, groups=groups)
    return fit.table["coefficient"].iloc[1]


def overdispersion(rng):
    x = rng.normal(size=1_000)
    y = rng.poisson(np.exp(0.5 + 0.3 * x) * rng.gamma(4, 0.25, size=1_000))
    design = statistics.make_design(pd.DataFrame({"x": x}))
    fit = statistics.fit_regression(design, pd.Series(y.astype(float)), "Poisson")
    return counts.estimate_overdispersion(fit)[0]


def all_pairs_hold(rng, *, method, spreads, sizes):
    means = np.array([0.0, 0.5, 1.0])
    parts = [rng.normal(m, s, size=n) for m, s, n in zip(means, spreads, sizes, strict=True)]
    table = method(parts, ["0", "1", "2"])
    return all(
        row.difference.covers(means[int(row.first)] - means[int(row.second)])
        for row in table.itertuples()
    )


def mean_over_folds(rng, *, n=100, n_splits=5):
    """Return the mean score of a straight line over folds, on fresh rows."""
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    y = X @ np.array([0.0, 1.0, 0.0, 0.0]) + rng.normal(size=n)
    scores = []
    for rows in np.array_split(rng.permutation(n), n_splits):
        train = np.setdiff1d(np.arange(n), rows)
        beta = np.linalg.lstsq(X[train], y[train], rcond=None)[0]
        scores.append(float(((y[rows] - X[rows] @ beta) ** 2).mean()))
    return estimates.corrected_mean(scores, 1 / n_splits)


def true_error(n_train=80):
    """Return the expected squared error of a line on three normal columns: σ² (1 + …)."""
    return 1 + 1 / n_train + 3 * (1 + 1 / n_train) / (n_train - 3 - 2)


def bootstrap_mean(rng, *, clustered=False):
    if clustered:
        owner = clusters(rng, 60, 3)
        x = np.exp(0.5 * repeated(rng, owner))
        return estimates.bootstrap(np.mean, x, n_resamples=500, random_state=0, groups=owner)
    return estimates.bootstrap(
        np.mean, rng.exponential(size=80), n_resamples=500, random_state=int(rng.integers(1e9))
    )


def bootstrap_correlation(rng):
    x = rng.normal(size=60)
    y = 0.5 * x + math.sqrt(0.75) * rng.normal(size=60)
    return estimates.bootstrap(
        lambda a, b: float(np.corrcoef(a, b)[0, 1]), x, y, n_resamples=500,
        random_state=int(rng.integers(1e9)),
    )  # fmt: skip


def interval(name, make, truth, share=1.0):
    return Simulation(name, "interval", covers(make, truth), 0.95, share)


SMALL_TABLE = [[30, 20, 25, 25], [25, 25, 25, 25], [20, 30, 25, 25]]
LARGE_TABLE = [[50, 10, 15, 25], [15, 50, 10, 25], [10, 15, 50, 25]]


def intervals() -> list[Simulation]:
    """Return the simulations of 95 % intervals."""
    g = partial(partial, interval_of_g)
    share, v = partial(partial, interval_of_share), partial(partial, interval_of_v)
    r, slope = partial(partial, interval_of_r), partial(partial, slope_of)
    small, medium = [0.0, 0.0, 0.25], [0.0, 0.4, 0.9]
    delta = 2 * stats.norm.cdf(0.8 / math.sqrt(2)) - 1
    pmf = stats.poisson.pmf(np.arange(30), 1), stats.poisson.pmf(np.arange(30) - 1, 1)
    above = sum(pmf[1][i] * (pmf[0][:i].sum() - pmf[0][i + 1 :].sum()) for i in range(30))
    return [
        interval("Hedges' g, equal spreads, 20 and 20", g(sizes=(20, 20), spreads=(1, 1)), 0.8),
        interval("Hedges' g, spreads 1 and 2, 60 and 30", g(sizes=(60, 30), spreads=(1, 2)),
                 pooled_d((60, 30), (1, 2))),
        interval("Hedges' g, skewed, 60 and 60", g(sizes=(60, 60), spreads=(1, 1),
                 population=skewed), 0.8),
        interval("Hedges' g, 50 clusters of 4", partial(clustered_effect, effects.hedges_g, 50),
                 0.8),
        interval("Cliff's delta, 20 and 30",
                 lambda rng: effects.cliffs_delta(*two_groups(rng, (20, 30), (1, 1), 0.8)), delta),
        interval("Cliff's delta, ties, 40 and 40",
                 lambda rng: effects.cliffs_delta(*two_groups(rng, (40, 40), (1, 1), 1.0, tied)),
                 above),
        interval("Cliff's delta, 50 clusters of 4",
                 partial(clustered_effect, effects.cliffs_delta, 50), delta),
        Simulation("omega² of 0 (an end can miss on one side only)", "interval",
                   covers(share(kind="omega²", means=[0, 0, 0]), 0.0), 0.975),
        interval("omega², small", share(kind="omega²", means=small), true_share(small)),
        interval("omega², large", share(kind="omega²", means=medium), true_share(medium)),
        interval("omega², large, skewed", share(kind="omega²", means=medium, population=skewed),
                 true_share(medium, population=skewed)),
        interval("omega², 90 clusters of 3", share(kind="omega²", means=medium, clustered=True),
                 true_share(medium)),
        interval("epsilon², small, skewed",
                 share(kind="epsilon²", means=small, population=very_skewed),
                 true_share(small, kind="epsilon²", population=very_skewed)),
        interval("epsilon², large, skewed",
                 share(kind="epsilon²", means=medium, population=skewed),
                 true_share(medium, kind="epsilon²", population=skewed)),
        interval("Cramér's V, small, 300 rows", v(table=SMALL_TABLE, n=300), true_v(SMALL_TABLE)),
        interval("Cramér's V, large, 300 rows", v(table=LARGE_TABLE, n=300), true_v(LARGE_TABLE)),
        interval("Cramér's V, 100 clusters of 3", v(table=LARGE_TABLE, n=300, clustered=True),
                 true_v(LARGE_TABLE)),
        interval("odds ratio, 120 rows", partial(interval_of_odds, n=120), TRUE_ODDS),
        interval("odds ratio, 60 clusters of 4", partial(interval_of_odds, n=240, clustered=True),
                 TRUE_ODDS),
        interval("Pearson r of 0.4, 30 rows", r(n=30, rho=0.4, method="pearson"), 0.4),
        interval("Pearson r of 0.8, 60 rows", r(n=60, rho=0.8, method="pearson"), 0.8),
        interval("Pearson r, 50 clusters of 4",
                 r(n=200, rho=0.4, method="pearson", clustered=True), 0.4),
        interval("Spearman rho, 30 rows", r(n=30, rho=0.5, method="spearman"), true_rho(0.5)),
        interval("Spearman rho, ties, 80 rows", r(n=80, rho=0.5, method="spearman", shape=rounded),
                 true_rho(0.5, rounded)),
        interval("Spearman rho, 50 clusters of 4",
                 r(n=200, rho=0.5, method="spearman", clustered=True), true_rho(0.5)),
        interval("proportion (Wilson), 0.1 of 100 rows",
                 lambda rng: estimates.wilson(int(rng.binomial(100, 0.1)), 100), 0.1),
        interval("proportion (Wilson), 0.37 of 30 rows",
                 lambda rng: estimates.wilson(int(rng.binomial(30, 0.37)), 30), 0.37),
        interval("area under the curve (DeLong), 40 and 60", area_of_curve, stats.norm.cdf(0.8)),
        interval("skewness, normal, 300 rows",
                 lambda rng: estimate_skewness(rng.normal(size=300)), 0.0),
        interval("excess kurtosis, uniform, 300 rows",
                 lambda rng: estimate_excess_kurtosis(rng.random(300)), -1.2),
        interval("BCa bootstrap of a skewed mean, 80 rows", bootstrap_mean, 1.0, 0.25),
        interval("BCa bootstrap of a correlation, 60 rows", bootstrap_correlation, 0.5, 0.1),
        interval("BCa bootstrap of a mean, 60 clusters of 3",
                 partial(bootstrap_mean, clustered=True), math.exp(0.125), 0.25),
        interval("mean score over 5 folds (corrected)", mean_over_folds, true_error()),
        interval("slope, straight line, HC3, 80 rows", slope(family="OLS"), 0.5, 0.5),
        interval("slope, straight line, 50 clusters", slope(family="OLS", n_clusters=50), 0.5, 0.5),
        interval("log odds, logistic, 300 rows", slope(family="logistic", n=300), 0.5, 0.5),
        interval("log ratio, Poisson on NB2 counts, 300 rows",
                 slope(family="Poisson", n=300), 0.5, 0.5),
        interval("log ratio, Poisson, 80 clusters",
                 slope(family="Poisson", n_clusters=80), 0.5, 0.5),
        interval("log ratio, NB2, 300 rows", slope(family="negative binomial", n=300), 0.5, 0.1),
        interval("dispersion (Cameron-Trivedi), 1,000 rows", overdispersion, 0.25, 0.5),
        Simulation("all pairs (Tukey), 3 groups", "interval", partial(
            all_pairs_hold, method=post_hoc.tukey, spreads=(1, 1, 1), sizes=(20, 20, 30)),
            0.95, 0.25),
        Simulation("all pairs (Games-Howell), spreads 1 to 3", "interval", partial(
            all_pairs_hold, method=post_hoc.games_howell, spreads=(1, 2, 3), sizes=(40, 20, 30)),
            0.95, 0.1),
    ]  # fmt: skip


def clustered_effect(measure, n_clusters, rng):
    x, second, owner = clustered_groups(rng, n_clusters, 0.8)
    return measure(x, second, owner=owner)


def area_of_curve(rng):
    y = np.repeat([0, 1], [40, 60])
    return estimates.delong(y, rng.normal(y * 0.8 * math.sqrt(2)))


# ── Tests of no relation ────────────────────────────────────────────────────────────────────


def rejects(feature, kind, y, task, owner=None) -> bool:
    """Return whether the routed test finds a relation at 5 %."""
    sample = lay_out(pd.Series(feature), kind, pd.Series(y), task=task, owner=owner)
    answer = ask(sample, choose_route(sample), level=0.95, n_shuffles=999, random_state=0)
    return answer.p_value < 0.05


def null_groups(rng, *, sizes, population=normal, spreads=None):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    x = population(rng, len(codes))
    x = x if spreads is None else x * np.asarray(spreads, dtype=float)[codes]
    return rejects(x, "numeric", codes, "binary" if len(sizes) == 2 else "multiclass")


def null_levels(rng, *, n, n_levels, population=normal):
    levels = rng.choice(list("abcdef")[:n_levels], size=n)
    return rejects(levels, "categorical", population(rng, n), "regression")


def null_numbers(rng, *, n, population=normal, other=normal):
    return rejects(population(rng, n), "numeric", other(rng, n), "regression")


def null_table(rng, *, n, first, second):
    levels = rng.choice(list("abcdef")[: len(first)], size=n, p=first)
    y = rng.choice(len(second), size=n, p=second)
    return rejects(levels, "categorical", y, "binary" if len(second) == 2 else "multiclass")


def null_clustered(rng, *, n_clusters, task, kind, n_classes=2, shape=None, uneven=False, size=4):
    """Draw a feature and a target that are both alike within clusters, and unrelated."""
    owner = clusters(rng, n_clusters, size, uneven=uneven)
    x, y = repeated(rng, owner, 0.7), repeated(rng, owner, 0.7)
    x = x if shape is None else shape(x)
    if kind == "categorical":
        x = np.array(list("abcd"))[np.digitize(x, [-0.7, 0, 0.7][: n_classes - 1])]
    target = y if task == "regression" else np.digitize(y, [-0.3, 0.5][: n_classes - 1])
    return rejects(x, kind, target, task, owner)


def null_information(rng, *, clustered=False):
    owner = clusters(rng, 50, 3) if clustered else None
    n = 150
    x = rng.normal(size=n) if owner is None else repeated(rng, owner, 0.8)
    y = rng.normal(size=n) if owner is None else repeated(rng, owner, 0.8)
    table = statistics.compute_mutual_information(
        pd.DataFrame({"x": x}), pd.Series((y > 0).astype(int)), task="binary", n_permutations=199,
        random_state=int(rng.integers(1e9)), groups=None if owner is None else pd.Series(owner),
    )  # fmt: skip
    return bool(table["p"].iloc[0] < 0.05)


def null_spread(rng, *, test, n):
    matrix = rng.normal(size=(n, 3))
    columns = np.column_stack([np.ones(n), matrix])
    y = rng.normal(size=n)
    residuals = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    return test(residuals, matrix)[2] < 0.05


def null_spread_clustered(rng):
    owner = clusters(rng, 60, 4)
    X = pd.DataFrame({"x": repeated(rng, owner), "z": repeated(rng, owner)})
    design = statistics.make_design(X)
    y, groups = pd.Series(repeated(rng, owner)), pd.Series(owner)
    fit = statistics.fit_regression(design, y, "OLS", groups=groups)
    return bool(compute_residual_checks(fit, design, groups=groups)["p"].iloc[0] < 0.05)


def null_normality(rng, *, n):
    return normality_of(rng.normal(size=n))[2] < 0.05


def null_slope(rng, family, *, n=60, n_clusters=0):
    owner = clusters(rng, n_clusters, 5) if n_clusters else None
    n = n if owner is None else len(owner)
    x = rng.normal(size=n) if owner is None else repeated(rng, owner, 0.9)
    noise = rng.normal(size=n) if owner is None else repeated(rng, owner)
    if family == "OLS":
        y = noise * (0.5 + np.abs(x))
    elif family == "logistic":
        y = (noise > 0).astype(float)
    else:
        y = rng.poisson(2 * rng.gamma(2, 0.5, size=n)).astype(float)
    design = statistics.make_design(pd.DataFrame({"x": x, "z": rng.normal(size=n)}))
    groups = None if owner is None else pd.Series(owner)
    fit = statistics.fit_regression(design, pd.Series(y), family, groups=groups)
    return bool(fit.table["p"].iloc[1] < 0.05)


def null_overdispersion(rng):
    x = rng.normal(size=500)
    design = statistics.make_design(pd.DataFrame({"x": x}))
    y = pd.Series(rng.poisson(np.exp(0.5 + 0.3 * x)).astype(float))
    fit = statistics.fit_regression(design, y, "Poisson")
    return counts.estimate_overdispersion(fit)[1] < 0.05


def null_pairs(rng, *, method, spreads=(1, 1, 1), sizes=(15, 20, 25), population=normal):
    parts = [population(rng, n) * s for n, s in zip(sizes, spreads, strict=True)]
    return bool((method(parts, ["0", "1", "2"])["p"] < 0.05).any())


def null_correlation(rng, *, method, n, clustered=False):
    owner = clusters(rng, n // 4, 4) if clustered else None
    make = partial(repeated, rng, owner) if owner is not None else partial(rng.normal, size=n)
    return correlate(make(), make(), method=method, owner=owner)[1] < 0.05


def null(name, draw, share=1.0, *, at_most=False):
    return Simulation(name, "test", draw, 0.05, share, at_most)


def tests() -> list[Simulation]:
    """Return the simulations of tests at 5 % without any relation."""
    groups, levels = partial(partial, null_groups), partial(partial, null_levels)
    numbers, table = partial(partial, null_numbers), partial(partial, null_table)
    many, slope = partial(partial, null_clustered), partial(partial, null_slope)
    two, four = [0.6, 0.4], [0.4, 0.3, 0.2, 0.1]
    return [
        null("2 groups, normal, 12 and 12", groups(sizes=(12, 12))),
        null("2 groups, normal, 8 and 40", groups(sizes=(8, 40))),
        null("2 groups, spreads 3 and 1, 12 and 48", groups(sizes=(12, 48), spreads=(3, 1))),
        null("2 groups, spreads 1 and 2, 40 and 40", groups(sizes=(40, 40), spreads=(1, 2))),
        null("2 groups, skewed, 12 and 20", groups(sizes=(12, 20), population=skewed)),
        null("2 groups, skewed, 40 and 80", groups(sizes=(40, 80), population=skewed)),
        null("2 groups, very skewed, 30 and 60", groups(sizes=(30, 60), population=very_skewed)),
        null("2 groups, ties, 25 and 35", groups(sizes=(25, 35), population=tied)),
        null("2 groups, ties, 100 and 100", groups(sizes=(100, 100), population=tied)),
        null("2 groups, heavy tails, 50 and 50", groups(sizes=(50, 50), population=heavy)),
        null("2 groups, 6 and 6", groups(sizes=(6, 6)), at_most=True),
        null("3 groups, normal, 12 each", groups(sizes=(12, 12, 12))),
        null("3 groups, spreads 1 to 3", groups(sizes=(40, 20, 20), spreads=(1, 2, 3))),
        null("3 groups, skewed, 12 to 40", groups(sizes=(12, 20, 40), population=skewed)),
        null("3 groups, ties, 20 each", groups(sizes=(20, 20, 20), population=tied)),
        null("4 groups, 6 each", groups(sizes=(6, 6, 6, 6)), 0.1),
        null("number and 2 levels, 40 rows", levels(n=40, n_levels=2)),
        null("number and 5 levels, skewed, 150 rows",
             levels(n=150, n_levels=5, population=skewed)),
        null("table of 2 × 2, 150 rows", table(n=150, first=two, second=two)),
        # Fisher's test has few outcomes to choose from here: even mid-p cannot reach its level.
        null("table of 2 × 2, 25 rows", table(n=25, first=[0.7, 0.3], second=[0.75, 0.25]),
             at_most=True),
        null("table of 2 × 2, 40 rows", table(n=40, first=[0.5, 0.5], second=[0.9, 0.1]),
             at_most=True),
        null("table of 4 × 3, 300 rows", table(n=300, first=four, second=[0.5, 0.3, 0.2])),
        null("table of 4 × 3, 40 rows", table(n=40, first=four, second=[0.5, 0.3, 0.2]), 0.25),
        null("2 numbers, normal, 15 rows", numbers(n=15)),
        null("2 numbers, skewed, 40 rows", numbers(n=40, population=skewed, other=very_skewed)),
        null("2 numbers, ties, 40 rows", numbers(n=40, population=tied, other=tied)),
        null("2 numbers, heavy tails, 60 rows", numbers(n=60, population=heavy, other=heavy)),
        null("means, 40 clusters of 4", many(n_clusters=40, task="binary", kind="numeric")),
        null("means, 50 uneven clusters",
             many(n_clusters=50, task="binary", kind="numeric", uneven=True)),
        null("ranks, 50 clusters of 4",
             many(n_clusters=50, task="binary", kind="numeric", shape=lambda x: np.exp(3 * x))),
        null("means of 3 groups, 60 clusters of 4",
             many(n_clusters=60, task="multiclass", kind="numeric", n_classes=3)),
        null("table of 2 × 2, 50 clusters of 4",
             many(n_clusters=50, task="binary", kind="categorical")),
        null("table of 3 × 3, 80 clusters of 4",
             many(n_clusters=80, task="multiclass", kind="categorical", n_classes=3)),
        null("Pearson r, 40 clusters of 4",
             many(n_clusters=40, task="regression", kind="numeric")),
        null("Spearman rho, 50 uneven clusters",
             many(n_clusters=50, task="regression", kind="numeric", uneven=True,
                  shape=lambda x: np.exp(3 * x))),
        null("means by 3 levels, 60 clusters of 4",
             many(n_clusters=60, task="regression", kind="categorical", n_classes=3)),
        null("means, 8 clusters of 12 (too few for an error)",
             many(n_clusters=8, size=12, task="multiclass", kind="numeric", n_classes=3), 0.1,
             at_most=True),
        null("Pearson r, correlations, 12 rows", partial(null_correlation, method="pearson", n=12)),
        null("Spearman rho, correlations, 12 rows",
             partial(null_correlation, method="spearman", n=12)),
        null("Spearman rho, correlations, 40 clusters",
             partial(null_correlation, method="spearman", n=160, clustered=True)),
        null("mutual information, 150 rows", null_information, 0.25),
        null("mutual information, 50 clusters of 3", partial(null_information, clustered=True),
             0.25),
        null("Breusch-Pagan, 100 rows", partial(null_spread, test=breusch_pagan, n=100)),
        null("White, 200 rows", partial(null_spread, test=white_test, n=200)),
        null("Breusch-Pagan, 60 clusters of 4", null_spread_clustered, 0.25),
        null("Shapiro-Wilk, 50 rows", partial(null_normality, n=50)),
        null("normality, 6,000 rows", partial(null_normality, n=6_000), 0.25),
        null("slope, straight line, HC3, 40 rows", slope(family="OLS", n=40), 0.5),
        null("slope, straight line, 50 clusters", slope(family="OLS", n_clusters=50), 0.5),
        null("log odds, logistic, 200 rows", slope(family="logistic", n=200), 0.5),
        null("log odds, logistic, 60 clusters", slope(family="logistic", n_clusters=60), 0.5),
        null("log ratio, Poisson on NB2 counts, 200 rows", slope(family="Poisson", n=200), 0.5),
        null("overdispersion of Poisson counts, 500 rows", null_overdispersion, 0.5),
        null("any pair (Tukey), 3 groups", partial(null_pairs, method=post_hoc.tukey), 0.25),
        null("any pair (Games-Howell), spreads 1 to 3", partial(
            null_pairs, method=post_hoc.games_howell, spreads=(1, 2, 3)), 0.1),
        null("any pair (Dunn with Holm), ties", partial(
            null_pairs, method=post_hoc.dunn, population=tied), at_most=True),
    ]  # fmt: skip


# ── Power ───────────────────────────────────────────────────────────────────────────────────


def finds_means(rng, *, d, sizes):
    codes = np.repeat([0, 1], sizes)
    return rejects(rng.normal(size=len(codes)) + d * codes, "numeric", codes, "binary")


def finds_variance(rng, *, f, n, k):
    codes = np.repeat(np.arange(k), n // k)
    means = np.linspace(-1, 1, k)
    means = means / means.std() * f
    return rejects(rng.normal(size=len(codes)) + means[codes], "numeric", codes, "multiclass")


def finds_correlation(rng, *, r, n):
    x = rng.normal(size=n)
    y = r * x + math.sqrt(1 - r**2) * rng.normal(size=n)
    return rejects(x, "numeric", y, "regression")


def finds_shares(rng, *, shares_, n):
    first = np.repeat(["a", "b"], n)
    y = (rng.random(2 * n) < np.repeat(shares_, n)).astype(int)
    return rejects(first, "categorical", y, "binary")


def finds_clustered(rng, *, d, n_clusters, likeness):
    owner = clusters(rng, n_clusters, 4)
    codes = owner % 2
    x = repeated(rng, owner, likeness) + d * codes
    return rejects(x, "numeric", codes, "binary", owner)


def powers() -> list[Simulation]:
    """Return the simulations of power, nominal as our functions compute it."""
    effect = 1 + 0.5 * 3  # Kish's design effect of four rows that are alike by a half
    return [
        Simulation("means, d 0.5, 64 and 64", "power",
                   partial(finds_means, d=0.5, sizes=(64, 64)), power.power_of_means(0.5, 64, 64)),
        Simulation("means, d 0.6, 30 and 90", "power",
                   partial(finds_means, d=0.6, sizes=(30, 90)), power.power_of_means(0.6, 30, 90)),
        Simulation("3 means, f 0.25, 159 rows", "power",
                   partial(finds_variance, f=0.25, n=159, k=3),
                   power.power_of_variance(0.25, 159, 3)),
        Simulation("correlation 0.3, 84 rows", "power", partial(finds_correlation, r=0.3, n=84),
                   power.power_of_correlation(0.3, 84)),
        Simulation("shares 0.55 and 0.40, 172 each", "power",
                   partial(finds_shares, shares_=[0.55, 0.40], n=172),
                   power.power_of_proportions(0.55, 0.40, 172, 172)),
        Simulation("means, d 0.5, 80 clusters of 4", "power",
                   partial(finds_clustered, d=0.5, n_clusters=80, likeness=0.5),
                   power.power_of_means(0.5, 160 / effect, 160 / effect)),
    ]  # fmt: skip


def all_simulations() -> list[Simulation]:
    """Return intervals, tests and power."""
    return [*intervals(), *tests(), *powers()]
