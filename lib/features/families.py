"""Families of features that read one column at a time, or gaps; each learns from one fold."""

from __future__ import annotations

import abc
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.preprocessing import TargetEncoder
from sklearn.tree import DecisionTreeRegressor

from lib.features.operations import OPERATIONS
from lib.features.recipes import AT_MOST, MANY_LABELS, has_spellings
from lib.features.screening import (
    MAX_ROWS,
    Codes,
    Floats,
    code_by_edges,
    code_column,
    draw,
    evidence,
    exceeds_chance,
    quantile_edges,
    target_matrix,
)

NOTHING, ROWS, TARGET = "nothing", "rows", "rows and target"
N_BINS, N_LEAVES, N_CUTS_TRIED = 5, 5, 300
N_LETTERS = N_WORDS = 10
PATTERNS = {"characters": ".", "word_count": r"\S+", "digits": r"\d", "capitals": "[A-Z]"}
N_CROSS_FITS = 5
PERIODS = (("season", "time of the year", 365.2425), ("clock", "time of the day", 1.0))  # days
Made = Mapping[str, pd.Series]


@dataclass(frozen=True)
class Feature:
    """One feature as people speak of it; a model may see it as several columns.

    Attributes
    ----------
    name : str
        Distinct within a recipe.
    family : str
        "raw" for a column of the table.
    sources : tuple of str
        Safe names of the columns that it is made from.
    how : str
        In words, with {0}, {1} … for the sources.
    learned : str
        What making it learns from: "nothing", training "rows", or "rows and target".
    """

    name: str
    family: str
    sources: tuple[str, ...]
    how: str
    learned: str


class Family(abc.ABC):
    """Makes features of one kind: `fit_transform` on training rows, `transform` on others.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        What the target holds.
    random_state : int
        Seed of draws.
    """

    name: ClassVar[str]

    def __init__(self, task: str, random_state: int = 0) -> None:
        self.task = task
        self.random_state = random_state
        self.features: list[Feature] = []
        self.owner: dict[str, str] = {}  # made column -> feature
        self.replaces: set[str] = set()  # raw columns that models no longer see
        self._operations: dict[str, tuple[Any, ...]] = {}  # made column -> operation, arguments

    @abc.abstractmethod
    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Learn from training rows: call `add` for every feature.

        `owners` says which rows repeat the same person or thing.
        """

    def fit_transform(
        self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None
    ) -> Made:
        """Return the features of the rows that were learned from."""
        self.fit(X, y, owners)
        return self.transform(X)

    def transform(self, X: pd.DataFrame) -> Made:
        """Return the features of any rows: numbers, or categories of fixed levels."""
        return {
            column: pd.Series(OPERATIONS[operation](X, *arguments), index=X.index, copy=False)
            for column, (operation, *arguments) in self._operations.items()
        }

    def add(
        self,
        name: str,
        sources: tuple[str, ...],
        how: str,
        learned: str,
        columns: Mapping[str, tuple[Any, ...]],
    ) -> None:
        """Add a feature and, for each of its columns, the operation that makes it."""
        name = self.prefixed(name)  # raw columns may have the same name
        self.features.append(Feature(name, self.name, sources, how, learned))
        for column, operation in columns.items():
            self.owner[self.prefixed(column)] = name
            self._operations[self.prefixed(column)] = operation

    def prefixed(self, name: str) -> str:
        """Return a name that says which family it is of."""
        return f"{self.name}: {name}"


class Dates(Family):
    """Calendar of moments: weekday, circles of the year and the day, days between two."""

    name = "dates"

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Look which moments have an hour; nothing else is learned."""
        del y, owners
        dates = [str(column) for column in X.select_dtypes("datetime")][: AT_MOST["dates"]]
        for date in dates:
            name = f"{date}_weekday"
            self.add(name, (date,), "weekday of {0}", NOTHING, {name: ("weekday", date)})
            known = X[date].dropna()
            has_hours = not bool((known.dt.normalize() == known).all())
            for part, words, period in PERIODS if has_hours else PERIODS[:1]:
                columns: dict[str, tuple[Any, ...]] = {
                    f"{date}_{part}_{wave}": ("circle", date, period, wave)
                    for wave in ("sine", "cosine")
                }
                how = f"{words} of {{0}}, as a circle"
                self.add(f"{date}_{part}", (date,), how, NOTHING, columns)
        for first, second in combinations(dates, 2):
            name = f"{first}_to_{second}"
            operation = ("days_between", first, second)
            self.add(name, (first, second), "days from {0} to {1}", NOTHING, {name: operation})


