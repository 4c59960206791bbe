"""Searches for parameters: how the best value rose, which parameters mattered, where it lies."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from lib.plots.scores import metric_label, metric_name
from lib.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    figure_title,
    legend_below,
    make_axes,
    make_grid,
    set_title,
)
from lib.plots.text import shorten

SAMPLER_WORDS = {"tpe": "TPE (learns from earlier trials)", "random": "random search"}
COLOURS = {"tpe": BLUE, "random": ORANGE}
DASHES = {"tpe": "-", "random": "--"}
MAX_PANELS = 12
MAX_LINES = 200
TICKS = (0.0, 0.5, 1.0)


def plot_search_history(history: pd.DataFrame, *, metric: str, ax: Axes | None = None) -> Axes:
    """Draw how the best value rose with the trials, for each sampler, and every trial's value.

    Parameters
    ----------
    history : DataFrame with columns sampler, trial, state, value, best
        As `tuning.best_so_far` makes it.
    metric : str
        What was maximised.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> rows = {"sampler": "tpe", "trial": [1, 2], "state": "complete"}
    >>> history = pd.DataFrame(rows | {"value": [0.6, 0.7], "best": [0.6, 0.7]})
    >>> plot_search_history(history, metric="r2").get_title()
    'The best of 2 trials: 0.700, found at trial 2'
    """
    ax = make_axes(ax)
    for sampler, rows in history.groupby("sampler", sort=False):
        complete = rows[rows["state"] == "complete"]
        pruned = rows[rows["state"] == "pruned"]
        colour = COLOURS.get(str(sampler), BLUE)
        words = SAMPLER_WORDS.get(str(sampler), str(sampler))
        style: dict[str, Any] = {"color": colour, "linestyle": DASHES.get(str(sampler), "-")}
        ax.step(rows["trial"], rows["best"], where="post", label=f"best so far, {words}", **style)
        ax.scatter(complete["trial"], complete["value"], s=18, color=colour, label="a trial")
        if len(pruned):
            marks: dict[str, Any] = {"s": 22, "color": GREY, "marker": "x", "linewidths": 1.0}
            ax.scatter(pruned["trial"], pruned["value"], label="given up early", **marks)
    _show_the_good(ax, history)
    ax.set(xlabel="trial", ylabel=metric_label(metric))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(ax)
    set_title(ax, _history_claim(history))
    return ax


def _show_the_good(ax: Axes, history: pd.DataFrame) -> None:
    """End the axis below the middle half of the values: hopeless trials would flatten the rest."""
    values = history.loc[np.isfinite(history["value"]), "value"]
    if len(values) < 8:
        return
    top, quarter = float(values.max()), float(values.quantile(0.25))
    low = top - 2.5 * (top - quarter)
    below = int((values < low).sum())
    if below and top > low:
        ax.set_ylim(low, top + 0.08 * (top - low))
        note = f"{below} lower {'trial' if below == 1 else 'trials'} not shown"
        ax.text(0.99, 0.02, note, transform=ax.transAxes, ha="right", color=GREY, fontsize=9)


def _history_claim(history: pd.DataFrame) -> str:
    if not history["best"].notna().any():
        return "No trial was completed"
    best = history.loc[history["best"].idxmax()]
    n_trials = int(history["trial"].max())
    return f"The best of {n_trials} trials: {best['best']:.3f}, found at trial {best['trial']}"


def plot_parameter_importance(importance: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how much each parameter decided, with the range over searches.

    Parameters
    ----------
    importance : DataFrame with columns parameter, importance, lowest, highest, searches
        As `tuning.compute_importance` makes it.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> row = {"parameter": ["C"], "importance": [1.0], "lowest": [1.0], "highest": [1.0]}
    >>> plot_parameter_importance(pd.DataFrame(row | {"searches": [1]})).get_title()
    'C decides most: 100 % of the importance'
    """
    n_rows = len(importance)
    ax = make_axes(ax, height=1.6 + 0.4 * max(n_rows, 2))
    positions = np.arange(n_rows)
    values = importance["importance"].to_numpy(dtype=float)
    ends = importance[["lowest", "highest"]].to_numpy(dtype=float)
    ax.barh(positions, values, height=0.6, color=BLUE, alpha=0.35)
    arms = np.maximum(np.abs(ends.T - values), 0)
    ax.errorbar(values, positions, xerr=arms, fmt="o", color=BLUE, capsize=4)
    ax.set_yticks(positions, [shorten(name) for name in importance["parameter"]])
    ax.set_ylim(n_rows - 0.4, -0.6)
    n_searches = int(importance["searches"].max()) if n_rows else 0
    spread = f" (mean and range of {n_searches} searches)" if n_searches > 1 else ""
    ax.set(xlabel=f"importance{spread}", ylabel="parameter")
    ax.grid(visible=False, axis="y")
    claim = "Too few trials to tell which parameter decides"
    if n_rows:
        first = shorten(importance["parameter"].iloc[0])
        claim = f"{first} decides most: {100 * values[0]:.0f} % of the importance"
    set_title(ax, claim)
    return ax


