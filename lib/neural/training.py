"""The training loop, to be read and changed: batches, schedule, early stopping, checkpoints.

Rows lie on the device as whole tensors and batches are taken by index: at this size that is twice
as fast as a DataLoader. All chance comes from one generator, whose state a checkpoint keeps, so
that a training that was killed ends at the very weights of one that was not.
"""

from __future__ import annotations

import copy
import glob
import hashlib
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lib.errors import InputError
from lib.neural.devices import Rows, one_thread
from lib.neural.losses import compute_loss, compute_metric, evaluate, mean_of_members
from lib.neural.modules import Dropout, Network

DECAYED = ("weight", "bend")  # parameters that weight decay pulls to zero
AVERAGED_EPOCHS = 2  # how far back the running mean of the weights reaches


@dataclass(frozen=True)
class Settings:
    """How a network is trained; the estimators describe each.

    Attributes
    ----------
    learning_rate, weight_decay : float
    batch_size, max_epochs, patience : int
    warmup : float
        Share of all steps in which the learning rate rises.
    max_gradient_norm : float
    loss : {"classes", "squared", "huber"}
    last_epoch : int, optional
        Where to end on the schedule of `max_epochs`; its last by default.
    """

    learning_rate: float
    weight_decay: float
    batch_size: int
    max_epochs: int
    patience: int
    warmup: float
    max_gradient_norm: float
    loss: str
    last_epoch: int | None = None


