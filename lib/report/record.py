"""The record of one analysis: what it found, and the two files that keep it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from lib.report import text
from lib.report.tables import Table, markdown_table

SCHEMA = 1
# How far a number may differ between two machines, relative to itself. Training in single precision
# turns another processor's last digit into the third one of a score, as another seed would.
TOLERANCES = {"exact": 0.0, "tree": 1e-9, "blas": 1e-7, "torch": 0.2}
INTERVAL_SHARES = {"torch": 0.25}  # with an interval: relative to its width instead
KINDS = {bool: "yes/no", int: "count", float: "number", str: "text"}
LONGEST_VALUE = 80  # characters of a text value in the committed file


@dataclass(frozen=True)
class Value:
    """One named value with what is needed to compare it with another run's."""

    value: float | str
    low: float | None
    high: float | None
    kind: str
    tolerance: str

    @classmethod
    def of(cls, name: str, given: Any, *, tolerance: str) -> Value:
        """Return the value of a finding, from anything a finding accepts."""
        check_tolerance(tolerance)
        if text.is_estimate(given):
            numbers = (float(given.value), float(given.low), float(given.high))
            return cls(*numbers, kind="estimate", tolerance=tolerance)
        plain = plain_value(name, given)
        exact = not isinstance(plain, float)
        kind = KINDS[type(plain)]
        return cls(plain, None, None, kind=kind, tolerance="exact" if exact else tolerance)

    def shown(self, part: str = "value") -> str:
        """Return one part ("value", "low" or "high") as the committed file shows it."""
        part_value = getattr(self, part)
        if part_value is None or (part != "value" and math.isnan(part_value)):
            return ""
        return text.truncate(text.format_value(part_value), LONGEST_VALUE)


def check_tolerance(tolerance: str) -> None:
    """Raise a ValueError for a tolerance class that does not exist."""
    if tolerance not in TOLERANCES:
        msg = f"tolerance must be one of {', '.join(TOLERANCES)}; got '{tolerance}'."
        raise ValueError(msg)


def plain_value(name: str, given: Any) -> bool | int | float | str:
    """Return `given` as a Python bool, int, float or str; numpy scalars are unpacked.

    Raises
    ------
    TypeError
        When it is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> plain_value("n", np.int64(3))
    3
    """
    if hasattr(given, "item") and not isinstance(given, (str, bytes)) and not _is_sized(given):
        given = given.item()
    if isinstance(given, str):
        return str(given)
    if isinstance(given, (bool, int, float)):
        return given
    msg = (
        f"Value '{name}' is a {type(given).__name__}; a finding takes an Estimate, int, float, "
        "bool or str. Turn it into one of these, or show it with report.table."
    )
    raise TypeError(msg)


def _is_sized(given: Any) -> bool:
    return bool(getattr(given, "ndim", 0))


@dataclass
class Entry:
    """A finding, a warning or a table, in the order in which the analysis made them."""

    kind: str
    text: str
    markdown: str
    values: list[str] = field(default_factory=list)
    tolerance: str = "blas"


