"""The record holds: made once, closed when a process dies, free of secrets, found again by name."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from lib import tracking
from lib.config import Config
from lib.errors import InputError
from lib.tracking import candidates, store, ui
from lib.tracking.redaction import redact
from lib.tracking.runs import AnalysisRun, make_name, make_params, unique_names

# MLflow 3.17 uses an option that SQLAlchemy 2.1 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy")

DATASET = SimpleNamespace(name="toy", fingerprint="feedc0de")
FOLDS = SimpleNamespace(fingerprint="5f01d5", description="5 folds")


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    """Return a reports folder with a store made once: it takes seconds."""
    folder = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDY_REPORTS", str(folder))
        tracking.prepare_store(Config(root=folder))
    return folder


@pytest.fixture
def config(reports, monkeypatch) -> Config:
    """Return choices whose reports are the module's; no analysis run is under way."""
    monkeypatch.setenv("STUDY_REPORTS", str(reports))
    monkeypatch.setattr(AnalysisRun, "current", None)
    return Config(root=reports, dataset="toy")


def make_scores(**auc: list[float]) -> SimpleNamespace:
    """Return scores per fold as an evaluation makes them."""
    rows = [(m, f, "roc_auc", s) for m, scores in auc.items() for f, s in enumerate(scores)]
    times = pd.DataFrame(
        [(m, f, 0.5) for m, f, _, _ in rows], columns=["model", "fold", "fit_seconds"]
    )
    return SimpleNamespace(
        frame=pd.DataFrame(rows, columns=["model", "fold", "metric", "score"]), times=times
    )


def start_python(code: str, reports: Path) -> subprocess.Popen:
    """Start another process on the same reports folder."""
    environment = {**os.environ, "STUDY_REPORTS": str(reports)}
    head = f"from pathlib import Path\nfrom lib import tracking\nfrom lib.config import Config\nconfig = Config(root=Path({str(reports)!r}), dataset='toy')\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_run_keeps_batches_artifacts_and_status(config, tmp_path):
    """A finished run has its parameters, metrics, tags, files and figures."""
    (tmp_path / "findings.md").write_text("# Found\n")
    (tmp_path / "notebook.ipynb").write_text(
        '{"cells": [{"outputs": [{"data": {"image/png": "iVBORw0KGgo="}}]}]}'
    )
    run = tracking.start_analysis_run(config, "11_baseline_models", dataset=DATASET)
    params = {f"p{i}": i for i in range(150)} | {"long": "x" * 10_000}
    metrics = {"auc [0, 1] %": 0.75, "not_finite": float("nan")}
    run.finish("passed", params=params, metrics=metrics, tags={"git": "abc"}, folder=tmp_path)
    kept = store.make_client(config).get_run(run.run_id)
    assert kept.info.status == "FINISHED"
    assert len(kept.data.params) == 151
    assert len(kept.data.params["long"]) == 6_000
    assert kept.data.metrics == {"auc _0_ 1_ _": 0.75}
    assert kept.data.tags["study.data"] == "feedc0de"
    assert kept.inputs.dataset_inputs[0].dataset.digest == "feedc0de"
    files = {a.path for a in store.make_client(config).list_artifacts(run.run_id)}
    assert {"findings.md", "figures"} <= files
    beside = (store.store_folder(config) / "artifacts").resolve().as_uri()
    assert kept.info.artifact_uri.startswith(beside)
    assert AnalysisRun.current is None


def test_tracking_an_analysis_is_fast(config, tmp_path):
    """Once MLflow is loaded, a run with 60 metrics and 20 files costs at most a few tenths."""
    for number in range(20):
        (tmp_path / f"{number}.txt").write_bytes(b"x" * 50_000)
    tracking.start_analysis_run(config, "warm").finish()
    started = time.perf_counter()
    run = tracking.start_analysis_run(config, "01_fast", dataset=DATASET)
    run.finish(metrics={f"m{i}": i for i in range(60)}, params={"a": 1}, folder=tmp_path)
    assert time.perf_counter() - started < 1.5  # measured 0.15 s; room for a busy machine


def test_two_processes_make_one_store(tmp_path):
    """Two processes that need the store at once both get it, whole, and lose no run of it."""
    code = """
import os
import pandas as pd
from mlflow.store.tracking import sqlalchemy_store  # what takes long, once for both
scores = pd.DataFrame({"model": ["m", "n"], "fold": 0, "metric": "auc", "score": 0.5})
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        tracking.prepare_store(config)
        for number in range(5):  # the same new datasets and candidates at the same time
            dataset = {"name": "toy", "fingerprint": f"f{number}"}
            run = tracking.start_analysis_run(config, "x", dataset=dataset)
            tracking.log_candidates(scores, dataset=dataset, folds="f0")
            run.finish(metrics={"a": 1.0}, folder=config.reports / "mlflow" / "absent")
        os._exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
"""
    process = start_python(code, tmp_path)
    process.stdout.close()
    assert process.wait(timeout=200) == 0
    with closing(sqlite3.connect(tmp_path / "mlflow" / "mlflow.db")) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (30,)
    assert not list((tmp_path / "mlflow").glob("*.new*"))


