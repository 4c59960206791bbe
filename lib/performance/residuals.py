"""How predictions of a number miss: on average, by size, in shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lib.estimates import Estimate
from lib.explanation.subgroups import estimate_of, mean_of
from lib.performance.bins import make_bins
from lib.performance.held_out import Floats, HeldOut

N_QUANTILES = 200


@dataclass(frozen=True, eq=False)
class Residuals:
    """What residuals (observed minus predicted) look like.

    Attributes
    ----------
    observed, predicted : array of float, shape (n,)
        What was studied.
    by_prediction : DataFrame with columns rows, predicted, observed, error
        Bins of equal counts; `observed` and `error` (mean absolute) are Estimates.
    slope, intercept : Estimate
        Of a line of observed over predicted; 1 and 0 when predictions are right on average.
    bias : Estimate
        Mean residual.
    spread_trend : float
        Spearman's correlation of the residual's size with the prediction.
    spread_p : float
        Its p-value (rows, or means of groups, taken as independent).
    skewness, kurtosis : float
        Of the residuals; excess over the normal curve's.
    quantiles : DataFrame with columns normal, residual
        Standardised residuals against those of a normal curve, for a Q-Q plot.
    """

    observed: Floats
    predicted: Floats
    by_prediction: pd.DataFrame
    slope: Estimate
    intercept: Estimate
    bias: Estimate
    spread_trend: float
    spread_p: float
    skewness: float
    kurtosis: float
    quantiles: pd.DataFrame


def study_residuals(held: HeldOut, *, level: float = 0.95) -> Residuals:
    """Return what the residuals of a regression show.

    Parameters
    ----------
    held : HeldOut
        Of a regression.
    level : float
        Coverage of the intervals, robust, by groups where rows belong together.

    Returns
    -------
    Residuals

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(500, task="regression")
    >>> rng = np.random.default_rng(0)
    >>> guess = dataset.y.to_numpy() + rng.normal(size=500)
    >>> study_residuals(HeldOut(dataset, guess)).bias.covers(0)
    True
    """
    y, guess, owner = held.y.astype(float), held.prediction, held.owner
    weight = np.ones(len(y)) if held.weight is None else held.weight
    off = y - guess
    intercept, slope = _line(guess, y, weight, held, level)
    bins = make_bins(guess)
    rows = []
    for code in range(int(bins.max(initial=-1)) + 1):
        here = bins == code
        w = weight[here]
        rows.append(
            (
                int(here.sum()),
                float(np.average(guess[here], weights=w)),
                estimate_of(mean_of(y[here], w), owner[here], level),
                estimate_of(mean_of(np.abs(off[here]), w), owner[here], level),
            )
        )
    trend, p = _trend(off, guess, held)
    spread = float(off.std())
    standard = np.sort((off - off.mean()) / spread) if spread > 0 else np.zeros(len(off))
    chosen = np.unique(np.linspace(0, len(off) - 1, min(N_QUANTILES, len(off))).astype(int))
    normal = stats.norm.ppf((chosen + 0.5) / len(off))
    is_varied = spread > 0 and len(off) > 3
    return Residuals(
        observed=y,
        predicted=guess,
        by_prediction=pd.DataFrame(rows, columns=["rows", "predicted", "observed", "error"]),
        slope=slope,
        intercept=intercept,
        bias=estimate_of(mean_of(off, weight), owner, level),
        spread_trend=trend,
        spread_p=p,
        skewness=float(stats.skew(off)) if is_varied else math.nan,
        kurtosis=float(stats.kurtosis(off)) if is_varied else math.nan,
        quantiles=pd.DataFrame({"normal": normal, "residual": standard[chosen]}),
    )


def _line(
    x: Floats, y: Floats, weight: Floats, held: HeldOut, level: float
) -> tuple[Estimate, Estimate]:
    """Return intercept and slope of y over x with a robust interval."""
    scale = float(np.std(x))
    if scale <= 1e-12 * max(float(np.abs(x).max(initial=0.0)), 1e-300) or len(x) < 3:
        return Estimate(math.nan, level=level), Estimate(math.nan, level=level)
    X = np.column_stack([np.ones(len(x)), x])
    inverse = np.linalg.pinv((X * weight[:, np.newaxis]).T @ X)
    beta = inverse @ (X.T @ (weight * y))
    scores = X * (weight * (y - X @ beta))[:, np.newaxis]
    owner = held.owner
    sums = np.column_stack([np.bincount(owner, scores[:, i]) for i in range(2)])
    n = int((np.bincount(owner) > 0).sum())
    covariance = inverse @ (sums.T @ sums) @ inverse * n / max(n - 1, 1)
    t = float(stats.t.ppf((1 + level) / 2, max(n - 2, 1)))
    made = []
    for i in range(2):
        value, arm = float(beta[i]), t * math.sqrt(max(float(covariance[i, i]), 0.0))
        made.append(Estimate(value, value - arm, value + arm, level, "robust", n))
    return made[0], made[1]


def _trend(off: Floats, guess: Floats, held: HeldOut) -> tuple[float, float]:
    size = np.abs(off)
    if held.is_grouped:  # a group is one observation
        counts = np.maximum(np.bincount(held.owner), 1)
        size, guess = (
            np.bincount(held.owner, size) / counts,
            np.bincount(held.owner, guess) / counts,
        )
    if len(size) < 4 or np.ptp(size) == 0 or np.ptp(guess) == 0:
        return math.nan, math.nan
    found = stats.spearmanr(size, guess)
    return float(found.statistic), float(found.pvalue)
