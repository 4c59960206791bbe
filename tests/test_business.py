"""Money: planted truths are found, published decision curves repeated, the catalogue understood."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib import business
from lib.business import Bootstrap, Cases
from lib.config import Config, project_root
from lib.data import load_data, make_planted
from lib.errors import InputError
from lib.estimates import Estimate

QUICK = Bootstrap(400)


def make_cases(y, prediction, *, amounts=None, units=None, **others):
    """Return cases of unweighted rows, each a unit of its own unless said otherwise."""
    units = np.arange(len(y)) if units is None else units
    return Cases(np.asarray(y), prediction, amounts, np.ones(len(y)), units, **others)


def draw_calibrated(n_rows, seed, *, score=lambda p: p):
    """Return cases whose true probabilities are even, seen through a score."""
    rng = np.random.default_rng(seed)
    p = rng.random(n_rows)
    return make_cases((rng.random(n_rows) < p).astype(int), score(p))


def expected_gain(threshold, *, tp, fp):
    """Return what acting from a threshold on earns on 1,000 rows of even probabilities."""
    hit, alarm = (1 - threshold**2) / 2, (1 - threshold) ** 2 / 2
    return 1_000 * (tp * hit + fp * alarm)


# --- thresholds -------------------------------------------------------------------------------


def test_threshold_of_calibrated_scores_has_no_regret_beyond_its_band():
    """On calibrated scores break-even is used, and bands hold the true regret as they promise."""
    gains = business.make_gains({"tp": 80, "fp": -20})
    held, near = [], []
    for seed in range(40):
        choice = business.choose_threshold(gains, draw_calibrated(1_500, seed), bootstrap=QUICK)
        curve = business.compute_profit_curve(
            gains, draw_calibrated(800, 100 + seed), choice.curve.thresholds, bootstrap=QUICK
        )
        regret = business.estimate_regret(curve, choice.threshold)
        truth = expected_gain(0.2, tp=80, fp=-20) - expected_gain(choice.threshold, tp=80, fp=-20)
        held.append(regret.low <= truth + 1e-9 <= regret.high)
        near.append(abs(choice.threshold - 0.2) < 0.1)
        assert choice.break_even == pytest.approx(0.2)
    assert np.mean(held) >= 0.9  # 95 % aimed at, 40 draws
    assert np.mean(near) >= 0.9


def test_threshold_of_scores_that_are_off_leaves_break_even():
    """Where scores are the cube of the probability the best threshold is the cube of break-even."""
    gains = business.make_gains({"tp": 80, "fp": -20})
    cases = draw_calibrated(20_000, 0, score=lambda p: p**3)
    choice = business.choose_threshold(gains, cases, bootstrap=QUICK)
    assert choice.threshold == choice.best.value != choice.break_even
    assert choice.threshold ** (1 / 3) == pytest.approx(0.2, abs=0.04)


def test_no_threshold_of_a_grid_earns_more_than_break_even():
    """On 200,000 calibrated scores the best threshold of a grid is break-even's neighbour."""
    gains = business.make_gains({"tp": 90, "fp": -10, "fn": -30, "tn": 5})
    cases = draw_calibrated(200_000, 1)
    value = gains.value_of_acting(cases.y)
    grid = np.arange(1, 100) / 100
    earned = [value[cases.prediction >= t].sum() for t in grid]
    at = business.break_even_probability(gains.money)
    assert at == pytest.approx(15 / 135)
    assert grid[int(np.argmax(earned))] == pytest.approx(at, abs=0.02)


def test_a_worthless_action_is_not_taken():
    """Where a false alarm costs a thousand hits, a few lucky rows out of fold change nothing."""
    gains = business.make_gains({"tp": 1, "fp": -1_000})
    rule = business.learn_rule(gains, draw_calibrated(500, 0), bootstrap=QUICK)
    cases = draw_calibrated(200, 1)
    assert rule.choice.threshold == rule.choice.break_even == pytest.approx(1_000 / 1_001)
    assert not rule.decide(cases)[cases.prediction < 0.99].any()
    assert rule.constant == business.NOBODY


