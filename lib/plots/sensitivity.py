"""What decisions are worth when gains are others than assumed: one at a time, and all at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.business import money_label
from lib.plots.panels import percent, percent_axis, thousands_axis
from lib.plots.style import BLUE, GREEN, GREY, ORANGE, legend_below, make_axes, set_title
from lib.plots.text import short_labels, shorten

MAX_GAINS = 12


def plot_tornado(
    tornado: pd.DataFrame,
    *,
    lead: float,
    against: str,
    uncertainty: float,
    currency: str,
    mark: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the model's lead when each gain moves to the ends of its range, one at a time.

    Parameters
    ----------
    tornado : DataFrame with columns meaning, low_value, high_value, at_low, at_high
        As `business.compute_tornado` makes it.
    lead : float
        At the gains as assumed.
    against : str
        The policy that the model replaces.
    uncertainty : float
        Half of each range, as a share of the gain.
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
    >>> row = {"meaning": ["acting"], "low_value": [-12.0], "high_value": [-8.0]}
    >>> table = pd.DataFrame(row | {"at_low": [4.0], "at_high": [6.0]})
    >>> how = {"lead": 5.0, "against": "treat all", "uncertainty": 0.2, "currency": "USD"}
    >>> plot_tornado(table, **how).get_title()
    'The lead over treat all keeps its sign when any one gain moves by 20 %'
    """
    shown = tornado.head(MAX_GAINS)
    ax = make_axes(ax, height=2.0 + 0.55 * max(len(shown), 1))
    positions = np.arange(len(shown))
    room = float(np.ptp([*shown["at_low"], *shown["at_high"], lead, 0.0])) or 1.0
    for end, colour, label in (("low", GREY, "lower end"), ("high", BLUE, "upper end")):
        reach = shown[f"at_{end}"].to_numpy(dtype=float)
        ax.barh(positions, reach - lead, left=lead, height=0.6, color=colour, label=label)
        numbers = [f"{v:,.4g}" for v in shown[f"{end}_value"]]
        for y, at, words in zip(positions.tolist(), reach.tolist(), numbers, strict=True):
            side = 1 if at >= lead else -1
            beside = "left" if side > 0 else "right"
            ax.text(at + 0.012 * room * side, y, words, ha=beside, va="center", fontsize=8.5)
    ax.axvline(lead, color=ORANGE, linewidth=1.6, label="gains as assumed")
    ax.axvline(0, color=GREY, linewidth=1.2)
    ax.set_yticks(positions, short_labels(shown["meaning"], 44, inches=2.9))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    low, high = ax.get_xlim()
    ax.set_xlim(low - 0.12 * (high - low), high + 0.12 * (high - low))
    ax.set(xlabel=money_label("lead", currency), ylabel="gain or cost")
    ax.grid(visible=False, axis="y")
    thousands_axis(ax, "x")
    legend_below(ax)
    ends = [*shown["at_low"], *shown["at_high"]]
    keeps = all((end > 0) == (lead > 0) for end in ends)
    verb = "keeps" if keeps else "changes"
    words = f"The lead over {shorten(against)} {verb} its sign when "
    words += "any one gain moves by" if keeps else "a single gain moves by"
    set_title(ax, f"{words} {percent(uncertainty)}{mark}")
    return ax


def plot_scenarios(
    by_gains: npt.ArrayLike,
    by_both: npt.ArrayLike,
    *,
    lead: float,
    against: str,
    currency: str,
    mark: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw how the model's lead spreads when all gains are uncertain, and the rows as well.

    Parameters
    ----------
    by_gains, by_both : array-like of shape (n_scenarios,)
        As of `business.Scenarios`.
    lead : float
        At the gains as assumed.
    against : str
        The policy that the model replaces.
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
    >>> how = {"lead": 2.0, "against": "treat all", "currency": "USD"}
    >>> plot_scenarios([1.0, 2.0, 3.0, 3.0], [-1.0, 2.0, 4.0, 3.0], **how).get_title()
    'The model is ahead of treat all in 75 % of the scenarios'
    """
    ax = make_axes(ax, height=4.4)
    both, only = np.asarray(by_both, dtype=float), np.asarray(by_gains, dtype=float)
    edges = np.histogram_bin_edges(np.r_[both, only], bins=60)
    if float(edges[-1]) - float(edges[0]) <= 0:
        edges = np.array([lead - 0.5, lead + 0.5])
    for values, colour, label in (
        (both, BLUE, "gains and test rows drawn anew"),
        (only, ORANGE, "gains drawn anew, rows as they are"),
    ):
        counts = np.histogram(values, bins=edges)[0] / len(values)
        ax.stairs(counts, edges, fill=True, color=colour, alpha=0.35, label=label)
        ax.stairs(counts, edges, color=colour)
    ax.axvline(0, color=GREY, linewidth=1.6)
    ax.axvline(lead, color=GREEN, linestyle="--", linewidth=1.6, label="gains as assumed")
    percent_axis(ax, "y")
    thousands_axis(ax, "x")
    ax.set(
        xlabel=money_label("lead", currency),
        ylabel="share of scenarios",
    )
    legend_below(ax, n_columns=2)
    ahead = percent(float((both > 0).mean()))
    set_title(ax, f"The model is ahead of {shorten(against)} in {ahead} of the scenarios{mark}")
    return ax
