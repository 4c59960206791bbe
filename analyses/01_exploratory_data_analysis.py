# %% [markdown]
# # 01 · Exploratory data analysis
#
# **Question** What is in this table, what goes with the target, and what should one beware of
# before fitting anything?
#
# **You get** roles and repairs of every column, a profile to click through and one to diff, every
# feature against the target, associations, training against test rows, the view over time, and a
# ranked list of findings.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import plots, profile, report, statistics
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p

config = load_config()
plots.setup_plotting()

# %% [markdown]
# ## The data: training rows only
#
# Looking is a way of learning: a feature picked because it looked good on all rows has seen the
# test rows. Their target therefore stays locked here as everywhere; only their features are
# compared with the training rows further down. Columns appear under their own names.

# %% Load the training rows
dataset = load_data(config.dataset, target=config.target)
train = dataset.train
X = statistics.as_frame(train.X.rename(columns=train.labels))
report.finding("The training rows: {data}.", data=train.summary())

# %% [markdown]
# What each column is for was named in the catalogue ("given") or inferred. A wrong guess is
# corrected in `data/catalog.toml`, and everything below follows. Repairs are what loading changed.

# %% Roles and repairs
report.table(train.roles, title="What each column is for")
if len(train.repairs):
    report.table(train.repairs, title="What loading repaired, in the whole table")
else:
    report.finding("Loading repaired nothing.")

# %% [markdown]
# ## The rules, fixed before looking
#
# With many features some look related by luck: p-values are corrected by Benjamini and Hochberg,
# and "a sign" means q below the level. Where a table names groups, rows of one group repeat each
# other; tests and intervals are widened for it (Rao and Scott). Strength runs from 0, unrelated, to
# 1, the feature alone gives the target away, and is the same scale for numbers and categories.

# %% Level and caps
level, alpha = config.confidence, 1 - config.confidence
max_compared = 60  # columns in the association matrix, whose cost grows with their square
report.finding(
    "Intervals aim at {level:.0%}; q below {alpha:.2f} counts.", level=level, alpha=alpha
)

# %% [markdown]
# ## What is in the table?
#
# Four questions at a glance: which columns go together, how the target is balanced, where values
# are missing, what kinds of columns there are.

# %% The table at a glance
everything = X.assign(**{train.target: statistics.target_in_words(train)})
figure = plots.quick_eda_plots(everything, train.target)

# %% The target
report.table(statistics.describe_target(train), title="The target")

# %% Types and missing values
types, missing = statistics.compute_types(X), statistics.compute_missing(X)
report.table(types.groupby("kind").size().rename("columns"), title="Kinds of columns")
if len(missing):
    report.table(missing, title="Missing values")
else:
    report.finding("No feature has missing values.")

# %% [markdown]
# Whether a gap means something is a question for 02; that its *presence* goes with the target
# shows below, where "missing" is a level of its own. The profile has one row a column: read the
# middle half first, then the range, where sentinel codes (-1, 999) give themselves away.

# %% A profile to diff, and one to click through
report.table(profile.profile_table(X), title="Profile of the features")
page = profile.profile_page(
    everything, title=f"{train.name}: training rows", random_state=config.seed
)
report.attach("profile.html", page, title="Profile of every column")

# %% Distributions
figure = plots.plot_distributions(X)

# %% [markdown]
# ## Which features go with the target?
#
# Each feature alone, numbers cut into bins of equal counts, so that a bent relation counts as much
# as a straight one. It says nothing about what a feature adds to the others: two copies of one
# feature both look strong, and features that work only together both look weak.

# %% Every feature against the target
screening = statistics.compare_with_target(
    X, train.y, task=train.task, groups=train.groups, confidence=level
)
shown = screening.assign(q=screening["q"].map(format_p)).drop(columns="p")
report.table(shown, title=f"Strength of each feature alone with {train.target}")
ax = plots.plot_strengths(screening, target=train.target)

# %% How the target changes over the strongest features
figure = plots.plot_target_panel(
    X, train.y, screening, task=train.task, target=train.target, classes=train.classes
)

# %% [markdown]
# A sign is no cause: a feature may follow the target, or share a reason with it. Intervals in the
# small panels treat rows as independent, and are too narrow where groups repeat.

# %% [markdown]
# ## Which columns say the same thing?
#
# Spearman's correlation for two columns of numbers, bias-corrected Cramér's V for two of
# categories, the correlation ratio of ranks for one of each. Near-copies make coefficients and
# importances of single columns meaningless (13), not predictions.

# %% Associations
compared = X[screening["feature"].head(max_compared)]
associations = statistics.compute_associations(
    compared, max_rows=config.budget.max_rows, random_state=config.seed
)
report.table(associations.head(15), title="The strongest associations")
ax = plots.plot_associations(associations)

# %% Every pair of the strongest numbers
strongest = X[screening["feature"]]
colour = {"target": train.y.rename(train.target), "classes": train.classes}
figure = plots.plot_scatter_matrix(strongest, **colour, random_state=config.seed)
title = f"{train.name}: pairs of numbers"
page = plots.make_scatter_matrix_page(strongest, title=title, **colour, random_state=config.seed)
report.attach("scatter_matrix.html", page, title="Pairs of numbers, to brush and zoom")

# %% [markdown]
# ## Do training and test rows look alike?
#
# Features only. "Differs" is more than chance; "shifted" is also notable (stability index from
# 0.1). Differences are expected where the split follows time, and then part of the task: scores
# on the test rows will say how a model ages. In a random split they would be a reason to worry.

# %% Training against test rows
test = statistics.as_frame(dataset.test_features.rename(columns=train.labels))
drift = statistics.compare_samples(X, test, groups=train.groups, alpha=alpha)
shown = drift.assign(q=drift["q"].map(format_p)).drop(columns=["kind", "p"])
report.table(shown, title="Training (first) against test (second) rows")
ax = plots.plot_drift(drift)

# %% [markdown]
# ## Does the target change over time?
#
# Means of periods; a trend test that allows for memory between them; how much of the swings the
# hour, weekday or month explains; and, where groups come again, whether they resemble themselves.

# %% The view over time
over_time = None
if train.time is None:
    report.finding("The view over time is not applicable: the table names no time column.")
else:
    outcome = statistics.outcome_of(train)
    over_time = statistics.compute_time_profile(
        train.time, outcome, groups=train.groups, confidence=level
    )
    report.table(over_time.periods, title=f"{outcome.name} over time")
    figure = plots.plot_time_profile(
        over_time, target=outcome.name, is_share=train.task != "regression"
    )

# %% [markdown]
# ## Conclusion
#
# The findings by weight: what may invalidate a study first, then what helps to model, then what
# is good to know.

# %% Ranked findings
ranked = statistics.rank_observations(
    train,
    types=types,
    missing=missing,
    screening=screening,
    associations=associations,
    drift=drift,
    profile=over_time,
)
for seen in ranked:
    say = report.warning if seen.is_warning else report.finding
    say(seen.sentence, **seen.values)

# %% [markdown]
# **Next** 02 checks the table's quality and looks for leaks, 03 tests these relations properly, 11
# shows how far standard models get.

# %% What must hold
assert set(screening["feature"]) == set(X.columns)
assert screening["q"].dropna().between(0, 1).all()
assert associations["value"].dropna().between(-1, 1).all()
assert len(drift) == X.shape[1]
