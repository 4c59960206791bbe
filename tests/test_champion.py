"""The champion: kept without pickle, read again to the same bits, registered under an alias."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lib import ensembles, evaluation, models, neural, tracking
from lib.config import Config, load_config, project_root
from lib.data import load_data, make_planted
from lib.errors import InputError
from lib.resampling import make_study_folds
from lib.tracking import candidates as waiting
from lib.tracking import champion as module
from lib.tracking.models import dump_model, forget_rows, read_model

# MLflow says it once, when its store is imported
pytestmark = pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy")
NAME = "planted"


@pytest.fixture
def config(tmp_path, monkeypatch) -> Config:
    """Return a study in an empty folder; what it defers is forgotten afterwards."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    monkeypatch.setattr(waiting, "_DEFERRED", [])
    return load_config(dataset=NAME, effort="quick")


def keep(config, train, estimators, analysis="11_baseline_models", extra=None) -> None:
    """Track models as an analysis under the runner does."""
    folds = make_study_folds(train, config)
    folder = config.reports / NAME / analysis
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps({"state": "passed"}))
    tracking.defer_candidates(folder / "candidates.json", analysis)
    scores = evaluation.cross_validate(estimators, train, folds)
    tracking.log_candidates(scores, dataset=train, folds=folds, estimators=extra)


def load(config, train, analyses=("11",)):
    """Return the candidates that analyses kept."""
    folds = make_study_folds(train, config)
    return tracking.load_predictions(config, analyses=analyses, dataset=train, folds=folds)


def store(config, train, name, **options) -> tracking.Champion:
    """Name a champion as analysis 32 does under the runner."""
    folder = config.reports / NAME / module.ANALYSIS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").write_text(json.dumps({"state": "passed"}))
    found = load(config, train)
    tracking.defer_candidates(folder / "candidates.json", module.ANALYSIS)
    asked = {"scoring": "roc_auc", "rule": "the best", **options}
    return tracking.store_champion(dataset=train, candidates=found, name=name, **asked)


def small(config) -> dict:
    """Two quick models of the planted table."""
    train = load_data(NAME).train
    baselines = models.baselines(train, config)
    return {name: baselines[name] for name in ("linear", "LightGBM")}


def test_another_process_predicts_the_same_bits(config):
    """What is loaded elsewhere, from columns in another order, predicts what was stored."""
    train = load_data(NAME).train
    keep(config, train, small(config))
    champion = store(config, train, "LightGBM", runner_up="linear")
    code = (
        "import sys\n"
        "from lib import tracking\n"
        "from lib.config import load_config\n"
        "from lib.data import load_data\n"
        f"train = load_data('{NAME}').train\n"
        "champion = tracking.load_champion(load_config(effort='quick'), dataset=train)\n"
        "assert 'pickle' not in str(type(champion.estimator))\n"
        "X = train.X[list(train.X.columns)[::-1]]\n"
        "for model in (champion, champion.runner_up):\n"
        "    sys.stdout.write(model.predict(X).tobytes().hex() + '\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project_root()
    )
    lines = done.stdout.split()
    assert lines[0] == champion.predict(train.X).tobytes().hex()
    assert lines[1] == champion.runner_up.predict(train.X).tobytes().hex()
    assert champion.runner_up.name == "linear"
    assert champion.digest != champion.runner_up.digest


def test_a_missing_column_is_refused(config):
    """One column too few is one sentence, one too many does no harm."""
    train = load_data(NAME).train
    keep(config, train, small(config))
    champion = store(config, train, "linear")
    column = train.X.columns[0]
    with pytest.raises(InputError, match=f"needs the column '{column}'"):
        champion.predict(train.X.drop(columns=column))
    more = train.X.assign(unheard_of=1.0)
    assert np.array_equal(champion.predict(more), champion.predict(train.X))


