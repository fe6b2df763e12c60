"""What a stream holds: its header, what its parts take, and which of them are whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from sans.codec.decompression import OpenStream, decode_chunk, decode_part, split_chunk
from sans.codec.headers import StreamHeader, TrackErrors
from sans.codec.mapping import Reader, mapped
from sans.codec.quality import Quality
from sans.codec.recovery import Recovery, recover, seconds_of
from sans.codec.streamed import facts_in
from sans.codec.varints import unpack_parts
from sans.errors import BitstreamError, SansError
from sans.recordings.roles import Read, Role, names_of_exact, roles_in
from sans.recordings.timing import Facts
from sans.recordings.wfdb.annotators import annotators_told

NAMES = ("which kernels", "positions", "amplitudes", "coefficients")
"""What the bits of `sans.codec.description.descriptions.code_description` are for."""

MOST_FILLED = 1 << 26
"""Lost samples of a track, at most, that are counted to see when what follows was recorded."""


@dataclass(slots=True)
class Inspection:
    """What a stream holds."""

    header: StreamHeader
    """The header."""

    size: int
    """Bytes in all."""

    frames: int
    """Frames of the recording."""

    chunks: int
    """How many chunks there are, or were."""

    figures: tuple[TrackErrors, ...]
    """What was achieved on each track; none where the end is damaged."""

    parts: dict[str, int] = field(default_factory=dict)
    """Bytes by what they are for."""

    damaged: list[str] = field(default_factory=list)
    """What is damaged, in words; nothing, where all checksums are right."""

    facts: Facts | None = None
    """What it says of its time; None if that makes no sense."""

    roles: tuple[Role, ...] = ()
    """The role of each track."""

    @property
    def exact(self) -> list[str]:
        """What tracks that are kept exactly are called, whatever is lost of others."""
        return names_of_exact(self.header.layout.tracks)

    @property
    def annotators(self) -> list[str]:
        """Whose annotation files a WFDB record brings along."""
        return annotators_told(self.header.layout)

    @property
    def bits(self) -> float:
        """Bits of the stream for each sample."""
        samples = self.frames * sum(track.per_frame for track in self.header.layout.tracks)
        return 8 * self.size / max(samples, 1)

    @property
    def seconds(self) -> float:
        """How long the recording is, gaps included; 0.0 where that is unknown."""
        return self.facts.duration if self.facts else 0.0

    @property
    def asked(self) -> str:
        """What was asked for, in words."""
        try:
            return Quality.read(*self.header.quality).text
        except ValueError:
            return " ".join(map(str, self.header.quality))


def inspect_file(path: Path, thorough: bool = True) -> Inspection:
    """Look at a stream, all of it.

    Args:
        path: the stream.
        thorough: whether chunks are decoded, which bytes by part and roles take, and not only
            compared with their checksums.

    Raises:
        BitstreamError: if it is none, or its header is damaged.
    """
    found = recover(mapped(path))
    start, size = found.start, len(found.data)
    count = -(-found.frames // start.header.chunk)
    result = Inspection(start.header, size, found.frames, count, ())
    for span in found.missing:
        result.damaged.append(f"{seconds_of(start, span)} lost")
    try:
        result.figures = OpenStream(cast(BinaryIO, Reader(found.data))).end.figures
    except BitstreamError as error:
        result.damaged.append(str(error))
    result.facts = _facts(found)
    if thorough:
        result.roles = roles_in(start.header.layout, partial(_samples, found, False))
        result.parts = _parts(found)
    return result


def _facts(found: Recovery) -> Facts | None:
    """Return what a stream says of its time; of what is lost, that it went on."""
    layout = replace(found.start.header.layout, frames=found.frames)
    lost = sum(last - first for first, last in found.missing)
    filled = lost * max(track.per_frame for track in layout.tracks) <= MOST_FILLED
    read: Read = partial(_samples, found, filled) if filled else lambda _: ()
    try:
        return facts_in(layout, read)
    except SansError:
        return None


def _samples(found: Recovery, filled: bool, track: int) -> Iterator[NDArray[Any]]:
    """Yield the samples of a track from chunks that are whole, one by one, or zeros for others."""
    its, size = found.start.header.layout.tracks[track], found.start.header.chunk
    numbers = range(-(-found.frames // size)) if filled else sorted(found.spans)
    for number in numbers:
        samples = np.zeros(min(size, found.frames - number * size) * its.per_frame, its.dtype)
        if number in found.spans:
            with suppress(BitstreamError):
                samples = decode_chunk(found.start, found.content(number)).samples[track]
        yield samples


def _parts(found: Recovery) -> dict[str, int]:
    """Return the bytes of a stream by what they are for."""
    bits, residual, start = np.zeros(len(NAMES)), 0, found.start
    for number in found.spans:
        try:
            _, frames, data = split_chunk(start, found.content(number))
            parts = unpack_parts(data, len(start.groups))
            for group, part in zip(start.groups, parts, strict=True):
                decode_part(start, group, part, frames, bits)
                head, *layers = unpack_parts(part, len(part))
                residual += len(part) - len(head) if layers else 0
        except BitstreamError:
            continue
    sizes = {"kernels": start.kernel_bytes}
    sizes |= {name: round(its / 8) for name, its in zip(NAMES, bits, strict=True)}
    sizes["predicted samples"] = residual
    sizes["header, index and checksums"] = len(found.data) - sum(sizes.values())
    return {name: its for name, its in sizes.items() if its}
