"""What a planner is given: the chunks of a track, which kernels it may use, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.waveforms import LARGEST_SIZE, MOST_KERNELS
from sans.codec.plans import TrackChunk

Floats = NDArray[np.float64]

Progress = Callable[[str, float], None]
"""Told a stage of the work, and which share of it is done."""


class Pieces(Protocol):
    """All chunks of one track."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> TrackChunk: ...


@dataclass(frozen=True, slots=True)
class KernelOptions:
    """What the user leaves to the encoder, or does not."""

    learn: bool = True
    """Whether kernels are learned from the recording."""

    given: Floats | None = None
    """Kernels ``(kernels, size)`` of norm 1 to use instead; none: no kernels."""

    borrow: bool = True
    """Whether the starting set may serve, where learning is allowed, on a track of one chunk: on
    longer ones, own kernels always pay."""

    def __post_init__(self) -> None:
        if self.given is None:
            return
        count, size = self.given.shape
        if not 1 <= count <= MOST_KERNELS or not 1 <= size <= LARGEST_SIZE:
            raise ValueError(
                f"1 to {MOST_KERNELS} kernels of 1 to {LARGEST_SIZE:,} samples are wanted, not "
                f"{count} of {size:,}"
            )
