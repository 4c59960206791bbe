"""Databases: read, never written; secrets never shown."""

import hashlib
import os
import sqlite3

import pytest

from lib.config import Config
from lib.data import forget_sources, load_data, loaded_sources
from lib.errors import InputError

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return a project with a catalogue of one database."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    (tmp_path / "data").mkdir()
    return Config(root=tmp_path)


@pytest.fixture
def sqlite(tmp_path):
    """Return a SQLite file with a table of sales and one of shops."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table sales (amount real, shop text, mixed, late text)")
        rows = [(i + 0.5, f"s{i % 3}", [1, "two"][i % 2], "yn"[i % 2]) for i in range(40)]
        connection.executemany("insert into sales values (?, ?, ?, ?)", rows)
    connection.close()
    return path


def entry(config, url, query=None):
    """Write a catalogue of one database."""
    lines = ["[sales]", f'url = "{url}"', 'target = "late"']
    lines += [f"query = '''{query}'''"] if query else []
    config.catalog_path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    "query",
    [
        None,
        "select * from sales",
        "select * from sales;",
        "-- a remark\nwith s as (select * from sales) select * from s",
    ],
)
def test_sqlite_by_relative_address(query, sqlite, config):
    """The address of a file begins at the working directory or the project's root."""
    entry(config, "sqlite:///shop.db", query)
    before = hashlib.sha256(sqlite.read_bytes()).hexdigest()
    dataset = load_data("sales", config=config)
    assert list(dataset.X) == ["amount", "shop", "mixed"]
    assert dataset.X["amount"].sum() == 800
    assert "mixed types" in set(dataset.repairs["repair"])
    assert hashlib.sha256(sqlite.read_bytes()).hexdigest() == before


def test_database_file_by_path(sqlite, config):
    """A file that is a database is read as one, whatever its ending."""
    path = sqlite.rename(sqlite.with_suffix(".csv"))
    assert len(load_data(path, target="late", config=config)) == 40


def test_file_database_can_be_compared(sqlite, config):
    """The runner may skip work on a database file that did not change."""
    entry(config, "sqlite:///shop.db")
    forget_sources()
    load_data("sales", config=config)
    assert all(source.sha256 for source in loaded_sources())


@pytest.mark.parametrize(
    "query",
    [
        "delete from sales",
        "select 1; drop table sales",
        "update sales set amount = 0",
        "create table x as select 1",
    ],
)
def test_only_reading_queries_run(query, sqlite, config):
    """What would write is refused before a connection is made."""
    entry(config, "sqlite:///shop.db", query)
    with pytest.raises(InputError, match="is not one SELECT: the study only reads"):
        load_data("sales", config=config)


def test_semicolon_inside_a_text_is_no_second_statement(sqlite, config):
    """Colons, percent signs and semicolons in a literal are left alone."""
    entry(config, "sqlite:///shop.db", "select *, ';:x%' as c, amount as b from sales")
    assert "b" in load_data("sales", config=config).X


FAILURES = {
    "no file": ("sqlite:///none.db", None, r"There is no database file 'none\.db'"),
    "no table": ("sqlite:///shop.db", "select * from nope", r"failed: no such table: nope"),
    "bad address": ("sqlite//x:hunter2@y", None, r"The database address is not understood|no file"),
    "unset secret": ("postgresql://u:${NOT_SET_X}@h/b", "select 1", r"variable NOT_SET_X"),
    "no server": (
        "postgresql://u:hunter2@127.0.0.1:9/b?connect_timeout=1&sslpassword=hunter2",
        "select 1",
        r"Reading from postgresql\+psycopg://127\.0\.0\.1:9/b failed",
    ),
    "no driver": ("oracle://u:hunter2@h/b", "select 1", r"Reading from oracle://h/b failed"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failure_is_one_sentence_without_secrets(case, sqlite, config):
    """A failed query names the database, never the password."""
    url, query, expected = FAILURES[case]
    entry(config, url, query)
    with pytest.raises(InputError, match=expected) as error:
        load_data("sales", config=config)
    assert "hunter2" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__cause__ is None
    assert not list(config.root.glob("none.db"))


def test_several_tables_need_a_query(sqlite, config):
    """Which table to take is not guessed."""
    with sqlite3.connect(sqlite) as connection:
        connection.execute("create table shops (name text)")
    connection.close()
    entry(config, "sqlite:///shop.db")
    with pytest.raises(InputError, match=r"has 'sales', 'shops': write a catalogue entry"):
        load_data("sales", config=config)


def test_empty_result_is_one_sentence(sqlite, config):
    """A query without rows is said."""
    entry(config, "sqlite:///shop.db", "select * from sales where amount < 0")
    with pytest.raises(InputError, match="has columns but no rows"):
        load_data("sales", config=config)


def test_duckdb(tmp_path, config):
    """DuckDB files are read, by address and by path, with their types."""
    duckdb = pytest.importorskip("duckdb", reason="the extra 'duckdb' is not installed")
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table sales as select i * 0.5 as amount, date '2024-01-01' + i::int as day, "
            "case when i % 2 = 0 then 'y' else 'n' end as late from range(40) t(i)"
        )
    entry(config, "duckdb:///shop.duckdb", "select * from sales")
    dataset = load_data("sales", config=config)
    assert (dataset.numeric, dataset.datetimes) == (["amount"], ["day"])
    assert load_data(path, target="late", config=config).fingerprint == dataset.fingerprint
    entry(config, "duckdb:///shop.duckdb", "select * from nope")
    with pytest.raises(InputError, match=r"Reading from duckdb:///shop\.duckdb failed"):
        load_data("sales", config=config)


@pytest.mark.skipif(not POSTGRES, reason="TEST_POSTGRES_URL names no server")
def test_postgres(config):
    """PostgreSQL is read inside a read-only transaction."""
    entry(
        config,
        POSTGRES,
        "select i::numeric / 2 as amount, i % 2 = 0 as late, 'x:' || (i % 3) as k "
        "from generate_series(1, 40) as i",
    )
    dataset = load_data("sales", config=config)
    assert dataset.numeric == ["amount"]
    assert dataset.task == "binary"
    entry(config, POSTGRES, "with x as (select 1) select pg_catalog.set_config('a.b', 'c', false)")
    with pytest.raises(InputError):
        load_data("sales", config=config)
