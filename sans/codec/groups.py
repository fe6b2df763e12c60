"""Tracks that are coded together, and what a coder of theirs is told of each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.descriptions import Description
from sans.codec.description.waveforms import NO_WAVEFORMS, Waveforms
from sans.codec.representations import Integral
from sans.recordings.layout import Layout, Track

Array = NDArray[Any]

JOINT, OWN, DESCRIBED = range(3)
"""Ways to code a track: predicted with all others that are, by itself, or by spikes."""

LOSSLESS = 256
"""The step of predictions that lose nothing."""


@dataclass(frozen=True, slots=True)
class Group:
    """Tracks that are coded together: those of one rate and one type of samples."""

    tracks: tuple[int, ...]
    """Which, in the order of the recording."""

    dtype: np.dtype[Any]
    """Type of their samples."""

    per_frame: int
    """Samples of each in a frame."""

    image: tuple[int, int] | None
    """Height and width, where a frame is an image."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one track of a chunk is coded."""

    kind: int = JOINT
    """`JOINT`, `OWN` or `DESCRIBED`."""

    step: int = LOSSLESS
    """What predictions (`JOINT` and `OWN`) are off by multiples of, in 1/256; the same for all
    tracks that are `JOINT`."""

    description: Description | None = None
    """What is kept of a track that is `DESCRIBED`."""

    width: int = 0
    """The width of the corrections of a `DESCRIBED` track, an odd number; 0: there are none."""


class TrackRules(NamedTuple):
    """What writer and reader know of a track before its first chunk."""

    track: Track
    """The track."""

    waveforms: Waveforms = NO_WAVEFORMS
    """Its kernels; there may be none."""

    quantum: float = 0.0
    """What floating-point numbers are multiples of, see `sans.codec.representations`."""


class TrackInput(NamedTuple):
    """A track of a chunk, ready to be written."""

    rules: TrackRules
    """What a reader will know of it, too."""

    samples: Array
    """``(length,)``: as they are."""

    whole: Integral | None
    """The samples as whole numbers; None: only their bits will do."""

    way: Way
    """How it is coded."""


def groups_of(layout: Layout) -> tuple[Group, ...]:
    """Return the groups of a recording, by their first tracks."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for number, track in enumerate(layout.tracks):
        key = (track.per_frame, track.dtype, track.exact)
        found.setdefault(key, []).append(number)
    image = layout.shape[1:] if len(layout.shape) == 3 else None
    return tuple(
        Group(tuple(numbers), np.dtype(dtype), per_frame, image)
        for (per_frame, dtype, _), numbers in found.items()
    )