@pytest.mark.slow
def test_permuted_predictions_do_not_look_better_than_doing_without():
    """When predictions are shuffled, "act with the model" is said in at most 5 % of simulations."""
    rng, settings = np.random.default_rng(0), Bootstrap(200)
    gains = business.make_gains({"tp": 100, "fp": -100 * 0.3 / 0.7})  # neither constant wins
    said = []
    for _ in range(120):
        cases = []
        for n_rows in (500, 400):
            y = (rng.random(n_rows) < 0.3).astype(int)
            p = np.clip(0.3 + 0.3 * (y - 0.3) + 0.2 * rng.normal(size=n_rows), 0, 1)
            cases.append(make_cases(y, rng.permutation(p)))
        rule = business.learn_rule(gains, cases[0], bootstrap=settings)
        policies = business.list_policies(rule, cases[1], make_planted(40))
        priced = business.price_policies(
            policies.actions, gains, cases[1], reference=policies.reference, bootstrap=settings
        )
        comparison = business.compare_policies(priced, policies.simple)
        said.append(business.decide(comparison, policies.simple).decision == business.ACT)
    assert np.mean(said) <= 0.05


# --- policies ---------------------------------------------------------------------------------


def price(actions, gains, cases, **how):
    """Return policies priced against the last of them."""
    settings = {"reference": list(actions)[-1], "bootstrap": QUICK} | how
    return business.price_policies(actions, gains, cases, **settings)


def test_net_benefit_is_the_closed_form():
    """Of 30 hits, 10 false alarms, 5 misses and 55 left alone each earns what it should."""
    y = np.repeat([1, 0, 1, 0], [30, 10, 5, 55])
    acts = np.repeat([True, True, False, False], [30, 10, 5, 55])
    gains = business.make_gains({"tp": 10, "fp": -4, "fn": -3, "tn": 1})
    priced = price({"model": acts, business.NOBODY: y < 0}, gains, make_cases(y, acts))
    assert priced.gain("model").value == pytest.approx(10 * (300 - 40 - 15 + 55))
    lead = priced.compare("model", business.NOBODY).difference
    assert lead.value == pytest.approx(10 * (30 * 13 - 10 * 5))
    each = np.repeat([13.0, -5.0, 0.0], [30, 10, 60])
    error = 1_000 * each.std() / np.sqrt(100)
    assert (lead.high - lead.low) / 2 == pytest.approx(1.96 * error, rel=0.12)  # 400 resamples


def test_amounts_earn_their_share():
    """With amounts a true positive earns amount_share × amount + fp, and acting costs everywhere."""
    gains = business.make_gains({"fp": -40, "amount_share": 0.1, "tp": 7})
    y, amounts = np.array([1, 0, 1]), np.array([1_000.0, 50.0, 2_000.0])
    uses = gains.count_uses(np.array([True, True, False]), y, amounts)
    assert (uses @ gains.vector).tolist() == [60.0, -40.0, 0.0]
    assert gains.value_of_acting(y, amounts).tolist() == [60.0, -40.0, 160.0]


def test_groups_are_drawn_together():
    """Rows that repeat four times in a group have the interval of one of them, twice as wide."""
    rng = np.random.default_rng(0)
    once = rng.normal(size=300)
    four = np.repeat(once, 4)
    settings = Bootstrap(2_000)
    spread = {
        "once": settings.means(once[:, None], make_cases(once, once)).std(),
        "together": settings.means(
            four[:, None], make_cases(four, four, units=np.repeat(np.arange(300), 4))
        ).std(),
        "apart": settings.means(four[:, None], make_cases(four, four)).std(),
    }
    assert spread["together"] == pytest.approx(spread["once"], rel=1e-9)
    assert spread["together"] == pytest.approx(2 * spread["apart"], rel=0.1)


