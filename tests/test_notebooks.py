"""Notebooks on demand: made from a script, brought back into it, never over other edits."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from lib import config as config_module
from lib.config import Config, project_root
from lib.errors import InputError
from lib.workbench.cli import main
from lib.workbench.notebooks import (
    as_notebook,
    as_script,
    make_notebooks,
    notebooks_folder,
    sync_notebooks,
    with_outputs,
)
from lib.workbench.scripts import find_scripts

ROOT = project_root()
ANALYSES = sorted((ROOT / "analyses").glob("[0-9]*.py"))
NAME = "50_small"
SCRIPT = """\
# %% [markdown]
# # 50 · Small
#
# **You need** nothing

# %% Setup
import math

# %% Numbers tags=["parameters"]
n = 3

# %%
# copy the frame first
print(math.sqrt(n))
"""


class Study:
    """A project of one script, with commands as methods."""

    def __init__(self, root: Path) -> None:
        self.config = Config(root=root, dataset="wine")
        self.script = root / "analyses" / f"{NAME}.py"
        self.script.parent.mkdir(parents=True)
        self.script.write_text(SCRIPT, encoding="utf-8")
        self.notebook = notebooks_folder(self.config) / f"{NAME}.ipynb"

    def make(self, **options):
        """Make the notebook."""
        return make_notebooks(self.scripts().values(), self.config, **options)

    def sync(self, *names, **options):
        """Bring edits back."""
        return sync_notebooks(names, self.scripts(), self.config, **options)

    def scripts(self):
        """Return the analyses."""
        return find_scripts(self.config.analyses, self.config.reports / ".cache" / "scripts.json")

    def edit_script(self, old, new):
        """Change the script as an editor does."""
        text = self.script.read_text(encoding="utf-8")
        assert old in text
        self.script.write_text(text.replace(old, new), encoding="utf-8")

    def edit_notebook(self, old, new):
        """Change a cell as Jupyter does: new cell ids, metadata and outputs come along."""
        notebook = nbformat.read(self.notebook, as_version=4)
        for cell in notebook.cells:
            cell["id"] = f"changed-{cell['id']}"
            cell.metadata["scrolled"] = True
            cell.source = cell.source.replace(old, new)
            if cell.cell_type == "code":
                cell.execution_count = 7
        notebook.metadata["language_info"] = {"name": "python", "version": "3.11.9"}
        nbformat.write(notebook, self.notebook)

    def both(self):
        """Return the bytes of both files."""
        return self.script.read_bytes(), self.notebook.read_bytes()


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a project of one small script."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    return Study(tmp_path)


def last_run(study, *outputs):
    """Write what the runner leaves of a run: one text per code cell."""
    cells = [cell for cell in as_notebook(SCRIPT).cells if cell.cell_type == "code"]
    for count, (cell, text) in enumerate(zip(cells, outputs, strict=True), 1):
        cell.outputs = [v4.new_output("display_data", data={"text/html": text})]
        cell.execution_count = count
    folder = study.config.reports / "wine" / NAME
    folder.mkdir(parents=True)
    nbformat.write(v4.new_notebook(cells=cells), folder / "notebook.ipynb")


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_a_notebook_gives_back_every_byte_of_its_script(path):
    """Script → notebook file → script is the identity, for each analysis."""
    text = path.read_text(encoding="utf-8")
    as_file = nbformat.writes(as_notebook(text))
    assert as_script(nbformat.reads(as_file, as_version=4)) == text


def test_a_notebook_is_valid_and_carries_the_last_outputs(study):
    """Cells are the script's, outputs the last run's; links to attached pages still lead there."""
    last_run(study, "a", "b", '<iframe src="attachments/page.html">')
    said = study.make()
    notebook = nbformat.read(study.notebook, as_version=4)
    nbformat.validate(notebook)
    assert "3 of 3 code cells with outputs of the last run on wine" in said[0]
    assert notebook.metadata == {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        }
    }
    html = [c.outputs[0].data["text/html"] for c in notebook.cells if c.cell_type == "code"]
    assert html == ["a", "b", f'<iframe src="../wine/{NAME}/attachments/page.html">']


def test_a_cell_changed_since_the_run_has_no_outputs(study):
    """Outputs of another code are no outputs of this one."""
    last_run(study, "a", "b", "c")
    study.edit_script("n = 3", "n = 4")
    assert "2 of 3" in study.make()[0]
    cells = nbformat.read(study.notebook, as_version=4).cells
    assert [len(c.outputs) for c in cells if c.cell_type == "code"] == [1, 0, 1]


def test_repeated_cells_take_their_outputs_in_order():
    """Two cells with the same code keep their own outputs."""
    ours, theirs = as_notebook("# %%\nf()\n\n# %%\nf()\n"), as_notebook("# %%\nf()\n\n# %%\nf()\n")
    for number, cell in enumerate(theirs.cells):
        cell.outputs = [v4.new_output("stream", text=str(number))]
    assert with_outputs(ours, theirs) == (2, 2)
    assert [cell.outputs[0].text for cell in ours.cells] == ["0", "1"]


def test_the_same_script_makes_the_same_bytes(study):
    """Making a notebook twice changes nothing: no random cell ids, no times."""
    study.make()
    before = study.both()
    study.make()
    assert study.both() == before


def test_sync_brings_back_the_edited_lines_only(study):
    """Neither outputs, counts, ids nor metadata of the notebook reach the script."""
    study.make()
    study.edit_notebook("n = 3", "n = 5")
    done, refused = study.sync()
    assert not refused
    assert "1 changed line brought back" in done[0]
    assert study.script.read_text(encoding="utf-8") == SCRIPT.replace("n = 3", "n = 5")
    assert "nothing to do" in study.sync()[0][0]


def test_sync_renews_a_notebook_whose_script_is_newer(study):
    """The script's edit arrives in the notebook, the outputs of other cells stay."""
    last_run(study, "a", "b", "c")
    study.make()
    study.edit_script("n = 3", "n = 4")
    done, _ = study.sync(NAME)
    assert "taken over from its script" in done[0]
    notebook = nbformat.read(study.notebook, as_version=4)
    assert as_script(notebook) == study.script.read_text(encoding="utf-8")
    assert [len(c.outputs) for c in notebook.cells if c.cell_type == "code"] == [1, 0, 1]


