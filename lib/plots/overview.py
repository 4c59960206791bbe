"""A table at a glance: kinds of columns, gaps, the target, what goes together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lib import statistics
from lib.errors import InputError, suggest
from lib.plots.associations import plot_associations
from lib.plots.panels import draw_bars, draw_distribution, draw_dots, percent, percent_axis
from lib.plots.style import figure_title, make_axes, say, set_title
from lib.plots.text import of_many, shorten

MAX_GAPS = 30
MAX_ASSOCIATED = 16  # columns of the heat map in the overview
MAX_ROWS = 20_000  # rows behind the overview's associations
MAX_COLUMNS = 60  # columns among which the overview looks for associations


def quick_eda_plots(df: Any, target_col: str | None = None) -> Figure:
    """Draw a table at a glance: associations, target, missing values, types.

    Parameters
    ----------
    df : DataFrame of pandas or polars
        Any table; correlations of columns that are no numbers are replaced by measures that fit.
    target_col : str, optional
        Column to draw on its own, and to choose the others by.

    Returns
    -------
    matplotlib Figure
        With four panels.

    Raises
    ------
    InputError
        When there is no such column.

    Examples
    --------
    >>> figure = quick_eda_plots({"age": [31, 45, 62], "plan": ["a", "b", "a"]}, "plan")
    >>> [ax.get_title() for ax in figure.axes][1]
    "'plan': 2 values, 'a' 67 % of rows"
    """
    frame = statistics.as_frame(df)
    if target_col is not None and target_col not in frame:
        msg = f"There is no column '{shorten(target_col)}' in the table."
        raise InputError(msg + (suggest(target_col, frame.columns) or " Name one of its columns."))
    figure = plt.figure(figsize=(13.0, 10.0), layout="constrained")
    cells = figure.add_gridspec(2, 2, width_ratios=[1.15, 1], height_ratios=[1.25, 1])
    pairs, target, missing, types = (figure.add_subfigure(cells[i]).subplots() for i in range(4))
    plot_associations(_overview_pairs(frame, target_col), ax=pairs, max_columns=MAX_ASSOCIATED)
    if target_col is None:
        target.set(xlabel="value", ylabel="rows")
        say(target, "no target named: give target_col to see it here")
        set_title(target, "The target")
    else:
        plot_target(frame[target_col], ax=target)
    plot_missing(statistics.compute_missing(frame), shape=frame.shape, ax=missing)
    plot_types(statistics.compute_types(frame), ax=types)
    figure_title(figure, f"The table at a glance: {len(frame):,} rows, {frame.shape[1]:,} columns")
    return figure


def plot_target(
    target: pd.Series, *, classes: Sequence[str] = (), name: object = None, ax: Axes | None = None
) -> Axes:
    """Draw the balance of a target's classes, or the distribution of its numbers.

    Parameters
    ----------
    target : Series
        Numbers, labels, or codes of `classes`.
    classes : sequence of str
        The classes' own names by code, for a target of codes.
    name : object
        How to call it; the series' name otherwise.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> plot_target(pd.Series([0, 0, 0, 1]), classes=["no", "yes"], name="paid").get_title()
    "'paid': 2 values, 'no' 75 % of rows"
    """
    ax = make_axes(ax, width=7.0, height=3.6)
    shown = f"'{shorten(target.name if name is None else name)}'"
    if len(classes):
        dtype = pd.CategoricalDtype(list(dict.fromkeys(classes)))
        target = pd.Series([classes[int(code)] for code in target.dropna()], dtype=dtype)
    kind = str(statistics.column_kinds(target.to_frame("target"))["target"])
    draw_distribution(ax, target, kind, max_bars=20)
    counts = (target if kind == "numeric" else target.map(str, na_action="ignore")).value_counts()
    if kind in {"numeric", "datetime", "text"} and len(counts) > 20:
        numbers = statistics.numbers_of(target)
        finite = numbers[np.isfinite(numbers)]
        middle = f", median {np.median(finite):,.4g}" if kind == "numeric" and len(finite) else ""
        title = f"{shown}: {len(counts):,} distinct values{middle}"
    elif len(counts):
        share = percent(counts.iloc[0] / counts.sum())
        values = "value" if len(counts) == 1 else "values"
        first = f"{counts.index[0]:.6g}" if kind == "numeric" else shorten(counts.index[0])
        title = f"{shown}: {len(counts):,} {values}, '{first}' {share} of rows"
    else:
        title = f"{shown} has no known value"
    set_title(ax, title)
    return ax


def plot_missing(missing: pd.DataFrame, *, shape: tuple[int, int], ax: Axes | None = None) -> Axes:
    """Draw the share of missing values of each column that has any, with intervals.

    Parameters
    ----------
    missing : DataFrame with columns column, share
        As `statistics.compute_missing` returns it: most missing first, `share` an `Estimate`.
    shape : (int, int)
        Rows and columns of the table.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> gaps = statistics.compute_missing(pd.DataFrame({"a": [1, None], "b": [1, 2]}))
    >>> plot_missing(gaps, shape=(2, 2)).get_title()
    "1 of 2 columns has gaps; most: 'a', 50 %"
    """
    shown = missing.head(MAX_GAPS)
    ax = make_axes(ax, height=1.6 + 0.3 * max(len(shown), 3))
    ax.set(xlabel="rows without a value", ylabel="column")
    if not len(missing):
        say(ax, "every cell has a value")
        set_title(ax, f"None of {shape[1]:,} columns has gaps")
        return ax
    draw_dots(ax, shown["column"].tolist(), shown["share"].tolist())
    if len(shown) > 20:
        ax.tick_params(axis="y", labelsize=7.5)
    ax.set_xlim(0, min(max(e.high for e in shown["share"]) * 1.08, 1.02))
    percent_axis(ax)
    left_out = of_many(len(shown), len(missing), "columns with gaps drawn")
    ax.set_xlabel("rows without a value" + (f" ({left_out})" if left_out else ""))
    have = "has" if len(missing) == 1 else "have"
    most = f"'{shorten(shown['column'].iloc[0])}', {percent(shown['share'].iloc[0].value)}"
    title = f"{len(missing):,} of {shape[1]:,} columns {have} gaps; most: {most}"
    set_title(ax, title)
    return ax


def plot_types(types: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many columns there are of each kind.

    Parameters
    ----------
    types : DataFrame with column kind
        As `statistics.compute_types` returns it.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> plot_types(pd.DataFrame({"kind": ["numeric", "numeric", "text"]})).get_title()
    '2 of 3 columns are numeric'
    """
    ax = make_axes(ax, height=2.8)
    counts = types["kind"].value_counts(sort=False)
    counts = counts.sort_values(ascending=False, kind="stable")
    draw_bars(ax, list(counts.index), counts.to_numpy(), what="kind")
    ax.set_xlabel("columns")
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    title = "The table has no columns"
    if len(counts):
        n_first = f"{counts.iloc[0]:,} of {len(types):,}" if len(counts) > 1 else "All"
        title = f"{n_first} columns are {counts.index[0]}"
    set_title(ax, title)
    return ax


def _overview_pairs(frame: pd.DataFrame, target_col: str | None) -> pd.DataFrame:
    """Return the associations of the columns to show: those that go best with the target."""
    names = list(frame.columns[:MAX_COLUMNS])
    if target_col is not None and target_col not in names:
        names[-1] = target_col
    pairs = statistics.compute_associations(frame[names], max_rows=MAX_ROWS)
    pairs.attrs["n_columns"] = frame.shape[1]
    if target_col is None:
        return pairs
    with_target = pairs[(pairs["first"] == target_col) | (pairs["second"] == target_col)]
    if not len(with_target):
        return pairs
    strongest = [*with_target["first"], *with_target["second"]]
    kept = list(dict.fromkeys([target_col, *strongest, *names]))[:MAX_ASSOCIATED]
    chosen = pairs[pairs["first"].isin(kept) & pairs["second"].isin(kept)]
    chosen.attrs["n_columns"] = frame.shape[1]
    return chosen
