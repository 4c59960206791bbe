"""What `lib.estimates` promises: published figures, planted truths, coverage by simulation."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib import estimates
from lib.data import load_data
from lib.errors import InputError
from lib.estimates import Estimate

# aSAH of the R package pROC (Turck et al. 2010, 113 patients), as its tests use it: the rows'
# outcome (1 = Poor), sex (F/M), and three markers. Expected values below are those of pROC's own
# tests (xrobin/pROC@ee2877e858bc tests/testthat: test-ci.auc.R, test-var.R, test-roc.test.R).
POOR = "00001101001011001011101000000000100110110000000001100010001010011101101111000110100000010000000000001111110001000"
SEX = "FFFFFMMMFFMFMMFFMFFMFFFMFFMFFMFFFFFMFFMFFFFMFMMMMFFMFFFFMFMFFMFFFMMMMFFFMFMFMMMFFFFFMFMMFMFFFFFFMFMFMFFFMFFFMMFFM"
WFNS = """
1 1 1 1 3 2 5 4 1 2 5 2 5 5 1 2 5 2 2 5 2 1 1 1 1 2 1 2 1 1 3 4 2 1 4 5 4 1 4 2 5 5 1 1 2 4 1 1
2 5 5 2 1 2 5 1 2 2 2 1 5 1 1 2 5 2 1 4 5 2 4 4 1 4 1 2 1 4 2 1 2 3 2 4 2 1 4 5 1 1 5 4 2 2 1 1
1 3 1 2 5 2 2 5 5 5 2 4 4 5 1 1 1
"""
S100B = """
0.13 0.14 0.1 0.04 0.13 0.1 0.47 0.16 0.18 0.1 0.12 0.1 0.44 0.71 0.04 0.08 0.49 0.04 0.07 0.33
0.09 0.09 0.07 0.11 0.07 0.17 0.07 0.11 0.13 0.19 0.05 0.16 0.41 0.14 0.34 0.35 0.48 0.09 0.96
0.25 0.5 0.46 0.16 0.07 0.43 0.45 0.11 0.08 0.09 0.86 0.52 0.08 0.06 0.13 2.07 0.1 0.14 0.15
0.07 0.06 0.77 0.05 0.09 0.3 0.03 0.09 0.04 0.23 0.7 0.09 0.27 0.71 0.08 0.26 0.08 0.16 0.09
0.13 0.1 0.08 0.11 0.33 0.11 0.28 0.07 0.1 0.32 0.22 0.07 0.05 0.24 0.38 0.1 0.15 0.08 0.14 0.1
0.07 0.04 0.19 0.56 0.14 0.58 0.32 0.82 0.74 0.15 0.47 0.17 0.44 0.15 0.5 0.48
"""
NDKA = """
3.01 8.54 8.09 10.42 17.4 12.75 6 13.2 15.54 6.01 15.96 17.86 5.18 8.9 13.41 20.75 11.6 16.11
32.37 54.82 32.41 49.94 40.34 9.47 6.29 12.53 6.54 6.3 80.3 12.8 9.8 9.81 9.85 18.21 5.03 14.04
21.93 8.02 7.42 8.38 6.59 9.63 13.12 7.96 14.34 41.43 7.63 7.06 12.59 13.56 3.87 9.44 7.66 12.98
419.19 27.19 22.27 9.95 21.22 11.73 10.4 58.83 6.39 11.09 12.22 13.67 17.21 22.63 12.9 9.7 21.57
8.23 72.57 15.54 10.51 10.6 14.57 5.19 9.63 4.61 21.48 17.3 12.71 9.44 11.07 19.46 10.83 5.37
11.97 7.75 9.83 10.55 28.49 8.53 12.57 12.9 46.83 11.68 12.67 9.01 9.57 34.06 11.72 14.26 47.61
11.67 24.58 10.33 13.87 15.89 22.43 6.79 13.45
"""


@pytest.fixture(scope="module")
def asah():
    """Return the published table as arrays by name."""
    table = {name: np.array(text.split(), dtype=float) for name, text in MARKERS.items()}
    return table | {"poor": np.array(list(POOR), dtype=int), "sex": np.array(list(SEX))}


MARKERS = {"wfns": WFNS, "s100b": S100B, "ndka": NDKA}


def variance(estimate):
    """Return the variance behind a normal interval."""
    return ((estimate.high - estimate.low) / 2 / stats.norm.ppf(0.975)) ** 2


def test_delong_interval_equals_proc(asah):
    """Area and interval of NDKA are pROC's, for all patients and for the women alone."""
    all_rows = estimates.delong(asah["poor"], asah["ndka"])
    expected = (0.611957994579946, 0.501244999271703, 0.722670989888189)
    assert (all_rows.value, all_rows.low, all_rows.high) == pytest.approx(expected, rel=1e-7)
    women = asah["sex"] == "F"
    estimate = estimates.delong(asah["poor"][women], asah["ndka"][women])
    expected = (0.6671428571, 0.5261398281, 0.8081458862)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("wfns", 0.00146991470882363),
        ("ndka", 0.0031908105493913),
        ("s100b", 0.00266868245717244),
    ],
)
def test_delong_variance_equals_proc(asah, marker, expected):
    """The variance of each marker's area is pROC's."""
    estimate = estimates.delong(asah["poor"], asah[marker])
    assert variance(estimate) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("first", "second", "statistic", "p_value"),
    [
        ("wfns", "s100b", 2.20898359144091, 0.0271757822291882),
        ("wfns", "ndka", 2.79777591868904, 0.00514557970691098),
        ("ndka", "s100b", -1.39077002573558, 0.164295175223054),
    ],
)
def test_delong_paired_test_equals_proc(asah, first, second, statistic, p_value):
    """Statistic and p-value of each pair of markers are pROC's."""
    test = estimates.delong_test(asah["poor"], asah[first], asah[second])
    assert test.statistic == pytest.approx(statistic, rel=1e-7)
    assert test.p_value == pytest.approx(p_value, rel=1e-7)


