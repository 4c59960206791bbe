"""Tuned and combined models on well-known tables, beside published figures: `-- tables FOLDER`.

For every table of the folder that is listed below, 11 (baselines), 21 (tuning) and 23 (ensembles)
run with what they need, each table in a study of its own. Scores are of folds of the training
rows, with intervals; the test set stays closed. Published figures come from other splits, other
rows and other columns: they say which height is usual, not who is better. Names after the folder
choose tables; `--effort standard` takes longer and narrows the intervals.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from known_tables import TABLES, Published, Table, name_folds
from lib.data.names import slug
from lib.estimates import Estimate, corrected_mean
from lib.evaluation import scorers

ANALYSES = ("11", "21", "23")


@dataclass(frozen=True)
class Outcome:
    """What the analyses found on a table: scores per fold by candidate, and the best baseline."""

    task: str
    metric: str
    best: str
    verdict: str
    folds: dict[str, dict[str, list[float]]]
    rule: str

    def score(self, candidate: str, metric: str) -> Estimate:
        """Return the mean over folds with its corrected interval."""
        values = self.folds[candidate][metric]
        bounds = scorers(self.task)[metric].bounds
        return corrected_mean(values, 1 / len(values), bounds=bounds)


def run_table(table: Table, folder: Path, reports: Path, effort: str) -> str:
    """Run the analyses on a table and return what went wrong, if anything."""
    path = folder / table.file
    if table.without:
        path = reports / table.file
        reports.mkdir(parents=True, exist_ok=True)
        pl.read_csv(folder / table.file).drop(table.without).write_csv(path)
    command = [sys.executable, "-m", "lib.workbench", "run", *ANALYSES]
    command += ["--dataset", str(path), "--target", table.target]
    command += [
        "--effort",
        effort,
        "--jobs",
        "1",
        "--no-pages",
        "--no-tracking",
        "--timeout",
        "3600",
    ]
    environment = {**os.environ, "STUDY_REPORTS": str(reports)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    lines = (done.stdout + done.stderr).splitlines()
    causes = [line for line in lines if any(word in line for word in ("failed", "timed", "Error"))]
    return " / ".join(causes)[:500] or f"exit code {done.returncode}"


def read_outcome(table: Table, reports: Path) -> Outcome:
    """Return what the reports of a table hold."""
    study = reports / slug(Path(table.file).stem)
    folds: dict[str, dict[str, list[float]]] = {}
    rule = ""
    for path in sorted(study.glob("*/candidates.json")):
        for candidate in json.loads(path.read_text(encoding="utf-8")):
            own: dict[str, list[float]] = {}
            for metric, score, _ in candidate["steps"]:
                own.setdefault(metric.removeprefix("folds/"), []).append(score)
            folds.setdefault(candidate["tags"]["study.candidate"], own)
            rule = candidate["tags"]["study.folds_rule"]
    baselines, ensembles = (_values(study, number) for number in ("11", "23"))
    metric = baselines["metric"]
    task = next(
        t for t in ("binary", "multiclass", "regression") if next(iter(scorers(t))) == metric
    )
    return Outcome(task, metric, baselines["best"], ensembles["verdict"], folds, rule)


def _values(study: Path, number: str) -> dict[str, Any]:
    path = next(study.glob(f"{number}_*/findings.json"))
    values = json.loads(path.read_text(encoding="utf-8"))["values"]
    return {name: entry["value"] for name, entry in values.items()}


def in_row(table: Table, outcome: Outcome) -> str:
    """Return a row of the Markdown table."""
    metric = scorers(outcome.task)[outcome.metric]
    combined, tuned = "ensemble: weighted", "LightGBM tuned"
    shown = [
        f"{outcome.score(name, outcome.metric):.3f}" for name in (outcome.best, tuned, combined)
    ]
    published = "; ".join(_beside(p, outcome, combined) for p in table.published) or "none known"
    cells = [
        Path(table.file).stem,
        name_folds(outcome.rule),
        metric.label.partition(" (")[0],
        f"{outcome.best} {shown[0]}",
        shown[1],
        f"{shown[2]}, {outcome.verdict}",
        published,
    ]
    return f"| {' | '.join(cells)} |"


def _beside(published: Published, outcome: Outcome, candidate: str) -> str:
    metric = scorers(outcome.task)[published.metric]
    own = abs(outcome.score(candidate, published.metric).value)
    name = metric.label.partition(" (")[0]
    return f"{name} {published.value:g} ({published.how}); the ensemble here {own:.3f}"


HEADER = (
    "table",
    "folds",
    "metric",
    "best baseline",
    "tuned",
    "ensemble, against its best member",
    "published",
)


def rows(chosen: argparse.Namespace, reports: Path) -> Iterator[str]:
    """Run each table and yield its row."""
    yield f"| {' | '.join(HEADER)} |"
    yield "|" + " --- |" * len(HEADER)
    for table in TABLES:
        name = Path(table.file).stem
        if not (chosen.folder / table.file).exists() or (chosen.names and name not in chosen.names):
            continue
        started = time.perf_counter()
        failure = run_table(table, chosen.folder, reports, chosen.effort)
        yield f"| {name} | {failure} |" if failure else in_row(table, read_outcome(table, reports))
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the CSV files are")
    parser.add_argument("names", nargs="*", help="such as titanic; all by default")
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--reports", type=Path, help="keep reports here, and do not run twice")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for row in rows(chosen, chosen.reports or Path(temporary)):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
