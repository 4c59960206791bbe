"""What can be tuned: models with the ranges of their parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError, suggest
from lib.models import baselines
from lib.neural import networks
from lib.tuning.search import round_params

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LIMITS = {  # beyond which a value has no meaning
    "colsample_bytree": (0.0, 1.0),
    "dropout": (0.0, 1.0),
    "embedding_dim": (1.0, math.inf),
    "hidden_units": (1.0, math.inf),
    "max_depth": (1.0, math.inf),
    "min_child_samples": (1.0, math.inf),  # rows of a leaf; LightGBM takes 0 for 1
    "min_samples_leaf": (1.0, math.inf),
    "min_samples_split": (2.0, math.inf),
    "n_layers": (1.0, math.inf),
    "num_leaves": (2.0, math.inf),
    "reg_lambda": (0.0, math.inf),
}
DEPTH = 32  # of a forest's trees: more than any table here needs
NETWORK = "TabM + embeddings"  # which of `neural.networks` is tuned


@dataclass(frozen=True)
class Tunable:
    """A model, the ranges of its parameters, and where the study starts from.

    Attributes
    ----------
    name : str
        As in `models.baselines`, or "network".
    estimator : Pipeline
        Unfitted, with the default parameters.
    space : mapping of str to optuna distribution
        Ranges by parameter of the last step; of a network also `n_layers` and `hidden_units`,
        which stand for its `hidden_dims`.
    default : mapping
        The default parameters, inside the space.
    """

    name: str
    estimator: Pipeline
    space: Mapping[str, BaseDistribution]
    default: Mapping[str, Any]

    def with_params(self, params: Mapping[str, Any]) -> Pipeline:
        """Return the model with other parameters; it shares the preprocessing steps."""
        *steps, (name, model) = self.estimator.steps
        return Pipeline([*steps, (name, clone(model).set_params(**_join_layers(params)))])


def make_tunable(name: str, dataset: Dataset, config: Config) -> Tunable:
    """Return a baseline model or a network with the ranges in which it is tuned.

    Parameters
    ----------
    name : {"linear", "random forest", "LightGBM", "network"}
        Which model.
    dataset : Dataset
        The training rows; their number bounds the ranges.
    config : Config
        Seed and budget of the model.

    Returns
    -------
    Tunable
        Its ranges hold the default.

    Raises
    ------
    InputError
        When the model has no ranges here.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> forest = make_tunable("random forest", make_planted(200), load_config())
    >>> list(forest.space)
    ['n_estimators', 'max_depth', 'min_samples_split', 'min_samples_leaf']
    >>> forest.with_params({"max_depth": 3}).steps[-1][1].max_depth
    3
    """
    if name not in SPACES:
        msg = f"There are no ranges for '{name}'; tune one of {', '.join(SPACES)}."
        raise InputError(msg + suggest(name, SPACES))
    known = networks(dataset, config) if name == "network" else baselines(dataset, config)
    pipeline = known[NETWORK if name == "network" else name]
    if name == "linear" and dataset.task == "regression":  # its own search of a penalty goes
        *steps, (step, _) = pipeline.steps
        pipeline = Pipeline([*steps, (step, Ridge())])
    model = pipeline.steps[-1][1]
    space = SPACES[name](dataset)
    start = model.get_params()
    if name == "random forest":
        start["max_depth"] = DEPTH
    elif name == "network":
        units = start.pop("hidden_dims")
        start.update(n_layers=len(units), hidden_units=units[0])
    default = round_params({parameter: start[parameter] for parameter in space})
    return Tunable(name, pipeline, space, default)


def _lightgbm(dataset: Dataset) -> dict[str, BaseDistribution]:
    from optuna.distributions import (  # noqa: PLC0415 - only a search needs it
        FloatDistribution,
        IntDistribution,
    )

    return {
        "n_estimators": IntDistribution(30, 300, log=True),
        "learning_rate": FloatDistribution(0.01, 0.3, log=True),
        "num_leaves": IntDistribution(2, 63, log=True),
        "min_child_samples": IntDistribution(1, _largest_leaf(dataset, 3), log=True),
        "colsample_bytree": FloatDistribution(0.2, 1.0),
        "reg_lambda": FloatDistribution(0.0, 20.0),
    }


def _forest(dataset: Dataset) -> dict[str, BaseDistribution]:
    from optuna.distributions import IntDistribution  # noqa: PLC0415 - only a search needs it

    return {
        "n_estimators": IntDistribution(30, 300, log=True),
        "max_depth": IntDistribution(2, DEPTH, log=True),
        "min_samples_split": IntDistribution(2, _largest_leaf(dataset, 3), log=True),
        "min_samples_leaf": IntDistribution(1, _largest_leaf(dataset, 2), log=True),
    }


def _linear(dataset: Dataset) -> dict[str, BaseDistribution]:
    from optuna.distributions import FloatDistribution  # noqa: PLC0415 - only a search needs it

    name = "alpha" if dataset.task == "regression" else "C"
    return {name: FloatDistribution(1e-4, 1e4, log=True)}


def _network(_: Dataset) -> dict[str, BaseDistribution]:
    from optuna.distributions import (  # noqa: PLC0415 - only a search needs it
        FloatDistribution,
        IntDistribution,
    )

    return {
        "n_layers": IntDistribution(1, 3),
        "hidden_units": IntDistribution(16, 256, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
        "learning_rate": FloatDistribution(3e-4, 0.03, log=True),
        "weight_decay": FloatDistribution(1e-4, 1.0, log=True),
        "embedding_dim": IntDistribution(2, 16, log=True),
    }


SPACES = {
    "linear": _linear,
    "random forest": _forest,
    "LightGBM": _lightgbm,
    "network": _network,
}


def _join_layers(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with the hidden layers of a network as the network takes them."""
    settings = dict(params)
    if "n_layers" in settings:
        settings["hidden_dims"] = (settings.pop("hidden_units"),) * settings.pop("n_layers")
    return settings


def _largest_leaf(dataset: Dataset, least: int) -> int:
    """Return the upper end of a leaf's rows: a twentieth of the table, within reason."""
    return max(min(200, len(dataset) // 20), 20, least)
