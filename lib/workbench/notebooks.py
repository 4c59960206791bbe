"""Notebooks on demand: an `.ipynb` beside a script, and its edits brought back.

The script stays the source. What both held when they were last in step is remembered by its hash,
so that an edit on either side is told from an edit on both; times of change say nothing.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from lib.config import Config
from lib.data.names import slug
from lib.errors import InputError
from lib.workbench.files import read_json, write_json
from lib.workbench.preload import NO_SERVER, without
from lib.workbench.scripts import KEPT_METADATA, PERCENT, Script

FORMAT = {
    **PERCENT,
    "notebook_metadata_filter": "-all",
    "cell_metadata_filter": ",".join((*KEPT_METADATA, "-all")),
}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
ATTACHED = re.compile(r'(?<=")attachments/')
Side = Literal["script", "notebook"]


@dataclass(frozen=True)
class Pair:
    """A script, its notebook, and what both held when they were last in step.

    Attributes
    ----------
    script : Path
        The source.
    notebook : Path
        Made from it; may not exist yet.
    in_step : str or None
        Hash of the text of both; None when they never were.
    root : Path
        The project, for naming files to the user.
    """

    script: Path
    notebook: Path
    in_step: str | None
    root: Path

    @property
    def number(self) -> str:
        """The digits in front of the name."""
        return self.script.stem.partition("_")[0]

    def shown(self, path: Path) -> str:
        """Return a path as a user types it at the project's root."""
        return str(path.relative_to(self.root) if path.is_relative_to(self.root) else path)


def notebooks_folder(config: Config) -> Path:
    """Return the folder of the notebooks made on demand; git ignores it with all reports."""
    return config.reports / "notebooks"


def make_notebooks(
    scripts: Iterable[Script], config: Config, *, keep: Side | None = None
) -> list[str]:
    """Write a notebook for each script, with the outputs of its last run if there are any.

    Parameters
    ----------
    scripts : iterable of Script
        The chosen analyses.
    config : Config
        Says where things lie, and whose run on which dataset counts.
    keep : {"script", None}
        "script" drops edits that a notebook has and its script has not.

    Returns
    -------
    list of str
        One sentence each.

    Raises
    ------
    InputError
        When a notebook has edits that would be lost.
    """
    return [_make(_pair(script.path, config), config, keep) for script in scripts]


def sync_notebooks(
    names: Sequence[str],
    scripts: Mapping[str, Script],
    config: Config,
    *,
    keep: Side | None = None,
) -> tuple[list[str], list[str]]:
    """Bring the edits of notebooks back into their scripts, and those of scripts into notebooks.

    Parameters
    ----------
    names : sequence of str
        Names of analyses; empty means every notebook there is.
    scripts : mapping of str to Script
        All analyses.
    config : Config
        Says where the notebooks are.
    keep : {"script", "notebook", None}
        Which side wins where both changed; None refuses.

    Returns
    -------
    done, refused : list of str
        One sentence for each notebook.

    Raises
    ------
    InputError
        When there is no notebook to bring back.
    """
    folder = notebooks_folder(config)
    there = {path.stem: path for path in sorted(folder.glob("[0-9]*.ipynb"))}
    missing = [name for name in names if name not in there]
    if missing or not there:
        number = missing[0].partition("_")[0] if missing else "11"
        msg = f"There is no notebook{f' of {missing[0]}' if missing else ''} in {folder}; "
        raise InputError(msg + f"make one with: nox -s notebook -- {number}")
    done, refused = [], []
    for name in names or there:
        try:
            done.append(_sync(_pair(_script_of(there[name], scripts), config), keep))
        except InputError as error:
            refused.append(str(error))
    return done, refused


def as_notebook(text: str) -> Any:
    r"""Return the notebook of a percent script.

    Parameters
    ----------
    text : str
        The script.

    Returns
    -------
    nbformat.NotebookNode
        With this project's kernel, and nothing else, in its metadata.

    Examples
    --------
    >>> as_notebook("# %% Add\n1 + 1\n").cells[0].metadata
    {'title': 'Add'}
    """
    with without(NO_SERVER):
        import jupytext  # noqa: PLC0415

    notebook = jupytext.reads(text, fmt=FORMAT)
    notebook.metadata = type(notebook.metadata)(kernelspec=dict(KERNEL))
    return notebook


