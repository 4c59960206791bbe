"""Several tables: average ranks, and which differences between them are more than luck."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lib.comparison.posterior import Posterior, signed_rank
from lib.errors import InputError

MIN_TABLES, MIN_MODELS = 3, 3


@dataclass(frozen=True)
class RankTest:
    """Average ranks over tables with the tests of "all alike".

    Attributes
    ----------
    ranks : Series
        Average rank by model, 1 is the best; sorted.
    n_tables : int
    chi2, p_chi2 : float
        Friedman's statistic and its p-value.
    f, p_f : float
        Iman and Davenport's F, less conservative, and its p-value.
    difference : float
        Nemenyi's critical difference: average ranks further apart differ.
    level : float
        One minus it is the level of the critical difference.
    """

    ranks: pd.Series
    n_tables: int
    chi2: float
    p_chi2: float
    f: float
    p_f: float
    difference: float
    level: float


def rank_over_tables(
    values: pd.DataFrame, *, level: float = 0.95, correct_ties: bool = True
) -> RankTest:
    """Return average ranks with Friedman's test and Nemenyi's critical difference [1]_.

    Parameters
    ----------
    values : DataFrame of shape (n_tables, n_models)
        Scores, higher is better; only their order inside a table counts, so metrics may differ
        from table to table.
    level : float
        One minus it is the level of the critical difference.
    correct_ties : bool
        Whether the statistic allows for ties, which Demšar's example does not.

    Returns
    -------
    RankTest

    Raises
    ------
    InputError
        With fewer than three tables or three models, or a missing score.

    References
    ----------
    .. [1] J. Demšar (2006). Statistical comparisons of classifiers over multiple data sets.
       JMLR 7:1.

    Examples
    --------
    >>> values = pd.DataFrame({"a": [3, 9, 5, 7], "b": [2, 8, 4, 6], "c": [1, 1, 1, 1]})
    >>> test = rank_over_tables(values)
    >>> test.ranks.to_dict(), test.chi2
    ({'a': 1.0, 'b': 2.0, 'c': 3.0}, 8.0)
    """
    n_tables, n_models = values.shape
    if n_tables < MIN_TABLES or n_models < MIN_MODELS or values.isna().to_numpy().any():
        msg = (
            f"Ranks over tables need at least {MIN_TABLES} tables and {MIN_MODELS} models with a "
            f"score on each; got {n_tables} tables and {n_models} models."
        )
        raise InputError(msg)
    means = values.rank(axis=1, ascending=False).mean()
    if correct_ties:
        is_flat = bool(values.eq(values.iloc[:, 0], axis=0).to_numpy().all())
        chi2 = 0.0 if is_flat else float(stats.friedmanchisquare(*values.to_numpy().T).statistic)
    else:
        squares = float((means**2).sum()) - n_models * (n_models + 1) ** 2 / 4
        chi2 = 12 * n_tables / (n_models * (n_models + 1)) * squares
    freedom = n_models - 1
    rest = n_tables * freedom - chi2
    f = (n_tables - 1) * chi2 / rest if rest > 1e-9 else math.inf
    return RankTest(
        ranks=means.sort_values(kind="stable"),
        n_tables=n_tables,
        chi2=chi2,
        p_chi2=float(stats.chi2.sf(chi2, freedom)),
        f=f,
        p_f=float(stats.f.sf(f, freedom, freedom * (n_tables - 1))),
        difference=critical_difference(n_models, n_tables, level=level),
        level=level,
    )


def critical_value(n_models: int, *, level: float = 0.95) -> float:
    """Return Nemenyi's critical value: that of the studentised range, divided by root two.

    Examples
    --------
    >>> round(critical_value(4), 3)
    2.569
    """
    return float(stats.studentized_range.ppf(level, n_models, np.inf)) / math.sqrt(2)


def critical_difference(n_models: int, n_tables: int, *, level: float = 0.95) -> float:
    """Return by how much two average ranks must differ to differ by more than luck.

    Examples
    --------
    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    scale = math.sqrt(n_models * (n_models + 1) / (6 * n_tables))
    return critical_value(n_models, level=level) * scale


def find_groups(ranks: pd.Series, difference: float) -> list[tuple[str, ...]]:
    """Return the longest runs of models whose average ranks lie within a critical difference.

    Parameters
    ----------
    ranks : Series
        By model, sorted.
    difference : float
        From `critical_difference`.

    Returns
    -------
    list of tuple of str
        Groups of two and more; models that stand in one of them are not told apart.

    Examples
    --------
    >>> find_groups(pd.Series({"a": 1.0, "b": 1.5, "c": 2.4, "d": 4.0}), 1.0)
    [('a', 'b'), ('b', 'c')]
    """
    values, names = ranks.to_numpy(dtype=float), [str(name) for name in ranks.index]
    groups: list[tuple[str, ...]] = []
    reached = 0
    for start, value in enumerate(values):
        end = int(np.searchsorted(values, value + difference, side="right"))
        if end - start > 1 and end > reached:
            groups.append(tuple(names[start:end]))
        reached = max(reached, end)
    return groups


def compare_over_tables(
    values: pd.DataFrame, effects: pd.Series, *, random_state: int = 0
) -> pd.DataFrame:
    """Return the leader against every other model by the Bayesian signed-rank test.

    Parameters
    ----------
    values : DataFrame of shape (n_tables, n_models)
        Scores, higher is better.
    effects : Series
        Smallest effect that matters on each table, in the unit of its metric: differences are
        divided by it, so that tables with different metrics add up.
    random_state : int
        Seed of the posterior's draws.

    Returns
    -------
    DataFrame
        The leader is the model of the best average rank. model, lead (median of the leader's
        differences, in smallest effects), worse, equivalent, better (probabilities for the
        leader), in_practice (in words, for the leader).

    Examples
    --------
    >>> values = pd.DataFrame({"a": [0.8, 0.9, 0.7], "b": [0.6, 0.7, 0.5]}, index=list("xyz"))
    >>> compare_over_tables(values, pd.Series(0.01, index=list("xyz")))["model"].tolist()
    ['b']
    """
    means = values.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    leader = means.index[0]
    rows = []
    for name in means.index[1:]:
        leads = ((values[leader] - values[name]) / effects).to_numpy(dtype=float)
        found: Posterior = signed_rank(leads, rope=1.0, random_state=random_state)
        shares = (found.worse, found.equivalent, found.better)
        rows.append((str(name), float(np.median(leads)), *shares, found.in_words()))
    columns = ["model", "lead", "worse", "equivalent", "better", "in_practice"]
    return pd.DataFrame(rows, columns=columns)
