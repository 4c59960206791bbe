"""The generator keeps its promises: what it calls truth can be recovered."""

import time

import numpy as np
import pytest

from lib.data import load_data, make_planted
from lib.errors import InputError


def test_same_seed_same_table():
    """A seed names a table."""
    assert make_planted(seed=3).fingerprint == make_planted(seed=3).fingerprint
    assert make_planted(seed=3).fingerprint != make_planted(seed=4).fingerprint


def test_best_probabilities_are_calibrated():
    """Among rows of like best probability, that share is positive."""
    planted = make_planted(200_000, n_groups=500)
    best = planted.truth["probabilities"][:, 1]
    bins = np.clip((best * 10).astype(int), 0, 9)
    for b in range(10):
        rows = bins == b
        assert planted.y[rows].mean() == pytest.approx(best[rows].mean(), abs=0.015)
    assert planted.y.mean() == pytest.approx(0.3, abs=0.01)


def test_multiclass_probabilities_are_calibrated():
    """Each class is as frequent as its best probabilities say."""
    planted = make_planted(100_000, task="multiclass", n_classes=4)
    expected = planted.truth["probabilities"].mean(axis=0)
    np.testing.assert_allclose(
        planted.y.value_counts(normalize=True).sort_index(), expected, atol=0.005
    )


def test_regression_coefficients_are_recovered():
    """Least squares on the true shapes returns the planted coefficients."""
    planted = make_planted(100_000, task="regression", n_informative=5)
    shapes = {"line": lambda x: x, "parabola": lambda x: (x**2 - 1) / 2**0.5, "step": np.sign}
    truth, X = planted.truth, planted.X
    columns = [shapes[truth["curves"][name]](X[name]) for name in truth["coefficients"]]
    columns += [X["signal_1"] * X["signal_2"], X["category"].map(truth["categories"]).astype(float)]
    found = np.linalg.lstsq(np.column_stack(columns), planted.y, rcond=None)[0]
    expected = [*truth["coefficients"].values(), truth["interaction"], 1.0]
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert (planted.y - truth["score"]).std() == pytest.approx(truth["noise_sd"], abs=0.01)


def test_noise_says_nothing():
    """Noise columns are uncorrelated with the target."""
    planted = make_planted(50_000, n_noise=20)
    noise = planted.X[planted.truth["noise"]]
    assert noise.corrwith(planted.y).abs().max() < 4.5 / 50_000**0.5


@pytest.mark.parametrize(
    ("leak", "least"), [("copy", 1.0), ("noisy", 0.85), ("identifier", 0.75), ("future", 0.95)]
)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_leaks_give_the_target_away(leak, least, task):
    """Each kind of leak is strongly related to the target, and named in the truth."""
    planted = make_planted(5_000, task=task, leak=leak)
    (column,) = planted.truth["leaks"]
    assert planted.X[column].corr(planted.y) >= least - 1e-9
    assert not make_planted(50).truth["leaks"]


def test_missing_share_is_kept():
    """Gaps have the share asked for, in numeric columns only."""
    planted = make_planted(20_000, missing=0.2)
    assert planted.X[planted.numeric].isna().mean().to_numpy() == pytest.approx(0.2, abs=0.02)
    assert planted.X["category"].notna().all()


def test_groups_share_an_effect():
    """Group means differ by more than chance when groups have an effect."""
    planted = make_planted(20_000, task="regression", n_groups=100, group_effect=1.0)
    means = (planted.y).groupby(planted.groups).mean()
    assert means.std() == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_rows": 0},
        {"task": "rank"},
        {"missing": 1.0},
        {"leak": "yes"},
        {"task": "multiclass", "n_classes": 2},
    ],
)
def test_wrong_parameters_are_one_sentence(wrong):
    """What cannot be planted is refused."""
    with pytest.raises(InputError):
        make_planted(**wrong)


def test_corners_of_the_parameters():
    """No informative column, no noise, no category, one row: still a table."""
    assert make_planted(50, n_informative=0).X.shape == (50, 6)
    assert make_planted(50, n_noise=0, n_categories=0).X.shape == (50, 5)
    assert make_planted(1).n_rows == 1


def test_by_name():
    """The catalogue's parameters reach the generator; the truth comes along."""
    planted = load_data("planted")
    assert planted.name == "planted"
    assert planted.truth["informative"][0] == "signal_1"


@pytest.mark.slow
def test_a_million_rows_in_seconds():
    """Generation is vectorised: a million rows take seconds, not minutes."""
    started = time.perf_counter()
    assert len(make_planted(1_000_000, n_groups=1_000, missing=0.05)) == 1_000_000
    assert time.perf_counter() - started < 60
