"""Pages say what was found first, and show names, cells and outputs as data, never as markup."""

import base64
import io
import json
import re
import time

import numpy as np
import pandas as pd
import pytest
from nbformat import v4
from PIL import Image

from lib import report
from lib.config import Config
from lib.report import cells, markup, pages
from lib.report.record import Record
from lib.report.show import ATTACHMENT_TYPE
from lib.report.tables import Table

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>body{display:none}",
    "<iframe src=javascript:alert(1)></iframe>",
    "<svg onload=alert(1)>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "[x](javascript:alert(1))",
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<p style="position:fixed;background:url(http://evil.example.org)">x</p>',
    '<form action="http://evil.example.org"><input name=a></form>',
    '<meta http-equiv=refresh content="0;url=http://evil.example.org">',
    "<base href=http://evil.example.org>",
    "![x](http://evil.example.org/x.png)",
    '<p class="skip sections" id="content">x</p>',
]
# What must never be live in a page: elements, handlers and addresses that act.
LIVE = re.compile(
    r"<(script|iframe|svg|form|input|meta|base|object|embed|link|style)\b"
    r"|<[^>]*\son\w+\s*="
    r"|<[^>]*(href|src)\s*=\s*[\"']?\s*(java\s*script|data:text)"
    r"|<[^>]*src\s*=\s*[\"']?\s*http"
    r"|<[^>]*(position\s*:|url\()"
    r"|<[^>]*\sclass=\"skip sections",
    re.IGNORECASE,
)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a folder and a record whose values and cells are hostile."""
    monkeypatch.setattr(Record, "current", None)
    folder = tmp_path / "02_data_quality"
    record = report.start_record(
        analysis=folder.name,
        title="02 · Data quality",
        dataset="toy",
        config=Config(root=tmp_path),
        folder=folder,
    )
    return folder, record


def make_notebook(*outputs, source="x = 1", title="A title", prose="## Is anything wrong?"):
    """Return an executed notebook with one section and one code cell."""
    code = v4.new_code_cell(source, metadata={"title": title}, outputs=list(outputs))
    return v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# 02 · Data quality\n\n**Question** What?"),
            v4.new_markdown_cell(prose),
            code,
        ]
    )


def display(**data):
    """Return a display output by short names of its types."""
    names = {
        "html": "text/html",
        "markdown": "text/markdown",
        "plain": "text/plain",
        "png": "image/png",
    }
    return v4.new_output("display_data", data={names.get(k, k): v for k, v in data.items()})


def body_of(page: str) -> str:
    """Return a page without its own head, which may have a policy and a style."""
    return page.partition("</head>")[2]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_a_study_becomes_live_markup(study, hostile):
    """Hostile text stays text in findings, tables, frames, prose, streams, code, titles and errors."""
    folder, record = study
    report.enter_section(hostile)
    report.finding("It is {v}.", v=hostile)
    frame = pd.DataFrame({hostile: [hostile]})
    table = Table.of(frame, title=hostile).to_html()
    notebook = make_notebook(
        display(html=table), display(html=frame.to_html(escape=False)), display(html=hostile),
        display(markdown=hostile, plain=hostile), display(plain=hostile),
        v4.new_output("stream", name="stdout", text=hostile),
        v4.new_output("error", ename="E", evalue=hostile, traceback=[hostile]),
        source=hostile, title=hostile, prose=f"## {hostile}\n\n{hostile}",
    )  # fmt: skip
    record.finish({"git_commit": hostile})
    pages.render_page(notebook, title=hostile, record=record, folder=folder)
    rows = [{"name": folder.name, "title": hostile, "state": "failed", "note": hostile}]
    (folder / "record.json").write_text(json.dumps({"traceback": hostile}))
    index = pages.render_index(folder.parent, rows, summary=hostile, title=hostile)
    for path in (folder / "page.html", index):
        text = path.read_text(encoding="utf-8")
        assert not LIVE.search(body_of(text))
        assert text.count("<style>") == text.count("</style>") == 1
        assert text.count("<title>") == text.count("</title>") == 1
        assert "script-src" not in text
        assert "default-src 'none'" in text.partition("</head>")[0].replace("&#39;", "'")


def test_a_page_begins_with_what_was_found(study):
    """The conclusion comes first, then warnings; what was found on the way is folded."""
    folder, record = study
    report.enter_section("Is anything wrong?")
    report.finding("{n} rows were read.", n=12_000)
    report.warning("One column is empty.")
    report.enter_section("Conclusion")
    report.finding("The table is fit for use.")
    record.finish({"git_commit": "abc", "git_dirty": True, "mlflow_run_id": "r1"})
    pages.render_page(make_notebook(), title="02 · Data quality", record=record, folder=folder)
    page = body_of((folder / "page.html").read_text(encoding="utf-8"))
    words = [
        "passed",
        "What was found",
        "fit for use",
        "column is empty",
        "1 more finding",
        "12,000 rows",
        '<details class="code">',
    ]
    places = [page.index(word) for word in words]
    assert places == sorted(places)
    assert "abc with local changes" in page
    assert page.count("<h1>") == 1
    assert '<a href="#is-anything-wrong">Is anything wrong?</a>' in page
    assert 'id="is-anything-wrong"' in page


def test_a_failed_page_says_why_at_the_top(study):
    """The error stands before everything else, and its traceback where it happened."""
    folder, record = study
    error = v4.new_output(
        "error", ename="ValueError", evalue="no such column", traceback=["\x1b[31mTrace\x1b[0m"]
    )
    pages.render_page(make_notebook(error), title="T", record=record, folder=folder)
    page = body_of((folder / "page.html").read_text(encoding="utf-8"))
    assert '<span class="badge bad">failed</span>' in page
    assert page.index("ValueError: no such column") < page.index("Trace")
    assert "\x1b" not in page


def test_outputs_show_their_best_form_without_scripts(study):
    """Figures are images with words, tables scroll alone, attachments are sandboxed frames."""
    folder, record = study
    notebook = make_notebook(
        display(png="iVBORw0KGgo=\n", plain="<Figure>"),
        display(html="<table><tr><td>1</td></tr></table>"),
        display(**{"image/svg+xml": "<svg onload='x()'></svg>"}),
        display(
            **{ATTACHMENT_TYPE: '{"file": "profile.html", "title": "All <columns>"}', "plain": "x"}
        ),
        display(
            **{
                "application/vnd.plotly.v1+json": {},
                "html": "<script>plot()</script>",
                "plain": "Figure()",
            }
        ),
        title="Draw it",
    )
    pages.render_page(notebook, title="T", record=record, folder=folder)
    page = body_of((folder / "page.html").read_text(encoding="utf-8"))
    assert '<img src="data:image/png;base64,iVBORw0KGgo=" alt="Figure: Draw it">' in page
    assert '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>' in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert re.search(
        r'<iframe src="attachments/profile.html" title="All &lt;columns&gt;" sandbox="allow-scripts"',
        page,
    )
    assert "An interactive output" in page


def test_streams_are_joined_and_huge_ones_shortened():
    """Printed lines form one block; a flood keeps its beginning and its end."""
    flood = "a" + "x" * 100_000 + "z"
    notebook = make_notebook(
        v4.new_output("stream", text="one "),
        v4.new_output("stream", text="two"),
        display(plain=flood),
    )
    shown = [block.html for block in cells.read_notebook(notebook).blocks if block.kind == "text"]
    assert shown[0] == "one two"
    assert len(shown[1]) < 21_000
    assert "characters left out" in shown[1]
    assert shown[1][0] == "a"
    assert shown[1][-1] == "z"


def test_equal_headings_get_anchors_of_their_own():
    """Two sections of one name, and one without a letter, are reached separately."""
    taken: set[str] = set()
    _, headings = markup.give_anchors("<h2>Why?</h2><h2>Why?</h2><h2>…</h2>", taken)
    assert [name for _, name, _ in headings] == ["why", "why-2", "section"]


def test_prose_keeps_its_layout():
    """Quotes, code, emphasis and links of an analysis survive the cleaning."""
    shown = markup.render_markdown("> a & b\n\n`x < 1` **b** [go](https://example.org) \\*c\\*")
    assert "<blockquote>\n<p>a &amp; b</p>" in shown
    assert "<code>x &lt; 1</code> <strong>b</strong>" in shown
    assert '<a href="https://example.org">go</a> *c*' in shown


def test_index_shows_every_state(study):
    """States, seconds, memory, headlines, warnings, the whole error, and why one was blocked."""
    folder, record = study
    report.warning("Careful.")
    for number in range(5):
        report.finding("Finding {n}.", n=number) if number == 0 else report.finding(
            f"Finding {number}."
        )
    record.finish({"git_commit": "abc"})
    pages.render_page(make_notebook(), title="T", record=record, folder=folder)
    failed = folder.parent / "03_b"
    failed.mkdir()
    (failed / "record.json").write_text(
        json.dumps({"failure": {"traceback": "\x1b[31mTraceback\x1b[0m\nlast line"}})
    )
    rows = [
        {
            "name": folder.name,
            "title": "02 · A",
            "state": "passed",
            "seconds": 3.21,
            "peak_mb": 1234.0,
            "cells": 7,
            "compared": "changed",
        },
        {
            "name": "03_b",
            "title": "03 · B",
            "state": "timed out",
            "note": "after 300 s in cell 'Fit'",
        },
        {
            "name": "33_c",
            "title": "33 · C",
            "state": "blocked",
            "note": "needs 03_b, which timed out",
        },
    ]
    index = pages.render_index(folder.parent, rows, summary="12 rows", title="toy").read_text(
        encoding="utf-8"
    )
    for words in ("12 rows", "3.2 s", "1,234 MB", "7 cells", "1 warning", "findings changed", "Finding 2.", "2 more findings",
                  "1 timed out", "1 passed", "1 blocked", "Traceback\nlast line", "needs 03_b"):  # fmt: skip
        assert words in index
    assert "Finding 3." not in index
    assert index.index("Careful.") < index.index("Finding 2.")  # warnings first
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d</span>", index)  # when it ended
    assert f'<a href="{folder.name}/page.html">02 · A</a>' in index
    assert "03_b/page.html" not in index  # there is no such page


def test_figures_take_a_third_of_their_bytes(tmp_path):
    """A large figure gets a palette, its colours stay; a photograph is left as it is."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (400, 400, 3), dtype=np.uint8)
    blue, orange = (0, 114, 178), (213, 94, 0)
    figure = np.full((900, 900, 3), 255, dtype=np.uint8)
    figure[:400, :400], figure[500:, 500:] = blue, orange
    figure[400:500] = rng.integers(0, 64, (100, 900, 1), dtype=np.uint8) + np.uint8(190)
    for image, is_figure in ((figure, True), (noise, False)):
        content = io.BytesIO()
        Image.fromarray(image).save(content, format="png")
        given = base64.b64encode(content.getvalue()).decode()
        output = v4.new_output("display_data", data={"image/png": given})
        path = pages.render_page(make_notebook(output), title="T", record=None, folder=tmp_path)
        page = path.read_text(encoding="utf-8")
        shown = re.search(r'src="data:image/png;base64,([^"]+)"', page)[1]
        assert (len(shown) < 0.67 * len(given)) == is_figure
        assert (shown == given) != is_figure
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown))).convert("RGB"))
        if is_figure:
            assert np.abs(pixels[0, 0].astype(int) - blue).max() <= 4
            assert np.abs(pixels[-1, -1].astype(int) - orange).max() <= 4


