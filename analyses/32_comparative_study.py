# %% [markdown]
# # 32 · Comparative study
#
# **Question** Which of all candidates should be used, and how sure is that?
#
# **You get** every candidate that this study tracked, on the same folds: two tests and a posterior
# for each, with a verdict in words; how ranks would fall on other rows; what being the best of many
# flatters; what each costs; the champion, by a rule fixed beforehand, fitted and kept; and, over
# several tables, average ranks with a critical difference.
#
# **You need** 10, 11, 12, 20, 21, 23
#
# **Status** complete

# %% Setup
from lib import comparison, design, evaluation, models, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data
from lib.estimates import format_p, print_p_values

config = load_config()
plots.setup_plotting()

# %% Other tables to rank on, names with commas between (the option --datasets) tags=["parameters"]
datasets = ""

# %% [markdown]
# ## The data: what every candidate predicted for rows that it had not seen
#
# Nothing is fitted to compare. Earlier analyses kept their predictions fold by fold, and all are
# scored here by the one metric of the design card. A candidate that several pages tracked counts
# once, and so do candidates that predict exactly the same: the simplest stays.

# %% Load rows, folds and predictions
train = load_data(config.dataset, target=config.target).train
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
folds = resampling.make_study_folds(sample, config)
needed = ("10", "11", "12", "21", "23")
card = design.make_card(sample, list(models.baselines(sample, config)))
tracked = tracking.load_predictions(config, analyses=needed, dataset=sample, folds=folds)
order = comparison.order_by_simplicity({name: c.analysis for name, c in tracked.items()})
field = comparison.gather_candidates(
    tracked, sample, folds, scoring=card.metric, order=order["model"]
)
scores, level = field.scores, config.confidence
report.finding("The training rows: {data}.", data=train.summary())
report.finding("Folds: {folds}.", folds=folds.description)
report.finding(
    "{n_candidates} candidates have predictions on these folds.", n_candidates=len(field.tracked)
)
for twin, original in field.twins.items():
    report.finding(
        "{_twin} predicts exactly what {_original} does.", _twin=twin, _original=original
    )
problems = evaluation.tabulate_problems(scores)
if len(problems):
    report.table(problems, title="What has no score on some fold, and cannot be champion")

# %% [markdown]
# ## The rules, fixed before any comparison
#
# The metric, the smallest effect that matters and what was decided about the card's own pair come
# from 20. "Simple" is an order of families, not of measured seconds, which would change the choice
# from machine to machine. The best of many is partly lucky: a rule that takes the simplest of those
# that are level with it gives that luck less to decide.

# %% Metric, smallest effect, rule
effect = card.smallest_effect
decision = design.judge(report.look_up("20", "gain"), card)
losers = {design.ADOPT: [card.reference], design.KEEP: [card.candidate]}.get(decision.word, [])
unkept = [name for name, candidate in field.tracked.items() if not candidate.can_be_fitted]
rule = f"{comparison.RULE}; the loser of the pair that 20 decided is not eligible"
report.finding(
    "Candidates are ranked by {_label} ({metric}).", _label=card.label, metric=card.metric
)
report.finding("A difference of {effect:g} or less does not matter.", effect=effect)
report.finding("The champion is {rule}.", rule=rule)
report.finding("20 decided: {decision_of_20}.", decision_of_20=decision.words)
report.finding("A test below {alpha:.2f} counts, after Holm.", alpha=1 - level)
for name in unkept:
    report.warning("{_name} cannot be fitted again, so it cannot be champion.", _name=name)

# %% [markdown]
# ## Who is as good as the best?
#
# Three readings of the same differences, fold by fold. The *corrected t* allows for folds that
# share training rows. *Wilcoxon's signed ranks* assume no normal distribution, but take folds for
# independent. The *posterior* (Bayesian correlated t) answers what tests cannot: how probable it
# is that a candidate is as good as the best for all practical purposes.

# %% Every candidate against the best
best = str(scores.by_fold().mean().idxmax())
against_best = comparison.compare_with(scores, best, smallest_effect=effect, level=level)
shown = print_p_values(against_best)
tests = ["model", "score", "gap", "p_t", "p_wilcoxon", "verdict"]
report.table(
    shown[tests], title=f"Candidates against {best} ({card.label})", digits=4, tolerance="torch"
)
posterior = ["model", "in_effects", "worse", "equivalent", "better", "in_practice"]
report.table(
    shown[shown["model"] != best][posterior].round(3),
    title=f"Gap in smallest effects, and probabilities against {best}",
    tolerance="torch",
)
least_p = comparison.smallest_wilcoxon_p(len(folds))
if least_p * (len(against_best) - 1) >= 1 - level:
    report.warning(
        "Over {_n} folds Wilcoxon's p-value is {least_wilcoxon} or more, before Holm: it cannot "
        "reach {_alpha:.2f} here.",
        _n=len(folds),
        least_wilcoxon=format_p(least_p),
        _alpha=1 - level,
    )
