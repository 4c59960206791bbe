"""Policies side by side: what each earns on the same rows, and whether the model's earns more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lib.business.cases import Cases
from lib.business.draws import Bootstrap
from lib.business.gains import Array, Floats, Gains
from lib.estimates import Estimate, PairedTest, format_p, holm
from lib.evaluation import BETTER, SAME, WORSE

PER = 1_000  # rows that sums of money are given for
MODEL, RIVAL, TODAY = "model", "runner-up", "today's policy"
EVERYONE, NOBODY, BY_LOT = "treat all", "treat nobody", "as many by lot"


def phrase(*policies: str) -> str:
    """Return names of policies as a sentence needs them.

    Examples
    --------
    >>> phrase("treat all", "treat nobody", "today's policy")
    "treating all, treating nobody and today's policy"
    """
    said = {
        EVERYONE: "treating all",
        NOBODY: "treating nobody",
        BY_LOT: "acting on as many by lot",
        MODEL: "the model's rule",
        RIVAL: "the runner-up",
    }
    with_article = ("best", "most", "forecast")
    names = [
        said.get(name, f"the {name}" if name.startswith(with_article) else name)
        for name in policies
    ]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@dataclass(frozen=True, eq=False)
class Priced:
    """What policies take from every gain, on the rows as they are and on resamples of them.

    Attributes
    ----------
    policies : tuple of str
        Names, the model's first.
    gains : Gains
        As assumed.
    uses : ndarray of shape (n_policies, n_gains)
        Mean use of each gain a row.
    resampled : ndarray of shape (n_resamples, n_policies, n_gains)
        The same on resamples.
    acted : mapping of str to float
        Share of rows that a policy acts on (binary), else NaN.
    same : mapping of str to bool
        Whether a policy decides every row as the first one does.
    reference : str
        The policy that needs no model, against which the net benefit is taken.
    cases : Cases
        The rows.
    bootstrap : Bootstrap
        How they were resampled.
    """

    policies: tuple[str, ...]
    gains: Gains
    uses: Floats = field(repr=False)
    resampled: Floats = field(repr=False)
    acted: Mapping[str, float]
    same: Mapping[str, bool]
    reference: str
    cases: Cases = field(repr=False)
    bootstrap: Bootstrap

    def gain(self, policy: str) -> Estimate:
        """Return what a policy earns on 1,000 rows, by the gains as they are written."""
        i, vector = self.policies.index(policy), self.gains.vector
        return self._estimate(self.uses[i] @ vector, self.resampled[:, i] @ vector)

    def compare(self, policy: str, other: str) -> PairedTest:
        """Return what a policy earns more than another on 1,000 rows, tested on the same rows."""
        used, resampled = self.difference(policy, other)
        vector = self.gains.vector
        drawn = resampled @ vector
        estimate = self._estimate(used @ vector, drawn)
        spread = float(np.nanstd(drawn))
        statistic = float(used @ vector) / spread if spread > 0 else 0.0
        p_value = 1.0 if not estimate.has_interval else self.bootstrap.p_value(drawn)
        return PairedTest(estimate, statistic, p_value)

    def difference(self, policy: str, other: str) -> tuple[Floats, Floats]:
        """Return the difference of two policies in mean uses, and on resamples."""
        i, j = self.policies.index(policy), self.policies.index(other)
        return self.uses[i] - self.uses[j], self.resampled[:, i] - self.resampled[:, j]

    def _estimate(self, value: Any, resampled: Floats) -> Estimate:
        return self.bootstrap.estimate(PER * float(value), PER * resampled, self.cases)


def price_policies(
    policies: Mapping[str, Array],
    gains: Gains,
    cases: Cases,
    *,
    reference: str,
    bootstrap: Bootstrap,
) -> Priced:
    """Return what policies earn on the same rows, resampled together.

    Parameters
    ----------
    policies : mapping of str to ndarray of shape (n_rows,)
        Actions by name, the model's first: truth values, codes of classes, or forecasts.
    gains : Gains
        Money for decisions.
    cases : Cases
        The rows.
    reference : str
        One of the policies, that needs no model.
    bootstrap : Bootstrap
        How to resample.

    Returns
    -------
    Priced

    Examples
    --------
    >>> from lib.business import Cases, make_gains
    >>> y, ones = np.array([1, 0, 0, 1]), np.ones(4)
    >>> cases = Cases(y, ones, None, ones, np.arange(4))
    >>> acts = {"model": y == 1, "treat nobody": y < 0}
    >>> priced = price_policies(
    ...     acts, make_gains({"tp": 10, "fp": -5}), cases,
    ...     reference="treat nobody", bootstrap=Bootstrap(100),
    ... )
    >>> priced.gain("model").value, priced.acted["model"]
    (5000.0, 0.5)
    """
    uses = [gains.count_uses(actions, cases.y, cases.amounts) for actions in policies.values()]
    n_gains = len(gains.money)
    stacked = np.concatenate(uses, axis=1)
    means = bootstrap.means(stacked, cases)
    first = next(iter(policies.values()))
    is_binary = gains.task == "binary"
    return Priced(
        policies=tuple(policies),
        gains=gains,
        uses=np.asarray(cases.mean(stacked)).reshape(len(policies), n_gains),
        resampled=means.reshape(len(means), len(policies), n_gains),
        acted={
            name: float(cases.mean(np.asarray(actions, dtype=float))) if is_binary else np.nan
            for name, actions in policies.items()
        },
        same={name: bool(np.array_equal(actions, first)) for name, actions in policies.items()},
        reference=reference,
        cases=cases,
        bootstrap=bootstrap,
    )


def compare_policies(priced: Priced, simple: Collection[str]) -> pd.DataFrame:
    """Return what each policy earns, and the model's lead over it with Holm's correction.

    There are two families of tests. Those against policies that need no model decide; those
    against other ways to use a model (the runner-up, no look at gains) stand beside it.

    Parameters
    ----------
    priced : Priced
        Its first policy is the one that is judged.
    simple : collection of str
        Policies that need no model.

    Returns
    -------
    DataFrame
        policy, acts_on (share of rows), gain and net_benefit (Estimates for 1,000 rows, the latter
        against the reference), lead (Estimate: the judged one minus this one), p, p_holm, verdict
        on the judged one ("better", "not distinguishable", "worse", "same decisions", "judged").

    Examples
    --------
    >>> from lib.business import Cases, make_gains
    >>> y, ones = np.array([1, 0, 0, 1] * 10), np.ones(40)
    >>> cases = Cases(y, ones, None, ones, np.arange(40))
    >>> acts = {"model": y == 1, "treat nobody": y < 0}
    >>> priced = price_policies(
    ...     acts, make_gains({"tp": 10, "fp": -5}), cases,
    ...     reference="treat nobody", bootstrap=Bootstrap(),
    ... )
    >>> compare_policies(priced, ["treat nobody"])["verdict"].tolist()
    ['judged', 'better']
    """
    judged = priced.policies[0]
    tests = {name: priced.compare(judged, name) for name in priced.policies[1:]}
    is_made = {name: not priced.same[name] for name in tests}
    adjusted: dict[str, float] = {}
    for family in ([n for n in tests if n in simple], [n for n in tests if n not in simple]):
        p_values = [tests[name].p_value if is_made[name] else np.nan for name in family]
        adjusted |= dict(zip(family, holm(p_values), strict=True))
    rows = []
    for name in priced.policies:
        row = {
            "policy": name,
            "acts_on": priced.acted[name],
            "gain": priced.gain(name),
            "net_benefit": priced.compare(name, priced.reference).difference,
        }
        if name == judged:
            row |= {"lead": None, "p": np.nan, "p_holm": np.nan, "verdict": "judged"}
        else:
            test = tests[name]
            verdict = _verdict(test, adjusted[name], 1 - priced.bootstrap.level)
            row |= {
                "lead": test.difference,
                "p": test.p_value if is_made[name] else np.nan,
                "p_holm": adjusted[name],
                "verdict": verdict if is_made[name] else "same decisions",
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _verdict(test: PairedTest, p_value: float, alpha: float) -> str:
    if not p_value < alpha:
        return SAME
    return BETTER if test.difference.value > 0 else WORSE


def show_policies(comparison: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a comparison as a reader wants it: what policies bring, and the model against them.

    Parameters
    ----------
    comparison : DataFrame
        As `compare_policies` makes it.

    Returns
    -------
    DataFrame
        policy, acts on (binary), net benefit.
    DataFrame
        against, lead of the model, p, p (Holm), the model is.
    """
    brought = pd.DataFrame(
        {
            "policy": comparison["policy"],
            "acts on": [f"{share:.1%}" for share in comparison["acts_on"]],
            "net benefit": comparison["net_benefit"].map(_in_words),
        }
    )
    if comparison["acts_on"].isna().all():
        brought = brought.drop(columns="acts on")
    others = comparison.iloc[1:]
    tested = {
        "against": others["policy"],
        "lead of the model": others["lead"].map(_in_words),
        "p": others["p"].map(format_p),
        "p (Holm)": others["p_holm"].map(format_p),
        "the model is": others["verdict"],
    }
    return brought, pd.DataFrame(tested).reset_index(drop=True)


def _in_words(estimate: Estimate) -> str:
    """Return an estimate as text; what is 0 by definition has no interval."""
    return "0" if estimate.value == estimate.low == estimate.high == 0 else str(estimate)
