"""The worst predictions explained, and whether errors gather somewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.estimates import format_digits, holm
from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModels, own_names
from lib.explanation.opening import Ints
from lib.explanation.shapley import Explanation, explain, rank_order
from lib.explanation.subgroups import (
    MIN_ROWS,
    difference_of,
    estimate_of,
    mean_of,
    owners_of,
    subgroup_levels,
)
from lib.statistics import column_kinds

FLOOR = 1e-15


def compute_losses(dataset: Dataset, predictions: Floats) -> Floats:
    """Return how wrong each prediction is: log loss in nats, or the absolute error.

    Parameters
    ----------
    dataset : Dataset
        With the truth.
    predictions : array of shape (n, n_classes) or (n,)
        Out of fold.

    Returns
    -------
    array of shape (n,)
        NaN where there is no prediction.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(2, task="regression")
    >>> compute_losses(dataset, dataset.y.to_numpy() + 0.5).round(6).tolist()
    [0.5, 0.5]
    """
    y = dataset.y.to_numpy()
    if dataset.task == "regression":
        return np.asarray(np.abs(predictions - y))
    chosen = predictions[np.arange(len(y)), y.astype(int)]
    return np.asarray(-np.log(np.maximum(chosen, FLOOR)))


def compute_excess(dataset: Dataset, predictions: Floats) -> Floats:
    """Return how much more wrong each prediction is than the model itself expects.

    Parameters
    ----------
    dataset : Dataset
        With the truth.
    predictions : array of shape (n, n_classes) or (n,)
        Probabilities, or values.

    Returns
    -------
    array of shape (n,)
        Log loss beyond the entropy of the probabilities, which is 0 on average wherever they are
        honest; of numbers the absolute error itself.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(2)
    >>> compute_excess(dataset, np.full((2, 2), 0.5)).round(6).tolist()
    [0.0, 0.0]
    """
    excess = compute_losses(dataset, predictions)
    if dataset.task == "regression":
        return excess
    proba = np.clip(predictions, FLOOR, 1)
    return np.asarray(excess + (proba * np.log(proba)).sum(axis=1))


def explain_worst(
    models: FoldModels, predictions: Floats, *, n_rows: int = 5, n_top: int = 3
) -> tuple[pd.DataFrame, Explanation]:
    """Return the worst out-of-fold predictions, by row number, with what led to them.

    Only names of columns and sizes of contributions are shown, never values: rows may be personal.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.
    predictions : array
        From `out_of_fold`.
    n_rows : int
        Rows to explain.
    n_top : int
        Contributions to name.

    Returns
    -------
    table : DataFrame
        row (position among the training rows, from 0), was, predicted, loss, led_by, and_by_2, …
        (the largest contributions away from the truth; "" where fewer led there).
    explanation : Explanation
        Of those rows, in the same order.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds, make_rounds, out_of_fold
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> table, explained = explain_worst(fitted, out_of_fold(fitted), n_rows=3, n_top=1)
    >>> table["loss"].is_monotonic_decreasing, explained.contributions.shape
    (True, (3, 2))
    """
    dataset = models.dataset
    losses = compute_losses(dataset, predictions)
    order = rank_order(np.nan_to_num(losses, nan=-1.0))
    worst = [int(i) for i in order[:n_rows] if np.isfinite(losses[i])]
    names = own_names(dataset)
    home = {}
    for one, places in models.first_pass():
        home.update({int(one.test[place]): (one, int(place)) for place in places})
    parts, rows = [], []
    for row in worst:
        one, place = home[row]
        X, matrix = dataset.X.iloc[[row]], one.matrix[[place]]
        part = explain(one.model, X, names=names, matrix=matrix, fold=one.fold)
        parts.append(part)
        truth, guess, toward = compare_with_truth(dataset, predictions[row], row)
        values = part.contributions[0]
        if values.ndim == 2:  # how far each column favoured the class that was predicted
            values = values[:, int(np.argmax(predictions[row]))] - values[:, int(dataset.y[row])]
        led = rank_order(values * toward)[:n_top]
        words = [
            f"{names[i]} ({format_digits(values[i], 2, sign='+')})"
            for i in led
            if values[i] * toward > 0
        ]
        words += [""] * (n_top - len(words))
        rows.append((row, truth, guess, float(losses[row]), *words))
    pushes = ["led_by", *(f"and_by_{i}" for i in range(2, n_top + 1))]
    table = pd.DataFrame(rows, columns=["row", "was", "predicted", "loss", *pushes])
    return table, _stack(parts, np.array(worst, dtype=np.intp))


def compare_with_truth(dataset: Dataset, prediction: Floats, row: int) -> tuple[str, str, float]:
    """Return truth and prediction in words, and the direction in which it is wrong."""
    truth = dataset.y.iloc[row]
    if dataset.task == "regression":
        off = float(prediction) - float(truth)
        return (
            format_digits(float(truth), 4),
            format_digits(float(prediction), 4),
            float(np.sign(off) or 1.0),
        )
    was = dataset.classes[int(truth)]
    if dataset.task == "binary":
        positive = float(prediction[1])
        words = f"{positive:.1%} for {dataset.classes[1]}"
        return was, words, -1.0 if int(truth) == 1 else 1.0
    guess = int(np.argmax(prediction))
    return was, f"{dataset.classes[guess]} ({float(prediction[guess]):.0%})", 1.0


def _stack(parts: list[Explanation], rows: Ints) -> Explanation:
    first = parts[0]
    return Explanation(
        contributions=np.concatenate([part.contributions for part in parts]),
        base=np.concatenate([part.base for part in parts]),
        raw=np.concatenate([part.raw for part in parts]),
        X=pd.concat([part.X for part in parts]).reset_index(drop=True),
        rows=rows,
        fold=np.concatenate([part.fold for part in parts]),
        names=first.names,
        outputs=first.outputs,
        unit=first.unit,
        route=first.route,
    )


def share_of_worst(losses: Floats, *, worst: float = 0.1) -> float:
    """Return the share of all loss that the worst rows carry.

    Parameters
    ----------
    losses : array of shape (n,)
        NaN is left out.
    worst : float
        Share of the rows.

    Returns
    -------
    float

    Examples
    --------
    >>> share_of_worst(np.array([1.0] * 9 + [91.0]))
    0.91
    """
    known = np.sort(losses[np.isfinite(losses)])[::-1]
    total = float(known.sum())
    n = max(round(worst * len(known)), 1)
    return float(known[:n].sum() / total) if total > 0 else 0.0


def locate_errors(dataset: Dataset, predictions: Floats, *, level: float = 0.95) -> pd.DataFrame:
    """Return where predictions are worse than the model says they are.

    A model that gives probabilities says how large its loss will be: a rare case at even odds
    costs much, and no model can help it. What counts is the loss beyond that, which is 0 on
    average wherever probabilities are honest. For numbers it is the absolute error itself. Every
    level of every column (numbers in fifths) is compared with all other rows.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    predictions : array of shape (n, n_classes) or (n,)
        Out of fold; rows with NaN are left out.
    level : float
        Of the intervals; one minus it is the level of the tests.

    Returns
    -------
    DataFrame
        column (own name), level, rows, loss (Estimate, beyond what the model expects), difference
        (Estimate, to all other rows), p_holm, gathers (bool: more loss than elsewhere, by the
        test), clearest first. Levels under 20 rows are left out.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(400, n_informative=1, n_noise=0, n_categories=2)
    >>> bool((locate_errors(dataset, dataset.truth["probabilities"])["p_holm"] > 0.05).all())
    True
    """
    known = np.flatnonzero(np.isfinite(predictions).reshape(len(dataset), -1).all(axis=1))
    excess = compute_excess(dataset, predictions)[known]
    owner = owners_of(dataset, known)
    names, rows = own_names(dataset), []
    kinds = list(column_kinds(dataset.X.set_axis(range(len(names)), axis=1)))
    for position, kind in enumerate(kinds):
        if kind in {"constant", "empty"}:
            continue
        codes, words = subgroup_levels(dataset, position)
        codes = codes[known]
        name = f"{names[position]} (characters)" if kind == "text" else names[position]
        present = [code for code in range(len(words)) if (codes == code).any()]
        if len(present) == 2:  # each is the other's mirror: the worse one
            means = [float(excess[codes == code].mean()) for code in present]
            present = [present[int(means[1] > means[0])]]
        for code in present:
            inside = codes == code
            if min(inside.sum(), (~inside).sum()) < MIN_ROWS:
                continue
            here, there = mean_of(excess[inside]), mean_of(excess[~inside])
            difference, p = difference_of(here, there, inside, owner, level)
            loss = estimate_of(here, owner[inside], level)
            rows.append((name, words[code], int(inside.sum()), loss, difference, p))
    table = pd.DataFrame(rows, columns=["column", "level", "rows", "loss", "difference", "p_holm"])
    p_values = table["p_holm"].to_numpy(dtype=float)
    table["p_holm"] = holm(p_values)
    is_worse = np.array([gap.value > 0 for gap in table["difference"]], dtype=bool)
    table["gathers"] = is_worse & (table["p_holm"] < 1 - level).to_numpy()
    return table.iloc[np.argsort(p_values, kind="stable")].reset_index(drop=True)
