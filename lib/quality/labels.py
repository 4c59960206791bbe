"""Labels that look wrong: confident learning, claimed only beyond what overlap of classes makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats

from lib.checks import Check
from lib.estimates import Estimate, format_p
from lib.quality.answers import clean, found, not_applicable
from lib.quality.table import Codes, Floats, Table
from lib.statistics import numbers_of

MIN_ROWS_OF_CLASS = 20
MIN_NOISE = 0.005  # a smaller share of wrong labels is not claimed
ALPHA = 0.01
MAX_ROWS = 5_000
N_BINS = 80
N_FOLDS = 5


@dataclass(frozen=True)
class LabelNoise:
    """How many labels are wrong, and which probably.

    Attributes
    ----------
    share : Estimate
        Share of rows whose label the features contradict however confident a model is.
    p_value : float
        That there are none.
    rows : ndarray of int
        Rows off the diagonal of the confident joint, most confident first.
    """

    share: Estimate
    p_value: float
    rows: npt.NDArray[np.int64]


def estimate_label_noise(
    y: npt.ArrayLike, y_proba: npt.ArrayLike, *, level: float = 0.95
) -> LabelNoise:
    """Return the share of wrong labels from out-of-fold probabilities.

    A model errs where classes overlap; these errors die out as it grows confident. Wrong labels
    stay: the share of contradicted labels falls to a floor. The share contradicted is fitted as
    ``floor + (1 - floor) · expit(-(a + b · margin ** c))``, margin being the log of the ratio of
    the two largest probabilities; the free power allows for a model that is over- or
    underconfident. Without a floor the likelihood is lower; the ratio gives test and interval.
    Suspects are the rows that confident learning [1]_ counts off its diagonal.

    Parameters
    ----------
    y : array-like of int, shape (n,)
        Codes of the labels as given.
    y_proba : array-like of shape (n, n_classes)
        Out of fold.
    level : float, default=0.95
        Of the interval.

    Returns
    -------
    LabelNoise

    References
    ----------
    .. [1] C. Northcutt, L. Jiang, I. Chuang (2021). Confident Learning: Estimating Uncertainty in
       Dataset Labels. JAIR 70:1373.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.normal(0, 6, 4_000)
    >>> proba = 1 / (1 + np.exp(-score))
    >>> honest = (rng.random(4_000) < proba).astype(int)
    >>> both = np.column_stack([1 - proba, proba])
    >>> estimate_label_noise(honest, both).p_value > 0.01
    True
    >>> flipped = np.where(rng.random(4_000) < 0.05, 1 - honest, honest)
    >>> estimate_label_noise(flipped, both).share.covers(0.05)
    True
    """
    labels, proba = np.asarray(y, dtype=np.int64), np.clip(np.asarray(y_proba, float), 1e-6, 1)
    ordered = np.sort(proba, axis=1)
    margin = np.log(ordered[:, -1] / ordered[:, -2])
    wrong = (proba.argmax(axis=1) != labels).astype(float)
    margins, n_wrong, n_rows = _binned(margin, wrong)
    free = _fit(margins, n_wrong, n_rows, None)
    none = _fit(margins, n_wrong, n_rows, 0.0)
    ratio = max(2 * (none[0] - free[0]), 0.0)
    p_value = 0.5 * float(stats.chi2.sf(ratio, 1)) if ratio else 1.0  # the floor is at its border
    limit = free[0] + stats.chi2.ppf(level, 1) / 2
    floor = free[1]
    low, high = (
        _where_crosses(lambda f: _fit(margins, n_wrong, n_rows, f)[0] - limit, floor, end)
        for end in (0.0, 0.5)
    )
    share = Estimate(floor, low, high, level=level, method="profile likelihood", n=len(labels))
    return LabelNoise(share, p_value, _suspects(labels, proba, margin))


def _binned(margin: Floats, wrong: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean margin, contradicted labels and rows of bins of equal counts."""
    order = np.argsort(margin, kind="stable")
    parts = np.array_split(order, min(N_BINS, len(order)))
    return (
        np.array([margin[part].mean() for part in parts]),
        np.array([wrong[part].sum() for part in parts]),
        np.array([float(len(part)) for part in parts]),
    )


def _fit(
    margins: Floats, n_wrong: Floats, n_rows: Floats, floor: float | None
) -> tuple[float, float]:
    """Return the least negative log-likelihood and the floor, free or as given."""

    def loss(parameters: Floats) -> float:
        a, log_b, log_c = parameters[:3]
        f = floor if floor is not None else 0.5 / (1 + np.exp(-parameters[3]))
        curve = a + np.exp(log_b) * margins ** np.exp(log_c)
        p = f + (1 - f) / (1 + np.exp(np.clip(curve, -30, 30)))
        p = np.clip(p, 1e-9, 1 - 1e-9)
        penalty = 0.5 * (log_c / 0.3) ** 2 + 0.02 * a**2  # a power near 1, unless rows object
        return float(-(n_wrong * np.log(p) + (n_rows - n_wrong) * np.log1p(-p)).sum() + penalty)

    starts = [[0.0, 0.0, 0.0]]
    if floor is None:
        starts.append([0.0, -1.0, 0.0])
        top = len(margins) // 2
        guess = float(np.clip(n_wrong[top:].sum() / n_rows[top:].sum(), 1e-3, 0.4))
        starts = [[*start, np.log(2 * guess / (1 - 2 * guess))] for start in starts]
    bounds = [(-3.0, 3.0), (-5.0, 4.0), (-1.2, 0.7)] + ([(-9.0, 5.0)] if floor is None else [])
    best = min(
        (optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts),
        key=lambda result: result.fun,
    )
    found_floor = floor if floor is not None else 0.5 / (1 + np.exp(-best.x[3]))
    return float(best.fun), float(found_floor)


