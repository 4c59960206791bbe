"""Tables that come with a package or by number: `sklearn:`, `statsmodels:`, `openml:`."""

from __future__ import annotations

import importlib.util
import inspect
import io
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from lib.data.frames import from_pandas
from lib.data.sources import file_hash, record_source, source_hash
from lib.data.tables import RawTable
from lib.errors import InputError, suggest

SCHEMES = ("sklearn", "statsmodels", "openml")
_SKLEARN = {  # bundled with the wheel: no download
    "breast_cancer": "load_breast_cancer",
    "diabetes": "load_diabetes",
    "digits": "load_digits",
    "iris": "load_iris",
    "linnerud": "load_linnerud",
    "wine": "load_wine",
}
_SKLEARN_FETCHED = {
    "california_housing": "fetch_california_housing",
    "covtype": "fetch_covtype",
    "kddcup99": "fetch_kddcup99",
}


def read_packaged(locator: str) -> RawTable:
    """Read a table named `sklearn:NAME`, `statsmodels:NAME` or `openml:ID`.

    Parameters
    ----------
    locator : str
        Scheme and name.

    Returns
    -------
    RawTable
        With its target, description and source where the package states them.

    Raises
    ------
    InputError
        When the package has no such table, or it cannot be fetched.

    Examples
    --------
    >>> read_packaged("sklearn:wine").frame.shape
    (178, 14)
    """
    scheme, _, name = locator.partition(":")
    readers = {"sklearn": _read_sklearn, "statsmodels": _read_statsmodels, "openml": _read_openml}
    table = readers[scheme](name.strip())
    record_source(locator, source_hash(locator))
    return table


def statsmodels_folder(name: str) -> Path:
    """Return the folder of one of statsmodels' datasets, without its import of four seconds.

    Parameters
    ----------
    name : str
        Such as "randhie".

    Returns
    -------
    Path
        Holds `NAME.csv` and `data.py`.

    Raises
    ------
    InputError
        When statsmodels has no such dataset.

    Examples
    --------
    >>> (statsmodels_folder("randhie") / "src" / "randhie.csv").is_file()
    True
    """
    spec = importlib.util.find_spec("statsmodels")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("statsmodels is not installed: pip install -e . brings it.")
    datasets = Path(next(iter(spec.submodule_search_locations))) / "datasets"
    known = sorted(folder.name for folder in datasets.iterdir() if any(folder.glob("*.csv")))
    if name not in known:
        raise InputError(
            f"statsmodels has no dataset '{name}'.{suggest(name, known)} Known: {', '.join(known)}."
        )
    return datasets / name


def _read_statsmodels(name: str) -> RawTable:
    folder = statsmodels_folder(name)
    path = folder / f"{name}.csv"
    if not path.is_file():
        path = min(folder.glob("*.csv"))
    separator = "\t" if b"\t" in path.read_bytes()[:200] else ","
    frame = pl.read_csv(path, separator=separator, infer_schema_length=None)
    record_source(str(path), file_hash(path))
    about = {"source": f"statsmodels.datasets.{name}", "description": _first_docline(folder)}
    return RawTable(frame, about=about)


def _first_docline(folder: Path) -> str:
    """Return the title of a statsmodels dataset: its module's docstring."""
    try:
        text = (folder / "data.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    parts = text.split('"""')
    return " ".join(parts[1].split()) if len(parts) > 1 else ""


def _read_sklearn(name: str) -> RawTable:
    from sklearn import datasets  # noqa: PLC0415 - three seconds, only for who asks

    loaders = _SKLEARN | _SKLEARN_FETCHED
    if name not in loaders:
        known = ", ".join(loaders)
        raise InputError(
            f"scikit-learn has no dataset '{name}'.{suggest(name, loaders)} Known: {known}."
        )
    load = getattr(datasets, loaders[name])
    options = {"scaled": False} if "scaled" in inspect.signature(load).parameters else {}
    try:
        bunch: Any = load(as_frame=True, **options)
    except OSError as error:
        raise InputError(
            f"'sklearn:{name}' could not be fetched ({error}): go online once, "
            "scikit-learn then keeps it on this computer."
        ) from error
    return _from_bunch(bunch, f"sklearn.datasets.{loaders[name]}")


def _read_openml(name: str) -> RawTable:
    from sklearn.datasets import fetch_openml  # noqa: PLC0415 - three seconds

    if not name.isdecimal():
        raise InputError(
            f"'openml:{name}' needs the number of a dataset, such as openml:31: "
            "it stands in its address, openml.org/d/31."
        )
    try:
        bunch = fetch_openml(data_id=int(name), as_frame=True, parser="auto")
    except Exception as error:  # the network fails in many ways; the user needs one sentence
        raise InputError(
            f"'openml:{name}' could not be fetched ({type(error).__name__}): check the number "
            "and the network, or download the table and give its path."
        ) from error
    return _from_bunch(bunch, f"https://www.openml.org/d/{name}")


def _from_bunch(bunch: Any, source: str) -> RawTable:
    frame: pd.DataFrame = bunch.frame
    found = getattr(bunch, "target_names", None)
    names = [] if found is None else list(found)
    target = bunch.target.name if isinstance(bunch.target, pd.Series) else None
    is_coded = target is not None and frame[target].dtype.kind == "i"
    if is_coded and target not in names and len(names) == frame[target].nunique():
        frame = frame.assign(**{str(target): [str(names[code]) for code in frame[target]]})
    table = from_pandas(frame)
    roles = {} if target is None else {"target": str(target)}
    title = next((line for line in io.StringIO(bunch.DESCR or "") if _is_title(line)), "")
    about = {"source": source, "description": title.strip(" *\n")}
    return RawTable(table.frame, table.repairs, table.levels, roles=roles, about=about)


def _is_title(line: str) -> bool:
    """Whether a line of a scikit-learn description is its title, not its label."""
    return len(line.split()) > 1 and not line.startswith("..")
