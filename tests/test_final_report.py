"""The final report looks every number up, refuses what does not hold, and shows data as data."""

import base64
import io
import itertools
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib import report
from lib.config import Config, load_config
from lib.data import load_data
from lib.data.sources import file_hash
from lib.errors import InputError
from lib.estimates import Estimate
from lib.report import final, pages
from lib.report.digest import findings_digest
from lib.report.final import build, checklists, glossary, inputs
from lib.report.record import Record
from lib.report.text import format_value

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)> [l](javascript:alert(3)) {x} `c`'
VOID = {"meta", "img", "br", "hr", "link", "input"}
TASKS = ("binary", "multiclass", "regression")


class Study:
    """A study folder with every analysis run, made by the real record; parts can be spoiled."""

    def __init__(self, root: Path, task: str = "binary", name: str = "plan") -> None:
        self.config = Config(root=root, dataset="toy")
        rng = np.random.default_rng(0)
        target = {"binary": "yn", "multiclass": "abc"}.get(task)
        y = rng.choice(list(target), 60) if target else rng.normal(size=60)
        frame = pd.DataFrame({name: rng.normal(size=60), "b": rng.normal(size=60), "outcome": y})
        self.dataset = load_data(frame, target="outcome", config=self.config, name="toy")
        self.folder = self.config.reports / "toy"
        self.module = root / "lib" / "shared.py"
        self.data = root / "toy.csv"
        for path, content in ((self.module, "X = 1\n"), (self.data, "a,b\n1,2\n")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        self.metric = {"binary": "roc_auc", "multiclass": "neg_log_loss", "regression": "r2"}[task]
        for number in inputs.NAMES:
            self.make(number, **self.values(number, task))

    def values(self, number: str, task: str) -> dict:
        """Return what an analysis records, as the real one would."""
        estimate = Estimate(0.7721, 0.7604, 0.7838)
        known = {
            "01": {"data": "48 rows × 2 features", "n_gaps": 3, "n_repairs": 6713, "n_features": 2},
            "02": {"n_errors": 0, "n_warnings": 5, "n_leaks": 0, "n_cells": 1},
            "11": {"best": "random forest", "best_score": estimate, "floor": Estimate(0.5, 0.5, 0.5)},
            "20": {"question": "Is boosting worth it?", "rule": "above zero", "decision": "undecided",
                   "effect": 0.01, "rows_needed": 11586.0, "n_test": 12, "test_detectable": 0.0202},
            "30": {"metric": self.metric, "test_score": Estimate(0.7512, 0.7, 0.8), "n_test": 12,
                   "cv_score": estimate, "verdict": "the promise holds", "n_openings": 1,
                   "weakest_segment": "b below 0", "coverage": Estimate(0.948, 0.94, 0.956),
                   "least_covered": "yn = y, by one limit: 0.412", "compared_by": "sex",
                   "differing": "flagged (sex)"},
            "31": {"gains_origin": "illustrative", "currency": "EUR", "best_policy": "the champion",
                   "net_benefit": Estimate(3120.0, 1890.0, 4420.0), "decision": "act with the model"},
            "32": {"metric": self.metric, "champion": "linear", "runner_up": "",
                   "champion_analysis": "11_baseline_models", "champion_score": estimate,
                   "rule": "the simplest of the best", "floor": Estimate(0.5, 0.5, 0.5),
                   "n_candidates": 19, "n_indistinguishable": 12, "decision_of_20": "keep linear"},
        }.get(number, {"n_found": 7})  # fmt: skip
        if number == "30" and task == "binary":
            known |= {
                "calibration": "no sign of miscalibration",
                "calibration_slope": Estimate(0.98, 0.86, 1.1),
                "calibration_intercept": Estimate(0.02, -0.1, 0.14),
                "ece": Estimate(0.01, 0, 0.02),
            }
        return known

    def name(self, number: str) -> str:
        """Return the name of an analysis, such as 11_baseline_models."""
        return f"{number}_{inputs.NAMES[number].lower().replace(' ', '_').replace('-', '_')}"

    def make(self, number: str, *, seed: int = 0, said: str = "", **values) -> None:
        """Run an analysis: write its script, findings, page, notebook and manifest entry."""
        name = self.name(number)
        script = self.config.analyses / f"{name}.py"
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"# %% [markdown]\n# # {number}\n", encoding="utf-8")
        config = self.config.model_copy(update={"seed": seed})
        record = report.start_record(
            analysis=name,
            title=f"{number} · {inputs.NAMES[number]}",
            dataset=self.dataset,
            config=config,
            folder=self.folder / name,
        )
        report.enter_section("Conclusion")
        for key, value in values.items():
            report.finding(key.replace("_", " ") + ": {" + key + "}.", **{key: value})
        report.warning("Only {_n} rows{_said}.", _n=48, _said=said)
        scores = {"model": ["dummy", said or "linear"], "score": [0.5, 0.7721]}
        report.table(pd.DataFrame(scores), title="The candidates and every metric")
        record.finish({"git_commit": "a" * 40, "git_dirty": False, "packages": {}})
        Record.current = None
        (record.folder / "record.json").write_text(json.dumps({"state": "passed"}))
        page = '<h2 id="conclusion">Conclusion</h2>'
        (record.folder / "page.html").write_text(page, encoding="utf-8")
        self.draw(number, np.full((300, 400, 3), 200, dtype=np.uint8))
        self.note(number)

    def draw(self, number: str, pixels: np.ndarray) -> None:
        """Give an analysis a notebook with two figures."""
        kept = io.BytesIO()
        Image.fromarray(pixels).save(kept, format="png")
        data = {"image/png": base64.b64encode(kept.getvalue()).decode()}
        outputs = [{"output_type": "display_data", "data": data}] * 2
        cells = [
            {"cell_type": "markdown", "source": "## What is drawn?", "metadata": {}},
            {"cell_type": "code", "source": "x", "metadata": {}, "outputs": outputs},
        ]
        path = self.folder / self.name(number) / "notebook.ipynb"
        path.write_text(json.dumps({"cells": cells}), encoding="utf-8")

    def note(self, number: str) -> None:
        """Write the manifest entry that the runner would write."""
        path = self.folder / "manifest.json"
        manifest = json.loads(path.read_text()) if path.is_file() else {"analyses": {}}
        name = self.name(number)
        needs = {self.name("11"): None, self.name("10"): None} if number == "32" else {}
        needs = {need: findings_digest(self.folder / need / "findings.json") for need in needs}
        manifest["analyses"][name] = {
            "state": "passed",
            "mlflow_run_id": "0123456789abcdef" * 2,
            "script": file_hash(self.config.analyses / f"{name}.py"),
            "findings_digest": findings_digest(self.folder / name / "findings.json"),
            "sources": {str(self.data): file_hash(self.data)},
            "key": {"files": {"lib/shared.py": file_hash(self.module)}, "needs": needs},
        }
        path.write_text(json.dumps(manifest), encoding="utf-8")

    def check(self, *, draft: bool = False) -> final.Inputs:
        """Check the inputs."""
        return final.check_inputs(self.config, self.dataset, draft=draft)

    def report(self, *, draft: bool = False) -> final.Report:
        """Make the report."""
        return final.make_report(self.check(draft=draft), self.dataset, self.config)

    def refusal(self) -> str:
        """Return the refusal."""
        with pytest.raises(InputError) as refused:
            self.check()
        return str(refused.value)

    def findings(self, number: str) -> Path:
        """Return the findings of an analysis."""
        return self.folder / self.name(number) / "findings.json"


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    """Return a binary study in which everything holds."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    return Study(tmp_path)


class Walker(HTMLParser):
    """Collects (text, sources of the elements round it, tags round it)."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, list[str], list[str]]] = []
        self.tags: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        """Open an element."""
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        """Close an element; the page nests them properly."""
        assert self.open[-1][0] == tag, (self.open[-1], tag)
        self.open.pop()

    def handle_data(self, data):
        """Note a text with what is round it."""
        sources = [a["data-source"] for _, a in self.open if "data-source" in a]
        self.texts.append((data, sources, [tag for tag, _ in self.open]))


