"""Whether the residuals of a regression spread evenly, and whether they are normal."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.clustered import Codes, Floats, owner_codes, score_test
from lib.statistics.design import Design
from lib.statistics.normality import estimate_excess_kurtosis, estimate_skewness, test_of_normality
from lib.statistics.regression import Regression

MOST_PRODUCTS = 12  # terms whose squares and products White's test looks at
COLUMNS = ["question", "test", "statistic", "degrees", "p", "size", "answer"]


def breusch_pagan(residuals: Floats, matrix: Floats) -> tuple[float, int, float]:
    """Return Koenker's studentised Breusch-Pagan test of even spread [1]_ [2]_.

    Parameters
    ----------
    residuals : array of float, shape (n,)
        Of a regression with a constant.
    matrix : array of float, shape (n, k)
        Its columns without the constant, linearly independent.

    Returns
    -------
    statistic : float
        n times the share of the squared residuals' variance that the columns explain.
    degrees : int
    p : float

    References
    ----------
    .. [1] T. Breusch, A. Pagan (1979). A simple test for heteroscedasticity and random coefficient
       variation. Econometrica 47:1287.
    .. [2] R. Koenker (1981). A note on studentizing a test for heteroscedasticity. J. Econometrics
       17:107.

    Examples
    --------
    >>> x = np.linspace(1, 2, 40)
    >>> statistic, _, p = breusch_pagan(np.tile([-1.0, 1.0], 20) * x, x[:, None])
    >>> round(statistic, 1), p < 0.001
    (39.7, True)
    """
    from statsmodels.stats.diagnostic import het_breuschpagan  # noqa: PLC0415 (heavy)

    standard = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    columns = np.column_stack([np.ones(len(standard)), standard])
    statistic, p_value, _, _ = het_breuschpagan(residuals, columns)
    return float(statistic), matrix.shape[1], float(p_value)


def white_test(residuals: Floats, matrix: Floats) -> tuple[float, int, float]:
    """Return White's test of even spread: against all squares and products [1]_.

    Parameters
    ----------
    residuals : array of float, shape (n,)
        Of a regression with a constant.
    matrix : array of float, shape (n, k)
        Its columns without the constant.

    Returns
    -------
    statistic : float
        n times the share of the squared residuals' variance explained.
    degrees : int
        Independent columns, squares and products.
    p : float

    References
    ----------
    .. [1] H. White (1980). A heteroskedasticity-consistent covariance matrix estimator and a direct
       test for heteroskedasticity. Econometrica 48:817.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 60)
    >>> statistic, degrees, p = white_test(np.tile([-1.0, 1.0], 30) * x**2, x[:, None])
    >>> degrees, p < 0.001
    (2, True)
    """
    standard = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    left, right = np.triu_indices(standard.shape[1])
    products = standard[:, left] * standard[:, right]
    columns = np.column_stack([np.ones(len(standard)), standard, products])
    basis, spans, _ = np.linalg.svd(columns, full_matrices=False)
    rank = int((spans > spans[0] * 1e-10).sum())  # a 0/1 column is its own square
    basis = basis[:, :rank]
    squares = residuals**2
    squares = squares - squares.mean()
    explained = float(((basis.T @ squares) ** 2).sum() / max(float((squares**2).sum()), 1e-300))
    statistic = len(residuals) * explained
    return statistic, rank - 1, float(stats.chi2.sf(statistic, rank - 1))


def compute_residual_checks(
    fit: Regression,
    design: Design,
    *,
    groups: pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return whether the residuals of a straight-line fit spread evenly and look normal.

    Parameters
    ----------
    fit : Regression
        Of family OLS.
    design : Design
        Its columns.
    groups : Series of shape (n,), optional
        What rows repeat; the test of spread along the columns then counts clusters.
    level : float
        Of the intervals; p below 1 - level counts.

    Returns
    -------
    DataFrame with columns question, test, statistic, degrees, p, size, answer
        `size` is in words: the ratio of spreads; skewness and (excess) kurtosis.

    Examples
    --------
    >>> from lib.statistics.design import make_design
    >>> from lib.statistics.regression import fit_regression
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"x": rng.uniform(1, 3, size=300)})
    >>> y = X["x"] + rng.normal(size=300) * X["x"] ** 2
    >>> design = make_design(X)
    >>> compute_residual_checks(fit_regression(design, y, "OLS"), design)["answer"].tolist()[:2]
    ['uneven', 'uneven']
    """
    residuals, matrix = fit.target - fit.fitted, design.matrix.to_numpy()
    owner = None if groups is None else owner_codes(design.of_rows(groups))
    scatter = float(residuals.std())
    if scatter <= 1e-9 * float(fit.target.std()):
        row = ("spread evenly?", "none", math.nan, 0, math.nan, "", "the fit leaves no residuals")
        return pd.DataFrame([row], columns=COLUMNS)
    alpha = 1 - level
    ratio = _spread_ratio(residuals, fit.fitted)
    size = f"highest fifth {ratio:.2f} times as wide as the lowest"
    rows: list[tuple[object, ...]] = [
        _spread_row(residuals, fit.fitted, matrix, owner, size, alpha)
    ]
    strong = np.argsort(-np.abs(_t_values(fit)), kind="stable")[:MOST_PRODUCTS]
    n_products = len(strong) * (len(strong) + 3) // 2
    if owner is None and len(residuals) > 5 * n_products:
        part = matrix[:, np.sort(strong)]
        statistic, degrees, p_value = white_test(residuals, part)
        test = "White" if part.shape[1] == matrix.shape[1] else f"White, {part.shape[1]} terms"
        answer = "uneven" if p_value < alpha else "no sign against"
        rows.append(("spread evenly, bends and products?", test, statistic, degrees, p_value, size,
                     answer))  # fmt: skip
    test, statistic, p_value = test_of_normality(residuals)
    skewness = estimate_skewness(residuals, owner=owner, level=level)
    kurtosis = estimate_excess_kurtosis(residuals, owner=owner, level=level)
    size = f"skewness {skewness:.1f}, kurtosis {kurtosis:.1f}"
    answer = "not normal" if p_value < alpha else "no sign against"
    rows.append(("normal residuals?", test, statistic, math.nan, p_value, size, answer))
    return pd.DataFrame(rows, columns=COLUMNS)


