"""Make the parent warm: import once what the analyses will import, and compute nothing."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# Imported by the first call of a package, so that no import statement of ours shows it.
HIDDEN = {
    "matplotlib": ("matplotlib_inline.config", "matplotlib.backends.backend_agg"),
    "torch": ("torch._dynamo",),
    "pandas": ("pandas.io.formats.html",),
    "sqlalchemy": ("sqlalchemy.dialects.sqlite",),
}
# What the record of runs needs, in pieces of a second or less.
TRACKING = (
    "sqlalchemy.orm", "sqlalchemy.dialects.sqlite", "fastapi", "alembic.migration",
    "opentelemetry.sdk.trace", "mlflow.entities", "mlflow", "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store",
)  # fmt: skip
# Drivers that only some sources need; duckdb also complains at the end of a process that forked.
ON_DEMAND = {"duckdb", "psycopg", "fastexcel", "openpyxl"}
# What most analyses use, though functions import it only when they need it.
USUAL = {"lightgbm", "matplotlib", "scipy", "sklearn"}
# Has to find the shell of its own process when it is imported.
PER_PROCESS = {"matplotlib_inline.backend_inline"}
# Reading notebooks imports jsonschema, which uses these if they are there to check addresses and
# durations; one of them compiles a grammar for two seconds at every start.
FORMAT_CHECKS = ("rfc3987_syntax", "isoduration")
# jupytext is also a plug-in of the notebook server.
NO_SERVER = (*FORMAT_CHECKS, "tornado", "jupyter_client", "jupyter_server", "jupyter_core")
THREAD_LIMITS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
    "POLARS_MAX_THREADS", "NUMEXPR_MAX_THREADS",
)  # fmt: skip


def count_cores() -> int:
    """Return the number of cores that this process may use.

    Returns
    -------
    int
        At least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def limit_threads(jobs: int) -> None:
    """Share the cores among `jobs` processes; before anything numerical is imported.

    What the user set stays. LightGBM ignores `OMP_NUM_THREADS` alone: joblib's count and the
    passive waiting keep two processes from fighting for the same cores.

    Parameters
    ----------
    jobs : int
        Processes at a time.
    """
    share = str(max(1, count_cores() // jobs))
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, share)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")


def shared(learned: Mapping[str, Sequence[str]], names: Sequence[str]) -> list[str]:
    """Return the modules that more than one of the analyses had to import itself last time.

    What only one wants, it imports while the others already run.

    Parameters
    ----------
    learned : mapping of str to sequence of str
        Modules in order of import by analysis.
    names : sequence of str
        Analyses that are about to run.

    Returns
    -------
    list of str
        In order of import.

    Examples
    --------
    >>> shared({"01": ["a", "b"], "02": ["b"]}, ["01", "02"])
    ['b']
    >>> shared({"01": ["a", "b"], "02": ["b"]}, ["01"])
    ['a', 'b']
    """
    enough = min(2, len(names))
    counts = Counter(module for name in names for module in learned.get(name, ()))
    return [module for module, count in counts.items() if count >= enough]


def import_packages(
    names: Iterable[str], modules: Iterable[str] = (), *, until: Callable[[], bool] = bool
) -> None:
    """Import packages, quietly; what is absent or broken is left to the analysis to report.

    Parameters
    ----------
    names : iterable of str
        Dotted names; a last part may be something else than a module.
    modules : iterable of str
        More modules, in order.
    until : callable, optional
        Asked before each import; True when no more are needed.
    """
    wanted = sorted(name for name in names if name.partition(".")[0] not in ON_DEMAND)
    roots = {name.partition(".")[0] for name in wanted}
    hidden = [module for root in sorted(roots) for module in HIDDEN.get(root, ())]
    shown = warnings.showwarning
    warnings.showwarning = _ignore  # not catch_warnings: packages add filters that must stay
    try:
        with without(FORMAT_CHECKS):
            for name in [*wanted, *hidden, *modules]:
                if until():
                    break
                _import(name)
    finally:
        warnings.showwarning = shown
    gc.freeze()  # the collector need not touch, and so copy, the shared pages


@contextmanager
def without(names: Iterable[str]) -> Iterator[None]:
    """Import with some optional packages absent for a moment.

    Parameters
    ----------
    names : iterable of str
        Packages that what is imported does without; those already imported stay.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python marks the absent
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _import(name: str) -> None:
    parent, _, leaf = name.rpartition(".")
    try:
        module: Any = importlib.import_module(parent) if parent else None
        if module is None or not hasattr(module, leaf):
            importlib.import_module(name)
    except Exception:  # noqa: BLE001, S110  # an import may raise anything
        pass


def _ignore(*_: Any, **__: Any) -> None:
    pass
