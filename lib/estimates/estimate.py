"""A value with its interval, and a difference with its test."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any] | Sequence[float] | Iterable[Any]


@dataclass(frozen=True)
class Estimate:
    """A value and the interval it comes with.

    Attributes
    ----------
    value : float
        The point estimate, in the unit of what was measured.
    low, high : float
        Ends of the interval; NaN when there is none.
    level : float
        Coverage that the interval aims at.
    method : str
        How the interval was made, in words.
    n : int or None
        How many rows, folds or resamples stand behind it.

    Examples
    --------
    >>> print(Estimate(0.7721, 0.7603, 0.7839))
    0.772 [0.760, 0.784]
    >>> f"{Estimate(1234.5, 1200, 1300):,.0f}"
    '1,234 [1,200, 1,300]'
    >>> print(Estimate(12), Estimate(float("nan")))
    12.00 –
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    level: float = 0.95
    method: str = ""
    n: int | None = None

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    def covers(self, x: float) -> bool:
        """Return whether `x` lies in the interval, ends included.

        Examples
        --------
        >>> Estimate(0.1, -0.05, 0.25).covers(0)
        True
        >>> Estimate(0.1).covers(0.1)
        False
        """
        return self.low <= x <= self.high

    def __str__(self) -> str:
        return format(self)

    def __format__(self, spec: str) -> str:
        if math.isnan(self.value):
            return "–"
        spec = spec or _readable_spec([self.value, self.low, self.high])
        if not self.has_interval:
            return format(self.value, spec)
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


@dataclass(frozen=True)
class PairedTest:
    """A difference between two things measured on the same cases, and its test.

    Attributes
    ----------
    difference : Estimate
        First minus second.
    statistic : float
        The test statistic; its sign is the difference's.
    p_value : float
        Two-sided, of no difference.
    """

    difference: Estimate
    statistic: float
    p_value: float


def _readable_spec(numbers: Sequence[float]) -> str:
    """Return a format with three decimals near one, four digits above, two digits below."""
    largest = max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)
    if largest == 0:
        return ".3f"
    exponent = math.floor(math.log10(largest))
    decimals = 3 - max(exponent, 0) if exponent >= -2 else 1 - exponent
    return f",.{max(decimals, 0)}f" if exponent > -5 else ".2g"


def format_digits(value: float, digits: int = 3, *, sign: str = "-") -> str:
    """Return a number with so many digits that count, and never fewer than it has before the point.

    Money and other large numbers are read with their thousands: 2.93e+03 is for machines.

    Parameters
    ----------
    value : float
        Finite.
    digits : int
        Digits that count.
    sign : {"-", "+"}
        "+" shows the sign of a positive number too.

    Returns
    -------
    str
        With commas between thousands; the far ends, below 0.0001 and from 1e15 on, as powers.

    Examples
    --------
    >>> [format_digits(v) for v in (2931.6, 52.94, 0.12345, 999.7, 45_000)]
    ['2,932', '52.9', '0.123', '1,000', '45,000']
    >>> format_digits(517.3, 2, sign="+"), format_digits(-0.72, 2, sign="+")
    ('+517', '-0.72')
    """
    is_long = float(f"{abs(value):.{digits - 1}e}") >= 10**digits and abs(value) < 1e15
    return f"{value:{sign},.0f}" if is_long else f"{value:{sign},.{digits}g}"


def format_p(p_value: float) -> str:
    """Return a p-value as papers print it.

    Parameters
    ----------
    p_value : float
        NaN for a test that was not made.

    Returns
    -------
    str
        Three decimals, "< 0.001" below them, "–" for NaN.

    Examples
    --------
    >>> [format_p(p) for p in (0.0312, 0.00002, float("nan"))]
    ['0.031', '< 0.001', '–']
    """
    if math.isnan(p_value):
        return "–"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def print_p_values(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose p-values stand as papers print them.

    Parameters
    ----------
    table : DataFrame
        Columns `p`, `p_value` and `p_...` hold numbers.

    Returns
    -------
    DataFrame
        A copy with text in those columns.

    Examples
    --------
    >>> print_p_values(pd.DataFrame({"what": ["a"], "p_holm": [0.0312]})).values.tolist()
    [['a', '0.031']]
    """
    is_p = [name for name in table if name == "p" or str(name).startswith("p_")]
    return table.assign(**{str(name): table[name].map(format_p) for name in is_p})


def ratio(difference: float, error: float) -> float:
    """Return a difference in standard errors; infinite when it is certain.

    Examples
    --------
    >>> ratio(0.2, 0.1), ratio(0.0, 0.0), ratio(-0.2, 0.0)
    (2.0, 0.0, -inf)
    """
    if error > 0:
        return float(difference / error)
    return 0.0 if difference == 0 else math.copysign(math.inf, difference)
