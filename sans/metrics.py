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

    Examples:
        >>> import torch
        >>> from sans import phi
        >>> signal = torch.tensor([[[3.0, 0.0, 0.0, 1.0]]])
        >>> kept = torch.tensor([[[3.0, 0.0, 0.0, 0.0]]])  # one spike of a kernel of one sample
        >>> round(phi(signal, kept, kept, weights=1).item(), 4)  # the length of (3/4, 1/4)
        0.7906
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

    Examples:
        >>> import torch
        >>> from sans.metrics import inverse_compression_ratio
        >>> activations = torch.tensor([[[2.0, 0.0, 0.0, 0.0]]])
        >>> inverse_compression_ratio(activations, weights=1).tolist()
        [0.75]
    """
    dimensions, samples = activations.ndim - 2, activations.shape[2:].numel()
    return (weights + (dimensions + 1) * spikes(activations)) / samples


def reconstruction_loss(signal: Tensor, reconstruction: Tensor) -> Tensor:
    """Return L̃ = ‖x̂ − x‖₁ / ‖x‖₁ ([SAN] Eq. 5).

    Raises:
        ValueError: if a signal is zero everywhere, so that it has no relative error, or the
            reconstruction has another shape.

    Examples:
        >>> import torch
        >>> from sans.metrics import reconstruction_loss
        >>> signal = torch.tensor([[[3.0, 0.0, 0.0, 1.0]]])
        >>> reconstruction_loss(signal, torch.tensor([[[2.0, 0.0, 0.0, 1.0]]])).tolist()
        [0.25]
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
    """Return the count of activations that are not zero.

    Examples:
        >>> import torch
        >>> from sans.metrics import spikes
        >>> spikes(torch.tensor([[[0.0, 2.0, -1.0]]])).tolist()
        [2]
    """
    return activations.flatten(1).count_nonzero(1)


def prd(signal: Tensor, reconstruction: Tensor, offset: float | Tensor = 0.0) -> Tensor:
    """Return the percentage root-mean-square difference 100 ‖x − x̂‖₂ / ‖x − offset‖₂ ([Zigel]).

    Infinite where the signal equals `offset` everywhere and the reconstruction does not.

    Examples:
        >>> import torch
        >>> from sans.metrics import prd
        >>> prd(torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[3.0, 3.0]]])).tolist()  # 1 of 5
        [20.0]
    """
    error = torch.linalg.vector_norm((signal - reconstruction).flatten(1).double(), dim=1)
    size = torch.linalg.vector_norm((signal - offset).flatten(1).double(), dim=1)
    return torch.div(100 * error, size).to(signal.dtype)


def prdn(signal: Tensor, reconstruction: Tensor) -> Tensor:
    """Return PRD with the signal's own mean as offset, which no baseline can flatter ([Zigel]).

    Examples:
        >>> import torch
        >>> from sans.metrics import prdn
        >>> prdn(torch.tensor([[[3.0, 5.0]]]), torch.tensor([[[3.0, 5.0]]])).tolist()
        [0.0]
    """
    return prd(signal, reconstruction, signal.mean(tuple(range(1, signal.ndim)), keepdim=True))


def snr(signal: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the signal-to-noise ratio in dB, the signal's mean subtracted: 40 − 20 log₁₀ PRDN.

    Examples:
        >>> import torch
        >>> from sans.metrics import snr
        >>> signal = torch.tensor([[[-10.0, 10.0]]])
        >>> snr(signal, 0.9 * signal).round(decimals=3).tolist()
        [20.0]
    """
    return 40 - 20 * torch.log10(prdn(signal, reconstruction))


def psnr(signal: Tensor, reconstruction: Tensor, peak: float = 1.0) -> Tensor:
    """Return the peak signal-to-noise ratio of images in dB; `peak` is the largest legal value.

    Examples:
        >>> import torch
        >>> from sans.metrics import psnr
        >>> image = torch.full((1, 1, 2, 2), 0.5)
        >>> psnr(image, image - 0.1).round(decimals=3).tolist()
        [20.0]
    """
    error = (signal - reconstruction).flatten(1).double().square().mean(1)
    return (10 * torch.log10(peak**2 / error)).to(signal.dtype)


def silent(signals: Tensor) -> Tensor:
    """Return which signals are zero everywhere, and so have no φ: booleans, ``(batch,)``.

    Examples:
        >>> import torch
        >>> from sans.metrics import silent
        >>> silent(torch.tensor([[[0.0, 0.0]], [[0.0, 1.0]]])).tolist()
        [True, False]
    """
    return signals.flatten(1).count_nonzero(1) == 0
