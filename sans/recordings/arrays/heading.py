"""Arrays as recordings: .npy files and IDX files, whose data is one array after a header.

``(samples,)`` is one track, ``(samples, channels)`` a track for each channel, and ``(images,
height, width)`` one track whose frames are the images; `sans.recordings.arrays.orientation` has
others. What a file is restored to has the same bytes where the samples are the same.
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
WANTED = "integers or floats of 8 to 64 bits"
ORIENT = "--layout"
"""What to type where the dimensions of an array mean something else than they seem to."""

_PIECE = 2**20
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

    trials: bool = False
    """Whether the shape is ``(trials, channels, samples)``: each trial is a frame."""

    def check_type(self, name: str) -> None:
        """Raise `DatasetError` if this holds no samples."""
        if self.dtype.kind not in "biuf" or self.dtype.itemsize > LARGEST_TYPE:
            raise DatasetError(f"{name} holds {self.kind}: {WANTED} are wanted")

    def check(self, name: str) -> None:
        """Raise `DatasetError` if this is no array of samples."""
        self.check_type(name)
        if len(self.shape) not in (1, 2, 3) or 0 in self.shape[1:] or min(self.shape) < 0:
            raise DatasetError(
                f"{name} has the shape {self.shape}: (samples,), (samples, channels) or (images, "
                "height, width) is wanted"
            )
        if (channels := len(self.per_frame)) > MOST_CHANNELS:
            raise DatasetError(
                f"{name} has {channels:,} channels, at most {MOST_CHANNELS:,} are wanted; if it "
                f"is (channels, samples): {ORIENT} channels-samples"
            )

    @property
    def scattered(self) -> bool:
        """Whether the samples of a frame do not lie together in the file."""
        return self.by_column and len(self.shape) > 1

    @property
    def per_frame(self) -> list[int]:
        """Samples in a frame, of each track."""
        if self.trials:
            return [self.shape[2]] * self.shape[1]
        if len(self.shape) == 3:
            return [math.prod(self.shape[1:])]
        return [1] * math.prod(self.shape[1:])

    @property
    def stored(self) -> np.dtype[Any]:
        """Type of the samples as they are handled: that of the file, or bytes for truth values."""
        return np.dtype("u1") if self.dtype.kind == "b" else self.dtype

    @property
    def kind(self) -> str:
        """What it holds, for people."""
        return "Python objects" if self.dtype.hasobject else self.dtype.name

    @property
    def kept_shape(self) -> tuple[int, ...]:
        """The shape in a `Layout`."""
        return () if self.trials else self.shape

    @property
    def size(self) -> int:
        """Bytes of the file, with its header."""
        return len(self.content) + math.prod(self.shape) * self.dtype.itemsize

    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks of the array."""
        dtype = self.stored.newbyteorder("<").str.lstrip("|")
        bits, exact = 8 * self.dtype.itemsize, self.dtype.kind == "b"
        return tuple(
            Track("", "", 1.0, 0.0, bits, dtype, per, exact=exact) for per in self.per_frame
        )


def open_array(
    source: Input,
    heading: Heading,
    kind: str,
    more: dict[str, bytes] | None = None,
    notices: tuple[str, ...] = (),
) -> Source:
    """Open the array after a header that has been read and checked.

    Args:
        source: the file.
        heading: what it begins with, with the shape as it is meant.
        kind: its format.
        more: attachments beside the header.
        notices: of the recording.

    Raises:
        DatasetError: if the file is not of the size that its header says.
    """
    tail = read_tail(source, heading.size)
    attachments = {"header": heading.content} | ({"tail": tail} if tail else {}) | (more or {})
    tracks, frames = heading.tracks(), heading.shape[0]
    layout = Layout(kind, tracks, frames, heading.kept_shape, attachments)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        with source.open() as stream:
            stream.advance(len(heading.content))
            for samples in read_rows(stream, heading, count, _plain(source)):
                arrays = deinterleave(samples, heading.per_frame)
                yield [a.astype(t.dtype) for a, t in zip(arrays, tracks, strict=True)]
            if source.plain_size() is None:
                stream.expect_end()

    return Source(layout, blocks, notices)


