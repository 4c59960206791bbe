"""Findings: sentences with the numbers behind them, tables, attachments and pages.

In an analysis::

    from lib import report

    report.finding("LightGBM leads: ROC AUC {auc}, the dummy {floor}.", auc=auc, floor=floor)
    report.warning("{n} columns hold one value only.", n=3)
    report.table(comparison, title="Scores by model")

Outside the runner they are shown; under the runner they are also recorded (`record`), compared
with the committed ones (`diff`, `command`) and rendered (`pages`).
"""

from lib.report.findings import attach, attach_text, finding, look_up, table, warning
from lib.report.record import (
    Record,
    current_record,
    enter_section,
    start_record,
    stop_record,
)
from lib.report.show import Finding
from lib.report.test_set import warn_reopened

__all__ = [
    "Finding",
    "Record",
    "attach",
    "attach_text",
    "current_record",
    "enter_section",
    "finding",
    "look_up",
    "start_record",
    "stop_record",
    "table",
    "warn_reopened",
    "warning",
]