def plot_slices(trials: pd.DataFrame, edges: pd.DataFrame, *, metric: str) -> Figure:
    """Draw every trial's value against each parameter, the best one marked, ranges in full.

    Parameters
    ----------
    trials : DataFrame with columns state, value and one for each parameter
        As `Search.trials`.
    edges : DataFrame with columns parameter, low, high, is_log, best, edge
        As `tuning.compute_edges` makes it.
    metric : str
        What was maximised.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> trials = pd.DataFrame({"state": ["complete"], "value": [0.7], "C": [1.0]})
    >>> row = {"parameter": ["C"], "low": [0.1], "high": [10.0], "is_log": [True], "best": [1.0]}
    >>> figure = plot_slices(trials, pd.DataFrame(row | {"edge": [""]}), metric="r2")
    >>> figure.get_suptitle()
    'The best trial lies inside every range'
    """
    shown = edges.head(MAX_PANELS)
    figure, axes = make_grid(len(shown))
    known = trials[np.isfinite(trials["value"])]
    for ax, (_, row) in zip(axes, shown.iterrows(), strict=False):
        name = row["parameter"]
        for state, colour, size in (("pruned", GREY, 14), ("complete", BLUE, 20)):
            part = known[known["state"] == state]
            ax.scatter(part[name].astype(float), part["value"], s=size, color=colour, alpha=0.7)
        ax.axvline(row["best"], color=ORANGE, linewidth=1.4)
        if row["is_log"]:
            ax.set_xscale("log")
        ticks = [_at(row, tick) for tick in TICKS]
        ax.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(*_padded(row["low"], row["high"], is_log=bool(row["is_log"])))
        ax.set(xlabel=shorten(name), ylabel=metric_name(metric))
        if len(known) >= 8:
            top, quarter = float(known["value"].max()), float(known["value"].quantile(0.25))
            low = top - 2.5 * (top - quarter)
            if top > low:
                ax.set_ylim(low, top + 0.08 * (top - low))
    at_edge = [str(name) for name in edges.loc[edges["edge"] != "", "parameter"]]
    claim = "The best trial lies inside every range"
    if at_edge:
        claim = f"The best trial lies at an end of the range of {', '.join(at_edge)}"
    note = "Blue: complete trials. Grey: given up early. Orange line: the best trial."
    figure_title(figure, claim, note)
    return figure


def _padded(low: float, high: float, *, is_log: bool) -> tuple[float, float]:
    if is_log:
        factor = (high / low) ** 0.04
        return low / factor, high * factor
    pad = 0.04 * (high - low)
    return low - pad, high + pad


