"""How each figure is drawn, one module a topic: functions, their questions, where they apply.

A recipe is called as the figure that it draws, after an underscore. Its code is shown on the page.
"""

from lib.workbench.gallery.recipes import (
    business,
    comparison,
    design,
    ensembles,
    explanation,
    features,
    held_out,
    networks,
    overview,
    resampling,
    searches,
    tables,
)
from lib.workbench.gallery.table import Conditions, Recipes

_TOPICS = (  # in the order of the page
    overview,
    features,
    tables,
    networks,
    searches,
    ensembles,
    resampling,
    explanation,
    design,
    held_out,
    comparison,
    business,
)
RECIPES: Recipes = {recipe: asks for topic in _TOPICS for recipe, asks in topic.RECIPES.items()}
APPLIES: Conditions = {
    recipe: holds for topic in _TOPICS for recipe, holds in getattr(topic, "APPLIES", {}).items()
}

__all__ = ["APPLIES", "RECIPES"]
