"""What makes the score: a 2^k experiment with main effects and interactions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from lib.config import Config
from lib.data import Dataset
from lib.design.parts import baselines_for, order_rows, score_part, take_first
from lib.errors import InputError
from lib.estimates import corrected_t_test, holm
from lib.evaluation import BETTER, PreparedFold, scorers, verdict
from lib.resampling import Folds

MODEL, ROWS, COLUMNS = "model", "rows", "columns"
LEAST_TRAINING_ROWS = 40  # below, half of them is no table any more
MOST_ROWS = 4_000  # for rank correlations of columns


@dataclass(frozen=True)
class Factor:
    """One thing that is changed, between two levels.

    Attributes
    ----------
    name : {"model", "rows", "columns"}
    low, high : str
        The levels in words; effects are high minus low.
    left_out : tuple of str
        Columns that the low level of "columns" does without.
    """

    name: str
    low: str
    high: str
    left_out: tuple[str, ...] = ()


def choose_factors(
    dataset: Dataset, folds: Folds, *, candidate: str, reference: str
) -> list[Factor]:
    """Return the factors that a table has: the model, its rows, a block of its columns.

    Parameters
    ----------
    dataset : Dataset
        Its columns.
    folds : Folds
        Their training parts say whether rows can be halved.
    candidate, reference : str
        The two models.

    Returns
    -------
    list of Factor
        One to three.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(200)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> [f.name for f in choose_factors(dataset, folds, candidate="SVM", reference="linear")]
    ['model', 'rows', 'columns']
    """
    factors = [Factor(MODEL, reference, candidate)]
    if min(len(train) for train, _ in folds) >= LEAST_TRAINING_ROWS:
        factors.append(Factor(ROWS, "half of the rows", "all rows"))
    words, block = choose_block(dataset)
    if block:
        factors.append(Factor(COLUMNS, f"without {words}", "all columns", tuple(block)))
    return factors


def tabulate_factors(factors: Sequence[Factor]) -> pd.DataFrame:
    """Return a table of the factors: factor, low, high.

    Examples
    --------
    >>> tabulate_factors([Factor("rows", "half of the rows", "all rows")])["high"].tolist()
    ['all rows']
    """
    rows = [(factor.name, factor.low, factor.high) for factor in factors]
    return pd.DataFrame(rows, columns=["factor", "low", "high"])


def choose_block(dataset: Dataset) -> tuple[str, list[str]]:
    """Return columns that belong together, at most half of them: what may be left out at once.

    Where a fifth or more of the columns hold categories, text or dates and as many hold numbers,
    the block is the smaller kind. Else it is the largest group of numbers that go together, by the
    absolute rank correlation and average linkage.

    Parameters
    ----------
    dataset : Dataset
        Its features.

    Returns
    -------
    str
        The block in words.
    list of str
        Safe names; [] when there is only one column.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(100, 3))
    >>> X = pd.DataFrame(np.column_stack([x, x[:, 0] + 0.1]), columns=list("abcd"))
    >>> choose_block(Dataset("toy", X, pd.Series(x[:, 1]), task="regression"))
    ('a, d', ['a', 'd'])
    """
    X, n_columns = dataset.X, dataset.n_features
    if n_columns < 2:
        return "", []
    numeric = [name for name in dataset.numeric if X[name].max() > X[name].min()]
    others = [name for name in X.columns if name not in set(dataset.numeric)]
    if min(len(numeric), len(others)) >= max(0.2 * n_columns, 1):
        if len(others) <= len(numeric):
            return f"the {len(others)} that are no numbers", others
        return f"the {len(numeric)} numbers", numeric
    if len(numeric) < 2:
        half = list(X.columns[: n_columns // 2])
        return _in_words(dataset, half), half
    ranks = X[numeric].iloc[:: -(-len(X) // MOST_ROWS)].rank()
    strength = np.nan_to_num(np.abs(ranks.corr().to_numpy(copy=True)))
    np.fill_diagonal(strength, 1.0)
    far = np.round(1 - np.clip((strength + strength.T) / 2, 0, 1), 9)
    tree = hierarchy.to_tree(hierarchy.linkage(squareform(far, checks=False), "average"), rd=True)
    nodes = [node for node in tree[1] if node.get_count() <= n_columns // 2]
    largest = max(nodes, key=lambda node: (node.get_count(), -node.dist))
    block = [numeric[i] for i in sorted(largest.pre_order())]
    return _in_words(dataset, block), block


def _in_words(dataset: Dataset, block: Sequence[str]) -> str:
    names = [dataset.labels.get(name, name) for name in block]
    if len(names) <= 3:
        return ", ".join(names)
    return f"{names[0]} and {len(names) - 1} columns that go with it"


def run_factorial(
    dataset: Dataset,
    folds: Folds,
    config: Config,
    factors: Sequence[Factor],
    *,
    scoring: str,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return the score of every combination of levels on every fold.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    folds : Folds
        Those of the study; test parts are whole in every cell.
    config : Config
        Of `models.baselines`.
    factors : sequence of Factor
        As `choose_factors` returns them.
    scoring : str
        What counts.
    random_state : int
        Of the half of the rows.

    Returns
    -------
    DataFrame with columns fold, score and one of bool for each factor
        True is the high level; NaN is the score of a model that could not be fitted.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(200, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    >>> factors = [Factor("model", "dummy", "linear"), Factor("rows", "half", "all")]
    >>> cells = run_factorial(dataset, folds, load_config(), factors, scoring="roc_auc")
    >>> cells.groupby("model")["score"].mean().round(1).to_dict()
    {False: 0.5, True: 0.7}
    """
    metric = scorers(dataset.task)[scoring]
    by_name = {factor.name: factor for factor in factors}
    left_out = list(by_name[COLUMNS].left_out) if COLUMNS in by_name else []
    tables = {True: dataset}
    if left_out:
        kept = [name for name in dataset.X.columns if name not in set(left_out)]
        tables[False] = replace(dataset, X=dataset.X[kept])
    shares = {True: 1.0} | ({False: 0.5} if ROWS in by_name else {})
    pairs = list(itertools.product(tables, shares))
    known = {
        (columns, rows): baselines_for(tables[columns], config, shares[rows])
        for columns, rows in pairs
    }
    cells: list[dict[str, Any]] = []
    for number, (train, test) in enumerate(folds, start=1):
        pieces = order_rows(dataset, train, random_state=random_state + number)
        parts = {True: train, False: take_first(pieces, len(train) // 2)}
        for columns, rows in pairs:
            fold = PreparedFold(tables[columns], parts[rows], test)
            for is_high, name in ((False, by_name[MODEL].low), (True, by_name[MODEL].high)):
                level = {MODEL: is_high, ROWS: rows, COLUMNS: columns}
                score = score_part(fold, known[columns, rows][name], metric)
                chosen = {factor.name: level[factor.name] for factor in factors}
                cells.append({"fold": number, **chosen, "score": score})
    return pd.DataFrame(cells)


def compute_effects(
    cells: pd.DataFrame, test_fraction: float, *, level: float = 0.95
) -> pd.DataFrame:
    """Return main effects and interactions of a 2^k experiment repeated on folds [1]_.

    An effect is the mean score at the high level minus that at the low one; an interaction is half
    the difference between a factor's effects at the two levels of another. Each is computed fold
    by fold and tested as a paired difference (Nadeau-Bengio), with Holm's correction over all.

    Parameters
    ----------
    cells : DataFrame with columns fold, score and one of bool for each factor
        Every combination once a fold. Folds with a missing score are left out.
    test_fraction : float
        Share of rows that a fold tests on.
    level : float
        Of the intervals; one minus it is the level of the tests.

    Returns
    -------
    DataFrame with columns effect, order, estimate, p, verdict
        Main effects (order 1) first; `effect` joins factors by " × ", `p` is adjusted, `verdict`
        is "raises the score", "lowers the score" or "not distinguishable from none". Empty when no
        fold has all scores.

    Raises
    ------
    InputError
        When a combination is missing or there twice.

    References
    ----------
    .. [1] G. Box, J. Hunter, W. Hunter (2005). Statistics for Experimenters, chapter 5. Wiley.

    Examples
    --------
    >>> rows = [
    ...     {"fold": f, "a": a, "b": b, "score": 0.1 * a + 0.04 * (a and b) + 0.001 * f * a}
    ...     for f in range(5) for a in (False, True) for b in (False, True)
    ... ]
    >>> effects = compute_effects(pd.DataFrame(rows), 0.2)
    >>> {row.effect: round(row.estimate.value, 3) for row in effects.itertuples()}
    {'a': 0.122, 'b': 0.02, 'a × b': 0.02}
    """
    names = [str(column) for column in cells.columns if column not in {"fold", "score"}]
    n_cells = cells["fold"].nunique() * 2 ** len(names)
    if len(cells) != n_cells or cells.duplicated(["fold", *names]).any():
        msg = f"A 2^{len(names)} experiment needs every combination once a fold, {n_cells} cells;"
        raise InputError(f"{msg} got {len(cells)}.")
    cells = cells[cells.groupby("fold")["score"].transform(lambda s: s.notna().all())]
    if cells.empty:
        return pd.DataFrame(columns=["effect", "order", "estimate", "p", "verdict"], dtype=object)
    signs = cells[names].to_numpy(dtype=float) * 2 - 1
    subsets = [
        list(chosen)
        for order in range(1, len(names) + 1)
        for chosen in itertools.combinations(range(len(names)), order)
    ]
    tests = []
    for chosen in subsets:
        contrast = cells["score"] * signs[:, chosen].prod(axis=1)
        by_fold = contrast.groupby(cells["fold"]).sum() / 2 ** (len(names) - 1)
        tests.append(corrected_t_test(by_fold.to_numpy(), test_fraction, level=level))
    adjusted = holm([test.p_value for test in tests])
    words = {BETTER: "raises the score", "worse": "lowers the score"}
    rows = [
        (
            " × ".join(names[i] for i in chosen),
            len(chosen),
            test.difference,
            p,
            words.get(verdict(test, p_value=p, level=level), "not distinguishable from none"),
        )
        for chosen, test, p in zip(subsets, tests, adjusted, strict=True)
    ]
    return pd.DataFrame(rows, columns=["effect", "order", "estimate", "p", "verdict"])


def keep_clear(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the effects that are beyond chance.

    Parameters
    ----------
    effects : DataFrame
        As `compute_effects` returns it.

    Returns
    -------
    DataFrame
        Those that raise or lower the score.

    Examples
    --------
    >>> verdicts = ["raises the score", "not distinguishable"]
    >>> table = pd.DataFrame({"effect": ["rows", "columns"], "verdict": verdicts})
    >>> keep_clear(table)["effect"].tolist()
    ['rows']
    """
    return effects[effects["verdict"].str.endswith("the score")]
