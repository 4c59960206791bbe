"""What makes a score: rows, factors, seeds."""

from typing import Any

from lib import design, plots
from lib.workbench.gallery.table import Recipes, Table


def _plot_learning_curve(t: Table) -> Any:
    curve, laws = t.learning
    return plots.plot_learning_curve(curve, laws, metric=t.metric)


def _plot_factor_effects(t: Table) -> Any:
    cells, fraction = t.factorial
    return plots.plot_factor_effects(design.compute_effects(cells, fraction), metric=t.metric)


def _plot_noise(t: Table) -> Any:
    return plots.plot_noise(t.by_seed, metric=t.metric)


RECIPES: Recipes = {
    _plot_learning_curve: "Would more rows help, and by how much?",
    _plot_factor_effects: "What makes the score: the model, the rows, the columns, or two of them?",
    _plot_noise: "How much of a score is luck of the seed, how much luck of the fold?",
}
