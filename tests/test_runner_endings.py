"""However a process ends, the runner says how, leaves no orphan, and runs again."""

import os
import signal
import subprocess
import sys
import time

import pytest

SLEEP = "import os, time\nfrom pathlib import Path\nPath('pid').write_text(f'{os.getpid()}\\n')\ntime.sleep(60)"


def row_of(done, name: str) -> str:
    """Return the summary line of an analysis."""
    text = done if isinstance(done, str) else done.stdout
    return next(line for line in reversed(text.splitlines()) if line.startswith(name))


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        ("import os\nos._exit(3)", "failed", "exited by os._exit(3) without finishing"),
        ("import os\nos._exit(0)", "failed", "exited by os._exit(0) without finishing"),
        ("import sys\nsys.exit(2)", "failed", "sys.exit(2) ended it before its last cell"),
        ("x = bytearray(10**15)", "failed", "out of memory (MemoryError"),
        ("import os\nos.kill(os.getpid(), 9)", "killed", "killed by SIGKILL (out of memory"),
        ("import os\nos.kill(os.getpid(), 11)", "killed", "segmentation fault (SIGSEGV"),
        ("import os\nos.abort()", "killed", "abort in compiled code (SIGABRT"),
        ("raise ValueError('no\\nsuch thing')", "failed", "ValueError: no, "),
        ("x = = 1", "failed", "SyntaxError"),
        (
            "from lib.errors import InputError\nraise InputError('Give a table.')",
            "failed",
            "Give a table.",
        ),
    ],
)
def test_the_cause_is_named_and_the_others_go_on(project, code, state, words):
    """One bad ending is named with its cause; independent analyses pass; exit code 1."""
    project.write("01_bad", "a = 1", code)
    project.write("02_good", "print('fine')")
    project.write("03_after", "print('never')", needs="01")
    done = project.run()
    assert done.returncode == 1, done.stderr
    assert project.states() == {"01_bad": state, "02_good": "passed"}
    assert words in row_of(done, "01_bad"), done.stdout
    assert "blocked: needs 01, which" in done.stdout
    project.write("01_bad", "a = 1")
    assert project.run().returncode == 0
    assert set(project.states().values()) == {"passed"}


def test_a_script_past_its_limit_is_ended_by_force(project):
    """SIGINT and SIGTERM ignored: SIGKILL follows, and the cell and line are named."""
    stubborn = "import signal\nfor s in (2, 15):\n    signal.signal(s, signal.SIG_IGN)\n" + SLEEP
    project.write(
        "01_slow", "a = 1", f"try:\n    {SLEEP.splitlines()[0]}\nfinally:\n    pass", stubborn
    )
    began = time.monotonic()
    done = project.run("--timeout", "0.5")
    assert done.returncode == 1
    assert project.states() == {"01_slow": "timed out"}
    assert 'timed out after 0.5 s in cell "import signal" (01_slow.py:' in done.stdout
    assert "ignored SIGINT and SIGTERM" in done.stdout
    assert time.monotonic() - began < 12
    assert not project.is_alive(project.read_pid(project.root / "pid"))


def test_a_polite_script_past_its_limit_leaves_its_outputs(project):
    """SIGINT raises KeyboardInterrupt in the cell; what was printed before is in the notebook."""
    project.write("01_slow", "print('before')", SLEEP)
    done = project.run("--timeout", "0.5")
    assert done.returncode == 1
    assert project.states() == {"01_slow": "timed out"}
    assert "before" in project.texts("01_slow")


def test_killing_a_child_fails_it_alone(project):
    """`kill -9` of one child is named; the next run completes."""
    project.write("01_victim", SLEEP)
    project.write("02_other", "print('fine')")
    with project.start("--jobs", "2") as run:
        os.kill(project.wait_for(lambda: project.read_pid(project.root / "pid")), signal.SIGKILL)
        text = run.communicate(timeout=20)[0]
    assert run.returncode == 1
    assert "killed by SIGKILL" in row_of(text, "01_victim")
    assert project.states() == {"01_victim": "killed", "02_other": "passed"}
    project.write("01_victim", "print('now')")
    assert project.run().returncode == 0


def test_killing_the_parent_leaves_no_orphan(project):
    """After `kill -9` of the runner all its processes are gone within a second."""
    grandchild = (
        "import subprocess\nfrom pathlib import Path\n"
        "child = subprocess.Popen(['sleep', '60'])\nPath('sub').write_text(f'{child.pid}\\n')"
    )
    project.write("01_one", grandchild, SLEEP)
    with project.start() as run:
        pids = [
            project.wait_for(lambda n=n: project.read_pid(project.root / n)) for n in ("pid", "sub")
        ]
        run.kill()
        killed = time.monotonic()
        project.wait_for(lambda: not any(project.is_alive(pid) for pid in pids), seconds=5)
        assert time.monotonic() - killed < 1
    project.write("01_one", "print('again')")
    done = project.wait_for(lambda: (d := project.run()).returncode == 0 and d)
    assert project.states() == {"01_one": "passed"}, done.stdout


