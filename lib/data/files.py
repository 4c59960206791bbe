"""Files of every kind, recognised by their contents rather than by their ending."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import polars as pl

from lib.data.catalog import Entry
from lib.data.delimited import read_delimited
from lib.data.sources import record_source
from lib.data.tables import WHOLE, RawTable, Repair, listing, shorten, unique_headers
from lib.errors import InputError, suggest

_TABLE_KINDS = "CSV, TSV, Parquet, Feather, JSON Lines or Excel"
_ENDINGS = {
    "parquet": (".parquet", ".pq"),
    "feather": (".feather", ".arrow", ".ipc"),
    "excel": (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"),
    "json": (".json", ".jsonl", ".ndjson"),
}
_PICKLES = (".pkl", ".pickle", ".joblib")


def read_file(path: Path, entry: Entry) -> RawTable:
    """Read a file by what it contains.

    Parameters
    ----------
    path : Path
        Absolute.
    entry : Entry
        Options of reading.

    Returns
    -------
    RawTable
        Says when contents and ending disagree.

    Raises
    ------
    InputError
        When it holds no table we read; pickles are never opened, as opening one runs its code.
    """
    if path.is_dir():
        names = sorted(item.name for item in path.iterdir() if item.is_file())
        inside = f"; it has {listing(names)}" if names else ""
        raise InputError(f"'{path}' is a folder: give a file in it{inside}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be read ({error.strerror}): check its rights."
        ) from error
    record_source(str(path), hashlib.sha256(content).hexdigest())
    if not content:
        raise InputError(f"{path.name} is empty (0 bytes): expected {_TABLE_KINDS}.")
    kind = recognise(path, content)
    if kind == "database":
        return _read_database(path, entry, content)
    readers: dict[str, Callable[[Path, bytes, Entry], RawTable]] = {
        "parquet": _read_parquet,
        "feather": _read_feather,
        "excel": _read_excel,
        "json": _read_json,
        "text": read_delimited,
    }
    table = readers[kind](path, content, entry)
    suffix = path.suffix.lower()
    own = kind in _ENDINGS and suffix in _ENDINGS[kind]
    claimed = [known for known, endings in _ENDINGS.items() if suffix in endings]
    if not own and (kind in _ENDINGS or claimed):
        detail = f"named {suffix or 'without ending'}, but its contents are {kind}"
        table.repairs.insert(0, Repair(WHOLE, "file kind", 1, detail))
    return table


def recognise(path: Path, content: bytes) -> str:
    """Return what a file's contents are.

    Parameters
    ----------
    path : Path
        For messages.
    content : bytes
        Its beginning suffices.

    Returns
    -------
    {"parquet", "feather", "excel", "json", "text", "database"}

    Raises
    ------
    InputError
        For everything that is no table, by name.

    Examples
    --------
    >>> recognise(Path("x.csv"), b"PAR1...")
    'parquet'
    """
    head = content[:64]
    start = content[:2048].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if content.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"FEA1")):
        return "feather"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "excel"
    if head.startswith((b"SQLite format 3\x00",)) or head[8:12] == b"DUCK":
        return "database"
    is_pickle = head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}
    refusals = (
        (
            is_pickle or path.suffix.lower() in _PICKLES,
            "a Python pickle, which runs code when it is opened",
        ),
        (start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")), "a web page (HTML)"),
        (start.startswith(b"<?xml"), "XML"),
        (head.startswith(b"%PDF"), "a PDF"),
        (head.startswith(b"\x89HDF"), "an HDF5 file"),
        (start.startswith(b"version https://git-lfs"), "a Git LFS pointer, not the file itself"),
        (head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")), "a picture"),
        (head.startswith((b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!")), "an archive"),
    )
    for refused, what in refusals:
        if refused:
            raise InputError(
                f"{path.name} is {what}: expected {_TABLE_KINDS}; export the table to one of these."
            )
    if start.startswith((b"{", b"[")) and start[1:2] not in {b",", b";"}:
        return "json"
    return "text"


def _read_parquet(path: Path, content: bytes, entry: Entry) -> RawTable:
    del entry
    return _typed(path, "Parquet", lambda: pl.read_parquet(io.BytesIO(content)))


def _read_feather(path: Path, content: bytes, entry: Entry) -> RawTable:
    del entry

    def read() -> pl.DataFrame:
        from pyarrow import feather  # noqa: PLC0415 - only for who reads Feather

        frame = pl.from_arrow(feather.read_table(io.BytesIO(content)))
        assert isinstance(frame, pl.DataFrame)
        return frame

    return _typed(path, "Feather", read)


def _read_json(path: Path, content: bytes, entry: Entry) -> RawTable:
    del entry
    lines = content.lstrip().startswith(b"{")
    read = pl.read_ndjson if lines else pl.read_json
    words = "JSON Lines (one object a line)" if lines else "JSON (a list of objects)"
    return _typed(path, words, lambda: read(io.BytesIO(content), infer_schema_length=None))


def _read_excel(path: Path, content: bytes, entry: Entry) -> RawTable:
    import fastexcel  # noqa: PLC0415 - only for who reads Excel

    try:
        book = fastexcel.read_excel(content)
        sheets = list(book.sheet_names)
    except Exception as error:  # calamine's errors share no class
        raise InputError(
            f"{path.name} is not a readable Excel workbook "
            f"({shorten(str(error).splitlines()[0], 80)}): save it as .xlsx or CSV again."
        ) from error
    if entry.sheet is not None and entry.sheet not in sheets:
        raise InputError(
            f"{path.name} has no sheet '{entry.sheet}', only {listing(sheets)}."
            f"{suggest(entry.sheet, sheets)}"
        )
    sheet = entry.sheet or sheets[0]
    rows = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
    if rows.height == 0:
        raise InputError(f"Sheet '{sheet}' of {path.name} is empty: give another with sheet.")
    headers = ["" if cell is None else str(cell) for cell in rows.row(0)]
    names, repairs = unique_headers(headers)
    typed = (
        book.load_sheet(sheet, header_row=None, skip_rows=1).to_polars()
        if rows.height > 1
        else rows[:0]
    )
    frame = typed.rename(dict(zip(typed.columns, names, strict=True)))
    if len(sheets) > 1 and entry.sheet is None:
        detail = (
            f"read '{sheet}', the first of {listing(sheets)}; sheet in the catalogue changes it"
        )
        repairs.append(Repair(WHOLE, "sheet", 1, detail))
    return RawTable(frame, repairs)


def _read_database(path: Path, entry: Entry, content: bytes) -> RawTable:
    from lib.data.sql import read_database_file  # noqa: PLC0415 - only for who reads databases

    driver = "sqlite" if content.startswith(b"SQLite") else "duckdb"
    return read_database_file(driver, path, entry.query)


def _typed(path: Path, what: str, read: Callable[[], pl.DataFrame]) -> RawTable:
    """Return a table from a reader of typed columns, its failure in one sentence."""
    try:
        frame = read()
    except Exception as error:  # polars and pyarrow raise many classes for a damaged file
        reason = shorten(str(error).splitlines()[0] if str(error) else type(error).__name__, 100)
        raise InputError(
            f"{path.name} is not readable {what} ({reason}): get or export the file anew."
        ) from error
    if frame.width == 0:
        raise InputError(f"{path.name} has no columns: expected a target and features.")
    levels = {
        column: tuple(dtype.categories.to_list())
        for column, dtype in frame.schema.items()
        if isinstance(dtype, pl.Enum)
    }
    levels |= {
        column: tuple(frame[column].cast(pl.String).unique().drop_nulls().sort().to_list())
        for column, dtype in frame.schema.items()
        if dtype == pl.Categorical
    }
    names, repairs = unique_headers(frame.columns)
    return RawTable(frame.rename(dict(zip(frame.columns, names, strict=True))), repairs, levels)
