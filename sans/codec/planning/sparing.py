"""Loss only where it saves something: no stream is larger for what it loses.

Held values, words of few kinds, or a bound below what floating-point numbers are written with take
fewer bits as they are than with errors. Some chunks tell: first a stretch of one of them, since
most recordings are far from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sans.codec.chunks import encode_chunk
from sans.codec.description.waveforms import bits_of_kernels
from sans.codec.groups import DESCRIBED
from sans.codec.planning.inputs import KernelOptions, Progress
from sans.codec.planning.planner import sampled
from sans.codec.planning.recordings import SpooledPieces, bits_around, plan_recording
from sans.codec.plans import RecordingPlan, exact_plan
from sans.codec.quality import LOSSLESS, Quality
from sans.codec.spool import Spool
from sans.recordings.layout import Block, Layout
from sans.recordings.roles import called

Rates = dict[int, tuple[float, float]]
"""Bits a sample of each track that may lose something: as planned, and without loss."""

NEAR = 0.8
"""Where a stretch takes this share of what it takes without loss, chunks are compared."""

GLANCE = 1 << 11, 256
"""Samples of a track that tell whether that is so: so many at least, and one of so many."""

LOOK = 1 << 15, 8
"""The same of those that are compared then."""

DESCRIBED_CHUNKS = 2
"""Chunks that are compared where some of it is described: those are compared whole."""


class Decision(NamedTuple):
    """How a recording is coded, and what is said of that."""

    layout: Layout
    """Tracks that are kept exactly although loss was allowed are `exact`."""

    plan: RecordingPlan

    quality: Quality
    """What was asked for; lossless, if all of it is."""

    notices: tuple[str, ...]
    """What is kept exactly that need not be."""


class _Scene(NamedTuple):
    """What is compared."""

    spool: Spool
    pool: Executor
    whole: Layout
    """The layout without loss."""

    def size(self, layout: Layout, plan: RecordingPlan, quality: Quality) -> float:
        """Return how many bits a stream takes, by some of its chunks."""
        own = sum(bits_of_kernels(track.waveforms) for track in plan.tracks)
        around = bits_around(layout, self.spool, plan, quality)
        pieces = self.pieces(plan)
        frames = sum(len(block[0]) for _, block in pieces) // layout.tracks[0].per_frame
        share = self.frames / max(frames, 1)

        def bits(piece: tuple[int, Block]) -> int:
            return 8 * len(encode_chunk(layout, plan, *piece)[0])

        return own + around + share * sum(self.pool.map(bits, pieces))

    def size_without_loss(self) -> float:
        """Return how many bits the stream takes that loses nothing."""
        return self.size(self.whole, exact_plan(self.whole), LOSSLESS)

    @property
    def frames(self) -> int:
        """Frames of the recording."""
        return self.spool.frames(self.whole.tracks[0].per_frame)

    def cut(self, number: int, samples: int) -> Block:
        """Return so many samples of each track from the middle of a chunk, or a few more."""
        block, tracks = self.spool.block(number), self.whole.tracks
        frames = len(block[0]) // tracks[0].per_frame
        count = min(-(-samples // tracks[0].per_frame), frames)
        begin = (frames - count) // 2
        return [
            array[begin * track.per_frame : (begin + count) * track.per_frame]
            for array, track in zip(block, tracks, strict=True)
        ]

    def glance(self) -> tuple[int, Block]:
        """Return a chunk in the middle, and a stretch in the middle of that."""
        number = len(self.spool) // 2
        return number, self.cut(number, self._wanted(GLANCE))

    def pieces(self, plan: RecordingPlan) -> list[tuple[int, Block]]:
        """Return chunks that tell how large a stream is, or stretches of them."""
        some = sampled(len(self.spool))
        if any(track.kind == DESCRIBED for track in plan.tracks):
            middle = len(some) // 2  # spikes are those of whole chunks
            some = some[max(middle - 1, 0) :][:DESCRIBED_CHUNKS]
            return [(number, self.spool.block(number)) for number in some]
        each = -(-self._wanted(LOOK) // max(len(some), 1))
        return [(number, self.cut(number, each)) for number in some]

    def _wanted(self, least: tuple[int, int]) -> int:
        fewest, one_of = least
        return max(fewest, self.frames * self.whole.tracks[0].per_frame // one_of)


def plan_with_loss(
    layout: Layout,
    whole: Layout,
    spool: Spool,
    quality: Quality,
    kernel_options: KernelOptions,
    pool: Executor,
    progress: Progress,
) -> Decision:
    """Return how a recording is coded of which something may be lost.

    Args:
        layout: the recording, its frames known, and what must stay exact.
        whole: the same as it is written without loss.
        spool: its chunks.
        quality: how much may be lost.
        kernel_options: which kernels may be used.
        pool: what performs the work.
        progress: is told how far it is.

    Raises:
        DatasetError: if what is asked for cannot be had.
    """
    scene = _Scene(spool, pool, whole)
    if quality.kind == "bits" and _fits(scene, quality.value):
        return _all_of_it(whole, f"{quality.value:g} bits a sample hold all of it")
    plan = plan_recording(layout, spool, quality, kernel_options, pool, progress)
    if not len(spool):
        return Decision(layout, plan, quality, ())
    rates = _rates(scene, layout, plan)
    near = [i for i, (lossy, exact) in rates.items() if lossy >= NEAR * exact]
    if not near and not _near_in_all(scene, layout, plan, quality, rates):
        return Decision(layout, plan, quality, ())
    found = Decision(layout, plan, quality, ())
    size = scene.size(*found[:3])
    spared = _spared(scene, found, near)
    if spared is not None and (less := scene.size(*spared[:3])) < size:
        found, size = spared, less
    if scene.size_without_loss() <= size:
        return _all_of_it(whole, "without loss it takes no more")
    return found


def _all_of_it(whole: Layout, reason: str) -> Decision:
    return Decision(whole, exact_plan(whole), LOSSLESS, (f"{reason}: nothing is lost",))


def _fits(scene: _Scene, bits: float) -> bool:
    """Return whether a recording fits into so many bits a sample as it is."""
    each = sum(track.per_frame for track in scene.whole.tracks)
    if not scene.frames:
        return False
    _, stretch = scene.glance()
    if NEAR * _bits_a_sample(scene.whole, exact_plan(scene.whole), 0, stretch) > bits:
        return False
    return scene.size_without_loss() <= bits * each * scene.frames


def _rates(scene: _Scene, layout: Layout, plan: RecordingPlan) -> Rates:
    """Return bits a sample of each track that may lose something: as planned, and without loss."""
    number, stretch = scene.glance()

    def both(i: int) -> tuple[float, float]:
        lossy, way = _chosen(layout, plan, [i])
        exact = _bits_a_sample(lossy, exact_plan(lossy), number, [stretch[i]])
        if not way.tracks[0].spikes:
            return _bits_a_sample(lossy, way, number, [stretch[i]]), exact
        # Spikes are those of a whole chunk.
        piece = SpooledPieces(scene.spool, i, layout.tracks[i], plan.quanta[i])[number]
        return way.tracks[0].bits(number, piece) / len(piece.numbers), exact

    numbers = [i for i, track in enumerate(layout.tracks) if not track.exact]
    return dict(zip(numbers, scene.pool.map(both, numbers), strict=True))


def _near_in_all(
    scene: _Scene, layout: Layout, plan: RecordingPlan, quality: Quality, rates: Rates
) -> bool:
    """Return whether all tracks together may be as small without loss.

    They help or hinder each other then; and kernels and the header count, which short recordings
    hardly pay for.
    """
    number, stretch = scene.glance()
    share = scene.frames * layout.tracks[0].per_frame / len(stretch[0])
    around = float(sum(bits_of_kernels(track.waveforms) for track in plan.tracks))
    around += bits_around(layout, scene.spool, plan, quality)
    each = [[share * rate * len(stretch[i]) for rate in both] for i, both in rates.items()]
    # Whatever tracks share, together they take no less than the largest of them without loss.
    if sum(lossy for lossy, _ in each) + around < NEAR * max(
        (exact for _, exact in each), default=0.0
    ):
        return False
    exact = share * 8 * len(encode_chunk(scene.whole, exact_plan(scene.whole), 0, stretch)[0])
    described = [i for i, track in enumerate(plan.tracks) if track.kind == DESCRIBED]
    lossy = sum(rates[i][0] * share * len(stretch[i]) for i in described)
    if others := [i for i in range(len(stretch)) if i not in described]:
        some, way = _chosen(layout, plan, others)
        block = [stretch[i] for i in others]
        lossy += share * 8 * len(encode_chunk(some, way, number, block)[0])
    lossy += around
    exact += bits_around(scene.whole, scene.spool, exact_plan(scene.whole), LOSSLESS)
    return lossy >= NEAR * exact


def _spared(scene: _Scene, planned: Decision, near: Sequence[int]) -> Decision | None:
    """Return a decision that keeps those tracks exactly that take no more, if there are any."""
    layout, plan, quality, _ = planned

    def saves(i: int) -> bool:
        lossy, way = _chosen(layout, plan, [i])
        sizes = [0, 0]
        for number, block in scene.pieces(way):
            for place, each in enumerate((way, exact_plan(lossy))):
                sizes[place] += len(encode_chunk(lossy, each, number, [block[i]])[0])
        # One that must be kept as patterns keeps others from losing anything.
        alike = np.dtype(lossy.tracks[0].dtype).kind == "f"
        return sizes[1] < sizes[0] or (alike and sizes[1] == sizes[0])

    kept = {i for i, saved in zip(near, scene.pool.map(saves, near), strict=True) if saved}
    if not kept:
        return None
    tracks = tuple(
        replace(track, exact=track.exact or i in kept) for i, track in enumerate(layout.tracks)
    )
    quanta = tuple(0.0 if i in kept else each for i, each in enumerate(plan.quanta))
    exact = exact_plan(layout).tracks
    plans = tuple(exact[i] if i in kept else each for i, each in enumerate(plan.tracks))
    names = [track.name for track in layout.tracks]
    listed = ", ".join(called(names, i) for i in sorted(kept))
    notice = f"without loss it takes no more: nothing of {listed} is lost"
    return Decision(
        replace(layout, tracks=tracks), RecordingPlan(quanta, plans), quality, (notice,)
    )


def _chosen(
    layout: Layout, plan: RecordingPlan, numbers: Sequence[int]
) -> tuple[Layout, RecordingPlan]:
    """Return the layout and the plan of some tracks alone."""
    alone = replace(layout, tracks=tuple(layout.tracks[i] for i in numbers), attachments={})
    quanta = tuple(plan.quanta[i] for i in numbers)
    return alone, RecordingPlan(quanta, tuple(plan.tracks[i] for i in numbers))


def _bits_a_sample(layout: Layout, plan: RecordingPlan, number: int, block: Block) -> float:
    """Return how many bits a sample of a chunk takes."""
    return 8 * len(encode_chunk(layout, plan, number, block)[0]) / sum(map(len, block))
