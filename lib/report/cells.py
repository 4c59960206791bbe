"""What a page shows of a notebook: prose, folded code, outputs."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.report import markup
from lib.report.show import ATTACHMENT_TYPE

LARGE_PICTURE, MOST_COLOURS = 30_000, 65_536  # base64 letters; distinct colours of a figure
IMAGES = ("image/png", "image/jpeg", "image/svg+xml")
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LONGEST_STREAM = 20_000  # characters of printed text; more hides the page


@dataclass
class Block:
    """One thing on a page.

    Attributes
    ----------
    kind : str
        "prose", "code", "finding", "warning", "table", "figure", "text", "error", "attachment".
    html : str
        Safe HTML, or the file name of an attachment.
    title : str
        Of a code cell or an attachment; the alternative text of a figure.
    """

    kind: str
    html: str
    title: str = ""


@dataclass
class Contents:
    """A page's blocks, its navigation, and what went wrong."""

    blocks: list[Block] = field(default_factory=list)
    sections: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""


def read_notebook(notebook: Mapping[str, Any]) -> Contents:
    """Return what a page shows of an executed notebook.

    Parameters
    ----------
    notebook : mapping
        A notebook node with outputs.

    Returns
    -------
    Contents
        Everything in it is safe to insert.
    """
    contents, taken = Contents(), set[str]()
    for cell in notebook["cells"]:
        source = _joined(cell["source"])
        if cell["cell_type"] == "markdown":
            _add_prose(contents, source, taken)
        elif cell["cell_type"] == "code" and (source.strip() or cell.get("outputs")):
            title = _cell_title(cell, source)
            contents.blocks.append(Block("code", markup.render_code(source), title))
            contents.blocks.extend(_outputs(cell.get("outputs", ()), title))
            contents.error = contents.error or _error(cell.get("outputs", ()))
    return contents


def _add_prose(contents: Contents, source: str, taken: set[str]) -> None:
    rendered, headings = markup.give_anchors(markup.render_markdown(source), taken)
    if not contents.blocks:  # the page's header shows the title already
        rendered = re.sub(r"^\s*<h1[^>]*>.*?</h1>", "", rendered, count=1, flags=re.DOTALL)
    contents.sections.extend((name, words) for level, name, words in headings if level == 2)
    contents.blocks.append(Block("prose", rendered.strip()))


def _cell_title(cell: Mapping[str, Any], source: str) -> str:
    title = str(cell.get("metadata", {}).get("title") or "")
    if not title:
        lines = [line.strip() for line in source.splitlines() if line.strip()]
        title = lines[0].removeprefix("# ") if lines else "Code"
    return title if len(title) <= 80 else title[:79] + "…"


def _outputs(outputs: Sequence[Mapping[str, Any]], title: str) -> Iterator[Block]:
    for output in _merged(outputs):
        if output["output_type"] == "stream":
            shown = _shortened(_joined(output["text"]))
            if shown.strip():
                yield Block("text", markup.render_terminal(shown.rstrip()))
        elif output["output_type"] == "error":
            trace = "\n".join(output.get("traceback") or [f"{output['ename']}: {output['evalue']}"])
            yield Block("error", markup.render_terminal(trace))
        else:
            yield from _rich(output["data"], title)


def _merged(outputs: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield outputs; streams that follow one another become one."""
    previous: dict[str, Any] | None = None
    for output in outputs:
        is_stream = output["output_type"] == "stream"
        if previous is not None and is_stream:
            previous["text"] += _joined(output["text"])
            continue
        if previous is not None:
            yield previous
            previous = None
        if is_stream:
            previous = {"output_type": "stream", "text": _joined(output["text"])}
        else:
            yield output
    if previous is not None:
        yield previous


def _rich(data: Mapping[str, Any], title: str) -> Iterator[Block]:
    """Yield the best form of an output that a page without scripts can show."""
    plain = _joined(data.get("text/plain", ""))
    if ATTACHMENT_TYPE in data:
        given = data[ATTACHMENT_TYPE]
        described = json.loads(given) if isinstance(given, str) else given
        yield Block("attachment", str(described["file"]), str(described["title"]))
        return
    for kind in IMAGES:
        if kind in data:
            yield Block("figure", _data_uri(kind, _joined(data[kind])), f"Figure: {title}")
            return
    if "text/html" in data:
        shown = markup.scrollable(markup.sanitise(_joined(data["text/html"])))
        if "<table" in shown or markup.plain_text(shown):
            yield Block("table" if "<table" in shown else "prose", shown)
            return
    if "text/markdown" in data:
        kind = "warning" if plain.startswith("Warning: ") else "finding"
        yield Block(kind, markup.render_markdown(_joined(data["text/markdown"])))
    elif any("plotly" in key or "javascript" in key for key in data):
        yield Block(
            "text", "An interactive output: open notebook.ipynb beside this page to see it."
        )
    elif plain:
        yield Block("text", html.escape(_shortened(plain)))


def _error(outputs: Sequence[Mapping[str, Any]]) -> str:
    for output in outputs:
        if output["output_type"] == "error":
            said = ANSI.sub("", str(output["evalue"])).strip()
            name = str(output["ename"])
            return said if name == "InputError" else f"{name}: {said}" if said else name
    return ""


def _data_uri(kind: str, content: str) -> str:
    is_text = kind == "image/svg+xml"
    encoded = base64.b64encode(content.encode()).decode() if is_text else content
    encoded = re.sub(r"[^A-Za-z0-9+/=]", "", encoded)
    is_large = kind == "image/png" and len(encoded) > LARGE_PICTURE
    return f"data:{kind};base64,{_with_palette(encoded) if is_large else encoded}"


def _with_palette(encoded: str) -> str:
    """Return a figure with a palette of 256 colours: a third of the bytes, and hardly a difference.

    Photographs and what is no picture stay as they are; the notebook keeps every original.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - pages with figures only

    try:
        picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
        if picture.mode not in {"RGB", "RGBA"} or picture.getcolors(MOST_COLOURS) is None:
            return encoded
        few = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    except (ValueError, OSError, UnidentifiedImageError):
        return encoded
    smaller = io.BytesIO()
    few.save(smaller, format="png")
    return min(base64.b64encode(smaller.getvalue()).decode(), encoded, key=len)


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _shortened(text: str) -> str:
    """Return the beginning and the end of a very long text."""
    if len(text) <= LONGEST_STREAM:
        return text
    half = LONGEST_STREAM // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n… {left_out:,} characters left out …\n{text[-half:]}"
