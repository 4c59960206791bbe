"""Pages: one per analysis and an index, self-contained, without scripts, readable on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lib.report import markup
from lib.report.cells import ANSI, read_notebook
from lib.report.record import Record, conclusion, write_text

TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
N_HEADLINES = 3
FINAL_PAGE = "report.html"  # an attachment of this name is linked on top of the index
GOOD, IDLE = {"passed", "unchanged", "rendered"}, {"not run", "blocked", "interrupted", "skipped"}
PROVENANCE = {
    "dataset": "Dataset",
    "data_fingerprint": "Data fingerprint",
    "effort": "Effort",
    "seed": "Seed",
    "config_fingerprint": "Configuration",
    "git_commit": "Commit",
    "mlflow_run_id": "MLflow run",
    "python": "Python",
}
_NEIGHBOURS = re.compile(r"<!--neighbours-->.*?<!--/neighbours-->", re.DOTALL)


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    made = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,  # always: select_autoescape overlooks names such as page.html.j2
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"policy": POLICY, "css": (TEMPLATES / "study.css").read_text("utf-8")}
    made.filters |= {"mood": mood, "url": quote}
    return made


def render_page(
    notebook: Mapping[str, Any],
    *,
    title: str,
    record: Record | None,
    folder: Path,
    state: str = "",
) -> Path:
    """Write `page.html`: findings first, then prose, figures and tables, code folded away.

    Parameters
    ----------
    notebook : mapping
        An executed notebook.
    title : str
        Heading of the page.
    record : Record or None
        What was found; None takes it from the folder's `findings.json`, where there is one.
    folder : Path
        Where the page goes, beside `attachments/`.
    state : str, default=""
        How the run ended; by default "failed" where an output is an error, else "passed".

    Returns
    -------
    Path
        The page.
    """
    contents = read_notebook(notebook)
    twin = _read_json(folder / "findings.json")
    if record is not None:
        twin = {**json.loads(record.to_json({})), **twin}
    sections = twin.get("sections", ())
    entries = [entry for section in sections for entry in section["entries"]]
    headlines = conclusion(sections)
    page = (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            state=state or ("failed" if contents.error else "passed"),
            contents=contents,
            headlines=_sentences(headlines),
            others=_sentences(e for e in entries if e["kind"] == "finding" and e not in headlines),
            warnings=_sentences(_warnings(twin)),
            dataset=twin.get("provenance", {}).get("dataset", ""),
            provenance=_provenance(twin.get("provenance", {})),
        )
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "page.html", page)
    return folder / "page.html"


def _sentences(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return [markup.render_sentence(entry["markdown"]) for entry in entries]


def _provenance(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the footer says about where the results come from."""
    lines = [(PROVENANCE[k], str(given[k])) for k in PROVENANCE if given.get(k) not in (None, "")]
    if given.get("git_dirty"):
        lines = [(k, f"{v} with local changes" if k == "Commit" else v) for k, v in lines]
    packages = given.get("packages") or {}
    if packages:
        lines.append(("Packages", ", ".join(f"{name} {v}" for name, v in packages.items())))
    return lines


def render_index(
    folder: Path, rows: Sequence[Mapping[str, Any]], *, summary: str = "", title: str = ""
) -> Path:
    """Write `index.html` over all analyses of a dataset, and link their pages to one another.

    Parameters
    ----------
    folder : Path
        Reports of one dataset.
    rows : sequence of mapping
        One per analysis in order: `name`, `title`, `state`, and where known `note`, `seconds`,
        `peak_mb`, `cells`, `compared`. Findings and errors are read from its folder.
    summary : str, default=""
        The dataset in a sentence.
    title : str, default=""
        Heading; by default the folder's name.

    Returns
    -------
    Path
        The index.
    """
    cards = [_card(folder / str(row["name"]), row) for row in rows]
    counts: dict[str, int] = {}
    for card in cards:
        counts[card["state"]] = counts.get(card["state"], 0) + 1
    origin = next((card["origin"] for card in cards if card["origin"]), "")
    page = (
        _environment()
        .get_template("index.html.j2")
        .render(
            title=title or folder.name,
            summary=summary,
            origin=origin,
            cards=cards,
            final=next((found for card in cards if (found := _final(card))), None),
            counts=sorted(counts.items(), key=lambda pair: (mood(pair[0]), pair)),
            n_warnings=sum(card["n_warnings"] for card in cards),
        )
    )
    write_text(folder / "index.html", page)
    _link_neighbours(folder, [card for card in cards if card["page"]])
    return folder / "index.html"