def _where_crosses(excess: object, inside: float, outside: float) -> float:
    """Return where the profile crosses its limit between the estimate and an end."""
    assert callable(excess)
    if excess(outside) <= 0:
        return outside
    near, far = inside, outside
    for _ in range(9):
        middle = (near + far) / 2
        near, far = (middle, far) if excess(middle) <= 0 else (near, middle)
    return (near + far) / 2


def _suspects(labels: Codes, proba: Floats, margin: Floats) -> npt.NDArray[np.int64]:
    """Return rows counted off the diagonal of the confident joint, most confident first."""
    n_classes = proba.shape[1]
    thresholds = np.array(
        [proba[labels == k, k].mean() if (labels == k).any() else np.inf for k in range(n_classes)]
    )
    confident = np.where(proba >= thresholds, proba, -1.0)
    best = confident.argmax(axis=1)
    off = np.flatnonzero((confident.max(axis=1) > 0) & (best != labels))
    return off[np.argsort(-margin[off], kind="stable")]


def predict_out_of_fold(table: Table) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return sampled rows and their out-of-fold class probabilities, from a cheap linear model.

    Numbers enter as ranks in bins, so that outliers do not matter; categories as indicators. The
    penalty is chosen once, on all the rows, which is no matter for probabilities out of fold.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - half a second
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # noqa: PLC0415

    rng = np.random.default_rng(table.config.seed)
    n_rows = min(len(table), MAX_ROWS, table.config.budget.max_rows)
    rows = np.sort(rng.choice(len(table), n_rows, replace=False))
    X = _design(table.train.X.iloc[rows])
    y = table.train.y.to_numpy()[rows]
    owner = None if table.owner is None else table.owner[rows]
    kind = StratifiedKFold if owner is None else StratifiedGroupKFold
    proba = np.zeros((len(rows), len(table.train.classes)))
    for train, held in kind(N_FOLDS, shuffle=True, random_state=table.config.seed).split(
        X, y, owner
    ):
        model = LogisticRegression(C=0.1, max_iter=300, tol=1e-3)
        model.fit(X[train], y[train])
        proba[np.ix_(held, model.classes_)] = model.predict_proba(X[held])
    return rows, proba


def _design(X: pd.DataFrame) -> Floats:
    """Return features as columns of a linear model: normal scores, their squares, indicators."""
    columns: list[Floats] = []
    for name in X:
        column = X[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            levels, counts = np.unique(codes, return_counts=True)
            kept = levels[np.argsort(-counts, kind="stable")][:20]
            columns += [(codes == level).astype(float) for level in kept[1:]]
        elif column.dtype != "str":
            values = numbers_of(column)
            gap = np.isnan(values)
            ranks = np.full(len(values), 0.5)
            ranks[~gap] = (stats.rankdata(values[~gap]) - 0.5) / max((~gap).sum(), 1)
            score = stats.norm.ppf(ranks)
            columns += [score, (score**2 - 1) / np.sqrt(2)]
            columns += [gap.astype(float)] if gap.any() else []
    return np.column_stack(columns) if columns else np.zeros((len(X), 1))


def check_labels(table: Table) -> list[Check]:
    """Q21: labels that the features contradict."""
    train = table.train
    if train.task == "regression":
        return [not_applicable("Q21", "the target is a number; see outliers of residuals in 30")]
    counts = np.bincount(train.y.to_numpy(), minlength=len(train.classes))
    if counts.min() < MIN_ROWS_OF_CLASS:
        reason = f"needs {MIN_ROWS_OF_CLASS} rows of each class, the rarest has {counts.min():,}"
        return [not_applicable("Q21", reason)]
    rows, proba = predict_out_of_fold(table)
    noise = estimate_label_noise(train.y.to_numpy()[rows], proba, level=table.config.confidence)
    if noise.p_value >= ALPHA or noise.share.low < MIN_NOISE:
        return [clean("Q21")]
    suspects = rows[noise.rows]
    sampled = "" if len(rows) == len(table) else f" (studied on {len(rows):,} rows)"
    evidence = (
        f"about {100 * noise.share.value:.1f} % of the labels are contradicted by features however "
        f"confident a model is [{100 * noise.share.low:.1f} %, {100 * noise.share.high:.1f} %], "
        f"p {format_p(noise.p_value)}; {len(suspects):,} rows are suspects{sampled}"
    )
    advice = "have the suspects labelled again by someone who does not see the first label"
    return [found("Q21", "warning", "", evidence, advice, value=noise.share, rows=suspects[:20])]
