"""A model on rows that it has not seen."""

from typing import Any

from lib import performance, plots
from lib.workbench.gallery.table import Conditions, Recipes, Table


def _plot_curves(t: Table) -> Any:
    curves = performance.compute_all_curves(t.halves[1], n_resamples=200, random_state=0)
    return plots.plot_curves(curves)


def _plot_confusion(t: Table) -> Any:
    _, learned, test = t.halves
    binary = test.task == "binary"
    chosen = performance.decide(test, performance.choose_threshold(learned) if binary else None)
    counts = performance.compute_confusion(test.y, chosen, len(t.train.classes))
    rule = "as many as there are positives" if binary else "the likeliest class"
    return plots.plot_confusion(counts, t.train.classes, rule=rule)


def _plot_calibration(t: Table) -> Any:
    study = performance.study_calibration(t.halves[1], n_resamples=200, random_state=0)
    return plots.plot_calibration(study)


def _plot_residual_study(t: Table) -> Any:
    study = performance.study_residuals(t.halves[1])
    return plots.plot_residual_study(study, target=t.train.target)


def _plot_weak_segments(t: Table) -> Any:
    return plots.plot_weak_segments(performance.find_weak_segments(*t.halves[1:]))


def _plot_promised_coverage(t: Table) -> Any:
    sets = performance.make_conformal(*t.halves[1:])
    return plots.plot_promised_coverage(performance.tabulate_coverage(sets, t.halves[2]))


def _plot_lost_columns(t: Table) -> Any:
    fitted, test, _ = t.halves
    table = performance.lose_columns(fitted, test, scoring=t.metric, random_state=0)
    return plots.plot_lost_columns(table, scoring=t.metric_name)


def _plot_disturbances(t: Table) -> Any:
    fitted, test, _ = t.halves
    table = performance.disturb(fitted, test, scoring=t.metric, random_state=0)
    return plots.plot_disturbances(table, scoring=t.metric_name)


RECIPES: Recipes = {
    _plot_curves: "What is the ranking worth at every threshold, and how sure is that?",
    _plot_confusion: "Which class is taken for which, at a threshold chosen elsewhere?",
    _plot_calibration: "Do probabilities come true, bin by bin and on the whole?",
    _plot_residual_study: "How do predictions of a number miss: on average, by size, in shape?",
    _plot_weak_segments: "For whom is the model worse? Found on some rows, confirmed on others.",
    _plot_promised_coverage: "Do sets or intervals hold the truth as often as they promise?",
    _plot_lost_columns: "What does the score lose when a column is not delivered?",
    _plot_disturbances: "What do gaps and wrong values cost, by kind of column?",
}
APPLIES: Conditions = {
    _plot_curves: lambda t: t.train.task != "regression",
    _plot_confusion: lambda t: t.train.task != "regression",
    _plot_calibration: lambda t: t.train.task != "regression",
    _plot_residual_study: lambda t: t.train.task == "regression",
}
