"""Parts of the rows where a model is worse: found on some rows, confirmed on others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.estimates import Estimate, holm
from lib.explanation.fitted import own_names
from lib.explanation.mistakes import compute_excess
from lib.explanation.subgroups import (
    difference_of,
    estimate_of,
    mean_of,
    owners_of,
    subgroup_levels,
)
from lib.performance.held_out import Bools, Floats, HeldOut, Ints
from lib.statistics import column_kinds

MIN_SHARE = 0.02  # of the rows in a segment
MIN_ROWS = 30  # of a segment, in either part
N_CANDIDATES = 10
MAX_PAIRED = 30  # columns that enter pairs, the strongest
MAX_OVERLAP = 0.5  # shared rows over rows of either: more is the same segment
COLUMNS = ["segment", "rows", "excess", "others", "difference", "p", "p_holm", "confirmed"]


@dataclass(frozen=True, eq=False)
class Level:
    """A level of a column, in both parts of the rows."""

    column: int
    words: str
    found: Bools
    tested: Bools


@dataclass(frozen=True, eq=False)
class _Candidate:
    words: str
    found: Bools
    tested: Bools
    strength: float


def find_weak_segments(
    out_of_fold: HeldOut,
    test: HeldOut,
    *,
    n_candidates: int = N_CANDIDATES,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the segments where a model is weakest, and whether the test set confirms them.

    Levels of every column (numbers in fifths, gaps by themselves), and pairs of levels of the
    thirty strongest columns, are searched on out-of-fold predictions. The strongest that are not
    mostly the same rows are then tested on the test set, against all other rows, so that the rows
    that suggested a segment do not confirm it. Weak means more loss than the model's own
    probabilities expect (of numbers: a larger absolute error), as in `explanation.locate_errors`.

    Parameters
    ----------
    out_of_fold : HeldOut
        Where segments are looked for.
    test : HeldOut
        Where they are tested.
    n_candidates : int
        Segments to test, at most.
    level : float
        Coverage of the intervals; one minus it bounds the chance of any false confirmation
        (Holm over the tested ones; two-sided tests, as the intervals are, of which one that says
        the opposite counts as 1).

    Returns
    -------
    DataFrame
        segment (in words), rows (of the test set), excess (Estimate: mean loss beyond what was
        expected, on the test set), others (mean of all other rows), difference (Estimate), p,
        p_holm, confirmed; the strongest of the search first.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(2_000)
    >>> held = HeldOut(dataset, dataset.truth["probabilities"])
    >>> half = np.arange(1_000)
    >>> table = find_weak_segments(held.take(half), held.take(half + 1_000))
    >>> bool(table["confirmed"].any())
    False
    """
    loss = {
        "found": compute_excess(out_of_fold.dataset, out_of_fold.prediction),
        "tested": compute_excess(test.dataset, test.prediction),
    }
    levels = make_levels(out_of_fold.dataset, test.dataset)
    candidates = _search(levels, loss["found"], n_candidates)
    owner = owners_of(test.dataset, np.arange(len(test)))
    weight = np.ones(len(test)) if test.weight is None else test.weight
    rows: list[tuple[object, ...]] = []
    for one in candidates:
        inside = one.tested
        here = mean_of(loss["tested"][inside], weight[inside])
        there = mean_of(loss["tested"][~inside], weight[~inside])
        difference, two_sided = difference_of(here, there, inside, owner, level)
        p = two_sided if difference.value > 0 else 1.0
        excess = estimate_of(here, owner[inside], level)
        rows.append((one.words, int(inside.sum()), excess, there.value, difference, p, 1.0, False))
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    table["confirmed"] = table["p_holm"].to_numpy(dtype=float) < 1 - level
    return table


def describe_segment(row: pd.Series, *, task: str) -> str:
    """Return a sentence about a segment of `find_weak_segments`.

    Examples
    --------
    >>> row = pd.Series({"segment": "age: > 60", "rows": 99, "difference": Estimate(2, 1, 3)})
    >>> describe_segment(row, task="regression")
    'age: > 60 (99 test rows): mean absolute error is higher by 2.000 [1.000, 3.000]'
    """
    what = "mean absolute error" if task == "regression" else "loss beyond what the model expects"
    difference: Estimate = row["difference"]
    return f"{row['segment']} ({row['rows']:,} test rows): {what} is higher by {difference}"


