"""Regressions whose errors hold for unequal spreads and for rows that repeat clusters.

Models are fitted on standardised columns, which keeps ill-conditioned tables exact, and reported
in the columns' own units as well as per standard deviation. The covariance is the sandwich: HC3
for straight lines (HC1 beyond 20,000 rows, where they agree), HC1 for the others, sums over
clusters when they are given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lib.errors import InputError
from lib.estimates import Estimate, benjamini_hochberg
from lib.statistics.clustered import (
    FEW_GROUPS,
    Codes,
    Floats,
    count_units,
    owner_codes,
    sum_by_owner,
)
from lib.statistics.design import Design
from lib.statistics.solvers import (
    SOLVERS,
    SeparationError,
    Solution,
    separates,
    separation_words,
)

Family = Literal["OLS", "logistic", "Poisson", "negative binomial"]
CONSTANT = "(constant)"
HC3_ROWS = 20_000
TABLE = ["term", "coefficient", "per_sd", "plain_error", "robust_error", "p", "q"]


@dataclass(frozen=True)
class Regression:
    """A fitted regression.

    Attributes
    ----------
    family : str
        OLS, logistic, Poisson or negative binomial (NB2).
    table : DataFrame with columns term, coefficient, per_sd, plain_error, robust_error, p, q
        The constant first. `coefficient` is an `Estimate` in the term's own unit, `per_sd` one for
        a standard deviation of the term (a 0/1 term: from 0 to 1); `plain_error` is the textbook
        error, `robust_error` the sandwich's, which p, q and intervals use.
    errors : str
        What the sandwich was made of.
    n : int
        Rows.
    target, fitted : array of float, shape (n,)
        What was seen, and the mean the model expects.
    log_likelihood, null_log_likelihood : float
        Of the model and of the constant alone.
    n_parameters : int
        With the constant, and the dispersion of a negative binomial.
    alpha : float
        The NB2 dispersion: variance = mean + alpha × mean²; NaN otherwise.
    residual_spread : float
        Residual standard deviation of OLS; NaN otherwise.
    left_out : tuple of str
        Terms that alone tell the classes apart.
    notes : tuple of str
        What to beware of.
    """

    family: Family
    table: pd.DataFrame
    errors: str
    n: int
    target: Floats = field(repr=False)
    fitted: Floats = field(repr=False)
    log_likelihood: float
    null_log_likelihood: float
    n_parameters: int
    alpha: float = math.nan
    residual_spread: float = math.nan
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def r_squared(self) -> float:
        """Explained share of the variance (OLS), or McFadden's share of the log likelihood."""
        if self.family != "OLS":
            return 1 - self.log_likelihood / self.null_log_likelihood
        centred = self.target - self.target.mean()
        return 1 - float(((self.target - self.fitted) ** 2).sum() / (centred**2).sum())

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return math.log(self.n) * self.n_parameters - 2 * self.log_likelihood


def fit_regression(
    design: Design,
    y: pd.Series,
    family: Family,
    *,
    groups: pd.Series | None = None,
    sample_weight: pd.Series | None = None,
    level: float = 0.95,
) -> Regression:
    """Return a regression of `y` on the columns of a design, with robust errors [1]_ [2]_.

    Parameters
    ----------
    design : Design
        As `make_design` returns it.
    y : Series of shape (n,)
        One value for each row of the table behind the design; 0 and 1 for logistic, whole numbers
        from 0 for counts.
    family : {"OLS", "logistic", "Poisson", "negative binomial"}
        The negative binomial is NB2, and knows no weights.
    groups : Series of shape (n,), optional
        What rows repeat: errors are then summed over these clusters.
    sample_weight : Series of shape (n,), optional
        Weights of rows, scaled to average 1.
    level : float
        Of the intervals.

    Returns
    -------
    Regression

    Raises
    ------
    SeparationError
        When features together tell the classes apart perfectly.
    InputError
        When `y` does not vary.

    References
    ----------
    .. [1] J. MacKinnon, H. White (1985). Some heteroskedasticity-consistent covariance matrix
       estimators with improved finite sample properties. J. Econometrics 29:305.
    .. [2] C. Cameron, D. Miller (2015). A practitioner's guide to cluster-robust inference. J.
       Human Resources 50:317.

    Examples
    --------
    >>> from lib.statistics.design import make_design
    >>> x = np.arange(20.0)
    >>> y = pd.Series(3 + 2 * x + np.tile([-1, 1], 10))
    >>> fit = fit_regression(make_design(pd.DataFrame({"x": x})), y, "OLS")
    >>> print(fit.table["coefficient"].iloc[1])
    2.015 [1.922, 2.108]
    """
    target = design.of_rows(y).to_numpy(dtype=float)
    if np.ptp(target) == 0:
        msg = f"A regression needs a target that varies on complete rows; got {target[0]:g} only."
        raise InputError(msg)
    owner = None if groups is None else owner_codes(design.of_rows(groups))
    weights = np.ones(len(target))
    if sample_weight is not None:
        weights = design.of_rows(sample_weight).to_numpy(dtype=float)
        weights = weights / weights.mean()
    terms, matrix = design.terms, design.matrix.to_numpy()
    left_out: list[str] = []
    if family == "logistic":
        alone = [separates(column, target) for column in matrix.T]
        left_out = [term for term, gone in zip(terms, alone, strict=True) if gone]
        terms = [term for term in terms if term not in left_out]
        matrix = matrix[:, ~np.array(alone)]
        if not terms:
            raise SeparationError(separation_words(left_out))
    means, spreads = matrix.mean(axis=0), matrix.std(axis=0)
    standard = np.column_stack([np.ones(len(matrix)), (matrix - means) / spreads])
    solution = SOLVERS[family](standard, target, weights)
    covariance, errors = _sandwich(solution, standard, owner, family)
    to_own = np.diag(np.r_[1.0, 1 / spreads])
    to_own[0, 1:] = -means / spreads
    table = _tabulate(solution, covariance, to_own, terms, matrix, owner, level)
    n_parameters = standard.shape[1] + (family == "negative binomial")
    residual = math.sqrt(
        float((weights * (target - solution.fitted) ** 2).sum())
        / max(len(target) - standard.shape[1], 1)
    )
    return Regression(
        family=family,
        table=table,
        errors=errors,
        n=len(target),
        target=target,
        fitted=solution.fitted,
        log_likelihood=solution.log_likelihood,
        null_log_likelihood=solution.null_log_likelihood,
        n_parameters=n_parameters,
        alpha=solution.alpha,
        residual_spread=residual if family == "OLS" else math.nan,
        left_out=tuple(left_out),
        notes=tuple(_notes(family, target, solution, owner, sample_weight)),
    )


