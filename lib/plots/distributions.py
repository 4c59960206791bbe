"""Small multiples: every column's distribution, every pair of numbers, every feature's target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy import stats

from lib import statistics
from lib.estimates import wilson
from lib.plots.panels import (
    compact,
    draw_distribution,
    is_crowded,
    panel_title,
    percent_axis,
)
from lib.plots.style import (
    BLUE,
    GREY,
    figure_title,
    make_axes,
    make_grid,
    of_many,
    say,
    short_labels,
    shorten,
)

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MAX_PANELS = 24
MAX_FEATURES = 9
MAX_CLASSES = 6
MAX_LEVELS = 12
MAX_POINTS = 1_000
MATRIX_COLUMNS = 5


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


def plot_scatter_matrix(
    table: Any,
    *,
    target: pd.Series | None = None,
    classes: Sequence[str] = (),
    max_columns: int = MATRIX_COLUMNS,
    max_rows: int = MAX_POINTS,
    random_state: int = 0,
) -> Figure:
    """Draw every pair of ordered columns as points, each column's distribution, each correlation.

    Parameters
    ----------
    table : DataFrame of pandas or polars
        Columns that are no numbers or dates are left out; the first ones are drawn.
    target : Series of shape (n,), optional
        Colours the points: codes of `classes`, or numbers from blue (low) to yellow (high).
    classes : sequence of str
        The classes' own names by code.
    max_columns, max_rows : int
        More are left out or sampled.
    random_state : int
        Seed of that sample.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> figure = plot_scatter_matrix({"x": [1, 2, 3, 4], "y": [1, 4, 9, 16]})
    >>> len(figure.axes)
    4
    """
    frame = statistics.as_frame(table)
    kinds = statistics.column_kinds(frame)
    ordered = [name for name in frame.columns if kinds[name] in {"numeric", "datetime"}]
    names = ordered[:max_columns]
    if len(names) < 2:
        ax = make_axes(None, height=3)
        _nothing(ax, "a scatter matrix needs two columns of numbers")
        return figure_titled(ax, "Fewer than two columns of numbers: no pairs to draw")
    rows = statistics.sample_rows(
        frame[names].assign(**{"": np.arange(len(frame))}), max_rows, random_state
    )
    positions = rows[""].to_numpy()
    numbers = [_finite(statistics.numbers_of(rows[name])) for name in names]
    crowded = [is_crowded(column) for column in numbers]
    values = np.column_stack(
        [np.log10(1 + x) if is_log else x for x, is_log in zip(numbers, crowded, strict=True)]
    )
    labels = short_labels(names, 20)
    labels = [f"log10(1 + {x})" if is_log else x for x, is_log in zip(labels, crowded, strict=True)]
    colors = _point_colors(target, classes, positions)
    size = len(names)
    figure, axes = plt.subplots(
        size, size, figsize=(2.0 * size + 0.6,) * 2, squeeze=False, layout="constrained"
    )
    for (i, j), ax in np.ndenumerate(axes):
        _draw_pair(ax, values[:, j], values[:, i], colors, is_diagonal=i == j, is_above=i < j)
        _label_outer(ax, labels, i, j)
    _class_legend(figure, classes, target)
    notes = [
        of_many(size, len(ordered), "columns of numbers drawn"),
        of_many(len(rows), len(frame), "rows drawn, sampled"),
        "above the diagonal: Spearman's correlation",
    ]
    figure_title(
        figure, f"How do {size} columns of numbers go together?", "; ".join(filter(None, notes))
    )
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
        codes, names = _frequent_levels(codes, names, kind)
        _draw_levels(ax, codes, y.to_numpy(dtype=float), task=task, n_classes=len(classes))
        ax.set_yticks(range(len(names)), short_labels(names, 18))
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set(xlabel=label, ylabel=_level_label(kind))
        panel_title(ax, feature, width=36)
        _small_text(ax)
    if task == "multiclass":
        _class_legend(figure, classes, y)
    title = f"How does '{shorten(target)}' change over its strongest features?"
    note = (
        "vertical line: all rows; bars: "
        + {
            "binary": "95 % interval of the share",
            "multiclass": "shares of the classes",
            "regression": "middle half of the rows, dot: median",
        }[task]
    )
    left_out = of_many(len(shown), len(screening), "features drawn, strongest first")
    figure_title(figure, title, "; ".join(filter(None, [left_out, note])))
    return figure


def figure_titled(ax: Axes, title: str) -> Figure:
    """Return the figure of a lone `ax`, titled."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure_title(figure, title)
    return figure


