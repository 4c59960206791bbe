"""How predictions move with one column: partial dependence, single rows, accumulated effects.

Partial dependence sets a column to a value in every row, also where no such row can exist. Where
columns are correlated that asks the model about places it never saw. Accumulated local effects
only move a row to the next value, and add up the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.estimates import corrected_mean
from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModel, FoldModels
from lib.explanation.grids import Levels, Steps, make_grid
from lib.explanation.opening import Ints, OpenModel
from lib.statistics import column_kinds

N_STEPS = 20  # of a column of numbers
MAX_ROWS = 1_000  # of a fold
MAX_PDP_ROWS = 200
N_ICE = 40  # curves of single rows
PDP, ALE = "partial dependence", "accumulated local effect"
CURVE_COLUMNS = [
    "column", "position", "kind", "method", "output", "x", "level", "effect", "low", "high", "share"
]  # fmt: skip
ICE_COLUMNS = ["column", "position", "output", "row", "x", "effect"]


@dataclass(frozen=True, eq=False)
class Effects:
    """Curves of several columns.

    Attributes
    ----------
    curves : DataFrame
        One row a point: column (own name), position (in the table), kind ("numeric", "datetime" or
        "categorical"), method, output (class, or ""), x (value, or place of the level), level
        (name of a category, or ""), effect (change of the prediction against its mean over the
        rows), low and high (interval over folds), share (of rows near the point).
    single : DataFrame
        Curves of single rows (ICE), each with mean 0: column, position, output, row, x, effect.
    notes : tuple of str
        What could not be drawn, one sentence each.
    """

    curves: pd.DataFrame
    single: pd.DataFrame
    notes: tuple[str, ...]

    def of(self, position: int, method: str, output: str | None = None) -> pd.DataFrame:
        """Return one curve."""
        chosen = (self.curves["position"] == position) & (self.curves["method"] == method)
        if output is not None:
            chosen &= self.curves["output"] == output
        return self.curves[chosen].reset_index(drop=True)


def choose_columns(X: pd.DataFrame, ranked: Sequence[int], *, n_columns: int = 6) -> list[int]:
    """Return the first columns of a ranking that have an axis to move along.

    Parameters
    ----------
    X : DataFrame
        The table.
    ranked : sequence of int
        Positions of columns, the most important first.
    n_columns : int
        How many at most.

    Returns
    -------
    list of int
        Without free text and constants.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [1, 1], "b": [1, 2]})
    >>> choose_columns(table, [0, 1])
    [1]
    """
    kinds = list(column_kinds(X.set_axis(range(X.shape[1]), axis=1)))
    movable = [int(i) for i in ranked if kinds[i] in {"numeric", "datetime", "categorical"}]
    return movable[:n_columns]


def compute_effects(
    models: FoldModels,
    positions: Sequence[int],
    *,
    names: Sequence[str],
    n_steps: int = N_STEPS,
    random_state: int = 0,
    level: float = 0.95,
) -> Effects:
    """Return how predictions move with each of some columns, out of fold.

    Each fold's model is moved over its own test rows, on points that all folds share. Curves are
    means over folds; intervals are Nadeau and Bengio's, and so say how far another training set
    would bend the curve. Categories are put in an order by how alike their rows are [1]_.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.
    positions : sequence of int
        Columns of the table.
    names : sequence of str
        Own names of all columns.
    n_steps : int
        Steps of a column of numbers, of equal counts.
    random_state : int
        Seed of the rows that partial dependence and single curves are drawn from.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Effects
        In probability, or the unit of the target.

    References
    ----------
    .. [1] D. Apley, J. Zhu (2020). Visualizing the effects of predictor variables in black box
       supervised learning models. JRSS B 82:1059.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds, make_rounds, own_names
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> effects = compute_effects(fitted, [0, 1], names=own_names(dataset))
    >>> largest_range(effects.curves)["column"].iloc[0]
    'signal_1'
    """
    X = models.dataset.X
    kinds = list(column_kinds(X.set_axis(models.columns, axis=1)))
    rng = np.random.default_rng(random_state)
    curves: list[tuple[object, ...]] = []
    single: list[tuple[object, ...]] = []
    notes: list[str] = []
    for position in positions:
        kind, name = str(kinds[position]), names[position]
        grid = make_grid(X.iloc[:, position], kind, models, n_steps)
        if grid is None:
            notes.append(_reason(name, kind))
            continue
        if isinstance(grid, Levels):
            grid = grid.ordered(X, position)
        drawn = _Curves(models, position, grid, rng)
        curves += drawn.rows(name, kind, level)
        single += drawn.single(name)
    return Effects(
        pd.DataFrame(curves, columns=CURVE_COLUMNS),
        pd.DataFrame(single, columns=ICE_COLUMNS),
        tuple(notes),
    )


def _reason(name: str, kind: str) -> str:
    if kind == "text":
        return f"'{name}' is free text: it has no axis to move along."
    return f"'{name}' does not vary."


class _Curves:
    """One column moved over the points of a grid, by every fold's model on its own rows."""

    def __init__(
        self,
        models: FoldModels,
        position: int,
        grid: Steps | Levels,
        rng: np.random.Generator,
    ) -> None:
        self.models, self.position, self.grid = models, position, grid
        X = models.dataset.X
        column = X.iloc[:, position]
        tested = np.concatenate([one.test for one in models])
        self.shares = grid.shares(column.iloc[np.unique(tested)])
        self._ice: list[tuple[Ints, Floats]] = []
        steps, dependences, self.outputs = [], [], self._outputs()
        n_ice = -(-N_ICE // len(models))
        for one in models:
            cells, points = _prepare_points(one.model, X, position, grid.values)
            rows = rng.permutation(len(one.test))[:MAX_ROWS]
            steps.append(self._local_steps(one, np.sort(rows), cells, points))
            moved = self._moved(one, rows[:MAX_PDP_ROWS], cells, points)
            dependences.append(moved.mean(axis=1))
            self._ice.append((one.test[rows[:n_ice]], moved[:, :n_ice]))
        self.dependence = np.array(dependences)  # (folds, points, outputs)
        self.steps = np.array(steps)  # (folds, points - 1, outputs)

    def _outputs(self) -> list[str]:
        dataset = self.models.dataset
        return list(dataset.classes) if dataset.task == "multiclass" else [""]

    def _ask(self, one: FoldModel) -> Callable[[Floats], Floats]:
        task = self.models.dataset.task

        def ask(matrix: Floats) -> Floats:
            made = one.model.predict(matrix)
            made = made[:, 1] if task == "binary" else made
            return made[:, np.newaxis] if made.ndim == 1 else made

        return ask

    def _moved(self, one: FoldModel, rows: Ints, cells: Ints, points: Floats) -> Floats:
        """Return predictions of rows set to each point: (points, rows, outputs)."""
        matrix = np.repeat(one.matrix[rows][np.newaxis], len(points), axis=0)
        matrix[:, :, cells] = points[:, np.newaxis]
        asked = self._ask(one)(matrix.reshape(-1, matrix.shape[2]))
        return asked.reshape(len(points), len(rows), -1)

    def _local_steps(self, one: FoldModel, rows: Ints, cells: Ints, points: Floats) -> Floats:
        """Return the mean change of the prediction over each step; NaN without rows."""
        column = self.models.dataset.X.iloc[one.test[rows], self.position]
        places = self.grid.places(column)
        n_steps = len(points) - 1
        if self.grid.is_ordered:
            where, step = rows[places >= 0], places[places >= 0]
        else:  # rows of a level move to the next one, and those of the next one back
            up, down = (places >= 0) & (places < n_steps), places > 0
            where = np.concatenate([rows[up], rows[down]])
            step = np.concatenate([places[up], places[down] - 1])
        ask = self._ask(one)
        low, high = one.matrix[where], one.matrix[where]
        low[:, cells], high[:, cells] = points[step], points[step + 1]
        change = ask(high) - ask(low)
        means = np.full((n_steps, change.shape[1]), np.nan)
        for i in range(n_steps):
            if (step == i).any():
                means[i] = change[step == i].mean(axis=0)
        return means

    def _accumulated(self) -> Floats:
        """Return accumulated effects with mean 0 over the rows: (folds, points, outputs)."""
        known = ~np.isnan(self.steps)
        counts = known.sum(axis=0)
        pooled = np.where(known, self.steps, 0).sum(axis=0) / np.maximum(counts, 1)
        steps = np.where(known, self.steps, pooled)
        start = np.zeros((len(steps), 1, steps.shape[2]))
        summed = np.concatenate([start, steps.cumsum(axis=1)], axis=1)
        return summed - self._mean(summed)

    def _mean(self, curves: Floats) -> Floats:
        """Return the mean of curves over the rows, wherever the rows lie on them."""
        means: Floats = (curves * self.shares[:, np.newaxis]).sum(axis=1, keepdims=True)
        return means

    def rows(self, name: str, kind: str, level: float) -> list[tuple[object, ...]]:
        """Return the rows of the table of curves."""
        fraction = self.models.folds.test_fraction
        made: list[tuple[object, ...]] = []
        for method, curves in (
            (PDP, self.dependence - self._mean(self.dependence)),
            (ALE, self._accumulated()),
        ):
            for k, output in enumerate(self.outputs):
                for i, (x, word) in enumerate(zip(self.grid.x, self.grid.level_names, strict=True)):
                    e = corrected_mean(curves[:, i, k], fraction, level=level)
                    point = (float(x), word, e.value, e.low, e.high, float(self.shares[i]))
                    made.append((name, self.position, kind, method, output, *point))
        return made

    def single(self, name: str) -> list[tuple[object, ...]]:
        """Return the rows of the table of single curves."""
        made: list[tuple[object, ...]] = []
        for rows, moved in self._ice:
            centred = moved - self._mean(moved.transpose(1, 0, 2)).transpose(1, 0, 2)
            for j, row in enumerate(rows):
                for k, output in enumerate(self.outputs):
                    for x, effect in zip(self.grid.x, centred[:, j, k], strict=True):
                        made.append(
                            (name, self.position, output, int(row), float(x), float(effect))
                        )
        return made


def _prepare_points(
    model: OpenModel, X: pd.DataFrame, position: int, values: pd.Series
) -> tuple[Ints, Floats]:
    """Return the prepared columns of a column, and what stands in them at each point."""
    table = X.iloc[np.zeros(len(values), dtype=int)].reset_index(drop=True)
    columns = [table.iloc[:, i] for i in range(table.shape[1])]
    columns[position] = values.reset_index(drop=True)
    made = pd.concat(columns, axis=1)
    made.columns = X.columns
    cells = model.cells_of([position])
    return cells, model.prepare(made)[:, cells]


def largest_range(curves: pd.DataFrame) -> pd.DataFrame:
    """Return for each column and output how far its curve reaches, the furthest first.

    Parameters
    ----------
    curves : DataFrame
        As in `Effects`.

    Returns
    -------
    DataFrame
        column, position, method, output, reach (highest minus lowest effect).

    Examples
    --------
    >>> curves = pd.DataFrame([["a", 0, ALE, "", -0.1], ["a", 0, ALE, "", 0.2]])
    >>> curves.columns = ["column", "position", "method", "output", "effect"]
    >>> round(float(largest_range(curves)["reach"].iloc[0]), 3)
    0.3
    """
    by = ["column", "position", "method", "output"]
    reach = curves.groupby(by, sort=False)["effect"].agg(lambda effect: effect.max() - effect.min())
    table = reach.rename("reach").reset_index()
    order = np.argsort(-table["reach"].round(9).to_numpy(dtype=float), kind="stable")
    return table.iloc[order].reset_index(drop=True)
