"""The null run: honest logic passes, logic that saw too much does not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib import leakage
from lib.data import Dataset, load_data, make_planted
from lib.errors import InputError
from lib.leakage.null import permute_labels
from lib.resampling import make_cv, make_folds

WIDE = 200  # columns of noise among which a selection finds something by chance


def add_noise(dataset):
    """Return the numbers of a dataset beside many columns of noise."""
    noise = np.random.default_rng(1).normal(size=(len(dataset), WIDE))
    return np.column_stack([noise, dataset.X[dataset.numeric].fillna(0).to_numpy(dtype=float)])


def score(model, X, dataset):
    """Return the mean score over three folds: area under the curve of the class 1, or R²."""
    y = dataset.y.to_numpy()
    is_class = dataset.task != "regression"
    cv = (StratifiedKFold if is_class else KFold)(3, shuffle=True, random_state=0)
    scores = []
    for train, test in cv.split(X, y):
        model.fit(X[train], y[train])
        if is_class:
            scores.append(roc_auc_score(y[test] == 1, model.predict_proba(X[test])[:, 1]))
        else:
            scores.append(r2_score(y[test], model.predict(X[test])))
    return float(np.mean(scores))


def select_first(dataset):
    """Select ten columns on all rows, then cross-validate: the classic mistake."""
    is_class = dataset.task != "regression"
    select = SelectKBest(f_classif if is_class else f_regression, k=10)
    X = select.fit_transform(add_noise(dataset), dataset.y)
    model = LogisticRegression(max_iter=500) if is_class else Ridge()
    return score(make_pipeline(StandardScaler(), model), X, dataset)


def select_inside(dataset):
    """Select ten columns inside each fold."""
    steps = StandardScaler(), SelectKBest(f_classif, k=10), LogisticRegression(max_iter=500)
    return score(make_pipeline(*steps), add_noise(dataset), dataset)


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_selection_before_cross_validation_is_caught(name):
    """Columns picked on all rows score above chance on permuted labels, on every kind of target."""
    run = leakage.null_run(select_first, load_data(name).train, 12)
    assert run.is_alarm(0.001)
    assert run.mean.low > run.chance


def test_the_same_selection_inside_the_folds_passes():
    """What is selected inside the folds scores at chance: its interval covers one half."""
    run = leakage.null_run(select_inside, load_data("breast_cancer").train, 8)
    assert not run.is_alarm()
    assert run.mean.covers(0.5)


def score_plainly(dataset):
    """Cross-validate the direction between the means of two classes, in a few lines of numpy."""
    X, y = dataset.X.to_numpy(dtype=float), dataset.y.to_numpy().astype(bool)
    scores = []
    for fold in range(3):
        test = np.arange(len(y)) % 3 == fold
        direction = X[~test & y].mean(axis=0) - X[~test & ~y].mean(axis=0)
        ranks, n = rankdata(X[test] @ direction), int(y[test].sum())
        scores.append((ranks[y[test]].mean() - (n + 1) / 2) / (test.sum() - n))
    return float(np.mean(scores))


def test_an_honest_logic_is_rarely_accused():
    """In 100 tables, alarms at the 5 % level are at most as frequent as 5 % allows."""
    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        X = pd.DataFrame(rng.normal(size=(90, 3)), columns=list("abc"))
        y = pd.Series((X["a"] + rng.normal(size=90) > 0).astype(int), name="target")
        dataset = Dataset("simulated", X, y, task="binary", classes=("no", "yes"))
        alarms += leakage.null_run(score_plainly, dataset, 6, random_state=seed).is_alarm()
    assert alarms <= 9  # 5 % of 100 and two standard errors


def score_torn(dataset):
    """Cross-validate on folds that tear groups apart, with a memory for persons."""
    X = dataset.X.to_numpy(dtype=float)
    return score(KNeighborsClassifier(3), X, dataset)


def score_together(dataset):
    """Cross-validate the same model with groups kept together."""
    model, scores = KNeighborsClassifier(3), []
    folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    for train, test in folds:
        model.fit(dataset.X.iloc[train], dataset.y.iloc[train])
        proba = model.predict_proba(dataset.X.iloc[test])[:, 1]
        scores.append(roc_auc_score(dataset.y.iloc[test], proba))
    return float(np.mean(scores))


def make_persons():
    """Return persons seen four times, with constants of their own and mostly the same label."""
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(80), 4)
    X = pd.DataFrame(rng.normal(size=(80, 3))[person], columns=list("abc"))
    y = pd.Series((rng.normal(size=80)[person] + 0.3 * rng.normal(size=320) > 0).astype(int))
    groups = pd.Series(person, name="person")
    return Dataset("people", X, y.rename("target"), "binary", classes=("0", "1"), groups=groups)


def test_folds_that_tear_persons_apart_are_caught():
    """Whole persons exchange labels, so a model that recognises them scores above chance."""
    persons = make_persons()
    torn = leakage.null_run(score_torn, persons, 8)
    assert torn.is_alarm(0.001)
    assert "person" in torn.scheme
    assert not leakage.null_run(score_together, persons, 8).is_alarm(0.01)


def test_permuted_labels_are_the_same_labels():
    """A permutation moves labels, loses none, and keeps most of a person's labels together."""
    persons = make_persons()
    permuted = permute_labels(persons, np.random.default_rng(0))
    assert sorted(permuted) == sorted(persons.y)
    assert (permuted != persons.y).mean() > 0.3
    spread = [y.groupby(persons.groups).nunique().mean() for y in (persons.y, permuted)]
    assert spread[1] == pytest.approx(spread[0], abs=0.1)


