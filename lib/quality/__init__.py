"""Is the table fit for study? Coded checks with evidence, and a schema kept as text."""

from lib.quality.answers import QUESTIONS
from lib.quality.assess import assess, check_no_errors
from lib.quality.dependencies import (
    find_rules,
    find_suspect_cells,
    tabulate_suspect_cells,
)
from lib.quality.drift import compute_drift_score
from lib.quality.enforcement import tabulate_rules, validate
from lib.quality.labels import estimate_label_noise
from lib.quality.little import little_mcar
from lib.quality.missing import compute_gap_patterns
from lib.quality.outliers import find_isolated
from lib.quality.repeats import find_repeats
from lib.quality.schema import (
    Schema,
    load_schema,
    propose_schema,
    read_schema,
    schema_path,
    write_schema,
)
from lib.quality.spelling import find_variants
from lib.quality.table import as_polars, open_table

__all__ = [
    "QUESTIONS",
    "Schema",
    "as_polars",
    "assess",
    "check_no_errors",
    "compute_drift_score",
    "compute_gap_patterns",
    "estimate_label_noise",
    "find_isolated",
    "find_repeats",
    "find_rules",
    "find_suspect_cells",
    "find_variants",
    "little_mcar",
    "load_schema",
    "open_table",
    "propose_schema",
    "read_schema",
    "schema_path",
    "tabulate_rules",
    "tabulate_suspect_cells",
    "validate",
    "write_schema",
]
