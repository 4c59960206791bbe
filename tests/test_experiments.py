"""`run_experiment` keeps one whole run on a real store, without pickle, or says why not."""

import json
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from lib import models, tracking
from lib.config import load_config
from lib.data import make_planted
from lib.errors import InputError
from lib.experiments import run_experiment
from lib.tracking import candidates
from lib.tracking.store import make_client

# MLflow 3.17 uses an option that SQLAlchemy 2.1 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a configuration whose store is empty at first."""
    patch = pytest.MonkeyPatch()
    patch.setenv("STUDY_REPORTS", str(tmp_path_factory.mktemp("reports")))
    yield load_config()
    patch.undo()


def halves(task, n_rows=200):
    """Return training and test rows of a planted table, numbers only."""
    dataset = make_planted(n_rows, task=task, n_categories=0)
    X, y = dataset.X, dataset.y.to_numpy()
    return X[::2], y[::2], X[1::2], y[1::2]


def last_run(store):
    """Return the newest run and the names of its artifacts."""
    client = make_client(store)
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    run = client.search_runs(ids, order_by=["attributes.start_time DESC"], max_results=1)[0]
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return run, folder, sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*"))


def test_a_run_holds_parameters_scores_model_figure_and_data(store):
    """Everything that was asked for is there, the run has ended, and the model predicts alike."""
    import mlflow.sklearn

    X, y, X_test, y_test = halves("binary")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
    fitted, metrics = run_experiment(
        model, X, y, X_test, y_test, {"features": "v2"}, name="first", config=store
    )
    assert not hasattr(model[-1], "coef_")  # the argument stays as it was
    run, folder, files = last_run(store)
    assert run.info.run_name == "first"
    assert run.info.status == "FINISHED"
    assert run.data.params["features"] == "v2"
    assert run.data.params["logisticregression__C"] == "0.5"
    assert run.data.metrics == pytest.approx(metrics)
    assert metrics["train_roc_auc"] > 0.6
    contexts = {i.tags[0].value: json.loads(i.dataset.profile) for i in run.inputs.dataset_inputs}
    assert contexts["training"] == {"num_rows": 100, "num_columns": X.shape[1]}
    assert set(contexts) == {"training", "testing"}
    assert "figures/confusion_matrix.png" in files
    assert "model/model.skops" in files
    assert not [name for name in files if name.endswith((".pkl", ".pickle"))]
    again = mlflow.sklearn.load_model(str(folder / "model"))
    np.testing.assert_array_equal(again.predict_proba(X_test), fitted.predict_proba(X_test))
    assert "scikit-learn==" in (folder / "model" / "requirements.txt").read_text()


def test_lightgbm_is_kept_as_its_own_text(store):
    """A LightGBM model comes back from text with the same predictions; residuals are drawn."""
    X, y, X_test, y_test = halves("regression")
    model = lightgbm.LGBMRegressor(n_estimators=5, n_jobs=1, verbosity=-1)
    fitted, metrics = run_experiment(model, X, y, X_test, y_test, config=store)
    _, folder, files = last_run(store)
    assert "figures/residuals.png" in files
    assert metrics["train_r2"] > metrics["test_r2"]
    again = lightgbm.Booster(model_file=str(folder / "model" / "model.lgb"))
    np.testing.assert_allclose(again.predict(X_test), fitted.predict(X_test), rtol=1e-12)


def test_the_studys_own_pipelines_are_kept(store):
    """Preprocessing of tables with categories and LightGBM inside a pipeline need no pickle."""
    dataset = make_planted(120, task="multiclass", missing=0.1)
    for name in ("linear", "LightGBM"):
        model = models.baselines(dataset, store)[name]
        y = np.array(dataset.classes)[dataset.y]  # own labels
        parts = dataset.X[:80], y[:80], dataset.X[80:], y[80:]
        _, metrics = run_experiment(model, *parts, config=store)
        assert metrics["train_neg_log_loss"] > metrics["test_neg_log_loss"] > -4


def test_labels_alone_are_scored_without_probabilities(store):
    """A classifier that gives no probabilities has no AUC, and its matrix is drawn all the same."""
    X, y, X_test, y_test = halves("binary")
    labels = np.array(["no", "yes"])
    _, metrics = run_experiment(LinearSVC(), X, labels[y], X_test, labels[y_test], config=store)
    assert set(metrics) == {
        f"{p}_{m}" for p in ("train", "test") for m in ("balanced_accuracy", "f1")
    }


