"""What images have in common with kernels, and activations draw with them."""

from __future__ import annotations

from torch import Tensor

from sans.convolution import tensors as convolution


def similarity(images: Tensor, kernels: Tensor) -> Tensor:
    """Return ``(batch, kernels, height, width)`` of images ``(batch, height, width)``."""
    if images.shape[1] == 1:  # then kernels have one row, too
        return convolution.correlate(images, kernels[:, 0][None])[:, :, None]
    return convolution.correlate(images[:, None], kernels[None])


def drawing(activations: Tensor, kernels: Tensor) -> Tensor:
    """Return what activations draw, ``(batch, height, width)``."""
    if activations.shape[2] == 1:
        return convolution.decode(activations[:, :, 0], kernels[:, 0][None], "adjoint")
    return convolution.decode(activations, kernels[None], "adjoint")[:, 0]


def absolute(images: Tensor) -> Tensor:
    """Return the sums of absolute values, ``(batch,)``."""
    return images.abs().sum((1, 2))
