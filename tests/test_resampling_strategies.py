"""Strategies under one interface: what they keep apart, and how near they come to the truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from lib import evaluation, resampling
from lib.data import Dataset, make_planted
from lib.errors import InputError
from lib.evaluation import Neighbours, make_neighbours, make_plain, scorers
from lib.evaluation.quick_metrics import make_quick
from lib.resampling import Bootstrap, PurgedKFold, make_purged


def make_dataset(X, y, *, groups=None, time=None, task="regression"):
    """Return a dataset of plain columns."""
    X = pd.DataFrame(X).rename(columns=str)
    kinds = {"regression": (), "binary": ("no", "yes")}
    return Dataset(
        "table",
        X,
        pd.Series(y, name="target"),
        task=task,
        classes=kinds[task],
        groups=None if groups is None else pd.Series(groups, name="person"),
        time=None if time is None else pd.Series(time, name="day"),
    )


# ── purged folds ────────────────────────────────────────────────────────────────────────────


def test_purging_and_embargo_on_intervals_made_by_hand():
    """Training rows that overlap the test period at either end, or envelop it, go; then embargo."""
    #                 0  1  2  3  4  5  6  7  8  9
    start = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    end = np.array([0, 4, 2, 9, 5, 7, 6, 7, 8, 9])
    parts = list(PurgedKFold(start, end, n_splits=5, embargo=1).split(start))
    assert [test.tolist() for _, test in parts] == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    # Block 4, 5 lasts from 4 to 7. Row 1 ends in it, row 3 envelops it, rows 6 and 7 start in it,
    # row 8 starts one later: embargo. Rows 0 and 2 end before.
    assert parts[2][0].tolist() == [0, 2, 9]
    without = list(PurgedKFold(start, end, n_splits=5).split(start))
    assert without[2][0].tolist() == [0, 2, 8, 9]


def test_purged_folds_take_moments_in_any_order():
    """Dates with a horizon in days give what numbers give, whatever the order of the rows."""
    day = np.random.default_rng(0).permutation(30)
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    in_days = PurgedKFold(day, day + 3, 4, 2)
    in_dates = PurgedKFold(
        dates.to_numpy(), (dates + pd.Timedelta(3, "D")).to_numpy(), 4, np.timedelta64(2, "D")
    )
    for (a, b), (c, d) in zip(in_days.split(day), in_dates.split(day), strict=True):
        assert a.tolist() == c.tolist()
        assert b.tolist() == d.tolist()


@given(
    st.lists(st.integers(0, 40), min_size=12, max_size=60),
    st.integers(0, 5),
    st.integers(0, 3),
    st.integers(2, 6),
)
@settings(max_examples=40, deadline=None)
def test_no_training_period_meets_a_tested_one(start, horizon, embargo, n_splits):
    """Whatever the times: periods do not meet, embargo holds, each row is tested once."""
    start = np.array(start)
    try:
        cv = PurgedKFold(start, start + horizon, n_splits, embargo)
    except InputError:  # nearly all rows share one time
        return
    tested = np.zeros(len(start), int)
    for train, test in cv.split(start):
        tested[test] += 1
        first, last = start[test].min(), (start + horizon)[test].max()
        assert not set(start[train]) & set(start[test])
        before = start[train] + horizon < first
        assert (before | (start[train] > last + embargo)).all()
    assert (tested == 1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PurgedKFold([1, 2], [1]), "same rows"),
        (lambda: PurgedKFold([1, 2], [2, 1]), "row 1 does"),
        (lambda: PurgedKFold([3, 3], [3, 3]), "at least two blocks"),
        (lambda: make_purged(pd.Series([1, 2, 3]), horizon=5), "too few for 3 blocks"),
        (lambda: make_purged(pd.Series([1, 2, 3]), horizon=-1), "must not be negative"),
    ],
)
def test_what_cannot_be_purged_is_said(call, message):
    """One sentence says what is wrong with the periods."""
    with pytest.raises(InputError, match=message):
        call()


def test_purging_removes_the_leak_of_overlapping_labels():
    """Sums over coming days leak between neighbours: folds promise skill, purged ones none."""
    gains = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n, horizon = 300, 10
        shocks = rng.normal(size=n + horizon)
        label = np.convolve(shocks, np.ones(horizon), "valid")[1 : n + 1] / np.sqrt(horizon)
        day = np.arange(n)
        dataset = make_dataset({"day": day.astype(float)}, label, time=day)
        scores = {}
        for name, cv in {
            "shuffled": KFold(5, shuffle=True, random_state=0),
            "purged": make_purged(dataset.time, horizon=horizon, embargo=0.02),
        }.items():
            folds = resampling.make_folds(dataset, cv)
            scores[name] = evaluation.cross_validate({"m": Neighbours(5)}, dataset, folds)
        gains.append([scores[name].by_fold()["m"].mean() for name in ("shuffled", "purged")])
    shuffled, purged = np.mean(gains, axis=0)
    assert shuffled > 0.5  # labels of neighbouring days are nearly equal
    assert purged < 0.05  # nothing in the table foretells a shock


# ── bootstrap ───────────────────────────────────────────────────────────────────────────────


def test_bootstrap_keeps_groups_whole_and_holds_two_thirds():
    """A group is drawn or not, all its rows as often; 63 % of rows are in a sample on average."""
    groups = np.repeat(np.arange(60), 5)
    inside = []
    for train, test in Bootstrap(50, random_state=0).split(np.zeros(300), groups=groups):
        assert not set(groups[train]) & set(groups[test])
        assert len(set(np.bincount(train, minlength=300)[:5])) == 1
        inside.append(1 - len(test) / 300)
    assert np.mean(inside) == pytest.approx(0.632, abs=0.02)


def test_no_information_errors_are_means_over_all_pairs():
    """Closed forms equal the double sum over targets and predictions, metric by metric."""
    rng = np.random.default_rng(1)
    y = rng.integers(3, size=40)
    proba = rng.dirichlet(np.ones(3), 40)
    pairs = np.mean([[np.argmax(p) != label for p in proba] for label in y])
    metrics = scorers("multiclass")
    assert evaluation.no_information(metrics["accuracy"], y, proba) == pytest.approx(pairs)
    pairs = np.mean([[-np.log(p[label]) for p in proba] for label in y])
    assert evaluation.no_information(metrics["neg_log_loss"], y, proba) == pytest.approx(pairs)
    y, predicted = rng.normal(size=40), rng.normal(size=40)
    metrics = scorers("regression")
    pairs = np.abs(y[:, None] - predicted).mean()
    known = evaluation.no_information(metrics["neg_mean_absolute_error"], y, predicted)
    assert known == pytest.approx(pairs)
    pairs = ((y[:, None] - predicted) ** 2).mean()
    assert evaluation.no_information(metrics["r2"], y, predicted) == pytest.approx(pairs)
    assert np.isnan(evaluation.no_information(scorers("binary")["f1"], y, proba))


def test_632_plus_follows_the_formulas_of_efron_and_tibshirani():
    """Formulas 24 to 32 of the paper by hand: training .1, out of bag .3, no information .5."""
    errors = evaluation.BootstrapErrors(0.1, 0.3, 0.5)
    assert errors.rule_632 == pytest.approx(0.368 * 0.1 + 0.632 * 0.3, abs=1e-4)
    assert errors.overfitting == pytest.approx(0.5)
    weight = 0.632 / (1 - 0.368 * 0.5)  # formula 28
    assert errors.rule_632_plus == pytest.approx((1 - weight) * 0.1 + weight * 0.3, abs=1e-3)
    worse = evaluation.BootstrapErrors(0.1, 0.7, 0.5)  # no worse than no information
    assert worse.rule_632_plus == pytest.approx(0.5)
    assert evaluation.BootstrapErrors(0.3, 0.2, 0.5).overfitting == 0


def test_632_is_optimistic_without_information_and_632_plus_is_not():
    """One neighbour, classes independent of features: .632 says .316, the truth is one half.

    The case of the paper's section 2: the training error is 0, so .632 says 0.632/2. The rule .632+
    counts an out-of-bag error beyond no information as no information: half of the spread s of
    out-of-bag errors is cut off, which costs 1.58 * 0.399 * s (its slope at one half, times the
    mean of the positive half of a normal). Tolerances are three standard errors of 40 draws.
    """
    accuracy = scorers("multiclass")["accuracy"]
    said = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        y = rng.permutation(np.repeat([0, 1], 100))
        X = rng.normal(size=(200, 5))
        model = _OneNearest().fit(X, y)
        out = [
            (test, _OneNearest().fit(X[train], y[train]).predict_proba(X[test]))
            for train, test in Bootstrap(50, random_state=seed).split(X)
        ]
        errors = evaluation.measure_bootstrap(accuracy, y, model.predict_proba(X), out)
        said.append([errors.training, errors.out_of_bag, errors.rule_632, errors.rule_632_plus])
    means, spread = np.mean(said, axis=0), np.std(said, axis=0, ddof=1)
    error = spread / np.sqrt(len(said))
    cut_off = 1.58 * 0.399 * spread[1]
    assert means[0] == 0
    assert abs(means[1] - 0.5) < 3 * error[1]
    assert abs(means[2] - 0.316) < 3 * error[2]
    assert abs(means[3] - (0.5 - cut_off)) < 3 * error[3]
    assert cut_off < 0.03  # so that the claim of the name is not lost in the correction


class _OneNearest:
    """One nearest neighbour without any smoothing."""

    def fit(self, X, y):
        self.X, self.y = X, y
        return self

    def predict_proba(self, X):
        nearest = ((X[:, None] - self.X) ** 2).sum(axis=2).argmin(axis=1)
        return np.eye(2)[self.y[nearest]]


# ── what a strategy says ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_strategy_that_applies_gives_a_score(task):
    """With groups and a time all thirteen answer or say why not, and count their fits."""
    dataset = make_planted(300, task=task, n_groups=60, missing=0.1)
    time = pd.Series(np.random.default_rng(0).integers(0, 50, 300), name="day")
    plain = make_plain(replace(dataset, time=time))
    strategies = resampling.list_strategies(plain)
    table = evaluation.estimate_scores(make_neighbours(plain), plain, strategies)
    absent = {s.name for s in strategies if s.make is None}
    stratified = {"stratified k-fold", "stratified group k-fold"}
    assert absent == (stratified if task == "regression" else set())
    assert (table["reason"] == "").all()
    assert all(np.isfinite(score.value) for score in table["score"])
    fits = table.set_index("strategy")["n_fits"]
    assert fits["hold-out"] == 1
    assert fits["inner optimum"] == 5 * 4 + 1
    assert fits["nested"] == 5 * (3 * 4 + 1)
    assert fits[".632"] == fits["out-of-bag bootstrap"] + 1


def test_group_strategies_keep_groups_and_plain_folds_do_not():
    """What a strategy says it keeps, its folds keep."""
    dataset = make_planted(300, n_groups=60)
    groups = dataset.groups.to_numpy()
    for strategy in resampling.list_strategies(dataset):
        if strategy.make is None:
            continue
        parts = list(strategy.make(dataset, 3).split(dataset.X, dataset.y, dataset.groups))
        torn = any(set(groups[train]) & set(groups[test]) for train, test in parts)
        assert torn != ("groups" in strategy.keeps), strategy.name


def test_the_name_of_the_default_is_what_make_cv_makes():
    """`name_default` names the strategy with the same folds as `make_cv`."""
    for dataset in (make_planted(200), make_planted(200, n_groups=40, task="regression")):
        name = resampling.name_default(dataset)
        (chosen,) = [s for s in resampling.list_strategies(dataset) if s.name == name]
        cv = resampling.make_cv(dataset, random_state=4)
        own = resampling.make_folds(dataset, cv)
        same = resampling.make_folds(dataset, chosen.make(dataset, 4))
        assert own.fingerprint == same.fingerprint


def test_a_metric_without_known_no_information_is_refused_by_632_plus_alone():
    """F1 has no value without information: .632+ says so, the other strategies answer."""
    plain = make_plain(make_planted(200))
    table = evaluation.estimate_scores(make_neighbours(plain), plain, scoring="f1")
    failed = table[table["reason"] != ""]
    assert failed["strategy"].tolist() == [".632+"]
    assert "no known value without information" in failed["reason"].iloc[0]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_quick_metrics_equal_scikit_learn(task):
    """To twelve digits, ties and single classes included."""
    rng = np.random.default_rng(0)
    n_classes = {"binary": 2, "multiclass": 3, "regression": 0}[task]
    y = rng.integers(n_classes, size=50) if n_classes else rng.normal(size=50)
    predicted = rng.dirichlet(np.ones(n_classes), 50).round(1) if n_classes else rng.normal(size=50)
    if n_classes:
        predicted /= predicted.sum(axis=1, keepdims=True)
    for metric in scorers(task).values():
        quick = make_quick(metric).compute(y, predicted, None)
        assert quick == pytest.approx(metric.compute(y, predicted, None), rel=1e-12)
    one_class = np.zeros(50, dtype=int) if n_classes else np.ones(50)
    first = next(iter(scorers(task).values()))
    ours = make_quick(first).compute(one_class, predicted, None)
    assert np.isnan(ours) == np.isnan(first.compute(one_class, predicted, None))


# ── against the truth ───────────────────────────────────────────────────────────────────────


def test_small_samples_never_meet_their_rest():
    """Rows, groups or stretches of time: sample and rest share nothing, time goes forward."""
    planted = make_planted(2_000, n_groups=400)
    for sample, rest in resampling.draw_small_samples(planted, n_draws=5):
        assert not set(planted.groups.iloc[sample]) & set(planted.groups.iloc[rest])
    day = np.random.default_rng(0).permutation(3_000)
    timed = make_dataset({"x": np.zeros(3_000)}, np.zeros(3_000), time=day)
    samples = resampling.draw_small_samples(timed, n_draws=100)
    assert len(samples) < 10  # as many as do not overlap
    last = -1
    for sample, rest in samples:
        assert day[sample].max() < day[rest].min()
        assert day[sample].min() > last
        last = day[sample].max()


def test_folds_that_tear_persons_apart_flatter_against_the_truth():
    """A strong effect of persons: plain folds promise too much, folds of persons do not."""
    plain = make_plain(make_planted(3_000, n_groups=300, group_effect=3.0, n_informative=1))
    person = np.random.default_rng(0).normal(size=(300, 3))[plain.groups]
    known = plain.X.assign(**{f"person_{i}": person[:, i] for i in range(3)})
    plain = replace(plain, X=known)
    chosen = {"k-fold", "group k-fold"}
    strategies = [s for s in resampling.list_strategies(plain) if s.name in chosen]
    samples = resampling.draw_small_samples(plain, n_rows=300, n_draws=15)
    compared = evaluation.compare_with_truth(
        {"five": Neighbours(5, n_classes=2)}, plain, samples, strategies
    )
    bias = compared.summarise().set_index("strategy")["bias"]
    assert bias["k-fold"].low > 0
    assert bias["group k-fold"].low <= 0  # four fifths of the rows: a little low
    assert compared.compare_estimates("k-fold", "group k-fold").low > 0


def test_keeping_apart_changes_only_who_trains():
    """Test rows and training counts agree; planted persons flatter, planted time does not."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(150), 8)
    X = {f"x{i}": rng.normal(size=150)[person] for i in range(3)}
    y = 2 * rng.normal(size=150)[person] + rng.normal(size=1_200)
    dataset = make_dataset(X, y, groups=person, time=np.tile(np.arange(8), 150))
    folds = resampling.make_apart(dataset, n_splits=3)
    assert list(folds) == ["nothing apart", "groups apart", "later rows apart", "both apart"]
    for parts in zip(*folds.values(), strict=True):
        assert len({len(train) for train, _ in parts}) == 1
        assert len({test.tobytes() for _, test in parts}) == 1
        apart = parts[3]
        assert not set(person[apart[0]]) & set(person[apart[1]])
    table = evaluation.compare_apart(Neighbours(3), dataset, folds).set_index("kept_apart")
    assert table.loc["groups apart", "flattery"].low > 0.2
    assert table.loc["later rows apart", "flattery"].covers(0)


