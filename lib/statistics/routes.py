"""From checked assumptions to a test, in words that can be followed and argued with.

The rules, in order:

1. Numbers in groups. Means can be compared when each group's mean behaves: Cochran's rule [1]_
   (more rows than 25 times the squared skewness) from 30 rows on, Shapiro and Wilk's test from 8
   to 29; with fewer nothing can be checked, and ranks are compared.
2. Means: spreads are alike when Brown and Forsythe's test [2]_ does not object at 5 % and the
   largest spread (standard deviation, or mean distance from the median) is at most 1.5 times the
   smallest. Then Student's t or ANOVA, else Welch's. Where the largest group has more than 1.5
   times the rows of the smallest, Welch's without a look at the spreads: there the look itself
   would spoil the level (6.2 % instead of 5 % in simulations).
3. Ranks: Mann and Whitney's, or Kruskal and Wallis's test; with a group under 8 rows the latter
   against shuffled ranks, as its χ² is then too careful (3.9 %).
4. Two columns of levels: χ² when at most a fifth of the expected counts is below 5 and none below
   1 [3]_; else Fisher's exact test with mid-p, or for larger tables χ² against shuffled ones.
5. Two columns of numbers: Pearson when neither is far from normal (skewness within ±1, excess
   kurtosis below 3), else Spearman.
6. Rows that repeat groups: the same question (means, ranks, tables, correlations), with errors
   from sums over groups; spreads need not be alike for these.

.. [1] W. Cochran (1977). Sampling Techniques, section 2.15.
.. [2] M. Brown, A. Forsythe (1974). Robust tests for the equality of variances. JASA 69:364.
.. [3] W. Cochran (1954). Some methods for strengthening the common χ² tests. Biometrics 10:417.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from lib.estimates import format_p
from lib.statistics.clustered import Floats, count_units
from lib.statistics.samples import Sample

SMALL_GROUP, TINY_GROUP = 30, 8
COCHRAN = 25
LARGEST_RATIO = 1.5
CALM_SKEWNESS, CALM_KURTOSIS = 1.0, 3.0


@dataclass(frozen=True)
class Route:
    """A test and why it was chosen.

    Attributes
    ----------
    test : str
        Its name; "" when there is nothing to test.
    effect : str
        The size that belongs to it, a key of `effects.CONVENTIONS`.
    compared : str
        What is compared, and what was left out or merged for it; for no test the reason.
    checked : str
        What was checked first.
    then : str
        What was checked next, or that rows repeat clusters; "" where one check decides.
    """

    test: str
    effect: str
    compared: str
    checked: str = ""
    then: str = ""

    @property
    def words(self) -> str:
        """From what is compared to the test, joined by arrows."""
        return " → ".join(filter(None, [self.compared, self.checked, self.then, self.test]))


def choose_route(sample: Sample) -> Route:
    """Return the test that fits a sample, with the checks that led to it.

    Parameters
    ----------
    sample : Sample
        As `lay_out` returns it.

    Returns
    -------
    Route

    Examples
    --------
    >>> import pandas as pd
    >>> from lib.statistics.samples import lay_out
    >>> rng = np.random.default_rng(0)
    >>> y = pd.Series([0, 1] * 50)
    >>> sample = lay_out(pd.Series(rng.normal(size=100)), "numeric", y, task="binary")
    >>> choose_route(sample).words
    "2 groups of 50 rows → means behave (|skewness| 0.1) → spreads alike (1.1 times, \
p 0.464) → Student's t"
    """
    if sample.form == "none":
        return Route("", "", f"not applicable: {sample.left_out}")
    branch = {"groups": _by_groups, "table": _by_table, "numbers": _by_numbers}[sample.form]
    route = branch(sample)
    if sample.left_out:
        route = replace(route, compared=f"{route.compared}; {sample.left_out}")
    if sample.owner is None:
        return route
    units = count_units(len(sample), sample.owner)
    asked = {"Hedges' g": "means", "omega²": "means", "Cliff's delta": "ranks", "epsilon²": "ranks"}
    table = "table" if sample.form == "table" else route.effect
    test = f"{asked.get(route.effect, table)}, clustered"
    checked = "" if sample.form == "table" else route.checked
    return replace(route, test=test, checked=checked, then=f"rows repeat {units:,} clusters")


def brown_forsythe(parts: list[Floats]) -> float:
    """Return the p-value of equal spreads around the groups' medians.

    Parameters
    ----------
    parts : list of array of float
        The numbers of each group.

    Returns
    -------
    float
        NaN when nothing varies.

    Examples
    --------
    >>> round(brown_forsythe([np.arange(20.0), np.arange(20.0) * 5]), 4)
    0.0
    """
    deviations = [np.abs(part - np.median(part)) for part in parts]
    if all(np.ptp(part) == 0 for part in deviations):
        same = len({round(float(part[0]), 12) for part in deviations}) == 1
        return float("nan") if same else 0.0
    return float(stats.f_oneway(*deviations).pvalue)


def _by_groups(sample: Sample) -> Route:
    parts, sizes = sample.parts, sample.group_sizes
    n_parts = len(parts)
    least, most = int(sizes.min()), int(sizes.max())
    rows = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    compared = f"{n_parts} groups of {rows} rows"
    behave, checked = _check_means(parts)
    if not behave:
        if n_parts == 2:
            return Route("Mann-Whitney", "Cliff's delta", compared, checked)
        test = "Kruskal-Wallis" if least >= TINY_GROUP else "Kruskal-Wallis by shuffling"
        return Route(test, "epsilon²", compared, checked)
    if most > LARGEST_RATIO * least:
        alike, then = False, f"sizes unlike ({most / least:.1f} times)"
    else:
        alike, then = _check_spreads(parts)
    if n_parts == 2:
        return Route("Student's t" if alike else "Welch's t", "Hedges' g", compared, checked, then)
    return Route("ANOVA" if alike else "Welch's ANOVA", "omega²", compared, checked, then)


def _check_means(parts: list[Floats]) -> tuple[bool, str]:
    """Return whether each group's mean is nearly normal, and words for it."""
    if min(len(part) for part in parts) < TINY_GROUP:
        return False, f"under {TINY_GROUP} rows: nothing can be checked"
    large = [part for part in parts if len(part) >= SMALL_GROUP]
    small = [part for part in parts if len(part) < SMALL_GROUP]
    skews = [abs(_skewness(part)) for part in large]
    short = [s for p, s in zip(large, skews, strict=True) if len(p) <= COCHRAN * s**2]
    if short:
        return False, f"means do not behave (|skewness| {max(short):.1f})"
    p_values = [float(stats.shapiro(p).pvalue) if np.ptp(p) > 0 else 0.0 for p in small]
    lowest = min(min(p_values, default=1.0) * max(len(small), 1), 1.0)  # Bonferroni
    if lowest < 0.05:
        return False, f"not normal (Shapiro-Wilk p {format_p(lowest)})"
    seen = [f"|skewness| {max(skews):.1f}"] if skews else []
    seen += [f"Shapiro-Wilk p {format_p(lowest)}"] if small else []
    return True, f"means behave ({', '.join(seen)})"


