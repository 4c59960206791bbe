"""Searches: what they find, what a kill leaves of them, and what tuning is worth."""

import json
import os
import subprocess
import sys
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from lib import evaluation, models, plots, tuning
from lib.config import load_config, project_root
from lib.data import make_planted
from lib.errors import InputError
from lib.resampling import make_cv, make_folds
from lib.tuning.journal import mend_journal, open_study

SPACE = {"x": FloatDistribution(-5, 5), "k": IntDistribution(1, 300, log=True)}
DEFAULT = {"x": 3.0, "k": 20}


def bowl(params, report):
    """Fall off from x = 0, k = 50; five steps with the same ranking of points."""
    value = -(params["x"] ** 2) - abs(np.log(params["k"] / 50))
    for step in range(5):
        if report(value + 0.1 * step):
            break
    return value


def finished(found):
    """Return the trials that count, without their numbers: those shift when one was killed."""
    rows = found.trials[found.trials["state"] != "killed"]
    return rows.drop(columns="trial").reset_index(drop=True)


KILLED_OFTEN = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from optuna.storages.journal import JournalFileBackend
sys.path.insert(0, sys.argv[1])
from test_tuning import DEFAULT, SPACE, bowl
from lib.tuning import search

journal, rng = Path(sys.argv[2]), np.random.default_rng(5)
whole = JournalFileBackend.append_logs

def run(lines, how):
    left = lines

    def append(self, logs):
        nonlocal left
        left -= 1
        if left:
            return whole(self, logs)
        if how == "torn":
            with open(self._file_path, "ab") as file:
                file.write(json.dumps(logs[0]).encode()[: int(rng.integers(1, 40))])
        elif how == "after":
            whole(self, logs)
        os.kill(os.getpid(), signal.SIGKILL)

    JournalFileBackend.append_logs = append
    search(bowl, SPACE, n_trials=30, default=DEFAULT, journal=journal)
    os._exit(0)

kills = 0
for how in ["torn", "before", "after", "torn"] * 5:
    lines = int(rng.integers(1, 16))
    child = os.fork()
    if not child:
        run(lines, how)
    _, status = os.waitpid(child, 0)
    kills += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
print(kills)
"""


def test_a_search_killed_twenty_times_ends_as_an_undisturbed_one(tmp_path):
    """Killed before, within and after writes: each kill costs at most its trial, none a point."""
    journal = tmp_path / "search.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", KILLED_OFTEN, str(project_root() / "tests"), str(journal)],
        env={**os.environ, "PYTHONPATH": str(project_root())},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 20
    resumed = tuning.search(bowl, SPACE, n_trials=30, default=DEFAULT, journal=journal)
    undisturbed = tuning.search(bowl, SPACE, n_trials=30, default=DEFAULT)
    killed = resumed.trials[resumed.trials["state"] == "killed"]
    assert len(killed) <= 20
    # a trial killed before its point was drawn has none, which makes a column of counts float
    pd.testing.assert_frame_equal(finished(resumed), finished(undisturbed), check_dtype=False)
    assert not finished(resumed).duplicated(["x", "k"]).any()
    assert resumed.best_params == undisturbed.best_params


def test_a_complete_search_is_read_and_a_longer_one_goes_on(tmp_path):
    """Asking for more trials keeps those there are; asking again for as many makes none."""
    calls = []

    def counted(params, report):
        calls.append(params)
        return bowl(params, report)

    journal = tmp_path / "search.jsonl"
    tuning.search(counted, SPACE, n_trials=12, default=DEFAULT, journal=journal)
    again = tuning.search(counted, SPACE, n_trials=12, default=DEFAULT, journal=journal)
    assert len(calls) == 12
    longer = tuning.search(counted, SPACE, n_trials=20, default=DEFAULT, journal=journal)
    assert len(calls) == 20
    assert longer.trials.head(12).equals(again.trials)
    at_once = tuning.search(bowl, SPACE, n_trials=20, default=DEFAULT)
    assert longer.trials.equals(at_once.trials)


def test_tpe_learns_and_random_search_does_not():
    """On a smooth bowl, TPE's later trials are far better than its first and than random ones."""
    ways = {
        sampler: tuning.search(bowl, SPACE, n_trials=60, sampler=sampler, prune=False)
        for sampler in ("tpe", "random")
    }
    later = {sampler: found.trials["value"].tail(30).median() for sampler, found in ways.items()}
    assert later["tpe"] > later["random"] + 2
    assert later["tpe"] > ways["tpe"].trials["value"].head(10).median() + 1
    assert ways["tpe"].best_value > ways["random"].best_value - 0.1


