"""The checklist finds what was planted, where it was planted, and nothing else."""

import json
import re
import subprocess
import sys
import textwrap

import pytest
import yaml

from lib.config import load_config, project_root
from lib.errors import InputError
from lib.workbench.checklist.command import CHECKS, judge, run_checklist
from lib.workbench.checklist.rules import RULES, as_guide
from lib.workbench.cli import main
from lib.workbench.new import new_analysis
from lib.workbench.scripts import find_scripts

ROOT = project_root()
MARK = re.compile(r"  ⚑ ?([A-Z]\d\d(?: [A-Z]\d\d)*)$", re.MULTILINE)

TITLE = """
# %% [markdown]
# # 50 · Planted
#
# **Question** Does the checklist find what stands below?
"""
SETUP = """
# %% Setup
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import torch
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import KFold, train_test_split

from lib import plots, report
from lib.config import load_config
from lib.data import load_data

config = load_config()
train = load_data(config.dataset).train
used = (DummyClassifier, HistGradientBoostingClassifier, KFold, KMeans, RandomForestClassifier)
also = (np, pd, pl, plots, plt, stats, torch, train_test_split)
"""
END = """
# %% [markdown]
# ## Conclusion
#
# What was found.

# %% Findings
report.finding("Rows: {n}.", n=len(train))
"""


def analysis(cells, *, title=TITLE, setup=SETUP, end=END):
    """Return a script of ours round planted cells."""
    parts = [textwrap.dedent(part).strip("\n") for part in (title, setup, cells, end)]
    return "\n\n".join(part for part in parts if part) + "\n"


