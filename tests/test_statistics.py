"""What columns hold and how they go together, against planted truths and independent formulas."""

import datetime as dt
import decimal
from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.stats import contingency

from lib import statistics
from lib.errors import InputError
from lib.estimates import benjamini_hochberg
from lib.statistics import columns, screening
from lib.statistics.associations import independence_p

N_NULL = 400  # simulated tables without any relation


def most_alarms(rate: float, n: int = N_NULL) -> float:
    """Return the share of alarms that a true rate exceeds once in a hundred times."""
    return stats.binom.ppf(0.99, n, rate) / n


def make_mixed(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return independent columns of every kind, with gaps, ties, rare levels and outliers."""
    return pd.DataFrame(
        {
            "normal": rng.normal(size=n),
            "heavy": np.exp(2 * rng.normal(size=n)),
            "count": rng.poisson(1, size=n),
            "gaps": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "category": rng.choice(list("abcdef"), size=n, p=[0.5, 0.3, 0.1, 0.05, 0.03, 0.02]),
            "rare": rng.random(n) < 0.1,
        }
    )


# ── What a column holds ─────────────────────────────────────────────────────────────────────

N = 60
DAYS = pd.Series(pd.date_range("2024-03-30 23:00", periods=N))  # across a change of clocks
HOSTILE = {
    "constant": ([1.0] * N, "constant"),
    "constant date": ([dt.date(2024, 1, 1)] * N, "constant"),
    "nothing": ([None] * N, "empty"),
    "not a number": ([np.nan] * N, "empty"),
    "one value and gaps": ([1.0] * 30 + [np.nan] * 30, "numeric"),
    "identifiers": (range(N), "numeric"),
    "booleans": ([True, False] * 30, "numeric"),
    "booleans with gaps": ([True, False, None] * 20, "numeric"),
    "arrow booleans": (pd.array([True, False, None] * 20, dtype="bool[pyarrow]"), "numeric"),
    "infinities": ([np.inf, -np.inf, 1.0] * 20, "numeric"),
    "decimals": ([decimal.Decimal(i) for i in range(N)], "numeric"),
    "nullable integers": (pd.array([1, None, 3] * 20, dtype="Int64"), "numeric"),
    "dates": (DAYS, "datetime"),
    "dates with a zone": (DAYS.dt.tz_localize("Europe/Berlin"), "datetime"),
    "plain dates": (DAYS.dt.date.astype(object), "datetime"),
    "arrow times": (DAYS.astype("timestamp[ns][pyarrow]"), "datetime"),
    "arrow dates": (
        DAYS.astype("timestamp[ns][pyarrow]").astype("date32[pyarrow]"),
        "datetime",
    ),
    "arrow times with a zone": (
        DAYS.astype("timestamp[ns][pyarrow]").dt.tz_localize("Europe/Berlin"),
        "datetime",
    ),
    "durations": (DAYS - DAYS[0], "datetime"),
    "plain durations": ([dt.timedelta(i) for i in range(N)], "datetime"),
    "arrow durations": ((DAYS - DAYS[0]).astype("duration[ns][pyarrow]"), "datetime"),
    "numbers and words": ([1, "a", 2.5, None] * 15, "categorical"),
    "categories": (pd.Categorical([1, 2, None] * 20, categories=[3, 2, 1]), "categorical"),
    "complex": ([complex(i % 5, 1) for i in range(N)], "categorical"),
    "lists": ([[i % 5] for i in range(N)], "categorical"),
    "text": ([f"remark {i}" for i in range(N)], "text"),
    "dictionaries": ([{"a": i} for i in range(N)], "text"),
}


def hostile_column(name: str) -> pd.Series:
    """Return a column of the table above."""
    values = HOSTILE[name][0]
    plain = name.startswith("plain durations") or name == "decimals"
    return pd.Series(values, dtype=object) if plain else pd.Series(values)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_columns_have_the_kind_a_reader_expects(name):
    """Each storage of the same content gets the same kind."""
    assert statistics.column_kinds(hostile_column(name).to_frame("x"))["x"] == HOSTILE[name][1]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("n_rows", [0, 1, 2, N])
def test_hostile_columns_go_through_every_table(name, n_rows):
    """No column, however odd or short, stops a table, and each table names it."""
    rng = np.random.default_rng(0)
    frame = hostile_column(name).to_frame("x").assign(y=rng.normal(size=N), z=["a", "b"] * 30)
    short = frame.head(n_rows)
    assert statistics.compute_types(short)["column"].tolist() == ["x", "y", "z"]
    assert set(statistics.compare_samples(short, frame)["column"]) == {"x", "y", "z"}
    assert len(statistics.compute_associations(short, method="pearson")) <= 3
    for task, y in (("binary", [0, 1] * 30), ("regression", rng.normal(size=N))):
        target = pd.Series(y).head(n_rows)
        owner = pd.Series(np.arange(n_rows) // 4)
        table = statistics.compare_with_target(short, target, task=task, groups=owner)
        assert set(table["feature"]) == {"x", "y", "z"}


@pytest.mark.parametrize(
    "name", [name for name, (_, kind) in HOSTILE.items() if kind == "datetime"]
)
def test_times_become_seconds_whatever_their_storage(name):
    """A day is 86,400 seconds in every type of dates and durations."""
    seconds = statistics.numbers_of(hostile_column(name))
    is_date = name in {"plain dates", "arrow dates"}
    assert_allclose(np.diff(seconds), 86_400)
    assert is_date or "duration" in name or seconds[0] == DAYS[0].timestamp()


def test_numbers_of_keeps_what_is_known_and_nothing_else():
    """Numbers in words are read, other words and complex numbers have no place in an order."""
    words = statistics.numbers_of(pd.Series(["1.5", "x", None, True], dtype=object))
    assert_allclose(words, [1.5, np.nan, np.nan, 1.0])
    assert np.isnan(statistics.numbers_of(pd.Series([1 + 2j]))).all()


def test_as_frame_gives_distinct_names_from_any_table():
    """Repeated names are numbered past the names that exist, and polars equals pandas."""
    table = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a (2)"])
    assert list(statistics.as_frame(table)) == ["a", "a (3)", "a (2)"]
    values = {"a": [1, None, 3], "b": ["x", None, "y"], "c": [True, False, True]}
    frames = [pl.DataFrame(values), pl.DataFrame(values).lazy(), pd.DataFrame(values)]
    types = [statistics.compute_types(statistics.as_frame(frame)) for frame in frames]
    for other in types[1:]:
        assert types[0].drop(columns="dtype").equals(other.drop(columns="dtype"))
    sparse = pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])})
    assert statistics.as_frame(sparse)["s"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("data", [None, 3, "table.csv", np.zeros((2, 2, 2))])
def test_as_frame_refuses_what_is_no_table(data):
    """The error names the type that was given."""
    with pytest.raises(InputError, match=type(data).__name__):
        statistics.as_frame(data)


def test_compute_missing_counts_gaps_with_wilson_intervals():
    """Columns without gaps are left out, and the interval is that of statsmodels."""
    from statsmodels.stats.proportion import proportion_confint

    table = statistics.compute_missing(pd.DataFrame({"a": [1.0] * 10, "b": [None] * 3 + [1.0] * 7}))
    share = table["share"].iloc[0]
    assert table["column"].tolist() == ["b"]
    assert_allclose([share.low, share.high], proportion_confint(3, 10, method="wilson"))


def test_sample_rows_is_a_reproducible_draw_in_order():
    """The same seed draws the same rows, in the table's order, each once."""
    frame = pd.DataFrame({"a": range(1_000)})
    first, again = (statistics.sample_rows(frame, 100, 1)["a"] for _ in range(2))
    assert first.equals(again)
    assert first.is_monotonic_increasing
    assert first.is_unique
    assert not first.equals(statistics.sample_rows(frame, 100, 2)["a"])


@pytest.mark.parametrize("shift", [1, 3, 10, 500])
def test_bins_hold_equal_counts_and_heavy_values_stand_alone(shift):
    """Zeros fill their own bin, the others differ by at most the ties at a cut."""
    rng = np.random.default_rng(shift)
    numbers = np.r_[np.zeros(600), rng.exponential(size=900)]
    codes, names = columns.bins_of(numbers, 10)
    sizes = np.bincount(codes)
    assert len(names) == len(sizes)
    assert set(codes[numbers == 0]) == {codes[numbers == 0][0]}
    assert sizes.max() == 600
    assert np.ptp(np.delete(sizes, sizes.argmax())) <= 1


def test_bins_do_not_depend_on_order_scale_or_few_rows():
    """Bins move with their rows, a thousandfold scale changes none, a dozen rows make two."""
    rng = np.random.default_rng(0)
    numbers, order = rng.normal(size=300), rng.permutation(300)
    codes = columns.bins_of(numbers)[0]
    assert (columns.bins_of(numbers[order])[0] == codes[order]).all()
    assert (columns.bins_of(numbers * 1_000)[0] == codes).all()
    assert columns.bins_of(np.arange(12.0))[1] == ["≤ 5", "> 5"]
    assert columns.bins_of(np.arange(12.0), 1)[1] == ["0 to 11"]


def test_merge_rare_keeps_the_most_frequent_levels():
    """The rest is one level, missing stays missing."""
    codes = np.array([0] * 5 + [1] * 3 + [2] * 4 + [3] + [-1])
    merged, names = columns.merge_rare(codes, list("abcd"), 3)
    assert names == ["a", "c", "(other)"]
    assert merged.tolist() == [0] * 5 + [2] * 3 + [1] * 4 + [2] + [-1]


# ── How strongly columns go together ────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(5))
def test_cramers_v_equals_scipy_and_bergsmas_formula(seed):
    """Uncorrected it is SciPy's; corrected it is the formula written out by hand."""
    rng = np.random.default_rng(seed)
    table = rng.integers(1, 30, size=rng.integers(2, 6, size=2))
    n, (r, k) = table.sum(), table.shape
    plain = contingency.association(table, method="cramer")
    assert_allclose(statistics.cramers_v(table, corrected=False), plain)
    phi2 = max(0, plain**2 * (min(r, k) - 1) - (r - 1) * (k - 1) / (n - 1))
    sides = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    assert_allclose(statistics.cramers_v(table), np.sqrt(phi2 / (min(sides) - 1)))
    assert_allclose(statistics.cramers_v(table.T), statistics.cramers_v(table))


def test_cramers_v_at_its_ends():
    """Identity gives 1, independence 0, a single level no answer; empty levels do not count."""
    assert statistics.cramers_v(np.diag([5, 7, 9])) == pytest.approx(1)
    assert statistics.cramers_v(np.outer([10, 20], [30, 40])) == 0
    assert statistics.cramers_v([[5, 0, 0], [0, 0, 5]]) == pytest.approx(1)
    assert np.isnan(statistics.cramers_v([[5, 7]]))


@pytest.mark.parametrize("seed", range(5))
def test_correlation_ratio_equals_anova(seed):
    """η² is what one-way ANOVA explains, ε² its adjusted R², whatever the scale and place."""
    rng = np.random.default_rng(seed)
    group = rng.choice(list("abcd"), 80)
    x = rng.normal(size=80) + (group == "a")
    f = stats.f_oneway(*(x[group == name] for name in "abcd")).statistic
    eta2 = 3 * f / (3 * f + 76)
    epsilon2 = max(1 - (1 - eta2) * 79 / 76, 0)
    for numbers in (x, x * 1e-9, x * 1e9, x + 1_000):
        assert_allclose(statistics.correlation_ratio(group, numbers) ** 2, eta2)
        corrected = statistics.correlation_ratio(group, numbers, corrected=True)
        assert_allclose(corrected**2, epsilon2, atol=1e-12)
    gaps = np.r_[x, np.nan, 5.0], [*group, "a", None]
    assert_allclose(statistics.correlation_ratio(gaps[1], gaps[0]) ** 2, eta2)
    assert np.isnan(statistics.correlation_ratio(group, np.ones(80)))


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_correlations_equal_scipy_with_ties(method):
    """Spearman takes midranks for ties; a pair's sign is kept."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 200).astype(float)
    frame = pd.DataFrame({"x": x, "y": -x + rng.integers(0, 3, 200), "z": rng.normal(size=200)})
    table = statistics.compute_associations(frame, method=method).set_index(["first", "second"])
    compute = stats.spearmanr if method == "spearman" else stats.pearsonr
    for pair in combinations("xyz", 2):
        assert_allclose(table.loc[pair, "value"], compute(*frame[list(pair)].to_numpy().T)[0])
    assert table["value"].iloc[0] < -0.5


def test_missing_values_are_left_out_pair_by_pair():
    """Pearson equals pandas' pairwise correlation, an infinity counts as missing, n says it."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("xyz")).cumsum(axis=1)
    frame = frame.mask(rng.random((100, 3)) < 0.2)
    expected, both = frame.corr(), frame["x"].notna() & frame["y"].notna()
    frame.loc[frame["x"].isna(), "x"] = np.inf
    table = statistics.compute_associations(frame, method="pearson").set_index(["first", "second"])
    for pair in combinations("xyz", 2):
        assert_allclose(table.loc[pair, "value"], expected.loc[pair])
    assert table.loc[("x", "y"), "n"] == both.sum()


def test_mixed_pairs_equal_the_functions_of_two_columns():
    """A category with a number is ε of its ranks, two categories are corrected V."""
    rng = np.random.default_rng(1)
    a = rng.choice(list("abc"), 150)
    frame = pd.DataFrame({"a": a, "b": np.where(rng.random(150) < 0.6, a, "c")})
    frame["x"] = rng.normal(size=150) + (frame["a"] == "a")
    table = statistics.compute_associations(frame).set_index(["first", "second"])["value"]
    crossed = pd.crosstab(frame["a"], frame["b"])
    assert_allclose(table["a", "b"], statistics.cramers_v(crossed))
    ranks = stats.rankdata(frame["x"])
    epsilon = statistics.correlation_ratio(frame["a"], ranks, corrected=True)
    assert_allclose(table["a", "x"], epsilon)


def test_associations_do_not_depend_on_rows_order_or_scale():
    """A shuffle, polars, and a thousandfold column give the same table."""
    rng = np.random.default_rng(2)
    frame = make_mixed(rng, 200)
    frame["copy"] = frame["normal"] + 0.1 * frame["count"]
    first = statistics.compute_associations(frame)
    shuffled = statistics.compute_associations(frame.sample(frac=1, random_state=0))
    scaled = statistics.compute_associations(frame.assign(normal=frame["normal"] * 1_000))
    polars = statistics.compute_associations(statistics.as_frame(pl.from_pandas(frame)))
    for other in (shuffled, scaled, polars):
        pd.testing.assert_frame_equal(first, other)
    assert set(first.loc[0, ["first", "second"]]) == {"normal", "copy"}


def test_independent_categories_have_no_association_on_average():
    """The corrections take off what chance gives: V² and ε² are near 0 for many levels."""
    rng = np.random.default_rng(3)
    levels = [f"level {i}" for i in range(20)]
    values = []
    for _ in range(60):
        frame = pd.DataFrame({name: rng.choice(levels, 200) for name in "ab"})
        values.append(statistics.cramers_v(pd.crosstab(frame["a"], frame["b"])) ** 2)
    assert np.mean(values) < 0.01


def test_as_matrix_is_symmetric_and_puts_partners_side_by_side():
    """Two planted pairs of four columns come out adjacent; no pairs give an empty table."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(300, 2))
    noisy = base + 0.1 * rng.normal(size=(300, 2))
    frame = pd.DataFrame({"a1": base[:, 0], "b1": base[:, 1], "a2": noisy[:, 0], "b2": noisy[:, 1]})
    matrix = statistics.as_matrix(statistics.compute_associations(frame))
    names = [name[0] for name in matrix.columns]
    assert names in (["a", "a", "b", "b"], ["b", "b", "a", "a"])
    assert_allclose(matrix, matrix.T)
    assert_allclose(np.diag(matrix), 1)
    none = statistics.compute_associations(frame[["a1"]])
    assert statistics.as_matrix(none).shape == (0, 0)


@pytest.mark.parametrize(("n", "first", "second"), [(20, 3, 7), (60, 6, 20), (300, 5, 8)])
def test_independence_p_has_the_moments_of_the_permutation_distribution(n, first, second):
    """The gamma distribution's mean and variance are those of the hypergeometric 2 × 2 table."""
    cell = np.arange(min(first, second) + 1)
    share = stats.hypergeom(n, first, second).pmf(cell)
    spread = first * (n - first) * second * (n - second) / n**3
    chi2 = (cell - first * second / n) ** 2 / spread
    mean = (share * chi2).sum()
    variance = (share * chi2**2).sum() - mean**2
    expected = stats.gamma(mean**2 / variance, scale=variance / mean).sf(chi2)
    given = [independence_p(x, [first, n - first], [second, n - second]) for x in chi2]
    assert_allclose(given, expected, rtol=1e-6)


def test_independence_p_is_the_usual_one_for_many_rows():
    """With thousands of rows in every level it is the χ² test."""
    usual = stats.chi2.sf([5.0, 12.0, 30.0], 6)
    margins = [40_000, 50_000, 60_000], [30_000, 40_000, 50_000, 30_000]
    assert_allclose([independence_p(x, *margins) for x in (5, 12, 30)], usual, rtol=1e-3)
    assert np.isnan(independence_p(1, [5], [2, 3]))


# ── Every feature against the target ────────────────────────────────────────────────────────


def test_q_is_benjamini_and_hochberg_over_the_tests_made():
    """SciPy's adjustment of the p-values; a constant feature was not tested and does not count."""
    rng = np.random.default_rng(0)
    X = make_mixed(rng, 100).assign(constant=1)
    table = statistics.compare_with_target(X, pd.Series(rng.normal(size=100)), task="regression")
    made = table[table["feature"] != "constant"]
    assert_allclose(made["q"], stats.false_discovery_control(made["p"]))
    assert np.isnan(table.set_index("feature").loc["constant", "q"])
    assert_allclose(benjamini_hochberg(table["p"]), table["q"])


def test_p_values_equal_scipys_tests():
    """A category against numbers is ANOVA of ranks; the strength is ε of the ranks, V of classes."""
    rng = np.random.default_rng(0)
    group = rng.choice(list("abc"), 300)
    y = rng.normal(size=300) + 0.3 * (group == "a")
    X = pd.DataFrame({"group": group})
    row = statistics.compare_with_target(X, pd.Series(y), task="regression").iloc[0]
    ranks = stats.rankdata(y)
    anova = stats.f_oneway(*(ranks[group == name] for name in "abc"))
    assert_allclose(row["p"], anova.pvalue)
    epsilon = statistics.correlation_ratio(group, ranks, corrected=True)
    assert_allclose(row["strength"].value, epsilon, rtol=0.05)
    classes = pd.Series((y > 0).astype(int))
    row = statistics.compare_with_target(X, classes, task="binary").iloc[0]
    crossed = pd.crosstab(group, classes.to_numpy())
    chi2 = stats.chi2_contingency(crossed, correction=False)
    assert_allclose(row["p"], chi2.pvalue, rtol=0.05)
    assert_allclose(row["strength"].value, statistics.cramers_v(crossed), atol=0.01)


@pytest.mark.parametrize(
    ("shape", "curve"),
    [
        ("rises", lambda x: x),
        ("falls", lambda x: -np.exp(x)),
        ("bent", lambda x: x**2),
        ("bent", lambda x: -np.abs(x)),
    ],
)
@pytest.mark.parametrize("task", ["regression", "binary"])
def test_planted_signals_are_found_with_their_shape(shape, curve, task):
    """Lines, their signs and bends are told apart, and come before noise."""
    rng = np.random.default_rng(0)
    X = make_mixed(rng, 600)
    score = curve(X["normal"]) + 0.5 * rng.normal(size=600)
    y = score if task == "regression" else (score > score.median()).astype(int)
    table = statistics.compare_with_target(X, y, task=task)
    assert table.loc[0, "feature"] == "normal"
    assert table.loc[0, "shape"] == shape
    assert table.loc[0, "strength"].low > 0.3
    assert np.sign(table.loc[0, "correlation"]) == {"rises": 1, "falls": -1}.get(
        shape, np.sign(table.loc[0, "correlation"])
    )


def test_a_gap_that_tells_something_is_found():
    """Missing values are a level of their own: only the gap goes with the target."""
    rng = np.random.default_rng(0)
    gap = rng.random(500) < 0.3
    X = pd.DataFrame({"x": np.where(gap, np.nan, rng.normal(size=500))})
    y = pd.Series((rng.random(500) < np.where(gap, 0.7, 0.3)).astype(int))
    table = statistics.compare_with_target(X, y, task="binary")
    assert table.loc[0, "q"] < 1e-6
    assert abs(table.loc[0, "correlation"]) < 0.15


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_without_any_relation_signs_are_as_rare_as_promised(task):
    """Over 400 tables of noise, five in a hundred claim a sign, rare classes and levels or not."""
    n_false = 0
    for seed in range(N_NULL):
        rng = np.random.default_rng(seed)
        X = make_mixed(rng, 120)[["gaps", "category"]]
        y = {
            "binary": (rng.random(120) < 0.1).astype(int),
            "multiclass": rng.choice(3, 120, p=[0.6, 0.3, 0.1]),
            "regression": rng.standard_t(2, 120),
        }[task]
        table = statistics.compare_with_target(X, pd.Series(y), task=task)
        n_false += bool((~table["shape"].isin(["no sign", "does not vary"])).any())
    assert n_false / N_NULL <= most_alarms(0.05)


def test_rows_that_repeat_raise_no_more_signs():
    """Traits of thirty persons seen ten times each are no 300 rows; ignoring it is shown wrong."""
    n_false, n_naive, n_tables = 0, 0, 120
    for seed in range(n_tables):
        rng = np.random.default_rng(seed)
        owner = np.repeat(np.arange(30), 10)
        X = pd.DataFrame({"trait": rng.choice(list("abc"), 30)[owner]})
        y = pd.Series((rng.normal(size=30)[owner] + 0.3 * rng.normal(size=300) > 0).astype(int))
        groups = pd.Series(owner)
        aware = statistics.compare_with_target(X, y, task="binary", groups=groups)
        n_false += bool(aware.loc[0, "p"] < 0.05)
        n_naive += bool(statistics.compare_with_target(X, y, task="binary").loc[0, "p"] < 0.05)
    assert n_false / n_tables <= most_alarms(0.05, n_tables)
    assert n_naive / n_tables > 0.3


@pytest.mark.parametrize(
    ("task", "n_rows", "slope"),
    [("binary", 200, 0.5), ("regression", 200, 0.5), ("regression", 17, 2.0)],
)
def test_intervals_of_strength_cover_the_truth(task, n_rows, slope):
    """Of 200 intervals at 90 % about 180 hold the strength of 300,000 rows, of few rows too."""

    def draw(rng, n):
        group = rng.permutation(np.arange(n) % 3)
        score = slope * group + rng.normal(size=n)
        y = pd.Series(score if task == "regression" else (score > 0.5).astype(int))
        return statistics.compare_with_target(
            pd.DataFrame({"g": group}).astype("category"), y, task=task, confidence=0.9
        ).loc[0, "strength"]

    truth = draw(np.random.default_rng(0), 300_000).value
    n_covered = sum(draw(np.random.default_rng(seed), n_rows).covers(truth) for seed in range(200))
    assert stats.binom.ppf(0.005, 200, 0.9) <= n_covered <= stats.binom.ppf(0.999, 200, 0.9)


@pytest.mark.parametrize("statistic", [0.5, 4.0, 80.0, 9_999.0, 10_001.0, 1e6])
@pytest.mark.parametrize("degrees", [1, 9, 200])
def test_noncentral_interval_inverts_the_distribution(statistic, degrees):
    """At each end the draw is the quantile it should be, by SciPy's noncentral χ².

    The upper end of a draw below the middle of chance is that of the middle: never nothing.
    """
    low, high = screening.noncentral_interval(statistic, degrees, 0.9)
    middle = max(statistic, stats.chi2.median(degrees))
    for end, draw, tail in ((low, statistic, 0.95), (high, middle, 0.05)):
        if end:
            below = stats.norm.cdf((draw - degrees - end) / np.sqrt(2 * degrees + 4 * end))
            if draw <= 1e4:
                below = stats.ncx2.cdf(draw, degrees, end)
            assert_allclose(below, tail, atol=0.01)
        else:
            assert stats.chi2.cdf(draw, degrees) <= tail
    assert low <= max(statistic - degrees, 0) <= high
    assert high > 0


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_few_rows_never_rule_out_every_relation(task):
    """A feature spread evenly over the target has strength 0, and an interval that is not zero."""
    X = pd.DataFrame({"x": ["a", "b"] * 12})
    y = pd.Series(np.repeat(np.arange(12), 2) if task == "regression" else [0, 0, 1, 1] * 6)
    strength = statistics.compare_with_target(X, y, task=task).loc[0, "strength"]
    assert strength.value == 0
    assert strength.low == 0
    assert strength.high > 0.1


def test_screening_does_not_depend_on_rows_order_scale_or_library():
    """A shuffle, a thousandfold column, polars, an odd index give the same table."""
    rng = np.random.default_rng(1)
    X = make_mixed(rng, 300)
    y = pd.Series((X["count"] + rng.normal(size=300) > 1).astype(int))
    order = rng.permutation(300)
    runs = [
        (X, y),
        (X.iloc[order], y.iloc[order]),
        (X.assign(normal=X["normal"] * 1_000), y),
        (statistics.as_frame(pl.from_pandas(X)), y),
        (X.set_axis(range(900, 1_200)), y.set_axis(range(300))),
    ]
    tables = [statistics.compare_with_target(*run, task="binary") for run in runs]
    for other in tables[1:]:
        same = ["feature", "shape", "levels", "correlation", "p", "q"]
        pd.testing.assert_frame_equal(tables[0][same], other[same])
    assert str(tables[0]) == str(statistics.compare_with_target(X, y, task="binary"))


def test_a_target_that_does_not_vary_gets_no_answer():
    """One class, one number and one row say nothing about a feature."""
    X = pd.DataFrame({"x": np.arange(30.0)})
    for task, y in (("binary", [1] * 30), ("regression", [2.5] * 30)):
        table = statistics.compare_with_target(X, pd.Series(y), task=task)
        assert table.loc[0, "shape"] == "does not vary"
        assert np.isnan(table.loc[0, "p"])


def test_screening_says_what_is_wrong_with_its_input():
    """Lengths that differ, and missing targets, are named with their counts."""
    X, y = pd.DataFrame({"x": [1.0, 2.0, 3.0]}), pd.Series([1.0, np.nan, 2.0])
    with pytest.raises(InputError, match="3 rows, 2 targets"):
        statistics.compare_with_target(X, y.head(2), task="regression")
    with pytest.raises(InputError, match="1 missing"):
        statistics.compare_with_target(X, y, task="regression")


def test_feature_levels_name_every_code():
    """Dates are named by their first and last day, gaps are a level, and no code is without a name."""
    codes, names = statistics.feature_levels(DAYS.dt.tz_localize("Europe/Berlin"), "datetime")
    assert names[0].startswith("2024-03-30 to 2024-")
    assert len(names) == codes.max() + 1
    gaps = statistics.feature_levels(pd.Series([1.0, np.nan, 1.0]), "numeric")
    assert gaps[1] == ["1", "(missing)"]
    assert gaps[0].tolist() == [0, 1, 0]
