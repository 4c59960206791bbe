"""Columns, the target, and what goes together."""

from typing import Any

from lib import plots, statistics
from lib.workbench.gallery.table import Conditions, Recipes, Table


def _plot_target(t: Table) -> Any:
    return plots.plot_target(t.train.y, classes=t.train.classes, name=t.train.target)


def _plot_strengths(t: Table) -> Any:
    train = t.train
    screening = statistics.compare_with_target(t.X, train.y, task=train.task, groups=train.groups)
    return plots.plot_strengths(screening, target=train.target)


def _plot_target_panel(t: Table) -> Any:
    train = t.train
    screening = statistics.compare_with_target(t.X, train.y, task=train.task, groups=train.groups)
    return plots.plot_target_panel(
        t.X, train.y, screening, task=train.task, target=train.target, classes=train.classes
    )


def _plot_distributions(t: Table) -> Any:
    return plots.plot_distributions(t.X, max_columns=9)


def _plot_quantiles(t: Table) -> Any:
    normality = statistics.compute_normality(t.X, groups=t.train.groups)
    return plots.plot_quantiles(t.X, normality, max_panels=6)


def _plot_missing(t: Table) -> Any:
    return plots.plot_missing(statistics.compute_missing(t.X), shape=t.X.shape)


def _plot_types(t: Table) -> Any:
    return plots.plot_types(statistics.compute_types(t.X))


def _plot_associations(t: Table) -> Any:
    return plots.plot_associations(statistics.compute_associations(t.X), max_columns=14)


def _plot_scatter_matrix(t: Table) -> Any:
    target = t.train.y.rename(t.train.target)
    numbers = t.X.select_dtypes("number").iloc[:, -4:]
    return plots.plot_scatter_matrix(numbers, target=target, classes=t.train.classes)


def _plot_drift(t: Table) -> Any:
    return plots.plot_drift(statistics.compare_samples(t.X, t.test, groups=t.train.groups))


def _plot_time_profile(t: Table) -> Any:
    train = t.train
    over_time = statistics.compute_time_profile(train.time, train.y, groups=train.groups)
    return plots.plot_time_profile(over_time, target=train.target, is_share=train.task == "binary")


def _plot_coefficients(t: Table) -> Any:
    return plots.plot_coefficients(t.study.fit, target=t.study.outcome)


RECIPES: Recipes = {
    _plot_target: "How is the target distributed?",
    _plot_strengths: "Which features go with the target, each alone?",
    _plot_target_panel: "How does the target change over the strongest features?",
    _plot_distributions: "What values does each column hold?",
    _plot_quantiles: "Which columns are far from a normal distribution, and in which way?",
    _plot_missing: "Where are values missing?",
    _plot_types: "What kinds of columns are there?",
    _plot_associations: "Which columns say the same thing?",
    _plot_scatter_matrix: "How do pairs of numbers look?",
    _plot_drift: "Do training and test rows look alike?",
    _plot_time_profile: "Does the target change over time?",
    _plot_coefficients: "What does each feature add, the others held fixed?",
}
APPLIES: Conditions = {
    _plot_time_profile: lambda t: t.train.time is not None,
    _plot_coefficients: lambda t: t.study.fit is not None,  # not where a line separates classes
}
