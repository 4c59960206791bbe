"""Looking things up: every number of the report is a recorded value, sentence or table."""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from string import Formatter
from typing import Any

from lib.report import markup, text
from lib.report.final.inputs import NAMES, Input, Inputs, value_of
from lib.report.final.parts import Block, Line, Part
from lib.report.parse import ShownTable, parse_findings
from lib.report.record import conclusion

PLACEHOLDER = re.compile(r"^(\d\d|[a-z]+)\.(\w+)$")
NO_SPEC = ""


@dataclass
class Facts:
    """What earlier analyses recorded, the catalogue says and the study chose.

    Attributes
    ----------
    inputs : Inputs
        The earlier analyses.
    given : mapping of str to mapping
        Other facts by namespace: "catalogue", "study", "run".
    asked : set of str
        Sources that were shown so far.
    """

    inputs: Inputs
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    lacking: list[str] = field(default_factory=list)

    # -- single values -------------------------------------------------------------------------

    def raw(self, number: str, name: str) -> Any:
        """Return a recorded value as it was recorded, or None."""
        values = self._input(number).twin.get("values", {})
        return _decoded(values[name]) if name in values else None

    def has(self, *names: str) -> bool:
        """Say whether all of these are known; a name such as "30.test_score"."""
        return all(self._find(name) is not None for name in names)

    def say(self, template: str) -> Line | None:
        """Return a sentence with its values looked up; None when one of them is not known.

        Parameters
        ----------
        template : str
            Own words with placeholders such as `{30.test_score}`, `{catalogue.licence}`,
            `{page.30}` (a link) or `{label.R1a}` (words that are no result); `{30.share:.0%}`
            chooses a format.

        Returns
        -------
        Line or None
            Its values know their source.

        Raises
        ------
        ValueError
            When the own words hold a digit.
        """
        line: list[Part] = []
        for literal, name, spec, _ in Formatter().parse(template):
            if any(c.isdigit() for c in literal):
                msg = f'A number is looked up, never typed: "{literal}".'
                raise ValueError(msg)
            if literal:
                line.append(Part(literal))
            if name is None:
                continue
            part = self._part(name, spec or NO_SPEC)
            if part is None:
                self.lacking.append(name)
                return None
            line.append(part)
        self.asked.update(part.source for part in line if part.source)
        return tuple(line)

    def first(self, *templates: str) -> list[Line]:
        """Return the first sentence whose values are all known, in a list; empty for none."""
        return next(([line] for line in map(self.say, templates) if line is not None), [])

    def all_of(self, *templates: str) -> list[Line]:
        """Return the sentences whose values are all known."""
        return [line for line in map(self.say, templates) if line is not None]

    def _part(self, name: str, spec: str) -> Part | None:
        space, _, key = name.partition(".")
        if space == "page":
            return self.link(key)
        if space == "label":
            return Part(key.replace("_", " "), source="label", kind="label")
        value = self._find(name)
        if value is None:
            return None
        shown = text.format_value(value, spec)
        if space in NAMES:
            given = self._input(space)
            hint = f"{given.number} · {given.title}: {key}"
            return Part(shown, f"{space} {key}", self._href(space, key), "value", hint)
        return Part(shown, f"{space} {key}", "#provenance", "value", f"{space}: {key}")

    def _find(self, name: str) -> Any:
        space, _, key = name.partition(".")
        if space in NAMES:
            return self.raw(space, key)
        value = self.given.get(space, {}).get(key)
        return None if value is None or value == "" else value

    # -- recorded sentences and tables ---------------------------------------------------------

    def link(self, number: str) -> Part:
        """Return a link to the page of an analysis."""
        given = self._input(number)
        label = f"{number} · {given.title}"
        href = f"../../{given.name}/page.html" if given.twin else ""
        return Part(label, number, href, "link")

    def conclusion(self, number: str) -> list[Line]:
        """Return the sentences with which an analysis concluded, lists of settings left out."""
        entries = conclusion(self._sections(number))
        return [self._quote(number, entry) for entry in entries if '{"' not in entry["text"]]

    def quote(self, number: str, *names: str) -> list[Line]:
        """Return the recorded sentences that hold these values."""
        return [
            self._quote(number, entry)
            for section in self._sections(number)
            for entry in section["entries"]
            if set(names) & set(entry["values"])
        ]

    def warnings(self, number: str) -> list[Line]:
        """Return the warnings of an analysis."""
        return [
            self._quote(number, entry)
            for section in self._sections(number)
            for entry in section["entries"]
            if entry["kind"] == "warning"
        ]

    def table(self, number: str, *titles: str, columns: int = 6, rows: int = 12) -> Block | None:
        """Return the first recorded table with one of these words in its title.

        Parameters
        ----------
        number : str
            Of the analysis.
        *titles : str
            Parts of titles, the preferred first.
        columns, rows : int
            At most so many; what is left out is said below.

        Returns
        -------
        Block or None
            None when there is no such table.
        """
        tables = self._tables.get(number, {})
        named = (t for part in titles for t in tables if part.lower() in t.lower())
        title = next(named, None)
        if title is None or not tables[title].rows:
            return None
        shown = tables[title]
        n_more = len(shown.rows) - rows
        source = f"{number} table"
        self.asked[source] += 1
        cells = [[(Part(cell),) for cell in row[:columns]] for row in shown.rows[:rows]]
        more = f"; {n_more} more rows there" if n_more > 0 else ""
        more += (
            f"; {len(shown.header) - columns} more columns" if len(shown.header) > columns else ""
        )
        return Block(
            "table",
            lines=[(self.link(number), Part(more, source))] if more else [(self.link(number),)],
            header=shown.header[:columns],
            rows=cells,
            title=title,
            source=source,
            href=self._href_of_table(number, title),
            numeric=[_is_numeric(shown, i) for i in range(len(shown.header[:columns]))],
        )

    @cached_property
    def _tables(self) -> dict[str, dict[str, ShownTable]]:
        found = {}
        for given in self.inputs:
            blocks = [e["markdown"] for s in given.twin.get("sections", ()) for e in s["entries"]]
            found[given.number] = parse_findings("\n\n".join(["", *blocks])).tables
        return found

    def n_traced(self) -> int:
        """Return how many values, sentences and tables of the record the report shows."""
        return sum(n for source, n in self.asked.items() if source[:2] in NAMES)

    # -- places --------------------------------------------------------------------------------

    def _input(self, number: str) -> Input:
        return self.inputs.by_number[number]

    def _sections(self, number: str) -> list[Mapping[str, Any]]:
        sections: list[Mapping[str, Any]] = list(self._input(number).twin.get("sections", ()))
        return sections

    def _quote(self, number: str, entry: Mapping[str, Any]) -> Line:
        said = str(entry["text"]).removeprefix("Warning: ")
        source = (
            " ".join([number, *entry["values"][:1]]) if entry["values"] else f"{number} sentence"
        )
        self.asked[source] += 1
        title = next(s["title"] for s in self._sections(number) if entry in s["entries"])
        href = self._place(number, title)
        return (Part(said, source, href, "quote", f"{number} · {self._input(number).title}"),)

    def _href(self, number: str, name: str) -> str:
        for section in self._sections(number):
            if any(name in entry["values"] for entry in section["entries"]):
                return self._place(number, section["title"])
        return self._place(number, "")

    def _href_of_table(self, number: str, title: str) -> str:
        for section in self._sections(number):
            if any(e["kind"] == "table" and e["text"] == title for e in section["entries"]):
                return self._place(number, section["title"])
        return self._place(number, "")

    def _place(self, number: str, title: str) -> str:
        """Return the address of a section of a page; of the page where it has no such anchor."""
        given = self._input(number)
        anchor = next(iter(_anchors(title)), "")
        page = f"../../{given.name}/page.html"
        return f"{page}#{anchor}" if anchor in self._anchors(given.name) else page

    def _anchors(self, name: str) -> frozenset[str]:
        if name not in self._known:
            path = self.inputs.folder / name / "page.html"
            page = path.read_text(encoding="utf-8") if path.is_file() else ""
            self._known[name] = frozenset(re.findall(r'<h[2-6] id="([^"]+)"', page))
        return self._known[name]

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {}


def _anchors(title: str) -> Iterator[str]:
    """Yield the anchor that a page gives a heading."""
    if title:
        _, headings = markup.give_anchors(f"<h2>{html.escape(title)}</h2>", set())
        yield from (name for _, name, _ in headings)


def _is_numeric(table: ShownTable, column: int) -> bool:
    cells = [row[column] for row in table.rows if len(row) > column and row[column].strip("–")]
    return bool(cells) and all(re.match(r"^[-+<>≤≥]?\s?[\d∞.,]", cell) for cell in cells)


def _decoded(given: Mapping[str, Any]) -> Any:
    """Return a value of `findings.json` as it was recorded."""
    value = value_of(given)
    if value.kind != "estimate":
        return value.value
    from lib.estimates import Estimate  # noqa: PLC0415 - imports scipy

    low, high = (math.nan if part is None else part for part in (value.low, value.high))
    return Estimate(float(value.value), low, high)


def plain(line: Line) -> str:
    """Return a line as plain text."""
    return "".join(part.text for part in line)
