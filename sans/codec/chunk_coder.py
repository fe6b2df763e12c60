"""Tracks that are coded together, chunk by chunk: those of one rate and one type of samples.

A group in a chunk is bytes: how each of its tracks is coded, then what the ways need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.corrections import code_corrections, correct, corrections_of
from sans.codec.description.descriptions import Description, code_description, reconstruct
from sans.codec.description.spikes import no_spikes
from sans.codec.description.waveforms import Waveforms
from sans.codec.entropy.numbers import code_whole
from sans.codec.entropy.range_coder import Coder, bytes_of, code_plain, read_from, writer
from sans.codec.images import decode_images, encode_images, in_range
from sans.codec.masks import code_mask, fill
from sans.codec.prediction.samples import decode_samples, encode_samples
from sans.codec.raw_words import decode_patterns
from sans.codec.representations import DIGITS, PATTERN, WHOLE, Integral, from_whole, to_whole
from sans.codec.stored import pack_patterns, unswollen
from sans.codec.varints import pack_parts, unpack_parts
from sans.codec.versions import NEWEST, Version
from sans.errors import BitstreamError
from sans.recordings.layout import Layout, Track

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

JOINT, OWN, DESCRIBED = range(3)
"""Ways to code a track: predicted with all others that are, by itself, or by spikes."""

LOSSLESS = 256
"""The step of predictions that lose nothing."""

NO_BYTES = b"\0"
"""What stands for a coder's bytes where there are none: a part without any says patterns."""

WAY_BITS, KIND_BITS, DIGIT_BITS = 2, 2, 4


@dataclass(frozen=True, slots=True)
class Group:
    """Tracks that are coded together."""

    tracks: tuple[int, ...]
    """Which, in the order of the recording."""

    dtype: np.dtype[Any]
    """Type of their samples."""

    per_frame: int
    """Samples of each in a frame."""

    image: tuple[int, int] | None
    """Height and width, where a frame is an image."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one track of a chunk is coded."""

    kind: int = JOINT
    """`JOINT`, `OWN` or `DESCRIBED`."""

    step: int = LOSSLESS
    """Of `JOINT` and `OWN` what predictions are off by multiples of, in 1/256; the same for all
    that are `JOINT`."""

    description: Description | None = None
    """Of `DESCRIBED`, what is kept."""

    width: int = 0
    """Of `DESCRIBED`, the width of corrections, an odd number; 0: there are none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A group in a chunk, coded."""

    data: bytes
    """Its bytes."""

    samples: list[Array] = field(default_factory=list)
    """What a reader gets of each track."""


