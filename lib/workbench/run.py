"""Run the selected analyses: decide, warm up, fork, collect, sum up."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from lib.config import Config, default_dataset, load_config
from lib.data.sources import file_hash
from lib.workbench import preload
from lib.workbench.child import RESULT, Task
from lib.workbench.files import locked, read_json, replace_folder, write_json
from lib.workbench.guard import Guard
from lib.workbench.imports import Imports
from lib.workbench.manifest import Manifest, Row, compare_findings
from lib.workbench.plan import Decision, Plan, check_parameters
from lib.workbench.prepare import Preparation
from lib.workbench.progress import Progress, summary
from lib.workbench.prose import render_and_leave
from lib.workbench.scripts import find_scripts, select, with_needs
from lib.workbench.supervise import STEP, Ended, Supervisor
from lib.workbench.track import SUFFIX, track, track_and_leave

TIMEOUTS = {"quick": 300.0, "standard": 300.0, "thorough": 7_200.0}  # seconds of an analysis


@dataclass(frozen=True)
class Options:
    """The command line of `run`."""

    ids: tuple[str, ...] = ()
    jobs: int | None = None
    timeout: float | None = None  # by effort
    fresh: bool = False
    explain: bool = False
    isolated: bool = False
    kernel: bool = False
    tracking: bool = True
    pages: bool = True
    debug: bool = False
    analyses: Path | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


def run_analyses(options: Options, out: TextIO) -> int:
    """Run what has to run and return the exit code.

    Parameters
    ----------
    options : Options
        From the command line; the study's choices come from `load_config`.
    out : TextIO
        Where progress and summary go.

    Returns
    -------
    int
        0 when all passed, 1 when one did not, 130 after Ctrl-C.

    Raises
    ------
    InputError
        When what the user gave does not fit.
    """
    config = load_config()
    with closing(Guard()) as guard, locked(config.reports) as lock:
        return _Session(options, config, guard, lock, out).run()


class _Session:
    """One run from the lock to the summary."""

    def __init__(
        self, options: Options, config: Config, guard: Guard, lock: int, out: TextIO
    ) -> None:
        self.options, self.config, self.out = options, config, out
        self.began = time.monotonic()
        self.cache = config.reports / ".cache"
        analyses = (options.analyses or config.analyses).resolve()
        self.scripts = find_scripts(analyses, self.cache / "scripts.json")
        self.selected = select(self.scripts, options.ids)
        check_parameters([self.scripts[n] for n in self.selected], options.parameters)
        self.fresh = options.fresh or options.kernel
        if options.parameters.get("draft"):  # a draft shows what there is: nothing runs for it
            self.scripts |= {n: replace(self.scripts[n], needs=()) for n in self.selected}
            self.fresh = True
        self.imports = Imports([config.root, analyses.parent], self.cache / "imports.json")
        self.supervisor = Supervisor(
            guard,
            lock,
            timeout=options.timeout or TIMEOUTS[config.effort],
            isolated=options.isolated or not hasattr(os, "fork") or sys.platform == "darwin",
        )
        self.preparation = Preparation(
            self.supervisor,
            self.imports,
            config,
            {name: self.scripts[name] for name in with_needs(self.scripts, self.selected)},
            tracking=options.tracking,
            pages=options.pages,
            debug=options.debug,
        )
        self.progress = Progress(out, self.supervisor.running)
        self.rows: dict[str, Row] = {}
        self.prepared: dict[str, Any] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.untracked: dict[str, Task] = {}
        self.temporary = Path()
        self.stop_asked = False

    def run(self) -> int:
        plan = self._plan(self.preparation.known_dataset())
        if plan is None:
            plan = self._prepare_then_plan(self.selected)
        elif plan.may_run():
            plan = self._prepare_then_plan(plan.may_run())
        self.imports.save()
        self._explain_needs(plan)
        with _signals(self._interrupt):
            self._work_off(plan)
        self._write_index(plan)
        shutil.rmtree(self.temporary, ignore_errors=True)
        return self._sum_up(plan)

    # -- before anything runs ------------------------------------------------------------------

    def _plan(self, dataset: str | None) -> Plan | None:
        if dataset is None:
            return None
        folder = self.config.reports / dataset
        self.temporary = folder / ".running"
        plan = Plan(
            self.scripts,
            self.selected,
            Manifest(folder),
            self.imports,
            self.config,
            parameters=self.options.parameters,
            fresh=self.fresh,
            pages=self.options.pages,
        )
        self.jobs = max(1, min(self.options.jobs or preload.count_cores(), len(plan.order)))
        return plan

    def _prepare_then_plan(self, names: Collection[str]) -> Plan:
        """Make all ready for running `names`; plan with the name that the table has."""
        jobs = max(1, min(self.options.jobs or preload.count_cores(), len(names)))
        preload.limit_threads(jobs)
        self.prepared = self.preparation.run(list(names))
        plan = self._plan(self.prepared["dataset"]["name"])
        assert plan is not None
        self.jobs = max(1, min(self.jobs, len(plan.may_run())))
        shutil.rmtree(self.temporary, ignore_errors=True)
        return plan

    def _explain_needs(self, plan: Plan) -> None:
        may_run = set(plan.may_run())
        for name in plan.order:
            if name in may_run and name not in self.selected:
                by = ", ".join(
                    self.scripts[n].number for n in plan.order if name in self.scripts[n].needs
                )
                self.progress.say(f"{name}: runs too, {by} needs it and it has no valid result")

    # -- the runs ------------------------------------------------------------------------------

    def _work_off(self, plan: Plan) -> None:
        waiting = list(plan.order)
        warming = self.preparation.warm_up_later()
        while waiting or self.supervisor.running or self.untracked:
            for name in self._ready(waiting, plan):
                if self.stop_asked:
                    break
                decision = plan.decide(name, self.rows)
                starts = decision.action in {"run", "render"}
                if starts and self._n_busy() >= self.jobs:
                    continue
                waiting.remove(name)
                self._act(name, decision, plan)
            if self.stop_asked and not self.supervisor.running:
                break
            if not self.supervisor.running and self._ready(waiting, plan):
                continue
            is_warm = next(warming, self) is self
            if is_warm:
                self._track(plan)
            for ended in self.supervisor.wait(STEP if is_warm else 0.0):
                if ended.name.endswith(SUFFIX):
                    self._settle_tracking(ended, plan)
                else:
                    self._settle(ended, plan)
            self.progress.tick()
        for name in waiting:  # Ctrl-C came first
            self.rows[name] = Row(name, self.scripts[name].title, "interrupted", "never began")

    def _ready(self, waiting: list[str], plan: Plan) -> list[str]:
        """Return what may be decided now, first what the longest chain of others waits for."""

        def is_settled(need: str) -> bool:
            tracking = need in self.untracked or need + SUFFIX in self.supervisor.running
            return need in self.rows and not tracking

        ready = [n for n in waiting if all(map(is_settled, plan.scripts[n].needs))]
        return sorted(ready, key=lambda n: (-plan.chains[n], n))

    def _n_busy(self) -> int:
        return sum(not name.endswith(SUFFIX) for name in self.supervisor.running)

    def _act(self, name: str, decision: Decision, plan: Plan) -> None:
        script, row = self.scripts[name], plan.manifest.row(name, self.scripts[name].title)
        if self.options.explain:
            self.progress.say(f"{name}: {decision.in_words()}")
        if decision.action == "skip":
            row.state, row.note = "unchanged", ""
            row.compared = self._compare(plan, name)
            self.rows[name] = row
        elif decision.action == "block":
            row = Row(name, script.title, "blocked", decision.reasons[0])
            self.rows[name] = row
            self.progress.ended(row)
        else:
            self.keys[name] = plan.key(name)
            task = self._task(name, plan)
            if decision.action == "render":
                stored = plan.manifest.folder / name
                self.supervisor.fork(
                    name, Path(task.folder), lambda say: render_and_leave(task, stored, say)
                )
            else:
                self.supervisor.start(task)
            self.progress.started(name)

    def _task(self, name: str, plan: Plan) -> Task:
        options = self.options
        return Task.of(
            self.scripts[name],
            self.temporary / name,
            dataset=self.prepared.get("dataset") or {"name": plan.manifest.folder.name},
            parameters=plan.parameters(name),
            provenance=self.prepared.get("provenance", {}),
            uses_report=plan.reached(name).reaches("lib.report"),
            tracking=options.tracking,
            pages=options.pages,
            kernel=options.kernel,
            debug=options.debug,
        )

    def _settle(self, ended: Ended, plan: Plan) -> None:
        """Put the files of an ended analysis in their place and remember it."""
        self._learn(ended)
        name, result, folder = ended.name, ended.result, plan.manifest.folder / ended.name
        row = Row(name, self.scripts[name].title, ended.state, ended.note)
        row.seconds, row.peak_mb = round(ended.seconds, 2), round(ended.peak_mb)
        if ended.state == "passed" and result.get("rendered"):
            row = plan.manifest.row(name, self.scripts[name].title)
            row.state, row.note = "rendered", "only prose changed"
        else:
            row.cells = len(result.get("cells", []))
            row.findings, row.warnings = result.get("findings", 0), result.get("warnings", 0)
            row.headline = result.get("headline", "")
            row.note = row.note or result.get("kernel", "")
        if ended.state == "interrupted" and folder.is_dir():
            shutil.rmtree(ended.folder, ignore_errors=True)
            row.note += "; its earlier report is kept"
        else:
            if not (ended.folder / RESULT).is_file():
                write_json(ended.folder / RESULT, {"state": ended.state, "note": ended.note})
            replace_folder(ended.folder, folder)
        if row.state != "rendered":
            row.compared = self._compare(plan, name) if ended.state == "passed" else ""
            modules = result.get("modules", [])
            key = plan.key(name, modules=modules) if ended.state == "passed" else self.keys[name]
            key["needs"] = self.keys[name]["needs"]
            entry = {"key": key, "modules": modules, "sources": result.get("sources", {})}
        else:
            entry = dict(plan.manifest.entry(name))
        entry["prose"] = self.scripts[name].prose_digest()
        entry["script"] = file_hash(self.scripts[name].path)
        entry["findings_digest"] = plan.manifest.findings_digest(name)
        state = "passed" if row.finished else row.state
        if self.options.tracking and row.state not in {"rendered", "interrupted"}:
            self.untracked[name] = self._task(name, plan)
            state = "not tracked" if row.finished else state
        plan.manifest.put(name, {**entry, **asdict(row), "state": state})
        self.rows[name] = row
        self.progress.ended(row)

    def _track(self, plan: Plan) -> None:
        """Start a process for each ended analysis that writes it into the record of runs."""
        while self.untracked and not self.stop_asked:
            name, task = self.untracked.popitem()
            task = replace(task, folder=str(self.temporary / (name + SUFFIX)))
            stored, state = plan.manifest.folder / name, self.rows[name].state
            if self.supervisor.isolated:
                self._track_here(task, state, stored, plan)
            else:
                work = partial(track_and_leave, task, state, stored)
                self.supervisor.fork(name + SUFFIX, Path(task.folder), work)

    def _track_here(self, task: Task, state: str, stored: Path, plan: Plan) -> None:
        run_id = failure = ""
        try:
            run_id = track(task, state, stored, self.config)
        except Exception as error:  # noqa: BLE001  # whatever it is, the analysis is not tracked
            failure = f"not tracked: {type(error).__name__}: {error}"
        self._tracked(task.name, failure, run_id, plan)

    def _settle_tracking(self, ended: Ended, plan: Plan) -> None:
        shutil.rmtree(ended.folder, ignore_errors=True)
        if ended.state == "interrupted":  # the analysis runs again next time
            return
        failure = "" if ended.state == "passed" else f"not tracked: {ended.note}"
        name, run_id = ended.name.removesuffix(SUFFIX), ended.result.get("mlflow_run_id", "")
        self._tracked(name, failure, run_id, plan)

    def _tracked(self, name: str, failure: str, run_id: str, plan: Plan) -> None:
        """Remember that an analysis is in the record of runs, or why not."""
        row = self.rows[name]
        if row.finished and not failure:
            plan.manifest.amend(name, state="passed", mlflow_run_id=run_id)
        elif row.finished:
            row.state, row.note = "failed", failure
            plan.manifest.amend(name, state="failed", note=failure)
            self.progress.ended(row)

    def _learn(self, ended: Ended) -> None:
        """Remember what the child had to import itself: the next parent does it once for all."""
        path = self.cache / "packages.json"
        learned = read_json(path)
        new = [m for m in ended.result.pop("imported", []) if m not in learned.get(ended.name, [])]
        if new and not self.supervisor.isolated:
            write_json(path, {**learned, ended.name: [*learned.get(ended.name, []), *new]})

    def _compare(self, plan: Plan, name: str) -> str:
        """Compare with the committed findings where that means something."""
        config = self.config
        standard = (
            config.effort == "standard"
            and config.dataset == default_dataset(config)
            and not plan.parameters(name)
            and self.options.analyses is None
        )
        if not standard:
            return ""
        found = plan.manifest.folder / name / "findings.md"
        return compare_findings(found, config.committed_findings / f"{name}.md")

    def _interrupt(self, *_: Any) -> None:
        self.stop_asked = True
        self.supervisor.interrupts += 1

    # -- after all have ended ------------------------------------------------------------------

    def _write_index(self, plan: Plan) -> None:
        folder = plan.manifest.folder
        quiet = all(row.state == "unchanged" for row in self.rows.values())
        if not self.options.pages or (quiet and (folder / "index.html").is_file()):
            return
        from lib.report import pages  # noqa: PLC0415

        rows = []
        for name, script in self.scripts.items():
            row = self.rows.get(name) or plan.manifest.row(name, script.title)
            rows.append({**asdict(row), "needs": list(script.needs)})
        pages.render_index(folder, rows)

    def _sum_up(self, plan: Plan) -> int:
        shown = [
            row
            for name, row in sorted(self.rows.items())
            if name in self.selected or row.state != "unchanged"
        ]
        self.progress.say("\n" + summary(shown) + "\n")
        counts: dict[str, int] = {}
        for row in shown:
            counts[row.state] = counts.get(row.state, 0) + 1
        states = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
        self.progress.say(f"{states} in {time.monotonic() - self.began:.1f} s")
        compared = {row.compared for row in shown}
        if compared & {"changed", "new"}:
            self.progress.say("What the findings changed: nox -s findings -- diff")
        index = plan.manifest.folder / "index.html"
        self.progress.say(str(index if index.is_file() else plan.manifest.folder))
        if self.stop_asked:
            return 130
        return 0 if all(row.finished for row in shown) else 1


class _signals:  # noqa: N801  # used like a function
    """Send Ctrl-C and termination to a handler for the length of a `with` block."""

    def __init__(self, handler: Callable[..., None]) -> None:
        self._handler = handler
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._handler)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
