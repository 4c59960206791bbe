"""Decision curves: the net benefit of a model over all weights of false alarms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.gains import Floats
from lib.estimates import format_digits

THRESHOLDS = np.arange(1, 100) / 100


def compute_decision_curve(
    cases: Cases, *, bootstrap: Bootstrap, thresholds: Floats = THRESHOLDS
) -> pd.DataFrame:
    """Return the net benefit in true positives a row, of the model and of treating all [1]_.

    The threshold says how many false alarms one true positive is worth: at 20 % it is four.
    Treating nobody has net benefit 0 everywhere.

    Parameters
    ----------
    cases : Cases
        With calibrated probabilities of the positive class.
    bootstrap : Bootstrap
        How to resample.
    thresholds : ndarray of shape (n_thresholds,)
        From 0 to below 1.

    Returns
    -------
    DataFrame
        threshold, model, low, high (the model's band, point by point), treat_all.

    References
    ----------
    .. [1] A. Vickers, E. Elkin (2006). Decision curve analysis: a novel method for evaluating
       prediction models. Medical Decision Making 26:565.

    Examples
    --------
    >>> ones = np.ones(4)
    >>> cases = Cases(np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.6, 0.9]), None, ones, ones)
    >>> curve = compute_decision_curve(cases, bootstrap=Bootstrap(50), thresholds=np.array([0.5]))
    >>> curve["model"].tolist(), curve["treat_all"].tolist()
    ([0.0], [-0.5])
    """
    is_positive = (cases.y == 1)[:, np.newaxis]
    price = thresholds / (1 - thresholds)  # of a false alarm, in true positives
    worth = np.where(is_positive, 1.0, -price)
    earned = np.where(cases.prediction[:, np.newaxis] >= thresholds, worth, 0.0)
    low, high = bootstrap.band(bootstrap.means(earned, cases))
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "model": np.asarray(cases.mean(earned)),
            "low": low,
            "high": high,
            "treat_all": np.asarray(cases.mean(worth)),
        }
    )


def phrase_range(useful: tuple[float, float] | None) -> str:
    """Return in words where `find_useful_range` found a model useful.

    Examples
    --------
    >>> [phrase_range(useful) for useful in (None, (0.1, 0.25), (0.0125, 0.0125))]
    ['at no threshold', 'from 0.1 to 0.25', 'at 0.0125 only']
    """
    if useful is None:
        return "at no threshold"
    low, high = (format_digits(end) for end in useful)
    return f"at {low} only" if low == high else f"from {low} to {high}"


def find_useful_range(curve: pd.DataFrame) -> tuple[float, float] | None:
    """Return the ends of the longest stretch of thresholds where the band beats both defaults.

    Parameters
    ----------
    curve : DataFrame
        As `compute_decision_curve` makes it.

    Returns
    -------
    (float, float) or None
        None when the model's band is nowhere above treating all and treating nobody.

    Examples
    --------
    >>> table = {"threshold": [0.1, 0.2, 0.3], "low": [0.1, 0.1, -0.1], "treat_all": [0.2, 0.0, -1]}
    >>> find_useful_range(pd.DataFrame(table))
    (0.2, 0.2)
    """
    useful = (curve["low"] > np.maximum(curve["treat_all"], 0.0)).to_numpy()
    longest: tuple[int, int] | None = None
    start = None
    for i, is_useful in enumerate([*useful, False]):
        if is_useful and start is None:
            start = i
        if not is_useful and start is not None:
            if longest is None or i - start > longest[1] - longest[0]:
                longest = (start, i)
            start = None
    if longest is None:
        return None
    at = curve["threshold"].to_numpy()
    return float(at[longest[0]]), float(at[longest[1] - 1])
