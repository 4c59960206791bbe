"""The diff says what changed, all of it, and nothing else; tolerance forgives only rounding."""

import json
import subprocess

import pandas as pd
import pytest

from lib.config import Config
from lib.errors import InputError
from lib.estimates import Estimate
from lib.report import command
from lib.report.diff import diff, diff_beyond_tolerance
from lib.report.findings import finding, table, warning
from lib.report.record import Record, start_record


@pytest.fixture
def config(tmp_path, monkeypatch) -> Config:
    """Return a study in its own git repository."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path / "reports"))
    monkeypatch.setattr(Record, "current", None)
    (tmp_path / "analyses" / "findings").mkdir(parents=True)
    git(tmp_path, "init", "-q")
    return Config(root=tmp_path)


def git(folder, *arguments):
    """Run git with a name of its own."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def run(
    config,
    *,
    auc=(0.7721, 0.7604, 0.7838),
    n=14_266,
    best="ridge",
    warnings=(),
    rows=None,
    extra=(),
    **rest,
):
    """Record an analysis as a run does and return its Markdown."""
    effort = rest.pop("effort", "standard")
    record = start_record(
        analysis="11_baseline_models",
        title="11 · Baseline models",
        dataset={"name": "rand_hie", "fingerprint": rest.pop("data", "feed")},
        config=Config(root=config.root, effort=effort, seed=rest.pop("seed", 0)),
        folder=config.reports / "rand_hie" / "11_baseline_models",
    )
    finding("The best of {n} rows is {best}: ROC AUC {auc}.", n=n, best=best, auc=Estimate(*auc))
    for sentence in extra:
        finding(sentence)
    for sentence in warnings:
        warning(sentence)
    table(pd.DataFrame(rows or {"model": ["dummy", "ridge"], "auc": [0.5, 0.772]}), title="Scores")
    record.finish({"git_commit": "abc"})
    Record.current = None
    return record.to_markdown()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"auc": (0.765, 0.75, 0.78)}, ["auc 0.7721 → 0.765: inside noise"]),
        ({"auc": (0.6, 0.58, 0.62)}, ["auc 0.7721 → 0.6: beyond noise"]),
        ({"auc": (0.7721, 0.7, 0.8)}, ["auc 0.7721: interval [0.7604, 0.7838] → [0.7, 0.8]"]),
        ({"n": 14_000}, ["n 14,266 → 14,000"]),
        ({"best": "lightgbm"}, ["best ridge → lightgbm: the choice changed"]),
        ({"warnings": ["A.", "B."]}, ["2 new warnings: A; B"]),
        ({"extra": ["Something else entirely."]}, ["new finding: Something else entirely"]),
        ({"data": "beef"}, ["the data changed: feed → beef"]),
        ({"seed": 1}, ["seed 0 → 1"]),
        ({"effort": "quick"}, ["effort standard → quick"]),
        (
            {"rows": {"model": ["dummy", "svm"], "auc": [0.6, 0.772]}},
            ["table 'Scores': 1 of 2 rows changed, 1 new, 1 gone"],
        ),
        (
            {"rows": {"model": ["ridge", "dummy"], "auc": [0.772, 0.5]}},
            ["table 'Scores': rows in another order"],
        ),
        (
            {"rows": {"model": ["dummy"], "f1": [0.5]}},
            ["table 'Scores': columns changed: new column: f1; gone column: auc"],
        ),
    ],
)
def test_changes_are_said_in_words(config, change, said):
    """One planted change gives one sentence, and the other way round says it is gone."""
    assert diff(run(config), run(config, **change)) == said


def test_gone_and_reworded_sentences(config):
    """A sentence that disappears is gone; one that reads differently is reworded."""
    old = run(config, extra=["Trees overfit on this table.", "Folds keep persons together."])
    assert diff(old, run(config, extra=["Folds keep persons together."])) == [
        "gone finding: Trees overfit on this table"
    ]
    new = run(config, extra=["Trees underfit on this table.", "Folds keep persons together."])
    assert diff(old, new) == [
        "reworded: Trees overfit on this table. → Trees underfit on this table."
    ]


