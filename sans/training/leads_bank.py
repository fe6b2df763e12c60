"""Networks of several leads, computed together: shapes with patterns of leads, or full rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sans import devices
from sans.configs import ModelConfig
from sans.convolution import leads, tensors
from sans.signals import filled
from sans.training.bank import Bank, absolute_errors, followed
from sans.training.regularisation import UNREGULARISED, RegularisedStep


class LeadsBank(Bank):
    """Networks of one kind whose signals have several leads, ``(batch, leads, *space)``.

    Gradients are followed by torch. Patterns that are learned keep norm 1: after each step their
    length goes over to the shapes that are learned with them.

    Args:
        models: the networks.
        kernels: the weights of every network's kernels, ``(*side,)``, of full rank ``(leads,
            *side)``.
        patterns: those of every network's layout, ``(leads,)`` each.
        device: where to compute.

    Raises:
        ValueError: if the networks are of different kinds.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        kernels: Sequence[Sequence[Tensor]],
        patterns: Sequence[Sequence[Tensor]],
        device: torch.device,
    ) -> None:
        layout, self._leads = models[0].layout, models[0].leads
        self._places = [member.pattern for member in layout.members]
        self._is_full = any(place is None for place in self._places)
        super().__init__(models, [self._widened(network) for network in kernels], device)
        empty = torch.empty((0, self._leads), dtype=torch.float32, device="cpu")
        laid = [torch.stack([*network]) if network else empty for network in patterns]
        self._patterns = torch.stack(laid).to(device)
        """``(models, patterns, leads)``."""
        free = [each is None for each in layout.patterns]
        self._free = torch.tensor(free, dtype=torch.bool, device=device)

    @property
    def moved(self) -> dict[str, Tensor]:
        """What training moves, by its name in a checkpoint."""
        found = {"weights": self.weights}
        return found | ({"patterns": self._patterns} if bool(self._free.any()) else {})

    def settle(self) -> None:
        """Bring learned patterns to norm 1, and what they were longer to the learned shapes."""
        norms = torch.linalg.vector_norm(self._patterns, dim=-1, keepdim=True)
        norms = norms.where((norms > 0) & norms.isfinite() & self._free[:, None], 1)
        self._patterns /= norms
        ones = norms.new_ones(len(norms), 1, 1)
        factors = torch.cat([norms, ones], 1)[:, self._rows()]
        if self._learned is not None:
            factors = factors.where(self._learned[..., None], 1)
        self.weights *= factors.reshape(*factors.shape[:2], *[1] * (self.weights.ndim - 2))

    def encode(self, signals: Tensor, densities: Sequence[float] | None = None) -> Tensor:
        """Return activations ``(batch, models * kernels, *space)``; as `Bank.encode`."""
        by_kernel = self._by_kernel(self._patterns)
        similarity = leads.correlate(filled(signals), self.weights, by_kernel)
        return self._activate(similarity, densities)

    def decode(self, activations: Tensor) -> Tensor:
        """Return reconstructions ``(batch, models, leads, *space)``."""
        by_kernel = self._by_kernel(self._patterns)
        return leads.decode(activations, self.weights, by_kernel, self._decoder)

    def gradient(
        self, signals: Tensor, regularised: RegularisedStep = UNREGULARISED
    ) -> tuple[Tensor, ...]:
        """Return each network's mean absolute error, and its slope along all that is moved.

        Args:
            signals: ``(batch, leads, *space)``.
            regularised: what the step does differently from `encode`.
        """
        with torch.inference_mode(False), torch.enable_grad(), devices.exact():
            signals = followed(signals)
            weights, patterns = (
                followed(each).requires_grad_() for each in (self.weights, self._patterns)
            )
            by_kernel = self._by_kernel(patterns)
            similarity = leads.correlate(filled(signals), weights, by_kernel)
            kept = self._activate(similarity, regularised.densities)
            activations = self._spare(kept, regularised.spared)
            drawn = leads.decode(activations, weights, by_kernel, self._decoder)
            losses = absolute_errors(drawn, signals[:, None])
            slopes = torch.autograd.grad(losses.sum(), (weights, patterns), allow_unused=True)
        along_weights = self._of_shapes(self._of_learned(_known(slopes[0], weights)) * self._inside)
        along_patterns = _known(slopes[1], patterns).where(self._free[:, None], 0)
        return losses.detach(), along_weights, *[along_patterns] * bool(self._free.any())

    def network(
        self, index: int, moved: Mapping[str, Tensor]
    ) -> tuple[list[Tensor], tuple[Tensor | None, ...]]:
        """Return kernels and patterns of leads of a network, the largest entries positive.

        Args:
            index: which network.
            moved: tensors like those of `moved`.
        """
        laid = moved.get("patterns", self._patterns.to(moved["weights"].device))[index]
        signs = [self._sign(index, place, pattern) for place, pattern in enumerate(laid)]
        kernels: list[Tensor] = []
        patterns: list[Tensor | None] = []
        members = self.models[index].layout.members
        for member, kernel in zip(members, self.kernels(index, moved["weights"]), strict=True):
            if (place := member.pattern) is None:
                kernels.append(kernel)
                patterns.append(None)
                continue
            shape = kernel[0] if self._is_full else kernel
            kernels.append(shape * signs[place] if member.learned else shape)
            patterns.append(laid[place] * signs[place])
        return kernels, tuple(patterns)

    def kernels(self, index: int, weights: Tensor) -> list[Tensor]:
        """Return the kernels of the network at `index`; with leads first if one is of full rank."""
        sizes = self.models[index].kernel_sizes
        if not self._is_full:
            return tensors.unstack(weights[index], sizes)
        by_lead = [tensors.unstack(weights[index, :, lead], sizes) for lead in range(self._leads)]
        return [torch.stack(kernel) for kernel in zip(*by_lead, strict=True)]

    def _sign(self, index: int, place: int, pattern: Tensor) -> float:
        """Return -1 for a pattern that is stored the other way round, otherwise 1."""
        model = self.models[index]
        of = [member for member in model.layout.members if member.pattern == place]
        turns = model.activation != "relu" or all(member.learned for member in of)
        largest = pattern[pattern.abs().argmax()]
        return -1.0 if turns and bool(self._free[place]) and bool(largest < 0) else 1.0

    def _widened(self, kernels: Sequence[Tensor]) -> list[Tensor]:
        """Return kernels of one network alike: if one has leads, all have."""
        if not self._is_full:
            return list(kernels)
        pairs = zip(kernels, self._places, strict=True)
        return [
            kernel if place is None else kernel.expand(self._leads, *kernel.shape)
            for kernel, place in pairs
        ]

    def _stack(self, kernels: Sequence[Sequence[Tensor]]) -> Tensor:
        if not self._is_full:
            return super()._stack(kernels)
        side = max(kernel.shape[-1] for network in kernels for kernel in network)
        return torch.stack([tensors.stack_in_leads(network, side) for network in kernels])

    def _rows(self) -> list[int]:
        """Return the pattern of every kernel, behind the last one where it has none."""
        last = self._patterns.shape[1]
        return [last if place is None else place for place in self._places]

    def _by_kernel(self, patterns: Tensor) -> Tensor:
        """Return the pattern of every kernel, ``(models, kernels, leads)``: ones of full rank."""
        ones = patterns.new_ones(len(patterns), 1, self._leads)
        return torch.cat([patterns, ones], 1)[:, self._rows()]

    def _of_shapes(self, gradient: Tensor) -> Tensor:
        """Return a gradient that moves the leads of a kernel alike where it is one shape."""
        if not self._is_full:
            return gradient
        shaped = torch.tensor(
            [place is not None for place in self._places], device=gradient.device
        ).reshape(1, -1, *[1] * (gradient.ndim - 2))
        return torch.where(shaped, gradient.sum(2, keepdim=True), gradient)


def _known(slope: Tensor | None, along: Tensor) -> Tensor:
    """Return a slope, zeros where nothing depends on it."""
    return torch.zeros_like(along) if slope is None else slope
