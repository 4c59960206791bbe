"""A page to play with: every pair of numbers, brushed and zoomed together."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from lib import statistics
from lib.plots.text import shorten

MAX_ROWS = 1_000
MAX_COLUMNS = 7
MAX_CLASSES = 12
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ font: 15px/1.5 system-ui, sans-serif; margin: 1rem; color: #222; background: #fff }}
h1 {{ font-size: 1.15rem; margin: 0 }} p {{ margin: 0.3rem 0; color: #555 }}</style></head>
<body><h1>{title}</h1><p>{note}</p>
<p id="wait">Unpacking the figure…</p>
<script id="plotly" type="application/gzip;base64">{script}</script>
<template id="figure">{figure}</template>
<script>
(async () => {{
  const wait = document.getElementById("wait");
  if (!window.DecompressionStream) {{
    wait.textContent = "This figure needs a browser of 2023 or newer.";
    return;
  }}
  const packed = atob(document.getElementById("plotly").textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const run = (code) => {{
    const script = document.createElement("script");
    script.textContent = code;
    document.body.append(script);
  }};
  run(await new Response(unpacked).text());
  const drawn = document.getElementById("figure").content;
  const scripts = [...drawn.querySelectorAll("script")];
  scripts.forEach((script) => script.remove());
  document.body.append(drawn);
  scripts.forEach((script) => run(script.textContent));
  wait.remove();
}})();
</script>
</body></html>
"""


def make_scatter_matrix_page(
    table: Any,
    *,
    title: str,
    target: pd.Series | None = None,
    classes: Sequence[str] = (),
    max_rows: int = MAX_ROWS,
    max_columns: int = MAX_COLUMNS,
    random_state: int = 0,
) -> str:
    """Return an interactive scatter matrix as one HTML page that needs no network.

    Parameters
    ----------
    table : DataFrame of pandas or polars
        Columns that are no numbers or dates are left out; the first ones are drawn.
    title : str
        Heading of the page.
    target : Series of shape (n,), optional
        Colours the points: codes of `classes`, or numbers.
    classes : sequence of str
        The classes' own names by code.
    max_rows, max_columns : int
        More are sampled or left out, and the page says so.
    random_state : int
        Seed of that sample.

    Returns
    -------
    str
        HTML with plotly's script inside, packed (2 MB; plotly ships no smaller bundle that knows
        this kind of figure, and a browser of 2023 or newer unpacks it); names are escaped.

    Examples
    --------
    >>> page = make_scatter_matrix_page({"x": [1, 2], "<b>": [3, 4]}, title="Pairs")
    >>> "<b>" in page.split("<script", 1)[0], "<title>Pairs</title>" in page
    (False, True)
    """
    import plotly.graph_objects as go  # noqa: PLC0415 (half a second)
    from plotly.io import to_html  # noqa: PLC0415

    frame = statistics.as_frame(table)
    kinds = statistics.column_kinds(frame)
    ordered = [name for name in frame.columns if kinds[name] in {"numeric", "datetime"}]
    positions = pd.DataFrame({"position": np.arange(len(frame))})
    positions = statistics.sample_rows(positions, max_rows, random_state)["position"].to_numpy()
    rows = frame[ordered[:max_columns]].iloc[positions]
    figure = go.Figure(_traces(rows, None if target is None else target.iloc[positions], classes))
    side = max(160 * min(len(ordered), max_columns), 420)
    figure.update_layout(
        height=side, width=side + 160, dragmode="select", template="plotly_white", margin={"t": 20}
    )
    note = (
        f"{len(rows):,} of {len(frame):,} rows, {rows.shape[1]} of {len(ordered)} columns of "
        "numbers. Drag over points to select them in every panel; double-click to let go."
    )
    drawn = to_html(
        figure, full_html=False, include_plotlyjs=False, include_mathjax=False, div_id="pairs"
    )
    return PAGE.format(
        title=escape(title), note=escape(note), figure=drawn, script=_packed_plotly()
    )


@cache
def _packed_plotly() -> str:
    """Return plotly's script as base64 of gzip: a third of its size, the same bytes each time."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 (half a second)

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6, mtime=0)).decode()


def _traces(rows: pd.DataFrame, target: pd.Series | None, classes: Sequence[str]) -> list[Any]:
    import plotly.graph_objects as go  # noqa: PLC0415

    values = {name: _drawable(rows[name]) for name in rows.columns}

    def make_trace(chosen: Any, **settings: Any) -> Any:
        dimensions = [
            {"label": escape(shorten(name, 24)), "values": column[chosen]}
            for name, column in values.items()
        ]
        return go.Splom(
            dimensions=dimensions, diagonal_visible=False, showupperhalf=False, **settings
        )

    marker = {"size": 4, "opacity": 0.65}
    if target is None:
        return [make_trace(slice(None), marker={**marker, "color": COLORS[0]})]
    codes = target.to_numpy(dtype=float)
    if not len(classes):
        title = "target" if target.name is None else escape(shorten(target.name, 24))
        bar = {"title": {"text": title}}
        colored = {**marker, "color": codes, "colorscale": "Cividis", "colorbar": bar}
        colored["showscale"] = True
        return [make_trace(slice(None), marker=colored)]
    return [
        make_trace(
            codes == code,
            name=escape(shorten(classes[code], 24)),
            marker={**marker, "color": COLORS[code % len(COLORS)]},
        )
        for code in range(min(len(classes), MAX_CLASSES))
    ]


def _drawable(column: pd.Series) -> Any:
    """Return values that JSON can carry: finite numbers, or dates as text."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.dt.strftime("%Y-%m-%d %H:%M:%S").to_numpy(dtype=object)
    numbers = statistics.numbers_of(column)
    return np.where(np.isfinite(numbers), numbers, np.nan)
