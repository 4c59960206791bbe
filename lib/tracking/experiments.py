"""One experiment as one run: parameters, metrics, the model without pickle, data, a figure."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lib.config import Config
from lib.errors import InputError
from lib.tracking.models import check_types
from lib.tracking.redaction import redact
from lib.tracking.runs import AnalysisRun, choice_tags, find_experiment, log_batches, make_tags
from lib.tracking.store import import_mlflow, make_client, prepare_store, process_tags, writing

MODEL_FOLDER = "model"


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
    it is ready, so that a model that cannot be saved safely leaves no run behind.

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
        Identifier of the run.

    Raises
    ------
    InputError
        When the model holds types outside of the allow-list, or cannot be kept without pickle.
    """
    with warnings.catch_warnings():  # MLflow warns about its own types and its own options
        warnings.filterwarnings("ignore", ".*Any type hint", UserWarning)
        warnings.filterwarnings("ignore", "The ..noload.. loader strategy")
        return _log(config, name, model, params, metrics, datasets, save_figure, dataset)


def _log(  # noqa: PLR0917 (one caller, all needed)
    config: Config,
    name: str,
    model: Any,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    datasets: Mapping[str, Mapping[str, Any]],
    save_figure: Callable[[Path], None],
    dataset: str | None,
) -> str:
    import_mlflow()
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415

    table = dataset or config.dataset
    inputs = [
        DatasetInput(
            dataset=Dataset(
                name=redact("name", table)[:500],
                digest=str(facts["digest"])[:36],
                source_type="study",
                source=redact("source", table)[:500],
                profile=json.dumps({"num_rows": facts["rows"], "num_columns": facts["columns"]}),
            ),
            tags=[InputTag("mlflow.data.context", context)],
        )
        for context, facts in datasets.items()
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        save_model(model, folder / MODEL_FOLDER)
        (folder / "figures").mkdir()
        save_figure(folder / "figures")
        prepare_store(config)
        client, parent = make_client(config), AnalysisRun.current
        tags = {
            "study.kind": "experiment",
            "study.dataset": table,
            **choice_tags(config),
            **process_tags(),
        }
        if parent is not None:
            tags["mlflow.parentRunId"] = parent.run_id
        with writing(config):
            experiment_id = find_experiment(client, table, config)
            run = client.create_run(experiment_id, run_name=name, tags=make_tags(tags))
            run_id = str(run.info.run_id)
            log_batches(client, run_id, params=params, metrics=metrics)
            client.log_inputs(run_id, datasets=inputs)
        client.log_artifacts(run_id, str(folder))
        with writing(config):
            client.set_terminated(run_id)
    return run_id


def save_model(model: Any, path: Path) -> None:
    """Save a fitted model as an MLflow model, without pickle.

    Parameters
    ----------
    model : fitted estimator
        Of scikit-learn (or its interface) or LightGBM.
    path : Path
        A folder that is not there yet.

    Raises
    ------
    InputError
        As `log_experiment`.
    """
    mlflow = import_mlflow()
    if type(model).__module__.startswith("lightgbm"):
        import mlflow.lightgbm  # noqa: PLC0415 - seconds to import

        booster = getattr(model, "booster_", model)
        requirements = _pinned("lightgbm")
        mlflow.lightgbm.save_model(booster, str(path), pip_requirements=requirements)
        return
    import mlflow.sklearn  # noqa: PLC0415
    import skops.io  # noqa: PLC0415

    try:
        types = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    except Exception as error:
        msg = f"{type(model).__name__} cannot be kept without pickle ({error})"
        raise InputError(f"{msg}: define its classes and functions at the top of a module.") from (
            error
        )
    check_types(types)
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