def test_the_rule_prefers_what_is_cheap_among_the_good():
    """Inadmissible, too wide of the truth or without interval: each reason is said."""
    plain = make_plain(make_planted(2_000))
    samples = resampling.draw_small_samples(plain, n_rows=200, n_draws=20)
    strategies = [
        s
        for s in resampling.list_strategies(plain)
        if s.name in {"hold-out", "k-fold", "stratified k-fold", "repeated k-fold"}
    ]
    compared = evaluation.compare_with_truth(
        {"m": Neighbours(15, n_classes=2)}, plain, samples, strategies
    )
    allowed = ["hold-out", "stratified k-fold", "repeated k-fold"]
    advice = evaluation.recommend(compared.summarise(), compared, allowed, tolerance=10.0)
    assert advice.verdict("k-fold") == "tears apart what belongs together"
    assert advice.verdict("hold-out") == "has no interval"
    assert advice.standing == ["stratified k-fold", "repeated k-fold"]


@pytest.mark.slow
def test_corrected_intervals_cover_where_naive_ones_do_not():
    """Repeated folds on a generator: naive intervals miss the truth, corrected ones hold it.

    The full figures are those of `nox -s benchmark -- resampling`; here fewer samples, so the
    coverage of corrected intervals is asked to be compatible with 95 %.
    """
    summary = simulate(n_draws=80).set_index("strategy")
    naive = summary.loc["repeated k-fold", "naive_covers"]
    corrected = summary.loc["repeated k-fold", "corrected_covers"]
    assert naive.high < 0.8
    assert corrected.covers(0.95)


