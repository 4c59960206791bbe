"""What the final report is made of, and whether each piece still holds.

A piece holds when its run ended well, what it found is as the run left it, and everything it was
made from (its script, the modules it reached, the data, the choices, the findings it needed) has
the contents it had then. Contents count, never file times.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lib.config import Config, default_dataset, study_table
from lib.data.sources import file_hash, source_hash
from lib.report.digest import findings_digest
from lib.report.record import Entry, Record, Section, Value

NAMES = {
    "01": "Exploratory data analysis",
    "02": "Data quality assessment",
    "03": "Statistical analysis",
    "10": "Feature engineering",
    "11": "Baseline models",
    "12": "Advanced modeling",
    "13": "Model interpretation",
    "20": "Experiment design",
    "21": "Hyperparameter tuning",
    "22": "Cross-validation",
    "23": "Ensemble methods",
    "30": "Performance analysis",
    "31": "Business impact",
    "32": "Comparative study",
}
# Values without which there is no report, by analysis.
REQUIRED = {
    "01": ("data",),
    "20": ("decision",),
    "30": ("metric", "test_score", "cv_score", "n_test", "verdict"),
    "31": ("gains_origin", "net_benefit", "best_policy", "decision"),
    "32": ("metric", "champion", "champion_analysis", "champion_score", "rule", "floor"),
}
GOOD = {"passed", "unchanged", "rendered"}
MOST_REASONS = 2
DIGEST = "findings_digest"  # of the manifest: what the run itself left


@dataclass(frozen=True)
class Input:
    """One earlier analysis as the report finds it.

    Attributes
    ----------
    number, title : str
        Of the analysis.
    name : str
        Folder of its report; "" when it was never run.
    state : {"valid", "missing", "failed", "edited", "stale", "other choices", "incomplete"}
    problems : tuple of str
        One sentence each: which, why, and the command that mends it.
    twin : mapping
        Its `findings.json`; empty without one.
    run_id : str
        MLflow's, where it was tracked.
    """

    number: str
    title: str
    name: str = ""
    state: str = "missing"
    problems: tuple[str, ...] = ()
    twin: Mapping[str, Any] = field(default_factory=dict, repr=False)
    run_id: str = ""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where its results come from."""
        given: Mapping[str, Any] = self.twin.get("provenance", {})
        return given


@dataclass(frozen=True)
class Inputs:
    """All that the report is made of.

    Attributes
    ----------
    folder : Path
        Reports of the dataset.
    by_number : mapping of str to Input
        In order.
    notes : tuple of str
        What a reader should know and need not mend.
    command : str
        Makes the report with all it needs.
    """

    folder: Path
    by_number: Mapping[str, Input]
    notes: tuple[str, ...] = ()
    command: str = ""

    @property
    def problems(self) -> list[str]:
        """Every reason not to publish, one sentence each."""
        return [problem for given in self for problem in given.problems]

    def __iter__(self) -> Iterator[Input]:
        return iter(self.by_number.values())


def read_inputs(
    config: Config,
    *,
    dataset: str,
    fingerprint: str,
    numbers: Sequence[str] = tuple(NAMES),
    analyses: Path | None = None,
) -> Inputs:
    """Return the earlier analyses of a dataset with what is wrong with each.

    Parameters
    ----------
    config : Config
        The choices of the study.
    dataset : str
        Name of the table: the folder of its reports.
    fingerprint : str
        Of its contents now.
    numbers : sequence of str
        Which analyses; by default all that the report tells of.
    analyses : Path, optional
        Folder of their scripts; by default the study's.

    Returns
    -------
    Inputs
        Never raises for what it finds: `Inputs.problems` has the sentences.
    """
    folder = config.reports / dataset
    reader = _Reader(config, folder, fingerprint, analyses or config.analyses)
    found = {number: reader.read(number) for number in numbers}
    return Inputs(folder, found, tuple(_notes(found, config, dataset)), reader.command("33"))


