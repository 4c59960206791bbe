# %% [markdown]
# # 03 · Statistical analysis
#
# **Question** Which relations in this table stand up to a test that fits them, how large are they,
# and what could this table not have shown?
#
# **You get** how normal the numbers are; every feature against the target by a test chosen from
# checked assumptions, with effect, interval and direction; correlations and mutual information with
# corrected p-values; a regression with robust errors and its diagnostics, count models where the
# target counts; and the smallest effect that this many rows can find.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import plots, report, resampling, statistics
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p

config = load_config()
plots.setup_plotting()

# %% tags=["parameters"]
all_rows = False

# %% [markdown]
# ## The data: training rows only
#
# A relation tested on the test rows has been looked at there, so they stay locked. A study that
# will predict nothing may estimate on every row: `-P all_rows=True` does, and records that the
# test rows were seen. Beyond the budget rows are sampled, whole groups at a time: with that many,
# intervals are far narrower than the errors that no statistic knows of.

# %% Load the rows
dataset = load_data(config.dataset, target=config.target)
rows = dataset if all_rows else dataset.train
if all_rows:
    n_test = len(dataset.open_test("03_statistical_analysis"))
    report.warning("Every row is used, the {n_test} test rows too.", n_test=n_test)
data = resampling.sample_rows(rows, config.budget.max_rows, random_state=config.seed)
X = statistics.as_frame(data.X.rename(columns=data.labels))
report.finding("The rows: {data}.", data=rows.summary())
if len(data) < len(rows):
    report.warning("A random {n_sampled} of these rows were used.", n_sampled=len(data))

# %% [markdown]
# ## The rules, fixed before any test
#
# Asking about many features finds some by luck: q is p after Benjamini and Hochberg, which bounds
# the share of false claims, and decides; Holm's p, which bounds the chance of even one, stands
# beside it for those who can afford none. An effect is shown whether or not it "is significant".
# Where a table names groups, their rows repeat each other: tests and intervals then count groups,
# not rows ("clustered"). Weights of rows are used by the regressions, and by nothing else.

# %% Level and corrections
level, alpha = config.confidence, 1 - config.confidence
asked = {"task": data.task, "classes": data.classes, "groups": data.groups, "level": level}
report.finding(
    "Intervals aim at {level:.0%}; q below {alpha:.2f} counts.", level=level, alpha=alpha
)
design_effect = 1.0
if data.groups is not None:
    design_effect = statistics.design_effect_of(statistics.outcome_of(data), data.groups)
    report.finding(
        "Rows repeat {n_groups} groups ({_group}): for a feature that is constant within them, "
        "{design_effect:.2f} rows are worth one.",
        n_groups=data.groups.nunique(),
        _group=str(data.groups.name),
        design_effect=design_effect,
    )
if data.sample_weight is not None:
    report.finding("Rows are weighted in the regressions only.")

# %% [markdown]
# ## How normal are the numbers?
#
# Shapiro and Wilk's test up to 5,000 values, beyond that the sharper of D'Agostino's and Anderson
# and Darling's. Few tests below need normal values; what they need is that means behave, which
# depends on skewness and on how many rows there are. The tests here take rows as independent.

# %% Normality of each column
normality = statistics.compute_normality(X, groups=data.groups, level=level)
if len(normality):
    shown = statistics.p_in_words(normality).drop(columns="p")
    report.table(shown, title="Columns of numbers against a normal distribution", digits=2)
    report.finding(
        "Columns of numbers that depart from a normal distribution: {n_far} of {n_numbers}; "
        "notably skewed or with heavy or light tails: {n_notable}.",
        n_far=int((normality["q"] < alpha).sum()),
        n_numbers=len(normality),
        n_notable=int(normality["verdict"].str.contains("skewed|tails").sum()),
    )
else:
    report.finding("Normality is not applicable: no column of numbers of more than two values.")

# %% Quantiles against normal quantiles
if len(normality):
    figure = plots.plot_quantiles(X, normality)

# %% [markdown]
# With many rows every test says "not normal": read skewness and excess kurtosis, both 0 for a
# normal distribution, and their intervals. Heavy tails hide from samples; there the intervals are
# too short. Points that bend up at the right end are a long right tail, steps are repeated values.

# %% [markdown]
# ## Which features go with the target?
#
# The test follows from what was checked, and the table says what that was: group means where means
# behave (Cochran's rule: more rows than 25 times the squared skewness), ranks where they do not;
# Welch's version where sizes or spreads differ by more than 1.5 times, or Brown and Forsythe's test
# objects; exact or shuffled tables where counts are small. Checking first does not spoil the level:
# `nox -s benchmark -- statistics` simulates it.

