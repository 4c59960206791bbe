"""Published results, reproduced by our functions to the digits in which they were printed.

The figures stand in tests/references with their sources: certified values of NIST's Statistical
Reference Datasets, and what R, Stata, EViews and JASP say as the tests of other libraries quote it.
DeLong's, the corrected resampled t-test and Newcombe's are in test_estimates.py.
"""

import json
import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from lib import estimates, statistics
from lib.config import project_root
from lib.statistics import post_hoc, power
from lib.statistics.asking import ask, welch_anova
from lib.statistics.diagnostics import breusch_pagan, white_test
from lib.statistics.normality import test_of_normality as normality_of
from lib.statistics.routes import Route, brown_forsythe
from lib.statistics.samples import Sample

FOLDER = project_root() / "tests" / "references"
PUBLISHED = json.loads((FOLDER / "statistics.json").read_text(encoding="utf-8"))
RAND_HIE = json.loads((FOLDER / "rand_hie.json").read_text(encoding="utf-8"))
DIGITS = 1e-7  # relative, where a source prints all digits


def published(name: str):
    """Return input and expected figures of one published result."""
    return PUBLISHED[name]["input"], PUBLISHED[name]["expected"]


def answer(test: str, effect: str, parts):
    """Return what one of our tests says of numbers in groups."""
    sizes = [len(part) for part in parts]
    codes = np.repeat(np.arange(len(parts)), sizes)
    names = tuple(str(i) for i in range(len(parts)))
    numbers = np.concatenate([np.asarray(part, dtype=float) for part in parts])
    sample = Sample("x", "groups", numbers, codes, np.empty(0), names)
    return ask(sample, Route(test, effect, ""), level=0.95, n_shuffles=99, random_state=0)


def values_and_errors(fit, kind="robust_error"):
    """Return coefficients and errors, the constant last as Stata and R print them here."""
    values = [estimate.value for estimate in fit.table["coefficient"]]
    errors = fit.table[kind].tolist()
    return np.array(values[1:] + values[:1]), np.array(errors[1:] + errors[:1])


# ── NIST: certified to fifteen digits ───────────────────────────────────────────────────────


def read_nist(name: str):
    """Return the data of a file of NIST's, and its lines above them."""
    lines = (FOLDER / "nist" / f"{name}.dat").read_text(encoding="ascii").splitlines()
    rows = [[float(cell) for cell in line.split()] for line in lines[60:] if line.strip()]
    return np.array(rows), lines[:60]


def digits_right(ours, certified) -> float:
    """Return NIST's log relative error: how many decimal digits are right, at most 15."""
    ours, certified = np.asarray(ours, dtype=float), np.asarray(certified, dtype=float)
    relative = np.abs(ours - certified) / np.abs(certified)
    return float(-np.log10(np.maximum(relative.max(), 1e-15)))


@pytest.mark.parametrize(("name", "least"), [("Longley", 12.0), ("Norris", 12.0)])
def test_regressions_of_nist(name, least):
    """Coefficients, textbook errors, residual spread and R² agree with NIST in 12 digits and more."""
    data, head = read_nist(name)
    X = pd.DataFrame(data[:, 1:], columns=[f"x{i}" for i in range(1, data.shape[1])])
    fit = statistics.fit_regression(statistics.make_design(X), pd.Series(data[:, 0]), "OLS")
    lines = [line.split() for line in head]
    certified = {row[0]: [float(x) for x in row[1:]] for row in lines if len(row) == 3
                 and row[0][0] == "B" and row[0][1:].isdigit()}  # fmt: skip
    assert len(certified) == data.shape[1]
    terms = ["B0", *(f"B{i}" for i in range(1, data.shape[1]))]
    values = [estimate.value for estimate in fit.table["coefficient"]]
    assert digits_right(values, [certified[term][0] for term in terms]) >= least
    errors = fit.table["plain_error"]
    assert digits_right(errors, [certified[term][1] for term in terms]) >= least
    spread = next(float(row[-1]) for row in lines if row[:2] == ["Standard", "Deviation"]
                  and len(row) == 3)  # fmt: skip
    squared = next(float(row[-1]) for row in lines if row[:1] == ["R-Squared"])
    assert digits_right(fit.residual_spread, spread) >= least
    assert digits_right(fit.r_squared, squared) >= least


