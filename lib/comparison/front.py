"""What no other candidate beats on everything: score against what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from lib.resampling import Folds

COSTS = ("fit_seconds", "milliseconds", "kilobytes")


class Costly(Protocol):
    """A candidate that knows what it costs, as `tracking.Predicted`."""

    @property
    def costs(self) -> Mapping[str, float]:
        """Means over folds: fit_seconds, predict_seconds, kilobytes."""


def tabulate_prices(
    comparison: pd.DataFrame,
    tracked: Mapping[str, Costly],
    folds: Folds,
    *,
    members: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Return score, time and size of candidates, and who is on the Pareto front.

    Parameters
    ----------
    comparison : DataFrame with columns model, score
        From `compare_with`.
    tracked : mapping of str to Predicted
        By candidate.
    folds : Folds
        On which the costs were taken.
    members : mapping of str to sequence of str, optional
        Of ensembles: which candidates they predict with, and pay for.

    Returns
    -------
    DataFrame
        model, score (Estimate), fit_seconds (one fold), milliseconds (to predict 1,000 rows),
        kilobytes, on_front (no other candidate is at least as good in all four and better in one;
        candidates with an unknown cost are not on it). Times depend on the machine.
    """
    n_test = float(np.mean([len(test) for _, test in folds]))
    rows = []
    for row in comparison[["model", "score"]].itertuples(index=False):
        name = str(row.model)
        parts = list((members or {}).get(name, [name]))
        fit, predict, size = (
            float(np.sum([_cost(tracked, part, cost) for part in parts]))
            for cost in ("fit_seconds", "predict_seconds", "kilobytes")
        )
        rows.append((name, row.score, fit, 1e6 * predict / n_test, size))
    table = pd.DataFrame(rows, columns=["model", "score", *COSTS])
    known = table.assign(score=[estimate.value for estimate in table["score"]])
    return table.assign(on_front=find_front(known, high=["score"], low=COSTS))


def find_front(table: pd.DataFrame, *, high: Sequence[str], low: Sequence[str]) -> pd.Series:
    """Return which rows no other row dominates.

    Parameters
    ----------
    table : DataFrame
        Numbers.
    high, low : sequence of str
        Columns of which more, or less, is better.

    Returns
    -------
    Series of bool
        False where a number is missing. Equal rows are all on the front.

    Examples
    --------
    >>> table = pd.DataFrame({"score": [0.9, 0.8, 0.7], "seconds": [5.0, 1.0, 2.0]})
    >>> find_front(table, high=["score"], low=["seconds"]).tolist()
    [True, True, False]
    """
    signed = pd.concat([table[list(high)], -table[list(low)]], axis=1).to_numpy(dtype=float)
    on_front = np.isfinite(signed).all(axis=1)
    known = signed[on_front]
    at_least = (known[:, np.newaxis] >= known).all(axis=2)
    above = (known[:, np.newaxis] > known).any(axis=2)
    on_front[on_front] = ~(at_least & above).any(axis=0)
    return pd.Series(on_front, index=table.index)


def _cost(tracked: Mapping[str, Costly], name: str, cost: str) -> float:
    return float(tracked[name].costs.get(cost, np.nan)) if name in tracked else np.nan
