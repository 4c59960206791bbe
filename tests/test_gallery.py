"""The gallery has every public figure, and its page says what its recipes say."""

import re

from lib import plots
from lib.config import project_root
from lib.workbench import gallery


def test_every_public_figure_has_a_recipe():
    """Whoever looks for a figure finds it in the gallery, and no recipe draws what is not there."""
    figures = {name for name in plots.__all__ if "plot" in name} - {"setup_plotting"}
    drawn = {recipe.__name__.removeprefix("_") for recipe in gallery.RECIPES}
    assert drawn == figures


def test_the_page_shows_the_recipes():
    """Question, pictures and code of each figure are on the page as the recipes are now.

    Which tables a figure applies to stands on the page; nothing is drawn here.
    """
    page = (project_root() / gallery.PAGE).read_text(encoding="utf-8")
    parts = re.split(r"^(?=## `)", page, flags=re.MULTILINE)[1:]
    shown = [re.findall(r"!\[\w+ of (\w+)\]", part) for part in parts]
    written = [
        gallery.write_section(recipe, names)
        for recipe, names in zip(gallery.RECIPES, shown, strict=True)
    ]
    assert [part.rstrip() for part in parts] == [section.rstrip() for section in written]


def test_every_picture_is_there():
    """The page names the pictures of the folder, all of them and no other."""
    root = project_root()
    page = (root / gallery.PAGE).read_text(encoding="utf-8")
    named = set(re.findall(r"images/gallery/(\w+\.png)", page))
    assert named == {path.name for path in (root / gallery.PICTURES).iterdir()}
