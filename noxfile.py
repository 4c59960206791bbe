"""The commands of this repository; `nox -l` lists them.

All sessions share one environment, `.venv` at the root: the one that VS Code, PyCharm and
Jupyter find. It is made and kept in step with `pyproject.toml` and `constraints.txt` here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / "python")

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "tests"]


@nox.session
def run_analyses(session: nox.Session) -> None:
    """Run the analyses as tests: `-- 11 --dataset wine --effort quick --explain`."""
    _workbench(session, "run")


@nox.session
def findings(session: nox.Session) -> None:
    """Say in words what the results changed: `-- diff [REVISION]`, `-- accept`, `-- check`."""
    _workbench(session, "findings")


@nox.session
def schema(session: nox.Session) -> None:
    """Keep the schema that 02 proposed, after a look at it: `-- accept --dataset wine`."""
    _workbench(session, "schema")


@nox.session
def mlflow(session: nox.Session) -> None:
    """Open the record of all runs in a browser, on this machine only: `-- --port 5000`."""
    _workbench(session, "mlflow")


@nox.session
def lab(session: nox.Session) -> None:
    """Open the analyses as notebooks in JupyterLab, on this machine only: `-- --no-browser`."""
    _workbench(session, "lab", extras="dev,sql,lab")


@nox.session
def new(session: nox.Session) -> None:
    """Start an analysis from the template, or from another: `-- 50_my_experiment --from 01`."""
    _workbench(session, "new")


@nox.session
def notebook(session: nox.Session) -> None:
    """Make an .ipynb of an analysis under reports/: `-- 11`; bring edits back: `-- sync`."""
    _workbench(session, "notebook")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and the documented examples: `-- tests/test_data.py -k wine`.

    All of them share the cores, whole files at a time; chosen ones run one after another.
    """
    _install(session, extras="dev,sql,lab")
    together = ("--numprocesses", "logical", "--maxprocesses", "4", "--dist", "loadscope")
    session.run(PYTHON, "-m", "pytest", *(session.posargs or together), external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, types and the checklist of analyses."""
    _install(session)
    session.run(PYTHON, "-m", "ruff", "check", ".", *session.posargs, external=True)
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".", external=True)
    session.run(PYTHON, "-m", "mypy", external=True)
    session.run(PYTHON, "-m", "lib.workbench", "checklist", external=True)


@nox.session
def checklist(session: nox.Session) -> None:
    """Judge analyses before a commit, or a colleague's scripts: `-- PATH`."""
    _workbench(session, "checklist")


@nox.session
def benchmark(session: nox.Session) -> None:
    """Measure speed side by side with alternatives: `-- runner`; without a name, list them."""
    _install(session, extras="dev,sql,benchmark")
    scripts = {p.stem.removeprefix("bench_"): p for p in (ROOT / "benchmarks").glob("bench_*.py")}
    name, *arguments = session.posargs or [""]
    if name not in scripts:
        session.error(f"Say which benchmark: nox -s benchmark -- {' | '.join(sorted(scripts))}")
    session.run(PYTHON, str(scripts[name]), *arguments, external=True)


@nox.session
def lock(session: nox.Session) -> None:
    """Rewrite constraints.txt with the newest versions that resolve together."""
    _install(session)
    uv = _uv() or session.error("Resolving for every Python at once needs uv: pip install uv")
    environment = {"UV_FIND_LINKS": "", "PIP_FIND_LINKS": ""}  # no local paths in the file
    command = [uv, "pip", "compile", "--universal", "--no-annotate", "--all-extras", "--upgrade"]
    pins = ["--python-version", "3.11", "--constraint", "-", "--no-header"]
    text = subprocess.run(
        [*command, *pins, "pyproject.toml"],
        cwd=ROOT,
        env={**os.environ, **environment},
        input="torch==2.13.0\n",
        text=True,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    (ROOT / "constraints.txt").write_text(CONSTRAINTS_HEADER + text, encoding="utf-8")


CONSTRAINTS_HEADER = """\
# The tested versions, for pip and uv alike; `nox -s lock` rewrites this file.
# A folder of local wheels (say, a CPU build of torch) is named in PIP_FIND_LINKS.
"""


def _install(session: nox.Session, extras: str = "dev,sql") -> None:
    """Make `.venv` as the project's files say, unless it already is."""
    if not Path(PYTHON).exists():
        session.log(f"Making {VENV.name} with {sys.version.split()[0]}")
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    recipe = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    recipe += [str(ROOT).encode(), (VENV / "pyvenv.cfg").read_bytes()]
    stamp = VENV / f".installed-{hashlib.sha256(b'|'.join(recipe)).hexdigest()[:16]}"
    there = set(stamp.read_text(encoding="utf-8").split(",")) if stamp.exists() else set()
    if set(extras.split(",")) <= there:
        return
    extras = ",".join(sorted(there.union(extras.split(","))))  # one session never undoes another
    project = ["--constraint", str(ROOT / "constraints.txt"), "--editable", f"{ROOT}[{extras}]"]
    session.log(f"Installing {extras} into {VENV.name}: half a minute with uv, a few with pip")
    if uv := _uv():
        wheels = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS", "")
        environment = {**os.environ, "UV_FIND_LINKS": wheels}
        # Where Python may not keep what it compiled, every start would compile every import.
        how = ["--quiet", *(["--compile-bytecode"] if sys.dont_write_bytecode else [])]
        command = [uv, "pip", "install", *how, "--python", PYTHON, *project]
    else:
        environment = dict(os.environ)
        command = [PYTHON, "-m", "pip", "install", "--quiet", *project]
    subprocess.run(command, check=True, env=environment)
    kernel = [PYTHON, "-m", "ipykernel", "install", "--sys-prefix"]
    subprocess.run(kernel, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for old in VENV.glob(".installed-*"):
        old.unlink()
    stamp.write_text(extras, encoding="utf-8")


def _uv() -> str | None:
    return shutil.which("uv", path=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")


def _workbench(session: nox.Session, verb: str, extras: str = "dev,sql") -> None:
    """Hand over to `lib.workbench`, whose exit codes are this command's own."""
    _install(session, extras)
    # The runner answers Ctrl-C itself; nox would kill it while it tidies up.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    command = [PYTHON, "-m", "lib.workbench", verb, *session.posargs]
    try:
        code = subprocess.Popen(command).wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if code == 1:
        session.error(f"{verb}: see above")
    if code:
        sys.exit(code)