def test_states_are_honest():
    """A pruned trial has fewer steps and the mean of those; a failure keeps its reason."""

    def moody(params, report):
        if params["x"] < -3:
            msg = "too cold"
            raise ValueError(msg)
        return np.inf if params["x"] > 4 else bowl(params, report)

    found = tuning.search(moody, SPACE, n_trials=60, sampler="random")
    rows = found.trials.set_index("state")
    pruned = rows.loc["pruned"]
    assert ((pruned["n_steps"] >= 1) & (pruned["n_steps"] <= 5)).all()
    assert rows.loc["complete", "n_steps"].eq(5).all()
    failed = rows.loc["failed"]
    assert set(failed["reason"]) == {
        "ValueError: too cold",
        "the value is inf, not a finite number",
    }
    assert ((failed["x"] < -3) | (failed["x"] > 4)).all()
    assert found.n_finished == 60
    assert found.best_value == rows.loc["complete", "value"].max()


def test_the_default_is_tried_first_and_never_beaten_by_worse():
    """The best is at least as good as the default, by the search's own score."""
    found = tuning.search(bowl, SPACE, n_trials=1, default={"x": 0.5, "k": 50})
    assert found.best_params == {"x": 0.5, "k": 50}
    assert found.trials["is_default"].tolist() == [True]
    assert found.best_value == found.default_value == bowl({"x": 0.5, "k": 50}, lambda _: False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"space": {}}, "at least one parameter"),
        ({"n_trials": 0}, "at least 1"),
        ({"sampler": "tpee"}, "Did you mean 'tpe'"),
        ({"default": {"x": 9.0, "k": 5}}, "must lie in the space"),
        ({"default": {"x": 1.0}}, "lacks k"),
    ],
)
def test_what_does_not_fit_is_one_sentence(options, says):
    """Wrong choices are refused before any trial, with the way out."""
    given = {"space": SPACE, "n_trials": 3, **options}
    with pytest.raises(InputError, match=says):
        tuning.search(bowl, given.pop("space"), **given)


def test_a_search_whose_trials_all_fail_says_why():
    """There is no best of nothing: the first reason is repeated."""

    def broken(params, report):
        msg = "no such column"
        raise KeyError(msg)

    found = tuning.search(broken, SPACE, n_trials=3)
    with pytest.raises(InputError, match="no such column"):
        _ = found.best_params


def test_a_torn_line_is_mended_and_a_foreign_file_refused(tmp_path):
    """Only the last line can be torn by a kill; anything else is not ours to mend."""
    journal = tmp_path / "search.jsonl"
    tuning.search(bowl, SPACE, n_trials=3, journal=journal)
    content = journal.read_bytes()
    journal.write_bytes(content + b'{"op_code":5,"wor')
    assert mend_journal(journal) == 17
    assert journal.read_bytes() == content
    lines = content.splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], b"half a li\n", *lines[2:]]))
    with pytest.raises(InputError, match=r"Line 3 .* Move the file away"):
        tuning.search(bowl, SPACE, n_trials=5, journal=journal)
    journal.write_bytes(b"name,value\n1,2\n")
    with pytest.raises(InputError, match="Line 1"):
        tuning.search(bowl, SPACE, n_trials=5, journal=journal)


