"""A whole table, a whole model, and candidates on one scale."""

from typing import Any

import numpy as np

from lib import evaluation, plots
from lib.workbench.gallery.table import Recipes, Table


def _quick_eda_plots(t: Table) -> Any:
    return plots.quick_eda_plots(t.frame, t.train.target)


def _plot_model_performance(t: Table) -> Any:
    linear = t.scores.predictions["linear"]
    y_true, y_pred, y_proba = t.train.y.to_numpy(), linear, None
    if t.train.task != "regression":
        names = np.array(t.train.classes)
        y_true, y_pred, y_proba = names[y_true], names[linear.argmax(axis=1)], linear
    return plots.plot_model_performance(y_true, y_pred, y_proba)


def _plot_scores(t: Table) -> Any:
    comparison = evaluation.compare(t.scores, reference="dummy")
    metric = evaluation.default_scoring(t.train.task)
    return plots.plot_scores(t.scores.frame, comparison, metric=metric)


RECIPES: Recipes = {
    _quick_eda_plots: "What goes together, how is the target balanced, what is missing?",
    _plot_model_performance: "How good are predictions (here out of fold), where do they fail?",
    _plot_scores: "Does a model beat the dummy? A dot a fold, and corrected intervals.",
}
