"""The record of runs and candidates: MLflow on an embedded SQLite store.

`mlflow` (seconds to import) is loaded by the first call that needs it.
"""

from lib.tracking.candidates import load_candidates, log_candidates
from lib.tracking.redaction import redact
from lib.tracking.runs import AnalysisRun, start_analysis_run
from lib.tracking.store import close_dead_runs, prepare_store
from lib.tracking.ui import open_ui

__all__ = [
    "AnalysisRun",
    "close_dead_runs",
    "load_candidates",
    "log_candidates",
    "open_ui",
    "prepare_store",
    "redact",
    "start_analysis_run",
]
