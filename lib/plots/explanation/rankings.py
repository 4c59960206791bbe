"""Rankings of columns with their intervals and their disagreement, and subgroups side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lib.plots.explanation.contributions import column_label
from lib.plots.panels import compact, draw_dots, panel_title, percent
from lib.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    figure_title,
    legend_below,
    make_axes,
    make_grid,
    say,
    set_title,
)
from lib.plots.text import of_many, short_labels, shorten

MATTERS, QUOTE, UNSTABLE = "matters", "quote", "unstable, do not quote"  # of `lib.explanation`
MAX_ROWS = 15
MAX_LEVELS = 16
MARKERS = ("o", "s", "^", "D", "v", "P")


def plot_importance(
    table: pd.DataFrame,
    *,
    scoring: str,
    things: str = "columns",
    max_rows: int = MAX_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """Draw what the score loses when columns are shuffled, with intervals, the largest on top.

    Parameters
    ----------
    table : DataFrame with columns what, importance, verdict
        As `columns` or `clusters` of `explanation.PermutationImportance`.
    scoring : str
        The metric's words.
    things : str
        What is ranked: "columns" or "clusters of columns".
    max_rows : int
        Rows to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    shown = table.head(max_rows)
    ax = make_axes(ax, height=1.7 + 0.29 * max(len(shown), 3))
    estimates = list(shown["importance"])
    clear = (shown["verdict"] == MATTERS).to_numpy()
    colors = [BLUE if sure else GREY for sure in clear]
    draw_dots(ax, shown["what"].tolist(), estimates, colors=colors, width=34)
    values = [e.value for e in estimates]
    ax.barh(range(len(shown)), values, color=colors, alpha=0.25, height=0.62)
    ax.axvline(0, color=GREY, linewidth=1.2, zorder=0)
    ax.set(
        xlabel=f"score lost when shuffled: {scoring}",
        ylabel=column_label(len(shown), len(table)).replace("column", things, 1),
    )
    ax.xaxis.set_major_locator(MaxNLocator(6))
    for color, word in ((BLUE, "matters after correction"), (GREY, "no sign")):
        ax.scatter([], [], color=color, label=word)
    legend_below(ax)
    n_clear = int((table["verdict"] == MATTERS).sum())
    first = f"; most: '{shorten(table['what'].iloc[0], 34)}'" if n_clear else ""
    set_title(ax, f"{n_clear} of {len(table)} {things} matter beyond chance{first}")
    return ax


def plot_shuffles(
    table: pd.DataFrame, *, what: str, max_rows: int = MAX_ROWS, ax: Axes | None = None
) -> Axes:
    """Draw the mean and standard deviation over shuffles of a column, the largest on top.

    Parameters
    ----------
    table : DataFrame with columns column, mean, std
        Of `ModelInterpreter.permutation_importance_analysis`.
    what : str
        What shuffling changes.
    max_rows : int
        Rows to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> table = pd.DataFrame({"column": ["a", "b"], "mean": [0.2, 0.0], "std": [0.01, 0.0]})
    >>> plot_shuffles(table, what="loss of R²").get_title()
    "Shuffling 'a' changes most: 0.2"
    """
    shown = table.head(max_rows)
    ax = make_axes(ax, height=1.5 + 0.29 * max(len(shown), 3))
    places = np.arange(len(shown))
    ax.barh(
        places,
        shown["mean"],
        xerr=shown["std"].fillna(0),
        color=BLUE,
        height=0.66,
        ecolor="#333333",
    )
    ax.set_yticks(places, short_labels(shown["column"]))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.axvline(0, color=GREY, linewidth=1.2)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.set(
        xlabel=f"{what}; line: standard deviation over shuffles",
        ylabel=column_label(len(shown), len(table)),
    )
    first = table.iloc[0] if len(table) else None
    is_any = first is not None and first["mean"] > 0
    set_title(
        ax,
        f"Shuffling '{shorten(first['column'])}' changes most: {first['mean']:.3g}"
        if first is not None and is_any
        else "Shuffling no column changes anything",
    )
    return ax


