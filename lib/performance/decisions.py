"""Yes or no at a threshold that was chosen elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.estimates import Estimate, wilson
from lib.explanation.subgroups import estimate_of, mean_of
from lib.performance.held_out import Bools, Floats, HeldOut, Ints

RATES = {
    "found (recall, sensitivity)": "positives that are flagged",
    "cleared (specificity)": "negatives that are not flagged",
    "right when flagged (precision)": "flagged rows that are positive",
    "right when cleared (negative predictive value)": "rows not flagged that are negative",
    "flagged": "rows that are flagged",
    "right (accuracy)": "rows on the right side",
}


def choose_threshold(out_of_fold: HeldOut) -> float:
    """Return the probability from which as many rows are flagged as there are positives.

    It weighs misses and false alarms alike, is not tuned to any score, and is taken from
    out-of-fold predictions, so that test rows say what it is worth. Money chooses in analysis 31.

    Parameters
    ----------
    out_of_fold : HeldOut
        Of a binary task.

    Returns
    -------
    float
        A row is flagged from here on.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(400)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> flagged = held.positive >= choose_threshold(held)
    >>> int(flagged.sum()) == int(dataset.y.sum())
    True
    """
    order = np.argsort(-out_of_fold.positive, kind="stable")
    weight = out_of_fold.weight
    weight = np.ones(len(order)) if weight is None else weight
    wanted = float(weight @ (out_of_fold.y == 1))
    place = int(np.searchsorted(np.cumsum(weight[order]), wanted - 1e-9))
    return float(out_of_fold.positive[order[min(place, len(order) - 1)]])


def decide(held: HeldOut, threshold: float | None = None) -> Ints:
    """Return the class that is chosen for each row.

    Parameters
    ----------
    held : HeldOut
        Of a classification task.
    threshold : float, optional
        From which the positive class of two is chosen; the likeliest class otherwise.

    Returns
    -------
    array of int, shape (n,)
    """
    if threshold is None:
        return np.asarray(held.prediction.argmax(axis=1), dtype=np.intp)
    return (held.positive >= threshold).astype(np.intp)


def tabulate_decisions(held: HeldOut, threshold: float, *, level: float = 0.95) -> pd.DataFrame:
    """Return how often decisions at a threshold are right.

    Parameters
    ----------
    held : HeldOut
        Of a binary task.
    threshold : float
        A row is flagged from here on.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        rate, of, value (Estimate: Wilson's interval; of summed influences where rows have weights
        or belong together; NaN where nothing is to be counted).

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(400)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> len(tabulate_decisions(held, 0.5))
    6
    """
    positive, flagged = held.y == 1, held.positive >= threshold
    right = positive == flagged
    everyone = np.ones(len(held), dtype=bool)
    counted = (
        (flagged, positive),
        (~flagged, ~positive),
        (positive, flagged),
        (~positive, ~flagged),
        (flagged, everyone),
        (right, everyone),
    )
    rows = [
        (rate, of, share_of(event, among, held, level=level))
        for (rate, of), (event, among) in zip(RATES.items(), counted, strict=True)
    ]
    return pd.DataFrame(rows, columns=["rate", "of", "value"])


def share_of(event: Bools, among: Bools, held: HeldOut, *, level: float = 0.95) -> Estimate:
    """Return the share of some rows for which an event is true, with its interval.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(10)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> everyone = np.ones(10, dtype=bool)
    >>> print(share_of(np.arange(10) < 1, everyone, held))
    0.100 [0.018, 0.404]
    """
    n = int(among.sum())
    if n == 0:
        return Estimate(float("nan"), level=level)
    if held.weight is None and not held.is_grouped:
        return wilson(int((event & among).sum()), n, level=level)
    return share_in_groups(event[among].astype(float), held, among, level=level)


def share_in_groups(
    values: Floats, held: HeldOut, among: Bools, *, level: float = 0.95
) -> Estimate:
    """Return a weighted mean of numbers in [0, 1] over some rows, groups taken together.

    At 0 or 1 exactly, where rows do not vary, Wilson's interval of as many groups is given.
    """
    weight = None if held.weight is None else held.weight[among]
    owner = held.owner[among]
    estimate = estimate_of(mean_of(values, weight, (0.0, 1.0)), owner, level)
    if estimate.value in {0.0, 1.0}:
        n = len(np.unique(owner))
        return wilson(round(estimate.value) * n, n, level=level)
    return estimate


def compute_confusion(truth: Ints, chosen: Ints, n_classes: int) -> pd.DataFrame:
    """Return how many rows of each class (index) were taken for each class (columns), by code.

    Examples
    --------
    >>> compute_confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).to_numpy().tolist()
    [[1, 0], [1, 1]]
    """
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (truth, chosen), 1)
    return pd.DataFrame(counts)
