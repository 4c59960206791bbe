"""Contributions of columns to single predictions, and what they say over many rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.errors import InputError
from lib.estimates import corrected_mean
from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModels, own_names
from lib.explanation.opening import Ints, OpenModel


@dataclass(frozen=True, eq=False)
class Explanation:
    """Predictions taken apart into contributions of the columns (SHAP values).

    Attributes
    ----------
    contributions : array of shape (n, p) or (n, p, K)
        In `unit`; base plus the sum over columns is `raw`.
    base : array of shape (n,) or (n, K)
        What the model says of a row that it knows nothing about.
    raw : array of shape (n,) or (n, K)
        What the model says of the row.
    X : DataFrame of shape (n, p)
        The rows.
    rows : array of int, shape (n,)
        Their positions in the dataset.
    fold : array of int, shape (n,)
        By which model they were explained.
    names : tuple of str
        The columns' own names.
    outputs : tuple of str
        Classes of a multiclass model; ().
    unit : str
        "log-odds", "probability" or "unit of the target".
    route : str
        How contributions were computed.
    """

    contributions: Floats
    base: Floats
    raw: Floats
    X: pd.DataFrame
    rows: Ints
    fold: Ints
    names: tuple[str, ...]
    outputs: tuple[str, ...]
    unit: str
    route: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def gap(self) -> float:
        """Largest |base + sum of contributions - raw|, relative where raw is beyond 1."""
        missed = np.abs(self.base + self.contributions.sum(axis=1) - self.raw)
        return float((missed / np.maximum(np.abs(self.raw), 1)).max(initial=0.0))

    def importance(self, rows: Ints | None = None) -> Floats:
        """Return the mean size of the contributions of each column, over rows and outputs."""
        chosen = self.contributions if rows is None else self.contributions[rows]
        sizes: Floats = np.abs(chosen).mean(axis=0)
        return sizes if sizes.ndim == 1 else sizes.mean(axis=1)

    def of(self, output: int) -> Explanation:
        """Return the explanation of one output of a multiclass model."""
        if self.contributions.ndim == 2:
            return self
        return replace(
            self,
            contributions=self.contributions[:, :, output],
            base=self.base[:, output],
            raw=self.raw[:, output],
            outputs=(self.outputs[output],),
        )

    def take(self, places: Ints) -> Explanation:
        """Return the explanation of some of the rows, by their places in this one."""
        return replace(
            self,
            contributions=self.contributions[places],
            base=self.base[places],
            raw=self.raw[places],
            X=self.X.iloc[places].reset_index(drop=True),
            rows=self.rows[places],
            fold=self.fold[places],
        )


def explain(
    model: OpenModel,
    X: pd.DataFrame,
    *,
    names: Sequence[str] | None = None,
    rows: Ints | None = None,
    matrix: Floats | None = None,
    fold: int = 0,
) -> Explanation:
    """Return the contributions of every column to a model's predictions.

    Parameters
    ----------
    model : OpenModel
        From `open_model`.
    X : DataFrame of shape (n, p)
        Rows to explain.
    names : sequence of str, optional
        The columns' own names.
    rows : array of int, optional
        Their positions in the dataset; 0, 1, … by default.
    matrix : array of shape (n, q), optional
        `X` already prepared.
    fold : int
        To remember.

    Returns
    -------
    Explanation

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.explanation import open_model
    >>> X = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})
    >>> opened = open_model(LinearRegression().fit(X, 2 * X["a"]), X, classes=None)
    >>> explained = explain(opened, X)
    >>> explained.contributions.round(6)[:, 0].tolist(), explained.base.round(6).tolist()
    ([-3.0, -1.0, 1.0, 3.0], [3.0, 3.0, 3.0, 3.0])
    """
    prepared = model.prepare(X) if matrix is None else matrix
    values, base = model.shapley(prepared)
    return Explanation(
        contributions=values,
        base=np.asarray(base),
        raw=model.raw(prepared),
        X=X.reset_index(drop=True),
        rows=np.arange(len(X)) if rows is None else rows,
        fold=np.full(len(X), fold, dtype=np.intp),
        names=tuple(model.columns if names is None else names),
        outputs=model.outputs,
        unit=model.unit,
        route=model.route,
    )


def explain_out_of_fold(
    models: FoldModels, *, max_rows: int | None = None, random_state: int = 0
) -> Explanation:
    """Return contributions of rows by models that did not see them.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.
    max_rows : int, optional
        More rows are sampled.
    random_state : int
        Seed of that sample.

    Returns
    -------
    Explanation
        Rows in the order of the dataset.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds
    >>> from lib.models import baselines
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(300, n_informative=1, n_noise=1, n_categories=0)
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=2))
    >>> fitted = fit_folds(baselines(dataset, load_config())["LightGBM"], dataset, folds)
    >>> explanation = explain_out_of_fold(fitted)
    >>> explanation.gap < 1e-9, bool(np.diff(explanation.importance())[0] < 0)
    (True, True)
    """
    dataset = models.dataset
    tested = np.concatenate([one.test[places] for one, places in models.first_pass()])
    kept = np.zeros(len(dataset), dtype=bool)
    if max_rows is not None and len(tested) > max_rows:
        rng = np.random.default_rng(random_state)
        tested = rng.permutation(np.sort(tested))[:max_rows]
    kept[tested] = True
    parts = []
    for one, places in models.first_pass():
        chosen = places[kept[one.test[places]]]
        if len(chosen):
            rows = one.test[chosen]
            parts.append(
                explain(
                    one.model,
                    dataset.X.iloc[rows],
                    names=own_names(dataset),
                    rows=rows,
                    matrix=one.matrix[chosen],
                    fold=one.fold,
                )
            )
    return _join(parts)


def _join(parts: Sequence[Explanation]) -> Explanation:
    rows = np.concatenate([part.rows for part in parts])
    whole = replace(
        parts[0],
        contributions=np.concatenate([part.contributions for part in parts]),
        base=np.concatenate([part.base for part in parts]),
        raw=np.concatenate([part.raw for part in parts]),
        X=pd.concat([part.X for part in parts]).reset_index(drop=True),
        rows=rows,
        fold=np.concatenate([part.fold for part in parts]),
    )
    return whole.take(np.argsort(rows, kind="stable"))


def check_additivity(explanation: Explanation, *, tolerance: float = 1e-6) -> None:
    """Raise unless base and contributions add up to the model's output on every row.

    Parameters
    ----------
    explanation : Explanation
        Of any model.
    tolerance : float
        Largest gap allowed, relative where the output is beyond 1.

    Raises
    ------
    InputError
        With the gap.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.explanation import open_model
    >>> X = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})
    >>> opened = open_model(LinearRegression().fit(X, 2 * X["a"]), X, classes=None)
    >>> explained = explain(opened, X)
    >>> check_additivity(explained)  # says nothing: it adds up
    >>> check_additivity(replace(explained, base=explained.base + 1))
    Traceback (most recent call last):
    lib.errors.InputError: Contributions must add up to the prediction; they miss it by 1.
    """
    gap = explanation.gap
    if not gap <= tolerance:
        msg = f"Contributions must add up to the prediction; they miss it by {gap:.2g}."
        raise InputError(msg)


def tabulate_contributions(
    explanation: Explanation, test_fraction: float, *, level: float = 0.95
) -> pd.DataFrame:
    """Return the mean size of each column's contributions, with intervals over folds.

    Parameters
    ----------
    explanation : Explanation
        Out of fold.
    test_fraction : float
        Share of the rows that a fold tests on.
    level : float
        Coverage of the Nadeau-Bengio intervals.

    Returns
    -------
    DataFrame
        Largest first: column (own name), size (Estimate, mean |contribution|), share (of the sum
        over columns), position (in the table). Without intervals when one model explained all.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import explain_out_of_fold, fit_folds, make_rounds
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> table = tabulate_contributions(explain_out_of_fold(fitted), fitted.folds.test_fraction)
    >>> table["column"].tolist(), bool(table["share"].iloc[0] > 0.8)
    (['signal_1', 'noise_1'], True)
    """
    folds = np.unique(explanation.fold)
    by_fold = np.array([explanation.importance(explanation.fold == fold) for fold in folds])
    sizes = by_fold.mean(axis=0)
    total = float(sizes.sum()) or 1.0
    table = pd.DataFrame(
        {
            "column": explanation.names,
            "size": [
                corrected_mean(column, test_fraction, level=level, bounds=(0.0, math.inf))
                for column in by_fold.T
            ],
            "share": sizes / total,
            "position": np.arange(len(sizes)),
        }
    )
    return table.iloc[rank_order(sizes)].reset_index(drop=True)


def rank_order(sizes: Floats) -> Ints:
    """Return positions from the largest on; ties, to the ninth digit, keep the table's order.

    Examples
    --------
    >>> rank_order(np.array([1.0, 3.0, 3.0 + 1e-12])).tolist()
    [1, 2, 0]
    """
    scale = float(np.abs(sizes).max(initial=0.0)) or 1.0
    return np.argsort(-np.round(sizes / scale, 9), kind="stable")


def describe_direction(explanation: Explanation, position: int) -> str:
    """Return in words how a column of numbers moves the first output: "higher raises it".

    Parameters
    ----------
    explanation : Explanation
        Of one output.
    position : int
        Of the column.

    Returns
    -------
    str
        "higher raises it", "higher lowers it", "it depends" where ranks of values and
        contributions correlate by less than one half, and "by category" for anything but numbers.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.explanation import open_model
    >>> X = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})
    >>> opened = open_model(LinearRegression().fit(X, 2 * X["a"]), X, classes=None)
    >>> describe_direction(explain(opened, X), 0)
    'higher raises it'
    """
    column = explanation.X.iloc[:, position]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return "by category" if isinstance(column.dtype, pd.CategoricalDtype) else "by content"
    pair = pd.DataFrame({"x": column.astype(float), "v": explanation.contributions[:, position]})
    ranks = pair.dropna().rank()
    if len(ranks) < 3 or (ranks.std() == 0).any():
        return "it depends"
    r = float(ranks["x"].corr(ranks["v"]))
    if abs(r) < 0.5:
        return "it depends"
    return "higher raises it" if r > 0 else "higher lowers it"
