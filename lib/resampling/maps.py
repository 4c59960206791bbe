"""Fold maps: which row trains, is tested or is left out in which fold, as tables to draw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.data import Dataset
from lib.resampling.folds import Folds
from lib.resampling.splitters import Positions

MAP_COLUMNS = ("strategy", "fold", "place", "part")


def map_rows(dataset: Dataset, *, max_rows: int = 300) -> pd.DataFrame:
    """Return the rows that a fold map shows, in the order in which it shows them.

    In order of time where the dataset has one and no groups, else group after group, else as in
    the table. Of a large table whole groups, or single rows, are taken at even distances.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    max_rows : int
        Rows shown, about.

    Returns
    -------
    DataFrame with columns place, row, target, and group and time where there are any
        `place` counts from 0 along the map, `row` is the position in the dataset, `target` is the
        code of a class or the number, `group` a number of its own for each group.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> map_rows(make_planted(1_000), max_rows=4)["row"].tolist()
    [0, 333, 666, 999]
    """
    order = _order(dataset)
    if dataset.groups is None:
        chosen = order[np.linspace(0, len(order) - 1, min(max_rows, len(order))).astype(int)]
    else:
        codes = pd.factorize(dataset.groups.to_numpy()[order])[0]
        mean_size = len(codes) / (codes.max() + 1)
        n_groups = max(int(max_rows / mean_size), 2)
        kept = np.linspace(0, codes.max(), min(n_groups, codes.max() + 1)).astype(int)
        chosen = order[np.isin(codes, kept)]
    rows = pd.DataFrame({"place": np.arange(len(chosen)), "row": chosen})
    rows["target"] = dataset.y.to_numpy()[chosen]
    if dataset.groups is not None:
        rows["group"] = pd.factorize(dataset.groups.to_numpy()[chosen])[0]
    if dataset.time is not None:
        rows["time"] = dataset.time.to_numpy()[chosen]
    return rows


def map_folds(folds: Mapping[str, Folds], rows: pd.DataFrame) -> pd.DataFrame:
    """Return what every shown row is for in every fold.

    Parameters
    ----------
    folds : mapping of str to Folds
        By the name that the figure shows.
    rows : DataFrame
        From `map_rows` of the same dataset.

    Returns
    -------
    DataFrame with columns strategy, fold, place, part
        part is "train", "test" or "left out" (purged, later, or not drawn).

    Examples
    --------
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(100)
    >>> table = map_folds({"own": make_folds(dataset, make_cv(dataset))}, map_rows(dataset))
    >>> table["part"].value_counts().to_dict()
    {'train': 400, 'test': 100}
    """
    tables = []
    for strategy, made in folds.items():
        for number, (train, test) in enumerate(made, start=1):
            table = pd.DataFrame({"fold": number, "place": rows["place"]})
            part = np.full(len(rows), "left out", dtype=object)
            part[np.isin(rows["row"], train)] = "train"
            part[np.isin(rows["row"], test)] = "test"
            tables.append(table.assign(strategy=strategy, part=part)[list(MAP_COLUMNS)])
    return pd.concat(tables, ignore_index=True)


def _order(dataset: Dataset) -> Positions:
    if dataset.groups is not None:
        codes = pd.factorize(dataset.groups)[0]
        times = np.zeros(len(codes)) if dataset.time is None else dataset.time.to_numpy()
        return np.lexsort((times, codes))
    if dataset.time is not None:
        return np.argsort(dataset.time.to_numpy(), kind="stable")
    return np.arange(len(dataset))
