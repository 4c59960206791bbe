"""Bad tables: each is read as a careful person would, or refused in one sentence."""

import gzip
import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lib.config import Config
from lib.data import load_data
from lib.errors import InputError


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return a project without catalogue, in an empty folder."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    return Config(root=tmp_path)


def write(folder, name, content):
    """Return the path of a new file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(header, line, n=30):
    """Return a table of `n` rows; `{i}` counts them, `{k}` alternates between a and b."""
    lines = [line.format(i=i, k="ab"[i % 2], x=i % 7) for i in range(n)]
    return "\n".join([header, *lines]) + "\n"


GOOD = rows("size,shape,y", "{i}.5,{k}{x},{k}")


# ── refused ──────────────────────────────────────────────────────────────────────────────────
REFUSED = {
    "empty file": ("t.csv", b"", r"t\.csv is empty \(0 bytes\): expected CSV"),
    "only blank lines": ("t.csv", b"\n \n\n", r"t\.csv is empty: expected a header"),
    "only a mark of byte order": ("t.csv", b"\xef\xbb\xbf", r"t\.csv is empty"),
    "header only": ("t.csv", "a,b,y\n", r"has a header \('a', 'b', 'y'\) but no rows"),
    "one class": ("t.csv", rows("a,y", "{i},yes"), r"Target 'y' .* is 'yes' in all 30 rows"),
    "no target value": ("t.csv", rows("a,y", "{i},"), r"Target 'y' .* has no value in any of 30"),
    "one column": ("t.csv", "y\n1\n2\n", r"has the one column 'y': expected a target and"),
    "pickle named csv": ("t.csv", pickle.dumps([1, 2]), r"is a Python pickle, which runs code"),
    "pickle by ending": ("t.pkl", pickle.dumps([1], protocol=0), r"is a Python pickle"),
    "web page": ("t.csv", "<!DOCTYPE html>\n<html><b>404", r"is a web page \(HTML\)"),
    "web page with mark": ("t.csv", b"\xef\xbb\xbf\n <html>", r"is a web page \(HTML\)"),
    "pdf": ("t.csv", b"%PDF-1.7 ...", r"is a PDF"),
    "lfs pointer": ("t.csv", "version https://git-lfs.github.com/spec/v1\n", r"Git LFS pointer"),
    "binary": ("t.csv", b"a,b\n1,\x00\x01\x02\n", r"holds binary data, not text"),
    "bad excel": ("t.xlsx", b"PK\x03\x04 no workbook", r"is not a readable Excel workbook"),
    "bad parquet": ("t.parquet", b"PAR1 cut off", r"is not readable Parquet"),
    "bad feather": ("t.feather", b"ARROW1 cut off", r"is not readable Feather"),
    "bad json": ("t.jsonl", b'{"a": 1}\n{"a": ', r"is not readable JSON Lines"),
    "cut gzip": ("t.csv.gz", gzip.compress(GOOD.encode())[:40], r"damaged gzip file"),
    "long line": ("t.csv", GOOD + "1,2,3,4\n", r"Line 32 of t\.csv has 4 cells where .* has 3"),
    "cut line": ("t.csv", GOOD + "1,2", r"Line 32 of t\.csv has 2 cells where .* has 3"),
    "open quote": ("t.csv", GOOD + '"1,2,3\n4,5,6\n', r"Line 32 of t\.csv has 1 cell where"),
    "text of all different": (
        "t.csv",
        rows("a,note", "{x},remark {i}"),
        r"Target 'note' has 30 different values in 30 rows; expected a number, or at most",
    ),
    "dates as target": ("t.csv", rows("a,y", "{x},2024-01-{i:02d}", 9), r"a date|holds dates"),
    "no feature": ("t.csv", rows("id,y", "{i},{k}"), r"has no feature beside the target 'y'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_is_one_sentence_with_a_way_out(case, tmp_path, config):
    """What is no table, or poses no question, is refused by name and without a traceback."""
    name, content, expected = REFUSED[case]
    if isinstance(content, str):
        content = content.replace("2024-01-00", "2024-01-31")
    path = write(tmp_path, name, content)
    with pytest.raises(InputError, match=expected) as error:
        load_data(path, config=config)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_wrong_path_names_the_near_file(tmp_path, config):
    """A misspelt file name is answered with the one that exists."""
    write(tmp_path, "churn.csv", GOOD)
    with pytest.raises(InputError, match=r"There is no file .*Did you mean 'churn\.csv'\?"):
        load_data(tmp_path / "chrun.csv", config=config)


def test_wrong_target_names_the_near_column(tmp_path, config):
    """A target in another case is answered with the right spelling."""
    path = write(tmp_path, "t.csv", rows("size,Churn", "{i},{k}"))
    with pytest.raises(InputError, match=r"Target column 'churn' is not in 't'.*mean 'Churn'\?"):
        load_data(path, target="churn", config=config)


def test_folder_is_no_file(tmp_path, config):
    """A folder is refused, and what is in it is named."""
    write(tmp_path, "a.csv", GOOD)
    with pytest.raises(InputError, match=r"is a folder: give a file in it; it has 'a\.csv'"):
        load_data(tmp_path, config=config)


@pytest.mark.parametrize("name", ["no_such", "x" * 5000, "a\x00b", "~nobody/x.csv", "", "…"])
def test_any_unknown_name_is_a_sentence(name, config):
    """Hostile names end in the sentence too, never in an operating-system error."""
    with pytest.raises(InputError):
        load_data(name, config=config)


def test_address_on_the_network_is_not_fetched(config):
    """Data from the network are the user's to fetch; a key in the address is not repeated."""
    with pytest.raises(InputError, match="download the file") as error:
        load_data("https://example.org/x.csv?key=secret", config=config)
    assert "secret" not in str(error.value)


