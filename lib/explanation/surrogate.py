"""A line that imitates a model near one row (LIME's method), and how well it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModels
from lib.explanation.opening import OpenModel
from lib.explanation.shapley import Explanation, rank_order

N_SAMPLES = 300
N_DRAWS = 10  # values taken from other rows, over which a neighbour's output is averaged
PENALTY = 1e-3  # of the ridge, times the sum of the weights
WIDTH = 0.75  # of the kernel, in roots of the number of columns, as LIME has it


@dataclass(frozen=True, eq=False)
class LocalSurrogate:
    """A weighted linear model around one row.

    Attributes
    ----------
    weights : array of shape (p,)
        What having the row's value, rather than that of another row, adds to the output.
    intercept : float
        The output without any of the row's values.
    prediction : float
        What the line says of the row.
    raw : float
        What the model says of it.
    r2 : float
        Share of the weighted spread of the model's outputs nearby that the line explains: below
        one half, do not read the weights.
    """

    weights: Floats
    intercept: float
    prediction: float
    raw: float
    r2: float


def explain_locally(
    model: OpenModel,
    row: Floats,
    background: Floats,
    *,
    output: int = 0,
    n_samples: int = N_SAMPLES,
    random_state: int = 0,
) -> LocalSurrogate:
    """Return a linear model that imitates a model around one row [1]_.

    Neighbours keep some of the row's values and take the others, each on its own, from random
    background rows, which works for numbers, categories, dates and text alike; the output is
    averaged over ten such draws. A neighbour that keeps more counts more; a ridge regression on
    "kept or not" gives the weights.

    Parameters
    ----------
    model : OpenModel
        From `open_model`.
    row : array of shape (q,)
        Prepared.
    background : array of shape (m, q)
        Prepared rows to take values from.
    output : int
        Class, of a multiclass model.
    n_samples : int
        Neighbours.
    random_state : int
        Seed of the neighbours.

    Returns
    -------
    LocalSurrogate
        In the unit of `model.raw`.

    References
    ----------
    .. [1] M. Ribeiro, S. Singh, C. Guestrin (2016). "Why should I trust you?" Explaining the
       predictions of any classifier. KDD.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.explanation import open_model
    >>> X = pd.DataFrame({"a": [0.0, 1, 2, 3, 4], "b": [1.0, 0, 1, 0, 1]})
    >>> opened = open_model(LinearRegression().fit(X, 2 * X["a"]), X, classes=None)
    >>> local = explain_locally(opened, np.array([4.0, 1.0]), X.to_numpy())
    >>> bool(local.weights[0] > 3), bool(abs(local.weights[1]) < 0.2)
    (True, True)
    """
    n_columns = len(model.columns)
    rng = np.random.default_rng(random_state)
    kept = rng.random((n_samples, n_columns)) < rng.uniform(0.2, 1, (n_samples, 1))
    kept[0] = True
    drawn = rng.integers(len(background), size=(n_samples * N_DRAWS, n_columns))
    taken = background[drawn[:, model.owners], np.arange(len(row))]
    held = np.repeat(kept[:, model.owners], N_DRAWS, axis=0)
    asked = model.raw(np.where(held, row, taken))
    asked = asked if asked.ndim == 1 else asked[:, output]
    outputs = asked.reshape(n_samples, N_DRAWS).mean(axis=1)
    n_changed = n_columns - kept.sum(axis=1)
    weight = np.exp(-n_changed / (2 * WIDTH**2 * n_columns))
    design = kept.astype(float)
    means, centre = weight @ design / weight.sum(), float(weight @ outputs / weight.sum())
    moved, spread = design - means, outputs - centre
    gram = (moved * weight[:, np.newaxis]).T @ moved
    gram += PENALTY * float(weight.sum()) * np.eye(n_columns)
    weights = np.linalg.solve(gram, (moved * weight[:, np.newaxis]).T @ spread)
    left = spread - moved @ weights
    total = float(weight @ spread**2)
    r2 = 1 - float(weight @ left**2) / total if total > 0 else float("nan")
    intercept = centre - float(means @ weights)
    return LocalSurrogate(
        weights, intercept, intercept + float(weights.sum()), float(outputs[0]), r2
    )


def compare_surrogates(
    models: FoldModels,
    explanation: Explanation,
    *,
    n_rows: int = 30,
    n_top: int = 3,
    n_samples: int = N_SAMPLES,
    random_state: int = 0,
) -> tuple[pd.DataFrame, Floats]:
    """Return whether a local line and exact contributions say the same about the same rows.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.
    explanation : Explanation
        Out of fold, by the same models.
    n_rows : int
        Rows to compare, drawn at random.
    n_top : int
        Columns a row whose signs are compared: those with the largest contributions.
    n_samples : int
        Neighbours of each row.
    random_state : int
        Seed of rows and neighbours.

    Returns
    -------
    table : DataFrame
        One row a row: row, fold, r2 (of the line), same_sign (share of the `n_top` columns),
        rank_correlation (of the sizes over columns).
    sizes : array of shape (p,)
        Mean |weight| over the rows.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import explain_out_of_fold, fit_folds, make_rounds
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> explained = explain_out_of_fold(fitted)
    >>> table, _ = compare_surrogates(fitted, explained, n_rows=5, n_top=1, n_samples=200)
    >>> float(table["same_sign"].mean())
    1.0
    """
    rng = np.random.default_rng(random_state)
    places = np.sort(rng.permutation(len(explanation))[:n_rows])
    by_fold = {one.fold: one for one in models}
    rows, sizes = [], np.zeros(len(models.columns))
    for place in places.tolist():
        one = by_fold[int(explanation.fold[place])]
        at = int(np.flatnonzero(one.test == explanation.rows[place])[0])
        raw, values = explanation.raw[place], explanation.contributions[place]
        output = int(np.argmax(raw)) if raw.ndim else 0
        values = values if values.ndim == 1 else values[:, output]
        local = explain_locally(
            one.model,
            one.matrix[at],
            one.matrix,
            output=output,
            n_samples=n_samples,
            random_state=random_state,
        )
        top = rank_order(np.abs(values))[:n_top]
        top = top[np.abs(values[top]) > 0]
        same = (
            float(np.mean(np.sign(values[top]) == np.sign(local.weights[top]))) if len(top) else 1
        )
        both = pd.DataFrame({"a": np.abs(values), "b": np.abs(local.weights)}).rank()
        varies = len(both) > 1 and bool((both.std() > 0).all())
        r = float(both["a"].corr(both["b"])) if varies else float("nan")
        rows.append((int(explanation.rows[place]), one.fold, local.r2, same, r))
        sizes += np.abs(local.weights)
    columns = ["row", "fold", "r2", "same_sign", "rank_correlation"]
    return pd.DataFrame(rows, columns=columns), sizes / max(len(places), 1)


def describe_local(
    local: LocalSurrogate, values: Floats, names: Sequence[str], *, n_top: int = 6
) -> pd.DataFrame:
    """Return a line's weights beside exact contributions, the largest contributions first.

    Parameters
    ----------
    local : LocalSurrogate
        Of a row.
    values : array of shape (p,)
        Contributions to the same output.
    names : sequence of str
        Own names of the columns.
    n_top : int
        Rows of the table.

    Returns
    -------
    DataFrame
        column, contribution, surrogate, same_sign ("yes", "no").

    Examples
    --------
    >>> local = LocalSurrogate(np.array([1.0, -0.5]), 0.0, 0.5, 0.5, 0.9)
    >>> describe_local(local, np.array([0.8, 0.1]), ["a", "b"])["same_sign"].tolist()
    ['yes', 'no']
    """
    top = rank_order(np.abs(values))[:n_top]
    table = pd.DataFrame(
        {
            "column": [names[i] for i in top],
            "contribution": values[top],
            "surrogate": local.weights[top],
        }
    )
    same = np.sign(table["contribution"]) == np.sign(table["surrogate"])
    return table.assign(same_sign=np.where(same, "yes", "no"))
