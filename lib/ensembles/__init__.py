"""Ensembles of candidates: combined, taken apart, and set against what they cost."""

from lib.ensembles.combine import (
    Members,
    combine,
    compute_contributions,
    compute_diversity,
    gather_members,
    has_rows_to_learn,
)
from lib.ensembles.costs import calibrate, seed_variants, tabulate_costs
from lib.ensembles.estimators import EnsembleClassifier, EnsembleRegressor, make_ensembles
from lib.ensembles.methods import METHODS, Greedy, Stacking, Voting, Weighted, make_combiner

__all__ = [
    "METHODS",
    "EnsembleClassifier",
    "EnsembleRegressor",
    "Greedy",
    "Members",
    "Stacking",
    "Voting",
    "Weighted",
    "calibrate",
    "combine",
    "compute_contributions",
    "compute_diversity",
    "gather_members",
    "has_rows_to_learn",
    "make_combiner",
    "make_ensembles",
    "seed_variants",
    "tabulate_costs",
]
