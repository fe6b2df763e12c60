"""Reading one channel, or the images, of whatever file `sans.recordings` reads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.datasets.channels import choose_signal
from sans.datasets.windows import Recording
from sans.errors import DatasetError
from sans.recordings.layout import Source, Track

LOOKED_AT = 4096
"""Frames at the beginning that tell an axis from a signal."""


def read_channel(source: Source, name: str, channel: str, samples: int) -> Recording:
    """Read the beginning of one channel of an open recording, in its physical unit.

    Args:
        source: the recording.
        name: what to call it in messages.
        channel: name or position of the channel.
        samples: how many to read; a shorter recording is read whole.

    Raises:
        DatasetError: if the channel is not there, or the recording is damaged.
    """
    first = next(iter(source.blocks(LOOKED_AT)), None)
    if first is None:
        raise DatasetError(f"{name} is empty: it has no samples")
    position, notices = choose_signal(channel, source.layout, first.__getitem__, name)
    track = source.layout.tracks[position]
    frames = math.ceil(samples / track.per_frame)
    stored = [np.asarray(block[position]) for block in _until(source, frames)]
    values = _physical(np.concatenate(stored)[:samples], track)
    label = track.name if len(source.layout.tracks) > 1 else ""
    full_name = f"{name} {label}".rstrip()
    return Recording(full_name, values, track.rate or None, (*source.notices, *notices))


def read_images(source: Source) -> NDArray[Any]:
    """Return the images of an open recording, ``(images, height, width)``."""
    blocks = [np.asarray(block[0]) for block in source.blocks(LOOKED_AT)]
    return np.concatenate(blocks).reshape(source.layout.shape)


def _until(source: Source, frames: int) -> list[list[NDArray[Any]]]:
    found, blocks = [], source.blocks(min(frames, LOOKED_AT))
    for block in blocks:
        found.append(block)
        if len(found) * LOOKED_AT >= frames:
            break
    return found


def _physical(stored: NDArray[Any], track: Track) -> NDArray[np.float64]:
    values = (stored.astype(np.float64) - track.baseline) / track.gain
    if track.missing is not None:
        values[stored == track.missing] = np.nan
    return values
