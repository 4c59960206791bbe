"""Networks beside LightGBM and a linear model, on the same folds of many tables.

    nox -s benchmark -- networks                                   # tables that need no file
    nox -s benchmark -- networks wine german.csv:class bike.csv:cnt:casual,registered

A table is a name of the catalogue, or a file, its target, and columns to leave out. No setting is
tuned to a table. Scores are means over the folds of analysis 11 (training rows only); the
difference is the network's minus LightGBM's, with its corrected interval; seconds are of one core
for one fold with preprocessing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from lib import evaluation, models, neural, resampling
from lib.config import load_config
from lib.data import load_data

TABLES = ("rand_hie", "rand_hie_visits", "wine", "breast_cancer", "digits", "diabetes")
NETWORK, BOOSTING, LINEAR = "TabM + embeddings", "LightGBM", "linear"


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


def measure(table: str, effort: str) -> dict[str, Any]:
    """Return the row of one table."""
    source, target, without = [*table.split(":"), "", ""][:3]
    config = load_config(dataset=source, target=target or None, effort=effort)
    with tempfile.TemporaryDirectory() as folder:
        if without:
            source = str(Path(folder) / Path(source).name)
            pl.read_csv(config.dataset).drop(without.split(",")).write_csv(source)
        train = load_data(source, target=config.target, config=config).train
    sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
    budget = config.budget
    cv = resampling.make_cv(
        sample, n_splits=budget.n_splits, n_repeats=budget.n_repeats, random_state=config.seed
    )
    folds = resampling.make_folds(sample, cv)
    known = {**models.baselines(sample, config), **neural.networks(sample, config)}
    chosen = {name: known[name] for name in (LINEAR, BOOSTING, NETWORK)}
    scores, seconds = score_apart(chosen, sample, folds)
    pair = evaluation.compare_pair(scores, NETWORK, BOOSTING)
    means = scores.by_fold().mean()
    for failure in scores.failures.itertuples():
        print(f"  {failure.model}, fold {failure.fold}: {failure.reason}")
    return {
        "table": train.name,
        "rows": len(sample),
        "folds": "groups"
        if sample.groups is not None
        else "rows"
        if sample.time is None
        else "time",
        "metric": scores.scoring,
        **{name: round(means.get(name, float("nan")), 4) for name in chosen},
        "network - LightGBM": f"{pair.difference:.4f}",
        "verdict": evaluation.verdict(pair),
        **{f"s {name}": round(seconds[name], 2) for name in chosen},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "tables", nargs="*", default=TABLES, help="name, or file:target[:columns to leave out]"
    )
    parser.add_argument("--effort", default="standard", choices=["quick", "standard", "thorough"])
    arguments = parser.parse_args()
    rows = []
    for table in arguments.tables:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows.append(measure(table, arguments.effort))
        print("  ".join(f"{name}: {value}" for name, value in rows[-1].items()), flush=True)
    frame = pd.DataFrame(rows)
    print(frame.to_string(index=False))
    print("Network against LightGBM:", frame["verdict"].value_counts().to_dict())


if __name__ == "__main__":
    main()