def describe_weakest(table: pd.DataFrame, *, task: str) -> str:
    """Return in words the confirmed segment where most is lost, or that there is none.

    Examples
    --------
    >>> describe_weakest(pd.DataFrame({"confirmed": [False]}), task="binary")
    'None is confirmed: no part of the rows is known to be served worse'
    """
    if not len(table):
        return "No part is both large enough to be tested and suspicious out of fold"
    confirmed = table[table["confirmed"].astype(bool)]
    if not len(confirmed):
        return "None is confirmed: no part of the rows is known to be served worse"
    worst = max(range(len(confirmed)), key=lambda i: confirmed["difference"].iloc[i].value)
    return f"The weakest is {describe_segment(confirmed.iloc[worst], task=task)}"


def make_levels(found: Dataset, tested: Dataset) -> list[Level]:
    """Return the levels of all columns, cut in the same places for both parts."""
    names, n = own_names(found), len(found)
    joined = replace(
        found,
        X=pd.concat([found.X, tested.X], ignore_index=True),
        y=pd.concat([found.y, tested.y], ignore_index=True),
        groups=None,
        time=None,
        sample_weight=None,
        amounts=None,
    )
    kinds = list(column_kinds(joined.X.set_axis(range(len(names)), axis=1)))
    smallest = [max(MIN_ROWS, MIN_SHARE * rows) for rows in (n, len(tested))]
    made = []
    for position, kind in enumerate(kinds):
        if kind in {"constant", "empty"}:
            continue
        codes, words = subgroup_levels(joined, position)
        name = f"{names[position]} (characters)" if kind == "text" else names[position]
        for code, word in enumerate(words):
            inside = codes == code
            parts = inside[:n], inside[n:]
            counts = [int(part.sum()) for part in parts]
            is_large = all(c >= least for c, least in zip(counts, smallest, strict=True))
            if is_large and counts[0] < n and counts[1] < len(tested):
                made.append(Level(position, f"{name}: {word}", *parts))
    return made


def _search(levels: list[Level], loss: Floats, n_candidates: int) -> list[_Candidate]:
    """Return the strongest segments of levels and pairs of levels, each mostly rows of its own."""
    if not levels:
        return []
    inside = np.column_stack([one.found for one in levels]).astype(float)
    single = _strengths(inside.sum(axis=0), inside.T @ loss, loss)
    ranked: list[tuple[float, tuple[int, ...]]] = [
        (float(single[i]), (i,)) for i in range(len(levels))
    ]
    ranked += _search_pairs(levels, inside, single, loss)
    order = sorted(ranked, key=lambda pair: (-round(pair[0], 9), pair[1]))
    chosen: list[_Candidate] = []
    for strength, members in order[: 60 * n_candidates]:
        if strength <= 0 or len(chosen) == n_candidates:
            break
        found = np.logical_and.reduce([levels[i].found for i in members])
        tested = np.logical_and.reduce([levels[i].tested for i in members])
        n_tested = int(tested.sum())
        if n_tested < MIN_ROWS or len(tested) - n_tested < MIN_ROWS:
            continue
        if any(_overlap(found, other.found) > MAX_OVERLAP for other in chosen):
            continue
        words = " and ".join(levels[i].words for i in members)
        chosen.append(_Candidate(words, found, tested, strength))
    return chosen


def _search_pairs(
    levels: list[Level], inside: Floats, single: Floats, loss: Floats
) -> list[tuple[float, tuple[int, ...]]]:
    """Return pairs of levels of two columns that are stronger than either level alone."""
    columns = np.array([one.column for one in levels])
    best = pd.Series(single).groupby(columns).max().sort_values(ascending=False, kind="stable")
    kept: Ints = np.flatnonzero(np.isin(columns, best.index[:MAX_PAIRED].to_numpy()))
    part = inside[:, kept]
    counts = part.T @ part
    sums = (part * loss[:, np.newaxis]).T @ part
    strengths = _strengths(counts, sums, loss)
    smallest = max(MIN_ROWS, MIN_SHARE * len(loss))
    is_new = strengths > np.maximum(single[kept][:, np.newaxis], single[kept][np.newaxis, :])
    is_apart = columns[kept][:, np.newaxis] < columns[kept][np.newaxis, :]
    rows, others = np.nonzero(is_new & is_apart & (counts >= smallest))
    return [
        (float(strengths[i, j]), (int(kept[i]), int(kept[j])))
        for i, j in zip(rows.tolist(), others.tolist(), strict=True)
    ]


def _strengths(counts: Floats, sums: Floats, loss: Floats) -> Floats:
    """Return how many standard errors the mean loss of a part lies above that of the rest."""
    n, total, spread = len(loss), float(loss.sum()), float(loss.std())
    rest = n - counts
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums / counts - (total - sums) / rest
        z = gap / (spread * np.sqrt(1 / counts + 1 / rest))
    return np.asarray(np.nan_to_num(z, nan=0.0, posinf=0.0, neginf=0.0), dtype=float)


def _overlap(one: Bools, other: Bools) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))
