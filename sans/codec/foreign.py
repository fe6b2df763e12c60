"""Recordings of file formats that this reader does not know: newer writers may have more."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np

from sans.errors import SansError
from sans.recordings.formats import FORMATS
from sans.recordings.layout import Layout

ARRAY = "npy"
"""The format that stands in for them."""


def written_as(kind: str) -> str:
    """Return the file format that recordings of a format are restored to."""
    return kind if kind in FORMATS else ARRAY


def as_known(layout: Layout, frames: int | None) -> Layout:
    """Return a layout by which a recording can be written: of a format not known, as an array.

    Args:
        layout: of the stream.
        frames: of the recording, if that is known, perhaps from the end of the stream.

    Raises:
        SansError: if its samples are none, or nobody knows yet how many there are.
    """
    if layout.format in FORMATS:
        return layout
    if len({(track.dtype, track.per_frame, track.rate) for track in layout.tracks}) > 1:
        raise SansError(
            f"the format {layout.format!r} is of a newer sans, which restores it: signals of "
            "several types or rates are no array"
        )
    if frames is None:
        raise SansError(
            f"the format {layout.format!r} is of a newer sans, and the size of the array that can "
            "be written instead is known at the end: give a whole file, not a pipe"
        )
    track, channels = layout.tracks[0], len(layout.tracks)
    samples = frames * track.per_frame
    shape = layout.shape or ((samples,) if channels == 1 else (samples, channels))
    tracks = layout.tracks
    if not layout.shape:  # an array has a sample of each signal in a frame
        tracks, frames = tuple(replace(each, per_frame=1) for each in tracks), samples
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": track.dtype, "fortran_order": False, "shape": shape}
    )
    return Layout(ARRAY, tracks, frames, shape, {"header": header.getvalue()})
