"""What an analysis says: findings, warnings, tables, attachments; and what earlier ones said."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Any

from lib.config import Config, default_dataset, load_config
from lib.data.names import slug
from lib.errors import InputError, suggest
from lib.report import text
from lib.report.record import Entry, Record, Value, current_record, record_table, write_text
from lib.report.show import Finding, show
from lib.report.tables import MAX_ROWS, Table

# An attachment may run its own scripts in its own frame, and reach nothing else.
ATTACHMENT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:; worker-src blob:; form-action 'none'; base-uri 'none'"
)


def finding(template: str, /, *, tolerance: str = "blas", **values: Any) -> Finding:
    """Show a sentence computed from values, and record both.

    Parameters
    ----------
    template : str
        One sentence of Markdown with a placeholder for every value: `"AUC {auc}, {share:.1%}"`.
    tolerance : {"blas", "tree", "torch", "exact"}, default="blas"
        How far the floats may differ between two machines: by 1e-7, 1e-9, 0.2 or 0 of
        themselves, those of "torch" that have an interval by a quarter of its width. Counts, words
        and choices are always exact.
    **values : Estimate, int, float, bool or str
        Names are unique in an analysis; a name that starts with `_` is shown, not recorded.

    Returns
    -------
    Finding
        The sentence.

    Examples
    --------
    >>> from lib import report
    >>> _ = report.finding("{n} rows, {share:.1%} of them positive.", n=14266, share=0.0909)
    14,266 rows, 9.1% of them positive.
    """
    return _say("finding", template, values, tolerance=tolerance)


def warning(template: str, /, *, tolerance: str = "blas", **values: Any) -> Finding:
    """Show and record a sentence that the reader must not miss; see `finding`.

    Parameters
    ----------
    template : str
        As for `finding`; "Warning: " is put before it.
    tolerance : {"blas", "tree", "torch", "exact"}, default="blas"
        As for `finding`.
    **values : Estimate, int, float, bool or str
        As for `finding`.

    Returns
    -------
    Finding
        The sentence.

    Examples
    --------
    >>> from lib import report
    >>> _ = report.warning("{n} columns hold one value only.", n=3)
    Warning: 3 columns hold one value only.
    """
    return _say("warning", template, values, tolerance=tolerance)


def table(
    frame: Any,
    title: str,
    *,
    digits: int = 3,
    record: bool = True,
    max_rows: int = MAX_ROWS,
    tolerance: str = "blas",
) -> None:
    """Show a titled table and record it.

    Parameters
    ----------
    frame : pandas.DataFrame, pandas.Series or polars.DataFrame
        What to show; an index that is not a plain range is shown as well.
    title : str
        What it shows.
    digits : int, default=3
        Decimals of floats and estimates (fewer in columns of large numbers).
    record : bool, default=True
        False for anything that changes from run to run, such as seconds.
    max_rows : int, default=40
        Rows shown; the rest is counted.
    tolerance : {"blas", "tree", "torch", "exact"}, default="blas"
        As for `finding`, for the cells with a decimal point. The rows of a "torch" table may also
        change places, as near ties do.

    Examples
    --------
    >>> import pandas as pd
    >>> from lib import report
    >>> frame = pd.DataFrame({"model": ["dummy", "linear"], "auc": [0.5, 0.7641]})
    >>> report.table(frame, title="Scores by model")
    <BLANKLINE>
    Scores by model
    ───────────────
    model     auc
    dummy   0.500
    linear  0.764
    <BLANKLINE>
    """
    made = Table.of(frame, title=title, digits=digits, max_rows=max_rows)
    show(made.to_text(), html=made.to_html())
    if record:
        record_table(made, tolerance=tolerance)


def attach(name: str, html_text: str, *, title: str) -> None:
    """Keep an interactive page beside the report and show it in a frame of its own.

    The frame is sandboxed: the attachment's scripts run, but reach neither the page, nor other
    files, nor the network.

    Parameters
    ----------
    name : str
        File name such as `profile.html`; turned into a slug.
    html_text : str
        A whole page or a fragment of HTML.
    title : str
        What it shows.

    Examples
    --------
    >>> attach("profile.html", "<p>3 columns</p>", title="Profile of wine")
    <BLANKLINE>
    Profile of wine (an interactive page; run_analyses keeps it beside the report)
    <BLANKLINE>
    """
    title = text.clean(title)
    page = _confine(html_text, title)
    record = current_record()
    if record is None:
        frame = html.escape(page, quote=True)
        note = f"{title} (an interactive page; run_analyses keeps it beside the report)"
        show(note, html=_frame(f'srcdoc="{frame}"', title))
        return
    file = attachment_name(name)
    folder = record.folder / "attachments"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / file, page)
    record.attachments.append({"file": file, "title": title})
    link = f"attachments/{file}"
    show(
        f"{title}: {link}",
        html=_frame(f'src="{link}"', title) + f'<p><a href="{link}">{html.escape(title)}</a></p>',
        attachment=json.dumps({"file": file, "title": title}),
    )


def attach_text(name: str, content: str, *, title: str) -> None:
    """Keep a text, such as a proposed schema, beside the report and show it folded.

    Parameters
    ----------
    name : str
        File name ending in .toml, .csv or .txt; turned into a slug.
    content : str
        What the file holds.
    title : str
        What it is.

    Examples
    --------
    >>> attach_text("schema.toml", "[columns.age]", title="The proposed schema")
    The proposed schema (run_analyses keeps it beside the report as schema.toml)
    """
    title = text.clean(title)
    stem, _, suffix = name.rpartition(".")
    file = f"{slug(stem)}.{suffix if suffix in {'toml', 'csv', 'txt'} else 'txt'}"
    record = current_record()
    shown = f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(content)}</pre>"
    if record is None:
        note = f"{title} (run_analyses keeps it beside the report as {file})"
        show(note, html=f"{shown}</details>")
        return
    folder = record.folder / "attachments"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / file, content)
    record.attachments.append({"file": file, "title": title})
    link = f'<p><a href="attachments/{file}">{html.escape(file)}</a></p>'
    show(f"{title}: attachments/{file}", html=f"{shown}</details>{link}")


def look_up(analysis: str, name: str, *, config: Config | None = None) -> Any:
    """Return a value that an earlier analysis recorded on the current dataset.

    Parameters
    ----------
    analysis : str
        Number or full name: `"11"` or `"11_baseline_models"`.
    name : str
        Name of the value.
    config : Config, optional
        The choices of the study; by default `load_config()`.

    Returns
    -------
    Estimate, int, float, bool or str
        As it was recorded.

    Raises
    ------
    InputError
        When the analysis was not run on this dataset, or has no such value.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lib.config import Config
    >>> look_up("11", "auc", config=Config(root=Path("/nowhere"), dataset="wine"))
    Traceback (most recent call last):
    lib.errors.InputError: The findings of analysis 11 on wine are missing; make them with: ...
    """
    config = config or load_config()
    values = _recorded_values(analysis, config)
    if name not in values:
        msg = f"Analysis {analysis} recorded no value '{name}'; it has {', '.join(values)}."
        raise InputError(msg + suggest(name, values))
    return _decode(values[name])


def _recorded_values(analysis: str, config: Config) -> Mapping[str, Any]:
    folder = config.reports / dataset_folder(config)
    found = sorted(folder.glob(f"{analysis.partition('_')[0]}_*/findings.json"))
    if not found:
        chosen = "" if config.dataset == default_dataset(config) else f" --dataset {config.dataset}"
        msg = (
            f"The findings of analysis {analysis} on {folder.name} are missing; make them with: "
            f"nox -s run_analyses -- {analysis.partition('_')[0]}{chosen}"
        )
        raise InputError(msg)
    values: Mapping[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))["values"]
    return values


def dataset_folder(config: Config) -> str:
    """Return the folder name of the current dataset under `config.reports`."""
    if Record.current is not None:
        return Record.current.dataset
    name = config.dataset
    is_path = "/" in name or "\\" in name or bool(re.search(r"\.\w+$", name))
    return slug(Path(name).stem if is_path else name)


def _decode(value: Mapping[str, Any]) -> Any:
    if value["kind"] == "estimate":
        from lib.estimates import Estimate  # noqa: PLC0415 - imports scipy

        value_, low, high = (float(value[part]) for part in ("value", "low", "high"))
        return Estimate(value_, low, high)
    return float(value["value"]) if value["kind"] == "number" else value["value"]


def _say(kind: str, template: str, values: Mapping[str, Any], *, tolerance: str) -> Finding:
    kept = {
        name: Value.of(name, given, tolerance=tolerance)
        for name, given in values.items()
        if not name.startswith("_")
    }
    shown = {
        name: given if text.is_estimate(given) else Value.of(name, given, tolerance="exact").value
        for name, given in values.items()
    }
    plain, markdown = _fill(template, shown)
    if kind == "warning":
        plain, markdown = f"Warning: {plain}", f"**Warning:** {markdown}"
    record = current_record()
    if record is not None:
        record.add(Entry(kind, plain, markdown, tolerance=tolerance), kept)
    return Finding(plain, markdown=markdown, severity=kind).show()


def _fill(template: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the sentence as plain text and as Markdown with its values escaped."""
    plain, markdown, used = [], [], set()
    for literal, name, spec, conversion in Formatter().parse(" ".join(template.split())):
        plain.append(literal)
        markdown.append(literal)
        if name is None:
            continue
        if conversion or not name.isidentifier() or name not in values:
            known = ", ".join(values) or "none"
            msg = f"Placeholder '{{{name}}}' of \"{template}\" has no value; given: {known}."
            raise ValueError(msg + suggest(name, values))
        used.add(name)
        shown = text.format_value(values[name], spec or "")
        plain.append(shown)
        markdown.append(text.escape_markdown(shown))
    unused = [name for name in values if name not in used]
    if unused:
        msg = f'"{template}" has no placeholder {{{unused[0]}}} for the value given to it.'
        raise ValueError(msg)
    return "".join(plain), "".join(markdown)


def attachment_name(name: str) -> str:
    """Return a safe file name for an attachment.

    Examples
    --------
    >>> attachment_name("../Profile of X.html")
    'profile_of_x.html'
    """
    stem = name.removesuffix(".html").removesuffix(".htm")
    return f"{slug(stem)}.html"


def _confine(html_text: str, title: str) -> str:
    """Return a whole page whose policy keeps it from the network."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{ATTACHMENT_POLICY}">'
    head = re.search(r"<head(\s[^>]*)?>", html_text[:5_000], flags=re.IGNORECASE)
    if head:
        return html_text[: head.end()] + policy + html_text[head.end() :]
    name = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{policy}'
        f"<title>{name}</title></head><body>{html_text}</body></html>"
    )


def _frame(source: str, title: str) -> str:
    return (
        f'<iframe {source} title="{html.escape(title)}" sandbox="allow-scripts" width="100%" '
        'height="600" style="border:0"></iframe>'
    )
