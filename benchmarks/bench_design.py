"""How often A/A comparisons raise a false alarm: python benchmarks/bench_design.py [STUDIES].

Each study draws a new table whose two halves of columns carry the same signal. Two regressions, one
a half, are then equally good by construction, and every difference that a test claims is a false
alarm. The corrected t-test of the project stands beside the plain one: for models that are stable,
and for models with nearly as many coefficients as rows, whose luck of the training rows counts.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
from scipy import stats
from threadpoolctl import threadpool_limits

from lib.estimates import corrected_t_test, wilson

ALPHA = 0.05
SETTINGS = {"stable": (100, 5), "unstable": (60, 20)}  # rows, columns of each half


def squared_error(
    X: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    train: npt.NDArray[np.intp],
    test: npt.NDArray[np.intp],
) -> float:
    """Return the mean squared error of least squares on the test rows."""
    columns = np.column_stack([np.ones(len(X)), X])
    coefficients = np.linalg.lstsq(columns[train], y[train], rcond=None)[0]
    return float(np.mean((y[test] - columns[test] @ coefficients) ** 2))


def count_alarms(
    n_studies: int, *, n_rows: int, n_columns: int, n_splits: int = 5, random_state: int = 0
) -> tuple[int, int]:
    """Return in how many A/A studies the corrected and the plain t-test claim a difference."""
    rng = np.random.default_rng(random_state)
    corrected = plain = 0
    with threadpool_limits(1):
        for _ in range(n_studies):
            X = rng.normal(size=(n_rows, 2 * n_columns))
            y = X.sum(axis=1) / np.sqrt(n_columns) + rng.normal(size=n_rows)
            order = rng.permutation(n_rows)
            differences = []
            for fold in range(n_splits):
                test = order[fold::n_splits]
                train = np.setdiff1d(order, test)
                first = squared_error(X[:, :n_columns], y, train, test)
                differences.append(squared_error(X[:, n_columns:], y, train, test) - first)
            corrected += corrected_t_test(differences, 1 / n_splits).p_value < ALPHA
            plain += float(stats.ttest_1samp(differences, 0).pvalue) < ALPHA
    return int(corrected), int(plain)


def main() -> None:
    n_studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{n_studies} A/A studies each; {ALPHA:.0%} false alarms are allowed")
    for name, (n_rows, n_columns) in SETTINGS.items():
        for n_splits in (5, 10):
            counts = count_alarms(n_studies, n_rows=n_rows, n_columns=n_columns, n_splits=n_splits)
            corrected, plain = (f"{wilson(k, n_studies):.3f}" for k in counts)
            print(f"{name:8} {n_splits:3} folds: corrected {corrected}, plain {plain}", flush=True)


if __name__ == "__main__":
    main()
