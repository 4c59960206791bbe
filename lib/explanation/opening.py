"""A fitted model taken apart: columns in, a matrix of numbers, and what the model makes of it.

Preparation such as skrub's `TableVectorizer` works column by column. So a fitted pipeline can be
opened once: the table is prepared, each prepared column knows the column that it came from (its
owner), and everything that asks the model a thousand times works on the matrix.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special
from sklearn.pipeline import Pipeline

from lib.errors import InputError
from lib.explanation.coding import Coding, Floats, learn_coding

Ints = npt.NDArray[np.intp]
Shapley = tuple[Floats, Floats]
LOG_ODDS, PROBABILITY, TARGET = "log-odds", "probability", "unit of the target"
# Steps that treat each column on its own, so that exchanging one leaves the others as they are.
COLUMN_BY_COLUMN = frozenset(
    {
        "MaxAbsScaler",
        "MinMaxScaler",
        "RobustScaler",
        "SimpleImputer",
        "SquashingScaler",
        "StandardScaler",
        "TableVectorizer",
    }
)
INDICATOR = "missingindicator_"
EXACT_TREES = ("DecisionTree", "ExtraTree", "RandomForest", "GradientBoosting", "HistGradient")
N_BACKGROUND = 25  # rows that stand for "not known" where a model cannot be opened
N_ORDERS = 4  # orders in which columns become known, each also backwards
MAX_CHECKED = 40
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class OpenModel:
    """A fitted model, opened.

    Attributes
    ----------
    columns : tuple of str
        The p columns of the table, by name.
    outputs : tuple of str
        Names of the K outputs of a multiclass model; () for one output.
    owners : array of int, shape (q,)
        For each prepared column, the position of the column it came from.
    prepare : callable
        Takes a table (n, p), returns numbers (n, q).
    raw : callable
        Takes (n, q), returns what contributions add up to: (n,) or (n, K).
    predict : callable
        Takes (n, q), returns what metrics take: probabilities (n, n_classes), or values (n,).
    shapley : callable
        Takes (n, q), returns contributions (n, p) or (n, p, K) and the base (n,) or (n, K).
    unit : str
        Of `raw`.
    route : str
        How contributions are computed, in words.
    builtin : mapping of str to array of shape (p,)
        The model's own importances.
    is_exact : bool
        Whether contributions are computed and not sampled.
    """

    columns: tuple[str, ...]
    outputs: tuple[str, ...]
    owners: Ints
    prepare: Callable[[pd.DataFrame], Floats]
    raw: Callable[[Floats], Floats]
    predict: Callable[[Floats], Floats]
    shapley: Callable[[Floats], Shapley]
    unit: str
    route: str
    builtin: Mapping[str, Floats] = field(default_factory=dict)
    is_exact: bool = True

    def cells_of(self, positions: Sequence[int]) -> Ints:
        """Return the prepared columns that belong to columns."""
        return np.flatnonzero(np.isin(self.owners, list(positions)))


def open_model(
    estimator: Any,
    X: pd.DataFrame,
    *,
    classes: Sequence[Any] | None,
    class_names: Sequence[str] | None = None,
    background: pd.DataFrame | None = None,
    random_state: int = 0,
) -> OpenModel:
    """Return a fitted model opened.

    LightGBM, linear models and scikit-learn's trees are explained exactly; any other model by
    sampled orders of the columns, against 25 background rows.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator or pipeline
        Fitted on tables with the columns of `X`.
    X : DataFrame of shape (n, p)
        Rows to learn values and types from.
    classes : sequence or None
        All labels by code, of which the model may have seen a part; None for regression.
    class_names : sequence of str, optional
        The classes' own names, where they are not the labels.
    background : DataFrame of shape (m, p), optional
        Rows that say what is usual, `X` by default: linear and sampled contributions are
        differences from it.
    random_state : int
        Seed of the sampled orders.

    Returns
    -------
    OpenModel

    Raises
    ------
    InputError
        When the model gives no probabilities, or its outputs do not repeat.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> X = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})
    >>> opened = open_model(LinearRegression().fit(X, 2 * X["a"]), X, classes=None)
    >>> opened.route
    'exact, from the coefficients'
    >>> opened.shapley(opened.prepare(X))[0].round(6)[:, 0].tolist()
    [-3.0, -1.0, 1.0, 3.0]
    """
    usual = X if background is None else background
    steps, final = _flatten(estimator)
    traced = _trace(steps, X)
    kind = type(final).__name__
    outcome = _Outcome.of(estimator, classes, class_names)
    if traced is not None and hasattr(final, "booster_") and len(outcome.known) != 1:
        opened = _open_boosting(final, X, traced, outcome)
    elif traced is not None and _is_linear(final, outcome) and len(outcome.known) != 1:
        opened = _open_linear(final, X, traced, outcome, usual)
    else:
        coding = learn_coding(X, usual)
        opened = _open_any(estimator, X, coding, outcome, usual=usual, random_state=random_state)
        if kind.startswith(EXACT_TREES) and traced is not None and len(outcome.known) != 1:
            opened = _open_trees(final, X, traced, outcome) or opened
    _check_opened(estimator, opened, X, outcome)
    return opened


@dataclass(frozen=True)
class _Outcome:
    """Which outputs there are, and which of them the fitted model knows."""

    n_classes: int
    known: Ints  # codes of the model's classes among all
    names: tuple[str, ...]

    @classmethod
    def of(
        cls, estimator: Any, classes: Sequence[Any] | None, class_names: Sequence[str] | None
    ) -> _Outcome:
        if classes is None:
            return cls(0, np.array([], dtype=np.intp), ())
        labels = list(classes)
        seen = list(np.asarray(getattr(estimator, "classes_", labels)).tolist())
        codes = {label: i for i, label in enumerate(labels)}
        if not set(seen) <= set(codes):  # labels, where the model was fitted on codes
            codes = {i: i for i in range(len(labels))}
        known = np.array([codes[label] for label in seen], dtype=np.intp)
        names = tuple(map(str, class_names or labels)) if len(labels) > 2 else ()
        return cls(len(labels), known, names)

    def spread(self, values: Floats, *, fill: float = 0.0) -> Floats:
        """Return outputs (n, ..., k) of the known classes as outputs of all K classes."""
        everything = np.full((*values.shape[:-1], self.n_classes), fill)
        everything[..., self.known] = values
        return everything

    def both(self, margin: Floats) -> Floats:
        """Return one margin (n, ...) as outputs: itself for two classes, else a pair of many."""
        if not self.names:
            return margin
        return self.spread(np.stack([-margin / 2, margin / 2], axis=-1))


@dataclass(frozen=True)
class _Traced:
    """Fitted steps in a row, and the owner of each column that comes out."""

    steps: tuple[Any, ...]
    owners: Ints

    def transform(self, X: pd.DataFrame) -> Any:
        table: Any = X
        if self.steps and not _takes_names(self.steps[0], X):
            table = X.to_numpy()
        for step in self.steps:
            table = step.transform(table)
        return table


def _flatten(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps before the model, pipelines inside pipelines included, and the model."""
    if not isinstance(estimator, Pipeline):
        return [], estimator
    steps = []
    for _, step in estimator.steps[:-1]:
        if step is None or step == "passthrough":
            continue
        before, last = _flatten(step)
        steps += [*before, last]
    before, final = _flatten(estimator.steps[-1][1])
    return [*steps, *before], final


