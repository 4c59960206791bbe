"""Leaks: what a model could know in a study and will not know in use.

>>> from lib import leakage
>>> leakage.TITLES["L06"]
'groups shared between folds'
"""

from lib.leakage import derived, duplicates, encodings, order, splitting, timing
from lib.leakage.audit import audit
from lib.leakage.groups import FoundGroups, find_groups
from lib.leakage.null import NullRun, null_run, score_linear, share_preparation
from lib.leakage.scores import make_booster
from lib.leakage.ties import Ties, find_ties

TITLES = {
    "L01": derived.TITLE,
    "L02": duplicates.EXACT,
    "L03": duplicates.NEAR,
    "L04": order.TITLE,
    "L05": timing.OVERLAP,
    "L06": splitting.GROUPS,
    "L07": splitting.NULL,
    "L08": splitting.SPLITTER,
    "L09": encodings.TITLE,
    "L10": timing.NEIGHBOURS,
}

__all__ = [
    "TITLES",
    "FoundGroups",
    "NullRun",
    "Ties",
    "audit",
    "find_groups",
    "find_ties",
    "make_booster",
    "null_run",
    "score_linear",
    "share_preparation",
]
