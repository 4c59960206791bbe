"""The linear model and boosting after recipes of features: made, compared, chosen between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from lib.config import Config
from lib.data import Dataset
from lib.evaluation import BETTER, EQUAL, Scores, compare_pairs
from lib.features import Recipe, make_steps, parse_recipe
from lib.features.preprocessing import Kind
from lib.models.baselines import baselines, choose_solver

RECIPE_MODELS: dict[str, Kind] = {"linear": "linear", "LightGBM": "tree"}


def with_recipes(
    dataset: Dataset, config: Config, recipes: Sequence[str], *, linear_only: Sequence[str] = ()
) -> dict[str, Pipeline]:
    """Return the linear model and LightGBM of `baselines` after each of several recipes.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    config : Config
        Its seed and budget.
    recipes : sequence of str
        See `features.parse_recipe`; "raw" gives the baselines themselves.
    linear_only : sequence of str
        Further recipes, for the linear model alone.

    Returns
    -------
    dict of str to Pipeline
        "linear", "LightGBM", "linear + ratios", "LightGBM + ratios" …: the recipe's text with the
        model in place of "raw". Steps in common are one object, which
        `evaluation.cross_validate` fits once a fold.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> list(with_recipes(make_planted(200), load_config(), ["raw", "raw + bins"]))
    ['linear', 'LightGBM', 'linear + bins', 'LightGBM + bins']
    """
    known = baselines(dataset, config)
    parsed = [parse_recipe(recipe) for recipe in (*recipes, *linear_only)]
    kinds = list(RECIPE_MODELS.values())
    steps = iter(make_steps(dataset, parsed, kinds=kinds, random_state=config.seed))
    made = {}
    for number, recipe in enumerate(parsed):
        for name in RECIPE_MODELS:
            before, model = next(steps), known[name].steps[-1][1]
            if name != "linear" and number >= len(recipes):
                continue
            if isinstance(model, LogisticRegression):
                model = clone(model).set_params(solver=choose_solver(dataset, recipe))
            made[name_with_recipe(name, recipe)] = Pipeline([*before, ("model", model)])
    return made


def name_with_recipe(model: str, recipe: str | Recipe) -> str:
    """Return how a model is called after a recipe.

    Examples
    --------
    >>> name_with_recipe("linear", "raw + gaps | L1 5"), name_with_recipe("linear", "raw")
    ('linear + gaps | L1 5', 'linear')
    """
    text = str(recipe if isinstance(recipe, Recipe) else parse_recipe(recipe))
    return model + text.removeprefix("raw")


def compare_recipes(scores: Scores, recipes: Sequence[str], *, level: float = 0.95) -> pd.DataFrame:
    """Return the gain of each recipe over the raw columns, all tests as one family.

    Parameters
    ----------
    scores : Scores
        Of `with_recipes`, with the recipe "raw" among them.
    recipes : sequence of str
        Those to compare with it.
    level : float
        Coverage of each interval; one minus it is the level of the family.

    Returns
    -------
    DataFrame
        recipe, model, then the columns of `evaluation.compare_pairs`, and mean (score of the
        recipe over the folds): one row a recipe and model.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.evaluation import cross_validate
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(200, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    >>> candidates = with_recipes(dataset, load_config(), ["raw", "raw + bins"])
    >>> scores = cross_validate(candidates, dataset, folds)
    >>> compare_recipes(scores, ["raw + bins"])[["model", "verdict"]].values.tolist()
    [['linear', 'not distinguishable'], ['LightGBM', 'not distinguishable']]
    """
    planned = [(recipe, model) for recipe in recipes for model in RECIPE_MODELS]
    names = [name_with_recipe(model, recipe) for recipe, model in planned]
    table = compare_pairs(
        scores,
        [(name, model) for name, (_, model) in zip(names, planned, strict=True)],
        level=level,
    ).drop(columns="model")
    table.insert(0, "recipe", [recipe for recipe, _ in planned])
    table.insert(1, "model", [model for _, model in planned])
    return table.assign(mean=scores.by_fold().mean().reindex(names).to_numpy())


def join_better(gains: pd.DataFrame, singles: Sequence[str]) -> dict[str, str]:
    """Return for each model the recipe of all families that are better alone, where several are.

    Parameters
    ----------
    gains : DataFrame
        From `compare_recipes`.
    singles : sequence of str
        Recipes of one family.

    Returns
    -------
    dict of str to str
        Model to recipe.

    Examples
    --------
    >>> gains = pd.DataFrame({"recipe": ["raw + bins", "raw + gaps"], "model": "linear"})
    >>> join_better(gains.assign(verdict="better"), ["raw + bins", "raw + gaps"])
    {'linear': 'raw + gaps + bins'}
    """
    alone = gains[(gains["verdict"] == BETTER) & gains["recipe"].isin(singles)]
    families = {model: list(own) for model, own in alone.groupby("model", sort=False)["recipe"]}
    return {
        model: str(parse_recipe("+".join(recipe.removeprefix("raw + ") for recipe in own)))
        for model, own in families.items()
        if len(own) > 1
    }


def choose_recipes(
    gains: pd.DataFrame, means: Mapping[str, float], joined: Mapping[str, str]
) -> pd.DataFrame:
    """Return the recipe of each model: of those that are better, the highest mean; else raw.

    Parameters
    ----------
    gains : DataFrame
        From `compare_recipes`.
    means : mapping of str to float
        Mean score by name of a candidate, as `name_with_recipe` writes it.
    joined : mapping of str to str
        From `join_better`: recipes that compete as well.

    Returns
    -------
    DataFrame
        model, recipe, mean, runner_up: the recipe to keep an eye on where none is better, which
        is the highest mean among those that change anything ("" where none does); the model of
        the highest mean comes first.

    Examples
    --------
    >>> gains = pd.DataFrame(
    ...     {
    ...         "recipe": ["raw + bins", "raw + bins"],
    ...         "model": ["linear", "LightGBM"],
    ...         "verdict": ["better", "not distinguishable"],
    ...         "mean": [0.8, 0.6],
    ...     }
    ... )
    >>> means = {"linear": 0.7, "linear + bins": 0.8, "LightGBM": 0.7, "LightGBM + bins": 0.6}
    >>> choose_recipes(gains, means, {})["recipe"].tolist()
    ['raw + bins', 'raw']
    """
    rows = []
    for model in RECIPE_MODELS:
        own = gains[gains["model"] == model]
        options = own.loc[own["verdict"] == BETTER, "recipe"].tolist()
        options += [joined[model]] if model in joined else []
        scored = {
            r: means.get(name_with_recipe(model, r), float("nan")) for r in options or ["raw"]
        }
        best = max(scored, key=lambda recipe: scored[recipe])
        changing = own[(own["verdict"] != EQUAL) & own["mean"].notna()]
        ranked = changing.sort_values("mean", ascending=False, kind="stable")["recipe"].tolist()
        rows.append((model, best, scored[best], ranked[0] if ranked else ""))
    table = pd.DataFrame(rows, columns=["model", "recipe", "mean", "runner_up"])
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
