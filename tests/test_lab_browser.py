"""JupyterLab as `nox -s lab` starts it, in a real browser: what a person does, and what git sees."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from lib.config import project_root
from lib.workbench.lab import lab_command

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)"),
]
ROOT = project_root()
COPIED = ("lib", "analyses", "data", ".jupyter", ".gitignore", "jupytext.toml", "pyproject.toml")
LEFT_OUT = ("__pycache__", "raw", "processed", "workspaces", "checkpoints", "language_server")
KERNEL_IS_READY = """() => {
    const kernel = jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === "connected" && kernel?.status === "idle";
}"""
SMALL = """\
# %% [markdown]
# # 98 · Small
#
# **Question** Does "every" byte, `code` and $x^2$ survive?

# %% Setup
from lib import report
from lib.config import load_config
from lib.data import load_data

config = load_config()

# %% Load
train = load_data(config.dataset).train
report.finding("There are {n} rows.", n=len(train))

# %% [markdown]
# ## Why?
#
# Because.

# %% Edit me
size = 1

# %% Comments that look like commands
# copy the frame first
# why?
report.finding("Twice {size} is {doubled}.", size=size, doubled=2 * size)
"""


def git(root, *arguments):
    """Run git in the copy and return what it prints."""
    user = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", *user, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Return a copy of the project under git, with a small analysis more."""
    root = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns(*LEFT_OUT)
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            shutil.copy(source, root / name)
    (root / "analyses" / "98_small.py").write_text(SMALL, encoding="utf-8")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "copy")
    return root


