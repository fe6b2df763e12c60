"""What a recording is, apart from its file format: tracks, frames, and how blocks of them pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

TYPES = ("i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")
"""Types of stored samples."""

PIECE = 1 << 18
"""Samples of all tracks that are read at a time, about, by a caller that reads all."""

Block = Sequence[NDArray[Any]]
"""Consecutive frames: for each track its samples in time order, ``(frames * per_frame,)``."""


@dataclass(frozen=True, slots=True)
class Track:
    """One signal of a recording, or all its images, as the file stores it."""

    name: str
    """What the file calls it; "" if it has no name."""

    unit: str
    """Physical unit, such as "mV"; "" if unknown."""

    gain: float
    """Stored steps per physical unit; 1.0 if unknown."""

    baseline: float
    """The stored value that stands for 0 physical units."""

    bits: int
    """Bits of one sample before any compression: of the converter if known, else of the format."""

    dtype: str
    """Type of the samples in a block, little-endian: one of `TYPES`, such as "<i2"."""

    per_frame: int = 1
    """Samples in a frame."""

    rate: float = 0.0
    """Samples per second; 0.0 if unknown."""

    missing: int | None = None
    """The stored value that stands for no sample, if the format has one."""

    exact: bool = False
    """Whether a changed sample would damage the file: annotations, differences."""

    def __post_init__(self) -> None:
        if self.dtype not in TYPES:
            raise ValueError(f"the samples of a track have one of {TYPES}, not {self.dtype!r}")
        if self.per_frame < 1:
            raise ValueError(f"a frame has 1 or more samples of a track, not {self.per_frame}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything about a recording but its samples; enough to write the same kind of file again."""

    format: str
    """A name in the table of `sans.recordings.formats`, such as "edf"."""

    tracks: tuple[Track, ...]
    """Its signals, in the order of the file; one track for images."""

    frames: int | None
    """Frames in all; None if only the end of the file tells."""

    shape: tuple[int, ...] = ()
    """Shape of an array or a stack of images; () for what is neither."""

    attachments: dict[str, bytes] = field(default_factory=dict)
    """What the writer of this format needs, such as the header of the file."""

    def __post_init__(self) -> None:
        if not self.tracks:
            raise ValueError("a recording has 1 or more tracks, not 0")


@dataclass(frozen=True, slots=True)
class Source:
    """An open recording."""

    layout: Layout

    blocks: Callable[[int], Iterator[list[NDArray[Any]]]]
    """Return the blocks of so many frames each, the last one shorter; a pipe gives them once."""

    notices: tuple[str, ...] = ()
    """What a reader has overlooked that the user should know, one sentence each."""

    kept: tuple[str, ...] = ()
    """What of the file comes back and what not, one sentence each; none where every byte does."""

    between: Callable[[int, int], Iterator[list[NDArray[Any]]]] | None = None
    """Return blocks of the frames from one to before another, where any can be had by itself."""


class Sink(Protocol):
    """A recording in the making."""

    def write(self, block: Block, /) -> None:
        """Append a block of any number of frames."""


def frames_at_a_time(layout: Layout, samples: int = PIECE) -> int:
    """Return how many frames have about so many samples of all tracks; one or more."""
    return max(1, samples // sum(track.per_frame for track in layout.tracks))


def frames_of(source: Source) -> int:
    """Return how many frames a recording has; where only its end tells, it is read."""
    if source.layout.frames is not None:
        return source.layout.frames
    first = source.layout.tracks[0]
    blocks = source.blocks(frames_at_a_time(source.layout))
    return sum(len(block[0]) // first.per_frame for block in blocks)


def samples_of(source: Source, number: int) -> Iterator[NDArray[Any]]:
    """Yield the samples of a track, some at a time: no more is read than is asked for."""
    if source.between is not None:
        blocks = source.between(0, source.layout.frames or 0)
    else:
        blocks = source.blocks(frames_at_a_time(source.layout))
    return (block[number] for block in blocks)


def all_samples(source: Source, piece: int = PIECE) -> list[NDArray[Any]]:
    """Return the samples of every track.

    Args:
        source: the recording.
        piece: samples of all tracks that are read at a time, about.
    """
    parts: list[list[NDArray[Any]]] = [[np.empty(0, track.dtype)] for track in source.layout.tracks]
    for block in source.blocks(frames_at_a_time(source.layout, piece)):
        for part, array in zip(parts, block, strict=True):
            part.append(array)
    return [np.concatenate(part) for part in parts]


def in_units(
    stored: NDArray[Any], gain: float, baseline: float, missing: int | None
) -> NDArray[np.float64]:
    """Return stored samples in their physical unit, NaN where they are missing; as in `Track`."""
    values = (stored.astype(np.float64) - baseline) / gain
    if missing is not None:
        values[stored == missing] = np.nan
    return values


def count_frames(layout: Layout, block: Block) -> int:
    """Return how many frames `block` has.

    Raises:
        ValueError: if it has not one array a track, of its type, all of as many whole frames.
    """
    if len(block) != len(layout.tracks):
        raise ValueError(f"a block here has {len(layout.tracks)} arrays, not {len(block)}")
    for array, track in zip(block, layout.tracks, strict=True):
        if array.dtype != np.dtype(track.dtype):
            raise ValueError(f"the samples of a track are {track.dtype} here, not {array.dtype}")
    frames = {
        len(array) / track.per_frame for array, track in zip(block, layout.tracks, strict=True)
    }
    if len(frames) != 1 or not (count := frames.pop()).is_integer():
        lengths = ", ".join(str(len(array)) for array in block)
        raise ValueError(f"the arrays of a block are of as many whole frames, not of {lengths}")
    return int(count)


def check_written(layout: Layout, frames: int) -> None:
    """Raise `ValueError` unless `frames` is what `layout` promises."""
    if layout.frames is not None and frames != layout.frames:
        raise ValueError(f"{frames} frames written, but the recording has {layout.frames}")


def steps(frames: int, block: int) -> Iterator[int]:
    """Yield the frames of each block of a recording.

    Raises:
        ValueError: if `block` is below 1.
    """
    check_block(block)
    for start in range(0, frames, block):
        yield min(block, frames - start)


def check_block(block: int) -> None:
    """Raise `ValueError` unless `block` is a possible number of frames."""
    if block < 1:
        raise ValueError(f"a block has 1 or more frames, not {block}")


def deinterleave(samples: NDArray[Any], per_frame: Sequence[int]) -> list[NDArray[Any]]:
    """Return the samples of each track from ``(frames * sum(per_frame),)``, frame by frame."""
    rows = samples.reshape(-1, sum(per_frame))
    ends = np.cumsum(per_frame)[:-1]
    return [part.reshape(-1) for part in np.split(rows, ends, axis=1)]


def interleave(block: Block, per_frame: Sequence[int]) -> NDArray[Any]:
    """Return samples frame by frame: the inverse of `deinterleave`."""
    rows = [
        np.asarray(array).reshape(-1, count) for array, count in zip(block, per_frame, strict=True)
    ]
    return (rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)).reshape(-1)