def test_the_same_choice_has_the_same_digest(config):
    """Fitting again changes nothing; another setting or other rows are another champion."""
    train = load_data(NAME).train
    keep(config, train, small(config))
    first = store(config, train, "linear").digest
    assert store(config, train, "linear", rule="another").digest == first
    assert store(config, train, "LightGBM").digest != first
    estimator = small(config)["linear"]
    digest = module._digest("linear", "11_baseline_models", estimator, train.fingerprint)
    assert digest == first
    estimator.steps[-1][1].set_params(C=3.0)
    assert module._digest("linear", "11_baseline_models", estimator, train.fingerprint) != first


def test_missing_foreign_and_damaged_champions_are_refused(config):
    """Each refusal says what is wrong and which command mends it."""
    train = load_data(NAME).train
    with pytest.raises(InputError, match=rf"No champion .* -- 32 --dataset {NAME}"):
        tracking.load_champion(config, dataset=train)
    keep(config, train, small(config))
    store(config, train, "linear")
    other = train.take(np.arange(len(train) - 1))
    with pytest.raises(InputError, match="learned from other rows"):
        tracking.load_champion(config, dataset=other)
    file = config.reports / NAME / module.ANALYSIS / module.FOLDER / "champion.skops"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(InputError, match=r"cannot be read .* -- 32"):
        tracking.load_champion(config, dataset=train)


def test_only_the_training_part_is_learned_from(config):
    """The whole table, test rows included, is refused."""
    train = load_data(NAME).train
    keep(config, train, small(config))
    found = load(config, train)
    asked = {"candidates": found, "name": "linear", "scoring": "roc_auc", "rule": "the best"}
    with pytest.raises(InputError, match="training part"):
        tracking.store_champion(dataset=load_data(NAME), **asked)


def test_a_candidate_without_estimator_says_why(config):
    """Predictions alone cannot become a champion."""
    train = load_data(NAME).train
    folds = make_study_folds(train, config)
    scores = evaluation.cross_validate({"linear": small(config)["linear"]}, train, folds)
    folder = config.reports / NAME / "11_baseline_models"
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps({"state": "passed"}))
    tracking.defer_candidates(folder / "candidates.json", "11_baseline_models")
    bare = evaluation.score_predictions({"bare": scores.parts["linear"]}, train, folds)
    tracking.log_candidates(bare, dataset=train, folds=folds)
    found = load(config, train)
    assert not found["bare"].can_be_fitted
    with pytest.raises(InputError, match="tracked no estimator"):
        found["bare"].read_estimator(train)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_and_ensembles_come_back_to_the_bit(task, tmp_path):
    """A fitted ensemble with a network among its members is the same after a file."""
    planted = make_planted(300, task=task, n_categories=1, missing=0.05)
    config = load_config(effort="quick")
    folds = make_study_folds(planted, config)
    kind = neural.NetworkRegressor if task == "regression" else neural.NetworkClassifier
    members = {
        "linear": models.baselines(planted, config)["linear"],
        "network": kind(max_epochs=3, n_members=2),
    }
    scores = evaluation.cross_validate(members, planted, folds)
    gathered = ensembles.gather_members(scores.parts, planted, folds)
    made = ensembles.make_ensembles(gathered, scores.estimators, ("voting", "stacking", "greedy"))
    n_classes = 0 if task == "regression" else len(planted.classes)
    for method, ensemble in made.items():
        dump_model(ensemble, tmp_path / f"{method}.skops")
        fitted = evaluation.fit_whole(read_model(tmp_path / f"{method}.skops"), planted)
        dump_model(fitted, tmp_path / f"{method}-fitted.skops")
        again = read_model(tmp_path / f"{method}-fitted.skops")
        before = evaluation.predict_whole(fitted, planted.X, n_classes=n_classes)
        after = evaluation.predict_whole(again, planted.X, n_classes=n_classes)
        assert np.array_equal(before, after)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_members_that_prepare_alike_share_it(task, tmp_path, monkeypatch):
    """Equal preparation is fitted, run and kept once, and every bit is that of members apart."""
    planted = make_planted(300, task=task, n_categories=2, missing=0.05)
    config = load_config(effort="quick")
    names = ["linear", "k-nearest neighbours", "LightGBM", "random forest", "decision tree"]
    # Each from a call of its own: equal settings, no object in common.
    members = [(name, models.baselines(planted, config)[name]) for name in names]
    kind = ensembles.EnsembleRegressor if task == "regression" else ensembles.EnsembleClassifier
    ensemble = kind(members, ensembles.Voting())
    n_classes = 0 if task == "regression" else 2
    fitted, alone = evaluation.fit_each([ensemble, members[2][1]], planted)
    parts = [
        evaluation.predict_whole(member.fit(planted.X, planted.y), planted.X, n_classes=n_classes)
        for _, member in members
    ]
    apart = np.mean(parts, axis=0)
    linear, neighbours, boosting, forest, tree = fitted.fitted_
    assert linear[0] is neighbours[0]
    assert boosting[0] is forest[0] is tree[0]
    assert forest[1] is tree[1]
    assert linear[0] is not boosting[0]
    assert alone[-1] is boosting[-1]  # the champion is a member of its runner-up
    dump_model(fitted, tmp_path / "model.skops")
    again = read_model(tmp_path / "model.skops")
    assert again.fitted_[0][0] is again.fitted_[1][0]
    runs = []
    spied = type(again.fitted_[2][0]).transform
    monkeypatch.setattr(
        type(again.fitted_[2][0]), "transform", lambda *a, **k: runs.append(1) or spied(*a, **k)
    )
    predicted = evaluation.predict_whole(again, planted.X, n_classes=n_classes)
    assert len(runs) == 2  # one table for linear models, one for trees
    assert predicted == pytest.approx(apart, rel=1e-12)
    monkeypatch.undo()
    for member, whole in zip(again.fitted_, parts, strict=True):
        part = evaluation.predict_whole(member, planted.X, n_classes=n_classes)
        assert np.array_equal(part, whole)


