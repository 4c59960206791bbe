"""A run does what changed and nothing else, and says why."""

import os
import re

import pytest

from lib.config import load_config, project_root
from lib.errors import InputError
from lib.workbench import keys, scripts
from lib.workbench.imports import Imports


@pytest.fixture
def three(project, tmp_path):
    """Return a project of 01 alone, 02 with a module of ours, and 03 that needs 01."""
    made = project
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "__init__.py").write_text("")
    (tmp_path / "ours" / "style.py").write_text("from ours import deep\n")
    (tmp_path / "ours" / "deep.py").write_text("VALUE = 1\n")
    (tmp_path / "ours" / "other.py").write_text("VALUE = 2\n")
    made.write("01_first", "print('first')")
    made.write("02_second", "from ours import style\nprint(style.deep.VALUE)")
    made.write("03_third", "print('third')", needs="01")
    return made


def ran(done) -> set[str]:
    """Return the numbers of the analyses that were started."""
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"^(\d\d)_\w+: started", done.stdout, flags=re.MULTILINE))


def test_nothing_changed_nothing_runs(three):
    """The second run starts nothing and says "unchanged"; `--fresh` runs all the same."""
    assert ran(three.run()) == {"01", "02", "03"}
    done = three.run()
    assert ran(done) == set()
    assert "3 unchanged" in done.stdout
    for path in three.analyses.glob("*.py"):
        os.utime(path, (0, 0))  # only contents count
    assert ran(three.run()) == set()
    assert ran(three.run("01", "--fresh")) == {"01"}


def test_editing_a_module_runs_exactly_what_reaches_it(three):
    """A change two imports away runs 02 alone, named as the reason; an unused module none."""
    three.run()
    (three.root / "ours" / "other.py").write_text("VALUE = 3\n")
    assert ran(three.run()) == set()
    (three.root / "ours" / "deep.py").write_text("VALUE = 5\n")
    done = three.run("--explain")
    assert ran(done) == {"02"}
    assert "02_second: runs: ours/deep.py changed" in done.stdout
    assert three.texts("02_second") == "5\n"


def test_editing_code_runs_it_and_prose_only_its_page(three):
    """Code runs the analysis; a paragraph renders its page; a heading counts as code."""
    three.run()
    three.write("01_first", "print('changed')")
    done = three.run("--explain")
    assert ran(done) == {"01"}  # it recorded no findings that 03 could have used
    assert "01_first: runs: its code changed" in done.stdout
    three.write("02_second", "from ours import style\nprint(style.deep.VALUE)", prose="Because.")
    assert ran(three.run()) == set()
    title = three.analyses / "02_second.py"
    title.write_text(title.read_text().replace("# # 02 · second", "# # 02 · Second"))
    assert ran(three.run()) == {"02"}


@pytest.mark.slow
def test_new_prose_is_put_round_the_stored_outputs(three):
    """With pages, a changed paragraph appears on the page beside the outputs, without a run."""
    three.light = ("--no-tracking",)
    three.write("01_first", "import time\nprint('at', time.time())", "2 + 2")
    assert ran(three.run("01")) == {"01"}
    before = three.outputs("01_first")
    three.write("01_first", "import time\nprint('at', time.time())", "2 + 2", prose="Anew.")
    done = three.run("01")
    assert "only prose changed" in done.stdout
    assert three.outputs("01_first") == before
    page = (three.reports / "01_first" / "page.html").read_text(encoding="utf-8")
    assert "Anew." in page
    assert "unchanged" in three.run("01").stdout
    assert (three.reports / "index.html").is_file()


def test_findings_decide_whether_what_needs_them_runs(three):
    """02 reads what 01 found: it runs again only when 01 found something else."""
    find = "from lib import report\n_ = report.finding('{n} rows.', n=%d)\n# %s"
    three.write("01_first", find % (3, "a"))
    three.write("03_third", "print('third')", needs="01")
    assert ran(three.run("01", "03")) == {"01", "03"}
    three.write("01_first", find % (3, "another comment"))
    assert ran(three.run("01", "03")) == {"01"}
    three.write("01_first", find % (4, "a"))
    done = three.run("01", "03", "--explain")
    assert ran(done) == {"01", "03"}
    assert "03_third: runs: 01 found something else" in done.stdout


def test_a_need_without_valid_results_runs_too(three):
    """Selecting 03 alone runs 01 first, and says so; later 03 alone, then nothing."""
    done = three.run("03")
    assert ran(done) == {"01", "03"}
    assert "01_first: runs too, 03 needs it and it has no valid result" in done.stdout
    assert ran(three.run("03", "--fresh")) == {"03"}


def test_a_failure_runs_again_until_it_passes(three):
    """What failed is not forgotten, though nothing changed."""
    three.write("02_second", "raise ValueError('no')")
    assert three.run().returncode == 1
    again = three.run("--explain")
    assert again.returncode == 1
    assert "02_second: runs: failed last time" in again.stdout
    assert "01_first: unchanged" in again.stdout


