"""What one panel shows: a histogram, counts of levels, dots with intervals, a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from lib.plots.style import BLUE, GREY, cell_width, say
from lib.plots.text import fit, of_many, short_labels, text_width
from lib.statistics import numbers_of
from lib.statistics.columns import levels_of

Floats = npt.NDArray[np.float64]
N_BINS = 30
MAX_CLASSES = 6  # classes that get a colour of their own
MAX_BARS = 12  # values or levels that still get a bar each
SECONDS_OF_A_DAY = 86_400
PANEL_TITLE = 10.5  # points
WIDEST = 1e300  # beyond, a difference of two values is no float any more


def draw_distribution(ax: Axes, column: pd.Series, kind: str, *, max_bars: int = MAX_BARS) -> None:
    """Draw how one column is distributed, as its kind asks, and say what is left out.

    Parameters
    ----------
    ax : matplotlib Axes
        Gets labels but no title.
    column : Series
        Any column.
    kind : str
        As `statistics.column_kinds` says.
    max_bars : int
        Levels to draw; the most frequent ones are kept.
    """
    if kind == "empty":
        ax.set(xlabel="value", ylabel="rows")
        say(ax, "every value is missing")
    elif kind == "text":
        lengths = column.dropna().map(str).str.len().to_numpy(dtype=float)
        draw_histogram(ax, lengths, label="characters of text")
    elif kind == "datetime" and not pd.api.types.is_timedelta64_dtype(column.dtype):
        draw_histogram(ax, numbers_of(column), label="date", is_date=True)
    elif kind in {"numeric", "datetime"} and not _has_few_values(column, max_bars):
        draw_histogram(ax, numbers_of(column))
    else:
        draw_level_counts(ax, column, max_bars=max_bars)


def draw_histogram(
    ax: Axes, numbers: Floats, *, label: str = "value", is_date: bool = False
) -> None:
    """Draw a histogram of the finite numbers; what it leaves out is counted in the label.

    Amounts that crowd near zero are drawn on a log scale, without the zeros.
    """
    finite = numbers[np.isfinite(numbers)]
    ax.set(xlabel=label, ylabel="rows")
    if not len(finite):
        say(ax, "no finite value")
        return
    n_infinite = len(numbers) - len(finite) - int(np.isnan(numbers).sum())
    notes = [f"{n_infinite:,} infinite"] if n_infinite else []
    if not is_date and is_crowded(finite):
        positive = finite[finite > 0]
        edges = np.geomspace(positive.min(), positive.max(), N_BINS + 1)
        edges[[0, -1]] = positive.min(), positive.max()
        counts, inside = np.histogram(positive, bins=edges)[0], positive
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_locator(LogLocator(numticks=5))
        n_zero = len(finite) - len(positive)
        notes = [
            "log scale",
            *([f"{percent(n_zero / len(finite))} are 0"] if n_zero else []),
            *notes,
        ]
    else:
        low, high = _drawn_range(finite)
        if not high - low < WIDEST:
            say(ax, f"values from {low:.3g} to {high:.3g}: too far apart to draw")
            return
        inside = finite[(finite >= low) & (finite <= high)]
        notes += [f"{len(finite) - len(inside):,} beyond"] if len(inside) < len(finite) else []
        counts, edges = np.histogram(inside, bins=_edges(inside))
        ax.xaxis.set_major_locator(MaxNLocator(4))
    if is_date:
        _date_axis(ax)
        edges = edges / SECONDS_OF_A_DAY
    ax.stairs(counts, edges, fill=True, color=BLUE)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    if notes:
        ax.set_xlabel(f"{label} ({', '.join(notes)})")
    _readable_ticks(ax, is_date=is_date)


def is_crowded(numbers: Floats) -> bool:
    """Return whether amounts pile up near zero while a few reach far.

    Parameters
    ----------
    numbers : array of float
        NaN is ignored.

    Returns
    -------
    bool
        Whether a log scale shows more.

    Examples
    --------
    >>> is_crowded(np.r_[np.zeros(90), np.geomspace(1, 1000, 10)]), is_crowded(np.arange(100.0))
    (True, False)
    """
    known = numbers[np.isfinite(numbers)]
    if not len(known) or known.min() < 0 or known.max() <= 0:
        return False
    positive = known[known > 0]
    reach = float(positive.max())
    if reach / 30 < float(positive.min()) or float(positive.min()) < 1e-300:
        return False
    return bool(np.mean(known < reach / 20) > 0.6)


def draw_level_counts(ax: Axes, column: pd.Series, *, max_bars: int = MAX_BARS) -> None:
    """Draw the rows of each level: values in their order, categories by frequency."""
    known = column.dropna()
    if pd.api.types.is_numeric_dtype(known.dtype):
        counts = known.astype(float).value_counts().sort_index()
        names = [f"{value:.6g}" for value in counts.index]
        counts = counts.to_numpy()
    else:
        codes, names = levels_of(known)
        counts = np.bincount(codes, minlength=len(names))
        order = np.argsort(-counts, kind="stable")
        counts, names = counts[order], [names[i] for i in order]
    draw_bars(ax, names, counts, max_bars=max_bars)


def draw_bars(
    ax: Axes,
    names: Sequence[object],
    counts: Any,
    *,
    max_bars: int = MAX_BARS,
    what: str = "value",
) -> None:
    """Draw horizontal bars of rows with their shares; says how many levels are not drawn."""
    counts = np.asarray(counts, dtype=float)
    total = float(counts.sum()) or 1.0
    shown = counts[:max_bars]
    positions = np.arange(len(shown))
    ax.barh(positions, shown, color=BLUE, height=0.7)
    room = float(shown.max()) if len(shown) else 1.0
    for position, count in zip(positions.tolist(), shown.tolist(), strict=True):
        ax.text(count + room * 0.02, position, percent(count / total), va="center", size=8.5)
    inches = min(0.38 * cell_width(ax), 2.0)
    ax.set_yticks(positions, short_labels(names[:max_bars], 24, inches=inches))
    beside = max(3 - len(shown), 0) / 2  # two bars need not fill a panel
    ax.set_ylim(len(shown) - 0.4 + beside, -0.6 - beside)
    ax.set_xlim(0, room * 1.34)
    left_out = of_many(len(shown), len(counts), f"{what}s")
    ax.set(xlabel="rows" + (f" ({left_out} drawn)" if left_out else ""), ylabel=what)
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.grid(visible=False, axis="y")
    _readable_ticks(ax)


def draw_dots(
    ax: Axes,
    names: Sequence[object],
    estimates: Sequence[Any],
    *,
    colors: Sequence[str] | None = None,
    width: int = 28,
) -> None:
    """Draw a dot and an interval a name, from the top."""
    positions = np.arange(len(names))
    ends = np.array([(e.value, e.low, e.high) for e in estimates], dtype=float).reshape(-1, 3)
    colors = list(colors) if colors is not None else [BLUE] * len(names)
    ax.hlines(positions, ends[:, 1], ends[:, 2], colors=colors, linewidth=2)
    ax.scatter(ends[:, 0], positions, c=colors, s=30, zorder=3)
    ax.set_yticks(positions, short_labels(names, width))
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")


def interval_arms(estimates: Sequence[Any]) -> Floats:
    """Return how far intervals reach to the left and right: (2, n), 0 where an end is unknown.

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> interval_arms([Estimate(value=0.5, low=0.25, high=float("nan"))]).tolist()
    [[0.25], [0.0]]
    """
    arms = np.array([[e.value - e.low, e.high - e.value] for e in estimates], dtype=float)
    arms = np.where(np.isfinite(arms), np.maximum(arms, 0), 0)
    return arms.reshape(len(estimates), 2).T


def draw_heatmap(
    ax: Axes, matrix: pd.DataFrame, *, inches: float, is_written: bool, size: float = 8.5
) -> None:
    """Draw a square table of associations from -1 to 1; grey where there is none to compute."""
    values = matrix.to_numpy(dtype=float)
    gaps = ListedColormap(["#FFFFFF", "#D9D9D9"])
    ax.imshow(np.isnan(values), cmap=gaps, vmin=0, vmax=1, aspect="auto")
    known = np.ma.masked_invalid(values)
    image = ax.imshow(known, cmap="RdBu_r", norm=Normalize(-1, 1), aspect="auto")
    labels = short_labels(matrix.columns, inches=inches, size=size)
    ax.set_xticks(range(len(labels)), labels, rotation=90, size=size)
    ax.set_yticks(range(len(labels)), labels, size=size)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    if is_written:
        _write_values(ax, values)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.6, label="association")
    bar.outline.set_visible(False)  # type: ignore[operator]


def percent(share: float) -> str:
    """Return a share for people: 12 %, 0.4 %; 0 % and 100 % only when it is.

    Examples
    --------
    >>> percent(0.1234), percent(0.0042), percent(0), percent(0.99999)
    ('12 %', '0.4 %', '0 %', '> 99.9 %')
    """
    if not np.isfinite(share):
        return ""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    digits = 1 if 0 < share < 0.0095 or 0.9905 <= share < 1 else 0
    return f"{share * 100:.{digits}f} %"


def percent_axis(ax: Axes, which: str = "x") -> None:
    """Write the ticks of an axis as percentages."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.4g} %"))
    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))


