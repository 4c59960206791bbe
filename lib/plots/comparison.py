"""The comparative study: what differs and by how much, how sure ranks are, what a score costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lib.plots.panels import interval_arms, percent
from lib.plots.scores import metric_name
from lib.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    QUIET,
    figure_of,
    figure_title,
    legend_below,
    make_axes,
    make_grid,
    set_title,
)
from lib.plots.text import of_many, short_labels, shorten, text_width

MAX_MODELS = 40
PRICES = {
    "fit_seconds": "seconds to fit, one fold",
    "milliseconds": "ms to predict 1,000 rows",
    "kilobytes": "size, kB",
}
LIGHT = "#D9D9D9"


def plot_equivalence(comparison: pd.DataFrame, *, reference: str, ax: Axes | None = None) -> Axes:
    """Draw how probable it is that each candidate is worse, as good, or better.

    Parameters
    ----------
    comparison : DataFrame with columns model, worse, equivalent, better
        As `comparison.compare_with` makes it: probabilities; the reference has none.
    reference : str
        The candidate that all others are compared with.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["tree"], "worse": [0.1], "equivalent": [0.9]})
    >>> plot_equivalence(table.assign(better=0.0), reference="linear").get_title()
    'None of 1 candidate is shown to be as good as linear'
    """
    known = comparison.dropna(subset=["worse", "equivalent", "better"])
    shown = known.head(MAX_MODELS)
    ax = make_axes(ax, height=1.8 + 0.34 * max(len(shown), 2))
    positions = np.arange(len(shown))
    left = np.zeros(len(shown))
    parts = (("worse", ORANGE), ("equivalent", LIGHT), ("better", BLUE))
    words = {"worse": "worse", "equivalent": "as good", "better": "better"}
    for name, color in parts:
        width = shown[name].to_numpy(dtype=float)
        ax.barh(positions, width, left=left, height=0.7, color=color, label=words[name])
        left = left + width
    ax.axvline(0.95, color=QUIET, linestyle=":", linewidth=1)
    ax.axvline(0.05, color=QUIET, linestyle=":", linewidth=1)
    ax.set_yticks(positions, short_labels(shown["model"]))
    ax.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.set(xlabel="probability (as good: within the smallest effect)", ylabel="candidate")
    ax.grid(visible=False)
    legend_below(ax)
    n_same = int((known["equivalent"] > 0.95).sum())
    things = "candidate is" if n_same == 1 else "candidates are"
    n_all = f"{len(known)} candidate" + ("" if len(known) == 1 else "s")
    target = f"as good as {shorten(reference)}"
    set_title(
        ax,
        f"{n_same} {things} shown to be {target}"
        if n_same
        else f"None of {n_all} is shown to be {target}",
    )
    return ax


def plot_rank_stability(ranks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each candidate's rank with its interval, and how often it comes first.

    Parameters
    ----------
    ranks : DataFrame with columns model, rank, first
        As `comparison.tabulate_ranks` makes it; `rank` is an `Estimate`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> rank = [Estimate(value=1.0, low=1.0, high=2.0)]
    >>> table = pd.DataFrame({"model": ["tree"], "rank": rank, "first": [0.8]})
    >>> plot_rank_stability(table).get_title()
    'tree comes first in 80 % of resamples'
    """
    shown = ranks.head(MAX_MODELS)
    ax = make_axes(ax, height=1.6 + 0.34 * max(len(shown), 2))
    positions = np.arange(len(shown))
    estimates = shown["rank"].tolist()
    values = np.array([estimate.value for estimate in estimates], dtype=float)
    level = percent(getattr(estimates[0], "level", 0.95)) if estimates else ""
    ax.errorbar(
        values,
        positions,
        xerr=interval_arms(estimates),
        fmt="o",
        color=BLUE,
        capsize=4,
        label=f"rank, {level} of resamples",
    )
    ax.set_yticks(positions, short_labels(shown["model"]))
    ax.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    highest = max(len(ranks), 2)
    ax.set_xlim(0.5, highest + 0.5 + 0.16 * highest)
    ax.set_xticks([1, *(tick for tick in ax.get_xticks() if 1 < tick <= highest)])
    for position, share in enumerate(shown["first"]):
        ax.text(
            highest + 0.5 + 0.15 * highest, position, percent(float(share)),
            ha="right", va="center", fontsize=8.5, color=QUIET,
        )  # fmt: skip
    ax.set(xlabel="rank (1 is the best)        at the right: share of first places")
    ax.set_ylabel("candidate")
    ax.grid(visible=False, axis="y")
    legend_below(ax)
    top = ranks.loc[ranks["first"].idxmax()]
    set_title(
        ax, f"{shorten(top['model'])} comes first in {percent(float(top['first']))} of resamples"
    )
    return ax


