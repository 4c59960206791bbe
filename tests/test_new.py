"""A new analysis in one command: named, dated, clean, running; and nothing ever overwritten."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib.config import project_root
from lib.errors import InputError
from lib.workbench.cli import main
from lib.workbench.new import check_name, fill_in, git_author, new_analysis
from lib.workbench.scripts import find_scripts

ROOT = project_root()
TEMPLATE = ROOT / "analyses" / "99_notebook_template.py"
FIXED = {"author": "Ada Lovelace", "date": "2026-11-24"}


@pytest.fixture
def folder(tmp_path):
    """Return a folder of analyses: the template and 01."""
    folder = tmp_path / "analyses"
    folder.mkdir()
    for path in (TEMPLATE, *(ROOT / "analyses").glob("01_*.py")):
        shutil.copy(path, folder)
    return folder


def scripts_of(folder):
    """Return the analyses of a folder."""
    return find_scripts(folder, folder.parent / "scripts.json")


def create(folder, name="50_my_experiment", **options):
    """Make an analysis and return its text."""
    path = new_analysis(name, scripts_of(folder), folder, **{**FIXED, **options})
    assert path == folder / f"{path.stem}.py"
    return path.read_text(encoding="utf-8")


def after_first_cell(text):
    """Return a script without its first cell."""
    return text[text.index("\n# %%", 5) :]


def test_the_template_names_what_an_analysis_has():
    """Title, author, date, purpose and status; the five sections in their order."""
    text = TEMPLATE.read_text(encoding="utf-8")
    first = text.partition("\n\n")[0]
    for field in ("Author", "Date", "Purpose", "You need", "Status"):
        assert f"# **{field}** " in first
    assert re.findall(r"^# ## (.+)$", text, re.MULTILINE) == [
        "Setup & configuration",
        "Data loading & first look",
        "Analysis & experimentation",
        "Results & conclusions",
        "Next steps",
    ]


def test_a_copy_has_its_own_title_author_date_and_status(folder):
    """The first cell is the new analysis's own, everything after it the template's."""
    text = create(folder)
    lines = text.splitlines()
    assert lines[1] == "# # 50 · My experiment"
    assert "# **Author** Ada Lovelace" in lines
    assert "# **Date** 2026-11-24" in lines
    assert "# **Status** draft (then: in progress, complete)" in lines
    assert after_first_cell(text) == after_first_cell(TEMPLATE.read_text(encoding="utf-8"))
    script = scripts_of(folder)["50_my_experiment"]
    assert (script.title, script.needs) == ("50 · My experiment", ())


def test_another_analysis_can_be_the_start(folder):
    """Of 01 the copy keeps question and cells, and gets the fields that 01 has not."""
    source = next(folder.glob("01_*.py")).read_text(encoding="utf-8")
    text = create(folder, source="01")
    assert text.startswith(
        "# %% [markdown]\n# # 50 · My experiment\n#\n# **Author** Ada Lovelace\n#\n"
        "# **Date** 2026-11-24\n#\n# **Question** "
    )
    assert "# **Status** draft" in text
    assert "**Status** complete" not in text
    assert after_first_cell(text) == after_first_cell(source)


@pytest.mark.parametrize("source", ["99", "01"])
@pytest.mark.parametrize(
    "author",
    [
        "Ada Lovelace",
        "\N{CYRILLIC CAPITAL LETTER O}\N{CYRILLIC SMALL LETTER ES}\N{CYRILLIC SMALL LETTER A}",
        "Siobhán O\N{RIGHT SINGLE QUOTATION MARK}Neil",
        "李雷",
    ],
)
def test_a_copy_passes_the_linter_as_it_is(source, author, folder):
    """Style and format hold whoever the author is."""
    text = create(folder, source=source, author=author)
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", "analyses/50_x.py", "-"],
            cwd=ROOT,
            input=text.encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@pytest.mark.slow
def test_a_copy_runs_and_records_findings(folder, project):
    """The runner takes the new file at once."""
    create(folder)
    assert project.analyses == folder
    done = project.run("50", "--dataset", "wine", "--effort", "quick")
    assert done.returncode == 0, done.stdout + done.stderr
    found = project.root / "reports" / "wine" / "50_my_experiment" / "findings.md"
    assert found.read_text(encoding="utf-8").startswith("# 50 · My experiment\n")


def test_the_same_words_make_the_same_bytes(folder):
    """With author and date given, nothing depends on who runs it and when."""
    once = create(folder)
    (folder / "50_my_experiment.py").unlink()
    assert create(folder) == once


def test_the_author_is_who_commits(tmp_path):
    """Git's user.name, on one line; a login name where git knows nobody."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    name = ["git", "config", "user.name", "Grace\tBrewster  Hopper"]
    subprocess.run(name, cwd=tmp_path, check=True)
    assert git_author(tmp_path) == "Grace Brewster Hopper"