def _trace(steps: Sequence[Any], X: pd.DataFrame) -> _Traced | None:
    """Return the steps with owners, or None where a step may mix columns."""
    names = [str(name) for name in X.columns]
    if len(set(names)) < len(names):
        return None if steps else _Traced((), np.arange(len(names)))
    owner = {name: i for i, name in enumerate(names)}
    table: Any = X.iloc[:2]
    if steps and not _takes_names(steps[0], X):
        table = table.to_numpy()
    for step in steps:
        if not _is_column_by_column(step):
            return None
        table = step.transform(table)
        came_from = getattr(step, "output_to_input_", {})
        if not hasattr(table, "columns"):
            if table.shape[1] != len(names):
                return None
            continue
        names = [str(name) for name in table.columns]
        next_owner = {}
        for name in names:
            source = str(came_from.get(name, name))
            source = source if source in owner else source.removeprefix(INDICATOR)
            if source not in owner:
                return None
            next_owner[name] = owner[source]
        owner = next_owner
    return _Traced(tuple(steps), np.array([owner[name] for name in names], dtype=np.intp))


def _takes_names(estimator: Any, X: pd.DataFrame) -> bool:
    """Return whether an estimator wants a frame: one fitted on an array complains about names."""
    is_table = any(not pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes)
    return is_table or hasattr(estimator, "feature_names_in_")


