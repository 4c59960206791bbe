"""A model on rows that it has not learned from: how good, how honest, for whom, and how sure.

Everything that is chosen (a threshold, a segment, a limit) is chosen on out-of-fold predictions;
test rows only say what it is worth.
"""

from lib.performance.bins import (
    calibration_error,
    estimate_calibration_error,
    make_bins,
    tabulate_calibration,
)
from lib.performance.brier import BrierParts, decompose_brier, spiegelhalter
from lib.performance.conformal import (
    Conformal,
    conformal_quantile,
    judge_coverage,
    least_covered,
    list_caveats,
    make_conformal,
    measure_coverage,
    tabulate_coverage,
)
from lib.performance.curves import Curves, compute_all_curves, compute_curves, tabulate_curves
from lib.performance.decisions import (
    choose_threshold,
    compute_confusion,
    decide,
    tabulate_decisions,
)
from lib.performance.events import Events, make_events
from lib.performance.held_out import FEW, HeldOut, gather_out_of_fold, predict_held_out
from lib.performance.probabilities import Calibration, study_calibration
from lib.performance.recalibration import fit_recalibration, judge_calibration, tabulate_classes
from lib.performance.residuals import Residuals, study_residuals
from lib.performance.rivals import (
    McNemar,
    Rivalry,
    compare_rivals,
    describe_decisions,
    describe_test,
    mcnemar,
)
from lib.performance.robustness import disturb, lose_columns
from lib.performance.scores import (
    LOWER,
    judge_promise,
    score_folds,
    score_held_out,
    subtract,
    tabulate_test_scores,
)
from lib.performance.segments import describe_segment, describe_weakest, find_weak_segments
from lib.performance.worst import distinguish_worst, list_worst

__all__ = [
    "FEW",
    "LOWER",
    "BrierParts",
    "Calibration",
    "Conformal",
    "Curves",
    "Events",
    "HeldOut",
    "McNemar",
    "Residuals",
    "Rivalry",
    "calibration_error",
    "choose_threshold",
    "compare_rivals",
    "compute_all_curves",
    "compute_confusion",
    "compute_curves",
    "conformal_quantile",
    "decide",
    "decompose_brier",
    "describe_decisions",
    "describe_segment",
    "describe_test",
    "describe_weakest",
    "distinguish_worst",
    "disturb",
    "estimate_calibration_error",
    "find_weak_segments",
    "fit_recalibration",
    "gather_out_of_fold",
    "judge_calibration",
    "judge_coverage",
    "judge_promise",
    "least_covered",
    "list_caveats",
    "list_worst",
    "lose_columns",
    "make_bins",
    "make_conformal",
    "make_events",
    "mcnemar",
    "measure_coverage",
    "predict_held_out",
    "score_folds",
    "score_held_out",
    "spiegelhalter",
    "study_calibration",
    "study_residuals",
    "subtract",
    "tabulate_calibration",
    "tabulate_classes",
    "tabulate_coverage",
    "tabulate_curves",
    "tabulate_decisions",
    "tabulate_test_scores",
]
