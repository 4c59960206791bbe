"""What a reader reads: title and purpose, words between code, what was found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import takewhile

from lib.workbench.checklist.page import Page
from lib.workbench.checklist.rules import Problem
from lib.workbench.scripts import Cell, headings

PLACEHOLDER = re.compile(
    r"(my |new |your )?(title|notebook|notebook title|analysis|untitled\w*|todo|tbd|xxx|\W*)",
    re.IGNORECASE,
)
UNDERLINED = re.compile(r"^\s*([=~*#-])\1{2,}\s*$", re.MULTILINE)  # reStructuredText, setext
FIELD = re.compile(
    r"^\*\*(Question|Purpose)[:.]?\*\*[:.]?[ \t]*(.*(?:\n(?!\s*\n|\*\*).*)*)",
    re.MULTILINE | re.IGNORECASE,
)
ABOUT = re.compile(
    r"^\W*(authors?|date|status|version|licen[cs]e|copyright|contact|you (need|get))\b.*$",
    re.MULTILINE | re.IGNORECASE,
)
CONCLUDES = re.compile(
    r"\b(conclusions?|concluding|summary|results?|findings?|takeaways?|take-aways?|key points|"
    r"discussion|lessons?|wrap[- ]?up|recap|in short|what (we|have we) learn\w*|to sum up)\b",
    re.IGNORECASE,
)  # fmt: skip
PURPOSE_WORDS, CONCLUSION_WORDS, COMMENT_WORDS = 5, 8, 6
LONGEST_HEADING = 60
MAX_RUN, MAX_LINES = 3, 60
RECORDS = {"lib.report.finding", "lib.report.warning"}


def check_title(page: Page) -> Iterator[Problem]:
    """A01: the first cell has a title, and says what for."""
    opening, first = _opening(page), next(iter(page.cells), None)
    if not opening:
        yield page.whole("A01", "no Markdown cell with title and purpose before the first code")
        return
    title = _title(opening[0])
    last = first.line + first.source.count("\n") if first is not None else 1
    line = first.line if first is not None and first.kind == "markdown" else 1
    if title is None:
        yield Problem(page.path, line, "A01", "the first cell has no title (`# # Title`)", last)
    elif PLACEHOLDER.fullmatch(re.sub(r"^\d+\s*\W\s*", "", title).strip()):
        yield Problem(page.path, line, "A01", f"the title is a placeholder ('{title}')", last)
    if page.in_project:
        said = FIELD.search(opening[0])
        if said is None or len(said.group(2).split()) < 3:
            missing = "asks no question and names no purpose (`**Question** …`)"
            yield Problem(page.path, line, "A01", f"the first cell {missing}", last)
    elif _count_words("\n".join(opening)) < PURPOSE_WORDS and len((title or "").split()) < 8:
        yield Problem(page.path, line, "A01", "nothing says what it is for", last)


def check_prose(page: Page) -> Iterator[Problem]:
    """A03: words between code."""
    if page.code and not any(_speaks(page, cell) for cell in page.cells):
        yield page.whole("A03", "no Markdown cell at all", page.code[0].line)
        return
    run = 0
    for cell in page.cells:
        if cell.kind != "code":
            run = 0
            continue
        if not cell.source.strip():
            continue
        run = 1 if _speaks(page, cell) else run + 1
        if run == MAX_RUN + 1:
            yield page.in_cell(
                cell, "A03", f"more than {MAX_RUN} code cells without Markdown between"
            )
        n_lines = _count_lines(page.body(cell))
        if n_lines > MAX_LINES:
            yield page.in_cell(
                cell, "A03", f"{n_lines} lines of code without a word (at most {MAX_LINES})"
            )


def check_findings(page: Page) -> Iterator[Problem]:
    """A06: what was found is written down."""
    if page.uses_lib:
        if not RECORDS & {name for name, _ in page.calls}:
            yield page.whole("A06", "no key finding is recorded (`report.finding`)")
    elif page.code and not _concludes(page):
        yield page.whole("A06", "ends without a conclusion: no closing words, no printed result")


def _speaks(page: Page, cell: Cell) -> bool:
    """Say whether a cell is prose, or, in scripts of others, opens with a comment in words."""
    if cell.kind != "code" or page.in_project:
        return cell.kind != "code"
    opening = [line for line in cell.source.splitlines()[:12] if line.strip()]
    said = list(takewhile(lambda line: line.startswith("#"), opening))
    return len(" ".join(said).split()) >= COMMENT_WORDS


def _opening(page: Page) -> list[str]:
    """Return the Markdown before the first code, or the docstring that opens the file."""
    opening: list[str] = []
    for cell in page.cells:
        if cell.kind == "code" and cell.source.strip():
            body = page.body(cell)
            said = ast.get_docstring(body) if not opening and not page.in_project else None
            return [said] if said else opening
        if cell.kind == "markdown":
            opening.append(cell.source)
    return opening


def _title(text: str) -> str | None:
    found = headings(text)
    if found:
        return found[0]
    lines = [line.strip() for line in text.strip().splitlines()]
    if UNDERLINED.search(text):
        return next((line for line in lines if line and not UNDERLINED.match(line)), None)
    html = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.IGNORECASE | re.DOTALL)
    if html:
        return html.group(1)
    return (
        lines[0]
        if lines
        and '"""' not in text
        and text[:1] not in "*-"
        and len(lines[0]) < 80
        and (len(lines) == 1 or not lines[1])
        else None
    )


def _count_words(markdown: str) -> int:
    kept = [line for line in markdown.splitlines() if not re.match(r"^#{1,6}\s", line)]
    text = ABOUT.sub("", "\n".join(kept))
    text = re.sub(r"^.*\n\s*([=~*#-])\1{2,}\s*$", "", text, flags=re.MULTILINE)
    return len(re.findall(r"[^\W\d_]{2,}", text))


def _count_lines(tree: ast.Module) -> int:
    """Return the lines of code outside functions and classes, which have docstrings."""
    inside = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    counted = [node for node in tree.body if not isinstance(node, inside)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in counted)


def _concludes(page: Page) -> bool:
    spoken = [cell for cell in page.cells if cell.kind == "markdown"]
    comments = (c for c in page.code[1:] if _speaks(page, c))
    said = [h for cell in spoken[1:] for h in headings(cell.source)]
    said += [line for cell in comments for line in cell.source.splitlines() if line[:2] == "# "]
    if any(CONCLUDES.search(text) for text in said if len(text) < LONGEST_HEADING):
        return True
    last_code = page.code[-1]
    closing = [cell for cell in spoken if cell.line > last_code.line]
    if sum(_count_words(cell.source) for cell in closing) >= CONCLUSION_WORDS:
        return True
    return any(_shows(page, cell) for cell in page.code[-2:])


def _shows(page: Page, cell: Cell) -> bool:
    """Say whether a cell prints, displays or logs something computed."""
    shown = {"print", "display", "Markdown", "IPython.display.display", "IPython.display.Markdown"}
    return any(
        isinstance(node, ast.Call)
        and (page.dotted(node.func) in shown or page.dotted(node.func).endswith((".info", ".echo")))
        and any(not isinstance(argument, ast.Constant) for argument in node.args)
        for node in ast.walk(page.body(cell))
    )
