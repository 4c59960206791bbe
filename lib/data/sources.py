"""What this process read, and whether it changed since: for runs that skip unchanged work.

Imports neither pandas nor polars, so that the runner can ask before anything heavy is loaded.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATALOG_PREFIX = "catalog:"
OPTIONAL_PREFIX = "optional:"
_PACKAGES = {"sklearn": "scikit-learn", "statsmodels": "statsmodels"}


@dataclass(frozen=True)
class Source:
    """Something that was read.

    Attributes
    ----------
    locator : str
        An absolute path; `optional:PATH` of a file that may be absent; `catalog:PATH#NAME` for a
        catalogue entry; `sklearn:NAME`,
        `statsmodels:NAME`, `openml:ID`; or a database address without secrets.
    sha256 : str or None
        Of the contents; None when they cannot be compared (a database).
    """

    locator: str
    sha256: str | None


_read: dict[str, Source] = {}


def record_source(locator: str, sha256: str | None) -> None:
    """Note that `locator` was read with these contents.

    Parameters
    ----------
    locator : str
        See `Source`.
    sha256 : str or None
        Of the contents as read.

    Examples
    --------
    >>> record_source("sklearn:example", "0" * 64)
    >>> any(source.locator == "sklearn:example" for source in loaded_sources())
    True
    >>> _ = _read.pop("sklearn:example")
    """
    _read[locator] = Source(locator, sha256)


def loaded_sources() -> list[Source]:
    """Return what this process read since it began or last forgot.

    Returns
    -------
    list of Source
        Sorted by locator.

    Examples
    --------
    >>> isinstance(loaded_sources(), list)
    True
    """
    return sorted(_read.values(), key=lambda source: source.locator)


def forget_sources() -> None:
    """Forget what this process read.

    Examples
    --------
    >>> kept = dict(_read)
    >>> forget_sources()
    >>> loaded_sources()
    []
    >>> _read.update(kept)
    """
    _read.clear()


def source_hash(locator: str) -> str | None:
    """Return the hash of what `locator` holds now, cheaply.

    Parameters
    ----------
    locator : str
        As in `Source`.

    Returns
    -------
    str or None
        Equal to `Source.sha256` exactly when the contents are the same; None when there
        is nothing there, or when its contents cannot be compared.

    Examples
    --------
    >>> source_hash("sklearn:wine") == source_hash("sklearn:wine")
    True
    >>> source_hash("postgresql://host/base") is None
    True
    """
    if locator.startswith(CATALOG_PREFIX):
        path, _, name = locator.removeprefix(CATALOG_PREFIX).rpartition("#")
        return _entry_hash(Path(path), name)
    if locator.startswith(OPTIONAL_PREFIX):
        optional = Path(locator.removeprefix(OPTIONAL_PREFIX))
        return file_hash(optional) if optional.is_file() else hash_text("absent")
    scheme = locator.partition(":")[0]
    if scheme in _PACKAGES:
        version = importlib.metadata.version(_PACKAGES[scheme])
        return hash_text(f"{locator} in {version}")
    if scheme == "openml":
        return hash_text(locator)  # an OpenML number never changes its contents
    file = Path(locator)
    return file_hash(file) if "://" not in locator and file.is_file() else None


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's contents.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    str
        64 hex digits.

    Examples
    --------
    >>> len(file_hash(Path(__file__)))
    64
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        64 hex digits.

    Examples
    --------
    >>> hash_text("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def hash_entry(entry: dict[str, Any]) -> str:
    """Return the SHA-256 of a catalogue entry's values, whatever their order in the file.

    Parameters
    ----------
    entry : dict
        One table of the catalogue, as TOML gives it.

    Returns
    -------
    str
        64 hex digits.

    Examples
    --------
    >>> hash_entry({"a": 1, "b": 2}) == hash_entry({"b": 2, "a": 1})
    True
    """
    return hash_text(json.dumps(entry, sort_keys=True, default=str))


def _entry_hash(path: Path, name: str) -> str | None:
    try:
        with path.open("rb") as file:
            entry = tomllib.load(file).get(name)
    except (OSError, tomllib.TOMLDecodeError):
        return None
    return hash_entry(entry) if isinstance(entry, dict) else None