def plot_parallel(
    trials: pd.DataFrame, edges: pd.DataFrame, *, metric: str, ax: Axes | None = None
) -> Axes:
    """Draw each trial as a line through its parameters, darker the better it is.

    Parameters
    ----------
    trials : DataFrame with columns state, value and one for each parameter
        As `Search.trials`.
    edges : DataFrame with columns parameter, low, high, is_log
        As `tuning.compute_edges` makes it.
    metric : str
        What was maximised.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> trials = pd.DataFrame({"state": ["complete"], "value": [0.7], "C": [1.0], "depth": [3]})
    >>> edges = pd.DataFrame({"parameter": ["C", "depth"], "low": [0.1, 1], "high": [10.0, 9]})
    >>> ax = plot_parallel(trials, edges.assign(is_log=[True, False]), metric="r2")
    >>> ax.get_title()
    'Where good trials run together, a parameter decides'
    """
    names = [str(name) for name in edges["parameter"]]
    ax = make_axes(ax, width=max(8.0, 1.5 * len(names)))
    known = trials[np.isfinite(trials["value"])]
    best_last = known.sort_values("value", kind="stable").tail(MAX_LINES)
    heights = np.column_stack([_on_range(best_last, row) for _, row in edges.iterrows()])
    ranks = np.arange(len(best_last)) / max(len(best_last) - 1, 1)
    shades = mpl.colormaps["Blues"](0.15 + 0.85 * ranks**3)
    for height, shade in zip(heights, shades, strict=True):
        ax.plot(range(len(names)), height, color=shade, linewidth=1.2)
    if len(heights):
        ax.plot(range(len(names)), heights[-1], color=ORANGE, linewidth=2.2, label="the best trial")
        legend_below(ax)
    for position, (_, row) in enumerate(edges.iterrows()):
        for tick in TICKS:
            ax.annotate(
                f"{_at(row, tick):.3g}", (position, tick), xytext=(4, 0), fontsize=8,
                textcoords="offset points", va="center", zorder=5,
                bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
            )  # fmt: skip
    ax.set_xticks(range(len(names)), [shorten(name, 18) for name in names])
    ax.set_xlim(-0.35, len(names) - 0.6)
    ax.set_yticks([])
    best = metric_name(metric)
    ax.set(xlabel=f"parameter (darker: better {best})", ylabel="place in the range")
    set_title(ax, "Where good trials run together, a parameter decides")
    return ax


def _on_range(trials: pd.DataFrame, row: pd.Series) -> np.ndarray:
    values = trials[row["parameter"]].to_numpy(dtype=float)
    low, high = float(row["low"]), float(row["high"])
    if row["is_log"]:
        values, low, high = np.log(values), np.log(low), np.log(high)
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)


def _at(row: pd.Series, tick: float) -> float:
    low, high = float(row["low"]), float(row["high"])
    return low * (high / low) ** tick if row["is_log"] else low + tick * (high - low)


def plot_optimism(searches: pd.DataFrame, *, metric: str, ax: Axes | None = None) -> Axes:
    """Draw for each outer fold the gain that the search promised and the gain that it kept.

    Parameters
    ----------
    searches : DataFrame with columns sampler, fold, promised, kept
        As `tuning.Nested.searches`.
    metric : str
        What was maximised.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> rows = {"sampler": "tpe", "fold": [1, 2], "promised": [0.2, 0.1], "kept": [0.1, -0.05]}
    >>> plot_optimism(pd.DataFrame(rows), metric="r2").get_title()
    'The search promised more than it kept on 2 of 2 folds'
    """
    ax = make_axes(ax)
    samplers = list(dict.fromkeys(searches["sampler"]))
    ax.axhline(0, color=GREY, linewidth=1, label="the default")
    for shift, sampler in zip(np.linspace(-0.12, 0.12, len(samplers)), samplers, strict=True):
        rows = searches[searches["sampler"] == sampler]
        places = rows["fold"].to_numpy(dtype=float) + (shift if len(samplers) > 1 else 0)
        colour = COLOURS.get(sampler, BLUE)
        words = SAMPLER_WORDS.get(sampler, sampler).partition(" (")[0]
        ax.vlines(places, rows["kept"], rows["promised"], color=colour, alpha=0.5)
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": 1.5}
        promised = f"promised (inner folds), {words}"
        ax.scatter(places, rows["promised"], s=42, label=promised, **ring)
        ax.scatter(places, rows["kept"], s=42, color=colour, label=f"kept (outer fold), {words}")
    ax.set(xlabel="outer fold", ylabel=f"gain in {metric_name(metric)}")
    ax.set_xticks(sorted(set(searches["fold"])))
    legend_below(ax, n_columns=2)
    first = searches[searches["sampler"] == samplers[0]]
    more = int((first["promised"] > first["kept"]).sum())
    set_title(ax, f"The search promised more than it kept on {more} of {len(first)} folds")
    return ax
