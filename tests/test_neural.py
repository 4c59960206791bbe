"""What `lib.neural` promises: finds planted truths, repeats, survives kills and odd tables."""

import math
import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from lib.config import load_config, project_root
from lib.data import make_planted
from lib.errors import InputError
from lib.evaluation import cross_validate
from lib.neural import (
    NetworkClassifier,
    NetworkRegressor,
    NeuralNetworkExperiment,
    load_network,
    networks,
    save_network,
    tabulate_seeds,
    train_from_seeds,
)
from lib.neural.encoding import TableEncoder, find_bins
from lib.neural.losses import compute_loss
from lib.neural.modules import Architecture, Network
from lib.neural.validation import hold_out
from lib.resampling import make_cv, make_folds

SMALL = {"hidden_dims": (16,), "n_members": 2, "max_epochs": 4}


def numbers(n_rows=200, n_columns=3, seed=0):
    """Return random numbers, and labels that follow the first column."""
    X = np.random.default_rng(seed).normal(size=(n_rows, n_columns))
    return X, (X[:, 0] > 0).astype(int)


def weights_of(model):
    """Return the weights as arrays, by name."""
    return {name: values.numpy() for name, values in model.module_.state_dict().items()}


def assert_same_weights(one, other):
    """Check that two networks are the same to the last bit."""
    first, second = weights_of(one), weights_of(other)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


# --- scikit-learn's contract ------------------------------------------------------------------

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a repeated row is drawn into batches and into the validation part by itself, a heavy "
        "row as one: equal in expectation only"
    ),
}


@parametrize_with_checks(
    [
        NetworkClassifier(max_epochs=30, n_members=2, hidden_dims=(32,)),
        NetworkRegressor(max_epochs=30, n_members=2, hidden_dims=(32,)),
    ],
    expected_failed_checks=lambda _: EXPECTED,
)
@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of every kind
def test_scikit_learn_contract(estimator, check):
    """Both estimators pass all checks of scikit-learn but one, whose reason is given."""
    check(estimator)


# --- planted truths ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_probabilities_come_close_to_the_best_possible(task):
    """On a planted table, log loss on new rows is within 0.05 nats of the true probabilities'."""
    planted = make_planted(4_000, task=task, n_noise=2, missing=0.0, seed=3)
    new = slice(3_000, 4_000)
    model = NetworkClassifier(max_epochs=30).fit(planted.X[:3_000], planted.y[:3_000])
    best = log_loss(planted.y[new], planted.truth["probabilities"][new])
    prior = log_loss(planted.y[new], np.tile(np.bincount(planted.y) / 4_000, (1_000, 1)))
    found = log_loss(planted.y[new], model.predict_proba(planted.X[new]))
    assert found - best < 0.05
    assert prior - found > 0.1


@pytest.mark.slow
def test_errors_come_close_to_the_planted_noise():
    """On a planted regression table, the error on new rows is within 15 % of the noise."""
    planted = make_planted(4_000, task="regression", n_noise=2, seed=3)
    model = NetworkRegressor(max_epochs=30).fit(planted.X[:3_000], planted.y[:3_000])
    error = planted.y[3_000:] - model.predict(planted.X[3_000:])
    assert math.sqrt(np.mean(error**2)) < 1.15 * planted.truth["noise_sd"]


