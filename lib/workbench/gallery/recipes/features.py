"""Features made from the columns: what they bring, which are kept."""

from typing import Any

from lib import evaluation, features, models, plots
from lib.workbench.gallery.table import Recipes, Table


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


RECIPES: Recipes = {
    _plot_gains: "Which features made from the columns help a model?",
    _plot_selection: "Which features are kept, and by whom, on other rows?",
    _plot_kept: "How many features does a linear model need?",
}
