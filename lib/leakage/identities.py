"""Arithmetic that gives the target away: one column rescaled, or a few added or multiplied."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MAX_PAIRED = 40  # columns of which all pairs are tried
MAX_ROWS = 5_000
N_TRIPLES = 24
EXACT = 1e-6  # of the target's spread: rounding
HOLDS = 0.6  # share of rows in which an identity of a fine-grained target must hold
HOLDS_COARSE = 0.95
SEPARATES = 0.9999


@dataclass(frozen=True)
class Identity:
    """An equation between the target and columns.

    Attributes
    ----------
    columns : tuple of int
    coefficients : tuple of float
        Factors, or exponents of a product.
    constant : float
    kind : {"sum", "product", "threshold"}
    share : float
        Of the rows in which it holds.
    rows : ndarray of int
        Some of those rows.
    """

    columns: tuple[int, ...]
    coefficients: tuple[float, ...]
    constant: float
    kind: str
    share: float
    rows: Codes = field(repr=False, compare=False)

    def formula(self, target: str, names: list[str]) -> str:
        """Return the equation in words.

        Examples
        --------
        >>> Identity((0, 1), (1.0, -2.0), 0.0, "sum", 1.0, np.arange(3)).formula("y", ["a", "b"])
        'y = a - 2 × b'
        """
        if self.kind == "product":
            factors = [_power(n, c) for n, c in zip(names, self.coefficients, strict=True)]
            scale = [] if abs(self.constant - 1) < 1e-6 else [f"{self.constant:.6g}"]
            return f"{target} = {' × '.join([*scale, *factors])}"
        terms = "".join(_term(n, c) for n, c in zip(names, self.coefficients, strict=True))
        terms = terms.removeprefix(" + ")
        if self.kind == "threshold":
            return f"the classes of {target} are told apart by {terms}"
        added = "" if abs(self.constant) < 1e-6 else f" {'+-'[self.constant < 0]} "
        added += "" if not added else f"{abs(self.constant):.6g}"
        return f"{target} = {terms}{added}"


def _term(name: str, factor: float) -> str:
    sign = " - " if factor < 0 else " + "
    size = "" if abs(abs(factor) - 1) < 1e-6 else f"{abs(factor):.6g} × "
    return f"{sign}{size}{name}"


def _power(name: str, exponent: float) -> str:
    return name if abs(exponent - 1) < 1e-6 else f"{name}^{exponent:.3g}"


def share_copied(x: Floats, y: Floats) -> tuple[float, Codes, str]:
    """Return in which share of rows x = a y + b, for the line that most rows agree on.

    Rows of the most frequent target are left out.

    Parameters
    ----------
    x, y : arrays of float, shape (n,)
        A feature, and the target.

    Returns
    -------
    share : float
    rows : array of int
        Where it holds.
    words : str
        Such as "2.54 × the target + 1".

    Examples
    --------
    >>> y = np.arange(100.0) ** 2
    >>> share, _, words = share_copied(3 * y + 1, y)
    >>> share, words
    (1.0, '3 × the target + 1')
    """
    rng = np.random.default_rng(0)
    known = np.flatnonzero(np.isfinite(x))
    if len(known) < 10:
        return 0.0, known, ""
    first, second = rng.choice(known, 60), rng.choice(known, 60)
    use = (x[first] != x[second]) & (y[first] != y[second])
    slopes = (x[second] - x[first])[use] / (y[second] - y[first])[use]
    lines = [(1.0, 0.0), *zip(slopes, x[first][use] - slopes * y[first][use], strict=True)]
    some = known if len(known) <= MAX_ROWS else np.sort(rng.choice(known, MAX_ROWS, replace=False))
    spread = float(np.std(x[some])) or 1.0
    best = max(lines, key=lambda ab: _n_close(x[some], ab[0] * y[some] + ab[1], spread))
    slope, shift = float(best[0]), float(best[1])
    holds = np.abs(x - slope * y - shift) <= EXACT * spread
    levels, counts = np.unique(y, return_counts=True)
    usual = y == levels[int(counts.argmax())]  # zeros meet zeros by chance
    holds &= ~usual
    words = "the target" if abs(slope - 1) < 1e-9 else f"{slope:.6g} × the target"
    if abs(shift) > EXACT * spread:
        words += f" {'-' if shift < 0 else '+'} {abs(shift):.6g}"
    return float(holds.sum() / max((~usual).sum(), 1)), np.flatnonzero(holds), words


def _n_close(x: Floats, line: Floats, spread: float) -> int:
    return int((np.abs(x - line) <= EXACT * spread).sum())


def find_identity(X: Floats, y: Floats, *, is_numeric: bool, few: bool = False) -> Identity | None:
    """Return an equation that gives the target from two to four columns, or None.

    Parameters
    ----------
    X : array of float, shape (n, p)
        Columns that do not give the target away alone.
    y : array of float, shape (n,)
        The target: numbers, or codes of two classes.
    is_numeric : bool
        Whether `y` holds numbers.
    few : bool
        Whether they are so few that rows fit by chance.

    Returns
    -------
    Identity or None

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> find_identity(X, X[:, 0] - 2 * X[:, 2], is_numeric=True).columns
    (0, 2)
    """
    known = np.flatnonzero(np.isfinite(X).all(axis=1))
    if len(known) < max(50, 0.5 * len(y)):
        known = np.arange(len(y))
        X = np.where(np.isfinite(X), X, np.nanmedian(np.where(np.isfinite(X), X, np.nan), axis=0))
    rng = np.random.default_rng(0)
    rows = known if len(known) <= MAX_ROWS else np.sort(rng.choice(known, MAX_ROWS, replace=False))
    Xs, ys = X[rows], y[rows]
    found = _linear(Xs, ys, rows)
    if not is_numeric:
        return found or (_separating(Xs, ys, rows) if len(np.unique(ys)) == 2 else None)
    found = found or _product(Xs, ys, rows)
    return found or _mostly(Xs, ys, rows, HOLDS_COARSE if few else HOLDS)


def _linear(X: Floats, y: Floats, rows: Codes) -> Identity | None:
    """Return an exact linear equation: all columns but those that can be left out."""
    spread, (n_rows, n_columns) = float(np.std(y)), X.shape
    if spread == 0 or n_rows < 3 * n_columns or not _is_exact(X, y, spread):
        return None
    chosen = list(range(n_columns))
    for j in range(n_columns):
        fewer = [k for k in chosen if k != j]
        if fewer and _is_exact(X[:, fewer], y, spread):
            chosen = fewer
    residual, beta = _residual(X[:, chosen], y)
    holds = np.abs(residual) <= EXACT * spread
    terms = tuple(float(b) for b in beta[1:])
    share = float(holds.mean())
    return Identity(tuple(chosen), terms, float(beta[0]), "sum", share, rows[holds])


def _is_exact(X: Floats, y: Floats, spread: float) -> bool:
    return bool((np.abs(_residual(X, y)[0]) <= EXACT * spread).mean() > 0.99)


def _residual(X: Floats, y: Floats) -> tuple[Floats, Floats]:
    design = np.column_stack([np.ones(len(y)), X])
    scale = np.maximum(np.abs(design).max(axis=0), 1e-300)
    beta = np.linalg.lstsq(design / scale, y, rcond=None)[0] / scale
    return y - design @ beta, beta


def _product(X: Floats, y: Floats, rows: Codes) -> Identity | None:
    """Return an exact product or quotient: a linear equation of logarithms."""
    positive = [j for j in range(X.shape[1]) if (X[:, j] > 0).mean() > 0.8]
    use = (y > 0) & (X[:, positive] > 0).all(axis=1)
    if len(positive) < 2 or use.sum() < max(50, 0.5 * len(y)):
        return None
    found = _linear(np.log(X[use][:, positive]), np.log(y[use]), rows[use])
    if found is None:
        return None
    columns = tuple(positive[j] for j in found.columns)
    factor = float(np.exp(found.constant))
    return Identity(columns, found.coefficients, factor, "product", found.share, found.rows)


def _mostly(X: Floats, y: Floats, rows: Codes, threshold: float) -> Identity | None:
    """Return a linear equation of two columns that holds in most rows, by consensus of triples."""
    p = min(X.shape[1], MAX_PAIRED)
    rng = np.random.default_rng(1)
    some = rng.permutation(len(y))[:400]
    triples = rng.integers(len(y), size=(N_TRIPLES, 3))
    spread = float(np.std(y)) or 1.0
    best: tuple[float, int, int] = (0.0, 0, 0)
    for i, j in itertools.combinations(range(p), 2):
        beta = _solve(X[:, [i, j]], y, triples)
        if len(beta) == 0:
            continue
        fitted = beta[:, :1] + beta[:, 1:2] * X[some, i] + beta[:, 2:] * X[some, j]
        share = float((np.abs(fitted - y[some]) <= 1e-5 * spread).mean(axis=1).max())
        best = max(best, (share, i, j))
    if best[0] < threshold:
        return None
    share, i, j = best
    beta = _solve(X[:, [i, j]], y, triples)
    fitted = beta[:, :1] + beta[:, 1:2] * X[:, i] + beta[:, 2:] * X[:, j]
    holds = np.abs(fitted - y) <= 1e-5 * spread
    top = int(holds.mean(axis=1).argmax())
    terms = tuple(round(float(b), 9) for b in beta[top, 1:])
    if 0 in terms:
        return None  # one column alone, which other checks judge
    constant, kept = float(beta[top, 0]), rows[holds[top]]
    return Identity((i, j), terms, constant, "sum", float(holds[top].mean()), kept)


def _solve(X: Floats, y: Floats, triples: npt.NDArray[np.int64]) -> Floats:
    systems = np.concatenate([np.ones((*triples.shape, 1)), X[triples]], axis=2)
    scale = np.maximum(np.abs(X).max(axis=0).prod(), 1e-300)
    solvable = np.abs(np.linalg.det(systems)) > 1e-9 * scale
    if not solvable.any():
        return np.zeros((0, 3))
    return np.asarray(np.linalg.solve(systems[solvable], y[triples[solvable]][:, :, None])[:, :, 0])


def _separating(X: Floats, y: Floats, rows: Codes) -> Identity | None:
    """Return two columns whose sum or difference separates two classes that neither does alone."""
    p, n_some = min(X.shape[1], MAX_PAIRED), min(len(y), 1_500)
    some = np.random.default_rng(2).permutation(len(y))[:n_some]
    for i, j in itertools.combinations(range(p), 2):
        for sign in (1.0, -1.0):
            if _separation(X[some, i] + sign * X[some, j], y[some]) < SEPARATES:
                continue
            alone = max(_separation(X[:, i], y), _separation(X[:, j], y))
            if alone < 0.99 and _separation(X[:, i] + sign * X[:, j], y) >= SEPARATES:
                return Identity((i, j), (1.0, sign), 0.0, "threshold", 1.0, rows)
    return None


def _separation(x: Floats, y: Floats) -> float:
    """Return the area under the ROC curve, whichever way it points; ties do not separate."""
    order = np.argsort(x, kind="stable")
    values, labels = x[order], y[order]
    starts = np.r_[0, np.flatnonzero(np.diff(values)) + 1]
    sizes = np.diff(np.r_[starts, len(x)])
    middle = np.repeat(starts + (sizes + 1) / 2, sizes)
    n_one = float(labels.sum())
    n_zero = len(y) - n_one
    area = (float(middle[labels == 1].sum()) - n_one * (n_one + 1) / 2) / (n_one * n_zero)
    return max(area, 1 - area)
