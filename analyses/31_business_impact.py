# %% [markdown]
# # 31 · Business impact
#
# **Question** Is it worth acting on the champion's predictions, how, and under which conditions?
#
# **You get** what decisions earn and cost, in a currency; a rule chosen on rows that the model had
# not learned from; its price on the test set beside treating all, treating nobody, today's policy
# and the runner-up; what a limited capacity brings; where the model stops paying; a decision.
#
# **You need** 30, 32
#
# **Status** complete

# %% Setup
from lib import business, plots, report, resampling, tracking
from lib.config import load_config
from lib.data import load_data

config = load_config()
plots.setup_plotting()

# %% [markdown]
# ## The champion, and what decisions are worth
#
# The study has named a champion (32). What its decisions earn and cost is no statistic: it comes
# from the catalogue (`[name.gains]` or `[name.costs]`), or is an illustration, marked as such
# wherever money is shown. Whatever is said below in money is only as good as this table.

# %% Champion and gains
dataset = load_data(config.dataset, target=config.target)
train, is_binary = dataset.train, dataset.task == "binary"
champion = tracking.load_champion(config, dataset=train)
gains = business.read_gains(train)
money, mark = gains.currency, gains.mark
report.finding("The champion is {champion}.", champion=champion.name)
report.finding("{_reason} Origin: {gains_origin}.", _reason=gains.reason, gains_origin=gains.origin)
report.table(gains.tabulate(), title=f"What decisions earn and cost, in {money}{mark}")
if mark:
    report.warning("Gains are illustrative: write yours into the catalogue before you decide.")
if train.policy is not None:
    report.finding("Today's policy: {today}.", today=train.policy.in_words())

# %% [markdown]
# ## The rule, chosen on rows that the model had not learned from
#
# A rule turns predictions into decisions. Of two classes it is a threshold; of several the answer
# of least expected cost; of a number the quantile under / (under + over), which the costs of under-
# and over-forecast ask for. Thresholds and quantiles come from out-of-fold predictions of training
# rows: chosen on the test set, luck would be priced as skill. Break-even, the probability from
# which acting pays, follows from the gains alone and is right when probabilities are. It is used
# unless another threshold earned more out of fold by over a standard error: then probabilities are
# off, or amounts rise with them.

# %% Learn the rule
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
folds = resampling.make_study_folds(sample, config)
bootstrap = business.make_bootstrap(config, n_rows=len(sample))
on_folds = {"dataset": sample, "folds": folds}
kept = tracking.load_predictions(config, analyses=[champion.analysis[:2]], **on_folds)
learned = business.gather_out_of_fold(**on_folds, parts=kept[champion.name].parts)
limits = {"bootstrap": bootstrap, "capacity": train.capacity}
rule = business.learn_rule(gains, learned, **limits)
if is_binary:
    report.finding(
        "To act on a row is to treat it as {_target} = {_label}.",
        _target=train.target,
        _label=train.positive_label,
    )
report.finding("The rule: {rule}.", rule=rule.words)
report.finding("The best without a model: {constant}.", constant=business.phrase(rule.constant))
if is_binary:
    report.finding(
        "Threshold {threshold:.4f}; most was earned at {earned_most}; break-even of the gains is "
        "{break_even_probability:.4f}.",
        threshold=rule.choice.threshold,
        earned_most=rule.choice.best,
        break_even_probability=rule.choice.break_even,
    )

# %% [markdown]
# ## What is it worth on rows that nobody has seen?
#
# The test set is opened with this champion and this rule. All policies decide the same rows, and
# resamples draw whole groups where rows belong together, so differences are paired. *Net benefit*
# is what a policy brings against doing without a model: treating nobody, or the best constant
# answer. Tests of the model against the others are corrected for their number (Holm).

# %% Open the test set and price every policy
test = dataset.open_test("31_business_impact", champion=champion.digest)
cases = business.gather_cases(test, champion.predict(test.X))
rival = None
if champion.runner_up is not None:
    second = champion.runner_up
    kept = tracking.load_predictions(config, analyses=[second.analysis[:2]], **on_folds)
    learned_too = business.gather_out_of_fold(**on_folds, parts=kept[second.name].parts)
    its_rule = business.learn_rule(gains, learned_too, **limits)
    rival = its_rule, cases.predicted_by(second.predict(test.X))
