"""Explanations find what was planted, add up, and say when they should not be quoted."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from lib import explanation, plots
from lib.config import load_config
from lib.data import Dataset, load_data, make_planted
from lib.errors import InputError
from lib.evaluation import default_scoring
from lib.interpreter import ModelInterpreter
from lib.models import baselines
from lib.resampling import Folds, make_cv, make_folds

TASKS = ("binary", "multiclass", "regression")
CONFIG = load_config(seed=0)


def fit(dataset, model="LightGBM", *, n_splits=3, n_repeats=1, **settings):
    """Return the models of the folds of a dataset."""
    estimator = baselines(dataset, CONFIG)[model] if isinstance(model, str) else model
    folds = make_folds(dataset, make_cv(dataset, n_splits=n_splits, n_repeats=n_repeats))
    return explanation.fit_folds(estimator, dataset, folds, **settings)


def mixed_dataset(task="binary", n_rows=240):
    """Return a table with numbers, gaps, dates, text, a category, a constant and odd names."""
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=n_rows), rng.normal(size=n_rows)
    days = pd.date_range("2020-01-01", periods=n_rows, freq="37h")
    words = rng.choice(["late", "early", "damaged", "never"], (n_rows, 6))
    X = pd.DataFrame(
        {
            "x1": np.where(rng.random(n_rows) < 0.1, np.nan, x),
            "when": days[rng.permutation(n_rows)],
            "text": [" ".join(row) + f" {i}" for i, row in enumerate(words)],
            "kind": pd.Categorical(rng.choice(["a", "b", "c"], n_rows)),
            "constant": 1.0,
            "count": rng.integers(0, 5, n_rows),
        }
    ).astype({"text": "str"})
    score = 2 * x + X["count"] + (X["kind"] == "b") + noise
    if task == "regression":
        return Dataset("mixed", X, score.rename("target"), task=task, labels={"x1": "[x]: {1}"})
    n_classes = {"binary": 2, "multiclass": 3}[task]
    y = pd.qcut(score, n_classes, labels=False).rename("target")
    classes = tuple(f"class {i}" for i in range(n_classes))
    return Dataset("mixed", X, y, task=task, classes=classes, labels={"x1": "[x]: {1}"})


class Formula(RegressorMixin, BaseEstimator):
    """A regressor that ignores what it is fitted on and computes a formula."""

    def __init__(self, function=None):
        self.function = function

    def fit(self, X, y):
        """Remember the names only."""
        self.n_features_in_, self.feature_names_in_ = X.shape[1], np.array(X.columns)
        return self

    def predict(self, X):
        """Return the formula's values."""
        return np.asarray(self.function(X), dtype=float)


# --- contributions ----------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("model", ["LightGBM", "linear"])
def test_contributions_add_up_to_the_prediction_and_to_source_columns(task, model):
    """Components of text, parts of dates and levels return to their column; nothing is lost."""
    dataset = mixed_dataset(task)
    models = fit(dataset, model, n_splits=2)
    explained = explanation.explain_out_of_fold(models)
    assert explained.gap < 1e-9
    explanation.check_additivity(explained, tolerance=1e-9)
    assert explained.contributions.shape[1] == dataset.n_features
    assert explained.rows.tolist() == list(range(len(dataset)))
    assert models.any_model.cells_of([2]).size >= 30, "text became components"
    assert not explained.contributions[:, 4].any(), "a constant contributes nothing"
    assert explained.names[0] == "[x]: {1}"


def test_a_gap_in_additivity_is_refused():
    """Contributions that miss the prediction are never passed on."""
    explained = explanation.explain_out_of_fold(fit(make_planted(200), n_splits=2))
    explained.contributions[0, 0] += 0.1
    with pytest.raises(InputError, match="must add up"):
        explanation.check_additivity(explained)


@pytest.mark.parametrize("task", TASKS)
def test_rows_are_explained_by_a_model_that_did_not_see_them(task):
    """Out-of-fold raw outputs are those of the fold's own model, row by row."""
    dataset = make_planted(300, task=task)
    models = fit(dataset)
    explained = explanation.explain_out_of_fold(models, max_rows=100)
    assert len(explained) == 100
    for one in models:
        mine = explained.fold == one.fold
        assert np.isin(explained.rows[mine], one.test).all()
        X = dataset.X.iloc[explained.rows[mine]]
        assert np.allclose(one.model.raw(one.model.prepare(X)), explained.raw[mine])


