"""Models that can be read whole, and what reading them costs in score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from lib.errors import InputError
from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModels
from lib.explanation.opening import OpenModel

ADDITIVE, SHALLOW = "additive boosting", "shallow tree"
MAX_DEPTH = 3
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
    """
    if "coefficient" not in model.builtin:
        msg = "The model has no coefficients: give the linear one."
        raise InputError(msg)
    effect: Floats = model.builtin["coefficient"]
    order = np.argsort(-effect.round(9), kind="stable")[:n_top]
    return pd.DataFrame({"column": [names[i] for i in order], "effect": effect[order]})


def write_rules(
    pipeline: Any, names: Sequence[str], *, classes: Sequence[str] = (), target: str = "target"
) -> pd.DataFrame:
    """Return a fitted shallow tree as one rule a leaf.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Ending in a decision tree of scikit-learn; its input columns keep their names.
    names : sequence of str
        Own names of the input columns of the tree, in its order.
    classes : sequence of str
        The classes' own names.
    target : str
        The target's own name.

    Returns
    -------
    DataFrame
        rule (in words; thresholds of categories are places in their order), rows (share of the
        training rows), prediction (probability of each class, or value).

    Raises
    ------
    InputError
        When it is not a tree.

    Examples
    --------
    >>> tree = DecisionTreeRegressor(max_depth=1).fit([[0.0], [1.0]], [10.0, 20.0])
    >>> write_rules(tree, ["x"])[["rule", "prediction"]].values.tolist()
    [['x ≤ 0.5', '10'], ['x > 0.5', '20']]
    """
    final = pipeline.steps[-1][1] if isinstance(pipeline, Pipeline) else pipeline
    if not isinstance(final, (DecisionTreeClassifier, DecisionTreeRegressor)):
        msg = f"Rules are written for a decision tree; got {type(final).__name__}."
        raise InputError(msg)
    del target
    tree, rows = final.tree_, []
    total = float(tree.weighted_n_node_samples[0])

    def walk(node: int, path: list[str]) -> None:
        if tree.children_left[node] < 0:
            values = tree.value[node][0]
            if classes:
                known = [classes[int(k)] for k in final.classes_]
                shares = values / values.sum()
                shown = known[1:] if len(known) == 2 else known
                parts = shares[1:] if len(known) == 2 else shares
                said = ", ".join(f"{c} {p:.0%}" for c, p in zip(shown, parts, strict=True))
            else:
                said = f"{values[0]:,.4g}"
            share = float(tree.weighted_n_node_samples[node]) / total
            rows.append((" and ".join(path) or "always", share, said))
            return
        name, cut = names[tree.feature[node]], tree.threshold[node]
        walk(tree.children_left[node], [*path, f"{name} ≤ {cut:,.4g}"])
        walk(tree.children_right[node], [*path, f"{name} > {cut:,.4g}"])

    walk(0, [])
    return pd.DataFrame(rows, columns=["rule", "rows", "prediction"])