def test_sync_refuses_when_both_changed(study):
    """One sentence that names both and the way out; no file is touched."""
    study.make()
    study.edit_notebook("n = 3", "n = 5")
    study.edit_script("n = 3", "n = 4")
    before = study.both()
    done, refused = study.sync()
    assert not done
    assert len(refused) == 1
    assert refused[0].startswith(f"Both analyses/{NAME}.py and reports/notebooks/{NAME}.ipynb")
    assert "\n" not in refused[0]
    assert study.both() == before


@pytest.mark.parametrize(("side", "kept"), [("script", "n = 4"), ("notebook", "n = 5")])
def test_keep_says_whose_edits_stay(side, kept, study):
    """After a refusal either side can win, and both agree afterwards."""
    study.make()
    study.edit_notebook("n = 3", "n = 5")
    study.edit_script("n = 3", "n = 4")
    study.sync(keep=side)
    notebook = nbformat.read(study.notebook, as_version=4)
    assert kept in study.script.read_text(encoding="utf-8")
    assert as_script(notebook) == study.script.read_text(encoding="utf-8")


def test_the_same_edit_on_both_sides_is_no_conflict(study):
    """What counts is what the files say, not who wrote it."""
    study.make()
    study.edit_notebook("n = 3", "n = 5")
    study.edit_script("n = 3", "n = 5")
    assert "nothing to do" in study.sync()[0][0]


def test_making_a_notebook_again_keeps_its_edits(study):
    """Edits that are not in the script are lost only when asked."""
    study.make()
    study.edit_notebook("n = 3", "n = 5")
    before = study.both()
    with pytest.raises(InputError, match=r"sync 50.*--keep script"):
        study.make()
    assert study.both() == before
    study.make(keep="script")
    assert as_script(nbformat.read(study.notebook, as_version=4)) == SCRIPT


