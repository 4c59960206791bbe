# %% [markdown]
# # 13 · Model interpretation
#
# **Question** What has the model learned, which of it may be quoted, and what would a model cost
# that can be read whole?
#
# **You get** exact contributions of every column, importances with tests, effects with bands, what
# the methods agree on, subgroups side by side, and the worst errors explained; all of it on rows
# that the explained model has not seen.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import evaluation, explanation, models, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data
from lib.estimates import print_p_values

config = load_config()
plots.setup_plotting()
level, seed = config.confidence, config.seed

# %% [markdown]
# ## The data: training rows only
#
# The test rows stay locked. A model can recite rows that it was fitted on, so importances of such
# rows tell what it memorised. Here each row is explained by the model of a fold that left it out.

# %% Load the training rows
train = load_data(config.dataset, target=config.target).train
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=seed)
names = explanation.own_names(sample)
report.finding("The training rows: {data}.", data=train.summary())
if len(sample) < len(train):
    report.warning("Models saw a random {n_sampled} of these rows.", n_sampled=len(sample))

# %% [markdown]
# ## The rules, fixed before any model is fitted
#
# The model to explain is LightGBM as analysis 11 has it: of the strong baselines it is the one
# whose contributions (SHAP values) are computed exactly and not sampled. It is fitted on the folds
# of 11; on a small table these are repeated, as one round of importances tells little there.
#
# A column **matters** when shuffling it costs score at the level below, after Holm's correction
# over all columns. It is **among the most important** when it is in the top in at least four
# fifths of the rankings by every method, fold and seed, and in half of each method's; what is there
# in less than a fifth is not; all between is **unstable, do not quote**.

# %% Metric, folds, the model
scoring = evaluation.default_scoring(sample.task)
label = evaluation.scorers(sample.task)[scoring].label
counts = {"n_splits": config.budget.n_splits, "n_repeats": config.budget.n_repeats}
folds = resampling.make_study_folds(sample, config)
rounds = explanation.make_rounds(sample, **counts, random_state=seed)
baselines = models.baselines(sample, config)
fitted = explanation.fit_folds(baselines["LightGBM"], sample, rounds, n_seeds=2, random_state=seed)
report.finding("Explained on {rounds}; two seeds in the first round.", rounds=rounds.description)
report.finding(
    "Scores are {_label} ({metric}); a test below {alpha:.2f} counts.",
    _label=label,
    metric=scoring,
    alpha=1 - level,
)
for note in dict.fromkeys((*folds.notes, *rounds.notes, *fitted.notes)):
    report.warning("{_note}", _note=note)

# %% [markdown]
# ## What moves the predictions?
#
# A contribution says how far one column pushed one prediction away from what is usual; for each
# row they add up to the model's output (log-odds of a class, or the unit of the target). Parts of a
# date and components of a text are added up to the column that they came from.

# %% Contributions, out of fold
shap = explanation.explain_out_of_fold(
    fitted, max_rows=config.budget.max_rows_slow, random_state=seed
)
explanation.check_additivity(shap)
sizes = explanation.tabulate_contributions(shap, rounds.test_fraction, level=level)
strongest = sizes.iloc[0]
report.finding(
    "{_route}: {n_explained} rows explained; base and contributions add up to the prediction.",
    _route=f"Contributions are {shap.route}",
    n_explained=len(shap),
)
sizes_shown = sizes[["column", "size", "share"]].head(15)
report.table(sizes_shown, title=f"Mean size of the contributions ({shap.unit})")
ax = plots.plot_contribution_sizes(shap)

# %% A point a row: all columns, then the strongest over its values
ax = plots.plot_contributions(shap)
ax = plots.plot_dependence(shap, int(strongest["position"]))

# %% [markdown]
# Colour says whether the value is high or low; where colours part left and right of the middle, the
# column has a direction. This is about the model, not the world: a contribution is no cause, and of
# two correlated columns the model may use either.
#
# ## What does the score lose without a column?
#
# Shuffling breaks the tie between a column and the target. Near copies stand in for each other:
# one shuffled alone costs little. So columns whose association is 0.7 or more form a **cluster**,
# and are also shuffled together. "No sign" is not "no use": with few folds only large losses show.

