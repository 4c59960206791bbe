"""What every figure has to pass, and names of columns that try to break it.

Tests of figures import it by its name: `pythonpath` in `pyproject.toml` holds this folder. They
draw in the project's style through the fixture `style` of `conftest.py`.
"""

import io
import itertools
import warnings

import numpy as np

HOSTILE = [
    "cost in $ of $x^2$",
    "a_b^{c}_d\\frac{1}{2}",
    "100 % of %s {name} %(x)d",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 family \U0001f44d",
    "W" * 5_000,
    "<script>alert('x')</script>",
    "income",
    "income ",
    "Income",
    "",
    "two\nlines\tand a tab",
    "\u202eright to left \u05d0\u05d1",
    "\u6536\u5165 \u0e23\u0e32\u0e22",
    "`__import__('os')`",
    "nan",
    " ",
]


def drawn(figure):
    """Lay a figure out, its text included, and return the renderer; a missing glyph is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    return figure.canvas.get_renderer()


def figures_of(figure):
    """Yield a figure and its subfigures."""
    yield figure
    for inner in figure.subfigs:
        yield from figures_of(inner)


def title_artists(ax):
    """Return the visible titles of one axes."""
    candidates = [ax.title, ax._left_title, ax._right_title]
    return [title for title in candidates if title.get_text() and title.get_visible()]


def check_complete(figure, *, shared=False):
    """Check that each axes says what it shows: a title, both labels; a colour bar: its label."""
    assert figure.axes
    for ax in figure.axes:
        if hasattr(ax, "_colorbar"):
            assert ax.get_ylabel() or ax.get_xlabel(), "a colour bar without label"
            continue
        spec = ax.get_subplotspec() if shared else None  # a matrix is labelled at its edges
        assert ax.get_xlabel() or (spec and not spec.is_last_row()), "no label of x"
        assert ax.get_ylabel() or (spec and not spec.is_first_col()), "no label of y"
        assert title_artists(ax) or (shared and figure.get_suptitle()), "no title"


def headings(figure):
    """Return what must not touch: titles, labels, notes and legends, by what they say."""
    found = []
    for part in figures_of(figure):
        found += [t for t in (part._suptitle, part._supxlabel, part._supylabel) if t]
        found += part.legends
    for ax in figure.axes:
        found += title_artists(ax)
        found += [a.label for a in (ax.xaxis, ax.yaxis) if a.label.get_text()]
        found += [ax.get_legend()] if ax.get_legend() else []
    return [artist for artist in found if artist.get_visible()]


def tick_labels(figure):
    """Return the labels of the ticks that are drawn, a list an axis."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            ticks = [
                tick.label1
                for tick in axis.get_major_ticks()
                if low - slack <= tick.get_loc() <= high + slack
                and tick.label1.get_visible()
                and tick.label1.get_text()
            ]
            if ticks:
                yield ax, axis, ticks


def boxes_of(artists, renderer):
    """Return what each artist covers: left, bottom, right and top in pixels."""
    return np.array([a.get_window_extent(renderer).extents for a in artists]).reshape(-1, 4)


def overlaps(one, other):
    """Return by how many pixels boxes cover each other, in their narrower direction."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    return (high - low).min(axis=2)


def told(artists, chosen):
    """Return the first words of the chosen artists."""
    say = [getattr(artist, "get_text", lambda: "a legend")()[:60] for artist in artists]
    return [words for words, is_chosen in zip(say, chosen, strict=False) if is_chosen][:6]


def check_layout(figure):
    """Check that no words leave the canvas and no title, label, note or legend covers another."""
    renderer = drawn(figure)
    heads, ticks = headings(figure), list(tick_labels(figure))
    words = [*heads, *itertools.chain.from_iterable(labels for _, _, labels in ticks)]
    boxes = boxes_of(words, renderer)
    outside = np.maximum(-boxes[:, :2], boxes[:, 2:] - figure.canvas.get_width_height()) > 1
    assert not outside.any(), f"leaves the canvas: {told(words, outside.any(axis=1))}"
    head_boxes = boxes[: len(heads)]
    covered = overlaps(head_boxes, boxes) > 1
    np.fill_diagonal(covered, val=False)
    assert not covered.any(), f"cover each other: {told(words, covered.any(axis=0))}"
    panels = boxes_of(figure.axes, renderer)
    for ax, axis, labels in ticks:
        own = boxes_of(labels, renderer)
        close = np.diagonal(overlaps(own, own), offset=1) > 1
        assert not close.any(), f"ticks of {axis.axis_name} touch: {told(labels, close)}"
        others = panels[[other is not ax for other in figure.axes]]
        strays = (overlaps(own, others) > 0).any(axis=1)
        assert not strays.any(), f"ticks reach into a neighbour: {told(labels, strays)}"
    for ax in figure.axes:
        if legend := ax.get_legend():
            over = overlaps(boxes_of([legend], renderer), boxes_of([ax.patch], renderer))
            assert over.max() <= 1, "a legend over the data"


def check_figure(figure, **settings):
    """Check a figure in every respect."""
    check_complete(figure, **settings)
    check_layout(figure)


def as_png(figure):
    """Return the bytes of a picture."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=50)
    return stream.getvalue()
