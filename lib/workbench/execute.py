"""Run the cells of a script in this process, as a Jupyter kernel would.

One IPython shell executes cell by cell. Code is compiled under the script's own file name and
line numbers, so that tracebacks and warnings point into the `.py`.
"""

from __future__ import annotations

import linecache
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type

from lib.errors import InputError
from lib.workbench.capture import Capture, as_json, settle
from lib.workbench.scripts import Cell

# What a kernel tells libraries and subprocesses about where their output goes.
KERNEL_ENVIRONMENT = {
    "TERM": "xterm-color",
    "CLICOLOR": "1",
    "FORCE_COLOR": "1",
    "CLICOLOR_FORCE": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
}
INLINE_BACKEND = "module://matplotlib_inline.backend_inline"


@dataclass
class Executed:
    """A cell after its turn.

    Attributes
    ----------
    cell : Cell
        As written.
    outputs : list of dict
        As nbformat keeps them.
    count : int or None
        Its execution count; None when its turn never came.
    seconds : float
        How long it took.
    """

    cell: Cell
    outputs: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """Why an analysis stopped."""

    name: str
    message: str
    cell: str
    file: str
    line: int
    traceback: str
    is_input_error: bool

    def in_words(self) -> str:
        """Return one line: the exception, its message, and where."""
        if self.is_input_error:
            return self.message
        message = self.message.strip().splitlines()
        said = f"{self.name}: {message[0][:200]}" if message else self.name
        if self.name == "SystemExit":
            said = f"sys.exit({self.message}) ended it before its last cell"
        elif self.name == "MemoryError":
            said = "out of memory (" + said + ")"
        return f"{said}, {self.file}:{self.line}"