# Each line that ends with a flag is where the named rules, and no others, have to fire.
CORPUS = {
    "clean": analysis("""
        # %% [markdown]
        # ## Why?

        # %% A figure, a forest, a fold
        figure, ax = plt.subplots()
        ax.plot([1, 2])
        ax.set(title="Growth", xlabel="day", ylabel="m")
        forest = RandomForestClassifier(random_state=config.seed)
        folds = KFold(5)
        rng = np.random.default_rng(config.seed)
        page = "https://example.org/data.csv"
        route = "/" + "n/a"
        ratio = "a/b"
        rows = train.X.sample(10, random_state=config.seed)
        for i in range(3):
            rows = rows.sort_index()
        """),
    "A01 without title cell": analysis(
        "", title="", setup=SETUP.replace("# %% Setup", "# %% Setup  ⚑ A01", 1)
    ),
    "A01 without question": analysis("", title="""
        # %% [markdown]
        # # 50 · Planted  ⚑ A01
        #
        # **Author** Ada
        """),
    "A01 placeholder": analysis("", title="""
        # %% [markdown]
        # # Title  ⚑ A01
        #
        # **Purpose** To find out what happens here.
        """),
    "A02 import in a later cell": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Late
        import json  ⚑ A02
        text = json.dumps({})
        if text:
            from math import pi  ⚑ A02
            report.finding("{pi}", pi=pi)


        def read():
            import tomllib

            return tomllib


        read()
        """),
    "A03 four code cells in a row": analysis("""
        # %% [markdown]
        # ## Why?

        # %% One
        one = 1

        # %% Two
        two = 2

        # %% Three
        three = 3

        # %% Four
        four = 4  ⚑ A03
        """),
    "A03 a page of code": analysis(
        "# %% [markdown]\n# ## Why?\n\n# %% Long\nrow_0 = 0  ⚑ A03\n"
        + "\n".join(f"row_{i} = {i}" for i in range(1, 61))
    ),
    "A04 names": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Names
        df2 = train.X  ⚑ A04
        tmp = df2  ⚑ A04
        (a, y) = (1, 2)  ⚑ A04
        X, n = df2, 3
        total = sum(b for b in range(n))


        def foo():  ⚑ A04
            q = 1
            return q
        """),
    "A05 raw figures": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Nothing said
        plt.plot([1, 2])  ⚑ A05

        # %% No label
        figure, ax = plt.subplots()
        ax.scatter([1], [2])  ⚑ A05
        ax.set_title("Points")
        ax.set_xlabel("x")

        # %% [markdown]
        # Why?

        # %% A frame
        ax = train.X.plot.bar()  ⚑ A05
        """),
    "A06 nothing recorded": analysis("", end="""
        # %% [markdown]
        # ## Conclusion
        """).replace("# # 50 · Planted", "# # 50 · Planted  ⚑@1 A06").replace(", report\n", "\n"),
    "A07 pasted outputs": analysis("""
        # %% [markdown]
        # ## Why?

        # %% A picture
        picture = "data:image/png;base64,iVBOR"  ⚑ A07
        """),
    "A08 places": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Places
        home = "/home/ada/visits"  ⚑ A08
        disk = "C:\\\\Users\\\\ada"  ⚑ A08
        share = r"\\\\server\\data\\x"  ⚑ A08
        table = pd.read_csv("../visits.csv")  ⚑ A08
        lazy = pl.scan_parquet(f"data/{config.seed}.parquet")  ⚑ A08
        table.to_csv("out.csv")  ⚑ A08
        tilde = "~/visits.csv"  ⚑ A08
        here = __file__  ⚑ A08
        fine = load_data("data/processed/features.parquet")
        """),
    "A09 seeds": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Shared
        np.random.seed(0)  ⚑ A09
        noise = np.random.normal(size=3)  ⚑ A09
        weights = torch.rand(3)  ⚑ A09
        torch.manual_seed(1)  ⚑ A09

        # %% Missing
        forest = RandomForestClassifier(n_estimators=10)  ⚑ A09
        parts = train_test_split(train.X)  ⚑ A09
        kept = train_test_split(train.X, shuffle=False)
        folds = KFold(5, shuffle=True)  ⚑ A09
        calm = KFold(5)
        rng = np.random.default_rng()  ⚑ A09
        rows = train.X.sample(10)  ⚑ A09
        dummy = DummyClassifier(strategy="stratified")  ⚑ A09
        floor = DummyClassifier(strategy="prior")
        options = {"random_state": config.seed}
        groups = KMeans(8, **options)

        # %% [markdown]
        # Why?

        # %% Wrong
        boosting = HistGradientBoostingClassifier(random_state=None)  ⚑ A09
        typed = KMeans(8, random_state=42)  ⚑ A09
        """),
    "C01 markers some editors do not see": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Inside
        text = '''
        # %% in a text  ⚑ C01
        '''
        more = 1  # %% behind code  ⚑ C01
        """),
    "C02 a title that jupytext writes otherwise": analysis("""
        # %% [markdown]
        # ## Why?

        #%% No space  ⚑ C02
        more = 1
        """),
    "C03 half a statement": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Half
        values = [  ⚑ C03
            1,

        # %% The other half
            2,  ⚑ C03
        ]
        """),
    "C04 what ruff says of cells": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Dropped
        config.seed  ⚑ C04
        unknown_name  ⚑ C04 C04
        len(train)
        """),
    "X exceptions": analysis("""
        # %% [markdown]
        # ## Why?

        # %% Excused
        mount = "/mnt/cluster/visits"  # checklist: A08 the mount of the cluster
        other = "/mnt/cluster/visits"  # checklist: A08  ⚑ A08 X01
        third = "/mnt/cluster/visits"  # checklist: A80 because  ⚑ A08 X01
        calm = 1  # checklist: C04 it was needed once  ⚑ X02
        text = "# checklist: A08 no comment"

        # %% A whole cell
        # checklist: A04 names of the paper
        a = 1
        b = a
        """),
}  # fmt: skip


def planted(text):
    """Return the text without flags, and the (line, code) that they ask for."""
    expected = []
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        at_one = re.search(r"  ⚑@1 (.*)$", line)
        found = at_one or re.search(r"  ⚑ (.*)$", line)
        if found:
            expected += [(1 if at_one else number, code) for code in found.group(1).split()]
        lines.append(line[: found.start()] if found else line)
    return "\n".join(lines) + "\n", sorted(expected)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return the choices of an empty project."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path / "reports"))
    (tmp_path / "analyses").mkdir()
    return load_config().model_copy(update={"root": tmp_path})