def test_runs_of_a_killed_process_are_closed(config, reports):
    """After kill -9 the run stays RUNNING until the next start, which closes it as KILLED."""
    code = (
        "run = tracking.start_analysis_run(config, 'x')\nprint(run.run_id, flush=True)\ninput()\n"
    )
    process = start_python(code, reports)
    run_id = process.stdout.readline().strip()
    client = store.make_client(config)
    tracking.prepare_store(config)
    assert client.get_run(run_id).info.status == "RUNNING"  # its process lives
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    tracking.prepare_store(config)
    assert client.get_run(run_id).info.status == "KILLED"


def test_a_process_number_used_again_does_not_keep_a_run_alive():
    """A run is dead when its process number now belongs to a process that started later."""
    tags = store.process_tags()
    assert store.is_alive(tags)
    assert not store.is_alive({**tags, store.BORN_TAG: "1.0"})
    assert not store.is_alive({**tags, store.PID_TAG: "no number"})
    assert store.is_alive({**tags, store.HOST_TAG: "elsewhere", store.BORN_TAG: "1.0"})


@pytest.mark.parametrize("unfinished", [b"", None], ids=["empty file", "tables without revision"])
def test_unfinished_store_is_made_again(tmp_path, unfinished):
    """What a killed creation left behind is no store; it has no runs, so it is replaced."""
    path = tmp_path / "mlflow.db"
    if unfinished is None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE runs (run_uuid TEXT)")
        connection.commit()
        connection.close()
    else:
        path.write_bytes(unfinished)
    assert not store._is_whole(path)


def test_file_that_is_no_store_is_refused_in_one_sentence(tmp_path, monkeypatch):
    """A file that is not SQLite is left alone, and named."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    path = tmp_path / "mlflow" / "mlflow.db"
    path.parent.mkdir()
    path.write_bytes(b"something else entirely, and long enough to be read as a header" * 20)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"cannot be read.*move it away"):
        tracking.prepare_store(Config(root=tmp_path))
    assert path.read_bytes() == before


def test_candidates_come_back_as_logged(config):
    """Scores per fold, tracked under an analysis, are found by dataset and folds."""
    run = tracking.start_analysis_run(config, "11_baseline_models", dataset=DATASET)
    tracking.log_candidates(
        make_scores(dummy=[0.5, 0.5], linear=[0.7, 0.8]), dataset=DATASET, folds=FOLDS
    )
    run.finish()
    found = tracking.load_candidates(
        config, dataset_fingerprint="feedc0de", folds_fingerprint="5f01d5"
    )
    assert list(found.columns) == candidates.COLUMNS
    linear = found[found["candidate"] == "linear"]
    assert linear["score"].tolist() == [0.7, 0.8]
    assert linear["fold"].tolist() == [0, 1]
    assert set(found["analysis"]) == {"11_baseline_models"}


def test_the_latest_finished_run_of_a_candidate_counts(config):
    """A rerun replaces the earlier scores; a failed one does not."""
    dataset = SimpleNamespace(name="toy", fingerprint="1a7e57")
    for status, score in [("passed", 0.6), ("passed", 0.7), ("failed", 0.9)]:
        run = tracking.start_analysis_run(config, "12_x", dataset=dataset)
        tracking.log_candidates(make_scores(net=[score]), dataset=dataset, folds=FOLDS)
        run.finish(status)
    found = tracking.load_candidates(config, dataset_fingerprint="1a7e57")
    assert found["score"].tolist() == [0.7]


def test_logging_a_candidate_again_in_a_plain_script_replaces_it(config):
    """Without an analysis run candidates are logged too, once per name."""
    dataset = SimpleNamespace(name="toy", fingerprint="91a1")
    for score in (0.1, 0.2):
        tracking.log_candidates(
            make_scores(net=[score]), dataset=dataset, folds=FOLDS, config=config
        )
    found = tracking.load_candidates(config, dataset_fingerprint="91a1")
    assert found["score"].tolist() == [0.2]
    client = store.make_client(config)
    experiment = client.get_experiment_by_name("toy").experiment_id
    assert len(client.search_runs([experiment], "tags.`study.data` = '91a1'")) == 1


@pytest.fixture
def waiting(monkeypatch, tmp_path) -> Path:
    """Return the file where candidates of this process wait for a later one."""
    monkeypatch.setattr(candidates, "_DEFERRED", [])
    path = tmp_path / "candidates.json"
    tracking.defer_candidates(path, "12_later")
    return path


def test_deferred_candidates_are_seen_by_their_own_analysis(config, waiting):
    """What an analysis logs it can load at once, last word first, before anything is in the store."""
    dataset = SimpleNamespace(name="toy", fingerprint="de1a7ed")
    for score in (0.1, 0.2):
        tracking.log_candidates(make_scores(net=[score, 0.3]), dataset=dataset, folds=FOLDS)
    found = tracking.load_candidates(
        config, dataset_fingerprint="de1a7ed", folds_fingerprint="5f01d5"
    )
    assert found["score"].tolist() == [0.2, 0.3]
    assert set(found["analysis"]) == {"12_later"}
    with pytest.raises(InputError):
        tracking.load_candidates(
            config, dataset_fingerprint="de1a7ed", folds_fingerprint="other folds"
        )


def test_deferred_candidates_nest_under_their_analysis(config, waiting, monkeypatch):
    """A later process puts them under the run of the analysis, with the same scores."""
    dataset = SimpleNamespace(name="toy", fingerprint="de1a7ed2")
    tracking.log_candidates(make_scores(net=[0.25, 0.5]), dataset=dataset, folds=FOLDS)
    monkeypatch.setattr(candidates, "_DEFERRED", [])
    run = tracking.start_analysis_run(config, "12_later", dataset=dataset)
    tracking.log_deferred(waiting, config)
    run.finish()
    found = tracking.load_candidates(config, dataset_fingerprint="de1a7ed2")
    assert found["score"].tolist() == [0.25, 0.5]
    candidate = store.make_client(config).get_run(found["run_id"].iloc[0])
    assert candidate.data.tags["mlflow.parentRunId"] == run.run_id


def test_missing_candidates_name_the_command(config):
    """Nothing tracked is one sentence with the way out."""
    with pytest.raises(InputError, match="nox -s run_analyses -- 11"):
        tracking.load_candidates(config, dataset_fingerprint="0 or 1=1'")


def test_names_are_made_fit_and_stay_apart():
    """MLflow's forbidden characters go; names that become equal are numbered."""
    assert make_name("a" * 400) == "a" * 250
    assert make_name("/abs/../up") == "abs/up"
    assert unique_names(["a%", "a<", "a%"]) == ["a_", "a_ 2", "a_"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "hunter2"),
        ("AWS_SECRET", "hunter2"),
        ("apiKey", "hunter2"),
        ("source", "postgresql://me:hunter2@host/db"),
        ("source", "postgresql://me:hun@ter2/hunter2@host/db"),
        ("note", "token=hunter2"),
        ("note", "{'password': 'hunter2', 'rows': 3}"),
        ("url", "https://host/x?key=hunter2&rows=3"),
    ],
)
def test_secrets_are_never_kept(name, value):
    """A secret goes by the name of its field, by its place in a URL, or by an assignment."""
    assert "hunter2" not in redact(name, value)
    assert "hunter2" not in str(make_params({name: value}))


