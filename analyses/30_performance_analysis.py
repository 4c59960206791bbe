# %% [markdown]
# # 30 · Performance analysis
#
# **Question** How good is the champion on rows that nobody has looked at, and may its predictions
# be trusted: for whom, how far, and when data get worse?
#
# **You get** the test set opened once; every metric with an interval beside what cross-validation
# promised; curves; calibration or residuals; weak segments, found elsewhere and confirmed here; the
# worst errors; sets that hold the truth as often as they say; robustness; the runner-up beside it.
#
# **You need** 32
#
# **Status** complete

# %% Setup
from lib import evaluation, explanation, performance, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data
from lib.estimates import print_p_values

config = load_config()
plots.setup_plotting()
level, seed = config.confidence, config.seed
draws = {"n_resamples": config.budget.n_resamples, "random_state": seed, "level": level}

# %% [markdown]
# ## The data: the test set, opened once
#
# Analysis 32 named the champion without these rows, and fitted it on all training rows. The opening
# is written down. Judging a second champion here and then choosing between the two would make the
# test set one more validation set: that is a warning, here and on later pages.

# %% Open the test set with the champion
dataset = load_data(config.dataset, target=config.target)
train = dataset.train
champion = tracking.load_champion(config, dataset=train)
rows = dataset.open_test("30_performance_analysis", champion=champion.digest)
test = performance.predict_held_out(champion.estimator, rows)
n_openings = report.warn_reopened(dataset, champion=champion.digest)
report.finding("The champion of analysis 32: {champion}.", champion=champion.name)
report.finding("The test rows: {data}.", data=rows.summary())
report.finding("Champions judged on them so far: {n_openings}.", n_openings=n_openings)

# %% [markdown]
# ## The rules, fixed before the test rows were seen
#
# The metric is the one that named the champion. All that is chosen is chosen on *out-of-fold*
# predictions: those that models of the folds made for training rows they had not learned from. That
# goes for the threshold, the suspected segments and the limits of prediction sets; test rows only
# say what it is worth. Where rows belong together, resamples draw whole groups.

# %% Metric, and predictions out of fold
scoring, task = champion.scoring, dataset.task
label = evaluation.scorers(task)[scoring].label
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=seed)
folds = resampling.make_study_folds(sample, config)
kept = {"dataset": sample, "folds": folds}
parts = tracking.load_predictions(config, analyses=[champion.analysis[:2]], **kept)
learned = performance.gather_out_of_fold(parts[champion.name].parts, sample, folds)
report.finding("Judged by {_label} ({metric}).", _label=label, metric=scoring)
report.finding(
    "{n_test} test rows, {n_units} units of them taken as independent (rows, groups or neighbours "
    "in time); intervals aim at {_level}.",
    n_test=len(test),
    n_units=test.n_units,
    _level=f"{level:.0%}",
)
if test.n_units < performance.FEW:
    report.warning("So few test rows show large faults only: 'no sign of' is not 'none'.")

# %% [markdown]
# ## Is the score what cross-validation promised?
#
# The interval of a test score is about these test rows, that of cross-validation about folds. The
# champion was the best of several, so its promise is a little lucky: a slightly lower score is no
# surprise, one beyond both intervals is. One metric decides; the others are for reading.

# %% Every metric beside its promise
scores = performance.score_held_out(test, **draws)
promised = performance.score_folds(parts[champion.name].parts, sample, folds, level=level)
beside = performance.tabulate_test_scores(scores, promised, task=task)
report.table(beside, title="Scores on the test set and in cross-validation, higher is better")
verdict = performance.judge_promise(scores[scoring], promised[scoring])

# %% [markdown]
# ## What do predictions look like beside the truth?
#
# Classes: curves over every threshold, then the one at which, out of fold, as many rows are flagged
# as there are positives (of several classes: the likeliest). It weighs misses and false alarms
# alike; analysis 31 sets it by money. Numbers: are predictions right on average (slope 1), do
# large ones miss by more, what shape is left?

# %% Of numbers: residuals
if task == "regression":
    residuals = performance.study_residuals(test, level=level)
    report.finding(
        "A line of observed over predicted has slope {calibration_slope}; the mean residual is "
        "{bias}; the size of residuals goes with the prediction by {spread_trend:+.2f} (Spearman).",
        calibration_slope=residuals.slope,
        bias=residuals.bias,
        spread_trend=residuals.spread_trend,
    )
    figure = plots.plot_residual_study(residuals, target=dataset.target, level=level)

