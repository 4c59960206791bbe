# %% [markdown]
# # 13 · Model interpretation
#
# **Question** What has the model learned, which of it may be quoted, and what would a model cost
# that can be read whole?
#
# **You get** exact contributions of every column, importances with tests, effects with bands, a
# table of what the methods agree on, subgroups side by side, and the worst errors explained; all
# of it on rows that the explained model has not seen.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import evaluation, explanation, models, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p

config = load_config()
plots.setup_plotting()

# %% [markdown]
# ## The data: training rows only
#
# The test rows stay locked. A model can recite rows that it was fitted on, so importances of such
# rows tell what it memorised. Here each row is explained by the model of a fold that left it out.

# %% Load the training rows
train = load_data(config.dataset, target=config.target).train
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
names = explanation.own_names(sample)
report.finding("The training rows: {data}.", data=train.summary())
if len(sample) < len(train):
    report.warning("Models saw a random {n_sampled} of these rows.", n_sampled=len(sample))

# %% [markdown]
# ## The rules, fixed before any model is fitted
#
# The model to explain is LightGBM as analysis 11 has it: of the strong baselines it is the one
# whose contributions (SHAP values) are computed exactly and not sampled. Its own TreeSHAP is used,
# which gives what the shap package would. The linear model is second: exact too, and another view.
#
# Rules for what may be claimed: a column **matters** when shuffling it costs score at the level
# below, after Holm's correction over all columns. It is **among the most important** when it is in
# the top in at least four fifths of the rankings by every method, fold and seed, and in half of
# each method's; what is there in less than a fifth is not; all between is **unstable, do not
# quote**. Columns share a **cluster** from an association of 0.7 on.

# %% Metric, folds, the model
scoring = evaluation.default_scoring(sample.task)
label = evaluation.scorers(sample.task)[scoring].label
level = config.confidence
is_small = len(sample) <= 2_000  # then repeats are cheap, and five folds tell little
cv = resampling.make_cv(
    sample,
    n_splits=config.budget.n_splits,
    n_repeats=max(config.budget.n_repeats, 3) if is_small else config.budget.n_repeats,
    random_state=config.seed,
)
folds = resampling.make_folds(sample, cv)
baselines = models.baselines(sample, config)
fitted = explanation.fit_folds(
    baselines["LightGBM"], sample, folds, n_seeds=2, random_state=config.seed
)
report.finding("Folds: {folds}; two seeds on the first pass.", folds=folds.description)
report.finding(
    "Scores are {_label} ({metric}); a test below {alpha:.2f} counts.",
    _label=label,
    metric=scoring,
    alpha=1 - level,
)
for note in (*folds.notes, *fitted.notes):
    report.warning("{_note}", _note=note)

# %% [markdown]
# ## What moves the predictions?
#
# A contribution says how far one column pushed one prediction away from what is usual; for each
# row they add up to the model's output (log-odds of a class, or the unit of the target). Parts of a
# date and components of a text are added up to the column that they came from.

# %% Contributions, out of fold
shap = explanation.explain_out_of_fold(
    fitted, max_rows=config.budget.max_rows_slow, random_state=config.seed
)
explanation.check_additivity(shap)
sizes = explanation.tabulate_contributions(shap, folds.test_fraction, level=level)
strongest = sizes.iloc[0]
report.finding(
    "{_route}: {n_explained} rows explained; base and contributions add up to the prediction.",
    _route=f"Contributions are {shap.route}",
    n_explained=len(shap),
)
report.table(
    sizes[["column", "size", "share"]].head(15),
    title=f"Mean size of the contributions ({shap.unit})",
)
ax = plots.plot_contribution_sizes(shap)

# %% A point a row
ax = plots.plot_contributions(shap)

# %% [markdown]
# Colour says whether the value is high or low; where colours part left and right of the middle, the
# column has a direction. This is about the model, not the world: a contribution is no cause, and of
# two correlated columns the model may use either.

# %% The strongest column over its values
ax = plots.plot_dependence(shap, int(strongest["position"]))

# %% [markdown]
# ## What does the score lose without a column?
#
# Shuffling breaks the tie between a column and the target. Near copies stand in for each other:
# one shuffled alone costs little, so columns of a cluster are also shuffled together.