@pytest.mark.parametrize("task", TASKS)
def test_true_columns_rank_over_noise_by_every_method(task):
    """On a planted table no noise column comes before a true one, whoever ranks."""
    dataset = make_planted(3_000, task=task, n_informative=4, n_noise=4)
    models = fit(dataset)
    clusters = explanation.cluster_columns(dataset.X)
    shuffled = explanation.permute_out_of_fold(
        models, clusters, scoring=default_scoring(task), n_repeats=2
    )
    rankings = {
        "SHAP": explanation.rank_contributions(models),
        "shuffling": shuffled.by_fold,
        "gain": explanation.rank_builtin(models, "gain"),
    }
    for importance in rankings.values():
        mean = importance.mean()
        assert mean[dataset.truth["informative"]].min() > mean[dataset.truth["noise"]].max()
    judged = explanation.judge_columns(rankings, list(dataset.X), n_top=4).set_index("column")
    assert (judged.loc[dataset.truth["noise"], "verdict"] == explanation.OUTSIDE).all()
    assert judged.loc["signal_1", "verdict"] == explanation.QUOTE


@pytest.mark.parametrize("model", ["LightGBM", "linear"])
def test_signs_of_contributions_are_those_of_the_coefficients(model):
    """Columns that enter as a rising line push up where they are high."""
    dataset = make_planted(2_000, n_noise=2)
    explained = explanation.explain_out_of_fold(fit(dataset, model))
    for position, name in enumerate(dataset.X):
        if dataset.truth["curves"].get(name) == "line":
            assert explanation.describe_direction(explained, position) == "higher raises it"
            pushed = explained.contributions[:, position]
            assert np.corrcoef(dataset.X[name].iloc[explained.rows], pushed)[0, 1] > 0.8