def test_delong_interval_of_a_difference_equals_proc(asah):
    """The interval of the difference of two areas is pROC's."""
    difference = estimates.delong_test(asah["poor"], asah["wfns"], asah["s100b"]).difference
    ends = (difference.low, difference.high)
    assert ends == pytest.approx((0.0104061769564846, 0.174214419249478), rel=1e-7)


def test_delong_needs_two_rows_of_each_class():
    """One positive row is too few, and the sentence says how many there were."""
    with pytest.raises(InputError, match="got 1 positive and 3 negative"):
        estimates.delong([0, 0, 0, 1], [1, 2, 3, 4])


# R's boot package with a million resamples, as scipy's own tests quote it
# (scipy/scipy@3dbf660a919b scipy/stats/tests/test_resampling.py test_bootstrap_against_R).
BOOT_INPUT = [10, 12, 12.5, 12.5, 13.9, 15, 21, 22, 23, 34, 50, 81, 89, 121, 134, 213]


@pytest.mark.parametrize(
    ("method", "low", "high"), [("percentile", 28.86, 84.21), ("bca", 32.31, 91.43)]
)
def test_bootstrap_interval_equals_r(method, low, high):
    """Percentile and BCa intervals of a skewed mean are those of R's boot package."""
    estimate = estimates.bootstrap(
        np.mean, BOOT_INPUT, n_resamples=40_000, random_state=1, method=method
    )
    assert (estimate.low, estimate.high) == pytest.approx((low, high), rel=0.01)


def test_bca_equals_scipy():
    """On a small sample our BCa, whose jackknife is bounded, is scipy's."""
    sample = np.random.default_rng(0).exponential(size=60)
    ours = estimates.bootstrap(np.std, sample, n_resamples=20_000, random_state=0)
    theirs = stats.bootstrap((sample,), np.std, n_resamples=20_000, rng=0).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.01)


def test_blocked_jackknife_keeps_bca():
    """With more units than jackknife blocks the interval is still scipy's."""
    sample = np.random.default_rng(1).exponential(size=700) ** 2
    ours = estimates.bootstrap(np.mean, sample, n_resamples=8_000, random_state=0)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=8_000, rng=0).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.01)


def test_cluster_bootstrap_sees_repeated_persons():
    """Ten copies of each person tell nothing new: the interval is as wide as of the persons."""
    persons = np.random.default_rng(0).normal(size=80)
    copies, owner = np.repeat(persons, 10), np.repeat(np.arange(80), 10)
    settings = {"n_resamples": 1_000, "random_state": 0}
    honest = estimates.bootstrap(np.mean, persons, **settings)
    grouped = estimates.bootstrap(np.mean, copies, groups=owner, **settings)
    naive = estimates.bootstrap(np.mean, copies, **settings)
    assert (grouped.low, grouped.high) == pytest.approx((honest.low, honest.high), abs=1e-12)
    assert naive.high - naive.low < 0.4 * (honest.high - honest.low)


def test_bootstrap_repeats_with_its_seed_and_order_of_arrays():
    """The same seed gives the same interval; arrays are drawn in step."""
    x = np.arange(50.0)
    settings = {"n_resamples": 200, "random_state": 3}
    first = estimates.bootstrap(lambda a, b: float(np.abs(a - b).max()), x, x, **settings)
    assert (first.value, first.low, first.high) == (0.0, 0.0, 0.0)
    again = [estimates.bootstrap(np.mean, x, **settings) for _ in range(2)]
    assert again[0] == again[1]


