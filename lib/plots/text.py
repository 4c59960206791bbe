"""Text that draws whatever a column is called, and fits the room it has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.textpath import text_to_path

LABEL_WIDTH = 28  # characters of a tick label
HINTING = 1.04  # fitted to whole pixels, words get up to 4 % wider
PLACEHOLDER = "\N{WHITE SQUARE}"


def clean(text: object) -> str:
    r"""Return `text` on one line, in characters that the current fonts can draw.

    Line breaks become spaces, invisible characters go, a symbol without a glyph is named
    ("[thumbs up sign]") and a letter without one becomes a square.

    Parameters
    ----------
    text : object
        A column name, a category or any other piece of data.

    Returns
    -------
    str
        Never empty: what has nothing to draw reads "(blank)".

    Examples
    --------
    >>> clean("net\nincome \U0001f44d")
    'net income [thumbs up sign]'
    """
    families = tuple(mpl.rcParams["font.family"])
    drawn = "".join(_drawable(character, families) for character in str(text))
    if mpl.rcParams["text.parse_math"]:
        drawn = drawn.replace("$", r"\$")
    return " ".join(drawn.split()) or "(blank)"


def shorten(text: object, width: int = LABEL_WIDTH) -> str:
    """Return `clean(text)` cut in the middle to `width` characters.

    Names of one table tend to differ at their ends, which is why the middle goes.

    Parameters
    ----------
    text : object
        Any piece of data.
    width : int
        Longest result, at least 5.

    Returns
    -------
    str
        Of at most `width` characters.

    Examples
    --------
    >>> shorten("blood_pressure_systolic_visit_1", 15)
    'blood_p…visit_1'
    """
    text = clean(
        str(text)[: 50 * width] + str(text)[-width:] if len(str(text)) > 51 * width else text
    )
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + "…" + text[-tail:]


def fit(text: object, inches: float, size: float, *, weight: str | int = "normal") -> str:
    """Return `clean(text)` cut in the middle until it is at most so wide.

    Parameters
    ----------
    text : object
        Any piece of data.
    inches : float
        The room; five characters are drawn however small it is.
    size : float
        Of the font, in points.
    weight : str or int
        Of the font.

    Returns
    -------
    str
        What `shorten` returns for the longest width that fits.

    Examples
    --------
    >>> fit("iiiiiiiiiiiiiiiiiiii", 1, 10), fit("WWWWWWWWWWWWWWWWWWWW", 1, 10)
    ('iiiiiiiiiiiiiiiiiiii', 'WWW…WW')
    """
    width = 5 + int(inches * 72 / (0.25 * size))  # no letter is narrower than a quarter
    words = shorten(text, width)
    known = words if "…" not in words else shorten(text, 400)  # cleaned once
    while width > 5 and (wide := text_width(words, size, weight=weight)) > inches:
        width = max(min(int(len(words) * inches / wide) + 1, len(words) - 1), 5)
        words = shorten(known, width)
    return words


def short_labels(
    names: Iterable[object],
    width: int = LABEL_WIDTH,
    *,
    inches: float = 2.2,
    size: float = 9.5,
) -> list[str]:
    """Return one label a name, shortened and still distinct.

    Parameters
    ----------
    names : iterable of object
        Column names or categories.
    width : int
        Longest label in characters.
    inches : float
        Widest label.
    size : float
        Of the font, in points.

    Returns
    -------
    list of str
        Labels that would be equal end in a number.

    Examples
    --------
    >>> short_labels(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    labels = dict[str, None]()
    for name in names:
        label = stem = fit(shorten(name, width), inches, size)
        count = 1
        while label in labels:
            count += 1
            number = f" ({count})"
            room = inches - text_width(number, size)
            label = fit(shorten(stem, max(width - len(number), 5)), room, size) + number
        labels[label] = None
    return list(labels)


def wrap(text: str, inches: float, size: float, *, weight: str | int = "normal") -> str:
    """Return `text` with line breaks, so that each line is at most so wide.

    Parameters
    ----------
    text : str
        Words; one that is wider than a line is broken.
    inches : float
        Width of a line.
    size : float
        Of the font, in points.
    weight : str or int
        Of the font.

    Returns
    -------
    str

    Examples
    --------
    >>> wrap("Does it fit into an inch?", 1.2, 10).splitlines()
    ['Does it fit into', 'an inch?']
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size, weight=weight) <= inches:
            lines[-1] = longer
            continue
        lines.append("")
        for character in word:
            if text_width(lines[-1] + character, size, weight=weight) > inches:
                lines.append("")
            lines[-1] += character
    return "\n".join(filter(None, lines))


def text_width(text: str, size: float, *, weight: str | int = "normal") -> float:
    """Return the inches that a line of text takes, without drawing it.

    Examples
    --------
    >>> text_width("wide", 20) > 1.9 * text_width("wide", 10) > 0
    True
    """
    return _measured(text, float(size), weight, tuple(mpl.rcParams["font.family"]))


def in_points(size: float | str) -> float:
    """Return a font's size in points, be it a number or a word as "large".

    Examples
    --------
    >>> in_points(12)
    12.0
    """
    return float(font_manager.FontProperties(size=size).get_size_in_points())


def of_many(shown: int, total: int, things: str) -> str:
    """Return "20 of 5,000 categories" when some are left out, else "".

    Examples
    --------
    >>> of_many(20, 5_000, "categories")
    '20 of 5,000 categories'
    >>> of_many(3, 3, "categories")
    ''
    """
    return f"{shown:,} of {total:,} {things}" if shown < total else ""


def spread(items: Sequence[Any], n_kept: int) -> list[Any]:
    """Return `n_kept` of `items`, evenly spaced with both ends, or all when they are fewer.

    Examples
    --------
    >>> spread(range(10), 4)
    [0, 3, 6, 9]
    """
    if len(items) <= n_kept:
        return list(items)
    step = (len(items) - 1) / max(n_kept - 1, 1)
    return [items[round(i * step)] for i in range(n_kept)]


@lru_cache(maxsize=4096)
def _measured(text: str, size: float, weight: str | int, families: tuple[str, ...]) -> float:
    font = font_manager.FontProperties(family=list(families), size=size, weight=weight)
    points = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return HINTING * float(points) / 72


@lru_cache(maxsize=4096)
def _drawable(character: str, families: tuple[str, ...]) -> str:
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Me"} and ord(character) not in _glyphs(families):
        return ""  # joiners, direction marks, variation selectors
    if category == "Cf":
        return ""
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    if ord(character) in _glyphs(families):
        return character
    if category == "So":
        return f"[{unicodedata.name(character, 'symbol').lower()}]"
    return PLACEHOLDER


@cache
def _glyphs(families: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for family in families:  # a bold title needs the glyph as well
        plain, bold = (
            font_manager.FontProperties(family=[family], weight=weight)
            for weight in ("normal", "bold")
        )
        charmaps = [
            font_manager.get_font(font_manager.findfont(font)).get_charmap()
            for font in (plain, bold)
        ]
        found.update(charmaps[0].keys() & charmaps[1].keys())
    return frozenset(found)