@dataclass
class Section:
    """What was recorded under one heading."""

    title: str
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Record:
    """All that one run of an analysis recorded.

    Attributes
    ----------
    analysis : str
        File name without suffix, such as `11_baseline_models`.
    title : str
        First heading of the analysis.
    dataset, data_fingerprint : str
        Name and content fingerprint of the table.
    effort, seed, config_fingerprint
        Choices behind the numbers.
    folder : Path
        Where the files go.
    """

    analysis: str
    title: str
    dataset: str
    data_fingerprint: str
    effort: str
    seed: int
    config_fingerprint: str
    folder: Path
    sections: list[Section] = field(default_factory=lambda: [Section("")])
    values: dict[str, Value] = field(default_factory=dict)
    attachments: list[dict[str, str]] = field(default_factory=list)

    current: ClassVar[Record | None] = None  # the runner sets it; plain scripts have none

    def enter_section(self, title: str) -> None:
        """File what follows under `title`."""
        title = text.clean(title.strip())
        if title != self.sections[-1].title:
            self.sections.append(Section(title))

    def add(self, entry: Entry, values: Mapping[str, Value] | None = None) -> None:
        """Keep an entry and the values behind it; names are unique in an analysis."""
        values = values or {}
        for name in values:
            if name in self.values:
                msg = (
                    f"Value '{name}' is recorded twice in {self.analysis}; "
                    f"choose another name for one of them."
                )
                raise ValueError(msg)
        self.values.update(values)
        entry.values = list(values)
        self.sections[-1].entries.append(entry)

    def entries(self, kind: str) -> Iterator[Entry]:
        """Yield the entries of one kind in order."""
        return (e for section in self.sections for e in section.entries if e.kind == kind)

    @property
    def findings(self) -> list[str]:
        """The findings as plain sentences."""
        return [entry.text for entry in self.entries("finding")]

    @property
    def headlines(self) -> list[str]:
        """The findings of the conclusion as plain sentences; all where there is none."""
        return [entry["text"] for entry in conclusion([asdict(s) for s in self.sections])]

    @property
    def warnings(self) -> list[str]:
        """The warnings as plain sentences."""
        return [entry.text for entry in self.entries("warning")]

    def to_markdown(self) -> str:
        """Return the committed form: rounded, without times and paths, the same bytes each run."""
        data = f" (data {self.data_fingerprint})" if self.data_fingerprint else ""
        origin = f"Dataset {text.escape_markdown(self.dataset)}{data}"
        blocks = [f"# {self.title}", f"{origin}, {self.effort} effort, seed {self.seed}."]
        for section in self.sections:
            if section.entries and section.title:
                blocks.append(f"## {section.title}")
            blocks.extend(_section_blocks(section))
        if self.values:
            blocks.extend(["## Values", self._values_table()])
        return "\n\n".join(blocks) + "\n"

    def _values_table(self) -> str:
        rows = [
            [name, value.shown(), value.shown("low"), value.shown("high"), value.kind]
            for name, value in sorted(self.values.items())
        ]
        numeric = [False, True, True, True, False]
        return markdown_table(["name", "value", "low", "high", "kind"], rows, numeric)

    def to_json(self, provenance: Mapping[str, Any]) -> str:
        """Return the twin with full precision, tolerance classes and provenance."""
        content = {
            "schema": SCHEMA,
            "analysis": self.analysis,
            "title": self.title,
            "provenance": {
                "dataset": self.dataset,
                "data_fingerprint": self.data_fingerprint,
                "effort": self.effort,
                "seed": self.seed,
                "config_fingerprint": self.config_fingerprint,
                **provenance,
            },
            "findings": self.findings,
            "warnings": self.warnings,
            "sections": [asdict(section) for section in self.sections if section.entries],
            "values": {name: asdict(value) for name, value in sorted(self.values.items())},
            "attachments": self.attachments,
        }
        finite = _encode(content)
        return json.dumps(finite, ensure_ascii=False, allow_nan=False, indent=1) + "\n"

    def finish(self, provenance: Mapping[str, Any] | None = None) -> None:
        """Write `findings.md` and `findings.json` into the record's folder."""
        from lib.report.provenance import collect_provenance  # noqa: PLC0415 - starts git

        given = dict(provenance or {})
        self.data_fingerprint = str(given.get("data_fingerprint") or self.data_fingerprint)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / "findings.md", self.to_markdown())
        write_text(
            self.folder / "findings.json", self.to_json({**collect_provenance(given), **given})
        )


def _section_blocks(section: Section) -> list[str]:
    """Return the Markdown blocks of a section; sentences that follow one another form a list."""
    blocks: list[str] = []
    previous = ""
    for entry in section.entries:
        if entry.kind == "table":
            blocks.append(entry.markdown)
        elif previous in {"finding", "warning"}:
            blocks[-1] += f"\n- {entry.markdown}"
        else:
            blocks.append(f"- {entry.markdown}")
        previous = entry.kind
    return blocks