# %% From assumptions to a test
tests = statistics.compare_each_feature(
    X,
    data.y,
    target=data.target,
    n_shuffles=config.budget.n_resamples,
    random_state=config.seed,
    **asked,
)
tests = statistics.sort_by_clarity(tests)
route = ["feature", "compared", "checked", "then", "test"]
report.table(tests[route], title="From checked assumptions to a test")

# %% What the tests say
columns = ["feature", "test", "n", "effect", "size", "magnitude", "q", "holm", "direction"]
shown = statistics.p_in_words(tests)[columns]
report.table(shown, title=f"Each feature against {data.target}, the clearest first")
n_found, n_tested = int((tests["q"] < alpha).sum()), int(tests["p"].notna().sum())
report.finding(
    "Features that go with the target: {n_found} of {n_tested} tested (Holm: {n_holm}).",
    n_found=n_found,
    n_tested=n_tested,
    n_holm=int((tests["holm"] < alpha).sum()),
)

# %% Which groups differ
pairs = statistics.compare_pairs(X, data.y, tests, **asked)
if len(pairs):
    title = "Pairs of groups, for the largest effects over several groups"
    shown = statistics.p_in_words(pairs).assign(difference=pairs["difference"].map(str))
    report.table(shown, title=title)

# %% [markdown]
# "Small", "medium" and "large" are Cohen's conventions, not judgements: a small effect on a costly
# outcome may matter. "No sign" is not "no effect": the interval says what was not ruled out.

# %% [markdown]
# ## Would other intervals say the same?
#
# The intervals above come from formulas. The BCa bootstrap needs none: it draws rows (or whole
# groups) again and again. Where both agree, the formula holds on this table; where the bootstrap's
# interval is much wider, trust the bootstrap.

# %% Bootstrap intervals of the clearest effects
boot = statistics.bootstrap_effects(
    X,
    data.y,
    tests.loc[tests["q"] < alpha, "feature"].head(3).tolist(),
    n_resamples=max(config.budget.n_resamples, 1_000),  # fewer leave the ends to luck
    random_state=config.seed,
    max_rows=config.budget.max_rows_slow,
    **asked,
)
if len(boot):
    report.table(boot, title="Formula and bootstrap, on the same rows")
    report.finding(
        "Bootstrap intervals are {narrowest:.2f} to {widest:.2f} times as wide as by formula.",
        narrowest=float(boot["width_ratio"].min()),
        widest=float(boot["width_ratio"].max()),
    )
else:
    report.finding("Nothing to draw again: no effect is clear.")

# %% [markdown]
# ## Which numbers rise and fall together?
#
# Spearman's correlation: any steady rise or fall counts, however bent, and no outlier decides. At
# most 40 columns and 20,000 rows, as pairs grow with the square of columns.

# %% Correlations
correlations = statistics.compute_correlations(X, groups=data.groups, level=level)
if len(correlations):
    shown = statistics.p_in_words(correlations).drop(columns="p").head(20)
    report.table(shown, title="The strongest correlations")
    report.finding(
        "Pairs of numbers that are correlated: {n_correlated} of {n_pairs} (Holm: {n_pairs_holm}).",
        n_correlated=int((correlations["q"] < alpha).sum()),
        n_pairs=len(correlations),
        n_pairs_holm=int((correlations["holm"] < alpha).sum()),
    )
else:
    report.finding("Correlations are not applicable: fewer than two columns of numbers.")

# %% [markdown]
# ## Is there any relation that the tests missed?
#
# Mutual information sees every shape, a U as well as a line, and gaps too; free text counts by its
# length. What chance alone gives is measured by shuffling the target. The share is of the target's
# uncertainty, less what chance gives.

# %% Mutual information against shuffled targets
information = statistics.compute_mutual_information(
    X,
    data.y,
    task=data.task,
    groups=data.groups,
    n_permutations=config.budget.n_resamples,
    random_state=config.seed,
)
shown = statistics.p_in_words(information.round({"bits": 4, "by_chance": 4, "share": 4}))
shown = shown.drop(columns="p")
report.table(shown, title=f"Information about {data.target}, in bits", digits=4)
informative = information.loc[information["q"] < alpha, "feature"]
missed = informative[~informative.isin(tests.loc[tests["q"] < alpha, "feature"])].tolist()
report.finding(
    "Features with information beyond chance: {n_informative} of {n_features}; not seen by the "
    "tests above: {n_missed}{_missed}.",
    n_informative=len(informative),
    n_features=len(information),
    n_missed=len(missed),
    _missed=f" ({', '.join(missed[:3])})" if missed else "",
)

