"""Pass or fail of every rule of a schema.

The few rules are checked in polars here. Pandera would do it too, but its answers had to be
taken apart again to say how many rows break which rule, and it costs two thirds of a second of
import and two more packages for what fits on this page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from lib.checks import Check, Severity
from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError, suggest
from lib.quality.answers import clean, found, naming, not_applicable, share
from lib.quality.schema import ColumnRules, Schema, load_schema, type_of
from lib.quality.table import as_polars


@dataclass(frozen=True)
class Verdict:
    """Whether a table keeps one rule.

    Attributes
    ----------
    column, rule : str
        Such as "age" and "at least 0".
    broken : int
        Rows of all parts that break it.
    detail : str
        What was seen; "" when the rule is kept.
    rows : tuple of int
        A few such training rows.
    """

    column: str
    rule: str
    broken: int
    detail: str = ""
    rows: tuple[int, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no row breaks it."""
        return not self.detail


def validate(frame: pl.DataFrame, schema: Schema) -> list[Verdict]:
    r"""Return pass or fail of every rule of a schema.

    Parameters
    ----------
    frame : polars DataFrame
        Features under their own names.
    schema : Schema
        The rules.

    Returns
    -------
    list of Verdict
        In the order of the schema; then columns that it does not know.

    Examples
    --------
    >>> from lib.quality.schema import read_schema
    >>> schema = read_schema("[columns.age]\nmin = 0\nmissing_at_most = 0")
    >>> [(v.rule, v.passed, v.rows) for v in validate(pl.DataFrame({"age": [4, -1]}), schema)]
    [('no gaps', True, ()), ('at least 0', False, (1,))]
    """
    verdicts: list[Verdict] = []
    for name, rules in schema.columns.items():
        if name in frame.columns:
            verdicts += _validate(frame[name], rules)
        else:
            hint = suggest(name, frame.columns)
            verdicts.append(
                Verdict(name, "is there", frame.height, f"there is no such column.{hint}")
            )
    new = [name for name in frame.columns if name not in schema.columns]
    verdicts += [
        Verdict(name, "is known", 0, "the schema does not know this column") for name in new
    ]
    return verdicts


def _validate(series: pl.Series, rules: ColumnRules) -> Iterator[Verdict]:
    name = series.name
    if rules.type is not None:
        fits = _fits(series, rules.type)
        detail = "" if fits else f"it holds {type_of(series)}"
        yield Verdict(name, f"is {rules.type}", 0 if fits else len(series), detail)
        if not fits:
            return
    if rules.missing_at_most is not None:
        count = series.null_count()
        is_kept = count <= rules.missing_at_most * len(series) + 1e-9
        most = (
            f"at most {100 * rules.missing_at_most:g} % gaps"
            if rules.missing_at_most
            else "no gaps"
        )
        detail = "" if is_kept else f"{share(count, len(series))} rows have none"
        rows = () if is_kept else _first(series.is_null())
        yield Verdict(name, most, 0 if is_kept else count, detail, rows)
    for limit, word in ((rules.min, "at least"), (rules.max, "at most")):
        if limit is not None:
            yield _limited(series, limit, word)
    if rules.allowed is not None:
        text = series.cast(pl.String)
        other = (~text.is_in(list(rules.allowed))).fill_null(value=False)
        seen = naming(text.filter(other).unique().sort().to_list(), 4)
        yield _judged(series, f"one of {len(rules.allowed)} values", other, f"read {seen}")
    if rules.unique:
        again = series.is_duplicated() & series.is_not_null()
        yield _judged(series, "no value twice", again, "share their value with another row")


