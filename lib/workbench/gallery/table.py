"""The tables that figures are drawn of, and what is computed from each once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib import (
    business,
    comparison,
    design,
    ensembles,
    evaluation,
    explanation,
    models,
    neural,
    performance,
    resampling,
    statistics,
    tuning,
)
from lib.config import Config, load_config
from lib.data import Dataset, load_data

TABLES = ("rand_hie", "wine", "diabetes")  # binary, multiclass, regression


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
    def nested(self) -> Any:
        """A search inside every fold, for the parameters of a linear model."""
        few, folds = self.few_folds
        with tempfile.TemporaryDirectory() as folder:
            config = Config(root=Path(folder))
            linear = tuning.make_tunable("linear", few, config)
            return tuning.nest(linear, few, folds, config, n_trials=6, scoring=self.metric)

    @cached_property
    def ensemble(self) -> Any:
        """Three members on three folds, and what averaging them gives."""
        few, folds = self.few_folds
        known = models.baselines(few, self.config)
        chosen = {name: known[name] for name in ("linear", "random forest", "LightGBM")}
        alone = evaluation.cross_validate(chosen, few, folds, scoring=self.metric)
        members = ensembles.gather_members(alone.parts, few, folds)
        combined, weights = ensembles.combine(members, ["weighted"], scoring=self.metric)
        parts = {**alone.parts, **combined}
        scores = evaluation.score_predictions(parts, few, folds, scoring=self.metric)
        return members, weights, scores

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

    @property
    def metric_name(self) -> str:
        """That metric in words."""
        return evaluation.scorers(self.train.task)[self.metric].label

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
        everything = business.gather_fold_cases(parts, self.train, folds)
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


Recipe = Callable[[Table], Any]  # draws one figure of a table
Recipes = dict[Recipe, str]  # with the question that the figure answers
Conditions = dict[Recipe, Callable[[Table], bool]]  # what a table must have, where not all do


def load_tables() -> list[Table]:
    """Return the three tables.

    Returns
    -------
    list of Table
        Nothing is computed yet.
    """
    configs = [load_config(dataset=name, effort="standard", seed=0) for name in TABLES]
    return [Table(load_data(config.dataset, config=config), config) for config in configs]
