"""What skore's automated checks find of the five best known leaks; skore is no dependency.

Each planted table is given to an `EstimatorReport` of a plain pipeline with the study's own split.
What skore raises in the planted table and not in the clean one is shown; a leak counts as found
when one of these checks is about it.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from defects_leaks import CLASSICS, DEFECTS
from lib.data import Dataset
from lib.features import make_preprocessor

ABOUT = {  # words of a check's title that are about a leak
    "copy of the target": ("golden",),
    "duplicate rows": ("duplicate",),
    "groups that nobody named": ("group",),
    "test rows older than training rows": ("time",),
}


def ask_skore(dataset: Dataset) -> dict[str, str]:
    """Return the title of every check that raised an issue or a tip, by its code."""
    import skore

    model = Ridge() if dataset.task == "regression" else LogisticRegression(max_iter=300)
    X, y, split = dataset.X, dataset.y, dataset.split
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asked = skore.EstimatorReport(
            make_pipeline(make_preprocessor(dataset, kind="linear"), model),
            X_train=X.iloc[split.train],
            y_train=y.iloc[split.train],
            X_test=X.iloc[split.test],
            y_test=y.iloc[split.test],
        )
        table = asked.checks.summarize().frame()
    raised = table[~table["section"].isin(["passed", "not_applicable"])]
    return dict(zip(raised["code"], raised["title"], strict=True))


def show_skore(bases: dict[str, Dataset]) -> None:
    """Print which of the classics skore finds in which table."""
    clean = {name: ask_skore(base) for name, base in bases.items()}
    for name, raised in clean.items():
        print(f"  clean {name:20} {raised or 'silent'}")
    for defect in DEFECTS:
        if defect.name not in CLASSICS:
            continue
        for name, base in bases.items():
            planted = defect.plant(base, np.random.default_rng(7), severe=True)
            more = {c: t for c, t in ask_skore(planted).items() if c not in clean[name]}
            words = ABOUT[defect.name]
            found = any(word in title.lower() for title in more.values() for word in words)
            print(f"  {'-+'[found]} {defect.name:38} {name:14} {more or 'nothing new'}", flush=True)
    print("  - selection before cross-validation: skore is given tables and has no null run")
