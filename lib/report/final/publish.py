"""Putting the report where its readers look: beside the page of the analysis that made it."""

from __future__ import annotations

import html

from lib.report.final.build import Report
from lib.report.pages import FINAL_PAGE
from lib.report.record import current_record, write_text
from lib.report.show import show

PAGE, TEXT = FINAL_PAGE, "report.md"
TITLE = "The final report"


def publish(report: Report) -> None:
    """Keep page and Markdown beside the record of this run, and show where they are.

    Without a record (a plain script, an editor) nothing is written: the runner keeps reports.

    Parameters
    ----------
    report : Report
        From `make_report`.
    """
    title = f"DRAFT: {TITLE}" if report.is_draft else TITLE
    record = current_record()
    if record is None:
        show(f"{title} (run_analyses keeps it as {PAGE} and {TEXT})")
        return
    folder = record.folder / "attachments"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / PAGE, report.html)
    write_text(folder / TEXT, report.markdown)
    record.attachments.append({"file": PAGE, "title": title})
    record.attachments.append({"file": TEXT, "title": f"{title}, as Markdown"})
    links = [(PAGE, title), (TEXT, "the same as Markdown")]
    shown = " · ".join(
        f'<a href="attachments/{file}">{html.escape(words)}</a>' for file, words in links
    )
    show(f"{title}: attachments/{PAGE}, attachments/{TEXT}", html=f"<p><b>{shown}</b></p>")
