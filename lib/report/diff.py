"""What changed between two sets of findings, in words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from lib.report.parse import (
    Findings,
    ShownTable,
    ShownValue,
    last_place,
    parse_findings,
    parse_number,
)
from lib.report.record import INTERVAL_SHARES, TOLERANCES
from lib.report.text import format_value

Same = Callable[[str, str], bool]
_SHOWN = r"(?:[-+]?(?:\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?|∞)|\bn/a\b)"
_NUMBER = re.compile(_SHOWN)
_ESTIMATE = re.compile(rf"({_SHOWN}) \[({_SHOWN}), ({_SHOWN})\]")
SIMILAR = 0.6  # share of common characters from which a sentence counts as reworded


def diff(old: str, new: str) -> list[str]:
    r"""Return what changed between two findings files, one sentence each.

    Parameters
    ----------
    old, new : str
        Markdown as the record writes it.

    Returns
    -------
    list of str
        Empty when nothing changed.

    Examples
    --------
    >>> head = "# T\n\n## Values\n\n| name | value | low | high | kind |\n"
    >>> diff(head + "| n | 14,266 | | | count |", head + "| n | 14,000 | | | count |")
    ['n 14,266 → 14,000']
    """
    if old == new:
        return []
    return _describe(parse_findings(old), parse_findings(new), lambda _: _same_text) or [
        "the same findings and values in another order or layout"
    ]


def diff_beyond_tolerance(
    committed: str,
    run: str,
    values: Mapping[str, Any],
    *,
    sections: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """Return what a run changed beyond what another machine may change.

    Numbers may differ by their tolerance class and by the rounding that follows from it; counts,
    words and choices may not.

    Parameters
    ----------
    committed, run : str
        Markdown of the committed findings and of the run.
    values : mapping
        The run's values with full precision, as in its `findings.json`.
    sections : sequence of mapping
        The run's sections from the same file: they know the tolerance of sentences and tables.

    Returns
    -------
    list of str
        Empty when they agree.
    """
    old, new = parse_findings(committed), parse_findings(run)
    for name, shown in new.values.items():
        before = old.values.get(name)
        if before is not None and name in values and _is_close(before, values[name]):
            new.values[name] = before
        else:
            new.values[name] = shown
    entries = [entry for section in sections for entry in section["entries"]]
    loose = {e["text"].removeprefix("Warning: ") for e in entries if _is_loose(e)}
    return _describe(old, new, lambda text: _same_by_interval if text in loose else _same_rounded)


def _is_loose(entry: Mapping[str, Any]) -> bool:
    return entry.get("tolerance") in INTERVAL_SHARES


def _is_close(committed: ShownValue, value: Mapping[str, Any]) -> bool:
    """Return whether a committed value is how the run's, give or take its tolerance, is shown."""
    if value["kind"] not in {"number", "estimate"} or value["kind"] != committed.kind:
        return False
    parts = ("value", "low", "high")
    shown = [getattr(committed, part) for part in parts]
    numbers = [math.nan if value[part] is None else float(value[part]) for part in parts]
    allowed = [abs(number) * TOLERANCES[value["tolerance"]] for number in numbers]
    width = numbers[2] - numbers[1]
    if value["tolerance"] in INTERVAL_SHARES:
        if math.isfinite(width):
            allowed = [width * INTERVAL_SHARES[value["tolerance"]]] * 3
        return all(map(_within, shown, (_show(number) for number in numbers), allowed))
    near = [
        {_show(n + sign * a) for sign in (-1, 0, 1)} for n, a in zip(numbers, allowed, strict=True)
    ]
    return all(text in texts for text, texts in zip(shown, near, strict=True))


def _show(number: float) -> str:
    return "" if math.isnan(number) else format_value(number)


def _within(old: str, new: str, allowed: float) -> bool:
    """Return whether two shown numbers differ by no more than allowed, or by one last unit."""
    if old == new:
        return True
    step = 1.01 * max(last_place(old), last_place(new))
    return abs(parse_number(old) - parse_number(new)) <= max(step, allowed)


