"""What a cross-validation found: scores a fold, predictions, costs, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from lib.evaluation.metrics import Array
from lib.resampling import Folds


@dataclass(frozen=True)
class Scores:
    """What a cross-validation found.

    Attributes
    ----------
    frame : DataFrame with columns model, fold, metric, score
        One row a model, fold (from 1) and metric; higher is better. What failed is not in it.
    times : DataFrame with columns model, fold, fit_seconds, predict_seconds, kilobytes
        A preprocessing that models share is counted in full for each of them; the size is that
        of the fitted model without it.
    predictions : dict of str to ndarray
        Out-of-fold predictions by model: probabilities of shape (n_rows, n_classes), or values of
        shape (n_rows,); means over repeats; NaN for rows that no fold tests.
    failures : DataFrame with columns model, fold, reason
        A fold on which a model raised, or a metric had no value; one sentence each.
    warnings : DataFrame with columns model, warning, count
        What libraries warned about, counted over the folds.
    folds : Folds
        On which all models were compared.
    task : str
        Kind of target.
    scoring : str
        The metric that ranks models, fixed beforehand.
    parts : dict of str to ndarray
        Predictions of the test rows of every fold, one fold after another: as `predictions`, but
        apart for each repeat. NaN for a fold on which the model failed.
    estimators : dict of str to scikit-learn estimator
        As they were given, unfitted; without those that differ from fold to fold.
    """

    frame: pd.DataFrame
    times: pd.DataFrame
    predictions: dict[str, Array]
    failures: pd.DataFrame
    warnings: pd.DataFrame
    folds: Folds
    task: str
    scoring: str
    parts: dict[str, Array] = field(default_factory=dict, repr=False)
    estimators: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def models(self) -> list[str]:
        """The models that have at least one score, in the order they were given."""
        return list(dict.fromkeys(self.frame["model"]))

    def by_fold(self, metric: str | None = None) -> pd.DataFrame:
        """Return a table of one metric: one row a fold, one column a model."""
        chosen = self.frame[self.frame["metric"] == (metric or self.scoring)]
        return chosen.pivot_table(index="fold", columns="model", values="score", sort=False)

    def only(self, *models: str) -> Scores:
        """Return the scores of some of the models, with all that belongs to them."""

        def own(table: pd.DataFrame) -> pd.DataFrame:
            return table[table["model"].isin(models)].reset_index(drop=True)

        return replace(
            self,
            frame=own(self.frame),
            times=own(self.times),
            failures=own(self.failures),
            warnings=own(self.warnings),
            predictions={k: v for k, v in self.predictions.items() if k in models},
            parts={k: v for k, v in self.parts.items() if k in models},
            estimators={k: v for k, v in self.estimators.items() if k in models},
        )
