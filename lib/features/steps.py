"""The steps of a recipe, as scikit-learn transformers: prepare, add, rank, keep, finish.

Between the steps travels a `Prepared`: the raw columns and what each kind of model will see of
them. Recipes that begin alike share their first steps, which are then fitted once a fold.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline

from lib.data.names import safe_names
from lib.features.families import (
    NOTHING,
    Bins,
    Dates,
    Family,
    Feature,
    Gaps,
    Spelling,
    TargetMeans,
    Text,
    TreeBins,
)
from lib.features.pairs import Differences, Interactions, Ratios
from lib.features.screening import Codes, Floats
from lib.features.selection import rank_features

KINDS = {
    kind.name: kind
    for kind in (
        Dates,
        Text,
        Spelling,
        Gaps,
        Bins,
        TreeBins,
        Ratios,
        Differences,
        Interactions,
        TargetMeans,
    )
}
MAX_SCALED = 5.0
INDICATOR = "missingindicator_"


@dataclass(frozen=True)
class Prepared:
    """Rows on their way through a recipe.

    Attributes
    ----------
    raw : DataFrame of shape (n_rows, n_columns)
        The columns as they came.
    linear, tree : DataFrame of shape (n_rows, n_made)
        What a model of that kind will see so far: complete numbers of like size; numbers with
        gaps and categories.
    owners : mapping of {"linear", "tree"} to mapping of str to str
        The feature that each column belongs to.
    order : tuple of str
        Features from the best on, after ranking.
    """

    raw: pd.DataFrame
    linear: pd.DataFrame
    tree: pd.DataFrame
    owners: dict[str, dict[str, str]]
    order: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.raw)


class _Step(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step that takes and gives `Prepared` rows, or makes them."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from training rows; to go on with these rows use `fit_transform`."""
        self.fit_transform(X, y)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")


class Prepare(_Step):
    """Runs the plain preprocessing of both kinds of model, and keeps the raw columns beside it.

    Parameters
    ----------
    linear, tree : scikit-learn transformers
        From `make_preprocessor`.
    """

    def __init__(self, linear: Any, tree: Any) -> None:
        self.linear = linear
        self.tree = tree

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> Prepared:
        """Learn from rows and prepare them."""
        self.linear_, self.tree_ = clone(self.linear), clone(self.tree)
        made = {"linear": self.linear_.fit_transform(X, y), "tree": self.tree_.fit_transform(X, y)}
        self.owners_ = {kind: find_owners(getattr(self, f"{kind}_"), made[kind]) for kind in made}
        self.fitted_ = True
        return Prepared(X, made["linear"], made["tree"], self.owners_)

    def transform(self, X: pd.DataFrame) -> Prepared:
        """Prepare other rows."""
        return Prepared(X, self.linear_.transform(X), self.tree_.transform(X), self.owners_)


