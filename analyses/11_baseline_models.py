# %% [markdown]
# # 11 · Baseline models
#
# **Question** How far do simple and strong standard models get on this table, and does any of
# them beat ignoring the features?
#
# **You get** eight families on the same folds, each score with an interval and a test against the
# dummy and against the best; several metrics; what a model costs; and a plain choice to start from.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import evaluation, models, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p, print_p_values

config = load_config()
plots.setup_plotting()

# %% [markdown]
# ## The data: training rows only
#
# The test rows stay locked until the very end of the study: a score that helped to choose a model
# no longer tells how good that model is. Everything here is learned and scored inside the training
# rows. A table beyond the budget is sampled (whole groups at a time), because baselines stop
# changing long before that.

# %% Load the training rows
train = load_data(config.dataset, target=config.target).train
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
report.finding("The training rows: {data}.", data=train.summary())
if len(sample) < len(train):
    report.warning("Models saw a random {n_sampled} of these rows.", n_sampled=len(sample))

# %% [markdown]
# ## The rules, fixed before any model is fitted
#
# One metric ranks the models, and one set of folds serves all of them. The metric rewards good
# probabilities or small errors and needs no threshold; accuracy would hide a model that is
# confidently wrong on rare classes. Higher is always better: an error counts with a minus. Folds
# keep groups together, or go forward in time, when the table names such a column. A model is
# called better only when the test says so, at the level below and after Holm's correction for
# testing many models.

# %% Metric and folds
scoring = evaluation.default_scoring(sample.task)
level = config.confidence
folds = resampling.make_study_folds(sample, config)
label = evaluation.scorers(sample.task)[scoring].label
report.finding("Models are ranked by {_label} ({metric}).", _label=label, metric=scoring)
report.finding("Folds: {folds}.", folds=folds.description)
report.finding(
    "Intervals aim at {level:.0%}; a test below {alpha:.2f} counts.", level=level, alpha=1 - level
)
for note in folds.notes:
    report.warning("{_note}", _note=note)
report.table(evaluation.describe_metrics(sample.task), title="The metrics, the deciding one first")

# %% [markdown]
# ## Does any model beat ignoring the features?
#
# `dummy` ignores them: it is the floor. `linear` shows how far an additive model goes, the decision
# tree how far a few questions go, the ensembles what interactions and curves add. None is tuned.
# Each model learns its preprocessing inside the fold, from that fold's training part alone.

# %% Fit every model once a fold
candidates = models.baselines(sample, config)
scores = evaluation.cross_validate(candidates, sample, folds, scoring=scoring)
problems = evaluation.tabulate_problems(scores)
n_failed = scores.failures["model"].nunique()
report.finding(
    "{n_models} models were fitted on {n_folds} folds; {n_failed} failed somewhere.",
    n_models=len(candidates),
    n_folds=len(folds),
    n_failed=n_failed,
)
if len(problems):
    report.table(problems, title="What failed or warned")

# %% Compare with the dummy and with the best
comparison = evaluation.compare(scores, reference="dummy", level=level)
shown = print_p_values(comparison)
against_dummy = ["model", "score", "difference", "p_value", "verdict"]
against_best = ["model", "vs_best", "p_best", "against_best"]
report.table(shown[against_dummy], title=f"Scores ({label}) and the difference to the dummy")
report.table(shown[against_best], title="The difference to the best")

# %% Draw the scores
ax = plots.plot_scores(scores.frame, comparison, metric=scoring)

# %% [markdown]
# Each small dot is one fold. Folds share training rows, so their scores move together, and the
# usual standard error would be too small: intervals and tests use the Nadeau-Bengio correction.
# Compare models by the tests, which pair them fold by fold, not by whether intervals overlap: a
# hard fold is hard for all. The best of eight is also a little lucky; a small lead over the second
# means nothing. "Not distinguishable" is not "equal": with few folds only large gaps show.

# %% [markdown]
# ## Do other metrics agree?
#
# A ranking that holds for one metric only is a property of the metric. Metrics that need a decision
# take the most likely class, which for rare classes is nearly always "no": they look poor here
# whatever the model. Where to put the threshold is a question of money, for analysis 31.

