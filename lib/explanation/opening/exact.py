"""Models whose contributions are computed: boosting, straight lines, scikit-learn's trees."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.explanation.coding import Floats
from lib.explanation.opening.opened import (
    LOG_ODDS,
    PROBABILITY,
    TARGET,
    Ints,
    OpenModel,
    Shapley,
    gather,
    sum_by,
)
from lib.explanation.opening.outcome import Outcome
from lib.explanation.opening.tracing import Traced

EXACT_TREES = ("DecisionTree", "ExtraTree", "RandomForest", "GradientBoosting", "HistGradient")
MAX_CHECKED = 40
TOLERANCE = 1e-6


def open_boosting(final: Any, X: pd.DataFrame, traced: Traced, outcome: Outcome) -> OpenModel:
    """Open LightGBM, which computes contributions itself."""
    booster = final.booster_
    categories = list(booster.pandas_categorical or [])
    n_columns, n_known = X.shape[1], len(outcome.known)

    def prepare(table: pd.DataFrame) -> Floats:
        return _as_numbers(traced.transform(table), categories)

    def raw(matrix: Floats) -> Floats:
        score: Floats = booster.predict(matrix, raw_score=True, num_threads=1)
        if score.ndim == 2:
            return outcome.spread(score)
        return outcome.both(score) if n_known else score

    def predict(matrix: Floats) -> Floats:
        made: Floats = booster.predict(matrix, num_threads=1)
        if not n_known:
            return made
        proba = made if made.ndim == 2 else np.column_stack([1 - made, made])
        return outcome.spread(proba)

    def shapley(matrix: Floats) -> Shapley:
        flat: Floats = booster.predict(matrix, pred_contrib=True, num_threads=1)
        n_cells = matrix.shape[1] + 1
        if flat.shape[1] == n_cells:
            values, base = flat[:, :-1], flat[:, -1]
            summed = gather(values, traced.owners, n_columns)
            return (outcome.both(summed), outcome.both(base)) if n_known else (summed, base)
        cube = flat.reshape(len(flat), -1, n_cells).transpose(0, 2, 1)  # (n, q + 1, K)
        summed = gather(cube[:, :-1], traced.owners, n_columns)
        return outcome.spread(summed), outcome.spread(cube[:, -1])

    def total(kind: str) -> Floats:
        own = booster.feature_importance(importance_type=kind)
        return sum_by(traced.owners, own, n_columns)

    return OpenModel(
        columns=tuple(map(str, X.columns)),
        outputs=outcome.names,
        owners=traced.owners,
        prepare=prepare,
        raw=raw,
        predict=predict,
        shapley=shapley,
        unit=LOG_ODDS if n_known else TARGET,
        route="exact, LightGBM's own TreeSHAP",
        builtin={"gain": total("gain"), "splits": total("split")},
    )


def _as_numbers(table: Any, categories: Sequence[Sequence[Any]] = ()) -> Floats:
    """Return a prepared table as LightGBM reads it: categories by their code in training."""
    if not hasattr(table, "columns"):
        return np.asarray(table, dtype=float)
    matrix = np.empty(table.shape)
    coded = iter(categories)
    for i, dtype in enumerate(table.dtypes):
        column = table.iloc[:, i]
        if isinstance(dtype, pd.CategoricalDtype):
            codes = pd.Categorical(column, categories=next(coded, list(dtype.categories))).codes
            matrix[:, i] = np.where(codes < 0, np.nan, codes)
        else:
            matrix[:, i] = column.to_numpy(dtype=float, na_value=np.nan)
    return matrix


def is_linear(final: Any, outcome: Outcome) -> bool:
    """Return whether a model is a weighted sum whose outputs are known, probabilities included."""
    if not hasattr(final, "coef_") or not hasattr(final, "intercept_"):
        return False
    is_probable = hasattr(final, "predict_proba") and hasattr(final, "decision_function")
    return is_probable if outcome.n_classes else np.ndim(final.coef_) == 1


def open_linear(
    final: Any, X: pd.DataFrame, traced: Traced, outcome: Outcome, usual: pd.DataFrame
) -> OpenModel:
    """Open a linear model: a contribution is the coefficient times the distance from usual."""
    coefficients = np.atleast_2d(np.asarray(final.coef_, dtype=float))  # (k, q), k = 1 or K
    intercepts = np.atleast_1d(np.asarray(final.intercept_, dtype=float))
    n_columns, n_known = X.shape[1], len(outcome.known)
    names = getattr(final, "feature_names_in_", None)

    def prepare(table: pd.DataFrame) -> Floats:
        return np.asarray(traced.transform(table), dtype=float)

    means = prepare(usual).mean(axis=0)

    def shape(values: Floats) -> Floats:
        if values.shape[-1] == 1:
            return outcome.both(values[..., 0]) if n_known else values[..., 0]
        return outcome.spread(values)

    def raw(matrix: Floats) -> Floats:
        return shape(matrix @ coefficients.T + intercepts)

    def predict(matrix: Floats) -> Floats:
        if not n_known:
            return raw(matrix)
        given = matrix if names is None else pd.DataFrame(matrix, columns=names)
        return outcome.spread(np.asarray(final.predict_proba(given), dtype=float))

    def shapley(matrix: Floats) -> Shapley:
        values = (matrix - means)[:, :, np.newaxis] * coefficients.T  # (n, q, k)
        base = np.broadcast_to(means @ coefficients.T + intercepts, (len(matrix), len(intercepts)))
        return shape(gather(values, traced.owners, n_columns)), shape(base)

    size = np.abs(coefficients).mean(axis=0) * prepare(usual).std(axis=0)
    return OpenModel(
        columns=tuple(map(str, X.columns)),
        outputs=outcome.names,
        owners=traced.owners,
        prepare=prepare,
        raw=raw,
        predict=predict,
        shapley=shapley,
        unit=LOG_ODDS if n_known else TARGET,
        route="exact, from the coefficients",
        builtin={"coefficient": sum_by(traced.owners, size, n_columns)},
    )


def open_trees(final: Any, X: pd.DataFrame, traced: Traced, outcome: Outcome) -> OpenModel | None:
    """Open scikit-learn's trees by TreeExplainer, or return None where it does not add up."""
    with warnings.catch_warnings():  # its colours use what matplotlib will drop
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import TreeExplainer  # noqa: PLC0415 - six seconds to import

    names = getattr(final, "feature_names_in_", None)
    n_columns, n_known = X.shape[1], len(outcome.known)

    def prepare(table: pd.DataFrame) -> Floats:
        return _as_numbers(traced.transform(table))

    def given(matrix: Floats) -> Any:
        return matrix if names is None else pd.DataFrame(matrix, columns=names)

    def predict(matrix: Floats) -> Floats:
        if not n_known:
            return np.asarray(final.predict(given(matrix)), dtype=float)
        return outcome.spread(np.asarray(final.predict_proba(given(matrix)), dtype=float))

    def margins(matrix: Floats) -> Floats:
        if not n_known:
            return predict(matrix)
        if hasattr(final, "decision_function"):
            score = np.asarray(final.decision_function(given(matrix)), dtype=float)
            return outcome.spread(score) if score.ndim == 2 else outcome.both(score)
        made = predict(matrix)
        return made if outcome.names else made[:, 1]

    try:
        explainer = TreeExplainer(final)
    except Exception:  # noqa: BLE001 - any kind of tree that it does not know
        return None

    def shapley(matrix: Floats) -> Shapley:
        values = np.asarray(explainer.shap_values(matrix, check_additivity=False), dtype=float)
        base = np.atleast_1d(np.asarray(explainer.expected_value, dtype=float))
        if values.ndim == 2:  # one margin, or a regression
            summed = gather(values, traced.owners, n_columns)
            bases = np.full(len(matrix), base[-1])
            return (outcome.both(summed), outcome.both(bases)) if n_known else (summed, bases)
        summed = outcome.spread(gather(values, traced.owners, n_columns))
        bases = outcome.spread(np.broadcast_to(base, (len(matrix), len(base))))
        return (summed, bases) if outcome.names else (summed[..., 1], bases[..., 1])

    has_margin = hasattr(final, "decision_function")
    opened = OpenModel(
        columns=tuple(map(str, X.columns)),
        outputs=outcome.names,
        owners=traced.owners,
        prepare=prepare,
        raw=margins,
        predict=predict,
        shapley=shapley,
        unit=(LOG_ODDS if has_margin else PROBABILITY) if n_known else TARGET,
        route="exact, shap's TreeExplainer",
        builtin=_impurity(final, traced.owners, n_columns),
    )
    try:
        matrix = prepare(X.iloc[:MAX_CHECKED])
        values, base = shapley(matrix)
        gap = np.abs(base + values.sum(axis=1) - margins(matrix)).max()
    except Exception:  # noqa: BLE001 - such as categories that it cannot split
        return None
    return opened if gap < TOLERANCE else None


def _impurity(final: Any, owners: Ints, n_columns: int) -> dict[str, Floats]:
    own = getattr(final, "feature_importances_", None)
    if own is None:
        return {}
    return {"impurity": sum_by(owners, np.asarray(own, dtype=float), n_columns)}
