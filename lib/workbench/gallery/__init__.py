"""The gallery of figures, `docs/gallery.md`: every public figure of `lib.plots` on real tables.

`python -m lib.workbench.gallery` draws it again. The code under each picture is the code that
drew it, taken from `recipes`.
"""

from lib.workbench.gallery.page import (
    INTRODUCTION,
    PAGE,
    PICTURES,
    draw,
    make_gallery,
    picture_path,
    write_section,
)
from lib.workbench.gallery.recipes import APPLIES, RECIPES
from lib.workbench.gallery.table import TABLES, Table, load_tables

__all__ = [
    "APPLIES",
    "INTRODUCTION",
    "PAGE",
    "PICTURES",
    "RECIPES",
    "TABLES",
    "Table",
    "draw",
    "load_tables",
    "make_gallery",
    "picture_path",
    "write_section",
]