def _check_spreads(parts: list[Floats]) -> tuple[bool, str]:
    deviations = [float(np.abs(part - np.median(part)).mean()) for part in parts]
    ratio = max(_ratio([float(part.std(ddof=1)) for part in parts]), _ratio(deviations))
    p_value = brown_forsythe(parts)
    alike = p_value >= 0.05 and ratio <= LARGEST_RATIO
    words = "alike" if alike else "unlike"
    return alike, f"spreads {words} ({ratio:.1f} times, p {format_p(p_value)})"


def _ratio(spreads: list[float]) -> float:
    return max(spreads) / min(spreads) if min(spreads) > 0 else np.inf


def _by_table(sample: Sample) -> Route:
    shape = len(sample.names), len(sample.other_names)
    effect = "odds ratio" if shape == (2, 2) else "Cramér's V"
    compared = f"table of {shape[0]} × {shape[1]}"
    counts = cross_table(sample)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    if np.mean(expected < 5) <= 0.2 and expected.min() >= 1:
        return Route("χ²", effect, compared, f"expected counts from {expected.min():,.1f}")
    checked = f"expected counts too small (from {expected.min():.1f})"
    return Route(
        "Fisher's exact (mid-p)" if shape == (2, 2) else "χ² by shuffling",
        effect,
        compared,
        checked,
    )


def _by_numbers(sample: Sample) -> Route:
    sides = (sample.numbers, sample.others)
    skewness = max(abs(_skewness(side)) for side in sides)
    kurtosis = max(_excess_kurtosis(side) for side in sides)
    calm = skewness <= CALM_SKEWNESS and kurtosis < CALM_KURTOSIS
    words = "near normal" if calm else "far from normal"
    checked = f"{words} (|skewness| {skewness:.1f}, kurtosis {kurtosis:.1f})"
    name = "Pearson r" if calm else "Spearman rho"
    return Route(name, name, f"numbers, {len(sample):,} rows", checked)


def cross_table(sample: Sample) -> Floats:
    """Return the counts of a sample of two columns of levels.

    Examples
    --------
    >>> import pandas as pd
    >>> from lib.statistics.samples import lay_out
    >>> column, y = pd.Series(list("ab") * 10), pd.Series([0, 1] * 10)
    >>> cross_table(lay_out(column, "categorical", y, task="binary")).tolist()
    [[10.0, 0.0], [0.0, 10.0]]
    """
    width = len(sample.other_names)
    cells = sample.codes * width + sample.others.astype(np.int64)
    counts = np.bincount(cells, minlength=len(sample.names) * width)
    return counts.reshape(-1, width).astype(np.float64)


def _skewness(part: Floats) -> float:
    return float(stats.skew(_scaled(part))) if np.ptp(part) > 0 else 0.0


def _excess_kurtosis(part: Floats) -> float:
    return float(stats.kurtosis(_scaled(part))) if np.ptp(part) > 0 else 0.0


def _scaled(part: Floats) -> Floats:
    """Return numbers around 0 of at most 1, so that their powers stay finite and exact."""
    centred = part / max(float(np.abs(part).max()), 1e-300)
    centred = centred - centred.mean()
    return np.asarray(centred / (float(np.abs(centred).max()) or 1.0))
