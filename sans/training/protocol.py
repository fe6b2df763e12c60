"""What every trainer does, whatever it trains: all that runs, searches and progress know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sans.configs import TrainConfig
from sans.model import SAN
from sans.training.history import Epoch, Records

OnBatch = Callable[[int, int, float], None]
"""Told after each step: steps done and steps of the epoch, and the mean loss so far."""


@dataclass(frozen=True, slots=True)
class Training:
    """What training made of one configuration.

    Examples:
        >>> import numpy as np
        >>> from sans import ModelConfig, TrainConfig, train
        >>> signals = np.random.default_rng(0).normal(size=(4, 1, 100)).astype(np.float32)
        >>> found = train(ModelConfig(kernel_sizes=(5,)), signals, signals, TrainConfig(epochs=3))
        >>> [epoch.epoch for epoch in found.history]
        [1, 2, 3]
        >>> found.best.phi == min(epoch.phi for epoch in found.history)
        True
    """

    model: SAN
    """The network of the best epoch, on the CPU."""

    best: Epoch
    """The epoch with the lowest mean φ on the validation signals, the first of equals; of a pursuit
    that minimises φₐ, with the lowest mean φₐ."""

    history: tuple[Epoch, ...]
    """Every epoch, in order."""

    doubts: tuple[str, ...] = ()
    """Why the network may be of no use, one sentence each: it keeps no spike, its loss grew."""


class TrainerProtocol(Protocol):
    """Trains networks epoch by epoch; can be stopped and restored between any two.

    A new kind of trainer has these members, and a line in `sans.training.trainer_for`. Networks
    are counted from 0; a trainer of one network has the one at 0.
    """

    config: TrainConfig
    """How it trains."""

    device: torch.device
    """Where signals lie, and where a trained network is best used."""

    silent: dict[str, int]
    """How many signals were left out because they are zero everywhere, by part: "training" and
    "validation"."""

    sparse: dict[str, int]
    """The same, because too many of their samples are missing."""

    @property
    def objective(self) -> str:
        """Which figure of the validation signals judges the epochs: "phi" or "phi_addressed"."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know before this training starts, one sentence each."""

    @property
    def epoch(self) -> int:
        """How many epochs are done."""

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""

    @property
    def unchanged(self) -> int:
        """For how many epochs no kernel has changed; 0 where each moves them all."""

    @property
    def history(self) -> Records:
        """What every epoch did to every network, ``(epochs, networks)``."""

    @property
    def typical(self) -> float:
        """What a search ranks networks by, the lowest first; infinite before the first epoch."""

    def run_epoch(self, on_batch: OnBatch | None = None) -> tuple[Epoch, ...]:
        """Do one epoch, then validate; return it for each network.

        Args:
            on_batch: called after each step. What it raises ends the epoch half-way: then only
                `restore` makes the trainer fit for use again.
        """

    def has_best(self, index: int = 0) -> bool:
        """Return whether an epoch of the network at `index` has ended with a finite φ̄."""

    def result(self, index: int = 0) -> Training:
        """Return what training has made of the network at `index` so far.

        Raises:
            ModelError: if no epoch has ended with a finite φ̄.
        """

    def state(self) -> dict[str, Tensor]:
        """Return all that the next epochs depend on, as tensors of their own on the CPU."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned; the epochs after are then the same, bit for bit.

        Raises:
            ModelError: if `state` is not of these networks; nothing has changed then.
        """
