"""Names that collide, break JSON or draw badly: one a column from the file to the figure."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from checks_of_figures import check_figure
from lib import explanation, models, neural, plots
from lib.config import load_config
from lib.data import Dataset, load_data
from lib.features import make_preprocessor
from lib.interpreter import ModelInterpreter
from lib.plots.text import clean, short_labels
from lib.resampling import make_cv, make_folds

pytestmark = pytest.mark.usefixtures("style")

CONFIG = load_config(effort="quick", budget={"max_epochs": 6})
N = 300
# LightGBM makes `a_b` of the first six and of some more; the target follows two of them.
FIRST, SECOND = "a b", "a[b"
GIVEN = [
    FIRST,
    "a_b",
    "a,b",
    SECOND,
    "a]b",
    "a:b",
    'a"b',
    "a'b",
    "a{b}",
    "a\nb",
    "A B",
    "<b>$x$</b>",
    "",
    "W" * 200,
    "Größe",
    "収入",
    "\U0001f44d",
    "missingindicator_a b",
    "nan",
    "target",
    "a b",
]
# What a file's reader makes of them: a blank name, one seen twice and one that differs by a line
# break alone are mended, and said.
OWN = [*GIVEN[:9], "a\nb_2", *GIVEN[10:12], "column_13", *GIVEN[13:20], "a b_3"]


def make_frame(names):
    """Return numbers under these names, a category and a date among them, and the target."""
    rng = np.random.default_rng(0)
    columns = {i: rng.normal(size=N) for i in range(len(names))}
    signal = 2 * columns[0] + columns[3]
    columns[1] = np.where(rng.random(N) < 0.1, np.nan, columns[1])
    columns[2] = rng.choice(["x", "<i>", '{"y": [1]}'], N)
    columns[4] = pd.date_range("2020-01-01", periods=N)[rng.permutation(N)].astype(str)
    columns[5] = rng.integers(0, 9, N)
    labels = np.where(signal + 0.1 * rng.normal(size=N) > 0, "yes", "no")
    return pd.DataFrame(columns).set_axis(names, axis=1), labels


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Return the table as a user has it: a file, with a name twice and one blank."""
    frame, labels = make_frame(GIVEN)
    frame.insert(len(GIVEN), "truth?", labels)
    path = tmp_path_factory.mktemp("hostile") / "names.csv"
    frame.to_csv(path, index=False)
    return load_data(path, target="truth?")


@pytest.fixture(scope="module")
def by_hand():
    """Return the same without any reader: the columns of `X` have the hostile names themselves."""
    frame, labels = make_frame(OWN)
    frame["a,b"] = frame["a,b"].astype("category")
    frame["a]b"] = pd.to_datetime(frame["a]b"])
    y = pd.Series((labels == "yes").astype(int), name="target")
    return Dataset("by_hand", frame, y, "binary", classes=("no", "yes"))


@pytest.mark.slow
@pytest.mark.parametrize("where", ["loaded", "by_hand"])
@pytest.mark.parametrize("model", ["LightGBM", "linear", "TabM"])
def test_names_reach_tables_and_figures_one_a_column(where, model, request):
    """Fit, SHAP, shuffling and figures show the user's names, each once, and find the planted two."""
    dataset = request.getfixturevalue(where)
    assert explanation.own_names(dataset) == OWN
    candidates = {**models.baselines(dataset, CONFIG), **neural.networks(dataset, CONFIG)}
    folds = make_folds(dataset, make_cv(dataset, n_splits=2))
    fitted = explanation.fit_folds(candidates[model], dataset, folds)
    is_exact = fitted.any_model.is_exact
    assert is_exact == (model != "TabM")

    shuffled = explanation.permute_out_of_fold(
        fitted, [(i,) for i in range(len(OWN))], scoring="roc_auc"
    )
    assert sorted(shuffled.columns["what"]) == sorted(OWN)
    assert shuffled.columns["what"].tolist()[:2] == [FIRST, SECOND]
    assert shuffled.by_fold.shape[1] == len(OWN)
    n_rows = None if is_exact else 15  # sampled contributions ask the network thousands of times
    shap = explanation.explain_out_of_fold(fitted, max_rows=n_rows)
    assert shap.gap < 1e-9
    sizes = explanation.tabulate_contributions(shap, folds.test_fraction)
    assert sorted(sizes["column"]) == sorted(OWN)
    assert sizes["column"].tolist()[:2] == [FIRST, SECOND]

    by_size = [OWN[i] for i in np.argsort(-shap.importance(), kind="stable")]
    drawn = {
        "SHAP": plots.plot_contribution_sizes(shap, max_columns=99),
        "shuffling": plots.plot_importance(shuffled.columns, scoring="ROC AUC", max_rows=99),
    }
    for what, ax in drawn.items():
        check_figure(ax.figure)
        words = [label.get_text() for label in ax.get_yticklabels()]
        assert len(set(words)) == len(OWN), "no two columns share a label"
        if what == "SHAP":
            assert words == short_labels(by_size)
        titles = [clean(name) for name in OWN]
        assert len(set(titles)) == len(OWN), "nor a title"
    if is_exact:
        check_figure(plots.plot_contributions(shap, max_columns=99).figure)
        check_figure(plots.plot_waterfall(shap, 0, max_columns=99).figure)
        check_figure(plots.plot_dependence(shap, 0).figure)
        effects = explanation.compute_effects(fitted, [0, 2, 3, 11], names=OWN)
        assert list(dict.fromkeys(effects.curves["column"])) == [OWN[i] for i in (0, 2, 3, 11)]
        check_figure(plots.plot_effects(effects, target="truth?"))


