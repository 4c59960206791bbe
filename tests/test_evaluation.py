"""What `lib.evaluation` promises: one fit a fold, no silent NaN, verdicts that planted truths earn."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from lib import evaluation
from lib.data import Dataset, make_planted
from lib.errors import InputError
from lib.resampling import Folds, make_cv, make_folds

NUMERIC = {"n_categories": 0}


def folds_of(dataset, **options):
    """Return the folds that suit a dataset."""
    return make_folds(dataset, make_cv(dataset, **options))


class Counting(TransformerMixin, BaseEstimator):
    """A transformer that counts how often any of its clones is fitted."""

    fits = 0

    def fit(self, X, y=None):
        type(self).fits += 1
        return self

    def transform(self, X):
        return X


class Oracle(ClassifierMixin, BaseEstimator):
    """Predicts the given probability of a column that holds it, with planted noise."""

    def __init__(self, noise=0.0):
        self.noise = noise

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        rng = np.random.default_rng(len(X))
        logit = X["p"].to_numpy() + self.noise * rng.normal(size=len(X))
        p = 1 / (1 + np.exp(-logit))
        return np.column_stack([1 - p, p])


class Broken(RegressorMixin, BaseEstimator):
    """Fails in one of several ways."""

    def __init__(self, how="raise"):
        self.how = how

    def fit(self, X, y):
        if self.how == "raise":
            raise ValueError("no luck today\nwith details")
        if self.how == "warn":
            warnings.warn("did not converge\nmore", UserWarning, stacklevel=1)
        return self

    def predict(self, X):
        return np.full(len(X), math.nan if self.how == "nan" else 0.0)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_scores_equal_scikit_learns(task):
    """Every metric, from one fit, is what scikit-learn's scorer of that name gives."""
    dataset = make_planted(300, task=task, **NUMERIC)
    model = Ridge() if task == "regression" else LogisticRegression()
    folds = folds_of(dataset)
    scores = evaluation.cross_validate({"model": model}, dataset, folds)
    for name in evaluation.scorers(task):
        expected = cross_val_score(
            model, dataset.X, dataset.y, cv=list(folds), scoring=get_scorer(name)
        )
        assert scores.by_fold(name)["model"].to_numpy() == pytest.approx(expected, abs=1e-9), name


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_higher_is_better_for_every_metric(task):
    """A good model beats the dummy on each metric."""
    dataset = make_planted(800, task=task, n_noise=0, positive_rate=0.5, **NUMERIC)
    good, dummy = (
        (Ridge(), DummyRegressor())
        if task == "regression"
        else (LogisticRegression(), DummyClassifier())
    )
    scores = evaluation.cross_validate({"dummy": dummy, "good": good}, dataset, folds_of(dataset))
    means = scores.frame.pivot_table(index="metric", columns="model", values="score")
    assert (means["good"] > means["dummy"]).all()


def test_shared_steps_are_fitted_once_a_fold():
    """Three models on one preprocessing object: it is fitted once a fold, not three times."""
    dataset = make_planted(200, **NUMERIC)
    shared = Counting()
    models = {
        "a": make_pipeline(shared, LogisticRegression()),
        "b": make_pipeline(shared, DummyClassifier()),
        "c": make_pipeline(shared, StandardScaler(), LogisticRegression()),
    }
    Counting.fits = 0
    scores = evaluation.cross_validate(models, dataset, folds_of(dataset, n_splits=4))
    assert Counting.fits == 4
    alone = make_pipeline(Counting(), StandardScaler(), LogisticRegression())
    again = evaluation.cross_validate({"c": alone}, dataset, folds_of(dataset, n_splits=4))
    assert scores.by_fold()["c"].tolist() == again.by_fold()["c"].tolist()


