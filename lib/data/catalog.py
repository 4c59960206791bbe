"""The catalogue of datasets: `data/catalog.toml`, three lines for a table, more where known."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lib.config import Config, load_config
from lib.data.sources import CATALOG_PREFIX, hash_entry, record_source
from lib.data.stakes import Policy, check_costs, check_gains
from lib.errors import InputError, suggest

STUDY = "study"
Kind = Literal["number", "category", "text", "date"]


class Column(BaseModel):
    """What the catalogue says about one column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None
    description: str = ""
    kind: Kind | None = None


class SplitChoice(BaseModel):
    """How the test set is chosen; what is not given follows from groups and time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["groups", "time", "random"] | None = None
    seed: int = Field(0, ge=0, lt=2**32)
    test_fraction: float = Field(0.2, gt=0, lt=0.9)


class DesignChoice(BaseModel):
    """What an experiment is to decide, and by which rule: written down before it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str | None = None
    metric: str | None = None
    candidate: str | None = None
    reference: str | None = None
    smallest_effect: float | None = Field(None, gt=0)
    rule: Literal["above zero", "above the smallest effect"] | None = None


class Trial(BaseModel):
    """What was assigned by lot, and what it was to change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    treatment: str
    control: str
    outcomes: dict[str, list[str]]
    covariates: list[str] = []
    strata: list[str] = []
    units: list[str] = []
    arms: dict[str, list[str | int | float]] = {}
    note: str = ""
    published: dict[str, dict[str, float]] = {}
    published_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Trial:
        if not self.outcomes or not all(self.outcomes.values()):
            raise ValueError("trial.outcomes names at least one outcome, each with its columns")
        if self.arms and self.control not in self.arms:
            raise ValueError(f"trial.control '{self.control}' is none of the trial's arms")
        if strangers := set(self.published) - set(self.outcomes):
            raise ValueError(f"trial.published has no outcome '{min(strangers)}' to stand beside")
        return self

    @property
    def columns(self) -> list[str]:
        """Every column that it names."""
        summed = [column for columns in self.outcomes.values() for column in columns]
        return [self.treatment, *summed, *self.covariates, *self.strata, *self.units]

    def renamed(self, new: Mapping[str, str]) -> Trial:
        """Return it with columns under new names.

        Parameters
        ----------
        new : mapping of str to str
            Old name to new name.

        Returns
        -------
        Trial
            Of the same arms.
        """

        def follow(names: list[str]) -> list[str]:
            return [new.get(name, name) for name in names]

        outcomes = {name: follow(columns) for name, columns in self.outcomes.items()}
        kept = {"covariates": follow(self.covariates), "strata": follow(self.strata)}
        kept["units"] = follow(self.units)
        treatment = new.get(self.treatment, self.treatment)
        return self.model_copy(update={"treatment": treatment, "outcomes": outcomes, **kept})


class Entry(BaseModel):
    """One dataset of the catalogue; data/README.md explains every key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # where it comes from: one of path, url, recipe
    path: str | None = None
    url: str | None = None
    query: str | None = None
    recipe: Literal["rand_hie", "planted"] | None = None
    parameters: dict[str, Any] = {}
    sheet: str | None = None
    separator: str | None = Field(None, min_length=1, max_length=1)
    encoding: str | None = None
    decimal: Literal[".", ","] | None = None
    day_first: bool | None = None
    # what its columns are for
    target: str | None = None
    task: Literal["binary", "multiclass", "regression"] | None = None
    positive: str | int | float | bool | None = None
    groups: str | None = None
    time: str | None = None
    weights: str | None = None
    amounts: str | None = None
    drop: list[str] | dict[str, str] = []
    sensitive: list[str] = []
    missing_values: list[Any] | dict[str, list[Any]] = []
    columns: dict[str, Column | str] = {}
    # how it is judged and described
    gains: dict[str, float] | None = None
    costs: dict[str, dict[str, float]] | None = None
    capacity: float | None = Field(None, gt=0)
    policy: Policy | None = None
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    split: SplitChoice = SplitChoice()
    design: DesignChoice | None = None
    trial: Trial | None = None
    description: str = ""
    licence: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Entry:
        if sum(place is not None for place in (self.path, self.url, self.recipe)) != 1:
            raise ValueError("give exactly one of path, url (with query) and recipe")
        return self

    @model_validator(mode="after")
    def _stakes(self) -> Entry:
        check_gains(self.gains or {})
        if self.costs is not None:
            check_costs(self.costs)
            if set(self.gains or {}) - {"uncertainty"}:
                raise ValueError("give gains or costs, not both")
        if (self.gains or {}).get("amount_share") and self.amounts is None:
            raise ValueError("gains.amount_share needs amounts, the column that it is a share of")
        if self.capacity is not None and self.capacity > 1 and self.capacity % 1:
            raise ValueError(
                f"capacity {self.capacity:g} is neither a share up to 1 nor a number of rows"
            )
        return self

    def column(self, own_name: str) -> Column:
        """Return what is said about a column, which may be nothing.

        Parameters
        ----------
        own_name : str
            As in the table.

        Returns
        -------
        Column
            With its description when only that was given.
        """
        said = self.columns.get(own_name, Column())
        return Column(description=said) if isinstance(said, str) else said

    def without_target(self) -> Entry:
        """Return the entry without what only holds for its own target.

        Returns
        -------
        Entry
            Its task, positive class, design and all that is said about money are open again.
        """
        gone = ("task", "positive", "gains", "costs", "capacity", "policy", "design")
        return self.model_copy(update=dict.fromkeys(gone))