def _spread_row(  # noqa: PLR0917 (one caller, all needed)
    residuals: Floats, fitted: Floats, matrix: Floats, owner: Codes | None, size: str, alpha: float
) -> tuple[str, str, float, int, float, str, str]:
    """Return Breusch and Pagan's test; over clusters as a score test of the same products.

    With too few clusters for all columns the spread is followed along the fit alone.
    """
    if owner is None:
        statistic, degrees, p_value = breusch_pagan(residuals, matrix)
        name = "Breusch-Pagan (Koenker)"
    else:
        squares = (residuals**2 / float((residuals**2).mean()))[:, None]
        standard = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
        test = score_test(standard, squares, owner)
        statistic, degrees, p_value = test.statistic, test.degrees, test.p_value
        name = "Breusch-Pagan, clustered"
        if math.isnan(p_value):
            test = score_test(((fitted - fitted.mean()) / fitted.std())[:, None], squares, owner)
            statistic, degrees, p_value = test.statistic, test.degrees, test.p_value
            name = "Breusch-Pagan on the fit, clustered"
    answer = "too few clusters" if math.isnan(p_value) else "no sign against"
    answer = "uneven" if p_value < alpha else answer
    return "spread evenly?", name, statistic, degrees, p_value, size, answer


def _t_values(fit: Regression) -> Floats:
    slopes = fit.table.iloc[1:]
    values = np.array([e.value for e in slopes["coefficient"]], dtype=float)
    errors = slopes["robust_error"].to_numpy(dtype=float)
    return np.asarray(np.nan_to_num(values / np.maximum(errors, 1e-300)))


def _spread_ratio(residuals: Floats, fitted: Floats) -> float:
    """Return how much wider the residuals are in the highest fifth of the fit than the lowest."""
    low, high = np.quantile(fitted, [0.2, 0.8])
    bottom, top = residuals[fitted <= low], residuals[fitted >= high]
    least = float(bottom.std())
    return float(top.std()) / least if least > 0 else math.inf
