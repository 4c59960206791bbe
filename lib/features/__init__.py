"""Features learned inside the fold: preprocessing, recipes of added features, selection."""

from lib.features.preprocessing import (
    count_encoded,
    make_category_codes,
    make_preprocessor,
    make_steps,
)
from lib.features.recipes import (
    FAMILIES,
    N_KEPT,
    SELECTIONS,
    Recipe,
    RecipePlan,
    describe_families,
    parse_recipe,
    plan_recipes,
)
from lib.features.stability import (
    Selections,
    select_repeatedly,
    stability,
    tabulate_kept,
    tabulate_lineage,
    tabulate_stability,
)

__all__ = [
    "FAMILIES",
    "N_KEPT",
    "SELECTIONS",
    "Recipe",
    "RecipePlan",
    "Selections",
    "count_encoded",
    "describe_families",
    "make_category_codes",
    "make_preprocessor",
    "make_steps",
    "parse_recipe",
    "plan_recipes",
    "select_repeatedly",
    "stability",
    "tabulate_kept",
    "tabulate_lineage",
    "tabulate_stability",
]
