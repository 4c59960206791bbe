"""Figures of the earlier pages, taken from their executed notebooks and made small."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.report.final.inputs import Inputs
from lib.report.final.parts import Block, Part

# Pixels; the next one is taken where the page grows too large, 0 leaves links in place of figures.
WIDTHS = (1400, 1100, 900, 700, 0)
COLOURS = 64


@dataclass
class Pictures:
    """The figures of executed notebooks, each shown once.

    Attributes
    ----------
    inputs : Inputs
        The earlier analyses.
    width : int
        Of the widest figure, in pixels.
    """

    inputs: Inputs
    width: int = WIDTHS[0]
    shown: set[tuple[str, int]] = field(default_factory=set)

    def find(self, number: str, *names: str) -> Block | None:
        """Return a figure of an analysis.

        Parameters
        ----------
        number : str
            Of the analysis.
        *names : str
            Parts of cell titles, the preferred first; where none fits, the first figure is taken.

        Returns
        -------
        Block or None
            None when there is no figure, or all are shown already.
        """
        given = self.inputs.by_number[number]
        figures = list(_figures(self.inputs.folder / given.name / "notebook.ipynb"))
        free = [i for i in range(len(figures)) if (number, i) not in self.shown]
        named = (i for n in names for i in free if n.lower() in figures[i][0].lower())
        chosen = next(named, free[0] if free else None)
        if chosen is None:
            return None
        self.shown.add((number, chosen))
        title, heading, image = figures[chosen]
        href = f"../../{given.name}/page.html"
        return Block(
            "figure",
            lines=[
                (
                    Part(f"{heading or title} ", number, kind="quote"),
                    Part(f"{number} · {given.title}", number, href, "link"),
                )
            ],
            title=f"Figure of analysis {number}, {given.title}: {title}",
            source=number,
            href=href,
            image=_as_address(image, self.width) if self.width else "",
        )


def _figures(notebook: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (cell title, heading above it, base64) of every figure of a notebook."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return
    heading = ""
    for cell in cells:
        source = _joined(cell["source"])
        if cell["cell_type"] == "markdown":
            found = [line.lstrip("# ") for line in source.splitlines() if line.startswith("## ")]
            heading = found[-1] if found else heading
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                title = str(cell.get("metadata", {}).get("title") or source.splitlines()[0])
                yield title, heading, _joined(output["data"]["image/png"])


def _as_address(encoded: str, width: int) -> str:
    return f"data:image/png;base64,{_made_small(encoded, width)}"


def _made_small(encoded: str, width: int) -> str:
    """Return a figure at most `width` pixels wide, with few colours."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - pages with figures only

    try:
        opened: Any = Image.open(io.BytesIO(base64.b64decode(encoded)))
        picture = Image.new("RGB", opened.size, "white")
        picture.paste(opened, mask=opened.getchannel("A") if opened.mode == "RGBA" else None)
        if picture.width > width:
            height = round(picture.height * width / picture.width)
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    except (ValueError, OSError, UnidentifiedImageError):
        return "".join(encoded.split())
    smaller = io.BytesIO()
    few.save(smaller, format="png", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode()


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)
