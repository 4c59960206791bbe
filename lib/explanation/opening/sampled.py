"""Any other model: only asked for predictions, its contributions sampled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import InputError
from lib.explanation.coding import Coding, Floats
from lib.explanation.opening.opened import PROBABILITY, TARGET, Ints, OpenModel, Shapley
from lib.explanation.opening.outcome import Outcome
from lib.explanation.opening.tracing import takes_names

N_BACKGROUND = 25  # rows that stand for "not known" where a model cannot be opened
N_ORDERS = 4  # orders in which columns become known, each also backwards


def open_any(
    estimator: Any,
    X: pd.DataFrame,
    coding: Coding,
    outcome: Outcome,
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
    is_named = takes_names(estimator, X)

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
