"""Figures of money are complete, hold their words, and say when gains are made up."""

import numpy as np
import pandas as pd
import pytest

from checks_of_figures import HOSTILE, check_figure, title_artists
from lib import plots
from lib.estimates import Estimate

pytestmark = pytest.mark.usefixtures("style")

MARK = " (illustrative gains)"


def made_policies(values, names=None):
    """Return a comparison of policies with intervals of 10 on both sides."""
    names = names or ["model", *[f"policy {i}" for i in range(1, len(values))]]
    estimates = [Estimate(float(v), v - 10.0, v + 10.0) for v in values]
    verdicts = ["judged", *["better"] * (len(values) - 1)]
    return pd.DataFrame({"policy": names, "net_benefit": estimates, "verdict": verdicts})


def made_curve(column="threshold", *, peak=0.3, height=1_000.0):
    """Return a curve that rises to its peak and falls far below zero."""
    x = np.linspace(0, 1, 101)
    gain = height * (1 - ((x - peak) / 0.2) ** 2)
    return pd.DataFrame({column: x, "gain": gain, "low": gain - 200, "high": gain + 200})


def words_of(ax):
    """Return all text of an axes in one string: its title without line breaks first."""
    titles = [title.get_text() for title in title_artists(ax)]
    return " ".join(" ".join([*titles, *[t.get_text() for t in ax.texts]]).split())


def test_policies_hold_hostile_names_and_a_far_loss():
    """Whatever classes are called the figure is whole, and a policy far below is named, not drawn."""
    names = ["model", *[f"always {name}" for name in HOSTILE[:9]]]
    values = [120, -50_000, *range(10, 90, 10)]
    ax = plots.plot_policies(made_policies(values, names), currency="EUR", mark=MARK)
    check_figure(ax.figure)
    words = words_of(ax)
    assert "brings 120 EUR for 1,000 rows, beyond chance more than 9 of 9 other policies" in words
    assert words.endswith("← -50,000")
    assert "(illustrative gains)" in words
    assert ax.get_xlim()[0] > -5_000


def test_profit_curve_shows_both_thresholds_and_where_it_was_chosen():
    """Used threshold, break-even and the curve of the choice stand in the legend."""
    ax = plots.plot_profit_curve(
        made_curve(),
        chosen=0.3,
        break_even=0.25,
        learned=made_curve(peak=0.31),
        currency="USD",
    )
    check_figure(ax.figure)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"used: 0.3", "break-even of the gains: 0.25"} <= set(legend)
    assert ax.get_ylim()[0] > -3_000  # what is far below zero is cut off
    assert "Acting from 0.3 on brings 1k USD for 1,000 rows" in words_of(ax)
    assert "illustrative" not in words_of(ax)


def test_quantile_curve_speaks_of_forecasts():
    """Of a regression the curve is over quantiles, and marked when costs are made up."""
    curve = made_curve("quantile", peak=0.7)
    ax = plots.plot_profit_curve(curve, chosen=0.7, break_even=None, currency="USD", mark=MARK)
    check_figure(ax.figure)
    assert "Forecasting the 70% quantile" in words_of(ax)
    assert words_of(ax).endswith("(illustrative gains)")


def test_profit_curve_says_when_nothing_pays():
    """A threshold above 1 treats nobody: the title says so and no line is drawn for it."""
    ax = plots.plot_profit_curve(
        made_curve(height=-50.0), chosen=1.0000000001, break_even=0.9, currency="USD"
    )
    check_figure(ax.figure)
    assert words_of(ax).endswith("treat nobody")


@pytest.mark.parametrize("capacity", [None, 0.1])
def test_capacity_is_marked(capacity):
    """The title prices what is used: the best share, or what is possible when that is less."""
    share = np.linspace(0, 1, 41)
    gains = [Estimate(v, v - 20, v + 20) for v in 1_000 * share * (0.6 - share)]
    table = pd.DataFrame({"share": share, "gain": gains, "at_random": -100 * share})
    ax = plots.plot_capacity(table, best=0.3, capacity=capacity, currency="USD", mark=MARK)
    check_figure(ax.figure)
    used = "30 %" if capacity is None else "10 %"
    assert f"Acting on the first {used} brings" in words_of(ax)
    assert words_of(ax).endswith("(illustrative gains)")


@pytest.mark.parametrize("ends", [(50.0, 150.0), (-50.0, 250.0)])
def test_tornado_says_whether_the_sign_holds(ends):
    """The title says whether a single gain can turn the decision; both ends are written."""
    n = 12
    table = pd.DataFrame(
        {
            "meaning": [HOSTILE[i % len(HOSTILE)] for i in range(n)],
            "low_value": np.linspace(-8, 8, n),
            "high_value": np.linspace(-12, 12, n),
            "at_low": np.linspace(ends[0], 99, n),
            "at_high": np.linspace(ends[1], 101, n),
        }
    )
    look = {"lead": 100.0, "against": HOSTILE[4], "currency": "USD", "mark": MARK}
    ax = plots.plot_tornado(table, uncertainty=0.25, **look)
    check_figure(ax.figure)
    verb = "keeps" if ends[0] > 0 else "changes"
    assert f"{verb} its sign" in words_of(ax)
    assert "25 % (illustrative gains)" in words_of(ax)


@pytest.mark.parametrize("spread", [0.0, 30.0])
def test_scenarios_count_where_the_model_is_ahead(spread):
    """The share in the title is counted; scenarios that are all alike are drawn, too."""
    both = 10 + spread * np.linspace(-1, 1, 400)
    look = {"lead": 10.0, "against": "treating all", "currency": "USD", "mark": MARK}
    ax = plots.plot_scenarios(0.5 * (both + 10), both, **look)
    check_figure(ax.figure)
    share = "100 %" if spread == 0 else "66 %"
    assert f"ahead of treating all in {share} of the scenarios" in words_of(ax)


@pytest.mark.parametrize("useful", [None, (0.1, 0.4)])
def test_decision_curve_names_the_useful_thresholds(useful):
    """Where the band beats both defaults is in the title, or that it is nowhere."""
    x = np.arange(1, 100) / 100
    everyone = 0.3 - 0.7 * x / (1 - x)
    model = np.maximum(everyone, 0) + 0.02
    table = {"threshold": x, "model": model, "low": model - 0.03, "high": model + 0.03}
    table = pd.DataFrame(table | {"treat_all": everyone})
    ax = plots.plot_decision_curve(table, useful=useful, break_even=0.2)
    check_figure(ax.figure)
    assert ("No threshold" if useful is None else "from 10 % to 40 %") in words_of(ax)
    assert ax.get_ylim()[0] > -0.2