def _draw_levels(ax: Axes, codes: Codes, y: Floats, *, task: str, n_classes: int) -> None:
    n_levels = int(codes.max()) + 1
    if task == "multiclass":
        n_drawn = min(max(n_classes, int(y.max()) + 1), MAX_CLASSES)
        left = np.zeros(n_levels)
        counts = np.bincount(codes, minlength=n_levels)
        for code, color in zip(range(n_drawn), _class_colors(n_drawn), strict=True):
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
        positive = classes[1] if len(classes) > 1 else "positive"
        return f"rows with {shorten(target, 24)} = {shorten(positive, 10)}"
    return f"rows by {shorten(target, 24)}" if task == "multiclass" else shorten(target, 30)


def _level_label(kind: str) -> str:
    return {"categorical": "category", "text": "characters"}.get(kind, "value, in bins")


def _class_colors(n_classes: int) -> list[str]:
    colors = plt.rcParams["axes.prop_cycle"].by_key().get("color", [BLUE])
    return [colors[i % len(colors)] for i in range(n_classes)]


def _point_colors(target: pd.Series | None, classes: Sequence[str], positions: Codes) -> Any:
    if target is None:
        return BLUE
    values = target.to_numpy(dtype=float)[positions]
    if not len(classes):
        return plt.get_cmap("cividis")(stats.rankdata(values) / max(len(values), 1))
    colors = np.array([*_class_colors(min(len(classes), MAX_CLASSES)), GREY])
    return colors[np.minimum(values.astype(int), len(colors) - 1)]


def _draw_pair(
    ax: Axes, x: Floats, y: Floats, colors: Any, *, is_diagonal: bool, is_above: bool
) -> None:
    known = ~(np.isnan(x) | np.isnan(y))
    if is_diagonal:
        if known.any():
            ax.hist(x[known], bins=20, color=GREY)
    elif is_above:
        varies = known.sum() > 2 and np.ptp(x[known]) > 0 and np.ptp(y[known]) > 0
        r = stats.spearmanr(x[known], y[known]).statistic if varies else np.nan
        words = f"{r:.2f}" if np.isfinite(r) else "none"
        ax.text(
            0.5,
            0.5,
            words,
            transform=ax.transAxes,
            ha="center",
            va="center",
            size=9 + 7 * abs(np.nan_to_num(r)),
        )
        ax.grid(visible=False)
    else:
        shown = colors[known] if isinstance(colors, np.ndarray) else colors
        ax.scatter(x[known], y[known], c=shown, s=7, alpha=0.6, linewidths=0)


def _label_outer(ax: Axes, labels: Sequence[str], i: int, j: int) -> None:
    """Write names and ticks only at the left and the bottom; the inside stays quiet."""
    last = len(labels) - 1
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(3))
        axis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    ax.tick_params(labelsize=7.5, labelbottom=i == last, labelleft=j == 0 and i > 0)
    if i < j:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    if i == last:
        ax.set_xlabel(labels[j], size=9)
    if j == 0:
        ax.set_ylabel(labels[i], size=9)


def _class_legend(figure: Figure, classes: Sequence[str], target: pd.Series | None) -> None:
    if target is None or not len(classes):
        return
    shown = list(classes[:MAX_CLASSES])
    handles = [
        Line2D([], [], marker="o", linestyle="", color=color) for color in _class_colors(len(shown))
    ]
    labels = short_labels(shown, 20)
    if len(classes) > MAX_CLASSES:
        handles.append(Line2D([], [], marker="o", linestyle="", color=GREY))
        labels.append(f"{len(classes) - MAX_CLASSES:,} other classes")
    title = None if target.name is None else shorten(target.name, 20)
    figure.legend(handles, labels, loc="outside right upper", title=title)


def _finite(numbers: Floats) -> Floats:
    """Return numbers that a scatter plot can hold; infinities and giants are left out."""
    return np.where(np.abs(numbers) < 1e150, numbers, np.nan)


def _nothing(ax: Axes, words: str) -> None:
    ax.set(xlabel="value", ylabel="rows", title="Nothing to draw")
    say(ax, words)


def _small_text(ax: Axes) -> None:
    ax.tick_params(labelsize=8)
    ax.xaxis.label.set_fontsize(8.5)
    ax.yaxis.label.set_fontsize(8.5)