def simulate(n_draws):
    """Return strategies of a linear model on small samples of a generator."""
    from sklearn.linear_model import Ridge

    plain = make_plain(make_planted(20_000, task="regression", n_categories=0, seed=5))
    samples = resampling.draw_small_samples(plain, n_rows=200, n_draws=n_draws, max_rest=5_000)
    chosen = [s for s in resampling.list_strategies(plain) if s.name == "repeated k-fold"]
    compared = evaluation.compare_with_truth(
        {"ridge": Ridge()}, plain, samples, chosen, scoring="neg_mean_absolute_error"
    )
    return compared.summarise()


@pytest.mark.slow
def test_nested_choice_is_unbiased_where_the_inner_optimum_is_not():
    """Twenty models that know nothing: the best of them looks good, nested folds say one half."""
    compared = evaluation.compare_with_truth(*make_ignorant(n_draws=25))
    bias = compared.summarise().set_index("strategy")["bias"]
    assert bias["inner optimum"].low > 0.02
    assert bias["nested"].covers(0)
    assert compared.compare_estimates("inner optimum", "nested").low > 0


class _Random(Neighbours):
    """Ranks rows by a random direction: no knowledge, but luck on some folds."""

    def __init__(self, direction=0, *, n_classes=2):
        super().__init__(1, n_classes=n_classes)
        self.direction = direction

    def predict_proba(self, X):
        weights = np.random.default_rng(self.direction).normal(size=np.shape(X)[1])
        score = 1 / (1 + np.exp(-np.asarray(X) @ weights))
        return np.column_stack([1 - score, score])


def make_ignorant(n_draws):
    """Return candidates without knowledge, a table without signal, samples and strategies."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(6_000, 20)), rng.integers(2, size=6_000)
    dataset = make_dataset(X, y, task="binary")
    samples = resampling.draw_small_samples(dataset, n_rows=100, n_draws=n_draws)
    names = {"nested", "inner optimum"}
    strategies = [s for s in resampling.list_strategies(dataset) if s.name in names]
    return {f"direction {i}": _Random(i) for i in range(20)}, dataset, samples, strategies


def test_threads_change_nothing():
    """One thread or two around the call: the same estimates and truths to the last bit."""
    from threadpoolctl import threadpool_limits

    plain = make_plain(make_planted(1_000, missing=0.05))
    samples = resampling.draw_small_samples(plain, n_rows=150, n_draws=2)
    tables = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            compared = evaluation.compare_with_truth(
                make_neighbours(plain), plain, samples, resampling.list_strategies(plain)
            )
        tables.append(compared.draws)
    pd.testing.assert_frame_equal(*tables, check_exact=True)