def test_settings_that_cannot_be_told_equal_are_different():
    """Class, parameters, kind of output and rows held all count; NaN equals NaN."""
    from sklearn.preprocessing import OrdinalEncoder, StandardScaler

    scaler, nan = StandardScaler(), float("nan")
    same = evaluation.have_equal_settings
    assert same(scaler, StandardScaler())
    assert not same(scaler, StandardScaler(with_std=False))
    assert not same(scaler, StandardScaler().set_output(transform="pandas"))
    assert not same(scaler, LogisticRegression())
    options = {"handle_unknown": "use_encoded_value"}
    assert same(
        OrdinalEncoder(unknown_value=nan, **options),
        OrdinalEncoder(unknown_value=float("nan"), **options),
    )
    assert not same(lambda x: x, lambda x: x)
    assert not same(np.arange(3), np.arange(4))
    assert not same([1, 2], [1, "2"])


def test_an_ensemble_leaves_out_members_without_weight():
    """A member that gets no weight is not fitted."""
    planted = make_planted(400, n_categories=0, missing=0)
    config = load_config(effort="quick")
    folds = make_study_folds(planted, config)
    linear = models.baselines(planted, config)["linear"]
    scores = evaluation.cross_validate({"linear": linear}, planted, folds)
    y = np.concatenate([planted.y.to_numpy()[test] for _, test in folds])
    wrong = np.where(np.arange(2) == y[:, np.newaxis], 0.001, 0.999)
    parts = {"linear": scores.parts["linear"], "wrong": wrong}
    gathered = ensembles.gather_members(parts, planted, folds)
    both = {"linear": linear, "wrong": linear}
    made = ensembles.make_ensembles(gathered, both, ["weighted", "voting"])
    assert [name for name, _ in made["weighted"].members] == ["linear"]
    assert [name for name, _ in made["voting"].members] == ["linear", "wrong"]
    assert ensembles.make_ensembles(gathered, {"linear": linear}, ["voting"]) == {}


