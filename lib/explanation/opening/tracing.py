"""The steps before a model, and the column that each prepared column came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from lib.explanation.opening.opened import Ints

# Steps that treat each column on its own, so that exchanging one leaves the others as they are.
COLUMN_BY_COLUMN = frozenset(
    {
        "MaxAbsScaler",
        "MinMaxScaler",
        "RobustScaler",
        "SimpleImputer",
        "SquashingScaler",
        "StandardScaler",
        "TableVectorizer",
    }
)
INDICATOR = "missingindicator_"


@dataclass(frozen=True)
class Traced:
    """Fitted steps in a row, and the owner of each column that comes out."""

    steps: tuple[Any, ...]
    owners: Ints

    def transform(self, X: pd.DataFrame) -> Any:
        """Return the table as the model takes it."""
        table: Any = X
        if self.steps and not takes_names(self.steps[0], X):
            table = X.to_numpy()
        for step in self.steps:
            table = step.transform(table)
        return table


def flatten(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps before the model, pipelines inside pipelines included, and the model."""
    if not isinstance(estimator, Pipeline):
        return [], estimator
    steps = []
    for _, step in estimator.steps[:-1]:
        if step is None or step == "passthrough":
            continue
        before, last = flatten(step)
        steps += [*before, last]
    before, final = flatten(estimator.steps[-1][1])
    return [*steps, *before], final


def trace(steps: Sequence[Any], X: pd.DataFrame) -> Traced | None:
    """Return the steps with owners, or None where a step may mix columns."""
    names = [str(name) for name in X.columns]
    if len(set(names)) < len(names):
        return None if steps else Traced((), np.arange(len(names)))
    owner = {name: i for i, name in enumerate(names)}
    table: Any = X.iloc[:2]
    if steps and not takes_names(steps[0], X):
        table = table.to_numpy()
    for step in steps:
        if not _is_column_by_column(step):
            return None
        table = step.transform(table)
        came_from = getattr(step, "output_to_input_", {})
        if not hasattr(table, "columns"):
            if table.shape[1] != len(names):
                return None
            continue
        names = [str(name) for name in table.columns]
        next_owner = {}
        for name in names:
            source = str(came_from.get(name, name))
            source = source if source in owner else source.removeprefix(INDICATOR)
            if source not in owner:
                return None
            next_owner[name] = owner[source]
        owner = next_owner
    return Traced(tuple(steps), np.array([owner[name] for name in names], dtype=np.intp))


def takes_names(estimator: Any, X: pd.DataFrame) -> bool:
    """Return whether an estimator wants a frame: one fitted on an array complains about names."""
    is_table = any(not pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes)
    return is_table or hasattr(estimator, "feature_names_in_")


def _is_column_by_column(step: Any) -> bool:
    kind = type(step).__name__
    if kind == "FunctionTransformer":
        return getattr(step, "feature_names_out", None) == "one-to-one"
    if kind == "ColumnTransformer":  # that of `features.make_category_codes`
        inner = [name for _, step, _ in step.transformers_ if (name := type(step).__name__)]
        return set(inner) <= {"OrdinalEncoder", "FunctionTransformer", "str"}
    return kind in COLUMN_BY_COLUMN
