"""What a first look found, in sentences, the most important one first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lib.data import Dataset
from lib.errors import InputError
from lib.estimates import Estimate, wilson
from lib.statistics.periods import TimeProfile

GIVEAWAY = 0.9  # a single feature this strong is more often a leak than a discovery
NEAR_COPY = 0.95  # an association this strong means that one column nearly repeats the other
RARE_SHARE = 0.05
RARE_ROWS = 30
MAX_OBSERVATIONS = 12


@dataclass(frozen=True)
class Observation:
    """One sentence with its values.

    Attributes
    ----------
    weight : int
        What comes first; 0 to 100.
    sentence : str
        With a placeholder for each value.
    values : mapping of str to object
        Names that no other observation uses.
    is_warning : bool
        Whether a reader must not miss it.
    """

    weight: int
    sentence: str
    values: Mapping[str, object]
    is_warning: bool = False


def describe_target(dataset: Dataset) -> pd.DataFrame:
    """Return the classes with their rows and shares, or the quantiles of a numeric target.

    Parameters
    ----------
    dataset : Dataset
        Its rows count as they are.

    Returns
    -------
    DataFrame
        Columns class, rows, share (an `Estimate`, Wilson); or quantity, value.

    Raises
    ------
    InputError
        When there are no rows.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> describe_target(make_planted(100, task="binary"))["rows"].tolist()
    [74, 26]
    """
    if not len(dataset):
        msg = "Expected rows to describe a target, got none. Take other rows."
        raise InputError(msg)
    if dataset.task != "regression":
        counts = np.bincount(dataset.y.to_numpy(), minlength=len(dataset.classes))
        shares = [wilson(int(count), len(dataset)) for count in counts]
        classes = list(dataset.classes)
        table = pd.DataFrame({"class": classes, "rows": counts})
        return table.assign(share=pd.Series(shares, dtype=object))
    y = dataset.y.to_numpy(dtype=float)
    quantiles = {
        "lowest": 0,
        "first quarter": 0.25,
        "median": 0.5,
        "third quarter": 0.75,
        "highest": 1,
    }
    rows = [(name, float(np.quantile(y, share))) for name, share in quantiles.items()]
    rows += [("mean", float(y.mean())), ("standard deviation", float(dataset.y.std()))]
    rows += [("skewness", _skewness(y))]
    return pd.DataFrame(rows, columns=["quantity", "value"])


def outcome_of(dataset: Dataset) -> pd.Series:
    """Return the target as numbers whose mean says something.

    Parameters
    ----------
    dataset : Dataset
        Of any task.

    Returns
    -------
    Series of float
        The target of a regression; else 1 for the positive or the most frequent class, 0 for the
        rest. Its name says which.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> outcome = outcome_of(make_planted(100, task="binary"))
    >>> outcome.name, float(outcome.mean())
    ('target = 1', 0.26)
    """
    if dataset.task == "regression":
        return dataset.y.astype(float).rename(dataset.target)
    code = 1 if dataset.task == "binary" else int(dataset.y.mode().iloc[0])
    return (dataset.y == code).astype(float).rename(f"{dataset.target} = {dataset.classes[code]}")


def target_in_words(dataset: Dataset) -> pd.Series:
    """Return the target with the classes' own labels; numbers stay numbers.

    Parameters
    ----------
    dataset : Dataset
        Of any task.

    Returns
    -------
    Series
        Categorical, or float for a regression.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> target_in_words(make_planted(100, task="regression")).dtype
    dtype('float64')
    """
    if dataset.task == "regression":
        return dataset.y.rename(dataset.target)
    words = pd.Categorical.from_codes(dataset.y.to_numpy(), list(dataset.classes))
    return pd.Series(words, index=dataset.y.index, name=dataset.target)


def rank_observations(
    dataset: Dataset,
    *,
    types: pd.DataFrame,
    missing: pd.DataFrame,
    screening: pd.DataFrame,
    associations: pd.DataFrame,
    drift: pd.DataFrame,
    profile: TimeProfile | None = None,
) -> list[Observation]:
    """Return what a first look found, at most twelve sentences, the most important first.

    Parameters
    ----------
    dataset : Dataset
        The rows that were looked at.
    types, missing, screening, associations, drift : DataFrame
        As `compute_types`, `compute_missing`, `compare_with_target`, `compute_associations` and
        `compare_samples` return them.
    profile : TimeProfile, optional
        As `compute_time_profile` returns it.

    Returns
    -------
    list of Observation

    Examples
    --------
    >>> from lib import statistics as st
    >>> from lib.data import make_planted
    >>> data = make_planted(300, task="binary", missing=0.1)
    >>> screening = st.compare_with_target(data.X, data.y, task=data.task)
    >>> seen = rank_observations(
    ...     data,
    ...     types=st.compute_types(data.X),
    ...     missing=st.compute_missing(data.X),
    ...     screening=screening,
    ...     associations=st.compute_associations(data.X),
    ...     drift=st.compare_samples(data.X, data.X),
    ... )
    >>> [observation.weight for observation in seen][:2]
    [70, 55]
    """
    found = [
        *_on_target(dataset),
        *_on_features(dataset, screening),
        *_on_columns(types, missing, associations),
        *_on_drift(drift),
        *_on_time(profile),
        *_on_rows(dataset),
    ]
    return sorted(found, key=lambda seen: -seen.weight)[:MAX_OBSERVATIONS]


def _on_target(dataset: Dataset) -> Iterator[Observation]:
    if dataset.task == "regression":
        skewness = _skewness(dataset.y.to_numpy(dtype=float))
        if abs(skewness) > 1:
            sentence = (
                "The target is skewed (skewness {skewness:.1f}): a few extreme rows can decide a "
                "mean error."
            )
            yield Observation(50, sentence, {"skewness": skewness})
        return
    table = describe_target(dataset)
    row = table.loc[table["rows"].idxmin()]
    values = {
        "rarest_class": row["class"],
        "rarest_rows": int(row["rows"]),
        "rarest_share": row["share"],
    }
    sentence = "The rarest class is {rarest_class}, a share of {rarest_share} (rows: {rarest_rows})"
    if row["rows"] < RARE_ROWS:
        yield Observation(80, f"{sentence}; too few to score it well.", values, is_warning=True)
    elif row["share"].value < RARE_SHARE:
        yield Observation(75, f"{sentence}; accuracy would hide it.", values, is_warning=True)
    else:
        yield Observation(50, f"{sentence}.", values)


def _on_features(dataset: Dataset, screening: pd.DataFrame) -> Iterator[Observation]:
    strengths = np.array([e.value for e in screening["strength"]], dtype=float)
    known = screening[np.isfinite(strengths)]
    signs = known[known["shape"] != "no sign"]
    giveaways = signs[np.array([e.value >= GIVEAWAY for e in signs["strength"]], dtype=bool)]
    if len(giveaways):
        yield Observation(
            100,
            "Features that nearly give the target away: {n_giveaways}, the strongest {giveaway}; "
            "check that it is known when a prediction is due.",
            {"n_giveaways": len(giveaways), "giveaway": giveaways["feature"].iloc[0]},
            is_warning=True,
        )
    if not len(signs):
        sentence = "No feature alone goes with the target beyond chance, out of {n_features}."
        yield Observation(90, sentence, {"n_features": len(screening)}, is_warning=True)
        return
    values: dict[str, object] = {"n_signs": len(signs), "n_features": len(screening)}
    names = ("strongest", "second", "third")
    for name, row in zip(names, signs.itertuples(), strict=False):
        values |= {name: row.feature, f"{name}_strength": row.strength}
    leaders = ", ".join(f"{{{name}}} {{{name}_strength:.2f}}" for name in names if name in values)
    sentence = (
        "Features that go with the target: {n_signs} of {n_features}; strength of each alone: "
        f"{leaders}."
    )
    yield Observation(70, sentence, values)
    bent = signs[signs["shape"] == "bent"]
    if len(bent):
        sentence = (
            "Features that go with the target along a bend, not a line: {n_bent}, the strongest "
            "{bent}."
        )
        yield Observation(45, sentence, {"n_bent": len(bent), "bent": bent["feature"].iloc[0]})
    own_names = {dataset.labels.get(name, name) for name in dataset.sensitive}
    touchy = signs[signs["feature"].isin(own_names)]
    if len(touchy):
        values = {
            "n_sensitive": len(touchy),
            "sensitive": touchy["feature"].iloc[0],
            "sensitive_strength": touchy["strength"].iloc[0],
        }
        sentence = (
            "Sensitive features that go with the target: {n_sensitive}, the strongest {sensitive} "
            "{sensitive_strength}."
        )
        yield Observation(58, sentence, values)


def _on_columns(
    types: pd.DataFrame, missing: pd.DataFrame, associations: pd.DataFrame
) -> Iterator[Observation]:
    copies = associations[associations["value"].abs() >= NEAR_COPY]
    if len(copies):
        values = {
            "n_copies": len(copies),
            "copy": copies["first"].iloc[0],
            "original": copies["second"].iloc[0],
        }
        sentence = (
            "Pairs of columns that nearly repeat each other: {n_copies}, the closest {copy} and "
            "{original}."
        )
        yield Observation(60, sentence, values)
    if len(missing):
        share: Estimate = missing["share"].iloc[0]
        values = {
            "n_gaps": len(missing),
            "emptiest": missing["column"].iloc[0],
            "emptiest_share": share,
        }
        sentence = (
            "Columns with missing values: {n_gaps}; the emptiest is {emptiest}, a share of "
            "{emptiest_share}."
        )
        yield Observation(65 if share.value > 0.5 else 55, sentence, values)
    dead = types[types["kind"].isin(["constant", "empty"])]
    if len(dead):
        sentence = "Columns that tell nothing, with one value or none: {n_dead}, first {dead}."
        yield Observation(
            62, sentence, {"n_dead": len(dead), "dead": dead["column"].iloc[0]}, is_warning=True
        )
    texts = types[types["kind"] == "text"]
    if len(texts):
        sentence = "Columns of free text: {n_texts}, first {text}; screened by length alone."
        yield Observation(40, sentence, {"n_texts": len(texts), "text": texts["column"].iloc[0]})


def _on_drift(drift: pd.DataFrame) -> Iterator[Observation]:
    n_shifted = int((drift["verdict"] == "shifted").sum())
    n_differing = int((drift["verdict"] != "same").sum())
    values = {"n_shifted": n_shifted, "n_differing": n_differing}
    if n_shifted:
        sentence = (
            "Columns that differ between training and test rows: {n_differing}, {n_shifted} of "
            "them notably, most of all {shifted}."
        )
        yield Observation(
            85, sentence, {**values, "shifted": drift["column"].iloc[0]}, is_warning=True
        )
    elif n_differing:
        sentence = (
            "Columns that differ between training and test rows: {n_differing}, {n_shifted} of "
            "them notably."
        )
        yield Observation(52, sentence, values)
    else:
        yield Observation(
            25, "Training and test rows show no sign of a difference in any column.", {}
        )


def _on_time(profile: TimeProfile | None) -> Iterator[Observation]:
    if profile is None:
        return
    if profile.trend_p < 0.05:
        direction = "rises" if profile.trend.value > 0 else "falls"
        sentence = "The target {direction} over {n_periods} periods: Kendall's τ {trend:.2f}."
        values = {
            "n_periods": len(profile.periods),
            "direction": direction,
            "trend": profile.trend.value,
        }
        yield Observation(68, sentence, values)
    seasons = profile.seasons
    seasons = seasons[(seasons["strength"] > 0.1) & (seasons["p"] < 0.05)]
    if len(seasons):
        top = seasons.loc[seasons["strength"].idxmax()]
        sentence = (
            "The {season} explains {season_strength:.0%} of the target's swings around slow "
            "change (peak: {peak})."
        )
        values = {
            "season": top["cycle"],
            "season_strength": float(top["strength"]),
            "peak": top["peak"],
        }
        yield Observation(66, sentence, values)
    if profile.persistence is not None and profile.persistence.low > 0:
        sentence = "A group's target resembles its next one: rank correlation {persistence}."
        yield Observation(64, sentence, {"persistence": profile.persistence})


def _on_rows(dataset: Dataset) -> Iterator[Observation]:
    if dataset.groups is not None:
        n_groups = int(dataset.groups.nunique())
        sentence = (
            "Rows come in {n_groups} groups of {rows_a_group:.1f} rows on average; every split "
            "keeps a group together."
        )
        values = {"n_groups": n_groups, "rows_a_group": len(dataset) / n_groups}
        yield Observation(57, sentence, values)
    seen = dataset.repairs
    noticed = seen["repair"] == "noticed"
    if n_repairs := int(seen.loc[~noticed, "count"].sum()):
        sentence = "Cells and rows of the whole table that loading repaired: {n_repairs}."
        yield Observation(48, sentence, {"n_repairs": n_repairs})
    if n_noticed := int(seen.loc[noticed, "count"].sum()):
        sentence = "Cells that loading kept but doubts, to be looked at: {n_noticed}."
        yield Observation(44, sentence, {"n_noticed": n_noticed})


def _skewness(y: np.ndarray) -> float:
    return float(stats.skew(y)) if np.ptp(y) > 0 else 0.0
