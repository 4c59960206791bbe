"""The network, to be read and changed: embeddings, a multilayer perceptron, an ensemble in one.

Shapes in comments: b rows of a batch, f numbers, c categories, d dimensions of an embedding,
t bins or frequencies, k members, i inputs and o outputs of a layer. Every random number comes
from a generator that is handed in, so that nothing depends on torch's global state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Architecture:
    """What a network is made of: enough to build it again before its weights are loaded.

    Attributes
    ----------
    n_numbers, n_gaps : int
        Scaled numbers, and marks of gaps.
    n_levels : tuple of int
        Codes of each category.
    n_outputs : int
        Classes, or 1 for a number.
    hidden_dims : tuple of int
        Units of each hidden layer.
    n_members : int
        Members of the ensemble; 1 is a plain network.
    embedding : {"piecewise", "periodic", "none"}
        How numbers enter.
    embedding_dim : int
        Dimensions of an embedded number or category.
    n_bins : int
        Pieces or frequencies of a number.
    dropout : float
        Share of units silenced while training.
    """

    n_numbers: int
    n_gaps: int
    n_levels: tuple[int, ...]
    n_outputs: int
    hidden_dims: tuple[int, ...]
    n_members: int
    embedding: str
    embedding_dim: int
    n_bins: int
    dropout: float

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can keep."""
        return asdict(self)


