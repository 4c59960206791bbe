"""What decisions are worth: gains, rules, policies, thresholds, sensitivity, decision curves."""

from lib.business.analyzer import Account, BusinessImpactAnalyzer, ThresholdAnalysis
from lib.business.capacity import (
    compute_capacity,
    find_best_share,
    list_shares,
    rank_share,
    show_capacity,
)
from lib.business.cases import Cases, gather_cases, gather_out_of_fold
from lib.business.conclusion import (
    ACT,
    Decision,
    count_rows_needed,
    decide,
    state_break_even,
    warn_of_few,
)
from lib.business.decision_curve import compute_decision_curve, find_useful_range
from lib.business.draws import Bootstrap, make_bootstrap
from lib.business.forecasts import (
    Shift,
    best_constant,
    compute_quantile_curve,
    learn_shift,
    optimal_quantile,
)
from lib.business.gains import Gains, break_even_probability, make_gains, read_gains
from lib.business.policies import (
    BY_LOT,
    EVERYONE,
    MODEL,
    NOBODY,
    PER,
    RIVAL,
    TODAY,
    Priced,
    compare_policies,
    phrase,
    price_policies,
    show_policies,
)
from lib.business.returns import estimate_roi
from lib.business.rules import Policies, Rule, act_from, learn_rule, list_policies
from lib.business.sensitivity import (
    Scenarios,
    compute_tornado,
    find_break_evens,
    show_break_evens,
    simulate_gains,
)
from lib.business.thresholds import (
    Choice,
    ProfitCurve,
    choose_threshold,
    compute_profit_curve,
    estimate_regret,
    find_break_even,
    list_thresholds,
)

__all__ = [
    "ACT",
    "BY_LOT",
    "EVERYONE",
    "MODEL",
    "NOBODY",
    "PER",
    "RIVAL",
    "TODAY",
    "Account",
    "Bootstrap",
    "BusinessImpactAnalyzer",
    "Cases",
    "Choice",
    "Decision",
    "Gains",
    "Policies",
    "Priced",
    "ProfitCurve",
    "Rule",
    "Scenarios",
    "Shift",
    "ThresholdAnalysis",
    "act_from",
    "best_constant",
    "break_even_probability",
    "choose_threshold",
    "compare_policies",
    "compute_capacity",
    "compute_decision_curve",
    "compute_profit_curve",
    "compute_quantile_curve",
    "compute_tornado",
    "count_rows_needed",
    "decide",
    "estimate_regret",
    "estimate_roi",
    "find_best_share",
    "find_break_even",
    "find_break_evens",
    "find_useful_range",
    "gather_cases",
    "gather_out_of_fold",
    "learn_rule",
    "learn_shift",
    "list_policies",
    "list_shares",
    "list_thresholds",
    "make_bootstrap",
    "make_gains",
    "optimal_quantile",
    "phrase",
    "price_policies",
    "rank_share",
    "read_gains",
    "show_break_evens",
    "show_capacity",
    "show_policies",
    "simulate_gains",
    "state_break_even",
    "warn_of_few",
]
