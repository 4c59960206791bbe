"""Track an ended analysis, in a process of its own: no analysis waits for MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from lib.config import Config, load_config
from lib.workbench.child import CANDIDATES, RESULT, Say, Task, leave
from lib.workbench.files import read_json

MODULES = ("lib.tracking.runs", "lib.tracking.candidates")
SUFFIX = ": tracking"


def track_and_leave(task: Task, state: str, stored: Path, say: Say) -> NoReturn:
    """Write an ended analysis into the record of runs, and leave.

    Parameters
    ----------
    task : Task
        Its folder receives nothing but the result of this process.
    state : str
        How the analysis ended.
    stored : Path
        Its report.
    say : callable
        Tells the parent where this process is.
    """

    def work() -> dict[str, Any]:
        say({"cell": "tracking", "line": 0, "position": 0, "of": 1})
        run_id = track(task, state, stored, load_config())
        return {"state": "passed", "mlflow_run_id": run_id}

    leave(Path(task.folder), work)


def track(task: Task, state: str, stored: Path, config: Config) -> str:
    """Write an ended analysis, its candidates and experiments into the record of runs.

    Parameters
    ----------
    task : Task
        What was run.
    state : str
        How it ended.
    stored : Path
        Its report.
    config : Config
        The choices of the study.

    Returns
    -------
    str
        MLflow's identifier of the run.
    """
    from lib import tracking  # noqa: PLC0415  # takes seconds

    result = read_json(stored / RESULT)  # a part of it, when the analysis was killed
    tags = {
        key: str(task.provenance[key])
        for key in ("git_commit", "git_dirty")
        if task.provenance.get(key) is not None
    }
    tracking.prepare_store(config)
    run = tracking.start_analysis_run(
        config, task.name, dataset=task.dataset, tags=tags, took=result.get("took")
    )
    tracking.log_deferred(stored / CANDIDATES, config)
    tracking.register_champion(stored, config, dataset=tracking.describe_dataset(task.dataset)[0])
    tracking.log_deferred_experiments(stored / CANDIDATES, config)
    seconds = sum(cell["seconds"] for cell in result.get("cells", ()))
    run.finish(
        state,
        params=task.parameters,
        metrics={**result.get("numbers", {}), "seconds": seconds},
        folder=stored,
    )
    return run.run_id
