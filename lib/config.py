"""What the user chooses: dataset, seed, effort, budgets, currency; and where things lie.

Values come from, in rising order of precedence, the defaults below, the `[study]` table of
`data/catalog.toml`, and environment variables `STUDY_<NAME>` (which the command line sets for
the analyses it starts: `nox -s run_analyses -- --dataset wine` is `STUDY_DATASET=wine`).
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lib.errors import InputError, suggest

ENVIRONMENT_PREFIX = "STUDY_"
EFFORTS = ("quick", "standard", "thorough")


class Budget(BaseModel):
    """How much work an effort buys: counts only, so that results repeat on any machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_splits: int = Field(5, ge=2, description="folds of a cross-validation")
    n_repeats: int = Field(1, ge=1, description="repeats of a cross-validation")
    n_resamples: int = Field(1_000, ge=50, description="bootstrap or permutation resamples")
    n_trials: int = Field(40, ge=1, description="tuning trials")
    max_epochs: int = Field(60, ge=1, description="passes of a network over its rows")
    max_rows: int = Field(100_000, ge=100, description="training rows of any one fit")
    max_rows_slow: int = Field(4_000, ge=100, description="rows for methods of quadratic cost")


BUDGETS = {
    "quick": Budget(
        n_splits=3,
        n_resamples=200,
        n_trials=10,
        max_epochs=8,
        max_rows=5_000,
        max_rows_slow=1_000,
    ),
    "standard": Budget(),
    "thorough": Budget(
        n_splits=10,
        n_repeats=3,
        n_resamples=5_000,
        n_trials=100,
        max_epochs=100,
        max_rows=1_000_000,
        max_rows_slow=10_000,
    ),
}


class Config(BaseModel):
    """The choices of one study.

    Attributes
    ----------
    dataset : str
        A name in the catalogue, or the path of a file.
    target : str or None
        Target column; only for a path that has no catalogue entry.
    effort : {"quick", "standard", "thorough"}
        Which `Budget` applies.
    seed : int
        Seed of every model and resample (the test set has its own, in the catalogue).
    currency : str
        ISO 4217 code for amounts without one of their own.
    confidence : float
        Level of every interval.
    budget : Budget
        Counts; single ones can be overridden in `[study.budget]`.
    root : Path
        The project's folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = "rand_hie"
    target: str | None = None
    effort: Literal["quick", "standard", "thorough"] = "standard"
    seed: int = Field(0, ge=0, lt=2**32)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    confidence: float = Field(0.95, gt=0.5, lt=1)
    budget: Budget = Budget()
    root: Path

    @property
    def catalog_path(self) -> Path:
        """The catalogue of datasets."""
        return self.root / "data" / "catalog.toml"

    @property
    def reports(self) -> Path:
        """The folder of everything generated; ignored by git."""
        return Path(os.environ.get(ENVIRONMENT_PREFIX + "REPORTS") or self.root / "reports")

    @property
    def analyses(self) -> Path:
        """The folder of the analyses."""
        return self.root / "analyses"

    @property
    def committed_findings(self) -> Path:
        """The folder of the findings that git keeps."""
        return self.analyses / "findings"

    def fingerprint(self) -> str:
        """Return 16 hex digits that change when a choice that affects results changes.

        Examples
        --------
        >>> a = Config(root=Path("/a"), seed=1).fingerprint()
        >>> a == Config(root=Path("/b"), seed=1).fingerprint()
        True
        >>> a == Config(root=Path("/a"), seed=2).fingerprint()
        False
        """
        choices = self.model_dump(mode="json", exclude={"root"})
        return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:16]


@cache
def project_root() -> Path:
    """Return the folder that holds `data/catalog.toml` and `pyproject.toml`.

    It is the parent of the `lib` package, whatever the working directory.

    Returns
    -------
    Path
        An absolute path.

    Examples
    --------
    >>> (project_root() / "pyproject.toml").is_file()
    True
    """
    return Path(__file__).resolve().parent.parent


def load_config(**overrides: Any) -> Config:
    """Return the choices of this study from catalogue, environment and `overrides`.

    Parameters
    ----------
    **overrides : object
        Values that win over all other sources, by `Config` attribute name.

    Returns
    -------
    Config
        Checked and frozen.

    Raises
    ------
    InputError
        When a name is unknown or a value does not fit.

    Examples
    --------
    >>> load_config(dataset="wine", effort="quick").budget.n_splits
    3
    """
    root = project_root()
    chosen = {**study_table(root), **_environment(), **overrides}
    effort = chosen.get("effort", "standard")
    if effort not in BUDGETS:
        msg = f"effort must be one of {', '.join(EFFORTS)}; got '{effort}'."
        raise InputError(msg + suggest(str(effort), EFFORTS))
    own_budget = chosen.pop("budget", {})
    if isinstance(own_budget, Budget):
        own_budget = own_budget.model_dump()
    budget = {**BUDGETS[effort].model_dump(), **own_budget}
    try:
        return Config.model_validate({"root": root, **chosen, "budget": budget})
    except ValidationError as error:
        raise InputError(_one_sentence(error)) from error


def default_dataset(config: Config) -> str:
    """Return the dataset whose findings are committed: the catalogue's, whatever was chosen.

    Examples
    --------
    >>> default_dataset(load_config())
    'rand_hie'
    """
    return str(study_table(config.root).get("dataset", Config.model_fields["dataset"].default))


def study_table(root: Path) -> dict[str, Any]:
    """Return the `[study]` table of the catalogue: what git keeps is made with it.

    Parameters
    ----------
    root : pathlib.Path
        Top of the repository.

    Returns
    -------
    dict
        Settings by name; {} without a catalogue.

    Raises
    ------
    InputError
        When the file is not valid TOML.

    Examples
    --------
    >>> study_table(project_root())["dataset"]
    'rand_hie'
    """
    path = root / "data" / "catalog.toml"
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            return dict(tomllib.load(file).get("study", {}))
    except tomllib.TOMLDecodeError as error:
        msg = f"data/catalog.toml is not valid TOML: {error}. Mend that line."
        raise InputError(msg) from error


def _environment() -> dict[str, str]:
    names = (name for name in Config.model_fields if name not in {"budget", "root"})
    values = {name: os.environ.get(ENVIRONMENT_PREFIX + name.upper(), "") for name in names}
    return {name: value for name, value in values.items() if value}


def _one_sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = [*Config.model_fields, *Budget.model_fields]
        return f"There is no setting '{where}'.{suggest(str(first['loc'][-1]), known)}"
    return f"Setting '{where}' got {first['input']!r}: {first['msg'].lower()}."
