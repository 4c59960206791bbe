"""An ensemble as one scikit-learn estimator: to be fitted on all rows, kept and used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted

from lib.ensembles.combine import Members, fit_combiner, make_score, within
from lib.ensembles.methods import Combiner, Floats, Weighted
from lib.evaluation import FitOnce, predict_each


class _Ensemble(_BaseComposition):  # type: ignore[misc]
    """What both kinds share: members that are fitted, and a way to combine that is fitted already.

    Parameters
    ----------
    members : sequence of (str, scikit-learn estimator)
        Unfitted.
    combiner : Combiner
        Fitted on out-of-fold predictions of the members, in this order.
    """

    def __init__(self, members: Sequence[tuple[str, Any]], combiner: Combiner) -> None:
        self.members = members
        self.combiner = combiner

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """Return parameters, those of members as "name__parameter": some hold rows' groups."""
        params: dict[str, Any] = self._get_params("members", deep=deep)
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of members too."""
        self._set_params("members", **params)
        return self

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        time: Any = None,
        once: FitOnce | None = None,
    ) -> Self:
        """Fit every member; members that prepare their rows alike share what prepares them.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)
            Raw columns.
        y : array-like of shape (n_rows,)
            Codes of classes from 0, or values.
        sample_weight, groups, time : array-like of shape (n_rows,), optional
            Handed to members that name them.
        once : FitOnce, optional
            What other models have fitted on these very rows.

        Returns
        -------
        self
        """
        given = {"sample_weight": sample_weight, "groups": groups, "time": time}
        columns = {name: np.asarray(v) for name, v in given.items() if v is not None}
        once = once or FitOnce(X, y, columns)
        self.fitted_ = [once.fit(member) for _, member in self.members]
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return what a file keeps: a step that members share is in it once."""
        state: dict[str, Any] = super().__getstate__()
        return state | {"fitted_": _pack(self.fitted_)} if "fitted_" in state else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Give the members their shared steps again."""
        fitted = {"fitted_": _unpack(state["fitted_"])} if "fitted_" in state else {}
        super().__setstate__(state | fitted)

    def _combine(self, X: Any, n_classes: int) -> Floats:
        check_is_fitted(self, "fitted_")
        parts = predict_each(self.fitted_, X, n_classes=n_classes)
        return within(self.combiner.predict(np.stack(parts)))


def _pack(fitted: Sequence[Any]) -> dict[str, Any]:
    """Return the steps of pipelines, each object once, and where each pipeline has them."""
    steps: dict[int, Any] = {}
    places: dict[int, int] = {}
    members = []
    for model in fitted:
        named = model.steps if isinstance(model, Pipeline) else [("", model)]
        for _, step in named:
            steps.setdefault(id(step), step)
            places.setdefault(id(step), len(places))
        members.append([(name, places[id(step)]) for name, step in named])
    return {"steps": list(steps.values()), "members": members}


def _unpack(packed: dict[str, Any]) -> list[Any]:
    """Return the models that `_pack` was given."""
    fitted = []
    for member in packed["members"]:
        named = [(name, packed["steps"][place]) for name, place in member]
        fitted.append(Pipeline(named) if named[0][0] else named[0][1])
    return fitted


class EnsembleClassifier(ClassifierMixin, _Ensemble):  # type: ignore[misc]
    """Combined probabilities of classifiers.

    Parameters
    ----------
    members : sequence of (str, scikit-learn classifier)
        Unfitted.
    combiner : Combiner
        Fitted on out-of-fold probabilities of the members, in this order.

    Attributes
    ----------
    classes_ : ndarray of int
        Codes of the classes.
    fitted_ : list of scikit-learn classifier
        The members.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from lib.ensembles.methods import Voting
    >>> members = [(name, DummyClassifier()) for name in "ab"]
    >>> model = EnsembleClassifier(members, Voting()).fit([[0], [1], [2], [3]], [0, 0, 0, 1])
    >>> model.predict_proba([[9]]).tolist(), model.predict([[9]]).tolist()
    ([[0.75, 0.25]], [0])
    """

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        time: Any = None,
        once: FitOnce | None = None,
    ) -> Self:
        """Fit every member; see `_Ensemble.fit`."""
        self.classes_ = np.arange(int(np.max(y)) + 1)
        return super().fit(X, y, sample_weight, groups=groups, time=time, once=once)

    def predict_proba(self, X: Any) -> Floats:
        """Return combined probabilities of `classes_`."""
        check_is_fitted(self, "fitted_")
        return self._combine(X, len(self.classes_))

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class EnsembleRegressor(RegressorMixin, _Ensemble):  # type: ignore[misc]
    """Combined values of regressors.

    Parameters
    ----------
    members : sequence of (str, scikit-learn regressor)
        Unfitted.
    combiner : Combiner
        Fitted on out-of-fold values of the members, in this order.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from lib.ensembles.methods import Voting
    >>> members = [("mean", DummyRegressor()), ("median", DummyRegressor(strategy="median"))]
    >>> EnsembleRegressor(members, Voting()).fit([[0], [1], [2]], [0, 0, 3]).predict([[9]]).tolist()
    [0.5]
    """

    def predict(self, X: Any) -> Floats:
        """Return combined values."""
        return self._combine(X, 0)


def make_ensembles(
    members: Members,
    estimators: Mapping[str, Any],
    methods: Sequence[str],
    *,
    scoring: str | None = None,
    random_state: int = 0,
) -> dict[str, Any]:
    """Return ensembles that learned to combine from all out-of-fold predictions.

    Parameters
    ----------
    members : Members
        From `gather_members`.
    estimators : mapping of str to scikit-learn estimator
        Unfitted; of every member, or the ensemble cannot be made.
    methods : sequence of str
        As in `combine`.
    scoring : str, optional
        What greedy selection maximises; the task's default metric otherwise.
    random_state : int
        Seed of bags and of the blend's rows.

    Returns
    -------
    dict of str to EnsembleClassifier or EnsembleRegressor
        By method; members without weight are left out. Empty when a member has no estimator.
    """
    if set(members.names) - set(estimators):
        return {}
    kind = EnsembleRegressor if members.dataset.task == "regression" else EnsembleClassifier
    score = make_score(members, scoring)
    made = {}
    for method in methods:
        combiner = fit_combiner(method, members.parts, members.y, score, random_state)
        names = list(members.names)
        weights = getattr(combiner, "weights", None)
        if weights is not None:
            names = [name for name, weight in zip(names, weights, strict=True) if weight > 0]
            combiner = Weighted(np.asarray(weights)[np.asarray(weights) > 0])
        made[method] = kind([(name, estimators[name]) for name in names], combiner)
    return made
