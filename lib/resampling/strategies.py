"""Ways to estimate how good a model is from its own training rows, under one interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from lib.data import Dataset
from lib.errors import InputError
from lib.resampling.choice import make_cv, make_forward
from lib.resampling.folds import Folds, make_folds
from lib.resampling.purged import make_purged
from lib.resampling.splitters import Bootstrap, HoldOut, Splitter

How = Literal["mean", "inner", "nested", "out of bag", ".632", ".632+"]
Make = Callable[[Dataset, int], Splitter]


@dataclass(frozen=True)
class Strategy:
    """One way to estimate a score.

    Attributes
    ----------
    name : str
        For tables.
    how : {"mean", "inner", "nested", "out of bag", ".632", ".632+"}
        How folds become a score: their mean; the best mean of several candidates; the mean of a
        model that was chosen inside each fold; or a bootstrap estimate.
    keeps : tuple of str
        What its folds respect: "classes", "groups", "time".
    description : str
        In words.
    make : callable or None
        Takes a dataset and a seed and returns the splitter; None when the strategy does not
        apply, and `reason` says why.
    reason : str
        Why it does not apply.
    """

    name: str
    how: How
    keeps: tuple[str, ...]
    description: str
    make: Make | None = None
    reason: str = ""

    @property
    def judges(self) -> str:
        """What the score is of: "fixed model", or "tuned model" that candidates compete to be."""
        return "tuned model" if self.how in {"inner", "nested"} else "fixed model"


def list_strategies(
    dataset: Dataset,
    *,
    n_splits: int = 5,
    n_repeats: int = 5,
    n_resamples: int = 25,
    horizon: int = 1,
    embargo: float = 0.01,
) -> list[Strategy]:
    """Return every strategy, with the reason of those that do not apply to a dataset.

    Plain and stratified folds ignore groups and time on purpose: they show what that costs.
    Hold-out, repeats, bootstrap and nesting respect what `make_cv` would.

    Parameters
    ----------
    dataset : Dataset
        Its task, groups and time decide what applies.
    n_splits, n_repeats : int
        Folds, and repeats of the repeated ones.
    n_resamples : int
        Bootstrap samples.
    horizon, embargo : int, float
        Of purged folds; see `make_purged`.

    Returns
    -------
    list of Strategy

    Examples
    --------
    >>> from lib.data import make_planted
    >>> strategies = list_strategies(make_planted(200))
    >>> [s.name for s in strategies if s.make is None]
    ['group k-fold', 'stratified group k-fold', 'forward in time', 'purged k-fold']
    """
    grouped, timed = dataset.groups is not None, dataset.time is not None
    labels = dataset.task != "regression"
    own = _keeps(labels=labels, grouped=grouped, timed=timed)
    no_groups = "" if grouped else "no groups are named or found"
    no_time = "" if timed else "no time is named or found"
    no_labels = "" if labels else "numbers have no classes"

    def folds(kind: Any) -> Make:
        def make(_: Dataset, seed: int) -> Splitter:
            cv = kind(n_splits, shuffle=True, random_state=seed)
            return Splitter((cv,), f"{n_splits} shuffled folds ({kind.__name__}), seed {seed}")

        return make

    def hold_out(dataset: Dataset, seed: int) -> Splitter:
        cv = make_cv(dataset, n_splits=n_splits, random_state=seed)
        which = -1 if "time" in own else 0
        return Splitter((HoldOut(cv, which),), f"one of {cv.description}", cv.notes)

    def repeated(dataset: Dataset, seed: int) -> Splitter:
        if "time" in own:
            kind = StratifiedKFold if labels else KFold
            cvs = tuple(
                kind(n_splits, shuffle=True, random_state=seed + i) for i in range(n_repeats)
            )
            return Splitter(cvs, f"{n_splits} shuffled folds {n_repeats} times, seed {seed}")
        return make_cv(dataset, n_splits=n_splits, n_repeats=n_repeats, random_state=seed)

    def default(dataset: Dataset, seed: int) -> Splitter:
        return make_cv(dataset, n_splits=n_splits, random_state=seed)

    def forward(dataset: Dataset, seed: int) -> Splitter:
        del seed
        return make_forward(_time_of(dataset), n_splits, 1)

    def purged(dataset: Dataset, seed: int) -> Splitter:
        del seed
        return make_purged(_time_of(dataset), n_splits=n_splits, horizon=horizon, embargo=embargo)

    def drawn(dataset: Dataset, seed: int) -> Splitter:
        what = "rows" if dataset.groups is None else f"groups ({dataset.groups.name})"
        words = f"{n_resamples} bootstrap samples of {what}, seed {seed}"
        return Splitter((Bootstrap(n_resamples, seed),), words)

    classes: tuple[str, ...] = ("classes",) if labels else ()
    groups: tuple[str, ...] = ("groups",) if grouped else ()
    shuffled = classes if "time" in own else own
    several = f"{n_repeats} times {n_splits}"
    rows: list[tuple[str, How, tuple[str, ...], str, Make, str]] = [
        ("hold-out", "mean", own, f"one of {n_splits} folds is tested", hold_out, ""),
        ("k-fold", "mean", (), f"{n_splits} shuffled folds of rows", folds(KFold), ""),
        (
            "stratified k-fold",
            "mean",
            classes,
            f"{n_splits} folds, classes in equal shares",
            folds(StratifiedKFold),
            no_labels,
        ),
        ("repeated k-fold", "mean", shuffled, f"{several} folds, shuffled anew", repeated, ""),
        (
            "group k-fold",
            "mean",
            ("groups",),
            f"{n_splits} folds of whole groups",
            folds(GroupKFold),
            no_groups,
        ),
        (
            "stratified group k-fold",
            "mean",
            ("classes", "groups"),
            "the same, classes about equal",
            folds(StratifiedGroupKFold),
            no_groups or no_labels,
        ),
        (
            "forward in time",
            "mean",
            ("time",),
            "trained on the past, tested on next",
            forward,
            no_time,
        ),
        (
            "purged k-fold",
            "mean",
            ("time",),
            "blocks of time, overlaps left out",
            purged,
            no_time,
        ),
        (
            "out-of-bag bootstrap",
            "out of bag",
            groups,
            f"{n_resamples} samples, tested on rows not drawn",
            drawn,
            "",
        ),
        (".632", ".632", groups, "0.368 training + 0.632 out of bag", drawn, ""),
        (
            ".632+",
            ".632+",
            groups,
            ".632 weighted by overfitting",
            drawn,
            "",
        ),
        (
            "nested",
            "nested",
            own,
            f"model chosen by folds in {n_splits} folds",
            default,
            "",
        ),
        (
            "inner optimum",
            "inner",
            own,
            "best candidate on its own folds",
            default,
            "",
        ),
    ]
    return [
        Strategy(name, how, keeps, words, None if reason else make, reason)
        for name, how, keeps, words, make, reason in rows
    ]


def make_strategy_folds(
    strategies: Iterable[Strategy], dataset: Dataset, *, random_state: int = 0
) -> dict[str, Folds]:
    """Return the folds of every strategy that can be made of a dataset, by its name.

    Parameters
    ----------
    strategies : iterable of Strategy
        From `list_strategies`; those that do not apply, or find too few rows, are left out.
    dataset : Dataset
        Training rows.
    random_state : int
        Seed of the folds.

    Returns
    -------
    dict of str to Folds

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(100)
    >>> list(make_strategy_folds(list_strategies(dataset)[:5], dataset))
    ['hold-out', 'k-fold', 'stratified k-fold', 'repeated k-fold']
    """
    folds = {}
    for strategy in strategies:
        if strategy.make is None:
            continue
        try:
            folds[strategy.name] = make_folds(dataset, strategy.make(dataset, random_state))
        except (InputError, ValueError):  # scikit-learn says the latter of too few groups
            continue
    return folds


def name_default(dataset: Dataset) -> str:
    """Return which strategy `make_cv` chooses for a dataset, when it makes one repeat.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> name_default(make_planted(100)), name_default(make_planted(100, n_groups=20))
    ('stratified k-fold', 'stratified group k-fold')
    """
    if dataset.groups is None and dataset.time is not None:
        return "forward in time"
    together = "group " if dataset.groups is not None else ""
    shares = "stratified " if dataset.task != "regression" else ""
    return f"{shares}{together}k-fold"


def tabulate_strategies(strategies: Iterable[Strategy]) -> pd.DataFrame:
    """Return a table of strategies: strategy, how, keeps, applies.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> tabulate_strategies(list_strategies(make_planted(200)))["keeps"].head(3).tolist()
    ['classes', 'nothing', 'classes']
    """
    rows = [
        (s.name, s.description, ", ".join(s.keeps) or "nothing", s.reason or "yes")
        for s in strategies
    ]
    return pd.DataFrame(rows, columns=["strategy", "how", "keeps", "applies"])


def _keeps(*, labels: bool, grouped: bool, timed: bool) -> tuple[str, ...]:
    """Return what the folds of `make_cv` respect."""
    if timed and not grouped:
        return ("time",)
    return (*(["classes"] if labels else []), *(["groups"] if grouped else []))


def _time_of(dataset: Dataset) -> pd.Series:
    if dataset.time is None:
        msg = f"'{dataset.name}' has no time: name its column in the catalogue."
        raise InputError(msg)
    return dataset.time
