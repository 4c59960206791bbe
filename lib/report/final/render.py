"""Chapters as one self-contained page, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lib.report import pages
from lib.report.final.glossary import anchor_of
from lib.report.final.parts import Block, Chapter, Line, Part, with_code
from lib.report.text import escape_markdown

TEMPLATES = Path(__file__).parent / "templates"
_BRACKET = re.compile(r"(?<!\\)([\[\]])")
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


@cache
def _environment() -> Any:
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    folders = [TEMPLATES, pages.TEMPLATES]
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(f, encoding="utf-8") for f in folders]),
        autoescape=True,  # always: names and cells are data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = [(pages.TEMPLATES / "study.css"), (TEMPLATES / "final.css")]
    made.globals |= {"policy": POLICY, "css": "\n".join(c.read_text("utf-8") for c in css)}
    made.filters |= {"anchor_of": anchor_of}
    return made


def render_html(
    title: str, about: Sequence[Line], chapters: Sequence[Chapter], problems: Sequence[str]
) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
        Its heading.
    about : sequence of Line
        What stands below it.
    chapters : sequence of Chapter
        The contents.
    problems : sequence of str
        Why it is a draft; empty for a complete report.

    Returns
    -------
    str
        HTML that needs no other file, no script and no network.
    """
    template = _environment().get_template("final.html.j2")
    said = [with_code(problem, "manifest") for problem in problems]
    page = template.render(title=title, about=about, chapters=chapters, problems=said)
    return re.sub(r"\n{2,}", "\n", str(page))


def render_markdown(
    title: str, about: Sequence[Line], chapters: Sequence[Chapter], problems: Sequence[str]
) -> str:
    """Return the same as Markdown; figures are links to the pages that have them.

    Parameters
    ----------
    title, about, chapters, problems
        As for `render_html`.

    Returns
    -------
    str
        Ends with one line feed.
    """
    blocks = [f"# {'DRAFT: ' if problems else ''}{escape_markdown(title)}"]
    if problems:
        listed = "\n".join(f"- {_markdown_line(with_code(p, 'manifest'))}" for p in problems)
        blocks.append(f"**This is a draft; not all of its inputs hold.**\n\n{listed}")
    blocks += [_markdown_line(line) for line in about]
    for chapter in chapters:
        blocks.append(f"## {escape_markdown(chapter.title)}")
        for block in chapter.blocks:
            blocks += [text for text in _markdown_block(block) if text]
    return "\n\n".join(blocks) + "\n"


def _markdown_block(block: Block) -> Iterator[str]:
    lines = [_markdown_line(line) for line in block.lines]
    if block.kind == "heading":
        yield f"### {lines[0] if lines else escape_markdown(block.title)}"
    elif block.kind == "list":
        yield "\n".join(f"- {line}" for line in lines)
    elif block.kind == "figure":
        yield f"[{escape_markdown(block.title)}]({block.href})"
    elif block.kind == "tiles":
        for i in range(0, len(lines), 3):
            yield f"**{lines[i]}**: {lines[i + 1]} {lines[i + 2]}"
    elif block.kind == "definitions":
        yield "\n".join(
            f"- **{_markdown_line(row[0])}**: {' '.join(map(_markdown_line, row[1:]))}"
            for row in block.rows
        )
    elif block.kind == "table":
        width = len(block.header)
        rows = [[_markdown_line(cell) for cell in row] for row in block.rows]
        padded = [row + [""] * (width - len(row)) for row in rows]
        if block.title:
            yield f"**{escape_markdown(block.title)}**"
        header = [escape_markdown(name) for name in block.header]
        rule = [" --: " if right else " :-- " for right in block.numeric or [False] * width]
        yield "\n".join(
            [_table_row(header), f"|{'|'.join(rule)}|", *(_table_row(row) for row in padded)]
        )
        yield from lines
    else:
        yield from (f"**{line}**" if block.tone.startswith("decision") else line for line in lines)


def _markdown_line(line: Line) -> str:
    return "".join(map(_markdown_part, line))


def _markdown_part(part: Part) -> str:
    if part.kind == "code":
        return f"`{part.text.replace('`', '')}`" if part.text else ""
    if part.kind in {"strong", "module", "open"}:
        return f"**{escape_markdown(part.text)}**"
    if not part.href or part.kind == "term":
        return escape_markdown(part.text)
    inner = _BRACKET.sub(r"\\\1", escape_markdown(part.text.strip()))
    href = "#where-every-number-comes-from" if part.href == "#provenance" else part.href
    return f"[{inner}]({href})" + (" " if part.text.endswith(" ") else "")


def _table_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
