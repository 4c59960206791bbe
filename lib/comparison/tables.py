"""Candidates that runs have kept: of the study's table, and of others beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib import design, models, resampling, tracking
from lib.config import Config
from lib.data import Dataset, load_data
from lib.data.sources import record_source, source_hash
from lib.errors import InputError
from lib.evaluation import Scores, score_predictions
from lib.tracking.predictions import FILE, Predicted


@dataclass(frozen=True)
class Gathered:
    """All candidates of a table, scored on the same folds.

    Attributes
    ----------
    tracked : dict of str to Predicted
        By candidate, each once.
    scores : Scores
        By the card's metric.
    twins : dict of str to str
        Candidates left out, as another one predicts the same: by name, the one that stays.
    """

    tracked: dict[str, Predicted]
    scores: Scores
    twins: dict[str, str]


def gather_candidates(
    tracked: Mapping[str, Predicted],
    dataset: Dataset,
    folds: resampling.Folds,
    *,
    scoring: str,
    order: Sequence[str],
) -> Gathered:
    """Return kept candidates, each once, with their scores.

    Parameters
    ----------
    tracked : mapping of str to Predicted
        From `tracking.load_predictions`.
    dataset : Dataset
        The training rows.
    folds : Folds
        Those of the predictions.
    scoring : str
        The metric that ranks them.
    order : sequence of str
        From simple to involved: of candidates with the same predictions the first stays.

    Returns
    -------
    Gathered
        An ensemble that gives all weight to one member, say, is that member.
    """
    kept: dict[str, Predicted] = {}
    seen: dict[bytes, str] = {}
    twins = {}
    for name in order:
        bits = np.ascontiguousarray(tracked[name].parts).tobytes()
        if bits in seen:
            twins[name] = seen[bits]
        else:
            seen[bits] = name
            kept[name] = tracked[name]
    parts = {name: candidate.parts for name, candidate in kept.items()}
    return Gathered(kept, score_predictions(parts, dataset, folds, scoring=scoring), twins)


def list_members(tracked: Mapping[str, Predicted]) -> dict[str, list[str]]:
    """Return which candidates each ensemble predicts with; one that was not kept is left out.

    Parameters
    ----------
    tracked : mapping of str to Predicted
        By candidate.
    """
    known = {name: list(candidate.kept.get("members", ())) for name, candidate in tracked.items()}
    return {name: members for name, members in known.items() if members}


@dataclass(frozen=True)
class Tables:
    """Scores of the same candidates on several tables.

    Attributes
    ----------
    values : DataFrame of shape (n_tables, n_models)
        Mean scores of the candidates that all tables have.
    effects : Series
        The smallest effect of each table's card.
    metrics : Series
        The metric of each table's card.
    left_out : tuple of str
        Candidates that not every table has.
    """

    values: pd.DataFrame
    effects: pd.Series
    metrics: pd.Series
    left_out: tuple[str, ...]


def read_names(written: str, own: str) -> list[str]:
    """Return the tables of a comparison: the study's own and those named, each once.

    Examples
    --------
    >>> read_names("wine, diabetes,wine", "rand_hie")
    ['rand_hie', 'wine', 'diabetes']
    """
    named = [name.strip() for name in written.split(",") if name.strip()]
    return list(dict.fromkeys([own, *named])) if named else [own]


def gather_tables(config: Config, names: Sequence[str], *, analyses: Sequence[str]) -> Tables:
    """Return the mean scores of the candidates that runs have kept of several tables.

    Parameters
    ----------
    config : Config
        Its effort and seed are those of all tables; the target is each table's own.
    names : sequence of str
        Of the catalogue, or paths.
    analyses : sequence of str
        Whose candidates, by number.

    Returns
    -------
    Tables

    Raises
    ------
    InputError
        When a table has no candidates on these folds: says which, and the commands.
    """
    means, effects, metrics, missing = {}, {}, {}, []
    for name in names:
        is_own = name == config.dataset
        train = load_data(name, target=config.target if is_own else None).train
        sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
        folds = resampling.make_study_folds(sample, config)
        for path in sorted((config.reports / train.name).glob(f"*/{FILE}")):
            if path.parent.name.partition("_")[0] in analyses:  # what this result depends on
                record_source(str(path), source_hash(str(path)))
        try:
            found = tracking.load_predictions(
                config, analyses=analyses, dataset=sample, folds=folds
            )
        except InputError:
            missing.append(name)
            continue
        card = design.make_card(sample, list(models.baselines(sample, config)))
        parts = {model: candidate.parts for model, candidate in found.items()}
        scores = score_predictions(parts, sample, folds, scoring=card.metric)
        by_fold = scores.by_fold()
        means[train.name] = by_fold.loc[:, by_fold.notna().all()].mean()
        effects[train.name], metrics[train.name] = card.smallest_effect, card.metric
    if missing:
        options = f" --effort {config.effort}" if config.effort != "standard" else ""
        options += f" --seed {config.seed}" if config.seed else ""
        commands = "; ".join(
            f"nox -s run_analyses -- 11 --dataset {name}{options}" for name in missing
        )
        listed = ", ".join(f"'{name}'" for name in missing)
        raise InputError(f"No candidates of {listed} are kept; make them with: {commands}")
    values = pd.DataFrame(means).T
    shared = values.columns[values.notna().all()]
    left_out = tuple(str(name) for name in values.columns if name not in shared)
    return Tables(values[shared], pd.Series(effects), pd.Series(metrics), left_out)
