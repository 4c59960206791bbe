"""Ensembles: they gain where errors differ, nothing from copies, and learn only from other folds."""

import json
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from lib import ensembles, evaluation, plots, tracking
from lib.config import load_config
from lib.data import Dataset, make_planted
from lib.errors import InputError
from lib.estimates import Estimate
from lib.resampling import ForwardInTime, make_cv, make_folds
from lib.tracking import candidates


def in_order(dataset, folds, values):
    """Return values of the rows as `Scores.parts` has them: one fold after another."""
    return np.concatenate([np.asarray(values)[test] for _, test in folds])


def noisy_members(noises, *, n_rows=600, seed=0, n_splits=5):
    """Return members that know a regression target but for noise of their own."""
    dataset = make_planted(n_rows, task="regression", seed=seed)
    folds = make_folds(dataset, make_cv(dataset, n_splits=n_splits))
    rng = np.random.default_rng(seed)
    y = dataset.y.to_numpy()
    predictions = {
        name: in_order(dataset, folds, y + sd * rng.standard_normal(n_rows))
        for name, sd in noises.items()
    }
    return ensembles.gather_members(predictions, dataset, folds)


def gain_over(members, method, rival):
    """Return the paired test of an ensemble against a member."""
    combined, _ = ensembles.combine(members, [method])
    parts = {"it": combined[method], rival: members.parts[members.names.index(rival)]}
    scores = evaluation.score_predictions(parts, members.dataset, members.folds)
    return evaluation.compare_pair(scores, "it", rival)


@pytest.mark.parametrize("method", ["voting", "weighted", "stacking", "greedy"])
def test_independent_errors_halve(method):
    """Two members with independent noise: the ensemble has half the squared error of one."""
    members = noisy_members({"one": 1.0, "other": 1.0}, n_rows=2_000)
    combined, _ = ensembles.combine(members, [method])
    squared = float(((combined[method] - members.y) ** 2).mean())
    if method == "stacking":  # it also shrinks the mean, which noise makes too wide
        assert squared < 0.5
    else:
        assert squared == pytest.approx(0.5, abs=0.05)
    assert evaluation.verdict(gain_over(members, method, "one")) == evaluation.BETTER


def test_weights_follow_precision():
    """Least squares weighs independent members by one over their variance: 0.8 and 0.2 here."""
    members = noisy_members({"sharp": 0.5, "blunt": 1.0}, n_rows=4_000)
    _, weights = ensembles.combine(members, ["weighted"])
    mean = weights.groupby("member")["weight"].mean()
    assert mean["sharp"] == pytest.approx(0.8, abs=0.03)
    assert weights.groupby("fold")["weight"].sum().to_numpy() == pytest.approx(np.ones(5))


@pytest.mark.parametrize("method", ["voting", "weighted", "greedy"])
def test_copies_gain_nothing(method):
    """An ensemble of one model repeated is that model: no gain, and no verdict of one."""
    members = noisy_members({"one": 1.0, "two": 1.0})
    copies = {f"copy {i}": members.parts[0] for i in range(4)}
    same = ensembles.gather_members(copies, members.dataset, members.folds)
    test = gain_over(same, method, "copy 0")
    assert abs(test.difference.value) < 1e-12
    assert evaluation.verdict(test) != evaluation.BETTER
    off_diagonal = ensembles.compute_diversity(same).to_numpy()[~np.eye(4, dtype=bool)]
    assert off_diagonal == pytest.approx(np.ones(12))


@pytest.mark.parametrize("method", ["weighted", "stacking", "greedy"])
def test_what_is_learned_comes_from_other_folds(method):
    """Changing the labels of one fold changes no prediction of that fold, but of others."""
    members = noisy_members({"one": 1.0, "two": 0.8, "three": 1.2})
    before, _ = ensembles.combine(members, [method])
    _, test = members.folds.parts[0]
    y = members.dataset.y.copy()
    y.iloc[test] = y.iloc[test].to_numpy()[::-1] * 3
    changed = Dataset("changed", members.dataset.X, y, task="regression")
    moved = ensembles.Members(members.names, members.parts, changed, members.folds)
    after, _ = ensembles.combine(moved, [method])
    own = slice(0, len(test))
    assert np.array_equal(before[method][own], after[method][own])
    assert not np.array_equal(before[method], after[method])


