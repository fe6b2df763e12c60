"""Trials of a search: trainings that go on slice by slice, on any machine with the data."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sans.configs import ModelConfig, TrainConfig
from sans.datasets import DataConfig
from sans.engines import Stopped, ending
from sans.sweeps.tasks import verified
from sans.training import trainer_for

PATIENCE = 10
"""Epochs after which a trial ends that has not changed its kernels."""

State = dict[str, NDArray[np.float64]]
"""The state of a trainer."""


@dataclass(frozen=True, slots=True, eq=False)
class TrialSlice:
    """A slice of a training; small enough to be sent to any machine that has the data."""

    data: DataConfig
    """Which signals; whoever performs the task loads them."""

    digest: str
    """What `Dataset.digest` must say of them."""

    model: ModelConfig
    """The network that the training began with."""

    train: TrainConfig
    """How it is trained."""

    state: State | None = None
    """Where the last slice has ended, None: this is the first."""

    seconds: float = math.inf
    """After so many the slice ends with the epoch that it is in."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceOutcome:
    """How a slice of a training has ended."""

    state: State
    """Where to go on."""

    phi: float
    """The lowest validation φ̄ so far, or φ̄ₐ where that was to be low."""

    typical: float
    """What trials are ranked by: the figure of a typical signal where exchanges are judged by all
    signals, which a few that are hard to describe do not decide; otherwise the same as `phi`."""

    kernel: tuple[str, ...]
    """The texts of the kernels that had it, learned ones included."""

    epochs: int
    """How many epochs there were so far."""

    seconds: float
    """How long the slice took."""

    finished: bool
    """Whether the training is over."""


def perform(task: TrialSlice, stopped: Stopped) -> SliceOutcome:
    """Train until all epochs are done, no proposal helps any more, or the time is over.

    Raises:
        DatasetError: if the data are not here, or are not those of the task.
        StoppedError: if `stopped` says so.
    """
    began = time.monotonic()
    dataset = verified(task.data, task.digest)
    training, validation = dataset.training.signals, dataset.validation.signals
    trainer = trainer_for(task.model, training, validation, task.train, threads=1)
    if task.state is not None:
        trainer.restore({name: torch.from_numpy(array) for name, array in task.state.items()})
    finished = False
    while not finished:
        trainer.run_epoch(ending(stopped))
        finished = trainer.finished or trainer.unchanged >= PATIENCE
        if time.monotonic() - began > task.seconds:
            break
    found = trainer.result()
    phi = getattr(found.best, trainer.objective)
    return SliceOutcome(
        {name: tensor.numpy() for name, tensor in trainer.state().items()},
        phi,
        trainer.typical,
        found.model.config.texts,
        trainer.epoch,
        time.monotonic() - began,
        finished,
    )


def warm_up(dimensions: int) -> None:
    """Have all that a trial needs compiled, or loaded: a budget is for searching."""
    random = np.random.default_rng(0)
    signals = random.standard_normal((2, 1, *[16] * dimensions)).astype(np.float32)
    model = ModelConfig(
        kernel_sizes=(3, 5), dimensions=dimensions, encoder="pursuit", refit="places"
    )
    config = TrainConfig(start="data", adapt=True)
    trainer_for(model, signals, signals, config, threads=1).run_epoch()
