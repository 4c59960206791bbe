"""Columns that carry nothing: the same everywhere, or different everywhere."""

from __future__ import annotations

import numpy as np
import polars as pl

from lib.checks import Check
from lib.quality.answers import found, not_applicable, settle, share
from lib.quality.spelling import mean_of
from lib.quality.table import Table

NEARLY_ALL = 0.99  # of the known cells hold one value
MOSTLY_DIFFERENT = 0.95
MIN_ROWS = 50


def check_variation(table: Table) -> list[Check]:
    """Q13: columns that are empty, constant, or hold one value in nearly all rows."""
    roles = table.train.roles
    answers = [
        found("Q13", "note", str(row.column), str(row.reason), "nothing: it is left out")
        for row in roles.itertuples()
        if row.role in {"constant", "empty"}
    ]
    for series in table.frame.iter_columns():
        known = series.drop_nulls()
        if known.is_empty() or table.n_distinct[series.name] - 1 > (1 - NEARLY_ALL) * len(known):
            continue
        top = known.value_counts(sort=True).row(0)
        count = int(top[1])
        if count < len(known):
            if count < NEARLY_ALL * len(known):
                continue
            evidence = (
                f"{share(count, len(known))} known cells read '{str(top[0])[:40]}', "
                f"{len(known) - count:,} read otherwise"
            )
            other = np.flatnonzero((series != top[0]).fill_null(value=False).to_numpy())
        elif len(known) < len(series):
            evidence = f"reads '{str(top[0])[:40]}' or nothing"
            other = np.array([], dtype=int)
        else:
            evidence = f"reads '{str(top[0])[:40]}' in all training rows"
            other = np.array([], dtype=int)
        advice = "drop it, unless the rare rows are what the study is about"
        answers.append(found("Q13", "note", series.name, evidence, advice, rows=other[:20]))
    return settle("Q13", answers)


def check_identifiers(table: Table) -> list[Check]:
    """Q14: features that are different in every row and only name it."""
    answers = [
        found("Q14", "note", str(row.column), str(row.reason), "nothing: it is left out")
        for row in table.train.roles.itertuples()
        if row.role == "identifier"
    ]
    if len(table) < MIN_ROWS:
        return answers or [not_applicable("Q14", f"needs {MIN_ROWS} rows")]
    for series in table.frame.iter_columns():
        why = _names_rows(series, table.n_distinct[series.name])
        if why and series.name != _time_name(table):
            advice = "leave it out with drop = […]: a model can only learn it by heart"
            answers.append(found("Q14", "warning", series.name, why, advice))
    return settle("Q14", answers)


def _time_name(table: Table) -> str:
    return "" if table.train.time is None else str(table.train.time.name)


def _names_rows(series: pl.Series, n_distinct: int) -> str:
    known = series.drop_nulls()
    if n_distinct < MOSTLY_DIFFERENT * len(known) or len(known) < MIN_ROWS:
        return ""
    seen = f"{share(n_distinct, len(known))} values are different"
    if series.dtype.is_numeric():
        whole = bool((known.cast(pl.Float64) % 1 == 0).all())
        if not whole or n_distinct < len(known):
            return ""
        numbers = known.cast(pl.Int64)
        low, high = numbers.min(), numbers.max()
        assert isinstance(low, int) and isinstance(high, int)  # noqa: PT018 - for mypy
        if high - low < 2.5 * len(known):
            return f"{seen}, whole numbers without large gaps from {low:,} to {high:,}: a count"
        if numbers.is_sorted() or numbers.is_sorted(descending=True):
            return f"{seen}, whole numbers in the order of the rows"
        return ""
    if series.dtype.is_temporal():
        return ""
    text = known.cast(pl.String)
    if mean_of(text.str.contains(r"\s")) > 0.2:
        return ""  # free text
    return f"{seen}, text without spaces: a name or a code"
