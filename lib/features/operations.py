"""What is done to columns to make a feature: plain functions of a table, by name.

A fitted family keeps names and numbers only, so that a model can be saved without pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.features.screening import Floats, code_by_edges

OTHER = "other"
LARGEST = float(np.finfo(np.float32).max)  # that every model can take


def weekday(X: pd.DataFrame, date: str) -> pd.Categorical:
    """Return the day of the week, from 0 on Monday."""
    return pd.Categorical(X[date].dt.day_of_week, categories=range(7))


def circle(X: pd.DataFrame, date: str, period: float, wave: str) -> Floats:
    """Return the sine or cosine of a moment within a period of days: its ends meet."""
    angle = 2 * np.pi * _days(X[date]) / period
    made: Floats = np.sin(angle) if wave == "sine" else np.cos(angle)
    return made


def days_between(X: pd.DataFrame, first: str, second: str) -> Floats:
    """Return the days from one moment to another."""
    return _days(X[second]) - _days(X[first])


def is_missing(X: pd.DataFrame, column: str) -> Floats:
    """Return 1 where a value is missing, else 0."""
    return np.asarray(X[column].isna(), dtype=float)


def count_missing(X: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Return how many of these columns have no value in a row."""
    return np.asarray(X[list(columns)].isna().sum(axis=1), dtype=float)


def count_pattern(X: pd.DataFrame, column: str, pattern: str) -> Floats:
    """Return how often a pattern occurs in a text; a gap is an empty text."""
    return np.asarray(X[column].astype("str").fillna("").str.count(pattern), dtype=float)


def bins(X: pd.DataFrame, column: str, edges: Sequence[float]) -> pd.Categorical:
    """Return ordered bins of a number; a gap stays a gap."""
    codes = code_by_edges(X[column].to_numpy(dtype=float), np.asarray(edges))
    codes[codes > len(edges)] = -1
    return pd.Categorical.from_codes(codes, categories=range(len(edges) + 1), ordered=True)


def ratio(X: pd.DataFrame, first: str, second: str) -> Floats:
    """Return one number over another, missing where that is zero."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _finite(_numbers(X, first) / _numbers(X, second))


def difference(X: pd.DataFrame, first: str, second: str) -> Floats:
    """Return one number minus another."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _finite(_numbers(X, first) - _numbers(X, second))


def product(
    X: pd.DataFrame, first: str, second: str, middle_first: float, middle_second: float
) -> Floats:
    """Return the product of two numbers, each counted from its middle."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _finite((_numbers(X, first) - middle_first) * (_numbers(X, second) - middle_second))


def combination(
    X: pd.DataFrame,
    first: str,
    second: str,
    edges: Sequence[Sequence[float] | None],
    levels: Sequence[str],
) -> pd.Categorical:
    """Return pairs of levels as one category; numbers are cut at edges, rare pairs are pooled."""
    pairs = name_pairs(X, first, second, edges)
    return pd.Categorical(pairs.where(pairs.isin(list(levels)), OTHER), [*levels, OTHER])


def name_pairs(
    X: pd.DataFrame, first: str, second: str, edges: Sequence[Sequence[float] | None]
) -> pd.Series:
    """Return a text for each pair of levels."""
    parts = []
    for column, cuts in zip((first, second), edges, strict=True):
        values = X[column]
        if cuts is not None:
            codes = code_by_edges(values.to_numpy(dtype=float), np.asarray(cuts))
            values = pd.Series(codes, index=X.index)
        parts.append(values.astype("str").fillna("–"))
    return parts[0] + " / " + parts[1]


OPERATIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        weekday,
        circle,
        days_between,
        is_missing,
        count_missing,
        count_pattern,
        bins,
        ratio,
        difference,
        product,
        combination,
    )
}


def _numbers(X: pd.DataFrame, column: str) -> Floats:
    return np.asarray(X[column], dtype=float)


def _finite(values: Floats) -> Floats:
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def _days(column: pd.Series) -> Floats:
    """Return days since 1970, NaN for gaps."""
    since = (column - pd.Timestamp(0)) / pd.Timedelta(days=1)
    return np.asarray(since, dtype=float)
