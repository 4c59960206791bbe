"""The record of runs and candidates: MLflow on an embedded SQLite store.

`mlflow` (seconds to import) is loaded by the first call that needs it.
"""

from lib.tracking.candidates import (
    defer_candidates,
    load_candidates,
    log_candidates,
    log_deferred,
)
from lib.tracking.champion import Champion, load_champion, store_champion
from lib.tracking.experiments import log_deferred_experiments, log_experiment
from lib.tracking.predictions import Predicted, load_predictions
from lib.tracking.redaction import redact
from lib.tracking.registry import register_champion
from lib.tracking.runs import AnalysisRun, describe_dataset, start_analysis_run
from lib.tracking.store import check_store, close_dead_runs, prepare_store
from lib.tracking.ui import open_ui

__all__ = [
    "AnalysisRun",
    "Champion",
    "Predicted",
    "check_store",
    "close_dead_runs",
    "defer_candidates",
    "describe_dataset",
    "load_candidates",
    "load_champion",
    "load_predictions",
    "log_candidates",
    "log_deferred",
    "log_deferred_experiments",
    "log_experiment",
    "open_ui",
    "prepare_store",
    "redact",
    "register_champion",
    "start_analysis_run",
    "store_champion",
]
