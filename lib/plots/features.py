"""What added and selected features are worth: gains, selected sets, scores by number kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.panels import interval_arms
from lib.plots.scores import metric_label
from lib.plots.style import BLUE, GREEN, GREY, ORANGE, legend_below, make_axes, say, set_title
from lib.plots.text import in_points, of_many, short_labels, shorten, text_width

COLORS = (BLUE, ORANGE, GREEN, GREY)
MARKERS = ("o", "s", "D", "^")
MAX_RECIPES = 40
MAX_FEATURES = 25


def plot_gains(
    gains: pd.DataFrame, *, metric: str, reference: str = "raw", ax: Axes | None = None
) -> Axes:
    """Draw what each recipe gains over a reference, for each model, with intervals.

    Parameters
    ----------
    gains : DataFrame with columns recipe, model, gain, verdict
        `gain` is an `Estimate`, `verdict` a word; recipes are drawn from the top in this order.
    metric : str
        The scorer that the gains are in.
    reference : str
        What zero means.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> table = pd.DataFrame({"recipe": ["raw + bins"], "model": ["linear"], "verdict": ["better"]})
    >>> table["gain"] = [Estimate(value=0.02, low=0.01, high=0.03, level=0.95)]
    >>> plot_gains(table, metric="r2").get_title()
    '1 of 1 tests finds a gain; the largest: raw + bins with linear, +0.020'
    """
    recipes = list(dict.fromkeys(gains["recipe"]))[:MAX_RECIPES]
    models = list(dict.fromkeys(gains["model"]))
    ax = make_axes(ax, height=1.9 + 0.4 * max(len(recipes), 2))
    ax.set(xlabel=f"gain in {metric_label(metric)}", ylabel="recipe")
    if not recipes:
        say(ax, "no family of features applies to this table")
        set_title(ax, "Nothing to add")
        return ax
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1.2, label=f"{reference} columns, no gain")
    offsets = np.linspace(-0.18, 0.18, len(models)) if len(models) > 1 else np.zeros(1)
    level = getattr(gains["gain"].iloc[0], "level", 0.95)
    for i, model in enumerate(models):
        own = gains[(gains["model"] == model) & gains["recipe"].isin(recipes)]
        at = np.array([recipes.index(recipe) for recipe in own["recipe"]]) + offsets[i]
        _draw_gains(ax, own, at, label=f"{shorten(model, 20)}, {level:.0%} interval", number=i)
    words = [str(recipe).removeprefix(f"{reference} + ") for recipe in recipes]
    ax.set_yticks(range(len(recipes)), short_labels(words, 40, inches=2.9))
    ax.set_ylim(len(recipes) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    legend_below(ax, n_columns=1)
    left_out = of_many(len(recipes), gains["recipe"].nunique(), "recipes drawn")
    if left_out:
        ax.set_ylabel(f"recipe ({left_out})")
    set_title(ax, _gain_claim(gains))
    return ax


def plot_selection(
    lineage: pd.DataFrame,
    stability: pd.DataFrame,
    *,
    max_features: int = MAX_FEATURES,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often each method selects each feature; a dark row is a feature all agree on.

    Parameters
    ----------
    lineage : DataFrame with column feature, and one column a method
        As `features.tabulate_lineage` returns it: shares from 0 to 1, the most chosen on top.
    stability : DataFrame with columns method, stability
        As `features.tabulate_stability` returns it.
    max_features : int
        Features to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> measured = pd.DataFrame({"method": ["L1"], "stability": [Estimate(value=0.8)]})
    >>> plot_selection(pd.DataFrame({"feature": ["a"], "L1": [1.0]}), measured).get_title()
    'L1 selects most alike from part to part: stability 0.80'
    """
    methods = stability["method"].tolist()
    shown = lineage.head(max_features)
    labels = short_labels(shown["feature"], 46, inches=3.4)
    size = in_points("medium") * 0.95
    room = 1.2 + max((text_width(label, size) for label in labels), default=1.0)
    ax = make_axes(ax, width=room + 1.5 * max(len(methods), 3), height=2.0 + 0.27 * len(shown))
    values = shown[methods].to_numpy(dtype=float)
    ax.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), value in np.ndenumerate(values):
        if value > 0:
            color = "white" if value > 0.6 else "black"
            ax.text(
                column, row, f"{value:.0%}", ha="center", va="center", color=color, size=size * 0.85
            )
    ax.set_yticks(range(len(shown)), labels)
    ticks = [
        f"{name}\nstability {_number(estimate.value)}"
        for name, estimate in zip(methods, stability["stability"], strict=True)
    ]
    ax.set_xticks(range(len(methods)), ticks)
    ax.grid(visible=False)
    left_out = of_many(len(shown), len(lineage), "features drawn")
    ax.set_xlabel("share of the parts in which a method keeps the feature")
    ax.set_ylabel("feature" + (f" ({left_out})" if left_out else ""))
    measured = [estimate.value for estimate in stability["stability"]]
    if not measured or np.isnan(measured).all():
        set_title(ax, "Every method keeps all features")
        return ax
    best = int(np.nanargmax(measured))
    words = f"{methods[best]} selects most alike from part to part: stability {measured[best]:.2f}"
    set_title(ax, words)
    return ax


