"""Rules that nearly all rows keep, such as zip → city, and the cells that break them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from lib.checks import Check, Severity
from lib.quality.answers import found, naming, not_applicable, settle, share
from lib.quality.spelling import find_misspelt, in_words, mean_of, own_kind
from lib.quality.table import Table

MAX_COLUMNS = 40
MAX_SCREENED = 20_000  # rows on which rules of larger tables are looked for first
MIN_KEPT = 0.95  # share of rows that keep a rule
MIN_GROUPS = 5  # values of the left side with enough rows to show that the rule holds
MIN_ROWS = 4  # rows of such a value
MIN_STRONG = 0.9  # share of these values with a clear majority
MAJORITY = 0.75  # of its rows agree on the right side
MIN_GAIN = 0.85  # share of what the commonest value gets wrong that the rule gets right
MAX_DISTINCT = 0.5  # of the rows: a column that is different in each decides everything, trivially


@dataclass(frozen=True)
class Rule:
    """One column decides another in nearly all rows.

    Attributes
    ----------
    given, decided : str
        The two columns.
    broken : ndarray of int
        Rows that do not keep it.
    expected : list of str
        What the decided cell would be in each of these rows.
    n_rows : int
        Rows that show it.
    """

    given: str
    decided: str
    broken: npt.NDArray[np.int64]
    expected: list[str]
    n_rows: int


def find_rules(frame: pl.DataFrame, *, never_given: Collection[str] = ()) -> list[Rule]:
    """Return the rules "a decides b" that nearly all rows keep and some break.

    A rule needs five values of a that come in four rows or more, agreement of 95 % of the rows,
    and must do better than naming the commonest b by at least 85 % of the latter's errors. A row
    breaks it when three quarters of the rows with its a have another b.

    Parameters
    ----------
    frame : polars DataFrame
        Columns of categories, text and whole numbers; others are not looked at.
    never_given : collection of str
        Columns that may only be the decided side, such as the target.

    Returns
    -------
    list of Rule

    Examples
    --------
    >>> zips = [str(i % 6) for i in range(120)]
    >>> cities = ["ABCDEF"[int(z)] for z in zips]
    >>> cities[7] = "F"
    >>> rules = find_rules(pl.DataFrame({"zip": zips, "city": cities}))
    >>> [(rule.given, rule.decided, rule.broken.tolist(), rule.expected) for rule in rules]
    [('zip', 'city', [7], ['B']), ('city', 'zip', [7], ['5'])]
    """
    columns = _discrete(frame)
    rules = []
    few = frame.sample(MAX_SCREENED, seed=0) if frame.height > MAX_SCREENED else None
    for given in columns:
        for decided in columns:
            if given != decided and given not in never_given and _may_hold(few, given, decided):
                rule = _rule(frame, given, decided)
                if rule is not None:
                    rules.append(rule)
    return rules


def _may_hold(few: pl.DataFrame | None, given: str, decided: str) -> bool:
    """Whether a rule nearly holds in some rows of a large table; all of them then judge it."""
    if few is None:
        return True
    counted = few.select(a=given, b=decided).drop_nulls().group_by("a", "b").len("n")
    best = counted.group_by("a").agg(top=pl.col("n").max(), size=pl.col("n").sum())
    n_best, n_rows = int(best["top"].sum()), int(best["size"].sum())
    return n_best >= (2 * MIN_KEPT - 1) * n_rows


def _discrete(frame: pl.DataFrame) -> list[str]:
    names = []
    for series in frame.iter_columns():
        is_text = series.dtype == pl.String or isinstance(series.dtype, pl.Enum)
        if is_text or series.dtype.is_integer():
            n_distinct = series.n_unique()
            if 2 <= n_distinct <= MAX_DISTINCT * frame.height:
                names.append(series.name)
    return names[:MAX_COLUMNS]


def _rule(frame: pl.DataFrame, given: str, decided: str) -> Rule | None:
    pairs = frame.select(pl.col(given).alias("a"), pl.col(decided).alias("b")).with_row_index("row")
    counted = pairs.drop_nulls().group_by("a", "b").len("n").with_columns(
        size=pl.col("n").sum().over("a"), top=pl.col("n").max().over("a")
    )  # fmt: skip
    shown = counted.filter(pl.col("size") >= MIN_ROWS)
    n_rows = int(shown["n"].sum())
    groups = shown.unique("a")
    if n_rows < 0.5 * frame.height or groups.height < MIN_GROUPS:
        return None
    strong = shown.filter(pl.col("top") >= MAJORITY * pl.col("size"))
    best = strong.filter(pl.col("n") == pl.col("top")).select("a", pl.col("b").alias("expected"))
    if best.height < max(MIN_GROUPS, MIN_STRONG * groups.height):
        return None
    # a value that leads nowhere ("xl" for "al") is no answer that the rule must explain
    supported = shown.filter(pl.col("b").is_in(best["expected"].unique().implode()))
    n_kept = int(best.join(shown, left_on=["a", "expected"], right_on=["a", "b"])["n"].sum())
    n_supported = int(supported["n"].sum())
    commonest = int(supported.group_by("b").agg(pl.col("n").sum())["n"].max())  # type: ignore[arg-type]
    if n_rows - n_kept > (1 - MIN_KEPT) * n_rows or n_rows == n_kept:
        return None
    if (
        n_supported - n_kept > (1 - MIN_GAIN) * (n_supported - commonest)
        or n_supported == commonest
    ):
        return None
    weak = strong.filter(pl.col("n") < pl.col("top")).select("a", "b")
    broken = pairs.join(weak, on=["a", "b"]).join(best, on="a").sort("row")
    if broken.is_empty():
        return None
    broken = broken.filter(~_is_systematic(frame, broken["row"], {given, decided}))
    if broken.is_empty():
        return None
    expected = broken["expected"].cast(pl.String).to_list()
    return Rule(given, decided, broken["row"].to_numpy().astype(np.int64), expected, n_rows)


def _is_systematic(frame: pl.DataFrame, rows: pl.Series, rule: set[str]) -> pl.Series:
    """Return which exceptions share a value of a third column: holidays, say, are no slips."""
    is_one = np.zeros(len(rows), dtype=bool)
    for name in _discrete(frame):
        here = frame[name].gather(rows)
        if name in rule or here.null_count() == len(here):
            continue
        top, count = here.drop_nulls().value_counts(sort=True).row(0)
        overall = int((frame[name] == top).sum())
        if count >= max(0.1 * len(rows), 5) and count >= 0.6 * overall:
            is_one |= (here == top).fill_null(value=False).to_numpy()
    return pl.Series(is_one)


@dataclass(frozen=True)
class Suspect:
    """A cell that is probably wrong, what it should read, and why."""

    row: int
    column: str
    written: str
    meant: str
    reason: str


def find_suspect_cells(frame: pl.DataFrame, *, never_given: Collection[str] = ()) -> list[Suspect]:
    """Return cells that break rules between columns, are misspelt, or are oddly shaped.

    In a row that breaks several rules, the cell that takes part in most of them is the suspect.

    Parameters
    ----------
    frame : polars DataFrame
        Any; only categories, text and whole numbers are looked at.
    never_given : collection of str
        Columns that decide no other, such as the target.

    Returns
    -------
    list of Suspect
        By row and column.

    Examples
    --------
    >>> frame = pl.DataFrame({"code": ["12 kg"] * 90 + ["1x kg"]})
    >>> [(s.row, s.written, s.reason) for s in find_suspect_cells(frame)]
    [(90, '1x kg', 'shape')]
    """
    suspects: dict[tuple[int, str], Suspect] = {}
    by_rules = _blamed(frame, find_rules(frame, never_given=never_given))
    for suspect in [*_misspelt(frame), *by_rules, *_misshaped(frame)]:
        suspects.setdefault((suspect.row, suspect.column), suspect)
    return [suspects[key] for key in sorted(suspects)]


def _misspelt(frame: pl.DataFrame) -> list[Suspect]:
    cells = []
    for series in frame.iter_columns():
        if series.dtype != pl.String and not isinstance(series.dtype, pl.Enum):
            continue
        for row, variant in find_misspelt(series):
            written = str(series[row])
            cells.append(Suspect(row, series.name, written, variant.meant, "spelling"))
    return cells


def _blamed(frame: pl.DataFrame, rules: list[Rule]) -> list[Suspect]:
    """Return for every row that breaks rules the fewest cells that explain all of them."""
    by_row: dict[int, list[tuple[Rule, str]]] = defaultdict(list)
    for rule in rules:
        for row, expected in zip(rule.broken.tolist(), rule.expected, strict=True):
            by_row[row].append((rule, expected))
    cells = []
    for row, broken in sorted(by_row.items()):
        left = list(broken)
        while left:
            votes: Counter[str] = Counter()
            for rule, _ in left:
                votes[rule.decided] += 2  # in doubt the decided cell, as one source of it is known
                votes[rule.given] += 1
            column = max(votes, key=lambda name: (votes[name], name))
            meant = Counter(e for rule, e in left if rule.decided == column)
            written = str(frame[column][row])
            expected = meant.most_common(1)[0][0] if meant else ""
            cells.append(Suspect(row, column, written, expected, "rule"))
            left = [pair for pair in left if column not in {pair[0].given, pair[0].decided}]
    return cells


def _misshaped(frame: pl.DataFrame) -> list[Suspect]:
    """Return cells whose pattern of digits and letters is rare in a column of one pattern."""
    cells = []
    for series in frame.iter_columns():
        if series.dtype != pl.String and not isinstance(series.dtype, pl.Enum):
            continue
        text = series.cast(pl.String)
        if text.drop_nulls().is_empty() or mean_of(text.str.contains(r"\d")) < 0.5:
            continue
        shapes = shape_of(text)
        counts = shapes.drop_nulls().value_counts(sort=True)
        usual = counts.filter(pl.col("count") > 0.02 * text.count())[text.name]
        if (
            counts.filter(pl.col(text.name).is_in(usual.to_list()))["count"].sum()
            < 0.9 * text.count()
        ):
            continue
        odd = (~shapes.is_in(usual.to_list())) & text.str.contains(r"\d|[^\W\d_]\W|^.{1,4}$")
        rows = np.flatnonzero(odd.fill_null(value=False).to_numpy())
        cells += [Suspect(int(row), series.name, str(text[int(row)]), "", "shape") for row in rows]
    return cells


def shape_of(text: pl.Series) -> pl.Series:
    """Return the pattern of every text: runs of digits are 9, runs of letters a.

    Examples
    --------
    >>> shape_of(pl.Series(["12 kg", "A-7", "x4"])).to_list()
    ['9 a', 'a-9', 'a9']
    """
    return text.str.replace_all(r"\d+", "9").str.replace_all(r"[^\W\d_]+", "a")


def check_rules(table: Table) -> list[Check]:
    """Q18: cells that break a rule which nearly all rows keep."""
    frame = table.described
    if len(_discrete(frame)) < 2:
        reason = "needs two columns of categories or whole numbers whose values come again"
        return [not_applicable("Q18", reason)]
    rules = find_rules(frame, never_given=[table.train.target])
    by_column: dict[str, list[Suspect]] = defaultdict(list)
    for cell in _blamed(frame, rules):
        by_column[cell.column].append(cell)
    answers = []
    for column, broken in by_column.items():
        is_text = not frame[column].dtype.is_numeric()
        misspelt = {row for row, _ in find_misspelt(frame[column])} if is_text else set()
        suspects = [cell for cell in broken if cell.row not in misspelt]  # the rest is Q10's
        if not suspects:
            continue
        deciding = sorted({rule.given for rule in rules if rule.decided == column})
        by = naming(deciding, 3) if deciding else "other columns"
        pairs = ((cell.written, cell.meant or "something else") for cell in suspects)
        evidence = (
            f"{share(len(suspects), len(table))} cells differ from what {by} say in at least "
            f"{100 * MIN_KEPT:.0f} % of the rows: {in_words(pairs)}"
        )
        advice = "compare these cells with the other rows of their key, and mend them"
        rows = [cell.row for cell in suspects[:20]]
        severity: Severity = "warning"
        if column not in table.frame.columns:
            severity, advice = "error", f"{advice}: {own_kind(table, column)}"
        answers.append(found("Q18", severity, column, evidence, advice, rows=rows))
    return settle("Q18", answers)


def tabulate_suspect_cells(table: Table, *, limit: int = 20) -> pd.DataFrame:
    """Return the cells of the training rows that are probably wrong, some of each column.

    Parameters
    ----------
    table : Table
        From `open_table`.
    limit : int, default=20
        Cells to name; columns take turns.

    Returns
    -------
    DataFrame with columns row, column, reads, probably, reason
        `probably` is what the cell should read, "" when that is open.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import load_data
    >>> from lib.quality import open_table
    >>> city = ["Lisbon", "Warsaw", "Dublin", "Vienna"] * 60
    >>> city[5] = "Warsww"
    >>> frame = pd.DataFrame({"city": city, "y": range(240)})
    >>> table = open_table(load_data(frame, target="y"), load_config())
    >>> tabulate_suspect_cells(table)[["reads", "probably"]].values.tolist()
    [['Warsww', 'Warsaw']]
    """
    cells = find_suspect_cells(table.described, never_given=[table.train.target])
    turn: Counter[str] = Counter()
    ranked = []
    for cell in cells:
        turn[cell.column] += 1
        ranked.append((turn[cell.column], cell.column, cell))
    named = [cell for *_, cell in sorted(ranked, key=lambda r: r[:2])[:limit]]
    rows = [(c.row, c.column, c.written, c.meant, c.reason) for c in named]
    listed = pd.DataFrame(rows, columns=["row", "column", "reads", "probably", "reason"])
    listed.attrs["total"] = len(cells)
    return listed