def found_in(judgement):
    """Return (line, code) of every problem."""
    return sorted((problem.line, problem.code) for problem in judgement.problems)


@pytest.mark.parametrize("name", CORPUS)
def test_each_rule_fires_where_planted_and_nowhere_else(name, config):
    """Every flagged line, and no other, is reported, with the flagged codes."""
    text, expected = planted(CORPUS[name])
    path = config.analyses / "50_planted.py"
    path.write_text(text, encoding="utf-8")
    judgement = judge([path], config)
    said = "\n".join(f"{p.line} {p.code} {p.message}" for p in judgement.problems)
    assert found_in(judgement) == expected, said


def test_the_corpus_plants_every_rule():
    """No static rule is without a planted fault (A10 takes a run, see below)."""
    codes = {code for text in CORPUS.values() for _, code in planted(text)[1]}
    assert codes == set(RULES) - {"A10"}
    assert len(CHECKS) >= 9


def test_our_analyses_raise_nothing(monkeypatch, tmp_path):
    """By their text alone, all analyses of this project are clean."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    judgement = judge([ROOT / "analyses"], load_config())
    assert not judgement.problems
    assert judgement.n_scripts >= 5


@pytest.mark.parametrize("source", ["99", "01"])
def test_a_new_analysis_raises_nothing(source, config):
    """What `nox -s new` makes is clean before its first edit."""
    scripts = find_scripts(ROOT / "analyses", config.root / "scripts.json")
    new_analysis("50_my_experiment", scripts, config.analyses, source=source, author="Ada")
    assert not judge([config.analyses], config).problems


COLLEAGUE = """\
'''Survival on the Titanic
=======================

Which passengers survived, and does a forest know more than a tree?
'''
# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

URL = "https://example.org/titanic.csv"
passengers = pd.read_csv(URL)

# %% [markdown]
# ## A forest

# %%
forest = RandomForestClassifier(random_state=0).fit(passengers[["age"]], passengers["survived"])
print(forest.score(passengers[["age"]], passengers["survived"]))
"""


def test_a_clean_script_of_a_colleague_raises_nothing(config):
    """Without `lib`, a docstring is a title, a typed seed is a seed, a printed score a finding."""
    path = config.root / "titanic.py"
    path.write_text(COLLEAGUE, encoding="utf-8")
    assert found_in(judge([config.root / "titanic.py"], config)) == []
    path.write_text(COLLEAGUE.replace("random_state=0", "max_depth=3"), encoding="utf-8")
    assert found_in(judge([config.root], config)) == [(17, "A09")]


def test_notebooks_in_git_and_outputs_beside_scripts_are_reported(config):
    """Without git, a notebook with outputs; in our own project, whatever notebook git keeps."""
    bare = {"cells": [{"cell_type": "code", "outputs": []}]}
    full = {"cells": [{"cell_type": "code", "outputs": [{"output_type": "stream"}]}]}
    (config.root / "plain.ipynb").write_text(json.dumps(bare))
    (config.root / "full.ipynb").write_text(json.dumps(full))
    (config.analyses / "x.py").write_text("")
    names = [p.path.name for p in judge([config.root], config).problems if p.code == "A07"]
    assert names == ["full.ipynb"]
    subprocess.run(["git", "init", "-q", str(config.root)], check=True)
    subprocess.run(["git", "add", "plain.ipynb"], cwd=config.root, check=True)
    names = [p.path.name for p in judge([config.root], config).problems if p.code == "A07"]
    assert names == ["plain.ipynb"]


def test_annotations_and_text_name_file_line_reason_and_way_out(config, capsys, monkeypatch):
    """Both formats carry code, place, why and way out; GitHub's is escaped, and chosen there."""
    path = config.root / "x.py"
    path.write_text(COLLEAGUE.replace("random_state=0", "max_depth=3"), encoding="utf-8")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert run_checklist([path], config, sys.stdout) == 1
    text = capsys.readouterr().out
    assert "x.py:17: A09 `RandomForestClassifier` without `random_state`" in text
    assert RULES["A09"].why in text
    assert RULES["A09"].way_out in text
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run_checklist([path], config, sys.stdout) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert re.match(r"::error file=\S*x\.py,line=17,title=A09 [^,:]*::.*%0AWay out: ", first)