@dataclass(frozen=True)
class _Reader:
    """Judges one analysis after the other."""

    config: Config
    folder: Path
    fingerprint: str
    analyses: Path

    def read(self, number: str) -> Input:
        title = NAMES.get(number, number)
        names = sorted(path.name for path in self.folder.glob(f"{number}_*") if path.is_dir())
        entries = self._entries()
        name = next((n for n in names if n in entries), names[-1] if names else "")
        entry = entries.get(name, {})
        twin = _read_json(self.folder / name / "findings.json") if name else {}
        record = _read_json(self.folder / name / "record.json") if name else {}
        given = Input(number, title, name, twin=twin, run_id=str(entry.get("mlflow_run_id") or ""))
        ends = [(str(of.get("state") or ""), of.get("note")) for of in (record, entry)]
        bad = [(state, note) for state, note in ends if state not in {"", *GOOD}]
        if bad:
            ended, said = bad[0]
            note = " ".join(str(said or "").split())
            why = f" ({note.rstrip('.')[:160]})" if note else ""
            return self._bad(given, "failed", [f"ended as {ended}{why}"])
        if not twin:
            return self._bad(given, "missing", [f"has not been run on {self.folder.name}"])
        for state, reasons in (
            ("edited", self._edited(name, twin, entry)),
            ("other choices", self._other_choices(twin)),
            ("stale", self._stale(name, entry)),
            ("incomplete", _lacking(number, twin)),
        ):
            if reasons:
                return self._bad(given, state, reasons)
        return Input(number, title, name, "valid", (), twin, given.run_id)

    def _bad(self, given: Input, state: str, reasons: Sequence[str]) -> Input:
        """Return the input with one sentence that says which, why and what to do."""
        shown = [*reasons[:MOST_REASONS]]
        more = len(reasons) - len(shown)
        why = " and ".join(shown) + (f", and {more} more" if more > 0 else "")
        verb = "make" if state == "missing" else "mend it and run" if state == "failed" else "run"
        sentence = (
            f"{given.number} ({given.title}) {why}: {verb} it with `{self.command(given.number)}`."
        )
        sentence = sentence.replace("mend it and run it with", "mend it, then run")
        return Input(
            given.number, given.title, given.name, state, (sentence,), given.twin, given.run_id
        )

    def command(self, number: str) -> str:
        """Return the command that makes an analysis anew."""
        config = self.config
        options = [] if self.folder.name == default_dataset(config) else [self._dataset_option()]
        options += [f"--effort {config.effort}"] if config.effort != "standard" else []
        options += [f"--seed {config.seed}"] if config.seed != _study_seed(config) else []
        return " ".join(["nox -s run_analyses --", number, *options])

    def _dataset_option(self) -> str:
        target = f" --target {self.config.target}" if self.config.target else ""
        return f"--dataset {self.config.dataset}{target}"

    def _entries(self) -> Mapping[str, Any]:
        entries: Mapping[str, Any] = _read_json(self.folder / "manifest.json").get("analyses", {})
        return entries

    def _edited(self, name: str, twin: Mapping[str, Any], entry: Mapping[str, Any]) -> list[str]:
        """Say whether findings are not as the run left them."""
        path = self.folder / name
        left = entry.get(DIGEST)
        if left and left != findings_digest(path / "findings.json"):
            return ["has findings that its run did not write (findings.json was edited)"]
        shown = path / "findings.md"
        if not shown.is_file() or shown.read_text(encoding="utf-8") != markdown_of(twin):
            return ["says one thing in findings.md and another in findings.json (one was edited)"]
        return []

    def _other_choices(self, twin: Mapping[str, Any]) -> list[str]:
        """Say by which choices it was made, where they are not this study's."""
        made, said = twin.get("provenance", {}), []
        for key, now in (("effort", self.config.effort), ("seed", self.config.seed)):
            if str(made.get(key)) != str(now):
                said.append(f"was made with {key} {made.get(key)}, this study has {now}")
        if made.get("data_fingerprint") not in {None, "", self.fingerprint}:
            was = made["data_fingerprint"]
            said.append(f"was made from other data ({was}, now {self.fingerprint})")
        if not said and made.get("config_fingerprint") != self.config.fingerprint():
            said.append("was made with other choices (currency, confidence, budget or target)")
        return said

    def _stale(self, name: str, entry: Mapping[str, Any]) -> list[str]:
        """Say what changed since it was made."""
        key = entry.get("key")
        if not key:
            return ["left no entry in the manifest, so nobody can say what it was made from"]
        said = []
        script = self.analyses / f"{name}.py"
        if entry.get("script") and _hash(script) != entry["script"]:
            said.append("is older than its script")
        changed = [f for f, was in key.get("files", {}).items() if self._hash_here(f) != was]
        if changed:
            others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            said.append(f"is older than {changed[0]}{others}")
        said += [
            f"is older than the data it read ({_short(locator)})"
            for locator, was in entry.get("sources", {}).items()
            if was is not None and _source_hash(locator) != was
        ]
        said += [
            f"is older than what {need.partition('_')[0]} found"
            for need, was in key.get("needs", {}).items()
            if was and was != findings_digest(self.folder / need / "findings.json")
        ]
        packages = _read_json(self.folder / name / "findings.json")["provenance"].get("packages")
        said += [
            f"was made with {package} {was}, now {_version(package)}"
            for package, was in (packages or {}).items()
            if _version(package) != was
        ]
        return said

    def _hash_here(self, shown: str) -> str | None:
        path = Path(shown)
        return _hash(path if path.is_absolute() else self.config.root / path)


