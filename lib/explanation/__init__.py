"""What models have learned: contributions, importances, effects, surrogates, and their limits.

Everything is computed on rows that a model was not fitted on, and everything has an interval or
says how far it depends on the method, the fold and the seed.
"""

from lib.explanation.agreement import (
    OUTSIDE,
    QUOTE,
    UNSTABLE,
    choose_top,
    compare_methods,
    judge_columns,
    rank_builtin,
    rank_contributions,
)
from lib.explanation.effects import (
    ALE,
    PDP,
    Effects,
    choose_columns,
    compute_effects,
    largest_range,
)
from lib.explanation.fitted import (
    FoldModel,
    FoldModels,
    fit_folds,
    make_rounds,
    out_of_fold,
    own_names,
)
from lib.explanation.glass_box import (
    ADDITIVE,
    SHALLOW,
    make_glass_boxes,
    tabulate_coefficients,
    tabulate_curves,
    write_rules,
)
from lib.explanation.grids import order_levels
from lib.explanation.mistakes import (
    compute_excess,
    compute_losses,
    explain_worst,
    locate_errors,
    share_of_worst,
)
from lib.explanation.opening import OpenModel, open_model, sample_shapley
from lib.explanation.permutation import (
    MATTERS,
    NO_SIGN,
    THRESHOLD,
    PermutationImportance,
    cluster_columns,
    permute_out_of_fold,
)
from lib.explanation.shapley import (
    Explanation,
    check_additivity,
    describe_direction,
    explain,
    explain_out_of_fold,
    tabulate_contributions,
)
from lib.explanation.subgroups import (
    choose_subgroups,
    compare_contributions,
    compare_subgroups,
    describe_differing,
)
from lib.explanation.surrogate import (
    LocalSurrogate,
    compare_surrogates,
    describe_local,
    explain_locally,
)

__all__ = [
    "ADDITIVE",
    "ALE",
    "MATTERS",
    "NO_SIGN",
    "OUTSIDE",
    "PDP",
    "QUOTE",
    "SHALLOW",
    "THRESHOLD",
    "UNSTABLE",
    "Effects",
    "Explanation",
    "FoldModel",
    "FoldModels",
    "LocalSurrogate",
    "OpenModel",
    "PermutationImportance",
    "check_additivity",
    "choose_columns",
    "choose_subgroups",
    "choose_top",
    "cluster_columns",
    "compare_contributions",
    "compare_methods",
    "compare_subgroups",
    "compare_surrogates",
    "compute_effects",
    "compute_excess",
    "compute_losses",
    "describe_differing",
    "describe_direction",
    "describe_local",
    "explain",
    "explain_locally",
    "explain_out_of_fold",
    "explain_worst",
    "fit_folds",
    "judge_columns",
    "largest_range",
    "locate_errors",
    "make_glass_boxes",
    "make_rounds",
    "open_model",
    "order_levels",
    "out_of_fold",
    "own_names",
    "permute_out_of_fold",
    "rank_builtin",
    "rank_contributions",
    "sample_shapley",
    "share_of_worst",
    "tabulate_coefficients",
    "tabulate_contributions",
    "tabulate_curves",
    "write_rules",
]