def test_what_an_analysis_leaves_running_ends_with_it(project):
    """A process that an analysis started and forgot dies when the analysis has ended."""
    code = (
        "import subprocess\nfrom pathlib import Path\n"
        "child = subprocess.Popen(['sleep', '60'])\nPath('sub').write_text(f'{child.pid}\\n')"
    )
    project.write("01_one", code)
    assert project.run().returncode == 0
    assert not project.is_alive(project.read_pid(project.root / "sub"))


def test_ctrl_c_ends_all_quickly(project):
    """Ctrl-C: exit code 130, the state is "interrupted", earlier reports stay, no orphan."""
    project.write("01_one", "print('done')")
    project.write("02_two", "print('done')")
    assert project.run().returncode == 0
    project.write("01_one", SLEEP)
    with project.start() as run:
        pid = project.wait_for(lambda: project.read_pid(project.root / "pid"))
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        text = run.communicate(timeout=20)[0]
        assert time.monotonic() - began < 3
    assert run.returncode == 130, text
    assert project.states() == {"01_one": "interrupted", "02_two": "passed"}
    assert "done" in project.texts("01_one")
    assert not project.is_alive(pid)
    project.write("01_one", "print('again')")
    assert project.run().returncode == 0


def test_a_second_ctrl_c_kills_at_once(project):
    """A script that ignores the first Ctrl-C does not survive the second."""
    project.write("01_one", "import signal\nsignal.signal(2, signal.SIG_IGN)\n" + SLEEP)
    with project.start() as run:
        pid = project.wait_for(lambda: project.read_pid(project.root / "pid"))
        run.send_signal(signal.SIGINT)
        time.sleep(0.3)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
    assert run.returncode == 130
    assert not project.is_alive(pid)


def test_a_second_run_is_refused_by_name_of_the_first(project):
    """Two runs at once: the second ends at once with exit code 2 and names the holder."""
    project.write("01_one", SLEEP)
    with project.start() as run:
        project.wait_for(lambda: project.read_pid(project.root / "pid"))
        second = project.run()
        assert second.returncode == 2
        assert f"process {run.pid}, since " in second.stderr
        assert "Traceback" not in second.stderr
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)


def test_isolated_runs_say_the_same(project):
    """A fresh process for each: same states, causes and output."""
    project.write("01_bad", "import os\nos.write(1, b'low\\n')\nos._exit(3)")
    project.write("02_good", "print('fine')")
    done = project.run("--isolated")
    assert done.returncode == 1
    assert "exited by os._exit(3)" in row_of(done, "01_bad")
    assert project.texts("02_good") == "fine\n"


@pytest.mark.parametrize("how", [(), ("--isolated",)])
def test_an_analysis_that_cannot_be_tracked_fails_and_runs_again(project, how):
    """A record that is damaged meanwhile is named, keeps the report, and makes nothing current."""
    spoil = """
from lib.config import load_config
from lib.tracking.store import store_folder
folder = store_folder(load_config())
folder.mkdir(parents=True, exist_ok=True)
_ = (folder / "mlflow.db").write_text("no database " * 1_000)
"""
    project.light = ("--no-pages",)
    project.write("01_spoils", spoil)
    done = project.run(*how)
    assert done.returncode == 1
    assert "not tracked: " in row_of(done, "01_spoils")
    assert project.states() == {"01_spoils": "failed"}
    (project.root / "reports" / "mlflow" / "mlflow.db").unlink()
    project.write("01_spoils", "print('well')")
    assert project.run(*how).returncode == 0
    assert project.states() == {"01_spoils": "passed"}


def test_a_thorough_run_may_take_longer(project):
    """What would be ended after a moment at standard effort has the time that its effort gives."""
    project.write("01_slow", "import time\ntime.sleep(1.5)")
    short = "from lib.workbench import run\nrun.TIMEOUTS['standard'] = 0.5\n"
    code = short + "import sys\nfrom lib.workbench.cli import main\nsys.exit(main(sys.argv[1:]))"
    for effort, state in (("standard", "timed out"), ("thorough", "passed")):
        command = [sys.executable, "-c", code, *project.command("--effort", effort)[3:]]
        subprocess.run(command, env=project.environment(), cwd=project.root, check=False)
        assert project.states() == {"01_slow": state}
