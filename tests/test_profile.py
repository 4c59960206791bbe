"""Profiles say what is in a table, whatever it holds, as a page of one file and a text that diffs."""

import datetime as dt
import os
import re
import subprocess
import sys
from difflib import unified_diff
from html.parser import HTMLParser

import nbconvert.filters
import numpy as np
import pandas as pd
import polars as pl
import pytest

from lib import profile, statistics
from lib.config import project_root
from lib.data import make_planted
from lib.errors import InputError

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title>",
    "a|b\nc",
    "*b* _i_ `c` [l](javascript:alert(1)) $x$ ~~s~~",
    "&lt;i&gt;",
    "\x1b[31mred\x07",
    "ab\u202etxt.exe",
    "💶 " + "x" * 5_000,
    "",
    " ",
    "# head",
    "a\u2028b",
    "\\",
]


def make_table() -> pd.DataFrame:
    """Return forty rows of everything: numbers, gaps, dates, levels, text, lists, infinities."""
    rng = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2024-01-01", periods=40))
    return pd.DataFrame(
        {
            "age": np.arange(1.0, 41.0),
            "income": np.where(np.arange(40) < 10, np.nan, 12_345.678),
            "plan": ["basic"] * 27 + ["plus"] * 12 + [None],
            "since": days,
            "zoned": days.dt.tz_localize("Europe/Berlin"),
            "waited": pd.to_timedelta(np.arange(40), unit="min"),
            "note": [f"{'word ' * (i + 1)}{i}" for i in range(40)],
            "member": [True, False] * 20,
            "ratio": [np.inf, -np.inf, 0.5, 0.25] * 10,
            "tags": [[i % 2] for i in range(40)],
            "nothing": [None] * 40,
            "same": 7,
            "noise": rng.normal(size=40),
        }
    )


def cells(table: pd.DataFrame, column: str) -> dict[str, str]:
    """Return the words on one column."""
    rows = profile.profile_table(table).set_index("column")
    return rows.loc[column].to_dict()


def text_rows(text: str) -> list[list[str]]:
    """Return the cells of the Markdown table of a text profile, as a reader of it splits them."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[2:]]


class Tags(HTMLParser):
    """Collects the tags of a page and what they refer to."""

    def __init__(self):
        super().__init__()
        self.names, self.references, self.handlers = [], [], []

    def handle_starttag(self, tag, attrs):
        """Note one tag."""
        self.names.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}:
                self.references.append(value or "")
            if name.startswith("on"):
                self.handlers.append(value)


# ── The table and the text ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("age", ("numeric", "0 %", 40, "20 (10 … 30)", "1 … 40")),
        ("income", ("numeric", "25 %", 1, "12,346 (12,346 … 12,346)", "12,346 … 12,346")),
        ("plan", ("categorical", "2 %", 2, "basic 69 %, plus 31 %", "")),
        (
            "since",
            (
                "datetime",
                "0 %",
                40,
                "2024-01-20 (2024-01-10 … 2024-01-30)",
                "2024-01-01 … 2024-02-09",
            ),
        ),
        ("waited", ("datetime", "0 %", 40, "1,140 s (540 s … 1,740 s)", "0 s … 2,340 s")),
        ("note", ("categorical", "0 %", 40, None, "")),
        ("member", ("numeric", "0 %", 2, "0 (0 … 1)", "0 … 1")),
        ("ratio", ("numeric", "0 %", 4, "0.25 (-inf … 0.5)", "-inf … inf")),
        ("tags", ("categorical", "0 %", 2, "[0] 50 %, [1] 50 %", "")),
        ("nothing", ("empty", "100 %", 0, "", "")),
        ("same", ("constant", "0 %", 1, "7 100 %", "")),
    ],
)
def test_each_column_is_put_in_words(column, expected):
    """Known contents give the words that a person would write down."""
    seen = cells(make_table(), column)
    for given, wanted in zip(seen.values(), expected, strict=True):
        assert wanted is None or given == wanted


def test_free_text_is_told_by_its_length():
    """Beyond fifty distinct values only lengths are shown, no text of a person."""
    table = pd.DataFrame({"note": ["secret " + "x" * i for i in range(60)]})
    seen = cells(table, "note")
    assert (seen["typical"], seen["range"]) == ("36 characters", "7 … 66 characters")
    assert "secret" not in profile.profile_text(table, title="Notes")


@pytest.mark.parametrize(
    ("n_missing", "words"), [(0, "0 %"), (1, "< 0.5 %"), (999, "> 99.5 %"), (1_000, "100 %")]
)
def test_none_and_all_are_only_said_of_none_and_all(n_missing, words):
    """One gap in a thousand does not round to none."""
    column = [None] * n_missing + [1.5] * (1_000 - n_missing)
    assert cells(pd.DataFrame({"x": column}), "x")["missing"] == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(9_999.6, "10,000"), (9_999.4, "9,999"), (0.000123456, "0.0001235"), (1e300, "1e+300")],
)
def test_numbers_are_short_and_readable(value, words):
    """Four digits, thousands separated, no power of ten where none is needed."""
    assert cells(pd.DataFrame({"x": [value, 0.0]}), "x")["range"] == f"0 … {words}"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_task_has_a_profile_with_a_row_a_column(task):
    """Rows follow the table's columns, and the counts on top are those of pandas."""
    data = make_planted(200, task=task, missing=0.1)
    table = data.X.assign(**{data.target: statistics.target_in_words(data)})
    text = profile.profile_text(table, title=data.name)
    names = [row[0].strip() for row in text_rows(text)]
    n_missing, n_cells = int(table.isna().sum().sum()), table.size
    assert names == list(table.columns)
    assert f"columns: {table.shape[1]}; missing cells: {n_missing} of {n_cells:,};" in text


