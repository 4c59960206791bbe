"""What both corpora of planted defects share: how an outcome is counted and printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lib.checks import Check


@dataclass(frozen=True)
class Outcome:
    """What became of one defect in one table.

    Attributes
    ----------
    code, name, degree : str
        Of the defect: the check that has to find it, its name, "mild" or "severe".
    base : str
        The table it was planted into.
    found : bool
    others : tuple of str
        Other codes that were raised and that neither defect nor table explains.
    """

    code: str
    name: str
    degree: str
    base: str
    found: bool
    others: tuple[str, ...] = ()


def show_clean(tables: Mapping[str, list[Check]]) -> int:
    """Print what was found in clean tables and return how many errors and warnings there are."""
    print("Clean tables")
    n_alarms = 0
    for name, checks in tables.items():
        found = [check for check in checks if check.is_found]
        alarms = [check for check in found if check.severity != "note"]
        n_alarms += len(alarms)
        listed = ", ".join(f"{c.code} {c.severity} {c.column}: {c.evidence}" for c in alarms)
        notes = Counter(check.code for check in found if check.severity == "note")
        counted = ", ".join(f"{n} × {code}" for code, n in sorted(notes.items()))
        print(f"  {name:24} {listed or 'silent'}{f' (notes: {counted})' if counted else ''}")
    print(f"False alarms on {len(tables)} clean tables: {n_alarms}", flush=True)
    return n_alarms


def show_outcomes(outcomes: Iterable[Outcome]) -> bool:
    """Print a line for each defect and degree, then recall, and return whether all was found."""
    seen: list[Outcome] = []
    line: list[Outcome] = []
    for outcome in outcomes:
        if line and (line[0].name, line[0].degree) != (outcome.name, outcome.degree):
            _show_line(line)
            line = []
        line.append(outcome)
        seen.append(outcome)
    if line:
        _show_line(line)
    for code in sorted({outcome.code for outcome in seen}):
        hits = [outcome.found for outcome in seen if outcome.code == code]
        print(f"  {code}: {sum(hits)} of {len(hits)}")
    n_found, n_others = sum(o.found for o in seen), sum(len(o.others) for o in seen)
    percent = 100 * n_found / max(len(seen), 1)
    print(f"Recall {n_found} of {len(seen)} ({percent:.1f} %); other codes raised: {n_others}")
    return n_found == len(seen)


def _show_line(line: list[Outcome]) -> None:
    first = line[0]
    marks = "".join("-+"[outcome.found] for outcome in line)
    missed = [outcome.base for outcome in line if not outcome.found]
    others = [f"{outcome.base}: {' '.join(outcome.others)}" for outcome in line if outcome.others]
    said = "; ".join([f"missed in {', '.join(missed)}"] * bool(missed) + others)
    print(f"  {first.code} {first.name:42} {first.degree:7}{marks:6}{said}".rstrip(), flush=True)
