"""From recordings to streams: plan if loss is allowed, then code chunk by chunk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sans.codec import container
from sans.codec.decompression import LARGEST_CHUNK as LARGEST_READ
from sans.codec.description.waveforms import pack_all_waveforms
from sans.codec.groups import DESCRIBED, Way, as_whole, encode_group, groups_of
from sans.codec.groups import LOSSLESS as EXACT
from sans.codec.headers import End, Figures, Header, pack_end, pack_header
from sans.codec.masks import fill
from sans.codec.measures import Measures
from sans.codec.parts import pack_parts, varint
from sans.codec.planning import (
    Piece,
    Planner,
    TrackPlan,
    Wishes,
    bits_of_kernels,
    plan_images,
)
from sans.codec.quality import LARGEST_ERROR, LOSSLESS, Quality
from sans.codec.representations import END, Whole, to_whole
from sans.codec.spool import Spool
from sans.errors import DatasetError
from sans.recordings.layout import Block, Layout, Source, Track

Array = NDArray[Any]
Progress = Callable[[str, float], None]

CHUNK = 1 << 17
"""Samples of a track in a chunk, at most, unless the user says how long it is."""

LARGEST_CHUNK = 1 << 21
"""Samples of all tracks in a chunk, at most, unless a frame has more."""

LARGEST_IMAGES = 1 << 23
"""Pixels of a chunk, at most."""

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


WISHES = Wishes()


def quietly(_stage: str, _share: float) -> None:
    """Tell nobody how far the work is."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a recording is compressed."""

    quality: Quality = LOSSLESS
    """What is asked of every track."""

    wishes: Wishes = WISHES
    """Which kernels may be used."""

    seconds: float | None = None
    """How long a chunk is; none: `CHUNK` samples, or what fits."""

    threads: int = 1
    """How many share the work; the stream is the same."""

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise ValueError(f"a chunk must be longer than 0 s, not {self.seconds:g}")
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, not {self.threads}")


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a recording."""

    size: int
    """Bytes of the stream."""

    samples: int
    """Samples of all tracks."""

    stored_bits: int
    """What they take uncompressed, in bits of their converters."""

    figures: tuple[Figures, ...]
    """What was achieved on each track."""

    @property
    def bits(self) -> float:
        """Bits of the stream for each sample."""
        return 8 * self.size / max(self.samples, 1)

    @property
    def ratio(self) -> float:
        """How many times the stream would fit into the converter's bits."""
        return self.stored_bits / (8 * self.size)


DEFAULT = Options()


def compress_recording(
    source: Source,
    file: BinaryIO,
    options: Options = DEFAULT,
    progress: Progress = quietly,
) -> Summary:
    """Compress a recording.

    Args:
        source: the recording; one from a pipe is read once.
        file: where the stream goes; it need not be seekable.
        options: how.
        progress: is told a stage and which share of it is done.

    Raises:
        DatasetError: if the recording cannot be read, or has infinities where loss is allowed.
    """
    layout = source.layout
    frames = frames_of_chunk(layout, options.seconds)
    # Small solves wait for each other's threads: those of the linear algebra are left out.
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(options.threads) as pool,
        closing(Spool()) as spool,
    ):
        blocks: Iterator[Block] = source.blocks(frames)
        if options.quality.kind == "lossless":
            plan = _exact(layout)
        else:
            for block in blocks:
                spool.append(block)
                progress("reading", _share(len(spool) * frames, layout.frames))
            layout = replace(layout, frames=spool.frames(layout.tracks[0].per_frame))
            plan = _planned(layout, spool, options, pool, progress)
            blocks = (spool.block(number) for number in range(len(spool)))
        header = Header(layout, frames, (options.quality.kind, options.quality.value), plan.quanta)
        return _write(header, blocks, plan, file, pool, options.threads, progress)


