"""Every candidate of 10, 11 and 12 on folds that break careless code: handled, or one sentence."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from lib import features, models, neural
from lib.config import load_config
from lib.data import Dataset, load_data
from lib.errors import InputError
from lib.evaluation import cross_validate, fit_each, predict_each
from lib.neural import NetworkClassifier, NetworkRegressor
from lib.neural.estimators import NetworkEstimator
from lib.resampling import Folds, make_cv, make_folds

TASKS = ("binary", "multiclass", "regression")
CONFIG = load_config(effort="quick", budget={"max_epochs": 2})
N = 60
EVERY = np.arange(N)
FIRST = EVERY < 20  # rows with what the others lack
ONLY_ROW = 30  # of its class


def make_table(task):
    """Return a table whose first rows have levels and values that the others never have."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    words = rng.choice(["late", "early", "never", "odd"], (N, 5))
    kind = np.where(FIRST, rng.choice(["new", "newer"], N), rng.choice(["a", "b", "c"], N))
    X = pd.DataFrame(
        {
            "x": np.where(rng.random(N) < 0.15, np.nan, x),
            "flat": np.where(FIRST, rng.normal(size=N), 1.0),
            "empty": np.where(FIRST, rng.normal(size=N), np.nan),
            "fill": np.where(EVERY % 11 == 0, 9.96921e36, rng.normal(size=N)),
            "always": 3.0,
            "count": rng.integers(0, 30, N),
            "when": pd.date_range("2020-01-01", periods=N, freq="31h"),
            "then": pd.date_range("2020-03-01", periods=N, freq="17h"),
            "kind": pd.Categorical(kind),
            "level": pd.Categorical(np.where(FIRST, "z", "y")),
            "town": pd.Categorical([f"town {i % 14} x" for i in EVERY]),
            "text": pd.Series([f"{' '.join(w)} {i}" for i, w in enumerate(words)], dtype="str"),
            "silent": pd.Series([None] * N, dtype="str"),
            "flag": x > 0,
        }
    )
    if task == "regression":
        return Dataset("hard", X, pd.Series(2 * x + rng.normal(size=N), name="target"), task=task)
    y = (x > 0).astype(int) if task == "binary" else np.digitize(x, [-0.5, 0.5])
    classes = ("a", "b")
    if task == "multiclass":
        y[ONLY_ROW], y[5] = 3, 4
        classes = ("a", "b", "c", "one row in training", "one row in test")
    return Dataset("hard", X, pd.Series(y, name="target"), task=task, classes=classes)


def fold_of(train, test):
    """Return one fold."""
    return Folds(((np.asarray(train), np.asarray(test)),), "0" * 16, "one fold")


def every_candidate(dataset, *, is_short=False):
    """Return the baselines, each family of features and each selection after both models, nets.

    The short form has all families at once, and one selection.
    """
    everything = "raw + everything"
    singles = [f"raw + {family}" for family in features.FAMILIES]
    selected = [f"{everything} | {method} 5" for method in features.SELECTIONS]
    recipes = [everything, selected[1]] if is_short else [*singles, everything, *selected]
    return {
        **models.baselines(dataset, CONFIG),
        **models.with_recipes(dataset, CONFIG, recipes),
        **neural.networks(dataset, CONFIG),
    }