# %% Of classes: curves and decisions
threshold = performance.choose_threshold(learned) if task == "binary" else None
if task != "regression":
    curves = performance.compute_all_curves(test, **draws)
    figure = plots.plot_curves(curves, level=level)
    tops = performance.tabulate_curves(curves)
    report.table(tops, title="Hits minus false alarms at best (KS), lift of the likeliest tenth")
    chosen = performance.decide(test, threshold)
    confusion = performance.compute_confusion(test.y, chosen, len(dataset.classes))
    rule = "the likeliest class" if threshold is None else f"flagged from {threshold:.3f} on"
    ax = plots.plot_confusion(confusion, dataset.classes, rule=rule)
if task == "binary":
    report.finding("Threshold, chosen out of fold: {threshold:.3f}.", threshold=threshold)
    decisions = performance.tabulate_decisions(test, threshold, level=level)
    report.table(decisions, title="Decisions at this threshold on the test set")

# %% [markdown]
# ## Are the probabilities honest?
#
# Of rows given 30 %, do 30 % come true? The *slope* says whether probabilities are too extreme
# (below 1) or too cautious, *calibration-in-the-large* whether they are off on the whole. The
# calibration error is never 0, as chance moves every bin: what honest probabilities would show
# stands beside it. Of several classes the likeliest is judged.

# %% Slope, intercept, calibration error, Brier's parts
if task != "regression":
    honesty = performance.study_calibration(test, **draws)
    report.table(honesty.numbers, title=f"Calibration of '{honesty.events.words}'")
    figure = plots.plot_calibration(honesty, level=level)
    report.finding(
        "Probabilities: {calibration} (slope {calibration_slope}, intercept "
        "{calibration_intercept}, calibration error {ece}).",
        calibration=honesty.verdict,
        calibration_slope=honesty.slope,
        calibration_intercept=honesty.intercept,
        ece=honesty.error,
    )
if task == "multiclass":
    report.table(performance.tabulate_classes(test, level=level), title="Each class, by itself")

# %% [markdown]
# ## For whom is it weakest?
#
# Levels of all columns and pairs of them are searched out of fold for more loss than the model's
# own probabilities expect (of numbers: larger errors, which large values often have). The strongest
# suspects are then tested on the test set, which had no part in the search, with Holm's correction.

# %% Suspected out of fold, tested here
segments = performance.find_weak_segments(learned, test, level=level)
confirmed = segments[segments["confirmed"]]
shown = ["segment", "rows", "excess", "others", "difference", "p_holm"]
report.table(print_p_values(segments)[shown], title="Suspected weak segments on the test set")
ax = plots.plot_weak_segments(segments, level=level)

# %% Sensitive columns of the catalogue, whatever was found
by_part = explanation.compare_subgroups(
    test.dataset, test.prediction, explanation.choose_subgroups(rows), level=level
)
named = "sensitive columns" if dataset.sensitive else "none is sensitive: columns of few levels"
if len(by_part):
    shown = print_p_values(by_part).drop(columns="p")
    report.table(shown, title=f"Parts of the test rows, {named}")
    report.finding(
        "Parts by {compared_by} differ in {n_differ} of {n_compared} comparisons, beyond chance: "
        "{differing}.",
        compared_by=", ".join(by_part["column"].unique()),
        n_differ=int((by_part["verdict"] == "differs").sum()),
        n_compared=int(by_part["p"].notna().sum()),
        differing=explanation.describe_differing(by_part),
    )
else:
    report.finding("Parts are not applicable: no column splits the rows into large ones.")

# %% [markdown]
# A part that is flagged more often may cost more, too: look at what is *found* and at calibration
# (predicted minus actual) before it is called unfair.

# %% [markdown]
# ## Which errors are the worst, and what do they share?
#
# Rows by number within the test set, and what pushed the prediction away from the truth; contents
# are not shown, as they may be personal. A tree of two questions, learned out of fold, then tries
# to foresee the worst tenth.

# %% The worst rows
worst = performance.list_worst(champion.estimator, test, train.X.head(200), random_state=seed)
report.table(worst, title="The worst predictions of the test set", digits=2)
leaves, foreseen = performance.distinguish_worst(learned, test, **draws)
if leaves.empty:
    report.finding("Too few rows to learn what the worst have in common: no tree is grown.")
else:
    report.table(leaves, title="Share of the worst tenth, by a tree learned out of fold", digits=2)
    report.finding(
        "The tree ranks the worst tenth of the rows by an AUC of {foreseen}.", foreseen=foreseen
    )

