"""Reading one channel, or the images, of whatever file `sans.recordings` reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.datasets.channels import choose_signal
from sans.datasets.parts import Origin
from sans.datasets.windows import ALL, Channel
from sans.errors import DatasetError
from sans.recordings.arrays.orientation import ATTACHMENT, TRIALS
from sans.recordings.layout import Source, frames_at_a_time, in_units

LOOKED_AT = 4096
"""Samples at the beginning that tell an axis from a signal, of the channel that has most."""


def read_channel(source: Source, name: str, channel: str, samples: int) -> Channel:
    """Read the beginning of one channel of an open recording, in its physical unit.

    Args:
        source: the recording.
        name: what to call it in messages.
        channel: name or position of the channel.
        samples: how many to read; a shorter recording is read whole.

    Raises:
        DatasetError: if the channel is not there, or the recording is damaged.
    """
    tracks = source.layout.tracks
    some = max(1, LOOKED_AT // max(track.per_frame for track in tracks))

    def read(number: int) -> NDArray[Any]:
        return next(_pieces(source, number, some), np.empty(0))

    position, notices = choose_signal(channel, source.layout, read, name)
    track = tracks[position]
    frames = -(-samples // track.per_frame)
    size = min(frames, max(some, frames_at_a_time(source.layout)) if samples >= ALL else some)
    pieces = list(islice(_pieces(source, position, size), -(-frames // size)))
    if not pieces:
        raise DatasetError(f"{name} is empty: it has no samples")
    stored = np.concatenate(pieces)[:samples]
    values = in_units(stored, track.gain, track.baseline, track.missing)
    full_name = f"{name} {track.name or f'channel {position}'}" if len(tracks) > 1 else name
    length = None if source.layout.frames is None else source.layout.frames * track.per_frame
    origin = Origin("window", None, length, position, len(tracks), "" if track.name else name)
    return Channel(full_name, values, track.rate or None, (*source.notices, *notices), origin)


def trial_length(source: Source) -> int | None:
    """Return the samples of a trial, where the frames of a recording are trials; else None."""
    if source.layout.attachments.get(ATTACHMENT) != TRIALS.encode():
        return None
    return source.layout.tracks[0].per_frame


def read_images(source: Source) -> NDArray[Any]:
    """Return the images of an open recording, ``(images, height, width)``."""
    images = list(_pieces(source, 0, LOOKED_AT))
    return np.concatenate(images).reshape(source.layout.shape)


def _pieces(source: Source, number: int, frames: int) -> Iterator[NDArray[Any]]:
    """Yield the samples of a track, so many frames at a time."""
    return (np.asarray(block[number]) for block in source.blocks(frames))
