"""Models as files without pickle: what is written can be read again, and nothing in it runs."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lib.errors import InputError

# Types that a model of this project may be made of: a skops file of anything else is refused.
TRUSTED = (
    "collections.", "functools.partial", "lib.", "lightgbm.", "numpy.", "pandas.", "scipy.",
    "sklearn.", "skrub.",
)  # fmt: skip

LARGE = 500_000  # bytes of a file; the types of a larger one are looked at when it is read
# What skrub's TableVectorizer holds twice: its pipeline, with which it transforms, has it too.
HELD_TWICE = (
    "_preprocessors", "_encoders", "_named_encoders", "_postprocessors", "all_processing_steps_",
)  # fmt: skip


def dump_model(model: Any, path: Path) -> None:
    """Write an estimator, fitted or not, to a skops file.

    Parameters
    ----------
    model : scikit-learn estimator
        Or anything with its interface.
    path : Path
        Made whole or not at all.

    Raises
    ------
    InputError
        When the model holds types outside of the allow-list, or cannot be kept without pickle.
    """
    import skops.io  # noqa: PLC0415 - a second to import

    try:
        with _once(model):
            content = skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
        types = [] if len(content) > LARGE else skops.io.get_untrusted_types(data=content)
    except Exception as error:
        msg = f"{type(model).__name__} cannot be kept without pickle ({error})"
        raise InputError(f"{msg}: define its classes and functions at the top of a module.") from (
            error
        )
    check_types(types)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)


def read_model(path: Path) -> Any:
    """Return the estimator of a file that `dump_model` wrote: it predicts the same numbers.

    Parameters
    ----------
    path : Path
        A skops file.

    Returns
    -------
    scikit-learn estimator

    Raises
    ------
    InputError
        When the file is absent, damaged, or holds types outside of the allow-list.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LogisticRegression(C=3.0).fit([[0.0], [1.0]], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dump_model(model, Path(folder) / "model.skops")
    ...     again = read_model(Path(folder) / "model.skops")
    >>> bool((again.predict_proba([[0.3]]) == model.predict_proba([[0.3]])).all())
    True
    """
    import skops.io  # noqa: PLC0415 - a second to import

    if not path.exists():
        raise InputError(f"There is no model in {path}.")
    try:
        types = list_types(path)
        check_types(types)
        return skops.io.load(path, trusted=types)
    except InputError:
        raise
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        msg = f"The model in {path} cannot be read ({type(error).__name__}: {first})"
        raise InputError(f"{msg}: it is damaged, or other versions wrote it.") from error


def list_types(path: Path) -> list[str]:
    """Return the types, beyond those that skops trusts by itself, that a file holds."""
    import skops.io  # noqa: PLC0415 - a second to import

    return list(skops.io.get_untrusted_types(file=path))


def check_types(types: list[str]) -> None:
    """Refuse types that no model of this project is made of.

    Raises
    ------
    InputError
        When there is one.

    Examples
    --------
    >>> check_types(["lib.models.CappedClassifier"])
    """
    foreign = [name for name in types if not name.startswith(TRUSTED)]
    if foreign:
        known = ", ".join(prefix.rstrip(".") for prefix in TRUSTED)
        msg = f"The model holds {', '.join(foreign[:3])}, which is of none of {known}"
        raise InputError(f"{msg}: build it of these, or move your class into lib.")


@contextlib.contextmanager
def _once(model: Any) -> Iterator[None]:
    """Hide for a moment what parts of a fitted model hold twice: a file would hold it twice too."""
    hidden = []
    try:
        for part in list(_find(model, "TableVectorizer", set())):
            own = {name: vars(part)[name] for name in HELD_TWICE if name in vars(part)}
            hidden.append((part, own))
            for name in own:
                delattr(part, name)
        yield
    finally:
        for part, own in hidden:
            vars(part).update(own)


def _find(value: Any, kind: str, seen: set[int]) -> Iterator[Any]:
    """Walk through the parts of a model that are of a class."""
    if id(value) in seen:
        return
    seen.add(id(value))
    parts: Iterable[Any] = ()
    if type(value).__name__ == kind:
        yield value
    elif isinstance(value, (list, tuple)):
        parts = value
    elif isinstance(value, dict):
        parts = value.values()
    elif type(value).__module__.startswith(("lib.", "sklearn.", "skrub.")):
        parts = getattr(value, "__dict__", {}).values()
    for part in parts:
        yield from _find(part, kind, seen)


def without_rows(estimator: Any) -> tuple[Any, list[str]]:
    """Return a clone without the columns of training rows that parameters hold, and their names.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Unfitted.

    Returns
    -------
    estimator
        Its parameters that were a Series (such as `groups`) are None.
    list of str
        Names of these parameters, for `with_rows`.
    """
    import pandas as pd  # noqa: PLC0415 - with scikit-learn below
    from sklearn.base import clone  # noqa: PLC0415 - a second to import

    plain = clone(estimator)
    names = [k for k, v in plain.get_params().items() if isinstance(v, pd.Series)]
    return plain.set_params(**dict.fromkeys(names)), sorted(names)


def forget_rows(model: Any) -> None:
    """Let a fitted model go of columns of its training rows: it needs them to learn only.

    Parameters
    ----------
    model : scikit-learn estimator
        Changed in place, the fitted members of an ensemble too; it predicts as before.
    """
    import pandas as pd  # noqa: PLC0415 - with scikit-learn

    held = [k for k, v in model.get_params().items() if isinstance(v, pd.Series)]
    model.set_params(**dict.fromkeys(held))
    for member in getattr(model, "fitted_", ()):
        forget_rows(member)


def with_rows(estimator: Any, names: list[str], columns: Mapping[str, Any]) -> Any:
    """Return the estimator with columns of the rows that it is about to learn from.

    Parameters
    ----------
    estimator : scikit-learn estimator
        From a file.
    names : list of str
        Parameters that take a column, such as "add__groups".
    columns : mapping of str to Series or None
        By the last part of the parameter's name.

    Returns
    -------
    estimator

    Raises
    ------
    InputError
        When a column is not known.
    """
    given = {}
    for name in names:
        last = name.rpartition("__")[2]
        if last not in columns:
            known = ", ".join(columns)
            msg = f"The parameter '{name}' of a candidate takes a column of its training rows"
            raise InputError(f"{msg}; only {known} can be given anew, not '{last}'.")
        given[name] = columns[last]
    return estimator.set_params(**given)
