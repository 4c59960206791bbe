"""Two spellings of one thing: case, spaces and accents, or a letter wrong."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import polars as pl

from lib.checks import Check, Severity
from lib.quality.answers import found, not_applicable, settle, share
from lib.quality.table import Table

MAX_DISTINCT = 20_000
MIN_FREQUENT = 5  # rows of a spelling before a rare neighbour is its misspelling
RARE = 0.05  # … and the neighbour has at most this share of them
MAX_NATURAL = 0.2  # share of frequent values that are neighbours of each other, then all are
MARKS = "._-'\u2019,;: \t\u00a0\u200b"
MIN_LETTERS = 4  # of a word in which a slip can be told from another word
ANSWERS = frozenset(
    ("other", "others", "none", "unknown", "missing", "mixed", "empty", "blank")
)  # words, whatever they resemble
LETTERS_PER_SLIP = 5  # one wrong letter in so many
LETTERS_OF_TWO = 8  # letters of a word in which two can be wrong
MAX_SHOWN = 32  # letters of a cell in evidence


@dataclass(frozen=True)
class Variant:
    """A spelling, and the one it probably stands for."""

    written: str
    meant: str
    count: int
    reason: str


def find_variants(values: pl.Series) -> list[Variant]:
    """Return spellings that probably stand for another, most frequent, spelling of the column.

    Two values that agree without case, spaces, dots, dashes and accents are one. A rare value is a
    slip of a frequent one when they differ by one letter in five and by nothing but letters (A12
    is not a misspelt A13). Where frequent values are that near to each other by nature, no slip
    is claimed.

    Parameters
    ----------
    values : polars Series
        Text; gaps are null.

    Returns
    -------
    list of Variant
        By spelling.

    Examples
    --------
    >>> cities = pl.Series(["Berlin"] * 20 + ["Paris"] * 20 + ["berlin ", "Berlln"])
    >>> [(variant.written, variant.meant) for variant in find_variants(cities)]
    [('Berlln', 'Berlin'), ('berlin ', 'Berlin')]
    """
    counted = values.drop_nulls().cast(pl.String).value_counts().rows()
    counts = {str(value): int(count) for value, count in counted}
    if len(counts) > MAX_DISTINCT:
        return []
    variants = {v.written: v for v in _same_but_form(counts)}
    merged = {value: count for value, count in counts.items() if value not in variants}
    for variant in _slips(merged):
        variants.setdefault(variant.written, variant)
    return [variants[written] for written in sorted(variants)]


def _same_but_form(counts: dict[str, int]) -> Iterator[Variant]:
    keyed: dict[str, list[str]] = defaultdict(list)
    for value in counts:
        if any(letter.isalpha() for letter in value):
            keyed[_form(value)].append(value)
    for spellings in keyed.values():
        ranked = sorted(spellings, key=lambda value: (-counts[value], value))
        for other in ranked[1:]:
            yield Variant(other, ranked[0], counts[other], "case, spaces or accents")


def _form(value: str) -> str:
    """Return a value without case, accents, and marks between words; "A+" stays "a+"."""
    plain = unicodedata.normalize("NFKD", value.casefold())
    kept = (
        c for c in plain if not unicodedata.combining(c) and c not in "._-'\u2019,;: \t\u00a0\u200b"
    )
    return "".join(kept)


def _slips(counts: dict[str, int]) -> Iterator[Variant]:
    frequent = {v: n for v, n in counts.items() if n >= MIN_FREQUENT and _limit(v)}
    if not frequent:
        return
    index: dict[str, list[str]] = defaultdict(list)
    for value in frequent:
        for key in _keys(value, min(_limit(value), 2)):
            index[key].append(value)
    natural = set()
    found = []
    for value, count in sorted(counts.items()):
        limit = _limit(value)
        if not limit or value.casefold() in ANSWERS:
            continue
        near = {n for key in _keys(value, min(limit, 2)) for n in index.get(key, ())} - {value}
        close = [
            n for n in near
            if (d := slip_distance(value, n, limit)) is not None and d <= min(limit, _limit(n))
        ]  # fmt: skip
        if value in frequent and any(RARE < frequent[n] / count < 1 / RARE for n in close):
            natural.add(value)
        best = max(close, key=lambda n: (frequent[n], n), default=None)
        if best is not None and count <= max(RARE * frequent[best], 1) and count < frequent[best]:
            found.append(Variant(value, best, count, "a letter or two differ"))
    if len(natural) <= MAX_NATURAL * len(frequent):
        yield from found


def _limit(value: str) -> int:
    """Return how many slips a value of this length can have."""
    n_letters = sum(letter.isalpha() for letter in value)
    return 0 if n_letters < MIN_LETTERS else min(max(n_letters // LETTERS_PER_SLIP, 1), 3)


def _keys(value: str, depth: int) -> Iterator[str]:
    """Return what a value shares with its slips: its digits, and one of its deletions."""
    digits = _digits(value)
    return (f"{digits}|{key}" for key in _deletions(value, depth))


def _digits(value: str) -> str:
    return "".join(filter(str.isdigit, value))


def _deletions(value: str, depth: int) -> set[str]:
    """Return the value without any `depth` of its characters; long texts by their halves."""
    if len(value) > 24:  # one half of two slips in a long text is often whole
        half = len(value) // 2
        return {"<" + value[:half][:12], ">" + value[-12:], "=" + value[half - 6 : half + 6]}
    keys = {value}
    for size in range(1, depth + 1):
        for gone in combinations(range(len(value)), size):
            keys.add("".join(c for i, c in enumerate(value) if i not in gone))
    return keys


def slip_distance(a: str, b: str, limit: int) -> int | None:
    """Return the letters to insert, delete, replace or swap; None beyond `limit` or for digits.

    Examples
    --------
    >>> slip_distance("Berlln", "Berlin", 2), slip_distance("Berlni", "Berlin", 2)
    (1, 1)
    >>> slip_distance("A12", "A13", 2) is None
    True
    """
    if abs(len(a) - len(b)) > limit or _digits(a) != _digits(b):
        return None
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            cost = last[j - 1] + (x != y)
            cost = min(cost, last[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return None
        before, last = last, row
    if last[-1] > limit or _in_short_word(a, b) or _is_another_word(a, b):
        return None
    return last[-1]


def _is_another_word(a: str, b: str) -> bool:
    """Whether a short word differs in two letters or more: south is no slip of north."""
    words, others = (re.findall(r"[^\W\d_]+", text) for text in (a, b))
    if len(words) != len(others):
        return False
    return any(
        len(word) == len(other) < LETTERS_OF_TWO
        and sorted(word) != sorted(other)
        and sum(x != y for x, y in zip(word, other, strict=True)) > 1
        for word, other in zip(words, others, strict=True)
    )


def _in_short_word(a: str, b: str) -> bool:
    """Whether all that differs lies in words too short to be told apart: al_1 is not ak_1."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    stop = len(b) - end
    while start > 0 and b[start - 1].isalpha():
        start -= 1
    while stop < len(b) and b[stop].isalpha():
        stop += 1
    words = re.findall(r"[^\W\d_]+", b[start:stop])
    return max(map(len, words), default=0) < MIN_LETTERS


