"""Curves over all thresholds with pointwise bands: ROC, precision and recall, gains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.errors import InputError
from lib.estimates import Estimate, bootstrap_many
from lib.performance.held_out import Bools, Floats, HeldOut

GRID = np.linspace(0.0, 1.0, 101)
ROC, PRECISION_RECALL, GAINS = "ROC", "precision and recall", "gains"
COLUMNS = ["curve", "x", "y", "low", "high"]
TOP = 0.1  # of the rows, for the lift
MIN_CLASS = 2  # rows of each kind


@dataclass(frozen=True, eq=False)
class Curves:
    """What a ranking is worth at every threshold.

    Attributes
    ----------
    table : DataFrame with columns curve, x, y, low, high
        "ROC" (false alarms, hits), "precision and recall" (recall, precision), "gains" (share of
        rows, best first; share of positives among them). Bands are pointwise.
    ks : Estimate
        Largest distance of hits and false alarms (Kolmogorov and Smirnov).
    lift : Estimate
        Share of positives in the best tenth of the rows, over the share in all.
    prevalence : float
        Share of positives.
    """

    table: pd.DataFrame
    ks: Estimate
    lift: Estimate
    prevalence: float

    def of(self, curve: str) -> pd.DataFrame:
        """Return the points of one curve."""
        return self.table[self.table["curve"] == curve]


def compute_curves(
    held: HeldOut,
    *,
    positive: int = 1,
    n_resamples: int,
    random_state: int,
    level: float = 0.95,
) -> Curves:
    """Return the curves of one class against the rest.

    Parameters
    ----------
    held : HeldOut
        Of a classification task.
    positive : int
        Code of the class.
    n_resamples : int
        Of the bootstrap behind the bands; whole groups are drawn where rows belong together.
    random_state : int
        Seed of the draws.
    level : float
        Of the bands, at each point by itself.

    Returns
    -------
    Curves

    Raises
    ------
    InputError
        When there are fewer than two rows of the class, or of the rest.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(300)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> curves = compute_curves(held, n_resamples=50, random_state=0)
    >>> curves.of("gains")["y"].iloc[[0, -1]].tolist()
    [0.0, 1.0]
    """
    is_positive = held.y == positive
    n_positive = int(is_positive.sum())
    if min(n_positive, len(held) - n_positive) < MIN_CLASS:
        msg = f"Curves need {MIN_CLASS} rows of the class and of the rest; the class has "
        raise InputError(f"{msg}{n_positive:,} of {len(held):,}.")
    weight = np.ones(len(held)) if held.weight is None else held.weight
    estimates = bootstrap_many(
        _measure,
        is_positive,
        held.prediction[:, positive],
        weight,
        n_resamples=n_resamples,
        random_state=random_state,
        groups=held.groups,
        method="percentile",
        level=level,
    )
    n = len(GRID)
    rows = [
        (curve, x, e.value, e.low, e.high)
        for i, curve in enumerate((ROC, PRECISION_RECALL, GAINS))
        for x, e in zip(GRID.tolist(), estimates[i * n : (i + 1) * n], strict=True)
    ]
    share = float(np.average(is_positive, weights=weight))
    return Curves(pd.DataFrame(rows, columns=COLUMNS), estimates[-2], estimates[-1], share)


def compute_all_curves(
    held: HeldOut,
    *,
    n_resamples: int,
    random_state: int,
    level: float = 0.95,
    max_classes: int = 6,
) -> dict[str, Curves]:
    """Return the curves of the positive class, or of the most frequent classes against the rest.

    Parameters
    ----------
    held : HeldOut
        Of a classification task.
    n_resamples, random_state, level
        As for `compute_curves`.
    max_classes : int
        Of more than two.

    Returns
    -------
    dict of str to Curves
        By class; classes with fewer than two rows are left out.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(300)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> list(compute_all_curves(held, n_resamples=20, random_state=0))
    ['1']
    """
    classes = held.dataset.classes
    counts = np.bincount(held.y, minlength=len(classes))
    frequent = np.sort(np.argsort(-counts, kind="stable")[:max_classes]).tolist()
    usable = [
        code
        for code in ([1] if held.task == "binary" else frequent)
        if min(counts[code], len(held) - counts[code]) >= MIN_CLASS
    ]
    return {
        classes[code]: compute_curves(
            held,
            positive=code,
            n_resamples=n_resamples,
            random_state=random_state,
            level=level,
        )
        for code in usable
    }


def tabulate_curves(curves: Mapping[str, Curves]) -> pd.DataFrame:
    """Return what curves say in numbers: class, share (of the rows), ks, lift (Estimates).

    Examples
    --------
    >>> tabulate_curves({}).columns.tolist()
    ['class', 'share', 'ks', 'lift']
    """
    rows = [(name, one.prevalence, one.ks, one.lift) for name, one in curves.items()]
    return pd.DataFrame(rows, columns=["class", "share", "ks", "lift"])


def _measure(is_positive: Bools, score: Floats, weight: Floats) -> Floats:
    """Return all curves at the points of the grid, then KS and lift; tied rows are one step."""
    order = np.argsort(-score, kind="stable")
    ranked, hit, w = score[order], is_positive[order], weight[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    hits = np.r_[0.0, np.cumsum(w * hit)[ends]]
    alarms = np.r_[0.0, np.cumsum(w * ~hit)[ends]]
    if hits[-1] <= 0 or alarms[-1] <= 0:
        return np.full(3 * len(GRID) + 2, np.nan)
    recall, fall_out = hits / hits[-1], alarms / alarms[-1]
    taken = (hits + alarms) / (hits[-1] + alarms[-1])
    roc = _upper(fall_out, recall)
    precision = np.r_[np.nan, hits[1:] / (hits[1:] + alarms[1:])]
    reached = np.maximum(np.searchsorted(recall, GRID - 1e-12), 1)  # first that recalls so much
    gains = np.interp(GRID, taken, recall)
    ks = float((recall - fall_out).max())
    lift = float(np.interp(TOP, taken, recall)) / TOP
    return np.asarray(np.r_[roc, precision[reached], gains, ks, lift])


def _upper(x: Floats, y: Floats) -> Floats:
    """Return y over the grid, straight between corners, the upper end of each vertical step."""
    last = np.r_[x[1:] != x[:-1], True]
    made = np.interp(GRID, x[last], y[last])
    return np.asarray(made)