def as_script(notebook: Any) -> str:
    r"""Return the percent script of a notebook: no header, no outputs, titles and tags kept.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As an editor saved it.

    Returns
    -------
    str
        The text of the file.

    Examples
    --------
    >>> as_script(as_notebook("# %% Add\n1 + 1\n"))
    '# %% Add\n1 + 1\n'
    """
    with without(NO_SERVER):
        import jupytext  # noqa: PLC0415
    from nbformat import from_dict  # noqa: PLC0415

    bare = from_dict({**notebook, "metadata": {"kernelspec": dict(KERNEL)}})
    return str(jupytext.writes(bare, fmt=FORMAT))


def with_outputs(notebook: Any, executed: Any, *, attachments: str = "") -> tuple[int, int]:
    """Give the code cells of a notebook the outputs that the same cells have in another.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place.
    executed : nbformat.NotebookNode
        Where outputs come from.
    attachments : str
        Where attached pages of `executed` lie, seen from `notebook`, with a trailing slash.

    Returns
    -------
    n_found, n_code : int
        Code cells that are the same in both, and all code cells.
    """
    ours = [cell for cell in notebook.cells if cell.cell_type == "code"]
    theirs = [cell for cell in executed.cells if cell.cell_type == "code"]
    matcher = SequenceMatcher(
        None, [c.source for c in ours], [c.source for c in theirs], autojunk=False
    )
    n_found = 0
    for start, other, length in matcher.get_matching_blocks():
        for mine, its in zip(
            ours[start : start + length], theirs[other : other + length], strict=True
        ):
            mine.outputs = [_relocated(output, attachments) for output in its.outputs]
            mine.execution_count = its.execution_count
            n_found += 1
    return n_found, len(ours)


def _relocated(output: Any, attachments: str) -> Any:
    html = output.get("data", {}).get("text/html")
    if attachments and html:
        output["data"]["text/html"] = ATTACHED.sub(attachments, "".join(html))
    return output


def _pair(script: Path, config: Config) -> Pair:
    notebook = notebooks_folder(config) / f"{script.stem}.ipynb"
    known = read_json(notebook.with_name(".in_step.json")).get(script.stem)
    return Pair(script, notebook, known, config.root)


def _make(pair: Pair, config: Config, keep: Side | None) -> str:
    text = _stable_text(pair)
    if pair.notebook.is_file() and keep != "script":
        edited = _sha(as_script(_read(pair))) not in {pair.in_step, _sha(text)}
        if edited:
            msg = (
                f"{pair.shown(pair.notebook)} has edits that the script has not: bring them back "
                f"with `nox -s notebook -- sync {pair.number}`, or drop them with "
                f"`nox -s notebook -- {pair.number} --keep script`."
            )
            raise InputError(msg)
    notebook, said = as_notebook(text), "without outputs, as it never ran"
    dataset = slug(Path(config.dataset).stem)
    last = config.reports / dataset / pair.script.stem / "notebook.ipynb"
    if last.is_file():
        import nbformat  # noqa: PLC0415

        executed = nbformat.read(last, as_version=4)
        where = f"../{dataset}/{pair.script.stem}/attachments/"
        n_found, n_code = with_outputs(notebook, executed, attachments=where)
        said = f"{n_found} of {n_code} code cells with outputs of the last run on {dataset}"
        said += "" if n_found == n_code else "; the others changed since"
    _write(pair, notebook, text)
    return f"{pair.shown(pair.notebook)}: made, {said}"


def _script_of(notebook: Path, scripts: Mapping[str, Script]) -> Path:
    if notebook.stem not in scripts:
        msg = f"{notebook} has no script any more: move it away, or rename it like one."
        raise InputError(msg)
    return scripts[notebook.stem].path


