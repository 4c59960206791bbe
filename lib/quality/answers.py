"""The questions of this package, each under its code, and the three forms of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.checks import Check, Severity
from lib.estimates import Estimate

QUESTIONS = {
    "Q01": "gaps and where they come together",
    "Q02": "gaps that follow other columns",
    "Q03": "gaps that go with the target",
    "Q04": "rows that repeat each other",
    "Q05": "rows that nearly repeat each other",
    "Q06": "same features, different target",
    "Q07": "values far from their column",
    "Q08": "rows unlike all others",
    "Q09": "types: mixed, numbers as text",
    "Q10": "spelling variants",
    "Q11": "odd characters, encoding",
    "Q12": "numbers that stand for missing",
    "Q13": "columns that hardly vary",
    "Q14": "columns that only name rows",
    "Q15": "columns that follow from others",
    "Q16": "units that do not agree",
    "Q17": "impossible values and dates",
    "Q18": "rules that most rows keep",
    "Q19": "test rows told from training rows",
    "Q20": "columns that drift between the parts",
    "Q21": "labels that look wrong",
    "Q22": "rules of the schema",
}
MAX_NAMED = 5  # rows and values shown as examples


def found(
    code: str,
    severity: Severity,
    column: str,
    evidence: str,
    advice: str,
    *,
    value: Estimate | None = None,
    rows: Iterable[Any] = (),
) -> Check:
    """Return a finding.

    Examples
    --------
    >>> found("Q07", "note", "age", "1 value", "look", rows=[3]).title
    'values far from their column'
    """
    return Check(
        code,
        QUESTIONS[code],
        "found",
        severity,
        column,
        evidence,
        advice,
        value,
        tuple(int(row) for row in rows),
    )


def clean(code: str) -> Check:
    """Return that there was nothing to find."""
    return Check(code, QUESTIONS[code], "clean")


def not_applicable(code: str, reason: str) -> Check:
    """Return that the question cannot be asked of this table, and why."""
    return Check(code, QUESTIONS[code], "not applicable", evidence=reason)


def settle(code: str, answers: list[Check]) -> list[Check]:
    """Return the answers, or that it is clean when there are none."""
    return answers or [clean(code)]


def share(part: int, whole: int) -> str:
    """Return "12 of 340 (3.5 %)".

    Examples
    --------
    >>> share(12, 340), share(3, 3)
    ('12 of 340 (3.5 %)', '3 of 3 (100 %)')
    """
    percent = 100 * part / max(whole, 1)
    shown = f"{percent:.2g}" if percent < 99.5 else "100" if part == whole else "> 99"
    return f"{part:,} of {whole:,} ({shown} %)"


def naming(names: Iterable[object], limit: int = MAX_NAMED) -> str:
    """Return a few names, quoted, and how many more there are.

    Examples
    --------
    >>> naming(["a", "b", "c"], 2)
    "'a', 'b' and 1 more"
    """
    listed = [_short(name) for name in names]
    more = len(listed) - limit
    text = ", ".join(f"'{name}'" for name in listed[:limit])
    return f"{text} and {more} more" if more > 0 else text


def _short(name: object) -> str:
    text = " ".join(str(name).split())
    return text if len(text) <= 40 else text[:39] + "…"
