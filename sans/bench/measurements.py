"""Every codec on a recording, one call at a time: bytes, error, seconds; each result decoded."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.bench.peers import Peer
from sans.bench.recorded import Recorded
from sans.bench.results import OURS, YARDSTICK, BenchRow
from sans.bench.wavelets import measure
from sans.codec.compression import LEARNED_KERNELS, Options, compress_recording
from sans.codec.decompression import Chunk, read_chunks
from sans.codec.planning import KernelOptions
from sans.codec.quality import LOSSLESS, Quality
from sans.errors import DatasetError, SansError
from sans.figures import Approximation
from sans.recordings import Track, find_recordings

Array = NDArray[Any]
Notice = Callable[[str], None]

PRDN = (2.0, 5.0, 9.0, 15.0)
"""The errors at which codecs are compared, in per cent."""

WARMING = 1 << 14
"""Frames that are coded before the clock runs, so that nothing is compiled while it does."""

TOLERATED = 1 + 1e-6
"""What an achieved PRDN may be above the one asked for, for the rounding of sums."""


def find(paths: Sequence[Path]) -> list[Path]:
    """Return the recordings that paths name, those of a folder in its place, each once.

    Raises:
        DatasetError: if a path is missing, or a folder has no recording.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = find_recordings(path)
            if not inside:
                raise DatasetError(f"no recording in the folder {path}")
            found |= dict.fromkeys(inside)
        else:
            found[path] = None
    return list(found)


def judge(
    recording: Recorded, prdn: Sequence[float], peers: Mapping[str, Peer], notice: Notice
) -> Iterator[BenchRow | None]:
    """Measure every codec on a recording.

    Args:
        recording: which.
        prdn: the errors at which lossy codecs are compared, in per cent.
        peers: lossless codecs to compare with.
        notice: is told which codec could not be measured, and why.

    Yields:
        A row for each codec and quality, or None where there is none.

    Raises:
        SansError: if a stream of this codec does not come back as it must.
    """
    yield ours(recording, LOSSLESS)
    for name, peer in peers.items():
        yield lossless(recording, name, peer, notice)
    for each in prdn:
        try:
            yield ours(recording, Quality("prdn", each))
        except DatasetError as error:
            notice(f"{recording.name}: left out at PRDN {each:g} %: {error}")
            yield None
        if not recording.images:
            yield by_wavelets(recording, each, notice)


def ours(
    recording: Recorded, quality: Quality, kernel_options: KernelOptions = LEARNED_KERNELS
) -> BenchRow:
    """Compress a recording to a whole stream and decode it.

    Args:
        recording: which.
        quality: what is asked for.
        kernel_options: which kernels may be used.

    Raises:
        SansError: if it does not come back, or with too large an error.
    """
    options = Options(quality, kernel_options)
    _decoded(_encoded(recording.beginning(_frames_of(recording)), options))
    start = time.perf_counter()
    stream = _encoded(recording, options)
    middle = time.perf_counter()
    found = _decoded(stream)
    end = time.perf_counter()
    tracks = recording.layout.tracks
    if quality.kind == "lossless":
        if not all(map(same, recording.samples, found)):
            raise SansError(f"{recording.name} does not come back from a lossless stream")
        worst = 0.0
    else:
        worst = max(map(prdn_of, recording.samples, found, tracks))
        if worst > quality.value * TOLERATED:
            raise SansError(
                f"{recording.name} comes back with a PRDN of {worst:.6g} %, not {quality.value:g}"
            )
    return _row(
        recording, OURS, quality.value, worst, 8 * len(stream), middle - start, end - middle
    )


