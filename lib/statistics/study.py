"""All features together: the regression that fits a dataset's task, and what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from lib.data.dataset import Dataset
from lib.errors import InputError
from lib.estimates import format_p
from lib.statistics.counts import CountModels, fit_counts, is_count
from lib.statistics.design import Design, compute_collinearity, condition_number, make_design
from lib.statistics.diagnostics import compute_residual_checks
from lib.statistics.observations import Observation, outcome_of
from lib.statistics.regression import NO_ERRORS, Family, Regression, fit_regression


@dataclass(frozen=True)
class RegressionStudy:
    """A regression with what belongs to it; parts that do not apply are None.

    Attributes
    ----------
    outcome : str
        What is explained: the target, or one of its classes.
    family : {"OLS", "logistic"}
        Straight lines for numbers, log odds for classes.
    reason : str
        Why there is no regression; "" when there is one.
    design : Design or None
        Its columns.
    overlap : DataFrame or None
        As `compute_collinearity` returns it.
    fit : Regression or None
        The regression.
    checks : DataFrame or None
        As `compute_residual_checks` returns it, for straight lines.
    counts : CountModels or None
        For a target that counts.
    """

    outcome: str
    family: Family
    reason: str = ""
    design: Design | None = None
    overlap: pd.DataFrame | None = None
    fit: Regression | None = None
    checks: pd.DataFrame | None = None
    counts: CountModels | None = None


def study_regression(data: Dataset, X: pd.DataFrame, *, level: float = 0.95) -> RegressionStudy:
    """Return the regression of a dataset's target on all of its features.

    Numbers are explained by straight lines, and by count models too where they count; two classes
    by log odds, several by those of the most frequent class. Groups are clusters, weights count.

    Parameters
    ----------
    data : Dataset
        Its target, groups and weights.
    X : DataFrame of shape (n_rows, n_features)
        Its features, under the names to show.
    level : float
        Of the intervals.

    Returns
    -------
    RegressionStudy

    Examples
    --------
    >>> from lib.data import make_planted
    >>> data = make_planted(500, task="binary")
    >>> study = study_regression(data, data.X)
    >>> study.family, study.fit.table["term"].iloc[1]
    ('logistic', 'signal_1')
    """
    outcome = outcome_of(data)
    family: Family = "OLS" if data.task == "regression" else "logistic"
    study = RegressionStudy(str(outcome.name), family)
    design = overlap = fit = checks = counts = None
    reason = ""
    try:
        design = make_design(X)
        overlap = compute_collinearity(design)
        how = {"groups": data.groups, "sample_weight": data.sample_weight, "level": level}
        if data.task == "regression" and is_count(data.y):
            counts = fit_counts(design, data.y, **how)  # type: ignore[arg-type]
        fit = fit_regression(design, outcome, family, **how)  # type: ignore[arg-type]
        if family == "OLS":
            checks = compute_residual_checks(fit, design, groups=data.groups, level=level)
    except InputError as error:
        reason = str(error)
    return RegressionStudy(study.outcome, family, reason, design, overlap, fit, checks, counts)


def describe_regression(study: RegressionStudy, *, alpha: float = 0.05) -> list[Observation]:
    """Return what a regression found, in sentences.

    Parameters
    ----------
    study : RegressionStudy
        As `study_regression` returns it.
    alpha : float
        q below it counts.

    Returns
    -------
    list of Observation
        In reading order.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> data = make_planted(500, task="binary")
    >>> [seen.sentence[:20] for seen in describe_regression(study_regression(data, data.X))][:1]
    ['Features with a vari']
    """
    return [*_on_overlap(study), *_on_fit(study, alpha), *_on_checks(study)]


def describe_counts(study: RegressionStudy) -> list[Observation]:
    """Return what the count models found, in sentences; that they do not apply, if so.

    Parameters
    ----------
    study : RegressionStudy
        As `study_regression` returns it.

    Returns
    -------
    list of Observation

    Examples
    --------
    >>> from lib.data import make_planted
    >>> data = make_planted(500, task="binary")
    >>> describe_counts(study_regression(data, data.X))[0].sentence
    'Count models are not applicable: the target does not count.'
    """
    counts = study.counts
    if counts is None:
        sentence = "Count models are not applicable: the target does not count."
        return [Observation(50, sentence, {})]
    said = [
        Observation(
            50,
            "The variance exceeds the mean by {overdispersion} times its square (Cameron and "
            "Trivedi, p {_p_dispersion}); Poisson's robust errors are {error_ratio:.2f} times its "
            "textbook ones (median).",
            {
                "overdispersion": counts.overdispersion,
                "_p_dispersion": format_p(counts.overdispersion_p),
                "error_ratio": counts.error_ratio,
            },
        )
    ]
    if counts.negative_binomial is None:
        sentence = "A negative binomial does not apply: the counts spread less than Poisson's."
        return [*said, Observation(50, sentence, {})]
    sentence = "The negative binomial's own dispersion is {alpha_nb2:.3f}; AIC prefers {preferred}."
    preferred = str(counts.fit.loc[counts.fit["aic"].idxmin(), "model"])
    values = {"alpha_nb2": counts.negative_binomial.alpha, "preferred": preferred}
    return [*said, Observation(50, sentence, values)]


def _on_overlap(study: RegressionStudy) -> Iterator[Observation]:
    if study.design is None or study.overlap is None:
        yield Observation(50, "Regression is not applicable: {_why}", {"_why": study.reason})
        return
    condition = condition_number(study.design)
    digits = ",.0f" if condition >= 999.5 else ".3g"
    yield Observation(
        50,
        "Features with a variance inflation of 10 or more: {n_overlapping} of {n_regressed}; "
        f"condition number {{condition:{digits}}}.",
        {
            "n_overlapping": int((study.overlap["vif"] >= 10).sum()),
            "n_regressed": len(study.overlap),
            "condition": condition,
        },
    )


def _on_fit(study: RegressionStudy, alpha: float) -> Iterator[Observation]:
    fit = study.fit
    if fit is None:
        if study.design is not None:
            yield Observation(50, "{_why}", {"_why": study.reason}, is_warning=True)
        return
    if fit.errors == NO_ERRORS:
        sentence = "A straight line meets all {n_regression} rows without gaps exactly."
        yield Observation(50, sentence, {"n_regression": fit.n})
        yield from _on_notes(fit)
        return
    share = "R²" if fit.family == "OLS" else "McFadden's share of the log likelihood"
    kind = "A straight line" if fit.family == "OLS" else "A logistic regression"
    yield Observation(
        50,
        f"{kind} on {{n_regression}} rows without gaps explains {{r_squared:.3f}} ({share}); terms "
        "beyond chance: {n_terms_found} of {n_terms}. Errors: {errors}.",
        {
            "n_regression": fit.n,
            "r_squared": fit.r_squared,
            "n_terms_found": int((fit.table["q"] < alpha).sum()),
            "n_terms": len(fit.table) - 1,
            "errors": fit.errors,
        },
    )
    if fit.left_out:
        yield Observation(
            50,
            "Left out, because they alone tell the classes apart without error: {n_separating} "
            "terms, first {_term}. In rare levels that is chance, elsewhere look for a leak (02).",
            {"n_separating": len(fit.left_out), "_term": fit.left_out[0]},
            is_warning=True,
        )
    yield from _on_notes(fit)


def _on_notes(fit: Regression) -> Iterator[Observation]:
    for i, note in enumerate(fit.notes):
        sentence = f"{{_note_{i}}}."
        yield Observation(50, sentence, {f"_note_{i}": note[0].upper() + note[1:]}, is_warning=True)


def _on_checks(study: RegressionStudy) -> Iterator[Observation]:
    if study.checks is None:
        if study.fit is not None:
            sentence = "Residual checks are for straight lines: not applicable to log odds."
            yield Observation(50, sentence, {})
        return
    first = study.checks.iloc[0]
    if math.isnan(first["p"]):
        sentence = "Spread of the residuals: not tested, {spread}."
        yield Observation(50, sentence, {"spread": first["answer"]})
        return
    values = {
        "spread": first["answer"],
        "_test": first["test"],
        "_p_spread": format_p(first["p"]),
    }
    yield Observation(50, "Spread of the residuals: {spread} ({_test}, p {_p_spread}).", values)
