"""Tables from databases by address and query: SQLite, PostgreSQL, DuckDB and what SQLAlchemy knows.

Secrets (user, password, options of the address) never reach a message, a record or a page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lib.config import Config
from lib.data import catalog
from lib.data.sources import file_hash, record_source
from lib.data.tables import RawTable, Repair, listing, shorten, unique_headers
from lib.errors import InputError

_FILE_DRIVERS = {"sqlite", "duckdb"}


def read_sql(address: str, query: str | None, config: Config) -> RawTable:
    """Read the result of a query.

    Parameters
    ----------
    address : str
        Such as `sqlite:///data/raw/x.db` or `postgresql://user:${PASSWORD}@host/base`; names in
        `${…}` come from the environment, so that no secret stands in the catalogue.
    query : str or None
        One SELECT; may be absent when the database has one table only.
    config : Config
        Where relative paths of files begin.

    Returns
    -------
    RawTable
        Columns as the query names them.

    Raises
    ------
    InputError
        When the database cannot be reached or the query fails; without secrets.
    """
    url = _parsed(address)
    if url.get_backend_name() in _FILE_DRIVERS and url.database not in {None, "", ":memory:"}:
        path = catalog.locate(str(url.database), config)
        if path is None or not path.is_file():
            raise InputError(
                f"There is no database file '{url.database}' for {public_address(url)}, neither "
                f"from {Path.cwd()} nor from {config.root}: check the path in the url."
            )
        return read_database_file(url.get_backend_name(), path, query)
    _check_query(query)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return _with_sqlalchemy(url, query)


def read_database_file(driver: str, path: Path, query: str | None) -> RawTable:
    """Read the result of a query on a database in a file, which is opened for reading only.

    Parameters
    ----------
    driver : {"sqlite", "duckdb"}
        What the file is.
    path : Path
        Of an existing file.
    query : str or None
        One SELECT; may be absent when the file has one table only.

    Returns
    -------
    RawTable
        Columns as the query names them.

    Raises
    ------
    InputError
        When the file is no such database or the query fails.
    """
    _check_query(query)
    record_source(str(path), file_hash(path))
    if driver == "duckdb":
        return _with_duckdb(path, query)
    # as_uri quotes what a path may hold; mode=ro creates nothing and changes nothing
    return _with_sqlalchemy(
        URL.create(
            "sqlite", database=f"file:{path.as_uri()[7:]}", query={"mode": "ro", "uri": "true"}
        ),
        query,
        shown=f"sqlite:///{path.name}",
    )


def public_address(url: URL) -> str:
    """Return an address without user, password and options.

    Parameters
    ----------
    url : URL
        As SQLAlchemy parses it.

    Returns
    -------
    str
        Driver, host and database.

    Examples
    --------
    >>> public_address(make_url("postgresql://me:secret@db.example.org:5432/shop?sslkey=k"))
    'postgresql://db.example.org:5432/shop'
    """
    return str(URL.create(url.drivername, host=url.host, port=url.port, database=url.database))


def _parsed(address: str) -> URL:
    missing = [name for name in re.findall(r"\$\{(\w+)\}", address) if name not in os.environ]
    if missing:
        raise InputError(
            f"The database address needs the environment variable {missing[0]}, which is not set: "
            "export it before the run."
        )
    expanded = re.sub(r"\$\{(\w+)\}", lambda match: os.environ[match[1]], address)
    try:
        return make_url(re.sub(r"^postgres://", "postgresql://", expanded))
    except (ArgumentError, ValueError):
        raise InputError(
            "The database address is not understood (not shown, as it may hold a password): "
            "expected driver://user:password@host/database or sqlite:///path."
        ) from None


def _check_query(query: str | None) -> None:
    """Refuse all but one reading statement."""
    if query is None:
        return
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL).strip().rstrip(";")
    if not re.match(r"(?i)(select|with|from|values)\b", bare) or ";" in re.sub(
        r"'[^']*'", "", bare
    ):
        raise InputError(
            f"The query '{shorten(query, 60)}' is not one SELECT: the study only reads."
        )


def _with_sqlalchemy(url: URL, query: str | None, *, shown: str | None = None) -> RawTable:
    shown = shown or public_address(url)
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        if url.get_backend_name() == "postgresql":
            engine = engine.execution_options(postgresql_readonly=True)
        with engine.connect() as connection:
            if query is None:
                tables = sqlalchemy.inspect(connection).get_table_names()
                query = _only_table(tables, shown, connection.dialect.identifier_preparer.quote)
            result = connection.exec_driver_sql(query)  # as written: colons are no parameters
            headers, rows = list(result.keys()), result.fetchall()
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise _failure(error, shown, url) from None  # the chain would show the address
    if url.get_backend_name() != "sqlite":
        record_source(shown, None)
    return _from_rows(headers, rows)


def _with_duckdb(path: Path, query: str | None) -> RawTable:
    shown = f"duckdb:///{path.name}"
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path.name} is a DuckDB database: pip install 'ml-research[sql]' reads it."
        ) from error
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            if query is None:
                tables = [row[0] for row in connection.execute("show tables").fetchall()]
                query = _only_table(tables, shown, lambda name: '"' + name.replace('"', '""') + '"')
            table: Any = connection.sql(query).to_arrow_table()
    except duckdb.Error as error:
        raise _failure(error, shown, None) from None
    names, repairs = unique_headers(table.column_names)
    frame = pl.from_arrow(table.rename_columns(names))
    assert isinstance(frame, pl.DataFrame)
    return RawTable(frame, repairs)


def _only_table(tables: Sequence[str], shown: str, quote: Any) -> str:
    if len(tables) != 1:
        found = listing(sorted(tables), 12) if tables else "no table"
        raise InputError(
            f"{shown} has {found}: write a catalogue entry with url and query to choose."
        )
    return f"select * from {quote(tables[0])}"  # noqa: S608 - quoted by the dialect


def _failure(error: Exception, shown: str, url: URL | None) -> InputError:
    """Return a sentence about a failed query, freed of every secret of the address."""
    original = getattr(error, "orig", None) or error
    reason = " ".join(str(original).split()) or type(original).__name__
    secrets = [url.password, url.username, *map(str, url.query.values())] if url else []
    for secret in sorted((str(s) for s in secrets if s), key=len, reverse=True):
        reason = reason.replace(secret, "***")
    if isinstance(error, ModuleNotFoundError):
        reason = f"{reason}; pip install 'ml-research[sql]' brings PostgreSQL's driver"
    return InputError(f"Reading from {shown} failed: {shorten(reason, 200)}.")


def _from_rows(headers: Sequence[str], rows: Sequence[Any]) -> RawTable:
    names, repairs = unique_headers(headers)
    if not rows:
        return RawTable(pl.DataFrame({name: [] for name in names}), repairs)
    columns = []
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        try:
            columns.append(pl.Series(name, values, strict=True))
        except (TypeError, pl.exceptions.PolarsError):
            # SQLite lets one column hold numbers and texts
            texts = [None if value is None else str(value) for value in values]
            columns.append(pl.Series(name, texts, dtype=pl.String))
            kinds = sorted({type(value).__name__ for value in values if value is not None})
            if set(kinds) - {"int", "float", "Decimal"}:
                detail = f"held {', '.join(kinds)}; read as text first"
                repairs.append(Repair(name, "mixed types", len(values), detail))
    return RawTable(pl.DataFrame(columns), repairs)
