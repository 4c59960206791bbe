"""What stands beside an ensemble's score: its calibration, its time, and plain luck of seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from lib.ensembles.combine import Members, combine
from lib.ensembles.methods import Floats
from lib.evaluation import Scores

ROW_SHARE = 0.8  # that a variant of a seed learns from, so that seeds differ at all


def calibrate(members: Members, combined: Floats) -> Floats:
    """Return an ensemble's predictions, stretched and shifted to fit the labels.

    Logistic regression on the logarithms of the probabilities [1]_, or a straight line for values;
    learned for each fold from the others, as the ensemble is.

    Parameters
    ----------
    members : Members
        Whose rows and folds the predictions are of.
    combined : ndarray
        One method's predictions, from `combine`.

    Returns
    -------
    ndarray
        As `combined`.

    References
    ----------
    .. [1] J. Platt (1999). Probabilistic outputs for support vector machines. Advances in Large
       Margin Classifiers.
    """
    alone = Members(("ensemble",), combined[np.newaxis], members.dataset, members.folds)
    return combine(alone, ["stacking"])[0]["stacking"]


def seed_variants(name: str, estimator: Any, n_seeds: int, *, random_state: int) -> dict[str, Any]:
    """Return the same gradient boosting with several seeds, each on a random part of the rows.

    Parameters
    ----------
    name : str
        What the model is called.
    estimator : scikit-learn pipeline
        LightGBM as its last step.
    n_seeds : int
        Variants.
    random_state : int
        The first seed.

    Returns
    -------
    dict of str to Pipeline
        They share the preprocessing steps.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.models import baselines
    >>> boosting = baselines(make_planted(200), load_config())["LightGBM"]
    >>> list(seed_variants("LightGBM", boosting, 2, random_state=0))
    ['LightGBM, seed 0', 'LightGBM, seed 1']
    """
    *steps, (step, model) = estimator.steps
    return {
        f"{name}, seed {seed}": Pipeline(
            [
                *steps,
                (
                    step,
                    clone(model).set_params(
                        random_state=seed, subsample=ROW_SHARE, subsample_freq=1
                    ),
                ),
            ]
        )
        for seed in range(random_state, random_state + n_seeds)
    }


def tabulate_costs(
    scores: Scores,
    comparison: pd.DataFrame,
    costs: Mapping[str, Mapping[str, float]],
    weights: pd.DataFrame,
) -> pd.DataFrame:
    """Return score, time and size of members and ensembles; an ensemble pays for its members.

    Parameters
    ----------
    scores : Scores
        Of members and ensembles.
    comparison : DataFrame
        From `evaluation.compare` of these scores.
    costs : mapping of str to mapping
        Of each member: fit_seconds, predict_seconds, kilobytes, where known.
    weights : DataFrame
        From `combine`: members that an ensemble gives no weight cost it nothing.

    Returns
    -------
    DataFrame
        model, score (Estimate), milliseconds (to predict 1,000 rows), fit_seconds, kilobytes,
        n_members, is_ensemble; in the order of `comparison`. Times depend on the machine.
    """
    n_test = float(np.mean([len(test) for _, test in scores.folds]))
    used = weights[weights["weight"] > 0].groupby("method")["member"].unique()
    rows = []
    for _, row in comparison.iterrows():
        model = str(row["model"])
        is_ensemble = model not in costs
        parts = [str(name) for name in used.get(model, costs)] if is_ensemble else [model]
        total = {
            cost: float(np.sum([costs[part].get(cost, np.nan) for part in parts]))
            for cost in ("fit_seconds", "predict_seconds", "kilobytes")
        }
        milliseconds = 1e6 * total["predict_seconds"] / n_test
        sizes = (total["fit_seconds"], total["kilobytes"], len(parts), is_ensemble)
        rows.append((model, row["score"], milliseconds, *sizes))
    columns = ["model", "score", "milliseconds", "fit_seconds", "kilobytes", "n_members"]
    return pd.DataFrame(rows, columns=[*columns, "is_ensemble"])
