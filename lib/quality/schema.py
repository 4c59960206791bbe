"""What a table promises, kept as text that people review: types, ranges, allowed values, gaps."""

from __future__ import annotations

import datetime as dt
import json
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lib.config import Config
from lib.data import Dataset, source_hash
from lib.data.sources import OPTIONAL_PREFIX, record_source
from lib.errors import InputError, suggest
from lib.quality.table import as_polars

TYPES = ("whole number", "number", "category", "text", "date")
MAX_ALLOWED = 30  # a category of more values has no list of them
MARGIN = 0.1  # of the range seen, to either side: the next rows may go a little further
MAX_UNIQUE = 50  # rows below which nothing can be said to be unique


class ColumnRules(BaseModel):
    """What one column promises; a rule that is left out is not checked.

    Attributes
    ----------
    type : {"whole number", "number", "category", "text", "date"}
    missing_at_most : float
        Share of rows; 0 allows no gap.
    min, max : number or text of a date
        Smallest and largest value allowed.
    allowed : list of str
        All values that a category may have.
    unique : bool
        Whether no value may come twice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str | None = Field(None, pattern="^(whole number|number|category|text|date)$")
    missing_at_most: float | None = Field(None, ge=0, le=1)
    min: float | str | None = None
    max: float | str | None = None
    allowed: tuple[str, ...] | None = None
    unique: bool = False


@dataclass(frozen=True)
class Schema:
    """The rules of a table.

    Attributes
    ----------
    dataset : str
    columns : dict of str to ColumnRules
        By the column's own name.
    """

    dataset: str
    columns: dict[str, ColumnRules]


def schema_path(dataset: str, config: Config) -> Path:
    """Return where the reviewed schema of a dataset lies, whether or not there is one.

    Examples
    --------
    >>> from lib.config import load_config
    >>> schema_path("wine", load_config()).as_posix().endswith("data/schemas/wine.toml")
    True
    """
    return config.root / "data" / "schemas" / f"{dataset}.toml"


def propose_schema(dataset: Dataset) -> Schema:
    """Return the rules that the training rows suggest, for people to review.

    A range is the seen one with room to either side: a tenth of it, or as much as its outer tenth
    of the rows takes, as long tails grow with every row (not below 0 when nothing was). The share
    of gaps may grow by half and two points. Categories of up to 30 values are listed, unless one
    was seen only once: then others will come.

    Parameters
    ----------
    dataset : Dataset
        Whole, or its training rows.

    Returns
    -------
    Schema

    Examples
    --------
    >>> from lib.data import load_data
    >>> propose_schema(load_data("wine")).columns["alcohol"].model_dump(exclude_defaults=True)
    {'type': 'number', 'missing_at_most': 0.0, 'min': 10.22, 'max': 15.38}
    """
    train = dataset.train if dataset.part == "all" else dataset
    frame = as_polars(train.X, train)
    return Schema(dataset.name, {series.name: _propose(series) for series in frame.iter_columns()})


def _propose(series: pl.Series) -> ColumnRules:
    known = series.drop_nulls()
    missing = series.null_count() / max(len(series), 1)
    rules: dict[str, Any] = {
        "type": type_of(series),
        "missing_at_most": 0.0 if not missing else round(min(1.0, 1.5 * missing + 0.02), 3),
    }
    if series.dtype.is_numeric() and len(known):
        rules["min"], rules["max"] = _range(known)
    elif series.dtype.is_temporal() and len(known):
        rules["min"] = _first_day(known)
    elif rules["type"] == "category" and 0 < known.n_unique() <= MAX_ALLOWED:
        counted = known.cast(pl.String).value_counts()
        if counted["count"].min() > 1:  # type: ignore[operator]
            rules["allowed"] = tuple(counted[known.name].sort().to_list())
    is_code = series.dtype == pl.String or series.dtype.is_integer()
    if is_code and len(known) > MAX_UNIQUE and known.n_unique() == len(known):
        rules["unique"] = True
    return ColumnRules(**rules)


def type_of(series: pl.Series) -> str:
    """Return what a column holds, in the words of a schema.

    Examples
    --------
    >>> type_of(pl.Series([1.0, 2.0])), type_of(pl.Series(["free text"]))
    ('whole number', 'text')
    """
    if series.dtype.is_temporal():
        return "date"
    if series.dtype.is_numeric():
        whole = series.dtype.is_integer() or bool((series.drop_nulls() % 1 == 0).all())
        return "whole number" if whole and series.null_count() < len(series) else "number"
    return "category" if isinstance(series.dtype, pl.Enum) else "text"


def _first_day(known: pl.Series) -> str:
    """Return the day from which moments are allowed: a tenth of their span before the first."""
    first, last = known.dt.date().min(), known.dt.date().max()
    assert isinstance(first, dt.date) and isinstance(last, dt.date)  # noqa: PT018 - for mypy
    return str(first - max((last - first) * MARGIN, dt.timedelta(days=1)))


def _range(known: pl.Series) -> tuple[float, float]:
    low, high = float(known.min()), float(known.max())  # type: ignore[arg-type]
    is_whole = bool((known.cast(pl.Float64) % 1 == 0).all())
    if is_whole and high - low <= 10:  # an indicator or a grade: its steps are all there is
        return low, high
    low_tenth, high_tenth = (float(known.quantile(q) or 0.0) for q in (0.1, 0.9))
    room = MARGIN * (high - low)
    wide_low, wide_high = low - max(room, low_tenth - low), high + max(room, high - high_tenth)
    if low >= 0:
        wide_low = max(wide_low, 0.0)
    if high <= 0:
        wide_high = min(wide_high, 0.0)
    return _outward(wide_low, -1, is_whole), _outward(wide_high, 1, is_whole)


def _outward(value: float, sign: int, is_whole: bool) -> float:  # noqa: FBT001 - private
    """Round a limit away from the values, to three digits beyond which nobody would write it."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 3)
    step = max(step, 1.0) if is_whole else step
    rounded = (math.ceil if sign > 0 else math.floor)(round(value / step, 6)) * step
    return float(f"{rounded:.10g}")