@pytest.mark.parametrize("name", ["SiRstv", "SmLs01"])
def test_analysis_of_variance_of_nist(name):
    """F agrees with NIST in 12 digits, and Welch's F stays near where spreads are alike."""
    data, head = read_nist(name)
    parts = [data[data[:, 0] == level, 1] for level in np.unique(data[:, 0])]
    certified = next(float(line.split()[-1]) for line in head if line.startswith("Between"))
    assert digits_right(answer("ANOVA", "omega²", parts).statistic, certified) >= 12
    assert welch_anova(parts)[0] == pytest.approx(certified, rel=0.2)


def longley():
    """Return the design and the target of Longley's data, as NIST prints them."""
    data, _ = read_nist("Longley")
    X = pd.DataFrame(data[:, 1:], columns=[f"x{i}" for i in range(1, 7)])
    return statistics.make_design(X), pd.Series(data[:, 0])


def test_variance_inflation_equals_r():
    """The factors of Longley's six columns are those R prints."""
    _, expected = published("vif_longley")
    overlap = statistics.compute_collinearity(longley()[0]).set_index("feature")["vif"]
    for name, vif in expected.items():
        printed = len(str(vif).split(".")[1])
        assert overlap[name] == pytest.approx(vif, abs=0.51 * 10**-printed)


def test_condition_number_equals_belsley():
    """Longley's scaled condition number is the 43,275 of Belsley, Kuh and Welsch."""
    _, expected = published("condition_longley")
    assert round(statistics.condition_number(longley()[0])) == expected["condition"]


def test_hc3_errors_equal_r():
    """Heteroscedasticity-consistent errors (HC3) of Longley's regression are R's."""
    _, expected = published("hc3_longley")
    fit = statistics.fit_regression(*longley(), "OLS")
    assert fit.errors == "HC3"
    printed = [0.51e-5] * 6 + [0.51]
    _, errors = values_and_errors(fit)
    assert (np.abs(errors - expected["HC3"]) <= printed).all()


# ── Regressions of Stata's and R's ──────────────────────────────────────────────────────────


def test_cluster_robust_errors_equal_stata():
    """Coefficients, errors over ten firms, p-values and intervals are Stata's."""
    from statsmodels.datasets import grunfeld

    _, expected = published("cluster_grunfeld")
    table = grunfeld.load_pandas().data
    table = table[table["firm"] != "American Steel"].reset_index(drop=True)
    design = statistics.make_design(table[["value", "capital"]])
    how = {"groups": table["firm"], "correction": "degrees"}
    fit = statistics.fit_regression(design, table["invest"], "OLS", **how)
    assert fit.errors == "clustered over 10 groups"
    values, errors = values_and_errors(fit)
    assert_allclose(values, expected["params"], rtol=DIGITS)
    assert_allclose(errors, expected["se"], rtol=DIGITS)
    ends = fit.table["coefficient"]
    assert_allclose(np.roll([e.low for e in ends], -1), expected["low"], rtol=1e-6)
    assert_allclose(np.roll([e.high for e in ends], -1), expected["high"], rtol=1e-6)
    assert_allclose(np.roll(fit.table["p"], -1), expected["p"], rtol=DIGITS)


@pytest.mark.parametrize(
    ("family", "clustered", "name"),
    [
        ("Poisson", False, "poisson_robust"),
        ("Poisson", True, "poisson_cluster"),
        ("negative binomial", True, "nb2_cluster"),
    ],
)
def test_count_regressions_with_robust_errors_equal_stata(family, clustered, name):
    """Stata's coefficients and errors, but for a factor: ours counts the coefficients, too."""
    table, expected = published("counts_ships")
    frame = pd.DataFrame(table)
    design = statistics.make_design(frame[["yr_con", "op_75_79"]])
    groups = frame["ship"] if clustered else None
    how = {"groups": groups, "correction": "degrees"}
    fit = statistics.fit_regression(design, frame["accident"], family, **how)
    n, k = len(frame), 3
    values, errors = values_and_errors(fit)
    assert_allclose(values, expected[name.split("_", maxsplit=1)[0]], rtol=1e-6)
    assert_allclose(errors * math.sqrt((n - k) / (n - 1)), expected[name], rtol=1e-5)
    if family == "negative binomial":
        assert fit.alpha == pytest.approx(expected["alpha"], rel=1e-6)


