"""Side by side: the arms of a trial, and candidates."""

from types import SimpleNamespace
from typing import Any

import pandas as pd

from lib import comparison, design, plots
from lib.workbench.gallery.table import Conditions, Recipes, Table


def _plot_arms(t: Table) -> Any:
    arms = design.read_arms(t.train)
    return arms and plots.plot_arms(design.compute_arm_effects(arms))


def _plot_equivalence(t: Table) -> Any:
    return plots.plot_equivalence(t.compared, reference=str(t.compared["model"].iloc[0]))


def _plot_rank_stability(t: Table) -> Any:
    drawn = comparison.resample_scores(t.scores, t.train, n_resamples=200, random_state=0)
    return plots.plot_rank_stability(comparison.tabulate_ranks(drawn))


def _plot_pareto(t: Table) -> Any:
    prices = {
        "dummy": (0.001, 0.001, 1),
        "linear": (0.3, 0.004, 5),
        "decision tree": (0.1, 0.002, 30),
    }
    costs = ("fit_seconds", "predict_seconds", "kilobytes")  # made up: measured ones never repeat
    tracked = {}
    for name, price in prices.items():
        tracked[name] = SimpleNamespace(costs=dict(zip(costs, price, strict=True)))
    table = comparison.tabulate_prices(t.compared, tracked, t.scores.folds)
    return plots.plot_pareto(table, metric=t.metric)


def _plot_critical_difference(t: Table) -> Any:
    del t  # 14 tables of Demšar (2006), his Table 6
    ranks = pd.Series({"C4.5+m+cf": 1.964, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5": 3.143})
    apart = comparison.critical_difference(4, 14)
    groups = comparison.find_groups(ranks, apart)
    return plots.plot_critical_difference(ranks, apart, groups, n_tables=14)


RECIPES: Recipes = {
    _plot_arms: "What did a treatment drawn by lot change, and what was published about it?",
    _plot_equivalence: "How probable is it that a model is as good as the best, in practice?",
    _plot_rank_stability: "Which rank could each model have on other rows?",
    _plot_pareto: "Which models give the best score for their price?",
    _plot_critical_difference: "Which models rank better than others over many tables?",
}
APPLIES: Conditions = {
    _plot_arms: lambda t: t.train.trial is not None,
    _plot_critical_difference: lambda t: t.train.task == "binary",
}
