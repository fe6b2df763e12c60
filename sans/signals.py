"""Signals on their way into a network."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sans.metrics import silent

Signals: TypeAlias = "Tensor | NDArray[Any]"
"""``(signals, 1, *space)``, with one or two dimensions of space."""

CHUNK = 2**20
"""Entries of activations computed at once where nothing is learned: bounds the memory, and what
fits a processor's cache is computed twice as fast."""

LEAST_ORDINARY = -3
"""Signals whose largest magnitude is at least this power of two are ordinary; so are standardised
ones, pixels from 0 to 1 and the integers of converters."""

SCALE_STEP = 16
"""Powers of two that ordinary signals span, and between one factor of `unit_scale` and the next."""

MOST_STEPS = 7
"""Steps to the largest factor, which float32 still holds."""


def as_tensor(values: Tensor | NDArray[Any], name: str = "signals") -> Tensor:
    """Return a tensor as it is, and an array as a tensor on the CPU, the default device or not.

    Args:
        values: real numbers of any shape.
        name: what an error calls them.

    Raises:
        TypeError: if they are no real numbers.
    """
    if isinstance(values, Tensor):
        kind, real = str(values.dtype).removeprefix("torch."), not values.is_complex()
    else:
        values = np.asarray(values)
        kind, real = str(values.dtype), values.dtype.kind in "biuf"
    if not real:
        raise TypeError(f"{name} must be real numbers, not of the type {kind}")
    if isinstance(values, Tensor):
        return values
    # Torch takes no array that cannot be written to, whose bytes are in another order, or of more
    # than double precision.
    known = values.dtype.newbyteorder("=") if values.dtype.itemsize <= 8 else np.float64
    return torch.from_numpy(np.require(values, known, ["C", "W"]))


def audible(signals: Signals, device: torch.device | None = None) -> tuple[Tensor, int]:
    """Return the signals that have a φ as float32 on `device`, and how many were left out as zero.

    No gradient follows them.

    Args:
        signals: ``(signals, 1, *space)``.
        device: where to put them; None: where they are.

    Raises:
        TypeError: if they are no real numbers.
        ValueError: if the shape is another, a sample is not finite, or every signal is zero.
    """
    if isinstance(signals, np.ndarray) and signals.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
            signals = signals.astype(np.float32, copy=False)
    tensor = as_tensor(signals).detach().to(device=device, dtype=torch.float32)
    if tensor.ndim not in (3, 4) or tensor.shape[1] != 1:
        raise ValueError(
            "signals must be (signals, 1, length) or (signals, 1, height, width), "
            f"not {tuple(tensor.shape)}"
        )
    if len(broken := (~tensor.isfinite().flatten(1).all(1)).nonzero()):
        raise ValueError(f"signal {broken[0].item()} holds NaN or infinity: leave it out")
    left_out = silent(tensor)
    if bool(left_out.all()):
        raise ValueError(f"none of the {len(tensor)} signals has a sample other than zero")
    count = int(left_out.sum())
    return (tensor[~left_out] if count else tensor), count


def unit_scale(signals: Tensor) -> float:
    """Return a power of two that brings signals to an ordinary size; 1 where they have one.

    Signals that differ by their unit alone differ by rounding alone once they are multiplied by it.
    It changes in large steps, so that signals of usual units are left as they are.

    Args:
        signals: ``(signals, 1, *space)``, finite, not all of them zero.
    """
    low, high = signals.detach().aminmax()
    _, exponent = math.frexp(max(-float(low), float(high)))
    steps = (exponent - 1 - LEAST_ORDINARY) // SCALE_STEP
    return 2.0 ** (-SCALE_STEP * max(-MOST_STEPS, min(steps, MOST_STEPS)))
