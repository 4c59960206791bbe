"""C01 and C04: the cells as each editor reads them, and as ruff judges them."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib.workbench.checklist.page import MARKER, Page, last_line
from lib.workbench.checklist.rules import Problem
from lib.workbench.scripts import Cell

# What the Jupyter extension of VS Code takes for the start of a cell unless told otherwise.
VSCODE_CODE = r"^(#\s*%%|#\s*\<codecell\>|#\s*In\[\d*?\]|#\s*In\[ \])"
VSCODE_MARKDOWN = r"^(#\s*%%\s*\[markdown\]|#\s*\<markdowncell\>)"
PYCHARM = re.compile(r"#\s?(%%|In\[|<codecell>)")
# What reads otherwise in a notebook, and what is wrong in any Python file.
RUFF_RULES = "F,E402,E703,E711,E712,E722,B015,B018,PLE"
# A tutorial imports what its reader will want; star imports are named by F403 alone.
RUFF_IGNORED = "F405,F541,F704"


def vscode_cells(
    text: str, code: str = VSCODE_CODE, markdown: str = VSCODE_MARKDOWN
) -> list[tuple[int, str]]:
    r"""Return line and kind of every cell as VS Code reads: line by line, by patterns.

    Parameters
    ----------
    text : str
        The script.
    code, markdown : str
        Patterns of its settings.

    Returns
    -------
    list of (int, str)
        Lines from 1.

    Examples
    --------
    >>> vscode_cells("# %% [markdown]\n# # Title\n\n# %%\nx = 1\n")
    [(1, 'markdown'), (4, 'code')]
    """
    return [
        (number, "markdown" if re.match(markdown, line) else "code")
        for number, line in enumerate(text.splitlines(), 1)
        if re.match(code, line) or re.match(markdown, line)
    ]


def pycharm_cells(text: str) -> list[int]:
    r"""Return the line of every cell as PyCharm reads: comments of the language, wherever.

    Parameters
    ----------
    text : str
        The script.

    Returns
    -------
    list of int
        Lines from 1.

    Examples
    --------
    >>> pycharm_cells('# %%\nif True:\n    # %% a cell here only\n    x = "# %%"\n')
    [1, 3]
    """
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT and PYCHARM.match(token.string)
    ]


def check_editors(page: Page) -> Iterator[Problem]:
    """C01: every editor sees the same cells."""
    vscode = vscode_cells(page.text)
    if not vscode and not page.in_project:
        return  # a plain script has no cells to disagree on
    jupytext = [(marker_line(page, cell), cell.kind) for cell in page.cells]
    try:
        pycharm = pycharm_cells(page.text)
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return  # C03 says so
    seen = {
        "jupytext": {line for line, _ in jupytext},
        "VS Code": {line for line, _ in vscode},
        "PyCharm": set(pycharm),
    }
    if not page.in_project and _is_only_comment(page, min(seen["VS Code"])):
        seen["jupytext"].discard(0)
    for line in sorted(set.union(*seen.values())):
        sees = [name for name, lines in seen.items() if line in lines]
        if line == 0:
            yield page.whole("C01", "something stands before the first cell marker")
        elif len(sees) < len(seen):
            yield Problem(page.path, line, "C01", f"a cell begins here for {_and(sees)} only", line)
    kinds = dict(jupytext)
    for line, kind in vscode:
        if line in kinds and kinds[line] != kind and page.in_project:
            said = f"a {kind} cell for VS Code, a {kinds[line]} cell for jupytext"
            yield Problem(page.path, line, "C01", said, line)


def marker_line(page: Page, cell: Cell) -> int:
    """Return the line of the marker that opens a cell; 0 where none does."""
    line = cell.line - 1
    while (
        line > 0
        and not MARKER.match(page.lines[line - 1].lstrip())
        and not page.lines[line - 1].strip('" ')
    ):
        line -= 1
    return line if line > 0 and MARKER.match(page.lines[line - 1].lstrip()) else 0


def _is_only_comment(page: Page, first: int) -> bool:
    """Say whether only comments, blank lines or a docstring stand before a line."""
    before = "\n".join(page.lines[: first - 1])
    try:
        body = ast.parse(before).body
    except SyntaxError:
        return False
    return not body or (len(body) == 1 and ast.get_docstring(ast.Module(body, [])) is not None)


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)


def judge_by_ruff(pages: Sequence[Page]) -> tuple[list[Problem], str]:
    """Return what ruff says of each script read as a notebook (C04).

    Parameters
    ----------
    pages : sequence of Page
        Those with a broken cell are left out: C03 says so.

    Returns
    -------
    problems : list of Problem
        With lines of the files.
    note : str
        Why nothing was judged; "" when it was.
    """
    whole = [page for page in pages if page.code and not any(p.code == "C03" for p in page.broken)]
    ruff = _find_ruff()
    if ruff is None:
        return [], "ruff is not installed, so C04 was not judged"
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        said = list(pool.map(lambda page: _ask_ruff(ruff, page), whole))
    return [p for page, found in zip(whole, said, strict=True) for p in _place(page, found)], ""


def _ask_ruff(ruff: str, page: Page) -> list[Mapping[str, object]]:
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
         "id": f"c{i}", "source": cell.source.splitlines(keepends=True)}
        for i, cell in enumerate(page.code)
    ]  # fmt: skip
    language = {"language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 5}
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    done = subprocess.run(
        [ruff, "check", "--isolated", "--no-cache", "--output-format", "json",
         "--select", RUFF_RULES, "--ignore", RUFF_IGNORED, "--target-version", version,
         "--stdin-filename", f"{page.path.stem}.ipynb", "-"],
        input=json.dumps(notebook), capture_output=True, text=True, timeout=60, check=False,
        encoding="utf-8",
    )  # fmt: skip
    try:
        found: list[Mapping[str, object]] = json.loads(done.stdout)
    except ValueError:
        return []
    return found


def _place(page: Page, found: Sequence[Mapping[str, object]]) -> Iterator[Problem]:
    """Turn cell and row of a notebook into the line of the file."""
    cells = page.code
    for said in found:
        row, end = said["location"]["row"], said["end_location"]["row"]  # type: ignore[index]
        cell = cells[int(str(said["cell"])) - 1]
        if said["code"] and cell.line + row - 1 <= last_line(cell):
            message = f"{said['code']}: {str(said['message']).splitlines()[0]}"
            start = cell.line + row - 1
            yield Problem(page.path, start, "C04", message, cell.line + end - 1)


def _find_ruff() -> str | None:
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff")