@dataclass
class Progress:
    """Where a training stands: all that a checkpoint keeps besides module and optimizer.

    Attributes
    ----------
    epoch : int
        Epochs done.
    best_epoch : int
        The epoch of the lowest loss on the validation rows, or the last without them.
    best_loss : float
    best : dict of str to Tensor
        The weights of that epoch.
    history : list of list
        epoch, part, loss, metric, learning_rate.
    ended : str
        Why it ended; "" before.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    best: dict[str, Tensor] = field(default_factory=dict)
    history: list[list[Any]] = field(default_factory=list)
    ended: str = ""


def train(
    network: Network,
    rows: Rows,
    validation: Rows | None,
    settings: Settings,
    *,
    seed: int,
    checkpoint: Path | None = None,
) -> Progress:
    """Train a network, and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : Network
        On the device of the rows; changed in place.
    rows, validation : Rows
        Without validation rows, all epochs are trained and the last one is kept.
    settings : Settings
        How.
    seed : int
        Of the order of rows and of dropout.
    checkpoint : Path, optional
        Written after each epoch; a training that finds its own goes on from there.

    Returns
    -------
    Progress
        With the history; `ended` is "early", "all epochs" or "not finite".

    Raises
    ------
    InputError
        When the checkpoint belongs to another training, or no epoch has a finite loss.
    """
    training = _Training(network, rows, validation, settings, seed)
    with one_thread():
        if checkpoint is not None:
            _remove_torn(checkpoint)
            if checkpoint.exists():
                training.load(checkpoint)
        while not training.progress.ended:
            training.run_epoch()
            if checkpoint is not None:
                training.save(checkpoint)
    progress = training.progress
    if not progress.best:
        msg = (
            "The loss is not finite in the first epoch: lower learning_rate, "
            f"which is {settings.learning_rate:g}."
        )
        raise InputError(msg)
    network.load_state_dict(progress.best)
    network.eval()
    for module in network.modules():
        if isinstance(module, Dropout):
            module.generator = None  # a fitted network owns no chance
    return progress


def _remove_torn(checkpoint: Path) -> None:
    """Remove what a training left that was killed while it wrote a checkpoint."""
    for torn in checkpoint.parent.glob(f"{glob.escape(checkpoint.name)}.*.part"):
        torn.unlink(missing_ok=True)


class _Training:
    """One training: what changes from epoch to epoch.

    References
    ----------
    .. [1] B. Polyak, A. Juditsky (1992). Acceleration of stochastic approximation by averaging.
       SIAM Journal on Control and Optimization 30:838.
    """

    def __init__(
        self,
        network: Network,
        rows: Rows,
        validation: Rows | None,
        settings: Settings,
        seed: int,
    ) -> None:
        self.network, self.rows, self.validation = network, rows, validation
        self.settings, self.seed = settings, seed
        self.progress = Progress()
        # The running mean of the weights is what is judged and kept [1]_: single steps are too
        # noisy to stop by, and their mean predicts better.
        self.averaged = copy.deepcopy(network)
        device = rows.target.device
        self.generator = torch.Generator(device).manual_seed(seed)
        for module in network.modules():
            if isinstance(module, Dropout):
                module.generator = self.generator
        named = list(network.named_parameters())
        decayed = [p for name, p in named if name.endswith(DECAYED)]
        others = [p for name, p in named if not name.endswith(DECAYED)]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": settings.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
            fused=True,
        )
        self.mixed = device.type == "cuda" and torch.cuda.is_bf16_supported()

    def run_epoch(self) -> None:
        """Train on every row once, look at the validation rows, decide whether to go on."""
        done, settings = self.progress, self.settings
        epoch = done.epoch + 1
        loss, metric, rate = self._pass_over_rows(done.epoch)
        done.history.append([epoch, "train", loss, metric, rate])
        if self.validation is not None:
            loss, metric = evaluate(self.averaged, self.validation, settings.loss)
            done.history.append([epoch, "validation", loss, metric, rate])
        done.epoch = epoch
        if not math.isfinite(loss):
            done.ended = "not finite"
            return
        if self.validation is None or loss < done.best_loss:
            done.best_loss, done.best_epoch = loss, epoch
            state = self.averaged.state_dict()
            done.best = {name: values.detach().clone() for name, values in state.items()}
        if epoch >= (settings.last_epoch or settings.max_epochs):
            done.ended = "all epochs"
        elif epoch - done.best_epoch >= settings.patience:
            done.ended = "early"

    def _pass_over_rows(self, epoch: int) -> tuple[float, float, float]:
        """Return loss and metric of the rows as they were met, and the last learning rate."""
        rows, settings, device = self.rows, self.settings, self.rows.target.device
        n_batches = math.ceil(len(rows) / settings.batch_size)
        n_steps = settings.max_epochs * n_batches
        order = torch.randperm(len(rows), generator=self.generator, device=device)
        total, predictions, rate = torch.zeros((), device=device), [], 0.0
        self.network.train()
        for number, batch in enumerate(order.split(settings.batch_size)):
            rate = learning_rate(epoch * n_batches + number, n_steps, settings)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast(device.type, torch.bfloat16, enabled=self.mixed):
                outputs = self.network(*rows.inputs(batch))  # (b, k, o)
            outputs = outputs.float()
            loss = compute_loss(outputs, rows.target[batch], rows.weight[batch], settings.loss)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.max_gradient_norm)
            self.optimizer.step()
            self._average(epoch * n_batches + number, AVERAGED_EPOCHS * n_batches)
            total += loss.detach() * len(batch)
            predictions.append(mean_of_members(outputs.detach(), settings.loss))
        metric = compute_metric(torch.cat(predictions), rows.target[order], rows.weight[order])
        return float(total) / len(rows), metric, rate

    @torch.no_grad()
    def _average(self, step: int, reach: int) -> None:
        """Move the running mean towards the weights: over all steps at first, then the last."""
        share = 1 / max(min(step + 1, reach), 1)
        pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
        for mean, current in pairs:
            mean.lerp_(current, share)

    def save(self, path: Path) -> None:
        """Write all that the next epoch depends on; a file is complete or absent."""
        state = {
            "fingerprint": self.fingerprint(),
            "module": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "progress": asdict(self.progress),
        }
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        with beside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def load(self, path: Path) -> None:
        """Go on where a checkpoint stands: tensors and plain values, nothing that can run."""
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            msg = f"'{path}' is not a checkpoint: {error}. Delete it, or name another file."
            raise InputError(msg.splitlines()[0]) from error
        if not isinstance(state, dict) or state.get("fingerprint") != self.fingerprint():
            msg = (
                f"The checkpoint '{path}' belongs to a training with other rows or settings: "
                "delete it, or name another file."
            )
            raise InputError(msg)
        self.network.load_state_dict(state["module"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.progress = Progress(**state["progress"])

    def fingerprint(self) -> str:
        """Return 16 hex digits of rows, settings, seed and architecture."""
        told = [asdict(self.settings), self.network.architecture.as_dict(), self.seed]
        digest = hashlib.sha256(repr(told).encode())
        for part in (self.rows, self.validation):
            for tensor in vars(part).values() if part is not None else ():
                digest.update(tensor.cpu().numpy().tobytes() + b"|")
        return digest.hexdigest()[:16]


def learning_rate(step: int, n_steps: int, settings: Settings) -> float:
    """Return the learning rate of a step: a short rise, then half a cosine down to zero [1]_.

    A function of the step alone, so that a resumed training needs no state of it.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter (2017). SGDR: stochastic gradient descent with warm restarts.
       ICLR. arXiv 1608.03983.

    Examples
    --------
    >>> settings = Settings(0.1, 0.0, 32, 10, 5, 0.2, 1.0, "squared")
    >>> [round(learning_rate(step, 10, settings), 3) for step in (0, 1, 2, 6, 9)]
    [0.05, 0.1, 0.1, 0.05, 0.004]
    """
    n_warm = max(round(settings.warmup * n_steps), 1)
    if step < n_warm:
        return settings.learning_rate * (step + 1) / n_warm
    done = (step - n_warm) / max(n_steps - n_warm, 1)
    return settings.learning_rate * (1 + math.cos(math.pi * done)) / 2
