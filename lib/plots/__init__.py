"""Figures: one function, one figure; each takes tables or arrays and returns its axes.

Nothing here fits a model. Every figure has a title that claims or asks something, labelled
axes, and says so when it draws only part of the data. Names of columns and classes are data:
they are shortened in the middle, and drawn whatever they contain.
"""

from lib.plots.associations import plot_associations, plot_strengths
from lib.plots.distributions import plot_distributions, plot_target_panel
from lib.plots.drift import plot_drift
from lib.plots.features import plot_gains, plot_kept, plot_selection
from lib.plots.interactive import make_scatter_matrix_page
from lib.plots.overview import plot_missing, plot_target, plot_types, quick_eda_plots
from lib.plots.pairs import plot_scatter_matrix
from lib.plots.performance import plot_model_performance
from lib.plots.periods import plot_time_profile
from lib.plots.scores import metric_label, plot_scores
from lib.plots.statistics import plot_coefficients, plot_power, plot_quantiles
from lib.plots.style import setup_plotting

__all__ = [
    "make_scatter_matrix_page",
    "metric_label",
    "plot_associations",
    "plot_coefficients",
    "plot_distributions",
    "plot_drift",
    "plot_gains",
    "plot_kept",
    "plot_missing",
    "plot_model_performance",
    "plot_power",
    "plot_quantiles",
    "plot_scatter_matrix",
    "plot_scores",
    "plot_selection",
    "plot_strengths",
    "plot_target",
    "plot_target_panel",
    "plot_time_profile",
    "plot_types",
    "quick_eda_plots",
    "setup_plotting",
]
