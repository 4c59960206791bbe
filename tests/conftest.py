"""Fixtures that several test files share."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pytest

from lib.config import project_root

pytest.register_assert_rewrite("checks_of_figures")  # its asserts say what they compared


@dataclass
class Project:
    """A tiny project: scripts of a few lines, run in real processes by the command line."""

    root: Path
    light: tuple[str, ...] = ("--no-tracking", "--no-pages")

    @property
    def analyses(self) -> Path:
        """Where the scripts are."""
        return self.root / "analyses"

    @property
    def reports(self) -> Path:
        """Reports of the default dataset."""
        return self.root / "reports" / "rand_hie"

    def write(self, name: str, *cells: str, needs: str = "nothing", prose: str = "Why.") -> Path:
        """Write an analysis with a title cell and one code cell per text."""
        title = f"# %% [markdown]\n# # {name[:2]} · {name[3:]}\n#\n# **You need** {needs}\n#\n"
        parts = [f"{title}# {prose}\n", *(f"# %%\n{cell.strip()}\n" for cell in cells)]
        path = self.analyses / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(parts), encoding="utf-8")
        return path

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a run."""
        chosen = ["run", "--analyses", str(self.analyses), *self.light, *arguments]
        return [sys.executable, "-m", "lib.workbench", *chosen]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a run."""
        paths = os.pathsep.join([str(self.root), str(project_root())])
        reports = str(self.root / "reports")
        return {**os.environ, "STUDY_REPORTS": reports, "PYTHONPATH": paths, **more}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**environment),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run and return at once."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment(),
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def states(self) -> dict[str, str]:
        """Return how the last run of each analysis ended."""
        manifest = json.loads((self.reports / "manifest.json").read_text(encoding="utf-8"))
        return {name: entry["state"] for name, entry in manifest["analyses"].items()}

    def outputs(self, name: str) -> list[list[dict]]:
        """Return the outputs of the code cells of a report."""
        notebook = json.loads((self.reports / name / "notebook.ipynb").read_text(encoding="utf-8"))
        return [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]

    def texts(self, name: str) -> str:
        """Return all printed text of a report."""
        outputs = [output for cell in self.outputs(name) for output in cell]
        return "".join("".join(output.get("text", "")) for output in outputs)

    @staticmethod
    def wait_for(condition, seconds: float = 15.0):
        """Wait until `condition()` is true and return its value; fail after `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s")

    @staticmethod
    def read_pid(path: Path):
        """Return the number that a script wrote, once it is complete."""
        text = path.read_text() if path.is_file() else ""
        return int(text) if text.endswith("\n") else None

    @staticmethod
    def is_alive(pid: int) -> bool:
        """Say whether a process runs (zombies do not)."""
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"


@pytest.fixture
def project(tmp_path):
    """Return an empty project."""
    return Project(tmp_path)


@pytest.fixture(autouse=True)
def _matplotlib_as_found():
    """Leave matplotlib as the test found it: who sets it up must not change figures of others."""
    with mpl.rc_context():
        yield


@pytest.fixture
def style():
    """Draw in the project's style."""
    from lib import plots

    plots.setup_plotting()
