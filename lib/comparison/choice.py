"""The champion: named by a rule that was fixed before the scores were seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.comparison.posterior import ENOUGH, correlated_t
from lib.errors import InputError
from lib.estimates import corrected_error
from lib.evaluation import Scores

DUMMY = "dummy"
RULE = (
    "the simplest candidate whose gap to the best is at most one standard error (of the gap, or of "
    "the best's score where that is smaller), or is practically nil"
)


@dataclass(frozen=True)
class Choice:
    """Who was chosen, from whom, and why.

    Attributes
    ----------
    name : str
        The champion.
    best : str
        The highest mean score among the eligible.
    runner_up : str or None
        The highest mean score among the others, which the champion has to beat on new rows.
    level : DataFrame
        The candidates that the rule finds level with the best, from simple to involved: model,
        gap (to the best), error (the standard error that it is held against), why.
    reason : str
        In words.
    """

    name: str
    best: str
    runner_up: str | None
    level: pd.DataFrame
    reason: str


def choose_champion(
    scores: Scores,
    order: Sequence[str],
    *,
    smallest_effect: float,
    barred: Collection[str] = (),
) -> Choice:
    """Return the simplest candidate that is level with the best [1]_.

    A gap counts as nothing when it is at most one standard error, corrected for shared training
    rows: of the gap itself (differences fold by fold), or of the best's score where that is
    smaller, so that no candidate is level only because it is erratic. It also does when it is
    practically nil: the posterior of the correlated t-test has more than 0.95 of its mass within
    one smallest effect. A model without features is chosen only when even the best is not one
    standard error above it.

    Parameters
    ----------
    scores : Scores
        Of all candidates on the same folds.
    order : sequence of str
        Candidates from simple to involved.
    smallest_effect : float
        Differences up to this, either way, do not matter; in the metric's unit.
    barred : collection of str
        Candidates that may not be chosen; one of them can still be the runner-up.

    Returns
    -------
    Choice

    Raises
    ------
    InputError
        When nobody is left to choose from.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone (1984). Classification and Regression
       Trees, section 3.4.3; paired here, as all candidates share the folds.
    """
    by_fold = scores.by_fold()
    whole = by_fold.columns[by_fold.notna().all()]  # a candidate that fails is no champion
    eligible = [name for name in order if name in whole and name not in barred]
    if not eligible:
        failed = ", ".join(str(name) for name in order if name not in whole) or "none"
        out = ", ".join(sorted(barred)) or "none"
        raise InputError(
            f"No candidate is left to choose from; without a score on every fold: {failed}; "
            f"barred: {out}. Run analysis 11 again for others."
        )
    rivals = [name for name in eligible if name != DUMMY] or eligible
    means = by_fold[rivals].mean()
    best = str(means.idxmax())
    fraction = scores.folds.test_fraction
    if DUMMY in eligible and best != DUMMY:
        lead = by_fold[best] - by_fold[DUMMY]
        error = corrected_error(lead, fraction)
        if not lead.mean() > (error if np.isfinite(error) else 0.0):
            rivals = [DUMMY, *rivals]
    own_error = corrected_error(by_fold[best], fraction)
    rows = []
    for name in rivals:
        gap = by_fold[best] - by_fold[name]
        error = min(corrected_error(gap, fraction), own_error)
        why = _why_level(gap, error, fraction, smallest_effect) if name != best else "the best"
        if why:
            rows.append((name, float(gap.mean()), error, why))
    level = pd.DataFrame(rows, columns=["model", "gap", "error", "why"])
    champion = str(level["model"].iloc[0])
    others = by_fold[[name for name in whole if name not in {champion, DUMMY}]].mean()
    if others.empty:
        others = by_fold[[name for name in whole if name != champion]].mean()
    runner_up = str(others.idxmax()) if len(others) else None
    why = str(level["why"].iloc[0])
    reason = {
        "the best": "the best, no simpler one being level with it",
        "within one standard error": "the simplest within one standard error of the best",
        "practically equivalent": "the simplest that is practically equivalent to the best",
    }[why]
    return Choice(champion, best, runner_up, level, reason)


def _why_level(gap: pd.Series, error: float, fraction: float, smallest_effect: float) -> str:
    """Return why a gap counts as nothing; "" when it counts."""
    if gap.mean() <= error:
        return "within one standard error"
    if correlated_t(gap, fraction, rope=smallest_effect).equivalent > ENOUGH:
        return "practically equivalent"
    return ""
