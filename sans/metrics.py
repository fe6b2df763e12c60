"""How good a description is: φ and its two terms, and what each field's people read.

Every function returns one figure per signal, ``(batch,)``. Signals and reconstructions are
``(batch, 1, *space)``, activations ``(batch, kernels, *space)``.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
[Zigel]: Y. Zigel, A. Cohen, A. Katz, "The weighted diagnostic distortion (WDD) measure for ECG
signal compression", IEEE Trans. Biomed. Eng. 2000 (PRD with and without the mean).
"""

from __future__ import annotations

import torch
from torch import Tensor


def phi(
    signal: Tensor, reconstruction: Tensor, activations: Tensor, weights: int | Tensor
) -> Tensor:
    r"""Return φ, the length of the vector (verbosity, error); lower is better ([SAN] Eq. 6).

    .. math:: \varphi = \lVert (CR^{-1}, \tilde{\mathcal{L}}) \rVert_2

    φ counts numbers, not bits.

    Args:
        signal: ``(batch, 1, *space)``, in any unit.
        reconstruction: like `signal`.
        activations: ``(batch, kernels, *space)``.
        weights: the count of scalars in all kernels together, one for all signals or one for each.

    Returns:
        One φ per signal, ``(batch,)``.

    Raises:
        ValueError: if a signal is zero everywhere, so that it has no relative error, or the three
            are not of the same signals.
    """
    if len(activations) != len(signal):
        raise ValueError(f"activations of {len(activations)} signals for {len(signal)} signals")
    verbosity = inverse_compression_ratio(activations, weights)
    return torch.hypot(verbosity, reconstruction_loss(signal, reconstruction))


def inverse_compression_ratio(activations: Tensor, weights: int | Tensor) -> Tensor:
    """Return CR⁻¹ = (W + (D + 1) A) / n: numbers kept over samples described ([SAN] Eq. 4).

    An activation counts an amplitude and D coordinates; A is the count of those that are not zero.

    Args:
        activations: ``(batch, kernels, *space)``.
        weights: W, one for all signals or one for each, ``(batch,)``.
    """
    dimensions, samples = activations.ndim - 2, activations.shape[2:].numel()
    return (weights + (dimensions + 1) * spikes(activations)) / samples


def reconstruction_loss(signal: Tensor, reconstruction: Tensor) -> Tensor:
    """Return L̃ = ‖x̂ − x‖₁ / ‖x‖₁ ([SAN] Eq. 5).

    Raises:
        ValueError: if a signal is zero everywhere, so that it has no relative error, or the
            reconstruction has another shape.
    """
    if signal.shape != reconstruction.shape:
        raise ValueError(
            f"a reconstruction of shape {tuple(reconstruction.shape)} for signals of shape "
            f"{tuple(signal.shape)}"
        )
    # Summed in float64, where no float32 signal is too loud or too quiet.
    size = signal.abs().flatten(1).sum(1, dtype=torch.float64)
    if len(quiet := (size == 0).nonzero()):
        raise ValueError(f"signal {quiet[0].item()} of the batch is zero everywhere: it has no φ")
    error = (reconstruction - signal).abs().flatten(1).sum(1, dtype=torch.float64)
    return (error / size).to(signal.dtype)


def spikes(activations: Tensor) -> Tensor:
    """Return the count of activations that are not zero."""
    return activations.flatten(1).count_nonzero(1)


def prd(signal: Tensor, reconstruction: Tensor, offset: float | Tensor = 0.0) -> Tensor:
    """Return the percentage root-mean-square difference 100 ‖x − x̂‖₂ / ‖x − offset‖₂ ([Zigel]).

    Infinite where the signal equals `offset` everywhere and the reconstruction does not.
    """
    error = torch.linalg.vector_norm((signal - reconstruction).flatten(1).double(), dim=1)
    size = torch.linalg.vector_norm((signal - offset).flatten(1).double(), dim=1)
    return torch.div(100 * error, size).to(signal.dtype)


def prdn(signal: Tensor, reconstruction: Tensor) -> Tensor:
    """Return PRD with the signal's own mean as offset, which no baseline can flatter ([Zigel])."""
    return prd(signal, reconstruction, signal.mean(tuple(range(1, signal.ndim)), keepdim=True))


def snr(signal: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the signal-to-noise ratio in dB, the signal's mean subtracted: 40 − 20 log₁₀ PRDN."""
    return 40 - 20 * torch.log10(prdn(signal, reconstruction))


def psnr(signal: Tensor, reconstruction: Tensor, peak: float = 1.0) -> Tensor:
    """Return the peak signal-to-noise ratio of images in dB; `peak` is the largest legal value."""
    error = (signal - reconstruction).flatten(1).double().square().mean(1)
    return (10 * torch.log10(peak**2 / error)).to(signal.dtype)


def silent(signals: Tensor) -> Tensor:
    """Return which signals are zero everywhere, and so have no φ: booleans, ``(batch,)``."""
    return signals.flatten(1).count_nonzero(1) == 0
