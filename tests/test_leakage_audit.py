"""The leak audit: planted leaks are found on three tables, clean tables stay silent."""

import numpy as np
import pandas as pd
import pytest

import defects_leaks as defects  # the planted leaks, which the benchmark shares
from lib import leakage
from lib.config import load_config
from lib.data import load_data, make_planted
from lib.leakage.derived import check_derived
from lib.leakage.duplicates import check_exact, check_near
from lib.leakage.encodings import check_encodings
from lib.leakage.order import check_order
from lib.leakage.splitting import check_groups, check_null, check_splitter
from lib.leakage.table import open_table
from lib.leakage.timing import check_neighbours, check_overlap, find_clock

QUICK = load_config(effort="quick")
BASES = ["breast_cancer", "wine", "diabetes"]
# Severe leaks on each kind of target, mild ones on the smallest table; the benchmark runs them all.
CASES = [*((name, True) for name in BASES), ("diabetes", False)]


def found_in(checks):
    """Return what was found, as (code, column)."""
    checks = checks if isinstance(checks, list) else [checks]
    return [(check.code, check.column) for check in checks if check.is_found]


def plant(name, defect, *, severe=True):
    """Return a base table with a leak, opened for audit."""
    planted = defect(load_data(name), np.random.default_rng(7), severe=severe)
    return open_table(planted, QUICK)


@pytest.mark.parametrize("name", [*BASES, "planted"])
def test_clean_tables_stay_silent(name):
    """Honest strong features (AUC .97 in breast_cancer) raise nothing, on any kind of target."""
    checks = leakage.audit(load_data(name), config=QUICK)
    assert found_in(checks) == []
    assert {check.code for check in checks} == set(leakage.TITLES)


def test_given_persons_raise_nothing():
    """On the default table persons and years are given, and the split respects them."""
    checks = leakage.audit(load_data("rand_hie"), config=QUICK)
    assert found_in(checks) == []
    groups = next(check for check in checks if check.code == "L06")
    assert "person" in groups.evidence


@pytest.mark.parametrize(("name", "severe"), CASES)
@pytest.mark.parametrize("leak", ["copy", "rescaled", "parts_of_sum", "trace"])
def test_features_made_from_the_target_are_found(name, severe, leak):
    """Copies, values known afterwards, parts of a sum and traces of the outcome are found."""
    table = plant(name, getattr(defects, leak), severe=severe)
    found = found_in(check_derived(table))
    assert found
    own = set(table.train.X) - set(load_data(name).X)
    assert all(set(column.split(" + ")) <= own for _, column in found)


@pytest.mark.parametrize(("name", "severe"), CASES)
def test_duplicate_rows_are_found(name, severe):
    """A third of the rows, and a few, repeated and shuffled are found and counted."""
    table = plant(name, defects.duplicates, severe=severe)
    check = check_exact(table)
    assert found_in(check) == [("L02", "")]
    n_more = len(table.dataset) - len(load_data(name))
    assert f"{n_more:,} rows equal" in check.evidence
    first = check.rows[0]
    assert table.train.X.duplicated(keep=False).iloc[first]


@pytest.mark.parametrize(("name", "severe"), CASES)
def test_near_duplicates_are_found(name, severe):
    """Rows repeated with a hundredth of a standard deviation of noise are found."""
    assert found_in(check_near(plant(name, defects.near_duplicates, severe=severe)))


@pytest.mark.parametrize(("name", "severe"), CASES)
def test_groups_torn_apart_are_found(name, severe):
    """Given groups on both sides of the split are found."""
    assert found_in(check_groups(plant(name, defects.torn_groups, severe=severe)))


@pytest.mark.parametrize("name", BASES)
def test_groups_that_nobody_named_are_found(name):
    """The columns that make the fingerprint are named."""
    found = found_in(check_groups(plant(name, defects.hidden_groups)))
    assert found == [("L06", "born + height + blood")]


@pytest.mark.parametrize(("name", "severe"), CASES)
def test_time_overlap_is_found(name, severe):
    """A random split over a time, given or found, is reported with the rows that are older."""
    table = plant(name, defects.time_overlap, severe=severe)
    assert found_in(check_overlap(table, find_clock(table))) == [("L05", "seen_on")]


@pytest.mark.parametrize(("name", "severe"), CASES)
def test_a_date_after_the_rows_own_time_is_found(name, severe):
    """A date that lies after the row's time in most rows was not known then."""
    table = plant(name, defects.later_date, severe=severe)
    assert found_in(check_overlap(table, find_clock(table))) == [("L05", "closed")]


@pytest.mark.parametrize("name", BASES)
def test_random_folds_over_a_drift_are_found(name):
    """Where the target wanders in time, random folds promise what the future does not keep."""
    table = plant(name, defects.random_over_time)
    checks = check_splitter(table, find_clock(table))
    assert found_in(checks) == [("L08", "seen_on")]
    assert checks[0].value.low > 0


def test_a_date_without_drift_is_no_wrong_splitter():
    """Rows in random order of time may be split at random: L08 is silent, L05 says what is."""
    dates = pd.Series(pd.date_range("2020-01-01", periods=600, freq="D"), name="seen_on")
    dataset = defects.with_column(make_planted(600), seen_on=dates)
    table = open_table(dataset, QUICK)
    assert found_in(check_splitter(table, find_clock(table))) == []


