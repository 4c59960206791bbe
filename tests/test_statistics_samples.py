"""Samples side by side, targets over time, and the sentences on both, against planted truths."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import signal, stats

from lib import statistics
from lib.data import make_planted
from lib.errors import InputError
from lib.statistics import periods
from lib.statistics.observations import MAX_OBSERVATIONS

N_NULL = 400


def most_alarms(rate: float, n: int = N_NULL) -> float:
    """Return the share of alarms that a true rate exceeds once in a hundred times."""
    return stats.binom.ppf(0.99, n, rate) / n


def make_table(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return independent columns: numbers, ties, gaps and levels."""
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "count": rng.poisson(1, size=n),
            "gaps": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "level": rng.choice(list("abcd"), size=n, p=[0.6, 0.25, 0.1, 0.05]),
        }
    )


def verdict(first: object, second: object) -> str:
    """Return what is said of one column."""
    frames = (pd.DataFrame({"c": pd.Series(values)}) for values in (first, second))
    return statistics.compare_samples(*frames)["verdict"].iloc[0]


# ── Two samples ─────────────────────────────────────────────────────────────────────────────


def test_samples_of_one_population_look_the_same():
    """Of 400 random splits at least 95 in a hundred raise no alarm in any column."""
    n_alarms = 0
    for seed in range(N_NULL):
        table = make_table(np.random.default_rng(seed), 200)[["gaps", "level"]]
        drift = statistics.compare_samples(table[:150], table[150:])
        n_alarms += bool((drift["verdict"] != "same").any())
    assert n_alarms / N_NULL <= most_alarms(0.05)


def test_a_shift_of_one_standard_deviation_is_found():
    """Only the shifted column is called so, and comes first."""
    rng = np.random.default_rng(0)
    first, second = make_table(rng, 400), make_table(rng, 100)
    drift = statistics.compare_samples(first, second.assign(x=second["x"] + 1))
    assert drift[["column", "verdict"]].iloc[0].tolist() == ["x", "shifted"]
    assert set(drift["verdict"].iloc[1:]) == {"same"}
    expected = 2 * stats.norm.cdf(0.5) - 1  # the distance of two normals one sd apart
    assert drift["distance"].iloc[0] == pytest.approx(expected, abs=0.12)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0] * 200, [5] * 50),  # a constant that changes
        ([0, 1] * 100, [7, 8] * 25),
        ([None] * 200, [1.0, 2.0] * 25),  # a column that begins to exist
        ([1.0, 2.0] * 100, [None] * 50),
        (["a", "b"] * 100, ["c", "d"] * 25),
        ([1.0, 2.0] * 100, ["1.0 kg", "2.0 kg"] * 25),
        (pd.date_range("2024", periods=200), pd.date_range("2025", periods=50)),
        ([f"{i} x" for i in range(200)], [f"{i} " + "x" * 90 for i in range(200)]),
    ],
)
def test_new_values_are_a_shift(first, second):
    """A column whose values were never seen before is called shifted, whatever it holds."""
    assert verdict(first, second) == "shifted"


def test_distances_equal_scipys():
    """The distance is Kolmogorov and Smirnov's with its asymptotic p; levels give V and χ²."""
    rng = np.random.default_rng(0)
    first, second = make_table(rng, 300), make_table(rng, 200)
    second["x"] += 0.2
    drift = statistics.compare_samples(first, second).set_index("column")
    ks = stats.ks_2samp(first["x"], second["x"], method="asymp")
    assert_allclose(drift.loc["x", "distance"], ks.statistic)
    effective = ks.statistic * np.sqrt(300 * 200 / 500)
    assert_allclose(drift.loc["x", "p"], stats.kstwobign.sf(effective))
    counts = [frame["level"].value_counts().sort_index() for frame in (first, second)]
    chi2 = stats.chi2_contingency(counts, correction=False)
    assert_allclose(drift.loc["level", "p"], chi2.pvalue)
    assert_allclose(drift.loc["level", "distance"], np.sqrt(chi2.statistic / 500))
    assert_allclose(drift["q"], stats.false_discovery_control(drift["p"]))


