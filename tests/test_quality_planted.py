"""Quality checks on planted defects: each is found mild and severe, and clean tables are silent."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

import defects_quality  # the planted defects, which the benchmark shares
from lib import quality
from lib.config import load_config, project_root
from lib.data import load_data
from lib.quality.dependencies import check_rules
from lib.quality.drift import check_parts_apart
from lib.quality.missing import check_randomness
from lib.quality.spelling import check_spelling, find_misspelt, find_variants

QUICK = load_config(effort="quick")
# Severe defects go into measured rows, mild ones into generated ones; the benchmark runs them all.
CASES = [
    (defect, defect.bases[-1 if defect.degree == "mild" else min(1, len(defect.bases) - 1)])
    for defect in defects_quality.all_defects()
]


def found_in(checks):
    """Return what was found, as (code, severity, column)."""
    return [(check.code, check.severity, check.column) for check in checks if check.is_found]


def open_frame(frame, target="target", **more):
    """Return a frame as the table that checks look at."""
    return quality.open_table(load_data(frame, target=target, name="made", **more), QUICK)


@pytest.mark.parametrize(("defect", "base"), CASES, ids=lambda v: getattr(v, "name", v))
def test_planted_defects_are_found(defect, base, tmp_path):
    """The right check finds each defect in the right column."""
    checks = defects_quality.run_defect(defect, base, seed=7, config=QUICK, folder=tmp_path)
    assert defects_quality.is_found(defect, checks), found_in(checks)


def test_the_corpus_has_every_check():
    """Each question is planted for, mild and severe."""
    planted = {(defect.code, defect.degree) for defect in defects_quality.all_defects()}
    assert planted == {
        (code, degree) for code in quality.QUESTIONS for degree in ("mild", "severe")
    }


@pytest.mark.parametrize("base", ["breast_cancer", "diabetes", "planted", "clusters"])
def test_clean_tables_stay_silent(base):
    """Measured and generated tables with cities, dates and body measures raise nothing at all."""
    assert found_in(defects_quality.run_clean(base, config=QUICK)) == []


def test_the_target_of_test_rows_is_never_read():
    """Scrambling the target of the test rows changes no answer."""
    frame, target = defects_quality.make_base("breast_cancer")
    dataset = load_data(frame, target=target, name="made")
    y = dataset.y.copy()
    y.iloc[dataset.split.test] = y.iloc[dataset.split.test].to_numpy()[::-1]
    other = load_data(frame, target=target, name="made")
    object.__setattr__(other, "y", y)
    other.__dict__["split"] = dataset.split  # the same rows are locked
    answers = [quality.assess(d, config=QUICK) for d in (dataset, other)]
    assert [str(c) for c in answers[0]] == [str(c) for c in answers[1]]


# ── gaps ────────────────────────────────────────────────────────────────────────────────────


def test_little_repeats_the_published_value():
    """Air quality of New York: naniar's mcar_test prints 35.1, 14, 0.00142 and 4 patterns [1]_.

    .. [1] N. Tierney, D. Cook (2023). JSS 105(7); example of naniar::mcar_test.
    """
    path = project_root() / "tests" / "references" / "airquality.csv"
    table = pl.read_csv(path, null_values="NA").cast(pl.Float64)
    little = quality.little_mcar(table.to_numpy())
    assert round(little.statistic, 1) == 35.1
    assert (little.degrees, little.n_patterns) == (14, 4)
    assert round(little.p_value, 5) == 0.00142


def test_gaps_with_a_meaning_are_told_instead_of_tested():
    """No total where nothing was billed yet: the gaps are exactly the rows with 0 months."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"months": rng.integers(0, 30, 400), "fee": rng.normal(50, 9, 400)})
    frame["total"] = (frame["months"] * frame["fee"]).where(frame["months"] > 0)
    checks = check_randomness(open_frame(frame.assign(target=rng.choice(["a", "b"], 400))))
    assert found_in(checks) == [("Q02", "warning", "total")]
    assert "where 'months' is 0" in checks[0].evidence


# ── cells ───────────────────────────────────────────────────────────────────────────────────


