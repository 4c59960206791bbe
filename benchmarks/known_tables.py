"""Well-known tables: file, target, columns that give it away, and what others published."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A figure that others report.

    Attributes
    ----------
    metric : str
        As `evaluation.scorers` calls it.
    value : float
        In its sign: errors are positive here.
    how : str
        Model and split, and where it was published.
    """

    metric: str
    value: float
    how: str


@dataclass(frozen=True)
class Table:
    """A file, its target, columns that give the target away, and what is published."""

    file: str
    target: str
    without: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()


FEDOT = "FEDOT's documentation of the AutoML benchmark"
TABLES = (
    Table(
        "german_credit.csv",
        "class",
        published=(Published("roc_auc", 0.795, f"AutoGluon, ten folds, {FEDOT}"),),
    ),
    Table(
        "telco_churn.csv",
        "Churn",
        published=(
            Published("roc_auc", 0.846, "gradient boosting, folds, kunjalsunny/Customerchurn"),
        ),
    ),
    Table(
        "titanic.csv",
        "Survived",
        published=(
            Published(
                "roc_auc", 0.841, "logistic regression, one quarter held out, databurton.com"
            ),
        ),
    ),
    Table(
        "car_evaluation.csv",
        "class",
        published=(Published("f1_macro", 1.0, f"AutoGluon, kind of mean not said, {FEDOT}"),),
    ),
    Table("penguins_raw.csv", "Species"),
    Table("wine_quality.csv", "quality"),
    Table("student_por.csv", "G3"),
    Table(
        "parkinsons_telemonitoring.csv",
        "total_UPDRS",
        without=("motor_UPDRS",),
        published=(
            Published(
                "neg_mean_absolute_error", 7.5, "trees, Tsanas et al., IEEE TBME 57:884, 2010"
            ),
        ),
    ),
    Table(
        "bike_hour.csv",
        "cnt",
        without=("casual", "registered"),
        published=(
            Published(
                "r2", 0.89, "CUBIST, test set, Sathishkumar and Cho, Eur J Remote Sens, 2020"
            ),
        ),
    ),
    Table(
        "seoul_bike_latin1.csv",
        "Rented Bike Count",
        published=(
            Published(
                "r2", 0.92, "boosting, test set, Sathishkumar et al., Comput Commun 153:353, 2020"
            ),
        ),
    ),
)


def name_folds(rule: str) -> str:
    """Return what kind of folds a rule makes."""
    if "forward in time" in rule:
        return "forward in time"
    group = re.search(r"one group \((.*?)\)", rule)
    return f"whole groups ({group[1]})" if group else "shuffled"
