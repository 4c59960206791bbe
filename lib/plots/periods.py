"""A target over time."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lib.plots.panels import compact, percent_axis
from lib.plots.style import BLUE, GREY, figure_title, say
from lib.plots.text import fit, shorten, spread, text_width
from lib.statistics import TimeProfile


def plot_time_profile(profile: TimeProfile, *, target: str, is_share: bool = False) -> Figure:
    """Draw a target's mean over time with its interval, the rows behind it, and its memory.

    Parameters
    ----------
    profile : TimeProfile
        As `statistics.compute_time_profile` returns it.
    target : str
        The target's own name, or that of a class.
    is_share : bool
        The target is 0 or 1, so that its mean is a share.

    Returns
    -------
    matplotlib Figure
        With three panels.

    Examples
    --------
    >>> import pandas as pd
    >>> from lib.statistics import compute_time_profile
    >>> years = pd.Series([1, 2, 3, 4] * 10, name="year")
    >>> figure = plot_time_profile(compute_time_profile(years, years * 2.0), target="cost")
    >>> figure.get_suptitle()
    "'cost' over time: no trend beyond chance over 4 periods"
    """
    figure = plt.figure(figsize=(9.5, 6.0), layout="constrained")
    panels = figure.subplot_mosaic([["mean", "mean"], ["rows", "memory"]], height_ratios=[1.4, 1])
    _draw_means(panels["mean"], profile, target, is_share=is_share)
    _draw_rows(panels["rows"], profile)
    _draw_memory(panels["memory"], profile)
    figure_title(figure, _claim(profile, target), _note(profile))
    return figure


def _draw_means(ax: Axes, profile: TimeProfile, target: str, *, is_share: bool) -> None:
    periods = profile.periods
    positions = np.arange(len(periods))
    few = len(periods) <= 30
    ax.fill_between(
        positions,
        periods["low"],
        periods["high"],
        color=BLUE,
        alpha=0.2,
        linewidth=0,
    )
    ax.plot(
        positions,
        periods["mean"],
        color=BLUE,
        marker="o" if few else None,
        markersize=4,
    )
    _period_ticks(ax, profile)
    what = "share" if is_share else "mean"
    ax.set_ylabel(f"{what} of {fit(target, 1.5, 10.5)}")
    ax.set_title(f"The {what}, with a 95 % interval as if rows were independent")
    if is_share:
        percent_axis(ax, "y")


def _draw_rows(ax: Axes, profile: TimeProfile) -> None:
    ax.bar(np.arange(len(profile.periods)), profile.periods["rows"], color=GREY, width=0.85)
    _period_ticks(ax, profile)
    ax.set(ylabel="rows", title="How many rows")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def _draw_memory(ax: Axes, profile: TimeProfile) -> None:
    memory = profile.memory
    ax.set(
        xlabel=f"lag in periods ({fit(profile.unit, 1.5, 10.5)})",
        ylabel="autocorrelation",
        title="Memory between periods (grey: chance)",
    )
    if not len(memory):
        say(ax, "too few periods to tell memory from chance")
        return
    ax.axhspan(
        -memory["bound"].iloc[0], memory["bound"].iloc[0], color=GREY, alpha=0.25, linewidth=0
    )
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.vlines(memory["lag"], 0, memory["autocorrelation"], color=BLUE, linewidth=2)
    ax.scatter(memory["lag"], memory["autocorrelation"], color=BLUE, s=16, zorder=3)
    ax.set_ylim(-1.05, 1.05)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _period_ticks(ax: Axes, profile: TimeProfile) -> None:
    names = profile.periods["period"].tolist()
    spec = ax.get_subplotspec()
    width = 8.4 if spec is None or len(spec.colspan) > 1 else 3.8  # inches
    widest = max((text_width(fit(name, 1.0, 9.5), 9.5) for name in names), default=0.0)
    kept = spread(range(len(names)), max(int(width / (widest + 0.25)), 2))
    ax.set_xticks(kept, [fit(names[i], 1.0, 9.5) for i in kept])
    ax.set_xlabel(fit(profile.unit, 3.0, 10.5))


def _claim(profile: TimeProfile, target: str) -> str:
    n = len(profile.periods)
    name = f"'{shorten(target)}' over time: "
    if n < 4:
        return f"{name}{n} periods, too few to speak of a trend"
    if not profile.trend_p < 0.05:
        return f"{name}no trend beyond chance over {n} periods"
    direction = "rises" if profile.trend.value > 0 else "falls"
    return f"{name}{direction} over {n} periods (Kendall's τ {profile.trend.value:.2f})"


def _note(profile: TimeProfile) -> str:
    parts = [
        f"{row.cycle}: {row.strength:.0%} of the spread around slow change (peak: {row.peak})"
        for row in profile.seasons.itertuples()
    ]
    if profile.persistence is not None:
        parts.append(f"rank correlation of a group with its next row: {profile.persistence}")
    return "; ".join(parts)
