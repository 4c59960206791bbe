"""JupyterLab for this project: a double click opens an analysis as a notebook.

What makes it so is kept in the project's folder `.jupyter` and passed by the environment; nothing
is written to the user's own settings, and these still apply where the project has no opinion.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.config import Config

HOST = "127.0.0.1"
CHECKPOINTS = "STUDY_CHECKPOINTS"  # read by `lib.workbench.checkpoints` in the server's process


def open_lab(config: Config, arguments: Sequence[str] = ()) -> int:
    """Serve JupyterLab on loopback, behind a token, until Ctrl-C.

    Parameters
    ----------
    config : Config
        Says where the project is.
    arguments : sequence of str
        For JupyterLab itself, such as `--no-browser` or `--port=8890`.

    Returns
    -------
    int
        The server's exit code. On POSIX the server takes the place of this process, so that
        signals reach it and nothing is left behind: then there is no return.
    """
    command = lab_command(config.root, arguments)
    environment = {**os.environ, **lab_environment(config, os.environ)}
    sys.stdout.flush()
    if os.name == "posix":
        os.chdir(config.root)
        os.execve(command[0], command, environment)  # noqa: S606  # no shell, on purpose
    return subprocess.call(command, env=environment, cwd=config.root)


def lab_command(root: Path, arguments: Sequence[str] = ()) -> list[str]:
    """Return the command line of the server.

    Parameters
    ----------
    root : Path
        The project: what the file browser shows.
    arguments : sequence of str
        For JupyterLab itself; they cannot open it to the network, because ours come last.

    Returns
    -------
    list of str
        Starts with the interpreter of this environment.

    Examples
    --------
    >>> lab_command(Path("/study"), ["--no-browser"])[-2:]
    ['--ServerApp.ip=127.0.0.1', '--ServerApp.allow_remote_access=False']
    """
    kept = "lib.workbench.checkpoints.ProjectCheckpoints"
    server = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    files = [f"--ContentsManager.checkpoints_class={kept}"]
    local = [f"--ServerApp.ip={HOST}", "--ServerApp.allow_remote_access=False"]
    return [*server, *files, *arguments, *local]


def lab_environment(config: Config, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that make JupyterLab this project's own.

    Parameters
    ----------
    config : Config
        Says where the project is.
    inherited : mapping of str to str
        The variables there are; configuration folders named in them stay, with less weight.

    Returns
    -------
    dict of str to str
        The project's settings count, and what JupyterLab keeps stays in `.jupyter` too.

    Examples
    --------
    >>> study = Config(root=Path("/study"))
    >>> lab_environment(study, {"JUPYTER_CONFIG_PATH": "/etc/mine"})["JUPYTER_CONFIG_PATH"]
    '/study/.jupyter:/etc/mine'
    """
    own = config.root / ".jupyter"
    folders = [str(own), inherited.get("JUPYTER_CONFIG_PATH", "")]
    return {
        "JUPYTER_CONFIG_PATH": os.pathsep.join(folder for folder in folders if folder),
        "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel, whatever else is installed
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "JP_LSP_VIRTUAL_DIR": str(own / "language_server"),
        CHECKPOINTS: str(own / "checkpoints"),
    }
