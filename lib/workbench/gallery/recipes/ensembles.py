"""Models together: whether they err alike, what each adds, what all of them cost."""

from typing import Any

from lib import ensembles, evaluation, plots
from lib.workbench.gallery.table import Recipes, Table


def _plot_error_correlation(t: Table) -> Any:
    members, _, _ = t.ensemble
    return plots.plot_error_correlation(ensembles.compute_diversity(members))


def _plot_member_contributions(t: Table) -> Any:
    members, _, _ = t.ensemble
    table = ensembles.compute_contributions(members, "weighted", scoring=t.metric)
    return plots.plot_member_contributions(table, metric=t.metric)


def _plot_score_and_cost(t: Table) -> Any:
    _, weights, scores = t.ensemble
    seconds = {"linear": 0.004, "random forest": 0.09, "LightGBM": 0.01}
    # made up: measured ones never repeat
    costs = {name: {"predict_seconds": price} for name, price in seconds.items()}
    compared = evaluation.compare(scores, reference="linear")
    table = ensembles.tabulate_costs(scores, compared, costs, weights)
    return plots.plot_score_and_cost(table, metric=t.metric)


RECIPES: Recipes = {
    _plot_error_correlation: "Do the members of an ensemble err on the same rows?",
    _plot_member_contributions: "What does an ensemble lose without one of its members?",
    _plot_score_and_cost: "Is the better score worth its time?",
}
