"""The first page: what to do, on what conditions, and what would change it."""

from __future__ import annotations

from lib.estimates import Estimate
from lib.evaluation import SAME
from lib.report.final.facts import Facts, plain
from lib.report.final.figures import Pictures
from lib.report.final.inputs import NAMES
from lib.report.final.parts import Block, Chapter, Line, Part, bullets, heading, paragraph, words

BY_CHANCE = ", which chance alone could make"


def executive_summary(facts: Facts, pictures: Pictures) -> Chapter:
    """Return the chapter from which a reader with ten minutes can decide."""
    chapter = Chapter("summary", "The decision in short")
    chapter.blocks.append(_decision(facts))
    chapter.blocks.append(bullets(_conditions(facts)))
    chapter.blocks += _tiles(facts)
    policies = pictures.find("31", "polic") if facts.raw("31", "decision") else None
    chapter.blocks += [policies] if policies else []
    for title, lines in (
        ("The model, and why this one", _model(facts)),
        ("On rows nobody had seen", _unseen(facts)),
        ("The data", _data(facts)),
        ("What was asked, and what came out", _asked(facts)),
        ("What would change the decision", _changes(facts)),
    ):
        chapter.blocks.append(heading(title))
        chapter.blocks.append(bullets(lines))
    return chapter


ACT = "act with the model"  # how 31 says so
KEY_FIGURES = {
    "the decision": "31.decision",
    "policy to use": "31.best_policy",
    "net benefit per thousand rows": "31.net_benefit",
    "gain over the policy without the model": "31.gain_over_default_policy",
    "champion": "32.champion",
    "its score in cross-validation": "32.champion_score",
    "its lead over the runner-up": "32.gain_over_runner_up",
    "its score on unseen rows": "30.test_score",
    "score without any column": "32.floor",
    "calibration slope": "30.calibration_slope",
    "coverage": "30.coverage",
    "covered least": "30.least_covered",
    "weakest segment": "30.weakest_segment",
    "parts that differ": "30.differing",
    "what was asked first": "20.decision",
}


def key_figures(facts: Facts) -> list[dict[str, str]]:
    """Return the recorded values that the summary rests on, as rows of a table."""
    return [
        {"figure": figure, "value": plain(line), "found in": name.partition(".")[0]}
        for figure, name in KEY_FIGURES.items()
        if (line := facts.say("{" + name + "}")) is not None and plain(line)
    ]


def is_illustrative(facts: Facts) -> bool:
    """Say whether gains were made up by the study because nobody gave any."""
    return bool(facts.raw("31", "gains_origin") == "illustrative")


def _decision(facts: Facts) -> Block:
    decision = str(facts.raw("31", "decision") or "")
    if not decision:
        return paragraph(_missing(facts, "31", "No decision yet"), tone="open")
    end = ", if gains and costs were as illustrated." if is_illustrative(facts) else "."
    templates = ["{31.decision}" + end]
    if decision.startswith("not distinguishable"):  # what to do comes first
        templates.insert(0, "{31.best_policy}, for now: the model is {31.decision}" + end)
    first, *others = facts.first(*templates)[0]
    capital = Part(first.text[:1].upper() + first.text[1:], *_rest(first))
    tone = "decision" if _acts(facts) and not is_illustrative(facts) else "decision other"
    return paragraph((capital, *others), tone=tone)


def _acts(facts: Facts) -> bool:
    return str(facts.raw("31", "decision")).startswith(ACT)


def _rest(part: Part) -> tuple[str, str, str, str]:
    return part.source, part.href, part.kind, part.hint


def _missing(facts: Facts, number: str, what: str) -> Line:
    link = facts.link(number)
    state = facts.inputs.by_number[number].state
    return (Part(f"{what}: "), link, Part(f" is {state}."))


def _conditions(facts: Facts) -> list[Line]:
    """Return what the decision rests on: its reason, the amounts, the assumptions."""
    lines = facts.quote("31", "decision")
    if not _acts(facts):
        lines += facts.all_of("The policy to use: {31.best_policy}.")
    rule = "The model's rule" if _acts(facts) else "The model's rule would be"
    lines += facts.all_of(
        rule + ": {31.rule}. It was learned on training rows.",
        "To act on a row (to treat it) is to do what one does for {31.acted_on}.",
    )
    lines += facts.all_of("Today's policy, without a model: {31.today}.")
    lines += facts.first(
        "Acting by the model's rule brings {31.net_benefit} {here.currency} per thousand rows; "
        "against what it would replace, {31.default_policy}, {31.gain_over_default_policy}"
        f"{_beyond_chance(facts, '31', 'gain_over_default_policy')}.",
        "Acting by the model's rule brings {31.net_benefit} {here.currency} per thousand rows; "
        "against the policy without this model {31.gain_over_default_policy}"
        f"{_beyond_chance(facts, '31', 'gain_over_default_policy')}.",
        "Acting by the model's rule brings {31.net_benefit} {here.currency} per thousand rows.",
    )
    if "lower" in str(facts.raw("30", "verdict")):
        lines += facts.all_of("Beware: the score on rows nobody had seen is {30.verdict}.")
    if is_illustrative(facts):
        lines.insert(
            1,
            (
                Part("Condition", kind="strong"),
                *words(
                    ": the gains and costs behind this are illustrative, as the catalogue gives "
                    "none. Give real ones before anybody acts on it."
                ),
            ),
        )
    elif facts.raw("31", "gains_origin"):
        lines += facts.first(
            "Conditions: {31.conditions}.",
            "Condition: the gains and costs hold as given in the {31.gains_origin}; {page.31} "
            "varies them.",
        )
    return lines


