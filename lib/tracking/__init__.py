"""The record of runs and candidates: MLflow on an embedded SQLite store.

`mlflow` (seconds to import) is loaded by the first call that needs it.
"""

from lib.tracking.candidates import (
    defer_candidates,
    load_candidates,
    log_candidates,
    log_deferred,
)
from lib.tracking.experiments import log_deferred_experiments, log_experiment, save_model
from lib.tracking.predictions import Predicted, load_predictions
from lib.tracking.redaction import redact
from lib.tracking.runs import AnalysisRun, start_analysis_run
from lib.tracking.store import check_store, close_dead_runs, prepare_store
from lib.tracking.ui import open_ui

__all__ = [
    "AnalysisRun",
    "Predicted",
    "check_store",
    "close_dead_runs",
    "defer_candidates",
    "load_candidates",
    "load_predictions",
    "log_candidates",
    "log_deferred",
    "log_deferred_experiments",
    "log_experiment",
    "open_ui",
    "prepare_store",
    "redact",
    "save_model",
    "start_analysis_run",
]
