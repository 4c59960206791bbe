"""Candidates: models with their scores per fold, by which later analyses compare them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.config import Config, load_config
from lib.errors import InputError
from lib.tracking.predictions import keep_estimator, keep_predictions
from lib.tracking.runs import (
    AnalysisRun,
    choice_tags,
    describe_dataset,
    find_experiment,
    log_batches,
    make_name,
    make_tags,
)
from lib.tracking.store import (
    import_mlflow,
    make_client,
    prepare_store,
    process_tags,
    store_folder,
    writing,
)

if TYPE_CHECKING:
    import pandas as pd

FOLD_PREFIX = "folds/"
COLUMNS = ["candidate", "analysis", "run_id", "fold", "metric", "score"]
_LOGGED: dict[tuple[str, str, str], str] = {}  # (store, analysis run, candidate) -> run id
_DEFERRED: list[tuple[Path, str]] = []  # (file, analysis) where candidates wait, if they do


def log_candidates(
    scores: Any,
    *,
    dataset: Any,
    folds: Any,
    estimators: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    config: Config | None = None,
) -> None:
    """Track models with their scores per fold, so that later analyses find and compare them.

    Candidates nest under the run of the analysis where there is one; in a plain script or
    notebook they stand alone. A name logged again by the same run replaces the earlier one.

    Parameters
    ----------
    scores : Scores or pandas.DataFrame
        `scores.frame` has the columns model, fold, metric, score; `scores.times`, where present,
        model, fold, seconds and kilobytes. The runner also keeps, where present, predictions by
        model (`scores.parts`), for `load_predictions`, and unfitted estimators by model
        (`scores.estimators`), so that 32 can make the best of them its champion.
    dataset : Dataset
        Its name and fingerprint say what was learned from.
    folds : Folds
        Their fingerprint says on what the scores compare.
    estimators : mapping of str to scikit-learn estimator, optional
        Unfitted, by model: those that `scores` does not hold.
    tags : mapping, optional
        Further tags.
    config : Config, optional
        The choices of the study; by default `load_config()`.
    """
    run = AnalysisRun.current
    config = run.config if run is not None else config or load_config()
    name, fingerprint = describe_dataset(dataset)
    common = {
        "study.kind": "candidate",
        "study.dataset": name,
        "study.data": fingerprint,
        "study.folds": getattr(folds, "fingerprint", folds),
        "study.folds_rule": getattr(folds, "description", ""),
        **choice_tags(config),
        **(tags or {}),
    }
    candidates = _collect(scores, common)
    if _DEFERRED:
        path, analysis = _DEFERRED[-1]
        waiting = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        names = [candidate["tags"]["study.candidate"] for candidate in candidates]
        keys = keep_predictions(path, getattr(scores, "parts", {}), names)
        known = {**getattr(scores, "estimators", {}), **(estimators or {})}
        for candidate, name, key in zip(candidates, names, keys, strict=True):
            candidate["tags"]["study.analysis"] = analysis
            candidate["predictions"] = key
            candidate["estimator"] = keep_estimator(path, known.get(name), key or name)
        path.write_text(json.dumps([*waiting, *candidates]), encoding="utf-8")
        return
    for candidate in candidates:
        candidate["tags"]["study.analysis"] = run.analysis if run else _script_name(config)
    if run is None:
        prepare_store(config)
    _write(candidates, config, run)


def defer_candidates(path: Path, analysis: str) -> None:
    """Let `log_candidates` of this process write to a file, for `log_deferred` of a later one.

    MLflow takes seconds to import, which an analysis then need not wait for.

    Parameters
    ----------
    path : Path
        JSON; made by the first candidates.
    analysis : str
        Who logs them.
    """
    _DEFERRED.append((path, analysis))


def deferred_folder() -> Path | None:
    """Return the folder of the report in the making, or None outside the runner."""
    return _DEFERRED[-1][0].parent if _DEFERRED else None


def log_deferred(path: Path, config: Config) -> None:
    """Track the candidates of a file that `defer_candidates` named, under the current run.

    Parameters
    ----------
    path : Path
        An absent file means that there were none.
    config : Config
        Says where the store is.
    """
    if path.exists():
        _write(json.loads(path.read_text(encoding="utf-8")), config, AnalysisRun.current)


def _collect(scores: Any, common: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each model's tags, mean metrics and scores per fold, fit for JSON."""
    frame = getattr(scores, "frame", scores)
    times = getattr(scores, "times", None)
    made = []
    for candidate, rows in frame.groupby("model", sort=False):
        means = rows.groupby("metric")["score"].mean().to_dict()
        triples = zip(rows["metric"], rows["score"], rows["fold"], strict=True)
        metrics = {str(key): float(mean) for key, mean in means.items()}
        tags: dict[str, Any] = {**common, "study.candidate": str(candidate)}
        steps = [(FOLD_PREFIX + str(m), float(s), int(fold)) for m, s, fold in triples]
        metrics |= _mean_costs(times, candidate)
        made.append({"tags": tags, "metrics": metrics, "steps": steps})
    return made


