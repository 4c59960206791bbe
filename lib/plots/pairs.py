"""Every pair of numbers as points, for paper; `interactive` has the page to play with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy import stats

from lib import statistics
from lib.plots.panels import MAX_CLASSES, class_colors, class_legend, compact, is_crowded
from lib.plots.style import BLUE, GREY, figure_of, figure_title, make_axes, say, set_title
from lib.plots.text import of_many, short_labels, shorten

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MAX_POINTS = 1_000
MATRIX_COLUMNS = 5
PANEL = 2.0  # inches


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
        return _no_pairs()
    positions = pd.DataFrame({"position": np.arange(len(frame))})
    positions = statistics.sample_rows(positions, max_rows, random_state)["position"].to_numpy()
    rows = frame[names].iloc[positions]
    numbers = [_finite(statistics.numbers_of(rows[name])) for name in names]
    is_date = [pd.api.types.is_datetime64_any_dtype(rows[name].dtype) for name in names]
    is_log = [is_crowded(x) and not d for x, d in zip(numbers, is_date, strict=True)]
    values = [np.log10(1 + x) if log else x for x, log in zip(numbers, is_log, strict=True)]
    scales = ["date" if d else "log" if log else "" for d, log in zip(is_date, is_log, strict=True)]
    colors = _point_colors(target, classes, positions)
    size, side = len(names), PANEL * len(names) + 0.6
    figure, axes = plt.subplots(
        size, size, figsize=(side, side), squeeze=False, layout="constrained"
    )
    for (i, j), ax in np.ndenumerate(axes):
        _draw_pair(ax, values[j], values[i], colors, is_diagonal=i == j, is_above=i < j)
    _label_outer(axes, names, scales)
    class_legend(figure, classes, target)
    notes = [
        of_many(size, len(ordered), "columns of numbers drawn"),
        of_many(len(rows), len(frame), "rows drawn, sampled"),
        "above the diagonal: Spearman's correlation",
        "" if target is None or len(classes) else _colour_note(target),
    ]
    figure_title(
        figure, f"How do {size} columns of numbers go together?", "; ".join(filter(None, notes))
    )
    return figure


def _no_pairs() -> Figure:
    ax = make_axes(None, height=3)
    ax.set(xlabel="column", ylabel="column")
    say(ax, "a scatter matrix needs two columns of numbers")
    set_title(ax, "Fewer than two columns of numbers: no pairs to draw")
    return figure_of(ax)


def _colour_note(target: pd.Series) -> str:
    name = "the target" if target.name is None else f"'{shorten(target.name)}'"
    return f"colour: {name} from low (blue) to high (yellow), by rank"


def _point_colors(target: pd.Series | None, classes: Sequence[str], positions: Codes) -> Any:
    if target is None:
        return BLUE
    values = target.to_numpy(dtype=float)[positions]
    if not len(classes):
        ranks = stats.rankdata(values) / max(len(values), 1)
        return plt.get_cmap("cividis")(0.92 * ranks)  # the lightest yellow is lost on white
    colors = np.array([*class_colors(min(len(classes), MAX_CLASSES)), GREY])
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
        size = 9 + 7 * abs(np.nan_to_num(r))
        ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", size=size)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.grid(visible=False)
    else:
        shown = colors[known] if isinstance(colors, np.ndarray) else colors
        ax.scatter(x[known], y[known], c=shown, s=7, alpha=0.6, linewidths=0)


def _label_outer(axes: Any, names: Sequence[str], scales: Sequence[str]) -> None:
    """Write names and ticks only at the left and the bottom; the inside stays quiet."""
    labels = [
        f"{label}\nlog10(1 + value)" if scale == "log" else label
        for label, scale in zip(
            short_labels(names, inches=PANEL - 0.35, size=9), scales, strict=True
        )
    ]
    for (i, j), ax in np.ndenumerate(axes):
        for axis, scale in ((ax.xaxis, scales[j]), (ax.yaxis, scales[i])):
            if i >= j:
                axis.set_major_locator(MaxNLocator(3))
                axis.set_major_formatter(FuncFormatter(_write_day if scale == "date" else _write))
        ax.tick_params(labelsize=7.5)
        ax.set_xlabel(labels[j], size=9)
        ax.set_ylabel("rows" if i == j == 0 else labels[i], size=9)
        ax.label_outer(remove_inner_ticks=i < j)
        if i == j > 0:
            ax.tick_params(left=False)  # counts of the diagonal have no scale of their own


def _write(value: float, _: int) -> str:
    return compact(value)


def _write_day(seconds: float, _: int) -> str:
    return str(np.datetime64(int(seconds), "s").astype("datetime64[D]"))


def _finite(numbers: Floats) -> Floats:
    """Return numbers that a scatter plot can hold; infinities and giants are left out."""
    return np.where(np.abs(numbers) < 1e150, numbers, np.nan)
