"""Baseline models of every family, each with the preprocessing it needs, learned in the fold."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError
from lib.evaluation import cross_validate
from lib.features import (
    Recipe,
    count_encoded,
    make_category_codes,
    make_preprocessor,
)
from lib.resampling import make_cv, make_folds

Task = Literal["binary", "multiclass"]
Rows = npt.NDArray[np.intp]
MAX_NEIGHBOURS = 50
MAX_NEWTON = 1_000  # coefficients; the cost grows with their cube
RIDGE_PENALTIES = np.logspace(-3, 4, 15)


class _Capped(BaseEstimator):
    """Fits an estimator on at most `max_rows` rows: for methods whose cost is quadratic."""

    def __init__(self, estimator: Any, *, max_rows: int, random_state: int = 0) -> None:
        self.estimator = estimator
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit on a random part of the rows when there are more than `max_rows`."""
        labels = np.asarray(y)
        rows = self._choose(labels)
        self._check(labels[rows])
        options = {}
        estimator = clone(self.estimator)
        if sample_weight is not None and has_fit_parameter(estimator, "sample_weight"):
            options["sample_weight"] = np.asarray(sample_weight)[rows]
        X = X.iloc[rows] if hasattr(X, "iloc") else np.asarray(X)[rows]
        self.estimator_ = estimator.fit(X, labels[rows], **options)
        self.n_rows_fit_ = len(rows)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict with the fitted estimator."""
        check_is_fitted(self, "estimator_")
        return np.asarray(self.estimator_.predict(X))

    def _choose(self, labels: npt.NDArray[Any]) -> Rows:
        order = np.random.default_rng(self.random_state).permutation(len(labels))
        return np.sort(order[: self.max_rows])

    def _check(self, labels: npt.NDArray[Any]) -> None:
        """Raise when the chosen rows cannot be learned from."""


class CappedClassifier(ClassifierMixin, _Capped):  # type: ignore[misc]
    """A classifier fitted on at most `max_rows` rows, each class in its share.

    Parameters
    ----------
    estimator : scikit-learn classifier
        What is fitted.
    max_rows : int
        Rows used at most.
    min_class_rows : int
        Classes with fewer rows are left out, as calibration by folds cannot use them: they get
        no probability.
    random_state : int
        Seed of the choice.

    Attributes
    ----------
    estimator_ : scikit-learn classifier
        Fitted.
    n_rows_fit_ : int
        Rows used.

    Examples
    --------
    >>> X, y = np.arange(100.0)[:, np.newaxis], np.repeat([0, 1], [90, 10])
    >>> model = CappedClassifier(DecisionTreeClassifier(), max_rows=20).fit(X, y)
    >>> model.n_rows_fit_, model.predict(X[[0, 99]]).tolist()
    (20, [0, 1])
    """

    def __init__(
        self, estimator: Any, *, max_rows: int, min_class_rows: int = 1, random_state: int = 0
    ) -> None:
        super().__init__(estimator, max_rows=max_rows, random_state=random_state)
        self.min_class_rows = min_class_rows

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Classes that have a probability."""
        return np.asarray(self.estimator_.classes_)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the probabilities of `classes_`."""
        check_is_fitted(self, "estimator_")
        return np.asarray(self.estimator_.predict_proba(X), dtype=float)

    def _choose(self, labels: npt.NDArray[Any]) -> Rows:
        """Take from each class its share, and from small classes `min_class_rows` first."""
        order = np.random.default_rng(self.random_state).permutation(len(labels))
        shuffled = pd.Series(labels[order])
        within = shuffled.groupby(shuffled).cumcount()
        sizes = shuffled.map(shuffled.value_counts())
        urgency = (within / sizes).where(within >= self.min_class_rows, -1.0)
        ranked = np.argsort(urgency.to_numpy(), kind="stable")
        ranked = ranked[(sizes >= self.min_class_rows).to_numpy()[ranked]]
        return np.sort(order[ranked[: self.max_rows]])

    def _check(self, labels: npt.NDArray[Any]) -> None:
        if self.min_class_rows > 1 and len(np.unique(labels)) < 2:
            msg = f"it needs two classes of {self.min_class_rows} training rows or more."
            raise InputError(msg)


class CappedRegressor(RegressorMixin, _Capped):  # type: ignore[misc]
    """A regressor fitted on at most `max_rows` random rows.

    Parameters
    ----------
    estimator : scikit-learn regressor
        What is fitted.
    max_rows : int
        Rows used at most.
    random_state : int
        Seed of the choice.

    Attributes
    ----------
    estimator_ : scikit-learn regressor
        Fitted.
    n_rows_fit_ : int
        Rows used.

    Examples
    --------
    >>> X = np.arange(100.0)[:, np.newaxis]
    >>> CappedRegressor(DecisionTreeRegressor(), max_rows=20).fit(X, X[:, 0]).n_rows_fit_
    20
    """


def baselines(dataset: Dataset, config: Config) -> dict[str, Any]:
    """Return eight unfitted models from simple to strong, none of them tuned.

    Parameters
    ----------
    dataset : Dataset
        The training rows; its task and size choose the variants.
    config : Config
        Its seed, and its budget of rows for the support vector machine.

    Returns
    -------
    dict of str to scikit-learn estimator
        "dummy" ignores the features; "linear" is logistic or ridge regression; then "k-nearest
        neighbours", "SVM", "decision tree", "random forest", "histogram boosting", "LightGBM".
        All run on one thread and repeat exactly. Pipelines share their preprocessing objects, so
        that `evaluation.cross_validate` fits each once a fold.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> list(baselines(make_planted(200), load_config()))[:2]
    ['dummy', 'linear']
    """
    seed = config.seed
    scaled = make_preprocessor(dataset, kind="linear", random_state=seed)
    native = make_preprocessor(dataset, kind="tree", random_state=seed)
    codes = make_category_codes()
    n_train = max(len(dataset) * (config.budget.n_splits - 1) // config.budget.n_splits, 2)
    make = _make_classifiers if dataset.task != "regression" else _make_regressors
    models = make(dataset, n_rows=n_train, seed=seed, max_rows=config.budget.max_rows_slow)
    steps = {
        "dummy": [],
        "linear": [("scaled", scaled)],
        "k-nearest neighbours": [("scaled", scaled)],
        "SVM": [("scaled", scaled)],
        "decision tree": [("native", native), ("codes", codes)],
        "random forest": [("native", native), ("codes", codes)],
        "histogram boosting": [("native", native)],
        "LightGBM": [("native", native)],
    }
    return {
        name: Pipeline([*before, ("model", models[name])]) if before else models[name]
        for name, before in steps.items()
    }


def compare_baseline_models(
    X: Any, y: Any, cv: Any = 5, *, scoring: str | None = None, random_state: int = 0
) -> pd.DataFrame:
    """Return random forest, linear model and SVM side by side, by cross-validation.

    The short form for a table at hand; analysis 11 has all families, intervals and tests.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_rows, n_features)
        Numbers, categories, text or dates, with gaps.
    y : array-like of shape (n_rows,)
        Labels, or numbers for regression (when they are continuous, or integers with more than
        twenty values).
    cv : int or scikit-learn splitter
        Folds; an int makes shuffled folds, stratified for labels.
    scoring : str, optional
        A name of `evaluation.scorers`; the task's default one otherwise.
    random_state : int
        Seed of folds and models.

    Returns
    -------
    DataFrame
        Best first: model, mean and std over folds, scores (list of float, one a fold).

    Raises
    ------
    InputError
        When a model fails on a fold, or rows are too few.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> table = compare_baseline_models(*load_iris(return_X_y=True), cv=3, scoring="accuracy")
    >>> sorted(table["model"])
    ['SVM', 'logistic regression', 'random forest']
    >>> bool((table["mean"] > 0.9).all())
    True
    """
    dataset = _as_dataset(X, y)
    splitter = (
        make_cv(dataset, n_splits=cv, random_state=random_state) if isinstance(cv, int) else cv
    )
    budget = {"n_splits": 5, "max_rows_slow": 4_000}
    config = Config(root=".", seed=random_state, budget=budget)
    models = baselines(dataset, config)
    linear = "logistic regression" if dataset.task != "regression" else "ridge regression"
    chosen = {
        "random forest": models["random forest"],
        linear: models["linear"],
        "SVM": models["SVM"],
    }
    scores = cross_validate(chosen, dataset, make_folds(dataset, splitter), scoring=scoring)
    if len(scores.failures):
        first = scores.failures.iloc[0]
        msg = f"{first['model']} failed on fold {first['fold']}: {first['reason']}"
        raise InputError(msg)
    by_fold = scores.by_fold()
    table = pd.DataFrame({"mean": by_fold.mean(), "std": by_fold.std(ddof=1)})
    table["scores"] = [by_fold[model].tolist() for model in by_fold]
    table = table.rename_axis("model").reset_index()
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)


class _SeededSVR(SVR):
    """SVR draws a number that it does not use: here from a seed, not from the shared state."""

    def __init__(self, random_state: int = 0) -> None:
        super().__init__()
        self.random_state = random_state


def _make_classifiers(dataset: Dataset, *, n_rows: int, seed: int, max_rows: int) -> dict[str, Any]:
    n_folds = 2 if min(n_rows, max_rows) >= 2_000 else 5  # halves are enough of many rows
    # Balanced, or a rare class leaves hardly a margin to rank by; calibration restores the rate.
    svm = CalibratedClassifierCV(SVC(class_weight="balanced", random_state=seed), cv=n_folds)
    return {
        "dummy": DummyClassifier(strategy="prior"),
        "linear": LogisticRegression(solver=choose_solver(dataset), tol=1e-8, max_iter=2_000),
        "k-nearest neighbours": KNeighborsClassifier(_neighbours(n_rows)),
        "SVM": CappedClassifier(svm, max_rows=max_rows, min_class_rows=n_folds, random_state=seed),
        "decision tree": DecisionTreeClassifier(
            min_samples_leaf=_tree_leaf(n_rows), random_state=seed
        ),
        "random forest": RandomForestClassifier(
            min_samples_leaf=_forest_leaf(n_rows), random_state=seed
        ),
        "histogram boosting": HistGradientBoostingClassifier(
            **_hist_settings(n_rows), random_state=seed
        ),
        "LightGBM": _make_lightgbm("classifier", n_rows, dataset.n_features, seed),
    }


def choose_solver(dataset: Dataset, recipe: Recipe | None = None) -> str:
    """Return Newton's method, which ends at the optimum to the last digits, while it is cheap."""
    small = count_encoded(dataset, recipe=recipe) * len(dataset.classes) <= MAX_NEWTON
    return "newton-cholesky" if small else "lbfgs"


