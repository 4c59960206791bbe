"""Every figure is complete, stays inside its canvas and repeats, whatever a column is called."""

from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib.colors import to_hex

from checks_of_figures import (
    HOSTILE,
    as_png,
    check_figure,
    check_layout,
    drawn,
    tick_labels,
    title_artists,
)
from lib import plots, resampling, statistics
from lib.data import make_planted
from lib.errors import InputError
from lib.estimates import Estimate, wilson
from lib.plots import text
from lib.plots.style import GREY

pytestmark = pytest.mark.usefixtures("style")

OKABE_ITO = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000"}


def make_table(n_rows=60):
    """Return a table with hostile names and columns of every kind, some of them useless."""
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=n_rows) for name in HOSTILE}
    columns["<script>alert('x')</script>"] = rng.choice(["yes", "W" * 300, "\U0001f44d"], n_rows)
    columns["income"] = rng.lognormal(8, 2, n_rows) * (rng.random(n_rows) > 0.3)
    columns[""] = np.where(rng.random(n_rows) < 0.4, np.nan, rng.normal(size=n_rows))
    columns["constant"] = 1
    columns["missing"] = None
    columns["day"] = pd.date_range("2020-01-01", periods=n_rows, freq="D")
    columns["words"] = [
        f"a sentence of its own, number {i}, with words " * 3 for i in range(n_rows)
    ]
    columns["flag"] = rng.random(n_rows) > 0.5
    columns["infinite"] = np.where(rng.random(n_rows) < 0.1, np.inf, 1e308)
    return pd.DataFrame(columns)


def screening_of(table, target, task):
    """Return features, codes and the strengths that two of the figures draw."""
    features = statistics.as_frame(table).drop(columns=["missing", "constant"])
    return features, target, statistics.compare_with_target(features, target, task=task)


# --- the style --------------------------------------------------------------------------------


def test_setup_applies_the_style_and_repeats():
    """Calling it twice changes nothing more; only matplotlib's settings change."""
    once = dict(mpl.rcParams)
    shown = pd.get_option("display.max_rows"), np.get_printoptions()
    plots.setup_plotting()
    assert dict(mpl.rcParams) == once
    assert (pd.get_option("display.max_rows"), np.get_printoptions()) == shown
    assert mpl.rcParams["axes.grid"] is True
    assert mpl.rcParams["text.parse_math"] is False
    assert figure_layout() is None, "figures of other packages keep their own layout"


def figure_layout():
    """Return the layout engine of a plain new figure."""
    return plt.figure().get_layout_engine()


def test_setup_can_be_undone():
    """Inside `rc_context` the look ends with the block."""
    with mpl.rc_context():
        mpl.rcdefaults()
        before = dict(mpl.rcParams)
        with mpl.rc_context():
            plots.setup_plotting()
            assert dict(mpl.rcParams) != before
        assert dict(mpl.rcParams) == before


def test_colours_are_those_of_okabe_and_ito_and_stay_apart():
    """The cycle holds distinct colours of the palette made for colour-blind readers, and a grey."""
    cycle = [to_hex(color) for color in mpl.rcParams["axes.prop_cycle"].by_key()["color"]]
    assert len(set(cycle)) == len(cycle) == 7
    assert set(cycle[:6]) <= OKABE_ITO
    red, green, blue = (int(cycle[6][i : i + 2], 16) for i in (1, 3, 5))
    assert red == green == blue


def luminance(color):
    """Return WCAG's relative luminance."""
    parts = np.array(mpl.colors.to_rgb(color))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_lines_and_dots_stand_out_from_white():
    """The colours that carry a message alone have WCAG's contrast for graphics, 3 to 1."""
    for color in ("#0072B2", "#D55E00", "#009E73", GREY):
        assert 1.05 / (luminance(color) + 0.05) >= 3


# --- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_names_become_drawable_labels(name):
    """Each name becomes one short line that the fonts can draw, and never nothing."""
    label = text.shorten(name, 20)
    assert 0 < len(label) <= 20
    assert "\n" not in label
    assert text.text_width(text.fit(name, 1.0, 10), 10) <= 1.0


