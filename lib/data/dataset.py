"""The table of a study: features, target and what is known about both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from lib.data import split as splitting
from lib.data.catalog import DesignChoice, Trial
from lib.data.split import Rule, Split
from lib.data.stakes import Costs, Policy
from lib.errors import InputError
from lib.estimates import format_digits

Task = Literal["binary", "multiclass", "regression"]
MIN_BLOCKS = 10  # of neighbours in time; too few say nothing of chance
REPAIR_COLUMNS = ("column", "repair", "count", "detail")
ROLE_COLUMNS = ("column", "role", "kind", "origin", "reason")


def _no_repairs() -> pd.DataFrame:
    return pd.DataFrame(columns=list(REPAIR_COLUMNS))


def _no_roles() -> pd.DataFrame:
    return pd.DataFrame(columns=list(ROLE_COLUMNS))


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table ready for study; `load_data` makes one.

    Attributes
    ----------
    name : str
        Usable as a folder name.
    X : DataFrame of shape (n_rows, n_features)
        Safe column names (`labels` has their own); int64, float64, pandas category, str for
        free text, datetime64. Index 0 … n_rows-1, as in every Series below.
    y : Series of shape (n_rows,)
        Named "target": codes 0 … K-1 (binary: 1 = positive), or float64 for regression.
    task : {"binary", "multiclass", "regression"}
    target : str
        The target's own name.
    classes : tuple of str
        Own labels by code; () for regression.
    groups, time, sample_weight, amounts : Series or None
        Rows that belong together; their order in time; their weight; their money.
    gains : mapping of str to float, or None
        Money per decision (tp, fp, fn, tn) or per unit (over, under); see data/README.md.
    costs : mapping of str to mapping of str to float, or None
        What answering one class costs when another is true, by own labels.
    capacity : float or None
        Share of the rows that can be acted upon.
    policy : Policy or None
        How is decided today, in words and as written.
    today : Series of shape (n_rows,) or None
        What that policy does with each row: acts or not, a forecast, or a label.
    currency : str
        ISO 4217 code of amounts and gains.
    design : DesignChoice or None
        What the catalogue wrote down before any experiment.
    trial : Trial or None
        What was assigned by lot; columns by their own names.
    sensitive : tuple of str
        Features on which fairness is judged, by safe name.
    labels, descriptions : mapping of str to str
        Safe name to own name, and to words.
    description, licence, source : str
    repairs : DataFrame
        What was mended on load: column, repair, count, detail.
    roles : DataFrame
        What every column is for: column, role, kind, origin ("given" or "inferred"), reason.
    rule : Rule
        How the test set is chosen.
    reports : Path or None
        Where the test set is recorded; None records nothing (generated data).
    part : {"all", "train", "test", "some rows"}
    """

    name: str
    X: pd.DataFrame = field(repr=False)
    y: pd.Series = field(repr=False)
    task: Task
    target: str = "target"
    classes: tuple[str, ...] = ()
    groups: pd.Series | None = field(default=None, repr=False)
    time: pd.Series | None = field(default=None, repr=False)
    sample_weight: pd.Series | None = field(default=None, repr=False)
    amounts: pd.Series | None = field(default=None, repr=False)
    gains: Mapping[str, float] | None = None
    costs: Costs | None = None
    capacity: float | None = None
    policy: Policy | None = None
    today: pd.Series | None = field(default=None, repr=False)
    currency: str = "USD"
    design: DesignChoice | None = None
    trial: Trial | None = None
    sensitive: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    descriptions: Mapping[str, str] = field(default_factory=dict, repr=False)
    description: str = field(default="", repr=False)
    licence: str = field(default="", repr=False)
    source: str = field(default="", repr=False)
    repairs: pd.DataFrame = field(default_factory=_no_repairs, repr=False)
    roles: pd.DataFrame = field(default_factory=_no_roles, repr=False)
    rule: Rule | None = field(default=None, repr=False)
    reports: Path | None = field(default=None, repr=False)
    part: str = "all"

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def n_features(self) -> int:
        """Number of columns of `X`."""
        return len(self.X.columns)

    @property
    def positive_label(self) -> str:
        """Own label of class 1 of a binary task."""
        if self.task != "binary":
            raise InputError(f"'{self.name}' is a {self.task} task: it has no positive class.")
        return self.classes[1]

    @property
    def positive_words(self) -> str:
        """What class 1 of a binary task is: the target, with its label unless that says "yes"."""
        label = self.positive_label
        plain = label in {"1", "1.0", "True", "true", "yes", "Yes"}
        return self.target if plain else f"{self.target} = {label}"

    @property
    def numeric(self) -> list[str]:
        """Columns of `X` that hold numbers."""
        return list(self.X.select_dtypes("number").columns)

    @property
    def categorical(self) -> list[str]:
        """Columns of `X` that hold categories."""
        return list(self.X.select_dtypes("category").columns)

    @property
    def text(self) -> list[str]:
        """Columns of `X` that hold free text."""
        return list(self.X.select_dtypes("string").columns)

    @property
    def datetimes(self) -> list[str]:
        """Columns of `X` that hold moments."""
        return list(self.X.select_dtypes("datetime").columns)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits of the contents: values, names, types and order of the rows."""
        digest = hashlib.sha256(f"{self.task}|{self.target}|{self.classes}".encode())
        named = {"y": self.y, "groups": self.groups, "time": self.time}
        named |= {"sample_weight": self.sample_weight, "amounts": self.amounts}
        columns = [(f"X.{column}", self.X[column]) for column in self.X]
        columns += [(name, values) for name, values in named.items() if values is not None]
        for name, values in columns:
            digest.update(f"|{name}|{values.dtype.name}|{len(values)}|".encode())
            _update(digest, values)
        return digest.hexdigest()[:16]

    @property
    def units(self) -> np.ndarray:
        """The unit of each row, from 0: what a bootstrap draws together, as its rows are alike.

        Groups where there are any; else blocks of neighbours in time, m ** (1/3) of m moments
        long, which keep most of what neighbours have in common [1]_; else, or where there would be
        fewer than ten blocks, single rows.

        References
        ----------
        .. [1] P. Hall, J. Horowitz, B. Jing (1995). On blocking rules for the bootstrap with
           dependent data. Biometrika 82:561.

        Examples
        --------
        >>> from lib.data import load_data
        >>> load_data("wine").units[:4].tolist()
        [0, 1, 2, 3]
        """
        if self.groups is not None:
            return np.asarray(pd.factorize(self.groups)[0], dtype=np.intp)
        rows = np.arange(len(self), dtype=np.intp)
        if self.time is None:
            return rows
        moments = np.unique(self.time.to_numpy(), return_inverse=True)[1]
        length = max(round((moments.max(initial=0) + 1) ** (1 / 3)), 1)
        blocks = np.asarray(moments // length, dtype=np.intp)
        return blocks if blocks.max(initial=0) + 1 >= MIN_BLOCKS else rows

    @cached_property
    def split(self) -> Split:
        """The locked split of the whole table."""
        if self.part != "all":
            raise InputError(
                f"This is the part '{self.part}' of '{self.name}', which has no test set of its "
                "own: take .split, .train or .open_test from the dataset that load_data returned."
            )
        rule = self.rule or choose_rule(self)
        made = splitting.make_split(
            self.y,
            rule,
            groups=self.groups,
            time=self.time,
            is_classification=self.task != "regression",
        )
        if self.reports is not None:
            folder = self.reports / self.name
            splitting.record_split(folder, self.name, self.fingerprint, rule, made)
        return made

    @cached_property
    def train(self) -> Dataset:
        """The training rows; of the training rows, themselves."""
        return self if self.part == "train" else self._rows(self.split.train, "train")

    @property
    def test_features(self) -> pd.DataFrame:
        """`X` of the test rows, without their targets: to look for drift, never to choose."""
        return self.X.iloc[self.split.test].reset_index(drop=True)

    def open_test(self, by: str, *, champion: str | None = None) -> Dataset:
        """Return the locked rows, and record that they were seen.

        Parameters
        ----------
        by : str
            The analysis that opens them, such as "30_performance_analysis".
        champion : str, optional
            The model they judge.

        Returns
        -------
        Dataset
            The test rows.

        Raises
        ------
        InputError
            When the opening cannot be recorded.
        """
        positions = self.split.test
        if self.reports is not None:
            folder = self.reports / self.name
            splitting.record_opening(folder, self.name, self.fingerprint, by=by, champion=champion)
        return self._rows(positions, "test")

    def take(self, positions: Sequence[int] | np.ndarray) -> Dataset:
        """Return the rows at `positions`, in that order.

        Parameters
        ----------
        positions : sequence of int or of bool
            Positions, or one truth value per row.

        Returns
        -------
        Dataset
            Categories, classes and labels stay as they are.
        """
        part = self.part if self.part in {"train", "test"} else "some rows"
        return self._rows(np.asarray(positions), part)

    def _rows(self, positions: np.ndarray, part: str) -> Dataset:
        def pick(values: pd.Series | None) -> pd.Series | None:
            return None if values is None else values.iloc[positions].reset_index(drop=True)

        return replace(
            self,
            X=self.X.iloc[positions].reset_index(drop=True),
            y=self.y.iloc[positions].reset_index(drop=True),
            groups=pick(self.groups),
            time=pick(self.time),
            sample_weight=pick(self.sample_weight),
            amounts=pick(self.amounts),
            today=pick(self.today),
            part=part,
        )

    def summary(self) -> str:
        """Return one sentence fragment: size, target, groups.

        Returns
        -------
        str
            Such as "14,266 rows × 30 features; 9.1 % high_cost_next_year; 5,639 groups (person)".
        """
        parts = [f"{self.n_rows:,} rows × {self.n_features} features"]
        if self.task == "binary":
            share = f"{100 * self.y.mean():.1f} %"
            parts.append(f"{share} {self.positive_words}")
        elif self.task == "multiclass":
            parts.append(f"{len(self.classes)} classes of {self.target}")
        else:
            lowest, highest = (format_digits(y, 4) for y in (self.y.min(), self.y.max()))
            parts.append(f"{self.target} {lowest} to {highest}")
        if self.groups is not None:
            parts.append(f"{self.groups.nunique():,} groups ({self.groups.name})")
        return "; ".join(parts)


def choose_rule(dataset: Dataset, *, test_fraction: float = 0.2, seed: int = 0) -> Rule:
    """Return the rule that suits a dataset: groups together, else the last in time, else random.

    Parameters
    ----------
    dataset : Dataset
        Only its task and which of groups and time it has are used.
    test_fraction : float, default=0.2
        Share of test rows.
    seed : int, default=0
        Of the draw.

    Returns
    -------
    Rule
        With its words.
    """
    if dataset.groups is not None:
        return make_rule(dataset, "groups", test_fraction=test_fraction, seed=seed)
    kind = "time" if dataset.time is not None else "random"
    return make_rule(dataset, kind, test_fraction=test_fraction, seed=seed)


def make_rule(dataset: Dataset, kind: str, *, test_fraction: float, seed: int) -> Rule:
    """Return a rule of a given kind, in words.

    Parameters
    ----------
    dataset : Dataset
        Its groups and time.
    kind : {"groups", "time", "random"}
        What is kept together.
    test_fraction : float
        Share of test rows.
    seed : int
        Of the draw.

    Returns
    -------
    Rule
        With its words.

    Raises
    ------
    InputError
        When the dataset has no such column.
    """
    needed = {"groups": dataset.groups, "time": dataset.time, "random": dataset.y}[kind]
    if needed is None:
        raise InputError(
            f"split.rule = '{kind}' of '{dataset.name}' needs a column of that role: "
            f'name it with {kind} = "…" in the catalogue, or use another rule.'
        )
    share = f"{100 * test_fraction:g} %"
    by = "" if dataset.task == "regression" else "stratified by target, "
    by = by or "stratified by fifths of the target, "
    words = {
        "groups": f"{share} of the groups ({needed.name}), {by}seed {seed}",
        "time": f"the last {share} by {needed.name}",
        "random": f"{share} of the rows, {by}seed {seed}",
    }[kind]
    return Rule(kind, test_fraction, seed, words)


def _update(digest: hashlib._Hash, values: pd.Series) -> None:
    """Feed a column to the digest: the same bytes on every platform."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        digest.update("\x1f".join(map(str, values.cat.categories)).encode())
        digest.update(values.cat.codes.to_numpy().astype("<i4").tobytes())
    elif pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype="<f8", copy=True) + 0.0  # -0.0 becomes 0.0
        numbers[np.isnan(numbers)] = np.nan  # one bit pattern for all NaN
        digest.update(numbers.tobytes())
    elif pd.api.types.is_integer_dtype(values.dtype):
        digest.update(values.to_numpy().astype("<i8").tobytes())
    elif pd.api.types.is_datetime64_any_dtype(values.dtype):
        digest.update(values.to_numpy().astype("datetime64[us]").astype("<i8").tobytes())
    else:
        hashes = pd.util.hash_pandas_object(values, index=False, categorize=True)
        digest.update(hashes.to_numpy().astype("<u8").tobytes())
