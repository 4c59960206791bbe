"""The middle of the report: one chapter per question, told by what the analyses concluded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lib.report.final.facts import Facts
from lib.report.final.figures import Pictures
from lib.report.final.parts import (
    Block,
    Chapter,
    Line,
    Part,
    bullets,
    heading,
    paragraph,
    with_code,
    words,
)

# Words of a verdict that leaves a question open.
UNDECIDED = re.compile(r"not distinguishable|undecided|cannot be told|not enough|cannot be judged")
MOST_UNDECIDED = 10


@dataclass(frozen=True)
class Question:
    """One chapter: which analyses answer it, with which figures and tables.

    Attributes
    ----------
    figures, tables : tuple of (number, words)
        Words of the cell or of the table's title, the preferred first, apart by "|".
    """

    anchor: str
    title: str
    intro: str
    numbers: tuple[str, ...]
    figures: tuple[tuple[str, str], ...] = ()
    tables: tuple[tuple[str, str], ...] = ()


QUESTIONS = (
    Question(
        "asked",
        "What was asked?",
        "A question, a metric and a rule were written down before any model was fitted, so that "
        "nobody could choose the question to fit the answer.",
        ("20",),
        figures=(("20", "Learning curves"),),
    ),
    Question(
        "data",
        "What are the data?",
        "These pages look at the training rows only. The locked rows take part once, at the end.",
        ("01", "02", "03"),
        figures=(("01", "The table at a glance"), ("01", "Every feature against the target")),
    ),
    Question(
        "models",
        "Which models were tried?",
        "All candidates are scored on the same folds. A model that ignores every column is the "
        "floor, a formula that can be read the usual place to start.",
        ("10", "11", "12", "21", "22", "23"),
        figures=(("11", "Draw the scores"), ("23", "Combine|Score against time")),
    ),
    Question(
        "choice",
        "Which one was chosen, and why?",
        "The rule was fixed beforehand. Where tests cannot tell candidates apart, the simpler one "
        "is preferred over the luckier one.",
        ("32",),
        figures=(("32", "against the best|candidate"), ("32", "score, time|front|rank")),
        tables=(("32", "level with|verdict|champion|candidates"),),
    ),
    Question(
        "unseen",
        "How well does it predict rows nobody had seen?",
        "The test set is opened once, for the champion. Nothing is chosen by what it says.",
        ("30",),
        figures=(("30", "calibration|reliability|residual|predicted"), ("30", "curve|ROC|segment")),
        tables=(("30", "metric|score"), ("30", "segment")),
    ),
    Question(
        "learned",
        "What has the model learned?",
        "Importance is not cause: a column may stand for another one that is not in the table.",
        ("13",),
        figures=(("13", "A point a row|Contributions"),),
    ),
    Question(
        "money",
        "What is it worth?",
        "A rule for decisions is learned on training rows and priced on the locked ones, beside "
        "policies that need no model.",
        ("31",),
        figures=(
            ("31", "polic|threshold|profit|cost"),
            ("31", "one gain at a time|tornado|decision curve"),
        ),
        tables=(("31", "net benefit|polic"),),
    ),
)


def tell(question: Question, facts: Facts, pictures: Pictures) -> Chapter:
    """Return the chapter of a question.

    Parameters
    ----------
    question : Question
        One of `QUESTIONS`.
    facts : Facts
        What was recorded.
    pictures : Pictures
        The figures of executed notebooks.

    Returns
    -------
    Chapter
        A missing analysis leaves a note in its place.
    """
    chapter = Chapter(question.anchor, question.title, [paragraph(words(question.intro))])
    for number in question.numbers:
        given = facts.inputs.by_number[number]
        if len(question.numbers) > 1:
            chapter.blocks.append(Block("heading", [(facts.link(number),)], title=given.title))
        if not given.twin:
            chapter.blocks.append(_absent(facts, number))
            continue
        chapter.blocks.append(bullets(facts.conclusion(number), tone="quoted"))
        chapter.blocks += _tables(question, facts, number)
        chapter.blocks += _figures(question, pictures, number)
        if len(question.numbers) == 1:
            chapter.blocks.append(
                paragraph((Part("The whole page: "), facts.link(number)), tone="more")
            )
    return chapter


def limitations(facts: Facts, *, illustrative: bool) -> Chapter:
    """Return the chapter on what the study does not know: warnings, open verdicts, one source."""
    chapter = Chapter("limitations", "Limitations")
    chapter.blocks.append(
        paragraph(
            words(
                "Computed from the record: every warning of every page, and every question that "
                "the tests left open."
            )
        )
    )
    general = facts.all_of(
        "All rows come from one source ({catalogue.source}); nothing here shows how the model does "
        "elsewhere.",
        "Segments: {30.weakest_segment}.",
        "The locked rows cannot show differences below {20.test_detectable}.",
    )
    if facts.given.get("ledger", {}).get("n_champions", 0) > 1:
        general += facts.all_of(
            "The test set was opened for {ledger.n_champions} champions; its score flatters the "
            "last."
        )
    if facts.given.get("study", {}).get("effort") == "quick":
        general += facts.all_of(
            "Made at {study.effort} effort, with fewer folds, rows and trials: intervals are wide "
            "and tests weak. Run the study at standard effort before acting on it."
        )
    if illustrative:
        general.append(words("Gains and costs are illustrative; so is every amount of money."))
    general += [with_code(note, "manifest") for note in facts.inputs.notes]
    chapter.blocks.append(bullets(general))
    chapter.blocks.append(heading("Warnings of the pages"))
    rows: list[Sequence[Line]] = [
        [(facts.link(given.number),), line]
        for given in facts.inputs
        for line in facts.warnings(given.number)
    ]
    if rows:
        chapter.blocks.append(
            Block("table", header=["Page", "Warning"], rows=rows, tone="warnings")
        )
    else:
        chapter.blocks.append(paragraph(words("No page raised a warning.")))
    undecided = _undecided(facts)
    if undecided:
        chapter.blocks.append(heading("What the tests could not decide"))
        chapter.blocks.append(bullets(undecided, tone="quoted"))
    return chapter


def n_warnings(facts: Facts) -> int:
    """Return how many warnings the pages raised."""
    return sum(len(given.twin.get("warnings", ())) for given in facts.inputs)


def _undecided(facts: Facts) -> list[Line]:
    found = [
        line
        for given in facts.inputs
        for line in facts.conclusion(given.number)
        if UNDECIDED.search(line[0].text)
    ]
    return found[:MOST_UNDECIDED]


def _absent(facts: Facts, number: str) -> Block:
    problem = " ".join(facts.inputs.by_number[number].problems)
    return paragraph(with_code(problem, number), tone="open")


def _tables(question: Question, facts: Facts, number: str) -> list[Block]:
    made = [facts.table(n, *t.split("|")) for n, t in question.tables if n == number]
    kept: dict[str, Block] = {block.title: block for block in made if block is not None}
    return list(kept.values())


def _figures(question: Question, pictures: Pictures, number: str) -> list[Block]:
    made = [pictures.find(n, *t.split("|")) for n, t in question.figures if n == number]
    return [block for block in made if block is not None]
