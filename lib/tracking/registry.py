"""The champion in MLflow's model registry, under an alias that always names the current one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lib.config import Config
from lib.tracking.champion import CARD, FOLDER, read_card
from lib.tracking.experiments import convert_model
from lib.tracking.runs import AnalysisRun, make_name
from lib.tracking.store import make_client, quiet_mlflow, writing

ALIAS = "champion"


def register_champion(report: Path, config: Config, *, dataset: str) -> str | None:
    """Register the champion that a report holds as a new version, and move the alias to it.

    Parameters
    ----------
    report : Path
        Folder of an analysis; without a champion in it nothing happens.
    config : Config
        Says where the store is.
    dataset : str
        Which names the registered model.

    Returns
    -------
    str or None
        The URI under which MLflow loads it: `models:/<dataset>@champion`.
    """
    folder = report / FOLDER
    run = AnalysisRun.current
    if run is None or not (folder / CARD).exists():
        return None
    with quiet_mlflow():
        return _register(folder, run.run_id, config, make_name(dataset))


def _register(folder: Path, run_id: str, config: Config, name: str) -> str:
    card, client = read_card(folder), make_client(config)
    with tempfile.TemporaryDirectory() as temporary:
        convert_model(folder / "champion.skops", Path(temporary) / ALIAS)
        client.log_artifacts(run_id, str(Path(temporary) / ALIAS), ALIAS)
    with writing(config):
        if not any(model.name == name for model in client.search_registered_models()):
            client.create_registered_model(name)
        version = client.create_model_version(
            name,
            source=f"{client.get_run(run_id).info.artifact_uri}/{ALIAS}",
            run_id=run_id,
            tags={"digest": card["champion"]["digest"], "data": card["data"]},
            description=f"{card['champion']['name']}: {card['rule']}"[:4_000],
        )
        client.set_registered_model_alias(name, ALIAS, version.version)
    return f"models:/{name}@{ALIAS}"