def _is_column_by_column(step: Any) -> bool:
    kind = type(step).__name__
    if kind == "FunctionTransformer":
        return getattr(step, "feature_names_out", None) == "one-to-one"
    if kind == "ColumnTransformer":  # that of `features.make_category_codes`
        inner = [name for _, step, _ in step.transformers_ if (name := type(step).__name__)]
        return set(inner) <= {"OrdinalEncoder", "FunctionTransformer", "str"}
    return kind in COLUMN_BY_COLUMN


def _gather(values: Floats, owners: Ints, n_columns: int) -> Floats:
    """Return contributions (n, q, ...) of prepared columns added up by their owners."""
    summed = np.zeros((values.shape[0], n_columns, *values.shape[2:]))
    for cell, owner in enumerate(owners):
        summed[:, owner] += values[:, cell]
    return summed


def _sum_by(owners: Ints, values: Floats, n_columns: int) -> Floats:
    """Return values (q,) of prepared columns added up by their owners."""
    return np.bincount(owners, weights=values, minlength=n_columns).astype(float)


def _open_boosting(final: Any, X: pd.DataFrame, traced: _Traced, outcome: _Outcome) -> OpenModel:
    booster = final.booster_
    categories = list(booster.pandas_categorical or [])
    n_columns, n_known = X.shape[1], len(outcome.known)

    def prepare(table: pd.DataFrame) -> Floats:
        return _as_numbers(traced.transform(table), categories)

    def raw(matrix: Floats) -> Floats:
        score: Floats = booster.predict(matrix, raw_score=True, num_threads=1)
        if score.ndim == 2:
            return outcome.spread(score)
        return outcome.both(score) if n_known else score

    def predict(matrix: Floats) -> Floats:
        made: Floats = booster.predict(matrix, num_threads=1)
        if not n_known:
            return made
        proba = made if made.ndim == 2 else np.column_stack([1 - made, made])
        return outcome.spread(proba)

    def shapley(matrix: Floats) -> Shapley:
        flat: Floats = booster.predict(matrix, pred_contrib=True, num_threads=1)
        n_cells = matrix.shape[1] + 1
        if flat.shape[1] == n_cells:
            values, base = flat[:, :-1], flat[:, -1]
            summed = _gather(values, traced.owners, n_columns)
            return (outcome.both(summed), outcome.both(base)) if n_known else (summed, base)
        cube = flat.reshape(len(flat), -1, n_cells).transpose(0, 2, 1)  # (n, q + 1, K)
        summed = _gather(cube[:, :-1], traced.owners, n_columns)
        return outcome.spread(summed), outcome.spread(cube[:, -1])

    def total(kind: str) -> Floats:
        own = booster.feature_importance(importance_type=kind)
        return _sum_by(traced.owners, own, n_columns)

    return OpenModel(
        columns=tuple(map(str, X.columns)),
        outputs=outcome.names,
        owners=traced.owners,
        prepare=prepare,
        raw=raw,
        predict=predict,
        shapley=shapley,
        unit=LOG_ODDS if n_known else TARGET,
        route="exact, LightGBM's own TreeSHAP",
        builtin={"gain": total("gain"), "splits": total("split")},
    )


