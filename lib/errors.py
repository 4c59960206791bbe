"""What a user reads when an input does not fit: one sentence, no traceback."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """What the user gave does not fit: says what was expected, what was got, and the way out.

    The command line prints the sentence alone and ends with exit code 2.
    """


def suggest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" when a known name is close to `name`, else "".

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        What would have been accepted.

    Returns
    -------
    str
        A sentence that starts with a space, or the empty string.

    Examples
    --------
    >>> suggest("churn", ["Churn", "tenure"])
    " Did you mean 'Churn'?"
    >>> suggest("zzz", ["Churn", "tenure"])
    ''
    """
    by_lower = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""
