"""Transformers learned inside the fold: from a mixed table to what a model can take."""

from __future__ import annotations

from typing import Any, Literal

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from lib.data import Dataset
from lib.errors import InputError, suggest

Kind = Literal["linear", "tree"]
MAX_LEVELS = 40  # a category with more is encoded by its letters
TEXT_COMPONENTS = 30
DATE_PARTS = 30  # about: year, total seconds, splines of month, day and hour
MAX_SCALED = 5.0  # scaled values end softly here, so that one outlier cannot steer a model


def make_preprocessor(dataset: Dataset, *, kind: Kind, random_state: int = 0) -> Any:
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
    random_state : int
        Seed of the text encoder.

    Returns
    -------
    scikit-learn transformer
        Fit it on training rows only: as a step of a pipeline.

    Raises
    ------
    InputError
        When there is no column or `kind` is unknown.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(200, n_categories=3, missing=0.1)
    >>> table = make_preprocessor(dataset, kind="linear").fit_transform(dataset.X, dataset.y)
    >>> len(table), bool(table.isna().any(axis=None))
    (200, False)
    """
    from skrub import (  # noqa: PLC0415 - skrub takes seconds to import
        DatetimeEncoder,
        SquashingScaler,
        StringEncoder,
        TableVectorizer,
        ToCategorical,
    )

    if dataset.X.shape[1] == 0:
        msg = f"'{dataset.name}' has no feature left: a model needs at least one column."
        raise InputError(msg)
    text = StringEncoder(TEXT_COMPONENTS, random_state=random_state)
    if kind == "tree":
        return TableVectorizer(
            cardinality_threshold=MAX_LEVELS, low_cardinality=ToCategorical(), high_cardinality=text
        )
    if kind == "linear":
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
    msg = f"kind must be 'linear' or 'tree'; got '{kind}'.{suggest(kind, ['linear', 'tree'])}"
    raise InputError(msg)


def count_encoded(dataset: Dataset) -> int:
    """Return about how many columns the "linear" preprocessor makes of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Its columns and their levels are counted.

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
    return encoded + DATE_PARTS * n_dates + len(numbers.columns) + n_gaps


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