def test_preprocessing_never_sees_test_rows():
    """The scaler's mean is that of the training part: an outlier in the test part stays out."""
    X = pd.DataFrame({"x": [0.0, 1.0, 0.0, 1.0, 1e6, 1e6]})
    dataset = Dataset("tiny", X, pd.Series([0.0, 1, 0, 1, 0, 1]), task="regression")
    folds = Folds(((np.arange(4), np.array([4, 5])),), "0" * 16, "one")
    seen = []

    class Spy(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(float(np.asarray(X).max()))
            return super().fit(X, y, sample_weight)

    evaluation.cross_validate({"m": make_pipeline(Spy(), Ridge())}, dataset, folds)
    assert seen == [1.0]


def test_out_of_fold_predictions_cover_every_row():
    """Probabilities of every row sum to one, and the mean over repeats stays one."""
    dataset = make_planted(150, task="multiclass", **NUMERIC)
    folds = folds_of(dataset, n_splits=3, n_repeats=2)
    scores = evaluation.cross_validate({"m": LogisticRegression()}, dataset, folds)
    assert scores.predictions["m"].shape == (150, 3)
    assert scores.predictions["m"].sum(axis=1) == pytest.approx(np.ones(150))


def test_rows_that_no_fold_tests_have_no_prediction():
    """The first stretch of time is never tested: NaN there, numbers elsewhere."""
    planted = make_planted(100, task="regression", **NUMERIC)
    dataset = Dataset("t", planted.X, planted.y, "regression", time=pd.Series(range(100), name="t"))
    folds = folds_of(dataset, n_splits=4)
    predicted = evaluation.cross_validate({"m": Ridge()}, dataset, folds).predictions["m"]
    assert np.isnan(predicted).tolist() == [True] * 20 + [False] * 80


def test_class_absent_from_training_gets_probability_zero():
    """Columns of probabilities stay aligned with all classes."""
    y = pd.Series([0, 1, 0, 1, 0, 1, 2, 2], name="target")
    X = pd.DataFrame({"x": [0.0, 1, 0, 1, 0, 1, 2, 2]})
    dataset = Dataset("rare", X, y, "multiclass", classes=("a", "b", "c"))
    folds = Folds(((np.arange(6), np.array([6, 7])), (np.arange(2, 8), np.array([0, 1]))), "0", "")
    scores = evaluation.cross_validate({"m": LogisticRegression()}, dataset, folds)
    assert scores.predictions["m"][6:, 2].tolist() == [0.0, 0.0]
    assert scores.predictions["m"][:2, 2].min() > 0
    assert np.isfinite(scores.frame["score"]).all()


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "ValueError: no luck today"),
        ("nan", "it predicts NaN or infinity on 20 of 20 test rows."),
    ],
)
def test_a_failing_model_is_a_sentence_and_the_others_go_on(how, reason):
    """One row a failed fold says why; the other model has all its scores."""
    dataset = make_planted(100, task="regression", **NUMERIC)
    models = {"broken": Broken(how), "dummy": DummyRegressor()}
    scores = evaluation.cross_validate(models, dataset, folds_of(dataset))
    assert scores.failures["model"].tolist() == ["broken"] * 5
    assert set(scores.failures["reason"]) == {reason}
    assert scores.models == ["dummy"]
    assert evaluation.compare(scores)["model"].tolist() == ["dummy"]


def test_no_probabilities_is_a_sentence():
    """A classifier without probabilities says what to wrap it in."""
    dataset = make_planted(100, **NUMERIC)
    scores = evaluation.cross_validate({"svc": LinearSVC()}, dataset, folds_of(dataset))
    assert "CalibratedClassifierCV" in scores.failures["reason"].iloc[0]


def test_undefined_metric_is_a_sentence():
    """A test part of one class has no AUC: a failure is recorded, other metrics stay."""
    y = pd.Series([0, 1, 0, 1, 0, 0], name="target")
    dataset = Dataset("one", pd.DataFrame({"x": range(6)}), y, "binary", classes=("a", "b"))
    folds = Folds(((np.arange(4), np.array([4, 5])),), "0", "")
    scores = evaluation.cross_validate({"dummy": DummyClassifier()}, dataset, folds)
    assert "ROC AUC has no value" in scores.failures["reason"].iloc[0]
    assert "neg_log_loss" in set(scores.frame["metric"])
    assert "roc_auc" not in set(scores.frame["metric"])


def test_warnings_are_counted_not_hidden():
    """What a library warns about on each fold becomes one row with a count."""
    dataset = make_planted(100, task="regression", **NUMERIC)
    scores = evaluation.cross_validate({"m": Broken("warn")}, dataset, folds_of(dataset))
    assert scores.warnings.to_numpy().tolist() == [["m", "did not converge", 5]]


def test_sample_weights_enter_fit_and_metrics():
    """Rows of weight zero change neither the model nor its score."""
    planted = make_planted(300, task="regression", **NUMERIC)
    spoiled = planted.X.sum(axis=1).where(np.arange(300) % 3 > 0, 1e6)
    weight = pd.Series((np.arange(300) % 3 > 0).astype(float))
    weighted = Dataset("w", planted.X, spoiled, "regression", sample_weight=weight)
    scores = evaluation.cross_validate({"m": LinearRegression()}, weighted, folds_of(weighted))
    assert scores.by_fold()["m"].min() == pytest.approx(1)


