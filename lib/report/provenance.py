"""Where a result comes from: code, packages, interpreter."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lib.config import project_root

PACKAGES = (
    "numpy", "pandas", "polars", "scipy", "scikit-learn", "lightgbm", "torch", "mlflow", "optuna",
    "shap", "skrub", "statsmodels", "matplotlib", "seaborn", "plotly",
)  # fmt: skip


def collect_provenance(given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return git commit, package versions and Python, except what is `given` already.

    Parameters
    ----------
    given : mapping, optional
        Entries that need not be collected.

    Returns
    -------
    dict
        Keys `git_commit`, `git_dirty`, `packages`, `python`.

    Examples
    --------
    >>> sorted(collect_provenance({"git_commit": "abc", "git_dirty": False}))
    ['packages', 'python']
    """
    given = given or {}
    collected: dict[str, Any] = {}
    if "git_commit" not in given:
        collected |= dict(_git_state())
    if "packages" not in given:
        collected["packages"] = _package_versions()
    if "python" not in given:
        collected["python"] = platform.python_version()
    return collected


@cache
def _git_state() -> tuple[tuple[str, Any], ...]:
    """Return commit and whether tracked files differ from it; None without git."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return (
        ("git_commit", commit.strip() if commit else None),
        ("git_dirty", None if changed is None else bool(changed.strip())),
    )


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(project_root()), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@cache
def _package_versions() -> dict[str, str]:
    modules = {"scikit-learn": "sklearn"}
    versions = {}
    for package in PACKAGES:
        if modules.get(package, package) not in sys.modules:
            continue
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # a module of that name which is not installed as a package
            continue
    return versions
