"""Features ranked inside the fold by four methods, whole features at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.features.screening import (
    MAX_ROWS,
    Codes,
    Floats,
    code_column,
    draw,
    standardise,
    target_matrix,
)

ALPHA = 0.05
N_SHUFFLES = 7
N_TREES = 16
BEYOND = 2.0  # standard deviations of the importance on shuffled targets
MAX_FOREST_ROWS = 2_000
N_TARGET_BINS = 5
N_PENALTIES = 60
DROPPED = 0.1  # of the features, in one step of the recursive elimination
PENALTY = 0.1  # of its ridge, as a share of the rows


def rank_features(
    linear: pd.DataFrame,
    tree: pd.DataFrame,
    y: npt.NDArray[Any],
    *,
    owners: Mapping[str, Mapping[str, str]],
    method: str,
    task: str,
    random_state: int = 0,
) -> tuple[str, ...]:
    """Return the features that a method would keep, the best first.

    A feature is kept or dropped as a whole, whatever the number of columns that a model sees of
    it: the levels of a category stay together.

    Parameters
    ----------
    linear, tree : DataFrame of shape (n_rows, n_columns)
        Training rows in the form of each kind of model.
    y : ndarray of shape (n_rows,)
        Codes of classes, or numbers.
    owners : mapping of {"linear", "tree"} to mapping of str to str
        The feature that each column belongs to.
    method : {"mutual information", "L1", "null importance", "recursive"}
        "mutual information" of each feature alone with the target, beyond what chance gives;
        "L1": order in which features enter a lasso [1]_, up to the penalty that noise alone would
        pass; "null importance": importance in a forest against that on shuffled targets [2]_;
        "recursive": a ridge whose weakest features leave a tenth at a time [3]_, down to the size
        with the best Bayesian information criterion.
    task : {"binary", "multiclass", "regression"}
        What `y` holds.
    random_state : int
        Seed of draws, forests and shuffles.

    Returns
    -------
    tuple of str
        At least one feature: where a method finds none, its least bad.

    References
    ----------
    .. [1] R. Tibshirani (1996). Regression shrinkage and selection via the lasso. JRSS B 58:267.
    .. [2] A. Altmann, L. Tolosi, O. Sander, T. Lengauer (2010). Permutation importance: a
       corrected feature importance measure. Bioinformatics 26:1340.
    .. [3] I. Guyon, J. Weston, S. Barnhill, V. Vapnik (2002). Gene selection for cancer
       classification using support vector machines. Machine Learning 46:389.
    """
    rows = draw(len(y), MAX_ROWS, random_state)
    kind = "linear" if method in {"L1", "recursive"} else "tree"
    table = (linear if kind == "linear" else tree).iloc[rows]
    target = target_matrix(y, task)[rows]
    names = list(dict.fromkeys(owners[kind][str(column)] for column in table))
    codes = {name: code for code, name in enumerate(names)}
    of = np.array([codes[owners[kind][str(column)]] for column in table], dtype=np.intp)
    looked = _Looked(table, of, np.asarray(y)[rows], target, task, random_state)
    rank: dict[str, Callable[[_Looked], list[int]]] = {
        "mutual information": _by_information,
        "L1": _by_lasso,
        "null importance": _by_null_importance,
        "recursive": _by_elimination,
    }
    order = rank[method](looked)
    return tuple(names[i] for i in order)


@dataclass(frozen=True)
class _Looked:
    """The rows that a method looks at: columns, the feature of each, the target in two forms."""

    table: pd.DataFrame
    of: Codes
    y: npt.NDArray[Any]
    target: Floats
    task: str
    seed: int

    @property
    def n_features(self) -> int:
        return int(self.of.max(initial=0)) + 1


def _by_information(looked: _Looked) -> list[int]:
    """Rank by mutual information beyond chance; keep what a G-test finds."""
    table, of, n_features = looked.table, looked.of, looked.n_features
    is_number = looked.task == "regression"
    answer = code_column(pd.Series(looked.y, dtype=float), N_TARGET_BINS) if is_number else looked.y
    answer = np.unique(answer, return_inverse=True)[1]
    n_answers = int(answer.max(initial=0)) + 1
    excess, p_values = np.full(n_features, -np.inf), np.ones(n_features)
    for i, column in enumerate(table):
        codes = code_column(table[column])
        n_cells = (int(codes.max(initial=0)) + 1) * n_answers
        joint = np.bincount(codes * n_answers + answer, minlength=n_cells).reshape(-1, n_answers)
        expected = np.outer(joint.sum(axis=1), joint.sum(axis=0)) / joint.sum()
        seen = joint > 0
        g = 2 * float((joint[seen] * np.log(joint[seen] / expected[seen])).sum())
        freedom = (len(joint) - 1) * (n_answers - 1)
        if freedom > 0 and g - freedom > excess[of[i]]:
            excess[of[i]] = g - freedom
            p_values[of[i]] = float(stats.chi2.sf(g, freedom))
    order = np.argsort(-excess, kind="stable")
    return _at_least_one(order, p_values[order] < ALPHA)


def _by_lasso(looked: _Looked) -> list[int]:
    """Rank by the penalty at which a feature enters; keep what enters above the noise."""
    from sklearn.linear_model import lasso_path  # noqa: PLC0415 - beside its use

    of = looked.of
    X = standardise(looked.table.to_numpy(dtype=float))
    X -= X.mean(axis=0)
    entry = np.zeros(looked.n_features)
    gram = X.T @ X
    for column in standardise(looked.target).T:
        centred = column - column.mean()
        noise = _noise(X, gram, centred) * np.sqrt(2 * np.log(max(X.shape[1], 2)) / len(X))
        highest = float(np.abs(X.T @ centred).max(initial=0.0)) / len(X)
        if highest <= 0:
            continue
        penalties = np.geomspace(
            highest, max(min(noise, 0.9 * highest), 1e-3 * highest), N_PENALTIES
        )
        _, weights, _ = lasso_path(
            X,
            centred,
            alphas=penalties,
            precompute=gram,
            tol=1e-3,
            max_iter=2_000,
            random_state=0,  # coordinates go round in order, and yet it draws a number
        )
        enters = np.abs(weights) > 0
        first = np.where(enters.any(axis=1), penalties[enters.argmax(axis=1)], 0.0) / noise
        np.maximum.at(entry, of, first)
    order = np.argsort(-entry, kind="stable")
    return _at_least_one(order, entry[order] >= 1)


def _by_null_importance(looked: _Looked) -> list[int]:
    """Rank by how far importance is above that on shuffled targets; keep what beats them all."""
    from sklearn.ensemble import ExtraTreesRegressor  # noqa: PLC0415 - beside its use

    of, n_features = looked.of, looked.n_features
    rows = draw(len(looked.y), MAX_FOREST_ROWS, looked.seed)
    table, target = looked.table.iloc[rows], looked.target[rows]
    rng = np.random.default_rng(looked.seed)
    columns = [code_or_number(table[column]) for column in table]
    X = np.column_stack(columns).astype(np.float32)

    def importance(target: Floats) -> Floats:
        forest = ExtraTreesRegressor(
            N_TREES,
            max_depth=6,
            min_samples_leaf=max(3, len(X) // 200),
            max_features=1 / 3,
            random_state=int(rng.integers(2**31)),
        )
        found = forest.fit(X, target.squeeze() if target.shape[1] == 1 else target)
        # in units of the target, not as shares: beside a strong column a true one has a smaller
        # share than any column has where nothing is to find
        gains = [tree.tree_.compute_feature_importances(normalize=False) for tree in found]
        sums = np.bincount(of, np.mean(gains, axis=0), minlength=n_features)
        return np.asarray(sums, dtype=float)

    real = importance(target)
    null = np.array([importance(target[rng.permutation(len(X))]) for _ in range(N_SHUFFLES)])
    spread = np.maximum(null.std(axis=0, ddof=1), 1e-9)
    excess = real - null.mean(axis=0)
    order = np.argsort(-excess, kind="stable")
    return _at_least_one(order, (excess / spread)[order] > BEYOND)


def _by_elimination(looked: _Looked) -> list[int]:
    """Rank by when a feature leaves a ridge whose weakest features leave first; keep by BIC."""
    of = looked.of
    X, Y = standardise(looked.table.to_numpy(dtype=float)), standardise(looked.target)
    Y -= Y.mean(axis=0)
    links, totals, penalty = X.T @ Y, (Y**2).sum(axis=0), PENALTY * len(X)
    inverse: Floats = np.asarray(np.linalg.inv(X.T @ X + penalty * np.eye(X.shape[1])), dtype=float)
    left, leavers, criteria = np.arange(X.shape[1]), list[int](), dict[int, float]()
    while len(left):
        weights = inverse @ links[left]
        inside, counts = np.unique(of[left], return_counts=True)
        errors = totals - (weights * (links[left] + penalty * weights)).sum(axis=0)
        fit = len(X) * np.log(np.maximum(errors / len(X), 1e-12)) + len(left) * np.log(len(X))
        criteria[len(inside)] = float(fit.sum())
        # by the mean over a feature's columns, or those of many columns would always stay
        strength = np.bincount(of[left], (weights**2).sum(axis=1))[inside] / counts
        weakest = inside[np.argsort(strength, kind="stable")]
        leaving = weakest[: max(1, int(DROPPED * len(inside)))]
        leavers += leaving.tolist()
        goes = np.isin(of[left], leaving)
        left, inverse = left[~goes], _drop_columns(inverse, goes)
    best = min(criteria, key=lambda size: (criteria[size], size))
    return leavers[::-1][:best]


def _drop_columns(inverse: Floats, goes: npt.NDArray[np.bool_]) -> Floats:
    """Return the inverse of a matrix after some of its rows and columns have left, from its own.

    By the inverse of a block: solving anew for every size would cost ten times as much.
    """
    across = inverse[np.ix_(goes, ~goes)]
    return np.asarray(
        inverse[np.ix_(~goes, ~goes)]
        - across.T @ np.linalg.solve(inverse[np.ix_(goes, goes)], across)
    )


def code_or_number(column: pd.Series) -> Floats:
    """Return a column as numbers without gaps, for trees that take no others."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes, dtype=float)
    values = column.to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    below = known.min() - max(known.std(), 1.0) if len(known) else 0.0
    return np.where(np.isfinite(values), values, below)


def _noise(X: Floats, gram: Floats, target: Floats) -> float:
    """Return the standard deviation that a ridge leaves of a target of variance one."""
    penalised = gram + np.eye(len(gram)) * (0.1 * len(X))
    fitted = X @ np.linalg.solve(penalised, X.T @ target)
    freedom = max(len(X) - X.shape[1], len(X) // 4, 1)
    left = float(((target - fitted) ** 2).sum() / freedom)
    return float(np.sqrt(min(max(left, 1e-3), 1.0)))


def _at_least_one(order: npt.NDArray[np.intp], kept: npt.NDArray[np.bool_]) -> list[int]:
    chosen: list[int] = order[kept].tolist()
    return chosen or [int(order[0])]