def plot_agreement(
    judged: pd.DataFrame,
    *,
    methods: Sequence[str],
    n_top: int,
    max_rows: int = MAX_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """Draw where each method ranks each column, and how far ranks move over folds and seeds.

    Parameters
    ----------
    judged : DataFrame
        As `explanation.judge_columns` returns it.
    methods : sequence of str
        Columns of `judged` that hold median ranks.
    n_top : int
        Ranks that count as the top.
    max_rows : int
        Columns to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    shown = judged.head(max_rows)
    ax = make_axes(ax, height=1.9 + 0.31 * max(len(shown), 3))
    places = np.arange(len(shown))
    colors = shown["verdict"].map({QUOTE: GREEN, UNSTABLE: ORANGE}).fillna(GREY).tolist()
    ax.axvspan(0.5, n_top + 0.5, color=GREEN, alpha=0.08, linewidth=0)
    ax.hlines(places, shown["best_rank"], shown["worst_rank"], colors=colors, linewidth=2.2)
    offsets = np.linspace(-0.2, 0.2, len(methods)) if len(methods) > 1 else [0.0]
    for method, marker, offset in zip(methods, MARKERS, offsets, strict=False):
        ax.scatter(
            shown[method],
            places + offset,
            marker=marker,
            c=colors,
            s=34,
            zorder=3,
            edgecolors="white",
            linewidths=0.6,
        )
        ax.scatter([], [], marker=marker, color="#444444", s=34, label=method)
    for color, word in ((GREEN, QUOTE), (ORANGE, UNSTABLE), (GREY, "not among the top")):
        ax.plot([], [], color=color, linewidth=2.2, label=word)
    ax.set_yticks(places, short_labels(shown["column"]))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0.4, max(float(shown["worst_rank"].max()), n_top) + 0.6 if len(shown) else 1.6)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    ax.grid(visible=False, axis="y")
    ax.set(
        xlabel="rank, 1 is the most important; line: best to worst over folds and seeds",
        ylabel=column_label(len(shown), len(judged)),
    )
    legend_below(ax)
    n_quote = int((judged["verdict"] == QUOTE).sum())
    n_unstable = int((judged["verdict"] == UNSTABLE).sum())
    noun = "column is" if n_quote == 1 else "columns are"
    set_title(
        ax,
        f"{n_quote} {noun} in the top {n_top} whoever ranks; {n_unstable} "
        f"{'depends' if n_unstable == 1 else 'depend'} on method, fold or seed",
    )
    return ax


def plot_subgroups(
    table: pd.DataFrame, *, level: float = 0.95, max_levels: int = MAX_LEVELS
) -> Figure:
    """Draw how much each part of the rows differs from all others, a panel a measure.

    Parameters
    ----------
    table : DataFrame
        As `explanation.compare_subgroups` returns it.
    level : float
        Coverage of the intervals, for the words.
    max_levels : int
        Parts to draw, in the order of the table.

    Returns
    -------
    matplotlib Figure
    """
    measures = list(dict.fromkeys(table["measure"]))
    figure, axes = make_grid(
        len(measures), n_columns=3, width=4.0, height=1.3 + 0.24 * _n_parts(table, max_levels)
    )
    if not measures:
        axes[0].set(xlabel="difference", ylabel="part of the rows", title="Nothing to compare")
        say(axes[0], "no column splits the rows into large enough parts")
        figure_title(figure, "No subgroups to compare")
        return figure
    n_parts = 0
    for ax, measure in zip(axes, measures, strict=True):
        part = table[table["measure"] == measure]
        n_parts = len(part)
        part = part.head(max_levels)
        colors = [ORANGE if verdict == "differs" else BLUE for verdict in part["verdict"]]
        names = [f"{row.column}: {row.level}" for row in part.itertuples()]
        draw_dots(ax, names, list(part["difference"]), colors=colors, width=26)
        ax.set_yticks(range(len(part)), short_labels(names, 26, inches=1.5, size=8))
        ax.axvline(0, color=GREY, linestyle="--", linewidth=1, zorder=0)
        ax.set(xlabel="difference to all other rows", ylabel="part of the rows")
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
        panel_title(ax, measure, inches=2.6)
        ax.tick_params(labelsize=8)
        ax.xaxis.label.set_fontsize(8.5)
        ax.yaxis.label.set_fontsize(8.5)
    n_differ = int((table["verdict"] == "differs").sum())
    n_tests = int(table["p"].notna().sum())
    left_out = of_many(min(n_parts, max_levels), n_parts, "parts drawn")
    note = f"bars: {percent(level)} interval; orange: differs after Holm's correction"
    figure_title(
        figure,
        f"Is the model alike for all parts? {n_differ} of {n_tests} differences are beyond chance",
        "; ".join(filter(None, [left_out, note])),
    )
    return figure


def _n_parts(table: pd.DataFrame, most: int) -> int:
    parts = table[["column", "level"]].drop_duplicates()
    return int(np.clip(len(parts), 3, most))
