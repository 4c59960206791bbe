"""The final report: checked inputs become chapters, chapters become a page and a Markdown file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.config import Config
from lib.data.dataset import Dataset
from lib.data.split import read_openings
from lib.errors import InputError
from lib.report.final import cards, checklists, glossary, story, summary
from lib.report.final.facts import Facts
from lib.report.final.figures import WIDTHS, Pictures
from lib.report.final.inputs import Inputs, read_inputs
from lib.report.final.parts import Block, Chapter, Line, Part, paragraph, words
from lib.report.final.render import render_html, render_markdown

LARGEST = 2_000_000  # bytes of the page
NOT_UPDATED = "None: the champion was named before the test set was opened."
UPDATED = "The test set was opened for several champions: the last was not named without it."
OUTPUTS = {
    "binary": "It gives each row a probability of {catalogue.positive}, between zero and one.",
    "multiclass": "It gives each row a probability of every class of {catalogue.target}.",
    "regression": "It gives each row a value of {catalogue.target}.",
}


@dataclass(frozen=True)
class Report:
    """The finished report.

    Attributes
    ----------
    html, markdown : str
        The page, self-contained, and the same as text.
    problems : list of str
        Why it is a draft; empty for a complete one.
    counts : mapping of str to int
        Items answered, warnings carried, values traced.
    decision : str
        The first sentence.
    key_figures : list of dict
        What the summary rests on: figure, value, found in.
    """

    html: str = field(repr=False)
    markdown: str = field(repr=False)
    problems: list[str]
    counts: Mapping[str, int]
    decision: str
    key_figures: list[dict[str, str]]

    @property
    def is_draft(self) -> bool:
        """Whether something is missing, stale or edited."""
        return bool(self.problems)


def check_inputs(config: Config, dataset: Dataset, *, draft: bool = False) -> Inputs:
    """Return the earlier analyses, or refuse.

    Parameters
    ----------
    config : Config
        The choices of the study.
    dataset : Dataset
        The table as it is now.
    draft : bool, default=False
        True accepts what is wrong; the report then carries it on its front.

    Returns
    -------
    Inputs
        In order of their numbers.

    Raises
    ------
    InputError
        One sentence per input that is missing, failed, edited or stale: which, why, and the
        command that makes it.
    """
    inputs = read_inputs(config, dataset=dataset.name, fingerprint=dataset.fingerprint)
    if inputs.problems and not draft:
        listed = "\n".join(f"- {problem}" for problem in inputs.problems)
        msg = (
            f"The report is not made, as {len(inputs.problems)} of its {len(inputs.by_number)} "
            f"inputs do not hold:\n{listed}\n"
            f"`{inputs.command}` runs what is needed first; --draft makes it as it is, marked."
        )
        raise InputError(msg)
    return inputs


def make_report(inputs: Inputs, dataset: Dataset, config: Config) -> Report:
    """Return the report on a study.

    Parameters
    ----------
    inputs : Inputs
        From `check_inputs`.
    dataset : Dataset
        For what the catalogue says of the table.
    config : Config
        The choices of the study.

    Returns
    -------
    Report
        A draft when an input does not hold.

    Notes
    -----
    Figures are made smaller until the page has at most 2 MB; at last links take their place.
    """
    for width in WIDTHS:
        report = _make(inputs, dataset, config, width)
        if len(report.html.encode()) <= LARGEST:
            break
    return report


def _make(inputs: Inputs, dataset: Dataset, config: Config, width: int) -> Report:
    facts = Facts(inputs, _given(inputs, dataset, config))
    here = dict(facts.given["here"])
    here["n_warnings"] = story.n_warnings(facts)
    line = facts.say(OUTPUTS[dataset.task])
    here["output"] = "".join(part.text for part in line) if line else ""
    facts = Facts(inputs, {**facts.given, "here": here})
    pictures = Pictures(inputs, width)
    first = summary.executive_summary(facts, pictures)
    chapters = [first, *(story.tell(question, facts, pictures) for question in story.QUESTIONS)]
    chapters.append(story.limitations(facts, illustrative=summary.is_illustrative(facts)))
    chapters += [cards.model_card(facts), cards.data_sheet(facts)]
    counts: dict[str, int] = {}
    for name, title in (("reforms", "REFORMS"), ("tripod", "TRIPOD+AI")):
        answers = checklists.answer(name, facts, task=dataset.task)
        counts |= {f"{name}_{state}": n for state, n in checklists.count(answers).items()}
        chapters.append(_checklist(name, title, answers))
    chapters.append(Chapter("provenance", "Where every number comes from", _provenance(facts)))
    terms = glossary.used_terms(chapters)
    chapters = glossary.link_terms(chapters, terms)
    chapters.append(Chapter("glossary", "Words explained", [glossary.glossary(terms)]))
    counts["n_warnings"] = here["n_warnings"]
    counts["n_traced"] = facts.n_traced()
    counts["n_inputs"] = sum(1 for given in inputs if given.twin)
    counts["n_problems"] = len(inputs.problems)
    counts["n_champions"] = facts.given["ledger"]["n_champions"]
    title = f"Final report: {dataset.target}, {dataset.name}"
    about = _about(facts)
    return Report(
        html=render_html(title, about, chapters, inputs.problems),
        markdown=render_markdown(title, about, chapters, inputs.problems),
        problems=inputs.problems,
        counts=counts,
        decision="".join(part.text for part in first.blocks[0].lines[0]),
        key_figures=summary.key_figures(facts),
    )


def _given(inputs: Inputs, dataset: Dataset, config: Config) -> dict[str, dict[str, Any]]:
    """Return what is known besides the findings: catalogue, choices, provenance."""
    from lib.evaluation import scorers  # noqa: PLC0415 - imports scikit-learn

    made = [given.provenance for given in inputs if given.twin]
    latest = made[-1] if made else {}
    metrics = scorers(dataset.task)
    chosen = _first(inputs, ("32", "30", "11"), "metric")
    sensitive = ", ".join(dataset.labels.get(name, name) for name in dataset.sensitive)
    catalogue = {
        "description": " ".join(dataset.description.split()),
        "licence": dataset.licence,
        "source": dataset.source.rstrip("."),
        "target": dataset.target,
        "task": {
            "binary": "two classes",
            "multiclass": "several classes",
            "regression": "a number",
        }[dataset.task],
        "positive": f"{dataset.target} = {dataset.positive_label}"
        if dataset.task == "binary"
        else "",
        "groups": str(dataset.groups.name) if dataset.groups is not None else "none named",
        "time": str(dataset.time.name) if dataset.time is not None else "none named",
        "sensitive": sensitive or "none named",
        "rule": dataset.rule.words if dataset.rule else "",
        "n_rows": dataset.n_rows,
        "n_features": dataset.n_features,
    }
    packages = {name: v for p in made for name, v in (p.get("packages") or {}).items()}
    run = {
        "git_commit": str(latest.get("git_commit") or "")[:12],
        "python": latest.get("python", ""),
        "packages": ", ".join(f"{name} {v}" for name, v in sorted(packages.items())),
        "data_fingerprint": dataset.fingerprint,
        "dataset": dataset.name,
    }
    study = {"seed": config.seed, "effort": config.effort, "confidence": f"{config.confidence:.0%}"}
    here = {
        "metric": metrics[chosen].label if chosen in metrics else chosen,
        "currency": _first(inputs, ("31",), "currency") or dataset.currency,
    }
    n_champions = count_champions(inputs.folder, dataset.fingerprint)
    here["updating"] = UPDATED if n_champions > 1 else NOT_UPDATED
    ledger = {"n_champions": n_champions}
    return {"catalogue": catalogue, "run": run, "study": study, "here": here, "ledger": ledger}


def count_champions(folder: Path, fingerprint: str) -> int:
    """Return for how many champions the test set was opened so far.

    Parameters
    ----------
    folder : Path
        Reports of the dataset.
    fingerprint : str
        Of the whole table.

    Returns
    -------
    int
        More than one means that the last was not chosen without the test set.
    """
    return len({str(opening["champion"]) for opening in read_openings(folder, fingerprint)})


def _first(inputs: Inputs, numbers: Sequence[str], name: str) -> str:
    for number in numbers:
        value = inputs.by_number[number].twin.get("values", {}).get(name)
        if value is not None:
            return str(value["value"])
    return ""


def _about(facts: Facts) -> list[Line]:
    """Return the lines below the title."""
    return facts.all_of(
        "{catalogue.description}",
        "Dataset {run.dataset}, data {run.data_fingerprint}, {study.effort} effort, seed "
        "{study.seed}, commit {run.git_commit}",
    )


def _checklist(name: str, title: str, answers: list[checklists.Answer]) -> Chapter:
    counted = checklists.count(answers)
    said = ", ".join(
        f"{n} {word}"
        for word, n in (
            ("answered from the record", counted["answered"]),
            ("answered in part", counted["partly"]),
            ("open for the authors", counted["open"]),
        )
    )
    source = {
        "reforms": "Kapoor et al. (2024), Science Advances",
        "tripod": "Collins et al. (2024), BMJ",
    }[name]
    intro = (
        Part(f"{said}. "[0].upper() + f"{said}. "[1:], "count", kind="label"),
        Part("Items in short words of our own, after "),
        Part(source, "literature", kind="label"),
        Part("."),
    )
    return Chapter(name, f"{title} checklist", [paragraph(intro), checklists.tabulate(answers)])


def _provenance(facts: Facts) -> list[Block]:
    """Return the table of runs, and how to read a number's source."""
    intro = words(
        "Every number above is a link: to the section of the page where it was found. The pages "
        "are runs of scripts; this is where each comes from."
    )
    header = ["Page", "State", "Run", "Commit", "Data", "Seed", "Effort"]
    rows: list[list[Line]] = []
    for given in facts.inputs:
        made = given.provenance
        changed = "*" if made.get("git_dirty") else ""
        cells = [
            (given.state, "label"),
            (given.run_id or "not tracked", "code"),
            (str(made.get("git_commit") or "none")[:12] + changed, "code"),
            (str(made.get("data_fingerprint", "")), "code"),
            (str(made.get("seed", "")), "label"),
            (str(made.get("effort", "")), "label"),
        ]
        source = f"manifest {given.number}"
        parts = [(Part(cell, source, kind=kind),) for cell, kind in cells]
        rows.append([(facts.link(given.number),), *parts])
    table = Block("table", header=header, rows=rows, tone="provenance")
    also = facts.all_of("Python {run.python}; {run.packages}.")
    return [paragraph(intro), table, *(paragraph(line) for line in also)]
