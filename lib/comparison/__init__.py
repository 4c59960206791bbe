"""Candidates side by side: tests, posteriors, stability, price, and the choice of a champion."""

from lib.comparison.choice import RULE, Choice, choose_champion
from lib.comparison.front import find_front, tabulate_prices
from lib.comparison.order import FAMILIES, order_by_simplicity
from lib.comparison.pairwise import (
    adjust_chosen,
    compare_each_pair,
    compare_with,
    smallest_wilcoxon_p,
)
from lib.comparison.posterior import (
    EQUIVALENT,
    OPEN,
    PRACTICALLY_BETTER,
    PRACTICALLY_WORSE,
    Posterior,
    correlated_t,
    signed_rank,
)
from lib.comparison.ranks import (
    MIN_MODELS,
    MIN_TABLES,
    RankTest,
    compare_over_tables,
    critical_difference,
    critical_value,
    find_groups,
    rank_over_tables,
)
from lib.comparison.stability import (
    Correction,
    Resampled,
    correct_optimism,
    make_weighted,
    resample_scores,
    tabulate_ranks,
)
from lib.comparison.tables import (
    Gathered,
    Tables,
    gather_candidates,
    gather_tables,
    list_members,
    read_names,
)

__all__ = [
    "EQUIVALENT",
    "FAMILIES",
    "MIN_MODELS",
    "MIN_TABLES",
    "OPEN",
    "PRACTICALLY_BETTER",
    "PRACTICALLY_WORSE",
    "RULE",
    "Choice",
    "Correction",
    "Gathered",
    "Posterior",
    "RankTest",
    "Resampled",
    "Tables",
    "adjust_chosen",
    "choose_champion",
    "compare_each_pair",
    "compare_over_tables",
    "compare_with",
    "correct_optimism",
    "correlated_t",
    "critical_difference",
    "critical_value",
    "find_front",
    "find_groups",
    "gather_candidates",
    "gather_tables",
    "list_members",
    "make_weighted",
    "order_by_simplicity",
    "rank_over_tables",
    "read_names",
    "resample_scores",
    "signed_rank",
    "smallest_wilcoxon_p",
    "tabulate_prices",
    "tabulate_ranks",
]
