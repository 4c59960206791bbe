"""What only a run can know of an analysis: its figures, the shared random state, files far away.

Nothing here changes what an analysis computes or shows. What is seen depends on the code and the
data, never on the clock.
"""

from __future__ import annotations

import ast
import hashlib
import os
import random
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib.workbench.scripts import Cell

HOOK = "lib.workbench.observe:on_figure"
MAX_KEPT = 200  # figures of one cell that stay alive until it ends
SYSTEM = ("/dev", "/proc", "/sys", "/etc", "/usr", "/lib", "/run", "/nix", "/System", "/Library")
CACHES = (".cache", ".config", ".local", ".matplotlib", ".ipython", ".jupyter", "scikit_learn_data")
_current: list[Observer] = []


class Observer:
    """Watches one analysis from its first cell to its last.

    Parameters
    ----------
    path : Path
        The script.
    free : sequence of Path
        Folders whose files may be opened: the project's, the reports'.
    """

    def __init__(self, path: Path, free: list[Path]) -> None:
        self.path = str(path)
        self._free = tuple(
            os.path.realpath(folder) for folder in [*map(str, free), *_system_folders()]
        )
        self._cell: Cell | None = None
        self._figures: list[tuple[Any, int, bool]] = []
        self._states: dict[str, str] = {}
        self.axes: list[dict[str, Any]] = []
        self.random: list[dict[str, Any]] = []
        self.absolute: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Watch from now on, until the process ends."""
        _current[:] = [self]
        sys.addaudithook(_audit)

    def start_cell(self, cell: Cell) -> None:
        """Note how things are before a code cell."""
        self._cell = cell
        self._states = dict(_random_states())
        pyplot = sys.modules.get("matplotlib")
        if pyplot is not None:
            hooks = pyplot.rcParams["figure.hooks"]
            if HOOK not in hooks:
                pyplot.rcParams["figure.hooks"] = [*hooks, HOOK]

    def end_cell(self, namespace: dict[str, Any]) -> None:
        """Note what the cell drew and touched, before its figures are closed."""
        cell, self._cell = self._cell, None
        if cell is not None:
            with suppress(Exception):  # an analysis never fails because it is watched
                self._judge(cell, namespace)

    def _judge(self, cell: Cell, namespace: dict[str, Any]) -> None:
        shown = {id(figure): figure for figure in _open_figures()}
        for figure, line, is_own in self._figures:
            if shown.pop(id(figure), None) is not None or is_own:
                self._look_at(figure, line)
        for figure in shown.values():
            self._look_at(figure, cell.line)
        self._figures.clear()
        after = dict(_random_states())
        for whose, state in self._states.items():
            if after.get(whose, state) != state:
                self.random.append({"line": cell.line, "whose": whose})
        self._look_at_arguments(cell, namespace)

    def result(self) -> dict[str, list[dict[str, Any]]]:
        """Stop watching; return what was seen, in order, as the record keeps it."""
        _current.clear()
        return {"axes": self.axes, "random": self.random, "absolute": self.absolute}

    def add_figure(self, figure: Any) -> None:
        """Note a new figure, and the line of the script that made it."""
        if self._cell is None:
            return
        if len(self._figures) >= MAX_KEPT:
            figure_before, line, is_own = self._figures.pop(0)
            if is_own:
                self._look_at(figure_before, line)
        self._figures.append((figure, self._line() or self._cell.line, self._is_own()))

    def add_file(self, path: str) -> None:
        """Note a file that the script opened outside the project, its own lines in charge."""
        if self._is_far(path):
            line = self._line(through_lib=False)
            if line:
                self._add_absolute(line, path)

    def _add_absolute(self, line: int, path: str) -> None:
        seen = {"line": line, "path": path}
        if seen not in self.absolute:
            self.absolute.append(seen)

    def _is_far(self, path: str) -> bool:
        """Say whether a path is absolute and leads out of the project, seen through links."""
        return (
            path.startswith(os.sep)
            and not self._is_free(path)
            and not self._is_free(os.path.realpath(path))
        )

    def _is_free(self, path: str) -> bool:
        return any(path == folder or path.startswith(folder + os.sep) for folder in self._free)

    def _line(self, *, through_lib: bool = True) -> int:
        """Return the innermost line of the script on the stack; 0 where `lib` stands between."""
        frame: Any = sys._getframe(1)  # noqa: SLF001  # the only way to the caller's line
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if frame.f_code.co_filename == self.path:
                return int(frame.f_lineno)
            if not through_lib and name.startswith("lib.") and name != __name__:
                return 0
            if name.startswith(("importlib.", "zipimport")) and not through_lib:
                return 0
            frame = frame.f_back
        return 0

    def _is_own(self) -> bool:
        """Say whether script or `lib` made a figure: what a package draws and closes is its own."""
        frame: Any = sys._getframe(1)  # noqa: SLF001
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if name != __name__ and name.partition(".")[0] not in {"matplotlib", "contextlib"}:
                return bool(frame.f_code.co_filename == self.path or name.startswith("lib."))
            frame = frame.f_back
        return False

    def _look_at(self, figure: Any, line: int) -> None:
        with suppress(Exception):  # a figure that cannot be asked is not judged
            self.axes += [{"line": line, **drawn} for drawn in missing_words(figure)]

    def _look_at_arguments(self, cell: Cell, namespace: dict[str, Any]) -> None:
        """Note paths in names given to calls: compiled readers tell nobody what they open."""
        with suppress(SyntaxError, ValueError):
            for node in ast.walk(ast.parse(cell.source)):
                for argument in node.args if isinstance(node, ast.Call) else []:
                    value = namespace.get(argument.id) if isinstance(argument, ast.Name) else None
                    if isinstance(value, str | Path) and "\0" not in str(value):
                        text = str(value)
                        if self._is_far(text) and Path(text).is_file():
                            self._add_absolute(cell.line + argument.lineno - 1, text)


def missing_words(figure: Any) -> Iterator[dict[str, Any]]:
    """Yield the drawn axes of a figure that lack a title or names on their axes.

    Parameters
    ----------
    figure : matplotlib Figure
        Complete.

    Yields
    ------
    dict
        `what` names the axes, `lacks` what is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> lines = ax.plot([1, 2])
    >>> text = ax.set_title("Growth"), ax.set_xlabel("day")
    >>> list(missing_words(ax.figure))
    [{'what': 'the figure', 'lacks': ['y label']}]
    """
    drawn = [ax for ax in figure.axes if _is_judged(ax)]
    for position, ax in enumerate(drawn, 1):
        lacks = [] if _is_titled(ax, figure) else ["title"]
        lacks += [f"{name} label" for name in "xy" if not _is_labelled(ax, name, figure)]
        if lacks:
            what = "the figure" if len(drawn) == 1 else f"panel {position} of {len(drawn)}"
            yield {"what": what, "lacks": lacks}


def _is_judged(ax: Any) -> bool:
    """Say whether an axes shows data: not hidden, no colour bar, no inset, no second scale."""
    if not ax.get_visible() or not ax.axison or hasattr(ax, "_colorbar") or not ax.has_data():
        return False
    if ax.get_label() in {"<colorbar>", "inset_axes"}:
        return False
    return not any(ax in other.child_axes for other in ax.figure.axes)


def _is_titled(ax: Any, figure: Any) -> bool:
    own = any(ax.get_title(loc=where) for where in ("left", "center", "right"))
    return own or bool(_figure_text(ax, figure, "get_suptitle")) or _twin(ax, "title")


def _is_labelled(ax: Any, name: str, figure: Any) -> bool:
    axis = getattr(ax, f"{name}axis")
    if (
        axis.get_label_text()
        or not axis.get_visible()
        or _figure_text(ax, figure, f"get_sup{name}label")
    ):
        return True
    ticks = [t.get_text() for t in axis.get_ticklabels() if t.get_visible()]
    if not ticks or _names_things(ticks) or not axis.get_ticklabels():
        return True
    shared = getattr(ax, f"get_shared_{name}_axes")().get_siblings(ax)
    return any(getattr(s, f"{name}axis").get_label_text() for s in shared if s is not ax)


def _names_things(ticks: list[str]) -> bool:
    """Say whether tick labels are words, which name themselves."""
    words = [text for text in ticks if any(c.isalpha() for c in text)]
    return bool(words) and len(words) >= len([t for t in ticks if t]) / 2


def _twin(ax: Any, _: str) -> bool:
    """Say whether another axes in the same place has the title."""
    same = [
        o
        for o in ax.figure.axes
        if o is not ax and o.get_position().bounds == ax.get_position().bounds
    ]
    return any(o.get_title(loc=w) for o in same for w in ("left", "center", "right"))


def _figure_text(ax: Any, figure: Any, getter: str) -> str:
    """Return a text of the figure, or of the subfigures round an axes."""
    here = ax.get_figure(root=False)
    while here is not None:
        text = getattr(here, getter)()
        if text or here is figure:
            return str(text)
        here = getattr(here, "_parent", None)
    return ""


def on_figure(figure: Any) -> None:
    """Receive every figure that pyplot makes (rcParam `figure.hooks`)."""
    for observer in _current:
        observer.add_figure(figure)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _current and arguments:
        path = arguments[0]
        if isinstance(path, bytes | str | os.PathLike):
            with suppress(Exception):  # an analysis never fails because it is watched
                _current[0].add_file(os.fsdecode(path))


def _random_states() -> Iterator[tuple[str, str]]:
    """Yield the shared random states of this process, in short."""
    yield "random", _short(random.getstate())
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is not None and hasattr(numpy, "get_state"):
        state = numpy.get_state(legacy=True)
        yield "numpy.random", _short((state[0], state[1].tobytes(), *state[2:]))
    torch: Any = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        yield "torch", _short(bytes(torch.get_rng_state().numpy()))


def _short(state: Any) -> str:
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _open_figures() -> list[Any]:
    helpers: Any = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is None:
        return []
    return [manager.canvas.figure for manager in helpers.Gcf.get_all_fig_managers()]


def _system_folders() -> Iterator[str]:
    """Yield the folders of Python, packages, caches and the system."""
    yield from (sys.prefix, sys.base_prefix, tempfile.gettempdir(), *SYSTEM)
    yield from (
        *sysconfig.get_paths().values(),
        *site.getsitepackages(),
        site.getusersitepackages(),
    )
    for name in CACHES:
        yield str(Path.home() / name)
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "HF_HOME", "TORCH_HOME"):
        if os.environ.get(name):
            yield os.environ[name]
