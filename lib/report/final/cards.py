"""Model card and data sheet, filled from the record.

References
----------
M. Mitchell et al. (2019). Model cards for model reporting. FAT*.
T. Gebru et al. (2021). Datasheets for datasets. Communications of the ACM 64 (12).
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from lib.report.final.checklists import OPEN
from lib.report.final.facts import Facts
from lib.report.final.parts import Block, Chapter, Line, Part

FILE = Path(__file__).with_name("cards.toml")


def model_card(facts: Facts) -> Chapter:
    """Return the model card."""
    return Chapter("model-card", "Model card", [_card("model", facts)])


def data_sheet(facts: Facts) -> Chapter:
    """Return the data sheet."""
    return Chapter("data-sheet", "Data sheet", [_card("data", facts)])


def _card(which: str, facts: Facts) -> Block:
    rows: list[list[Line]] = []
    for part in _headings()[which]:
        lines = facts.all_of(*part["answer"])
        left = part.get("open", "")
        if left or not lines:
            lines.append((OPEN, Part(f" – {left}." if left else ".")))
        rows.append([(Part(part["heading"]),), *lines])
    return Block("definitions", rows=rows, tone="sheet")


@cache
def _headings() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