def test_labels_stay_distinct():
    """Names that shorten to the same words are numbered, past names that hold that number."""
    names = ["a", "a (2)", "a", "W" * 900, "W" * 901, "", " "]
    labels = text.short_labels(names, 12, inches=1.0)
    assert len(set(labels)) == len(names)
    assert max(text.text_width(label, 9.5) for label in labels) <= 1.01


def test_wrapped_lines_fit_and_lose_nothing():
    """Lines are as wide as the room at most, and together say the same."""
    words = "3 of 31 columns have gaps; most: 'general_health', 26 % " + "W" * 80
    lines = text.wrap(words, 2.0, 12, weight="bold").splitlines()
    assert max(text.text_width(line, 12, weight="bold") for line in lines) <= 2.0
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


@pytest.mark.parametrize("size", [8, 12, 17.5])
def test_measured_width_is_the_drawn_width(size):
    """A width in inches is what the renderer draws or a little more, never less."""
    figure = plt.figure()
    for words in ("medical_dollars: 12 %", "WWWW", "il|'"):
        artist = figure.text(0, 0, words, size=size, weight="bold")
        box = artist.get_window_extent(drawn(figure))
        expected = text.text_width(words, size, weight="bold") * figure.dpi
        assert 0.9 * expected - 2 <= box.width <= expected + 1


@pytest.mark.parametrize("style", ["project", "matplotlib"])
def test_a_short_title_is_not_wrapped_and_a_long_one_is(style):
    """Titles break only where the figure ends, in the project's style and without it."""
    if style == "matplotlib":
        mpl.rcdefaults()
    short = plots.plot_model_performance([0, 1, 1, 0], [0, 1, 0, 0])
    assert title_artists(short.axes[0])[0].get_text() == "Confusion: 75 % right"
    table = pd.DataFrame({"W" * 40: [1, np.nan], "b": [1, 2]})
    ax = plots.plot_missing(statistics.compute_missing(table), shape=(2, 2))
    assert "\n" in title_artists(ax)[0].get_text()
    check_layout(ax.figure)


# --- quick_eda_plots --------------------------------------------------------------------------

TARGETS = {"binary": "flag", "multiclass": "<script>alert('x')</script>", "regression": "income"}


@pytest.mark.parametrize(
    ("kind", "task"), [*(("pandas", task) for task in TARGETS), ("polars", "binary")]
)
def test_overview_of_a_hostile_table(kind, task):
    """Four complete panels for any table, target and library; the table stays as it was."""
    table = make_table()
    before = table.copy(deep=True)
    given = pl.DataFrame(table.to_dict("list"), strict=False) if kind == "polars" else table
    figure = plots.quick_eda_plots(given, TARGETS[task])
    assert len([ax for ax in figure.axes if not hasattr(ax, "_colorbar")]) == 4
    check_figure(figure)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("name", ["cost in $ of $x^2$", "W" * 5_000, "", HOSTILE[3]])
def test_overview_with_a_hostile_target(name):
    """Any name can be that of the target."""
    check_figure(plots.quick_eda_plots(make_table(30), name))


def test_overview_says_what_the_table_holds():
    """The planted facts stand in the titles: gaps, target's balance, kinds, strongest pair."""
    x = np.arange(200.0)
    table = pd.DataFrame({"x": x, "twice": 2 * x, "gaps": np.where(x < 50, np.nan, (x * 7) % 11)})
    table["y"] = np.where(x % 4 == 0, "yes", "no")
    figure = plots.quick_eda_plots(table, "y")
    said = [
        title.get_text().replace("\n", " ") for ax in figure.axes for title in title_artists(ax)
    ]
    assert said[0].endswith("'x' and 'twice', 1.00")
    assert said[1:] == [
        "'y': 2 values, 'no' 75 % of rows",
        "1 of 4 columns has gaps; most: 'gaps', 25 %",
        "3 of 4 columns are numeric",
    ]


