"""Whether test rows look like training rows: column by column, and all columns together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.checks import Check, Severity
from lib.estimates import Estimate, bootstrap, delong, format_p
from lib.quality.answers import clean, found, not_applicable, settle
from lib.quality.table import MAX_STUDIED, Codes, Floats, Table
from lib.statistics import as_frame, compare_samples, numbers_of

MIN_ROWS = 50  # of each part
NOTABLE_AUC = 0.55
LEVEL = 0.99  # an interval of its own: a false alarm here would be one in a hundred tables
N_FOLDS = 4


def compute_drift_score(table: Table) -> Estimate | None:
    """Return how well test rows are told from training rows by their features: an AUC.

    A small boosting model is cross-validated; 0.5 is chance. Groups stay together in folds, and
    their rows count as one in the interval. The column of time is left out of a split by time,
    where it would win trivially.

    Parameters
    ----------
    table : Table
        Of a whole dataset.

    Returns
    -------
    Estimate or None
        None when a part has fewer than 50 rows.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import load_data
    >>> from lib.quality import open_table
    >>> score = compute_drift_score(open_table(load_data("diabetes"), load_config()))
    >>> score.low < 0.5 < score.high
    True
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - half a second
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # noqa: PLC0415

    features, is_test, owner = _both_parts(table)
    if min(is_test.sum(), (~is_test).sum()) < MIN_ROWS or not features.shape[1]:
        return None
    seed = table.config.seed
    kind = StratifiedKFold if owner is None else StratifiedGroupKFold
    folds = kind(N_FOLDS, shuffle=True, random_state=seed)
    scores = np.zeros(len(features))
    for train, held in folds.split(features, is_test, owner):
        model = HistGradientBoostingClassifier(
            max_iter=40, max_depth=4, learning_rate=0.15, max_bins=64, early_stopping=False,
            random_state=seed,
        )  # fmt: skip
        model.fit(features[train], is_test[train])
        scores[held] = model.predict_proba(features[held])[:, 1]
        scores[held] = np.argsort(np.argsort(scores[held], kind="stable")) / len(held)
    if owner is None:
        return delong(is_test, scores, level=LEVEL)
    return bootstrap(
        _auc, is_test.astype(float), scores, n_resamples=min(table.config.budget.n_resamples, 200),
        groups=owner, random_state=seed, method="percentile", level=LEVEL,
    )  # fmt: skip


def _auc(is_test: Floats, scores: Floats) -> float:
    ranks = pd.Series(scores).rank().to_numpy()
    n_test = is_test.sum()
    n_pairs = n_test * (len(is_test) - n_test)
    return float((ranks[is_test > 0.5].sum() - n_test * (n_test + 1) / 2) / n_pairs)


def _both_parts(table: Table) -> tuple[Floats, np.ndarray, Codes | None]:
    """Return features of sampled rows as numbers, which are test rows, and their groups."""
    dataset = table.dataset
    rng = np.random.default_rng(table.config.seed)
    parts = []
    for positions in (dataset.split.train, dataset.split.test):
        n_rows = min(len(positions), table.config.budget.max_rows // 2, 10_000)
        parts.append(np.sort(rng.choice(positions, n_rows, replace=False)))
    rows = np.concatenate(parts)
    is_test = np.arange(len(rows)) >= len(parts[0])
    X = dataset.X.iloc[rows]
    names = [name for name in X if dataset.labels.get(str(name), name) != _clock(table)]
    columns = [_as_numbers(X[name]) for name in names]
    owner = None if dataset.groups is None else pd.factorize(dataset.groups.iloc[rows])[0]
    matrix = np.column_stack(columns) if columns else np.zeros((len(rows), 0))
    return matrix, is_test, None if owner is None else owner.astype(np.int64)


def _sampled(table: Table, n_rows: int) -> Codes:
    """Return the positions that a part is compared by: all, or some drawn at random."""
    if n_rows <= MAX_STUDIED:
        return np.arange(n_rows)
    rng = np.random.default_rng(table.config.seed)
    return np.sort(rng.choice(n_rows, MAX_STUDIED, replace=False))


def _clock(table: Table) -> str:
    """Return the column of time of a split by time."""
    dataset = table.dataset
    is_by_time = dataset.time is not None and "by " in dataset.split.rule
    return str(dataset.time.name) if is_by_time and dataset.time is not None else ""


def _as_numbers(column: pd.Series) -> Floats:
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy().astype(float)
        return np.where(codes < 0, np.nan, codes)
    if column.dtype == "str":
        return np.asarray(column.str.len().to_numpy(dtype=float, na_value=np.nan))
    return numbers_of(column)


def check_parts_together(table: Table) -> list[Check]:
    """Q19: whether a model tells test rows from training rows."""
    if table.dataset.part != "all":
        return [not_applicable("Q19", "this part of a table has no test rows of its own")]
    score = compute_drift_score(table)
    if score is None:
        return [not_applicable("Q19", f"needs {MIN_ROWS} training and {MIN_ROWS} test rows")]
    if score.low <= 0.5 or score.value < NOTABLE_AUC:
        return [clean("Q19")]
    severity, meaning = _meaning(table)
    evidence = f"a model tells test rows from training rows: AUC {score:.2f}; {meaning}"
    return [found("Q19", severity, "", evidence, _ADVICE, value=score)]


_ADVICE = "look which columns drift (Q20); a score on the test rows says how a model ages"


_EXPECTED = "mind that a model meets other values in the test rows than it learned from"


def _meaning(table: Table) -> tuple[Severity, str]:
    if table.dataset.time is not None and "by " in table.dataset.split.rule:
        return "note", "expected of a split by time"
    if table.dataset.groups is not None:
        return "note", "whole groups were split, which differ"
    return "warning", "not expected of a split at random"


def check_parts_apart(table: Table) -> list[Check]:
    """Q20: columns whose distribution differs between training and test rows."""
    if table.dataset.part != "all":
        return [not_applicable("Q20", "this part of a table has no test rows of its own")]
    own = table.dataset.labels
    rows, test_rows = _sampled(table, len(table)), _sampled(table, len(table.dataset.split.test))
    train = as_frame(table.train.X.iloc[rows].rename(columns=own))
    test = as_frame(table.dataset.test_features.iloc[test_rows].rename(columns=own))
    groups = None if table.train.groups is None else table.train.groups.iloc[rows]
    drift = compare_samples(train, test, groups=groups, alpha=0.01)
    shifted = drift[(drift["verdict"] == "shifted") & (drift["column"] != _clock(table))]
    severity, meaning = _meaning(table)
    if len(rows) < len(table):
        meaning += f" (studied on {len(rows):,} and {len(test_rows):,} rows drawn at random)"
    if severity == "note" and len(shifted) > 1:  # expected: one line is enough
        listed = ", ".join(f"'{row.column}' {row.psi:.2f}" for row in shifted.head(8).itertuples())
        more = f" and {len(shifted) - 8:,} more" if len(shifted) > 8 else ""
        evidence = (
            f"{len(shifted):,} columns differ by their stability index (notable from 0.1): "
            f"{listed}{more}; {meaning}"
        )
        return [found("Q20", severity, "", evidence, _EXPECTED)]
    answers = []
    for row in shifted.head(10).itertuples():
        evidence = (
            f"stability index {row.psi:.2f} (notable from 0.1), {row.measure} distance "
            f"{row.distance:.2f}, q {format_p(float(row.q))}; {meaning}"
        )
        advice = "ask why; a model that leans on it will meet other values than it learned from"
        answers.append(found("Q20", severity, str(row.column), evidence, advice))
    return settle("Q20", answers)
