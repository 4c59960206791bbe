"""Whether probabilities are too extreme, or off on the whole: slope, intercept, a verdict."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import special, stats

from lib.estimates import Estimate
from lib.performance.events import Events, make_events
from lib.performance.held_out import Floats, HeldOut

TINY = 1e-6  # probabilities nearer to 0 or 1 have no finite logit: they are moved here
MIN_EVENTS = 5  # and as many rows without: robust intervals of fewer are too short
MAX_STEPS = 50
HONEST, OFF, UNKNOWN = "no sign of miscalibration", "miscalibrated", "too few rows to tell"


def fit_recalibration(events: Events, *, level: float = 0.95) -> dict[str, Estimate]:
    """Return slope and intercepts of a logistic recalibration [1]_.

    The log-odds of the event are regressed on the log-odds of its predicted probability.

    Parameters
    ----------
    events : Events
        From `make_events`.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict of str to Estimate
        "slope": 1 when probabilities are honest, below when they are too extreme. "intercept":
        log-odds by which they are off on the whole when the slope is held at 1
        (calibration-in-the-large), 0 when honest, positive when the event is more frequent than
        predicted. Intervals are robust (sandwich), by group where rows belong together. NaN where
        fewer than five events (or rows without) are there, or both are told apart without error.

    References
    ----------
    .. [1] D. Cox (1958). Two further applications of a model for binary regression. Biometrika
       45:562. B. Van Calster et al. (2019). Calibration: the Achilles heel of predictive
       analytics. BMC Medicine 17:230.

    Examples
    --------
    Honest log-odds, then the same doubled:

    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(0.1, 0.9, 5_000)
    >>> y = (rng.random(5_000) < p).astype(float)
    >>> odd, ones = special.expit(2 * special.logit(p)), np.ones(5_000)
    >>> honest, doubled = (
    ...     fit_recalibration(Events(y, q, ones, np.arange(5_000), "y = 1")) for q in (p, odd)
    ... )
    >>> honest["slope"].covers(1), doubled["slope"].covers(0.5), doubled["slope"].covers(1)
    (True, True, False)
    """
    logit = special.logit(np.clip(events.probability, TINY, 1 - TINY))
    ones = np.ones((len(logit), 1))
    slope = _logistic(np.column_stack([ones, logit]), np.zeros(len(logit)), events)
    large = _logistic(ones, logit, events)
    z = float(stats.norm.ppf((1 + level) / 2))
    n = len(logit)
    return {
        "slope": _wald(slope, 1, z, level, n),
        "intercept": _wald(large, 0, z, level, n),
    }


def _wald(
    fit: tuple[Floats, Floats] | None, place: int, z: float, level: float, n: int
) -> Estimate:
    if fit is None:
        return Estimate(math.nan, level=level)
    value, arm = float(fit[0][place]), z * math.sqrt(float(fit[1][place, place]))
    return Estimate(value, value - arm, value + arm, level, "robust", n)


def _logistic(X: Floats, offset: Floats, events: Events) -> tuple[Floats, Floats] | None:
    """Return coefficients and robust covariance by Newton's method; None without a maximum."""
    y, w = events.happened, events.weight
    beta = np.zeros(X.shape[1])
    if X.shape[1] == 2:
        beta[1] = 1.0
    if min(y.sum(), (1 - y).sum()) < MIN_EVENTS or (X.shape[1] == 2 and np.ptp(X[:, 1]) < 1e-9):
        return None
    best = -np.inf
    for _ in range(MAX_STEPS):
        eta = offset + X @ beta
        p = special.expit(eta)
        gradient = X.T @ (w * (y - p))
        curvature = (X * (w * p * (1 - p))[:, np.newaxis]).T @ X
        best = float(w @ (y * eta - np.logaddexp(0, eta)))
        if np.linalg.cond(curvature) > 1e12:
            return None
        step = np.linalg.solve(curvature, gradient)
        for _halving in range(30):
            tried = offset + X @ (beta + step)
            if float(w @ (y * tried - np.logaddexp(0, tried))) >= best - 1e-12:
                break
            step = step / 2
        beta = beta + step
        if np.abs(beta).max() > 100:
            return None
        if np.abs(step).max() < 1e-10:
            break
    else:
        return None
    p = special.expit(offset + X @ beta)
    scores = X * (w * (y - p))[:, np.newaxis]
    sums = np.column_stack([np.bincount(events.owner, scores[:, i]) for i in range(X.shape[1])])
    n = int((np.bincount(events.owner) > 0).sum())
    inverse = np.linalg.inv((X * (w * p * (1 - p))[:, np.newaxis]).T @ X)
    return beta, inverse @ (sums.T @ sums) @ inverse * n / max(n - 1, 1)


def judge_calibration(recalibration: dict[str, Estimate]) -> str:
    """Return in words whether slope and intercept leave doubt about the probabilities.

    Examples
    --------
    >>> judge_calibration({"slope": Estimate(0.5, 0.4, 0.6), "intercept": Estimate(0, -0.1, 0.1)})
    'miscalibrated: too extreme'
    """
    slope, intercept = recalibration["slope"], recalibration["intercept"]
    if not slope.has_interval or not intercept.has_interval:
        return UNKNOWN
    faults = []
    if not slope.covers(1):
        faults.append("too extreme" if slope.value < 1 else "too cautious")
    if not intercept.covers(0):
        faults.append("too low on the whole" if intercept.value > 0 else "too high on the whole")
    return f"{OFF}: {' and '.join(faults)}" if faults else HONEST


def tabulate_classes(held: HeldOut, *, level: float = 0.95, max_classes: int = 20) -> pd.DataFrame:
    """Return the calibration of each class against the rest.

    Parameters
    ----------
    held : HeldOut
        Of a multiclass task.
    level : float
        Coverage of the intervals.
    max_classes : int
        The most frequent ones.

    Returns
    -------
    DataFrame
        class, rows, predicted (mean probability), observed (share of rows), slope, intercept
        (Estimates).
    """
    counts = np.bincount(held.y, minlength=len(held.dataset.classes))
    rows = []
    for code in np.sort(np.argsort(-counts, kind="stable")[:max_classes]).tolist():
        events = make_events(held, of_class=code)
        fit = fit_recalibration(events, level=level)
        predicted = float(np.average(events.probability, weights=events.weight))
        observed = float(np.average(events.happened, weights=events.weight))
        name = held.dataset.classes[code]
        rows.append((name, int(counts[code]), predicted, observed, fit["slope"], fit["intercept"]))
    return pd.DataFrame(
        rows, columns=["class", "rows", "predicted", "observed", "slope", "intercept"]
    )
