"""Contributions of columns to predictions: many rows as points and bars, one row as a waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lib.estimates import format_digits
from lib.plots.panels import class_colors, compact
from lib.plots.style import BLUE, GREY, ORANGE, QUIET, legend_below, make_axes, say, set_title
from lib.plots.text import fit, of_many, short_labels, shorten
from lib.statistics import column_kinds, numbers_of
from lib.statistics.columns import levels_of

if TYPE_CHECKING:  # no figure needs the packages that compute it
    from lib.explanation import Explanation

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
MAX_COLUMNS = 15
MAX_POINTS = 1_000
MAX_CLASSES = 6
MAX_LEVELS = 15
LOW_TO_HIGH = "viridis"
N_SLOTS = 120  # side by side in a swarm
SPREAD = 0.38  # of a swarm, above and below its line


def plot_contributions(
    explanation: Explanation,
    *,
    output: int | None = None,
    max_columns: int = MAX_COLUMNS,
    ax: Axes | None = None,
) -> Axes:
    """Draw the contributions of the strongest columns, a point a row (a beeswarm).

    Parameters
    ----------
    explanation : Explanation
        As `explanation.explain_out_of_fold` returns it.
    output : int, optional
        Class of a multiclass model; by default the one with the largest contributions.
    max_columns : int
        Columns to draw, the largest mean contribution on top.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    one = _one_output(explanation, output)
    sizes = one.importance()
    order = _largest(sizes, max_columns)
    ax = make_axes(ax, height=1.7 + 0.36 * max(len(order), 3))
    rows = np.unique(np.linspace(0, len(one) - 1, min(MAX_POINTS, len(one))).round().astype(int))
    low, high = _drawn_range(one.contributions[rows][:, order])
    slot = (high - low) / N_SLOTS or 1.0
    kinds = list(column_kinds(one.X.set_axis(range(one.X.shape[1]), axis=1)))
    for place, position in enumerate(order):
        values = np.clip(one.contributions[rows, position], low, high)
        offsets = _swarm(values, slot)
        has_order = kinds[position] in {"numeric", "datetime"}
        shades = _shades(one.X.iloc[rows, position]) if has_order else np.full(len(rows), np.nan)
        known = ~np.isnan(shades)
        style: dict[str, Any] = {"s": 9, "linewidths": 0, "alpha": 0.8}
        ax.scatter(values[~known], place + offsets[~known], color=GREY, **style)
        ax.scatter(
            values[known],
            place + offsets[known],
            c=shades[known],
            cmap=LOW_TO_HIGH,
            vmin=0,
            vmax=1,
            **style,
        )
    ax.axvline(0, color=GREY, linewidth=1.2, zorder=0)
    ax.set_yticks(range(len(order)), short_labels([one.names[i] for i in order]))
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(7))
    left_out = of_many(len(rows), len(one), "rows drawn")
    ax.set(
        xlabel=_unit_label(one) + (f"; {left_out}" if left_out else ""),
        ylabel=column_label(len(order), len(sizes)),
    )
    _value_bar(ax)
    set_title(ax, f"{_first(one, order)} moves {_what(one)} most")
    return ax


