# %% [markdown]
# # 20 · Experiment design
#
# **Question** What can an experiment on this table decide, and what does it decide?
#
# **You get** a card with question, metric, smallest effect and rule, quoted before any model and
# judged at the end; what the folds and the test set can show; whether more rows would help; what
# makes the score; the luck of seeds; a false-alarm check; and, where lots were drawn, what the
# treatment changed.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import design, evaluation, models, plots, report, resampling
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p, print_p_values
from lib.experiments import run_experiment

config = load_config()
plots.setup_plotting()
level, seed = config.confidence, config.seed
draws = {"n_resamples": config.budget.n_resamples, "random_state": seed}

# %% [markdown]
# ## The data: training rows only
#
# Of the locked test set only its size is used, to say what it will be able to show.

# %% Load the training rows
dataset = load_data(config.dataset, target=config.target)
train, n_test = dataset.train, len(dataset) - len(dataset.train)
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=seed)
report.finding("The training rows: {data}.", data=train.summary())
if len(sample) < len(train):
    report.warning("Models saw a random {n_sampled} of these rows.", n_sampled=len(sample))

# %% [markdown]
# ## The card, written down before any model is fitted
#
# An experiment that fixes its rule afterwards always finds something. The card comes from the
# catalogue (`[name.design]`); what is absent there is chosen by simple rules that never look at
# scores. The smallest effect is a judgement, not a statistic: the gain below which nobody would act
# differently.

# %% Quote the card
known = models.baselines(sample, config)
card = design.make_card(sample, list(known))
scoring, matters = card.metric, f"{card.smallest_effect:.3g}"
folds = resampling.make_study_folds(sample, config)
report.finding("Question: {question}", question=card.question)
report.finding("Primary metric: {_label} ({metric}).", _label=card.label, metric=scoring)
report.finding("Smallest effect of interest: {effect}.", effect=card.smallest_effect)
report.finding("Rule: {rule}.", rule=card.rule_in_words())
report.finding("The card is from: {origin}.", origin=card.origin)
report.finding("Folds: {folds}.", folds=folds.description)
for note in folds.notes:
    report.warning("{_note}", _note=note)

# %% [markdown]
# ## The experiment
#
# Candidate and reference on the same folds, with the corrected paired test of every comparison in
# this study. The decision waits for the end of the page: first, what could this experiment have
# shown at all?

# %% Candidate against reference, fold by fold
rivals = {name: known[name] for name in (card.reference, card.candidate)}
scores = evaluation.cross_validate(rivals, sample, folds, scoring=scoring)
test = evaluation.compare_pair(scores, card.candidate, card.reference, level=level)
comparison = evaluation.compare(scores, reference=card.reference, level=level)
ax = plots.plot_scores(scores.frame, comparison, metric=scoring, reference=card.reference)

# %% [markdown]
# ## What can these folds show?
#
# The smallest true difference that the test would show in four of five studies like this one. It
# follows from the spread of the differences over folds (a noncentral t), which few folds know
# roughly: hence the wide interval. Repeats of the folds help at first and then no more, because
# they cut the same rows again.

# %% Power of the folds
by_fold = scores.by_fold()
differences = (by_fold[card.candidate] - by_fold[card.reference]).dropna()
plans = design.tabulate_repeats(
    differences, folds.test_fraction, n_repeats=config.budget.n_repeats, level=level
)
report.table(plans, title=f"Smallest difference shown with power 80 % ({card.label})", digits=4)
detectable = plans["detectable"].iloc[0]
is_enough = detectable.value <= card.smallest_effect
report.finding(
    "These folds can show a difference of {detectable}; the smallest of interest is {_bar}: "
    "{are_folds_enough}.",
    detectable=detectable,
    _bar=matters,
    are_folds_enough="they are enough" if is_enough else "they are not enough to show it reliably",
)

# %% [markdown]
# A held-out test set is a different matter: two finished models are compared on rows that are all
# independent, so only the number of rows counts. The spread of one row comes from the out-of-fold
# predictions.

# %% Rows of a test set
per_row = design.spread_per_row(scores, card.candidate, card.reference, sample, **draws)
report.finding(
    "To show a gain of {_bar} between two finished models with power 80 %, a test set needs "
    "{rows_needed:,.0f} rows ({method}).",
    _bar=matters,
    rows_needed=per_row.rows_to_show(card.smallest_effect, level=level),
    method=per_row.method,
)
report.finding(
    "The locked test set has {n_test} rows and can show {test_detectable:.4f} at best.",
    n_test=n_test,
    test_detectable=per_row.detectable(n_test, level=level),
)

