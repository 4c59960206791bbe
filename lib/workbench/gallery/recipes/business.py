"""What acting on a model brings, in money."""

from typing import Any

from lib import business, plots
from lib.workbench.gallery.table import Conditions, Recipes, Table


def _plot_policies(t: Table) -> Any:
    priced, simple = t.priced
    return plots.plot_policies(business.compare_policies(priced, simple), **t.money)


def _plot_profit_curve(t: Table) -> Any:
    gains, rule, learned, cases, bootstrap = t.rule
    found = business.trace_rule(rule, gains, learned, cases, bootstrap=bootstrap)
    lines: dict[str, Any] = {
        "chosen": found.used,
        "break_even": found.break_even,
        "learned": found.learned,
    }
    return plots.plot_profit_curve(found.table, **lines, **t.money)


def _plot_capacity(t: Table) -> Any:
    gains, rule, _, cases, bootstrap = t.rule
    found = business.price_capacity(rule.choice, gains, cases, 0.02, bootstrap=bootstrap)
    return plots.plot_capacity(found.curve, best=found.best, capacity=0.02, **t.money)


def _plot_tornado(t: Table) -> Any:
    priced, against = t.priced[0], t.rule[1].against
    lead = priced.compare("model", against).difference.value
    tornado = business.compute_tornado(priced, against)
    look: dict[str, Any] = {"lead": lead, "against": business.phrase(against), "uncertainty": 0.25}
    return plots.plot_tornado(tornado, **look, **t.money)


def _plot_scenarios(t: Table) -> Any:
    priced, against = t.priced[0], t.rule[1].against
    found = business.simulate_gains(priced, against, random_state=0)
    look: dict[str, Any] = {"lead": found.range_of_both.value, "against": business.phrase(against)}
    return plots.plot_scenarios(found.by_gains, found.by_both, **look, **t.money)


def _plot_decision_curve(t: Table) -> Any:
    *_, cases, bootstrap = t.rule
    curve = business.compute_decision_curve(cases, bootstrap=bootstrap)
    return plots.plot_decision_curve(curve, useful=business.find_useful_range(curve))


RECIPES: Recipes = {
    _plot_policies: "What does acting on a model bring, beside acting without one?",
    _plot_profit_curve: "From which probability on does acting pay? Which quantile costs least?",
    _plot_capacity: "What do the first rows bring when only some can be acted upon?",
    _plot_tornado: "Which gain, if it is other than assumed, would turn the decision?",
    _plot_scenarios: "What if all gains are uncertain at once?",
    _plot_decision_curve: "For which weights of a false alarm is a model of use?",
}
APPLIES: Conditions = {
    _plot_profit_curve: lambda t: t.train.task != "multiclass",
    _plot_capacity: lambda t: t.train.task == "binary",
    _plot_decision_curve: lambda t: t.train.task == "binary",
}
