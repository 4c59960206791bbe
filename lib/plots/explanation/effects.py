"""How predictions move with single columns: accumulated effects, partial dependence, rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from lib.plots.panels import class_colors, class_legend, compact, is_crowded, panel_title
from lib.plots.style import BLUE, GREY, ORANGE, figure_title, make_grid, say
from lib.plots.text import fit, of_many, short_labels, shorten, spread, text_width

if TYPE_CHECKING:  # no figure needs the packages that compute it
    from lib.explanation import Effects

PDP, ALE = "partial dependence", "accumulated local effect"  # as in `lib.explanation`
MAX_PANELS = 6
MAX_LEVELS = 12
MAX_CLASSES = 6
SECONDS_OF_A_DAY = 86_400


def plot_effects(
    effects: Effects,
    *,
    target: str,
    classes: Sequence[str] = (),
    unit: str = "probability",
    max_panels: int = MAX_PANELS,
) -> Figure:
    """Draw how the prediction moves with each of some columns, a panel each.

    Accumulated local effects with a band over folds, partial dependence (dashed), and single rows
    (thin). Of many classes only accumulated effects are drawn, a line a class.

    Parameters
    ----------
    effects : Effects
        As `explanation.compute_effects` returns it.
    target : str
        The target's own name, or what is predicted.
    classes : sequence of str
        The classes' own names, of a multiclass target.
    unit : str
        Of the predictions.
    max_panels : int
        Panels to draw, in the order of the effects.

    Returns
    -------
    matplotlib Figure
    """
    positions = list(dict.fromkeys(effects.curves["position"]))
    shown = positions[:max_panels]
    figure, axes = make_grid(len(shown), n_columns=3, width=3.6, height=3.0)
    label = f"change, {fit(unit, 1.2, 8.5)}"
    if not shown:
        axes[0].set(xlabel="value", ylabel=label, title="Nothing to draw")
        say(axes[0], "no column of numbers or categories varies")
    is_many = len(classes) > 2
    for ax, position in zip(axes, shown, strict=False):
        curves = effects.curves[effects.curves["position"] == position]
        single = effects.single[effects.single["position"] == position]
        if curves["kind"].iloc[0] == "categorical":
            _draw_levels(ax, curves, classes=classes if is_many else ())
            ax.set(xlabel=label, ylabel="category")
        else:
            is_date = curves["kind"].iloc[0] == "datetime"
            ax.set(xlabel="date" if is_date else "value", ylabel=label)
            _draw_curves(ax, curves, single, classes=classes if is_many else ())
        panel_title(ax, curves["column"].iloc[0], inches=2.5)
        ax.tick_params(labelsize=8)
        ax.xaxis.label.set_fontsize(8.5)
        ax.yaxis.label.set_fontsize(8.5)
    if is_many:
        class_legend(figure, classes, pd.Series(0, index=[0], name=target))
    elif shown:
        _method_legend(figure, has_single=len(effects.single) > 0)
    left_out = of_many(len(shown), len(positions), "columns drawn")
    figure_title(
        figure,
        f"How is '{shorten(target, 20)}' predicted over single columns?",
        "; ".join(filter(None, [left_out, "change against the mean prediction over the rows"])),
    )
    return figure


def _draw_curves(
    ax: Axes, curves: pd.DataFrame, single: pd.DataFrame, *, classes: Sequence[str]
) -> None:
    is_date = curves["kind"].iloc[0] == "datetime"
    scale = SECONDS_OF_A_DAY if is_date else 1
    if classes:
        outputs = _widest(curves, classes)
        for output, color in outputs.items():
            line = curves[(curves["method"] == ALE) & (curves["output"] == output)]
            ax.plot(line["x"] / scale, line["effect"], color=color)
    else:
        for _, row in single.groupby("row", sort=False):
            ax.plot(row["x"] / scale, row["effect"], color=GREY, alpha=0.22, linewidth=0.7)
        dependence, local = (curves[curves["method"] == method] for method in (PDP, ALE))
        x = local["x"] / scale
        ax.fill_between(x, local["low"], local["high"], color=BLUE, alpha=0.22, linewidth=0)
        ax.plot(x, local["effect"], color=BLUE)
        ax.plot(dependence["x"] / scale, dependence["effect"], color=ORANGE, linestyle="--")
        _frame(ax, curves, single)
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    if is_date:
        by_date = AutoDateLocator(minticks=3, maxticks=7)
        ax.xaxis.set_major_locator(by_date)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(by_date))
        return
    points = curves["x"].to_numpy(dtype=float)
    is_whole = bool(np.array_equal(points, np.round(points)))
    if is_crowded(points) and len(np.unique(points)) > 4:
        positive = points[points > 0]
        small = float(np.quantile(positive, 0.1))
        ax.set_xscale("symlog", linthresh=small, linscale=0.5)
        ax.set_xlim(float(points.min()), float(points.max()))
        decades = 10.0 ** np.arange(np.ceil(np.log10(small)), np.log10(points.max()) + 1)
        inside = [0.0, *decades[decades <= points.max()]]
        ax.xaxis.set_major_locator(FixedLocator(spread(inside, 5)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlabel("value (log scale)")
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=is_whole))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def _frame(ax: Axes, curves: pd.DataFrame, single: pd.DataFrame) -> None:
    """Show the curves in full, and of the single rows what does not squeeze them."""
    ends = curves[["effect", "low", "high"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    room = max(high - low, 1e-12)
    if len(single):
        inner = single["effect"].quantile([0.02, 0.98]).to_numpy(dtype=float)
        low = min(low, max(float(inner[0]), low - room))
        high = max(high, min(float(inner[1]), high + room))
    ax.set_ylim(low - 0.06 * (high - low + 1e-12), high + 0.06 * (high - low + 1e-12))


def _draw_levels(ax: Axes, curves: pd.DataFrame, *, classes: Sequence[str]) -> None:
    first = curves[(curves["method"] == ALE) & (curves["output"] == curves["output"].iloc[0])]
    frequent = np.argsort(-first["share"].to_numpy(dtype=float).round(9), kind="stable")
    kept = first["x"].to_numpy(dtype=float)[np.sort(frequent[:MAX_LEVELS])]
    places = np.arange(len(kept))
    outputs = _widest(curves, classes) if classes else {"": BLUE}
    for output, color in outputs.items():
        line = curves[(curves["method"] == ALE) & (curves["output"] == output)]
        line = line.set_index("x").loc[kept]
        if not classes:
            ax.hlines(places, line["low"], line["high"], color=color, linewidth=3, alpha=0.4)
        ax.scatter(line["effect"], places, color=color, s=24, zorder=3)
    if not classes:
        dependence = curves[curves["method"] == PDP].set_index("x").loc[kept]
        ax.scatter(
            dependence["effect"], places, marker="|", s=90, color=ORANGE, linewidths=2, zorder=4
        )
    names = first.set_index("x").loc[kept, "level"]
    ax.set_yticks(places, short_labels(names, 18, inches=1.1, size=8))
    ax.set_ylim(-0.6, len(kept) - 0.4)
    ax.axvline(0, color=GREY, linewidth=0.8, zorder=0)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def _widest(curves: pd.DataFrame, classes: Sequence[str]) -> dict[str, str]:
    """Return the colours of the classes that get one: the first six, as everywhere."""
    known = set(curves["output"])
    shown = [name for name in classes[:MAX_CLASSES] if name in known]
    return dict(zip(shown, class_colors(len(shown)), strict=True))


def _method_legend(figure: Figure, *, has_single: bool) -> None:
    """Name the lines to the right of all panels, for which the figure grows."""
    handles = [
        Line2D([], [], color=BLUE),
        Patch(color=BLUE, alpha=0.22),
        Line2D([], [], color=ORANGE, linestyle="--"),
        Line2D([], [], color=GREY, alpha=0.5, linewidth=0.8),
    ]
    labels = [ALE, "its interval over folds", PDP, "single rows"]
    n_shown = 4 if has_single else 3
    room = max(text_width(label, 9.5) for label in labels) + 0.6
    figure.set_figwidth(figure.get_figwidth() + room)
    figure.legend(handles[:n_shown], labels[:n_shown], loc="outside right upper")