ax = plots.plot_equivalence(against_best, reference=best)

# %% [markdown]
# "Not distinguishable" says that these folds cannot tell, "practically equivalent" that they can:
# more than 0.95 of the posterior lies within one smallest effect. "Worse" and "practically
# equivalent" together mean a real gap that is too small to matter. Interval and posterior are about
# one candidate alone, p-values about all at once (Holm). So an interval may leave out zero, and the
# posterior say "worse by enough to matter", beside "not distinguishable": only the p-value has paid
# for the number of questions.

# %% Every pair of candidates
pairs = comparison.compare_each_pair(scores, smallest_effect=effect, level=level)
is_told = pairs["verdict"].isin([evaluation.BETTER, evaluation.WORSE])
report.finding(
    "Of {n_pairs} pairs, as one family, the corrected t tells {n_told} apart; {n_equivalent} are "
    "practically equivalent, and {n_open} are open in practice.",
    n_pairs=len(pairs),
    n_told=int(is_told.sum()),
    n_equivalent=int((pairs["in_practice"] == comparison.EQUIVALENT).sum()),
    n_open=int((pairs["in_practice"] == comparison.OPEN).sum()),
)

# %% [markdown]
# ## Would the ranking hold on other rows?
#
# The tested rows are drawn again, whole groups or neighbours in time together, and every candidate
# is scored on each draw. Models stay as they were fitted: other training rows would shake the ranks
# further, so read these intervals as the least that is unsure.

# %% Ranks over resamples
resampled = comparison.resample_scores(
    scores, sample, n_resamples=config.budget.n_resamples, random_state=config.seed
)
ranks = comparison.tabulate_ranks(resampled, level=level)
report.table(
    ranks.assign(rank=ranks["rank"].map("{:.0f}".format)),
    title=f"Ranks over {len(resampled.inside)} draws of {resampled.unit}",
    tolerance="torch",
)
favourite = ranks.loc[ranks["first"].idxmax()]
report.finding(
    "{favourite} comes first in {share_first:.0%} of the draws; candidates that come first in at "
    "least one of twenty: {n_contenders}.",
    favourite=favourite["model"],
    share_first=favourite["first"],
    n_contenders=int((ranks["first"] >= 0.05).sum()),
    tolerance="torch",
)
ax = plots.plot_rank_stability(ranks)

# %% [markdown]
# ## How much does being the best of many flatter?
#
# The highest of many noisy scores is too high: the winner's curse. Here every draw names its own
# winner, which is then scored on the rows that the draw left out. Their mean is what the winner is
# expected to score where it was not chosen (the bias-corrected bootstrap of Tsamardinos).

# %% Correct for the choice
correction = comparison.correct_optimism(resampled, level=level)
report.finding(
    "The best of {_n} scores {naive:.4f}; corrected for having been chosen {corrected:.4f}, an "
    "optimism of {optimism:.4f}, or {_effects:.2f} smallest effects.",
    _n=len(resampled.models),
    naive=correction.naive,
    corrected=correction.corrected,
    optimism=correction.optimism,
    _effects=correction.optimism / effect,
    tolerance="torch",
)

# %% [markdown]
# ## What does a better score cost?
#
# A candidate is on the front when no other is at least as good in score, time to fit, time to
# predict and size, and better in one. Seconds and sizes are of the machine that fitted: shown,
# never recorded, and never used to choose. An ensemble pays for all its members.

# %% Score, time and size
members = comparison.list_members(field.tracked)
prices = comparison.tabulate_prices(against_best, tracked, folds, members=members)
report.table(prices, title="Score and price; `on_front` by all four", record=False)
figure = plots.plot_pareto(prices, metric=card.metric)

# %% [markdown]
# ## The champion
#
# The rule of the beginning, applied. Candidates that are level with the best stand from simple to
# involved; the first is the champion. It and its runner-up, the best of the others, are fitted on
# all training rows, kept without pickle, and read again.

# %% Choose
choice = comparison.choose_champion(
    scores,
    [name for name in order["model"] if name in field.tracked],
    smallest_effect=effect,
    barred={*losers, *unkept},
)
families = order.set_index("model")["family"]
level_with_best = choice.level.assign(family=choice.level["model"].map(families))
report.table(
    level_with_best,
    title=f"Level with {choice.best}, from simple to involved",
    digits=4,
    tolerance="torch",
)

