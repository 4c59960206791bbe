"""The gallery of figures, `docs/gallery.md`: every public figure of `lib.plots` on real tables.

`python -m lib.workbench.gallery` draws it again. The code under each picture is the code that
drew it, taken from this file.
"""

from __future__ import annotations

import inspect
import io
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from lib import (
    business,
    comparison,
    design,
    evaluation,
    explanation,
    features,
    models,
    neural,
    performance,
    plots,
    resampling,
    statistics,
    tuning,
)
from lib.config import Config, load_config, project_root
from lib.data import Dataset, load_data

DPI = 72  # small in git, readable when opened
COLOURS = 128  # of a palette
TABLES = ("rand_hie", "wine", "diabetes")  # binary, multiclass, regression
PAGE, PICTURES = Path("docs/gallery.md"), Path("docs/images/gallery")


@dataclass(frozen=True)
class Table:
    """A real table and what figures are drawn from."""

    dataset: Dataset
    config: Config

    @cached_property
    def train(self) -> Dataset:
        """The training rows."""
        return self.dataset.train

    @cached_property
    def X(self) -> pd.DataFrame:  # noqa: N802 - the field's name
        """The features of the training rows, under their own names."""
        return statistics.as_frame(self.train.X.rename(columns=self.train.labels))

    @cached_property
    def test(self) -> pd.DataFrame:
        """The features of the test rows."""
        return statistics.as_frame(self.dataset.test_features.rename(columns=self.train.labels))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Features and target in one frame."""
        return self.X.assign(**{self.train.target: statistics.target_in_words(self.train)})

    @cached_property
    def study(self) -> Any:
        """A regression on all features."""
        return statistics.study_regression(self.train, self.X)

    @cached_property
    def strategies(self) -> Any:
        """Strategies against a held-out truth, on a few small samples."""
        stage = resampling.set_stage(evaluation.make_plain(self.train), n_draws=20)
        strategies = resampling.list_strategies(stage.dataset)
        candidates = evaluation.make_neighbours(stage.dataset)
        return evaluation.compare_with_truth(
            candidates, stage.dataset, stage.samples, strategies
        ).summarise()

    @cached_property
    def scores(self) -> Any:
        """Three models, cross-validated."""
        known = models.baselines(self.train, self.config)
        chosen = {name: known[name] for name in ("dummy", "linear", "decision tree")}
        cv = resampling.make_cv(self.train, n_splits=5, random_state=0)
        return evaluation.cross_validate(chosen, self.train, resampling.make_folds(self.train, cv))

    @cached_property
    def compared(self) -> pd.DataFrame:
        """The three models against the best of them."""
        best = str(self.scores.by_fold().mean().idxmax())
        known = list(models.baselines(self.train, self.config))
        effect = design.make_card(self.train, known).smallest_effect
        return comparison.compare_with(self.scores, best, smallest_effect=effect)

    @cached_property
    def search(self) -> Any:
        """A search for the parameters of a random forest, on few rows."""
        few = resampling.sample_rows(self.train, 1_000)
        folds = resampling.make_folds(few, resampling.make_cv(few, n_splits=3))
        forest = tuning.make_tunable("random forest", few, self.config)
        objective = tuning.make_objective(forest, few, folds, scoring=self.metric)
        return tuning.search(objective, forest.space, n_trials=25, default=forest.default)

    @cached_property
    def few_folds(self) -> Any:
        """At most 2,000 training rows, and three folds of them."""
        few = resampling.sample_rows(self.train, 2_000)
        return few, resampling.make_folds(few, resampling.make_cv(few, n_splits=3))

    @cached_property
    def learning(self) -> Any:
        """Learning curves of two models, and their power laws."""
        few, folds = self.few_folds
        pair = ["linear", "LightGBM"]
        curve = design.compute_learning_curve(few, folds, self.config, pair, scoring=self.metric)
        highest = evaluation.scorers(few.task)[self.metric].bounds[1]
        how = {"test_fraction": folds.test_fraction, "highest": highest}
        return curve, design.extrapolate_all(curve, **how)

    @cached_property
    def factorial(self) -> Any:
        """Scores of a 2^k experiment, and the share of rows that a fold tests on."""
        few, folds = self.few_folds
        factors = design.choose_factors(few, folds, candidate="LightGBM", reference="linear")
        cells = design.run_factorial(few, folds, self.config, factors, scoring=self.metric)
        return cells, folds.test_fraction

    @cached_property
    def halves(self) -> Any:
        """A boosting fitted on half of the training rows, and two quarters that it has not seen."""
        cv = resampling.make_cv(self.train, n_splits=4)
        quarters = [test for _, test in resampling.make_folds(self.train, cv)]
        learned = self.train.take(np.concatenate(quarters[2:]))
        fitted = evaluation.fit_whole(models.baselines(learned, self.config)["LightGBM"], learned)
        unseen = [performance.predict_held_out(fitted, self.train.take(q)) for q in quarters[:2]]
        return fitted, *unseen

    @cached_property
    def by_seed(self) -> Any:
        """Scores of a random forest with five seeds."""
        few, folds = self.few_folds
        forest = models.baselines(few, self.config)["random forest"]
        seeds = design.reseed(forest, range(5))
        return evaluation.cross_validate(seeds, few, folds).by_fold()

    @property
    def metric(self) -> str:
        """The metric that ranks models."""
        return evaluation.default_scoring(self.train.task)

    @cached_property
    def fitted(self) -> Any:
        """LightGBM of each fold, to be explained on the rows that it has not seen."""
        boosting = models.baselines(self.train, self.config)["LightGBM"]
        return explanation.fit_folds(boosting, self.train, self.scores.folds)

    @cached_property
    def shap(self) -> Any:
        """Contributions of up to 2,000 rows."""
        return explanation.explain_out_of_fold(self.fitted, max_rows=2_000)

    @cached_property
    def shuffled(self) -> Any:
        """What shuffling costs, by column and by cluster."""
        clusters = explanation.cluster_columns(self.train.X)
        scoring = evaluation.default_scoring(self.train.task)
        return explanation.permute_out_of_fold(self.fitted, clusters, scoring=scoring, n_repeats=2)

    @cached_property
    def networks(self) -> Any:
        """Two networks on three folds, and from five seeds on the first of them."""
        known = neural.networks(self.train, self.config)
        chosen = {name: known[name] for name in ("MLP", "TabM + embeddings")}
        cv = resampling.make_cv(self.train, n_splits=3, random_state=0)
        folds = resampling.make_folds(self.train, cv)
        seeds = dict.fromkeys(chosen, range(5))
        scores = evaluation.cross_validate(chosen, self.train, folds)
        return neural.train_from_seeds(chosen, self.train, folds, seeds=seeds), scores

    @cached_property
    def rule(self) -> Any:
        """Gains, a rule learned on four folds, and the rows of the fifth; all out of fold."""
        folds, parts = self.scores.folds, self.scores.parts["linear"]
        everything = business.gather_out_of_fold(self.train, folds, parts)
        is_last = np.arange(len(everything)) >= len(everything) - len(folds.parts[-1][1])
        learned, cases = everything.take(~is_last), everything.take(is_last)
        gains, bootstrap = business.read_gains(self.train), business.Bootstrap()
        rule = business.learn_rule(gains, learned, bootstrap=bootstrap)
        return gains, rule, learned, cases, bootstrap

    @cached_property
    def priced(self) -> Any:
        """Policies on the fifth fold, and those that need no model."""
        gains, rule, _, cases, bootstrap = self.rule
        policies = business.list_policies(rule, cases, self.train)
        how = {"reference": policies.reference, "bootstrap": bootstrap}
        return business.price_policies(policies.actions, gains, cases, **how), policies.simple

    @property
    def money(self) -> dict[str, Any]:
        """What figures of money say about it."""
        return {"currency": self.rule[0].currency, "mark": self.rule[0].mark}


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


def _plot_gains(t: Table) -> Any:
    recipes = ["raw + bins", "raw + ratios", "raw + interactions"]
    candidates = models.with_recipes(t.train, t.config, ["raw", *recipes])
    scores = evaluation.cross_validate(candidates, t.train, t.scores.folds)
    pairs = [(name, name.split(" + ")[0]) for name in scores.models if " + " in name]
    gains = evaluation.compare_pairs(scores, pairs)
    gains = gains.assign(recipe=[name.split(" + ")[1] for name, _ in pairs], model=gains["against"])
    return plots.plot_gains(gains, metric=scores.scoring)


def _plot_selection(t: Table) -> Any:
    found = features.select_repeatedly(
        t.train, t.scores.folds, families=["bins", "ratios"], n_kept=10, n_draws=1
    )
    lineage = features.tabulate_lineage(found, t.train)
    return plots.plot_selection(lineage, features.tabulate_stability(found), max_features=15)


def _plot_kept(t: Table) -> Any:
    recipes = [f"raw | {method} {n}" for method in features.SELECTIONS for n in (3, 6, 10)]
    candidates = models.with_recipes(t.train, t.config, [], linear_only=["raw", *recipes])
    scores = evaluation.cross_validate(candidates, t.train, t.scores.folds)
    means = evaluation.tabulate_metrics(scores).set_index("model")[scores.scoring]
    kept = features.tabulate_kept({r: means[models.name_with_recipe("linear", r)] for r in recipes})
    raw = means["linear"].value
    return plots.plot_kept(kept, metric=scores.scoring, raw=raw, model="linear")


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


def _plot_training_curves(t: Table) -> Any:
    runs, _ = t.networks
    return plots.plot_training_curves(runs.history, loss=neural.loss_label(t.train.task))


def _plot_seed_spread(t: Table) -> Any:
    runs, scores = t.networks
    folds = scores.frame[scores.frame["metric"] == runs.scoring]
    return plots.plot_seed_spread(runs.scores, folds, metric=runs.scoring)


def _plot_learning_curve(t: Table) -> Any:
    curve, laws = t.learning
    return plots.plot_learning_curve(curve, laws, metric=t.metric)


def _plot_factor_effects(t: Table) -> Any:
    cells, fraction = t.factorial
    return plots.plot_factor_effects(design.compute_effects(cells, fraction), metric=t.metric)


def _plot_noise(t: Table) -> Any:
    return plots.plot_noise(t.by_seed, metric=t.metric)


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
    return plots.plot_lost_columns(table, scoring=t.metric)


def _plot_disturbances(t: Table) -> Any:
    fitted, test, _ = t.halves
    table = performance.disturb(fitted, test, scoring=t.metric, random_state=0)
    return plots.plot_disturbances(table, scoring=t.metric)


def _plot_policies(t: Table) -> Any:
    priced, simple = t.priced
    return plots.plot_policies(business.compare_policies(priced, simple), **t.money)


def _plot_profit_curve(t: Table) -> Any:
    gains, rule, learned, cases, bootstrap = t.rule
    found = business.trace_rule(rule, gains, learned, cases, bootstrap=bootstrap)
    lines: dict[str, Any] = {
        "chosen": found.used,
        "break_even": found.break_even,
        "learned": found.learned,
    }
    return plots.plot_profit_curve(found.table, **lines, **t.money)


def _plot_capacity(t: Table) -> Any:
    gains, rule, _, cases, bootstrap = t.rule
    found = business.price_capacity(rule.choice, gains, cases, 0.02, bootstrap=bootstrap)
    return plots.plot_capacity(found.curve, best=found.best, capacity=0.02, **t.money)


def _plot_tornado(t: Table) -> Any:
    priced, against = t.priced[0], t.rule[1].against
    lead = priced.compare("model", against).difference.value
    tornado = business.compute_tornado(priced, against)
    look: dict[str, Any] = {"lead": lead, "against": business.phrase(against), "uncertainty": 0.25}
    return plots.plot_tornado(tornado, **look, **t.money)


def _plot_scenarios(t: Table) -> Any:
    priced, against = t.priced[0], t.rule[1].against
    found = business.simulate_gains(priced, against, random_state=0)
    look: dict[str, Any] = {"lead": found.range_of_both.value, "against": business.phrase(against)}
    return plots.plot_scenarios(found.by_gains, found.by_both, **look, **t.money)


def _plot_decision_curve(t: Table) -> Any:
    *_, cases, bootstrap = t.rule
    curve = business.compute_decision_curve(cases, bootstrap=bootstrap)
    return plots.plot_decision_curve(curve, useful=business.find_useful_range(curve))


RECIPES: dict[Callable[[Table], Any], str] = {
    _quick_eda_plots: "What goes together, how is the target balanced, what is missing?",
    _plot_model_performance: "How good are predictions (here out of fold), where do they fail?",
    _plot_scores: "Does a model beat the dummy? A dot a fold, and corrected intervals.",
    _plot_gains: "Which features made from the columns help a model?",
    _plot_selection: "Which features are kept, and by whom, on other rows?",
    _plot_kept: "How many features does a linear model need?",
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
    _plot_training_curves: "Does a network still learn, or learn its rows by heart?",
    _plot_seed_spread: "How much of a network's score is the luck of a seed?",
    _plot_power: "Which effects are too small for this table to show?",
    _plot_search_history: "How did the best value rise with the trials of a search?",
    _plot_parameter_importance: "Which parameter decides?",
    _plot_slices: "Where do good values of each parameter lie, and were the ranges wide enough?",
    _plot_parallel: "Which parameters do good trials share?",
    _plot_folds: "Which rows train and which are tested, fold by fold?",
    _plot_strategies: "By how much does each resampling strategy miss the truth?",
    _plot_coverage: "Do intervals over folds hold the truth as often as they say?",
    _plot_contributions: "What moves each prediction, and do high values push up or down?",
    _plot_contribution_sizes: "Which columns move predictions most?",
    _plot_dependence: "What does the strongest column contribute at each of its values?",
    _plot_waterfall: "What led to one prediction (here the worst)?",
    _plot_effects: "How does the prediction move with single columns?",
    _plot_importance: "What does the score lose when correlated columns are shuffled together?",
    _plot_shuffles: "What does shuffling each column change?",
    _plot_agreement: "Which columns are important whoever ranks, on every fold and seed?",
    _plot_subgroups: "Is the model as good, honest and strict for each part of the rows?",
    _plot_learning_curve: "Would more rows help, and by how much?",
    _plot_factor_effects: "What makes the score: the model, the rows, the columns, or two of them?",
    _plot_noise: "How much of a score is luck of the seed, how much luck of the fold?",
    _plot_curves: "What is the ranking worth at every threshold, and how sure is that?",
    _plot_confusion: "Which class is taken for which, at a threshold chosen elsewhere?",
    _plot_calibration: "Do probabilities come true, bin by bin and on the whole?",
    _plot_residual_study: "How do predictions of a number miss: on average, by size, in shape?",
    _plot_weak_segments: "For whom is the model worse? Found on some rows, confirmed on others.",
    _plot_promised_coverage: "Do sets or intervals hold the truth as often as they promise?",
    _plot_lost_columns: "What does the score lose when a column is not delivered?",
    _plot_disturbances: "What do gaps and wrong values cost, by kind of column?",
    _plot_arms: "What did a treatment drawn by lot change, and what was published about it?",
    _plot_equivalence: "How probable is it that a model is as good as the best, in practice?",
    _plot_rank_stability: "Which rank could each model have on other rows?",
    _plot_pareto: "Which models give the best score for their price?",
    _plot_critical_difference: "Which models rank better than others over many tables?",
    _plot_policies: "What does acting on a model bring, beside acting without one?",
    _plot_profit_curve: "From which probability on does acting pay? Which quantile costs least?",
    _plot_capacity: "What do the first rows bring when only some can be acted upon?",
    _plot_tornado: "Which gain, if it is other than assumed, would turn the decision?",
    _plot_scenarios: "What if all gains are uncertain at once?",
    _plot_decision_curve: "For which weights of a false alarm is a model of use?",
}
APPLIES: dict[Callable[[Table], Any], Callable[[Table], bool]] = {
    _plot_curves: lambda t: t.train.task != "regression",
    _plot_confusion: lambda t: t.train.task != "regression",
    _plot_calibration: lambda t: t.train.task != "regression",
    _plot_residual_study: lambda t: t.train.task == "regression",
    _plot_arms: lambda t: t.train.trial is not None,
    _plot_critical_difference: lambda t: t.train.task == "binary",
    _plot_profit_curve: lambda t: t.train.task != "multiclass",
    _plot_capacity: lambda t: t.train.task == "binary",
    _plot_decision_curve: lambda t: t.train.task == "binary",
    _plot_time_profile: lambda t: t.train.time is not None,
    _plot_subgroups: lambda t: bool(explanation.choose_subgroups(t.train)),
    _plot_coefficients: lambda t: t.study.fit is not None,  # not where a line separates classes
}
INTRODUCTION = """\
# Gallery of figures

