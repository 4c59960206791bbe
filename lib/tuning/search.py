"""A search for good parameters: counted trials, honest states, the same points after a kill."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lib.errors import InputError, suggest
from lib.tuning.journal import open_study

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

Sampler = Literal["tpe", "random"]
Params = dict[str, Any]
Report = Callable[[float], bool]
Objective = Callable[[Params, Report], float]

SAMPLERS = ("tpe", "random")
N_STARTUP = 5  # random points before TPE has enough to learn from
DIGITS = 4  # of a parameter
N_UNPRUNED = 5  # complete trials before the median says anything
COMPLETE, PRUNED, FAILED, KILLED = "complete", "pruned", "failed", "killed"
_REASON, _DEFAULT, _MEAN = "reason", "default", "mean"  # user attributes of a trial


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes
    ----------
    trials : DataFrame
        One row a trial, in order: trial (from 0), state ("complete", "pruned", "failed",
        "killed"), value (mean over the steps it made; NaN when it made none), n_steps,
        is_default, reason (of a failure), then one column for each parameter.
    space : mapping of str to optuna distribution
        The ranges that were searched.
    sampler : {"tpe", "random"}
        Who proposed the points.
    """

    trials: pd.DataFrame
    space: Mapping[str, BaseDistribution]
    sampler: str

    @property
    def n_finished(self) -> int:
        """Trials that count: complete, pruned or failed by themselves."""
        return int((self.trials["state"] != KILLED).sum())

    @property
    def best(self) -> pd.Series:
        """The complete trial with the highest value, the first of equals.

        Raises
        ------
        InputError
            When no trial is complete.
        """
        complete = self.trials[self.trials["state"] == COMPLETE]
        if complete.empty:
            reasons = self.trials["reason"]
            first = next((reason for reason in reasons if reason), "none was made")
            msg = f"No trial of {len(self.trials)} was completed; the first said: {first}"
            raise InputError(msg)
        return complete.loc[complete["value"].idxmax()]

    @property
    def best_params(self) -> Params:
        """Parameters of the best trial, as plain numbers and words."""
        best = self.best
        return {name: plain_value(best[name], kind) for name, kind in self.space.items()}

    @property
    def best_value(self) -> float:
        """Value of the best trial: optimistic, as it was chosen for being high."""
        return float(self.best["value"])

    @property
    def default_value(self) -> float:
        """Value of the default; NaN when there was none, or it failed."""
        values = self.trials.loc[self.trials["is_default"], "value"]
        return float(values.iloc[0]) if len(values) else math.nan


def search(
    objective: Objective,
    space: Mapping[str, BaseDistribution],
    *,
    n_trials: int,
    sampler: Sampler = "tpe",
    default: Mapping[str, Any] | None = None,
    prune: bool = True,
    journal: Path | None = None,
    random_state: int = 0,
) -> Search:
    """Return the trials of a search for the parameters with the highest value.

    Trials are made one after another until `n_trials` have ended by themselves. The point of each
    depends on the seed and on the trials that ended before it, and on nothing else: a search that
    was killed goes on with the very points that it would have tried, and ends with the same best.

    Parameters
    ----------
    objective : callable
        Takes the parameters and a function `report`, and returns the value. It calls `report` with
        the value of each step (a fold, say); when that returns True, the trial is not worth
        finishing and the objective returns at once. An exception or a value that is not finite
        fails the trial, with its reason.
    space : mapping of str to optuna distribution
        Ranges by parameter.
    n_trials : int
        How many trials end, those of an earlier run included.
    sampler : {"tpe", "random"}
        "tpe" learns from earlier trials [1]_; "random" does not, and is its control.
    default : mapping, optional
        Parameters tried first, so that the best is never worse than they are.
    prune : bool
        Give up a trial whose steps so far are below the median of the complete ones.
    journal : Path, optional
        Where trials are kept; without it a kill loses them.
    random_state : int
        Seed of the points.

    Returns
    -------
    Search
        All trials, killed ones included.

    Raises
    ------
    InputError
        When the space is empty, `n_trials` or `sampler` do not fit, the default lies outside the
        space, or the journal cannot be used.

    References
    ----------
    .. [1] J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl (2011). Algorithms for hyper-parameter
       optimization. NeurIPS.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> space = {"x": FloatDistribution(-5, 5)}
    >>> found = search(lambda params, report: -(params["x"] ** 2), space, n_trials=30)
    >>> found.n_finished, abs(found.best_params["x"]) < 0.5
    (30, True)
    """
    default = _check(space, n_trials, sampler, default)
    with open_study(journal) as study:
        while (ended := _n_ended(study)) < n_trials:
            if ended == 0 and default is not None:
                _try_default(study, objective, space, default)
                continue
            study.sampler = _make_sampler(sampler, random_state, ended)
            study.pruner = _make_pruner(prune=prune)
            _try_next(study, objective, space)
        trials = [_row(trial, space) for trial in study.get_trials(deepcopy=False)]
    columns = ["trial", "state", "value", "n_steps", "is_default", "reason", *space]
    return Search(pd.DataFrame(trials, columns=columns), dict(space), sampler)