# ── read, and said ───────────────────────────────────────────────────────────────────────────
READ = {
    "semicolons": ("t.csv", rows("a;y", "{i}.5;{k}"), "(table)", "separator", "semicolon"),
    "tabulators": ("t.csv", rows("a\ty", "{i}.5\t{k}"), "(table)", "separator", "tabulator"),
    "bars": ("t.txt", rows("a|y", "{i}.5|{k}"), "(table)", "separator", "bar"),
    "decimal comma": ("t.csv", rows("a;y", "{i},5;{k}"), "(table)", "decimal comma", "1,5"),
    "latin-1": (
        "t.csv",
        rows("Größe,y", "{i}.5,{k}").encode("latin-1"),
        "(table)",
        "encoding",
        "read as windows-1252",
    ),
    "utf-16": ("t.csv", GOOD.encode("utf-16"), "(table)", "encoding", "read as utf-16"),
    "old Mac line ends": ("t.csv", GOOD.replace("\n", "\r"), "(table)", "line ends", "return"),
    "gzip": ("t.csv.gz", gzip.compress(GOOD.encode()), "(table)", "compression", "gzip"),
    "single quotes": ("t.csv", rows("'a','y'", "'{x},0','{k}'"), "(table)", "quotes", "single"),
    "trailing comma": ("t.csv", rows("a,y", "{i}.5,{k},"), "(table)", "trailing separator", "ends"),
    "row names of R": ("t.csv", rows("a,y", "r{i},{i}.5,{k}"), "(table)", "row names", "one cell"),
    "no header": ("t.csv", rows("5.1,3.5,a", "{i}.1,{x}.4,{k}"), "(table)", "no header", "first"),
    "duplicate names": ("t.csv", rows("a,a,y", "{i},{x},{k}"), "a_2", "duplicate name", "second"),
    "blank name": ("t.csv", rows("a,,y", "{i},{x},{k}"), "column_2", "blank name", "no name"),
    "blanks among numbers": (
        "t.csv",
        rows("a,y", "{i},{k}") + " ,a\n  ,b\n",
        "a",
        "numbers as text",
        "2 cells hold only spaces",
    ),
    "question marks": ("t.csv", rows("a,y", "{i},{k}") + "?,a\n", "a", "missing marks", "'?'"),
    "NA among numbers": ("t.csv", rows("a,y", "{i},{k}") + "NA,a\n", "a", "missing marks", "'NA'"),
    "a typing error": (
        "t.csv",
        rows("a,y", "{i},{k}") + "1O,a\n",
        "a",
        "unreadable numbers",
        "'1O'",
    ),
    "thousands": ("t.csv", rows("a,y", '"1,{i:03d}",{k}'), "a", "numbers as text", "thousands"),
    "money": ("t.csv", rows("a,y", "${i}.50,{k}"), "a", "numbers as text", "unit '$' removed"),
    "amounts": ("t.csv", rows("a,y", "EUR {i},{k}"), "a", "numbers as text", "unit 'EUR' removed"),
    "percent": ("t.csv", rows("a,y", "{i}%,{k}"), "a", "numbers as text", "unit '%' removed"),
    "too large": ("t.csv", rows("a,y", "{i},{k}") + "1e400,a\n", "a", "infinite values", "large"),
    "infinity": ("t.csv", rows("a,y", "{i},{k}") + "inf,a\n", "a", "infinite values", "infinite"),
    "sentinel": ("t.csv", rows("a,y", "{x},{k}") + "-999,a\n" * 3, "a", "noticed", "-999 may"),
    "Namibia": (
        "t.csv",
        rows("land,y", "DE,{k}") + "NA,a\nFR,b\n",
        "land",
        "noticed",
        "'NA' kept as a value",
    ),
    "none may be an answer": (
        "t.csv",
        rows("a,y", "none,{k}") + "some,a\n",
        "a",
        "noticed",
        "'none' may stand for nothing",
    ),
    "codes": ("t.csv", rows("zip,y", "0012{x},{k}"), "zip", "noticed", "leading zeros"),
    "day or month": (
        "t.csv",
        rows("day,a,y", "0{x}/0{x}/2024,{i},{k}").replace("00/00", "08/09"),
        "day",
        "order of dates",
        "no value tells day from month",
    ),
    "day first": (
        "t.csv",
        rows("day,a,y", "{i:02d}/02/2024,{i},{k}", 29).replace("00/02", "14/02"),
        "day",
        "order of dates",
        "read as day/month/year: 17 values have a day above 12",
    ),
    "bad date": (
        "t.csv",
        rows("day,a,y", "2024-02-{i:02d},{i},{k}", 29).replace("02-00", "02-30"),
        "day",
        "unreadable dates",
        "'2024-02-30'",
    ),
    "dates as numbers": (
        "t.csv",
        rows("date,a,y", "202401{i:02d},{i},{k}").replace("20240100", "20240131"),
        "date",
        "dates as numbers",
        "YYYYMMDD",
    ),
    "no target": ("t.csv", GOOD + "1,a,\n2,b,\n", "(table)", "dropped rows", "without a value"),
    "a class of one": ("t.csv", GOOD + "9,a,c\n", "y", "noticed", "'c': classes of a single row"),
}


