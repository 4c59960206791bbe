"""What a score loses when values go missing or are measured badly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.estimates import Estimate, bootstrap_many
from lib.evaluation.metrics import scorers
from lib.evaluation.quick_metrics import make_quick
from lib.explanation.fitted import own_names
from lib.explanation.shapley import rank_order
from lib.performance.held_out import Floats, HeldOut, predict_held_out
from lib.resampling import sample_rows

SHARES = (0.05, 0.1, 0.2, 0.4)
MAX_ROWS = 2_000  # of the test set: every cell of the table costs a prediction of them
MAX_COLUMNS = 60
N_SHOWN = 15
N_RESAMPLES = 300  # of each paired interval
ALL = "all columns"


def lose_columns(
    estimator: Any,
    test: HeldOut,
    *,
    scoring: str,
    random_state: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return what the score loses when one column is not delivered: all of it missing.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        Stays as it is: nothing is fitted.
    test : HeldOut
        Its rows; at most 2,000 are used.
    scoring : str
        Metric of the task.
    random_state : int
        Seed of the choice of rows and of the resamples.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        column (own name), lost (Estimate: paired bootstrap, positive when the score falls),
        note ("" or why the model could not predict); the largest loss first, at most 15 columns.
        Of more than 60 columns the first 60 are tried.
    """
    few, names = _few(test, random_state), own_names(test.dataset)
    X = few.dataset.X
    made: dict[str, Floats] = {}
    notes: dict[str, str] = {}
    for position in range(min(X.shape[1], MAX_COLUMNS)):
        shown = X.copy(deep=False)
        shown.isetitem(position, _with_gaps(X.iloc[:, position], np.ones(len(X), dtype=bool)))
        _try(estimator, few.dataset, shown, names[position], made, notes)
    lost = _losses(few, list(made.values()), scoring, random_state, level)
    order = rank_order(np.array([one.value for one in lost]))[:N_SHOWN]
    keys = list(made)
    rows = [(keys[i], lost[i], "") for i in order.tolist()]
    rows += [(name, Estimate(float("nan")), note) for name, note in notes.items()]
    return pd.DataFrame(rows, columns=["column", "lost", "note"])


def disturb(
    estimator: Any,
    test: HeldOut,
    *,
    scoring: str,
    random_state: int,
    level: float = 0.95,
    shares: tuple[float, ...] = SHARES,
) -> pd.DataFrame:
    """Return what the score loses under gaps and noise, by kind of column and strength.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        Stays as it is: nothing is fitted.
    test : HeldOut
        Its rows; at most 2,000 are used.
    scoring : str
        Metric of the task.
    random_state : int
        Seed of gaps, noise and resamples.
    level : float
        Coverage of the intervals.
    shares : tuple of float
        Strengths: the share of cells that go missing, or that take the value of another row.

    Returns
    -------
    DataFrame
        what ("missing" or "taken from another row"), columns ("numbers", "categories", "text",
        "dates", "all columns"), share, lost (Estimate: paired bootstrap, positive when the score
        falls). A kind of column on which the model fails is left out.
    """
    few = _few(test, random_state)
    made: dict[tuple[str, str, float], Floats] = {}
    failed: dict[Any, str] = {}
    for key, X in _disturbed(few.dataset, shares, random_state):
        _try(estimator, few.dataset, X, key, made, failed)
    lost = _losses(few, list(made.values()), scoring, random_state, level)
    rows = [(*key, estimate) for key, estimate in zip(made, lost, strict=True)]
    return pd.DataFrame(rows, columns=["what", "columns", "share", "lost"])


def _disturbed(
    dataset: Dataset, shares: tuple[float, ...], random_state: int
) -> Iterator[tuple[tuple[str, str, float], pd.DataFrame]]:
    X = dataset.X
    kinds = {
        "numbers": dataset.numeric,
        "categories": dataset.categorical,
        "text": dataset.text,
        "dates": dataset.datetimes,
    }
    held = {kind: columns for kind, columns in kinds.items() if columns}
    if len(held) > 1:
        held = {ALL: [str(name) for name in X.columns], **held}
    elif held:
        held = {ALL: next(iter(held.values()))}
    places = {name: i for i, name in enumerate(X.columns)}
    # A cell that is disturbed at one strength is so at any higher one: curves do not jump by luck.
    rng = np.random.default_rng(random_state)
    luck = rng.random(X.shape)
    donors = np.column_stack([rng.permutation(len(X)) for _ in range(X.shape[1])])
    for what in ("missing", "taken from another row"):
        for kind, columns in held.items():
            for share in shares:
                shown = X.copy(deep=False)
                for name in columns:
                    i = places[name]
                    column, hit = X.iloc[:, i], luck[:, i] < share
                    if what == "missing":
                        changed = _with_gaps(column, hit)
                    else:
                        rows = np.where(hit, donors[:, i], np.arange(len(X)))
                        changed = column.iloc[rows].reset_index(drop=True)
                    shown.isetitem(i, changed)
                yield (what, kind, share), shown


def _with_gaps(column: pd.Series, hit: Any) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column.dtype):
        column = column.astype("float64")
    return column.mask(pd.Series(hit, index=column.index))


def _few(test: HeldOut, random_state: int) -> HeldOut:
    if len(test) <= MAX_ROWS:
        return test
    numbered = test.dataset.X.assign(**{"(row)": np.arange(len(test))})
    chosen = sample_rows(
        Dataset("rows", numbered, test.dataset.y, test.dataset.task, groups=test.dataset.groups),
        MAX_ROWS,
        random_state=random_state,
    )
    return test.take(chosen.X["(row)"].to_numpy())


def _try(  # noqa: PLR0917 (two callers, all needed)
    estimator: Any,
    dataset: Dataset,
    X: pd.DataFrame,
    key: Any,
    made: dict[Any, Floats],
    notes: dict[Any, str],
) -> None:
    try:
        made[key] = predict_held_out(estimator, dataset, X=X).prediction
    except Exception as error:  # noqa: BLE001 - any library may refuse a column without values
        notes[key] = f"the model cannot predict: {type(error).__name__}"


def _losses(
    held: HeldOut, disturbed: list[Floats], scoring: str, random_state: int, level: float
) -> list[Estimate]:
    """Return the score on clean rows minus that on each disturbed copy of the same rows."""
    metric = make_quick(scorers(held.task)[scoring])
    if not disturbed:
        return []
    stacked = np.stack([held.prediction, *disturbed], axis=1)  # (n, 1 + k) or (n, 1 + k, K)
    weight = np.ones(len(held)) if held.weight is None else held.weight

    def compute(y: Floats, predictions: Floats, w: Floats) -> list[float]:
        given = None if held.weight is None else w
        scores = [metric.compute(y, predictions[:, i], given) for i in range(predictions.shape[1])]
        return [scores[0] - score for score in scores[1:]]

    if np.max(held.owner, initial=0) < 1:
        return [Estimate(value) for value in compute(held.y, stacked, weight)]
    return bootstrap_many(
        compute,
        held.y,
        stacked,
        weight,
        n_resamples=N_RESAMPLES,
        random_state=random_state,
        groups=held.groups,
        method="percentile",
        level=level,
    )