@pytest.mark.parametrize("embedding", ["piecewise", "periodic"])
def test_embeddings_bend_where_a_line_cannot(embedding):
    """A parabola and a step are fitted by embeddings alone, with no hidden layer behind them."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (1_500, 2))
    y = X[:, 0] ** 2 + np.sign(X[:, 1])
    settings = {"hidden_dims": (), "n_members": 1, "max_epochs": 60, "learning_rate": 0.02}
    straight = NetworkRegressor(embedding="none", **settings).fit(X[:1_000], y[:1_000])
    bent = NetworkRegressor(embedding=embedding, **settings).fit(X[:1_000], y[:1_000])
    line = LinearRegression().fit(X[:1_000], y[:1_000]).score(X[1_000:], y[1_000:])
    assert abs(straight.score(X[1_000:], y[1_000:]) - line) < 0.05
    assert bent.score(X[1_000:], y[1_000:]) > 0.93 > line + 0.3


def test_piecewise_encoding_is_that_of_the_paper():
    """A number is encoded by the share of each bin that it has passed: 0, a part, or 1."""
    starts, widths = find_bins(np.array([[0.0], [1.0], [2.0], [4.0]]), n_bins=3)
    x = np.array([-1.0, 0.5, 3.0, 9.0])
    passed = np.clip((x[:, None] - starts[0]) / widths[0], 0, 1)
    assert starts[0].tolist() == [0, 1, 2]
    assert passed.tolist() == [[0, 0, 0], [0.5, 0, 0], [1, 1, 0.5], [1, 1, 1]]


def test_categories_are_learned_and_unknown_ones_are_neutral():
    """Known levels get their planted means; an unknown level and a gap lie between them."""
    rng = np.random.default_rng(0)
    level = rng.choice(["low", "high"], 600)
    X = pd.DataFrame({"level": pd.Categorical(level)})
    y = np.where(level == "high", 3.0, -3.0) + rng.normal(0, 0.1, 600)
    model = NetworkRegressor(max_epochs=40, n_members=2).fit(X, y)
    asked = pd.DataFrame({"level": pd.Categorical(["low", "high", "never seen", None])})
    low, high, unknown, gap = model.predict(asked)
    assert (round(low), round(high)) == (-3, 3)
    assert -2 < unknown < 2
    assert unknown == gap


# --- the ensemble -----------------------------------------------------------------------------


def make_network(n_members, embedding="piecewise"):
    """Return an untrained network of known sizes."""
    shape = Architecture(3, 1, (4, 2), 2, (8, 6), n_members, embedding, 5, 7, 0.0)
    bins = torch.zeros(3, 7), torch.ones(3, 7)
    return Network(shape, bins, generator=torch.Generator().manual_seed(0))


def ask(network, n_rows=11):
    """Return the outputs for some rows."""
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(n_rows, 3, generator=generator), torch.zeros(n_rows, 1)
    codes = torch.zeros(n_rows, 2, dtype=torch.int64)
    return network(*rows, codes)


def test_members_share_weights_and_differ():
    """Outputs are rows by members by classes, and random signs make members disagree."""
    outputs = ask(make_network(4))
    assert outputs.shape == (11, 4, 2)
    spread = outputs.std(dim=1)
    assert (spread > 1e-3).all()


@pytest.mark.parametrize("n_members", [1, 4])
def test_number_of_parameters_follows_the_formula(n_members):
    """Shared: embeddings and matrices; a member owns scales and a bias a layer, and a head."""
    n_in = 3 * 5 + 1 + 2 * 5
    embeddings = 3 * (5 + 5 + 7 * 5) + (4 + 2) * 5
    shared = n_in * 8 + 8 * 6
    head, biases, scales = 6 * 2 + 2, 8 + 6, (8 + (8 + 6) if n_members > 1 else 0)
    own = n_members * (scales + biases + head)
    assert make_network(n_members).count_parameters() == embeddings + shared + own


def test_loss_is_the_mean_over_members_each_alone():
    """Two members at +1 and -1 around a target of 0 lose 1, not the 0 of their mean."""
    outputs = torch.tensor([[[1.0], [-1.0]]])
    assert float(compute_loss(outputs, torch.zeros(1), torch.ones(1), "squared")) == 1
    logits = torch.tensor([[[9.0, -9.0], [-9.0, 9.0]]])
    assert float(compute_loss(logits, torch.tensor([0]), torch.ones(1), "classes")) > 8


def test_probabilities_are_the_mean_of_the_members():
    """The ensemble's probability is the mean of its members' and sums to one."""
    X, y = numbers()
    model = NetworkClassifier(**SMALL).fit(X, y)
    encoded = model.encoder_.transform(X)
    with torch.no_grad():
        parts = [torch.tensor(p).double() for p in (encoded.numbers, encoded.gaps)]
        outputs = model.module_.double()(*parts, torch.tensor(encoded.codes))
    expected = outputs.softmax(dim=2).mean(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-12)


# --- chance -----------------------------------------------------------------------------------


def test_same_seed_same_weights_other_seed_others():
    """A seed fixes every bit; another one gives other weights."""
    X, y = numbers()
    first = NetworkClassifier(**SMALL).fit(X, y)
    assert_same_weights(first, NetworkClassifier(**SMALL).fit(X, y))
    other = NetworkClassifier(**SMALL, random_state=1).fit(X, y)
    assert not np.array_equal(weights_of(first)["head.bias"], weights_of(other)["head.bias"])


def test_global_state_neither_matters_nor_changes():
    """Global seeds of torch and numpy and the number of threads change nothing, and stay."""
    X, y = numbers()
    first = NetworkClassifier(**SMALL).fit(X, y)
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(99)
        torch.set_num_threads(2)
        before = torch.get_rng_state().clone(), np.random.get_state()[1].copy()  # noqa: NPY002 - not to be used
        second = NetworkClassifier(**SMALL).fit(X, y)
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
        torch.set_num_threads(threads)
    assert_same_weights(first, second)


def test_a_row_is_predicted_alike_alone_and_among_others():
    """Batches of one row give what the whole table gives, to 1e-12."""
    X, y = numbers()
    model = NetworkClassifier(**SMALL).fit(X, y)
    alone = np.vstack([model.predict_proba(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, model.predict_proba(X)[:20], rtol=1e-12)


# --- killed and resumed -----------------------------------------------------------------------

KILLED = """
import os, signal, sys
import torch
from lib.neural import NetworkClassifier, training
from lib.neural.training import _Training
import numpy as np

