"""How the tracks of a recording are coded: what planning returns, and chunks are written by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sans.codec.chunk_coder import predict
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
from sans.codec.description.waveforms import NO_WAVEFORMS, Waveforms
from sans.codec.entropy.range_coder import finish, writer
from sans.codec.groups import DESCRIBED, JOINT, LOSSLESS, Way
from sans.codec.masks import Mask
from sans.codec.versions import NEWEST
from sans.recordings.layout import Layout

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrackChunk:
    """A chunk of one track as whole numbers."""

    numbers: Integers
    """``(length,)``: where samples are missing, what stands in for them."""

    mask: Mask
    """``(length,)``: which are missing."""


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """How a track is coded."""

    kind: int = JOINT
    """`JOINT`, `OWN` or `DESCRIBED`."""

    step: int = LOSSLESS
    """The step of predictions, or of coefficients, in 1/256."""

    waveforms: Waveforms = NO_WAVEFORMS
    """Kernels; none unless `DESCRIBED`."""

    spikes: tuple[Spikes, ...] = ()
    """The spikes of every chunk; none where there are no kernels."""

    roundings: Roundings = FINE
    """How coefficients are rounded."""

    width: int = 0
    """The width of corrections, an odd number; 0: there are none."""

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
        found = code_description(coder, kept, self.waveforms, nothing, NEWEST)
        if self.width:
            again = reconstruct(found, self.waveforms)
            code_corrections(coder, corrections_of(piece.numbers, again, self.width))
        return 8 * finish(coder)


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """How all tracks of a recording are coded."""

    quanta: tuple[float, ...]
    """For each track, what floats become multiples of; 0.0: they are kept exactly."""

    tracks: tuple[TrackPlan, ...]
    """The plan of each track."""


def exact_plan(layout: Layout) -> RecordingPlan:
    """Return the plan of a recording that loses nothing."""
    return RecordingPlan((0.0,) * len(layout.tracks), (TrackPlan(),) * len(layout.tracks))
