"""Candidates side by side: published figures, planted truths, and a rule that does what it says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from checks_of_figures import HOSTILE, check_figure, title_artists
from lib import comparison, evaluation, plots
from lib.config import load_config
from lib.data import make_planted
from lib.errors import InputError
from lib.estimates import Estimate, corrected_t_test
from lib.evaluation import Scores, scorers
from lib.resampling import make_cv, make_folds
from lib.tracking.predictions import Predicted

# Demšar (2006), Table 6: AUC of C4.5 with and without tuned -m and -cf on 14 tables, as in
# scipy/stats/tests/test_stats.py, TestFriedmanChiSquare (tie-corrected chi-square from there).
DEMSAR = [
    [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.0, 0.94, 0.619, 0.972, 0.957],
    [
        0.768,
        0.591,
        0.971,
        0.661,
        0.888,
        0.931,
        0.668,
        0.583,
        0.838,
        1.0,
        0.962,
        0.666,
        0.981,
        0.978,
    ],
    [
        0.771,
        0.59,
        0.968,
        0.654,
        0.886,
        0.916,
        0.609,
        0.563,
        0.866,
        1.0,
        0.965,
        0.614,
        0.9751,
        0.946,
    ],
    [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.0, 0.962, 0.669, 0.975, 0.97],
]
VARIANTS = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]


def make_scores(by_fold, *, task="binary"):
    """Return scores that hold the given numbers, one list a model, on folds of few rows."""
    names = list(by_fold)
    n_folds = len(by_fold[names[0]])
    dataset = make_planted(20 * n_folds, task=task, n_categories=0)
    folds = make_folds(dataset, make_cv(dataset, n_splits=n_folds))
    scoring = evaluation.default_scoring(task)
    rows = [(m, i, scoring, s) for m in names for i, s in enumerate(by_fold[m], start=1)]
    empty = pd.DataFrame(columns=["model", "fold", "reason"])
    return Scores(
        frame=pd.DataFrame(rows, columns=["model", "fold", "metric", "score"]),
        times=pd.DataFrame(),
        predictions={},
        failures=empty,
        warnings=pd.DataFrame(columns=["model", "warning", "count"]),
        folds=folds,
        task=task,
        scoring=scoring,
    )


def as_proba(score):
    """Return probabilities in the order of a score."""
    positive = special.expit(np.asarray(score) / 10)
    return np.stack([1 - positive, positive], axis=1)


def score_parts(parts, dataset, n_splits=5):
    """Return the scores of predictions of all rows, given in the order of the rows."""
    folds = make_folds(dataset, make_cv(dataset, n_splits=n_splits))
    order = np.concatenate([test for _, test in folds])
    ordered = {name: np.asarray(part)[order] for name, part in parts.items()}
    return evaluation.score_predictions(ordered, dataset, folds)


# --- several tables -----------------------------------------------------------------------------


def test_ranks_over_tables_are_those_of_demsar():
    """His example: average ranks, chi-square without ties 9.28, F 3.69, and both differences."""
    values = pd.DataFrame(dict(zip(VARIANTS, DEMSAR, strict=True)))
    plain = comparison.rank_over_tables(values, correct_ties=False)
    assert plain.ranks[VARIANTS].tolist() == pytest.approx([3.143, 2.0, 2.893, 1.964], abs=5e-4)
    assert plain.chi2 == pytest.approx(9.28, abs=5e-3)
    assert plain.f == pytest.approx(3.69, abs=5e-3)
    assert plain.difference == pytest.approx(1.25, abs=5e-3)
    assert comparison.critical_difference(4, 14, level=0.90) == pytest.approx(1.12, abs=5e-3)
    tied = comparison.rank_over_tables(values)
    assert tied.chi2 == pytest.approx(10.2283464566929, rel=1e-7)
    assert tied.p_chi2 == pytest.approx(0.0167215803284414, rel=1e-7)


def test_critical_values_are_those_of_demsars_table():
    """Table 5 (a), level 0.05, for two to ten classifiers."""
    published = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    found = [comparison.critical_value(k) for k in range(2, 11)]
    assert found == pytest.approx(published, abs=1e-3)  # the table is cut, not rounded


def test_groups_join_what_a_difference_does_not_part():
    """With Demšar's difference of 1.25 the four variants make one group; a smaller one parts."""
    ranks = pd.Series({"a": 1.964, "b": 2.0, "c": 2.893, "d": 3.143})
    assert comparison.find_groups(ranks, 1.25) == [("a", "b", "c", "d")]
    assert comparison.find_groups(ranks, 1.0) == [("a", "b", "c"), ("c", "d")]
    assert comparison.find_groups(ranks, 0.01) == []


