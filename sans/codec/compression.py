"""From recordings to streams: plan if loss is allowed, then code chunk by chunk."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sans.codec import container
from sans.codec.allocation import keep_freed_memory
from sans.codec.chunks import encode_chunk
from sans.codec.description.waveforms import pack_all_waveforms
from sans.codec.headers import End, StreamHeader, TrackErrors, pack_end, pack_header
from sans.codec.measures import Measures
from sans.codec.planning.inputs import KernelOptions, Progress
from sans.codec.planning.sparing import Decision, plan_with_loss
from sans.codec.plans import RecordingPlan, exact_plan
from sans.codec.quality import LOSSLESS, Quality, check_choices
from sans.codec.spool import Spool
from sans.codec.versions import LARGEST_FRAME, NEWEST
from sans.errors import DatasetError
from sans.recordings.formats import limited
from sans.recordings.layout import Block, Layout, Source, Track
from sans.recordings.rates import given_rate, lacks_rate, rated
from sans.recordings.regrouping import regrouped
from sans.recordings.roles import kept_exactly, roles_of
from sans.recordings.wfdb.annotators import Wanted, annotators_in

LOG = logging.getLogger(__name__)

Array = NDArray[Any]

CHUNK = 1 << 17
"""Samples of a track in a chunk, at most, unless the user says how long it is."""

LARGEST_CHUNK = NEWEST.samples
"""Samples of all tracks in a chunk, at most, unless a frame has more."""

LARGEST_IMAGES = NEWEST.pixels
"""Pixels of a chunk, at most."""

LEARNED_KERNELS = KernelOptions()


def quietly(_stage: str, _share: float) -> None:
    """Take a report of progress and do nothing with it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a recording is compressed."""

    quality: Quality = LOSSLESS
    """What is asked of every track."""

    kernel_options: KernelOptions = LEARNED_KERNELS
    """Which kernels may be used."""

    seconds: float | None = None
    """How long a chunk is; none: `CHUNK` samples, or what fits."""

    threads: int = 1
    """How many share the work; the stream is the same."""

    exact: tuple[str, ...] = ()
    """Names of signals that come back exactly, beside axes, events and annotations."""

    lossy: tuple[str, ...] = ()
    """Names of axes and events that need not."""

    rate: float | None = None
    """Samples per second of channels whose recording does not say; none: what an axis tells."""

    layout: str | None = None
    """What the dimensions of an array mean, one of `sans.recordings.arrays.orientation.LAYOUTS`."""

    annotations: Wanted = True
    """Which annotation files beside a WFDB record travel with it."""

    def __post_init__(self) -> None:
        exceptions = self.exact + self.lossy
        check_choices(self.quality, self.seconds, self.rate, self.layout, exceptions)
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, not {self.threads}")


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a recording."""

    size: int
    """Bytes of the stream."""

    frames: int
    """Frames of the recording."""

    tracks: tuple[Track, ...]
    """Its tracks."""

    figures: tuple[TrackErrors, ...]
    """What was achieved on each of them."""

    notices: tuple[str, ...] = ()
    """What the reader has overlooked that the user should know."""

    annotations: tuple[str, ...] = ()
    """Whose annotation files came with a WFDB record."""

    @property
    def samples(self) -> int:
        """Samples of all tracks."""
        return self.frames * sum(track.per_frame for track in self.tracks)

    @property
    def stored_bits(self) -> int:
        """What they take uncompressed, in bits of their converters."""
        return self.frames * sum(track.per_frame * track.bits for track in self.tracks)

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
    keep_freed_memory()
    # Small solves wait for each other's threads: those of the linear algebra are left out.
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(options.threads) as pool,
        closing(Spool()) as spool,
    ):
        layout = source.layout if options.rate is None else given_rate(source.layout, options.rate)
        whole, frames, blocks = _begun(layout, source, options.seconds)
        decision = Decision(whole, exact_plan(whole), LOSSLESS, ())
        if options.quality.kind != "lossless":
            for block in blocks:
                spool.append(block)
                progress("reading", _share(len(spool) * frames, layout.frames))
            layout, goal = _settled(layout, spool, options), options.quality
            decision = plan_with_loss(
                layout, whole, spool, goal, options.kernel_options, pool, progress
            )
            blocks = (spool.block(number) for number in range(len(spool)))
        layout, plan, quality, notices = decision
        LOG.info("stored as %s %s, with %s", quality.kind, quality.given, _kernels_in(plan))
        header = StreamHeader(layout, frames, (quality.kind, quality.given), plan.quanta)
        summary = _write(header, blocks, plan, file, pool, options.threads, progress)
        kept = tuple(annotators_in(layout.attachments)) if layout.format == "wfdb" else ()
        bounds = options.quality.bounds
        idle = bounds.idle(layout.tracks) if bounds is not None else ()
        notices = (*source.notices, *source.kept, *idle, *notices)
        return replace(summary, notices=notices, annotations=kept)