def lossless(recording: Recorded, name: str, peer: Peer, notice: Notice) -> BenchRow | None:
    """Return the row of a peer, by the way to give it the recording that takes the fewest bytes."""
    best: BenchRow | None = None
    for arrays in peer.variants(recording):
        try:
            _there_and_back(peer, [array[:WARMING] for array in arrays])
            size, encoding, decoding = _there_and_back(peer, arrays)
        except (RuntimeError, ValueError) as error:  # what its package raises where it gives up
            notice(f"{recording.name}: {name} is left out: {error}")
            return None
        if best is None or 8 * size < best.bits:
            best = _row(recording, name, 0.0, 0.0, 8 * size, encoding, decoding)
    return best


def by_wavelets(recording: Recorded, prdn: float, notice: Notice) -> BenchRow | None:
    """Return the row of the yardstick; what must be kept exactly costs it nothing."""
    bits, worst = 0.0, 0.0
    for samples, track in zip(recording.samples, recording.layout.tracks, strict=True):
        if track.exact:
            continue
        there = filled(samples, track)
        if not np.isfinite(there).all():
            notice(f"{recording.name}: {YARDSTICK} is left out: {track.name} holds infinities")
            return None
        found = measure(there, prdn)
        bits, worst = bits + found.bits, max(worst, found.prdn)
    return _row(recording, YARDSTICK, prdn, worst, bits, None, None)


def filled(samples: Array, track: Track) -> NDArray[np.float64]:
    """Return the samples of a track, the last one again where one is missing."""
    there = _there(samples, track)
    values = samples.astype(np.float64)
    if there.all() or not there.any():
        return values if there.any() else np.zeros(len(values))
    places = np.where(there, np.arange(len(values)), -1)
    places = np.maximum.accumulate(places)
    places[places < 0] = int(there.argmax())
    return values[places]


def prdn_of(samples: Array, found: Array, track: Track) -> float:
    """Return the PRDN over the samples that are not missing, in per cent."""
    there = _there(samples, track)
    before, after = (each[there].astype(np.float64)[None, None] for each in (samples, found))
    return float(Approximation(before, after)["prdn"][0]) if there.any() else 0.0


def same(first: Array, second: Array) -> bool:
    """Return whether two arrays have the same type and bits."""
    return first.dtype == second.dtype and first.tobytes() == second.tobytes()


def _there_and_back(peer: Peer, arrays: Sequence[Array]) -> tuple[int, float, float]:
    """Return bytes, and seconds to encode and to decode.

    Raises:
        ValueError: if something else comes back.
    """
    start = time.perf_counter()
    streams = [peer.encode(array) for array in arrays]
    middle = time.perf_counter()
    found = [peer.decode(data, array) for data, array in zip(streams, arrays, strict=True)]
    end = time.perf_counter()
    if not all(map(same, arrays, found)):
        raise ValueError("it gave something else back")
    return sum(map(len, streams)), middle - start, end - middle


def _encoded(recording: Recorded, options: Options) -> bytes:
    file = io.BytesIO()
    compress_recording(recording.source(), file, options)
    return file.getvalue()


def _decoded(stream: bytes) -> list[Array]:
    chunks = [part for part in read_chunks(io.BytesIO(stream)) if isinstance(part, Chunk)]
    return [
        np.concatenate([chunk.samples[track] for chunk in chunks])
        for track in range(len(chunks[0].samples))
    ]


def _frames_of(recording: Recorded) -> int:
    """Return how many frames are coded before the clock runs."""
    return max(1, WARMING // max(track.per_frame for track in recording.layout.tracks))


def _there(samples: Array, track: Track) -> NDArray[np.bool_]:
    """Return which samples are not missing."""
    if samples.dtype.kind == "f":
        return ~np.isnan(samples)
    if track.missing is None:
        return np.ones(len(samples), np.bool_)
    return np.asarray(samples != track.missing)


def _row(
    recording: Recorded,
    codec: str,
    asked: float,
    achieved: float,
    bits: float,
    encoding: float | None,
    decoding: float | None,
) -> BenchRow:
    return BenchRow(
        recording.name,
        codec,
        asked,
        achieved,
        recording.count,
        bits,
        recording.stored_bits,
        encoding,
        decoding,
    )