@pytest.mark.slow
def test_own_treeshap_is_that_of_the_shap_package():
    """LightGBM's contributions equal shap's TreeExplainer; forests go through it and add up."""
    dataset = make_planted(300, n_categories=0)
    one = fit(dataset, n_splits=2).models[0]
    final = baselines(dataset, CONFIG)["LightGBM"].steps[-1][1]
    final.fit(one.matrix, dataset.y.to_numpy()[one.test])
    X = pd.DataFrame(one.matrix)
    opened = explanation.open_model(final, X, classes=[0, 1])
    values, base = opened.shapley(one.matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import TreeExplainer
    explainer = TreeExplainer(final)
    theirs = explainer(one.matrix)
    assert np.allclose(values, theirs.values, atol=1e-9)
    assert np.allclose(base, theirs.base_values)
    forest = RandomForestClassifier(20, random_state=0).fit(X, final.predict(X))
    opened = explanation.open_model(forest, X, classes=[0, 1])
    assert "TreeExplainer" in opened.route
    assert explanation.explain(opened, X).gap < 1e-6


def test_sampled_contributions_are_shapley_values():
    """Orders in pairs are exact for interactions of two: checked against the formula."""
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    orders = [np.array([0, 1, 2]), np.array([2, 1, 0])]

    def raw(m):
        return 3 * m[:, 0] + m[:, 1] * m[:, 2]

    values, base = explanation.sample_shapley(raw, rows, background, orders)
    assert np.allclose(base + values.sum(axis=1), raw(rows))
    assert np.allclose(values[:, 0], 3 * (rows[:, 0] - background[:, 0].mean()))
    means, product = background.mean(axis=0), (background[:, 1] * background[:, 2]).mean()
    alone = rows[:, 1] * means[2] - product  # column 1 known first
    last = rows[:, 1] * rows[:, 2] - means[1] * rows[:, 2]  # column 1 known last
    assert np.allclose(values[:, 1], (alone + last) / 2)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@threadpool_limits.wrap(limits=1)
def test_every_family_of_baselines_can_be_opened(task):
    """Each predicts the same when opened, on a table of every kind; contributions add up."""
    mixed = mixed_dataset(task)
    dataset = replace(mixed, X=mixed.X.drop(columns=["text", "when"]))  # sampling asks 800 times
    models = baselines(dataset, CONFIG)
    classes = None if task == "regression" else range(len(dataset.classes))
    models["random forest"].set_params(model__n_estimators=10)
    for name in ("linear", "k-nearest neighbours", "decision tree", "random forest",
                 "histogram boosting", "LightGBM", "dummy"):  # fmt: skip
        model = models[name].fit(dataset.X, dataset.y.to_numpy())
        opened = explanation.open_model(model, dataset.X, classes=classes)
        rows = dataset.X.iloc[:2]
        assert explanation.explain(opened, rows).gap < 1e-6, name
        whole = model.predict(rows) if task == "regression" else model.predict_proba(rows)
        assert np.allclose(opened.predict(opened.prepare(rows)), whole, atol=1e-6), name


# --- shuffling --------------------------------------------------------------------------------


def with_twin(n_rows=1_500):
    """Return a planted table in which the strongest column stands twice, nearly."""
    dataset = make_planted(n_rows, n_noise=2, n_categories=0, task="regression")
    rng = np.random.default_rng(1)
    twin = dataset.X["signal_1"] + rng.normal(0, 0.05, n_rows)
    X = dataset.X.assign(twin=twin)
    return Dataset("twins", X, dataset.y, task="regression")


def test_twins_share_a_cluster_and_are_found_together():
    """Shuffled alone, each of two copies hides behind the other; together they cost most."""
    dataset = with_twin()
    clusters = explanation.cluster_columns(dataset.X)
    pair = (0, dataset.n_features - 1)
    assert pair in clusters
    assert len(clusters) == dataset.n_features - 1
    estimator = baselines(dataset, CONFIG)["LightGBM"]
    estimator.set_params(model__colsample_bytree=0.5)  # so that both copies are used
    shuffled = explanation.permute_out_of_fold(
        fit(dataset, estimator), clusters, scoring="r2", n_repeats=3
    )
    together = shuffled.clusters.iloc[0]
    assert together["what"] == "signal_1 + twin"
    assert together["verdict"] == explanation.MATTERS
    alone = shuffled.columns.set_index("what")["mean"]
    assert alone["signal_1"] + alone["twin"] < together["mean"]
    assert max(alone["signal_1"], alone["twin"]) < 0.75 * together["mean"]


def test_mixed_columns_cluster_by_what_suits_their_kinds():
    """A category that is a cut of a number joins it; independent columns stay apart."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    X = pd.DataFrame({"x": x, "other": rng.normal(size=400)})
    X["cut"] = pd.Categorical(np.where(x > 0.5, "high", np.where(x < -0.5, "low", "middle")))
    assert explanation.cluster_columns(X) == [(0, 2), (1,)]
    assert explanation.cluster_columns(X, threshold=0.99) == [(0,), (1,), (2,)]


@pytest.mark.slow
def test_noise_is_rarely_called_important():
    """Of noise columns beside a signal, at most one in twenty has p below 0.05 before correction."""
    p_values = []
    for seed in range(6):
        dataset = make_planted(
            300, n_informative=1, n_noise=6, n_categories=0, seed=seed, task="regression"
        )
        shuffled = explanation.permute_out_of_fold(
            fit(dataset, n_splits=5), [(i,) for i in range(7)], scoring="r2", n_repeats=2
        )
        p_values += shuffled.columns.set_index("what").loc[dataset.truth["noise"], "p"].tolist()
        assert shuffled.columns["what"].iloc[0] == "signal_1"
    # 36 tests; three or more below 0.05 have a chance of 0.27 were p-values uniform
    assert np.mean(np.array(p_values) < 0.05) <= 0.08
    assert np.mean(np.array(p_values) < 0.5) <= 0.65


# --- effects ----------------------------------------------------------------------------------


def test_accumulated_effects_recover_a_curve_where_partial_dependence_cannot():
    """With x2 = x1, f = x1·x2 rises along x1 as x²/2 (Apley and Zhu); partial dependence is flat."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 2_000)
    X = pd.DataFrame({"x1": x, "x2": x + rng.normal(0, 0.02, 2_000)})
    dataset = Dataset("pair", X, pd.Series(x * X["x2"], name="target"), task="regression")
    model = Formula(lambda X: X["x1"] * X["x2"])
    effects = explanation.compute_effects(fit(dataset, model), [0], names=["x1", "x2"])
    local = effects.of(0, explanation.ALE)
    truth = local["x"] ** 2 / 2
    truth -= np.average(truth, weights=local["share"])
    assert np.abs(local["effect"] - truth).max() < 0.02
    assert np.abs(effects.of(0, explanation.PDP)["effect"] - truth).max() > 0.2


def test_accumulated_effects_recover_planted_curves():
    """A parabola, a step and a line come back from boosting within a fifth of their height."""
    dataset = make_planted(6_000, task="regression", n_noise=0, noise_sd=0.5)
    models = fit(dataset)
    effects = explanation.compute_effects(models, [0, 1, 2], names=list(dataset.X))
    shapes = {"line": lambda x: x, "parabola": lambda x: (x**2 - 1) / 2**0.5, "step": np.sign}
    for position in range(3):
        name = dataset.X.columns[position]
        curve = effects.of(position, explanation.ALE)
        inner = curve["x"].abs().between(0.15, 1.8)  # a tree turns the jump into a ramp
        truth = shapes[dataset.truth["curves"][name]](curve["x"])
        truth *= dataset.truth["coefficients"][name]
        truth -= np.average(truth, weights=curve["share"])
        assert np.abs(curve["effect"] - truth)[inner].max() < 0.2 * np.ptp(truth), name
        assert (curve["low"] <= curve["effect"]).all()


def test_effects_of_categories_are_those_planted():
    """Levels come back with the effects that were planted."""
    dataset = make_planted(6_000, task="regression", n_noise=0, noise_sd=0.5, n_categories=4)
    position = list(dataset.X).index("category")
    effects = explanation.compute_effects(fit(dataset), [position], names=list(dataset.X))
    curve = effects.of(position, explanation.ALE).set_index("level")["effect"]
    truth = pd.Series(dataset.truth["categories"])
    assert np.abs(curve - (truth - truth.mean()).reindex(curve.index)).max() < 0.2


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_levels_come_in_the_order_of_what_sets_them_apart(spread):
    """Levels one apart, overlapping or not, come in order, whatever scale and noise beside."""
    rng = np.random.default_rng(0)
    place = rng.permutation(8)
    codes = rng.integers(0, 8, 4_000)
    height = place[codes] + rng.normal(0, spread, 4_000)
    others = pd.DataFrame({"height": np.exp(height), "noise": rng.normal(0, 100, 4_000)})
    order = explanation.order_levels(others, codes)
    assert place[order].tolist() in (list(range(8)), list(range(8))[::-1])


def test_columns_without_an_axis_are_named_not_drawn():
    """Text and constants are said to have no effect to draw; dates keep their type."""
    dataset = mixed_dataset("multiclass")
    models = fit(dataset, n_splits=2)
    effects = explanation.compute_effects(models, range(6), names=explanation.own_names(dataset))
    assert set(effects.curves["position"]) == {0, 1, 3, 5}
    assert set(effects.curves["output"]) == set(dataset.classes)
    assert ["free text" in effects.notes[0], "does not vary" in effects.notes[1]] == [True, True]
    assert explanation.choose_columns(dataset.X, range(6), n_columns=3) == [0, 1, 3]
    sums = effects.curves[effects.curves["method"] == explanation.ALE]
    by_point = sums.groupby(["position", "x"])["effect"].sum()
    assert np.abs(by_point).max() < 1e-9, "probabilities of classes move against each other"


# --- surrogates and agreement -----------------------------------------------------------------


def test_local_lines_agree_in_sign_with_contributions():
    """On planted tables a local line has the signs of the three largest contributions."""
    dataset = make_planted(1_500, n_noise=3)
    models = fit(dataset)
    table, sizes = explanation.compare_surrogates(models, explanation.explain_out_of_fold(models))
    assert table["same_sign"].mean() > 0.95
    assert table["r2"].median() > 0.7
    true = [list(dataset.X).index(name) for name in dataset.truth["informative"]]
    noise = [list(dataset.X).index(name) for name in dataset.truth["noise"]]
    assert sizes[true].min() > sizes[noise].max()


def rankings_of(*rows):
    """Return one method's importances, a row a fold."""
    index = pd.MultiIndex.from_tuples([(i, 0) for i in range(len(rows))], names=["fold", "seed"])
    return pd.DataFrame([list(map(float, row)) for row in rows], index=index, columns=list("abcd"))


def test_what_depends_on_the_method_is_not_quoted():
    """First by all: quote; first by one method only: unstable; never in the top: outside."""
    one = rankings_of((9, 8, 1, 0), (9, 8, 1, 0))
    other = rankings_of((9, 1, 8, 0), (9, 1, 8, 0))
    judged = explanation.judge_columns({"one": one, "other": other}, list("abcd"), n_top=2)
    verdicts = judged.set_index("column")["verdict"].to_dict()
    assert verdicts == {
        "a": explanation.QUOTE,
        "b": explanation.UNSTABLE,
        "c": explanation.UNSTABLE,
        "d": explanation.OUTSIDE,
    }
    pairs = explanation.compare_methods({"one": one, "other": other}, n_top=2)
    crossed = pairs[pairs["first"] != pairs["second"]].iloc[0]
    assert crossed["shared_top"] == 0.5
    assert crossed["rank_correlation"] == pytest.approx(0.8)


def test_a_column_without_importance_is_never_in_the_top():
    """Where fewer columns matter than the top has places, the others do not fill it."""
    judged = explanation.judge_columns(
        {"one": rankings_of((9, 0, 0, 0), (9, -1, 0, 0))}, list("abcd"), n_top=2
    )
    assert judged["verdict"].tolist() == [explanation.QUOTE, *[explanation.OUTSIDE] * 3]


# --- glass boxes ------------------------------------------------------------------------------


def test_additive_boosting_is_a_sum_of_curves():
    """Equal values of a column contribute equally in every row: there are no interactions."""
    dataset = make_planted(500, n_informative=3, n_noise=0)
    glass = explanation.make_glass_boxes(baselines(dataset, CONFIG))
    models = fit(dataset, glass[explanation.ADDITIVE], n_splits=2)
    model, X = models.any_model, dataset.X.assign(signal_1=0.7)
    values, _ = model.shapley(model.prepare(X))
    assert np.ptp(values[:, 0]) < 1e-9
    curve = explanation.tabulate_curves(models, 0)
    assert np.corrcoef(curve["value"], curve["contribution"])[0, 1] > 0.9


def test_rules_cover_every_row_once():
    """Shares of a shallow tree's leaves add up to one; categories are named, not coded."""
    dataset = make_planted(800, n_informative=1, n_noise=0, n_categories=4)
    glass = explanation.make_glass_boxes(baselines(dataset, CONFIG))
    rules = explanation.write_rules(glass[explanation.SHALLOW], dataset)
    assert rules["rows"].sum() == pytest.approx(1)
    assert 2 <= len(rules) <= 8
    words = " ".join(rules.drop(columns=["rows", "prediction"]).to_numpy().ravel())
    assert "category in (level_" in words


def test_rules_cut_dates_at_days():
    """A rule on a column of dates names a day, never the seconds that the tree has learned from."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(300), unit="D")
    late = days >= pd.Timestamp("2024-06-12")  # amid a month, which alone would not do
    dataset = load_data(pd.DataFrame({"sent": days, "late": late}), target="late")
    glass = explanation.make_glass_boxes(baselines(dataset, CONFIG))
    rules = explanation.write_rules(glass[explanation.SHALLOW], dataset)
    assert set(rules["first"]) == {"sent ≤ 2024-06-11", "sent > 2024-06-11"}


# --- subgroups and mistakes -------------------------------------------------------------------


def honest(n_rows, seed, n_groups=None):
    """Return a table of honest probabilities with a category that has nothing to do with them."""
    rng = np.random.default_rng(seed)
    owner = np.arange(n_rows) if n_groups is None else rng.integers(n_groups, size=n_rows)
    p = rng.beta(1, 2, owner.max() + 1)[owner]
    y = rng.random(owner.max() + 1)[owner] < p  # rows of one owner share their fate
    part = rng.choice(["a", "b"], owner.max() + 1)[owner]
    X = pd.DataFrame({"part": pd.Categorical(part), "x": rng.normal(size=n_rows)})
    groups = None if n_groups is None else pd.Series(owner, name="owner")
    y = pd.Series(y.astype(int), name="target")
    dataset = Dataset("honest", X, y, task="binary", classes=("n", "y"), groups=groups)
    return dataset, np.column_stack([1 - p, p])


@pytest.mark.parametrize("n_groups", [None, 150])
def test_intervals_of_subgroups_cover(n_groups):
    """Of 150 honest tables, nineteen in twenty intervals hold no difference; groups count once."""
    covered = []
    for seed in range(150):
        table = explanation.compare_subgroups(*honest(500, seed, n_groups), [0])
        covered.append([e.covers(0) for e in table["difference"]])
    shares = np.mean(covered, axis=0)  # one a measure; its standard error is 1.8 %
    assert (shares > 0.89).all(), shares


def test_none_of_a_few_is_no_proof_of_never():
    """Thirty rows of which none is flagged have an error; a rate of a few cases is not given."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"part": pd.Categorical(["few"] * 60 + ["many"] * 940)})
    y = np.where(np.arange(1_000) < 60, np.arange(1_000) < 4, rng.random(1_000) < 0.3)
    proba = np.where(np.arange(1_000) < 60, 0.0, rng.random(1_000))
    dataset = replace(make_planted(1_000), X=X, y=pd.Series(y.astype(int)))
    table = explanation.compare_subgroups(dataset, np.column_stack([1 - proba, proba]), [0])
    by = table[table["level"] == "few"].set_index("measure")
    assert np.isnan(by.loc["found", "value"].value)
    assert by.loc["found", "verdict"] == ""
    never = by.loc["false alarms", "value"]
    assert never.value == 0
    assert 0.01 < never.high < 0.1  # 3 / 56 by the rule of three


def test_a_planted_unfairness_is_found():
    """Scores that are too low for one part show as a calibration gap, and only that."""
    dataset, proba = honest(3_000, 0)
    inside = (dataset.X["part"] == "b").to_numpy()
    lowered = np.where(inside, 0.5 * proba[:, 1], proba[:, 1])
    table = explanation.compare_subgroups(
        dataset, np.column_stack([1 - lowered, lowered]), [0]
    ).set_index("measure")
    assert table.loc["predicted minus actual", "verdict"] == "differs"
    assert abs(table.loc["predicted minus actual", "difference"].value) > 0.1
    assert table.loc["ROC AUC", "verdict"] == "no sign of a difference"
    places = explanation.locate_errors(dataset, np.column_stack([1 - lowered, lowered]))
    assert places["column"].iloc[0] == "part"
    assert places["p_holm"].iloc[0] < 0.001
    assert places["gathers"].iloc[0] == (places["difference"].iloc[0].value > 0)


def test_honest_probabilities_show_no_gathered_errors():
    """Where probabilities are right, losses beyond what they expect gather nowhere."""
    claims = [explanation.locate_errors(*honest(600, seed))["p_holm"].min() for seed in range(60)]
    assert np.mean(np.array(claims) < 0.05) <= 0.1


def test_worst_rows_are_numbers_without_contents():
    """The worst rows are the planted ones; no value of a row appears in the table."""
    dataset = make_planted(600, n_noise=0, n_categories=0, task="regression", noise_sd=0.1)
    y = dataset.y.copy()
    y.iloc[[7, 300]] += 40.0
    X = dataset.X.assign(name=[f"SECRET {i}" for i in range(600)]).astype({"name": "str"})
    bad = Dataset("bad", X, y, task="regression")
    models = fit(bad)
    predictions = explanation.out_of_fold(models)
    table, explained = explanation.explain_worst(models, predictions, n_rows=2)
    assert sorted(table["row"]) == [7, 300] == sorted(explained.rows)
    assert "SECRET" not in table.to_string()
    assert explanation.share_of_worst(explanation.compute_losses(bad, predictions)) > 0.3


# --- tables that are hard ---------------------------------------------------------------------


def check_whole(dataset, **settings):
    """Run every part of the analysis on a table."""
    models = fit(dataset, n_splits=2, **settings)
    names = explanation.own_names(dataset)
    explained = explanation.explain_out_of_fold(models)
    assert explained.gap < 1e-6
    clusters = explanation.cluster_columns(dataset.X)
    shuffled = explanation.permute_out_of_fold(
        models, clusters, scoring=default_scoring(dataset.task), n_repeats=1
    )
    explanation.compute_effects(models, range(dataset.n_features), names=names)
    explanation.compare_surrogates(models, explained, n_rows=3)
    rankings = {"SHAP": explanation.rank_contributions(models), "shuffling": shuffled.by_fold}
    explanation.judge_columns(rankings, names, n_top=explanation.choose_top(len(names)))
    predictions = explanation.out_of_fold(models)
    parts = explanation.choose_subgroups(dataset)
    explanation.compare_subgroups(dataset, predictions, parts)
    explanation.compare_contributions(explained, dataset, parts)
    explanation.locate_errors(dataset, predictions)
    explanation.explain_worst(models, predictions)
    return models


def test_thirty_rows_one_column():
    """The smallest tables pass."""
    X = pd.DataFrame({"x": np.arange(30.0)})
    y = pd.Series(np.arange(30) % 2, name="target")
    check_whole(Dataset("tiny", X, y, task="binary", classes=("a", "b")))
    check_whole(Dataset("tiny", X, X["x"].rename("target"), task="regression"))


def test_a_class_that_a_fold_does_not_hold():
    """A class with one row costs no run: the model that never saw it gives it nothing."""
    dataset = make_planted(90, task="multiclass")
    y = dataset.y.copy()
    y[:] = np.arange(90) % 2
    y.iloc[5] = 2
    rare = Dataset("rare", dataset.X, y, task="multiclass", classes=("a", "b", "c"))
    halves = Folds(
        ((np.arange(45), np.arange(45, 90)), (np.arange(45, 90), np.arange(45))), "0" * 16, "halves"
    )
    estimator = baselines(rare, CONFIG)["LightGBM"]
    models = explanation.fit_folds(estimator, rare, halves)
    explained = explanation.explain_out_of_fold(models)
    assert explained.gap < 1e-9
    assert explained.contributions.shape == (90, dataset.n_features, 3)
    assert not explained.contributions[explained.fold == 2][:, :, 2].any()


def test_a_fold_with_one_outcome_is_left_out_and_said():
    """A fold that cannot be fitted is a note; if none can, the reason is one sentence."""
    dataset = make_planted(60, n_noise=0)
    y = pd.Series(np.r_[np.zeros(30, dtype=int), np.arange(30) % 2], name="target")
    sorted_y = Dataset("sorted", dataset.X, y, task="binary", classes=("a", "b"))
    halves = ((np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30)))
    estimator = baselines(sorted_y, CONFIG)["LightGBM"]
    models = explanation.fit_folds(estimator, sorted_y, Folds(halves, "0" * 16, "halves"))
    assert (len(models), len(models.notes)) == (1, 1)
    with pytest.raises(InputError, match="No fold can be fitted"):
        explanation.fit_folds(estimator, sorted_y, Folds(halves[:1], "0" * 16, "half"))