def _kernels_in(plan: RecordingPlan) -> str:
    """Return in words how many kernels describe how many of the signals."""
    kernels = [len(track.waveforms.levels) for track in plan.tracks]
    described = sum(count > 0 for count in kernels)
    return f"{sum(kernels)} kernels for {described} of {len(kernels)} signals"


def _settled(layout: Layout, spool: Spool, options: Options) -> Layout:
    """Return a layout that says all that the samples tell: how many, and which must stay exact."""
    layout = replace(layout, frames=spool.frames(layout.tracks[0].per_frame))

    def read(number: int) -> Iterator[Array]:
        return (spool.read(block, number) for block in range(len(spool)))

    roles = roles_of(layout, read)
    layout = rated(kept_exactly(layout, roles, options.exact, options.lossy), read, roles)
    return limited(layout, read)


def _begun(
    layout: Layout, source: Source, seconds: float | None
) -> tuple[Layout, int, Iterator[Block]]:
    """Return the layout of a recording without loss, the frames of a chunk, and all chunks.

    Where it has no rate, it gets the one that the axis of its first chunk tells.
    """
    if not lacks_rate(layout):
        frames = frames_of_chunk(layout, seconds)
        return layout, frames, source.blocks(frames)
    frames = frames_of_chunk(layout)
    blocks = source.blocks(frames)
    first = list(islice(blocks, 1))
    every: Iterator[list[Array]] = chain(first, blocks)
    if first:
        layout = rated(layout, lambda number: [block[number] for block in first])
    if seconds is not None:
        frames = frames_of_chunk(layout, seconds)
        every = regrouped(every, [track.per_frame * frames for track in layout.tracks])
    return layout, frames, every


def frames_of_chunk(layout: Layout, seconds: float | None = None) -> int:
    """Return how many frames a chunk has.

    Raises:
        DatasetError: if no reader would accept a single frame, or the recording has no rate to
            measure seconds by.
    """
    each = [track.per_frame for track in layout.tracks]
    if sum(each) > LARGEST_FRAME:
        raise DatasetError(
            f"a frame has {sum(each):,} samples: at most {LARGEST_FRAME:,} can be compressed"
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


def _write(
    header: StreamHeader,
    blocks: Iterator[Block],
    plan: RecordingPlan,
    file: BinaryIO,
    pool: Executor,
    threads: int,
    progress: Progress,
) -> Summary:
    """Write the stream of a recording."""
    layout = header.layout
    writer = container.SectionWriter(file)
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
    return Summary(writer.size, frames, layout.tracks, figures)


def _in_order(
    layout: Layout, blocks: Iterator[Block], plan: RecordingPlan, pool: Executor, threads: int
) -> Iterator[tuple[Block, tuple[bytes, list[Array]]]]:
    """Yield blocks and what became of them, in order; a few are worked on at once."""
    waiting: deque[tuple[Block, Future[tuple[bytes, list[Array]]]]] = deque()
    for number, block in enumerate(blocks):
        waiting.append((block, pool.submit(encode_chunk, layout, plan, number, block)))
        if len(waiting) > threads:
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


def _share(done: int, all_frames: int | None) -> float:
    return min(1.0, done / all_frames) if all_frames else 0.0
