"""Small multiples: every column's distribution, every pair of numbers, every feature's target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lib import statistics
from lib.estimates import wilson
from lib.plots.panels import (
    MAX_CLASSES,
    class_colors,
    class_legend,
    compact,
    draw_distribution,
    panel_title,
    percent_axis,
)
from lib.plots.style import BLUE, GREY, figure_title, make_grid, say
from lib.plots.text import fit, of_many, short_labels, shorten

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MAX_PANELS = 24
MAX_FEATURES = 9
MAX_LEVELS = 12


def plot_distributions(table: Any, *, max_columns: int = MAX_PANELS) -> Figure:
    """Draw how each column is distributed, a panel each.

    Parameters
    ----------
    table : DataFrame of pandas or polars
        Any table.
    max_columns : int
        Panels to draw, in the table's order.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> figure = plot_distributions({"age": [31, 45, 62], "plan": ["a", "b", "a"]})
    >>> [ax.get_title() for ax in figure.axes]
    ['age', 'plan']
    """
    frame = statistics.as_frame(table)
    shown = frame.iloc[:, :max_columns]
    kinds = statistics.column_kinds(shown)
    figure, axes = make_grid(shown.shape[1], n_columns=4, width=3.1, height=2.2)
    for ax, name in zip(axes, shown.columns, strict=False):
        draw_distribution(ax, shown[name], str(kinds[name]), max_bars=8)
        panel_title(ax, name)
        _small_text(ax)
    if not shown.shape[1]:
        _nothing(axes[0], "the table has no columns")
    left_out = of_many(shown.shape[1], frame.shape[1], "columns drawn, in the table's order")
    figure_title(figure, f"How are the columns distributed over {len(frame):,} rows?", left_out)
    return figure


def plot_target_panel(
    X: pd.DataFrame,
    y: pd.Series,
    screening: pd.DataFrame,
    *,
    task: Literal["binary", "multiclass", "regression"],
    target: str,
    classes: Sequence[str] = (),
    max_features: int = MAX_FEATURES,
) -> Figure:
    """Draw how the target changes over the levels of its strongest features.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        Features.
    y : Series of shape (n,)
        Codes of `classes`, or numbers.
    screening : DataFrame with columns feature, kind, strength
        As `statistics.compare_with_target` returns it, strongest first.
    task : {"binary", "multiclass", "regression"}
        Binary: share of the second class with Wilson's interval. Multiclass: shares of all.
        Regression: median and middle half.
    target : str
        The target's own name.
    classes : sequence of str
        The classes' own names by code.
    max_features : int
        Panels to draw.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> X = pd.DataFrame({"x": [1, 2, 3, 4] * 20})
    >>> y = (X["x"] > 2).astype(int)
    >>> table = statistics.compare_with_target(X, y, task="binary")
    >>> figure = plot_target_panel(X, y, table, task="binary", target="rich", classes=["n", "y"])
    >>> figure.axes[0].get_title()
    'x'
    """
    shown = screening[[np.isfinite(e.value) for e in screening["strength"]]].head(max_features)
    figure, axes = make_grid(len(shown), n_columns=3, width=4.0, height=3.0)
    if not len(shown):
        _nothing(axes[0], "no feature varies")
    label = _target_label(task, target, classes)
    for ax, feature, kind in zip(axes, shown["feature"], shown["kind"], strict=False):
        codes, names = statistics.feature_levels(X[feature], kind)
        if kind == "datetime":  # the first day of each, as there is no room for both
            names = [name.partition(" to ")[0] for name in names]
        codes, names = _frequent_levels(codes, names, kind)
        _draw_levels(ax, codes, y.to_numpy(dtype=float), task=task, n_classes=len(classes))
        ax.set_yticks(range(len(names)), short_labels(names, 18, inches=1.15, size=8))
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set(xlabel=label, ylabel=_level_label(kind))
        panel_title(ax, feature, inches=2.4)
        _small_text(ax)
    if task == "multiclass":
        class_legend(figure, classes, y)
    title = f"How does '{shorten(target)}' change over its strongest features?"
    note = {
        "binary": "dashed: all rows; bars: 95 % interval of the share",
        "multiclass": "bars: shares of the classes",
        "regression": "dashed: median of all rows; bars: middle half of the rows, dot: median",
    }[task]
    left_out = of_many(len(shown), len(screening), "features drawn, strongest first")
    figure_title(figure, title, "; ".join(filter(None, [left_out, note])))
    return figure


def _draw_levels(ax: Axes, codes: Codes, y: Floats, *, task: str, n_classes: int) -> None:
    n_levels = int(codes.max()) + 1
    if task == "multiclass":
        n_drawn = min(max(n_classes, int(y.max()) + 1), MAX_CLASSES)
        left = np.zeros(n_levels)
        counts = np.bincount(codes, minlength=n_levels)
        for code, color in zip(range(n_drawn), class_colors(n_drawn), strict=True):
            share = np.bincount(codes, weights=y == code, minlength=n_levels) / np.maximum(
                counts, 1
            )
            ax.barh(np.arange(n_levels), share, left=left, color=color, height=0.8)
            left += share
        percent_axis(ax)
        return
    positions = np.arange(n_levels)
    if task == "binary":
        ends = np.array([_share_of(y[codes == code]) for code in positions])
        ax.axvline(float(y.mean()), color=GREY, linewidth=1.2, linestyle="--")
        percent_axis(ax)
    else:
        quantiles = [0.5, 0.25, 0.75]
        ends = np.array([np.quantile(y[codes == code], quantiles) for code in positions])
        ax.axvline(float(np.median(y)), color=GREY, linewidth=1.2, linestyle="--")
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    ax.hlines(positions, ends[:, 1], ends[:, 2], color=BLUE, linewidth=3, alpha=0.5)
    ax.scatter(ends[:, 0], positions, color=BLUE, s=26, zorder=3)


def _share_of(outcomes: Floats) -> tuple[float, float, float]:
    share = wilson(int(outcomes.sum()), len(outcomes))
    return share.value, share.low, share.high


def _frequent_levels(codes: Codes, names: list[str], kind: str) -> tuple[Codes, list[str]]:
    """Keep the most frequent categories, so that names stay readable; bins all stay."""
    if kind != "categorical" or len(names) <= MAX_LEVELS:
        return codes, names
    kept = np.sort(np.argsort(-np.bincount(codes), kind="stable")[: MAX_LEVELS - 1])
    lookup = np.full(len(names), len(kept))
    lookup[kept] = np.arange(len(kept))
    return lookup[codes], [*(names[i] for i in kept), f"({len(names) - len(kept):,} others)"]


def _target_label(task: str, target: str, classes: Sequence[str]) -> str:
    if task == "binary":
        positive = fit(classes[1] if len(classes) > 1 else "positive", 0.5, 8.5)
        return f"rows with {fit(target, 1.1, 8.5)} = {positive}"
    return f"rows by {fit(target, 1.6, 8.5)}" if task == "multiclass" else fit(target, 2.4, 8.5)


def _level_label(kind: str) -> str:
    return {"categorical": "category", "text": "characters", "datetime": "first day, in bins"}.get(
        kind, "value, in bins"
    )


def _nothing(ax: Axes, words: str) -> None:
    ax.set(xlabel="value", ylabel="rows", title="Nothing to draw")
    say(ax, words)


def _small_text(ax: Axes) -> None:
    ax.tick_params(labelsize=8)
    ax.xaxis.label.set_fontsize(8.5)
    ax.yaxis.label.set_fontsize(8.5)