def _as_numbers(table: Any, categories: Sequence[Sequence[Any]] = ()) -> Floats:
    """Return a prepared table as LightGBM reads it: categories by their code in training."""
    if not hasattr(table, "columns"):
        return np.asarray(table, dtype=float)
    matrix = np.empty(table.shape)
    coded = iter(categories)
    for i, dtype in enumerate(table.dtypes):
        column = table.iloc[:, i]
        if isinstance(dtype, pd.CategoricalDtype):
            codes = pd.Categorical(column, categories=next(coded, list(dtype.categories))).codes
            matrix[:, i] = np.where(codes < 0, np.nan, codes)
        else:
            matrix[:, i] = column.to_numpy(dtype=float, na_value=np.nan)
    return matrix


def _is_linear(final: Any, outcome: _Outcome) -> bool:
    if not hasattr(final, "coef_") or not hasattr(final, "intercept_"):
        return False
    is_probable = hasattr(final, "predict_proba") and hasattr(final, "decision_function")
    return is_probable if outcome.n_classes else np.ndim(final.coef_) == 1


def _open_linear(
    final: Any, X: pd.DataFrame, traced: _Traced, outcome: _Outcome, usual: pd.DataFrame
) -> OpenModel:
    coefficients = np.atleast_2d(np.asarray(final.coef_, dtype=float))  # (k, q), k = 1 or K
    intercepts = np.atleast_1d(np.asarray(final.intercept_, dtype=float))
    n_columns, n_known = X.shape[1], len(outcome.known)
    names = getattr(final, "feature_names_in_", None)

    def prepare(table: pd.DataFrame) -> Floats:
        return np.asarray(traced.transform(table), dtype=float)

    means = prepare(usual).mean(axis=0)

    def shape(values: Floats) -> Floats:
        if values.shape[-1] == 1:
            return outcome.both(values[..., 0]) if n_known else values[..., 0]
        return outcome.spread(values)

    def raw(matrix: Floats) -> Floats:
        return shape(matrix @ coefficients.T + intercepts)

    def predict(matrix: Floats) -> Floats:
        if not n_known:
            return raw(matrix)
        given = matrix if names is None else pd.DataFrame(matrix, columns=names)
        return outcome.spread(np.asarray(final.predict_proba(given), dtype=float))

    def shapley(matrix: Floats) -> Shapley:
        values = (matrix - means)[:, :, np.newaxis] * coefficients.T  # (n, q, k)
        base = np.broadcast_to(means @ coefficients.T + intercepts, (len(matrix), len(intercepts)))
        return shape(_gather(values, traced.owners, n_columns)), shape(base)

    size = np.abs(coefficients).mean(axis=0) * prepare(usual).std(axis=0)
    return OpenModel(
        columns=tuple(map(str, X.columns)),
        outputs=outcome.names,
        owners=traced.owners,
        prepare=prepare,
        raw=raw,
        predict=predict,
        shapley=shapley,
        unit=LOG_ODDS if n_known else TARGET,
        route="exact, from the coefficients",
        builtin={"coefficient": _sum_by(traced.owners, size, n_columns)},
    )


def _open_any(
    estimator: Any,
    X: pd.DataFrame,
    coding: Coding,
    outcome: _Outcome,
    *,
    usual: pd.DataFrame,
    random_state: int,
) -> OpenModel:
    """Open a model that is only asked for predictions, its columns coded as numbers."""
    n_columns = X.shape[1]
    if outcome.n_classes and not hasattr(estimator, "predict_proba"):
        msg = "The model gives no probabilities: wrap it in CalibratedClassifierCV."
        raise InputError(msg)
    rng = np.random.default_rng(random_state)
    kept = np.sort(rng.permutation(len(usual))[:N_BACKGROUND])
    background = coding.encode(usual.iloc[kept])
    orders = [rng.permutation(n_columns) for _ in range(N_ORDERS)]
    orders += [order[::-1] for order in orders]
    is_named = _takes_names(estimator, X)

    def ask(matrix: Floats) -> Floats:
        table: Any = coding.decode(matrix)
        table = table if is_named else table.to_numpy()
        if not outcome.n_classes:
            return np.asarray(estimator.predict(table), dtype=float).reshape(-1)
        return outcome.spread(np.asarray(estimator.predict_proba(table), dtype=float))

    def raw(matrix: Floats) -> Floats:
        made = ask(matrix)
        return made[:, 1] if outcome.n_classes == 2 else made

    def shapley(matrix: Floats) -> Shapley:
        return sample_shapley(raw, matrix, background, orders)

    return OpenModel(
        columns=tuple(map(str, X.columns)),
        outputs=outcome.names,
        owners=np.arange(n_columns),
        prepare=coding.encode,
        raw=raw,
        predict=ask,
        shapley=shapley,
        unit=PROBABILITY if outcome.n_classes else TARGET,
        route=f"sampled, {len(orders)} orders of the columns, {len(kept)} background rows",
        is_exact=False,
    )


