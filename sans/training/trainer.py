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
from torch import Tensor

from sans import convolution, devices, metrics
from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig, TrainConfig
from sans.errors import ModelError
from sans.model import SAN
from sans.signals import CHUNK, Signals, audible
from sans.training.gradient import loss_and_gradient
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
    """What training made of one configuration."""

    model: SAN
    """The network of the best epoch."""

    best: Epoch
    """The epoch with the lowest mean φ on the validation signals, the first of equals."""

    history: tuple[Epoch, ...]
    """Every epoch, in order."""


def train(
    model: ModelConfig, training: Signals, validation: Signals, config: TrainConfig | None = None
) -> Training:
    """Train one network.

    Args:
        model: what the network is.
        training: ``(signals, 1, *space)``; signals that are zero everywhere are left out.
        validation: like `training`; they choose the epoch.
        config: how to train; None: the paper's settings for recordings.

    Raises:
        ValueError: if the signals do not fit the network.
        ModelError: if no epoch had a finite φ.
    """
    trainer = Trainer([model], training, validation, config)
    while not trainer.finished:
        trainer.run_epoch()
    return trainer.result(0)


class Trainer:
    """Trains networks of one kind together, epoch by epoch; can be stopped and restored between.

    The networks share activation, decoder, dimensions and count of kernels; sizes and densities may
    differ. Signals that are zero everywhere have no φ and are left out: `silent` counts them.

    Args:
        models: the networks.
        training: ``(signals, 1, *space)``.
        validation: like `training`.
        config: how to train; None: the paper's settings for recordings.

    Raises:
        ValueError: if the networks are of different kinds, or the signals do not fit them.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        training: Signals,
        validation: Signals,
        config: TrainConfig | None = None,
    ) -> None:
        self.models = tuple(models)
        self.config = config or TrainConfig()
        _check_one_kind(self.models)
        device = devices.pick(self.config.device)
        self.training, training_silent = audible(training, device)
        self.validation, validation_silent = audible(validation, device)
        self.silent = {"training": training_silent, "validation": validation_silent}
        for model in self.models:
            for signals in (self.training, self.validation):
                model.check_space(signals.shape[2:])

        kernels = [start_kernels(model, self.training, self.config) for model in self.models]
        side = max(max(model.kernel_sizes) for model in self.models)
        self._weights = _bank(kernels, side).to(device).requires_grad_()
        ones = [[torch.ones_like(kernel) for kernel in bank] for bank in kernels]
        self._inside = _bank(ones, side).to(device)  # 1 where a kernel has a weight, 0 around it
        self._optimizer = torch.optim.Adam([self._weights], lr=self.config.lr)
        self._activation = ACTIVATIONS[self.models[0].activation]
        self._densities = [density for model in self.models for density in model.densities]
        self._shuffler = torch.Generator().manual_seed(self.config.seed)
        self._best = self._weights.detach().clone()
        self._rows = np.empty((0, len(self.models), 4))
        with torch.no_grad():
            self._encode(self.training[:1])  # a density that does not fit shows now

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
            scores = self._validate()
        rows = torch.cat((losses[:, None], scores), 1).cpu().double().numpy()
        best = self._best_epochs()
        self._rows = np.concatenate((self._rows, rows[None]))
        for index in np.flatnonzero(self._best_epochs() != best):
            self._best[index] = self._weights[index].detach()
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
        model = self.models[index]
        history = tuple(_epoch(i + 1, row[index]) for i, row in enumerate(self._rows))
        kernels = convolution.unstack(self._best[index], model.kernel_sizes)
        return Training(SAN(model, kernels), history[best], history)

    def state(self) -> dict[str, Tensor]:
        """Return all that the next epochs depend on, as tensors of their own on the CPU."""
        moments = self._optimizer.state[self._weights]
        state = {
            "weights": self._weights.detach(),
            "best": self._best,
            "history": torch.from_numpy(self._rows),
            "shuffler": self._shuffler.get_state(),
            **{f"adam.{name}": torch.as_tensor(value) for name, value in moments.items()},
        }
        return {name: tensor.cpu().clone().contiguous() for name, tensor in state.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned; the epochs after are then the same, bit for bit.

        Raises:
            ModelError: if `state` is not of these networks; nothing has changed then.
        """
        try:
            self._check_state(state)
            self._shuffler.set_state(state["shuffler"])
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"the checkpoint is of other networks: {error}") from error
        with torch.no_grad():
            self._weights.copy_(state["weights"])
            self._best.copy_(state["best"])
        self._rows = state["history"].numpy().copy()
        self._optimizer.state[self._weights] = {
            name.removeprefix("adam."): tensor.to(
                self._weights.device if tensor.ndim else "cpu"  # Adam counts its steps on the CPU
            ).clone()
            for name, tensor in state.items()
            if name.startswith("adam.")
        }

    def _check_state(self, state: Mapping[str, Tensor]) -> None:
        """Raise a ValueError unless `state` holds what `state()` returns after some epochs."""
        weights = _form(self._weights)
        epochs = len(state["history"]) if "history" in state else 0
        wanted = {
            "weights": weights,
            "best": weights,
            "history": _form(torch.empty(epochs, len(self.models), 4, dtype=torch.float64)),
            "shuffler": _form(self._shuffler.get_state()),
        }
        if epochs:
            moments = dict.fromkeys(("adam.exp_avg", "adam.exp_avg_sq"), weights)
            wanted |= {"adam.step": _form(torch.zeros(())), **moments}
        found = {name: _form(tensor) for name, tensor in state.items()}
        for name in sorted(wanted.keys() | found.keys()):
            if found.get(name) != wanted.get(name):
                raise ValueError(
                    f"{name} is {found.get(name, 'missing')}, wanted {wanted.get(name, 'nothing')}"
                )

    def _pass_over_training(self, on_batch: OnBatch | None) -> Tensor:
        """Take every step of an epoch and return each network's mean loss, ``(models,)``."""
        order = torch.randperm(len(self.training), generator=self._shuffler)
        batches = torch.split(order.to(self.training.device), self.config.batch_size)
        total, seen = torch.zeros(len(self.models), device=self.training.device), 0
        for done, batch in enumerate(batches, 1):
            total += self._step(self.training[batch]) * len(batch)
            seen += len(batch)
            if on_batch:
                on_batch(done, len(batches), total.mean().item() / seen)
        return total / seen

    def _step(self, signals: Tensor) -> Tensor:
        """Take one step of Adam and return each network's mean absolute error, ``(models,)``."""
        on_cpu = self._weights.device.type == "cpu"
        find = self._gradient_by_spikes if on_cpu else self._gradient_by_torch
        losses, gradient = find(signals)
        self._weights.grad = gradient * self._inside
        self._optimizer.step()
        return losses

    @torch.no_grad()
    def _gradient_by_spikes(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Return losses ``(models,)`` and their gradient, summed by compiled loops on the CPU."""
        losses, gradient = loss_and_gradient(
            signals.numpy(),
            self._encode(signals).numpy(),
            self._weights.detach().numpy(),
            self.models[0].decoder,
        )
        return torch.from_numpy(losses), torch.from_numpy(gradient)

    def _gradient_by_torch(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same by automatic differentiation, on any device."""
        reconstruction = self._decode(self._encode(signals))
        losses = (reconstruction - signals).abs().transpose(0, 1).flatten(1).mean(1)
        (gradient,) = torch.autograd.grad(losses.sum(), self._weights)
        return losses.detach(), gradient

    def _encode(self, signals: Tensor) -> Tensor:
        """Return activations ``(batch, models * kernels, *space)``."""
        similarity = convolution.correlate(signals, self._weights)
        return self._activation(similarity, self._densities)

    def _decode(self, activations: Tensor) -> Tensor:
        """Return reconstructions ``(batch, models, *space)``."""
        return convolution.decode(activations, self._weights, self.models[0].decoder)

    @torch.no_grad()
    def _validate(self) -> Tensor:
        """Return mean φ, CR⁻¹ and L̃ of the validation signals, ``(models, 3)``."""
        entries = self._weights.shape[:2].numel() * self.validation[0].numel()
        chunks = torch.split(self.validation, max(1, CHUNK // entries))
        total = sum((self._score(chunk) for chunk in chunks), start=torch.zeros(()))
        return torch.as_tensor(total) / len(self.validation)

    def _score(self, signals: Tensor) -> Tensor:
        """Return the sums over signals of φ, CR⁻¹ and L̃, ``(models, 3)``."""
        batch, models = len(signals), len(self.models)
        activations = self._encode(signals)
        reconstruction = self._decode(activations)
        # Every pair of a signal and a network is one signal to the metrics.
        activations = activations.reshape(batch * models, -1, *signals.shape[2:])
        reconstruction = reconstruction.flatten(0, 1).unsqueeze(1)
        signals = signals.expand_as(reconstruction.view(batch, models, *signals.shape[2:]))
        weights = torch.tensor([model.weights for model in self.models], device=signals.device)
        ratio = metrics.inverse_compression_ratio(activations, weights.repeat(batch))
        loss = metrics.reconstruction_loss(signals.reshape(reconstruction.shape), reconstruction)
        scores = torch.stack((torch.hypot(ratio, loss), ratio, loss), 1)
        return scores.view(batch, models, 3).sum(0, dtype=torch.float64)

    def _best_epochs(self) -> np.typing.NDArray[np.int64]:
        """Return the index of each network's best epoch, -1 where none has a finite φ."""
        phi = self._rows[:, :, 1]
        phi = np.where(np.isfinite(phi), phi, np.inf)
        if not len(phi):
            return np.full(len(self.models), -1)
        return np.where(np.isfinite(phi.min(0)), phi.argmin(0), -1)


def _check_one_kind(models: Sequence[ModelConfig]) -> None:
    kinds = {(m.activation, m.decoder, m.dimensions, len(m.kernel_sizes)) for m in models}
    if len(kinds) != 1:
        raise ValueError(
            "networks trained together share activation, decoder, dimensions and count of kernels, "
            f"not {sorted(kinds)}"
        )


def _form(tensor: Tensor) -> str:
    """Return type and shape, for comparing and for telling."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _bank(kernels: Sequence[Sequence[Tensor]], side: int) -> Tensor:
    """Return the kernels of every network as one tensor ``(models, kernels, *side)``."""
    return torch.stack([convolution.stack(model, side) for model in kernels])


def _epoch(number: int, row: np.typing.NDArray[np.float64]) -> Epoch:
    return Epoch(number, *(float(value) for value in row))
