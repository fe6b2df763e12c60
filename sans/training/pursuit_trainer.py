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

from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig, TrainConfig
from sans.convolution.frames import Floats
from sans.dictionary_learning.centring import begun, centred
from sans.dictionary_learning.learner import Method, adapt, describe, turn
from sans.dictionary_learning.pieces import cut, unit
from sans.errors import ModelError
from sans.model import SAN
from sans.pursuit.stop import Stop
from sans.signals import Signals
from sans.training.base import PursuitTrainerBase, epochs_in, some
from sans.training.doubts import doubts_of
from sans.training.history import VALIDATED, Epoch
from sans.training.protocol import OnBatch, Training
from sans.training.starts import start_kernels

SAMPLES = 2**18
"""Samples of training signals, chosen anew for every epoch: more take longer, for hardly other
kernels."""

JUDGED = 2**17
"""Samples of validation signals, chosen once."""

COMPARED = 2**15
"""Samples of training signals by which starts are compared."""

TURNS = 4
"""Turns of an epoch, or, where kernels adapt, proposals."""

Kernels = list[Floats]


class PursuitTrainer(PursuitTrainerBase):
    """Trains one network with `encoder="pursuit"`; can be stopped and restored between epochs.

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
        super().__init__(model, training, validation, config)
        self._signals = self.training[:, 0].cpu().double().numpy()
        judges = self.validation[:, 0].cpu().double().numpy()
        self._judges = some(judges, JUDGED, np.random.default_rng(self.config.seed))
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

    def run_epoch(self, on_batch: OnBatch | None = None) -> tuple[Epoch, ...]:
        """Describe training signals and move the kernels, then validate; return the epoch."""
        random = self._random()
        signals = some(self._signals, SAMPLES, random)
        present = describe(signals, self._staged(signals, random), self._method)
        if not self.config.adapt:
            present = centred(signals, present, self._method, random)
        for done in range(1, TURNS + 1):
            step = adapt if self.config.adapt else turn
            present = step(signals, present, self._method, random)
            if on_batch:
                on_batch(done, TURNS, present.error)
        # As a model file will hold them.
        kernels: Kernels = [np.asarray(k.astype(np.float32), np.float64) for k in present.kernels]
        self._unchanged = self._unchanged + 1 if _equal(kernels, self._kernels) else 0
        self._kernels = kernels
        judged = describe(
            self._judges, self._kernels, replace(self._method, refit=self.model.refit)
        )
        best = self._history.best[0]
        figures = {name: getattr(judged, name) for name in VALIDATED}
        epochs = self._history.add(loss=present.error, **figures)
        if self._history.best[0] != best:
            self._best = self._kernels
        return epochs

    def result(self, index: int = 0) -> Training:
        """Return what training has made of the network so far.

        Raises:
            ModelError: if no epoch has ended.
        """
        best, history = self._best_epoch(index)
        sizes = tuple(len(kernel) for kernel in self._best)
        model = replace(self.model, kernel_sizes=sizes, densities=self._densities(sizes))
        kernels = [torch.from_numpy(kernel.astype(np.float32)) for kernel in self._best]
        judges = torch.from_numpy(self._judges)[:, None]
        doubts = doubts_of(model, self.config, history, best, judges)
        return Training(SAN(model, kernels), best, history, doubts)

    def _densities(self, sizes: tuple[int, ...]) -> tuple[float, ...]:
        """Return the densities of the activation, by the paper's rule where sizes have changed."""
        if sizes == self.model.kernel_sizes:
            return self.model.densities
        rule, dimensions = ACTIVATIONS[self.model.activation].paper_density, self.model.dimensions
        side = min(self.training.shape[2:])
        return tuple(rule(size, side, dimensions, 4 - dimensions) for size in sizes)

    def state(self) -> dict[str, Tensor]:
        """Return all that the next epochs depend on, as tensors of their own."""
        state = self._epochs_state()
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
            records, unchanged = epochs_in(state)
            kernels, best = (_stored(state, name, self.model) for name in ("kernel", "best"))
        except (KeyError, ValueError) as error:
            raise ModelError(f"the checkpoint is of another network: {error}") from error
        self._history.records = records
        self._kernels, self._best, self._unchanged = kernels, best, unchanged

    def _staged(self, signals: Floats, random: np.random.Generator) -> Kernels:
        """Return the kernels that an epoch begins with: where a stage of growth begins, the best.

        The first epoch begins with the best of some starts, where these are pieces of the data.
        There is one more as long as every stage has brought a lower validation φ̄ than the last.
        """
        if not self.epoch and self.config.start_for(self.model) == "data" and not self.config.adapt:
            return begun(some(signals, COMPARED, random), self._kernels, self._method, random)
        length = max(1, self.config.epochs // (self.config.grow + 1))
        stage = min(self.epoch // length, self.config.grow)
        if not stage or self.epoch != stage * length:
            return self._kernels
        phi = self._history.records[self.objective][:, 0]
        lowest = [phi[i * length : (i + 1) * length].min() for i in range(stage)]
        if any(later >= earlier for earlier, later in pairwise(lowest)):
            return self._best
        present = describe(signals, self._best, self._method)
        size = self.model.kernel_sizes[stage % len(self.model.kernel_sizes)]
        return [*self._best, cut(present.residuals(signals), size, random)]


def _equal(first: Kernels, second: Kernels) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))


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