def test_weights_count_as_repeats():
    """A row of weight 3 counts as three rows."""
    y, acts = np.array([1, 0, 0]), np.array([True, True, False])
    gains = business.make_gains({"tp": 10, "fp": -5})
    cases = replace(make_cases(y, acts), weight=np.array([3.0, 1.0, 4.0]))
    priced = price({"model": acts, business.NOBODY: y < 0}, gains, cases)
    assert priced.gain("model").value == pytest.approx(1_000 * (30 - 5) / 8)


def test_draws_do_not_depend_on_the_order_of_units():
    """The same rows in another order give the same resamples of the mean, to rounding."""
    rng = np.random.default_rng(0)
    values, units = rng.normal(size=50), rng.permutation(50)
    one = QUICK.means(values[:, None], make_cases(values, values, units=units))
    order = rng.permutation(50)
    other = QUICK.means(
        values[order, None], make_cases(values[order], values[order], units=units[order])
    )
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_holm_is_made_within_each_family():
    """Tests that decide are corrected for their number, not for the number of all that is shown."""
    cases = draw_calibrated(300, 3)
    gains = business.make_gains({"tp": 10, "fp": -10})
    rule = business.learn_rule(gains, cases, bootstrap=QUICK)
    policies = business.list_policies(
        rule, cases, make_planted(40), rival=(rule, cases.predicted_by(1 - cases.prediction))
    )
    priced = price(policies.actions, gains, cases, reference=policies.reference)
    table = business.compare_policies(priced, policies.simple).set_index("policy")
    smallest = 2 / (QUICK.n_resamples + 1)
    assert policies.simple == [business.EVERYONE, business.NOBODY]
    assert table.loc[business.EVERYONE, "p_holm"] == pytest.approx(2 * smallest)
    assert table.loc[business.RIVAL, "p_holm"] <= 2 * smallest + 1e-12
    assert table.loc[business.EVERYONE, "verdict"] == "better"


@pytest.mark.parametrize(
    ("verdicts", "decision"),
    [
        (("better", "better"), "act with the model"),
        (("worse", "better"), "treat all"),
        (("better", "same decisions"), "treat nobody"),
        (("not distinguishable", "better"), "not distinguishable from treating all"),
    ],
)
def test_decision_is_the_simpler_one_unless_the_model_wins(verdicts, decision):
    """The model is chosen only when it beats every policy that needs none."""
    table = pd.DataFrame(
        {
            "policy": ["model", business.EVERYONE, business.NOBODY],
            "verdict": ["judged", *verdicts],
            "gain": [Estimate(3.0), Estimate(2.0), Estimate(0.0)],
        }
    )
    assert business.decide(table, [business.EVERYONE, business.NOBODY]).decision == decision


# --- capacity ---------------------------------------------------------------------------------


def test_capacity_limits_every_policy():
    """With room for a tenth nobody acts on more, and who acts on all draws lots."""
    cases = replace(draw_calibrated(1_000, 0), today=np.arange(1_000) < 500)
    gains = business.make_gains({"tp": 90, "fp": -10})
    dataset = replace(make_planted(40), capacity=0.1)
    rule = business.learn_rule(gains, cases, bootstrap=QUICK, capacity=0.1)
    policies = business.list_policies(rule, cases, dataset)
    acted = {name: float(np.mean(actions)) for name, actions in policies.actions.items()}
    assert max(acted.values()) == pytest.approx(0.1)
    assert acted["today's policy"] == pytest.approx(0.1)
    chosen = policies.actions["model"]
    assert cases.prediction[chosen].min() > cases.prediction[~chosen].max()
    by_lot = gains.count_uses(policies.actions[business.BY_LOT], cases.y) @ gains.vector
    assert by_lot.mean() == pytest.approx(0.1 * gains.value_of_acting(cases.y).mean())


def test_first_rows_are_the_most_probable():
    """The curve over shares ends at treating all, and by lot is a straight line to it."""
    cases, gains = draw_calibrated(500, 0), business.make_gains({"tp": 10, "fp": -10})
    curve = business.compute_capacity(gains, cases, bootstrap=QUICK)
    assert curve["gain"].iloc[-1].value == pytest.approx(curve["at_random"].iloc[-1])
    assert curve["gain"].iloc[0].value == 0
    assert curve["precision"].iloc[5] > curve["precision"].iloc[-1]


