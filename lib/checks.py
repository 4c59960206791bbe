"""What a check of a table answers: found, clean, or not applicable, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from lib.estimates import Estimate

Severity = Literal["error", "warning", "note"]
State = Literal["found", "clean", "not applicable"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
MAX_ROWS_NAMED = 5


@dataclass(frozen=True)
class Check:
    """One answer of one check, about the whole table or about one of its columns.

    Attributes
    ----------
    code : str
        Such as "Q07" (quality) or "L03" (leaks); one code, one question, for ever.
    title : str
        The question in few words, such as "rows that repeat each other".
    state : {"found", "clean", "not applicable"}
        The answer.
    severity : {"error", "warning", "note"}
        An error makes results wrong, a warning may, a note is good to know.
    column : str
        The column's own name; several joined by " + "; "" for the whole table.
    evidence : str
        What was seen, with counts; for "not applicable" the reason.
    advice : str
        What to do about it; "" when clean.
    value : Estimate or None
        The figure that decided, with its interval where there is one.
    rows : tuple of int
        Positions of a few rows of the training part; never their contents.

    Examples
    --------
    >>> found = Check("Q01", "gaps", "found", "warning", "age", "12 of 100 rows", "impute in folds")
    >>> found.is_found
    True
    """

    code: str
    title: str
    state: State
    severity: Severity = "note"
    column: str = ""
    evidence: str = ""
    advice: str = ""
    value: Estimate | None = None
    rows: tuple[int, ...] = field(default=(), compare=False)

    @property
    def is_found(self) -> bool:
        """Whether there is something to act on."""
        return self.state == "found"


def tabulate_checks(checks: Iterable[Check]) -> pd.DataFrame:
    """Return what was found, the gravest first.

    Parameters
    ----------
    checks : iterable of Check
        Answers in any order.

    Returns
    -------
    DataFrame with columns code, severity, column, what, evidence, advice, rows
        One row a finding; `rows` names a few by position.

    Examples
    --------
    >>> seen = {"evidence": "12 of 100 rows", "advice": "impute", "rows": (3, 4)}
    >>> found = Check("Q01", "gaps", "found", "warning", "age", **seen)
    >>> tabulate_checks([found, Check("Q02", "copies", "clean")]).iloc[0].tolist()
    ['Q01', 'warning', 'age', 'gaps', '12 of 100 rows', 'impute', '3, 4']
    """
    columns = ["code", "severity", "column", "what", "evidence", "advice", "rows"]
    found = sorted(
        (check for check in checks if check.is_found),
        key=lambda check: (SEVERITIES.index(check.severity), check.code),
    )
    rows = [
        (c.code, c.severity, c.column, c.title, c.evidence, c.advice, _name_rows(c.rows))
        for c in found
    ]
    return pd.DataFrame(rows, columns=columns)


def tabulate_coverage(checks: Iterable[Check]) -> pd.DataFrame:
    """Return every check that was made, so that silence can be told from absence.

    Parameters
    ----------
    checks : iterable of Check
        Answers in any order; several of one code count as one line.

    Returns
    -------
    DataFrame with columns code, what, state, found, reason
        One row a code, in order; `found` counts findings, `reason` says why a check is not
        applicable, or what it saw when it is clean.

    Examples
    --------
    >>> made = tabulate_coverage([Check("Q02", "copies", "clean")])
    >>> made.to_dict("records")
    [{'code': 'Q02', 'what': 'copies', 'state': 'clean', 'found': 0, 'reason': ''}]
    """
    by_code: dict[str, list[Check]] = {}
    for check in checks:
        by_code.setdefault(check.code, []).append(check)
    rows = []
    for code, answers in sorted(by_code.items()):
        n_found = sum(answer.is_found for answer in answers)
        states = {answer.state for answer in answers}
        state = "found" if n_found else "clean" if "clean" in states else "not applicable"
        reason = "" if state == "found" else answers[0].evidence
        rows.append((code, answers[0].title, state, n_found, reason))
    return pd.DataFrame(rows, columns=["code", "what", "state", "found", "reason"])


def lead_by_code(checks: Iterable[Check]) -> list[tuple[Check, str]]:
    """Return the gravest finding of each code, with the other columns that its code was found in.

    Parameters
    ----------
    checks : iterable of Check
        Answers in any order.

    Returns
    -------
    list of (Check, str)
        Errors first, notes left out. The words are such as "; also in 'a', 'b' and 3 more", or "".

    Examples
    --------
    >>> found = [Check("Q10", "spelling", "found", "warning", name) for name in ("city", "name")]
    >>> [(check.column, also) for check, also in lead_by_code(found)]
    [('city', "; also in 'name'")]
    """
    grave = [check for check in checks if check.is_found and check.severity != "note"]
    ranked = sorted(grave, key=lambda check: (SEVERITIES.index(check.severity), check.code))
    by_code: dict[str, list[Check]] = {}
    for check in ranked:
        by_code.setdefault(check.code, []).append(check)
    leads = []
    for first, *others in by_code.values():
        names = [name for name in dict.fromkeys(o.column for o in others) if name]
        names = [name for name in names if name != first.column]
        more = f" and {len(names) - 4:,} more" if len(names) > 4 else ""
        listed = ", ".join(f"'{name}'" for name in names[:4])
        leads.append((first, f"; also in {listed}{more}" if names else ""))
    return leads


def _name_rows(rows: tuple[int, ...]) -> str:
    more = len(rows) - MAX_ROWS_NAMED
    named = ", ".join(str(row) for row in rows[:MAX_ROWS_NAMED])
    return f"{named} and {more} more" if more > 0 else named