def _describe(old: Findings, new: Findings, same_of: Callable[[str], Same]) -> list[str]:
    changed = {
        name: (old.values[name], new.values[name])
        for name in old.values
        if name in new.values and old.values[name] != new.values[name]
    }
    return [
        *_origin_changes(old, new),
        *(_value_change(name, *pair) for name, pair in changed.items()),
        *_name_changes("value", old.values, new.values),
        *_sentence_changes("warning", old.warnings, new.warnings, changed, same_of),
        *_sentence_changes("finding", old.findings, new.findings, changed, same_of),
        *_table_changes(old.tables, new.tables, same_of),
    ]


def _same_text(old: str, new: str) -> bool:
    return old == new


def _same_rounded(old: str, new: str) -> bool:
    """Return whether two texts are equal but for one unit in the last place of their numbers."""
    if old == new:
        return True
    before, after = _NUMBER.findall(old), _NUMBER.findall(new)
    if _NUMBER.sub("#", old) != _NUMBER.sub("#", new):
        return False
    return all(_one_step_apart(a, b) for a, b in zip(before, after, strict=True))


def _same_by_interval(old: str, new: str) -> bool:
    """Return whether two texts are equal but for what training on another processor may move.

    A number with an interval may move by a share of its width, another one by a share of itself.
    """
    share, relative = INTERVAL_SHARES["torch"], TOLERANCES["torch"]
    if _NUMBER.sub("#", old) != _NUMBER.sub("#", new):
        return False
    pairs = zip(_ESTIMATE.findall(old), _ESTIMATE.findall(new), strict=True)
    for before, after in pairs:
        low, high = parse_number(before[1]), parse_number(before[2])
        allowed = share * (high - low) if math.isfinite(high - low) else 0.0
        if not all(_within(a, b, allowed) for a, b in zip(before, after, strict=True)):
            return False
    old, new = _ESTIMATE.sub("", old), _ESTIMATE.sub("", new)
    return all(
        _one_step_apart(a, b) or ("." in a + b and _within(a, b, relative * abs(parse_number(a))))
        for a, b in zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    )


def _one_step_apart(old: str, new: str) -> bool:
    if old == new:
        return True
    if "." not in old + new and "e" not in old + new:
        return False  # a count
    step = 1.01 * max(last_place(old), last_place(new))
    return abs(parse_number(old) - parse_number(new)) <= step


def _origin_changes(old: Findings, new: Findings) -> list[str]:
    changes = [f"title {old.title} → {new.title}"] if old.title != new.title else []
    if not (old.origin and new.origin):
        return changes
    words = {"dataset": "dataset", "data": "the data changed:", "effort": "effort", "seed": "seed"}
    return changes + [
        f"{word} {old.origin[key]} → {new.origin[key]}"
        for key, word in words.items()
        if old.origin[key] != new.origin[key]
    ]


def _value_change(name: str, old: ShownValue, new: ShownValue) -> str:
    if old.value == new.value and old.interval != new.interval:
        return f"{name} {old.value}: interval {old.interval} → {new.interval}"
    if old.kind != new.kind:
        return f"{name} {old.value} → {new.value}: {old.kind} became {new.kind}"
    if old.value == new.value:
        return f"{name} {old.value}: {old} → {new}"
    step = f"{name} {old.value} → {new.value}"
    if old.kind == "text":
        return f"{step}: the choice changed"
    if not (old.interval and new.interval):
        return step
    inside = old.covers(new) and new.covers(old)
    return f"{step}: {'inside' if inside else 'beyond'} noise"


def _name_changes(noun: str, old: Iterable[str], new: Iterable[str]) -> list[str]:
    old_names, new_names = list(old), list(new)
    changes = []
    for word, names in (
        ("new", [name for name in new_names if name not in old_names]),
        ("gone", [name for name in old_names if name not in new_names]),
    ):
        if names:
            changes.append(f"{word} {noun}{'s' if len(names) > 1 else ''}: {', '.join(names)}")
    return changes