def test_two_processes_cannot_search_in_one_journal(tmp_path):
    """The second is refused at once, naming the first; when that has ended, the way is free."""
    journal = tmp_path / "search.jsonl"
    holding = textwrap.dedent("""
        import sys
        from pathlib import Path
        from lib.tuning.journal import open_study
        with open_study(Path(sys.argv[1])):
            print("holding", flush=True)
            sys.stdin.read()
    """)
    environment = {**os.environ, "PYTHONPATH": str(project_root())}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(journal)], env=environment, **pipes
    ) as holder:
        assert holder.stdout.readline() == "holding\n"
        with pytest.raises(InputError, match=f"Process {holder.pid} is searching"):
            tuning.search(bowl, SPACE, n_trials=1, journal=journal)
        holder.kill()
    with open_study(journal) as study:
        assert study.trials == []


def test_importance_and_edges_see_what_was_planted():
    """The parameter that decides ranks first, and a best value at the end of a range is named."""
    space = {"decides": FloatDistribution(0, 1), "idle": FloatDistribution(0, 1)}
    searches = [
        tuning.search(
            lambda p, _: p["decides"], space, n_trials=40, sampler="random", random_state=s
        )
        for s in range(5)
    ]
    importance = tuning.compute_importance(searches)
    assert importance["parameter"].tolist() == ["decides", "idle"]
    assert importance["lowest"].iloc[0] > importance["highest"].iloc[1]
    assert importance["importance"].sum() == pytest.approx(1)
    edges = tuning.compute_edges(searches[0]).set_index("parameter")
    assert edges.loc["decides", "edge"] == "high"
    limited = tuning.compute_edges(searches[0], {"decides": (0, 1)}).set_index("parameter")
    assert limited.loc["decides", "edge"] == ""
    few = tuning.search(lambda p, _: p["idle"], space, n_trials=3)
    assert tuning.compute_importance([few]).empty


def test_ranges_of_boosting_start_where_nothing_lies_beyond():
    """A leaf of one row, two leaves and no penalty are natural ends, at which no edge is named."""
    space = tuning.make_tunable("LightGBM", make_planted(100), load_config()).space
    at_end = {
        name: kind.low
        for name, kind in space.items()
        if name in tuning.LIMITS and kind.low == tuning.LIMITS[name][0]
    }
    assert at_end == {"min_child_samples": 1, "num_leaves": 2, "reg_lambda": 0.0}


def test_figures_say_what_the_search_found():
    """Titles name the best trial and the range to widen; trials given up early are told apart."""
    found = tuning.search(lambda p, r: r(p["x"]) or p["x"], {"x": SPACE["x"]}, n_trials=30)
    history = tuning.best_so_far([found])
    ax = plots.plot_search_history(history, metric="roc_auc")
    first = int(history.loc[history["value"] == found.best_value, "trial"].iloc[0])
    claim = f"The best of 30 trials: {found.best_value:.3f}, found at trial {first}"
    assert " ".join(ax.get_title().split()) == claim
    assert ax.get_xlabel() == "trial"
    assert "given up early" in [text.get_text() for text in ax.get_legend().get_texts()]
    edges = tuning.compute_edges(found)
    figure = plots.plot_slices(found.trials, edges, metric="roc_auc")
    assert "at an end of the range of x" in " ".join(figure.get_suptitle().split())
    assert figure.axes[0].get_xlabel() == "x"
    ax = plots.plot_parallel(found.trials, edges, metric="roc_auc")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x"]
    ax = plots.plot_parameter_importance(tuning.compute_importance([]))
    assert "Too few trials" in ax.get_title()
    plt.close("all")


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return choices whose reports go to a folder of the test."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    return load_config(effort="quick")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", list(tuning.SPACES))
def test_every_model_is_tuned_for_every_task(name, task, config):
    """The default lies in the ranges, and the best trial has at least its score."""
    dataset = make_planted(150, task=task, missing=0.1, seed=1)
    folds = make_folds(dataset, make_cv(dataset, n_splits=2))
    tunable = tuning.make_tunable(name, dataset, config)
    if name == "network":
        tunable.estimator.set_params(model__max_epochs=3)
    found = tuning.tune(tunable, dataset, folds, config, n_trials=4)
    assert set(found.trials["state"]) <= {"complete", "pruned"}
    assert found.best_value >= found.default_value
    fitted = tunable.with_params(found.best_params).fit(dataset.X, dataset.y)
    assert len(fitted.predict(dataset.X)) == len(dataset)