def _tabulate(  # noqa: PLR0917 (one caller, all needed)
    solution: Solution,
    covariance: Floats,
    to_own: Floats,
    terms: list[str],
    matrix: Floats,
    owner: Codes | None,
    level: float,
) -> pd.DataFrame:
    k = len(terms) + 1
    own = to_own @ solution.parameters[:k]
    errors = np.sqrt(np.diag(to_own @ covariance[:k, :k] @ to_own.T))
    plain = np.sqrt(np.diag(to_own @ solution.plain_covariance[:k, :k] @ to_own.T))
    degrees = len(matrix) - k if owner is None else count_units(len(matrix), owner) - 1
    reach = float(stats.t.ppf((1 + level) / 2, max(degrees, 1)))
    # A yes/no column is read from no to yes, whatever its spread.
    is_binary = [len(np.unique(column)) == 2 for column in matrix.T]
    scale = np.where(is_binary, np.ptp(matrix, axis=0), matrix.std(axis=0))
    scale = np.r_[1.0, scale]
    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = 2 * stats.t.sf(np.abs(own / errors), max(degrees, 1))
    rows = [
        (
            term,
            Estimate(b, b - reach * e, b + reach * e, level, "sandwich", len(matrix)),
            Estimate(b * s, (b - reach * e) * s, (b + reach * e) * s, level, "sandwich"),
            p_error,
            e,
            p,
        )
        for term, b, e, p_error, s, p in zip(
            [CONSTANT, *terms], own.tolist(), errors.tolist(), plain.tolist(), scale.tolist(),
            p_values.tolist(), strict=True,
        )
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=TABLE[:-1])
    q = benjamini_hochberg(table["p"].to_numpy(dtype=float)[1:])
    return table.assign(q=np.r_[np.nan, q])


def _sandwich(
    solution: Solution, standard: Floats, owner: Codes | None, family: str
) -> tuple[Floats, str]:
    n, k = len(standard), standard.shape[1]
    scores = solution.scores
    if owner is not None:
        sums = sum_by_owner(scores, owner)
        n_units = len(sums)
        correction = n_units / (n_units - 1) * (n - 1) / (n - k) if n_units > 1 else math.nan
        words = f"clustered over {n_units:,} groups"
    elif family == "OLS" and n <= HC3_ROWS:
        leverage = np.einsum("ij,jk,ik->i", standard, solution.bread, standard)
        sums = scores / np.maximum(1 - leverage, 1e-8)[:, None]
        correction, words = 1.0, "HC3"
    else:
        sums, correction, words = scores, n / (n - k), "HC1"
    meat = sums.T @ sums * correction
    return solution.bread @ meat @ solution.bread, words


def _notes(
    family: Family,
    target: Floats,
    solution: Solution,
    owner: Codes | None,
    sample_weight: pd.Series | None,
) -> list[str]:
    notes = []
    n_columns = len(solution.bread) - (family == "negative binomial")
    if family == "OLS" and float((target - solution.fitted).std()) < 1e-6 * float(target.std()):
        notes.append(
            "the features give the target away exactly, as parts their sum: errors and p-values "
            "mean nothing, look for a leak (02)"
        )
    n_events = len(target)
    if family == "logistic":
        n_events = int(min(target.sum(), len(target) - target.sum()))
    if n_events < 10 * n_columns:
        what = "rows of the rarer class" if family == "logistic" else "rows"
        notes.append(
            f"{n_events:,} {what} for {n_columns} coefficients: fewer than ten each, so estimates "
            "lean away from zero and errors are too small"
        )
    if owner is not None and count_units(len(target), owner) < FEW_GROUPS:
        notes.append(
            f"{count_units(len(target), owner)} clusters: errors tend to be too small under "
            f"{FEW_GROUPS}"
        )
    if family == "negative binomial" and sample_weight is not None:
        notes.append("weights are not used by the negative binomial")
    return notes