def _make_regressors(dataset: Dataset, *, n_rows: int, seed: int, max_rows: int) -> dict[str, Any]:
    svm = TransformedTargetRegressor(_SeededSVR(seed), transformer=StandardScaler())
    return {
        "dummy": DummyRegressor(),
        "linear": RidgeCV(RIDGE_PENALTIES),
        "k-nearest neighbours": KNeighborsRegressor(_neighbours(n_rows)),
        "SVM": CappedRegressor(svm, max_rows=max_rows, random_state=seed),
        "decision tree": DecisionTreeRegressor(
            min_samples_leaf=_tree_leaf(n_rows), random_state=seed
        ),
        "random forest": RandomForestRegressor(
            min_samples_leaf=_forest_leaf(n_rows), max_features=1 / 3, random_state=seed
        ),
        "histogram boosting": HistGradientBoostingRegressor(
            **_hist_settings(n_rows), random_state=seed
        ),
        "LightGBM": _make_lightgbm("regressor", n_rows, dataset.n_features, seed),
    }


def _make_lightgbm(kind: str, n_rows: int, n_columns: int, seed: int) -> Any:
    """Return boosting with small steps and small trees: a default that rarely overfits."""
    import lightgbm  # noqa: PLC0415 - takes seconds to import

    make = lightgbm.LGBMClassifier if kind == "classifier" else lightgbm.LGBMRegressor
    return make(
        n_estimators=150,
        learning_rate=0.05,
        num_leaves=15,
        min_child_samples=_boosting_leaf(n_rows),
        colsample_bytree=min(1.0, max(0.5, 10 / n_columns)),
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )


