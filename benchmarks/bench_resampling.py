"""How strategies come near a planted truth: python benchmarks/bench_resampling.py [n_samples].

Three claims on generators, in figures: corrected intervals over folds hold the truth as often as
they say and naive ones do not; a nested score is unbiased where the inner optimum is not; .632+
stays near the truth without information where .632 does not. Then the cost of each strategy.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge

from lib import evaluation, resampling
from lib.data import Dataset, make_planted
from lib.evaluation import Neighbours, make_neighbours, make_plain

KINDS = {"regression": ("neg_mean_absolute_error", Ridge()), "binary": ("roc_auc", None)}


class RandomDirection(Neighbours):
    """Ranks rows by a random direction: no knowledge, but luck on some folds."""

    def __init__(self, direction: int = 0, *, n_classes: int = 2) -> None:
        super().__init__(1, n_classes=n_classes)
        self.direction = direction

    def predict_proba(self, X: object) -> np.ndarray:
        """Return what the direction makes of each row."""
        weights = np.random.default_rng(self.direction).normal(size=np.shape(X)[1])
        score = 1 / (1 + np.exp(-np.asarray(X) @ weights))
        return np.column_stack([1 - score, score])


def pick(dataset: Dataset, *names: str) -> list[resampling.Strategy]:
    return [s for s in resampling.list_strategies(dataset) if s.name in names]


def bench_intervals(n_samples: int) -> None:
    print(f"Coverage of 95 % intervals over {n_samples} samples of 200 rows")
    for task, (scoring, ridge) in KINDS.items():
        table = make_planted(30_000, task=task, n_categories=0, positive_rate=0.5, seed=5)
        plain = make_plain(table)
        model = ridge or LogisticRegression(solver="newton-cholesky")
        samples = resampling.draw_small_samples(
            plain, n_rows=200, n_draws=n_samples, max_rest=5_000
        )
        strategies = pick(plain, "k-fold", "repeated k-fold")
        compared = evaluation.compare_with_truth(
            {"linear": model}, plain, samples, strategies, scoring=scoring
        )
        for row in compared.summarise().itertuples():
            print(
                f"  {task:11}{row.strategy:16} naive {row.naive_covers:.3f}  "
                f"corrected {row.corrected_covers:.3f}  bias {row.bias:.4f}",
                flush=True,
            )


def bench_nesting(n_samples: int) -> None:
    print(f"Twenty models without knowledge, {n_samples} samples of 100 rows: AUC minus 1/2")
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(6_000, 20))).rename(columns=str)
    y = pd.Series(rng.integers(2, size=6_000), name="target")
    dataset = Dataset("noise", X, y, task="binary", classes=("no", "yes"))
    samples = resampling.draw_small_samples(dataset, n_rows=100, n_draws=n_samples)
    candidates = {f"direction {i}": RandomDirection(i) for i in range(20)}
    compared = evaluation.compare_with_truth(
        candidates, dataset, samples, pick(dataset, "nested", "inner optimum")
    )
    for row in compared.summarise().itertuples():
        print(f"  {row.strategy:16} bias {row.bias:.4f}, rmse {row.rmse:.4f}", flush=True)


def bench_632(n_samples: int) -> None:
    print(f"No information, one neighbour, {n_samples} samples of 100 rows: AUC (truth 0.5)")
    rng = np.random.default_rng(4)
    X = pd.DataFrame(rng.normal(size=(6_000, 5))).rename(columns=str)
    y = pd.Series(rng.integers(2, size=6_000), name="target")
    dataset = Dataset("noise", X, y, task="binary", classes=("no", "yes"))
    samples = resampling.draw_small_samples(dataset, n_rows=100, n_draws=n_samples)
    strategies = pick(dataset, "stratified k-fold", "out-of-bag bootstrap", ".632", ".632+")
    compared = evaluation.compare_with_truth(
        {"one": Neighbours(1, n_classes=2)}, dataset, samples, strategies
    )
    for row in compared.summarise().itertuples():
        print(f"  {row.strategy:22} mean {row.estimate:.3f}, bias {row.bias:.3f}", flush=True)


def bench_cost() -> None:
    print("CPU seconds of one sample of 300 rows, all strategies, four candidates")
    for task in ("binary", "multiclass", "regression"):
        for n_groups in (None, 600):
            plain = make_plain(make_planted(3_000, task=task, n_groups=n_groups))
            part = resampling.sample_rows(plain, 300)
            start = time.process_time()
            table = evaluation.estimate_scores(make_neighbours(plain), part)
            spent = time.process_time() - start
            print(f"  {task:11} groups {n_groups or 0:4}: {spent:.2f} s, {table.n_fits.sum()} fits")


def main() -> None:
    n_samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    bench_intervals(n_samples)
    bench_nesting(max(n_samples // 5, 20))
    bench_632(max(n_samples // 2, 20))
    bench_cost()


if __name__ == "__main__":
    main()
