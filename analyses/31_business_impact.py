# %% [markdown]
# # 31 · Business impact
#
# **Question** Is it worth acting on the champion's predictions, how, and under which conditions?
#
# **You get** what decisions earn and cost, in a currency; a rule learned on rows that the model had
# not seen; its price on the test set beside treating all, nobody, today's policy and the runner-up;
# what a limited capacity brings; where the model stops paying; a decision.
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
money, mark = gains.currency + gains.mark, gains.mark
report.finding("The champion is {champion}.", champion=champion.name)
report.finding("{_reason} Origin: {gains_origin}.", _reason=gains.reason, gains_origin=gains.origin)
report.finding("Money is in {currency}.", currency=gains.currency)
report.table(gains.tabulate(), title=f"What decisions earn and cost, {money}")
if mark:
    report.warning("Gains are illustrative: write yours into the catalogue before you decide.")
if is_binary:
    report.finding("To act on a row is to treat it as {acted_on}.", acted_on=train.positive_words)
if train.policy is not None:
    report.finding("Today's policy: {today}.", today=train.policy.in_words())

# %% [markdown]
# ## The rule, learned on rows that the model had not seen
#
# A rule turns predictions into decisions. Of two classes it is a threshold; of several the answer
# of least expected cost; of a number the quantile under / (under + over), which the costs of under-
# and over-forecast ask for. Thresholds and quantiles come from out-of-fold predictions of training
# rows: chosen on the test set, luck would be priced as skill. Break-even, the probability from
# which acting pays, follows from the gains alone and is right when probabilities are. It is used
# unless another threshold earned more out of fold by over a standard error: then probabilities are
# off, or amounts rise with them.

# %% Learn the rule of the champion and of the runner-up
sample = resampling.sample_rows(train, config.budget.max_rows, random_state=config.seed)
folds = resampling.make_study_folds(sample, config)
bootstrap = business.make_bootstrap(config, n_rows=len(sample))
rules, learned = {}, {}
for model in filter(None, [champion, champion.runner_up]):
    where = {"analyses": [model.analysis[:2]], "dataset": sample, "folds": folds}
    parts = tracking.load_predictions(config, **where)[model.name].parts
    learned[model.name] = business.gather_fold_cases(parts, sample, folds)
    rules[model.name] = business.learn_rule(
        gains, learned[model.name], bootstrap=bootstrap, capacity=train.capacity
    )
rule = rules[champion.name]
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
# resamples draw together what belongs together (groups, neighbours in time), so differences are
# paired. *Net benefit* is what a policy brings against doing without a model: treating nobody, or
# the best constant answer. Tests of the model against policies that need no model decide, others
# stand beside them; both families are corrected for their number (Holm).

# %% Open the test set and price every policy
test = dataset.open_test("31_business_impact", champion=champion.digest)
cases = business.gather_cases(test, champion.predict(test.X))
rival = champion.runner_up
rival = rival and (rules[rival.name], cases.predicted_by(rival.predict(test.X)))
policies = business.list_policies(rule, cases, test, rival=rival)
priced = business.price_policies(
    policies.actions, gains, cases, reference=policies.reference, bootstrap=bootstrap
)
comparison = business.compare_policies(priced, policies.simple)
report.finding(
    "The test set: {n_test} rows; resamples draw {n_units} units that are taken as independent.",
    n_test=len(test),
    n_units=cases.n_units,
)
report.warn_reopened(dataset, champion=champion.digest)
if few := business.doubt_intervals(cases, dataset.task):
    report.warning("{_few}", _few=few)
brought, tested = business.show_policies(comparison)
report.table(brought, title=f"Net benefit for 1,000 test rows, {money}")
report.table(tested, title=f"The model's lead for 1,000 test rows, {money}")
ax = plots.plot_policies(comparison, currency=gains.currency, mark=mark)

# %% What the model's rule brings
report.finding(
    "Net benefit of the model's rule against {_reference}: {net_benefit} {_money} for 1,000 rows.",
    _reference=business.phrase(policies.reference),
    net_benefit=comparison["net_benefit"].iloc[0],
    _money=money,
)
report.finding(
    "Its lead over what it would replace, {default_policy}: {gain_over_default_policy} {_money}.",
    default_policy=business.phrase(policies.default),
    gain_over_default_policy=priced.compare(business.MODEL, policies.default).difference,
    _money=money,
)
roi = business.estimate_roi(priced, policies.actions[business.MODEL])
if not is_binary:
    report.finding("Return on investment does not apply: no row is acted upon at a cost.")
elif roi.value != roi.value:
    report.finding("Return on investment has no value: no decision on these rows loses anything.")
elif roi.value <= -100:
    report.finding(
        "Return on investment is {roi} % whatever the model: hits earn nothing of their own, they "
        "only avoid a loss.",
        roi=roi,
    )
else:
    report.finding("Return on investment, in %{_mark}: {roi}.", _mark=mark, roi=roi)

# %% [markdown]
# Return on investment is what hits earn minus what errors lose, over what errors lose. It books a
# missed positive as a cost, though nobody spends it, and has no reference. It is here because it is
# asked for (`BusinessImpactAnalyzer` makes it from counts): decide by net benefit.

