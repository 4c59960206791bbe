"""Figures of statistical tests: quantiles against normal ones, coefficients, power."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from lib import statistics
from lib.estimates import Estimate
from lib.plots.panels import draw_dots, panel_title, percent, percent_axis
from lib.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    figure_title,
    legend_below,
    make_axes,
    make_grid,
    say,
    set_title,
)
from lib.plots.text import of_many, shorten

MAX_PANELS = 12
MAX_TERMS = 30
WIDEST_RATIO = 1e4
MEASURES = {
    "Cohen's d": "difference of means, in standard deviations",
    "Cohen's f": "spread of the classes' means, in standard deviations (Cohen's f)",
    "r": "correlation with the target",
}


def plot_quantiles(
    frame: pd.DataFrame, normality: pd.DataFrame, *, max_panels: int = MAX_PANELS
) -> Figure:
    """Draw each column's quantiles against those of a normal distribution, a panel each.

    Parameters
    ----------
    frame : DataFrame
        The columns.
    normality : DataFrame with columns column, skewness, excess_kurtosis, verdict
        As `statistics.compute_normality` returns it.
    max_panels : int
        Columns to draw, those furthest from normal first.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> frame = pd.DataFrame({"x": np.random.default_rng(0).exponential(size=99)})
    >>> figure = plot_quantiles(frame, statistics.compute_normality(frame))
    >>> figure.get_suptitle()
    '1 of 1 column of numbers departs from a normal distribution'
    """
    far = [
        -max(abs(row.skewness.value), abs(row.excess_kurtosis.value) / 2)
        for row in normality.itertuples()
    ]
    shown = normality.iloc[np.argsort(np.round(far, 9), kind="stable")[:max_panels]]
    figure, axes = make_grid(len(shown), n_columns=4, width=3.0, height=2.4)
    for ax, row in zip(axes, shown.itertuples(), strict=False):
        _draw_quantiles(ax, frame[str(row.column)], str(row.verdict))
        panel_title(ax, row.column)
    if not len(shown):
        axes[0].set(xlabel="normal quantile", ylabel="own quantile")
        say(axes[0], "no column of numbers of more than two values")
        figure_title(figure, "No column to compare with a normal distribution")
        return figure
    quiet = {"no sign against", "too few rows to tell"}
    n_far = int((~normality["verdict"].isin(quiet)).sum())
    columns = "column" if len(normality) == 1 else "columns"
    departs = "departs" if n_far == 1 else "depart"
    note = "Standard deviations from the mean; on the line, a column is normal. "
    left_out = of_many(len(shown), len(normality), "columns drawn, the furthest first")
    figure_title(
        figure,
        f"{n_far:,} of {len(normality):,} {columns} of numbers {departs} from a normal "
        "distribution",
        note + left_out,
    )
    return figure


def plot_coefficients(
    fit: statistics.Regression, *, target: str, max_terms: int = MAX_TERMS, ax: Axes | None = None
) -> Axes:
    """Draw each term's coefficient with its interval, all other terms held fixed.

    Parameters
    ----------
    fit : Regression
        As `statistics.fit_regression` returns it. Logistic and count regressions are drawn as
        ratios, of odds and of means.
    target : str
        The target's own name.
    max_terms : int
        Terms to draw, those furthest from zero in standard errors.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> X = pd.DataFrame({"x": np.arange(20.0)})
    >>> design = statistics.make_design(X)
    >>> fit = statistics.fit_regression(design, X["x"] * 2 + np.tile([-1, 1], 10), "OLS")
    >>> plot_coefficients(fit, target="y").get_title()
    "1 of 1 term goes with 'y', the others held fixed; clearest: 'x'"
    """
    terms = fit.table.iloc[1:]
    clear = np.array(
        [
            abs(row.per_sd.value) / max((row.per_sd.high - row.per_sd.low) / 2, 1e-300)
            for row in terms.itertuples()
        ]
    )
    clear = np.nan_to_num(clear, nan=-1.0)
    order = np.argsort(-clear.round(9), kind="stable")[:max_terms]
    shown = terms.iloc[order]
    is_ratio = fit.family != "OLS"
    estimates = [_ratio(e) if is_ratio else e for e in shown["per_sd"]]
    ax = make_axes(ax, height=1.6 + 0.27 * max(len(shown), 3))
    is_sign = (shown["q"] < 1 - shown["per_sd"].iloc[0].level).to_numpy()
    colors = [BLUE if sign else GREY for sign in is_sign]
    draw_dots(ax, shown["term"].tolist(), estimates, colors=colors)
    ax.axvline(1.0 if is_ratio else 0.0, color=GREY, linestyle="--", linewidth=1.2, zorder=0)
    if is_ratio:
        _ratio_axis(ax, estimates)
    step = "a standard deviation more, or yes against no"
    what = {"OLS": f"change of {shorten(target, 24)}", "logistic": "ratio of odds"}
    left_out = of_many(len(shown), len(terms), "terms drawn, the clearest first")
    label = f"{what.get(fit.family, 'ratio of means')} for {step}"
    ax.set(xlabel=label + (f"\n({left_out})" if left_out else ""), ylabel="term")
    n_signs = int((terms["q"] < 1 - shown["per_sd"].iloc[0].level).sum())
    noun, goes = ("term", "goes") if n_signs == 1 == len(terms) else ("terms", "go")
    goes = "goes" if n_signs == 1 else goes
    best = f"; clearest: '{shorten(shown['term'].iloc[0])}'" if n_signs else ""
    set_title(
        ax,
        f"{n_signs:,} of {len(terms):,} {noun} {goes} with '{shorten(target)}', the others "
        f"held fixed{best}",
    )
    return ax


def plot_power(
    curves: pd.DataFrame, *, good: float = 0.8, unit: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the chance to find an effect over its size.

    Parameters
    ----------
    curves : DataFrame with columns effect, power, curve
        As `statistics.compute_power_curves` returns it; `attrs["measure"]` names the effect.
    good : float
        Power to aim at.
    unit : str
        Words for the effect; by default those of its measure.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> curves = statistics.compute_power_curves(
    ...     pd.Series([0, 1] * 64), task="binary", n_tests=10
    ... )
    >>> plot_power(curves).get_title()
    'Effects from 0.5 on are found in 80 % of such tables'
    """
    ax = make_axes(ax)
    least = math.nan
    colors = (BLUE, ORANGE, GREEN)
    for color, (name, curve) in zip(colors, curves.groupby("curve", sort=False), strict=False):
        ax.plot(curve["effect"], curve["power"], color=color, label=str(name))
        if math.isnan(least):
            least = _crossing(curve, good)
    ax.axhline(good, color=GREY, linestyle="--", linewidth=1.2)
    measure = str(curves.attrs.get("measure", ""))
    ax.set(xlabel=unit or MEASURES.get(measure, measure or "effect"), ylabel="chance to find it")
    ax.set_ylim(0, 1.02)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    percent_axis(ax, "y")
    legend_below(ax)
    share = percent(good)
    if math.isnan(least):
        set_title(ax, f"No effect is found in {share} of such tables: too few rows")
    else:
        set_title(ax, f"Effects from {least:.2g} on are found in {share} of such tables")
    return ax


