"""A .npy file from the signals of any recording: numbers in their units."""

from __future__ import annotations

from collections.abc import Iterator

from sans.recordings.arrays.npy import header_of, parse
from sans.recordings.conversion.contents import Array, Contents, in_unit, is_plain
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
    types = {signal.track.dtype for signal in contents.signals}
    plain = len(types) == 1 and all(map(is_plain, contents.signals))
    dtype = types.pop() if plain else "<f8"
    samples, channels = contents.signals[0].samples, len(contents.signals)
    shape: tuple[int, ...] = (samples,) if channels == 1 else (samples, channels)
    if images:
        shape = (layout.frames or 0, *layout.shape[1:])
    header = header_of(dtype, shape)
    tracks = parse(header, "the array").tracks()

    def blocks(_: int) -> Iterator[list[Array]]:
        for block in contents.blocks():
            yield [
                block[signal.number] if plain else in_unit(signal, block[signal.number])
                for signal in contents.signals
            ]

    attachments = {"header": header}
    _note(contents)
    return Source(Layout("npy", tracks, shape[0], shape, attachments), blocks, contents.notices())


def _note(contents: Contents) -> None:
    """Note what the array does not have."""
    for signal in contents.signals:
        if signal.track.name:
            contents.lose("NPY has no names, columns are in this order", signal.track.name)
        if signal.track.unit:
            contents.lose("NPY has no units", f"{signal.label} is in {signal.track.unit}")
    if rate := contents.signals[0].track.rate:
        contents.lose("NPY has no rate", f"it is {rate:g} Hz")