class AddFeatures(_Step):
    """Adds the features of some families, in the form that each kind of model takes.

    Parameters
    ----------
    families : sequence of str
        Keys of `FAMILIES`.
    task : {"binary", "multiclass", "regression"}
        What the target holds.
    groups : Series, optional
        Group of each row of the dataset, by its index: target encoding then learns from other
        groups. Rows that it does not know are taken as single, with a warning.
    random_state : int
        Seed of draws.

    Attributes
    ----------
    families_ : list of Family
        Fitted.
    """

    def __init__(
        self,
        families: Sequence[str],
        task: str,
        groups: pd.Series | None = None,
        random_state: int = 0,
    ) -> None:
        self.families = families
        self.task = task
        self.groups = groups
        self.random_state = random_state

    def fit_transform(self, X: Prepared, y: Any = None) -> Prepared:
        """Learn the features from training rows and add them; the target is needed."""
        target = np.asarray(y)
        owners = self._find_groups(X.raw)
        self.families_: list[Family] = [
            KINDS[name](self.task, self.random_state) for name in self.families
        ]
        made = [family.fit_transform(X.raw, target, owners) for family in self.families_]
        tree = self._gather(made, X)
        self.encoding_ = LinearForm()
        self.fitted_ = True
        return self._join(X, tree, self.encoding_.fit_transform(tree))

    def transform(self, X: Prepared) -> Prepared:
        """Add the features to other rows."""
        tree = self._gather([family.transform(X.raw) for family in self.families_], X)
        return self._join(X, tree, self.encoding_.transform(tree))

    @property
    def features_(self) -> list[Feature]:
        """The features that were made, with their sources."""
        return [feature for family in self.families_ for feature in family.features]

    def _gather(self, made: list[Any], X: Prepared) -> pd.DataFrame:
        columns = {name: values for part in made for name, values in part.items()}
        return pd.DataFrame(columns, index=X.raw.index, copy=False)

    def _join(self, X: Prepared, tree: pd.DataFrame, linear: pd.DataFrame) -> Prepared:
        owner = {name: of for family in self.families_ for name, of in family.owner.items()}
        owners = {
            "tree": X.owners["tree"] | {name: owner[name] for name in tree},
            "linear": X.owners["linear"]
            | {name: owner[source] for name, source in self.encoding_.sources_.items()},
        }
        codes = {
            name: tree[name].cat.codes.astype("float64").where(lambda codes: codes >= 0)
            for name in tree
            if isinstance(tree[name].dtype, pd.CategoricalDtype) and tree[name].cat.ordered
        }
        tree = tree.assign(**codes)
        replaced = {column for family in self.families_ for column in family.replaces}
        joined = {}
        for kind, before, made in (("linear", X.linear, linear), ("tree", X.tree, tree)):
            stays = [X.owners[kind][str(name)] not in replaced for name in before]
            joined[kind] = pd.concat([before.loc[:, stays], made], axis=1)
        return replace(X, **joined, owners=owners)

    def _find_groups(self, X: pd.DataFrame) -> Codes | None:
        if self.groups is None:
            return None
        if not X.index.isin(self.groups.index).all():
            warnings.warn(
                "Groups of some rows are unknown, so target encoding takes rows as single: make "
                "the preprocessor from the dataset whose rows it is fitted on.",
                stacklevel=2,
            )
            return None
        return np.asarray(pd.factorize(self.groups.loc[X.index])[0], dtype=np.intp)


