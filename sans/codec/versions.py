"""Versions of the format: what a reader allows in streams of each, in one place.

docs/format.md says what the numbers mean, and what real files need of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Version:
    """The rules that differ between versions."""

    number: int
    """What stands in the stream."""

    grows: bool
    """Whether a reader passes over what it does not know: goals, file formats, keys, sections."""

    sealed: bool
    """Whether the checksum of the header counts the version."""

    samples: int
    """Samples of all tracks in a chunk of several frames, at most."""

    pixels: int
    """The same of a stack of images."""

    cover: int
    """Samples that spikes may draw for each sample of a track, at most."""

    drawn: int
    """Samples that spikes may draw in a chunk, at most."""

    def most_spikes(self, length: int, size: int) -> int:
        """Return how many spikes a track of a chunk may have.

        Args:
            length: samples of the track in the chunk.
            size: samples of a kernel; of one that is longer than the track no more is drawn.
        """
        return min(length, self.cover * length // max(1, min(size, length)))

    def most_samples(self, frames: int, *, images: bool) -> int:
        """Return how many samples of all tracks a chunk of so many frames may have."""
        if frames == 1:
            return LARGEST_FRAME
        return self.pixels if images else self.samples

    def within(self, samples: int) -> Version:
        """Return the rules for a chunk of so many samples, of all tracks."""
        cover = min(self.cover, self.drawn // max(samples, 1))
        return self if cover == self.cover else replace(self, cover=cover)


LARGEST_FRAME = 1 << 24
"""Samples of all tracks in a frame, at most: a reader allocates no more, whatever a stream says."""

LARGEST_KERNEL = 1 << 12
"""Samples of a kernel, at most."""

FIRST = Version(
    1,
    grows=False,
    sealed=False,
    samples=LARGEST_FRAME,
    pixels=LARGEST_FRAME,
    cover=LARGEST_KERNEL,
    drawn=LARGEST_KERNEL << 21,
)
"""Its writers put 2²¹ samples into a chunk at most, and a spike at each at most."""

SECOND = Version(
    2, grows=True, sealed=True, samples=1 << 21, pixels=1 << 23, cover=64, drawn=64 * LARGEST_FRAME
)
"""Real files need about 1 for `cover`; see docs/format.md."""

VERSIONS = {version.number: version for version in (FIRST, SECOND)}

NEWEST = SECOND
"""What is written."""