def test_the_short_form_takes_a_frame_with_such_names(by_hand):
    """`ModelInterpreter` explains a pipeline fitted on a user's own frame, names as they are."""
    boosting = models.baselines(by_hand, CONFIG)["LightGBM"].steps[-1][1]
    preprocessor = make_preprocessor(by_hand, kind="tree")
    pipeline = Pipeline([("columns", preprocessor), ("model", boosting)])
    pipeline.fit(by_hand.X[:200], by_hand.y[:200])
    names = pipeline[0].get_feature_names_out().tolist()
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.isidentifier() for name in names)
    interpreter = ModelInterpreter(pipeline, by_hand.X[:200], by_hand.X[200:])
    analysis = interpreter.shap_analysis()
    assert sorted(analysis.table["column"]) == sorted(OWN)
    assert analysis.table["column"].tolist()[:2] == [FIRST, SECOND]
    check_figure(analysis.points.figure)
    check_figure(analysis.bars.figure)


@pytest.mark.parametrize("kind", ["linear", "tree"])
def test_columns_named_as_what_is_made_of_others_stay_their_own(kind):
    """A year beside a date, a component beside a text, a mark beside a gap: none takes another's.

    The target follows the columns that are called as something made; made columns are named the
    same in each fit.
    """
    rng = np.random.default_rng(1)
    words = rng.choice(["late", "early", "never", "odd", "even"], (N, 6))
    X = pd.DataFrame(
        {
            "x": np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
            "missingindicator_x": rng.normal(size=N),
            "a": pd.Categorical(rng.choice(["b", "c", "d"], N)),
            "a_b": rng.normal(size=N),
            "day": pd.date_range("2020-01-01", periods=N)[rng.permutation(N)],
            "day_year": rng.normal(size=N),
            "text": [f"{' '.join(w)} {i}" for i, w in enumerate(words)],
            "text_00": rng.normal(size=N),
        }
    ).astype({"text": "str"})
    planted = ["missingindicator_x", "a_b", "day_year", "text_00"]
    y = X[planted] @ np.array([1.0, 2.0, 3.0, 4.0])
    dataset = Dataset("made", X, y.rename("target"), task="regression")
    once, again = (make_preprocessor(dataset, kind=kind).fit_transform(X, y) for _ in range(2))
    assert once.columns.is_unique
    assert once.columns.tolist() == again.columns.tolist()
    model = {"linear": "linear", "tree": "LightGBM"}[kind]
    fitted = explanation.fit_folds(
        models.baselines(dataset, CONFIG)[model],
        dataset,
        make_folds(dataset, make_cv(dataset, n_splits=2)),
    )
    shap = explanation.explain_out_of_fold(fitted)
    assert shap.gap < 1e-9
    table = explanation.tabulate_contributions(shap, 0.5)
    assert table["column"].tolist()[:4] == planted[::-1]
    recipe = models.with_recipes(dataset, CONFIG, ["raw + everything | L1 4"])
    name = f"{model} + everything | L1 4"
    kept = recipe[name].fit(X, y).named_steps["keep"].kept_
    assert set(planted[1:]) <= set(kept)
