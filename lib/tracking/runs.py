"""One MLflow run per analysis, written in a few batches."""

from __future__ import annotations

import base64
import json
import math
import re
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from lib.config import Config
from lib.data.names import slug
from lib.tracking.redaction import redact
from lib.tracking.store import import_mlflow, make_client, process_tags, store_folder, writing

LONGEST_PARAM, LONGEST_TAG, LONGEST_NAME = 6_000, 5_000, 250
STATUSES = {
    "passed": "FINISHED", "finished": "FINISHED", "failed": "FAILED", "killed": "KILLED",
}  # fmt: skip
_FORBIDDEN = re.compile(r"[^\w .:/-]", flags=re.ASCII)


@dataclass
class AnalysisRun:
    """A run that is under way; `finish` closes it."""

    config: Config
    run_id: str
    experiment_id: str
    analysis: str
    ended: int | None = None  # milliseconds since 1970; None is when it is closed
    current: ClassVar[AnalysisRun | None] = None  # candidates nest under it

    def finish(
        self,
        status: str = "FINISHED",
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, Any] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Write everything in batches, keep the folder as artifacts and close the run.

        Parameters
        ----------
        status : str
            MLflow's FINISHED, FAILED or KILLED, or "passed" or "failed"; anything else is FAILED.
        params, metrics, tags : mapping, optional
            Names are made fit for MLflow, secrets are taken out, long texts are cut.
        folder : Path, optional
            Its files become artifacts; figures of `notebook.ipynb` are kept one by one as well.
        """
        client = make_client(self.config)
        with writing(self.config):
            log_batches(client, self.run_id, params=params, metrics=metrics, tags=tags)
        if folder is not None and Path(folder).is_dir():
            client.log_artifacts(self.run_id, str(folder))
            _log_figures(client, self.run_id, Path(folder) / "notebook.ipynb")
        closed = STATUSES.get(status.lower(), "FAILED")
        with writing(self.config):
            client.set_terminated(self.run_id, status=closed, end_time=self.ended)
        if AnalysisRun.current is self:
            AnalysisRun.current = None


def start_analysis_run(
    config: Config,
    analysis: str,
    *,
    dataset: Any = None,
    tags: Mapping[str, Any] | None = None,
    took: tuple[float, float] | None = None,
) -> AnalysisRun:
    """Begin the run of an analysis in this process, on a store made by `prepare_store`.

    Parameters
    ----------
    config : Config
        The choices of the study.
    analysis : str
        File name without suffix.
    dataset : Dataset, mapping or str, optional
        Its `name` and `fingerprint`, or the name alone; by default the configured name.
    tags : mapping, optional
        Further tags, such as the git commit.
    took : (float, float), optional
        When it began and ended, in seconds since 1970, of a run tracked afterwards.

    Returns
    -------
    AnalysisRun
        Also kept as the current one, under which candidates nest.
    """
    name, fingerprint = describe_dataset(dataset if dataset is not None else config.dataset)
    client = make_client(config)
    run_tags = {
        "study.kind": "analysis",
        "study.analysis": analysis,
        "study.dataset": name,
        "study.data": fingerprint,
        **choice_tags(config),
        **process_tags(),
        **(tags or {}),
    }
    with writing(config):
        experiment_id = find_experiment(client, name, config)
        run = client.create_run(
            experiment_id,
            run_name=analysis,
            tags=make_tags(run_tags),
            start_time=None if took is None else int(took[0] * 1_000),
        )
        _log_dataset(client, run.info.run_id, name, fingerprint)
    made = AnalysisRun(config, run.info.run_id, experiment_id, analysis)
    made.ended = None if took is None else int(took[1] * 1_000)
    AnalysisRun.current = made
    return made


def choice_tags(config: Config) -> dict[str, str]:
    """Return the choices behind a run as tags."""
    return {
        "study.effort": config.effort,
        "study.seed": str(config.seed),
        "study.config": config.fingerprint(),
    }


def describe_dataset(dataset: Any) -> tuple[str, str]:
    """Return name and fingerprint of a `Dataset`, a mapping or a bare name.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> describe_dataset(make_planted(50))[0], describe_dataset("wine")
    ('planted', ('wine', ''))
    """
    if isinstance(dataset, Mapping):
        return str(dataset.get("name", "")), str(dataset.get("fingerprint", ""))
    return str(getattr(dataset, "name", dataset)), str(getattr(dataset, "fingerprint", ""))


def find_experiment(client: Any, dataset: str, config: Config) -> str:
    """Return the experiment of a dataset, made if absent (also when two processes want it).

    Its files stay beside the database: MLflow by itself puts them where the process was started.
    """
    mlflow = import_mlflow()
    name = redact("dataset", dataset) or "study"
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            place = (store_folder(config) / "artifacts" / slug(name)).resolve()
            return str(client.create_experiment(name, artifact_location=place.as_uri()))
        except mlflow.MlflowException:  # another process was faster
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def _log_dataset(client: Any, run_id: str, name: str, fingerprint: str) -> None:
    from mlflow.entities import Dataset, DatasetInput  # noqa: PLC0415

    named = Dataset(
        name=redact("name", name)[:500],
        digest=fingerprint[:36] or "unknown",
        source_type="study",
        source=redact("source", name)[:500],
    )
    client.log_inputs(run_id, datasets=[DatasetInput(dataset=named, tags=[])])


def log_batches(
    client: Any,
    run_id: str,
    *,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, Any] | None = None,
    steps: Iterable[tuple[str, float, int]] = (),
) -> None:
    """Write parameters, metrics and tags in as few transactions as MLflow allows.

    Parameters
    ----------
    client : MlflowClient
        On the study's store.
    run_id : str
        The run.
    params, metrics, tags : mapping, optional
        By name; metrics that are not finite are left out.
    steps : iterable of (name, value, step)
        Metrics with a step, such as the fold.
    """
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415

    now = time.time_ns() // 1_000_000
    points = [*((name, value, 0) for name, value in (metrics or {}).items()), *steps]
    names = unique_names([name for name, _, _ in points])
    # MLflow takes 1,000 metrics, 100 parameters and 100 tags at a time.
    logged_metrics = [
        Metric(name, float(value), now, step)
        for name, (_, value, step) in zip(names, points, strict=True)
        if value is not None and math.isfinite(float(value))
    ]
    logged_params = [Param(*pair) for pair in make_params(params or {}).items()]
    logged_tags = [RunTag(*pair) for pair in make_tags(tags or {}).items()]
    for start in range(0, len(logged_metrics), 1_000):
        client.log_batch(run_id, metrics=logged_metrics[start : start + 1_000])
    for start in range(0, max(len(logged_params), len(logged_tags)), 100):
        window = slice(start, start + 100)
        client.log_batch(run_id, params=logged_params[window], tags=logged_tags[window])


def make_params(given: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters as MLflow takes them: fit names, no secrets, at most 6,000 characters.

    Examples
    --------
    >>> make_params({"a[b]": 1, "password": "x"})
    {'a_b_': '1', 'password': '[redacted]'}
    """
    names = unique_names(list(given))
    texts = [redact(name, value) for name, value in given.items()]
    return {name: _cut(t, LONGEST_PARAM) for name, t in zip(names, texts, strict=True)}