def test_too_few_tables_are_refused():
    """Two tables, two models or a gap have no ranks worth a test."""
    for shape in ((2, 4), (5, 2)):
        with pytest.raises(InputError, match="at least 3 tables and 3 models"):
            comparison.rank_over_tables(pd.DataFrame(np.ones(shape)))


def test_equal_models_have_equal_ranks():
    """Scores that tie everywhere give a statistic of zero and a p-value of one."""
    test = comparison.rank_over_tables(pd.DataFrame(np.ones((4, 3))))
    assert (test.chi2, test.p_chi2, test.p_f) == (0.0, 1.0, 1.0)
    assert test.ranks.tolist() == [2.0, 2.0, 2.0]


def test_signed_rank_posterior_of_known_cases():
    """Mirrored differences mirror the posterior; small ones are equivalent; a prior alone is so."""
    leads = [3.0, 5.0, -1.0, 4.0, 6.0, 2.5]
    one = comparison.signed_rank(leads, rope=1.0, random_state=1)
    other = comparison.signed_rank([-x for x in leads], rope=1.0, random_state=1)
    assert one.better > 0.9
    assert (one.better, one.equivalent) == (other.worse, other.equivalent)
    assert comparison.signed_rank([0.5, -0.3, 0.2, 0.9], rope=1.0).equivalent == 1.0


# --- tests and posteriors over folds --------------------------------------------------------------


@pytest.fixture(scope="module")
def moons():
    """Differences of scikit-learn's example on comparing models over ten times ten folds."""
    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    cv = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), X, y, cv=cv, scoring="roc_auc")
        for kernel in ("rbf", "linear")
    )
    return rbf - linear


def test_corrected_t_is_that_of_scikit_learns_example(moons):
    """Corrected t 0.750 and one-sided p 0.227 (plot_grid_search_stats), where the plain test claims a difference."""
    test = corrected_t_test(moons, test_fraction=0.1)
    assert test.statistic == pytest.approx(0.750, rel=2e-3)
    assert test.p_value / 2 == pytest.approx(0.227, rel=2e-3)


def test_posterior_is_the_tests_p_value_and_the_closed_form(moons):
    """Without a region of equivalence the posterior is the one-sided p; with one, an integral."""
    test = corrected_t_test(moons, test_fraction=0.1)
    plain = comparison.correlated_t(moons, 0.1, rope=0.0)
    assert plain.better == pytest.approx(1 - test.p_value / 2, rel=1e-9)
    assert plain.equivalent == pytest.approx(0, abs=1e-12)
    n, rho = len(moons), 0.1
    scale = np.sqrt((1 / n + rho / (1 - rho)) * moons.var(ddof=1))  # Corani and Benavoli, eq. 8
    density = stats.t(n - 1, loc=moons.mean(), scale=scale).pdf
    inside = integrate.quad(density, -0.01, 0.01)[0]
    found = comparison.correlated_t(moons, 0.1, rope=0.01)
    assert found.equivalent == pytest.approx(inside, rel=1e-6)
    assert found.worse + found.equivalent + found.better == pytest.approx(1)


def test_posterior_of_symmetric_and_certain_cases():
    """Turned round, worse and better change places; equal folds leave nothing open."""
    differences = np.array([0.02, -0.01, 0.03, 0.00, 0.02])
    one = comparison.correlated_t(differences, 0.2, rope=0.01)
    other = comparison.correlated_t(-differences, 0.2, rope=0.01)
    assert (one.worse, one.better) == pytest.approx((other.better, other.worse))
    centred = comparison.correlated_t(differences - differences.mean(), 0.2, rope=0.01)
    assert centred.worse == pytest.approx(centred.better)
    assert comparison.correlated_t([0.5] * 5, 0.2, rope=0.01).better == 1.0
    assert comparison.correlated_t([0.0] * 5, 0.2, rope=0.01).in_words() == comparison.EQUIVALENT


