"""Would more rows help? Scores over growing samples, and the power law that they follow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lib.config import Config
from lib.data import Dataset
from lib.design.parts import baselines_for, order_rows, score_part, take_first
from lib.errors import InputError
from lib.estimates import Estimate
from lib.evaluation import PreparedFold, scorers
from lib.resampling import Folds

Array = npt.NDArray[np.float64]
RATES = np.arange(0.1, 2.01, 0.05)  # exponents tried: from hardly falling to parametric and beyond
LEAST_ROWS = 20
N_SIZES = 6
COLUMNS = ["model", "fold", "share", "n_rows", "score"]


def compute_learning_curve(
    dataset: Dataset,
    folds: Folds,
    config: Config,
    models: Sequence[str],
    *,
    scoring: str,
    n_sizes: int = N_SIZES,
    smallest_share: float = 1 / 32,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return scores of models that learn from growing parts of each fold's training rows.

    Parts are nested: a larger one holds the smaller ones, groups stay whole, classes keep their
    shares. Test parts stay as they are. Settings of a model follow its number of rows, as they
    would if the table had no more.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    folds : Folds
        Those of the study.
    config : Config
        Of `models.baselines`.
    models : sequence of str
        Names of baselines.
    scoring : str
        What counts.
    n_sizes : int
        Sizes, equally far apart on a log scale, the last one all rows.
    smallest_share : float
        Of the training rows, for the first size; more when that would be under 20 rows.
    random_state : int
        Of the samples.

    Returns
    -------
    DataFrame with columns model, fold, share, n_rows, score
        `score` is NaN where a model could not be fitted.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(300)
    >>> folds = make_folds(dataset, make_cv(dataset, n_splits=3))
    >>> curve = compute_learning_curve(
    ...     dataset, folds, load_config(), ["linear"], scoring="roc_auc", n_sizes=2
    ... )
    >>> curve["n_rows"].tolist()
    [20, 200, 20, 200, 20, 200]
    """
    metric = scorers(dataset.task)[scoring]
    n_train = min(len(train) for train, _ in folds)
    least = min(max(LEAST_ROWS, 5 * len(dataset.classes)) / n_train, 0.5)
    shares = np.geomspace(max(smallest_share, least), 1.0, n_sizes)
    estimators = {float(share): baselines_for(dataset, config, float(share)) for share in shares}
    rows = []
    for number, (train, test) in enumerate(folds, start=1):
        pieces = order_rows(dataset, train, random_state=random_state + number)
        for share, known in estimators.items():
            part = train if share >= 1 else take_first(pieces, round(share * len(train)))
            fold = PreparedFold(dataset, part, test)
            for model in models:
                score = score_part(fold, known[model], metric)
                rows.append((model, number, share, len(part), score))
    return pd.DataFrame(rows, columns=COLUMNS)


@dataclass(frozen=True)
class Extrapolation:
    """The power law of one learning curve, and where it goes.

    Attributes
    ----------
    model : str
    points : DataFrame with columns n_rows, score
        Means over folds.
    line : DataFrame with columns n_rows, value, low, high
        The fitted curve up to twice the rows; its band is that of its distance from the value at
        all rows, which the folds' common luck does not touch.
    gain : Estimate
        Of the score when rows double.
    limit, rate : float
        Of score = limit - b × rows^-rate. The limit lies far out: do not quote it.
    n_folds : int
        Folds on which the model could be fitted at all sizes.
    """

    model: str
    points: pd.DataFrame
    line: pd.DataFrame
    gain: Estimate
    limit: float
    rate: float
    n_folds: int


