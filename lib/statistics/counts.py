"""Targets that count something: Poisson and negative binomial side by side."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lib.estimates import Estimate
from lib.statistics.clustered import count_units, influence_error, owner_codes, quantile_of_t
from lib.statistics.design import Design
from lib.statistics.regression import Regression, fit_regression
from lib.statistics.solvers import NoOptimumError


@dataclass(frozen=True)
class CountModels:
    """Two regressions of a count, and the test between them.

    Attributes
    ----------
    poisson : Regression
    negative_binomial : Regression or None
        NB2, where the variance is the mean plus alpha times its square; None where the counts are
        less spread than Poisson's, which it cannot describe.
    table : DataFrame
        Columns term, poisson, plain_error, robust_error, effect, negative_binomial: coefficients on
        the log scale (`Estimate`), errors of Poisson by textbook and by sandwich, and the average
        change of the count for one more unit of the term, by Poisson (an `Estimate`).
    fit : DataFrame
        Columns model, log_likelihood, aic, bic, pseudo_r2, alpha.
    overdispersion : Estimate
        Cameron and Trivedi's alpha, 0 for a Poisson target.
    overdispersion_p : float
        Two-sided, of alpha = 0.
    """

    poisson: Regression
    negative_binomial: Regression | None
    table: pd.DataFrame
    fit: pd.DataFrame
    overdispersion: Estimate
    overdispersion_p: float

    @property
    def error_ratio(self) -> float:
        """How many times Poisson's robust errors are its textbook ones (median of the slopes)."""
        slopes = self.table.iloc[1:]
        return float((slopes["robust_error"] / slopes["plain_error"]).median())


def is_count(y: pd.Series) -> bool:
    """Return whether a target holds whole numbers that begin at 0 or 1, as counts do.

    Parameters
    ----------
    y : Series of float
        A target of a regression.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_count(pd.Series([0.0, 3.0, 1.0])), is_count(pd.Series([25.0, 310.0, 99.0]))
    (True, False)
    """
    values = y.to_numpy(dtype=float)
    is_whole = np.isfinite(values).all() and bool((values == np.round(values)).all())
    return is_whole and values.min() in {0.0, 1.0} and len(np.unique(values)) > 2


def fit_counts(
    design: Design,
    y: pd.Series,
    *,
    groups: pd.Series | None = None,
    sample_weight: pd.Series | None = None,
    level: float = 0.95,
) -> CountModels:
    """Return Poisson and negative binomial regressions of a count [1]_.

    Poisson's coefficients are right whenever the mean is, its textbook errors only when the
    variance equals the mean: read the sandwich's. The negative binomial also describes the spread.

    Parameters
    ----------
    design : Design
        As `make_design` returns it.
    y : Series of shape (n,)
        Whole numbers from 0.
    groups : Series of shape (n,), optional
        What rows repeat: errors are summed over these clusters.
    sample_weight : Series of shape (n,), optional
        Weights of rows; for Poisson only.
    level : float
        Of the intervals.

    Returns
    -------
    CountModels

    References
    ----------
    .. [1] C. Cameron, P. Trivedi (2013). Regression Analysis of Count Data, chapter 3. Cambridge.

    Examples
    --------
    >>> from lib.statistics.design import make_design
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"x": rng.normal(size=2000)})
    >>> mean = np.exp(0.5 * X["x"])
    >>> y = pd.Series(rng.poisson(mean * rng.gamma(2, 0.5, size=2000)))
    >>> models = fit_counts(make_design(X), y)
    >>> round(models.negative_binomial.alpha, 1), models.overdispersion_p < 0.001
    (0.5, True)
    """
    how = {"groups": groups, "level": level}
    poisson = fit_regression(design, y, "Poisson", sample_weight=sample_weight, **how)  # type: ignore[arg-type]
    alpha, p_value = estimate_overdispersion(
        poisson, groups=None if groups is None else design.of_rows(groups), level=level
    )
    negative = None
    if alpha.value > 0:
        with suppress(NoOptimumError):
            negative = fit_regression(
                design,
                y,
                "negative binomial",
                sample_weight=sample_weight,
                **how,  # type: ignore[arg-type]
            )
    average = float(poisson.fitted.mean())
    effects = [
        Estimate(e.value * average, e.low * average, e.high * average, level, "sandwich")
        for e in poisson.table["coefficient"]
    ]
    effects[0] = Estimate(math.nan)
    table = pd.DataFrame(
        {
            "term": poisson.table["term"],
            "poisson": poisson.table["coefficient"],
            "plain_error": poisson.table["plain_error"],
            "robust_error": poisson.table["robust_error"],
            "effect": pd.Series(effects, dtype=object),
        }
    )
    models = [poisson]
    if negative is not None:
        table["negative_binomial"] = negative.table["coefficient"]
        models.append(negative)
    fit = pd.DataFrame(
        [(m.family, m.log_likelihood, m.aic, m.bic, m.r_squared, m.alpha)
         for m in models],
        columns=["model", "log_likelihood", "aic", "bic", "pseudo_r2", "alpha"],
    )  # fmt: skip
    return CountModels(poisson, negative, table, fit, alpha, p_value)


def estimate_overdispersion(
    poisson: Regression, *, groups: pd.Series | None = None, level: float = 0.95
) -> tuple[Estimate, float]:
    """Return by how much the variance exceeds the mean, and the test that it does not [1]_.

    Parameters
    ----------
    poisson : Regression
        Of family Poisson.
    groups : Series of shape (n_kept,), optional
        What the model's rows repeat.
    level : float
        Of the interval.

    Returns
    -------
    alpha : Estimate
        Variance = mean + alpha × mean², by a regression through the origin.
    p : float
        Two-sided, of alpha = 0.

    References
    ----------
    .. [1] C. Cameron, P. Trivedi (1990). Regression-based tests for overdispersion in the Poisson
       model. J. Econometrics 46:347.

    Examples
    --------
    >>> from lib.statistics.design import make_design
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"x": rng.normal(size=500)})
    >>> fit = fit_regression(make_design(X), pd.Series(rng.poisson(2, size=500)), "Poisson")
    >>> estimate_overdispersion(fit)[0].covers(0)
    True
    """
    mean, seen = poisson.fitted, poisson.target
    excess = ((seen - mean) ** 2 - seen) / mean
    scale = float((mean**2).sum())
    alpha = float((excess * mean).sum()) / scale
    influence = mean * (excess - alpha * mean) * len(mean) / scale
    owner = owner_codes(groups)
    error = influence_error(influence, owner)
    degrees = count_units(len(mean), owner) - 1
    arm = quantile_of_t(level, degrees) * error
    p_value = 2 * float(stats.t.sf(abs(alpha / error), degrees)) if error > 0 else math.nan
    words = "Cameron-Trivedi"
    return Estimate(alpha, alpha - arm, alpha + arm, level, words, len(mean)), p_value
