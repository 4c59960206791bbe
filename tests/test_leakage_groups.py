"""Groups that nobody named are found, and by how much they flatter a model."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lib import leakage
from lib.config import load_config
from lib.data import load_data, make_planted
from lib.data.packaged import statsmodels_folder
from lib.errors import InputError
from lib.leakage.fingerprints import find_candidates
from lib.leakage.flattery import measure_by_groups, score_freely
from lib.leakage.groups import _as_dataset, _is_shared
from lib.leakage.table import encode_levels


def count_pairs(labels):
    """Return how many pairs of rows share a label."""
    counts = np.unique(labels, return_counts=True)[1].astype(float)
    return (counts * (counts - 1) / 2).sum()


def precision_and_recall(found, true):
    """Return which share of pairs found together belong together, and the other way round."""
    both = count_pairs(np.asarray(found, dtype=np.int64) * 1_000_000 + pd.factorize(true)[0])
    return both / count_pairs(found), both / count_pairs(true)


@pytest.fixture(scope="module")
def visits():
    """Return the table without person ids, and the ids from the full file, row by row."""
    path = statsmodels_folder("randhie") / "src" / "randhie.csv"
    full = pl.read_csv(path, infer_schema_length=None)
    dataset = load_data("rand_hie_visits")
    assert (full["mdvis"].to_numpy() == dataset.y.to_numpy()).all()
    return dataset, full["zper"].to_numpy()


def test_persons_of_the_health_experiment_are_found(visits):
    """All pairs of one person are found together, and seven pairs of ten found are of one person.

    The rest are siblings with the same covariates, whom nothing in the table tells apart.
    """
    dataset, person = visits
    train = dataset.train
    found = leakage.find_groups(train.X, train.y, task="regression")
    assert set(found.columns) == set(dataset.X.columns)
    precision, recall = precision_and_recall(found.labels, person[dataset.split.train])
    assert recall == 1
    assert precision > 0.65
    assert found.in_order
    assert found.flattery.low > 0


def test_ten_visits_or_more_looks_easier_than_it_is(visits):
    """Random folds promise an AUC near .75 for "10 visits or more", persons apart keep near .67."""
    train = visits[0].train
    found = leakage.find_groups(train.X, (train.y >= 10).astype(int))
    assert found.promised.value == pytest.approx(0.75, abs=0.02)
    assert found.kept.value == pytest.approx(0.67, abs=0.03)
    assert found.flattery.covers(found.promised.value - found.kept.value)
    assert found.is_real


def make_people(rng, n_people=120, n_times=3, effect=1.0):
    """Return visits of people: three constants, two measurements, a target with a person's own."""
    person = np.repeat(np.arange(n_people), n_times)
    X = pd.DataFrame({"born": rng.integers(1930, 1990, n_people)[person]})
    X["height"] = rng.integers(150, 200, n_people)[person]
    X["eyes"] = pd.Categorical(rng.choice(["blue", "brown", "green"], n_people)[person])
    X["pulse"] = rng.normal(size=len(X))
    X["ward"] = rng.integers(0, 5, len(X))
    y = X["pulse"] + effect * rng.normal(size=n_people)[person] + rng.normal(size=len(X))
    return X, pd.Series(y), person


@pytest.mark.parametrize("shuffled", [False, True])
def test_planted_people_are_found_exactly(shuffled):
    """Constants fingerprint people, whether or not their rows stand together."""
    rng = np.random.default_rng(3)
    X, y, person = make_people(rng)
    order = rng.permutation(len(X)) if shuffled else np.arange(len(X))
    X, y, person = X.iloc[order], y.iloc[order], person[order]
    found = leakage.find_groups(X, y)
    assert found.columns == ("born", "height", "eyes")
    precision, recall = precision_and_recall(found.labels, person)
    assert recall == 1
    assert precision > 0.95
    assert found.is_real


def test_people_without_an_effect_are_found_but_do_not_flatter():
    """The same people again are sure by their constants, though random folds promise no more."""
    X, y, _ = make_people(np.random.default_rng(4), effect=0.0)
    found = leakage.find_groups(X, y)
    assert found.columns == ("born", "height", "eyes")
    assert not found.is_real


def test_subjects_without_their_number_are_found():
    """Two constants along the rows of a table sorted by subject give the subjects away."""
    rng = np.random.default_rng(5)
    n_subjects, n_times = 40, 20
    subject = np.repeat(np.arange(n_subjects), n_times)
    X = pd.DataFrame({"age": rng.integers(40, 80, n_subjects)[subject]})
    X["sex"] = rng.integers(0, 2, n_subjects)[subject]
    X["jitter"] = rng.normal(size=len(X))
    y = pd.Series(10 * rng.normal(size=n_subjects)[subject] + rng.normal(size=len(X)))
    found = leakage.find_groups(X, y)
    assert found.columns == ("age", "sex")
    assert found.n_groups == n_subjects
    assert found.kept.value < 0
    assert found.promised.value > 0.6


def test_a_single_column_of_numbers_without_order_is_found():
    """The number of a clinic, whose neighbours say nothing about it, marks its rows."""
    rng = np.random.default_rng(6)
    clinic = rng.integers(0, 60, 900)
    X = pd.DataFrame({"clinic": clinic, "x": rng.normal(size=900), "z": rng.normal(size=900)})
    y = pd.Series(2 * rng.normal(size=60)[clinic] + X["x"] + rng.normal(size=900))
    found = leakage.find_groups(X, y)
    assert found.columns == ("clinic",)


