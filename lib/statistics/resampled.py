"""Do intervals by formula hold? The same effects with BCa bootstrap intervals beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from lib.data.dataset import Task
from lib.estimates import Estimate, bootstrap
from lib.statistics.asking import ask
from lib.statistics.associations import largest_phi2
from lib.statistics.clustered import Floats, draw_rows, owner_codes
from lib.statistics.columns import column_kinds
from lib.statistics.effects import chi_squared
from lib.statistics.routes import choose_route
from lib.statistics.samples import lay_out

COLUMNS = ["feature", "effect", "rows", "by_formula", "by_bootstrap", "width_ratio"]


def bootstrap_effects(
    X: pd.DataFrame,
    y: pd.Series,
    features: Sequence[str],
    *,
    task: Task,
    n_resamples: int,
    random_state: int,
    classes: Sequence[str] = (),
    groups: pd.Series | None = None,
    level: float = 0.95,
    max_rows: int = 5_000,
) -> pd.DataFrame:
    """Return effects with their interval by formula and by the BCa bootstrap, on the same rows.

    Parameters
    ----------
    X, y, task, classes, groups, level
        As for `compare_each_feature`.
    features : sequence of str
        Columns of `X` to look at.
    n_resamples : int
        Bootstrap resamples; whole groups are drawn when given.
    random_state : int
        Seed of the sample and of the draws.
    max_rows : int
        More rows are sampled, whole groups at a time.

    Returns
    -------
    DataFrame with columns feature, effect, rows, by_formula, by_bootstrap, width_ratio
        Both intervals are an `Estimate`; `width_ratio` is the bootstrap's width over the
        formula's. Features that cannot be tested are left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = pd.Series(np.repeat([0, 1], 100))
    >>> X = pd.DataFrame({"x": rng.normal(size=200) + y})
    >>> how = {"task": "binary", "n_resamples": 500, "random_state": 0}
    >>> bootstrap_effects(X, y, ["x"], **how)["width_ratio"].round(1).tolist()
    [1.0]
    """
    kept = draw_rows(len(X), owner_codes(groups), max_rows, random_state)
    X, y = X[list(features)].iloc[kept], y.iloc[kept]
    kinds = column_kinds(X)
    owner = None if groups is None else owner_codes(groups.iloc[kept])
    rows = []
    for name in features:
        sample = lay_out(X[name], str(kinds[name]), y, task=task, classes=classes, owner=owner)
        route = choose_route(sample)
        if not route.test:
            continue
        answer = ask(sample, route, level=level, n_shuffles=99, random_state=random_state)
        first = sample.codes if sample.form in {"groups", "table"} else sample.numbers
        second = sample.numbers if sample.form == "groups" else sample.others
        drawn = bootstrap(
            lambda a, b, effect=route.effect, inflation=answer.design_effect: effect_value(
                effect, a, b, design_effect=inflation
            ),
            first,
            second,
            n_resamples=n_resamples,
            random_state=random_state,
            groups=sample.owner,
            level=level,
        )
        rows.append(
            (name, route.effect, len(sample), answer.size, drawn, _ratio(drawn, answer.size))
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def effect_value(
    effect: str, first: Floats, second: Floats, *, design_effect: float = 1.0
) -> float:
    """Return an effect without interval, quickly: for resamples.

    Parameters
    ----------
    effect : str
        A key of `effects.CONVENTIONS`.
    first : array, shape (n,)
        Codes of groups or levels; numbers for a correlation.
    second : array, shape (n,)
        Numbers; codes of levels for a table.
    design_effect : float
        By how much rows that repeat clusters inflate what chance explains.

    Returns
    -------
    float
        NaN where it is not defined, as without rows of a group.

    Examples
    --------
    >>> effect_value("Cliff's delta", np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 3.0, 4.0]))
    1.0
    """
    if effect in {"Pearson r", "Spearman rho"}:
        sides = (
            [stats.rankdata(x) for x in (first, second)] if effect[0] == "S" else [first, second]
        )
        spread = float(sides[0].std() * sides[1].std())
        products = (sides[0] - sides[0].mean()) * (sides[1] - sides[1].mean())
        return float(products.mean()) / spread if spread > 0 else np.nan
    codes = first.astype(np.int64)
    sizes = np.bincount(codes, minlength=2).astype(float)
    if effect in {"odds ratio", "Cramér's V"}:
        width = int(second.max()) + 1
        cells = codes * width + second.astype(np.int64)
        table = np.bincount(cells, minlength=len(sizes) * width).reshape(-1, width).astype(float)
        if effect == "Cramér's V":
            return _v(table, design_effect)
        if table.shape != (2, 2):
            return np.nan
        table = table + 0.5 if (table == 0).any() else table
        return float(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
    if (sizes < 2).any():
        return np.nan
    values = stats.rankdata(second) if effect in {"Cliff's delta", "epsilon²"} else second
    means = np.bincount(codes, weights=values) / sizes
    n, k = len(values), len(sizes)
    if effect == "Cliff's delta":
        return float(2 * (means[1] - means[0]) / n)
    within = float(((values - means[codes]) ** 2).sum()) / (n - k)
    if within <= 0:
        return np.nan
    if effect == "Hedges' g":
        correction = 1 - 3 / (4 * (n - 2) - 1)
        return float(correction * (means[1] - means[0]) / np.sqrt(within))
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (k - 1)
    f = between / within / design_effect
    room = (k - 1) * (f - 1) + n / design_effect if effect == "omega²" else (k - 1) * f + n - k
    return max((k - 1) * (f - 1) / room, 0.0)


def _v(table: Floats, design_effect: float) -> float:
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    r, k = table.shape
    if min(r, k) < 2 or (room := largest_phi2(r, k, float(table.sum()))) <= 0:
        return np.nan
    degrees = (r - 1) * (k - 1)
    gained = max(chi_squared(table) - degrees * design_effect, 0.0)
    return min(float(np.sqrt(gained / table.sum() / room)), 1.0)


def _ratio(one: Estimate, other: Estimate) -> float:
    width = other.high - other.low
    return (one.high - one.low) / width if width > 0 else np.nan
