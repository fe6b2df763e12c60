"""A track and how it is coded: what a planner looks at, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sans.codec.chunk_coder import DESCRIBED, JOINT, LOSSLESS, Way, predict
from sans.codec.description.corrections import code_corrections, corrections_of
from sans.codec.description.descriptions import (
    FINE,
    Description,
    Roundings,
    code_description,
    describe,
    reconstruct,
    squared_error,
)
from sans.codec.description.spikes import Spikes, no_spikes
from sans.codec.description.waveforms import (
    LARGEST_SIZE,
    MOST_KERNELS,
    NO_WAVEFORMS,
    Waveforms,
    pack_all_waveforms,
)
from sans.codec.entropy.range_coder import finish, writer
from sans.codec.versions import NEWEST

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TrackChunk:
    """A chunk of one track as whole numbers."""

    numbers: Integers
    """``(length,)``: where samples are missing, what stands in for them."""

    mask: Mask
    """``(length,)``: which are missing."""


class Pieces(Protocol):
    """All chunks of one track."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> TrackChunk: ...


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """How a track is coded."""

    kind: int = JOINT
    """`JOINT`, `OWN` or `DESCRIBED`."""

    step: int = LOSSLESS
    """Of predictions, or of coefficients, in 1/256."""

    waveforms: Waveforms = NO_WAVEFORMS
    """Kernels; none unless `DESCRIBED`."""

    spikes: tuple[Spikes, ...] = ()
    """Of every chunk; none where there are no kernels."""

    roundings: Roundings = FINE
    """Of coefficients."""

    width: int = 0
    """Of corrections, an odd number; 0: there are none."""

    threshold: float = 0.0
    """The norm of what a spike draws at least."""

    def described(self, number: int, piece: TrackChunk) -> Description:
        """Return what is kept of a chunk that is `DESCRIBED`."""
        spikes = self.spikes[number] if self.spikes else no_spikes(0)
        return describe(piece.numbers, spikes, self.waveforms, self.step, self.roundings)

    def way(self, number: int, piece: TrackChunk) -> Way:
        """Return how a chunk is coded."""
        if self.kind != DESCRIBED:
            return Way(self.kind, self.step)
        return Way(DESCRIBED, description=self.described(number, piece), width=self.width)

    def error(self, number: int, piece: TrackChunk) -> float:
        """Return the squared error of a chunk."""
        if self.kind == DESCRIBED:
            found = self.described(number, piece)
            return squared_error(piece.numbers, piece.mask, found, self.waveforms)
        _, decoded = predict(piece.numbers[None].copy(), self.step)
        wrong = (decoded[0] - piece.numbers)[~piece.mask].astype(np.float64)
        return float((wrong**2).sum())

    def bits(self, number: int, piece: TrackChunk) -> int:
        """Return how many bits a chunk takes."""
        if self.kind != DESCRIBED:
            return 8 * len(predict(piece.numbers[None].copy(), self.step)[0])
        coder = writer(6 * len(piece.numbers) + 1024)
        nothing = Description(0, 1, no_spikes(0), np.zeros(0, np.int64))
        kept = self.described(number, piece)
        found = code_description(coder, kept, self.waveforms, nothing, np.zeros(4), NEWEST)
        if self.width:
            again = reconstruct(found, self.waveforms)
            code_corrections(coder, corrections_of(piece.numbers, again, self.width))
        return 8 * finish(coder)


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


def bits_of_kernels(waveforms: Waveforms) -> int:
    """Return how many bits kernels take."""
    return 8 * len(pack_all_waveforms([waveforms])) if len(waveforms.shifts) else 0
