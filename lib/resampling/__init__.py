"""Splitters chosen from what the data is, the folds that they make, and other ways to resample.

Whatever repeats persons keeps them together, whatever has a time is tested on what comes later,
classes keep their shares: chosen from the dataset's facts, said in words, the same for all models.
"""

from lib.resampling.apart import make_apart
from lib.resampling.choice import make_cv, make_forward, make_study_folds
from lib.resampling.folds import Folds, make_folds
from lib.resampling.maps import MAP_COLUMNS, map_folds, map_rows
from lib.resampling.purged import PurgedKFold, make_purged
from lib.resampling.samples import SmallSamples, draw_small_samples, sample_rows
from lib.resampling.splitters import Bootstrap, ForwardInTime, HoldOut, Positions, Splitter
from lib.resampling.stage import Stage, set_stage
from lib.resampling.strategies import (
    Strategy,
    list_strategies,
    make_strategy_folds,
    name_default,
    tabulate_strategies,
)

__all__ = [
    "MAP_COLUMNS",
    "Bootstrap",
    "Folds",
    "ForwardInTime",
    "HoldOut",
    "Positions",
    "PurgedKFold",
    "SmallSamples",
    "Splitter",
    "Stage",
    "Strategy",
    "draw_small_samples",
    "list_strategies",
    "make_apart",
    "make_cv",
    "make_folds",
    "make_forward",
    "make_purged",
    "make_strategy_folds",
    "make_study_folds",
    "map_folds",
    "map_rows",
    "name_default",
    "sample_rows",
    "set_stage",
    "tabulate_strategies",
]
