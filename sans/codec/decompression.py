"""From streams to recordings: in order from a pipe, or any part of a file."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.codec import container
from sans.codec.allocation import keep_freed_memory
from sans.codec.chunk_coder import decode_group
from sans.codec.groups import Group, TrackRules
from sans.codec.output_limit import OutputLimit, size_of
from sans.codec.starts import Start, read_start
from sans.codec.varints import read_varint, unpack_parts
from sans.errors import BitstreamError

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a stream, decoded."""

    number: int
    """Which, from 0 on."""

    frames: int
    """Its frames."""

    samples: list[Array]
    """Those of each track, ``(frames * per_frame,)``."""


def decode_chunk(start: Start, content: bytes) -> Chunk:
    """Return a chunk.

    Raises:
        BitstreamError: if the bytes are not those of one.
    """
    number, frames, data = split_chunk(start, content)
    layout = start.header.layout
    parts = unpack_parts(data, len(start.groups))
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
    tracks, quanta = start.header.layout.tracks, start.header.quanta
    rules = [TrackRules(tracks[i], start.waveforms[i], quanta[i]) for i in group.tracks]
    version = start.version.within(frames * start.per_frame)
    return decode_group(group, rules, data, frames, version, bits)


def split_chunk(start: Start, content: bytes) -> tuple[int, int, bytes]:
    """Return the number of a chunk, its frames, and the bytes of its groups."""
    number, place = read_varint(content, 0)
    frames, place = read_varint(content, place)
    if not 1 <= frames <= start.header.chunk:
        raise BitstreamError(f"damaged: a chunk of {frames} frames, at most {start.header.chunk}")
    return number, frames, content[place:]


def read_chunks(
    file: BinaryIO, threads: int = 1, max_output: int | None = None
) -> Iterator[Start | Chunk]:
    """Yield what comes before the chunks, and then every chunk in order; a pipe will do.

    Chunks are yielded as they come: that the stream was whole is known at the end.

    Args:
        file: the stream.
        threads: how many share the work.
        max_output: bytes of all samples, at most; none: as `sans.codec.output_limit` says.

    Raises:
        BitstreamError: if the stream is damaged, cut off or forged, or becomes too much.
        ValueError: if `max_output` is below 1.
    """
    keep_freed_memory()
    size = size_of(file)
    start, section, place = read_start(file)
    limit = OutputLimit(start.header.layout, max_output)
    promised = frames_before(file, start)
    if promised is not None and (size or max_output):
        limit.check(promised, size or 0)
    yield start
    frames, full, begins = 0, True, list[int]()
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Chunk]] = deque()
        while section.kind == container.CHUNK:
            number, count, _ = split_chunk(start, section.content)
            if number != len(begins) or not full:
                raise BitstreamError(
                    f"damaged: chunk {number} of {count} frames comes where "
                    f"{_expected(start, len(begins), full)}"
                )
            frames, full = frames + count, count == start.header.chunk
            begins.append(place)
            place += section.size
            limit.check(frames, size or place)
            waiting.append(pool.submit(decode_chunk, start, section.content))
            if len(waiting) > threads:
                yield waiting.popleft().result()
            section, passed = container.next_section(file, start.checksum, start.version)
            place += passed
        while waiting:
            yield waiting.popleft().result()
    _check_end(file, start, section, place, frames, begins)


def _expected(start: Start, number: int, full: bool) -> str:
    """Return what is expected instead of a chunk that does not belong there, in words."""
    if full:
        return f"chunk {number} belongs"
    return f"the end belongs: chunk {number - 1} had fewer than {start.header.chunk} frames"


def frames_before(file: BinaryIO, start: Start) -> int | None:
    """Return how many frames a stream says that it has, if it can be known before the chunks."""
    if (frames := start.header.layout.frames) is not None or not size_of(file):
        return frames
    place = file.tell()
    with suppress(BitstreamError):
        frames = OpenStream(file).end.frames
    file.seek(place)
    return frames


def _check_end(
    file: BinaryIO,
    start: Start,
    section: container.Section,
    place: int,
    frames: int,
    begins: list[int],
) -> None:
    """Raise a `BitstreamError` unless a stream ends as its chunks, and its header, want it."""
    if section.kind != container.END:
        raise BitstreamError(f"damaged: a section {section.kind.decode()} among the chunks")
    end = start.known_end(section.content, place)
    if len(end.chunks) != len(begins):
        raise BitstreamError(
            f"damaged: the stream has {len(begins)} chunks, its end says {len(end.chunks)}"
        )
    if end.frames != frames:
        raise BitstreamError(f"damaged: the stream has {frames} frames, its end says {end.frames}")
    for number, (found, said) in enumerate(zip(begins, end.chunks, strict=True)):
        if found != said:
            raise BitstreamError(f"damaged: chunk {number} begins at {found}, its end says {said}")
    if (said := container.read_trailer(file)) != place:
        raise BitstreamError(f"damaged: the end begins at {place}, the last bytes say {said}")
    if container.read_all(file, 1):
        raise BitstreamError("damaged: the stream goes on behind its end")


class OpenStream:
    """A stream in a file that can be read from anywhere.

    Args:
        file: the stream.

    Raises:
        BitstreamError: if it is no stream, or its beginning or end is damaged.
    """

    def __init__(self, file: BinaryIO) -> None:
        keep_freed_memory()
        self._file = file
        file.seek(0)
        self.start, _, _ = read_start(file)
        self.size = file.seek(0, os.SEEK_END)
        file.seek(max(0, self.size - container.TRAILER))
        begin = container.read_trailer(file)
        if begin > self.size:
            raise BitstreamError(f"damaged: its end seen at {begin} of {self.size} bytes")
        file.seek(begin)
        section = container.read_section(file, self.start.checksum, self.start.version)
        if section.kind != container.END or file.tell() != self.size - container.TRAILER:
            raise BitstreamError("damaged: the last section is not the end")
        self.end = self.start.known_end(section.content, begin)
        chunk, frames = self.start.header.chunk, self.end.frames
        if len(self.end.chunks) != (wanted := -(-frames // chunk)):
            raise BitstreamError(
                f"damaged: its end says {len(self.end.chunks)} chunks where {frames} frames are "
                f"{wanted} chunks of {chunk}"
            )

    def content(self, number: int) -> bytes:
        """Return the bytes of a chunk, after their checksum has been compared."""
        place = self.end.chunks[number]
        if place >= self.size:
            raise BitstreamError(f"damaged: chunk {number} seen at {place} of {self.size} bytes")
        self._file.seek(place)
        section = container.read_section(self._file, self.start.checksum, self.start.version)
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
