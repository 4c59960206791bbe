"""Files of the reports folder: written whole or not at all, and one run at a time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.errors import InputError


def read_json(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file; an absent or broken file is an empty one.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        Its object.
    """
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    value : object
        What `json` takes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)


def replace_folder(new: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one.

    Parameters
    ----------
    new : Path
        Complete, on the same file system.
    target : Path
        Its place.
    """
    old = new.with_name(new.name + "-old")
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold a reports folder for one run; the lock ends with the process, however it ends.

    Parameters
    ----------
    folder : Path
        Made if absent.

    Yields
    ------
    int
        The lock's file descriptor, for children to close.

    Raises
    ------
    InputError
        When another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        msg = (
            f"The reports folder {folder} cannot be written ({error.strerror}). "
            "Set STUDY_REPORTS to one that can."
        )
        raise InputError(msg) from error
    try:
        if not _try_lock(descriptor):
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
            msg = (
                f"Another run holds {folder}: {holder or 'it is just starting'}. "
                "Wait until it has ended, or end it there with Ctrl-C."
            )
            raise InputError(msg)
        os.ftruncate(descriptor, 0)
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        os.pwrite(descriptor, f"process {os.getpid()}, since {since}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl  # noqa: PLC0415  # absent on Windows, where a second run is not refused
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
