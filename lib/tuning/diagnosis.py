"""What a search tells about the parameters: which mattered, and whether the ranges were right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.tuning.journal import open_study
from lib.tuning.search import COMPLETE, PRUNED, Search, plain_value

TOP = 0.25  # share of the trials that counts as good
EDGE = 0.05  # of a range: a best value this close to its end asks for a wider one
MIN_TRIALS = 8  # below it, importance would be guessed


def compute_importance(searches: Sequence[Search]) -> pd.DataFrame:
    """Return how much each parameter decides whether a trial is among the good ones.

    PED-ANOVA [1]_ compares where the best quarter of the trials lies with where all lie. It is
    computed for each search by itself: the spread shows how far to trust it.

    Parameters
    ----------
    searches : sequence of Search
        Of one space, on different rows or with different samplers.

    Returns
    -------
    DataFrame
        parameter, importance (mean over the searches; adds up to 1), lowest, highest, searches;
        the most important first. Empty when no search has enough trials that differ.

    References
    ----------
    .. [1] S. Watanabe, A. Bansal, F. Hutter (2023). PED-ANOVA: efficiently quantifying
       hyperparameter importance in arbitrary subspaces. IJCAI.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> from lib.tuning.search import search
    >>> space = {"deciding": FloatDistribution(0, 1), "idle": FloatDistribution(0, 1)}
    >>> found = search(lambda p, _: p["deciding"], space, n_trials=40, sampler="random")
    >>> compute_importance([found])["parameter"].tolist()
    ['deciding', 'idle']
    """
    columns = ["parameter", "importance", "lowest", "highest", "searches"]
    each = [made for found in searches if (made := _importance(found)) is not None]
    if not each:
        return pd.DataFrame(columns=columns)
    table = pd.DataFrame(each)
    summary = pd.DataFrame(
        {
            "parameter": table.columns,
            "importance": table.mean().to_numpy(),
            "lowest": table.min().to_numpy(),
            "highest": table.max().to_numpy(),
            "searches": len(table),
        }
    )
    return summary.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _importance(found: Search) -> dict[str, float] | None:
    import optuna  # noqa: PLC0415 - only a search needs it
    from optuna.importance import PedAnovaImportanceEvaluator  # noqa: PLC0415 - likewise
    from optuna.trial import create_trial  # noqa: PLC0415 - likewise

    known = _with_value(found)
    if len(known) < MIN_TRIALS or known["value"].nunique() < 2:
        return None
    evaluator = PedAnovaImportanceEvaluator(target_quantile=TOP)
    with open_study(None) as study:
        for _, row in known.iterrows():
            params = {name: plain_value(row[name], kind) for name, kind in found.space.items()}
            value, ranges = float(row["value"]), dict(found.space)
            study.add_trial(create_trial(value=value, params=params, distributions=ranges))
        made = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(made.get(name, 0.0)) for name in found.space}


def _with_value(found: Search) -> pd.DataFrame:
    """Return the trials with a value: pruned ones have that of the steps they made."""
    rows = found.trials[found.trials["state"].isin([COMPLETE, PRUNED])]
    return rows[np.isfinite(rows["value"])]


def compute_edges(
    found: Search, limits: Mapping[str, tuple[float, float]] | None = None
) -> pd.DataFrame:
    """Return where the best trials lie in the ranges, and which range should be wider.

    Parameters
    ----------
    found : Search
        A finished search over numbers.
    limits : mapping of str to (float, float), optional
        Lowest and highest value that a parameter can have: an end there cannot be widened.

    Returns
    -------
    DataFrame
        parameter, low, high, is_log, best, top_low, top_high (ends of the best quarter of the
        trials), position (of the best: 0 the low end, 1 the high one, on the range's own scale),
        edge ("low", "high" or "").

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> from lib.tuning.search import search
    >>> found = search(lambda p, _: p["x"], {"x": FloatDistribution(0, 1)}, n_trials=40)
    >>> compute_edges(found)["edge"].tolist()
    ['high']
    """
    rows = _with_value(found).sort_values("value", ascending=False, kind="stable")
    top = rows.head(max(math.ceil(TOP * len(rows)), 1))
    best = found.best_params
    table = []
    for name, kind in found.space.items():
        position = _position(best[name], kind)
        lowest, highest = (limits or {}).get(name, (-math.inf, math.inf))
        is_low = position <= EDGE and kind.low > lowest  # type: ignore[attr-defined]
        is_high = position >= 1 - EDGE and kind.high < highest  # type: ignore[attr-defined]
        edge = "low" if is_low else "high" if is_high else ""
        ends = (float(top[name].min()), float(top[name].max()))
        table.append([name, kind.low, kind.high, kind.log, best[name], *ends, position, edge])  # type: ignore[attr-defined]
    columns = ["parameter", "low", "high", "is_log", "best", "top_low", "top_high"]
    return pd.DataFrame(table, columns=[*columns, "position", "edge"])


def print_edges(edges: pd.DataFrame) -> pd.DataFrame:
    """Return a table of ranges as it is read: ends with four digits, whatever their size.

    Parameters
    ----------
    edges : DataFrame
        As `compute_edges` returns it.

    Returns
    -------
    DataFrame
        Without `is_log`; low, high, best, top_low and top_high are text.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> from lib.tuning.search import search
    >>> space = {"x": FloatDistribution(1e-5, 0.123456, log=True)}
    >>> found = search(lambda p, _: p["x"], space, n_trials=3)
    >>> print_edges(compute_edges(found))[["low", "high"]].values.tolist()
    [['1e-05', '0.1235']]
    """
    ends = ["low", "high", "best", "top_low", "top_high"]
    said = {end: edges[end].map("{:.4g}".format) for end in ends}
    return edges.drop(columns="is_log").assign(**said)


def _position(value: float, kind: Any) -> float:
    scale = math.log if kind.log else float
    low, high = scale(kind.low), scale(kind.high)
    return (scale(value) - low) / (high - low) if high > low else 0.5
