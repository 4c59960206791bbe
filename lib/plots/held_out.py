"""A model on rows that it has not learned from: curves, honesty, misses, weak parts, robustness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lib.plots.panels import compact, draw_dots, interval_arms, percent, percent_axis
from lib.plots.performance import draw_confusion
from lib.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    figure_title,
    legend_below,
    make_axes,
    make_grid,
    say,
    set_title,
)
from lib.plots.text import fit, of_many, short_labels, shorten

if TYPE_CHECKING:
    from lib.performance import Calibration, Curves, Residuals

MAX_CURVES = 6
MAX_POINTS = 4_000
MAX_PARTS = 20
MAX_CLASSES = 15


def plot_curves(curves: Mapping[str, Curves], *, level: float = 0.95) -> Figure:
    """Draw ROC, precision and recall, and gains with their bands.

    Parameters
    ----------
    curves : mapping of str to Curves
        By class, of `performance.compute_curves`: one for a binary task. Of more than six the
        first six are drawn, without bands.
    level : float
        Of the bands, for the words.

    Returns
    -------
    matplotlib Figure
    """
    shown = dict(list(curves.items())[:MAX_CURVES])
    figure, axes = plt.subplots(1, 3, figsize=(13.5, 4.9), layout="constrained")
    if not shown:
        for ax in axes:
            ax.set(xlabel="rows flagged", ylabel="found")
            say(ax, "too few rows of a class")
            set_title(ax, "No curve")
        figure_title(figure, "The test set holds too few rows of a class for curves")
        return figure
    labels = short_labels(shown, 18, inches=1.2)
    parts = ("ROC", "precision and recall", "gains")
    for ax, part in zip(axes, parts, strict=True):
        for label, one in zip(labels, shown.values(), strict=True):
            points = one.of(part)
            x, y = points["x"].to_numpy(), points["y"].to_numpy()
            if part == "ROC":
                x, y = np.r_[0.0, x], np.r_[0.0, y]
            (line,) = ax.plot(x, y, label=label if len(shown) > 1 else None)
            if len(shown) == 1:
                color = line.get_color()
                ax.fill_between(
                    points["x"], points["low"], points["high"], color=color, alpha=0.2, linewidth=0
                )
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        percent_axis(ax)
        percent_axis(ax, "y")
        if len(shown) > 1:
            legend_below(ax, n_columns=2)
    for ax in (axes[0], axes[2]):
        ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    axes[0].set(xlabel="false alarms, of negatives (dashed: chance)", ylabel="found, of positives")
    axes[1].set(xlabel="found, of positives (recall)", ylabel="right when flagged (precision)")
    axes[2].set(xlabel="rows flagged, likeliest first", ylabel="found, of positives")
    set_title(axes[0], "ROC")
    set_title(axes[1], "Precision and recall")
    set_title(axes[2], "Gains: what the top of the list finds")
    if len(shown) == 1:
        (only,) = shown.values()
        axes[1].axhline(only.prevalence, color=GREY, linestyle="--", linewidth=1)
        axes[1].set_xlabel(f"found (recall; dashed: chance, {percent(only.prevalence)})")
        title = (
            f"The likeliest tenth of the rows holds {only.lift.value:.1f} times its share of "
            "positives"
        )
        note = f"bands: {percent(level)} at each point by itself, bootstrap"
    else:
        title = f"How well is each class told from the rest on the test set? {len(shown)} classes"
        note = of_many(len(shown), len(curves), "classes drawn, the most frequent")
    figure_title(figure, title, note)
    return figure


def plot_confusion(
    counts: pd.DataFrame, classes: Sequence[object], *, rule: str, ax: Axes | None = None
) -> Axes:
    """Draw which class was taken for which, as shares of the true class.

    Parameters
    ----------
    counts : DataFrame of shape (n_classes, n_classes)
        Rows by true class (index) and chosen class (columns), in the order of `classes`.
    classes : sequence
        Their names; of more than fifteen the most frequent are drawn and the rest is one.
    rule : str
        How a class was chosen, for the label of the x-axis.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> plot_confusion(pd.DataFrame([[3, 1], [0, 4]]), ["no", "yes"], rule="likeliest").get_title()
    'On the test set 88 % of the rows are right'
    """
    matrix = counts.to_numpy()
    right = float(matrix.trace() / max(matrix.sum(), 1))
    names = list(classes)
    if len(names) > MAX_CLASSES:
        order = np.argsort(-matrix.sum(axis=1), kind="stable")
        kept = np.sort(order[: MAX_CLASSES - 1])
        rest = np.sort(order[MAX_CLASSES - 1 :])
        rows = np.vstack([matrix[kept], matrix[rest].sum(axis=0)])
        matrix = np.column_stack([rows[:, kept], rows[:, rest].sum(axis=1)])
        names = [*(names[i] for i in kept), f"({len(rest)} others)"]
    n = len(names)
    side = 4.4 + 0.24 * n
    ax = make_axes(ax, width=side + 1.6, height=side)
    y, guess = (np.repeat(places.ravel(), matrix.ravel()) for places in np.indices((n, n)))
    draw_confusion(ax, y, guess, short_labels(names, 18, inches=1.4), n_classes=n, right=right)
    ax.set_xlabel(f"predicted: {rule}")
    set_title(ax, f"On the test set {percent(right)} of the rows are right")
    return ax


def plot_calibration(study: Calibration, *, level: float = 0.95) -> Figure:
    """Draw observed over predicted shares with intervals, and how predictions are spread.

    Parameters
    ----------
    study : Calibration
        Of `performance.study_calibration`.
    level : float
        Of the intervals, for the words.

    Returns
    -------
    matplotlib Figure
    """
    figure, axes = plt.subplots(
        2, 1, figsize=(7.0, 6.2), layout="constrained", height_ratios=[3, 1], sharex=True
    )
    top, bottom = axes
    table, probability, verdict = study.bins, study.events.probability, study.verdict
    observed = table["observed"].tolist()
    values = np.array([one.value for one in observed])
    top.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    top.plot(table["predicted"], values, color=BLUE, linewidth=1, alpha=0.6)
    top.errorbar(
        table["predicted"], values, yerr=interval_arms(observed), fmt="o", color=BLUE, capsize=3
    )
    ends = [*table["predicted"], *(one.high for one in observed if one.has_interval)]
    end = min(1.02, 1.08 * max(ends, default=1.0) + 0.01)
    start = 0.0
    if min(table["predicted"].min(), *(one.low for one in observed)) > 0.4:
        start = 0.38
    top.set(xlim=(start - 0.01, end), ylim=(start - 0.01, end))
    top.set(xlabel="predicted, mean of a bin", ylabel="rows for which it is true")
    bottom.hist(probability, bins=np.linspace(start, max(end, 1.0), 41))
    bottom.set_xlabel(f"predicted probability: {fit(study.events.words, 4.2, 10.5)}")
    bottom.set_ylabel("rows")
    bottom.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    percent_axis(top, "y")
    percent_axis(bottom)
    n_bins = f"{len(table)} bins" if len(table) > 1 else "one bin"
    beyond = float((probability > end).mean())
    note = f"bars: {percent(level)} interval, {n_bins} of like counts; dashed: honest"
    if beyond > 0:
        note += f"; {percent(beyond)} of the rows lie further right"
    set_title(top, "Predicted and observed, bin by bin")
    set_title(bottom, "How predictions are spread")
    figure_title(figure, f"Are the probabilities honest? {verdict[:1].upper()}{verdict[1:]}", note)
    return figure


def plot_residual_study(study: Residuals, *, target: str, level: float = 0.95) -> Figure:
    """Draw the mean of what was observed, the residuals, their size and their shape.

    Parameters
    ----------
    study : Residuals
        Of `performance.study_residuals`.
    target : str
        Name of the target.
    level : float
        Of the intervals, for the words.

    Returns
    -------
    matplotlib Figure
    """
    figure, grid = plt.subplots(2, 2, figsize=(11.0, 8.4), layout="constrained")
    axes = list(grid.flat)
    y, prediction = study.observed, study.predicted
    shown = np.linspace(0, len(y) - 1, min(len(y), MAX_POINTS)).astype(int)
    alpha = 0.5 if len(shown) < 1_000 else 0.2
    off = y - prediction
    bins = study.by_prediction
    name = fit(target, 2.4, 10.5)
    for ax, points in ((axes[0], y), (axes[1], off)):
        ax.scatter(
            prediction[shown], points[shown], s=10, alpha=alpha, color=GREY, linewidths=0, zorder=1
        )
    ends = [float(prediction.min()), float(prediction.max())]
    axes[0].plot(ends, ends, color=GREY, linestyle="--", linewidth=1)
    _draw_means(axes[0], bins["predicted"], bins["observed"].tolist())
    slope = "the prediction is constant"
    if study.slope.has_interval:
        slope = f"slope {study.slope:.2f}"
    axes[0].set(xlabel=f"predicted {name}", ylabel="observed (dashed: perfect)")
    set_title(axes[0], f"Right on average? {slope}")
    axes[1].axhline(0, color=GREY, linestyle="--", linewidth=1)
    axes[1].set(xlabel=f"predicted {name}", ylabel="residual, observed - predicted")
    half = float(np.median(np.abs(off)))
    set_title(axes[1], f"Residuals: half are within {compact(float(f'{half:.3g}'))}")
    _draw_means(axes[2], bins["predicted"], bins["error"].tolist())
    axes[2].set(xlabel=f"predicted {name}", ylabel="mean absolute residual")
    axes[2].set_ylim(bottom=0)
    trend = "not to be said" if np.isnan(study.spread_trend) else f"{study.spread_trend:+.2f}"
    set_title(axes[2], f"Do larger predictions miss by more? Rank correlation {trend}")
    quantiles = study.quantiles
    axes[3].plot([-3, 3], [-3, 3], color=GREY, linestyle="--", linewidth=1)
    axes[3].scatter(quantiles["normal"], quantiles["residual"], s=12, linewidths=0)
    axes[3].set(xlabel="standard normal quantile (dashed: normal)", ylabel="standardised residual")
    shape = "" if np.isnan(study.skewness) else f": skewness {study.skewness:+.2f}"
    set_title(axes[3], f"Shape of the residuals{shape}")
    for ax in axes:
        ax.xaxis.set_major_locator(MaxNLocator(5))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    left_out = of_many(len(shown), len(y), "rows drawn as points")
    note = f"blue: means of bins of like counts with {percent(level)} interval"
    title = f"How do predictions of '{shorten(target)}' miss on {len(y):,} test rows?"
    figure_title(figure, title, "; ".join(filter(None, [note, left_out])))
    return figure


def _draw_means(ax: Axes, x: pd.Series, estimates: list[object]) -> None:
    values = [one.value for one in estimates]  # type: ignore[attr-defined]
    ax.errorbar(x, values, yerr=interval_arms(estimates), fmt="o", color=BLUE, capsize=3, zorder=3)


def plot_weak_segments(table: pd.DataFrame, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw how much more is lost in suspected segments than elsewhere, on the test set.

    Parameters
    ----------
    table : DataFrame with columns segment, rows, difference, confirmed
        Of `performance.find_weak_segments`.
    level : float
        Of the intervals, for the words.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> gap = Estimate(value=0.2, low=0.1, high=0.3)
    >>> table = pd.DataFrame({"segment": ["age: > 60"], "rows": [40], "difference": [gap]})
    >>> plot_weak_segments(table.assign(confirmed=True)).get_title()
    'The test set confirms 1 of 1 suspected weak segments'
    """
    ax = make_axes(ax, width=9.0, height=1.7 + 0.34 * max(len(table), 2))
    n_confirmed = int(table["confirmed"].sum())
    if not len(table):
        ax.set(xlabel="difference of the loss", ylabel="segment")
        say(ax, "no segment is large enough, or none is worse out of fold")
        set_title(ax, "No weak segment is suspected")
        return ax
    colors = [ORANGE if one else BLUE for one in table["confirmed"]]
    names = [f"{row.segment} ({row.rows:,})" for row in table.itertuples()]
    draw_dots(ax, names, list(table["difference"]), colors=colors)
    ax.set_yticks(range(len(names)), short_labels(names, 60, inches=3.9, size=8.5), size=8.5)
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1, zorder=0)
    ax.set_xlabel(f"loss here minus elsewhere, {percent(level)}; orange: confirmed")
    ax.set_ylabel("segment (test rows)")
    words = f"The test set confirms {n_confirmed} of {len(table)} suspected weak segments"
    set_title(ax, words)
    return ax