def test_stability_index_by_hand():
    """It is Σ (b - a) ln(b / a), symmetric, 0 for equal shares; unused bins count for nothing."""
    a, b = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    index = statistics.stability_index(a * 1e6, b * 1e6)
    assert index == pytest.approx(((b - a) * np.log(b / a)).sum(), rel=1e-4)
    assert_allclose(
        statistics.stability_index([5, 7], [2, 9]), statistics.stability_index([2, 9], [5, 7])
    )
    assert statistics.stability_index([50, 70, 0], [50, 70, 0]) == 0
    assert statistics.stability_index([5, 7, 0], [2, 9, 0]) == statistics.stability_index(
        [5, 7], [2, 9]
    )
    assert np.isnan(statistics.stability_index([0, 0], [1, 2]))


def test_drift_does_not_depend_on_order_or_scale():
    """Shuffled rows and a thousandfold column give the same verdicts and distances."""
    rng = np.random.default_rng(3)
    first, second = make_table(rng, 300), make_table(rng, 100)
    base = statistics.compare_samples(first, second)
    shuffled = statistics.compare_samples(
        first.sample(frac=1, random_state=0), second.sample(frac=1, random_state=0)
    )
    pd.testing.assert_frame_equal(base, shuffled)
    scaled = [frame.assign(x=frame["x"] * 1_000) for frame in (first, second)]
    pd.testing.assert_frame_equal(base, statistics.compare_samples(*scaled))


def test_repeated_rows_raise_no_more_alarms_of_drift():
    """New persons, five rows each, are no sign that the population changed."""
    n_false, n_naive, n_tables = 0, 0, 100
    for seed in range(n_tables):
        rng = np.random.default_rng(seed)
        owner = np.repeat(np.arange(50), 5)
        frame = pd.DataFrame({"x": rng.normal(size=50)[owner] + 0.1 * rng.normal(size=250)})
        parts = frame[:200], frame[200:]
        groups = pd.Series(owner[:200])
        aware = statistics.compare_samples(*parts, groups=groups)
        n_false += bool(aware.loc[0, "p"] < 0.05)
        n_naive += bool(statistics.compare_samples(*parts).loc[0, "p"] < 0.05)
    assert n_false / n_tables <= most_alarms(0.05, n_tables)
    assert n_naive / n_tables > 0.2


def test_a_column_that_the_second_sample_lacks_is_named():
    """The error says which column, and what to do."""
    with pytest.raises(InputError, match=r"income.*Compare only"):
        statistics.compare_samples(pd.DataFrame({"income": [1]}), pd.DataFrame({"age": [1]}))


# ── A target over time ──────────────────────────────────────────────────────────────────────


def make_series(rng: np.random.Generator, n: int, memory: float) -> pd.Series:
    """Return a stationary series where each value remembers the one before."""
    noise = rng.normal(size=n + 100)
    return pd.Series(signal.lfilter([1], [1, -memory], noise)[100:])


def days(n: int) -> pd.Series:
    """Return consecutive days, a Monday first."""
    return pd.Series(pd.date_range("2024-01-01", periods=n), name="day")


def test_a_planted_trend_is_found_with_its_sign():
    """Kendall's τ is SciPy's, and a fall is negative."""
    rng = np.random.default_rng(0)
    values = pd.Series(-0.1 * np.arange(50) + rng.normal(size=50))
    profile = statistics.compute_time_profile(days(50), values)
    assert profile.trend.value == pytest.approx(stats.kendalltau(np.arange(50), values).statistic)
    assert profile.trend.value < -0.3
    assert profile.trend_p < 0.001


@pytest.mark.parametrize(("memory", "rate"), [(0.0, 0.05), (0.6, 0.08)])
def test_memory_is_rarely_mistaken_for_a_trend_or_a_season(memory, rate):
    """Without a trend or a season, p is below 5 % about as often as it says, memory or not."""
    n_trends, n_seasons, n_tables = 0, 0, 120
    for seed in range(n_tables):
        values = make_series(np.random.default_rng(seed), 58, memory)
        profile = statistics.compute_time_profile(days(58), values)
        n_trends += profile.trend_p < 0.05
        n_seasons += profile.seasons["p"].iloc[0] < 0.05
    assert n_trends / n_tables <= most_alarms(rate, n_tables)
    assert n_seasons / n_tables <= most_alarms(0.05, n_tables)


