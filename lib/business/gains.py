"""What decisions earn and cost: named gains, of the catalogue or openly illustrative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.data import Dataset
from lib.errors import InputError

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]
CATALOGUE, ILLUSTRATIVE = "catalogue", "illustrative"
ASSUMED_UNCERTAINTY = 0.25  # of a gain, where the catalogue says nothing
BENEFIT = 100.0  # of the illustration
UNDER, OVER = 2.0, 1.0  # of the illustration, a unit


@dataclass(frozen=True)
class Gains:
    """Named amounts that decisions earn or cost; what a decision earns is linear in them.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
        Of the table.
    money : mapping of str to float
        By name. Binary: tp, fp, fn, tn in money for a row (a cost is negative), with amounts
        amount_share in place of tp. Regression: over and under, costs for a unit. Several
        classes: a cost for each kind of confusion.
    meanings : mapping of str to str
        By name, in words.
    origin : {"catalogue", "illustrative"}
        Who says so.
    reason : str
        One sentence: where they come from.
    currency : str
        ISO 4217 code.
    uncertainty : float
        How far each may be off, as a share of itself.
    is_assumed : bool
        Whether that share was not given.
    classes : tuple of str
        Labels by code.
    cells : mapping of (int, int) to str
        Of several classes: which gain answering the second costs when the first is true.
    """

    task: str
    money: Mapping[str, float]
    meanings: Mapping[str, str]
    origin: str
    reason: str
    currency: str = "USD"
    uncertainty: float = ASSUMED_UNCERTAINTY
    is_assumed: bool = True
    classes: tuple[str, ...] = ()
    cells: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of the gains, in order."""
        return list(self.money)

    @property
    def vector(self) -> Floats:
        """Values in the order of the names."""
        return np.array(list(self.money.values()), dtype=float)

    @property
    def mark(self) -> str:
        """What figures and titles add when gains are made up: " (illustrative gains)", else ""."""
        return " (illustrative gains)" if self.origin == ILLUSTRATIVE else ""

    def tabulate(self) -> pd.DataFrame:
        """Return a table of gain, meaning, value."""
        rows = [(name, self.meanings[name], value) for name, value in self.money.items()]
        return pd.DataFrame(rows, columns=["gain", "meaning", "value"])

    def matrix(self) -> Floats:
        """Return the costs of several classes: row the true class, column the answer."""
        n = len(self.classes)
        costs = np.zeros((n, n))
        for (true, answer), name in self.cells.items():
            costs[true, answer] = self.money[name]
        return costs

    def count_uses(self, actions: Array, y: Array, amounts: Floats | None = None) -> Floats:
        """Return how often each gain is taken by the action on each row.

        What a row earns is this matrix times the values: with it every question about other
        gains (break-even, tornado, simulation) is a sum and needs no new decision.

        Parameters
        ----------
        actions : ndarray of shape (n_rows,)
            Truth values (act or not) or the chance of being acted upon by lot; codes of classes;
            or forecasts.
        y : ndarray of shape (n_rows,)
            What was true.
        amounts : ndarray of shape (n_rows,), optional
            Needed where amount_share is a gain.

        Returns
        -------
        ndarray of shape (n_rows, n_gains)

        Examples
        --------
        >>> gains = make_gains({"tp": 100, "fp": -50})
        >>> uses = gains.count_uses(np.array([True, True, False]), np.array([1, 0, 1]))
        >>> (uses @ gains.vector).tolist()
        [100.0, -50.0, 0.0]
        """
        if self.task == "regression":
            miss = np.asarray(actions, dtype=float) - y
            return np.column_stack([-np.maximum(miss, 0.0), -np.maximum(-miss, 0.0)])
        uses = np.zeros((len(y), len(self.money)))
        if self.task == "multiclass":
            place = {name: i for i, name in enumerate(self.names)}
            taken = np.full((len(self.classes), len(self.classes)), -1)
            for cell, name in self.cells.items():
                taken[cell] = place[name]
            wrong = np.flatnonzero(taken[y, actions] >= 0)
            uses[wrong, taken[y[wrong], actions[wrong]]] = -1.0
            return uses
        acts, is_positive = np.asarray(actions, dtype=float), np.asarray(y) == 1
        outcome = {
            "tp": acts * is_positive,
            "fp": acts * ~is_positive,
            "fn": (1 - acts) * is_positive,
            "tn": (1 - acts) * ~is_positive,
        }
        for i, name in enumerate(self.names):
            if name == "amount_share":
                if amounts is None:
                    raise InputError(
                        "gains.amount_share is a share of the amount of each row; got rows without "
                        "amounts. Name their column `amounts` in the catalogue, or give gains.tp."
                    )
                uses[:, i] = outcome["tp"] * amounts
            else:
                uses[:, i] = outcome[name]
        if "amount_share" in self.money:  # acting costs the same whoever it is
            uses[:, self.names.index("fp")] += outcome["tp"]
        return uses

    def value_of_acting(self, y: Array, amounts: Floats | None = None) -> Floats:
        """Return what acting on each row earns more than leaving it alone (binary)."""
        act = self.count_uses(np.ones(len(y), dtype=bool), y, amounts)
        leave = self.count_uses(np.zeros(len(y), dtype=bool), y, amounts)
        return np.asarray((act - leave) @ self.vector)


