"""Out-of-fold predictions and estimators of candidates: kept beside the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.config import Config
from lib.data import Dataset
from lib.data.names import slug
from lib.errors import InputError
from lib.tracking.models import dump_model, read_model, with_rows, without_rows

Array = npt.NDArray[Any]
FILE = "candidates.json"  # as the runner calls it
ESTIMATORS = "estimators"  # folder beside it
RESULT = "record.json"  # how the analysis ended, likewise


@dataclass(frozen=True)
class Predicted:
    """What a tracked candidate predicted for rows that it did not learn from.

    Attributes
    ----------
    analysis : str
        Which tracked it.
    parts : ndarray
        Predictions of the test rows of every fold, one fold after another, as `Scores.parts`.
    costs : mapping of str to float
        Means over folds: fit_seconds, predict_seconds, kilobytes; where they were taken.
    kept : mapping
        Where its unfitted estimator lies, or why there is none.
    """

    analysis: str
    parts: Array
    costs: Mapping[str, float]
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def can_be_fitted(self) -> bool:
        """Whether its estimator was kept."""
        return "file" in self.kept

    def read_estimator(self, dataset: Dataset) -> Any:
        """Return its unfitted estimator, ready to learn from rows.

        Parameters
        ----------
        dataset : Dataset
            The rows to learn from: some estimators hold their groups.

        Returns
        -------
        scikit-learn estimator

        Raises
        ------
        InputError
            When none was kept, or it cannot be read.
        """
        if not self.can_be_fitted:
            why = self.kept.get("why", "an earlier version tracked it")
            raise InputError(f"This candidate of {self.analysis} cannot be fitted again: {why}.")
        model = read_model(Path(self.kept["file"]))
        return with_rows(model, self.kept["columns"], {"groups": dataset.groups})


def keep_predictions(path: Path, parts: Mapping[str, Array], names: list[str]) -> list[str]:
    """Add predictions to the file beside the waiting candidates, and return their keys.

    Parameters
    ----------
    path : Path
        Of the candidates; the predictions lie beside it, as `.npz` without objects.
    parts : mapping of str to ndarray
        By candidate.
    names : list of str
        Candidates, in order.

    Returns
    -------
    list of str
        A key for each name; "" for a candidate without predictions.
    """
    file = path.with_suffix(".npz")
    kept = dict(_read(file))
    keys = []
    for name in names:
        key = f"p{len(kept)}" if name in parts else ""
        if key:
            kept[key] = np.asarray(parts[name])
        keys.append(key)
    if any(keys):
        np.savez(file, allow_pickle=False, **kept)
    return keys


def keep_estimator(path: Path, estimator: Any, key: str) -> dict[str, Any]:
    """Write an unfitted estimator beside the waiting candidates.

    Parameters
    ----------
    path : Path
        Of the candidates.
    estimator : scikit-learn estimator or None
        None is a candidate that cannot be fitted again.
    key : str
        Names the file.

    Returns
    -------
    dict
        `file`, relative to `path`, `columns`: parameters that take a column of the rows to learn
        from, and `members` of an ensemble; or `why` there is none.
    """
    if estimator is None:
        return {"why": "its analysis tracked no estimator"}
    try:
        plain, columns = without_rows(estimator)
        file = Path(ESTIMATORS) / f"{slug(key)}.skops"
        dump_model(plain, path.parent / file)
    except InputError as error:
        return {"why": str(error)}
    members = [str(name) for name, _ in getattr(plain, "members", ())]
    return {"file": str(file), "columns": columns, "members": members}


def _read(file: Path) -> dict[str, Array]:
    if not file.exists():
        return {}
    with np.load(file, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def load_predictions(
    config: Config, *, analyses: Sequence[str], dataset: Any, folds: Any
) -> dict[str, Predicted]:
    """Return the out-of-fold predictions of the candidates that analyses tracked on these folds.

    Only runs of the runner count, and only analyses that passed; a candidate that several tracked
    is taken from the first by number.

    Parameters
    ----------
    config : Config
        Says where reports are.
    analyses : sequence of str
        Whose candidates, by number: those that the calling analysis says it needs, so that what
        it finds does not depend on what else has run.
    dataset : Dataset
        The rows that candidates learned from.
    folds : Folds
        On which they were scored.

    Returns
    -------
    dict of str to Predicted
        By candidate, in the order of the analyses.

    Raises
    ------
    InputError
        When there is none.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> from lib.resampling import make_cv, make_folds
    >>> dataset = make_planted(50)
    >>> folds = make_folds(dataset, make_cv(dataset))
    >>> load_predictions(load_config(), analyses=["11"], dataset=dataset, folds=folds)
    Traceback (most recent call last):
    lib.errors.InputError: ... on these folds of 'planted' are kept; make them with: ...
    """
    found: dict[str, Predicted] = {}
    wanted = {"study.data": dataset.fingerprint, "study.folds": folds.fingerprint}
    for path in sorted((config.reports / dataset.name).glob(f"*/{FILE}")):
        is_asked = path.parent.name.partition("_")[0] in analyses
        if not is_asked or not has_passed(path.with_name(RESULT)):
            continue
        own = {
            candidate["tags"]["study.candidate"]: candidate  # the later of two by one name
            for candidate in json.loads(path.read_text(encoding="utf-8"))
            if candidate.get("predictions")
            and all(candidate["tags"].get(tag) == value for tag, value in wanted.items())
        }
        arrays = _read(path.with_suffix(".npz")) if own else {}
        for name, candidate in own.items():
            costs = {
                metric: value
                for metric, value in candidate["metrics"].items()
                if metric.endswith(("seconds", "kilobytes"))
            }
            parts = arrays[candidate["predictions"]]
            kept = dict(candidate.get("estimator", {}))
            if "file" in kept:
                kept["file"] = str(path.parent / kept["file"])
            found.setdefault(
                name, Predicted(candidate["tags"]["study.analysis"], parts, costs, kept)
            )
    if not found:
        raise InputError(
            f"No predictions of candidates on these folds of '{dataset.name}' are kept; make them "
            f"with: nox -s run_analyses -- {' '.join(analyses)}"
        )
    return found


def has_passed(path: Path) -> bool:
    """Return whether the record of an analysis says that it passed."""
    if not path.exists():
        return False
    return bool(json.loads(path.read_text(encoding="utf-8")).get("state") == "passed")
