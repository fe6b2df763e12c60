"""From streams to recordings: in order from a pipe, or any part of a file; what is damaged too."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.codec import container
from sans.codec.description.starting_set import starting_set
from sans.codec.description.waveforms import NO_WAVEFORMS, Waveforms, unpack_all_waveforms
from sans.codec.groups import Group, decode_group, groups_of
from sans.codec.headers import End, Header, unpack_end, unpack_header
from sans.codec.parts import read_varint, unpack_parts
from sans.errors import BitstreamError

Array = NDArray[Any]

LARGEST_CHUNK = 1 << 24
"""Samples of all tracks in a chunk, at most: nobody's word makes a reader allocate more."""


@dataclass(frozen=True, slots=True)
class Start:
    """What comes before the chunks of a stream."""

    header: Header
    """The header."""

    groups: tuple[Group, ...]
    """Tracks that are coded together."""

    waveforms: tuple[Waveforms, ...]
    """The kernels of each track."""

    checksum: int
    """Of the header section, with which all others begin."""

    kernel_bytes: int
    """Bytes of the section of kernels; 0: there is none."""

    begin: int
    """Where the chunks begin in the stream."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a stream, decoded."""

    number: int
    """Which, from 0 on."""

    frames: int
    """Its frames."""

    samples: list[Array]
    """Those of each track, ``(frames * per_frame,)``."""


def read_header(file: BinaryIO) -> tuple[Header, container.Section]:
    """Read a stream up to the end of its header; return what it says, and its section.

    Raises:
        BitstreamError: if it is no stream, or damaged.
    """
    container.read_start(file)
    section = container.read_section(file, 0)
    if section.kind != container.HEADER:
        raise BitstreamError(f"damaged: a section {section.kind.decode()} before the header")
    header = unpack_header(section.content)
    per_frame = sum(track.per_frame for track in header.layout.tracks)
    if header.chunk * per_frame > LARGEST_CHUNK:
        raise BitstreamError(
            f"damaged: chunks of {header.chunk * per_frame} samples, at most {LARGEST_CHUNK} are"
        )
    return header, section


def read_start(file: BinaryIO) -> tuple[Start, container.Section]:
    """Read a stream up to its first chunk, or to its end; return that section too.

    Raises:
        BitstreamError: if it is no stream, or damaged.
    """
    header, section = read_header(file)
    checksum, tracks = section.checksum, len(header.layout.tracks)
    begin = container.START + len(section.content) + container.FRAME
    section = container.read_section(file, checksum)
    waveforms, size = [NO_WAVEFORMS] * tracks, 0
    if section.kind == container.KERNELS:
        waveforms = unpack_all_waveforms(section.content, tracks, starting_set())
        size = len(section.content) + container.FRAME
        section = container.read_section(file, checksum)
    start = Start(header, groups_of(header.layout), tuple(waveforms), checksum, size, begin + size)
    return start, section


def decode_chunk(start: Start, content: bytes) -> Chunk:
    """Return a chunk.

    Raises:
        BitstreamError: if the bytes are not those of one.
    """
    number, frames, data = split_chunk(start, content)
    layout = start.header.layout
    parts = unpack_parts(data)
    if len(parts) != len(start.groups):
        raise BitstreamError(f"damaged: {len(parts)} groups where {len(start.groups)} are")
    samples: list[Array] = [np.empty(0)] * len(layout.tracks)
    for group, part in zip(start.groups, parts, strict=True):
        decoded = decode_part(start, group, part, frames)
        for i, array in zip(group.tracks, decoded, strict=True):
            samples[i] = array
    return Chunk(number, frames, samples)


def decode_part(
    start: Start, group: Group, data: bytes, frames: int, bits: NDArray[np.float64] | None = None
) -> list[Array]:
    """Return the samples of each track of a group in a chunk; `bits` as in `decode_group`."""
    tracks = [start.header.layout.tracks[i] for i in group.tracks]
    waveforms = [start.waveforms[i] for i in group.tracks]
    quanta = [start.header.quanta[i] for i in group.tracks]
    return decode_group(group, tracks, data, frames, waveforms, quanta, bits)


def split_chunk(start: Start, content: bytes) -> tuple[int, int, bytes]:
    """Return the number of a chunk, its frames, and the bytes of its groups."""
    number, place = read_varint(content, 0)
    frames, place = read_varint(content, place)
    if not 1 <= frames <= start.header.chunk:
        raise BitstreamError(f"damaged: a chunk of {frames} frames, at most {start.header.chunk}")
    return number, frames, content[place:]


