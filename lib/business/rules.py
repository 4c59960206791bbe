"""From predictions to decisions: the rule of a model, and the policies that it has to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.forecasts import best_constant, learn_shift, optimal_quantile
from lib.business.gains import Array, Gains
from lib.business.policies import EVERYONE, MODEL, NOBODY, RIVAL, TODAY
from lib.business.thresholds import Choice, choose_threshold
from lib.data import Dataset
from lib.errors import InputError


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
        Name of the way that looks at no gains.
    decide_plainly : callable
        That way: at break-even, the forecast as it is, the most likely class.
    constant : str
        Name of the best policy without a model.
    decide_constantly : callable
        That policy.
    reference : str
        The policy against which the net benefit is taken.
    choice : Choice or None
        Of a binary decision: threshold and profit curve.
    """

    words: str
    decide: Callable[[Cases], Array] = field(repr=False)
    plain: str
    decide_plainly: Callable[[Cases], Array] = field(repr=False)
    constant: str
    decide_constantly: Callable[[Cases], Array] = field(repr=False)
    reference: str
    choice: Choice | None = field(default=None, repr=False)


def learn_rule(gains: Gains, learned: Cases, *, bootstrap: Bootstrap) -> Rule:
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

    Returns
    -------
    Rule

    Raises
    ------
    InputError
        Without rows to learn from.
    """
    if not len(learned):
        raise InputError("A rule is learned from out-of-fold predictions; there is none.")
    if gains.task == "regression":
        return _quantile_rule(gains, learned)
    if gains.task == "multiclass":
        return _class_rule(gains, learned)
    return _threshold_rule(gains, learned, bootstrap)


def _threshold_rule(gains: Gains, learned: Cases, bootstrap: Bootstrap) -> Rule:
    choice = choose_threshold(gains, learned, bootstrap=bootstrap)
    words = f"act from a probability of {choice.threshold:.3f} on"
    if choice.threshold > 1:
        words = "act on nobody, as no threshold earned anything"
    elif choice.threshold <= float(learned.prediction.min()):
        words = "act on everybody, as no threshold earned more"
    everyone = choice.best_constant == EVERYONE
    return Rule(
        words=words,
        decide=lambda cases: cases.prediction >= choice.threshold,
        plain="model at break-even",
        decide_plainly=lambda cases: cases.prediction >= choice.break_even,
        constant=choice.best_constant,
        decide_constantly=lambda cases: np.full(len(cases), everyone),
        reference=NOBODY,
        choice=choice,
    )


def _class_rule(gains: Gains, learned: Cases) -> Rule:
    costs = gains.matrix()
    shares = np.bincount(learned.y, weights=learned.weight, minlength=len(costs))
    answer = int(np.argmin(shares @ costs))
    name = f"always {gains.classes[answer]}"
    return Rule(
        words="answer the class of least expected cost",
        decide=lambda cases: np.asarray((cases.prediction @ costs).argmin(axis=1)),
        plain="most likely class",
        decide_plainly=lambda cases: np.asarray(cases.prediction.argmax(axis=1)),
        constant=name,
        decide_constantly=lambda cases: np.full(len(cases), answer),
        reference=name,
    )


def _quantile_rule(gains: Gains, learned: Cases) -> Rule:
    quantile = optimal_quantile(gains)
    shift, constant = learn_shift(learned, quantile), best_constant(gains, learned)
    name = "best constant forecast"
    return Rule(
        words=f"forecast the {quantile:.0%} quantile, from the model's errors on unseen rows",
        decide=lambda cases: shift.apply(cases.prediction),
        plain="forecast as it is",
        decide_plainly=lambda cases: np.asarray(cases.prediction, dtype=float),
        constant=name,
        decide_constantly=lambda cases: np.full(len(cases), constant),
        reference=name,
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


_PLAIN = {"model at break-even", "most likely class", "forecast as it is"}


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
        actions[EVERYONE] = np.ones(len(cases), dtype=bool)
        actions[NOBODY] = np.zeros(len(cases), dtype=bool)
    else:
        actions[rule.constant] = rule.decide_constantly(cases)
    if cases.today is not None:
        actions[TODAY] = _today(rule, cases, dataset)
    if rival is not None:
        actions[RIVAL] = rival[0].decide(rival[1])
    default = TODAY if cases.today is not None else rule.constant
    return Policies(actions, default, rule.reference)


def _today(rule: Rule, cases: Cases, dataset: Dataset) -> Array:
    """Return today's actions; where it has no forecast or label, the best constant one."""
    if cases.today is None or dataset.task == "binary":
        return np.asarray(cases.today, dtype=bool)
    otherwise = rule.decide_constantly(cases)
    if dataset.task == "regression":
        known = np.asarray(cases.today, dtype=float)
        return np.where(np.isfinite(known), known, otherwise)
    codes = {label: code for code, label in enumerate(dataset.classes)}
    return np.array([codes.get(t, o) for t, o in zip(cases.today, otherwise, strict=True)])