# %% Shuffle columns and clusters
clusters = explanation.cluster_columns(sample.X)
shuffled = explanation.permute_out_of_fold(
    fitted, clusters, scoring=scoring, random_state=seed, level=level
)
report.finding(
    "{n_matter} of {n_columns} columns and {n_clusters_matter} of {n_clusters} clusters cost "
    "score beyond chance when shuffled.",
    n_matter=shuffled.n_matter,
    n_columns=len(names),
    n_clusters_matter=shuffled.n_clusters_matter,
    n_clusters=len(clusters),
)
shown = ["what", "importance", "std", "p_holm", "verdict"]
report.table(
    print_p_values(shuffled.columns)[shown].head(15),
    title=f"Score lost when a column is shuffled ({label})",
)

# %% The same by cluster
ax = plots.plot_importance(shuffled.clusters, scoring=label, things="clusters of columns")

# %% [markdown]
# ## Do the methods agree, and would they next time?
#
# Three ways to rank the same model (contributions, shuffling, the model's own gain), on every fold
# and seed. Gain favours columns with many values. A method beside itself compares folds and seeds:
# where even that is far from 1, the ranking is luck. The linear model is an outsider: another view
# of the same folds, which does not decide.

# %% Rank by every method, fold and seed
linear = explanation.fit_folds(baselines["linear"], sample, folds, random_state=seed)
rankings = {
    "SHAP": explanation.rank_contributions(fitted),
    "shuffling": shuffled.by_fold,
    "gain": explanation.rank_builtin(fitted, "gain"),
}
outsider = {"linear model": explanation.rank_contributions(linear)}
n_top = explanation.choose_top(len(names))
agreement = explanation.compare_methods({**rankings, **outsider}, n_top=n_top)
judged = explanation.judge_columns(rankings, names, n_top=n_top)
report.table(agreement, title=f"Agreement of rankings (top {n_top})", digits=2)
ax = plots.plot_agreement(judged, methods=list(rankings), n_top=n_top)

# %% [markdown]
# A column whose ranks lie close together can be quoted; a long line is a matter of whom one asks.
#
# ## In which direction, and how far?
#
# Accumulated local effects move each row only to the next value of a column. Partial dependence
# (dashed) sets it everywhere, also where no such row exists: where the two part, columns are
# correlated, and the first is to be trusted. Single rows that cross each other are interactions.

# %% Effects of the strongest columns
chosen = explanation.choose_columns(sample.X, sizes["position"].tolist())
effects = explanation.compute_effects(fitted, chosen, names=names, random_state=seed, level=level)
unit = sample.target if sample.task == "regression" else "probability"
figure = plots.plot_effects(effects, target=sample.target, classes=sample.classes, unit=unit)

# %% [markdown]
# ## Does a line near a row say the same?
#
# LIME's method: neighbours of a row keep some of its values and take others from other rows; a line
# through the model's answers gives weights. Where the line explains less than half of the model
# nearby, do not read it.

# %% Local lines against exact contributions
lines, _ = explanation.compare_surrogates(fitted, shap, random_state=seed)
report.finding(
    "Over {n_lines} rows, signs of the three largest contributions and of a local line agree in "
    "{same_sign:.0%}; the line explains {line_r2:.0%} of the model nearby (median).",
    n_lines=len(lines),
    same_sign=lines["same_sign"].mean(),
    line_r2=lines["r2"].median(),
)

# %% [markdown]
# ## What would a model cost that can be read whole?
#
# `additive boosting` is a sum of one curve a column, with no interactions; `linear` one of straight
# lines; `shallow tree` asks three questions. Differences are paired on the folds of 11, and the new
# models are tracked there, so that later analyses find them beside the others.

