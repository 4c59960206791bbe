# %% [markdown]
# # 22 · Cross-validation strategies
#
# **Question** Which way of resampling tells the truth about a model on this table, and are the
# study's folds that way?
#
# **You get** what ties rows together and what ignoring it promises; a map of the folds; thirteen
# strategies against a held-out truth: bias, spread, coverage of intervals, cost; what choosing a
# model on its own folds adds to its score; and a recommendation.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import evaluation, leakage, plots, report, resampling
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p, print_p_values

config = load_config()
plots.setup_plotting()
level, seed = config.confidence, config.seed

# %% After how many moments of time a row's target is known tags=["parameters"]
horizon = 1

# %% [markdown]
# ## The data: training rows only
#
# The locked test rows have no part in this. What plays the truth below is the rest of the training
# rows, which a small sample of them has never met.

# %% Load the table
dataset = load_data(config.dataset, target=config.target)
train = dataset.train
report.finding("The training rows: {data}.", data=train.summary())

# %% [markdown]
# ## The rules, fixed before any result
#
# The metric is the study's; of numbers it is the mean absolute error: R² divides by how much the
# tested rows vary, which a fold of few groups hardly does. A strategy **stands** when (1) its folds
# keep together what belongs together; (2) it has an interval, whose coverage is not shown to be
# below the share set here; (3) its error is at most a tenth above the smallest, or not
# distinguishably above it. The cheapest that stands is **recommended**; of equally cheap ones the
# study's default.
#
# The model is nearest neighbours: it fits in a millisecond, so that a strategy can be repeated
# hundreds of times, and it remembers its rows, so that a wrong splitter shows.

# %% Metric, counts and limits
is_number = train.task == "regression"
scoring = "neg_mean_absolute_error" if is_number else evaluation.default_scoring(train.task)
label = evaluation.scorers(train.task)[scoring].label
n_draws, n_rows = config.budget.n_resamples * 8 // 100, 300
tolerance, least_coverage = 0.1, 0.9
report.finding(
    "Scores are {_label} ({metric}). The rule: an error at most {share_more:.0%} above the "
    "smallest; intervals that hold the truth in {least:.0%} of samples.",
    _label=label,
    metric=scoring,
    share_more=tolerance,
    least=least_coverage,
)

# %% [markdown]
# ## What ties rows together?
#
# Rows of one person, or of neighbouring days, resemble each other. When some of them train and
# others are tested, a model is rewarded for recognising them, which it cannot do in use. Groups and
# time that the catalogue names count as they are; where it names none, the audit of 02 looks for
# them, and they count when random folds flatter boosted trees beyond chance.

# %% Groups and time, given or found
ties = leakage.find_ties(dataset, config=config)
tied, default = ties.dataset, resampling.name_default(train)
report.finding("{_ties}.", _ties=ties.in_words())
if ties.measured is not None:
    report.finding(
        "{_scoring}: random folds promise {promised}, {_folds} keep {kept}. Random folds flatter "
        "by {flattery} (p {_p}).",
        _scoring=ties.measured.scoring[:1].upper() + ties.measured.scoring[1:],
        _folds=ties.fitting_folds,
        promised=ties.measured.promised,
        kept=ties.measured.kept,
        flattery=ties.measured.difference,
        _p=format_p(ties.measured.p_value),
    )
for warning in ties.warnings:
    report.warning("{_warning}", _warning=warning)

# %% [markdown]
# ## How do the folds lie in the table?
#
# A row of the map is a fold, a column a row of the table. Look at the strips on top: where one
# shade of a group stands over both colours in the same fold, kin train for kin; where training lies
# to the right of what is tested, the future trains for the past. White rows do neither: they come
# later, or their target is known only while the test block runs.

# %% Draw the folds
shown = resampling.sample_rows(tied, config.budget.max_rows_slow, random_state=seed)
wanted = ["k-fold", default, resampling.name_default(tied), "forward in time", "purged k-fold"]
drawn = [s for s in resampling.list_strategies(shown, horizon=horizon) if s.name in wanted]
maps = resampling.make_strategy_folds(drawn, shown, random_state=seed)
rows = resampling.map_rows(shown, max_rows=200)
figure = plots.plot_folds(
    resampling.map_folds(maps, rows),
    rows,
    target=train.target,
    group=ties.groups,
    time=ties.time,
    classes=train.classes,
    n_rows=len(shown),
)

# %% [markdown]
# ## What does it cost to predict strangers, or the future?
#
# Folds by person and folds by year test other rows and train on fewer of them, so their scores
# differ for more than one reason. Here the same test rows are predicted by boosted trees from
# equally many training rows: any others, those of other groups, earlier ones, or both. What mixing
# adds is the flattery, freed from everything else; few periods make its interval wide.

# %% The same test rows, up to four ways to train
more = resampling.sample_rows(tied, 3 * config.budget.max_rows_slow, random_state=seed)
plain = evaluation.make_plain(more)
apart = resampling.make_apart(plain, n_splits=3, random_state=seed)
if apart:
    trees = leakage.make_booster(plain)
    by_tie = evaluation.compare_apart(trees, plain, apart, scoring=scoring, level=level)
    report.table(print_p_values(by_tie), title=f"{label} on the same test rows")
    strictest = by_tie.iloc[-1]
    report.finding(
        "With {_kept}, the score is {strict_score}; mixing adds {mixing} (p {_p}).",
        _kept=strictest["kept_apart"],
        strict_score=strictest["score"],
        mixing=strictest["flattery"],
        _p=format_p(strictest["p"]),
    )
else:
    report.finding("Not applicable: there are no groups and no periods to keep apart, or too few.")