def write_schema(schema: Schema) -> str:
    """Return a schema as TOML.

    Examples
    --------
    >>> rules = ColumnRules(type="whole number", missing_at_most=0, min=0, max=120)
    >>> print(write_schema(Schema("people", {"age": rules})))
    # What people promises. Proposed from training rows; reviewed by people.
    # A rule that is left out is not checked. See data/schemas/README.md.
    <BLANKLINE>
    dataset = "people"
    <BLANKLINE>
    [columns.age]
    type = "whole number"
    missing_at_most = 0
    min = 0
    max = 120
    <BLANKLINE>
    """
    lines = [
        f"# What {schema.dataset} promises. Proposed from training rows; reviewed by people.",
        "# A rule that is left out is not checked. See data/schemas/README.md.",
        "",
        f"dataset = {_toml(schema.dataset)}",
    ]
    for name, rules in schema.columns.items():
        lines += ["", f"[columns.{_key(name)}]"]
        given = rules.model_dump(exclude_none=True)
        if not given["unique"]:
            del given["unique"]
        lines += [f"{rule} = {_toml(value)}" for rule, value in given.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "a").isalnum() else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\u007f", "\\u007f")


def read_schema(text: str, where: str = "the schema") -> Schema:
    r"""Return the schema that a TOML text describes.

    Parameters
    ----------
    text : str
        As `write_schema` writes it, or as people changed it.
    where : str
        The file, for messages.

    Returns
    -------
    Schema

    Raises
    ------
    InputError
        When it is no TOML, or a rule is unknown or does not fit.

    Examples
    --------
    >>> read_schema("[columns.age]\nmin = 0").columns["age"].min
    0.0
    >>> read_schema("[columns.age]\nmini = 0", "people.toml")
    Traceback (most recent call last):
    lib.errors.InputError: [columns.age] of people.toml has no rule 'mini'. Did you mean 'min'?
    """
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{where} is not valid TOML: {error}. Mend that line."
        raise InputError(msg) from error
    columns = written.get("columns", {})
    if not isinstance(columns, dict):
        msg = f"{where} must have tables such as [columns.age]; got columns = {columns!r}."
        raise InputError(msg)
    return Schema(
        str(written.get("dataset", "")),
        {name: _read_rules(name, rules, where) for name, rules in columns.items()},
    )


def _read_rules(name: str, rules: Any, where: str) -> ColumnRules:
    try:
        return ColumnRules.model_validate(rules)
    except ValidationError as error:
        first = error.errors()[0]
        rule = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            hint = suggest(rule, ColumnRules.model_fields)
            msg = f"[columns.{name}] of {where} has no rule '{rule}'.{hint}"
            raise InputError(msg) from error
        msg = f"[columns.{name}] of {where}: {rule} got {first['input']!r}; {first['msg'].lower()}."
        raise InputError(msg) from error


def load_schema(dataset: str, config: Config) -> Schema | None:
    r"""Return the reviewed schema of a dataset, or None when there is none.

    Raises
    ------
    InputError
        When the file cannot be read as one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from lib.config import Config
    >>> with TemporaryDirectory() as folder:
    ...     path = schema_path("people", Config(root=Path(folder)))
    ...     path.parent.mkdir(parents=True)
    ...     _ = path.write_text("[columns.age]\nmin = 0\n")
    ...     print(load_schema("people", Config(root=Path(folder))).columns["age"].min)
    0.0
    """
    path = schema_path(dataset, config)
    locator = f"{OPTIONAL_PREFIX}{path}"  # so that the runner sees when people change it
    record_source(locator, source_hash(locator))
    if not path.is_file():
        return None
    return read_schema(path.read_text(encoding="utf-8"), f"data/schemas/{path.name}")
