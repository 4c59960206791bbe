"""The way in: which model is opened how, and a check that nothing was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import InputError
from lib.explanation.coding import learn_coding
from lib.explanation.opening.exact import (
    EXACT_TREES,
    MAX_CHECKED,
    TOLERANCE,
    is_linear,
    open_boosting,
    open_linear,
    open_trees,
)
from lib.explanation.opening.opened import OpenModel
from lib.explanation.opening.outcome import Outcome
from lib.explanation.opening.sampled import open_any
from lib.explanation.opening.tracing import flatten, takes_names, trace


def open_model(
    estimator: Any,
    X: pd.DataFrame,
    *,
    classes: Sequence[Any] | None,
    class_names: Sequence[str] | None = None,
    background: pd.DataFrame | None = None,
    random_state: int = 0,
) -> OpenModel:
    """Return a fitted model opened.

    LightGBM, linear models and scikit-learn's trees are explained exactly; any other model by
    sampled orders of the columns, against 25 background rows.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator or pipeline
        Fitted on tables with the columns of `X`.
    X : DataFrame of shape (n, p)
        Rows to learn values and types from.
    classes : sequence or None
        All labels by code, of which the model may have seen a part; None for regression.
    class_names : sequence of str, optional
        The classes' own names, where they are not the labels.
    background : DataFrame of shape (m, p), optional
        Rows that say what is usual, `X` by default: linear and sampled contributions are
        differences from it.
    random_state : int
        Seed of the sampled orders.

    Returns
    -------
    OpenModel

    Raises
    ------
    InputError
        When the model gives no probabilities, or its outputs do not repeat.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> X = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})
    >>> opened = open_model(LinearRegression().fit(X, 2 * X["a"]), X, classes=None)
    >>> opened.route
    'exact, from the coefficients'
    >>> opened.shapley(opened.prepare(X))[0].round(6)[:, 0].tolist()
    [-3.0, -1.0, 1.0, 3.0]
    """
    usual = X if background is None else background
    steps, final = flatten(estimator)
    traced = trace(steps, X)
    kind = type(final).__name__
    outcome = Outcome.of(estimator, classes, class_names)
    if traced is not None and hasattr(final, "booster_") and len(outcome.known) != 1:
        opened = open_boosting(final, X, traced, outcome)
    elif traced is not None and is_linear(final, outcome) and len(outcome.known) != 1:
        opened = open_linear(final, X, traced, outcome, usual)
    else:
        coding = learn_coding(X, usual)
        opened = open_any(estimator, X, coding, outcome, usual=usual, random_state=random_state)
        if kind.startswith(EXACT_TREES) and traced is not None and len(outcome.known) != 1:
            opened = open_trees(final, X, traced, outcome) or opened
    _check_opened(estimator, opened, X, outcome)
    return opened


def _check_opened(estimator: Any, opened: OpenModel, X: pd.DataFrame, outcome: Outcome) -> None:
    """Raise unless the opened model predicts what the whole one does."""
    rows = X.iloc[:MAX_CHECKED]
    mine = opened.predict(opened.prepare(rows))
    given: Any = rows if takes_names(estimator, X) else rows.to_numpy()
    if outcome.n_classes:
        whole = outcome.spread(np.asarray(estimator.predict_proba(given), dtype=float))
    else:
        whole = np.asarray(estimator.predict(given), dtype=float).reshape(-1)
    gap = float(np.abs(mine - whole).max(initial=0.0))
    scale = float(np.abs(whole).max(initial=1.0))
    if not gap <= TOLERANCE * max(scale, 1.0):
        msg = (
            f"{type(estimator).__name__} gives other predictions when its columns are prepared "
            f"apart from it (by {gap:.2g}): give the model without that step, or as one estimator."
        )
        raise InputError(msg)
