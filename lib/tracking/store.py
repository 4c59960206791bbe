"""The embedded store: made once, whole or not at all; runs of dead processes are closed."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lib.config import Config
from lib.errors import InputError

HOST_TAG, PID_TAG, BORN_TAG = "study.host", "study.pid", "study.process_started"
SAME_PROCESS = 2.0  # seconds by which two readings of one process's start may differ


def store_folder(config: Config) -> Path:
    """Return the folder of database and artifacts."""
    return config.reports / "mlflow"


def store_uri(config: Config) -> str:
    """Return the tracking URI of the study."""
    return f"sqlite:///{(store_folder(config) / 'mlflow.db').resolve()}"


def prepare_store(config: Config) -> str:
    """Return the tracking URI of a usable store: make it if absent, close runs of the dead.

    Two processes that create an SQLite store together lose runs, and one that is killed half-way
    leaves a broken file: so it is made under a lock, in another file, and renamed when whole.

    Parameters
    ----------
    config : Config
        Says where the reports lie.

    Returns
    -------
    str
        `sqlite:////.../mlflow.db`

    Raises
    ------
    InputError
        When the file there is not a store that the installed MLflow can read.
    """
    folder = store_folder(config)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "store.lock"):
        if not _is_whole(folder / "mlflow.db"):
            _create(folder)
    close_dead_runs(config)
    return store_uri(config)


def check_store(config: Config) -> None:
    """Refuse early, without importing MLflow, a file in the store's place that is none.

    Raises
    ------
    InputError
        As `prepare_store`.
    """
    _is_whole(store_folder(config) / "mlflow.db")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, which ends with the process whatever happens to it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def writing(config: Config) -> Iterator[None]:
    """Let one process write at a time: MLflow looks whether a row is there, then adds it.

    Two processes that log the same new dataset would otherwise both add it, and one would fail.
    """
    with locked(store_folder(config) / "writing.lock"):
        yield


def _is_whole(path: Path) -> bool:
    """Return whether the store exists and is complete; an unfinished one without runs is not.

    Raises
    ------
    InputError
        When the file holds something else, or an unfinished store with runs in it.
    """
    if not path.exists():
        return False
    if path.stat().st_size == 0:
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            revisions = _count(connection, "alembic_version") if "alembic_version" in tables else 0
            if revisions and "experiments" in tables and _count(connection, "experiments"):
                return True
            if "runs" in tables and _count(connection, "runs"):
                msg = f"{path} is an unfinished MLflow store with runs in it; move it away."
                raise InputError(msg)
    except sqlite3.DatabaseError as error:
        msg = (
            f"{path} should be MLflow's SQLite store, but cannot be read ({error}); move it away "
            "and run again: a new one is made."
        )
        raise InputError(msg) from error
    return False


def _count(connection: sqlite3.Connection, table: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - fixed
    return int(found[0])


def _create(folder: Path) -> None:
    """Build a store beside its place and rename it there."""
    import_mlflow()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415

    building = folder / "mlflow.db.new"
    for leftover in folder.glob("mlflow.db.new*"):  # of a process that was killed here
        leftover.unlink()
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    with _quiet_migrations():
        made = SqlAlchemyStore(f"sqlite:///{building.resolve()}", artifacts.resolve().as_uri())
        made.engine.dispose()
    for suffix in ("-journal", "-wal", "-shm"):  # SQLite would apply an old one to the new file
        (folder / f"mlflow.db{suffix}").unlink(missing_ok=True)
    building.replace(folder / "mlflow.db")


@contextmanager
def _quiet_migrations() -> Iterator[None]:
    """Hold back some fifty lines that say which table is made."""
    loggers = [logging.getLogger(name) for name in ("alembic", "mlflow.store.db.utils")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def import_mlflow() -> Any:
    """Return the `mlflow` module, imported with telemetry off."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import mlflow  # noqa: PLC0415 - takes seconds

    return mlflow


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Hold back what MLflow warns of its own types and of its own use of SQLAlchemy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Any type hint", UserWarning)
        warnings.filterwarnings("ignore", "The ..noload.. loader strategy")
        yield


def make_client(config: Config) -> Any:
    """Return an MLflow client on a store that `prepare_store` has made.

    Raises
    ------
    InputError
        When another version of MLflow made the store.
    """
    mlflow = import_mlflow()
    try:
        return mlflow.MlflowClient(tracking_uri=store_uri(config))
    except mlflow.MlflowException as error:
        if "schema" not in str(error):
            raise
        msg = (
            f"{store_uri(config)} was made by another version of MLflow than the installed "
            f"{mlflow.__version__}; run `mlflow db upgrade {store_uri(config)}`, or move it away."
        )
        raise InputError(msg) from error


@cache
def host_name() -> str:
    """Return the name of this machine, since process numbers mean nothing on another."""
    return socket.gethostname()


def process_tags() -> dict[str, str]:
    """Return tags by which a later process can tell whether this one still lives."""
    import psutil  # noqa: PLC0415 - needed by runs only

    born = psutil.Process().create_time()
    return {HOST_TAG: host_name(), PID_TAG: str(os.getpid()), BORN_TAG: f"{born:.2f}"}


def is_alive(tags: dict[str, str]) -> bool:
    """Return whether the process that wrote `process_tags` still runs; others count as alive."""
    import psutil  # noqa: PLC0415 - needed by runs only

    if tags.get(HOST_TAG) != host_name() or PID_TAG not in tags:
        return True
    with suppress(psutil.NoSuchProcess, ValueError, KeyError):
        process = psutil.Process(int(tags[PID_TAG]))
        started = process.create_time()
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return not zombie and abs(started - float(tags[BORN_TAG])) < SAME_PROCESS
    return False


def close_dead_runs(config: Config) -> list[str]:
    """Mark runs as KILLED that are RUNNING although their process is gone.

    Parameters
    ----------
    config : Config
        Says where the store is.

    Returns
    -------
    list of str
        Identifiers of the closed runs.
    """
    if not _has_running_runs(store_folder(config) / "mlflow.db"):
        return []
    client = make_client(config)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    running = client.search_runs(experiments, "attributes.status = 'RUNNING'", max_results=5_000)
    dead = [run for run in running if not is_alive(run.data.tags)]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with writing(config):
        for run in dead:
            client.set_tag(run.info.run_id, "study.closed", f"its process was gone at {now}")
            client.set_terminated(run.info.run_id, status="KILLED")
    return [run.info.run_id for run in dead]


def _has_running_runs(path: Path) -> bool:
    """Return whether any run is RUNNING, asked of SQLite directly: MLflow takes seconds to load."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        query = "SELECT 1 FROM runs WHERE status = 'RUNNING' LIMIT 1"
        return connection.execute(query).fetchone() is not None