# --- other gains ------------------------------------------------------------------------------


def test_at_break_even_the_lead_is_gone():
    """Priced again with a gain at its break-even value, the model earns as much as the other."""
    cases = draw_calibrated(600, 5)
    given = {"tp": 30, "fp": -10, "fn": -5}
    gains = business.make_gains(given)
    actions = {"model": cases.prediction >= 0.25, business.EVERYONE: np.ones(600, dtype=bool)}
    found = business.find_break_evens(price(actions, gains, cases), business.EVERYONE)
    assert set(found["gain"]) == {"tp", "fp", "fn"}
    for row in found.itertuples():
        assert row.pays in {"above", "below"}
        moved = business.make_gains(given | {row.gain: row.break_even.value})
        lead = price(actions, moved, cases).compare("model", business.EVERYONE).difference
        assert lead.value == pytest.approx(0, abs=1e-9)
        assert row.break_even.covers(row.break_even.value)


def test_tornado_and_scenarios_agree_on_a_single_gain():
    """With one gain that matters, scenarios spread evenly between the ends of the tornado."""
    cases = draw_calibrated(600, 5)
    gains = business.make_gains({"tp": 30, "fp": -1e-9})
    actions = {"model": cases.prediction >= 0.25, business.NOBODY: np.zeros(600, dtype=bool)}
    priced = price(actions, gains, cases)
    tornado = business.compute_tornado(priced, business.NOBODY).iloc[0]
    drawn = business.simulate_gains(priced, business.NOBODY, random_state=1)
    again = business.simulate_gains(priced, business.NOBODY, random_state=1)
    np.testing.assert_array_equal(drawn.by_both, again.by_both)
    ends = tornado["at_low"], tornado["at_high"]
    assert stats.kstest(drawn.by_gains, "uniform", (ends[0], np.ptp(ends))).pvalue > 0.001
    assert drawn.best["share"].sum() == pytest.approx(1)


# --- decision curves --------------------------------------------------------------------------


def test_decision_curve_repeats_the_published_one():
    """Net benefits of dcurves in R, for a yes/no marker and for a model of age, to 1e-9."""
    from sklearn.linear_model import LogisticRegression

    path = project_root() / "tests" / "references" / "dca.json"
    published = json.loads(path.read_text(encoding="utf-8"))
    y = np.array([int(c) for c in published["cancer"]])
    age = np.array(published["age_times_100000"]) / 1e5
    standard = ((age - age.mean()) / age.std())[:, np.newaxis]
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(standard, y)
    family = np.array([float(c) for c in published["famhistory"]])
    scores = {"age": model.predict_proba(standard)[:, 1], "famhistory": family}
    for name, score in scores.items():
        expected = {float(t): v for t, v in published["net_benefit"][name].items() if float(t) > 0}
        curve = business.compute_decision_curve(
            make_cases(y, score), bootstrap=QUICK, thresholds=np.array(list(expected))
        )
        np.testing.assert_allclose(curve["model"], list(expected.values()), atol=1e-9)
        everyone = [v for t, v in published["net_benefit"]["all"].items() if float(t) > 0]
        np.testing.assert_allclose(curve["treat_all"], everyone, atol=1e-9)
        assert (curve["low"] <= curve["high"]).all()


# --- the user's analyzer ----------------------------------------------------------------------


def test_roi_is_the_users_formula():
    """(tp·100 - fp·50 - fn·200) over (fp·50 + fn·200) in percent, by hand."""
    found = business.BusinessImpactAnalyzer(tp=80, fp=30, tn=870, fn=20).calculate_roi()
    assert found.total_benefit.value == 8_000
    assert found.total_cost.value == 30 * 50 + 20 * 200 == 5_500
    assert found.net_benefit.value == 2_500
    assert found.roi.value == pytest.approx(100 * 2_500 / 5_500)
    assert found.net_benefit_of_acting.value == 80 * 300 - 30 * 50
    error = 100 * np.sqrt(1_000 * 0.08 * 0.92)  # of a binomial count
    width = (found.total_benefit.high - found.total_benefit.low) / 2
    assert width == pytest.approx(1.96 * error, rel=0.1)