def thousands_axis(ax: Axes, which: str) -> None:
    """Write the ticks of an axis ("x" or "y") with separators, few enough to stand apart."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def panel_title(ax: Axes, name: object, *, inches: float = 1.9) -> None:
    """Write a column's name over one of several panels."""
    weight = mpl.rcParams["axes.titleweight"]
    ax.set_title(fit(name, inches, PANEL_TITLE, weight=weight), size=PANEL_TITLE)


def _write_values(ax: Axes, values: Floats) -> None:
    for (row, column), value in np.ndenumerate(values):
        if row != column and np.isfinite(value):
            color = "white" if abs(value) > 0.6 else "#222222"
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", size=7.5, color=color)


def _readable_ticks(ax: Axes, *, is_date: bool = False) -> None:
    """Write 12,000 as 12k, so that ticks of small panels do not touch."""
    formatter = FuncFormatter(lambda value, _: compact(value))
    for axis in (ax.xaxis, ax.yaxis):
        is_named = axis is ax.yaxis and ax.get_ylabel() != "rows"
        if not is_named and not (is_date and axis is ax.xaxis):
            axis.set_major_formatter(formatter)


def compact(value: float) -> str:
    """Return a number in few characters.

    Examples
    --------
    >>> compact(12_000), compact(2.5e6), compact(0.25), compact(-3)
    ('12k', '2.5M', '0.25', '-3')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < size * 1000:
            return f"{value / size:.3g}{letter}"
    return f"{value:.4g}"


def _has_few_values(column: pd.Series, max_bars: int) -> bool:
    return int(column.nunique()) <= max_bars


def _drawn_range(finite: Floats) -> tuple[float, float]:
    """Return the range to draw: all of it, unless a few values would squeeze the rest."""
    low, high = float(finite.min()), float(finite.max())
    inner = np.quantile(finite, [0.005, 0.995], method="inverted_cdf")
    narrow = float(inner[1]) / 2 - float(inner[0]) / 2
    if narrow > 0 and high / 2 - low / 2 > 3 * narrow:
        return float(inner[0]), float(inner[1])
    return low, high


def _edges(inside: Floats) -> Floats:
    """Return the ends of the bars: one a number for whole numbers, else thirty."""
    low, high = float(inside.min()), float(inside.max())
    if high - low <= 2 * N_BINS and np.array_equal(inside, np.round(inside)):
        return np.arange(low - 0.5, high + 1)
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    return np.linspace(low, high, N_BINS + 1)


def _date_axis(ax: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=7)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def class_colors(n_classes: int) -> list[str]:
    """Return a colour a class, those of the style's cycle."""
    colors = mpl.rcParams["axes.prop_cycle"].by_key().get("color", [BLUE])
    return [colors[i % len(colors)] for i in range(n_classes)]


def class_legend(figure: Figure, classes: Sequence[str], target: pd.Series | None) -> None:
    """Name the classes to the right of all panels, for which the figure grows."""
    if target is None or not len(classes):
        return
    shown = list(classes[:MAX_CLASSES])
    handles = [
        Line2D([], [], marker="o", linestyle="", color=color) for color in class_colors(len(shown))
    ]
    labels = short_labels(shown, 20, inches=1.6)
    if len(classes) > MAX_CLASSES:
        handles.append(Line2D([], [], marker="o", linestyle="", color=GREY))
        labels.append(f"{len(classes) - MAX_CLASSES:,} other classes")
    title = None if target.name is None else fit(target.name, 1.8, 10.5)
    room = max(text_width(label, 9.5) for label in [*labels, title or ""]) + 0.6
    figure.set_figwidth(figure.get_figwidth() + room)
    figure.legend(handles, labels, loc="outside right upper", title=title)