def plot_pareto(prices: pd.DataFrame, *, metric: str) -> Figure:
    """Draw score against each price, with the candidates that no other beats on both.

    Parameters
    ----------
    prices : DataFrame with columns model, score, fit_seconds, milliseconds, kilobytes
        As `comparison.tabulate_prices` makes it; `score` is an `Estimate`.
    metric : str
        What was scored.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> row = {"model": ["tree"], "score": [Estimate(value=0.7, low=0.6, high=0.8)]}
    >>> costs = {"fit_seconds": [0.1], "milliseconds": [3.0], "kilobytes": [20.0]}
    >>> len(plot_pareto(pd.DataFrame(row | costs), metric="r2").axes)
    3
    """
    values = np.array([estimate.value for estimate in prices["score"]], dtype=float)
    names = short_labels(prices["model"], inches=2.2)
    figure, axes = make_grid(3, n_columns=1, width=8.0, height=3.3)
    name = metric_name(metric)
    for ax, (cost, words) in zip(axes, PRICES.items(), strict=True):
        x = prices[cost].to_numpy(dtype=float)
        known = np.isfinite(x) & (x > 0) & np.isfinite(values)
        front = _front_line(x, values, known)
        rest = known.copy()
        rest[front] = False
        ax.scatter(x[rest], values[rest], s=26, color=GREY, label="beaten on both")
        ax.step(x[front], values[front], where="post", color=BLUE, linewidth=1.2, alpha=0.7)
        ax.scatter(x[front], values[front], s=40, color=BLUE, label="on the front", zorder=3)
        if known.any():
            ax.set_xscale("log")
            lowest = _focus(ax, values[known])
            _log_ticks(ax, x[known & (values >= lowest)])
        _number(ax, x, values, front)
        written = ", ".join(f"{i}  {names[at]}" for i, at in enumerate(front, start=1))
        ax.set(xlabel=f"{words} (log scale, this machine)", ylabel=name)
        ax.set_title(_lines(written, 7.2), fontsize=9, fontweight="normal")
    legend_below(axes[-1])
    figure_title(figure, "Which candidates give the best score for their price?")
    return figure


def _front_line(x: np.ndarray, y: np.ndarray, known: np.ndarray) -> list[int]:
    """Return positions of the two-dimensional front, from cheap to dear."""
    order = [int(i) for i in np.lexsort((-y, x)) if known[i]]
    front: list[int] = []
    for at in order:
        if not front or y[at] > y[front[-1]]:
            front.append(at)
    return front


