"""A group of tracks in a chunk as bytes: how each track is coded, then what that needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.corrections import code_corrections, correct, corrections_of
from sans.codec.description.descriptions import Description, code_description, reconstruct
from sans.codec.description.spikes import no_spikes
from sans.codec.entropy.numbers import code_whole
from sans.codec.entropy.range_coder import Coder, bytes_of, code_plain, read_from, writer
from sans.codec.groups import DESCRIBED, JOINT, LOSSLESS, OWN, Group, TrackInput, TrackRules, Way
from sans.codec.images import decode_images, encode_images, in_range
from sans.codec.masks import code_mask, fill
from sans.codec.prediction.samples import decode_samples, encode_samples
from sans.codec.raw_words import decode_patterns
from sans.codec.representations import DIGITS, PATTERN, WHOLE, Integral, from_whole
from sans.codec.stored import pack_patterns, unswollen
from sans.codec.varints import pack_parts, unpack_parts
from sans.codec.versions import NEWEST, Version
from sans.errors import BitstreamError

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NO_BYTES = b"\0"
"""What stands for a coder's bytes where there are none: a part without any says patterns."""

WAY_BITS, KIND_BITS, DIGIT_BITS = 2, 2, 4


class EncodedGroup(NamedTuple):
    """A group in a chunk, coded."""

    data: bytes
    """Its bytes."""

    samples: list[Array]
    """What a reader gets of each track."""


def encode_group(group: Group, members: Sequence[TrackInput]) -> EncodedGroup:
    """Return a group in a chunk as bytes.

    Args:
        group: the group.
        members: its tracks; where one is not whole numbers, all are kept as patterns.
    """
    samples = [member.samples for member in members]
    known = [member.whole for member in members if member.whole is not None]
    if len(known) < len(members) or (group.image and not in_range(_filled(known[0]))):
        return EncodedGroup(pack_patterns(samples), samples)
    encode = _encode_images if group.image else _encode_tracks
    coded = encode(group, members, known)
    stored = unswollen(coded.data, known, samples)
    return coded if stored is None else EncodedGroup(stored, samples)


def _encode_tracks(
    group: Group, members: Sequence[TrackInput], known: Sequence[Integral]
) -> EncodedGroup:
    """Return a group of signals in a chunk as bytes; `known`: their samples as whole numbers."""
    numbers = [_filled(whole) for whole in known]
    coder = writer(2 * sum(map(len, numbers)) * 3 + 1024 * len(numbers) + 4096)
    kept: list[Integers] = [np.empty(0, np.int64)] * len(numbers)
    layers: list[bytes] = []
    steps: list[int] = []
    companion = _nothing()
    for i, (member, whole) in enumerate(zip(members, known, strict=True)):
        way = member.way
        _write_kind(coder, whole, way)
        if way.kind == DESCRIBED and way.description is not None:
            companion, kept[i] = _write_description(coder, member, numbers[i], companion)
        elif way.kind == OWN:
            data, decoded = predict(numbers[i][None], way.step)
            layers.append(data)
            steps.append(way.step)
            kept[i] = decoded[0]
    if joint := [i for i, member in enumerate(members) if member.way.kind == JOINT]:
        step = members[joint[0]].way.step
        data, decoded = predict(np.stack([numbers[i] for i in joint]), step)
        layers.append(data)
        steps.append(step)
        for i, row in zip(joint, decoded, strict=True):
            kept[i] = row
    for step in steps:
        code_whole(coder, step)
    head = bytes_of(coder) or NO_BYTES
    decoded_samples = [
        _samples_of(group, member.rules, whole, row)
        for member, whole, row in zip(members, known, kept, strict=True)
    ]
    return EncodedGroup(pack_parts([head, *layers]), decoded_samples)


def _write_description(
    coder: Coder, member: TrackInput, numbers: Integers, companion: Description
) -> tuple[Description, Integers]:
    """Write what is kept of a `DESCRIBED` track; return it, and what a reader gets."""
    way, waveforms = member.way, member.rules.waveforms
    known = way.description or _nothing()
    found = code_description(coder, known, waveforms, companion, NEWEST)
    kept = reconstruct(found, waveforms)
    code_whole(coder, way.width)
    if way.width:
        corrections = corrections_of(numbers, kept, way.width)
        code_corrections(coder, corrections)
        correct(kept, corrections, way.width)
    return found, kept


def decode_group(
    group: Group,
    rules: Sequence[TrackRules],
    data: bytes,
    frames: int,
    version: Version,
    bits: Floats | None = None,
) -> list[Array]:
    """Return the samples of each track of a group in a chunk: the inverse of `encode_group`.

    Args:
        group: the group.
        rules: what is known of each of its tracks.
        data: the bytes.
        frames: how many frames the chunk has.
        version: of the stream, with the rules of the chunk.
        bits: ``(4,)``, if given: see `code_description`.

    Raises:
        BitstreamError: if the bytes are not such a group's.
    """
    length, count = frames * group.per_frame, len(rules)
    head, *layers = unpack_parts(data, 1 + max(count, 1))
    if not head:
        (layer,) = _exactly(layers, 1)
        return _unpack_patterns(layer, group.dtype, count, length)
    coder = read_from(head)
    if group.image:
        (layer,) = _exactly(layers, 1)
        return [_decode_images(group, rules[0], coder, layer, frames)]
    wholes: list[Integral] = []
    kinds: list[int] = []
    companion = _nothing()
    for each in rules:
        whole, kind = _read_kind(coder, length, group.dtype)
        numbers = whole.numbers
        if kind == DESCRIBED:
            companion = code_description(
                coder, _empty(length), each.waveforms, companion, version, bits
            )
            numbers = reconstruct(companion, each.waveforms)
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
        _samples_of(group, each, whole, whole.numbers)
        for each, whole in zip(rules, wholes, strict=True)
    ]


def predict(numbers: Integers, step: int) -> tuple[bytes, Integers]:
    """Return whole numbers ``(tracks, length)`` as bytes, predicted, and what a reader gets."""
    data = encode_samples(numbers, step)
    if step == LOSSLESS:
        return data, numbers
    tracks, length = numbers.shape
    return data, decode_samples(data, tracks, length, step)


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


def _encode_images(
    group: Group, members: Sequence[TrackInput], known: Sequence[Integral]
) -> EncodedGroup:
    """Return a group of images, of which there is one, as bytes; arguments: `_encode_tracks`."""
    (whole,), (member,) = known, members
    height, width = group.image or (1, 1)
    numbers = _filled(whole).reshape(-1, height, width)
    step = member.way.step
    layer = encode_images(numbers, step)
    if step != LOSSLESS:
        numbers = decode_images(layer, numbers.shape, step)
    coder = writer(64 + 8 * whole.mask.size)
    _write_kind(coder, whole, Way())
    code_whole(coder, step)
    kept = _samples_of(group, member.rules, whole, numbers.ravel())
    return EncodedGroup(pack_parts([bytes_of(coder) or NO_BYTES, layer]), [kept])


def _decode_images(
    group: Group, rules: TrackRules, coder: Coder, layer: bytes, frames: int
) -> Array:
    height, width = group.image or (1, 1)
    whole, _ = _read_kind(coder, frames * height * width, group.dtype)
    numbers = decode_images(layer, (frames, height, width), _read_step(coder))
    return _samples_of(group, rules, whole, numbers.ravel())


def _samples_of(group: Group, rules: TrackRules, whole: Integral, numbers: Integers) -> Array:
    """Return the samples that these whole numbers stand for."""
    its = whole._replace(numbers=numbers)
    return from_whole(its, group.dtype, rules.track.missing, rules.quantum)


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
