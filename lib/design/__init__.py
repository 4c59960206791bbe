"""Experiments planned and judged: design card, power, learning curve, factors, noise, trials."""

from lib.design.card import ADOPT, KEEP, UNDECIDED, Card, Decision, judge, make_card, would_matter
from lib.design.factorial import (
    Factor,
    choose_block,
    choose_factors,
    compute_effects,
    keep_clear,
    run_factorial,
    tabulate_factors,
)
from lib.design.learning import Extrapolation, compute_learning_curve, extrapolate, extrapolate_all
from lib.design.noise import Noise, compare_twins, compute_noise, false_alarm_rate, reseed
from lib.design.power import (
    GOOD_POWER,
    RowSpread,
    detectable_over_folds,
    power_over_folds,
    spread_per_row,
    tabulate_repeats,
)
from lib.design.trial import (
    Arms,
    compute_arm_effects,
    compute_balance,
    describe_arms,
    read_arms,
)

__all__ = [
    "ADOPT",
    "GOOD_POWER",
    "KEEP",
    "UNDECIDED",
    "Arms",
    "Card",
    "Decision",
    "Extrapolation",
    "Factor",
    "Noise",
    "RowSpread",
    "choose_block",
    "choose_factors",
    "compare_twins",
    "compute_arm_effects",
    "compute_balance",
    "compute_effects",
    "compute_learning_curve",
    "compute_noise",
    "describe_arms",
    "detectable_over_folds",
    "extrapolate",
    "extrapolate_all",
    "false_alarm_rate",
    "judge",
    "keep_clear",
    "make_card",
    "power_over_folds",
    "read_arms",
    "reseed",
    "run_factorial",
    "spread_per_row",
    "tabulate_factors",
    "tabulate_repeats",
    "would_matter",
]