def numbers_without_source(page: str) -> list[str]:
    """Return the texts with a digit that no element round them gives a source."""
    outside = {"style", "title", "h1", "nav"}
    return [
        text
        for text, sources, tags in Walker(page).texts
        if re.search(r"\d", text) and not sources and not outside & set(tags)
    ]


@pytest.mark.parametrize("task", TASKS)
def test_a_complete_study_makes_a_report_with_every_number_traced(task, tmp_path, monkeypatch):
    """All sections are there for every task, and each number stands in an element with its source."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    study = Study(tmp_path, task)
    made = study.report()
    assert not made.is_draft
    for title in ("The decision in short", "What are the data?", "Limitations", "Model card",
                  "Data sheet", "REFORMS checklist", "TRIPOD+AI checklist", "Words explained"):  # fmt: skip
        assert f">{title}</h2>" in made.html
        assert f"## {title.replace('+', '+')}" in made.markdown
    assert numbers_without_source(made.html) == []
    assert made.decision == "Act with the model, if gains and costs were as illustrated."
    assert made.counts["n_inputs"] == len(inputs.NAMES)
    assert made.counts["n_warnings"] == len(inputs.NAMES)
    assert "DRAFT" not in made.html.partition("</style>")[2] + made.markdown
    assert "<title>DRAFT" not in made.html


def test_each_number_is_the_recorded_one_and_links_to_its_place(study):
    """What a value's element shows is the value that its source names, in the format of findings."""
    page = study.report().html
    values = re.findall(
        r'<a class="value[^"]*" href="([^"]*)" data-source="(\d\d) (\w+)"[^>]*>([^<]*)</a>', page
    )
    assert len(values) > 30
    for href, number, name, shown in values:
        recorded = json.loads(study.findings(number).read_text())["values"][name]
        value = inputs.value_of(recorded)
        full = format_value(
            Estimate(value.value, value.low, value.high)
            if value.kind == "estimate"
            else value.value
        )
        assert shown.rstrip(".").lower().strip() in full.lower()
        assert href == f"../../{study.name(number)}/page.html#conclusion"
    quoted = re.findall(r'<span class="quote" data-source="(\d\d) [^"]*">([^<]*)</span>', page)
    assert quoted
    for number, said in quoted:
        assert said.replace("&#34;", '"') in study.findings(number).read_text(encoding="utf-8")


