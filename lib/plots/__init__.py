"""Figures: one function, one figure; each takes tables or arrays and returns its axes.

Nothing here fits a model. Every figure has a title that claims or asks something, labelled
axes, and says so when it draws only part of the data.
"""

from lib.plots.scores import metric_label, plot_scores
from lib.plots.style import setup_plotting

__all__ = ["metric_label", "plot_scores", "setup_plotting"]