# %% Fit, keep and read again
champion = tracking.store_champion(
    dataset=train,
    candidates=field.tracked,
    name=choice.name,
    runner_up=choice.runner_up,
    scoring=card.metric,
    rule=rule,
)
predicted = champion.predict(train.X.head(100))
report.finding(
    "{_champion} was fitted on {n_fitted} rows, kept as {digest}, and predicts as before when read "
    "again.",
    _champion=champion.name,
    n_fitted=len(train),
    digest=champion.digest,
)

# %% [markdown]
# ## Does the order hold on other tables?
#
# One table says what is best on that table. With `--datasets wine,breast_cancer` the kept
# candidates of other tables join, and each table gives every candidate a rank. Ranks need no common
# metric. Friedman's test asks whether all are alike; Nemenyi's critical difference says how far
# average ranks must lie apart; the Bayesian signed-rank test counts in smallest effects.

# %% Ranks over tables
names = comparison.read_names(datasets, config.dataset)
tables = comparison.gather_tables(config, names, analyses=needed) if len(names) > 1 else None
n_shared = 0 if tables is None else tables.values.shape[1]
if tables is None:
    report.finding("Not applicable to one table: name others with --datasets.")
elif len(names) < comparison.MIN_TABLES or n_shared < comparison.MIN_MODELS:
    report.finding(
        "Not applicable: {_tables} tables share {_shared} candidates; average ranks need at least "
        "{_least} of both.",
        _tables=len(names),
        _shared=n_shared,
        _least=comparison.MIN_TABLES,
    )
else:
    ranking = comparison.rank_over_tables(tables.values, level=level)
    groups = comparison.find_groups(ranking.ranks, ranking.difference)
    report.table(tables.values.rename_axis("table").reset_index(), title="Mean scores by table")
    report.finding(
        "On {n_tables} tables {n_shared} candidates were ranked; {n_left_out} are not on all. "
        "All alike? Friedman {chi2:.2f} (p {_p}), Iman-Davenport {f:.2f} (p {_p_f}).",
        n_tables=ranking.n_tables,
        n_shared=n_shared,
        n_left_out=len(tables.left_out),
        chi2=ranking.chi2,
        _p=format_p(ranking.p_chi2),
        f=ranking.f,
        _p_f=format_p(ranking.p_f),
    )
    report.finding(
        "{leader} has the best average rank, {rank_of_leader:.2f}; ranks {critical_difference:.2f} "
        "apart differ.",
        leader=ranking.ranks.index[0],
        rank_of_leader=ranking.ranks.iloc[0],
        critical_difference=ranking.difference,
    )
    report.table(
        comparison.compare_over_tables(tables.values, tables.effects, random_state=config.seed),
        title=f"{ranking.ranks.index[0]} against each, in smallest effects (signed ranks)",
    )
    ax = plots.plot_critical_difference(
        ranking.ranks, ranking.difference, groups, n_tables=ranking.n_tables, level=level
    )

# %% [markdown]
# ## Conclusion
#
# The champion is a decision, not a discovery: the rule named it, and another rule might name
# another. Its score here is of rows that helped to choose; what it is worth is said by 30.

# %% Findings
by_name = against_best.set_index("model")
is_same = by_name["verdict"].isin([evaluation.SAME, evaluation.EQUAL, "reference"])
report.finding(
    "Champion: {champion} (of {champion_analysis}), {champion_score} {_label}; the dummy has "
    "{floor}. Chosen as {reason}.",
    champion=champion.name,
    champion_analysis=champion.analysis,
    champion_score=by_name.loc[champion.name, "score"],
    _label=card.label,
    floor=by_name.loc["dummy", "score"],
    reason=choice.reason,
)
report.finding(
    "{n_indistinguishable} candidates are not distinguishable from the best ({best}), itself "
    "included.",
    n_indistinguishable=int(is_same.sum()),
    best=best,
)
if choice.runner_up:
    test = evaluation.compare_pair(scores, champion.name, choice.runner_up, level=level)
    p_value = comparison.adjust_chosen(against_best, pairs, champion.name, choice.runner_up)
    report.finding(
        "Against {runner_up}, the best of the others: {gain_over_runner_up} (p {_p} after Holm), "
        "{verdict}.",
        runner_up=choice.runner_up,
        gain_over_runner_up=test.difference,
        _p=format_p(p_value),
        verdict=evaluation.verdict(test, p_value=p_value, level=level),
    )
lead = evaluation.compare_pair(scores, champion.name, "dummy", level=level)
if evaluation.verdict(lead, level=level) != evaluation.BETTER:
    report.warning("No test tells the champion from a model that ignores the features.")

# %% [markdown]
# **Next** 30 opens the test set, once, with this champion and its runner-up; 31 prices what it
# decides.

# %% What must hold
assert champion.name in field.tracked
assert champion.name not in losers
assert len(predicted) == min(100, len(train))
assert abs(ranks["first"].sum() - 1) < 1e-9
assert prices["on_front"].any() or prices["kilobytes"].isna().any()
