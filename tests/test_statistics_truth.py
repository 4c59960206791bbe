"""Planted truths: intervals hold them, tests keep their level, power keeps its promise.

The simulations are those of `nox -s benchmark -- statistics`, which draws each thousands of times.
Here each is drawn as often as two minutes of the suite allow, with fixed seeds; bounds are the
allowed band (2 points for intervals and power, 1 for tests) widened by binomial luck of 1 in 1,000.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import simulations_statistics  # the planted truths, which the benchmark shares
from lib import statistics
from lib.data import make_planted
from lib.errors import InputError
from lib.statistics.asking import fisher_mid_p
from lib.statistics.clustered import owner_codes
from lib.statistics.routes import choose_route
from lib.statistics.samples import lay_out

SIMULATIONS = simulations_statistics.all_simulations()
N_DRAWN = 150


def test_simulations_have_distinct_names():
    """Each kind is there, and no two simulations of it share a name."""
    names = [(simulation.kind, simulation.name) for simulation in SIMULATIONS]
    assert len(names) == len(set(names))
    assert {simulation.kind for simulation in SIMULATIONS} == {"interval", "test", "power"}


@pytest.mark.slow
@pytest.mark.parametrize("simulation", SIMULATIONS, ids=lambda s: f"{s.kind}: {s.name}")
def test_planted_truth(simulation):
    """The simulated share of intervals that hold, or tests that reject, is what is promised."""
    figure, n = simulation.run(N_DRAWN)
    low, high = simulation.bounds(n)
    assert low <= figure <= high, f"{figure:.3f} of {n}, nominal {simulation.nominal:.3f}"


# ── Each branch of the route is taken on data planted for it ────────────────────────────────


def route_of(feature, y, task, owner=None):
    """Return the route that a feature takes."""
    column = pd.Series(feature, name="x")
    kind = str(statistics.column_kinds(column.to_frame())["x"])
    return choose_route(lay_out(column, kind, pd.Series(y), task=task, owner=owner))


RNG = np.random.default_rng(20261125)
NORMAL, WILD = RNG.normal(size=240), np.exp(4 * RNG.normal(size=240))
TWO, THREE = np.tile([0, 1], 120), np.tile([0, 1, 2], 80)
UNEQUAL = np.repeat([0, 1], [60, 180])
UNEQUAL_THREE = np.repeat([0, 1, 2], [40, 80, 120])
YES = np.where(RNG.random(240) < 0.4, "yes", "no")
EVEN = np.repeat(stats.norm.ppf((np.arange(80) + 0.5) / 80), 3)  # the same in three groups
HALF = np.where(np.arange(240) % 2 == 0, "yes", "no")
RARE = np.where(np.arange(240) < 6, "yes", "no")
PERSONS = np.arange(240) // 4


@pytest.mark.parametrize(
    ("feature", "y", "task", "clustered", "expected"),
    [
        (NORMAL, TWO, "binary", False, ("Student's t", "spreads alike")),
        (NORMAL * (1 + 2 * TWO), TWO, "binary", False, ("Welch's t", "spreads unlike")),
        (NORMAL, UNEQUAL, "binary", False, ("Welch's t", "sizes unlike (3.0 times)")),
        (WILD, TWO, "binary", False, ("Mann-Whitney", "means do not behave")),
        (NORMAL[:12], TWO[:12], "binary", False, ("Mann-Whitney", "under 8 rows")),
        (WILD[:40], TWO[:40], "binary", False, ("Mann-Whitney", "not normal (Shapiro-Wilk")),
        (EVEN, THREE, "multiclass", False, ("ANOVA", "spreads alike")),
        (NORMAL * (1 + THREE), THREE, "multiclass", False, ("Welch's ANOVA", "spreads unlike")),
        (NORMAL, UNEQUAL_THREE, "multiclass", False, ("Welch's ANOVA", "sizes unlike")),
        (WILD, THREE, "multiclass", False, ("Kruskal-Wallis", "means do not behave")),
        (NORMAL[:18], THREE[:18], "multiclass", False, ("Kruskal-Wallis by shuffling", "under 8")),
        (YES, TWO, "binary", False, ("χ²", "expected counts from")),
        (RARE, TWO, "binary", False, ("Fisher's exact (mid-p)", "too small")),
        (RARE, THREE, "multiclass", False, ("χ² by shuffling", "too small")),
        (NORMAL, NORMAL[::-1], "regression", False, ("Pearson r", "near normal")),
        (WILD, NORMAL, "regression", False, ("Spearman rho", "far from normal")),
        (HALF, NORMAL, "regression", False, ("Student's t", "spreads alike")),
        (NORMAL, TWO, "binary", True, ("means, clustered", "rows repeat 60 clusters")),
        (WILD, TWO, "binary", True, ("ranks, clustered", "rows repeat 60 clusters")),
        (YES, THREE, "multiclass", True, ("table, clustered", "rows repeat 60 clusters")),
        (NORMAL, NORMAL[::-1], "regression", True, ("Pearson r, clustered", "rows repeat")),
        (WILD, NORMAL, "regression", True, ("Spearman rho, clustered", "rows repeat")),
        (["a"] * 240, TWO, "binary", False, ("", "not applicable: one value")),
        ([f"remark {i}" for i in range(240)], TWO, "binary", False, ("", "free text")),
    ],
)
def test_every_branch_of_the_route_is_taken(feature, y, task, clustered, expected):
    """Data planted for a branch take it, and the words say what was checked; none is cut short."""
    route = route_of(feature, y, task, owner_codes(pd.Series(PERSONS)) if clustered else None)
    assert route.test == expected[0]
    assert expected[1] in route.words
    assert all(len(part) <= 58 for part in (route.compared, route.checked, route.then))


def test_left_out_classes_and_merged_levels_are_said():
    """A class of three rows stays out, twenty rare levels become one, and the route says so."""
    y = np.r_[np.tile([0, 1], 100), [2, 2, 2]]
    assert "1 rare class out (3 rows)" in route_of(RNG.normal(size=203), y, "multiclass").words
    levels = [f"level {min(i % 100, 20)}" for i in range(200)]
    assert "20 of 21 levels merged" in route_of(levels, np.tile([0, 1], 100), "binary").words


def test_fisher_mid_p_by_hand():
    """Half of the tables as likely count: from Fisher's own p-value it takes half their chance."""
    from scipy.stats import fisher_exact, hypergeom

    counts = np.array([[8.0, 2.0], [1.0, 5.0]])
    own = hypergeom.pmf(8, 16, 9, 10)
    assert fisher_mid_p(counts) == pytest.approx(fisher_exact(counts).pvalue - own / 2)


