"""Training the kernels of a pursuit, epoch by epoch.

An epoch describes training signals and moves the kernels, a few times; where kernels adapt, it
tries other sizes and numbers of them. The epoch with the lowest validation φ̄ is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from sans import devices
from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig, TrainConfig
from sans.convolution.frames import Floats
from sans.dictionary_learning.learner import Method, adapt, describe, turn
from sans.dictionary_learning.pieces import cut, unit
from sans.errors import ModelError
from sans.model import SAN
from sans.pursuit.stop import Stop
from sans.signals import Signals, audible
from sans.training.starts import start_kernels
from sans.training.trainer import Epoch, OnBatch, Training

SAMPLES = 2**18
"""Samples of training signals, chosen anew for every epoch: more take longer, for hardly other
kernels."""

JUDGED = 2**17
"""Samples of validation signals, chosen once."""

TURNS = 4
"""Turns of an epoch, or, where kernels adapt, proposals."""

Kernels = list[Floats]


class PursuitTrainer:
    """Trains one network with `encoder="pursuit"`; can be stopped and restored between epochs.

    Every epoch draws its random numbers from the seed and its own number, so that training goes on
    after a stop as if there had been none.

    Args:
        model: the network.
        training: ``(signals, 1, *space)``; signals that are zero everywhere are left out.
        validation: like `training`; they choose the epoch.
        config: how to train; None: the defaults.
        threads: how many share the work; the result is the same.

    Raises:
        ValueError: if the network does not fit the signals, or `config` does not fit the network.
    """

    def __init__(
        self,
        model: ModelConfig,
        training: Signals,
        validation: Signals,
        config: TrainConfig | None = None,
        threads: int = 1,
    ) -> None:
        self.config = config or TrainConfig()
        self.model = model
        self.training, training_silent = audible(training, devices.pick(self.config.device))
        self.validation, validation_silent = audible(validation)
        self.silent = {"training": training_silent, "validation": validation_silent}
        self.config.check_model(model)
        for signals in (self.training, self.validation):
            model.check_space(signals.shape[2:])
        self._signals = self.training[:, 0].cpu().double().numpy()
        judges = self.validation[:, 0].cpu().double().numpy()
        self._judges = _some(judges, JUDGED, np.random.default_rng(self.config.seed))
        self._method = Method(
            stop=Stop.parse(model.stop),
            dropout=self.config.dropout,
            stretches=model.stretches,
            drop_idle=self.config.adapt,
            threads=threads,
        )
        started = start_kernels(model, self.training.cpu(), self.config)
        self._kernels = [unit(kernel.double().numpy()) for kernel in started]
        self._best = self._kernels
        self.unchanged = 0
        """For how many epochs no kernel has changed."""
        self._rows = np.empty((0, 4))  # the figures of an `Epoch`, but its number

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self._rows)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.config.epochs

    def run_epoch(self, on_batch: OnBatch | None = None) -> tuple[Epoch]:
        """Describe training signals and move the kernels, then validate; return the epoch."""
        random = np.random.default_rng((self.config.seed, self.epoch))
        signals = _some(self._signals, SAMPLES, random)
        present = describe(signals, self._staged(signals, random), self._method)
        for done in range(1, TURNS + 1):
            step = adapt if self.config.adapt else turn
            present = step(signals, present, self._method, random)
            if on_batch:
                on_batch(done, TURNS, present.error)
        # As a model file will hold them.
        kernels: Kernels = [np.asarray(k.astype(np.float32), np.float64) for k in present.kernels]
        self.unchanged = self.unchanged + 1 if _equal(kernels, self._kernels) else 0
        self._kernels = kernels
        judged = describe(
            self._judges, self._kernels, replace(self._method, refit=self.model.refit)
        )
        row = (
            present.error,
            judged.phi,
            judged.inverse_compression_ratio,
            judged.reconstruction_loss,
        )
        if not self.has_best(0) or judged.phi < self._rows[:, 1].min():
            self._best = self._kernels
        self._rows = np.vstack((self._rows, row))
        return (Epoch(self.epoch, *row),)

    def has_best(self, index: int) -> bool:  # noqa: ARG002 - there is one network only
        """Return whether an epoch has ended."""
        return self.epoch > 0

    def result(self, index: int) -> Training:
        """Return what training has made of the network so far.

        Raises:
            ModelError: if no epoch has ended.
        """
        if not self.has_best(index):
            raise ModelError("no epoch was finished: there is no network yet")
        history = tuple(Epoch(i + 1, *map(float, row)) for i, row in enumerate(self._rows))
        sizes = tuple(len(kernel) for kernel in self._best)
        config = replace(self.model, kernel_sizes=sizes, densities=self._densities(sizes))
        kernels = [torch.from_numpy(kernel.astype(np.float32)) for kernel in self._best]
        return Training(SAN(config, kernels), history[self._rows[:, 1].argmin()], history)

    def _densities(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Return the densities of the activation, by the paper's rule where sizes have changed."""
        if sizes == self.model.kernel_sizes:
            return self.model.densities
        rule, dimensions = ACTIVATIONS[self.model.activation].paper_density, self.model.dimensions
        side = min(self.training.shape[2:])
        return tuple(rule(size, side, dimensions, 4 - dimensions) for size in sizes)

    def state(self) -> dict[str, Tensor]:
        """Return all that the next epochs depend on, as tensors of their own."""
        state = {"history": torch.from_numpy(self._rows.copy())}
        state["unchanged"] = torch.tensor(self.unchanged)
        for name, kernels in (("kernel", self._kernels), ("best", self._best)):
            arrays = {f"{name}.{i}": torch.from_numpy(k.copy()) for i, k in enumerate(kernels)}
            state |= arrays
        return state

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned; the epochs after are then the same, bit for bit.

        Raises:
            ModelError: if `state` is not of such a network; nothing has changed then.
        """
        try:
            history, unchanged = state["history"].numpy(), int(state["unchanged"])
            kernels, best = (_stored(state, name, self.model) for name in ("kernel", "best"))
            if history.ndim != 2 or history.shape[1] != 4:
                raise ValueError(f"a history of shape {history.shape}")
        except (KeyError, ValueError) as error:
            raise ModelError(f"the checkpoint is of another network: {error}") from error
        self._rows, self._kernels, self._best = history.copy(), kernels, best
        self.unchanged = unchanged

    def _staged(self, signals: Floats, random: np.random.Generator) -> Kernels:
        """Return the kernels that an epoch begins with: where a stage of growth begins, the best.

        There is one more as long as every stage has brought a lower validation φ̄ than the last.
        """
        length = max(1, self.config.epochs // (self.config.grow + 1))
        stage = min(self.epoch // length, self.config.grow)
        if not stage or self.epoch != stage * length:
            return self._kernels
        phi = self._rows[:, 1]
        lowest = [phi[i * length : (i + 1) * length].min() for i in range(stage)]
        if any(later >= earlier for earlier, later in pairwise(lowest)):
            return self._best
        present = describe(signals, self._best, self._method)
        size = self.model.kernel_sizes[stage % len(self.model.kernel_sizes)]
        return [*self._best, cut(present.residuals(signals), size, random)]


def _equal(first: Kernels, second: Kernels) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))


def _some(signals: Floats, samples: int, random: np.random.Generator) -> Floats:
    """Return the signals, or, where they have more samples, some by chance, in their order."""
    count = max(1, samples // signals[0].size)
    if count >= len(signals):
        return signals
    return np.asarray(signals[np.sort(random.choice(len(signals), count, replace=False))])


def _stored(state: Mapping[str, Tensor], name: str, model: ModelConfig) -> Kernels:
    """Return kernels out of a state.

    Raises:
        ValueError: if there are none, or they have other dimensions than those of the network.
    """
    kernels: Kernels = []
    while (key := f"{name}.{len(kernels)}") in state:
        kernels.append(state[key].double().numpy().copy())
    shapes = [kernel.shape for kernel in kernels]
    if not kernels or any(len(shape) != model.dimensions for shape in shapes):
        raise ValueError(f"kernels of shapes {shapes}")
    return kernels