def _write(candidates: list[dict[str, Any]], config: Config, run: AnalysisRun | None) -> None:
    """Make a run of each candidate, under that of the analysis if there is one."""
    client = make_client(config)
    with writing(config):
        for candidate in candidates:
            tags = {**candidate["tags"], **process_tags()}
            if run is not None:
                tags["mlflow.parentRunId"] = run.run_id
            experiment_id = (
                run.experiment_id if run else find_experiment(client, tags["study.dataset"], config)
            )
            _log_candidate(client, experiment_id, candidate, tags)


def _log_candidate(
    client: Any, experiment_id: str, candidate: Mapping[str, Any], tags: Mapping[str, Any]
) -> None:
    name = tags["study.candidate"]
    parent = tags.get("mlflow.parentRunId", tags["study.analysis"])
    key = (client.tracking_uri, f"{parent} {tags['study.folds']}", name)
    if key in _LOGGED:
        client.delete_run(_LOGGED.pop(key))
    run = client.create_run(experiment_id, run_name=name, tags=make_tags(tags))
    params = {"candidate": name, "folds": tags["study.folds_rule"]}
    steps = [(metric, score, fold) for metric, score, fold in candidate["steps"]]
    log_batches(client, run.info.run_id, params=params, metrics=candidate["metrics"], steps=steps)
    client.set_terminated(run.info.run_id)
    _LOGGED[key] = run.info.run_id


def _mean_costs(times: Any, candidate: Any) -> dict[str, float]:
    """Return mean seconds and size per fold of a candidate; {} where none were taken."""
    if times is None or "model" not in getattr(times, "columns", ()):
        return {}
    own = times[times["model"] == candidate]
    columns = [c for c in times.columns if str(c).endswith(("seconds", "kilobytes"))]
    means = {str(column): float(own[column].mean()) for column in columns}
    return {column: mean for column, mean in means.items() if math.isfinite(mean)}


def _script_name(config: Config) -> str:
    """Return the analysis that runs as a plain script, or "notebook" when it is none."""
    started = getattr(sys.modules.get("__main__"), "__file__", None)
    path = Path(started).resolve() if started else None
    is_analysis = path is not None and path.parent == config.analyses.resolve()
    return path.stem if path is not None and is_analysis else "notebook"