class Linear(nn.Module):
    """A linear layer, drawn from a generator."""

    def __init__(self, n_in: int, n_out: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(_uniform((n_in, n_out), n_in, generator))
        self.bias = nn.Parameter(_uniform((n_out,), n_in, generator))

    def forward(self, x: Tensor) -> Tensor:
        """Return x W + b."""
        return x @ self.weight + self.bias  # (b, k, i) -> (b, k, o)


class EnsembleLinear(nn.Module):
    """A linear layer that k members share, each with its own scales of inputs and outputs [1]_.

    Member m computes ((x * r_m) W) * s_m + b_m: k networks for the memory of one [2]_.

    References
    ----------
    .. [1] Y. Wen, D. Tran, J. Ba (2020). BatchEnsemble. ICLR. arXiv 2002.06715.
    .. [2] Y. Gorishniy, A. Kotelnikov, A. Babenko (2024). TabM: advancing tabular deep learning
       with parameter-efficient ensembling. arXiv 2410.24210.
    """

    def __init__(
        self, n_in: int, n_out: int, n_members: int, *, is_first: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(_uniform((n_in, n_out), n_in, generator))
        self.bias = nn.Parameter(_uniform((n_members, n_out), n_in, generator))
        # Random signs make members differ; all further scales start at one. Behind the entrance
        # they cost least: what is before them is computed once for all members.
        signs = 2 * torch.randint(2, (n_members, n_out), generator=generator).float() - 1
        self.scale_out = nn.Parameter(signs if is_first else torch.ones(n_members, n_out))
        self.scale_in = None if is_first else nn.Parameter(torch.ones(n_members, n_in))

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer of every member."""
        if self.scale_in is not None:
            x = x * self.scale_in  # (b, k, i) * (k, i) -> (b, k, i)
        # (b, k or 1, i) -> (b, k, o): the product and the sum in one pass
        return torch.addcmul(self.bias, x @ self.weight, self.scale_out)


class MemberHeads(nn.Module):
    """The last layer: nothing of it is shared."""

    def __init__(
        self, n_in: int, n_out: int, n_members: int, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(_uniform((n_members, n_in, n_out), n_in, generator))
        self.bias = nn.Parameter(_uniform((n_members, n_out), n_in, generator))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of every member."""
        return torch.einsum("bki,kio->bko", x, self.weight) + self.bias


class PiecewiseEmbedding(nn.Module):
    """A number as d piecewise-linear functions of itself, learned [1]_.

    The number is encoded by how far it has come through each bin (0 before it, 1 behind it): a
    linear function of that is linear in each bin. Starts as a plain linear function; the bends
    grow from zero.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko (2022). On embeddings for numerical features in
       tabular deep learning. NeurIPS. arXiv 2203.05556.
    """

    starts: Tensor
    widths: Tensor

    def __init__(
        self, starts: Tensor, widths: Tensor, dim: int, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        n_numbers, n_bins = starts.shape
        self.register_buffer("starts", starts)  # (f, t)
        self.register_buffer("widths", widths)  # (f, t)
        self.slope = nn.Parameter(_uniform((n_numbers, dim), 1, generator))
        self.offset = nn.Parameter(_uniform((n_numbers, dim), dim, generator))
        self.bend = nn.Parameter(torch.zeros(n_numbers, n_bins, dim))

    def forward(self, x: Tensor) -> Tensor:
        """Return the embedded numbers, one after another."""
        passed = ((x[:, :, None] - self.starts) / self.widths).clamp(0, 1)  # (b, f) -> (b, f, t)
        bent = torch.bmm(passed.transpose(0, 1), self.bend)  # (f, b, t) (f, t, d) -> (f, b, d)
        embedded = x[:, :, None] * self.slope + self.offset + bent.transpose(0, 1)  # (b, f, d)
        return embedded.flatten(1)  # (b, f * d)


class PeriodicEmbedding(nn.Module):
    """A number as d functions of its sines and cosines of learned frequencies [1]_.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko (2022). On embeddings for numerical features in
       tabular deep learning. NeurIPS. arXiv 2203.05556.
    """

    def __init__(
        self, n_numbers: int, n_frequencies: int, dim: int, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        spread = torch.randn(n_numbers, n_frequencies, generator=generator)
        self.frequency = nn.Parameter(0.2 * spread.clamp(-3, 3))  # (f, t)
        self.bend = nn.Parameter(
            _uniform((n_numbers, 2 * n_frequencies, dim), 2 * n_frequencies, generator)
        )
        self.offset = nn.Parameter(torch.zeros(n_numbers, dim))

    def forward(self, x: Tensor) -> Tensor:
        """Return the embedded numbers, one after another."""
        angle = 2 * math.pi * x[:, :, None] * self.frequency  # (b, f, t)
        waves = torch.cat([angle.cos(), angle.sin()], dim=2)  # (b, f, 2t)
        mixed = torch.bmm(waves.transpose(0, 1), self.bend)  # (f, b, 2t) (f, 2t, d) -> (f, b, d)
        return torch.relu(mixed.transpose(0, 1) + self.offset).flatten(1)  # (b, f * d)


class CategoryEmbedding(nn.Module):
    """A learned vector for each level of each category; that of the unknown starts at zero."""

    first: Tensor

    def __init__(self, n_levels: Sequence[int], dim: int, *, generator: torch.Generator) -> None:
        super().__init__()
        first = torch.tensor([0, *n_levels]).cumsum(0)[:-1]  # where each category's levels start
        self.register_buffer("first", first)
        vectors = _uniform((sum(n_levels), dim), 1, generator)
        vectors[first] = 0.0
        self.vectors = nn.Parameter(vectors)  # all levels of all categories, one after another

    def forward(self, codes: Tensor) -> Tensor:
        """Return the vectors of a row's levels, one after another."""
        return self.vectors[codes + self.first].flatten(1)  # (b, c) -> (b, c, d) -> (b, c * d)


class Dropout(nn.Module):
    """Silences units while training, by random bytes of its own generator.

    Shares are rounded to 1 / 256: bytes cost a tenth of the numbers that torch would draw.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.silenced = round(256 * share)  # of 256 bytes
        self.generator: torch.Generator | None = None  # set by whoever trains

    def forward(self, x: Tensor) -> Tensor:
        """Return x with a share of it zero, and the rest as much larger."""
        if not self.training or self.silenced == 0:
            return x
        eights = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
        eights.random_(-(2**63), None, generator=self.generator)  # every bit is random
        bytes_ = eights.view(torch.uint8)[: x.numel()].view(x.shape)
        # One product forwards and one backwards: `torch.where` would take three times as long.
        factors = (bytes_ >= self.silenced).to(x.dtype).mul_(256 / (256 - self.silenced))
        return x * factors  # (b, k, o)


class Network(nn.Module):
    """Embeddings, then hidden layers of ReLU and dropout, then a head; k members in one.

    Parameters
    ----------
    architecture : Architecture
        Its parts and sizes.
    bins : tuple of Tensor of shape (n_numbers, n_bins)
        Starts and widths for the piecewise-linear embedding.
    generator : torch.Generator
        Of the first weights, on the CPU.

    Examples
    --------
    >>> made = Architecture(2, 0, (3,), 1, (8,), 4, "none", 2, 1, 0.0)
    >>> bins = torch.zeros(2, 1), torch.ones(2, 1)
    >>> network = Network(made, bins, generator=torch.Generator().manual_seed(0))
    >>> rows = torch.zeros(5, 2), torch.zeros(5, 0), torch.zeros(5, 1, dtype=torch.int64)
    >>> network(*rows).shape  # rows, members, outputs
    torch.Size([5, 4, 1])
    """

    def __init__(
        self,
        architecture: Architecture,
        bins: tuple[Tensor, Tensor],
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        a, d = architecture, architecture.embedding_dim
        self.architecture = a
        self.numbers: nn.Module = nn.Identity()
        if a.embedding == "piecewise" and a.n_numbers:
            self.numbers = PiecewiseEmbedding(*bins, d, generator=generator)
        elif a.embedding == "periodic" and a.n_numbers:
            self.numbers = PeriodicEmbedding(a.n_numbers, a.n_bins, d, generator=generator)
        self.categories = CategoryEmbedding(a.n_levels, d, generator=generator)
        n_in = a.n_numbers if a.embedding == "none" else a.n_numbers * d
        n_in += a.n_gaps + len(a.n_levels) * d
        layers: list[nn.Module] = []
        for depth, n_out in enumerate(a.hidden_dims):
            layers.append(self._layer(n_in, n_out, is_first=depth == 0, generator=generator))
            layers += [nn.ReLU(inplace=True), Dropout(a.dropout)]
            n_in = n_out
        self.hidden = nn.Sequential(*layers)
        self.head = (
            MemberHeads(n_in, a.n_outputs, a.n_members, generator=generator)
            if a.n_members > 1
            else Linear(n_in, a.n_outputs, generator=generator)
        )

    def _layer(
        self, n_in: int, n_out: int, *, is_first: bool, generator: torch.Generator
    ) -> nn.Module:
        k = self.architecture.n_members
        if k == 1:
            return Linear(n_in, n_out, generator=generator)
        return EnsembleLinear(n_in, n_out, k, is_first=is_first, generator=generator)

    def forward(self, numbers: Tensor, gaps: Tensor, codes: Tensor) -> Tensor:
        """Return logits or standardised values: (b, f), (b, g), (b, c) -> (b, k, o)."""
        x = torch.cat([self.numbers(numbers), gaps, self.categories(codes)], dim=1)  # (b, i)
        x = self.hidden(x[:, None, :])  # (b, i) -> (b, 1, i) -> (b, k or 1, o)
        outputs: Tensor = self.head(x.expand(-1, self.architecture.n_members, -1))  # (b, k, o)
        return outputs

    def count_parameters(self) -> int:
        """Return how many numbers are learned."""
        return sum(parameter.numel() for parameter in self.parameters())


def _uniform(shape: tuple[int, ...], n_in: int, generator: torch.Generator) -> Tensor:
    """Return numbers within 1 / sqrt(n_in) of zero, as torch's own linear layer starts."""
    bound = 1 / math.sqrt(max(n_in, 1))
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)


def rebuild(architecture: Mapping[str, Any], weights: Mapping[str, Any]) -> Network:
    """Return a trained network from what files keep of it.

    Parameters
    ----------
    architecture : mapping
        As `Architecture.as_dict`.
    weights : mapping of str to Tensor or ndarray
        As `state_dict`.

    Returns
    -------
    Network
        Ready to predict.
    """
    tuples = {name: tuple(architecture[name]) for name in ("n_levels", "hidden_dims")}
    made = Architecture(**{**architecture, **tuples})
    shape = made.n_numbers, made.n_bins
    bins = torch.zeros(shape), torch.zeros(shape)
    network = Network(made, bins, generator=torch.Generator())
    network.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    return network.eval()
