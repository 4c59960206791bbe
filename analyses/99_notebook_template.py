# %% [markdown]
# # 99 · Notebook template
#
# **Author** the authors of this repository
#
# **Date** 2026-11-24
#
# **Purpose** Show what an analysis looks like, on one small question: does a linear model learn
# anything from this table? Copy it with `nox -s new -- 50_my_experiment` and replace what you read.
#
# **You need** nothing
#
# **Status** complete (draft → in progress → complete)

# %% [markdown]
# ## Setup & configuration
#
# All imports stand here, and all choices: a reader sees at once what the analysis depends on.
# Dataset, seed and effort come from the command line or the catalogue, never from the script. What
# is decided before the first result (the metric, the folds, the level) is written down before it.

# %% Setup
from lib import evaluation, models, plots, report, resampling
from lib.config import load_config
from lib.data import load_data
from lib.estimates import print_p_values
from lib.statistics import as_frame, target_in_words

config = load_config()
plots.setup_plotting()
level = config.confidence
max_rows = min(2_000, config.budget.max_rows)  # enough for an example, and fast on any table

# %% [markdown]
# ## Data loading & first look
#
# Training rows only: the test rows stay locked until 30, because whoever has looked at them can no
# longer be surprised by them. The figure answers four questions: which columns go together, how the
# target is balanced, where values are missing, and what kinds of columns there are.

# %% Load the training rows
train = load_data(config.dataset, target=config.target).train
report.finding("The training rows: {data}.", data=train.summary())

# %% The table at a glance
everything = as_frame(train.X.rename(columns=train.labels)).assign(
    **{train.target: target_in_words(train)}
)
figure = plots.quick_eda_plots(everything, train.target)

# %% [markdown]
# Say here what you see, and what it means for the question; in words without numbers, for numbers
# typed into prose are wrong the day the data changes.

# %% [markdown]
# ## Analysis & experimentation
#
# One experiment: why it answers the question, a cell that runs it, one table or figure, how to read
# it. The dummy ignores the features and is the floor; the linear model has to beat it on the same
# folds. Preprocessing happens inside each fold, so that no fold knows its own test part.

# %% Metric and folds
sample = resampling.sample_rows(train, max_rows, random_state=config.seed)
scoring = evaluation.default_scoring(sample.task)
label = evaluation.scorers(sample.task)[scoring].label
cv = resampling.make_cv(sample, n_splits=config.budget.n_splits, random_state=config.seed)
folds = resampling.make_folds(sample, cv)
report.finding(
    "Scored by {_label} on {n_rows} rows: {folds}.",
    _label=label,
    n_rows=len(sample),
    folds=folds.description,
)

# %% Fit both models on every fold
baselines = models.baselines(sample, config)
candidates = {name: baselines[name] for name in ("dummy", "linear")}
scores = evaluation.cross_validate(candidates, sample, folds, scoring=scoring)
comparison = evaluation.compare(scores, reference="dummy", level=level)

# %% Scores
shown = print_p_values(comparison)[["model", "score", "difference", "p_value", "verdict"]]
report.table(shown, title=f"Scores ({label}) and the difference to the dummy")
ax = plots.plot_scores(scores.frame, comparison, metric=scoring)

# %% [markdown]
# Each dot is one fold. Folds share training rows, so interval and test use the Nadeau-Bengio
# correction. Say also when the reader should not trust the result.

# %% [markdown]
# ## Results & conclusions
#
# The key findings, computed: these sentences are what git keeps, what a reviewer reads, and what
# other analyses can look up.

# %% Findings
ranking = comparison.set_index("model")
report.finding(
    "Linear model: {_label} {linear}; the dummy has {floor}. Verdict: {verdict}.",
    _label=label,
    linear=ranking.loc["linear", "score"],
    floor=ranking.loc["dummy", "score"],
    verdict=ranking.loc["linear", "verdict"],
)
if ranking.loc["linear", "verdict"] != evaluation.BETTER:
    report.warning("No test tells the linear model from the dummy: look at the data (02) first.")

# %% [markdown]
# ## Next steps
#
# What follows from this, and where: 11 compares more models on these rows, 13 asks what they have
# learned. The last cell holds what must be true whatever the table, so that a run is also a test.

# %% What must hold
assert scores.frame["score"].notna().all()
assert set(ranking.index) == set(candidates)
