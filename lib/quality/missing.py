"""Gaps: where they are, whether they follow other columns, whether they tell of the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
from scipy import stats

from lib.checks import Check
from lib.estimates import Estimate, benjamini_hochberg, format_digits, format_p
from lib.quality.answers import found, naming, not_applicable, settle, share
from lib.quality.little import little_mcar
from lib.quality.table import Table
from lib.statistics import compare_with_target

ALPHA = 0.01  # of a whole check; the interval level of the study is for estimates
FEW = 10  # gaps, and values, that a test needs
MIN_GAPS = 5  # that all meet one value of another column before it explains them
MAX_TESTED = 15  # columns with gaps that are compared with all others
MOSTLY = 0.5
NO_GAPS = "no feature has a gap"


@dataclass(frozen=True)
class Gaps:
    """Columns that lack values in exactly the same rows.

    Attributes
    ----------
    columns : tuple of str
    mask : ndarray of bool, shape (n_rows,)
    """

    columns: tuple[str, ...]
    mask: np.ndarray

    @property
    def name(self) -> str:
        """The columns in one word."""
        return " + ".join(self.columns)


def find_gaps(frame: pl.DataFrame) -> list[Gaps]:
    """Return the distinct patterns of gaps, one for all columns that share it, most gaps first.

    Parameters
    ----------
    frame : polars DataFrame
        Gaps are null.

    Returns
    -------
    list of Gaps

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [1, None], "b": ["x", None], "c": [None, 2]})
    >>> [gaps.name for gaps in find_gaps(frame)]
    ['a + b', 'c']
    """
    masks: dict[bytes, tuple[list[str], np.ndarray]] = {}
    for series in frame.iter_columns():
        if series.null_count():
            mask = series.is_null().to_numpy()
            masks.setdefault(np.packbits(mask).tobytes(), ([], mask))[0].append(series.name)
    patterns = [Gaps(tuple(columns), mask) for columns, mask in masks.values()]
    return sorted(patterns, key=lambda gaps: -int(gaps.mask.sum()))


def compute_gap_patterns(frame: pl.DataFrame, *, limit: int = 10) -> pd.DataFrame:
    """Return which columns are missing together, the most frequent combination first.

    Parameters
    ----------
    frame : polars DataFrame
        Gaps are null.
    limit : int, default=10
        Combinations to name.

    Returns
    -------
    DataFrame with columns missing, rows, share
        `missing` names the columns; "(nothing)" is a complete row.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [1, None, None], "b": ["x", None, None]})
    >>> compute_gap_patterns(frame)["missing"].tolist()
    ['a + b', '(nothing)']
    """
    columns = [series.name for series in frame.iter_columns() if series.null_count()]
    named = [pl.when(pl.col(c).is_null()).then(pl.lit(c)).otherwise(None) for c in columns]
    words = pl.DataFrame({"missing": [""] * frame.height})
    if columns:
        joined = pl.concat_str(named, separator=" + ", ignore_nulls=True)
        words = frame.select(joined.alias("missing"))
    counts = (
        words.group_by("missing").len("rows").sort(["rows", "missing"], descending=[True, False])
    )
    table = counts.head(limit).to_pandas()
    table["missing"] = table["missing"].where(table["missing"] != "", "(nothing)")
    return table.assign(share=table["rows"] / max(frame.height, 1))


def check_gaps(table: Table) -> list[Check]:
    """Q01: how much is missing, which columns and rows are mostly empty, what misses together."""
    frame = table.frame
    if not table.with_gaps:
        return settle("Q01", [])
    n_rows, n_columns = frame.height, frame.width
    counts = {name: frame[name].null_count() for name in table.with_gaps}
    per_row = frame.select(pl.sum_horizontal(pl.all().is_null())).to_series().to_numpy()
    order = sorted(counts, key=lambda name: -counts[name])
    answers = [
        found(
            "Q01",
            "note",
            "",
            f"{share(sum(counts.values()), n_rows * n_columns)} cells are missing, in "
            f"{len(counts)} of {n_columns} features; most in {naming(order, 3)}; "
            f"{share(int((per_row == 0).sum()), n_rows)} rows are complete",
            "impute inside the folds, and keep an indicator of the gap",
        )
    ]
    mostly = [name for name in order if counts[name] > MOSTLY * n_rows]
    answers += [
        found(
            "Q01", "warning", name, f"missing in {share(counts[name], n_rows)} rows",
            "keep it only when its gaps tell something (Q03); its values describe a minority",
        )
        for name in mostly
    ]  # fmt: skip
    empty = np.flatnonzero(per_row > MOSTLY * n_columns)
    if len(empty) and n_columns >= 4:
        evidence = f"{share(len(empty), n_rows)} rows lack more than half of their features"
        advice = "ask how these rows came about; leave them out when they are no cases"
        answers.append(found("Q01", "warning", "", evidence, advice, rows=empty[:20]))
    together = [gaps for gaps in find_gaps(frame) if len(gaps.columns) > 1 and gaps.mask.sum() > 2]
    answers += [
        found(
            "Q01", "note", "", f"{naming(gaps.columns, 8)} are missing together, in "
            f"{share(int(gaps.mask.sum()), n_rows)} rows",
            "one cause made these gaps: one indicator serves all of them",
            rows=np.flatnonzero(gaps.mask)[:20],
        )
        for gaps in together[:5]
    ]  # fmt: skip
    return answers


def check_randomness(table: Table) -> list[Check]:
    """Q02: whether gaps fall where other columns are high or low, so that dropping rows biases."""
    if not table.with_gaps:
        return [not_applicable("Q02", NO_GAPS)]
    rows = _one_per_group(table)
    frame = table.frame[rows]
    numeric = [name for name in table.numeric if frame[name].drop_nulls().n_unique() > 1]
    scores = np.column_stack([_normal_scores(frame[name]) for name in numeric]) if numeric else None
    answers = [_told(frame, *rule) for rule in _find_gap_rules(table.frame)]
    known = {check.column for check in answers}
    little = None
    is_open = any(gaps.name not in known for gaps in find_gaps(table.frame))
    if scores is not None and len(numeric) > 1 and np.isnan(scores).any() and is_open:
        little = little_mcar(scores)
        if little.p_value < ALPHA:
            evidence = (
                f"Little's test rejects gaps completely at random: χ² {little.statistic:.1f}, "
                f"{little.degrees:,} degrees, p {format_p(little.p_value)}, "
                f"{little.n_patterns:,} patterns in {len(rows):,} rows"
            )
            answers.append(found("Q02", "warning", "", evidence, _ADVICE))
    pairs = _compare_gaps(frame)
    if little is None and not pairs and not answers:
        return [not_applicable("Q02", "too few gaps, or no second column to compare them with")]
    for name, by, strength, q in pairs:
        if q < ALPHA and strength.low > 0.05 and name not in known:
            evidence = f"gaps of '{name}' follow '{by}': strength {strength:.2f}, q {format_p(q)}"
            answers.append(found("Q02", "warning", name, evidence, _ADVICE, value=strength))
    return settle("Q02", answers)


def _find_gap_rules(frame: pl.DataFrame) -> list[tuple[Gaps, str, str]]:
    """Return gaps that lie exactly where another column has one value, which explains them."""
    rules = []
    for gaps in find_gaps(frame)[:MAX_TESTED]:
        if not MIN_GAPS <= gaps.mask.sum() <= frame.height - FEW:
            continue
        mask = pl.Series(gaps.mask)
        for other in frame.columns:
            values = frame[other].filter(mask)
            if other in gaps.columns or values.null_count() or values.n_unique() > 1:
                continue
            if int((frame[other] == values[0]).sum()) == len(values):
                rules.append((gaps, other, str(values[0])))
                break
    return rules


def _told(frame: pl.DataFrame, gaps: Gaps, by: str, value: str) -> Check:
    plain = value.removesuffix(".0") if frame[by].dtype.is_numeric() else value
    evidence = (
        f"missing in exactly the {int(gaps.mask.sum()):,} rows where '{by}' is {plain}: these gaps "
        "have a meaning"
    )
    advice = "write what it means there (0, or a category of its own) rather than impute"
    rows = np.flatnonzero(gaps.mask)[:20]
    return found("Q02", "warning", gaps.name, evidence, advice, rows=rows)


_ADVICE = "do not drop these rows; impute from the other columns inside the folds"


def check_gaps_against_target(table: Table) -> list[Check]:
    """Q03: whether a gap in itself tells of the target."""
    if not table.with_gaps:
        return [not_applicable("Q03", NO_GAPS)]
    n_rows = len(table)
    gaps = [g for g in find_gaps(table.frame) if FEW <= g.mask.sum() <= n_rows - FEW]
    if not gaps:
        return [not_applicable("Q03", f"no column has at least {FEW} gaps and {FEW} values")]
    indicators = pd.DataFrame({g.name: g.mask.astype(float) for g in gaps})
    screened = compare_with_target(
        indicators, table.train.y, task=table.train.task, groups=table.train.groups
    )
    answers = []
    for row in screened[screened["q"] < ALPHA].itertuples():
        mask = indicators[row.feature] > 0
        evidence = (
            f"{_outcomes(table, mask)}; strength {row.strength:.2f}, q {format_p(float(row.q))}"
        )
        advice = "give models an indicator of the gap; ask whether it is known at prediction time"
        strength = row.strength
        answers.append(found("Q03", "warning", str(row.feature), evidence, advice, value=strength))
    return settle("Q03", answers)


def _outcomes(table: Table, mask: pd.Series) -> str:
    y = table.train.y
    if table.train.task == "binary":
        return f"{_percent(y[mask])} positive where it is missing, {_percent(y[~mask])} elsewhere"
    if table.train.task == "regression":
        return (
            f"mean target {format_digits(y[mask].mean(), 4)} where it is missing, "
            f"{format_digits(y[~mask].mean(), 4)} elsewhere"
        )
    return f"classes are mixed differently in the {int(mask.sum()):,} rows where it is missing"


def _percent(values: pd.Series) -> str:
    return f"{100 * float(values.mean()):.1f} %"


def _one_per_group(table: Table) -> np.ndarray:
    """Return sampled rows, one of each group: rows of one person are no independent witnesses."""
    rows = table.sample
    if table.owner is None:
        return rows
    shuffled = np.random.default_rng(table.config.seed).permutation(rows)
    _, first = np.unique(table.owner[shuffled], return_index=True)
    return np.sort(shuffled[first])


def _normal_scores(series: pl.Series) -> np.ndarray:
    """Return ranks as normal scores, so that heavy tails do not decide a test; gaps stay NaN."""
    values = np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    known = ~np.isnan(values)
    scores = np.full(len(values), np.nan)
    scores[known] = stats.norm.ppf((stats.rankdata(values[known]) - 0.5) / max(known.sum(), 1))
    return scores


def _compare_gaps(frame: pl.DataFrame) -> list[tuple[str, str, Estimate, float]]:
    """Return for each pattern of gaps the column that it follows most, and how surely."""
    tests = []
    for gaps in find_gaps(frame)[:MAX_TESTED]:
        if not FEW <= gaps.mask.sum() <= frame.height - FEW:
            continue
        for other in frame.columns:
            known = frame[other].is_not_null().to_numpy()
            missing = gaps.mask[known]
            if other in gaps.columns or not FEW <= missing.sum() <= len(missing) - FEW:
                continue
            column = _plain(frame[other].filter(pl.Series(known)))
            screened = compare_with_target(
                column.to_frame(other), pd.Series(missing.astype(int)), task="binary"
            ).iloc[0]
            tests.append((gaps.name, other, screened["strength"], float(screened["p"])))
    adjusted: list[float] = list(benjamini_hochberg([p for *_, p in tests])) if tests else []
    best: dict[str, tuple[str, str, Estimate, float]] = {}
    for (name, other, strength, _), q in zip(tests, adjusted, strict=True):
        if not np.isnan(q) and (name not in best or q < best[name][3]):
            best[name] = (name, other, strength, float(q))
    return list(best.values())


def _plain(series: pl.Series) -> pd.Series:
    if series.dtype == pl.String or isinstance(series.dtype, pl.Enum):
        return series.cast(pl.String).to_pandas()
    return series.to_pandas()
