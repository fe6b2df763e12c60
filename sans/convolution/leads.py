"""Convolutions with kernels of several leads as tensor operations: any device, and gradients.

A kernel of rank one is a shape that is drawn in every lead, by the numbers of a pattern; one of
full rank has weights of its own in every lead. Their tensors go together: a kernel of full rank has
a pattern of ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sans.convolution.tensors import convolve


def correlate(signals: Tensor, weights: Tensor, patterns: Tensor) -> Tensor:
    """Return the similarity of signals with kernels, summed over leads.

    Args:
        signals: ``(batch, leads, *space)``, zero beyond the border.
        weights: ``(models, kernels, *side)`` of rank one, ``(models, kernels, leads, *side)`` of
            full rank, origins aligned.
        patterns: ``(models, kernels, leads)``.

    Returns:
        ``(batch, models * kernels, *space)``.
    """
    if _is_full(weights, signals):
        return convolve(signals, _spread(weights, patterns).flatten(0, 1), groups=1)
    mixed = torch.einsum("kl,bl...->bk...", patterns.flatten(0, 1), signals)
    shapes = weights.flatten(0, 1).unsqueeze(1)
    return convolve(mixed, shapes, groups=len(shapes))


def decode(activations: Tensor, weights: Tensor, patterns: Tensor, decoder: str) -> Tensor:
    """Return the sum over each model's kernels of what their activations draw.

    Args:
        activations: ``(batch, models * kernels, *space)``.
        weights: as in `correlate`.
        patterns: ``(models, kernels, leads)``.
        decoder: "adjoint" or "paper", as in `sans.convolution.tensors.decode`.

    Returns:
        ``(batch, models, leads, *space)``.
    """
    models, leads = len(weights), patterns.shape[-1]
    mirrored = decoder == "adjoint"
    if not _is_full(weights, activations):
        shapes = weights.flatten(0, 1).unsqueeze(1)
        drawn = convolve(activations, shapes, groups=len(shapes), mirrored=mirrored)
        return torch.einsum("mkl,bmk...->bml...", patterns, torch.unflatten(drawn, 1, (models, -1)))
    laid = _spread(weights, patterns).transpose(1, 2).flatten(0, 1)
    drawn = convolve(activations, laid, groups=models, mirrored=mirrored)
    return torch.unflatten(drawn, 1, (models, leads))


def _is_full(weights: Tensor, maps: Tensor) -> bool:
    """Return whether weights have an axis of leads, beside maps ``(batch, …, *space)``."""
    return weights.ndim == maps.ndim + 1


def _spread(weights: Tensor, patterns: Tensor) -> Tensor:
    """Return ``(models, kernels, leads, *side)``, every lead by its number of the pattern."""
    return weights * patterns.reshape(*patterns.shape, *[1] * (weights.ndim - patterns.ndim))
