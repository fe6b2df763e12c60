"""What a pursuit cannot describe, said in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.names import plural
from sans.pursuit.cosines import table
from sans.pursuit.dictionary import Dictionary


def check(signals: NDArray[Any], kernels: Sequence[NDArray[Any]] | Dictionary) -> Dictionary:
    """Return kernels as a dictionary, or raise a ValueError unless they can describe the signals.

    Args:
        signals: as for `pursue`.
        kernels: as for `pursue`.
    """
    given = isinstance(kernels, Dictionary)
    dimensions = signals.ndim - 1 - given
    if dimensions not in (1, 2):
        axes = "signals, leads" if given else "signals"
        raise ValueError(
            f"signals must be ({axes}, length) or ({axes}, height, width), not {signals.shape}"
        )
    dictionary = Dictionary.of(kernels, dimensions)
    _check_fit(signals.shape, dictionary, dimensions)
    _check_samples(signals)
    return dictionary


def _check_samples(signals: NDArray[Any]) -> None:
    """Raise a ValueError where a sample is infinite, or all samples of a signal are missing."""
    if not signals.size:
        return
    # The least and the largest sample take no memory, as a flag for every sample would.
    extremes = [ufunc.reduce(signals.reshape(len(signals), -1), 1) for ufunc in (np.fmin, np.fmax)]
    for number, (least, largest) in enumerate(zip(*extremes, strict=True)):
        if np.isnan(least):
            raise ValueError(f"all samples of signal {number} are missing")
        if np.isinf(least) or np.isinf(largest):
            raise ValueError(f"signal {number} holds infinity: leave it out")


def _check_fit(shape: tuple[int, ...], dictionary: Dictionary, dimensions: int) -> None:
    """Raise a ValueError unless a dictionary is for signals of a shape."""
    if dictionary.dimensions != dimensions:
        raise ValueError(
            f"the dictionary is for {dictionary.dimensions}-D, the signals are {dimensions}-D"
        )
    if len(shape) == dimensions + 2 and shape[1] != dictionary.leads:
        raise ValueError(
            f"the dictionary has {plural(dictionary.leads, 'lead')}, the signals {shape[1]}"
        )
    least = min(shape[-dimensions:])
    if dictionary.cosines:
        table(max(shape[-dimensions:]))
    for size in dictionary.sizes:
        if size > least:
            raise ValueError(f"the kernel size must be between 1 and {least}, not {size}")