def _tiles(facts: Facts) -> list[Block]:
    """Return the few figures that matter most, large."""
    wanted = (
        ("Score on unseen rows", "30.test_score", "{here.metric}"),
        ("Ignoring every column", "32.floor", "{here.metric}"),
        ("Net benefit per thousand rows", "31.net_benefit", "{here.currency}"),
        ("Rows nobody had seen", "30.n_test", "{page.30}"),
    )
    lines: list[Line] = []
    for label, name, remark in wanted:
        line, below = facts.say("{" + name + "}"), facts.say(remark)
        if line is None:
            continue
        number, _, key = name.partition(".")
        value = facts.raw(number, key)
        large, small = line[0].text, ""
        if isinstance(value, Estimate) and value.has_interval:
            large, _, small = large.partition(" ")
        source = _rest(line[0])
        lines += [
            (Part(label),),
            (Part(large, *source),),
            (*((Part(f"{small} ", *source),) if small else ()), *(below or ())),
        ]
    return [Block("tiles", lines)] if lines else []


def _beyond_chance(facts: Facts, number: str, name: str) -> str:
    """Return words on an interval that holds zero."""
    value = facts.raw(number, name)
    if (
        not isinstance(value, Estimate)
        or not value.has_interval
        or not value.low <= 0 <= value.high
    ):
        return ""
    return BY_CHANCE


def _model(facts: Facts) -> list[Line]:
    number = str(facts.raw("32", "champion_analysis") or "")[:2]
    origin = "{page." + number + "}" if number in NAMES else "{32.champion_analysis}"
    lines = facts.all_of(
        "{32.champion}, from "
        + origin
        + ": the champion of {32.n_candidates} candidates on the same "
        "folds ({page.32}).",
        "The rule that chose it, fixed beforehand: {32.rule}.",
        "It was chosen as {32.reason}.",
        "In cross-validation it scores {32.champion_score} ({here.metric}); a model that ignores "
        "every column scores {32.floor}.",
        "Candidates that no test tells from the best: {32.n_indistinguishable}.",
    )
    if facts.raw("32", "runner_up"):
        by_chance = _beyond_chance(facts, "32", "gain_over_runner_up")
        if facts.raw("32", "verdict") == SAME:  # after Holm: stricter than the interval
            by_chance = BY_CHANCE
        lines += facts.all_of(
            f"Its lead over the runner-up, {{32.runner_up}}: {{32.gain_over_runner_up}}{by_chance}."
        )
    if lines:
        return lines
    best = facts.all_of(
        "The best baseline so far: {11.best}, {11.best_score} ({here.metric}); ignoring every "
        "column scores {11.floor}."
    )
    return [_missing(facts, "32", "No champion yet"), *best]


def _unseen(facts: Facts) -> list[Line]:
    lines = facts.all_of(
        "On {30.n_test} rows of the locked test set it scores {30.test_score}; cross-validation "
        "had promised {30.cv_score}.",
        "What the test set says of that promise: {30.verdict}.",
    )
    behind = "; no reason to change: nothing is chosen by what the test set says"
    behind = behind if str(facts.raw("30", "beats_runner_up")) == "worse" else ""
    lines += facts.all_of(
        "Against the runner-up, {30.runner_up}, on these rows: {30.gain_on_test}, "
        "{30.beats_runner_up}" + behind + ".",
        "Calibration of its probabilities: {30.calibration} (slope {30.calibration_slope}, "
        "intercept {30.calibration_intercept}, mean error (ECE) {30.ece}).",
        "Its ranges and sets hold the truth in {30.coverage} of the rows (conformal coverage); the "
        "part that is covered least: {30.least_covered}.",
        "Segments that are weak beyond chance: {30.n_weak_segments}. {30.weakest_segment}.",
        "Parts by {30.compared_by} that differ beyond chance: {30.differing}.",
    )
    if facts.given["ledger"]["n_champions"] > 1:
        lines += facts.all_of(
            "Beware: the test set was opened for {ledger.n_champions} champions, so the last of "
            "them was not chosen without it; its score flatters."
        )
    return lines or [_missing(facts, "30", "The test set is still locked")]


def _data(facts: Facts) -> list[Line]:
    return facts.all_of(
        "{catalogue.description}",
        "To learn from: {01.data}. Locked away: {catalogue.rule}.",
        "Checks of quality found {02.n_errors} errors and {02.n_warnings} warnings; the leak audit "
        "raised {02.n_leaks} ({page.02}).",
        "Columns with missing values: {01.n_gaps} ({page.01}).",
        "Cells and rows that loading repaired: {01.n_repairs} ({page.01}).",
        "Cells that loading kept but doubts: {01.n_noticed} ({page.01}).",
    )


def _asked(facts: Facts) -> list[Line]:
    return facts.all_of(
        "Asked: {20.question}",
        "The rule, written down before any model was fitted: {20.rule}.",
        "Answer on the first comparison: {20.decision}.",
        "Answer after all candidates: {32.decision_of_20}.",
    )


def _changes(facts: Facts) -> list[Line]:
    lines = facts.all_of(
        "Other gains or costs. Nearest break-even: {31.break_even} ({page.31}).",
        "The model is ahead of {31.against} in {31.share_ahead:.0%} of scenarios in which gains "
        "are off by up to {31.uncertainty:.0%}.",
        "If its lead is real, about {31.n_needed} test rows would show it in four of five studies.",
    )
    if is_illustrative(facts):
        lines.append(words("Real gains and costs in place of the illustrative ones."))
    lines += facts.all_of(
        "More rows: to show a gain of {20.effect} between two models, a test set needs "
        "{20.rows_needed:,.0f} rows; this one has {20.n_test} and can show {20.test_detectable}.",
        "Rows from another place or time, on which the score differs from {30.test_score}.",
        "A closer look at the warnings that this report carries: {here.n_warnings}.",
    )
    return lines
