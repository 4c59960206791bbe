"""New prose round the stored outputs: a page renewed without a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NoReturn

from lib.workbench.child import RESULT, Say, Task, leave
from lib.workbench.files import read_json
from lib.workbench.scripts import Cell


def render_and_leave(task: Task, stored: Path, say: Say) -> NoReturn:
    """Put new prose round the stored outputs of an unchanged run, and leave.

    Parameters
    ----------
    task : Task
        With the new cells; its folder receives the new report.
    stored : Path
        The report of the run.
    say : callable
        Tells the parent where this process is.
    """

    def work() -> dict[str, Any]:
        import nbformat  # noqa: PLC0415

        from lib.report import pages  # noqa: PLC0415

        say({"cell": "rendering new prose", "line": 0, "position": 0, "of": 1})
        folder = Path(task.folder)
        shutil.copytree(stored, folder, dirs_exist_ok=True)
        notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
        notebook = splice([Cell(**cell) for cell in task.cells], notebook)
        nbformat.write(notebook, folder / "notebook.ipynb")
        pages.render_page(notebook, title=task.title, record=None, folder=folder)
        return {**read_json(folder / RESULT), "rendered": True}

    leave(Path(task.folder), work)


def splice(cells: list[Cell], notebook: Any) -> Any:
    """Return the notebook with the prose of `cells` between its code cells.

    Parameters
    ----------
    cells : list of Cell
        The script now; its code is that of the notebook.
    notebook : nbformat.NotebookNode
        As executed.

    Returns
    -------
    nbformat.NotebookNode
        A new one, with all outputs.
    """
    from lib.workbench.execute import Executed, as_notebook  # noqa: PLC0415

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    made: list[Executed] = []

    def take(cell: Cell) -> None:
        old = code.pop(0)
        made.append(Executed(cell, old.outputs, old.execution_count))

    for cell in cells:
        if cell.kind != "code":
            made.append(Executed(cell))
            continue
        take(cell)
        if code and "injected-parameters" in code[0].metadata.get("tags", []):
            take(Cell("code", code[0].source, cell.line, dict(code[0].metadata)))
    return as_notebook(made)
