"""Exceptions: `# checklist: A08 the mount of the cluster`, in the line that they excuse.

In a comment at the end of a statement it excuses that statement; on a line of its own, its cell
and what is said of the file. In Markdown it is written `<!-- checklist: A03 … -->`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from lib.errors import suggest
from lib.workbench.checklist.page import Page, last_line
from lib.workbench.checklist.rules import RULES, Problem

COMMENT = re.compile(r"(?:#|<!--)\s*checklist:\s*(.*?)\s*(?:-->\s*)?$")
CODES = re.compile(r"([A-Za-z]\d{2}(?:\s*,\s*[A-Za-z]\d{2})*)\b[\s:;,.–—-]*(.*)")
WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Exemption:
    """One comment."""

    line: int
    codes: tuple[str, ...]
    reason: str
    first: int
    last: int
    whole_file: bool

    def covers(self, problem: Problem) -> bool:
        """Say whether it excuses a problem."""
        if problem.code not in self.codes:
            return False
        if problem.last == 0:
            return self.whole_file or self.line == problem.line
        if self.whole_file:  # a line of its own: the cell that it stands in
            return self.first <= problem.line <= self.last
        return problem.line <= self.line <= problem.last


def apply_exceptions(
    page: Page, problems: Iterable[Problem], *, judged: Collection[str]
) -> Iterator[Problem]:
    """Yield the problems that no exception excuses, and what is wrong with the exceptions.

    Parameters
    ----------
    page : Page
        The script.
    problems : iterable of Problem
        All that the rules found in it.
    judged : collection of str
        Codes that were judged in full: only there an exception can be told to be unused.

    Yields
    ------
    Problem
        X01 and X02 among them.
    """
    exemptions = list(find_exceptions(page))
    used: set[tuple[int, str]] = set()
    for problem in problems:
        excusing = [e for e in exemptions if e.reason and e.covers(problem)]
        used.update((e.line, problem.code) for e in exemptions if e.covers(problem))
        if not excusing:
            yield problem
    for exemption in exemptions:
        unknown = [code for code in exemption.codes if code not in RULES]
        for code in unknown:
            known = suggest(code, RULES)
            yield _at(page, exemption, "X01", f"there is no code {code}.{known}")
        if not exemption.codes:
            yield _at(page, exemption, "X01", "the exception names no code, such as A08")
        elif not exemption.reason:
            yield _at(
                page, exemption, "X01", f"no reason why {', '.join(exemption.codes)} is excepted"
            )
        for code in exemption.codes:
            if code in judged and (exemption.line, code) not in used and exemption.reason:
                yield _at(page, exemption, "X02", f"nothing here is excused by {code}")


def find_exceptions(page: Page) -> Iterator[Exemption]:
    """Yield every exception of a script, comments in texts apart."""
    for cell in page.cells:
        texts = _inside_texts(page, cell) if cell.kind == "code" else set()
        for number in range(cell.line, last_line(cell) + 1):
            line = page.lines[number - 1] if number <= len(page.lines) else ""
            mark = line.rfind("checklist:")
            start = max(line.rfind("#", 0, mark), line.rfind("<!--", 0, mark)) if mark > 0 else -1
            found = COMMENT.match(line[start:]) if start >= 0 else None
            in_prose = cell.kind != "code" and "<!--" not in line
            if found is None or in_prose or number in texts:
                continue
            given = CODES.match(found.group(1))
            codes = re.split(r"\s*,\s*", given.group(1).upper()) if given else []
            reason = given.group(2) if given and WORD.search(given.group(2)) else ""
            alone = not line[:start].strip().strip("#").strip()
            yield Exemption(number, tuple(codes), reason, cell.line, last_line(cell), alone)


def _inside_texts(page: Page, cell: object) -> set[int]:
    """Return the lines of texts that span several: what looks like a comment there is none."""
    import ast  # noqa: PLC0415

    found: set[int] = set()
    for node in ast.walk(page.body(cell)):  # type: ignore[arg-type]
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno != node.lineno:
            found.update(range(node.lineno, node.end_lineno or node.lineno))
    return found


def _at(page: Page, exemption: Exemption, code: str, message: str) -> Problem:
    return Problem(page.path, exemption.line, code, message, exemption.line)
