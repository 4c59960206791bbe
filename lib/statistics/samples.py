"""One feature and the target, laid out as a statistical test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from lib.data.dataset import Task
from lib.statistics.clustered import Codes, Floats
from lib.statistics.columns import levels_of, merge_rare, numbers_of

Form = Literal["numbers", "groups", "table", "none"]
MAX_LEVELS = 12  # of a feature; the rarer ones are tested as one
LEAST_ROWS = 5  # of a level: rarer ones join "(other)", rarer classes of the target are left out


@dataclass(frozen=True)
class Sample:
    """What a test compares.

    Attributes
    ----------
    feature : str
        Its own name.
    form : {"numbers", "groups", "table", "none"}
        Two columns of numbers; numbers in groups; two columns of levels; nothing to test.
    numbers : array of float, shape (n,)
        The numbers (of the feature where both are); empty for a table.
    codes : array of int, shape (n,)
        The groups, or the feature's levels in a table.
    others : array, shape (n,)
        The target's numbers or levels where `codes` or `numbers` are the feature's.
    names, other_names : tuple of str
        Of the levels in `codes` and in `others`.
    owner : array of int or None
        Codes of what rows repeat.
    left_out : str
        What was left out or merged, in words; for "none" why there is nothing to test.
    by_target : bool
        Whether the groups are classes of the target, and not levels of the feature.
    """

    feature: str
    form: Form
    numbers: Floats
    codes: Codes
    others: Floats
    names: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    owner: Codes | None = None
    left_out: str = ""
    by_target: bool = False

    def __len__(self) -> int:
        return max(len(self.numbers), len(self.codes))

    @property
    def group_sizes(self) -> Codes:
        """Rows of each group."""
        return np.bincount(self.codes, minlength=len(self.names)).astype(np.int64)

    @property
    def parts(self) -> list[Floats]:
        """The numbers of each group."""
        return [self.numbers[self.codes == code] for code in range(len(self.names))]


def lay_out(
    column: pd.Series,
    kind: str,
    y: pd.Series,
    *,
    task: Task,
    classes: Sequence[str] = (),
    owner: Codes | None = None,
) -> Sample:
    """Return a feature and the target as a test wants them.

    Numbers of at most two values count as levels. Rows without a value are left out. Levels of
    fewer than five rows, and all but the twelve most frequent, become "(other)"; classes of the
    target with fewer than five rows are left out.

    Parameters
    ----------
    column : Series of shape (n,)
        The feature.
    kind : str
        As `column_kinds` says.
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        What `y` holds.
    classes : sequence of str
        Own names of the classes, by code.
    owner : array of int, shape (n,), optional
        Codes of what rows repeat.

    Returns
    -------
    Sample

    Examples
    --------
    >>> y = pd.Series([0, 1] * 10)
    >>> sample = lay_out(pd.Series(range(20), name="x"), "numeric", y, task="binary")
    >>> sample.form, sample.names
    ('groups', ('0', '1'))
    """
    name = str(column.name)
    nothing = Sample(name, "none", np.empty(0), np.empty(0, np.int64), np.empty(0), owner=owner)
    if kind in {"text", "empty", "constant"}:
        reason = {"text": "free text", "empty": "no value", "constant": "one value"}[kind]
        return replace(nothing, left_out=reason)
    numbers = numbers_of(column) if kind in {"numeric", "datetime"} else None
    if numbers is not None:
        distinct = np.unique(numbers[np.isfinite(numbers)])
        if len(distinct) <= 2:
            codes = np.where(np.isfinite(numbers), np.searchsorted(distinct, numbers), -1)
            of_feature = codes.astype(np.int64), [f"{value:.6g}" for value in distinct]
            numbers = None
    else:
        of_feature = levels_of(column)
    target = y.to_numpy(dtype=float)
    if task == "regression":
        if numbers is not None:
            seen = np.isfinite(numbers) & np.isfinite(target)
            both = replace(nothing, form="numbers", numbers=numbers[seen], others=target[seen])
            return _checked(both, owner, seen)
        codes, names, left_out = _common(*of_feature)
        seen = (codes >= 0) & np.isfinite(target)
        made = replace(nothing, form="groups", numbers=target[seen], left_out=left_out)
        return _checked(_with_codes(made, codes[seen], names), owner, seen)
    target_codes, target_names, left_out = _frequent(y.to_numpy(dtype=np.int64), classes)
    if numbers is not None:
        seen = np.isfinite(numbers) & (target_codes >= 0)
        made = replace(nothing, form="groups", numbers=numbers[seen], left_out=left_out)
        made = replace(made, by_target=True)
        return _checked(_with_codes(made, target_codes[seen], target_names), owner, seen)
    codes, names, merged = _common(*of_feature)
    seen = (codes >= 0) & (target_codes >= 0)
    words = "; ".join(filter(None, [left_out, merged]))
    made = _with_codes(replace(nothing, form="table", left_out=words), codes[seen], names)
    used, others = np.unique(target_codes[seen], return_inverse=True)
    other_names = tuple(target_names[i] for i in used)
    made = replace(made, others=others.astype(float), other_names=other_names)
    return _checked(made, owner, seen)


def _with_codes(sample: Sample, codes: Codes, names: Sequence[str]) -> Sample:
    used, packed = np.unique(codes, return_inverse=True)
    return replace(sample, codes=packed.astype(np.int64), names=tuple(str(names[i]) for i in used))


def _checked(sample: Sample, owner: Codes | None, seen: np.ndarray) -> Sample:
    """Return the sample, or one that says why there is nothing to test."""
    reason = ""
    if len(sample) < LEAST_ROWS:
        reason = f"{len(sample)} rows with both values"
    elif sample.form == "numbers" and min(np.ptp(sample.numbers), np.ptp(sample.others)) == 0:
        reason = "one value where both are known"
    elif sample.form == "groups" and len(sample.names) < 2:
        reason = "one group"
    elif sample.form == "groups" and np.ptp(sample.numbers) == 0:
        reason = "one value in all groups"
    elif sample.form == "groups" and sample.group_sizes.min() < 2:
        reason = "a group of one row"
    elif sample.form == "table" and min(len(sample.names), len(sample.other_names)) < 2:
        reason = "one level where both are known"
    if reason:
        return replace(sample, form="none", left_out=reason)
    return sample if owner is None else replace(sample, owner=owner[seen])


def _common(codes: Codes, names: Sequence[str]) -> tuple[Codes, list[str], str]:
    """Return levels with the rare ones merged, and words for that."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    n_common = int((counts >= LEAST_ROWS).sum())
    n_kept = min(n_common + (n_common < len(names)), MAX_LEVELS)
    if len(names) <= 2 or n_kept >= len(names):
        return codes, list(names), ""
    merged, kept = merge_rare(codes, list(names), max(n_kept, 2))
    words = f"{len(names) - len(kept) + 1} of {len(names)} levels merged"
    return merged, kept, words


def _frequent(codes: Codes, classes: Sequence[str]) -> tuple[Codes, list[str], str]:
    """Return classes without those of too few rows (code -1), and words for that."""
    counts = np.bincount(codes)
    names = [classes[i] if i < len(classes) else str(i) for i in range(len(counts))]
    rare = np.flatnonzero((counts > 0) & (counts < LEAST_ROWS))
    if not len(rare):
        return codes, names, ""
    left = np.where(np.isin(codes, rare), -1, codes)
    which = "class" if len(rare) == 1 else "classes"
    return left, names, f"{len(rare)} rare {which} out ({int(counts[rare].sum())} rows)"
