"""Tables for the study: the catalogue, readers that say what they mended, the locked split.

>>> from lib.data import load_data
>>> load_data("wine").task
'multiclass'

Names are imported on first use, so that `lib.data.sources` loads without pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lib.data.catalog import list_datasets
    from lib.data.dataset import Dataset
    from lib.data.loading import load_data
    from lib.data.planted import make_planted
    from lib.data.sources import Source, forget_sources, loaded_sources, source_hash
    from lib.data.split import Split

_HOMES = {
    "Dataset": "dataset",
    "Source": "sources",
    "Split": "split",
    "forget_sources": "sources",
    "list_datasets": "catalog",
    "load_data": "loading",
    "loaded_sources": "sources",
    "make_planted": "planted",
    "source_hash": "sources",
}

__all__ = [
    "Dataset",
    "Source",
    "Split",
    "forget_sources",
    "list_datasets",
    "load_data",
    "loaded_sources",
    "make_planted",
    "source_hash",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module 'lib.data' has no attribute '{name}'"
        raise AttributeError(msg)
    return getattr(import_module(f"lib.data.{_HOMES[name]}"), name)