def _card(folder: Path, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the index shows of one analysis."""
    twin, result = _read_json(folder / "findings.json"), _read_json(folder / "record.json")
    state = str(row.get("state") or "not run")
    sentences = _sentences(conclusion(twin.get("sections", ())))
    provenance = twin.get("provenance", {})
    return {
        "name": str(row["name"]),
        "title": str(row.get("title") or row["name"]),
        "state": state,
        "page": f"{quote(str(row['name']))}/page.html" if (folder / "page.html").is_file() else "",
        "headlines": sentences[:N_HEADLINES],
        "n_more": max(len(twin.get("findings", ())) - N_HEADLINES, 0),
        "warnings": _sentences(_warnings(twin)[:N_HEADLINES]),
        "n_warnings": len(twin.get("warnings", ())),
        "facts": _facts(row) + _when(folder / "record.json"),
        "note": str(row.get("note") or ""),
        "error": _full_error(result) if mood(state) == "bad" else "",
        "compared": str(row.get("compared") or ""),
        "attachments": [
            (f"{quote(str(row['name']))}/attachments/{quote(a['file'])}", a["title"])
            for a in twin.get("attachments", ())
        ],
        "origin": ", ".join(
            f"{words} {provenance[key]}"
            for key, words in (("data_fingerprint", "data"), ("effort", "effort"), ("seed", "seed"))
            if provenance.get(key) not in (None, "")
        ),
    }


def _final(card: Mapping[str, Any]) -> dict[str, str] | None:
    """Return where the final report is and what it says first, if this analysis left one."""
    made = [pair for pair in card["attachments"] if pair[0].endswith(f"/{FINAL_PAGE}")]
    if not made or mood(card["state"]) == "bad":
        return None
    href, title = made[0]
    return {"href": href, "title": title, "said": next(iter(card["headlines"]), "")}


def _facts(row: Mapping[str, Any]) -> list[str]:
    facts = [f"{row['seconds']:.1f} s"] if row.get("seconds") else []
    facts += [f"{row['peak_mb']:,.0f} MB"] if row.get("peak_mb") else []
    return facts + ([f"{row['cells']} cells"] if row.get("cells") else [])


def _when(record: Path) -> list[str]:
    """Return the local time at which an analysis last ended."""
    if not record.is_file():
        return []
    ended = datetime.fromtimestamp(record.stat().st_mtime).astimezone()
    return [f"{ended:%Y-%m-%d %H:%M}"]


def _warnings(twin: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    sections = twin.get("sections", ())
    return [e for section in sections for e in section["entries"] if e["kind"] == "warning"]


def _full_error(result: Mapping[str, Any]) -> str:
    failure = result.get("failure") or {}
    return ANSI.sub("", str(failure.get("traceback") or result.get("traceback") or "")).strip()


def _link_neighbours(folder: Path, cards: Sequence[Mapping[str, Any]]) -> None:
    """Put links to the previous and the next analysis into each page; only to pages there are."""
    template = _environment().get_template("neighbours.html.j2")
    for i, card in enumerate(cards):
        path = folder / card["name"] / "page.html"
        links = template.render(
            previous=cards[i - 1] if i else None,
            following=cards[i + 1] if i + 1 < len(cards) else None,
        )
        before = path.read_text(encoding="utf-8")
        after = _NEIGHBOURS.sub(links.replace("\\", r"\\"), before, count=1)
        if after != before:
            write_text(path, after)


def mood(state: str) -> str:
    """Return the colour of a state: "good", "idle" or "bad".

    Examples
    --------
    >>> mood("unchanged"), mood("not run"), mood("timed out")
    ('good', 'idle', 'bad')
    """
    return "good" if state in GOOD else "idle" if state in IDLE else "bad"


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
