"""What a stakeholder reads: a decision and its conditions."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy import stats

from lib.business.cases import Cases
from lib.business.gains import Gains
from lib.business.policies import EVERYONE, MODEL, NOBODY, phrase
from lib.estimates import Estimate, format_digits
from lib.evaluation import BETTER, SAME, WORSE

MIN_UNITS, MIN_RARE = 30, 20
ACT = "act with the model"


@dataclass(frozen=True)
class Decision:
    """What to do.

    Attributes
    ----------
    decision : str
        "act with the model", "treat all", "treat nobody", "keep today's policy", another simple
        policy, or "not distinguishable …".
    best_policy : str
        The policy to use; of those that no test tells apart, the simpler one.
    reason : str
        One sentence.
    """

    decision: str
    best_policy: str
    reason: str


def decide(comparison: pd.DataFrame, simple: list[str], default: str = "") -> Decision:
    """Return the decision that a comparison of policies supports.

    The model has to beat every policy that needs no model, each beyond chance after Holm's
    correction. Where it does not, the simpler policy is kept: that the data do not tell two apart
    is no reason to pay for a model.

    Parameters
    ----------
    comparison : DataFrame
        As `compare_policies` makes it, the model's row first.
    simple : list of str
        Policies that need no model.
    default : str
        The one that is in place today: it stays when no test tells the model from it.

    Returns
    -------
    Decision

    Examples
    --------
    >>> rows = {"policy": ["model", "treat all", "treat nobody"]}
    >>> rows |= {"verdict": ["judged", "better", "not distinguishable"]}
    >>> table = pd.DataFrame(rows | {"gain": [Estimate(5.0), Estimate(-3.0), Estimate(0.0)]})
    >>> decide(table, ["treat all", "treat nobody"]).decision
    'not distinguishable from treating nobody'
    """
    verdicts = comparison.set_index("policy")["verdict"]
    gains = comparison.set_index("policy")["gain"]
    earned = {name: gains[name].value for name in simple}
    ahead = [name for name in simple if verdicts[name] == WORSE]
    if ahead:
        best = max(ahead, key=lambda name: earned[name])
        reason = f"{phrase(best)} earns more than the model's rule, beyond chance."
        return Decision(_as_action(best), best, reason)
    equal = [name for name in simple if verdicts[name] == "same decisions"]
    if equal:
        reason = f"the model's rule decides every row as {phrase(equal[0])}: it is not needed."
        return Decision(_as_action(equal[0]), equal[0], reason)
    level = [name for name in simple if verdicts[name] != BETTER]
    if not level:
        return Decision(ACT, MODEL, f"it earns more than {phrase(*simple)}, beyond chance.")
    best = default if default in level else max(level, key=lambda name: earned[name])
    names = phrase(*level)
    reason = f"no test tells the model's rule from {names}; until more rows do, stay with "
    reason += f"{phrase(best)}, which needs no model."
    return Decision(f"{SAME} from {names}", best, reason)


def doubt_intervals(cases: Cases, task: str) -> str:
    """Return a sentence when rows are too few for intervals to be trusted, else "".

    Parameters
    ----------
    cases : Cases
        Rows on which policies are priced.
    task : {"binary", "multiclass", "regression"}
        Of the table.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> ones = np.ones(40)
    >>> doubt_intervals(Cases(ones, ones, None, ones, np.arange(40)), "regression")
    ''
    >>> doubt_intervals(Cases(ones, ones, None, ones, np.arange(40)), "binary")[:30]
    'Only 0 rows of the rarer class'
    """
    few = ""
    if cases.n_units < MIN_UNITS:
        few = f"{cases.n_units} independent units"
    elif task == "binary":
        rarer = int(min((cases.y == 1).sum(), (cases.y == 0).sum()))
        few = f"{rarer} rows of the rarer class" if rarer < MIN_RARE else ""
    if not few:
        return ""
    return f"Only {few} decide here: intervals are rough, and a few rows could turn the result."


def list_conditions(gains: Gains, break_even: str, *, policy: str = MODEL) -> str:
    """Return in words under which conditions a decision holds.

    Where the model is not what is decided for, its break-even is no condition.

    Parameters
    ----------
    gains : Gains
        As assumed.
    break_even : str
        From `state_break_even`.
    policy : str
        The one to use.

    Returns
    -------
    str
        Clauses; about acting, that it helps was assumed.

    Examples
    --------
    >>> from lib.business import make_gains
    >>> held = list_conditions(make_gains({"tp": 9}), "while fp is 1", policy="treat nobody")
    >>> held.partition(", and acting")[0]
    'gains are as assumed and rows are like those of the test set'
    """
    aside = f" ({break_even})" if policy == MODEL else ""
    clauses = f"gains are as assumed{aside} and rows are like those of the test set"
    if gains.task != "binary":
        return clauses
    return (
        f"{clauses}, and acting has the assumed effect (tested is who is positive, not what acting "
        "changes)"
    )


def _as_action(policy: str) -> str:
    return policy if policy in {EVERYONE, NOBODY} else f"keep to '{policy}'"


def find_rows_needed(
    comparison: pd.DataFrame, simple: list[str], n_rows: int
) -> tuple[str, int] | None:
    """Return the simple policy over which a lead is hardest to show, and the rows that show it.

    Parameters
    ----------
    comparison : DataFrame
        As `compare_policies` makes it, the model's row first.
    simple : list of str
        Policies that need no model, all of which the model has to beat.
    n_rows : int
        Test rows behind the comparison.

    Returns
    -------
    (str, int) or None
        None when more rows would not help: every lead is shown already, or one is no lead.

    Examples
    --------
    >>> rows = {"policy": ["model", "treat all", "treat nobody"]}
    >>> rows |= {"verdict": ["judged", "better", "not distinguishable"]}
    >>> leads = [None, Estimate(9.0, 8.0, 10.0), Estimate(1.0, -1.0, 3.0)]
    >>> table = pd.DataFrame(rows | {"lead": leads})
    >>> find_rows_needed(table, ["treat all", "treat nobody"], 500)
    ('treat nobody', 4086)
    """
    rivals = comparison[comparison["policy"].isin(simple)].set_index("policy")
    if not rivals["verdict"].isin([BETTER, SAME]).all():
        return None
    is_open = rivals["verdict"] == SAME
    leads: dict[str, Estimate] = rivals.loc[is_open, "lead"].to_dict()
    needed = {name: count_rows_needed(lead, n_rows) for name, lead in leads.items()}
    known = {name: n for name, n in needed.items() if n is not None}
    if len(known) < len(needed) or not known:
        return None
    hardest = max(known, key=lambda name: known[name])
    return hardest, known[hardest]


def count_rows_needed(lead: Estimate, n_rows: int, *, power: float = 0.8) -> int | None:
    """Return how many test rows would show this lead beyond its interval, if it is real.

    Widths of intervals shrink with the square root of the number of rows. With as many rows as put
    the lower end at zero, every second study would show the lead; power asks for more.

    Parameters
    ----------
    lead : Estimate
        Of the model over another policy.
    n_rows : int
        Rows behind it.
    power : float
        Share of studies of that size that would show it.

    Returns
    -------
    int or None
        At least `n_rows`; None when it is not a lead, has no interval, or a thousand times the rows
        would be needed.

    Examples
    --------
    >>> count_rows_needed(Estimate(1.0, -1.0, 3.0), 500, power=0.5)
    2000
    >>> count_rows_needed(Estimate(1.0, -1.0, 3.0), 500)
    4086
    """
    if not lead.has_interval or lead.value <= 0:
        return None
    widened = 1 + stats.norm.ppf(power) / stats.norm.ppf((1 + lead.level) / 2)
    factor = float(widened * (lead.value - lead.low) / lead.value) ** 2
    return max(round(n_rows * factor), n_rows) if factor < 1_000 else None


def state_break_even(table: pd.DataFrame, gains: Gains, *, against: str) -> str:
    """Return in words where the model stops paying: the gain whose break-even is nearest.

    Parameters
    ----------
    table : DataFrame
        As `find_break_evens` makes it.
    gains : Gains
        For the currency.
    against : str
        The policy that the model is compared with, in words.

    Returns
    -------
    str
        One clause.

    Examples
    --------
    >>> row = {"gain": ["fp"], "meaning": ["acting on a negative row"], "value": [-10.0]}
    >>> table = pd.DataFrame(row | {"break_even": [Estimate(-25.0)], "pays": ["above"]})
    >>> from lib.business import make_gains
    >>> gains = make_gains({"tp": 90, "fp": -10})
    >>> state_break_even(table, gains, against="treating nobody").partition(" while ")[2]
    'acting on a negative row costs less than 25 USD (assumed: 10)'
    """
    known = table[table["pays"].isin(["above", "below"])]
    if known.empty:
        how = table["pays"].iloc[0] if len(table) else "never"
        return f"whatever a single one is, the model's rule is {how} ahead of {against}"
    away = [abs(e.value / v - 1) for e, v in zip(known["break_even"], known["value"], strict=True)]
    row = known.iloc[min(range(len(away)), key=away.__getitem__)]
    at, value = float(row["break_even"].value), float(row["value"])
    is_cost = value < 0 or gains.task != "binary"
    more = "more" if (row["pays"] == "above") is not (value < 0) else "less"
    meaning, assumed = row["meaning"], f"(assumed: {format_digits(abs(value))})"
    ahead = f"the model's rule is ahead of {against}"
    if row["gain"] == "amount_share":
        return f"{ahead} while the {meaning} is {more} than {format_digits(abs(at))} {assumed}"
    verb = "costs" if is_cost else "earns"
    amount = f"{format_digits(abs(at))} {gains.currency}"
    return f"{ahead} while {meaning} {verb} {more} than {amount} {assumed}"