def test_identical_models_are_called_better_in_at_most_five_percent():
    """Folds correlate as cross-validation's do: 200 studies of three twins and a reference."""
    rng = np.random.default_rng(0)
    rho, n_folds, n_studies = 0.2, 5, 200
    n_better = n_different = 0
    for _ in range(n_studies):
        shared = rng.normal(size=4) * np.sqrt(rho)
        own = rng.normal(size=(n_folds, 4)) * np.sqrt(1 - rho)
        by_fold = dict(zip("abcd", (0.7 + 0.01 * (shared + own)).T.tolist(), strict=True))
        table = comparison.compare_with(make_scores_cached(by_fold), "a", smallest_effect=0.01)
        n_better += (table["verdict"] == evaluation.BETTER).any()
        n_different += table["verdict"].isin([evaluation.BETTER, evaluation.WORSE]).any()
    assert n_better <= 0.05 * n_studies
    assert n_different <= 0.09 * n_studies  # 5 %, and what 200 studies may miss it by


TEMPLATE = {}


def make_scores_cached(by_fold):
    """Return scores as `make_scores` does, on folds that are made once."""
    if not TEMPLATE:
        TEMPLATE["scores"] = make_scores(by_fold)
    template = TEMPLATE["scores"]
    values = [score for scores in by_fold.values() for score in scores]
    return Scores(
        **{**vars(template), "frame": template.frame.assign(score=values)},
    )


def test_real_and_equivalent_differences_get_their_words():
    """A planted gap of ten effects is worse; a steady tiny one is worse and equivalent at once."""
    base = np.array([0.80, 0.82, 0.78, 0.81, 0.79])
    wobble = np.array([0.001, -0.001, 0.0005, 0.0, -0.0005])
    scores = make_scores(
        {"best": base, "tiny": base - 0.002 + wobble / 10, "bad": base - 0.1 + wobble}
    )
    table = comparison.compare_with(scores, "best", smallest_effect=0.01).set_index("model")
    assert table["verdict"].to_dict() == {"best": "reference", "tiny": "worse", "bad": "worse"}
    assert table.loc["tiny", "in_practice"] == comparison.EQUIVALENT
    assert table.loc["bad", "in_practice"] == comparison.PRACTICALLY_WORSE
    assert table.loc["bad", "in_effects"] == pytest.approx(-10, abs=0.1)


def test_a_last_digit_is_no_difference():
    """Two perfect scores that were summed in another order are equal, and shown as equal."""
    ones = np.ones(5)
    scores = make_scores({"a": ones, "b": ones - [0, 1e-16, 0, 2e-16, 0]})
    test = evaluation.compare_pair(scores, "b", "a")
    assert (test.difference.value, test.difference.low, test.difference.high) == (0, 0, 0)
    table = comparison.compare_with(scores, "a", smallest_effect=0.01).set_index("model")
    assert table.loc["b", "verdict"] == evaluation.EQUAL


def test_a_pair_picked_after_a_look_is_told_apart_as_its_family_is():
    """Champion and runner-up are the best of many: one page gives them one verdict, after Holm.

    Planted: a lead that a test of its own calls real, among so many candidates that Holm does not.
    """
    rng = np.random.default_rng(3)
    best = np.array([0.80, 0.82, 0.78, 0.81, 0.79])
    rivals = {f"rival {i}": best - 0.02 - 0.05 * rng.random(5) for i in range(12)}
    lead = np.array([0.012, 0.004, 0.009, 0.006, 0.011])
    scores = make_scores({"best": best, "second": best - lead, **rivals})
    alone = evaluation.verdict(corrected_t_test(lead, scores.folds.test_fraction))
    against = comparison.compare_with(scores, "best", smallest_effect=0.01)
    pairs = comparison.compare_each_pair(scores, smallest_effect=0.01)
    p_value = comparison.adjust_chosen(against, pairs, "second", "best")
    assert alone == evaluation.BETTER
    assert p_value > 0.05
    assert against.set_index("model").loc["second", "verdict"] == evaluation.SAME
    of_all = comparison.adjust_chosen(against, pairs, "rival 1", "second")
    own = pairs.set_index(["model", "against"])["p_t"]
    assert of_all == own.get(("second", "rival 1"), own.get(("rival 1", "second")))