def test_a_number_without_a_value_is_not_overlooked(config):
    """A changed number that no recorded value explains is reported with its sentence."""
    old, new = run(config, extra=["We drew 5 folds."]), run(config, extra=["We drew 6 folds."])
    assert diff(old, new) == ["reworded: We drew 5 folds. → We drew 6 folds."]


def test_hostile_choices_are_compared_as_they_are(config):
    """A choice full of Markdown and HTML survives the file."""
    assert diff(run(config, best="a|b"), run(config, best="<i>*x*")) == [
        "best a|b → <i>*x*: the choice changed"
    ]


def twin(value, *, kind="number", tolerance="blas"):
    """Return the full-precision values of a run with one value."""
    return {"x": {"value": value, "low": None, "high": None, "kind": kind, "tolerance": tolerance}}


def shown(value, kind="number"):
    """Return findings with one value."""
    return f"# T\n\n- It is {value}.\n\n## Values\n\n| name | value | low | high | kind |\n| x | {value} | | | {kind} |\n"


@pytest.mark.parametrize(
    ("committed", "run_shows", "precise", "agrees"),
    [
        ("0.7723", "0.7722", 0.77224999999, True),  # on a rounding edge, within 1e-7
        ("0.7723", "0.7722", 0.77222, False),
        ("1.235", "1.234", 1.2344999, True),
        ("0.5", "0.5001", 0.5001, False),
    ],
)
def test_tolerance_forgives_the_edge_of_rounding_only(committed, run_shows, precise, agrees):
    """Another machine may flip the last shown digit where the exact value lies on its edge."""
    changes = diff_beyond_tolerance(shown(committed), shown(run_shows), twin(precise))
    assert (changes == []) is agrees


def test_counts_and_words_are_exact():
    """A count off by one, or another word, is a difference whatever its size."""
    count = twin(1_000_001, kind="count", tolerance="exact")
    old, new = shown("1,000,000", "count"), shown("1,000,001", "count")
    assert diff_beyond_tolerance(old, new, count) == ["x 1,000,000 → 1,000,001"]


def run_network(config, *, gain=(0.0112, -0.0081, 0.0305), p=0.181, verdict="tied", **table_of):
    """Record an analysis that trained networks; return its Markdown, values and sections."""
    record = start_record(
        analysis="12_advanced_modeling",
        title="12 · Advanced modeling",
        dataset={"name": "rand_hie", "fingerprint": "feed"},
        config=config,
        folder=config.reports / "rand_hie" / "12_advanced_modeling",
    )
    finding(
        "TabM gains {gain} (p {_p}), {verdict}.",
        gain=Estimate(*gain),
        _p=f"{p:.3f}",
        verdict=verdict,
        tolerance="torch",
    )
    rows = {
        "model": ["MLP", "TabM"],
        "score": [Estimate(0.771, 0.761, 0.781), Estimate(0.770, 0.760, 0.780)],
        "p_holm": ["0.512", "< 0.001"],
        "words": ["tied", "worse"],
        "n": [7303, 7303],
    }
    frame = pd.DataFrame({**rows, **table_of})
    table(frame, title="Scores", tolerance="torch")
    record.finish({"git_commit": "abc"})
    Record.current = None
    twin = json.loads((record.folder / "findings.json").read_text(encoding="utf-8"))
    return record.to_markdown(), twin["values"], twin["sections"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"gain": (0.0139, -0.0052, 0.0330)}, []),  # by less than a quarter of its interval's width
        ({"gain": (0.0232, 0.0039, 0.0425)}, ["gain 0.0112 → 0.0232: inside noise"]),
        ({"p": 0.184}, []),
        ({"p": 0.251}, ["reworded: TabM gains 0.011 [-0.008, 0.030] (p 0.181), tied"]),
        ({"verdict": "better"}, ["verdict tied → better: the choice changed"]),
        ({"score": [Estimate(0.770, 0.760, 0.780), Estimate(0.771, 0.761, 0.781)]}, []),
        ({"score": [Estimate(0.778, 0.768, 0.788), Estimate(0.77, 0.76, 0.78)]}, ["1 of 2 rows"]),
        ({"words": ["tied", "better"]}, ["1 of 2 rows changed"]),
        ({"n": [7303, 7304]}, ["1 of 2 rows changed"]),
        (
            {"model": ["TabM", "MLP"], "p_holm": ["< 0.001", "0.512"], "words": ["worse", "tied"]},
            [],
        ),
    ],
)
def test_networks_may_move_by_a_quarter_of_an_interval(config, change, said):
    """Last digits of another processor are forgiven; verdicts, counts, larger steps are not."""
    before = run_network(config)[0]
    after, values, sections = run_network(config, **change)
    changes = diff_beyond_tolerance(before, after, values, sections=sections)
    assert len(changes) == len(said), changes
    assert all(words in change for words, change in zip(said, changes, strict=True))