def test_hostile_names_and_values_stay_in_their_cells():
    """Whatever a name or a value holds, the table keeps its shape and nothing becomes markup."""
    table = pd.DataFrame(dict.fromkeys(HOSTILE, HOSTILE))
    text = profile.profile_text(table, title=HOSTILE[0])
    assert [len(row) for row in text_rows(text)] == [6] * len(HOSTILE)
    assert len(text.splitlines()) == 6 + len(HOSTILE)
    assert all(mark.isprintable() or mark == "\n" for mark in text)
    assert max(len(line) for line in text.splitlines()) < 500


def test_hostile_names_render_as_text():
    """A Markdown renderer shows the names: no link, no emphasis, no tag of theirs."""
    names = [name for name in HOSTILE if len(name) < 100]
    text = profile.profile_text(pd.DataFrame({name: [1.0, 2.0] for name in names}), title=names[4])
    tags = Tags()
    tags.feed(nbconvert.filters.markdown2html(text))
    allowed = {"h1", "p", "table", "thead", "tbody", "tr", "th", "td"}
    headings = {"a"}  # the anchor that the renderer gives a heading
    assert set(tags.names) <= allowed | headings
    assert all(reference.startswith("#") for reference in tags.references)
    assert tags.names.count("tr") == 1 + len(names)


