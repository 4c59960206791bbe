"""All that is to be said about the honesty of probabilities, in one table."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from lib.estimates import Estimate, format_p
from lib.performance.bins import estimate_calibration_error, make_bins, tabulate_calibration
from lib.performance.brier import BrierParts, decompose_brier, spiegelhalter
from lib.performance.events import Events, make_events
from lib.performance.held_out import HeldOut
from lib.performance.recalibration import fit_recalibration, judge_calibration


@dataclass(frozen=True, eq=False)
class Calibration:
    """Whether probabilities are honest.

    Attributes
    ----------
    events : Events
        What was predicted.
    bins : DataFrame with columns rows, predicted, observed
        Bins of like counts.
    slope, intercept : Estimate
        1 and 0 when honest; see `fit_recalibration`.
    error : Estimate
        Expected calibration error, corrected for chance.
    plain : float
        The same as it is.
    honest : Estimate
        What honest probabilities would show in its place.
    brier : BrierParts
        They add up exactly.
    verdict : str
        In words, by slope and intercept.
    numbers : DataFrame with columns what, value, honest
        All of it for reading.
    """

    events: Events
    bins: pd.DataFrame
    slope: Estimate
    intercept: Estimate
    error: Estimate
    plain: float
    honest: Estimate
    brier: BrierParts
    verdict: str
    numbers: pd.DataFrame = field(repr=False)


def study_calibration(
    held: HeldOut, *, n_resamples: int, random_state: int, level: float = 0.95
) -> Calibration:
    """Return whether the probabilities of held-out rows are honest.

    Parameters
    ----------
    held : HeldOut
        Of a classification task; of more than two classes, the most likely one is judged.
    n_resamples : int
        Of bootstrap and simulation.
    random_state : int
        Seed.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Calibration

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(1_000)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> study_calibration(held, n_resamples=100, random_state=0).verdict
    'no sign of miscalibration'
    """
    events = make_events(held)
    bins = make_bins(events.probability)
    fit = fit_recalibration(events, level=level)
    error, plain, honest = estimate_calibration_error(
        events, bins, n_resamples=n_resamples, random_state=random_state, level=level
    )
    brier = decompose_brier(events, bins)
    z, p = spiegelhalter(events)
    rows: list[tuple[str, object, str]] = [
        ("calibration slope", fit["slope"], "1; below: too extreme"),
        ("calibration-in-the-large (log-odds)", fit["intercept"], "0; above: predicts too little"),
        ("expected calibration error, corrected", error, "0"),
        ("expected calibration error, as it is", Estimate(plain), f"by chance {honest}"),
        ("Spiegelhalter's z", Estimate(z), f"0 (p {format_p(p)})"),
        ("Brier score", Estimate(brier.score), "= the four parts below"),
        ("  + reliability (bins are off)", Estimate(brier.reliability), "0"),
        ("  - resolution (bins differ)", Estimate(brier.resolution), "high"),
        ("  + uncertainty (of the event)", Estimate(brier.uncertainty), "given"),
        ("  + within bins", Estimate(brier.within), "near 0"),
    ]
    return Calibration(
        events=events,
        bins=tabulate_calibration(events, bins, level=level),
        slope=fit["slope"],
        intercept=fit["intercept"],
        error=error,
        plain=plain,
        honest=honest,
        brier=brier,
        verdict=judge_calibration(fit),
        numbers=pd.DataFrame(rows, columns=["what", "value", "honest"]),
    )
