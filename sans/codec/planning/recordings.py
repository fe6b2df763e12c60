"""Planning a recording: all its tracks, for one PRDN, a number of bits, or a largest error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sans.codec import container
from sans.codec.bounds import bounds_of_tracks
from sans.codec.chunks import encode_chunk
from sans.codec.description.waveforms import bits_of_kernels
from sans.codec.groups import JOINT, OWN, groups_of
from sans.codec.groups import LOSSLESS as EXACT
from sans.codec.headers import End, StreamHeader, TrackErrors, pack_end, pack_header
from sans.codec.masks import fill
from sans.codec.planning.inputs import KernelOptions, Progress
from sans.codec.planning.planner import Planner, plan_images
from sans.codec.plans import RecordingPlan, TrackChunk, TrackPlan, exact_plan
from sans.codec.quality import LARGEST_ERROR, LOSSLESS, Quality
from sans.codec.representations import END, to_whole
from sans.codec.spool import Spool
from sans.codec.spread import Spread, spread_of
from sans.errors import DatasetError
from sans.recordings.layout import Layout, Track

FINE = 16.0
"""Where a PRDN is asked for, floats become multiples of the error that is allowed over this."""

SLACK = 1 - 2**-20
"""A quantum is so much smaller than twice the largest error, for roundings on the way."""

BITS_CLOSE = 0.98
"""A file of this share of the bits asked for is close enough."""

BITS_AIM = 0.992
"""The share that is aimed at."""

BITS_TRIES = 8

LEAST_PRDN, MOST_PRDN = 1e-3, 90.0
"""PRDN that are tried for a number of bits."""


def plan_recording(
    layout: Layout,
    spool: Spool,
    quality: Quality,
    kernel_options: KernelOptions,
    pool: Executor,
    progress: Progress,
) -> RecordingPlan:
    """Return the plan of a recording of which something may be lost.

    Args:
        layout: the recording, its frames known.
        spool: its chunks.
        quality: how much: any goal but "lossless".
        kernel_options: which kernels may be used.
        pool: what performs the work.
        progress: is told how far it is.

    Raises:
        DatasetError: if what is asked for cannot be had.
    """
    if quality.kind == "max-error":
        bounds = bounds_of_tracks(layout, quality.value, quality.bounds)
        return _bounded(layout, spool, bounds, kernel_options, pool, progress)
    if quality.prdn is not None:
        return _for_prdn(layout, spool, quality.prdn, kernel_options, pool, progress)
    samples = sum(track.per_frame for track in layout.tracks) * (layout.frames or 0)
    if not samples:
        return exact_plan(layout)
    asked, prdn = quality.value * samples, 9.0
    best: tuple[float, RecordingPlan] | None = None
    plan, close = RecordingPlan((), ()), False
    tried: dict[float, float] = {}
    for _ in range(BITS_TRIES):
        before = plan.tracks if close else None
        plan = _for_prdn(layout, spool, prdn, kernel_options, pool, progress, before)
        bits = _bits(layout, spool, plan, pool) + bits_around(layout, spool, plan, quality)
        # Kernels that were learned for a PRDN that is near serve, too.
        close = 0.5 < bits / asked < 2
        tried[prdn] = bits
        if bits <= asked:
            if best is None or bits > best[0]:
                best = bits, plan
            if bits >= BITS_CLOSE * asked:
                break
        prdn = _next_prdn(tried, BITS_AIM * asked)
        if prdn < LEAST_PRDN or prdn > MOST_PRDN:
            break
    if best is None:
        raise DatasetError(
            f"{quality.value:g} bits a sample are too few: {bits / max(samples, 1):.3g} are wanted "
            f"for a PRDN of {prdn:.3g} %"
        )
    return best[1]


def _next_prdn(tried: dict[float, float], aim: float) -> float:
    """Return the PRDN to try after some, by what bits they took: as if bits were a power of it."""
    above = max((prdn for prdn, bits in tried.items() if bits > aim), default=None)
    below = min((prdn for prdn, bits in tried.items() if bits <= aim), default=None)
    if above is None or below is None or above >= below:
        last = list(tried)[-1]
        return float(last * min(max((tried[last] / aim) ** 0.7, 1 / 3), 3))
    share = np.log(tried[above] / aim) / np.log(tried[above] / tried[below])
    return float(above * (below / above) ** min(max(share, 0.05), 0.95))


def _bounded(
    layout: Layout,
    spool: Spool,
    bounds: Sequence[float],
    kernel_options: KernelOptions,
    pool: Executor,
    progress: Progress,
) -> RecordingPlan:
    """Return the plan of a recording where no sample is off by more than the bound of its track."""
    quanta, plans = [], []
    image = len(layout.shape) == 3
    for number, (track, bound) in enumerate(zip(layout.tracks, bounds, strict=True)):
        progress("planning", number / len(layout.tracks))
        whole_bound = min(int(bound), LARGEST_ERROR)
        step = (2 * whole_bound + 1) * EXACT
        whole = np.dtype(track.dtype).kind in "iu"
        if track.exact or not whole or image:
            kept = whole or track.exact
            quanta.append(0.0 if kept else _quantum(spool, number, bound))
            plans.append(TrackPlan(step=step if whole and not track.exact else EXACT))
            continue
        quanta.append(0.0)
        pieces = SpooledPieces(spool, number, track, 0.0)
        plans.append(Planner(pieces, kernel_options, pool).plan_within(whole_bound))
    return RecordingPlan(tuple(quanta), _of_one_step(layout, plans))


def _of_one_step(layout: Layout, plans: Sequence[TrackPlan]) -> tuple[TrackPlan, ...]:
    """Return plans where tracks that are predicted jointly have one step; others are alone."""
    found = list(plans)
    for group in groups_of(layout):
        steps = Counter(found[i].step for i in group.tracks if found[i].kind == JOINT)
        for i in group.tracks if len(steps) > 1 else ():
            if found[i].kind == JOINT and found[i].step != steps.most_common(1)[0][0]:
                found[i] = replace(found[i], kind=OWN)
    return tuple(found)


def _for_prdn(
    layout: Layout,
    spool: Spool,
    prdn: float,
    kernel_options: KernelOptions,
    pool: Executor,
    progress: Progress,
    before: Sequence[TrackPlan] | None = None,
) -> RecordingPlan:
    quanta, plans = [], []
    image = len(layout.shape) == 3
    for number, track in enumerate(layout.tracks):
        progress("planning", number / len(layout.tracks))
        if track.exact:
            quanta.append(0.0)
            plans.append(TrackPlan())
            continue
        quantum = 0.0
        if np.dtype(track.dtype).kind == "f":
            deviation, largest = _deviation(spool, number, track)
            quantum = prdn / 100 * deviation / FINE
            if not largest < quantum * (END - 1):  # so little varies, or nothing, on so much
                quanta.append(0.0)
                plans.append(TrackPlan())
                continue
        pieces = SpooledPieces(spool, number, track, quantum)
        quanta.append(quantum)
        if image:
            plans.append(plan_images(pieces, layout.shape[1:], prdn))
        else:
            known = before[number] if before else None
            plans.append(Planner(pieces, kernel_options, pool).plan(prdn, known))
    return RecordingPlan(tuple(quanta), tuple(plans))


def _bits(layout: Layout, spool: Spool, plan: RecordingPlan, pool: Executor) -> float:
    """Return how many bits the chunks and the kernels of a recording take."""

    def size(number: int) -> int:
        return 8 * len(encode_chunk(layout, plan, number, spool.block(number))[0])

    own = sum(bits_of_kernels(track.waveforms) for track in plan.tracks)
    return own + sum(pool.map(size, range(len(spool))))


def bits_around(layout: Layout, spool: Spool, plan: RecordingPlan, quality: Quality) -> float:
    """Return how many bits a stream takes beside chunks and kernels, but for a few.

    Args:
        layout: the recording.
        spool: its chunks.
        plan: how they are coded.
        quality: what the header says: if that is lossless, there are no errors to be told.
    """
    header = StreamHeader(layout, 1, (quality.kind, quality.given), plan.quanta)
    frames = layout.frames or 0
    figures = tuple(
        TrackErrors(frames, 0, *(0.0 if quality == LOSSLESS else 100 / each for each in row))
        for row in _figures_like(len(layout.tracks))
    )
    begins = tuple(997 * number for number in range(1, len(spool) + 1))
    end = pack_end(End(frames, begins, figures))
    frame = container.FRAME * (len(spool) + 2) + container.START + container.TRAILER
    return 8.0 * (len(pack_header(header)) + len(end) + frame)


def _figures_like(tracks: int) -> NDArray[np.float64]:
    """Return divisors ``(tracks, 5)`` of figures that deflate shortens as little as real ones."""
    divisors: NDArray[np.float64] = np.pi * np.sqrt(np.arange(2.0, 2 + 5 * tracks))
    return divisors.reshape(tracks, 5)


class SpooledPieces:
    """All chunks of one track in a spool."""

    def __init__(self, spool: Spool, number: int, track: Track, quantum: float) -> None:
        self._spool = spool
        self._number = number
        self._track = track
        self._quantum = quantum

    def __len__(self) -> int:
        return len(self._spool)

    def __getitem__(self, block: int) -> TrackChunk:
        samples = self._spool.read(block, self._number)
        whole = to_whole(samples, self._track.missing, self._quantum)
        if whole is None:
            raise _only_exactly(
                self._track, self._number, "infinities, or numbers of more than 33 bits"
            )
        fill(whole.numbers, whole.mask)
        return TrackChunk(whole.numbers, whole.mask)


def _quantum(spool: Spool, number: int, bound: float) -> float:
    """Return what floating-point numbers may be rounded to multiples of; 0.0: they are kept.

    What a reader computes is rounded to the type of the track, which is an error, too.
    """
    rounding = 0.0
    for block in range(len(spool)):
        samples = np.abs(spool.read(block, number))
        there = samples[np.isfinite(samples)]
        if len(there):
            with np.errstate(over="ignore"):  # of the largest there is
                rounding = max(rounding, float(np.spacing(there.max())))
    return max(0.0, 2 * (bound * SLACK - rounding))


def _deviation(spool: Spool, number: int, track: Track) -> tuple[float, float]:
    """Return the standard deviation of a track of floating-point numbers, and the largest one."""
    spread, largest = Spread(), 0.0
    for block in range(len(spool)):
        samples = spool.read(block, number)
        there = samples[~np.isnan(samples)].astype(np.float64)
        spread.merge(spread_of(there))
        largest = max(largest, float(np.abs(there).max(initial=0.0)))
    if not np.isfinite(largest):
        raise _only_exactly(track, number, "infinities")
    return float(np.sqrt(spread.energy / max(spread.samples, 1))), largest


def _only_exactly(track: Track, number: int, held: str) -> DatasetError:
    """Return the error of a track that cannot be coded with loss, for what its samples hold."""
    name = track.name or str(number)
    return DatasetError(
        f"channel {name} holds {held}: it can be kept without loss only, which --exact {name} says"
    )
