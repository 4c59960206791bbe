"""`BusinessImpactAnalyzer`: return on investment from counts, and thresholds from rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.gains import Floats, make_gains
from lib.business.thresholds import choose_threshold, compute_profit_curve
from lib.errors import InputError
from lib.estimates import Estimate


@dataclass(frozen=True)
class Account:
    """What decisions earned, with intervals.

    Attributes
    ----------
    total_benefit : Estimate
        True positives × benefit.
    total_cost : Estimate
        False positives × their cost + missed positives × their cost.
    net_benefit : Estimate
        total_benefit - total_cost.
    roi : Estimate
        net_benefit / total_cost × 100, in percent; NaN when nothing was spent.
    net_benefit_of_acting : Estimate
        Against treating nobody: what the decisions changed.
    """

    total_benefit: Estimate
    total_cost: Estimate
    net_benefit: Estimate
    roi: Estimate
    net_benefit_of_acting: Estimate

    def tabulate(self) -> pd.DataFrame:
        """Return a table of quantity, estimate."""
        rows = [(name, getattr(self, name)) for name in self.__dataclass_fields__]
        return pd.DataFrame(rows, columns=["quantity", "estimate"])


@dataclass(frozen=True)
class ThresholdAnalysis:
    """Thresholds and what they earn.

    Attributes
    ----------
    table : DataFrame
        threshold, precision, recall, roi (%), net_benefit_of_acting (Estimate), all for the rows
        given.
    best_threshold : Estimate
        Of most net benefit on these rows, with the interval of that choice; above 1 when acting
        never paid.
    threshold : float
        To use: break-even, unless the best is ahead of it by more than a standard error.
    break_even : float
        What the amounts alone ask for.
    """

    table: pd.DataFrame
    best_threshold: Estimate
    threshold: float
    break_even: float


class BusinessImpactAnalyzer:
    """What a classifier's decisions are worth.

    `calculate_roi` is the draft's return on investment by the draft's formula. It has two
    weaknesses, which is why `net_benefit_of_acting` stands beside it. Missed positives are booked
    as a cost that nobody spends, so the ROI of a perfect policy that misses some may be negative,
    and it has no reference: one never learns what would have happened without a model. Acting
    changes a missed positive into a found one, worth benefit_per_tp + cost_per_fn when both are
    counted from one zero, and a negative left alone into a false alarm, worth -cost_per_fp.
    Differences to treating nobody need nothing else.

    Parameters
    ----------
    tp, fp, tn, fn : int
        Counts of decisions: acted on a positive, on a negative; left a negative, a positive.
    bootstrap : Bootstrap, optional
        How intervals are made: rows of the same table are drawn anew.

    Raises
    ------
    InputError
        When a count is negative, or all are 0.

    Examples
    --------
    >>> analyzer = BusinessImpactAnalyzer(tp=60, fp=20, tn=900, fn=20)
    >>> returns = analyzer.calculate_roi(benefit_per_tp=100, cost_per_fp=50, cost_per_fn=200)
    >>> returns.total_benefit.value, returns.total_cost.value, returns.net_benefit.value
    (6000.0, 5000.0, 1000.0)
    >>> f"{returns.roi.value:.0f} %", returns.net_benefit_of_acting.value
    ('20 %', 17000.0)
    """

    def __init__(
        self, tp: int, fp: int, tn: int, fn: int, *, bootstrap: Bootstrap | None = None
    ) -> None:
        counts = np.array([tp, fp, tn, fn], dtype=float)
        if (counts < 0).any() or counts.sum() <= 0:
            raise InputError(f"Counts are at least 0 and not all 0; got {counts.tolist()}.")
        self.tp, self.fp, self.tn, self.fn = tp, fp, tn, fn
        self.bootstrap = bootstrap or Bootstrap()

    def calculate_roi(
        self, benefit_per_tp: float = 100, cost_per_fp: float = 50, cost_per_fn: float = 200
    ) -> Account:
        """Return benefit, cost and ROI by the draft's formula, and what acting changed.

        Parameters
        ----------
        benefit_per_tp, cost_per_fp, cost_per_fn : float
            Money for a decision, all at least 0.

        Returns
        -------
        Account
            Each an Estimate.

        Raises
        ------
        InputError
            When an amount is negative.
        """
        amounts = np.array([benefit_per_tp, cost_per_fp, cost_per_fn], dtype=float)
        if (amounts < 0).any():
            raise InputError(f"Benefit and costs are given as at least 0; got {amounts.tolist()}.")
        counts = np.array([self.tp, self.fp, self.tn, self.fn], dtype=float)
        n = int(counts.sum())
        rng = np.random.default_rng(self.bootstrap.random_state)
        drawn = rng.multinomial(n, counts / n, size=self.bootstrap.n_resamples).astype(float)
        whole, resampled = _book(counts[np.newaxis], amounts), _book(drawn, amounts)
        made = {}
        for name, values in resampled.items():
            known = values[np.isfinite(values)]
            low, high = self.bootstrap.band(known) if len(known) else (np.nan, np.nan)
            value = float(whole[name][0])
            ends = (float(low), float(high)) if np.isfinite(value) else (np.nan, np.nan)
            method = "percentile bootstrap of rows"
            made[name] = Estimate(value, *ends, self.bootstrap.level, method, len(known))
        return Account(**made)

    def threshold_analysis(
        self,
        y_true: npt.ArrayLike,
        y_proba: npt.ArrayLike,
        *,
        benefit_per_tp: float = 100,
        cost_per_fp: float = 50,
        cost_per_fn: float = 200,
        groups: npt.ArrayLike | None = None,
        thresholds: npt.ArrayLike | None = None,
    ) -> ThresholdAnalysis:
        """Return precision, recall and returns over thresholds, and the best threshold.

        Give it rows that the model has not seen *and* that nothing else is judged on, such as
        out-of-fold predictions. The draft chose on the test set, where the best of many thresholds
        is partly luck: its return there is no longer an honest one. It also chose the highest ROI,
        which prefers to act on one certain row alone; here the best threshold has the most net
        benefit, and break-even is preferred to it where the rows do not tell them apart.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            1 for positive, 0 for negative.
        y_proba : array-like of shape (n_rows,) or (n_rows, 2)
            Probability of the positive class.
        benefit_per_tp, cost_per_fp, cost_per_fn : float
            Money for a decision, all at least 0.
        groups : array-like of shape (n_rows,), optional
            Rows that are drawn together for intervals.
        thresholds : array-like, optional
            Those of the table; by default 0.05 to 0.95. The best one is sought among all scores.

        Returns
        -------
        ThresholdAnalysis

        Raises
        ------
        InputError
            When lengths differ, or labels are not 0 and 1.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> p = rng.random(2_000)
        >>> y = (rng.random(2_000) < p).astype(int)
        >>> analyzer = BusinessImpactAnalyzer(tp=1, fp=0, tn=1, fn=0)
        >>> found = analyzer.threshold_analysis(y, p, thresholds=[0.25, 0.5, 0.75])
        >>> found.table["precision"].round(2).tolist()[-3:]
        [0.63, 0.75, 0.89]
        >>> round(found.break_even, 3), found.best_threshold.covers(found.break_even)
        (0.143, True)
        """
        cases = _as_cases(y_true, y_proba, groups)
        gains = make_gains(
            {"tp": benefit_per_tp, "fp": -cost_per_fp, "fn": -cost_per_fn}, reason="As given."
        )
        choice = choose_threshold(gains, cases, bootstrap=self.bootstrap)
        grid = np.arange(1, 20) / 20 if thresholds is None else np.asarray(thresholds, dtype=float)
        shown = np.unique(np.r_[grid, choice.best.value, choice.threshold])
        curve = compute_profit_curve(gains, cases, shown, bootstrap=self.bootstrap)
        n, scale = len(cases), len(cases) / 1_000
        amounts = np.array([benefit_per_tp, cost_per_fp, cost_per_fn], dtype=float)
        rows = []
        for i, threshold in enumerate(shown):
            acts = cases.prediction >= threshold
            tp, fp = float((acts & (cases.y == 1)).sum()), float((acts & (cases.y == 0)).sum())
            n_positive = float((cases.y == 1).sum())
            counts = np.array([[tp, fp, n - tp - fp - (n_positive - tp), n_positive - tp]])
            rows.append(
                {
                    "threshold": float(threshold),
                    "precision": tp / (tp + fp) if tp + fp else np.nan,
                    "recall": tp / n_positive if n_positive else np.nan,
                    "roi": float(_book(counts, amounts)["roi"][0]),
                    "net_benefit_of_acting": self.bootstrap.estimate(
                        scale * curve.gain[i], scale * curve.resampled[:, i], cases
                    ),
                }
            )
        table = pd.DataFrame(rows)
        return ThresholdAnalysis(table, choice.best, choice.threshold, choice.break_even)


def _book(counts: Floats, amounts: Floats) -> dict[str, Floats]:
    """Return the entries of the account for each row of counts (tp, fp, tn, fn)."""
    tp, fp, _, fn = counts.T
    benefit_per_tp, cost_per_fp, cost_per_fn = amounts
    benefit, cost = tp * benefit_per_tp, fp * cost_per_fp + fn * cost_per_fn
    with np.errstate(divide="ignore", invalid="ignore"):
        roi = np.where(cost > 0, 100 * (benefit - cost) / cost, np.nan)
    return {
        "total_benefit": benefit,
        "total_cost": cost,
        "net_benefit": benefit - cost,
        "roi": roi,
        "net_benefit_of_acting": tp * (benefit_per_tp + cost_per_fn) - fp * cost_per_fp,
    }


def _as_cases(y_true: Any, y_proba: Any, groups: Any) -> Cases:
    y, p = np.asarray(y_true), np.asarray(y_proba, dtype=float)
    p = p[:, 1] if p.ndim == 2 and p.shape[1] == 2 else p
    units = np.arange(len(y)) if groups is None else pd.factorize(np.asarray(groups))[0]
    if p.shape != y.shape or units.shape != y.shape:
        raise InputError(f"One probability and one group a row: got {p.shape} for {y.shape}.")
    if not np.isin(y, [0, 1]).all():
        others = pd.unique(y[~np.isin(y, [0, 1])])[:3].tolist()
        raise InputError(
            f"y_true holds 0 and 1; got {', '.join(map(repr, others))}: turn the positive label "
            "into 1, as in (y == label).astype(int)."
        )
    return Cases(y.astype(int), p, None, np.ones(len(y)), units)
