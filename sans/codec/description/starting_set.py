"""Kernels that ship with the package, for recordings too short to pay for kernels of their own.

They were learned from all records of `mitdb-lead1` by benchmarks/starting_set.py, which makes the
file again. Streams refer to them: the file is a part of version 1 of the format.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.waveforms import Waveforms, unpack_all_waveforms
from sans.codec.description.wavelets import FRACTION

NAME = "starting-set.bin"

NORM = 4096.0
"""The norm of every kernel, drawn with amplitude 1."""


@cache
def starting_set() -> Waveforms:
    """Return the kernels, as large as `NORM`."""
    (found,) = unpack_all_waveforms(files("sans.codec.description").joinpath(NAME).read_bytes(), 1)
    return found


def starting_kernels() -> NDArray[np.float64]:
    """Return the kernels ``(kernels, size)`` with norm 1."""
    weights = starting_set().weights / (1 << FRACTION)
    return np.asarray(weights / np.sqrt((weights**2).sum(1))[:, None])
