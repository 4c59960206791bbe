"""One experiment as one run: parameters, metrics, the model without pickle, data, a figure."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lib.config import Config
from lib.tracking.candidates import deferred_folder
from lib.tracking.models import dump_model, list_types, read_model
from lib.tracking.redaction import redact
from lib.tracking.runs import (
    AnalysisRun,
    choice_tags,
    find_experiment,
    log_batches,
    make_params,
    make_tags,
)
from lib.tracking.store import (
    import_mlflow,
    make_client,
    prepare_store,
    process_tags,
    quiet_mlflow,
    writing,
)

MODEL_FOLDER, FIGURES = "model", "figures"
EXPERIMENTS, FACTS = "experiments", "experiment.json"  # what waits, beside waiting candidates
SKOPS = "model.skops"


def log_experiment(
    config: Config,
    name: str,
    *,
    model: Any,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    datasets: Mapping[str, Mapping[str, Any]],
    save_figure: Callable[[Path], None],
    dataset: str | None = None,
) -> str:
    """Write a finished experiment to the store, in one run.

    The run nests under that of the analysis where there is one. Nothing is written before all of
    it is ready, so that a model that cannot be saved safely leaves no run behind. In an analysis
    under the runner it waits beside the candidates, for `log_deferred_experiments`.

    Parameters
    ----------
    config : Config
        Says where the store is.
    name : str
        Of the run.
    model : fitted estimator
        scikit-learn is kept by skops, LightGBM in its own text; nothing is pickled.
    params, metrics : mapping
        By name.
    datasets : mapping of str to mapping
        By context ("training", "testing"): `digest`, `rows` and `columns` of the input.
    save_figure : callable
        Takes a folder and saves pictures in it.
    dataset : str, optional
        Name of the table, which is the experiment's in MLflow.

    Returns
    -------
    str
        Identifier of the run; "" for one that waits.

    Raises
    ------
    InputError
        When the model holds types outside of the allow-list, or cannot be kept without pickle.
    """
    kept = Kept(
        name=name,
        dataset=redact("dataset", dataset or config.dataset),
        params=make_params(params),
        metrics={key: float(value) for key, value in metrics.items()},
        inputs={context: dict(facts) for context, facts in datasets.items()},
    )
    report = deferred_folder()
    if report is not None:
        folder = report / EXPERIMENTS
        number = len(list(folder.glob("*"))) + 1
        _keep(kept, model, save_figure, folder / f"{number:02}")
        return ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "experiment"
        _keep(kept, model, save_figure, folder)
        return _log_kept(folder, config)


@dataclass(frozen=True)
class Kept:
    """What describes an experiment, beside its model and figures; fit for JSON."""

    name: str
    dataset: str
    params: dict[str, str]
    metrics: dict[str, float]
    inputs: dict[str, dict[str, Any]]


def log_deferred_experiments(path: Path, config: Config) -> None:
    """Track the experiments that wait beside deferred candidates, under the current run.

    Parameters
    ----------
    path : Path
        Of the candidates, as `defer_candidates` was told.
    config : Config
        Says where the store is.
    """
    for folder in sorted((path.parent / EXPERIMENTS).glob("*")):
        _log_kept(folder, config)


def _keep(kept: Kept, model: Any, save_figure: Callable[[Path], None], folder: Path) -> None:
    """Write an experiment into a new folder, or none of it; MLflow is not needed for that."""
    building = folder.with_name(f"{folder.name}.part")
    (building / FIGURES).mkdir(parents=True)
    try:
        dump_model(model, building / SKOPS)
        save_figure(building / FIGURES)
        (building / FACTS).write_text(json.dumps(asdict(kept)), encoding="utf-8")
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building)
        raise


def _log_kept(folder: Path, config: Config) -> str:
    """Make a run of a kept experiment, under that of the analysis if there is one."""
    with quiet_mlflow():
        kept = Kept(**json.loads((folder / FACTS).read_text(encoding="utf-8")))
        with tempfile.TemporaryDirectory() as temporary:
            artifacts = Path(temporary)
            convert_model(folder / SKOPS, artifacts / MODEL_FOLDER)
            shutil.copytree(folder / FIGURES, artifacts / FIGURES)
            return _make_run(kept, artifacts, config)


def _make_run(kept: Kept, artifacts: Path, config: Config) -> str:
    prepare_store(config)
    client, parent = make_client(config), AnalysisRun.current
    tags = {
        "study.kind": "experiment",
        "study.dataset": kept.dataset,
        **choice_tags(config),
        **process_tags(),
    }
    if parent is not None:
        tags["mlflow.parentRunId"] = parent.run_id
    with writing(config):
        experiment_id = find_experiment(client, kept.dataset, config)
        run = client.create_run(experiment_id, run_name=kept.name, tags=make_tags(tags))
        run_id = str(run.info.run_id)
        log_batches(client, run_id, params=kept.params, metrics=kept.metrics)
        client.log_inputs(run_id, datasets=_inputs(kept))
    client.log_artifacts(run_id, str(artifacts))
    with writing(config):
        client.set_terminated(run_id)
    return run_id


def _inputs(kept: Kept) -> list[Any]:
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415

    return [
        DatasetInput(
            dataset=Dataset(
                name=redact("name", kept.dataset)[:500],
                digest=str(facts["digest"])[:36],
                source_type="study",
                source=redact("source", kept.dataset)[:500],
                profile=json.dumps({"num_rows": facts["rows"], "num_columns": facts["columns"]}),
            ),
            tags=[InputTag("mlflow.data.context", context)],
        )
        for context, facts in kept.inputs.items()
    ]


def convert_model(file: Path, path: Path) -> None:
    """Save a model that a skops file holds as an MLflow model, without pickle.

    Parameters
    ----------
    file : Path
        Of `dump_model`.
    path : Path
        A folder that is not there yet.

    Raises
    ------
    InputError
        As `read_model`.
    """
    mlflow = import_mlflow()
    model, types = read_model(file), list_types(file)
    if type(model).__module__.startswith("lightgbm"):
        import mlflow.lightgbm  # noqa: PLC0415 - seconds to import

        booster, requirements = getattr(model, "booster_", model), _pinned("lightgbm")
        mlflow.lightgbm.save_model(booster, str(path), pip_requirements=requirements)
        return
    import mlflow.sklearn  # noqa: PLC0415

    mlflow.sklearn.save_model(
        model,
        str(path),
        serialization_format="skops",
        skops_trusted_types=types,
        pip_requirements=_pinned("scikit-learn", "skops", *_packages_of(types)),
    )


def _packages_of(types: list[str]) -> list[str]:
    roots = {name.partition(".")[0] for name in types}
    return sorted(roots & {"lightgbm", "skrub"})


def _pinned(*names: str) -> list[str]:
    """Return requirements, given to MLflow because it would take a minute to find them."""
    return [f"{name}=={version(name)}" for name in ("mlflow", *names)]
