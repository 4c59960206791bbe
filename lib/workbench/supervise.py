"""Start the processes of the analyses, watch them, end them, and say how each ended."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from lib.workbench.child import RESULT, STACK, Say, Task, enter, run_and_leave
from lib.workbench.files import read_json, write_json
from lib.workbench.guard import Guard, kill_group

GRACE = 2.0  # seconds between SIGINT, SIGTERM and SIGKILL after the time limit
GRACE_INTERRUPTED = 1.0  # seconds to leave after Ctrl-C
STEP = 0.1  # seconds between two looks at what wakes nobody
LADDER = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


@dataclass
class Running:
    """A process under way.

    Attributes
    ----------
    name : str
        Of the analysis.
    pid : int
        Its process and process group.
    place : dict
        Where it is: `cell`, `line`, `position`, `of`.
    stopped_by : str
        "" or why it was told to stop: "timeout", "interrupt".
    """

    name: str
    pid: int
    channel: int
    folder: Path
    began: float
    limit: float = float("inf")
    path: Path | None = None
    place: dict[str, Any] = field(default_factory=dict)
    stopped_by: str = ""
    step: int = -1  # how far down the ladder of signals
    next_step: float = float("inf")
    popen: subprocess.Popen[bytes] | None = None
    unread: bytes = b""

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.began

    def where(self) -> str:
        """Return the cell in words."""
        if not self.place:
            return ""
        line = self.place.get("line")
        file = f" ({self.path.name}:{line})" if self.path is not None and line else ""
        return f' in cell "{self.place["cell"]}"{file}'


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes
    ----------
    state : str
        "passed", "failed", "timed out", "killed" or "interrupted".
    note : str
        Cause in words; empty when passed.
    result : dict
        What the child wrote; empty when it could not.
    """

    name: str
    state: str
    note: str
    result: dict[str, Any]
    folder: Path
    seconds: float
    peak_mb: float


