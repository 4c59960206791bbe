"""The command: `python -m lib.workbench checklist [PATH…]`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

from lib.config import Config
from lib.errors import InputError
from lib.workbench.checklist.cells import check_editors, judge_by_ruff
from lib.workbench.checklist.code import check_imports, check_names, check_paths
from lib.workbench.checklist.exceptions import apply_exceptions
from lib.workbench.checklist.figures import check_figures
from lib.workbench.checklist.page import Page, read_page
from lib.workbench.checklist.prose import check_findings, check_prose, check_title
from lib.workbench.checklist.randomness import check_seeds
from lib.workbench.checklist.record import Runs, check_runs
from lib.workbench.checklist.rules import RULES, Problem

Format = Literal["text", "github"]
CHECKS: tuple[Callable[[Page], Iterator[Problem]], ...] = (
    check_title, check_imports, check_prose, check_names, check_figures, check_findings,
    check_paths, check_seeds, check_editors,
)  # fmt: skip
BY_RUN = {"A05", "A08", "A09", "A10"}
SKIPPED = {"node_modules", "site-packages", "__pycache__", "build", "dist", "venv"}
PASTED = ("data:image/png;base64,", "# Out[", '"image/png": "iVBOR')


@dataclass
class Judgement:
    """What came out.

    Attributes
    ----------
    problems : list of Problem
        By file and line.
    n_scripts : int
        How many were judged.
    n_run : int
        How many of our analyses were judged by a run, too.
    n_ours : int
        How many are ours.
    notes : list of str
        What could not be judged, and why.
    """

    problems: list[Problem]
    n_scripts: int = 0
    n_run: int = 0
    n_ours: int = 0
    notes: list[str] = field(default_factory=list)


def run_checklist(
    paths: Sequence[Path], config: Config, out: TextIO, *, how: Format | None = None
) -> int:
    """Judge scripts, say what was found, and return the exit code.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders; none means the analyses of this project.
    config : Config
        Says where they are.
    out : TextIO
        Where the answer goes.
    how : {"text", "github", None}
        None: as GitHub's annotations where GitHub runs us, else as text.

    Returns
    -------
    int
        0 clean, 1 problems.

    Raises
    ------
    InputError
        When a path does not exist or holds no script.
    """
    how = how or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    judgement = judge(paths or [config.analyses], config)
    write = _write_annotations if how == "github" else _write_text
    write(judgement, out)
    return 1 if judgement.problems else 0


def judge(paths: Sequence[Path], config: Config) -> Judgement:
    """Return every problem of the scripts.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders.
    config : Config
        Says which are our analyses, and where their reports are.

    Returns
    -------
    Judgement
        With problems in order.

    Raises
    ------
    InputError
        When a path does not exist or holds no script.
    """
    paths = [path.resolve() for path in paths]
    files = find_files(paths)
    home = config.analyses.resolve()
    pages = [read_page(path, in_project=path.parent == home) for path in files]
    runs = Runs(config) if any(page.in_project for page in pages) else None
    by_ruff, note = judge_by_ruff(pages)
    judgement = Judgement([], len(pages), notes=[note] if note else [])
    for page in pages:
        found = [*page.broken, *(p for p in by_ruff if p.path == page.path)]
        found += [problem for check in CHECKS for problem in check(page)]
        found += _check_pasted(page)
        found = _without_doubles(found)
        judged = set(RULES) - ({"C04"} if note else set())
        judged -= {"A10", "A07"} if not page.in_project else BY_RUN | {"A07"}
        if runs is not None and page.in_project:
            seen, by_run = check_runs(page, runs)
            found = _merge(found, seen)
            judged |= by_run
            judgement.n_run += bool(by_run)
            judgement.n_ours += 1
        judgement.problems += apply_exceptions(page, sorted(set(found)), judged=judged)
    judgement.problems += check_notebooks(paths, config)
    judgement.problems.sort()
    return judgement


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the scripts of files and folders, in order.

    Parameters
    ----------
    paths : sequence of Path
        Absolute.

    Returns
    -------
    list of Path
        Files that end in `.py`; hidden folders and environments left out.

    Raises
    ------
    InputError
        When a path does not exist, or holds neither a script nor a notebook.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            msg = f"There is no {path}: give a script or a folder of scripts."
            raise InputError(msg)
        if path.is_file():
            inside = [path] if path.suffix in {".py", ".ipynb"} else []
        else:
            inside = [
                file
                for file in sorted([*path.rglob("*.py"), *path.rglob("*.ipynb")])
                if not _is_skipped(file.relative_to(path)) and file.is_file()
            ]
        if not inside:
            msg = f"There is no script in {path}: expected files that end in .py."
            raise InputError(msg)
        found |= dict.fromkeys(file for file in inside if file.suffix == ".py")
    return list(found)


def check_notebooks(paths: Sequence[Path], config: Config) -> Iterator[Problem]:
    """A07: no notebook in git, and none with outputs beside the scripts.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders; among them our analyses, the whole project is asked.
    config : Config
        Says where the project is.

    Yields
    ------
    Problem
        At the first line of each notebook.
    """
    asked = dict.fromkeys(
        config.root if path == config.analyses.resolve() else path for path in paths
    )
    for path in asked:
        folder = path if path.is_dir() else path.parent
        tracked = _tracked_notebooks(folder)
        if path.is_file():
            there = {path} if path.suffix == ".ipynb" else set()
            tracked = tracked & there if tracked is not None else None
        elif tracked is None or path != config.root:
            there = {f for f in path.rglob("*.ipynb") if not _is_skipped(f.relative_to(path))}
        else:
            there = set()
        for notebook in sorted(tracked or ()):
            yield Problem(notebook, 1, "A07", "a notebook is kept in git")
        for notebook in sorted(there - (tracked or set())):
            if n_outputs := _count_outputs(notebook):
                yield Problem(
                    notebook, 1, "A07", f"the notebook stores the outputs of {n_outputs} cells"
                )


def _check_pasted(page: Page) -> Iterator[Problem]:
    for number, line in enumerate(page.lines, 1):
        if line.startswith("# Out[") or any(mark in line for mark in PASTED[:1] + PASTED[2:]):
            yield Problem(page.path, number, "A07", "an output is pasted into the script", number)


def _without_doubles(found: Sequence[Problem]) -> list[Problem]:
    """Drop what ruff says of an import that A02 reports already."""
    late = {problem.line for problem in found if problem.code == "A02"}
    doubles = ("E402", "F811")
    return [
        p
        for p in found
        if not (p.code == "C04" and p.line in late and p.message.startswith(doubles))
    ]


def _merge(static: Sequence[Problem], seen: Sequence[Problem]) -> list[Problem]:
    """Join what the code shows and what a run showed, once where they say the same."""
    said = {(p.code, n) for p in static for n in range(p.line, max(p.last, p.line) + 1)}
    known = {p.code for p in static if not p.last}
    return [*static, *(p for p in seen if (p.code, p.line) not in said and p.code not in known)]


def _tracked_notebooks(folder: Path) -> set[Path] | None:
    """Return the notebooks that git keeps under a folder; None where there is no git."""
    command = ["git", "-c", "core.quotepath=off", "ls-files", "-z", "--", "*.ipynb"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    names = done.stdout.decode("utf-8", errors="replace").split("\0")
    return {folder / name for name in names if name and (folder / name).is_file()}


def _count_outputs(notebook: Path) -> int:
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        return sum(bool(cell.get("outputs")) for cell in cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def _is_skipped(relative: Path) -> bool:
    return any(part in SKIPPED or part.startswith(".") for part in relative.parts)


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def _write_text(judgement: Judgement, out: TextIO) -> None:
    explained: set[str] = set()
    for problem in judgement.problems:
        out.write(f"{_shown(problem.path)}:{problem.line}: {problem.code} {problem.message}\n")
        if problem.code not in explained:
            rule = RULES[problem.code]
            out.write(f"    {rule.title}. {rule.why}\n    Way out: {rule.way_out}\n")
        explained.add(problem.code)
    out.write(f"{_summary(judgement)}\n")


def _write_annotations(judgement: Judgement, out: TextIO) -> None:
    """Write what GitHub shows beside the lines of a pull request."""
    for problem in judgement.problems:
        rule = RULES[problem.code]
        place = f"file={_escape(_shown(problem.path), ':,')},line={problem.line}"
        title = _escape(f"{rule.code} {rule.title}", ":,")
        said = _escape(f"{problem.message}\n{rule.why}\nWay out: {rule.way_out}")
        out.write(f"::error {place},title={title}::{said}\n")
    out.write(f"{_summary(judgement)}\n")


def _escape(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _summary(judgement: Judgement) -> str:
    n = len(judgement.problems)
    said = "no problem" if not n else "1 problem" if n == 1 else f"{n} problems"
    parts = [f"checklist: {said} in {judgement.n_scripts} script{'s' * (judgement.n_scripts != 1)}"]
    if judgement.n_run < judgement.n_ours:
        without = judgement.n_ours - judgement.n_run
        parts.append(f"{without} without a valid last run, judged by their text alone")
    return "; ".join([*parts, *judgement.notes])
