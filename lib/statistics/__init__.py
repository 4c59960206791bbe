"""Statistics as tidy tables: what columns hold, how they go together, how samples differ."""

from lib.statistics.associations import (
    as_matrix,
    compute_associations,
    correlation_ratio,
    cramers_v,
)
from lib.statistics.columns import (
    as_frame,
    column_kinds,
    compute_missing,
    compute_types,
    moments_of,
    numbers_of,
    sample_rows,
)
from lib.statistics.drift import compare_samples, stability_index
from lib.statistics.observations import (
    Observation,
    describe_target,
    outcome_of,
    rank_observations,
    target_in_words,
)
from lib.statistics.periods import TimeProfile, compute_time_profile
from lib.statistics.screening import compare_with_target, feature_levels

__all__ = [
    "Observation",
    "TimeProfile",
    "as_frame",
    "as_matrix",
    "column_kinds",
    "compare_samples",
    "compare_with_target",
    "compute_associations",
    "compute_missing",
    "compute_time_profile",
    "compute_types",
    "correlation_ratio",
    "cramers_v",
    "describe_target",
    "feature_levels",
    "moments_of",
    "numbers_of",
    "outcome_of",
    "rank_observations",
    "sample_rows",
    "stability_index",
    "target_in_words",
]
