"""What `lib.resampling` promises: folds that suit the data, said in words, the same for all."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from lib.data import Dataset, make_planted
from lib.errors import InputError
from lib.resampling import Folds, make_cv, make_folds, sample_rows


def make_dataset(y, *, task="binary", groups=None, time=None):
    """Return a dataset with one numeric column."""
    y = pd.Series(np.asarray(y), name="target")
    classes = tuple("abcdef"[: y.nunique()]) if task != "regression" else ()
    return Dataset(
        "small",
        pd.DataFrame({"x": np.arange(float(len(y)))}),
        y,
        task=task,
        classes=classes,
        groups=None if groups is None else pd.Series(np.asarray(groups), name="person"),
        time=None if time is None else pd.Series(np.asarray(time), name="day"),
    )


def count_tests(folds):
    """Return how often each position is tested."""
    return np.bincount(np.concatenate([test for _, test in folds]))


@pytest.mark.parametrize(
    ("task", "groups", "kind"),
    [
        ("binary", True, "StratifiedGroupKFold"),
        ("multiclass", True, "StratifiedGroupKFold"),
        ("regression", True, "GroupKFold"),
        ("binary", False, "StratifiedKFold"),
        ("multiclass", False, "StratifiedKFold"),
        ("regression", False, "KFold"),
    ],
)
def test_splitter_follows_the_facts(task, groups, kind):
    """Groups decide first, then the task; every row is tested exactly once."""
    dataset = make_planted(300, task=task, n_groups=60 if groups else None)
    cv = make_cv(dataset, n_splits=5)
    assert type(cv.repeats[0]).__name__ == kind
    folds = make_folds(dataset, cv)
    assert len(folds) == 5
    assert (count_tests(folds) == 1).all()
    assert not cv.notes


def test_groups_are_never_on_both_sides():
    """No group has rows in training and test of the same fold, in any repeat."""
    dataset = make_planted(400, n_groups=50)
    groups = dataset.groups.to_numpy()
    folds = make_folds(dataset, make_cv(dataset, n_splits=4, n_repeats=2))
    assert len(folds) == 8
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])


def test_classes_keep_their_shares():
    """Each test part of a stratified split has the share of positives of the whole."""
    dataset = make_dataset(np.repeat([0, 1], [180, 20]))
    for _, test in make_folds(dataset, make_cv(dataset)):
        assert dataset.y.iloc[test].mean() == pytest.approx(0.1)


def test_time_goes_forward_whatever_the_order_of_rows():
    """Every training row is strictly earlier than every test row, also with shuffled rows."""
    day = np.random.default_rng(0).permutation(np.repeat(np.arange(50), 4))
    dataset = make_dataset(day % 2, time=day)
    cv = make_cv(dataset, n_splits=4, n_repeats=3)
    folds = make_folds(dataset, cv)
    assert len(folds) == 4
    for train, test in folds:
        assert day[train].max() < day[test].min()
    assert count_tests(folds).max() == 1
    assert "not repeated" in cv.notes[0]


def test_few_moments_make_fewer_folds():
    """Three years allow two folds, which is said; two do not make a cross-validation."""
    dataset = make_dataset([0, 1] * 45, time=np.repeat([2001, 2002, 2003], 30))
    cv = make_cv(dataset, n_splits=5)
    assert cv.get_n_splits() == 2
    assert "2 folds, not 5" in cv.notes[0]
    with pytest.raises(InputError, match="at least 3 different times"):
        make_cv(make_dataset([0, 1] * 10, time=np.repeat([1, 2], 10)))


def test_groups_win_over_time():
    """With persons and years, persons stay together."""
    dataset = make_dataset([0, 1] * 20, groups=np.repeat(np.arange(10), 4), time=[1, 2, 3, 4] * 10)
    assert type(make_cv(dataset).repeats[0]).__name__ == "StratifiedGroupKFold"


@pytest.mark.parametrize(
    ("dataset", "n_folds", "note"),
    [
        (make_dataset([0] * 50 + [1] * 3), 3, "3 folds, not 5: class 'b' has 3 rows."),
        (
            make_dataset([0, 1] * 20, groups=np.repeat([1, 2, 3], [14, 14, 12])),
            3,
            r"3 folds, not 5: there are only 3 groups \(person\).",
        ),
        (
            make_dataset([0] * 20 + [1] * 20 + [2], task="multiclass"),
            3,
            "3 folds, not 5: class 'c' has 1 row.",
        ),
        (
            make_dataset(
                [0] * 20 + [1] * 20 + [2], task="multiclass", groups=[*range(20)] * 2 + [0]
            ),
            3,
            r"3 folds, not 5: class 'c' has 1 group \(person\).",
        ),
    ],
)
def test_too_few_cases_make_fewer_folds_and_say_so(dataset, n_folds, note):
    """Fewer folds come with one sentence that names the class or the groups."""
    cv = make_cv(dataset, n_splits=5)
    assert cv.get_n_splits() == len(make_folds(dataset, cv)) == n_folds
    with pytest.raises(AssertionError, match=note):
        raise AssertionError(cv.notes[0])


def test_one_rare_class_does_not_stop_the_others():
    """A class that fewer rows hold than folds is named; the folds stay."""
    dataset = make_dataset([0] * 20 + [1] * 20 + [2], task="multiclass")
    cv = make_cv(dataset, n_splits=3)
    assert len(make_folds(dataset, cv)) == 3
    assert cv.notes == ("Class 'c' has 1 row: some folds do not test it.",)


@pytest.mark.parametrize(
    "dataset", [make_dataset([0] * 20 + [1]), make_dataset([0, 1] * 5, groups=["a"] * 10)]
)
def test_what_cannot_be_cross_validated_is_an_error(dataset):
    """One positive row, or one group: one sentence instead of meaningless folds."""
    with pytest.raises(InputError, match="needs two folds that hold every class"):
        make_cv(dataset)


def test_fingerprint_knows_positions_and_data():
    """Same data and seed, same fingerprint; another seed or another value, another one."""
    dataset = make_planted(200)
    same, again = (make_folds(dataset, make_cv(dataset)).fingerprint for _ in range(2))
    assert same == again
    assert len(same) == 16
    assert make_folds(dataset, make_cv(dataset, random_state=1)).fingerprint != same
    other = make_planted(200, seed=1)
    assert make_folds(other, make_cv(dataset)).fingerprint != same


def test_splitter_serves_scikit_learn():
    """It works as `cv` of scikit-learn, groups included."""
    dataset = make_planted(200, n_groups=40)
    cv = make_cv(dataset)
    scores = cross_val_score(
        DummyClassifier(), dataset.X, dataset.y, groups=dataset.groups, cv=cv, scoring="roc_auc"
    )
    assert scores.tolist() == [0.5] * 5
    assert "5 shuffled folds" in repr(cv)


def test_test_fraction_is_that_of_the_folds():
    """Five folds test a fifth, also when groups make them uneven."""
    dataset = make_planted(503, n_groups=101)
    folds = make_folds(dataset, make_cv(dataset))
    assert folds.test_fraction == pytest.approx(0.2, abs=0.005)
    assert folds.sizes()["n_test"].sum() == 503
    assert isinstance(folds, Folds)


def test_sampled_rows_keep_groups_whole_and_order():
    """A sample holds whole groups, no more rows than asked, in the order of the table."""
    dataset = make_planted(1_000, n_groups=100)
    sample = sample_rows(dataset, 300)
    sizes = dataset.groups.value_counts()
    assert 250 < len(sample) <= 300
    assert all(count == sizes[group] for group, count in sample.groups.value_counts().items())
    assert sample_rows(dataset, 1_000) is dataset
    drawn = [sample_rows(dataset, 300, random_state=s).fingerprint for s in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_rare_class_is_kept_by_taking_more_rows():
    """One positive in 500: 300 rows would hold one or none, and no folds could be made of them."""
    X = pd.DataFrame({"x": range(20_000)})
    y = pd.Series([i % 500 == 0 for i in range(20_000)]).astype(int)
    rare = Dataset("rare", X, y, "binary", classes=("no", "yes"))
    sample = sample_rows(rare, 300, per_class=20)
    assert len(sample) == 20 * 500
    assert 10 <= sample.y.sum() <= 30
    assert len(sample_rows(rare, 300)) == 300
    assert sample_rows(rare, 300, per_class=1_000) is rare