# %% [markdown]
# ## Would more rows help?
#
# Both models learn from growing parts of each fold's training rows (nested, groups whole) and are
# scored on the same test parts. A power law through the means says what twice the rows would add.

# %% Learning curves
curve = design.compute_learning_curve(
    sample, folds, config, list(rivals), scoring=scoring, random_state=seed
)
highest = evaluation.scorers(sample.task)[scoring].bounds[1]
laws = design.extrapolate_all(
    curve, test_fraction=folds.test_fraction, highest=highest, level=level, **draws
)
for law in laws:
    role = "candidate" if law.model == card.candidate else "reference"
    report.finding(
        f"Would twice the rows help {{_model}}? {{rows_help_{role}}} ({{gain_of_rows_{role}}}).",
        _model=law.model,
        **{f"rows_help_{role}": design.would_matter(law.gain, card.smallest_effect)},
        **{f"gain_of_rows_{role}": law.gain},
    )
if laws:
    ax = plots.plot_learning_curve(curve, laws, metric=scoring)
else:
    report.finding("A learning curve needs two folds with scores at four sizes: not applicable.")

# %% [markdown]
# "Yes" and "no" by the card's smallest effect. The band comes from resampled folds, widened because
# folds share rows; it does not know whether the law itself holds out there. New rows must also be
# like the old ones: more of the same persons or years is not more.
#
# ## What makes the score: model, rows or columns?
#
# Instead of taking away one thing at a time, every combination of two levels is fitted. A main
# effect is then the average over all settings of the rest, and an interaction says whether two
# things need each other: does the model gain more when there are more rows?

# %% A 2^k experiment
factors = design.choose_factors(sample, folds, candidate=card.candidate, reference=card.reference)
report.table(design.tabulate_factors(factors), title="Factors")
cells = design.run_factorial(sample, folds, config, factors, scoring=scoring, random_state=seed)
effects = design.compute_effects(cells, folds.test_fraction, level=level)
clear = design.keep_clear(effects)
report.finding(
    "{n_clear} of {n_effects} effects are beyond chance: {clear_effects}.",
    n_clear=len(clear),
    n_effects=len(effects),
    clear_effects="; ".join(clear["effect"] + " " + clear["verdict"]) or "none",
)
if len(effects):
    shown = print_p_values(effects).drop(columns="order")
    report.table(shown, title=f"Effects on {card.label}, Holm over all", digits=4)
    ax = plots.plot_factor_effects(effects, metric=scoring)
else:
    report.warning("A model could not be fitted on half of the table: there are no effects.")

# %% [markdown]
# An effect of rows or columns that is "not distinguishable" does not make them worthless: five
# folds show only large effects. Where model and rows interact, rank models again when the table
# has grown.
#
# ## How much of a score is luck of the seed?
#
# The candidate again with other seeds, everything else the same. A difference between two runs
# below the noise floor is no difference, however often it is quoted.

# %% Five seeds
seeds = design.reseed(known[card.candidate], range(seed, seed + 5))
noise = None
if seeds:
    by_seed = evaluation.cross_validate(seeds, sample, folds, scoring=scoring).by_fold()
    noise = design.compute_noise(by_seed, level=level)
    report.finding(
        "The seed moves the score of a fold by {spread_by_seed:.4f} (standard deviation), the fold "
        "by {spread_by_fold:.4f}.",
        spread_by_seed=noise.by_seed,
        spread_by_fold=noise.by_fold,
    )
    report.finding(
        "Noise floor: two runs that differ by the seed alone differ by less than {noise_floor} in "
        "{_share:.0%} of cases.",
        noise_floor=noise.floor,
        _share=level,
    )
    ax = plots.plot_noise(by_seed, metric=scoring)
else:
    report.finding("{_model} draws no numbers: the seed moves nothing.", _model=card.candidate)

# %% [markdown]
# ## Does the comparison cry wolf?
#
# A/A: the study's own test of pipelines that are the same. Each twin learns from its own random
# four fifths of a fold's training rows, so what differs is luck alone, and every difference that
# the test claims is a false alarm. The reference is used, as it is quick, on a part of the rows.