def planted_scores(noises):
    """Cross-validate oracles with planted noise on 4,000 rows."""
    rng = np.random.default_rng(0)
    logit = rng.normal(scale=1.5, size=4_000)
    y = pd.Series((rng.random(4_000) < 1 / (1 + np.exp(-logit))).astype(int), name="target")
    dataset = Dataset("p", pd.DataFrame({"p": logit}), y, "binary", classes=("no", "yes"))
    models = {"dummy": DummyClassifier()} | {n: Oracle(noise) for n, noise in noises.items()}
    return evaluation.cross_validate(models, dataset, folds_of(dataset))


def test_compare_finds_the_planted_order():
    """Good, equal and poor models get the verdicts they were planted to get."""
    scores = planted_scores({"good": 0.0, "as good": 0.02, "poor": 3.0, "blind": 1e9})
    table = evaluation.compare(scores).set_index("model")
    assert table.index[0] in {"good", "as good"}
    assert table["verdict"].to_dict() == {
        "good": "better",
        "as good": "better",
        "poor": "better",
        "blind": "not distinguishable",
        "dummy": "reference",
    }
    assert set(table.loc[["good", "as good"], "against_best"]) == {"best", "not distinguishable"}
    assert table.loc["poor", "against_best"] == "worse"


def test_compare_uses_the_corrected_test_with_holm():
    """p-values against the dummy are the corrected t's, adjusted over the models."""
    from lib.estimates import corrected_t_test, holm

    scores = planted_scores({"a": 2.0, "b": 4.0})
    table = evaluation.compare(scores).set_index("model")
    by_fold = scores.by_fold()
    raw = [corrected_t_test(by_fold[m] - by_fold["dummy"], 0.2).p_value for m in ("a", "b")]
    assert table.loc[["a", "b"], "p_value"].tolist() == pytest.approx(holm(raw).tolist(), rel=1e-3)
    assert table.loc["a", "difference"].value == pytest.approx((by_fold["a"] - 0.5).mean())
    assert math.isnan(table.loc["dummy", "p_value"])


def test_compare_refuses_unknown_reference_and_metric():
    """Both errors name what is known."""
    scores = planted_scores({"good": 0.0})
    with pytest.raises(InputError, match="Did you mean 'dummy'"):
        evaluation.compare(scores, reference="dumy")
    with pytest.raises(InputError, match="Did you mean 'roc_auc'"):
        evaluation.compare(scores, scoring="roc_acu")


def test_tables_follow_the_ranking():
    """Metrics, spread and times list the models in the order of the comparison."""
    scores = planted_scores({"poor": 3.0, "good": 0.0})
    order = ["good", "poor", "dummy"]
    assert evaluation.compare(scores)["model"].tolist() == order
    metrics = evaluation.tabulate_metrics(scores)
    assert metrics["model"].tolist() == order
    assert metrics.columns[1] == "roc_auc"
    spread = evaluation.tabulate_spread(scores)
    assert spread["model"].tolist() == order
    assert spread["firsts"].tolist() == [5, 0, 0]
    assert (spread["worst"] <= spread["mean"]).all()
    times = evaluation.tabulate_times(scores)
    assert times["model"].tolist() == order
    assert (times["fit_seconds"] > 0).all()


def test_default_scoring_is_a_metric_of_its_task():
    """Each task has one metric fixed beforehand; an unknown task is an error."""
    assert [evaluation.default_scoring(t) for t in ("binary", "multiclass", "regression")] == [
        "roc_auc",
        "neg_log_loss",
        "r2",
    ]
    with pytest.raises(InputError, match="Did you mean 'binary'"):
        evaluation.default_scoring("binry")


def test_a_planned_comparison_is_not_adjusted():
    """Two models named beforehand: the corrected test itself, and its verdict in a word."""
    from lib.estimates import corrected_t_test

    scores = planted_scores({"good": 0.0, "poor": 3.0})
    by_fold = scores.by_fold()
    test = evaluation.compare_pair(scores, "good", "poor")
    raw = corrected_t_test(by_fold["good"] - by_fold["poor"], scores.folds.test_fraction)
    assert test == raw
    assert evaluation.verdict(test) == "better"
    assert evaluation.verdict(evaluation.compare_pair(scores, "poor", "good")) == "worse"
    assert evaluation.verdict(test, p_value=0.2) == "not distinguishable"
    with pytest.raises(InputError, match="Did you mean 'good'"):
        evaluation.compare_pair(scores, "god", "poor")