EDGES = {
    "one row": pd.DataFrame({"a": [1], "b": ["x"], "c": [pd.Timestamp("2020-01-01")]}),
    "no rows": pd.DataFrame({"a": pd.Series(dtype=float), "b": pd.Series(dtype=str)}),
    "one column": pd.DataFrame({"a": [1, 2, 3]}),
    "all missing": pd.DataFrame({"a": [None, None], "b": [np.nan, np.nan]}),
    "constant": pd.DataFrame({"a": [7, 7, 7], "b": ["x", "x", "x"]}),
    "infinite": pd.DataFrame({"a": [np.inf, -np.inf, np.nan], "b": [1e308, -1e308, 0]}),
    "dates": pd.DataFrame(
        {"a": pd.date_range("1700-01-01", periods=9, freq="30YS"), "b": range(9)}
    ),
    "repeated": pd.DataFrame([[1, 2], [3, 4], [5, 5]], columns=["a", "a"]),
}


@pytest.mark.parametrize("edge", EDGES)
def test_overview_of_edge_cases(edge):
    """Tables with next to nothing in them get a figure that says so."""
    table = EDGES[edge]
    check_figure(plots.quick_eda_plots(table, table.columns[0]))


def test_overview_without_a_target_says_how_to_name_one():
    """The panel of the target holds the way to it."""
    figure = plots.quick_eda_plots(EDGES["one column"])
    assert "target_col" in figure.axes[1].texts[0].get_text()
    check_figure(figure)


