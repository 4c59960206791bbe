"""What happens inside the process of one analysis: run, record, render, track, report, leave.

The same code serves a forked child and, as `python -m lib.workbench.child TASK.json`, a fresh
process.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lib.config import Config, load_config
from lib.workbench.files import read_json, write_json
from lib.workbench.preload import PER_PROCESS
from lib.workbench.scripts import Cell, Script, headings

if TYPE_CHECKING:
    from lib.workbench.execute import Executed

RESULT = "record.json"  # what the parent reads when the child has ended
CANDIDATES = "candidates.json"  # models that the analysis wants tracked
STACK = "stack.txt"  # written by faulthandler when compiled code crashes
Say = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Task:
    """One analysis to run, in plain values that travel to a fresh process as JSON.

    Attributes
    ----------
    name, title, path, cells
        The script.
    folder : str
        Where its files go until the parent puts them in their place.
    dataset : dict
        `name` and `fingerprint` of the table.
    parameters : dict
        Given on the command line.
    provenance : dict
        What the parent knows already, such as the git commit.
    uses_report : bool
        Whether it imports `lib.report`: if not, there is nothing to record.
    tracking, pages, kernel, debug : bool
        Switches of the command line.
    """

    name: str
    title: str
    path: str
    cells: list[dict[str, Any]]
    folder: str
    dataset: dict[str, str]
    parameters: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    uses_report: bool = True
    tracking: bool = True
    pages: bool = True
    kernel: bool = False
    debug: bool = False

    @classmethod
    def of(cls, script: Script, folder: Path, **rest: Any) -> Task:
        """Return the task of running a script."""
        cells = [asdict(cell) for cell in script.cells]
        return cls(script.name, script.title, str(script.path), cells, str(folder), **rest)


def run_and_leave(task: Task, say: Say) -> NoReturn:
    """Run a task, write its result file and end the process without further ado.

    `os._exit` on purpose: worker pools and libraries that wait at a regular exit may hang in a
    forked process, and the parent ends the whole process group anyway.
    """
    leave(Path(task.folder), lambda: _run(task, say))


def leave(folder: Path, work: Callable[[], dict[str, Any]]) -> NoReturn:
    """Write what `work` returns, or how it failed, to the result file, and end the process.

    Parameters
    ----------
    folder : Path
        Made if absent.
    work : callable
        Returns the result.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        faulthandler.enable((folder / STACK).open("w"))
        result = work()
    except KeyboardInterrupt:
        result = {"state": "interrupted", "note": "interrupted"}
    except BaseException as error:  # noqa: BLE001  # whatever it was, the parent has to know
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}, outside its cells"
        note = f"{type(error).__name__}: {error} ({where})"
        result = {"state": "failed", "note": note, "traceback": traceback.format_exc()}
    code = 0
    try:
        faulthandler.disable()
        if not (folder / STACK).stat().st_size:
            (folder / STACK).unlink()
        write_json(folder / RESULT, result)
    except BaseException:  # noqa: BLE001  # a full disk, say: no result file tells the parent
        code = 70
    os._exit(code)


def _run(task: Task, say: Say) -> dict[str, Any]:
    from lib.workbench import capture, execute, observe  # noqa: PLC0415  # IPython

    config, path = load_config(), Path(task.path)
    cells = with_parameters([Cell(**cell) for cell in task.cells], task.parameters)
    began = time.time()
    record = _start_record(task, config)
    from lib.tracking import defer_candidates  # noqa: PLC0415

    defer_candidates(Path(task.folder) / CANDIDATES, task.name)  # tracked or not, 23 reads them
    shell = execute.make_shell()
    shell.debug = task.debug
    shell.capture = capture.Capture()
    shell.capture.begin()
    watched = observe.Observer(path, [config.root, config.reports, path.parent.parent])
    watched.begin()
    shell.events.register("post_execute", lambda: watched.end_cell(shell.user_ns))
    before, inherited = _own_modules(), set(sys.modules)

    def on_cell(position: int, cell: Cell) -> None:
        if record is not None and cell.kind == "markdown":
            for heading in headings(cell.source)[:: -1 if position == 0 else 1]:
                if heading != task.title:
                    record.enter_section(heading)
        if cell.kind == "code":
            watched.start_cell(cell)
            say({"cell": cell.title, "line": cell.line, "position": position, "of": len(cells)})

    executed, failure = execute.execute(cells, path, shell, on_cell=on_cell)
    say({"cell": "writing the report", "line": 0, "position": len(cells), "of": len(cells)})
    result = {
        "state": "passed" if failure is None else "failed",
        "note": "" if failure is None else failure.in_words(),
        "failure": None if failure is None else asdict(failure),
        "cells": [
            {"title": e.cell.title, "line": e.cell.line, "seconds": round(e.seconds, 4)}
            for e in executed
            if e.count is not None
        ],
        "modules": sorted(_own_modules() - before),
        "sources": _sources(),
        "findings": len(record.findings) if record is not None else 0,
        "warnings": len(record.warnings) if record is not None else 0,
        "headline": (record.findings or [""])[0] if record is not None else "",
        "numbers": _numbers(record),
        "observed": watched.result(),
        "took": (began, time.time()),
    }
    if failure is not None and failure.name == "KeyboardInterrupt":
        result |= {"state": "interrupted", "note": "interrupted"}
    _keep(task, execute.as_notebook(executed), result, record=record)
    result["imported"] = _imported_since(inherited)
    if task.kernel and failure is None:
        say({"cell": "the same in a kernel", "line": 0, "position": len(cells), "of": len(cells)})
        _cross_check(task, executed, result)
    return result