# %% Glass boxes on the folds of 11
glass = explanation.make_glass_boxes(baselines)
scores = evaluation.cross_validate(glass, sample, folds, scoring=scoring)
price = evaluation.compare(scores, reference="LightGBM", level=level)
price_shown = ["model", "score", "difference", "p_value", "verdict"]
report.table(print_p_values(price)[price_shown], title=f"The price of reading ({label})")
rules = explanation.write_rules(glass[explanation.SHALLOW], sample)
report.table(rules, title="The shallow tree in words, fitted on all training rows")
own = scores.only(explanation.ADDITIVE, explanation.SHALLOW)
tracking.log_candidates(own, dataset=sample, folds=folds)

# %% [markdown]
# ## Is it alike for all?
#
# Parts of the rows by columns that the catalogue names as sensitive, else by categories of the
# table; each against all other rows. As many rows are flagged as there are positives. A difference
# is a question, not a verdict: base rates may differ as well.

# %% Subgroups
predictions = explanation.out_of_fold(fitted)
parts = explanation.choose_subgroups(sample)
subgroups = explanation.compare_subgroups(sample, predictions, parts, level=level)
if len(subgroups):
    report.finding(
        "Parts of the rows differ in {n_differ} of {n_compared} comparisons, beyond chance.",
        n_differ=int((subgroups["verdict"] == "differs").sum()),
        n_compared=int(subgroups["p"].notna().sum()),
    )
    report.table(print_p_values(subgroups).drop(columns="p"), title="Each part against the others")
    figure = plots.plot_subgroups(subgroups, level=level)
    pushes = explanation.compare_contributions(shap, sample, parts, level=level)
    report.table(pushes, title=f"What the model makes of the part ({shap.unit})")
else:
    report.finding("Subgroups are not applicable: no column splits the rows into large parts.")

# %% [markdown]
# `own` is what the column itself contributes there, `push` what else differs most: a model that
# leaves a column out may still know it from another one.
#
# ## Where is it most wrong?
#
# Rows by number within the training rows, with what pushed them away from the truth. Contents are
# not shown, as they may be personal. Errors **gather** where losses go beyond what the model's own
# probabilities expect (for numbers: where they are larger than elsewhere).

# %% The worst rows, and where errors gather
worst, worst_shap = explanation.explain_worst(fitted, predictions)
report.table(worst, title="The worst predictions, out of fold", digits=2)
ax = plots.plot_waterfall(worst_shap, 0)
places = explanation.locate_errors(sample, predictions, level=level)
gathered = places[places["gathers"]].drop(columns="gathers")
report.finding(
    "The worst tenth of the rows carries {worst_share:.0%} of all loss; errors gather in "
    "{n_places} parts of the table.",
    worst_share=explanation.share_of_worst(explanation.compute_losses(sample, predictions)),
    n_places=len(gathered),
)
if len(gathered):
    report.table(print_p_values(gathered).head(10), title="Where errors gather")

# %% [markdown]
# ## Conclusion

# %% Findings
report.finding(
    "Largest contributions: {strongest} ({strongest_size}, {strongest_share:.0%} of all).",
    strongest=strongest["column"],
    strongest_size=strongest["size"],
    strongest_share=strongest["share"],
)
quoted = judged.loc[judged["verdict"] == explanation.QUOTE, "column"]
unstable = judged.loc[judged["verdict"] == explanation.UNSTABLE, "column"]
report.finding(
    "May be called one of the {n_top} most important: {quoted}.",
    n_top=n_top,
    quoted=", ".join(quoted) or "no column",
)
if len(unstable):
    report.warning("Unstable, do not quote: {unstable}.", unstable=", ".join(unstable))
readable = price[price["model"] == explanation.ADDITIVE].iloc[0]
report.finding(
    "Additive boosting, which can be read curve by curve, against LightGBM: {additive_price}, "
    "{additive_verdict}.",
    additive_price=readable["difference"],
    additive_verdict=readable["verdict"],
)

# %% [markdown]
# **Next** 21 tunes, 30 opens the test set and looks for weak segments there, 31 prices decisions.

# %% What must hold
assert shap.gap <= 1e-6
assert len(judged) == len(names)
assert sorted(i for cluster in clusters for i in cluster) == list(range(len(names)))
assert set(shuffled.columns["what"]) <= set(names)