def conclusion(sections: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the findings of the sections called Conclusion or Results, all where there is none.

    Parameters
    ----------
    sections : sequence of mapping
        As in `findings.json`.

    Returns
    -------
    list of mapping
        Entries in order.
    """
    found = [[e for e in s["entries"] if e["kind"] == "finding"] for s in sections]
    closing = [
        entries
        for section, entries in zip(sections, found, strict=True)
        if section["title"].lower().startswith(("conclusion", "result")) and entries
    ]
    return [entry for entries in closing or found for entry in entries]


def write_text(path: Path, content: str) -> None:
    """Replace a file at once, with LF line ends; a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content.encode("utf-8"))
    temporary.replace(path)


def _encode(content: Any) -> Any:
    """Return `content` with nan and infinities as words, which JSON lacks."""
    if isinstance(content, dict):
        return {key: _encode(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_encode(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return str(content)
    return content if content is None or isinstance(content, (str, int, float)) else str(content)


def start_record(
    *, analysis: str, title: str, dataset: Any, config: Any, folder: Path | str
) -> Record:
    """Begin the record that findings of this process go to.

    Parameters
    ----------
    analysis : str
        File name without suffix.
    title : str
        First heading.
    dataset : Dataset, mapping or str
        The table: its `name` and `fingerprint`, or the name alone (the fingerprint may then
        follow with `finish`).
    config : Config
        The choices of the study.
    folder : Path
        Where `findings.md`, `findings.json` and `attachments/` go.

    Returns
    -------
    Record
        Also kept as the current one.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.report import finding
    >>> kept = start_record(
    ...     analysis="50_shoes", title="Shoes", dataset="shoes", config=load_config(), folder="here"
    ... )
    >>> _ = finding("{n_pairs} pairs were sold.", n_pairs=12)
    12 pairs were sold.
    >>> stop_record()
    >>> kept.findings, kept.values["n_pairs"].value
    (['12 pairs were sold.'], 12)
    """
    if isinstance(dataset, Mapping):
        name, data_fingerprint = dataset.get("name", ""), dataset.get("fingerprint", "")
    else:
        name = getattr(dataset, "name", dataset)
        data_fingerprint = getattr(dataset, "fingerprint", "")
    Record.current = Record(
        analysis=analysis,
        title=text.clean(title.lstrip("# ").strip()),
        dataset=str(name),
        data_fingerprint=str(data_fingerprint or ""),
        effort=config.effort,
        seed=config.seed,
        config_fingerprint=config.fingerprint(),
        folder=Path(folder),
    )
    return Record.current


def stop_record() -> None:
    """Forget the current record, so that findings are shown only.

    Examples
    --------
    >>> stop_record()
    >>> current_record() is None
    True
    """
    Record.current = None


def enter_section(title: str) -> None:
    """File what follows under `title`; without a record this does nothing.

    Examples
    --------
    >>> from lib.config import load_config
    >>> kept = start_record(
    ...     analysis="50_shoes", title="Shoes", dataset="shoes", config=load_config(), folder="here"
    ... )
    >>> enter_section("Conclusion")
    >>> stop_record()
    >>> [section.title for section in kept.sections]
    ['', 'Conclusion']
    """
    if Record.current is not None:
        Record.current.enter_section(title)


def current_record() -> Record | None:
    """Return the record that findings go to, or None outside the runner.

    Examples
    --------
    >>> current_record() is None  # here nobody keeps findings: they are shown
    True
    """
    return Record.current


def record_table(table: Table, *, tolerance: str = "blas") -> None:
    """Keep a shown table in the current record, if there is one."""
    check_tolerance(tolerance)
    if Record.current is not None:
        entry = Entry("table", table.title, table.to_markdown(), tolerance=tolerance)
        Record.current.add(entry)
