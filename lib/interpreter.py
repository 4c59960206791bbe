"""One object for a model at hand: what it has learned, as tables and figures.

The short form of analysis 13 for any fitted scikit-learn estimator or pipeline. It explains the
rows that it is given; analysis 13 fits models on folds and so explains each row by a model that
has not seen it, with intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import is_classifier
from threadpoolctl import threadpool_limits

from lib import explanation, plots
from lib.errors import InputError
from lib.evaluation import default_scoring, scorers

Floats = npt.NDArray[np.float64]
Axes = Any  # matplotlib's, whose home is `lib.plots`
MAX_SAMPLED = 200  # rows that are explained where contributions are sampled


@dataclass(frozen=True, eq=False)
class ShapAnalysis:
    """Contributions of columns to predictions.

    Attributes
    ----------
    table : DataFrame
        column, size (mean |contribution|), share; the largest first.
    explanation : Explanation
        Contributions of every row.
    points, bars : matplotlib Axes
        The two summaries.
    note : str
        How contributions were computed and on how many rows.
    """

    table: pd.DataFrame
    explanation: explanation.Explanation
    points: Axes
    bars: Axes
    note: str


@dataclass(frozen=True, eq=False)
class PermutationAnalysis:
    """What is lost when a column is shuffled.

    Attributes
    ----------
    table : DataFrame
        column, mean and std (over shuffles); the largest first.
    axes : matplotlib Axes
        The first fifteen.
    note : str
        What is lost, and on how many rows.
    """

    table: pd.DataFrame
    axes: Axes
    note: str


class ModelInterpreter:
    """Explains a fitted model on a table.

    Parameters
    ----------
    model : fitted scikit-learn estimator or pipeline
        A classifier with probabilities, or a regressor.
    X_train : DataFrame of pandas or polars, or array of shape (n, p)
        Rows that say what is usual; as the model was fitted on.
    X_test : DataFrame of pandas or polars, or array of shape (m, p)
        Rows to explain: better not those it was fitted on.
    feature_names : sequence of str, optional
        Own names of the columns; those of the frame, or x0, x1, … otherwise.
    random_state : int
        Seed of samples and shuffles.

    Raises
    ------
    InputError
        When the tables do not fit together or the model gives no probabilities.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LinearRegression().fit(X[:300], y[:300])
    >>> interpreter = ModelInterpreter(model, X[:300], X[300:])
    >>> analysis = interpreter.shap_analysis(sample_size=100)
    >>> analysis.table["column"].head(3).tolist(), analysis.note
    (['s5', 'bmi', 's1'], '100 rows; exact, from the coefficients')
    >>> interpreter.permutation_importance_analysis(y[300:]).table.columns.tolist()
    ['column', 'mean', 'std']
    """

    def __init__(
        self,
        model: Any,
        X_train: Any,
        X_test: Any,
        feature_names: Sequence[str] | None = None,
        *,
        random_state: int = 0,
    ) -> None:
        self.model = model
        self.X_train, self.X_test = _as_table(X_train), _as_table(X_test)
        n_columns = self.X_train.shape[1]
        if self.X_test.shape[1] != n_columns or not len(self.X_test) or not len(self.X_train):
            msg = (
                "X_train and X_test must have rows and the same columns; got shapes "
                f"{self.X_train.shape} and {self.X_test.shape}."
            )
            raise InputError(msg)
        own = [str(name) for name in self.X_train.columns]
        self.feature_names = list(map(str, feature_names)) if feature_names is not None else own
        if len(self.feature_names) != n_columns:
            msg = f"Give one name a column: {n_columns}, got {len(self.feature_names)}."
            raise InputError(msg)
        self.random_state = random_state
        self.classes = list(model.classes_) if is_classifier(model) else None
        with threadpool_limits(1):
            self.opened = explanation.open_model(
                model,
                self.X_train,
                classes=self.classes,
                background=self.X_train,
                random_state=random_state,
            )

    @property
    def task(self) -> str:
        """What is predicted: "binary", "multiclass" or "regression"."""
        if self.classes is None:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    def shap_analysis(self, sample_size: int = 1_000, *, max_display: int = 15) -> ShapAnalysis:
        """Return contributions of the columns to predictions, and draw them as points and bars.

        Parameters
        ----------
        sample_size : int
            Rows of the test table, drawn at random; at most 200 where contributions have to be
            sampled (any model but LightGBM, linear models and scikit-learn's trees).
        max_display : int
            Columns to draw.

        Returns
        -------
        ShapAnalysis
        """
        n_rows = sample_size if self.opened.is_exact else min(sample_size, MAX_SAMPLED)
        rows = _draw(len(self.X_test), n_rows, self.random_state)
        with threadpool_limits(1):
            explained = explanation.explain(
                self.opened, self.X_test.iloc[rows], names=self.feature_names, rows=rows
            )
        explanation.check_additivity(explained)
        sizes = explained.importance()
        table = pd.DataFrame({"column": self.feature_names, "size": sizes})
        table["share"] = sizes / (float(sizes.sum()) or 1.0)
        order = np.argsort(-sizes.round(12), kind="stable")
        return ShapAnalysis(
            table=table.iloc[order].reset_index(drop=True),
            explanation=explained,
            points=plots.plot_contributions(explained, max_columns=max_display),
            bars=plots.plot_contribution_sizes(explained, max_columns=max_display),
            note=f"{len(rows):,} rows; {self.opened.route}",
        )

    def permutation_importance_analysis(
        self,
        y_test: Any = None,
        *,
        scoring: str | None = None,
        n_repeats: int = 10,
        max_rows: int = 4_000,
        max_display: int = 15,
    ) -> PermutationAnalysis:
        """Return what shuffling each column costs, and draw the first fifteen.

        Parameters
        ----------
        y_test : array-like of shape (m,), optional
            The truth: then it costs score. Without it, it moves predictions, and the mean size of
            that move is given: what the model listens to, right or wrong.
        scoring : str, optional
            A name of `evaluation.scorers`; the task's default one otherwise.
        n_repeats : int
            Shuffles a column.
        max_rows : int
            Rows to shuffle; more are sampled.
        max_display : int
            Columns to draw.

        Returns
        -------
        PermutationAnalysis
        """
        rows = _draw(len(self.X_test), max_rows, self.random_state)
        with threadpool_limits(1):
            matrix = self.opened.prepare(self.X_test.iloc[rows])
            label, lose = self._make_loss(matrix, y_test, rows, scoring)
            rng = np.random.default_rng(self.random_state)
            shuffles = [rng.permutation(len(rows)) for _ in range(n_repeats)]
            losses = np.zeros((len(self.feature_names), n_repeats))
            for position in range(len(losses)):
                cells = self.opened.cells_of([position])
                for repeat, shuffle in enumerate(shuffles if len(cells) else []):
                    changed = matrix.copy()
                    changed[:, cells] = matrix[np.ix_(shuffle, cells)]
                    losses[position, repeat] = lose(changed)
        table = pd.DataFrame(
            {
                "column": self.feature_names,
                "mean": losses.mean(axis=1),
                "std": losses.std(axis=1, ddof=1) if n_repeats > 1 else np.nan,
            }
        )
        order = np.argsort(-table["mean"].round(12).to_numpy(dtype=float), kind="stable")
        table = table.iloc[order].reset_index(drop=True)
        axes = plots.plot_shuffles(table, what=label, max_rows=max_display)
        return PermutationAnalysis(table, axes, f"{label}; {len(rows):,} rows")

    def explain_row(self, row: int, *, n_top: int = 6) -> tuple[pd.DataFrame, Axes]:
        """Return one row's contributions beside a local line's (LIME's method), and draw them.

        Parameters
        ----------
        row : int
            Position in the test table.
        n_top : int
            Columns of the table.

        Returns
        -------
        table : DataFrame
            column, contribution, surrogate, same_sign; `attrs["r2"]` says how well the line
            imitates the model there.
        axes : matplotlib Axes
            The waterfall.
        """
        if not 0 <= row < len(self.X_test):
            msg = f"Row {row} is not in the test table: it has rows 0 to {len(self.X_test) - 1}."
            raise InputError(msg)
        with threadpool_limits(1):
            kept = _draw(len(self.X_train), 2_000, self.random_state)
            background = self.opened.prepare(self.X_train.iloc[kept])
            explained = explanation.explain(
                self.opened,
                self.X_test.iloc[[row]],
                names=self.feature_names,
                rows=np.array([row], dtype=np.intp),
            )
            output = int(np.argmax(explained.raw[0])) if explained.raw.ndim == 2 else 0
            local = explanation.explain_locally(
                self.opened,
                self.opened.prepare(self.X_test.iloc[[row]])[0],
                background,
                output=output,
                random_state=self.random_state,
            )
        values = explained.of(output).contributions[0]
        table = explanation.describe_local(local, values, self.feature_names, n_top=n_top)
        table.attrs["r2"] = local.r2
        return table, plots.plot_waterfall(explained, 0)

    def _make_loss(
        self, matrix: Floats, y_test: Any, rows: npt.NDArray[np.intp], scoring: str | None
    ) -> tuple[str, Callable[[Floats], float]]:
        """Return what is lost, in words, and the function that says how much."""
        predict, whole = self.opened.predict, self.opened.predict(matrix)
        if y_test is None:
            return "mean change of the prediction", lambda changed: float(
                np.abs(predict(changed) - whole).mean()
            )
        y = np.asarray(y_test).reshape(-1)
        if len(y) != len(self.X_test):
            msg = f"y_test must have one value a test row: {len(self.X_test)}, got {len(y)}."
            raise InputError(msg)
        y = y[rows]
        if self.classes is not None:
            codes = {label: i for i, label in enumerate(self.classes)}
            unknown = [label for label in y.tolist() if label not in codes]
            if unknown:
                msg = f"y_test holds labels that the model does not know, such as {unknown[0]!r}."
                raise InputError(msg)
            y = np.array([codes[label] for label in y.tolist()])
        name = scoring or default_scoring(self.task)
        known = scorers(self.task)
        if name not in known:
            msg = f"A {self.task} task is scored by {', '.join(known)}; got '{name}'."
            raise InputError(msg)
        compute = known[name].compute
        score = compute(y, whole, None)
        return (
            f"loss of {known[name].label}",
            lambda changed: score - compute(y, predict(changed), None),
        )


def _as_table(X: Any) -> pd.DataFrame:
    if hasattr(X, "to_pandas"):
        return pd.DataFrame(X.to_pandas())
    if isinstance(X, pd.DataFrame):
        return X.reset_index(drop=True)
    array = np.asarray(X)
    if array.ndim != 2:
        msg = f"A table has rows and columns; got an array of shape {array.shape}."
        raise InputError(msg)
    return pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])


def _draw(n_rows: int, n_drawn: int, random_state: int) -> npt.NDArray[np.intp]:
    if n_rows <= n_drawn:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(random_state).permutation(n_rows)[:n_drawn])
