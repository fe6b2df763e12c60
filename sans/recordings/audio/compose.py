"""A WAV file from the signals of any recording: whole numbers, or floats in their units."""

from __future__ import annotations

import numpy as np

from sans.errors import DatasetError
from sans.recordings.audio.files import HIGHEST_RATE, MOST_CHANNELS
from sans.recordings.conversion.contents import Contents
from sans.recordings.layout import Layout, Source, Track

_WHOLE = ("i1", "<i2", "<i4")


def compose_wav(contents: Contents) -> Source:
    """Return a recording as a WAV file.

    Whole numbers that are in their unit as they are stay whole; others are floats of 64 bits in
    their units, NaN where they are missing.

    Raises:
        DatasetError: if its signals have several rates, or one that is no whole number of samples
            a second.
    """
    rate = contents.one_rate("WAV")
    contents.need_rates("WAV")
    if rate != int(rate) or not 1 <= rate <= HIGHEST_RATE:
        raise DatasetError(f"WAV files have a whole number of samples a second, not {rate:g}")
    signals = contents.signals
    if len(signals) > MOST_CHANNELS:
        raise DatasetError(f"WAV files have {MOST_CHANNELS} channels or fewer, not {len(signals)}")
    whole = (stored := contents.stored_type()) in _WHOLE
    dtype = stored if stored is not None and whole else "<f8"
    bits = 8 * np.dtype(dtype).itemsize
    if whole:
        bits = min(bits, max(signal.track.bits for signal in signals))
    contents.lose_names_and_units("WAV", "channels")
    for signal in signals:
        if not whole and (missing := signal.extent().missing):
            what = "WAV has missing samples as NaN, which few players know"
            contents.lose(what, f"{missing:,} of {signal.label}")
    tracks = (Track("", "", 1.0, 0.0, bits, dtype, rate=rate),) * len(signals)
    made = Layout("wav", tracks, signals[0].samples)
    return Source(made, lambda _: contents.numbers(whole), contents.notices())