def test_choices_and_parameters_belong_to_the_key(three):
    """Another seed or effort runs all again and names the change."""
    three.run()
    done = three.run("--seed", "1", "--explain", "01")
    assert ran(done) == {"01"}
    assert "seed 0 → 1" in done.stdout
    assert "effort standard → quick" in three.run("--effort", "quick", "--explain", "02").stdout


def test_unknown_names_are_refused_with_a_suggestion(three):
    """One sentence on standard error, exit code 2, nothing run; no analyses is an error too."""
    done = three.run("01_frist")
    assert done.returncode == 2
    assert done.stderr == (
        "There is no analysis '01_frist'. Analyses: 01_first, 02_second, 03_third. "
        "Did you mean '01_first'?\n"
    )
    for path in three.analyses.glob("*.py"):
        path.unlink()
    none = three.run()
    assert none.returncode == 2
    assert none.stderr.startswith("There is no analysis in ")


def test_needs_that_do_not_hold_are_refused(three):
    """A need that does not exist and needs in a circle are named."""
    three.write("03_third", "a = 1", needs="77")
    assert "03_third.py says that it needs 77" in three.run().stderr
    three.write("03_third", "a = 1", needs="01")
    three.write("01_first", "a = 1", needs="03")
    assert "in a circle: 01_first → 03_third → 01_first" in three.run().stderr


def test_selection_takes_numbers_names_patterns_and_paths(tmp_path):
    """`1*` means all that begin with 1; the order is that of the numbers."""
    found = {
        name: scripts.Script(tmp_path / f"{name}.py", name, (), ())
        for name in ("01_a", "10_b", "11_c")
    }
    assert scripts.select(found, ["1*"]) == ["10_b", "11_c"]
    assert scripts.select(found, ["11", "analyses/01_a.py"]) == ["01_a", "11_c"]
    with pytest.raises(InputError, match="no analysis '9'"):
        scripts.select(found, ["9"])


def test_needs_are_read_from_their_line_only():
    """A number in the sentence after the clause is no need."""
    read = scripts._needs
    assert read("# T\n\n**You need** 01, 11 (see 12).\n**Status** 20") == ["01", "11"]
    assert read("**You need** nothing; it takes 20 seconds") == []
    assert read("- **You need:** 30 and 31") == ["30", "31"]


def test_lines_of_cells_are_those_of_the_file(tmp_path):
    """Every code cell of every analysis is found at its line, also where two are alike."""
    twin = tmp_path / "01_twin.py"
    twin.write_text("# %%\n\nx = 1\n\n# %% [markdown]\n# x = 1\n\n# %% Again\nx = 1\n\n# %%\n")
    folders = [tmp_path, project_root() / "analyses"]
    for folder in folders:
        for script in scripts.find_scripts(folder, tmp_path / "cache.json").values():
            lines = script.path.read_text(encoding="utf-8").splitlines()
            for cell in script.cells:
                if cell.kind == "code" and cell.source:
                    end = cell.line - 1 + len(cell.source.splitlines())
                    assert lines[cell.line - 1 : end] == cell.source.splitlines()
    cells = scripts.find_scripts(tmp_path, tmp_path / "cache.json")["01_twin"].cells
    assert [
        cell.line for cell in cells if cell.source.strip() == "x = 1" and cell.kind == "code"
    ] == [2, 9]


def test_closures_follow_every_form_of_import(tmp_path):
    """Absolute, relative and lazy imports, packages with data files; the rest stays outside."""
    package = tmp_path / "ours"
    (package / "sub").mkdir(parents=True)
    files = {
        "ours/__init__.py": "",
        "ours/a.py": (
            "from . import b\nimport numpy as np\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    import ours.unused\n"
        ),
        "ours/b.py": "def f():\n    from ours.sub import anything\n    import torch\n",
        "ours/sub/__init__.py": "def __getattr__(name): ...\n",
        "ours/sub/c.py": "",
        "ours/sub/lazy.py": "from ..d import x\n",
        "ours/sub/style.css": "",
        "ours/d.py": "",
        "ours/unused.py": "",
        "01_x.py": "import json\nimport ours.a\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    reached = Imports([tmp_path], tmp_path / "cache.json").closure(tmp_path / "01_x.py")
    assert set(reached.files) == set(files) - {"01_x.py", "ours/unused.py"}
    assert reached.packages == {"numpy", "torch"}
    assert reached.at_start == {"numpy"}
    assert reached.on_demand == {"torch"}


def test_only_packages_in_use_count(tmp_path, monkeypatch):
    """A newer pandas runs what imports pandas; a newer linter runs nothing."""
    script = tmp_path / "01_x.py"
    script.write_text("# %%\nimport pandas\n")
    found = scripts.find_scripts(tmp_path, tmp_path / "scripts.json")["01_x"]
    reached = Imports([tmp_path], tmp_path / "imports.json").closure(script)
    now = keys.make_key(found, reached, load_config(), {}, {})
    packages = dict(now["packages"])
    assert keys.changes({**now, "packages": {**packages, "ruff": "0.0.1"}}, now, reached) == []
    older = {**now, "packages": {**packages, "numpy": "1.0"}}  # pandas requires numpy
    assert keys.changes(older, now, reached) == [f"numpy 1.0 → {packages['numpy']}"]