def make_gains(
    given: Mapping[str, float],
    *,
    origin: str = CATALOGUE,
    reason: str = "The gains are those of the catalogue.",
    currency: str = "USD",
) -> Gains:
    """Return the gains of a binary decision.

    Parameters
    ----------
    given : mapping of {"tp", "fp", "fn", "tn", "amount_share", "uncertainty"} to float
        As in the catalogue; what is absent is 0.
    origin, reason, currency : str
        As of `Gains`.

    Returns
    -------
    Gains
        With amount_share, tp is left out: a true positive earns amount_share × amount + fp.

    Examples
    --------
    >>> dict(make_gains({"tp": 101, "fp": -40, "amount_share": 0.1}).money)
    {'amount_share': 0.1, 'fp': -40.0, 'fn': 0.0, 'tn': 0.0}
    """
    has_amounts = bool(given.get("amount_share"))
    names = ["amount_share" if has_amounts else "tp", "fp", "fn", "tn"]
    meanings = {
        "amount_share": "share of its amount that a hit earns",
        "tp": "acting on a positive row (a hit)",
        "fp": "acting on any row" if has_amounts else "acting on a negative row",
        "fn": "leaving a positive row alone",
        "tn": "leaving a negative row alone",
    }
    return Gains(
        task="binary",
        money={name: float(given.get(name, 0.0)) for name in names},
        meanings={name: meanings[name] for name in names},
        origin=origin,
        reason=reason,
        currency=currency,
        uncertainty=given.get("uncertainty", ASSUMED_UNCERTAINTY),
        is_assumed="uncertainty" not in given,
    )


def read_gains(train: Dataset) -> Gains:
    """Return the gains of a dataset: those of its catalogue entry, else illustrative ones.

    An illustration shall not decide anything by itself. Of two classes, 100 is earned by acting on
    a positive, and acting on a negative costs what makes treating all worth as much as treating
    nobody: break-even is the share of positives. Of several classes, missing one costs the more
    the rarer it is, so that always naming one class costs the same whichever it is. Of numbers,
    a unit of under-forecast costs two, of over-forecast one: with equal costs the
    median would be the answer, and nothing could be seen.

    Parameters
    ----------
    train : Dataset
        Training rows; illustrations take the share of classes from them.

    Returns
    -------
    Gains

    Examples
    --------
    >>> from lib.data import make_planted
    >>> gains = read_gains(make_planted(200, positive_rate=0.2))
    >>> gains.origin, round(break_even_probability(gains.money), 2)
    ('illustrative', 0.2)
    """
    given = dict(train.gains or {})
    if train.task == "regression":
        return _of_forecasts(train, given)
    if train.task == "multiclass":
        return _of_confusions(train, given)
    if set(given) - {"uncertainty"}:
        return make_gains(given, currency=train.currency)
    rate = float(np.average(train.y, weights=train.sample_weight))
    made = {"tp": BENEFIT, "fp": -BENEFIT * rate / (1 - rate), **given}
    reason = (
        f"No gains are in the catalogue. For illustration acting on a positive earns {BENEFIT:,.0f}"
        f" {train.currency} and acting on a negative costs {-made['fp']:,.2f}, so that treating "
        "all and treating nobody are worth the same: only knowing who is who can pay."
    )
    return make_gains(made, origin=ILLUSTRATIVE, reason=reason, currency=train.currency)


