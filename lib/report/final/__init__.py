"""The final report: one page from what earlier analyses recorded, or a refusal by name.

`check_inputs` refuses what is missing, failed, edited or stale; `make_report` looks every number
up; `publish` keeps page and Markdown. A package of its own beside `lib.report`, so that changing
its words runs no other analysis again.
"""

from lib.report.final.build import Report, check_inputs, make_report
from lib.report.final.inputs import Input, Inputs, read_inputs
from lib.report.final.publish import publish

__all__ = [
    "Input",
    "Inputs",
    "Report",
    "check_inputs",
    "make_report",
    "publish",
    "read_inputs",
]
