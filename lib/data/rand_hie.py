"""The default table: the RAND Health Insurance Experiment, and who is costly next year.

From 1974 to 1982 families in six places of the United States were assigned by lot to insurance
plans that paid everything or left them a share (Newhouse 1993, *Free for All?*). statsmodels
ships every person-year (20,190 of 5,912 persons), public domain. A row here is a person-year
that is followed by another one in the table: what was known in year t, and what t + 1 cost.
"""

from __future__ import annotations

import io

import polars as pl

from lib.data.packaged import statsmodels_folder
from lib.data.sources import file_hash, record_source
from lib.data.tables import RawTable, Repair

HIGH_COST = 400  # dollars of medical spending in a year, at the prices of the time
PERSON, YEAR = "person", "study_year"
TARGET, AMOUNT = "high_cost_next_year", "dollars_next_year"

# own name: (name here, description). What is absent is redundant: logarithms (logc, fmde,
# lpi, lfam, lnum, linc, lnmeddol), dummies of columns kept (idp, fchild, binexp), ghindx with
# its gaps filled (xghindx). `child` stays: coming of age is a bend that a line in age misses.
COLUMNS = {
    "plan": ("plan", "insurance plan assigned by lot (number in the experiment)"),
    "site": ("site", "place of the experiment (number)"),
    "coins": ("coinsurance", "share of medical bills the family pays itself, in percent"),
    "tookphys": ("baseline_physical", "had a physical examination at enrolment (by lot)"),
    "year": (YEAR, "year of the experiment, from 1"),
    "black": ("black", "person is black"),
    "income": ("income", "family income a year, in dollars"),
    "xage": ("age", "age in years"),
    "female": ("female", "person is female"),
    "educdec": ("education", "schooling of the family's decision maker, in years"),
    "time": ("eligible_share", "share of the year in which the person took part"),
    "outpdol": ("outpatient_dollars", "outpatient spending this year, without drugs and mental"),
    "drugdol": ("drug_dollars", "outpatient drugs this year, in dollars"),
    "suppdol": ("supply_dollars", "outpatient supplies this year, in dollars"),
    "mentdol": ("psychotherapy_dollars", "outpatient psychotherapy this year, in dollars"),
    "inpdol": ("inpatient_dollars", "hospital spending this year, in dollars"),
    "meddol": ("medical_dollars", "all medical spending this year without psychotherapy"),
    "totadm": ("admissions", "hospital admissions this year"),
    "inpmis": ("inpatient_charge_missing", "some hospital charge of this year is missing"),
    "mentvis": ("psychotherapy_visits", "psychotherapy visits this year"),
    "mdvis": ("doctor_visits", "face-to-face visits to physicians this year"),
    "notmdvis": ("other_visits", "face-to-face visits to others than physicians this year"),
    "num": ("family_size", "persons in the family"),
    "mhi": ("mental_health", "mental health index at enrolment, 0 to 100 (best)"),
    "disea": ("chronic_diseases", "index of chronic diseases at enrolment"),
    "physlm": ("physical_limitation", "has a physical limitation at enrolment"),
    "ghindx": ("general_health", "general health index at enrolment, 0 to 100 (best)"),
    "mdeoff": ("maximum_expenditure", "most the family must pay itself in a year, in dollars"),
    "child": ("child", "person is a child (under 18 years)"),
    "pioff": ("participation_incentive", "payment to the family for taking part, in dollars"),
    "hlthg": ("health_good", ""),
    "hlthf": ("health_fair", ""),
    "hlthp": ("health_poor", ""),
}
HEALTH = ("excellent", "good", "fair", "poor")


def read_rand_hie() -> RawTable:
    """Read the person-years that have a next year.

    Returns
    -------
    RawTable
        14,266 rows; `high_cost_next_year` is 1 where next year's medical spending reached 400
        dollars, `dollars_next_year` is that spending.

    Examples
    --------
    >>> table = read_rand_hie()
    >>> table.frame.height, round(table.frame["high_cost_next_year"].mean(), 3)
    (14266, 0.091)
    """
    path = statsmodels_folder("randhie") / "src" / "randhie.csv"
    record_source(str(path.resolve()), file_hash(path))
    raw = pl.read_csv(io.BytesIO(path.read_bytes()), infer_schema_length=None)
    pairs = _with_next_year(raw)
    unpaired = f"person-years without a next year in the table, of {raw.height:,}"
    repairs = [Repair("(table)", "dropped rows", raw.height - pairs.height, unpaired)]
    frame, masked = _without_filled_in(_readable(pairs))
    descriptions = {name: words for name, words in COLUMNS.values() if words}
    descriptions["self_rated_health"] = "health as rated by the person at enrolment"
    return RawTable(
        frame,
        repairs + masked,
        levels={"self_rated_health": HEALTH},
        descriptions=descriptions,
    )


def _with_next_year(raw: pl.DataFrame) -> pl.DataFrame:
    following = raw.select("zper", pl.col("year") - 1, pl.col("meddol").alias(AMOUNT))
    pairs = raw.join(following, on=["zper", "year"], how="inner")
    return pairs.sort("zper", "year")


def _readable(pairs: pl.DataFrame) -> pl.DataFrame:
    names = {own: name for own, (name, _) in COLUMNS.items()}
    rated = (
        pl.when(pl.col("hlthp") == 1)
        .then(pl.lit("poor"))
        .when(pl.col("hlthf") == 1)
        .then(pl.lit("fair"))
        .when(pl.col("hlthg") == 1)
        .then(pl.lit("good"))
        .otherwise(pl.lit("excellent"))
    )
    return pairs.select(
        pl.col("zper").cast(pl.Int64).alias(PERSON),
        *(pl.col(own).alias(name) for own, name in names.items() if not own.startswith("hlth")),
        rated.alias("self_rated_health"),
        AMOUNT,
        (pl.col(AMOUNT) >= HIGH_COST).cast(pl.Int64).alias(TARGET),
    )


def _without_filled_in(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Repair]]:
    """Return yes/no columns without the fractions that stand for unknown answers."""
    repairs = []
    for name in ("black", "physical_limitation"):
        filled = ~pl.col(name).is_in([0.0, 1.0])
        count = frame.select(filled.sum()).item()
        frame = frame.with_columns(pl.when(~filled).then(pl.col(name)).alias(name))
        words = "fractions in a yes/no column (means in place of unknown answers) made missing"
        repairs.append(Repair(name, "filled-in values", count, words))
    return frame, repairs
