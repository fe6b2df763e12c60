"""What a stream holds: its header, what its parts take, and which of them are whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from sans.codec.decompression import Stream, decode_part, split_chunk
from sans.codec.headers import Figures, Header
from sans.codec.mapping import Reader, mapped
from sans.codec.parts import unpack_parts
from sans.codec.quality import Quality
from sans.codec.recovery import Recovery, recover, seconds_of
from sans.errors import BitstreamError

NAMES = ("which kernels", "positions", "amplitudes", "coefficients")
"""What the bits of `sans.codec.description.descriptions.code_description` are for."""


@dataclass(slots=True)
class Inspection:
    """What a stream holds."""

    header: Header
    """The header."""

    size: int
    """Bytes in all."""

    frames: int
    """Frames of the recording."""

    chunks: int
    """How many chunks there are, or were."""

    figures: tuple[Figures, ...]
    """What was achieved on each track; none where the end is damaged."""

    parts: dict[str, int] = field(default_factory=dict)
    """Bytes by what they are for."""

    damaged: list[str] = field(default_factory=list)
    """What is damaged, in words; nothing, where all checksums are right."""

    @property
    def bits(self) -> float:
        """Bits of the stream for each sample."""
        samples = self.frames * sum(track.per_frame for track in self.header.layout.tracks)
        return 8 * self.size / max(samples, 1)

    @property
    def seconds(self) -> float:
        """How long the recording is; 0 where nobody knows."""
        track = self.header.layout.tracks[0]
        return self.frames * track.per_frame / track.rate if track.rate else 0.0

    @property
    def asked(self) -> str:
        """What was asked for, in words."""
        kind, value = self.header.quality
        try:
            if not isinstance(value, str):
                return Quality(kind, value).text
        except ValueError:  # a goal of a newer writer
            pass
        return f"{kind} {value}"


def inspect_file(path: Path) -> Inspection:
    """Look at a stream, all of it.

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
        result.figures = Stream(cast(BinaryIO, Reader(found.data))).end.figures
    except BitstreamError as error:
        result.damaged.append(str(error))
    result.parts = _parts(found)
    return result


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