def test_a_run_nests_under_the_analysis(store):
    """Inside an analysis that is tracked, its run is the parent."""
    tracking.prepare_store(store)
    analysis = tracking.start_analysis_run(store, "20_test")
    run_experiment(Ridge(), *halves("regression"), config=store)
    analysis.finish()
    run, _, _ = last_run(store)
    assert run.data.tags["mlflow.parentRunId"] == analysis.run_id


def test_an_experiment_of_the_runner_waits_for_the_run_of_its_analysis(
    store, tmp_path, monkeypatch
):
    """Under the runner nothing is written at once; later it nests, whole, and predicts alike."""
    import mlflow.sklearn

    parts = halves("binary")
    run_experiment(Ridge(), *halves("regression"), config=store)
    before = last_run(store)[0].info.run_id
    monkeypatch.setattr(candidates, "_DEFERRED", [])
    waiting = tmp_path / "candidates.json"
    tracking.defer_candidates(waiting, "20_test")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
    params = {"order": (1, 2), "password": "hunter2"}
    fitted, metrics = run_experiment(model, *parts, params, name="kept", config=store)
    assert "hunter2" not in "".join(p.read_text() for p in tmp_path.rglob("experiment.json"))
    small = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbosity=-1)
    run_experiment(small, *parts, name="text", config=store)
    with pytest.raises(InputError, match=r"is of none of|without pickle"):
        run_experiment(make_pipeline(FunctionTransformer(_double), Ridge()), *parts, config=store)
    assert last_run(store)[0].info.run_id == before
    monkeypatch.setattr(candidates, "_DEFERRED", [])
    analysis = tracking.start_analysis_run(store, "20_test")
    tracking.log_deferred_experiments(waiting, store)
    analysis.finish()
    newest, _, files = last_run(store)
    assert newest.info.run_name == "text"
    assert "model/model.lgb" in files
    client = make_client(store)
    found = client.search_runs([newest.info.experiment_id], "attributes.run_name = 'kept'")
    assert len(found) == 1
    assert found[0].data.tags["mlflow.parentRunId"] == analysis.run_id
    assert found[0].data.metrics == pytest.approx(metrics)
    assert found[0].data.params["order"] == "(1, 2)"
    folder = Path(found[0].info.artifact_uri.removeprefix("file://"))
    assert (folder / "figures" / "confusion_matrix.png").stat().st_size > 10_000
    again = mlflow.sklearn.load_model(str(folder / "model"))
    np.testing.assert_array_equal(again.predict_proba(parts[2]), fitted.predict_proba(parts[2]))


EXPERIMENT = """
from sklearn.linear_model import Ridge
from lib.experiments import run_experiment
X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.5, 2.0, 3.0]
print(sorted(run_experiment(Ridge(), X, y, X, y).metrics)[0])
"""


def test_without_tracking_no_store_is_made(project):
    """`--no-tracking` leaves MLflow alone, also where an analysis runs an experiment."""
    project.write("20_one", EXPERIMENT)
    done = project.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.texts("20_one").startswith("test_")
    assert not (project.root / "reports" / "mlflow").exists()
    assert (project.reports / "20_one" / "experiments" / "01" / "experiment.json").exists()


BAD = {
    "rows": (lambda X, y: (X, y[:-1], X, y), "same rows"),
    "columns": (lambda X, y: (X, y, X.iloc[:, 1:], y), "same columns"),
    "missing": (lambda X, y: (X, np.r_[np.nan, y[1:]], X, y), "value in every row"),
    "flat": (lambda X, y: (X["signal_1"], y, X, y), "rows and columns"),
    "no row": (lambda X, y: (X, y, X[:0], y[:0]), "at least one"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_one_sentence(case, store):
    """Wrong rows, columns or targets are refused before anything is fitted or written."""
    make, says = BAD[case]
    X, y, _, _ = halves("regression")
    with pytest.raises(InputError, match=says):
        run_experiment(Ridge(), *make(X, y), config=store)


def test_a_record_cannot_contradict_the_model(store):
    """Parameters that say otherwise than the model are refused."""
    with pytest.raises(InputError, match="params says alpha"):
        run_experiment(Ridge(alpha=2.0), *halves("regression"), {"alpha": 1.0}, config=store)


def test_a_model_that_needs_pickle_leaves_no_run(store):
    """A function of this test is no type that a model may hold: refused, and nothing written."""
    X, y, X_test, y_test = halves("regression")
    before = last_run(store)[0].info.run_id
    model = make_pipeline(FunctionTransformer(_double), Ridge())
    with pytest.raises(InputError, match=r"is of none of|without pickle"):
        run_experiment(model, X, y, X_test, y_test, config=store)
    assert last_run(store)[0].info.run_id == before


def _double(X: pd.DataFrame) -> pd.DataFrame:
    return X * 2
