"""What the last run of every analysis left: the memory by which the next run skips work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.report.digest import findings_digest
from lib.workbench.files import read_json, write_json

FORMAT = 1
FINISHED = {"passed", "unchanged", "rendered"}


@dataclass
class Row:
    """One line of the summary and of the index.

    Attributes
    ----------
    state : str
        "passed", "unchanged", "rendered" (prose only), "failed", "timed out", "killed",
        "interrupted", "blocked" or "not run".
    compared : str
        Findings against the committed ones: "same", "changed", "new" or "".
    """

    name: str
    title: str = ""
    state: str = "not run"
    note: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    cells: int = 0
    findings: int = 0
    warnings: int = 0
    headline: str = ""
    compared: str = ""

    @property
    def finished(self) -> bool:
        """Whether its results are there and valid."""
        return self.state in FINISHED


class Manifest:
    """The file `manifest.json` of one dataset's reports.

    Parameters
    ----------
    folder : Path
        Reports of one dataset.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "manifest.json"
        read = read_json(self._path)
        self._entries: dict[str, Any] = (
            read.get("analyses", {}) if read.get("format") == FORMAT else {}
        )

    def entry(self, name: str) -> Mapping[str, Any]:
        """Return what the last run of an analysis left; empty if it never ran."""
        entry: Mapping[str, Any] = self._entries.get(name, {})
        return entry

    def put(self, name: str, entry: Mapping[str, Any]) -> None:
        """Replace an entry and write the file, whole."""
        self._entries[name] = {**entry, "at": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
        self._write()

    def amend(self, name: str, **changed: Any) -> None:
        """Change parts of an entry."""
        self._entries[name] = {**self.entry(name), **changed}
        self._write()

    def row(self, name: str, title: str) -> Row:
        """Return the last run of an analysis as a row."""
        entry = self.entry(name)
        known = {key: entry[key] for key in Row.__dataclass_fields__ if key in entry}
        return Row(**{**known, "name": name, "title": title})

    def findings_digest(self, name: str) -> str | None:
        """Return a hash of what an analysis found, its provenance apart; None without findings."""
        return findings_digest(self.folder / name / "findings.json")

    def _write(self) -> None:
        write_json(self._path, {"format": FORMAT, "analyses": self._entries})


def compare_findings(found: Path, committed: Path) -> str:
    """Say whether findings are the committed ones.

    Parameters
    ----------
    found, committed : Path
        Markdown files.

    Returns
    -------
    str
        "same", "changed", "new", or "" when nothing was recorded.
    """
    if not found.is_file():
        return ""
    if not committed.is_file():
        return "new"
    return "same" if found.read_bytes() == committed.read_bytes() else "changed"