# %% [markdown]
# ## How sure is a single prediction?
#
# *Conformal* sets of classes (or intervals) have limits such that nearly all out-of-fold rows lie
# inside. The promise holds for new rows that could change places with these; groups make it one
# about groups, and later times weaken it. It holds on average: a common limit may leave a rare
# class out, so limits of their own stand beside it. Large sets are the honest price of doubt; an
# empty one says that the row fits no class.

# %% Promised and found coverage
sets = performance.make_conformal(learned, test, level=level)
coverages = performance.tabulate_coverage(sets, test, level=level)
size = "classes in the set" if task != "regression" else f"width of the interval ({dataset.target})"
report.table(coverages.rename(columns={"size": size}), title=f"Promised: {level:.0%}")
figure = plots.plot_promised_coverage(coverages, level=level)
coverage = coverages.iloc[0]
report.finding(
    "Covered least: {least_covered}.", least_covered=performance.least_covered(coverages)
)
for caveat in performance.list_caveats(test):
    report.warning("{_caveat}", _caveat=caveat)

# %% [markdown]
# ## What if data get worse?
#
# One column at a time is not delivered; then a growing share of cells goes missing, or takes the
# value of another row. Nothing is fitted again. Score lost is paired on the same rows.

# %% Missing columns, gaps and wrong values
how = {"scoring": scoring, "random_state": seed, "level": level}
without = performance.lose_columns(champion.estimator, test, **how)
ax = plots.plot_lost_columns(without, scoring=label, level=level)
disturbed = performance.disturb(champion.estimator, test, **how)
figure = plots.plot_disturbances(disturbed, scoring=label, level=level)
report.table(without.head(5), title=f"Columns that cost most when missing ({label})")

# %% [markdown]
# What more rows would bring is the learning curve of analysis 20: it needs no test rows.
#
# ## Would the runner-up have done as well?
#
# One comparison, planned before the opening, on the same rows.

# %% Champion against runner-up
rival = champion.runner_up
beats = "there is no runner-up"
if rival is not None:
    theirs = tracking.load_predictions(config, analyses=[rival.analysis[:2]], **kept)
    other = performance.gather_out_of_fold(theirs[rival.name].parts, sample, folds)
    beside_it = performance.compare_rivals(
        test,
        performance.predict_held_out(rival.estimator, rows),
        scoring=scoring,
        threshold=threshold,
        rival_threshold=performance.choose_threshold(other) if task == "binary" else None,
        **draws,
    )
    beats = beside_it.verdict
    report.finding(
        "{_champion} minus {runner_up}: {gain_on_test} ({_label}{_p}){_decisions}.",
        _champion=champion.name,
        runner_up=rival.name,
        gain_on_test=beside_it.difference,
        _label=label,
        _p=performance.describe_test(beside_it),
        _decisions=performance.describe_decisions(beside_it),
    )

# %% [markdown]
# ## Conclusion

# %% Findings
report.finding(
    "{_label} on the test set: {test_score}; cross-validated {cv_score}: {verdict}.",
    _label=label,
    test_score=scores[scoring],
    cv_score=promised[scoring],
    verdict=verdict,
)
if verdict == performance.LOWER:
    report.warning("Quote the test score, not the promise; look for drift (02) and leaks (02, 22).")
report.finding(
    "Weak segments confirmed: {n_weak_segments} of {n_suspected}. {weakest_segment}.",
    n_weak_segments=len(confirmed),
    n_suspected=len(segments),
    weakest_segment=performance.describe_weakest(segments, task=task),
)
report.finding(
    "Sets that promise {_level} hold the truth in {coverage}: {coverage_verdict}.",
    _level=f"{level:.0%}",
    coverage=coverage["coverage"],
    coverage_verdict=coverage["verdict"],
)
report.finding("Against the runner-up: {beats_runner_up}.", beats_runner_up=beats)

# %% [markdown]
# **Next** 31 prices decisions with this champion, 33 puts the study on one page.

# %% What must hold
assert len(test) + len(train) == len(dataset)
assert not segments["confirmed"].any() or segments["difference"].map(lambda e: e.value).max() > 0
assert coverages["coverage"].map(lambda e: 0 <= e.value <= 1).all()
if task != "regression":
    whole = honesty.brier
    added = whole.reliability - whole.resolution + whole.uncertainty + whole.within
    assert abs(added - whole.score) < 1e-9