class _Displays(DisplayPublisher):
    """Adds what `display()` shows to the outputs."""

    def publish(  # type: ignore[override]
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        display_id = (transient or {}).get("display_id")
        bundle, about = as_json(data), dict(metadata or {})
        capture: Capture = self._capture
        if update:
            capture.update(str(display_id), bundle, about)
        else:
            output = {"output_type": "display_data", "data": bundle, "metadata": about}
            capture.add(output, display_id)

    def clear_output(self, wait: bool = False) -> None:  # noqa: FBT001, FBT002  # IPython's signature
        self._capture.clear(wait=wait)

    @property
    def _capture(self) -> Capture:
        shell: Any = self.shell
        capture: Capture = shell.capture
        return capture


class _Results(DisplayHook):
    """Adds the value of a cell's last expression to the outputs."""

    def start_displayhook(self) -> None:
        pass

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(
        self, format_dict: Mapping[str, Any], md_dict: Mapping[str, Any] | None = None
    ) -> None:
        shell: Any = self.shell
        shell.capture.add(
            {
                "output_type": "execute_result",
                "execution_count": self.prompt_count,
                "data": as_json(format_dict),
                "metadata": dict(md_dict or {}),
            }
        )

    def finish_displayhook(self) -> None:
        pass


class _Compiler(CachingCompiler):
    """Compiles cells under the name and line numbers of their file."""

    place: tuple[str, int] | None = None

    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        if self.place is None:
            return str(super().cache(transformed_code, number, raw_code))
        return self.place[0]

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> Any:
        if self.place is not None and filename == self.place[0]:
            source = "\n" * (self.place[1] - 1) + source
        return super().ast_parse(source, filename, symbol)


class ZMQInteractiveShell(InteractiveShell):  # type: ignore[misc]
    """A shell without a terminal.

    It bears the name of the kernel's shell because pandas, shap and tqdm ask for that name when
    they choose how to show things: outputs then equal those of a notebook.
    """

    displayhook_class = Type(_Results)
    display_pub_class = Type(_Displays)
    compiler_class = Type(_Compiler)
    compile: _Compiler
    kernel = AnyTrait()  # pandas looks whether it is there
    capture: Capture
    debug = False

    def init_virtualenv(self) -> None:
        """Stay in the environment of this Python, whichever the terminal has activated.

        IPython would put packages of the activated one in front.
        """

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        if issubclass(etype, InputError) and not self.debug:
            stb = [str(evalue)]
        self.capture.add(
            {
                "output_type": "error",
                "ename": etype.__name__,
                "evalue": str(evalue),
                "traceback": list(stb),
            }
        )


def make_shell() -> ZMQInteractiveShell:
    """Return the process's shell; it computes nothing, so a parent may make it before it forks.

    Returns
    -------
    ZMQInteractiveShell
        Without history on disk.
    """
    from traitlets.config import Config  # noqa: PLC0415

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.cache_size = 0  # `Out` would keep every table alive
    settings.InteractiveShell.xmode = "Context"
    shell: ZMQInteractiveShell = ZMQInteractiveShell.instance(config=settings)
    return shell


def execute(
    cells: Sequence[Cell],
    path: Path,
    shell: ZMQInteractiveShell,
    *,
    on_cell: Callable[[int, Cell], None] = lambda _position, _cell: None,
) -> tuple[list[Executed], Failure | None]:
    """Run cells until one fails.

    Parameters
    ----------
    cells : sequence of Cell
        In order, Markdown included.
    path : Path
        Their file.
    shell : ZMQInteractiveShell
        With its `capture` begun.
    on_cell : callable
        Called with position and cell before each.

    Returns
    -------
    executed : list of Executed
        One per cell.
    failure : Failure or None
        Of the cell that stopped the run.
    """
    text = path.read_text(encoding="utf-8")
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    done = [Executed(cell) for cell in cells]
    for position, state in enumerate(done):
        on_cell(position, state.cell)
        if state.cell.kind == "code" and state.cell.source.strip():
            error = _run(state, path, shell)
            if error is not None and "raises-exception" not in state.cell.tags:
                return done, describe_failure(error, state.cell, path)
    return done, None


def _run(state: Executed, path: Path, shell: ZMQInteractiveShell) -> BaseException | None:
    outputs = shell.capture.start_cell()
    blank = len(state.cell.source) - len(state.cell.source.lstrip("\n"))
    shell.compile.place = (str(path), state.cell.line + blank)
    state.count = shell.execution_count
    begun = time.perf_counter()
    try:
        result = shell.run_cell(state.cell.source, store_history=True)
    finally:
        state.seconds = time.perf_counter() - begun
        shell.compile.place = None
        shell.capture.drain()
        state.outputs = settle(outputs)
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


def describe_failure(error: BaseException, cell: Cell, path: Path) -> Failure:
    """Return what a reader wants to know about an exception.

    Parameters
    ----------
    error : BaseException
        As it was raised.
    cell : Cell
        In which it happened.
    path : Path
        The script.

    Returns
    -------
    Failure
        With the innermost line of the script itself.
    """
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = frames[-1].lineno if frames else None
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno
    return Failure(
        name=type(error).__name__,
        message=str(error),
        cell=cell.title,
        file=short_path(path),
        line=line or cell.line,
        traceback="".join(traceback.format_exception(error)),
        is_input_error=isinstance(error, InputError),
    )


def short_path(path: Path) -> str:
    """Return a path relative to the working directory where that is shorter.

    Parameters
    ----------
    path : Path
        Absolute.

    Returns
    -------
    str
        For a reader.
    """
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def prepare_environment() -> None:
    """Tell libraries that they write into a notebook; before they are imported."""
    os.environ.update(KERNEL_ENVIRONMENT)
    os.environ.setdefault("MPLBACKEND", INLINE_BACKEND)


def as_notebook(executed: Sequence[Executed]) -> Any:
    """Return cells and outputs as a notebook.

    Parameters
    ----------
    executed : sequence of Executed
        In order.

    Returns
    -------
    nbformat.NotebookNode
        Format 4.5, the same bytes for the same outputs.
    """
    import nbformat  # noqa: PLC0415  # 0.3 s; not needed where nothing runs

    cells = []
    for position, state in enumerate(executed):
        cell: dict[str, Any] = {
            "id": f"cell-{position:03d}",
            "cell_type": state.cell.kind,
            "metadata": dict(state.cell.metadata),
            "source": state.cell.source,
        }
        if state.cell.kind == "code":
            cell |= {"execution_count": state.count, "outputs": state.outputs}
        cells.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {
            "name": "python",
            "version": ".".join(map(str, sys.version_info[:3])),
            "mimetype": "text/x-python",
            "file_extension": ".py",
            "pygments_lexer": "ipython3",
        },
    }
    return nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    )
