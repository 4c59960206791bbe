"""Models on the same folds: cross-validation, metrics, comparison with intervals and tests."""

from lib.evaluation.comparison import compare, tabulate_metrics, tabulate_spread, tabulate_times
from lib.evaluation.cross_validation import Scores, cross_validate
from lib.evaluation.metrics import Metric, default_scoring, describe_metrics, scorers

__all__ = [
    "Metric",
    "Scores",
    "compare",
    "cross_validate",
    "default_scoring",
    "describe_metrics",
    "scorers",
    "tabulate_metrics",
    "tabulate_spread",
    "tabulate_times",
]
