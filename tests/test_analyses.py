"""Every analysis, as its users meet it: on several tables, from anywhere, twice the same."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import jupytext
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lib import comparison, evaluation, models, neural, resampling, tracking
from lib.config import load_config, project_root
from lib.data import load_data
from lib.workbench.preload import THREAD_LIMITS

ROOT = project_root()
ANALYSES = sorted((ROOT / "analyses").glob("[0-9]*.py"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.timeout(900)  # whole studies: the runner itself ends what hangs
CONFIG = jupytext.config.load_jupytext_config(str(ROOT / "analyses"))


def run_analyses(reports: Path, *arguments: str, cwd: Path = ROOT, **environment: str):
    """Run the runner as a user does and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "lib.workbench", "run", *arguments],
        cwd=cwd,
        env={**os.environ, "STUDY_REPORTS": str(reports), **environment},
        capture_output=True,
        text=True,
        timeout=850,
        check=False,
    )


def findings_of(reports: Path, dataset: str) -> dict[str, bytes]:
    """Return the findings of a run by analysis, as the bytes that git would keep."""
    paths = sorted((reports / dataset).glob("*/findings.md"))
    return {path.parent.name: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Run every analysis on one small table, once for the tests of this file."""
    reports = tmp_path_factory.mktemp("reports")
    threads = dict.fromkeys(THREAD_LIMITS, "2")
    arguments = ("--dataset", "wine", "--effort", "quick", "--jobs", "1")
    done = run_analyses(reports, *arguments, **threads)
    assert done.returncode == 0, done.stdout + done.stderr
    return reports


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_round_trip_through_a_notebook_keeps_every_byte(path):
    """Opening a script as a notebook and saving it changes nothing."""
    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent", config=CONFIG)
    as_ipynb = jupytext.writes(notebook, fmt="ipynb", config=CONFIG)
    again = jupytext.reads(as_ipynb, fmt="ipynb", config=CONFIG)
    assert jupytext.writes(again, fmt="py:percent", config=CONFIG) == text


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_comments_never_become_code(path):
    """What is a comment in the script stays a comment in the notebook (no magics)."""
    notebook = jupytext.read(path, config=CONFIG)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(cell.source, str(path), "exec")


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["wine", "diabetes", "rand_hie_visits", "planted"])
def test_every_analysis_runs_on_every_kind_of_table(dataset, request, tmp_path):
    """Binary, multiclass and regression tables pass, with findings and pages for each."""
    reports = request.getfixturevalue("study") if dataset == "wine" else tmp_path
    if dataset != "wine":
        done = run_analyses(reports, "--dataset", dataset, "--effort", "quick")
        assert done.returncode == 0, done.stdout + done.stderr
    assert set(findings_of(reports, dataset)) == {p.stem for p in ANALYSES}
    for path in ANALYSES:
        folder = reports / dataset / path.stem
        twin = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
        assert twin["values"], f"{path.stem} recorded no values on {dataset}"
        assert (folder / "page.html").stat().st_size > 2_000
    assert (reports / dataset / "index.html").is_file()


@pytest.mark.slow
def test_two_runs_write_the_same_findings(study, tmp_path):
    """Another hash seed, time zone, working directory and one thread for two change no byte."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    strange = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    strange |= dict.fromkeys(THREAD_LIMITS, "1")
    arguments = ("--dataset", "wine", "--effort", "quick", "--jobs", "2")
    again = run_analyses(tmp_path, *arguments, cwd=elsewhere, **strange)
    assert again.returncode == 0, again.stdout + again.stderr
    assert findings_of(study, "wine") == findings_of(tmp_path, "wine")


@pytest.mark.slow
def test_recipes_of_10_are_there_to_be_combined(study, monkeypatch):
    """23 finds what 10 made of the models of 11 beside them, on the same folds."""
    monkeypatch.setenv("STUDY_REPORTS", str(study))
    config = load_config(dataset="wine", effort="quick")
    train = load_data("wine", config=config).train
    folds = resampling.make_study_folds(train, config)
    found = tracking.load_predictions(config, analyses=["10", "11"], dataset=train, folds=folds)
    plain = {name for name, kept in found.items() if kept.analysis.startswith("11_")}
    made = {name for name, kept in found.items() if kept.analysis.startswith("10_")}
    assert made
    assert {name.partition(" + ")[0] for name in made} <= plain
    assert {kept.parts.shape for kept in found.values()} == {(len(train), 3)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy")  # of MLflow's store
def test_candidates_of_10_and_12_stand_beside_those_of_11(study, monkeypatch):
    """In the tracker all have the same folds, rows and metrics, and 32 can compare any of them."""
    monkeypatch.setenv("STUDY_REPORTS", str(study))
    config = load_config(dataset="wine", effort="quick")
    train = load_data("wine", config=config).train
    folds = resampling.make_study_folds(train, config)
    tracked = tracking.load_candidates(
        config, dataset_fingerprint=train.fingerprint, folds_fingerprint=folds.fingerprint
    )
    number = tracked["analysis"].str.partition("_")[0]
    own = tracked[number.isin(["10", "11", "12"])].assign(number=number)
    of = own.groupby("number")["candidate"].unique().map(set)
    assert of["11"] == set(models.baselines(train, config))
    assert of["12"] == set(neural.networks(train, config))
    assert of["10"]
    assert {name.partition(" + ")[0] for name in of["10"]} <= of["11"]
    known = {(metric, fold) for metric in evaluation.scorers(train.task) for fold in (1, 2, 3)}
    assert len(folds) == 3
    for name, rows in own.groupby("candidate"):
        assert len(rows) == len(known), name
        assert set(zip(rows["metric"], rows["fold"], strict=True)) == known, name

    # The same rows: predictions that were kept of them give the very scores that were tracked.
    found = tracking.load_predictions(
        config, analyses=["10", "11", "12"], dataset=train, folds=folds
    )
    scoring = evaluation.default_scoring(train.task)
    order = comparison.order_by_simplicity({name: c.analysis for name, c in found.items()})
    field = comparison.gather_candidates(found, train, folds, scoring=scoring, order=order["model"])
    wide = own[own["metric"] == scoring].pivot_table("score", "fold", "candidate")
    again = field.scores.by_fold()
    assert set(again) | set(field.twins) == set(wide)
    np.testing.assert_allclose(again, wide[list(again)], rtol=1e-12)

    best = str(again.mean().idxmax())
    table = comparison.compare_with(field.scores, best, smallest_effect=0.01)
    assert set(table["model"]) == set(again)
    pairs = comparison.compare_each_pair(field.scores, smallest_effect=0.01)
    assert len(pairs) == len(again.columns) * (len(again.columns) - 1) / 2
    for names in (of["10"] & set(again), of["12"] & set(again)):
        tested = table[table["model"].isin(names - {best})]
        assert tested["p_t"].notna().all()
        assert tested["verdict"].isin([evaluation.SAME, evaluation.WORSE, evaluation.BETTER]).all()
    chosen = json.loads(
        (study / "wine" / "32_comparative_study" / "findings.json").read_text(encoding="utf-8")
    )
    assert chosen["values"]["n_candidates"]["value"] >= len(again.columns)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
def test_the_site_is_whole_on_a_phone(study):
    """From the index on, no page complains or scrolls sideways, and every link leads somewhere."""
    from playwright.sync_api import sync_playwright

    index = (study / "wine" / "index.html").as_uri()
    complaints, links, anchors, wide = [], [], {}, []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        waiting = [index]
        while waiting:
            url = waiting.pop()
            page.goto(url)
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            if page.evaluate("document.documentElement.scrollWidth") > 390:
                wide.append(url)
            anchors[url] = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
            found = page.evaluate("[...document.querySelectorAll('a[href]')].map(e => e.href)")
            links += found
            pages = {urldefrag(link).url for link in found}
            waiting += sorted(p for p in pages if p.endswith("page.html") and p not in anchors)
        browser.close()
    assert len(anchors) == 1 + len(ANALYSES)
    assert (complaints, wide) == ([], [])
    assert [link for link in links if not leads_somewhere(link, anchors)] == []


def leads_somewhere(link: str, anchors: dict[str, list[str]]) -> bool:
    """Say whether the file of a link exists, and the place in it where that was read."""
    url, place = urldefrag(link)
    path = Path(unquote(urlparse(url).path))
    there = url.startswith("file:") and path.is_file()
    return there and (not place or url not in anchors or unquote(place) in anchors[url])


@pytest.mark.slow
@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_plain_python_runs_an_analysis_from_a_foreign_folder(path, tmp_path, request):
    """`python analyses/NN_x.py` needs no runner, no project folder and writes no record.

    One that says it needs others finds what they recorded.
    """
    alone = "**You need** nothing" in path.read_text(encoding="utf-8")
    reports = tmp_path / "reports" if alone else request.getfixturevalue("study")
    before = findings_of(reports, "wine")
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        env={
            **os.environ,
            "STUDY_REPORTS": str(reports),
            "STUDY_DATASET": "wine",
            "STUDY_EFFORT": "quick",
            "MPLBACKEND": "agg",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "<" not in [line[:1] for line in done.stdout.splitlines()], "an object's repr was shown"
    assert findings_of(reports, "wine") == before


@pytest.mark.slow
def test_what_an_analysis_needs_and_lacks_is_one_sentence(tmp_path):
    """Without the record of others, 23 names the command that makes it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "analyses" / "23_ensemble_methods.py")],
        env={**os.environ, "STUDY_REPORTS": str(tmp_path), "STUDY_DATASET": "wine"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith("make them with: nox -s run_analyses -- 10 11 12 21")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--dataset", "nowhere.csv"), "nowhere.csv"),
        (("--dataset", "wien"), "wine"),
        (("--dataset", "wine", "--target", "colour"), "colour"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence, tmp_path):
    """A wrong path, name or target ends with exit code 2 and no traceback."""
    done = run_analyses(tmp_path, "01", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["empty", "one class", "pickle", "target"])
def test_a_bad_file_is_one_sentence(kind, tmp_path):
    """An empty file, a one-class target, a pickle named .csv, a missing target: said, exit 2."""
    path = tmp_path / "table.csv"
    rows = "".join(f"{i},{i % 7},yes\n" for i in range(60))
    contents = {
        "empty": b"",
        "one class": b"a,b,label\n" + rows.encode(),
        "pickle": b"\x80\x05\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.",
        "target": b"a,b,label\n" + rows.encode(),
    }
    path.write_bytes(contents[kind])
    target = ["--target", "lable" if kind == "target" else "label"] if kind != "empty" else []
    done = run_analyses(tmp_path / "reports", "01", "--dataset", str(path), *target)
    assert done.returncode == 2, done.stdout + done.stderr
    said = done.stderr.strip().splitlines()
    assert len(said) == 1, said
    assert "Traceback" not in done.stdout
    debug = run_analyses(tmp_path / "reports", "01", "--debug", "--dataset", str(path), *target)
    assert "Traceback" in debug.stderr


def make_hostile(kind: str, folder: Path) -> tuple[Path, str]:
    """Write a small table of a kind that users have and tutorials do not; return it and its target.

    The first column that is made tells something about the target, nothing else does.
    """
    rng = np.random.default_rng(7)
    n = {"few rows": 24, "rare class": 200, "wide": 50}.get(kind, 60)
    signal = rng.normal(size=n)
    label = np.where(signal + rng.normal(size=n) > 0, "yes", "no")
    table = pd.DataFrame({"x": signal, "other": rng.normal(size=n)})
    table["y"] = label
    if kind == "class of one":
        table["y"] = np.where(signal > 0.5, "a", np.where(signal > -0.5, "b", "c"))
        table.loc[:3, "y"] = ["only", None, None, None]
    elif kind == "text only":
        words = np.array(
            ["the", "room", "was", "clean", "quiet", "small", "and", "we", "did", "not", "sleep"]
        )
        said = [" ".join(rng.choice(words, 9)) for _ in range(n)]
        table = pd.DataFrame({"said": said, "answer": said[::-1], "y": label})
    elif kind == "dates only":
        days = pd.Timestamp("2024-01-31") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
        later = days + pd.to_timedelta(rng.integers(0, 60, n), unit="D")
        late = (later - days).days > 30
        table = pd.DataFrame({"ordered": days, "sent": later.strftime("%d.%m.%Y"), "y": late})
    elif kind == "one feature":
        table = pd.DataFrame({"x": signal, "y": signal * 2 + rng.normal(size=n)})
    elif kind == "wide":
        noise = rng.normal(size=(n, 90))
        table = pd.concat([table, pd.DataFrame(noise).add_prefix("column ")], axis=1)
    elif kind == "odd names":
        odd = ["line\nbreak", 'a "quote"', "[<b>]", "$x_1$", "🙂" * 60, "index", "index", "fold"]
        for _ in odd:
            table[len(table.columns)] = rng.normal(size=n)
        table.columns = ["class", "lambda", "target", *odd]
        table["target"] = np.where(label == "yes", "<i>$5$</i>", "{none}")
    elif kind == "dirty numbers":
        table["income"] = [f"{value:,.0f}" for value in 50_000 + 20_000 * signal]
        table["mixed"] = [("n/a" if i % 9 == 0 else "abc" if i % 7 == 0 else i) for i in range(n)]
        table["account"] = 2**60 + rng.permutation(n)
        table.loc[3, "other"], table.loc[4, "other"] = np.inf, -np.inf
        table["constant"], table["empty"] = 1, None
        table["y"] = np.where(rng.random(n) < 0.5, 0.0, np.exp(4 * rng.normal(size=n)))
    elif kind == "rare class":
        table["y"] = (signal >= np.sort(signal)[-3]).astype(int)
    elif kind == "types":
        table["when"] = pd.date_range("2024-03-30", periods=n, freq="h", tz="Europe/Berlin")
        table["level"] = pd.Categorical(rng.choice(["lo", "hi"], n), ["never", "lo", "hi"])
        table["whole"] = pd.array([None, *range(n - 1)], dtype="Int64")
        table["price"] = [Decimal(f"{value:.2f}") for value in signal]
        table["list"] = [[1, 2], [3]] * (n // 2)
        table["y"] = pd.array([None, *(label[1:] == "yes")], dtype="boolean")
    path = folder / f"table.{'parquet' if kind == 'types' else 'csv'}"
    table.to_parquet(path) if kind == "types" else table.to_csv(path, index=False)
    return path, "target" if kind == "odd names" else "y"


HOSTILE = (
    "few rows",
    "class of one",
    "text only",
    "dates only",
    "one feature",
    "wide",
    "odd names",
    "dirty numbers",
    "rare class",
    "types",
)
NONSENSE = re.compile(r"(?<![\w.])[-+]?(nan|inf|NaT|None|NaN)(?![\w-])")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy")  # of MLflow's store
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_tables_are_looked_at_and_modelled(kind, tmp_path, monkeypatch, capsys):
    """01, 02, 03 and 11 end well on tables nobody tidied, and never show nan or inf as a result.

    Run within this process, which costs a tenth of the runner; every figure is drawn.
    """
    path, target = make_hostile(kind, tmp_path)
    chosen = {"DATASET": str(path), "TARGET": target, "EFFORT": "quick"}
    for name, value in {**chosen, "REPORTS": str(tmp_path / "reports")}.items():
        monkeypatch.setenv(f"STUDY_{name}", value)
    for script in (path for path in ANALYSES if path.stem[:2] in {"01", "02", "03", "11"}):
        runpy.run_path(str(script))
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
            plt.close(number)
        shown = capsys.readouterr().out
        lines = [line for line in shown.splitlines() if NONSENSE.search(line)]
        assert not lines, f"{script.stem}: {lines}"
        assert len(shown.splitlines()) > 30