@pytest.mark.parametrize("case", READ)
def test_repair_is_said(case, tmp_path, config):
    """Everything that reading mended or doubted is a row of `repairs`."""
    name, content, column, repair, detail = READ[case]
    dataset = load_data(write(tmp_path, name, content), target=None, config=config)
    found = dataset.repairs[
        (dataset.repairs["column"] == column) & (dataset.repairs["repair"] == repair)
    ]
    assert len(found) == 1, dataset.repairs.to_string()
    assert detail in found["detail"].item()
    assert dataset.target in {"y", "a", "column_3"}


def test_plain_table_needs_no_repair(tmp_path, config):
    """An ordinary CSV is read without a word."""
    assert load_data(write(tmp_path, "t.csv", GOOD), config=config).repairs.empty


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_same_table_in_every_dress(separator, encoding, end, tmp_path, config):
    """Separator, encoding and line ends never change what is read."""
    text = rows("größe,form,y", "{i}.5,{k} é,{k}")
    dressed = text.replace(",", separator).replace("\n", end).encode(encoding)
    dataset = load_data(write(tmp_path, "t.csv", dressed), config=config)
    assert list(dataset.labels.values()) == ["größe", "form"]
    assert dataset.X["grosse"].tolist() == [i + 0.5 for i in range(30)]
    assert dataset.X["form"].cat.categories.tolist() == ["a é", "b é"]


