"""Strategies of estimating a score, against the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.panels import interval_arms, percent, percent_axis
from lib.plots.scores import metric_name
from lib.plots.style import BLUE, GREY, ORANGE, legend_below, make_axes, say, set_title
from lib.plots.text import short_labels, shorten


def plot_strategies(summary: pd.DataFrame, *, metric: str, ax: Axes | None = None) -> Axes:
    """Draw by how much each strategy misses the truth: on average, and from sample to sample.

    Parameters
    ----------
    summary : DataFrame with columns strategy, bias, spread
        From `Comparison.summarise`; `bias` is an `Estimate` of estimate minus truth, `spread` the
        standard deviation of the estimate.
    metric : str
        Name of the scorer.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> bias = Estimate(value=0.1, low=0.05, high=0.15)
    >>> table = pd.DataFrame({"strategy": ["k-fold"], "bias": [bias], "spread": [0.05]})
    >>> plot_strategies(table, metric="roc_auc").get_title()
    '1 of 1 strategies misses the truth on average; k-fold by most: +0.100'
    """
    shown = summary[[np.isfinite(bias.value) for bias in summary["bias"]]]
    ax = make_axes(ax, height=1.6 + 0.36 * max(len(shown), 3))
    label = metric_name(metric)
    ax.set(xlabel=f"{label}: estimate minus truth", ylabel="strategy")
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1.2, label="the truth")
    places = np.arange(len(shown))
    values = np.array([bias.value for bias in shown["bias"]], dtype=float)
    spread = shown["spread"].to_numpy(dtype=float)
    ax.barh(
        places,
        2 * spread,
        left=values - spread,
        height=0.5,
        color=BLUE,
        alpha=0.18,
        label="± one standard deviation",
    )
    ax.errorbar(
        values,
        places,
        xerr=interval_arms(shown["bias"]),
        fmt="o",
        color=BLUE,
        capsize=3,
        label="bias with interval",
    )
    if not len(shown):
        say(ax, "no strategy has an estimate")
    else:
        ax.set_yticks(places, short_labels(shown["strategy"]))
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.grid(visible=False, axis="y")
        legend_below(ax, n_columns=3)
    set_title(ax, _claim(shown, values))
    return ax


def plot_coverage(summary: pd.DataFrame, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw how often intervals hold the truth, naive and corrected ones.

    Parameters
    ----------
    summary : DataFrame with columns strategy, naive_covers, corrected_covers
        From `Comparison.summarise`; Estimates of shares, NaN where there are no intervals.
    level : float
        What the intervals aim at.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from lib.estimates import wilson
    >>> table = pd.DataFrame({"strategy": ["k-fold"], "naive_covers": [wilson(80, 100)]})
    >>> table["corrected_covers"] = [wilson(95, 100)]
    >>> plot_coverage(table).get_title()
    'Aim 95 %: naive intervals hold the truth in 80 %, corrected ones in 95 %'
    """
    shown = summary[[np.isfinite(c.value) for c in summary["corrected_covers"]]]
    ax = make_axes(ax, height=1.6 + 0.36 * max(len(shown), 3))
    ax.set(xlabel="samples whose interval holds the truth", ylabel="strategy")
    places = np.arange(len(shown))
    ax.axvline(level, color=GREY, linestyle="--", linewidth=1.2, label=f"aim: {percent(level)}")
    kinds = [("naive_covers", ORANGE, "s", -0.14, "naive")]
    kinds += [("corrected_covers", BLUE, "o", 0.14, "corrected")]
    for column, colour, marker, shift, label in kinds:
        values = np.array([share.value for share in shown[column]], dtype=float)
        ax.errorbar(
            values,
            places + shift,
            xerr=interval_arms(shown[column]),
            fmt=marker,
            color=colour,
            capsize=3,
            label=label,
        )
    if not len(shown):
        say(ax, "no strategy has intervals")
        set_title(ax, "No strategy has intervals to judge")
        return ax
    ax.set_yticks(places, short_labels(shown["strategy"]))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(right=1.02)
    percent_axis(ax)
    ax.grid(visible=False, axis="y")
    legend_below(ax, n_columns=3)
    naive, corrected = (
        float(np.mean([share.value for share in shown[column]])) for column, *_ in kinds
    )
    set_title(
        ax,
        f"Aim {percent(level)}: naive intervals hold the truth in {percent(naive)}, "
        f"corrected ones in {percent(corrected)}",
    )
    return ax


def _claim(shown: pd.DataFrame, values: np.ndarray) -> str:
    if not len(values):
        return "No strategy has an estimate"
    missing = [not e.low <= 0 <= e.high for e in shown["bias"]]
    n_missing = sum(missing)
    if not n_missing:
        return f"None of {len(shown)} strategies shows a bias beyond chance"
    worst = int(np.argmax(np.where(missing, np.abs(values), -1)))
    name = shorten(shown["strategy"].iloc[worst])
    verb = "misses" if n_missing == 1 else "miss"
    return (
        f"{n_missing} of {len(shown)} strategies {verb} the truth on average; "
        f"{name} by most: {values[worst]:+.3f}"
    )