def test_wilcoxon_says_what_few_folds_allow():
    """Five folds on one side give 1/16, exactly, before Holm."""
    scores = make_scores({"a": [0.8, 0.82, 0.84, 0.86, 0.88], "b": [0.7, 0.71, 0.72, 0.73, 0.74]})
    table = comparison.compare_each_pair(scores, smallest_effect=0.01)
    assert table["p_wilcoxon"].tolist() == [comparison.smallest_wilcoxon_p(5)] == [1 / 16]


def test_unknown_references_are_refused():
    """The message offers the name that was meant."""
    scores = make_scores({"linear": [0.7, 0.8, 0.75], "dummy": [0.5, 0.5, 0.5]})
    with pytest.raises(InputError, match="Did you mean 'linear'"):
        comparison.compare_with(scores, "lineal", smallest_effect=0.01)


# --- ranks on other rows, and the winner's curse --------------------------------------------------


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_weighted_metrics_are_the_metrics_of_repeated_rows(task):
    """Every metric under counts equals the metric of rows that are written out, ties included."""
    rng = np.random.default_rng(0)
    n = 60
    if task == "regression":
        y, predicted = rng.normal(size=n) + 100, rng.normal(size=n) + 100
    else:
        k = 2 if task == "binary" else 3
        y = rng.integers(k, size=n)
        predicted = rng.dirichlet(np.ones(k), size=n).round(1) + 0.05
        predicted /= predicted.sum(axis=1, keepdims=True)
    counts = rng.multinomial(n, np.ones(n) / n, size=4)
    for metric in scorers(task).values():
        found = comparison.make_weighted(metric, y, predicted)(counts.astype(float))
        for value, row in zip(found, counts, strict=True):
            rows = np.repeat(np.arange(n), row)
            expected = metric.compute(y[rows], predicted[rows], None)
            if metric.name == "roc_auc_ovr_weighted":  # weights classes by distinct rows
                expected = metric.compute(y[row > 0], predicted[row > 0], row[row > 0] * 1.0)
            assert value == pytest.approx(expected, rel=1e-9), metric.name


def test_ranks_are_sure_where_candidates_differ_and_shared_where_they_do_not():
    """A far better candidate is always first; of two equal ones each is second half the time."""
    dataset = make_planted(400, n_categories=0)
    rng = np.random.default_rng(0)
    y = dataset.y.to_numpy()
    good = y + rng.normal(scale=0.4, size=400)
    poor = y + rng.normal(scale=8.0, size=400)
    parts = {"good": good, "one": poor, "two": 2 * poor - 1}  # one order, other numbers
    proba = {name: as_proba(part) for name, part in parts.items()}
    scores = score_parts(proba, dataset)
    resampled = comparison.resample_scores(scores, dataset, n_resamples=200, random_state=0)
    table = comparison.tabulate_ranks(resampled).set_index("model")
    assert table.loc["good", "first"] == 1.0
    assert table.loc["good", "rank"].high == 1.0
    assert table.loc["one", "rank"] == table.loc["two", "rank"]
    assert table["top_three"].tolist() == [1.0, 1.0, 1.0]
    again = comparison.resample_scores(scores, dataset, n_resamples=200, random_state=0)
    assert np.array_equal(resampled.inside, again.inside)