def test_bootstrap_counts_only_defined_resamples():
    """Undefined resamples drop out and `n` says how many counted; too many are an error."""

    def share_of_nonzero(values):
        return float(np.mean(values)) if values.any() else math.nan

    settings = {"n_resamples": 400, "random_state": 0, "method": "percentile"}
    rare = np.array([1.0] + [0.0] * 9)
    assert 200 < estimates.bootstrap(share_of_nonzero, rare, **settings).n < 400
    with pytest.raises(InputError, match="defined on most resamples"):
        estimates.bootstrap(lambda _: math.nan, rare, **settings)


def test_bootstrap_refuses_arrays_of_different_lengths():
    """Lengths that differ are named in the sentence."""
    with pytest.raises(InputError, match=r"one length; got \[2, 3\]"):
        estimates.bootstrap(np.mean, [1, 2, 3], groups=[1, 2], n_resamples=50, random_state=0)


def test_corrected_t_test_equals_published_figures():
    """The corrected test halves the false certainty of the plain one, as published.

    Figures: scikit-learn's example plot_grid_search_stats (SVC with rbf against linear kernel on
    make_moons, 10 times 10 folds): corrected t 0.750 and one-sided p 0.227, plain 2.611 and 0.005.
    """
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    cv = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), X, y, cv=cv, scoring="roc_auc")
        for kernel in ("rbf", "linear")
    )
    test = estimates.corrected_t_test(rbf - linear, test_fraction=0.1)
    assert test.statistic == pytest.approx(0.750, abs=0.001)
    assert test.p_value / 2 == pytest.approx(0.227, abs=0.001)
    assert stats.ttest_rel(rbf, linear).statistic == pytest.approx(2.611, abs=0.001)


def test_corrected_interval_agrees_with_its_test():
    """The interval of the mean difference excludes zero exactly when p is below its level."""
    rng = np.random.default_rng(0)
    for shift in np.linspace(0, 0.05, 40):
        differences = rng.normal(shift, 0.02, size=5)
        test = estimates.corrected_t_test(differences, test_fraction=0.2)
        assert test.difference.covers(0) == (test.p_value >= 0.05)


def test_corrected_test_of_constant_differences():
    """No spread: equal models are not distinguishable, a constant gain is certain."""
    assert estimates.corrected_t_test([0.0] * 5, test_fraction=0.2).p_value == 1.0
    assert estimates.corrected_t_test([0.1] * 5, test_fraction=0.2).p_value == 0.0


def test_single_fold_has_no_interval_and_no_test():
    """One score gives a value without interval and a test without p-value."""
    assert not estimates.corrected_mean([0.7], test_fraction=0.2).has_interval
    assert math.isnan(estimates.corrected_t_test([0.1], test_fraction=0.2).p_value)


@pytest.mark.parametrize(
    ("scores", "fraction"), [([0.1, math.nan], 0.2), ([], 0.2), ([0.1, 0.2], 1.0)]
)
def test_corrected_mean_refuses_what_has_no_answer(scores, fraction):
    """Missing scores never turn into a silent NaN."""
    with pytest.raises(InputError):
        estimates.corrected_mean(scores, test_fraction=fraction)


def test_holm_equals_islp():
    """Adjusted p-values are those of ISLP, chapter 13 (ISLP_labs, Ch13-multiple-lab.ipynb)."""
    raw = [0.00620236, 0.91827115, 0.01160098, 0.6005396, 0.75578151]
    expected = [0.03101178, 1.0, 0.04640393, 1.0, 1.0]
    assert estimates.holm(raw) == pytest.approx(expected, rel=1e-5)


def test_benjamini_hochberg_equals_published_figures():
    """Adjusted p-values are those scipy's tests quote from TileStats (three decimals)."""
    raw = [0.005, 0.009, 0.019, 0.022, 0.051, 0.101, 0.361, 0.387]
    expected = [0.036, 0.036, 0.044, 0.044, 0.082, 0.135, 0.387, 0.387]
    assert estimates.benjamini_hochberg(raw) == pytest.approx(expected, abs=0.0006)


@pytest.mark.parametrize("adjust", [estimates.holm, estimates.benjamini_hochberg])
def test_tests_not_made_do_not_count(adjust):
    """NaN stays NaN and leaves the others as if it were not there; the input is not touched."""
    raw = np.array([0.01, math.nan, 0.04])
    assert adjust(raw)[[0, 2]] == pytest.approx(adjust([0.01, 0.04]))
    assert math.isnan(adjust(raw)[1])
    assert raw[0] == 0.01
    assert len(adjust([])) == 0


def test_wilson_equals_newcombe():
    """Intervals are those of Newcombe (1998), Statistics in Medicine 17:857, table I, method 3."""
    cases = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611)}
    for (k, n), expected in cases.items():
        estimate = estimates.wilson(k, n)
        assert (estimate.low, estimate.high) == pytest.approx(expected, abs=0.00006)


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2), (0, 0)])
def test_wilson_refuses_impossible_counts(k, n):
    """More cases than rows, a negative count or no rows: one sentence."""
    with pytest.raises(InputError, match="0 <= k <= n"):
        estimates.wilson(k, n)


