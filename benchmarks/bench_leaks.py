"""Recall and false alarms of the leak audit on planted leaks: nox -s benchmark -- leaks.

Every leak, mild and severe, goes into three clean tables, one for each kind of target. A hit is
a finding of the expected code. Alarms of the clean tables, and of other codes that no planted
column explains, are counted as false. `leaks L01 L06` runs these codes alone; `leaks --classics`
runs the five best known leaks, severe; `leaks --skore` asks skore the same, when it is installed.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from corpus import Outcome, show_clean, show_outcomes
from defects_leaks import CLASSICS, DEFECTS, LEAKY_LOGIC, Defect
from lib import leakage
from lib.checks import Check
from lib.config import Config, load_config
from lib.data import Dataset, load_data, make_planted

BASES = ("breast_cancer", "wine", "diabetes")
CLEAN = ("rand_hie", *BASES, "digits", "planted")
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


def audit(dataset: Dataset, config: Config) -> list[Check]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return leakage.audit(dataset, config=config)


def clean_tables(config: Config) -> dict[str, list[Check]]:
    tables = {name: load_data(name, config=config) for name in CLEAN}
    for task in ("multiclass", "regression"):
        tables[f"planted {task}"] = make_planted(task=task, missing=0.05)
    return {name: audit(dataset, config) for name, dataset in tables.items()}


def plant_all(config: Config, codes: list[str], *, classics: bool) -> Iterator[Outcome]:
    bases = {name: load_data(name, config=config) for name in BASES}
    for defect in DEFECTS:
        if (codes and defect.code not in codes) or (classics and defect.name not in CLASSICS):
            continue
        for degree in ("severe",) if classics else ("severe", "mild"):
            for name, base in bases.items():
                if base.task not in defect.tasks:
                    continue
                planted = plant(base, defect, severe=degree == "severe")
                found = {check.code for check in audit(planted, config) if check.is_found}
                others = tuple(sorted(found - KIN[defect.code]))
                is_found = defect.code in found
                yield Outcome(defect.code, defect.name, degree, name, is_found, others)
    for (title, degree), logic in LEAKY_LOGIC.items():
        if (codes and "L07" not in codes) or (classics and (degree, title) != CLASSICS[-1]):
            continue
        for name, base in bases.items():
            run = leakage.null_run(logic, base.train, 10)
            yield Outcome("L07", title, degree, name, run.is_alarm(0.01))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("codes", nargs="*", help="such as L01 L06; all by default")
    parser.add_argument("--classics", action="store_true", help="the five best known, severe")
    parser.add_argument("--skore", action="store_true", help="what skore finds of the five")
    chosen = parser.parse_args()
    config = load_config(effort="quick")
    if chosen.skore:
        from with_skore import show_skore  # skore is asked for by name

        show_skore({name: load_data(name, config=config) for name in BASES})
        return 0
    n_alarms = 0 if chosen.codes or chosen.classics else show_clean(clean_tables(config))
    print("Planted leaks: found (+) or missed (-) in", ", ".join(BASES))
    complete = show_outcomes(plant_all(config, chosen.codes, classics=chosen.classics))
    return 0 if complete and not n_alarms else 1


if __name__ == "__main__":
    sys.exit(main())
