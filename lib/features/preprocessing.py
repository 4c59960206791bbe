"""Preprocessing learned inside the fold: from a mixed table to what a model can take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from lib.data import Dataset
from lib.errors import InputError, suggest
from lib.features.recipes import Recipe, describe_families, parse_recipe
from lib.features.steps import AddFeatures, Finish, KeepBest, Prepare, RankFeatures

Kind = Literal["linear", "tree"]
MAX_LEVELS = 40  # a category with more is encoded by its letters
TEXT_COMPONENTS = 30
DATE_PARTS = 30  # about: year, total seconds, splines of month, day and hour
MAX_SCALED = 5.0  # scaled values end softly here, so that one outlier cannot steer a model
MAX_ADDED = 30  # columns that a family adds for a linear model, about


def make_preprocessor(
    dataset: Dataset, *, kind: Kind, recipe: str | None = None, random_state: int = 0
) -> Any:
    """Return an unfitted transformer for the columns of a dataset.

    skrub's `TableVectorizer` sends each column where it belongs by its type: few categories are
    kept or one-hot encoded, many (over 40) and free text become 30 numbers by their letters,
    dates become their parts.

    Parameters
    ----------
    dataset : Dataset
        Only its columns are looked at; nothing is learned here.
    kind : {"linear", "tree"}
        "linear" gives complete numbers of like size: categories one-hot, gaps filled by the median
        and marked, outliers squashed. "tree" keeps gaps and pandas categories for LightGBM and
        histogram boosting.
    recipe : str, optional
        What is added and kept beyond that, such as "raw + ratios | L1 20": see `parse_recipe`.
        None, as "raw", adds nothing.
    random_state : int
        Seed of encoders, draws and shuffles.

    Returns
    -------
    scikit-learn transformer
        Fit it on training rows only, as a step of a pipeline. To go on with those very rows use
        `fit_transform`, as pipelines do: a target encoding then gives each row the mean of other
        rows, which `fit` followed by `transform` cannot.

    Raises
    ------
    InputError
        When there is no column, or `kind` or something in `recipe` is unknown.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(200, n_categories=3, missing=0.1)
    >>> table = make_preprocessor(dataset, kind="linear").fit_transform(dataset.X, dataset.y)
    >>> len(table), bool(table.isna().any(axis=None))
    (200, False)
    """
    _check_kind(kind)
    parsed = parse_recipe(recipe)
    if parsed.is_raw:
        return _make_plain(dataset, kind, random_state)
    return Pipeline(make_steps(dataset, [parsed], kinds=[kind], random_state=random_state)[0])


def make_steps(
    dataset: Dataset,
    recipes: Iterable[str | Recipe],
    *,
    kinds: Iterable[Kind],
    random_state: int = 0,
) -> list[list[tuple[str, Any]]]:
    """Return the steps of several recipes, which share the objects of what they have in common.

    Parameters
    ----------
    dataset : Dataset
        Its columns, task and groups are looked at; nothing is learned here.
    recipes : iterable of str
        See `parse_recipe`.
    kinds : iterable of {"linear", "tree"}
        Of model.
    random_state : int
        Seed of encoders, draws and shuffles.

    Returns
    -------
    list of list of (str, scikit-learn transformer)
        For each recipe the steps of each kind, in this order. `evaluation.cross_validate` fits a
        shared step once a fold.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> steps = make_steps(make_planted(100), ["raw", "raw + ratios"], kinds=["tree"])
    >>> [[name for name, _ in made] for made in steps]
    [['prepare', 'add', 'finish'], ['prepare', 'add', 'finish']]
    >>> steps[0][0][1] is steps[1][0][1], steps[0][1][1] is steps[1][1][1]
    (True, False)
    """
    table = describe_families(dataset)
    usable = set(table.loc[table["applies"], "family"])
    chosen = list(kinds)
    plain: dict[Kind, Any] = {
        "linear": _make_plain(dataset, "linear", random_state),
        "tree": _make_plain(dataset, "tree", random_state),
    }
    prepare = Prepare(**plain)
    made: dict[tuple[Any, ...], Any] = {}
    steps = []
    for given in recipes:
        recipe = given if isinstance(given, Recipe) else parse_recipe(given)
        families = tuple(family for family in recipe.families if family in usable)
        add = made.setdefault(
            families, AddFeatures(families, dataset.task, dataset.groups, random_state)
        )
        before = [("prepare", prepare), ("add", add)]
        if recipe.selection:
            ranking = RankFeatures(recipe.selection, dataset.task, random_state)
            rank = made.setdefault((families, recipe.selection), ranking)
            keep = made.setdefault(("keep", recipe.n_kept), KeepBest(recipe.n_kept))
            before += [("rank", rank), ("keep", keep)]
        steps += [
            [*before, ("finish", made.setdefault(("finish", kind), Finish(kind)))]
            for kind in chosen
        ]
    return steps


def _check_kind(kind: str) -> None:
    if kind not in {"linear", "tree"}:
        msg = f"kind must be 'linear' or 'tree'; got '{kind}'.{suggest(kind, ['linear', 'tree'])}"
        raise InputError(msg)


def _make_plain(dataset: Dataset, kind: Kind, random_state: int) -> Any:
    """Return the preprocessing that adds nothing."""
    from skrub import (  # noqa: PLC0415 - skrub takes seconds to import
        DatetimeEncoder,
        StringEncoder,
        ToCategorical,
    )

    from lib.features.vectorizer import (  # noqa: PLC0415 - imports skrub
        SquashingScaler,
        TableVectorizer,
    )

    if dataset.X.shape[1] == 0:
        msg = f"'{dataset.name}' has no feature left: a model needs at least one column."
        raise InputError(msg)
    text = StringEncoder(TEXT_COMPONENTS, random_state=random_state)
    if kind == "tree":
        return TableVectorizer(
            cardinality_threshold=MAX_LEVELS, low_cardinality=ToCategorical(), high_cardinality=text
        )
    # A level not seen in training is all zeros; dropping one of two would make it the other.
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype="float32")
    dates = DatetimeEncoder(periodic_encoding="spline")
    return make_pipeline(
        TableVectorizer(
            cardinality_threshold=MAX_LEVELS,
            low_cardinality=one_hot,
            high_cardinality=text,
            datetime=dates,
        ),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        SquashingScaler(max_absolute_value=MAX_SCALED),
        FunctionTransformer(_to_double, feature_names_out="one-to-one"),
    ).set_output(transform="pandas")


def count_encoded(dataset: Dataset, *, recipe: str | Recipe | None = None) -> int:
    """Return about how many columns the "linear" preprocessor makes of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Its columns and their levels are counted.
    recipe : str, optional
        Each family that it adds counts as about as many columns as one adds.

    Returns
    -------
    int
        Numbers and their gaps, levels of categories, parts of dates, components of text.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> count_encoded(make_planted(200, n_informative=2, n_noise=1, n_categories=4))
    7
    """
    X = dataset.X
    levels = [int(X[column].nunique()) for column in X.select_dtypes(["category", "string"])]
    encoded = sum(n if n <= MAX_LEVELS else TEXT_COMPONENTS for n in levels)
    numbers = X.select_dtypes("number")
    n_dates, n_gaps = len(dataset.datetimes), int(numbers.isna().any().sum())
    families = (recipe if isinstance(recipe, Recipe) else parse_recipe(recipe)).families
    usable = describe_families(dataset).set_index("family")["applies"]
    added = MAX_ADDED * sum(bool(usable[family]) for family in families)
    return encoded + DATE_PARTS * n_dates + len(numbers.columns) + n_gaps + added


def make_category_codes() -> Any:
    """Return an unfitted transformer from pandas categories to numbers, for trees that need them.

    Returns
    -------
    scikit-learn transformer
        Other columns pass; gaps and categories not seen in training become NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"colour": pd.Categorical(["red", "blue", None]), "size": [1, 2, 3]})
    >>> make_category_codes().fit_transform(table)["colour"].tolist()
    [1.0, 0.0, nan]
    """
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    return make_column_transformer(
        (codes, make_column_selector(dtype_include="category")),
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")


def _to_double(table: Any) -> Any:
    """Return the table in double precision: in single, a linear model stops at the fourth digit."""
    return table.astype("float64")
