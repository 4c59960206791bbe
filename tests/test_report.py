"""Findings read well, are recorded whole, and treat names and cells as data."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib import report
from lib.config import Config
from lib.errors import InputError
from lib.estimates import Estimate
from lib.report import text
from lib.report.parse import parse_findings
from lib.report.record import Record
from lib.report.tables import LINE_WIDTH, Table

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
]

EXPECTED = """\
# 11 · Baseline models

Dataset toy (data feedc0de), standard effort, seed 0.

## Does any model win?

- The best is ridge: 0.772 [0.760, 0.784].
- **Warning:** 3 columns are constant.

**Scores**

| model    |      auc |
| :------- | -------: |
| ridge    |    0.772 |

## Values

| name         |    value |      low |     high | kind     |
| :----------- | -------: | -------: | -------: | :------- |
| auc          |   0.7721 |   0.7604 |   0.7838 | estimate |
| best         |    ridge |          |          | text     |
| n_constant   |        3 |          |          | count    |
"""


@pytest.fixture
def config(tmp_path, monkeypatch) -> Config:
    """Return choices whose reports are a fresh folder; no record is under way."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    monkeypatch.setattr(Record, "current", None)
    return Config(root=tmp_path, dataset="toy")


@pytest.fixture
def record(config, tmp_path) -> Record:
    """Begin a record as the runner does."""
    return report.start_record(
        analysis="11_baseline_models",
        title="# 11 · Baseline models",
        dataset={"name": "toy", "fingerprint": "feedc0de"},
        config=config,
        folder=tmp_path / "toy" / "11_baseline_models",
    )


def test_values_read_as_a_person_writes_them(capsys):
    """Counts get separators, floats four digits, estimates their interval; a spec wins."""
    auc = Estimate(0.7721, 0.7604, 0.7838)
    said = report.finding(
        "{auc}; {n} rows; {x}; {share:.1%}; {ok}; {auc2:.2f}; {best}.",
        auc=auc, n=np.int64(14_266), x=np.float64(1 / 3), share=0.0909, ok=True, auc2=auc, best="ridge",
    )  # fmt: skip
    assert said == "0.772 [0.760, 0.784]; 14,266 rows; 0.3333; 9.1%; yes; 0.77 [0.76, 0.78]; ridge."
    assert capsys.readouterr().out == said + "\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (-0.0, "0"), (1e-9, "1e-09"), (1234.5678, "1,235"), (14266.4, "14,266"),
        (1e20, "1e+20"), (math.nan, "n/a"), (-math.inf, "-∞"), (9999.6, "10,000"), (0.1 + 0.2, "0.3"),
    ],
)  # fmt: skip
def test_floats_show_four_digits(value, shown):
    """Digits before the point stay, noise behind the fourth digit goes."""
    assert text.format_number(value) == shown


@pytest.mark.parametrize(
    ("template", "values", "message"),
    [
        ("{aux}", {"auc": 1}, "Placeholder '{aux}'.*no value; given: auc.*Did you mean 'auc'"),
        ("No value.", {"auc": 1}, "no placeholder {auc}"),
        ("{}", {}, "Placeholder '{}'"),
        ("{a.b}", {"a": 1}, "Placeholder"),
        ("{a!r}", {"a": 1}, "Placeholder"),
        ("{a}", {"a": [1]}, "is a list; a finding takes"),
        ("{a}", {"a": None}, "is a NoneType"),
    ],
)
def test_a_sentence_that_does_not_fit_its_values_is_refused(template, values, message):
    """Placeholders and values correspond one to one, and values are of five kinds."""
    with pytest.raises((ValueError, TypeError), match=message):
        report.finding(template, **values)


def test_a_value_name_is_recorded_once(record):
    """Two findings cannot claim one name; a name with an underscore is only shown."""
    report.finding("{n}", n=1)
    report.finding("{_n}", _n=2)
    report.finding("{_n}", _n=3)
    with pytest.raises(ValueError, match="'n' is recorded twice in 11_baseline_models"):
        report.warning("{n}", n=1)
    assert list(record.values) == ["n"]


def test_findings_file_says_what_was_found_in_order(record):
    """The committed file has the origin, sections, sentences, tables, and values by name."""
    report.enter_section("Does any model win?")
    report.finding("The best is {best}: {auc}.", best="ridge", auc=Estimate(0.7721, 0.7604, 0.7838))
    report.warning("{n_constant} columns are constant.", n_constant=3)
    report.table(pd.DataFrame({"model": ["ridge"], "auc": [0.77214]}), title="Scores")
    report.table(pd.DataFrame({"seconds": [1.2]}), title="Times", record=False)
    record.finish({"git_commit": "abc"})
    assert (record.folder / "findings.md").read_text(encoding="utf-8") == EXPECTED


