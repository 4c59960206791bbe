"""How simple a candidate is: declared here, once, and never measured."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

# From simple to involved. Seconds would change from machine to machine, and with them the choice.
FAMILIES = (
    "dummy",
    "linear",
    "decision tree",
    "k-nearest neighbours",
    "SVM",
    "random forest",
    "histogram boosting",
    "LightGBM",
    "tuned",
    "network",
    "ensemble",
)
OWNERS = {"12": "network", "21": "tuned", "23": "ensemble"}  # analyses that make one family
ENSEMBLES = ("voting", "weighted", "greedy", "blending", "stacking")  # from fixed to learned


def order_by_simplicity(analyses: Mapping[str, str]) -> pd.DataFrame:
    """Return candidates from simple to involved.

    Families come first, in the order of `FAMILIES`; inside a family raw columns before added ones
    and few steps before many, ensembles by how much they learn, then the order given.

    Parameters
    ----------
    analyses : mapping of str to str
        By candidate, the analysis that tracked it.

    Returns
    -------
    DataFrame
        model, family, in this order. What no rule knows is as involved as a network.

    Examples
    --------
    >>> made = {"ensemble: voting": "23_ensemble_methods", "LightGBM tuned": "21_tuning"}
    >>> made |= {"linear + gaps": "10_features", "linear": "11_baselines", "dummy": "11_baselines"}
    >>> order_by_simplicity(made)["model"].tolist()
    ['dummy', 'linear', 'linear + gaps', 'LightGBM tuned', 'ensemble: voting']
    """
    rows = []
    for position, (name, analysis) in enumerate(analyses.items()):
        family = _family(name, analysis)
        method = name.removeprefix("ensemble: ")
        inside = ENSEMBLES.index(method) if method in ENSEMBLES else 0
        extras = name.count(" + ") + name.count(" | ")
        rows.append((FAMILIES.index(family), inside, extras, position, name, family))
    rows.sort()
    return pd.DataFrame([row[-2:] for row in rows], columns=["model", "family"])


def _family(name: str, analysis: str) -> str:
    owner = OWNERS.get(analysis.partition("_")[0])
    if owner:
        return owner
    stem = name.partition(" + ")[0].partition(" | ")[0]
    return stem if stem in FAMILIES else "network"