def sample_shapley(
    raw: Callable[[Floats], Floats], matrix: Floats, background: Floats, orders: Sequence[Ints]
) -> Shapley:
    """Return Shapley values by making columns known one after another, in several orders [1]_.

    Parameters
    ----------
    raw : callable
        Takes (m, p), returns (m,) or (m, K).
    matrix : array of shape (n, p)
        Rows to explain.
    background : array of shape (b, p)
        Rows that stand in for what is not known; the output is averaged over them.
    orders : sequence of arrays of shape (p,)
        Best in pairs of an order and its reverse, which is exact for models with pairs at most.

    Returns
    -------
    tuple of arrays
        Contributions (n, p) or (n, p, K), and the base (n,) or (n, K). They add up exactly.

    References
    ----------
    .. [1] E. Štrumbelj, I. Kononenko (2014). Explaining prediction models and individual
       predictions with feature contributions. Knowledge and Information Systems 41:647.

    Examples
    --------
    >>> orders = [np.array([0, 1]), np.array([1, 0])]
    >>> values, base = sample_shapley(
    ...     lambda m: m[:, 0] * m[:, 1], np.array([[2.0, 3.0]]), np.zeros((1, 2)), orders
    ... )
    >>> values.tolist(), base.tolist()
    ([[3.0, 3.0]], [0.0])
    """
    n_columns, n_background = matrix.shape[1], len(background)
    base = raw(background).mean(axis=0)
    explained = []
    for row in matrix:
        # block k of an order has its first k columns known: (orders, p + 1, b, p)
        blocks = np.empty((len(orders), n_columns + 1, n_background, n_columns))
        blocks[:] = background
        for block, order in zip(blocks, orders, strict=True):
            for k, column in enumerate(order):
                block[k + 1 :, :, column] = row[column]
        asked = raw(blocks.reshape(-1, n_columns))  # at once: preparing a table costs most
        asked = asked.reshape(len(orders), n_columns + 1, n_background, *np.shape(base))
        gained = np.zeros((n_columns, *np.shape(base)))
        for path, order in zip(asked.mean(axis=2), orders, strict=True):
            gained[order] += np.diff(path, axis=0)
        explained.append(gained / len(orders))
    shape = (len(matrix), *np.shape(base))
    values = np.array(explained).reshape(len(matrix), n_columns, *np.shape(base))
    return values, np.broadcast_to(base, shape)


