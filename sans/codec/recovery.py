"""What is left of a damaged stream: every chunk whose checksum is right.

Chunks must fit each other, whatever they say: of one number the first counts; then the most that
can be had of which each has a larger number than the one before it in the stream; none is beyond
the frames of the recording, or, where their number is unknown, beyond as many chunks as the
stream has room for; and all but the last are full.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from sans.codec import container
from sans.codec.decompression import Chunk, decode_chunk, split_chunk
from sans.codec.headers import End
from sans.codec.mapping import Reader
from sans.codec.quality import LOSSLESS
from sans.codec.searching import SectionSpan, find_chunks
from sans.codec.starts import Start, begun, read_header
from sans.codec.varints import read_varint
from sans.errors import BitstreamError
from sans.recordings.layout import Track

Array = NDArray[Any]

LONGEST_START = 18
"""Bytes of the number and the frames of a chunk, at most."""

PARTS = 64
"""So many parts of a chunk are looked at before its checksum is."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A stream, and which of its chunks are whole."""

    start: Start
    """What comes before the chunks."""

    frames: int
    """Frames of the recording, as far as anything tells."""

    spans: dict[int, SectionSpan]
    """Where every chunk that is whole lies, by its number."""

    data: memoryview
    """The stream."""

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The frames that are lost, as first and behind the last; neighbours together."""
        size, lost, first = self.start.header.chunk, list[tuple[int, int]](), 0
        for number in sorted(self.spans):
            if first < number * size:
                lost.append((first, number * size))
            first = (number + 1) * size
        if first < self.frames:
            lost.append((first, self.frames))
        return lost

    def content(self, number: int) -> bytes:
        """Return the bytes of a chunk that is whole."""
        return bytes(_content(self.data, self.spans[number]))

    def chunks(self) -> Iterator[Chunk]:
        """Yield every chunk in order; what stands for no sample fills those that are lost."""
        size, tracks = self.start.header.chunk, self.start.header.layout.tracks
        for number in range(-(-self.frames // size)):
            frames = min(size, self.frames - number * size)
            if number in self.spans:
                yield decode_chunk(self.start, self.content(number))
            else:
                yield Chunk(number, frames, [_nothing(track, frames) for track in tracks])


def recover(stream: bytes | memoryview) -> Recovery:
    """Return what is left of a stream.

    Args:
        stream: all of it; of a file that is mapped, no more is in memory than is looked at.

    Raises:
        BitstreamError: if not even the header is, or the kernels that the chunks need are not.
    """
    data = memoryview(stream)
    start = _start_of(data)
    known, size = start.header.layout.frames, start.header.chunk
    if known is None and (end := _end_of(data, start)):
        known = end.frames
    most = len(data) // container.SMALLEST_CHUNK if known is None else -(-known // size)
    first = dict[int, tuple[int, SectionSpan]]()
    likely = partial(_likely, start, most)
    for span in find_chunks(data, start.begin, start.checksum, likely):
        number, frames, _ = split_chunk(start, bytes(_content(data, span)[:LONGEST_START]))
        first.setdefault(number, (frames, span))
    rising = _rising(sorted(first, key=lambda number: first[number][1]))
    if known is None:
        known = rising[-1] * size + first[rising[-1]][0] if rising else 0
    spans = {
        number: first[number][1]
        for number in rising
        if first[number][0] == min(size, known - number * size)
    }
    return Recovery(start, known, spans, data)


def _content(data: memoryview, span: SectionSpan) -> memoryview:
    """Return the content of a section."""
    return data[span.begin + container.SECTION.size : span.end - container.CHECKSUM.size]


def _likely(start: Start, most: int, content: memoryview) -> bool:
    """Return whether the content of a section may be that of one of so many chunks."""
    head = bytes(content[:LONGEST_START])
    try:
        number, _, rest = split_chunk(start, head)
        place, end = len(head) - len(rest), len(content)
        for _ in start.groups[:PARTS]:
            size, behind = read_varint(bytes(content[place : place + 9]), 0)
            place += behind + size
    except BitstreamError:
        return False
    fits = place == end if len(start.groups) <= PARTS else place <= end
    return number < most and fits


def _rising(numbers: list[int]) -> list[int]:
    """Return the longest part of a list whose numbers rise, in order ([Fredman]).

    [Fredman]: M. L. Fredman, "On computing the length of longest increasing subsequences",
    Discrete Mathematics 1975.
    """
    ends: list[int] = []  # the least number that a rising part of each length ends with
    before: dict[int, int | None] = {}
    for number in numbers:
        length = bisect_left(ends, number)
        before[number] = ends[length - 1] if length else None
        ends[length : length + 1] = [number]
    found = ends[-1:]
    while found and (last := before[found[-1]]) is not None:
        found.append(last)
    return found[::-1]


def _end_of(data: memoryview, start: Start) -> End | None:
    """Return what the end of a stream says; None where that is damaged."""
    with suppress(BitstreamError):
        file = cast(BinaryIO, Reader(data))
        file.seek(max(0, len(data) - container.TRAILER))
        begin = container.read_trailer(file)
        file.seek(begin)
        section = container.read_section(file, start.checksum, start.version)
        if begin >= start.begin and section.kind == container.END:
            return start.known_end(section.content, begin)
    return None


def _start_of(data: memoryview) -> Start:
    """Return what comes before the chunks."""
    file = cast(BinaryIO, Reader(data))
    header, first = read_header(file)
    place, kind = container.START + first.size, b""
    while place < len(data):
        kind = bytes(data[place : place + 1])
        if kind in (container.CHUNK, container.END) or not container.is_kind(kind, header.version):
            break
        file.seek(place)
        section = container.read_section(file, first.checksum, header.version)
        if kind == container.KERNELS:
            return begun(header, first.checksum, section, place)
        place += section.size
    start = begun(header, first.checksum, None, place)
    lossless = header.quality[0] == LOSSLESS.kind
    if kind not in (b"", container.CHUNK, container.END) and not lossless:
        # Where kernels were, if there were any, cannot be seen: then only the end may say.
        end = _end_of(data, start)
        if end is None or end.chunks[:1] != (place,):
            raise BitstreamError("damaged: what follows the header may have been kernels")
    return start


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
