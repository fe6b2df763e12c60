"""One trial of a search: a training that anybody who has the data can perform."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sans.configs import ModelConfig, TrainConfig
from sans.datasets import DataConfig
from sans.engines import Stopped, ending
from sans.sweeps.tasks import verified
from sans.training import PursuitTrainer

PATIENCE = 10
"""Epochs after which a trial ends that has not changed its kernels."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A training; small enough to be sent to any machine that has the data."""

    data: DataConfig
    """Which signals; whoever performs the task loads them."""

    digest: str
    """What `Dataset.digest` must say of them."""

    model: ModelConfig
    """The network that it begins with."""

    train: TrainConfig
    """How it is trained."""

    seconds: float
    """After so many it ends with the epoch that it is in."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a trial."""

    state: dict[str, NDArray[np.float64]]
    """The state of its trainer."""

    phi: float
    """Its lowest validation φ̄."""

    sizes: tuple[int, ...]
    """The sizes of the kernels that had it."""

    epochs: int
    """How many epochs it had."""

    seconds: float
    """How long it took."""

    cut: bool
    """Whether its time was over before it was."""


def perform(task: Task, stopped: Stopped) -> Outcome:
    """Train until all epochs are done, no proposal helps any more, or the time is over.

    Raises:
        DatasetError: if the data are not here, or are not those of the task.
        StoppedError: if `stopped` says so.
    """
    began = time.monotonic()
    dataset = verified(task.data, task.digest)
    training, validation = dataset.training.signals, dataset.validation.signals
    trainer = PursuitTrainer(task.model, training, validation, task.train)
    cut = False
    while not (cut or trainer.finished or trainer.unchanged >= PATIENCE):
        trainer.run_epoch(ending(stopped))
        cut = time.monotonic() - began > task.seconds
    found = trainer.result(0)
    return Outcome(
        {name: tensor.numpy() for name, tensor in trainer.state().items()},
        found.best.phi,
        found.model.config.kernel_sizes,
        trainer.epoch,
        time.monotonic() - began,
        cut,
    )