def is_a_sentence(reason):
    """Say whether a failure is told in words: no array, no type of numpy, no trace of a stack."""
    return reason.endswith(".") and not re.search(r"np\.|shape|\(\d|Error:|\n", reason)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_what_training_never_met_is_predicted(task):
    """Unseen levels, columns constant or empty in training, fill values, a class of one row.

    The rows learned from lack the levels, the values and one of the classes of those tested. No
    candidate fails or warns, and a class of one row in training gets a probability.
    """
    dataset = make_table(task)
    candidates = every_candidate(dataset, is_short=task != "multiclass")
    scores = cross_validate(candidates, dataset, fold_of(EVERY[20:], EVERY[:20]))
    assert scores.failures.empty, scores.failures.to_string()
    assert scores.warnings.empty, scores.warnings.to_string()
    assert set(scores.models) == set(candidates)
    for name, made in scores.parts.items():
        assert np.isfinite(made).all(), name
        if task == "multiclass":
            assert (made[:, 4] == 0).all(), "a class that training had not"
            assert name == "SVM" or made[:, 3].max() > 0, name  # it cannot calibrate one row


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_single_row_is_predicted_as_among_others(task):
    """Each candidate answers a row alone as it answers it in the table, to 1e-9."""
    dataset = make_table(task)
    fitted = fit_each(list(every_candidate(dataset, is_short=True).values()), dataset)
    n_classes = len(dataset.classes)
    together = predict_each(fitted, dataset.X, n_classes=n_classes)
    alone = predict_each(fitted, dataset.X.iloc[[ONLY_ROW]], n_classes=n_classes)
    for one, among in zip(alone, together, strict=True):
        np.testing.assert_allclose(one[0], among[ONLY_ROW], rtol=0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_single_tested_row_has_no_rank_but_an_error(task):
    """A test part of one row: metrics of order say why they have no value, the others have one."""
    dataset = make_table(task)
    candidates = every_candidate(dataset, is_short=True)
    scores = cross_validate(candidates, dataset, fold_of(EVERY[:-1], EVERY[-1:]))
    held = "one row, or one value" if task == "regression" else "too few classes"
    assert len(scores.failures) >= len(candidates)
    assert scores.failures["reason"].str.endswith(f"has no value: the test rows hold {held}.").all()
    assert set(scores.models) == set(candidates)
    assert all(np.isfinite(made).all() for made in scores.parts.values())


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_training_rows_of_one_class_are_one_sentence(task):
    """A candidate that cannot learn from one class says so in words; the others are certain."""
    dataset = make_table(task)
    labels = dataset.y.to_numpy()
    same = np.flatnonzero(labels == labels[40])
    others = np.setdiff1d(EVERY, same)[:15]
    candidates = {
        **models.baselines(dataset, CONFIG),
        **models.with_recipes(dataset, CONFIG, ["raw + everything | L1 5"]),
        **neural.networks(dataset, CONFIG),
    }
    scores = cross_validate(candidates, dataset, fold_of(same, others))
    without = scores.failures[~scores.failures["reason"].str.contains("has no value")]
    assert {"linear", "SVM", "LightGBM", "histogram boosting"} <= set(without["model"])
    assert set(without["reason"]) == {
        "the training rows hold one class only, from which it cannot learn."
    }
    assert {"dummy", "random forest", "TabM"} <= set(scores.parts)
    assert all((made[:, labels[40]] == 1).all() for made in scores.parts.values())


@pytest.mark.parametrize("task", TASKS)
def test_few_training_rows_are_learned_from_or_one_sentence(task):
    """Of six rows, and of two, most candidates learn; what cannot says why without jargon."""
    dataset = make_table(task)
    candidates = {
        **models.baselines(dataset, CONFIG),
        **models.with_recipes(dataset, CONFIG, ["raw + everything"]),
        **neural.networks(dataset, CONFIG),
    }
    del candidates["k-nearest neighbours"]  # its neighbours are counted for the whole table
    for train in ([*range(20, 25), ONLY_ROW], [0, 40]):
        scores = cross_validate(candidates, dataset, fold_of(train, EVERY[41:59]))
        assert set(scores.failures["model"]) <= {"SVM"}
        assert scores.failures["reason"].map(is_a_sentence).all(), scores.failures.to_string()
        assert scores.warnings.empty, scores.warnings.to_string()


# --- numbers that are none ---------------------------------------------------------------------


def test_numbers_that_no_model_can_take_are_made_missing_and_said():
    """Infinity and what single precision cannot hold: a repair each, and no candidate fails."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    largest = np.finfo(float).max
    table = pd.DataFrame({"x": x, "other": rng.normal(size=N), "y": np.where(x > 0, "yes", "no")})
    table.loc[[3, 4, 5, 6], "other"] = [np.inf, -np.inf, largest, -1e39]
    dataset = load_data(table, target="y")
    repair = dataset.repairs.set_index("column").loc["other"]
    assert (repair["repair"], repair["count"]) == ("infinite values", 4)
    assert dataset.X["other"].isna().sum() == 4
    candidates = every_candidate(dataset, is_short=True)
    folds = make_folds(dataset, make_cv(dataset, n_splits=2))
    scores = cross_validate(candidates, dataset, folds)
    assert scores.failures.empty, scores.failures.to_string()


def test_a_fill_value_is_at_the_end_of_a_column_not_in_its_middle():
    """1e20 or netCDF's 9.97e36 among small numbers is as far out as 1e6 for a linear model."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=N)})
    dataset = Dataset("fill", X, pd.Series(EVERY % 2, name="target"), "binary", classes=("a", "b"))
    for fill in (1e6, 1e20, 9.96921e36, np.finfo(np.float32).max):
        spoiled = X.assign(x=X["x"].where(EVERY > 2, fill * np.sign(EVERY - 1.5)))
        preprocessor = features.make_preprocessor(dataset, kind="linear")
        made = preprocessor.fit_transform(spoiled)["x"]
        assert made[:3].round(3).tolist() == [-5, -5, 5]
        again = preprocessor.transform(spoiled.iloc[[2]])["x"]
        assert again.round(3).tolist() == [5]


@pytest.mark.parametrize("name", ["MLP", "MLP + embeddings", "TabM", "TabM + embeddings"])
def test_a_loss_that_is_not_finite_costs_a_row_of_the_table(name):
    """Steps far too large in a network of a study: a failure that says what to lower."""
    dataset = make_table("regression")
    network = neural.networks(dataset, CONFIG)[name]
    network.set_params(model__learning_rate=1e38)
    scores = cross_validate({name: network}, dataset, fold_of(EVERY[20:], EVERY[:20]))
    if name in scores.parts:  # the first epoch may end before anything is infinite
        assert scores.warnings["warning"].str.contains("lower learning_rate").all()
        assert np.isfinite(scores.parts[name]).all()
    else:
        reason = scores.failures["reason"].item()
        assert reason.startswith("The loss is not finite in the first epoch: lower learning_rate")


# --- batches of one row ------------------------------------------------------------------------


@pytest.mark.parametrize("n_members", [1, 4])
@pytest.mark.parametrize("embedding", ["piecewise", "periodic", "none"])
@pytest.mark.parametrize("batch_size", [1, 8])
def test_batches_of_one_row_are_trained(n_members, embedding, batch_size):
    """Each batch of one row, or the last of 33 in eights: losses are finite, and rows are learned.

    The network has no layer that normalises over a batch, which one row would make undefined.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=33)
    X = pd.DataFrame({"x": np.where(x > 1.5, np.nan, x), "c": pd.Categorical(x > 0)})
    settings = {"hidden_dims": (8,), "max_epochs": 12, "validation_fraction": 0.0, "dropout": 0.0}
    settings |= {"n_members": n_members, "embedding": embedding, "batch_size": batch_size}
    for kind, y in ((NetworkClassifier, (x > 0).astype(int)), (NetworkRegressor, x)):
        model: NetworkEstimator = kind(**settings, learning_rate=0.02).fit(X, y)
        loss = model.history_["loss"].to_numpy()
        assert len(loss) == 12
        assert np.isfinite(loss).all()
        assert loss[-1] < 0.7 * loss[0]
        assert math.isfinite(float(model.predict(X.iloc[[0]])[0]))
    layers = {type(layer).__name__ for layer in model.module_.modules()}
    assert not any("Norm" in layer for layer in layers)


def test_a_classifier_that_cannot_calibrate_says_what_it_needs():
    """The support vector machine of classes of a row or two names the rows that it lacks."""
    dataset = make_table("binary")
    svm = models.baselines(dataset, CONFIG)["SVM"]
    train = [*np.flatnonzero(dataset.y == 0)[:8], *np.flatnonzero(dataset.y == 1)[:2]]
    with pytest.raises(InputError, match="it needs two classes of 5 training rows or more"):
        svm.fit(dataset.X.iloc[train], dataset.y.iloc[train])