def test_overview_of_a_wide_table_says_what_it_leaves_out():
    """Of hundreds of columns the strongest are drawn, and the figure says how many."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(50, 300)), columns=[f"column_{i:03}" for i in range(300)])
    table.iloc[::7] = np.nan
    figure = plots.quick_eda_plots(table, "column_007")
    assert "16 of 300 columns drawn" in figure.axes[0].get_xlabel()
    assert "30 of 300 columns with gaps drawn" in figure.axes[2].get_xlabel()
    check_figure(figure)


def test_overview_names_the_way_out_of_a_wrong_target():
    """A misspelt target is one sentence with the name that was meant."""
    with pytest.raises(InputError, match=r"no column 'Churn'.*Did you mean 'churn'\?"):
        plots.quick_eda_plots(pd.DataFrame({"churn": [0, 1]}), "Churn")


# --- plot_model_performance -------------------------------------------------------------------


def predictions(n_classes, n_rows=400):
    """Return true codes, predicted codes and probabilities that hold exactly."""
    rng = np.random.default_rng(2)
    proba = rng.dirichlet(np.full(n_classes, 0.4), n_rows)
    y = np.array([rng.choice(n_classes, p=p) for p in proba])
    return y, proba.argmax(axis=1), proba


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        (["no", "yes"], "none"),
        (["no", "yes"], "two"),
        ([0, 1], "flat"),
        ([False, True], "one"),
        (["$x_1$", "W" * 300], "two"),
    ],
)
def test_binary_performance(labels, columns):
    """Labels of any kind; the probability as an array, a column, or one column a class."""
    y, guess, proba = predictions(2)
    given = {"none": None, "flat": proba[:, 1], "one": proba[:, 1:], "two": proba}[columns]
    names = np.array(labels)
    figure = plots.plot_model_performance(names[y], names[guess], given, classes=labels)
    assert len(figure.axes) == (1 if given is None else 4)
    right = f"{100 * np.mean(y == guess):.0f} % right"
    assert title_artists(figure.axes[0])[0].get_text() == f"Confusion: {right}"
    check_figure(figure)


@pytest.mark.parametrize("kind", ["list", "pandas", "polars", "category"])
def test_performance_takes_any_container(kind):
    """Lists, series of pandas and polars and categories give the same figure."""
    truth, guess = ["a", "b", "b", "c"] * 5, ["a", "b", "c", "c"] * 5
    make = {
        "list": list,
        "pandas": pd.Series,
        "polars": pl.Series,
        "category": lambda x: pd.Series(x, dtype="category"),
    }[kind]
    figure = plots.plot_model_performance(make(truth), make(guess))
    assert title_artists(figure.axes[0])[0].get_text() == "Confusion: 75 % right"


@pytest.mark.parametrize(("n_classes", "hostile"), [(3, False), (7, True), (30, True)])
def test_multiclass_performance(n_classes, hostile):
    """Up to fifteen classes are drawn; more are merged, yet never count as right for that."""
    y, guess, proba = predictions(n_classes, 2_000)
    labels = [f"{HOSTILE[i % 16]} {i}" if hostile else f"c{i:02}" for i in range(n_classes)]
    names = np.array(labels)
    figure = plots.plot_model_performance(names[y], names[guess], proba, classes=labels)
    right = f"Confusion: {100 * np.mean(y == guess):.0f} % right"
    assert title_artists(figure.axes[0])[0].get_text() == right
    if n_classes == 30:
        assert figure._supxlabel.get_text() == "14 of 30 classes drawn, the most frequent"
    check_figure(figure)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_regression_performance(scale):
    """A planted error is read off the titles, whatever the unit."""
    y = np.random.default_rng(3).normal(size=500) * scale
    figure = plots.plot_model_performance(y, y + 0.25 * scale)
    said = [title_artists(ax)[0].get_text() for ax in figure.axes]
    assert said[0].startswith("Predicted against actual: R² 0.9")
    assert said[1] == f"Residuals: half are within {0.25 * scale:.3g}"
    assert said[2] == f"Mean residual {0.25 * scale:+.3g}"
    check_figure(figure)


def test_performance_of_a_constant_truth():
    """One class or one number alone gives a figure that says what cannot be told."""
    ones = np.ones(20, dtype=int)
    figure = plots.plot_model_performance(ones, ones, np.full(20, 0.9), classes=[0, 1])
    assert "nothing to tell apart" in title_artists(figure.axes[1])[0].get_text()
    check_figure(figure)
    check_figure(plots.plot_model_performance(ones * 1.5, ones * 1.5))
    check_figure(plots.plot_model_performance([1], [1]))


NAN, Y, P = np.nan, [0, 1, 1, 0], [0.1, 0.8, 0.6, 0.3]
REFUSED = {
    "missing truth": (([0, NAN, 1, 0], Y), {}, r"y_true must have a value.*1 of 4"),
    "missing label": ((["a", None, "b", "a"], ["a"] * 4), {}, r"y_true must have a value.*1 of 4"),
    "missing prediction": ((Y, [0, 1, NAN, NAN]), {}, r"y_pred must have a value.*2 of 4"),
    "missing probability": ((Y, Y, [0.1, NAN, 1, 0]), {}, r"y_proba must hold finite.*1 of 4"),
    "infinite": (([0.5, np.inf], [0.5, 1.5]), {}, r"y_true must hold finite numbers; 1 of 2"),
    "lengths": ((Y, [0, 1]), {}, r"same rows.*4, 2"),
    "probabilities": ((Y, Y, [0.1, 0.2]), {}, r"same rows.*4, 4, 2"),
    "no row": (([], []), {}, r"at least one; got 0, 0"),
    "scores": ((Y, Y, [-2.0, 3.0, 1.0, 0.0]), {}, r"probabilities from 0 to 1, got -2 to 3"),
    "columns": ((["a", "b", "c"], ["a", "b", "c"], np.eye(2)[[0, 1, 0]]), {}, r"3 classes, got 2"),
    "flat": ((["a", "b", "c"], ["a", "b", "c"], [0.1, 0.2, 0.3]), {}, r"3 classes, got 1"),
    "kinds": ((Y, ["0", "1", "1", "0"]), {}, r"labels of one kind, got text and numbers"),
    "unknown label": ((Y, Y), {"classes": [0, 2]}, r"Labels \['1'\] are not among"),
    "words": ((["a", "b"], ["a", "b"]), {"task": "regression"}, r"y_true must hold numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_performance_refuses_in_one_sentence(case):
    """What cannot be drawn honestly is refused: what was expected, what came, the way out."""
    arguments, settings, words = REFUSED[case]
    with pytest.raises(InputError, match=words) as caught:
        plots.plot_model_performance(*arguments, **settings)
    assert len(str(caught.value)) < 300
    assert plt.get_fignums() == [], "a refused figure stays open"


# --- the other figures ------------------------------------------------------------------------


def test_distributions_of_a_hostile_table():
    """A panel each for columns of every kind and name."""
    check_figure(plots.plot_distributions(make_table()))


@pytest.mark.parametrize("edge", EDGES)
def test_distributions_of_edge_cases(edge):
    """Columns with nothing to draw say why."""
    check_figure(plots.plot_distributions(EDGES[edge]))


@pytest.mark.parametrize("coloured", ["no", "classes", "numbers"])
def test_scatter_matrix_of_a_hostile_table(coloured):
    """Names, dates and crowded amounts stay readable; the column without a name takes part."""
    table = make_table()[["", "W" * 5_000, "income", "day", HOSTILE[3]]]
    rng = np.random.default_rng(0)
    target = pd.Series(rng.integers(0, 9, len(table)), name="W" * 99)
    names = {"no": {}, "classes": {"target": target, "classes": HOSTILE[:9]}}
    figure = plots.plot_scatter_matrix(table, **names.get(coloured, {"target": target * 1.5}))
    check_figure(figure, shared=True)
    days = [label.get_text() for ax, _, labels in tick_labels(figure) for label in labels]
    assert any(day.startswith("2020-") for day in days), "dates are drawn as numbers"


@pytest.mark.parametrize("task", TARGETS)
def test_features_against_the_target(task):
    """Strengths and profiles by level: complete for every task."""
    table, rng = make_table(120), np.random.default_rng(4)
    n_classes = {"binary": 2, "multiclass": 8}.get(task, 0)
    y = pd.Series(rng.integers(0, n_classes, 120) if n_classes else rng.normal(size=120), name="y")
    X, y, screening = screening_of(table, y, task)
    classes = HOSTILE[:n_classes]
    check_figure(plots.plot_strengths(screening, target="W" * 99).figure)
    figure = plots.plot_target_panel(
        X, y, screening, task=task, target="W" * 99, classes=classes, max_features=12
    )
    check_figure(figure)


@pytest.mark.parametrize("n_columns", [1, 2, 12, 60])
def test_associations(n_columns):
    """The heat map holds its names and its colour bar at any size."""
    rng = np.random.default_rng(5)
    names = [f"{HOSTILE[i % 16]} {i}" for i in range(n_columns)]
    table = pd.DataFrame(rng.normal(size=(40, n_columns)), columns=names)
    ax = plots.plot_associations(statistics.compute_associations(table))
    check_figure(ax.figure)


def test_drift_and_missing():
    """Bars and dots stay clear of words and legend, the claim holds what was planted."""
    table = make_table(200)
    shifted = table.assign(income=table["income"] * 50 + 1e6)
    ax = plots.plot_drift(statistics.compare_samples(table, shifted))
    assert "differ in" in title_artists(ax)[0].get_text()
    check_figure(ax.figure)
    ax = plots.plot_missing(statistics.compute_missing(table), shape=table.shape)
    check_figure(ax.figure)


@pytest.mark.parametrize("n_models", [1, 3, 40])
def test_scores(n_models):
    """One model or forty: legend below, names readable."""
    names = ["dummy", *(f"{'W' * 50} {i}" for i in range(1, n_models))]
    rows = [(m, k, "r2", 0.1 * i + 0.01 * k) for i, m in enumerate(names) for k in range(3)]
    frame = pd.DataFrame(rows, columns=["model", "fold", "metric", "score"])
    scores = [Estimate(0.1 * i, 0.1 * i - 0.05, 0.1 * i + 0.05) for i in range(n_models)]
    ax = plots.plot_scores(frame, pd.DataFrame({"model": names, "score": scores}), metric="r2")
    check_figure(ax.figure)


@pytest.mark.parametrize("n_recipes", [0, 1, 60])
def test_gains_of_recipes(n_recipes):
    """Each recipe has a row and each model a mark; the title counts what the tests confirm."""
    estimate = Estimate(0.02, 0.01, 0.03)
    recipes = [f"raw + {name}" for name in (HOSTILE * 5)[:n_recipes]]
    frame = pd.DataFrame(
        [(r, m, estimate, "better") for r in recipes for m in ("linear", "W" * 50)],
        columns=["recipe", "model", "gain", "verdict"],
    )
    ax = plots.plot_gains(frame, metric="r2")
    words = " ".join(title_artists(ax)[0].get_text().split())
    start = f"{2 * n_recipes} of {2 * n_recipes} tests find a gain" if n_recipes else "Nothing to"
    assert words.startswith(start)
    check_figure(ax.figure)
    none = frame.assign(verdict="not distinguishable")
    if n_recipes:
        ax = plots.plot_gains(none, metric="r2")
        assert title_artists(ax)[0].get_text().startswith("No recipe beats the raw columns")


def test_selected_features():
    """Shares stand in the cells; the title names the steadiest method; the rest is counted."""
    methods = ["mutual information", "L1", "null importance", "recursive"]
    lineage = pd.DataFrame({"feature": [*HOSTILE, *map(str, range(30))]})
    for i, method in enumerate(methods):
        lineage[method] = np.linspace(1, 0, len(lineage)) * (1 - i / 10)
    values = [Estimate(0.5), Estimate(0.9), Estimate(np.nan), Estimate(0.1)]
    stability = pd.DataFrame({"method": methods, "stability": values})
    ax = plots.plot_selection(lineage, stability)
    assert "L1 selects most alike" in title_artists(ax)[0].get_text()
    assert "25 of 46 features drawn" in ax.get_ylabel()
    assert "100%" in [words.get_text() for words in ax.texts]
    check_figure(ax.figure)
    nothing = stability.assign(stability=[Estimate(np.nan)] * 4)
    check_figure(plots.plot_selection(lineage.head(1), nothing).figure)


def test_scores_by_number_kept():
    """A line a method, the raw columns as a level, the best of all in the title."""
    curve = pd.DataFrame(
        [(m, n, Estimate(n / 100)) for m in ("L1", "recursive") for n in (5, 10, 40)],
        columns=["method", "kept", "score"],
    )
    ax = plots.plot_kept(curve, metric="roc_auc", raw=0.3, model="linear")
    assert title_artists(ax)[0].get_text().startswith("linear with 40 features kept by L1")
    check_figure(ax.figure)
    empty = plots.plot_kept(curve.head(0), metric="roc_auc", raw=0.3, model="linear")
    check_figure(empty.figure)


@pytest.mark.parametrize("periods", [2, 15, 90])
def test_time_profile(periods):
    """Few periods or many, named by dates and hostile words."""
    days = pd.Series(pd.date_range("2020-01-01", periods=periods * 30, freq="D"), name="W" * 90)
    y = pd.Series(np.sin(np.arange(len(days))) + np.arange(len(days)) * 0.01)
    profile = statistics.compute_time_profile(days, y)
    check_figure(plots.plot_time_profile(profile, target="W" * 300))
    check_figure(plots.plot_time_profile(profile, target="\U0001f44d", is_share=True))


# --- networks ---------------------------------------------------------------------------------


def make_runs(names, *, validation=True):
    """Return histories of three seeds whose validation loss is lowest at epoch 4."""
    parts = ("train", "validation") if validation else ("train",)
    rows = [
        (model, seed, epoch, part, 0.5 + 0.01 * seed + 0.02 * abs(epoch - 4) + 0.1 / epoch)
        for model in names
        for seed in range(3)
        for epoch in range(1, 9)
        for part in parts
    ]
    return pd.DataFrame(rows, columns=["model", "seed", "epoch", "part", "loss"])


@pytest.mark.parametrize("names", [["MLP", "TabM"], HOSTILE[:5], ["one"]])
def test_training_curves_say_where_training_ended(names):
    """A panel a model with shared limits, and the epoch that was kept in the title."""
    figure = plots.plot_training_curves(make_runs(names), loss="squared error (standardised)")
    assert figure.get_suptitle() == "Validation loss is lowest at epoch 4"
    assert len(figure.axes) == len(names)
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    check_figure(figure)


def test_training_curves_without_validation_or_networks_say_so():
    """Nothing kept aside, no network, and more models than panels are words, not errors."""
    alone = plots.plot_training_curves(make_runs(["MLP"], validation=False))
    assert alone.get_suptitle() == "No rows were kept aside: every epoch was trained"
    check_figure(alone)
    nothing = plots.plot_training_curves(make_runs([]))
    assert "No network was trained." in [text.get_text() for text in nothing.axes[0].texts]
    check_figure(nothing)
    many = plots.plot_training_curves(make_runs([f"network {i}" for i in range(12)]))
    assert "3 more models are not drawn" in many.get_suptitle()
    check_figure(many)


@pytest.mark.parametrize("names", [["MLP", "TabM + embeddings"], HOSTILE[:3], []])
def test_seed_spread_compares_seeds_with_folds(names):
    """The title tells both standard deviations: planted 0.01 over seeds, 0.1 over folds."""
    seeds = pd.DataFrame(
        [(name, seed, 0.7 + 0.01 * seed) for name in names for seed in range(3)],
        columns=["model", "seed", "score"],
    )
    folds = pd.DataFrame(
        [(name, fold, 0.1 * fold) for name in names for fold in range(3)],
        columns=["model", "fold", "score"],
    )
    ax = plots.plot_seed_spread(seeds, folds, metric="ROC AUC")
    claim = title_artists(ax)[0].get_text().replace("\n", " ")
    assert claim.endswith("moves the score by 0.010, another fold by 0.100" if names else "seeds")
    check_figure(ax.figure)


# --- promises of all figures ------------------------------------------------------------------


def all_figures():
    """Draw one figure of each kind from fixed data."""
    rng = np.random.default_rng(6)
    table = make_table(80)[["income", "", HOSTILE[5], "day", "flag"]]
    y = pd.Series(rng.integers(0, 2, 80), name="y")
    screening = statistics.compare_with_target(table, y, task="binary")
    guess, proba = 1 - y.to_numpy(), rng.random(80)
    yield plots.quick_eda_plots(table, "income")
    yield plots.plot_distributions(table)
    yield plots.plot_scatter_matrix(table, max_rows=40)
    yield plots.plot_strengths(screening, target="y").figure
    yield plots.plot_target_panel(
        table, y, screening, task="binary", target="y", classes=["n", "y"], max_features=2
    )
    yield plots.plot_associations(statistics.compute_associations(table)).figure
    yield plots.plot_drift(statistics.compare_samples(table, table[:40])).figure
    yield plots.plot_model_performance(y, guess, proba)
    yield plots.plot_model_performance(proba, proba**2)
    yield plots.plot_folds(*make_fold_map(make_planted(60, n_groups=20)))
    yield plots.plot_strategies(make_strategy_summary(), metric="roc_auc").figure
    yield plots.plot_coverage(make_strategy_summary()).figure


def random_state():
    """Return numpy's global random state as text."""
    return repr(np.random.get_state())  # noqa: NPY002


