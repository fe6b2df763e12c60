"""A stream as an open recording, of which any part is decoded by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from sans.codec.decompression import OpenStream
from sans.codec.output_limit import OutputLimit
from sans.errors import BitstreamError
from sans.recordings.facts import facts_of
from sans.recordings.layout import Layout, Source, steps
from sans.recordings.roles import Read
from sans.recordings.timing import Facts


def source_of(stream: OpenStream, max_output: int | None = None) -> Source:
    """Return the recording that a stream holds; a chunk is decoded when its frames are read.

    Args:
        stream: the stream.
        max_output: bytes of the samples that are read in one go, at most; none: see
            `sans.codec.output_limit`.

    Raises:
        ValueError: if `max_output` is below 1.
    """
    layout = replace(stream.start.header.layout, frames=stream.end.frames)
    limit = OutputLimit(layout, max_output)
    chunk, frames = stream.start.header.chunk, stream.end.frames

    def between(first: int, last: int) -> Iterator[list[NDArray[Any]]]:
        limit.check(last - first, stream.size)
        while first < last:
            end = min(last, first - first % chunk + chunk)
            yield stream.read(first, end)
            first = end

    def blocks(size: int) -> Iterator[list[NDArray[Any]]]:
        limit.check(frames, stream.size)
        first = 0
        for count in steps(frames, size):
            yield stream.read(first, first + count)
            first += count

    return Source(layout, blocks, between=between)


def facts_in(layout: Layout, read: Read) -> Facts:
    """Return what the recording of a stream says of its time; as `facts_of`.

    Raises:
        BitstreamError: if what the header says of it makes no sense.
    """
    try:
        return facts_of(layout, read)
    except (LookupError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        words = " ".join(str(error).split())[:200]
        raise BitstreamError(f"the stream holds no {layout.format} recording: {words}") from error
