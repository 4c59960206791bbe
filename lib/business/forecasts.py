"""Forecasts of a number when over and under cost differently: the quantile that costs least."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.gains import Array, Floats, Gains
from lib.business.policies import PER

MIN_ROWS_OF_BIN = 100  # residuals, so that the tail of each bin is known
N_BINS = 5
QUANTILES = np.r_[np.arange(2, 49) / 50]


def optimal_quantile(gains: Gains) -> float:
    """Return the quantile of the target that costs least: under / (under + over) [1]_.

    References
    ----------
    .. [1] K. Arrow, T. Harris, J. Marschak (1951). Optimal inventory policy. Econometrica 19:250
       (the newsvendor's critical ratio).

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.business import read_gains
    >>> round(optimal_quantile(read_gains(make_planted(100, task="regression"))), 3)
    0.667
    """
    return gains.money["under"] / (gains.money["under"] + gains.money["over"])


@dataclass(frozen=True)
class Shift:
    """What is added to a forecast so that it is a quantile: from errors on unseen rows.

    Attributes
    ----------
    quantile : float
        Aimed at.
    edges : ndarray of shape (n_bins - 1,)
        Forecasts that part the bins; small and large forecasts err differently.
    added : ndarray of shape (n_bins,)
        What is added, by bin.
    """

    quantile: float
    edges: Floats = field(repr=False)
    added: Floats = field(repr=False)

    def apply(self, prediction: Array) -> Floats:
        """Return the shifted forecasts."""
        place = np.searchsorted(self.edges, prediction, side="right")
        return np.asarray(prediction + self.added[place], dtype=float)


def learn_shift(cases: Cases, quantile: float) -> Shift:
    """Return the shift that makes forecasts a quantile of what comes, from out-of-fold errors [1]_.

    With at least 100 rows for each fifth of the forecasts every fifth has a shift of its own: the
    errors of large forecasts are often larger.

    Parameters
    ----------
    cases : Cases
        Out-of-fold forecasts.
    quantile : float
        From 0 to 1.

    Returns
    -------
    Shift

    References
    ----------
    .. [1] Y. Romano, E. Patterson, E. Candès (2019). Conformalized quantile regression. NeurIPS.

    Examples
    --------
    >>> ones, y = np.ones(3), np.array([1.0, 2.0, 3.0])
    >>> shift = learn_shift(Cases(y, np.zeros(3), None, ones, np.arange(3)), 0.5)
    >>> shift.apply(np.array([10.0])).tolist()
    [12.0]
    """
    n_bins = int(np.clip(len(cases) // MIN_ROWS_OF_BIN, 1, N_BINS))
    ends = np.linspace(0, 1, n_bins + 1)[1:-1]
    edges = np.unique(np.quantile(cases.prediction, ends)) if n_bins > 1 else np.empty(0)
    place = np.searchsorted(edges, cases.prediction, side="right")
    error = cases.y - cases.prediction
    everywhere = _weighted_quantile(error, cases.weight, quantile)
    added = [
        _weighted_quantile(error[place == i], cases.weight[place == i], quantile)
        if (place == i).sum() >= MIN_ROWS_OF_BIN // 2
        else everywhere
        for i in range(len(edges) + 1)
    ]
    return Shift(quantile, edges, np.array(added))


def _weighted_quantile(values: Floats, weight: Floats, quantile: float) -> float:
    """Return the conformal quantile: the least value with that share of n + 1 at or below it."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum() * len(values)
    place = int(np.searchsorted(reached, quantile * (len(values) + 1) - 1e-9))
    return float(values[order[min(place, len(values) - 1)]])


def compute_quantile_curve(
    gains: Gains, learned: Cases, cases: Cases, *, bootstrap: Bootstrap
) -> pd.DataFrame:
    """Return what acting on each quantile saves against acting on the forecast as it is.

    Parameters
    ----------
    gains : Gains
        Of forecasts.
    learned : Cases
        Out-of-fold forecasts, for the shifts.
    cases : Cases
        The rows on which they are priced.
    bootstrap : Bootstrap
        How to resample.

    Returns
    -------
    DataFrame
        quantile, gain (cost saved for 1,000 rows), low, high (the band, point by point).
    """

    def cost(actions: Array) -> Floats:
        return np.asarray(gains.count_uses(actions, cases.y) @ gains.vector)

    plain = cost(cases.prediction)
    saved = np.column_stack(
        [cost(learn_shift(learned, q).apply(cases.prediction)) - plain for q in QUANTILES]
    )
    low, high = bootstrap.band(PER * bootstrap.means(saved, cases))
    mean = PER * np.asarray(cases.mean(saved))
    return pd.DataFrame({"quantile": QUANTILES, "gain": mean, "low": low, "high": high})


def best_constant(gains: Gains, cases: Cases) -> float:
    """Return the one forecast for all rows that costs least: the same quantile of the target."""
    return _weighted_quantile(cases.y.astype(float), cases.weight, optimal_quantile(gains))
