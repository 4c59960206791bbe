"""Numbers with their uncertainty: intervals, paired tests, corrections for many tests."""

from lib.estimates.closed_form import clopper_pearson, delong, delong_test, wilson
from lib.estimates.estimate import (
    Estimate,
    PairedTest,
    format_digits,
    format_p,
    print_p_values,
)
from lib.estimates.multiplicity import benjamini_hochberg, holm
from lib.estimates.over_folds import corrected_error, corrected_mean, corrected_t_test
from lib.estimates.resampled import bootstrap, bootstrap_many
from lib.estimates.units import Units, count_draws, draw_units, make_units

__all__ = [
    "Estimate",
    "PairedTest",
    "Units",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrap_many",
    "clopper_pearson",
    "corrected_error",
    "corrected_mean",
    "corrected_t_test",
    "count_draws",
    "delong",
    "delong_test",
    "draw_units",
    "format_digits",
    "format_p",
    "holm",
    "make_units",
    "print_p_values",
    "wilson",
]
