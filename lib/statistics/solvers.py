"""Optima of regressions on standardised columns, with what a sandwich covariance needs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from lib.errors import InputError
from lib.statistics.clustered import Floats

LP_ROWS = 20_000
SUSPICIOUS = 5.0  # a standard error per standard deviation that asks whether an estimate exists


class SeparationError(InputError):
    """Features tell the classes apart perfectly: a logistic regression has no finite estimate."""


class NoOptimumError(InputError):
    """A model's likelihood has no inner optimum, as NB2's for counts of too little spread."""


@dataclass(frozen=True)
class Solution:
    """What a fit hands over; columns are the constant and the standardised terms.

    Attributes
    ----------
    parameters : array of float, shape (k,)
        Coefficients; of a negative binomial the dispersion comes last.
    bread : array of float, shape (k, k)
        The inverse of the information, between which a sandwich lays its scores.
    scores : array of float, shape (n, k)
        Each row's slope of the log likelihood.
    fitted : array of float, shape (n,)
        Expected means.
    plain_covariance : array of float, shape (k, k)
        The textbook's.
    log_likelihood, null_log_likelihood : float
        Of the model and of the constant alone.
    alpha : float
        The dispersion of a negative binomial.
    curvature : array of float, shape (n,), or None
        Each row's weight in the information, which is the sum of curvature × row × row'; None
        where that is not its form.
    """

    parameters: Floats
    bread: Floats
    scores: Floats
    fitted: Floats
    plain_covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    alpha: float = math.nan
    curvature: Floats | None = None


def _solve_ols(standard: Floats, target: Floats, weights: Floats) -> Solution:
    from statsmodels.regression.linear_model import WLS  # noqa: PLC0415 (heavy)

    # Centred targets keep digits: NIST's Longley has means far above its spreads.
    middle = float(target.mean())
    model = WLS(target - middle, standard, weights=weights)
    beta = model.fit(method="qr").params
    roots = np.sqrt(weights)
    q, r = np.linalg.qr(standard * roots[:, None])
    residuals = target - middle - standard @ beta
    beta = beta + np.linalg.solve(r, q.T @ (residuals * roots))  # one step of refinement
    residuals = target - middle - standard @ beta
    inverse = np.linalg.inv(r)
    bread = inverse @ inverse.T
    n, k = standard.shape
    squares = float((weights * residuals**2).sum())
    null = float((weights * (target - np.average(target, weights=weights)) ** 2).sum())
    shared = float(np.log(weights[weights > 0]).sum()) / 2
    likelihoods = [
        -n / 2 * (math.log(2 * math.pi * max(s, 1e-300) / n) + 1) + shared for s in (squares, null)
    ]
    return Solution(
        parameters=beta + np.r_[middle, np.zeros(k - 1)],
        bread=bread,
        scores=standard * (weights * residuals)[:, None],
        fitted=target - residuals,
        plain_covariance=bread * squares / max(n - k, 1),
        log_likelihood=likelihoods[0],
        null_log_likelihood=likelihoods[1],
        curvature=weights,
    )


def _solve_logistic(standard: Floats, target: Floats, weights: Floats) -> Solution:
    from statsmodels.genmod.families import Binomial  # noqa: PLC0415 (heavy)

    solution = _solve_glm(standard, target, weights, Binomial())
    errors = np.sqrt(np.diag(solution.plain_covariance)[1:])
    is_suspicious = not np.isfinite(errors).all() or errors.max(initial=0.0) > SUSPICIOUS
    if is_suspicious and _is_separated(standard, target, solution.fitted):
        raise SeparationError(separation_words([]))
    return solution


def _solve_poisson(standard: Floats, target: Floats, weights: Floats) -> Solution:
    from statsmodels.genmod.families import Poisson  # noqa: PLC0415 (heavy)

    return _solve_glm(standard, target, weights, Poisson())


def _solve_glm(standard: Floats, target: Floats, weights: Floats, family: object) -> Solution:
    """Solve a model with its canonical link by iteratively reweighted least squares."""
    from statsmodels.genmod.generalized_linear_model import GLM  # noqa: PLC0415 (heavy)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # separation is looked for by us, and said
        model = GLM(target, standard, family=family, freq_weights=weights)
        beta = model.fit(maxiter=30, tol=1e-13).params
        fitted = model.predict(beta)
        variance = weights * model.family.variance(fitted)
        information = standard.T @ (standard * variance[:, None])
        bread = np.linalg.pinv(information, hermitian=True)
        likelihood = float(model.loglike(beta))
        middle = float(np.average(target, weights=weights))
        null = float(
            model.family.loglike(target, np.full(len(target), middle), freq_weights=weights)
        )
    return Solution(
        parameters=beta,
        bread=bread,
        scores=standard * (weights * (target - fitted))[:, None],
        fitted=fitted,
        plain_covariance=bread,
        log_likelihood=likelihood,
        null_log_likelihood=null,
        curvature=variance,
    )


def _solve_negative_binomial(standard: Floats, target: Floats, weights: Floats) -> Solution:
    from statsmodels.discrete.discrete_model import NegativeBinomial  # noqa: PLC0415 (heavy)

    first = _solve_poisson(standard, target, np.ones_like(weights))
    excess = (target - first.fitted) ** 2 - first.fitted
    alpha = max(float((excess * first.fitted**2).sum() / (first.fitted**4).sum()), 0.05)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # whether it converged is checked below
        model = NegativeBinomial(target, standard, loglike_method="nb2")
        null = NegativeBinomial(target, np.ones((len(target), 1)), loglike_method="nb2")
        start = np.r_[first.parameters, alpha]
        done = model.fit(start, method="bfgs", maxiter=500, gtol=1e-6, disp=0)
        beta = _polish(model, np.asarray(done.params))
        begin = np.r_[math.log(target.mean()), max(beta[-1], 0.05)]
        alone = null.fit(begin, method="bfgs", maxiter=500, disp=0)
        information = -model.hessian(beta)
    slope = float(np.abs(model.score(beta)).max()) / len(target)
    if not (np.isfinite(beta).all() and beta[-1] > 0 and slope < 1e-6):
        msg = "The negative binomial regression found no optimum: its dispersion may be zero."
        raise NoOptimumError(msg + " Use the Poisson regression with robust errors.")
    bread = np.linalg.pinv(information, hermitian=True)
    fitted = np.exp(standard @ beta[:-1])
    return Solution(
        parameters=beta,
        bread=bread,
        scores=_scores_of_nb2(standard, target, fitted, float(beta[-1])),
        fitted=fitted,
        plain_covariance=bread,
        log_likelihood=float(model.loglike(beta)),
        null_log_likelihood=float(null.loglike(np.asarray(alone.params))),
        alpha=float(beta[-1]),
    )


def _polish(model: object, beta: Floats) -> Floats:
    """Return the optimum to the last digits by Newton's steps, which never go downhill."""
    for _ in range(20):
        slope = model.score(beta)  # type: ignore[attr-defined]
        step = np.linalg.lstsq(-model.hessian(beta), slope, rcond=None)[0]  # type: ignore[attr-defined]
        better = beta + step
        if better[-1] <= 0 or np.abs(model.score(better)).max() > np.abs(slope).max():  # type: ignore[attr-defined]
            break
        beta = better
    return beta