# %% Shuffle columns and clusters
clusters = explanation.cluster_columns(sample.X)
shuffled = explanation.permute_out_of_fold(
    fitted, clusters, scoring=scoring, random_state=config.seed, level=level
)
matter = shuffled.columns[shuffled.columns["verdict"] == explanation.MATTERS]
matter_together = shuffled.clusters[shuffled.clusters["verdict"] == explanation.MATTERS]
shown = ["what", "importance", "std", "p_holm", "verdict"]
for table, things in ((shuffled.columns, "columns"), (shuffled.clusters, "clusters of columns")):
    report.table(
        table.assign(p_holm=table["p_holm"].map(format_p))[shown].head(15),
        title=f"Score lost when {things} are shuffled ({label})",
    )
ax = plots.plot_importance(shuffled.columns, scoring=label)

# %% The same by cluster
ax = plots.plot_importance(shuffled.clusters, scoring=label, things="clusters of columns")
report.finding(
    "{n_matter} of {n_columns} columns and {n_clusters_matter} of {n_clusters} clusters cost "
    "score beyond chance when shuffled.",
    n_matter=len(matter),
    n_columns=len(names),
    n_clusters_matter=len(matter_together),
    n_clusters=len(clusters),
)

# %% [markdown]
# "No sign" is not "no use": with few folds only large losses show.
#
# ## Do the methods agree, and would they next time?
#
# Three ways to rank the same model (contributions, shuffling, the model's own gain), on every fold
# and seed. Gain favours columns with many values. The linear model and the local lines of the next
# section are shown beside them as outsiders: they do not decide.

# %% Rank by every method, fold and seed
linear = explanation.fit_folds(baselines["linear"], sample, folds, random_state=config.seed)
rankings = {
    "SHAP": explanation.rank_contributions(fitted),
    "shuffling": shuffled.by_fold,
    "gain": explanation.rank_builtin(fitted, "gain"),
}
n_top = explanation.choose_top(len(names))
agreement = explanation.compare_methods(
    {**rankings, "linear model": explanation.rank_contributions(linear)}, n_top=n_top
)
judged = explanation.judge_columns(rankings, names, n_top=n_top)
report.table(agreement, title=f"Agreement of rankings (top {n_top})", digits=2)
report.table(
    judged.drop(columns="position").head(15), title="What may be called most important", digits=2
)
ax = plots.plot_agreement(judged, methods=list(rankings), n_top=n_top)

# %% [markdown]
# A method with itself compares folds and seeds: where even that is far from 1, the ranking is luck.
#
# ## In which direction, and how far?
#
# Accumulated local effects move each row only to the next value of a column. Partial dependence
# (dashed) sets it everywhere, also where no such row exists: where the two part, columns are
# correlated, and the first is to be trusted. Single rows that cross each other are interactions.

# %% Effects of the strongest columns
chosen = explanation.choose_columns(sample.X, sizes["position"].tolist())
effects = explanation.compute_effects(
    fitted, chosen, names=names, random_state=config.seed, level=level
)
is_number = sample.task == "regression"
unit = sample.target if is_number else "probability"
figure = plots.plot_effects(effects, target=sample.target, classes=sample.classes, unit=unit)
reach = explanation.largest_range(effects.curves)
reach = reach[reach["method"] == explanation.ALE].head(10)
if len(reach):
    report.table(
        reach.drop(columns=["position", "method"]).reset_index(drop=True),
        title=f"From the lowest to the highest point of each curve ({unit})",
    )

# %% [markdown]
# ## Does a line near a row say the same?
#
# LIME's method: neighbours of a row keep some of its values and take others from other rows; a line
# through the model's answers gives weights. Where the line explains less than half of the model
# nearby, do not read it.

# %% Local lines against exact contributions
lines, _ = explanation.compare_surrogates(fitted, shap, random_state=config.seed)
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
# lines; `shallow tree` asks three questions. The difference is paired on the same folds.