def test_equal_tables_give_equal_bytes_whatever_the_hash_seed():
    """Text is the same twice, and in processes that hash strings differently."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_profile as t; "
        "from lib import profile; sys.stdout.buffer.write("
        "profile.profile_text(t.make_table(), title='Everything').encode())"
    )
    here = profile.profile_text(make_table(), title="Everything")
    assert here == profile.profile_text(make_table(), title="Everything")
    command = [sys.executable, "-c", program, str(project_root() / "tests")]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(project_root())}
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        assert done.stdout.decode() == here


def test_a_change_in_one_column_changes_one_line():
    """A diff points at what changed: one cell of one column is one line."""
    before, after = make_table(), make_table()
    after.loc[0, "age"] = 99.0
    texts = [profile.profile_text(table, title="T").splitlines() for table in (before, after)]
    changed = [line for line in unified_diff(*texts, lineterm="", n=0) if re.match(r"[-+]\|", line)]
    assert len(changed) == 2
    assert all("age" in line for line in changed)


def test_the_order_of_rows_does_not_matter():
    """Shuffled rows and another index are the same table to a reader."""
    shuffled = make_table().sample(frac=1, random_state=1).set_index("noise", drop=False)
    assert profile.profile_table(shuffled).equals(profile.profile_table(make_table()))


def test_polars_and_pandas_give_the_same_text():
    """The library that read the table leaves no trace."""
    values = {
        "x": [1, 2, None, 4],
        "level": ["a", None, "b", "a"],
        "day": [dt.date(2024, 1, day) for day in (1, 2, 3, 4)],
        "is_new": [True, None, False, True],
    }
    pandas = pd.DataFrame(values).astype({"day": "datetime64[ms]"})
    texts = {
        profile.profile_text(table, title="T")
        for table in (pandas, pl.DataFrame(values), pl.DataFrame(values).lazy())
    }
    assert len(texts) == 1


@pytest.mark.parametrize("n_rows", [0, 1])
def test_tables_of_no_or_one_row_have_a_profile(n_rows):
    """Every column is listed, also when it holds nothing."""
    table = make_table().head(n_rows)
    text = profile.profile_text(table, title="Short")
    assert f"Rows: {n_rows};" in text
    assert len(text_rows(text)) == table.shape[1]


def test_repeated_rows_are_counted_with_lists_in_cells():
    """Each repetition counts, the first appearance does not."""
    table = pd.DataFrame({"a": [1, 1, 1, 2], "b": [[0], [0], [1], [0]]})
    assert profile.count_repeated_rows(table) == 1
    assert profile.count_repeated_rows(pd.DataFrame({"a": [1, 1, 1]})) == 2


@pytest.mark.parametrize("make", [profile.profile_table, profile.count_repeated_rows])
def test_what_is_no_table_is_refused(make):
    """The error says what was expected."""
    with pytest.raises(InputError, match="Expected a table"):
        make(3)


# ── The page ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def hostile_page() -> str:
    """Return the page of a table whose names and values attack it, and of everything else."""
    attacks = pd.DataFrame(dict.fromkeys(HOSTILE, (HOSTILE * 3)[:40]))
    return profile.profile_page(pd.concat([make_table(), attacks], axis=1), title=HOSTILE[0])


def test_the_page_is_one_file_without_remote_references(hostile_page):
    """Nothing is loaded from elsewhere: no source, link, style or import but the page itself."""
    tags = Tags()
    tags.feed(hostile_page)
    assert "link" not in tags.names
    assert "iframe" not in tags.names
    assert [r for r in tags.references if not r.startswith(("#", "data:"))] == []
    assert not re.search(r"@import|url\(\s*['\"]?(https?:|//)", hostile_page)
    assert not re.search(r"\b(fetch|XMLHttpRequest|importScripts|sendBeacon)\s*\(", hostile_page)
    assert hostile_page.count("<html") == 1


def test_the_page_shows_hostile_names_as_text(hostile_page):
    """No tag, handler or script of a name or value comes alive; every column has its card."""
    tags = Tags()
    tags.feed(hostile_page)
    assert not [handler for handler in tags.handlers if handler and "alert" in handler]
    assert "<script>alert" not in hostile_page
    assert "<img src=x" not in hostile_page
    assert "&lt;script&gt;alert(1)" in hostile_page
    for name in make_table().columns:
        assert name in hostile_page


def test_the_page_says_that_rows_and_columns_were_left_out():
    """A capped page names the rows it shows and all there are; a whole one claims no sample."""
    table = pd.DataFrame({"x": range(300)})
    assert "Long (50 of 300 rows, sampled)" in profile.profile_page(
        table, title="Long", max_rows=50
    )
    assert "sampled" not in profile.profile_page(table, title="Whole").split("</title>")[0]


def test_a_sampled_page_shows_the_same_rows_twice():
    """The draw is seeded: the values on two pages are the same, another seed shows others."""
    table = pd.DataFrame({"x": np.random.default_rng(0).normal(size=300)})

    def values(seed: int) -> list[str]:
        page = profile.profile_page(table, title="T", max_rows=20, random_state=seed)
        return re.findall(r'data-value-repr="([^"]*)"', page)

    first = values(0)
    assert first == values(0)
    assert first
    assert first != values(1)


@pytest.mark.parametrize("table", [pd.DataFrame({"a": []}), pd.DataFrame({"a": [None, None]})])
def test_a_page_of_nothing_is_still_a_page(table):
    """No rows or no values do not stop it."""
    assert "Nothing here" in profile.profile_page(table, title="Nothing here")
