"""Training and test rows side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.style import BLUE, GREY, ORANGE, legend_below, make_axes, say, set_title
from lib.plots.text import of_many, short_labels, shorten

MAX_COLUMNS = 30
COLORS = {"same": GREY, "differs": BLUE, "shifted": ORANGE}
WORDS = {
    "same": "no sign of a difference",
    "differs": "differs, though little",
    "shifted": "shifted: differs notably",
}


def plot_drift(
    drift: pd.DataFrame, *, max_columns: int = MAX_COLUMNS, ax: Axes | None = None
) -> Axes:
    """Draw how differently each column is distributed in two samples, most different on top.

    Parameters
    ----------
    drift : DataFrame with columns column, distance, verdict
        As `statistics.compare_samples` returns it.
    max_columns : int
        Columns to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> table = pd.DataFrame({"column": ["x"], "distance": [0.02], "verdict": ["same"]})
    >>> plot_drift(table).get_title()
    'Training and test rows show no sign of a difference in 1 column'
    """
    rank = drift["verdict"].map(list(reversed(WORDS)).index)
    ordered = drift.assign(rank=rank).sort_values(
        ["rank", "distance"], ascending=[True, False], kind="stable"
    )
    shown = ordered.dropna(subset="distance").head(max_columns)
    ax = make_axes(ax, height=1.7 + 0.27 * max(len(shown), 3))
    ax.set(xlabel="distance of the two distributions, 0 equal to 1 apart", ylabel="column")
    positions = np.arange(len(shown))
    if not len(shown):
        say(ax, "no column can be compared")
    for verdict, words in WORDS.items():
        chosen = (shown["verdict"] == verdict).to_numpy()
        if chosen.any():
            ax.barh(
                positions[chosen],
                shown["distance"][chosen],
                height=0.6,
                color=COLORS[verdict],
                label=words,
            )
    if len(shown):
        ax.set_yticks(positions, short_labels(shown["column"]))
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_xlim(0, min(max(float(shown["distance"].max()) * 1.25, 0.1), 1.02))
        legend_below(ax)
        ax.grid(visible=False, axis="y")
    left_out = of_many(len(shown), len(drift), "columns drawn")
    if left_out:
        ax.set_xlabel(f"distance, 0 equal to 1 apart ({left_out})")
    set_title(ax, _claim(drift))
    return ax


def _claim(drift: pd.DataFrame) -> str:
    n_shifted = int((drift["verdict"] == "shifted").sum())
    n_differing = int((drift["verdict"] == "differs").sum())
    columns = "column" if len(drift) == 1 else "columns"
    if not n_shifted + n_differing:
        return f"Training and test rows show no sign of a difference in {len(drift):,} {columns}"
    first = shorten(drift["column"].iloc[0])
    title = (
        f"Training and test rows differ in {n_shifted + n_differing:,} of {len(drift):,} {columns}"
    )
    return (
        f"{title}, notably in {n_shifted:,}; most in '{first}'"
        if n_shifted
        else f"{title}, in none notably"
    )