def extrapolate(
    curve: pd.DataFrame,
    model: str,
    *,
    test_fraction: float,
    highest: float = math.inf,
    n_resamples: int = 1_000,
    level: float = 0.95,
    random_state: int = 0,
) -> Extrapolation:
    """Return the inverse power law through a learning curve, continued to twice the rows [1]_.

    Parameters
    ----------
    curve : DataFrame with columns model, fold, n_rows, share, score
        As `compute_learning_curve` makes it.
    model : str
        Whose scores.
    test_fraction : float
        Share of rows that a fold tests on.
    highest : float
        The best possible score: no law goes beyond it.
    n_resamples : int
        Bootstrap samples of folds.
    level : float
        Of the intervals. The spread over resampled folds is widened as Nadeau and Bengio widen
        that of a mean, since folds share rows, and reaches as far as t with few folds does.
    random_state : int
        Of the bootstrap.

    Returns
    -------
    Extrapolation

    Raises
    ------
    InputError
        When fewer than two folds or four sizes have scores.

    References
    ----------
    .. [1] T. Viering, M. Loog (2023). The shape of learning curves: a review. IEEE TPAMI 45:7799.

    Examples
    --------
    >>> n = np.array([50, 100, 200, 400, 800])
    >>> rows = [("m", f, s / 800, s, 0.8 + 0.01 * f - 0.9 / s**0.5) for f in range(4) for s in n]
    >>> curve = pd.DataFrame(rows, columns=COLUMNS)
    >>> found = extrapolate(curve, "m", test_fraction=0.25)
    >>> print(f"{found.gain:.4f}, rate {found.rate:.2f}")
    0.0093 [0.0093, 0.0093], rate 0.50
    """
    own = curve[curve["model"] == model]
    table = own.pivot_table(index="fold", columns="share", values="score", dropna=False)
    table = table.loc[:, table.notna().mean() > 0.5].dropna()
    if len(table) < 2 or table.shape[1] < 4:
        msg = f"A learning curve needs two folds with four sizes each; '{model}' has {len(table)}"
        raise InputError(f"{msg} with {table.shape[1]}: use more rows or fewer folds.")
    sizes = own.groupby("share")["n_rows"].mean().loc[table.columns].to_numpy(dtype=float)
    values = table.to_numpy(dtype=float)  # (folds, sizes)
    n_folds, last = len(values), float(sizes[-1])
    grid = np.geomspace(sizes[0], 2 * last, 80)
    where = np.r_[grid, last, 2 * last]
    rng = np.random.default_rng(random_state)
    draws = rng.integers(n_folds, size=(n_resamples, n_folds))
    means = np.vstack([values.mean(axis=0), values[draws].mean(axis=1)])
    fitted, limits, rates = _fit_power_law(sizes, means, where, highest)
    relative = fitted - fitted[:, [-2]]  # from the value at all rows
    widen = math.sqrt(n_folds / (n_folds - 1)) * math.sqrt(
        1 + n_folds * test_fraction / (1 - test_fraction)
    )
    normal = float(stats.norm.ppf((1 + level) / 2))
    reach = float(stats.t.ppf((1 + level) / 2, n_folds - 1)) / normal * widen
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(relative[1:], tails, axis=0)
    arm = (high - low) / 2 * reach
    gain = float(relative[0, -1])
    line = pd.DataFrame({"n_rows": grid, "value": fitted[0, :-2]})
    line["low"] = line["value"] - arm[:-2]
    line["high"] = (line["value"] + arm[:-2]).clip(upper=highest)
    most = max(highest - float(fitted[0, -2]), gain)
    return Extrapolation(
        model=model,
        points=pd.DataFrame({"n_rows": sizes, "score": values.mean(axis=0)}),
        line=line,
        gain=Estimate(
            gain,
            gain - float(arm[-1]),
            min(gain + float(arm[-1]), most),
            level,
            "bootstrap of folds",
            n_folds,
        ),
        limit=float(limits[0]),
        rate=float(rates[0]),
        n_folds=n_folds,
    )


def extrapolate_all(
    curve: pd.DataFrame,
    *,
    test_fraction: float,
    highest: float = math.inf,
    n_resamples: int = 1_000,
    level: float = 0.95,
    random_state: int = 0,
) -> list[Extrapolation]:
    """Return the power law of every model of a learning curve that has one.

    Parameters
    ----------
    curve, test_fraction, highest, n_resamples, level, random_state
        As in `extrapolate`.

    Returns
    -------
    list of Extrapolation
        In the order of the curve; without models that could not be fitted on enough folds.

    Examples
    --------
    >>> n = np.array([50, 100, 200, 400, 800])
    >>> rows = [("m", f, s / 800, s, 0.8 + 0.01 * f - 0.9 / s**0.5) for f in range(4) for s in n]
    >>> curve = pd.DataFrame([*rows, ("few", 0, 1.0, 800, 0.7)], columns=COLUMNS)
    >>> [law.model for law in extrapolate_all(curve, test_fraction=0.25, n_resamples=50)]
    ['m']
    """
    found = []
    for model in dict.fromkeys(curve["model"]):
        with suppress(InputError):
            found.append(
                extrapolate(
                    curve,
                    model,
                    test_fraction=test_fraction,
                    highest=highest,
                    n_resamples=n_resamples,
                    level=level,
                    random_state=random_state,
                )
            )
    return found


def _fit_power_law(
    sizes: Array, means: Array, where: Array, highest: float
) -> tuple[Array, Array, Array]:
    """Return a - b n^-c through each row of means, seen at `where`; larger samples weigh more.

    For each exponent the fit is linear, so all rows are fitted at once; the best exponent is
    chosen row by row. b may be negative: a curve that only wobbles must be able to fall.
    """
    scaled = sizes / sizes[-1]
    weights = np.sqrt(scaled)
    errors, fits, limits = [], [], []
    for rate in RATES:
        basis = np.column_stack([np.ones(len(scaled)), scaled**-rate])
        solve = np.linalg.pinv(basis * weights[:, np.newaxis]) * weights
        coefficients = means @ solve.T  # (rows, 2)
        too_high = coefficients[:, 0] > highest
        slope = (means[too_high] - highest) @ (basis[:, 1] * weights**2)
        coefficients[too_high, 0] = highest
        coefficients[too_high, 1] = slope / float((basis[:, 1] ** 2 * weights**2).sum())
        residual = (means - coefficients @ basis.T) * weights
        errors.append((residual**2).sum(axis=1))
        at = np.column_stack([np.ones(len(where)), (where / sizes[-1]) ** -rate])
        fits.append(coefficients @ at.T)
        limits.append(coefficients[:, 0])
    best = np.argmin(np.round(np.array(errors), 14), axis=0)
    each = np.arange(len(means))
    return np.array(fits)[best, each], np.array(limits)[best, each], RATES[best]