def list_datasets(config: Config | None = None) -> list[str]:
    """Return the names in the catalogue, in its order.

    Parameters
    ----------
    config : Config, optional
        Says where the catalogue is; `load_config()` by default.

    Returns
    -------
    list of str
        Each can be given to `load_data`.

    Examples
    --------
    >>> "rand_hie" in list_datasets()
    True
    """
    return list(_tables((config or load_config()).catalog_path))


def find_entry(name: str, config: Config) -> Entry | None:
    """Return the catalogue's entry of this name, and record that it was read.

    Parameters
    ----------
    name : str
        Of a dataset.
    config : Config
        Says where the catalogue is.

    Returns
    -------
    Entry or None
        None when the catalogue has no such name.

    Raises
    ------
    InputError
        When the entry has an unknown key or a value that does not fit.

    Examples
    --------
    >>> find_entry("wine", load_config()).path
    'sklearn:wine'
    """
    table = _tables(config.catalog_path).get(name)
    if table is None:
        return None
    entry = _checked(name, table)
    record_source(f"{CATALOG_PREFIX}{config.catalog_path}#{name}", hash_entry(table))
    return entry


def find_name_of_path(path: Path, config: Config) -> str | None:
    """Return the name under which the catalogue has this file.

    Parameters
    ----------
    path : Path
        Of an existing file.
    config : Config
        Says where the catalogue is.

    Returns
    -------
    str or None
        None when no entry has it.
    """
    for name, table in _tables(config.catalog_path).items():
        written = table.get("path")
        if isinstance(written, str) and locate(written, config) == path.resolve():
            return name
    return None


def locate(written: str, config: Config) -> Path | None:
    """Return the file that a path means: from the working directory, then the project's root.

    Parameters
    ----------
    written : str
        Relative or absolute; `~` is the home folder.
    config : Config
        Its root is the second place.

    Returns
    -------
    Path or None
        Absolute; None when neither place has it.

    Examples
    --------
    >>> locate("data/catalog.toml", load_config()).name
    'catalog.toml'
    """
    try:
        path = Path(written).expanduser()
        for place in (Path.cwd() / path, config.root / path):
            if place.exists():
                return place.resolve()
    except (OSError, ValueError, RuntimeError):  # too long, NUL, or an unknown ~user
        return None
    return None


def _tables(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}. Mend that line.") from error
    stray = [key for key, value in content.items() if not isinstance(value, dict)]
    if stray:
        raise InputError(
            f"'{stray[0]}' stands outside of any table in {path}: write it below a line "
            "such as [churn] (a dataset) or [study] (the study's choices)."
        )
    return {name: table for name, table in content.items() if name != STUDY}


def _checked(name: str, table: dict[str, Any]) -> Entry:
    try:
        return Entry.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"] if not str(part).startswith("Column")]
        key = ".".join(where)
        if first["type"] == "extra_forbidden":
            homes: dict[str, type[BaseModel]] = {
                "split": SplitChoice,
                "columns": Column,
                "design": DesignChoice,
                "trial": Trial,
                "policy": Policy,
            }
            model = homes.get(where[0], Entry) if len(where) > 1 else Entry
            known = list(model.model_fields)
            hint = suggest(where[-1], known) or f" Known keys: {', '.join(known)}."
            message = f"The catalogue entry [{name}] has an unknown key '{key}'.{hint}"
        elif first["type"] == "value_error":
            message = f"The catalogue entry [{name}]: {first['ctx']['error']}."
        else:
            got = repr(first["input"])
            message = f"The catalogue entry [{name}]: {key} got {got}; {first['msg'].lower()}."
        raise InputError(message) from error
