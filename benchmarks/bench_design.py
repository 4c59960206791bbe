"""How often A/A comparisons raise a false alarm: python benchmarks/bench_design.py [STUDIES].

Each study draws a new table whose two halves of columns carry the same signal. Two pipelines, one
a half, are then equally good by construction, and every difference that a test claims is a false
alarm. The corrected t-test of the project stands beside the plain one, for several folds.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from lib.estimates import corrected_t_test, wilson

ALPHA = 0.05


def count_alarms(
    n_studies: int, *, n_rows: int = 200, n_splits: int = 5, random_state: int = 0
) -> tuple[int, int]:
    """Return in how many A/A studies the corrected and the plain t-test claim a difference."""
    rng = np.random.default_rng(random_state)
    corrected = plain = 0
    for study in range(n_studies):
        X = rng.normal(size=(n_rows, 10))
        signal = X[:, :2].sum(axis=1) + X[:, 5:7].sum(axis=1)
        y = (signal + 2 * rng.logistic(size=n_rows) > 0).astype(int)
        cv = StratifiedKFold(n_splits, shuffle=True, random_state=study)
        differences = []
        for train, test in cv.split(X, y):
            areas = [
                roc_auc_score(
                    y[test],
                    LogisticRegression()
                    .fit(X[train][:, half], y[train])
                    .decision_function(X[test][:, half]),
                )
                for half in (slice(0, 5), slice(5, 10))
            ]
            differences.append(areas[0] - areas[1])
        corrected += corrected_t_test(differences, 1 / n_splits).p_value < ALPHA
        plain += float(stats.ttest_1samp(differences, 0).pvalue) < ALPHA
    return int(corrected), int(plain)


def main() -> None:
    n_studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{n_studies} A/A studies of 200 rows; allowed: {ALPHA:.0%}")
    for n_splits in (5, 10):
        corrected, plain = count_alarms(n_studies, n_splits=n_splits)
        rates = [f"{wilson(k, n_studies):.3f}" for k in (corrected, plain)]
        print(f"{n_splits:3} folds: corrected {rates[0]}, plain {rates[1]}", flush=True)


if __name__ == "__main__":
    main()
