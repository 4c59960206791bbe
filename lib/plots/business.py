"""What decisions are worth: policies, profit curves, capacity, decision curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.panels import compact, interval_arms, percent, percent_axis, thousands_axis
from lib.plots.style import BLUE, GREEN, GREY, ORANGE, legend_below, make_axes, set_title
from lib.plots.text import short_labels

MAX_POLICIES = 12
BAND: dict[str, Any] = {
    "color": BLUE,
    "alpha": 0.18,
    "linewidth": 0,
    "label": "band, point by point",
}
DASHED: dict[str, Any] = {"color": GREEN, "linestyle": "--", "linewidth": 1.6}


def plot_policies(
    comparison: pd.DataFrame, *, currency: str, mark: str = "", ax: Axes | None = None
) -> Axes:
    """Draw what each policy brings on the same rows, with intervals.

    Parameters
    ----------
    comparison : DataFrame with columns policy, net_benefit, verdict
        As `business.compare_policies` makes it, the judged policy first.
    currency : str
        Of the money.
    mark : str
        Ends the title: what a reader must know of the gains.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> row = {"policy": ["model"], "verdict": ["judged"]}
    >>> table = pd.DataFrame(row | {"net_benefit": [Estimate(value=5.0, low=4.0, high=6.0)]})
    >>> plot_policies(table, currency="USD").get_title()
    "The model's rule brings 5 USD for 1,000 rows"
    """
    shown = comparison.head(MAX_POLICIES)
    ax = make_axes(ax, height=1.7 + 0.42 * max(len(shown), 2))
    positions = np.arange(len(shown))
    estimates = shown["net_benefit"].tolist()
    values, arms = np.array([e.value for e in estimates], dtype=float), interval_arms(estimates)
    ax.axvline(0, color=GREY, linewidth=1.2)
    is_judged = (shown["verdict"] == "judged").to_numpy()
    for chosen, colour in ((is_judged, ORANGE), (~is_judged, BLUE)):
        ax.errorbar(
            values[chosen],
            positions[chosen],
            xerr=arms[:, chosen],
            fmt="o",
            capsize=4,
            color=colour,
        )
    ax.set_yticks(positions, short_labels(shown["policy"]))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set(xlabel=money_label("net benefit", currency), ylabel="policy")
    ax.grid(visible=False, axis="y")
    thousands_axis(ax, "x")
    _point_at_the_far(ax, values, arms)
    others = comparison["verdict"].iloc[1:]
    n_worse = int((others == "better").sum())
    words = f"The model's rule brings {compact(values[0])} {currency} for 1,000 rows"
    if len(others):
        words += f", beyond chance more than {n_worse} of {len(others)} other policies"
    set_title(ax, words + mark)
    return ax


def plot_profit_curve(
    curve: pd.DataFrame,
    *,
    chosen: float,
    break_even: float | None,
    currency: str,
    learned: pd.DataFrame | None = None,
    mark: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw what acting from each threshold on brings, or what each quantile saves.

    Parameters
    ----------
    curve : DataFrame with columns threshold (or quantile), gain, low, high
        On the rows where it is priced.
    chosen : float
        The threshold or quantile that is used.
    break_even : float or None
        The threshold that the gains alone ask for.
    currency : str
        Of the money.
    learned : DataFrame with columns threshold, gain, optional
        The curve on which the threshold was chosen.
    mark : str
        Ends the title.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> rows = {"threshold": [0.0, 0.5], "gain": [0.0, 5.0], "low": [-1.0, 3.0], "high": [1.0, 7.0]}
    >>> ax = plot_profit_curve(pd.DataFrame(rows), chosen=0.5, break_even=0.4, currency="USD")
    >>> ax.get_title()
    'Acting from 0.5 on brings 5 USD for 1,000 rows'
    """
    is_quantile = "quantile" in curve
    at = "quantile" if is_quantile else "threshold"
    ax = make_axes(ax, height=4.8)
    drawn = curve[curve[at] <= 1]
    x = drawn[at].to_numpy(dtype=float)
    ax.fill_between(x, drawn["low"], drawn["high"], **BAND)
    ax.plot(x, drawn["gain"], color=BLUE, label="test rows")
    if learned is not None:
        kept = learned[learned[at] <= 1]
        words = "where it was chosen (out of fold)"
        ax.plot(kept[at], kept["gain"], color=GREY, linestyle=":", label=words)
    ax.axhline(0, color=GREY, linewidth=1.2)
    what = "saved" if is_quantile else "net benefit"
    if chosen <= 1:
        ax.axvline(chosen, color=ORANGE, linewidth=1.6, label=f"used: {chosen:.3g}")
    if break_even is not None:
        ax.axvline(break_even, label=f"break-even of the gains: {break_even:.3g}", **DASHED)
    ax.set_ylim(*_interesting(drawn["low"], drawn["high"]))
    ax.set(
        xlabel="quantile that is forecast" if is_quantile else "act from this probability on",
        ylabel=money_label(what, currency),
    )
    thousands_axis(ax, "y")
    legend_below(ax, n_columns=2)
    gain = float(curve["gain"].iloc[int(np.argmin(np.abs(curve[at] - chosen)))])
    words = f"Acting from {chosen:.3g} on brings {compact(gain)} {currency} for 1,000 rows"
    if is_quantile:
        words = f"Forecasting the {chosen:.0%} quantile instead of the mean saves {compact(gain)} "
        words += f"{currency} for 1,000 rows"
    elif chosen > 1:
        words = "No threshold earned anything where it was chosen: treat nobody"
    set_title(ax, words + mark)
    return ax