def test_a_planted_weekday_is_found_with_its_peak():
    """A swing on Sundays is the season, Sunday its peak, and its share of the spread is right."""
    rng = np.random.default_rng(0)
    day = days(56)
    swing = np.where(day.dt.day_of_week == 6, 3.0, 0.0)
    profile = statistics.compute_time_profile(day, pd.Series(swing + 0.5 * rng.normal(size=56)))
    season = profile.seasons.set_index("cycle").loc["day of the week"]
    explained = 9 * (1 / 7) * (6 / 7) / (9 * (1 / 7) * (6 / 7) + 0.25)
    assert season["peak"] == "Sunday"
    assert season["p"] < 0.01
    assert season["strength"] == pytest.approx(explained, abs=0.1)


def test_two_repetitions_of_a_cycle_prove_nothing():
    """Fourteen days of noise are never enough to claim a weekday, three clear weeks are."""
    rng = np.random.default_rng(0)
    short = statistics.compute_time_profile(days(14), pd.Series(rng.normal(size=14)))
    assert short.seasons["p"].iloc[0] > 0.05
    clear = statistics.compute_time_profile(days(21), pd.Series(np.arange(21) % 7.0))
    assert clear.seasons["p"].iloc[0] < 0.05


def test_hours_and_months_have_their_peak():
    """The clock's cycle peaks at six, the year's in July."""
    hours = pd.Series(pd.date_range("2024-01-01", periods=240, freq="h"))
    by_hour = statistics.compute_time_profile(hours, (hours.dt.hour == 6).astype(float))
    assert by_hour.seasons.set_index("cycle").loc["hour of the day", "peak"] == "06:00"
    months = pd.Series(pd.date_range("2015-01-15", periods=72, freq="MS"))
    by_month = statistics.compute_time_profile(months, (months.dt.month == 7) * 2.0)
    assert by_month.seasons["peak"].tolist() == ["July"]


def test_memory_is_the_autocorrelation_of_statsmodels():
    """Each lag equals the textbook estimator, with the band of white noise."""
    from statsmodels.tsa.stattools import acf

    values = make_series(np.random.default_rng(0), 50, 0.7)
    memory = statistics.compute_time_profile(days(50), values).memory
    assert_allclose(memory["autocorrelation"], acf(values, nlags=24)[1:])
    assert_allclose(memory["bound"], 1.959964 / np.sqrt(50))


def test_periods_hold_means_and_their_intervals():
    """Numbers get the normal interval, shares Wilson's, and one row alone none."""
    year = pd.Series([1, 1, 1, 2, 2, 2, 3], name="year")
    table = statistics.compute_time_profile(year, pd.Series([1.0, 2, 3, 4, 5, 6, 7])).periods
    assert table["period"].tolist() == ["1", "2", "3"]
    assert table["mean"].tolist() == [2, 5, 7]
    assert_allclose(table["high"][:2] - table["mean"][:2], 1.959964 / np.sqrt(3))
    assert table[["low", "high"]].iloc[2].isna().all()
    shares = statistics.compute_time_profile(year, pd.Series([0, 0, 1, 1, 1, 1, 0])).periods
    assert shares["low"].ge(0).all()
    assert shares["high"].iloc[1] == 1.0
    assert shares["low"].iloc[1] == pytest.approx(0.4385, abs=1e-4)


@pytest.mark.parametrize(
    ("time", "unit", "labels"),
    [
        (pd.to_datetime(["2024-01-31"] * 4), "day", ["2024-01-31"]),
        (
            pd.date_range("2024-01-01", periods=4, freq="12h", tz="Asia/Tokyo"),
            "hour",
            ["2024-01-01 00:00", "2024-01-01 12:00", "2024-01-02 00:00", "2024-01-02 12:00"],
        ),
        (["2024-Q2", "2024-Q1", "2024-Q1", "2024-Q2"], "when", ["2024-Q1", "2024-Q2"]),
        ([1, "x", 1, "x"], "when", ["1", "x"]),
        (pd.to_timedelta([0, 1, 1, 0], unit="h"), "when (seconds)", ["0", "3600"]),
        ([3.0, 1.0, None, 1.0], "when", ["1", "3"]),
        ([None] * 4, "when", []),
        (range(4), "when", ["0", "1", "2", "3"]),
    ],
)
def test_any_time_column_gives_periods_in_order(time, unit, labels):
    """Dates, zones, names, durations, numbers and gaps each get their own periods."""
    profile = statistics.compute_time_profile(
        pd.Series(time, name="when"), pd.Series([1.0, 2.0, 3.0, 4.0])
    )
    assert (profile.unit, profile.periods["period"].tolist()) == (unit, labels)


