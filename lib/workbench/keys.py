"""Why an analysis has to run: everything its result depends on, compared with the last run.

Contents are compared, never times of change. Nothing heavy is imported here.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lib.config import Config
from lib.data.sources import source_hash
from lib.workbench.imports import Reached
from lib.workbench.scripts import Script

OWN = {"ml_research"}
SHOWING = {"ipython", "matplotlib_inline"}  # every analysis shows its results through these
MAX_REASONS = 3


def make_key(
    script: Script,
    reached: Reached,
    config: Config,
    parameters: Mapping[str, Any],
    needs: Mapping[str, str | None],
) -> dict[str, Any]:
    """Return what a result depends on, the data apart (only a run knows what it reads).

    Parameters
    ----------
    script : Script
        The analysis.
    reached : Reached
        Its import closure.
    config : Config
        The choices of the study.
    parameters : mapping of str to object
        Given on the command line.
    needs : mapping of str to (str or None)
        Digest of the findings of each analysis it needs.

    Returns
    -------
    dict
        Plain JSON, with names that `changes` turns into words.
    """
    return {
        "code": script.code_digest(),
        "files": reached.files,
        "choices": config.model_dump(mode="json", exclude={"root"}),
        "parameters": {name: repr(value) for name, value in parameters.items()},
        "needs": dict(needs),
        "packages": dict(installed_packages()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def changes(old: Mapping[str, Any], new: Mapping[str, Any], reached: Reached) -> list[str]:
    """Return in words what changed between two keys; empty when nothing that matters did.

    Parameters
    ----------
    old, new : mapping
        Made by `make_key`.
    reached : Reached
        What the script imports: other packages may change freely.

    Returns
    -------
    list of str
        Such as "lib/plots/style.py changed".
    """
    said = []
    if old.get("code") != new["code"]:
        said.append("its code changed")
    said += _in_short(_files_changed(old.get("files", {}), new["files"]), "more files")
    said += _values_changed(old.get("choices", {}), new["choices"])
    said += _values_changed(old.get("parameters", {}), new["parameters"], "parameter ")
    if old.get("python") != new["python"]:
        said.append(f"{old.get('python')} → {new['python']}")
    said += _in_short(_packages_changed(old, new, reached), "more packages")
    before = old.get("needs", {})
    said += [
        f"{name.partition('_')[0]} found something else"
        for name, digest in new["needs"].items()
        if digest is not None and before.get(name) != digest
    ]
    return said


def data_changes(sources: Mapping[str, str | None]) -> list[str]:
    """Return in words which of the sources read at the last run hold something else now.

    Parameters
    ----------
    sources : mapping of str to (str or None)
        Hash by locator, as the loader recorded them.

    Returns
    -------
    list of str
        Empty when all hold the same.
    """
    said = []
    for locator, before in sources.items():
        shown = _shown_locator(locator)
        if before is None:
            said.append(f"{shown} cannot be compared with the last time")
        elif _current_hash(locator) != before:
            said.append(f"data changed: {shown}")
    return said


@cache
def _current_hash(locator: str) -> str | None:
    try:
        return source_hash(locator)
    except (OSError, importlib.metadata.PackageNotFoundError):
        return None


def _shown_locator(locator: str) -> str:
    path, _, entry = locator.removeprefix("catalog:").partition("#")
    return f"catalogue entry {entry}" if entry else Path(path).name or path


def _files_changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [
        f"{path} {'went' if path not in new else 'changed' if path in old else 'is new'}"
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    ]


def _values_changed(old: Mapping[str, Any], new: Mapping[str, Any], kind: str = "") -> list[str]:
    said: list[str] = []
    for name in sorted({*old, *new}):
        before, now = old.get(name), new.get(name)
        if before == now:
            continue
        if isinstance(before, dict) and isinstance(now, dict):
            said += _values_changed(before, now, kind)
        else:
            said.append(f"{kind}{name} {_plainly(before)} → {_plainly(now)}")
    return said


def _plainly(value: Any) -> str:
    return "default" if value is None else str(value)


def _in_short(said: list[str], rest: str) -> list[str]:
    if len(said) <= MAX_REASONS + 1:
        return said
    return [*said[:MAX_REASONS], f"{len(said) - MAX_REASONS} {rest}"]


@cache
def installed_packages() -> Mapping[str, str]:
    """Return version by normalised name of everything installed, from folder names alone.

    Returns
    -------
    mapping of str to str
        Without this project itself.

    Examples
    --------
    >>> "numpy" in installed_packages()
    True
    """
    found: dict[str, str] = {}
    for folder in reversed(sys.path):
        path = Path(folder)
        if not folder or not path.is_dir():
            continue
        for info in path.glob("*.dist-info"):
            name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
            found[_normal(name)] = version
    return {name: version for name, version in sorted(found.items()) if name not in OWN}


def _packages_changed(
    old: Mapping[str, Any], new: Mapping[str, Any], reached: Reached
) -> list[str]:
    before, now = old.get("packages", {}), new["packages"]
    if before == now:
        return []
    relevant = _requirements(frozenset(name.partition(".")[0] for name in reached.packages))
    return [
        f"{name} {before.get(name, 'absent')} → {now.get(name, 'absent')}"
        for name in sorted({*before, *now} & relevant)
        if before.get(name) != now.get(name)
    ]


@cache
def _requirements(modules: frozenset[str]) -> frozenset[str]:
    """Return the installed packages behind `modules` and all they require."""
    homes = importlib.metadata.packages_distributions()
    waiting = {_normal(name) for module in modules for name in homes.get(module, [module])}
    waiting |= SHOWING
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= set(_required_by(name)) - seen
    return frozenset(seen)


def _required_by(name: str) -> Iterable[str]:
    try:
        requirements = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [
        _normal(match.group())
        for line in requirements
        if "extra ==" not in line and (match := re.match(r"[\w.-]+", line))
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
