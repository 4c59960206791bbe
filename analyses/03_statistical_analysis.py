# %% [markdown]
# # 03 · Statistical analysis
#
# **Question** Which relations in this table stand up to a test that fits them, how large are they,
# and what could this table not have shown?
#
# **You get** how normal the numbers are; every feature against the target by a test chosen from
# checked assumptions, with effect, interval and a sentence; correlations and mutual information
# with corrected p-values; a regression with robust errors and its diagnostics, count models where
# the target counts; and the smallest effect that this many rows can find.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import plots, report, resampling, statistics
from lib.config import load_config
from lib.data import load_data
from lib.errors import InputError
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
if all_rows:
    dataset.open_test("03_statistical_analysis")
    report.warning("Every row is used, the {n_test} test rows too.", n_test=len(dataset.split.test))
rows = dataset if all_rows else dataset.train
data = resampling.sample_rows(rows, config.budget.max_rows, random_state=config.seed)
X = statistics.as_frame(data.X.rename(columns=data.labels))
report.finding("The rows: {data}.", data=rows.summary())
if len(data) < len(rows):
    report.warning("A random {n_sampled} of these rows were used.", n_sampled=len(data))

# %% [markdown]
# ## The rules, fixed before any test
#
# Asking about many features finds some by luck: q is p after Benjamini and Hochberg, the share of
# false claims among those made, and decides; Holm's p, the chance of even one false claim, stands
# beside it for those who can afford none. An effect is reported whether or not it "is significant".
# Where a table names groups, their rows repeat each other: tests and intervals then count groups,
# not rows ("clustered"), except where this page says otherwise. Weights of rows are used by the
# regressions and by nothing else.

# %% Level and corrections
level, alpha = config.confidence, 1 - config.confidence
asked = {"task": data.task, "classes": data.classes, "groups": data.groups, "level": level}
report.finding(
    "Intervals aim at {level:.0%}; q below {alpha:.2f} counts.", level=level, alpha=alpha
)
design_effect = 1.0
if data.groups is not None:
    outcome = statistics.outcome_of(data)
    design_effect = statistics.design_effect_of(outcome, data.groups)
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
# depends on skewness and on how many rows there are.

# %% Normality of each column
normality = statistics.compute_normality(X, groups=data.groups, level=level)
shown = normality.assign(q=normality["q"].map(format_p)).drop(columns="p")
report.table(shown, title="Columns of numbers against a normal distribution", digits=2)
report.finding(
    "Columns of numbers that depart from a normal distribution: {n_far} of {n_numbers}; notably "
    "skewed or with heavy or light tails: {n_notable}.",
    n_far=int((normality["q"] < alpha).sum()),
    n_numbers=len(normality),
    n_notable=int(normality["verdict"].str.contains("skewed|tails").sum()),
)

# %% Quantiles against normal quantiles
figure = plots.plot_quantiles(X, normality)

# %% [markdown]
# With many rows every test says "not normal": read skewness and excess kurtosis, both 0 for a
# normal distribution, and their intervals. Heavy tails hide from samples; there the intervals are
# too short. Points that bend up at the right end are a long right tail, steps are repeated values.

# %% [markdown]
# ## Which features go with the target?
#
# The test follows from what was checked, and the route says what that was: group means where means
# behave, ranks where they do not; Welch's version where spreads differ; exact or shuffled tables
# where counts are small. Checking first changes the test, not the level: simulations in
# `benchmarks/bench_statistics.py` keep to 5 %.

# %% From assumptions to a test
tests = statistics.compare_each_feature(
    X,
    data.y,
    target=data.target,
    n_shuffles=config.budget.n_resamples,
    random_state=config.seed,
    **asked,
)
tests = tests.sort_values("p", kind="stable", ignore_index=True)
route = ["feature", "compared", "checked", "then", "test"]
report.table(tests[route], title="From checked assumptions to a test")

# %% What the tests say
shown = tests.assign(**{name: tests[name].map(format_p) for name in ("q", "holm")})
columns = ["feature", "test", "n", "effect", "size", "magnitude", "q", "holm", "direction"]
report.table(shown[columns], title=f"Each feature against {data.target}")
n_found = int((tests["q"] < alpha).sum())
report.finding(
    "Features that go with the target: {n_found} of {n_tested} tested (Holm: {n_holm}).",
    n_found=n_found,
    n_tested=int(tests["p"].notna().sum()),
    n_holm=int((tests["holm"] < alpha).sum()),
)

# %% Which groups differ
pairs = statistics.compare_pairs(X, data.y, tests, **asked)
if len(pairs):
    shown = pairs.assign(p=pairs["p"].map(format_p))
    report.table(shown, title="Pairs of groups, for the largest effects over several groups")

# %% [markdown]
# "Small", "medium" and "large" are Cohen's conventions, not judgements: a small effect on a costly
# outcome may matter. "No sign" is not "no effect": the interval says what was not ruled out.

