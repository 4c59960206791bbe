"""What scores say of a difference: the probabilities that it is worse, nothing, or better."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lib.errors import InputError
from lib.estimates import corrected_error
from lib.estimates.estimate import Numbers

ENOUGH = 0.95  # of the posterior mass, to say so in words
EQUIVALENT, OPEN = "practically equivalent", "open"
PRACTICALLY_BETTER, PRACTICALLY_WORSE = "better by enough to matter", "worse by enough to matter"
PRIOR_STRENGTH = 0.5  # of the signed-rank test: half an observation of no difference


@dataclass(frozen=True)
class Posterior:
    """Probabilities of three things that a difference can be.

    Attributes
    ----------
    worse, equivalent, better : float
        Below, inside and above the region of practical equivalence; they add up to 1.
    """

    worse: float
    equivalent: float
    better: float

    def in_words(self) -> str:
        """Return what has a probability above 0.95, "open" when nothing has.

        Examples
        --------
        >>> Posterior(0.01, 0.97, 0.02).in_words(), Posterior(0.4, 0.5, 0.1).in_words()
        ('practically equivalent', 'open')
        """
        words = (PRACTICALLY_WORSE, EQUIVALENT, PRACTICALLY_BETTER)
        masses = (self.worse, self.equivalent, self.better)
        return next((w for w, mass in zip(words, masses, strict=True) if mass > ENOUGH), OPEN)


def correlated_t(differences: Numbers, test_fraction: float, *, rope: float) -> Posterior:
    """Return the Bayesian correlated t-test of paired differences over folds [1]_.

    With a flat prior the mean difference is Student, centred at the observed one and as wide as
    the corrected standard error, since folds that share training rows correlate by `test_fraction`
    (one over the number of folds). What the frequentist test calls "not distinguishable" becomes
    "equivalent" here only when the folds show it.

    Parameters
    ----------
    differences : array-like of shape (n_folds,)
        Score of one model minus score of another, on the same folds.
    test_fraction : float
        Share of the rows that a fold tests on.
    rope : float
        Differences up to this, either way, do not matter; in the metric's unit.

    Returns
    -------
    Posterior
        NaN for a single fold; certain when all folds differ by the same.

    Raises
    ------
    InputError
        When a score is not finite, or `rope` is negative.

    References
    ----------
    .. [1] G. Corani, A. Benavoli (2015). A Bayesian approach for comparing cross-validated
       algorithms on multiple data sets. Machine Learning 100:285.

    Examples
    --------
    >>> posterior = correlated_t([0.03, 0.05, 0.04, 0.03, 0.05], 0.2, rope=0.01)
    >>> round(posterior.better, 3), posterior.in_words()
    (0.994, 'better by enough to matter')
    """
    _check_rope(rope)
    error = corrected_error(differences, test_fraction)
    values = np.asarray(differences, dtype=float)
    mean = float(values.mean())
    if math.isnan(error):
        return Posterior(math.nan, math.nan, math.nan)
    if error == 0:
        return Posterior(float(mean < -rope), float(abs(mean) <= rope), float(mean > rope))
    spread = stats.t(len(values) - 1, loc=mean, scale=error)
    worse, better = float(spread.cdf(-rope)), float(spread.sf(rope))
    return Posterior(worse, max(1 - worse - better, 0.0), better)


def signed_rank(
    differences: Numbers, *, rope: float, n_draws: int = 20_000, random_state: int = 0
) -> Posterior:
    """Return the Bayesian signed-rank test of differences over tables [1]_.

    The distribution of the differences gets a Dirichlet-process prior with half an observation at
    zero. Every draw of it says where the typical mean of two differences (the pseudo-median) most
    often lies.

    Parameters
    ----------
    differences : array-like of shape (n_tables,)
        One model minus another, one a table, on a common scale.
    rope : float
        Differences up to this, either way, do not matter; on that scale.
    n_draws : int
        Of the posterior.
    random_state : int
        Seed of the draws.

    Returns
    -------
    Posterior
        Shares of the draws.

    Raises
    ------
    InputError
        When there is no difference, or one is not finite.

    References
    ----------
    .. [1] A. Benavoli, G. Corani, J. Demšar, M. Zaffalon (2017). Time for a change: a tutorial for
       comparing multiple classifiers through Bayesian analysis. JMLR 18(77).

    Examples
    --------
    >>> round(signed_rank([2.0] * 12, rope=1.0).better, 2)
    1.0
    """
    _check_rope(rope)
    values = np.asarray(differences, dtype=float)
    if len(values) == 0 or not np.isfinite(values).all():
        msg = f"Differences must be finite, at least one; got {values.tolist()}."
        raise InputError(msg)
    z = np.concatenate([[0.0], values])
    middles = (z[:, np.newaxis] + z) / 2
    strengths = np.concatenate([[PRIOR_STRENGTH], np.ones(len(values))])
    weights = np.random.default_rng(random_state).dirichlet(strengths, size=n_draws)
    where = (middles < -rope, np.abs(middles) <= rope, middles > rope)
    masses = np.stack([np.einsum("di,ij,dj->d", weights, w, weights, optimize=True) for w in where])
    shares = np.bincount(masses.argmax(axis=0), minlength=3) / n_draws
    return Posterior(*(float(share) for share in shares))


def _check_rope(rope: float) -> None:
    if not rope >= 0:
        msg = f"The region of practical equivalence must have a width of 0 or more; got {rope}."
        raise InputError(msg)
