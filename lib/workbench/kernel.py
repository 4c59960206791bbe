"""Cross-check that our outputs equal those of a Jupyter kernel that runs the same cells."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from lib.config import Config, load_config
from lib.workbench.capture import overwritten
from lib.workbench.execute import Executed, as_notebook

EQUAL = "a kernel shows the same"
# What may differ between two runs of the same code, wherever they take place.
NORMAL = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"0x[0-9a-fA-F]{6,}"), "0x…"),
    (re.compile(r"(?<!\S)\S+?:\d+: (?=\w*Warning)"), ""),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d[\d,.]*(?:e-?\d+)?\s?(?:[nµu]s|ms|s|sec|seconds?|minutes?)\b"), "<time>"),
)
SPEAKS_OF_TIME = re.compile(r"(?i)\b\w*(seconds|duration|elapsed)\b")
START_RECORD = """
from lib.config import load_config as _load_config
from lib.report import start_record as _start_record
_start_record(analysis={name!r}, title="", dataset={dataset!r}, config=_load_config(),
              folder={folder!r})
del _load_config, _start_record
"""


def compare_with_kernel(
    executed: Sequence[Executed], path: Path, dataset: Mapping[str, str], *, record: bool
) -> str:
    """Run the cells in a kernel and compare what they show.

    Parameters
    ----------
    executed : sequence of Executed
        Our run of the cells.
    path : Path
        The script.
    dataset : mapping
        Name and fingerprint of the table.
    record : bool
        Whether the analysis records findings: attachments then show as links.

    Returns
    -------
    str
        `EQUAL`, or the first difference in words.
    """
    config = load_config()
    before = os.environ.get("STUDY_REPORTS")
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        reports = Path(folder)
        _mirror(config, reports)
        os.environ["STUDY_REPORTS"] = folder
        setup = START_RECORD.format(
            name=path.stem, dataset=dict(dataset), folder=str(reports / ".record")
        )
        try:
            theirs, stopped = _run_in_kernel(executed, setup if record else "")
        finally:
            os.environ.pop("STUDY_REPORTS")
            if before is not None:
                os.environ["STUDY_REPORTS"] = before
    return stopped or first_difference(executed, theirs) or EQUAL


def _mirror(config: Config, reports: Path) -> None:
    """Give the kernel its own reports folder: earlier results to look up, none to change."""
    for entry in config.reports.iterdir() if config.reports.is_dir() else ():
        if entry.name != "mlflow" and not entry.name.startswith("."):
            (reports / entry.name).symlink_to(entry.resolve())
    store = config.reports / "mlflow" / "mlflow.db"
    if store.is_file():
        (reports / "mlflow").mkdir()
        with (
            closing(sqlite3.connect(store)) as ours,
            closing(sqlite3.connect(reports / "mlflow" / "mlflow.db")) as theirs,
        ):
            ours.backup(theirs)


def _run_in_kernel(executed: Sequence[Executed], setup: str) -> tuple[list[Any], str]:
    """Return the code cells after a kernel ran them, and why it stopped, if it did."""
    from nbclient import NotebookClient  # noqa: PLC0415
    from nbclient.exceptions import CellExecutionError  # noqa: PLC0415

    notebook = as_notebook([Executed(e.cell) for e in executed])
    client = NotebookClient(notebook, kernel_name="python3", timeout=None)

    async def run() -> str:
        async with client.async_setup_kernel():
            assert client.kc is not None
            client.kc.execute(setup, silent=True, store_history=False)
            for position, cell in enumerate(notebook.cells):
                try:
                    await client.async_execute_cell(cell, position)
                except CellExecutionError as error:
                    return f"a kernel fails: {error.ename}: {error.evalue}"
        return ""

    stopped = asyncio.run(run())
    return [cell for cell in notebook.cells if cell.cell_type == "code"], stopped


def first_difference(ours: Sequence[Executed], theirs: Sequence[Mapping[str, Any]]) -> str:
    """Return in words where outputs of a kernel first differ from ours; "" when nowhere.

    Parameters
    ----------
    ours : sequence of Executed
        All cells.
    theirs : sequence of notebook cells
        The code cells only.

    Returns
    -------
    str
        Names the cell, its line and the kind of output.
    """
    code = [executed for executed in ours if executed.cell.kind == "code"]
    for mine, other in zip(code, theirs, strict=True):
        a, b = canonical(mine.outputs), canonical(other["outputs"])
        if a == b and mine.count == other["execution_count"]:
            continue
        where = f'a kernel differs in cell "{mine.cell.title}" (line {mine.cell.line})'
        if mine.count != other["execution_count"]:
            return f"{where}: execution count {mine.count}, there {other['execution_count']}"
        if len(a) != len(b):
            return f"{where}: {len(a)} outputs, there {len(b)}"
        left, right = next((x, y) for x, y in zip(a, b, strict=True) if x != y)
        return f"{where}: {_shown(left, right)}"
    return ""


def _shown(left: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    keys = [key for key in sorted({*left, *right}) if left.get(key) != right.get(key)]
    mine, other = str(left.get(keys[0])), str(right.get(keys[0]))
    same = next((i for i, (x, y) in enumerate(zip(mine, other, strict=False)) if x != y), 0)
    start = max(0, same - 30)
    return f"{keys[0]} …{mine[start : same + 40]!r}, there …{other[start : same + 40]!r}"


def canonical(outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return outputs without what may differ between two runs.

    Printed text of one stream is joined, standard output before standard error: a kernel sends
    them by two channels, whose order is not defined.

    Parameters
    ----------
    outputs : sequence of notebook outputs
        Of one cell.

    Returns
    -------
    list of dict
        Comparable.
    """
    made: list[dict[str, Any]] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            streams = made[-1] if made and made[-1]["type"] == "stream" else None
            if streams is None:
                streams = {"type": "stream", "stdout": "", "stderr": ""}
                made.append(streams)
            streams[output["name"]] += "".join(output["text"])
        elif kind == "error":
            made.append({"type": kind, "name": output["ename"], "message": output["evalue"]})
        else:
            made.append({"type": kind, **output["data"], "metadata": output["metadata"]})
            if "execution_count" in output:
                made[-1]["count"] = output["execution_count"]
    return [{key: _normal(key, value) for key, value in output.items()} for output in made]


def _normal(kind: str, value: Any) -> Any:
    if not isinstance(value, str) or kind in {"image/png", "image/jpeg"}:  # base64: no words
        return value
    value = overwritten(value)
    for pattern, replacement in NORMAL:
        value = pattern.sub(replacement, value)
    if SPEAKS_OF_TIME.search(value):  # a table of run times: its words only
        value = re.sub(r"[\s─-]+", " ", re.sub(r"\d(?:[\d,.]*\d)?", "<number>", value))
    return value
