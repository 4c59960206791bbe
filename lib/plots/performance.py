"""What predictions are worth, drawn from truth and predictions alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lib.errors import InputError
from lib.estimates import wilson
from lib.plots.panels import compact, percent, percent_axis
from lib.plots.style import BLUE, GREY, ORANGE, figure_title, legend_below, say, set_title
from lib.plots.text import fit, of_many, short_labels, shorten

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[Any]
Task = Literal["binary", "multiclass", "regression"]
MAX_CLASSES = 15
MAX_CURVES = 6
MAX_POINTS = 5_000
MAX_INTEGER_CLASSES = 30  # more distinct whole numbers than this are amounts, not classes
N_BINS = 10


def plot_model_performance(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    y_proba: npt.ArrayLike | None = None,
    *,
    task: Task | None = None,
    classes: Sequence[object] | None = None,
) -> Figure:
    """Draw how good predictions are, as the task asks.

    Binary: confusion matrix, ROC and precision-recall curve, calibration. Multiclass: confusion
    matrix as shares of the true class, precision and recall of each class, ROC of each class
    against the rest. Regression: predicted against actual, residuals. Feature importances belong
    to a model and some data, not to predictions: `explanation` has them.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels, codes or numbers.
    y_pred : array-like of shape (n,)
        Likewise.
    y_proba : array-like of shape (n,) or (n, n_classes), optional
        Probability of the second class, or of each in sorted order; without it curves are left
        out.
    task : {"binary", "multiclass", "regression"}, optional
        Inferred otherwise: numbers with decimals, or more than 30 whole ones, are a regression.
    classes : sequence, optional
        All classes in the order of the columns of `y_proba`; those that occur otherwise.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        When the lengths differ, there is no row, a value is missing or not finite, labels are not
        among the classes, or `y_proba` holds no probabilities of these classes.

    Examples
    --------
    >>> figure = plot_model_performance([0, 1, 1, 0], [0, 1, 0, 0])
    >>> figure.axes[0].get_title()
    'Confusion: 75 % right'
    """
    truth, guess = np.asarray(y_true).ravel(), np.asarray(y_pred).ravel()
    proba = None if y_proba is None else _numbers(np.asarray(y_proba), "y_proba")
    if (
        len(truth) != len(guess)
        or (proba is not None and len(proba) != len(truth))
        or not len(truth)
    ):
        lengths = f"{len(truth)}, {len(guess)}" + (f", {len(proba)}" if proba is not None else "")
        msg = f"y_true, y_pred and y_proba must have the same rows, at least one; got {lengths}."
        raise InputError(f"{msg} Predict the rows whose truth you pass.")
    _check_known(truth, guess)
    labels = _labels(truth, guess, classes)
    task = task or _infer_task(truth, guess, labels, has_proba=proba is not None)
    if task == "regression":
        return _draw_regression(_numbers(truth, "y_true"), _numbers(guess, "y_pred"))
    if proba is not None:
        _check_probabilities(proba, len(labels))
    codes = {label: code for code, label in enumerate(labels)}
    true_codes = np.array([codes[label] for label in truth.tolist()])
    guess_codes = np.array([codes[label] for label in guess.tolist()])
    if len(labels) <= 2:
        positive = proba[:, -1] if proba is not None and proba.ndim == 2 else proba
        return _draw_binary(true_codes, guess_codes, positive, labels)
    return _draw_multiclass(true_codes, guess_codes, proba, labels)


def _check_known(truth: Values, guess: Values) -> None:
    for name, part in (("y_true", truth), ("y_pred", guess)):
        n_missing = int(pd.isna(part).sum())
        if n_missing:
            msg = f"{name} must have a value in every row; {n_missing:,} of {len(part):,} have none"
            raise InputError(f"{msg}: leave these rows out of all arguments.")


def _numbers(part: Values, name: str) -> Floats:
    try:
        numbers = part.astype(float)
    except (TypeError, ValueError):
        msg = f"{name} must hold numbers, got {shorten(part.ravel()[0])!r}: give task='multiclass'"
        raise InputError(f"{msg} or 'binary' for labels.") from None
    n_bad = int((~np.isfinite(numbers)).sum())
    if n_bad:
        msg = f"{name} must hold finite numbers; {n_bad:,} of {numbers.size:,} are not"
        raise InputError(f"{msg}: leave these rows out of all arguments.")
    return numbers


def _check_probabilities(proba: Floats, n_classes: int) -> None:
    low, high = float(proba.min()), float(proba.max())
    if low < -1e-6 or high > 1 + 1e-6:
        msg = f"y_proba must hold probabilities from 0 to 1, got {low:.4g} to {high:.4g}"
        raise InputError(f"{msg}: pass what predict_proba returns.")
    n_columns = 1 if proba.ndim == 1 else proba.shape[1]
    expected = {1, 2} if n_classes <= 2 else {n_classes}
    if n_columns not in expected:
        msg = f"y_proba must have a column for each of the {n_classes} classes, got {n_columns}"
        raise InputError(f"{msg}: name all classes in the order of the columns by `classes`.")


def _labels(truth: Values, guess: Values, classes: Sequence[object] | None) -> list[object]:
    found = {*truth.tolist(), *guess.tolist()}
    kinds = {"text" if isinstance(label, str) else "numbers" for label in found}
    if len(kinds) > 1:
        msg = "y_true and y_pred must hold labels of one kind, got text and numbers"
        raise InputError(f"{msg}: convert one of them.")
    if classes is None:
        return sorted(found, key=lambda label: (str(type(label)), label))
    known = list(np.asarray(classes).tolist())
    unknown = found - set(known)
    if unknown:
        given = short_labels(known[:MAX_CLASSES], 18)
        msg = f"Labels {sorted(map(shorten, unknown))[:5]} are not among the classes {given}."
        raise InputError(f"{msg} Give all classes, or labels of the same kind.")
    return known


def _infer_task(truth: Values, guess: Values, labels: list[object], *, has_proba: bool) -> Task:
    is_number = all(np.issubdtype(part.dtype, np.number) for part in (truth, guess))
    if is_number and not has_proba:
        both = np.concatenate([truth, guess]).astype(float)
        if len(labels) > MAX_INTEGER_CLASSES or not np.all(both == np.round(both)):
            return "regression"
    return "binary" if len(labels) <= 2 else "multiclass"


def _draw_binary(y: Values, guess: Values, proba: Floats | None, labels: list[object]) -> Figure:
    names = short_labels([*labels, "(other)"][:2], 18, inches=1.4)
    n_panels = 1 if proba is None else 4
    shape = (1, 1) if proba is None else (2, 2)
    figure, grid = plt.subplots(
        *shape, figsize=(5.5 * shape[1], 4.4 * shape[0]), squeeze=False, layout="constrained"
    )
    axes = list(grid.flat)[:n_panels]
    draw_confusion(axes[0], y, guess, names, n_classes=2, right=(y == guess).mean())
    if proba is not None:
        _draw_roc(axes[1], [(y == 1, proba, "")])
        _draw_precision_recall(axes[2], y == 1, proba)
        _draw_calibration(axes[3], y == 1, proba, names[1])
    figure_title(figure, f"How well is '{names[1]}' told from '{names[0]}' on {len(y):,} rows?")
    return figure


def _draw_multiclass(
    y: Values, guess: Values, proba: Floats | None, labels: list[object]
) -> Figure:
    kept, names = _frequent_classes(y, labels)
    lookup = np.full(len(labels), len(kept))
    lookup[kept] = np.arange(len(kept))
    n_panels = 2 if proba is None else 3
    figure, grid = plt.subplots(
        1, n_panels, figsize=(5.4 * n_panels, 5.2), squeeze=False, layout="constrained"
    )
    axes = list(grid.flat)
    draw_confusion(
        axes[0], lookup[y], lookup[guess], names, n_classes=len(names), right=(y == guess).mean()
    )
    _draw_class_scores(axes[1], lookup[y], lookup[guess], names[: len(kept)])
    if proba is not None:
        shown = [(int(code), name) for code, name in zip(kept, names, strict=False)][:MAX_CURVES]
        curves = [(y == code, proba[:, code], name) for code, name in shown]
        _draw_roc(axes[2], curves, n_classes=len(labels))
    left_out = of_many(len(kept), len(labels), "classes drawn, the most frequent")
    figure_title(
        figure, f"How well are {len(labels):,} classes told apart on {len(y):,} rows?", left_out
    )
    return figure


def _frequent_classes(y: Values, labels: list[object]) -> tuple[npt.NDArray[np.intp], list[str]]:
    if len(labels) <= MAX_CLASSES:
        return np.arange(len(labels)), short_labels(labels, 16, inches=1.3)
    counts = np.bincount(y, minlength=len(labels))
    kept = np.sort(np.argsort(-counts, kind="stable")[: MAX_CLASSES - 1])
    return kept, [*short_labels([labels[i] for i in kept], 16, inches=1.3), "(other)"]


def draw_confusion(
    ax: Axes, y: Values, guess: Values, names: list[str], *, n_classes: int, right: float
) -> None:
    """Draw which class was taken for which, as shares of the true class."""
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, (y, guess), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    size = 10 if n_classes <= 4 else max(7.0, 11 - 0.4 * n_classes)
    is_small = n_classes > 8  # cells hold a number without its sign
    for (row, column), share in np.ndenumerate(shares):
        words = percent(float(share))
        if n_classes <= 4:
            words = f"{counts[row, column]:,.0f}\n{words} of row"
        elif is_small:
            words = f"{share * 100:.0f}"
        color = "white" if share > 0.55 else "#222222"
        if counts[row, column]:
            ax.text(column, row, words, ha="center", va="center", size=size, color=color)
    ax.set_xticks(range(n_classes), names, rotation=0 if n_classes <= 3 else 90)
    ax.set_yticks(range(n_classes), names)
    ax.set(xlabel="predicted" + (", in % of the row" if is_small else ""), ylabel="true")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    set_title(ax, f"Confusion: {percent(float(right))} right")


def _draw_class_scores(ax: Axes, y: Values, guess: Values, names: list[str]) -> None:
    positions = np.arange(len(names))
    for offset, color, label, base in (
        (-0.15, BLUE, "precision", guess),
        (0.15, ORANGE, "recall", y),
    ):
        for code in positions.tolist():
            n = int((base == code).sum())
            if n:
                e = wilson(int(((y == code) & (guess == code)).sum()), n)
                ax.hlines(code + offset, e.low, e.high, color=color, linewidth=2, alpha=0.5)
                ax.scatter(e.value, code + offset, color=color, s=24, zorder=3)
        ax.scatter([], [], color=color, label=label)
    ax.set_yticks(positions, names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set(xlabel="share of rows, with 95 % interval", ylabel="class", xlim=(0, 1.02))
    percent_axis(ax)
    legend_below(ax)
    set_title(ax, "Precision and recall of each class")


def _draw_roc(
    ax: Axes, curves: list[tuple[npt.NDArray[np.bool_], Floats, str]], *, n_classes: int = 2
) -> None:
    from sklearn.metrics import roc_auc_score, roc_curve  # noqa: PLC0415 (slow to import)

    areas = []
    for is_class, score, name in curves:
        if len(np.unique(is_class)) < 2:
            continue
        false_alarms, hits, _ = roc_curve(is_class, score)
        areas.append(float(roc_auc_score(is_class, score)))
        ax.plot(false_alarms, hits, label=f"{name}: {areas[-1]:.3f}" if name else None)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    ax.set_xlabel("false alarms, share of negatives (dashed: chance)")
    ax.set_ylabel("hits, share of positives")
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    if not areas:
        say(ax, "only one class occurs")
        set_title(ax, "ROC: nothing to tell apart")
        return
    if len(curves) > 1:
        legend_below(ax, n_columns=2, title="AUC of each class against the rest")
    title = (
        f"ROC: AUC {areas[0]:.3f}"
        if len(curves) == 1
        else f"ROC of {len(areas)} of {n_classes} classes: AUC {min(areas):.3f} to {max(areas):.3f}"
    )
    set_title(ax, title)


def _draw_precision_recall(ax: Axes, is_positive: npt.NDArray[np.bool_], proba: Floats) -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve  # noqa: PLC0415

    y, score = is_positive, proba
    chance = percent(float(y.mean()))
    ax.set(xlabel=f"recall (dashed: chance, {chance})", ylabel="precision")
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    if len(np.unique(y)) < 2:
        say(ax, "only one class occurs")
        set_title(ax, "Precision and recall: nothing to tell apart")
        return
    precision, recall, _ = precision_recall_curve(y, score)
    ax.step(recall, precision, where="post")
    ax.axhline(y.mean(), color=GREY, linestyle="--", linewidth=1)
    area = float(average_precision_score(y, score))
    set_title(ax, f"Precision and recall: average precision {area:.3f}")


def _draw_calibration(
    ax: Axes, is_positive: npt.NDArray[np.bool_], proba: Floats, name: str
) -> None:
    y, score = is_positive, proba
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    order = np.argsort(score, kind="stable")
    for part in np.array_split(order, min(N_BINS, max(len(order) // 10, 1))):
        if len(part):
            share = wilson(int(y[part].sum()), len(part))
            ax.vlines(score[part].mean(), share.low, share.high, color=BLUE, alpha=0.5, linewidth=2)
            ax.scatter(score[part].mean(), share.value, color=BLUE, s=24, zorder=3)
    ax.set_xlabel(f"predicted probability of {fit(name, 0.9, 10.5)} (dashed: perfect)")
    ax.set_ylabel("rows that are, with 95 % interval")
    reach = float(np.quantile(score, 0.995))
    end = 1.02 if reach > 0.5 else max(reach * 1.3, 0.05)
    ax.set(xlim=(-0.01 * end, end), ylim=(-0.01 * end, end))
    percent_axis(ax)
    percent_axis(ax, "y")
    gap = float(score.mean() - y.mean())
    set_title(ax, f"Calibration: mean prediction {gap * 100:+.1f} points off")


def _draw_regression(y: Floats, guess: Floats) -> Figure:
    residual = guess - y
    shown = np.linspace(0, len(y) - 1, min(len(y), MAX_POINTS)).astype(int)
    alpha = 0.6 if len(shown) < 2_000 else 0.3
    figure, axes = plt.subplots(1, 3, figsize=(14.0, 4.6), layout="constrained")
    ends = [min(y.min(), guess.min()), max(y.max(), guess.max())]
    axes[0].plot(ends, ends, color=GREY, linestyle="--", linewidth=1)
    axes[0].scatter(y[shown], guess[shown], s=12, alpha=alpha, linewidths=0)
    axes[0].set(xlabel="actual (dashed: perfect)", ylabel="predicted")
    r2 = _r2(y, guess)
    fit_words = f"R² {r2:.3f}" if np.isfinite(r2) else "the truth is constant"
    set_title(axes[0], f"Predicted against actual: {fit_words}")
    axes[1].axhline(0, color=GREY, linestyle="--", linewidth=1)
    axes[1].scatter(guess[shown], residual[shown], s=12, alpha=alpha, linewidths=0)
    axes[1].set(xlabel="predicted", ylabel="residual, predicted - actual")
    set_title(axes[1], f"Residuals: half are within {np.median(np.abs(residual)):.3g}")
    spread = float(np.ptp(residual))
    is_constant = spread <= 1e-9 * float(np.abs(y).max() + np.abs(residual).max())
    axes[2].hist(residual, bins=1 if is_constant else 40)
    axes[2].axvline(0, color=GREY, linestyle="--", linewidth=1)
    axes[2].set(xlabel="residual, predicted - actual", ylabel="rows")
    set_title(axes[2], f"Mean residual {residual.mean():+.3g}")
    for ax in axes:
        ax.xaxis.set_major_locator(MaxNLocator(5))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    left_out = of_many(len(shown), len(y), "rows drawn as points")
    figure_title(figure, f"How close are predictions to the truth on {len(y):,} rows?", left_out)
    return figure


def _r2(y: Floats, guess: Floats) -> float:
    total = float(((y - y.mean()) ** 2).sum())
    return 1 - float(((guess - y) ** 2).sum()) / total if total else float("nan")