def test_what_is_no_secret_stays():
    """Names and texts that only resemble secrets are kept."""
    assert redact("n_tokens", 12) == "12"
    assert redact("monkey", "x@y.org") == "x@y.org"
    assert redact("source", "sklearn:wine") == "sklearn:wine"


def test_taken_port_is_one_sentence():
    """A port in use is refused before the server starts."""
    import socket

    with socket.socket() as taken:
        taken.bind((ui.HOST, 0))
        taken.listen()
        with pytest.raises(InputError, match=r"cannot be used.*--port"):
            ui.check_port(taken.getsockname()[1])


@pytest.mark.slow
def test_ui_serves_on_loopback(config, reports):
    """The server answers on 127.0.0.1, knows the experiments, refuses other hosts, ends on demand."""
    import json
    import socket
    import urllib.error
    import urllib.request

    with socket.socket() as free:
        free.bind((ui.HOST, 0))
        port = free.getsockname()[1]
    tracking.start_analysis_run(config, "x").finish()
    environment = {**os.environ, "STUDY_REPORTS": str(reports)}
    code = f"from pathlib import Path\nfrom lib import tracking\nfrom lib.config import Config\ntracking.open_ui(Config(root=Path({str(reports)!r})), {port})"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://{ui.HOST}:{port}/api/2.0/mlflow/experiments/search?max_results=10"
    try:
        for _ in range(240):
            time.sleep(0.5)
            assert process.poll() is None
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    names = [e["name"] for e in json.load(answer)["experiments"]]
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                continue
        assert "toy" in names
        foreign = urllib.request.Request(url, headers={"Host": "evil.example.org"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(foreign, timeout=10)
        assert refused.value.code == 403
        refused.value.close()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)


def test_concurrent_runs_of_one_dataset_share_an_experiment(config):
    """Two runs that both need a new experiment get the same one."""
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(
                lambda _: candidates.find_experiment(
                    store.make_client(config), "brand new", config
                ),
                range(2),
            )
        )
    assert found[0] == found[1]
