"""REFORMS and TRIPOD+AI: each item answered from the record, or open for the authors.

References
----------
S. Kapoor et al. (2024). REFORMS: Consensus-based recommendations for machine-learning-based
science. Science Advances 10, eadk3452.
G. S. Collins et al. (2024). TRIPOD+AI statement: updated guidance for reporting clinical prediction
models that use regression or machine learning methods. BMJ 385, e078378.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lib.report.final.facts import Facts
from lib.report.final.parts import Block, Line, Part

FILE = Path(__file__).with_name("checklists.toml")
OPEN = Part("Open: for the authors", kind="open")
State = Literal["answered", "partly", "open"]


@dataclass(frozen=True)
class Answer:
    """One item with its answer.

    Attributes
    ----------
    state : {"answered", "partly", "open"}
        "partly" names what only the authors can add.
    """

    number: str
    module: str
    item: str
    lines: tuple[Line, ...]
    state: State


def answer(checklist: str, facts: Facts, *, task: str) -> list[Answer]:
    """Return the items of a checklist with their answers.

    Parameters
    ----------
    checklist : {"reforms", "tripod"}
        Which.
    facts : Facts
        Where answers are looked up.
    task : {"binary", "multiclass", "regression"}
        Some items do not apply to all.

    Returns
    -------
    list of Answer
        In the order of the checklist.
    """
    module, answers = "", []
    for item in _items()[checklist]:
        module = item.get("module", module)
        absent = item.get("absent", {}).get(task)
        templates = item.get("answer", ())
        for name, words in item.get("without", {}).items():
            if facts.inputs.by_number[name[:2]].twin and not facts.has(name):
                templates = [words]
        said = ((Part(absent),),) if absent else tuple(facts.all_of(*templates))
        left = item.get("open", "")
        state: State = "answered" if said else "open"
        if said and left:
            state, said = "partly", (*said, (OPEN, Part(f" – {left}.")))
        elif not said:
            said = ((OPEN, Part(f" – {left}." if left else ".")),)
        answers.append(Answer(item["id"], module, item["item"], said, state))
    return answers


def tabulate(answers: list[Answer]) -> Block:
    """Return the items as a table: number, item, answer."""
    rows: list[list[Line]] = []
    module = ""
    for given in answers:
        if given.module != module:
            module = given.module
            rows.append([(Part(module, kind="module"),)])
        joined: list[Part] = []
        for line in given.lines:
            joined += [Part(" "), *line] if joined else line
        number = Part(given.number, "label", kind="label")
        rows.append([(number,), (Part(given.item),), tuple(joined)])
    return Block("table", header=["No.", "Asks for", "Answer"], rows=rows, tone="checklist")


def count(answers: list[Answer]) -> dict[State, int]:
    """Return how many items are answered, partly answered and open."""
    states: tuple[State, ...] = ("answered", "partly", "open")
    return {state: sum(a.state == state for a in answers) for state in states}


@cache
def _items() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
