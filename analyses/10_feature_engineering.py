# %% [markdown]
# # 10 · Feature engineering
#
# **Question** Which features made from this table's columns help a model, and which columns could
# it do without?
#
# **You get** the gain of every family of features with an interval and a test, for a linear model
# and for boosting; methods of selection compared by score and by how stable their choice is; where
# each feature comes from; and a recipe, by name, that later analyses build on.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import evaluation, features, models, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p

config = load_config()
plots.setup_plotting()

# %% [markdown]
# ## The data: training rows only
#
# Rows and folds are those of 11, so that what is found here stands beside its baselines. Very large
# tables are judged on a part of the rows: what helps only beyond that is small.

# %% Load the training rows
train = load_data(config.dataset, target=config.target).train
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
judged = resampling.sample_rows(sample, 5 * config.budget.max_rows_slow, random_state=config.seed)
report.finding("The training rows: {data}.", data=train.summary())
if len(judged) < len(train):
    report.warning("Recipes are judged on a random {n_judged} of these rows.", n_judged=len(judged))

# %% [markdown]
# ## The rules, fixed before any result
#
# A *recipe* says which families of features are added to the raw columns, and how many features a
# selection keeps. It is a way of working, not a list of columns: edges of bins, pairs, encodings
# and the selected set are learned anew inside every fold, from its training part alone.
#
# Each recipe is compared with the raw columns under the same model, fold by fold. All tests
# together are one family: Holm's correction keeps the chance of a single false gain at the level
# below. A recipe is chosen for a model only if its test says *better*; of several, the one with the
# highest mean; with none, the recipe is raw. Families that are better alone are tried together.

# %% Metric, folds and recipes
scoring = evaluation.default_scoring(judged.task)
label = evaluation.scorers(judged.task)[scoring].label
level = config.confidence

folds = resampling.make_study_folds(judged, config)
families = features.describe_families(judged)
usable = families.loc[families["applies"], "family"].tolist()
plan = features.plan_recipes(usable, judged.n_features)
report.finding("Recipes are judged by {_label} ({metric}).", _label=label, metric=scoring)
report.finding("Folds: {folds}.", folds=folds.description)
report.finding(
    "{n_recipes} recipes for a linear model and LightGBM: {n_tests} tests at {alpha:.2f} together.",
    n_tests=len(plan.tried) * len(models.RECIPE_MODELS),
    alpha=1 - level,
    n_recipes=len(plan.tried),
)
for note in folds.notes:
    report.warning("{_note}", _note=note)

# %% [markdown]
# ## Which families does the table have columns for?
#
# A family that has nothing to work on is left out here, before any result. Of many columns those
# that say most alone are used, chosen inside the fold, so that wide tables stay affordable.

# %% Families
report.table(families.drop(columns="applies"), title="Families of features")
report.finding(
    "{n_families} of {n_known} families apply.", n_families=len(usable), n_known=len(families)
)
limited = families.loc[families["n_columns"] > families["at_most"], "family"].tolist()
if limited:
    report.finding(
        "The table has more columns than these families use, so a fold picks the strongest: "
        "{limited}.",
        limited=", ".join(limited),
    )

# %% [markdown]
# ## What does each family add?
#
# Each family is added alone, so a gain is its own. The linear model and LightGBM profit from
# different things: a tree cuts numbers by itself and needs no bins; a linear model needs help with
# every curve, and with anything that two columns say only together.

# %% Fit every recipe once a fold
candidates = models.with_recipes(judged, config, ["raw", *plan.tried], linear_only=plan.curve)
scores = evaluation.cross_validate(candidates, judged, folds, scoring=scoring)
problems = evaluation.tabulate_problems(scores)
if len(problems):
    report.table(problems, title="What failed or warned")

# %% Gains over the raw columns
gains = models.compare_recipes(scores, plan.tried, level=level)
of_families = gains["recipe"].isin(plan.of_families)
shown = gains.assign(p=gains["p"].map(format_p), recipe=gains["recipe"].str.removeprefix("raw + "))
columns = ["recipe", "model", "gain", "p", "verdict", "visible"]
report.table(shown.loc[of_families, columns], title=f"Gain in {label} over the raw columns")
n_better = int((gains["verdict"] == evaluation.BETTER).sum())
n_worse = int((gains["verdict"] == evaluation.WORSE).sum())
report.finding(
    "{n_better} of {n_tests_made} tests find a gain over the raw columns, {n_worse} a loss.",
    n_better=n_better,
    n_tests_made=len(gains),
    n_worse=n_worse,
)

# %% Draw the gains
ax = plots.plot_gains(gains, metric=scoring)

# %% [markdown]
# Right of the dashed line a recipe scores higher than the raw columns; a filled mark is a gain or
# loss that the test confirms. Each interval stands for itself, while the verdicts are corrected for
# the number of tests, so an interval beside the line can still be "not distinguishable". `visible`
# is about the smallest gain that could have counted: a family with less may help a little all the
# same, and where it is more than the metric can rise these rows are too few to tell. "No
# difference" means that a family found nothing to add in any fold.

# %% [markdown]
# ## Does a selection do as well with fewer features?
#
# All families together bring many features that say nearly the same. Four methods choose among
# them, whole features at a time (the levels of a category stay together): *mutual information*
# looks at each feature alone; *L1* takes the features in the order in which a lasso admits them;
# *null importance* asks what a forest finds beyond shuffled targets; *recursive* lets the weakest
# of a ridge leave step by step. Each may keep as many features as the table has columns, at most
# 20; it stops earlier where it finds only noise.

