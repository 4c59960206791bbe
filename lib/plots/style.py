"""One look for every figure: colours, sizes, where titles, legends and notes stand."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from lib.plots.text import in_points, text_width, wrap

STYLE_FILE = Path(__file__).with_name("study.mplstyle")
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
QUIET = "#555555"  # words that explain
LEFT = 0.1  # inches from the edge of a figure to its titles

# Fonts that add scripts DejaVu lacks, used where they are installed.
FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
)


def setup_plotting() -> None:
    """Give matplotlib the look of this project; calling it again changes nothing.

    Only matplotlib's defaults change (style file `lib/plots/study.mplstyle`): pandas and
    IPython keep their display settings.

    Examples
    --------
    >>> with mpl.rc_context():
    ...     setup_plotting()
    ...     plt.rcParams["text.parse_math"]
    False
    """
    plt.style.use(STYLE_FILE)
    installed = set(font_manager.get_font_names())
    extra = [font for font in FALLBACK_FONTS if font in installed]
    mpl.rcParams["font.family"] = ["DejaVu Sans", *extra]
    mpl.rcParams["figure.max_open_warning"] = 0  # a script may well draw thirty figures


def set_title(ax: Axes, title: str) -> None:
    """Write a title over `ax`, wrapped only where its room ends.

    Axes alone in their figure or subfigure have the title start at its left edge, over the tick
    labels, which leaves it the whole width.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to write.
    title : str
        A claim or a question; pieces of data in it have passed `shorten`.
    """
    figure, spec = ax.get_figure(), ax.get_subplotspec()
    inches = panel_width(ax)
    is_alone = spec is not None and spec.get_gridspec().get_geometry() == (1, 1)
    is_left = mpl.rcParams["axes.titlelocation"] == "left"
    is_flush = is_alone and is_left
    room = inches - 3 * LEFT if is_flush else cell_width(ax) - _label_width(ax)
    size, weight = in_points(mpl.rcParams["axes.titlesize"]), mpl.rcParams["axes.titleweight"]
    written = ax.set_title(wrap(title, room, size, weight=weight))
    if is_flush and figure is not None:
        up = ScaledTranslation(0, mpl.rcParams["axes.titlepad"] / 72, figure.dpi_scale_trans)
        over = blended_transform_factory(figure.transSubfigure, ax.transAxes)
        written.set_transform(over + up)
        written.set_x(LEFT / inches)


def _label_width(ax: Axes) -> float:
    """Return about how many inches the labels at the left of `ax` take."""
    is_named = isinstance(ax.yaxis.get_major_locator(), FixedLocator)
    names = [label.get_text() for label in ax.get_yticklabels()] if is_named else ["0.000"]
    size = in_points(mpl.rcParams["ytick.labelsize"])
    return 0.6 + max((text_width(name, size) for name in names), default=0.0)


def legend_below(ax: Axes, *, n_columns: int = 3, title: str | None = None) -> None:
    """Write the legend under the label of the x-axis, where it covers no data."""
    down = ScaledTranslation(0, -0.56, figure_of(ax).dpi_scale_trans)
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=ax.transAxes + down,
        borderaxespad=0,
        ncols=n_columns,
        title=title,
        alignment="left",
    )


def figure_of(ax: Axes) -> Figure:
    """Return the figure that `ax` belongs to, above any subfigures."""
    figure = ax.get_figure(root=True)
    if figure is None:
        msg = "These axes were removed from their figure; make new ones."
        raise ValueError(msg)
    return figure


def panel_width(ax: Axes) -> float:
    """Return the inches of the figure or subfigure that `ax` is in."""
    figure = ax.get_figure()
    return 0.0 if figure is None else float(figure.bbox.width / figure.dpi)


def cell_width(ax: Axes) -> float:
    """Return the inches that `ax` with its labels has beside its neighbours."""
    spec = ax.get_subplotspec()
    return panel_width(ax) / (spec.get_gridspec().ncols / len(spec.colspan) if spec else 1)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure to a file and let go of it: nothing is shown."""
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def make_axes(ax: Axes | None, *, width: float = 8.0, height: float = 4.5) -> Axes:
    """Return `ax`, or the axes of a new figure of that size in inches."""
    return plt.subplots(figsize=(width, height), layout="constrained")[1] if ax is None else ax


def make_grid(
    n_panels: int, *, n_columns: int = 3, width: float = 3.1, height: float = 2.5
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its `n_panels` axes, `n_columns` in a row, sizes in inches a panel."""
    n_columns = max(min(n_columns, n_panels), 1)
    n_rows = -(-max(n_panels, 1) // n_columns)
    size = (max(width * n_columns, 6.0), height * n_rows + 0.6)
    figure, grid = plt.subplots(
        n_rows, n_columns, figsize=size, squeeze=False, layout="constrained"
    )
    axes = list(grid.flat)
    for ax in axes[max(n_panels, 1) :]:
        ax.remove()
    return figure, axes[: max(n_panels, 1)]


def figure_title(figure: Figure, title: str, note: str = "") -> None:
    """Write a wrapped title over a figure of several axes, and a note under them."""
    room, left = figure.get_figwidth() - 2 * LEFT, LEFT / figure.get_figwidth()
    size, weight = in_points(mpl.rcParams["figure.titlesize"]), mpl.rcParams["figure.titleweight"]
    figure.suptitle(wrap(title, room, size, weight=weight), x=left, ha="left")
    if note:
        figure.supxlabel(wrap(note, room, 9.5), x=left, ha="left", size=9.5, color=QUIET)


def say(ax: Axes, words: str) -> None:
    """Write in the middle of `ax` why nothing is drawn there."""
    width = panel_width(ax) * ax.get_position(original=True).width
    size = in_points(mpl.rcParams["font.size"])
    words = wrap(words, min(max(0.8 * width, 1.0), 3.0), size)
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=QUIET)
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
