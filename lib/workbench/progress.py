"""What the terminal shows: one line per analysis while it runs, a table at the end."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from lib.workbench.manifest import Row
from lib.workbench.supervise import Running

REDRAW = 0.2  # seconds
MARKS = {
    "passed": "✓", "unchanged": "=", "rendered": "=", "failed": "✗", "timed out": "✗",
    "killed": "✗", "interrupted": "✗", "blocked": "-",
}  # fmt: skip
HEADER = ("analysis", "state", "seconds", "peak MB", "cells", "findings", "note")


class Progress:
    """Writes lines; on a terminal those of running analyses are redrawn in place.

    Parameters
    ----------
    out : TextIO
        Standard output.
    running : mapping of str to Running
        What is under way; read whenever it redraws.
    """

    def __init__(self, out: TextIO, running: Mapping[str, Running]) -> None:
        self._out = out
        self._running = running
        self._live = out.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = 0
        self._next = 0.0

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._erase()
        self._out.write(text + "\n")
        self._out.flush()

    def started(self, name: str) -> None:
        """Say that an analysis began; a terminal shows it by its live line."""
        if not self._live:
            self.say(f"{name}: started")

    def ended(self, row: Row) -> None:
        """Say how an analysis ended."""
        facts = f" in {row.seconds:.1f} s, {row.peak_mb:.0f} MB" if row.seconds else ""
        note = f": {row.note}" if row.note else ""
        mark = f"{MARKS.get(row.state, ' ')} " if self._live else ""
        self.say(f"{mark}{row.name}: {row.state}{facts}{note}")

    def tick(self) -> None:
        """Redraw the live lines, at most five times a second."""
        if not self._live or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REDRAW
        self._erase()
        width = shutil.get_terminal_size().columns
        for running in self._running.values():
            place = running.place
            where = f"[{place['position'] + 1}/{place['of']}] {place['cell']}" if place else ""
            line = f"… {running.name}  {running.seconds:5.1f} s  {_memory(running.pid)}  {where}"
            self._out.write(line[: width - 1] + "\n")
            self._drawn += 1
        self._out.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}F\x1b[0J")
            self._drawn = 0


def _memory(pid: int) -> str:
    """Return the peak resident memory of a living process, where the system tells."""
    with suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        kilobytes = int(status.partition("VmHWM:")[2].split()[0])
        return f"{kilobytes / 1e3:5.0f} MB"
    return ""


def summary(rows: Sequence[Row]) -> str:
    """Return the table that ends a run.

    Parameters
    ----------
    rows : sequence of Row
        In order.

    Returns
    -------
    str
        Lines of aligned columns; notes may wrap.
    """
    cells = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEADER) - 1)]
    numeric = {2, 3, 4}
    lines = []
    for row in cells:
        columns = [
            text.rjust(width) if i in numeric else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join([*columns, row[-1]]).rstrip())
    lines.insert(1, "─" * max(len(line) for line in lines[:1]))
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    ran = row.state not in {"blocked", "not run"} and row.seconds
    findings = " ".join([str(row.findings), row.compared]).strip() if row.cells else ""
    return (
        row.name,
        row.state,
        f"{row.seconds:.1f}" if ran else "",
        f"{row.peak_mb:.0f}" if ran else "",
        str(row.cells) if row.cells else "",
        findings,
        row.note,
    )
