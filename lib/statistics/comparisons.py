"""Every feature against the target: the test that its assumptions allow, and the size found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.data.dataset import Task
from lib.errors import InputError
from lib.estimates import benjamini_hochberg, holm
from lib.statistics.asking import LEAST_SHUFFLES, ask
from lib.statistics.clustered import owner_codes
from lib.statistics.columns import column_kinds
from lib.statistics.routes import choose_route
from lib.statistics.samples import lay_out
from lib.statistics.wording import put_in_words

COLUMNS = ["feature", "kind", "compared", "checked", "then", "test", "n", "statistic", "p", "q"]
COLUMNS += ["holm", "effect", "size", "magnitude", "direction", "claim", "words"]


def compare_each_feature(
    X: pd.DataFrame,
    y: pd.Series,
    *,
    task: Task,
    classes: Sequence[str] = (),
    target: str = "the target",
    groups: pd.Series | None = None,
    level: float = 0.95,
    n_shuffles: int = LEAST_SHUFFLES,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return a test of each feature against the target, chosen from checked assumptions.

    The rules are those of `lib.statistics.routes`; what was checked and found stands in `compared`,
    `checked` and `then`.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        Features, with distinct names.
    y : Series of shape (n,)
        Codes of classes, or numbers.
    task : {"binary", "multiclass", "regression"}
        What `y` holds.
    classes : sequence of str
        Own names of the classes, by code.
    target : str
        The target's name, for the sentences.
    groups : Series of shape (n,), optional
        What rows repeat: every test and interval then counts groups.
    level : float
        Of the intervals; a q-value below 1 - level counts.
    n_shuffles : int
        Shuffles where χ² has too few expected counts, or a covariance too few clusters.
    random_state : int
        Seed of that draw.

    Returns
    -------
    DataFrame with the columns of `COLUMNS`
        In the order of `X`. `size` is an `Estimate`; `q` is p after Benjamini and Hochberg, `holm`
        after Holm; `magnitude` is Cohen's word, `direction` says what was found,
        `claim` of what, and `words` is the whole sentence. Features without a test have NaN, and
        the reason in `compared`.

    Raises
    ------
    InputError
        When lengths differ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = pd.Series(np.repeat([0, 1], 100))
    >>> X = pd.DataFrame({"height": rng.normal(size=200) + y})
    >>> table = compare_each_feature(X, y, task="binary", classes=["no", "yes"], target="tall")
    >>> table["words"].iloc[0]
    "height is higher where tall = yes: Hedges' g 0.898 [0.597, 1.199], large (q < 0.001)"
    """
    if len(y) != len(X) or (groups is not None and len(groups) != len(X)):
        msg = f"Expected one target (and group) a row, got {len(X):,} rows and {len(y):,} targets."
        raise InputError(msg + " Take all of them from one table.")
    kinds, owner = column_kinds(X), owner_codes(groups)
    samples = [
        lay_out(X[name], str(kinds[name]), y, task=task, classes=classes, owner=owner)
        for name in X.columns
    ]
    routes = [choose_route(sample) for sample in samples]
    answers = [
        ask(sample, route, level=level, n_shuffles=n_shuffles, random_state=random_state)
        for sample, route in zip(samples, routes, strict=True)
    ]
    p_values = np.array([answer.p_value for answer in answers], dtype=float)
    table = pd.DataFrame(
        {
            "feature": list(X.columns),
            "kind": [kinds[name] for name in X.columns],
            "compared": [route.compared for route in routes],
            "checked": [route.checked for route in routes],
            "then": [route.then for route in routes],
            "test": [route.test for route in routes],
            "n": [len(sample) for sample in samples],
            "statistic": [answer.statistic for answer in answers],
            "p": p_values,
            "q": benjamini_hochberg(p_values),
            "holm": holm(p_values),
            "effect": [route.effect for route in routes],
            "size": pd.Series([answer.size for answer in answers], dtype=object),
        }
    )
    found = [
        put_in_words(sample, route, answer, q, target=target, alpha=1 - level)
        for sample, route, answer, q in zip(samples, routes, answers, table["q"], strict=True)
    ]
    words = ["magnitude", "direction", "claim", "words"]
    table[words] = pd.DataFrame(found, columns=words)
    return table[COLUMNS]


def sort_by_clarity(tests: pd.DataFrame) -> pd.DataFrame:
    """Return tests with the clearest first: by p, and by errors from no effect where p is 0.

    Parameters
    ----------
    tests : DataFrame
        As `compare_each_feature` returns it.

    Returns
    -------
    DataFrame
        With a fresh index.

    Examples
    --------
    >>> from lib.estimates import Estimate
    >>> sizes = [Estimate(0.2, 0.1, 0.3), Estimate(0.4, 0.3, 0.5)]
    >>> tests = pd.DataFrame({"p": [0.0, 0.0], "effect": "Hedges' g", "size": sizes})
    >>> sort_by_clarity(tests)["size"].iloc[0].value
    0.4
    """
    clarity = []
    for row in tests.itertuples():
        ends = np.array([row.size.value, row.size.low, row.size.high])  # type: ignore[attr-defined]
        if row.effect == "odds ratio":
            ends = np.log(np.maximum(ends, 1e-300))
        width = ends[2] - ends[1]
        clarity.append(abs(ends[0]) / width if width > 0 else np.nan)
    order = np.lexsort(
        (
            np.arange(len(tests)),
            -np.nan_to_num(np.array(clarity, dtype=float), nan=np.inf).round(9),
            tests["p"].fillna(2.0),
        )
    )
    return tests.iloc[order].reset_index(drop=True)