class Gaps(Family):
    """Which values are missing, and how many in a row."""

    name = "gaps"

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Find the columns with gaps in training rows."""
        del y, owners
        with_gaps = [str(column) for column in X if 0 < X[column].isna().sum() < len(X)]
        if len(with_gaps) > 1:
            words = "how many values of a row are missing"
            operation = ("count_missing", with_gaps)
            self.add("gaps_in_row", tuple(with_gaps), words, ROWS, {"gaps_in_row": operation})
        for column in with_gaps[: AT_MOST["gaps"]]:
            name = f"{column}_is_missing"
            how = "whether {0} is missing"
            self.add(name, (column,), how, ROWS, {name: ("is_missing", column)})


class _Encoded(Family):
    """A family that encodes strings, several columns at a time."""

    def __init__(self, task: str, random_state: int = 0) -> None:
        super().__init__(task, random_state)
        self._encoders: list[tuple[str, Any, list[str]]] = []  # source, encoder, made columns

    def transform(self, X: pd.DataFrame) -> Made:
        """Return the features of any rows."""
        made = dict(super().transform(X))
        for source, encoder, columns in self._encoders:
            values = np.asarray(encoder.transform(_strings(X[source])), dtype=float)
            made.update(
                {name: pd.Series(values[:, i], index=X.index) for i, name in enumerate(columns)}
            )
        return made

    def encode(self, encoder: Any, X: pd.DataFrame, source: str, name: str, how: str) -> None:
        """Add what an encoder makes of a column, unless it finds nothing to encode."""
        if not X[source].notna().any():
            return
        with warnings.catch_warnings():  # few words make fewer columns, which is what is wanted
            warnings.filterwarnings("ignore", message="The matrix shape is")
            try:
                n_columns = encoder.fit_transform(_strings(X[source])).shape[1]
            except ValueError:  # an empty vocabulary
                return
        columns = [self.prefixed(f"{name}_{i + 1}") for i in range(n_columns)]
        self._encoders.append((source, encoder, columns))
        self.add(name, (source,), how, ROWS, {})
        self.owner.update(dict.fromkeys(columns, self.prefixed(name)))


class Text(_Encoded):
    """Free text: its length and capitals, and its most telling words."""

    name = "text"

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Learn the vocabulary of the training rows."""
        from skrub import StringEncoder  # noqa: PLC0415 - skrub takes seconds to import

        del y, owners
        for column in [str(name) for name in X.select_dtypes("string")][: AT_MOST[self.name]]:
            shape: dict[str, tuple[Any, ...]] = {
                f"{column}_{part}": ("count_pattern", column, pattern)
                for part, pattern in PATTERNS.items()
            }
            words = "characters, words, digits and capitals of {0}"
            self.add(f"{column}_shape", (column,), words, NOTHING, shape)
            encoder = StringEncoder(
                N_WORDS, ngram_range=(1, 1), analyzer="word", random_state=self.random_state
            )
            self.encode(encoder, X, column, f"{column}_words", "words of {0}, in ten numbers")