def make_tags(given: Mapping[str, Any]) -> dict[str, str]:
    """Return tags as MLflow takes them; empty ones are left out."""
    kept = {name: value for name, value in given.items() if value is not None and value != ""}
    names = [name if name.startswith("mlflow.") else make_name(name) for name in kept]
    texts = [redact(name, value) for name, value in kept.items()]
    return {name: _cut(t, LONGEST_TAG) for name, t in zip(names, texts, strict=True)}


def make_name(name: str) -> str:
    """Return a metric or parameter name that MLflow accepts.

    Examples
    --------
    >>> make_name("f1 [macro] %"), make_name("../up"), make_name("💶")
    ('f1 _macro_ _', 'up', '_')
    """
    safe = _FORBIDDEN.sub("_", name)
    parts = [part for part in safe.split("/") if part.strip(". ")]
    return "/".join(parts)[:LONGEST_NAME].strip() or "unnamed"


def unique_names(names: Sequence[str]) -> list[str]:
    """Return fit names that stay apart where two become the same ("a[" and "a]").

    A name that comes again stays the same: a metric has several steps.

    Examples
    --------
    >>> unique_names(["a[", "a]", "b"])
    ['a_', 'a_ 2', 'b']
    """
    by_own: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        safe = candidate = make_name(name)
        number = 1
        while candidate in taken:
            number += 1
            candidate = f"{safe[: LONGEST_NAME - 6]} {number}"
        taken.add(candidate)
        by_own[name] = candidate
    return [by_own[name] for name in names]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _log_figures(client: Any, run_id: str, notebook: Path) -> None:
    """Keep every figure of an executed notebook as an image of its own."""
    if not notebook.is_file():
        return
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    images = [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})]
    if not images:
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(images, start=1):
            encoded = image if isinstance(image, str) else "".join(image)
            content = base64.b64decode(encoded)
            (Path(folder) / f"figure_{number:02}.png").write_bytes(content)
        client.log_artifacts(run_id, folder, "figures")
