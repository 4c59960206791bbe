"""Plain words for the terms of the trade; the report explains those that it uses."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from lib.report.final.facts import plain
from lib.report.final.parts import TEXT, Block, Chapter, Line, Part, lines_of

FILE = Path(__file__).with_name("glossary.toml")


@cache
def terms() -> Mapping[str, tuple[str, str]]:
    """Return all terms: how each is found in a text, and what it means."""
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))["term"]
    return {term["name"]: (term["how"], term["means"]) for term in read}


def used_terms(chapters: Sequence[Chapter]) -> list[str]:
    """Return the terms that occur in the chapters, in alphabetical order."""
    everything = " ".join(
        [
            *(plain(line) for line in lines_of(chapters)),
            *(block.title for chapter in chapters for block in chapter.blocks),
            *(cell for chapter in chapters for block in chapter.blocks for cell in block.header),
        ]
    )
    return [t for t, (how, _) in terms().items() if re.search(how, everything, flags=re.IGNORECASE)]


def glossary(names: Iterable[str]) -> Block:
    """Return the list of definitions."""
    rows = [
        [(Part(term, "label", kind="label"),), (Part(terms()[term][1]),)]
        for term in sorted(names, key=str.lower)
    ]
    return Block("definitions", rows=rows)


def anchor_of(term: str) -> str:
    """Return the id of a term's definition."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower().replace("²", "2")).strip("-")


def link_terms(chapters: Sequence[Chapter], names: Sequence[str]) -> list[Chapter]:
    """Return the chapters with the first occurrence of each term linked to its definition.

    Parameters
    ----------
    chapters : sequence of Chapter
        Only the report's own words are searched; recorded sentences stay as they are.
    names : sequence of str
        Those of the glossary.

    Returns
    -------
    list of Chapter
        New ones.
    """
    waiting = dict.fromkeys(names)

    def linked(line: Line) -> Line:
        return tuple(piece for part in line for piece in _split(part, waiting))

    return [
        replace(
            chapter,
            blocks=[
                replace(block, lines=[linked(line) for line in block.lines])
                if block.kind in {"paragraph", "list", "note"}
                else block
                for block in chapter.blocks
            ],
        )
        for chapter in chapters
    ]


def _split(part: Part, waiting: dict[str, None]) -> Iterator[Part]:
    """Yield the pieces of a part; a term that is linked waits no longer."""
    if part.kind != TEXT or part.source:
        yield part
        return
    rest = part.text
    while rest:
        found = [
            (match.start(), term, match)
            for term in waiting
            if (match := re.search(terms()[term][0], rest, flags=re.IGNORECASE))
        ]
        if not found:
            break
        start, term, match = min(found, key=lambda item: item[0])
        if start:
            yield Part(rest[:start])
        del waiting[term]
        href = f"#{anchor_of(term)}"
        yield Part(match.group(), "", href, "term", terms()[term][1])
        rest = rest[match.end() :]
    if rest:
        yield Part(rest)
