"""The leak audit: every check on one table."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from lib.checks import Check
from lib.config import Config
from lib.data import Dataset
from lib.leakage.derived import check_derived
from lib.leakage.duplicates import check_exact, check_near
from lib.leakage.encodings import check_encodings
from lib.leakage.order import check_order
from lib.leakage.splitting import check_groups, check_null, check_splitter
from lib.leakage.table import Table, open_table
from lib.leakage.timing import check_neighbours, check_overlap, find_clock


def audit(dataset: Dataset, *, config: Config) -> list[Check]:
    """Return what ten checks say about leaks: found, clean or not applicable, each with evidence.

    The list follows Kapoor and Narayanan's taxonomy [1]_. No clean separation of training and
    test: L02, L03 (duplicates), L07 (preprocessing, selection), L09 (encodings). Features that
    are not legitimate: L01 (made from the target), L04 (identifiers). A test set not drawn from
    the distribution of interest: L05, L10 (time), L06 (groups), L08 (splitter). What no table
    shows is out of reach: a proxy that the world offers but the moment of prediction does not.

    Parameters
    ----------
    dataset : Dataset
        The whole one, as `load_data` returns it. Test rows are seen by their features alone.
    config : Config
        Effort, seed, level.

    Returns
    -------
    list of Check
        By code. Several of one code when several columns leak.

    References
    ----------
    .. [1] S. Kapoor, A. Narayanan (2023). Leakage and the reproducibility crisis in
       machine-learning-based science. Patterns 4:100804.

    Examples
    --------
    >>> from lib.config import load_config
    >>> from lib.data import make_planted
    >>> checks = audit(make_planted(300, leak="copy"), config=load_config(effort="quick"))
    >>> [(check.code, check.column) for check in checks if check.is_found]
    [('L01', 'leak_copy')]
    """
    with threadpool_limits(1):  # sums in one order: the same figures on every machine
        return _audit(open_table(dataset, config))


def _audit(table: Table) -> list[Check]:
    clock = find_clock(table)
    order = check_order(table)
    named = {check.column for check in order if check.is_found}
    encodings = check_encodings(table)
    neighbours = check_neighbours(table, clock)
    named |= {check.column for check in [*encodings, *neighbours] if check.is_found}
    skip = {str(column) for column in table.dataset.X if table.name(column) in named}
    exact = check_exact(table)
    groups = check_groups(table, has_copies=exact.is_found)
    checks = [
        *check_derived(table, skip=skip),
        exact,
        check_near(table),
        *order,
        *check_overlap(table, clock),
        *groups,
        *check_null(table),
        *check_splitter(table, clock),
        *encodings,
        *neighbours,
    ]
    return sorted(checks, key=lambda check: check.code)
