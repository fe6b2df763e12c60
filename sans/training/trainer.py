"""Training: Adam on the mean absolute error, and the epoch with the lowest validation φ̄ is kept.

One engine trains one network or hundreds at once; they share every convolution and no gradient, so
that each becomes the network that it would have become alone.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sans import devices
from sans.configs import ModelConfig, TrainConfig
from sans.errors import ModelError
from sans.model import SAN
from sans.signals import Signals, audible, unit_scale
from sans.training.banks import bank_for
from sans.training.base import TrainerBase
from sans.training.descent import optimiser_for
from sans.training.doubts import doubts_of
from sans.training.history import (
    VALIDATED,
    Epoch,
    as_columns,
    as_records,
    widened,
)
from sans.training.protocol import OnBatch, Training
from sans.training.regularisation import Regularisation

Weights = NDArray[np.float32]


class Trainer(TrainerBase):
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
        super().__init__(models, training, validation, config)
        self.bank = bank_for(models, self.training, self.config)
        self.bank.encode(self.training[:1])  # a density that does not fit shows now
        self._shuffler = torch.Generator("cpu").manual_seed(self.config.seed)
        self._regularisation = Regularisation(models, self.config, self.training.shape[2:])
        self._best = {name: tensor.clone() for name, tensor in self.bank.moved.items()}
        self._optimisers = {
            name: optimiser_for(self.config, tensor) for name, tensor in self.bank.moved.items()
        }
        # Adam adds a constant to the size of a gradient, which grows with that of the signals.
        self._scale = unit_scale(self.training)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know before this training starts: nothing particular."""
        return ()

    @property
    def unchanged(self) -> int:
        """0: every epoch moves all kernels."""
        return 0

    def run_epoch(self, on_batch: OnBatch | None = None) -> tuple[Epoch, ...]:
        """Pass once over the training signals, then validate; return each network's epoch."""
        with devices.steady():
            losses = self._pass_over_training(on_batch)
            scores = self.bank.score(self.validation, VALIDATED)
        best = self._history.best
        validated = {name: scores[name].cpu() for name in VALIDATED}
        epochs = self._history.add(loss=losses.cpu(), **validated)
        for index in np.flatnonzero(self._history.best != best):
            for name, tensor in self.bank.moved.items():
                self._best[name][index] = tensor[index]
        return epochs

    def result(self, index: int = 0) -> Training:
        """Return what training has made of the network at `index` so far.

        Raises:
            ModelError: if no epoch had a finite φ.
        """
        if not self.has_best(index):
            raise ModelError(
                f"training diverged: none of {self.epoch} epochs ended with a finite φ̄; "
                f"try a smaller learning rate than {self.config.lr:g}"
            )
        history = self._history.of(index)
        best = history[self._history.best[index]]
        best_state = {name: tensor.cpu() for name, tensor in self._best.items()}
        model = self.bank.model(index, best_state)
        network = SAN(model, *self.bank.network(index, best_state))
        doubts = doubts_of(model, self.config, history, best, self.validation)
        return Training(network, best, history, doubts)

    def kernels(self, last: bool = False) -> tuple[tuple[NDArray[np.float32], ...], ...]:
        """Return the kernels of every network at its best epoch, or after the last."""
        return tuple(tuple(kernels) for kernels, _ in self.networks(last))

    def networks(self, last: bool = False) -> list[tuple[list[Weights], list[Weights | None]]]:
        """Return kernels and patterns of leads of every network, as `SAN` takes them.

        Args:
            last: whether after the last epoch, and not at the best one.
        """
        moved = self.bank.moved if last else self._best
        moved = {name: tensor.cpu() for name, tensor in moved.items()}
        found = []
        for index in range(len(self.bank.models)):
            kernels, patterns = self.bank.network(index, moved)
            arrays = [v if v is None else v.numpy().copy() for v in patterns]
            found.append(([kernel.numpy().copy() for kernel in kernels], arrays))
        return found

    def score(self, signals: Signals) -> dict[str, NDArray[np.float64]]:
        """Score every network of the best epoch, and of the last, on other signals.

        Args:
            signals: ``(signals, 1, *space)``; those that are zero everywhere are left out.

        Returns:
            Means over the signals by name, as of `Bank.score`, ``(2, models)`` each: of the best
            epoch and of the last; NaN for a network without a best epoch.
        """
        tensor, _ = audible(signals, self.device)
        last = {name: tensor.clone() for name, tensor in self.bank.moved.items()}
        scores: list[dict[str, Tensor]] = []
        with devices.steady():
            for moved in (self._best, last):
                self._move_to(moved)
                scores.append(self.bank.score(tensor))
        best, final = scores
        found = {name: torch.stack((best[name], final[name])).cpu().numpy() for name in best}
        for column in found.values():
            column[0, self._history.best < 0] = np.nan
        return found

    def state(self) -> dict[str, Tensor]:
        """Return all that the next epochs depend on, as tensors of their own on the CPU."""
        state = {
            **self.bank.moved,
            **{_best_name(name): tensor for name, tensor in self._best.items()},
            "history": torch.from_numpy(as_columns(self._history.records)),
            "shuffler": self._shuffler.get_state(),
            **self._regularisation.state(),
            **self._optimiser_state(),
        }
        if self._scale != 1:  # earlier versions had none
            state["scale"] = torch.tensor(self._scale, dtype=torch.float64, device="cpu")
        return {name: tensor.cpu().clone().contiguous() for name, tensor in state.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned; the epochs after are then the same, bit for bit.

        Raises:
            ModelError: if `state` is not of these networks; nothing has changed then.
        """
        try:
            found, wanted = dict(state), self.state()
            scale = float(found.pop("scale", 1.0))
            wanted.pop("scale", None)
            if "history" in found:
                found["history"] = torch.from_numpy(widened(found["history"].numpy()))
            epochs = len(found.get("history", ()))  # of any count
            wanted["history"] = wanted["history"].new_zeros(epochs, *wanted["history"].shape[1:])
            _check_forms(found, wanted)
            shuffler = torch.Generator("cpu").set_state(found["shuffler"])
            self._regularisation.restore(found)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"the checkpoint is of other networks: {error}") from error
        self._shuffler, self._scale = shuffler, scale
        self._move_to(found)
        for name, tensor in self._best.items():
            tensor.copy_(found[_best_name(name)])
        self._history.records = as_records(found["history"].numpy())
        for name, tensor in self._optimiser_state().items():
            tensor.copy_(found[name])

    def _move_to(self, moved: Mapping[str, Tensor]) -> None:
        """Put what training moves where tensors of these names say."""
        for name, tensor in self.bank.moved.items():
            tensor.copy_(moved[name])
        self.bank.refresh()

    def _optimiser_state(self) -> dict[str, Tensor]:
        """Return the optimisers' own tensors, by their names in a checkpoint."""
        return {
            f"{optimiser.name}.{each}" + ("" if moved == "weights" else f".{moved}"): tensor
            for moved, optimiser in self._optimisers.items()
            for each, tensor in optimiser.state.items()
        }

    def _pass_over_training(self, on_batch: OnBatch | None) -> Tensor:
        """Take every step of an epoch and return each network's mean loss, ``(models,)``."""
        order = torch.randperm(len(self.training), generator=self._shuffler, device="cpu")
        size = min(self.config.batch_size, len(order))
        batches = torch.split(order.to(self.device), size)
        total = torch.zeros(len(self.bank.models), dtype=torch.float32, device=self.device)
        seen = 0
        for done, batch in enumerate(batches, 1):
            total += self._step(self.training[batch]) * len(batch)
            seen += len(batch)
            if on_batch:
                on_batch(done, len(batches), total.mean().item() / seen)
        return total / seen

    def _step(self, signals: Tensor) -> Tensor:
        """Take one step, and return each network's mean absolute error, ``(models,)``."""
        regularised = self._regularisation.draw(self.epoch + 1, len(signals))
        losses, *gradients = self.bank.gradient(signals, regularised)
        for optimiser, gradient in zip(self._optimisers.values(), gradients, strict=True):
            optimiser.step(gradient * self._scale)
        self.bank.settle()
        return losses


def _best_name(name: str) -> str:
    """Return what a checkpoint calls the best of a tensor that is moved."""
    return "best" if name == "weights" else f"best.{name}"


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
