"""What a test found, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lib.estimates import Estimate, format_p
from lib.statistics.effects import magnitude
from lib.statistics.routes import Route
from lib.statistics.samples import Sample

WIDE = 24  # letters of a level's name in a sentence that holds two


@dataclass(frozen=True)
class Answer:
    """What a test says.

    Attributes
    ----------
    statistic : float
        As the test has it: t, F, U, H, χ², an odds ratio or a correlation.
    p_value : float
        NaN when the test could not be made.
    size : Estimate
        The effect.
    design_effect : float
        By how much rows that repeat clusters inflate the statistic.
    """

    statistic: float
    p_value: float
    size: Estimate
    design_effect: float = 1.0


def put_in_words(
    sample: Sample, route: Route, answer: Answer, q: float, *, target: str, alpha: float
) -> tuple[str, str, str, str]:
    """Return magnitude, direction, claim and the whole sentence.

    Parameters
    ----------
    sample : Sample
        What was compared.
    route : Route
        How.
    answer : Answer
        What the test said.
    q : float
        Its p after correction.
    target : str
        The target's name.
    alpha : float
        q below it counts.

    Returns
    -------
    magnitude, direction, claim, words : str

    Examples
    --------
    >>> from lib.statistics.routes import choose_route
    >>> from lib.statistics.samples import lay_out
    >>> y = pd.Series(np.arange(40.0))
    >>> sample = lay_out(pd.Series(np.arange(40.0), name="x"), "numeric", y, task="regression")
    >>> answer = Answer(0.9, 0.0, Estimate(0.9, 0.8, 0.95))
    >>> put_in_words(sample, choose_route(sample), answer, 0.0, target="y", alpha=0.05)[3]
    'y rises with x: Pearson r 0.900 [0.800, 0.950], large (q < 0.001)'
    """
    feature = sample.feature
    if not route.test:
        words = f"{feature} was not tested"
        return "", "not tested", words, f"{words}: {sample.left_out}"
    if math.isnan(answer.p_value):
        words = f"{feature} could not be tested"
        return "", "too few clusters", words, f"{words}: too few clusters"
    found, p_words = f"{route.effect} {answer.size}", f"q {format_p(q)}"
    if q >= alpha:
        claim = f"no sign of a relation of {feature} with {target}"
        return "", "no sign", claim, f"{claim}: {found} ({p_words})"
    word = magnitude(route.effect, answer.size.value)
    direction = _direction(sample, route, answer, target)
    who = target if sample.form == "groups" and not sample.by_target else feature
    who = target if sample.form in {"numbers", "table"} else who
    if sample.form == "table" and route.effect != "odds ratio":
        who = feature
    claim = f"{who} {'= ' if route.effect == 'odds ratio' else ''}{direction}"
    return word, direction, claim, f"{claim}: {found}, {word} ({p_words})"


def _direction(sample: Sample, route: Route, answer: Answer, target: str) -> str:
    feature, size = sample.feature, answer.size.value
    if sample.form == "numbers":
        return f"{'rises' if size > 0 else 'falls'} with {feature}"
    if sample.form == "table":
        if route.effect != "odds ratio":
            return f"differs with {target}"
        more = "more" if size > 1 else "less"
        wanted = sample.other_names[1]
        return f"{wanted} is {more} likely where {feature} = {sample.names[1]}"
    by = target if sample.by_target else feature
    if len(sample.names) == 2:
        return f"is {'higher' if size > 0 else 'lower'} where {by} = {sample.names[1]}"
    is_ranks = route.effect == "epsilon²"
    values = stats.rankdata(sample.numbers) if is_ranks else sample.numbers
    means = [float(values[sample.codes == code].mean()) for code in range(len(sample.names))]
    ends = (sample.names[int(np.argmax(means))], sample.names[int(np.argmin(means))])
    top, bottom = (name if len(name) <= WIDE else f"{name[: WIDE - 1]}…" for name in ends)
    return f"is highest where {by} = {top}, lowest where {bottom}"


def p_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its p-values as papers print them.

    Parameters
    ----------
    table : DataFrame
        Columns p, q and holm are taken for p-values.

    Returns
    -------
    DataFrame
        A copy.

    Examples
    --------
    >>> p_in_words(pd.DataFrame({"n": [3], "q": [0.00001]})).to_dict("records")
    [{'n': 3, 'q': '< 0.001'}]
    """
    found = [name for name in ("p", "q", "holm") if name in table]
    return table.assign(**{name: table[name].map(format_p) for name in found})


def terms_in_words(terms: pd.DataFrame) -> pd.DataFrame:
    """Return the terms of a regression, the clearest first, each with the digits of its own unit.

    Parameters
    ----------
    terms : DataFrame
        The table of a `Regression`.

    Returns
    -------
    DataFrame
        A copy; p-values as papers print them.

    Examples
    --------
    >>> table = pd.DataFrame({"term": ["km"], "coefficient": [Estimate(1234.5)]})
    >>> columns = {"plain_error": [0.00012], "robust_error": [0.1], "p": [0.04], "q": [0.04]}
    >>> terms_in_words(table.assign(**columns)).iloc[0].tolist()
    ['km', '1,234', '0.00012', '0.100', '0.040', '0.040']
    """
    terms = p_in_words(terms.sort_values("p", kind="stable", ignore_index=True))
    errors = {name: terms[name].map(lambda error: str(Estimate(error)))
              for name in ("plain_error", "robust_error")}  # fmt: skip
    return terms.assign(coefficient=terms["coefficient"].map(str), **errors)
