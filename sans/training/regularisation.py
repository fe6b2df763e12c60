"""Regularisation of training: annealed distances of `extrema`, and dropout of activations.

Both change steps of training only; validation and use know nothing of either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sans.configs import LARGEST, ModelConfig, TrainConfig

DROPOUT = "dropout"
"""The name of the generator's state in a checkpoint."""

STREAM = 1
"""What tells the numbers drawn here from all others that come from the same seed."""


class RegularisedStep(NamedTuple):
    """What one step of training does differently."""

    densities: Sequence[float] | None = None
    """The densities of the step, ``(models * kernels,)``; None: the networks' own."""

    spared: Tensor | None = None
    """Which activations of each network stay, ``(batch, kernels, *space)``; None: all."""


UNREGULARISED = RegularisedStep()
"""A step that encodes as validation and use do."""


class Regularisation:
    """The regularisation of all steps, of networks that are trained together.

    All networks leave out activations of the same kernels and places, those that each would leave
    out alone.

    Args:
        models: the networks, of one kind.
        config: how they are trained; its seed is that of what is left out.
        space: samples along each dimension of the signals.
    """

    def __init__(
        self, models: Sequence[ModelConfig], config: TrainConfig, space: Sequence[int]
    ) -> None:
        self.config = config
        self._densities = [density for model in models for density in model.densities]
        self._maps = (len(models[0].kernel_sizes), *space)
        seed = np.random.SeedSequence((config.seed, STREAM)).generate_state(1, np.uint64)
        self._generator = torch.Generator("cpu").manual_seed(int(seed[0]))

    def draw(self, epoch: int, batch: int) -> RegularisedStep:
        """Return how the next step is regularised, in an epoch from 1, of so many signals."""
        densities = None
        if self.config.anneal > 1:
            factor = annealing(self.config.anneal, epoch, self.config.epochs)
            densities = [lengthened(density, factor) for density in self._densities]
        spared = None
        if self.config.dropout > 0:
            drawn = torch.rand(
                (batch, *self._maps),
                generator=self._generator,
                dtype=torch.float32,
                device="cpu",
            )
            spared = drawn >= self.config.dropout
        return RegularisedStep(densities, spared)

    def state(self) -> dict[str, Tensor]:
        """Return all that the next steps depend on; nothing where nothing is drawn."""
        return {DROPOUT: self._generator.get_state()} if self.config.dropout > 0 else {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned.

        Raises:
            RuntimeError: if it is no generator's; nothing has changed then.
        """
        if self.config.dropout > 0:
            self._generator = torch.Generator("cpu").set_state(state[DROPOUT])


def annealing(most: float, epoch: int, epochs: int) -> float:
    """Return how many times its final value a distance is in an epoch.

    It falls along half a cosine from `most` in the first epoch to 1 in the last, where it stays;
    one epoch alone is the last.

    Args:
        most: from 1.
        epoch: from 1.
        epochs: how many there are.
    """
    if epoch >= epochs:
        return 1.0
    return 1 + (most - 1) * (1 + math.cos(math.pi * (epoch - 1) / (epochs - 1))) / 2


def lengthened(distance: float, factor: float) -> float:
    """Return the whole number of samples nearest to `factor` distances, of two the even one."""
    return distance if factor == 1 else min(round(distance * factor), LARGEST - 1)
