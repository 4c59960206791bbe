"""Recall and false alarms of the leak audit on planted leaks: python benchmarks/bench_leaks.py.

Every defect, mild and severe, goes into three clean tables, one for each kind of target. A hit is
a finding of the expected code. Alarms of the clean tables, and of other codes that no planted
column explains, are counted as false.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from defects_leaks import DEFECTS, LEAKY_LOGIC, Defect

from lib import leakage
from lib.checks import Check
from lib.config import Config, load_config
from lib.data import Dataset, load_data, make_planted

BASES = ("breast_cancer", "wine", "diabetes")
# What one leak rightly shows besides its own code: copies are kin, an overlap flatters, …
KIN = {
    "L01": {"L01"},
    "L02": {"L02", "L03"},
    "L03": {"L03", "L06"},
    "L04": {"L04", "L01"},
    "L05": {"L05", "L08", "L01"},
    "L06": {"L06", "L03"},
    "L08": {"L08", "L05", "L01"},
    "L09": {"L09", "L01"},
    "L10": {"L10", "L01"},
}


def plant(base: Dataset, defect: Defect, *, severe: bool) -> Dataset:
    return defect.plant(base, np.random.default_rng(7), severe=severe)


def run_one(
    base: Dataset, defect: Defect, *, severe: bool, config: Config
) -> tuple[bool, list[str]]:
    """Return whether the leak was found, and the other codes raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checks = leakage.audit(plant(base, defect, severe=severe), config=config)
    codes = {check.code for check in checks if check.is_found}
    return defect.code in codes, sorted(codes - KIN[defect.code])


def clean_tables(config: Config) -> dict[str, Dataset]:
    named = ("rand_hie", *BASES, "digits", "planted")
    tables = {name: load_data(name, config=config) for name in named}
    for task in ("multiclass", "regression"):
        tables[f"planted {task}"] = make_planted(task=task, missing=0.05)
    return tables


def show(checks: list[Check]) -> str:
    return ", ".join(f"{c.code} {c.severity} {c.column}" for c in checks if c.is_found) or "silent"


def main() -> None:
    config = load_config(effort="quick")
    only = sys.argv[1:]
    print("Clean tables")
    for name, dataset in clean_tables(config).items():
        if only:
            break
        print(f"  {name:22} {show(leakage.audit(dataset, config=config))}", flush=True)
    hits: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    extra = 0
    print("Planted leaks: found (+) or missed (-) in", ", ".join(BASES))
    bases = {name: load_data(name, config=config) for name in BASES}
    for defect in DEFECTS:
        if only and defect.code not in only:
            continue
        for severe in (True, False):
            marks, others = "", []
            for base in bases.values():
                if base.task not in defect.tasks:
                    continue
                found, more = run_one(base, defect, severe=severe, config=config)
                marks += "-+"[found]
                others += more
                hits[defect.code] += found
                tried[defect.code] += 1
            extra += len(others)
            how = "severe" if severe else "mild"
            print(
                f"  {defect.code} {defect.name:40} {how:7}{marks:4} {' '.join(others)}", flush=True
            )
    for (name, how), logic in LEAKY_LOGIC.items():
        if only and "L07" not in only:
            break
        marks = ""
        for base in bases.values():
            run = leakage.null_run(logic, base.train, 10)
            marks += "-+"[run.is_alarm(0.01)]
        hits["L07"] += marks.count("+")
        tried["L07"] += len(marks)
        print(f"  L07 {name:40} {how:7}{marks:4}", flush=True)
    total, found = sum(tried.values()), sum(hits.values())
    for code in sorted(tried):
        print(f"  {code}: {hits[code]} of {tried[code]}")
    print(f"Recall {found} of {total} ({100 * found / total:.1f} %); other codes raised: {extra}")


if __name__ == "__main__":
    main()