def plot_promised_coverage(table: pd.DataFrame, *, level: float = 0.95) -> Figure:
    """Draw how often sets or intervals held the truth, by part of the test rows.

    Parameters
    ----------
    table : DataFrame with columns method, part, rows, coverage, size, verdict
        Of `performance.tabulate_coverage`.
    level : float
        What was promised.

    Returns
    -------
    matplotlib Figure
    """
    methods = list(dict.fromkeys(table["method"]))
    n_parts = int(table["part"].nunique())
    height = 1.5 + 0.3 * min(max(n_parts, 2), MAX_PARTS)
    figure, axes = make_grid(len(methods), n_columns=2, width=5.6, height=height)
    for ax, method in zip(axes, methods, strict=True):
        part = table[table["method"] == method].head(MAX_PARTS)
        colors = [ORANGE if verdict.startswith("short") else BLUE for verdict in part["verdict"]]
        names = [f"{row.part} ({row.rows:,})" for row in part.itertuples()]
        draw_dots(ax, names, list(part["coverage"]), colors=colors)
        ax.set_yticks(range(len(names)), short_labels(names, 30, inches=2.1, size=8.5), size=8.5)
        ax.axvline(level, color=GREY, linestyle="--", linewidth=1, zorder=0)
        ax.set(xlabel="rows whose truth is inside", ylabel="part (test rows)")
        ax.set_xlim(right=1.004)
        percent_axis(ax)
        set_title(ax, method[:1].upper() + method[1:])
    short = int(table["verdict"].str.startswith("short").sum())
    title = f"Is the truth inside as often as promised, {percent(level)}? Short of it in {short} "
    figure_title(
        figure,
        f"{title}of {len(table)} parts",
        f"bars: {percent(level)} interval; dashed: promised; orange: short of it",
    )
    return figure