def test_numbers_keep_their_value_in_european_dress(tmp_path, config):
    """1.234,5 is one thousand two hundred thirty-four and a half; 1.234 likewise, whole."""
    lines = "".join(f"{i},5;1.00{i};{'ab'[i % 2]}\n" for i in range(9))
    path = write(tmp_path, "t.csv", f"price;count;y\n{lines}1.234,5;1.234;a\n")
    X = load_data(path, config=config).X
    assert X["price"].tolist()[-2:] == [8.5, 1234.5]
    assert X["count"].tolist()[-2:] == [1008, 1234]


def test_quoted_cells_hold_anything(tmp_path, config):
    """Separators, quotes and line ends inside quotes are part of the text."""
    lines = "".join(f'"a, ""{i % 2}""\nnext",{i},{"ab"[i % 2]}\n' for i in range(30))
    dataset = load_data(write(tmp_path, "t.csv", f'"te\nxt",n,y\n{lines}'), config=config)
    assert dataset.labels == {"te_xt": "te\nxt", "n": "n"} or "n" not in dataset.labels
    assert dataset.X["te_xt"].cat.categories.tolist() == ['a, "0"\nnext', 'a, "1"\nnext']


def test_codes_keep_their_zeros(tmp_path, config):
    """A postcode is text, whatever its digits."""
    path = write(tmp_path, "t.csv", rows("zip,a,y", "0012{x},{i}.5,{k}"))
    dataset = load_data(path, config=config)
    assert dataset.X["zip"].cat.categories[0] == "00120"


def test_large_whole_numbers_are_exact(tmp_path, config):
    """Whole numbers beyond 2**53 do not pass through floating point."""
    path = write(tmp_path, "t.csv", rows("big,a,y", "900719925474099{x},{i}.5,{k}"))
    X = load_data(path, config=config).X
    assert X["big"].tolist()[:3] == [9007199254740990, 9007199254740991, 9007199254740992]


def test_category_of_numbers_stays_a_number(tmp_path, config):
    """A column of few whole numbers is not turned into a category."""
    dataset = load_data(write(tmp_path, "t.csv", rows("a,b,y", "{x},{i}.5,{k}")), config=config)
    assert dataset.numeric == ["a", "b"]
    assert dataset.X["a"].dtype == "int64"


def test_text_becomes_category_or_free_text(tmp_path, config):
    """Few values make a category, many different ones free text."""
    path = write(tmp_path, "t.csv", rows("kind,note,y", "{k},remark {i} with words,{k}", 50))
    dataset = load_data(path, config=config)
    assert (dataset.categorical, dataset.text) == (["kind"], ["note"])
    assert dataset.X["note"].dtype == "str"


