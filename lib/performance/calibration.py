"""Whether probabilities are honest: slope, intercept, curve, calibration error, Brier's parts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special, stats

from lib.estimates import Estimate, bootstrap_many, wilson
from lib.explanation.subgroups import estimate_of, mean_of
from lib.performance.held_out import Floats, HeldOut, Ints

TINY = 1e-6  # probabilities nearer to 0 or 1 have no finite logit: they are moved here
N_BINS = 10
MIN_IN_BIN = 20
MIN_EVENTS = 5  # and as many rows without: robust intervals of fewer are too short
MAX_STEPS = 50
HONEST, OFF, UNKNOWN = "no sign of miscalibration", "miscalibrated", "too few rows to tell"


@dataclass(frozen=True, eq=False)
class Events:
    """Something that happens or not, and the probability that was given to it.

    Attributes
    ----------
    happened : array of float, shape (n,)
        1 or 0.
    probability : array of float, shape (n,)
    weight : array of float, shape (n,)
    owner : array of int, shape (n,)
        Group of each row.
    words : str
        What the event is.
    """

    happened: Floats
    probability: Floats
    weight: Floats
    owner: Ints
    words: str

    @property
    def is_plain(self) -> bool:
        """Whether rows are single and count alike."""
        return bool(np.all(self.weight == 1)) and len(np.unique(self.owner)) == len(self.owner)


def make_events(held: HeldOut, *, of_class: int | None = None) -> Events:
    """Return the event whose probability is judged.

    Parameters
    ----------
    held : HeldOut
        Of a classification task.
    of_class : int, optional
        Code of a class. By default the positive class of two; of more, that the most likely
        class is the right one.

    Returns
    -------
    Events

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(10)
    >>> make_events(HeldOut(dataset, dataset.truth["probabilities"])).words
    'target = 1'
    """
    dataset, proba = held.dataset, held.prediction
    code = 1 if of_class is None and held.task == "binary" else of_class
    if code is None:
        happened, probability = proba.argmax(axis=1) == held.y, proba.max(axis=1)
        words = "the most likely class is right"
    else:
        happened, probability = held.y == code, proba[:, code]
        words = f"{dataset.target} = {dataset.classes[code]}"
    weight = np.ones(len(held)) if held.weight is None else held.weight
    return Events(happened.astype(float), np.asarray(probability), weight, held.owner, words)


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
