"""Signals on their way into a network."""

from __future__ import annotations

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


def audible(signals: Signals, device: torch.device | None = None) -> tuple[Tensor, int]:
    """Return the signals that have a φ as float32 on `device`, and how many were left out as zero.

    Args:
        signals: ``(signals, 1, *space)``.
        device: where to put them; None: where they are.

    Raises:
        ValueError: if the shape is another, a sample is not finite, or every signal is zero.
    """
    if isinstance(signals, np.ndarray):  # torch warns of an array that is not to be written to
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
            signals = np.require(signals, np.float32, ["C", "W"])
    tensor = torch.as_tensor(signals).to(device=device, dtype=torch.float32)
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
