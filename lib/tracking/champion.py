"""The champion: fitted on all training rows, kept without pickle, found again by later pages."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.config import Config, default_dataset
from lib.data import Dataset
from lib.errors import InputError
from lib.tracking.candidates import deferred_folder
from lib.tracking.models import dump_model, forget_rows, read_model
from lib.tracking.predictions import RESULT, Array, Predicted, has_passed

FOLDER, CARD = "champion", "champion.json"
ANALYSIS = "32_comparative_study"  # which names the champion
ROLES = ("champion", "runner_up")
N_CHECKED = 500  # rows on which a model that was read again must predict the same bits


@dataclass(frozen=True, eq=False)
class Champion:
    """A candidate fitted on all training rows.

    Attributes
    ----------
    name : str
        As tables show it.
    analysis : str
        Which tracked the candidate.
    estimator : scikit-learn estimator
        Fitted; `predict` of this class is safer, as it checks the columns.
    columns : tuple of str
        That it needs, in its order.
    n_classes : int
        Of the study; 0 for a regression.
    scoring : str
        The metric that ranked it.
    rule : str
        By which it was chosen, in words.
    digest : str
        16 hex digits: the choice and the rows that were learned from. The same choice on the same
        rows has the same digest on every machine.
    runner_up : Champion or None
        The candidate that it has to beat on new rows.
    """

    name: str
    analysis: str
    estimator: Any = field(repr=False)
    columns: tuple[str, ...] = field(repr=False)
    n_classes: int
    scoring: str
    rule: str
    digest: str
    runner_up: Champion | None = None

    def predict(self, X: pd.DataFrame) -> Array:
        """Return probabilities of all classes, or values.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Features as `load_data` gives them; their order does not matter, more do not harm.

        Returns
        -------
        ndarray of shape (n_rows, n_classes) or (n_rows,)

        Raises
        ------
        InputError
            When a column is missing.
        """
        from lib.evaluation import predict_whole  # noqa: PLC0415 - imports scikit-learn

        missing = [column for column in self.columns if column not in X.columns]
        if missing:
            others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise InputError(
                f"{self.name} needs the column '{missing[0]}'{others}; the rows have "
                f"{', '.join(map(str, list(X.columns)[:5]))}, …: give it the columns that it "
                "learned from."
            )
        return predict_whole(self.estimator, X[list(self.columns)], n_classes=self.n_classes)


def store_champion(
    *,
    dataset: Dataset,
    candidates: Mapping[str, Predicted],
    name: str,
    runner_up: str | None = None,
    scoring: str,
    rule: str,
) -> Champion:
    """Fit the champion and its runner-up on all training rows, and keep them.

    Under the runner they lie beside the report, else in a folder that is gone afterwards. What is
    returned was read from the files, and predicts the same bits as what was fitted.

    Parameters
    ----------
    dataset : Dataset
        The whole training part.
    candidates : mapping of str to Predicted
        From `load_predictions`; champion and runner-up are among them.
    name, runner_up : str
        Candidates; no runner-up when there is one candidate only.
    scoring : str
        The metric that ranked them.
    rule : str
        By which the champion was chosen, in words.

    Returns
    -------
    Champion

    Raises
    ------
    InputError
        When a candidate cannot be fitted again, or cannot be kept without pickle.

    Examples
    --------
    >>> from lib.data import load_data
    >>> how = {"candidates": {}, "name": "linear", "scoring": "neg_log_loss", "rule": "the best"}
    >>> store_champion(dataset=load_data("wine"), **how)
    Traceback (most recent call last):
    lib.errors.InputError: A champion learns from the training part: pass load_data(…).train; ...
    """
    from lib.evaluation import fit_each  # noqa: PLC0415 - imports scikit-learn

    if dataset.part != "train":
        raise InputError(
            "A champion learns from the training part: pass load_data(…).train; got the part "
            f"'{dataset.part}' of '{dataset.name}'."
        )
    chosen = {r: c for r, c in zip(ROLES, (name, runner_up), strict=True) if c is not None}
    with tempfile.TemporaryDirectory() as temporary:
        folder = (deferred_folder() or Path(temporary)) / FOLDER
        card: dict[str, Any] = {
            "data": dataset.fingerprint,
            "columns": [str(column) for column in dataset.X.columns],
            "n_classes": len(dataset.classes) if dataset.task != "regression" else 0,
            "scoring": scoring,
            "rule": rule,
        }
        estimators = {role: candidates[c].read_estimator(dataset) for role, c in chosen.items()}
        fitted = dict(zip(chosen, fit_each(list(estimators.values()), dataset), strict=True))
        for role, candidate in chosen.items():
            forget_rows(fitted[role])
            dump_model(fitted[role], folder / f"{role}.skops")
            analysis = candidates[candidate].analysis
            card[role] = {
                "name": candidate,
                "analysis": analysis,
                "digest": _digest(candidate, analysis, estimators[role], dataset.fingerprint),
            }
        content = json.dumps(card, indent=1, ensure_ascii=False)
        (folder / CARD).write_text(content, encoding="utf-8")
        champion = _read(folder, dataset)
    _check_same(champion, fitted, dataset)
    return champion


def load_champion(config: Config, *, dataset: Dataset) -> Champion:
    """Return the champion that 32 named and fitted on these training rows.

    Parameters
    ----------
    config : Config
        Says where reports are.
    dataset : Dataset
        The whole training part.

    Returns
    -------
    Champion

    Raises
    ------
    InputError
        When there is none, it learned from other rows, or its files are damaged.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> load_champion(Config(root=Path("/nowhere")), dataset=make_planted(50))
    Traceback (most recent call last):
    lib.errors.InputError: No champion of 'planted' is kept; make it with: ...
    """
    folder = config.reports / dataset.name / ANALYSIS
    again = f"make it with: nox -s run_analyses -- {ANALYSIS[:2]}"
    again += "" if dataset.name == default_dataset(config) else f" --dataset {dataset.name}"
    if not (folder / FOLDER / CARD).exists() or not has_passed(folder / RESULT):
        raise InputError(f"No champion of '{dataset.name}' is kept; {again}")
    try:
        return _read(folder / FOLDER, dataset)
    except InputError as error:
        raise InputError(f"{error} {again[0].upper()}{again[1:]}") from error


def read_card(folder: Path) -> dict[str, Any]:
    """Return what is said of the champion in a folder: data, columns, rule, names, digests."""
    card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return card


def _read(folder: Path, dataset: Dataset) -> Champion:
    card = read_card(folder)
    if card["data"] != dataset.fingerprint:
        msg = f"The champion in {folder} learned from other rows ({card['data']})"
        raise InputError(f"{msg} than the training part of '{dataset.name}'.")

    def make(role: str, runner_up: Champion | None) -> Champion:
        return Champion(
            **card[role],
            estimator=read_model(folder / f"{role}.skops"),
            columns=tuple(card["columns"]),
            n_classes=card["n_classes"],
            scoring=card["scoring"],
            rule=card["rule"],
            runner_up=runner_up,
        )

    second = make("runner_up", None) if "runner_up" in card else None
    return make("champion", second)


def _check_same(champion: Champion, fitted: Mapping[str, Any], dataset: Dataset) -> None:
    """Raise unless the models read again predict the same bits."""
    from lib.evaluation import predict_whole  # noqa: PLC0415 - imports scikit-learn

    X = dataset.X.iloc[:N_CHECKED]
    for model, read in zip(fitted.values(), (champion, champion.runner_up), strict=False):
        before = predict_whole(model, X, n_classes=champion.n_classes)
        if read is None or not np.array_equal(before, read.predict(X)):
            msg = f"{champion.name} predicts otherwise once it was written and read again"
            raise InputError(f"{msg}: one of its parts does not keep all that it learned.")


def _digest(name: str, analysis: str, estimator: Any, fingerprint: str) -> str:
    text = f"{name}|{analysis}|{_describe(estimator)}|{fingerprint}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _describe(estimator: Any) -> str:
    """Return all plain settings of an estimator and of its parts."""
    plain = (str, int, float, bool, type(None), tuple)
    settings = estimator.get_params() if hasattr(estimator, "get_params") else {}
    told = [f"{k}={v!r}" for k, v in sorted(settings.items()) if isinstance(v, plain)]
    members = getattr(estimator, "members", ())
    told += [f"{name}: {_describe(member)}" for name, member in members]
    weights = getattr(getattr(estimator, "combiner", None), "weights", ())
    told += [f"{weight:.6g}" for weight in weights]
    return f"{type(estimator).__name__}({', '.join(told)})"