def test_two_draws_are_the_same_bytes_and_touch_nothing_global():
    """Pictures repeat to the byte whatever the global seed, which stays, as do the settings.

    One figure a call, known to pyplot: a notebook shows it and the caller closes it.
    """
    settings = dict(mpl.rcParams)
    pictures = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        before = random_state()
        plt.close("all")
        figures = list(all_figures())
        assert plt.get_fignums() == [figure.number for figure in figures]
        pictures.append([as_png(figure) for figure in figures])
        assert random_state() == before
    assert pictures[0] == pictures[1]
    assert dict(mpl.rcParams) == settings


@pytest.mark.parametrize("name", ["associations", "missing", "drift", "strengths"])
def test_given_axes_are_drawn_on_and_returned(name):
    """With `ax` nothing else is made, and the title keeps to its own panel."""
    table = make_table(60)
    figure, axes = plt.subplots(1, 2, figsize=(16, 8), layout="constrained")
    y = pd.Series(np.arange(60) % 2)
    calls = {
        "associations": lambda ax: plots.plot_associations(
            statistics.compute_associations(table), ax=ax
        ),
        "missing": lambda ax: plots.plot_missing(
            statistics.compute_missing(table), shape=table.shape, ax=ax
        ),
        "drift": lambda ax: plots.plot_drift(statistics.compare_samples(table, table[:30]), ax=ax),
        "strengths": lambda ax: plots.plot_strengths(
            screening_of(table, y, "binary")[2], target="y", ax=ax
        ),
    }
    for ax in axes:
        assert calls[name](ax) is ax
    assert len(plt.get_fignums()) == 1
    check_figure(figure)


