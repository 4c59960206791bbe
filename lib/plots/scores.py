"""Scores of several models side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.panels import interval_arms, percent
from lib.plots.style import BLUE, GREY, ORANGE, legend_below, make_axes, set_title
from lib.plots.text import short_labels, shorten

MAX_MODELS = 40


def metric_name(metric: str) -> str:
    """Return how figures name a scikit-learn scorer.

    Examples
    --------
    >>> metric_name("roc_auc")
    'ROC AUC'
    >>> metric_name("neg_brier_score")
    'negated Brier score'
    """
    written = {
        "auc": "AUC",
        "brier": "Brier",
        "d2": "D²",
        "f1": "F1",
        "neg": "negated",
        "ovr": "OvR",
        "r2": "R²",
        "roc": "ROC",
    }
    return " ".join(written.get(word, word) for word in metric.split("_"))


def metric_label(metric: str) -> str:
    """Return how an axis names a scikit-learn scorer, with its good direction.

    Examples
    --------
    >>> metric_label("neg_log_loss")
    'negated log loss (higher is better)'
    """
    return f"{metric_name(metric)} (higher is better)"


def plot_scores(
    frame: pd.DataFrame,
    comparison: pd.DataFrame,
    *,
    metric: str,
    reference: str = "dummy",
    ax: Axes | None = None,
) -> Axes:
    """Draw each model's score with its interval, its folds, and its gain over the reference.

    Parameters
    ----------
    frame : DataFrame with columns model, fold, metric, score
        One row a model, fold and metric.
    comparison : DataFrame with columns model, score
        One row a model, drawn from the top in this order; `score` is an `Estimate`.
    metric : str
        The scorer to draw, a value of `frame["metric"]`.
    reference : str
        Bars start at this model's score; without it there are no bars.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from types import SimpleNamespace as Estimate
    >>> table = pd.DataFrame({"model": ["tree"], "score": [Estimate(value=0.7, low=0.6, high=0.8)]})
    >>> folds = pd.DataFrame({"model": ["tree"], "fold": [0], "metric": ["r2"], "score": [0.7]})
    >>> plot_scores(folds, table, metric="r2").get_title()
    'tree scores best: 0.700'
    """
    shown = comparison.head(MAX_MODELS)
    n_models = len(shown)
    ax = make_axes(ax, height=1.4 + 0.42 * max(n_models, 2))
    estimates = shown["score"].tolist()
    values = np.array([estimate.value for estimate in estimates], dtype=float)
    positions = np.arange(n_models)
    floor = _floor(comparison, reference)
    if floor is not None:
        ax.barh(positions, values - floor, left=floor, height=0.62, color=BLUE, alpha=0.18)
        role = "floor" if reference == "dummy" else "to beat"
        ax.axvline(floor, color=GREY, linestyle="--", linewidth=1.2, label=f"{reference} ({role})")
    _draw_folds(ax, frame[frame["metric"] == metric], shown["model"].tolist())
    ax.errorbar(
        values,
        positions,
        xerr=interval_arms(estimates),
        fmt="o",
        color=BLUE,
        capsize=4,
        markersize=6,
        label=_interval_label(estimates),
    )
    ax.set_yticks(positions, short_labels(shown["model"]))
    ax.set_ylim(n_models - 0.4, -0.6)
    ax.set(xlabel=metric_label(metric), ylabel="model")
    ax.grid(visible=False, axis="y")
    legend_below(ax)
    low, high = ax.get_xlim()
    ax.set_xlim(low - 0.02 * (high - low), high)  # a floor at the edge is drawn in full
    set_title(ax, _claim(shown, values))
    return ax


def _draw_folds(ax: Axes, folds: pd.DataFrame, models: list[Any]) -> None:
    for position, model in enumerate(models):
        scores = folds.loc[folds["model"] == model, "score"].to_numpy(dtype=float)
        offsets = np.linspace(-0.2, 0.2, len(scores)) if len(scores) > 1 else np.zeros(len(scores))
        label = "one fold" if position == 0 else None
        ax.scatter(scores, position + offsets, s=14, color=ORANGE, alpha=0.7, label=label, zorder=2)


def _interval_label(estimates: list[Any]) -> str | None:
    return f"mean, {percent(getattr(estimates[0], 'level', 0.95))} interval" if estimates else None


def _floor(comparison: pd.DataFrame, reference: str) -> float | None:
    rows = comparison.loc[comparison["model"] == reference, "score"]
    return float(rows.iloc[0].value) if len(rows) else None


def _claim(shown: pd.DataFrame, values: np.ndarray) -> str:
    if not len(values) or np.isnan(values).all():
        return "No model has a score"
    best = int(np.nanargmax(values))
    low = shown["score"].iloc[best].low
    rivals = sum(e.high >= low for i, e in enumerate(shown["score"]) if i != best)
    title = f"{shorten(shown['model'].iloc[best])} scores best: {values[best]:.3f}"
    return title + (f"; {rivals} other intervals reach its own" if rivals else "")