def test_rand_health_insurance_counts_equal_stata_and_r():
    """Poisson is Stata's, NB2 is R's glm.nb: coefficients, errors, likelihoods, criteria, effects.

    Visits to physicians in 20,190 person-years; Cameron and Trivedi (2005), chapter 20.
    """
    from statsmodels.datasets import randhie

    table = randhie.load_pandas().data
    design = statistics.make_design(table.drop(columns="mdvis"))
    assert design.terms[0] == "lncoins"
    models = statistics.fit_counts(design, table["mdvis"])
    stata, poisson = RAND_HIE["poisson"], models.poisson
    values, errors = values_and_errors(poisson, "plain_error")
    assert_allclose(values, stata["params"], rtol=1e-6)
    assert_allclose(errors, stata["bse"], rtol=1e-6)
    assert poisson.log_likelihood == pytest.approx(stata["llf"], rel=1e-9)
    assert poisson.null_log_likelihood == pytest.approx(stata["llnull"], rel=1e-9)
    assert poisson.r_squared == pytest.approx(stata["prsquared"], rel=1e-8)
    assert (poisson.aic, poisson.bic) == pytest.approx((stata["aic"], stata["bic"]), rel=1e-9)
    effects = [effect.value for effect in models.table["effect"].iloc[1:]]
    assert_allclose(effects, stata["margeff_overall"], rtol=1e-6)
    r, nb2 = RAND_HIE["nb2"], models.negative_binomial
    values, _ = values_and_errors(nb2)
    assert_allclose(values, r["params"][:-1], rtol=2e-4)  # glm.nb stops earlier than we do
    assert nb2.alpha == pytest.approx(r["params"][-1], rel=1e-5)
    assert math.log(nb2.alpha) == pytest.approx(r["lnalpha"], rel=1e-4)
    assert nb2.log_likelihood == pytest.approx(r["llf"], rel=1e-9)
    assert nb2.log_likelihood >= r["llf"] - 1e-6
    assert (nb2.aic, nb2.bic) == pytest.approx((r["aic"], r["bic"]), rel=1e-9)


def macrodata():
    """Return the design and the residuals of the published regression on macrodata."""
    from statsmodels.datasets import macrodata as source

    data = source.load_pandas().data
    growth = 400 * np.diff(np.log(data[["realinv", "realgdp"]].to_numpy()), axis=0)
    X = pd.DataFrame({"gdp": growth[:, 1], "realint": data["realint"].to_numpy()[:-1]})
    design = statistics.make_design(X)
    return design, statistics.fit_regression(design, pd.Series(growth[:, 0]), "OLS")


def test_tests_of_even_spread_equal_r_and_eviews():
    """Koenker's Breusch-Pagan is R's bptest, White's test with products is EViews'."""
    design, fit = macrodata()
    _, expected = published("breusch_pagan")
    values, _ = values_and_errors(fit)
    assert_allclose(np.roll(values, 1), expected["params"], rtol=DIGITS)
    residuals, matrix = fit.target - fit.fitted, design.matrix.to_numpy()
    statistic, degrees, p_value = breusch_pagan(residuals, matrix)
    assert (statistic, degrees) == pytest.approx((expected["LM"], 2), rel=DIGITS)
    assert p_value == pytest.approx(expected["p"], rel=DIGITS)
    _, expected = published("white")
    statistic, degrees, p_value = white_test(residuals, matrix)
    assert (statistic, degrees) == pytest.approx((expected["LM"], 5), rel=DIGITS)
    assert p_value == pytest.approx(expected["p"], rel=DIGITS)


# ── Tests of R's, JASP's and NIST's ─────────────────────────────────────────────────────────


def test_shapiro_wilk_equals_r():
    """W and p of twenty values are R's."""
    values, expected = published("shapiro")
    name, statistic, p_value = normality_of(np.array(values))
    assert name == "Shapiro-Wilk"
    assert (statistic, p_value) == pytest.approx((expected["W"], expected["p"]), rel=DIGITS)


def test_brown_forsythe_equals_nist():
    """The p-value of equal spreads of ten batches of gears is the handbook's."""
    parts, expected = published("brown_forsythe")
    ours = brown_forsythe([np.array(part) for part in parts])
    assert ours == pytest.approx(expected["p"], rel=DIGITS)


def test_welch_equals_r():
    """t, its degrees, p and the interval of the difference are those of R's t.test."""
    groups, expected = published("welch")
    parts = [np.array(groups["a"], dtype=float), np.array(groups["b"], dtype=float)]
    ours = answer("Welch's t", "Hedges' g", parts)
    assert -ours.statistic == pytest.approx(expected["t"], rel=1e-5)  # ours: second less first
    assert ours.p_value == pytest.approx(expected["p"], abs=5e-6)
    assert welch_anova(parts)[2] == pytest.approx(expected["df"], rel=1e-5)
    pair = post_hoc.games_howell(parts, ["a", "b"])["difference"].iloc[0]
    assert (pair.low, pair.high) == pytest.approx(expected["ci95"], abs=0.005)