def test_typed_dress_reads_the_same(tmp_path, config):
    """Parquet, Feather, JSON Lines, Excel and a frame give the values that CSV gives."""
    frame = pd.DataFrame(
        {
            "size": [i + 0.5 for i in range(30)],
            "kind": [f"k{i % 3}" for i in range(30)],
            "when": pd.date_range("2024-01-01", periods=30),
            "y": ["a", "b"] * 15,
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    frame.to_feather(tmp_path / "t.feather")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True, date_format="iso")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    expected = load_data(tmp_path / "t.csv", config=config)
    for other in ("t.parquet", "t.feather", "t.jsonl", "t.xlsx"):
        dataset = load_data(tmp_path / other, config=config)
        assert dataset.fingerprint == expected.fingerprint, other
    assert load_data(frame, config=config).fingerprint == expected.fingerprint
    polars_frame = pl.from_pandas(frame)
    assert load_data(polars_frame, config=config).fingerprint == expected.fingerprint


def test_parquet_named_csv_is_read_and_said(tmp_path, config):
    """Contents decide, not the ending; the disagreement is a repair."""
    pl.DataFrame({"a": range(30), "b": [0.5, 1.5] * 15, "y": ["a", "b"] * 15}).write_parquet(
        tmp_path / "t.csv"
    )
    dataset = load_data(tmp_path / "t.csv", config=config)
    assert dataset.repairs["detail"].tolist() == ["named .csv, but its contents are parquet"]


def test_first_sheet_is_taken_and_said(tmp_path, config):
    """A workbook of several sheets says which was read."""
    frame = pd.DataFrame({"a": range(0, 60, 2), "y": ["a", "b"] * 15})
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        frame.to_excel(book, sheet_name="one", index=False)
        frame.to_excel(book, sheet_name="two", index=False)
    dataset = load_data(tmp_path / "t.xlsx", config=config)
    assert "read 'one', the first of 'one', 'two'" in dataset.repairs["detail"].item()


def test_nested_values_are_left_out_and_said(tmp_path, config):
    """A list in a cell is no table; the column is named, the rest is read."""
    lines = [{"a": i + 0.5, "tags": [1, 2], "y": "ab"[i % 2]} for i in range(30)]
    path = write(tmp_path, "t.jsonl", "\n".join(map(json.dumps, lines)))
    dataset = load_data(path, config=config)
    assert list(dataset.X) == ["a"]
    assert dataset.repairs["repair"].tolist() == ["nested values"]
    assert "empty" in set(dataset.roles["role"])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.array([1, None, 3] * 10, dtype="Int64"), "numeric"),
        (pd.array([True, None, False] * 10, dtype="boolean"), "numeric"),
        ([True, False, True] * 10, "numeric"),
        (pd.to_timedelta(range(30), unit="h"), "numeric"),
        (pd.date_range("2024-01-01", periods=30, tz="Europe/Berlin"), "datetimes"),
        (pd.period_range("2024-01", periods=30, freq="M"), "datetimes"),
        (pd.Categorical(["lo", "hi", None] * 10, categories=["lo", "mid", "hi"]), "categorical"),
        ([1, "x", 2.5] * 10, "categorical"),
        (["1", "2", "3"] * 10, "numeric"),
        ([np.float32(0.5)] * 29 + [np.inf], "numeric"),
    ],
)
def test_frame_columns_of_any_type(values, kind, config):
    """Every dtype of pandas arrives as one of the four kinds."""
    frame = pd.DataFrame({"c": values, "a": np.arange(30) / 2, "y": ["a", "b"] * 15})
    dataset = load_data(frame, config=config)
    assert "c" in getattr(dataset, kind), dataset.X.dtypes
    dataset.fingerprint  # noqa: B018 - must not raise


def test_order_of_categories_survives(config):
    """A pandas categorical keeps its order, not the alphabet's."""
    sizes = pd.Categorical(["lo", "hi", "mid"] * 10, categories=["lo", "mid", "hi"])
    frame = pd.DataFrame({"c": sizes, "y": ["a", "b"] * 15})
    assert load_data(frame, config=config).X["c"].cat.categories.tolist() == ["lo", "mid", "hi"]


def test_argument_is_not_changed(config):
    """Loading a frame leaves it as it was."""
    frame = pd.DataFrame({"c": [" 1", "?"] * 15, "y": ["a", "b"] * 15})
    before = frame.copy(deep=True)
    load_data(frame, config=config)
    pd.testing.assert_frame_equal(frame, before)


def test_letters_before_leading_zeros_are_a_code():
    """PAL0708 names a study of 2007; EUR 708 would be an amount."""
    frame = pd.DataFrame({"study": ["PAL0708", "PAL0809", "PAL0910"] * 40, "y": [0, 1] * 60})
    dataset = load_data(frame, target="y", name="codes")
    assert dataset.repairs.empty
    assert str(dataset.X["study"].dtype) == "category"
