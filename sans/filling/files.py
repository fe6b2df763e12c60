"""Filling the gaps of a recording in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.filling.filling import Filled, fill
from sans.pursuit.dictionary import Dictionary
from sans.recordings.channels import choose_channels
from sans.recordings.layout import Source, Track, all_samples, in_units, samples_of
from sans.recordings.opening import open_recording
from sans.recordings.rates import rated
from sans.recordings.recording import in_memory
from sans.recordings.roles import Role, called, roles_in

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class FilledRecording:
    """A recording whose gaps are filled, and how."""

    source: Source
    """The recording, in memory; what was there is as it was stored."""

    groups: tuple[tuple[tuple[str, ...], Filled], ...]
    """What the leads that were filled together are called, and how they were; those with gaps."""

    @property
    def gaps(self) -> int:
        """How many gaps there were, counted by lead."""
        return sum(len(filled.gaps) for _, filled in self.groups)

    @property
    def samples(self) -> int:
        """How many samples were missing."""
        return sum(gap.length for _, filled in self.groups for gap in filled.gaps)


def fill_recording(
    path: Path, channels: Iterable[str] = (), dictionary: Dictionary | None = None
) -> FilledRecording:
    """Fill the gaps of the signals of a recording; those of one rate help each other.

    Args:
        path: whatever `sans.recordings` reads.
        channels: names or positions of the channels that are leads; none: all signals.
        dictionary: kernels to fill with; None: they are learned in the recording.

    Raises:
        DatasetError: if there is no such recording or channel, nothing is missing, or everything of
            a channel is.
        ValueError: if `dictionary` is for another number of leads, or for images.
    """
    source = open_recording(path, annotations=True)
    if len(source.layout.shape) == 3:
        raise DatasetError(f"{path.name} has images: gaps are filled in recordings over time")
    samples = all_samples(source)
    given = partial(samples_of, in_memory(source.layout, samples))
    roles = roles_in(source.layout, given)
    tracks = rated(source.layout, given, roles).tracks
    names = [track.name for track in tracks]
    chosen = _chosen(roles, names, list(channels), path.name)
    groups, filled = [], list(samples)
    for numbers in _alike(tracks, chosen):
        found = _fill(tracks, samples, numbers, names, path.name, dictionary)
        if found is None:
            continue
        for row, number in enumerate(numbers):
            filled[number] = _stored(found.values[row], samples[number], tracks[number])
        groups.append((tuple(called(names, number) for number in numbers), found))
    if not groups:
        raise DatasetError(f"{path.name}: no sample is missing: there is nothing to fill")
    return FilledRecording(in_memory(source.layout, filled, source.notices), tuple(groups))


def _chosen(
    roles: Sequence[Role], names: Sequence[str], channels: list[str], name: str
) -> list[int]:
    if channels:
        return sorted(choose_channels(channels, names, name))
    return [number for number, role in enumerate(roles) if role is Role.SIGNAL]


def _alike(tracks: Sequence[Track], chosen: Sequence[int]) -> list[list[int]]:
    """Return the tracks that have samples at the same times."""
    groups: dict[tuple[float, int], list[int]] = {}
    for number in chosen:
        key = tracks[number].rate, tracks[number].per_frame
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def _fill(
    tracks: Sequence[Track],
    samples: Sequence[Array],
    numbers: Sequence[int],
    names: Sequence[str],
    recording: str,
    dictionary: Dictionary | None,
) -> Filled | None:
    """Return leads without gaps; None if they have none."""
    chosen = [(tracks[number], samples[number]) for number in numbers]
    values = np.stack(
        [in_units(stored, track.gain, track.baseline, track.missing) for track, stored in chosen]
    )
    gone = np.isnan(values)
    if not gone.any():
        return None
    for number, row in zip(numbers, gone, strict=True):
        if row.all():
            raise DatasetError(
                f"{recording}: all samples of channel {called(names, number)} are missing: choose "
                "others with --channel"
            )
    for number, row in zip(numbers, values, strict=True):
        if np.isinf(row).any():
            raise DatasetError(f"{recording}: channel {called(names, number)} has infinite samples")
    rate = tracks[numbers[0]].rate or None
    return fill(values, rate, dictionary)


def _stored(values: NDArray[np.float64], stored: Array, track: Track) -> Array:
    """Return filled values as a track stores them: what was there to the last digit.

    What was missing lies between the lowest and the highest sample that is there, so that every
    file that had them has room for it.
    """
    there = ~np.isnan(in_units(stored, track.gain, track.baseline, track.missing))
    made = values * track.gain + track.baseline
    if stored.dtype.kind != "f":
        made = np.rint(made)
    limits = stored[there].min(), stored[there].max()
    made = np.clip(made, float(limits[0]), float(limits[1])).astype(stored.dtype)
    return np.where(there, stored, made).astype(stored.dtype)