def _cross_check(task: Task, executed: list[Executed], result: dict[str, Any]) -> None:
    from lib.workbench.kernel import EQUAL, compare_with_kernel  # noqa: PLC0415

    said = compare_with_kernel(executed, Path(task.path), task.dataset, record=task.uses_report)
    result["kernel"] = said
    if said != EQUAL:
        result |= {"state": "failed", "note": said}


def _keep(task: Task, notebook: Any, result: dict[str, Any], *, record: Any) -> None:
    """Write notebook, findings and page."""
    import nbformat  # noqa: PLC0415

    folder, passed = Path(task.folder), result["state"] == "passed"
    nbformat.write(notebook, folder / "notebook.ipynb")
    if record is not None and passed:
        record.finish(task.provenance)
    if task.pages:
        from lib.report import pages  # noqa: PLC0415

        pages.render_page(notebook, title=task.title, record=record, folder=folder)


def _start_record(task: Task, config: Config) -> Any:
    if not task.uses_report:
        return None
    from lib.report import start_record  # noqa: PLC0415

    return start_record(
        analysis=task.name,
        title=task.title,
        dataset=task.dataset,
        config=config,
        folder=Path(task.folder),
    )


def _numbers(record: Any) -> dict[str, float]:
    values = {} if record is None else record.values
    return {
        name: float(value.value)
        for name, value in values.items()
        if isinstance(value.value, int | float)
    }


def _own_modules() -> set[str]:
    return {
        name
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] not in sys.stdlib_module_names
        and "site-packages" not in (getattr(module, "__file__", None) or "site-packages")
    }


def _imported_since(inherited: set[str]) -> list[str]:
    """Return the installed modules that this process had to import itself, in order."""
    return [
        name
        for name, module in list(sys.modules.items())
        if name not in inherited
        and name not in PER_PROCESS
        and "site-packages" in (getattr(module, "__file__", None) or "")
        and getattr(getattr(module, "__spec__", None), "name", None) == name
    ]


def _sources() -> dict[str, str | None]:
    sources = sys.modules.get("lib.data.sources")
    return {s.locator: s.sha256 for s in sources.loaded_sources()} if sources is not None else {}


def with_parameters(cells: list[Cell], parameters: Mapping[str, Any]) -> list[Cell]:
    r"""Return the cells with an assignment after the one tagged `parameters`.

    Parameters
    ----------
    cells : list of Cell
        As written.
    parameters : mapping of str to object
        Values by name; those that the cell does not assign are left out.

    Returns
    -------
    list of Cell
        One more, where there is something to assign.

    Examples
    --------
    >>> cells = [Cell("code", "n = 3", 1, {"tags": ["parameters"]})]
    >>> [cell.source for cell in with_parameters(cells, {"n": 5})]
    ['n = 3', '# From the command line\nn = 5']
    """
    made: list[Cell] = []
    for cell in cells:
        made.append(cell)
        known = Script(Path(), "", (), (cell,)).parameters() if "parameters" in cell.tags else []
        given = [f"{name} = {parameters[name]!r}" for name in known if name in parameters]
        if given:
            source = "\n".join(["# From the command line", *given])
            made.append(replace(cell, source=source, metadata={"tags": ["injected-parameters"]}))
    return made


def enter(channel: int, guard: int | None, others: list[int]) -> Say:
    """Make this process an own group that dies with the parent, and return its line to it.

    Parameters
    ----------
    channel : int
        Descriptor on which the parent reads progress.
    guard : int or None
        Descriptor on which process groups are announced to the guard.
    others : list of int
        Descriptors of the parent that are none of the child's business.
    """
    if os.getpid() != os.getsid(0):
        os.setsid()
    if guard is not None:
        os.write(guard, f"+{os.getpid()}\n".encode())
        os.close(guard)  # the guard sees the parent's end only when no child holds the pipe
    for descriptor in others:
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "random"):
        numpy.random.seed()  # forks would all inherit the parent's state

    def say(message: Mapping[str, Any]) -> None:
        try:
            os.write(channel, (json.dumps(message) + "\n").encode())
        except BrokenPipeError:  # the parent is gone; the guard is about to end us
            time.sleep(5)

    return say


def main() -> NoReturn:
    """Run the task of a file in this fresh process."""
    given = read_json(Path(sys.argv[1]))
    say = enter(given["channel"], given["guard"], [])
    from lib.workbench.execute import prepare_environment  # noqa: PLC0415

    prepare_environment()
    run_and_leave(Task(**given["task"]), say)


if __name__ == "__main__":
    main()