def _of_forecasts(train: Dataset, given: dict[str, float]) -> Gains:
    is_given = "over" in given
    reason = "The costs are those of the catalogue."
    if not is_given:
        reason = (
            "No costs are in the catalogue. For illustration a unit of under-forecast costs "
            f"{UNDER:g} {train.currency} and a unit of over-forecast {OVER:g}: with equal costs "
            "the median would be the answer to everything."
        )
    values = {"over": given.get("over", OVER), "under": given.get("under", UNDER)}
    return Gains(
        task="regression",
        money=values,
        meanings={
            "over": "a unit that is forecast too much",
            "under": "a unit that is forecast too little",
        },
        origin=CATALOGUE if is_given else ILLUSTRATIVE,
        reason=reason,
        currency=train.currency,
        uncertainty=given.get("uncertainty", ASSUMED_UNCERTAINTY),
        is_assumed="uncertainty" not in given,
    )


def _of_confusions(train: Dataset, given: dict[str, float]) -> Gains:
    classes, n = train.classes, len(train.classes)
    values: dict[str, float] = {}
    meanings: dict[str, str] = {}
    cells: dict[tuple[int, int], str] = {}
    off = [(i, j) for i in range(n) for j in range(n) if i != j]
    if train.costs:
        costs = train.costs
        cheapest = min(c for row in costs.values() for c in row.values() if c > 0)
        for i, j in off:
            cost = costs.get(classes[i], {}).get(classes[j])
            name = "any other" if cost is None else f"{classes[i]} → {classes[j]}"
            other = "any other confusion (as the cheapest given)"
            meanings[name] = other if cost is None else f"{classes[i]} answered with {classes[j]}"
            values[name] = cheapest if cost is None else float(cost)
            cells[i, j] = name
        reason = "The costs are those of the catalogue."
    else:
        weight = None if train.sample_weight is None else train.sample_weight.to_numpy()
        shares = np.bincount(train.y, weights=weight, minlength=n).astype(float)
        shares = np.maximum(shares / shares.sum(), 1e-9)
        for i, j in off:
            name = f"miss {classes[i]}"
            values[name] = BENEFIT / (n * float(shares[i]))
            meanings[name] = f"{classes[i]} answered with another class"
            cells[i, j] = name
        reason = (
            "No costs are in the catalogue. For illustration missing a class costs the more the "
            "rarer it is, so that always naming one class costs the same whichever it is, "
            f"{BENEFIT * (n - 1) / n:,.1f} {train.currency} a row: only knowing which is which "
            "can pay."
        )
    return Gains(
        task="multiclass",
        money=values,
        meanings=meanings,
        origin=CATALOGUE if train.costs else ILLUSTRATIVE,
        reason=reason,
        currency=train.currency,
        uncertainty=given.get("uncertainty", ASSUMED_UNCERTAINTY),
        is_assumed="uncertainty" not in given,
        classes=classes,
        cells=cells,
    )


def break_even_probability(gains: Mapping[str, float], *, amount: float | None = None) -> float:
    """Return the probability from which acting on a row pays [1]_.

    Parameters
    ----------
    gains : mapping of {"tp", "fp", "fn", "tn", "amount_share"} to float
        Money for a row; a cost is negative.
    amount : float, optional
        Mean amount of a positive row, where amount_share is a gain.

    Returns
    -------
    float
        Strictly between 0 and 1; 1 when acting on a positive row does not pay either. Optimal
        only for calibrated probabilities, and for amounts that do not rise with them.

    Raises
    ------
    InputError
        When acting never costs, so that no break-even exists.

    References
    ----------
    .. [1] C. Elkan (2001). The Foundations of Cost-Sensitive Learning. IJCAI.

    Examples
    --------
    >>> break_even_probability({"tp": 90, "fp": -10, "fn": 0, "tn": 0})
    0.1
    >>> break_even_probability({"amount_share": 0.1, "fp": -40}, amount=1_000)
    0.4
    """
    fp, fn, tn = (gains.get(name, 0.0) for name in ("fp", "fn", "tn"))
    share = gains.get("amount_share", 0.0)
    tp = share * (amount or 0.0) + fp if share else gains.get("tp", 0.0)
    won = tp - fn  # by acting on a positive row
    lost = tn - fp  # by acting on a negative row
    if lost <= 0:
        raise InputError(f"Acting on a negative row must cost: fp below tn, got {fp:g} and {tn:g}.")
    return 1.0 if won <= 0 else lost / (won + lost)  # solves p * won = (1 - p) * lost