def plot_kept(
    curve: pd.DataFrame, *, metric: str, raw: float, model: str, ax: Axes | None = None
) -> Axes:
    """Draw the score against the number of features kept, a line a method.

    Parameters
    ----------
    curve : DataFrame with columns method, kept, score
        `kept` is how many features may stay, `score` an `Estimate`.
    metric : str
        The scorer.
    raw : float
        Score of the same model on the raw columns, all of them.
    model : str
        Which model.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> scores = [Estimate(value=v, low=v - 0.1, high=v + 0.1) for v in (0.6, 0.8)]
    >>> table = pd.DataFrame({"method": "L1", "kept": [5, 20], "score": scores})
    >>> plot_kept(table, metric="r2", raw=0.7, model="linear").get_title()
    'linear with 20 features kept by L1 scores 0.800, with the raw columns 0.700'
    """
    ax = make_axes(ax, height=4.6)
    ax.set(xlabel="features kept at most", ylabel=metric_label(metric))
    ax.axhline(raw, color=GREY, linestyle="--", linewidth=1.2, label=f"raw columns, {model}")
    for i, (method, rows) in enumerate(curve.groupby("method", sort=False)):
        values = [estimate.value for estimate in rows["score"]]
        style: dict[str, Any] = {"color": COLORS[i % 4], "marker": MARKERS[i % 4]}
        ax.plot(rows["kept"], values, label=str(method), **style)
    numbers = sorted(set(curve["kept"]))
    ax.set_xticks(numbers, [f"{number:,}" for number in numbers])
    legend_below(ax)
    known = curve[[np.isfinite(estimate.value) for estimate in curve["score"]]]
    if known.empty:
        set_title(ax, "No selection has a score")
        return ax
    best = known.iloc[int(np.argmax([estimate.value for estimate in known["score"]]))]
    set_title(
        ax,
        f"{model} with {best['kept']} features kept by {best['method']} scores "
        f"{best['score'].value:.3f}, with the raw columns {raw:.3f}",
    )
    return ax


def _draw_gains(ax: Axes, own: pd.DataFrame, at: Any, *, label: str, number: int) -> None:
    """Draw one model's gains: filled where the test says better or worse, else hollow."""
    color, marker = COLORS[number % 4], MARKERS[number % 4]
    estimates = own["gain"].tolist()
    values = np.array([estimate.value for estimate in estimates], dtype=float)
    ax.errorbar(
        values,
        at,
        xerr=interval_arms(estimates),
        fmt="none",
        ecolor=color,
        capsize=3,
        elinewidth=1.4,
    )
    told = own["verdict"].isin(["better", "worse"]).to_numpy()
    faces = [color if is_told else "white" for is_told in told]
    style: dict[str, Any] = {"s": 34, "marker": marker, "edgecolors": color, "linewidths": 1.4}
    ax.scatter(values, at, c=faces, zorder=3, **style)
    ax.scatter([], [], c=color, label=label, **style)


def _gain_claim(gains: pd.DataFrame) -> str:
    better = gains[gains["verdict"] == "better"]
    if better.empty:
        return f"No recipe beats the raw columns beyond chance ({len(gains):,} tests)"
    best = better.iloc[int(np.argmax([estimate.value for estimate in better["gain"]]))]
    finds = "finds" if len(better) == 1 else "find"
    return (
        f"{len(better):,} of {len(gains):,} tests {finds} a gain; the largest: "
        f"{shorten(best['recipe'], 40)} with {shorten(best['model'])}, +{best['gain'].value:.3f}"
    )


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"
