# %% [markdown]
# # 21 · Hyperparameter tuning
#
# **Question** Does tuning make the model better on rows that the tuning never saw, and by how much?
#
# **You get** a search that survives being killed, the best parameters for later analyses, tuned
# against default with an interval, how much more the search promises than it keeps, and which
# ranges to widen.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
import json

from lib import evaluation, plots, report, resampling, tracking, tuning
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p, print_p_values

config = load_config()
plots.setup_plotting()

# %% The model to tune, and rows of an inner search tags=["parameters"]
model = "LightGBM"

# %% [markdown]
# ## The data: training rows only
#
# Tuning looks at scores again and again, and takes the highest: nothing flatters more. The test
# rows stay locked, and what is chosen here is also judged on rows that the choice did not see.

# %% Load the training rows
train = load_data(config.dataset, target=config.target).train
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
report.finding("The training rows: {data}.", data=train.summary())
if len(sample) < len(train):
    report.warning("Models saw a random {n_sampled} of these rows.", n_sampled=len(sample))

# %% [markdown]
# ## The rules, fixed before any trial
#
# One metric is maximised. The default parameters are the first trial of every search, so that a
# search can only find something better *by its own score*. A trial that falls behind the median of
# the complete ones after some folds is given up. Whether tuning is worth it is decided on the outer
# folds, which no search sees, by a paired test: at the level below it is "better", or the default
# stays.

