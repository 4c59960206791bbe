"""A fitted model taken apart: columns in, a matrix of numbers, and what the model makes of it.

Preparation such as skrub's `TableVectorizer` works column by column. So a fitted pipeline can be
opened once: the table is prepared, each prepared column knows the column that it came from (its
owner), and everything that asks the model a thousand times works on the matrix.
"""

from lib.explanation.opening.open_model import open_model
from lib.explanation.opening.opened import Ints, OpenModel
from lib.explanation.opening.sampled import sample_shapley

__all__ = ["Ints", "OpenModel", "open_model", "sample_shapley"]
