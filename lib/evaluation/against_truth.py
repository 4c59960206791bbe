"""Strategies against a held-out truth: bias, spread, coverage and cost over many small samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate, wilson
from lib.evaluation.cross_validation import PreparedFold
from lib.evaluation.metrics import Metric, check_scoring, scorers
from lib.evaluation.strategies import estimate_scores
from lib.resampling import Positions, Strategy

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """What strategies estimated, sample by sample, beside the truth.

    Attributes
    ----------
    draws : DataFrame
        One row a sample and strategy: draw, strategy, judges, chosen, estimate, truth, naive_low,
        naive_high, corrected_low, corrected_high, n_fits, reason. `truth` is the score of the
        model that was fitted on the whole sample, on rows of the rest.
    level : float
        Coverage that the intervals aim at.
    scoring : str
        The metric.
    """

    draws: pd.DataFrame
    level: float
    scoring: str

    def summarise(self) -> pd.DataFrame:
        """Return one row a strategy, with Monte-Carlo intervals over the samples.

        Returns
        -------
        DataFrame
            strategy, judges, n_fits (mean), samples (with an estimate), estimate (mean), truth
            (mean), bias (Estimate of estimate minus truth), spread (standard deviation of the
            estimate), rmse (Estimate of the root mean squared difference from the truth),
            naive_covers and corrected_covers (Estimates of the share of samples whose interval
            holds the truth; NaN without intervals).
        """
        groups = self.draws.groupby("strategy", sort=False)
        return pd.DataFrame([self._summary(str(name), part) for name, part in groups])

    def _summary(self, name: str, draws: pd.DataFrame) -> dict[str, Any]:
        known = draws[np.isfinite(draws["estimate"]) & np.isfinite(draws["truth"])]
        errors = (known["estimate"] - known["truth"]).to_numpy(dtype=float)
        return {
            "strategy": name,
            "judges": draws["judges"].iloc[0],
            "n_fits": float(known["n_fits"].mean()) if len(known) else math.nan,
            "samples": len(known),
            "estimate": float(known["estimate"].mean()),
            "truth": float(known["truth"].mean()),
            "bias": _mean_of(errors, self.level),
            "spread": float(known["estimate"].std(ddof=1)),
            "rmse": _root_mean_square(errors, self.level),
            "naive_covers": self._coverage(known, "naive"),
            "corrected_covers": self._coverage(known, "corrected"),
        }

    def _coverage(self, known: pd.DataFrame, kind: str) -> Estimate:
        low, high = known[f"{kind}_low"], known[f"{kind}_high"]
        has = low.notna() & high.notna()
        if not has.any():
            return Estimate(math.nan)
        inside = has & (low <= known["truth"]) & (known["truth"] <= high)
        return wilson(int(inside.sum()), int(has.sum()), level=self.level)

    def failures(self) -> pd.DataFrame:
        """Return why strategies gave no estimate: strategy, reason, samples.

        Returns
        -------
        DataFrame
            One row a strategy and reason; empty when every sample gave an estimate.
        """
        failed = self.draws[self.draws["reason"] != ""]
        counts = failed.groupby(["strategy", "reason"], sort=False).size()
        return counts.rename("samples").reset_index()

    def compare_estimates(self, strategy: str, other: str) -> Estimate:
        """Return by how much the estimates of one strategy exceed another's, sample by sample.

        Parameters
        ----------
        strategy, other : str
            Names in `draws`.

        Returns
        -------
        Estimate
            Of the mean difference, paired by sample.
        """
        estimates = self.draws.pivot_table(index="draw", columns="strategy", values="estimate")
        if strategy not in estimates or other not in estimates:
            return Estimate(math.nan)
        differences = (estimates[strategy] - estimates[other]).dropna().to_numpy(dtype=float)
        return _mean_of(differences, self.level)

    def compare_rmse(self, strategy: str, other: str) -> Estimate:
        """Return how much larger the error of one strategy is than another's, sample by sample.

        Parameters
        ----------
        strategy, other : str
            Names in `draws`.

        Returns
        -------
        Estimate
            Of the mean difference of squared errors, paired by sample.
        """
        squared = self.draws.assign(
            squared=(self.draws["estimate"] - self.draws["truth"]) ** 2
        ).pivot_table(index="draw", columns="strategy", values="squared")
        differences = (squared[strategy] - squared[other]).dropna().to_numpy(dtype=float)
        return _mean_of(differences, self.level)


@dataclass(frozen=True)
class Recommendation:
    """Which strategies stand the rule.

    Attributes
    ----------
    table : DataFrame
        One row a strategy that judges a fixed model: strategy, n_fits, rmse, verdict
        ("recommended", "as good" or the reason against), the recommended one first.

    Examples
    --------
    >>> verdicts = ["recommended", "has no interval"]
    >>> table = pd.DataFrame({"strategy": ["a", "b"], "verdict": verdicts})
    >>> made = Recommendation(table)
    >>> made.standing, made.verdict("b"), made.verdict("c")
    (['a'], 'has no interval', 'does not apply here')
    """

    table: pd.DataFrame

    @property
    def standing(self) -> list[str]:
        """The strategies that pass, the recommended one first; empty when none does."""
        passes = self.table["verdict"].isin(["recommended", "as good"])
        return [str(name) for name in self.table.loc[passes, "strategy"]]

    def verdict(self, strategy: str) -> str:
        """Return the verdict on one strategy."""
        known = self.table.loc[self.table["strategy"] == strategy, "verdict"]
        return str(known.iloc[0]) if len(known) else "does not apply here"


def compare_with_truth(
    candidates: Mapping[str, Any],
    dataset: Dataset,
    samples: Iterable[tuple[Positions, Positions]],
    strategies: Iterable[Strategy],
    *,
    fixed: str | None = None,
    scoring: str | None = None,
    level: float = 0.95,
    random_state: int = 0,
) -> Comparison:
    """Return how close each strategy comes to the score that a model really has.

    From each small sample every strategy estimates how good the model is. The same model, fitted
    on that sample, then meets the rest of the rows: that is the truth.

    Parameters
    ----------
    candidates : mapping of str to scikit-learn estimator
        As in `estimate_scores`.
    dataset : Dataset
        Training rows of the study; the locked test rows have no part in this.
    samples : iterable of (ndarray, ndarray)
        From `resampling.draw_small_samples`.
    strategies : iterable of Strategy
        From `resampling.list_strategies`.
    fixed : str, optional
        The candidate that plain strategies judge; the first one otherwise.
    scoring : str, optional
        A metric of the task; the default one otherwise.
    level : float
        Coverage of the intervals.
    random_state : int
        Seed; each sample has folds of its own.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        When there is no sample.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.evaluation.neighbours import Neighbours, make_plain
    >>> from lib.resampling import draw_small_samples, list_strategies
    >>> plain = make_plain(make_planted(1_000))
    >>> samples = draw_small_samples(plain, n_rows=100, n_draws=4)
    >>> folds = [s for s in list_strategies(plain) if s.name in {"k-fold", "hold-out"}]
    >>> model = {"neighbours": Neighbours(5, n_classes=2)}
    >>> compare_with_truth(model, plain, samples, folds).summarise()["strategy"].tolist()
    ['hold-out', 'k-fold']
    """
    strategies = list(strategies)
    metric = scorers(dataset.task)[check_scoring(dataset.task, scoring)]
    seeds = np.random.default_rng(random_state)
    tables = []
    for number, (sample, rest) in enumerate(samples):
        part = dataset.take(sample)
        seed = int(seeds.integers(2**31))
        table = estimate_scores(
            candidates,
            part,
            strategies,
            fixed=fixed,
            scoring=metric.name,
            level=level,
            random_state=seed,
        )
        truth = _truths(candidates, PreparedFold(dataset, sample, rest), table, metric)
        tables.append(_as_draws(table, truth).assign(draw=number))
    if not tables:
        raise InputError("A comparison with the truth needs at least one sample; got none.")
    return Comparison(pd.concat(tables, ignore_index=True), level, metric.name)


def recommend(
    summary: pd.DataFrame,
    comparison: Comparison,
    admissible: Iterable[str],
    *,
    default: str = "",
    tolerance: float = 0.1,
    least_coverage: float = 0.9,
) -> Recommendation:
    """Return which strategies stand the rule, and which is recommended: the cheapest of those.

    A strategy stands when it judges a fixed model, is admissible, has intervals whose coverage is
    not shown to be below `least_coverage`, and a root mean squared error that is not more than
    `tolerance` above the smallest of all that come so far, or not distinguishably so.

    Parameters
    ----------
    summary : DataFrame
        `Comparison.summarise()`.
    comparison : Comparison
        For the paired comparison of errors.
    admissible : iterable of str
        Strategies whose folds keep together what belongs together.
    default : str
        The strategy that is preferred among equally cheap ones.
    tolerance : float
        Share of the smallest error.
    least_coverage : float
        That the upper end of the coverage's interval must reach.

    Returns
    -------
    Recommendation
        No strategy stands when none is admissible.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.evaluation import compare_with_truth, make_neighbours, make_plain
    >>> from lib.resampling import draw_small_samples, list_strategies
    >>> plain = make_plain(make_planted(1_000))
    >>> samples = draw_small_samples(plain, n_rows=100, n_draws=8)
    >>> folds = [s for s in list_strategies(plain) if s.name in {"k-fold", "hold-out"}]
    >>> comparison = compare_with_truth(make_neighbours(plain), plain, samples, folds)
    >>> advice = recommend(comparison.summarise(), comparison, ["k-fold", "hold-out"])
    >>> advice.verdict("k-fold"), advice.verdict("hold-out")
    ('recommended', 'has no interval')
    """
    known = set(admissible)
    fixed = summary[summary["judges"] == "fixed model"]
    reasons: dict[str, str] = {}
    for row in fixed.itertuples():
        covers: Any = row.corrected_covers
        if row.strategy not in known:
            reasons[str(row.strategy)] = "tears apart what belongs together"
        elif not row.samples:
            reasons[str(row.strategy)] = "has no estimate on these samples"
        elif math.isnan(covers.value):
            reasons[str(row.strategy)] = "has no interval"
        elif covers.high < least_coverage:
            reasons[str(row.strategy)] = "its intervals cover too rarely"
    left = fixed[~fixed["strategy"].isin(list(reasons))]
    errors = {str(row.strategy): float(row.rmse.value) for row in left.itertuples()}
    if errors:
        best = min(errors, key=lambda name: errors[name])
        for name, error in errors.items():
            more = comparison.compare_rmse(name, best)
            if error > (1 + tolerance) * errors[best] and more.low > 0:
                reasons[name] = "errs distinguishably more"
    standing = left[~left["strategy"].isin(list(reasons))]
    standing = standing.assign(other=standing["strategy"] != default)
    standing = standing.sort_values(["n_fits", "other"], kind="stable")
    first = standing["strategy"].iloc[0] if len(standing) else None
    table = fixed[["strategy", "n_fits", "rmse"]].copy()
    table["verdict"] = [
        "recommended" if name == first else reasons.get(str(name), "as good")
        for name in table["strategy"]
    ]
    rank = table["verdict"].map({"recommended": 0, "as good": 1}).fillna(2)
    order = rank.sort_values(kind="stable").index
    return Recommendation(table.loc[order].reset_index(drop=True))


def _truths(
    candidates: Mapping[str, Any], fold: PreparedFold, table: pd.DataFrame, metric: Metric
) -> dict[str, float]:
    """Return the score on the rest of every candidate that a strategy speaks about.

    What nested choice estimates is the whole procedure, so its model is the inner optimum's.
    """
    inner = table.loc[table["strategy"] == "inner optimum", "chosen"]
    of = {row.strategy: row.chosen for row in table.itertuples()}
    if len(inner):
        of |= dict.fromkeys(table.loc[table["judges"] == "tuned model", "strategy"], inner.iloc[0])
    scores = {"": math.nan}
    with threadpool_limits(1):
        for name in sorted(set(of.values()) - {""}):
            prediction = fold.evaluate(candidates[name]).prediction
            scores[name] = metric.compute(fold.y_test, prediction, fold.weight_test)
    return {strategy: scores[chosen] for strategy, chosen in of.items()}


def _as_draws(table: pd.DataFrame, truth: Mapping[str, float]) -> pd.DataFrame:
    draws = table[["strategy", "judges", "chosen", "n_fits", "reason"]].copy()
    draws["estimate"] = [estimate.value for estimate in table["score"]]
    draws["truth"] = [truth[name] for name in table["strategy"]]
    for kind, column in (("naive", "naive"), ("corrected", "score")):
        draws[f"{kind}_low"] = [estimate.low for estimate in table[column]]
        draws[f"{kind}_high"] = [estimate.high for estimate in table[column]]
    return draws


def _mean_of(values: Floats, level: float) -> Estimate:
    """Return a mean over independent samples with its t interval."""
    if len(values) < 2:
        return Estimate(float(values.mean()) if len(values) else math.nan)
    arm = float(stats.t.ppf((1 + level) / 2, len(values) - 1))
    arm *= float(values.std(ddof=1)) / math.sqrt(len(values))
    mean = float(values.mean())
    return Estimate(mean, mean - arm, mean + arm, level, "t over samples", len(values))


def _root_mean_square(errors: Floats, level: float) -> Estimate:
    """Return the root of the mean square, its interval being the root of that of the mean."""
    mean = _mean_of(errors**2, level)
    low, high = max(mean.low, 0.0), max(mean.high, 0.0)
    return Estimate(
        math.sqrt(mean.value), math.sqrt(low), math.sqrt(high), level, mean.method, mean.n
    )