def markdown_of(twin: Mapping[str, Any]) -> str:
    """Return the Markdown that belongs to a `findings.json`, as its run wrote it.

    Parameters
    ----------
    twin : mapping
        The parsed file.

    Returns
    -------
    str
        Empty where the file is no record.
    """
    try:
        made = twin["provenance"]
        record = Record(
            analysis=twin["analysis"],
            title=twin["title"],
            dataset=made["dataset"],
            data_fingerprint=made["data_fingerprint"],
            effort=made["effort"],
            seed=made["seed"],
            config_fingerprint=made["config_fingerprint"],
            folder=Path(),
            sections=[
                Section(s["title"], [Entry(**entry) for entry in s["entries"]])
                for s in twin["sections"]
            ],
            values={name: value_of(given) for name, given in twin["values"].items()},
        )
        return record.to_markdown()
    except (KeyError, TypeError, ValueError):
        return ""


def value_of(given: Mapping[str, Any]) -> Value:
    """Return a value of `findings.json` as the record holds it."""
    numbers = {"number", "estimate"}
    parts = {
        part: float(given[part]) if given[part] is not None and given["kind"] in numbers else None
        for part in ("low", "high")
    }
    value = float(given["value"]) if given["kind"] in numbers else given["value"]
    return Value(value, parts["low"], parts["high"], given["kind"], given["tolerance"])


def _lacking(number: str, twin: Mapping[str, Any]) -> list[str]:
    lacking = [n for n in REQUIRED.get(number, ()) if n not in twin.get("values", {})]
    return [f"recorded no value {', '.join(lacking)}"] if lacking else []


def _notes(found: Mapping[str, Input], config: Config, dataset: str) -> Iterator[str]:
    """Yield what a reader should know: several commits, local changes, other committed findings."""
    made = [given.provenance for given in found.values() if given.twin]
    commits = Counter(str(p.get("git_commit") or "none")[:12] for p in made)
    if len(commits) > 1:
        listed = ", ".join(f"{commit} ({n})" for commit, n in commits.most_common())
        yield f"The pages are of several commits, with the same contents where it counts: {listed}."
    if any(p.get("git_dirty") for p in made):
        numbers = ", ".join(g.number for g in found.values() if g.provenance.get("git_dirty"))
        yield f"Made from files with changes that were not committed: {numbers}."
    if (dataset, config.effort, config.seed) != (
        default_dataset(config),
        "standard",
        _study_seed(config),
    ):
        return
    differ = [
        given.number
        for given in found.values()
        if given.twin
        and (kept := config.committed_findings / f"{given.name}.md").is_file()
        and kept.read_text(encoding="utf-8") != markdown_of(given.twin)
    ]
    if differ:
        yield (
            f"The committed findings of {', '.join(differ)} are not those of this run; "
            "`nox -s findings -- diff` says what moved."
        )


def _study_seed(config: Config) -> int:
    """Return the seed of the committed findings."""
    return int(study_table(config.root).get("seed", Config.model_fields["seed"].default))


def _read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object; empty where there is none that can be read."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


@cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _hash(path: Path) -> str | None:
    try:
        return file_hash(path)
    except OSError:
        return None


def _source_hash(locator: str) -> str | None:
    try:
        return source_hash(locator)
    except (OSError, importlib.metadata.PackageNotFoundError):
        return None


def _short(locator: str) -> str:
    path, _, entry = locator.removeprefix("catalog:").partition("#")
    return f"catalogue entry {entry}" if entry else Path(path).name or path
