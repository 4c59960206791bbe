"""A generator with known truth: for tests, for benchmarks, and to see what a method can find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lib.data.dataset import Dataset, Task
from lib.errors import InputError

LEAKS = (None, "copy", "noisy", "identifier", "future")


@dataclass(frozen=True, eq=False)
class PlantedDataset(Dataset):
    """A dataset that carries the truth it was made from.

    Attributes
    ----------
    truth : mapping
        `informative`, `noise`, `leaks` (lists of columns); `coefficients` (of the standardised
        informative columns), `curves` (column to what it contributes, in words), `categories`
        (effect of every level), `interaction`; `score` (n_rows,) the noise-free signal;
        `probabilities` (n_rows, K) the best possible probabilities, or `noise_sd`.
        Rows are those of the whole dataset.
    """

    truth: Mapping[str, Any] = field(default_factory=dict, repr=False)


def make_planted(
    n_rows: int = 2_000,
    *,
    task: Task = "binary",
    n_informative: int = 5,
    n_noise: int = 5,
    n_categories: int = 4,
    n_classes: int = 3,
    missing: float = 0.0,
    leak: str | None = None,
    n_groups: int | None = None,
    group_effect: float = 1.0,
    positive_rate: float = 0.3,
    noise_sd: float = 1.0,
    seed: int = 0,
) -> PlantedDataset:
    """Return a dataset whose truth is known.

    The signal is a sum of linear terms with falling coefficients, of which the second enters
    as a parabola and the third as a step; of an effect per category; of an interaction of the
    first two columns; and of an effect per group. Columns are standard normal, independent.

    Parameters
    ----------
    n_rows : int, default=2000
        Rows; millions take seconds.
    task : {"binary", "multiclass", "regression"}
        How the signal becomes a target: by a logistic draw, a softmax draw, or plus noise.
    n_informative, n_noise : int, default=5
        Numeric columns with and without effect.
    n_categories : int, default=4
        Levels of the one informative category; 0 leaves it out.
    n_classes : int, default=3
        Of a multiclass target.
    missing : float, default=0.0
        Share of cells of every numeric column made missing, completely at random.
    leak : {None, "copy", "noisy", "identifier", "future"}
        One column that gives the target away: itself; itself in a tenth of the rows wrong; row
        numbers sorted by target; a value known only afterwards (target plus small noise).
    n_groups : int, optional
        Groups of rows that share an effect; none by default.
    group_effect : float, default=1.0
        Standard deviation of that effect.
    positive_rate : float, default=0.3
        Expected share of positives of a binary target.
    noise_sd : float, default=1.0
        Of the noise of a regression target.
    seed : int, default=0
        Same seed, same table.

    Returns
    -------
    PlantedDataset
        With `.truth`.

    Raises
    ------
    InputError
        When a parameter is out of its range.

    Examples
    --------
    >>> planted = make_planted(500, n_informative=2, n_noise=1)
    >>> planted.truth["informative"]
    ['signal_1', 'signal_2', 'category']
    >>> planted.X.columns.tolist()
    ['signal_1', 'signal_2', 'noise_1', 'category']
    """
    _check(n_rows=n_rows, task=task, n_classes=n_classes, missing=missing, leak=leak)
    rng = np.random.default_rng(seed)
    signals = [f"signal_{i + 1}" for i in range(n_informative)]
    noises = [f"noise_{i + 1}" for i in range(n_noise)]
    values = {name: rng.standard_normal(n_rows) for name in (*signals, *noises)}
    score, truth = _signal([values[name] for name in signals], n_rows)
    levels = np.linspace(-1, 1, n_categories) if n_categories > 1 else np.zeros(n_categories)
    codes = rng.integers(n_categories, size=n_rows) if n_categories else np.zeros(n_rows, int)
    if n_categories:
        score += levels[codes]
    groups = _groups(rng, n_rows, n_groups)
    if groups is not None:
        score += rng.normal(0, group_effect, int(groups.max()) + 1)[groups]
    y, best = _draw(
        rng, score, task, n_classes=n_classes, positive_rate=positive_rate, noise_sd=noise_sd
    )
    leaks = {} if leak is None else {f"leak_{leak}": _leak(rng, y, leak)}
    X = pd.DataFrame(values | leaks, copy=False)
    for name in (*signals, *noises) if missing else ():
        X.loc[rng.random(n_rows) < missing, name] = np.nan
    names = [f"level_{i + 1}" for i in range(n_categories)]
    if n_categories:
        X["category"] = pd.Categorical.from_codes(codes, categories=names)
    truth |= {
        "informative": [*signals, *(["category"] if n_categories else [])],
        "noise": noises,
        "leaks": list(leaks),
        "categories": dict(zip(names, levels.tolist(), strict=True)),
        "score": score,
        **best,
    }
    return PlantedDataset(
        name="planted",
        X=X,
        y=pd.Series(y, name="target"),
        task=task,
        classes=_classes(task, n_classes),
        groups=None if groups is None else pd.Series(groups, name="group"),
        labels={column: column for column in X},
        descriptions={column: _words(column) for column in X},
        description=f"Generated with known truth, seed {seed}.",
        licence="none needed",
        source="lib.data.make_planted",
        truth=truth,
    )


def _signal(columns: list[np.ndarray], n_rows: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the sum of what the numeric columns contribute, and how they do it."""
    score = np.zeros(n_rows)
    coefficients, curves = {}, {}
    for i, x in enumerate(columns):
        weight = 1.2 * 0.8**i
        name = f"signal_{i + 1}"
        shape = {1: "parabola", 2: "step"}.get(i, "line")
        # every shape has mean 0 and variance 1, so that coefficients can be compared
        shaped = {"line": x, "parabola": (x**2 - 1) / np.sqrt(2), "step": np.sign(x)}[shape]
        score += weight * shaped
        coefficients[name], curves[name] = weight, shape
    interaction = 0.5 if len(columns) > 1 else 0.0
    if interaction:
        score += interaction * columns[0] * columns[1]
    return score, {"coefficients": coefficients, "curves": curves, "interaction": interaction}