def test_the_layers_of_a_network_are_tuned_as_two_numbers(config):
    """Depth and width become the tuple that the network takes; the default is its own."""
    tunable = tuning.make_tunable("network", make_planted(100), config)
    own = tunable.estimator.steps[-1][1]
    assert tunable.with_params(tunable.default).steps[-1][1].hidden_dims == own.hidden_dims
    other = tunable.with_params({**tunable.default, "n_layers": 3, "hidden_units": 20})
    assert other.steps[-1][1].hidden_dims == (20, 20, 20)
    assert own.hidden_dims == (64, 64)


def test_the_value_of_a_trial_is_the_cross_validated_score(config):
    """What the search maximises is what `cross_validate` gives for the same parameters."""
    dataset = make_planted(300, missing=0.1)
    folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    tunable = tuning.make_tunable("LightGBM", dataset, config)
    found = tuning.tune(tunable, dataset, folds, config, n_trials=4)
    best = tunable.with_params(found.best_params)
    scores = evaluation.cross_validate({"best": best}, dataset, folds)
    assert scores.by_fold()["best"].mean() == pytest.approx(found.best_value, rel=1e-12)


def test_another_table_is_another_search(config):
    """The journal of one table is never read for another, nor for other folds or another seed."""
    folder = config.reports / "planted" / "searches"
    for n_rows, seed in ((120, 0), (121, 0), (120, 1)):
        dataset = make_planted(n_rows)
        folds = make_folds(dataset, make_cv(dataset, n_splits=2, random_state=seed))
        tunable = tuning.make_tunable("linear", dataset, config)
        tuning.tune(tunable, dataset, folds, config, n_trials=2)
    assert len(list(folder.glob("*.jsonl"))) == 3


def test_on_noise_the_search_promises_what_it_does_not_keep(config):
    """Without a signal every promised gain is luck: the outer folds keep none of it."""
    rng = np.random.default_rng(3)
    dataset = make_planted(240, n_informative=1, n_noise=8, n_categories=0, seed=3)
    shuffled = dataset.y.to_numpy()[rng.permutation(len(dataset))]
    object.__setattr__(dataset, "y", dataset.y.mask(dataset.y >= 0, shuffled))
    folds = make_folds(dataset, make_cv(dataset, n_splits=4))
    tunable = tuning.make_tunable("LightGBM", dataset, config)
    nested = tuning.nest(tunable, dataset, folds, config, n_trials=12, samplers=("tpe",))
    rows = nested.searches
    assert (rows["promised"] > 0).all()
    assert rows["promised"].mean() > rows["kept"].mean() + 0.02
    assert nested.optimism().value == pytest.approx((rows["promised"] - rows["kept"]).mean())


def test_nested_folds_compare_with_other_candidates(config):
    """Outer scores are those of the study's folds: the default's equal its plain cross-validation."""
    dataset = make_planted(200, n_groups=40)
    folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    tunable = tuning.make_tunable("linear", dataset, config)
    nested = tuning.nest(tunable, dataset, folds, config, n_trials=3)
    plain = evaluation.cross_validate(
        {"linear": models.baselines(dataset, config)["linear"]}, dataset, folds
    )
    assert nested.scores.by_fold()["linear"].tolist() == plain.by_fold()["linear"].tolist()
    assert nested.scores.models == ["linear", "linear tuned", "linear tuned at random"]
    assert json.dumps(nested.found["tpe"][0].best_params)
