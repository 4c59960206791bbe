"""Leaks planted into any table, each mild and severe: what the leak audit has to find.

A defect takes a clean dataset and returns one that leaks. Columns that it adds are named after
it, so that a finding can be told from a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.data import Dataset
from lib.data.dataset import make_rule
from lib.leakage.null import CHANCE
from lib.leakage.null import _rank as rank_score
from lib.resampling import make_cv, make_folds

Plant = Callable[..., Dataset]


@dataclass(frozen=True)
class Defect:
    """A leak to plant.

    Attributes
    ----------
    code : str
        The check that has to find it.
    name : str
    plant : callable
        Takes a dataset, a random generator, and whether the leak is severe.
    tasks : tuple of str
        Kinds of target that it can be planted into.
    """

    code: str
    name: str
    plant: Plant
    tasks: tuple[str, ...] = ("binary", "multiclass", "regression")


def with_column(dataset: Dataset, **columns: object) -> Dataset:
    """Return the dataset with more features."""
    labels = {**dataset.labels, **{name: name for name in columns}}
    return replace(dataset, X=dataset.X.assign(**columns), labels=labels)


def numeric_target(dataset: Dataset) -> np.ndarray:
    return dataset.y.to_numpy(dtype=float)


# ── L01: made from the target ───────────────────────────────────────────────────────────────


def copy(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    y = numeric_target(dataset)
    if not severe:  # a tenth of the copies are wrong
        y = np.where(rng.random(len(y)) < 0.1, rng.permutation(y), y)
    return with_column(dataset, copy=y)


def rescaled(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    y = numeric_target(dataset)
    noise = 0.0 if severe else 0.15
    return with_column(dataset, rescaled=7 - 2.54 * (y + noise * y.std() * rng.normal(size=len(y))))


def parts_of_sum(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    y = numeric_target(dataset)
    part = rng.normal(y.mean() / 2, 2 * y.std(), len(y))
    rest = y - part
    if not severe and dataset.task == "regression":  # a fifth of the sums are off
        rest = rest + np.where(rng.random(len(y)) < 0.2, rng.normal(0, y.std(), len(y)), 0)
    return with_column(dataset, part_one=part, part_two=rest)


def factors(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    y = numeric_target(dataset)
    price = rng.uniform(1, 9, len(y))
    if not severe:
        return with_column(dataset, price=price, per_price=y * price)
    return with_column(dataset, price=price, amount=y / price)


def trace(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    y = dataset.y.to_numpy()
    marked = (
        y == np.bincount(y).argmin() if dataset.task != "regression" else y > np.quantile(y, 0.8)
    )
    if not severe:
        marked &= rng.random(len(y)) < 0.65
    return with_column(dataset, trace=np.where(marked, rng.normal(size=len(y)), np.nan))


# ── L02, L03: the same rows ─────────────────────────────────────────────────────────────────


def _repeated(dataset: Dataset, share: float, rng: np.random.Generator) -> tuple[Dataset, int]:
    n_more = max(4, int(share * len(dataset)))
    chosen = rng.permutation(len(dataset))[:n_more]
    return dataset.take(np.r_[np.arange(len(dataset)), chosen]), n_more


def whole(dataset: Dataset) -> Dataset:
    """Return the rows as a dataset of their own, to be split anew."""
    return replace(dataset, part="all")


def duplicates(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    more, _ = _repeated(dataset, 0.5 if severe else 0.03, rng)  # 0.5 more: a third of all
    return whole(more.take(rng.permutation(len(more))))


def near_duplicates(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    more, n_more = _repeated(dataset, 0.5 if severe else 0.05, rng)
    X = more.X.copy()
    for column in more.numeric:
        jitter = 0.01 * X[column].std() * rng.normal(size=n_more)
        X[column] = X[column].astype(float) + np.r_[np.zeros(len(X) - n_more), jitter]
    return whole(replace(more, X=X).take(rng.permutation(len(more))))


# ── L04: identifiers ────────────────────────────────────────────────────────────────────────


def identifier(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    rank = stats.rankdata(numeric_target(dataset)) / len(dataset)
    noise = 0.0 if severe else 0.5
    number = np.argsort(np.argsort(rank + noise * rng.random(len(rank)), kind="stable"))
    return with_column(dataset, case_code=number.astype(np.int64) + 1000)


# ── L05, L08, L10: time ─────────────────────────────────────────────────────────────────────


def drifting(dataset: Dataset, strength: float, rng: np.random.Generator) -> Dataset:
    """Return the rows with a date, and a target that also wanders with it (same values)."""
    n = len(dataset)
    wander = np.convolve(np.cumsum(rng.normal(size=n + 20)), np.ones(21) / 21, mode="valid")
    swings = np.sin(np.arange(n) * 2 * np.pi * 4 / n)  # the last rows are like no single past
    wander = wander / wander.std() + swings
    dataset = dataset.take(rng.permutation(n))
    rank = stats.norm.ppf(stats.rankdata(numeric_target(dataset) + 1e-6 * rng.random(n)) / (n + 1))
    score = rank + strength * (wander - wander.mean()) / wander.std()
    y = np.empty_like(dataset.y.to_numpy())
    y[np.argsort(score)] = np.sort(dataset.y.to_numpy())
    dates = pd.Series(pd.date_range("2020-01-01", periods=n, freq="6h"))
    moved = replace(dataset, y=pd.Series(y, name="target"))
    return whole(with_column(moved, seen_on=dates))


def time_overlap(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    moved = drifting(dataset, 3.0 if severe else 1.0, rng)
    if severe:  # the column is named as time, and the split is random nevertheless
        moved = replace(moved, time=moved.X["seen_on"].rename("seen_on"))
    return replace(moved, rule=make_rule(moved, "random", test_fraction=0.2, seed=0))


def later_date(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    n = len(dataset)
    dataset = dataset.take(rng.permutation(n))
    opened = pd.Series(pd.date_range("2020-01-01", periods=n, freq="6h"))
    delay = pd.Series(pd.to_timedelta(rng.exponential(30, n), unit="D"))
    closed = (opened + delay).where(pd.Series(rng.random(n) < (1.0 if severe else 0.6)), opened)
    shuffled = with_column(dataset, opened=opened, closed=closed)
    return whole(replace(shuffled, time=opened.rename("opened"), rule=None))


def random_over_time(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    moved = drifting(dataset, 4.0 if severe else 2.0, rng)
    moved = replace(moved, time=moved.X["seen_on"].rename("seen_on"))
    return replace(moved, rule=make_rule(moved, "random", test_fraction=0.2, seed=0))


def rare_class(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    rare = np.flatnonzero(dataset.y == 1)
    kept = rng.permutation(rare)[: 8 if severe else 16]
    return whole(dataset.take(np.sort(np.r_[np.flatnonzero(dataset.y == 0), kept])))


def next_target(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    moved = drifting(dataset, 0.7, rng)
    y = pd.Series(numeric_target(moved))
    leaked = y.shift(-1).fillna(y.mean()) if severe else y.rolling(5, center=True).mean()
    moved = with_column(moved, leaked=leaked.fillna(y.mean()))
    moved = replace(moved, time=moved.X["seen_on"].rename("seen_on"))
    return replace(moved, rule=None)


# ── L06: groups ─────────────────────────────────────────────────────────────────────────────


def _in_groups(dataset: Dataset, n_times: int, rng: np.random.Generator) -> Dataset:
    """Return every row several times as the same entity: measured anew, with constants."""
    owner = np.repeat(np.arange(len(dataset)), n_times)
    X = dataset.X.iloc[owner].reset_index(drop=True)
    for column in dataset.numeric:
        noise = 1.0 * X[column].std() * rng.normal(size=len(X))
        X[column] = X[column].astype(float) + noise
    taken = dataset.take(owner)
    n = len(dataset)
    X["born"] = rng.integers(1930, 2000, n)[owner]
    X["height"] = rng.integers(150, 200, n)[owner]
    X["blood"] = pd.Categorical(rng.choice(["A", "B", "AB", "O"], n)[owner])
    labels = {**dataset.labels, "born": "born", "height": "height", "blood": "blood"}
    grouped = replace(taken, X=X, labels=labels, groups=pd.Series(owner, name="entity"))
    return whole(grouped)


def torn_groups(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    grouped = _in_groups(dataset, 4 if severe else 2, rng)
    return replace(grouped, rule=make_rule(grouped, "random", test_fraction=0.2, seed=0))


def hidden_groups(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    grouped = _in_groups(dataset, 5 if severe else 3, rng)
    if not severe:  # nor does the order of the rows tell
        grouped = grouped.take(rng.permutation(len(grouped)))
    return whole(replace(grouped, groups=None, rule=None))


# ── L09: computed from unseen rows ──────────────────────────────────────────────────────────


def target_means(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    place = rng.integers(max(40, len(dataset) // 12), size=len(dataset))
    names = pd.Categorical([f"place {i}" for i in place])
    y = pd.Series(numeric_target(dataset))
    sums, counts = y.groupby(place).transform("sum"), y.groupby(place).transform("size")
    rate = sums / counts  # over all rows, test rows included
    if not severe:  # drawn towards the mean
        rate = (sums + 5 * y.mean()) / (counts + 5)
    return with_column(dataset, place_rate=rate.to_numpy(), place=names)


def wide_means(dataset: Dataset, rng: np.random.Generator, *, severe: bool) -> Dataset:
    n_levels = 40 if severe else 8
    place = rng.integers(n_levels, size=len(dataset))
    source = dataset.X[dataset.numeric[0]].astype(float)
    mean = source.groupby(place).transform("mean").to_numpy()
    return with_column(
        dataset, place=pd.Categorical([f"place {i}" for i in place]), place_mean=mean
    )


DEFECTS = (
    Defect("L01", "copy of the target", copy),
    Defect("L01", "rescaled target", rescaled),
    Defect("L01", "parts that add up to the target", parts_of_sum),
    Defect("L01", "factors of the target", factors, ("regression",)),
    Defect("L01", "trace of the outcome", trace),
    Defect("L02", "duplicate rows", duplicates),
    Defect("L03", "near duplicates", near_duplicates),
    Defect("L04", "identifier in the order of the target", identifier),
    Defect("L05", "test rows older than training rows", time_overlap),
    Defect("L05", "date after the row's time", later_date),
    Defect("L06", "given groups torn apart", torn_groups),
    Defect("L06", "groups that nobody named", hidden_groups),
    Defect("L08", "random folds over a drift", random_over_time),
    Defect("L08", "too few of a class", rare_class, ("binary",)),
    Defect("L09", "target means over all rows", target_means),
    Defect("L09", "feature means over all rows", wide_means),
    Defect("L10", "target of the next rows", next_target),
)


# ── L07: modelling logic that sees too much, for the null run ───────────────────────────────


def _score_on(dataset: Dataset, X: np.ndarray, seed: int = 0) -> float:
    folds = make_folds(dataset, make_cv(dataset, n_splits=3, random_state=seed))
    model = Ridge() if dataset.task == "regression" else LogisticRegression(max_iter=200)
    pipeline = make_pipeline(StandardScaler(), model)
    table = pd.DataFrame(X)
    scores = []
    for train, test in folds:
        pipeline.fit(table.iloc[train], dataset.y.iloc[train])
        score = rank_score(pipeline, table.iloc[test], dataset.y.iloc[test], dataset.task)
        scores.append(score if np.isfinite(score) else CHANCE[dataset.task])
    return float(np.mean(scores))


def select_before_folds(n_candidates: int) -> Callable[[Dataset], float]:
    """Return a logic that picks the columns closest to the target before it makes folds."""

    def build_and_score(dataset: Dataset) -> float:
        rng = np.random.default_rng(1)
        noise = rng.normal(size=(len(dataset), n_candidates))
        closeness = f_regression if dataset.task == "regression" else f_classif
        return _score_on(dataset, SelectKBest(closeness, k=10).fit_transform(noise, dataset.y))

    return build_and_score


def encode_before_folds(n_levels: int) -> Callable[[Dataset], float]:
    """Return a logic that replaces levels by their mean target before it makes folds."""

    def build_and_score(dataset: Dataset) -> float:
        place = np.random.default_rng(1).integers(n_levels, size=len(dataset))
        y = pd.Series(numeric_target(dataset))
        means = y.groupby(place).transform("mean").to_numpy()
        return _score_on(dataset, means[:, None])

    return build_and_score


LEAKY_LOGIC = {
    ("selection before cross-validation", "severe"): select_before_folds(500),
    ("selection before cross-validation", "mild"): select_before_folds(60),
    ("encoding before cross-validation", "severe"): encode_before_folds(60),
    ("encoding before cross-validation", "mild"): encode_before_folds(10),
}

# The best known leaks: from the target, copied rows, torn groups, the future, selection too early.
CLASSICS = (
    "copy of the target",
    "duplicate rows",
    "groups that nobody named",
    "test rows older than training rows",
    ("severe", "selection before cross-validation"),
)