def plot_capacity(
    curve: pd.DataFrame,
    *,
    best: float,
    capacity: float | None,
    currency: str,
    mark: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw what acting on the most promising share of rows brings.

    Parameters
    ----------
    curve : DataFrame with columns share, gain, at_random
        As `business.compute_capacity` makes it; gain is an Estimate.
    best : float
        Share that was best where it was chosen.
    capacity : float or None
        Share of rows that can be acted upon.
    currency : str
        Of the money.
    mark : str
        Ends the title.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> gains = [Estimate(value=v, low=v - 1, high=v + 1) for v in (0.0, 9.0, 2.0)]
    >>> table = pd.DataFrame({"share": [0.0, 0.5, 1.0], "gain": gains, "at_random": [0, 1, 2]})
    >>> plot_capacity(table, best=0.5, capacity=None, currency="USD").get_title()
    'Acting on the first 50 % brings 9 USD for 1,000 rows'
    """
    ax = make_axes(ax, height=4.8)
    share = curve["share"].to_numpy(dtype=float)
    gain = np.array([(e.value, e.low, e.high) for e in curve["gain"]], dtype=float)
    ax.fill_between(share, gain[:, 1], gain[:, 2], **BAND)
    ax.plot(share, gain[:, 0], color=BLUE, label="by the model's order")
    ax.plot(share, curve["at_random"], color=GREY, linestyle=":", label="as many by lot")
    ax.axhline(0, color=GREY, linewidth=1.2)
    ax.axvline(best, color=ORANGE, linewidth=1.6, label=f"chosen out of fold: {percent(best)}")
    if capacity is not None:
        ax.axvline(capacity, label=f"capacity: {percent(capacity)}", **DASHED)
    low, high = _interesting(gain[:, 1], gain[:, 2])
    seen = share[gain[:, 2] >= low]
    ax.set(ylim=(low, high), xlim=(-0.01 * seen.max(), 1.01 * seen.max()))
    percent_axis(ax)
    ax.set(
        xlabel="share of rows acted upon, the most promising first",
        ylabel=money_label("net benefit", currency),
    )
    thousands_axis(ax, "y")
    legend_below(ax, n_columns=2)
    used = best if capacity is None else min(best, capacity)
    at_used = float(np.interp(used, share, gain[:, 0]))
    words = f"Acting on the first {percent(used)} brings {compact(at_used)} {currency} for 1,000"
    set_title(ax, f"{words} rows{mark}")
    return ax


def plot_decision_curve(
    curve: pd.DataFrame,
    *,
    useful: tuple[float, float] | None,
    break_even: float | None = None,
    mark: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the net benefit of a model over thresholds, beside treating all and nobody.

    Parameters
    ----------
    curve : DataFrame with columns threshold, model, low, high, treat_all
        As `business.compute_decision_curve` makes it.
    useful : (float, float) or None
        Thresholds between which the model's band beats both defaults.
    break_even : float, optional
        The threshold that the gains ask for.
    mark : str
        Ends the title.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> rows = {"threshold": [0.1, 0.2], "model": [0.3, 0.2], "low": [0.2, 0.1], "high": [0.4, 0.3]}
    >>> table = pd.DataFrame(rows | {"treat_all": [0.1, -0.1]})
    >>> plot_decision_curve(table, useful=(0.1, 0.2)).get_title()
    'The model beats treating all and nobody for thresholds from 10 % to 20 %'
    """
    ax = make_axes(ax, height=4.8)
    x = curve["threshold"].to_numpy(dtype=float)
    ax.fill_between(x, curve["low"], curve["high"], **BAND)
    ax.plot(x, curve["model"], color=BLUE, label="model")
    ax.plot(x, curve["treat_all"], color=GREY, linestyle=":", label="treat all")
    ax.axhline(0, color=GREY, linewidth=1.4, label="treat nobody")
    if break_even is not None:
        ax.axvline(break_even, label=f"break-even of the gains: {break_even:.3g}", **DASHED)
    top = float(max(curve["high"].max(), curve["treat_all"].max(), 0.01))
    ax.set_ylim(-0.35 * top, 1.08 * top)
    ax.set(
        xlabel="threshold: act from this probability on (20 % takes 4 false alarms for a hit)",
        ylabel="net benefit (true positives a row)",
    )
    percent_axis(ax)
    legend_below(ax)
    words = "No threshold has the model beat both treating all and treating nobody"
    if useful is not None:
        words = "The model beats treating all and nobody for thresholds from "
        words += f"{percent(useful[0])} to {percent(useful[1])}"
    set_title(ax, words + mark)
    return ax


def money_label(what: str, currency: str) -> str:
    """Return the words of an axis of money."""
    return f"{what} ({currency} per 1,000 rows)"


def _interesting(low: Any, high: Any) -> tuple[float, float]:
    """Return the limits of an axis without what is far below zero: there a loss is just large."""
    lows, highs = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    top, bottom = max(float(np.nanmax(highs)), 0.0), min(float(np.nanmin(lows)), 0.0)
    lowest = max(bottom, -2.0 * top) if top > -0.02 * bottom else bottom
    room = (top - lowest) or 1.0
    return lowest - 0.04 * room, top + 0.06 * room


def _point_at_the_far(ax: Axes, values: Any, arms: Any) -> None:
    """Cut the axis where the worst policy loses so much that the others look alike."""
    worst = int(np.argmin(values))
    lows, highs = np.delete(values - arms[0], worst), np.delete(values + arms[1], worst)
    if not len(lows):
        return
    low, high = min(float(lows.min()), 0.0), max(float(highs.max()), 0.0)
    room = (high - low) or 1.0
    if values[worst] + arms[1][worst] >= low - 1.5 * room:
        return
    ax.set_xlim(low - 0.2 * room, high + 0.05 * room)
    ax.text(low - 0.17 * room, worst, f"← {values[worst]:,.0f}", ha="left", va="center", color=BLUE)
