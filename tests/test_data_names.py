"""Names that travel: any text becomes a name that no package misreads."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.names import MAX_LENGTH, safe_names, slug
from lib.data.tables import unique_headers

SAFE = re.compile(r"[a-z][a-z0-9_]*")


@settings(deadline=None)
@given(st.lists(st.text(max_size=60) | st.sampled_from(["$", "a", "A", "", "\x00", "😀"])))
def test_any_names_become_safe_and_unique(columns):
    """Whatever the columns are called: ASCII snake_case, unique, at most 40 characters."""
    names = safe_names(columns)
    assert len(names) == len(columns) == len(set(names))
    assert all(SAFE.fullmatch(name) and len(name) <= MAX_LENGTH for name in names)


def test_five_thousand_characters_many_times():
    """Names that only differ beyond the 40th character stay apart."""
    names = safe_names(["x" * 5_000 + str(i) for i in range(150)])
    assert len(set(names)) == 150
    assert max(map(len, names)) == MAX_LENGTH


def test_signs_keep_columns_apart():
    """Columns that differ by a sign get names that say which is which."""
    assert safe_names(["Gain ($)", "Gain (%)", "Gain"]) == ["gain_usd", "gain_percent", "gain"]


@settings(deadline=None)
@given(st.text(max_size=80))
def test_slug_is_a_plain_folder_name(text):
    """A dataset's name never leaves the reports folder."""
    assert SAFE.fullmatch(slug(text))


@settings(deadline=None)
@given(st.lists(st.text(max_size=5)))
def test_headers_become_unique(headers):
    """Blank and repeated headers get names of their own; good ones keep theirs."""
    names, _ = unique_headers(headers)
    assert len(names) == len(set(names)) == len(headers)
    assert all(names)
    first = {header.strip(): i for i, header in reversed(list(enumerate(headers)))}
    assert all(names[i] == header for header, i in first.items() if header)
