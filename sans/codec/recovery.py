"""What is left of a damaged stream: every chunk whose checksum is right."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.codec import container
from sans.codec.decompression import Chunk, Start, decode_chunk, read_start, split_chunk
from sans.recordings.layout import Track

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Recovery:
    """A stream, and which of its chunks are whole."""

    start: Start
    """What comes before the chunks."""

    frames: int
    """Frames of the recording, as far as anything tells."""

    contents: dict[int, bytes]
    """The bytes of every chunk that is whole, by its number."""

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The frames that are lost, as first and behind the last; neighbours together."""
        size, spans, first = self.start.header.chunk, list[tuple[int, int]](), 0
        for number in sorted(self.contents):
            if first < number * size:
                spans.append((first, number * size))
            first = (number + 1) * size
        if first < self.frames:
            spans.append((first, self.frames))
        return spans

    def chunks(self) -> Iterator[Chunk]:
        """Yield every chunk in order; what stands for no sample fills those that are lost."""
        size, tracks = self.start.header.chunk, self.start.header.layout.tracks
        for number in range(-(-self.frames // size)):
            frames = min(size, self.frames - number * size)
            if number in self.contents:
                yield decode_chunk(self.start, self.contents[number])
            else:
                yield Chunk(number, frames, [_nothing(track, frames) for track in tracks])


def recover(data: bytes) -> Recovery:
    """Return what is left of a stream; of whole chunks of one number the first.

    Raises:
        BitstreamError: if not even the header is, or the kernels that the chunks need are not.
    """
    start, place = _start_of(data)
    size, contents, ends = start.header.chunk, dict[int, bytes](), list[int]()
    known = start.header.layout.frames
    most = len(data) if known is None else -(-known // size)  # a chunk is no less than a byte
    for _, section in container.find_sections(data[place:], start.checksum):
        if section.kind == container.CHUNK:
            number, frames, _ = split_chunk(start, section.content)
            if number < most:
                contents.setdefault(number, section.content)
                ends.append(number * size + frames)
    return Recovery(start, max(ends, default=0) if known is None else known, contents)


def _start_of(data: bytes) -> tuple[Start, int]:
    """Return what comes before the chunks, and where it ends."""
    file = io.BytesIO(data)
    container.read_start(file)
    header = container.read_section(file, 0)
    place = file.tell()
    kernels = container.SECTION.unpack_from(data + bytes(container.FRAME), place)
    if kernels[0] == container.KERNELS:
        place += kernels[1] + container.FRAME
        container.read_section(file, header.checksum)
    # What follows may be damaged: an end of no chunks stands in for it.
    ended = data[:place] + container.seal(container.END, b"", header.checksum)
    start, _ = read_start(io.BytesIO(ended))
    return start, place


def _nothing(track: Track, frames: int) -> Array:
    """Return samples that stand for none: missing ones, or NaN, or zeros."""
    dtype = np.dtype(track.dtype)
    filler = np.nan if dtype.kind == "f" else (track.missing or 0)
    return np.full(frames * track.per_frame, filler, dtype)


def seconds_of(start: Start, span: tuple[int, int]) -> str:
    """Return frames as text: in seconds, where the recording has a rate."""
    track = start.header.layout.tracks[0]
    rate = track.rate / track.per_frame
    if not rate:
        return f"samples {span[0]} to {span[1]}"
    return f"{span[0] / rate:.1f} s to {span[1] / rate:.1f} s"