def covered(draw, truth, *, n_simulations=400):
    """Return the share of simulated intervals that hold the truth."""
    rng = np.random.default_rng(20261123)
    return np.mean([draw(rng).covers(truth) for _ in range(n_simulations)])


def test_delong_interval_covers():
    """Normal scores one apart have area 0.7602; 95 % intervals hold it about 95 % of the time."""
    y = np.repeat([0, 1], 60)
    truth = stats.norm.cdf(1 / math.sqrt(2))
    assert 0.92 < covered(lambda rng: estimates.delong(y, rng.normal(y)), truth) < 0.98


def test_wilson_interval_covers():
    """Ten cases in a hundred: 95 % intervals hold the rate about 95 % of the time."""
    assert 0.92 < covered(lambda rng: estimates.wilson(rng.binomial(100, 0.1), 100), 0.1) < 0.98


def test_bootstrap_interval_covers():
    """90 % BCa intervals of the mean of a skewed sample hold the truth about 90 % of the time."""

    def draw(rng):
        sample = rng.exponential(size=60)
        return estimates.bootstrap(np.mean, sample, n_resamples=200, random_state=0, level=0.9)

    assert 0.85 < covered(draw, 1.0, n_simulations=200) < 0.95


def test_units_are_drawn_alike_by_rows_and_by_counts():
    """Means over the rows of drawn groups equal means of group sums, weighted by the counts."""
    rng = np.random.default_rng(0)
    groups, x = rng.integers(40, size=200), rng.normal(size=(200, 1))
    units = estimates.make_units(groups)
    how = {"n_resamples": 25, "random_state": 7}
    of_rows = [x[units.rows_of(d)].mean() for d in estimates.draw_units(len(units), **how)]
    sums, sizes = units.sum(x)[:, 0], units.sizes
    counts = np.concatenate(list(estimates.count_draws(len(units), **how, at_a_time=10)))
    assert counts @ sums / (counts @ sizes) == pytest.approx(of_rows)


def test_corrected_test_keeps_its_level_where_the_plain_one_fails():
    """Two equally bad models on cross-validation folds: the plain t-test cries wolf.

    Data is noise, so any difference between the models is luck that overlapping training rows
    repeat from fold to fold.
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import ShuffleSplit

    rng = np.random.default_rng(0)
    alarms = {"plain": 0, "corrected": 0}
    for _ in range(60):
        X, y = rng.normal(size=(60, 6)), rng.normal(size=60)
        differences = []
        for train, test in ShuffleSplit(15, test_size=0.2, random_state=0).split(X):
            errors = [
                np.mean(
                    (Ridge().fit(X[train][:, c], y[train]).predict(X[test][:, c]) - y[test]) ** 2
                )
                for c in (slice(0, 3), slice(3, 6))
            ]
            differences.append(errors[0] - errors[1])
        alarms["plain"] += stats.ttest_1samp(differences, 0).pvalue < 0.05
        alarms["corrected"] += (
            estimates.corrected_t_test(differences, test_fraction=0.2).p_value < 0.05
        )
    assert alarms["corrected"] / 60 < 0.12
    assert alarms["plain"] / 60 > 0.15


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.7719, 0.7602, 0.7841), "0.772 [0.760, 0.784]"),
        (Estimate(0.00123, -0.0021, 0.0045), "0.0012 [-0.0021, 0.0045]"),
        (Estimate(53.21, 51.0, 55.5), "53.21 [51.00, 55.50]"),
        (Estimate(1234567.8), "1,234,568"),
        (Estimate(0.0), "0.000"),
        (Estimate(math.inf), "inf"),
    ],
)
def test_estimate_reads_well(estimate, text):
    """Decimals follow the size of the number, value and ends alike."""
    assert str(estimate) == text


def test_large_numbers_are_read_with_their_thousands():
    """A salary or a cost is never shown as a power of ten, wherever digits are cut."""
    cut = [
        estimates.format_digits(value, n)
        for n in (2, 3, 4)
        for value in (9_996.0, 45_321.7, -1_234_567.0)
    ]
    assert cut == ["9,996", "45,322", "-1,234,567"] * 3
    assert [estimates.format_digits(value, 2) for value in (99.4, 99.6, 0.0)] == ["99", "100", "0"]
    salaries = load_data(
        pd.DataFrame({"x": np.sqrt(np.arange(30)), "salary": np.linspace(31_250.5, 755_000, 30)}),
        target="salary",
    )
    assert salaries.summary() == "30 rows × 1 features; salary 31,250 to 755,000"
