"""What happens once before the analyses: packages imported, the table loaded."""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lib.config import Config
from lib.data.names import slug
from lib.errors import InputError
from lib.workbench import preload
from lib.workbench.child import RESULT, Say
from lib.workbench.files import read_json, write_json
from lib.workbench.imports import Imports
from lib.workbench.scripts import Script
from lib.workbench.supervise import Supervisor

READERS = ["lib.data.dataset", "lib.data.frames"]  # not those of every format
TABLE = "(the table)"
TABLE_SECONDS = 3600.0  # a large one may take its time


class Preparation:
    """Warms this process up while a child loads the table.

    Parameters
    ----------
    supervisor : Supervisor
        Forks the child.
    imports : Imports
        Finds what the scripts import.
    config : Config
        The choices of the study.
    scripts : mapping of str to Script
        Those that may run.
    tracking, pages, debug : bool
        Switches of the command line.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        imports: Imports,
        config: Config,
        scripts: Mapping[str, Script],
        *,
        tracking: bool,
        pages: bool,
        debug: bool,
    ) -> None:
        self._supervisor, self._imports, self._config = supervisor, imports, config
        self._scripts = scripts
        self._tracking, self._pages, self._debug = tracking, pages, debug
        self._cache = config.reports / ".cache"
        self._names = self._cache / "datasets.json"
        self._folder = config.reports / ".preparing"
        closures = (imports.closure(script.path) for script in scripts.values())
        self._reads_data = any(reached.reaches("lib.data.loading") for reached in closures)

    def known_dataset(self) -> str | None:
        """Return the folder name of the table where it is known without loading it."""
        known = read_json(self._names).get(self._key())
        return self._guess() if known is None and not self._reads_data else known

    def run(self, names: Sequence[str]) -> dict[str, Any]:
        """Prepare for running `names`.

        Parameters
        ----------
        names : sequence of str
            Analyses.

        Returns
        -------
        dict
            `dataset` (name, fingerprint) and `provenance`.

        Raises
        ------
        InputError
            When the table cannot be loaded, or the record of runs is none.
        """
        warm = not self._supervisor.isolated
        if warm:
            self._warm_up(READERS if self._reads_data else [], [])
        if self._reads_data or self._tracking:
            self._start_child()
        if warm:
            self._warm_up(["lib.report.pages"] if self._pages else [], names)
        prepared = self._await_child()
        prepared["dataset"].setdefault("name", self._guess())
        write_json(
            self._names, {**read_json(self._names), self._key(): prepared["dataset"]["name"]}
        )
        return prepared

    def warm_up_later(self) -> Iterator[None]:
        """Import, piece by piece, what only the end of an analysis needs.

        Yields
        ------
        None
            After each piece, so that the caller can look after its children.
        """
        if self._tracking and not self._supervisor.isolated:
            for name in preload.TRACKING:
                preload.import_packages([name])
                yield

    def _key(self) -> str:
        return json.dumps([self._config.dataset, self._config.target])

    def _guess(self) -> str:
        return slug(Path(self._config.dataset).stem)

    def _warm_up(self, modules: Sequence[str], names: Sequence[str]) -> None:
        """Import packages: those of `modules` of ours, and those that `names` will want."""
        from lib.workbench import execute  # noqa: PLC0415  # IPython: only if something runs

        execute.prepare_environment()
        execute.make_shell()  # before pandas, which looks for it when it is imported
        packages = set(self._imports.closure(Path(os.devnull), also=modules).packages)
        for name in names:
            reached = self._imports.closure(self._scripts[name].path)
            packages |= reached.at_start
            packages |= {p for p in reached.on_demand if p.partition(".")[0] in preload.USUAL}
        learned = read_json(self._cache / "packages.json")
        preload.import_packages(packages, preload.shared(learned, names), until=self._has_failed)

    def _has_failed(self) -> bool:
        """Say whether the child has found something wrong: nothing else need be made ready."""
        result = self._folder / RESULT
        return result.is_file() and "error" in read_json(result)

    def _start_child(self) -> None:
        folder = self._folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

        def work(_say: Say) -> NoReturn:
            made = prepare(
                self._config, load=self._reads_data, tracking=self._tracking, debug=self._debug
            )
            write_json(folder / RESULT, made)
            os._exit(0)

        self._supervisor.fork(TABLE, folder, work).limit = TABLE_SECONDS

    def _await_child(self) -> dict[str, Any]:
        result: dict[str, Any] = {"dataset": {}, "provenance": {}}
        while self._supervisor.running:
            for ended in self._supervisor.wait():
                result = ended.result
                shutil.rmtree(ended.folder, ignore_errors=True)
                if not result:
                    msg = f"Loading the table {self._config.dataset} failed: {ended.note}."
                    raise InputError(msg)
        sys.stderr.write(result.get("traceback", ""))
        if "error" in result:
            raise InputError(result["error"])
        return result


def prepare(config: Config, *, load: bool, tracking: bool, debug: bool) -> dict[str, Any]:
    """Load the table once, lock its test rows, look at the store; return what the runs need.

    Parameters
    ----------
    config : Config
        The choices of the study.
    load : bool
        Whether an analysis reads the table.
    tracking : bool
        Whether runs are tracked.
    debug : bool
        Whether errors come with a traceback.

    Returns
    -------
    dict
        `dataset` (name, fingerprint) and `provenance`; or `error`.
    """
    made: dict[str, Any] = {"dataset": {}, "provenance": {}}
    try:
        if load:
            from lib.data import load_data  # noqa: PLC0415
            from lib.report.provenance import collect_provenance  # noqa: PLC0415

            dataset = load_data(config.dataset, target=config.target, config=config)
            _ = dataset.split
            made["dataset"] = {"name": dataset.name, "fingerprint": dataset.fingerprint}
            made["provenance"] = collect_provenance({"packages": {}, "python": ""})
        if tracking:
            from lib.tracking import check_store  # noqa: PLC0415

            check_store(config)
    except Exception as error:  # noqa: BLE001  # the parent says it
        made["error"] = str(error)
        if not isinstance(error, InputError):
            cause = f"{type(error).__name__}: {error}"
            made["error"] = f"Loading the table {config.dataset} failed ({cause}); see --debug."
        if debug:
            made["traceback"] = traceback.format_exc()
    return made
