"""What `lib.models` promises: eight families that run on any table, repeat, and find what is there."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from lib import evaluation, models
from lib.config import load_config
from lib.data import Dataset, make_planted
from lib.errors import InputError
from lib.resampling import make_cv, make_folds

FAMILIES = [
    "dummy",
    "linear",
    "k-nearest neighbours",
    "SVM",
    "decision tree",
    "random forest",
    "histogram boosting",
    "LightGBM",
]


def evaluate(dataset, *, n_splits=2, **choices):
    """Cross-validate all baselines."""
    config = load_config(effort="quick", **choices)
    folds = make_folds(dataset, make_cv(dataset, n_splits=n_splits))
    return evaluation.cross_validate(models.baselines(dataset, config), dataset, folds)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_family_beats_the_dummy_on_a_planted_signal(task):
    """Eight models without failure; all find a signal in numbers and a category with gaps."""
    dataset = make_planted(
        900, task=task, n_noise=1, n_informative=2, missing=0.05, noise_sd=0.5, positive_rate=0.5
    )
    scores = evaluate(dataset)
    assert scores.models == FAMILIES
    assert scores.failures.empty, scores.failures
    assert scores.warnings.empty, scores.warnings
    table = evaluation.compare(
        scores, scoring="balanced_accuracy" if task == "multiclass" else None
    )
    means = {row.model: row.score.value for row in table.itertuples()}
    assert min(means, key=means.get) == "dummy"


def test_no_family_beats_the_best_possible_score():
    """On planted data the truth is known: no model ranks better than the true probability."""
    from sklearn.metrics import roc_auc_score

    dataset = make_planted(2_000)
    ceiling = roc_auc_score(dataset.y, dataset.truth["probabilities"][:, 1])
    means = evaluate(dataset).by_fold().mean()
    assert means.max() < ceiling + 0.01
    assert means.max() > ceiling - 0.08


def test_noise_gives_no_verdict():
    """Where features say nothing, no family is called better than the dummy."""
    rng = np.random.default_rng(5)
    X = pd.DataFrame(rng.normal(size=(600, 5)), columns=list("abcde"))
    y = pd.Series(rng.integers(0, 2, 600), name="target")
    scores = evaluate(Dataset("noise", X, y, "binary", classes=("no", "yes")), n_splits=5)
    assert "better" not in set(evaluation.compare(scores)["verdict"])


def test_hostile_table_works_everywhere():
    """Dates, free text, many levels, an empty column, a class of three rows: no failure."""
    rng = np.random.default_rng(0)
    n = 150
    y = pd.Series(np.r_[np.zeros(80, int), np.ones(67, int), [2, 2, 2]], name="target")
    X = pd.DataFrame(
        {
            "number": y + rng.normal(size=n),
            "empty": np.full(n, np.nan),
            "constant": 1,
            "many": pd.Categorical([f"town {i}" for i in rng.integers(0, 70, n)]),
            "few": pd.Categorical(rng.choice(["x", "y", None], n)),
            "text": pd.Series(
                [f"patient {i} said {i * 7919 % 101}" for i in range(n)], dtype="str"
            ),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
        }
    )
    scores = evaluate(Dataset("hostile", X, y, "multiclass", classes=("a", "b", "rare")))
    assert scores.failures.empty, scores.failures.to_string()
    assert scores.models == FAMILIES


def test_baselines_repeat_exactly():
    """Two runs give the same numbers to the last bit."""
    dataset = make_planted(300, missing=0.1)
    once, twice = (evaluate(dataset) for _ in range(2))
    pd.testing.assert_frame_equal(once.frame, twice.frame, check_exact=True)


def test_rows_of_the_slow_method_are_capped():
    """The support vector machine sees at most the budget's rows, classes in their shares."""
    y = np.repeat([0, 1, 2], [900, 95, 5])
    X = np.arange(1_000.0)[:, np.newaxis]
    capped = models.CappedClassifier(DecisionTreeClassifier(), max_rows=100, min_class_rows=3)
    rows = capped._choose(y)
    counts = np.bincount(y[rows])
    assert len(rows) == 100
    assert counts[2] == 3
    assert counts[1] == pytest.approx(10, abs=1)
    assert capped.fit(X, y).n_rows_fit_ == 100
    assert capped.classes_.tolist() == [0, 1, 2]
    regressor = models.CappedRegressor(DecisionTreeRegressor(), max_rows=50).fit(X, X[:, 0])
    assert regressor.n_rows_fit_ == 50


def test_capped_classifier_leaves_out_classes_too_small_to_calibrate():
    """A class with fewer rows than folds gets no probability instead of an error."""
    y = np.repeat([0, 1, 2], [50, 50, 2])
    capped = models.CappedClassifier(DummyClassifier(), max_rows=500, min_class_rows=3)
    assert capped.fit(np.zeros((102, 1)), y).classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("load", "scoring", "least", "linear"),
    [
        (load_breast_cancer, None, 0.97, "logistic regression"),
        (load_iris, "accuracy", 0.9, "logistic regression"),
        (load_diabetes, None, 0.3, "ridge regression"),
    ],
)
def test_compare_baseline_models_finds_the_task(load, scoring, least, linear):
    """Arrays go in; three models come out with mean, standard deviation and scores."""
    table = models.compare_baseline_models(*load(return_X_y=True), cv=4, scoring=scoring)
    assert set(table["model"]) == {"random forest", "SVM", linear}
    assert table["mean"].min() > least
    for row in table.itertuples():
        assert len(row.scores) == 4
        assert row.mean == pytest.approx(np.mean(row.scores))
        assert row.std == pytest.approx(np.std(row.scores, ddof=1))


def test_compare_baseline_models_takes_frames_labels_and_splitters():
    """A mixed frame with text labels, and any scikit-learn splitter, work as they are."""
    planted = make_planted(200)
    y = planted.y.map({0: "stay", 1: "leave"})
    table = models.compare_baseline_models(planted.X, y, cv=StratifiedKFold(3))
    assert all(len(scores) == 3 for scores in table["scores"])


def test_compare_baseline_models_refuses_lengths_that_differ():
    """X and y of different lengths: one sentence."""
    with pytest.raises(InputError, match="same length; got 3 and 2 rows"):
        models.compare_baseline_models([[1], [2], [3]], [0, 1])
