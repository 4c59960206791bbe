"""The splitter that fits a dataset: chosen from its facts, said in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from lib.config import Config
from lib.data import Dataset
from lib.errors import InputError
from lib.resampling.folds import Folds, make_folds
from lib.resampling.splitters import ForwardInTime, Splitter

MIN_FOLDS_FOR_RARE_CLASSES = 3  # below it, the rest of the table would pay for one rare class


def make_cv(
    dataset: Dataset, *, n_splits: int = 5, n_repeats: int = 1, random_state: int = 0
) -> Splitter:
    """Return the splitter that fits the dataset.

    Groups are kept together (with classes spread evenly); else a time column is respected; else
    classes keep their shares; else rows are shuffled. Fewer folds are made when a class or the
    groups are too few for `n_splits`, and a note says so.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    n_splits : int
        Folds asked for.
    n_repeats : int
        Repeats asked for; folds in time are not repeated.
    random_state : int
        Seed of the shuffles.

    Returns
    -------
    Splitter
        Also usable as `cv` of any scikit-learn function.

    Raises
    ------
    InputError
        When the rows, the groups or a class are too few for two folds.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> cv = make_cv(make_planted(200, n_groups=40), n_splits=5)
    >>> type(cv.repeats[0]).__name__, cv.get_n_splits()
    ('StratifiedGroupKFold', 5)
    """
    if dataset.groups is None and dataset.time is not None:
        return make_forward(dataset.time, n_splits, n_repeats)
    n_splits, notes = _affordable(dataset, n_splits)
    stratified = dataset.task != "regression"
    if dataset.groups is not None:
        kind = StratifiedGroupKFold if stratified else GroupKFold
        together = f", rows of one group ({dataset.groups.name}) together"
    else:
        kind, together = (StratifiedKFold if stratified else KFold), ""
    repeats = tuple(
        kind(n_splits, shuffle=True, random_state=random_state + i) for i in range(n_repeats)
    )
    shares = ", classes in equal shares" if stratified else ""
    times = f" {n_repeats} times" if n_repeats > 1 else ""
    words = f"{n_splits} shuffled folds{times}{together}{shares}, seed {random_state}"
    return Splitter(repeats, words, notes)


def make_study_folds(dataset: Dataset, config: Config) -> Folds:
    """Return the folds of a study: the same in every analysis that asks for the same rows.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    config : Config
        Its budget says how many folds and repeats, its seed how they are shuffled.

    Returns
    -------
    Folds
        Of `make_cv`.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> len(make_study_folds(make_planted(100), load_config(effort="quick")))
    3
    """
    splits, repeats = config.budget.n_splits, config.budget.n_repeats
    cv = make_cv(dataset, n_splits=splits, n_repeats=repeats, random_state=config.seed)
    return make_folds(dataset, cv)


def make_forward(time: pd.Series, n_splits: int = 5, n_repeats: int = 1) -> Splitter:
    """Return folds that train on the past and test on what comes next.

    Parameters
    ----------
    time : Series of shape (n_rows,)
        Numbers or moments.
    n_splits : int
        Folds asked for; fewer where rows of one moment would be cut apart.
    n_repeats : int
        More than one is refused with a note: there is one order of time.

    Returns
    -------
    Splitter

    Raises
    ------
    InputError
        When there are fewer than three different times.

    Examples
    --------
    >>> cv = make_forward(pd.Series(range(12), name="day"), n_splits=3)
    >>> [(len(train), len(test)) for train, test in cv.split(None)]
    [(3, 3), (6, 3), (9, 3)]
    """
    order = np.argsort(time.to_numpy(), kind="stable")
    ordered = time.to_numpy()[order]
    wished = np.arange(1, n_splits + 1) * len(ordered) // (n_splits + 1)
    starts = np.unique(np.searchsorted(ordered, ordered[wished]))  # a moment is never cut
    starts = starts[starts > 0]
    if len(starts) < 2:
        msg = f"Folds in time need at least 3 different times; '{time.name}' allows too few cuts."
        raise InputError(msg)
    notes = []
    if len(starts) < n_splits:
        notes.append(f"{len(starts)} folds, not {n_splits}: too many rows share a time.")
    if n_repeats > 1:
        notes.append("Folds in time are not repeated: there is one order of time.")
    words = f"{len(starts)} folds forward in time ({time.name}): each tests on what comes next"
    splitter = ForwardInTime(order, tuple(int(start) for start in starts))
    return Splitter((splitter,), words, tuple(notes))


def _affordable(dataset: Dataset, n_splits: int) -> tuple[int, tuple[str, ...]]:
    """Return how many folds the rows, groups and classes allow, and what to say about it."""
    groups = dataset.groups
    of = np.arange(len(dataset.X)) if groups is None else pd.factorize(groups)[0]
    units = pd.Series(of)

    def counted(n: int) -> str:
        unit = "row" if groups is None else "group"
        return f"{n} {unit}{'' if n == 1 else 's'}" + (
            "" if groups is None else f" ({groups.name})"
        )

    possible, notes = min(n_splits, units.nunique()), []
    if possible < n_splits:
        verb = "is" if possible == 1 else "are"
        notes.append(f"{possible} folds, not {n_splits}: there {verb} only {counted(possible)}.")
    if dataset.task != "regression":
        held_by = units.groupby(dataset.y.to_numpy()).nunique()
        rarest, name = int(held_by.min()), dataset.classes[int(held_by.idxmin())]
        least = 2 if dataset.task == "binary" else MIN_FOLDS_FOR_RARE_CLASSES
        fewer = min(possible, max(rarest, least))
        if fewer < possible:
            notes.append(f"{fewer} folds, not {n_splits}: class '{name}' has {counted(rarest)}.")
        elif rarest < possible:
            notes.append(f"Class '{name}' has {counted(rarest)}: some folds do not test it.")
        possible = 0 if dataset.task == "binary" and rarest < 2 else fewer
    if possible < 2:
        msg = f"Cross-validation needs two folds that hold every class. {' '.join(notes)}"
        raise InputError(msg.strip())
    return possible, tuple(notes)
