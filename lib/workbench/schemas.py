"""Accept a proposed schema: from the last run's report to the files that people review."""

from __future__ import annotations

from pathlib import Path

from lib.config import Config
from lib.data.catalog import find_entry
from lib.data.names import slug
from lib.errors import InputError

PROPOSAL = "attachments/schema.toml"  # in the report of 02


def accept_schema(config: Config) -> str:
    """Copy the schema that the last run of 02 proposed to `data/schemas/`, and say so.

    Parameters
    ----------
    config : Config
        The dataset, and where reports and schemas lie.

    Returns
    -------
    str
        What was done, and what comes next.

    Raises
    ------
    InputError
        When there is no proposal.
    """
    written = config.dataset
    name = written if find_entry(written, config) is not None else slug(Path(written).stem)
    proposals = sorted((config.reports / name).glob(f"02_*/{PROPOSAL}"))
    if not proposals:
        raise InputError(
            f"There is no proposed schema of {name}; make it with: "
            f"nox -s run_analyses -- 02 --dataset {written}"
        )
    target = config.root / "data" / "schemas" / f"{name}.toml"
    proposed = proposals[0].read_text(encoding="utf-8")
    known = target.read_text(encoding="utf-8") if target.is_file() else None
    shown = target.relative_to(config.root).as_posix()
    if known == proposed:
        return f"{shown} is already as proposed."
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(proposed, encoding="utf-8")
    verb = "replaces what was there (git diff shows it)" if known is not None else "is new"
    return f"{shown} {verb}: review it and commit it; 02 enforces it from now on."
