"""A .npz file from the signals of any recording: an array for each, with names, units and rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sans.recordings.conversion.contents import Array, Contents
from sans.recordings.layout import Layout, Source
from sans.recordings.npz.start import said_of_start


def compose_npz(contents: Contents) -> Source:
    """Return a recording as an archive of arrays, of several rates or one; or its images.

    `sans.recordings.npz.writing.exported` says what is written of each signal.
    """
    layout = contents.layout
    tracks = tuple(replace(signal.track, exact=False) for signal in contents.signals)
    shape = layout.shape if len(layout.shape) == 3 else ()

    def blocks(size: int) -> Iterator[list[Array]]:
        for block in contents.source.blocks(size):
            yield [block[signal.number] for signal in contents.signals]

    made = Layout("npz", tracks, layout.frames, shape, said_of_start(contents.facts))
    return Source(made, blocks, contents.notices())
