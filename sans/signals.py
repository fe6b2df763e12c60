"""Signals on their way into a network."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sans.metrics import silent

Signals: TypeAlias = "Tensor | NDArray[Any]"
"""``(signals, leads, *space)``, with one or two dimensions of space; NaN is a missing sample."""

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


class Sifted(NamedTuple):
    """Signals that have a φ, and how many have none."""

    signals: Tensor
    """``(signals, leads, *space)`` in float32, NaN where a sample is missing."""

    silent: int
    """How many were left out because they are zero everywhere, in all leads."""

    sparse: int
    """How many were left out because too many of their samples are missing."""

    @property
    def left_out(self) -> int:
        """How many were left out in all."""
        return self.silent + self.sparse


def sift(signals: Signals, device: torch.device | None = None, least: int = 1) -> Sifted:
    """Return the signals that have a φ as float32 on `device`, and how many were left out, and why.

    No gradient follows them.

    Args:
        signals: ``(signals, leads, *space)``; NaN is a missing sample.
        device: where to put them; None: where they are.
        least: how many samples of a signal must be there, in all leads together, where some are
            missing: those of the longest kernel.

    Raises:
        TypeError: if they are no real numbers.
        ValueError: if the shape is another, a sample is infinite, or no signal is left.
    """
    if isinstance(signals, np.ndarray) and signals.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
            signals = signals.astype(np.float32, copy=False)
    tensor = as_tensor(signals).detach().to(device=device, dtype=torch.float32)
    if tensor.ndim not in (3, 4) or tensor.shape[1] < 1:
        raise ValueError(
            "signals must be (signals, leads, length) or (signals, leads, height, width), "
            f"not {tuple(tensor.shape)}"
        )
    quiet, sparse = without_phi(tensor, least)
    left_out, count = quiet | sparse, len(tensor)
    found = Sifted(tensor, int(quiet.sum()), int(sparse.sum()))
    if bool(left_out.all()):
        raise ValueError(_why_none(found, count, least))
    return found._replace(signals=tensor[~left_out]) if found.left_out else found


def audible(
    signals: Signals, device: torch.device | None = None, least: int = 1
) -> tuple[Tensor, int]:
    """Return the signals that have a φ, and how many were left out, whatever the reason.

    Arguments and errors are those of `sift`.
    """
    found = sift(signals, device, least)
    return found.signals, found.left_out


def filled(signals: Tensor) -> Tensor:
    """Return signals with 0 where a sample is missing; without a missing one, the same tensor."""
    missing = signals.isnan()
    return signals.masked_fill(missing, 0) if bool(missing.any()) else signals


def without_phi(signals: Tensor, least: int) -> tuple[Tensor, Tensor]:
    """Return which signals are zero everywhere, and which miss samples and have too few others.

    Args:
        signals: ``(signals, leads, *space)``; NaN is a missing sample.
        least: how many must be there where some are missing.

    Returns:
        Booleans, ``(signals,)`` each; no signal is in both.

    Raises:
        ValueError: if a sample is infinite.
    """
    whole, quiet = signals.isfinite().flatten(1).all(1), silent(signals)
    if bool(whole.all()):
        return quiet, ~whole
    flat = signals.flatten(1)
    if len(broken := flat.isinf().any(1).nonzero()):
        raise ValueError(f"signal {broken[0].item()} holds infinity: leave it out")
    sparse = ~whole & ((~flat.isnan()).sum(1) < max(least, 1))
    return quiet & ~sparse, sparse


def _why_none(found: Sifted, count: int, least: int) -> str:
    """Return the line that says why none of so many signals is left."""
    if not found.sparse:
        return f"none of the {count} signals has a sample other than zero"
    if bool(found.signals.isnan().all()):
        return "all samples of the signals are missing"
    return (
        f"none of the {count} signals can be described: {found.sparse} have fewer than {least} "
        f"samples that are not missing, {found.silent} are zero everywhere"
    )


def unit_scale(signals: Tensor) -> float:
    """Return a power of two that brings signals to an ordinary size; 1 where they have one.

    Signals that differ by their unit alone differ by rounding alone once they are multiplied by it.
    It changes in large steps, so that signals of usual units are left as they are.

    Args:
        signals: ``(signals, leads, *space)``, none infinite, not all of them zero or missing.
    """
    low, high = filled(signals.detach()).aminmax()
    _, exponent = math.frexp(max(-float(low), float(high)))
    steps = (exponent - 1 - LEAST_ORDINARY) // SCALE_STEP
    return 2.0 ** (-SCALE_STEP * max(-MOST_STEPS, min(steps, MOST_STEPS)))
