"""skrub's steps, mended where tables break them: names of columns, and numbers far outside.

Imported where it is used: skrub takes seconds to import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from skrub import SquashingScaler as _SquashingScaler
from skrub import TableVectorizer as _TableVectorizer

from lib.data.names import snake_case

INDICATOR = "missingindicator_"  # with which scikit-learn's imputer begins names
FAR = 1e9  # only beyond it can single precision fail to square a scaled number
_PLAIN = re.compile(r"[A-Za-z0-9_]+")
_RANDOM = re.compile(r"__skrub_[0-9a-f]+__")


class TableVectorizer(_TableVectorizer):  # type: ignore[misc]
    """skrub's `TableVectorizer` whose columns are named the same in each run.

    Where a part of a date, a component of a text or a level is called as another column is, skrub
    tells them apart by random letters; here a number does. A column that LightGBM would refuse or
    merge with another one (`a b` and `a_b`), or that is named as the imputer names its marks of
    gaps, travels under a safe name. All other names stay as they are.

    Examples
    --------
    >>> from skrub import DatetimeEncoder
    >>> table = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=3), "day_year": 1.0})
    >>> parts = DatetimeEncoder(resolution="month", add_total_seconds=False)
    >>> TableVectorizer(datetime=parts).fit_transform(table).columns.tolist()
    ['day_year_2', 'day_month', 'day_year']
    """

    input_to_outputs_: dict[str, list[str]]

    def fit_transform(self, X: Any, y: Any = None) -> pd.DataFrame:
        """Learn from rows and transform them."""
        table = super().fit_transform(X, y)
        given = [str(name) for name in table.columns]
        self.all_outputs_ = name_outputs(given, self.output_to_input_)
        renamed = dict(zip(given, self.all_outputs_, strict=True))
        self.input_to_outputs_ = {
            column: [renamed[output] for output in outputs if output in renamed]
            for column, outputs in self.input_to_outputs_.items()
        }
        self._store_output_to_input()
        return table.set_axis(self.all_outputs_, axis=1)

    def transform(self, X: Any) -> pd.DataFrame:
        """Transform other rows."""
        return super().transform(X).set_axis(self.all_outputs_, axis=1)


class SquashingScaler(_SquashingScaler):  # type: ignore[misc]
    """skrub's `SquashingScaler` that sends numbers far outside to the ends, not to zero.

    In single precision the square of a number that lies 1e19 scales away overflows, and so a fill
    value such as 9.97e36 would become the middle of the column.

    Examples
    --------
    >>> column = np.array([[-1.0], [0.0], [1.0], [2.0], [1e30]], dtype="float32")
    >>> SquashingScaler(max_absolute_value=5).fit_transform(column).round(1).ravel().tolist()
    [-1.0, -0.5, 0.0, 0.5, 5.0]
    """

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn from rows and transform them."""
        with np.errstate(over="ignore"):
            return self._mend(X, super().fit_transform(X, y))

    def transform(self, X: Any) -> Any:
        """Transform other rows."""
        with np.errstate(over="ignore"):
            return self._mend(X, super().transform(X))

    def _mend(self, X: Any, made: Any) -> Any:
        """Return what was made, with double precision where single made nothing of a number."""
        values = np.asarray(made)
        lost = (np.abs(np.asarray(X)) > FAR) & (values == 0)
        if not lost.any():
            return made
        mended = np.where(lost, np.asarray(super().transform(X.astype("float64"))), values)
        mended = mended.astype(values.dtype)
        return mended if made is values else pd.DataFrame(mended, made.index, made.columns)


def name_outputs(outputs: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """Return names of made columns: plain, distinct, the same whatever skrub drew.

    Parameters
    ----------
    outputs : iterable of str
        As skrub names them: each begins with the column that it comes from.
    sources : mapping of str to str
        Column of each output.

    Returns
    -------
    list of str

    Examples
    --------
    >>> name_outputs(["a b", "a_b", "a,b"], {})
    ['a_b_2', 'a_b', 'a_b_3']
    """
    made = list(outputs)
    kept = [name for name in made if _is_kept(name, sources.get(name, name))]
    taken, names = set(kept), []
    for position, output in enumerate(made, start=1):
        source = sources.get(output, output)
        if _is_kept(output, source):
            names.append(output)
            continue
        begin = source if _is_plain(source) else snake_case(source) or f"column_{position}"
        begin = f"own_{begin}" if begin.startswith(INDICATOR) else begin
        base = begin + _RANDOM.sub("", output).removeprefix(source)
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names.append(name)
    return names


def _is_kept(output: str, source: str) -> bool:
    return _is_plain(source) and not _RANDOM.search(output)


def _is_plain(name: str) -> bool:
    return bool(_PLAIN.fullmatch(name)) and not name.startswith(INDICATOR)
