"""Networks of one kind, computed together as if they were one.

They share every convolution and no gradient, so that each stays the network that it is alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sans import convolution, devices, metrics
from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig
from sans.signals import CHUNK
from sans.training.gradient import loss_and_gradient


class Bank:
    """Networks that share activation, decoder, dimensions and count of kernels.

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
        kinds = {(m.activation, m.decoder, m.dimensions, len(m.kernel_sizes)) for m in models}
        if len(kinds) != 1:
            raise ValueError(
                "networks trained together share activation, decoder, dimensions and count of "
                f"kernels, not {sorted(kinds)}"
            )
        self.models = tuple(models)
        self.weights = _stack(kernels).to(device)
        """``(models, kernels, *side)``, zero around kernels that are smaller than the largest."""
        ones = [[torch.ones_like(kernel) for kernel in network] for network in kernels]
        self._inside = _stack(ones).to(device)
        self._decoder = self.models[0].decoder
        self._activation = ACTIVATIONS[self.models[0].activation]
        self._densities = [density for model in self.models for density in model.densities]

    def encode(self, signals: Tensor) -> Tensor:
        """Return activations ``(batch, models * kernels, *space)`` of ``(batch, 1, *space)``."""
        similarity = convolution.correlate(signals, self.weights)
        return self._activation(similarity, self._densities)

    def decode(self, activations: Tensor) -> Tensor:
        """Return reconstructions ``(batch, models, *space)``."""
        return convolution.decode(activations, self.weights, self._decoder)

    def gradient(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Return each network's mean absolute error, and its slope along the weights.

        Args:
            signals: ``(batch, 1, *space)``.

        Returns:
            Losses ``(models,)`` and gradients like `weights`.
        """
        by_spikes = self.weights.device.type == "cpu" and self._activation.keeps
        find = self.gradient_by_spikes if by_spikes else self.gradient_by_torch
        losses, gradient = find(signals)
        return losses, gradient * self._inside

    @torch.no_grad()
    def gradient_by_spikes(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Return losses and gradients summed by compiled loops, on the CPU."""
        losses, gradient = loss_and_gradient(
            signals.numpy(), self.encode(signals).numpy(), self.weights.numpy(), self._decoder
        )
        return torch.from_numpy(losses), torch.from_numpy(gradient)

    def gradient_by_torch(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same by automatic differentiation, on any device."""
        weights = self.weights.detach().requires_grad_()
        with torch.enable_grad(), devices.exact():
            similarity = convolution.correlate(signals, weights)
            activations = self._activation(similarity, self._densities)
            reconstruction = convolution.decode(activations, weights, self._decoder)
            losses = (reconstruction - signals).abs().transpose(0, 1).flatten(1).mean(1)
            (gradient,) = torch.autograd.grad(losses.sum(), weights)
        return losses.detach(), gradient

    def score(self, signals: Tensor) -> Tensor:
        """Return the means over signals of φ, CR⁻¹ and L̃, ``(models, 3)``, in float64.

        Args:
            signals: ``(signals, 1, *space)``, none of them zero everywhere.
        """
        entries = self.weights.shape[:2].numel() * signals[0].numel()
        chunks = torch.split(signals, max(1, CHUNK // entries))
        return torch.stack([self._score(chunk) for chunk in chunks]).sum(0) / len(signals)

    def kernels(self, index: int, weights: Tensor) -> list[Tensor]:
        """Return the kernels of the network at `index` out of a tensor like `self.weights`."""
        return convolution.unstack(weights[index], self.models[index].kernel_sizes)

    @torch.no_grad()
    def _score(self, signals: Tensor) -> Tensor:
        """Return the sums over signals of φ, CR⁻¹ and L̃, ``(models, 3)``."""
        batch, models, space = len(signals), len(self.models), signals.shape[2:]
        activations = self.encode(signals)
        reconstruction = self.decode(activations).reshape(batch * models, 1, *space)
        # Every pair of a signal and a network is one signal to the metrics.
        activations = activations.reshape(batch * models, -1, *space)
        signals = signals.expand(batch, models, *space).reshape(reconstruction.shape)
        weights = torch.tensor([model.weights for model in self.models], device=signals.device)
        ratio = metrics.inverse_compression_ratio(activations, weights.repeat(batch))
        loss = metrics.reconstruction_loss(signals, reconstruction)
        scores = torch.stack((torch.hypot(ratio, loss), ratio, loss), 1)
        return scores.view(batch, models, 3).sum(0, dtype=torch.float64)


def _stack(kernels: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the kernels of every network as one tensor ``(models, kernels, *side)``."""
    side = max(kernel.shape[0] for network in kernels for kernel in network)
    return torch.stack([convolution.stack(network, side) for network in kernels])