One function draws one figure. Functions take tables that `lib.statistics`, `lib.evaluation` and
the like have computed; none of them fits a model. Each returns matplotlib's figure or axes, with
title, labels and units. Call `plots.setup_plotting()` once before.

The three columns are a binary, a multiclass and a regression table: `rand_hie` (the default),
`wine` and `diabetes`, training rows only. Click on a picture to see it in full size. The code is
what drew it: `t.train` is `load_data(...).train`, `t.X` its features under their own names,
`t.frame` features and target together, `t.scores` what `evaluation.cross_validate` returned,
`t.study` what `statistics.study_regression` did, `t.search` what `tuning.search` did.
`t.study` what `statistics.study_regression` did, `t.fitted` what `explanation.fit_folds`
returned, `t.shap` and `t.shuffled` its contributions and permutation importances.
`t.study` what `statistics.study_regression` did, `t.networks` what `neural.train_from_seeds` and
`evaluation.cross_validate` did.
`t.study` what `statistics.study_regression` did, `t.search` what `tuning.search` did,
`t.learning`, `t.factorial` and `t.by_seed` what functions of `lib.design` did, `t.rule` and
`t.priced` what functions of `lib.business` did with out-of-fold predictions, `t.money` the currency
and the mark of made-up gains.

This page and its pictures are made by `python -m lib.workbench.gallery`; a new public figure gets
a recipe in `lib/workbench/gallery.py`. Interactive: `make_scatter_matrix_page` returns a page of
its own, to brush and zoom; analysis 01 attaches one.
"""


def load_tables() -> list[Table]:
    """Return the three tables.

    Returns
    -------
    list of Table
        Nothing is computed yet.
    """
    configs = [load_config(dataset=name, effort="standard", seed=0) for name in TABLES]
    return [Table(load_data(config.dataset, config=config), config) for config in configs]


def draw(recipe: Callable[[Table], Any], table: Table) -> bytes | None:
    """Return one picture of the gallery.

    Parameters
    ----------
    recipe : callable
        One of `RECIPES`.
    table : Table
        What to draw.

    Returns
    -------
    bytes or None
        A PNG of few colours, the same on every run; None where the figure does not apply.
    """
    from PIL import Image  # noqa: PLC0415 - for this page only

    if not APPLIES.get(recipe, lambda _: True)(table):
        return None
    drawn = recipe(table)
    figure = drawn if hasattr(drawn, "savefig") else drawn.get_figure(root=True)
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=DPI, metadata={"Software": None})
    figure.clear()
    picture = Image.open(full).convert("RGB")
    octree, none = Image.Quantize.FASTOCTREE, Image.Dither.NONE
    palette = picture.quantize(COLOURS, method=octree, dither=none)
    palette.save(small, format="png", optimize=True)
    return small.getvalue()


def picture_path(recipe: Callable[[Table], Any], name: str) -> Path:
    """Return where a picture goes in the project: `docs/images/gallery/plot_types_wine.png`."""
    return PICTURES / f"{recipe.__name__.lstrip('_')}_{name}.png"


def write_section(recipe: Callable[[Table], Any], names: list[str]) -> str:
    """Return a figure's part of the page.

    Parameters
    ----------
    recipe : callable
        One of `RECIPES`.
    names : list of str
        The tables that it was drawn of.

    Returns
    -------
    str
        Markdown: question, pictures, code.

    Examples
    --------
    >>> print(write_section(_plot_types, ["rand_hie", "wine"]))
    ## `plot_types`
    <BLANKLINE>
    What kinds of columns are there? Not applicable to `diabetes`.
    <BLANKLINE>
    | rand_hie | wine |
    |---|---|
    | ![plot_types of rand_hie](images/gallery/plot_types_rand_hie.png) | ![...](...) |
    <BLANKLINE>
    ```python
    plots.plot_types(statistics.compute_types(t.X))
    ```
    <BLANKLINE>
    """
    name = recipe.__name__.lstrip("_")
    lines = inspect.getsource(recipe).splitlines()[1:]
    code = textwrap.dedent("\n".join(lines)).replace("return ", "")
    paths = [picture_path(recipe, table).relative_to(PAGE.parent) for table in names]
    pictures = [f"![{name} of {at}]({path})" for at, path in zip(names, paths, strict=True)]
    table = [f"| {' | '.join(names)} |", "|" + "---|" * len(names), f"| {' | '.join(pictures)} |"]
    absent = [f"`{at}`" for at in TABLES if at not in names]
    note = f" Not applicable to {' and '.join(absent)}." if absent else ""
    parts = [f"## `{name}`", RECIPES[recipe] + note, "\n".join(table), f"```python\n{code}\n```\n"]
    return "\n\n".join(parts)


def make_gallery(root: Path) -> list[Path]:
    """Draw every figure and write the page.

    Parameters
    ----------
    root : Path
        The project's folder, or another to compare with it.

    Returns
    -------
    list of Path
        What was written, the page last.
    """
    (root / PICTURES).mkdir(parents=True, exist_ok=True)
    plots.setup_plotting()
    tables, sections, written = load_tables(), [INTRODUCTION], []
    for recipe in RECIPES:
        shown = []
        for table in tables:
            picture = draw(recipe, table)
            if picture is not None:
                shown.append(table.dataset.name)
                written.append(root / picture_path(recipe, shown[-1]))
                written[-1].write_bytes(picture)
        sections.append(write_section(recipe, shown))
    (root / PAGE).write_text("\n".join(sections), encoding="utf-8")
    return [*written, root / PAGE]


if __name__ == "__main__":
    for path in make_gallery(project_root()):
        sys.stdout.write(f"{path.relative_to(project_root())}\n")
