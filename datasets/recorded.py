"""Reading channels, or the images, of whatever file `sans.recordings` reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.datasets.channels import choose_leads
from sans.datasets.leads import Asked, Lead, read_leads
from sans.datasets.windows import ALL, Channel
from sans.errors import DatasetError
from sans.recordings.arrays.orientation import ATTACHMENT, TRIALS
from sans.recordings.layout import Source, frames_at_a_time, in_units

LOOKED_AT = 4096
"""Samples at the beginning that tell an axis from a signal, of the channel that has most."""


def read_channel(
    source: Source, name: str, channel: str, samples: int, resample: str | None = None
) -> Channel:
    """Read the beginning of channels of an open recording, in their physical units.

    Args:
        source: the recording.
        name: what to call it in messages.
        channel: as in `DataConfig.channel`: one channel, or several, or all signals.
        samples: how many to read; a shorter recording is read whole.
        resample: as in `DataConfig.resample`.

    Raises:
        DatasetError: if a channel is not there, their rates differ, or the recording is damaged.
    """
    layout, tracks = source.layout, source.layout.tracks
    some = max(1, LOOKED_AT // max(track.per_frame for track in tracks))

    def look(number: int) -> NDArray[Any]:
        return next(_pieces(source, number, some), np.empty(0))

    positions, notices = choose_leads(channel, layout, look, name)
    chosen = [tracks[position] for position in positions]
    leads = [
        Lead(position, track.name, track.rate, layout.frames and layout.frames * track.per_frame)
        for position, track in zip(positions, chosen, strict=True)
    ]

    def read(wanted: int) -> list[NDArray[np.float64]]:
        frames = -(-wanted // chosen[0].per_frame)
        size = min(frames, max(some, frames_at_a_time(layout)) if wanted >= ALL else some)
        blocks = islice(source.blocks(size), -(-frames // size))
        pieces = [[np.asarray(block[position]) for position in positions] for block in blocks]
        if not pieces:
            raise DatasetError(f"{name} is empty: it has no samples")
        return [
            in_units(np.concatenate(stored), track.gain, track.baseline, track.missing)[
                : frames * track.per_frame
            ]
            for track, stored in zip(chosen, zip(*pieces, strict=True), strict=True)
        ]

    title = f"{name} {leads[0].label}" if len(tracks) > 1 else name
    found = read_leads(name, leads, Asked(samples, resample, len(tracks), title), read)
    return found._replace(notices=(*source.notices, *notices))


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
