"""Recall and false alarms of the quality checks on planted defects: nox -s benchmark -- quality.

Every defect, mild and severe, goes into three clean tables. A hit is a finding of the expected
code in the expected column. Three more modes:

- `quality Q10 Q18` runs these codes alone.
- `quality --cells DIRTY.csv CLEAN.csv` compares the suspect cells of a table with its repair.
- `quality --rows 1000000` measures all checks of 02 on a generated table of 30 columns.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parent))

from corpus import Outcome, show_clean, show_outcomes
from defects_quality import all_defects, is_found, run_clean, run_defect
from lib import leakage, quality
from lib.config import load_config
from lib.data import load_data

CLEAN = ("breast_cancer", "diabetes", "planted", "clusters", "digits")
# What one defect rightly shows besides its own code: words among numbers leave gaps, …
KIN = {
    "Q02": {"Q01"},
    "Q03": {"Q01", "Q02"},
    "Q06": {"Q04", "Q21"},
    "Q09": {"Q01"},
    "Q10": {"Q18"},
    "Q11": {"Q10", "Q18"},
    "Q12": {"Q01"},
    "Q18": {"Q10"},
    "Q19": {"Q20"},
    "Q20": {"Q19"},
    "Q22": {"Q07", "Q20"},
}
# True findings of the tables themselves, in rows that are not always among the training rows.
TRUE = {"breast_cancer": {("Q07", "concavity error")}}


def plant_all(codes: list[str]) -> Iterator[Outcome]:
    config = load_config(effort="quick")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = {
            name: {(c.code, c.column) for c in run_clean(name, config=config) if c.is_found}
            for name in CLEAN
        }
        for defect in all_defects():
            if codes and defect.code not in codes:
                continue
            for base in defect.bases:
                checks = run_defect(defect, base, seed=7, config=config, folder=Path(folder))
                own = KIN.get(defect.code, set()) | {defect.code}
                explained = known[base] | TRUE.get(base, set())
                others = [
                    f"{c.code} {c.column}".strip()
                    for c in checks
                    if c.is_found and c.code not in own and (c.code, c.column) not in explained
                ]
                hit = is_found(defect, checks)
                yield Outcome(defect.code, defect.name, defect.degree, base, hit, tuple(others))


def compare_cells(dirty_path: str, clean_path: str) -> None:
    """Print recall and precision of the suspect cells against a table with the right ones."""
    dirty, clean = (pl.read_csv(path, infer_schema=False) for path in (dirty_path, clean_path))
    clean.columns = dirty.columns
    wrong = {
        (row, name)
        for name in dirty.columns
        for row in (dirty[name].fill_null("") != clean[name].fill_null("")).arg_true().to_list()
    }
    started = time.process_time()
    suspects = {(s.row, s.column): s for s in quality.find_suspect_cells(dirty)}
    seconds = time.process_time() - started
    hits = wrong & set(suspects)
    n_mended = sum(suspects[cell].meant == clean[cell[1]][cell[0]] for cell in hits)
    print(f"{len(wrong)} wrong cells, {len(suspects)} suspects, {seconds:.1f} CPU seconds")
    print(f"Recall {len(hits)} of {len(wrong)} ({100 * len(hits) / len(wrong):.1f} %)")
    print(f"Precision {len(hits)} of {len(suspects)} ({100 * len(hits) / len(suspects):.1f} %)")
    print(f"Meant value right in {n_mended} of {len(hits)} ({100 * n_mended / len(hits):.1f} %)")
    for title, cells in (("Missed", wrong - set(suspects)), ("False", set(suspects) - wrong)):
        for row, name in sorted(cells):
            print(f"  {title}: row {row}, {name}: {dirty[name][row]!r}")


def write_large(path: Path, n_rows: int) -> None:
    """Write a table of 30 mixed columns with gaps, as Parquet."""
    rng = np.random.default_rng(0)
    columns: dict[str, pl.Series | np.ndarray] = {}
    base = rng.normal(size=n_rows)
    for i in range(12):
        noise = rng.normal(size=n_rows)
        values = np.exp(noise) if i % 3 == 0 else 0.5 * base + noise
        columns[f"measure_{i}"] = np.where(rng.random(n_rows) < 0.02 * (i % 4), np.nan, values)
    for i in range(6):
        columns[f"count_{i}"] = rng.poisson(3 + i, n_rows)
    for i, n_levels in enumerate((2, 5, 12, 40, 300, 2_000)):
        levels = np.array([f"level {k}" for k in range(n_levels)])
        columns[f"kind_{i}"] = pl.Series(levels).gather(rng.integers(n_levels, size=n_rows))
    seconds = 1_500_000_000 + rng.integers(0, 10**8, size=n_rows)
    columns["seen_on"] = pl.from_epoch(pl.Series(seconds), time_unit="s")
    columns["flag"] = rng.random(n_rows) < 0.3
    columns["comment"] = pl.Series(rng.integers(10**9, size=n_rows)).cast(pl.String) + " words here"
    columns["price"] = np.round(rng.gamma(2, 50, n_rows), 2)
    columns["tax"] = np.round(0.2 * columns["price"], 2)
    columns["target"] = (base + rng.normal(size=n_rows) > 1).astype(int)
    pl.DataFrame(columns).write_parquet(path)


def measure_large(n_rows: int) -> None:
    """Print seconds and memory of every check of 02 on a generated table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.parquet"
        command = [sys.executable, __file__, "--rows", str(n_rows), "--write", str(path)]
        subprocess.run(command, check=True)  # in a process of its own: its memory is not counted
        config = load_config()
        before, start = time.process_time(), time.perf_counter()
        dataset = load_data(str(path), target="target")
        n_columns = dataset.X.shape[1] + 1
        loaded, loaded_at = time.process_time(), time.perf_counter()
        checks = quality.assess(dataset, config=config)
        assessed, assessed_at = time.process_time(), time.perf_counter()
        leaks = leakage.audit(dataset, config=config)
        done, done_at = time.process_time(), time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{n_rows:,} rows × {n_columns} columns, standard effort: CPU seconds (wall)")
    print(f"  loading        {loaded - before:6.1f} ({loaded_at - start:.1f})")
    print(f"  quality checks {assessed - loaded:6.1f} ({assessed_at - loaded_at:.1f})")
    print(f"  leak audit     {done - assessed:6.1f} ({done_at - assessed_at:.1f})")
    print(f"  together       {done - before:6.1f} ({done_at - start:.1f}); peak {peak:.2f} GiB")
    for check in [*checks, *leaks]:
        if check.is_found:
            print(f"  {check.code} {check.severity} {check.column}: {check.evidence}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("codes", nargs="*", help="such as Q10 Q18; all by default")
    parser.add_argument("--cells", nargs=2, metavar=("DIRTY", "CLEAN"))
    parser.add_argument("--rows", type=int, help="measure a generated table of so many rows")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.write:
        write_large(chosen.write, chosen.rows)
        return 0
    if chosen.cells:
        compare_cells(*chosen.cells)
        return 0
    if chosen.rows:
        measure_large(chosen.rows)
        return 0
    n_alarms = 0 if chosen.codes else show_clean({name: run_clean(name) for name in CLEAN})
    print("Planted defects: found (+) or missed (-)")
    return 0 if show_outcomes(plant_all(chosen.codes)) and not n_alarms else 1


if __name__ == "__main__":
    sys.exit(main())
