"""What was assigned by lot: how alike arms were before, and what the treatment changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.data import Dataset
from lib.data.catalog import Trial
from lib.errors import InputError
from lib.estimates import Estimate, holm
from lib.statistics import fit_regression, make_design
from lib.statistics.clustered import ScoreTest, owner_codes, score_test

Array = npt.NDArray[np.float64]
LEAST_ROWS = 20  # of an arm
MAX_LEVELS = 8


@dataclass(frozen=True)
class Arms:
    """Rows of a randomised trial.

    Attributes
    ----------
    trial : Trial
        What the catalogue says.
    arm : Series of category, shape (n_rows,)
        The control first.
    outcomes : DataFrame of float
        One column an outcome, under the name the catalogue gives it.
    covariates : DataFrame of float
        Known before the draw; gaps filled by the median and marked by a column of their own.
    strata : DataFrame of float
        A 0/1 column for each level but the first.
    groups : Series or None
        What was drawn, families or persons: rows of one are not independent.
    """

    trial: Trial
    arm: pd.Series
    outcomes: pd.DataFrame
    covariates: pd.DataFrame
    strata: pd.DataFrame
    groups: pd.Series | None

    @property
    def others(self) -> list[str]:
        """Names of the arms but the control."""
        return [str(name) for name in self.arm.cat.categories[1:]]

    @property
    def n_units(self) -> int:
        """How many were drawn: groups, or rows where nothing groups them."""
        return len(self.arm) if self.groups is None else int(self.groups.nunique())


def read_arms(dataset: Dataset) -> Arms | None:
    """Return the rows of a dataset's trial; None when the catalogue names none.

    Parameters
    ----------
    dataset : Dataset
        Training rows.

    Returns
    -------
    Arms or None

    Raises
    ------
    InputError
        When a column is no feature, an outcome is no number, or an arm has under 20 rows.

    Examples
    --------
    >>> from lib.data import Dataset
    >>> from lib.data.catalog import Trial
    >>> rng = np.random.default_rng(0)
    >>> arm = np.tile(["old", "new"], 200)
    >>> X = pd.DataFrame({"drug": arm, "pain": 5 - (arm == "new") + rng.normal(0, 0.5, 400)})
    >>> trial = Trial(treatment="drug", control="old", outcomes={"pain": ["pain"]})
    >>> dataset = Dataset("t", X, pd.Series(X.index * 1.0), task="regression", trial=trial)
    >>> read_arms(dataset).arm.value_counts().to_dict()
    {'old': 200, 'new': 200}
    """
    trial = dataset.trial
    if trial is None:
        return None
    values = _column(dataset, trial.treatment).astype(str)
    by_value = {str(v): name for name, listed in trial.arms.items() for v in listed}
    named = values.map(by_value) if by_value else values
    sizes = named.value_counts()
    kept = [name for name in (trial.arms or sorted(sizes.index)) if sizes.get(name, 0)]
    if trial.control not in kept or len(kept) < 2:
        msg = f"The trial of '{dataset.name}' needs rows of '{trial.control}' and of another arm;"
        raise InputError(f"{msg} '{trial.treatment}' holds {', '.join(map(str, kept)) or 'none'}.")
    small = [name for name in kept if sizes[name] < LEAST_ROWS]
    if small:
        msg = f"Each arm needs {LEAST_ROWS} rows; '{small[0]}' has {sizes[small[0]]}."
        raise InputError(f"{msg} Join small arms in trial.arms of the catalogue.")
    rows = np.flatnonzero(named.isin(kept))
    inside = dataset.take(rows) if len(rows) < len(dataset) else dataset
    order = [trial.control, *(name for name in kept if name != trial.control)]
    arm = pd.Series(pd.Categorical(named.iloc[rows], categories=order), name="arm")
    outcomes = {
        name: sum(
            (_numbers(inside, column) for column in columns[1:]), _numbers(inside, columns[0])
        )
        for name, columns in trial.outcomes.items()
    }
    covariates = (
        pd.concat([_covariate(inside, name) for name in trial.covariates], axis=1)
        if (trial.covariates)
        else pd.DataFrame(index=arm.index)
    )
    strata = (
        pd.concat([_dummies(inside, name) for name in trial.strata], axis=1)
        if (trial.strata)
        else pd.DataFrame(index=arm.index)
    )
    return Arms(trial, arm, pd.DataFrame(outcomes), covariates, strata, _units(inside))


def _units(dataset: Dataset) -> pd.Series | None:
    """Return what was drawn: rows that share the columns of `units`, never less than a group."""
    columns = dataset.trial.units if dataset.trial else []
    if not columns:
        return dataset.groups
    shared = pd.concat([_column(dataset, name).astype(str) for name in columns], axis=1)
    codes = shared.groupby(list(shared.columns), sort=False).ngroup()
    if dataset.groups is not None:
        codes = codes.groupby(dataset.groups.to_numpy()).transform("first")
    return codes.rename("unit")


def _column(dataset: Dataset, own_name: str) -> pd.Series:
    safe = {own: name for name, own in dataset.labels.items()}
    name = safe.get(own_name, own_name)
    if own_name == dataset.target and name not in dataset.X:
        return dataset.y.rename(own_name)
    for side in (dataset.time, dataset.groups):
        if side is not None and side.name == own_name and name not in dataset.X:
            return side
    if name not in dataset.X:
        msg = f"'{own_name}' of the trial of '{dataset.name}' is no feature of the table"
        raise InputError(f"{msg}: take it out of drop, or out of [{dataset.name}.trial].")
    return dataset.X[name].rename(own_name)


def _numbers(dataset: Dataset, own_name: str) -> pd.Series:
    column = _column(dataset, own_name)
    if not pd.api.types.is_numeric_dtype(column):
        msg = f"The outcome '{own_name}' of the trial of '{dataset.name}' must be a number."
        raise InputError(msg)
    return column.astype(float)


def _covariate(dataset: Dataset, own_name: str) -> pd.DataFrame:
    column = _column(dataset, own_name)
    if not pd.api.types.is_numeric_dtype(column):
        return _dummies(dataset, own_name)
    numbers = column.astype(float).where(np.isfinite(column.astype(float)))
    made = pd.DataFrame({own_name: numbers.fillna(numbers.median())})
    if numbers.isna().any():
        made[f"{own_name} unknown"] = numbers.isna().astype(float)
    return made


def _dummies(dataset: Dataset, own_name: str) -> pd.DataFrame:
    column = _column(dataset, own_name).astype(str)
    common = column.value_counts().index[:MAX_LEVELS]
    column = column.where(column.isin(common), "(other)")
    made = pd.get_dummies(column, prefix=own_name, prefix_sep=" = ", dtype=float)
    return made.iloc[:, 1:]


def compute_balance(arms: Arms) -> tuple[pd.DataFrame, ScoreTest]:
    """Return how alike the arms were before the draw, with one joint test [1]_.

    Parameters
    ----------
    arms : Arms
        As `read_arms` returns it.

    Returns
    -------
    DataFrame with columns covariate, one for each arm, largest
        Means are Estimates without interval, which keep the digits that shares need beside an
        income. `largest` is the greatest standardised difference of an arm to the control, within
        strata, in absolute value: above 0.1 it is customarily looked at.
    ScoreTest
        Of no relation between arm and covariates within strata, whole groups being independent.

    References
    ----------
    .. [1] P. Austin (2009). Balance diagnostics for comparing the distribution of baseline
       covariates. Statistics in Medicine 28:3083.

    Examples
    --------
    >>> from lib.data.catalog import Trial
    >>> rng = np.random.default_rng(0)
    >>> arm = pd.Series(pd.Categorical(np.tile(["old", "new"], 200), categories=["old", "new"]))
    >>> age = pd.DataFrame({"age": rng.normal(40, 10, 400) + 5 * (arm == "new")})
    >>> trial = Trial(treatment="drug", control="old", outcomes={"pain": ["pain"]})
    >>> nothing = pd.DataFrame(index=arm.index)
    >>> table, test = compute_balance(Arms(trial, arm, nothing, age, nothing, None))
    >>> bool(table["largest"].iloc[0] > 0.3), test.p_value < 0.001
    (True, True)
    """
    if arms.covariates.empty:
        nothing = pd.DataFrame(columns=["covariate", *arms.arm.cat.categories, "largest"])
        return nothing, ScoreTest(math.nan, 0, 0, math.nan, 1.0)
    varying = arms.covariates.loc[:, arms.covariates.std() > 0]
    lots = _indicators(arms)
    within, own = _without_strata(varying.to_numpy(), arms), _without_strata(lots, arms)
    spread = within.std(axis=0, ddof=1)
    differences = np.linalg.lstsq(np.column_stack([np.ones(len(own)), own]), within, rcond=None)[0]
    standardised = differences[1:] / np.where(spread > 0, spread, 1.0)  # (arms - 1, covariates)
    table = varying.groupby(arms.arm, observed=True).mean().T.map(Estimate)
    table.columns = [str(name) for name in table.columns]
    table = table.rename_axis("covariate").reset_index()
    table["largest"] = np.abs(standardised).max(axis=0)
    independent = within[:, _independent(within)]
    return table, score_test(own, independent, owner_codes(arms.groups))


def compute_arm_effects(arms: Arms, *, level: float = 0.95) -> pd.DataFrame:
    """Return what each arm changed against the control, plainly and adjusted.

    A straight line of the outcome on the arms; the adjusted one also on covariates and strata,
    which takes out chance differences and makes intervals shorter. Errors are summed over groups.

    Parameters
    ----------
    arms : Arms
        As `read_arms` returns it.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame with columns outcome, arm, rows, mean, share_of_control, effect, adjusted, p,
        published, published_share
        `effect` and `adjusted` are differences to the control (`Estimate`), `share_of_control`
        mean over the control's mean, `p` is of the adjusted difference, corrected by Holm over all
        arms and outcomes. The control's own row has no effect. `published` is NaN when there is
        nothing to stand beside.

    Examples
    --------
    >>> from lib.data.catalog import Trial
    >>> rng = np.random.default_rng(0)
    >>> arm = pd.Series(pd.Categorical(np.tile(["old", "new"], 200), categories=["old", "new"]))
    >>> pain = pd.DataFrame({"pain": rng.normal(5, 0.5, 400) - (arm == "new")})
    >>> trial = Trial(treatment="drug", control="old", outcomes={"pain": ["pain"]})
    >>> nothing = pd.DataFrame(index=arm.index)
    >>> table = compute_arm_effects(Arms(trial, arm, pain, nothing, nothing, None))
    >>> print(table.set_index("arm").loc["new", "effect"])
    -0.939 [-1.037, -0.841]
    """
    rows = []
    for outcome in arms.outcomes:
        y = arms.outcomes[outcome]
        known = y.notna().to_numpy()
        plain = _fit(arms, y, known, adjusted=False, level=level)
        adjusted = _fit(arms, y, known, adjusted=True, level=level)
        means = y[known].groupby(arms.arm[known], observed=False).agg(["mean", "size"])
        beside = arms.trial.published.get(outcome, {})
        control = str(arms.trial.control)
        for name in [control, *arms.others]:
            seen = float(means.loc[name, "mean"])
            at_control = float(means.loc[control, "mean"])
            published = beside.get(name, math.nan)
            rows.append(
                {
                    "outcome": outcome,
                    "arm": name,
                    "rows": int(means.loc[name, "size"]),
                    "mean": seen,
                    "share_of_control": seen / at_control if at_control else math.nan,
                    "effect": plain.get(name, (Estimate(math.nan), math.nan))[0],
                    "adjusted": adjusted.get(name, (Estimate(math.nan), math.nan))[0],
                    "p": adjusted.get(name, (Estimate(math.nan), math.nan))[1],
                    "published": published,
                    "published_share": published / beside.get(control, math.nan),
                }
            )
    table = pd.DataFrame(rows)
    return table.assign(p=holm(table["p"]))


def describe_arms(changes: pd.DataFrame, control: str, *, level: float = 0.95) -> list[str]:
    """Return for each outcome how many arms differ from the control, and by which shares.

    Parameters
    ----------
    changes : DataFrame
        As `compute_arm_effects` returns it.
    control : str
        The arm that the others are compared with.
    level : float
        A p-value below one minus it counts.

    Returns
    -------
    list of str
        One clause an outcome, without full stop.

    Examples
    --------
    >>> changes = pd.DataFrame({"outcome": "pain", "arm": ["old", "new"], "p": [np.nan, 0.01]})
    >>> describe_arms(changes.assign(share_of_control=[1.0, 0.8]), "old")
    ['pain: 1 of 1 arms differ from old; shares of its mean are 80% to 80%']
    """
    said = []
    for outcome, own in changes[changes["arm"] != control].groupby("outcome", sort=False):
        share, n_found = own["share_of_control"], int((own["p"] < 1 - level).sum())
        said.append(
            f"{outcome}: {n_found} of {len(own)} arms differ from {control}; shares of its mean "
            f"are {share.min():.0%} to {share.max():.0%}"
        )
    return said


def _fit(
    arms: Arms, y: pd.Series, known: npt.NDArray[np.bool_], *, adjusted: bool, level: float
) -> dict[str, tuple[Estimate, float]]:
    columns = pd.DataFrame(_indicators(arms), columns=arms.others)
    if adjusted:
        columns = pd.concat([columns, arms.covariates, arms.strata], axis=1)
    columns = columns.loc[known].reset_index(drop=True)
    columns = columns.loc[:, ~columns.columns.duplicated()]
    groups = None if arms.groups is None else arms.groups[known].reset_index(drop=True)
    fit = fit_regression(
        make_design(columns), y[known].reset_index(drop=True), "OLS", groups=groups, level=level
    )
    table = fit.table.set_index("term")
    return {
        name: (table.loc[name, "coefficient"], float(table.loc[name, "p"]))
        for name in arms.others
        if name in table.index
    }


def _indicators(arms: Arms) -> Array:
    codes = arms.arm.cat.codes.to_numpy()
    return np.asarray(np.eye(len(arms.arm.cat.categories))[codes][:, 1:])


def _without_strata(values: Array, arms: Arms) -> Array:
    basis = np.column_stack([np.ones(len(values)), arms.strata.to_numpy(dtype=float)])
    return np.asarray(values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0])


def _independent(values: Array) -> Sequence[int]:
    """Return columns that no earlier ones already hold."""
    kept: list[int] = []
    scaled = values / np.maximum(np.linalg.norm(values, axis=0), 1e-300)
    for i in range(values.shape[1]):
        if np.linalg.matrix_rank(scaled[:, [*kept, i]], tol=1e-6) > len(kept):
            kept.append(i)
    return kept
