"""Recipes: short texts that say which features are added and which are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from lib.data import Dataset
from lib.errors import InputError, suggest

Selection = Literal["mutual information", "L1", "null importance", "recursive"]
RAW, EVERYTHING = "raw", "everything"
FAMILIES = {
    "dates": "weekday, season and hour as circles, days between two dates",
    "text": "length and words of free text",
    "spelling": "likeness of labels by their letters",
    "gaps": "which values are missing, and how many in a row",
    "bins": "numbers cut into fifths",
    "tree bins": "numbers cut where a small tree cuts them",
    "ratios": "one number over another",
    "differences": "one number minus another",
    "interactions": "products of numbers, combinations of categories",
    "target encoding": "mean target of a label, from other rows; in place of many labels",
}
SELECTIONS: dict[Selection, str] = {
    "mutual information": "what each feature alone tells about the target, of whatever shape",
    "L1": "the features that enter a lasso first, above its noise level",
    "null importance": "importance in a forest beyond that on shuffled targets",
    "recursive": "the weakest features of a ridge leave step by step",
}
# Columns that a family uses at most: of many numbers those that say most alone, so that a table
# of hundreds of columns costs no more than one of dozens.
AT_MOST = {
    "dates": 8,
    "text": 5,
    "spelling": 5,
    "gaps": 30,
    "bins": 20,
    "tree bins": 20,
    "ratios": 16,
    "differences": 16,
    "interactions": 60,
    "target encoding": 60,
}
N_KEPT = 20
MANY_LABELS = 10  # from so many on, labels may be spellings of each other


@dataclass(frozen=True)
class Recipe:
    """What `parse_recipe` reads.

    Attributes
    ----------
    families : tuple of str
        What is added, in the order of `FAMILIES`.
    selection : str or None
        How features are kept; None keeps all.
    n_kept : int
        At most so many features are kept.

    Examples
    --------
    >>> print(Recipe(("ratios",), "L1", 12))
    raw + ratios | L1 12
    """

    families: tuple[str, ...] = ()
    selection: Selection | None = None
    n_kept: int = N_KEPT

    def __str__(self) -> str:
        added = " + ".join([RAW, *self.families])
        if self.families == tuple(FAMILIES):
            added = f"{RAW} + {EVERYTHING}"
        return f"{added} | {self.selection} {self.n_kept}" if self.selection else added

    @property
    def is_raw(self) -> bool:
        """Whether it adds and drops nothing."""
        return not self.families and self.selection is None


def parse_recipe(text: str | None) -> Recipe:
    """Return the recipe that a text names.

    Parameters
    ----------
    text : str or None
        "raw", "raw + ratios + bins", "raw + everything | L1 20"; None is "raw". Families are the
        keys of `FAMILIES`, selections those of `SELECTIONS`, the number how many features are
        kept at most (20 unless said).

    Returns
    -------
    Recipe
        Its text, `str(recipe)`, reads the same whatever the order of the families was.

    Raises
    ------
    InputError
        When a family or a selection is unknown.

    Examples
    --------
    >>> print(parse_recipe("raw + bins + gaps | recursive"))
    raw + gaps + bins | recursive 20
    """
    added, bar, kept = (text or RAW).partition("|")
    names = [name.strip() for name in added.split("+")]
    names = names[1:] if names[0] == RAW else names
    known = [*FAMILIES, EVERYTHING]
    for name in names:
        if name not in known:
            msg = f"Recipe '{text}': there is no family '{name}'; there are {', '.join(known)}."
            raise InputError(msg + suggest(name, known))
    families = FAMILIES if EVERYTHING in names else [name for name in FAMILIES if name in names]
    if not bar:
        return Recipe(tuple(families))
    found = re.fullmatch(r"\s*(.*?)\s*(\d+)?\s*", kept)
    method, number = found.groups() if found else (kept, None)
    for selection in SELECTIONS:
        if selection == method:
            n_kept = int(number or N_KEPT)
            if n_kept > 0:
                return Recipe(tuple(families), selection, n_kept)
            raise InputError(f"Recipe '{text}' keeps no feature; write a number from 1.")
    msg = f"Recipe '{text}': there is no selection '{method}'; there are {', '.join(SELECTIONS)}."
    raise InputError(msg + suggest(method, SELECTIONS))


@dataclass(frozen=True)
class RecipePlan:
    """Which recipes a study tries, written down before any result.

    Attributes
    ----------
    singles : list of str
        One family each.
    everything : str
        All families; "raw" where none applies.
    selections : list of str
        Everything, with as many features kept as `n_kept`, by each method.
    curve : list of str
        The same with half as many and a quarter, to draw a curve; never tested.
    n_kept : int
        At most so many features are kept.
    """

    singles: list[str]
    everything: str
    selections: list[str]
    curve: list[str]
    n_kept: int

    @property
    def of_families(self) -> list[str]:
        """The recipes that add and do not select."""
        return [*self.singles, *([self.everything] if len(self.singles) > 1 else [])]

    @property
    def tried(self) -> list[str]:
        """All recipes that are tested."""
        return [*self.of_families, *self.selections]


def plan_recipes(families: Sequence[str], n_columns: int) -> RecipePlan:
    """Return the recipes to try on a table: each family alone, all, and all with a selection.

    Parameters
    ----------
    families : sequence of str
        Those that apply, from `describe_families`.
    n_columns : int
        Columns of the table: a selection may keep as many features, at most 20.

    Returns
    -------
    RecipePlan

    Examples
    --------
    >>> plan = plan_recipes(["bins", "ratios"], 8)
    >>> plan.of_families
    ['raw + bins', 'raw + ratios', 'raw + everything']
    >>> plan.curve[:2]
    ['raw + everything | mutual information 4', 'raw + everything | mutual information 2']
    """
    n_kept = min(N_KEPT, n_columns)
    sizes = sorted({n_kept // 2, n_kept // 4} - {0, n_kept}, reverse=True)
    everything = f"{RAW} + {EVERYTHING}" if families else RAW
    return RecipePlan(
        [f"{RAW} + {family}" for family in families],
        everything,
        [f"{everything} | {method} {n_kept}" for method in SELECTIONS],
        [f"{everything} | {method} {n}" for method in SELECTIONS for n in sizes],
        n_kept,
    )


def has_spellings(column: pd.Series) -> bool:
    """Whether a category has so many labels in words that some may be spellings of others.

    Examples
    --------
    >>> has_spellings(pd.Series([f"town {i}" for i in range(12)], dtype="category"))
    True
    >>> has_spellings(pd.Series([str(i) for i in range(12)], dtype="category"))
    False
    """
    labels = column.dropna().unique().astype("str")
    in_words = pd.Series(labels, dtype="str").str.contains(r"[^\W\d_]{3}")
    return int(in_words.sum()) >= MANY_LABELS


def describe_families(dataset: Dataset) -> pd.DataFrame:
    """Return which families a table has columns for, and why not.

    Parameters
    ----------
    dataset : Dataset
        Only types and gaps of its columns are looked at, never the target.

    Returns
    -------
    DataFrame
        family, adds (in words), n_columns (that it could use), at_most (that it does use),
        applies (bool), note ("" or why not); one row a family.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> table = describe_families(make_planted(200, n_categories=4)).set_index("family")
    >>> table.loc["dates", "note"], table.loc["target encoding", "n_columns"].item()
    ('no column holds dates', 1)
    """
    X = dataset.X
    levels = {column: int(X[column].nunique()) for column in dataset.categorical}
    numbers = [column for column in dataset.numeric if X[column].nunique() >= 2]
    spread = [column for column in numbers if X[column].nunique() > MANY_LABELS]
    varied = [column for column, n in levels.items() if n > 1]
    pairs = max(len(numbers), len(varied)) > 1 or (bool(numbers) and bool(varied))
    usable = {
        "dates": (len(dataset.datetimes), "no column holds dates"),
        "text": (len(dataset.text), "no column holds free text"),
        "spelling": (
            sum(has_spellings(X[column]) for column in levels),
            f"no category has {MANY_LABELS} labels in words",
        ),
        "gaps": (int(X.isna().any().sum()), "no value is missing"),
        "bins": (len(spread), f"no number has more than {MANY_LABELS} values"),
        "tree bins": (len(spread), f"no number has more than {MANY_LABELS} values"),
        "ratios": (
            len(spread) if len(spread) > 1 else 0,
            f"a ratio needs two numbers of more than {MANY_LABELS} values",
        ),
        "differences": (
            len(spread) if len(spread) > 1 else 0,
            f"a difference needs two numbers of more than {MANY_LABELS} values",
        ),
        "interactions": (
            len(numbers) + len(varied) if pairs else 0,
            "an interaction needs two columns",
        ),
        "target encoding": (sum(n > 2 for n in levels.values()), "no category has three labels"),
    }
    rows = [
        (family, words, usable[family][0], usable[family][0] > 0)
        for family, words in FAMILIES.items()
    ]
    table = pd.DataFrame(rows, columns=["family", "adds", "n_columns", "applies"])
    table.insert(3, "at_most", [AT_MOST.get(family, 0) for family in FAMILIES])
    table["at_most"] = table["n_columns"].clip(upper=table["at_most"])
    table["note"] = ["" if n else note for n, note in (usable[f] for f in FAMILIES)]
    return table
