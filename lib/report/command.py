"""`nox -s findings -- diff | accept | check`: compare the last run with what git keeps."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.config import Config, default_dataset, study_table
from lib.data.names import slug
from lib.errors import InputError
from lib.report.diff import diff, diff_beyond_tolerance
from lib.report.parse import parse_findings
from lib.report.record import write_text

_IDENTIFIER = re.compile(r"\d\d(_\w+)?")


@dataclass(frozen=True)
class Run:
    """The last run of an analysis on the default dataset."""

    analysis: str
    markdown: str
    twin: dict[str, Any]
    state: str

    @property
    def choices(self) -> tuple[str, str]:
        """Effort and seed."""
        provenance = self.twin["provenance"]
        return str(provenance["effort"]), str(provenance["seed"])


def main(argv: Sequence[str], config: Config) -> int:
    """Run one of the commands.

    Parameters
    ----------
    argv : sequence of str
        `diff [REVISION] [IDS]`, `accept [IDS]` or `check [IDS]`.
    config : Config
        The choices of the study.

    Returns
    -------
    int
        0; for `check` 1 when committed findings differ from the last run.
    """
    parser = argparse.ArgumentParser(prog="findings", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "diff": "say in words what the last run changed against a git revision (HEAD)",
        "accept": "make the last run's findings the committed ones",
        "check": "exit 1 when committed findings differ from the last run beyond tolerance",
    }
    for name, words in helps.items():
        command = commands.add_parser(name, help=words, description=words)
        if name == "diff":
            command.add_argument("revision", nargs="?", default="HEAD", help="git revision")
        command.add_argument("ids", nargs="*", metavar="ID", help="numbers or names of analyses")
    chosen = parser.parse_args(list(argv))
    if chosen.command == "accept":
        return findings_accept(config, chosen.ids)
    if chosen.command == "check":
        return findings_check(config, chosen.ids)
    revision, ids = chosen.revision, chosen.ids
    if _IDENTIFIER.fullmatch(revision):  # git abbreviates to four characters at least
        revision, ids = "HEAD", [revision, *ids]
    return findings_diff(config, revision, ids)


def findings_diff(config: Config, revision: str = "HEAD", ids: Sequence[str] = ()) -> int:
    """Say in words what the last run changed against the findings of a git revision."""
    committed = _committed_at(config, revision)
    unchanged = []
    for run in _runs(config, ids):
        old = committed.get(run.analysis)
        changes = _news(run) if old is None else diff(old, run.markdown)
        if changes:
            _say(run.analysis, *(f"  {change}" for change in changes))
        else:
            unchanged.append(run.analysis)
    if unchanged:
        _say(f"nothing changed: {', '.join(unchanged)}")
    return 0


def findings_accept(config: Config, ids: Sequence[str] = ()) -> int:
    """Make the findings of the last run the committed ones."""
    runs = _runs(config, ids)
    for run in runs:
        _check_acceptable(run, config)
    config.committed_findings.mkdir(parents=True, exist_ok=True)
    for run in runs:
        path = config.committed_findings / f"{run.analysis}.md"
        same = path.is_file() and path.read_text(encoding="utf-8") == run.markdown
        write_text(path, run.markdown)
        _say(f"{run.analysis}: {'unchanged' if same else 'accepted'}")
    return 0


def findings_check(config: Config, ids: Sequence[str] = ()) -> int:
    """Return 1 when committed findings differ from the last run beyond tolerance, else 0."""
    differ = 0
    for run in _runs(config, ids):
        path = config.committed_findings / f"{run.analysis}.md"
        if not path.is_file():
            changes = ["not committed yet; look at it and run: nox -s findings -- accept"]
        else:
            committed = path.read_text(encoding="utf-8")
            changes = diff_beyond_tolerance(
                committed, run.markdown, run.twin["values"], sections=run.twin["sections"]
            )
        if run.state not in {"", "passed", "unchanged"}:
            changes = [f"the last run ended as {run.state}", *changes]
        if changes:
            differ += 1
            _say(run.analysis, *(f"  {change}" for change in changes))
        else:
            _say(f"{run.analysis}: agrees")
    return 1 if differ else 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def _runs(config: Config, ids: Sequence[str]) -> list[Run]:
    """Return the last runs of the chosen analyses on the default dataset, all by default."""
    dataset = slug(default_dataset(config))
    numbers = ",".join(ids)
    folders = {
        path.parent.name: path.parent
        for path in sorted((config.reports / dataset).glob("[0-9][0-9]_*/findings.json"))
    }
    chosen = {
        name: folder
        for name, folder in folders.items()
        if not ids or name in ids or name.partition("_")[0] in ids
    }
    found = {part for name in chosen for part in (name, name.partition("_")[0])}
    missing = [identifier for identifier in ids if identifier not in found]
    if missing or not chosen:
        what = f"analysis {missing[0]}" if missing else "any analysis"
        msg = (
            f"There is no run of {what} on {dataset}; make it with: "
            f"nox -s run_analyses --{f' {numbers}'.replace(',', ' ') if numbers else ''}"
        )
        raise InputError(msg.removesuffix(" --"))
    return [_read_run(folder) for folder in chosen.values()]


def _read_run(folder: Path) -> Run:
    state = ""
    if (folder / "record.json").is_file():
        state = str(json.loads((folder / "record.json").read_text("utf-8")).get("state", ""))
    return Run(
        analysis=folder.name,
        markdown=(folder / "findings.md").read_text(encoding="utf-8"),
        twin=json.loads((folder / "findings.json").read_text(encoding="utf-8")),
        state=state,
    )


def _check_acceptable(run: Run, config: Config) -> None:
    study = study_table(config.root)
    seed = str(study.get("seed", Config.model_fields["seed"].default))
    number = run.analysis.partition("_")[0]
    if run.state not in {"", "passed", "unchanged"}:
        msg = f"{run.analysis} ended as {run.state}; run it again before accepting its findings."
        raise InputError(msg)
    if run.choices != ("standard", seed):
        effort, own_seed = run.choices
        msg = (
            f"{run.analysis} was run with {effort} effort and seed {own_seed}, committed findings "
            f"are of standard effort and seed {seed}; run: nox -s run_analyses -- {number}"
        )
        raise InputError(msg)


def _news(run: Run) -> list[str]:
    found = parse_findings(run.markdown)
    counts = {"finding": len(found.findings), "warning": len(found.warnings)}
    words = (f"{n} {noun}" if n == 1 else f"{n} {noun}s" for noun, n in counts.items())
    return [f"new analysis: {', '.join(words)}"]


def _committed_at(config: Config, revision: str) -> dict[str, str]:
    """Return the committed findings of a revision by analysis."""
    folder = config.committed_findings.relative_to(config.root).as_posix()
    known = _git(config, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^0")
    if known is None:
        msg = f"git knows no revision '{revision}'; give a commit, branch or tag such as HEAD~1."
        raise InputError(msg)
    commit = known.strip()
    names = _git(config, "ls-tree", "--name-only", commit, f"{folder}/") or ""
    paths = [Path(name) for name in names.splitlines() if name.endswith(".md")]
    return {p.stem: _git(config, "show", f"{commit}:./{p.as_posix()}") or "" for p in paths}


def _git(config: Config, *arguments: str) -> str | None:
    """Return what git says, or None where it fails."""
    command = ["git", "-C", str(config.root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except FileNotFoundError as error:
        msg = "git is not installed; findings are compared with what it keeps."
        raise InputError(msg) from error
    return done.stdout.decode("utf-8") if done.returncode == 0 else None
