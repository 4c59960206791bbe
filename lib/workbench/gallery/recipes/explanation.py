"""What a model has learned: contributions, importances, effects, parts of the rows."""

from typing import Any

from lib import explanation, plots
from lib.workbench.gallery.table import Conditions, Recipes, Table


def _plot_contributions(t: Table) -> Any:
    return plots.plot_contributions(t.shap)


def _plot_contribution_sizes(t: Table) -> Any:
    return plots.plot_contribution_sizes(t.shap)


def _plot_dependence(t: Table) -> Any:
    strongest = int(t.shap.importance().argmax())
    return plots.plot_dependence(t.shap, strongest)


def _plot_waterfall(t: Table) -> Any:
    predictions = explanation.out_of_fold(t.fitted)
    _, worst = explanation.explain_worst(t.fitted, predictions, n_rows=1)
    return plots.plot_waterfall(worst, 0)


def _plot_effects(t: Table) -> Any:
    names = explanation.own_names(t.train)
    strongest = explanation.choose_columns(t.train.X, (-t.shap.importance()).argsort())
    effects = explanation.compute_effects(t.fitted, strongest, names=names)
    return plots.plot_effects(effects, target=t.train.target, classes=t.train.classes)


def _plot_importance(t: Table) -> Any:
    return plots.plot_importance(t.shuffled.clusters, scoring="score", things="clusters of columns")


def _plot_shuffles(t: Table) -> Any:
    table = t.shuffled.columns.rename(columns={"what": "column"})
    return plots.plot_shuffles(table, what="loss of score")


def _plot_agreement(t: Table) -> Any:
    rankings = {
        "SHAP": explanation.rank_contributions(t.fitted),
        "shuffling": t.shuffled.by_fold,
        "gain": explanation.rank_builtin(t.fitted, "gain"),
    }
    n_top = explanation.choose_top(t.train.n_features)
    judged = explanation.judge_columns(rankings, explanation.own_names(t.train), n_top=n_top)
    return plots.plot_agreement(judged, methods=list(rankings), n_top=n_top)


def _plot_subgroups(t: Table) -> Any:
    predictions = explanation.out_of_fold(t.fitted)
    parts = explanation.choose_subgroups(t.train)
    return plots.plot_subgroups(explanation.compare_subgroups(t.train, predictions, parts))


RECIPES: Recipes = {
    _plot_contributions: "What moves each prediction, and do high values push up or down?",
    _plot_contribution_sizes: "Which columns move predictions most?",
    _plot_dependence: "What does the strongest column contribute at each of its values?",
    _plot_waterfall: "What led to one prediction (here the worst)?",
    _plot_effects: "How does the prediction move with single columns?",
    _plot_importance: "What does the score lose when correlated columns are shuffled together?",
    _plot_shuffles: "What does shuffling each column change?",
    _plot_agreement: "Which columns are important whoever ranks, on every fold and seed?",
    _plot_subgroups: "Is the model as good, honest and strict for each part of the rows?",
}
APPLIES: Conditions = {
    _plot_subgroups: lambda t: bool(explanation.choose_subgroups(t.train)),
}
