"""Plain words for the terms of the trade; the report explains those that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lib.report.final.facts import plain
from lib.report.final.parts import TEXT, Block, Chapter, Line, Part, lines_of

# term → (how it is found in a text, what it means)
TERMS: dict[str, tuple[str, str]] = {
    "average precision": (
        r"average precision|PR AUC",
        "how pure the alarms are, averaged over all thresholds; a model that guesses scores the "
        "share of the positive class",
    ),
    "baseline": (r"baselines?", "a simple model that others have to beat"),
    "boosting": (
        r"boosting|LightGBM",
        "a model made of many small decision trees, each mending what the earlier ones got wrong",
    ),
    "bootstrap": (
        r"bootstrap",
        "drawing rows again and again, with replacement, to see how much a figure varies by chance",
    ),
    "break-even": (
        r"break[- ]even", "the point at which acting costs as much as it brings"
    ),
    "Brier score": (
        r"Brier", "the mean squared difference between a probability and what happened; less is better"
    ),
    "calibration": (
        r"calibrat\w+",
        "whether probabilities mean what they say: of the cases given a chance of one in ten, one in "
        "ten should happen; a slope of one and an intercept of zero are ideal",
    ),
    "champion": (r"champion", "the model that the study's rule chose, before the test set was opened"),
    "confidence interval": (
        r"interval|in brackets",
        "the range in square brackets: values that are plausible, given the rows there are; wide "
        "means little is known",
    ),
    "conformal": (
        r"conformal|coverage|covers",
        "a way to give every prediction a set or a range that holds the truth as often as promised; "
        "coverage is how often it did",
    ),
    "cross-validation": (
        r"cross-validat\w+|folds?\b|out[- ]of[- ]fold",
        "the training rows are cut into parts (folds); each part in turn is predicted by a model "
        "that learned from the others",
    ),
    "data leak": (
        r"leak\w*",
        "a column or a row that tells a model the answer, as it will not in use",
    ),
    "dummy": (r"dummy", "a model that ignores all columns: the least that any model has to beat"),
    "ECE": (
        r"\bECE\b|expected calibration error",
        "expected calibration error: how far probabilities lie from what happened, on average",
    ),
    "effort": (r"effort", "how much work the study does, in counts: quick, standard or thorough"),
    "ensemble": (r"ensembles?", "several models that answer together"),
    "expected value of a policy": (r"polic(?:y|ies)", "a rule for whom to act on"),
    "fingerprint": (r"fingerprint", "a short code that changes when the contents change"),
    "group": (r"groups?\b", "rows of one person or thing, which never stand on both sides of a split"),
    "Holm": (r"\bHolm\b", "a correction for making many tests, so that chance is not taken for a finding"),
    "log loss": (
        r"log loss", "how surprised a model is by what happens; less is better (negated: more is better)"
    ),
    "macro F1": (r"\bF1\b", "a mean of how many alarms are right and how many cases are found"),
    "MAE, RMSE": (
        r"\b(?:MAE|RMSE)\b|mean absolute error|root mean squared error",
        "the typical size of an error, in units of the target; RMSE weighs large errors more",
    ),
    "net benefit": (
        r"net benefit", "what acting brings minus what it costs, in money"
    ),
    "null hypothesis test": (
        r"\bp-values?\b|\(p [\d<]|\bp [\d<]",
        "p is how often chance alone would look like this; q is the same after correcting for many "
        "questions",
    ),
    "R²": (r"R²", "the share of the target's variation that a model predicts: one is all, zero none"),
    "recipe": (r"recipes?\b", "which columns are made from the raw ones before a model learns"),
    "regularised linear model": (
        r"\blinear\b|logistic regression", "a formula that adds up columns with fixed weights"
    ),
    "ROC AUC": (
        r"ROC AUC|roc_auc",
        "the chance that a model ranks a random positive case above a random negative one; a half is "
        "guessing, one is perfect",
    ),
    "ROI": (r"\bROI\b|return on investment", "what is gained for each unit spent, in percent"),
    "seed": (r"\bseeds?\b", "the number that fixes every random draw, so that a run repeats"),
    "segment": (r"segments?\b|subgroups?\b", "a part of the rows, such as an age group"),
    "SHAP": (r"\bSHAP\b|TreeSHAP|contributions?\b", "how far each column pushed one prediction up or down"),
    "standard error rule": (
        r"one[- ]standard[- ]error",
        "of all models as good as the best give or take chance, take the simplest",
    ),
    "test set": (
        r"test set|test rows",
        "rows locked away before any model was made, and looked at once at the end",
    ),
    "threshold": (r"thresholds?\b", "the probability from which one acts"),
    "tuning": (r"tun(?:ed|ing)|hyperparameters?", "searching the settings of a model"),
}


def used_terms(chapters: Sequence[Chapter]) -> list[str]:
    """Return the terms that occur in the chapters, in alphabetical order."""
    everything = " ".join(
        [
            *(plain(line) for line in lines_of(chapters)),
            *(block.title for chapter in chapters for block in chapter.blocks),
            *(cell for chapter in chapters for block in chapter.blocks for cell in block.header),
        ]
    )
    return [t for t, (how, _) in TERMS.items() if re.search(how, everything, flags=re.IGNORECASE)]


def glossary(terms: Iterable[str]) -> Block:
    """Return the list of definitions."""
    rows = [
        [(Part(term, "label", kind="label"),), (Part(TERMS[term][1]),)]
        for term in sorted(terms, key=str.lower)
    ]
    return Block("definitions", rows=rows)


def anchor_of(term: str) -> str:
    """Return the id of a term's definition."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower().replace("²", "2")).strip("-")


def link_terms(chapters: Sequence[Chapter], terms: Sequence[str]) -> list[Chapter]:
    """Return the chapters with the first occurrence of each term linked to its definition.

    Parameters
    ----------
    chapters : sequence of Chapter
        Only the report's own words are searched; recorded sentences stay as they are.
    terms : sequence of str
        Those of the glossary.

    Returns
    -------
    list of Chapter
        New ones.
    """
    waiting = dict.fromkeys(terms)

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
            if (match := re.search(TERMS[term][0], rest, flags=re.IGNORECASE))
        ]
        if not found:
            break
        start, term, match = min(found, key=lambda item: item[0])
        if start:
            yield Part(rest[:start])
        del waiting[term]
        href = f"#{anchor_of(term)}"
        yield Part(match.group(), "", href, "term", TERMS[term][1])
        rest = rest[match.end() :]
    if rest:
        yield Part(rest)
