"""One look for every figure, and text that draws whatever a column is called."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLE_FILE = Path(__file__).with_name("study.mplstyle")
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
LABEL_WIDTH = 28  # characters of a tick label
PLACEHOLDER = "\N{WHITE SQUARE}"

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
    >>> setup_plotting()
    >>> plt.rcParams["text.parse_math"]
    False
    """
    plt.style.use(STYLE_FILE)
    installed = set(font_manager.get_font_names())
    extra = [font for font in FALLBACK_FONTS if font in installed]
    mpl.rcParams["font.family"] = ["DejaVu Sans", *extra]
    mpl.rcParams["figure.max_open_warning"] = 0  # a script may well draw thirty figures


def clean(text: object) -> str:
    r"""Return `text` on one line, in characters that the current fonts can draw.

    Line breaks become spaces, invisible characters go, a symbol without a glyph is named
    ("[thumbs up sign]") and a letter without one becomes a square.

    Parameters
    ----------
    text : object
        A column name, a category or any other piece of data.

    Returns
    -------
    str
        Never empty: what has nothing to draw reads "(blank)".

    Examples
    --------
    >>> clean("net\nincome \U0001f44d")
    'net income [thumbs up sign]'
    """
    families = tuple(mpl.rcParams["font.family"])
    drawn = "".join(_drawable(character, families) for character in str(text))
    if mpl.rcParams["text.parse_math"]:
        drawn = drawn.replace("$", r"\$")
    return " ".join(drawn.split()) or "(blank)"


def shorten(text: object, width: int = LABEL_WIDTH) -> str:
    """Return `clean(text)` cut in the middle to `width` characters.

    Names of one table tend to differ at their ends, which is why the middle goes.

    Parameters
    ----------
    text : object
        Any piece of data.
    width : int
        Longest result, at least 5.

    Returns
    -------
    str
        Of at most `width` characters.

    Examples
    --------
    >>> shorten("blood_pressure_systolic_visit_1", 15)
    'blood_p…visit_1'
    """
    text = clean(
        str(text)[: 50 * width] + str(text)[-width:] if len(str(text)) > 51 * width else text
    )
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + "…" + text[-tail:]


def short_labels(names: Iterable[object], width: int = LABEL_WIDTH) -> list[str]:
    """Return one label a name, shortened and still distinct.

    Parameters
    ----------
    names : iterable of object
        Column names or categories.
    width : int
        Longest label in characters.

    Returns
    -------
    list of str
        Labels that would be equal end in a number.

    Examples
    --------
    >>> short_labels(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    labels, seen = [], dict[str, int]()
    for name in names:
        label = shorten(name, width)
        count = seen[label] = seen.get(label, 0) + 1
        labels.append(label if count == 1 else f"{shorten(name, max(width - 5, 5))} ({count})")
    return labels


def set_title(ax: Axes, title: str, *, n_columns: int = 1) -> None:
    """Write a title over `ax`, wrapped to the room it has.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to write.
    title : str
        A claim or a question; pieces of data in it have passed `shorten`.
    n_columns : int
        Axes that share the figure's width.
    """
    size = font_manager.FontProperties(size=mpl.rcParams["axes.titlesize"]).get_size_in_points()
    # Beside tick labels and a neighbour, the axes get less of their share of the figure.
    inches = figure_of(ax).get_figwidth() * (0.82 if n_columns == 1 else 0.62) / n_columns
    width = max(int(inches * 72 / (0.62 * size)), 12)
    ax.set_title("\n".join(textwrap.wrap(title, width)))


def figure_of(ax: Axes) -> Figure:
    """Return the figure that `ax` belongs to, above any subfigures."""
    figure = ax.get_figure(root=True)
    if figure is None:
        msg = "These axes were removed from their figure; make new ones."
        raise ValueError(msg)
    return figure


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
    size = font_manager.FontProperties(size=mpl.rcParams["figure.titlesize"]).get_size_in_points()
    width = max(int(figure.get_figwidth() * 72 * 0.95 / (0.62 * size)), 20)
    figure.suptitle("\n".join(textwrap.wrap(title, width)), x=0.01, ha="left")
    if note:
        figure.supxlabel(
            "\n".join(textwrap.wrap(note, int(width * 1.35))),
            x=0.01,
            ha="left",
            size=9.5,
            color="#555555",
        )


def say(ax: Axes, words: str) -> None:
    """Write in the middle of `ax` why nothing is drawn there."""
    ax.text(
        0.5,
        0.5,
        "\n".join(textwrap.wrap(words, 34)),
        transform=ax.transAxes,
        ha="center",
        va="center",
        color="#555555",
    )
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)


def of_many(shown: int, total: int, things: str) -> str:
    """Return "20 of 5,000 categories" when some are left out, else "".

    Examples
    --------
    >>> of_many(20, 5_000, "categories")
    '20 of 5,000 categories'
    >>> of_many(3, 3, "categories")
    ''
    """
    return f"{shown:,} of {total:,} {things}" if shown < total else ""


def spread(items: Sequence[int], n_kept: int) -> list[int]:
    """Return `n_kept` of `items`, evenly spaced with both ends, or all when they are fewer.

    Examples
    --------
    >>> spread(range(10), 4)
    [0, 3, 6, 9]
    """
    if len(items) <= n_kept:
        return list(items)
    step = (len(items) - 1) / max(n_kept - 1, 1)
    return [items[round(i * step)] for i in range(n_kept)]


@lru_cache(maxsize=4096)
def _drawable(character: str, families: tuple[str, ...]) -> str:
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Me"} and ord(character) not in _glyphs(families):
        return ""  # joiners, direction marks, variation selectors
    if category == "Cf":
        return ""
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    if ord(character) in _glyphs(families):
        return character
    if category == "So":
        return f"[{unicodedata.name(character, 'symbol').lower()}]"
    return PLACEHOLDER


@cache
def _glyphs(families: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for family in families:
        path = font_manager.findfont(font_manager.FontProperties(family=[family]))
        found.update(font_manager.get_font(path).get_charmap())
    return frozenset(found)
