"""Where strategies are judged: small samples of the study's table, or of a generator like it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from lib.data import Dataset, make_planted
from lib.errors import InputError
from lib.resampling.samples import SmallSamples, draw_small_samples

MAX_CLASSES = 6  # of a stand-in
N_STAND_IN = 6_000  # rows
GROUP_ROWS = 20  # at most, of a stand-in's group


@dataclass(frozen=True)
class Stage:
    """A table, small samples of it, and the rest of its rows that tell the truth.

    Attributes
    ----------
    dataset : Dataset
        The study's training rows, or a stand-in.
    samples : SmallSamples
        Positions in `dataset`.
    reason : str
        Why a stand-in was needed; "" for the study's own table.
    """

    dataset: Dataset = field(repr=False)
    samples: SmallSamples
    reason: str = ""


def set_stage(
    dataset: Dataset, *, n_rows: int = 300, n_draws: int = 100, random_state: int = 0
) -> Stage:
    """Return small samples of a table, or, when it is too small, of a generator like it.

    Parameters
    ----------
    dataset : Dataset
        Training rows.
    n_rows, n_draws, random_state : int
        As for `draw_small_samples`.

    Returns
    -------
    Stage
        A stand-in holds numbers only. It has the table's task, number of classes (at most six) and
        of columns, share of positives, and rows per group; whatever else they share is chance.

    Examples
    --------
    >>> stage = set_stage(make_planted(200), n_draws=3)
    >>> stage.reason, len(stage.dataset), len(stage.samples)
    ('200 rows are too few to draw small samples and keep a rest that tells the truth.', 6000, 3)
    """
    options = {"n_rows": n_rows, "n_draws": n_draws, "random_state": random_state}
    try:
        return Stage(dataset, draw_small_samples(dataset, **options))
    except InputError as error:
        stand_in = _make_stand_in(dataset, random_state)
        return Stage(
            stand_in, draw_small_samples(stand_in, **options), str(error).partition(": ")[0] + "."
        )


def _make_stand_in(dataset: Dataset, random_state: int) -> Dataset:
    n_groups = None
    if dataset.groups is not None:
        n_groups = N_STAND_IN // int(
            np.clip(len(dataset) / dataset.groups.nunique(), 2, GROUP_ROWS)
        )
    rate = float(dataset.y.mean()) if dataset.task == "binary" else 0.3
    planted = make_planted(
        N_STAND_IN,
        task=dataset.task,
        n_noise=int(np.clip(dataset.n_features - 5, 1, 40)),
        n_categories=0,
        n_classes=int(np.clip(len(dataset.classes), 3, MAX_CLASSES)),
        n_groups=n_groups,
        positive_rate=float(np.clip(rate, 0.1, 0.9)),
        seed=random_state,
    )
    return replace(planted, part="train")