def numbers():
    X = np.random.default_rng(0).normal(size=(200, 3))
    return X, (X[:, 0] > 0).astype(int)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def child(epoch, when, path):
    run, save, replace = _Training.run_epoch, _Training.save, os.replace
    def run_and_die(self):
        if when == "before" and self.progress.epoch == epoch:
            die()
        if when == "amid" and self.progress.epoch == epoch:
            self.optimizer.step = die
        run(self)
    def save_and_die(self, path):
        if when == "writing" and self.progress.epoch == epoch:
            type(path).replace = die
        save(self, path)
    _Training.run_epoch, _Training.save = run_and_die, save_and_die
    X, y = numbers()
    NetworkClassifier(checkpoint=path, hidden_dims=(16,), n_members=2, max_epochs=6).fit(X, y)
    os._exit(0)

for epoch, when in ((1, "before"), (2, "writing"), (3, "amid"), (5, "before")):
    pid = os.fork()
    if pid == 0:
        child(epoch, when, f"{sys.argv[1]}/{epoch}.pt")
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (epoch, status)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_a_killed_training_ends_at_the_same_weights(tmp_path):
    """SIGKILL between epochs, inside one, and while a checkpoint is written changes no bit."""
    from lib.neural import training  # the import that the forked processes share

    del training
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)],
        cwd=project_root(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    X, y = numbers()
    settings = {"hidden_dims": (16,), "n_members": 2, "max_epochs": 6}
    undisturbed = NetworkClassifier(**settings).fit(X, y)
    assert len(list(tmp_path.glob("2.pt.*.part"))) == 1, "killed while writing"
    for epoch, reached in ((1, 1), (2, 1), (3, 3), (5, 5)):
        path = tmp_path / f"{epoch}.pt"
        state = torch.load(path, weights_only=True)
        assert state["progress"]["epoch"] == reached
        resumed = NetworkClassifier(**settings, checkpoint=path).fit(X, y)
        assert_same_weights(resumed, undisturbed)
        pd.testing.assert_frame_equal(resumed.history_, undisturbed.history_)
    assert len(list(tmp_path.iterdir())) == 4, "torn files are left behind"


def test_rows_in_time_are_all_learned_from_in_the_end(tmp_path, monkeypatch):
    """What only the last rows have is learned too, and a kill in the second training loses none."""
    from lib.neural.training import _Training

    n = 200
    kind = np.where(np.arange(n) < 0.9 * n, "old", "new")
    X = pd.DataFrame({"x": np.random.default_rng(0).normal(size=n), "kind": pd.Categorical(kind)})
    y, settings = 4 * X["x"].to_numpy() + 4.0 * (kind == "new"), {**SMALL, "max_epochs": 40}
    stopped = NetworkRegressor(**settings).fit(X, y)
    whole = NetworkRegressor(**settings).fit(X, y, time=np.arange(n))
    assert (stopped.has_all_rows_, whole.has_all_rows_) == (False, True)
    pair = pd.DataFrame({"x": [0.0, 0.0], "kind": pd.Categorical(["old", "new"])})
    assert np.diff(whole.predict(pair))[0] > 2  # planted: 4

    run, left = _Training.run_epoch, iter(range(whole.n_iter_ + whole.best_epoch_ // 2))

    def run_until_killed(training):
        if next(left, None) is None:
            raise KeyboardInterrupt
        run(training)

    path = tmp_path / "training.pt"
    monkeypatch.setattr(_Training, "run_epoch", run_until_killed)
    with pytest.raises(KeyboardInterrupt):
        NetworkRegressor(**settings, checkpoint=path).fit(X, y, time=np.arange(n))
    monkeypatch.undo()
    resumed = NetworkRegressor(**settings, checkpoint=path).fit(X, y, time=np.arange(n))
    assert_same_weights(resumed, whole)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    """Other rows, other settings or a damaged file: one sentence, and the file stays."""
    X, y = numbers()
    path = tmp_path / "training.pt"
    NetworkClassifier(**SMALL, checkpoint=path).fit(X, y)
    kept = path.read_bytes()
    with pytest.raises(InputError, match="other rows or settings"):
        NetworkClassifier(**SMALL, checkpoint=path).fit(X + 1e-3, 1 - y)
    with pytest.raises(InputError, match="other rows or settings"):
        NetworkClassifier(**{**SMALL, "dropout": 0.5}, checkpoint=path).fit(X, y)
    assert path.read_bytes() == kept
    path.write_bytes(kept[: len(kept) // 2])
    with pytest.raises(InputError, match="is not a checkpoint"):
        NetworkClassifier(**SMALL, checkpoint=path).fit(X, y)


def test_files_hold_tensors_and_text_only(tmp_path):
    """A pickle that would run code is refused, as a checkpoint and as a model."""
    import pickle

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/ran",)

    X, y = numbers()
    evil = pickle.dumps(Evil())
    (tmp_path / "training.pt").write_bytes(evil)
    with pytest.raises(InputError):
        NetworkClassifier(**SMALL, checkpoint=tmp_path / "training.pt").fit(X, y)
    folder = save_network(NetworkClassifier(**SMALL).fit(X, y), tmp_path / "model")
    (folder / "weights.pt").write_bytes(evil)
    with pytest.raises(InputError, match="cannot be read"):
        load_network(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["labels", "codes", "numbers"])
def test_a_saved_network_predicts_the_same(kind, tmp_path):
    """Classes, names, categories, history and predictions come back to the last bit."""
    planted = make_planted(150, task="regression" if kind == "numbers" else "binary", missing=0.1)
    y = planted.y.map({0: "né", 1: "oui"}) if kind == "labels" else planted.y
    model = (NetworkRegressor if kind == "numbers" else NetworkClassifier)(**SMALL)
    model.fit(planted.X, y)
    again = load_network(save_network(model, tmp_path / "model"))
    assert again.get_params() == model.get_params()
    assert again.feature_names_in_.tolist() == planted.X.columns.tolist()
    ask = "predict" if kind == "numbers" else "predict_proba"
    answers = getattr(again, ask)(planted.X)
    assert np.isfinite(answers).all()
    assert np.array_equal(answers, getattr(model, ask)(planted.X))
    assert kind == "numbers" or again.classes_.tolist() == model.classes_.tolist()
    pd.testing.assert_frame_equal(again.history_, model.history_, check_exact=False, rtol=1e-12)
    with pytest.raises(InputError, match="holds no network"):
        load_network(tmp_path)


# --- which rows stop it -----------------------------------------------------------------------


def test_whole_groups_are_kept_aside():
    """No group is trained on and stopped by; about the wished share is kept aside."""
    groups = np.random.default_rng(0).integers(0, 30, 300)
    train, aside = hold_out(300, 0.2, np.random.default_rng(1), groups=groups)
    assert not set(groups[train]) & set(groups[aside])
    assert 45 <= len(aside) <= 75
    assert sorted([*train, *aside]) == list(range(300))


def test_few_large_groups_are_cut_where_half_is_left():
    """Of two equal groups one is kept aside; of a group that is nearly all, nothing larger."""
    rng = np.random.default_rng(0)
    halves = hold_out(100, 0.2, rng, groups=np.repeat(["a", "b"], 50))
    assert [len(part) for part in halves] == [50, 50]
    for seed in range(4):
        rng = np.random.default_rng(seed)
        _, aside = hold_out(100, 0.2, rng, groups=np.repeat(["a", "b"], [80, 20]))
        assert len(aside) in {0, 20}


def test_the_last_moments_are_kept_aside():
    """The rows to stop by come after all others, and no moment is cut."""
    time = np.random.default_rng(0).integers(0, 20, 200)
    train, aside = hold_out(200, 0.2, np.random.default_rng(1), time=time)
    assert time[train].max() < time[aside].min()


def test_classes_keep_their_shares_and_single_rows_are_learned():
    """A tenth is a tenth in both parts; a class of one row is trained on."""
    labels = np.r_[np.zeros(180, int), np.ones(20, int), 2]
    train, aside = hold_out(201, 0.2, np.random.default_rng(0), labels=labels)
    assert np.bincount(labels[aside]).tolist() == [36, 4]
    assert np.bincount(labels[train]).tolist() == [144, 16, 1]


def test_groups_reach_the_network_through_cross_validation():
    """`cross_validate` hands groups and time to a fit that names them, and to no other."""
    seen = []

    class Spy(NetworkClassifier):
        def fit(self, X, y, sample_weight=None, *, groups=None, time=None):
            seen.append(groups)
            return super().fit(X, y, sample_weight, groups=groups, time=time)

    planted = make_planted(200, n_groups=40, n_categories=0)
    folds = make_folds(planted, make_cv(planted, n_splits=2))
    scores = cross_validate({"spy": Spy(**SMALL)}, planted, folds)
    assert scores.failures.empty
    for (train, _), groups in zip(folds, seen, strict=True):
        assert np.array_equal(groups, planted.groups.to_numpy()[train])


# --- odd tables -------------------------------------------------------------------------------


def odd_tables():
    """Return tables that break careless code, by name."""
    rng = np.random.default_rng(0)
    n = 40
    x = rng.normal(size=n)
    return {
        "constant": pd.DataFrame({"x": x, "same": 1.0}),
        "only constants": pd.DataFrame({"same": np.ones(n), "too": 2}),
        "all missing": pd.DataFrame({"x": x, "nothing": np.nan}),
        "only missing": pd.DataFrame({"nothing": np.full(n, np.nan)}),
        "infinite": pd.DataFrame({"x": np.where(x > 1, np.inf, x), "huge": np.sign(x) * 1e308}),
        "one category a row": pd.DataFrame({"id": pd.Categorical([f"r{i}" for i in range(n)])}),
        "text and truth": pd.DataFrame({"t": rng.choice(["a", "b"], n), "b": x > 0}),
        "missing text": pd.DataFrame({"t": pd.Series([None] * n, dtype="str"), "x": x}),
        "nullable": pd.DataFrame({"i": pd.array([1, None] * (n // 2), dtype="Int64")}),
    }


@pytest.mark.parametrize("name", list(odd_tables()))
@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_odd_tables_give_finite_predictions(kind, name):
    """Constants, gaps, infinity, many levels, text: trained without a warning, finite answers."""
    X = odd_tables()[name]
    y = np.arange(len(X)) % 2 if kind is NetworkClassifier else np.arange(len(X)) / 7
    model = kind(**SMALL).fit(X, y)
    answers = model.predict_proba(X) if kind is NetworkClassifier else model.predict(X)
    assert np.isfinite(answers).all()


@pytest.mark.parametrize("n_rows", [2, 3, 9])
def test_few_rows_are_trained_without_validation(n_rows):
    """Two rows are enough; nothing is kept aside, and all epochs are trained."""
    X = pd.DataFrame({"x": np.arange(n_rows, dtype=float)})
    for model in (NetworkClassifier(**SMALL), NetworkRegressor(**SMALL)):
        model.fit(X, np.arange(n_rows) % 2)
        assert (model.n_rows_validation_, model.n_iter_) == (0, 4)
        assert set(model.history_["part"]) == {"train"}
        assert np.isfinite(model.predict(X)).all()


def test_classes_of_one_row_keep_their_place():
    """A class of a single row has a probability; a table of one class is always that class."""
    X, y = numbers(60)
    y[0] = 7
    proba = NetworkClassifier(**SMALL).fit(X, y).predict_proba(X)
    assert proba.shape == (60, 3)
    alone = NetworkClassifier(**SMALL).fit(X, np.full(60, "only"))
    assert (alone.predict_proba(X) == 1).all()
    assert set(alone.predict(X)) == {"only"}


def test_a_constant_target_is_predicted():
    """A regression target of one value is that value."""
    X, _ = numbers(50)
    assert (NetworkRegressor(**SMALL).fit(X, np.full(50, 3.5)).predict(X) == 3.5).all()


def test_predictions_stay_inside_what_was_seen():
    """A value far outside the training rows is answered inside the range of the target."""
    X, _ = numbers(200, 1)
    model = NetworkRegressor(**SMALL).fit(X, 5 * X[:, 0])
    far = model.predict([[1e9], [-1e9], [np.inf]])
    assert model.target_range_[0] <= far.min() <= far.max() <= model.target_range_[1]


def test_a_loss_that_is_not_finite_is_one_sentence():
    """Steps that are far too large end in a sentence that says what to lower, not in NaN."""
    X, _ = numbers()
    with pytest.raises(InputError, match="lower learning_rate"):
        NetworkRegressor(learning_rate=1e38, n_members=1, embedding="none").fit(X, X[:, 0])


def test_a_loss_that_breaks_later_keeps_the_weights_before(monkeypatch):
    """NaN in the third epoch: a warning names it, and the best epoch before is kept."""
    from sklearn.exceptions import ConvergenceWarning

    from lib.neural.training import _Training

    step = _Training.run_epoch

    def run_epoch(self):
        if self.progress.epoch == 2:
            with torch.no_grad():
                next(iter(self.network.parameters())).fill_(math.nan)
        step(self)

    X, y = numbers()
    monkeypatch.setattr(_Training, "run_epoch", run_epoch)
    with pytest.warns(ConvergenceWarning, match=r"not finite in epoch 3.* epoch 2 are kept"):
        model = NetworkClassifier(**SMALL).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_weights_of_zero_silence_rows():
    """Rows with weight 0 do not teach: their wrong labels leave no trace in the predictions."""
    X, y = numbers(400)
    wrong = np.arange(400) < 200
    labels = np.where(wrong, 1 - y, y)
    weighted = NetworkClassifier(max_epochs=20, n_members=2).fit(X, labels, 1.0 - wrong)
    assert weighted.score(X, y) > 0.9
    with pytest.raises(InputError, match="Sample weights"):
        NetworkClassifier(**SMALL).fit(X, y, sample_weight=np.zeros(400))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"embedding": "piecwise"}, "Did you mean 'piecewise'"),
        ({"n_members": 0}, "n_members must be a whole number"),
        ({"dropout": 1.0}, "dropout must be a share"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"hidden_dims": (8, 0)}, "hidden_dims are units"),
        ({"device": "toaster"}, "device must be"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(settings, sentence):
    """A wrong setting is named, with what was expected."""
    X, y = numbers(30)
    with pytest.raises(InputError, match=sentence):
        NetworkClassifier(**settings).fit(X, y)


def test_dates_are_refused_with_the_way_out():
    """A column of dates is answered by the preprocessor to put before."""
    X = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=30)})
    with pytest.raises(InputError, match="make_preprocessor"):
        NetworkClassifier(**SMALL).fit(X, np.arange(30) % 2)


def test_columns_in_another_order_or_missing_are_refused():
    """A frame must have the columns of the training in their order, each with its own name."""
    planted = make_planted(60)
    model = NetworkClassifier(**SMALL).fit(planted.X, planted.y)
    for wrong in (planted.X[planted.X.columns[::-1]], planted.X.drop(columns="signal_1")):
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(wrong)
    twice = pd.DataFrame(np.ones((30, 2)), columns=["a", "a"])
    with pytest.raises(InputError, match="Two columns are called 'a'"):
        model.fit(twice, np.arange(30) % 2)


def test_scaling_is_learned_from_the_training_part_alone():
    """Medians and scales do not move with the rows kept aside."""
    X, y = numbers(300, 1)
    groups = np.arange(300) // 3
    model = NetworkClassifier(**SMALL).fit(X, y, groups=groups)
    spoiled = X.copy()
    rng = np.random.default_rng(np.random.RandomState(0).randint(2**31))
    _, aside = hold_out(300, 0.2, rng, labels=y, groups=groups)
    spoiled[aside] += 1e6
    again = NetworkClassifier(**SMALL).fit(spoiled, y, groups=groups)
    assert again.encoder_.medians == model.encoder_.medians
    assert TableEncoder().fit(X).medians != model.encoder_.medians


# --- the study --------------------------------------------------------------------------------


def test_candidates_and_seeds_of_a_study():
    """Four networks run on a table of every kind of column; seeds differ, and the first repeats."""
    planted = make_planted(300, missing=0.1, n_groups=60)
    config = load_config(effort="quick", budget={"max_epochs": 2})
    candidates = networks(planted, config)
    folds = make_folds(planted, make_cv(planted, n_splits=2))
    scores = cross_validate(candidates, planted, folds)
    assert scores.failures.empty
    assert scores.warnings.empty
    runs = train_from_seeds(candidates, planted, folds, seeds={"MLP": [0, 1, 2], "TabM": [0]})
    first = runs.scores.query("model == 'TabM'")["score"].item()
    assert first == pytest.approx(scores.by_fold().loc[1, "TabM"], rel=1e-12)
    assert runs.scores.query("model == 'MLP'")["score"].nunique() == 3
    assert runs.sizes.set_index("model").loc["TabM", "members"] == 8
    assert list(tabulate_seeds(runs)["model"]) == ["MLP"]
    with pytest.raises(InputError, match="There is no network"):
        train_from_seeds(candidates, planted, folds, seeds={"MPL": [0]})


def test_the_interval_of_a_spread_is_that_of_the_textbook():
    """Five values of variance 2.5: the chi-square interval of the deviation is 0.947 to 4.544."""
    from lib.neural import Runs

    scores = pd.DataFrame({"model": "MLP", "seed": range(5), "score": [1.0, 2, 3, 4, 5]})
    spread = tabulate_seeds(Runs(scores, scores, scores, "r2", 1))["std"].iloc[0]
    assert (round(spread.value, 3), round(spread.low, 3), round(spread.high, 3)) == (
        1.581,
        0.947,
        4.543,
    )


# --- the short form ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["two labels", "three labels", "a number"])
def test_experiment_learns_and_tells_its_history(kind):
    """The short form trains, predicts and has training and validation loss by epoch."""
    X, y = numbers(300)
    y = {"two labels": y, "three labels": np.digitize(X[:, 0], [-0.5, 0.5]), "a number": X[:, 0]}[
        kind
    ]
    experiment = NeuralNetworkExperiment(3, [32], output_dim=3 if kind == "three labels" else 1)
    experiment.train(X, y, epochs=25, learning_rate=0.01)
    history = experiment.history
    assert list(history) == ["epoch", "training_loss", "validation_loss"]
    assert history["validation_loss"].min() < history["validation_loss"].iloc[0]
    assert experiment.evaluate(X, y) > 0.8
    if kind != "a number":
        assert experiment.predict_proba(X).shape == (300, len(np.unique(y)))


def test_experiment_says_what_does_not_fit():
    """Width, number of classes, asking too early: one sentence each."""
    X, y = numbers(50)
    with pytest.raises(InputError, match="call train"):
        NeuralNetworkExperiment(3).predict(X)
    with pytest.raises(InputError, match="input_dim=4"):
        NeuralNetworkExperiment(4).train(X, y)
    with pytest.raises(InputError, match="output_dim=3"):
        NeuralNetworkExperiment(3).train(X, np.array(["a", "b", "c", "a", "b"] * 10))
    regression = NeuralNetworkExperiment(3).train(X, X[:, 0], epochs=1)
    with pytest.raises(InputError, match="no probabilities"):
        regression.predict_proba(X)


def test_importing_the_package_does_not_import_torch():
    """Analyses that train no network do not wait for torch."""
    code = "import sys, lib.neural; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
