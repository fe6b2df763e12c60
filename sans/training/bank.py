"""Networks of one kind, computed together as if they were one.

They share every convolution and no gradient, so that each stays the network that it is alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sans import devices
from sans.activations import ACTIVATIONS, competing_extrema
from sans.configs import ModelConfig
from sans.convolution import loops, tensors
from sans.figures import Approximation, figures
from sans.metrics import spikes
from sans.signals import CHUNK
from sans.training.gradient import loss_and_gradient
from sans.training.regularisation import UNREGULARISED, RegularisedStep


class Bank:
    """Networks that share activation, decoder, dimensions, count of kernels and competition.

    Their kernel sizes and densities may differ. A single network is the smallest bank.

    Args:
        models: the networks.
        kernels: the weights of every network's kernels, ``(size,)`` or ``(size, size)`` each.
        device: where to compute.

    Raises:
        ValueError: if the networks are of different kinds.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        kernels: Sequence[Sequence[Tensor]],
        device: torch.device,
    ) -> None:
        kinds = {
            (m.activation, m.decoder, m.dimensions, len(m.kernel_sizes), m.competition)
            for m in models
        }
        if len(kinds) != 1:
            raise ValueError(
                "networks trained together share activation, decoder, dimensions, count of "
                f"kernels and competition, not {sorted(kinds)}"
            )
        self.models = tuple(models)
        self.weights = _stack(kernels).to(device)
        """``(models, kernels, *side)``, zero around kernels that are smaller than the largest."""
        ones = [[torch.ones_like(kernel) for kernel in network] for network in kernels]
        self._inside = _stack(ones).to(device)
        self._compiled = device.type == "cpu"
        self._decoder = self.models[0].decoder
        self._activation = ACTIVATIONS[self.models[0].activation]
        self._competition = self.models[0].competition
        self.densities = [density for model in self.models for density in model.densities]
        """The density of every kernel of every network, ``(models * kernels,)``."""
        sizes = [size for model in self.models for size in model.kernel_sizes]
        self._sizes = np.array(sizes, np.int64)
        counted = [(model.weights, sum(model.kernel_sizes)) for model in self.models]
        self._counted_weights = torch.tensor(counted, device=device)

    def encode(self, signals: Tensor, densities: Sequence[float] | None = None) -> Tensor:
        """Return activations ``(batch, models * kernels, *space)`` of ``(batch, 1, *space)``.

        Args:
            signals: what to encode.
            densities: like `self.densities`, and in their place.
        """
        if self._compiled:
            kernels = self.weights.flatten(0, 1).numpy()
            found = loops.correlate(signals.numpy(), kernels, self._sizes)
            similarity = torch.from_numpy(found)
        else:
            similarity = tensors.correlate(signals, self.weights)
        return self._activate(similarity, densities)

    def decode(self, activations: Tensor) -> Tensor:
        """Return reconstructions ``(batch, models, *space)``."""
        if self._compiled:
            kernels, models = self.weights.flatten(0, 1).numpy(), len(self.models)
            drawn = loops.decode(activations.numpy(), kernels, self._sizes, models, self._decoder)
            return torch.from_numpy(drawn)
        return tensors.decode(activations, self.weights, self._decoder)

    def gradient(
        self, signals: Tensor, regularised: RegularisedStep = UNREGULARISED
    ) -> tuple[Tensor, Tensor]:
        """Return each network's mean absolute error, and its slope along the weights.

        Args:
            signals: ``(batch, 1, *space)``.
            regularised: what the step does differently from `encode`.

        Returns:
            Losses ``(models,)`` and gradients like `weights`.
        """
        if self._compiled and self._activation.keeps:
            return self.gradient_by_loops(signals, regularised)
        return self.gradient_by_torch(signals, regularised)

    @torch.no_grad()
    def gradient_by_loops(
        self, signals: Tensor, regularised: RegularisedStep = UNREGULARISED
    ) -> tuple[Tensor, Tensor]:
        """Return losses and gradients summed by compiled loops, on the CPU."""
        activations = self._spare(self.encode(signals, regularised.densities), regularised.spared)
        losses, gradient = loss_and_gradient(
            signals.numpy(), activations.numpy(), self.weights.numpy(), self._sizes, self._decoder
        )
        return torch.from_numpy(losses), torch.from_numpy(gradient)

    def gradient_by_torch(
        self, signals: Tensor, regularised: RegularisedStep = UNREGULARISED
    ) -> tuple[Tensor, Tensor]:
        """Return the same by automatic differentiation, on any device.

        The same but for entries that are kept and exactly zero, which pass a gradient here.
        """
        with torch.inference_mode(False), torch.enable_grad(), devices.exact():
            signals, weights = _followed(signals), _followed(self.weights).requires_grad_()
            similarity = tensors.correlate(signals, weights)
            kept = self._activate(similarity, regularised.densities)
            activations = self._spare(kept, regularised.spared)
            reconstruction = tensors.decode(activations, weights, self._decoder)
            losses = (reconstruction - signals).abs().transpose(0, 1).flatten(1).mean(1)
            (gradient,) = torch.autograd.grad(losses.sum(), weights)
        return losses.detach(), gradient * self._inside

    def score(self, signals: Tensor, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Return means over signals by name, ``(models,)`` each, in float64.

        A network with a weight that is not finite has none of them: NaN.

        Args:
            signals: ``(signals, 1, *space)``, none of them zero everywhere.
            names: of rows of `sans.figures.METRICS`; None: all that a sweep computes. Figures
                counted as published are then there for signals, too, where they are the same.
        """
        entries = self.weights.shape[:2].numel() * signals[0].numel()
        chunks = torch.split(signals, max(1, CHUNK // entries))
        found = [self._score(chunk, names) for chunk in chunks]
        scores = torch.stack([sums for _, sums in found]).sum(0) / len(signals)
        finite = self.weights.isfinite().flatten(1).all(1, keepdim=True)
        return dict(zip(found[0][0], scores.where(finite, torch.nan).unbind(1), strict=True))

    def kernels(self, index: int, weights: Tensor) -> list[Tensor]:
        """Return the kernels of the network at `index` out of a tensor like `self.weights`."""
        return tensors.unstack(weights[index], self.models[index].kernel_sizes)

    def _activate(self, similarity: Tensor, densities: Sequence[float] | None) -> Tensor:
        densities = self.densities if densities is None else densities
        if self._competition:
            return competing_extrema(similarity, densities, rivals=self.weights.shape[1])
        return self._activation(similarity, densities)

    def _spare(self, activations: Tensor, spared: Tensor | None) -> Tensor:
        """Leave out the activations that are not spared, of every network alike."""
        if spared is None:
            return activations
        alike = torch.cat([spared.to(activations.device)] * len(self.models), 1)
        return activations.where(alike, 0)

    @torch.no_grad()
    def _score(self, signals: Tensor, names: Sequence[str] | None) -> tuple[Sequence[str], Tensor]:
        """Return names of figures and their sums over signals, ``(models, figures)``."""
        batch, models, space = len(signals), len(self.models), signals.shape[2:]
        activations = self.encode(signals)
        reconstruction = self.decode(activations).reshape(batch * models, 1, *space)
        # Every pair of a signal and a network is one signal to the formulas.
        activations = activations.reshape(batch * models, -1, *space)
        signals = signals.expand(batch, models, *space).reshape(reconstruction.shape)
        weights, published = self._counted_weights.repeat(batch, 1).T
        found = Approximation(
            signals,
            reconstruction,
            spikes(activations),
            weights,
            published,
            shapes=activations.shape[1],
        )
        names = tuple(figures(found, swept=True)) if names is None else names
        scores = torch.stack([found[name] for name in names], 1)
        return names, scores.view(batch, models, -1).sum(0, dtype=torch.float64)


def _followed(tensor: Tensor) -> Tensor:
    """Return a tensor that gradients can follow, though it may come from inference mode."""
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def _stack(kernels: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the kernels of every network as one tensor ``(models, kernels, *side)``."""
    side = max(kernel.shape[0] for network in kernels for kernel in network)
    return torch.stack([tensors.stack(network, side) for network in kernels])
