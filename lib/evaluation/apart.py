"""What it costs a model to predict strangers, the future, or both: on the same test rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lib.data import Dataset
from lib.estimates import corrected_mean, corrected_t_test
from lib.evaluation.cross_validation import cross_validate
from lib.evaluation.metrics import check_scoring, scorers
from lib.resampling import Folds


def compare_apart(
    estimator: Any,
    dataset: Dataset,
    folds: Mapping[str, Folds],
    *,
    scoring: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the score under each way of keeping rows apart, and what mixing them promises.

    Parameters
    ----------
    estimator : scikit-learn estimator
        One model.
    dataset : Dataset
        Training rows.
    folds : mapping of str to Folds
        From `resampling.make_apart`: the first keeps nothing apart.
    scoring : str, optional
        A metric of the task; the default one otherwise.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame with columns kept_apart, score, flattery, p
        `score` is the mean over test parts with the Nadeau-Bengio interval, `flattery` the paired
        difference: nothing apart minus this. NaN in the first row.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.evaluation.neighbours import Neighbours, make_plain
    >>> from lib.resampling import make_apart
    >>> plain = make_plain(make_planted(600, n_groups=60, group_effect=0.0))
    >>> table = compare_apart(Neighbours(20, n_classes=2), plain, make_apart(plain))
    >>> table["kept_apart"].tolist(), table["flattery"].iloc[1].covers(0)
    (['nothing apart', 'groups apart'], True)
    """
    metric = scorers(dataset.task)[check_scoring(dataset.task, scoring)]
    by_fold = pd.DataFrame(
        {
            name: cross_validate({"model": estimator}, dataset, made, scoring=metric.name)
            .by_fold()
            .get("model", pd.Series(dtype=float))
            for name, made in folds.items()
        }
    ).dropna()
    rows = []
    for name, made in folds.items():
        if by_fold.empty:
            break
        fraction = made.test_fraction
        score = corrected_mean(by_fold[name], fraction, level=level, bounds=metric.bounds)
        lost = by_fold[by_fold.columns[0]] - by_fold[name]
        test = corrected_t_test(lost, fraction, level=level)
        is_first = name == by_fold.columns[0]
        rows.append((name, score, None if is_first else test.difference, test.p_value))
    table = pd.DataFrame(rows, columns=["kept_apart", "score", "flattery", "p"])
    return table.assign(p=table["p"].where(table["flattery"].notna()))
