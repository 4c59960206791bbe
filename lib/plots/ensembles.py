"""Ensembles: whose errors go together, who contributes, and what a better score costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.plots.panels import draw_heatmap, interval_arms
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
from lib.plots.text import short_labels, shorten

MAX_MEMBERS = 30
WRITTEN = 12  # members of which each correlation is written out


def plot_error_correlation(correlations: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how alike the errors of each pair of members are.

    Parameters
    ----------
    correlations : DataFrame of shape (n_members, n_members)
        As `ensembles.compute_diversity` makes it.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> names = ["tree", "linear"]
    >>> table = pd.DataFrame([[1.0, 0.4], [0.4, 1.0]], index=names, columns=names)
    >>> plot_error_correlation(table).get_title()
    'tree and linear err least alike: correlation 0.40'
    """
    shown = correlations.iloc[:MAX_MEMBERS, :MAX_MEMBERS]
    size = 1.8 + 0.42 * len(shown)
    ax = make_axes(ax, width=max(size + 2.4, 7.0), height=max(size, 3.6))
    draw_heatmap(ax, shown, inches=1.8, is_written=len(shown) <= WRITTEN)
    ax.figure.axes[-1].set_ylabel("correlation of errors")
    ax.set(xlabel="member", ylabel="member")
    set_title(ax, _least_alike(correlations))
    return ax


def _least_alike(correlations: pd.DataFrame) -> str:
    values = correlations.to_numpy(dtype=float).copy()
    values[np.tril_indices(len(values))] = np.inf
    if not np.isfinite(values).any():
        return "One member alone has nothing to be compared with"
    row, column = np.unravel_index(int(np.argmin(values)), values.shape)
    names = [shorten(correlations.columns[int(i)]) for i in (row, column)]
    least = values[row, column]
    return f"{names[0]} and {names[1]} err least alike: correlation {least:.2f}"


def plot_member_contributions(
    contributions: pd.DataFrame, *, metric: str, ax: Axes | None = None
) -> Axes:
    """Draw what the ensemble loses without each member, with intervals.

    Parameters
    ----------
    contributions : DataFrame with columns member, contribution
        As `ensembles.compute_contributions` makes it; `contribution` is an `Estimate`.
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
    >>> gain = Estimate(value=0.01, low=0.004, high=0.016)
    >>> table = pd.DataFrame({"member": ["tree"], "contribution": [gain]})
    >>> plot_member_contributions(table, metric="r2").get_title()
    '1 of 1 members adds something beyond its interval'
    """
    shown = contributions.head(MAX_MEMBERS)
    ax = make_axes(ax, height=1.6 + 0.4 * max(len(shown), 2))
    positions = np.arange(len(shown))
    estimates = shown["contribution"].tolist()
    values = np.array([estimate.value for estimate in estimates], dtype=float)
    ax.axvline(0, color=GREY, linewidth=1.2)
    ax.errorbar(values, positions, xerr=interval_arms(estimates), fmt="o", color=BLUE, capsize=4)
    ax.set_yticks(positions, short_labels(shown["member"]))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    name = metric_name(metric)
    ax.set(xlabel=f"{name} with the member minus without it", ylabel="member left out")
    ax.grid(visible=False, axis="y")
    n_sure = sum(estimate.low > 0 for estimate in estimates)
    verb = "adds" if n_sure == 1 else "add"
    claim = f"{n_sure} of {len(shown)} members {verb} something beyond its interval"
    set_title(ax, claim if n_sure else "No member is missed when it is left out")
    return ax


def plot_score_and_cost(costs: pd.DataFrame, *, metric: str) -> Figure:
    """Draw score and time to predict side by side: what a better score costs.

    Parameters
    ----------
    costs : DataFrame with columns model, score, milliseconds, is_ensemble
        `score` is an `Estimate`, `milliseconds` those of 1,000 rows; drawn from the top in this
        order.
    metric : str
        What was scored.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> row = {"model": ["tree"], "score": [Estimate(value=0.7, low=0.6, high=0.8)]}
    >>> table = pd.DataFrame(row | {"milliseconds": [3.0], "is_ensemble": [False]})
    >>> plot_score_and_cost(table, metric="r2").axes[1].get_xlabel()
    'milliseconds for 1,000 rows (log scale)'
    """
    known = costs[costs["milliseconds"] > 0].head(MAX_MEMBERS)
    names, positions = short_labels(known["model"]), np.arange(len(known))
    height = 1.0 + 0.3 * max(len(known), 2)
    figure, (scores, times) = make_grid(2, n_columns=2, width=4.2, height=height)
    for is_ensemble, colour, label in ((False, BLUE, "one model"), (True, ORANGE, "ensemble")):
        chosen = (known["is_ensemble"] == is_ensemble).to_numpy()
        estimates = known.loc[chosen, "score"].tolist()
        values = np.array([estimate.value for estimate in estimates], dtype=float)
        how: dict[str, Any] = {"fmt": "o", "color": colour, "capsize": 3, "label": label}
        scores.errorbar(values, positions[chosen], xerr=interval_arms(estimates), **how)
        times.scatter(known.loc[chosen, "milliseconds"], positions[chosen], s=40, color=colour)
    scores.set_yticks(positions, names)
    times.set_yticks(positions, [])
    times.set_xscale("log")
    _plain_log_ticks(times)
    for ax, what in ((scores, "score"), (times, "time to predict")):
        ax.set_ylim(len(known) - 0.4, -0.6)
        ax.grid(visible=False, axis="y")
        ax.set_title(what)
    scores.set(xlabel=metric_label(metric), ylabel="model")
    times.set(xlabel="milliseconds for 1,000 rows (log scale)", ylabel="the same models")
    legend_below(scores)
    figure_title(figure, _price_of_the_best(known), note="Times are of this machine.")
    return figure


def _price_of_the_best(known: pd.DataFrame) -> str:
    """Say what the best ensemble takes beside the best single model."""
    values = known.assign(value=[estimate.value for estimate in known["score"]])
    single, combined = values[~values["is_ensemble"]], values[values["is_ensemble"]]
    if single.empty or combined.empty:
        return "What does a better score cost when the model is used?"
    one, many = (table.loc[table["value"].idxmax()] for table in (single, combined))
    if many["value"] <= one["value"]:
        return f"No ensemble scores above {shorten(one['model'])}"
    times = many["milliseconds"] / one["milliseconds"]
    return (
        f"{shorten(many['model'])} scores {many['value'] - one['value']:.3g} above "
        f"{shorten(one['model'])} and takes {times:.2g} times as long"
    )


def _plain_log_ticks(ax: Axes) -> None:
    """Write powers of ten as numbers."""
    low, high = ax.get_xlim()
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(ticks) < 2:
        ticks = [float(f"{tick:.1g}") for tick in np.geomspace(low, high, 4)[1:-1]]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