def words_of(text: pl.Series) -> pl.Series:
    """Return text without its numbers where most cells have one: "37 patients" is "patients".

    Examples
    --------
    >>> words_of(pl.Series(["37 patients", "4 patixnts"])).to_list()
    ['patients', 'patixnts']
    """
    if mean_of(text.str.contains(r"\d")) < 0.5:
        return text
    words = text.str.replace_all(r"[\d.,%]+", "").str.strip_chars()
    return words.set((words == "").fill_null(value=False), None)


def mean_of(mask: pl.Series) -> float:
    """Return the share of known values that are true; 0 when there is none."""
    return float(mask.sum() or 0) / max(mask.count(), 1)


def find_misspelt(series: pl.Series) -> list[tuple[int, Variant]]:
    """Return rows whose spelling probably stands for another, by row.

    Examples
    --------
    >>> cells = find_misspelt(pl.Series(["30 patients", "41 patients"] * 9 + ["7 patixnts"]))
    >>> [(row, variant.written, variant.meant) for row, variant in cells]
    [(18, '7 patixnts', '7 patients')]
    """
    if series.n_unique() > MAX_DISTINCT:
        return []
    text = series.cast(pl.String)
    words = words_of(text)
    known = {v.written: v for v in find_variants(words) if (words == v.meant).sum() >= MIN_FREQUENT}
    cells = {row: _in_cell(known[str(words[row])], str(text[row])) for row in _where(words, known)}
    known = {variant.written: variant for variant in find_variants(text)}
    cells |= {row: known[str(text[row])] for row in _where(text, known)}
    return sorted(cells.items(), key=lambda cell: cell[0])


