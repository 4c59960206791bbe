"""Figures of explanations are complete, hold their words, and repeat, whatever columns are called."""

import numpy as np
import pandas as pd
import pytest

from checks_of_figures import HOSTILE, as_png, check_figure, title_artists
from lib import explanation, plots
from lib.estimates import Estimate
from lib.explanation import Effects, Explanation

pytestmark = pytest.mark.usefixtures("style")


def names_of(n):
    """Return hostile names, some of them twice."""
    return tuple(HOSTILE[i % len(HOSTILE)] for i in range(n))


def made_explanation(n_columns=40, n_rows=300, n_classes=0):
    """Return contributions of columns of every kind, the first the largest."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({i: rng.normal(size=n_rows) for i in range(n_columns)})
    if n_columns > 4:
        X[1] = pd.Categorical(rng.choice([*HOSTILE[:5]], n_rows))
        X[2] = pd.date_range("2020-01-01", periods=n_rows)
        X[3] = np.where(rng.random(n_rows) < 0.3, np.nan, X[3])
        X[4] = [f"free text {i}" for i in range(n_rows)]
    shape = (n_rows, n_columns, n_classes) if n_classes else (n_rows, n_columns)
    size = 0.8 ** np.arange(n_columns)
    values = rng.normal(size=shape) * (size[:, None] if n_classes else size)
    base = np.full((n_rows, n_classes) if n_classes else n_rows, -1.0)
    return Explanation(
        contributions=values,
        base=base,
        raw=base + values.sum(axis=1),
        X=X,
        rows=np.arange(n_rows),
        fold=np.arange(n_rows) % 3,
        names=names_of(n_columns),
        outputs=tuple(HOSTILE[:n_classes]),
        unit="log-odds",
        route="made",
    )


@pytest.mark.parametrize("n_classes", [0, 3, 9])
@pytest.mark.parametrize("n_columns", [1, 40])
def test_contributions_of_many_columns(n_columns, n_classes):
    """Swarm, bars and waterfall hold hostile names, forty columns and many classes."""
    explained = made_explanation(n_columns, n_classes=n_classes)
    axes = [
        plots.plot_contributions(explained),
        plots.plot_contribution_sizes(explained),
        plots.plot_waterfall(explained, 5),
    ]
    for ax in axes:
        check_figure(ax.figure)
    if n_columns == 40:
        assert "15 of 40 drawn" in axes[0].get_ylabel()
        assert axes[2].get_yticklabels()[-1].get_text() == "31 other columns"
    assert axes[2].get_title("left").startswith("Row 5") or "Row 5" in str(
        [t.get_text() for t in title_artists(axes[2])]
    )


@pytest.mark.parametrize("position", [0, 1, 2, 3, 4])
def test_dependence_on_columns_of_every_kind(position):
    """Numbers, categories, dates, gaps and text: drawn, or said why not."""
    check_figure(plots.plot_dependence(made_explanation(), position).figure)
    check_figure(plots.plot_dependence(made_explanation(n_classes=3), position).figure)


def test_a_waterfall_ends_where_the_model_does():
    """Bars start at the base, end at the prediction, and no value of the row is written."""
    explained = made_explanation(6)
    ax = plots.plot_waterfall(explained, 0)
    ends = sorted(
        line.get_xdata()[0] for line in ax.lines if line.get_label() in {"usual", "this row"}
    )
    assert ends == pytest.approx(sorted([-1.0, float(explained.raw[0])]))
    written = " ".join(text.get_text() for text in ax.texts)
    assert f"{explained.X[0].iloc[0]:.3g}" not in written


def made_importance(n, verdict=explanation.MATTERS):
    """Return a table of importances with hostile names."""
    sizes = [Estimate(0.5 / (i + 1), 0.4 / (i + 1), 0.6 / (i + 1)) for i in range(n)]
    verdicts = [verdict, *[explanation.NO_SIGN] * (n - 1)]
    return pd.DataFrame({"what": names_of(n), "importance": sizes, "verdict": verdicts})


@pytest.mark.parametrize("n", [1, 40])
def test_importance_says_how_many_matter(n):
    """The claim counts all rows, the figure draws the first fifteen."""
    ax = plots.plot_importance(made_importance(n), scoring="R²")
    check_figure(ax.figure)
    said = " ".join(t.get_text() for t in title_artists(ax)).replace("\n", " ")
    assert said.startswith(f"1 of {n} columns matter beyond chance")
    ax = plots.plot_importance(
        made_importance(n, explanation.NO_SIGN), scoring="R²", things="clusters of columns"
    )
    check_figure(ax.figure)
    table = pd.DataFrame({"column": names_of(n), "mean": 1.0, "std": 0.1})
    check_figure(plots.plot_shuffles(table, what="loss of R²").figure)


@pytest.mark.parametrize("n", [1, 40])
def test_agreement_of_rankings(n):
    """Ranks, ranges and verdicts of many columns; the claim counts what may be quoted."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(3), range(2)], names=["fold", "seed"])
    rankings = {
        m: pd.DataFrame(rng.random((6, n)) * 0.9 ** np.arange(n), index=index)
        for m in ("SHAP", "shuffling", "gain")
    }
    judged = explanation.judge_columns(rankings, names_of(n), n_top=explanation.choose_top(n))
    ax = plots.plot_agreement(judged, methods=list(rankings), n_top=explanation.choose_top(n))
    check_figure(ax.figure)
    n_quote = int((judged["verdict"] == explanation.QUOTE).sum())
    said = " ".join(t.get_text() for t in title_artists(ax)).replace("\n", " ")
    assert said.startswith(f"{n_quote} column")


