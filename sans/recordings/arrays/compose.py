"""A .npy file from the signals of any recording: numbers in their units."""

from __future__ import annotations

from sans.recordings.arrays.npy import header_of, parse
from sans.recordings.conversion.contents import Contents
from sans.recordings.layout import Layout, Source


def compose_npy(contents: Contents) -> Source:
    """Return a recording as an array, ``(samples,)`` or ``(samples, channels)``; or its images.

    Numbers that are in their unit as they are keep their type; others are float64, and NaN where
    they are missing.

    Raises:
        DatasetError: if its signals have several rates.
    """
    layout = contents.layout
    images = len(layout.shape) == 3
    contents.one_rate("NPY")
    stored = contents.stored_type()
    samples, channels = contents.signals[0].samples, len(contents.signals)
    shape: tuple[int, ...] = (samples,) if channels == 1 else (samples, channels)
    if images:
        shape = (layout.frames or 0, *layout.shape[1:])
    header = header_of(stored or "<f8", shape)
    tracks = parse(header, "the array").tracks()
    contents.lose_names_and_units("NPY", "columns")
    if rate := contents.signals[0].track.rate:
        contents.lose("NPY has no rate", f"it is {rate:g} Hz")
    made = Layout("npy", tracks, shape[0], shape, {"header": header})
    return Source(made, lambda _: contents.numbers(stored is not None), contents.notices())