def _hist_settings(n_rows: int) -> dict[str, Any]:
    """Return scikit-learn's defaults, but for leaves on small tables and no early stopping."""
    return {
        "categorical_features": "from_dtype",
        "early_stopping": False,
        "min_samples_leaf": _boosting_leaf(n_rows),
    }


def _neighbours(n_rows: int) -> int:
    """Return about the square root of the rows: few enough to be local, enough for a rate."""
    return max(1, min(MAX_NEIGHBOURS, math.isqrt(n_rows)))


def _tree_leaf(n_rows: int) -> int:
    return max(5, min(100, n_rows // 50))


def _forest_leaf(n_rows: int) -> int:
    return max(1, min(5, n_rows // 500))


def _boosting_leaf(n_rows: int) -> int:
    return max(3, min(20, n_rows // 20))


def _as_dataset(X: Any, y: Any) -> Dataset:
    frame = pd.DataFrame(X).reset_index(drop=True)
    frame.columns = pd.Index([str(name) for name in frame.columns])
    target = pd.Series(np.asarray(y).reshape(-1), name="target")
    if len(frame) != len(target):
        msg = f"X and y must have the same length; got {len(frame)} and {len(target)} rows."
        raise InputError(msg)
    many = pd.api.types.is_numeric_dtype(target) and target.nunique() > 20
    if many or type_of_target(target).startswith("continuous"):
        return Dataset("table", frame, target.astype(float), task="regression")
    codes, labels = pd.factorize(target, sort=True)
    task: Task = "binary" if len(labels) == 2 else "multiclass"
    names = tuple(str(label) for label in labels)
    return Dataset("table", frame, pd.Series(codes, name="target"), task=task, classes=names)
