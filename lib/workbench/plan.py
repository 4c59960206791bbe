"""What has to run, and why; decided one by one, because findings decide what follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lib.config import Config
from lib.errors import InputError, suggest
from lib.workbench import keys
from lib.workbench.files import read_json
from lib.workbench.imports import Imports, Reached
from lib.workbench.manifest import Manifest, Row
from lib.workbench.scripts import Script, with_needs

UNKNOWN_SECONDS = 30.0  # of an analysis that has not run yet


@dataclass(frozen=True)
class Decision:
    """What to do with one analysis, and why."""

    action: Literal["run", "render", "skip", "block"]
    reasons: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return one clause for `--explain`."""
        why = "; ".join(self.reasons)
        return {
            "run": f"runs: {why}",
            "render": "is rendered anew: only its prose changed",
            "skip": "unchanged",
            "block": f"blocked: {why}",
        }[self.action]


class Plan:
    """Knows the scripts, what they reach and what the last run left.

    Parameters
    ----------
    scripts : mapping of str to Script
        All analyses.
    selected : collection of str
        Names that the user asked for.
    manifest : Manifest
        Of the dataset.
    imports : Imports
        Finds closures.
    config : Config
        The choices of the study.
    parameters : mapping
        From the command line.
    fresh : bool
        Run what was selected, changed or not.
    pages : bool
        Whether a page belongs to a complete report.
    """

    def __init__(
        self,
        scripts: Mapping[str, Script],
        selected: Collection[str],
        manifest: Manifest,
        imports: Imports,
        config: Config,
        *,
        parameters: Mapping[str, Any],
        fresh: bool,
        pages: bool,
    ) -> None:
        self.scripts = scripts
        self.selected = selected
        self.order = with_needs(scripts, selected)
        self.manifest = manifest
        self._imports = imports
        self._config = config
        self._parameters = parameters
        self._fresh = fresh
        self._pages = pages
        self._reached = {name: self._reach(name) for name in self.order}
        seconds = {name: manifest.entry(name).get("seconds", 0.0) for name in self.order}
        self.chains = measure_chains({n: scripts[n].needs for n in self.order}, seconds)

    def reached(self, name: str) -> Reached:
        """Return the import closure of an analysis."""
        return self._reached[name]

    def parameters(self, name: str) -> dict[str, Any]:
        """Return the given parameters that an analysis knows."""
        known = self.scripts[name].parameters()
        return {key: value for key, value in self._parameters.items() if key in known}

    def key(self, name: str, *, modules: Sequence[str] = ()) -> dict[str, Any]:
        """Return the key of a run that imported `modules` besides what its statements say."""
        reached = self._reach(name, modules) if modules else self.reached(name)
        script = self.scripts[name]
        needs = {need: self.manifest.findings_digest(need) for need in script.needs}
        return keys.make_key(script, reached, self._config, self.parameters(name), needs)

    def may_run(self) -> list[str]:
        """Return in order what runs for its own reasons, and what needs such a one."""
        found: list[str] = []
        for name in self.order:
            if self._own_reasons(name) or set(self.scripts[name].needs) & set(found):
                found.append(name)
        return found

    def decide(self, name: str, rows: Mapping[str, Row]) -> Decision:
        """Return what to do now that everything it needs is settled.

        Parameters
        ----------
        name : str
            An analysis.
        rows : mapping of str to Row
            How what it needs ended.

        Returns
        -------
        Decision
            With reasons.
        """
        missing = [need for need in self.scripts[name].needs if not rows[need].finished]
        if missing:
            numbers = ", ".join(need.partition("_")[0] for need in missing)
            how = rows[missing[0]].state
            verb = "was blocked" if how == "blocked" else "failed" if how == "failed" else how
            return Decision("block", (f"needs {numbers}, which {_clause(verb)}",))
        reasons = self._own_reasons(name)
        if reasons:
            return Decision("run", tuple(reasons))
        if self.manifest.entry(name).get("prose") != self.scripts[name].prose_digest():
            return Decision("render" if self._pages else "skip")
        return Decision("skip")

    def _own_reasons(self, name: str) -> list[str]:
        entry = self.manifest.entry(name)
        if self._fresh and name in self.selected:
            return ["--fresh"]
        if not entry:
            return ["it never ran on this dataset"]
        if entry["state"] != "passed":
            return [f"{_clause(entry['state'])} last time"]
        folder = self.manifest.folder / name
        expected = ["record.json", "notebook.ipynb", *(["page.html"] if self._pages else [])]
        if not all((folder / file).is_file() for file in expected):
            return ["its report is missing"]
        if read_json(folder / "record.json").get("state") != "passed":
            return ["its report is not the one of the last run"]
        left = entry.get("findings_digest")
        if left and left != self.manifest.findings_digest(name):
            return ["its findings were edited"]
        key = self.key(name)
        reasons = keys.changes(entry["key"], key, self.reached(name))
        reasons += keys.data_changes(entry.get("sources", {}))
        if not reasons and entry["key"] != key:  # packages that it does not use
            self.manifest.amend(name, key=key)
        return reasons

    def _reach(self, name: str, modules: Sequence[str] = ()) -> Reached:
        seen = modules or self.manifest.entry(name).get("modules", ())
        return self._imports.closure(self.scripts[name].path, also=seen)


def _clause(state: str) -> str:
    return {"failed": "failed", "blocked": "was blocked"}.get(
        state, state if state.startswith(("timed", "was")) else f"was {state}"
    )


def check_parameters(scripts: Sequence[Script], parameters: Mapping[str, Any]) -> None:
    """Refuse a parameter that no selected analysis has.

    Parameters
    ----------
    scripts : sequence of Script
        The selected ones.
    parameters : mapping
        From the command line.

    Raises
    ------
    InputError
        Naming those that exist.
    """
    known = sorted({name for script in scripts for name in script.parameters()})
    for name in parameters:
        if name not in known:
            names = ", ".join(script.number for script in scripts)
            has = f"has {', '.join(known)}" if known else "has none"
            msg = f"Analysis {names} has no parameter '{name}'; it {has}."
            raise InputError(msg + suggest(name, known))


def measure_chains(
    needs: Mapping[str, Collection[str]], seconds: Mapping[str, float]
) -> dict[str, float]:
    """Return for each analysis how long it takes until the last one that waits for it has ended.

    Parameters
    ----------
    needs : mapping of str to collection of str
        What each analysis needs; a name comes after what it needs.
    seconds : mapping of str to float
        Of the last run; 0 where there was none.

    Returns
    -------
    dict of str to float
        Seconds of the longest chain that begins with the analysis. What starts the longest goes
        first, or the others wait for it in the end while cores are idle.

    Examples
    --------
    >>> needs = {"11": [], "22": [], "23": ["11"], "32": ["23"]}
    >>> measure_chains(needs, {"11": 20.0, "22": 60.0, "23": 50.0, "32": 40.0})
    {'11': 110.0, '22': 60.0, '23': 90.0, '32': 40.0}
    """
    chains = {name: seconds.get(name) or UNKNOWN_SECONDS for name in needs}
    for name in reversed(list(needs)):
        for need in needs[name]:
            own = seconds.get(need) or UNKNOWN_SECONDS
            if need in chains:
                chains[need] = max(chains[need], own + chains[name])
    return chains
