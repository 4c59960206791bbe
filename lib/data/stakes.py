"""What the catalogue says about money: gains of decisions, costs of confusions, today's policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, model_validator

from lib.errors import InputError, suggest

OF_DECISIONS = ("tp", "fp", "fn", "tn", "amount_share")
OF_FORECASTS = ("over", "under")
OF_BOTH = ("uncertainty",)
Costs = Mapping[str, Mapping[str, float]]


class Policy(BaseModel):
    """How is decided today, without a model: by one column.

    A binary task needs one of `at_least`, `at_most` and `values`. Without any the column itself is
    the answer: today's forecast of a number, or the name of today's class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    at_least: float | None = None
    at_most: float | None = None
    values: list[str | int | float | bool] | None = None
    description: str = ""

    @model_validator(mode="after")
    def _one_rule(self) -> Policy:
        if sum(rule is not None for rule in (self.at_least, self.at_most, self.values)) > 1:
            raise ValueError("policy takes one of at_least, at_most and values")
        return self

    @property
    def is_rule(self) -> bool:
        """Whether it says whom to act on, and not just which column answers."""
        return any(rule is not None for rule in (self.at_least, self.at_most, self.values))

    def in_words(self) -> str:
        """Return the rule for a reader.

        Examples
        --------
        >>> Policy(column="dollars", at_least=400).in_words()
        'dollars of at least 400'
        """
        if self.description:
            return self.description
        if self.at_least is not None:
            return f"{self.column} of at least {self.at_least:,.10g}"
        if self.at_most is not None:
            return f"{self.column} of at most {self.at_most:,.10g}"
        if self.values is not None:
            return f"{self.column} is {' or '.join(map(str, self.values))}"
        return f"what {self.column} says"


def check_gains(gains: Mapping[str, float]) -> None:
    """Raise a ValueError with one clause when gains do not make a decision.

    Parameters
    ----------
    gains : mapping of str to float
        As written in the catalogue.

    Examples
    --------
    >>> check_gains({"tp": 90, "fp": -10})
    >>> check_gains({"tp": 90, "fp": 10})
    Traceback (most recent call last):
    ValueError: gains: acting on a negative must cost (fp below tn), got fp 10 and tn 0
    """
    known = (*OF_DECISIONS, *OF_FORECASTS, *OF_BOTH)
    unknown = sorted(set(gains) - set(known))
    if unknown:
        words = f"{', '.join(known[:-1])} and {known[-1]}"
        raise ValueError(f"gains has the keys {words}, not {', '.join(unknown)}")
    if not 0 <= gains.get("uncertainty", 0.0) <= 1:
        raise ValueError(f"gains.uncertainty is a share from 0 to 1, not {gains['uncertainty']:g}")
    forecasts = set(gains) & set(OF_FORECASTS)
    if forecasts and set(gains) & set(OF_DECISIONS):
        raise ValueError(
            "gains has either tp, fp, fn, tn, amount_share (a decision about each row) or over, "
            "under (a forecast of a number), not both"
        )
    if forecasts:
        if len(forecasts) < 2 or min(gains["over"], gains["under"]) <= 0:
            raise ValueError(
                "gains.over and gains.under are both needed: what a unit of over- and of "
                "under-forecast costs, above 0"
            )
        return
    if not set(gains) & set(OF_DECISIONS):
        return
    tp, fp, fn, tn = (gains.get(name, 0.0) for name in ("tp", "fp", "fn", "tn"))
    if fp >= tn:
        got = f"got fp {fp:g} and tn {tn:g}"
        raise ValueError(f"gains: acting on a negative must cost (fp below tn), {got}")
    if gains.get("amount_share", 0.0) < 0:
        raise ValueError("gains.amount_share is at least 0: a true positive earns it")
    if not gains.get("amount_share") and tp <= fn:
        got = f"got tp {tp:g} and fn {fn:g}"
        raise ValueError(f"gains: acting on a positive must pay (tp above fn), {got}")


def check_costs(costs: Costs) -> None:
    """Raise a ValueError with one clause when a matrix of costs has a value that is none.

    Examples
    --------
    >>> check_costs({"good": {"bad": 1}, "bad": {"good": 5}})
    >>> check_costs({"good": {"bad": -1}})
    Traceback (most recent call last):
    ValueError: costs.good.bad is -1: a cost is at least 0
    """
    for true, row in costs.items():
        for answered, cost in row.items():
            if cost < 0:
                raise ValueError(f"costs.{true}.{answered} is {cost:g}: a cost is at least 0")
            if true == answered and cost > 0:
                raise ValueError(f"costs.{true}.{answered} is {cost:g}: a right answer costs 0")
    if not any(cost > 0 for row in costs.values() for cost in row.values()):
        raise ValueError("costs has no entry above 0: write what a wrong answer costs")