def test_twin_keeps_full_precision_and_provenance(record):
    """The JSON twin repeats every value exactly, with its tolerance class and origin."""
    report.finding("{x} {n}", x=1 / 3, n=7, tolerance="torch")
    report.finding("{bad}", bad=math.nan)
    record.finish({"git_commit": "abc", "mlflow_run_id": "r1"})
    twin = json.loads((record.folder / "findings.json").read_text(encoding="utf-8"))
    assert twin["values"]["x"]["value"] == 1 / 3
    assert [twin["values"][name]["tolerance"] for name in ("x", "n")] == ["torch", "exact"]
    assert twin["values"]["bad"]["value"] == "nan"
    wanted = {"dataset", "data_fingerprint", "effort", "seed", "config_fingerprint", "git_commit"}
    assert wanted | {"packages", "python", "mlflow_run_id"} <= set(twin["provenance"])


def test_two_runs_write_the_same_bytes(config, tmp_path):
    """Findings depend on neither time, place, hash seed nor working directory."""
    code = """
from pathlib import Path
import pandas as pd
from lib import report
from lib.config import Config
record = report.start_record(analysis="11_x", title="11 · X", dataset={"name": "toy", "fingerprint": "1"},
    config=Config(root=Path.cwd()), folder=Path(FOLDER))
report.finding("{a} of {b}", a=1/7, b="é")
report.table(pd.DataFrame({"g": list("ab"), "x": [.1, 2.]}).set_index("g"), title="T")
record.finish({"git_commit": "abc"})
"""
    written = []
    for number, zone in enumerate(["UTC", "Asia/Tokyo"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "TZ": zone}
        head = f"FOLDER = {str(folder)!r}\n"
        subprocess.run([sys.executable, "-c", head + code], check=True, env=environment, cwd=folder)
        written.append((folder / "findings.md").read_bytes())
    assert written[0] == written[1]
    assert b"\r" not in written[0]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_and_cells_stay_data(record, hostile, capsys):
    """Names, cells and values show as they are: no markup, no control characters, one line."""
    frame = pd.DataFrame({hostile: [hostile], "n": [1]})
    report.finding("The value is {v}.", v=hostile)
    report.table(frame, title=hostile)
    record.finish({"git_commit": "abc"})
    markdown = (record.folder / "findings.md").read_text(encoding="utf-8")
    assert "<" not in markdown
    assert max(len(line) for line in markdown.splitlines() if line.startswith("|")) < 700
    parsed = parse_findings(markdown)
    assert parsed.findings == [f"The value is {text.clean(hostile)}."]
    table = next(iter(parsed.tables.values()))
    assert len(table.header) == 2
    assert [len(row) for row in table.rows] == [2]
    page = Table.of(frame, title=hostile).to_html()
    for mark in ("<script", "<img", "</style", "\x1b", "\u202e"):
        assert mark not in page
        assert mark not in markdown
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@given(st.text(max_size=40))
@example("1. first")
@example("- item")
@example("a\u2028b\x85c")
@example("&lt;b&gt; \\| a_b _c_ [x](y) http://x")
def test_any_text_survives_markdown(anything):
    """Whatever a value holds, the committed file gives it back, on one line and without a tag."""
    escaped = text.escape_markdown(anything)
    assert text.unescape_markdown(escaped) == text.clean(anything)
    assert len(escaped.splitlines()) <= 1
    assert not re.search(r"<[a-zA-Z/!?]", escaped)


def test_a_finding_renders_once_in_a_notebook(record):
    """In IPython a finding is displayed as Markdown, and not again as the cell's result."""
    code = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
shell.run_cell("from lib import report")
with capture_output() as got:
    shell.run_cell("report.finding('{a} *is* {b}', a=1, b='x*y*z')", store_history=True)
    shell.run_cell("report.table(__import__('pandas').DataFrame({'<b>': [1]}), 'T')", store_history=True)
assert [sorted(o.data) for o in got.outputs] == [
    ["text/markdown", "text/plain"], ["text/html", "text/plain"]], got.outputs
assert got.outputs[0].data["text/markdown"] == r"1 *is* x\\*y\\*z"
assert "<b>" not in got.outputs[1].data["text/html"]
assert got.stdout.strip() in {"", "Out[1]:"}, got.stdout
with capture_output() as again:
    shell.run_cell("f = report.finding('{a}', a=1)", store_history=True)
    shell.run_cell("f", store_history=True)
assert len(again.outputs) == 2 or "1" in again.stdout, (again.outputs, again.stdout)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_tables_do_not_depend_on_display_options():
    """Twelve wide columns and long cells wrap on a terminal as they do everywhere."""
    frame = pd.DataFrame({f"column_number_{i}": ["x" * 60, "y"] for i in range(12)})
    expected = Table.of(frame, title="T").to_text()
    with pd.option_context("display.max_columns", 2, "display.width", 20, "display.precision", 1):
        assert Table.of(frame, title="T").to_text() == expected
    lines = expected.splitlines()
    assert max(map(len, lines)) <= LINE_WIDTH
    assert "".join(lines).count("x") == 60 * (12 + sum("column_number_0" in s for s in lines) - 1)
    assert sum("column_number_0" in line for line in lines) > 1  # the first column leads each block


def test_table_cells_read_well():
    """Kinds of cells: gaps, booleans, years, small p-values, times, estimates, categories."""
    frame = pd.DataFrame(
        {
            "p": [1e-9, 0.25],
            "n": [20_190, 1987],
            "gap": [1.0, np.nan],
            "flag": [True, None],
            "day": pd.to_datetime(["2026-01-02", None]),
            "score": [Estimate(0.5, 0.4, 0.6), Estimate(0.7, 0.6, 0.8)],
            "kind": pd.Categorical(["a", None]),
        }
    )
    table = Table.of(frame, title="T")
    assert table.rows == [
        ["1e-09", "20,190", "1", "yes", "2026-01-02", "0.500 [0.400, 0.600]", "a"],
        ["0.250", "1987", *[text.MISSING] * 3, "0.700 [0.600, 0.800]", text.MISSING],
    ]
    assert table.numeric == [True, True, True, False, False, True, False]


def test_columns_of_small_numbers_share_their_decimals():
    """A column of small numbers lines up; where sizes differ too much, the tiny keep a power."""
    frame = pd.DataFrame({"gap": [0.0057, 0.00031, -8.3e-06, 0.0], "p": [0.25, 0.0003, 1e-7, 1.0]})
    assert list(zip(*Table.of(frame, title="T").rows, strict=True)) == [
        ("0.00570", "0.00031", "-0.00001", "0.00000"),
        ("0.250", "0.0003", "1e-07", "1.000"),
    ]


def test_long_tables_say_how_much_they_leave_out():
    """Rows beyond the cap are counted; an empty table says so."""
    assert Table.of(pd.DataFrame({"a": range(52)}), title="T").footer == "… and 12 more rows"
    assert Table.of(pd.DataFrame({"a": []}), title="T").footer == "No rows."
    assert "No rows." in Table.of(pd.DataFrame(), title="T").to_text()


def test_indexes_polars_and_repeated_names_are_shown():
    """An index that says something becomes columns; polars frames and repeated names work."""
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"], index=pd.Index(["x"], name="key"))
    assert Table.of(frame, title="T").header == ["key", "a", "a"]
    assert Table.of(pl.DataFrame({"a": [1]}), title="T").rows == [["1"]]
    assert Table.of(pd.Series([1], name="s", index=["r"]), title="T").header == ["", "s"]


def test_values_are_looked_up_as_recorded(record, config):
    """A later analysis gets an earlier one's values with full precision."""
    report.finding("{auc} {n} {best} {bad} {ok}", auc=Estimate(1 / 3, 0.3, 0.4), n=7, best="ridge", bad=math.nan, ok=True)  # fmt: skip
    record.finish({"git_commit": "abc"})
    report.stop_record()
    auc = report.look_up("11", "auc", config=config)
    assert (auc.value, auc.low) == (1 / 3, 0.3)
    assert report.look_up("11_baseline_models", "n", config=config) == 7
    assert report.look_up("11", "best", config=config) == "ridge"
    assert report.look_up("11", "ok", config=config) is True
    assert math.isnan(report.look_up("11", "bad", config=config))


def test_what_cannot_be_looked_up_names_the_way_out(record, config):
    """A missing analysis names its command, a missing value the nearest name."""
    with pytest.raises(InputError, match="nox -s run_analyses -- 30 --dataset toy"):
        report.look_up("30", "auc", config=config)
    report.finding("{auc}", auc=1.0)
    record.finish({"git_commit": "abc"})
    with pytest.raises(InputError, match="Did you mean 'auc'"):
        report.look_up("11", "acu", config=config)


def test_attachments_are_confined_pages_with_safe_names(record, capsys):
    """An attachment gets a policy without network, whatever page it is, and a slug for a name."""
    report.attach(
        "../../My profile.html",
        "<html><head lang='x'><script>1</script></head></html>",
        title="<P>",
    )
    report.attach("part", "<p>fragment</p>", title="Part")
    files = sorted((record.folder / "attachments").iterdir())
    assert [file.name for file in files] == ["my_profile.html", "part.html"]
    for file in files:
        page = file.read_text(encoding="utf-8")
        assert page.index("Content-Security-Policy") < page.index("</head>")
        assert "default-src 'none'" in page
        assert "http" not in page.replace("http-equiv", "")
    assert "attachments/my_profile.html" in capsys.readouterr().out


def test_outside_the_runner_nothing_is_written(config, tmp_path, capsys):
    """A plain script shows its findings and leaves no file."""
    report.finding("{n}", n=1)
    report.attach("a", "<p>", title="A")
    report.enter_section("S")
    assert report.current_record() is None
    assert not [path for path in Path(tmp_path).rglob("*") if path.is_file()]
