"""Other gains than assumed: where the model stops paying, one gain at a time and all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.business.gains import Floats
from lib.business.policies import MODEL, PER, Priced
from lib.estimates import Estimate

MAX_GAINS = 12  # drawn and tabulated, the strongest first
N_SCENARIOS = 5_000


def compute_tornado(priced: Priced, against: str) -> pd.DataFrame:
    """Return the model's lead when each gain is moved to the ends of its range, one at a time.

    Decisions stay as they are; only what they are worth changes.

    Parameters
    ----------
    priced : Priced
        Policies on the test rows.
    against : str
        The policy that the model replaces.

    Returns
    -------
    DataFrame
        gain, meaning, value, low_value, high_value, at_low, at_high (lead for 1,000 rows), swing;
        the widest swing first. Left out: gains of 0, which have no range, and gains
        that both policies take alike.
    """
    used, _ = priced.difference(MODEL, against)
    vector, lead = priced.gains.vector, float(used @ priced.gains.vector)
    rows = []
    for i, (name, value) in enumerate(priced.gains.money.items()):
        if value == 0:
            continue
        ends = sorted(
            (value * (1 - priced.gains.uncertainty), value * (1 + priced.gains.uncertainty))
        )
        moved = [PER * (lead + used[i] * (end - vector[i])) for end in ends]
        meaning = priced.gains.meanings[name]
        rows.append((name, meaning, value, *ends, *moved, abs(moved[1] - moved[0])))
    columns = ["gain", "meaning", "value", "low_value", "high_value", "at_low", "at_high", "swing"]
    table = pd.DataFrame(rows, columns=columns)
    table = table[table["swing"] > 1e-9 * table["swing"].max()]  # a gain that both take alike
    return table.sort_values("swing", ascending=False, kind="stable").head(MAX_GAINS)


def find_break_evens(priced: Priced, against: str) -> pd.DataFrame:
    """Return for each gain the value at which the model earns as much as another policy.

    Parameters
    ----------
    priced : Priced
        Policies on the test rows.
    against : str
        The policy that the model replaces.

    Returns
    -------
    DataFrame
        gain, meaning, value, break_even (Estimate; NaN when no value of that sign does it),
        pays ("above", "below", "always" or "never": where the model earns more).
    """
    used, resampled = priced.difference(MODEL, against)
    vector = priced.gains.vector
    rows = []
    for i, (name, value) in enumerate(priced.gains.money.items()):
        if value == 0:
            continue
        lead = float(used @ vector)
        rest, drawn_rest = lead - used[i] * value, resampled @ vector - resampled[:, i] * value
        found, pays = Estimate(float("nan")), "always" if lead > 0 else "never"
        if abs(used[i]) > 1e-12:
            at = -rest / used[i]
            if at * value > 0:  # a gain does not become a cost
                with np.errstate(divide="ignore", invalid="ignore"):
                    drawn = -drawn_rest / resampled[:, i]
                is_stable = bool(np.mean(np.sign(resampled[:, i]) == np.sign(used[i])) > 0.999)
                found = (
                    priced.bootstrap.estimate(at, drawn, priced.cases)
                    if is_stable
                    else Estimate(at)
                )
                pays = "above" if used[i] > 0 else "below"
        rows.append((name, priced.gains.meanings[name], value, found, pays))
    return pd.DataFrame(rows, columns=["gain", "meaning", "value", "break_even", "pays"]).head(
        MAX_GAINS
    )


def show_break_evens(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of break-evens as a reader wants it: where the model is ahead, in words.

    Parameters
    ----------
    table : DataFrame
        As `find_break_evens` makes it.

    Returns
    -------
    DataFrame
        gain, meaning, assumed, the model is ahead.
    """
    where = [
        f"{pays} {at}" if pays in {"above", "below"} else f"{pays}, whatever it is"
        for pays, at in zip(table["pays"], table["break_even"], strict=True)
    ]
    shown = {"gain": table["gain"], "meaning": table["meaning"], "assumed": table["value"]}
    return pd.DataFrame({**shown, "the model is ahead": where})


@dataclass(frozen=True, eq=False)
class Scenarios:
    """The model's lead under many other gains.

    Attributes
    ----------
    by_gains : ndarray of shape (n_scenarios,)
        Lead for 1,000 rows: the test rows as they are, gains drawn.
    by_both : ndarray of shape (n_scenarios,)
        The test rows resampled as well.
    pays : Estimate
        Share of scenarios (both) in which the model is ahead; no interval.
    range_of_gains, range_of_both : Estimate
        Lead with the central part of the scenarios.
    best : DataFrame
        policy, share (of scenarios in which it earns most).
    """

    by_gains: Floats = field(repr=False)
    by_both: Floats = field(repr=False)
    pays: float
    range_of_gains: Estimate
    range_of_both: Estimate
    best: pd.DataFrame


def simulate_gains(priced: Priced, against: str, *, random_state: int) -> Scenarios:
    """Return the model's lead when all gains are uncertain at once.

    Each gain is drawn evenly from its range, independently of the others; decisions stay as they
    are. Each scenario also takes one resample of the test rows.

    Parameters
    ----------
    priced : Priced
        Policies on the test rows.
    against : str
        The policy that the model replaces.
    random_state : int
        Seed of the draws.

    Returns
    -------
    Scenarios
    """
    rng = np.random.default_rng(random_state)
    vector, share = priced.gains.vector, priced.gains.uncertainty
    drawn = vector * rng.uniform(1 - share, 1 + share, size=(N_SCENARIOS, len(vector)))
    used, resampled = priced.difference(MODEL, against)
    rows = rng.integers(len(resampled), size=N_SCENARIOS)
    by_gains = PER * drawn @ used
    by_both = PER * np.einsum("ij,ij->i", drawn, np.nan_to_num(resampled[rows]))
    earned = np.einsum("ij,ikj->ik", drawn, np.nan_to_num(priced.resampled[rows]))
    n_best = np.bincount(earned.argmax(axis=1), minlength=len(priced.policies))
    best = pd.DataFrame({"policy": priced.policies, "share": n_best / N_SCENARIOS})
    lead = PER * float(used @ vector)
    level = priced.bootstrap.level

    def middle(values: Floats, method: str) -> Estimate:
        low, high = priced.bootstrap.band(values)
        return Estimate(lead, float(low), float(high), level, method, N_SCENARIOS)

    return Scenarios(
        by_gains=by_gains,
        by_both=by_both,
        pays=float((by_both > 0).mean()),
        range_of_gains=middle(by_gains, "scenarios of gains"),
        range_of_both=middle(by_both, "scenarios of gains and rows"),
        best=best,
    )