def test_a_misspelt_class_is_an_error():
    """A slip in a label makes a class of its own; the check says which one is meant."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "target": ["failure", "attack"] * 100})
    frame.loc[[4, 9, 40], "target"] = ["faixure", "attxck", "Failure"]
    checks = check_spelling(open_frame(frame))
    assert found_in(checks) == [("Q10", "error", "target")]
    assert "'faixure' for 'failure'" in checks[0].evidence


def test_a_misspelt_group_is_an_error(tmp_path):
    """A person whose name is misspelt once would lie on both sides of a split."""
    frame = pd.DataFrame(
        {"person": np.repeat([f"{n} Smith" for n in ("Anna", "Boris", "Clara")], 30)}
    )
    frame = frame.assign(x=np.arange(90.0) % 17, target=["a", "b"] * 45)
    frame.loc[3, "person"] = "Annx Smith"
    dataset = load_data(frame, target="target", name="made")
    groups = dataset.X.pop("person").astype("str").rename("person")
    grouped = dataset.__class__(
        "made", dataset.X, dataset.y, task="binary", classes=("a", "b"), groups=groups, part="train"
    )
    checks = check_spelling(quality.open_table(grouped, QUICK))
    assert found_in(checks) == [("Q10", "error", "person")]


@pytest.mark.parametrize(
    ("rare", "frequent"),
    [("south center", "north center"), ("A12", "A13"), ("al_1", "ak_1"), ("other", "mother")],
)
def test_another_word_is_no_slip(rare, frequent):
    """Words that differ in a meaning are not taken for a slip of each other."""
    values = pl.Series([frequent] * 60 + ["west wing"] * 60 + [rare])
    assert find_variants(values) == []


def test_slips_are_shown_as_written():
    """Numbers beside the misspelt word stay in what the cell should read."""
    series = pl.Series([f"{n} patients" for n in range(60)] + ["7 patixnts"])
    ((row, variant),) = find_misspelt(series)
    assert (row, variant.written, variant.meant) == (60, "7 patixnts", "7 patients")


def make_hospitals(rng, n_rows=600):
    """Return visits of clinics whose code decides name, city, zip and owner, and one code more."""
    clinic = rng.integers(40, size=n_rows)
    cities = ["birmingham", "florence", "guntersville", "enterprise", "cullman", "alexander city"]
    measure = rng.integers(12, size=n_rows)
    return pl.DataFrame(
        {
            "clinic": [f"{10_000 + c}" for c in clinic],
            "city": [cities[c % 6] for c in clinic],
            "zip": [f"{35_000 + 17 * (c % 20)}" for c in clinic],
            "owner": [["government", "voluntary", "proprietary"][c % 20 % 3] for c in clinic],
            "measure": [f"infarction-{m}" for m in measure],
            "condition": [["heart attack", "pneumonia", "heart failure"][m % 3] for m in measure],
            "patients": [f"{n} patients" for n in rng.integers(5, 90, n_rows)],
        }
    )


def test_suspect_cells_are_the_wrong_ones():
    """Of cells with one letter replaced, nine in ten are found, and 19 of 20 found are wrong."""
    rng = np.random.default_rng(1)
    right = make_hospitals(rng)
    cells = {name: right[name].to_list() for name in right.columns}
    wrong = set()
    for _ in range(100):
        row, name = int(rng.integers(len(right))), right.columns[rng.integers(right.width)]
        at = rng.integers(len(cells[name][row]))
        cells[name][row] = cells[name][row][:at] + "x" + cells[name][row][at + 1 :]
        wrong.add((row, name))
    found = {(s.row, s.column): s for s in quality.find_suspect_cells(pl.DataFrame(cells))}
    hits = wrong & set(found)
    assert len(hits) >= 0.9 * len(wrong)
    assert len(hits) >= 0.95 * len(found)
    mended = sum(found[cell].meant == right[cell[1]][cell[0]] for cell in hits)
    assert mended >= 0.8 * len(hits)
    assert quality.find_suspect_cells(right) == []


def test_rules_hold_in_tables_of_any_size():
    """A large table is screened on some rows, and judged on all: no broken cell is lost."""
    rng = np.random.default_rng(2)
    code = rng.integers(30, size=50_000)
    frame = pd.DataFrame(
        {"code": [f"c{c}" for c in code], "place": [f"town {c % 7}" for c in code]}
    )
    frame.loc[[5, 77, 40_000], "place"] = "town 9"
    rules = quality.find_rules(pl.from_pandas(frame))
    (rule,) = [rule for rule in rules if rule.given == "code"]
    assert rule.broken.tolist() == [5, 77, 40_000]
    assert rule.expected == [f"town {code[row] % 7}" for row in (5, 77, 40_000)]


def test_a_cell_is_reported_once():
    """What a spelling explains is not told again as a broken rule."""
    frame, target = defects_quality.make_base("planted")
    frame.loc[3, "city"] = frame.loc[3, "city"][:-2] + "xx"[:1] + frame.loc[3, "city"][-1:]
    table = open_frame(frame, target)
    assert {
        check.code for check in [*check_spelling(table), *check_rules(table)] if check.is_found
    } <= {"Q10"}


# ── parts ───────────────────────────────────────────────────────────────────────────────────


def test_expected_drift_is_one_line():
    """In a split by time columns may drift; one note names them all."""
    frame, target = defects_quality.make_base("planted")
    frame = frame.sort_values("visited").reset_index(drop=True)
    late = np.arange(len(frame)) > 0.8 * len(frame)
    frame["reach"] += 30 * late
    frame["height"] += 30 * late
    dataset = load_data(frame, target=target, name="made")
    if dataset.time is None:
        dataset = dataset.__class__(**{**dataset.__dict__, "time": dataset.X["visited"]})
    checks = check_parts_apart(quality.open_table(dataset, QUICK))
    assert [check.severity for check in checks] == ["note"]
    assert "'reach'" in checks[0].evidence
    assert "'height'" in checks[0].evidence


def test_sampling_is_said():
    """Drift of large parts is studied on a sample, and the finding says on how many rows."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=60_000), "target": rng.choice(["a", "b"], 60_000)})
    dataset = load_data(frame, target="target", name="made")
    dataset.X.loc[dataset.split.test, "x"] += 2
    checks = check_parts_apart(quality.open_table(dataset, QUICK))
    assert found_in(checks) == [("Q20", "warning", "x")]
    assert "studied on 20,000 and 12,000 rows" in checks[0].evidence


