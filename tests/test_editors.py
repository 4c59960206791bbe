"""The editors agree: on where cells begin, on the environment, and on the commands."""

import ast
import io
import json
import re
import tokenize

import pytest

from lib.config import project_root
from lib.workbench.cli import _parser
from lib.workbench.scripts import _read

ROOT = project_root()
ANALYSES = sorted((ROOT / "analyses").glob("[0-9]*.py"))
# What the Jupyter extension of VS Code takes for the start of a cell unless told otherwise.
VSCODE_CODE = r"^(#\s*%%|#\s*\<codecell\>|#\s*In\[\d*?\]|#\s*In\[ \])"
VSCODE_MARKDOWN = r"^(#\s*%%\s*\[markdown\]|#\s*\<markdowncell\>)"
PYCHARM = re.compile(r"#\s?(%%|In\[|<codecell>)")


def settings(name):
    """Return one of the files for VS Code."""
    return json.loads((ROOT / ".vscode" / name).read_text(encoding="utf-8"))


def cells_of_jupytext(text, folder):
    """Return line and kind of every cell as jupytext, and so JupyterLab and the runner, reads."""
    path = folder / "50_x.py"
    path.write_text(text, encoding="utf-8")
    return [(cell["line"] - 1, cell["kind"]) for cell in _read(path)["cells"]]


def cells_of_vscode(text, code=VSCODE_CODE, markdown=VSCODE_MARKDOWN):
    """Return line and kind of every cell as VS Code reads: line by line, by patterns."""
    lines = enumerate(text.splitlines(), 1)
    return [
        (number, "markdown" if re.match(markdown, line) else "code")
        for number, line in lines
        if re.match(code, line) or re.match(markdown, line)
    ]


def cells_of_pycharm(text):
    """Return the line of every cell as PyCharm reads: comments of the language, wherever."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT and PYCHARM.match(token.string)
    ]


def readings(text, folder):
    """Return the starts of cells as each of the three readers sees them."""
    jupytext = [line for line, _ in cells_of_jupytext(text, folder)]
    return jupytext, [line for line, _ in cells_of_vscode(text)], cells_of_pycharm(text)


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_all_editors_see_the_same_cells(path, tmp_path):
    """Each cell begins on the same line, with the same kind, in every editor."""
    text = path.read_text(encoding="utf-8")
    cells = cells_of_jupytext(text, tmp_path)
    assert cells[0] == (1, "markdown")
    assert cells_of_vscode(text) == cells
    assert cells_of_pycharm(text) == [line for line, _ in cells]


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_our_patterns_for_vscode_see_the_same_cells_as_its_own(path):
    """The stricter patterns in the settings change nothing for our scripts."""
    text, chosen = path.read_text(encoding="utf-8"), settings("settings.json")
    patterns = [
        chosen[f"jupyter.interactiveWindow.cellMarker.{kind}Regex"] for kind in ("code", "markdown")
    ]
    assert cells_of_vscode(text, *patterns) == cells_of_vscode(text)


@pytest.mark.parametrize(
    "inside",
    [
        'x = """\n# %% in a text\n"""',
        "def f():\n    # %% in a function\n    return 1",
        "# In[3]: a relic of a conversion\nx = 1",
    ],
)
def test_the_readers_tell_cells_apart_where_editors_do(inside, tmp_path):
    """A marker where only some editors look for one is seen as a disagreement."""
    one, two, three = readings(f"# %% [markdown]\n# # 50 · X\n\n# %%\n{inside}\n", tmp_path)
    assert not one == two == three


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_each_cell_is_whole(path):
    """No statement spans two cells: an editor can send each one alone."""
    for cell in _read(path)["cells"]:
        if cell["kind"] == "code":
            compile(cell["source"], f"{path.name}:{cell['line']}", "exec")


def test_tasks_are_commands_that_exist():
    """Each task of VS Code names a session of the noxfile and arguments that it takes."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    verbs = {"run_analyses": "run", "findings": None, "tests": None, "lint": None}
    tasks = settings("tasks.json")
    assert tasks["command"] == "${workspaceFolder}/.venv/bin/nox"
    for task in tasks["tasks"]:
        flag, name, *rest = task["args"]
        assert flag == "-s"
        assert name in sessions, task["label"]
        verb = verbs.get(name, name)
        if verb and rest[1:]:
            assert _parser().parse_args([verb, *rest[1:]])


def test_inputs_of_tasks_are_declared():
    """No task asks for an input that nobody defined, and none is defined in vain."""
    tasks = settings("tasks.json")
    asked = set(re.findall(r"\$\{input:(\w+)\}", json.dumps(tasks["tasks"])))
    assert asked == {entry["id"] for entry in tasks["inputs"]}


def test_all_share_one_environment():
    """VS Code uses `.venv` at the root, the one that nox makes, and runs cells from the root."""
    chosen = settings("settings.json")
    assert chosen["python.defaultInterpreterPath"] == "${workspaceFolder}/.venv/bin/python"
    assert chosen["jupyter.notebookFileRoot"] == "${workspaceFolder}"
    assert (
        chosen["[python]"]["editor.defaultFormatter"]
        in settings("extensions.json")["recommendations"]
    )


def test_the_guide_shows_commands_that_exist():
    """Every `nox -s` command of the guide is a session with arguments that it takes."""
    text = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    shown = re.findall(r"nox -s (\w+)(?: -- ([^#`\n]*))?", text)
    assert len(shown) >= 10
    for name, arguments in shown:
        assert name in sessions
        if name in {"new", "notebook"} and arguments:
            assert _parser().parse_args([name, *arguments.split()])