def plot_contribution_sizes(
    explanation: Explanation, *, max_columns: int = MAX_COLUMNS, ax: Axes | None = None
) -> Axes:
    """Draw the mean size of the contributions of the strongest columns, a bar a column.

    Parameters
    ----------
    explanation : Explanation
        As `explanation.explain_out_of_fold` returns it; of many classes, bars are stacked.
    max_columns : int
        Columns to draw, the largest on top.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    sizes = explanation.importance()
    order = _largest(sizes, max_columns)
    ax = make_axes(ax, height=1.5 + 0.32 * max(len(order), 3))
    places = np.arange(len(order))
    by_output = np.abs(explanation.contributions).mean(axis=0)[order]
    if by_output.ndim == 1:
        ax.barh(places, by_output, color=BLUE, height=0.7)
    else:
        left = np.zeros(len(order))
        parts, words = _merge_classes(by_output, explanation.outputs)
        colors = [*class_colors(MAX_CLASSES), GREY]
        for part, word, color in zip(parts.T, words, colors, strict=False):
            ax.barh(places, part, left=left, color=color, height=0.7, label=word)
            left += part
        legend_below(ax)
    ax.set_yticks(places, short_labels([explanation.names[i] for i in order]))
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    summed = ", summed over classes" if by_output.ndim == 2 else ""
    ax.set(
        xlabel=f"mean size of the contribution, {_unit(explanation)}{summed}",
        ylabel=column_label(len(order), len(sizes)),
    )
    total = float(sizes.sum())
    n_half = int(np.searchsorted(np.cumsum(np.sort(sizes)[::-1]), total / 2) + 1)
    noun = "column makes" if n_half == 1 else "columns make"
    is_any = total > 0
    set_title(
        ax,
        f"{n_half} of {len(sizes)} {noun} half of all contributions"
        if is_any
        else "No column contributes anything",
    )
    return ax


def plot_waterfall(
    explanation: Explanation,
    place: int,
    *,
    output: int | None = None,
    max_columns: int = 9,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the columns lead from what is usual to the prediction of one row.

    Parameters
    ----------
    explanation : Explanation
        Of any rows.
    place : int
        Which of them.
    output : int, optional
        Class of a multiclass model; by default the one that is predicted.
    max_columns : int
        Columns of their own, the largest first; the others are summed.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
        Values of the row are not shown: they may be personal.
    """
    row = explanation.take(np.array([place], dtype=np.intp))
    if row.contributions.ndim == 3:
        row = row.of(int(np.argmax(row.raw[0])) if output is None else output)
    values = row.contributions[0]
    order = _largest(np.abs(values), max_columns)
    rest = np.setdiff1d(np.arange(len(values)), order)
    steps = [float(values[i]) for i in order]
    names = [row.names[i] for i in order]
    if len(rest):
        steps.append(float(values[rest].sum()))
        names.append(f"{len(rest)} other column{'s' if len(rest) > 1 else ''}")
    base, raw = float(row.base[0]), float(row.raw[0])
    ends = base + np.cumsum(steps)
    starts = np.r_[base, ends[:-1]]
    ax = make_axes(ax, height=1.8 + 0.34 * max(len(steps), 3))
    for sign, color, word in ((1, BLUE, "raises it"), (-1, ORANGE, "lowers it")):
        chosen = np.flatnonzero(np.sign(steps) == sign)
        ax.barh(chosen, np.array(steps)[chosen], left=starts[chosen], color=color, label=word)
    for i, end in enumerate(ends[:-1]):
        ax.plot([end, end], [i - 0.4, i + 1.4], color=GREY, linewidth=0.8, zorder=0)
    ax.axvline(base, color=GREY, linestyle="--", linewidth=1.2, label="usual")
    ax.axvline(raw, color="#222222", linewidth=1.4, label="this row")
    _write_steps(ax, np.array(steps), starts, ends)
    ax.set_yticks(range(len(steps)), short_labels(names))
    ax.set_ylim(len(steps) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set(xlabel=f"what the model says, {_unit(row)}", ylabel="column")
    ax.xaxis.set_major_locator(MaxNLocator(7))
    legend_below(ax, n_columns=4)
    named = f" for {shorten(row.outputs[0], 20)}" if row.outputs else ""
    set_title(
        ax,
        f"Row {int(row.rows[0]):,}{named}: from {_number(base)} to {_number(raw)}, "
        f"mostly by {_quoted(names[0])}",
    )
    return ax


def plot_dependence(
    explanation: Explanation,
    position: int,
    *,
    output: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the contribution of one column over its values, a point a row.

    Parameters
    ----------
    explanation : Explanation
        Of many rows.
    position : int
        Of the column.
    output : int, optional
        Class of a multiclass model; by default the one that the column moves most.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
        The spread above one value is what other columns do to the effect (interactions).
    """
    one = explanation
    if explanation.contributions.ndim == 3:
        by_output = np.abs(explanation.contributions[:, position]).mean(axis=0)
        one = explanation.of(int(np.argmax(by_output)) if output is None else output)
    column, values = one.X.iloc[:, position], one.contributions[:, position]
    kind = str(column_kinds(column.to_frame("x"))["x"])
    ax = make_axes(ax, height=4.2)
    name = shorten(one.names[position])
    ax.axhline(0, color=GREY, linewidth=1.2, zorder=0)
    if kind == "numeric":
        _draw_numbers(ax, numbers_of(column), values)
        ax.set_xlabel(fit(one.names[position], 5.0, 11))
    elif kind == "categorical":
        _draw_levels(ax, column, values)
        ax.set_xlabel(fit(one.names[position], 5.0, 11))
    else:
        ax.set_xlabel(fit(one.names[position], 5.0, 11))
        words = {"text": "free text has no axis", "datetime": "see the effects of dates"}
        say(ax, words.get(kind, "the column does not vary"))
    ax.set_ylabel(f"contribution, {_unit(one)}")
    named = f" to {shorten(one.outputs[0], 20)}" if one.outputs else ""
    set_title(ax, f"What does '{name}' contribute{named}?")
    return ax


def column_label(n_shown: int, n_columns: int) -> str:
    """Return the label of an axis of columns, which says how many are drawn.

    Examples
    --------
    >>> column_label(15, 30), column_label(3, 3)
    ('column (15 of 30 drawn)', 'column')
    """
    left_out = of_many(n_shown, n_columns, "drawn")
    return "column" + (f" ({left_out})" if left_out else "")


def _one_output(explanation: Explanation, output: int | None) -> Explanation:
    if explanation.contributions.ndim == 2:
        return explanation
    if output is None:
        output = int(np.argmax(np.abs(explanation.contributions).mean(axis=(0, 1)).round(9)))
    return explanation.of(output)


def _largest(sizes: Floats, n: int) -> Ints:
    scale = float(np.abs(sizes).max(initial=0.0)) or 1.0
    return np.argsort(-np.round(sizes / scale, 9), kind="stable")[:n]


def _swarm(values: Floats, slot: float) -> Floats:
    """Return offsets that lay points of like value side by side, densest in the middle."""
    slots = np.round(values / slot).astype(int)
    order = np.argsort(slots, kind="stable")
    ordered = slots[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[starts, len(ordered)])
    within = np.arange(len(ordered)) - np.repeat(starts, counts)
    turn = np.where(within % 2 == 0, 1, -1) * ((within + 1) // 2)
    fullest = max(int(counts.max(initial=1)) // 2, 8)
    offsets = np.empty(len(values))
    offsets[order] = SPREAD * turn / fullest
    return offsets


def _shades(column: pd.Series) -> Floats:
    """Return where each value stands among all of its column, from 0 to 1; NaN where missing."""
    numbers = pd.Series(numbers_of(column))
    ranks = numbers.rank()
    spread = float(ranks.max() - ranks.min())
    shades: Floats = ((ranks - ranks.min()) / spread if spread else ranks * 0 + 0.5).to_numpy()
    return shades


def _drawn_range(values: Floats) -> tuple[float, float]:
    """Return the range to draw: all of it, unless a few points would squeeze the rest."""
    if not values.size:
        return -1.0, 1.0
    low, high = float(values.min()), float(values.max())
    inner = np.quantile(values, [0.001, 0.999])
    if high - low > 3 * float(inner[1] - inner[0]) > 0:
        return float(inner[0]), float(inner[1])
    return low, high


def _value_bar(ax: Axes) -> None:
    shades = ScalarMappable(Normalize(0, 1), mpl.colormaps[LOW_TO_HIGH])
    bar = ax.figure.colorbar(shades, ax=ax, shrink=0.7, aspect=30, pad=0.02)
    bar.set_ticks([0, 1], labels=["low", "high"])
    bar.set_label("value (grey: none)", color=QUIET, size=9)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _unit(explanation: Explanation) -> str:
    words = {"log-odds": "log-odds", "probability": "probability"}
    return words.get(explanation.unit, "unit of the target")


def _unit_label(explanation: Explanation) -> str:
    named = f" of {shorten(explanation.outputs[0], 20)}" if explanation.outputs else ""
    return f"contribution to the prediction{named}, {_unit(explanation)}"


def _what(explanation: Explanation) -> str:
    return shorten(explanation.outputs[0], 20) if explanation.outputs else "the predictions"


def _first(explanation: Explanation, order: Ints) -> str:
    return _quoted(explanation.names[order[0]]) if len(order) else "No column"


def _quoted(name: object) -> str:
    return f"'{shorten(name)}'"


def _number(value: float) -> str:
    return format_digits(value) if abs(value) < 1e6 else f"{value:.3g}"


def _merge_classes(sizes: Floats, outputs: tuple[str, ...]) -> tuple[Floats, list[str]]:
    """Return sizes and names of the classes that get a colour, the others summed."""
    if len(outputs) <= MAX_CLASSES:
        return sizes, short_labels(outputs, 20, inches=1.2)
    first = np.sort(np.argsort(-sizes.sum(axis=0).round(9), kind="stable")[:MAX_CLASSES])
    rest = np.delete(sizes, first, axis=1).sum(axis=1, keepdims=True)
    words = short_labels([outputs[i] for i in first], 20, inches=1.2)
    return np.hstack([sizes[:, first], rest]), [*words, f"{len(outputs) - MAX_CLASSES} others"]


def _write_steps(ax: Axes, steps: Floats, starts: Floats, ends: Floats) -> None:
    """Write each step beside its bar, with room at both sides."""
    low = float(min(starts.min(), ends.min()))
    high = float(max(starts.max(), ends.max()))
    room = (high - low) or 1.0
    ax.set_xlim(low - 0.16 * room, high + 0.16 * room)
    for i, step in enumerate(steps):
        at = max(starts[i], ends[i]) if step >= 0 else min(starts[i], ends[i])
        side = 1 if step >= 0 else -1
        ax.text(
            at + side * 0.012 * room,
            i,
            format_digits(step, sign="+"),
            va="center",
            ha="left" if side > 0 else "right",
            size=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )


def _draw_numbers(ax: Axes, numbers: Floats, values: Floats) -> None:
    known = np.isfinite(numbers)
    ax.scatter(numbers[known], values[known], s=10, color=BLUE, alpha=0.35, linewidths=0)
    if not known.all():
        gone = values[~known]
        ax.axhline(
            float(gone.mean()),
            color=ORANGE,
            linestyle="--",
            label=f"mean where missing ({len(gone):,} rows)",
        )
        legend_below(ax)
    ax.xaxis.set_major_locator(MaxNLocator(7))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def _draw_levels(ax: Axes, column: pd.Series, values: Floats) -> None:
    codes, names = levels_of(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MAX_LEVELS])
    offsets = np.linspace(-0.25, 0.25, 41)
    for place, code in enumerate(kept):
        inside = values[codes == code]
        across = place + offsets[np.arange(len(inside)) % len(offsets)]
        ax.scatter(across, inside, s=10, color=BLUE, alpha=0.35, linewidths=0)
        ax.plot([place - 0.3, place + 0.3], [inside.mean()] * 2, color=ORANGE, linewidth=2)
    labels = short_labels([names[i] for i in kept], 18, inches=1.2)
    is_long = len(kept) > 6 or max(map(len, labels), default=0) > 9
    ax.set_xticks(range(len(kept)), labels, rotation=90 if is_long else 0)
    ax.grid(visible=False, axis="x")
