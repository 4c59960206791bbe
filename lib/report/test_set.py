"""Whether the test set has served another model before: said wherever it is used."""

from __future__ import annotations

from lib.data import Dataset
from lib.data.split import read_openings
from lib.report.findings import warning


def warn_reopened(dataset: Dataset, *, champion: str) -> int:
    """Warn when somebody else has seen the test rows, and return how many models they have judged.

    The same champion again is no second opening: it teaches nothing new. Another one is, as is an
    opening without a champion: whoever looked may have chosen by what was seen.

    Parameters
    ----------
    dataset : Dataset
        The whole table, as `load_data` returns it.
    champion : str
        Digest of the champion that is judged now.

    Returns
    -------
    int
        Champions so far, this one included.

    Examples
    --------
    >>> from lib.data import make_planted
    >>> warn_reopened(make_planted(50), champion="0123456789abcdef")
    1
    """
    if dataset.reports is None:
        return 1
    openings = read_openings(dataset.reports / dataset.name, dataset.fingerprint)
    others = {str(o["champion"]) for o in openings if o["champion"] != champion}
    if others:
        warning(
            "The test set was opened for {n_earlier_champions} other model(s) before this one: its "
            "score is no longer that of rows nobody has looked at, and may flatter.",
            n_earlier_champions=len(others),
        )
    return len(others) + 1