@pytest.fixture(scope="module")
def server(copy, tmp_path_factory):
    """Start JupyterLab in the copy, as the session does; at the end nothing of it may run on."""
    own = tmp_path_factory.mktemp("own")
    environment = {
        **os.environ,
        "HOME": str(own / "home"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "PYTHONPATH": str(copy),
        "STUDY_DATASET": "wine",
        "STUDY_EFFORT": "quick",
        "STUDY_REPORTS": str(copy / "reports"),
    }
    options = ("--no-browser", "--port=0", "--allow-root", "--expose-app-in-browser")
    with (own / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lib.workbench", "lab", *options],
            cwd=copy,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        info = wait_for_server(process, own)
        info["home"] = own / "home"
        yield info
    finally:
        family = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        gone, left = psutil.wait_procs(family, timeout=20)
        for survivor in left:
            survivor.kill()
        process.wait(timeout=10)
    assert not left, f"still running: {left}"
    assert len(gone) > 1, "a server and a kernel at least"


def descendants(pid):
    """Return a process and all it started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def wait_for_server(process, own):
    """Return what the server writes about itself once it listens."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        for path in (own / "runtime").glob("jpserver-*.json"):
            text = path.read_text(encoding="utf-8")
            if text.rstrip().endswith("}"):
                return json.loads(text)
        time.sleep(0.1)
    raise AssertionError((own / "log").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(server):
    """Return JupyterLab in a browser, its file browser showing the analyses."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(40_000)
        page.goto(f"{server['url']}lab?token={server['token']}")
        listed(page, "analyses").dblclick()
        listed(page, "98_small.py").wait_for()
        yield page
        browser.close()


def listed(page, name):
    """Return an entry of the file browser."""
    return page.locator(".jp-DirListing-item").filter(has_text=name)


def open_by_double_click(page, name):
    """Open a script and return the notebook it is shown as, once its kernel is ready."""
    listed(page, name).dblclick()
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.locator(".jp-CodeCell").first.wait_for()
    page.wait_for_function(KERNEL_IS_READY)
    return notebook


def save(page, path):
    """Save by keyboard and wait until the file is written, and Jupyter's copy of it gone."""
    before = path.stat().st_mtime_ns
    copied = path.with_name(f".~{path.name}")
    page.keyboard.press("ControlOrMeta+s")
    until = time.monotonic() + 20
    while path.stat().st_mtime_ns == before or copied.exists():
        assert time.monotonic() < until, "not saved"
        page.wait_for_timeout(50)


def choose(page, menu, item):
    """Click an entry of a menu."""
    page.locator(".lm-MenuBar-itemLabel", has_text=menu).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()


def test_an_edited_cell_changes_its_line_only(page, copy):
    """Double click, run all, edit, save: git sees the edited line, no header, no `.ipynb`."""
    notebook = open_by_double_click(page, "98_small.py")
    choose(page, "Run", "Run All Cells")
    outputs = notebook.locator(".jp-OutputArea-output")
    outputs.get_by_text("Twice 1 is 2.").wait_for()
    assert outputs.get_by_text("There are 142 rows.").is_visible()
    notebook.locator(".jp-CodeCell").nth(2).locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("size = 3")
    save(page, copy / "analyses" / "98_small.py")
    assert git(copy, "status", "--short") == " M analyses/98_small.py\n"
    changed = git(copy, "diff", "--unified=0").splitlines()
    assert [line for line in changed if line[0] in "+-"][2:] == ["-size = 1", "+size = 3"]
    assert not list(copy.rglob("*.ipynb"))
    assert not list((copy / "analyses").glob(".*")), "no checkpoints among the sources"


@pytest.mark.parametrize("name", ["11_baseline_models.py", "99_notebook_template.py"])
def test_saving_what_was_only_opened_changes_no_byte(name, page, copy):
    """Opening an analysis and saving it leaves the file as git has it."""
    notebook = open_by_double_click(page, name)
    notebook.locator(".jp-CodeCell .cm-content").first.click()
    save(page, copy / "analyses" / name)
    assert name not in git(copy, "status", "--short")


def test_formatter_and_language_server_follow_the_project(page):
    """Both are ruff with this project's settings: they mend and mark what `nox -s lint` would."""
    pytest.importorskip("jupyterlab_lsp", reason="needs the extra `lab`")
    notebook = open_by_double_click(page, "98_small.py")
    editor = notebook.locator(".jp-CodeCell").nth(2).locator(".cm-content")
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("size=len('abc')+unknown_name")
    editor.locator(".cm-lintRange-error", has_text="unknown_name").wait_for()
    assert notebook.locator(".cm-lintRange-error").count() == 1, "no false alarm in other cells"
    page.evaluate("jupyterapp.commands.execute('jupyterlab_code_formatter:format_all')")
    editor.get_by_text('size = len("abc") + unknown_name').wait_for()


def test_git_and_notebook_diff_are_at_hand(page):
    """The git panel and nbdime's commands are there."""
    pytest.importorskip("jupyterlab_git", reason="needs the extra `lab`")
    assert page.locator('.jp-SideBar [data-id="jp-git-sessions"]').is_visible()
    commands = page.evaluate("jupyterapp.commands.listCommands()")
    assert {"git:push", "nbdime:diff-git"} <= set(commands)


def test_nobody_gets_in_without_the_token(server):
    """The server listens on loopback alone and refuses whoever does not know the token."""
    assert server["hostname"] == "127.0.0.1"
    listening = [c.laddr.ip for c in psutil.Process(server["pid"]).net_connections("inet")]
    assert set(listening) <= {"127.0.0.1"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server['url']}api/contents", timeout=10)
    assert refused.value.code == 403
    refused.value.close()


def test_the_users_own_settings_stay_as_they_are(server, copy):
    """What JupyterLab keeps of this project is in the project's ignored folder, not in the home."""
    assert not list((server["home"] / ".jupyter").rglob("*"))
    assert list((copy / ".jupyter" / "checkpoints").rglob("*-checkpoint.py"))


def test_an_option_cannot_open_the_server_to_the_network():
    """Our address comes after the user's options, and the last one counts."""
    command = lab_command(Path("/study"), ["--ip=0.0.0.0", "--ServerApp.ip=0.0.0.0"])
    assert command.index("--ServerApp.ip=127.0.0.1") > command.index("--ServerApp.ip=0.0.0.0")