# ── Regressions: leave-one-out errors, exact fits ───────────────────────────────────────────


def test_cluster_errors_are_those_of_leaving_each_cluster_out():
    """The one-step jackknife is the jackknife written out, for straight lines to all digits."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(180, 3)), columns=list("abc"))
    owner = np.repeat(np.arange(30), rng.integers(1, 11, 30))[:180]
    owner = np.r_[owner, np.full(180 - len(owner), 29)]
    y = X["a"] + rng.normal(size=30)[owner] + rng.normal(size=180)
    design = statistics.make_design(X)
    fit = statistics.fit_regression(design, y, "OLS", groups=pd.Series(owner))
    columns = np.column_stack([np.ones(180), X])
    whole = np.linalg.lstsq(columns, y, rcond=None)[0]
    moved = np.array(
        [np.linalg.lstsq(columns[owner != i], y[owner != i], rcond=None)[0] - whole
         for i in np.unique(owner)]
    )  # fmt: skip
    n = len(moved)
    errors = np.sqrt((moved**2).sum(axis=0) * (n - 1) / n)
    np.testing.assert_allclose(fit.table["robust_error"], errors, rtol=1e-9)


def test_a_column_that_few_rows_decide_is_judged_by_few():
    """Six rows of 500 carry a 0/1 column: its interval reaches 2.5 errors, others 2."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=500), "rare": (np.arange(500) < 6) * 1.0})
    fit = statistics.fit_regression(statistics.make_design(X), X["x"] + rng.normal(size=500), "OLS")
    reach = [(row.coefficient.high - row.coefficient.value) / row.robust_error
             for row in fit.table.itertuples()]  # fmt: skip
    assert reach[1] == pytest.approx(1.97, abs=0.02)
    assert 2.4 < reach[2] < 2.7


