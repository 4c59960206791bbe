"""Models that can be read whole, and what reading them costs in score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import format_digits
from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModels
from lib.explanation.opening import OpenModel

ADDITIVE, SHALLOW = "additive boosting", "shallow tree"
MAX_DEPTH = 3
SECONDS = "_total_seconds"  # how skrub names the moment that a date is
ORDINALS = ("first", "second", "third")
MAX_NAMED = 6  # levels of a category in a rule
N_TIMES = 3  # stumps learn less a tree than trees of 15 leaves


def make_glass_boxes(baselines: dict[str, Any]) -> dict[str, Any]:
    """Return models that can be read, with the preparation that the baselines share.

    "linear" is read by its coefficients. "additive boosting" is LightGBM with trees of one
    question each: its prediction is a sum of one curve a column and nothing else, a generalised
    additive model. "shallow tree" asks at most three questions.

    Parameters
    ----------
    baselines : dict of str to scikit-learn estimator
        From `models.baselines`.

    Returns
    -------
    dict of str to scikit-learn estimator
        Unfitted, from the model to be replaced ("LightGBM") to the simplest.

    Raises
    ------
    InputError
        When the baselines lack one of LightGBM, linear, decision tree.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.models import baselines
    >>> list(make_glass_boxes(baselines(make_planted(200), load_config())))
    ['LightGBM', 'additive boosting', 'linear', 'shallow tree', 'dummy']
    """
    needed = ("LightGBM", "linear", "decision tree", "dummy")
    missing = [name for name in needed if name not in baselines]
    if missing:
        msg = f"Glass boxes are made of the baselines; {', '.join(missing)} is not among them."
        raise InputError(msg)
    boosting, tree = baselines["LightGBM"], baselines["decision tree"]
    stumps = clone(boosting.steps[-1][1])
    n_trees = N_TIMES * int(stumps.get_params()["n_estimators"])
    stumps.set_params(num_leaves=2, n_estimators=n_trees)
    shallow = clone(tree.steps[-1][1]).set_params(max_depth=MAX_DEPTH)
    return {
        "LightGBM": boosting,
        ADDITIVE: Pipeline([*boosting.steps[:-1], ("model", stumps)]),
        "linear": baselines["linear"],
        SHALLOW: Pipeline([*tree.steps[:-1], ("model", shallow)]),
        "dummy": baselines["dummy"],
    }


def tabulate_curves(
    models: FoldModels, position: int, *, output: int = 0, n_points: int = 200
) -> pd.DataFrame:
    """Return the curve of one column of an additive model: its contribution at each value.

    Parameters
    ----------
    models : FoldModels
        Of "additive boosting": for other models a value has no single contribution.
    position : int
        Of the column.
    output : int
        Class, of a multiclass model.
    n_points : int
        Rows to read the curve at, evenly spaced over the table.

    Returns
    -------
    DataFrame
        value, contribution (mean over the folds' models).

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds, make_rounds
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> curve = tabulate_curves(fitted, 0, n_points=20)
    >>> bool(curve["contribution"].iloc[-1] > curve["contribution"].iloc[0])
    True
    """
    X = models.dataset.X
    places = np.unique(np.linspace(0, len(X) - 1, n_points).round().astype(int))
    table = X.iloc[places]
    curves = []
    for one in models:
        values, _ = one.model.shapley(one.model.prepare(table))
        curves.append(values[:, position] if values.ndim == 2 else values[:, position, output])
    return pd.DataFrame(
        {
            "value": table.iloc[:, position].to_numpy(),
            "contribution": np.mean(curves, axis=0),
        }
    )


def tabulate_coefficients(
    model: OpenModel, names: Sequence[str], *, n_top: int = 10
) -> pd.DataFrame:
    """Return the columns that move a linear model most.

    Parameters
    ----------
    model : OpenModel
        Linear.
    names : sequence of str
        Own names of the columns.
    n_top : int
        Rows of the table.

    Returns
    -------
    DataFrame
        column, effect (change of the output for a standard deviation of the prepared column,
        summed over its levels or parts, mean over classes), largest first.

    Raises
    ------
    InputError
        When the model is not linear.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.explanation import open_model
    >>> X = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})
    >>> opened = open_model(LinearRegression().fit(X, 2 * X["a"]), X, classes=None)
    >>> tabulate_coefficients(opened, ["a", "b"]).round(3).values.tolist()
    [['a', 2.236], ['b', 0.0]]
    """
    if "coefficient" not in model.builtin:
        msg = "The model has no coefficients: give the linear one."
        raise InputError(msg)
    effect: Floats = model.builtin["coefficient"]
    order = np.argsort(-effect.round(9), kind="stable")[:n_top]
    return pd.DataFrame({"column": [names[i] for i in order], "effect": effect[order]})


def write_rules(estimator: Any, dataset: Dataset) -> pd.DataFrame:
    """Return a shallow tree, fitted on all rows, as one rule a leaf.

    Parameters
    ----------
    estimator : scikit-learn pipeline or tree
        Unfitted, ending in a decision tree.
    dataset : Dataset
        The training rows.

    Returns
    -------
    DataFrame
        first, second, third (what must hold, in words; fewer for a shorter rule, more for a deeper
        tree), rows (share of them), prediction (probability of each class but the first of two, or
        the mean). Rows with a gap follow the side that the tree learned for them.

    Raises
    ------
    InputError
        When it does not end in a tree.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(200, n_informative=1, n_noise=0, n_categories=0, task="regression")
    >>> table = write_rules(DecisionTreeRegressor(max_depth=1, random_state=0), dataset)
    >>> [rule.split(" ")[1] for rule in table["first"]]
    ['≤', '>']
    """
    fitted = clone(estimator)
    final = fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted
    if not isinstance(final, (DecisionTreeClassifier, DecisionTreeRegressor)):
        msg = f"Rules are written for a decision tree; got {type(final).__name__}."
        raise InputError(msg)
    with threadpool_limits(1):
        fitted.fit(dataset.X, dataset.y.to_numpy())
    columns = [str(name) for name in getattr(final, "feature_names_in_", dataset.X.columns)]
    levels = _levels_of_codes(fitted)
    walker = _Walker(final, columns, levels, dataset)
    walker.walk(0, {})
    n_parts = max((len(parts) for parts, _, _ in walker.rows), default=0) or 1
    names = [*ORDINALS, *(f"part {i + 1}" for i in range(len(ORDINALS), n_parts))][:n_parts]
    rows = [
        (*parts, *[""] * (n_parts - len(parts)), share, said) for parts, share, said in walker.rows
    ]
    return pd.DataFrame(rows, columns=[*names, "rows", "prediction"])


def _levels_of_codes(fitted: Any) -> dict[str, list[Any]]:
    """Return the categories behind the codes that a tree sees, by column."""
    levels = {}
    for _, step in fitted.steps[:-1] if isinstance(fitted, Pipeline) else ():
        if type(step).__name__ != "ColumnTransformer":
            continue
        for _, inner, columns in step.transformers_:
            known = getattr(inner, "categories_", None)
            if known is not None:
                levels.update(dict(zip(map(str, columns), map(list, known), strict=True)))
    return levels


@dataclass
class _Walker:
    """Goes down a tree and writes a rule for each leaf; bounds on one column are joined."""

    final: Any
    columns: list[str]
    levels: dict[str, list[Any]]
    dataset: Dataset
    rows: list[tuple[list[str], float, str]] = field(default_factory=list)

    def walk(self, node: int, bounds: dict[str, tuple[float, float]]) -> None:
        tree = self.final.tree_
        if tree.children_left[node] < 0:
            words = [self._say(name, *ends) for name, ends in bounds.items()] or ["always"]
            share = float(tree.weighted_n_node_samples[node] / tree.weighted_n_node_samples[0])
            self.rows.append((words, share, self._predict(tree.value[node][0])))
            return
        name, cut = self.columns[tree.feature[node]], float(tree.threshold[node])
        low, high = bounds.get(name, (-math.inf, math.inf))
        self.walk(tree.children_left[node], {**bounds, name: (low, min(high, cut))})
        self.walk(tree.children_right[node], {**bounds, name: (max(low, cut), high)})

    def _say(self, name: str, low: float, high: float) -> str:
        if name.endswith(SECONDS) and (day := name.removesuffix(SECONDS)) in self.dataset.X:
            own = str(self.dataset.labels.get(day, day))
            return _say_between(own, *(_write_day(seconds) for seconds in (low, high)))
        stem, _, part = name.rpartition("_")
        is_part = name not in self.dataset.X and stem in self.dataset.X
        own = str(self.dataset.labels.get(stem if is_part else name, stem if is_part else name))
        own += f" (part {part})" if is_part else ""
        if name in self.levels:
            known = self.levels[name]
            inside = [str(level) for code, level in enumerate(known) if low < code <= high]
            shown = ", ".join(inside[:MAX_NAMED])
            more = f" and {len(inside) - MAX_NAMED} more" if len(inside) > MAX_NAMED else ""
            return f"{own} is {shown}{more}" if len(inside) == 1 else f"{own} in ({shown}{more})"
        ends = ("" if math.isinf(end) else format_digits(end, 4) for end in (low, high))
        return _say_between(own, *ends)

    def _predict(self, values: Floats) -> str:
        classes = self.dataset.classes
        if not classes:
            return format_digits(values[0], 4)
        shares = values / values.sum()
        known = [classes[int(k)] for k in self.final.classes_]
        skipped = 1 if len(known) == 2 else 0
        pairs = zip(known[skipped:], shares[skipped:], strict=True)
        return ", ".join(f"{name}: {share:.0%}" for name, share in pairs)


def _write_day(seconds: float) -> str:
    """Return a cut between two days of a column of dates as a day, "" where there is none."""
    return "" if math.isinf(seconds) else f"{pd.Timestamp(seconds, unit='s'):%Y-%m-%d}"


def _say_between(own: str, low: str, high: str) -> str:
    if not low:
        return f"{own} ≤ {high}"
    return f"{low} < {own} ≤ {high}" if high else f"{own} > {low}"
