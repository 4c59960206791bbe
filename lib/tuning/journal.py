"""The store of a search: an Optuna journal that survives being killed at any moment.

One file a search, one operation a line. Whoever opens it holds a lock that ends with the process,
so that no lock can be stale. A line that a kill tore in half is cut off: what it meant to say is
repeated. A trial that a kill left running is closed as failed, with its reason, and made again.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lib.errors import InputError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study


@contextmanager
def open_study(path: Path | None) -> Iterator[Study]:
    """Open the study of a journal, new or resumed; in memory without a path. High values are good.

    Parameters
    ----------
    path : Path or None
        The journal; made with its folder when absent. None keeps the study in memory.

    Yields
    ------
    optuna.Study
        Without running trials: those that a kill left behind are closed as failed.

    Raises
    ------
    InputError
        When another process works on the journal, or the file is none.

    Examples
    --------
    >>> with open_study(None) as study:
    ...     len(study.trials)
    0
    """
    import optuna  # noqa: PLC0415 - only a search needs it

    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.WARNING)  # a line a trial tells nothing that the table does not
    try:
        if path is None:
            yield optuna.create_study(direction="maximize")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(path):
            mend_journal(path)
            study = optuna.create_study(
                storage=_storage(path),
                study_name=path.stem,
                direction="maximize",
                load_if_exists=True,
            )
            _close_running(study)
            yield study
    finally:
        logger.setLevel(level)


def mend_journal(path: Path) -> int:
    """Cut off a last line that a kill left unfinished, and refuse what is no journal.

    Parameters
    ----------
    path : Path
        An absent file needs no mending.

    Returns
    -------
    int
        Bytes cut off; 0 for a whole journal.

    Raises
    ------
    InputError
        When a line before the last is not an operation: then more is wrong than a kill explains.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "search.jsonl"
    >>> _ = path.write_text('{"op_code":0}' + chr(10) + '{"op_co')
    >>> mend_journal(path), path.read_text().splitlines()
    (7, ['{"op_code":0}'])
    """
    if not path.exists():
        return 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    for number, line in enumerate(whole.splitlines(), start=1):
        if not _is_operation(line):
            raise InputError(
                f"Line {number} of {path} is not an operation of an Optuna journal. Move the file "
                "away and run again: the search starts anew."
            )
    torn = len(content) - len(whole)
    if torn:
        with path.open("r+b") as file:
            file.truncate(len(whole))
            file.flush()
            os.fsync(file.fileno())
    return torn


def _is_operation(line: bytes) -> bool:
    try:
        operation = json.loads(line)
    except ValueError:
        return False
    return isinstance(operation, dict) and "op_code" in operation


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the journal's lock, which ends with the process whatever happens to it."""
    with path.with_suffix(".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise InputError(
                f"Process {file.read().strip() or 'unknown'} is searching in {path}; wait for it "
                "to end, or give this search another seed or reports folder."
            ) from error
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


class _Held:
    """A lock with nothing to do: the process holds that of the whole journal already."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _storage(path: Path) -> BaseStorage:
    from optuna.storages import JournalStorage  # noqa: PLC0415 - only a search needs it
    from optuna.storages.journal import JournalFileBackend  # noqa: PLC0415 - likewise

    return JournalStorage(JournalFileBackend(str(path), lock_obj=_Held()))  # type: ignore[arg-type]


def _close_running(study: Study) -> None:
    """Close as failed what a kill left running: a state that is honest, and no ghost of a point."""
    from optuna.trial import TrialState  # noqa: PLC0415 - only a search needs it

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
