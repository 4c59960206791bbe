"""Names that travel safely: column names inside the study, folder names in the reports."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_LENGTH = 40
_WORDS = {"%": " percent ", "#": " number ", "€": " eur ", "$": " usd ", "£": " gbp ", "°": " deg "}
# Python and scikit-learn accept these, but formulas, SQL and JSON trip over them.
_CODE = re.compile(
    r"(^|_)(id|ids|uuid|guid|zip|zipcode|zip_code|postal|postal_code|postcode|plz|phone|"
    r"phone_number|telephone|tel|fax|ssn|iban|ean|isbn|provider_number|account_number)(_\d+)?$"
)
_RESERVED = {"target", "nan", "none", "null", "true", "false", "inf", "index"}


def safe_names(columns: Iterable[object]) -> list[str]:
    """Return a safe, unique name for every column, in their order.

    Safe is what no package of the study misreads: ASCII snake_case that starts with a
    letter, at most 40 characters. LightGBM truncates at NUL and merges names with spaces;
    formulas and SQL stumble over `$`; figures over 5,000 characters.

    Parameters
    ----------
    columns : iterable of object
        Own names, in order; duplicates and blanks are allowed.

    Returns
    -------
    list of str
        One name per column. A list, because own names may repeat.

    Examples
    --------
    >>> safe_names(["Total Charges ($)", "TotalCharges", "", "Größe", "😀"])
    ['total_charges_usd', 'total_charges', 'column_3', 'grosse', 'column_5']
    >>> safe_names(["a", "A", "a"])
    ['a', 'a_2', 'a_3']
    """
    taken: set[str] = set()
    names = []
    for position, column in enumerate(columns):
        base = snake_case(str(column)) or f"column_{position + 1}"
        names.append(_unique(base, taken))
        taken.add(names[-1])
    return names


def snake_case(text: str) -> str:
    """Return `text` as ASCII snake_case of at most 40 characters, or "" when nothing is left.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Matches `[a-z][a-z0-9_]*` or is empty.

    Examples
    --------
    >>> snake_case("Wind speed (m/s)")
    'wind_speed_m_s'
    >>> snake_case("2nd Floor"), snake_case("index"), snake_case("$")
    ('x_2nd_floor', 'index_', '')
    """
    text = text[: 10 * MAX_LENGTH]  # enough to fill the name; 5,000 characters cost nothing
    bare = re.sub(r"[^A-Za-z0-9]+", "", text)
    for sign, word in _WORDS.items():
        if bare or sign not in text:
            text = text.replace(sign, word)
    text = text.replace("ß", "ss")
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)  # customerID -> customer_ID
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)  # HTTPCode -> HTTP_Code
    text = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if not text or not bare:
        return ""
    if text[0].isdigit():
        text = f"x_{text}"
    text = text[:MAX_LENGTH].rstrip("_")
    return f"{text}_" if text in _RESERVED else text


def slug(text: str) -> str:
    """Return a name that is safe as a folder on every system.

    Parameters
    ----------
    text : str
        A dataset's name or the stem of a path.

    Returns
    -------
    str
        Matches `[a-z][a-z0-9_]*`; "data" when nothing is left.

    Examples
    --------
    >>> slug("../My Churn (2024)"), slug("…")
    ('my_churn_2024', 'data')
    """
    return snake_case(text) or "data"


def names_a_code(name: str) -> bool:
    """Whether a column's name says that its digits are a code, not a quantity.

    Parameters
    ----------
    name : str
        Own name.

    Returns
    -------
    bool
        Such columns are never made numbers at the cost of a cell.

    Examples
    --------
    >>> names_a_code("ZipCode"), names_a_code("customerID"), names_a_code("paid")
    (True, True, False)
    """
    return bool(_CODE.search(snake_case(name)))


def _unique(base: str, taken: set[str]) -> str:
    name, n = base, 1
    while name in taken:
        n += 1
        suffix = f"_{n}"
        name = base[: MAX_LENGTH - len(suffix)].rstrip("_") + suffix
    return name