def test_mann_whitney_equals_r():
    """U and the exact p-value of three against thirteen are R's."""
    groups, expected = published("mann_whitney")
    ours = answer("Mann-Whitney", "Cliff's delta", [groups["y"], groups["x"]])
    assert ours.statistic == expected["U"]
    assert ours.p_value == pytest.approx(expected["p"], rel=DIGITS)


def test_kruskal_wallis_equals_scipy():
    """H of two groups of five is the published one."""
    parts, expected = published("kruskal")
    ours = answer("Kruskal-Wallis", "epsilon²", parts)
    assert ours.statistic == pytest.approx(expected["H"], rel=DIGITS)


def test_tukey_equals_r():
    """Differences, intervals and adjusted p-values of three tensions are those of TukeyHSD."""
    parts, expected = published("tukey")
    pairs = post_hoc.tukey([np.array(p, dtype=float) for p in parts], ["1", "2", "3"])
    for row in pairs.itertuples():
        difference, low, high, p_value = expected[f"{row.first}-{row.second}"]
        ours = (row.difference.value, row.difference.low, row.difference.high)
        assert ours == pytest.approx((difference, low, high), abs=2e-5)
        assert row.p == pytest.approx(p_value, abs=1e-6)


def test_games_howell_equals_jasp():
    """The three species of penguins differ as JASP says, its degrees of freedom included."""
    masses, expected = published("games_howell")
    names = ["Adelie", "Chinstrap", "Gentoo"]
    parts = [np.array(masses[name], dtype=float) for name in names]
    pairs = post_hoc.games_howell(parts, names)
    assert pairs[["first", "second"]].to_numpy().tolist() == expected["pairs"]
    assert_allclose(pairs["p"], expected["p"], atol=6e-5)
    for row, t, degrees in zip(pairs.itertuples(), expected["T"], expected["df"], strict=True):
        reach = stats.studentized_range.ppf(0.95, 3, degrees) / math.sqrt(2)
        error = abs(row.difference.value / t)
        assert row.difference.high - row.difference.value == pytest.approx(reach * error, rel=2e-4)


def test_power_equals_rs_pwr():
    """Power and rows needed are those of the vignette of R's package pwr."""
    _, expected = published("power")

    def rows(power_at):
        return power.solve_power(power_at, 2, 10_000)

    ours = {
        "t, 30 and 30, d 0.5": power.power_of_means(0.5, 30, 30),
        "t, rows a group for d 0.5": rows(lambda n: power.power_of_means(0.5, n, n)),
        "t, 28 and 35, d 0.5": power.power_of_means(0.5, 28, 35),
        "h 0.2, rows a group": rows(lambda n: power.power_of_h(0.2, n, n)),
        "0.55 against 0.5, rows a group": rows(
            lambda n: power.power_of_proportions(0.55, 0.5, n, n)
        ),
        "0.10 against 0.05, rows a group": rows(
            lambda n: power.power_of_proportions(0.10, 0.05, n, n)
        ),
        "h 0.2, 543 and 675": power.power_of_h(0.2, 543, 675),
        "h 0.5, 20 rows": power.power_of_h(0.5, 20),
        "r 0.3, rows": power.solve_power(lambda n: power.power_of_correlation(0.3, n), 5, 1_000),
        "w 0.2886751, 100 rows, 3 degrees": power.power_of_table(0.2886751, 100, 3),
    }
    assert set(ours) == set(expected)
    for name, figure in expected.items():
        assert ours[name] == pytest.approx(figure, rel=1e-5), name


# ── Corrections and the bootstrap ───────────────────────────────────────────────────────────


def test_corrections_equal_published_figures():
    """Holm's p-values are ISLP's, Benjamini and Hochberg's those of TileStats (three decimals)."""
    raw, expected = published("holm")
    assert estimates.holm(raw) == pytest.approx(expected["p"], rel=1e-5)
    raw, expected = published("bh")
    assert estimates.benjamini_hochberg(raw) == pytest.approx(expected["q"], abs=6e-4)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_intervals_equal_r(method):
    """Intervals of a skewed mean are those of R's boot, but for the luck of 40,000 resamples."""
    values, expected = published("bootstrap")
    ours = estimates.bootstrap(np.mean, values, n_resamples=40_000, random_state=1, method=method)
    assert (ours.low, ours.high) == pytest.approx(expected[method], rel=0.01)
