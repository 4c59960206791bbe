"""The design card: question, metric, smallest effect and rule, fixed before any result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.data import Dataset
from lib.data.catalog import DesignChoice
from lib.errors import InputError, suggest
from lib.estimates import Estimate
from lib.evaluation import default_scoring, scorers

ADOPT, KEEP, UNDECIDED = "adopt", "keep", "undecided"
SHARES = {"roc_auc": 0.01, "roc_auc_ovr_weighted": 0.01, "r2": 0.02}  # on the metric's own scale
SMALL_SHARE = 0.02  # of what an error is without any feature


@dataclass(frozen=True)
class Card:
    """What an experiment is to decide.

    Attributes
    ----------
    question : str
        In words.
    metric, label : str
        Name and words of the one metric that decides.
    candidate, reference : str
        Two baselines; the reference stays unless the rule says otherwise.
    smallest_effect : float
        A gain below it would change nothing, in units of the metric.
    rule : {"above zero", "above the smallest effect"}
        Where the interval of the gain must lie for the candidate to be adopted.
    origin : {"catalogue", "default", "catalogue and default"}
        Who chose.
    """

    question: str
    metric: str
    label: str
    candidate: str
    reference: str
    smallest_effect: float
    rule: str
    origin: str

    def rule_in_words(self) -> str:
        """Return the rule as a sentence.

        Examples
        --------
        >>> card = Card("?", "r2", "R²", "new", "old", 0.02, "above zero", "default")
        >>> card.rule_in_words()[:60]
        'adopt new if the interval of its gain over old lies above ze'
        """
        bar = f"{self.smallest_effect:.3g}"
        where = (
            f"above zero and the gain is at least {bar}"
            if self.rule == "above zero"
            else f"above {bar}"
        )
        return (
            f"adopt {self.candidate} if the interval of its gain over {self.reference} lies "
            f"{where}; keep {self.reference} if the whole interval lies below {bar}; "
            "undecided otherwise"
        )


def make_card(dataset: Dataset, models: Sequence[str]) -> Card:
    """Return the design card of a dataset: its catalogue's, completed by defaults.

    Parameters
    ----------
    dataset : Dataset
        Of which `design` is used, and the target for the default smallest effect.
    models : sequence of str
        Names that candidate and reference may have, from simple to strong.

    Returns
    -------
    Card
        By default the strongest model against "linear" on the task's metric. The default smallest
        effect is 0.01 of an AUC, 0.02 of R², else two hundredths of the error that a model without
        features makes.

    Raises
    ------
    InputError
        When the catalogue names a metric or a model that does not exist.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> card = make_card(make_planted(200), ["dummy", "linear", "LightGBM"])
    >>> card.metric, card.candidate, card.reference, card.smallest_effect, card.origin
    ('roc_auc', 'LightGBM', 'linear', 0.01, 'default')
    """
    chosen = dataset.design or DesignChoice()
    known = scorers(dataset.task)
    metric = chosen.metric or default_scoring(dataset.task)
    if metric not in known:
        msg = f"design.metric of '{dataset.name}' is '{metric}'; a {dataset.task} task has "
        raise InputError(f"{msg}{', '.join(known)}.{suggest(metric, known)}")
    candidate = chosen.candidate or models[-1]
    reference = chosen.reference or ("linear" if "linear" in models else models[0])
    for key, name in (("candidate", candidate), ("reference", reference)):
        if name not in models:
            msg = f"design.{key} of '{dataset.name}' is '{name}'; there are {', '.join(models)}."
            raise InputError(msg + suggest(name, models))
    if candidate == reference:
        msg = f"design of '{dataset.name}' compares '{candidate}' with itself: name another"
        raise InputError(f"{msg} candidate or reference.")
    own = [chosen.question, chosen.metric, chosen.smallest_effect, chosen.rule]
    given = sum(value is not None for value in own)
    return Card(
        question=chosen.question
        or f"Does {candidate} predict {dataset.target} better than {reference}, by enough to "
        "matter?",
        metric=metric,
        label=known[metric].label,
        candidate=candidate,
        reference=reference,
        smallest_effect=chosen.smallest_effect or _smallest_effect(dataset, metric),
        rule=chosen.rule or "above zero",
        origin={0: "default", len(own): "catalogue"}.get(given, "catalogue and default"),
    )


def _smallest_effect(dataset: Dataset, metric: str) -> float:
    if metric in SHARES:
        return SHARES[metric]
    if metric not in {"neg_log_loss", "neg_brier_score"} and dataset.task != "regression":
        return 0.01  # a share of rows, or a mean of shares
    y = dataset.y.to_numpy()
    if dataset.task == "regression":
        spread = float(np.std(y)) if "squared" in metric else float(np.mean(np.abs(y - y.mean())))
        return _round(SMALL_SHARE * spread)
    shares = np.bincount(y.astype(int)) / len(y)
    shares = shares[shares > 0]
    floor = -float((shares * np.log(shares)).sum())
    if metric == "neg_brier_score":
        floor = float(np.var(y))
    return _round(SMALL_SHARE * floor)


def _round(value: float) -> float:
    """Return two significant digits: the smallest effect is a choice, not a measurement."""
    return float(f"{value:.2g}") if value > 0 else 0.01


@dataclass(frozen=True)
class Decision:
    """What the rule of a card says of a gain.

    Attributes
    ----------
    word : {"adopt", "keep", "undecided"}
    words : str
        With the reason.
    """

    word: str
    words: str


def judge(gain: Estimate, card: Card) -> Decision:
    """Return what the card's rule says of a gain of the candidate over the reference.

    Parameters
    ----------
    gain : Estimate
        With interval, in the metric's unit, positive when the candidate is better.
    card : Card
        Fixed before.

    Returns
    -------
    Decision

    Examples
    --------
    >>> card = Card("?", "r2", "R²", "new", "old", 0.02, "above zero", "default")
    >>> [judge(Estimate(v, v - 0.01, v + 0.01), card).word for v in (0.05, 0.015, 0.0)]
    ['adopt', 'undecided', 'keep']
    """
    answer = would_matter(gain, card.smallest_effect, rule=card.rule)
    bar = f"{card.smallest_effect:.3g}"
    if answer == "yes":
        return Decision(ADOPT, f"adopt {card.candidate}")
    if answer == "no":
        why = f"a gain of {bar} or more is ruled out"
        return Decision(KEEP, f"keep {card.reference}, as {why}")
    why = "there is no interval"
    if gain.has_interval:
        why = f"the interval holds gains that matter ({bar} or more) and others that do not"
    if gain.low > 0 and gain.value < card.smallest_effect:
        why = f"better beyond chance, but not shown to be better by {bar}"
    return Decision(UNDECIDED, f"undecided, as {why}; {card.reference} stays for now")


def would_matter(gain: Estimate, smallest_effect: float, *, rule: str = "above zero") -> str:
    """Return "yes", "no" or "cannot be told": whether a gain reaches the smallest effect.

    Parameters
    ----------
    gain : Estimate
        With interval.
    smallest_effect : float
        Above zero.
    rule : {"above zero", "above the smallest effect"}
        Where the interval must lie for a yes.

    Returns
    -------
    str

    Examples
    --------
    >>> would_matter(Estimate(0.001, -0.001, 0.003), 0.01)
    'no'
    """
    if not gain.has_interval or math.isnan(gain.value):
        return "cannot be told"
    floor = 0.0 if rule == "above zero" else smallest_effect
    if gain.low > floor and gain.value >= smallest_effect:
        return "yes"
    return "no" if gain.high < smallest_effect else "cannot be told"