def _draw_quantiles(ax: Axes, column: pd.Series, verdict: str) -> None:
    points = statistics.normal_quantiles(statistics.numbers_of(column))
    color = BLUE if verdict in {"no sign against", "departs mildly"} else ORANGE
    ends = points["expected"].iloc[[0, -1]]
    ax.plot(ends, ends, color=GREY, linewidth=1.2)
    ax.scatter(points["expected"], points["observed"], s=7, color=color, linewidths=0)
    ax.set(xlabel="normal quantile", ylabel="own quantile")
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.text(0.04, 0.95, verdict, transform=ax.transAxes, va="top", size=8.5, color="#333333")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.18 * (high - low))  # room for the words


def _ratio(estimate: Estimate) -> Estimate:
    bound = math.log(WIDEST_RATIO)
    value, low, high = (
        math.exp(min(max(x, -bound), bound)) for x in (estimate.value, estimate.low, estimate.high)
    )
    return Estimate(value, low, high, level=estimate.level)


def _ratio_axis(ax: Axes, estimates: list[Estimate]) -> None:
    """Draw ratios on a log scale, with ticks such as 0.5, 1 and 2."""
    ax.set_xscale("log")
    low = min(0.8, *(e.low for e in estimates))
    high = max(1.25, *(e.high for e in estimates))
    ax.set_xlim(low / 1.05, high * 1.05)
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    wide = math.log10(high / low)
    steps: tuple[float, ...] = (1, 2, 5) if wide > 1.2 else (1, 1.5, 2, 3, 5, 7)
    steps = (1, 1.25, 1.5, 2, 3, 4, 5, 6, 7, 8, 9) if wide < 0.5 else steps
    steps = (1,) if wide > 3.5 else steps
    ticks = [step * 10.0**d for d in decades for step in steps]
    ax.xaxis.set_major_locator(FixedLocator([t for t in ticks if low / 1.05 <= t <= high * 1.05]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_minor_locator(FixedLocator([]))


def _crossing(curve: pd.DataFrame, good: float) -> float:
    powers, effects = curve["power"].to_numpy(), curve["effect"].to_numpy()
    above = np.flatnonzero(powers >= good)
    if not len(above):
        return math.nan
    i = int(above[0])
    if i == 0:
        return float(effects[0])
    share = (good - powers[i - 1]) / (powers[i] - powers[i - 1])
    return float(effects[i - 1] + share * (effects[i] - effects[i - 1]))
