"""What a table is large enough to show, and what a search for parameters found."""

from typing import Any

from lib import plots, statistics, tuning
from lib.workbench.gallery.table import Recipes, Table


def _plot_power(t: Table) -> Any:
    n_tests = t.X.shape[1]
    curves = statistics.compute_power_curves(t.train.y, task=t.train.task, n_tests=n_tests)
    return plots.plot_power(curves)


def _plot_search_history(t: Table) -> Any:
    return plots.plot_search_history(tuning.best_so_far([t.search]), metric=t.metric)


def _plot_parameter_importance(t: Table) -> Any:
    return plots.plot_parameter_importance(tuning.compute_importance([t.search]))


def _plot_slices(t: Table) -> Any:
    edges = tuning.compute_edges(t.search, tuning.LIMITS)
    return plots.plot_slices(t.search.trials, edges, metric=t.metric)


def _plot_parallel(t: Table) -> Any:
    edges = tuning.compute_edges(t.search, tuning.LIMITS)
    return plots.plot_parallel(t.search.trials, edges, metric=t.metric)


def _plot_optimism(t: Table) -> Any:
    return plots.plot_optimism(t.nested.searches, metric=t.metric)


RECIPES: Recipes = {
    _plot_power: "Which effects are too small for this table to show?",
    _plot_search_history: "How did the best value rise with the trials of a search?",
    _plot_parameter_importance: "Which parameter decides?",
    _plot_slices: "Where do good values of each parameter lie, and were the ranges wide enough?",
    _plot_parallel: "Which parameters do good trials share?",
    _plot_optimism: "How much more did a search promise than it kept on rows it had not seen?",
}
