"""The analyses as the runner sees them: plain percent scripts with a title, needs and cells.

jupytext reads them; what it read is kept by the hash of the file, so that a run in which
nothing changed does not even import it.
"""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lib.errors import InputError, suggest
from lib.workbench.files import read_json, write_json
from lib.workbench.preload import NO_SERVER, without

READER = "1"  # raise when this module reads the same file differently
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}
NAME = re.compile(r"^(\d{2,3})_\w+$")
MARKER = re.compile(r"#\s*%%")
KEPT_METADATA = ("title", "tags", "cell_depth")


@dataclass(frozen=True)
class Cell:
    """One cell of a script.

    Attributes
    ----------
    kind : {"code", "markdown", "raw"}
        What it holds.
    source : str
        Its text as a notebook shows it.
    line : int
        Line of the file on which `source` begins, from 1.
    metadata : mapping
        Title and tags.
    """

    kind: str
    source: str
    line: int
    metadata: Mapping[str, Any]

    @property
    def title(self) -> str:
        """The title after `# %%`, else the first line of code."""
        lines = [line for line in self.source.splitlines() if line.strip()]
        return str(self.metadata.get("title") or (lines[0].strip()[:60] if lines else "(empty)"))

    @property
    def tags(self) -> list[str]:
        """The tags after `tags=`."""
        return list(self.metadata.get("tags", []))


@dataclass(frozen=True)
class Script:
    """One analysis.

    Attributes
    ----------
    path : Path
        The file, absolute.
    title : str
        Its first heading.
    needs : tuple of str
        Names of the analyses whose results it looks up.
    cells : tuple of Cell
        In order.
    """

    path: Path
    title: str
    needs: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """File name without its suffix, such as `11_baseline_models`."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The digits in front, such as `11`."""
        return self.name.partition("_")[0]

    def code_digest(self) -> str:
        """Return a hash of all that can change a result: code, its tags, and the headings.

        Headings count because they name the sections of the findings; other prose does not.
        """
        parts = [
            ["code", cell.source, cell.tags]
            if cell.kind == "code"
            else ["headings", *headings(cell.source)]
            for cell in self.cells
            if cell.kind == "code" or headings(cell.source)
        ]
        return _sha(json.dumps(parts))

    def prose_digest(self) -> str:
        """Return a hash of everything a reader sees, prose and cell titles included."""
        return _sha(json.dumps([[c.kind, c.source, dict(c.metadata)] for c in self.cells]))

    def parameters(self) -> list[str]:
        """Return the names that a cell tagged `parameters` assigns."""
        code = "\n".join(c.source for c in self.cells if "parameters" in c.tags)
        try:
            body = ast.parse(code).body
        except SyntaxError:
            return []  # running it will say so with its line
        targets = [
            target
            for node in body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        ]
        return [target.id for target in targets if isinstance(target, ast.Name)]


def headings(markdown: str) -> list[str]:
    r"""Return the headings of a Markdown cell, fenced code apart.

    Parameters
    ----------
    markdown : str
        The cell's text.

    Returns
    -------
    list of str
        Without the number signs.

    Examples
    --------
    >>> headings("# 11 · Baselines\n\ntext #1\n## Why?")
    ['11 · Baselines', 'Why?']
    """
    found, fenced = [], False
    for line in markdown.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        match = re.match(r"^#{1,6}\s+(.*?)\s*#*$", line)
        if match and not fenced:
            found.append(match.group(1))
    return found


def find_scripts(folder: Path, cache: Path) -> dict[str, Script]:
    """Return the analyses of a folder by name, in order of their numbers.

    Parameters
    ----------
    folder : Path
        Where the scripts are.
    cache : Path
        File that keeps what was read, by contents.

    Returns
    -------
    dict of str to Script
        Named `NN_words.py`; other files are no analyses.

    Raises
    ------
    InputError
        When there is none, or one needs another that does not exist.
    """
    paths = sorted(p.resolve() for p in folder.glob("*.py") if NAME.match(p.stem))
    if not paths:
        msg = f"There is no analysis in {folder}: expected files such as 01_first_look.py."
        raise InputError(msg)
    known = read_json(cache).get(READER, {})
    read = {path: known.get(_file_sha(path)) or _read(path) for path in paths}
    if {entry["sha"] for entry in read.values()} != set(known):
        write_json(cache, {READER: {entry["sha"]: entry for entry in read.values()}})
    numbers = {path.stem.partition("_")[0]: path.stem for path in paths}
    return {path.stem: _as_script(path, entry, numbers) for path, entry in read.items()}