def test_the_walk_notices_a_number_without_source(study):
    """A typed number would be found: the walk is not blind, and own words refuse digits."""
    page = study.report().html
    typed = page.replace("</main>", "<p>The score is 0.8.</p></main>")
    assert numbers_without_source(typed) == ["The score is 0.8."]
    with pytest.raises(ValueError, match="looked up, never typed"):
        build.words("At least 5.")


def test_it_says_what_the_reader_needs_first(study):
    """Decision, condition, champion, unseen rows, data, question: in this order, from the record."""
    text = " ".join(t for t, _, _ in Walker(study.report().html).texts)
    order = [text.index(words) for words in (
        "Act with the model", "illustrative", "0.751", "linear", "the promise holds",
        "48 rows", "Is boosting worth it?", "What would change the decision",
    )]  # fmt: skip
    assert order[0] == min(order)
    assert "3,120" in text
    assert "EUR" in text


def test_where_the_model_is_not_told_apart_the_simpler_policy_comes_first(study):
    """The first words are what to do; the reason, and how one would use the model, come after."""
    undecided = {"decision": "not distinguishable from treating all", "best_policy": "treat all"}
    undecided["gains_origin"] = "catalogue"
    undecided["rule"] = "act from a probability of 0.2 on"
    study.make("31", **study.values("31", "binary") | undecided)
    made = study.report()
    said = "Treat all, for now: the model is not distinguishable from treating all."
    assert made.decision == said
    text = " ".join("".join(t for t, _, _ in Walker(made.html).texts).split())
    assert "The model's rule would be: act from a probability of 0.2 on." in text


def test_a_champion_behind_its_runner_up_is_said_with_the_figure_and_chooses_nothing(study):
    """Worse on the test set is no reason to change the model, and the report says so."""
    rival = {"runner_up": "LightGBM", "gain_on_test": Estimate(-0.0054, -0.0093, -0.0014)}
    study.make("30", **study.values("30", "binary") | rival | {"beats_runner_up": "worse"})
    text = " ".join("".join(t for t, _, _ in Walker(study.report().html).texts).split())
    said = "Against the runner-up, LightGBM, on these rows: -0.0054 [-0.0093, -0.0014], worse; "
    assert said + "no reason to change: nothing is chosen by what the test set says." in text