def test_members_that_know_nothing_are_rarely_called_better():
    """On noise, real out-of-fold members combined beat the best of them in few of 60 tables."""
    rng = np.random.default_rng(11)
    verdicts = []
    for _ in range(60):
        X, y = rng.standard_normal((100, 12)), rng.standard_normal(100)
        frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(12)])
        dataset = Dataset("noise", frame, pd.Series(y, name="target"), task="regression")
        folds = make_folds(dataset, make_cv(dataset))
        predictions = {}
        for k, columns in enumerate((slice(0, 4), slice(4, 8), slice(8, 12))):
            parts = [
                LinearRegression().fit(X[train, columns], y[train]).predict(X[test, columns])
                for train, test in folds
            ]
            predictions[f"member {k}"] = np.concatenate(parts)
        members = ensembles.gather_members(predictions, dataset, folds)
        combined, _ = ensembles.combine(members, ["weighted", "stacking"])
        best = evaluation.score_predictions(predictions, dataset, folds).by_fold().mean().idxmax()
        parts = {"best": predictions[best], **combined}
        scores = evaluation.score_predictions(parts, dataset, folds)
        verdicts += [
            evaluation.verdict(evaluation.compare_pair(scores, method, "best"))
            for method in combined
        ]
    assert verdicts.count(evaluation.BETTER) <= 9  # 5 % of 120 are 6; the 90th percentile is 9


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_probabilities_stay_probabilities(task):
    """Every way to combine returns rows that add up to one, and is no worse than a bad member."""
    dataset = make_planted(500, task=task, seed=2)
    folds = make_folds(dataset, make_cv(dataset))
    truth = np.asarray(dataset.truth["probabilities"])
    rng = np.random.default_rng(2)
    predictions = {}
    for name, sd in {"good": 0.3, "fair": 0.8, "poor": 2.0}.items():
        logits = np.log(truth) + sd * rng.standard_normal(truth.shape)
        proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        predictions[name] = in_order(dataset, folds, proba)
    members = ensembles.gather_members(predictions, dataset, folds)
    methods = ["voting", "weighted", "stacking", "blending", "greedy"]
    combined, _ = ensembles.combine(members, methods, scoring="neg_log_loss")
    scores = evaluation.score_predictions(
        {**predictions, **combined}, dataset, folds, scoring="neg_log_loss"
    )
    means = scores.by_fold().mean()
    for method in methods:
        assert combined[method].sum(axis=1) == pytest.approx(np.ones(500))
        assert means[method] > means["poor"]
    assert means["weighted"] >= means["voting"]


@pytest.mark.parametrize("method", ["weighted", "greedy"])
def test_weights_add_up_where_rows_are_too_few_to_learn_them(method):
    """Seventeen rows: members count alike, and the table of weights says so."""
    members = noisy_members({"one": 0.5, "two": 1.5}, n_rows=17, n_splits=3)
    assert not ensembles.has_rows_to_learn(members)
    combined, weights = ensembles.combine(members, [method])
    assert combined[method] == pytest.approx(members.parts.mean(axis=0))
    mean = weights.groupby("member")["weight"].mean()
    assert mean.to_dict() == {"one": 0.5, "two": 0.5}


def test_folds_in_time_learn_from_the_past_alone():
    """The first fold has no past and votes; no later fold learns from what comes after it."""
    dataset = make_planted(300, task="regression")
    cv = ForwardInTime(np.arange(300), (100, 150, 200, 250))
    folds = make_folds(dataset, cv)
    rng = np.random.default_rng(0)
    y = dataset.y.to_numpy()
    predictions = {
        name: in_order(dataset, folds, y + sd * rng.standard_normal(300))
        for name, sd in {"one": 0.5, "two": 1.5}.items()
    }
    members = ensembles.gather_members(predictions, dataset, folds)
    combined, weights = ensembles.combine(members, ["weighted"])
    assert weights.loc[weights["fold"] == 1, "weight"].tolist() == [0.5, 0.5]
    assert combined["weighted"][:50] == pytest.approx(members.parts[:, :50].mean(axis=0))
    later = Dataset("later", dataset.X, dataset.y.mask(dataset.y.index >= 200, 99.0), "regression")
    moved = ensembles.Members(members.names, members.parts, later, folds)
    after, _ = ensembles.combine(moved, ["weighted"])
    assert np.array_equal(after["weighted"][:150], combined["weighted"][:150])


def test_repeats_are_combined_apart():
    """With repeated folds, no repeat learns from another one's predictions of the same row."""
    dataset = make_planted(200, task="regression")
    folds = make_folds(dataset, make_cv(dataset, n_splits=4, n_repeats=2))
    rng = np.random.default_rng(0)
    y = in_order(dataset, folds, dataset.y)
    predictions = {name: y + rng.standard_normal(400) for name in ("one", "two")}
    members = ensembles.gather_members(predictions, dataset, folds)
    both, _ = ensembles.combine(members, ["weighted"])
    first_half = {name: parts[:200] for name, parts in predictions.items()}
    first = make_folds(dataset, make_cv(dataset, n_splits=4))
    alone, _ = ensembles.combine(ensembles.gather_members(first_half, dataset, first), ["weighted"])
    assert np.array_equal(both["weighted"][:200], alone["weighted"])