def frames_of_chunk(layout: Layout, seconds: float | None = None) -> int:
    """Return how many frames a chunk has.

    Raises:
        DatasetError: if no reader would accept a single frame, or nobody knows how long it is.
    """
    each = [track.per_frame for track in layout.tracks]
    if sum(each) > LARGEST_READ:
        raise DatasetError(
            f"a frame has {sum(each):,} samples: at most {LARGEST_READ:,} can be compressed"
        )
    if len(layout.shape) == 3:
        return max(1, LARGEST_IMAGES // each[0])
    wanted = CHUNK // max(each)
    if seconds is not None:
        rates = [track.rate / track.per_frame for track in layout.tracks if track.rate]
        if not rates:
            raise DatasetError("chunks of so many seconds want a recording with a rate")
        wanted = round(min(seconds * rates[0], LARGEST_CHUNK))
    return max(1, min(wanted, LARGEST_CHUNK // sum(each)))


@dataclass(frozen=True, slots=True)
class _Plan:
    """How all tracks of a recording are coded."""

    quanta: tuple[float, ...]
    tracks: tuple[TrackPlan, ...]


def _exact(layout: Layout) -> _Plan:
    """Return the plan of a recording that loses nothing."""
    return _Plan((0.0,) * len(layout.tracks), (TrackPlan(),) * len(layout.tracks))


def _planned(
    layout: Layout, spool: Spool, options: Options, pool: Executor, progress: Progress
) -> _Plan:
    """Return the plan of a recording that is to have one PRDN, or so many bits."""
    quality = options.quality
    if quality.kind == "max-error":
        return _bounded(layout, spool, quality.value, options, pool, progress)
    if quality.kind == "prdn":
        return _for_prdn(layout, spool, quality.value, options, pool, progress)
    samples = sum(track.per_frame for track in layout.tracks) * (layout.frames or 0)
    if not samples:
        return _exact(layout)
    asked, prdn = quality.value * samples, 9.0
    best: tuple[float, _Plan] | None = None
    plan, close = _Plan((), ()), False
    tried: dict[float, float] = {}
    for _ in range(BITS_TRIES):
        before = plan.tracks if close else None
        plan = _for_prdn(layout, spool, prdn, options, pool, progress, before)
        bits = _bits(layout, spool, plan, pool) + _bits_around(layout, spool, plan, quality)
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
    bound: float,
    options: Options,
    pool: Executor,
    progress: Progress,
) -> _Plan:
    """Return the plan of a recording of which no sample is off by more than a bound."""
    quanta, plans = [], []
    image = len(layout.shape) == 3
    whole_bound = min(int(bound), LARGEST_ERROR)
    step = (2 * whole_bound + 1) * EXACT
    for number, track in enumerate(layout.tracks):
        progress("planning", number / len(layout.tracks))
        whole = np.dtype(track.dtype).kind in "iu"
        if track.exact or not whole or image:
            quanta.append(0.0 if whole else _quantum(spool, number, bound))
            plans.append(TrackPlan(step=step if whole and not track.exact else EXACT))
            continue
        quanta.append(0.0)
        pieces = _Pieces(spool, number, track, 0.0)
        plans.append(Planner(pieces, options.wishes, pool).plan_within(whole_bound))
    return _Plan(tuple(quanta), tuple(plans))


def _for_prdn(
    layout: Layout,
    spool: Spool,
    prdn: float,
    options: Options,
    pool: Executor,
    progress: Progress,
    before: Sequence[TrackPlan] | None = None,
) -> _Plan:
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
            deviation, largest = _deviation(spool, number)
            quantum = prdn / 100 * deviation / FINE
            if not largest < quantum * (END - 1):  # so little varies, or nothing, on so much
                quanta.append(0.0)
                plans.append(TrackPlan())
                continue
        pieces = _Pieces(spool, number, track, quantum)
        quanta.append(quantum)
        if image:
            plans.append(plan_images(pieces, layout.shape[1:], prdn))
        else:
            known = before[number] if before else None
            plans.append(Planner(pieces, options.wishes, pool).plan(prdn, known))
    return _Plan(tuple(quanta), tuple(plans))


def _bits(layout: Layout, spool: Spool, plan: _Plan, pool: Executor) -> float:
    """Return how many bits the chunks and the kernels of a recording take."""

    def size(number: int) -> int:
        return 8 * len(_encode(layout, plan, number, spool.block(number))[0])

    own = sum(bits_of_kernels(track.waveforms) for track in plan.tracks)
    return own + sum(pool.map(size, range(len(spool))))


def _bits_around(layout: Layout, spool: Spool, plan: _Plan, quality: Quality) -> float:
    """Return how many bits a stream takes beside chunks and kernels, but for a few."""
    header = Header(layout, 1, (quality.kind, quality.value), plan.quanta)
    frames = layout.frames or 0
    figures = Figures(frames, 0, 100 / 7, 100 / 7, 100 / 7, 100 / 7, 100 / 7)
    begins = tuple(997 * number for number in range(1, len(spool) + 1))
    end = pack_end(End(frames, begins, (figures,) * len(layout.tracks)))
    frame = container.FRAME * (len(spool) + 2) + container.START + container.TRAILER
    return 8.0 * (len(pack_header(header)) + len(end) + frame)


class _Pieces:
    """All chunks of one track in a spool."""

    def __init__(self, spool: Spool, number: int, track: Track, quantum: float) -> None:
        self._spool = spool
        self._number = number
        self._track = track
        self._quantum = quantum

    def __len__(self) -> int:
        return len(self._spool)

    def __getitem__(self, block: int) -> Piece:
        samples = self._spool.read(block, self._number)
        whole = to_whole(samples, self._track.missing, self._quantum)
        if whole is None:
            raise DatasetError(
                f"track {self._number} holds infinities, or numbers of more than 33 bits: "
                "it can be kept without loss only"
            )
        fill(whole.numbers, whole.mask)
        return Piece(whole.numbers, whole.mask)


def _quantum(spool: Spool, number: int, bound: float) -> float:
    """Return what floating-point numbers may be rounded to multiples of; 0.0: they are kept.

    What a reader computes is rounded to the type of the track, which is an error, too.
    """
    rounding = 0.0
    for block in range(len(spool)):
        samples = np.abs(spool.read(block, number))
        there = samples[np.isfinite(samples)]
        if len(there):
            rounding = max(rounding, float(np.spacing(there.max())))
    return max(0.0, 2 * (bound * SLACK - rounding))


def _deviation(spool: Spool, number: int) -> tuple[float, float]:
    """Return the standard deviation of a track of floating-point numbers, and the largest one."""
    measures, largest = Measures(), 0.0
    for block in range(len(spool)):
        samples = spool.read(block, number)
        measures.add(samples, samples, None)
        there = np.abs(samples[~np.isnan(samples)])
        largest = max(largest, float(there.max(initial=0.0)))
    if not np.isfinite(largest):
        raise DatasetError(f"track {number} holds infinities: it can be kept without loss only")
    return float(np.sqrt(measures.energy / max(measures.samples, 1))), largest


def _encode(layout: Layout, plan: _Plan, number: int, block: Block) -> tuple[bytes, list[Array]]:
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


def _way(plan: TrackPlan, number: int, whole: Whole | None) -> Way:
    if whole is None or plan.kind != DESCRIBED:
        return Way(plan.kind, plan.step)
    fill(whole.numbers, whole.mask)
    return plan.way(number, Piece(whole.numbers, whole.mask))


def _write(
    header: Header,
    blocks: Iterator[Block],
    plan: _Plan,
    file: BinaryIO,
    pool: Executor,
    threads: int,
    progress: Progress,
) -> Summary:
    """Write the stream of a recording."""
    layout = header.layout
    writer = container.Writer(file)
    writer.write(container.HEADER, pack_header(header))
    waveforms = [track.waveforms for track in plan.tracks]
    if any(len(each.shifts) for each in waveforms):
        writer.write(container.KERNELS, pack_all_waveforms(waveforms))
    measures = [Measures() for _ in layout.tracks]
    begins: list[int] = []
    frames = 0
    for block, (data, kept) in _in_order(layout, blocks, plan, pool, threads):
        begins.append(writer.write(container.CHUNK, data))
        frames += len(block[0]) // layout.tracks[0].per_frame
        for track, its, before, after in zip(layout.tracks, measures, block, kept, strict=True):
            its.add(np.asarray(before), after, track.missing)
        progress("writing", _share(frames, layout.frames))
    figures = tuple(
        its.figures(track.gain) for track, its in zip(layout.tracks, measures, strict=True)
    )
    writer.close(pack_end(End(frames, tuple(begins), figures)))
    samples = [track.per_frame * frames for track in layout.tracks]
    stored = sum(count * track.bits for count, track in zip(samples, layout.tracks, strict=True))
    return Summary(writer.size, sum(samples), stored, figures)


def _in_order(
    layout: Layout, blocks: Iterator[Block], plan: _Plan, pool: Executor, threads: int
) -> Iterator[tuple[Block, tuple[bytes, list[Array]]]]:
    """Yield blocks and what became of them, in order; a few are worked on at once."""
    waiting: deque[tuple[Block, Future[tuple[bytes, list[Array]]]]] = deque()
    for number, block in enumerate(blocks):
        waiting.append((block, pool.submit(_encode, layout, plan, number, block)))
        if len(waiting) > threads:
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


def _share(done: int, all_frames: int | None) -> float:
    return min(1.0, done / all_frames) if all_frames else 0.0