class Supervisor:
    """Forks children and watches them.

    Parameters
    ----------
    guard : Guard
        Ends the children should this process die.
    lock : int
        Descriptor of the lock file, which children close.
    timeout : float
        Seconds for each analysis.
    isolated : bool
        Start fresh processes instead of forks.
    on_place : callable
        Called when a child enters a cell.
    """

    def __init__(
        self,
        guard: Guard,
        lock: int,
        *,
        timeout: float,
        isolated: bool = False,
        on_place: Callable[[Running], None] = lambda _running: None,
    ) -> None:
        self._guard = guard
        self._lock = lock
        self._timeout = timeout
        self.isolated = isolated
        self._on_place = on_place
        self._selector = selectors.DefaultSelector()
        self.running: dict[str, Running] = {}
        self.interrupts = 0
        self._seen_interrupts = 0

    def start(self, task: Task) -> Running:
        """Start an analysis."""
        if self.isolated:
            running = self._spawn(task)
        else:
            running = self.fork(task.name, Path(task.folder), lambda say: run_and_leave(task, say))
        running.path = Path(task.path)
        running.limit = self._timeout
        return running

    def fork(self, name: str, folder: Path, work: Callable[[Say], NoReturn]) -> Running:
        """Run `work` in a forked child."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Python 3.12 warns of threads: ours are idle pools of packages that were imported
            # and never used, which is measured to be safe.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            try:
                others = [reading, self._lock, self._selector.fileno()]  # type: ignore[attr-defined]
                work(enter(writing, self._guard.descriptor, others))
            finally:
                os._exit(71)
        os.close(writing)
        return self._watch(Running(name, pid, reading, folder, time.monotonic()))

    def _spawn(self, task: Task) -> Running:
        """Run a task in a fresh interpreter."""
        reading, writing = os.pipe()
        folder = Path(task.folder)
        folder.mkdir(parents=True, exist_ok=True)
        order = folder / "task.json"
        given = {"channel": writing, "guard": self._guard.descriptor, "task": asdict(task)}
        write_json(order, given)
        popen = subprocess.Popen(
            [sys.executable, "-m", "lib.workbench.child", str(order)],
            pass_fds=(writing, self._guard.descriptor),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        os.close(writing)
        running = Running(task.name, popen.pid, reading, folder, time.monotonic(), popen=popen)
        return self._watch(running)

    def _watch(self, running: Running) -> Running:
        self._guard.announce(running.pid)
        os.set_blocking(running.channel, False)
        self._selector.register(running.channel, selectors.EVENT_READ, running)
        self.running[running.name] = running
        return running

    def wait(self, step: float = STEP) -> list[Ended]:
        """Wait a moment; return what ended in it."""
        for key, _ in self._selector.select(step):
            self._read(key.data)
        if self.interrupts > self._seen_interrupts:
            self._stop_all(now=self.interrupts > 1)
            self._seen_interrupts = self.interrupts
        ended = []
        for running in list(self.running.values()):
            self._enforce_limits(running)
            pid, status, usage = os.wait4(running.pid, os.WNOHANG)
            if pid:
                ended.append(self._bury(running, status, usage.ru_maxrss))
        return ended

    def _read(self, running: Running) -> None:
        chunk = b""
        with suppress(BlockingIOError):
            chunk = os.read(running.channel, 65536)
            if not chunk:
                self._selector.unregister(running.channel)
                return
        *lines, running.unread = (running.unread + chunk).split(b"\n")
        for line in lines:
            with suppress(ValueError):
                running.place = json.loads(line)
        if lines:
            self._on_place(running)

    def _stop_all(self, *, now: bool) -> None:
        for running in self.running.values():
            if now:
                kill_group(running.pid)
            elif not running.stopped_by:
                self._stop(running, "interrupt")

    def _stop(self, running: Running, why: str) -> None:
        running.stopped_by, running.step = why, -1
        running.next_step = 0.0

    def _enforce_limits(self, running: Running) -> None:
        if not running.stopped_by and running.seconds > running.limit:
            self._stop(running, "timeout")
        if time.monotonic() < running.next_step:
            return
        interrupted = running.stopped_by == "interrupt"
        ladder: Sequence[int] = (LADDER[0], LADDER[2]) if interrupted else LADDER
        running.step += 1
        if running.step < len(ladder):
            kill_group(running.pid, ladder[running.step])
            grace = GRACE_INTERRUPTED if interrupted else GRACE
            running.next_step = time.monotonic() + grace
        else:
            running.next_step = float("inf")

    def _bury(self, running: Running, status: int, peak: int) -> Ended:
        """Kill what the child left behind and say how it ended."""
        kill_group(running.pid)
        self._guard.retire(running.pid)
        with suppress(KeyError):
            self._read(running)
            self._selector.unregister(running.channel)
        os.close(running.channel)
        del self.running[running.name]
        if running.popen is not None:
            running.popen.returncode = os.waitstatus_to_exitcode(status)
        result = read_json(running.folder / RESULT)
        state, note = judge(running, status, result)
        unit = 1e6 if sys.platform == "darwin" else 1e3
        return Ended(
            running.name, state, note, result, running.folder, running.seconds, peak / unit
        )


def judge(running: Running, status: int, result: Mapping[str, Any]) -> tuple[str, str]:
    """Say how a child ended.

    Parameters
    ----------
    running : Running
        The child and where it was.
    status : int
        From `os.wait4`.
    result : mapping
        What it wrote, or empty.

    Returns
    -------
    state, note : str
        As in `Ended`.
    """
    code = os.waitstatus_to_exitcode(status)
    where = running.where()
    if code == 0 and result.get("state") in {"passed", "failed"}:
        stopped = running.stopped_by and result["state"] == "failed"
        if not stopped:
            return result["state"], result.get("note", "")
    if running.stopped_by == "interrupt" or result.get("state") == "interrupted":
        if running.stopped_by == "timeout":
            return "timed out", f"timed out after {running.limit:g} s{where}"
        return "interrupted", f"interrupted{where}"
    if running.stopped_by == "timeout":
        force = " and was killed: it ignored SIGINT and SIGTERM" if code == -signal.SIGKILL else ""
        return "timed out", f"timed out after {running.limit:g} s{where}{force}"
    if code < 0:
        return "killed", _died_of(-code, running) + where
    if code == 0 or not result:
        return "failed", f"exited by os._exit({code}) without finishing{where}"
    return "failed", result.get("note") or f"ended with exit code {code}{where}"


def _died_of(number: int, running: Running) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    crash = {"SIGSEGV": "segmentation fault", "SIGABRT": "abort in compiled code"}
    if name == "SIGKILL":
        return "killed by SIGKILL (out of memory, or by hand)"
    stack = running.folder / STACK
    see = f", see {STACK}" if stack.is_file() and stack.stat().st_size else ""
    return f"{crash[name]} ({name}{see})" if name in crash else f"killed by {name}"