def read_chunks(file: BinaryIO, threads: int = 1) -> Iterator[Start | Chunk]:
    """Yield what comes before the chunks, and then every chunk in order; a pipe will do.

    Chunks are yielded as they come: that the stream was whole is known at the end.

    Raises:
        BitstreamError: if the stream is damaged, cut off or forged.
    """
    start, section = read_start(file)
    yield start
    frames, seen, full, place = 0, 0, True, start.begin
    begins: list[int] = []
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Chunk]] = deque()
        while section.kind == container.CHUNK:
            number, count, _ = split_chunk(start, section.content)
            if number != seen or not full:
                raise BitstreamError(f"damaged: chunk {number} comes where chunk {seen} belongs")
            seen, frames, full = seen + 1, frames + count, count == start.header.chunk
            begins.append(place)
            place += len(section.content) + container.FRAME
            waiting.append(pool.submit(decode_chunk, start, section.content))
            if len(waiting) > threads:
                yield waiting.popleft().result()
            section = container.read_section(file, start.checksum)
        while waiting:
            yield waiting.popleft().result()
    if section.kind != container.END:
        raise BitstreamError(f"damaged: a section {section.kind.decode()} among the chunks")
    end = unpack_end(section.content, len(start.header.layout.tracks))
    _check_end(start, end)
    if end.frames != frames or len(end.chunks) != seen:
        raise BitstreamError(f"the stream ends after {frames} frames, not after {end.frames}")
    if end.chunks != tuple(begins) or container.read_trailer(file) != place:
        raise BitstreamError("damaged: chunks do not begin where the end says")
    if container.read_all(file, 1):
        raise BitstreamError("damaged: the stream goes on behind its end")


def _check_end(start: Start, end: End) -> None:
    """Raise a `BitstreamError` unless a stream ends as its beginning promises."""
    promised = start.header.layout.frames
    if promised is not None and end.frames != promised:
        raise BitstreamError(f"damaged: {end.frames} frames, {promised} are promised")


class Stream:
    """A stream in a file that can be read from anywhere.

    Args:
        file: the stream.

    Raises:
        BitstreamError: if it is no stream, or its beginning or end is damaged.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0)
        self.start, _ = read_start(file)
        self.size = file.seek(0, os.SEEK_END)
        file.seek(max(0, self.size - container.TRAILER))
        begin = container.read_trailer(file)
        if begin > self.size:
            raise BitstreamError(f"damaged: its end seen at {begin} of {self.size} bytes")
        file.seek(begin)
        section = container.read_section(file, self.start.checksum)
        if section.kind != container.END or file.tell() != self.size - container.TRAILER:
            raise BitstreamError("damaged: the last section is not the end")
        self.end: End = unpack_end(section.content, len(self.start.header.layout.tracks))
        _check_end(self.start, self.end)
        chunk = self.start.header.chunk
        if len(self.end.chunks) != -(-self.end.frames // chunk):
            raise BitstreamError(
                f"damaged: {len(self.end.chunks)} chunks of {chunk} frames for {self.end.frames}"
            )

    def content(self, number: int) -> bytes:
        """Return the bytes of a chunk, after their checksum has been compared."""
        place = self.end.chunks[number]
        if place >= self.size:
            raise BitstreamError(f"damaged: chunk {number} seen at {place} of {self.size} bytes")
        self._file.seek(place)
        section = container.read_section(self._file, self.start.checksum)
        if section.kind != container.CHUNK:
            raise BitstreamError(f"damaged: a section {section.kind.decode()} for chunk {number}")
        return section.content

    def chunk(self, number: int) -> Chunk:
        """Return a chunk; nothing else is decoded."""
        chunk = decode_chunk(self.start, self.content(number))
        wanted = min(self.start.header.chunk, self.end.frames - number * self.start.header.chunk)
        if chunk.number != number or chunk.frames != wanted:
            raise BitstreamError(
                f"damaged: chunk {chunk.number} of {chunk.frames} frames where chunk {number} of "
                f"{wanted} belongs"
            )
        return chunk

    def read(self, first: int, last: int) -> list[Array]:
        """Return the samples of each track in frames from `first` to before `last`.

        Raises:
            ValueError: if the stream has no such frames.
        """
        if not 0 <= first <= last <= self.end.frames:
            raise ValueError(
                f"frames lie between 0 and {self.end.frames}, not from {first} to {last}"
            )
        tracks, size = self.start.header.layout.tracks, self.start.header.chunk
        found: list[list[Array]] = [[np.empty(0, track.dtype)] for track in tracks]
        for number in range(first // size, -(-last // size) if last > first else 0):
            chunk = self.chunk(number)
            begin, end = max(first - number * size, 0), min(last - number * size, chunk.frames)
            for i, track in enumerate(tracks):
                part = slice(begin * track.per_frame, end * track.per_frame)
                found[i].append(chunk.samples[i][part])
        return [np.concatenate(parts) for parts in found]