def test_roi_without_cost_has_no_value():
    """With nothing spent there is no return on it, instead of 0 or a division by zero."""
    found = business.BusinessImpactAnalyzer(tp=5, fp=0, tn=5, fn=0).calculate_roi()
    assert np.isnan(found.roi.value)


def test_threshold_table_says_what_a_threshold_means():
    """Precision, recall and ROI of a table are those of its threshold, counted by hand."""
    y, p = np.array([0, 0, 1, 1, 1]), np.array([0.1, 0.6, 0.4, 0.7, 0.9])
    analyzer = business.BusinessImpactAnalyzer(tp=1, fp=1, tn=1, fn=1)
    table = analyzer.threshold_analysis(y, p, thresholds=[0.5]).table
    row = table[table["threshold"] == 0.5].iloc[0]
    assert (row["precision"], row["recall"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert row["roi"] == pytest.approx(100 * (200 - 250) / 250)
    assert row["net_benefit_of_acting"].value == pytest.approx(2 * 300 - 50)


def test_rows_needed_show_a_real_lead_in_four_of_five_studies():
    """Studies of the size that is advised find a planted lead with the power that is promised."""
    lead, spread = 1.0, 10.0
    arm = 1.96 * spread / 500**0.5
    needed = business.count_rows_needed(Estimate(lead, lead - arm, lead + arm), 500)
    studies = np.random.default_rng(0).normal(lead, spread / needed**0.5, size=5_000)
    shown = np.mean(studies - 1.96 * spread / needed**0.5 > 0)
    assert shown == pytest.approx(0.8, abs=0.02)  # three standard errors of 5,000 studies


def test_more_rows_help_only_where_every_simple_policy_is_behind():
    """The hardest of the open leads counts; a lead that is none cannot be shown by any rows."""
    table = pd.DataFrame(
        {
            "policy": ["model", "treat all", "treat nobody", "today's policy"],
            "verdict": ["judged", "better", "not distinguishable", "not distinguishable"],
            "lead": [None, Estimate(9, 8, 10), Estimate(1, -1, 3), Estimate(2, -1, 5)],
        }
    )
    simple = ["treat all", "treat nobody", "today's policy"]
    hardest, needed = business.find_rows_needed(table, simple, 500)
    assert (hardest, needed) == ("treat nobody", business.count_rows_needed(table["lead"][2], 500))
    behind = table.assign(lead=[None, Estimate(9, 8, 10), Estimate(1, -1, 3), Estimate(-2, -5, 1)])
    assert business.find_rows_needed(behind, simple, 500) is None
    shown = table.assign(verdict=["judged", "better", "better", "better"])
    assert business.find_rows_needed(shown, simple, 500) is None


def test_analyzer_refuses_what_makes_no_sense():
    """Negative counts, negative amounts and labels beside 0 and 1 are one sentence each."""
    with pytest.raises(InputError, match="Counts are at least 0"):
        business.BusinessImpactAnalyzer(tp=-1, fp=0, tn=0, fn=3)
    analyzer = business.BusinessImpactAnalyzer(tp=1, fp=1, tn=1, fn=1)
    with pytest.raises(InputError, match="at least 0"):
        analyzer.calculate_roi(cost_per_fp=-1)
    with pytest.raises(InputError, match="y_true holds 0 and 1; got 2:"):
        analyzer.threshold_analysis([1, 2], [0.1, 0.2])


# --- forecasts and classes --------------------------------------------------------------------


def forecasting(over, under):
    """Return gains of forecasts."""
    dataset = replace(make_planted(40, task="regression"), gains={"over": over, "under": under})
    return business.read_gains(dataset)


def test_shift_is_the_quantile_of_the_errors():
    """Errors whose spread grows with the forecast get the normal quantile of each fifth."""
    rng = np.random.default_rng(0)
    forecast = rng.uniform(1, 5, 20_000)
    cases = make_cases(forecast + forecast * rng.normal(size=20_000), forecast)
    gains = forecasting(1.0, 3.0)
    assert business.optimal_quantile(gains) == 0.75
    shift = business.learn_shift(cases, 0.75)
    middle = np.array([1.4, 3.0, 4.6])  # centres of the first, third and fifth fifth
    np.testing.assert_allclose(
        shift.apply(middle) - middle, stats.norm.ppf(0.75) * middle, rtol=0.12
    )


def test_optimal_quantile_costs_least_and_the_newsvendor_agrees():
    """For exponential demand the best order is ln(4) means at costs 3 to 1, and no other is cheaper."""
    rng = np.random.default_rng(1)
    demand = rng.exponential(100, 20_000)
    gains = forecasting(1.0, 3.0)
    learned = make_cases(demand[:10_000], np.full(10_000, 100.0))
    tested = make_cases(demand[10_000:], np.full(10_000, 100.0))
    order = business.learn_rule(gains, learned, bootstrap=QUICK).decide(tested)[0]
    assert order == pytest.approx(100 * np.log(4), rel=0.05)
    curve = business.compute_quantile_curve(gains, learned, tested, bootstrap=QUICK)
    best = curve.loc[curve["gain"].idxmax(), "quantile"]
    assert best == pytest.approx(0.75, abs=0.06)
    expected = [gains.count_uses(np.full(1, o), np.array([50.0])) @ gains.vector for o in (40, 70)]
    assert np.ravel(expected).tolist() == [-30.0, -20.0]


def test_answer_of_least_expected_cost():
    """By the matrix a rare costly class is answered at 20 %; the argmax would miss it."""
    dataset = replace(
        make_planted(60, task="multiclass", n_classes=3),
        costs={"a": {"b": 1, "c": 1}, "b": {"a": 1, "c": 2}, "c": {"a": 10, "b": 10}},
        classes=("a", "b", "c"),
    )
    gains = business.read_gains(dataset)
    assert gains.matrix().tolist() == [[0, 1, 1], [1, 0, 2], [10, 10, 0]]
    proba = np.array([[0.5, 0.3, 0.2], [0.9, 0.1, 0.0]])
    cases = make_cases([0, 0], proba)
    rule = business.learn_rule(gains, cases, bootstrap=QUICK)
    assert rule.decide(cases).tolist() == [2, 0]
    assert rule.decide_plainly(cases).tolist() == [0, 0]
    uses = gains.count_uses(np.array([2, 1, 2]), np.array([0, 2, 2]))
    assert (uses @ gains.vector).tolist() == [-1.0, -10.0, 0.0]


def test_absent_confusions_cost_as_much_as_the_cheapest():
    """A wrong answer that the matrix leaves out is not free."""
    dataset = replace(
        make_planted(60, task="multiclass", n_classes=3),
        costs={"c": {"a": 10, "b": 4}},
        classes=("a", "b", "c"),
    )
    assert business.read_gains(dataset).matrix().tolist() == [[0, 4, 4], [4, 0, 4], [10, 4, 0]]


def test_illustrations_favour_no_constant_answer():
    """Without gains every policy that needs no model is worth the same, for two classes and more."""
    two = make_planted(500, positive_rate=0.2)
    gains = business.read_gains(two)
    assert gains.value_of_acting(two.y.to_numpy()).mean() == pytest.approx(0, abs=1e-9)
    three = make_planted(500, task="multiclass", n_classes=3)
    gains = business.read_gains(three)
    shares = np.bincount(three.y, minlength=3) / 500
    np.testing.assert_allclose(shares @ gains.matrix(), 100 * 2 / 3)
    assert gains.mark == " (illustrative gains)"


# --- the catalogue ----------------------------------------------------------------------------


def write_catalogue(folder, text, frame):
    """Return the configuration of a catalogue with one table."""
    (folder / "data").mkdir(exist_ok=True)
    frame.to_csv(folder / "data" / "t.csv", index=False)
    config = Config(root=folder)
    entry = '[t]\npath = "data/t.csv"\ntarget = "y"\n'
    config.catalog_path.write_text(entry + text, encoding="utf-8")
    return config


@pytest.fixture
def credit():
    """Return a table of two classes with amounts and a score of today."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "income": rng.normal(size=60),
            "grade": rng.choice(["A", "B"], 60),
            "score": rng.integers(0, 100, 60),
            "amount": rng.integers(100, 900, 60),
            "y": rng.choice(["good", "bad"], 60),
        }
    )


def test_catalogue_gives_gains_capacity_and_policy(tmp_path, credit):
    """Gains, capacity and today's policy reach the dataset, and follow its rows."""
    text = """amounts = "amount"
capacity = 15
[t.gains]
fp = -40
amount_share = 0.2
uncertainty = 0.1
[t.policy]
column = "score"
at_least = 50
"""
    data = load_data("t", config=write_catalogue(tmp_path, text, credit))
    assert data.capacity == 0.25
    assert data.today.tolist() == (credit["score"] >= 50).tolist()
    assert data.take([3, 1]).today.tolist() == (credit["score"] >= 50).iloc[[3, 1]].tolist()
    gains = business.read_gains(data)
    assert (gains.origin, gains.uncertainty, gains.is_assumed) == ("catalogue", 0.1, False)
    assert data.policy.in_words() == "score of at least 50"


def test_costs_of_two_classes_are_gains(tmp_path, credit):
    """The matrix of the German credit data, 5 to 1, asks to refuse from a sixth on."""
    text = "[t.costs]\ngood = { bad = 1 }\nbad = { good = 5 }\n"
    data = load_data("t", config=write_catalogue(tmp_path, text, credit))
    assert data.positive_label == "bad"
    assert data.gains == {"tp": 0.0, "tn": 0.0, "fp": -1.0, "fn": -5.0}
    assert business.break_even_probability(data.gains) == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[t.gains]\ntp = 5\nfp = 3\n", "acting on a negative must cost"),
        ("[t.gains]\ntp = -5\nfp = -3\n", "acting on a positive must pay"),
        ("[t.gains]\nprofit = 5\n", "not profit"),
        ("[t.gains]\nover = 1\nunder = 2\n", "binary task: it takes gains of tp"),
        ("[t.gains]\nover = 1\n", "are both needed"),
        ("[t.gains]\nfp = -1\namount_share = 0.1\n", "needs amounts"),
        ("[t.gains]\ntp = 5\nfp = -1\nuncertainty = 25\n", "a share from 0 to 1"),
        ("capacity = 1.5\n", "neither a share up to 1 nor a number of rows"),
        ("[t.costs]\ngood = { bda = 1 }\n", "Did you mean 'bad'"),
        ("[t.costs]\ngood = { bad = 1 }\n", "needs both errors"),
        ("[t.costs]\ngood = { good = 1 }\n", "a right answer costs 0"),
        ('[t.policy]\ncolumn = "scroe"\nat_least = 5\n', "Did you mean 'score'"),
        ('[t.policy]\ncolumn = "y"\nvalues = ["bad"]\n', "must not look at the target"),
        ('[t.policy]\ncolumn = "score"\n', "one of at_least, at_most, values"),
        ('[t.policy]\ncolumn = "grade"\nat_least = 5\n', "must hold numbers"),
        ('[t.policy]\ncolumn = "grade"\nvalues = ["C"]\n', "no row of 'grade' is C"),
        ('[t.policy]\ncolumn = "score"\nat_least = 5\nat_most = 9\n', "takes one of"),
    ],
)
def test_catalogue_explains_what_does_not_fit(tmp_path, credit, text, sentence):
    """Whatever is said about money and does not fit the table is one sentence with a way out."""
    config = write_catalogue(tmp_path, text, credit)
    with pytest.raises(InputError, match=sentence) as raised:
        load_data("t", config=config)
    assert "\n" not in str(raised.value)


