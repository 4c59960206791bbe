"""When only so many rows can be acted upon: whom first, and what each further one earns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.gains import Floats, Gains
from lib.business.policies import PER
from lib.business.thresholds import Choice
from lib.estimates import Estimate

SHARES = np.r_[0.0, np.geomspace(0.005, 1.0, 60)]


def compute_capacity(
    gains: Gains, cases: Cases, *, bootstrap: Bootstrap, shares: Floats = SHARES
) -> pd.DataFrame:
    """Return what acting on the share of rows with the highest predicted value earns.

    Rows of one amount are in the order of their probability, as what acting earns rises with it.

    Parameters
    ----------
    gains : Gains
        Of a binary decision.
    cases : Cases
        With the probability of the positive class.
    bootstrap : Bootstrap
        How to resample.
    shares : ndarray of shape (n_shares,)
        Of rows acted upon, from 0 to 1.

    Returns
    -------
    DataFrame
        share, rows (that many are acted upon), gain (Estimate, against treating nobody, for 1,000
        rows), at_random (as many drawn by lot), precision (share of positives among them).

    Examples
    --------
    >>> from lib.business import make_gains
    >>> ones = np.ones(4)
    >>> cases = Cases(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), None, ones, ones)
    >>> half = compute_capacity(
    ...     make_gains({"tp": 10, "fp": -10}),
    ...     cases,
    ...     bootstrap=Bootstrap(50),
    ...     shares=np.array([0.5]),
    ... )
    >>> half["gain"][0].value, half["at_random"].tolist(), half["precision"].tolist()
    (5000.0, [0.0], [1.0])
    """
    value = gains.value_of_acting(cases.y, cases.amounts)
    place = rank_share(cases)
    acts = place[:, np.newaxis] <= shares + 1e-9
    earned = np.where(acts, value[:, np.newaxis], 0.0)
    total, means = cases.mean(value), np.asarray(cases.mean(earned))
    resampled = bootstrap.means(earned, cases)
    is_positive = cases.weight * (cases.y == 1)
    with np.errstate(invalid="ignore"):
        precision = (is_positive @ acts) / (cases.weight @ acts)
    estimates = [
        bootstrap.estimate(PER * float(mean), PER * resampled[:, i], cases)
        for i, mean in enumerate(means)
    ]
    return pd.DataFrame(
        {
            "share": shares,
            "rows": acts.sum(axis=0),
            "gain": estimates,
            "at_random": PER * float(total) * shares,
            "precision": precision,
        }
    )


def rank_share(cases: Cases) -> Floats:
    """Return for each row the share of rows up to and with it, the most probable first.

    Examples
    --------
    >>> ones = np.ones(4)
    >>> rank_share(Cases(ones, np.array([0.1, 0.9, 0.5, 0.7]), None, ones, ones)).tolist()
    [1.0, 0.25, 0.75, 0.5]
    """
    order = np.argsort(-cases.prediction, kind="stable")
    place = np.empty(len(order))
    place[order] = np.cumsum(cases.weight[order]) / cases.weight.sum()
    return place


def list_shares(best: float, capacity: float | None) -> Floats:
    """Return the shares of rows that a table shows: round ones, the best, and what is possible.

    Examples
    --------
    >>> list_shares(0.08, 0.03).tolist()
    [0.01, 0.03, 0.05, 0.08, 0.1, 0.2, 0.5]
    """
    chosen = [best, *([capacity] if capacity else [])]
    apart = [s for s in (0.01, 0.05, 0.1, 0.2, 0.5) if all(abs(s - c) > 0.1 * s for c in chosen)]
    return np.unique(np.round([*apart, *chosen], 6))


@dataclass(frozen=True, eq=False)
class Capacity:
    """What the first rows bring.

    Attributes
    ----------
    curve : DataFrame
        Of many shares, as `compute_capacity` makes it.
    table : DataFrame
        Of round shares, the best one and the possible one, where they are a row at least.
    best : float
        Share of rows that the threshold acts on where it was chosen.
    possible : float or None
        Share of rows that can be acted upon.
    used : float
        The smaller of the two.
    gain : Estimate
        What acting on that share brings against treating nobody, for 1,000 rows.
    words : str
        Where the share comes from.
    """

    curve: pd.DataFrame = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    best: float
    possible: float | None
    used: float
    gain: Estimate
    words: str


def price_capacity(
    choice: Choice, gains: Gains, cases: Cases, possible: float | None, *, bootstrap: Bootstrap
) -> Capacity:
    """Return what the most probable rows bring: as many as are worth it, and as are possible.

    Parameters
    ----------
    choice : Choice
        A threshold, and where it was chosen.
    gains : Gains
        Of a binary decision.
    cases : Cases
        The rows to price.
    possible : float or None
        Share of rows that can be acted upon.
    bootstrap : Bootstrap
        How to resample.

    Returns
    -------
    Capacity
    """
    learned = choice.curve
    at = int(np.argmin(np.abs(learned.thresholds - choice.threshold)))
    best = float(learned.acted[at])
    used = best if possible is None else min(best, possible)
    shares = list_shares(best, possible)
    table = compute_capacity(gains, cases, bootstrap=bootstrap, shares=shares)
    return Capacity(
        curve=compute_capacity(gains, cases, bootstrap=bootstrap),
        table=table[table["rows"] > 0].reset_index(drop=True),
        best=best,
        possible=possible,
        used=used,
        gain=table["gain"].iloc[int(np.argmin(np.abs(shares - used)))],
        words="chosen out of fold" if possible is None or used < possible else "all that can be",
    )


def show_capacity(capacity: pd.DataFrame) -> pd.DataFrame:
    """Return a table of the first rows as a reader wants it.

    Parameters
    ----------
    capacity : DataFrame
        As `compute_capacity` makes it.

    Returns
    -------
    DataFrame
        first, rows, net benefit, by lot, positives among them.
    """
    precision = [f"{p:.1%}" if np.isfinite(p) else "" for p in capacity["precision"]]
    return pd.DataFrame(
        {
            "first": [f"{share:.1%}" for share in capacity["share"]],
            "rows": capacity["rows"],
            "net benefit": capacity["gain"].map(str),
            "as many by lot": capacity["at_random"],
            "positives among them": precision,
        }
    )
