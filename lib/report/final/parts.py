"""What the report is built of: pieces of a line that know their source, and blocks of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

TEXT = "text"


@dataclass(frozen=True)
class Part:
    """A piece of a line.

    Attributes
    ----------
    text : str
        What it says, as plain text.
    source : str
        Where it was found: "11 best_score", "catalogue licence"; "" for the report's own words.
    href : str
        Link to that place.
    kind : {"text", "value", "quote", "link", "label", "code", "term"}
    hint : str
        Words for a pointer that rests on it.
    """

    text: str
    source: str = ""
    href: str = ""
    kind: str = TEXT
    hint: str = ""

    @property
    def is_words(self) -> bool:
        """Whether it is a sentence or a name rather than a number."""
        return not self.text[:2].strip("-<>≤≥ ")[:1].isdigit()


Line = tuple[Part, ...]


@dataclass(frozen=True)
class Block:
    """One thing below a heading.

    Attributes
    ----------
    kind : {"paragraph", "list", "table", "figure", "tiles", "heading", "note", "definitions"}
    lines : sequence of Line
        Of a paragraph one, of a list its items, of tiles label, value and remark in turn.
    header, rows : sequence
        Of a table; cells are lines.
    title : str
        Caption, heading, or alternative text of a figure.
    tone : str
        "", "warning", "open", "lead" or "decision".
    source : str
        Of a whole table or figure.
    href : str
        Link to it.
    image : str
        Data URI of a figure.
    numeric : sequence of bool
        Which columns of a table are aligned right.
    """

    kind: str
    lines: Sequence[Line] = ()
    header: Sequence[str] = ()
    rows: Sequence[Sequence[Line]] = ()
    title: str = ""
    tone: str = ""
    source: str = ""
    href: str = ""
    image: str = ""
    numeric: Sequence[bool] = ()


@dataclass
class Chapter:
    """What stands under one heading of the second level."""

    anchor: str
    title: str
    blocks: list[Block] = field(default_factory=list)


def words(text: str) -> Line:
    """Return the report's own words as a line; they hold no digit, as numbers are looked up.

    Raises
    ------
    ValueError
        When there is a digit among them.

    Examples
    --------
    >>> words("No number.")
    (Part(text='No number.', source='', href='', kind='text', hint=''),)
    """
    if any(character.isdigit() for character in text):
        msg = f'A number is looked up, never typed: "{text}".'
        raise ValueError(msg)
    return (Part(text),)


def with_code(text: str, source: str) -> Line:
    """Return a sentence of the report's machinery; what stands in backticks is code.

    Examples
    --------
    >>> [part.kind for part in with_code("Run `nox`.", "manifest")]
    ['quote', 'code', 'quote']
    """
    kinds = ("quote", "code")
    pieces = enumerate(text.split("`"))
    return tuple(Part(piece, source, kind=kinds[i % 2]) for i, piece in pieces if piece)


def paragraph(line: Line, tone: str = "") -> Block:
    """Return a paragraph."""
    return Block("paragraph", [line], tone=tone)


def bullets(lines: Sequence[Line], tone: str = "") -> Block:
    """Return a list."""
    return Block("list", list(lines), tone=tone)


def heading(title: str) -> Block:
    """Return a heading of the third level."""
    return Block("heading", title=title)


def lines_of(chapters: Sequence[Chapter]) -> Iterator[Line]:
    """Yield every line of the chapters in order."""
    for chapter in chapters:
        for block in chapter.blocks:
            yield from block.lines
            for row in block.rows:
                yield from row