class LinearForm(_Step):
    """Complete numbers of like size from numbers and categories of fixed levels."""

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> pd.DataFrame:
        """Learn medians and scales."""
        from lib.features.vectorizer import SquashingScaler  # noqa: PLC0415 - imports skrub

        del y
        self.sources_: dict[str, str] = {}
        self.columns_ = [str(column) for column in X]
        numbers = self._numbers(X)
        self.medians_ = {name: _median(values) for name, values in numbers.items()}
        filled = self._fill(numbers)
        self.scaler_ = SquashingScaler(max_absolute_value=MAX_SCALED)
        self.fitted_ = True
        if filled.shape[1] == 0:
            return filled
        return self._as_table(self.scaler_.fit_transform(filled), filled)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return complete numbers."""
        filled = self._fill(self._numbers(X))
        if filled.shape[1] == 0:
            return filled
        return self._as_table(self.scaler_.transform(filled), filled)

    def _numbers(self, X: pd.DataFrame) -> dict[str, pd.Series]:
        numbers = {}
        for column in self.columns_:
            values = X[column]
            if isinstance(values.dtype, pd.CategoricalDtype):
                for code, level in enumerate(values.cat.categories):
                    name = f"{column}={level}"
                    numbers[name] = (values.cat.codes == code).astype(float)
                    self.sources_[name] = column
            else:
                numbers[column] = values.astype(float)
                self.sources_[column] = column
        return numbers

    def _fill(self, numbers: dict[str, pd.Series]) -> pd.DataFrame:
        filled = {name: values.fillna(self.medians_[name]) for name, values in numbers.items()}
        index = next(iter(numbers.values())).index if numbers else None
        return pd.DataFrame(filled, index=index, copy=False)

    def _as_table(self, values: Any, filled: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(np.asarray(values, dtype=float), filled.index, filled.columns)


class RankFeatures(_Step):
    """Orders features from the best on by one method of selection; none is dropped yet.

    Parameters
    ----------
    method : str
        A key of `SELECTIONS`.
    task : {"binary", "multiclass", "regression"}
        What the target holds.
    random_state : int
        Seed of draws, forests and shuffles.
    """

    def __init__(self, method: str, task: str, random_state: int = 0) -> None:
        self.method = method
        self.task = task
        self.random_state = random_state

    def fit_transform(self, X: Prepared, y: Any = None) -> Prepared:
        """Rank by training rows."""
        self.order_ = rank_features(
            X.linear,
            X.tree,
            np.asarray(y),
            owners=X.owners,
            method=self.method,
            task=self.task,
            random_state=self.random_state,
        )
        self.fitted_ = True
        return self.transform(X)

    def transform(self, X: Prepared) -> Prepared:
        """Hand the order on."""
        return replace(X, order=self.order_)


class KeepBest(_Step):
    """Keeps the first features of an order.

    Parameters
    ----------
    n_kept : int
        At most so many; a method may find fewer worth keeping.

    Attributes
    ----------
    kept_ : tuple of str
        Features, best first.
    """

    def __init__(self, n_kept: int) -> None:
        self.n_kept = n_kept

    def fit_transform(self, X: Prepared, y: Any = None) -> Prepared:
        """Choose by the order that training rows gave."""
        del y
        self.kept_ = X.order[: self.n_kept]
        self.fitted_ = True
        return self.transform(X)

    def transform(self, X: Prepared) -> Prepared:
        """Drop the columns of all other features."""
        kept = set(self.kept_)
        tables = {
            kind: table.loc[:, [X.owners[kind][str(name)] in kept for name in table]]
            for kind, table in (("linear", X.linear), ("tree", X.tree))
        }
        return replace(X, **tables)


class Finish(_Step):
    """Gives one kind of model its table, under names that no library stumbles over.

    Parameters
    ----------
    kind : {"linear", "tree"}
        Of model.

    Attributes
    ----------
    owners_ : dict of str to str
        The feature that each column belongs to.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fit_transform(self, X: Prepared, y: Any = None) -> pd.DataFrame:
        """Choose names."""
        del y
        table = X.linear if self.kind == "linear" else X.tree
        self.names_ = safe_names(table.columns)
        of = X.owners[self.kind]
        self.owners_ = {
            name: of[str(column)] for name, column in zip(self.names_, table, strict=True)
        }
        self.fitted_ = True
        return self.transform(X)

    def transform(self, X: Prepared) -> pd.DataFrame:
        """Return the table."""
        table = X.linear if self.kind == "linear" else X.tree
        return table.set_axis(self.names_, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns."""
        del input_features
        return np.asarray(self.names_, dtype=object)


def find_owners(preprocessor: Any, made: pd.DataFrame) -> dict[str, str]:
    """Return the raw column that each column of a plain preprocessing comes from."""
    is_pipeline = isinstance(preprocessor, Pipeline)
    vectorizer = preprocessor[0] if is_pipeline else preprocessor
    source = {
        str(output): str(column)
        for column, outputs in vectorizer.input_to_outputs_.items()
        for output in outputs
    }
    return {str(name): source[str(name).removeprefix(INDICATOR)] for name in made}


def raw_features(columns: Sequence[str]) -> list[Feature]:
    """Return the columns of a table as features, with nothing done to them."""
    return [Feature(column, "raw", (column,), "{0}", NOTHING) for column in columns]


def _median(values: pd.Series) -> float:
    known: Floats = values.to_numpy(dtype=float)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else 0.0
