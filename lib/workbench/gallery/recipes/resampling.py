"""Folds row by row, and strategies of resampling against a known truth."""

from typing import Any

from lib import evaluation, plots, resampling
from lib.workbench.gallery.table import Recipes, Table


def _plot_folds(t: Table) -> Any:
    folds = resampling.make_strategy_folds(resampling.list_strategies(t.train)[1:3], t.train)
    rows = resampling.map_rows(t.train, max_rows=200)
    return plots.plot_folds(
        resampling.map_folds(folds, rows),
        rows,
        target=t.train.target,
        group="group" if t.train.groups is None else str(t.train.groups.name),
        time="time" if t.train.time is None else str(t.train.time.name),
        classes=t.train.classes,
        n_rows=len(t.train),
    )


def _plot_strategies(t: Table) -> Any:
    return plots.plot_strategies(t.strategies, metric=evaluation.default_scoring(t.train.task))


def _plot_coverage(t: Table) -> Any:
    return plots.plot_coverage(t.strategies)


RECIPES: Recipes = {
    _plot_folds: "Which rows train and which are tested, fold by fold?",
    _plot_strategies: "By how much does each resampling strategy miss the truth?",
    _plot_coverage: "Do intervals over folds hold the truth as often as they say?",
}
