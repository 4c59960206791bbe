"""Figures: one function, one figure; each takes tables or arrays and returns its axes.

Nothing here fits a model. Every figure has a title that claims or asks something, labelled
axes, and says so when it draws only part of the data. Names of columns and classes are data:
they are shortened in the middle, and drawn whatever they contain.
"""

from lib.plots.associations import plot_associations, plot_strengths
from lib.plots.business import (
    plot_capacity,
    plot_decision_curve,
    plot_policies,
    plot_profit_curve,
)
from lib.plots.comparison import (
    plot_critical_difference,
    plot_equivalence,
    plot_pareto,
    plot_rank_stability,
)
from lib.plots.design import plot_arms, plot_factor_effects, plot_learning_curve, plot_noise
from lib.plots.distributions import plot_distributions, plot_target_panel
from lib.plots.drift import plot_drift
from lib.plots.ensembles import (
    plot_error_correlation,
    plot_member_contributions,
    plot_score_and_cost,
)
from lib.plots.explanation import (
    plot_agreement,
    plot_contribution_sizes,
    plot_contributions,
    plot_dependence,
    plot_effects,
    plot_importance,
    plot_shuffles,
    plot_subgroups,
    plot_waterfall,
)
from lib.plots.features import plot_gains, plot_kept, plot_selection
from lib.plots.folds import plot_folds
from lib.plots.held_out import (
    plot_calibration,
    plot_confusion,
    plot_curves,
    plot_disturbances,
    plot_lost_columns,
    plot_promised_coverage,
    plot_residual_study,
    plot_weak_segments,
)
from lib.plots.interactive import make_scatter_matrix_page
from lib.plots.neural import plot_seed_spread, plot_training_curves
from lib.plots.overview import plot_missing, plot_target, plot_types, quick_eda_plots
from lib.plots.pairs import plot_scatter_matrix
from lib.plots.performance import plot_model_performance
from lib.plots.periods import plot_time_profile
from lib.plots.scores import metric_label, plot_scores
from lib.plots.sensitivity import plot_scenarios, plot_tornado
from lib.plots.statistics import plot_coefficients, plot_power, plot_quantiles
from lib.plots.strategies import plot_coverage, plot_strategies
from lib.plots.style import setup_plotting
from lib.plots.tuning import (
    plot_optimism,
    plot_parallel,
    plot_parameter_importance,
    plot_search_history,
    plot_slices,
)

__all__ = [
    "make_scatter_matrix_page",
    "metric_label",
    "plot_agreement",
    "plot_arms",
    "plot_associations",
    "plot_calibration",
    "plot_capacity",
    "plot_coefficients",
    "plot_confusion",
    "plot_contribution_sizes",
    "plot_contributions",
    "plot_coverage",
    "plot_critical_difference",
    "plot_curves",
    "plot_decision_curve",
    "plot_dependence",
    "plot_distributions",
    "plot_disturbances",
    "plot_drift",
    "plot_effects",
    "plot_equivalence",
    "plot_error_correlation",
    "plot_factor_effects",
    "plot_folds",
    "plot_gains",
    "plot_importance",
    "plot_kept",
    "plot_learning_curve",
    "plot_lost_columns",
    "plot_member_contributions",
    "plot_missing",
    "plot_model_performance",
    "plot_noise",
    "plot_optimism",
    "plot_parallel",
    "plot_parameter_importance",
    "plot_pareto",
    "plot_policies",
    "plot_power",
    "plot_profit_curve",
    "plot_promised_coverage",
    "plot_quantiles",
    "plot_rank_stability",
    "plot_residual_study",
    "plot_scatter_matrix",
    "plot_scenarios",
    "plot_score_and_cost",
    "plot_scores",
    "plot_search_history",
    "plot_seed_spread",
    "plot_selection",
    "plot_shuffles",
    "plot_slices",
    "plot_strategies",
    "plot_strengths",
    "plot_subgroups",
    "plot_target",
    "plot_target_panel",
    "plot_time_profile",
    "plot_tornado",
    "plot_training_curves",
    "plot_types",
    "plot_waterfall",
    "plot_weak_segments",
    "quick_eda_plots",
    "setup_plotting",
]
