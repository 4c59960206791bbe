"""Models tuned on folds, and what their tuning is worth on rows that it did not see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.config import Config, project_root
from lib.data import Dataset
from lib.data.names import slug
from lib.estimates import Estimate, corrected_mean
from lib.evaluation import PreparedFold, Scores, cross_validate
from lib.evaluation.metrics import check_scoring, scorers
from lib.resampling import Folds, make_cv, make_folds, sample_rows
from lib.tuning.search import Objective, Params, Report, Sampler, Search, search
from lib.tuning.spaces import Tunable

CODE = ("data", "evaluation", "features", "models", "resampling", "tuning")  # behind every value
PACKAGES = ("lightgbm", "numpy", "optuna", "scikit-learn", "skrub")  # likewise
NETWORK_CODE, NETWORK_PACKAGES = ("neural",), ("torch",)  # behind those of a network besides


def tune(
    tunable: Tunable,
    dataset: Dataset,
    folds: Folds,
    config: Config,
    *,
    n_trials: int,
    scoring: str | None = None,
    sampler: Sampler = "tpe",
) -> Search:
    """Search for the parameters with the best mean score over folds; the default is tried first.

    Preprocessing is learned once a fold and shared by all trials. Trials are kept in a journal
    under the reports folder: a search that was killed goes on where it was, and one that is
    complete is read. Other data, folds, ranges, code or versions are another search.

    Parameters
    ----------
    tunable : Tunable
        The model with its ranges.
    dataset : Dataset
        The training rows.
    folds : Folds
        On which each trial is scored.
    config : Config
        Its seed, and where reports are.
    n_trials : int
        Trials, the default included.
    scoring : str, optional
        What is maximised; the task's default metric otherwise.
    sampler : {"tpe", "random"}
        Who proposes the points.

    Returns
    -------
    Search
        Its best value is optimistic: it was chosen for being high on these folds.

    Raises
    ------
    InputError
        As `search`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from lib.config import Config, load_config
    >>> from lib.data import load_data
    >>> from lib.resampling import make_cv, make_folds
    >>> from lib.tuning import make_tunable
    >>> train = load_data("wine").train
    >>> folds = make_folds(train, make_cv(train, n_splits=2))
    >>> tunable = make_tunable("linear", train, load_config())
    >>> with TemporaryDirectory() as folder:
    ...     found = tune(tunable, train, folds, Config(root=Path(folder)), n_trials=3)
    >>> found.n_finished, bool(found.best_value >= found.trials["value"].iloc[0])
    (3, True)
    """
    scoring = check_scoring(dataset.task, scoring)
    what = _identify(tunable, dataset, folds, config, scoring=scoring, sampler=sampler)
    return search(
        make_objective(tunable, dataset, folds, scoring=scoring),
        tunable.space,
        n_trials=n_trials,
        sampler=sampler,
        default=tunable.default,
        journal=config.reports / dataset.name / "searches" / f"{what}.jsonl",
        random_state=config.seed,
    )


def make_objective(tunable: Tunable, dataset: Dataset, folds: Folds, *, scoring: str) -> Objective:
    """Return the function from parameters to the mean score over folds.

    Parameters
    ----------
    tunable : Tunable
        The model.
    dataset : Dataset
        The training rows.
    folds : Folds
        One step of a trial each.
    scoring : str
        Name of a metric of the task.

    Returns
    -------
    callable
        As `search` takes it. A fold whose test rows hold too few classes for the metric is left
        out.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import load_data
    >>> from lib.resampling import make_cv, make_folds
    >>> from lib.tuning import make_tunable
    >>> train = load_data("wine").train
    >>> folds = make_folds(train, make_cv(train, n_splits=3))
    >>> tunable = make_tunable("linear", train, load_config())
    >>> objective = make_objective(tunable, train, folds, scoring="accuracy")
    >>> objective(tunable.default, lambda value: False) > 0.9
    True
    """
    metric = scorers(dataset.task)[scoring]
    prepared = [PreparedFold(dataset, train, test) for train, test in folds]

    def objective(params: Params, report: Report) -> float:
        estimator = tunable.with_params(params)
        values: list[float] = []
        for fold in prepared:
            value = fold.score(estimator, metric)
            if np.isfinite(value):
                values.append(value)
                if report(value):
                    break
        return float(np.mean(values)) if values else float("nan")

    return objective


@dataclass(frozen=True)
class Nested:
    """What tuning is worth: searched inside the training part of each fold, scored on its test.

    Attributes
    ----------
    scores : Scores
        The default under the model's name, and one more model for each sampler.
    searches : DataFrame
        One row a sampler and outer fold: sampler, fold, inner (mean score of the best trial over
        the inner folds), outer (the score of its parameters on the fold's test part), promised
        and kept (by how much the two exceed those of the default), optimism (promised - kept),
        n_pruned, then the parameters.
    found : dict of str to list of Search
        By sampler, one for each fold.
    """

    scores: Scores
    searches: pd.DataFrame
    found: dict[Sampler, list[Search]]

    def optimism(self, sampler: str = "tpe", *, level: float = 0.95) -> Estimate:
        """Return by how much the searches promise more gain over the default than they keep.

        Gains are compared, not scores: inner fits have fewer rows, which lowers both scores of a
        search alike. The interval is corrected for folds that share training rows.
        """
        rows = self.searches[self.searches["sampler"] == sampler]
        return corrected_mean(rows["optimism"], self.scores.folds.test_fraction, level=level)


def name_tuned(model: str, sampler: str) -> str:
    """Return what a tuned model is called in tables and in the record.

    Examples
    --------
    >>> name_tuned("LightGBM", "tpe"), name_tuned("LightGBM", "random")
    ('LightGBM tuned', 'LightGBM tuned at random')
    """
    return f"{model} tuned" + (" at random" if sampler == "random" else "")


def nest(
    tunable: Tunable,
    dataset: Dataset,
    folds: Folds,
    config: Config,
    *,
    n_trials: int,
    n_inner: int = 3,
    max_rows: int | None = None,
    scoring: str | None = None,
    samplers: tuple[Sampler, ...] = ("tpe", "random"),
) -> Nested:
    """Tune inside the training part of every fold, and score on the part that tuning never saw.

    What comes out is the score of the whole procedure, search included [1]_; beside it stands the
    score that the search itself reports, which is the better the longer one searches.

    Parameters
    ----------
    tunable : Tunable
        The model with its ranges.
    dataset : Dataset
        The training rows.
    folds : Folds
        The outer folds; the study's, so that the scores compare with other candidates.
    config : Config
        Its seed, and where reports are.
    n_trials : int
        Trials of each search.
    n_inner : int
        Inner folds.
    max_rows : int, optional
        Rows of an outer training part that the search uses at most; the final fit has all.
    scoring : str, optional
        What is maximised; the task's default metric otherwise.
    samplers : tuple of {"tpe", "random"}
        Each searches with the same number of trials.

    Returns
    -------
    Nested
        The default, and the tuned model of each sampler, on the same folds.

    Raises
    ------
    InputError
        When a training part is too small for inner folds.

    References
    ----------
    .. [1] G. C. Cawley, N. L. C. Talbot (2010). On over-fitting in model selection and subsequent
       selection bias in performance evaluation. JMLR 11:2079.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from lib.config import Config, load_config
    >>> from lib.data import load_data
    >>> from lib.resampling import make_cv, make_folds
    >>> from lib.tuning import make_tunable
    >>> train = load_data("wine").train
    >>> folds = make_folds(train, make_cv(train, n_splits=2))
    >>> tunable = make_tunable("linear", train, load_config())
    >>> how = {"n_trials": 2, "n_inner": 2, "samplers": ("random",)}
    >>> with TemporaryDirectory() as folder:
    ...     nested = nest(tunable, train, folds, Config(root=Path(folder)), **how)
    >>> list(nested.scores.models)
    ['linear', 'linear tuned at random']
    """
    scoring = check_scoring(dataset.task, scoring)
    found: dict[Sampler, list[Search]] = {sampler: [] for sampler in samplers}
    for train, _ in folds:
        part = dataset.take(train)
        if max_rows is not None:
            part = sample_rows(part, max_rows, per_class=4 * n_inner, random_state=config.seed)
        inner = make_folds(part, make_cv(part, n_splits=n_inner, random_state=config.seed))
        for sampler in samplers:
            options: dict[str, Any] = {"scoring": scoring, "sampler": sampler}
            done = tune(tunable, part, inner, config, n_trials=n_trials, **options)
            found[sampler].append(done)
    estimators: dict[str, Any] = {tunable.name: tunable.estimator}
    for sampler, searches in found.items():
        chosen = [tunable.with_params(done.best_params) for done in searches]
        estimators[name_tuned(tunable.name, sampler)] = chosen
    scores = cross_validate(estimators, dataset, folds, scoring=scoring)
    return Nested(scores, _tabulate(tunable, scores, found), found)


def _tabulate(
    tunable: Tunable, scores: Scores, found: Mapping[Sampler, list[Search]]
) -> pd.DataFrame:
    by_fold = scores.by_fold()
    rows = []
    for sampler, searches in found.items():
        for fold, done in enumerate(searches, start=1):
            outer = _at(by_fold, fold, name_tuned(tunable.name, sampler))
            promised = done.best_value - done.default_value
            kept = outer - _at(by_fold, fold, tunable.name)
            rows.append(
                {
                    "sampler": sampler,
                    "fold": fold,
                    "inner": done.best_value,
                    "outer": outer,
                    "promised": promised,
                    "kept": kept,
                    "optimism": promised - kept,
                    "n_pruned": int((done.trials["state"] == "pruned").sum()),
                    **done.best_params,
                }
            )
    return pd.DataFrame(rows)


def _at(by_fold: pd.DataFrame, fold: int, model: str) -> float:
    known = model in by_fold and fold in by_fold.index
    return float(by_fold.loc[fold, model]) if known else float("nan")


def _identify(
    tunable: Tunable, dataset: Dataset, folds: Folds, config: Config, *, scoring: str, sampler: str
) -> str:
    """Return a file name of all that a trial's value depends on: what differs is another search."""
    is_network = tunable.name == "network"
    code = CODE + NETWORK_CODE if is_network else CODE
    packages = PACKAGES + NETWORK_PACKAGES if is_network else PACKAGES
    facts = {
        "data": dataset.fingerprint,
        "folds": folds.fingerprint,
        "scoring": scoring,
        "seed": config.seed,
        "model": repr(tunable.estimator.get_params()),
        "space": {name: repr(kind) for name, kind in tunable.space.items()},
        "default": dict(tunable.default),
        "code": _code_digest(project_root() / "lib", code),
        "versions": {package: version(package) for package in packages},
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{slug(tunable.name)}-{sampler}-{digest[:16]}"


def _code_digest(lib: Path, packages: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted([lib / f"{package}.py", *(lib / package).rglob("*.py")]):
            if path.exists():
                digest.update(path.relative_to(lib).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
