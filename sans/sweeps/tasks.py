"""The work of a sweep in pieces: networks of one kind that are trained together, anywhere."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sans import devices
from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig, TrainConfig
from sans.configs.grid import Grid
from sans.datasets import DataConfig, Dataset, load
from sans.engines import Stopped, ending
from sans.errors import DatasetError
from sans.training import Trainer
from sans.training.history import Records

TOGETHER = {"cpu": 2**17, "cuda": 2**26}
"""Entries of activations that a step of the networks of one task computes: enough to make a step
worth its overhead, few enough to stay in a processor's cache, or to fill a graphics card."""


@dataclass(frozen=True, slots=True)
class SweepTask:
    """Networks to train together; small enough to be sent to any machine that has the data."""

    data: DataConfig
    """Which signals; whoever performs the task loads them."""

    digest: str
    """What `Dataset.digest` must say of them."""

    models: tuple[ModelConfig, ...]
    """Networks of one kind, that is, of one activation."""

    train: TrainConfig
    """How they are trained."""


@dataclass(frozen=True, slots=True, eq=False)
class SweepOutcome:
    """What became of the networks of a task."""

    history: Records
    """What every epoch did, ``(epochs, models)``; the fields are the figures of `Epoch`."""

    test: dict[str, NDArray[np.float64]]
    """The means of `Trainer.score` on the test part by name, ``(2, models)`` each: of the best
    epoch and of the last; NaN for a network that diverged."""

    kernels: tuple[tuple[NDArray[np.float32], ...], ...]
    """The kernels of each network at its best epoch."""

    last_kernels: tuple[tuple[NDArray[np.float32], ...], ...]
    """The kernels of each network after the last epoch."""

    patterns: tuple[tuple[NDArray[np.float32] | None, ...], ...] = ()
    """The patterns of leads of each network's kernels at its best epoch, as `StoredModel` has them;
    nothing at all where signals have one lead."""


MOST_LOADED = 4

_LOADED: dict[tuple[DataConfig, str], Dataset] = {}
"""By digest too: a worker may live longer than the content of a file."""

_LOADING = threading.Lock()


def plan(
    data: DataConfig, dataset: Dataset, grid: Grid, train: TrainConfig
) -> tuple[SweepTask, ...]:
    """Return the tasks of a sweep, always the same for the same settings.

    Raises:
        ValueError: if no network of the grid fits the signals, or a density does not.
    """
    _, leads, *space = dataset.training.signals.shape
    tolerance = dataset.recipe.tolerance
    if grid.density is not None:
        for activation in grid.activation:  # what does not fit shows now
            try:
                empty = torch.zeros((1, 1, *space), dtype=torch.float32, device="cpu")
                ACTIVATIONS[activation](empty, grid.density)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{activation} on {dataset.name}: {error}") from error
    digest = dataset.digest
    entries = min(train.batch_size, len(dataset.training.signals)) * math.prod(space) * grid.kernels
    train = replace(train, device=devices.pick(train.device).type)  # the same wherever it is done
    together = max(1, TOGETHER[train.device] // entries)
    tasks = []
    for seed in range(train.seed, train.seed + grid.seeds):
        for activation in grid.activation:
            models = grid.models(activation, space, tolerance, leads)
            if not models:
                raise ValueError(
                    f"no kernel size fits {dataset.name}, which wants 1 to {min(space)}: "
                    f"{min(grid.kernel_size)} is the smallest"
                )
            # Dealt out like cards: a large kernel takes longer than a small one.
            piles = -(-len(models) // together)
            for pile in range(piles):
                tasks.append(
                    SweepTask(data, digest, models[pile::piles], replace(train, seed=seed))
                )
    return tuple(tasks)


def perform(task: SweepTask, stopped: Stopped) -> SweepOutcome:
    """Train the networks of a task and score them on the test part.

    Raises:
        DatasetError: if the data are not here, or are not those of the task.
        StoppedError: if `stopped` says so.
    """
    dataset = verified(task.data, task.digest)
    training, validation = dataset.training.signals, dataset.validation.signals
    trainer = Trainer(task.models, training, validation, task.train)
    while not trainer.finished:
        trainer.run_epoch(ending(stopped))
    networks = trainer.networks()
    return SweepOutcome(
        trainer.history,
        trainer.score(dataset.test.signals),
        tuple(tuple(kernels) for kernels, _ in networks),
        trainer.kernels(last=True),
        tuple(tuple(patterns) for _, patterns in networks if patterns),
    )


def verified(data: DataConfig, digest: str) -> Dataset:
    """Load a data set, once for tasks that follow each other.

    Raises:
        DatasetError: if it is not here, or is not what it was when the work was planned.
    """
    with _LOADING:  # threads that want the same wait for the first of them
        if (data, digest) not in _LOADED:
            dataset = load(data)
            if (found := dataset.digest) != digest:
                raise DatasetError(
                    f"{dataset.name} differs from what the work was planned for: "
                    f"its digest is {found}, not {digest}"
                )
            keep(data, digest, dataset)
        return _LOADED[data, digest]


def keep(data: DataConfig, digest: str, dataset: Dataset) -> None:
    """Have the tasks of this process find a data set that is loaded, until others are."""
    _LOADED[data, digest] = dataset
    for oldest in list(_LOADED)[:-MOST_LOADED]:
        del _LOADED[oldest]
