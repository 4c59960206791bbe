"""What goes with what: the association matrix, and features against the target."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.plots.panels import draw_dots, draw_heatmap
from lib.plots.style import GREY, legend_below, make_axes, say, set_title
from lib.plots.text import of_many, shorten
from lib.statistics import as_matrix

MAX_COLUMNS = 40
MAX_WRITTEN = 16  # up to so many columns, cells hold their numbers
MAX_FEATURES = 30
KIND_COLORS = {
    "numeric": "#0072B2",
    "categorical": "#D55E00",
    "datetime": "#009E73",
    "text": "#CC79A7",
}


def plot_associations(
    pairs: pd.DataFrame, *, max_columns: int = MAX_COLUMNS, ax: Axes | None = None
) -> Axes:
    """Draw the association of every two columns, alike columns side by side.

    Parameters
    ----------
    pairs : DataFrame with columns first, second, value
        As `statistics.compute_associations` returns it.
    max_columns : int
        Columns to draw; those of the strongest pairs are kept.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> pairs = pd.DataFrame({"first": ["a"], "second": ["b"], "value": [-0.5]})
    >>> plot_associations(pairs).get_title()
    "Strongest of 1 association: 'a' and 'b', -0.50"
    """
    names = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    kept = _strongest(pairs, max_columns)
    is_own = ax is None
    is_written = len(kept) <= (MAX_WRITTEN if is_own else MAX_WRITTEN // 2)
    side = 3.2 + (0.36 if is_written else 0.23) * max(len(kept), 8)
    ax = make_axes(ax, width=side + 0.8, height=side)
    if not len(kept):
        ax.set(xlabel="column", ylabel="column")
        say(ax, "fewer than two columns of numbers or categories that vary")
        set_title(ax, "No two columns to compare")
        return ax
    inside = pairs[pairs["first"].isin(kept) & pairs["second"].isin(kept)]
    draw_heatmap(ax, as_matrix(inside), inches=1.8 if is_own else 1.3, is_written=is_written)
    total = int(pairs.attrs.get("n_columns", len(names)))
    left_out = of_many(len(kept), total, "columns drawn")
    ax.set(xlabel="column" + (f" ({left_out})" if left_out else ""), ylabel="column")
    set_title(ax, _association_claim(pairs))
    return ax


def plot_strengths(
    screening: pd.DataFrame,
    *,
    target: str,
    max_features: int = MAX_FEATURES,
    ax: Axes | None = None,
) -> Axes:
    """Draw how strongly each feature alone goes with the target, strongest on top.

    Parameters
    ----------
    screening : DataFrame with columns feature, kind, strength, q
        As `statistics.compare_with_target` returns it; `strength` is an `Estimate`.
    target : str
        The target's own name.
    max_features : int
        Features to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from lib.statistics import compare_with_target
    >>> X = pd.DataFrame({"x": [1, 2, 3, 4] * 20})
    >>> table = compare_with_target(X, X["x"] > 2, task="binary")
    >>> plot_strengths(table, target="rich").get_title()
    "1 of 1 features goes with 'rich'; strongest: 'x'"
    """
    shown = screening[[np.isfinite(e.value) for e in screening["strength"]]].head(max_features)
    ax = make_axes(ax, height=1.7 + 0.27 * max(len(shown), 3))
    ax.set(xlabel="strength alone, 0 none to 1 gives it away", ylabel="feature")
    n_signs = int(
        (shown["shape"] != "no sign").sum()
        + (screening["shape"] != "no sign").iloc[len(shown) :].sum()
    )
    if not len(shown):
        say(ax, "no feature varies")
        set_title(ax, f"No feature to compare with '{shorten(target)}'")
        return ax
    is_sign = shown["shape"] != "no sign"
    colors = [
        KIND_COLORS.get(kind, GREY) if sign else GREY
        for kind, sign in zip(shown["kind"], is_sign, strict=True)
    ]
    draw_dots(ax, shown["feature"].tolist(), shown["strength"].tolist(), colors=colors)
    reach = max(e.high for e in shown["strength"])
    ax.set_xlim(-0.01, min(reach * 1.1 + 0.02, 1.02))
    _kind_legend(ax, shown["kind"][is_sign].unique().tolist(), any_grey=not is_sign.all())
    left_out = of_many(len(shown), len(screening), "features drawn")
    if left_out:
        ax.set_xlabel(f"strength alone, 0 to 1 ({left_out})")
    goes = "goes" if n_signs == 1 else "go"
    strongest = f"; strongest: '{shorten(shown['feature'].iloc[0])}'" if n_signs else ""
    set_title(
        ax, f"{n_signs:,} of {len(screening):,} features {goes} with '{shorten(target)}'{strongest}"
    )
    return ax


def _strongest(pairs: pd.DataFrame, max_columns: int) -> list[str]:
    """Return the columns of the strongest pairs, in the order of their first appearance."""
    order = np.argsort(-pairs["value"].abs().fillna(-1).round(9).to_numpy(), kind="stable")
    couples = pairs[["first", "second"]].to_numpy()[order].reshape(-1)
    return list(dict.fromkeys(couples))[:max_columns]


def _association_claim(pairs: pd.DataFrame) -> str:
    known = pairs.dropna(subset="value")
    if not len(known):
        return "No association can be computed"
    best = known.loc[known["value"].abs().idxmax()]
    couple = f"'{shorten(best['first'], 22)}' and '{shorten(best['second'], 22)}'"
    plural = "association" if len(known) == 1 else "associations"
    return f"Strongest of {len(known):,} {plural}: {couple}, {best['value']:.2f}"


def _kind_legend(ax: Axes, kinds: list[str], *, any_grey: bool) -> None:
    for kind in kinds:
        ax.scatter([], [], color=KIND_COLORS.get(kind, GREY), label=kind)
    if any_grey:
        ax.scatter([], [], color=GREY, label="no sign after correction")
    legend_below(ax)