def test_a_missing_analysis_is_refused_by_name(study):
    """Without 30 there is no report; the refusal says which, why and the command."""
    for path in (study.folder / study.name("30")).iterdir():
        path.unlink()
    (study.folder / study.name("30")).rmdir()
    said = study.refusal()
    assert (
        "- 30 (Performance analysis) has not been run on toy: make it with "
        "`nox -s run_analyses -- 30 --dataset toy`." in said
    )
    assert "1 of its 14 inputs" in said


def test_a_failed_analysis_is_refused_with_its_cause(study):
    """12 failed: its name, how it ended, and what to do."""
    folder = study.folder / study.name("12")
    study.findings("12").unlink()
    failed = {"state": "failed", "note": "ValueError: no rows (12_x.py:7)"}
    (folder / "record.json").write_text(json.dumps(failed))
    said = study.refusal()
    assert "- 12 (Advanced modeling) ended as failed (ValueError: no rows (12_x.py:7)" in said
    assert "mend it, then run `nox -s run_analyses -- 12 --dataset toy`" in said


@pytest.mark.parametrize(
    ("spoil", "reason", "who"),
    [
        (
            lambda s: append(s.config.analyses / f"{s.name('11')}.py"),
            "older than its script",
            {"11"},
        ),
        (lambda s: append(s.module), "is older than lib/shared.py", set(inputs.NAMES)),
        (lambda s: append(s.data), "the data it read (toy.csv)", set(inputs.NAMES)),
        (lambda s: s.make("10", n_found=8), "is older than what 10 found", {"32"}),
    ],
)
def test_a_stale_analysis_is_refused_with_what_changed(study, spoil, reason, who):
    """Script, module, data or a needed finding changed since: exactly those that used it are named."""
    spoil(study)
    listed = study.check(draft=True).problems
    assert {problem[:2] for problem in listed} == who
    assert all(reason in problem for problem in listed)