@pytest.mark.parametrize(("name", "severe"), CASES)
def test_identifiers_that_predict_are_found(name, severe):
    """A case number given out in the order of the target is found."""
    checks = check_order(plant(name, defects.identifier, severe=severe))
    assert found_in(checks) == [("L04", "case_code")]


def test_rows_sorted_by_class_are_no_leak():
    """Wine comes sorted by class; shuffled folds undo that, and the evidence says so."""
    (check,) = check_order(open_table(load_data("wine"), QUICK))
    assert check.state == "clean"
    assert "sorted" in check.evidence


@pytest.mark.parametrize(("name", "severe"), CASES)
@pytest.mark.parametrize("leak", ["target_means", "wide_means"])
def test_columns_computed_from_unseen_rows_are_found(name, leak, severe):
    """Target means and feature means over training and test rows together are found."""
    found = found_in(check_encodings(plant(name, getattr(defects, leak), severe=severe)))
    column = "place_rate" if leak == "target_means" else "place_mean"
    assert found == [("L09", column)]


def test_an_honest_average_is_not_accused():
    """A mean known from elsewhere misses the sample's means by their sampling error."""
    rng = np.random.default_rng(0)
    place = rng.integers(0, 40, 2000)
    effect = rng.normal(size=40)
    X = pd.DataFrame({"rate": effect[place], "x": rng.normal(size=2000)})
    X["place"] = pd.Categorical([f"p{i}" for i in place])
    frame = X.assign(target=effect[place] + rng.normal(size=2000))
    table = open_table(load_data(frame, target="target"), QUICK)
    assert found_in(check_encodings(table)) == []


@pytest.mark.parametrize(("name", "severe"), CASES)
def test_targets_of_later_rows_are_found(name, severe):
    """The next target, and a mean centred on the row, are targets not known yet."""
    table = plant(name, defects.next_target, severe=severe)
    checks = check_neighbours(table, find_clock(table))
    assert found_in(checks) == [("L10", "leaked")]
    assert checks[0].severity == "error"


def test_an_earlier_target_is_a_note_when_the_split_is_in_time():
    """Yesterday's target may be a feature where today's is predicted."""
    rng = np.random.default_rng(1)
    y = pd.Series(np.cumsum(rng.normal(size=400)))
    frame = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=400), "target": y})
    frame["yesterday"] = y.shift(1)
    table = open_table(load_data(frame, target="target"), QUICK)
    (check,) = check_neighbours(table, find_clock(table))
    assert (check.severity, check.column) == ("note", "yesterday")


def test_the_studys_pipeline_passes_its_null_run():
    """L07 vouches for the study's own preprocessing and folds."""
    (check,) = check_null(open_table(load_data("breast_cancer"), QUICK))
    assert check.state == "clean"
    assert "chance is 0.5" in check.evidence


def test_too_few_of_a_class_is_found():
    """A test set with two positives judges nothing."""
    found = found_in(check_splitter(plant("breast_cancer", defects.rare_class), None))
    assert [code for code, _ in found] == ["L08"]


def test_a_strong_feature_that_others_support_is_silent_and_a_lonely_one_noted():
    """What decides is how much a feature leaves open compared with all the others together."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=800)
    frame = pd.DataFrame({f"x{i}": y + 0.45 * rng.normal(size=800) for i in range(4)})
    supported = open_table(load_data(frame.assign(target=y), target="target"), QUICK)
    assert found_in(check_derived(supported)) == []
    lonely = frame[["x0"]].assign(noise=rng.normal(size=800), target=y)
    (check,) = check_derived(open_table(load_data(lonely, target="target"), QUICK))
    assert (check.column, check.severity) == ("x0", "warning")


def test_a_second_strong_feature_is_judged_without_the_first():
    """Two earlier grades support each other against all else; both are named."""
    rng = np.random.default_rng(8)
    ability = rng.normal(size=900)
    frame = pd.DataFrame({"second": ability + 0.2 * rng.normal(size=900)})
    frame["first"] = frame["second"] + 0.4 * rng.normal(size=900)
    frame["hours"] = ability + 2 * rng.normal(size=900)
    frame["target"] = frame["second"] + 0.25 * rng.normal(size=900)
    checks = check_derived(open_table(load_data(frame, target="target"), QUICK))
    assert {check.column for check in checks if check.is_found} == {"first", "second"}
    assert any("without 'second'" in check.evidence for check in checks)


def test_the_test_target_is_never_read():
    """Scrambling the target of the test rows changes no answer."""
    dataset = make_planted(300, leak="noisy")
    y = dataset.y.copy()
    test = dataset.split.test
    y.iloc[test] = y.iloc[test].to_numpy()[::-1]
    scrambled = make_planted(300, leak="noisy")
    object.__setattr__(scrambled, "y", y)
    scrambled.__dict__["split"] = dataset.split  # the same rows are locked
    answers = [
        [(c.code, c.state, c.evidence) for c in leakage.audit(d, config=QUICK)]
        for d in (dataset, scrambled)
    ]
    assert answers[0] == answers[1]


def test_two_runs_say_the_same():
    """Sampling and folds follow the seed: evidence is equal to the last digit."""
    first, second = (leakage.audit(make_planted(300), config=QUICK) for _ in range(2))
    assert first == second