def _sync(pair: Pair, keep: Side | None) -> str:
    notebook, ours = _read(pair), _stable_text(pair)
    theirs = as_script(notebook)
    script, made = pair.shown(pair.script), pair.shown(pair.notebook)
    if theirs == ours:
        _remember(pair, ours)
        return f"{script}: nothing to do, its notebook says the same"
    side = keep or _edited_side(pair, ours, theirs)
    if side == "notebook":
        _check_cells(notebook, made)
        _replace(pair.script, theirs)
        _remember(pair, theirs)
        return f"{script}: {_count_changes(ours, theirs)} brought back from its notebook"
    renewed = as_notebook(ours)
    with_outputs(renewed, notebook)
    _write(pair, renewed, ours)
    return f"{made}: {_count_changes(theirs, ours)} taken over from its script"


def _edited_side(pair: Pair, ours: str, theirs: str) -> Side:
    if _sha(ours) == pair.in_step:
        return "notebook"
    if _sha(theirs) == pair.in_step:
        return "script"
    msg = (
        f"Both {pair.shown(pair.script)} and {pair.shown(pair.notebook)} changed since they were "
        f"last in step; say whose edits stay: "
        f"`nox -s notebook -- sync {pair.number} --keep notebook` (or `--keep script`)."
    )
    raise InputError(msg)


def _stable_text(pair: Pair) -> str:
    """Return the script's text, if a notebook can give back every byte of it."""
    name = pair.shown(pair.script)
    try:
        text = pair.script.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"{name} is not UTF-8 text ({error.reason}). Save it as UTF-8."
        raise InputError(msg) from error
    again = as_script(as_notebook(text))
    if again != text:
        pairs = zip(text.splitlines(keepends=True), again.splitlines(keepends=True), strict=False)
        line = next((i for i, (a, b) in enumerate(pairs, 1) if a != b), text.count("\n"))
        msg = (
            f"A notebook of {name} would not give back its line {line} as it is: write cells as "
            "`# %%`, `# %% Title` or `# %% [markdown]` with nothing before the first."
        )
        raise InputError(msg)
    return text


def _check_cells(notebook: Any, name: str) -> None:
    """Refuse what a script cannot hold."""
    for position, cell in enumerate(notebook.cells, 1):
        if cell.get("attachments"):
            msg = (
                f"Cell {position} of {name} holds a pasted picture, which a script cannot keep: "
                "draw it in code, or link to a file."
            )
            raise InputError(msg)
        if cell.cell_type != "code":
            continue
        try:
            compile(
                cell.source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
            )
        except SyntaxError as error:
            shown = (error.text or "").strip()[:60]
            msg = (
                f"Cell {position} of {name} is not Python (`{shown}`): a script holds no magics "
                "and must run; mend the cell, save, and sync again."
            )
            raise InputError(msg) from error


def _read(pair: Pair) -> Any:
    import nbformat  # noqa: PLC0415

    try:
        return nbformat.read(pair.notebook, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        said = str(error).strip().splitlines() or [""]
        msg = (
            f"{pair.shown(pair.notebook)} cannot be read as a notebook ({said[0][:100]}); make it "
            f"anew with `nox -s notebook -- {pair.number} --keep script`."
        )
        raise InputError(msg) from error


def _write(pair: Pair, notebook: Any, text: str) -> None:
    import nbformat  # noqa: PLC0415

    for position, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{position}"  # jupytext's are random; the same script, the same bytes
    pair.notebook.parent.mkdir(parents=True, exist_ok=True)
    _replace(pair.notebook, nbformat.writes(notebook) + "\n")
    _remember(pair, text)


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, and leave its permissions."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(text.encode())
    if path.is_file():
        shutil.copymode(path, part)
    part.replace(path)


def _remember(pair: Pair, text: str) -> None:
    path = pair.notebook.with_name(".in_step.json")
    write_json(path, {**read_json(path), pair.script.stem: _sha(text)})


def _count_changes(old: str, new: str) -> str:
    matcher = SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    changed = sum(
        max(i2 - i1, j2 - j1) for op, i1, i2, j1, j2 in matcher.get_opcodes() if op != "equal"
    )
    return "1 changed line" if changed == 1 else f"{changed} changed lines"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
