"""Models on the same folds: cross-validation, metrics, comparison with intervals and tests."""

from lib.evaluation.comparison import (
    BEST,
    BETTER,
    SAME,
    WORSE,
    compare,
    compare_pair,
    tabulate_metrics,
    tabulate_problems,
    tabulate_spread,
    tabulate_times,
    verdict,
)
from lib.evaluation.cross_validation import Scores, cross_validate
from lib.evaluation.metrics import Metric, default_scoring, describe_metrics, scorers
from lib.evaluation.pairs import EQUAL, compare_pairs

__all__ = [
    "BEST",
    "BETTER",
    "EQUAL",
    "SAME",
    "WORSE",
    "Metric",
    "Scores",
    "compare",
    "compare_pair",
    "compare_pairs",
    "cross_validate",
    "default_scoring",
    "describe_metrics",
    "scorers",
    "tabulate_metrics",
    "tabulate_problems",
    "tabulate_spread",
    "tabulate_times",
    "verdict",
]
