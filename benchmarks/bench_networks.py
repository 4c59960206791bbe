"""Networks beside LightGBM and a linear model, on the same folds of many tables.

    nox -s benchmark -- networks                       # tables that need no file
    nox -s benchmark -- networks wine FOLDER           # and the well-known ones that a folder holds
    nox -s benchmark -- networks bike.csv:cnt:casual,registered

A table is a name of the catalogue, a file with its target and columns to leave out, or a folder.
No setting is tuned to a table. Scores are means over the folds of analysis 11 (training rows only)
with corrected intervals; the difference is the network's minus LightGBM's; seconds are of one core
for one fold with preprocessing. `--unique` leaves out rows whose features all repeat an earlier
row: folds that share such rows reward whoever remembers them. `--shuffled` ignores groups and time,
as many published figures do: it shows what they would have been here, not what to expect.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from known_tables import TABLES, Published, name_folds
from lib import evaluation, models, neural, resampling
from lib.config import load_config
from lib.data import Dataset, load_data
from lib.estimates import Estimate
from lib.evaluation import scorers

BUNDLED = ("rand_hie", "rand_hie_visits", "wine", "breast_cancer", "digits", "diabetes")
NETWORK, BOOSTING, LINEAR = "TabM + embeddings", "LightGBM", "linear"
HEADER = (
    "table",
    "rows",
    "folds",
    "metric",
    LINEAR,
    BOOSTING,
    NETWORK,
    "network minus LightGBM",
    "seconds a fold",
    "published",
)


@dataclass(frozen=True)
class Source:
    """A name of the catalogue or a file, its target, columns left out, what is published."""

    name: str
    target: str | None = None
    without: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()


def find_sources(argument: str) -> Iterator[Source]:
    """Yield what an argument names: a table, or those of a folder."""
    folder = Path(argument)
    if folder.is_dir():
        for table in TABLES:
            if (folder / table.file).exists():
                path = str(folder / table.file)
                yield Source(path, table.target, table.without, table.published)
        return
    name, target, without = [*argument.split(":"), "", ""][:3]
    yield Source(name, target or None, tuple(filter(None, without.split(","))))


def load_rows(source: Source, chosen: argparse.Namespace) -> tuple[Any, Dataset]:
    """Return the configuration and the training rows, no more than analysis 11 takes."""
    name = source.name
    with tempfile.TemporaryDirectory() as folder:
        if source.without:
            name = str(Path(folder) / Path(source.name).name)
            pl.read_csv(source.name).drop(source.without).write_csv(name)
        config = load_config(dataset=name, target=source.target, effort=chosen.effort)
        train = load_data(name, target=config.target, config=config).train
    if chosen.shuffled:
        train = replace(train, groups=None, time=None)
    if chosen.unique:
        train = train.take(~train.X.duplicated().to_numpy())
    most = config.budget.max_rows
    return config, resampling.sample_rows(train, most, random_state=config.seed)


def score_apart(
    candidates: dict[str, Any], dataset: Any, folds: Any
) -> tuple[Any, dict[str, float]]:
    """Return scores of all candidates, and seconds of one core that each took a fold."""
    parts, seconds = [], {}
    for name, candidate in candidates.items():
        start = time.process_time()
        parts.append(evaluation.cross_validate({name: candidate}, dataset, folds))
        seconds[name] = (time.process_time() - start) / len(folds)
    joined = {
        table: pd.concat([getattr(part, table) for part in parts], ignore_index=True)
        for table in ("frame", "failures", "warnings", "times")
    }
    return replace(parts[0], **joined), seconds


def measure(source: Source, chosen: argparse.Namespace) -> list[str]:
    """Return the cells of a table's row."""
    config, sample = load_rows(source, chosen)
    budget = config.budget
    cv = resampling.make_cv(
        sample, n_splits=budget.n_splits, n_repeats=budget.n_repeats, random_state=config.seed
    )
    folds = resampling.make_folds(sample, cv)
    known = {**models.baselines(sample, config), **neural.networks(sample, config)}
    candidates = {name: known[name] for name in (LINEAR, BOOSTING, NETWORK)}
    scores, seconds = score_apart(candidates, sample, folds)
    for failure in scores.failures.itertuples():
        print(f"  {failure.model}, fold {failure.fold}: {failure.reason}")
    pair = evaluation.compare_pair(scores, NETWORK, BOOSTING)
    by_metric = evaluation.tabulate_metrics(scores).set_index("model")
    beside = [_beside(p, by_metric, sample.task) for p in source.published]
    return [
        sample.name,
        f"{len(sample):,}",
        name_folds(folds.description),
        scorers(sample.task)[scores.scoring].label.partition(" (")[0],
        *(f"{by_metric.loc[name, scores.scoring]:.3f}" for name in candidates),
        f"{pair.difference:.3f}, {evaluation.verdict(pair)}",
        " / ".join(f"{seconds[name]:.1f}" for name in candidates),
        "; ".join(beside) or "none known",
    ]


def _beside(published: Published, by_metric: pd.DataFrame, task: str) -> str:
    own = by_metric.loc[NETWORK, published.metric]
    if own.value < 0 < published.value:  # an error, shown in its sign
        own = Estimate(-own.value, -own.high, -own.low)
    name = scorers(task)[published.metric].label.partition(" (")[0]
    return f"{name} {published.value:g} ({published.how}); the network here {own:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="*", default=BUNDLED, help="name, file:target, or folder")
    parser.add_argument("--effort", default="standard", choices=["quick", "standard", "thorough"])
    parser.add_argument("--unique", action="store_true", help="leave out rows that repeat one")
    parser.add_argument("--shuffled", action="store_true", help="ignore groups and time")
    arguments = parser.parse_args()
    print(f"| {' | '.join(HEADER)} |\n|{' --- |' * len(HEADER)}")
    for argument in arguments.tables:
        for source in find_sources(argument):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cells = measure(source, arguments)
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
