"""Return on investment of a policy, as the draft of this analysis defined it, on rows."""

from __future__ import annotations

import numpy as np

from lib.business.gains import Array
from lib.business.policies import Priced
from lib.estimates import Estimate


def estimate_roi(priced: Priced, actions: Array) -> Estimate:
    """Return benefit minus cost, over cost, in percent (binary decisions) [1]_.

    Benefit is what true positives earn; cost is what false positives and missed positives lose,
    so an unspent loss counts as if it were spent. With per-row amounts each row counts its own.

    Parameters
    ----------
    priced : Priced
        For gains, rows and resamples.
    actions : ndarray of shape (n_rows,)
        Whether each row is acted upon.

    Returns
    -------
    Estimate
        NaN when nothing is lost, and for tasks without decisions to act.

    References
    ----------
    .. [1] `BusinessImpactAnalyzer.calculate_roi`, which counts the same from a confusion matrix.
    """
    gains, cases = priced.gains, priced.cases
    if gains.task != "binary":
        return Estimate(float("nan"))
    acts, is_positive = np.asarray(actions, dtype=bool), cases.y == 1
    earned = gains.count_uses(acts, cases.y, cases.amounts) @ gains.vector
    books = np.column_stack(
        [np.where(acts & is_positive, earned, 0.0), np.where(acts != is_positive, -earned, 0.0)]
    )
    benefit, cost = cases.mean(books)
    if cost <= 0:
        return Estimate(float("nan"))
    drawn = priced.bootstrap.means(books, cases)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 100 * (drawn[:, 0] - drawn[:, 1]) / drawn[:, 1]
    return priced.bootstrap.estimate(100 * (benefit - cost) / cost, ratio, cases)
