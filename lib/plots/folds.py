"""Fold maps: which rows train, are tested or left out, fold by fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lib.plots.style import BLUE, GREY, ORANGE, figure_title
from lib.plots.text import fit, of_many, short_labels

PARTS = {"train": "#BFD9EA", "test": ORANGE, "left out": "#FFFFFF"}
WORDS = {"train": "trains", "test": "is tested", "left out": "left out"}
MAX_COLOURED = 6  # classes that get a colour of their own
STRIP = 0.34  # inches of a strip or of a fold's row
ROW = 0.2


def plot_folds(
    folds: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    target: str = "target",
    group: str = "group",
    time: str = "time",
    classes: Sequence[object] = (),
    n_rows: int | None = None,
) -> Figure:
    """Draw what each row is for in each fold, under strips of target, groups and time.

    Parameters
    ----------
    folds : DataFrame with columns strategy, fold, place, part
        From `resampling.map_folds`; one panel a strategy, in the order of the table.
    rows : DataFrame with columns place, target, and group and time where there are any
        From `resampling.map_rows`.
    target, group, time : str
        What the strips are called.
    classes : sequence
        Labels of the target's codes; empty for numbers.
    n_rows : int, optional
        Rows of the whole table, when only some are shown.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> rows = pd.DataFrame({"place": [0, 1], "target": [0, 1]})
    >>> parts = [("halves", 1, 0, "train"), ("halves", 1, 1, "test")]
    >>> folds = pd.DataFrame(parts, columns=["strategy", "fold", "place", "part"])
    >>> plot_folds(folds, rows, classes=["no", "yes"]).axes[-1].get_xlabel()
    'rows in the order of the table'
    """
    strips = [name for name in ("target", "group", "time") if name in rows]
    strategies = list(dict.fromkeys(folds["strategy"]))
    n_folds = [int(folds.loc[folds["strategy"] == name, "fold"].max()) for name in strategies]
    heights = [STRIP * len(strips), *(ROW * max(n, 2) + 0.25 for n in n_folds)]
    figure, axes = plt.subplots(
        len(heights),
        1,
        figsize=(8.0, sum(heights) + 0.45 * len(heights) + 1.5),
        height_ratios=heights,
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    names = {"target": target, "group": group, "time": time}
    legend = _draw_strips(axes[0, 0], rows, [(s, names[s]) for s in strips], classes)
    for ax, name in zip(axes[1:, 0], strategies, strict=True):
        _draw_parts(ax, folds[folds["strategy"] == name], len(rows), name)
    axes[-1, 0].set_xlabel(_axis_label(rows, group, time, n_rows))
    handles = [
        Patch(facecolor=colour, edgecolor=GREY, linewidth=0.6, label=WORDS[part])
        for part, colour in PARTS.items()
        if (folds["part"] == part).any()
    ]
    figure.legend(handles=[*handles, *legend], loc="outside lower left", ncols=4)
    figure_title(figure, "Which rows train and which are tested, fold by fold")
    return figure


def _draw_parts(ax: Axes, folds: pd.DataFrame, n_places: int, name: str) -> None:
    codes = {part: code for code, part in enumerate(PARTS)}
    n_folds = int(folds["fold"].max())
    image = np.full((n_folds, n_places), codes["left out"])
    image[folds["fold"] - 1, folds["place"]] = folds["part"].map(codes)
    _draw_image(ax, image, list(PARTS.values()))
    ticks = [0, n_folds - 1] if n_folds > 6 else list(range(n_folds))
    ax.set_yticks(ticks, [str(tick + 1) for tick in ticks])
    ax.set_ylabel("fold")
    ax.set_title(fit(name, 7.0, 10.5), fontsize=10.5)
    for border in np.arange(1, n_folds) - 0.5:
        ax.axhline(border, color="white", linewidth=1.5)


def _draw_strips(
    ax: Axes, rows: pd.DataFrame, strips: list[tuple[str, str]], classes: Sequence[object]
) -> list[Patch]:
    """Draw one coloured line a strip; return what the legend says of classes."""
    image = np.zeros((len(strips), len(rows), 4))
    legend: list[Patch] = []
    for line, (kind, _) in enumerate(strips):
        values = rows[kind].to_numpy()
        if kind == "target" and len(classes):
            codes = np.minimum(values.astype(int), MAX_COLOURED)
            palette = _class_colours(len(classes))
            image[line] = palette[codes]
            labels = short_labels(list(classes)[:MAX_COLOURED], 16, inches=1.1)
            named = [label if label[:1].isalpha() else f"class {label}" for label in labels]
            legend = [Patch(facecolor=palette[code], label=name) for code, name in enumerate(named)]
            if len(classes) > MAX_COLOURED:
                others = f"{len(classes) - MAX_COLOURED} other classes"
                legend.append(Patch(facecolor=palette[-1], label=others))
        elif kind == "group":
            shades = ListedColormap(["#4D4D4D", "#B8B8B8", "#7F7F7F"])
            image[line] = shades(values.astype(int) % 3)
        else:
            image[line] = mpl.colormaps["cividis"](_ranks(values))
    _draw_image(ax, image, None)
    ax.set_yticks(range(len(strips)), short_labels([name for _, name in strips], 18, inches=1.4))
    ax.set_ylabel("fact")
    ax.set_title("What the rows are; dark is low or early", fontsize=10.5)
    return legend


def _draw_image(ax: Axes, image: npt.NDArray[Any], colours: list[str] | None) -> None:
    cmap = None if colours is None else ListedColormap(colours)
    limits: dict[str, Any] = {} if colours is None else {"vmin": -0.5, "vmax": len(colours) - 0.5}
    extent = (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
    ax.imshow(image, aspect="auto", interpolation="nearest", cmap=cmap, extent=extent, **limits)
    ax.grid(visible=False)


def _class_colours(n_classes: int) -> npt.NDArray[np.float64]:
    cycle = [BLUE, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#333333"]
    colours = [mpl.colors.to_rgba(colour) for colour in cycle[: min(n_classes, MAX_COLOURED)]]
    return np.array([*colours, mpl.colors.to_rgba(GREY)])


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    places = np.unique(values, return_inverse=True)[1].astype(float)
    return np.asarray(places / max(places.max(initial=0), 1))


def _axis_label(rows: pd.DataFrame, group: str, time: str, n_rows: int | None) -> str:
    if "group" in rows:
        label = f"rows, group after group ({fit(group, 2.5, 10.5)})"
    elif "time" in rows:
        label = f"rows in order of time ({fit(time, 2.5, 10.5)})"
    else:
        label = "rows in the order of the table"
    shown = of_many(len(rows), len(rows) if n_rows is None else n_rows, "rows")
    return label + (f"; {shown}" if shown else "")
