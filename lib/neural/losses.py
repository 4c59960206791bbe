"""What a network is judged by: losses to train on, metrics to read, both on any rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from lib.neural.devices import Rows
from lib.neural.modules import Network

EVALUATED_ROWS = 4_096  # at a time


def compute_loss(outputs: Tensor, target: Tensor, weight: Tensor, loss: str) -> Tensor:
    """Return the mean loss of all members, each judged alone.

    Members trained on the loss of their mean would stop to differ.
    """
    n_members = outputs.shape[1]
    repeated = target[:, None].expand(-1, n_members)  # (b,) -> (b, k)
    if loss == "classes":
        each = functional.cross_entropy(outputs.transpose(1, 2), repeated, reduction="none")
    elif loss == "huber":
        each = functional.smooth_l1_loss(outputs[:, :, 0], repeated, reduction="none")
    else:
        each = functional.mse_loss(outputs[:, :, 0], repeated, reduction="none")
    return (each.mean(dim=1) * weight).mean()  # (b, k) -> (b,) -> ()


def mean_of_members(outputs: Tensor, loss: str) -> Tensor:
    """Return probabilities (b, o) or values (b,): the mean over the members."""
    return outputs.softmax(dim=2).mean(dim=1) if loss == "classes" else outputs[:, :, 0].mean(dim=1)


def compute_metric(predicted: Tensor, target: Tensor, weight: Tensor) -> float:
    """Return accuracy, or R² of numbers: what people ask beside a loss."""
    if predicted.ndim == 2:
        right = (predicted.argmax(dim=1) == target).float()
        return float((right * weight).sum() / weight.sum())
    mean = (target * weight).sum() / weight.sum()
    spread = float(((target - mean) ** 2 * weight).sum())
    error = float(((target - predicted) ** 2 * weight).sum())
    return 1 - error / spread if spread > 0 else math.nan


def evaluate(network: Network, rows: Rows, loss: str) -> tuple[float, float]:
    """Return loss and metric of the members' mean on some rows."""
    predicted = predict(network, rows.numbers, rows.gaps, rows.codes, loss)
    if loss == "classes":
        chosen = predicted.gather(1, rows.target[:, None])[:, 0]  # (b, o) -> (b,)
        each = -chosen.clamp_min(1e-12).log() if torch.isfinite(chosen).all() else chosen
    elif loss == "huber":
        each = functional.smooth_l1_loss(predicted, rows.target, reduction="none")
    else:
        each = functional.mse_loss(predicted, rows.target, reduction="none")
    mean = float((each * rows.weight).sum() / rows.weight.sum())
    return mean, compute_metric(predicted, rows.target, rows.weight)


@torch.no_grad()
def predict(network: Network, numbers: Tensor, gaps: Tensor, codes: Tensor, loss: str) -> Tensor:
    """Return the members' mean for rows, some thousands at a time."""
    network.eval()
    parts = [
        mean_of_members(
            network(
                numbers[start : start + EVALUATED_ROWS],
                gaps[start : start + EVALUATED_ROWS],
                codes[start : start + EVALUATED_ROWS],
            ),
            loss,
        )
        for start in range(0, max(len(numbers), 1), EVALUATED_ROWS)
    ]
    return torch.cat(parts)
