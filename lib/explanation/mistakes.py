"""The worst predictions explained, and whether errors gather somewhere."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.explanation.fitted import FoldModels, own_names
from lib.explanation.opening import Floats
from lib.explanation.shapley import Explanation, explain, rank_order
from lib.statistics import compare_with_target

Task = Literal["binary", "multiclass", "regression"]
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
        return np.abs(predictions - y)
    chosen = predictions[np.arange(len(y)), y.astype(int)]
    return -np.log(np.maximum(chosen, FLOOR))


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
        row (position among the training rows, from 0), was, predicted, loss, led_by (the largest
        contributions away from the truth, in words).
    explanation : Explanation
        Of those rows, in the same order.
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
        truth, guess, toward = _compare(dataset, predictions[row], row)
        values = part.values[0]
        if values.ndim == 2:  # how far each column favoured the class that was predicted
            values = values[:, int(np.argmax(predictions[row]))] - values[:, int(dataset.y[row])]
        led = rank_order(values * toward)[:n_top]
        words = [f"{names[i]} ({values[i]:+.2g})" for i in led if values[i] * toward > 0]
        rows.append((row, truth, guess, float(losses[row]), ", ".join(words) or "no column"))
    table = pd.DataFrame(rows, columns=["row", "was", "predicted", "loss", "led_by"])
    return table, _stack(parts, np.array(worst, dtype=np.intp))


def _compare(dataset: Dataset, prediction: Floats, row: int) -> tuple[str, str, float]:
    """Return truth and prediction in words, and the direction in which it is wrong."""
    truth = dataset.y.iloc[row]
    if dataset.task == "regression":
        off = float(prediction) - float(truth)
        return f"{float(truth):,.4g}", f"{float(prediction):,.4g}", float(np.sign(off) or 1.0)
    was = dataset.classes[int(truth)]
    if dataset.task == "binary":
        positive = float(prediction[1])
        words = f"{positive:.1%} {dataset.classes[1]}"
        return was, words, -1.0 if int(truth) == 1 else 1.0
    guess = int(np.argmax(prediction))
    return was, f"{dataset.classes[guess]} ({float(prediction[guess]):.0%})", 1.0


def _stack(parts: list[Explanation], rows: np.ndarray) -> Explanation:
    first = parts[0]
    return Explanation(
        values=np.concatenate([part.values for part in parts]),
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


def locate_errors(dataset: Dataset, losses: Floats, *, level: float = 0.95) -> pd.DataFrame:
    """Return which columns tell where predictions are bad, whatever the direction.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    losses : array of shape (n,)
        From `compute_losses`.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        column (own name), strength (Estimate: bias-corrected correlation ratio of the losses'
        ranks), shape, q (Benjamini-Hochberg), strongest first.

    Notes
    -----
    Of a rare positive class all positives have high log loss: then the columns that go with the
    target lead, which is as it should be and no news.
    """
    known = np.isfinite(losses)
    part = dataset.take(np.flatnonzero(known))
    table = compare_with_target(
        part.X.set_axis([str(name) for name in part.X.columns], axis=1),
        pd.Series(losses[known]),
        task="regression",
        groups=part.groups,
        confidence=level,
    )
    labels = dict(zip(map(str, dataset.X.columns), own_names(dataset), strict=True))
    table = table.assign(column=[labels[name] for name in table["feature"]])
    return table[["column", "strength", "shape", "q"]]
