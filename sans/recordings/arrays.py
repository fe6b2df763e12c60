"""Arrays as recordings: .npy files and IDX files, whose data is one array after a header.

``(samples,)`` is one track, ``(samples, channels)`` a track for each channel, and ``(images,
height, width)`` one track whose frames are the images. What a file is restored to has the same
bytes where the samples are the same.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    Track,
    check_block,
    check_written,
    count_frames,
    deinterleave,
    interleave,
    steps,
)
from sans.recordings.streams import Input, Stream, copy, read_tail, written

LARGEST_TYPE = 8  # bytes of a sample
MOST_CHANNELS = 2**16

Put = Callable[[NDArray[Any], int], object]
"""Writes the samples of some frames, the first of which has the number given."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the header of an array file says."""

    content: bytes
    """Its bytes."""

    dtype: np.dtype[Any]
    """Type of the samples in the file, with its byte order."""

    shape: tuple[int, ...]
    """``(samples,)``, ``(samples, channels)`` or ``(images, height, width)``."""

    by_column: bool = False
    """Whether the first index runs fastest in the file, as in Fortran."""

    def check(self, name: str) -> None:
        """Raise `DatasetError` if this is no array of samples."""
        if self.dtype.kind not in "iuf" or self.dtype.itemsize > LARGEST_TYPE:
            raise DatasetError(
                f"{name} holds {self.dtype.name}: integers or floats of 8 to 64 bits are wanted"
            )
        if len(self.shape) not in (1, 2, 3) or 0 in self.shape[1:] or min(self.shape) < 0:
            raise DatasetError(
                f"{name} has the shape {self.shape}: (samples,), (samples, channels) or (images, "
                "height, width) is wanted"
            )
        if len(self.shape) == 2 and self.shape[1] > MOST_CHANNELS:
            raise DatasetError(
                f"{name} has {self.shape[1]:,} channels, at most {MOST_CHANNELS:,} are wanted"
            )

    @property
    def scattered(self) -> bool:
        """Whether the samples of a frame do not lie together in the file."""
        return self.by_column and len(self.shape) > 1

    @property
    def per_frame(self) -> list[int]:
        """Samples in a frame, of each track."""
        if len(self.shape) == 3:
            return [math.prod(self.shape[1:])]
        return [1] * math.prod(self.shape[1:])

    @property
    def size(self) -> int:
        """Bytes of the file, with its header."""
        return len(self.content) + math.prod(self.shape) * self.dtype.itemsize

    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks of the array."""
        dtype = self.dtype.newbyteorder("<").str.lstrip("|")
        bits = 8 * self.dtype.itemsize
        return tuple(Track("", "", 1.0, 0.0, bits, dtype, per) for per in self.per_frame)


def open_array(source: Input, heading: Heading, kind: str) -> Source:
    """Open the array after a header that has been read and checked.

    Raises:
        DatasetError: if the file is not of the size that its header says.
    """
    tail = read_tail(source, heading.size)
    attachments = {"header": heading.content} | ({"tail": tail} if tail else {})
    tracks, frames = heading.tracks(), heading.shape[0]
    layout = Layout(kind, tracks, frames, heading.shape, attachments)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        with source.open() as stream:
            stream.advance(len(heading.content))
            read = _read_scattered if heading.scattered else _read_rows
            for samples in read(source, stream, heading, count):
                arrays = deinterleave(samples, heading.per_frame)
                yield [a.astype(t.dtype) for a, t in zip(arrays, tracks, strict=True)]
            if source.plain_size() is None:
                stream.expect_end()

    return Source(layout, blocks)


@contextmanager
def write_array(target: Path | BinaryIO, layout: Layout, heading: Heading) -> Iterator[Sink]:
    """Write an array file with the header that it had.

    Raises:
        SansError: if it cannot be written.
    """
    if heading.shape != layout.shape or [(t.dtype, t.per_frame) for t in heading.tracks()] != [
        (t.dtype, t.per_frame) for t in layout.tracks
    ]:
        raise ValueError(f"the header is not that of an array {layout.shape}")
    with written(target) as file:
        file.write(heading.content)
        with (_place_scattered if heading.scattered else _append)(file, heading) as put:
            sink = _ArraySink(put, layout, heading)
            yield sink
            check_written(layout, sink.frames)
        file.write(layout.attachments.get("tail", b""))


def _read_rows(_: Input, stream: Stream, heading: Heading, count: int) -> Iterator[NDArray[Any]]:
    width = sum(heading.per_frame) * heading.dtype.itemsize
    for frames in steps(heading.shape[0], count):
        content = stream.read(frames * width)
        if len(content) < frames * width:
            raise _cut_short(stream, heading)
        yield np.frombuffer(content, heading.dtype)


def _read_scattered(
    source: Input, stream: Stream, heading: Heading, count: int
) -> Iterator[NDArray[Any]]:
    """Yield rows of an array in Fortran's order, mapped from a plain file, else read whole."""
    if not heading.shape[0]:
        return
    array: NDArray[Any]
    if source.path is not None and source.plain_size() is not None:
        offset = len(heading.content)
        array = np.memmap(source.path, heading.dtype, "r", offset, heading.shape, "F")
    else:
        content = stream.read(heading.size - len(heading.content))
        if len(content) + len(heading.content) < heading.size:
            raise _cut_short(stream, heading)
        array = np.frombuffer(content, heading.dtype).reshape(heading.shape, order="F")
    start = 0
    for frames in steps(heading.shape[0], count):
        yield np.ascontiguousarray(array[start : start + frames]).reshape(-1)
        start += frames


def _cut_short(stream: Stream, heading: Heading) -> DatasetError:
    return DatasetError(
        f"{stream.name} is damaged: {stream.position:,} bytes, not the {heading.size:,} that its "
        "header describes"
    )


class _ArraySink:
    def __init__(self, put: Put, layout: Layout, heading: Heading) -> None:
        self.frames = 0
        self._put, self._layout, self._heading = put, layout, heading

    def write(self, block: Block) -> None:
        frames = count_frames(self._layout, block)
        rows = interleave(block, self._heading.per_frame).astype(self._heading.dtype)
        self._put(rows, self.frames)
        self.frames += frames


@contextmanager
def _append(file: BinaryIO, _: Heading) -> Iterator[Put]:
    yield lambda rows, _: file.write(rows.tobytes())


@contextmanager
def _place_scattered(file: BinaryIO, heading: Heading) -> Iterator[Put]:
    """Collect an array in Fortran's order in a file without a name, then append it to `file`."""
    with tempfile.TemporaryFile() as spool:
        spool.truncate(max(1, heading.size - len(heading.content)))
        array: NDArray[Any] = np.empty((0, *heading.shape[1:]), heading.dtype)
        if heading.shape[0]:
            array = np.memmap(spool, heading.dtype, "r+", 0, heading.shape, "F")

        def put(rows: NDArray[Any], start: int) -> None:
            rows = rows.reshape(-1, *heading.shape[1:])
            array[start : start + len(rows)] = rows

        yield put
        if isinstance(array, np.memmap):
            array.flush()
            copy(spool, file)
