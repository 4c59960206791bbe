"""The threshold of a binary decision: chosen out of fold, compared, judged in hindsight."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.gains import Floats, Gains, break_even_probability
from lib.business.policies import PER
from lib.estimates import Estimate

N_LINEAR, N_RARE = 60, 60  # candidates: evenly over the rows, and closer where few are acted upon
OVER_ALL = float(np.nextafter(1.0, 2.0))  # a threshold that no probability reaches


@dataclass(frozen=True, eq=False)
class ProfitCurve:
    """What acting on every row at or above a threshold earns, over thresholds.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Ascending, from treating all to treating nobody.
    acted : ndarray of shape (n_thresholds,)
        Share of rows acted upon.
    gain : ndarray of shape (n_thresholds,)
        Net benefit against treating nobody, for 1,000 rows.
    resampled : ndarray of shape (n_resamples, n_thresholds)
        The same on resamples.
    one_row : float
        What a single row brings or costs, for 1,000 rows: the mean of positives, or of negatives
        when that is more.
    cases : Cases
        The rows.
    bootstrap : Bootstrap
        How they were resampled.
    """

    thresholds: Floats
    acted: Floats
    gain: Floats
    resampled: Floats = field(repr=False)
    one_row: float
    cases: Cases = field(repr=False)
    bootstrap: Bootstrap

    def tabulate(self) -> pd.DataFrame:
        """Return a table of threshold, acted, gain, low, high; the band is point by point."""
        low, high = self.bootstrap.band(self.resampled)
        columns = {"threshold": self.thresholds, "acted": self.acted, "gain": self.gain}
        return pd.DataFrame({**columns, "low": low, "high": high})


@dataclass(frozen=True)
class Choice:
    """A threshold and where it comes from.

    Attributes
    ----------
    threshold : float
        Act from this probability on; above 1 nobody is acted upon.
    best : Estimate
        The threshold that earned most, with its interval over resamples.
    break_even : float
        The threshold that the gains alone ask for, right for calibrated probabilities.
    curve : ProfitCurve
        On the rows that it was chosen on.
    """

    threshold: float
    best: Estimate
    break_even: float
    curve: ProfitCurve = field(repr=False)

    @property
    def best_constant(self) -> str:
        """What is better without a model: "treat all" or "treat nobody" (when level)."""
        return "treat all" if self.curve.gain[0] > 1e-9 * PER else "treat nobody"


def list_thresholds(scores: Floats, *extra: float) -> Floats:
    """Return thresholds worth a look: scores of rows, closer together where few are acted upon.

    Examples
    --------
    >>> list_thresholds(np.array([0.2, 0.4, 0.4]), 0.3).round(2).tolist()
    [0.0, 0.2, 0.3, 0.4, 1.0]
    """
    ranked = np.sort(scores)[::-1]
    even = np.linspace(0, len(ranked) - 1, N_LINEAR)
    rare = np.geomspace(1, max(len(ranked), 2), N_RARE) - 1
    places = np.unique(np.r_[even, rare].astype(int).clip(0, len(ranked) - 1))
    return np.unique(np.r_[0.0, ranked[places], np.array(extra), OVER_ALL])


def compute_profit_curve(
    gains: Gains, cases: Cases, thresholds: Floats, *, bootstrap: Bootstrap
) -> ProfitCurve:
    """Return what acting at or above each threshold earns against treating nobody.

    Parameters
    ----------
    gains : Gains
        Of a binary decision.
    cases : Cases
        With the probability of the positive class.
    thresholds : ndarray of shape (n_thresholds,)
        Ascending.
    bootstrap : Bootstrap
        How to resample.

    Returns
    -------
    ProfitCurve

    Examples
    --------
    >>> from lib.business import make_gains
    >>> ones = np.ones(4)
    >>> cases = Cases(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), None, ones, ones)
    >>> gains = make_gains({"tp": 10, "fp": -10})
    >>> curve = compute_profit_curve(gains, cases, np.array([0.0, 0.5]), bootstrap=Bootstrap(50))
    >>> curve.gain.tolist(), curve.acted.tolist()
    ([0.0, 5000.0], [1.0, 0.5])
    """
    value = gains.value_of_acting(cases.y, cases.amounts)
    acts = cases.prediction[:, np.newaxis] >= thresholds
    earned = np.where(acts, value[:, np.newaxis], 0.0)
    means = [abs(float(value[cases.y == c].mean())) for c in (0, 1) if (cases.y == c).any()]
    return ProfitCurve(
        thresholds=thresholds,
        acted=np.asarray(cases.mean(acts.astype(float))),
        gain=PER * np.asarray(cases.mean(earned)),
        resampled=PER * bootstrap.means(earned, cases),
        one_row=PER * max(means) / len(cases),
        cases=cases,
        bootstrap=bootstrap,
    )


def find_break_even(gains: Gains, cases: Cases) -> float:
    """Return the break-even probability, with the mean amount of the positive rows given."""
    amount = None
    if cases.amounts is not None and (cases.y == 1).any():
        is_positive = cases.y == 1
        amount = float(np.average(cases.amounts[is_positive], weights=cases.weight[is_positive]))
    return break_even_probability(gains.money, amount=amount)


def choose_threshold(gains: Gains, cases: Cases, *, bootstrap: Bootstrap) -> Choice:
    """Return the threshold to use, from rows whose predictions are out of fold.

    Break-even is used, unless the threshold that earned most on these rows (treating all and
    treating nobody are among them) is ahead of it by more than one standard error of their
    difference, and by more than a single row brings or costs. The best of many
    thresholds is lucky, the more the fewer rows there are, while break-even is right for calibrated
    probabilities; where they are off, or where amounts rise with them, the difference soon exceeds
    its error.

    Parameters
    ----------
    gains : Gains
        Of a binary decision.
    cases : Cases
        Out-of-fold predictions; never rows on which the choice is priced.
    bootstrap : Bootstrap
        How to resample.

    Returns
    -------
    Choice

    Examples
    --------
    >>> from lib.business import make_gains
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(4_000)
    >>> y = (rng.random(4_000) < p).astype(int)
    >>> cases = Cases(y, p, None, np.ones(4_000), np.arange(4_000))
    >>> choice = choose_threshold(make_gains({"tp": 90, "fp": -10}), cases, bootstrap=Bootstrap(50))
    >>> choice.break_even, choice.threshold, abs(choice.best.value - 0.1) < 0.05
    (0.1, 0.1, True)
    """
    break_even = find_break_even(gains, cases)
    thresholds = list_thresholds(cases.prediction, break_even)
    curve = compute_profit_curve(gains, cases, thresholds, bootstrap=bootstrap)
    distance = np.abs(thresholds - break_even)

    def best(earned: Floats) -> float:
        level = np.flatnonzero(earned >= earned.max() - 1e-9 * max(1.0, abs(earned.max())))
        return float(thresholds[level[np.argmin(distance[level])]])

    leader = best(curve.gain)
    again = np.array([best(earned) for earned in curve.resampled if np.isfinite(earned).all()])
    at, plain = (int(np.argmin(np.abs(thresholds - t))) for t in (leader, break_even))
    error = float(np.nanstd(curve.resampled[:, at] - curve.resampled[:, plain]))
    is_ahead = curve.gain[at] - curve.gain[plain] > max(error, curve.one_row)
    interval = bootstrap.estimate(leader, again, cases)
    return Choice(leader if is_ahead else break_even, interval, break_even, curve)


def estimate_regret(curve: ProfitCurve, threshold: float) -> Estimate:
    """Return what the best threshold in hindsight would have earned more, for 1,000 rows.

    The best of many thresholds on the same rows is lucky: the value is too high. The interval is
    that of a band round the differences of all thresholds at once [1]_, so it holds the true
    regret whichever threshold won. A single row is added to each standard error: between
    neighbouring thresholds there are few rows, and resamples know no outcome that is not there.

    Parameters
    ----------
    curve : ProfitCurve
        On the rows on which the threshold is priced.
    threshold : float
        One of the curve's.

    Returns
    -------
    Estimate
        At least 0; a low end of 0 says that no threshold is distinguishably better.

    References
    ----------
    .. [1] J. Montiel Olea, M. Plagborg-Møller (2019). Simultaneous confidence bands. Journal of
       Applied Econometrics 34:1.
    """
    at = int(np.argmin(np.abs(curve.thresholds - threshold)))
    ahead = curve.gain - curve.gain[at]
    drawn = curve.resampled - curve.resampled[:, [at]]
    spread = np.hypot(np.nanstd(drawn, axis=0), np.where(ahead == 0, 0.0, curve.one_row))
    varies = spread > 1e-12 * max(float(np.abs(curve.gain).max()), 1e-12)
    value = float(ahead.max())
    method, n = "simultaneous band over thresholds", len(drawn)
    level = curve.bootstrap.level
    if not varies.any() or curve.cases.n_units < 2:
        return Estimate(value, level=level, method=method, n=n)
    studentised = np.abs(drawn[:, varies] - ahead[varies]) / spread[varies]
    reach = float(np.nanquantile(studentised.max(axis=1), level)) * np.where(varies, spread, 0.0)
    low, high = max(0.0, float((ahead - reach).max())), float((ahead + reach).max())
    return Estimate(value, low, high, level, method, n)
