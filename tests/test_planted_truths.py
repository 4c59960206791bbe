"""What 13 says of a planted table is what was planted: sizes, order, curves and signs."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lib import explanation
from lib.config import load_config
from lib.data import make_planted
from lib.evaluation import default_scoring
from lib.models import baselines
from lib.resampling import make_cv, make_folds

TASKS = ("binary", "multiclass", "regression")
SHAPES = {"line": lambda x: x, "parabola": lambda x: (x**2 - 1) / 2**0.5, "step": np.sign}
PARTNER = {"signal_1": "signal_2", "signal_2": "signal_1"}  # of the interaction


@pytest.fixture(scope="module", params=TASKS)
def studied(request):
    """Return a planted table, the models of its folds and their contributions out of fold."""
    dataset = make_planted(6_000, task=request.param, n_noise=3, noise_sd=0.5, seed=1)
    folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    models = explanation.fit_folds(
        baselines(dataset, load_config(seed=0))["LightGBM"], dataset, folds
    )
    return dataset, models, explanation.explain_out_of_fold(models)


def true_contributions(dataset):
    """Return the Shapley values of the planted signal: an interaction counts half for each."""
    truth, X = dataset.truth, dataset.X
    parts = {
        name: weight * SHAPES[truth["curves"][name]](X[name].to_numpy())
        for name, weight in truth["coefficients"].items()
    }
    both = truth["interaction"] * X["signal_1"].to_numpy() * X["signal_2"].to_numpy()
    for name in PARTNER:
        parts[name] = parts[name] + both / 2
    parts["category"] = X["category"].astype("str").map(truth["categories"]).to_numpy(dtype=float)
    made = pd.DataFrame(parts)
    return made - made.mean()


def found_contributions(dataset, explained):
    """Return contributions to the planted signal, whose multiple the logits of classes are."""
    values = explained.contributions
    if dataset.task == "multiclass":  # logits are the signal times -2, 0 and 2, up to a constant
        values = (values[:, :, 2] - values[:, :, 0]) / 4
    return pd.DataFrame(values, columns=dataset.X.columns, index=explained.rows).sort_index()


def true_effect(dataset, name, points):
    """Return mean predictions, were a column set to each point: (points, outputs)."""
    truth, x = dataset.truth, dataset.X[name].to_numpy()
    shape, weight = SHAPES[truth["curves"][name]], truth["coefficients"][name]
    partner = dataset.X[PARTNER[name]].to_numpy() if name in PARTNER else 0.0
    made = []
    for point in points:
        moved = weight * (shape(np.full_like(x, point)) - shape(x))
        score = truth["score"] + moved + truth["interaction"] * (point - x) * partner
        if dataset.task == "regression":
            made.append([score.mean()])
        elif dataset.task == "binary":
            positive = truth["probabilities"][:, 1]
            intercept = np.log(positive / (1 - positive)) - truth["score"]
            made.append([(1 / (1 + np.exp(-(score + intercept)))).mean()])
        else:
            centres = np.linspace(-2, 2, len(dataset.classes))
            odds = np.exp(score[:, np.newaxis] * centres - centres**2 / 2)
            made.append((odds / odds.sum(axis=1, keepdims=True)).mean(axis=0))
    return np.array(made)


def check_order(found, truth, *, apart):
    """Check the order of every two columns that lie further apart than that in truth."""
    pairs = [
        (a, b) for a, b in itertools.permutations(truth.index, 2) if truth[a] > truth[b] + apart
    ]
    assert len(pairs) >= 8, "too few pairs are told apart"
    wrong = [(a, b) for a, b in pairs if found[a] <= found[b]]
    assert not wrong, (wrong, found)


def test_contributions_are_those_planted(studied):
    """Row by row, SHAP values follow the Shapley values of the truth; noise gets next to none."""
    dataset, _, explained = studied
    truth, found = true_contributions(dataset), found_contributions(dataset, explained)
    sizes = found.abs().mean()
    for name in truth:
        assert np.corrcoef(truth[name], found[name])[0, 1] > 0.85, name
        far = truth[name].abs() > 0.2
        assert (np.sign(truth[name]) == np.sign(found[name]))[far].mean() > 0.95, name
    # boosting stops early, so sizes stay below the truth: far below where logits are large, as
    # those of the classes are here, and by about the same share for every column
    ratios = sizes[list(truth)] / truth.abs().mean()
    assert ratios.max() < 1.05, ratios
    assert ratios.max() < 1.5 * ratios.min(), ratios
    assert dataset.task != "regression" or ratios.min() > 0.8, ratios
    assert sizes[dataset.truth["noise"]].max() < 0.3 * sizes[list(truth)].min()


def test_importances_have_the_planted_order(studied):
    """Contributions, shuffling and gain put true columns in the order of their true sizes."""
    dataset, models, explained = studied
    truth = true_contributions(dataset)
    sizes = truth.abs().mean()
    check_order(found_contributions(dataset, explained).abs().mean(), sizes, apart=0.15)
    each = [(i,) for i in range(dataset.n_features)]
    is_number = dataset.task == "regression"
    scoring = "r2" if is_number else default_scoring(dataset.task)
    shuffled = explanation.permute_out_of_fold(models, each, scoring=scoring, n_repeats=2)
    lost = shuffled.columns.set_index("what")["mean"]
    check_order(lost, sizes, apart=0.15)
    assert lost[dataset.truth["noise"]].abs().max() < 0.1 * lost[list(truth)].min()
    gain = explanation.rank_builtin(models, "gain").mean()
    numbers = truth.var().drop("category")  # gain favours columns with many values
    check_order(gain, numbers, apart=0.2)
    if is_number:  # the true model would lose twice what a column has a part in
        involved = truth.var()
        involved[list(PARTNER)] += 3 / 4 * dataset.truth["interaction"] ** 2  # all of it, not half
        assert (lost[involved.index] / (2 * involved / dataset.y.var())).between(0.75, 1.1).all()


def test_accumulated_effects_are_the_planted_curves(studied):
    """Lines, a parabola and a step come back within a tenth of their height, or 0.06 of chance."""
    dataset, models, _ = studied
    effects = explanation.compute_effects(models, range(dataset.n_features), names=list(dataset.X))
    outputs = dataset.classes if dataset.task == "multiclass" else ("",)
    for position, name in enumerate(dataset.X):
        for k, output in enumerate(outputs):
            curve = effects.of(position, explanation.ALE, output)
            inner = curve["x"].abs().between(0.15, 1.8)  # a tree turns the jump into a ramp
            if name in dataset.truth["noise"]:
                reach = np.ptp(curve["effect"][inner])
                assert reach < (0.05 if dataset.task == "regression" else 0.1), (name, output)
            if name not in dataset.truth["coefficients"]:
                continue
            truth = true_effect(dataset, name, curve["x"])[:, k]
            truth -= np.average(truth, weights=curve["share"])
            allowed = 0.1 * np.ptp(truth[inner]) if dataset.task == "regression" else 0.06
            assert np.abs(curve["effect"] - truth)[inner].max() < allowed, (name, output)


def test_signs_of_contributions_and_local_lines_agree(studied):
    """A local line and SHAP values have one sign where SHAP values are largest."""
    dataset, models, explained = studied
    table, sizes = explanation.compare_surrogates(models, explained, n_rows=20)
    assert table["same_sign"].mean() > 0.95
    assert table["r2"].median() > 0.6
    of = dict(zip(dataset.X, sizes, strict=True))
    assert min(of[n] for n in dataset.truth["informative"]) > max(
        of[n] for n in dataset.truth["noise"]
    )
