"""How good a description is: φ and its two terms, and what each field's people read.

Every function returns one figure per signal, ``(batch,)``. Signals and reconstructions are
``(batch, leads, *space)``, activations ``(batch, shapes, *space)``: tensors, whose gradients stay,
or arrays, which become tensors. A sample of a signal that is NaN is missing: it counts in no sum,
and neither does what is drawn there. The formulas are those of the table in `sans.figures`.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
[Zigel]: Y. Zigel, A. Cohen, A. Katz, "The weighted diagnostic distortion (WDD) measure for ECG
signal compression", IEEE Trans. Biomed. Eng. 2000 (PRD with and without the mean).
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sans.figures import METRICS as METRICS
from sans.figures import Approximation, percentage
from sans.figures import Metric as Metric

Values: TypeAlias = "Tensor | NDArray[Any]"


def phi(
    signal: Values, reconstruction: Values, activations: Values, weights: float | Tensor
) -> Tensor:
    r"""Return φ, the length of the vector (verbosity, error); lower is better ([SAN] Eq. 6).

    .. math:: \varphi = \lVert (CR^{-1}, \tilde{\mathcal{L}}) \rVert_2

    φ counts numbers, not bits.

    Args:
        signal: ``(batch, leads, *space)``, in any unit.
        reconstruction: like `signal`.
        activations: ``(batch, shapes, *space)``.
        weights: the count of scalars in all kernels together, one for all signals or one for each.

    Returns:
        One φ per signal, ``(batch,)``.

    Raises:
        TypeError: if one of the three is no array of real numbers.
        ValueError: if a signal is zero or missing everywhere, so that it has no relative error,
            or the three are not of the same signals.

    Examples:
        >>> import torch
        >>> from sans import phi
        >>> signal = torch.tensor([[[3.0, 0.0, 0.0, 1.0]]])
        >>> kept = torch.tensor([[[3.0, 0.0, 0.0, 0.0]]])  # one spike of a kernel of one sample
        >>> round(phi(signal, kept, kept, weights=1).item(), 4)  # the length of (3/4, 1/4)
        0.7906
    """
    described = _described(signal, reconstruction, activations, weights)
    return cast("Tensor", described["phi"])


def phi_addressed(
    signal: Values,
    reconstruction: Values,
    activations: Values,
    weights: float | Tensor,
    shapes: float | None = None,
) -> Tensor:
    r"""Return φₐ, which is φ with a spike that also says which of q shapes it has.

    .. math:: \varphi_a = \lVert (CR_a^{-1}, \tilde{\mathcal{L}}) \rVert_2

    Encoders with different numbers of shapes compare by it. For q = 1 it is φ.

    Args:
        signal: ``(batch, leads, *space)``, in any unit.
        reconstruction: like `signal`.
        activations: ``(batch, shapes, *space)``.
        weights: the count of scalars in all kernels together, one for all signals or one for each.
        shapes: q, the count of shapes that a spike may have; None: as many as `activations` has.

    Errors are those of `phi`.

    Examples:
        >>> import torch
        >>> from sans.metrics import phi_addressed
        >>> signal = torch.tensor([[[3.0, 0.0, 0.0, 1.0]]])
        >>> kept = torch.tensor([[[3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
        >>> # W = 1, an amplitude, and 1 + log 2 / log 4 for one of 2 shapes at one of 4 places
        >>> round(phi_addressed(signal, kept[:, :1], kept, weights=1).item(), 4)
        0.91
    """
    described = _described(signal, reconstruction, activations, weights, shapes)
    return cast("Tensor", described["phi_addressed"])


def inverse_compression_ratio(
    activations: Values, weights: float | Tensor, signal: Values | None = None
) -> Tensor:
    """Return CR⁻¹ = (W + (D + 1) A) / n: numbers kept over samples described ([SAN] Eq. 4).

    An activation counts an amplitude and D coordinates; A is the count of those that are not zero.

    Args:
        activations: ``(batch, shapes, *space)``.
        weights: W, one for all signals or one for each, ``(batch,)``.
        signal: what is described, where it has several leads or misses samples; None: neither.

    Examples:
        >>> import torch
        >>> from sans.metrics import inverse_compression_ratio
        >>> activations = torch.tensor([[[2.0, 0.0, 0.0, 0.0]]])
        >>> inverse_compression_ratio(activations, weights=1).tolist()
        [0.75]
    """
    described = _described(signal, None, activations, weights)
    return cast("Tensor", described["inverse_compression_ratio"])


def addressed_inverse_compression_ratio(
    activations: Values,
    weights: float | Tensor,
    shapes: float | None = None,
    signal: Values | None = None,
) -> Tensor:
    """Return CR⁻¹ₐ = (W + (1 + D (1 + log q / log n)) A) / n: a spike says which shape it has.

    Args:
        activations: ``(batch, shapes, *space)``; n within the logarithm is its count of places.
        weights: W, one for all signals or one for each, ``(batch,)``.
        shapes: q, the count of shapes that a spike may have; None: as many as `activations` has.
        signal: as of `inverse_compression_ratio`.

    Examples:
        >>> import torch
        >>> from sans.metrics import addressed_inverse_compression_ratio
        >>> activations = torch.tensor([[[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
        >>> addressed_inverse_compression_ratio(activations, weights=1).tolist()
        [0.875]
    """
    described = _described(signal, None, activations, weights, shapes)
    return cast("Tensor", described["addressed_inverse_compression_ratio"])


def reconstruction_loss(signal: Values, reconstruction: Values) -> Tensor:
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
    return _figure("reconstruction_loss", signal, reconstruction)


def spikes(activations: Values) -> Tensor:
    """Return the count of activations that are not zero.

    Examples:
        >>> import torch
        >>> from sans.metrics import spikes
        >>> spikes(torch.tensor([[[0.0, 2.0, -1.0]]])).tolist()
        [2]
    """
    (active,) = _tensors(activations)
    return active.flatten(1).count_nonzero(1)


def prd(signal: Values, reconstruction: Values, offset: float | Tensor = 0.0) -> Tensor:
    """Return the percentage root-mean-square difference 100 ‖x − x̂‖₂ / ‖x − offset‖₂ ([Zigel]).

    Infinite where the signal equals `offset` everywhere and the reconstruction does not.

    Examples:
        >>> import torch
        >>> from sans.metrics import prd
        >>> prd(torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[3.0, 3.0]]])).tolist()  # 1 of 5
        [20.0]
    """
    found, drawn, lowered = _tensors(signal, reconstruction, offset)
    both = Approximation(found, drawn)
    return cast("Tensor", percentage(both.squared_error, both.energy(lowered)).to(found.dtype))


def prdn(signal: Values, reconstruction: Values) -> Tensor:
    """Return PRD with the signal's own mean as offset, which no baseline can flatter ([Zigel]).

    Examples:
        >>> import torch
        >>> from sans.metrics import prdn
        >>> prdn(torch.tensor([[[3.0, 5.0]]]), torch.tensor([[[3.0, 5.0]]])).tolist()
        [0.0]
    """
    return _figure("prdn", signal, reconstruction)


def snr(signal: Values, reconstruction: Values) -> Tensor:
    """Return the signal-to-noise ratio in dB, the signal's mean subtracted: 40 − 20 log₁₀ PRDN.

    Examples:
        >>> import torch
        >>> from sans.metrics import snr
        >>> signal = torch.tensor([[[-10.0, 10.0]]])
        >>> snr(signal, 0.9 * signal).round(decimals=3).tolist()
        [20.0]
    """
    return _figure("snr", signal, reconstruction)


def psnr(signal: Values, reconstruction: Values, peak: float = 1.0) -> Tensor:
    """Return the peak signal-to-noise ratio of images in dB; `peak` is the largest legal value.

    Examples:
        >>> import torch
        >>> from sans.metrics import psnr
        >>> image = torch.full((1, 1, 2, 2), 0.5)
        >>> psnr(image, image - 0.1).round(decimals=3).tolist()
        [20.0]
    """
    return _figure("psnr", signal, reconstruction) + 20 * math.log10(peak)


def silent(signals: Values) -> Tensor:
    """Return which signals are zero everywhere, and so have no φ: booleans, ``(batch,)``.

    A signal that has no sample, but NaN everywhere, is one of them.

    Examples:
        >>> import torch
        >>> from sans.metrics import silent
        >>> silent(torch.tensor([[[0.0, 0.0]], [[0.0, 1.0]]])).tolist()
        [True, False]
    """
    (found,) = _tensors(signals)
    flat = found.flatten(1)
    return flat.count_nonzero(1) == flat.isnan().sum(1)  # NaN is not zero, either


def _described(
    signal: Values | None,
    reconstruction: Values | None,
    activations: Values,
    weights: float | Tensor,
    shapes: float | None = None,
) -> Approximation:
    """Return signals with what describes them; without signals, of one lead and whole."""
    given = [each for each in (signal, reconstruction) if each is not None]
    *both, active, counted = _tensors(*given, activations, weights)
    found = both[0] if both else active.new_zeros(()).expand(len(active), 1, *active.shape[2:])
    if len(active) != len(found):
        raise ValueError(f"activations of {len(active)} signals for {len(found)} signals")
    if active.shape[2:] != found.shape[2:]:
        raise ValueError(
            f"activations of shape {tuple(active.shape)} for signals of shape {tuple(found.shape)}"
        )
    kinds = active.shape[1] if shapes is None else shapes
    if not kinds >= 1:
        raise ValueError(f"a spike has one of at least 1 shape, not of {kinds:g}")
    drawn = both[1] if reconstruction is not None else None
    return Approximation(found, drawn, spikes(active), counted, shapes=kinds)


def _figure(name: str, signal: Values, reconstruction: Values) -> Tensor:
    found, drawn = _tensors(signal, reconstruction)
    return cast("Tensor", Approximation(found, drawn)[name])


def _tensors(*given: Values | float) -> list[Tensor]:
    """Return tensors of at least single precision, all on the device of the first.

    Raises:
        TypeError: if something is no array of real numbers.
    """
    devices = [each.device for each in given if isinstance(each, Tensor)]
    tensors = [_tensor(each) for each in given]
    return [tensor.to(devices[0]) for tensor in tensors] if devices else tensors


def _tensor(values: Values | float) -> Tensor:
    if not isinstance(values, Tensor):
        array = np.asarray(values)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"figures are of real numbers, not of {array.dtype}")
        exact = array.dtype if array.dtype in (np.float16, np.float32) else np.float64
        # One that torch can share: in the machine's byte order, and to be written to.
        values = torch.from_numpy(np.require(array, exact, ["C", "W"]))
    if values.is_complex():
        raise TypeError(f"figures are of real numbers, not of {values.dtype}")
    if not values.is_floating_point():
        return values.double()
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
