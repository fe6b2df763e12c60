"""Reading channels of a WFDB record that lies on this computer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sans.datasets.channels import choose_leads
from sans.datasets.config import DataConfig
from sans.datasets.leads import Asked, Lead, read_leads
from sans.datasets.recorded import LOOKED_AT
from sans.datasets.windows import Channel
from sans.errors import DatasetError, printable
from sans.recordings.layout import Layout, Track
from sans.recordings.wfdb.channel import Record, open_channels, read_channel


def read_record(
    stem: Path, name: str, config: DataConfig, samples: int, *, own: bool = False
) -> Channel:
    """Read the beginning of channels, as `wfdb.rdrecord` gives it by default.

    Where the frames of a record have several samples of a channel, they are averaged to a whole
    step of the converter, with a notice, unless channels are resampled; samples that the record
    marks as missing are NaN.

    Args:
        stem: path of the record without suffix.
        name: what to call it in messages, such as "mitdb/100".
        config: which channels, and their rate.
        samples: how many to read; a shorter record is read whole.
        own: whether it is a user's own, of which a signal is taken unless another is named.

    Raises:
        DatasetError: if a channel is not there, rates differ, or a file of the record is missing or
            damaged.
    """
    name = printable(name)
    record = open_channels(stem, name)
    tracks = tuple(
        Track(signal.name, signal.unit, signal.gain, signal.baseline, 64, "<f8")
        for signal in record.signals
    )
    positions, notices = choose_leads(
        config.channel,
        Layout("wfdb", tracks, None),
        lambda number: read_channel(record, number, LOOKED_AT),
        name,
        exactly=not own,
    )
    found = _read(record, positions, samples, config.resample, stem)
    return found._replace(notices=(*notices, *found.notices))


def _read(
    record: Record, positions: Sequence[int], samples: int, resample: str | None, stem: Path
) -> Channel:
    """Read channels; of frames of several samples means, unless channels are resampled."""
    name, header = record.name, record.header
    signals = [record.signals[position] for position in positions]
    uneven = len({signal.per_frame for signal in signals}) > 1
    whole = resample is not None or uneven
    counts = [signal.per_frame if whole else 1 for signal in signals]
    leads = [
        Lead(position, signal.name, header.rate * count, header.frames and header.frames * count)
        for position, signal, count in zip(positions, signals, counts, strict=True)
    ]

    def read(wanted: int) -> list[NDArray[np.float64]]:
        frames = -(-wanted // counts[0])
        found = [read_channel(record, position, frames, whole=whole) for position in positions]
        if not found[0].size:
            raise DatasetError(
                f"{name} is empty: its header {stem}.hea says 0 samples or nothing, its files have "
                "none"
            )
        return found

    title = f"{name} {signals[0].name}".rstrip()
    found = read_leads(name, leads, Asked(samples, resample, len(record.signals), title), read)
    notices = tuple(
        f"{name} {signal.name}".rstrip()
        + f": each frame of {signal.per_frame} samples averaged to one, {header.rate:g} Hz"
        for signal in signals
        if signal.per_frame > 1 and not whole
    )
    return found._replace(notices=notices)
