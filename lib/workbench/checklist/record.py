"""The half that only a run can know, from the record of the last run on every dataset.

A run counts while neither the script nor any file of ours that it reached has changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.config import Config
from lib.workbench.checklist.page import Page, last_line
from lib.workbench.checklist.rules import Problem
from lib.workbench.files import read_json
from lib.workbench.scripts import Cell, Script

MAX_SECONDS = 300.0
FINISHED = {"passed", "not tracked", "unchanged", "rendered"}


@dataclass
class Runs:
    """What is left of runs, read once for all scripts.

    Parameters
    ----------
    config : Config
        Says where reports are.
    """

    config: Config
    manifests: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _hashes: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted(self.config.reports.glob("*/manifest.json")):
            self.manifests[path.parent.name] = read_json(path).get("analyses", {})

    def of(self, page: Page) -> dict[str, Mapping[str, Any]]:
        """Return the entry of each dataset on which this very script ran, and passed."""
        script = Script(page.path, "", (), page.cells)
        digest = script.code_digest()
        return {
            dataset: analyses[page.path.stem]
            for dataset, analyses in self.manifests.items()
            if self._is_valid(analyses.get(page.path.stem, {}), digest, page.path)
        }

    def _is_valid(self, entry: Mapping[str, Any], digest: str, path: Path) -> bool:
        key = entry.get("key", {})
        if entry.get("state") not in FINISHED or key.get("code") != digest:
            return False
        bases = (path.parent.parent, self.config.root)
        files = {name: seen for name, seen in key.get("files", {}).items() if name[:4] == "lib/"}
        return all(
            seen in {self._hash(base / name) for base in bases} for name, seen in files.items()
        )

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            there = path.is_file()
            self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest() if there else ""
        return self._hashes[path]


def check_runs(page: Page, runs: Runs) -> tuple[list[Problem], set[str]]:
    """Return what the last runs of a script showed, and the codes on which they had a say.

    Parameters
    ----------
    page : Page
        One of our analyses.
    runs : Runs
        All that is left of runs.

    Returns
    -------
    problems : list of Problem
        Of A05, A06, A08, A09 and A10; each once, whatever the number of datasets.
    judged : set of str
        Codes that a run judged.
    """
    found: dict[tuple[int, str, str], Problem] = {}
    judged: set[str] = set()
    for dataset, entry in runs.of(page).items():
        record = read_json(runs.config.reports / dataset / page.path.stem / "record.json")
        seen = record.get("observed")
        problems = list(_check_outcome(page, entry, record, dataset))
        if seen is not None:
            judged |= {"A05", "A08", "A09", "A10"}
            problems += _check_observed(page, seen, dataset)
        for problem in problems:
            found.setdefault(
                (problem.line, problem.code, problem.message.partition(" (")[0]), problem
            )
    return list(found.values()), judged


def _check_outcome(
    page: Page, entry: Mapping[str, Any], record: Mapping[str, Any], dataset: str
) -> Iterator[Problem]:
    seconds, effort = entry.get("seconds", 0.0), entry["key"].get("choices", {}).get("effort")
    if seconds > MAX_SECONDS and effort != "thorough":
        yield page.whole("A10", f"the last run took {seconds / 60:.1f} minutes (on {dataset})")
    if page.uses_lib and record and not record.get("findings"):
        yield page.whole("A06", f"the last run recorded no finding (on {dataset})")


def _check_observed(page: Page, seen: Mapping[str, Any], dataset: str) -> Iterator[Problem]:
    for drawn in seen.get("axes", []):
        said = f"{drawn['what']} was drawn without {', '.join(drawn['lacks'])} (on {dataset})"
        yield _at(page, drawn["line"], "A05", said)
    for moved in seen.get("random", []):
        said = f"the random state of {moved['whose']} that a process shares was used (on {dataset})"
        yield _at(page, moved["line"], "A09", said)
    for opened in seen.get("absolute", []):
        said = f'a file outside the project was opened: "{opened["path"]}" (on {dataset})'
        yield _at(page, opened["line"], "A08", said)


def _at(page: Page, line: int, code: str, message: str) -> Problem:
    """Return a problem that an exception anywhere in the statement may excuse."""
    cell = next((c for c in page.code if c.line <= line <= last_line(c)), None)
    return Problem(page.path, line, code, message, _end_of_statement(page, cell, line))


def _end_of_statement(page: Page, cell: Cell | None, line: int) -> int:
    if cell is None:
        return line
    if line == cell.line:
        return last_line(cell)
    spans = ((n.lineno, n.end_lineno or n.lineno) for n in page.body(cell).body)
    return next((last for first, last in spans if first <= line <= last), line)