def _limited(series: pl.Series, limit: float | str, word: str) -> Verdict:
    rule = f"{word} {limit:g}" if isinstance(limit, float | int) else f"{word} {limit}"
    if series.dtype.is_temporal():
        try:
            bound: Any = pd.Timestamp(limit).to_pydatetime()
        except (ValueError, TypeError) as error:
            msg = (
                f"'{series.name}' holds dates, but the schema limits it by {limit!r}; write a date."
            )
            raise InputError(msg) from error
        values = series.cast(pl.Datetime("us"))
    elif series.dtype.is_numeric() and isinstance(limit, float | int):
        bound, values = float(limit), series.cast(pl.Float64)
    else:
        detail = f"it holds {type_of(series)}, which {limit!r} cannot limit"
        return Verdict(series.name, rule, len(series), detail)
    beyond = ((values < bound) if word == "at least" else (values > bound)).fill_null(value=False)
    extreme = values.filter(beyond).min() if word == "at least" else values.filter(beyond).max()
    return _judged(series, rule, beyond, f"go as far as {extreme!s}")


def _judged(series: pl.Series, rule: str, broken: pl.Series, seen: str) -> Verdict:
    count = int(broken.sum())
    detail = f"{share(count, len(series))} rows {seen}" if count else ""
    return Verdict(series.name, rule, count, detail, _first(broken))


def _first(mask: pl.Series) -> tuple[int, ...]:
    return tuple(int(row) for row in np.flatnonzero(mask.to_numpy())[:20])


def _fits(series: pl.Series, kind: str) -> bool:
    held = type_of(series)
    textual = {"category", "text"}
    if kind == "number":
        return held in {"number", "whole number"}
    empty = series.null_count() == len(series)
    return held == kind or {held, kind} <= textual or empty


def check_schema(dataset: Dataset, config: Config) -> list[Check]:
    """Q22: every rule of the reviewed schema, on training rows and on the test rows' features."""
    schema = load_schema(dataset.name, config)
    if schema is None:
        reason = "there is no reviewed schema yet: accept the proposal of this run"
        return [not_applicable("Q22", reason)]
    answers = []
    for part, verdicts in validate_parts(dataset, schema):
        for verdict in verdicts:
            if verdict.passed:
                continue
            new = verdict.rule == "is known"
            evidence = f"rule '{verdict.rule}', {part} rows: {verdict.detail}"
            advice = _NEW if new else _BROKEN
            rows = verdict.rows if part == "training" else ()
            severity: Severity = "note" if new else "error"
            answers.append(found("Q22", severity, verdict.column, evidence, advice, rows=rows))
    return answers or [clean("Q22")]


_NEW = "add the column to the schema by hand, or accept a new proposal"
_BROKEN = "mend the data, or the rule in data/schemas when it is the rule that is wrong"


def validate_parts(dataset: Dataset, schema: Schema) -> Iterator[tuple[str, list[Verdict]]]:
    """Yield "training" and "test" with the verdicts on their features."""
    train = dataset.train if dataset.part == "all" else dataset
    yield "training", validate(as_polars(train.X, train), schema)
    if dataset.part == "all":
        frame = as_polars(dataset.test_features, dataset)
        verdicts = validate(frame, schema)
        yield "test", [v for v in verdicts if v.rule not in {"is known", "is there"}]


def tabulate_rules(dataset: Dataset, schema: Schema) -> pd.DataFrame:
    r"""Return pass or fail of every rule.

    Parameters
    ----------
    dataset : Dataset
        Whole, or a part.
    schema : Schema
        The rules.

    Returns
    -------
    DataFrame with columns column, rule, training, test
        "pass", or what was seen.

    Examples
    --------
    >>> from lib.data import load_data
    >>> from lib.quality.schema import read_schema
    >>> schema = read_schema("[columns.alcohol]\nmin = 0\nmissing_at_most = 0")
    >>> tabulate_rules(load_data("wine"), schema).head(2).values.tolist()
    [['alcohol', 'no gaps', 'pass', 'pass'], ['alcohol', 'at least 0', 'pass', 'pass']]
    """
    parts = dict(validate_parts(dataset, schema))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for part, verdicts in parts.items():
        for v in verdicts:
            rows.setdefault((v.column, v.rule), {})[part] = v.detail or "pass"
    table = pd.DataFrame(
        [{"column": c, "rule": r, **answers} for (c, r), answers in rows.items()],
        columns=["column", "rule", "training", "test"],
    )
    return table.fillna("")