def test_the_member_that_knows_more_is_missed():
    """A member with knowledge of its own contributes beyond its interval, a twin does not."""
    members = noisy_members({"a": 1.0, "b": 1.0, "own": 0.6}, n_rows=1_500)
    twins = np.stack([members.parts[0], members.parts[0], members.parts[2]])
    planted = ensembles.Members(
        ("twin", "other twin", "own"), twins, members.dataset, members.folds
    )
    table = ensembles.compute_contributions(planted, "weighted").set_index("member")
    assert table.index[0] == "own"
    assert table.loc["own", "contribution"].low > 0
    assert table.loc["own", "p_value"] < 0.05
    assert abs(table.loc["twin", "contribution"].value) < 1e-6
    assert ensembles.compute_contributions(planted.take(["twin", "own"]), "weighted").empty


def test_calibration_mends_what_is_overconfident_and_leaves_the_rest():
    """Probabilities pushed to the ends regain log loss; honest ones lose next to nothing."""
    dataset = make_planted(2_000, seed=4)
    folds = make_folds(dataset, make_cv(dataset))
    truth = np.asarray(dataset.truth["probabilities"])
    pushed = truth**4 / (truth**4).sum(axis=1, keepdims=True)
    parts = {
        "honest": in_order(dataset, folds, truth),
        "pushed": in_order(dataset, folds, pushed),
    }
    members = ensembles.gather_members(parts, dataset, folds)
    mended = {f"{name} mended": ensembles.calibrate(members, own) for name, own in parts.items()}
    scores = evaluation.score_predictions(
        {**parts, **mended}, dataset, folds, scoring="neg_log_loss"
    )
    means = scores.by_fold().mean()
    assert means["pushed mended"] == pytest.approx(means["honest"], abs=0.005)
    assert means["pushed"] < means["honest"] - 0.05
    assert means["honest mended"] == pytest.approx(means["honest"], abs=0.005)


def test_candidates_that_failed_somewhere_are_no_members():
    """A fold without prediction, or the dummy, keeps a candidate out; one alone is refused."""
    members = noisy_members({"one": 1.0, "two": 1.0})
    torn = members.parts[0].copy()
    torn[:10] = np.nan
    given = {"dummy": members.parts[0], "torn": torn, "one": members.parts[0]}
    with pytest.raises(InputError, match="there is one: dummy, torn, one"):
        ensembles.gather_members(given, members.dataset, members.folds)
    found = ensembles.gather_members(
        {**given, "two": members.parts[1]}, members.dataset, members.folds
    )
    assert found.names == ("one", "two")


def test_unknown_ways_to_combine_are_refused():
    """A misspelt method names the right one."""
    with pytest.raises(InputError, match="Did you mean 'stacking'"):
        ensembles.combine(noisy_members({"a": 1.0, "b": 1.0}), ["staking"])


def test_seeds_of_a_table_without_luck_are_one_model():
    """Variants differ by seed alone, share their preprocessing and repeat exactly."""
    dataset = make_planted(200)
    boosting = models_lightgbm(dataset)
    variants = ensembles.seed_variants("LightGBM", boosting, 2, random_state=3)
    assert list(variants) == ["LightGBM, seed 3", "LightGBM, seed 4"]
    first, second = variants.values()
    assert first.steps[0][1] is second.steps[0][1] is boosting.steps[0][1]
    again = ensembles.seed_variants("LightGBM", boosting, 1, random_state=3)["LightGBM, seed 3"]
    one = first.fit(dataset.X, dataset.y).predict_proba(dataset.X)
    assert np.array_equal(one, again.fit(dataset.X, dataset.y).predict_proba(dataset.X))
    assert not np.array_equal(one, second.fit(dataset.X, dataset.y).predict_proba(dataset.X))


def models_lightgbm(dataset):
    """Return the study's LightGBM."""
    from lib.models import baselines

    return baselines(dataset, load_config(effort="quick"))["LightGBM"]


def test_an_ensemble_pays_for_its_members():
    """Time and size of an ensemble are those of the members that it gives weight."""
    members = noisy_members({"a": 1.0, "b": 1.0, "c": 1.0})
    parts = dict(zip(members.names, members.parts, strict=True))
    scores = evaluation.score_predictions(
        {**parts, "weighted": members.parts.mean(axis=0)}, members.dataset, members.folds
    )
    costs = {name: {"predict_seconds": 0.012, "kilobytes": 5.0} for name in members.names}
    weights = pd.DataFrame(
        {"method": "weighted", "fold": 1, "member": ["a", "b", "c"], "weight": [0.5, 0.5, 0.0]}
    )
    comparison = evaluation.compare(scores, reference="a")
    table = ensembles.tabulate_costs(scores, comparison, costs, weights).set_index("model")
    assert table.loc["weighted", "n_members"] == 2
    assert table.loc["weighted", "kilobytes"] == 10.0
    assert table.loc["a", "milliseconds"] == pytest.approx(100.0)  # 12 ms for 120 rows of a fold
    assert table.loc["weighted", "milliseconds"] == pytest.approx(200.0)
    assert table["is_ensemble"].sum() == 1


