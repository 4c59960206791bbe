"""The columns of a regression: what comes in, what stays out and why, how far they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.errors import InputError
from lib.statistics.clustered import Floats, join_words
from lib.statistics.columns import column_kinds, levels_of, merge_rare, numbers_of

MOST_MISSING = 0.2  # share of rows; emptier columns would cost too many complete rows
MAX_LEVELS = 8
LEAST_ROWS = 10  # of a level
DEPENDENT = 1e-9  # share of a column's spread that the others leave, below which it is theirs
SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True)
class Design:
    """Columns for a regression, without the constant.

    Attributes
    ----------
    matrix : DataFrame of shape (n_kept, n_terms)
        Floats, no gaps, no column that follows from the others. A category has a 0/1 column for
        each level but the most frequent.
    features : tuple of str
        The feature behind each term.
    rows : array of bool, shape (n,)
        Which rows of the table are in: those without a gap.
    left_out : DataFrame with columns term, reason
        What is not in the matrix.
    dependent : tuple of str
        Features of which a column follows from others.
    """

    matrix: pd.DataFrame
    features: tuple[str, ...]
    rows: np.ndarray
    left_out: pd.DataFrame
    dependent: tuple[str, ...] = ()

    @property
    def terms(self) -> list[str]:
        """Names of the columns."""
        return list(self.matrix.columns)

    def of_rows(self, values: pd.Series) -> pd.Series:
        """Return a column of the table on the rows that are in."""
        return values[self.rows].reset_index(drop=True)


def make_design(X: pd.DataFrame, *, max_terms: int = 100) -> Design:
    """Return the columns of a regression on all features of a table.

    Numbers come as they are, dates as days, categories as 0/1 columns against the most frequent
    level (the rarest levels as one). Free text, constant columns and those with more than a fifth
    of values missing stay out, as do rows with a gap: regression coefficients are right on complete
    rows when what is missing does not depend on the target.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        Features, with distinct names.
    max_terms : int
        Columns at most, in the table's order.

    Returns
    -------
    Design

    Raises
    ------
    InputError
        When no column or fewer than ten rows are left.

    Examples
    --------
    >>> X = pd.DataFrame({"x": range(40), "plan": list("aab") * 13 + ["b"], "twice": range(40)})
    >>> design = make_design(X)
    >>> design.terms, design.left_out["term"].tolist()
    (['x', 'plan = b'], ['twice'])
    """
    kinds = column_kinds(X)
    left_out: list[tuple[str, str]] = []
    columns: dict[str, tuple[str, Floats]] = {}
    for name in X.columns:
        reason = _reason_against(X[name], str(kinds[name]))
        if reason:
            left_out.append((name, reason))
            continue
        for term, values in _columns_of(X[name], str(kinds[name])):
            if len(columns) >= max_terms:
                left_out.append((term, f"beyond {max_terms} columns"))
            else:
                columns[_free(term, columns)] = (name, values)
    if not columns:
        msg = "A regression needs a column of numbers or categories that varies; got none."
        raise InputError(msg + " Add features, or name their kinds in the catalogue.")
    matrix = np.column_stack([values for _, values in columns.values()])
    rows = np.asarray(np.isfinite(matrix).all(axis=1))
    if rows.sum() < 10:
        msg = f"A regression needs ten rows without gaps; got {int(rows.sum())}."
        raise InputError(msg + " Leave out the emptiest columns, or fill them first.")
    return _independent(matrix[rows], columns, rows, left_out)


def _reason_against(column: pd.Series, kind: str) -> str:
    if kind in {"text", "empty", "constant"}:
        return {"text": "free text", "empty": "no value", "constant": "one value"}[kind]
    is_gap = column.isna().to_numpy()
    if kind in {"numeric", "datetime"}:
        is_gap = ~np.isfinite(numbers_of(column))
    if is_gap.mean() > MOST_MISSING:
        return f"{100 * is_gap.mean():.0f} % missing"
    return ""


def _columns_of(column: pd.Series, kind: str) -> list[tuple[str, Floats]]:
    name = str(column.name)
    if kind != "categorical":
        numbers = numbers_of(column)
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        return [(name, numbers / SECONDS_A_DAY if kind == "datetime" else numbers)]
    codes, names = levels_of(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    n_kept = min(int((counts >= LEAST_ROWS).sum()) + 1, MAX_LEVELS, len(names))
    codes, names = merge_rare(codes, names, max(n_kept, 2))
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    reference = int(np.argmax(counts))
    made = []
    for code, level in enumerate(names):
        if code != reference:
            values = np.where(codes < 0, np.nan, codes == code)
            made.append((f"{name} = {level}", values.astype(float)))
    return made


def _free(term: str, taken: dict[str, tuple[str, Floats]]) -> str:
    free, number = term, 1
    while free in taken:
        number += 1
        free = f"{term} ({number})"
    return free


def _independent(
    matrix: Floats,
    columns: dict[str, tuple[str, Floats]],
    rows: np.ndarray,
    left_out: list[tuple[str, str]],
) -> Design:
    """Leave out columns that are constant now or follow from those before them."""
    terms = list(columns)
    spread = np.ptp(matrix, axis=0)
    size = np.maximum(np.abs(matrix).max(axis=0), 1e-300)
    varies = spread > 1e-12 * size
    left_out += [(terms[i], "one value on complete rows") for i in np.flatnonzero(~varies)]
    kept: list[int] = []
    dependent: list[str] = []
    room = np.empty(matrix.shape, order="F")
    for i in np.flatnonzero(varies):
        centred = matrix[:, i] / size[i]
        centred = centred - centred.mean()
        centred /= np.linalg.norm(centred)
        basis = room[:, : len(kept)]
        rest = centred - basis @ (basis.T @ centred)
        rest -= basis @ (basis.T @ rest)  # once more: rounding of the first pass
        left = float(np.linalg.norm(rest))
        if left**2 < DEPENDENT or len(kept) >= len(matrix) - 2:
            partners = _partners(matrix[:, kept] / size[kept], basis @ (basis.T @ centred))
            own = [columns[terms[kept[j]]][0] for j in partners]
            dependent += [columns[terms[i]][0], *own]
            left_out.append((terms[i], f"follows from {_name(list(dict.fromkeys(own)))}"))
            continue
        room[:, len(kept)] = rest / left
        kept.append(int(i))
    if not kept:
        msg = "A regression needs a column that varies on complete rows; got none."
        raise InputError(msg + " Fill the gaps first, or leave out the emptiest columns.")
    names_kept = [terms[i] for i in kept]
    return Design(
        pd.DataFrame(matrix[:, kept], columns=names_kept),
        tuple(columns[name][0] for name in names_kept),
        rows,
        pd.DataFrame(left_out, columns=["term", "reason"]),
        tuple(dict.fromkeys(dependent)),
    )


def _name(partners: list[str]) -> str:
    if len(partners) > 4:
        return f"{partners[0]}, {partners[1]} and {len(partners) - 2} others"
    return join_words(partners) or "the others"


def _partners(kept: Floats, dependent: Floats) -> Sequence[int]:
    """Return which of the kept columns a dependent one is made of."""
    if not kept.shape[1]:
        return []
    others = kept - kept.mean(axis=0)
    others /= np.maximum(np.linalg.norm(others, axis=0), 1e-300)
    weights = np.linalg.lstsq(others, dependent, rcond=None)[0]
    strong = np.abs(weights) > 1e-4 * max(float(np.abs(weights).max()), 1e-300)
    return [int(j) for j in np.flatnonzero(strong)]


def compute_collinearity(design: Design) -> pd.DataFrame:
    """Return how far the other features explain each feature [1]_ [2]_.

    Parameters
    ----------
    design : Design
        As `make_design` returns it.

    Returns
    -------
    DataFrame with columns feature, terms, vif, error_factor
        Largest first. `vif` is the variance inflation factor, for a category the generalised one to
        the power 1/terms, so that the usual bounds (5, 10) apply; infinite where a column follows
        from others. `error_factor`, its root, says how many times wider overlap makes errors.

    References
    ----------
    .. [1] D. Belsley, E. Kuh, R. Welsch (1980). Regression Diagnostics. Wiley.
    .. [2] J. Fox, G. Monette (1992). Generalized collinearity diagnostics. JASA 87:178.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=500)
    >>> X = pd.DataFrame({"x": x, "near": x + 0.1 * rng.normal(size=500)})
    >>> compute_collinearity(make_design(X))["vif"].round(-1).tolist()
    [120.0, 120.0]
    """
    names = list(dict.fromkeys(design.features))
    correlations = np.atleast_2d(np.corrcoef(design.matrix.to_numpy(), rowvar=False))
    owners = np.array(design.features, dtype=object)
    whole = np.linalg.slogdet(correlations)[1]
    rows = []
    for name in names:
        own = owners == name
        log_inside = np.linalg.slogdet(correlations[np.ix_(own, own)])[1]
        log_others = np.linalg.slogdet(correlations[np.ix_(~own, ~own)])[1] if (~own).any() else 0
        vif = float(np.exp((log_inside + log_others - whole) / own.sum()))
        vif = np.inf if name in design.dependent else max(vif, 1.0)
        rows.append((name, int(own.sum()), vif, float(np.sqrt(vif))))
    gone = [name for name in design.dependent if name not in names]
    rows += [(name, 0, np.inf, np.inf) for name in gone]
    table = pd.DataFrame(rows, columns=["feature", "terms", "vif", "error_factor"])
    order = np.lexsort((np.arange(len(table)), -table["vif"].round(9)))
    return table.iloc[order].reset_index(drop=True)


def condition_number(design: Design) -> float:
    """Return the condition number of the columns and the constant, each of length one [1]_.

    Parameters
    ----------
    design : Design
        As `make_design` returns it.

    Returns
    -------
    float
        From 30 on, some coefficients are hardly determined.

    References
    ----------
    .. [1] D. Belsley, E. Kuh, R. Welsch (1980). Regression Diagnostics. Wiley.

    Examples
    --------
    >>> X = pd.DataFrame({"x": np.tile([-1.0, 1.0], 20), "y": np.repeat([-1.0, 1.0], 20)})
    >>> round(condition_number(make_design(X)), 6)
    1.0
    """
    matrix = np.column_stack([np.ones(len(design.matrix)), design.matrix.to_numpy()])
    matrix = matrix / np.abs(matrix).max(axis=0)
    singular = np.linalg.svd(matrix / np.linalg.norm(matrix, axis=0), compute_uv=False)
    return float(singular[0] / singular[-1])