def test_whole_groups_are_drawn():
    """With groups the spread of a score grows: rows of a person say little that is new."""
    grouped = make_planted(600, n_groups=30, group_effect=0.0, n_categories=0)
    rng = np.random.default_rng(0)
    by_group = rng.normal(size=30)[pd.factorize(grouped.groups)[0]]
    score = grouped.y.to_numpy() * (by_group > 0) * 3.0 + rng.normal(size=600)
    scores = score_parts({"model": as_proba(score)}, grouped)
    drawn = comparison.resample_scores(scores, grouped, n_resamples=200, random_state=0)
    assert drawn.unit == "groups"
    plain = comparison.resample_scores(
        scores, replace(grouped, groups=None), n_resamples=200, random_state=0
    )
    assert np.nanstd(drawn.inside) > 1.3 * np.nanstd(plain.inside)


def test_neighbours_in_time_are_drawn_together():
    """Where whole stretches of time go well or badly, ranks are as unsure as stretches are few."""
    timed = replace(make_planted(600, n_categories=0), time=pd.Series(np.arange(600), name="day"))
    rng = np.random.default_rng(0)
    goes_well = rng.normal(size=timed.units.max() + 1)[timed.units] > 0
    score = timed.y.to_numpy() * goes_well * 3.0 + rng.normal(size=600)
    scores = score_parts({"model": as_proba(score)}, timed)
    drawn = comparison.resample_scores(scores, timed, n_resamples=200, random_state=0)
    assert drawn.unit == "neighbours in time"
    plain = comparison.resample_scores(
        scores, replace(timed, time=None), n_resamples=200, random_state=0
    )
    assert plain.unit == "rows"
    assert np.nanstd(drawn.inside) > 1.1 * np.nanstd(plain.inside)


def test_the_winners_curse_is_taken_away():
    """Fifty candidates that all guess: the best looks good, its corrected score covers a half."""
    naive, corrected, covered = [], [], 0
    for seed in range(5):
        dataset = make_planted(300, n_categories=0, seed=seed)
        rng = np.random.default_rng(seed)
        guesses = rng.random((50, 300))
        parts = {f"m{i}": np.stack([1 - g, g], axis=1) for i, g in enumerate(guesses)}
        scores = score_parts(parts, dataset)
        resampled = comparison.resample_scores(scores, dataset, n_resamples=200, random_state=0)
        found = comparison.correct_optimism(resampled)
        naive.append(found.naive)
        corrected.append(found.corrected.value)
        covered += found.corrected.covers(0.5)
        assert found.optimism == pytest.approx(found.naive - found.corrected.value)
    assert np.mean(naive) > 0.56  # the maximum of fifty, standard error of each about 0.034
    assert abs(np.mean(corrected) - 0.5) < 0.02
    assert covered == 5


# --- price ---------------------------------------------------------------------------------------