def test_years_of_days_are_gathered_by_the_finest_unit_that_fits():
    """At most sixty periods: three years of days become months, and no row is lost."""
    day = days(3 * 365)
    profile = statistics.compute_time_profile(day, pd.Series(np.ones(len(day))))
    assert profile.unit == "month"
    assert profile.periods["rows"].sum() == len(day)
    numbers = statistics.compute_time_profile(
        pd.Series(range(500), name="t"), pd.Series([1.0] * 500)
    )
    assert numbers.unit == "t, in bins"
    assert len(numbers.periods) == periods.MAX_PERIODS - 10


@pytest.mark.parametrize("name_of", [int, "period {}".format])
def test_persistence_follows_time_not_the_order_of_rows(name_of):
    """The rank correlation of each person's value with the next, however rows are shuffled."""
    rng = np.random.default_rng(0)
    person, time = np.repeat(np.arange(40), 5), np.tile(np.arange(5), 40)
    level = rng.normal(size=40)[person] + 0.7 * rng.normal(size=200)
    wide = level.reshape(40, 5)
    expected = stats.spearmanr(wide[:, :-1].ravel(), wide[:, 1:].ravel()).statistic
    frame = pd.DataFrame({"t": [name_of(t) for t in time], "y": level, "g": person})
    for rows in (frame, frame.sample(frac=1, random_state=0), frame.loc[[*range(200), 0, 0]]):
        seen = statistics.compute_time_profile(rows["t"], rows["y"], groups=rows["g"]).persistence
        assert seen.value == pytest.approx(expected)
        assert seen.covers(expected)
        assert seen.n == 40


def test_time_profiles_do_not_depend_on_order_or_scale():
    """Shuffled rows give the same profile; a thousandfold target the same trend and seasons."""
    rng = np.random.default_rng(5)
    day, values = days(60).repeat(3).reset_index(drop=True), pd.Series(rng.normal(size=180))
    order = rng.permutation(180)
    base = statistics.compute_time_profile(day, values)
    shuffled = statistics.compute_time_profile(day.iloc[order], values.iloc[order])
    scaled = statistics.compute_time_profile(day, values * 1_000)
    pd.testing.assert_frame_equal(base.periods, shuffled.periods)
    for other in (shuffled, scaled):
        assert other.trend_p == base.trend_p
        pd.testing.assert_frame_equal(base.seasons, other.seasons)
        pd.testing.assert_frame_equal(base.memory, other.memory)


# ── In sentences ────────────────────────────────────────────────────────────────────────────


def observe(data, **changes):
    """Return what is said of a dataset, computed the way an analysis does."""
    X, half = data.X, len(data) // 2
    parts = {
        "types": statistics.compute_types(X),
        "missing": statistics.compute_missing(X),
        "screening": statistics.compare_with_target(X, data.y, task=data.task),
        "associations": statistics.compute_associations(X),
        "drift": statistics.compare_samples(X[:half], X[half:]),
    }
    return statistics.rank_observations(data, **(parts | changes))


def sentences(seen) -> list[str]:
    """Return the sentences with their values in place."""
    return [observation.sentence.format(**observation.values) for observation in seen]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("leak", [None, "copy"])
def test_observations_name_what_was_planted(task, leak):
    """The strongest planted column is named, a leak is the first warning, weights fall."""
    data = make_planted(400, task=task, missing=0.05, leak=leak, n_groups=40)
    seen = observe(data)
    weights = [observation.weight for observation in seen]
    names = [name for observation in seen for name in observation.values]  # noqa: PD011
    assert weights == sorted(weights, reverse=True)
    assert len(seen) <= MAX_OBSERVATIONS
    assert len(names) == len(set(names))
    assert seen[0].is_warning is (leak is not None)
    assert ("leak_copy" if leak else "signal_1") in sentences(seen)[0]
    assert any("in 40 groups of 10.0 rows" in sentence for sentence in sentences(seen))