def test_an_honest_quantity_is_no_group():
    """Age in years acts smoothly: leaving an age out is no loss, so ages are no groups."""
    rng = np.random.default_rng(7)
    X = pd.DataFrame({"age": rng.integers(20, 80, 2000), "x": rng.normal(size=2000)})
    y = pd.Series(((X["age"] - 50) / 10) ** 2 + X["x"] + rng.normal(size=2000))
    assert leakage.find_groups(X, y) is None


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "wine", "planted"])
def test_tables_of_single_rows_have_no_groups(name):
    """In tables where every row is its own case nothing is found."""
    train = load_data(name).train
    assert leakage.find_groups(train.X, train.y, task=train.task) is None


def test_sparse_columns_are_no_sure_fingerprint():
    """Pixels that are mostly empty agree often by chance, which is not taken for an entity."""
    train = load_data("digits").train
    candidates = find_candidates(encode_levels(train.X))
    assert not any(candidate.is_sure for candidate in candidates)


def test_flattery_is_nothing_where_groups_mean_nothing():
    """Random labels as groups cost no score: the interval of the difference covers zero."""
    rng = np.random.default_rng(8)
    X = pd.DataFrame(rng.normal(size=(600, 3)), columns=list("abc"))
    dataset = _as_dataset(X, X["a"] + pd.Series(rng.normal(size=600)), None)
    measured = measure_by_groups(dataset, pd.Series(rng.integers(0, 100, 600)))
    assert measured.difference.covers(0)
    assert not measured.is_real(0.01)


def test_groups_that_share_no_target_are_not_worth_a_model():
    """Targets drawn within groups, and numbers or classes of a person's own, are told apart."""
    rng = np.random.default_rng(9)
    person = np.repeat(np.arange(200), 5)
    own, X = rng.normal(size=200)[person], pd.DataFrame({"x": rng.normal(size=1_000)})
    noise = rng.normal(size=1_000)
    for effect, is_shared in ((0.0, False), (0.6, True)):
        for y in (effect * own + noise, (effect * own + noise > 0).astype(int)):
            assert _is_shared(person, _as_dataset(X, pd.Series(y), None)) == is_shared


def test_one_fit_on_random_folds_serves_several_groupings():
    """Flattery by a shared fit on random folds is the flattery by a fit of one's own."""
    X, y, person = make_people(np.random.default_rng(10))
    dataset = _as_dataset(X, y, None)
    shared = score_freely(dataset, n_splits=5, random_state=0)
    own = measure_by_groups(dataset, pd.Series(person))
    assert measure_by_groups(dataset, pd.Series(person), promised=shared) == own


def test_what_was_sampled_is_said():
    """A search and a measurement on part of the rows name how many they saw."""
    X, y, person = make_people(np.random.default_rng(11), n_people=200)
    assert leakage.find_groups(X, y).of_rows == ""
    assert leakage.find_groups(X, y, max_rows=400).of_rows == " (on 400 of 600 training rows)"
    measured = measure_by_groups(_as_dataset(X, y, None), pd.Series(person), max_rows=300)
    assert measured.in_words().endswith("(on 300 of 600 training rows)")


def test_lengths_must_agree():
    """Features and target of different length are refused in one sentence."""
    with pytest.raises(InputError, match="same length"):
        leakage.find_groups(pd.DataFrame({"a": [1, 2]}), pd.Series([1]))


def test_ties_name_what_folds_must_respect(visits):
    """Given persons count as they are, found ones when they flatter, independent rows have none."""
    config = load_config(effort="quick")
    planted = leakage.find_ties(make_planted(400), config=config)
    assert (planted.must_keep, planted.found, planted.by_time) == ("", None, None)
    given = leakage.find_ties(make_planted(400, n_groups=40), config=config)
    assert (given.groups, given.must_keep) == ("group", "groups")
    assert given.in_words() == "Rows of one group belong together (group, named)"
    found = leakage.find_ties(visits[0], config=config)
    assert found.must_keep == "groups"
    assert found.dataset.groups.nunique() == found.found.n_groups
    assert [check.code for check in found.checks if check.is_found] == ["L06"]
    assert found.by_groups.difference.low > 0


def test_the_audits_groups_are_there_for_folds(visits):
    """One call gives what L06 names as groups of the training rows: 22 makes its folds of them."""
    dataset, person = visits
    tied = leakage.find_ties(dataset, config=load_config(effort="quick")).dataset
    assert len(tied.groups) == len(dataset.train)
    precision, recall = precision_and_recall(tied.groups, person[dataset.split.train])
    assert recall == 1
    assert precision > 0.65


def test_copied_rows_join_the_group_of_their_original():
    """Copies are searched once, and each gets the label of the row it repeats."""
    X, y, _ = make_people(np.random.default_rng(6))
    frame = X.assign(target=y)
    copied = pd.concat([frame, frame[:80]], ignore_index=True)
    dataset = load_data(copied, target="target", name="copied")
    tied = leakage.find_ties(dataset, config=load_config()).dataset
    labels = pd.Series(tied.groups.to_numpy(), index=dataset.split.train)
    pairs = [i for i in range(80) if i in labels.index and i + len(frame) in labels.index]
    assert len(pairs) > 30
    assert all(labels[i] == labels[i + len(frame)] for i in pairs)
