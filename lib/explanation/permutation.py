"""What the score loses when a column, or a cluster of correlated ones, is shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from lib.errors import InputError
from lib.estimates import corrected_t_test, holm
from lib.evaluation import scorers
from lib.explanation.coding import Floats
from lib.explanation.fitted import FoldModel, FoldModels, own_names
from lib.explanation.shapley import rank_order
from lib.statistics import compute_associations

Cluster = tuple[int, ...]
Bools = npt.NDArray[np.bool_]
THRESHOLD = 0.7  # association from which on columns share a cluster
MATTERS, NO_SIGN, UNUSED = "matters", "no sign", "not used"
IMPORTANCE_COLUMNS = ["what", "importance", "mean", "std", "p", "p_holm", "verdict", "positions"]


@dataclass(frozen=True, eq=False)
class PermutationImportance:
    """Losses of score over folds and seeds.

    Attributes
    ----------
    columns : DataFrame
        One row a column: what (own name), importance (Estimate of the loss over folds), mean and
        std (over folds), p (one-sided, corrected for shared training rows), p_holm, verdict
        ("matters", "no sign", "not used"), positions (tuple of int). Largest first.
    clusters : DataFrame
        The same of clusters of correlated columns, shuffled together; what lists the members.
        A column without kin is a cluster of its own.
    by_fold : DataFrame
        Index (fold, seed), one column a column of the table: the loss.
    scoring : str
        The metric.
    """

    columns: pd.DataFrame
    clusters: pd.DataFrame
    by_fold: pd.DataFrame
    scoring: str

    @property
    def n_matter(self) -> int:
        """How many columns cost score beyond chance."""
        return int((self.columns["verdict"] == MATTERS).sum())

    @property
    def n_clusters_matter(self) -> int:
        """How many clusters cost score beyond chance."""
        return int((self.clusters["verdict"] == MATTERS).sum())


def cluster_columns(X: pd.DataFrame, *, threshold: float = THRESHOLD) -> list[Cluster]:
    """Return clusters of columns that say much the same.

    Association is Spearman's correlation, bias-corrected Cramér's V or the correlation ratio, as
    kinds ask. Clusters are merged while the average association between them is at least
    `threshold` (average linkage).

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        With distinct names; free text and constants stay alone.
    threshold : float
        From 0 to 1.

    Returns
    -------
    list of tuple of int
        Positions of the columns, every column once, in the order of the table.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> cluster_columns(pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 0] + 0.01 * x[:, 1]}))
    [(0, 2), (1,)]
    """
    n_columns = X.shape[1]
    if n_columns < 2:
        return [(i,) for i in range(n_columns)]
    names = [str(i) for i in range(n_columns)]
    pairs = compute_associations(X.set_axis(names, axis=1))
    distance = np.ones((n_columns, n_columns))
    np.fill_diagonal(distance, 0.0)
    for pair in pairs.itertuples():
        i, j = int(str(pair.first)), int(str(pair.second))
        value = float(np.nan_to_num(abs(float(str(pair.value)))))
        distance[i, j] = distance[j, i] = round(max(1 - value, 0.0), 9)
    tree = hierarchy.linkage(squareform(distance), "average")
    labels = hierarchy.fcluster(tree, 1 - threshold + 1e-9, "distance")
    members: dict[int, list[int]] = {}
    for position, label in enumerate(labels):
        members.setdefault(int(label), []).append(position)
    return sorted(tuple(cluster) for cluster in members.values())


def permute_out_of_fold(
    models: FoldModels,
    clusters: Sequence[Cluster],
    *,
    scoring: str,
    n_repeats: int = 3,
    max_rows: int = 4_000,
    random_state: int = 0,
    level: float = 0.95,
) -> PermutationImportance:
    """Return how much score is lost on rows not trained on when columns are shuffled [1]_.

    A column and its near copy stand in for each other: shuffle one, and the model still has the
    other, so both look useless. Therefore correlated columns are also shuffled together.

    The loss of each fold is a mean over shuffles; the mean over folds is tested with Nadeau and
    Bengio's correction, one-sided, adjusted by Holm over the columns and over the clusters.

    Parameters
    ----------
    models : FoldModels
        From `fit_folds`.
    clusters : sequence of tuple of int
        From `cluster_columns`.
    scoring : str
        A metric of the task; higher is better.
    n_repeats : int
        Shuffles of each column on each fold, one for later seeds.
    max_rows : int
        Rows of a fold that are scored at most.
    random_state : int
        Seed of the shuffles.
    level : float
        Of the intervals; one minus it is the level of the tests.

    Returns
    -------
    PermutationImportance

    References
    ----------
    .. [1] L. Breiman (2001). Random Forests. Machine Learning 45:5. Scored out of fold, as
       A. Fisher, C. Rudin, F. Dominici (2019), JMLR 20(177), advise.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from lib.data import make_planted
    >>> from lib.explanation import fit_folds, make_rounds
    >>> dataset = make_planted(300, task="regression", n_informative=1, n_noise=1, n_categories=0)
    >>> fitted = fit_folds(LinearRegression(), dataset, make_rounds(dataset))
    >>> found = permute_out_of_fold(fitted, [(0,), (1,)], scoring="r2")
    >>> found.columns[["what", "verdict"]].values.tolist()
    [['signal_1', 'matters'], ['noise_1', 'no sign']]
    """
    dataset = models.dataset
    n_columns = len(dataset.X.columns)
    singles = [(i,) for i in range(n_columns)]
    several = [cluster for cluster in clusters if len(cluster) > 1]
    rng = np.random.default_rng(random_state)
    rows, keys = [], []
    for one in models.models:
        asked = [*singles, *several] if one.seed == 0 else singles
        repeats = n_repeats if one.seed == 0 else 1
        loss = _losses(
            one, models, asked, scoring=scoring, n_repeats=repeats, max_rows=max_rows, rng=rng
        )
        if loss is not None:
            rows.append([*loss, *[np.nan] * (n_columns + len(several) - len(loss))])
            keys.append((one.fold, one.seed))
    if not rows:
        msg = f"{scorers(dataset.task)[scoring].label} has no value on any fold: use more rows."
        raise InputError(msg)
    index = pd.MultiIndex.from_tuples(keys, names=["fold", "seed"])
    table = pd.DataFrame(rows, index=index)
    first = table[index.get_level_values("seed") == 0].to_numpy()
    fraction = models.folds.test_fraction
    names = own_names(dataset)
    lone = [cluster[0] for cluster in clusters if len(cluster) == 1]
    of_clusters = np.column_stack([first[:, n_columns:], first[:, lone]])
    named = [*several, *[(i,) for i in lone]]
    used = np.any([_used(one) for one in models], axis=0)
    return PermutationImportance(
        columns=_tabulate(
            first[:, :n_columns], singles, names, fraction=fraction, level=level, used=used
        ),
        clusters=_tabulate(of_clusters, named, names, fraction=fraction, level=level, used=used),
        by_fold=table.iloc[:, :n_columns].set_axis(models.columns, axis=1),
        scoring=scoring,
    )


def _used(one: FoldModel) -> Bools:
    """Return for each column whether the model looks at it at all."""
    splits = one.model.builtin.get("splits")
    n_columns = len(one.model.columns)
    if splits is not None:
        return np.asarray(splits > 0)
    owned = np.zeros(n_columns, dtype=bool)
    owned[one.model.owners] = True
    return owned


def _losses(
    one: FoldModel,
    models: FoldModels,
    asked: Sequence[Cluster],
    *,
    scoring: str,
    n_repeats: int,
    max_rows: int,
    rng: np.random.Generator,
) -> list[float] | None:
    dataset = models.dataset
    places = np.arange(len(one.test))
    if len(places) > max_rows:
        places = np.sort(rng.permutation(places)[:max_rows])
    matrix, y = one.matrix[places], dataset.y.to_numpy()[one.test[places]]
    weight = dataset.sample_weight
    weights = None if weight is None else weight.to_numpy()[one.test[places]]
    compute = scorers(dataset.task)[scoring].compute
    whole = compute(y, one.model.predict(matrix), weights)
    shuffles = [rng.permutation(len(places)) for _ in range(n_repeats)]
    if not np.isfinite(whole):
        return None
    used, losses = _used(one), []
    for cluster in asked:
        cells = one.model.cells_of([i for i in cluster if used[i]])
        if not len(cells):
            losses.append(0.0)
            continue
        scores = []
        for shuffle in shuffles:
            changed = matrix.copy()
            changed[:, cells] = matrix[np.ix_(shuffle, cells)]
            scores.append(compute(y, one.model.predict(changed), weights))
        losses.append(whole - float(np.mean(scores)))
    return losses


def _tabulate(
    losses: Floats,
    clusters: Sequence[Cluster],
    names: Sequence[str],
    *,
    fraction: float,
    level: float,
    used: Bools,
) -> pd.DataFrame:
    rows = []
    for loss, cluster in zip(losses.T, clusters, strict=True):
        test = corrected_t_test(loss, fraction, level=level)
        p = float(stats.t.sf(test.statistic, len(loss) - 1)) if len(loss) > 1 else np.nan
        std = float(loss.std(ddof=1)) if len(loss) > 1 else np.nan
        what = " + ".join(names[i] for i in cluster)
        rows.append((what, test.difference, test.difference.value, std, p, np.nan, "", cluster))
    table = pd.DataFrame(rows, columns=IMPORTANCE_COLUMNS)
    table["p_holm"] = holm(table["p"])
    table["verdict"] = [
        UNUSED if not any(used[i] for i in cluster) else MATTERS if p < 1 - level else NO_SIGN
        for cluster, p in zip(clusters, table["p_holm"], strict=True)
    ]
    order = rank_order(table["mean"].to_numpy(dtype=float))
    return table.iloc[order].reset_index(drop=True)
