"""From checked assumptions to a test, in words that can be followed and argued with.

The rules, in order:

1. Numbers in groups. Means can be compared when each group's mean behaves: Cochran's rule [1]_
   (more rows than 25 times the squared skewness) from 30 rows on, Shapiro and Wilk's test from 8
   to 29; with fewer nothing can be checked, and ranks are compared.
2. Means: spreads are alike when Brown and Forsythe's test [2]_ does not object at 5 % and the
   largest standard deviation is at most 1.5 times the smallest. Then Student's t or ANOVA, else
   Welch's.
3. Ranks: Mann and Whitney's, or Kruskal and Wallis's test.
4. Two columns of levels: χ² when at most a fifth of the expected counts is below 5 and none below
   1 [3]_; else Fisher's exact test, or for larger tables χ² against shuffled tables.
5. Two columns of numbers: Pearson when neither is far from normal (skewness within ±1, excess
   kurtosis below 3), else Spearman.
6. Rows that repeat groups: the same question (means, ranks, tables, correlations), with errors
   from sums over groups; spreads need not be alike for these.

.. [1] W. Cochran (1977). Sampling Techniques, section 2.15.
.. [2] M. Brown, A. Forsythe (1974). Robust tests for the equality of variances. JASA 69:364.
.. [3] W. Cochran (1954). Some methods for strengthening the common χ² tests. Biometrics 10:417.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    words : str
        From assumption to assumption, joined by arrows.
    """

    test: str
    effect: str
    words: str


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
    "2 groups of 50 rows → means behave (|skewness| up to 0.1) → spreads alike (1.1 times, \
Brown-Forsythe p 0.464) → Student's t"
    """
    if sample.form == "none":
        return Route("", "", f"not applicable: {sample.left_out}")
    steps = [f"{sample.left_out}"] if sample.left_out else []
    branch = {"groups": _by_groups, "table": _by_table, "numbers": _by_numbers}[sample.form]
    test, effect = branch(sample, steps)
    return Route(test, effect, " → ".join([*steps, test]))


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


def _by_groups(sample: Sample, steps: list[str]) -> tuple[str, str]:
    parts, sizes = sample.parts, sample.group_sizes
    n_parts = len(parts)
    least, most = int(sizes.min()), int(sizes.max())
    rows = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    steps.append(f"{n_parts} groups of {rows} rows")
    behave = _check_means(parts, steps)
    units = None if sample.owner is None else count_units(len(sample), sample.owner)
    if units is not None:
        steps.append(f"rows repeat {units:,} clusters: errors by cluster")
    if not behave:
        effect = "Cliff's delta" if n_parts == 2 else "epsilon²"
        if units is not None:
            return "ranks, clustered", effect
        return ("Mann-Whitney", effect) if n_parts == 2 else ("Kruskal-Wallis", effect)
    effect = "Hedges' g" if n_parts == 2 else "omega²"
    if units is not None:
        return "means, clustered", effect
    if _check_spreads(parts, steps):
        return ("Student's t" if n_parts == 2 else "ANOVA"), effect
    return ("Welch's t" if n_parts == 2 else "Welch's ANOVA"), effect


def _check_means(parts: list[Floats], steps: list[str]) -> bool:
    """Say whether each group's mean is nearly normal, and add the words for it."""
    if min(len(part) for part in parts) < TINY_GROUP:
        steps.append(f"a group under {TINY_GROUP} rows: normality cannot be checked")
        return False
    large = [part for part in parts if len(part) >= SMALL_GROUP]
    small = [part for part in parts if len(part) < SMALL_GROUP]
    skews = [abs(_skewness(part)) for part in large]
    short = [len(p) for p, s in zip(large, skews, strict=True) if len(p) <= COCHRAN * s**2]
    if short:
        steps.append(
            f"|skewness| up to {max(skews):.1f}: means do not behave in a group of {min(short):,}"
        )
        return False
    p_values = [float(stats.shapiro(p).pvalue) if np.ptp(p) > 0 else 0.0 for p in small]
    lowest = min(min(p_values, default=1.0) * max(len(small), 1), 1.0)  # Bonferroni
    if lowest < 0.05:
        steps.append(f"not normal in a group under {SMALL_GROUP} rows (Shapiro-Wilk)")
        return False
    seen = [f"|skewness| up to {max(skews):.1f}"] if skews else []
    seen += [f"Shapiro-Wilk p {format_p(lowest)}"] if small else []
    steps.append(f"means behave ({', '.join(seen)})")
    return True


def _check_spreads(parts: list[Floats], steps: list[str]) -> bool:
    spreads = [float(part.std(ddof=1)) for part in parts]
    ratio = max(spreads) / min(spreads) if min(spreads) > 0 else np.inf
    p_value = brown_forsythe(parts)
    alike = p_value >= 0.05 and ratio <= LARGEST_RATIO
    words = "alike" if alike else "unlike"
    steps.append(f"spreads {words} ({ratio:.1f} times, Brown-Forsythe p {format_p(p_value)})")
    return alike


def _by_table(sample: Sample, steps: list[str]) -> tuple[str, str]:
    shape = len(sample.names), len(sample.other_names)
    effect = "odds ratio" if shape == (2, 2) else "Cramér's V"
    steps.append(f"table of {shape[0]} × {shape[1]}")
    if sample.owner is not None:
        units = count_units(len(sample), sample.owner)
        steps.append(f"rows repeat {units:,} clusters: errors by cluster")
        return "table, clustered", effect
    counts = cross_table(sample)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    if np.mean(expected < 5) <= 0.2 and expected.min() >= 1:
        steps.append(f"expected counts from {expected.min():.1f}")
        return "χ²", effect
    steps.append(f"expected counts too small (from {expected.min():.1f})")
    return ("Fisher's exact" if shape == (2, 2) else "χ² by shuffling"), effect


def _by_numbers(sample: Sample, steps: list[str]) -> tuple[str, str]:
    steps.append("two columns of numbers")
    sides = (sample.numbers, sample.others)
    skewness = max(abs(_skewness(side)) for side in sides)
    kurtosis = max(_excess_kurtosis(side) for side in sides)
    calm = skewness <= CALM_SKEWNESS and kurtosis < CALM_KURTOSIS
    words = "near normal" if calm else "far from normal"
    steps.append(f"{words} (|skewness| up to {skewness:.1f}, excess kurtosis {kurtosis:.1f})")
    if sample.owner is not None:
        units = count_units(len(sample), sample.owner)
        steps.append(f"rows repeat {units:,} clusters: errors by cluster")
    name = "Pearson r" if calm else "Spearman rho"
    return (name if sample.owner is None else f"{name}, clustered"), name


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
