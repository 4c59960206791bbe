"""Models on the same folds: cross-validation, metrics, comparison with intervals and tests."""

from lib.evaluation.against_truth import (
    Comparison,
    Recommendation,
    compare_with_truth,
    recommend,
)
from lib.evaluation.apart import compare_apart
from lib.evaluation.bootstrap import BootstrapErrors, measure_bootstrap, no_information, score_of
from lib.evaluation.comparison import (
    BEST,
    BETTER,
    SAME,
    WORSE,
    compare,
    compare_pair,
    subtract_scores,
    tabulate_metrics,
    tabulate_problems,
    tabulate_spread,
    tabulate_times,
    verdict,
)
from lib.evaluation.cross_validation import cross_validate, score_predictions
from lib.evaluation.fitting import (
    FitOnce,
    columns_for_fit,
    fit_each,
    fit_options,
    fit_whole,
    have_equal_settings,
    predict_each,
    predict_whole,
)
from lib.evaluation.metrics import Metric, default_scoring, describe_metrics, scorers
from lib.evaluation.neighbours import Neighbours, make_neighbours, make_plain
from lib.evaluation.pairs import EQUAL, compare_pairs
from lib.evaluation.prepared import PreparedFold
from lib.evaluation.scores import Scores
from lib.evaluation.strategies import estimate_scores, naive_mean

__all__ = [
    "BEST",
    "BETTER",
    "EQUAL",
    "SAME",
    "WORSE",
    "BootstrapErrors",
    "Comparison",
    "FitOnce",
    "Metric",
    "Neighbours",
    "PreparedFold",
    "Recommendation",
    "Scores",
    "columns_for_fit",
    "compare",
    "compare_apart",
    "compare_pair",
    "compare_pairs",
    "compare_with_truth",
    "cross_validate",
    "default_scoring",
    "describe_metrics",
    "estimate_scores",
    "fit_each",
    "fit_options",
    "fit_whole",
    "have_equal_settings",
    "make_neighbours",
    "make_plain",
    "measure_bootstrap",
    "naive_mean",
    "no_information",
    "predict_each",
    "predict_whole",
    "recommend",
    "score_of",
    "score_predictions",
    "scorers",
    "subtract_scores",
    "tabulate_metrics",
    "tabulate_problems",
    "tabulate_spread",
    "tabulate_times",
    "verdict",
]