policies = business.list_policies(rule, cases, test, rival=rival)
priced = business.price_policies(
    policies.actions, gains, cases, reference=policies.reference, bootstrap=bootstrap
)
comparison = business.compare_policies(priced, policies.simple)
default, against = policies.default, rule.against
report.finding(
    "The test set: {n_test} rows; resamples draw {n_units} units that are taken as independent.",
    n_test=len(test),
    n_units=cases.n_units,
)
if few := business.warn_of_few(cases, dataset.task):
    report.warning("{_few}", _few=few)
for analysis in dataset.other_openings(champion.digest):
    report.warning("{_analysis} opened the test set for another model.", _analysis=analysis)
brought, tested = business.show_policies(comparison)
report.table(brought, title=f"What policies bring, {money} for 1,000 test rows{mark}")
report.table(tested, title=f"The model against them, {money} for 1,000 test rows{mark}")
ax = plots.plot_policies(comparison, currency=money, mark=mark)

# %% What the model's rule brings
lead = priced.compare(business.MODEL, default)
report.finding(
    "Net benefit of the model's rule against {_reference}: {net_benefit} {_money} for 1,000 rows.",
    _reference=business.phrase(policies.reference),
    net_benefit=comparison["net_benefit"].iloc[0],
    _money=money,
)
report.finding(
    "Against what it would replace, {default_policy}: {gain_over_default_policy} {_money}.",
    default_policy=business.phrase(default),
    gain_over_default_policy=lead.difference,
    _money=money,
)
plain = comparison.set_index("policy").loc[rule.plain]
report.finding(
    "The rule against {_plain}: {_gain}{plain_verdict}.",
    _plain=rule.plain,
    _gain="" if plain["verdict"] == "same decisions" else f"{plain['lead']} {money}, ",
    plain_verdict=plain["verdict"],
)
report.finding(
    "Return on investment, benefit of hits minus losses of errors over those losses: {roi} %."
    if is_binary
    else "Return on investment does not apply ({roi}): every row gets an answer, none an outlay.",
    roi=business.estimate_roi(priced, policies.actions[business.MODEL]),
)

# %% [markdown]
# The return on investment books a missed positive as a cost, though nobody spends it, and has no
# reference; it is here because it is often asked for. Where hits earn nothing and only avoid a loss
# it is -100 % whatever the model. Decide by net benefit. Where decisions of two policies are the
# same on every row there is nothing to test.

# %% [markdown]
# ## Was the rule well chosen?
#
# The curve shows what every other threshold (or quantile) brings on the test rows. The best one in
# hindsight is partly luck, so *regret*, what it would have brought more, is judged by a band that
# holds for all thresholds at once: a lower end of 0 says that none is distinguishably better.

# %% Profit curve and regret
if is_binary:
    thresholds = rule.choice.curve.thresholds
    profit = business.compute_profit_curve(gains, cases, thresholds, bootstrap=bootstrap)
    curve, used = profit.tabulate(), rule.choice.threshold
    at, learned_curve = rule.choice.break_even, rule.choice.curve.tabulate()
    report.finding(
        "Regret against the best threshold in hindsight: {regret} {_money} for 1,000 rows.",
        regret=business.estimate_regret(profit, used),
        _money=money,
    )
elif dataset.task == "regression":
    curve = business.compute_quantile_curve(gains, learned, cases, bootstrap=bootstrap)
    used, at, learned_curve = business.optimal_quantile(gains), None, None
    report.finding(
        "Of the forecasts {share_below:.1%} are not exceeded; aimed at were {quantile:.1%}.",
        share_below=cases.mean(cases.y <= policies.actions[business.MODEL]),
        quantile=used,
    )
else:
    report.finding("A curve does not apply: several classes have no single threshold to move.")
if dataset.task != "multiclass":
    ax = plots.plot_profit_curve(
        curve, chosen=used, break_even=at, learned=learned_curve, currency=money, mark=mark
    )

# %% [markdown]
# ## What if only so many rows can be acted upon?
#
# Then the most promising come first, and what counts is how much the first ones bring. `capacity`
# in the catalogue says how many are possible.

# %% Capacity
if is_binary:
    best = business.find_best_share(rule.choice)
    possible = train.capacity
    first = business.compute_capacity(gains, cases, bootstrap=bootstrap)
    shares = business.list_shares(best, possible)
    few = business.compute_capacity(gains, cases, bootstrap=bootstrap, shares=shares)
    report.table(
        business.show_capacity(few), title=f"The most promising first, {money} for 1,000{mark}"
    )
    k = best if possible is None else min(best, possible)
    at_k = few.loc[(few["share"] - k).abs().idxmin(), "gain"]
    report.finding(
        "Acting on the best {best_share:.1%} of rows (chosen out of fold{_limit}) brings "
        "{gain_at_capacity} {_money} for 1,000 rows.",
        best_share=k,
        _limit="" if possible is None else f"; possible are {possible:.1%}",
        gain_at_capacity=at_k,
        _money=money,
    )
    ax = plots.plot_capacity(first, best=best, capacity=possible, currency=money, mark=mark)