def test_a_title_of_ones_own_replaces_the_claim():
    """`ax.set_title` works as ever: one title is left, inside the canvas."""
    ax = plots.plot_missing(statistics.compute_missing(make_table()), shape=(60, 24))
    ax.set_title("Mine")
    assert [title.get_text() for title in title_artists(ax)] == ["Mine"]
    check_figure(ax.figure)


# --- resampling -------------------------------------------------------------------------------


def make_fold_map(dataset):
    """Return the tables of a fold map: what rows are for, and what they are."""
    strategies = resampling.list_strategies(dataset)
    folds = resampling.make_strategy_folds(
        [s for s in strategies if s.name in {"k-fold", "purged k-fold"}], dataset
    )
    rows = resampling.map_rows(dataset, max_rows=120)
    return resampling.map_folds(folds, rows), rows


def make_strategy_summary(n_strategies=3):
    """Return strategies with biases, one without intervals."""
    names = ["k-fold", HOSTILE[4], *HOSTILE][:n_strategies]
    nothing = Estimate(float("nan"))
    return pd.DataFrame(
        {
            "strategy": names,
            "bias": [Estimate(0.1 * i, 0.1 * i - 0.05, 0.1 * i + 0.05) for i in range(len(names))],
            "spread": 0.08,
            "naive_covers": [wilson(60 + i, 100) for i in range(len(names) - 1)] + [nothing],
            "corrected_covers": [wilson(95, 100)] * (len(names) - 1) + [nothing],
        }
    )


