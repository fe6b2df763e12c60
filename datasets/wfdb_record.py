"""Reading one channel of a WFDB record that lies on this computer."""

from __future__ import annotations

from pathlib import Path

from sans.datasets.channels import choose_signal
from sans.datasets.parts import Origin
from sans.datasets.recorded import LOOKED_AT
from sans.datasets.windows import Channel
from sans.errors import DatasetError, printable
from sans.recordings.channels import choose_channel
from sans.recordings.layout import Layout, Track
from sans.recordings.wfdb.channel import Record, open_channels, read_channel


def read_record(stem: Path, name: str, channel: str, samples: int) -> Channel:
    """Read the beginning of one channel, as `wfdb.rdrecord` gives it by default.

    Where the frames of a record have several samples of a channel, they are averaged to a whole
    step of the converter, with a notice; samples that the record marks as missing are NaN.

    Args:
        stem: path of the record without suffix.
        name: what to call it in messages, such as "mitdb/100".
        channel: name or position of the channel.
        samples: how many to read; a shorter record is read whole.

    Raises:
        DatasetError: if the channel is not there, or a file of the record is missing or damaged.
    """
    name = printable(name)
    record = open_channels(stem, name)
    position = choose_channel(channel, [signal.name for signal in record.signals], name)
    return _read(record, position, samples, stem)


def read_own_record(stem: Path, name: str, channel: str, samples: int) -> Channel:
    """Read the beginning of one channel of a user's record: a signal, unless another is named.

    Args:
        stem: path of the record without suffix.
        name: what to call it in messages.
        channel: name or position of the channel; by default the first signal.
        samples: how many to read; a shorter record is read whole.

    Raises:
        DatasetError: as for `read_record`.
    """
    name = printable(name)
    record = open_channels(stem, name)
    tracks = tuple(
        Track(signal.name, signal.unit, signal.gain, signal.baseline, 64, "<f8")
        for signal in record.signals
    )
    position, notices = choose_signal(
        channel,
        Layout("wfdb", tracks, None),
        lambda number: read_channel(record, number, LOOKED_AT),
        name,
    )
    found = _read(record, position, samples, stem)
    return found._replace(notices=(*notices, *found.notices))


def _read(record: Record, position: int, samples: int, stem: Path) -> Channel:
    name = record.name
    values = read_channel(record, position, samples)
    if values.size == 0:
        raise DatasetError(
            f"{name} is empty: its header {stem}.hea says 0 samples or nothing, its files have none"
        )
    signal, rate = record.signals[position], record.header.rate
    full_name = f"{name} {signal.name}".rstrip()
    notices: tuple[str, ...] = ()
    if signal.per_frame > 1:
        count = f"each frame of {signal.per_frame} samples averaged to one"
        notices = (f"{full_name}: {count}, {rate:g} Hz",)
    frames, channels = record.header.frames, len(record.signals)
    origin = Origin("window", None, frames, position, channels, "" if signal.name else name)
    return Channel(full_name, values, rate, notices, origin)
