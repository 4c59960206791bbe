"""A corpus of planted quality defects: what was put where, mild and severe, into three tables.

Each defect changes a clean table as a spreadsheet, an export or a sensor would, and says which
check has to find it in which column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lib import quality
from lib.checks import Check
from lib.config import Config, load_config
from lib.data import load_data, make_planted

Frame = pd.DataFrame
Inject = Callable[[Frame, str, np.random.Generator], Frame]
CITIES = {
    "Amsterdam": "10", "Barcelona": "11", "Copenhagen": "12", "Dortmund": "13", "Edinburgh": "14",
    "Florence": "15", "Gothenburg": "16", "Helsinki": "17", "Innsbruck": "18", "Ljubljana": "19",
}  # fmt: skip
MILD, SEVERE = "mild", "severe"


@dataclass(frozen=True)
class Defect:
    """One defect.

    Attributes
    ----------
    name, degree : str
        Such as "copies of rows", "mild".
    code : str
        The check that has to find it.
    inject : callable
        (frame, target, rng) -> frame with the defect.
    column : str
        Where it has to be found; "" for anywhere.
    bases : tuple of str
        Tables that it fits; by default all three.
    """

    name: str
    degree: str
    code: str
    inject: Inject
    column: str = ""
    bases: tuple[str, ...] = ("breast_cancer", "diabetes", "planted")


def make_base(name: str) -> tuple[Frame, str]:
    """Return a clean table and the name of its target.

    Measured tables and a generated one, each with columns that defects need: a city with its
    postcode, a day, and a person's height, reach and weight.
    """
    if name == "clusters":
        rng = np.random.default_rng(5)
        kind = rng.integers(3, size=1_500)
        centres = np.array([[0, 0, 0, 0], [3, 1, 0, 2], [0, 3, 2, -2]])
        frame = pd.DataFrame(centres[kind] + rng.normal(size=(1_500, 4)), columns=list("abcd"))
        return frame.assign(target=np.array(["red", "green", "blue"])[kind]), "target"
    if name == "digits":
        dataset = load_data(name)
        frame = dataset.X.rename(columns=dict(dataset.labels))
        return frame.assign(target=[f"class {label}" for label in dataset.y]), "target"
    dataset = make_planted(900, n_noise=3, seed=4) if name == "planted" else load_data(name)
    frame = dataset.X.rename(columns=dict(dataset.labels)).copy()
    rng = np.random.default_rng(11)
    n_rows = len(frame)
    city = rng.choice(list(CITIES), n_rows)
    frame["city"] = city
    frame["postcode"] = [
        f"{CITIES[c]}{k}" for c, k in zip(city, rng.integers(3, size=n_rows), strict=True)
    ]
    frame["postcode"] = "P" + frame["postcode"]
    days = rng.integers(0, 1_000, n_rows)
    frame["visited"] = pd.Timestamp("2021-03-01") + pd.to_timedelta(days, unit="D")
    height = rng.normal(172, 9, n_rows)
    frame["height"] = height.round(1)
    frame["reach"] = (height * 1.02 + rng.normal(0, 1.5, n_rows)).round(1)
    frame["weight"] = np.exp(np.log(height - 100) + rng.normal(0, 0.1, n_rows)).round(1)
    frame["target"] = dataset.y.to_numpy()
    if dataset.task != "regression":
        frame["target"] = frame["target"].map({0: "no", 1: "yes"})
    return frame, "target"


def all_defects() -> list[Defect]:
    """Return the corpus, by code and degree."""
    corpus = []
    for name, code, make, degrees, *rest in _PLAN:
        column = rest[0] if rest else ""
        bases = {"bases": rest[1]} if len(rest) > 1 else {}
        for degree, strength in zip((MILD, SEVERE), degrees, strict=True):
            corpus.append(Defect(name, degree, code, make(strength), column, **bases))
    return corpus


def run_defect(
    defect: Defect, base: str, *, seed: int, config: Config, folder: Path
) -> list[Check]:
    """Plant a defect into a clean table, load it as a user would, and return all answers."""
    frame, target = make_base(base)
    rng = np.random.default_rng(seed)
    config = config.model_copy(update={"root": folder})
    if defect.code == "Q22":
        clean = load_data(frame, target=target, name=base)
        path = quality.schema_path(clean.name, config)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(quality.write_schema(quality.propose_schema(clean)), encoding="utf-8")
    spoilt = defect.inject(frame.copy(), target, rng)
    try:
        return quality.assess(load_data(spoilt, target=target, name=base), config=config)
    finally:
        quality.schema_path(base, config).unlink(missing_ok=True)


def is_found(defect: Defect, checks: list[Check]) -> bool:
    """Return whether the right check found the defect, in the right column."""
    return any(
        check.is_found and check.code == defect.code and defect.column in check.column
        for check in checks
    )


def run_clean(base: str, *, config: Config | None = None) -> list[Check]:
    """Return all answers on a clean table."""
    frame, target = make_base(base)
    dataset = load_data(frame, target=target, name=f"{base}_clean")
    return quality.assess(dataset, config=config or load_config(effort="quick"))


# -- how each defect comes about ---------------------------------------------------------------


def _some(rng: np.random.Generator, frame: Frame, share: float) -> np.ndarray:
    """Return positions of a share of the rows, eight at least."""
    return rng.choice(len(frame), max(round(share * len(frame)), 8), replace=False)


def _empty_column(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        frame.loc[rng.random(len(frame)) < share, "weight"] = np.nan
        return frame

    return inject


def _empty_rows(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        names = [name for name in frame if name != target]
        rows = _some(rng, frame, share)
        frame[names] = frame[names].astype(object)
        frame.loc[rows, names[: int(0.8 * len(names))]] = None
        return frame.infer_objects()

    return inject


def _gaps_by(column: str, strength: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        score = (frame[column] - frame[column].mean()) / frame[column].std()
        chance = 1 / (1 + np.exp(1.8 - strength * score))
        frame.loc[rng.random(len(frame)) < chance, "weight"] = np.nan
        return frame

    return inject


def _gaps_by_target(strength: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        y = frame[target]
        high = (y > y.median()) if y.dtype.kind in "if" else (y == "yes")
        chance = np.where(high, 0.1 + strength, 0.1)
        frame.loc[rng.random(len(frame)) < chance, "reach"] = np.nan
        return frame

    return inject


def _copies(share: float, *, noise: float = 0.0, other_target: bool = False) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        rows = _some(rng, frame, share)
        copied = frame.iloc[rows].copy()
        for name in copied.columns:
            if noise and name != target and copied[name].dtype.kind == "f":
                spread = noise * frame[name].std()
                copied[name] = copied[name] + rng.uniform(-spread, spread, len(copied))
        if other_target:
            flip = {"yes": "no", "no": "yes"}
            is_class = copied[target].dtype.kind not in "if"
            copied[target] = copied[target].map(flip) if is_class else copied[target] * 1.5 + 20
        both = pd.concat([frame, copied], ignore_index=True)
        return both.iloc[rng.permutation(len(both))].reset_index(drop=True)

    return inject


def _far_values(times: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        name = "reach"
        middle, spread = frame[name].median(), frame[name].std()
        rows = _some(rng, frame, 0.01)
        reach = np.exp(2 * rng.random(len(rows)))  # no two alike, so no other unit explains them
        frame.loc[rows, name] = middle + times * spread * reach
        return frame

    return inject


def _swapped(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        order = np.argsort(frame["height"].to_numpy())
        count = max(int(share * len(frame)), 8)
        low, high = order[5 : 5 + count], order[-5 - count : -5]
        values = frame["reach"].to_numpy().copy()
        values[low], values[high] = values[high], values[low].copy()
        frame["reach"] = values
        return frame

    return inject


def _words_among_numbers(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        cells = frame["height"].astype(object)
        cells.iloc[_some(rng, frame, share)] = "not measured"
        frame["height"] = cells
        return frame

    return inject


def _misspelt(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        for row in _some(rng, frame, share):
            word = frame.loc[row, "city"]
            at = rng.integers(2, len(word))
            forms = [word[:at] + "x" + word[at + 1 :], word.upper(), word[:at] + word[at - 1 :]]
            frame.loc[row, "city"] = forms[rng.integers(3)]
        return frame

    return inject


def _garbled(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        frame.loc[_some(rng, frame, share), "city"] = "Göteborg".encode().decode("latin-1")
        return frame

    return inject


def _invisible(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        rows = _some(rng, frame, share)
        frame.loc[rows, "city"] = frame.loc[rows, "city"] + "\u200b"
        return frame

    return inject


def _code_for_missing(code: float, share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        frame.loc[_some(rng, frame, share), "reach"] = code
        return frame

    return inject


def _hardly_varies(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        flag = np.zeros(len(frame), dtype=int)
        if share:
            flag[rng.choice(len(frame), 2, replace=False)] = 1
        return frame.assign(flag=flag)

    return inject


def _identifier(as_text: bool) -> Inject:  # noqa: FBT001 - one of two degrees
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        numbers = rng.permutation(len(frame)) + 4_000
        made = [f"{n * 7919 % 999_983:06x}" for n in numbers] if as_text else numbers
        return frame.assign(reference=made)

    return inject


def _sum_of_parts(broken: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        first = rng.gamma(4, 30, len(frame)).round(2)
        second = rng.gamma(4, 20, len(frame)).round(2)
        total = (first + second).round(2)
        if broken:
            rows = _some(rng, frame, broken)
            total[rows] = (total[rows] * rng.uniform(1.1, 2, len(rows))).round(2)
        return frame.assign(labour=first, parts=second, invoice=total)

    return inject


def _other_unit(column: str, factor: float, share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        rows = _some(rng, frame, share)
        frame.loc[rows, column] = (frame.loc[rows, column] * factor).round(2)
        return frame

    return inject


def _inches(share: float) -> Inject:
    return _other_unit("height", 1 / 2.54, share)


def _grams(share: float) -> Inject:
    return _other_unit("weight", 1_000, share)


def _impossible(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        rows = _some(rng, frame, share)
        frame.loc[rows, "weight"] = -frame.loc[rows, "weight"] / 10
        return frame

    return inject


def _odd_dates(day: str) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        frame.loc[_some(rng, frame, 0.01), "visited"] = pd.Timestamp(day)
        return frame

    return inject


def _rule_broken(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        rows = _some(rng, frame, share)
        frame.loc[rows, "city"] = frame["city"].to_numpy()[rng.permutation(len(frame))[: len(rows)]]
        return frame

    return inject


def _drifting(times: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        frame = frame.sort_values("visited", kind="stable").reset_index(drop=True)
        late = np.arange(len(frame)) > 0.8 * len(frame)
        frame["reach"] = frame["reach"] + times * frame["reach"].std() * late
        return frame

    return inject


def _wrong_labels(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        rows = _some(rng, frame, share)
        kinds = sorted(frame[target].unique())
        step = rng.integers(1, len(kinds), len(rows))
        codes = np.array([kinds.index(label) for label in frame.loc[rows, target]])
        frame.loc[rows, target] = [kinds[c] for c in (codes + step) % len(kinds)]
        return frame

    return inject


def _against_schema(share: float) -> Inject:
    def inject(frame: Frame, target: str, rng: np.random.Generator) -> Frame:
        rows = _some(rng, frame, share)
        frame.loc[rows, "height"] = frame["height"].max() * 1.3
        return frame

    return inject


_CLASSES = ("breast_cancer", "digits", "clusters")
_PLAN = [
    ("column mostly empty", "Q01", _empty_column, (0.6, 0.9), "weight"),
    ("rows mostly empty", "Q01", _empty_rows, (0.01, 0.1)),
    ("gaps follow a column", "Q02", lambda s: _gaps_by("height", s), (1.1, 3.0)),
    ("gaps go with the target", "Q03", _gaps_by_target, (0.15, 0.6), "reach"),
    ("copies of rows", "Q04", _copies, (0.01, 0.5)),
    ("copies with noise", "Q05", lambda s: _copies(s, noise=0.002), (0.015, 0.3)),
    ("copies with another target", "Q06", lambda s: _copies(s, other_target=True), (0.02, 0.2)),
    ("values far out", "Q07", _far_values, (9.0, 300.0), "reach"),
    ("values of two rows swapped", "Q08", _swapped, (0.01, 0.02)),
    ("words among numbers", "Q09", _words_among_numbers, (0.01, 0.2), "height"),
    ("misspelt categories", "Q10", _misspelt, (0.01, 0.1), "city"),
    ("garbled letters", "Q11", _garbled, (0.01, 0.1), "city"),
    ("invisible characters", "Q11", _invisible, (0.01, 0.1), "city"),
    ("-999 for missing", "Q12", lambda s: _code_for_missing(-999, s), (0.01, 0.2), "reach"),
    ("999 for missing", "Q12", lambda s: _code_for_missing(999, s), (0.01, 0.2), "reach"),
    ("column hardly varies", "Q13", _hardly_varies, (1, 0), "flag"),
    ("identifier kept", "Q14", _identifier, (False, True), "reference"),
    ("sum of parts", "Q15", _sum_of_parts, (0.0, 0.03), "invoice"),
    (
        "inches among centimetres",
        "Q16",
        lambda s: _other_unit("height", 1 / 2.54, s),
        (0.03, 0.2),
        "height",
    ),
    (
        "grams among kilograms",
        "Q16",
        lambda s: _other_unit("weight", 1_000, s),
        (0.03, 0.2),
        "weight",
    ),
    ("negative weights", "Q17", _impossible, (0.01, 0.04), "weight"),
    ("odd dates", "Q17", _odd_dates, ("2031-05-05", "1900-01-01"), "visited"),
    ("rule broken", "Q18", _rule_broken, (0.01, 0.04), "city"),
    ("parts differ", "Q19", _drifting, (1.5, 4.0)),
    ("column drifts", "Q20", _drifting, (0.8, 3.0), "reach"),
    ("wrong labels", "Q21", _wrong_labels, (0.06, 0.12), "", _CLASSES),
    ("against the schema", "Q22", _against_schema, (0.01, 0.04), "height"),
]
