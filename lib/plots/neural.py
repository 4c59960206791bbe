"""How networks learn, and how much of a score is the luck of a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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
from lib.plots.text import short_labels, shorten

MAX_PANELS = 9
PARTS = {"train": (BLUE, "training, as met, dropout on"), "validation": (ORANGE, "validation")}


def plot_training_curves(
    history: pd.DataFrame, *, loss: str = "loss", max_models: int = MAX_PANELS
) -> Figure:
    """Draw loss by epoch of training and validation rows, a panel a model, a line a seed.

    Parameters
    ----------
    history : DataFrame with columns model, seed, epoch, part, loss
        Parts are "train" and "validation"; the latter may be absent.
    loss : str
        What the loss is, with its unit: the label of the y-axis.
    max_models : int
        Panels at most; a note says what is left out.

    Returns
    -------
    matplotlib Figure
        A dot marks each epoch whose weights were kept.

    Examples
    --------
    >>> falls = {"model": "MLP", "seed": 0, "epoch": [1, 2, 3], "loss": [0.7, 0.5, 0.6]}
    >>> history = pd.concat([pd.DataFrame({**falls, "part": p}) for p in ("train", "validation")])
    >>> plot_training_curves(history, loss="log loss (nats)").get_suptitle()
    'Validation loss is lowest at epoch 2'
    """
    models = list(dict.fromkeys(history["model"]))
    shown = models[:max_models]
    height = 2.8 if len(shown) > 2 else 3.6  # the label of the y-axis is as long as a panel is high
    figure, axes = make_grid(len(shown), n_columns=2, width=4.0, height=height)
    best = []
    for ax, model, label in zip(axes, shown, short_labels(shown, 36, inches=2.4), strict=False):
        best += _draw_curves(ax, history[history["model"] == model])
        ax.set(xlabel="epoch", ylabel=loss)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        set_title(ax, label)
    if shown:
        _share_limits(axes)
    else:
        say(axes[0], "No network was trained.")
        axes[0].set(xlabel="epoch", ylabel=loss, title="No curves")
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    note = f" {len(models) - len(shown)} more models are not drawn." if models[max_models:] else ""
    figure_title(figure, _claim_of_curves(best) + note)
    return figure


def plot_seed_spread(
    seeds: pd.DataFrame, folds: pd.DataFrame, *, metric: str, ax: Axes | None = None
) -> Axes:
    """Draw how far scores lie from their mean: over seeds on one fold, over folds with one seed.

    Parameters
    ----------
    seeds : DataFrame with columns model, seed, score
        Trainings that differ by the seed alone.
    folds : DataFrame with columns model, fold, score
        Trainings that differ by the fold alone.
    metric : str
        What a score is: the label of the x-axis.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> seeds = pd.DataFrame({"model": "MLP", "seed": range(3), "score": [0.70, 0.71, 0.72]})
    >>> folds = pd.DataFrame({"model": "MLP", "fold": [1, 2, 3], "score": [0.60, 0.70, 0.80]})
    >>> plot_seed_spread(seeds, folds, metric="ROC AUC").get_title()
    'MLP: another seed moves the score by 0.010, another fold by 0.100'
    """
    counts = seeds.groupby("model", sort=False)["score"].count()
    models = [model for model in counts.index if counts[model] > 1]
    ax = make_axes(ax, height=1.6 + 0.9 * max(len(models), 1))
    words = []
    for row, model in enumerate(models):
        spreads = []
        for source, color, offset, name in (
            (seeds, ORANGE, -0.16, "seeds, on one fold"),
            (folds, BLUE, 0.16, "folds, with one seed"),
        ):
            scores = source.loc[source["model"] == model, "score"].dropna().to_numpy(dtype=float)
            away = scores - scores.mean() if len(scores) else scores
            label = name if row == 0 else None
            heights = np.full(len(away), row + offset)
            ax.plot([away.min(initial=0), away.max(initial=0)], [row + offset] * 2, color=color)
            ax.scatter(away, heights, s=36, color=color, alpha=0.75, label=label, zorder=3)
            spreads.append(float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan"))
        words.append(
            f"{shorten(model)}: another seed moves the score by {spreads[0]:.3f}, "
            f"another fold by {spreads[1]:.3f}"
        )
    ax.axvline(0, color=GREY, linewidth=1.2, linestyle="--")
    ax.set_yticks(range(len(models)), short_labels(models))
    ax.set_ylim(max(len(models), 1) - 0.5, -0.5)
    ax.set(xlabel=f"{metric}: distance from the mean", ylabel="model")
    ax.grid(visible=False, axis="y")
    if models:
        legend_below(ax)
    else:
        say(ax, "No model was trained from two seeds.")
    set_title(ax, words[-1] if words else "No spread over seeds")
    return ax


def _share_limits(axes: list[Axes]) -> None:
    """Give panels the same limits, so that curves compare across them."""
    for name in ("xlim", "ylim"):
        limits = [getattr(ax, f"get_{name}")() for ax in axes]
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        for ax in axes:
            getattr(ax, f"set_{name}")(low, high)


def _draw_curves(ax: Axes, own: pd.DataFrame) -> list[int]:
    """Draw the curves of one model, and return the epoch of the lowest validation loss by seed."""
    best = []
    for number, (_, run) in enumerate(own.groupby("seed", sort=False)):
        for part, (color, name) in PARTS.items():
            curve = run[run["part"] == part]
            if curve.empty:
                continue
            label = name if number == 0 else None
            ax.plot(curve["epoch"], curve["loss"], color=color, linewidth=1.3, label=label)
            if part == "validation" and curve["loss"].notna().any():
                lowest = curve.loc[curve["loss"].idxmin()]
                best.append(int(lowest["epoch"]))
                kept = "kept" if number == 0 else None
                ax.scatter(lowest["epoch"], lowest["loss"], color=color, s=28, zorder=4, label=kept)
    return best


def _claim_of_curves(best: list[int]) -> str:
    if not best:
        return "No rows were kept aside: every epoch was trained"
    low, high = min(best), max(best)
    where = f"epoch {low}" if low == high else f"epochs {low} to {high}"
    return f"Validation loss is lowest at {where}"
