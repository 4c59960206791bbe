"""How networks learn, and how much of it is luck."""

from typing import Any

from lib import neural, plots
from lib.workbench.gallery.table import Recipes, Table


def _plot_training_curves(t: Table) -> Any:
    runs, _ = t.networks
    return plots.plot_training_curves(runs.history, loss=neural.loss_label(t.train.task))


def _plot_seed_spread(t: Table) -> Any:
    runs, scores = t.networks
    folds = scores.frame[scores.frame["metric"] == runs.scoring]
    return plots.plot_seed_spread(runs.scores, folds, metric=t.metric_name)


RECIPES: Recipes = {
    _plot_training_curves: "Does a network still learn, or learn its rows by heart?",
    _plot_seed_spread: "How much of a network's score is the luck of a seed?",
}