# %% [markdown]
# ## Which strategy tells the truth?
#
# A small sample is drawn from the training rows: whole groups where there are groups, a stretch
# of time where there is a time. Every strategy estimates the score of the model from that sample
# alone. The same model, fitted on the whole sample, then meets the rest: that is the truth. Many
# samples show the bias (is a strategy wrong on average?), the spread (how far off is one estimate?)
# and whether intervals hold the truth as often as they say. Plain and stratified folds ignore
# groups and time on purpose. Purged folds and the bootstrap are explained in `lib.resampling`.

# %% Small samples, and the strategies
stage = resampling.set_stage(
    evaluation.make_plain(tied), n_rows=n_rows, n_draws=n_draws, random_state=seed
)
if stage.reason:
    report.warning(
        "{_reason} Strategies are judged on a generator of the same task instead: what follows is "
        "about samples of that size in general, not about this table.",
        _reason=stage.reason,
    )
report.finding("Judged on {samples}.", samples=stage.samples.description)
strategies = resampling.list_strategies(stage.dataset, horizon=horizon)
report.table(resampling.tabulate_strategies(strategies), title="The strategies")

# %% Estimate, and compare with the truth
candidates = evaluation.make_neighbours(stage.dataset)
settings = {"scoring": scoring, "level": level, "random_state": seed}
comparison = evaluation.compare_with_truth(
    candidates, stage.dataset, stage.samples, strategies, **settings
)
summary = comparison.summarise()
hidden = ["judges", "estimate", "truth", "naive_covers", "corrected_covers"]
report.table(summary.drop(columns=hidden), title=f"Estimate minus truth ({label})")
if len(comparison.failures()):
    report.table(comparison.failures(), title="Samples without an estimate")

# %% Draw what strategies miss by
ax = plots.plot_strategies(summary, metric=scoring)

# %% [markdown]
# A bias to the right flatters. A single split (hold-out) is right on average and far off in a
# single case: the wide bar is its price. Folds train on four fifths of the sample, so a small bias
# to the left is the normal price of honesty. The .632 rule mixes in the training score, which a
# model that remembers its rows does not deserve; .632+ takes most of that back. Intervals here are
# Monte-Carlo ones over samples of one table: another table may order strategies otherwise.
#
# ## Do intervals hold the truth?
#
# Folds share training rows, so their scores move together. An interval that takes them as
# independent is too short, and the shorter the more often the folds are repeated: repeats add
# folds, not rows. The correction of Nadeau and Bengio adds the ratio of test to training rows to
# the variance. Coverage is counted against the truth of each sample.

# %% Coverage
ax = plots.plot_coverage(summary, level=level)
by_name = summary.set_index("strategy")
repeated = by_name.loc["repeated k-fold"]
report.finding(
    "Repeated folds: naive intervals hold the truth in {naive_covers} of samples, corrected ones "
    "in {corrected_covers}; they aim at {aim:.0%}.",
    naive_covers=repeated["naive_covers"],
    corrected_covers=repeated["corrected_covers"],
    aim=level,
)

# %% [markdown]
# ## What does choosing a model add to its score?
#
# The best of several settings is partly the luckiest on the folds that chose it. Nested folds let
# each outer test part judge a choice in which it had no part.

# %% Inner optimum against nested folds
inner, nested = by_name.loc["inner optimum"], by_name.loc["nested"]
optimism = comparison.compare_estimates("inner optimum", "nested")
report.finding(
    "The inner optimum exceeds the nested score by {optimism}. Against the truth it is off by "
    "{inner_bias}, the nested score by {nested_bias}; nesting costs {_nested} fits instead of "
    "{_inner}.",
    optimism=optimism,
    inner_bias=inner["bias"],
    nested_bias=nested["bias"],
    _nested=f"{nested['n_fits']:.0f}",
    _inner=f"{inner['n_fits']:.0f}",
)

# %% [markdown]
# ## Conclusion
#
# The rule of the beginning, applied. It speaks for scores of this metric on samples of this size:
# with many more rows every strategy comes nearer to the truth, but a wrong splitter stays wrong.

# %% Apply the rule
must_keep = ties.must_keep
admissible = [s.name for s in strategies if not must_keep or must_keep in s.keeps]
limits = {"tolerance": tolerance, "least_coverage": least_coverage}
advice = evaluation.recommend(summary, comparison, admissible, default=default, **limits)
report.table(advice.table[["strategy", "n_fits", "verdict"]], title="The strategies by the rule")
if advice.standing:
    first, *others = advice.standing
    report.finding(
        "Recommended: {recommended} (error {error}); as good by the rule: {_others}.",
        recommended=first,
        error=by_name.loc[first, "rmse"],
        _others=", ".join(others) or "none",
    )
else:
    report.warning("No strategy passes the rule: trust no single score of such a sample.")
report.finding(
    "The study's default, {default}: {_verdict}; it agrees with the recommendation: {agrees}.",
    default=default,
    _verdict=advice.verdict(default),
    agrees=(default in advice.standing) if advice.standing else "there is none",
)
if must_keep and default not in admissible:
    report.warning(
        "The study's folds tear apart what belongs together ({_what}): name a column for the "
        "{_role} in the catalogue, and run 11 again.",
        _what=ties.groups or ties.time,
        _role=must_keep,
    )

# %% [markdown]
# **Next** 11 and 21 use the study's folds; 30 opens the locked test rows once, the last word on
# every estimate made here.

# %% What must hold
assert set(summary["strategy"]) == {s.name for s in strategies if s.make is not None}
assert (advice.table["verdict"] == "recommended").sum() == bool(advice.standing)
assert all(row.bias.covers(row.bias.value) for row in summary.itertuples() if row.samples > 1)
