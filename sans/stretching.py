"""Kernels that stretch in time: one kernel describes beats of several lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command line wants `stretched_size` at once
    from numpy.typing import NDArray


def stretched_size(size: int, factor: float) -> int:
    """Return the samples of a kernel of `size` samples, `factor` times as long."""
    return max(1, round(size * factor))


def stretched(kernels: Sequence[NDArray[Any]], factors: Sequence[float]) -> list[NDArray[Any]]:
    """Return every kernel, followed by what stretching it by every factor makes of it.

    Between samples a kernel is a straight line; stretched, it keeps its norm.

    Args:
        kernels: ``(size,)`` or ``(leads, size)`` each; leads stretch alike.
        factors: how many times longer; none: the kernels alone.
    """
    return [
        each for kernel in kernels for each in (kernel, *(_stretch(kernel, f) for f in factors))
    ]


def _stretch(kernel: NDArray[Any], factor: float) -> NDArray[Any]:
    import numpy as np

    size = stretched_size(kernel.shape[-1], factor)
    known = np.arange(kernel.shape[-1])
    places = np.linspace(0, kernel.shape[-1] - 1, size)
    rows = [np.interp(places, known, row) for row in kernel.reshape(-1, kernel.shape[-1])]
    longer = np.reshape(rows, (*kernel.shape[:-1], size))
    before, after = (np.sqrt((each.astype(np.float64) ** 2).sum()) for each in (kernel, longer))
    return np.asarray(longer * (before / after if after > 0 else 0.0), kernel.dtype)
