"""Brier's score: its parts, and whether it is what the probabilities themselves predict."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lib.performance.events import Events
from lib.performance.held_out import Ints


@dataclass(frozen=True)
class BrierParts:
    """Brier's score taken apart [1]_: `reliability - resolution + uncertainty + within`.

    Attributes
    ----------
    score : float
        Mean squared distance of probability and event.
    reliability : float
        Lost because bins are off: 0 is best.
    resolution : float
        Gained because bins differ from each other: high is best.
    uncertainty : float
        Of the event itself; no model changes it.
    within : float
        What bins hide: variance of the probabilities inside a bin minus twice their covariance
        with the event.

    References
    ----------
    .. [1] A. Murphy (1973). A new vector partition of the probability score. Journal of Applied
       Meteorology 12:595. D. Stephenson et al. (2008). Two extra components in the Brier score
       decomposition. Weather and Forecasting 23:752.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def decompose_brier(events: Events, bins: Ints) -> BrierParts:
    """Return the parts of Brier's score, which add up exactly.

    Examples
    --------
    >>> p, y = np.array([0.2, 0.2, 0.8, 0.8]), np.array([0.0, 0, 1, 0])
    >>> parts = decompose_brier(Events(y, p, np.ones(4), np.arange(4), "y"), np.array([0, 0, 1, 1]))
    >>> round(parts.reliability, 4), round(parts.resolution, 4), round(parts.uncertainty, 4)
    (0.065, 0.0625, 0.1875)
    >>> round(parts.score, 4)
    0.19
    """
    w = events.weight / events.weight.sum()
    y, p = events.happened, events.probability
    share = np.bincount(bins, weights=w)
    held = np.maximum(share, np.finfo(float).tiny)
    observed, predicted = np.bincount(bins, w * y) / held, np.bincount(bins, w * p) / held
    base = float(w @ y)
    apart = p - predicted[bins]
    return BrierParts(
        score=float(w @ (p - y) ** 2),
        reliability=float(share @ (predicted - observed) ** 2),
        resolution=float(share @ (observed - base) ** 2),
        uncertainty=base * (1 - base),
        within=float(w @ apart**2 - 2 * (w @ (apart * (y - observed[bins])))),
    )


def spiegelhalter(events: Events) -> tuple[float, float]:
    """Return Spiegelhalter's z and its two-sided p: whether Brier's score is as predicted [1]_.

    Where rows belong together or have weights, the variance is that of the groups' sums.

    References
    ----------
    .. [1] D. Spiegelhalter (1986). Probabilistic prediction in patient management and clinical
       trials. Statistics in Medicine 5:421.

    Examples
    --------
    >>> p, y = np.array([0.1, 0.9]), np.array([0.0, 1.0])
    >>> z, p_value = spiegelhalter(Events(y, p, np.ones(2), np.arange(2), "y"))
    >>> round(z, 3), round(p_value, 3)
    (-0.471, 0.637)
    """
    y, p, w = events.happened, events.probability, events.weight
    terms = w * (y - p) * (1 - 2 * p)
    if events.is_plain:
        variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    else:
        variance = float((np.bincount(events.owner, terms) ** 2).sum())
    if variance <= 0:
        return math.nan, math.nan
    z = float(terms.sum()) / math.sqrt(variance)
    return z, float(2 * stats.norm.sf(abs(z)))