def test_several_planned_questions_are_adjusted_among_themselves():
    """Each question is its own paired test; Holm over the questions, not over all models."""
    from lib.estimates import holm

    scores = planted_scores({"good": 0.0, "fair": 1.0, "poor": 3.0})
    pairs = [("good", "fair"), ("good", "poor"), ("poor", "fair")]
    answers = evaluation.compare_pairs(scores, pairs)
    alone = [evaluation.compare_pair(scores, *pair) for pair in pairs]
    assert answers[["model", "against"]].to_records(index=False).tolist() == pairs
    assert answers["gain"].tolist() == [test.difference for test in alone]
    assert answers["p"].tolist() == holm([test.p_value for test in alone]).tolist()
    assert answers["verdict"].tolist()[1:] == ["better", "worse"]


def test_scores_of_some_models_leave_out_the_others():
    """What is left out leaves every table and the predictions; the rest stays as it was."""
    scores = planted_scores({"good": 0.0, "poor": 3.0})
    rest = scores.only("dummy", "good")
    assert rest.models == ["dummy", "good"]
    assert "poor" not in {*rest.predictions, *rest.parts, *rest.times["model"]}
    assert rest.by_fold()["good"].tolist() == scores.by_fold()["good"].tolist()
    assert scores.models == ["dummy", "good", "poor"]


def test_a_planned_comparison_with_a_failed_model_is_not_tested():
    """When one of the two failed, the answer is "not tested", not an error."""
    dataset = make_planted(100, task="regression", **NUMERIC)
    models = {"broken": Broken(), "dummy": DummyRegressor()}
    scores = evaluation.cross_validate(models, dataset, folds_of(dataset))
    test = evaluation.compare_pair(scores, "broken", "dummy")
    assert evaluation.verdict(test) == "not tested"
    assert str(test.difference) == "–"


def test_problems_are_counted_by_model():
    """Failures and warnings come as one table; it is empty when all went well."""
    dataset = make_planted(100, task="regression", **NUMERIC)
    models = {"warns": Broken("warn"), "fails": Broken(), "dummy": DummyRegressor()}
    scores = evaluation.cross_validate(models, dataset, folds_of(dataset))
    assert evaluation.tabulate_problems(scores).to_numpy().tolist() == [
        ["fails", "failure", "ValueError: no luck today", 5],
        ["warns", "warning", "did not converge", 5],
    ]
    fine = evaluation.cross_validate({"m": Ridge()}, dataset, folds_of(dataset))
    assert evaluation.tabulate_problems(fine).empty


def test_intervals_end_where_the_metric_ends():
    """No interval says that an AUC may pass one or an error fall below zero."""
    scores = planted_scores({"good": 0.0})
    is_error = scores.frame["metric"].str.startswith("neg_")
    odd_fold = is_error.map({True: -0.9, False: 0.01})  # one poor fold makes intervals wide
    uneven = scores.frame.assign(
        score=scores.frame["score"].where(scores.frame["fold"] > 1, odd_fold)
    )
    table = evaluation.tabulate_metrics(evaluation.Scores(**{**vars(scores), "frame": uneven}))
    for name, metric in evaluation.scorers("binary").items():
        low, high = metric.bounds
        assert all(low <= e.low <= e.value <= e.high <= high for e in table[name]), name


def test_scores_do_not_depend_on_threads():
    """The environment's thread count is set aside: linear algebra runs on one thread."""
    from threadpoolctl import threadpool_info

    seen = []

    class Watching(Ridge):
        def fit(self, X, y, sample_weight=None):
            seen.extend(pool["num_threads"] for pool in threadpool_info())
            return super().fit(X, y, sample_weight)

    dataset = make_planted(60, task="regression", **NUMERIC)
    evaluation.cross_validate({"m": Watching()}, dataset, folds_of(dataset, n_splits=2))
    assert set(seen) == {1}


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_log_loss_is_scikit_learns_to_the_last_bit(n_classes, dtype):
    """Certain and wrong, certain and right, weighted and not: the same number, only faster."""
    rng = np.random.default_rng(n_classes)
    proba = rng.random((200, n_classes))
    proba[:20] = np.eye(n_classes)[0]
    proba = (proba / proba.sum(axis=1, keepdims=True)).astype(dtype)
    y = rng.integers(0, n_classes, 200)
    metric = evaluation.scorers("multiclass")["neg_log_loss"]
    for weight in (None, rng.random(200)):
        expected = -log_loss(y, proba, labels=np.arange(n_classes), sample_weight=weight)
        assert metric.compute(y, proba, weight) == expected
    with pytest.raises(ValueError, match="NaN"):
        metric.compute(y, np.full_like(proba, np.nan), None)
