"""One call for a first statistical look at any table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lib.data.dataset import Task
from lib.errors import InputError, suggest
from lib.statistics.columns import as_frame, column_kinds, numbers_of
from lib.statistics.comparisons import compare_each_feature
from lib.statistics.correlations import compute_correlations
from lib.statistics.design import compute_collinearity, make_design
from lib.statistics.diagnostics import compute_residual_checks
from lib.statistics.information import compute_mutual_information
from lib.statistics.normality import compute_normality
from lib.statistics.regression import fit_regression

MOST_CLASSES = 10  # a column of numbers with more values is a regression's target


@dataclass(frozen=True)
class StatisticalTests:
    """What `perform_statistical_tests` found, a table each.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
        As it was understood.
    normality : DataFrame
        As `compute_normality` returns it.
    correlations : DataFrame
        As `compute_correlations` returns it.
    tests : DataFrame
        As `compare_each_feature` returns it.
    mutual_information : DataFrame
        As `compute_mutual_information` returns it.
    collinearity : DataFrame
        Variance inflation factors, as `compute_collinearity` returns them.
    residual_checks : DataFrame or None
        Breusch-Pagan, White and normality of the residuals of a straight-line fit; None unless the
        target is a number.
    """

    task: Task
    normality: pd.DataFrame
    correlations: pd.DataFrame
    tests: pd.DataFrame
    mutual_information: pd.DataFrame
    collinearity: pd.DataFrame
    residual_checks: pd.DataFrame | None


def perform_statistical_tests(
    data: Any, target_col: str, *, level: float = 0.95, random_state: int = 0
) -> StatisticalTests:
    """Return normality, correlations, tests and information of every column about a target.

    Parameters
    ----------
    data : DataFrame of pandas or polars
        Any table; rows without a target are left out.
    target_col : str
        The target: up to ten different values are classes, more numbers a regression.
    level : float
        Of the intervals.
    random_state : int
        Seed of the shuffles behind mutual information.

    Returns
    -------
    StatisticalTests

    Raises
    ------
    InputError
        When there is no such column, or its values are neither numbers nor few.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> planted = make_planted(300, task="regression")
    >>> found = perform_statistical_tests(planted.X.assign(y=planted.y), "y")
    >>> found.task, found.mutual_information["feature"].iloc[0]
    ('regression', 'signal_1')
    """
    frame = as_frame(data)
    if target_col not in frame.columns:
        msg = f"Target column '{target_col}' is not in the table. Columns: {list(frame)[:12]}."
        raise InputError(msg + suggest(target_col, frame.columns))
    frame = frame[frame[target_col].notna()].reset_index(drop=True)
    X, column = frame.drop(columns=target_col), frame[target_col]
    n_values = int(column.nunique())
    classes: list[str] = []
    task: Task
    if n_values <= MOST_CLASSES:
        task = "binary" if n_values == 2 else "multiclass"
        codes, values = pd.factorize(column, sort=True)
        y, classes = pd.Series(codes), [str(value) for value in values]
    elif column_kinds(frame[[target_col]])[target_col] == "numeric":
        task, y = "regression", pd.Series(numbers_of(column))
    else:
        msg = f"Expected numbers or at most {MOST_CLASSES} classes in '{target_col}', got"
        raise InputError(f"{msg} {n_values:,} different texts. Choose another target.")
    collinearity, checks = _regress(X, y, task, level)
    return StatisticalTests(
        task=task,
        normality=compute_normality(X, level=level),
        correlations=compute_correlations(X, level=level),
        tests=compare_each_feature(
            X, y, task=task, classes=classes, target=target_col, level=level
        ),
        mutual_information=compute_mutual_information(
            X, y, task=task, n_permutations=200, random_state=random_state
        ),
        collinearity=collinearity,
        residual_checks=checks,
    )


def _regress(
    X: pd.DataFrame, y: pd.Series, task: Task, level: float
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return overlap and residual checks; no rows and None where no column can be regressed on."""
    try:
        design = make_design(X)
        overlap = compute_collinearity(design)
        if task != "regression":
            return overlap, None
        fit = fit_regression(design, y, "OLS")
        return overlap, compute_residual_checks(fit, design, level=level)
    except InputError:  # free text, constants or gaps alone: the tests say which
        return pd.DataFrame(columns=["feature", "terms", "vif", "error_factor"]), None
