"""Ensembles: whose errors go together, who contributes, and what a better score costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.panels import draw_heatmap, interval_arms
from lib.plots.scores import metric_label
from lib.plots.style import BLUE, GREY, ORANGE, legend_below, make_axes, set_title
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
    name = metric_label(metric).partition(" (")[0]
    ax.set(xlabel=f"{name} with the member minus without it", ylabel="member left out")
    ax.grid(visible=False, axis="y")
    n_sure = sum(estimate.low > 0 for estimate in estimates)
    verb = "adds" if n_sure == 1 else "add"
    claim = f"{n_sure} of {len(shown)} members {verb} something beyond its interval"
    set_title(ax, claim if n_sure else "No member is missed when it is left out")
    return ax


def plot_score_and_cost(costs: pd.DataFrame, *, metric: str, ax: Axes | None = None) -> Axes:
    """Draw score against the time to predict: what a better score costs.

    Parameters
    ----------
    costs : DataFrame with columns model, score, milliseconds, is_ensemble
        `score` is an `Estimate`, `milliseconds` those of 1,000 rows.
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
    >>> row = {"model": ["tree"], "score": [Estimate(value=0.7, low=0.6, high=0.8)]}
    >>> table = pd.DataFrame(row | {"milliseconds": [3.0], "is_ensemble": [False]})
    >>> plot_score_and_cost(table, metric="r2").get_xlabel()
    'milliseconds to predict 1,000 rows (log scale, this machine)'
    """
    known = costs[costs["milliseconds"] > 0].head(MAX_MEMBERS)
    ax = make_axes(ax, height=5.0)
    for is_ensemble, colour, label in ((False, BLUE, "one model"), (True, ORANGE, "ensemble")):
        rows = known[known["is_ensemble"] == is_ensemble]
        values = np.array([e.value for e in rows["score"]], dtype=float)
        ax.scatter(rows["milliseconds"], values, s=40, color=colour, label=label)
    ax.set_xscale("log")
    numbers = [float(e.value) for e in known["score"]]
    for name, x, y in zip(
        short_labels(known["model"]), known["milliseconds"], numbers, strict=True
    ):
        ax.annotate(name, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=8.5)
    _plain_log_ticks(ax)
    ax.set_xlabel("milliseconds to predict 1,000 rows (log scale, this machine)")
    ax.set_ylabel(metric_label(metric))
    legend_below(ax)
    set_title(ax, "What does a better score cost when the model is used?")
    return ax


def _plain_log_ticks(ax: Axes) -> None:
    """Write powers of ten as numbers."""
    low, high = ax.get_xlim()
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(ticks) < 2:
        ticks = [float(f"{tick:.1g}") for tick in np.geomspace(low, high, 4)[1:-1]]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(low, high * (high / low) ** 0.15)  # room for the names
