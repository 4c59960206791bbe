# %% [markdown]
# # 23 · Ensemble methods
#
# **Question** Do the candidates together predict better than the best of them alone, and is it
# worth what it costs?
#
# **You get** five ways to combine, each with an interval and a test against the best candidate;
# whose errors go together; what every member adds; the price in time; calibration; and a verdict,
# of which "not worth it" is one.
#
# **You need** 10, 11, 12, 21
#
# **Status** complete

# %% Setup
from lib import ensembles, evaluation, models, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p, print_p_values

config = load_config()
plots.setup_plotting()

# %% [markdown]
# ## The data: out-of-fold predictions of every candidate
#
# Earlier analyses kept what each candidate predicted for rows that it had not learned from.
# Combining those needs no new fit, and an ensemble is scored on the same folds as its members.

# %% Load rows, folds and predictions
train = load_data(config.dataset, target=config.target).train
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
folds = resampling.make_study_folds(sample, config)
needed = ("10", "11", "12", "21")
tracked = tracking.load_predictions(config, analyses=needed, dataset=sample, folds=folds)
predictions = {name: candidate.parts for name, candidate in tracked.items()}
members = ensembles.gather_members(predictions, sample, folds)
report.finding("The training rows: {data}.", data=train.summary())
report.finding("Folds: {folds}.", folds=folds.description)
report.finding(
    "Members: {n_members} candidates ({members}).",
    n_members=len(members.names),
    members=", ".join(members.names),
)

# %% [markdown]
# ## The rules, fixed before any ensemble
#
# The metric is the study's. *Weighted* averaging is the ensemble that is judged: it has one weight
# a member and one best solution. Voting, stacking, blending and greedy selection stand beside it to
# see whether the way of combining matters, with Holm's correction. What an ensemble learns for a
# fold, it learns from other folds. It has to beat the best single candidate, which was lucky to be
# the best: that makes the test a strict one.

# %% Metric and methods
scoring = evaluation.default_scoring(sample.task)
label = evaluation.scorers(sample.task)[scoring].label
methods = ("weighted", "voting", "stacking", "blending", "greedy")
judged = "weighted"
report.finding("Ensembles are ranked by {_label} ({metric}).", _label=label, metric=scoring)
report.finding("A test below {alpha:.2f} counts.", alpha=1 - config.confidence)

# %% [markdown]
# ## Do the members err on different rows?
#
# An average helps only where one member is wrong and another is right. Errors that correlate at
# nearly 1 are the same error.

# %% Correlation of errors
correlations = ensembles.compute_diversity(members)
off_diagonal = correlations.where(correlations.abs() < 1).stack()
report.finding(
    "Errors of two members correlate at {median_correlation:.2f} in the middle, at "
    "{least_correlation:.2f} for the most different pair.",
    median_correlation=float(off_diagonal.median()) if len(off_diagonal) else 1.0,
    least_correlation=float(off_diagonal.min()) if len(off_diagonal) else 1.0,
)
ax = plots.plot_error_correlation(correlations)

# %% [markdown]
# ## Is any combination better than the best member?
#
# All are scored on the same folds as their members, fold by fold.

# %% Combine
combined, weights = ensembles.combine(members, methods, scoring=scoring, random_state=config.seed)
if not ensembles.has_rows_to_learn(members):
    report.warning("Too few rows to learn weights: every combination below is a plain vote.")
parts = {name: predictions[name] for name in members.names} | combined
scores = evaluation.score_predictions(parts, sample, folds, scoring=scoring)
singles = scores.by_fold()[list(members.names)].mean()
best_single = str(singles.idxmax())
comparison = evaluation.compare(scores, reference=best_single, level=config.confidence)
shown = print_p_values(comparison)[["model", "score", "difference", "p_value", "verdict"]]
report.table(shown, title=f"Ensembles and members against {best_single} ({label})")
ax = plots.plot_scores(scores.frame, comparison, metric=scoring, reference=best_single)

# %% [markdown]
# Where all ways of combining score alike, the members decide and not the method: take the simplest.
# Stacking and greedy selection can lose to a plain vote when rows are few, because they learn more.

# %% [markdown]
# ## What does each member add?
#
# The judged ensemble is made again without one member at a time. Members that stand in for each
# other all look useless alone: leave out one at a time, not all at once.

# %% Leave one member out
mean_weights = weights[weights["method"] == judged].groupby("member", sort=False)["weight"].mean()
report.table(mean_weights.rename("mean weight").reset_index(), title="Weights of the members")
contributions = ensembles.compute_contributions(
    members, judged, scoring=scoring, level=config.confidence
)
if len(contributions):
    report.table(
        print_p_values(contributions),
        title=f"What the ensemble loses without a member ({label})",
        digits=4,
    )
    ax = plots.plot_member_contributions(contributions, metric=scoring)
