"""Models of the folds: each explains rows that it was not fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation import columns_for_fit, fit_options
from lib.explanation.coding import Floats
from lib.explanation.opening import OpenModel, open_model
from lib.resampling import Folds, Positions, make_cv, make_folds

FEW_ROWS = 2_000  # up to here one round of folds tells little about importances
MIN_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class FoldModel:
    """A model fitted on one fold's training part, opened, and the rows that it may explain.

    Attributes
    ----------
    fold : int
        From 1.
    seed : int
        Which of the seeds, from 0.
    model : OpenModel
    test : array of int, shape (m,)
        Positions in the dataset.
    matrix : array of shape (m, q)
        Those rows, prepared.
    """

    fold: int
    seed: int
    model: OpenModel
    test: Positions
    matrix: Floats


@dataclass(frozen=True, eq=False)
class FoldModels:
    """The models of all folds and seeds.

    Attributes
    ----------
    models : tuple of FoldModel
        Fold by fold, seeds within; iterate over `FoldModels` itself to get those of the first seed.
    dataset : Dataset
        On whose rows they were fitted.
    folds : Folds
    notes : tuple of str
        Folds that were left out, one sentence each.
    """

    models: tuple[FoldModel, ...]
    dataset: Dataset
    folds: Folds
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[FoldModel]:
        return (one for one in self.models if one.seed == 0)

    def __len__(self) -> int:
        return sum(one.seed == 0 for one in self.models)

    @property
    def columns(self) -> list[str]:
        """Names of the columns of `dataset.X`, as text."""
        return [str(name) for name in self.dataset.X.columns]

    @property
    def any_model(self) -> OpenModel:
        """One of the models: for what all have in common."""
        return self.models[0].model

    def first_pass(self) -> list[tuple[FoldModel, Positions]]:
        """Return models with the places, within their test rows, of rows not tested before.

        A repeated cross-validation tests a row several times; the first time counts.
        """
        seen = np.zeros(len(self.dataset), dtype=bool)
        parts = []
        for one in self:
            places = np.flatnonzero(~seen[one.test])
            seen[one.test] = True
            if len(places):
                parts.append((one, places))
        return parts


def make_rounds(
    dataset: Dataset, *, n_splits: int = 5, n_repeats: int = 1, random_state: int = 0
) -> Folds:
    """Return the study's folds, repeated at least three times when there are 2,000 rows or fewer.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    n_splits, n_repeats, random_state : int
        As for `resampling.make_cv`, whose folds are the first round.

    Returns
    -------
    Folds

    Examples
    --------
    >>> from lib.data import make_planted
    >>> len(make_rounds(make_planted(300))), len(make_rounds(make_planted(3_000)))
    (15, 5)
    """
    if len(dataset) <= FEW_ROWS:
        n_repeats = max(n_repeats, MIN_ROUNDS)
    cv = make_cv(dataset, n_splits=n_splits, n_repeats=n_repeats, random_state=random_state)
    return make_folds(dataset, cv)


def fit_folds(
    estimator: Any, dataset: Dataset, folds: Folds, *, n_seeds: int = 1, random_state: int = 0
) -> FoldModels:
    """Return a model fitted on the training part of each fold, ready to be explained.

    Preparation is fitted once a fold; the model itself once a seed, where it has one.

    Parameters
    ----------
    estimator : scikit-learn estimator or pipeline
        Unfitted.
    dataset : Dataset
        The training rows.
    folds : Folds
        Of the same rows.
    n_seeds : int
        Models a fold that differ in their seed only; later seeds on the folds of the first repeat.
    random_state : int
        First of the seeds.

    Returns
    -------
    FoldModels

    Raises
    ------
    InputError
        When no fold can be fitted.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.models import baselines
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(200)
    >>> model = baselines(dataset, load_config())["LightGBM"]
    >>> fitted = fit_folds(model, dataset, make_folds(dataset, make_cv(dataset, n_splits=2)))
    >>> len(fitted), fitted.any_model.route
    (2, "exact, LightGBM's own TreeSHAP")
    """
    X, y = dataset.X, dataset.y.to_numpy()
    classes = None if dataset.task == "regression" else range(len(dataset.classes))
    columns = columns_for_fit(dataset)
    fitted, notes, tested = [], [], np.zeros(len(dataset), dtype=bool)
    for number, (train, test) in enumerate(folds, start=1):
        is_repeat = bool(tested[test].all())
        tested[test] = True
        if np.ptp(y[train].astype(float)) == 0:
            notes.append(f"Fold {number} is left out: its training rows hold one outcome only.")
            continue
        steps, final = _split(estimator)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what models warn about is told by analysis 11
            prepared: Any = X.iloc[train]
            done = []
            for name, step in steps:
                done.append((name, clone(step)))
                prepared = done[-1][1].fit_transform(prepared, y[train])
            own = {name: values[train] for name, values in columns.items()}
            n_models = 1 if is_repeat or not _has_seed(final) else n_seeds
            for seed in range(n_models):
                model = clone(final)
                if n_models > 1:
                    model.set_params(random_state=random_state + seed)
                model.fit(prepared, y[train], **fit_options(model, own))
                whole = Pipeline([*done, ("model", model)]) if done else model
                background = X.iloc[train]
                opened = open_model(
                    whole,
                    background,
                    classes=classes,
                    class_names=dataset.classes or None,
                    random_state=random_state,
                )
                matrix = opened.prepare(X.iloc[test])
                fitted.append(FoldModel(number, seed, opened, test, matrix))
    if not fitted:
        msg = f"No fold can be fitted. {' '.join(notes)} Use more rows or fewer folds."
        raise InputError(msg)
    return FoldModels(tuple(fitted), dataset, folds, tuple(notes))


def _split(estimator: Any) -> tuple[list[tuple[str, Any]], Any]:
    if not isinstance(estimator, Pipeline):
        return [], estimator
    steps = [(n, s) for n, s in estimator.steps[:-1] if s is not None and s != "passthrough"]
    return steps, estimator.steps[-1][1]


def _has_seed(model: Any) -> bool:
    return "random_state" in model.get_params(deep=False)


def own_names(dataset: Dataset) -> list[str]:
    """Return the columns' own names, in the order of `dataset.X`.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> own_names(make_planted(20, n_informative=1, n_noise=0, n_categories=0))
    ['signal_1']
    """
    return [str(dataset.labels.get(str(name), name)) for name in dataset.X.columns]


def out_of_fold(models: FoldModels) -> Floats:
    """Return predictions of each row by the model that did not see it.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.

    Returns
    -------
    array of shape (n_rows, n_classes) or (n_rows,)
        NaN for rows that no fold tests.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds, make_rounds
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> predictions = out_of_fold(fitted)
    >>> bool(np.corrcoef(predictions, dataset.y)[0, 1] > 0.6)
    True
    """
    dataset = models.dataset
    n_classes = len(dataset.classes) if dataset.task != "regression" else 0
    made = np.full((len(dataset), n_classes) if n_classes else len(dataset), np.nan)
    for one, places in models.first_pass():
        made[one.test[places]] = one.model.predict(one.matrix[places])
    return made


def outcome_names(dataset: Dataset) -> tuple[str, ...]:
    """Return names of the outputs of a multiclass task, () for others."""
    return dataset.classes if dataset.task == "multiclass" else ()
