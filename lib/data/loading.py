"""`load_data`: a name, a path, a database or a frame becomes a Dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import polars as pl

from lib.config import Config, load_config
from lib.data import catalog
from lib.data.building import build_dataset, with_rule
from lib.data.catalog import Entry
from lib.data.dataset import Dataset
from lib.data.frames import from_pandas
from lib.data.names import slug
from lib.data.packaged import SCHEMES, read_packaged
from lib.data.tables import RawTable, listing, shorten, unique_headers
from lib.errors import InputError, suggest

if TYPE_CHECKING:
    from lib.data.planted import PlantedDataset


def load_data(
    name_or_path: str | Path | pd.DataFrame | pl.DataFrame,
    *,
    target: str | None = None,
    config: Config | None = None,
    name: str | None = None,
) -> Dataset:
    """Return a table ready for study, with everything that was inferred or mended.

    Parameters
    ----------
    name_or_path : str, Path or DataFrame
        A name in `data/catalog.toml`; the path of a CSV, TSV, Parquet, Feather, JSON Lines or
        Excel file (from the working directory, then the project's root); `sklearn:NAME`,
        `statsmodels:NAME`, `openml:ID`; a database address; or a pandas or polars frame.
    target : str, optional
        The target's own name; wins over the catalogue. By default a customary name, else the
        last column, and `roles` says so.
    config : Config, optional
        Paths and currency; `load_config()` by default.
    name : str, optional
        Of a frame's dataset; "frame" by default.

    Returns
    -------
    Dataset
        See `roles` and `repairs` for what to correct in the catalogue.

    Raises
    ------
    InputError
        When there is no such table, or it cannot be studied: one sentence.

    Examples
    --------
    >>> load_data("wine").summary()
    '178 rows × 13 features; 3 classes of target'
    >>> load_data("wne")
    Traceback (most recent call last):
    lib.errors.InputError: There is no dataset or file 'wne'. ... Did you mean 'wine'?
    """
    config = config or load_config()
    if isinstance(name_or_path, pd.DataFrame | pl.DataFrame):
        raw = _from_frame(name_or_path)
        entry = Entry(path="frame", source="a data frame")
        return build_dataset(slug(name or "frame"), raw, entry, config, target=target)
    found_name, entry = _find(str(name_or_path), config)
    if entry.recipe == "planted":
        return _planted(found_name, entry, config, target)
    raw = _read(entry, config)
    return build_dataset(found_name, raw, entry, config, target=target)


def _find(written: str, config: Config) -> tuple[str, Entry]:
    """Return the dataset's name and entry; a path gets an entry made up of itself."""
    entry = catalog.find_entry(written, config)
    if entry is not None:
        return written, entry
    scheme = written.partition(":")[0]
    if scheme in SCHEMES and ":" in written:
        return slug(written.partition(":")[2]), Entry(path=written)
    if "://" in written:
        if scheme in {"http", "https", "ftp", "s3", "gs"}:
            raise InputError(
                f"'{written.partition('?')[0]}' is an address on the network: download the file "
                "into data/raw/ and give its path."
            )
        return slug(written.rpartition("/")[2].partition("?")[0]), Entry(url=written)
    path = catalog.locate(written, config)
    if path is None:
        raise InputError(_unknown(written, config))
    known = catalog.find_name_of_path(path, config)
    if known is not None:
        entry = catalog.find_entry(known, config)
        if entry is not None:
            return known, entry
    return slug(path.stem), Entry(path=str(path))


def _unknown(written: str, config: Config) -> str:
    known = catalog.list_datasets(config)
    shown = shorten(written, 200)
    if Path(written[:200]).suffix or "/" in written or "\\" in written:
        parent = Path(written[:1000]).expanduser().parent
        siblings = []
        for folder in (Path.cwd() / parent, config.root / parent):
            if folder.is_dir():
                siblings += [item.name for item in folder.iterdir() if item.is_file()]
        bases = " or ".join(dict.fromkeys([str(Path.cwd()), str(config.root)]))
        return (
            f"There is no file '{shown}', seen from {bases}: "
            f"check the path.{suggest(Path(written[:1000]).name, siblings)}"
        )
    return (
        f"There is no dataset or file '{shown}'. The catalogue has {listing(known, 20)}; "
        f"a file needs its ending, such as data/raw/churn.csv.{suggest(written, known)}"
    )


def _read(entry: Entry, config: Config) -> RawTable:
    if entry.recipe == "rand_hie":
        from lib.data.rand_hie import read_rand_hie  # noqa: PLC0415 - one dataset's own recipe

        return read_rand_hie()
    if entry.url is not None:
        from lib.data.sql import read_sql  # noqa: PLC0415 - SQLAlchemy only for who asks

        return read_sql(entry.url, entry.query, config)
    written = entry.path or ""
    if written.partition(":")[0] in SCHEMES and ":" in written:
        return read_packaged(written)
    path = catalog.locate(written, config)
    if path is None:
        raise InputError(_unknown(written, config))
    from lib.data.files import read_file  # noqa: PLC0415 - pyarrow only for who reads files

    return read_file(path, entry)


def _from_frame(frame: pd.DataFrame | pl.DataFrame) -> RawTable:
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise InputError(
            f"The frame has {frame.shape[0]} rows and {frame.shape[1]} columns: "
            "expected at least one row and two columns."
        )
    if isinstance(frame, pd.DataFrame):
        return from_pandas(frame)
    names, repairs = unique_headers(frame.columns)
    levels = {
        column: tuple(dtype.categories.to_list())
        for column, dtype in frame.schema.items()
        if isinstance(dtype, pl.Enum)
    }
    return RawTable(frame.rename(dict(zip(frame.columns, names, strict=True))), repairs, levels)


def _planted(name: str, entry: Entry, config: Config, target: str | None) -> PlantedDataset:
    from lib.data.planted import make_planted  # noqa: PLC0415 - it builds on Dataset

    if target not in {None, "target"}:
        raise InputError(f"Target column '{target}' is not in '{name}': its target is 'target'.")
    try:
        planted = make_planted(**entry.parameters)
    except TypeError as error:
        raise InputError(f"The catalogue entry [{name}]: {error}; see make_planted.") from error
    description = entry.description or planted.description
    named = replace(planted, name=name, description=description, reports=config.reports)
    return replace(named, rule=with_rule(named, entry).rule)
