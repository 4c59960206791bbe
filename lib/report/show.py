"""Showing things: rendered where IPython runs, as text in plain Python."""

from __future__ import annotations

import sys
from typing import Any, Self

ATTACHMENT_TYPE = "application/vnd.study.attachment+json"


def active_shell() -> Any | None:
    """Return the running IPython shell, or None in plain Python (where IPython is not imported)."""
    module = sys.modules.get("IPython.core.interactiveshell")
    shell = getattr(module, "InteractiveShell", None)
    return shell.instance() if shell is not None and shell.initialized() else None


def show(text: str, **mime: str) -> None:
    """Show `text`, or where IPython renders, its richer forms.

    Parameters
    ----------
    text : str
        The plain form.
    **mime : str
        Richer forms by short name: `html`, `markdown`, or `attachment`.
    """
    if active_shell() is None:
        sys.stdout.write(f"\n{text}\n\n" if "html" in mime else f"{text}\n")
        return
    from IPython.display import display  # noqa: PLC0415 - only where IPython already runs

    names = {"html": "text/html", "markdown": "text/markdown", "attachment": ATTACHMENT_TYPE}
    bundle = {"text/plain": text, **{names[key]: value for key, value in mime.items()}}
    display(bundle, raw=True)


class Finding(str):
    """A sentence computed from values: prints as text, renders as Markdown in a notebook.

    Parameters
    ----------
    text : str
        The sentence with its values filled in.
    markdown : str, optional
        The same with the values escaped for Markdown.
    severity : {"finding", "warning"}
        How it is marked.

    Examples
    --------
    >>> print(Finding("The dummy scores 0.5."))
    The dummy scores 0.5.
    """

    __slots__ = ("_markdown", "_shown_in", "severity")
    severity: str
    _markdown: str
    _shown_in: int

    def __new__(cls, text: str, *, markdown: str | None = None, severity: str = "finding") -> Self:
        """Make the sentence."""
        self = super().__new__(cls, text)
        self._markdown = text if markdown is None else markdown
        self.severity = severity
        self._shown_in = -1
        return self

    def _repr_markdown_(self) -> str:
        return self._markdown

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        printer.text(str(self))

    def _ipython_display_(self) -> None:
        """Stay silent when the cell that already showed this ends with it."""
        shell = active_shell()
        if shell is not None and shell.execution_count == self._shown_in:
            return
        raise NotImplementedError  # IPython then renders as usual

    def show(self) -> Self:
        """Show the sentence now and return it."""
        show(str(self), markdown=self._markdown)
        shell = active_shell()
        self._shown_in = -1 if shell is None else shell.execution_count
        return self
