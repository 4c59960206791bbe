"""Ways to combine predictions: each learns from predictions and labels, and predicts anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy import optimize
from sklearn.linear_model import LogisticRegression, Ridge

from lib.errors import InputError, suggest

Floats = npt.NDArray[np.float64]
Score = Callable[[Floats, Floats], float]
SMALLEST = 1e-6  # a probability; a certain one could not be taken back
LEAST_WEIGHT = 0.005
N_BAGS = 10
N_ROUNDS = 15  # picks of a bag
BAG_SHARE = 0.5  # of the members that a bag sees


class Combiner(Protocol):
    """What every way to combine can do.

    `members` are predictions of shape (n_members, n_rows, n_classes) for probabilities, or
    (n_members, n_rows) for values.
    """

    def fit(self, members: Floats, y: Floats) -> Self:
        """Learn from predictions of rows whose labels are known."""
        ...

    def predict(self, members: Floats) -> Floats:
        """Return combined predictions of shape (n_rows, n_classes) or (n_rows,)."""
        ...


@dataclass
class Voting:
    """The plain mean of the members: nothing is learned, so nothing can be overfitted."""

    def fit(self, members: Floats, y: Floats) -> Self:
        """Learn nothing."""
        del members, y
        return self

    def predict(self, members: Floats) -> Floats:
        """Return the mean."""
        return np.asarray(members.mean(axis=0))


@dataclass
class Weighted:
    """A mean with weights from 0 to 1 that add up to 1, chosen for the least loss [1]_.

    The loss is log loss for probabilities and squared error for values. It has one minimum, which
    few rows already place well.

    References
    ----------
    .. [1] L. Breiman (1996). Stacked regressions. Machine Learning 24:49.

    Examples
    --------
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> members = np.stack([y + 0.1, np.zeros(4)])
    >>> Weighted().fit(members, y).weights.round(1).tolist()
    [1.0, 0.0]
    """

    weights: Floats = field(default_factory=lambda: np.empty(0))

    def fit(self, members: Floats, y: Floats) -> Self:
        """Choose the weights."""
        self.weights = _pool_log_loss(members, y) if members.ndim == 3 else _nnls(members, y)
        return self

    def predict(self, members: Floats) -> Floats:
        """Return the weighted mean."""
        return np.tensordot(self.weights, members, axes=1)


def _nnls(members: Floats, y: Floats) -> Floats:
    """Return the weights of least squares among those that are positive and add up to one."""
    design, wanted = members.T, y
    scale = max(float(np.abs(y).max()), 1.0) * np.sqrt(len(y)) * 1e3
    design = np.vstack([design, np.full(len(members), scale)])  # a heavy row: their sum is one
    weights, _ = optimize.nnls(design, np.append(wanted, scale))
    return _normalised(weights)


def _pool_log_loss(members: Floats, y: Floats, *, n_steps: int = 500) -> Floats:
    """Return the weights of least log loss, by expectation and maximisation: each step improves."""
    rows = np.arange(members.shape[1])
    right = np.clip(members[:, rows, y.astype(int)], SMALLEST, None)  # (n_members, n_rows)
    weights = np.full(len(members), 1 / len(members))
    for _ in range(n_steps):
        shares = weights[:, np.newaxis] * right
        new = (shares / shares.sum(axis=0)).mean(axis=1)
        moved = float(np.abs(new - weights).max())
        weights = new
        if moved < 1e-7:
            break
    return _normalised(weights)


def _normalised(weights: Floats) -> Floats:
    """Return weights that add up to one; a member with next to none would cost and add nothing."""
    total = float(weights.sum())
    if total <= 0:
        return np.full(len(weights), 1 / len(weights))
    kept = np.where(weights / total < LEAST_WEIGHT, 0.0, weights)
    return np.asarray(kept / kept.sum())


@dataclass
class Stacking:
    """A model on top of the members' predictions [1]_: it may shift and stretch them too.

    Logistic regression on the logarithms of the probabilities, ridge regression on values; both
    shrink towards small coefficients, as members say nearly the same.

    References
    ----------
    .. [1] D. H. Wolpert (1992). Stacked generalization. Neural Networks 5:241.
    """

    penalty: float = 1.0
    model: LogisticRegression | Ridge | None = None
    n_classes: int = 0
    _scale: tuple[Floats, Floats] = (np.empty(0), np.empty(0))

    def fit(self, members: Floats, y: Floats) -> Self:
        """Fit the model on top."""
        columns = self._columns(members)
        spread = columns.std(axis=0)
        self._scale = (columns.mean(axis=0), np.where(spread > 0, spread, 1.0))
        if members.ndim == 3:
            self.n_classes = members.shape[2]
            self.model = LogisticRegression(C=1 / self.penalty, max_iter=2_000, tol=1e-8)
            self.model.fit(self._scaled(columns), y.astype(int))
        else:
            self.model = Ridge(alpha=self.penalty).fit(self._scaled(columns), y)
        return self

    def predict(self, members: Floats) -> Floats:
        """Return what the model on top makes of the members."""
        if self.model is None:
            raise InputError("Fit the stack before it predicts.")
        columns = self._scaled(self._columns(members))
        if members.ndim == 2:
            return np.asarray(self.model.predict(columns))
        proba = np.zeros((len(columns), self.n_classes))
        proba[:, self.model.classes_] = self.model.predict_proba(columns)
        return proba

    def _scaled(self, columns: Floats) -> Floats:
        return (columns - self._scale[0]) / self._scale[1]

    @staticmethod
    def _columns(members: Floats) -> Floats:
        """Return one column a member, or a member and class: (n_rows, n_columns)."""
        if members.ndim == 2:
            return np.asarray(members.T)
        logs = np.log(np.clip(members, SMALLEST, 1.0))
        logs = logs - logs.mean(axis=2, keepdims=True)
        logs = logs[:, :, 1:] if members.shape[2] == 2 else logs  # one class mirrors the other
        return np.asarray(np.moveaxis(logs, 1, 0).reshape(members.shape[1], -1))


@dataclass
class Greedy:
    """Picks one member after another, whichever helps the mean most; a member may return [1]_.

    Bags of members are searched apart and averaged, against a lucky first pick.

    References
    ----------
    .. [1] R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes (2004). Ensemble selection from
       libraries of models. ICML.

    Examples
    --------
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> members = np.stack([y + 0.2, y - 0.2, np.zeros(4)])
    >>> squared = lambda y, prediction: -float(((y - prediction) ** 2).mean())
    >>> Greedy(squared).fit(members, y).weights.round(1).tolist()
    [0.5, 0.5, 0.0]
    """

    score: Score
    random_state: int = 0
    weights: Floats = field(default_factory=lambda: np.empty(0))

    def fit(self, members: Floats, y: Floats) -> Self:
        """Pick members; the weights are their shares of all picks."""
        rng = np.random.default_rng(self.random_state)
        n_members = len(members)
        n_seen = max(2, round(BAG_SHARE * n_members))
        if n_members <= 3:  # bags of two out of three would only leave out the best
            bags = [np.arange(n_members)]
        else:
            bags = [np.sort(rng.permutation(n_members)[:n_seen]) for _ in range(N_BAGS)]
        picks = np.zeros(n_members)
        for bag in bags:
            picks += self._pick(members, y, bag)
        self.weights = picks / picks.sum()
        return self

    def _pick(self, members: Floats, y: Floats, bag: npt.NDArray[np.intp]) -> Floats:
        """Return the shares of the members of one bag, at the round with the best mean."""
        picks = np.zeros(len(members))
        total = np.zeros(members.shape[1:])
        best, kept = -np.inf, picks
        for n_picked in range(1, N_ROUNDS + 1):
            scores = [self.score(y, (total + members[i]) / n_picked) for i in bag]
            chosen = bag[int(np.argmax(scores))]
            total = total + members[chosen]
            picks[chosen] += 1
            if max(scores) > best + 1e-12:
                best, kept = max(scores), picks / n_picked
        return np.asarray(kept)

    def predict(self, members: Floats) -> Floats:
        """Return the weighted mean."""
        return np.tensordot(self.weights, members, axes=1)


METHODS = ("voting", "weighted", "stacking", "greedy")


def make_combiner(method: str, *, score: Score, random_state: int = 0) -> Combiner:
    """Return an unfitted way to combine.

    Parameters
    ----------
    method : {"voting", "weighted", "stacking", "greedy"}
        By its name in tables.
    score : callable
        Takes labels and predictions; higher is better. Greedy selection maximises it.
    random_state : int
        Seed of the bags of greedy selection.

    Returns
    -------
    Combiner
        Fit it on predictions of rows that the members did not learn from.

    Raises
    ------
    InputError
        When the method is unknown.

    Examples
    --------
    >>> make_combiner("voting", score=lambda y, p: 0.0).predict(np.array([[1.0], [3.0]])).tolist()
    [2.0]
    """
    if method == "voting":
        return Voting()
    if method == "weighted":
        return Weighted()
    if method == "stacking":
        return Stacking()
    if method == "greedy":
        return Greedy(score, random_state=random_state)
    msg = f"method must be one of {', '.join(METHODS)}; got '{method}'.{suggest(method, METHODS)}"
    raise InputError(msg)
