"""The cosines of a window: its orthonormal DCT-II and back, as tensor operations with gradients."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def to_frequencies(signals: Tensor, dimensions: int) -> Tensor:
    """Return the inner products of signals with the cosines of norm 1 along each dimension.

    Args:
        signals: ``(…, *space)``, real.
        dimensions: of space.

    Returns:
        Like `signals`; the place of an entry is a frequency, in half cycles a window.
    """
    for axis in range(-dimensions, 0):
        moved = signals.movedim(axis, -1)
        samples = moved.shape[-1]
        turned = torch.fft.fft(moved, 2 * samples)[..., :samples] * _turns(moved).conj()
        signals = (turned.real * _norms(moved)).movedim(-1, axis)
    return signals


def from_frequencies(amplitudes: Tensor, dimensions: int) -> Tensor:
    """Return what amplitudes of the cosines draw: the inverse of `to_frequencies`, its adjoint."""
    for axis in range(-dimensions, 0):
        moved = amplitudes.movedim(axis, -1)
        samples = moved.shape[-1]
        turned = moved * _norms(moved) * _turns(moved)
        drawn = torch.fft.ifft(turned, 2 * samples)[..., :samples].real * (2 * samples)
        amplitudes = drawn.movedim(-1, axis)
    return amplitudes


def _turns(like: Tensor) -> Tensor:
    """Return e^(i π k / 2n) for every frequency."""
    samples = like.shape[-1]
    places = torch.arange(samples, dtype=torch.float64, device=like.device)
    kind = torch.complex128 if like.dtype == torch.float64 else torch.complex64
    return torch.polar(torch.ones_like(places), places * (math.pi / (2 * samples))).to(kind)


def _norms(like: Tensor) -> Tensor:
    """Return what brings every cosine to norm 1."""
    samples = like.shape[-1]
    norms = like.new_full((samples,), math.sqrt(2 / samples))
    norms[0] = math.sqrt(1 / samples)
    return norms