def test_an_exact_fit_has_neither_errors_nor_p_values():
    """A target that is the sum of two features is said to be, and rounding is not tested."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 50, size=(200, 3)), columns=["casual", "member", "noise"])
    data = make_planted(200, task="regression")
    y = (X["casual"] + X["member"]).astype(float)
    fit = statistics.fit_regression(statistics.make_design(X), y, "OLS")
    assert fit.table["p"].isna().all()
    assert [round(e.value, 9) for e in fit.table["coefficient"].iloc[1:]] == [1, 1, 0]
    assert "give the target away exactly" in fit.notes[0]
    study = statistics.study_regression(data, data.X.assign(copy=data.y))
    said = [seen.sentence for seen in statistics.describe_regression(study)]
    assert any("meets all {n_regression} rows" in sentence for sentence in said)
    from lib import plots

    assert "0 of 3 terms go" in plots.plot_coefficients(fit, target="count").get_title()


# ── The user's own function ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_perform_statistical_tests_gives_what_was_asked_for(task):
    """Normality per column, correlations, information, Breusch-Pagan and VIF find what is planted.

    One column is made skewed, one nearly a copy of another, and spread grows with a third.
    """
    rng = np.random.default_rng(0)
    data = make_planted(400, task=task)
    X = data.X.assign(skewed=rng.exponential(size=400) ** 2)
    X["near"] = X["signal_1"] + 0.1 * rng.normal(size=400)
    y = data.y + (rng.normal(size=400) * np.exp(X["signal_1"]) if task == "regression" else 0)
    before = X.copy()
    found = statistics.perform_statistical_tests(X.assign(outcome=y), "outcome")
    assert found.task == task
    verdicts = found.normality.set_index("column")["verdict"]
    assert "skewed right" in verdicts["skewed"]
    pair = found.correlations.iloc[0]
    assert {pair["first"], pair["second"]} == {"signal_1", "near"}
    assert found.mutual_information["feature"].iloc[0] in {"signal_1", "near"}
    assert set(found.tests["feature"]) == set(X.columns)
    assert set(found.collinearity["feature"].head(2)) == {"signal_1", "near"}
    assert found.collinearity["vif"].iloc[0] > 10
    if task == "regression":
        checks = found.residual_checks.set_index("test")["answer"]
        assert checks["Breusch-Pagan (Koenker)"] == "uneven"
    else:
        assert found.residual_checks is None
    pd.testing.assert_frame_equal(X, before)


def test_perform_statistical_tests_names_a_missing_target():
    """The sentence names the target and offers the nearest column."""
    with pytest.raises(InputError, match="Did you mean 'outcome'"):
        statistics.perform_statistical_tests(pd.DataFrame({"outcome": [1, 2]}), "outcom")


@pytest.mark.parametrize("values", [[f"remark {i}" for i in range(80)], [1] * 80])
def test_perform_statistical_tests_without_a_usable_column_says_so(values):
    """Free text alone, or nothing that varies: one sentence says what a regression would need."""
    frame = pd.DataFrame({"x": values, "y": np.tile([0, 1], 40)})
    found = statistics.perform_statistical_tests(frame, "y")
    assert found.tests["test"].tolist() == [""]
    assert len(found.collinearity) == len(found.correlations) == 0