class Spelling(_Encoded):
    """Categories of many labels: how alike the labels are in their letters."""

    name = "spelling"

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Learn the pairs and triples of letters that training rows hold."""
        from skrub import StringEncoder  # noqa: PLC0415 - skrub takes seconds to import

        del y, owners
        many = [str(c) for c in X.select_dtypes("category") if has_spellings(X[c])]
        for column in many[: AT_MOST[self.name]]:
            # Pairs and triples pooled misspelt labels best: as well as GapEncoder in a fifth of
            # its time, and better than MinHashEncoder in linear models.
            encoder = StringEncoder(N_LETTERS, ngram_range=(2, 3), random_state=self.random_state)
            how = "letters of {0}, in ten numbers"
            self.encode(encoder, X, column, f"{column}_letters", how)


class Bins(Family):
    """Numbers cut into five bins of equal counts."""

    name = "bins"
    how, learned = "fifth of {0}", ROWS

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Learn the edges; of many numbers those that go with the target most."""
        del owners
        target = target_matrix(y, self.task)
        for column in strongest_numbers(X, target, AT_MOST[self.name], self.random_state):
            edges = self.edges(X[column].to_numpy(dtype=float), target)
            if len(edges):
                operation = ("bins", column, edges.tolist())
                self.add(column, (column,), self.how, self.learned, {column: operation})

    def edges(self, values: Floats, target: Floats) -> Floats:
        """Return the inner edges of the bins."""
        del target
        return quantile_edges(values, N_BINS)