def plot_lost_columns(
    table: pd.DataFrame, *, scoring: str, level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw what the score loses when a column is not delivered.

    Parameters
    ----------
    table : DataFrame with columns column, lost
        Of `performance.lose_columns`.
    scoring : str
        The metric in words.
    level : float
        Of the intervals, for the words.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> lost = Estimate(value=0.05, low=0.02, high=0.08, has_interval=True)
    >>> table = pd.DataFrame({"column": ["age"], "lost": [lost]})
    >>> plot_lost_columns(table, scoring="ROC AUC").get_title()
    'Without age the score falls by 0.050'
    """
    known = table[[not np.isnan(one.value) for one in table["lost"]]].head(MAX_PARTS)
    ax = make_axes(ax, height=1.6 + 0.3 * max(len(known), 2))
    ax.set(ylabel="column that is missing", xlabel="score lost")
    if not len(known):
        say(ax, "the model needs every column")
        set_title(ax, "No column can be missing")
        return ax
    draw_dots(ax, list(known["column"]), list(known["lost"]))
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1, zorder=0)
    ax.set_xlabel(f"score lost ({scoring}), {percent(level)} interval")
    first = known.iloc[0]
    set_title(
        ax, f"Without {shorten(first['column'])} the score falls by {first['lost'].value:.3f}"
    )
    return ax


def plot_disturbances(table: pd.DataFrame, *, scoring: str, level: float = 0.95) -> Figure:
    """Draw what the score loses the more cells are missing or wrong, by kind of column.

    Parameters
    ----------
    table : DataFrame with columns what, columns, share, lost
        Of `performance.disturb`.
    scoring : str
        The metric in words.
    level : float
        Of the intervals, for the words.

    Returns
    -------
    matplotlib Figure
    """
    whats = list(dict.fromkeys(table["what"]))
    figure, axes = make_grid(max(len(whats), 1), n_columns=2, width=5.6, height=4.3)
    for ax, what in zip(axes, whats, strict=False):
        part = table[table["what"] == what]
        kinds = list(dict.fromkeys(part["columns"]))
        for i, kind in enumerate(kinds):
            rows = part[part["columns"] == kind]
            lost = rows["lost"].tolist()
            x = rows["share"].to_numpy(dtype=float) + 0.004 * (i - (len(kinds) - 1) / 2)
            values = [one.value for one in lost]
            ax.errorbar(x, values, yerr=interval_arms(lost), fmt="o-", capsize=3, label=kind)
        ax.axhline(0, color=GREY, linestyle="--", linewidth=1, zorder=0)
        ax.set(xlabel=f"cells {what}", ylabel="score lost")
        ax.set_xlim(left=0)
        percent_axis(ax)
        legend_below(ax, n_columns=3)
        set_title(ax, f"Cells {what}")
    if not whats:
        axes[0].set(xlabel="cells disturbed", ylabel="score lost")
        say(axes[0], "the model predicts only what is complete")
        set_title(axes[0], "Nothing could be disturbed")
    figure_title(
        figure,
        f"What do gaps and wrong values cost ({scoring})?",
        f"bars: {percent(level)} paired interval; dashed: nothing lost",
    )
    return figure
