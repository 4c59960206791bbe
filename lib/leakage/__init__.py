"""Leaks: what a model could know in a study and will not know in use.

>>> from lib import leakage
>>> leakage.TITLES["L06"]
'groups shared between folds'
"""

from lib.leakage import derived, duplicates, encodings, order, splitting, timing
from lib.leakage.audit import audit
from lib.leakage.groups import FoundGroups, find_groups
from lib.leakage.null import NullRun, null_run, score_linear
from lib.leakage.splitting import find_groups_of

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
    "audit",
    "find_groups",
    "find_groups_of",
    "null_run",
    "score_linear",
]