def fit_stakes(
    entry: Any, *, task: str, classes: tuple[str, ...], where: str
) -> tuple[Mapping[str, float] | None, Costs | None]:
    """Return gains and costs as the task needs them, or say which it needs.

    Parameters
    ----------
    entry : Entry
        Of the catalogue.
    task : {"binary", "multiclass", "regression"}
        As found.
    classes : tuple of str
        Own labels; the second of two is the positive one.
    where : str
        The table's name, for the message.

    Returns
    -------
    gains : mapping or None
        Costs of a binary task become gains: a cost is negative.
    costs : mapping or None
        Of several classes.

    Raises
    ------
    InputError
        When they belong to another task, or name a class that is not there.
    """
    gains, costs = entry.gains, entry.costs
    if task == "regression" and (costs or set(gains or {}) & set(OF_DECISIONS)):
        got = "costs" if costs else f"gains of {', '.join(sorted(set(gains) & set(OF_DECISIONS)))}"
        raise InputError(f"{where} is a regression task: it takes gains of over, under; got {got}.")
    if task == "binary" and set(gains or {}) & set(OF_FORECASTS):
        raise InputError(
            f"{where} is a binary task: it takes gains of tp, fp, fn, tn; over and under are costs "
            "of forecasts of a number."
        )
    if task == "multiclass" and set(gains or {}) - set(OF_BOTH):
        raise InputError(
            f"{where} has {len(classes)} classes: it takes [costs] with a row a true class, such "
            f'as "{classes[0]}" = {{ "{classes[1]}" = 5 }}, and no gains beside uncertainty.'
        )
    for label in [*(costs or {}), *(name for row in (costs or {}).values() for name in row)]:
        if label not in classes:
            raise InputError(
                f"[costs] of {where} names the class '{label}'; its classes are "
                f"{', '.join(classes[:20])}.{suggest(label, classes)}"
            )
    if entry.capacity is not None and task != "binary":
        raise InputError(f"{where} is a {task} task: capacity needs a binary one (rows acted on).")
    if task != "binary" or not costs:
        return gains, costs
    negative, positive = classes
    own = {
        "tp": 0.0,
        "tn": 0.0,
        "fp": -float(costs.get(negative, {}).get(positive, 0.0)),
        "fn": -float(costs.get(positive, {}).get(negative, 0.0)),
    }
    if own["fp"] == 0 or own["fn"] == 0:
        raise InputError(
            f'[costs] of {where} needs both errors: "{negative}" = {{ "{positive}" = … }} and '
            f'"{positive}" = {{ "{negative}" = … }}.'
        )
    return {**own, **{k: v for k, v in (gains or {}).items() if k in OF_BOTH}}, None


def apply_policy(policy: Policy, frame: pl.DataFrame, *, task: str, where: str) -> pl.Series:
    """Return what today's policy does with each row.

    Parameters
    ----------
    policy : Policy
        Of the catalogue.
    frame : polars DataFrame
        Cleaned columns under their own names.
    task : {"binary", "multiclass", "regression"}
        Of the table.
    where : str
        The table's name, for messages.

    Returns
    -------
    polars Series
        Booleans (act), numbers (forecast) or labels; a row where the column is missing is not
        acted upon, and has no forecast or label.

    Raises
    ------
    InputError
        When the column cannot answer.

    Examples
    --------
    >>> frame = pl.DataFrame({"dollars": [100.0, 500.0, None]})
    >>> policy = Policy(column="dollars", at_least=400)
    >>> apply_policy(policy, frame, task="binary", where="'x'").to_list()
    [False, True, False]
    """
    column = frame[policy.column]
    if (task == "binary") is not policy.is_rule:
        need = "one of at_least, at_most, values" if task == "binary" else "a column alone"
        raise InputError(f"policy of {where}: a {task} task needs {need}.")
    if policy.values is not None:
        wanted = [str(value) for value in policy.values]
        found = column.cast(pl.String).is_in(wanted)
        if not found.any():
            raise InputError(
                f"policy of {where}: no row of '{policy.column}' is {' or '.join(wanted)}; it has "
                f"{', '.join(map(str, column.drop_nulls().unique().sort().to_list()[:10]))}."
            )
        return found.fill_null(value=False)
    if task == "multiclass":
        return column.cast(pl.String)
    if not column.dtype.is_numeric() and column.dtype != pl.Boolean:
        raise InputError(f"policy of {where}: '{policy.column}' must hold numbers.")
    numbers = column.cast(pl.Float64)
    if task == "regression":
        return numbers
    acts = numbers >= policy.at_least if policy.at_least is not None else numbers <= policy.at_most
    return acts.fill_null(value=False)
