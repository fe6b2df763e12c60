"""Training: Adam on the mean absolute error, and the epoch with the lowest validation φ̄ is kept.

One engine trains one network or hundreds at once; they share every convolution and no gradient, so
that each becomes the network that it would have become alone.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sans import devices
from sans.configs import ModelConfig, TrainConfig
from sans.errors import ModelError
from sans.model import SAN
from sans.signals import Signals, audible
from sans.training.bank import Bank
from sans.training.descent import Adam
from sans.training.regularisation import Regularisation
from sans.training.starts import start_kernels

OnBatch = Callable[[int, int, float], None]
"""Told after each step: steps done and steps of the epoch, and the mean loss so far."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch did to one network."""

    epoch: int
    """From 1."""

    loss: float
    """Mean absolute error over the training signals, while the weights moved."""

    phi: float
    """Mean φ of the validation signals."""

    inverse_compression_ratio: float
    """Mean CR⁻¹ of the validation signals."""

    reconstruction_loss: float
    """Mean L̃ of the validation signals."""


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
    """The epoch with the lowest mean φ on the validation signals, the first of equals."""

    history: tuple[Epoch, ...]
    """Every epoch, in order."""


class Trainer:
    """Trains networks of one kind together, epoch by epoch; can be stopped and restored between.

    The networks share activation, decoder, dimensions, count of kernels and competition; sizes and
    densities may differ. Signals that are zero everywhere have no φ and are left out: `silent`
    counts them.

    Args:
        models: the networks.
        training: ``(signals, 1, *space)``.
        validation: like `training`.
        config: how to train; None: the paper's settings for recordings.

    Raises:
        ValueError: if the networks are of different kinds, or `config` or the signals do not fit
            them.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        training: Signals,
        validation: Signals,
        config: TrainConfig | None = None,
    ) -> None:
        self.config = config or TrainConfig()
        device = devices.pick(self.config.device)
        self.training, training_silent = audible(training, device)
        self.validation, validation_silent = audible(validation, device)
        self.silent = {"training": training_silent, "validation": validation_silent}
        for model in models:
            self.config.check_model(model)
            for signals in (self.training, self.validation):
                model.check_space(signals.shape[2:])

        kernels = [start_kernels(model, self.training, self.config) for model in models]
        self.bank = Bank(models, kernels, device)
        self.bank.encode(self.training[:1])  # a density that does not fit shows now
        self._shuffler = torch.Generator().manual_seed(self.config.seed)
        self._regularisation = Regularisation(models, self.config, self.training.shape[2:])
        self._best = self.bank.weights.clone()
        self._rows = np.empty((0, len(models), 4))  # the figures of an `Epoch`, but its number
        self._adam = Adam(self.bank.weights, self.config.lr)

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self._rows)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.config.epochs

    def run_epoch(self, on_batch: OnBatch | None = None) -> tuple[Epoch, ...]:
        """Pass once over the training signals, then validate; return each network's epoch."""
        with devices.steady():
            losses = self._pass_over_training(on_batch)
            scores = self.bank.score(self.validation)
        rows = torch.cat((losses[:, None], scores[:, :3]), 1).cpu().double().numpy()
        best = self._best_epochs()
        self._rows = np.concatenate((self._rows, rows[None]))
        for index in np.flatnonzero(self._best_epochs() != best):
            self._best[index] = self.bank.weights[index]
        return tuple(_epoch(self.epoch, row) for row in rows)

    def has_best(self, index: int) -> bool:
        """Return whether an epoch of the network at `index` has ended with a finite φ̄."""
        return bool(self._best_epochs()[index] >= 0)

    def result(self, index: int) -> Training:
        """Return what training has made of the network at `index` so far.

        Raises:
            ModelError: if no epoch had a finite φ.
        """
        best = int(self._best_epochs()[index])
        if best < 0:
            raise ModelError(
                f"training diverged: none of {self.epoch} epochs ended with a finite φ̄; "
                f"try a smaller learning rate than {self.config.lr:g}"
            )
        history = tuple(_epoch(i + 1, row[index]) for i, row in enumerate(self._rows))
        network = SAN(self.bank.models[index], self.bank.kernels(index, self._best.cpu()))
        return Training(network, history[best], history)

    @property
    def history(self) -> NDArray[np.float64]:
        """What every epoch did: loss, validation φ̄, CR⁻¹ and L̃, ``(epochs, models, 4)``."""
        return self._rows.copy()

    def kernels(self, last: bool = False) -> tuple[tuple[NDArray[np.float32], ...], ...]:
        """Return the kernels of every network at its best epoch, or after the last."""
        weights = (self.bank.weights if last else self._best).cpu()
        models = range(len(self.bank.models))
        return tuple(tuple(k.numpy().copy() for k in self.bank.kernels(i, weights)) for i in models)

    def score(self, signals: Signals) -> NDArray[np.float64]:
        """Score every network of the best epoch, and of the last, on other signals.

        Args:
            signals: ``(signals, 1, *space)``; those that are zero everywhere are left out.

        Returns:
            Means over the signals, ``(2, models, figures)``: best and last, the figures those of
            `sans.training.bank.FIGURES`; NaN for a network without a best epoch.
        """
        tensor, _ = audible(signals, self.training.device)
        last = self.bank.weights.clone()
        scores = []
        with devices.steady():
            for weights in (self._best, last):
                self.bank.weights.copy_(weights)
                scores.append(self.bank.score(tensor).cpu().numpy())
        scores[0][self._best_epochs() < 0] = np.nan
        return np.stack(scores)

    def state(self) -> dict[str, Tensor]:
        """Return all that the next epochs depend on, as tensors of their own on the CPU."""
        state = {
            "weights": self.bank.weights,
            "best": self._best,
            "history": torch.from_numpy(self._rows),
            "shuffler": self._shuffler.get_state(),
            **self._regularisation.state(),
            **{f"adam.{name}": tensor for name, tensor in self._adam.state.items()},
        }
        return {name: tensor.cpu().clone().contiguous() for name, tensor in state.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned; the epochs after are then the same, bit for bit.

        Raises:
            ModelError: if `state` is not of these networks; nothing has changed then.
        """
        try:
            wanted = self.state()
            epochs = len(state.get("history", ()))  # of any count
            wanted["history"] = wanted["history"].new_zeros(epochs, *wanted["history"].shape[1:])
            _check_forms(state, wanted)
            shuffler = torch.Generator().set_state(state["shuffler"])
            self._regularisation.restore(state)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"the checkpoint is of other networks: {error}") from error
        self._shuffler = shuffler
        self.bank.weights.copy_(state["weights"])
        self._best.copy_(state["best"])
        self._rows = state["history"].numpy().copy()
        for name, tensor in self._adam.state.items():
            tensor.copy_(state[f"adam.{name}"])

    def _pass_over_training(self, on_batch: OnBatch | None) -> Tensor:
        """Take every step of an epoch and return each network's mean loss, ``(models,)``."""
        order = torch.randperm(len(self.training), generator=self._shuffler)
        size = min(self.config.batch_size, len(order))
        batches = torch.split(order.to(self.training.device), size)
        total, seen = torch.zeros(len(self.bank.models), device=self.training.device), 0
        for done, batch in enumerate(batches, 1):
            total += self._step(self.training[batch]) * len(batch)
            seen += len(batch)
            if on_batch:
                on_batch(done, len(batches), total.mean().item() / seen)
        return total / seen

    def _step(self, signals: Tensor) -> Tensor:
        """Take one step of Adam and return each network's mean absolute error, ``(models,)``."""
        regularised = self._regularisation.draw(self.epoch + 1, len(signals))
        losses, gradient = self.bank.gradient(signals, regularised)
        self._adam.step(gradient)
        return losses

    def _best_epochs(self) -> NDArray[np.int64]:
        """Return the index of each network's best epoch, -1 where none has a finite φ."""
        phi = self._rows[:, :, 1]
        phi = np.where(np.isfinite(phi), phi, np.inf)
        if not len(phi):
            return np.full(len(self.bank.models), -1)
        return np.where(np.isfinite(phi.min(0)), phi.argmin(0), -1)


def _check_forms(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raise a ValueError unless every tensor has the type and shape of the one in `wanted`."""
    for name in sorted(found.keys() | wanted.keys()):
        here, there = (_form(tensors.get(name)) for tensors in (found, wanted))
        if here != there:
            raise ValueError(f"{name} is {here}, wanted {there}")


def _form(tensor: Tensor | None) -> str:
    """Return type and shape, for comparing and for telling."""
    if tensor is None:
        return "missing"
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _epoch(number: int, row: NDArray[np.float64]) -> Epoch:
    return Epoch(number, *(float(value) for value in row))