def _draw(
    rng: np.random.Generator,
    score: np.ndarray,
    task: str,
    *,
    n_classes: int,
    positive_rate: float,
    noise_sd: float,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return a target drawn from the signal, and the best that any model could know."""
    if task == "regression":
        return score + rng.normal(0, noise_sd, len(score)), {"noise_sd": noise_sd}
    if task == "binary":
        positive = 1 / (1 + np.exp(-(score + _intercept(score[:100_000], positive_rate))))
        probabilities = np.column_stack([1 - positive, positive])
    else:
        # ordered classes: each prefers its own height of the signal
        centres = np.linspace(-2, 2, n_classes)
        logits = score[:, None] * centres - centres**2 / 2
        logits -= logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    cumulative = probabilities.cumsum(axis=1)[:, :-1]
    y = (rng.random(len(score))[:, None] > cumulative).sum(axis=1)
    return y, {"probabilities": probabilities}


def _intercept(score: np.ndarray, rate: float) -> float:
    """Return what must be added to the log-odds for an expected share of `rate`."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-(score + middle)))).mean() < rate:
            low = middle
        else:
            high = middle
    return middle


def _groups(rng: np.random.Generator, n_rows: int, n_groups: int | None) -> np.ndarray | None:
    return None if n_groups is None else rng.integers(n_groups, size=n_rows)


def _leak(rng: np.random.Generator, y: np.ndarray, leak: str) -> np.ndarray:
    if leak == "copy":
        return y.astype(float)
    if leak == "noisy":
        wrong = rng.random(len(y)) < 0.1
        return np.where(wrong, rng.permutation(y), y).astype(float)
    if leak == "identifier":
        rank = np.empty(len(y), dtype=np.int64)
        rank[np.lexsort((rng.random(len(y)), y))] = np.arange(len(y))
        return rank
    return y + rng.normal(0, 0.1 * (y.std() or 1.0), len(y))


def _classes(task: str, n_classes: int) -> tuple[str, ...]:
    if task == "regression":
        return ()
    return tuple(str(i) for i in range(2 if task == "binary" else n_classes))


def _words(column: str) -> str:
    kind = column.partition("_")[0]
    words = {"signal": "planted signal", "noise": "independent of the target"}
    words |= {"leak": "gives the target away", "category": "planted effect per level"}
    return words[kind]


def _check(*, n_rows: int, task: str, n_classes: int, missing: float, leak: str | None) -> None:
    if n_rows < 1:
        raise InputError(f"n_rows must be at least 1, got {n_rows}.")
    if task not in {"binary", "multiclass", "regression"}:
        raise InputError(f"task must be binary, multiclass or regression, got '{task}'.")
    if n_classes < 3:
        raise InputError(f"n_classes must be at least 3, got {n_classes}: two are 'binary'.")
    if not 0 <= missing < 1:
        raise InputError(f"missing must be a share from 0 to below 1, got {missing}.")
    if leak not in LEAKS:
        known = ", ".join(str(kind) for kind in LEAKS)
        raise InputError(f"leak must be one of {known}; got '{leak}'.")