# %% [markdown]
# ## Would other intervals say the same?
#
# The intervals above come from formulas. The BCa bootstrap needs none: it draws rows (or whole
# groups) again and again. Where both agree, the formula holds on this table.

# %% Bootstrap intervals of the clearest effects
clearest = (
    tests.loc[tests["q"] < alpha, "feature"].head(3).tolist() or tests["feature"].tolist()[:3]
)
boot = statistics.bootstrap_effects(
    X,
    data.y,
    clearest,
    n_resamples=config.budget.n_resamples,
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

# %% [markdown]
# ## Which numbers rise and fall together?
#
# Spearman's correlation: any steady rise or fall counts, however bent, and no outlier decides.

# %% Correlations
correlations = statistics.compute_correlations(X, groups=data.groups, level=level)
if len(correlations):
    shown = correlations.assign(**{c: correlations[c].map(format_p) for c in ("q", "holm")})
    report.table(shown.drop(columns="p").head(20), title="The strongest correlations")
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
# Mutual information sees every shape, a U as well as a line, and gaps too. What chance alone gives
# is measured by shuffling the target. The share is of the target's uncertainty.

# %% Mutual information against shuffled targets
information = statistics.compute_mutual_information(
    X,
    data.y,
    task=data.task,
    groups=data.groups,
    n_permutations=config.budget.n_resamples,
    random_state=config.seed,
)
shown = information.assign(q=information["q"].map(format_p)).drop(columns="p")
report.table(shown, title=f"Information about {data.target}, in bits", digits=4)
tested = set(tests.loc[tests["q"] < alpha, "feature"])
bent = [f for f in information.loc[information["q"] < alpha, "feature"] if f not in tested]
report.finding(
    "Features with information beyond chance: {n_informative} of {n_features}; not seen by the "
    "tests above: {n_bent}{_bent}.",
    n_informative=int((information["q"] < alpha).sum()),
    n_features=len(information),
    n_bent=len(bent),
    _bent=f" ({', '.join(bent[:3])})" if bent else "",
)
if information.attrs["n_rows"] < len(data):
    report.finding(
        "For this, {n_information} rows were sampled.", n_information=information.attrs["n_rows"]
    )

# %% [markdown]
# ## What does each feature add, the others held fixed?
#
# One regression on all features: a straight line for numbers, log odds for classes (of several
# classes, the most frequent against the rest). Errors are sandwich errors, right also where spread
# is uneven. First, how far the features overlap: a variance inflation of 10 makes errors three
# times as wide, and a condition number of 30 leaves some coefficients hardly determined.

# %% Overlap of the features
outcome, family = statistics.outcome_of(data), "OLS" if data.task == "regression" else "logistic"
how = {"groups": data.groups, "sample_weight": data.sample_weight, "level": level}
design = fit = None
try:
    design = statistics.make_design(X)
except InputError as error:
    report.finding("Regression is not applicable: {_why}", _why=str(error))
if design is not None:
    overlap = statistics.compute_collinearity(design)
    report.table(overlap.head(15), title="Overlap of the features", digits=2)
    if len(design.left_out):
        report.table(design.left_out, title="What stays out of the regression")
    report.finding(
        "Features with a variance inflation of 10 or more: {n_overlapping} of {n_regressed}; "
        "condition number {condition:.3g}.",
        n_overlapping=int((overlap["vif"] >= 10).sum()),
        n_regressed=len(overlap),
        condition=statistics.condition_number(design),
    )

# %% The regression
if design is not None:
    try:
        fit = statistics.fit_regression(design, outcome, family, **how)
    except InputError as error:
        report.warning("{_why}", _why=str(error))
if fit is not None:
    terms = fit.table.sort_values("p", kind="stable")
    terms = terms.assign(**{name: terms[name].map(format_p) for name in ("p", "q")})
    terms["coefficient"] = terms["coefficient"].map(str)  # each in its own unit, own digits
    report.table(terms, title=f"{family} regression of {outcome.name}, errors {fit.errors}")
    ax = plots.plot_coefficients(fit, target=str(outcome.name))
    report.finding(
        "{_family} on {n_regression} rows without gaps explains {r_squared:.3f} ({_share}); terms "
        "beyond chance: {n_terms_found} of {n_terms}. Errors: {errors}.",
        _family=family,
        n_regression=fit.n,
        r_squared=fit.r_squared,
        _share="R²" if family == "OLS" else "McFadden's share of the log likelihood",
        n_terms_found=int((fit.table["q"] < alpha).sum()),
        n_terms=len(fit.table) - 1,
        errors=fit.errors,
    )
    for term in fit.left_out:
        report.warning("{_term} alone tells the classes apart without error: left out.", _term=term)
    for note in fit.notes:
        report.warning("{_note}.", _note=note)

# %% [markdown]
# A coefficient compares rows that differ in one feature and agree in all others. It is an effect
# only if nothing that matters is missing, which no table can tell. Terms "per standard deviation"
# can be compared with each other; for logs and odds 0.7 is a doubling. Where features overlap, a
# wide interval says that the table cannot tell them apart.

# %% [markdown]
# ## Do the residuals behave?
#
# Uneven spread makes textbook errors wrong and sandwich errors necessary; residuals that are not
# normal matter for few rows and for prediction intervals only.

# %% Spread and shape of the residuals
if fit is None or family != "OLS":
    report.finding("Residual checks are for straight lines: not applicable here.")
else:
    checks = statistics.compute_residual_checks(fit, design, groups=data.groups, level=level)
    report.table(checks.assign(p=checks["p"].map(format_p)), title="Residuals of the straight line")
    first = checks.iloc[0]
    report.finding(
        "Spread of the residuals: {spread} ({_test}, p {_p}).",
        spread=first["answer"],
        _test=first["test"],
        _p=format_p(first["p"]),
    )

# %% [markdown]
# ## Does the target count something?
#
# Whole numbers from 0 are often counts, whose spread grows with their mean and which a line takes
# below zero. Poisson's coefficients, on the log scale, hold whenever the mean does; its textbook
# errors only when the variance equals the mean. The negative binomial (NB2) lets it exceed.

# %% Poisson and negative binomial
if design is None or data.task != "regression" or not statistics.is_count(data.y):
    report.finding("Count models are not applicable: the target does not count.")
else:
    try:
        counts = statistics.fit_counts(design, data.y, **how)
    except InputError as error:
        report.warning("{_why}", _why=str(error))
    else:
        report.table(counts.table, title=f"Count regressions of {data.target}", digits=6)
        report.table(counts.fit, title="How well they describe the counts")
        report.finding(
            "The variance exceeds the mean by {alpha_nb2:.3f} times its square (NB2); Cameron and "
            "Trivedi's estimate is {overdispersion} (p {_p}).",
            alpha_nb2=counts.negative_binomial.alpha,
            overdispersion=counts.overdispersion,
            _p=format_p(counts.overdispersion_p),
        )
        ratio = (counts.table["robust_error"] / counts.table["plain_error"]).iloc[1:]
        report.finding(
            "Poisson's textbook errors are {error_ratio:.2f} times too small (median); AIC prefers "
            "{preferred}.",
            error_ratio=float(ratio.median()),
            preferred=str(counts.fit.loc[counts.fit["aic"].idxmin(), "model"]),
        )

# %% [markdown]
# ## What could this table not have shown?
#
# Power is the chance that an effect of a given size is found. Effects below the least detectable
# one may well exist; a table of this size is likely to miss them. Computed from the number of rows
# and the target alone, never from effects seen here, which would only repeat their p-values.

# %% Power
n_tests = max(int(tests["p"].notna().sum()), 1)
asked_power = {
    "task": data.task,
    "n_tests": n_tests,
    "design_effect": design_effect,
    "alpha": alpha,
}
try:
    power = statistics.compute_power(data.y, **asked_power)
except InputError as error:
    power = None
    report.finding("Power is not applicable: {_why}", _why=str(error))
if power is not None:
    report.table(power, title="The least effect found four times in five")
    ax = plots.plot_power(statistics.compute_power_curves(data.y, **asked_power))
    least = power.iloc[0]
    report.finding(
        "Least detectable effect ({_question}): {measure} {least_effect:.3f} for one test, "
        "{least_of_all:.3f} for each of {n_tests}.",
        _question=least["question"],
        measure=least["measure"],
        least_effect=float(least["one_test"]),
        least_of_all=float(least["all_tests"]),
        n_tests=n_tests,
    )

# %% [markdown]
# ## Conclusion
#
# The clearest relations, with their sizes; what each of them adds to the others; and what to do.

# %% Findings
names = ("clearest", "second", "third", "fourth", "fifth")
for name, row in zip(names, tests[tests["q"] < alpha].itertuples(), strict=False):
    sentence = f"{{_claim}}: {{_effect}} {{{name}}}, {{_magnitude}} (q {{_q}})."
    words = {"_claim": row.claim, "_effect": row.effect, "_magnitude": row.magnitude}
    report.finding(sentence, **words, _q=format_p(row.q), **{name: row.size})
if n_found == 0:
    report.warning(
        "No feature goes with the target beyond chance: see what power could have found."
    )

# %% [markdown]
# **Next** 10 builds features from these relations, 11 shows what models make of all of them
# together, 13 what they have learned; 20 plans how many rows a smaller effect would need.

# %% What must hold
assert set(tests["feature"]) == set(X.columns)
assert tests["q"].dropna().between(0, 1).all()
assert (tests["q"].dropna() <= tests["holm"].dropna() + 1e-12).all()
assert information["bits"].ge(0).all()
assert all(size.covers(size.value) for size in tests["size"] if size.has_interval)
