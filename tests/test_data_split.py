"""The locked test set: made once, the same everywhere, every opening on record."""

import json
import multiprocessing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.config import Config, load_config
from lib.data import load_data, make_planted
from lib.data.dataset import make_rule
from lib.data.split import Rule, make_split, read_openings
from lib.errors import InputError


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return a project in an empty folder."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    return Config(root=tmp_path)


def locked(config, **parameters):
    """Return a planted dataset whose test set is recorded."""
    return replace(make_planted(300, **parameters), reports=config.reports)


def record(config):
    """Return the record of its test set."""
    return json.loads((config.reports / "planted" / "test_set.json").read_text())


def test_parts_share_no_row_and_miss_none(config):
    """Training and test rows are the whole table, once."""
    split = locked(config).split
    assert sorted([*split.train, *split.test]) == list(range(300))


def test_same_rows_on_every_machine_for_good():
    """The draw is pinned: a change of these positions would unlock every study."""
    y = pd.Series([0, 1] * 50)
    split = make_split(y, Rule("random", 0.2, 0, ""))
    assert split.fingerprint == "d5684d781cce129b"
    groups = pd.Series(np.arange(100) // 3)
    split = make_split(y, Rule("groups", 0.2, 0, ""), groups=groups)
    assert split.fingerprint == "ab9820e0834ca8b7"


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_together_and_shares_are_kept(seed):
    """No group is on both sides; a fifth of rows and of positives is in the test set."""
    planted = make_planted(5_000, n_groups=400, seed=seed)
    split = planted.split
    assert not set(planted.groups[split.train]) & set(planted.groups[split.test])
    assert split.n_test / 5_000 == pytest.approx(0.2, abs=0.01)
    rate = planted.y.mean()
    assert planted.y[split.test].mean() == pytest.approx(rate, abs=0.25 * rate)


def test_random_draw_has_no_pattern():
    """Test rows are spread evenly: their positions pass a uniformity check."""
    split = make_planted(20_000).split
    counts = np.histogram(split.test, bins=20, range=(0, 20_000))[0]
    chi2 = ((counts - 200) ** 2 / 200).sum()
    assert chi2 < 45  # 19 degrees of freedom: 0.1 % beyond 43.8


def test_other_seed_other_rows():
    """The seed of the rule changes the rows; the study's seed is no part of it."""
    y = pd.Series([0, 1] * 500)
    one, two = (make_split(y, Rule("random", 0.2, seed, "")) for seed in (0, 1))
    assert len(np.intersect1d(one.test, two.test)) == pytest.approx(40, abs=25)


def test_features_move_no_row():
    """Dropping a column changes the data's fingerprint, not the test rows."""
    planted = make_planted(300)
    fewer = replace(planted, X=planted.X.iloc[:, 1:])
    assert fewer.split.fingerprint == planted.split.fingerprint
    assert fewer.fingerprint != planted.fingerprint


def test_every_class_can_be_learned():
    """The only row of a class stays on the training side."""
    y = pd.Series([0, 1] * 50 + [2])
    for seed in range(20):
        split = make_split(y, Rule("random", 0.2, seed, ""))
        assert 100 in split.train


def test_regression_is_stratified_by_size():
    """The fifths of the target are equally drawn."""
    planted = make_planted(1_000, task="regression")
    fifth = np.searchsorted(planted.y.quantile([0.2, 0.4, 0.6, 0.8]), planted.y[planted.split.test])
    assert np.bincount(fifth).tolist() == pytest.approx([40] * 5, abs=1)


def test_equal_times_stay_on_one_side():
    """The test set begins at a moment, not within one."""
    time = pd.Series(np.arange(100) // 7, name="week")
    y = pd.Series([0, 1] * 50)
    split = make_split(y, Rule("time", 0.2, 0, ""), time=time)
    assert time[split.train].max() < time[split.test].min()


@pytest.mark.parametrize(
    ("y", "time", "expected"),
    [
        ([0, 1] * 9, None, "at least 20 rows, got 18"),
        ([0] * 40 + [1] * 10, range(50), "leaves training rows of fewer than two classes"),
        ([0, 1] * 30, [1] * 60, "leaves a part without rows|fewer than two classes"),
    ],
)
def test_impossible_split_is_one_sentence(y, time, expected):
    """Too few rows, or a part of one class, is said with the way out."""
    kind = "random" if time is None else "time"
    time = None if time is None else pd.Series(list(time))
    with pytest.raises(InputError, match=expected):
        make_split(pd.Series(y), Rule(kind, 0.2, 0, "the rule"), time=time)


def test_the_way_out_of_a_split_is_not_the_split_that_failed():
    """A random split that leaves a part without a class does not advise a random split."""
    y = pd.Series([0] * 59 + [1])
    with pytest.raises(InputError, match="add rows of the rare class") as error:
        make_split(y, Rule("random", 0.2, 0, "the rule"))
    assert "split =" not in str(error.value)


def test_record_is_made_once_and_kept(config):
    """The first use writes the record; later ones leave its bytes alone."""
    dataset = locked(config)
    _ = dataset.train
    path = config.reports / "planted" / "test_set.json"
    before = path.read_bytes()
    again = locked(config)
    _ = again.train
    assert path.read_bytes() == before
    entry = record(config)[dataset.fingerprint]
    assert entry["split"] == dataset.split.fingerprint
    assert (entry["n_train"], entry["n_test"]) == (240, 60)


def test_other_rule_for_the_same_data_is_refused(config):
    """Choosing the test set anew after having seen it is not possible unnoticed."""
    dataset = locked(config)
    _ = dataset.train
    other = replace(dataset, rule=make_rule(dataset, "random", test_fraction=0.3, seed=1))
    with pytest.raises(InputError, match=r"was made by the rule '20 %.*restore the rule .*delete"):
        _ = other.train


def test_new_data_get_a_lock_of_their_own(config):
    """Other contents under the same name are locked beside the first."""
    for seed in (0, 1):
        _ = locked(config, seed=seed).train
    assert len(record(config)) == 2


def test_openings_are_recorded(config):
    """Who opened the test set, for which model, and how often."""
    dataset = locked(config)
    for champion in ("lightgbm", "lightgbm", "linear"):
        test = dataset.open_test("30_performance_analysis", champion=champion)
    assert (test.part, len(test)) == ("test", 60)
    openings = read_openings(config.reports / "planted", dataset.fingerprint)
    assert [(o["by"], o["champion"], o["times"]) for o in openings] == [
        ("30_performance_analysis", "lightgbm", 2),
        ("30_performance_analysis", "linear", 1),
    ]


def test_training_needs_no_writable_folder_but_opening_does(config, tmp_path):
    """Without a record the rows are the same; the test set stays closed."""
    (tmp_path / "reports").write_text("a file where the folder would be")
    dataset = locked(config)
    assert len(dataset.train) == 240
    with pytest.raises(InputError, match="stays closed because its opening cannot be recorded"):
        dataset.open_test("30")


def test_damaged_record_is_said(config):
    """A record that is no JSON is not overwritten."""
    folder = config.reports / "planted"
    folder.mkdir(parents=True)
    (folder / "test_set.json").write_text("{")
    with pytest.raises(InputError, match="is not valid JSON"):
        _ = locked(config).train


def _open(root, by):
    replace(make_planted(300), reports=Config(root=root).reports).open_test(by)


def test_processes_at_once_lose_no_opening(config):
    """Eight processes that lock and open together leave eight openings."""
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_open, args=(config.root, f"{i}")) for i in range(8)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 8
    openings = read_openings(config.reports / "planted", make_planted(300).fingerprint)
    assert sorted(o["by"] for o in openings) == list("01234567")


def test_part_has_no_test_set_of_its_own():
    """Nobody locks a second test set inside the first."""
    dataset = make_planted(300)
    assert dataset.train.train is dataset.train
    with pytest.raises(InputError, match="no test set of its own"):
        _ = dataset.train.split
    with pytest.raises(InputError, match="no test set of its own"):
        _ = dataset.take([1, 2, 3]).train


def test_test_features_hold_no_target(config):
    """The view for drift has the features of the test rows and nothing else."""
    dataset = locked(config)
    assert list(dataset.test_features) == list(dataset.X)
    assert len(dataset.test_features) == 60
    assert read_openings(config.reports / "planted", dataset.fingerprint) == []


def test_fingerprint_follows_contents_only(config):
    """Order of rows, names and values count; path and index do not."""
    dataset = make_planted(200, missing=0.1, n_groups=20)
    same = dataset.take(np.arange(200))
    assert same.fingerprint == dataset.fingerprint
    assert dataset.take(np.arange(200)[::-1]).fingerprint != dataset.fingerprint
    assert replace(dataset, groups=None).fingerprint != dataset.fingerprint
    renamed = dataset.X.rename(columns={"noise_1": "noise_one"})
    assert replace(dataset, X=renamed).fingerprint != dataset.fingerprint
    zero = dataset.X.assign(noise_1=0.0)
    minus = dataset.X.assign(noise_1=-0.0)
    assert replace(dataset, X=zero).fingerprint == replace(dataset, X=minus).fingerprint


def test_take_keeps_everything_in_step():
    """Rows taken keep their target, group and place."""
    dataset = make_planted(200, n_groups=20)
    part = dataset.take([5, 3, 8])
    assert part.X["signal_1"].tolist() == dataset.X["signal_1"][[5, 3, 8]].tolist()
    assert part.groups.tolist() == dataset.groups[[5, 3, 8]].tolist()
    assert part.y.index.tolist() == [0, 1, 2]
    mask = np.zeros(200, dtype=bool)
    mask[[3, 5]] = True
    assert dataset.take(mask).y.tolist() == dataset.y[[3, 5]].tolist()


def test_study_seed_moves_no_test_row(tmp_path, monkeypatch):
    """Repeating a study with another seed judges on the same rows."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    splits = [load_data("planted", config=load_config(seed=seed)).split for seed in (0, 7)]
    assert splits[0].fingerprint == splits[1].fingerprint