@pytest.mark.parametrize("line", ["%timeit math.sqrt(n)", "!ls", "n = = 3", "what?"])
def test_what_only_a_notebook_understands_stays_out_of_the_script(line, study):
    """Magics and broken code are refused with the cell's number, and nothing is written."""
    study.make()
    study.edit_notebook("n = 3", line)
    _, refused = study.sync()
    assert "Cell 3" in refused[0]
    assert study.script.read_text(encoding="utf-8") == SCRIPT


def test_a_pasted_picture_is_refused(study):
    """A script cannot hold it, so that bringing back would lose it."""
    study.make()
    notebook = nbformat.read(study.notebook, as_version=4)
    notebook.cells[0].source += "\n![image.png](attachment:image.png)"
    notebook.cells[0]["attachments"] = {"image.png": {"image/png": "aaaa"}}
    nbformat.write(notebook, study.notebook)
    assert "pasted picture" in study.sync()[1][0]
    assert study.script.read_text(encoding="utf-8") == SCRIPT


@pytest.mark.parametrize(
    "text",
    [
        "import os\n\n# %%\nx = 1\n",
        "#%%\nx = 1\n",
        "# %%\nx = 1\r\n",
        "# %%\nx = 1",
    ],
)
def test_a_script_that_a_notebook_would_change_is_refused(text, study):
    """No notebook is made of a script whose other lines would change on the way back."""
    study.script.write_bytes(text.encode())
    with pytest.raises(InputError, match="would not give back its line"):
        study.make()
    assert study.script.read_bytes() == text.encode()


def test_a_broken_notebook_and_a_lost_script_are_sentences(study):
    """Half a file, and a notebook without script, name the file and the way out."""
    study.make()
    study.notebook.write_text('{"cells": [', encoding="utf-8")
    study.notebook.with_name("60_gone.ipynb").write_text("{}", encoding="utf-8")
    _, refused = study.sync()
    assert "cannot be read as a notebook" in refused[0]
    assert "has no script any more" in refused[1]


def test_the_command_ends_with_2_when_it_refuses(study, monkeypatch, capsys):
    """`notebook` and `notebook sync` on the command line, from making to refusing."""
    monkeypatch.setattr(config_module, "project_root", lambda: study.config.root)
    assert main(["notebook", "sync"]) == 2
    assert "There is no notebook" in capsys.readouterr().err
    assert main(["notebook", "50", "--dataset", "wine"]) == 0
    assert main(["notebook", "sync"]) == 0
    study.edit_notebook("n = 3", "n = 5")
    study.edit_script("n = 3", "n = 4")
    capsys.readouterr()
    assert main(["notebook", "sync", "50"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return a reports folder with the results that the analyses need of one another."""
    reports = tmp_path_factory.mktemp("reports")
    scripts = find_scripts(ROOT / "analyses", reports / ".cache" / "scripts.json")
    needed = sorted({need for script in scripts.values() for need in script.needs})
    if needed:
        command = [sys.executable, "-m", "lib.workbench", "run", *needed, "--no-pages"]
        environment = {**os.environ, **study_environment(reports)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return reports


def study_environment(reports):
    """Return the variables of a quick study of a small table."""
    return {
        "STUDY_DATASET": "wine",
        "STUDY_EFFORT": "quick",
        "STUDY_REPORTS": str(reports),
    }


@pytest.mark.slow
@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_every_cell_runs_in_a_fresh_kernel_of_a_foreign_folder(
    path, prepared, tmp_path, monkeypatch
):
    """Cell by cell, as an editor sends them: `lib` is found, nothing fails, nothing warns."""
    for name, value in study_environment(prepared).items():
        monkeypatch.setenv(name, value)
    notebook = as_notebook(path.read_text(encoding="utf-8"))
    run_in_kernel(notebook, tmp_path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    streams = [out for cell in code for out in cell.outputs if out.output_type == "stream"]
    assert not [out.text for out in streams if out.name == "stderr"]
    assert any(cell.outputs for cell in code)
    assert not list(tmp_path.iterdir()), "an analysis leaves nothing in the working directory"


def run_in_kernel(notebook, folder):
    """Run the cells one by one in a kernel that was started in `folder`."""
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        timeout=240,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )

    async def run():
        async with client.async_setup_kernel():
            for position, cell in enumerate(notebook.cells):
                await client.async_execute_cell(cell, position)

    asyncio.run(run())
