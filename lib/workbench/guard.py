"""A small process that outlives the runner by a moment and leaves no orphan behind.

The runner cannot clean up after `kill -9`. The guard, forked before anything else and in a
session of its own, reads a pipe on which process groups are announced (`+123`) and retired
(`-123`). When the pipe ends, the runner is gone, and every group still announced is killed.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress


class Guard:
    """Starts the guard process; announces and retires process groups.

    Attributes
    ----------
    descriptor : int
        The pipe's end for writing: children announce themselves on it, then close it.
    """

    def __init__(self) -> None:
        reading, self.descriptor = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self.descriptor)
            _keep_watch(reading)
        os.close(reading)

    def announce(self, group: int) -> None:
        """Have a process group killed when the runner dies."""
        self._write(f"+{group}\n")

    def retire(self, group: int) -> None:
        """Forget a group that has ended."""
        self._write(f"-{group}\n")

    def close(self) -> None:
        """End the guard; it kills what was not retired."""
        with suppress(OSError):
            os.close(self.descriptor)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _write(self, line: str) -> None:
        with suppress(BrokenPipeError):
            os.write(self.descriptor, line.encode())


def kill_group(group: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process group, which may have ended.

    Parameters
    ----------
    group : int
        Its id, the process id of its leader.
    number : int
        The signal.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _keep_watch(reading: int) -> None:
    """Read announcements until the pipe ends, then kill and leave; never returns."""
    try:
        os.setsid()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):  # else `run_analyses | tail` would wait for the guard
            os.dup2(nothing, standard)
        groups: set[int] = set()
        rest = b""
        while chunk := os.read(reading, 4096):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                change = groups.add if line[:1] == b"+" else groups.discard
                change(int(line[1:]))
        for group in groups:
            kill_group(group)
    finally:
        os._exit(0)