def _open_trees(
    final: Any, X: pd.DataFrame, traced: _Traced, outcome: _Outcome
) -> OpenModel | None:
    """Open scikit-learn's trees by TreeExplainer, or return None where it does not add up."""
    with warnings.catch_warnings():  # its colours use what matplotlib will drop
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import TreeExplainer  # noqa: PLC0415 - six seconds to import

    names = getattr(final, "feature_names_in_", None)
    n_columns, n_known = X.shape[1], len(outcome.known)

    def prepare(table: pd.DataFrame) -> Floats:
        return _as_numbers(traced.transform(table))

    def given(matrix: Floats) -> Any:
        return matrix if names is None else pd.DataFrame(matrix, columns=names)

    def predict(matrix: Floats) -> Floats:
        if not n_known:
            return np.asarray(final.predict(given(matrix)), dtype=float)
        return outcome.spread(np.asarray(final.predict_proba(given(matrix)), dtype=float))

    def margins(matrix: Floats) -> Floats:
        if not n_known:
            return predict(matrix)
        if hasattr(final, "decision_function"):
            score = np.asarray(final.decision_function(given(matrix)), dtype=float)
            return outcome.spread(score) if score.ndim == 2 else outcome.both(score)
        made = predict(matrix)
        return made if outcome.names else made[:, 1]

    try:
        explainer = TreeExplainer(final)
    except Exception:  # noqa: BLE001 - any kind of tree that it does not know
        return None

    def shapley(matrix: Floats) -> Shapley:
        values = np.asarray(explainer.shap_values(matrix, check_additivity=False), dtype=float)
        base = np.atleast_1d(np.asarray(explainer.expected_value, dtype=float))
        if values.ndim == 2:  # one margin, or a regression
            summed = _gather(values, traced.owners, n_columns)
            bases = np.full(len(matrix), base[-1])
            return (outcome.both(summed), outcome.both(bases)) if n_known else (summed, bases)
        summed = outcome.spread(_gather(values, traced.owners, n_columns))
        bases = outcome.spread(np.broadcast_to(base, (len(matrix), len(base))))
        return (summed, bases) if outcome.names else (summed[..., 1], bases[..., 1])

    has_margin = hasattr(final, "decision_function")
    opened = OpenModel(
        columns=tuple(map(str, X.columns)),
        outputs=outcome.names,
        owners=traced.owners,
        prepare=prepare,
        raw=margins,
        predict=predict,
        shapley=shapley,
        unit=(LOG_ODDS if has_margin else PROBABILITY) if n_known else TARGET,
        route="exact, shap's TreeExplainer",
        builtin=_impurity(final, traced.owners, n_columns),
    )
    try:
        matrix = prepare(X.iloc[:MAX_CHECKED])
        values, base = shapley(matrix)
        gap = np.abs(base + values.sum(axis=1) - margins(matrix)).max()
    except Exception:  # noqa: BLE001 - such as categories that it cannot split
        return None
    return opened if gap < TOLERANCE else None


def _impurity(final: Any, owners: Ints, n_columns: int) -> dict[str, Floats]:
    own = getattr(final, "feature_importances_", None)
    if own is None:
        return {}
    return {"impurity": _sum_by(owners, np.asarray(own, dtype=float), n_columns)}


def _check_opened(estimator: Any, opened: OpenModel, X: pd.DataFrame, outcome: _Outcome) -> None:
    """Raise unless the opened model predicts what the whole one does."""
    rows = X.iloc[:MAX_CHECKED]
    mine = opened.predict(opened.prepare(rows))
    given: Any = rows if _takes_names(estimator, X) else rows.to_numpy()
    if outcome.n_classes:
        whole = outcome.spread(np.asarray(estimator.predict_proba(given), dtype=float))
    else:
        whole = np.asarray(estimator.predict(given), dtype=float).reshape(-1)
    gap = float(np.abs(mine - whole).max(initial=0.0))
    scale = float(np.abs(whole).max(initial=1.0))
    if not gap <= TOLERANCE * max(scale, 1.0):
        msg = (
            f"{type(estimator).__name__} gives other predictions when its columns are prepared "
            f"apart from it (by {gap:.2g}): give the model without that step, or as one estimator."
        )
        raise InputError(msg)


def to_probability(raw: Floats) -> Floats:
    """Return the probabilities of log-odds (n,), or of one score a class (n, K).

    Examples
    --------
    >>> to_probability(np.array([0.0])).tolist(), to_probability(np.zeros((1, 4))).tolist()
    ([0.5], [[0.25, 0.25, 0.25, 0.25]])
    """
    made = special.expit(raw) if raw.ndim == 1 else special.softmax(raw, axis=1)
    return np.asarray(made, dtype=float)