def test_without_the_class_a_table_is_exact(config):
    """A step in the third digit fails where the analysis did not say that a network made it."""
    rows = {"model": ["dummy"], "auc": [Estimate(0.772, 0.70, 0.84)]}
    moved = {"model": ["dummy"], "auc": [Estimate(0.774, 0.70, 0.84)]}
    before, after = run(config, rows=rows), run(config, rows=moved)
    assert diff_beyond_tolerance(before, after, {}) == ["table 'Scores': 1 of 1 rows changed"]


def test_diff_accept_check_round_trip(config, capsys):
    """A new analysis is new, accepted it agrees, changed it differs until accepted again."""
    git(config.root, "commit", "-q", "--allow-empty", "-m", "start")
    run(config)
    capsys.readouterr()
    assert command.main(["check"], config) == 1
    assert "not committed yet" in capsys.readouterr().out
    assert command.main(["accept"], config) == 0
    git(config.root, "add", "-A")
    git(config.root, "commit", "-q", "-m", "accept")
    capsys.readouterr()
    assert command.main(["check"], config) == 0
    assert command.main(["diff"], config) == 0
    assert "nothing changed: 11_baseline_models" in capsys.readouterr().out
    run(config, n=14_000)
    capsys.readouterr()
    assert command.main(["check", "11"], config) == 1
    assert command.main(["diff", "11"], config) == 0
    assert "  n 14,266 → 14,000" in capsys.readouterr().out
    assert command.main(["diff", "HEAD~1"], config) == 0
    assert "new analysis: 1 finding, 0 warnings" in capsys.readouterr().out
    assert command.main(["accept", "11_baseline_models"], config) == 0
    assert command.main(["check"], config) == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["diff", "no-such"], "git knows no revision 'no-such'"),
        (["diff", "HEAD", "77"], "There is no run of analysis 77 on rand_hie.*-- 77"),
        (["check", "77"], "There is no run of analysis 77"),
    ],
)
def test_what_is_missing_is_one_sentence(config, argv, message):
    """An unknown revision and a missing run name the way out."""
    git(config.root, "commit", "-q", "--allow-empty", "-m", "start")
    run(config)
    with pytest.raises(InputError, match=message):
        command.main(argv, config)


def test_only_standard_runs_are_accepted(config):
    """Findings of a quick run, of another seed, or of a run that failed are refused."""
    run(config, effort="quick")
    with pytest.raises(InputError, match=r"quick effort.*nox -s run_analyses -- 11"):
        command.main(["accept"], config)
    run(config, seed=3)
    with pytest.raises(InputError, match="seed 3"):
        command.main(["accept"], config)
    run(config)
    folder = config.reports / "rand_hie" / "11_baseline_models"
    (folder / "record.json").write_text('{"state": "failed"}')
    with pytest.raises(InputError, match="ended as failed"):
        command.main(["accept"], config)
    assert not list(config.committed_findings.iterdir())


def test_nothing_run_is_an_error(config):
    """Comparing without any run is refused with the command."""
    with pytest.raises(InputError, match=r"There is no run of any analysis.*nox -s run_analyses$"):
        command.main(["check"], config)