def select(scripts: Mapping[str, Script], wanted: Sequence[str]) -> list[str]:
    """Return the names that a user's words mean, in order of their numbers.

    Parameters
    ----------
    scripts : mapping of str to Script
        All analyses.
    wanted : sequence of str
        Numbers, names, paths or patterns; empty means all.

    Returns
    -------
    list of str
        Names of analyses.

    Raises
    ------
    InputError
        When a word fits none.
    """
    if not wanted:
        return list(scripts)
    chosen: set[str] = set()
    for word in wanted:
        plain = Path(word).stem if word.endswith(".py") else word
        fits = [s.name for s in scripts.values() if _fits(s, plain)]
        if not fits:
            known = [*scripts, *(s.number for s in scripts.values())]
            msg = f"There is no analysis '{word}'. Analyses: {', '.join(scripts)}."
            raise InputError(msg + suggest(plain, known))
        chosen.update(fits)
    return [name for name in scripts if name in chosen]


def with_needs(scripts: Mapping[str, Script], names: Iterable[str]) -> list[str]:
    """Return `names` and all they need, each after what it needs, else by number.

    Parameters
    ----------
    scripts : mapping of str to Script
        All analyses.
    names : iterable of str
        The selected ones.

    Returns
    -------
    list of str
        A topological order.

    Raises
    ------
    InputError
        When analyses need each other in a circle.
    """
    order: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_:
            circle = " → ".join([*open_[open_.index(name) :], name])
            msg = f"Analyses need each other in a circle: {circle}. Drop one of these needs."
            raise InputError(msg)
        open_.append(name)
        for need in sorted(scripts[name].needs):
            visit(need)
        open_.pop()
        order.append(name)

    for name in sorted(names):
        visit(name)
    return order


def _fits(script: Script, word: str) -> bool:
    return fnmatch.fnmatchcase(script.name, word) or fnmatch.fnmatchcase(script.number, word)


def _as_script(path: Path, entry: Mapping[str, Any], numbers: Mapping[str, str]) -> Script:
    missing = [number for number in entry["needs"] if number not in numbers]
    if missing:
        msg = (
            f"{path.name} says that it needs {missing[0]}, but there is no analysis with this "
            f"number. Mend its line **You need**. Numbers: {', '.join(numbers)}."
        )
        raise InputError(msg)
    needs = tuple(numbers[number] for number in entry["needs"])
    cells = tuple(Cell(**cell) for cell in entry["cells"])
    return Script(path=path, title=entry["title"], needs=needs, cells=cells)


def _read(path: Path) -> dict[str, Any]:
    with without(NO_SERVER):
        import jupytext  # noqa: PLC0415  # only when a file changed

    text = _decode(path)
    notebook = jupytext.reads(text, fmt=PERCENT)
    cells = place_cells(notebook.cells, text.splitlines())
    first = next((cell.source for cell in cells if cell.kind == "markdown"), "")
    title = next(iter(headings(first)), path.stem)
    return {
        "sha": _file_sha(path),
        "title": title,
        "needs": _needs(first),
        "cells": [asdict(cell) for cell in cells],
    }


def _decode(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path.name} is not UTF-8 text ({error.reason}). Save it as UTF-8."
        raise InputError(msg) from error


def _needs(first_cell: str) -> list[str]:
    """Return the numbers of the line **You need**; a following sentence does not count."""
    match = re.search(r"\*\*You need:?\*\*:?\s*(.*)", first_cell)
    said = match.group(1) if match else ""
    clause = re.split(r"[.;(]|\bnothing\b", said)[0]
    return sorted(set(re.findall(r"\b\d{2,3}\b", clause)))


def place_cells(cells: Iterable[Any], lines: list[str]) -> list[Cell]:
    r"""Find the line of the file on which each cell begins; jupytext does not tell.

    Parameters
    ----------
    cells : iterable of nbformat.NotebookNode
        As jupytext read them.
    lines : list of str
        Of the file.

    Returns
    -------
    list of Cell
        In order.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell
    >>> place_cells([new_code_cell("x = 1")], ["# %%", "x = 1"])[0].line
    2
    """
    placed: list[Cell] = []
    position = 0
    for cell in cells:
        source = cell.source.splitlines()
        shown = source if cell.cell_type == "code" else [f"# {line}".rstrip() for line in source]
        start = next(
            (
                i
                for i in range(position, len(lines) - len(shown) + 1)
                if [line.rstrip() for line in lines[i : i + len(shown)]]
                == [line.rstrip() for line in shown]
                and (not i or cell.cell_type != "code" or MARKER.match(lines[i - 1]) or not placed)
            ),
            position,
        )
        position = start + len(shown)
        metadata = {k: v for k, v in cell.metadata.items() if k in KEPT_METADATA}
        placed.append(Cell(cell.cell_type, cell.source, start + 1, metadata))
    return placed


def _file_sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
