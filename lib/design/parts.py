"""Parts of a fold's training rows: nested, classes in their shares, groups whole."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from lib.config import Config
from lib.data import Dataset
from lib.evaluation import Metric, PreparedFold
from lib.models import baselines

Positions = npt.NDArray[np.intp]


def order_rows(dataset: Dataset, rows: Positions, *, random_state: int) -> list[Positions]:
    """Return rows in a random order, as pieces that stay whole: the first ones are a sample.

    Parameters
    ----------
    dataset : Dataset
        Rows of one group are one piece; without groups classes alternate in their shares.
    rows : ndarray of int
        Positions to order.
    random_state : int
        Of the order.

    Returns
    -------
    list of ndarray of int
        Pieces; together they are `rows`.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(40, n_groups=8)
    >>> pieces = order_rows(dataset, np.arange(40), random_state=0)
    >>> len(pieces), sum(map(len, pieces))
    (8, 40)
    """
    rng = np.random.default_rng(random_state)
    if dataset.groups is not None:
        codes = pd.factorize(dataset.groups.iloc[rows])[0]
        order = np.argsort(codes, kind="stable")
        pieces = np.split(rows[order], np.cumsum(np.bincount(codes))[:-1])
        return [pieces[i] for i in rng.permutation(len(pieces))]
    shuffled = rng.permutation(rows)
    if dataset.task != "regression":
        labels = pd.Series(dataset.y.to_numpy()[shuffled])
        within = labels.groupby(labels).cumcount().to_numpy()
        sizes = labels.map(labels.value_counts()).to_numpy()
        shuffled = shuffled[np.argsort((within + 0.5) / sizes, kind="stable")]
    return list(shuffled[:, np.newaxis])


def take_first(pieces: list[Positions], n_rows: int) -> Positions:
    """Return the first pieces that together come nearest to `n_rows`, at least one, sorted.

    Examples
    --------
    >>> take_first([np.array([5, 6]), np.array([0, 1]), np.array([3])], 3).tolist()
    [0, 1, 5, 6]
    """
    ends = np.cumsum([len(piece) for piece in pieces])
    n_pieces = max(int(np.argmin(np.abs(ends - n_rows))), 0) + 1
    if n_pieces < len(pieces) and abs(ends[n_pieces - 1] - n_rows) == abs(ends[n_pieces] - n_rows):
        n_pieces += 1
    chosen: Positions = np.sort(np.concatenate(pieces[:n_pieces]))
    return chosen


def baselines_for(dataset: Dataset, config: Config, share: float) -> dict[str, Any]:
    """Return the baselines with the settings that a share of the rows would get.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> list(baselines_for(make_planted(200), load_config(), 0.5))[0]
    'dummy'
    """
    n_rows = max(round(share * len(dataset)), 2)
    few = dataset if n_rows >= len(dataset) else dataset.take(np.arange(n_rows))
    return baselines(few, config)


def score_part(fold: PreparedFold, estimator: Any, metric: Metric) -> float:
    """Return the score of a fit on one fold; NaN where the model cannot be fitted.

    Parameters
    ----------
    fold : PreparedFold
        Whose training part may lack a class, or be tiny.
    estimator : scikit-learn estimator
        Cloned.
    metric : Metric
        What counts.

    Returns
    -------
    float
    """
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tiny samples warn of what the curve shows
        try:
            return fold.score(estimator, metric)
        except Exception:  # noqa: BLE001 - a model that cannot learn from so few rows has no score
            return math.nan
