"""Outputs of a model that may have seen only some of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.explanation.coding import Floats
from lib.explanation.opening.opened import Ints


@dataclass(frozen=True)
class Outcome:
    """Which outputs there are, and which of them the fitted model knows."""

    n_classes: int
    known: Ints  # codes of the model's classes among all
    names: tuple[str, ...]

    @classmethod
    def of(
        cls, estimator: Any, classes: Sequence[Any] | None, class_names: Sequence[str] | None
    ) -> Outcome:
        """Return the outputs of a fitted model; `classes` is None for a regression."""
        if classes is None:
            return cls(0, np.array([], dtype=np.intp), ())
        labels = list(classes)
        seen = list(np.asarray(getattr(estimator, "classes_", labels)).tolist())
        codes = {label: i for i, label in enumerate(labels)}
        if not set(seen) <= set(codes):  # labels, where the model was fitted on codes
            codes = {i: i for i in range(len(labels))}
        known = np.array([codes[label] for label in seen], dtype=np.intp)
        names = tuple(map(str, class_names or labels)) if len(labels) > 2 else ()
        return cls(len(labels), known, names)

    def spread(self, values: Floats, *, fill: float = 0.0) -> Floats:
        """Return outputs (n, ..., k) of the known classes as outputs of all K classes."""
        everything = np.full((*values.shape[:-1], self.n_classes), fill)
        everything[..., self.known] = values
        return everything

    def both(self, margin: Floats) -> Floats:
        """Return one margin (n, ...) as outputs: itself for two classes, else a pair of many."""
        if not self.names:
            return margin
        return self.spread(np.stack([-margin / 2, margin / 2], axis=-1))