def load_candidates(
    config: Config, *, dataset_fingerprint: str, folds_fingerprint: str | None = None
) -> pd.DataFrame:
    """Return the latest scores per fold of every candidate tracked on a dataset.

    Runs that did not finish, or whose analysis failed, are left out.

    Parameters
    ----------
    config : Config
        Says where the store is.
    dataset_fingerprint : str
        Fingerprint of the dataset that the candidates were trained on.
    folds_fingerprint : str, optional
        Only candidates scored on these folds: others do not compare.

    Returns
    -------
    pandas.DataFrame
        Columns candidate, analysis, run_id, fold, metric, score; sorted by the first two, metric
        and fold. `run_id` is "" for candidates that this very analysis logged.

    Raises
    ------
    InputError
        When there is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> load_candidates(Config(root=Path("/nowhere")), dataset_fingerprint="feedc0de")
    Traceback (most recent call last):
    lib.errors.InputError: No candidate is tracked on this dataset (feedc0de); make them with: ...
    """
    import pandas as pd  # noqa: PLC0415

    own = _waiting(dataset_fingerprint, folds_fingerprint)
    mine = {tuple(row[:2]) for row in own}
    runs = _latest_runs(config, dataset_fingerprint, folds_fingerprint)
    if not runs and not own:
        where = " and these folds" if folds_fingerprint else ""
        msg = (
            f"No candidate is tracked on this dataset ({dataset_fingerprint}){where}; make them "
            "with: nox -s run_analyses -- 11"
        )
        raise InputError(msg)
    client = make_client(config) if runs else None
    stored = [row for run in runs for row in _fold_scores(client, run)]
    rows = [row for row in stored if row[:2] not in mine] + own
    frame = pd.DataFrame(rows, columns=COLUMNS)
    order = ["candidate", "analysis", "metric", "fold"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def _waiting(data: str, folds: str | None) -> list[tuple[str, str, str, int, str, float]]:
    """Return rows of the candidates that this process deferred, which have no run yet."""
    if not _DEFERRED or not _DEFERRED[-1][0].exists():
        return []
    latest = {}
    for candidate in json.loads(_DEFERRED[-1][0].read_text(encoding="utf-8")):
        tags = candidate["tags"]
        if tags["study.data"] == data and folds in {None, tags["study.folds"]}:
            latest[tags["study.candidate"]] = candidate
    return [
        (name, candidate["tags"]["study.analysis"], "", fold, metric.removeprefix(FOLD_PREFIX), s)
        for name, candidate in latest.items()
        for metric, s, fold in candidate["steps"]
    ]


def _fold_scores(client: Any, run: Any) -> list[tuple[str, str, str, int, str, float]]:
    tags, run_id = run.data.tags, run.info.run_id
    return [
        (
            tags["study.candidate"],
            tags["study.analysis"],
            run_id,
            point.step,
            key.removeprefix(FOLD_PREFIX),
            point.value,
        )
        for key in run.data.metrics
        if key.startswith(FOLD_PREFIX)
        for point in client.get_metric_history(run_id, key)
    ]


def _latest_runs(config: Config, data: str, folds: str | None) -> list[Any]:
    """Return the newest finished run of each candidate of each analysis."""
    if not (store_folder(config) / "mlflow.db").exists():
        return []
    client = make_client(config)
    wanted = {"study.kind": "candidate", "study.data": data, "study.folds": folds}
    conditions = [f"tags.`{k}` = '{make_name(v)}'" for k, v in wanted.items() if v is not None]
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(
        experiments,
        " AND ".join(["attributes.status = 'FINISHED'", *conditions]),
        order_by=["attributes.start_time DESC"],
        max_results=5_000,
    )
    failed = _failed_parents(client, {r.data.tags.get("mlflow.parentRunId") for r in found})
    latest: dict[tuple[str, str], Any] = {}
    for run in found:
        tags = run.data.tags
        if tags.get("mlflow.parentRunId") not in failed:
            latest.setdefault((tags["study.analysis"], tags["study.candidate"]), run)
    return list(latest.values())


def _failed_parents(client: Any, parents: set[str | None]) -> set[str | None]:
    """Return the analysis runs that failed, were killed or deleted."""
    mlflow = import_mlflow()
    failed: set[str | None] = set()
    for parent in parents - {None}:
        try:
            info = client.get_run(parent).info
        except mlflow.MlflowException:
            failed.add(parent)
            continue
        if info.status in {"FAILED", "KILLED"} or info.lifecycle_stage == "deleted":
            failed.add(parent)
    return failed
