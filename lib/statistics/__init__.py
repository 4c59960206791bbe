"""Statistics as tidy tables: what columns hold, how they go together, how samples differ."""

from lib.statistics.associations import (
    as_matrix,
    compute_associations,
    correlation_ratio,
    cramers_v,
)
from lib.statistics.clustered import design_effect_of
from lib.statistics.columns import (
    as_frame,
    column_kinds,
    compute_missing,
    compute_types,
    moments_of,
    numbers_of,
    sample_rows,
)
from lib.statistics.comparisons import compare_each_feature, sort_by_clarity
from lib.statistics.correlations import compute_correlations
from lib.statistics.counts import CountModels, fit_counts, is_count
from lib.statistics.design import Design, compute_collinearity, condition_number, make_design
from lib.statistics.diagnostics import compute_residual_checks
from lib.statistics.drift import compare_samples, stability_index
from lib.statistics.information import compute_mutual_information
from lib.statistics.normality import compute_normality, normal_quantiles
from lib.statistics.observations import (
    Observation,
    describe_target,
    outcome_of,
    rank_observations,
    target_in_words,
)
from lib.statistics.perform import StatisticalTests, perform_statistical_tests
from lib.statistics.periods import TimeProfile, compute_time_profile
from lib.statistics.post_hoc import compare_pairs
from lib.statistics.power import compute_power, compute_power_curves
from lib.statistics.regression import Regression, fit_regression
from lib.statistics.resampled import bootstrap_effects
from lib.statistics.screening import compare_with_target, feature_levels
from lib.statistics.solvers import SeparationError
from lib.statistics.study import (
    RegressionStudy,
    describe_counts,
    describe_regression,
    study_regression,
)
from lib.statistics.wording import p_in_words, terms_in_words

__all__ = [
    "CountModels",
    "Design",
    "Observation",
    "Regression",
    "RegressionStudy",
    "SeparationError",
    "StatisticalTests",
    "TimeProfile",
    "as_frame",
    "as_matrix",
    "bootstrap_effects",
    "column_kinds",
    "compare_each_feature",
    "compare_pairs",
    "compare_samples",
    "compare_with_target",
    "compute_associations",
    "compute_collinearity",
    "compute_correlations",
    "compute_missing",
    "compute_mutual_information",
    "compute_normality",
    "compute_power",
    "compute_power_curves",
    "compute_residual_checks",
    "compute_time_profile",
    "compute_types",
    "condition_number",
    "correlation_ratio",
    "cramers_v",
    "describe_counts",
    "describe_regression",
    "describe_target",
    "design_effect_of",
    "feature_levels",
    "fit_counts",
    "fit_regression",
    "is_count",
    "make_design",
    "moments_of",
    "normal_quantiles",
    "numbers_of",
    "outcome_of",
    "p_in_words",
    "perform_statistical_tests",
    "rank_observations",
    "sample_rows",
    "sort_by_clarity",
    "stability_index",
    "study_regression",
    "target_in_words",
    "terms_in_words",
]