# %% Compare twins
n_splits, n_rows = config.budget.n_splits, config.budget.max_rows_slow // 4
few = resampling.sample_rows(sample, n_rows, per_class=4 * n_splits, random_state=seed)
few_cv = resampling.make_cv(few, n_splits=n_splits, random_state=seed)
few_folds = resampling.make_folds(few, few_cv)
settings = {"n_pairs": config.budget.n_trials, "level": level, "random_state": seed}
twins = design.compare_twins(known[card.reference], few, few_folds, scoring=scoring, **settings)
alarms = design.false_alarm_rate(twins, level=level)
report.finding(
    "The test claims a difference for {n_alarms} of {n_twins} pairs of twins, {alarm_rate}; "
    "{_alpha:.2f} is allowed: {alarm_verdict}.",
    n_alarms=int(twins["is_raised"].sum()),
    n_twins=len(twins),
    alarm_rate=alarms,
    _alpha=1 - level,
    alarm_verdict="as it should be" if alarms.low <= 1 - level else "it cries wolf",
)

# %% [markdown]
# ## What was assigned by lot, and what did it change?
#
# Everything above compares models. Where a treatment was drawn by lot (`[name.trial]` in the
# catalogue), the table itself is an experiment, and a difference between arms is caused by the
# treatment. First, were the arms alike in what was known before the draw?

# %% Balance of the arms
arms = design.read_arms(train)
if arms is None:
    report.finding("Not applicable: the catalogue names no trial of '{table}'.", table=train.name)
else:
    balance, joint = design.compute_balance(arms)
    report.table(balance, title="Means by arm before the draw; largest standardised difference")
    report.finding(
        "{n_unlike} of {n_covariates} covariates differ by more than a tenth of a standard "
        "deviation between an arm and the control; all together: p {_p}, {n_units} units drawn.",
        n_unlike=int((balance["largest"] > 0.1).sum()),
        n_covariates=len(balance),
        _p=format_p(joint.p_value),
        n_units=arms.n_units,
    )
    if arms.trial.note:
        report.warning("{_note}", _note=arms.trial.note)

# %% [markdown]
# Arms that differ by more than luck point at what happened after the draw, such as refusals, or at
# draws that were not simple. Effects are therefore shown plain and adjusted for what was known
# before; where the two agree, imbalance does not matter.

# %% Effect of the arms
if arms is not None:
    changes = design.compute_arm_effects(arms, level=level)
    report.table(print_p_values(changes), title=f"Arms against {arms.trial.control}")
    for said in design.describe_arms(changes, arms.trial.control, level=level):
        report.finding("{_said}.", _said=said)
    if arms.trial.published:
        report.finding(
            "Published means are from {published}.", published=arms.trial.published_source
        )
    figure = plots.plot_arms(changes)

# %% [markdown]
# Published means are of the whole study. Ours are of training rows that have a following year, and
# amounts are in the money of the table: compare shares of the control, not levels.
#
# ## One fit, kept whole
#
# Scores of folds compare models; a single fit that others shall look at belongs into the record
# with everything round it. `run_experiment` keeps parameters, scores, the model without pickle, a
# figure and the digests of its data, as one MLflow run.

# %% Keep the reference of the first fold
fit_rows, test_rows = folds.parts[0]
X, y = sample.X, sample.y
kept = run_experiment(
    known[card.reference],
    X.iloc[fit_rows],
    y.iloc[fit_rows],
    X.iloc[test_rows],
    y.iloc[test_rows],
    {"fold": 1, "folds": folds.fingerprint},
    name=f"20 {card.reference}",
    dataset=sample.name,
    config=config,
)
report.finding(
    "Kept as a run: {_model} on fold 1, {_label} {kept_train:.3f} on its own rows and "
    "{kept_test:.3f} on others.",
    _model=card.reference,
    _label=card.label,
    kept_train=kept.metrics[f"train_{scoring}"],
    kept_test=kept.metrics[f"test_{scoring}"],
)

# %% [markdown]
# ## Conclusion
#
# The rule was written down first; here it is applied, whatever it says.

# %% Judge the card
decision = design.judge(test.difference, card)
report.finding(
    "{_candidate} against {_reference}: {gain} {_label} (p {_p}), on these folds.",
    _candidate=card.candidate,
    _reference=card.reference,
    gain=test.difference,
    _label=card.label,
    _p=format_p(test.p_value),
)
report.finding("Decided: {decision}.", decision=decision.words)
if decision.word == design.UNDECIDED:
    report.finding(
        "To decide, collect rows or accept a larger smallest effect: {_able} is what these folds "
        "can show.",
        _able=f"{detectable.value:.3g}",
    )

# %% [markdown]
# **Next** 21 tunes the candidate, 22 asks whether these are the right folds, 30 judges the champion
# on the locked test set.

# %% What must hold
assert decision.word in {design.ADOPT, design.KEEP, design.UNDECIDED}
assert noise is None or noise.floor.value >= 0
assert len(twins) == config.budget.n_trials
assert set(kept.metrics) >= {f"train_{scoring}", f"test_{scoring}"}