# ── the schema ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("base", ["breast_cancer", "diabetes", "planted"])
def test_a_proposed_schema_survives_text_and_is_kept_by_the_test_rows(base):
    """What is proposed from training rows reads back the same, and fresh rows break none of it."""
    frame, target = defects_quality.make_base(base)
    dataset = load_data(frame, target=target, name="made")
    proposed = quality.propose_schema(dataset)
    schema = quality.read_schema(quality.write_schema(proposed))
    assert schema == proposed
    rules = quality.tabulate_rules(dataset, schema)
    assert (rules[["training", "test"]] == "pass").to_numpy().all(), rules.to_string()


def test_a_category_seen_once_is_no_closed_list():
    """Where a level was seen once others will come, so levels are listed only when all repeat."""
    words = ["red", "green"] * 100
    frame = pd.DataFrame({"a": words, "b": [*words[:-1], "blue"], "target": ["x", "y"] * 100})
    dataset = load_data(frame, target="target", name="made")
    columns = quality.propose_schema(dataset.train).columns
    assert columns["a"].allowed == ("green", "red")
    seen_once = (dataset.train.X["b"] == "blue").sum() == 1
    assert (columns["b"].allowed is None) == seen_once


def make_project(tmp_path):
    """Copy what a run of 02 needs, so that its schema is kept there and not in this repository."""
    for name in ("lib", "data/catalog.toml", "pyproject.toml", "jupytext.toml"):
        source, target = project_root() / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, target)
    script = "02_data_quality_assessment.py"
    (tmp_path / "analyses").mkdir()
    shutil.copy(project_root() / "analyses" / script, tmp_path / "analyses" / script)
    return tmp_path


def command(folder, *arguments):
    """Run the command line in a copy of the project."""
    return subprocess.run(
        [sys.executable, "-m", "lib.workbench", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "STUDY_REPORTS": str(folder / "reports")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.slow
def test_a_schema_is_proposed_accepted_and_enforced(tmp_path):
    """02 proposes, `schema accept` keeps, `run 02 --strict` passes, and fails on a broken rule."""
    folder = make_project(tmp_path)
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"height": rng.normal(172, 9, 300).round(1), "x": rng.normal(size=300)})
    frame["kind"] = rng.choice(["a", "b"], 300)
    frame["target"] = np.where(frame["x"] + rng.normal(size=300) > 0, "yes", "no")
    frame.to_csv(folder / "people.csv", index=False)
    run = ("run", "02", "--dataset", "people.csv", "--effort", "quick", "--strict")
    light = ("--no-tracking", "--no-pages")
    first = command(folder, *run, *light)
    assert first.returncode == 0, first.stdout + first.stderr
    accepted = command(folder, "schema", "accept", "--dataset", "people.csv")
    assert "data/schemas/people.toml is new" in accepted.stdout
    again = command(folder, *run, *light)
    assert again.returncode == 0, again.stdout + again.stderr
    frame.loc[::20, "height"] = 900.5
    frame.to_csv(folder / "people.csv", index=False)
    broken = command(folder, *run, *light)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "Q22 in 'height'" in broken.stdout
