"""What a script reaches by its import statements, followed through our own modules."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.workbench.files import read_json, write_json

PARSER = "3"  # raise when this module reads the same file differently
NO_DATA = {".py", ".pyc", ".pyi", ".typed"}


@dataclass(frozen=True)
class Reached:
    """The static import closure of one script.

    Attributes
    ----------
    files : dict of str to str
        Hash by path (relative to the project) of our own modules and the data files beside
        them; the script itself not included.
    packages : frozenset of str
        Dotted names of what is imported from elsewhere, the standard library apart; a last part
        may be something else than a module.
    at_start : frozenset of str
        Those that importing the script's modules imports.
    on_demand : frozenset of str
        Those that a function of these modules imports when it is called.
    started : frozenset of str
        The files among `files` that importing the script's modules imports.
    """

    files: dict[str, str]
    packages: frozenset[str]
    at_start: frozenset[str]
    on_demand: frozenset[str]
    started: frozenset[str]

    def reaches(self, module: str) -> bool:
        """Say whether the script imports a module of ours, such as `lib.report`."""
        path = module.replace(".", "/")
        return not self.started.isdisjoint({f"{path}.py", f"{path}/__init__.py"})


class Imports:
    """Finds closures below some base folders; keeps what it parsed, by contents.

    Parameters
    ----------
    bases : sequence of Path
        Folders whose modules are ours, in the order of the import path.
    cache : Path
        File that keeps parsed import statements.
    """

    def __init__(self, bases: Sequence[Path], cache: Path) -> None:
        self._bases = list(dict.fromkeys(base.resolve() for base in bases))
        self._cache_path = cache
        self._known: dict[str, Any] = read_json(cache).get(PARSER, {})
        self._used: dict[str, Any] = {}
        self._hashes: dict[Path, str] = {}

    def closure(self, script: Path, *, also: Sequence[str] = ()) -> Reached:
        """Return what `script` reaches, and what the modules named in `also` reach.

        Parameters
        ----------
        script : Path
            An analysis.
        also : sequence of str
            Dotted names of our modules that the last run imported in ways no statement shows.

        Returns
        -------
        Reached
            Files with hashes, and foreign packages.
        """
        packages: dict[str, set[tuple[bool, bool]]] = {}
        seen: dict[Path, bool] = {}
        waiting = list(self._follow(script, "", packages, starts=True))
        for name in also:
            waiting.extend((path, True) for path, _ in self._modules_on_the_way(name))
        while waiting:
            path, starts = waiting.pop()
            if starts > seen.get(path, -1):
                seen[path] = starts
                waiting.extend(self._follow(path, self._package_of(path), packages, starts=starts))
        beside = {data for path in seen if path.name == "__init__.py" for data in _data_of(path)}
        files = {self.shown(path): self.hash(path) for path in sorted({*seen, *beside})}
        found = {
            when: frozenset(name for name, ways in packages.items() if (True, when) in ways)
            for when in (True, False)
        }
        started = frozenset(self.shown(path) for path, starts in seen.items() if starts)
        on_demand = found[False] - found[True]
        return Reached(files, frozenset(packages), found[True], on_demand, started)

    def save(self) -> None:
        """Keep what was parsed for the next run."""
        if set(self._used) != set(self._known):
            write_json(self._cache_path, {PARSER: self._used})

    def hash(self, path: Path) -> str:
        """Return the SHA-256 of a file, read once."""
        if path not in self._hashes:
            self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._hashes[path]

    def shown(self, path: Path) -> str:
        """Return the path of a file of ours relative to its base."""
        for base in self._bases:
            if path.is_relative_to(base):
                return path.relative_to(base).as_posix()
        return str(path)

    def _follow(
        self, path: Path, package: str, packages: dict[str, set[tuple[bool, bool]]], *, starts: bool
    ) -> Iterator[tuple[Path, bool]]:
        """Yield the files of ours that a file imports, and whether importing it imports them.

        `packages` receives the foreign names with (module is imported at start, name is).
        """
        for module, names, level, at_start in self._parse(path)["imports"]:
            name = _absolute(module, level, package)
            found = dict(self._modules_on_the_way(name))
            if not found and not level:
                if name.partition(".")[0] not in sys.stdlib_module_names:
                    for dotted in (name, *(f"{name}.{imported}" for imported in names)):
                        packages.setdefault(dotted, set()).add((starts, at_start))
                continue
            used = {name} if not names else set()
            for imported in names:
                deeper = dict(self._modules_on_the_way(f"{name}.{imported}"))
                used.add(f"{name}.{imported}" if f"{name}.{imported}" in deeper.values() else name)
                found |= deeper
            for file, dotted in list(found.items()):
                if dotted in used and self._parse(file)["lazy"]:  # __getattr__ may import any
                    found |= dict.fromkeys(file.parent.glob("*.py"), "")
            yield from ((file, starts and at_start) for file in found)

    def _modules_on_the_way(self, name: str) -> Iterator[tuple[Path, str]]:
        """Yield (file, dotted name) of `a`, `a.b` and `a.b.c` where they are ours."""
        parts = name.split(".")
        for base in self._bases:
            found = [
                (file, ".".join(parts[:end]))
                for end in range(1, len(parts) + 1)
                if (file := _module_file(base.joinpath(*parts[:end]))) is not None
            ]
            if found:
                yield from found
                return

    def _package_of(self, path: Path) -> str:
        base = next(base for base in self._bases if path.is_relative_to(base))
        return ".".join(path.relative_to(base).parts[:-1])

    def _parse(self, path: Path) -> dict[str, Any]:
        key = self.hash(path)
        if key not in self._used:
            self._used[key] = self._known.get(key) or _imports_of(path)
        parsed: dict[str, Any] = self._used[key]
        return parsed


def _imports_of(path: Path) -> dict[str, Any]:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:  # running it will say so with its line
        return {"imports": [], "lazy": False}
    never = {id(node) for body in _for_checkers(tree) for node in ast.walk(body)}
    later = {id(node) for function in _functions(tree) for node in ast.walk(function)}
    imports: list[tuple[str, list[str], int, bool]] = []
    for node in ast.walk(tree):
        at_start = id(node) not in later
        if id(node) in never:
            continue
        if isinstance(node, ast.Import):
            imports.extend((alias.name, [], 0, at_start) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            imports.append((node.module or "", names, node.level, at_start))
    lazy = path.name == "__init__.py" and any(
        isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body
    )
    return {"imports": imports, "lazy": lazy}


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what does not happen when a module is imported."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


def _for_checkers(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what only a type checker imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from node.body


def _absolute(module: str, level: int, package: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, module] if module else base)


def _module_file(stem: Path) -> Path | None:
    for file in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
        if file.is_file():
            return file
    return None


def _data_of(init: Path) -> Iterator[Path]:
    """Yield the data files of a package (styles, templates), sub-packages apart."""
    for path in init.parent.iterdir():
        if path.is_file() and path.suffix not in NO_DATA:
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
            yield from (p for p in path.rglob("*") if p.is_file() and p.suffix not in NO_DATA)
