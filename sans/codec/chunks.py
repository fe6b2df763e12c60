"""A chunk of a recording as bytes, by a plan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.codec.chunk_coder import encode_group
from sans.codec.groups import DESCRIBED, TrackInput, TrackRules, Way, groups_of
from sans.codec.masks import fill
from sans.codec.plans import RecordingPlan, TrackChunk, TrackPlan
from sans.codec.representations import Integral, to_whole
from sans.codec.varints import pack_parts, varint
from sans.recordings.layout import Block, Layout

Array = NDArray[Any]


def encode_chunk(
    layout: Layout, plan: RecordingPlan, number: int, block: Block
) -> tuple[bytes, list[Array]]:
    """Return a chunk as bytes, and what a reader gets of each track.

    Args:
        layout: the recording.
        plan: how its tracks are coded.
        number: which chunk it is, from 0 on.
        block: the samples of each track, ``(frames * per_frame,)``.
    """
    parts, kept = [], [np.empty(0)] * len(block)
    for group in groups_of(layout):
        members = [_ready(layout, plan, i, number, np.asarray(block[i])) for i in group.tracks]
        coded = encode_group(group, members)
        parts.append(coded.data)
        for i, array in zip(group.tracks, coded.samples, strict=True):
            kept[i] = array
    frames = len(block[0]) // layout.tracks[0].per_frame
    return varint(number) + varint(frames) + pack_parts(parts), kept


def _ready(layout: Layout, plan: RecordingPlan, i: int, number: int, samples: Array) -> TrackInput:
    """Return the i-th track of a chunk, ready to be written."""
    its = plan.tracks[i]
    rules = TrackRules(layout.tracks[i], its.waveforms, plan.quanta[i])
    whole = to_whole(samples, rules.track.missing, rules.quantum)
    return TrackInput(rules, samples, whole, _way(its, number, whole))


def _way(plan: TrackPlan, number: int, whole: Integral | None) -> Way:
    if whole is None or plan.kind != DESCRIBED:
        return Way(plan.kind, plan.step)
    fill(whole.numbers, whole.mask)
    return plan.way(number, TrackChunk(whole.numbers, whole.mask))
