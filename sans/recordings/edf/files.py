"""EDF, EDF+ and BDF files: the header is kept as it is, a frame is a data record.

What a file is restored to has the same bytes where the samples are the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.edf.header import MAGICS, EdfHeader, read_header
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
)
from sans.recordings.roles import Read
from sans.recordings.streams import Input, Stream, read_tail, written
from sans.recordings.wfdb.packing import pack_24, unpack_24

LIMITED = "limited"
"""The attachment that says, in a bit for each track, which are clipped at their limits."""

_BYTES = {"edf": 2, "bdf": 3}
_DTYPES = {"edf": "<i2", "bdf": "<i4"}


def open_edf(source: Input) -> Source:
    """Open an EDF or BDF file, or a pipe with one.

    The last records of a file that is cut short are missing: what is left of the first of them is
    kept as it is, and a notice says so.

    Raises:
        DatasetError: if the header is damaged, or much follows the records that it promises.
    """
    with source.open() as stream:
        header = read_header(stream)
    kind = MAGICS[header.content[:8]]
    per_frame = [signal.samples for signal in header.signals]
    width = sum(per_frame) * _BYTES[kind]
    frames, tail = header.records, b""
    size = source.plain_size()
    notices: tuple[str, ...] = ()
    if size is not None:
        there = (size - len(header.content)) // width
        if frames is not None and there < frames:
            notices = (
                f"{source.name} is cut short: {there:,} of {frames:,} data records are whole, and "
                "the bytes behind them are kept as they are",
            )
        frames = there if frames is None else min(frames, there)
    if frames is not None:
        tail = read_tail(source, len(header.content) + frames * width)
    attachments = {"header": header.content} | ({"tail": tail} if tail else {})
    layout = Layout(kind, tracks_of(header, kind), frames, attachments=attachments)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        with source.open() as stream:
            stream.advance(len(header.content))
            for content in _records(stream, width, frames, count):
                yield deinterleave(_unpack(content, kind), per_frame)
            if size is None:
                stream.expect_end()

    return Source(layout, blocks, notices)


def limited(layout: Layout, read: Read) -> Layout:
    """Return a layout whose writer clips samples at the lowest and highest of the header.

    [EDF] defines these as the extremes that can occur. Tracks that are kept exactly, and those with
    samples beyond, are not clipped.
    """
    flags = [
        not track.exact and all(_within(block, *limits) for block in read(number))
        for number, (track, limits) in enumerate(zip(layout.tracks, _limits(layout), strict=True))
    ]
    if not any(flags):
        return layout
    attachments = {**layout.attachments, LIMITED: np.packbits(flags).tobytes()}
    return replace(layout, attachments=attachments)


def _within(samples: NDArray[Any], low: int, high: int) -> bool:
    return not len(samples) or bool(low <= samples.min() and samples.max() <= high)


def _limits(layout: Layout) -> list[tuple[int, int]]:
    """Return the lowest and the highest sample of every track."""
    with Input(io.BytesIO(layout.attachments["header"])).open() as stream:
        return [
            (min(signal.digital), max(signal.digital)) for signal in read_header(stream).signals
        ]


@contextmanager
def write_edf(target: Path | BinaryIO, layout: Layout) -> Iterator[Sink]:
    """Write an EDF or BDF file with the header that it had.

    Raises:
        SansError: if it cannot be written.
    """
    if any(track.dtype != _DTYPES[layout.format] for track in layout.tracks):
        raise ValueError(f"the samples of a file are {_DTYPES[layout.format]}")
    with written(target) as file:
        file.write(layout.attachments["header"])
        sink = _EdfSink(file, layout)
        yield sink
        check_written(layout, sink.frames)
        file.write(layout.attachments.get("tail", b""))


class _EdfSink:
    def __init__(self, file: BinaryIO, layout: Layout) -> None:
        self.frames = 0
        self._file, self._layout = file, layout
        self._per_frame = [track.per_frame for track in layout.tracks]
        self._limits: dict[int, tuple[int, int]] = {}
        if flags := layout.attachments.get(LIMITED):
            limited = np.unpackbits(np.frombuffer(flags, np.uint8), count=len(layout.tracks))
            self._limits = {i: each for i, each in enumerate(_limits(layout)) if limited[i]}

    def write(self, block: Block) -> None:
        self.frames += count_frames(self._layout, block)
        block = [
            np.clip(samples, *self._limits[i]) if i in self._limits else samples
            for i, samples in enumerate(block)
        ]
        samples = interleave(block, self._per_frame)
        if self._layout.format == "bdf":
            self._file.write(pack_24(samples.clip(-(2**23), 2**23 - 1)))
        else:
            self._file.write(samples.astype("<i2").tobytes())


def _records(stream: Stream, width: int, frames: int | None, count: int) -> Iterator[bytes]:
    """Yield the bytes of `count` data records at a time, until `frames`, or the end of a pipe."""
    done = 0
    while frames is None or done < frames:
        wanted = (count if frames is None else min(count, frames - done)) * width
        content = stream.read(wanted)
        done += len(content) // width
        if len(content) % width or (frames is not None and len(content) < wanted):
            promised = "whole" if frames is None else f"{frames:,}"
            raise DatasetError(
                f"{stream.name} is damaged: it ends in data record {done + 1:,}, "
                f"{promised} ones are wanted"
            )
        if not content:
            return
        yield content


def _unpack(content: bytes, kind: str) -> NDArray[Any]:
    if kind == "bdf":
        return unpack_24(np.frombuffer(content, np.uint8))
    return np.frombuffer(content, "<i2")


def tracks_of(header: EdfHeader, kind: str) -> tuple[Track, ...]:
    """Return the tracks of a header."""
    tracks = []
    for signal in header.signals:
        gain, baseline = signal.scale()
        tracks.append(
            Track(
                name=signal.label,
                unit=signal.unit,
                gain=gain,
                baseline=baseline,
                bits=8 * _BYTES[kind],
                dtype=_DTYPES[kind],
                per_frame=signal.samples,
                rate=signal.samples / header.duration if header.duration > 0 else 0.0,
                exact=signal.is_annotation,
            )
        )
    return tuple(tracks)