@pytest.mark.parametrize("task", TASKS)
def test_a_table_of_every_kind(task):
    """Numbers, gaps, dates, text, categories and constants together pass for every task."""
    check_whole(mixed_dataset(task))


def test_a_table_of_text_alone():
    """Without a column of numbers or categories there are contributions, and nothing to draw."""
    rng = np.random.default_rng(0)
    words = rng.choice(["red", "green", "blue", "round"], (120, 5))
    X = pd.DataFrame({"text": [" ".join(row) + f" {i}" for i, row in enumerate(words)]})
    y = pd.Series((words == "red").any(axis=1).astype(int), name="target")
    check_whole(Dataset("text", X.astype("str"), y, task="binary", classes=("n", "y")))


# --- the user's object ------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_figure_stays():
    """Close what was drawn."""
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("kind", ["numpy", "pandas", "polars"])
def test_interpreter_takes_any_container(kind):
    """The same table as an array or a frame gives the same importances, under own names."""
    rng = np.random.default_rng(0)
    array = rng.normal(size=(300, 3))
    y = np.where(array[:, 0] + 0.2 * rng.normal(size=300) > 0, "yes", "no")
    columns = ["a", "b", "c"]
    make = {
        "numpy": lambda x: x,
        "pandas": lambda x: pd.DataFrame(x, columns=columns),
        "polars": lambda x: pl.DataFrame(x, schema=columns),
    }[kind]
    fitted_on = make(array).to_pandas() if kind == "polars" else make(array)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(fitted_on, y)
    names = ["<b>$x$</b>", "W" * 200, "same"]
    interpreter = ModelInterpreter(model, make(array[:200]), make(array[200:]), names)
    analysis = interpreter.shap_analysis(sample_size=50)
    assert analysis.table["column"].iloc[0] == "<b>$x$</b>"
    assert analysis.note == "50 rows; exact, from the coefficients"
    assert analysis.points.get_title()
    assert analysis.bars.get_title()
    lost = interpreter.permutation_importance_analysis(y[200:])
    assert lost.table["column"].iloc[0] == "<b>$x$</b>"
    assert lost.table["mean"].iloc[0] > 0.3
    moved = interpreter.permutation_importance_analysis()
    assert moved.table["column"].iloc[0] == "<b>$x$</b>"
    table, _ = interpreter.explain_row(3)
    assert table["same_sign"].iloc[0] == "yes"