def _check(
    space: Mapping[str, BaseDistribution],
    n_trials: int,
    sampler: str,
    default: Mapping[str, Any] | None,
) -> Params | None:
    if not space:
        raise InputError("A search needs at least one parameter with its range; got none.")
    if n_trials < 1:
        raise InputError(f"n_trials must be at least 1; got {n_trials}.")
    if sampler not in SAMPLERS:
        msg = f"sampler must be one of {', '.join(SAMPLERS)}; got '{sampler}'."
        raise InputError(msg + suggest(sampler, SAMPLERS))
    if default is None:
        return None
    missing = [name for name in space if name not in default]
    if missing:
        raise InputError(f"The default lacks {', '.join(missing)}; got {dict(default)}.")
    from optuna.trial import create_trial  # noqa: PLC0415 - only a search needs it

    chosen = {name: default[name] for name in space}
    try:
        create_trial(value=0.0, params=chosen, distributions=dict(space))
    except ValueError as error:
        msg = f"The default must lie in the space: {error} Widen the range or leave it out."
        raise InputError(msg) from error
    return chosen


def _make_sampler(sampler: str, random_state: int, ended: int) -> Any:
    """Return a sampler for one trial, seeded by how many ended before it."""
    from optuna import samplers  # noqa: PLC0415 - only a search needs it

    digest = hashlib.sha256(f"{random_state}|{ended}".encode()).digest()
    seed = int.from_bytes(digest[:4], "little")
    if sampler == "random":
        return samplers.RandomSampler(seed=seed)
    return samplers.TPESampler(seed=seed, n_startup_trials=N_STARTUP)


def _make_pruner(*, prune: bool) -> Any:
    from optuna import pruners  # noqa: PLC0415 - only a search needs it

    return pruners.MedianPruner(n_startup_trials=N_UNPRUNED) if prune else pruners.NopPruner()


def _n_ended(study: Study) -> int:
    return sum(_state(trial) != KILLED for trial in study.get_trials(deepcopy=False))


def _state(trial: FrozenTrial) -> str:
    """Return our word for the state; a failure without a reason is a trial that was killed."""
    name = trial.state.name
    if name == "COMPLETE":
        return COMPLETE
    if name == "PRUNED":
        return PRUNED
    return FAILED if _REASON in trial.user_attrs else KILLED


@dataclass
class _Steps:
    """The values of the steps of one trial: their running mean is what the pruner compares."""

    values: list[float]
    tell: Callable[[float, int], bool]
    is_pruned: bool = False

    def report(self, value: float) -> bool:
        """Take the value of a step; True when the trial is not worth finishing."""
        self.values.append(float(value))
        mean = float(np.mean(self.values))
        if math.isfinite(mean) and self.tell(mean, len(self.values)):
            self.is_pruned = True
        return self.is_pruned


