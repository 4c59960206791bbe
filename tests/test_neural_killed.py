"""Networks killed from outside, at any moment, end at the very weights of undisturbed ones."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from lib.config import project_root

CASES = {
    # a plain perceptron, an ensemble, and the second training of rows in time, on all of them
    "one member": {"kind": "classes", "n_members": 1, "in_time": False, "n_kills": 3},
    "many members": {"kind": "number", "n_members": 4, "in_time": False, "n_kills": 2},
    "all rows": {"kind": "number", "n_members": 1, "in_time": True, "n_kills": 2},
    "all rows, many": {"kind": "classes", "n_members": 4, "in_time": True, "n_kills": 2},
}

# Imports torch once and computes nothing itself: each training is a fork of it, a process of its
# own that does not know when it dies. The epoch is drawn from a seed; the moment within it is
# whatever the machine makes of some milliseconds.
DRIVER = """
import json, os, signal, sys, time
from pathlib import Path
import numpy as np
import pandas as pd
import torch, torch._dynamo
from lib.neural import NetworkClassifier, NetworkRegressor, training

def make_rows(kind, n, rng, towns):
    X = pd.DataFrame({
        "x": np.where(rng.random(n) < 0.15, np.nan, rng.normal(size=n)),
        "amount": rng.lognormal(size=n),
        "town": pd.Categorical(rng.choice([*towns, None], n)),
        "flag": rng.random(n) < 0.5,
    })
    score = X["x"].fillna(0) + np.log(X["amount"]) + (X["town"] == "a") + rng.normal(0, 0.3, n)
    y = np.digitize(score, [-0.5, 1.0]) if kind == "classes" else score.to_numpy()
    return X, y

def fit(case, checkpoint):
    kind = NetworkClassifier if case["kind"] == "classes" else NetworkRegressor
    X, y = make_rows(case["kind"], 280, np.random.default_rng(0), ["a", "b", "c"])
    model = kind(hidden_dims=(16, 8), n_members=case["n_members"], max_epochs=40, patience=40,
                 checkpoint=checkpoint, random_state=3)
    model.fit(X, y, time=np.arange(len(X)) if case["in_time"] else None)
    return model

def in_a_fork(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return pid

def keep(case, checkpoint, path):
    model = fit(case, checkpoint)
    asked, _ = make_rows(case["kind"], 30, np.random.default_rng(1), ["a", "b", "new", "newer"])
    answers = model.predict_proba(asked) if case["kind"] == "classes" else model.predict(asked)
    torch.save({
        "weights": model.module_.state_dict(), "answers": torch.tensor(answers),
        "history": model.history_.to_dict("list"), "has_all_rows": model.has_all_rows_,
        "best_epoch": model.best_epoch_,
    }, path)

def state_of(path):
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None

def kill_once(case, checkpoint, watched, n_epochs, pause):
    'Start a training, wait until it has written so many checkpoints, and kill it a bit later.'
    before = state_of(watched)
    pid = in_a_fork(lambda: fit(case, checkpoint))
    seen = 0
    while seen < n_epochs:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False  # it was over before
        now = state_of(watched)
        if now != before:
            before, seen = now, seen + 1
        time.sleep(0.0005)
    time.sleep(pause)
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status):
        return False
    return not torch.load(watched, weights_only=True)["progress"]["ended"]

folder, cases = Path(sys.argv[1]), json.loads(sys.argv[2])
rng = np.random.default_rng(20)
for number, (name, case) in enumerate(cases.items()):
    checkpoint = folder / f"{number}.pt"
    watched = checkpoint.with_name(checkpoint.name + ".all") if case["in_time"] else checkpoint
    epochs = []
    for attempt in range(60):
        n_epochs, pause = int(rng.integers(1, 8)), float(rng.uniform(0, 0.01))
        if kill_once(case, checkpoint, watched, n_epochs, pause):
            epochs.append(torch.load(watched, weights_only=True)["progress"]["epoch"])
        elif watched.exists() and torch.load(watched, weights_only=True)["progress"]["ended"]:
            epochs.clear()  # a busy machine let it end: from the start again
            for path in folder.glob(f"{number}.pt*"):
                path.unlink()
        if len(epochs) == case["n_kills"]:
            break
    (folder / f"{number}.json").write_text(json.dumps(epochs))
    for path, where in ((checkpoint, "resumed"), (None, "undisturbed")):
        pid = in_a_fork(lambda: keep(case, path, folder / f"{number}.{where}"))
        assert os.waitpid(pid, 0)[1] == 0, (name, where)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Kill, resume and leave undisturbed: one process for all cases, as torch takes seconds."""
    import json

    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder), json.dumps(CASES)],
        cwd=project_root(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        name: (
            json.loads((folder / f"{number}.json").read_text()),
            *(torch.load(folder / f"{number}.{which}") for which in ("resumed", "undisturbed")),
            sorted(path.name for path in folder.glob(f"{number}.pt*")),
        )
        for number, name in enumerate(CASES)
    }


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
@pytest.mark.parametrize("name", list(CASES))
def test_a_training_killed_from_outside_ends_at_the_same_bits(name, killed):
    """SIGKILL at seeded random epochs, again and again: weights, curves and answers are equal.

    The table is mixed, with gaps; the rows asked for have categories that training never saw.
    """
    epochs, resumed, undisturbed, files = killed[name]
    case = CASES[name]
    assert len(epochs) == case["n_kills"], "each kill came amid training"
    assert epochs == sorted(epochs), "each training went on where the last was killed"
    assert resumed["has_all_rows"] == undisturbed["has_all_rows"] == case["in_time"]
    assert resumed["weights"].keys() == undisturbed["weights"].keys()
    for part, values in undisturbed["weights"].items():
        assert torch.equal(resumed["weights"][part], values), part
    assert torch.equal(resumed["answers"], undisturbed["answers"])
    assert torch.isfinite(resumed["answers"]).all()
    assert resumed["best_epoch"] == undisturbed["best_epoch"] >= max(epochs) * case["in_time"]
    pd.testing.assert_frame_equal(
        *(pd.DataFrame(one["history"]) for one in (resumed, undisturbed)), check_exact=True
    )
    assert len(files) == 1 + case["in_time"], f"torn files are left behind: {files}"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_the_weights_would_tell_a_lost_epoch(killed):
    """What is compared is worth comparing: members and kinds of training have other weights."""
    heads = [killed[name][2]["weights"]["head.bias"].numpy().ravel()[:1] for name in CASES]
    assert len(np.unique(np.concatenate(heads))) == len(CASES)
