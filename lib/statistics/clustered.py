"""Uncertainty where rows repeat each other: what varies is the sum over a group, not a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
FEW_GROUPS = 40  # below, errors clustered by group tend to be too small


@dataclass(frozen=True)
class ScoreTest:
    """Whether two sets of columns go together beyond chance, whole groups being independent.

    Attributes
    ----------
    statistic : float
        Of the F distribution.
    degrees : int
        Numerator degrees of freedom; the denominator has `spare`.
    spare : int
        Units less `degrees`.
    p_value : float
        NaN where groups are too few for so many columns.
    design_effect : float
        How many times the variance is that of independent rows, at least 1.
    """

    statistic: float
    degrees: int
    spare: int
    p_value: float
    design_effect: float


def owner_codes(groups: pd.Series | None) -> Codes | None:
    """Return groups as codes from 0 in order of appearance, None without groups.

    Examples
    --------
    >>> owner_codes(pd.Series(["b", "a", "b"])).tolist()
    [0, 1, 0]
    """
    return None if groups is None else pd.factorize(groups)[0].astype(np.int64)


def count_units(n_rows: int, owner: Codes | None) -> int:
    """Return how many independent units there are: groups, or rows without groups.

    Examples
    --------
    >>> count_units(3, None), count_units(3, np.array([0, 1, 0]))
    (3, 2)
    """
    return n_rows if owner is None else len(np.unique(owner))


def sum_by_owner(values: Floats, owner: Codes | None) -> Floats:
    """Return the sum of each group's rows; the rows themselves without groups.

    Parameters
    ----------
    values : array of float, shape (n,) or (n, k)
        One row each.
    owner : array of int, shape (n,), or None
        Codes of groups.

    Returns
    -------
    array of float, shape (n_groups,) or (n_groups, k)

    Examples
    --------
    >>> sum_by_owner(np.array([1.0, 2.0, 4.0]), np.array([5, 7, 5])).tolist()
    [5.0, 2.0]
    """
    if owner is None:
        return values
    _, codes = np.unique(owner, return_inverse=True)
    if values.ndim == 1:
        return np.asarray(np.bincount(codes, weights=values), dtype=np.float64)
    columns = [np.bincount(codes, weights=column) for column in values.T]
    return np.asarray(columns, dtype=np.float64).T


def influence_error(influence: Floats, owner: Codes | None) -> float:
    """Return the standard error of an estimate from what each row adds to it [1]_.

    Parameters
    ----------
    influence : array of float, shape (n,)
        By how much the estimate moves per row of weight 1/n; sums to about zero.
    owner : array of int, shape (n,), or None
        Rows of one group count as one.

    Returns
    -------
    float

    References
    ----------
    .. [1] F. Hampel (1974). The influence curve and its role in robust estimation. JASA 69:383.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> error = influence_error(x - x.mean(), None)
    >>> bool(np.isclose(error, x.std(ddof=1) / 2))
    True
    """
    sums = sum_by_owner(influence, owner)
    n_units = len(sums)
    if n_units < 2:
        return float("nan")
    return float(np.sqrt((sums**2).sum() * n_units / (n_units - 1)) / len(influence))


def score_test(first: Floats, second: Floats, owner: Codes | None) -> ScoreTest:
    """Return the robust score test of no relation between two sets of columns.

    Products of the centred columns average zero when there is no relation. Their sums over groups
    are compared with their own scatter (Hotelling's T²), which asks neither for equal spreads nor
    for independent rows, only for independent groups. One function thus serves means (a column of
    numbers and one for each class but one), ranks, and tables of counts.

    Parameters
    ----------
    first : array of float, shape (n, k)
        Linearly independent columns.
    second : array of float, shape (n, m)
        Likewise.
    owner : array of int, shape (n,), or None
        Codes of groups.

    Returns
    -------
    ScoreTest

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> person = np.repeat(np.arange(50), 4)
    >>> x, y = rng.normal(size=(2, 50))[:, person]  # each person four times
    >>> test = score_test(x[:, None], y[:, None], person)
    >>> round(test.design_effect, 1), bool(test.p_value > 0.05)
    (4.1, True)
    """
    left, right = first - first.mean(axis=0), second - second.mean(axis=0)
    products = np.concatenate([left * column[:, None] for column in right.T], axis=1)
    sums = sum_by_owner(products, owner)
    n_units, n_columns = sums.shape
    centred = sums - sums.mean(axis=0)
    scatter = centred.T @ centred * n_units / max(n_units - 1, 1)
    effect = 1.0
    if owner is not None:
        alone = products - products.mean(axis=0)
        by_rows = np.linalg.lstsq(alone.T @ alone, scatter, rcond=None)[0]
        effect = max(float(np.trace(by_rows)) / n_columns, 1.0)
    nothing = ScoreTest(np.nan, n_columns, n_units - n_columns, np.nan, effect)
    if n_units < 2 * n_columns + 2:
        return nothing
    if np.linalg.matrix_rank(scatter, hermitian=True) < n_columns:
        return nothing
    total = sums.sum(axis=0)
    hotelling = float(total @ np.linalg.solve(scatter, total))
    spare = n_units - n_columns
    statistic = hotelling * spare / (n_columns * (n_units - 1))
    p_value = float(stats.f.sf(statistic, n_columns, spare))
    return ScoreTest(statistic, n_columns, spare, p_value, effect)


def indicators(codes: Codes, n_levels: int) -> Floats:
    """Return a 0/1 column for each level but the first.

    Examples
    --------
    >>> indicators(np.array([0, 1, 2]), 3).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    return np.asarray(np.eye(n_levels, dtype=np.float64)[codes][:, 1:])


def quantile_of_t(level: float, degrees: float) -> float:
    """Return how many errors an interval reaches to each side.

    Examples
    --------
    >>> round(quantile_of_t(0.95, 9), 3)
    2.262
    """
    return float(stats.t.ppf((1 + level) / 2, max(degrees, 1)))


def join_words(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c".

    Examples
    --------
    >>> join_words(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def design_effect_of(y: pd.Series, groups: pd.Series) -> float:
    """Return how many rows are worth one, for a feature that is constant within groups [1]_.

    Parameters
    ----------
    y : Series of float, shape (n,)
        The target as numbers.
    groups : Series of shape (n,)
        What rows repeat.

    Returns
    -------
    float
        1 plus the correlation within groups times what a row's group has beside it; at least 1.

    References
    ----------
    .. [1] L. Kish (1965). Survey Sampling, section 5.4. Wiley.

    Examples
    --------
    >>> y, person = pd.Series(np.repeat(np.arange(10.0), 3)), pd.Series(np.repeat(range(10), 3))
    >>> design_effect_of(y, person)
    3.0
    """
    values, codes = y.to_numpy(dtype=float), pd.factorize(groups)[0]
    sizes = np.bincount(codes).astype(float)
    n, n_groups = float(len(values)), len(sizes)
    if n_groups < 2 or n <= n_groups or np.ptp(values) == 0:
        return 1.0
    means = np.bincount(codes, weights=values) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (n_groups - 1)
    within = float(((values - means[codes]) ** 2).sum()) / (n - n_groups)
    typical = (n - float((sizes**2).sum()) / n) / (n_groups - 1)
    likeness = (between - within) / (between + (typical - 1) * within)
    return max(1.0 + max(likeness, 0.0) * (float((sizes**2).sum()) / n - 1), 1.0)


def draw_rows(n_rows: int, owner: Codes | None, max_rows: int, random_state: int) -> Codes:
    """Return at most `max_rows` positions drawn at random in their order, whole groups if given.

    Examples
    --------
    >>> len(draw_rows(100, None, 10, 0)), len(draw_rows(100, np.arange(100) // 4, 10, 0))
    (10, 8)
    """
    if n_rows <= max_rows:
        return np.arange(n_rows)
    rng = np.random.default_rng(random_state)
    if owner is None:
        return np.asarray(np.sort(rng.choice(n_rows, max_rows, replace=False)))
    sizes = np.bincount(owner)
    drawn = rng.permutation(len(sizes))
    n_drawn = max(int((np.cumsum(sizes[drawn]) <= max_rows).sum()), 2)
    return np.flatnonzero(np.isin(owner, drawn[:n_drawn]))


def mean_above(by: Floats, of: Floats) -> Floats:
    """Return for each row the sum over n of `of` where `by` is higher, ties counting half.

    It says how far one more row would move an average over ranks.

    Parameters
    ----------
    by, of : array of float, shape (n,)
        What is ordered, and what is added up.

    Returns
    -------
    array of float, shape (n,)

    Examples
    --------
    >>> mean_above(np.array([1.0, 2.0]), np.array([4.0, 8.0])).tolist()
    [5.0, 2.0]
    """
    _, codes = np.unique(by, return_inverse=True)
    sums = np.bincount(codes, weights=of)
    above = sums.sum() - np.cumsum(sums) + sums / 2
    return np.asarray(above[codes] / len(by), dtype=np.float64)


def shuffles(
    target: Codes, owner: Codes | None, n: int, rng: np.random.Generator
) -> Iterator[Codes]:
    """Yield the target in random order; with groups, whole groups change places.

    A group takes another one's targets, in their order from a random start, repeated or cut to
    its size: rows of a group stay alike, and nothing else is kept.

    Parameters
    ----------
    target : array of int, shape (n_rows,)
        What is shuffled.
    owner : array of int, shape (n_rows,), or None
        Codes of groups.
    n : int
        Shuffles.
    rng : numpy Generator
        What draws.

    Yields
    ------
    array of int, shape (n_rows,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> [s.tolist() for s in shuffles(np.array([7, 7, 8, 8]), np.array([0, 0, 1, 1]), 2, rng)]
    [[7, 7, 8, 8], [8, 8, 7, 7]]
    """
    if owner is None:
        for _ in range(n):
            yield rng.permutation(target)
        return
    _, codes = np.unique(owner, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(codes)) - np.repeat(starts, sizes)  # of a row in its group
    for _ in range(n):
        giver = rng.permutation(len(sizes))
        first = rng.integers(sizes[giver])
        turned = (place + np.repeat(first, sizes)) % np.repeat(sizes[giver], sizes)
        shuffled = np.empty_like(target)
        shuffled[order] = target[order[np.repeat(starts[giver], sizes) + turned]]
        yield shuffled