# %% Metric, folds, ranges
scoring = evaluation.default_scoring(sample.task)
label = evaluation.scorers(sample.task)[scoring].label
folds = resampling.make_study_folds(sample, config)
tunable = tuning.make_tunable(model, sample, config)
n_trials = config.budget.n_trials
n_inner_trials = max(n_trials // 2, 8)
report.finding("The search maximises {_label} ({metric}).", _label=label, metric=scoring)
report.finding("Folds: {folds}.", folds=folds.description)
report.finding(
    "{model} has {n_parameters} parameters to tune; the search makes {n_trials} trials.",
    model=model,
    n_parameters=len(tunable.space),
    n_trials=n_trials,
)
report.finding("A test below {alpha:.2f} counts.", alpha=1 - config.confidence)

# %% [markdown]
# ## Is tuning worth it on rows that it did not see?
#
# Nested cross-validation: inside the training part of every outer fold a search of its own runs,
# and what it finds is scored on the fold's test part. Random search gets the same number of trials:
# if a method that learns nothing does as well, the learning is not what helped.

# %% Tune inside every fold
nested = tuning.nest(
    tunable,
    sample,
    folds,
    config,
    n_trials=n_inner_trials,
    max_rows=config.budget.max_rows_slow,
    scoring=scoring,
)
tuned, at_random = tuning.name_tuned(model, "tpe"), tuning.name_tuned(model, "random")
scores = nested.scores
report.finding(
    "Each inner search makes {n_inner_trials} trials on at most {inner_rows} rows; the parameters "
    "it finds are fitted on all rows of the training part.",
    n_inner_trials=n_inner_trials,
    inner_rows=config.budget.max_rows_slow,
)
comparison = evaluation.compare(scores, reference=model, level=config.confidence)
shown = print_p_values(comparison)[["model", "score", "difference", "p_value", "verdict"]]
report.table(shown, title=f"Tuned against default on the outer folds ({label})")

# %% [markdown]
# The gain is that of the whole procedure, search included. It is smaller than what the search
# reports of itself, which the next section shows. "Not distinguishable" means that the default is
# as good as can be told with these rows: then keep it, it is simpler to defend.

# %% Draw the outer scores
ax = plots.plot_scores(scores.frame, comparison, metric=scoring, reference=model)

# %% [markdown]
# ## How much more does the search promise than it keeps?
#
# By its own account the search gained something over the default: the highest of many noisy
# numbers against one of them. What it kept is the gain of its parameters on the outer fold. Gains
# are compared rather than scores, because inner fits learn from fewer rows, which lowers both
# scores alike. A model that reports its inner score wins comparisons too easily.

# %% Promised against kept
optimism = nested.optimism("tpe", level=config.confidence)
gains = nested.searches.query("sampler == 'tpe'")[["promised", "kept"]].mean()
report.finding(
    "The searches promised a gain of {promised:.4f} over the default and kept {kept:.4f}.",
    promised=gains["promised"],
    kept=gains["kept"],
)
report.finding("They promised too much by {optimism}.", optimism=optimism)
ax = plots.plot_optimism(nested.searches, metric=scoring)

# %% [markdown]
# ## The search on all training rows
#
# Now that the worth of the procedure is known, it runs once more on all training rows. Its best
# parameters go to later analyses; its score does not, as it chose itself.

# %% Search
found = tuning.tune(tunable, sample, folds, config, n_trials=n_trials, scoring=scoring)
edges = tuning.compute_edges(found, tuning.LIMITS)
n_pruned = int((found.trials["state"] == "pruned").sum())
n_failed = int((found.trials["state"] == "failed").sum())
report.finding(
    "Of {n_ended} trials {n_pruned} were given up early and {n_failed} failed.",
    n_ended=found.n_finished,
    n_pruned=n_pruned,
    n_failed=n_failed,
)
ax = plots.plot_search_history(tuning.best_so_far([found]), metric=scoring)

# %% [markdown]
# ## Which parameters decide, and were the ranges wide enough?
#
# Importance is computed in every search by itself; where the bars' ends are far apart, do not quote
# it. A best value at the end of its range asks for a wider one.

# %% Ranges
report.table(tuning.print_edges(edges), title="Where the best trial lies in the ranges")
importance = tuning.compute_importance([found, *nested.found["tpe"], *nested.found["random"]])
ax = plots.plot_parameter_importance(importance)

# %% [markdown]
# Where a cloud is flat, the parameter hardly matters there; where it climbs towards an end, the
# best may lie beyond. Lines that run together show which parameters good trials share.

# %% Every trial against every parameter
figure = plots.plot_slices(found.trials, edges, metric=scoring)

# %% Good trials and bad ones
ax = plots.plot_parallel(found.trials, edges, metric=scoring)

# %% Keep the tuned model as a candidate for later analyses
final = {tuned: tunable.with_params(found.best_params)}
tracking.log_candidates(scores.only(tuned), dataset=sample, folds=folds, estimators=final)

# %% [markdown]
# ## Conclusion
#
# Take the tuned parameters when the test says "better", and the default otherwise: a search that
# cannot show its worth on the outer folds has only fitted them.

# %% Findings
against_default = evaluation.compare_pair(scores, tuned, model, level=config.confidence)
against_random = evaluation.compare_pair(scores, tuned, at_random, level=config.confidence)
verdict = evaluation.verdict(against_default, level=config.confidence)
is_worth_it = verdict == evaluation.BETTER
chosen = found.best_params if is_worth_it else dict(tunable.default)
report.finding(
    "{_tuned} against its default: {gain} (p {_p}), {verdict}.",
    _tuned=tuned,
    gain=against_default.difference,
    _p=format_p(against_default.p_value),
    verdict=verdict,
)
report.finding(
    "TPE against random search with as many trials: {lead_of_tpe} (p {_p}), {verdict_on_tpe}.",
    lead_of_tpe=against_random.difference,
    _p=format_p(against_random.p_value),
    verdict_on_tpe=evaluation.verdict(against_random, level=config.confidence),
)
at_edge = ", ".join(edges.loc[edges["edge"] != "", "parameter"])
if at_edge:
    report.warning("The best trial lies at the end of the range of {at_edge}.", at_edge=at_edge)
report.finding(
    "The best parameters found: {best_params}.", best_params=json.dumps(found.best_params)
)
report.finding(
    "Later analyses take {which}: {chosen_params}.",
    which="the tuned parameters" if is_worth_it else "the default parameters",
    chosen_params=json.dumps(chosen),
)

# %% [markdown]
# **Next** 22 asks whether these folds were the right ones, 23 combines tuned models, 32 compares
# all candidates.

# %% What must hold
assert found.n_finished >= n_trials
assert set(chosen) == set(tunable.space)
assert len(nested.searches) == 2 * len(folds)