# %% [markdown]
# ## What does each feature add, the others held fixed?
#
# One regression on all features: a straight line for numbers, log odds for classes (of several
# classes, the most frequent against the rest). Errors are sandwich errors, right also where spread
# is uneven. First, how far the features overlap: a variance inflation of 10 makes errors three
# times as wide, and a condition number of 30 leaves some coefficients hardly determined.

# %% Overlap of the features, and what stays out
study = statistics.study_regression(data, X, level=level)
if study.design is not None:
    report.table(study.overlap.head(15), title="Overlap of the features", digits=2)
    if len(study.design.left_out):
        report.table(study.design.left_out, title="What stays out of the regression")

# %% The regression
if study.fit is not None:
    title = f"Regression ({study.family}) of {study.outcome}, errors {study.fit.errors}"
    report.table(statistics.terms_in_words(study.fit.table), title=title)
    ax = plots.plot_coefficients(study.fit, target=study.outcome)
if study.checks is not None:
    report.table(statistics.p_in_words(study.checks), title="Residuals of the straight line")
for seen in statistics.describe_regression(study, alpha=alpha):
    say = report.warning if seen.is_warning else report.finding
    say(seen.sentence, **seen.values)

# %% [markdown]
# A coefficient compares rows that differ in one feature and agree in all others. It is an effect
# only if nothing that matters is missing, which no table can tell. Terms "per standard deviation"
# can be compared with each other; for log odds 0.7 is a doubling. Where features overlap, a wide
# interval says that the table cannot tell them apart. Uneven spread makes textbook errors wrong;
# residuals that are not normal matter for few rows and for prediction intervals only.

# %% [markdown]
# ## Does the target count something?
#
# Whole numbers from 0 or 1 are often counts, whose spread grows with their mean and which a line
# takes below zero. Poisson's coefficients, on the log scale, hold whenever the mean does; its
# textbook errors only when the variance equals the mean. The negative binomial (NB2) lets it be
# larger. `effect` is the average change of the count for one more unit.

# %% Poisson and negative binomial
if study.counts is not None:
    report.table(study.counts.table, title=f"Count regressions of {data.target}", digits=6)
    report.table(study.counts.fit, title="How well they describe the counts")
for seen in statistics.describe_counts(study):
    report.finding(seen.sentence, **seen.values)

# %% [markdown]
# ## What could this table not have shown?
#
# Power is the chance that an effect of a given size is found. Effects below the least detectable
# one may well exist; a table of this size is likely to miss them. Computed from the number of rows
# and the target alone, never from effects seen here, which would only repeat their p-values.

# %% Power
power_asked = {"n_tests": max(n_tested, 1), "design_effect": design_effect, "alpha": alpha}
power = statistics.compute_power(data.y, task=data.task, **power_asked)
if len(power):
    report.table(power, title="The least effect found four times in five")
    curves = statistics.compute_power_curves(data.y, task=data.task, **power_asked)
    ax = plots.plot_power(curves)
    report.finding(
        "Least detectable effect ({_question}): {measure} {least_effect:.3f} for one test, "
        "{least_of_all:.3f} for each of {n_tests}.",
        _question=power["question"].iloc[0],
        measure=power["measure"].iloc[0],
        least_effect=float(power["one_test"].iloc[0]),
        least_of_all=float(power["all_tests"].iloc[0]),
        n_tests=power_asked["n_tests"],
    )
else:
    report.finding("Power is not applicable: the rows are worth fewer than six independent ones.")

# %% [markdown]
# ## Conclusion
#
# The clearest relations with their sizes. Clear is not large, and neither is a cause.

# %% Findings
found = tests[tests["q"] < alpha]
names = ("first", "second", "third", "fourth", "fifth")
for name, row in zip(names, found.itertuples(), strict=False):
    sentence = f"{{_claim}}: {{_effect}} {{{name}}}, {{_magnitude}} (q {{_q}})."
    words = {"_claim": row.claim, "_effect": row.effect, "_magnitude": row.magnitude}
    report.finding(sentence, **words, _q=format_p(row.q), **{name: row.size})
if not n_found:
    report.warning("No feature goes with the target beyond chance: see what power could find.")

# %% [markdown]
# **Next** 10 builds features from these relations, 11 shows what models make of all of them
# together, 13 what they have learned; 20 plans how many rows a smaller effect would need.

# %% What must hold
assert set(tests["feature"]) == set(X.columns)
assert tests["q"].dropna().between(0, 1).all()
assert (tests["q"].dropna() <= tests["holm"].dropna() + 1e-12).all()
assert information["bits"].ge(0).all()
assert all(size.covers(size.value) for size in tests["size"] if size.has_interval)