def test_figures_say_what_they_show():
    """The least alike pair, the members that are missed, and the axes in words."""
    members = noisy_members({"<b>bold</b> & long " * 3: 1.0, "two": 1.0, "three": 0.5})
    ax = plots.plot_error_correlation(ensembles.compute_diversity(members))
    assert "err least alike: correlation" in " ".join(ax.get_title().split())
    table = ensembles.compute_contributions(members, "weighted")
    ax = plots.plot_member_contributions(table, metric="r2")
    assert ax.get_xlabel() == "R² with the member minus without it"
    nothing = pd.DataFrame({"member": ["x"], "contribution": [Estimate(0.0, -0.1, 0.1)]})
    ax = plots.plot_member_contributions(nothing, metric="r2")
    assert ax.get_title() == "No member is missed when it is left out"
    price = pd.DataFrame(
        {
            "model": ["tree", "vote"],
            "score": [Estimate(0.7, 0.6, 0.8), Estimate(0.8, 0.7, 0.9)],
            "milliseconds": [2.0, 40.0],
            "is_ensemble": [False, True],
        }
    )
    figure = plots.plot_score_and_cost(price, metric="roc_auc")
    assert figure.get_suptitle() == "vote scores 0.1 above tree and takes 20 times as long"
    scores, _ = figure.axes
    assert [text.get_text() for text in scores.get_yticklabels()] == ["tree", "vote"]
    assert [t.get_text() for t in scores.get_legend().get_texts()] == ["one model", "ensemble"]
    level = plots.plot_score_and_cost(price.assign(score=price["score"][0]), metric="roc_auc")
    assert level.get_suptitle() == "No ensemble scores above tree"
    plt.close("all")


def test_kept_predictions_come_back_by_name(tmp_path, monkeypatch):
    """What passed on these rows and folds is found, whatever it is called; nothing else is."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    monkeypatch.setattr(candidates, "_DEFERRED", [])
    config = load_config(effort="quick")
    members = noisy_members({"a/b: 'x'": 1.0, "two": 0.5})
    dataset, folds = members.dataset, members.folds
    parts = dict(zip(members.names, members.parts, strict=True))
    asked = {"analyses": ["11", "12", "13"]}
    with pytest.raises(InputError, match="run_analyses -- 11 12 13"):
        tracking.load_predictions(config, **asked, dataset=dataset, folds=folds)
    for analysis, factor, state in (
        ("11_baseline", 1.0, "passed"),
        ("12_net", 2.0, "passed"),
        ("13_torn", 3.0, "failed"),
    ):
        folder = tmp_path / dataset.name / analysis
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps({"state": state}))
        tracking.defer_candidates(folder / "candidates.json", analysis)
        names = parts if analysis != "12_net" else {"net": members.parts[0]}
        given = {name: factor * values for name, values in names.items()}
        scores = evaluation.score_predictions(given, dataset, folds)
        tracking.log_candidates(scores, dataset=dataset, folds=folds)
    found = tracking.load_predictions(config, **asked, dataset=dataset, folds=folds)
    assert list(found) == ["a/b: 'x'", "two", "net"]
    assert np.array_equal(found["two"].parts, parts["two"])
    assert np.array_equal(found["net"].parts, 2 * members.parts[0])
    assert found["net"].analysis == "12_net"
    fewer = tracking.load_predictions(config, analyses=["12"], dataset=dataset, folds=folds)
    assert list(fewer) == ["net"]
    others = make_folds(dataset, make_cv(dataset, n_splits=3))
    with pytest.raises(InputError, match="No predictions"):
        tracking.load_predictions(config, **asked, dataset=dataset, folds=others)


def test_combining_does_not_depend_on_threads(monkeypatch):
    """What learns from the members does so on one thread, whatever the environment says."""
    from threadpoolctl import threadpool_info

    module = sys.modules["lib.ensembles.combine"]  # the package has a function of that name
    seen, fit = [], module.make_combiner

    def watching(*arguments, **options):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return fit(*arguments, **options)

    monkeypatch.setattr(module, "make_combiner", watching)
    ensembles.combine(noisy_members({"a": 1.0, "b": 0.5}), ["stacking", "greedy"])
    assert set(seen) == {1}
