"""A hash of what an analysis found: how edits and changes are noticed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def findings_digest(path: Path) -> str | None:
    """Return a hash of what an analysis found, its provenance apart; None without findings.

    Parameters
    ----------
    path : Path
        A `findings.json`.

    Returns
    -------
    str or None
        64 hex digits, the same for every run that found the same.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or not found:
        return None
    found.pop("provenance", None)
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