def groups_of(layout: Layout) -> tuple[Group, ...]:
    """Return the groups of a recording, by their first tracks."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for number, track in enumerate(layout.tracks):
        key = (track.per_frame, track.dtype, track.exact)
        found.setdefault(key, []).append(number)
    image = layout.shape[1:] if len(layout.shape) == 3 else None
    return tuple(
        Group(tuple(numbers), np.dtype(dtype), per_frame, image)
        for (per_frame, dtype, _), numbers in found.items()
    )


def encode_group(
    group: Group,
    tracks: Sequence[Track],
    wholes: Sequence[Integral | None],
    samples: Sequence[Array],
    ways: Sequence[Way],
    waveforms: Sequence[Waveforms],
    quanta: Sequence[float],
) -> Kept:
    """Return a group in a chunk as bytes.

    Args:
        group: the group.
        tracks: its tracks, and so on for all that follow.
        wholes: their samples as whole numbers; where one is none, all are kept as patterns.
        samples: the samples.
        ways: how they are coded.
        waveforms: the kernels.
        quanta: see `sans.codec.representations`.
    """
    known = [whole for whole in wholes if whole is not None]
    if len(known) < len(wholes) or (group.image and not in_range(_filled(known[0]))):
        return Kept(pack_patterns(samples), list(samples))
    if group.image:
        coded = _encode_images(group, tracks[0], known[0], ways[0].step, quanta[0])
    else:
        coded = _encode_tracks(group, tracks, known, ways, waveforms, quanta)
    stored = unswollen(coded.data, known, samples)
    return coded if stored is None else Kept(stored, list(samples))


def _encode_tracks(
    group: Group,
    tracks: Sequence[Track],
    known: Sequence[Integral],
    ways: Sequence[Way],
    waveforms: Sequence[Waveforms],
    quanta: Sequence[float],
) -> Kept:
    """Return a group of signals in a chunk as bytes; arguments: `encode_group`."""
    numbers = [_filled(whole) for whole in known]
    coder = writer(2 * sum(map(len, numbers)) * 3 + 1024 * len(numbers) + 4096)
    kept: list[Integers] = [np.empty(0, np.int64)] * len(numbers)
    layers: list[bytes] = []
    companion = _nothing()
    for i, (whole, way) in enumerate(zip(known, ways, strict=True)):
        _write_kind(coder, whole, way)
        if way.kind == DESCRIBED and way.description is not None:
            companion = code_description(
                coder, way.description, waveforms[i], companion, np.zeros(4), NEWEST
            )
            kept[i] = reconstruct(companion, waveforms[i])
            code_whole(coder, way.width)
            if way.width:
                corrections = corrections_of(numbers[i], kept[i], way.width)
                code_corrections(coder, corrections)
                correct(kept[i], corrections, way.width)
        elif way.kind == OWN:
            data, decoded = predict(numbers[i][None], way.step)
            layers.append(data)
            kept[i] = decoded[0]
    if joint := [i for i, way in enumerate(ways) if way.kind == JOINT]:
        data, decoded = predict(np.stack([numbers[i] for i in joint]), ways[joint[0]].step)
        layers.append(data)
        for i, row in zip(joint, decoded, strict=True):
            kept[i] = row
    steps = [way.step for way in ways if way.kind == OWN]
    steps += [ways[joint[0]].step] if joint else []
    for step in steps:
        code_whole(coder, step)
    head = bytes_of(coder) or NO_BYTES
    decoded_samples = [
        from_whole(whole._replace(numbers=row), group.dtype, track.missing, quantum)
        for whole, row, track, quantum in zip(known, kept, tracks, quanta, strict=True)
    ]
    return Kept(pack_parts([head, *layers]), decoded_samples)


def decode_group(
    group: Group,
    tracks: Sequence[Track],
    data: bytes,
    frames: int,
    waveforms: Sequence[Waveforms],
    quanta: Sequence[float],
    version: Version,
    bits: Floats | None = None,
) -> list[Array]:
    """Return the samples of each track of a group in a chunk: the inverse of `encode_group`.

    Args:
        group: the group.
        tracks: its tracks, and so on for all that follow.
        data: the bytes.
        frames: of the chunk.
        waveforms: the kernels.
        quanta: see `sans.codec.representations`.
        version: of the stream, with the rules of the chunk.
        bits: ``(4,)``, if given: see `code_description`.

    Raises:
        BitstreamError: if the bytes are not such a group's.
    """
    length, count = frames * group.per_frame, len(tracks)
    head, *layers = unpack_parts(data, 1 + max(count, 1))
    if not head:
        (layer,) = _exactly(layers, 1)
        return _unpack_patterns(layer, group.dtype, count, length)
    coder = read_from(head)
    if group.image:
        (layer,) = _exactly(layers, 1)
        return [_decode_images(group, tracks[0], coder, layer, frames, quanta[0])]
    wholes: list[Integral] = []
    kinds: list[int] = []
    companion = _nothing()
    for i in range(count):
        whole, kind = _read_kind(coder, length, group.dtype)
        numbers = whole.numbers
        if kind == DESCRIBED:
            companion = code_description(
                coder,
                _empty(length),
                waveforms[i],
                companion,
                np.zeros(4) if bits is None else bits,
                version,
            )
            numbers = reconstruct(companion, waveforms[i])
            if width := code_whole(coder, 0):
                corrections = np.zeros(length, np.int64)
                code_corrections(coder, corrections)
                correct(numbers, corrections, width)
        wholes.append(whole._replace(numbers=numbers))
        kinds.append(kind)
    joint = [i for i in range(count) if kinds[i] == JOINT]
    together = [[i] for i in range(count) if kinds[i] == OWN] + ([joint] if joint else [])
    for members, layer in zip(together, _exactly(layers, len(together)), strict=True):
        decoded = decode_samples(layer, len(members), length, _read_step(coder))
        for i, row in zip(members, decoded, strict=True):
            wholes[i] = wholes[i]._replace(numbers=row)
    return [
        from_whole(whole, group.dtype, track.missing, quantum)
        for whole, track, quantum in zip(wholes, tracks, quanta, strict=True)
    ]


def predict(numbers: Integers, step: int) -> tuple[bytes, Integers]:
    """Return whole numbers ``(tracks, length)`` as bytes, predicted, and what a reader gets."""
    data = encode_samples(numbers, step)
    if step == LOSSLESS:
        return data, numbers
    tracks, length = numbers.shape
    return data, decode_samples(data, tracks, length, step)


def as_whole(
    tracks: Sequence[Track], samples: Sequence[Array], quanta: Sequence[float]
) -> list[Integral | None]:
    """Return the samples of tracks as whole numbers, where they can be."""
    return [
        to_whole(array, track.missing, quantum)
        for array, track, quantum in zip(samples, tracks, quanta, strict=True)
    ]


def _write_kind(coder: Coder, whole: Integral, way: Way) -> None:
    code_plain(coder, way.kind, WAY_BITS)
    code_plain(coder, whole.kind, KIND_BITS)
    code_plain(coder, whole.digits, DIGIT_BITS)
    code_mask(coder, whole.mask)


def _read_kind(coder: Coder, length: int, dtype: np.dtype[Any]) -> tuple[Integral, int]:
    way, kind = code_plain(coder, 0, WAY_BITS), code_plain(coder, 0, KIND_BITS)
    digits = code_plain(coder, 0, DIGIT_BITS)
    mask = np.zeros(length, np.bool_)
    code_mask(coder, mask)
    whole = dtype.kind in "iu"
    if way > DESCRIBED or kind == PATTERN or digits > DIGITS or (kind == WHOLE) != whole:
        raise BitstreamError(f"damaged: no samples of {dtype} are coded in way {way}, kind {kind}")
    return Integral(kind, digits, np.zeros(length, np.int64), mask), way


def _read_step(coder: Coder) -> int:
    step = code_whole(coder, 0)
    if not step:
        raise BitstreamError("damaged: a step of 0")
    return step


def _encode_images(group: Group, track: Track, whole: Integral, step: int, quantum: float) -> Kept:
    height, width = group.image or (1, 1)
    numbers = _filled(whole).reshape(-1, height, width)
    layer = encode_images(numbers, step)
    if step != LOSSLESS:
        numbers = decode_images(layer, numbers.shape, step)
    coder = writer(64 + 8 * whole.mask.size)
    _write_kind(coder, whole, Way())
    code_whole(coder, step)
    kept = from_whole(whole._replace(numbers=numbers.ravel()), group.dtype, track.missing, quantum)
    return Kept(pack_parts([bytes_of(coder) or NO_BYTES, layer]), [kept])


def _decode_images(
    group: Group, track: Track, coder: Coder, layer: bytes, frames: int, quantum: float
) -> Array:
    height, width = group.image or (1, 1)
    whole, _ = _read_kind(coder, frames * height * width, group.dtype)
    numbers = decode_images(layer, (frames, height, width), _read_step(coder))
    return from_whole(whole._replace(numbers=numbers.ravel()), group.dtype, track.missing, quantum)


def _unpack_patterns(data: bytes, dtype: np.dtype[Any], count: int, length: int) -> list[Array]:
    words = decode_patterns(data, count, length, 8 * dtype.itemsize)
    return [row.astype(f"<u{dtype.itemsize}").view(dtype) for row in words]


def _filled(whole: Integral) -> Integers:
    if whole.mask.any():
        fill(whole.numbers, whole.mask)
    return whole.numbers


def _exactly(layers: Sequence[bytes], wanted: int) -> Sequence[bytes]:
    if len(layers) != wanted:
        raise BitstreamError(f"damaged: {len(layers)} parts of a chunk where {wanted} belong")
    return layers


def _empty(length: int) -> Description:
    return Description(0, 1, no_spikes(0), np.zeros(length, np.int64))


def _nothing() -> Description:
    return _empty(0)
