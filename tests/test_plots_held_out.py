"""Figures of held-out rows are complete, hold their words, and repeat, whatever names are."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from checks_of_figures import HOSTILE, check_figure
from lib import performance, plots
from lib.data import make_planted
from lib.estimates import Estimate
from lib.performance import HeldOut

pytestmark = pytest.mark.usefixtures("style")


def estimates(n):
    """Return estimates from 0.05 upwards."""
    return [Estimate(0.05 * i, 0.05 * i - 0.03, 0.05 * i + 0.04) for i in range(1, n + 1)]


@pytest.fixture(scope="module")
def held():
    """Return honest probabilities of two classes."""
    dataset = make_planted(400)
    return HeldOut(dataset, dataset.truth["probabilities"])


def test_curves_claim_what_they_show(held):
    """One class has bands and its lift in the title; many classes have a legend; none, a reason."""
    curves = performance.compute_curves(held, n_resamples=30, random_state=0)
    figure = plots.plot_curves({"yes": curves})
    check_figure(figure)
    assert f"{curves.lift.value:.1f} times" in figure.get_suptitle()
    assert figure.axes[0].collections
    many = plots.plot_curves(dict.fromkeys(HOSTILE[:9], curves))
    check_figure(many)
    assert len(many.axes[0].get_legend().get_texts()) == 6
    assert "too few" in plots.plot_curves({}).get_suptitle()


@pytest.mark.parametrize("n_classes", [2, 16, 40])
def test_confusion_counts_all_classes(n_classes):
    """Classes beyond fifteen become one, and the share of right rows is that of all."""
    counts = pd.DataFrame(np.eye(n_classes, dtype=int) * 3 + 1)
    names = [HOSTILE[i % len(HOSTILE)] + str(i) for i in range(n_classes)]
    ax = plots.plot_confusion(counts, names, rule="the likeliest class")
    check_figure(ax.figure)
    assert len(ax.get_yticklabels()) == min(n_classes, 15)
    right = 4 * n_classes / counts.to_numpy().sum()
    assert f"{right * 100:.0f} %" in ax.get_title(loc="left") + ax.get_title()


def test_calibration_says_its_verdict(held):
    """The verdict is the title; one bin and rare events are drawn as well."""
    study = performance.study_calibration(held, n_resamples=20, random_state=0)
    named = replace(study, events=replace(study.events, words=HOSTILE[0]))
    figure = plots.plot_calibration(named)
    check_figure(figure)
    assert "sign of miscalibration" in figure.get_suptitle()
    one = pd.DataFrame({"rows": [9], "predicted": [0.02], "observed": [Estimate(0, 0, 0.05)]})
    events = replace(study.events, probability=np.full(9, 0.02))
    rare = plots.plot_calibration(replace(study, bins=one, events=events))
    check_figure(rare)


def test_residuals_are_drawn_for_any_prediction():
    """Good, constant and few predictions each make four panels."""
    rng = np.random.default_rng(0)
    for n, guess in ((500, rng.normal(size=500)), (6, rng.normal(size=6)), (50, np.zeros(50))):
        dataset = make_planted(n, task="regression")
        study = performance.study_residuals(HeldOut(dataset, guess))
        figure = plots.plot_residual_study(study, target=HOSTILE[1])
        check_figure(figure)
        assert len(figure.axes) == 4


@pytest.mark.parametrize("n", [0, 1, 10])
def test_weak_segments_are_counted(n):
    """The title says how many of the suspects the test set confirms."""
    table = pd.DataFrame(
        {
            "segment": [f"{HOSTILE[i]}: > 5 and {HOSTILE[i + 1]}: no" for i in range(n)],
            "rows": [30] * n,
            "difference": estimates(n),
            "confirmed": [i == 0 for i in range(n)],
        }
    )
    ax = plots.plot_weak_segments(table)
    check_figure(ax.figure)
    title = ax.get_title(loc="left") + ax.get_title()
    assert (f"confirms 1 of {n}" in title) if n else ("No weak segment" in title)


def test_coverage_counts_what_is_short():
    """Parts short of the promise are orange and counted in the title."""
    rows = [
        (
            "one limit for all rows",
            HOSTILE[i],
            40,
            Estimate(0.9, 0.8, 0.99),
            1.0,
            "short of what was promised" if i == 2 else "no sign against the promise",
        )
        for i in range(5)
    ]
    columns = ["method", "part", "rows", "coverage", "size", "verdict"]
    figure = plots.plot_promised_coverage(pd.DataFrame(rows, columns=columns))
    check_figure(figure)
    assert "Short of it in 1 of 5" in figure.get_suptitle().replace("\n", " ")


def test_losses_of_columns_and_of_cells():
    """The costliest column is named; a model that needs every column has a reason instead."""
    table = pd.DataFrame({"column": HOSTILE[:8], "lost": estimates(8)[::-1], "note": ""})
    ax = plots.plot_lost_columns(table, scoring="ROC AUC")
    check_figure(ax.figure)
    nothing = table.assign(lost=[Estimate(float("nan"))] * 8)
    check_figure(plots.plot_lost_columns(nothing, scoring="ROC AUC").figure)
    rows = [
        (what, kind, share, Estimate(share / 9, share / 12, share / 6))
        for what in ("missing", "taken from another row")
        for kind in ("all columns", "numbers", "text")
        for share in (0.1, 0.4)
    ]
    cells = pd.DataFrame(rows, columns=["what", "columns", "share", "lost"])
    figure = plots.plot_disturbances(cells, scoring="ROC AUC")
    check_figure(figure)
    assert len(figure.axes) == 2
    check_figure(plots.plot_disturbances(cells.head(0), scoring="ROC AUC"))


def test_figures_take_any_object_with_the_right_parts():
    """A figure takes a table, whoever computed it."""
    x = np.linspace(0, 1, 5)
    table = pd.DataFrame({"x": x, "y": x, "low": x, "high": x})
    made = SimpleNamespace(of=lambda _: table, lift=Estimate(1.0), prevalence=0.3)
    check_figure(plots.plot_curves({"any": made}))
