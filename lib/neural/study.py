"""The networks of a study: candidates on its folds, and how much luck is in a seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError, suggest
from lib.estimates import Estimate
from lib.evaluation import default_scoring, scorers
from lib.features import make_preprocessor
from lib.neural.base import choose_batch_size
from lib.neural.estimators import NetworkClassifier, NetworkRegressor
from lib.resampling import Folds

# What each candidate differs in; the first is the plainest, the last has everything.
VARIANTS: dict[str, dict[str, Any]] = {
    "MLP": {"n_members": 1, "embedding": "none"},
    "MLP + embeddings": {"n_members": 1},
    "TabM": {"embedding": "none"},
    "TabM + embeddings": {},
}

LOG_LOSS = "log loss (nats)"
STEPS_AN_EPOCH, ROWS_AN_EPOCH = 15, 15_000  # for each epoch of the budget, all in all


@dataclass(frozen=True)
class Runs:
    """Trainings of networks on one fold from several seeds.

    Attributes
    ----------
    scores : DataFrame
        model, seed, score on the fold's test rows; higher is better.
    history : DataFrame
        model, seed, epoch, part ("train", "validation"), loss, metric, learning_rate.
    sizes : DataFrame
        model, parameters (numbers learned), members, epochs (trained by the first seed),
        best_epoch (kept), n_train, n_validation (rows).
    scoring : str
        What `score` is.
    fold : int
        Which fold, from 1.
    """

    scores: pd.DataFrame
    history: pd.DataFrame
    sizes: pd.DataFrame
    scoring: str
    fold: int


def networks(dataset: Dataset, config: Config) -> dict[str, Any]:
    """Return four unfitted networks: with and without embeddings, one member and many.

    Parameters
    ----------
    dataset : Dataset
        The training rows; its task chooses classifier or regressor.
    config : Config
        Its seed, and its budget of epochs.

    Returns
    -------
    dict of str to Pipeline
        "MLP", "MLP + embeddings", "TabM", "TabM + embeddings". They share their preprocessing,
        that of LightGBM, so that `evaluation.cross_validate` fits it once a fold.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> list(networks(make_planted(200), load_config()))
    ['MLP', 'MLP + embeddings', 'TabM', 'TabM + embeddings']
    """
    import torch._dynamo  # noqa: F401, PLC0415 - seconds that no model should be charged for

    native = make_preprocessor(dataset, kind="tree", random_state=config.seed)
    kind = NetworkRegressor if dataset.task == "regression" else NetworkClassifier
    kept = (config.budget.n_splits - 1) / config.budget.n_splits
    max_epochs = choose_max_epochs(round(len(dataset) * kept), config.budget.max_epochs)
    common: dict[str, Any] = {"random_state": config.seed, "max_epochs": max_epochs}
    return {
        name: Pipeline([("native", native), ("model", kind(**common, **variant))])
        for name, variant in VARIANTS.items()
    }


def choose_max_epochs(n_rows: int, budget: int) -> int:
    """Return the budget of epochs: more for a table with few steps each, fewer for a large one.

    Parameters
    ----------
    n_rows : int
        Rows learned from and stopped by.
    budget : int
        Epochs of a table of some thousand rows.

    Returns
    -------
    int
        Epochs that together have fifteen steps for each one of the budget, and show no more than
        15,000 rows for it; 4 at least.

    Examples
    --------
    >>> [choose_max_epochs(n, 60) for n in (30, 300, 3_000, 30_000, 80_000)]
    [900, 113, 60, 37, 14]
    """
    n_train = max(round(0.8 * n_rows), 1)
    n_batches = math.ceil(n_train / choose_batch_size(n_train))
    enough_steps = math.ceil(STEPS_AN_EPOCH * budget / n_batches)
    affordable = max(ROWS_AN_EPOCH * budget // n_train, 4)
    return min(max(budget, enough_steps), affordable)


def loss_label(task: str) -> str:
    """Return what the loss of a history is, with its unit.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of target.

    Returns
    -------
    str
        For the axis of a figure.

    Examples
    --------
    >>> loss_label("binary")
    'log loss (nats)'
    """
    return "squared error (standardised)" if task == "regression" else LOG_LOSS


def train_from_seeds(
    candidates: Mapping[str, Pipeline],
    dataset: Dataset,
    folds: Folds,
    *,
    seeds: Mapping[str, Sequence[int]],
    fold: int = 1,
    scoring: str | None = None,
) -> Runs:
    """Train networks again and again on one fold, each time from another seed.

    First weights, order of rows, dropout and the choice of validation rows follow from the seed.

    Parameters
    ----------
    candidates : mapping of str to Pipeline
        As `networks` returns them; all with the same preprocessing.
    dataset : Dataset
        The training rows of the study.
    folds : Folds
        Those of the comparison.
    seeds : mapping of str to sequence of int
        Seeds of each candidate.
    fold : int
        Which fold, from 1.
    scoring : str, optional
        A metric of the task; its default one otherwise.

    Returns
    -------
    Runs
        Scores, histories and sizes.

    Raises
    ------
    InputError
        When a candidate or the fold does not exist.
    """
    unknown = [name for name in seeds if name not in candidates]
    if unknown:
        msg = f"There is no network '{unknown[0]}'; there are {', '.join(candidates)}."
        raise InputError(msg + suggest(unknown[0], candidates))
    if not 1 <= fold <= len(folds):
        msg = f"There are folds 1 to {len(folds)}; got {fold}."
        raise InputError(msg)
    metric = scorers(dataset.task)[scoring or default_scoring(dataset.task)]
    train, test = (dataset.take(part) for part in folds.parts[fold - 1])
    options = {
        "sample_weight": train.sample_weight,
        "groups": train.groups,
        "time": train.time,
    }
    scores, histories, sizes = [], [], []
    with threadpool_limits(1):
        native = clone(next(iter(candidates.values())).steps[0][1])
        X_train, X_test = native.fit_transform(train.X, train.y), native.transform(test.X)
        for name, own in seeds.items():
            for number, seed in enumerate(own):
                model = clone(candidates[name].steps[-1][1]).set_params(random_state=seed)
                model.fit(X_train, train.y.to_numpy(), **options)
                predicted = _predict(model, X_test, len(dataset.classes))
                weight = None if test.sample_weight is None else test.sample_weight.to_numpy()
                score = metric.compute(test.y.to_numpy(), predicted, weight)
                scores.append((name, seed, score))
                histories.append(model.history_.assign(model=name, seed=seed))
                if number == 0:
                    sizes.append(_size_of(name, model))
    columns = ["model", "seed", "epoch", "part", "loss", "metric", "learning_rate"]
    return Runs(
        scores=pd.DataFrame(scores, columns=["model", "seed", "score"]),
        history=pd.concat(histories, ignore_index=True)[columns],
        sizes=pd.DataFrame(sizes),
        scoring=metric.name,
        fold=fold,
    )


def tabulate_seeds(runs: Runs, *, level: float = 0.95) -> pd.DataFrame:
    """Return how far scores lie apart that differ by the seed alone.

    Parameters
    ----------
    runs : Runs
        From `train_from_seeds`.
    level : float
        Coverage of the interval of the standard deviation.

    Returns
    -------
    DataFrame
        model, seeds, mean, std (Estimate, with the chi-square interval of normal scores), worst,
        best; models of two seeds or more.

    Examples
    --------
    >>> scores = pd.DataFrame({"model": "MLP", "seed": range(3), "score": [0.70, 0.72, 0.74]})
    >>> runs = Runs(scores, pd.DataFrame(), pd.DataFrame(), "roc_auc", 1)
    >>> print(tabulate_seeds(runs)["std"].iloc[0])
    0.020 [0.010, 0.126]
    """
    rows = []
    for model, own in runs.scores.groupby("model", sort=False)["score"]:
        found = own.dropna()
        if len(found) > 1:
            std = _deviation(found.to_numpy(), level)
            rows.append((model, len(found), found.mean(), std, found.min(), found.max()))
    return pd.DataFrame(rows, columns=["model", "seeds", "mean", "std", "worst", "best"])


def _deviation(scores: Any, level: float) -> Estimate:
    """Return the standard deviation of scores with its interval, if scores are normal."""
    free, std = len(scores) - 1, float(np.std(scores, ddof=1))
    low, high = stats.chi2.ppf([(1 - level) / 2, (1 + level) / 2], free)
    ends = std * math.sqrt(free / high), std * math.sqrt(free / low)
    return Estimate(std, *ends, level, "chi-square", len(scores))


def _predict(model: Any, X_test: Any, n_classes: int) -> Any:
    """Return numbers, or the probabilities of all classes, those unseen in training with 0."""
    if not n_classes:
        return model.predict(X_test)
    proba = np.zeros((len(X_test), n_classes))
    proba[:, model.classes_.astype(int)] = model.predict_proba(X_test)
    return proba


def _size_of(name: str, model: Any) -> dict[str, Any]:
    return {
        "model": name,
        "parameters": model.n_parameters_,
        "members": model.n_members,
        "epochs": model.n_iter_,
        "best_epoch": model.best_epoch_,
        "n_train": model.n_rows_train_,
        "n_validation": model.n_rows_validation_,
    }
