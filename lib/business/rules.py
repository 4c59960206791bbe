"""From predictions to decisions: the rule of a model, and the policies that it has to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.business.capacity import rank_share
from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.forecasts import (
    best_constant,
    compute_quantile_curve,
    learn_shift,
    optimal_quantile,
)
from lib.business.gains import Array, Gains
from lib.business.policies import BY_LOT, EVERYONE, MODEL, NOBODY, RIVAL, TODAY
from lib.business.thresholds import (
    Choice,
    choose_threshold,
    compute_profit_curve,
    estimate_regret,
)
from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate

BREAK_EVEN, BEST_OUT_OF_FOLD = "model at break-even", "model, best out of fold"
MOST_LIKELY, AS_IT_IS = "most likely class", "forecast as it is"
_PLAIN = {BREAK_EVEN, BEST_OUT_OF_FOLD, MOST_LIKELY, AS_IT_IS}


@dataclass(frozen=True)
class Rule:
    """How predictions become decisions; learned on out-of-fold predictions alone.

    Attributes
    ----------
    words : str
        The rule for a reader.
    decide : callable
        Takes cases and returns an action a row.
    plain : str
        Name of another way to use the model, mostly one that looks at no gains.
    decide_plainly : callable
        That way: another threshold, the forecast as it is, the most likely class.
    constant : str
        Name of the best policy without a model.
    decide_constantly : callable
        That policy.
    reference : str
        The policy against which the net benefit is taken.
    against : str
        The policy whose place the model's rule would lose if gains were others.
    choice : Choice or None
        Of a binary decision: threshold and profit curve.
    most : float
        Share of rows that can be acted upon.
    """

    words: str
    decide: Callable[[Cases], Array] = field(repr=False)
    plain: str
    decide_plainly: Callable[[Cases], Array] = field(repr=False)
    constant: str
    decide_constantly: Callable[[Cases], Array] = field(repr=False)
    reference: str
    against: str
    choice: Choice | None = field(default=None, repr=False)
    most: float = 1.0


def learn_rule(
    gains: Gains, learned: Cases, *, bootstrap: Bootstrap, capacity: float | None = None
) -> Rule:
    """Return the rule that earns most on out-of-fold predictions.

    Binary: a threshold on the probability. Several classes: the answer of least expected cost.
    Numbers: the quantile that over- and under-forecasts ask for.

    Parameters
    ----------
    gains : Gains
        Money for decisions.
    learned : Cases
        Out-of-fold predictions; never the rows on which the rule is priced.
    bootstrap : Bootstrap
        For the interval of a threshold.
    capacity : float, optional
        Share of rows that can be acted upon (binary).

    Returns
    -------
    Rule

    Raises
    ------
    InputError
        Without rows to learn from.
    """
    if not len(learned):
        raise InputError(
            "A rule is learned from out-of-fold predictions; got none: the model failed on every "
            "fold. Leave it out, or mend it and run the analysis that tracked it again."
        )
    if gains.task == "regression":
        return _quantile_rule(gains, learned)
    if gains.task == "multiclass":
        return _class_rule(gains, learned)
    return _threshold_rule(gains, learned, bootstrap, capacity)


def _threshold_rule(
    gains: Gains, learned: Cases, bootstrap: Bootstrap, capacity: float | None
) -> Rule:
    choice = choose_threshold(gains, learned, bootstrap=bootstrap)
    words = f"act from a probability of {choice.threshold:.3f} on"
    if choice.threshold > 1:
        words = "act on nobody, as no threshold earned anything"
    elif choice.threshold <= float(learned.prediction.min()):
        words = "act on everybody, as no threshold earned more"
    most = 1.0 if capacity is None else capacity
    if capacity is not None:
        words += f", on at most {capacity:.1%} of the rows, the most probable first"
    everyone = EVERYONE if capacity is None else BY_LOT
    constant = everyone if choice.best_constant == EVERYONE else NOBODY
    at_break_even = choice.threshold == choice.break_even
    other = choice.best.value if at_break_even else choice.break_even
    return Rule(
        words=words,
        decide=lambda cases: act_from(cases, choice.threshold, most),
        plain=BEST_OUT_OF_FOLD if at_break_even else BREAK_EVEN,
        decide_plainly=lambda cases: act_from(cases, other, most),
        constant=constant,
        decide_constantly=lambda cases: np.full(len(cases), most * (constant != NOBODY)),
        reference=NOBODY,
        against=NOBODY if constant == BY_LOT else constant,
        choice=choice,
        most=most,
    )


def act_from(cases: Cases, threshold: float, most: float = 1.0) -> Array:
    """Return whether each row is acted upon: from a probability on, the most probable first.

    Parameters
    ----------
    cases : Cases
        With the probability of the positive class.
    threshold : float
        Act from this probability on.
    most : float
        Share of rows that can be acted upon.

    Returns
    -------
    ndarray of bool of shape (n_rows,)

    Examples
    --------
    >>> ones = np.ones(4)
    >>> cases = Cases(ones, np.array([0.1, 0.6, 0.7, 0.8]), None, ones, ones)
    >>> act_from(cases, 0.5).tolist(), act_from(cases, 0.5, 0.5).tolist()
    ([False, True, True, True], [False, False, True, True])
    """
    place = rank_share(cases)
    return (cases.prediction >= threshold) & (place <= most + 1e-9)


def _class_rule(gains: Gains, learned: Cases) -> Rule:
    costs = gains.matrix()
    shares = np.bincount(learned.y, weights=learned.weight, minlength=len(costs))
    answer = int(np.argmin(shares @ costs))
    name = f"always {gains.classes[answer]}"
    return Rule(
        words="answer the class of least expected cost",
        decide=lambda cases: np.asarray((cases.prediction @ costs).argmin(axis=1)),
        plain=MOST_LIKELY,
        decide_plainly=lambda cases: np.asarray(cases.prediction.argmax(axis=1)),
        constant=name,
        decide_constantly=lambda cases: np.full(len(cases), answer),
        reference=name,
        against=name,
    )


def _quantile_rule(gains: Gains, learned: Cases) -> Rule:
    quantile = optimal_quantile(gains)
    shift, constant = learn_shift(learned, quantile), best_constant(gains, learned)
    name = "best constant forecast"
    return Rule(
        words=f"forecast the {quantile:.0%} quantile, from the model's errors on unseen rows",
        decide=lambda cases: shift.apply(cases.prediction),
        plain=AS_IT_IS,
        decide_plainly=lambda cases: np.asarray(cases.prediction, dtype=float),
        constant=name,
        decide_constantly=lambda cases: np.full(len(cases), constant),
        reference=name,
        against=AS_IT_IS,
    )


@dataclass(frozen=True, eq=False)
class Policies:
    """What every policy does with the same rows.

    Attributes
    ----------
    actions : dict of str to ndarray of shape (n_rows,)
        By name, the model's first.
    default : str
        What would be done without the model: today's policy, else the best constant one.
    reference : str
        Against which the net benefit is taken.
    """

    actions: dict[str, Array]
    default: str
    reference: str

    @property
    def simple(self) -> list[str]:
        """Policies that need no model."""
        return [name for name in self.actions if name not in {MODEL, RIVAL} | _PLAIN]


def list_policies(
    rule: Rule, cases: Cases, dataset: Dataset, *, rival: tuple[Rule, Cases] | None = None
) -> Policies:
    """Return what the model and every policy that it has to beat do with the rows.

    Parameters
    ----------
    rule : Rule
        Of the model.
    cases : Cases
        The rows, with the model's predictions.
    dataset : Dataset
        For today's policy.
    rival : (Rule, Cases), optional
        The runner-up's rule, and the same rows with its predictions.

    Returns
    -------
    Policies
    """
    actions = {MODEL: rule.decide(cases), rule.plain: rule.decide_plainly(cases)}
    if dataset.task == "binary":
        most = dataset.capacity or 1.0
        actions[EVERYONE if dataset.capacity is None else BY_LOT] = np.full(len(cases), most)
        actions[NOBODY] = np.zeros(len(cases))
    else:
        actions[rule.constant] = rule.decide_constantly(cases)
    if cases.today is not None:
        actions[TODAY] = _today(rule, cases, dataset)
    if rival is not None:
        actions[RIVAL] = rival[0].decide(rival[1])
    default = TODAY if cases.today is not None else rule.constant
    return Policies(actions, default, rule.reference)


def _today(rule: Rule, cases: Cases, dataset: Dataset) -> Array:
    """Return today's actions; where it has no forecast or label, the best constant one.

    When it would act on more rows than are possible, lots are drawn among them.
    """
    if cases.today is None or dataset.task == "binary":
        acts = np.asarray(cases.today, dtype=float)
        share = float(cases.mean(acts))
        return acts * min((dataset.capacity or 1.0) / share, 1.0) if share > 0 else acts
    otherwise = rule.decide_constantly(cases)
    if dataset.task == "regression":
        known = np.asarray(cases.today, dtype=float)
        return np.where(np.isfinite(known), known, otherwise)
    codes = {label: code for code, label in enumerate(dataset.classes)}
    return np.array([codes.get(t, o) for t, o in zip(cases.today, otherwise, strict=True)])


@dataclass(frozen=True, eq=False)
class RuleCurve:
    """What neighbours of a rule would have brought on the rows where it is priced.

    Attributes
    ----------
    table : DataFrame or None
        threshold (or quantile), gain, low, high; None where there is nothing to move.
    used : float
        The threshold or quantile of the rule.
    break_even : float or None
        The threshold that the gains alone ask for.
    learned : DataFrame or None
        The curve on which a threshold was chosen.
    words : str
        One sentence fragment for the reader.
    value : Estimate or None
        Regret of a threshold, or the share of rows that forecasts hold.
    note : str
        Ends a title where the curve knows no limit of capacity, but the rule does.
    """

    table: pd.DataFrame | None
    used: float
    break_even: float | None
    learned: pd.DataFrame | None
    words: str
    value: Estimate | None
    note: str = ""


def trace_rule(
    rule: Rule, gains: Gains, learned: Cases, cases: Cases, *, bootstrap: Bootstrap
) -> RuleCurve:
    """Return what other thresholds, or other quantiles, would have brought.

    Parameters
    ----------
    rule : Rule
        Of the model.
    gains : Gains
        Money for decisions.
    learned : Cases
        Out-of-fold predictions, on which the rule was learned.
    cases : Cases
        Rows on which it is priced.
    bootstrap : Bootstrap
        How to resample.

    Returns
    -------
    RuleCurve
    """
    if rule.choice is not None:
        choice = rule.choice
        thresholds = choice.curve.thresholds
        note = " (were there room for all)" if rule.most < 1 else ""
        curve = compute_profit_curve(gains, cases, thresholds, bootstrap=bootstrap)
        return RuleCurve(
            table=curve.tabulate(),
            used=choice.threshold,
            break_even=choice.break_even,
            learned=choice.curve.tabulate(),
            words=f"Regret against the best threshold in hindsight, {gains.currency}{gains.mark} "
            f"for 1,000 rows{note}",
            value=estimate_regret(curve, choice.threshold),
            note=note,
        )
    if gains.task == "regression":
        quantile = optimal_quantile(gains)
        holds = (cases.y <= rule.decide(cases)).astype(float)
        drawn = 100 * bootstrap.means(holds[:, np.newaxis], cases)[:, 0]
        held = bootstrap.estimate(100 * float(cases.mean(holds)), drawn, cases)
        words = f"Forecasts that are not exceeded, in % (aimed at: {100 * quantile:.3g})"
        table = compute_quantile_curve(gains, learned, cases, bootstrap=bootstrap)
        return RuleCurve(table, quantile, None, None, words, held)
    words = "A curve does not apply: answers among several classes have no single threshold to move"
    return RuleCurve(None, float("nan"), None, None, words, None)
