"""HTML that is safe to show: whatever a table, a model or a library put into it."""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any

TAGS = frozenset(
    """a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption
    figure h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre s samp small span strong sub summary
    sup table tbody td tfoot th thead tr u ul""".split()  # noqa: SIM905 - reads better
)
ATTRIBUTES = frozenset(
    ("alt", "colspan", "height", "open", "rowspan", "scope", "style", "title", "width")
)
CLASSES = re.compile(r"(study-table|table-note|dataframe|highlight|[a-z][a-z0-9]?)")
STYLES = ("text-align", "font-weight", "font-style", "color", "background-color", "white-space")
PROTOCOLS = frozenset({"http", "https", "mailto", "data"})
_WHOLE = re.compile(
    r"<(script|style|title|template|noscript|svg|math)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
_NO_SOURCE = re.compile(r"<img(?![^>]*\ssrc=)[^>]*>")  # its source was not allowed
_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


@cache
def _cleaner() -> Any:
    from bleach.css_sanitizer import CSSSanitizer  # noqa: PLC0415 - comes with nbconvert
    from bleach.sanitizer import Cleaner  # noqa: PLC0415

    return Cleaner(
        tags=TAGS,
        attributes=_is_allowed,
        protocols=PROTOCOLS,
        strip=False,
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
    )


def _is_allowed(tag: str, name: str, value: str) -> bool:
    """Return whether an attribute may stay; only images may carry data."""
    plain = re.sub(r"[\s\x00-\x20]", "", value)
    if name == "src":
        return tag == "img" and bool(_IMAGE.match(plain))
    if name == "href":
        return tag == "a" and not plain.lower().startswith("data:")
    if name == "class":  # the page's own classes are not for its contents
        return bool(CLASSES.fullmatch(value))
    return name in ATTRIBUTES


def sanitise(unsafe: str) -> str:
    """Return HTML reduced to text, tables, lists, images of its own and plain styles.

    Parameters
    ----------
    unsafe : str
        Any HTML.

    Returns
    -------
    str
        Without scripts, handlers, frames, forms, foreign images and `javascript:` links.

    Examples
    --------
    >>> sanitise('<b onclick="x()">bold</b><script>alert(1)</script>')
    '<b>bold</b>'
    """
    return _NO_SOURCE.sub("", str(_cleaner().clean(_WHOLE.sub("", unsafe))))


def render_markdown(source: str) -> str:
    """Return Markdown as sanitised HTML.

    Examples
    --------
    >>> render_markdown("Costs **5** <img src=x onerror=alert(1)>")
    '<p>Costs <strong>5</strong> </p>'
    """
    from nbconvert.filters.markdown_mistune import (  # noqa: PLC0415 - takes a second
        IPythonRenderer,
        MarkdownWithMath,
    )

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return scrollable(sanitise(MarkdownWithMath(renderer=renderer).render(source))).strip()


def render_sentence(markdown: str) -> str:
    """Return one line of Markdown as HTML without its paragraph."""
    return re.sub(r"^<p>(.*)</p>$", r"\1", render_markdown(markdown), flags=re.DOTALL)


def render_code(source: str) -> str:
    """Return Python with its parts in classes that the style sheet colours."""
    from pygments import highlight  # noqa: PLC0415 - comes with IPython
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415
    from pygments.lexers import PythonLexer  # noqa: PLC0415

    return str(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))).rstrip()


def render_terminal(text: str) -> str:
    """Return terminal output as HTML; colours become classes, the rest is escaped."""
    from nbconvert.filters import ansi2html  # noqa: PLC0415

    return str(ansi2html(text))


def plain_text(markup: str) -> str:
    """Return the text of sanitised HTML.

    Examples
    --------
    >>> plain_text("Is <code>a &lt; b</code>?")
    'Is a < b?'
    """
    return html.unescape(_TAG.sub("", markup)).strip()


def scrollable(markup: str) -> str:
    """Return sanitised HTML whose tables scroll in a box of their own, not the whole page."""
    box = '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table'
    return re.sub(r"<table\b", box, markup).replace("</table>", "</table></div>")


def give_anchors(markup: str, taken: set[str]) -> tuple[str, list[tuple[int, str, str]]]:
    """Return HTML whose headings have an id, and (level, id, text) of each.

    Parameters
    ----------
    markup : str
        Sanitised HTML.
    taken : set of str
        Ids used so far; those given here are added.

    Examples
    --------
    >>> give_anchors("<h2>Any better?</h2>", set())
    ('<h2 id="any-better">Any better?</h2>', [(2, 'any-better', 'Any better?')])
    """
    headings: list[tuple[int, str, str]] = []

    def anchor(found: re.Match[str]) -> str:
        level, inner = found.groups()
        words = plain_text(inner)
        base = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60] or "section"
        number, name = 1, base
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        headings.append((int(level), name, words))
        return f'<h{level} id="{name}">{inner}</h{level}>'

    return _HEADING.sub(anchor, markup), headings