@pytest.mark.parametrize("count", [1, 2])
def test_sentences_read_the_same_for_one_and_for_many(count):
    """No sentence makes a claim on number that one or two things would break."""
    data = make_planted(300, task="binary")
    X = data.X.copy()
    for i in range(count):
        X[f"gap {i}"] = np.where(np.arange(300) < 5, np.nan, data.y + 0.001 * np.arange(300))
        X[f"dead {i}"] = 1
        X[f"text {i}"] = [f"text {row}" for row in range(300)]
    drift = statistics.compare_samples(X, X.assign(**{f"dead {i}": 9 for i in range(count)}))
    seen = observe(
        data,
        types=statistics.compute_types(X),
        missing=statistics.compute_missing(X),
        screening=statistics.compare_with_target(X, data.y, task="binary"),
        associations=statistics.compute_associations(X),
        drift=drift,
    )
    text = "\n".join(sentences(seen))
    assert f"give the target away: {count}, the strongest gap 0" in text
    assert f"missing values: {count}; the emptiest is gap 0" in text
    assert f"one value or none: {count}, first dead 0" in text
    assert f"free text: {count}, first text 0" in text
    assert f"training and test rows: {count}, {count} of them notably" in text
    assert not re.search(r"\b1 (rows|columns|features|groups|cells)\b", text)


def test_noise_earns_a_warning_not_a_discovery():
    """Without any signal the first sentence says that nothing goes with the target."""
    data = make_planted(300, n_informative=0, n_categories=0, n_noise=5)
    seen = observe(data)
    assert "No feature alone" in sentences(seen)[0]
    assert not any("strength" in sentence for sentence in sentences(seen))


def test_seasons_of_noise_are_not_told():
    """Whatever share of noise a weekday explains, it is told only when the test finds it."""
    data, n_told = make_planted(100), 0
    for seed in range(40):
        values = make_series(np.random.default_rng(seed), 21, 0.0)
        profile = statistics.compute_time_profile(days(21), values)
        told = statistics.rank_observations(
            data,
            types=statistics.compute_types(data.X),
            missing=statistics.compute_missing(data.X),
            screening=pd.DataFrame({"feature": [], "strength": [], "shape": []}),
            associations=pd.DataFrame({"first": [], "second": [], "value": [0.0][:0]}),
            drift=pd.DataFrame({"verdict": []}),
            profile=profile,
        )
        n_told += any("explains" in observation.sentence for observation in told)
    assert n_told / 40 <= most_alarms(0.05, 40)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_describe_target_counts_classes(task):
    """Rows add up, and shares are theirs with an interval around."""
    data = make_planted(200, task=task)
    table = statistics.describe_target(data)
    assert table["rows"].tolist() == np.bincount(data.y).tolist()
    for rows, share in zip(table["rows"], table["share"], strict=True):
        assert share.value == rows / 200
        assert share.low < share.value < share.high


def test_describe_target_gives_quantiles_of_numbers():
    """They are NumPy's and SciPy's; one row has no spread, none is an error."""
    data = make_planted(200, task="regression")
    table = statistics.describe_target(data).set_index("quantity")["value"]
    assert table["median"] == np.median(data.y)
    assert table["standard deviation"] == pytest.approx(np.std(data.y, ddof=1))
    assert table["skewness"] == pytest.approx(stats.skew(data.y))
    one = statistics.describe_target(data.take([0])).set_index("quantity")["value"]
    assert np.isnan(one["standard deviation"])
    with pytest.raises(InputError, match="got none"):
        statistics.describe_target(data.take([]))


def test_outcome_is_one_for_the_class_that_counts():
    """The positive class of two, the most frequent of many, and numbers as they are."""
    two, many = make_planted(200), make_planted(200, task="multiclass")
    assert (statistics.outcome_of(two) == two.y).all()
    mode = int(np.bincount(many.y).argmax())
    assert (statistics.outcome_of(many) == (many.y == mode)).all()
    assert statistics.outcome_of(many).name == f"target = {many.classes[mode]}"
    numbers = make_planted(50, task="regression")
    assert statistics.outcome_of(numbers).tolist() == numbers.y.tolist()
    words = statistics.target_in_words(many)
    assert words.tolist() == [many.classes[code] for code in many.y]


def test_observations_are_the_same_twice():
    """No clock, no hash and no unseeded draw is behind them."""
    data = make_planted(150, missing=0.1)
    assert sentences(observe(data)) == sentences(observe(data))


def test_a_table_without_features_is_told_of_too():
    """No column, no crash: the target is described and nothing goes with it."""
    data = make_planted(100, n_informative=0, n_categories=0, n_noise=1)
    bare = dataclasses.replace(data, X=data.X.iloc[:, :0])
    assert "out of 0" in sentences(observe(bare))[0]
