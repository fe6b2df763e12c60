"""Networks of one kind, computed together as if they were one.

They share every convolution and no gradient, so that each stays the network that it is alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from sans import devices
from sans.activations import ACTIVATIONS, competing_extrema
from sans.configs import ModelConfig
from sans.convolution import loops, tensors
from sans.figures import Approximation, figures
from sans.metrics import spikes
from sans.signals import CHUNK, filled
from sans.training.gradient import loss_and_gradient
from sans.training.regularisation import UNREGULARISED, RegularisedStep


class Bank:
    """Networks that share activation, decoder, dimensions, count of kernels and competition.

    Their kernel sizes and densities may differ. A single network is the smallest bank. Signals have
    one lead; `sans.training.leads_bank` is for several.

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
        check_kind(models)
        self.models = tuple(models)
        self.weights = self._stack(kernels).to(device)
        """``(models, kernels, *side)``, zero around kernels that are smaller than the largest."""
        ones = [[torch.ones_like(kernel) for kernel in network] for network in kernels]
        self._inside = self._stack(ones).to(device)
        each = [[member.learned for member in model.layout.members] for model in models]
        learned = torch.tensor(each, device="cpu")
        self._learned = None if bool(learned.all()) else learned.to(device)
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

    @property
    def moved(self) -> dict[str, Tensor]:
        """What training moves, by its name in a checkpoint."""
        return {"weights": self.weights}

    def settle(self) -> None:
        """Bring what a step has moved to where it belongs: nothing to do with one lead."""

    def refresh(self) -> None:
        """Take note of what has been put into the tensors of `moved`: nothing but their values."""

    def model(self, index: int, moved: Mapping[str, Tensor]) -> ModelConfig:  # noqa: ARG002
        """Return the network at `index`, with what training has learned of its formulas.

        Args:
            index: which network.
            moved: tensors like those of `moved`.
        """
        return self.models[index]

    def encode(self, signals: Tensor, densities: Sequence[float] | None = None) -> Tensor:
        """Return activations ``(batch, models * kernels, *space)`` of ``(batch, 1, *space)``.

        Args:
            signals: what to encode.
            densities: like `self.densities`, and in their place.
        """
        signals = filled(signals)
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
    ) -> tuple[Tensor, ...]:
        """Return each network's mean absolute error, and its slope along all that is moved.

        Args:
            signals: ``(batch, 1, *space)``.
            regularised: what the step does differently from `encode`.

        Returns:
            Losses ``(models,)``, and gradients like the tensors of `moved`, zero for kernels that
            formulas give.
        """
        if self._compiled and self._activation.keeps and not bool(signals.isnan().any()):
            losses, gradient = self.gradient_by_loops(signals, regularised)
        else:
            losses, gradient = self.gradient_by_torch(signals, regularised)
        return losses, self._of_learned(gradient)

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
            signals, weights = followed(signals), followed(self.weights).requires_grad_()
            similarity = tensors.correlate(filled(signals), weights)
            kept = self._activate(similarity, regularised.densities)
            activations = self._spare(kept, regularised.spared)
            reconstruction = tensors.decode(activations, weights, self._decoder)
            losses = absolute_errors(reconstruction, signals)
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
        finite = self._finite()[:, None]
        return dict(zip(found[0][0], scores.where(finite, torch.nan).unbind(1), strict=True))

    def kernels(self, index: int, weights: Tensor) -> list[Tensor]:
        """Return the kernels of the network at `index` out of a tensor like `self.weights`."""
        return tensors.unstack(weights[index], self.models[index].kernel_sizes)

    def _finite(self) -> Tensor:
        """Return whether all that is moved of each network is finite, ``(models,)``."""
        return torch.stack([t.isfinite().flatten(1).all(1) for t in self.moved.values()]).all(0)

    def network(
        self, index: int, moved: Mapping[str, Tensor]
    ) -> tuple[list[Tensor], tuple[Tensor | None, ...]]:
        """Return kernels and patterns of leads of the network at `index` as `SAN` takes them.

        Args:
            index: which network.
            moved: tensors like those of `moved`.
        """
        return self.kernels(index, moved["weights"]), ()

    def _of_learned(self, gradient: Tensor) -> Tensor:
        """Return the gradient of weights without that of kernels that formulas give."""
        if self._learned is None:
            return gradient
        kept = self._learned.reshape(*self._learned.shape, *[1] * (gradient.ndim - 2))
        return gradient.where(kept, 0)

    def _stack(self, kernels: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the kernels of every network as one tensor ``(models, kernels, *side)``."""
        side = max(kernel.shape[-1] for network in kernels for kernel in network)
        return torch.stack([tensors.stack(network, side) for network in kernels])

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
        leads = signals.shape[1]
        activations = self.encode(signals)
        reconstruction = self.decode(activations).reshape(batch * models, leads, *space)
        # Every pair of a signal and a network is one signal to the formulas.
        activations = activations.reshape(batch * models, -1, *space)
        signals = signals[:, None].expand(batch, models, leads, *space)
        signals = signals.reshape(reconstruction.shape)
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


def absolute_errors(reconstruction: Tensor, signals: Tensor) -> Tensor:
    """Return the mean absolute error of every network over the samples that are not missing.

    Args:
        reconstruction: ``(batch, models, …)``.
        signals: what broadcasts with it.
    """
    missing = signals.isnan()
    errors = (reconstruction - filled(signals)).abs()
    if not bool(missing.any()):
        return errors.transpose(0, 1).flatten(1).mean(1)
    known = (~missing).expand_as(errors)
    sums, counts = (
        each.transpose(0, 1).flatten(1).sum(1) for each in (errors.where(known, 0), known)
    )
    return sums / counts.clamp(min=1)


def followed(tensor: Tensor) -> Tensor:
    """Return a tensor that gradients can follow, though it may come from inference mode."""
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def check_kind(models: Sequence[ModelConfig]) -> None:
    """Raise a ValueError unless networks can be trained together."""
    kinds = {
        (m.activation, m.decoder, m.dimensions, len(m.kernel_sizes), m.competition) for m in models
    }
    if len(kinds) != 1:
        raise ValueError(
            "networks trained together share activation, decoder, dimensions, count of "
            f"kernels and competition, not {sorted(kinds)}"
        )
    if len(leads := {(m.leads, m.rank, m.kernel) for m in models}) != 1:
        raise ValueError(
            f"networks trained together share leads, rank and given kernels, not {sorted(leads)}"
        )