def test_another_target_forgets_the_money(tmp_path, credit):
    """Gains of one target say nothing of another."""
    text = "[t.costs]\ngood = { bad = 1 }\nbad = { good = 5 }\n"
    config = write_catalogue(tmp_path, text, credit)
    other = load_data("t", target="grade", config=config)
    assert other.gains is None
    assert other.costs is None


def test_todays_answers_are_taken_from_their_column(tmp_path):
    """Today's forecast or label is the column's; where it is missing the best constant stands in."""
    rng = np.random.default_rng(0)
    y = rng.normal(50, 5, 60)
    frame = pd.DataFrame({"x": y + rng.normal(size=60), "before": y + 1, "y": y})
    frame.loc[3, "before"] = np.nan
    text = 'policy = { column = "before" }\n[t.gains]\nover = 1\nunder = 1\n'
    data = load_data("t", config=write_catalogue(tmp_path, text, frame))
    cases = business.gather_cases(data, data.X["x"].to_numpy())
    rule = business.learn_rule(business.read_gains(data), cases, bootstrap=QUICK)
    policies = business.list_policies(rule, cases, data)
    today = policies.actions[business.TODAY]
    assert policies.default == business.TODAY
    assert today[3] == policies.actions[rule.constant][3]
    np.testing.assert_allclose(np.delete(today, 3), np.delete(y + 1, 3))

    frame["y"] = np.where(y > 53, "high", np.where(y < 47, "low", "middle"))
    frame["before"] = frame["y"].where(frame.index != 3)
    data = load_data(
        "t", config=write_catalogue(tmp_path, 'policy = { column = "before" }\n', frame)
    )
    proba = np.eye(3)[data.y]
    cases = business.gather_cases(data, proba)
    rule = business.learn_rule(business.read_gains(data), cases, bootstrap=QUICK)
    today = business.list_policies(rule, cases, data).actions[business.TODAY]
    assert (np.delete(today, 3) == np.delete(data.y.to_numpy(), 3)).all()