def _plain(source: Input) -> Path | None:
    return source.path if source.plain_size() is not None else None


@contextmanager
def write_array(target: Path | BinaryIO, layout: Layout, heading: Heading) -> Iterator[Sink]:
    """Write an array file with the header that it had.

    Raises:
        SansError: if it cannot be written.
    """
    if (
        heading.kept_shape != layout.shape
        or heading.shape[0] != layout.frames
        or [(t.dtype, t.per_frame) for t in heading.tracks()]
        != [(t.dtype, t.per_frame) for t in layout.tracks]
    ):
        raise ValueError(f"the header is not that of an array {layout.shape}")
    with written(target) as file:
        file.write(heading.content)
        with placing(file, heading) as put:
            sink = _ArraySink(put, layout, heading)
            yield sink
            check_written(layout, sink.frames)
        file.write(layout.attachments.get("tail", b""))


def read_rows(
    stream: Stream, heading: Heading, count: int, path: Path | None = None
) -> Iterator[NDArray[Any]]:
    """Yield the samples of `count` frames at a time, frame by frame, from behind the header.

    Args:
        stream: at the first sample.
        heading: what the array is.
        count: how many frames each piece has, but for the last.
        path: a file that holds just these bytes, so that it can be mapped; none if there is none.

    Raises:
        DatasetError: if the samples end early.
    """
    if not heading.scattered:
        width = sum(heading.per_frame) * heading.dtype.itemsize
        for frames in steps(heading.shape[0], count):
            content = stream.read(frames * width)
            if len(content) < frames * width:
                raise _cut_short(stream, heading)
            yield np.frombuffer(content, heading.stored)
    elif heading.shape[0]:
        with _mapped(stream, heading, path) as array:
            for start in range(0, heading.shape[0], count):
                yield np.ascontiguousarray(array[start : start + count]).reshape(-1)


@contextmanager
def _mapped(stream: Stream, heading: Heading, path: Path | None) -> Iterator[NDArray[Any]]:
    """Give an array in Fortran's order, mapped from a plain file or from a copy of it."""
    if path is not None:
        offset = len(heading.content)
        yield np.memmap(path, heading.stored, "r", offset, heading.shape, "F")
        return
    with tempfile.TemporaryFile() as file:
        left = heading.size - len(heading.content)
        while left and (piece := stream.read(min(left, _PIECE))):
            file.write(piece)
            left -= len(piece)
        if left:
            raise _cut_short(stream, heading)
        file.flush()
        yield np.memmap(file, heading.stored, "r", 0, heading.shape, "F")


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
        self._put(interleave(block, self._heading.per_frame), self.frames)
        self.frames += frames


@contextmanager
def placing(file: BinaryIO, heading: Heading) -> Iterator[Put]:
    """Give what writes frames of an array to `file` in the type and order of `heading`.

    Where a frame does not lie together, they are collected in a file without a name first.
    """
    if not heading.scattered:
        yield lambda rows, _: file.write(rows.astype(heading.stored).tobytes())
        return
    with tempfile.TemporaryFile() as spool:
        spool.truncate(max(1, heading.size - len(heading.content)))
        array: NDArray[Any] = np.empty((0, *heading.shape[1:]), heading.stored)
        if heading.shape[0]:
            array = np.memmap(spool, heading.stored, "r+", 0, heading.shape, "F")

        def put(rows: NDArray[Any], start: int) -> None:
            rows = rows.reshape(-1, *heading.shape[1:])
            array[start : start + len(rows)] = rows

        yield put
        if isinstance(array, np.memmap):
            array.flush()
            copy(spool, file)
