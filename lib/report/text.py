"""How values read: in a sentence, in a table, in Markdown and on a terminal."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

MISSING = "\N{EN DASH}"
NOT_A_NUMBER = "n/a"
# Characters that reorder or hide what a reviewer sees (CVE-2021-42574) have no place in a record.
_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0x00AD]
)
_AT_START = re.compile(r"#{1,6}(\s|$)|[-+](\s|$)|={3}|-{3}")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
_OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_SPECIAL = re.compile(r"[\\`*~|$]|\](?=[(\[:])")  # brackets only where they would make a link


def is_estimate(value: object) -> bool:
    """Return whether `value` carries an interval: it has `value`, `low` and `high`."""
    return all(hasattr(value, name) for name in ("value", "low", "high"))


def format_number(value: float, *, significant: int = 4) -> str:
    """Return a float with `significant` digits and thousands separators, never as `nan`.

    Digits before the decimal point are all kept.

    Parameters
    ----------
    value : float
        Any float.
    significant : int, default=4
        Digits that count.

    Returns
    -------
    str
        Short and readable.

    Examples
    --------
    >>> [format_number(v) for v in (0.772134, 14266.4, 0.00001234, -0.0, float("nan"))]
    ['0.7721', '14,266', '1.234e-05', '0', 'n/a']
    """
    if math.isnan(value):
        return NOT_A_NUMBER
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if 10**significant <= round(abs(value)) < 1e15:
        return f"{value:,.0f}"
    if 1_000 <= abs(value) < 10**significant:
        return f"{value:,.{max(significant - 4, 0)}f}"
    return f"{value:.{significant}g}"


def format_value(value: Any, spec: str = "") -> str:
    """Return `value` as a sentence shows it.

    Parameters
    ----------
    value : Estimate, int, float, bool or str
        What to show.
    spec : str, default=""
        A format specification, which wins over the rules of this module.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> format_value(14266), format_value(0.5), format_value(True), format_value(0.0909, ".1%")
    ('14,266', '0.5', 'yes', '9.1%')
    """
    if is_estimate(value):
        return format(value, spec) if spec else str(value)
    if isinstance(value, bool):
        return format("yes" if value else "no", spec)
    if isinstance(value, str):
        return format(clean(value), spec)
    if spec:
        return format(value, spec)
    return f"{value:,}" if isinstance(value, int) else format_number(value)


def clean(text: str) -> str:
    r"""Return `text` on one line, without control, reordering or invisible characters.

    Examples
    --------
    >>> clean("two\nlines \x1b[31mred")
    'two↵lines �[31mred'
    """
    one_line = (
        re.sub(r"\r\n|[\r\n\x85\u2028\u2029]", "↵", text).replace("\t", " ").translate(_INVISIBLE)
    )
    return "".join("�" if unicodedata.category(c) in {"Cc", "Cs"} else c for c in one_line)


def escape_markdown(text: str) -> str:
    r"""Return `text` so that Markdown shows it as it is, also where raw HTML is allowed.

    Underscores inside a word stay: `high_cost` is easier to review than `high\_cost`.

    Examples
    --------
    >>> escape_markdown("a_b | <b> *c* _d_")
    'a_b \\| &lt;b&gt; \\*c\\* \\_d\\_'
    """
    escaped = _SPECIAL.sub(lambda m: "\\" + m.group(), clean(text))
    escaped = _OUTER_UNDERSCORE.sub(r"\\_", escaped)
    escaped = re.sub(r"&(?=[#\w])", "&amp;", escaped)
    escaped = re.sub(r"<(?=[^\s\d=])", "&lt;", escaped)  # "< 0.001" is no tag
    escaped = re.sub(r"^>|(?<=\S)>", "&gt;", escaped)
    escaped = escaped.replace("://", r"\://")  # a value that is an address does not become a link
    escaped = _NUMBERED.sub(r"\1\\\2", escaped)
    return "\\" + escaped if _AT_START.match(escaped) else escaped


def unescape_markdown(text: str) -> str:
    """Return what `escape_markdown` was given.

    Examples
    --------
    >>> unescape_markdown(escape_markdown("a|b <i>"))
    'a|b <i>'
    """
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(r"\\([\\`*\[\]~|$_#=+:.)-])", r"\1", plain)


def truncate(text: str, width: int) -> str:
    """Return `text`, cut to `width` terminal columns with an ellipsis.

    Examples
    --------
    >>> truncate("high_cost_next_year", 10)
    'high_cost…'
    """
    if display_width(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += display_width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text, each at most `width` columns wide, broken at spaces.

    Examples
    --------
    >>> wrap("one two three", 8)
    ['one two', 'three']
    >>> wrap("", 8), wrap("abcdefghij", 8)
    ([''], ['abcdefgh', 'ij'])
    """
    lines = [""]
    for word in text.split(" ") if display_width(text) > width else [text]:
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if display_width(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
        while display_width(lines[-1]) > width:
            kept = len(lines[-1])
            while display_width(lines[-1][:kept]) > width:
                kept -= 1
            lines[-1:] = [lines[-1][:kept], lines[-1][kept:]]
    return lines


def display_width(text: str) -> int:
    """Return the terminal columns that `text` takes: 2 for wide characters, 0 for combining ones.

    Examples
    --------
    >>> display_width("abc"), display_width("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` filled with spaces to `width` terminal columns.

    Examples
    --------
    >>> pad("7", 3, right=True)
    '  7'
    """
    fill = " " * max(width - display_width(text), 0)
    return fill + text if right else text + fill