# %% Every metric of every model
by_metric = evaluation.tabulate_metrics(scores, level=level)
values = by_metric.set_index("model").map(lambda estimate: estimate.value)
leaders = values.idxmax()
report.table(by_metric, title="All metrics, higher is better")
report.finding(
    "{leader} leads on {n_led} of {n_metrics} metrics.",
    leader=leaders[scoring],
    n_led=int((leaders == leaders[scoring]).sum()),
    n_metrics=len(leaders),
)

# %% [markdown]
# ## How much does luck of the fold matter?
#
# When the same model swings more between folds than models differ from each other, a single split
# into training and test would have picked a winner by chance.

# %% Spread over folds
spread = evaluation.tabulate_spread(scores)
report.table(spread, title=f"Scores over folds ({label})")
best_row, second_row = spread.iloc[0], spread.iloc[1]
report.finding(
    "Between folds {_best} swings by {swing:.3f}; its lead over {second} is {lead:.3f}.",
    _best=best_row["model"],
    second=second_row["model"],
    swing=best_row["best"] - best_row["worst"],
    lead=best_row["mean"] - second_row["mean"],
)

# %% [markdown]
# ## What does a model cost?
#
# Seconds of one core for one fold. They depend on the machine, so they are shown and never recorded
# as findings. Preprocessing that models share is counted in full for each.

# %% Seconds to fit and to predict
report.table(evaluation.tabulate_times(scores), title="Seconds a fold", record=False)
largest = max(len(fold_train) for fold_train, _ in folds)
if largest > config.budget.max_rows_slow:
    report.finding(
        "The SVM learned from {svm_rows} of up to {fold_rows} rows of a fold, as its cost grows "
        "with their square: a full fit may score higher.",
        svm_rows=config.budget.max_rows_slow,
        fold_rows=largest,
    )

# %% [markdown]
# ## Is boosting worth it over a linear model?
#
# One question, chosen before the scores were seen, so it needs no correction for many tests. A
# linear model is read coefficient by coefficient, has few ways to surprise, and is cheap to run:
# boosting has to earn its place.

# %% LightGBM against linear
boosting = evaluation.compare_pair(scores, "LightGBM", "linear", level=level)
boosting_verdict = evaluation.verdict(boosting, level=level)
report.finding(
    "LightGBM against linear: {boosting_gain} (p {_p}), {boosting_verdict}.",
    boosting_gain=boosting.difference,
    _p=format_p(boosting.p_value),
    boosting_verdict=boosting_verdict,
)

# %% Keep the candidates for later analyses
tracking.log_candidates(scores, dataset=sample, folds=folds)

# %% [markdown]
# ## Conclusion
#
# Start from the simplest model that the tests do not tell from the best: the list of baselines runs
# from simple to strong. Later analyses have to beat it on these same folds.

# %% Findings
ranking = comparison.set_index("model")
best = comparison.iloc[0]
n_better = int((comparison["verdict"] == evaluation.BETTER).sum())
level_with_best = ranking.index[ranking["against_best"].isin([evaluation.BEST, evaluation.SAME])]
some = [name for name in scores.models if name in level_with_best and name != "dummy"]
start_from = some[0] if some else "dummy"
report.finding(
    "The best baseline is {best}: {_label} {best_score}; the dummy has {floor}.",
    best=best["model"],
    _label=label,
    best_score=best["score"],
    floor=ranking.loc["dummy", "score"],
)
report.finding(
    "{n_better} of {n_rivals} models beat the dummy beyond chance.",
    n_better=n_better,
    n_rivals=len(comparison) - 1,
)
report.finding(
    "Models that no test tells from the best, itself included: {n_level}. The simplest of "
    "them{_but}, {start_from} ({start_score}), is where to start.",
    _but=" but the dummy" if some and "dummy" in level_with_best else "",
    n_level=len(level_with_best),
    start_from=start_from,
    start_score=ranking.loc[start_from, "score"],
)
if n_better == 0:
    report.warning(
        "No test tells a model from the dummy on {_n_folds} folds: look at the data (02) before "
        "anything stronger, and at more folds where scores lie far above it.",
        _n_folds=len(folds),
    )

# %% [markdown]
# **Next** 12 asks whether a neural network does better, 21 what tuning adds, 22 whether these folds
# are the right ones, 13 what the models have learned.

# %% What must hold
assert scores.frame["score"].notna().all()
assert all(row.score.covers(row.score.value) for row in comparison.itertuples())
assert scores.frame.groupby("model")["fold"].nunique().max() == len(folds)
assert start_from in candidates
