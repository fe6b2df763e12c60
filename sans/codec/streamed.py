"""A stream as an open recording, of which any part is decoded by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from sans.codec.decompression import Stream
from sans.recordings.layout import Source, steps


def source_of(stream: Stream) -> Source:
    """Return the recording that a stream holds; a chunk is decoded when its frames are read."""
    layout = replace(stream.start.header.layout, frames=stream.end.frames)

    def blocks(size: int) -> Iterator[list[NDArray[Any]]]:
        first = 0
        for count in steps(stream.end.frames, size):
            yield stream.read(first, first + count)
            first += count

    return Source(layout, blocks)