def test_neighbours_in_time_are_drawn_together():
    """Rows of one moment, and moments next to each other, form one unit; groups win over time."""
    dataset = replace(make_planted(64), time=pd.Series(np.arange(64) // 2, name="day"))
    cases = business.gather_cases(dataset, np.full((64, 2), 0.5))
    assert cases.n_units == 11  # 32 days in blocks of 3
    assert (np.diff(cases.units) >= 0).all()
    grouped = replace(dataset, groups=pd.Series(np.arange(64) % 4, name="who"))
    assert business.gather_cases(grouped, np.full((64, 2), 0.5)).n_units == 4


def test_out_of_fold_rows_of_a_failed_fold_are_left_out():
    """Predictions meet the rows that they are of, in the order of the folds."""
    dataset = make_planted(60)
    halves = np.arange(30), np.arange(30, 60)
    folds = [(halves[0], halves[1]), (halves[1], halves[0])]
    parts = np.full((60, 2), np.nan)
    parts[:30] = np.column_stack([1 - np.linspace(0, 1, 30), np.linspace(0, 1, 30)])
    cases = business.gather_fold_cases(parts, dataset, folds)
    assert len(cases) == 30
    np.testing.assert_array_equal(cases.y, dataset.y.to_numpy()[30:])
    np.testing.assert_allclose(cases.prediction, np.linspace(0, 1, 30))


def test_what_is_kept_instead_of_the_model_does_not_hinge_on_the_models_break_even():
    """Money reads with its thousands; where doing without wins, its conditions leave the model out."""
    row = {"gain": ["fn"], "meaning": ["leaving a positive row alone"], "value": [-66.0]}
    table = pd.DataFrame(row | {"break_even": [Estimate(-2931.6)], "pays": ["above"]})
    gains = business.make_gains({"tp": 90, "fn": -66})
    said = business.state_break_even(table, gains, against="treating nobody")
    assert said.endswith("costs less than 2,932 USD (assumed: 66)")
    assert said in business.list_conditions(gains, said)
    assert "2,932" not in business.list_conditions(gains, said, policy="treat nobody")