def test_the_studys_own_pipeline_is_honest():
    """Preprocessing and folds of the study score at chance on permuted labels."""
    run = leakage.null_run(leakage.score_linear, make_planted(200, missing=0.1), 4)
    assert not run.is_alarm(0.01)


class CountedScaler(StandardScaler):
    """Count how often any of its copies is fitted."""

    n_fits = 0

    def fit(self, X, y=None, sample_weight=None):
        type(self).n_fits += 1
        return super().fit(X, y, sample_weight)


class TargetSeer(TransformerMixin, BaseEstimator):
    """Add the target of a row to its features, where it remembers the row."""

    def fit(self, X, y):
        self.known_ = pd.concat([getattr(self, "known_", y.iloc[:0]), y])
        return self

    def transform(self, X):
        return (
            X.fillna(0).assign(seen=self.known_.groupby(level=0).last().reindex(X.index)).fillna(0)
        )


def test_preprocessing_blind_to_labels_is_fitted_once_a_fold():
    """Six permutations over three folds cost four fits: one a fold, and one to try blindness."""
    dataset = make_planted(120, n_categories=0)
    CountedScaler.n_fits = 0
    share = leakage.share_preparation(dataset, preprocessor=CountedScaler())
    run = leakage.null_run(share, dataset, 6)
    assert CountedScaler.n_fits == 4
    assert not run.is_alarm(0.01)


def test_preprocessing_that_sees_labels_is_fitted_anew_and_caught():
    """What remembers the labels of rows that another fold tests on scores far above chance."""
    dataset = make_planted(120, n_categories=0)
    share = leakage.share_preparation(dataset, preprocessor=TargetSeer())
    assert leakage.null_run(share, dataset, 6).is_alarm(0.001)


def test_a_class_that_a_fold_misses_is_no_error():
    """Three rows of a class may all be tested at once by folds made for another order of labels."""
    dataset = make_planted(90, n_categories=0)
    rare = replace(dataset, y=pd.Series(np.r_[np.ones(3), np.zeros(87)].astype(int), name="target"))
    score = leakage.share_preparation(rare)
    tested = make_folds(rare, make_cv(rare, n_splits=3, random_state=0)).parts[0][1]
    labels = np.zeros(90, dtype=int)
    labels[tested[:3]] = 1
    assert 0 <= score(replace(rare, y=pd.Series(labels, name="target"))) <= 1


def test_a_null_run_needs_permutations_and_numbers():
    """Too few permutations, and a score that is no number, are refused in one sentence."""
    dataset = make_planted(100)
    with pytest.raises(InputError, match="at least 3"):
        leakage.null_run(leakage.score_linear, dataset, 2)
    with pytest.raises(InputError, match="finite number"):
        leakage.null_run(lambda _: float("nan"), dataset, 3)