def test_the_front_is_that_of_brute_force():
    """On 200 random tables, with ties and gaps, no row of the front is dominated, every other is."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        table = pd.DataFrame(rng.integers(4, size=(8, 3)), columns=["score", "s", "kb"]) * 1.0
        table = table.mask(rng.random(table.shape) < 0.05)
        found = comparison.find_front(table, high=["score"], low=["s", "kb"])
        rows = table.to_numpy() * [1, -1, -1]
        for i, row in enumerate(rows):
            dominated = any(
                (other >= row).all() and (other > row).any()
                for other in rows
                if np.isfinite(other).all()
            )
            assert found[i] == (np.isfinite(row).all() and not dominated)


def test_an_ensemble_pays_for_its_members():
    """Its seconds and kilobytes are the sums of those of its members; an unknown one has none."""
    costs = {"fit_seconds": 1.0, "predict_seconds": 0.2, "kilobytes": 5.0}
    tracked = {n: Predicted("11_x", np.zeros(1), costs) for n in ("a", "b")}
    tracked["both"] = Predicted("23_x", np.zeros(1), {})
    table = pd.DataFrame({"model": ["a", "both"], "score": [Estimate(0.7), Estimate(0.8)]})
    folds = make_scores({"a": [0.7, 0.7]}).folds
    priced = comparison.tabulate_prices(table, tracked, folds, members={"both": ["a", "b"]})
    assert priced["fit_seconds"].tolist() == [1.0, 2.0]
    assert priced["kilobytes"].tolist() == [5.0, 10.0]
    assert priced["on_front"].tolist() == [True, True]
    unknown = comparison.tabulate_prices(table, tracked, folds)
    assert unknown["on_front"].tolist() == [True, False]


# --- the champion --------------------------------------------------------------------------------

BASE = np.array([0.80, 0.82, 0.78, 0.81, 0.79])
WOBBLE = np.array([0.01, -0.01, 0.005, 0.0, -0.005])
ORDER = ["dummy", "linear", "LightGBM", "ensemble: weighted"]


def choose(by_fold, order=ORDER, **options):
    """Return the choice among planted scores, one smallest effect being 0.01."""
    scores = make_scores(by_fold)
    return comparison.choose_champion(scores, order, smallest_effect=0.01, **options)


def test_the_simplest_within_one_standard_error_is_champion():
    """Planted: linear is 0.002 behind with a standard error of 0.005; LightGBM leads."""
    dummy = np.full(5, 0.5)
    rivals = {"dummy": dummy, "linear": BASE - 0.002 + WOBBLE, "LightGBM": BASE}
    chosen = choose(rivals)
    assert (chosen.name, chosen.best, chosen.runner_up) == ("linear", "LightGBM", "LightGBM")
    assert chosen.level["model"].tolist() == ["linear", "LightGBM"]
    far = choose(rivals | {"linear": BASE - 0.03 + WOBBLE})
    assert (far.name, far.runner_up) == ("LightGBM", "linear")


def test_a_steady_gap_that_does_not_matter_is_no_gap():
    """0.002 behind on every fold is many standard errors, and a fifth of what matters."""
    chosen = choose(
        {"dummy": np.full(5, 0.5), "linear": BASE - 0.002 + WOBBLE / 100, "LightGBM": BASE}
    )
    assert (chosen.name, chosen.reason) == (
        "linear",
        "the simplest that is practically equivalent to the best",
    )


def test_an_erratic_candidate_is_not_level_for_being_erratic():
    """A gap of 0.06 with a standard error of 0.08 is not excused: the best's own error counts."""
    erratic = BASE - 0.06 + np.array([0.2, -0.2, 0.1, -0.1, 0.0])
    chosen = choose({"dummy": np.full(5, 0.5), "linear": erratic, "LightGBM": BASE})
    assert chosen.name == "LightGBM"


def test_the_dummy_is_chosen_only_when_nothing_beats_it():
    """Planted: all candidates score what guessing scores, give or take."""
    guess = np.full(5, 0.5)
    none = choose({"dummy": guess, "linear": guess + WOBBLE, "LightGBM": guess - WOBBLE})
    assert none.name == "dummy"
    assert choose({"dummy": guess, "linear": guess + 0.02 + WOBBLE}).name == "linear"


def test_what_was_decided_before_binds():
    """A barred candidate is no champion, but can be the one to beat."""
    by_fold = {"linear": BASE, "LightGBM": BASE + 0.05, "ensemble: weighted": BASE - 0.05}
    chosen = choose(by_fold, barred=["LightGBM"])
    assert (chosen.name, chosen.runner_up) == ("linear", "LightGBM")
    with pytest.raises(
        InputError, match=r"every fold: dummy; barred: LightGBM, dummy, ensem.*, linear\."
    ):
        choose(by_fold, barred=ORDER)


def test_simplicity_is_an_order_of_families_and_steps():
    """Raw before added columns, one model before a search, a vote before learned weights."""
    analyses = dict.fromkeys(["LightGBM", "linear", "dummy", "decision tree"], "11_baselines")
    analyses |= {"LightGBM + gaps": "10_f", "linear + everything": "10_f", "MLP": "12_advanced"}
    analyses |= {"LightGBM tuned": "21_t", "ensemble: stacking": "23_e", "ensemble: voting": "23_e"}
    expected = ["dummy", "linear", "linear + everything", "decision tree", "LightGBM"]
    expected += ["LightGBM + gaps", "LightGBM tuned", "MLP", "ensemble: voting"]
    expected += ["ensemble: stacking"]
    assert comparison.order_by_simplicity(analyses)["model"].tolist() == expected


# --- what was kept -------------------------------------------------------------------------------