else:
    report.finding("Capacity does not apply: every row gets an answer, none is left alone.")

# %% [markdown]
# ## What if the gains are others?
#
# The decisions stay, only their worth changes. First one gain at a time: at which value is the
# model's lead over the policy in its place gone? Then all at once, each drawn evenly from
# its range, without and with the luck of the test rows.

# %% Break-even of each gain
against_words = business.phrase(against)
break_evens = business.find_break_evens(priced, against)
break_even = business.state_break_even(break_evens, gains)
report.table(
    business.show_break_evens(break_evens),
    title=f"Where the model is ahead of {against_words}{mark}",
)
report.finding(
    "Nearest break-even against {_against}: {break_even}.",
    _against=against_words,
    break_even=break_even,
)

# %% One gain at a time
tornado = business.compute_tornado(priced, against)
ahead = priced.compare(business.MODEL, against).difference
shown = {"lead": ahead.value, "against": against, "currency": money, "mark": mark}
ax = plots.plot_tornado(tornado, uncertainty=gains.uncertainty, **shown)

# %% All gains at once
scenarios = business.simulate_gains(priced, against, random_state=config.seed)
report.finding(
    "With gains {_assumed} off by up to {uncertainty:.0%} the lead over {_against} is "
    "{lead_by_gains}; with the luck of the test rows {lead_by_both}. The model is ahead in "
    "{share_ahead:.1%} of scenarios.",
    _assumed="assumed to be" if gains.is_assumed else "that by the catalogue may be",
    _against=against_words,
    uncertainty=gains.uncertainty,
    lead_by_gains=scenarios.range_of_gains,
    lead_by_both=scenarios.range_of_both,
    share_ahead=scenarios.pays,
)
report.table(scenarios.best, title=f"Which policy brings most, share of scenarios{mark}")
ax = plots.plot_scenarios(scenarios.by_gains, scenarios.by_both, **shown)

# %% [markdown]
# ## Over all weights of a false alarm
#
# A decision curve needs no money: a threshold says how many false alarms a hit is worth, and net
# benefit counts hits. It shows for whom, whatever their gains, the model is better than treating
# all and nobody. It takes probabilities at their word, so it also shows where they are off.

# %% Decision curve
if is_binary:
    decisions = business.compute_decision_curve(cases, bootstrap=bootstrap)
    useful = business.find_useful_range(decisions)
    report.finding(
        "The model beats treating all and treating nobody beyond its band {useful}.",
        useful="at no threshold" if useful is None else f"from {useful[0]:.2f} to {useful[1]:.2f}",
    )
    ax = plots.plot_decision_curve(decisions, useful=useful, break_even=rule.choice.break_even)
else:
    report.finding("A decision curve does not apply: it is about acting or not.")

# %% [markdown]
# ## Conclusion
#
# The model has to beat every policy that needs no model, each beyond chance. Where it does not, the
# simpler policy stays: that the rows do not tell two apart is no reason to pay for a model.

# %% Decision and conditions
decision = business.decide(comparison, policies.simple)
report.finding(
    "Decision{_mark}: {decision}; {_reason}",
    decision=decision.decision,
    _reason=decision.reason,
    _mark=mark,
)
report.finding("The policy to use: {best_policy}.", best_policy=decision.best_policy)
if n_needed := business.count_rows_needed(ahead, len(test)):
    report.finding(
        "The lead over {_against}, {_ahead}, would be beyond its interval with about {n_needed} "
        "test rows, if it is real.",
        _against=against_words,
        _ahead=ahead,
        n_needed=n_needed,
    )
report.finding(
    "It holds while gains are as assumed (nearest break-even: {_break_even}), rows are like those "
    "of the test set, and acting works as assumed: who is who was tested, not that acting helps."
    if is_binary
    else "It holds while gains are as assumed (nearest break-even: {_break_even}) and rows are like "
    "those of the test set.",
    _break_even=break_even,
)

# %% [markdown]
# **Next** 33 puts it all in one report.

# %% What must hold
assert 0 <= scenarios.pays <= 1
assert comparison["policy"].iloc[0] == business.MODEL
assert abs(priced.compare(policies.reference, policies.reference).difference.value) < 1e-9
assert decision.best_policy in policies.actions
