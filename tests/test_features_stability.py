"""Stability of selected sets: Nogueira's measure against its paper, and what it is made from."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lib import features
from lib.errors import InputError


def kuncheva(first, second, d):
    """Return Kuncheva's index of two sets of one size, by its definition (2007, eq. 1)."""
    k, r = first.sum(), (first & second).sum()
    return (r * d - k**2) / (k * (d - k))


def fleiss_kappa(Z):
    """Return Fleiss' kappa of raters (sets) who put subjects (features) into two classes."""
    n_raters, n_subjects = Z.shape
    counts = np.stack([Z.sum(axis=0), n_raters - Z.sum(axis=0)], axis=1).astype(float)
    agreement = ((counts**2).sum(axis=1) - n_raters) / (n_raters * (n_raters - 1))
    shares = counts.sum(axis=0) / (n_raters * n_subjects)
    by_chance = (shares**2).sum()
    return (agreement.mean() - by_chance) / (1 - by_chance)


def variance(Z):
    """Return the variance of the paper's theorem 7, feature by feature and set by set."""
    M, d = Z.shape
    p = [sum(Z[i][f] for i in range(M)) / M for f in range(d)]
    k = [sum(Z[i]) for i in range(M)]
    mean_k = sum(k) / M
    chance = mean_k / d * (1 - mean_k / d)
    phi = 1 - sum(M / (M - 1) * p[f] * (1 - p[f]) for f in range(d)) / d / chance
    parts = [
        (
            sum(Z[i][f] * p[f] for f in range(d)) / d
            - k[i] * mean_k / d**2
            + phi / 2 * (2 * mean_k * k[i] / d**2 - k[i] / d - mean_k / d + 1)
        )
        / chance
        for i in range(M)
    ]
    mean = sum(parts) / M
    return 4 / M**2 * sum((part - mean) ** 2 for part in parts)


def test_equal_sets_are_one_and_random_sets_zero():
    """Its two anchors, whatever the sizes of the sets."""
    same = features.stability(np.tile([True, False, True, False, False], (6, 1)))
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)
    rng = np.random.default_rng(0)
    for share in (0.1, 0.5, 0.8):
        measured = features.stability(rng.random((200, 300)) < share)
        assert abs(measured.value) < 0.01


def test_sets_of_one_size_give_the_mean_of_kunchevas_index():
    """For a fixed size it equals Kuncheva's index over all pairs, as the paper proves."""
    rng = np.random.default_rng(1)
    Z = np.array([np.isin(np.arange(12), rng.permutation(12)[:4]) for _ in range(7)])
    pairs = [kuncheva(a, b, 12) for a, b in itertools.combinations(Z, 2)]
    assert features.stability(Z).value == pytest.approx(np.mean(pairs), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_sets_of_any_size_give_fleiss_kappa(seed):
    """In general it equals Fleiss' kappa for two classes, as the paper proves."""
    rng = np.random.default_rng(seed)
    Z = rng.random((8, 15)) < rng.random(15)
    assert features.stability(Z).value == pytest.approx(fleiss_kappa(Z), abs=1e-12)


def test_a_value_worked_out_by_hand():
    """Three sets of two among four features: 1 - (1/4)(3/2)(2/9 + 2/9) / (1/4) = 1/3."""
    estimate = features.stability([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]])
    assert estimate.value == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_that_of_the_paper(seed):
    """Its arm is the normal quantile times the root of the paper's variance."""
    Z = np.random.default_rng(seed).random((10, 20)) < 0.3
    estimate = features.stability(Z)
    arm = 1.959963984540054 * variance(Z.astype(int)) ** 0.5
    assert estimate.value - estimate.low == pytest.approx(arm)


def test_the_interval_covers_the_truth():
    """Over 400 draws of 30 sets from known frequencies, 95 % intervals hold it about that often."""
    rng = np.random.default_rng(0)
    p = np.array([0.9, 0.9, 0.7, 0.5, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05])
    share = p.mean()
    truth = 1 - (p * (1 - p)).mean() / (share * (1 - share))
    hits = [features.stability(rng.random((30, 10)) < p).covers(truth) for _ in range(400)]
    assert 0.90 <= np.mean(hits) <= 0.98


def test_nothing_to_choose_has_no_stability():
    """All features in every set, or none: the measure is not defined, and says so."""
    assert np.isnan(features.stability(np.ones((3, 4))).value)
    assert np.isnan(features.stability(np.zeros((3, 4))).value)
    with pytest.raises(InputError, match="two or more sets"):
        features.stability([[True, False]])


def test_tables_count_what_was_chosen():
    """Kept, always and ever, and the share of the parts, follow from the sets."""
    frame = pd.DataFrame(
        [
            ("L1", fold, 1, name, chosen)
            for fold, row in enumerate([[1, 1, 0], [1, 0, 0]], start=1)
            for name, chosen in zip("abc", map(bool, row), strict=True)
        ],
        columns=["method", "fold", "draw", "feature", "selected"],
    )
    from lib.data import Dataset
    from lib.features.steps import raw_features

    found = features.Selections(frame, {f.name: f for f in raw_features(list("abc"))}, 10)
    row = features.tabulate_stability(found).iloc[0]
    assert (row["kept"], row["always"], row["ever"], row["of"], row["parts"]) == (1.5, 1, 2, 3, 2)
    dataset = Dataset("t", pd.DataFrame(columns=list("abc")), pd.Series(), "binary")
    lineage = features.tabulate_lineage(found, dataset)
    assert lineage["feature"].tolist() == ["a", "b", "c"]
    assert lineage["L1"].tolist() == [1.0, 0.5, 0.0]