def _sentence_changes(
    noun: str,
    old: Sequence[str],
    new: Sequence[str],
    changed: Mapping[str, tuple[ShownValue, ShownValue]],
    same_of: Callable[[str], Same],
) -> list[str]:
    """Return new, gone and reworded sentences; what the changed values explain is not repeated."""
    gone = list((Counter(old) - Counter(new)).elements())
    added = list((Counter(new) - Counter(old)).elements())
    reworded = []
    for sentence in list(added):
        partner = _closest(sentence, gone)
        if partner is None:
            continue
        added.remove(sentence)
        gone.remove(partner)
        explained = _is_explained(partner, sentence, changed)
        if not explained and not same_of(sentence)(partner, sentence):
            reworded.append(f"reworded: {partner} → {sentence}")
    return [*_listed("new", noun, added), *_listed("gone", noun, gone), *reworded]


def _listed(word: str, noun: str, sentences: Sequence[str]) -> list[str]:
    if not sentences:
        return []
    count = f"{len(sentences)} {word} {noun}s" if len(sentences) > 1 else f"{word} {noun}"
    return [f"{count}: " + "; ".join(sentence.rstrip(".") for sentence in sentences)]


def _closest(sentence: str, others: Sequence[str]) -> str | None:
    """Return the most similar sentence, numbers aside, if it is similar enough."""
    plain = _NUMBER.sub("#", sentence)
    scored = [(SequenceMatcher(None, _NUMBER.sub("#", o), plain).ratio(), o) for o in others]
    ratio, best = max(scored, default=(0.0, None), key=lambda pair: pair[0])
    return best if ratio >= SIMILAR else None


def _is_explained(old: str, new: str, changed: Mapping[str, tuple[ShownValue, ShownValue]]) -> bool:
    """Return whether two sentences differ by values only that are reported as changed."""
    words = [pair for pair in changed.values() if pair[0].kind in {"text", "yes/no"}]
    for before, after in sorted(words, key=lambda pair: -len(pair[0].value)):
        old, new = old.replace(before.value, "{}"), new.replace(after.value, "{}")
    if _NUMBER.sub("#", old) != _NUMBER.sub("#", new):
        return False
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    parts = [
        getattr(after, part) for _, after in changed.values() for part in ("value", "low", "high")
    ]
    return all(a == b or any(_shows(b, part) for part in parts if part) for a, b in pairs)


def _shows(token: str, value: str) -> bool:
    """Return whether a number in a sentence is a value, however it was rounded."""
    step = max(last_place(token), last_place(value))
    return token == value or abs(parse_number(token) - parse_number(value)) <= 0.51 * step


def _table_changes(
    old: Mapping[str, ShownTable], new: Mapping[str, ShownTable], same_of: Callable[[str], Same]
) -> list[str]:
    changes = _name_changes("table", old, new)
    for title in old:
        if title in new:
            change = _table_change(old[title], new[title], same_of(title.partition(" #")[0]))
            changes.extend([f"table '{title}': {change}"] if change else [])
    return changes


def _table_change(old: ShownTable, new: ShownTable, same: Same) -> str:
    if old.header != new.header:
        return "columns changed: " + "; ".join(
            _name_changes("column", old.header, new.header) or ["another order"]
        )
    before, after = _by_key(old), _by_key(new)
    common = [key for key in before if key in after]
    differ = sum(
        not all(same(a, b) for a, b in zip(before[k], after[k], strict=True)) for k in common
    )
    parts = [f"{differ} of {len(old.rows)} rows changed"] if differ else []
    n_new, n_gone = len(after) - len(common), len(before) - len(common)
    parts += [f"{n} {word}" for n, word in ((n_new, "new"), (n_gone, "gone")) if n]
    moved = [k for k in after if k in before] != common
    if not parts and moved and same is not _same_by_interval:  # near ties may change places
        parts = ["rows in another order"]
    return ", ".join(parts)


def _by_key(table: ShownTable) -> dict[tuple[str, int], list[str]]:
    """Return rows by their first cell and its how-manieth occurrence."""
    seen: Counter[str] = Counter()
    rows = {}
    for row in table.rows:
        key = row[0] if row else ""
        rows[key, seen[key]] = row
        seen[key] += 1
    return rows