def _try_next(study: Study, objective: Objective, space: Mapping[str, Any]) -> None:
    from optuna.trial import TrialState  # noqa: PLC0415 - only a search needs it

    trial = study.ask(fixed_distributions=dict(space))

    def tell(mean: float, step: int) -> bool:
        trial.report(mean, step)
        return trial.should_prune()

    steps = _Steps([], tell)
    value, reason = _evaluate(objective, trial.params, steps)
    if reason:
        trial.set_user_attr(_REASON, reason)
        study.tell(trial, state=TrialState.FAIL)
    elif steps.is_pruned:
        trial.set_user_attr(_MEAN, float(np.mean(steps.values)))
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _try_default(
    study: Study, objective: Objective, space: Mapping[str, Any], default: Params
) -> None:
    """Make the first trial with the default: added whole, so that a kill leaves nothing behind."""
    from optuna.trial import TrialState, create_trial  # noqa: PLC0415 - only a search needs it

    means: dict[int, float] = {}

    def tell(mean: float, step: int) -> bool:
        means[step] = mean
        return False

    value, reason = _evaluate(objective, default, _Steps([], tell))
    attributes = {_DEFAULT: True} | ({_REASON: reason} if reason else {})
    study.add_trial(
        create_trial(
            state=TrialState.FAIL if reason else TrialState.COMPLETE,
            value=None if reason else value,
            params=default,
            distributions=dict(space),
            user_attrs=attributes,
            intermediate_values=means,
        )
    )


def _evaluate(objective: Objective, params: Params, steps: _Steps) -> tuple[float, str]:
    """Return the value, and the reason why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of points far out; the chosen one is fitted again
            value = float(objective(round_params(params), steps.report))
    except Exception as error:  # noqa: BLE001 - any failure of a point is a row of the table
        return math.nan, f"{type(error).__name__}: {error}".splitlines()[0][:200]
    if not math.isfinite(value) and not steps.is_pruned:
        return math.nan, f"the value is {value}, not a finite number"
    return value, ""


def _row(trial: FrozenTrial, space: Mapping[str, Any]) -> list[Any]:
    steps = trial.intermediate_values
    value = trial.value if trial.value is not None else trial.user_attrs.get(_MEAN, math.nan)
    return [
        trial.number,
        _state(trial),
        float(value),
        len(steps),
        bool(trial.user_attrs.get(_DEFAULT, False)),
        trial.user_attrs.get(_REASON, ""),
        *(round_params(trial.params).get(name) for name in space),
    ]


def round_params(params: Mapping[str, Any]) -> Params:
    """Return the parameters with floats of four significant digits, as a person would choose them.

    Finer digits say nothing, differ between processors, and would make findings differ with them.

    Parameters
    ----------
    params : mapping
        As a sampler proposes them.

    Returns
    -------
    dict
        Same names.

    Examples
    --------
    >>> round_params({"learning_rate": 0.0531234567, "num_leaves": 31})
    {'learning_rate': 0.05312, 'num_leaves': 31}
    """
    return {
        name: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
        for name, value in params.items()
    }


def plain_value(value: Any, kind: BaseDistribution) -> Any:
    """Return a value from a column as its range has it: an int that pandas made a float, say."""
    plain = kind.to_external_repr(kind.to_internal_repr(value))
    return plain.item() if hasattr(plain, "item") else plain


def best_so_far(searches: Sequence[Search]) -> pd.DataFrame:
    """Return how the best value rose with the trials of each search.

    Parameters
    ----------
    searches : sequence of Search
        With different samplers, say.

    Returns
    -------
    DataFrame
        sampler, trial (from 1, killed ones left out), state, value, best (of the complete trials
        up to here; NaN before the first).

    Examples
    --------
    >>> from optuna.distributions import IntDistribution
    >>> found = search(lambda p, _: p["k"], {"k": IntDistribution(0, 9)}, n_trials=5)
    >>> bool(best_so_far([found])["best"].is_monotonic_increasing)
    True
    """
    parts = []
    for found in searches:
        rows = found.trials[found.trials["state"] != KILLED].reset_index(drop=True)
        complete = rows["value"].where(rows["state"] == COMPLETE)
        parts.append(
            pd.DataFrame(
                {
                    "sampler": found.sampler,
                    "trial": np.arange(1, len(rows) + 1),
                    "state": rows["state"],
                    "value": rows["value"],
                    "best": complete.cummax().ffill(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
