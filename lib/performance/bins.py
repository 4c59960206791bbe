"""Predicted and observed shares in bins of rows, and the calibration error that they show."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from lib.estimates import Estimate, bootstrap_many, wilson
from lib.explanation.subgroups import estimate_of, mean_of
from lib.performance.events import Events
from lib.performance.held_out import Floats, Ints

N_BINS = 10
MIN_IN_BIN = 20


def make_bins(
    probability: Floats, *, n_bins: int = N_BINS, kind: Literal["count", "width"] = "count"
) -> Ints:
    """Return the bin of each probability, the lowest first.

    Parameters
    ----------
    probability : array of shape (n,)
    n_bins : int
        At most so many.
    kind : {"count", "width"}
        Bins of equal counts, at least twenty rows each (equal values stay together), or of equal
        width between 0 and 1.

    Returns
    -------
    array of int, shape (n,)
        From 0 without gaps.

    Examples
    --------
    >>> make_bins(np.array([0.1, 0.2, 0.9]), n_bins=2, kind="width").tolist()
    [0, 0, 1]
    """
    if kind == "width":
        raw = np.minimum((probability * n_bins).astype(int), n_bins - 1)
    else:
        wanted = max(min(n_bins, len(probability) // MIN_IN_BIN), 1)
        values, counts = np.unique(probability, return_counts=True)
        middle = np.cumsum(counts) - counts / 2  # equal values share a bin
        of_value = np.minimum((middle * wanted / len(probability)).astype(int), wanted - 1)
        raw = of_value[np.searchsorted(values, probability)]
    return np.unique(raw, return_inverse=True)[1].astype(np.intp)


def tabulate_calibration(events: Events, bins: Ints, *, level: float = 0.95) -> pd.DataFrame:
    """Return predicted and observed shares, bin by bin.

    Parameters
    ----------
    events : Events
        From `make_events`.
    bins : array of int, shape (n,)
        From `make_bins`.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        rows, predicted (mean), observed (Estimate: Wilson, or by groups and weights).
    """
    rows = []
    for code in range(int(bins.max(initial=-1)) + 1):
        here = bins == code
        happened, weight = events.happened[here], events.weight[here]
        if events.is_plain:
            observed = wilson(int(happened.sum()), int(here.sum()), level=level)
        else:
            measured = mean_of(happened, weight, (0.0, 1.0))
            observed = estimate_of(measured, events.owner[here], level)
            if observed.value in {0.0, 1.0}:
                n = len(np.unique(events.owner[here]))
                observed = wilson(round(observed.value) * n, n, level=level)
        predicted = float(np.average(events.probability[here], weights=weight))
        rows.append((int(here.sum()), predicted, observed))
    return pd.DataFrame(rows, columns=["rows", "predicted", "observed"])


def calibration_error(happened: Floats, probability: Floats, weight: Floats, bins: Ints) -> float:
    """Return the expected calibration error: the mean distance of observed and predicted shares.

    Examples
    --------
    The example of two bins of torchmetrics' tests:

    >>> p, y = np.array([0.25, 0.25, 0.55, 0.75, 0.75]), np.array([0.0, 0, 1, 1, 1])
    >>> round(calibration_error(y, p, np.ones(5), make_bins(p, n_bins=2, kind="width")), 4)
    0.29
    """
    gaps = np.bincount(bins, weights=weight * (happened - probability))
    return float(np.abs(gaps).sum() / weight.sum())


def estimate_calibration_error(
    events: Events, bins: Ints, *, n_resamples: int, random_state: int, level: float = 0.95
) -> tuple[Estimate, float, Estimate]:
    """Return the calibration error, corrected and as it is, and what an honest model would show.

    Chance alone moves the shares of a bin away from what was predicted, so the plain error is
    never 0. The bootstrap tells about how much it is raised; a simulation with the predicted
    probabilities tells what it would be if they were honest.

    Parameters
    ----------
    events : Events
        From `make_events`.
    bins : array of int, shape (n,)
        From `make_bins`.
    n_resamples : int
        Of bootstrap and simulation.
    random_state : int
        Seed.
    level : float
        Coverage of both intervals.

    Returns
    -------
    corrected : Estimate
        Twice the plain error minus its mean over resamples, with the basic bootstrap interval,
        of whole groups where rows belong together; not below 0. Where that leaves nothing, the
        interval reaches from 0 to the upper end of the resampled errors: too far rather than
        pretending that the error is known to be 0.
    plain : float
        On these rows.
    honest : Estimate
        Mean and central interval of the plain error when the predicted probabilities are the true
        ones and rows are independent.
    """
    n = len(bins)
    plain = calibration_error(events.happened, events.probability, events.weight, bins)
    rng = np.random.default_rng(random_state)
    draws = rng.random((n_resamples, n)) < events.probability if n * n_resamples < 3e7 else None
    drawn = (
        (draws[i] if draws is not None else rng.random(n) < events.probability)
        for i in range(n_resamples)
    )
    null = np.array(
        [
            calibration_error(one.astype(float), events.probability, events.weight, bins)
            for one in drawn
        ]
    )
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(null, tails)
    honest = Estimate(float(null.mean()), float(low), float(high), level, "simulation", n_resamples)
    if len(np.unique(events.owner)) < 2:
        return Estimate(plain, level=level), plain, honest
    seen: list[float] = []

    def remember(y: Floats, p: Floats, w: Floats, b: Ints) -> list[float]:
        seen.append(calibration_error(y, p, w, b))
        return seen[-1:]

    (drawn_interval,) = bootstrap_many(
        remember,
        events.happened,
        events.probability,
        events.weight,
        bins,
        n_resamples=n_resamples,
        random_state=random_state,
        groups=None if len(np.unique(events.owner)) == n else events.owner,
        method="percentile",
        level=level,
    )
    mean = float(np.mean(seen[:n_resamples]))
    value, ends = (
        2 * plain - mean,
        (2 * plain - drawn_interval.high, 2 * plain - drawn_interval.low),
    )
    if value <= 0:  # chance explains all of the error: what is left is known from above only
        ends = (0.0, drawn_interval.high)
    return (
        Estimate(
            max(value, 0.0),
            max(ends[0], 0.0),
            max(ends[1], 0.0),
            level,
            f"basic {drawn_interval.method.removeprefix('percentile ')}",
            n_resamples,
        ),
        plain,
        honest,
    )
