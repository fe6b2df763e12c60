"""Convolutions as tensor operations: any device, any precision, and gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sans import devices


def stack(kernels: Sequence[Tensor], side: int | None = None) -> Tensor:
    """Return kernels of any sizes as one tensor ``(kernels, *side)``, their origins aligned.

    `side` is at least the largest kernel's, which it is where it is None.
    """
    side = side or max(kernel.shape[0] for kernel in kernels)
    return torch.stack([widened(kernel, side, kernel.ndim) for kernel in kernels])


def stack_in_leads(kernels: Sequence[Tensor], side: int | None = None) -> Tensor:
    """Return kernels ``(leads, *side)`` as one tensor ``(kernels, leads, *side)``, as `stack`."""
    side = side or max(kernel.shape[-1] for kernel in kernels)
    return torch.stack([widened(kernel, side, kernel.ndim - 1) for kernel in kernels])


def widened(weights: Tensor, side: int, dimensions: int) -> Tensor:
    """Return weights ``(..., *space)`` with zeros around them up to `side`, origins aligned.

    Args:
        weights: kernels, or what `stack` made of them.
        side: at least theirs.
        dimensions: of space.
    """
    return F.pad(weights, _margins(weights.shape[-1], side) * dimensions)


def unstack(weights: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """Return the kernels that `stack` made ``(kernels, *side)`` of: its inverse."""
    side = weights.shape[-1]
    kernels = []
    for kernel, size in zip(weights, sizes, strict=True):
        first, _ = _margins(size, side)
        kernels.append(kernel[(slice(first, first + size),) * kernel.ndim])
    return kernels


def correlate(signals: Tensor, weights: Tensor) -> Tensor:
    """Return the similarity of signals with kernels: s[t] = sum of w[j] x[t + j - (m - 1) // 2].

    Args:
        signals: ``(batch, 1, *space)``, zero beyond the border.
        weights: ``(models, kernels, *side)``.

    Returns:
        ``(batch, models * kernels, *space)``.
    """
    return convolve(signals, weights.flatten(0, 1).unsqueeze(1), groups=1)


def decode(activations: Tensor, weights: Tensor, decoder: str) -> Tensor:
    """Return the sum over each model's kernels of what their activations draw.

    Args:
        activations: ``(batch, models * kernels, *space)``.
        weights: ``(models, kernels, *side)``.
        decoder: "adjoint", the exact adjoint of `correlate`: an activation draws its kernel, its
            origin where the activation lies; "paper": a second correlation, which draws the kernel
            mirrored.

    Returns:
        ``(batch, models, *space)``.
    """
    return convolve(activations, weights, groups=len(weights), mirrored=decoder == "adjoint")


def convolve(maps: Tensor, weights: Tensor, groups: int, mirrored: bool = False) -> Tensor:
    """Correlate maps with weights, same size out.

    Args:
        maps: ``(batch, maps, *space)``, zero beyond the border.
        weights: ``(out, maps / groups, *side)``.
        groups: into how many equal parts maps and weights fall, which do not meet.
        mirrored: whether every kernel is turned about its origin, which draws it as it is.
    """
    dimensions = maps.ndim - 2
    before, after = _margins(1, weights.shape[-1])
    margins = (before, after)
    if mirrored:
        weights, margins = weights.flip(tuple(range(2, weights.ndim))), (after, before)
    conv = F.conv1d if dimensions == 1 else F.conv2d
    with devices.exact():
        return conv(F.pad(maps, margins * dimensions), weights, groups=groups)


def _margins(size: int, side: int) -> tuple[int, int]:
    """Return the zeros before and after a kernel of `size` that fill `side`, origins aligned."""
    before = (side - 1) // 2 - (size - 1) // 2
    return before, side - size - before