def test_what_cannot_be_judged_is_one_sentence(config, capsys):
    """A missing path and an empty folder are input errors, exit code 2 on the command line."""
    with pytest.raises(InputError, match=r"There is no .*nowhere"):
        judge([config.root / "nowhere"], config)
    assert main(["checklist", str(config.analyses)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_guide_holds_every_rule():
    """`docs/checklist.md` ends with what the code says of each rule."""
    guide = (ROOT / "docs" / "checklist.md").read_text(encoding="utf-8")
    assert guide.endswith(as_guide())


def test_pre_commit_does_what_lint_does():
    """The hooks are the commands of `nox -s lint`, in its order."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    lint = (ROOT / "noxfile.py").read_text().partition("def lint")[2].partition("@nox")[0]
    calls = re.findall(r"session\.run\(PYTHON, (.*?)(?:, \*session\.posargs)?, external", lint)
    commands = [" ".join(re.findall(r'"([^"]+)"', call)) for call in calls]
    assert [h["entry"] for h in hooks] == [f".venv/bin/python {c}" for c in commands]
    assert len(commands) == 4
    assert all(h["always_run"] and not h["pass_filenames"] for h in hooks)


RUN = """
import os
import matplotlib.pyplot as plt
import numpy as np

def draw():
    return getattr(np.random, "ra" + "nd")()

figure, axes = plt.subplots(1, 2)
axes[0].plot([1, 2])
axes[1].plot([1, 2])
axes[1].set(title="Growth", xlabel="day", ylabel="m")
value = draw()
with open(os.environ["FAR"]) as file:
    text = file.read()
"""


def test_a_run_shows_what_the_text_does_not(project, monkeypatch, tmp_path_factory):
    """Bare axes, the shared random state, a far file and a slow run, each at its line."""
    far = tmp_path_factory.mktemp("far") / "visits.csv"
    far.write_text("1")
    path = project.write("01_seen", RUN)
    (project.root / "temporary").mkdir()
    where = {"FAR": str(far), "TMPDIR": str(project.root / "temporary")}
    done = project.run(**where)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((project.reports / "01_seen" / "record.json").read_text())["observed"]
    lines = path.read_text().splitlines()
    assert [(lines[a["line"] - 1], a["what"], a["lacks"]) for a in record["axes"]] == [
        ("figure, axes = plt.subplots(1, 2)", "panel 1 of 2", ["title", "x label", "y label"])
    ]
    assert [a["path"] for a in record["absolute"]] == [str(far)]
    manifest = project.reports / "manifest.json"
    entries = json.loads(manifest.read_text())
    entries["analyses"]["01_seen"]["seconds"] = 301.0
    manifest.write_text(json.dumps(entries))
    monkeypatch.setenv("STUDY_REPORTS", str(project.root / "reports"))
    config = load_config().model_copy(update={"root": project.root})
    seen = [(p.code, p.message) for p in judge([project.analyses], config).problems]
    assert any(c == "A05" for c, _ in seen)
    assert any(c == "A08" and str(far) in m for c, m in seen)
    assert any(c == "A10" for c, _ in seen)
    path.write_text(path.read_text() + "\n# %%\nmore = 1\n")
    later = {p.code for p in judge([project.analyses], config).problems}
    assert "A10" not in later


def test_the_shared_random_state_is_watched(project):
    """A cell that draws from numpy's shared state is named; one with a generator is not."""
    project.write(
        "01_draws",
        "import numpy as np\nimport random",
        "value = getattr(np.random, 'ra' + 'nd')()",
        "value = np.random.default_rng(0).random()",
    )
    assert project.run().returncode == 0
    record = json.loads((project.reports / "01_draws" / "record.json").read_text())["observed"]
    assert [moved["whose"] for moved in record["random"]] == ["numpy.random"]
