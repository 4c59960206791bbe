"""The page and its pictures, from the recipes."""

from __future__ import annotations

import inspect
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path

from lib import plots
from lib.workbench.gallery.recipes import APPLIES, RECIPES
from lib.workbench.gallery.table import TABLES, Recipe, Table, load_tables

DPI = 72  # small in git, readable when opened
COLOURS = 128  # of a palette
PAGE, PICTURES = Path("docs/gallery.md"), Path("docs/images/gallery")
INTRODUCTION = """\
# Gallery of figures

One function draws one figure. Functions take tables that `lib.statistics`, `lib.evaluation` and
the like have computed; none of them fits a model. Each returns matplotlib's figure or axes, with
title, labels and units. Call `plots.setup_plotting()` once before.

The three columns are a binary, a multiclass and a regression table: `rand_hie` (the default),
`wine` and `diabetes`, training rows only. Click on a picture to see it in full size. The code is
what drew it: `t.train` is `load_data(...).train`, `t.X` its features under their own names,
`t.frame` features and target together, `t.config` what `load_config` returned. Everything else of
`t` is what functions of `lib` computed on these rows, as `Table` in
`lib/workbench/gallery/table.py` shows: `t.scores` comes from `evaluation.cross_validate`,
`t.study` from `statistics.study_regression`, `t.search` and `t.nested` from `tuning`, `t.ensemble`
from `ensembles`, `t.networks` from `neural.train_from_seeds`, `t.fitted`, `t.shap` and `t.shuffled`
from `explanation`, `t.learning`, `t.factorial` and `t.by_seed` from `design`, `t.halves` from
`performance`, `t.rule` and `t.priced` from `business`, `t.money` being the currency and the mark of
made-up gains.

This page and its pictures are made by `python -m lib.workbench.gallery`; a new public figure gets
a recipe in `lib/workbench/gallery/recipes/`. Interactive: `make_scatter_matrix_page` returns a page
of its own, to brush and zoom; analysis 01 attaches one.
"""


def draw(recipe: Recipe, table: Table) -> bytes | None:
    """Return one picture of the gallery.

    Parameters
    ----------
    recipe : callable
        One of `RECIPES`.
    table : Table
        What to draw.

    Returns
    -------
    bytes or None
        A PNG of few colours, the same on every run; None where the figure does not apply.
    """
    from PIL import Image  # noqa: PLC0415 - for this page only

    if not APPLIES.get(recipe, lambda _: True)(table):
        return None
    drawn = recipe(table)
    figure = drawn if hasattr(drawn, "savefig") else drawn.get_figure(root=True)
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=DPI, metadata={"Software": None})
    figure.clear()
    picture = Image.open(full).convert("RGB")
    octree, none = Image.Quantize.FASTOCTREE, Image.Dither.NONE
    palette = picture.quantize(COLOURS, method=octree, dither=none)
    palette.save(small, format="png", optimize=True)
    return small.getvalue()


def picture_path(recipe: Recipe, name: str) -> Path:
    """Return where a picture goes in the project: `docs/images/gallery/plot_types_wine.png`."""
    return PICTURES / f"{recipe.__name__.lstrip('_')}_{name}.png"


def write_section(recipe: Recipe, names: Sequence[str]) -> str:
    """Return a figure's part of the page.

    Parameters
    ----------
    recipe : callable
        One of `RECIPES`.
    names : sequence of str
        The tables that it was drawn of.

    Returns
    -------
    str
        Markdown: question, pictures, code.

    Examples
    --------
    >>> from lib.workbench.gallery.recipes.tables import _plot_types
    >>> print(write_section(_plot_types, ["rand_hie", "wine"]))
    ## `plot_types`
    <BLANKLINE>
    What kinds of columns are there? Not applicable to `diabetes`.
    <BLANKLINE>
    | rand_hie | wine |
    |---|---|
    | ![plot_types of rand_hie](images/gallery/plot_types_rand_hie.png) | ![...](...) |
    <BLANKLINE>
    ```python
    plots.plot_types(statistics.compute_types(t.X))
    ```
    <BLANKLINE>
    """
    name = recipe.__name__.lstrip("_")
    lines = inspect.getsource(recipe).splitlines()[1:]
    code = textwrap.dedent("\n".join(lines)).replace("return ", "")
    paths = [picture_path(recipe, table).relative_to(PAGE.parent) for table in names]
    pictures = [f"![{name} of {at}]({path})" for at, path in zip(names, paths, strict=True)]
    table = [f"| {' | '.join(names)} |", "|" + "---|" * len(names), f"| {' | '.join(pictures)} |"]
    absent = [f"`{at}`" for at in TABLES if at not in names]
    note = f" Not applicable to {' and '.join(absent)}." if absent else ""
    parts = [f"## `{name}`", RECIPES[recipe] + note, "\n".join(table), f"```python\n{code}\n```\n"]
    return "\n\n".join(parts)


def make_gallery(root: Path) -> list[Path]:
    """Draw every figure and write the page.

    Parameters
    ----------
    root : Path
        The project's folder, or another to compare with it.

    Returns
    -------
    list of Path
        What was written, the page last.
    """
    (root / PICTURES).mkdir(parents=True, exist_ok=True)
    plots.setup_plotting()
    tables, sections, written = load_tables(), [INTRODUCTION], []
    for recipe in RECIPES:
        shown = []
        for table in tables:
            picture = draw(recipe, table)
            if picture is not None:
                shown.append(table.dataset.name)
                written.append(root / picture_path(recipe, shown[-1]))
                written[-1].write_bytes(picture)
        sections.append(write_section(recipe, shown))
    (root / PAGE).write_text("\n".join(sections), encoding="utf-8")
    return [*written, root / PAGE]
