"""What the dimensions of an array mean, where a user or a convention says it.

An array whose time runs along the last dimension is one in the other order of memory: ``(channels,
samples)`` in C's is ``(samples, channels)`` in Fortran's, and the other way round.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from sans.errors import DatasetError
from sans.recordings.arrays.heading import ORIENT, Heading, open_array, write_array
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.streams import Input

SAMPLES_CHANNELS = "samples-channels"
CHANNELS_SAMPLES = "channels-samples"
TRIALS = "trials-channels-samples"
IMAGES = "images"

RANKS = {SAMPLES_CHANNELS: (1, 2), CHANNELS_SAMPLES: (2,), TRIALS: (3,), IMAGES: (2, 3)}
"""Dimensions of the arrays that can be laid out like this."""

LAYOUTS = tuple(RANKS)

ATTACHMENT = "layout"
"""The attachment that says how an array was read; without it, as its number of dimensions says."""

_SQUARE = 4  # an image of more than so many times its height or width is none, more likely


def check_layout(layout: str | None) -> None:
    """Raise a `ValueError` unless `layout` is one of `LAYOUTS`, or none."""
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(f"a layout is one of {', '.join(LAYOUTS)}, not {layout!r}")


def oriented(heading: Heading, layout: str | None, name: str) -> Heading:
    """Return the heading of the same bytes as ``(frames, …)``.

    Args:
        heading: as the file says.
        layout: one of `LAYOUTS`; none: ``(samples, channels)``, or ``(images, height, width)``.
        name: of the file, for messages.

    Raises:
        DatasetError: if the array has not the dimensions of the layout.
        ValueError: if there is no such layout.
    """
    check_layout(layout)
    if layout is None:
        return heading
    if (rank := len(heading.shape)) not in RANKS[layout]:
        wanted = " or ".join(map(str, RANKS[layout]))
        raise DatasetError(
            f"{name} has the shape {heading.shape}, {rank} dimensions: {wanted} are wanted for "
            f"{ORIENT} {layout}"
        )
    if layout == CHANNELS_SAMPLES:
        return replace(heading, shape=heading.shape[::-1], by_column=not heading.by_column)
    if layout == IMAGES and rank == 2:
        return replace(heading, shape=(1, *heading.shape))
    return replace(heading, trials=layout == TRIALS)


def open_oriented(source: Input, heading: Heading, kind: str, layout: str | None) -> Source:
    """Open the array after a header that has been read.

    Raises:
        DatasetError: if it is none of samples, not of this layout, or of another size.
        ValueError: if there is no such layout.
    """
    heading.check_type(source.name)
    meant = oriented(heading, layout, source.name)
    meant.check(source.name)
    notices = () if layout else doubts(heading, source.name)
    more = {ATTACHMENT: layout.encode()} if layout else None
    return open_array(source, meant, kind, more, notices)


def write_oriented(
    target: Path | BinaryIO, layout: Layout, heading: Heading
) -> AbstractContextManager[Sink]:
    """Return the context in which an array file is written with the header that it had.

    Raises:
        SansError: in the context, if it cannot be written.
    """
    said = layout.attachments.get(ATTACHMENT)
    meant = oriented(heading, said.decode() if said else None, "the array")
    meant.check("the array")
    return write_array(target, layout, meant)


def doubts(heading: Heading, name: str) -> tuple[str, ...]:
    """Return what a user should know of an array whose dimensions seem to mean something else.

    Args:
        heading: the array, as it is taken where nothing is said.
        name: of the file.
    """
    shape = heading.shape
    if len(shape) == 2 and 0 < shape[0] < shape[1]:
        return (
            f"{name} is taken as {shape[0]:,} samples of {shape[1]:,} channels: if it is "
            f"(channels, samples), say {ORIENT} {CHANNELS_SAMPLES}",
        )
    if len(shape) != 3 or not _is_odd(shape[1], shape[2], heading.dtype.kind):
        return ()
    return (
        f"{name} is taken as {shape[0]:,} images of {shape[1]:,} × {shape[2]:,}: if it is "
        f"(trials, channels, samples), say {ORIENT} {TRIALS}; if it is images, {ORIENT} {IMAGES}",
    )


def _is_odd(height: int, width: int, kind: str) -> bool:
    """Return whether images of this size would be unusual."""
    return max(height, width) > _SQUARE * min(height, width) or (kind == "f" and height != width)