# %% Glass boxes on the same folds
glass = explanation.make_glass_boxes(baselines)
scores = evaluation.cross_validate(glass, sample, folds, scoring=scoring)
price = evaluation.compare(scores, reference="LightGBM", level=level)
report.table(
    price.assign(p_LightGBM=price["p_LightGBM"].map(format_p))[
        ["model", "score", "vs_LightGBM", "p_LightGBM", "verdict"]
    ],
    title=f"The price of reading ({label})",
)
rules = explanation.write_rules(glass[explanation.SHALLOW], sample)
report.table(rules, title="The shallow tree in words, fitted on all training rows")
own = scores.only(explanation.ADDITIVE, explanation.SHALLOW)
tracking.log_candidates(own, dataset=sample, folds=folds)

# %% [markdown]
# ## Is it alike for all?
#
# Columns that the catalogue names as sensitive, else categories of the table. As many rows are
# flagged as there are positives. A difference is a question: base rates may differ as well.

# %% Subgroups
predictions = explanation.out_of_fold(fitted)
parts = explanation.choose_subgroups(sample)
subgroups = explanation.compare_subgroups(sample, predictions, parts, level=level)
if len(subgroups):
    report.table(
        subgroups.assign(p_holm=subgroups["p_holm"].map(format_p)).drop(columns="p"),
        title="Each part of the rows against all others",
    )
    figure = plots.plot_subgroups(subgroups, level=level)
    pushes = explanation.compare_contributions(shap, sample, parts, level=level)
    report.table(pushes, title=f"What the model makes of the part ({shap.unit})")
    n_differ = int((subgroups["verdict"] == "differs").sum())
    n_compared = int(subgroups["p"].notna().sum())
    report.finding(
        "Parts of the rows differ in {n_differ} of {n_compared} comparisons, beyond chance.",
        n_differ=n_differ,
        n_compared=n_compared,
    )
else:
    report.finding("Subgroups are not applicable: no column splits the rows into large parts.")

# %% [markdown]
# ## Where is it most wrong?
#
# Rows by number within the training rows, with what pushed them away from the truth. Contents are
# not shown, as they may be personal. Errors **gather** where losses go beyond what the model's own
# probabilities expect (for numbers: where they are larger than elsewhere).

# %% The worst rows, and where errors gather
worst, worst_shap = explanation.explain_worst(fitted, predictions)
report.table(worst, title="The worst predictions, out of fold", digits=2)
ax = plots.plot_waterfall(worst_shap, 0)
losses = explanation.compute_losses(sample, predictions)
places = explanation.locate_errors(sample, predictions, level=level)
is_worse = places["difference"].map(lambda gap: gap.value > 0)
gathered = places[is_worse & (places["p_holm"] < 1 - level)]
report.finding(
    "The worst tenth of the rows carries {worst_share:.0%} of all loss.",
    worst_share=explanation.share_of_worst(losses),
)
if len(gathered):
    report.table(
        gathered.assign(p_holm=gathered["p_holm"].map(format_p)).head(10),
        title="Where errors gather",
    )
report.finding("Errors gather in {n_places} parts of the table.", n_places=len(gathered))

# %% [markdown]
# ## Conclusion

# %% Findings
quoted = judged.loc[judged["verdict"] == explanation.QUOTE, "column"].tolist()
unstable = judged.loc[judged["verdict"] == explanation.UNSTABLE, "column"].tolist()
report.finding(
    "Largest contributions: {strongest} ({strongest_size}, {strongest_share:.0%} of all).",
    strongest=strongest["column"],
    strongest_size=strongest["size"],
    strongest_share=strongest["share"],
)
report.finding(
    "May be called one of the {n_top} most important: {quoted}.",
    n_top=n_top,
    quoted=", ".join(quoted) or "no column",
)
if unstable:
    report.warning("Unstable, do not quote: {unstable}.", unstable=", ".join(unstable))
readable = price[price["model"] == explanation.ADDITIVE].iloc[0]
report.finding(
    "Additive boosting, which can be read curve by curve, against LightGBM: {additive_price}, "
    "{additive_verdict}.",
    additive_price=readable["vs_LightGBM"],
    additive_verdict=readable["verdict"],
)

# %% [markdown]
# **Next** 21 tunes, 30 opens the test set and looks for weak segments there, 31 prices decisions.

# %% What must hold
assert shap.gap <= 1e-6
assert len(judged) == len(names)
assert sorted(i for cluster in clusters for i in cluster) == list(range(len(names)))
assert set(shuffled.columns["what"]) <= set(names)