def _log_ticks(ax: Axes, x: np.ndarray) -> None:
    low, high = float(x.min()) / 1.6, float(x.max()) * 1.6
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = [10.0**p for p in powers if low <= 10.0**p <= high]
    if len(ticks) < 2:
        ticks = list(dict.fromkeys(float(f"{t:.1g}") for t in np.geomspace(low, high, 4)[1:-1]))
    ax.set_xticks(ticks, [f"{tick:,g}" if tick < 1e5 else f"{tick:.0e}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(low, high)


def _focus(ax: Axes, values: np.ndarray) -> float:
    """Cut the scale where one bad candidate would squeeze all others together; return its end."""
    top, middle, low = float(values.max()), float(np.median(values)), float(values.min())
    reach = max(top - middle, 1e-12)
    if top - low > 6 * reach and len(values) > 2:
        low = float(values[values >= top - 4 * reach].min())
        n_below = int((values < low).sum())
        if n_below:
            note = f"{n_below} below: the scale is cut"
            ax.text(0.01, 0.03, note, transform=ax.transAxes, fontsize=8.5, color=QUIET)
    room = top - low if top > low else 0.1 * max(abs(top), 1e-6)
    ax.set_ylim(low - 0.12 * room, top + 0.16 * room)
    return low


def _number(ax: Axes, x: np.ndarray, y: np.ndarray, front: list[int]) -> None:
    """Write numbers on the front, together where points stand too close for two."""
    low, _ = ax.get_ylim()
    places: list[tuple[np.ndarray, list[int], int]] = []
    for number, at in enumerate(front, start=1):
        place = ax.transData.transform((x[at], y[at]))
        if y[at] < low:
            continue
        if places and np.abs(place - places[-1][0]).max() < 16 * figure_of(ax).dpi / 72:
            places[-1] = (place, [*places[-1][1], number], at)
        else:
            places.append((place, [number], at))
    for _, numbers, at in places:
        written = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"
        ax.annotate(
            written, (x[at], y[at]), xytext=(-5, 5), textcoords="offset points",
            ha="right", fontsize=9, color=BLUE, fontweight="bold",
        )  # fmt: skip


def _lines(words: str, inches: float) -> str:
    """Break a list at its commas."""
    lines = [""]
    for piece in words.split(", "):
        longer = f"{lines[-1]}, {piece}" if lines[-1] else piece
        if text_width(longer, 9) > inches and lines[-1]:
            lines[-1] += ","
            lines.append(piece)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def plot_critical_difference(
    ranks: pd.Series,
    difference: float,
    groups: Sequence[Sequence[str]],
    *,
    n_tables: int,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw average ranks over tables, and bars that join what they do not tell apart.

    Parameters
    ----------
    ranks : Series
        Average rank by model, 1 is the best; sorted.
    difference : float
        Nemenyi's critical difference.
    groups : sequence of sequence of str
        As `comparison.find_groups` makes them.
    n_tables : int
        Behind the averages.
    level : float
        One minus it is the level of the critical difference.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ranks = pd.Series({"tree": 1.2, "linear": 1.8})
    >>> ax = plot_critical_difference(ranks, 0.9, [("tree", "linear")], n_tables=5)
    >>> ax.get_title()
    'tree ranks best on 5 tables; 1 other is not told from it'
    """
    shown = ranks.head(MAX_MODELS)
    ax = make_axes(ax, height=1.9 + 0.36 * max(len(shown), 2))
    positions = {str(name): i for i, name in enumerate(shown.index)}
    values = shown.to_numpy(dtype=float)
    ax.hlines(range(len(shown)), 1, values, color=LIGHT, linewidth=1.2, zorder=1)
    ax.scatter(values, range(len(shown)), s=44, color=BLUE, zorder=3, label="average rank")
    high = max(float(len(ranks)), 1 + difference)
    right = high + 0.35
    for number, group in enumerate(groups):
        inside = [positions[name] for name in group if name in positions]
        if inside:
            at = right + 0.045 * high * number
            label = "not told apart" if number == 0 else "_"
            ax.vlines(
                at, min(inside) - 0.25, max(inside) + 0.25, color=ORANGE, linewidth=4, label=label
            )
    ax.errorbar(
        [values[0] + difference / 2] if len(values) else [],
        [-0.9] if len(values) else [],
        xerr=difference / 2,
        color=GREEN,
        capsize=5,
        linewidth=2,
        label=f"critical difference {difference:.2f}, {percent(level)}",
    )
    ax.set_yticks(range(len(shown)), short_labels(shown.index))
    ax.set_ylim(max(len(shown), 1) - 0.4, -1.5)
    ax.set_xlim(0.7, right + 0.045 * high * max(len(groups), 1) + 0.1)
    ax.set_xticks([tick for tick in ax.get_xticks() if 1 <= tick <= high])
    ax.set(xlabel=f"average rank over {n_tables} tables (1 is the best)", ylabel="candidate")
    ax.grid(visible=False, axis="y")
    legend_below(ax, n_columns=2)
    n_near = int((ranks.iloc[1:] - ranks.iloc[0] <= difference).sum()) if len(ranks) else 0
    others = "1 other is" if n_near == 1 else f"{n_near} others are"
    best = f"{shorten(ranks.index[0])} ranks best on {n_tables} tables"
    note = of_many(len(shown), len(ranks), "candidates") if len(shown) < len(ranks) else ""
    set_title(ax, f"{best}; {others} not told from it" + (f" ({note})" if note else ""))
    return ax