def made_effects(outputs=("",)):
    """Return curves of a number, a crowded amount, a date and a category with long names."""
    rows, single = [], []
    grids = {
        "numeric": [np.linspace(0, 1, 9), np.r_[0, np.geomspace(1, 1e5, 8)]],
        "datetime": [1.6e9 + np.arange(9) * 1e7],
        "categorical": [np.arange(14.0)],
    }
    position = 0
    for kind, several in grids.items():
        for x in several:
            name = HOSTILE[position]
            for method in (explanation.PDP, explanation.ALE):
                for k, output in enumerate(outputs):
                    for i, at in enumerate(x):
                        level = HOSTILE[i] if kind == "categorical" else ""
                        e = 0.1 * i * (-1) ** k
                        rows.append(
                            (
                                name,
                                position,
                                kind,
                                method,
                                output,
                                at,
                                level,
                                e,
                                e - 0.1,
                                e + 0.1,
                                0.1,
                            )
                        )
            single += [
                (name, position, outputs[0], r, at, 0.1 * r * i)
                for r in range(4)
                for i, at in enumerate(x)
            ]
            position += 1
    curve_columns = [
        "column",
        "position",
        "kind",
        "method",
        "output",
        "x",
        "level",
        "effect",
        "low",
        "high",
        "share",
    ]
    return Effects(
        pd.DataFrame(rows, columns=curve_columns),
        pd.DataFrame(single, columns=["column", "position", "output", "row", "x", "effect"]),
        (),
    )


def test_effects_of_every_kind_of_column():
    """Panels of numbers, amounts, dates and categories; legend and note beside the data."""
    figure = plots.plot_effects(made_effects(), target="W" * 99, unit="W" * 30)
    check_figure(figure)
    classes = tuple(HOSTILE[:8])
    figure = plots.plot_effects(made_effects(classes), target="W" * 99, classes=classes)
    check_figure(figure)


def test_effects_of_nothing():
    """A table of text alone gets a figure that says so."""
    empty = Effects(made_effects().curves.iloc[:0], made_effects().single.iloc[:0], ())
    check_figure(plots.plot_effects(empty, target="y"))


@pytest.mark.parametrize("n_levels", [1, 30])
def test_subgroups(n_levels):
    """Parts by measure, few or many, with hostile names; the claim counts what differs."""
    rows = [
        (
            HOSTILE[0],
            HOSTILE[i % 16],
            50,
            measure,
            Estimate(0.5),
            0.4,
            Estimate(0.1, 0.05, 0.15),
            0.01,
            0.01,
            "differs",
        )
        for i in range(n_levels)
        for measure in ("ROC AUC", "found", "false alarms", "flagged")
    ]
    columns = [
        "column",
        "level",
        "rows",
        "measure",
        "value",
        "others",
        "difference",
        "p",
        "p_holm",
        "verdict",
    ]
    figure = plots.plot_subgroups(pd.DataFrame(rows, columns=columns))
    check_figure(figure)
    assert f"{4 * n_levels} of {4 * n_levels} differences" in figure.get_suptitle().replace(
        "\n", " "
    )
    check_figure(plots.plot_subgroups(pd.DataFrame([], columns=columns)))


def test_two_draws_are_the_same_bytes():
    """Pictures repeat to the byte."""
    explained = made_explanation(8)
    first, second = (as_png(plots.plot_contributions(explained).figure) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("days", [20, 80, 400, 900, 1_800, 5_000])
def test_dates_of_any_range_get_ticks(days):
    """No range of dates is between the steps that ticks can take."""
    table = pd.DataFrame({"day": pd.date_range("2019-03-01", periods=days, freq="D")})
    check_figure(plots.plot_distributions(table))
