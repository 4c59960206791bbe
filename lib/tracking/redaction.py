"""Secrets never reach parameters, tags, logs or pages."""

from __future__ import annotations

import re

REDACTED = "[redacted]"
_SECRET_NAME = re.compile(
    r"(?:^|[^a-z])(?:password|passwd|passphrase|pwd|secret|token|credentials?|key|apikey|auth)"
    r"(?:$|[^a-z])"
)
_ASSIGNABLE = (
    r"password|passwd|passphrase|pwd|secret|[\w-]*token|api[_-]?key|access[_-]?key|private[_-]?key"
)
_ASSIGNED = re.compile(rf"(?i)(\b(?:{_ASSIGNABLE})[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&]+)")
_QUERY = re.compile(r"(?i)([?&](?:key|sig|signature|auth|code)=)[^&\s]+")
_USER_INFO = re.compile(r"([a-z][a-z0-9+.-]*://)[^\s]*@", flags=re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def redact(name: str, value: object) -> str:
    """Return `value` as text with secrets taken out, by its name and by its looks.

    Parameters
    ----------
    name : str
        What the value is called; `db_password` or `apiKey` hide the whole value.
    value : object
        Anything; URLs lose user and password, `token=...` its right-hand side.

    Returns
    -------
    str
        Fit to be kept.

    Examples
    --------
    >>> redact("source", "postgresql://me:secret@db.example.org/sales")
    'postgresql://[redacted]@db.example.org/sales'
    >>> redact("api_key", "abc"), redact("n_tokens", 12), redact("note", "pwd=abc, rows=3")
    ('[redacted]', '12', 'pwd=[redacted], rows=3')
    """
    if _SECRET_NAME.search(_CAMEL.sub("_", name).lower()):
        return REDACTED
    text = _USER_INFO.sub(rf"\1{REDACTED}@", str(value))
    text = _QUERY.sub(rf"\1{REDACTED}", text)
    return _ASSIGNED.sub(rf"\1{REDACTED}", text)
