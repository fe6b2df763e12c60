"""A chunk of a recording as bytes, by a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.codec.chunk_coder import DESCRIBED, Way, as_whole, encode_group, groups_of
from sans.codec.masks import fill
from sans.codec.planning.plan import TrackChunk, TrackPlan
from sans.codec.representations import Integral
from sans.codec.varints import pack_parts, varint
from sans.recordings.layout import Block, Layout

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """How all tracks of a recording are coded."""

    quanta: tuple[float, ...]
    """For each track, what floats become multiples of; 0.0: they are kept exactly."""

    tracks: tuple[TrackPlan, ...]
    """The plan of each track."""


def exact_plan(layout: Layout) -> RecordingPlan:
    """Return the plan of a recording that loses nothing."""
    return RecordingPlan((0.0,) * len(layout.tracks), (TrackPlan(),) * len(layout.tracks))


def encode_chunk(
    layout: Layout, plan: RecordingPlan, number: int, block: Block
) -> tuple[bytes, list[Array]]:
    """Return a chunk as bytes, and what a reader gets of each track."""
    parts, kept = [], [np.empty(0)] * len(block)
    for group in groups_of(layout):
        tracks = [layout.tracks[i] for i in group.tracks]
        samples = [np.asarray(block[i]) for i in group.tracks]
        quanta = [plan.quanta[i] for i in group.tracks]
        wholes = as_whole(tracks, samples, quanta)
        ways = [
            _way(plan.tracks[i], number, whole)
            for i, whole in zip(group.tracks, wholes, strict=True)
        ]
        waveforms = [plan.tracks[i].waveforms for i in group.tracks]
        coded = encode_group(group, tracks, wholes, samples, ways, waveforms, quanta)
        parts.append(coded.data)
        for i, array in zip(group.tracks, coded.samples, strict=True):
            kept[i] = array
    frames = len(block[0]) // layout.tracks[0].per_frame
    return varint(number) + varint(frames) + pack_parts(parts), kept


def _way(plan: TrackPlan, number: int, whole: Integral | None) -> Way:
    if whole is None or plan.kind != DESCRIBED:
        return Way(plan.kind, plan.step)
    fill(whole.numbers, whole.mask)
    return plan.way(number, TrackChunk(whole.numbers, whole.mask))
