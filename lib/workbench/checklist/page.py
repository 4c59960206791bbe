"""A script as the rules see it: its cells, their syntax trees, and what its imports mean."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lib.workbench.checklist.rules import Problem
from lib.workbench.scripts import Cell, place_cells

HEADER = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")  # jupytext's own, in scripts of others
MARKER = re.compile(r"#\s*%%")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


@dataclass(frozen=True)
class Page:
    """One script.

    Attributes
    ----------
    path : Path
        The file.
    text : str
        Its contents.
    cells : tuple of Cell
        As jupytext reads them.
    in_project : bool
        Whether it is one of our analyses: then our conventions hold.
    broken : tuple of Problem
        What kept it, or a part of it, from being read (C02, C03).
    """

    path: Path
    text: str
    cells: tuple[Cell, ...] = ()
    in_project: bool = True
    broken: tuple[Problem, ...] = ()
    _bodies: dict[int, ast.Module] = field(default_factory=dict, compare=False)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.text.splitlines()

    @property
    def code(self) -> list[Cell]:
        """The code cells that hold anything."""
        return [cell for cell in self.cells if cell.kind == "code" and cell.source.strip()]

    def body(self, cell: Cell) -> ast.Module:
        """Return the syntax tree of a code cell, with lines of the file; empty if it is broken."""
        if cell.line not in self._bodies:
            try:
                tree = parse(cell)
            except (SyntaxError, ValueError):
                tree = ast.Module([], [])
            self._bodies[cell.line] = tree
        return self._bodies[cell.line]

    def trees(self) -> Iterator[tuple[Cell, ast.Module]]:
        """Yield every code cell with its syntax tree."""
        yield from ((cell, self.body(cell)) for cell in self.code)

    def nodes(self) -> Iterator[ast.AST]:
        """Yield every node of every cell."""
        for _, tree in self.trees():
            yield from ast.walk(tree)

    @cached_property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """Every call with the dotted name of what is called."""
        return [
            (self.dotted(node.func), node) for node in self.nodes() if isinstance(node, ast.Call)
        ]

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported name stands for: `{"np": "numpy", "KFold": "sklearn….KFold"}`."""
        found: dict[str, str] = {}
        for node in self.nodes():
            if isinstance(node, ast.Import):
                for alias in node.names:
                    root = alias.name.partition(".")[0]
                    found[alias.asname or root] = alias.name if alias.asname else root
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    @cached_property
    def packages(self) -> set[str]:
        """The packages that it imports."""
        return {name.partition(".")[0] for name in self.names.values()}

    @property
    def uses_lib(self) -> bool:
        """Whether it imports this project's shared logic."""
        return any(n in OWN or n.startswith(OWN_DOTS) for n in self.names.values())

    def dotted(self, node: ast.AST) -> str:
        """Return `pandas.read_csv` for `pd.read_csv`; "" where no name stands in front."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            front = self.dotted(node.value)
            return f"{front}.{node.attr}" if front else f".{node.attr}"
        return ""

    def at(self, node: ast.AST, code: str, message: str) -> Problem:
        """Return a problem of a statement or expression."""
        line = getattr(node, "lineno", 1)
        return Problem(self.path, line, code, message, getattr(node, "end_lineno", None) or line)

    def in_cell(self, cell: Cell, code: str, message: str) -> Problem:
        """Return a problem of a cell."""
        return Problem(self.path, cell.line, code, message, last_line(cell))

    def whole(self, code: str, message: str, line: int = 1) -> Problem:
        """Return a problem of the file."""
        return Problem(self.path, line, code, message)


OWN = ("lib.report", "lib.config", "lib.data", "lib.plots")
OWN_DOTS = tuple(f"{name}." for name in OWN)


def read_page(path: Path, *, in_project: bool) -> Page:
    """Read a script.

    Parameters
    ----------
    path : Path
        The file.
    in_project : bool
        Whether it is one of our analyses.

    Returns
    -------
    Page
        With what could not be read among its problems.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        said = f"not UTF-8 text ({error.reason}): save it as UTF-8"
        return Page(path, "", in_project=in_project, broken=(Problem(path, line, "C03", said),))
    return page_of(text, path, in_project=in_project)


def page_of(text: str, path: Path, *, in_project: bool = True) -> Page:
    r"""Return the page of a script's text.

    Parameters
    ----------
    text : str
        As the file holds it.
    path : Path
        The file.
    in_project : bool
        Whether it is one of our analyses.

    Returns
    -------
    Page
        With its cells.

    Examples
    --------
    >>> page = page_of("# %% Add\nimport numpy as np\nnp.add(1, 1)\n", Path("50_x.py"))
    >>> [(cell.line, cell.title) for cell in page.cells], page.calls[0][0]
    ([(2, 'Add')], 'numpy.add')
    """
    from lib.workbench.notebooks import as_notebook, as_script  # noqa: PLC0415  # jupytext

    header = HEADER.match(text)
    shown = (
        text
        if in_project or not header
        else "\n" * header.group().count("\n") + text[header.end() :]
    )
    try:
        notebook = as_notebook(shown)
        cells = tuple(place_cells(notebook.cells, shown.splitlines()))
        again = as_script(notebook) if in_project else shown
    except Exception as error:  # noqa: BLE001  # a header in bad YAML raises anything
        said = f"jupytext cannot read it ({type(error).__name__}: {error})"
        return Page(path, text, (), in_project, (Problem(path, 1, "C02", said.splitlines()[0]),))
    broken = [p for cell in cells if cell.kind == "code" for p in _compile(path, cell)]
    if again != shown and not broken:
        broken = [_unstable(path, shown, again)]
    return Page(path, shown, cells, in_project, tuple(broken))


def parse(cell: Cell) -> ast.Module:
    """Return the syntax tree of a cell with the lines of its file; `await` may stand anywhere."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree: ast.Module = compile(cell.source, "cell", "exec", flags=flags, dont_inherit=True)
    ast.increment_lineno(tree, cell.line - 1)
    return tree


def last_line(cell: Cell) -> int:
    """Return the last line of a cell."""
    return cell.line + max(cell.source.count("\n"), 0)


def _compile(path: Path, cell: Cell) -> list[Problem]:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        compile(cell.source, path.name, "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = cell.line + (getattr(error, "lineno", None) or 1) - 1
        said = getattr(error, "msg", None) or str(error)
        shown = (getattr(error, "text", None) or "").strip()[:60]
        message = f"the cell is not Python by itself: {said}" + (f" (`{shown}`)" if shown else "")
        return [Problem(path, line, "C03", message, last_line(cell))]
    return []


def _unstable(path: Path, text: str, again: str) -> Problem:
    old, new = text.splitlines(keepends=True), again.splitlines(keepends=True)
    pairs = enumerate(zip(old, new, strict=False), 1)
    line = next((i for i, (a, b) in pairs if a != b), min(len(old), len(new)))
    return Problem(path, max(line, 1), "C02", "a notebook would not give this line back as it is")
