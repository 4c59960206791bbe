"""The worst predictions of the test set: which rows, what led there, and what they share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate, bootstrap, format_digits
from lib.evaluation.metrics import scorers
from lib.evaluation.quick_metrics import make_quick
from lib.explanation.fitted import own_names
from lib.explanation.mistakes import compare_with_truth, compute_losses
from lib.explanation.opening import open_model
from lib.explanation.shapley import explain, rank_order
from lib.performance.held_out import Floats, HeldOut
from lib.performance.segments import make_levels

WORST = 0.1  # share of the rows
MIN_WORST = 10
COLUMNS = ["row", "was", "predicted", "loss"]


def list_worst(
    estimator: Any,
    test: HeldOut,
    background: pd.DataFrame,
    *,
    n_rows: int = 5,
    n_top: int = 3,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return the worst predictions by row number, with the columns that led to them.

    Only names of columns and sizes of contributions are shown, never values: rows may be personal.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        Whose predictions they are.
    test : HeldOut
        The rows.
    background : DataFrame
        Training rows that say what is usual.
    n_rows : int
        Rows to list.
    n_top : int
        Contributions to name.
    random_state : int
        Seed of sampled contributions.

    Returns
    -------
    DataFrame
        row (position in the test set, from 0), was, predicted, loss (nats, or the unit of the
        target), led_by, and_by_2, … (largest contributions away from the truth; the columns are
        absent when the model cannot be opened).
    """
    dataset = test.dataset
    losses = compute_losses(dataset, test.prediction)
    worst = rank_order(losses)[:n_rows]
    rows = [
        (int(i), *compare_with_truth(dataset, test.prediction[i], int(i))[:2], float(losses[i]))
        for i in worst
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    led = _led_by(estimator, test, worst, background, n_top, random_state)
    return table if led is None else pd.concat([table, led], axis=1)


def _led_by(  # noqa: PLR0917 (one caller, all needed)
    estimator: Any,
    test: HeldOut,
    worst: Any,
    background: pd.DataFrame,
    n_top: int,
    random_state: int,
) -> pd.DataFrame | None:
    dataset = test.dataset
    is_classes = test.task != "regression"
    try:
        with threadpool_limits(1):
            model = open_model(
                estimator,
                dataset.X.iloc[worst],
                classes=range(len(dataset.classes)) if is_classes else None,
                class_names=dataset.classes,
                background=background,
                random_state=random_state,
            )
            made = explain(model, dataset.X.iloc[worst], names=own_names(dataset), rows=worst)
    except (InputError, ValueError, TypeError, AttributeError):
        return None  # a model of an unknown make: its rows are listed without reasons
    said = []
    for place, row in enumerate(worst.tolist()):
        toward = compare_with_truth(dataset, test.prediction[row], row)[2]
        values: Floats = made.contributions[place]
        if values.ndim == 2:
            guess = int(np.argmax(test.prediction[row]))
            values = values[:, guess] - values[:, int(dataset.y.iloc[row])]
        order = rank_order(values * toward)[:n_top].tolist()
        words = [
            f"{made.names[i]} ({format_digits(values[i], 2, sign='+')})"
            for i in order
            if values[i] * toward > 0
        ]
        said.append([*words, *[""] * (n_top - len(words))])
    return pd.DataFrame(said, columns=["led_by", *(f"and_by_{i}" for i in range(2, n_top + 1))])


def distinguish_worst(
    out_of_fold: HeldOut,
    test: HeldOut,
    *,
    n_resamples: int,
    random_state: int,
    level: float = 0.95,
) -> tuple[pd.DataFrame, Estimate]:
    """Return what tells the worst tenth of the rows from the others, learned on other rows.

    A tree of two questions about levels of columns (numbers in fifths) is fitted on out-of-fold
    losses, and judged on the test set: can bad predictions be foreseen from the columns?

    Parameters
    ----------
    out_of_fold : HeldOut
        Where the tree learns.
    test : HeldOut
        Where it is judged.
    n_resamples : int
        Of the bootstrap behind the interval.
    random_state : int
        Seed.
    level : float
        Coverage.

    Returns
    -------
    leaves : DataFrame
        rows_like (in words), rows (of the test set), worst (share of them in the worst tenth of
        the test set), the highest first; empty when there are too few rows.
    auc : Estimate
        How well the tree ranks the test rows by being among the worst; 0.5 is chance.
    """
    parts = [_is_worst(held) for held in (out_of_fold, test)]
    empty = pd.DataFrame(columns=["rows_like", "rows", "worst"])
    if min(int(part.sum()) for part in parts) < MIN_WORST:
        return empty, Estimate(float("nan"), level=level)
    matrix, words = _indicators(out_of_fold.dataset, test.dataset)
    n = len(out_of_fold)
    if not words:
        return empty, Estimate(float("nan"), level=level)
    least = max(n // 50, MIN_WORST)
    tree = DecisionTreeClassifier(max_depth=2, min_samples_leaf=least, random_state=random_state)
    with threadpool_limits(1):
        tree.fit(matrix[:n], parts[0])
    chance, leaf = tree.predict_proba(matrix[n:])[:, -1], tree.apply(matrix[n:])
    rows = [
        (said, int((leaf == code).sum()), float(parts[1][leaf == code].mean()))
        for code, said in _leaves(tree.tree_, words)
        if (leaf == code).any()
    ]
    table = pd.DataFrame(rows, columns=empty.columns)
    table = table.sort_values("worst", ascending=False, kind="stable", ignore_index=True)
    area = make_quick(scorers("binary")["roc_auc"])
    estimate = bootstrap(
        lambda y, p: area.compute(y, np.column_stack([1 - p, p]), None),
        parts[1].astype(int),
        chance,
        n_resamples=n_resamples,
        random_state=random_state,
        groups=test.groups,
        method="percentile",
        level=level,
    )
    return table, estimate


def _is_worst(held: HeldOut) -> Any:
    losses = compute_losses(held.dataset, held.prediction)
    worst = np.zeros(len(held), dtype=bool)
    worst[rank_order(losses)[: round(WORST * len(held))]] = True
    return worst


def _indicators(found: Dataset, tested: Dataset) -> tuple[Floats, list[str]]:
    levels = make_levels(found, tested)
    columns = [np.concatenate([one.found, one.tested]) for one in levels]
    matrix = np.column_stack(columns).astype(float) if columns else np.empty((0, 0))
    return matrix, [one.words for one in levels]


def _leaves(tree: Any, words: list[str]) -> list[tuple[int, str]]:
    """Return the leaves of a tree of yes-or-no columns with the path to them in words."""
    found = []

    def walk(node: int, path: tuple[str, ...]) -> None:
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            found.append((node, " and ".join(path) or "all rows"))
            return
        level = words[int(tree.feature[node])]
        walk(left, (*path, f"not {level}"))
        walk(right, (*path, level))

    walk(0, ())
    return found
