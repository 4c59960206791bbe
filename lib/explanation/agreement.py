"""Whether ways to rank columns agree, and a ranking survives another fold or another seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from lib.errors import InputError
from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModels
from lib.explanation.shapley import explain

QUOTE, UNSTABLE, OUTSIDE = "quote", "unstable, do not quote", "not among the top"
SURE, RARE, EACH = 0.8, 0.2, 0.5  # shares of rankings: in the top, out of it, of each method
N_EXPLAINED = 400  # rows a model, for rankings by contributions
Rankings = Mapping[str, pd.DataFrame]


def choose_top(n_columns: int) -> int:
    """Return how many columns count as the top of a ranking: five, or half of a few.

    Examples
    --------
    >>> [choose_top(n) for n in (1, 4, 30)]
    [1, 2, 5]
    """
    return int(np.clip(n_columns // 2, 1, 5))


def rank_builtin(models: FoldModels, kind: str) -> pd.DataFrame:
    """Return the models' own importances: index (fold, seed), one column a column of the table.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.
    kind : str
        "gain", "splits", "coefficient" or "impurity", whichever the model has.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        When the model has no such importance.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds, make_rounds
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> rank_builtin(fitted, "coefficient").idxmax(axis=1).unique().tolist()
    ['signal_1']
    """
    known = list(models.any_model.builtin)
    if kind not in known:
        msg = f"The model has no importance '{kind}'; it has {', '.join(known) or 'none'}."
        raise InputError(msg)
    rows = [one.model.builtin[kind] for one in models.models]
    return pd.DataFrame(rows, index=_index(models), columns=models.columns)


def rank_contributions(models: FoldModels, *, max_rows: int = N_EXPLAINED) -> pd.DataFrame:
    """Return mean sizes of contributions by fold and seed, each on rows not trained on.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.
    max_rows : int
        Rows of each fold, evenly spaced.

    Returns
    -------
    DataFrame
        Index (fold, seed), one column a column of the table.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds, make_rounds
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> rank_contributions(fitted).idxmax(axis=1).unique().tolist()
    ['signal_1']
    """
    rows = []
    for one in models.models:
        n_rows = min(max_rows, len(one.test))
        places = np.unique(np.linspace(0, len(one.test) - 1, n_rows).round().astype(np.intp))
        X = models.dataset.X.iloc[one.test[places]]
        rows.append(explain(one.model, X, matrix=one.matrix[places]).importance())
    return pd.DataFrame(rows, index=_index(models), columns=models.columns)


def _index(models: FoldModels) -> pd.MultiIndex:
    keys = [(one.fold, one.seed) for one in models.models]
    return pd.MultiIndex.from_tuples(keys, names=["fold", "seed"])


def compare_methods(rankings: Rankings, *, n_top: int) -> pd.DataFrame:
    """Return how far every two methods agree on the same fold and seed.

    Parameters
    ----------
    rankings : mapping of str to DataFrame
        By method: importances with index (fold, seed), one column a column of the table.
    n_top : int
        From `choose_top`.

    Returns
    -------
    DataFrame
        first, second, rank_correlation (Spearman's, mean over rankings), lowest and highest,
        shared_top (mean share of the `n_top` that both name), rankings (how many were compared).
        A method with itself compares every two of its folds and seeds.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([(1, 0), (2, 0)], names=["fold", "seed"])
    >>> one = pd.DataFrame([[3.0, 2, 1], [3, 1, 2]], index=index, columns=list("abc"))
    >>> table = compare_methods({"A": one, "B": one}, n_top=1)
    >>> table[["first", "second", "rank_correlation", "shared_top"]].values.tolist()
    [['A', 'A', 0.5, 1.0], ['A', 'B', 1.0, 1.0], ['B', 'B', 0.5, 1.0]]
    """
    rows = []
    names = list(rankings)
    for i, first in enumerate(names):
        for second in names[i:]:
            a, b = rankings[first], rankings[second]
            if first == second:
                pairs = [(a.loc[x], a.loc[y]) for x, y in combinations(a.index, 2)]
            else:
                pairs = [(a.loc[key], b.loc[key]) for key in a.index if key in b.index]
            correlations = [_spearman(x, y) for x, y in pairs]
            known = [r for r in correlations if np.isfinite(r)]
            shared = [len(_top(x, n_top) & _top(y, n_top)) / n_top for x, y in pairs]
            rows.append(
                (
                    first,
                    second,
                    float(np.mean(known)) if known else np.nan,
                    min(known, default=np.nan),
                    max(known, default=np.nan),
                    float(np.mean(shared)) if shared else np.nan,
                    len(pairs),
                )
            )
    columns = ["first", "second", "rank_correlation", "lowest", "highest", "shared_top", "rankings"]
    return pd.DataFrame(rows, columns=columns)


def _spearman(x: pd.Series, y: pd.Series) -> float:
    a, b = _ranks(x), _ranks(y)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(importance: pd.Series) -> Floats:
    """Return ranks from 1, the most important; ties, to the ninth digit, share a mean rank."""
    values = importance.to_numpy(dtype=float)
    scale = float(np.abs(values).max(initial=0.0)) or 1.0
    ranks: Floats = pd.Series(-np.round(values / scale, 9)).rank().to_numpy()
    return ranks


def _top(importance: pd.Series, n_top: int) -> set[int]:
    """Return the positions of the top columns; a column without importance is never one."""
    values = importance.to_numpy(dtype=float)
    order = np.argsort(_ranks(importance), kind="stable")[:n_top]
    return {int(i) for i in order if values[i] > 0}


def judge_columns(rankings: Rankings, names: Sequence[str], *, n_top: int) -> pd.DataFrame:
    """Return which columns may be called one of the most important, by a rule fixed beforehand.

    A column may be quoted when it is among the `n_top` in at least 80 % of all rankings (methods,
    folds and seeds, every method counting alike) and in at least half of each method's. In less
    than 20 % it is not among the top. What lies between depends on whom one asks: do not quote.

    Parameters
    ----------
    rankings : mapping of str to DataFrame
        By method, all of the same model: index (fold, seed), one column a column of the table.
    names : sequence of str
        Own names of the columns.
    n_top : int
        From `choose_top`.

    Returns
    -------
    DataFrame
        Best first: column, one median rank a method (named after it), best_rank and worst_rank
        (over all rankings), in_top (share of rankings), verdict ("quote", "unstable, do not
        quote", "not among the top"), position.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([(1, 0), (2, 0)], names=["fold", "seed"])
    >>> one = pd.DataFrame([[3.0, 2, 1], [3, 1, 2]], index=index, columns=list("abc"))
    >>> judge_columns({"SHAP": one}, list("abc"), n_top=1)[["column", "verdict"]].values.tolist()
    [['a', 'quote'], ['b', 'not among the top'], ['c', 'not among the top']]
    """
    ranks = {m: np.array([_ranks(row) for _, row in t.iterrows()]) for m, t in rankings.items()}
    in_top = {
        method: np.array(
            [[i in top for i in range(len(names))] for top in _tops(table, n_top)]
        ).mean(axis=0)
        for method, table in rankings.items()
    }
    shares = np.array(list(in_top.values()))  # (methods, columns)
    overall, least = shares.mean(axis=0), shares.min(axis=0)
    everything = np.concatenate(list(ranks.values()))
    table = pd.DataFrame({"column": list(names)})
    for method, values in ranks.items():
        table[method] = np.median(values, axis=0)
    table["best_rank"], table["worst_rank"] = everything.min(axis=0), everything.max(axis=0)
    table["in_top"] = overall
    table["verdict"] = np.where(
        (overall >= SURE) & (least >= EACH), QUOTE, np.where(overall < RARE, OUTSIDE, UNSTABLE)
    )
    table["position"] = np.arange(len(names))
    middle = np.mean([np.median(values, axis=0) for values in ranks.values()], axis=0)
    order = np.lexsort((np.arange(len(names)), middle.round(6), -overall.round(6)))
    return table.iloc[order].reset_index(drop=True)


def _tops(table: pd.DataFrame, n_top: int) -> list[set[int]]:
    return [_top(row, n_top) for _, row in table.iterrows()]
