"""One bootstrap for everything: means of many columns on the same resamples of rows or groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.business.cases import Cases
from lib.business.gains import Array, Floats
from lib.config import Config
from lib.estimates import Estimate, count_draws, make_units

CHUNK = 64  # resamples at a time, which bounds memory
MIN_RESAMPLES, MAX_DRAWN = 1_000, 100_000_000  # fewer show no small p; rows drawn in all


@dataclass(frozen=True)
class Bootstrap:
    """How resamples are drawn: the same ones for the same rows, so that differences are paired.

    Attributes
    ----------
    n_resamples : int
        How many.
    random_state : int
        Seed of the draws.
    level : float
        Coverage that intervals aim at.
    """

    n_resamples: int = 1_000
    random_state: int = 0
    level: float = 0.95

    def means(self, values: Array, cases: Cases) -> Floats:
        """Return the weighted mean of each column on each resample.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
            A column a quantity.
        cases : Cases
            Their rows; whole units are drawn.

        Returns
        -------
        ndarray of shape (n_resamples, n_columns)
            NaN where all drawn rows weigh nothing.

        Examples
        --------
        >>> ones = np.ones(4)
        >>> cases = Cases(ones, ones, None, ones, np.array([0, 0, 1, 2]))
        >>> Bootstrap(50).means(np.array([[1.0], [1.0], [1.0], [1.0]]), cases).std()
        np.float64(0.0)
        """
        units, weighed = make_units(cases.units), values * cases.weight[:, np.newaxis]
        columns = units.sum(np.column_stack([weighed, cases.weight]))
        draws = count_draws(
            len(units), self.n_resamples, random_state=self.random_state, at_a_time=CHUNK
        )
        made = []
        for counts in draws:
            sums = counts @ columns
            with np.errstate(invalid="ignore"):
                made.append(sums[:, :-1] / sums[:, -1:])
        return np.concatenate(made)

    def estimate(self, value: float, resampled: Floats, cases: Cases) -> Estimate:
        """Return a value with the percentile interval of its resamples.

        Parameters
        ----------
        value : float
            On the rows as they are.
        resampled : ndarray of shape (n_resamples,)
            On the resamples; NaN does not count.
        cases : Cases
            The rows; of one unit there is no interval.

        Returns
        -------
        Estimate
            `n` is the number of resamples that counted.
        """
        known = resampled[np.isfinite(resampled)]
        drawn = (
            "bootstrap of rows"
            if cases.n_units == len(cases)
            else "bootstrap of rows that belong together"
        )
        method = f"percentile {drawn}"
        if cases.n_units < 2 or len(known) < self.n_resamples / 2:
            return Estimate(float(value), level=self.level, method=method, n=len(known))
        low, high = self.band(known)
        return Estimate(float(value), float(low), float(high), self.level, method, len(known))

    def band(self, resampled: Floats) -> tuple[Floats, Floats]:
        """Return the lower and upper ends of the resamples, column by column."""
        ends = [(1 - self.level) / 2, (1 + self.level) / 2]
        low, high = np.quantile(resampled, ends, axis=0)
        return low, high

    def p_value(self, resampled: Floats) -> float:
        """Return the two-sided p of no difference: twice the share of resamples beyond zero.

        It is 1 when every resample is 0, and never below 2 / (n_resamples + 1): what resamples
        cannot show is not claimed.
        """
        known = resampled[np.isfinite(resampled)]
        if not len(known):
            return float("nan")
        beyond = min(int((known <= 0).sum()), int((known >= 0).sum()))
        return float(min(2 * (1 + beyond) / (len(known) + 1), 1.0))


def make_bootstrap(config: Config, *, n_rows: int) -> Bootstrap:
    """Return how a study resamples rows: its budget, at least 1,000 times on tables of any use.

    Parameters
    ----------
    config : Config
        Budget, seed and level.
    n_rows : int
        Of the larger part; millions of rows get fewer resamples, at least 200.

    Returns
    -------
    Bootstrap

    Examples
    --------
    >>> from lib.config import load_config
    >>> make_bootstrap(load_config(effort="quick"), n_rows=500).n_resamples
    1000
    """
    wished = max(config.budget.n_resamples, MIN_RESAMPLES)
    affordable = max(MAX_DRAWN // max(n_rows, 1), 200)
    return Bootstrap(min(wished, affordable), config.seed, config.confidence)