def _scores_of_nb2(standard: Floats, target: Floats, fitted: Floats, alpha: float) -> Floats:
    """Return each row's slope of the log likelihood, by the coefficients and by alpha."""
    shrunk = (target - fitted) / (1 + alpha * fitted)
    size = 1 / alpha
    digammas = special.digamma(target + size) - special.digamma(size)
    of_alpha = (np.log1p(alpha * fitted) - digammas) / alpha**2 + shrunk / alpha
    return np.column_stack([standard * shrunk[:, None], of_alpha])


def separates(column: Floats, target: Floats) -> bool:
    """Return whether one column alone never overlaps between the classes.

    Parameters
    ----------
    column : array of float, shape (n,)
        A term; a 0/1 column with an empty cell counts.
    target : array of float, shape (n,)
        0 and 1, both present.

    Returns
    -------
    bool

    Examples
    --------
    >>> separates(np.array([1.0, 2.0, 3.0]), np.array([0, 0, 1]))
    True
    """
    ones, zeros = column[target == 1], column[target == 0]
    return bool(ones.min() >= zeros.max() or ones.max() <= zeros.min())


def _is_separated(standard: Floats, target: Floats, fitted: Floats) -> bool:
    """Return whether some direction tells the classes apart without error (Konis 2007)."""
    if bool(np.abs(target - fitted).max() < 1e-4):
        return True
    if len(target) > LP_ROWS:
        return False
    signed = standard * np.where(target == 1, 1.0, -1.0)[:, None]
    done = optimize.linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        bounds=[(-1, 1)] * standard.shape[1],
        method="highs",
    )
    return bool(done.status == 0 and -done.fun > 1e-6)


def separation_words(terms: list[str]) -> str:
    """Return the sentence that says why there is no logistic regression.

    Examples
    --------
    >>> separation_words(["alive"])[:70]
    'Logistic regression has no finite estimate: alive tells the classes ap'
    """
    who = " and ".join(terms[:3]) or "the features together"
    tell = "tells" if len(terms) == 1 else "tell"
    return (
        f"Logistic regression has no finite estimate: {who} {tell} the classes apart without "
        "error. In few rows that is chance, in many look for a leak (02); a regularised model (11) "
        "has estimates."
    )


SOLVERS: Mapping[str, Callable[[Floats, Floats, Floats], Solution]] = {
    "OLS": _solve_ols,
    "logistic": _solve_logistic,
    "Poisson": _solve_poisson,
    "negative binomial": _solve_negative_binomial,
}
