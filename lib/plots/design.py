"""Experiments: learning curves, effects of factors, luck of seeds and folds, arms of a trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.plots.panels import compact, interval_arms
from lib.plots.scores import metric_label, metric_name
from lib.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    figure_title,
    legend_below,
    make_axes,
    make_grid,
    set_title,
)
from lib.plots.text import short_labels, shorten

COLOURS = (ORANGE, BLUE, GREEN)
MAX_OUTCOMES = 6


def plot_learning_curve(
    curve: pd.DataFrame,
    extrapolations: Sequence[Any],
    *,
    metric: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw scores over the number of rows learned from, continued to twice as many.

    Parameters
    ----------
    curve : DataFrame with columns model, n_rows, score
        One row a model, fold and size, as `design.compute_learning_curve` makes it.
    extrapolations : sequence of Extrapolation
        As `design.extrapolate` returns them, one a model, at most three; the last one is the title.
    metric : str
        What was scored.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    ax = make_axes(ax, height=5.0)
    last = max(float(found.points["n_rows"].max()) for found in extrapolations)
    for found, colour in zip(extrapolations, COLOURS, strict=False):
        own = curve[curve["model"] == found.model]
        name = shorten(found.model)
        ax.scatter(own["n_rows"], own["score"], s=14, color=colour, alpha=0.35, linewidths=0)
        points, line = found.points, found.line
        ax.scatter(points["n_rows"], points["score"], s=42, color=colour, zorder=3)
        seen, beyond = line[line["n_rows"] <= last], line[line["n_rows"] >= 0.97 * last]
        ax.plot(seen["n_rows"], seen["value"], color=colour, label=name)
        ax.plot(beyond["n_rows"], beyond["value"], color=colour, linestyle="--")
        ax.fill_between(
            beyond["n_rows"], beyond["low"], beyond["high"], color=colour, alpha=0.18, linewidth=0
        )
    ax.axvline(last, color=GREY, linewidth=1.2)
    ax.set_xscale("log")
    sizes = extrapolations[0].points["n_rows"].to_numpy(dtype=float)
    ticks = [*sizes, 2 * last]
    ax.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("rows learned from (log scale; right of the line: extrapolated)")
    ax.set_ylabel(metric_label(metric))
    legend_below(ax)
    set_title(ax, _curve_claim(extrapolations[-1]))
    return ax


def _curve_claim(found: Any) -> str:
    gain = found.gain
    if not gain.has_interval:
        return f"What would twice the rows do for {shorten(found.model)}?"
    return f"Twice the rows would move {shorten(found.model)} by {gain}"


def plot_factor_effects(effects: pd.DataFrame, *, metric: str, ax: Axes | None = None) -> Axes:
    """Draw main effects and interactions of a factorial experiment, with intervals.

    Parameters
    ----------
    effects : DataFrame with columns effect, order, estimate, verdict
        As `design.compute_effects` makes it.
    metric : str
        What was scored.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> row = {"effect": ["rows"], "order": [1], "verdict": ["raises the score"]}
    >>> table = pd.DataFrame(row | {"estimate": [Estimate(value=0.02, low=0.01, high=0.03)]})
    >>> plot_factor_effects(table, metric="r2").get_title()
    '1 of 1 effects is beyond chance; the largest: rows, +0.0200'
    """
    ax = make_axes(ax, height=1.8 + 0.42 * max(len(effects), 2))
    positions = np.arange(len(effects))
    estimates = effects["estimate"].tolist()
    values, arms = np.array([e.value for e in estimates], dtype=float), interval_arms(estimates)
    is_clear = ~effects["verdict"].str.startswith("not").to_numpy()
    ax.axvline(0, color=GREY, linewidth=1.2)
    for chosen, colour, label in (
        (is_clear, BLUE, "beyond chance (Holm)"),
        (~is_clear, GREY, "not distinguishable from none"),
    ):
        if chosen.any():
            ax.errorbar(
                values[chosen],
                positions[chosen],
                xerr=arms[:, chosen],
                fmt="o",
                color=colour,
                capsize=4,
                label=label,
            )
    ax.set_yticks(positions, short_labels(effects["effect"]))
    ax.set_ylim(len(effects) - 0.4, -0.6)
    name = metric_name(metric)
    ax.set(xlabel=f"effect on {name}: high level minus low, with interval", ylabel="what changes")
    ax.grid(visible=False, axis="y")
    legend_below(ax)
    largest = int(np.argmax(np.abs(values)))
    verb = "is" if int(is_clear.sum()) == 1 else "are"
    claim = f"{int(is_clear.sum())} of {len(effects)} effects {verb} beyond chance; the largest: "
    set_title(ax, f"{claim}{effects['effect'].iloc[largest]}, {values[largest]:+.4f}")
    return ax


def plot_noise(by_fold: pd.DataFrame, *, metric: str, ax: Axes | None = None) -> Axes:
    """Draw one model's score on every fold with every seed: luck of both side by side.

    Parameters
    ----------
    by_fold : DataFrame of shape (n_folds, n_seeds)
        Scores.
    metric : str
        What was scored.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> plot_noise(pd.DataFrame([[0.7, 0.72], [0.8, 0.78]]), metric="r2").get_title()
    'Seeds move a fold by 0.0200 (median), folds move the score by 0.0800'
    """
    known = by_fold.dropna()
    ax = make_axes(ax, height=4.2)
    values = known.to_numpy(dtype=float)
    n_folds, n_seeds = values.shape
    positions = np.arange(n_folds)
    shift = np.linspace(-0.22, 0.22, n_seeds) if n_seeds > 1 else np.zeros(1)
    for seed in range(n_seeds):
        label = "one seed" if seed == 0 else None
        ax.scatter(positions + shift[seed], values[:, seed], s=26, color=BLUE, label=label)
    means = values.mean(axis=1)
    ax.hlines(means, positions - 0.34, positions + 0.34, color=ORANGE, label="mean of the fold")
    ax.axhline(values.mean(), color=GREY, linewidth=1.2, linestyle="--", label="mean of all")
    n_labels = -(-n_folds // 15)
    ax.set_xticks(positions[::n_labels], [str(fold) for fold in known.index[::n_labels]])
    ax.set(xlabel="fold", ylabel=metric_label(metric))
    ax.grid(visible=False, axis="x")
    legend_below(ax)
    by_seed = float(np.median(np.ptp(values, axis=1)))
    set_title(
        ax,
        f"Seeds move a fold by {by_seed:.4f} (median), folds move the score by "
        f"{float(np.ptp(means)):.4f}",
    )
    return ax


def plot_arms(effects: pd.DataFrame) -> Figure:
    """Draw what each arm of a trial changed against the control, one panel an outcome.

    Parameters
    ----------
    effects : DataFrame with columns outcome, arm, adjusted, mean, published_share
        As `design.compute_arm_effects` makes it; the control's row comes first.

    Returns
    -------
    matplotlib Figure
    """
    outcomes = list(dict.fromkeys(effects["outcome"]))[:MAX_OUTCOMES]
    arms = list(dict.fromkeys(effects["arm"]))
    width = 5.6 if len(outcomes) > 1 else 8.0
    figure, axes = make_grid(len(outcomes), n_columns=2, width=width, height=1.7 + 0.45 * len(arms))
    n_sure = n_all = 0
    for ax, outcome in zip(axes, outcomes, strict=True):
        own = effects[effects["outcome"] == outcome]
        control, others = own.iloc[0], own.iloc[1:]
        at_control = float(control["mean"])
        estimates = others["adjusted"].tolist()
        values, reach = np.array([e.value for e in estimates], float), interval_arms(estimates)
        positions = np.arange(len(others))
        n_sure += int((np.abs(values) > reach.max(axis=0)).sum())
        n_all += len(others)
        ax.axvline(0, color=GREY, linewidth=1.2)
        ax.errorbar(
            values, positions, xerr=reach, fmt="o", color=BLUE, capsize=4, label="here, adjusted"
        )
        published = at_control * (others["published_share"].to_numpy(dtype=float) - 1)
        if np.isfinite(published).any():
            ax.scatter(
                published,
                positions + 0.22,
                marker="D",
                s=34,
                color=ORANGE,
                zorder=3,
                label="published, as a share of the control",
            )
        ax.set_yticks(positions, short_labels(others["arm"]))
        ax.set_ylim(len(others) - 0.4, -0.6)
        ax.set_xlabel(f"difference to {shorten(control['arm'])} ({compact(at_control)} on average)")
        ax.set_ylabel("arm")
        ax.grid(visible=False, axis="y")
        legend_below(ax, n_columns=1)
        set_title(ax, shorten(outcome))
    claim = f"{n_sure} of {n_all} differences to {shorten(arms[0])} are beyond their interval"
    figure_title(figure, claim)
    return figure
