"""Rows as tensors, the device they lie on, and one thread to count with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lib.errors import InputError


@dataclass(frozen=True)
class Rows:
    """Rows as tensors on one device.

    Attributes
    ----------
    numbers, gaps, codes : Tensor of shape (n_rows, …)
        What the network takes.
    target : Tensor of shape (n_rows,)
        Codes of classes, or standardised numbers.
    weight : Tensor of shape (n_rows,)
        With mean 1.
    """

    numbers: Tensor
    gaps: Tensor
    codes: Tensor
    target: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.target)

    def inputs(self, rows: Tensor | slice) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the network takes of some rows."""
        return self.numbers[rows], self.gaps[rows], self.codes[rows]


def as_tensor(values: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Return an array as a tensor: single precision for numbers."""
    is_code = np.issubdtype(values.dtype, np.integer)
    return torch.tensor(values, dtype=torch.int64 if is_code else torch.float32, device=device)


def choose_device(device: str) -> torch.device:
    """Return the device that a name means; "auto" is a GPU where torch finds one.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        msg = f"device must be 'auto', 'cpu' or 'cuda'; got '{device}'."
        raise InputError(msg) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        msg = f"device='{device}' was asked for and torch finds no GPU: use device='auto'."
        raise InputError(msg)
    return chosen


@contextmanager
def one_thread() -> Iterator[None]:
    """Count on one thread, so that sums have one order, and leave the setting as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
