"""The test set: one rule for the whole study, made once, locked, every opening recorded.

Which rows are test rows depends on the rule, its seed, the groups, the time and the target,
never on the features: dropping a column moves no row. Random order comes from a hash written
out here, so the same rows are drawn by every version of every package on every machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import InputError

LOCK_NAME = "test_set.json"
MIN_ROWS = 20


ELSE_RANDOM = 'set split = { rule = "random" } in the catalogue, or '


@dataclass(frozen=True)
class Rule:
    """How the test rows are chosen.

    Attributes
    ----------
    kind : {"groups", "time", "random"}
        Whole groups; the last rows in time; single rows.
    test_fraction : float
        Share of the rows, approximately when groups are kept together.
    seed : int
        Of the draw; not the study's seed. Ignored by "time".
    words : str
        The rule for a reader.
    """

    kind: str
    test_fraction: float
    seed: int
    words: str


@dataclass(frozen=True)
class Split:
    """Which rows are locked away.

    Attributes
    ----------
    rule : str
        In words.
    fingerprint : str
        16 hex digits of the test rows' positions.
    train, test : ndarray of int
        Positions, ascending.
    """

    rule: str
    fingerprint: str
    train: np.ndarray = field(repr=False, compare=False)
    test: np.ndarray = field(repr=False, compare=False)

    @property
    def n_train(self) -> int:
        """Number of training rows."""
        return len(self.train)

    @property
    def n_test(self) -> int:
        """Number of test rows."""
        return len(self.test)


def make_split(
    y: pd.Series,
    rule: Rule,
    *,
    groups: pd.Series | None = None,
    time: pd.Series | None = None,
    is_classification: bool = True,
) -> Split:
    """Return the split of these rows by `rule`.

    Parameters
    ----------
    y : Series of shape (n_rows,)
        Class codes, or numbers.
    rule : Rule
        Kind, fraction and seed.
    groups : Series of shape (n_rows,), optional
        Needed by "groups": no group is in both parts.
    time : Series of shape (n_rows,), optional
        Needed by "time": every test row is later than every training row.
    is_classification : bool, default=True
        Stratify by class, else by fifths of the target.

    Returns
    -------
    Split
        Every class has a training row.

    Raises
    ------
    InputError
        With too few rows, or when a part would hold one class only.

    Examples
    --------
    >>> y = pd.Series([0, 1] * 50)
    >>> split = make_split(y, Rule("random", 0.2, 0, "20 % of the rows"))
    >>> split.n_train, split.n_test, int(y.iloc[split.test].sum())
    (80, 20, 10)
    """
    if len(y) < MIN_ROWS:
        raise InputError(
            f"A locked test set needs at least {MIN_ROWS} rows, got {len(y)}: add rows, "
            "or look at the whole table without a test set (dataset.X, dataset.y)."
        )
    if rule.kind == "time" and time is not None:
        test = _latest(time, rule.test_fraction)
    else:
        unit = None if rule.kind != "groups" else groups
        test = _drawn(y, unit, rule, is_classification=is_classification)
    if is_classification:
        test = _keep_classes_in_train(y, test, movable=rule.kind == "random")
        _check_classes(y, test, rule)
    if not test.any() or test.all():
        raise InputError(
            f"The rule '{rule.words}' leaves a part without rows: "
            'choose another with split = { rule = "random" } in the catalogue.'
        )
    positions = np.flatnonzero(test)
    digest = hashlib.sha256(positions.astype("<i8").tobytes()).hexdigest()[:16]
    return Split(rule.words, digest, np.flatnonzero(~test), positions)


def _latest(time: pd.Series, fraction: float) -> np.ndarray:
    """Return a mask of the last rows in time; equal times stay on one side."""
    values = time.to_numpy()
    n_test = max(1, round(fraction * len(values)))
    cut = np.sort(values)[-n_test]
    late = values >= cut
    if late.all():  # one moment holds more than the fraction
        late = values > cut
    return np.asarray(late)


def _drawn(
    y: pd.Series, groups: pd.Series | None, rule: Rule, *, is_classification: bool
) -> np.ndarray:
    """Return a mask of drawn rows: every fifth unit, say, in random order within strata.

    Every unit has the same chance. (Filling up to a share of the rows instead would prefer
    small groups, which differ: persons who left early are sicker.)
    """
    codes = np.arange(len(y)) if groups is None else pd.factorize(groups)[0]
    sizes = np.bincount(codes)
    strata = _strata(y, codes, sizes, is_classification=is_classification)
    order = np.lexsort((_hash_order(len(sizes), rule.seed), *strata))
    steps = np.floor(np.arange(len(sizes) + 1) * rule.test_fraction + 0.5)
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order] = np.diff(steps) > 0
    chosen &= sizes <= max(1, rule.test_fraction * len(y))  # one group is not the test set
    return np.asarray(chosen[codes])


def _strata(
    y: pd.Series, codes: np.ndarray, sizes: np.ndarray, *, is_classification: bool
) -> tuple[np.ndarray, ...]:
    """Return what makes units alike, the most important last: size, then the target.

    Of a class target the rarest class in the unit and how often it is there; of a number the
    fifth in which the unit's mean falls. Sizes and counts by doublings, in half steps.
    """
    values = y.to_numpy()
    if is_classification:
        frequency = np.bincount(values)
        rarity = np.argsort(np.argsort(-frequency, kind="stable"))  # 0 = most frequent
        rarest = np.zeros(len(sizes), dtype=np.int64)
        np.maximum.at(rarest, codes, rarity[values])
        n_rarest = np.bincount(codes, weights=rarity[values] == rarest[codes])
        return _half_doublings(sizes), _half_doublings(n_rarest), rarest
    means = np.bincount(codes, weights=values) / sizes
    fifth = np.searchsorted(np.quantile(means, [0.2, 0.4, 0.6, 0.8]), means)
    return _half_doublings(sizes), fifth


def _half_doublings(counts: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(2 * np.log2(counts)).astype(np.int64))


def _hash_order(n: int, seed: int) -> np.ndarray:
    """Return a pseudo-random 64-bit key for 0 … n-1 (splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = np.arange(1, n + 1, dtype=np.uint64) + np.uint64(seed) * np.uint64(0xD1342543DE82EF95)
        z *= np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def _keep_classes_in_train(y: pd.Series, test: np.ndarray, *, movable: bool) -> np.ndarray:
    """Return `test` without the rows of classes that would have no training row."""
    if not movable:
        return test
    values = y.to_numpy()
    left = np.bincount(values[~test], minlength=int(values.max()) + 1)
    return np.asarray(test & (left[values] > 0))


def _check_classes(y: pd.Series, test: np.ndarray, rule: Rule) -> None:
    for part, rows in (("training", ~test), ("test", test)):
        if y[rows].nunique() < 2:
            other = "" if rule.kind == "random" else ELSE_RANDOM
            raise InputError(
                f"The rule '{rule.words}' leaves {part} rows of fewer than two classes: "
                f"{other}add rows of the rare class."
            )


def record_split(folder: Path, name: str, data_fingerprint: str, rule: Rule, split: Split) -> None:
    """Record a split the first time; later check that nobody changed the rule.

    Parameters
    ----------
    folder : Path
        `reports/<dataset>`; the record is `test_set.json` in it.
    name : str
        Of the dataset, for messages.
    data_fingerprint : str
        Of the whole data: new data get a record of their own.
    rule : Rule
        As asked for now.
    split : Split
        As made now.

    Raises
    ------
    InputError
        When the same data were split by another rule before.
    """
    path = folder / LOCK_NAME
    known = _read(path).get(data_fingerprint)
    if known is None:
        entry = {
            "rule": rule.words,
            "seed": rule.seed,
            "test_fraction": rule.test_fraction,
            "split": split.fingerprint,
            "n_train": split.n_train,
            "n_test": split.n_test,
            "made": _now(),
            "openings": [],
        }
        # Without a writable folder the same rows are still drawn; only the record is absent.
        with contextlib.suppress(OSError), _changing(path) as record:
            known = record.setdefault(data_fingerprint, entry)
    if known is not None and known["split"] != split.fingerprint:
        raise InputError(
            f"The test set of '{name}' was made by the rule '{known['rule']}', now asked for is "
            f"'{rule.words}': restore the rule in the catalogue, or delete {path} to begin the "
            "study anew with a test set nobody has seen."
        )


def record_opening(
    folder: Path, name: str, data_fingerprint: str, *, by: str, champion: str | None
) -> None:
    """Record who opened the test set.

    Parameters
    ----------
    folder : Path
        `reports/<dataset>`.
    name : str
        Of the dataset, for messages.
    data_fingerprint : str
        Of the whole data.
    by : str
        The analysis.
    champion : str or None
        The model that is judged, when there is one.

    Raises
    ------
    InputError
        When the opening cannot be recorded: then the test set stays closed.
    """
    path = folder / LOCK_NAME
    try:
        with _changing(path) as record:
            openings = record[data_fingerprint]["openings"]
            same = [o for o in openings if (o["by"], o["champion"]) == (by, champion)]
            if same:
                same[0].update(last=_now(), times=same[0]["times"] + 1)
            else:
                now = _now()
                new = {"by": by, "champion": champion, "first": now, "last": now, "times": 1}
                openings.append(new)
    except (OSError, KeyError) as error:
        raise InputError(
            f"The test set of '{name}' stays closed because its opening cannot be recorded in "
            f"{path}: make that folder writable, or set STUDY_REPORTS to one that is."
        ) from error


def read_openings(folder: Path, data_fingerprint: str) -> list[dict[str, Any]]:
    """Return who opened the test set so far.

    Parameters
    ----------
    folder : Path
        `reports/<dataset>`.
    data_fingerprint : str
        Of the whole data.

    Returns
    -------
    list of dict
        Keys by, champion, first, last, times.

    Examples
    --------
    >>> read_openings(Path("no/such/folder"), "0" * 16)
    []
    """
    return list(_read(folder / LOCK_NAME).get(data_fingerprint, {}).get("openings", []))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except OSError:
        return {}
    except ValueError as error:
        raise InputError(
            f"The record of the test set, {path}, is not valid JSON: restore it, "
            "or delete it to begin the study anew."
        ) from error


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the record for a change that is atomic and excludes other processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{LOCK_NAME}.lock").open("a") as lock:
        _lock(lock.fileno())  # released when the file closes, also by a killed process
        record = _read(path)
        yield record
        text = json.dumps(record, indent=1, ensure_ascii=False)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".test_set", delete=False
        ) as file:
            file.write(text + "\n")
        Path(file.name).replace(path)


def _lock(descriptor: int) -> None:
    if os.name == "posix":
        import fcntl  # noqa: PLC0415 - absent on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
