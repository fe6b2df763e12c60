"""A recording in memory, so that every codec starts from the same samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings import Layout, Source, open_recording

Array = NDArray[Any]

BLOCK = 1 << 17
"""Frames read at once, at most."""

LARGEST_BLOCK = 1 << 24
"""Samples read at once, at most."""

SMALLEST = ("i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8")
"""Types of whole numbers, the one that is taken of several that fit first."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """All samples of a recording."""

    name: str
    """What the user called it."""

    layout: Layout
    """Everything but the samples."""

    samples: tuple[Array, ...]
    """Those of each track, ``(frames * per_frame,)``."""

    @property
    def count(self) -> int:
        """Samples of all tracks."""
        return sum(map(len, self.samples))

    @property
    def stored_bits(self) -> int:
        """Bits of all samples as the converter gave them."""
        tracks = zip(self.samples, self.layout.tracks, strict=True)
        return sum(len(samples) * track.bits for samples, track in tracks)

    @property
    def images(self) -> bool:
        """Whether it is a stack of images."""
        return len(self.layout.shape) == 3

    @property
    def whole(self) -> bool:
        """Whether all samples are whole numbers."""
        return all(samples.dtype.kind in "iu" for samples in self.samples)

    def source(self) -> Source:
        """Return the recording as if it were read from its file."""
        each = [track.per_frame for track in self.layout.tracks]
        frames = len(self.samples[0]) // each[0]

        def blocks(size: int) -> Iterator[list[Array]]:
            for begin in range(0, frames, size):
                yield [
                    samples[begin * count : (begin + size) * count]
                    for samples, count in zip(self.samples, each, strict=True)
                ]

        return Source(replace(self.layout, frames=frames), blocks)

    def beginning(self, frames: int) -> Recorded:
        """Return the first frames of the recording, as one of its own."""
        each = [track.per_frame for track in self.layout.tracks]
        some = min(frames, len(self.samples[0]) // each[0])
        shape = (some, *self.layout.shape[1:]) if self.layout.shape else ()
        samples = tuple(
            samples[: some * count] for samples, count in zip(self.samples, each, strict=True)
        )
        return Recorded(self.name, replace(self.layout, frames=some, shape=shape), samples)


def read_recording(path: Path) -> Recorded:
    """Read a recording.

    Raises:
        DatasetError: if there is none, it is damaged, or it has no samples.
    """
    source = open_recording(path)
    each = sum(track.per_frame for track in source.layout.tracks)
    blocks = list(source.blocks(max(1, min(BLOCK, LARGEST_BLOCK // each))))
    if not blocks or not sum(len(track) for track in blocks[0]):
        raise DatasetError(f"{path} has no samples")
    samples = tuple(np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Recorded(str(path), source.layout, samples)


def smallest(samples: Array) -> Array:
    """Return whole numbers in the smallest type that holds them; other numbers as they are."""
    if samples.dtype.kind == "f" or not len(samples):
        return samples
    low, high = int(samples.min()), int(samples.max())
    for name in SMALLEST:
        limits = np.iinfo(name)
        if limits.min <= low and high <= limits.max:
            return samples.astype(name)
    return samples