def _where(values: pl.Series, known: dict[str, Variant]) -> list[int]:
    is_known = values.is_in(list(known)).fill_null(value=False)
    return [int(row) for row in is_known.arg_true()]


def _in_cell(variant: Variant, cell: str) -> Variant:
    """Return a variant of a cell's words as one of the whole cell, numbers included."""
    meant = cell.replace(variant.written, variant.meant, 1)
    return replace(variant, written=cell, meant=variant.meant if meant == cell else meant)


def contrast(written: str, meant: str) -> str:
    """Return "'written' for 'meant'"; long texts are cut to where they differ.

    Examples
    --------
    >>> contrast("Berlln", "Berlin")
    "'Berlln' for 'Berlin'"
    >>> contrast("patients who were taking hexrt drugs", "patients who were taking heart drugs")
    "'…re taking hexrt drugs' for '…re taking heart drugs'"
    """
    start = 0
    while start < min(len(written), len(meant)) and written[start] == meant[start]:
        start += 1
    begin = start - 12 if max(len(written), len(meant)) > MAX_SHOWN and start > 14 else 0
    return f"'{_cut(written, begin)}' for '{_cut(meant, begin)}'"


def _cut(text: str, begin: int) -> str:
    end = len(text) if len(text) - begin <= MAX_SHOWN else begin + MAX_SHOWN - 4
    return ("…" if begin else "") + text[begin:end] + ("…" if end < len(text) else "")


def in_words(pairs: Iterable[tuple[str, str]]) -> str:
    """Return up to four different pairs of written and meant, and how many more there are.

    Examples
    --------
    >>> in_words([("Berlln", "Berlin"), ("Parris", "Paris")])
    "'Berlln' for 'Berlin'; 'Parris' for 'Paris'"
    """
    different = list(dict.fromkeys(pairs))
    shown = "; ".join(contrast(written, meant) for written, meant in different[:4])
    return shown + (f" and {len(different) - 4:,} more" if len(different) > 4 else "")


def own_kind(table: Table, name: str) -> str:
    """Say what a wrong class label or group name does."""
    kind = "class" if name == table.train.target else "group"
    return f"each is a {kind} of its own now"


def check_spelling(table: Table) -> list[Check]:
    """Q10: one thing under several spellings."""
    textual = [*table.textual, *table.described.columns[table.frame.width :]]
    if not textual:
        return [not_applicable("Q10", "no column holds categories or text")]
    answers = []
    for name in textual:
        cells = find_misspelt(table.described[name])
        if not cells:
            continue
        rows = [row for row, _ in cells]
        listed = in_words((variant.written, variant.meant) for _, variant in cells)
        evidence = f"{share(len(rows), len(table))} cells hold other spellings: {listed}"
        advice = "bring them to one spelling before they become categories of their own"
        severity: Severity = "warning"
        if name not in table.frame.columns:
            severity, advice = "error", f"bring them to one spelling: {own_kind(table, name)}"
        answers.append(found("Q10", severity, name, evidence, advice, rows=rows[:20]))
    return settle("Q10", answers)