# %% [markdown]
# ## Was the rule well chosen?
#
# The curve shows what every other threshold (or quantile) brings on the test rows. The best one in
# hindsight is partly luck, so *regret*, what it would have brought more, is judged by a band that
# holds for all thresholds at once: a lower end of 0 says that none is distinguishably better.

# %% The curve round the rule
curve = business.trace_rule(rule, gains, learned[champion.name], cases, bootstrap=bootstrap)
if curve.table is None:
    report.finding("{_words}.", _words=curve.words)
else:
    report.finding("{_words}: {hindsight}.", _words=curve.words, hindsight=curve.value)
    ax = plots.plot_profit_curve(
        curve.table,
        chosen=curve.used,
        break_even=curve.break_even,
        learned=curve.learned,
        currency=gains.currency,
        mark=curve.note + mark,
    )

# %% [markdown]
# ## What if only so many rows can be acted upon?
#
# Then the most promising come first, and what counts is how much the first ones bring. `capacity`
# in the catalogue says how many are possible.

# %% Capacity
if is_binary:
    first = business.price_capacity(rule.choice, gains, cases, train.capacity, bootstrap=bootstrap)
    report.table(business.show_capacity(first.table), title=f"The first rows, {money} for 1,000")
    report.finding(
        "Acting on the first {best_share:.1%} ({_words}) brings {gain_at_capacity} {_money}.",
        best_share=first.used,
        _words=first.words,
        gain_at_capacity=first.gain,
        _money=money,
    )
    ax = plots.plot_capacity(
        first.curve, best=first.best, capacity=first.possible, currency=gains.currency, mark=mark
    )
else:
    report.finding("Capacity does not apply: every row gets an answer, none is left alone.")

# %% [markdown]
# ## What if the gains are others?
#
# The decisions stay, only their worth changes. First one gain at a time: at which value is the
# lead over the nearest alternative gone? Then all at once, each drawn evenly from its range,
# without and with the luck of the test rows.

# %% Break-even of each gain, and one gain at a time
against = business.phrase(rule.against)
break_evens = business.find_break_evens(priced, rule.against)
break_even = business.state_break_even(break_evens, gains, against=against)
lead = priced.compare(business.MODEL, rule.against).difference
report.table(business.show_break_evens(break_evens), title=f"Ahead of {against}, {money}")
report.finding("Break-even: {break_even}.", break_even=break_even)
look = {"lead": lead.value, "against": against, "currency": gains.currency, "mark": mark}
tornado = business.compute_tornado(priced, rule.against)
ax = plots.plot_tornado(tornado, uncertainty=gains.uncertainty, **look)

# %% All gains at once
scenarios = business.simulate_gains(priced, rule.against, random_state=config.seed)
report.finding(
    "With gains off by up to {uncertainty:.0%} ({uncertainty_origin}) the lead over {against} is "
    "{lead_by_gains} {_money}, with the luck of the test rows {lead_by_both}; the model is ahead "
    "in {share_ahead:.1%} of scenarios.",
    uncertainty=gains.uncertainty,
    uncertainty_origin="assumed" if gains.is_assumed else "catalogue",
    against=against,
    lead_by_gains=scenarios.range_of_gains,
    _money=money,
    lead_by_both=scenarios.range_of_both,
    share_ahead=scenarios.pays,
)
report.table(scenarios.best, title=f"Which policy brings most, share of scenarios{mark}")
ax = plots.plot_scenarios(scenarios.by_gains, scenarios.by_both, **look)

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
    words = business.phrase_range(useful)
    report.finding("Its band is above treating all and treating nobody {useful}.", useful=words)
    ax = plots.plot_decision_curve(
        decisions, useful=useful, break_even=rule.choice.break_even, mark=mark
    )
else:
    report.finding("A decision curve does not apply: it is about acting or not.")

# %% [markdown]
# ## Conclusion
#
# The model has to beat every policy that needs no model, each beyond chance. Where it does not, the
# simpler policy stays: that the rows do not tell two apart is no reason to pay for a model.

# %% Decision and conditions
decision = business.decide(comparison, policies.simple, policies.default)
report.finding(
    "Decision{_mark}: {decision}; {_reason}",
    _mark=mark,
    decision=decision.decision,
    _reason=decision.reason,
)
report.finding("The policy to use: {best_policy}.", best_policy=decision.best_policy)
if needed := business.find_rows_needed(comparison, policies.simple, len(test)):
    report.finding(
        "If it is real, the lead over {_hardest} would show in four of five studies with about "
        "{n_needed} test rows.",
        _hardest=business.phrase(needed[0]),
        n_needed=needed[1],
    )
report.finding(
    "It holds while {conditions}.",
    conditions=business.list_conditions(gains, break_even, policy=decision.best_policy),
)

# %% [markdown]
# **Next** 33 puts it all in one report.

# %% What must hold
assert 0 <= scenarios.pays <= 1
assert comparison["policy"].iloc[0] == business.MODEL
assert priced.compare(policies.reference, policies.reference).difference.value == 0
assert decision.best_policy in policies.actions