class TreeBins(Bins):
    """Numbers cut where a tree of five leaves cuts them to tell the target."""

    name = "tree bins"
    how, learned = "{0} cut where the target changes", TARGET

    def edges(self, values: Floats, target: Floats) -> Floats:
        """Return the cuts of a small tree."""
        known = np.flatnonzero(np.isfinite(values))
        rows = known[draw(len(known), MAX_ROWS, self.random_state)]
        leaf = max(5, len(rows) // 20)
        tree = DecisionTreeRegressor(max_leaf_nodes=N_LEAVES, min_samples_leaf=leaf, random_state=0)
        if len(rows) < 2 * leaf:
            return np.empty(0)
        cuts = tree.fit(values[rows, np.newaxis], target[rows]).tree_
        edges = np.unique(cuts.threshold[cuts.feature >= 0])
        # The tree took the best of some hundred cuts: no more than luck is no feature.
        codes = code_by_edges(values[rows], edges)
        found = evidence(codes, target[rows] - target[rows].mean(axis=0))
        return edges if exceeds_chance(*found, N_CUTS_TRIED) else np.empty(0)


class TargetMeans(Family):
    """Mean target of a category, shrunk to the mean of all [1]_.

    Training rows get the mean of other training rows (cross-fitting; of other groups where rows
    have groups): with their own, a label that occurs once would carry its target.

    References
    ----------
    .. [1] D. Micci-Barreca (2001). A preprocessing scheme for high-cardinality categorical
       attributes in classification and prediction problems. SIGKDD Explorations 3:27.
    """

    name = "target encoding"

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None) -> None:
        """Learn from all training rows what other rows will get."""
        self.fit_transform(X, y, owners)

    def fit_transform(
        self, X: pd.DataFrame, y: npt.NDArray[Any], owners: Codes | None = None
    ) -> Made:
        """Return the means of training rows, each from other rows."""
        categories = [c for c in X.select_dtypes("category") if X[c].nunique() > 2]
        n_targets = len(np.unique(y)) if self.task == "multiclass" else 1
        self._columns = categories[: max(AT_MOST[self.name] // n_targets, 1)]
        parts = _cross_parts(y, owners, self.task, self.random_state)
        n_values = len(np.unique(y))
        if not self._columns or len(parts) < 2 or n_values < 2:
            self._columns = []
            return {}
        kind = "binary" if n_values == 2 else "multiclass"
        kind = "continuous" if self.task == "regression" else kind
        self._encoder = TargetEncoder(target_type=kind, cv=parts)
        with_names = X[self._columns].apply(_strings).to_numpy(dtype=object)
        values = self._encoder.fit_transform(with_names, np.asarray(y))
        each = values.shape[1] // len(self._columns)
        self._spread = float(np.std(y)) or 1.0
        self._means = _class_means(np.asarray(y), self._encoder)
        self._center(values, y, parts)
        self._names = []
        for column in self._columns:
            name = self.prefixed(column)
            columns = [name] if each == 1 else [f"{name}_{k}" for k in range(each)]
            self._names += columns
            words = "mean target of each label of {0}"
            if X[column].nunique() > MANY_LABELS:
                self.replaces.add(column)
                words += ", in its place"
            self.features.append(Feature(name, self.name, (column,), words, TARGET))
            self.owner.update(dict.fromkeys(columns, name))
        return self._as_columns(values, X)

    def transform(self, X: pd.DataFrame) -> Made:
        """Return the means that were learned from all training rows."""
        if not self._columns:
            return {}
        with_names = X[self._columns].apply(_strings).to_numpy(dtype=object)
        return self._as_columns(self._encoder.transform(with_names), X)

    def _center(self, values: Floats, y: Any, parts: list[tuple[Codes, Codes]]) -> None:
        """Take out how the mean of the other rows differs from part to part.

        A part of high targets is encoded by rows of low ones. Where labels mean nothing, that
        would be all that the encoding holds, and a model would learn it with the wrong sign.
        """
        for others, part in parts:
            shift = self._means - _class_means(np.asarray(y)[others], self._encoder)
            values[part] += np.tile(shift, values.shape[1] // len(shift))

    def _as_columns(self, values: Floats, X: pd.DataFrame) -> Made:
        return {name: pd.Series(values[:, i], index=X.index) for i, name in enumerate(self._names)}


def strongest_numbers(
    X: pd.DataFrame,
    target: Floats,
    n_kept: int,
    random_state: int,
    *,
    min_values: int = MANY_LABELS,
) -> list[str]:
    """Return the columns of numbers with enough values; of many, those that say most alone.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Training rows.
    target : ndarray of shape (n_rows, n_columns)
        From `target_matrix`.
    n_kept : int
        How many columns at most.
    random_state : int
        Seed of the rows looked at.
    min_values : int
        A column needs more distinct values.

    Returns
    -------
    list of str
        In the order of the table.
    """
    numbers = [str(c) for c in X.select_dtypes("number") if X[c].nunique() > min_values]
    if len(numbers) <= n_kept:
        return numbers
    rows = draw(len(X), MAX_ROWS, random_state)
    centred = target[rows] - target[rows].mean(axis=0)
    strength = [-evidence(code_column(X[c].iloc[rows]), centred)[0] for c in numbers]
    kept = set(np.argsort(strength, kind="stable")[:n_kept].tolist())
    return [column for i, column in enumerate(numbers) if i in kept]


def _class_means(y: npt.NDArray[Any], encoder: TargetEncoder) -> Floats:
    """Return the mean target, or the share of each class that an encoder has columns for."""
    if encoder.target_type_ == "continuous":
        return np.array([float(np.mean(y))])
    classes = encoder.classes_ if encoder.target_type_ == "multiclass" else encoder.classes_[1:]
    return np.array([float(np.mean(y == label)) for label in classes])


def _cross_parts(
    y: npt.NDArray[Any], owners: Codes | None, task: str, random_state: int
) -> list[tuple[Codes, Codes]]:
    """Return positions to learn from and to encode: groups together, else classes spread evenly."""
    rng = np.random.default_rng(random_state)
    part = np.empty(len(y), dtype=np.intp)
    if owners is not None:
        codes = pd.factorize(owners)[0]
        n_owners = int(codes.max(initial=-1)) + 1
        part = (rng.permutation(n_owners) % N_CROSS_FITS)[codes]
    else:
        mixed = rng.random(len(y))
        order = np.argsort(mixed) if task == "regression" else np.lexsort((mixed, y))
        part[order] = np.arange(len(y)) % N_CROSS_FITS
    return [
        (np.flatnonzero(part != number), np.flatnonzero(part == number))
        for number in np.unique(part)
    ]


def _strings(column: pd.Series) -> pd.Series:
    """Return a column as text; a gap is a label of its own."""
    return column.astype("str").fillna("(missing)")