def append(path: Path) -> None:
    """Change a file."""
    path.write_text(path.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")


def test_one_analysis_of_another_seed_is_refused(study):
    """11 with seed 1 among others with seed 0: it is named, and so is what had used its findings."""
    study.make("11", seed=1, **study.values("11", "binary") | {"best": "SVM"})
    said = study.refusal()
    assert "- 11 (Baseline models) was made with seed 1, this study has 0: run it with" in said
    assert "- 32 (Comparative study) is older than what 11 found" in said
    assert "2 of its 14 inputs" in said


def test_other_data_are_refused(study):
    """A table with one cell changed has another fingerprint than the findings."""
    changed = study.dataset.X.copy()
    changed.iloc[0, 0] += 1.0
    frame = changed.assign(outcome=np.array(study.dataset.classes)[study.dataset.y])
    study.dataset = load_data(frame, target="outcome", config=study.config, name="toy")
    assert "was made from other data" in study.refusal()


@pytest.mark.parametrize("remembered", [True, False])
def test_an_edited_finding_is_noticed(study, remembered):
    """A number edited by hand is refused, whether the manifest knows the digest or not."""
    path = study.findings("30")
    path.write_text(path.read_text().replace("0.7512", "0.9512"), encoding="utf-8")
    if not remembered:
        manifest = json.loads((study.folder / "manifest.json").read_text())
        del manifest["analyses"][study.name("30")]["findings_digest"]
        (study.folder / "manifest.json").write_text(json.dumps(manifest))
    said = study.refusal()
    assert "- 30 (Performance analysis) " in said
    assert "edited" in said


def test_edited_markdown_is_noticed(study):
    """The committed form edited in the reports folder no longer agrees with its twin."""
    path = study.findings("11").with_name("findings.md")
    path.write_text(path.read_text(encoding="utf-8").replace("0.7721", "0.8721"), encoding="utf-8")
    assert "11 (Baseline models) says one thing in findings.md" in study.refusal()


def test_committed_findings_that_differ_are_a_note(study):
    """On the default dataset the report says whose committed findings are not this run's."""
    (study.config.root / "data").mkdir()
    (study.config.root / "data" / "catalog.toml").write_text('[study]\ndataset = "toy"\n')
    kept = study.config.committed_findings / f"{study.name('13')}.md"
    kept.parent.mkdir()
    kept.write_text("# another\n", encoding="utf-8")
    checked = study.check()
    assert checked.problems == []
    assert ["13" in note and "findings -- diff" in note for note in checked.notes] == [True]


def test_a_record_without_a_needed_value_is_refused(study):
    """32 without the champion's name is no 32 that a report could be made of."""
    values = study.values("32", "binary")
    del values["champion"]
    study.make("32", **values)
    assert "- 32 (Comparative study) recorded no value champion: run it with" in study.refusal()


def test_a_draft_says_so_and_why(study):
    """With 30 to 32 absent there is a page marked DRAFT, with the reasons and gaps in their place."""
    for number in ("30", "31", "32"):
        for path in (study.folder / study.name(number)).iterdir():
            path.unlink()
    made = study.report(draft=True)
    assert made.is_draft
    assert made.markdown.startswith("# DRAFT: ")
    assert "<title>DRAFT: " in made.html
    assert made.html.count("has not been run on toy") >= 6  # on the front, and in each section
    assert made.decision == "No decision yet: 31 · Business impact is missing."
    assert numbers_without_source(made.html) == []


def test_names_and_findings_are_data(tmp_path, monkeypatch):
    """Markup in column names, findings and warnings shows as text, in page and Markdown."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    study = Study(tmp_path, name=HOSTILE)
    study.make("32", said=HOSTILE, **study.values("32", "binary") | {"champion": HOSTILE})
    study.make("31", **study.values("31", "binary") | {"decision": HOSTILE})
    made = study.report()
    walked = Walker(made.html)
    assert {tag for tag, _ in walked.tags} & {"script", "iframe", "object", "svg"} == set()
    assert all(a.get("src", "").startswith("data:image/png") for t, a in walked.tags if t == "img")
    assert not [a for _, a in walked.tags if any(key.startswith("on") for key in a)]
    assert not [a for _, a in walked.tags if "javascript" in a.get("href", "")]
    assert "<script" not in made.markdown
    assert not re.search(r"(?<!\\)\]\(javascript", made.markdown)
    assert any(HOSTILE in text for text, _, _ in walked.texts)


def test_the_page_stays_below_its_limit(study, monkeypatch):
    """Figures shrink until the page fits; where that is not enough, links take their place."""
    assert build.LARGEST <= 2_000_000
    rng = np.random.default_rng(0)
    for number in inputs.NAMES:
        study.draw(number, rng.integers(0, 255, (30, 1400, 3), dtype=np.uint8))
    whole = len(study.report().html.encode())
    monkeypatch.setattr(build, "LARGEST", whole // 2)
    page = study.report().html
    assert len(page.encode()) <= whole // 2
    assert page.count("<img") > 8  # smaller ones
    monkeypatch.setattr(build, "LARGEST", 120_000)
    page = study.report().html
    assert len(page.encode()) <= 120_000
    assert page.count("<img") == 0
    assert page.count("<figure") > 8


def test_the_page_needs_nothing_else(study):
    """No script, no foreign file; headings in order; every image and table says what it is."""
    walked = Walker(study.report().html)
    policy = next(a["content"] for t, a in walked.tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert not [t for t, _ in walked.tags if t in {"script", "link", "iframe"}]
    levels = [int(t[1]) for t, _ in walked.tags if re.fullmatch(r"h[1-6]", t)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert all(len(a.get("alt", "")) > 10 for t, a in walked.tags if t == "img")
    assert all("scope" in a for t, a in walked.tags if t == "th")
    targets = {a["id"] for _, a in walked.tags if "id" in a}
    inner = [a["href"][1:] for t, a in walked.tags if t == "a" and a["href"].startswith("#")]
    assert set(inner) <= targets


def test_the_runner_keeps_it_and_the_index_leads_to_it(study):
    """Under a record page and Markdown lie beside it, and the index links them on top of all."""
    made = study.report()
    folder = study.folder / "33_final_report"
    record = report.start_record(
        analysis=folder.name,
        title="33 · Final report",
        dataset=study.dataset,
        config=study.config,
        folder=folder,
    )
    final.publish(made)
    report.finding("{decision}", decision=made.decision)
    record.finish({"git_commit": "a" * 40})
    Record.current = None
    assert (folder / "attachments" / "report.html").read_text(encoding="utf-8") == made.html
    assert (folder / "attachments" / "report.md").read_text(encoding="utf-8") == made.markdown
    rows = [{"name": folder.name, "title": "33 · Final report", "state": "passed"}]
    index = pages.render_index(study.folder, rows).read_text(encoding="utf-8")
    first = index.index(
        'href="33_final_report/attachments/report.html">The final report</a> Act with'
    )
    assert first < index.index('<ol class="cards">')
    rows[0]["state"] = "failed"
    assert 'class="final"' not in pages.render_index(study.folder, rows).read_text(encoding="utf-8")


def test_without_a_record_nothing_is_written(study, capsys):
    """A plain script shows where the runner keeps the report, and writes none."""
    final.publish(study.report())
    assert "run_analyses keeps it as report.html" in capsys.readouterr().out
    assert not (study.folder / "33_final_report").exists()


def test_terms_are_explained_only_where_used(study):
    """The glossary holds the words that occur; the first of them on the page links there."""
    page = study.report().html
    assert 'id="term-champion"' in page
    assert 'href="#term-champion"' in page
    assert 'id="term-tpe"' not in page


def test_checklists_are_whole():
    """REFORMS has 32 items in 8 modules, TRIPOD+AI 27 main items, all numbered as published."""
    reforms, tripod = checklists._items()["reforms"], checklists._items()["tripod"]
    letters = {
        1: "abc",
        2: "abcde",
        3: "abcdefg",
        4: "abc",
        5: "abcdef",
        6: "abc",
        7: "abc",
        8: "ab",
    }
    assert [i["id"] for i in reforms] == [f"{n}{c}" for n, abc in letters.items() for c in abc]
    assert len([i for i in reforms if "module" in i]) == 8
    assert [i["id"] for i in tripod] == [str(n) for n in range(1, 28)]


def test_own_words_hold_no_number():
    """No sentence of cards and checklists types a number: every digit stands in a placeholder."""
    from lib.report.final.cards import _headings

    templates = [
        t for items in checklists._items().values() for i in items for t in i.get("answer", ())
    ]
    templates += [t for parts in _headings().values() for part in parts for t in part["answer"]]
    assert len(templates) > 80
    for template in templates:
        assert not re.search(r"\d", re.sub(r"\{[^}]*\}", "", template)), template
        for name in re.findall(r"\{(\d\d)\.", template):
            assert name in inputs.NAMES


def test_an_item_without_record_is_open(study):
    """Ethical approval is nothing that a run records; a table without licence leaves its item open."""
    facts = build.Facts(study.check(), {})
    answers = {a.number: a.state for a in checklists.answer("tripod", facts, task="binary")}
    assert answers["17"] == answers["19"] == "open"
    assert answers["25"] == "answered"
    assert answers["18"] == "open"  # neither source nor licence are known


def test_no_gaps_is_an_answer(study):
    """Where 01 found no column with gaps, the items on missing values say so."""
    values = study.values("01", "binary")
    del values["n_gaps"]
    study.make("01", **values)
    facts = build.Facts(study.check(draft=True), {})
    answers = {a.number: a for a in checklists.answer("tripod", facts, task="binary")}
    said = "".join(part.text for line in answers["11"].lines for part in line)
    assert said.startswith("No column of the training rows has missing values")


def test_glossary_patterns_find_their_terms():
    """Each term is found in a text that uses it, and explained without a digit."""
    for term, (how, means) in glossary.terms().items():
        re.compile(how)
        assert len(means) > 20, term
        assert not re.search(r"\d", means), term


def test_the_runner_and_the_report_agree(project, monkeypatch):
    """What the runner calls unchanged holds; what it would run again is stale or edited; it mends it."""
    find = "from lib import report\n_ = report.finding('{data} rows.', data=%d)"
    project.write("01_exploratory", find % 3)
    project.write("02_quality", find % 4, needs="01")
    assert project.run("01", "02").returncode == 0
    made = json.loads((project.reports / "01_exploratory" / "findings.json").read_text())
    monkeypatch.setenv("STUDY_REPORTS", str(project.reports.parent))

    def states() -> list[str]:
        read = final.read_inputs(
            load_config(),
            dataset="rand_hie",
            fingerprint=made["provenance"]["data_fingerprint"],
            numbers=("01", "02"),
            analyses=project.analyses,
        )
        return [given.state for given in read]

    assert states() == ["valid", "valid"]
    path = project.reports / "01_exploratory" / "findings.json"
    path.write_text(path.read_text().replace('"value": 3', '"value": 5'))
    assert states() == ["edited", "stale"]
    done = project.run("01", "02", "--explain")
    assert "01_exploratory: runs: its findings were edited" in done.stdout
    assert states() == ["valid", "valid"]
    project.write("01_exploratory", find % 6)
    assert states() == ["stale", "valid"]
    assert project.run("01").returncode == 0
    assert states() == ["valid", "stale"]


def test_a_draft_runs_although_its_needs_failed(project):
    """33 is blocked by a failed need; with --draft it runs alone, and the need does not."""
    project.write("12_fails", "raise ValueError('no')")
    path = project.write("33_report", "print('drafted', draft)", needs="12")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("# %%\nprint", '# %% tags=["parameters"]\ndraft = False\n\n# %%\nprint')
    )
    blocked = project.run("33")
    assert blocked.returncode == 1
    assert "needs 12, which failed" in blocked.stdout
    done = project.run("33", "--draft")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12_fails: started" not in done.stdout
    assert project.run("12", "--draft").returncode == 2  # 12 has no such parameter


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDER = """limit => [...document.querySelectorAll('main *')]
  .filter(e => !e.closest('.scroll') && e.getBoundingClientRect().right > limit)
  .map(e => e.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return a browser and the address of a report with long names, as a draft."""
    from playwright.sync_api import sync_playwright

    root = tmp_path_factory.mktemp("browser")
    study = Study(root, name="a_column_with_a_name_" + "x" * 120)
    long = "a model / " + "with a long name " * 6 + "y" * 90
    study.make("32", said=long, **study.values("32", "binary") | {"champion": long})
    study.findings("30").unlink()
    path = root / "report.html"
    path.write_text(study.report(draft=True).html, encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser, path.as_uri()
        browser.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
def test_a_phone_shows_it_without_sideways_scrolling(opened):
    """At 390 pixels only tables scroll, in their own box; nothing asks for the network."""
    browser, address = opened
    page = browser.new_page(viewport={"width": 390, "height": 844})
    asked, complaints = [], []
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(WIDER, 391) == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
    page.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
def test_it_prints_on_a4(opened):
    """Nothing is wider than the paper, no figure higher than a page; the PDF has several pages."""
    browser, address = opened
    page = browser.new_page(viewport={"width": 680, "height": 1000})
    page.emulate_media(media="print")
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    heights = "[...document.querySelectorAll('figure')].map(e => e.getBoundingClientRect().height)"
    assert max(page.evaluate(heights)) < 900
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 5
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
def test_words_stand_out_from_their_background(opened, scheme):
    """Text has the contrast that WCAG 2 asks for (4.5 to 1), light and dark."""
    browser, address = opened
    page = browser.new_page(color_scheme=scheme)
    page.goto(address)
    weak = page.evaluate("""() => {
      const rgb = c => c.match(/[\\d.]+/g).map(Number);
      const light = c => c.slice(0, 3).map(v => v / 255)
        .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
      const behind = e => { for (; e; e = e.parentElement) {
        const c = rgb(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
      const kinds = 'p, li, a, td, th, .badge, h1, h2, h3, dt, dd, span, code, caption, figcaption';
      return [...document.querySelectorAll(kinds)].map(e => {
        const both = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
        const [a, b] = both.sort((x, y) => y - x);
        return [(a + .05) / (b + .05), e.outerHTML.slice(0, 60)]; }).filter(([r]) => r < 4.5);
    }""")
    assert weak == []
    page.close()
