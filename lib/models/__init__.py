"""Baseline models of every family, and two of them after recipes of features."""

from lib.models.baselines import (
    CappedClassifier,
    CappedRegressor,
    baselines,
    compare_baseline_models,
)
from lib.models.recipes import (
    RECIPE_MODELS,
    choose_recipes,
    compare_recipes,
    join_better,
    name_with_recipe,
    with_recipes,
)

__all__ = [
    "RECIPE_MODELS",
    "CappedClassifier",
    "CappedRegressor",
    "baselines",
    "choose_recipes",
    "compare_baseline_models",
    "compare_recipes",
    "join_better",
    "name_with_recipe",
    "with_recipes",
]