def test_pages_link_to_neighbours_that_exist(tmp_path):
    """Previous and next are the nearest analyses with a page; a second index changes nothing."""
    rows = [{"name": name, "title": name, "state": "passed"} for name in ("01_a", "02_b", "03_c")]
    for name in ("01_a", "03_c"):
        pages.render_page(make_notebook(), title=name, record=None, folder=tmp_path / name)
    pages.render_index(tmp_path, rows)
    page = (tmp_path / "01_a" / "page.html").read_text(encoding="utf-8")
    assert 'rel="next" href="../03_c/page.html"' in page
    assert 'rel="prev"' not in page
    before = (tmp_path / "03_c" / "page.html").read_bytes()
    assert b"../01_a/page.html" in before
    pages.render_index(tmp_path, rows)
    assert (tmp_path / "03_c" / "page.html").read_bytes() == before


def test_a_page_is_quick_and_the_same_each_time(tmp_path):
    """Thirty tables of forty rows render in well under a second, to the same bytes."""
    frame = pd.DataFrame({f"c{i}": range(40) for i in range(8)})
    table = Table.of(frame, title="T").to_html()
    notebook = make_notebook(*[display(html=table) for _ in range(30)])
    small = make_notebook()
    pages.render_page(small, title="T", record=None, folder=tmp_path)  # imports
    started = time.perf_counter()
    path = pages.render_page(notebook, title="T", record=None, folder=tmp_path)
    assert time.perf_counter() - started < 6  # far more than a real page holds
    first = path.read_bytes()
    assert (
        pages.render_page(notebook, title="T", record=None, folder=tmp_path).read_bytes() == first
    )