def test_candidates_that_predict_the_same_count_once():
    """An ensemble with all its weight on one member is that member, and the simpler one stays."""
    dataset = make_planted(100, n_categories=0)
    folds = make_folds(dataset, make_cv(dataset, n_splits=4))
    proba = np.random.default_rng(0).dirichlet([1, 1], size=100)
    tracked = {
        name: Predicted("11_x", part, {})
        for name, part in (("ensemble: greedy", proba), ("linear", proba), ("x", proba[:, ::-1]))
    }
    order = ["linear", "ensemble: greedy", "x"]
    field = comparison.gather_candidates(tracked, dataset, folds, scoring="roc_auc", order=order)
    assert list(field.tracked) == ["linear", "x"]
    assert field.twins == {"ensemble: greedy": "linear"}
    assert field.scores.models == ["linear", "x"]


def test_missing_tables_are_named_with_their_commands(monkeypatch, tmp_path):
    """All at once, so that a user runs them in one go."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    config = load_config(dataset="wine", effort="quick")
    with pytest.raises(InputError, match=r"'wine', 'diabetes'.*--dataset diabetes --effort quick"):
        comparison.gather_tables(config, ["wine", "diabetes"], analyses=["11"])


# --- figures -------------------------------------------------------------------------------------


def make_comparison(names):
    """Return a table of probabilities and scores for these names."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1, 1], size=len(names))
    values = np.sort(rng.uniform(0.6, 0.9, size=len(names)))[::-1]
    return pd.DataFrame(
        {
            "model": names,
            "score": [Estimate(v, v - 0.02, v + 0.02) for v in values],
            "worse": shares[:, 0],
            "equivalent": shares[:, 1],
            "better": shares[:, 2],
            "rank": [Estimate(i, max(i - 2, 1), i + 2) for i in range(1, len(names) + 1)],
            "first": np.arange(len(names), 0, -1) / np.arange(1, len(names) + 1).sum(),
            "fit_seconds": rng.lognormal(size=len(names)),
            "milliseconds": rng.lognormal(sigma=3, size=len(names)),
            "kilobytes": rng.lognormal(sigma=4, size=len(names)),
        }
    )


@pytest.mark.usefixtures("style")
@pytest.mark.parametrize("names", [["tree"], HOSTILE, [f"m{i}" for i in range(30)]])
def test_figures_hold_any_names(names):
    """One candidate, hostile names or thirty: complete, and nothing leaves the canvas."""
    table = make_comparison(names)
    check_figure(plots.plot_equivalence(table, reference=names[0]).figure)
    check_figure(plots.plot_rank_stability(table).figure)
    check_figure(plots.plot_pareto(table, metric="roc_auc"))
    ranks = pd.Series(np.linspace(1, max(len(names), 1), len(names)), index=names)
    groups = comparison.find_groups(ranks, 2.5)
    check_figure(plots.plot_critical_difference(ranks, 2.5, groups, n_tables=7).figure)


@pytest.mark.usefixtures("style")
def test_figures_say_what_they_show():
    """Titles are claims computed from the table."""
    table = make_comparison(["a", "b", "c"]).assign(
        worse=[np.nan, 0.01, 0.5], equivalent=[np.nan, 0.98, 0.4], better=[np.nan, 0.01, 0.1]
    )
    said = title_artists(plots.plot_equivalence(table, reference="a"))[0].get_text()
    assert said == "1 candidate is shown to be as good as a"
    assert "a comes first in 50 %" in title_artists(plots.plot_rank_stability(table))[0].get_text()
    figure = plots.plot_pareto(
        table.assign(
            fit_seconds=[3.0, 2.0, 1.0], milliseconds=[1.0, 2.0, 3.0], kilobytes=[1.0, 1.0, np.nan]
        ),
        metric="roc_auc",
    )
    fronts = [title_artists(ax)[0].get_text() for ax in figure.axes]
    assert fronts == ["1  c, 2  b, 3  a", "1  a", "1  a"]
    ranks = pd.Series({"a": 1.0, "b": 1.5, "c": 2.9})
    ax = plots.plot_critical_difference(ranks, 1.0, [("a", "b")], n_tables=7)
    assert title_artists(ax)[0].get_text().startswith("a ranks best on 7 tables; 1 other is not")