def test_interpreter_explains_any_model_within_a_budget():
    """A model that cannot be opened is sampled, on a stated number of rows."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc"))
    model = KNeighborsClassifier(5).fit(X, (X["b"] > 0).astype(int) + (X["b"] > 1))
    analysis = ModelInterpreter(model, X, X).shap_analysis(sample_size=20)
    assert analysis.table["column"].iloc[0] == "b"
    assert analysis.note == "20 rows; sampled, 8 orders of the columns, 25 background rows"
    assert analysis.explanation.contributions.shape == (20, 3, 3)


def test_interpreter_names_the_way_out():
    """Tables that do not fit, names that are too few, labels unknown: one sentence each."""
    X = pd.DataFrame({"a": [0.0, 1, 2], "b": [1.0, 0, 1]})
    model = LinearRegression().fit(X, [1.0, 2, 3])
    with pytest.raises(InputError, match="same columns"):
        ModelInterpreter(model, X, X[["a"]])
    with pytest.raises(InputError, match="one name a column: 2, got 1"):
        ModelInterpreter(model, X, X, ["a"])
    interpreter = ModelInterpreter(model, X, X)
    with pytest.raises(InputError, match="one value a test row"):
        interpreter.permutation_importance_analysis([1.0])
    with pytest.raises(InputError, match="rows 0 to 2"):
        interpreter.explain_row(9)


def test_words_of_figures_are_those_of_the_tables():
    """Figures colour by the verdicts that tables give."""
    from lib.plots.explanation import effects, rankings

    assert (effects.PDP, effects.ALE) == (explanation.PDP, explanation.ALE)
    words = (explanation.MATTERS, explanation.QUOTE, explanation.UNSTABLE)
    assert words == (rankings.MATTERS, rankings.QUOTE, rankings.UNSTABLE)
    assert plots.plot_importance.__doc__


def test_glass_boxes_of_a_small_table_stand_on_the_study_s_own_folds():
    """Repeated rounds begin with the study's folds, which stay what candidates are compared on."""
    dataset = make_planted(300, n_groups=60)
    own = make_folds(dataset, make_cv(dataset, random_state=4))
    rounds = explanation.make_rounds(dataset, random_state=4)
    assert len(rounds) == 3 * len(own)
    for (train, test), (same_train, same_test) in zip(own, rounds, strict=False):
        assert np.array_equal(train, same_train)
        assert np.array_equal(test, same_test)