else:
    report.finding("With two members there is none to leave out.")

# %% [markdown]
# ## How much is luck of the seed?
#
# The cheapest ensemble is one model with several seeds. Whatever it gains is noise taken away, not
# a new view of the data.

# %% One model, five seeds
boosting = models.baselines(sample, config)["LightGBM"]
variants = ensembles.seed_variants("LightGBM", boosting, 5, random_state=config.seed)
by_seed = evaluation.cross_validate(variants, sample, folds, scoring=scoring)
bag = ensembles.combine(
    ensembles.gather_members(by_seed.parts, sample, folds), ["voting"], scoring=scoring
)[0]["voting"]
first_seed = by_seed.models[0]
bagged = evaluation.score_predictions(
    {first_seed: by_seed.parts[first_seed], "five seeds": bag}, sample, folds, scoring=scoring
)
seed_test = evaluation.compare_pair(bagged, "five seeds", first_seed, level=config.confidence)
report.finding(
    "Five seeds of LightGBM together gain {seed_gain} over one (p {_p}), {seed_verdict}.",
    seed_gain=seed_test.difference,
    _p=format_p(seed_test.p_value),
    seed_verdict=evaluation.verdict(seed_test, level=config.confidence),
)

# %% [markdown]
# ## Does it need calibration?
#
# Averages of probabilities shrink towards the middle. A straight line through their logarithms,
# learned on other folds, shows whether that did harm. For values the line is drawn through them.

# %% Calibrate
proper = "neg_root_mean_squared_error" if sample.task == "regression" else "neg_log_loss"
stretched = {
    "as it is": combined[judged],
    "calibrated": ensembles.calibrate(members, combined[judged]),
}
calibration = evaluation.score_predictions(stretched, sample, folds, scoring=proper)
calibration_test = evaluation.compare_pair(
    calibration, "calibrated", "as it is", level=config.confidence
)
report.finding(
    "Calibration changes the ensemble's {proper_metric} by {calibration_gain} (p {_p}), "
    "{calibration_verdict}.",
    proper_metric=evaluation.scorers(sample.task)[proper].label,
    calibration_gain=calibration_test.difference,
    _p=format_p(calibration_test.p_value),
    calibration_verdict=evaluation.verdict(calibration_test, level=config.confidence),
)

# %% [markdown]
# ## What does it cost to use?
#
# An ensemble predicts with all its members. Seconds depend on the machine, so they are shown and
# never recorded as findings.

# %% Score against time
costs = {name: tracked[name].costs for name in members.names}
price = ensembles.tabulate_costs(scores, comparison, costs, weights)
report.table(price.drop(columns="is_ensemble"), title="Score and price", record=False)
figure = plots.plot_score_and_cost(price, metric=scoring)

# %% Keep the ensembles as candidates for later analyses
named = {f"ensemble: {method}": combined[method] for method in methods}
ensemble_scores = evaluation.score_predictions(named, sample, folds, scoring=scoring)
can_be_fitted = {m: tracked[m] for m in members.names if tracked[m].can_be_fitted}
parts_of_it = {name: member.read_estimator(sample) for name, member in can_be_fitted.items()}
made = ensembles.make_ensembles(
    members, parts_of_it, methods, scoring=scoring, random_state=config.seed
)
tracking.log_candidates(
    ensemble_scores,
    dataset=sample,
    folds=folds,
    estimators={f"ensemble: {method}": model for method, model in made.items()},
)

# %% [markdown]
# ## Conclusion
#
# An ensemble that no test tells from its best member is not worth its price: more to fit, to
# explain, to run and to watch.

# %% Findings
test = evaluation.compare_pair(scores, judged, best_single, level=config.confidence)
verdict = evaluation.verdict(test, level=config.confidence)
ranking = comparison.set_index("model")
n_used = int((mean_weights > 0.01).sum())
report.finding(
    "The weighted ensemble scores {ensemble_score}, the best member ({best_single}) {best_score}.",
    ensemble_score=ranking.loc[judged, "score"],
    best_single=best_single,
    best_score=ranking.loc[best_single, "score"],
)
report.finding(
    "The ensemble against its best member: {gain} (p {_p}), {verdict}; it gives weight to {n_used} "
    "of {_n_members} members.",
    gain=test.difference,
    _p=format_p(test.p_value),
    verdict=verdict,
    n_used=n_used,
    _n_members=len(members.names),
)
is_worth_it = verdict == evaluation.BETTER
report.finding(
    "Worth it: {worth_it}.",
    worth_it="yes, beyond chance" if is_worth_it else f"no; keep {best_single}",
)

# %% [markdown]
# **Next** 32 compares all candidates, ensembles included, and names the champion.

# %% What must hold
assert abs(mean_weights.sum() - 1) < 1e-6
assert set(methods) <= set(scores.models)
