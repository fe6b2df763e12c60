"""Networks that learn the parameters of their formulas, too, computed together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sans.configs import ModelConfig
from sans.convolution import tensors
from sans.families import Spec
from sans.families.gradients import Learnable
from sans.training.bank import Bank
from sans.training.leads_bank import LeadsBank
from sans.training.regularisation import UNREGULARISED, RegularisedStep

ROOM = 4
"""How many times wider than the widest member at the start a member may become."""


class _Parameters:
    """The members of one network whose parameters are learned.

    Args:
        model: the network.
        widest: samples along a side that a member may take.
    """

    def __init__(self, model: ModelConfig, widest: int) -> None:
        self.model, self._widest = model, widest
        self._specs = {i: spec for i, spec in enumerate(model.specs) if spec.chosen}
        self.members = {i: Learnable(spec) for i, spec in self._specs.items()}
        self.places = [
            (at, member.spec, self._specs[member.spec].members.index(member.parameters))
            for at, member in enumerate(model.layout.members)
            if member.spec in self._specs
        ]
        """Of every kernel that moves: where it stands, which text gives it, and its member."""

    @property
    def values(self) -> Tensor:
        """How all parameters have changed, in one row."""
        return torch.cat([each.changes.detach().flatten() for each in self.members.values()])

    def take(self, values: Tensor, settle: bool = False) -> Tensor:
        """Take parameters like those of `values`, and return them.

        Args:
            values: what to take.
            settle: whether those out of their range are moved to its end.
        """
        counts = [each.changes.numel() for each in self.members.values()]
        rows = torch.split(values.detach().cpu(), counts)
        for row, each in zip(rows, self.members.values(), strict=True):
            with torch.no_grad():
                each.changes.copy_(row.reshape(each.changes.shape))
            if settle:
                each.settle(self._widest)
        return self.values

    def kernels(self) -> list[Tensor]:
        """Return the kernels of `places`, differentiable."""
        drawn = {i: each.kernels() for i, each in self.members.items()}
        return [drawn[text][member] for _, text, member in self.places]

    def slopes(self, along: Sequence[Tensor]) -> Tensor:
        """Return the slope along the parameters, of slopes along the kernels of `places`."""
        with torch.inference_mode(False), torch.enable_grad():
            kernels = self.kernels()
            found = torch.autograd.grad(
                kernels,
                [each.changes for each in self.members.values()],
                [each.to(kernel) for each, kernel in zip(along, kernels, strict=True)],
            )
        return torch.cat([each.flatten() for each in found])

    def config(self, sizes: Sequence[int]) -> ModelConfig:
        """Return the network with its parameters as they are now.

        Args:
            sizes: samples along a side of every kernel.
        """
        specs: list[Spec] = list(self.model.specs)
        for i, each in self.members.items():
            specs[i] = each.spec
        texts = tuple(spec.text for spec in specs)
        return replace(self.model, kernel=texts, kernel_sizes=tuple(sizes))


class _WithParameters(Bank):
    """What a bank needs to learn parameters of formulas, for one lead and for several.

    A member is drawn anew after each step, with as many samples as it then takes; there is room for
    wider ones.

    Args:
        widest: samples along a side of the signals.
        models: the networks, as of `Bank`.
        arguments: the others of the bank.
    """

    def __init__(self, widest: int, models: Sequence[ModelConfig], *arguments: Any) -> None:
        largest = max(size for model in models for size in model.kernel_sizes)
        self._side = min(widest, ROOM * largest)
        # Tensors that gradients follow do not come from inference mode.
        with torch.inference_mode(False):
            self._parameters = [_Parameters(model, self._side) for model in models]
        super().__init__(models, *arguments)
        if len({len(each.values) for each in self._parameters}) != 1:
            raise ValueError("networks trained together have equally many parameters to learn")
        values = torch.stack([each.values for each in self._parameters])
        self._values = values.to(self.weights.device)

    @property
    def moved(self) -> dict[str, Tensor]:
        """What training moves, by its name in a checkpoint."""
        return super().moved | {"parameters": self._values}

    def gradient(
        self, signals: Tensor, regularised: RegularisedStep = UNREGULARISED
    ) -> tuple[Tensor, ...]:
        """Return losses, and their slopes along all that is moved; as `Bank.gradient`."""
        losses, along, *others = super().gradient(signals, regularised)
        slopes = []
        for index, each in enumerate(self._parameters):
            drawn = self._drawn(along[index], self._sizes_of(index))
            slopes.append(each.slopes([drawn[at] for at, _, _ in each.places]))
        along_parameters = torch.stack(slopes).to(self._values)
        return losses, super()._of_learned(along), *others, along_parameters

    def settle(self) -> None:
        """Bring parameters back to their ranges, and draw their members."""
        super().settle()
        for index, each in enumerate(self._parameters):
            self._values[index] = each.take(self._values[index], settle=True)
        self._draw()

    def refresh(self) -> None:
        """Take note of parameters that have been put into the tensors of `moved`."""
        for index, each in enumerate(self._parameters):
            each.take(self._values[index])
        self._draw()

    def kernels(self, index: int, weights: Tensor) -> list[Tensor]:
        """Return the kernels of the network at `index`, of the sizes that they have now."""
        return self._drawn(weights[index], self._sizes_of(index), whole=True)

    def network(
        self, index: int, moved: Mapping[str, Tensor]
    ) -> tuple[list[Tensor], tuple[Tensor | None, ...]]:
        """Return kernels and patterns of leads of the network at `index`; as `Bank.network`."""
        with self._taken(index, moved):
            return super().network(index, moved)

    def model(self, index: int, moved: Mapping[str, Tensor]) -> ModelConfig:
        """Return the network at `index` with the parameters that it has learned."""
        with self._taken(index, moved):
            return self._parameters[index].config(self._sizes_of(index))

    @contextmanager
    def _taken(self, index: int, moved: Mapping[str, Tensor]) -> Iterator[None]:
        """Let the network at `index` have the parameters of other tensors for a while."""
        self._parameters[index].take(moved["parameters"][index])
        self._note(index)
        try:
            yield
        finally:
            self._parameters[index].take(self._values[index])
            self._note(index)

    def _of_learned(self, gradient: Tensor) -> Tensor:
        """Return the gradient of all weights: `gradient` leaves out those of formulas."""
        return gradient

    def _stack(self, kernels: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the kernels of every network as one tensor, with room for wider ones."""
        narrow = super()._stack(kernels)
        return tensors.widened(narrow, self._side, self.models[0].dimensions)

    def _sizes_of(self, index: int) -> list[int]:
        """Return samples along a side of the kernels of the network at `index`."""
        count = len(self.models[index].kernel_sizes)
        return [int(size) for size in self._sizes[index * count : (index + 1) * count]]

    def _note(self, index: int) -> list[Tensor]:
        """Take note of the sizes of members as they are now, and return their kernels."""
        count, each = len(self.models[index].kernel_sizes), self._parameters[index]
        with torch.no_grad():
            kernels = each.kernels()
        for (at, _, _), kernel in zip(each.places, kernels, strict=True):
            self._sizes[index * count + at] = kernel.shape[-1]
        return kernels

    def _draw(self) -> None:
        """Put members as they are now among the weights."""
        for index, each in enumerate(self._parameters):
            kernels = self._note(index)
            drawn = tensors.stack(kernels, self._side).to(self.weights)
            inside = tensors.stack([torch.ones_like(k) for k in kernels], self._side)
            for row, (at, _, _) in enumerate(each.places):
                self.weights[index, at] = drawn[row]
                self._inside[index, at] = inside[row].to(self._inside)

    def _drawn(self, weights: Tensor, sizes: Sequence[int], whole: bool = False) -> list[Tensor]:
        """Return kernels out of the weights of one network.

        Args:
            weights: ``(kernels, *side)``, or ``(kernels, leads, *side)`` if one is of full rank.
            sizes: of every kernel.
            whole: whether all leads of the latter are wanted, and not the first alone.
        """
        if weights.ndim == 1 + self.models[0].dimensions:
            return tensors.unstack(weights, sizes)
        by_lead = [tensors.unstack(lead, sizes) for lead in weights.unbind(1)]
        return [
            torch.stack(kernel) if whole else kernel[0] for kernel in zip(*by_lead, strict=True)
        ]


class ParametersBank(_WithParameters):
    """Networks of one lead that learn the parameters of their formulas."""


class LeadsParametersBank(_WithParameters, LeadsBank):
    """Networks of several leads that learn the parameters of their formulas."""