def test_recipes_that_hold_groups_take_those_of_all_rows(config):
    """A target encoding by groups is kept without its rows and gets them back."""
    dataset = load_data("rand_hie").train
    few = dataset.take(np.arange(400))
    config = load_config(effort="quick")
    recipe = "raw + target encoding"
    estimator = models.with_recipes(few, config, [recipe])[
        models.name_with_recipe("linear", recipe)
    ]
    kept = tracking.predictions.keep_estimator(config.reports / "x.json", estimator, "p0")
    assert kept["columns"]
    one = tracking.Predicted(
        "10", np.empty(0), {}, {**kept, "file": str(config.reports / kept["file"])}
    )
    more = dataset.take(np.arange(600))
    fitted = evaluation.fit_whole(one.read_estimator(more), more)
    assert np.isfinite(evaluation.predict_whole(fitted, more.X, n_classes=2)).all()


def test_what_learned_by_groups_is_kept_without_them(config):
    """A fitted target encoding, alone or in an ensemble, lets go of its rows and predicts on."""
    few = load_data("rand_hie").train.take(np.arange(400))
    made = models.with_recipes(few, load_config(effort="quick"), ["raw + target encoding"])
    encoded = next(model for name, model in made.items() if name.startswith("linear"))
    combiner = ensembles.Weighted(np.array([0.5, 0.5]))
    pair = [("linear + target encoding", encoded), ("LightGBM", small(config)["LightGBM"])]
    both = ensembles.EnsembleClassifier(pair, combiner)
    kept = tracking.predictions.keep_estimator(config.reports / "x.json", both, "p0")
    assert kept["columns"] == ["linear + target encoding__add__groups"], kept
    for number, model in enumerate((encoded, both)):
        fitted = evaluation.fit_whole(model, few)
        before = evaluation.predict_whole(fitted, few.X, n_classes=2)
        forget_rows(fitted)
        dump_model(fitted, config.reports / f"{number}.skops")
        again = read_model(config.reports / f"{number}.skops")
        assert np.array_equal(evaluation.predict_whole(again, few.X, n_classes=2), before)


def test_foreign_types_are_refused(tmp_path):
    """A file that would build anything else than models is not read."""
    import skops.io

    path = tmp_path / "model.skops"
    model = LogisticRegression()
    model.path_ = Path("/tmp")
    path.write_bytes(skops.io.dumps(model))
    with pytest.raises(InputError, match=r"The model holds pathlib\."):
        read_model(path)
    with pytest.raises(InputError, match=r"The model holds pathlib\."):
        dump_model(model, path)


def test_the_registry_names_the_current_champion(config):
    """Every tracked champion is a new version; the alias follows, and MLflow itself loads it."""
    import mlflow

    train = load_data(NAME).train
    keep(config, train, small(config))
    tracking.prepare_store(config)
    for number, name in enumerate(("linear", "LightGBM"), start=1):
        champion = store(config, train, name)
        run = tracking.start_analysis_run(config, module.ANALYSIS, dataset=train)
        report = config.reports / NAME / module.ANALYSIS
        uri = tracking.register_champion(report, config, dataset=NAME)
        run.finish("passed")
        client = mlflow.MlflowClient(tracking_uri=tracking.prepare_store(config))
        version = client.get_model_version_by_alias(NAME, "champion")
        assert int(version.version) == number
        assert version.tags["digest"] == champion.digest
    assert uri == f"models:/{NAME}@champion"
    source = version.source.removeprefix("file://")
    model = read_model(Path(source) / "model.skops")
    assert np.array_equal(model.predict_proba(train.X), champion.predict(train.X))
    nothing = config.reports / NAME / "11_baseline_models"
    assert tracking.register_champion(nothing, config, dataset=NAME) is None
