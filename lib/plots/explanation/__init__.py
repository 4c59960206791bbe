"""Figures of what a model has learned: contributions, effects, rankings, subgroups."""

from lib.plots.explanation.contributions import (
    plot_contribution_sizes,
    plot_contributions,
    plot_dependence,
    plot_waterfall,
)
from lib.plots.explanation.effects import plot_effects
from lib.plots.explanation.rankings import (
    plot_agreement,
    plot_importance,
    plot_shuffles,
    plot_subgroups,
)

__all__ = [
    "plot_agreement",
    "plot_contribution_sizes",
    "plot_contributions",
    "plot_dependence",
    "plot_effects",
    "plot_importance",
    "plot_shuffles",
    "plot_subgroups",
    "plot_waterfall",
]
