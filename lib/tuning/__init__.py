"""Searches for good parameters that survive a kill, and what tuning is worth."""

from lib.tuning.diagnosis import compute_edges, compute_importance, print_edges
from lib.tuning.models import Nested, make_objective, name_tuned, nest, tune
from lib.tuning.search import Search, best_so_far, round_params, search
from lib.tuning.spaces import LIMITS, SPACES, Tunable, make_tunable

__all__ = [
    "LIMITS",
    "SPACES",
    "Nested",
    "Search",
    "Tunable",
    "best_so_far",
    "compute_edges",
    "compute_importance",
    "make_objective",
    "make_tunable",
    "name_tuned",
    "nest",
    "print_edges",
    "round_params",
    "search",
    "tune",
]