@pytest.mark.parametrize("n_classes", [2, 9])
def test_fold_map_shows_parts_and_facts(n_classes):
    """One panel a strategy, strips of target, groups and time, whatever they are called."""
    task = "binary" if n_classes == 2 else "multiclass"
    dataset = make_planted(200, task=task, n_classes=max(n_classes, 3), n_groups=50)
    day = pd.Series(np.arange(200) % 40, name="day")
    folds, rows = make_fold_map(replace(dataset, time=day))
    figure = plots.plot_folds(
        folds,
        rows,
        target="W" * 300,
        group=HOSTILE[5],
        time="$t$",
        classes=HOSTILE[:n_classes],
        n_rows=200,
    )
    check_figure(figure, shared=True)
    assert [ax.get_title(loc="left") for ax in figure.axes[1:]] == ["k-fold", "purged k-fold"]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[:3] == ["trains", "is tested", "left out"]
    assert len(words) == 3 + (2 if n_classes == 2 else 7)
    image = figure.axes[1].images[0].get_array()
    assert (np.asarray(image) == 1).sum() == len(rows)  # each row is tested once


def test_strategies_show_bias_and_coverage():
    """The title names the worst strategy; one without intervals is left out of the coverage."""
    ax = plots.plot_strategies(make_strategy_summary(), metric="roc_auc")
    assert "2 of 3 strategies miss the truth" in ax.get_title(loc="left").replace("\n", " ")
    check_figure(ax.figure)
    ax = plots.plot_coverage(make_strategy_summary(), level=0.9)
    assert "Aim 90 %: naive intervals" in ax.get_title(loc="left").replace("\n", " ")
    assert len(ax.get_yticks()) == 2
    check_figure(ax.figure)
    ax = plots.plot_coverage(make_strategy_summary(1))
    assert "No strategy has intervals" in ax.get_title(loc="left")


# --- the interactive page ---------------------------------------------------------------------


def test_interactive_page_is_small_offline_and_inert():
    """Plotly travels packed inside; names are no markup; nothing is fetched; bytes repeat."""
    table = make_table()
    page = plots.make_scatter_matrix_page(table, title="<script>x</script>")
    assert page == plots.make_scatter_matrix_page(table, title="<script>x</script>")
    assert len(page) < 2_300_000
    assert "<script>alert" not in page
    assert "<script>x" not in page
    outside = page.replace(page.split('type="application/gzip;base64">')[1].split("<")[0], "")
    assert "https://" not in outside.replace("https://plot.ly", "")
    assert "<script src" not in outside
