"""How much of the target one feature explains, and all the others together, out of fold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from lib.data import Dataset
from lib.estimates import Estimate, corrected_mean
from lib.evaluation import cross_validate
from lib.leakage.table import as_numbers
from lib.resampling import Folds
from lib.statistics import column_kinds, numbers_of
from lib.statistics.columns import bins_of, levels_of

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
N_BINS = 50
WORTH_A_TREE = 0.4  # explained share from which the bins of a number are made finer
PRIOR_ROWS = 1.0  # a bin's rate is drawn towards the overall one by so many rows
MANY_CLASSES = 10  # beyond, boosting fits a tree a class a step: linear models must do


def bin_column(column: pd.Series, n_bins: int = N_BINS) -> Codes:
    """Return bins of equal counts of numbers and moments, levels of anything else; a gap is one.

    Examples
    --------
    >>> bin_column(pd.Series([3.0, None, 1.0])).tolist()
    [1, 2, 0]
    """
    kind = column_kinds(pd.DataFrame({"x": column}))["x"]
    if kind in {"numeric", "datetime"}:
        codes, names = bins_of(numbers_of(column), n_bins)
    else:
        codes, names = levels_of(column)
    return np.where(codes < 0, len(names), codes).astype(np.int64)


def explain_alone(codes: Codes, y: pd.Series, task: str, folds: Folds) -> Floats:
    """Return the share of the target that a feature's bins explain, fold by fold.

    Of classes it is the share of the log loss of always predicting their frequencies (McFadden's
    R² out of fold), of numbers the share of the variance of their ranks. 1 gives the target away,
    0 and below tells nothing.

    Parameters
    ----------
    codes : array of int, shape (n,)
        Bins, from 0.
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : str
        What `y` holds.
    folds : Folds
        A partition of the rows, once.

    Returns
    -------
    array of float, shape (n_folds,)
    """
    fold_of = np.zeros(len(codes), dtype=np.int64)
    for number, (_, test) in enumerate(folds):
        fold_of[test] = number
    n_folds, n_bins = len(folds), int(codes.max()) + 1
    cell = fold_of * n_bins + codes
    counts = np.bincount(cell, minlength=n_folds * n_bins).reshape(n_folds, n_bins).astype(float)
    if task == "regression":
        return _explained_ranks(cell, counts, ranks_of(y))
    n_classes = int(y.max()) + 1
    keys = cell * n_classes + y.to_numpy()
    seen = np.bincount(keys, minlength=n_folds * n_bins * n_classes)
    return _explained_classes(seen.reshape(n_folds, n_bins, n_classes).astype(float), counts)


def _explained_classes(seen: Floats, counts: Floats) -> Floats:
    known = seen.sum(axis=0) - seen  # of the other folds: (n_folds, n_bins, n_classes)
    prior = known.sum(axis=1) + 0.5
    prior /= prior.sum(axis=1, keepdims=True)
    n_known = (counts.sum(axis=0) - counts)[:, :, None]
    rates = (known + PRIOR_ROWS * prior[:, None, :]) / (n_known + PRIOR_ROWS)
    loss = -(seen * np.log(rates)).sum(axis=(1, 2))
    base = -(seen.sum(axis=1) * np.log(prior)).sum(axis=1)
    return np.asarray(1 - loss / np.maximum(base, 1e-12))


def _explained_ranks(cell: Codes, counts: Floats, y: Floats) -> Floats:
    n_folds, n_bins = counts.shape
    sums = np.bincount(cell, weights=y, minlength=counts.size).reshape(n_folds, n_bins)
    squares = np.bincount(cell // n_bins, weights=y * y, minlength=n_folds)
    known, n_known = sums.sum(axis=0) - sums, counts.sum(axis=0) - counts
    prior = (known.sum(axis=1) / n_known.sum(axis=1))[:, None]
    means = (known + PRIOR_ROWS * prior) / (n_known + PRIOR_ROWS)
    error = squares + (counts * means**2 - 2 * means * sums).sum(axis=1)
    own = sums.sum(axis=1) / counts.sum(axis=1)
    base = squares - counts.sum(axis=1) * own**2
    return np.asarray(1 - error / np.maximum(base, 1e-12))


def ranks_of(y: pd.Series) -> Floats:
    """Return ranks scaled to about 0 … 1, ties sharing one.

    Examples
    --------
    >>> ranks_of(pd.Series([10.0, 30.0, 20.0, 20.0])).tolist()
    [0.125, 0.875, 0.5, 0.5]
    """
    return np.asarray((stats.rankdata(y.to_numpy(dtype=float)) - 0.5) / len(y))


def score_features(dataset: Dataset, folds: Folds, *, level: float) -> dict[str, Estimate]:
    """Return for each feature the share of the target that it explains alone.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    folds : Folds
        A partition of the rows, once.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict of str to Estimate
        By column, in the table's order.
    """
    scored = {}
    for column in dataset.X:
        by_fold = explain_alone(bin_column(dataset.X[column]), dataset.y, dataset.task, folds)
        if by_fold.mean() >= WORTH_A_TREE and column in dataset.numeric:
            by_tree = _explain_by_tree(dataset.X[column], dataset, folds)
            by_fold = max(by_fold, by_tree, key=lambda scores: float(scores.mean()))
        scored[str(column)] = corrected_mean(
            by_fold, folds.test_fraction, level=level, bounds=(-np.inf, 1.0)
        )
    return scored


def _explain_by_tree(column: pd.Series, dataset: Dataset, folds: Folds) -> Floats:
    """Return what a few cuts, placed by the target, explain: bins straddle a sharp border."""
    x = numbers_of(column)[:, None]
    is_class = dataset.task != "regression"
    y = dataset.y.to_numpy() if is_class else ranks_of(dataset.y)
    n_leaves = max(8, 2 * len(dataset.classes))
    explained = []
    for train, test in folds:
        make = DecisionTreeClassifier if is_class else DecisionTreeRegressor
        tree = make(max_leaf_nodes=n_leaves, min_samples_leaf=5, random_state=0)
        leaf = tree.fit(x[train], y[train]).apply(x)
        halves = Folds(((train, test), (test, train)), "", "this fold and the others")
        explained.append(explain_alone(leaf, dataset.y, dataset.task, halves)[0])
    return np.asarray(explained)


def explain_together(
    dataset: Dataset,
    columns: Sequence[str],
    folds: Folds,
    *,
    enough: float = 1.0,
    random_state: int = 0,
) -> float:
    """Return the share of the target that several features explain in the better of two models.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    columns : sequence of str
        Features to use.
    folds : Folds
        The same as for single features.
    enough : float
        Boosted trees are not tried when the linear model explains so much.
    random_state : int
        Seed of the models.

    Returns
    -------
    float
        In the measure of `explain_alone`, at least 0.
    """
    y = dataset.y
    if dataset.task == "regression":
        y = pd.Series(ranks_of(y), name="target")
    part = replace(dataset, X=dataset.X[list(columns)], y=y)
    linear = _mean_score({"linear": _make_linear(part)}, part, folds)
    boosted = 0.0
    if not linear >= enough and len(dataset.classes) <= MANY_CLASSES:
        numbers = replace(part, X=as_numbers(part.X))
        models = {"boosting": make_booster(dataset, random_state=random_state)}
        boosted = _mean_score(models, numbers, folds)
    return float(np.nanmax([linear, boosted, 0.0]))


def _make_linear(dataset: Dataset) -> Any:
    """Return a linear model with a preprocessing that costs milliseconds."""
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30)
    filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    prepared = make_column_transformer(
        (one_hot, dataset.categorical), (filled, dataset.numeric), remainder="drop"
    )
    if dataset.task == "regression":
        return make_pipeline(prepared, RidgeCV(np.logspace(-3, 4, 8)))
    return make_pipeline(prepared, LogisticRegression(max_iter=300))


def _mean_score(models: Mapping[str, Any], dataset: Dataset, folds: Folds) -> float:
    metric = "r2" if dataset.task == "regression" else "neg_log_loss"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = cross_validate(models, dataset, folds, scoring=metric)
    by_fold = scores.by_fold(metric)
    if by_fold.empty:
        return float("nan")
    mean = float(by_fold.iloc[:, 0].mean())
    if dataset.task == "regression":
        return mean
    frequencies = np.bincount(dataset.y) / len(dataset)
    entropy = -float((frequencies * np.log(np.maximum(frequencies, 1e-300))).sum())
    return 1 + mean / max(entropy, 1e-12)


def make_booster(dataset: Dataset, *, random_state: int = 0) -> Any:
    """Return small boosted trees that fit in a fraction of a second and remember rows well.

    Parameters
    ----------
    dataset : Dataset
        Its task and size choose the variant.
    random_state : int
        Seed.

    Returns
    -------
    scikit-learn estimator
        Takes numbers with gaps.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> type(make_booster(make_planted(100))).__name__
    'HistGradientBoostingClassifier'
    """
    n_classes = len(dataset.classes) if dataset.task == "multiclass" else 1
    settings = {
        "max_iter": max(10, 80 // max(1, n_classes // 3)),
        "max_leaf_nodes": 31,
        "min_samples_leaf": max(3, min(20, len(dataset) // 40)),
        "early_stopping": False,
        "random_state": random_state,
    }
    if dataset.task == "regression":
        return HistGradientBoostingRegressor(**settings)
    return HistGradientBoostingClassifier(**settings)