def test_without_git_the_author_is_who_is_logged_in(tmp_path, monkeypatch):
    """No git at all is no reason to fail."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("LOGNAME", "ada")
    assert git_author(tmp_path) == "ada"


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("my_experiment", "50_my_experiment"),
        ("50-my-experiment", "50_my_experiment"),
        ("50_My Experiment", "50_my_experiment"),
        ("5_x", "05_x"),
        ("50", "50_my_experiment"),
        ("50_", "50_my_experiment"),
        ("", "50_my_experiment"),
        ("../50_x", "50_x"),
        ("50_x\n", "50_x"),
        ("\N{ARABIC-INDIC DIGIT FIVE}\N{ARABIC-INDIC DIGIT ZERO}_x", "50_x"),
        ("1234_x", "50_x"),
        ("50_" + "x" * 200, "50_" + "x" * 56),
    ],
)
def test_a_bad_name_is_answered_with_a_good_one(name, better, folder):
    """One sentence: what was expected, what was got, and a name that would do."""
    before = sorted(folder.iterdir())
    with pytest.raises(InputError, match="is no name for an analysis") as error:
        create(folder, name)
    assert str(error.value).endswith(f"such as {better}.")
    assert check_name(better, scripts_of(folder)) == better
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("01_other", "01_exploratory_data_analysis.py"),
        ("001_other", "01_exploratory_data_analysis.py"),
        ("99_other", "99_notebook_template.py"),
    ],
)
def test_a_taken_number_names_who_has_it(name, by, folder):
    """Numbers are how people and analyses refer to each other: each has one owner."""
    with pytest.raises(InputError, match=f"is taken by {by}; a free name is "):
        create(folder, name)


def test_an_existing_file_is_never_overwritten(folder):
    """Not even one that appeared after the names were read."""
    scripts = scripts_of(folder)
    mine = folder / "50_mine.py"
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="taken"):
        new_analysis("50_mine", scripts, folder, **FIXED)
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": "77"}, "There is no analysis '77'"),
        ({"source": "*"}, "--from takes one analysis"),
        ({"date": "tomorrow"}, "--date takes a day such as 2026-11-24; got 'tomorrow'"),
        ({"date": "2026-02-30"}, "--date takes a day"),
    ],
)
def test_a_bad_option_is_one_sentence(options, said, folder):
    """Nothing is written."""
    with pytest.raises(InputError, match=re.escape(said)):
        create(folder, **options)
    assert not list(folder.glob("50_*"))


def test_a_source_without_title_is_one_sentence():
    """There is nothing to fill in."""
    with pytest.raises(InputError, match="no title to replace"):
        fill_in("# %%\nx = 1\n", "50 · X", {})


def test_the_command_says_what_to_do_next(folder, capsys):
    """Exit code 0 and the command that runs it; 2 and one sentence when the name is taken."""
    arguments = ["new", "50_x", "--analyses", str(folder), "--date", "2026-11-24"]
    assert main(arguments) == 0
    assert "nox -s run_analyses -- 50" in capsys.readouterr().out
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said == "Number 50 is taken by 50_x.py; a free name is 51_x.\n"
    assert Path(folder / "50_x.py").is_file()