# %% Selections
report.table(shown.loc[~of_families, columns], title="Gain of a selection over the raw columns")
means = evaluation.tabulate_metrics(scores, level=level).set_index("model")[scoring]
names = {r: models.name_with_recipe("linear", r) for r in [*plan.selections, *plan.curve]}
kept = features.tabulate_kept({r: means[name] for r, name in names.items() if name in means})
ax = plots.plot_kept(kept, metric=scoring, raw=means["linear"].value, model="linear")

# %% [markdown]
# A line that is flat from some number on says that the rest adds nothing to a linear model. The
# number at its peak was not fixed beforehand: it is a hint, not a result.

# %% [markdown]
# ## Would other rows have chosen the same features?
#
# A set that changes with the rows tells little about the world, however well it scores. Every
# method selects again on parts drawn at random from each fold's training rows (half of them, of
# large tables fewer), features made anew. Nogueira's measure is 1 for equal sets and about 0 for
# sets drawn at random; above 0.75 is called excellent, below 0.4 poor. Parts overlap between
# folds, so the truth is a little lower than these figures.

# %% Stability
selections = features.select_repeatedly(
    judged,
    folds,
    families=usable,
    n_kept=plan.n_kept,
    max_rows=config.budget.max_rows_slow // 2,
    random_state=config.seed,
)
stability = features.tabulate_stability(selections, level=level)
lineage = features.tabulate_lineage(selections, judged)
report.table(stability, title="Stability of the selected set")
report.finding("A part has {part_rows} rows at most.", part_rows=selections.n_rows)
ax = plots.plot_selection(lineage, stability)
steadiest = stability.loc[stability["stability"].map(lambda e: e.value).fillna(-1).idxmax()]
report.finding(
    "{steadiest} selects most alike: stability {steadiness} ({_reading}); features that it kept in "
    "every part: {n_always}.",
    steadiest=steadiest["method"],
    steadiness=steadiest["stability"],
    _reading=steadiest["reading"],
    n_always=steadiest["always"],
)

# %% [markdown]
# ## Where does each feature come from?
#
# One row a feature: what it is made of and what making it learned from. What learns from the target
# is safe only inside a fold. `made` is the share of the halves in which it came about, `chosen` the
# share in which methods kept it.

# %% Lineage
report.table(
    lineage[["feature", "family", "sources", "learned_from", "made", "chosen"]],
    title="Features, the most chosen first",
)
made = lineage[lineage["family"] != "raw"]
report.finding(
    "Features made of {n_columns} columns, in whatever part: {n_made}; learned from the target: "
    "{n_target}.",
    n_made=len(made),
    n_columns=judged.n_features,
    n_target=int(made["learned_from"].str.contains("target").sum()),
)

# %% [markdown]
# ## Conclusion
#
# The recipe handed on is one that these folds preferred: chosen among many, it looks a little
# better here than it will on new rows. The tests bound the chance that it is no gain at all; the
# size of the gain is for the test set to tell.

# %% Choose by the rule, after families that help alone were tried together
average = scores.by_fold().mean()
joined = models.join_better(gains, plan.singles)
if joined:
    together = models.with_recipes(judged, config, sorted(set(joined.values())))
    joint = evaluation.cross_validate(together, judged, folds, scoring=scoring)
    average = average.combine_first(joint.by_fold().mean())
chosen = models.choose_recipes(gains, average, joined)
recipes = chosen.set_index("model")["recipe"]
leader = chosen.iloc[0]
report.finding(
    "The recipe for the linear model is {recipe_linear}, for LightGBM {recipe_lightgbm}.",
    recipe_linear=recipes["linear"],
    recipe_lightgbm=recipes["LightGBM"],
)
report.finding(
    "Handed on: {recipe}, with which {leading_model} leads.",
    recipe=leader["recipe"],
    leading_model=leader["model"],
)
if (recipes == "raw").all():
    report.finding(
        "No recipe beats the raw columns of this table beyond chance: {n_tested} were tried, and "
        "later analyses keep the raw columns.",
        n_tested=len(plan.tried),
    )

# %% Keep candidates beside those of 11
follow = recipes.where(recipes != "raw", chosen.set_index("model")["runner_up"])
names = [models.name_with_recipe(model, recipe) for model, recipe in follow.items() if recipe]
if names and (judged is not sample or not set(names) <= set(scores.models)):
    folds = resampling.make_study_folds(sample, config)
    again = models.with_recipes(sample, config, sorted(set(follow) - {""}))
    again = {name: again[name] for name in names}
    scores = evaluation.cross_validate(again, sample, folds, scoring=scoring)
if names:
    tracking.log_candidates(scores.only(*names), dataset=sample, folds=folds)
report.finding(
    "Tracked beside the baselines of 11, whether better or not: {tracked}.",
    tracked=", ".join(names) or "nothing",
)

# %% [markdown]
# **Next** 11 has the baselines on the same folds; `features.make_preprocessor(dataset, kind=…,
# recipe=…)` makes the preprocessing of a recipe for any model, 13 asks what a model does with it.

# %% What must hold
assert leader["recipe"] == str(features.parse_recipe(leader["recipe"]))
assert all(gain.has_interval for gain in gains["gain"] if gain.value == gain.value)
assert lineage["chosen"].between(0, 1).all()
assert stability["kept"].between(0, plan.n_kept).all()
