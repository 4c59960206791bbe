"""Something that happens or not, and the probability that was given to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.performance.held_out import Floats, HeldOut, Ints


@dataclass(frozen=True, eq=False)
class Events:
    """Something that happens or not, and the probability that was given to it.

    Attributes
    ----------
    happened : array of float, shape (n,)
        1 or 0.
    probability : array of float, shape (n,)
    weight : array of float, shape (n,)
    owner : array of int, shape (n,)
        Group of each row.
    words : str
        What the event is.
    """

    happened: Floats
    probability: Floats
    weight: Floats
    owner: Ints
    words: str

    @property
    def is_plain(self) -> bool:
        """Whether rows are single and count alike."""
        return bool(np.all(self.weight == 1)) and len(np.unique(self.owner)) == len(self.owner)


def make_events(held: HeldOut, *, of_class: int | None = None) -> Events:
    """Return the event whose probability is judged.

    Parameters
    ----------
    held : HeldOut
        Of a classification task.
    of_class : int, optional
        Code of a class. By default the positive class of two; of more, that the most likely
        class is the right one.

    Returns
    -------
    Events

    Examples
    --------
    >>> from lib.data import make_planted
    >>> dataset = make_planted(10)
    >>> make_events(HeldOut(dataset, dataset.truth["probabilities"])).words
    'target = 1'
    """
    dataset, proba = held.dataset, held.prediction
    code = 1 if of_class is None and held.task == "binary" else of_class
    if code is None:
        happened, probability = proba.argmax(axis=1) == held.y, proba.max(axis=1)
        words = "the most likely class is right"
    else:
        happened, probability = held.y == code, proba[:, code]
        words = f"{dataset.target} = {dataset.classes[code]}"
    weight = np.ones(len(held)) if held.weight is None else held.weight
    return Events(happened.astype(float), np.asarray(probability), weight, held.owner, words)
