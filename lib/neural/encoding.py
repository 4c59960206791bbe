"""From a table to what a network takes: scaled numbers, marks of gaps, codes of categories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.errors import InputError

Floats = npt.NDArray[np.float64]
SOFT_LIMIT = 3.0  # scaled numbers end softly here, so that one outlier cannot steer a network
MIN_LEVEL_ROWS = 2  # rarer levels share the code of the unknown, which so is trained
UNKNOWN = 0  # code of a level that training did not know, and of a gap


@dataclass(frozen=True)
class Encoded:
    """A table as arrays.

    Attributes
    ----------
    numbers : ndarray of shape (n_rows, n_numbers)
        Between -3 and 3, 0 for a gap.
    gaps : ndarray of shape (n_rows, n_gaps)
        1 where a number is missing, for columns in which training met gaps.
    codes : ndarray of shape (n_rows, n_categories)
        0 for a gap or an unknown level.
    """

    numbers: Floats
    gaps: Floats
    codes: npt.NDArray[np.int64]


@dataclass
class TableEncoder:
    """Learns from training rows how to scale each number and code each category.

    Numbers are centred at their median, divided by their interquartile range and squashed by
    x / sqrt(1 + (x/3)²) [1]_: infinity becomes 3. Columns that say nothing (constant, empty)
    are left out.

    Attributes
    ----------
    medians, scales : list of float
        By number; a scale of 0 marks a constant.
    gappy : list of bool
        Whether training met gaps in a number.
    levels : list of list of str
        By category, in the order of their codes, which start at 1.

    References
    ----------
    .. [1] D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). Better by default: strong pre-tuned
       MLPs and boosted trees on tabular data. NeurIPS. arXiv 2407.04491.

    Examples
    --------
    >>> colours = ["red", "red", "blue", None]
    >>> table = pd.DataFrame({"size": [1.0, 2.0, None, 3.0], "colour": colours})
    >>> encoder = TableEncoder().fit(table)
    >>> encoder.transform(table).codes[:, 0].tolist()  # a level seen once counts as unknown
    [1, 1, 0, 0]
    >>> encoder.transform(table).numbers[:, 0].round(2).tolist()
    [-0.95, 0.0, 0.0, 0.95]
    """

    medians: list[float] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    gappy: list[bool] = field(default_factory=list)
    levels: list[list[str]] = field(default_factory=list)

    def fit(self, X: Any) -> Self:
        """Learn from the training rows.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_rows, n_features)
            Numbers with gaps; of a frame also categories, text and truth values.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        InputError
            When a column holds dates.
        """
        numbers, categories = _split(X)
        learned = [_scale_of(column) for column in numbers.T]
        self.medians, self.scales = [m for m, _ in learned], [s for _, s in learned]
        gaps = np.isnan(numbers)
        self.gappy = [bool(g.any() and not g.all()) for g in gaps.T]
        counts = [values.value_counts() for values in categories]
        self.levels = [sorted(n.index[n >= MIN_LEVEL_ROWS]) for n in counts]
        return self

    def transform(self, X: Any) -> Encoded:
        """Return the table as arrays.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_rows, n_features)
            The columns of `fit`.

        Returns
        -------
        Encoded
            Of any number of rows.
        """
        numbers, categories = _split(X)
        medians, scales = np.array(self.medians), np.array(self.scales)
        useful, gaps = scales > 0, np.isnan(numbers)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (numbers[:, useful] - medians[useful]) / scales[useful]
        scaled = np.where(gaps[:, useful], 0.0, np.clip(scaled, -1e6, 1e6))
        codes = [
            pd.Index(known).get_indexer(pd.Index(values)) + 1
            for known, values in zip(self.levels, categories, strict=True)
            if known
        ]
        empty = np.zeros((len(numbers), 0), dtype=np.int64)
        return Encoded(
            scaled / np.sqrt(1 + (scaled / SOFT_LIMIT) ** 2),
            gaps[:, np.array(self.gappy, dtype=bool)].astype(float),
            np.column_stack(codes).astype(np.int64) if codes else empty,
        )

    @property
    def n_levels(self) -> list[int]:
        """Codes of each category in use, the unknown included."""
        return [len(known) + 1 for known in self.levels if known]


def find_bins(numbers: Floats, n_bins: int) -> tuple[Floats, Floats]:
    """Return where the pieces of a piecewise-linear encoding begin and how wide they are.

    Bins hold like shares of the rows [1]_.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numbers)
        Training rows.
    n_bins : int
        At most so many a number; fewer where values repeat.

    Returns
    -------
    starts, widths : ndarray of shape (n_numbers, n_bins)
        Bins that a number does not need are infinitely wide: they encode to 0.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko (2022). On embeddings for numerical features in
       tabular deep learning. NeurIPS. arXiv 2203.05556.

    Examples
    --------
    >>> starts, widths = find_bins(np.array([[0.0], [0.0], [1.0], [3.0]]), n_bins=3)
    >>> starts.tolist(), widths.tolist()
    ([[0.0, 1.0, 0.0]], [[1.0, 2.0, inf]])
    """
    shares = np.linspace(0, 1, n_bins + 1)
    starts = np.zeros((numbers.shape[1], n_bins))
    widths = np.full_like(starts, np.inf)
    for i, column in enumerate(numbers.T):
        edges = np.unique(np.quantile(column, shares, method="higher"))
        starts[i, : len(edges) - 1] = edges[:-1]
        widths[i, : len(edges) - 1] = np.diff(edges)
    return starts, widths


def _split(X: Any) -> tuple[Floats, list[pd.Series]]:
    """Return the numbers of a table, and its categories as text with None for gaps."""
    if not isinstance(X, pd.DataFrame):
        return np.asarray(X, dtype=np.float64), []
    numbers, categories = [], []
    for name, values in X.items():
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            msg = (
                f"Column '{name}' holds dates, which a network cannot take: put "
                "features.make_preprocessor(dataset, kind='tree') before it in a pipeline."
            )
            raise InputError(msg)
        if pd.api.types.is_numeric_dtype(values.dtype):
            numbers.append(values.to_numpy(dtype=np.float64, na_value=np.nan))
        else:
            text = values.astype(object)
            categories.append(text.map(str, na_action="ignore").where(text.notna(), None))
    table = np.column_stack(numbers) if numbers else np.zeros((len(X), 0))
    return table, categories


def _scale_of(column: Floats) -> tuple[float, float]:
    """Return the median of a number, and its interquartile range or what comes nearest."""
    finite = column[np.isfinite(column)]
    if len(finite) == 0:
        return 0.0, 0.0
    low, median, high = np.quantile(finite, [0.25, 0.5, 0.75])
    with np.errstate(over="ignore"):
        spread = min(high - low, np.finfo(float).max)
        spread = spread or min((finite.max() - finite.min()) / 2, np.finfo(float).max)
    return float(median), float(spread)
